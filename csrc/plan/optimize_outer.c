/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_outer.c: joins that keep rows without a match become inner ones where a filter above drops those rows anyway.
 *
 * A condition rejects nulls of a side when it is not true wherever that side's columns are null: comparisons, LIKE, IN and arithmetic give
 * null for null. A scalar subquery's join (SINGLE) first becomes an outer join when its right side cannot have two matches.
 */
#include "plan/optimizer.h"
#include "plan/statistics.h"

/* Null where a column of the set is null. */
static bool
is_strict(const nb_expr *e, const nb_attr_set *set)
{
    static const char *const strict[] = {"=", "!=", "<", "<=", ">",    ">=",  "+",
                                         "-", "*",  "/", "%",  "like", "not", "negative"};

    if (e->kind == NB_EXPR_COLUMN) {
        return nb_attr_set_has(set, e->u.column.attr);
    }
    if (e->kind == NB_EXPR_CAST || e->kind == NB_EXPR_IN) {
        return is_strict(e->args[0], set);
    }
    if (e->kind != NB_EXPR_CALL) {
        return false;
    }
    for (size_t k = 0; k < sizeof strict / sizeof *strict; k++) {
        if (e->u.call.fn == nb_function_find(nb_str_of(strict[k]))) {
            for (int i = 0; i < e->n_args; i++) {
                if (is_strict(e->args[i], set)) {
                    return true;
                }
            }
        }
    }
    return false;
}

static bool
rejects_null(const nb_expr *e, const nb_attr_set *set)
{
    bool all = e->kind == NB_EXPR_OR;

    if (e->kind == NB_EXPR_AND || e->kind == NB_EXPR_OR) {
        for (int i = 0; i < e->n_args; i++) {
            if (rejects_null(e->args[i], set) != all) {
                return !all;
            }
        }
        return all;
    }
    if (e->kind == NB_EXPR_CALL && e->u.call.fn == nb_function_find(NB_STR("isnotnull"))) {
        return is_strict(e->args[0], set);
    }
    return is_strict(e, set);
}

static bool
any_rejects(nb_expr *const *conditions, int n, const nb_attr_set *set)
{
    for (int i = 0; i < n; i++) {
        if (rejects_null(conditions[i], set)) {
            return true;
        }
    }
    return false;
}

/* Right columns that the condition sets equal to something of the left. */
static nb_status
equated(nb_arena *arena, const nb_plan *p, const nb_attr_set sides[2], nb_attr_set *out)
{
    nb_expr **list = NULL;
    int n = 0, cap = 0;

    if (p->u.join.condition) {
        NB_TRY(nb_split_conjuncts(arena, p->u.join.condition, &list, &n, &cap));
    }
    for (int i = 0; i < n; i++) {
        const nb_expr *e = list[i];
        for (int k = 0; k < 2 && e->kind == NB_EXPR_CALL && e->n_args == 2; k++) {
            const nb_expr *column = e->args[k];
            if (e->u.call.fn == nb_function_find(NB_STR("=")) && column->kind == NB_EXPR_COLUMN &&
                nb_attr_set_has(&sides[1], column->u.column.attr) &&
                nb_attr_set_covers(&sides[0], e->args[1 - k])) {
                NB_TRY(nb_attr_set_add(out, column->u.column.attr));
            }
        }
    }
    return NB_OK;
}

nb_status
nb_narrow_outer_join(nb_arena *arena, nb_plan *p, nb_expr *const *above, int n)
{
    nb_attr_set sides[2] = {{.arena = arena}, {.arena = arena}};
    bool left, right;

    if (p->u.join.type != NB_JOIN_LEFT && p->u.join.type != NB_JOIN_RIGHT &&
        p->u.join.type != NB_JOIN_FULL && p->u.join.type != NB_JOIN_SINGLE) {
        return NB_OK;
    }
    NB_TRY(nb_attr_set_add_plan(&sides[0], p->children[0]));
    NB_TRY(nb_attr_set_add_plan(&sides[1], p->children[1]));
    if (p->u.join.type == NB_JOIN_SINGLE) {
        nb_attr_set keys = {.arena = arena};
        if (nb_plan_is_single_row(p->children[1])) {
            p->u.join.type = p->u.join.condition ? NB_JOIN_LEFT : NB_JOIN_CROSS;
        } else {
            NB_TRY(equated(arena, p, sides, &keys));
            if (keys.n && nb_plan_is_unique(p->children[1], &keys)) {
                p->u.join.type = NB_JOIN_LEFT;
            }
        }
    }
    left = any_rejects(above, n, &sides[0]);
    right = any_rejects(above, n, &sides[1]);
    switch (p->u.join.type) {
    case NB_JOIN_LEFT: p->u.join.type = right ? NB_JOIN_INNER : NB_JOIN_LEFT; break;
    case NB_JOIN_RIGHT: p->u.join.type = left ? NB_JOIN_INNER : NB_JOIN_RIGHT; break;
    case NB_JOIN_FULL:
        p->u.join.type = left && right ? NB_JOIN_INNER
                         : left        ? NB_JOIN_LEFT
                         : right       ? NB_JOIN_RIGHT
                                       : NB_JOIN_FULL;
        break;
    default: break;
    }
    return NB_OK;
}
