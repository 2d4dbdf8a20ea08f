/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prune.h: rows that a filter cannot take, by what the file says of chunks and pages: bounds and bloom filters.
 */
#ifndef NB_IO_PARQUET_PRUNE_H
#define NB_IO_PARQUET_PRUNE_H

#include "expr/expr.h"
#include "io/parquet/page_index.h"

typedef enum nb_pq_test_kind {
    NB_PQ_NO_TEST,
    NB_PQ_TEST_INT,
    NB_PQ_TEST_REAL,
    NB_PQ_TEST_TEXT
} nb_pq_test_kind;
typedef enum nb_pq_test_op { NB_PQ_LT, NB_PQ_LE, NB_PQ_GT, NB_PQ_GE, NB_PQ_EQ } nb_pq_test_op;

/* column op value */
typedef struct nb_pq_test {
    nb_pq_test_kind kind;
    nb_pq_test_op op;
    nb_int128 whole; /* of decimals: unscaled */
    double real;
    nb_str text; /* borrowed from the expression */
} nb_pq_test;

/* kind NB_PQ_NO_TEST where the expression is no comparison of a column and a constant of its own type. */
nb_pq_test nb_pq_test_of(const nb_expr *e);
/* Do the bounds (as files hold them; data NULL: unknown) exclude that a value passes? */
bool
nb_pq_test_excludes(const nb_pq_test *test, const nb_pq_column *column, nb_str low, nb_str high);
/* The hash that a bloom filter has of the value of an equality; false: there is none. */
bool nb_pq_test_hash(const nb_pq_test *test, const nb_pq_column *column, uint64_t *hash);

#endif
