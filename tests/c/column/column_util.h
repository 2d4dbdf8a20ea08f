/* SPDX-License-Identifier: Apache-2.0 */
/*
 * column_util.h: vectors with known content for the tests of columns.
 */
#ifndef NB_TESTS_COLUMN_UTIL_H
#define NB_TESTS_COLUMN_UTIL_H

#include "column/vector.h"

typedef enum nulls_kind { NO_NULLS, SOME_NULLS, ALL_NULLS } nulls_kind;

/* Types that between them cover every physical layout; ends with NULL. */
const nb_type *const *test_types(void);
extern const int64_t test_lengths[8]; /* 0, 1, 63, 64, 65, 2047, 2048, 2049 */

/* A flat vector of n rows: row i holds value number seed + i, or null. */
void make_vector(nb_arena *arena, const nb_type *type, int64_t n, nulls_kind nulls, uint64_t seed,
                 nb_vector *out);
/* The same rows as a dictionary vector with repeated, shuffled entries; out's row i is row (i * 7) % entries. */
void make_dict(nb_arena *arena, const nb_type *type, int64_t n, int64_t entries, nulls_kind nulls,
               nb_vector *out);
/* Fails the test when row i of a is not row j of b. */
void assert_rows_equal(const nb_vector *a, int64_t i, const nb_vector *b, int64_t j);

#endif
