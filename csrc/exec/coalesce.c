/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coalesce.c: df.coalesce(n): neighbouring partitions become one; only numbers change.
 *
 * Spark    partition g of n takes the partitions [g * before / n, (g + 1) * before / n).
 */
#include "exec/operators.h"

typedef struct coalesce_op {
    nb_operator base;
    int before, after;
} coalesce_op;

static nb_status
coalesce_push(nb_operator *op, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    coalesce_op *c = (coalesce_op *)op;
    int64_t p = NB_MIN(batch->partition, c->before - 1);

    (void)local;
    /* the last group that begins at or before p */
    batch->partition = (int32_t)(((p + 1) * c->after - 1) / c->before);
    return nb_emit(t, batch, err);
}

static void
coalesce_close(nb_operator *op)
{
    (void)op;
}

static const nb_operator_ops COALESCE = {
    .name = "Coalesce",
    .push = coalesce_push,
    .close = coalesce_close,
};

nb_status
nb_coalesce_new(nb_run *run, nb_node *node, int before, int after, nb_operator **out)
{
    coalesce_op *op = NB_OPERATOR_NEW(run, coalesce_op, &COALESCE, node);

    if (op == NULL) {
        return NB_NOMEM;
    }
    op->before = before;
    op->after = after;
    *out = &op->base;
    return NB_OK;
}
