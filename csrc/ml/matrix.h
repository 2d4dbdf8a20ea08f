/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matrix.h: the rows that an estimator learns from, as one block of doubles in tiles.
 *
 * A tile is 8 rows, feature by feature, so that one vector register holds one feature of 8 rows and a pass reads memory from front to
 * back:
 *
 *     data:  | f0: row 0..7 | f1: row 0..7 | … | f(d-1): row 0..7 |  f0: row 8..15 | …
 *
 * Rows behind the last one (up to the end of its tile) are zero and have weight 0.
 */
#ifndef NB_ML_MATRIX_H
#define NB_ML_MATRIX_H

#include <stdbool.h>
#include "base/pool.h"

#define NB_TILE_ROWS 8

typedef struct nb_matrix {
    int64_t n_rows;
    int d;
    double *data;
    double *weights; /* NULL: all 1 */
    /* private */
    nb_pool *pool;
    size_t data_bytes, weight_bytes;
} nb_matrix;

/* Zeroed tail, other content undefined. Owned by the caller: nb_matrix_free. */
nb_status nb_matrix_new(nb_pool *pool, int64_t n_rows, int d, bool weighted, nb_matrix **out);
void nb_matrix_free(nb_matrix *m); /* NULL is fine */

NB_INLINE int64_t
nb_matrix_tiles(const nb_matrix *m)
{
    return (m->n_rows + NB_TILE_ROWS - 1) / NB_TILE_ROWS;
}
/* Where feature j of a row lies. */
NB_INLINE double *
nb_matrix_at(const nb_matrix *m, int64_t row, int j)
{
    return m->data + ((row >> 3) * m->d + j) * NB_TILE_ROWS + (row & 7);
}
NB_INLINE double
nb_matrix_weight(const nb_matrix *m, int64_t row)
{
    return m->weights ? m->weights[row] : 1.0;
}
void nb_matrix_get_row(const nb_matrix *m, int64_t row, double *out);
void nb_matrix_set_row(nb_matrix *m, int64_t row, const double *values);
/* Rows idx[0..n), with their weights, as a matrix of its own. */
nb_status nb_matrix_take(const nb_matrix *m, const int64_t *idx, int64_t n, nb_matrix **out);
/* Orders rows by value, then weight: the order then does not depend on where the rows came from. */
int nb_matrix_compare_rows(const nb_matrix *m, int64_t a, int64_t b);
void nb_matrix_sort_rows(const nb_matrix *m, int64_t *idx, int64_t n);
/* Scales every row to length 1. Returns the first row of length 0 (nothing more is done then), or -1. */
int64_t nb_matrix_normalize(nb_matrix *m);

#endif
