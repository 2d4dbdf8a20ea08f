/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_sums.c: sum(x + 1), sum(x + 2), … of one aggregation become sum(x) + 1 * count(x), sum(x) + 2 * count(x), …
 *
 * Only where neither x + c nor the sum of a table can overflow, so that the same queries fail: x is a cast from an integer type narrower than its own,
 * and c has 32 bits. A group without a value has a null sum either way. One such sum alone is left as it is: two aggregates would take its place.
 */
#include "plan/optimizer.h"

#include "expr/registry.h"

typedef struct sum_parts {
    nb_expr *x;     /* NULL: not such a sum */
    int64_t offset; /* what is added to it */
} sum_parts;

static int
bytes_of(const nb_type *type)
{
    switch (type->id) {
    case NB_TYPE_INT8: return 1;
    case NB_TYPE_INT16: return 2;
    case NB_TYPE_INT32: return 4;
    case NB_TYPE_INT64: return 8;
    default: return 0;
    }
}

/* Is e an integer of 32 bits or fewer that stands in a type wider than it needs? */
static bool
has_room(const nb_expr *e)
{
    int from;

    if (e->kind != NB_EXPR_CAST) {
        return false;
    }
    from = bytes_of(e->args[0]->type);
    return from > 0 && from < 8 && bytes_of(e->type) > from;
}

/* A literal of 32 bits or fewer. */
static bool
offset_of(const nb_expr *e, int64_t *out)
{
    if (e->kind != NB_EXPR_LITERAL || nb_vector_is_null(e->u.literal.value, 0)) {
        return false;
    }
    switch (e->type->id) {
    case NB_TYPE_INT32: *out = NB_DATA(int32_t, e->u.literal.value)[0]; break;
    case NB_TYPE_INT64: *out = NB_DATA(int64_t, e->u.literal.value)[0]; break;
    default: return false;
    }
    return *out >= -INT32_MAX && *out <= INT32_MAX;
}

/* sum(x + c), sum(c + x), sum(x - c), sum(x). */
static sum_parts
parts_of(const nb_expr *alias)
{
    const nb_expr *agg = alias->kind == NB_EXPR_ALIAS ? alias->args[0] : alias, *e;
    sum_parts none = {0}, p = {0};
    bool minus;
    int64_t low, high;

    if (agg->kind != NB_EXPR_AGG || agg->u.agg.fn != nb_aggregate_find(NB_STR("sum")) ||
        agg->u.agg.distinct || agg->u.agg.filter || agg->n_args != 1 ||
        agg->type->id != NB_TYPE_INT64) {
        return none;
    }
    e = agg->args[0];
    if (has_room(e)) {
        p.x = agg->args[0];
        return p;
    }
    minus = e->kind == NB_EXPR_CALL && e->u.call.fn == nb_function_find(NB_STR("-"));
    if (e->kind != NB_EXPR_CALL || e->n_args != 2 ||
        (!minus && e->u.call.fn != nb_function_find(NB_STR("+")))) {
        return none;
    }
    for (int k = 0; k < (minus ? 1 : 2); k++) {
        if (has_room(e->args[k]) && offset_of(e->args[1 - k], &p.offset)) {
            p.offset = minus ? -p.offset : p.offset;
            p.x = e->args[k];
        }
    }
    if (p.x == NULL || p.x->type != e->type) {
        return none;
    }
    /* does every x + c fit? */
    high = ((int64_t)1 << (8 * bytes_of(p.x->args[0]->type) - 1)) - 1;
    low = -high - 1;
    if (e->type->id != NB_TYPE_INT64 &&
        (high + p.offset > INT32_MAX || low + p.offset < INT32_MIN)) {
        return none;
    }
    return p;
}

typedef struct sums {
    nb_arena *arena;
    const nb_session_info *info;
    nb_expr **aggs; /* of the new aggregation */
    int n_aggs;
    nb_error *err;
} sums;

/* A column that the new aggregation computes by the aggregate `name` of x. */
static nb_status
add_aggregate(sums *s, const char *name, nb_expr *x, nb_expr **column)
{
    nb_expr **args = NB_ARENA_ARRAY(s->arena, nb_expr *, 1);
    nb_expr *made, *alias;
    nb_attr attr;

    if (!args) {
        return NB_NOMEM;
    }
    args[0] = x;
    NB_TRY(nb_aggregate_bind(s->arena, s->info, nb_aggregate_find(nb_str_of(name)), nb_str_of(name),
                             args, 1, false, NULL, NULL, &made, s->err));
    alias = nb_expr_alias(s->arena, made, nb_str_of(name), nb_attr_next_id());
    if (!alias) {
        return NB_NOMEM;
    }
    s->aggs[s->n_aggs++] = alias;
    attr = nb_attr_of_expr(alias);
    *column = nb_attr_expr(s->arena, &attr);
    return *column ? NB_OK : NB_NOMEM;
}

static nb_status
call(sums *s, const char *name, nb_expr *a, nb_expr *b, nb_expr **out)
{
    nb_expr **args = NB_ARENA_ARRAY(s->arena, nb_expr *, 2);

    if (!args || !a || !b) {
        return NB_NOMEM;
    }
    args[0] = a;
    args[1] = b;
    return nb_function_bind(s->arena, s->info, nb_function_find(nb_str_of(name)), nb_str_of(name),
                            args, 2, NULL, out, s->err);
}

/* All sums of parts[first].x, which get total + offset * count as their expressions. */
static nb_status
rewrite_sums(sums *s, const nb_plan *p, sum_parts *parts, int first, nb_expr **exprs)
{
    nb_expr *x = parts[first].x, *total, *count;

    NB_TRY(add_aggregate(s, "sum", x, &total));
    NB_TRY(add_aggregate(s, "count", x, &count));
    for (int i = first; i < p->u.aggregate.n_aggs; i++) {
        const nb_expr *old = p->u.aggregate.aggs[i];
        nb_expr *e = total;
        if (parts[i].x == NULL || !nb_expr_equal(parts[i].x, x)) {
            continue;
        }
        if (parts[i].offset != 0) {
            NB_TRY(call(s, "*", nb_expr_int64(s->arena, parts[i].offset), count, &e));
            NB_TRY(call(s, "+", total, e, &e));
        }
        exprs[i] = nb_expr_alias(s->arena, e, old->u.alias.name, old->u.alias.attr);
        if (!exprs[i]) {
            return NB_NOMEM;
        }
        exprs[i]->u.alias.metadata = old->u.alias.metadata;
        parts[i].x = NULL;
    }
    return NB_OK;
}

/* The aggregation with fewer aggregates, below a projection that gives the old columns; *plan is that projection. */
static nb_status
rewrite_aggregate(sums *s, nb_plan **plan)
{
    nb_plan *p = *plan, *made, *above;
    int n_keys = p->u.aggregate.n_keys, n = p->u.aggregate.n_aggs;
    sum_parts *parts = NB_ARENA_ARRAY(s->arena, sum_parts, n + 1);
    nb_expr **exprs = NB_ARENA_ARRAY(s->arena, nb_expr *, n_keys + n + 1), **results;
    bool any = false;

    s->aggs = NB_ARENA_ARRAY(s->arena, nb_expr *, 2 * n + 1);
    s->n_aggs = 0;
    if (!parts || !exprs || !s->aggs) {
        return NB_NOMEM;
    }
    results = exprs + n_keys;
    for (int i = 0; i < n; i++) {
        bool has_alias = p->u.aggregate.aggs[i]->kind == NB_EXPR_ALIAS;
        parts[i] = has_alias ? parts_of(p->u.aggregate.aggs[i]) : (sum_parts){0};
        results[i] = NULL;
    }
    for (int i = 0; i < n; i++) {
        int alike = 0;
        for (int k = i; k < n && parts[i].x && alike < 3; k++) {
            alike += parts[k].x && nb_expr_equal(parts[k].x, parts[i].x);
        }
        if (alike > 2) {
            NB_TRY(rewrite_sums(s, p, parts, i, results));
            any = true;
        }
    }
    if (!any) {
        return NB_OK;
    }
    for (int i = 0; i < n; i++) {
        if (!results[i]) {
            nb_attr attr = nb_attr_of_expr(p->u.aggregate.aggs[i]);
            s->aggs[s->n_aggs++] = p->u.aggregate.aggs[i];
            results[i] = nb_attr_expr(s->arena, &attr);
        }
    }
    made = nb_plan_new(s->arena, NB_PLAN_AGGREGATE, 1, n_keys + s->n_aggs);
    above = nb_plan_new(s->arena, NB_PLAN_PROJECT, 1, p->n_attrs);
    if (!made || !above) {
        return NB_NOMEM;
    }
    made->children[0] = p->children[0];
    made->u.aggregate = p->u.aggregate;
    made->u.aggregate.aggs = s->aggs;
    made->u.aggregate.n_aggs = s->n_aggs;
    for (int i = 0; i < n_keys; i++) {
        made->attrs[i] = p->attrs[i];
        exprs[i] = nb_attr_expr(s->arena, &p->attrs[i]);
    }
    for (int i = 0; i < s->n_aggs; i++) {
        made->attrs[n_keys + i] = nb_attr_of_expr(s->aggs[i]);
    }
    for (int i = 0; i < n_keys + n; i++) {
        if (!exprs[i]) {
            return NB_NOMEM;
        }
    }
    memcpy(above->attrs, p->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
    above->children[0] = made;
    above->u.project.exprs = exprs;
    above->plan_id = p->plan_id;
    *plan = above;
    return NB_OK;
}

nb_status
nb_optimize_sums(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err)
{
    sums s = {.arena = arena, .info = info, .err = err};

    for (int i = 0; i < (*plan)->n_children; i++) {
        NB_TRY(nb_optimize_sums(arena, info, &(*plan)->children[i], err));
    }
    return (*plan)->kind == NB_PLAN_AGGREGATE ? rewrite_aggregate(&s, plan) : NB_OK;
}
