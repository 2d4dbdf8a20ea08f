/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimizer.c: the order of the rules, and the small ones: aliases, unions, constants and what they make of AND, OR and NOT.
 */
#include "plan/optimizer.h"
#include "base/config.h"
#include "expr/registry.h"

/* An alias that hid columns of its input becomes a projection of the others: what stands above counts positions. */
static nb_status
alias_to_project(nb_arena *arena, nb_plan *p)
{
    nb_expr **exprs = NB_ARENA_ARRAY(arena, nb_expr *, p->n_attrs + 1);

    if (!exprs) {
        return NB_NOMEM;
    }
    for (int i = 0; i < p->n_attrs; i++) {
        exprs[i] = nb_attr_expr(arena, &p->attrs[i]);
        if (!exprs[i]) {
            return NB_NOMEM;
        }
    }
    p->kind = NB_PLAN_PROJECT;
    p->u.project.exprs = exprs;
    return NB_OK;
}

nb_status
nb_optimize_remove_aliases(nb_arena *arena, nb_plan **plan)
{
    while ((*plan)->kind == NB_PLAN_ALIAS) {
        if ((*plan)->n_attrs != (*plan)->children[0]->n_attrs) {
            NB_TRY(alias_to_project(arena, *plan));
            break;
        }
        *plan = (*plan)->children[0];
    }
    for (int i = 0; i < (*plan)->n_children; i++) {
        NB_TRY(nb_optimize_remove_aliases(arena, &(*plan)->children[i]));
    }
    return NB_OK;
}

/* ---- unions of unions ---- */

static int
count_branches(const nb_plan *p)
{
    int n = 0;

    if (p->kind != NB_PLAN_UNION) {
        return 1;
    }
    for (int i = 0; i < p->n_children; i++) {
        n += count_branches(p->children[i]);
    }
    return n;
}

static void
take_branches(nb_plan *p, nb_plan **list, int *n)
{
    if (p->kind != NB_PLAN_UNION) {
        list[(*n)++] = p;
        return;
    }
    for (int i = 0; i < p->n_children; i++) {
        take_branches(p->children[i], list, n);
    }
}

/* A chain of UNION ALL is one union: its rows pass no projections between. Columns go by position, so the branches fit as they are. */
nb_status
nb_optimize_flatten_unions(nb_arena *arena, nb_plan *p)
{
    int n = p->n_children;

    if (p->kind == NB_PLAN_UNION) {
        n = count_branches(p);
    }
    if (n != p->n_children) {
        nb_plan **list = NB_ARENA_ARRAY(arena, nb_plan *, n);
        int taken = 0;
        if (!list) {
            return NB_NOMEM;
        }
        take_branches(p, list, &taken);
        p->children = list;
        p->n_children = taken;
    }
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(nb_optimize_flatten_unions(arena, p->children[i]));
    }
    return NB_OK;
}

typedef struct fold_state {
    const nb_session_info *info;
} fold_state;

/* Is e the literal TRUE or FALSE? */
static bool
is_bool(const nb_expr *e, bool v)
{
    return e->kind == NB_EXPR_LITERAL && e->type->id == NB_TYPE_BOOL &&
           !nb_vector_is_null(e->u.literal.value, 0) &&
           (NB_DATA(uint8_t, e->u.literal.value)[0] & 1) == v;
}

/* x AND TRUE is x, x AND FALSE is FALSE; the other way round for OR; NOT NOT x is x. */
static nb_status
simplify(nb_arena *arena, nb_expr *e, nb_expr **out)
{
    bool is_and = e->kind == NB_EXPR_AND;
    nb_expr **kept;
    int n = 0;

    if (e->kind == NB_EXPR_CALL && e->u.call.fn == nb_function_find(NB_STR("not")) &&
        e->args[0]->kind == NB_EXPR_CALL && e->args[0]->u.call.fn == e->u.call.fn) {
        *out = e->args[0]->args[0];
        return NB_OK;
    }
    if (!is_and && e->kind != NB_EXPR_OR) {
        return NB_OK;
    }
    kept = NB_ARENA_ARRAY(arena, nb_expr *, e->n_args + 1);
    if (!kept) {
        return NB_NOMEM;
    }
    for (int i = 0; i < e->n_args; i++) {
        if (is_bool(e->args[i], !is_and)) {
            *out = e->args[i];
            return NB_OK;
        }
        kept[n] = e->args[i];
        n += !is_bool(e->args[i], is_and);
    }
    if (n == e->n_args) {
        return NB_OK;
    }
    if (n == 0) {
        *out = e->args[0];
        return NB_OK;
    }
    return nb_join_booleans(arena, e->kind, kept, n, out);
}

/* What would raise at run time is left to run time: it may never be reached. */
static nb_status
fold_one(nb_arena *arena, nb_expr *in, nb_expr **out, void *payload, nb_error *err)
{
    const fold_state *f = payload;
    nb_error quiet = NB_ERROR_INIT;
    nb_status st;

    (void)err;
    *out = in;
    NB_TRY(simplify(arena, in, out));
    in = *out;
    if (!in->foldable || in->kind == NB_EXPR_LITERAL || in->kind == NB_EXPR_ALIAS ||
        in->kind == NB_EXPR_LAMBDA || in->kind == NB_EXPR_AGG || in->kind == NB_EXPR_WINDOW) {
        return NB_OK;
    }
    st = nb_expr_fold(arena, in, f->info, out, &quiet);
    nb_error_clear(&quiet);
    if (st == NB_ERROR) {
        *out = in;
        st = NB_OK;
    }
    return st;
}

static nb_status
fold_list(nb_arena *arena, fold_state *f, nb_expr **list, int n, nb_error *err)
{
    for (int i = 0; i < n; i++) {
        if (list[i]) {
            NB_TRY(nb_expr_rewrite(arena, list[i], fold_one, f, &list[i], err));
        }
    }
    return NB_OK;
}

nb_status
nb_optimize_fold(nb_arena *arena, const nb_session_info *info, nb_plan *p, nb_error *err)
{
    fold_state f = {info};

    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(nb_optimize_fold(arena, info, p->children[i], err));
    }
    switch (p->kind) {
    case NB_PLAN_FILTER: return fold_list(arena, &f, &p->u.filter.condition, 1, err);
    case NB_PLAN_PROJECT: return fold_list(arena, &f, p->u.project.exprs, p->n_attrs, err);
    case NB_PLAN_AGGREGATE:
        NB_TRY(fold_list(arena, &f, p->u.aggregate.aggs, p->u.aggregate.n_aggs, err));
        return fold_list(arena, &f, p->u.aggregate.keys, p->u.aggregate.n_keys, err);
    case NB_PLAN_JOIN:
        return p->u.join.condition ? fold_list(arena, &f, &p->u.join.condition, 1, err) : NB_OK;
    case NB_PLAN_EXPAND:
        for (int i = 0; i < p->u.expand.n_projections; i++) {
            NB_TRY(fold_list(arena, &f, p->u.expand.projections[i], p->n_attrs, err));
        }
        return NB_OK;
    default: return NB_OK;
    }
}

static bool
reads_both(const nb_plan *join, const nb_expr *e, bool *left, bool *right)
{
    if (e->kind == NB_EXPR_COLUMN) {
        *left |= nb_plan_find_attr(join->children[0], e->u.column.attr) != NULL;
        *right |= nb_plan_find_attr(join->children[1], e->u.column.attr) != NULL;
    }
    for (int i = 0; i < e->n_args && !(*left && *right); i++) {
        reads_both(join, e->args[i], left, right);
    }
    return *left && *right;
}

/* Is one of the conjuncts about both sides? */
static bool
relates_sides(const nb_plan *join, const nb_expr *e)
{
    bool left = false, right = false;

    if (e == NULL) {
        return false;
    }
    if (e->kind == NB_EXPR_AND) {
        for (int i = 0; i < e->n_args; i++) {
            if (relates_sides(join, e->args[i])) {
                return true;
            }
        }
        return false;
    }
    return reads_both(join, e, &left, &right);
}

/* spark.sql.crossJoin.enabled=false: a join that pairs all rows must say CROSS. */
static nb_status
refuse_products(nb_arena *arena, const nb_plan *p, nb_error *err)
{
    static const char *const NAMES[] = {
        [NB_JOIN_INNER] = "INNER",     [NB_JOIN_CROSS] = "INNER",
        [NB_JOIN_LEFT] = "LEFT OUTER", [NB_JOIN_RIGHT] = "RIGHT OUTER",
        [NB_JOIN_FULL] = "FULL OUTER", [NB_JOIN_SEMI] = NULL,
        [NB_JOIN_ANTI] = NULL,
    };

    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(refuse_products(arena, p->children[i], err));
    }
    if (p->kind == NB_PLAN_JOIN && p->u.join.condition_wanted &&
        (size_t)p->u.join.type < NB_COUNT_OF(NAMES) && NAMES[p->u.join.type] != NULL &&
        !relates_sides(p, p->u.join.condition)) {
        return nb_raise(
            err, NB_COND_IMPLICIT_CARTESIAN_PRODUCT, "joinType", NAMES[p->u.join.type], "leftPlan",
            nb_type_simple_string(arena, nb_plan_schema(arena, p->children[0])), "rightPlan",
            nb_type_simple_string(arena, nb_plan_schema(arena, p->children[1])), NULL);
    }
    return NB_OK;
}

nb_status
nb_optimize(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err)
{
    NB_TRY(nb_optimize_remove_aliases(arena, plan));
    NB_TRY(nb_optimize_flatten_unions(arena, *plan));
    NB_TRY(nb_optimize_fold(arena, info, *plan, err));
    NB_TRY(nb_optimize_push_filters(arena, plan, err));
    NB_TRY(nb_optimize_empty(arena, info, plan, err));
    if (!nb_config_bool(info->config, NB_CONF_CROSS_JOIN)) {
        NB_TRY(refuse_products(arena, *plan, err));
    }
    NB_TRY(nb_optimize_sums(arena, info, plan, err));
    NB_TRY(nb_optimize_extremes(arena, plan));
    NB_TRY(nb_optimize_join_order(arena, info, plan, err));
    NB_TRY(nb_optimize_pairs(arena, plan));
    NB_TRY(nb_optimize_push_limits(arena, plan));
    NB_TRY(nb_optimize_prune(arena, plan, err));
    return nb_optimize_rank_limits(arena, *plan);
}
