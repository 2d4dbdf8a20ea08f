/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector.c: making, slicing and flattening vectors.
 *
 * A CONST struct has children of which row 0 counts (constants, or flat vectors of one row or more).
 */
#include "column/vector.h"

#include <stdatomic.h>

#include "column/vector_internal.h"

void
nb_vector_init(nb_vector *v, const nb_type *type, nb_vector_kind kind, int64_t n)
{
    *v = (nb_vector){.type = type, .kind = kind, .n_rows = (int32_t)n};
}

int
nb_view_compare(const nb_view *a, const nb_view *b)
{
    int c = memcmp(a->prefix, b->prefix, 4); /* short strings are padded with zeros */
    uint32_t n = NB_MIN(a->len, b->len);

    if (c != 0 && n >= 4) {
        return c;
    }
    c = memcmp(nb_view_data(a), nb_view_data(b), n);
    return c != 0 ? c : (a->len > b->len) - (a->len < b->len);
}

/* Also an empty child has children of its own, down to the leaves: walkers need no special case. */
static nb_status
alloc_child(nb_arena *arena, const nb_type *type, int64_t n, nb_vector *out)
{
    if (n == 0 && nb_type_storage(type)->n_children == 0) {
        nb_vector_init(out, type, NB_VEC_FLAT, 0);
        return NB_OK;
    }
    return nb_vector_alloc(arena, type, n, out);
}

nb_status
nb_vector_alloc(nb_arena *arena, const nb_type *type, int64_t n, nb_vector *out)
{
    const nb_type *storage = nb_type_storage(type);
    size_t bytes = (size_t)n * (size_t)nb_phys_width(storage->phys);
    nb_vector v;

    nb_vector_init(&v, type, NB_VEC_FLAT, n);
    if (bytes > 0 || nb_phys_width(storage->phys) > 0) {
        v.data = nb_arena_alloc64(arena, bytes);
        if (v.data == NULL) {
            return NB_NOMEM;
        }
        if (storage->phys == NB_PHYS_STRING || storage->phys == NB_PHYS_LIST) {
            memset(v.data, 0, bytes);
        }
    }
    if (storage->phys == NB_PHYS_LIST || storage->phys == NB_PHYS_STRUCT) {
        v.n_children = storage->n_children;
        v.children = NB_ARENA_ARRAY(arena, nb_vector, v.n_children);
        if (v.children == NULL) {
            return NB_NOMEM;
        }
        for (int i = 0; i < v.n_children; i++) {
            const nb_type *t = storage->children[i].type;
            NB_TRY(alloc_child(arena, t, storage->phys == NB_PHYS_STRUCT ? n : 0, &v.children[i]));
        }
    }
    *out = v;
    return NB_OK;
}

nb_status
nb_vector_need_validity(nb_arena *arena, nb_vector *v)
{
    if (v->validity == NULL && v->kind != NB_VEC_DICT) {
        int64_t n = v->kind == NB_VEC_CONST ? 1 : v->n_rows;
        v->validity = nb_arena_alloc64(arena, NB_BITMAP_BYTES(n));
        if (v->validity == NULL) {
            return NB_NOMEM;
        }
        nb_bitmap_fill(v->validity, n, true);
    }
    return NB_OK;
}

nb_status
nb_vector_const_null(nb_arena *arena, const nb_type *type, int64_t n, nb_vector *out)
{
    const nb_type *storage = nb_type_storage(type);
    nb_vector v;

    nb_vector_init(&v, type, NB_VEC_CONST, n);
    v.validity = nb_arena_zalloc(arena, sizeof(uint64_t));
    v.data = nb_phys_width(storage->phys) ? nb_arena_zalloc(arena, 16) : NULL;
    if (v.validity == NULL || (v.data == NULL && nb_phys_width(storage->phys))) {
        return NB_NOMEM;
    }
    if (storage->phys == NB_PHYS_LIST || storage->phys == NB_PHYS_STRUCT) {
        v.n_children = storage->n_children;
        v.children = NB_ARENA_ARRAY(arena, nb_vector, v.n_children);
        if (v.children == NULL) {
            return NB_NOMEM;
        }
        for (int i = 0; i < v.n_children; i++) {
            const nb_type *t = storage->children[i].type;
            if (storage->phys == NB_PHYS_STRUCT) {
                NB_TRY(nb_vector_const_null(arena, t, n, &v.children[i]));
            } else {
                NB_TRY(alloc_child(arena, t, 0, &v.children[i]));
            }
        }
    }
    *out = v;
    return NB_OK;
}

static nb_status
flatten_const(nb_arena *arena, const nb_vector *v, nb_vector *out)
{
    int width = nb_phys_width(nb_type_storage(v->type)->phys);
    int64_t n = v->n_rows;
    nb_vector f = *v;

    f.kind = NB_VEC_FLAT;
    f.validity = NULL;
    if (width > 0) {
        f.data = nb_arena_alloc64(arena, (size_t)n * (size_t)width);
        if (f.data == NULL) {
            return NB_NOMEM;
        }
        nb_row_ops_of(width)->fill(v->data, f.data, n);
    }
    if (v->type->id != NB_TYPE_NULL && !nb_is_valid(v->validity, 0)) {
        f.validity = nb_arena_zalloc(arena, NB_BITMAP_BYTES(n));
        if (f.validity == NULL) {
            return NB_NOMEM;
        }
    }
    if (nb_type_storage(v->type)->phys == NB_PHYS_STRUCT) {
        f.children = NB_ARENA_ARRAY(arena, nb_vector, v->n_children);
        if (f.children == NULL) {
            return NB_NOMEM;
        }
        for (int i = 0; i < v->n_children; i++) {
            nb_vector one = v->children[i], constant;
            if (one.kind == NB_VEC_CONST) {
                constant = one;
            } else if (one.kind == NB_VEC_DICT) {
                NB_TRY(nb_vector_slice(arena, one.dict, one.indices[0], 1, &constant));
            } else {
                NB_TRY(nb_vector_slice(arena, &one, 0, 1, &constant));
            }
            constant.kind = NB_VEC_CONST;
            constant.n_rows = (int32_t)n;
            NB_TRY(flatten_const(arena, &constant, &f.children[i]));
        }
    }
    *out = f;
    return NB_OK;
}

nb_status
nb_vector_flatten(nb_arena *arena, const nb_vector *v, nb_vector *out)
{
    switch (v->kind) {
    case NB_VEC_CONST: return flatten_const(arena, v, out);
    case NB_VEC_DICT: {
        nb_vector f;
        NB_TRY(nb_vector_gather(arena, v->dict, v->indices, v->n_rows, &f));
        f.type = v->type;
        *out = f;
        return NB_OK;
    }
    default: *out = *v; return NB_OK;
    }
}

nb_status
nb_vector_slice(nb_arena *arena, const nb_vector *v, int64_t from, int64_t n, nb_vector *out)
{
    const nb_type *storage = nb_type_storage(v->type);
    nb_vector s = *v;

    s.n_rows = (int32_t)n;
    if (v->kind == NB_VEC_CONST || (from == 0 && n == v->n_rows)) {
        *out = s;
        return NB_OK;
    }
    if (v->kind == NB_VEC_DICT) {
        s.indices = v->indices + from;
        *out = s;
        return NB_OK;
    }
    if (v->data != NULL) {
        s.data = (char *)v->data + from * nb_phys_width(storage->phys);
    }
    if (v->validity != NULL && from % 64 == 0) {
        s.validity = v->validity + from / 64;
    } else if (v->validity != NULL) {
        s.validity = nb_arena_alloc64(arena, NB_BITMAP_BYTES(n));
        if (s.validity == NULL) {
            return NB_NOMEM;
        }
        if (n > 0) {
            s.validity[NB_BITMAP_WORDS(n) - 1] = 0;
            nb_bitmap_copy(v->validity, from, s.validity, 0, n);
        }
    }
    if (storage->phys == NB_PHYS_STRUCT) {
        s.children = NB_ARENA_ARRAY(arena, nb_vector, v->n_children);
        if (s.children == NULL) {
            return NB_NOMEM;
        }
        for (int i = 0; i < v->n_children; i++) {
            NB_TRY(nb_vector_slice(arena, &v->children[i], from, n, &s.children[i]));
        }
    }
    *out = s;
    return NB_OK;
}

uint64_t
nb_dict_next_id(void)
{
    static atomic_ullong next = 1;

    return atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
}

#define OF_TABLE     ((uint64_t)1 << 63)
#define COLUMN_BITS  16
#define MOST_COLUMNS ((1 << COLUMN_BITS) - 1)

uint64_t
nb_dict_id_of_table(uint64_t table, int column, bool by_row)
{
    if (column > MOST_COLUMNS) {
        return nb_dict_next_id();
    }
    return OF_TABLE | table << (COLUMN_BITS + 1) | (uint64_t)column << 1 | by_row;
}

uint64_t
nb_dict_table(uint64_t dict_id, bool *by_row)
{
    *by_row = dict_id & 1;
    return dict_id & OF_TABLE ? (dict_id & ~OF_TABLE) >> (COLUMN_BITS + 1) : 0;
}
