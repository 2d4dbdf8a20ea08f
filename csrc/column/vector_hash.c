/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector_hash.c: 64-bit hashes for hash tables, equal wherever nb_vector_compare says equal.
 *
 * All bits are usable: tables take the low ones, radix partitions and salts the high ones. Work goes in blocks of BLOCK rows,
 * so that selections through dictionaries need no memory beyond the stack; a dictionary shorter than the rows that use it is
 * hashed entry by entry, once.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "column/vector.h"
#include "base/hash.h"
#include "column/vector_internal.h"

#define BLOCK     512
#define DICT_MAX  1024
#define NULL_HASH UINT64_C(0xA0761D6478BD642F)

NB_INLINE uint64_t
mix64(uint64_t x)
{
    x = (x ^ UINT64_C(0x2D358DCCAA6C78A5)) * UINT64_C(0x9FB21C651E98DF25);
    x ^= x >> 32;
    x *= UINT64_C(0xD6E8FEB86659FD93);
    return x ^ (x >> 32);
}

NB_INLINE uint64_t
join(uint64_t h, uint64_t k)
{
    return mix64(((h << 23) | (h >> 41)) * UINT64_C(0x9E3779B97F4A7C15) + k);
}

/* -0.0 becomes 0.0 and every NaN the same one. */
NB_INLINE uint64_t
double_bits(double d)
{
    uint64_t u;

    d += 0.0;
    memcpy(&u, &d, sizeof(u));
    return d == d ? u : UINT64_C(0x7FF8000000000000);
}

NB_INLINE uint64_t
hash_view(const nb_view *v)
{
    uint64_t head, rest;
    nb_uint128 product;

    if (v->len > NB_VIEW_INLINE) {
        return XXH3_64bits(v->ptr, v->len);
    }
    memcpy(&head, v, 8);
    memcpy(&rest, v->rest, 8);
    product =
        (nb_uint128)(head ^ UINT64_C(0x9E3779B97F4A7C15)) * (rest ^ UINT64_C(0xE7037ED1A0B428DB));
    return mix64((uint64_t)product ^ (uint64_t)(product >> 64));
}

NB_INLINE uint64_t
hash_int128(nb_int128 v)
{
    return mix64((uint64_t)v ^ mix64((uint64_t)(v >> 64)));
}

NB_INLINE uint64_t
hash_interval(nb_interval v)
{
    return mix64((uint64_t)v.us ^ mix64((uint64_t)(uint32_t)v.months << 32 | (uint32_t)v.days));
}

#define NB_T       int8_t
#define NB_NAME(f) int8_##f
#define NB_HASH(x) mix64((uint64_t)(x))
#include "column/hash_tmpl.h"
#define NB_T       int16_t
#define NB_NAME(f) int16_##f
#define NB_HASH(x) mix64((uint64_t)(x))
#include "column/hash_tmpl.h"
#define NB_T       int32_t
#define NB_NAME(f) int32_##f
#define NB_HASH(x) mix64((uint64_t)(x))
#include "column/hash_tmpl.h"
#define NB_T       int64_t
#define NB_NAME(f) int64_##f
#define NB_HASH(x) mix64((uint64_t)(x))
#include "column/hash_tmpl.h"
#define NB_T       nb_int128
#define NB_NAME(f) int128_##f
#define NB_HASH(x) hash_int128(x)
#include "column/hash_tmpl.h"
#define NB_T       float
#define NB_NAME(f) float_##f
#define NB_HASH(x) mix64(double_bits((double)(x)))
#include "column/hash_tmpl.h"
#define NB_T       double
#define NB_NAME(f) double_##f
#define NB_HASH(x) mix64(double_bits(x))
#include "column/hash_tmpl.h"
#define NB_T       nb_interval
#define NB_NAME(f) interval_##f
#define NB_HASH(x) hash_interval(x)
#include "column/hash_tmpl.h"

static void
view_hash_rows(const void *data, const uint32_t *idx, int64_t n, uint64_t *out)
{
    const nb_view *d = data;

    for (int64_t i = 0; i < n; i++) {
        out[i] = hash_view(&d[idx ? idx[i] : i]);
    }
}

static void hash_any(const nb_vector *v, const uint32_t *idx, int64_t n, uint64_t *out);

static void
list_hash_rows(const nb_vector *v, const uint32_t *idx, int64_t n, uint64_t *out)
{
    const nb_list *lists = v->data;

    for (int64_t i = 0; i < n; i++) {
        int64_t row = idx ? idx[i] : i;
        uint64_t h = NULL_HASH + 1;
        if (!nb_is_valid(v->validity, row)) {
            continue;
        }
        for (uint32_t k = 0; k < lists[row].len; k++) {
            for (int c = 0; c < v->n_children; c++) {
                uint32_t at = lists[row].offset + k;
                uint64_t e;
                hash_any(&v->children[c], &at, 1, &e);
                h = join(h, e);
            }
        }
        out[i] = h;
    }
}

static void
struct_hash_rows(const nb_vector *v, const uint32_t *idx, int64_t n, uint64_t *out)
{
    uint64_t part[BLOCK];
    uint32_t rows[BLOCK];

    for (int64_t at = 0; at < n; at += BLOCK) {
        int64_t m = NB_MIN(n - at, BLOCK);
        for (int64_t i = 0; i < m; i++) {
            rows[i] = idx ? idx[at + i] : (uint32_t)(at + i);
            out[at + i] = NULL_HASH + 2;
        }
        for (int c = 0; c < v->n_children; c++) {
            hash_any(&v->children[c], rows, m, part);
            for (int64_t i = 0; i < m; i++) {
                out[at + i] = join(out[at + i], part[i]);
            }
        }
    }
}

/* Rows of zero bits get NULL_HASH; words of ones cost one look. */
static void
patch_nulls(const uint64_t *validity, int64_t n, uint64_t *out)
{
    for (size_t w = 0; w < NB_BITMAP_WORDS(n); w++) {
        uint64_t nulls = ~validity[w] & nb_bitmap_tail_mask(n, w);
        for (; nulls != 0; nulls &= nulls - 1) {
            out[w * 64 + (size_t)__builtin_ctzll(nulls)] = NULL_HASH;
        }
    }
}

static void
hash_flat(const nb_vector *v, const uint32_t *idx, int64_t n, uint64_t *out)
{
    static void (*const loops[])(const void *, const uint32_t *, int64_t, uint64_t *) = {
        [NB_PHYS_BOOL] = int8_hash_rows,   [NB_PHYS_INT8] = int8_hash_rows,
        [NB_PHYS_INT16] = int16_hash_rows, [NB_PHYS_INT32] = int32_hash_rows,
        [NB_PHYS_INT64] = int64_hash_rows, [NB_PHYS_INT128] = int128_hash_rows,
        [NB_PHYS_FLOAT] = float_hash_rows, [NB_PHYS_DOUBLE] = double_hash_rows,
        [NB_PHYS_STRING] = view_hash_rows, [NB_PHYS_INTERVAL] = interval_hash_rows,
    };
    nb_phys phys = nb_type_storage(v->type)->phys;

    switch (phys) {
    case NB_PHYS_NONE:
        for (int64_t i = 0; i < n; i++) {
            out[i] = NULL_HASH;
        }
        return;
    case NB_PHYS_LIST: list_hash_rows(v, idx, n, out); break;
    case NB_PHYS_STRUCT: struct_hash_rows(v, idx, n, out); break;
    default: loops[phys](v->data, idx, n, out);
    }
    if (v->validity != NULL && idx == NULL) {
        patch_nulls(v->validity, n, out);
    } else if (v->validity != NULL) {
        for (int64_t i = 0; i < n; i++) {
            out[i] = nb_bit_get(v->validity, idx[i]) ? out[i] : NULL_HASH;
        }
    }
}

static void
hash_dict(const nb_vector *v, const uint32_t *idx, int64_t n, uint64_t *out)
{
    uint64_t entries[DICT_MAX];
    uint32_t rows[BLOCK];

    if (v->dict->n_rows <= DICT_MAX && v->dict->n_rows <= n) {
        hash_flat(v->dict, NULL, v->dict->n_rows, entries);
        for (int64_t i = 0; i < n; i++) {
            out[i] = entries[v->indices[idx ? idx[i] : i]];
        }
        return;
    }
    for (int64_t at = 0; at < n; at += BLOCK) {
        int64_t m = NB_MIN(n - at, BLOCK);
        for (int64_t i = 0; i < m; i++) {
            rows[i] = v->indices[idx ? idx[at + i] : at + i];
        }
        hash_flat(v->dict, rows, m, out + at);
    }
}

static void
hash_any(const nb_vector *v, const uint32_t *idx, int64_t n, uint64_t *out)
{
    static const uint32_t zero = 0;
    uint64_t h;

    switch (v->kind) {
    case NB_VEC_CONST:
        if (n > 0) {
            hash_flat(v, &zero, 1, &h);
            for (int64_t i = 0; i < n; i++) {
                out[i] = h;
            }
        }
        return;
    case NB_VEC_DICT: hash_dict(v, idx, n, out); return;
    default: hash_flat(v, idx, n, out);
    }
}

NB_SIMD_CLONES static void
join_all(uint64_t *restrict h, const uint64_t *restrict k, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        h[i] = join(h[i], k[i]);
    }
}

/* Hashes of rows [at, at + n); at is a multiple of 64. */
static void
hash_block(const nb_vector *v, int64_t at, int64_t n, uint64_t *out)
{
    nb_phys phys = nb_type_storage(v->type)->phys;
    nb_vector part = *v;
    uint32_t rows[BLOCK];

    if (v->kind == NB_VEC_FLAT && phys == NB_PHYS_STRUCT) {
        for (int64_t i = 0; i < n; i++) {
            rows[i] = (uint32_t)(at + i);
        }
        hash_any(v, rows, n, out);
        return;
    }
    if (v->kind == NB_VEC_DICT) {
        part.indices = v->indices + at;
    } else if (v->kind == NB_VEC_FLAT) {
        part.data = v->data ? (char *)v->data + at * nb_phys_width(phys) : NULL;
        part.validity = v->validity ? v->validity + at / 64 : NULL;
    }
    part.n_rows = (int32_t)n;
    hash_any(&part, NULL, n, out);
}

void
nb_vector_hash(const nb_vector *v, int64_t n, uint64_t *hash_io, bool combine)
{
    uint64_t part[BLOCK];

    if (NB_UNLIKELY(nb_hash_debug_equal)) {
        memset(hash_io, 0, (size_t)n * sizeof(*hash_io));
        return;
    }
    if (!combine) {
        hash_any(v, NULL, n, hash_io);
        return;
    }
    for (int64_t at = 0; at < n; at += BLOCK) {
        int64_t m = NB_MIN(n - at, BLOCK);
        hash_block(v, at, m, part);
        join_all(hash_io + at, part, m);
    }
}
