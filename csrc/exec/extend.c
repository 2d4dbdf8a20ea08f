/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extend.c: the columns of a batch and further ones, made by expressions: sort keys, arguments of window functions.
 */
#include "exec/operators.h"

typedef struct extend_op {
    nb_operator base;
    nb_expr **exprs;
    int n;
} extend_op;

typedef struct extend_local {
    nb_eval *eval;
    int32_t partition;
    int64_t row; /* rows of the partition so far */
} extend_local;

static nb_status
extend_open_local(nb_operator *op, nb_thread_ctx *t, void **local, nb_error *err)
{
    extend_op *e = (extend_op *)op;
    extend_local *l = NB_ARENA_NEW(nb_thread_memory(t), extend_local);

    if (l == NULL) {
        return NB_NOMEM;
    }
    l->partition = -1;
    NB_TRY(
        nb_eval_new(nb_thread_memory(t), e->exprs, e->n, nb_thread_exec(t)->info, &l->eval, err));
    *local = l;
    return NB_OK;
}

static nb_status
extend_push(nb_operator *op, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    extend_op *e = (extend_op *)op;
    extend_local *l = local;
    nb_batch out;

    if (batch->partition != l->partition) {
        l->partition = batch->partition;
        l->row = 0;
    }
    nb_eval_set_partition(l->eval, l->partition, l->row);
    l->row += batch->n_rows;
    NB_TRY(nb_batch_init(batch->arena, batch->n_cols + e->n, batch->n_rows, &out));
    out.order = batch->order;
    out.partition = batch->partition;
    for (int c = 0; c < batch->n_cols; c++) {
        const nb_vector *v;

        NB_TRY(nb_batch_column(batch, c, &v));
        out.cols[c] = *v;
    }
    for (int i = 0; i < e->n; i++) {
        NB_TRY(nb_eval_run(l->eval, i, batch, &out.cols[batch->n_cols + i], err));
    }
    return nb_emit(t, &out, err);
}

static void
extend_close_local(nb_operator *op, void *local)
{
    (void)op;
    nb_eval_free(((extend_local *)local)->eval);
}

static void
extend_close(nb_operator *op)
{
    (void)op;
}

static const nb_operator_ops EXTEND = {
    .name = "Extend",
    .open_local = extend_open_local,
    .push = extend_push,
    .close_local = extend_close_local,
    .close = extend_close,
};

nb_status
nb_extend_new(nb_run *run, nb_node *node, nb_expr **exprs, int n, nb_operator **out)
{
    extend_op *op = NB_OPERATOR_NEW(run, extend_op, &EXTEND, node);

    if (op == NULL) {
        return NB_NOMEM;
    }
    op->exprs = exprs;
    op->n = n;
    *out = &op->base;
    return NB_OK;
}
