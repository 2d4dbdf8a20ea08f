/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_filter.h: which integers may be among a set: what a join knows of its build side, for the scan of the other; or up to which
 * bound they are wanted: what ORDER BY … LIMIT knows of the rows that it has, for the scan below it.
 *
 * Never says no to a member. Where the range of the keys is not much wider than they are many it is a bitmap and exact, else a Bloom filter of
 * blocks: one cache line per question. Immutable once made, so that threads share it; a bound grows tighter while they look at it.
 */
#ifndef NB_COLUMN_KEY_FILTER_H
#define NB_COLUMN_KEY_FILTER_H

#include "column/vector.h"

typedef struct nb_key_filter nb_key_filter;

/* Of the rows of a flat vector of an integer layout (INT8 to INT64, so dates and short decimals, too); nulls are left out. In the arena.
 * *out NULL: not for this type. */
nb_status nb_key_filter_new(nb_arena *arena, const nb_vector *keys, nb_key_filter **out);
/* A bound for values of a type with an integer layout: nothing greater (descending: nothing less) than what it was last tightened to. *out NULL:
 * not for this type. */
nb_status nb_key_filter_new_bound(nb_arena *arena, const nb_type *type, bool descending,
                                  bool keeps_nulls, nb_key_filter **out);
/* From now on `v` is the last value that is wanted, unless an earlier one was said before. */
void nb_key_filter_tighten(nb_key_filter *f, int64_t v);
/* Is it a bound that has not been tightened yet, so that everything passes? */
bool nb_key_filter_is_open(const nb_key_filter *f);
/* Is it a bound, and for which order? */
bool nb_key_filter_is_bound(const nb_key_filter *f, bool *descending);
/* Do null rows pass? */
bool nb_key_filter_keeps_nulls(const nb_key_filter *f);
/* The least and the greatest key; false when there is none. */
bool nb_key_filter_range(const nb_key_filter *f, int64_t *low, int64_t *high);
/* keep[i] &= may row i of a flat vector of the same layout be a key? Null rows are none, unless the filter keeps them. */
void nb_key_filter_test(const nb_key_filter *f, const nb_vector *v, int64_t n, uint8_t *keep);

#endif
