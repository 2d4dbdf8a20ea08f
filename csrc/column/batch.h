/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h: up to NB_BATCH_ROWS rows that travel through a pipeline together.
 *
 * A filter does not copy columns: it sets `sel`, the surviving rows. Whoever reads a column calls nb_batch_column, which gathers the
 * survivors once per column, at the first use, into the thread's scratch arena: so a column nobody reads after a selective filter is
 * never touched, and kernels always see dense vectors of n_rows rows.
 *
 *   n_rows   rows that count (after the selection)
 *   sel      NULL, or n_rows ascending row numbers into cols; dense[i] caches the gathered column
 */
#ifndef NB_COLUMN_BATCH_H
#define NB_COLUMN_BATCH_H

#include "column/vector.h"

typedef struct nb_batch {
    int32_t n_rows;
    int32_t n_cols;
    nb_vector *cols; /* as the source gave them; all of the same length (n_base rows) */
    int32_t n_base;  /* rows in cols */
    const uint32_t *sel;
    nb_vector **dense; /* n_cols, or NULL while sel is NULL */
    nb_arena *arena;   /* scratch of the running thread */
    uint64_t order;    /* number of the morsel: sinks that keep order sort by (order, arrival) */
    int32_t partition; /* Spark partition that the rows belong to */
} nb_batch;

/* Room for n_cols columns (zeroed) and n_rows rows, no selection. */
nb_status nb_batch_init(nb_arena *arena, int n_cols, int64_t n_rows, nb_batch *out);
/* Column i with the selection applied. *out is borrowed from the batch. */
nb_status nb_batch_column(nb_batch *batch, int i, const nb_vector **out);
/* Keeps rows keep[0..n) (row numbers in 0..n_rows, ascending). The array must live in the batch's arena. */
nb_status nb_batch_select(nb_batch *batch, const uint32_t *keep, int64_t n);
/* A batch of the same columns restricted to rows keep[0..n): for evaluating one branch of a CASE. The original is unchanged. */
nb_status nb_batch_view(nb_batch *batch, const uint32_t *keep, int64_t n, nb_batch *out);
/* Applies the selection to all columns. */
nb_status nb_batch_flatten_selection(nb_batch *batch);

#endif
