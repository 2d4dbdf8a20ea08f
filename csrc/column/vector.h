/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector.h: a column of a batch.
 *
 * A vector owns nothing. Inside a pipeline everything it points at is borrowed: from the scratch arena of the running
 * thread (reset after each batch), from a source that outlives the push, or from a shared table. Whoever keeps rows beyond the
 * push copies them (nb_rows, nb_table). That keeps kernels free of reference counts.
 *
 *   FLAT      data[n_rows]            validity bit per row (NULL = none is null)
 *   CONSTANT  data[0]                 validity bit 0; stands for n_rows equal rows
 *   DICT      indices[n_rows] into `dict` (a flat vector), validity NULL: nulls are entries of dict that are null.
 *             dict_id says which dictionary it is: equal non-zero ids in one query mean the same entries.
 *
 * Physical layouts (nb_phys) of flat data:
 *   BOOL uint8_t 0/1 · INT8..INT128 · FLOAT, DOUBLE · INTERVAL nb_interval
 *   STRING  nb_view, 16 bytes:   | len u32 | 12 bytes inline           |   len <= 12
 *                                | len u32 | prefix 4 | pointer 8      |   longer; unused inline bytes are zero
 *   LIST    nb_list {offset, len} into children: array -> children[0]; map -> children[0] keys, children[1] values.
 *           (Arrow has offsets only; a view with its length lets filters and gathers leave the children alone.)
 *   STRUCT  children[i] of the same n_rows; a null struct has null (or unspecified) children.
 * Rows that are null may hold any bits in numeric data, but a valid (zero) nb_view or nb_list.
 */
#ifndef NB_COLUMN_VECTOR_H
#define NB_COLUMN_VECTOR_H

#include <string.h>
#include "base/arena.h"
#include "base/bitmap.h"
#include "column/type.h"

#define NB_BATCH_ROWS 2048

typedef enum nb_vector_kind { NB_VEC_FLAT, NB_VEC_CONST, NB_VEC_DICT } nb_vector_kind;

typedef struct nb_view {
    uint32_t len;
    char prefix[4];
    union {
        char rest[8];
        const char *ptr;
    };
} nb_view;

#define NB_VIEW_INLINE 12

typedef struct nb_list {
    uint32_t offset, len;
} nb_list;

typedef struct nb_interval {
    int32_t months, days;
    int64_t us;
} nb_interval;

typedef struct nb_vector nb_vector;
struct nb_vector {
    const nb_type *type;
    nb_vector_kind kind;
    int32_t n_rows;
    void *data;          /* see above; NULL for STRUCT, NULL type and DICT */
    uint64_t *validity;  /* NULL = all valid */
    nb_vector *children; /* LIST, STRUCT */
    int32_t n_children;
    const uint32_t *indices; /* DICT */
    const nb_vector *dict;   /* DICT */
    uint64_t dict_id;
};

#define NB_DATA(T, v) ((T *)(v)->data)

NB_INLINE const char *
nb_view_data(const nb_view *v)
{
    return v->len <= NB_VIEW_INLINE ? v->prefix : v->ptr;
}
NB_INLINE nb_str
nb_view_str(const nb_view *v)
{
    return (nb_str){nb_view_data(v), v->len};
}
/* Points at p, which must live as long as the view, unless it is short enough to be inside. */
NB_INLINE nb_view
nb_view_make(const char *p, size_t len)
{
    nb_view v;
    v.len = (uint32_t)len;
    if (len <= NB_VIEW_INLINE) {
        memset(v.prefix, 0, NB_VIEW_INLINE);
        if (len) {
            memcpy(v.prefix, p, len);
        }
    } else {
        memcpy(v.prefix, p, 4);
        v.ptr = p;
    }
    return v;
}
/* The same of a text that stays at `stays`, and has a copy at p, where NB_VIEW_INLINE bytes are readable however short it is; no branch depends on that. */
NB_INLINE nb_view
nb_view_of(const char *p, size_t len, const char *stays)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    (void)p;
    return nb_view_make(stays, len);
#else
    static const uint8_t kept[28] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    const uint8_t *keep = kept + 16 - (len < NB_VIEW_INLINE ? len : NB_VIEW_INLINE);
    uint64_t lo, rest, keep_lo;
    uint32_t hi, keep_hi;
    nb_view v;

    memcpy(&lo, p, 8);
    memcpy(&hi, p + 8, 4);
    memcpy(&keep_lo, keep, 8);
    memcpy(&keep_hi, keep + 8, 4);
    lo &= keep_lo;
    rest = (uint64_t)(hi & keep_hi) << 32 | lo >> 32;
    rest = len <= NB_VIEW_INLINE ? rest : (uint64_t)(uintptr_t)stays;
    v.len = (uint32_t)len;
    memcpy(v.prefix, &lo, 4);
    memcpy(v.rest, &rest, 8);
    return v;
#endif
}
NB_INLINE bool
nb_view_equal(const nb_view *a, const nb_view *b)
{
    uint64_t a0, b0, a1, b1;
    memcpy(&a0, a, 8);
    memcpy(&b0, b, 8);
    if (a0 != b0) {
        return false;
    }
    memcpy(&a1, a->rest, 8);
    memcpy(&b1, b->rest, 8);
    return a1 == b1 || (a->len > NB_VIEW_INLINE && memcmp(a->ptr, b->ptr, a->len) == 0);
}
int nb_view_compare(const nb_view *a, const nb_view *b); /* unsigned bytes */

/* Is the row null? Works on all kinds. */
NB_INLINE bool
nb_vector_is_null(const nb_vector *v, int64_t row)
{
    if (v->type->id == NB_TYPE_NULL) {
        return true;
    }
    if (v->kind == NB_VEC_DICT) {
        return !nb_is_valid(v->dict->validity, v->indices[row]);
    }
    return !nb_is_valid(v->validity, v->kind == NB_VEC_CONST ? 0 : row);
}
/* Where a row's value lies in data (0 for constants); of a DICT use indices. */
NB_INLINE int64_t
nb_vector_slot(const nb_vector *v, int64_t row)
{
    return v->kind == NB_VEC_CONST ? 0 : v->kind == NB_VEC_DICT ? v->indices[row] : row;
}

/* A dict_id that no other dictionary has. */
uint64_t nb_dict_next_id(void);
/* The dict_id of a dictionary of a column of a table that is known by `table`, one of nb_dict_next_id. by_row: an entry stands for a row of the table, so that
 * rows with the same code there have the same code in all dictionaries of the table. */
uint64_t nb_dict_id_of_table(uint64_t table, int column, bool by_row);
/* The table of such a dict_id, or 0 for any other; *by_row as it was made. */
uint64_t nb_dict_table(uint64_t dict_id, bool *by_row);
/* A flat vector with room for n rows in the arena, data uninitialised (views and lists zeroed), no validity. For ARRAY and MAP
 * the children get n_rows 0 and no data: set them with nb_vector_alloc on children[i]. For STRUCT children are allocated too. */
nb_status nb_vector_alloc(nb_arena *arena, const nb_type *type, int64_t n, nb_vector *out);
/* Gives the vector a validity bitmap of its own with all n_rows bits set, if it has none. */
nb_status nb_vector_need_validity(nb_arena *arena, nb_vector *v);
/* All rows null, as a constant. */
nb_status nb_vector_const_null(nb_arena *arena, const nb_type *type, int64_t n, nb_vector *out);

/* DICT and CONST become FLAT (shared pointers where it already is flat); children stay shared. */
nb_status nb_vector_flatten(nb_arena *arena, const nb_vector *v, nb_vector *out);
/* Rows idx[0..n) of v, of any kind; idx may repeat and be in any order. A constant stays constant, a DICT stays DICT, nested
 * children are shared (lists) or gathered (structs). */
nb_status nb_vector_gather(nb_arena *arena, const nb_vector *v, const uint32_t *idx, int64_t n,
                           nb_vector *out);
/* As gather, but idx[i] == UINT32_MAX gives null (outer joins). */
nb_status nb_vector_gather_null(nb_arena *arena, const nb_vector *v, const uint32_t *idx, int64_t n,
                                nb_vector *out);
/* Rows [from, from+n) without copying data; the validity is shifted into the arena when from is not a multiple of 64. */
nb_status
nb_vector_slice(nb_arena *arena, const nb_vector *v, int64_t from, int64_t n, nb_vector *out);
/* Copies row values so that nothing points outside the arena (strings, children). Flat result. */
nb_status nb_vector_copy(nb_arena *arena, const nb_vector *v, nb_vector *out);
/* Writes rows src_idx[i] of src to rows dst_idx[i] of the flat vector dst of the same physical type (strings and lists share the
 * source's bytes; struct children recurse; LIST children of dst and src must be the same vectors, else use concat).
 * dst must have validity if src has nulls. NULL idx = 0..n. */
nb_status nb_vector_scatter(const nb_vector *src, const uint32_t *src_idx, nb_vector *dst,
                            const uint32_t *dst_idx, int64_t n);
/* One after the other into one flat vector (children too). */
nb_status
nb_vector_concat(nb_arena *arena, const nb_vector *const *parts, int n_parts, nb_vector *out);

/* Total order as Spark sorts and groups: null first, NaN greatest and equal to NaN, -0.0 == 0.0; nested types element by
 * element. <0, 0, >0. */
int nb_vector_compare(const nb_vector *a, int64_t i, const nb_vector *b, int64_t j);
/* 64-bit hash of each row for hash tables (not Spark's murmur3): equal under nb_vector_compare gives equal hashes. combine mixes
 * into what hash_io holds (several keys), else it overwrites. */
void nb_vector_hash(const nb_vector *v, int64_t n, uint64_t *hash_io, bool combine);

#endif
