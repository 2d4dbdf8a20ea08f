/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.c: WHERE: sets the batch's selection, copies nothing.
 */
#include "exec/operators.h"

typedef struct filter_op {
    nb_operator base;
} filter_op;

typedef struct filter_local {
    nb_eval *eval;
    int32_t partition;
    int64_t row; /* rows of the partition so far */
} filter_local;

static nb_status
filter_open_local(nb_operator *op, nb_thread_ctx *t, void **local, nb_error *err)
{
    filter_local *l = NB_ARENA_NEW(nb_thread_memory(t), filter_local);

    if (l == NULL) {
        return NB_NOMEM;
    }
    l->partition = -1;
    NB_TRY(nb_eval_new(nb_thread_memory(t), &op->node->u.filter.condition, 1,
                       nb_thread_exec(t)->info, &l->eval, err));
    *local = l;
    return NB_OK;
}

static nb_status
filter_push(nb_operator *op, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    filter_local *l = local;
    const uint32_t *keep;
    int64_t n;

    (void)op;
    if (batch->partition != l->partition) {
        l->partition = batch->partition;
        l->row = 0;
    }
    nb_eval_set_partition(l->eval, l->partition, l->row);
    l->row += batch->n_rows;
    NB_TRY(nb_eval_filter(l->eval, 0, batch, &keep, &n, err));
    if (n == 0) {
        return NB_OK;
    }
    NB_TRY(nb_batch_select(batch, keep, n));
    return nb_emit(t, batch, err);
}

static void
filter_close_local(nb_operator *op, void *local)
{
    (void)op;
    nb_eval_free(((filter_local *)local)->eval);
}

static void
filter_close(nb_operator *op)
{
    (void)op;
}

static const nb_operator_ops FILTER = {
    .name = "Filter",
    .open_local = filter_open_local,
    .push = filter_push,
    .close_local = filter_close_local,
    .close = filter_close,
};

nb_status
nb_filter_new(nb_run *run, nb_node *node, nb_operator **out)
{
    filter_op *op = NB_OPERATOR_NEW(run, filter_op, &FILTER, node);

    if (op == NULL) {
        return NB_NOMEM;
    }
    *out = &op->base;
    return NB_OK;
}
