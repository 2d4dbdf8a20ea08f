/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_rows.h: the order of a table's rows.
 *
 * Rows are numbered from 0 through all chunks. Ties stay in the order of their numbers. Used by ORDER BY, top-N and windows.
 */
#ifndef NB_EXEC_SORT_ROWS_H
#define NB_EXEC_SORT_ROWS_H

#include "exec/exec.h"

typedef struct nb_sort_col {
    int col; /* of the table */
    bool descending, nulls_last;
} nb_sort_col;

/* by_partition: rows of lower partitions (of chunks) come first. *ids: n_rows numbers in the pool, owned by the caller
 * (nb_pool_dealloc with n_rows * 4 bytes); NULL when there are no rows. */
nb_status nb_sort_rows(const nb_exec_ctx *ctx, nb_pool *pool, const nb_table *table,
                       const nb_sort_col *cols, int n_cols, bool by_partition, uint32_t **ids);

/* Finds rows by number. */
typedef struct nb_row_index {
    const nb_table *table;
    int64_t *starts; /* per chunk its first number; one more at the end */
    uint32_t *hints; /* per 4096 numbers the chunk of the first */
} nb_row_index;

nb_status nb_row_index_init(nb_arena *arena, const nb_table *table, nb_row_index *out);

NB_INLINE int
nb_row_chunk(const nb_row_index *x, uint32_t id)
{
    int c = (int)x->hints[id >> 12];

    while (x->starts[c + 1] <= id) {
        c++;
    }
    return c;
}

/* Columns cols[0..n_cols) (NULL: 0..n_cols) of rows ids[0..n), n <= NB_BATCH_ROWS, as flat vectors that borrow strings and lists from
 * the table. */
nb_status nb_rows_gather(const nb_row_index *x, const int *cols, int n_cols, const uint32_t *ids,
                         int64_t n, nb_arena *arena, nb_vector *out);
/* Where a row is: chunk, and number within it. */
typedef struct nb_place {
    uint32_t chunk, row;
} nb_place;

/* The same for rows at[0..n); chunks of the table need not be what its n_rows says. */
nb_status nb_places_gather(const nb_table *table, const int *cols, int n_cols, const nb_place *at,
                           int64_t n, nb_arena *arena, nb_vector *out);
/* <0, 0, >0 for two rows by the columns. */
int
nb_rows_compare(const nb_row_index *x, const nb_sort_col *cols, int n_cols, uint32_t a, uint32_t b);

#endif
