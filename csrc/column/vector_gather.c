/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector_gather.c: moving rows by index. One tight loop per width; dictionaries and constants move indices only.
 */
#include "column/vector.h"

#include "column/vector_internal.h"

#define NB_T       uint8_t
#define NB_NAME(f) w1_##f
#include "column/gather_tmpl.h"
#define NB_T       uint16_t
#define NB_NAME(f) w2_##f
#include "column/gather_tmpl.h"
#define NB_T       uint32_t
#define NB_NAME(f) w4_##f
#include "column/gather_tmpl.h"
#define NB_T       uint64_t
#define NB_NAME(f) w8_##f
#include "column/gather_tmpl.h"
#define NB_T       nb_unit16
#define NB_NAME(f) w16_##f
#include "column/gather_tmpl.h"

const nb_row_ops *
nb_row_ops_of(int width)
{
    static const nb_row_ops ops[5] = {
        {w1_gather, w1_gather_null, w1_scatter, w1_fill},
        {w2_gather, w2_gather_null, w2_scatter, w2_fill},
        {w4_gather, w4_gather_null, w4_scatter, w4_fill},
        {w8_gather, w8_gather_null, w8_scatter, w8_fill},
        {w16_gather, w16_gather_null, w16_scatter, w16_fill},
    };
    return &ops[__builtin_ctz((unsigned)width)];
}

static nb_status
gather_dict(nb_arena *arena, const nb_vector *v, const uint32_t *idx, int64_t n, nb_vector *out)
{
    uint32_t *indices = nb_arena_alloc64(arena, (size_t)n * sizeof(*indices));

    if (indices == NULL) {
        return NB_NOMEM;
    }
    w4_gather(v->indices, idx, n, indices);
    *out = *v;
    out->n_rows = (int32_t)n;
    out->indices = indices;
    return NB_OK;
}

/* Validity of the gathered rows, with or without UINT32_MAX among them. */
static nb_status
gather_validity(nb_arena *arena, const nb_vector *v, const uint32_t *idx, int64_t n, bool nulls,
                uint64_t **out)
{
    uint64_t *bits;

    if (v->type->id == NB_TYPE_NULL || (v->validity == NULL && !nulls)) {
        *out = NULL;
        return NB_OK;
    }
    bits = nb_arena_alloc64(arena, NB_BITMAP_BYTES(n));
    if (bits == NULL) {
        return NB_NOMEM;
    }
    if (!nulls) {
        nb_bitmap_gather(v->validity, idx, n, bits);
    } else {
        memset(bits, 0, NB_BITMAP_BYTES(n));
        for (int64_t i = 0; i < n; i++) {
            uint64_t ok = idx[i] != UINT32_MAX && nb_is_valid(v->validity, idx[i]);
            bits[i >> 6] |= ok << (i & 63);
        }
    }
    *out = bits;
    return NB_OK;
}

static nb_status
gather_flat(nb_arena *arena, const nb_vector *v, const uint32_t *idx, int64_t n, bool nulls,
            nb_vector *out)
{
    const nb_type *storage = nb_type_storage(v->type);
    int width = nb_phys_width(storage->phys);
    nb_vector g;

    nb_vector_init(&g, v->type, NB_VEC_FLAT, n);
    g.children = v->children;
    g.n_children = v->n_children;
    NB_TRY(gather_validity(arena, v, idx, n, nulls, &g.validity));
    if (width > 0) {
        const nb_row_ops *ops = nb_row_ops_of(width);
        g.data = nb_arena_alloc64(arena, (size_t)n * (size_t)width);
        if (g.data == NULL) {
            return NB_NOMEM;
        }
        (nulls ? ops->gather_null : ops->gather)(v->data, idx, n, g.data);
    }
    if (storage->phys == NB_PHYS_STRUCT) {
        g.children = NB_ARENA_ARRAY(arena, nb_vector, v->n_children);
        if (g.children == NULL) {
            return NB_NOMEM;
        }
        for (int i = 0; i < v->n_children; i++) {
            NB_TRY((nulls ? nb_vector_gather_null : nb_vector_gather)(arena, &v->children[i], idx,
                                                                      n, &g.children[i]));
        }
    }
    *out = g;
    return NB_OK;
}

nb_status
nb_vector_gather(nb_arena *arena, const nb_vector *v, const uint32_t *idx, int64_t n,
                 nb_vector *out)
{
    switch (v->kind) {
    case NB_VEC_CONST:
        *out = *v;
        out->n_rows = (int32_t)n;
        return NB_OK;
    case NB_VEC_DICT: return gather_dict(arena, v, idx, n, out);
    default: return gather_flat(arena, v, idx, n, false, out);
    }
}

nb_status
nb_vector_gather_null(nb_arena *arena, const nb_vector *v, const uint32_t *idx, int64_t n,
                      nb_vector *out)
{
    const nb_vector *flat = v;
    uint32_t *through;
    bool nulls = false;

    for (int64_t i = 0; i < n; i++) {
        nulls |= idx[i] == UINT32_MAX;
    }
    if (!nulls) {
        return nb_vector_gather(arena, v, idx, n, out);
    }
    if (v->kind == NB_VEC_FLAT) {
        return gather_flat(arena, v, idx, n, true, out);
    }
    through = nb_arena_alloc64(arena, (size_t)n * sizeof(*through));
    if (through == NULL) {
        return NB_NOMEM;
    }
    if (v->kind == NB_VEC_DICT) {
        flat = v->dict;
        for (int64_t i = 0; i < n; i++) {
            through[i] = idx[i] == UINT32_MAX ? UINT32_MAX : v->indices[idx[i]];
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            through[i] = idx[i] == UINT32_MAX ? UINT32_MAX : 0;
        }
    }
    NB_TRY(gather_flat(arena, flat, through, n, true, out));
    out->type = v->type;
    return NB_OK;
}

static void
scatter_validity(const nb_vector *src, const uint32_t *src_idx, nb_vector *dst,
                 const uint32_t *dst_idx, int64_t n)
{
    if (src->type->id == NB_TYPE_NULL || dst->validity == NULL) {
        return;
    }
    if (src_idx == NULL && dst_idx == NULL) {
        nb_bitmap_copy(src->validity, 0, dst->validity, 0, n);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        nb_bit_put(dst->validity, dst_idx ? dst_idx[i] : i,
                   nb_is_valid(src->validity, src_idx ? src_idx[i] : i));
    }
}

#define SCATTER_BLOCK 1024

static nb_status
scatter_flat(const nb_vector *src, const uint32_t *src_idx, nb_vector *dst, const uint32_t *dst_idx,
             int64_t n)
{
    const nb_type *storage = nb_type_storage(dst->type);
    int width = nb_phys_width(storage->phys);

    scatter_validity(src, src_idx, dst, dst_idx, n);
    if (width > 0 && n > 0) {
        nb_row_ops_of(width)->scatter(src->data, src_idx, dst->data, dst_idx, n);
    }
    if (storage->phys == NB_PHYS_STRUCT) {
        for (int i = 0; i < dst->n_children; i++) {
            NB_TRY(nb_vector_scatter(&src->children[i], src_idx, &dst->children[i], dst_idx, n));
        }
    }
    return NB_OK;
}

nb_status
nb_vector_scatter(const nb_vector *src, const uint32_t *src_idx, nb_vector *dst,
                  const uint32_t *dst_idx, int64_t n)
{
    uint32_t from[SCATTER_BLOCK], to[SCATTER_BLOCK];

    if (src->kind == NB_VEC_FLAT) {
        return scatter_flat(src, src_idx, dst, dst_idx, n);
    }
    for (int64_t at = 0; at < n; at += SCATTER_BLOCK) {
        int64_t m = NB_MIN(n - at, SCATTER_BLOCK);
        const nb_vector *flat = src->kind == NB_VEC_DICT ? src->dict : src;
        const uint32_t *dst_at = dst_idx ? dst_idx + at : to;

        for (int64_t i = 0; i < m; i++) {
            int64_t row = src_idx ? src_idx[at + i] : at + i;
            from[i] = src->kind == NB_VEC_DICT ? src->indices[row] : 0;
            to[i] = (uint32_t)(at + i);
        }
        NB_TRY(scatter_flat(flat, from, dst, dst_at, m));
    }
    return NB_OK;
}
