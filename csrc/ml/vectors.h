/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors.h: columns of ML vectors: reading and making them.
 *
 * A column may be of the vector type, dense or sparse row by row, or an array of doubles or floats.
 */
#ifndef NB_ML_VECTORS_H
#define NB_ML_VECTORS_H

#include "column/vector.h"

/* May the column's values be taken as vectors? */
bool nb_ml_is_vector_type(const nb_type *t);

/* A flat look at a column. Everything is borrowed from the column or lives in the arena. */
typedef struct nb_ml_column {
    int64_t n_rows;
    const uint64_t *validity;
    const int8_t *kinds;  /* 0 sparse, 1 dense; NULL: all dense */
    const int32_t *sizes; /* of sparse rows */
    const nb_list *indices, *values;
    const int32_t *index_data;
    const double *data;
} nb_ml_column;

nb_status nb_ml_column_open(nb_arena *arena, const nb_vector *v, nb_ml_column *out);

/* One row: x[0..n) and, when sparse, where they belong (else index is NULL). */
typedef struct nb_ml_row {
    int size, n;
    const double *x;
    const int32_t *index;
} nb_ml_row;

NB_INLINE nb_ml_row
nb_ml_column_row(const nb_ml_column *c, int64_t row)
{
    nb_ml_row r = {(int)c->values[row].len, (int)c->values[row].len,
                   c->data + c->values[row].offset, NULL};

    if (c->kinds != NULL && c->kinds[row] == 0) {
        r.size = c->sizes[row];
        r.index = c->index_data + c->indices[row].offset;
        r.n = (int)NB_MIN(c->indices[row].len, c->values[row].len);
    }
    return r;
}
/* All elements of a row into out[0..size). Entries of a sparse row that lie outside are left out. */
void nb_ml_row_dense(const nb_ml_row *row, double *out);
/* "[1.0,2.0]" or "(3,[0],[1.0])". */
char *nb_ml_row_text(nb_arena *arena, const nb_ml_row *row);

/* Makes a column of vectors, row after row. out is FLAT with struct children for n rows, as the evaluator gives it to kernels. */
typedef struct nb_ml_builder {
    nb_arena *arena;
    nb_vector *out;
    double *data;
    int32_t *index;
    size_t n_data, cap_data, n_index, cap_index;
} nb_ml_builder;

nb_status nb_ml_builder_open(nb_arena *arena, nb_vector *out, size_t expected, nb_ml_builder *b);
/* Room for n elements of a dense row, to be filled by the caller. */
nb_status nb_ml_builder_dense(nb_ml_builder *b, int64_t row, int n, double **x);
nb_status
nb_ml_builder_sparse(nb_ml_builder *b, int64_t row, int size, int n, int32_t **index, double **x);
/* Whichever form is smaller, by Spark's rule (Vector.compressed). */
nb_status nb_ml_builder_compressed(nb_ml_builder *b, int64_t row, const double *x, int n);
void nb_ml_builder_null(nb_ml_builder *b,
                        int64_t row); /* only the lists: the row's validity is the caller's */
nb_status nb_ml_builder_close(nb_ml_builder *b);

#endif
