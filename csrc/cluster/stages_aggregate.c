/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages_aggregate.c: aggregates in tasks.
 *
 * In two steps where their states can travel: groups of a task, then the states of equal keys (aggregate_phase.h).
 *
 * Many groups  when the first step would leave nearly as many groups as there were rows, it is left out: rows are shuffled by the keys, and
 *              aggregated whole.
 * DISTINCT     with keys: rows are shuffled by the keys, and aggregated whole. Without: rows are shuffled by what is to be distinct, so
 *              that no value is in two tasks; each task makes states of its values, which the driver merges. All DISTINCT aggregates
 *              must have the same arguments for that; else the driver does it all.
 */
#include "cluster/stages_internal.h"
#include "expr/aggregate_phase.h"

#define MANY_GROUPS 0.2

/* Groups and states of one task. */
static nb_status
first_step(nb_cutter *c, const nb_node *node, nb_node **out)
{
    int n_keys = node->u.aggregate.n_keys, n_aggs = node->u.aggregate.n_aggs;
    nb_field *fields = NB_ARENA_ARRAY(c->arena, nb_field, n_keys + n_aggs + 1);
    nb_expr **aggs = NB_ARENA_ARRAY(c->arena, nb_expr *, n_aggs + 1);
    nb_node *first = nb_cut_node_over(c, node, NULL, NULL);

    if (fields == NULL || aggs == NULL || first == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_keys; i++) {
        fields[i] = node->schema->children[i];
    }
    for (int i = 0; i < n_aggs; i++) {
        NB_TRY(nb_agg_first_phase(c->arena, node->u.aggregate.aggs[i], &aggs[i]));
        fields[n_keys + i] =
            (nb_field){.name = NB_STR("state"), .type = aggs[i]->type, .nullable = false};
    }
    first->schema = nb_type_struct(fields, n_keys + n_aggs);
    first->u.aggregate.aggs = aggs;
    first->metrics = NB_ARENA_NEW(c->arena, nb_node_metrics);
    *out = first;
    return first->schema && first->metrics ? NB_OK : NB_NOMEM;
}

/* Merges the states that the columns of `below` hold. Groups arrive in the order of their hashes, which fills a growing table by linear
 * probing from one end, in quadratic time; a constant as a further key gives them other hashes. */
static nb_status
second_step(nb_cutter *c, const nb_node *node, nb_node *below, nb_node **out)
{
    int n_keys = node->u.aggregate.n_keys, n_aggs = node->u.aggregate.n_aggs;
    int n_extra = n_keys > 0, n = n_keys + n_aggs;
    nb_node *second = nb_cut_node_over(c, node, below, NULL), *project;
    nb_expr **keys = NB_ARENA_ARRAY(c->arena, nb_expr *, n_keys + 2);
    nb_expr **aggs = NB_ARENA_ARRAY(c->arena, nb_expr *, n_aggs + 1);
    nb_field *fields = NB_ARENA_ARRAY(c->arena, nb_field, n + 2);

    if (second == NULL || keys == NULL || aggs == NULL || fields == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_keys; i++) {
        keys[i] = nb_cut_column(c, below->schema, i);
        if (keys[i] == NULL) {
            return NB_NOMEM;
        }
        fields[i] = node->schema->children[i];
    }
    if (n_extra) {
        keys[n_keys] = nb_expr_int32(c->arena, 1);
        if (keys[n_keys] == NULL) {
            return NB_NOMEM;
        }
        fields[n_keys] = (nb_field){.name = NB_STR("extra"), .type = keys[n_keys]->type};
    }
    for (int i = 0; i < n_aggs; i++) {
        nb_expr *states = nb_cut_column(c, below->schema, n_keys + i);

        if (states == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_agg_second_phase(c->arena, node->u.aggregate.aggs[i], states, &aggs[i]));
        fields[n_keys + n_extra + i] = node->schema->children[n_keys + i];
    }
    second->u.aggregate.keys = keys;
    second->u.aggregate.n_keys = n_keys + n_extra;
    second->u.aggregate.aggs = aggs;
    *out = second;
    if (!n_extra) {
        return NB_OK;
    }
    second->schema = nb_type_struct(fields, n + 1);
    project = nb_cut_node(c, NB_NODE_PROJECT, node->schema, 1);
    if (second->schema == NULL || project == NULL) {
        return NB_NOMEM;
    }
    project->est_rows = node->est_rows;
    project->children[0] = second;
    project->u.project.exprs = NB_ARENA_ARRAY(c->arena, nb_expr *, n + 1);
    if (project->u.project.exprs == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        nb_expr *e = nb_cut_column(c, second->schema, i < n_keys ? i : i + 1);

        if (e == NULL) {
            return NB_NOMEM;
        }
        project->u.project.exprs[i] = e;
    }
    *out = project;
    return NB_OK;
}

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

nb_status
nb_cut_aggregate(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err)
{
    int n_keys = node->u.aggregate.n_keys, n_aggs = node->u.aggregate.n_aggs, n_buckets;
    nb_expr **keys = node->u.aggregate.keys, **aggs = node->u.aggregate.aggs;
    const nb_expr *by = only_distinct(aggs, n_aggs);
    bool distinct = false;
    nb_node *first, *second, *read;
    nb_piece child;

    NB_TRY(nb_cut(c, node->children[0], &child, err));
    for (int i = 0; i < n_aggs; i++) {
        distinct |= aggs[i]->u.agg.distinct;
    }
    if (child.local != NULL || !nb_cut_deterministic(keys, n_keys) ||
        !nb_cut_deterministic(aggs, n_aggs) || !nb_cut_all_travel(c, keys, n_keys) ||
        !nb_cut_all_travel(c, aggs, n_aggs) || (distinct && n_keys == 0 && by == NULL)) {
        return nb_cut_keep_local(c, node, &child, out);
    }
    if (distinct || (n_keys > 0 && groups_are_many(node, &child))) {
        n_buckets = nb_cut_buckets(c, nb_cut_bytes(node->children[0]));
        NB_TRY(nb_cut_shuffled(c, &child, n_keys > 0 ? keys : by->args,
                               n_keys > 0 ? n_keys : by->n_args, n_buckets, &read));
        if (n_keys > 0) {
            second = nb_cut_node_over(c, node, read, NULL);
            return second ? nb_cut_spread(c, second, n_buckets, false, out) : NB_NOMEM;
        }
        NB_TRY(nb_cut_spread(c, read, n_buckets, false, &child));
    }
    NB_TRY(first_step(c, node, &first));
    NB_TRY(nb_cut_onto_branches(c, first, &child, &child));
    if (n_keys == 0) {
        NB_TRY(nb_cut_to_driver(c, &child));
        NB_TRY(second_step(c, node, child.local, &second));
        *out = (nb_piece){.local = second};
        return NB_OK;
    }
    keys = first_columns(c, first->schema, n_keys);
    if (keys == NULL) {
        return NB_NOMEM;
    }
    n_buckets = nb_cut_buckets(c, nb_cut_bytes(node));
    NB_TRY(nb_cut_shuffled(c, &child, keys, n_keys, n_buckets, &read));
    NB_TRY(second_step(c, node, read, &second));
    return nb_cut_spread(c, second, n_buckets, false, out);
}
