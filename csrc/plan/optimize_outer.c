/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_outer.c: joins that keep rows without a match become inner ones where a filter above drops those rows anyway.
 *
 * A condition rejects nulls of a side when it is not true wherever that side's columns are null: comparisons, LIKE, IN and arithmetic give
 * null for null; so do the keys of an inner join above. A scalar subquery's join (SINGLE) first becomes an outer join when its right side cannot have
 * two matches. A left join of which only the rows without a match are wanted is an anti join.
 */
#include "plan/optimizer.h"
#include "plan/statistics.h"

/* Functions that are null where one of their arguments is. */
static bool
gives_null_for_null(const nb_function *fn)
{
    static const char *const strict[] = {"=", "!=", "<", "<=", ">",    ">=",  "+",
                                         "-", "*",  "/", "%",  "like", "not", "negative"};

    for (size_t k = 0; k < NB_COUNT_OF(strict); k++) {
        if (fn == nb_function_find(nb_str_of(strict[k]))) {
            return true;
        }
    }
    return false;
}

/* Null where a column of the set is null. */
static bool
is_strict(const nb_expr *e, const nb_attr_set *set)
{
    if (e->kind == NB_EXPR_COLUMN) {
        return nb_attr_set_has(set, e->u.column.attr);
    }
    if (e->kind == NB_EXPR_CAST || e->kind == NB_EXPR_IN) {
        return is_strict(e->args[0], set);
    }
    if (e->kind != NB_EXPR_CALL || !gives_null_for_null(e->u.call.fn)) {
        return false;
    }
    for (int i = 0; i < e->n_args; i++) {
        if (is_strict(e->args[i], set)) {
            return true;
        }
    }
    return false;
}

nb_status
nb_strict_columns(const nb_expr *e, nb_attr_set *out)
{
    bool all = e->kind == NB_EXPR_CALL && gives_null_for_null(e->u.call.fn);

    if (e->kind == NB_EXPR_COLUMN) {
        return nb_attr_set_add(out, e->u.column.attr);
    }
    if (e->kind == NB_EXPR_CAST || e->kind == NB_EXPR_IN || e->kind == NB_EXPR_ALIAS) {
        return nb_strict_columns(e->args[0], out);
    }
    for (int i = 0; i < e->n_args && all; i++) {
        NB_TRY(nb_strict_columns(e->args[i], out));
    }
    return NB_OK;
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
any_rejects(nb_expr *const *conditions, int n, const nb_attr_set *needed, const nb_attr_set *set)
{
    for (int i = 0; i < n; i++) {
        if (rejects_null(conditions[i], set)) {
            return true;
        }
    }
    for (int i = 0; i < needed->cap; i++) {
        if (needed->ids[i] && nb_attr_set_has(set, needed->ids[i])) {
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
nb_narrow_outer_join(nb_arena *arena, nb_plan *p, nb_expr *const *above, int n,
                     const nb_attr_set *needed)
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
    left = any_rejects(above, n, needed, &sides[0]);
    right = any_rejects(above, n, needed, &sides[1]);
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

/* Does e say that something of the right side is null, which is null only where nothing matched? */
static bool
wants_no_match(const nb_expr *e, const nb_plan *p, const nb_attr_set *keys)
{
    const nb_expr *column = e->kind == NB_EXPR_CALL && e->n_args == 1 ? e->args[0] : NULL;
    const nb_attr *attr;

    if (!column || column->kind != NB_EXPR_COLUMN ||
        e->u.call.fn != nb_function_find(NB_STR("isnull"))) {
        return false;
    }
    attr = nb_plan_find_attr(p->children[1], column->u.column.attr);
    return attr && (!attr->nullable || nb_attr_set_has(keys, attr->id));
}

nb_status
nb_left_to_anti(nb_arena *arena, nb_plan *p, nb_expr **above, int *n, nb_plan **out)
{
    nb_attr_set keys = {.arena = arena}, right = {.arena = arena};
    nb_plan *anti, *project;
    nb_expr **list = NULL;
    int n_list = 0, cap = 0, n_left = p->children[0]->n_attrs, n_kept = 0;

    *out = NULL;
    if (p->u.join.type != NB_JOIN_LEFT || !p->u.join.condition ||
        !p->u.join.condition->deterministic) {
        return NB_OK;
    }
    NB_TRY(nb_split_conjuncts(arena, p->u.join.condition, &list, &n_list, &cap));
    for (int i = 0; i < n_list; i++) {
        NB_TRY(nb_strict_columns(list[i], &keys));
    }
    NB_TRY(nb_attr_set_add_plan(&right, p->children[1]));
    for (int i = 0; i < *n; i++) {
        if (!wants_no_match(above[i], p, &keys)) {
            above[n_kept++] = above[i];
        }
    }
    if (n_kept == *n) {
        return NB_OK;
    }
    *n = n_kept;
    anti = nb_plan_new(arena, NB_PLAN_JOIN, 2, n_left);
    project = nb_plan_new(arena, NB_PLAN_PROJECT, 1, p->n_attrs);
    if (!anti || !project) {
        return NB_NOMEM;
    }
    anti->u.join = p->u.join;
    anti->u.join.type = NB_JOIN_ANTI;
    memcpy(anti->children, p->children, sizeof(nb_plan *) * 2);
    memcpy(anti->attrs, p->children[0]->attrs, sizeof(nb_attr) * (size_t)n_left);
    project->children[0] = anti;
    memcpy(project->attrs, p->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
    project->u.project.exprs = NB_ARENA_ARRAY(arena, nb_expr *, p->n_attrs + 1);
    if (!project->u.project.exprs) {
        return NB_NOMEM;
    }
    for (int i = 0; i < p->n_attrs; i++) {
        const nb_attr *a = &p->attrs[i];
        nb_expr *e =
            nb_attr_set_has(&right, a->id) ? nb_expr_null(arena, a->type) : nb_attr_expr(arena, a);
        if (e && nb_attr_set_has(&right, a->id)) {
            e = nb_expr_alias(arena, e, a->name, a->id);
        }
        project->u.project.exprs[i] = e;
        if (!e) {
            return NB_NOMEM;
        }
    }
    *out = project;
    return NB_OK;
}
