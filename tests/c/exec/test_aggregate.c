/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_aggregate.c: groups of every kind of key, the same rows in the same order however they were computed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "exec/exec_util.h"

static int64_t modulus = 10;

static bool
numbers(int64_t row, int col, int64_t *value)
{
    uint64_t x = (uint64_t)row * 0x9e3779b97f4a7c15u;

    x ^= x >> 29;
    *value = col == 4 ? (int64_t)(x % 1000) : (int64_t)(x % (uint64_t)modulus) - modulus / 3;
    if (col >= 1 && col <= 3) {
        *value = NB_MAX(*value, -*value);
    }
    return col == 4 ? row % 11 != 0 : row % 97 != 5;
}

#define SCHEMA "k:long i:int s:string l:longs v:long"

/* One result for all: computed by one thread without spilling. */
static void
check_keys(const int *keys, int n_keys, int64_t groups, int64_t n)
{
    nb_table *expected = NULL;
    exec_fixture base;

    modulus = groups;
    exec_begin(&base, 1, 0);
    for (int mode = 0; mode < 5; mode++) {
        exec_fixture f;
        nb_table *table, *out;
        nb_expr *aggs[3];
        int64_t total = 0;

        if (mode == 2 && n > 50000) {
            continue; /* three at a time take too long */
        }
        exec_begin(&f, mode == 0 ? 1 : mode == 4 ? 5 : 2, 0);
        f.ctx.batch_rows = mode == 2 ? 3 : 0; /* then tables are put aside, too */
        f.ctx.force_spill = mode == 3;
        table = make_table(&f, schema_of(SCHEMA), n, 5000, numbers);
        aggs[0] = sum_of(&f, table->schema, 4, false);
        aggs[1] = sum_of(&f, table->schema, 4, true);
        aggs[2] = text_max_of(&f, table->schema, 2);
        out = run_plan(&f, aggregate_node(&f, table_node(&f, table), keys, n_keys, aggs, 3));
        for (int64_t i = 0; i < n; i++) {
            int64_t v = 0;

            total += numbers(i, 4, &v) ? v : 0;
        }
        for (int64_t i = 0; i < out->n_rows; i++) {
            total -= null_at(out, i, n_keys) ? 0 : long_at(out, i, n_keys);
        }
        assert_true(total == 0);
        if (mode == 0) {
            nb_chunk_builder *b;
            nb_arena *arena = nb_arena_new(NULL);

            assert_int_equal(nb_table_new(base.pool, out->schema, &expected), NB_OK);
            assert_int_equal(nb_chunk_builder_new(base.pool, out->schema, &b), NB_OK);
            for (int c = 0; c < out->n_chunks; c++) {
                nb_chunk *chunk;
                nb_batch batch;

                assert_int_equal(nb_chunk_batch(out->chunks[c], out->schema->n_children, 0,
                                                out->chunks[c]->n_rows, arena, &batch),
                                 NB_OK);
                assert_int_equal(nb_chunk_builder_append(b, &batch), NB_OK);
                assert_int_equal(nb_chunk_builder_finish(b, &chunk), NB_OK);
                assert_int_equal(nb_table_append(expected, chunk), NB_OK);
            }
            nb_chunk_builder_free(b);
            nb_arena_free(arena);
        } else {
            assert_tables_equal(expected, out);
        }
        nb_table_release(out);
        nb_table_release(table);
        exec_end(&f);
    }
    nb_table_release(expected);
    exec_end(&base);
}

static void
test_aggregate__kinds_of_keys(void **state)
{
    static const int KEYS[][3] = {{0}, {1}, {2}, {3}, {0, 1}, {2, 0}, {1, 3, 2}};
    static const int N_KEYS[] = {1, 1, 1, 1, 2, 2, 3};

    (void)state;
    for (size_t k = 0; k < NB_COUNT_OF(N_KEYS); k++) {
        check_keys(KEYS[k], N_KEYS[k], 10, 6000);
        check_keys(KEYS[k], N_KEYS[k], 100000, 20000);
    }
}

static void
test_aggregate__no_keys(void **state)
{
    (void)state;
    check_keys(NULL, 0, 100, 0);
    check_keys(NULL, 0, 100, 30000);
}

static void
test_aggregate__counts_are_right(void **state)
{
    exec_fixture f;
    nb_table *out;
    nb_node *range, *agg;
    nb_expr *sums[1];
    static const int key = 0;

    (void)state;
    exec_begin(&f, 2, 0);
    range = range_node(&f, 0, 300000, 1, 2);
    sums[0] = sum_of(&f, range->schema, 0, false);
    agg = aggregate_node(&f, range, &key, 1, sums, 1);
    out = run_plan(&f, agg);
    assert_int_equal(out->n_rows, 300000);
    for (int64_t i = 0; i < 300000; i += 101) {
        assert_true(long_at(out, i, 0) == long_at(out, i, 1));
    }
    assert_int_equal(atomic_load(&agg->metrics->rows_out), 300000);
    nb_table_release(out);
    exec_end(&f);
}

static void
test_aggregate__spills_when_memory_is_short(void **state)
{
    exec_fixture f;
    nb_table *out;
    nb_node *range, *agg;
    nb_expr *sums[1];
    static const int key = 0;

    (void)state;
    exec_begin(&f, 2, (size_t)32 << 20);
    range = range_node(&f, 0, 900000, 1, 2);
    sums[0] = sum_of(&f, range->schema, 0, false);
    agg = aggregate_node(&f, range, &key, 1, sums, 1);
    out = run_plan(&f, limit_node(&f, limit_node(&f, agg, 300000, 0), 200000, 0));
    assert_int_equal(out->n_rows, 200000);
    assert_true(atomic_load(&agg->metrics->bytes_spilled) > 0);
    nb_table_release(out);
    exec_end(&f);
}

/* Rows that were put aside go to disk with those of the table. Every number comes once, so that tables are put aside because of that as well. */
static void
test_aggregate__spills_what_was_put_aside(void **state)
{
    static const int key = 0;

    (void)state;
    for (int tiny = 0; tiny < 2; tiny++) {
        exec_fixture f;
        nb_table *out;
        nb_node *range, *agg;
        nb_expr *aggs[2];

        exec_begin(&f, 2, (size_t)(tiny ? 24 : 40) << 20);
        f.ctx.batch_rows = tiny ? 3 : 0;
        range = range_node(&f, 0, tiny ? 60000 : 900000, 1, 2);
        aggs[0] = sum_of(&f, range->schema, 0, false);
        aggs[1] = sum_of(&f, range->schema, 0, true);
        agg = aggregate_node(&f, range, &key, 1, aggs, 2);
        out = run_plan(&f, limit_node(&f, limit_node(&f, agg, 40000, 0), 40000, 0));
        assert_int_equal(out->n_rows, 40000);
        for (int64_t i = 0; i < 40000; i += 7) {
            assert_true(long_at(out, i, 0) == long_at(out, i, 1));
            assert_true(long_at(out, i, 0) == long_at(out, i, 2));
        }
        assert_true(atomic_load(&agg->metrics->bytes_spilled) > 0);
        nb_table_release(out);
        exec_end(&f);
    }
}

/* Groups that hardly repeat: tables are put aside, and give the rows and the order that one table gives. */
static void
test_aggregate__puts_aside(void **state)
{
    (void)state;
    check_keys((const int[]){0}, 1, INT64_C(1) << 40, 200000);
    check_keys((const int[]){0, 2}, 2, INT64_C(1) << 40, 200000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aggregate__kinds_of_keys),
        cmocka_unit_test(test_aggregate__no_keys),
        cmocka_unit_test(test_aggregate__counts_are_right),
        cmocka_unit_test(test_aggregate__spills_when_memory_is_short),
        cmocka_unit_test(test_aggregate__spills_what_was_put_aside),
        cmocka_unit_test(test_aggregate__puts_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
