/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.c: batches, and columns gathered late.
 */
#include "column/batch.h"

nb_status
nb_batch_init(nb_arena *arena, int n_cols, int64_t n_rows, nb_batch *out)
{
    nb_vector *cols = nb_arena_zalloc(arena, (size_t)n_cols * sizeof(*cols));

    if (cols == NULL) {
        return NB_NOMEM;
    }
    *out = (nb_batch){.n_rows = (int32_t)n_rows,
                      .n_cols = n_cols,
                      .cols = cols,
                      .n_base = (int32_t)n_rows,
                      .arena = arena};
    return NB_OK;
}

nb_status
nb_batch_column(nb_batch *batch, int i, const nb_vector **out)
{
    if (batch->sel == NULL) {
        *out = &batch->cols[i];
        return NB_OK;
    }
    if (batch->dense[i] == NULL) {
        nb_vector *v = nb_arena_alloc(batch->arena, sizeof(*v));
        if (v == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_vector_gather(batch->arena, &batch->cols[i], batch->sel, batch->n_rows, v));
        batch->dense[i] = v;
    }
    *out = batch->dense[i];
    return NB_OK;
}

static nb_status
set_selection(nb_batch *batch, const uint32_t *keep, int64_t n)
{
    const uint32_t *sel = keep;
    nb_vector **dense;

    if (batch->sel != NULL) {
        uint32_t *through = NB_ARENA_ARRAY(batch->arena, uint32_t, n);
        if (through == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < n; i++) {
            through[i] = batch->sel[keep[i]];
        }
        sel = through;
    }
    dense = nb_arena_zalloc(batch->arena, (size_t)batch->n_cols * sizeof(*dense));
    if (dense == NULL) {
        return NB_NOMEM;
    }
    batch->sel = sel;
    batch->dense = dense;
    batch->n_rows = (int32_t)n;
    return NB_OK;
}

nb_status
nb_batch_select(nb_batch *batch, const uint32_t *keep, int64_t n)
{
    /* ascending row numbers: as many as there are means all of them */
    return n == batch->n_rows ? NB_OK : set_selection(batch, keep, n);
}

nb_status
nb_batch_view(nb_batch *batch, const uint32_t *keep, int64_t n, nb_batch *out)
{
    nb_batch view = *batch;

    NB_TRY(nb_batch_select(&view, keep, n));
    *out = view;
    return NB_OK;
}

nb_status
nb_batch_flatten_selection(nb_batch *batch)
{
    nb_vector *cols;

    if (batch->sel == NULL) {
        return NB_OK;
    }
    cols = NB_ARENA_ARRAY(batch->arena, nb_vector, batch->n_cols);
    if (cols == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < batch->n_cols; i++) {
        const nb_vector *v;
        NB_TRY(nb_batch_column(batch, i, &v));
        cols[i] = *v;
    }
    batch->cols = cols;
    batch->n_base = batch->n_rows;
    batch->sel = NULL;
    batch->dense = NULL;
    return NB_OK;
}
