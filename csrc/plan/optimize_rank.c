/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_rank.c: a window below a filter such as row_number() <= 3 is told that later rows are not wanted.
 *
 * The filter stays. The window may then leave out, before it sorts, rows that three others of their partition come before: what ranks are for the rows
 * that the filter keeps depends on rows before them only. Other functions see more, or could fail over rows of which it depends on the threads
 * whether they are left out; so could other conditions of the filter.
 */
#include "plan/optimizer.h"

#include "expr/registry.h"

typedef enum rank_kind { RANK_NONE, RANK_ROWS, RANK_VALUES } rank_kind;

/* RANK_ROWS counts rows before the current one, RANK_VALUES those of different order. */
static rank_kind
kind_of(const nb_expr *fn)
{
    if (fn->kind != NB_EXPR_CALL) {
        return RANK_NONE;
    }
    if (fn->u.call.fn == nb_function_find(NB_STR("row_number")) ||
        fn->u.call.fn == nb_function_find(NB_STR("rank"))) {
        return RANK_ROWS;
    }
    return fn->u.call.fn == nb_function_find(NB_STR("dense_rank")) ? RANK_VALUES : RANK_NONE;
}

static const nb_expr *
bare(const nb_expr *e)
{
    return e->kind == NB_EXPR_ALIAS ? e->args[0] : e;
}

static bool
whole_number(const nb_expr *e, int64_t *out)
{
    const nb_vector *v;

    if (e->kind != NB_EXPR_LITERAL || nb_vector_is_null(e->u.literal.value, 0)) {
        return false;
    }
    v = e->u.literal.value;
    switch (e->type->id) {
    case NB_TYPE_INT32: *out = NB_DATA(int32_t, v)[0]; return true;
    case NB_TYPE_INT64: *out = NB_DATA(int64_t, v)[0]; return true;
    default: return false;
    }
}

/* column <= n and the like: *column and the greatest value that passes. */
static bool
upper_bound(const nb_expr *e, const nb_expr **column, int64_t *most)
{
    static const struct {
        const char *name;
        bool turned;
        int less;
    } forms[] = {{"<", false, 1}, {"<=", false, 0}, {"=", false, 0},
                 {">", true, 1},  {">=", true, 0},  {"=", true, 0}};

    for (size_t k = 0; k < NB_COUNT_OF(forms) && e->kind == NB_EXPR_CALL && e->n_args == 2; k++) {
        const nb_expr *c = e->args[forms[k].turned];
        c = c->kind == NB_EXPR_CAST && c->type->id == NB_TYPE_INT64 ? c->args[0] : c;
        if (e->u.call.fn == nb_function_find(nb_str_of(forms[k].name)) &&
            c->kind == NB_EXPR_COLUMN && whole_number(e->args[!forms[k].turned], most) &&
            *most > INT32_MIN) {
            *column = c;
            *most -= forms[k].less;
            return true;
        }
    }
    return false;
}

static nb_status
tell(nb_arena *arena, const nb_plan *filter, nb_plan *window)
{
    int n_functions = window->u.window.n_functions, first = window->n_attrs - n_functions;
    nb_expr **list = NULL;
    int n = 0, cap = 0;

    for (int i = 0; i < n_functions; i++) {
        if (kind_of(bare(window->u.window.functions[i])->u.window.fn) == RANK_NONE) {
            return NB_OK;
        }
    }
    NB_TRY(nb_split_conjuncts(arena, filter->u.filter.condition, &list, &n, &cap));
    for (int i = 0; i < n; i++) {
        if (!list[i]->deterministic || list[i]->can_fail) {
            return NB_OK;
        }
    }
    for (int i = 0; i < n; i++) {
        const nb_expr *column;
        int64_t most;
        if (!upper_bound(list[i], &column, &most) || most < 1) {
            continue;
        }
        for (int f = 0; f < n_functions; f++) {
            rank_kind kind = kind_of(bare(window->u.window.functions[f])->u.window.fn);
            int64_t now = window->u.window.limit;
            if (window->attrs[first + f].id == column->u.column.attr && kind != RANK_NONE &&
                (now == 0 || most < now)) {
                window->u.window.limit = most;
                window->u.window.limits_values = kind == RANK_VALUES;
            }
        }
    }
    return NB_OK;
}

nb_status
nb_optimize_rank_limits(nb_arena *arena, nb_plan *plan)
{
    if (plan->kind == NB_PLAN_FILTER && plan->children[0]->kind == NB_PLAN_WINDOW) {
        NB_TRY(tell(arena, plan, plan->children[0]));
    }
    for (int i = 0; i < plan->n_children; i++) {
        NB_TRY(nb_optimize_rank_limits(arena, plan->children[i]));
    }
    return NB_OK;
}
