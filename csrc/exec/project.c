/* SPDX-License-Identifier: Apache-2.0 */
/*
 * project.c: SELECT: one expression per column.
 */
#include "exec/operators.h"

typedef struct project_op {
    nb_operator base;
    int n;
} project_op;

typedef struct project_local {
    nb_eval *eval;
    int32_t partition;
    int64_t row; /* rows of the partition so far */
} project_local;

static nb_status
project_open_local(nb_operator *op, nb_thread_ctx *t, void **local, nb_error *err)
{
    project_op *p = (project_op *)op;
    project_local *l = NB_ARENA_NEW(nb_thread_memory(t), project_local);

    if (l == NULL) {
        return NB_NOMEM;
    }
    l->partition = -1;
    NB_TRY(nb_eval_new(nb_thread_memory(t), op->node->u.project.exprs, p->n,
                       nb_thread_exec(t)->info, &l->eval, err));
    *local = l;
    return NB_OK;
}

static nb_status
project_push(nb_operator *op, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    project_op *p = (project_op *)op;
    project_local *l = local;
    nb_batch out;

    if (batch->partition != l->partition) {
        l->partition = batch->partition;
        l->row = 0;
    }
    nb_eval_set_partition(l->eval, l->partition, l->row);
    l->row += batch->n_rows;
    NB_TRY(nb_batch_init(batch->arena, p->n, batch->n_rows, &out));
    out.order = batch->order;
    out.partition = batch->partition;
    for (int i = 0; i < p->n; i++) {
        NB_TRY(nb_eval_run(l->eval, i, batch, &out.cols[i], err));
    }
    return nb_emit(t, &out, err);
}

static void
project_close_local(nb_operator *op, void *local)
{
    (void)op;
    nb_eval_free(((project_local *)local)->eval);
}

static void
project_close(nb_operator *op)
{
    (void)op;
}

static const nb_operator_ops PROJECT = {
    .name = "Project",
    .open_local = project_open_local,
    .push = project_push,
    .close_local = project_close_local,
    .close = project_close,
};

nb_status
nb_project_new(nb_run *run, nb_node *node, nb_operator **out)
{
    project_op *op = NB_OPERATOR_NEW(run, project_op, &PROJECT, node);

    if (op == NULL) {
        return NB_NOMEM;
    }
    op->n = node->schema->n_children;
    *out = &op->base;
    return NB_OK;
}
