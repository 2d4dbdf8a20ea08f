/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matrix.c: rows in tiles.
 */
#include "ml/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

nb_status
nb_matrix_new(nb_pool *pool, int64_t n_rows, int d, bool weighted, nb_matrix **out)
{
    nb_matrix *m = nb_pool_zalloc(pool, sizeof *m);
    int64_t n_tiles = (n_rows + NB_TILE_ROWS - 1) / NB_TILE_ROWS;
    size_t bytes;

    if (m == NULL) {
        return NB_NOMEM;
    }
    *m = (nb_matrix){.n_rows = n_rows, .d = d, .pool = pool};
    if (__builtin_mul_overflow((size_t)n_tiles, (size_t)d * NB_TILE_ROWS * sizeof(double),
                               &bytes)) {
        nb_matrix_free(m);
        return NB_NOMEM;
    }
    m->data_bytes = bytes > 0 ? bytes : 64;
    m->data = nb_pool_alloc_aligned(pool, m->data_bytes);
    if (weighted) {
        m->weight_bytes = (size_t)NB_MAX(n_tiles, 1) * NB_TILE_ROWS * sizeof(double);
        m->weights = nb_pool_alloc_aligned(pool, m->weight_bytes);
    }
    if (m->data == NULL || (weighted && m->weights == NULL)) {
        nb_matrix_free(m);
        return NB_NOMEM;
    }
    if (n_tiles > 0) {
        memset(m->data + (size_t)(n_tiles - 1) * (size_t)d * NB_TILE_ROWS, 0,
               (size_t)d * NB_TILE_ROWS * sizeof(double));
        if (weighted) {
            memset(m->weights + (n_tiles - 1) * NB_TILE_ROWS, 0, NB_TILE_ROWS * sizeof(double));
        }
    }
    *out = m;
    return NB_OK;
}

void
nb_matrix_free(nb_matrix *m)
{
    if (m == NULL) {
        return;
    }
    if (m->data != NULL) {
        nb_pool_dealloc_aligned(m->pool, m->data, m->data_bytes);
    }
    if (m->weights != NULL) {
        nb_pool_dealloc_aligned(m->pool, m->weights, m->weight_bytes);
    }
    nb_pool_dealloc(m->pool, m, sizeof *m);
}

void
nb_matrix_get_row(const nb_matrix *m, int64_t row, double *out)
{
    const double *p = nb_matrix_at(m, row, 0);

    for (int j = 0; j < m->d; j++) {
        out[j] = p[(size_t)j * NB_TILE_ROWS];
    }
}

void
nb_matrix_set_row(nb_matrix *m, int64_t row, const double *values)
{
    double *p = nb_matrix_at(m, row, 0);

    for (int j = 0; j < m->d; j++) {
        p[(size_t)j * NB_TILE_ROWS] = values[j];
    }
}

nb_status
nb_matrix_take(const nb_matrix *m, const int64_t *idx, int64_t n, nb_matrix **out)
{
    nb_matrix *t;

    NB_TRY(nb_matrix_new(m->pool, n, m->d, m->weights != NULL, &t));
    for (int64_t i = 0; i < n; i++) {
        const double *from = nb_matrix_at(m, idx[i], 0);
        double *to = nb_matrix_at(t, i, 0);

        for (int j = 0; j < m->d; j++) {
            to[(size_t)j * NB_TILE_ROWS] = from[(size_t)j * NB_TILE_ROWS];
        }
        if (m->weights != NULL) {
            t->weights[i] = m->weights[idx[i]];
        }
    }
    *out = t;
    return NB_OK;
}

int
nb_matrix_compare_rows(const nb_matrix *m, int64_t a, int64_t b)
{
    const double *pa = nb_matrix_at(m, a, 0), *pb = nb_matrix_at(m, b, 0);

    for (int j = 0; j < m->d; j++) {
        double x = pa[(size_t)j * NB_TILE_ROWS], y = pb[(size_t)j * NB_TILE_ROWS];

        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    if (m->weights != NULL && m->weights[a] != m->weights[b]) {
        return m->weights[a] < m->weights[b] ? -1 : 1;
    }
    return 0;
}

static int
compare_rows(const void *a, const void *b, void *matrix)
{
    return nb_matrix_compare_rows(matrix, *(const int64_t *)a, *(const int64_t *)b);
}

void
nb_matrix_sort_rows(const nb_matrix *m, int64_t *idx, int64_t n)
{
    qsort_r(idx, (size_t)n, sizeof *idx, compare_rows, (void *)m);
}

int64_t
nb_matrix_normalize(nb_matrix *m)
{
    for (int64_t row = 0; row < m->n_rows; row++) {
        double *p = nb_matrix_at(m, row, 0);
        double sum = 0;

        for (int j = 0; j < m->d; j++) {
            double x = p[(size_t)j * NB_TILE_ROWS];

            sum += x * x;
        }
        if (sum == 0) {
            return row;
        }
        sum = sqrt(sum);
        for (int j = 0; j < m->d; j++) {
            p[(size_t)j * NB_TILE_ROWS] /= sum;
        }
    }
    return -1;
}
