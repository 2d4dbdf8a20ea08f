/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages_aggregate.c: aggregates in tasks.
 *
 * In two steps where their states can travel: groups of a task, then the states of equal keys (aggregate_phase.h).
 *
 * Many groups  when the first step is estimated to leave nearly as many groups as there were rows, it is left out: rows are shuffled by the
 *              keys, and aggregated whole. When it turns out so, the first step lets rows pass (exec/aggregate_pass.c).
 * DISTINCT     with keys: rows are shuffled by the keys, and aggregated whole. Without: rows are shuffled by what is to be distinct, so
 *              that no value is in two tasks; each task makes states of its values, which the driver merges. All DISTINCT aggregates
 *              must have the same arguments for that; else the driver does it all.
 * Files        in order of a key may lie so that no value is in the shares of two tasks: then each task aggregates whole, and nothing is
 *              shuffled.
 * Shared       aggregations that give the same rows (plan/share.h) read the buckets of one stage.
 */
#include "cluster/stages_internal.h"
#include "exec/push_keys.h"
#include "expr/aggregate_phase.h"

#define MANY_GROUPS          0.2
#define MOST_TASKS_LOOKED_AT 256 /* whose shares of a file are asked for */

static nb_expr **
first_columns(nb_cutter *c, const nb_type *schema, int n)
{
    nb_expr **keys = NB_ARENA_ARRAY(c->arena, nb_expr *, n + 1);

    for (int i = 0; keys != NULL && i < n; i++) {
        keys[i] = nb_cut_column(c, schema, i);
        if (keys[i] == NULL) {
            return NULL;
        }
    }
    return keys;
}

/* How the result of a first step looks: keys, what rows are passed with, states. */
typedef struct steps {
    bool passes;
    nb_expr **passed; /* arguments of the aggregates, each once */
    int n_passed;
    int **arg_at; /* per aggregate and argument: its number among those */
} steps;

static bool
may_pass(const nb_node *node)
{
    for (int a = 0; a < node->u.aggregate.n_aggs; a++) {
        if (!nb_agg_takes_rows_late(node->u.aggregate.aggs[a])) {
            return false;
        }
    }
    return node->u.aggregate.n_keys > 0;
}

static nb_status
plan_steps(nb_cutter *c, const nb_node *node, steps *out)
{
    int n_aggs = node->u.aggregate.n_aggs, n = 0;

    *out = (steps){.passes = may_pass(node)};
    for (int a = 0; a < n_aggs; a++) {
        n += node->u.aggregate.aggs[a]->n_args;
    }
    out->passed = NB_ARENA_ARRAY(c->arena, nb_expr *, n + 1);
    out->arg_at = NB_ARENA_ARRAY(c->arena, int *, n_aggs + 1);
    if (out->passed == NULL || out->arg_at == NULL) {
        return NB_NOMEM;
    }
    for (int a = 0; a < n_aggs && out->passes; a++) {
        const nb_expr *agg = node->u.aggregate.aggs[a];

        out->arg_at[a] = NB_ARENA_ARRAY(c->arena, int, agg->n_args + 1);
        if (out->arg_at[a] == NULL) {
            return NB_NOMEM;
        }
        for (int k = 0; k < agg->n_args; k++) {
            int at = 0;

            while (at < out->n_passed && !nb_expr_equal(out->passed[at], agg->args[k])) {
                at++;
            }
            out->arg_at[a][k] = at;
            if (at == out->n_passed) {
                out->passed[out->n_passed++] = agg->args[k];
            }
        }
    }
    return NB_OK;
}

/* Groups and states of one task. */
static nb_status
first_step(nb_cutter *c, const nb_node *node, const steps *how, nb_node **out)
{
    int n_keys = node->u.aggregate.n_keys, n_aggs = node->u.aggregate.n_aggs;
    int at = n_keys + how->n_passed;
    nb_field *fields = NB_ARENA_ARRAY(c->arena, nb_field, at + n_aggs + 1);
    nb_expr **aggs = NB_ARENA_ARRAY(c->arena, nb_expr *, n_aggs + 1);
    nb_node *first = nb_cut_node_over(c, node, NULL, NULL);

    if (fields == NULL || aggs == NULL || first == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_keys; i++) {
        fields[i] = node->schema->children[i];
    }
    for (int i = 0; i < how->n_passed; i++) {
        fields[n_keys + i] =
            (nb_field){.name = NB_STR("argument"), .type = how->passed[i]->type, .nullable = true};
    }
    for (int i = 0; i < n_aggs; i++) {
        NB_TRY(nb_agg_first_phase(c->arena, node->u.aggregate.aggs[i], &aggs[i]));
        fields[at + i] =
            (nb_field){.name = NB_STR("state"), .type = aggs[i]->type, .nullable = how->passes};
    }
    first->schema = nb_type_struct(fields, at + n_aggs);
    first->u.aggregate.aggs = aggs;
    first->u.aggregate.passes = how->passes;
    first->u.aggregate.passed = how->passed;
    first->u.aggregate.n_passed = how->n_passed;
    first->metrics = NB_ARENA_NEW(c->arena, nb_node_metrics);
    *out = first;
    return first->schema && first->metrics ? NB_OK : NB_NOMEM;
}

/* The columns of `below` that an aggregate's arguments are passed in; *out NULL: nothing is passed. */
static nb_status
passed_columns(nb_cutter *c, const nb_node *node, const steps *how, int agg, const nb_node *below,
               nb_expr ***out)
{
    int n = node->u.aggregate.aggs[agg]->n_args;

    *out = how->passes ? NB_ARENA_ARRAY(c->arena, nb_expr *, n + 1) : NULL;
    for (int k = 0; *out != NULL && k < n; k++) {
        (*out)[k] = nb_cut_column(c, below->schema, node->u.aggregate.n_keys + how->arg_at[agg][k]);
        if ((*out)[k] == NULL) {
            return NB_NOMEM;
        }
    }
    return how->passes && *out == NULL ? NB_NOMEM : NB_OK;
}

/* Merges the states that the columns of `below` hold, and rows that have passed. Groups arrive in the order of their hashes, which would fill a
 * growing table by linear probing from one end, in quadratic time: the table hashes them in another way. */
static nb_status
second_step(nb_cutter *c, const nb_node *node, const steps *how, nb_node *below, nb_node **out)
{
    int n_keys = node->u.aggregate.n_keys, n_aggs = node->u.aggregate.n_aggs;
    nb_node *second = nb_cut_node_over(c, node, below, NULL);
    nb_expr **aggs = NB_ARENA_ARRAY(c->arena, nb_expr *, n_aggs + 1);

    if (second == NULL || aggs == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_aggs; i++) {
        nb_expr *states = nb_cut_column(c, below->schema, n_keys + how->n_passed + i), **rows;

        if (states == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(passed_columns(c, node, how, i, below, &rows));
        NB_TRY(nb_agg_second_phase(c->arena, node->u.aggregate.aggs[i], states, rows, &aggs[i]));
    }
    second->u.aggregate.keys = first_columns(c, below->schema, n_keys);
    second->u.aggregate.aggs = aggs;
    second->u.aggregate.rehash = true;
    *out = second;
    return second->u.aggregate.keys ? NB_OK : NB_NOMEM;
}

/* The DISTINCT aggregate whose arguments all others of that kind have too; NULL: there is none, or another. */
static const nb_expr *
only_distinct(nb_expr *const *aggs, int n)
{
    const nb_expr *first = NULL;

    for (int i = 0; i < n; i++) {
        if (!aggs[i]->u.agg.distinct) {
            continue;
        }
        if (first == NULL) {
            first = aggs[i];
        }
        if (aggs[i]->n_args == 0 || aggs[i]->n_args != first->n_args) {
            return NULL;
        }
        for (int k = 0; k < first->n_args; k++) {
            if (!nb_expr_equal(aggs[i]->args[k], first->args[k])) {
                return NULL;
            }
        }
    }
    return first;
}

/* Is the first step not worth its while? Each task may meet every group. */
static bool
groups_are_many(const nb_node *node, const nb_piece *child)
{
    double rows = node->children[0]->est_rows, groups = node->est_rows;
    int n_tasks = 0;

    for (int i = 0; i < child->n; i++) {
        n_tasks += child->branches[i].n_tasks;
    }
    return rows > 0 && groups > 0 && groups * n_tasks > rows * MANY_GROUPS;
}

/* An aggregation that others are equal to, and the piece that it has become. */
typedef struct shared_piece {
    int share;
    nb_piece piece;
} shared_piece;

/* The piece of an equal aggregation: its node over the same buckets. */
static nb_status
cut_again(nb_cutter *c, const nb_node *node, nb_piece *out, bool *done)
{
    *done = false;
    for (size_t i = 0; i < c->shared.n && node->u.aggregate.share > 0; i++) {
        const shared_piece *s = c->shared.items[i];

        if (s->share == node->u.aggregate.share) {
            const nb_node *first = s->piece.branches[0].node;
            nb_node *read = nb_cut_node_over(c, first->children[0], NULL, NULL), *again;

            again = read ? nb_cut_node_over(c, first, read, NULL) : NULL;
            if (again == NULL) {
                return NB_NOMEM;
            }
            again->id = node->id;
            again->schema = node->schema;
            again->metrics = node->metrics;
            *done = true;
            return nb_cut_spread(c, again, s->piece.branches[0].n_tasks, false, out);
        }
    }
    return NB_OK;
}

static nb_status
keep_shared(nb_cutter *c, const nb_node *node, const nb_piece *piece)
{
    shared_piece *s;

    if (node->u.aggregate.share <= 0) {
        return NB_OK;
    }
    s = NB_ARENA_NEW(c->arena, shared_piece);
    if (s == NULL) {
        return NB_NOMEM;
    }
    *s = (shared_piece){node->u.aggregate.share, *piece};
    return nb_pointers_add(c->arena, &c->shared, s);
}

/* The scan and the column of its relation that column `at` of a branch's rows comes from; NULL: they come from elsewhere. */
static const nb_node *
scan_of(const nb_node *node, int *at)
{
    while (node != NULL && node->kind != NB_NODE_SCAN) {
        node = nb_push_follow(node, at);
    }
    if (node != NULL) {
        *at = node->u.scan.columns[*at];
    }
    return node;
}

/* Does each task have all rows of the groups that it has rows of? */
static nb_status
groups_are_apart(nb_cutter *c, const nb_node *node, const nb_piece *child, bool *out, nb_error *err)
{
    const nb_piece_branch *b = &child->branches[0];
    nb_pool *pool;
    nb_status st = NB_OK;

    *out = false;
    if (child->n != 1 || b->whole || b->n_tasks > MOST_TASKS_LOOKED_AT) {
        return NB_OK;
    }
    pool = nb_pool_new(NULL, "shares", 0);
    if (pool == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < node->u.aggregate.n_keys && st == NB_OK && !*out; k++) {
        const nb_expr *key = node->u.aggregate.keys[k];
        int at = key->kind == NB_EXPR_COLUMN ? key->u.column.ordinal : -1;
        const nb_node *scan = at >= 0 ? scan_of(b->node, &at) : NULL;

        if (scan != NULL) {
            st = nb_relation_shares_apart(scan->u.scan.relation, pool, c->info, at, b->n_tasks,
                                          c->options->file_threads, out, err);
        }
    }
    nb_pool_free(pool);
    return st;
}

nb_status
nb_cut_keys_once(nb_cutter *c, nb_piece *p, nb_expr ***keys, int n)
{
    const nb_node *below = p->branches[0].node;
    nb_field *fields = NB_ARENA_ARRAY(c->arena, nb_field, n + 1);
    nb_node *groups;

    for (int k = 0; fields != NULL && k < n; k++) {
        fields[k] = (nb_field){
            .name = NB_STR("key"), .type = (*keys)[k]->type, .nullable = (*keys)[k]->nullable};
    }
    groups = fields ? nb_cut_node(c, NB_NODE_AGGREGATE, nb_type_struct(fields, n), 1) : NULL;
    if (groups == NULL || groups->schema == NULL) {
        return NB_NOMEM;
    }
    groups->est_rows = below->est_rows;
    groups->u.aggregate.keys = *keys;
    groups->u.aggregate.n_keys = n;
    groups->u.aggregate.passes = true;
    *keys = first_columns(c, groups->schema, n);
    return *keys ? nb_cut_onto_branches(c, groups, p, p) : NB_NOMEM;
}

nb_status
nb_cut_aggregate(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err)
{
    int n_keys = node->u.aggregate.n_keys, n_aggs = node->u.aggregate.n_aggs, n_buckets;
    nb_expr **keys = node->u.aggregate.keys, **aggs = node->u.aggregate.aggs;
    const nb_expr *by = only_distinct(aggs, n_aggs);
    bool distinct = false, done, apart;
    nb_node *first, *second, *read;
    nb_piece child;
    steps how;

    NB_TRY(cut_again(c, node, out, &done));
    if (done) {
        return NB_OK;
    }
    NB_TRY(nb_cut(c, node->children[0], &child, err));
    for (int i = 0; i < n_aggs; i++) {
        distinct |= aggs[i]->u.agg.distinct;
    }
    if (child.local != NULL || !nb_cut_deterministic(keys, n_keys) ||
        !nb_cut_deterministic(aggs, n_aggs) || !nb_cut_all_travel(c, keys, n_keys) ||
        !nb_cut_all_travel(c, aggs, n_aggs) || (distinct && n_keys == 0 && by == NULL)) {
        return nb_cut_keep_local(c, node, &child, out);
    }
    NB_TRY(groups_are_apart(c, node, &child, &apart, err));
    if (apart) {
        NB_TRY(nb_cut_onto_branches(c, node, &child, out));
        out->branches[0].aligned = false;
        return NB_OK;
    }
    if (distinct || (n_keys > 0 && groups_are_many(node, &child))) {
        n_buckets = nb_cut_buckets(c, nb_cut_bytes(node->children[0]));
        NB_TRY(nb_cut_shuffled(c, &child, n_keys > 0 ? keys : by->args,
                               n_keys > 0 ? n_keys : by->n_args, n_buckets, &read));
        if (n_keys > 0) {
            second = nb_cut_node_over(c, node, read, NULL);
            if (second == NULL) {
                return NB_NOMEM;
            }
            NB_TRY(nb_cut_spread(c, second, n_buckets, false, out));
            return keep_shared(c, node, out);
        }
        NB_TRY(nb_cut_spread(c, read, n_buckets, false, &child));
    }
    NB_TRY(plan_steps(c, node, &how));
    NB_TRY(first_step(c, node, &how, &first));
    NB_TRY(nb_cut_onto_branches(c, first, &child, &child));
    if (n_keys == 0) {
        NB_TRY(nb_cut_to_driver(c, &child));
        NB_TRY(second_step(c, node, &how, child.local, &second));
        *out = (nb_piece){.local = second};
        return NB_OK;
    }
    keys = first_columns(c, first->schema, n_keys);
    if (keys == NULL) {
        return NB_NOMEM;
    }
    n_buckets = nb_cut_buckets(c, nb_cut_bytes(node));
    NB_TRY(nb_cut_shuffled(c, &child, keys, n_keys, n_buckets, &read));
    NB_TRY(second_step(c, node, &how, read, &second));
    NB_TRY(nb_cut_spread(c, second, n_buckets, false, out));
    return keep_shared(c, node, out);
}
