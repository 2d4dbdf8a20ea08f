/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bounds.h: the least and the greatest value of a page or chunk that is written.
 *
 * Orders are those of the format: numbers by value, NaN left out, a bound of zero written as -0.0 below and +0.0 above; booleans; strings and binaries by
 * unsigned bytes. Long strings are cut to BOUND_BYTES: below a prefix, above the next prefix, marked as not exact.
 */
#ifndef NB_IO_PARQUET_BOUNDS_H
#define NB_IO_PARQUET_BOUNDS_H

#include "column/vector.h"
#include "io/parquet/bytes.h"
#include "io/parquet/out_schema.h"

typedef struct nb_pq_bounds {
    bool has;            /* a value that is not NaN has come */
    nb_int128 low, high; /* integers of all widths, booleans, decimals */
    double low_real, high_real;
    nb_pq_bytes low_bytes, high_bytes;
} nb_pq_bounds;

/* As files hold them; cut ones are not exact. data NULL: there is none. */
typedef struct nb_pq_bound {
    nb_str bytes;
    bool exact;
} nb_pq_bound;

/* n values as out_values.h makes them. */
void
nb_pq_bounds_numbers(nb_pq_bounds *b, const nb_pq_out_leaf *leaf, const void *values, int64_t n);
nb_status nb_pq_bounds_strings(nb_pool *pool, nb_pq_bounds *b, const nb_view *values, int64_t n);
/* of takes what is in add, too. */
nb_status nb_pq_bounds_merge(nb_pool *pool, nb_pq_bounds *of, const nb_pq_bounds *add);
nb_status nb_pq_bounds_low(nb_arena *arena, const nb_pq_bounds *b, const nb_pq_out_leaf *leaf,
                           nb_pq_bound *out);
nb_status nb_pq_bounds_high(nb_arena *arena, const nb_pq_bounds *b, const nb_pq_out_leaf *leaf,
                            nb_pq_bound *out);
/* <0, 0, >0 of two bounds that have values. */
int
nb_pq_bounds_compare_low(const nb_pq_bounds *a, const nb_pq_bounds *b, const nb_pq_out_leaf *leaf);
int
nb_pq_bounds_compare_high(const nb_pq_bounds *a, const nb_pq_bounds *b, const nb_pq_out_leaf *leaf);
void nb_pq_bounds_clear(nb_pq_bounds *b); /* keeps the memory */
void nb_pq_bounds_free(nb_pool *pool, nb_pq_bounds *b);

#endif
