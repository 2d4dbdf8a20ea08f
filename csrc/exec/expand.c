/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expand.c: each row n times, through n projections: rollup, cube, grouping sets, unpivot.
 */
#include "exec/interleave.h"
#include "exec/operators.h"

typedef struct expand_local {
    nb_eval *eval; /* all projections, one after the other */
} expand_local;

static nb_status
expand_open_local(nb_operator *op, nb_thread_ctx *t, void **local, nb_error *err)
{
    nb_arena *memory = nb_thread_memory(t);
    int n_cols = op->node->schema->n_children, n = op->node->u.expand.n_projections;
    expand_local *l = NB_ARENA_NEW(memory, expand_local);
    nb_expr **exprs = NB_ARENA_ARRAY(memory, nb_expr *, n * n_cols);

    if (l == NULL || exprs == NULL) {
        return NB_NOMEM;
    }
    for (int p = 0; p < n; p++) {
        for (int c = 0; c < n_cols; c++) {
            exprs[p * n_cols + c] = op->node->u.expand.projections[p][c];
        }
    }
    NB_TRY(nb_eval_new(memory, exprs, n * n_cols, nb_thread_exec(t)->info, &l->eval, err));
    *local = l;
    return NB_OK;
}

static nb_status
expand_push(nb_operator *op, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    expand_local *l = local;
    int n_cols = op->node->schema->n_children, n = op->node->u.expand.n_projections;
    nb_vector *parts = NB_ARENA_ARRAY(batch->arena, nb_vector, n * n_cols);

    if (parts == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n * n_cols; i++) {
        NB_TRY(nb_eval_run(l->eval, i, batch, &parts[i], err));
    }
    return nb_emit_interleaved(t, batch, NULL, 0, parts, n, n_cols, batch->n_rows, err);
}

static void
expand_close_local(nb_operator *op, void *local)
{
    (void)op;
    nb_eval_free(((expand_local *)local)->eval);
}

static void
expand_close(nb_operator *op)
{
    (void)op;
}

static const nb_operator_ops EXPAND = {
    .name = "Expand",
    .open_local = expand_open_local,
    .push = expand_push,
    .close_local = expand_close_local,
    .close = expand_close,
};

nb_status
nb_expand_new(nb_run *run, nb_node *node, nb_operator **out)
{
    *out = NB_OPERATOR_NEW(run, nb_operator, &EXPAND, node);
    return *out ? NB_OK : NB_NOMEM;
}
