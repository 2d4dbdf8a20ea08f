/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval_in.c: x IN (constants): a hash set built once, probed by vectors.
 *
 * Null when x is null, and when x is not found but the list holds a null. A few integers are compared one constant at a time: those loops
 * vectorise. A dictionary column is probed once per entry.
 */
#include "expr/eval_internal.h"

#define FEW 8

struct nb_in_set {
    nb_vector items; /* flat, no nulls, distinct or not */
    uint64_t *hashes;
    uint32_t *slots; /* item + 1, 0 = free */
    uint64_t mask;
    int n;
    bool has_null;
};

nb_status
nb_in_set_new(nb_arena *arena, nb_expr *const *items, int n, nb_in_set **out)
{
    nb_in_set *set = NB_ARENA_NEW(arena, nb_in_set);
    const nb_vector **parts = NB_ARENA_ARRAY(arena, const nb_vector *, n + 1);
    uint64_t size = 16;

    if (set == NULL || parts == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        const nb_vector *v = items[i]->u.literal.value;

        if (nb_vector_is_null(v, 0)) {
            set->has_null = true;
        } else {
            parts[set->n++] = v;
        }
    }
    if (set->n == 0) {
        *out = set;
        return NB_OK;
    }
    NB_TRY(nb_vector_concat(arena, parts, set->n, &set->items));
    set->hashes = NB_ARENA_ARRAY(arena, uint64_t, set->n);
    while (size < 2 * (uint64_t)set->n) {
        size *= 2;
    }
    set->slots = nb_arena_zalloc(arena, size * sizeof(uint32_t));
    if (set->hashes == NULL || set->slots == NULL) {
        return NB_NOMEM;
    }
    set->mask = size - 1;
    nb_vector_hash(&set->items, set->n, set->hashes, false);
    for (int i = 0; i < set->n; i++) {
        uint64_t at = set->hashes[i] & set->mask;

        while (set->slots[at] != 0) {
            at = (at + 1) & set->mask;
        }
        set->slots[at] = (uint32_t)i + 1;
    }
    *out = set;
    return NB_OK;
}

#define NB_T       int32_t
#define NB_NAME(f) int32_##f
#include "expr/eval_in_tmpl.h"
#define NB_T       int64_t
#define NB_NAME(f) int64_##f
#include "expr/eval_in_tmpl.h"

static nb_status
probe_flat(const nb_in_set *set, nb_arena *arena, const nb_vector *v, int64_t n, uint8_t *found)
{
    uint64_t *hashes;
    nb_phys phys = v->type->phys;

    memset(found, 0, (size_t)n);
    if (set->n == 0) {
        return NB_OK;
    }
    if (set->n <= FEW && phys == NB_PHYS_INT32) {
        int32_few(v->data, n, set->items.data, set->n, found);
        return NB_OK;
    }
    if (set->n <= FEW && phys == NB_PHYS_INT64) {
        int64_few(v->data, n, set->items.data, set->n, found);
        return NB_OK;
    }
    hashes = NB_ARENA_ARRAY(arena, uint64_t, n + 1);
    if (hashes == NULL) {
        return NB_NOMEM;
    }
    nb_vector_hash(v, n, hashes, false);
    for (int64_t i = 0; i < n; i++) {
        uint64_t at = hashes[i] & set->mask;

        for (; set->slots[at] != 0; at = (at + 1) & set->mask) {
            uint32_t item = set->slots[at] - 1;

            if (set->hashes[item] != hashes[i]) {
                continue;
            }
            if (phys == NB_PHYS_STRING
                    ? nb_view_equal(NB_DATA(nb_view, v) + i, NB_DATA(nb_view, &set->items) + item)
                    : nb_vector_compare(v, i, &set->items, item) == 0) {
                found[i] = 1;
                break;
            }
        }
    }
    return NB_OK;
}

nb_status
nb_in_set_probe(const nb_in_set *set, nb_arena *arena, const nb_vector *v, int64_t n,
                nb_vector *out)
{
    const nb_vector *base = v->kind == NB_VEC_DICT ? v->dict : v;
    int64_t m = v->kind == NB_VEC_CONST ? 1 : v->kind == NB_VEC_DICT ? base->n_rows : n;
    nb_vector flat, *result = out;

    if (v->type->id == NB_TYPE_NULL || (v->kind == NB_VEC_CONST && nb_vector_is_null(v, 0))) {
        return nb_vector_const_null(arena, nb_type_of(NB_TYPE_BOOL), n, out);
    }
    if (v->kind == NB_VEC_DICT && m > 2 * n) {
        NB_TRY(nb_vector_flatten(arena, v, &flat));
        base = &flat;
        m = n;
    } else if (v->kind == NB_VEC_DICT) {
        result = NB_ARENA_NEW(arena, nb_vector);
        if (result == NULL) {
            return NB_NOMEM;
        }
    } else {
        flat = *base;
        flat.kind = NB_VEC_FLAT;
        flat.n_rows = (int32_t)m;
        base = &flat;
    }
    NB_TRY(nb_vector_alloc(arena, nb_type_of(NB_TYPE_BOOL), m, result));
    NB_TRY(probe_flat(set, arena, base, m, result->data));
    if (base->validity != NULL || set->has_null) {
        NB_TRY(nb_vector_need_validity(arena, result));
        if (base->validity != NULL) {
            nb_bitmap_copy(base->validity, 0, result->validity, 0, m);
        }
        for (int64_t i = 0; set->has_null && i < m; i++) {
            if (!NB_DATA(uint8_t, result)[i]) {
                nb_bit_clear(result->validity, i);
            }
        }
    }
    if (result != out) {
        *out = (nb_vector){.type = result->type,
                           .kind = NB_VEC_DICT,
                           .n_rows = (int32_t)n,
                           .indices = v->indices,
                           .dict = result};
    } else if (v->kind == NB_VEC_CONST) {
        out->kind = NB_VEC_CONST;
        out->n_rows = (int32_t)n;
    }
    return NB_OK;
}
