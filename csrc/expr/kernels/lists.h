/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lists.h: building lists out of elements that are there already.
 *
 * Most array functions choose elements of their arguments. They note the rows of a source vector that they take, in order, and gather once at
 * the end:
 *     nb_picks_begin → per row: nb_picks_add* and nb_picks_end_row → nb_picks_finish
 */
#ifndef NB_EXPR_KERNELS_LISTS_H
#define NB_EXPR_KERNELS_LISTS_H

#include "expr/registry.h"

typedef struct nb_picks {
    nb_arena *arena;
    nb_vector *out; /* ARRAY or MAP, FLAT, with its lists allocated */
    uint32_t *idx;  /* UINT32_MAX = a null element */
    int64_t n, cap;
    int64_t row_start;
} nb_picks;

/* Room is made for `expect` elements at first. */
nb_status nb_picks_begin(nb_picks *p, nb_arena *arena, nb_vector *out, int64_t expect);
NB_INLINE nb_status nb_picks_add(nb_picks *p, uint32_t row);
nb_status nb_picks_grow(nb_picks *p, int64_t more);
/* Row i of out is what was added since the last end. */
void nb_picks_end_row(nb_picks *p, int64_t i);
/* Child c of out becomes the picked rows of source (flat, dictionary or constant). */
nb_status nb_picks_finish(nb_picks *p, int c, const nb_vector *source);

NB_INLINE nb_status
nb_picks_add(nb_picks *p, uint32_t row)
{
    if (NB_UNLIKELY(p->n == p->cap)) {
        NB_TRY(nb_picks_grow(p, 1));
    }
    p->idx[p->n++] = row;
    return NB_OK;
}

/* The list of row i of an ARRAY or MAP vector (FLAT or CONST); empty when null. */
NB_INLINE nb_list
nb_list_at(const nb_vector *v, int64_t i)
{
    return nb_vector_is_null(v, i) ? (nb_list){0, 0}
                                   : NB_DATA(nb_list, v)[v->kind == NB_VEC_CONST ? 0 : i];
}

/* Raises DUPLICATED_MAP_KEY and NULL_MAP_KEY for rows [0, n) of a MAP vector; where the session says LAST_WIN, duplicates are taken
 * out of the map instead. */
nb_status nb_map_check_keys(nb_kernel_ctx *ctx, nb_vector *map, int64_t n);
bool nb_map_last_wins(const nb_kernel_ctx *ctx);

/* Raises COLLECTION_SIZE_LIMIT_EXCEEDED. */
nb_status nb_array_too_long(nb_kernel_ctx *ctx, int64_t n);
/* An array, or a NULL as one of NULLs; else UNEXPECTED_INPUT_TYPE. */
nb_status nb_bind_need_array(nb_bound_call *call, int arg, nb_error *err);
/* Raises ARRAY_FUNCTION_DIFF_TYPES. */
nb_status nb_bind_array_diff_types(nb_bound_call *call, int array, int element, nb_error *err);
/* array_sort without a comparator: ascending, nulls last. */
nb_status nb_bind_array_sort_natural(nb_bound_call *call, nb_error *err);

/* The elements of several ARRAY vectors in one vector; base[k] is where those of parts[k] begin. */
nb_status
nb_lists_join(nb_arena *arena, const nb_vector *parts, int n_parts, nb_vector *all, uint32_t *base);

/* Distinct values among rows of one vector: a table that is emptied per list. */
typedef struct nb_value_set {
    const nb_vector *values;
    uint64_t *hashes; /* of all rows of values */
    uint32_t *slots;  /* row + 1 */
    uint32_t *used;   /* slots to empty */
    uint64_t mask;
    int64_t n_used;
    bool has_null;
} nb_value_set;

/* most: the largest number of values that one list will add. */
nb_status
nb_value_set_new(nb_arena *arena, const nb_vector *values, int64_t most, nb_value_set *out);
void nb_value_set_clear(nb_value_set *s);
/* Adds the value at row; false when an equal one is there. Nulls equal each other. */
bool nb_value_set_add(nb_value_set *s, uint32_t row);
bool nb_value_set_has(const nb_value_set *s, uint32_t row);
/* The row whose value, which is not null, equals that at row; UINT32_MAX: none was added. */
uint32_t nb_value_set_find(const nb_value_set *s, uint32_t row);

#endif
