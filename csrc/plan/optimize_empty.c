/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_empty.c: what cannot have rows is not run.
 *
 * A common table expression that is a union of several sources, each with a constant that says which, is filtered by that constant at every use: pushed
 * into the branches the condition compares two constants. Where it is false the branch is empty, and so is all that needs its rows; a union goes
 * on without it, or is a projection of the only branch that is left. A true condition is no filter.
 */
#include "plan/optimizer.h"

static bool
has_no_rows(const nb_plan *p)
{
    switch (p->kind) {
    case NB_PLAN_RANGE: return p->u.range.step > 0 && p->u.range.start >= p->u.range.end;
    case NB_PLAN_PROJECT: return p->u.project.observed == NULL && has_no_rows(p->children[0]);
    case NB_PLAN_AGGREGATE: return p->u.aggregate.n_keys > 0 && has_no_rows(p->children[0]);
    case NB_PLAN_FILTER:
    case NB_PLAN_SORT:
    case NB_PLAN_LIMIT:
    case NB_PLAN_WINDOW:
    case NB_PLAN_EXPAND: return has_no_rows(p->children[0]);
    case NB_PLAN_JOIN: {
        bool left = has_no_rows(p->children[0]), right = has_no_rows(p->children[1]);
        switch (p->u.join.type) {
        case NB_JOIN_INNER:
        case NB_JOIN_CROSS:
        case NB_JOIN_SEMI: return left || right;
        case NB_JOIN_RIGHT: return right;
        case NB_JOIN_FULL: return left && right;
        default: return left;
        }
    }
    case NB_PLAN_UNION:
        for (int i = 0; i < p->n_children; i++) {
            if (!has_no_rows(p->children[i])) {
                return false;
            }
        }
        return true;
    default: return false;
    }
}

/* Nulls of the columns' types over a range of nothing. */
static nb_status
make_empty(nb_arena *arena, nb_plan **plan)
{
    const nb_plan *p = *plan;
    nb_plan *made = nb_plan_new(arena, NB_PLAN_PROJECT, 1, p->n_attrs);
    nb_plan *nothing = nb_plan_new(arena, NB_PLAN_RANGE, 0, 1);

    if (!made || !nothing) {
        return NB_NOMEM;
    }
    nothing->attrs[0] =
        (nb_attr){.id = nb_attr_next_id(), .name = NB_STR("id"), .type = nb_type_of(NB_TYPE_INT64)};
    nothing->u.range.step = nothing->u.range.n_partitions = 1;
    made->children[0] = nothing;
    made->plan_id = p->plan_id;
    made->u.project.exprs = NB_ARENA_ARRAY(arena, nb_expr *, p->n_attrs + 1);
    if (!made->u.project.exprs) {
        return NB_NOMEM;
    }
    memcpy(made->attrs, p->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
    for (int i = 0; i < p->n_attrs; i++) {
        nb_expr *null = nb_expr_null(arena, p->attrs[i].type);
        made->u.project.exprs[i] =
            null ? nb_expr_alias(arena, null, p->attrs[i].name, p->attrs[i].id) : NULL;
        if (!made->u.project.exprs[i]) {
            return NB_NOMEM;
        }
        made->u.project.exprs[i]->u.alias.metadata = p->attrs[i].metadata;
    }
    *plan = made;
    return NB_OK;
}

/* The union's columns as those of its only branch. */
static nb_status
only_branch(nb_arena *arena, nb_plan **plan)
{
    const nb_plan *p = *plan;
    nb_plan *child = p->children[0], *made = nb_plan_new(arena, NB_PLAN_PROJECT, 1, p->n_attrs);

    if (!made) {
        return NB_NOMEM;
    }
    made->children[0] = child;
    made->plan_id = p->plan_id;
    made->u.project.exprs = NB_ARENA_ARRAY(arena, nb_expr *, p->n_attrs + 1);
    if (!made->u.project.exprs) {
        return NB_NOMEM;
    }
    memcpy(made->attrs, p->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
    for (int i = 0; i < p->n_attrs; i++) {
        nb_expr *column = nb_attr_expr(arena, &child->attrs[i]);
        made->u.project.exprs[i] =
            column ? nb_expr_alias(arena, column, p->attrs[i].name, p->attrs[i].id) : NULL;
        if (!made->u.project.exprs[i]) {
            return NB_NOMEM;
        }
        made->u.project.exprs[i]->u.alias.metadata = p->attrs[i].metadata;
    }
    *plan = made;
    return NB_OK;
}

static nb_status
shorten_union(nb_arena *arena, nb_plan **plan)
{
    nb_plan *p = *plan;
    int n = 0;

    for (int i = 0; i < p->n_children; i++) {
        if (!has_no_rows(p->children[i])) {
            p->children[n++] = p->children[i];
        }
    }
    p->n_children = n;
    return n == 1 && p->children[0]->n_attrs == p->n_attrs ? only_branch(arena, plan) : NB_OK;
}

/* The value of a condition that is a constant: 1, 0 (also for null), or -1 for one that is none. */
static int
constant(const nb_expr *e)
{
    if (e->kind != NB_EXPR_LITERAL || e->type->id != NB_TYPE_BOOL) {
        return -1;
    }
    return !nb_vector_is_null(e->u.literal.value, 0) &&
           (NB_DATA(uint8_t, e->u.literal.value)[0] & 1);
}

static nb_status
remove_empty(nb_arena *arena, nb_plan **plan)
{
    nb_plan *p = *plan;

    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(remove_empty(arena, &p->children[i]));
    }
    switch (p->kind) {
    case NB_PLAN_FILTER: {
        int value = constant(p->u.filter.condition);
        if (value > 0) {
            *plan = p->children[0];
        }
        return value == 0 ? make_empty(arena, plan) : NB_OK;
    }
    case NB_PLAN_PROJECT: return NB_OK; /* it may be what make_empty has made */
    case NB_PLAN_AGGREGATE:
    case NB_PLAN_SORT:
    case NB_PLAN_LIMIT:
    case NB_PLAN_WINDOW:
    case NB_PLAN_EXPAND:
    case NB_PLAN_JOIN: return has_no_rows(p) ? make_empty(arena, plan) : NB_OK;
    case NB_PLAN_UNION:
        return has_no_rows(p) ? make_empty(arena, plan) : shorten_union(arena, plan);
    default: return NB_OK;
    }
}

/* Is there a filter with a conjunct over constants only? */
static bool
compares_constants(const nb_plan *p)
{
    if (p->kind == NB_PLAN_FILTER) {
        const nb_expr *e = p->u.filter.condition;
        bool found = e->foldable;
        for (int i = 0; i < e->n_args && e->kind == NB_EXPR_AND; i++) {
            found |= e->args[i]->foldable;
        }
        if (found) {
            return true;
        }
    }
    for (int i = 0; i < p->n_children; i++) {
        if (compares_constants(p->children[i])) {
            return true;
        }
    }
    return false;
}

nb_status
nb_optimize_empty(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err)
{
    if (!compares_constants(*plan)) {
        return NB_OK;
    }
    NB_TRY(nb_optimize_fold(arena, info, *plan, err));
    NB_TRY(remove_empty(arena, plan));
    return nb_optimize_push_filters(arena, plan, err); /* scans have learnt of the constants */
}
