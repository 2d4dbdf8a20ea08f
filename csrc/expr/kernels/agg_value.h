/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_value.h: one value of any type, kept in an aggregate's state, and growing lists of such values.
 *
 * A value takes 16 bytes: numbers as they are, strings as a view whose bytes belong to the state's arena, nested values as a pointer to
 * a one-row vector in that arena. Values are read back by writing them into rows of a FLAT result vector.
 */
#ifndef NB_EXPR_KERNELS_AGG_VALUE_H
#define NB_EXPR_KERNELS_AGG_VALUE_H

#include "expr/kernels/agg.h"

typedef struct nb_agg_value {
    union {
        uint8_t bytes[16]; /* numbers; nb_view */
        nb_view view;
        nb_vector *nested;
    };
} nb_agg_value;

/* Is the value of this type held as a pointer to a one-row vector? */
NB_INLINE bool
nb_agg_is_nested(const nb_type *t)
{
    return t->phys == NB_PHYS_LIST || t->phys == NB_PHYS_STRUCT ||
           (t->phys == NB_PHYS_NONE && t->id == NB_TYPE_UDT);
}

/* Row of v (not null) into *value; what it points at is copied into memory. `room` (may be NULL) is the size of the buffer that a string
 * in *value owns, so that it can be overwritten in place. */
nb_status nb_agg_value_set(nb_arena *memory, const nb_vector *v, int64_t row, nb_agg_value *value,
                           uint32_t *room);
/* The same from another value of the type. */
nb_status nb_agg_value_copy(nb_arena *memory, const nb_type *t, const nb_agg_value *from,
                            nb_agg_value *value, uint32_t *room);
/* Spark's order (NaN greatest, -0.0 = 0.0). */
int nb_agg_value_compare(const nb_type *t, const nb_agg_value *a, const nb_agg_value *b);
int
nb_agg_value_compare_row(const nb_type *t, const nb_agg_value *a, const nb_vector *v, int64_t row);
uint64_t nb_agg_value_hash(const nb_type *t, const nb_agg_value *a);
/* values[i] (NULL pointer = null) to row i of a new FLAT vector of n rows in the arena. */
nb_status nb_agg_values_to_vector(nb_arena *arena, const nb_type *t,
                                  const nb_agg_value *const *values, int64_t n, nb_vector *out);

nb_status nb_agg_value_serialize(nb_agg_ctx *ctx, const nb_type *t, const nb_agg_value *value,
                                 nb_strbuf *out);
nb_status
nb_agg_value_deserialize(nb_agg_ctx *ctx, const nb_type *t, nb_str *in, nb_agg_value *value);

/* ---- lists ------------------------------------------------------------------------------------------------------------------------- */

/* Where a value came from: rows of one morsel have rising numbers, so sorting by (order, row) gives the table's order. */
typedef struct nb_agg_item {
    nb_agg_value value;
    uint64_t order;
    int64_t row; /* row number; -1 - row when the item is null */
} nb_agg_item;

typedef struct nb_agg_list {
    nb_agg_item *items; /* in the state's arena */
    uint32_t n, cap;
    bool unsorted; /* an item came before an earlier one */
} nb_agg_list;

NB_INLINE int64_t
nb_agg_item_row(const nb_agg_item *it)
{
    return it->row < 0 ? -1 - it->row : it->row;
}
/* Room for one more at the end: the caller fills it. NULL when out of memory. */
nb_agg_item *nb_agg_list_push(nb_arena *memory, nb_agg_list *list, uint64_t order, int64_t row);
void nb_agg_list_sort(nb_agg_list *list); /* by (order, row) */
nb_status
nb_agg_list_merge(nb_arena *memory, const nb_type *t, nb_agg_list *into, const nb_agg_list *from);
nb_status
nb_agg_list_serialize(nb_agg_ctx *ctx, const nb_type *t, const nb_agg_list *list, nb_strbuf *out);
nb_status
nb_agg_list_deserialize(nb_agg_ctx *ctx, const nb_type *t, nb_str bytes, nb_agg_list *list);

#endif
