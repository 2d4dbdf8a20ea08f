/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_key.h: keys of rows as bytes whose order under memcmp is that of the rows.
 *
 * What is sorted in pieces is compared by these when the pieces are merged; no key is the beginning of another one.
 */
#ifndef NB_EXEC_SORT_KEY_H
#define NB_EXEC_SORT_KEY_H

#include "exec/sort_rows.h"

/* Appends the key of row `row` of v (any kind). Failure is sticky in out->failed. */
void
nb_sort_key_put(const nb_vector *v, int64_t row, bool descending, bool nulls_last, nb_strbuf *out);
/* An unsigned number of n bytes (4 or 8). */
void nb_sort_key_put_number(uint64_t x, int n_bytes, nb_strbuf *out);

/* The first 8 bytes as a number of the same order. */
NB_INLINE uint64_t
nb_sort_key_head(const nb_view *key)
{
    uint64_t x = 0;

    memcpy(&x, nb_view_data(key), NB_MIN(key->len, 8u));
    return __builtin_bswap64(x);
}

#endif
