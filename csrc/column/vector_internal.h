/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector_internal.h: what the files of this folder share about vectors.
 */
#ifndef NB_COLUMN_VECTOR_INTERNAL_H
#define NB_COLUMN_VECTOR_INTERNAL_H

#include "column/vector.h"

typedef struct nb_unit16 {
    uint64_t a, b;
} nb_unit16;

/* Row movers by width in bytes (1, 2, 4, 8, 16); see gather_tmpl.h. */
typedef struct nb_row_ops {
    void (*gather)(const void *src, const uint32_t *idx, int64_t n, void *out);
    void (*gather_null)(const void *src, const uint32_t *idx, int64_t n, void *out);
    void (*scatter)(const void *src, const uint32_t *src_idx, void *dst, const uint32_t *dst_idx,
                    int64_t n);
    void (*fill)(const void *value, void *out, int64_t n);
} nb_row_ops;

const nb_row_ops *nb_row_ops_of(int width);

/* Header of a flat vector of the type without data. */
void nb_vector_init(nb_vector *v, const nb_type *type, nb_vector_kind kind, int64_t n);

/* Rows of list children that flat lists[idx[i]] (idx NULL: lists[i]) of valid rows span: their number, and whether they lie one
 * after the other from *first on. */
int64_t nb_lists_span(const nb_vector *flat, const uint32_t *idx, int64_t n, uint32_t *first,
                      bool *contiguous);

/* Any vector as rows of a flat one: *flat and *idx (NULL = identity) such that row i of v is row (*idx)[i] of *flat. tmp has room
 * for n entries. idx_in NULL stands for 0..n. */
NB_INLINE void
nb_vector_resolve(const nb_vector *v, const uint32_t *idx_in, int64_t n, uint32_t *tmp,
                  const nb_vector **flat, const uint32_t **idx)
{
    if (v->kind == NB_VEC_FLAT) {
        *flat = v;
        *idx = idx_in;
    } else if (v->kind == NB_VEC_CONST) {
        memset(tmp, 0, (size_t)n * sizeof(*tmp));
        *flat = v;
        *idx = tmp;
    } else {
        *flat = v->dict;
        if (idx_in == NULL) {
            *idx = v->indices;
        } else {
            for (int64_t i = 0; i < n; i++) {
                tmp[i] = v->indices[idx_in[i]];
            }
            *idx = tmp;
        }
    }
}

#endif
