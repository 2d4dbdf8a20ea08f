/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sorter.h: sorts more rows than fit into memory.
 *
 *     nb_sorter_new → nb_sorter_add* (any thread) → nb_sorter_source (moves the sorter) → the source's rows in order
 *
 * Chunks that are added become a sorted run on disk; the source merges the runs as it is read, so that a LIMIT, a writer or an aggregate above
 * takes rows one batch at a time. Ties come in the order of their chunks' numbers (nb_chunk.order), as in a sort in memory.
 */
#ifndef NB_EXEC_SORTER_H
#define NB_EXEC_SORTER_H

#include "exec/pipeline.h"
#include "exec/sort_rows.h"

typedef struct nb_sorter nb_sorter;

typedef struct nb_sorter_spec {
    const nb_type *schema;   /* of the chunks */
    const nb_sort_col *cols; /* borrowed, as the two around it */
    int n_cols;
    int n_together; /* rows equal in the first so many columns come from one morsel of the source */
    bool
        by_partition; /* rows of lower partitions come first; batches end where the partition changes */
} nb_sorter_spec;

#define NB_SORTER_ALL_TOGETHER (-1) /* one morsel */

/* Bytes per row that sorting takes besides the rows themselves. */
#define NB_SORTER_ROW_BYTES 40

/* node: metrics; may be NULL. */
nb_status
nb_sorter_new(const nb_exec_ctx *ctx, nb_node *node, const nb_sorter_spec *spec, nb_sorter **out);
void nb_sorter_free(nb_sorter *s); /* NULL is fine */
/* The chunks, in ascending order, all of one thread, are moved (also on failure). */
nb_status nb_sorter_add(nb_sorter *s, nb_chunk **chunks, int n, nb_error *err);
bool nb_sorter_has_runs(nb_sorter *s);
/* Rows [from, to) of the order, with the first columns of the chunks that schema names. The sorter is moved, also on failure. */
nb_status nb_sorter_source(nb_sorter *s, const nb_type *schema, int64_t from, int64_t to,
                           nb_source **out, nb_error *err);

#endif
