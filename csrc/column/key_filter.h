/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_filter.h: which integers may be among a set: what a join knows of its build side, for the scan of the other.
 *
 * Never says no to a member. Where the range of the keys is not much wider than they are many it is a bitmap and exact, else a Bloom filter of
 * blocks: one cache line per question. Immutable once made, so that threads share it.
 */
#ifndef NB_COLUMN_KEY_FILTER_H
#define NB_COLUMN_KEY_FILTER_H

#include "column/vector.h"

typedef struct nb_key_filter nb_key_filter;

/* Of the rows of a flat vector of an integer layout (INT8 to INT64, so dates and short decimals, too); nulls are left out. In the arena.
 * *out NULL: not for this type. */
nb_status nb_key_filter_new(nb_arena *arena, const nb_vector *keys, nb_key_filter **out);
/* The least and the greatest key; false when there is none. */
bool nb_key_filter_range(const nb_key_filter *f, int64_t *low, int64_t *high);
/* keep[i] &= may row i of a flat vector of the same layout be a key? Null rows are none. */
void nb_key_filter_test(const nb_key_filter *f, const nb_vector *v, int64_t n, uint8_t *keep);

#endif
