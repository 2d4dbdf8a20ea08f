/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollup.c: rollups, cubes and grouping sets are made of groups instead of rows.
 *
 *     Aggregate(keys, functions) over Expand(sets) over rows
 *     becomes Aggregate(keys, second steps) over Expand(sets) over Aggregate(all keys, first steps) over rows
 *
 * EXPAND copies its input once per set; here it copies the groups by all keys at once, with the states of the aggregates (aggregate_phase.h). Not
 * for aggregates whose result depends on the order in which rows come, sums of floating-point numbers among them, nor for DISTINCT ones, nor for
 * sums that may overflow in the finer groups alone.
 */
#include "plan/rollup.h"

#include "expr/aggregate_phase.h"
#include "expr/registry.h"

typedef struct rollup {
    nb_arena *arena;
    const nb_node *expand;
    nb_expr **keys; /* over the expand's input, each once */
    int n_keys;
    bool has_finest; /* a set is of all keys */
} rollup;

static bool
is_float(const nb_expr *e, int depth)
{
    if (e->type->id == NB_TYPE_FLOAT32 || e->type->id == NB_TYPE_FLOAT64) {
        return true;
    }
    return depth > 0 && e->n_args > 0 && is_float(e->args[0], depth - 1);
}

/* Do all sets pass on the same in this column? */
static bool
is_common(const rollup *r, int column)
{
    nb_expr ***sets = r->expand->u.expand.projections;

    for (int s = 0; s < r->expand->u.expand.n_projections; s++) {
        if (!sets[s][column]->deterministic ||
            !nb_expr_equal_bound(sets[s][column], sets[0][column])) {
            return false;
        }
    }
    return true;
}

static bool
reads_common(const nb_expr *e, const rollup *r)
{
    /* a lambda's parameters are no columns of the sets */
    if (e->kind == NB_EXPR_WINDOW || e->kind == NB_EXPR_LAMBDA || !e->deterministic) {
        return false;
    }
    if (e->kind == NB_EXPR_COLUMN) {
        return is_common(r, e->u.column.ordinal);
    }
    for (int i = 0; i < e->n_args; i++) {
        if (!reads_common(e->args[i], r)) {
            return false;
        }
    }
    return true;
}

/* May the sum of some rows overflow where the sum of more does not? Fewer than 2^32 rows of integers, or of decimals with ten digits to spare, cannot. */
static bool
may_overflow(const nb_expr *agg, const rollup *r)
{
    bool tries = agg->u.agg.fn == nb_aggregate_find(NB_STR("try_sum"));
    const nb_expr *e;

    if (!tries && agg->u.agg.fn != nb_aggregate_find(NB_STR("sum"))) {
        return false;
    }
    if (r->has_finest && !tries) {
        return false; /* the query asks for these groups, too */
    }
    e = agg->args[0];
    while (e->kind == NB_EXPR_CAST && e->type->id == NB_TYPE_INT64) {
        e = e->args[0];
    }
    switch (e->type->id) {
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
    case NB_TYPE_INT32: return false;
    case NB_TYPE_DECIMAL: return e->type->precision > 28;
    default: return true;
    }
}

static bool
may_step(const nb_expr *agg, const rollup *r)
{
    const nb_expr *whole;

    if (agg->kind != NB_EXPR_AGG || nb_agg_phase_of(agg, &whole) != NB_AGG_WHOLE ||
        agg->u.agg.distinct || agg->u.agg.filter ||
        (agg->u.agg.fn->flags & NB_AGG_ORDER_SENSITIVE) || agg->type->id == NB_TYPE_BINARY ||
        (is_float(agg, 0) && agg->u.agg.fn != nb_aggregate_find(NB_STR("avg")))) {
        return false;
    }
    for (int i = 0; i < agg->n_args; i++) {
        if (is_float(agg->args[i], 2) || !reads_common(agg->args[i], r)) {
            return false;
        }
    }
    return !may_overflow(agg, r);
}

/* The number of a key among those by which rows are grouped first. */
static int
key_number(rollup *r, nb_expr *e)
{
    int i = 0;

    while (i < r->n_keys && !nb_expr_equal_bound(r->keys[i], e)) {
        i++;
    }
    if (i == r->n_keys) {
        r->keys[r->n_keys++] = e;
    }
    return i;
}

static bool
applies(rollup *r, const nb_node *top)
{
    nb_expr ***sets = r->expand->u.expand.projections;
    int n_sets = r->expand->u.expand.n_projections;

    for (int k = 0; k < top->u.aggregate.n_keys; k++) {
        const nb_expr *key = top->u.aggregate.keys[k];
        if (key->kind != NB_EXPR_COLUMN) {
            return false;
        }
        for (int s = 0; s < n_sets; s++) {
            nb_expr *e = sets[s][key->u.column.ordinal];
            if (!e->deterministic) {
                return false;
            }
            if (e->kind != NB_EXPR_LITERAL) {
                key_number(r, e);
            }
        }
    }
    for (int s = 0; s < n_sets; s++) {
        bool all = true;

        for (int k = 0; k < top->u.aggregate.n_keys; k++) {
            int column = top->u.aggregate.keys[k]->u.column.ordinal;

            all &= is_common(r, column) || sets[s][column]->kind != NB_EXPR_LITERAL;
        }
        r->has_finest |= all;
    }
    for (int a = 0; a < top->u.aggregate.n_aggs; a++) {
        if (!may_step(top->u.aggregate.aggs[a], r)) {
            return false;
        }
    }
    return r->n_keys > 0 && n_sets > 1;
}

/* Columns of the expand become what they are in all sets. */
static nb_status
below_expand(nb_arena *arena, nb_expr *in, nb_expr **out, void *payload, nb_error *err)
{
    const rollup *r = payload;

    (void)arena;
    (void)err;
    *out =
        in->kind == NB_EXPR_COLUMN ? r->expand->u.expand.projections[0][in->u.column.ordinal] : in;
    return NB_OK;
}

static nb_expr *
column(nb_arena *arena, int i, const nb_type *type)
{
    nb_expr *e = nb_expr_column(arena, (uint64_t)i, NB_STR("state"), type, true);

    if (e) {
        e->u.column.ordinal = i;
    }
    return e;
}

static nb_status
node_over(nb_arena *arena, const nb_node *like, nb_node *child, int *next_id, nb_node **out)
{
    nb_node *n = NB_ARENA_NEW(arena, nb_node);

    if (!n) {
        return NB_NOMEM;
    }
    n->kind = like->kind;
    n->id = (*next_id)++;
    n->n_children = 1;
    n->children = NB_ARENA_ARRAY(arena, nb_node *, 1);
    n->metrics = NB_ARENA_NEW(arena, nb_node_metrics);
    if (!n->children || !n->metrics) {
        return NB_NOMEM;
    }
    n->children[0] = child;
    *out = n;
    return NB_OK;
}

/* Groups by all keys: keys, then states. */
static nb_status
first_step(rollup *r, const nb_node *top, double n_groups, int *next_id, nb_node **out,
           nb_error *err)
{
    int n_aggs = top->u.aggregate.n_aggs;
    nb_field *fields = NB_ARENA_ARRAY(r->arena, nb_field, r->n_keys + n_aggs + 1);
    nb_expr **aggs = NB_ARENA_ARRAY(r->arena, nb_expr *, n_aggs + 1);
    nb_node *n;

    if (!fields || !aggs) {
        return NB_NOMEM;
    }
    NB_TRY(node_over(r->arena, top, r->expand->children[0], next_id, &n));
    for (int k = 0; k < r->n_keys; k++) {
        fields[k] = (nb_field){NB_STR("key"), r->keys[k]->type, true, {"", 0}};
    }
    for (int a = 0; a < n_aggs; a++) {
        nb_expr *whole;
        NB_TRY(nb_expr_rewrite(r->arena, top->u.aggregate.aggs[a], below_expand, r, &whole, err));
        NB_TRY(nb_agg_first_phase(r->arena, whole, &aggs[a]));
        fields[r->n_keys + a] = (nb_field){NB_STR("state"), aggs[a]->type, true, {"", 0}};
    }
    n->est_rows = n_groups;
    n->schema = nb_type_struct(fields, r->n_keys + n_aggs);
    n->u.aggregate.keys = r->keys;
    n->u.aggregate.n_keys = r->n_keys;
    n->u.aggregate.aggs = aggs;
    n->u.aggregate.n_aggs = n_aggs;
    *out = n;
    return n->schema ? nb_node_mark_unread(r->arena, n) : NB_NOMEM;
}

/* The sets of groups: the keys of `top`, then states. */
static nb_status
expand_groups(rollup *r, const nb_node *top, nb_node *groups, int *next_id, nb_node **out)
{
    int n_keys = top->u.aggregate.n_keys, n_aggs = top->u.aggregate.n_aggs;
    int n_sets = r->expand->u.expand.n_projections;
    nb_field *fields = NB_ARENA_ARRAY(r->arena, nb_field, n_keys + n_aggs + 1);
    nb_node *n;

    NB_TRY(node_over(r->arena, r->expand, groups, next_id, &n));
    n->u.expand.n_projections = n_sets;
    n->u.expand.projections = NB_ARENA_ARRAY(r->arena, nb_expr **, n_sets + 1);
    if (!fields || !n->u.expand.projections) {
        return NB_NOMEM;
    }
    for (int s = 0; s < n_sets; s++) {
        nb_expr **row = NB_ARENA_ARRAY(r->arena, nb_expr *, n_keys + n_aggs + 1);
        if (!row) {
            return NB_NOMEM;
        }
        for (int k = 0; k < n_keys; k++) {
            int from = top->u.aggregate.keys[k]->u.column.ordinal;
            nb_expr *e = r->expand->u.expand.projections[s][from];
            row[k] = e->kind == NB_EXPR_LITERAL ? e : column(r->arena, key_number(r, e), e->type);
            fields[k] = r->expand->schema->children[from];
            if (!row[k]) {
                return NB_NOMEM;
            }
        }
        for (int a = 0; a < n_aggs; a++) {
            const nb_field *state = &groups->schema->children[r->n_keys + a];
            row[n_keys + a] = column(r->arena, r->n_keys + a, state->type);
            fields[n_keys + a] = *state;
            if (!row[n_keys + a]) {
                return NB_NOMEM;
            }
        }
        n->u.expand.projections[s] = row;
    }
    n->est_rows = groups->est_rows * n_sets;
    n->schema = nb_type_struct(fields, n_keys + n_aggs);
    *out = n;
    return n->schema ? NB_OK : NB_NOMEM;
}

nb_status
nb_rollup_groups(nb_arena *arena, nb_node *top, double n_groups, int *next_id, nb_error *err)
{
    rollup r = {.arena = arena, .expand = top->children[0]};
    int n_keys = top->u.aggregate.n_keys, n_aggs = top->u.aggregate.n_aggs;
    nb_expr **keys = NB_ARENA_ARRAY(arena, nb_expr *, n_keys + 1);
    nb_expr **aggs = NB_ARENA_ARRAY(arena, nb_expr *, n_aggs + 1);
    nb_node *groups, *expand;

    r.keys =
        NB_ARENA_ARRAY(arena, nb_expr *, (int64_t)n_keys * r.expand->u.expand.n_projections + 1);
    if (!r.keys || !keys || !aggs) {
        return NB_NOMEM;
    }
    if (!applies(&r, top)) {
        return NB_OK;
    }
    NB_TRY(first_step(&r, top, n_groups, next_id, &groups, err));
    NB_TRY(expand_groups(&r, top, groups, next_id, &expand));
    for (int k = 0; k < n_keys; k++) {
        keys[k] = column(arena, k, top->u.aggregate.keys[k]->type);
        if (!keys[k]) {
            return NB_NOMEM;
        }
    }
    for (int a = 0; a < n_aggs; a++) {
        nb_expr *state = column(arena, n_keys + a, nb_type_of(NB_TYPE_BINARY));
        if (!state) {
            return NB_NOMEM;
        }
        NB_TRY(nb_agg_second_phase(arena, top->u.aggregate.aggs[a], state, NULL, &aggs[a]));
    }
    top->children[0] = expand;
    top->u.aggregate.keys = keys;
    top->u.aggregate.aggs = aggs;
    return NB_OK;
}
