/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate_pass.c: the first step of an aggregate that lets rows pass when its groups hardly repeat.
 *
 * A task groups its rows so that fewer go to other tasks. When nearly every row has made a group of its own, that is work in vain: from
 * then on keys and arguments go straight to the exchange, and the second step makes aggregates of them as of any rows. The groups that
 * there are by then go the usual way at the end.
 *
 *   result   | keys | arguments | states |     groups have no arguments, rows no states: constant nulls, which do not travel (put.c)
 *
 * Threads  one; build.c names an exchange only then.
 */
#include "exec/hash_aggregate_internal.h"
#include "exec/pipeline.h"

#define COUNT_AFTER \
    ((int64_t)1 << 16)   /* rows; a table of so many groups has just left the caches */
#define MOST_GROUPS 0.75 /* of the rows since the last count may be new ones */

nb_status
nb_agg_pass_new(nb_run *run, aggregate_op *op)
{
    nb_node *node = op->base.node;

    return node->u.aggregate.passes && node->u.aggregate.put != NULL
               ? nb_put_new(run, node->u.aggregate.put, true, &op->pass.put)
               : NB_OK;
}

nb_status
nb_agg_pass_open(aggregate_op *op, nb_error *err)
{
    const nb_node *node = op->base.node;
    int n = node->u.aggregate.n_passed;
    nb_expr **exprs;

    if (op->pass.put == NULL) {
        return NB_OK;
    }
    exprs = NB_ARENA_ARRAY(op->arena, nb_expr *, op->n_exprs + n + 1);
    if (exprs == NULL) {
        return NB_NOMEM;
    }
    memcpy(exprs, op->exprs, sizeof(*exprs) * (size_t)op->n_exprs);
    op->pass.first = op->n_exprs;
    for (int i = 0; i < n; i++) {
        exprs[op->n_exprs++] = node->u.aggregate.passed[i];
    }
    op->exprs = exprs;
    return op->pass.put->ops->open_global(op->pass.put, op->ctx, err);
}

nb_status
nb_agg_pass_open_local(const aggregate_op *op, nb_thread_ctx *t, agg_pass_local *l, nb_error *err)
{
    return op->pass.put ? op->pass.put->ops->open_local(op->pass.put, t, &l->put, err) : NB_OK;
}

void
nb_agg_pass_count(const aggregate_op *op, agg_pass_local *l, uint32_t n_groups, int64_t n_rows)
{
    if (op->pass.put == NULL || op->ranges != NULL) { /* those leave with their morsels */
        return;
    }
    l->rows += n_rows;
    if (l->rows >= COUNT_AFTER || op->ctx->force_spill) { /* tests have few rows */
        uint32_t fewer = NB_MIN(l->groups, n_groups);     /* the table may have been spilled */

        l->on = (double)(n_groups - fewer) > MOST_GROUPS * (double)l->rows;
        l->rows = 0;
        l->groups = n_groups;
    }
}

nb_status
nb_agg_pass_push(const aggregate_op *op, agg_pass_local *l, nb_eval *eval, nb_thread_ctx *t,
                 const nb_vector *keys, nb_batch *batch, nb_error *err)
{
    const nb_node *node = op->base.node;
    int at = op->n_keys + node->u.aggregate.n_passed;
    int64_t n = batch->n_rows;
    nb_batch out;

    NB_TRY(nb_batch_init(batch->arena, at + op->n_aggs, n, &out));
    for (int k = 0; k < op->n_keys; k++) {
        out.cols[k] = keys[k];
    }
    for (int i = 0; i < node->u.aggregate.n_passed; i++) {
        NB_TRY(nb_eval_run(eval, op->pass.first + i, batch, &out.cols[op->n_keys + i], err));
    }
    for (int a = 0; a < op->n_aggs; a++) {
        NB_TRY(nb_vector_const_null(batch->arena, op->aggs[a].expr->type, n, &out.cols[at + a]));
    }
    out.order = batch->order;
    out.partition = batch->partition;
    atomic_fetch_add(&node->metrics->rows_out, n);
    return op->pass.put->ops->push(op->pass.put, l->put, t, &out, err);
}

nb_status
nb_agg_pass_finalize(const aggregate_op *op, nb_error *err)
{
    return op->pass.put ? op->pass.put->ops->finalize(op->pass.put, op->ctx, err) : NB_OK;
}

void
nb_agg_pass_close_local(const aggregate_op *op, agg_pass_local *l)
{
    if (l->put != NULL) {
        op->pass.put->ops->close_local(op->pass.put, l->put);
    }
}

void
nb_agg_pass_close(aggregate_op *op)
{
    if (op->pass.put != NULL) {
        op->pass.put->ops->close(op->pass.put);
    }
}
