/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_util.h: plans made by hand, for the tests of operators.
 */
#ifndef NB_TESTS_EXEC_UTIL_H
#define NB_TESTS_EXEC_UTIL_H

#include "exec/exec.h"
#include "expr/aggregate.h"

/* A query's surroundings. exec_begin makes one, exec_end checks that nothing is left. */
typedef struct exec_fixture {
    nb_pool *pool;
    nb_arena *arena; /* plans */
    nb_session_info info;
    nb_exec_ctx ctx;
} exec_fixture;

void exec_begin(exec_fixture *f, int n_threads, size_t memory_limit);
void exec_end(exec_fixture *f);

/* A struct type from "name:type" pairs: long, int, double, string, longs (array). */
const nb_type *schema_of(const char *text);

/* A table filled by fn, which gives the value of (row, col) as a number, or false for null. Strings are "s<number>", longer than 12
 * bytes for every third one; arrays hold the number's last digits. chunk_rows rows per chunk. */
typedef bool (*value_fn)(int64_t row, int col, int64_t *value);
nb_table *
make_table(exec_fixture *f, const nb_type *schema, int64_t n, int64_t chunk_rows, value_fn fn);

nb_node *new_node(exec_fixture *f, nb_node_kind kind, const nb_type *schema, nb_node *child);
nb_node *table_node(exec_fixture *f, nb_table *table);
nb_node *range_node(exec_fixture *f, int64_t start, int64_t end, int64_t step, int n_partitions);
nb_node *limit_node(exec_fixture *f, nb_node *child, int64_t limit, int64_t offset);
/* Groups by columns keys[0..n_keys) with the given aggregates; result columns are named k0 … a0 …. */
nb_node *aggregate_node(exec_fixture *f, nb_node *child, const int *keys, int n_keys,
                        nb_expr **aggs, int n_aggs);

/* Column i of a schema as a bound expression. */
nb_expr *column(exec_fixture *f, const nb_type *schema, int i);
/* sum(bigint) / count / max(string, by copying into the states' memory) of column i: made here, so that operators can be tested
 * without the registry. */
nb_expr *sum_of(exec_fixture *f, const nb_type *schema, int i, bool distinct);
nb_expr *text_max_of(exec_fixture *f, const nb_type *schema, int i);

/* Runs; fails the test when the status is not NB_OK. */
nb_table *run_plan(exec_fixture *f, nb_node *root);
/* Row numbers of the whole table, across chunks. */
int64_t long_at(const nb_table *t, int64_t row, int col);
bool null_at(const nb_table *t, int64_t row, int col);
nb_str text_at(const nb_table *t, int64_t row, int col);
/* Same rows in the same order? */
void assert_tables_equal(const nb_table *a, const nb_table *b);

#endif
