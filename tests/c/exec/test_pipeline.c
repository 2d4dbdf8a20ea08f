/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pipeline.c: sources, limits, unions and their order, on one and on many threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "exec/exec_util.h"

static const int THREADS[] = {1, 2, 5};

static bool
plain(int64_t row, int col, int64_t *value)
{
    *value = row * 10 + col;
    return row % 7 != 3;
}

static void
test_pipeline__range_counts_like_spark(void **state)
{
    static const int64_t CASES[][3] = {
        {0, 10, 1},      {0, 0, 1},      {5, -5, -3},
        {0, 1000000, 7}, {-3, 4, 2},     {INT64_MAX - 3, INT64_MAX, 2},
        {10, 0, 1},      {0, 700000, 1},
    };

    (void)state;
    for (size_t c = 0; c < NB_COUNT_OF(CASES); c++) {
        for (size_t t = 0; t < NB_COUNT_OF(THREADS); t++) {
            exec_fixture f;
            nb_table *out;
            int64_t i = 0;

            exec_begin(&f, THREADS[t], 0);
            out = run_plan(&f, range_node(&f, CASES[c][0], CASES[c][1], CASES[c][2], 3));
            for (nb_int128 v = CASES[c][0]; CASES[c][2] > 0 ? v < CASES[c][1] : v > CASES[c][1];
                 v += CASES[c][2]) {
                if (i % 1009 == 0 || out->n_rows < 2000) {
                    assert_true(long_at(out, i, 0) == (int64_t)v);
                }
                i++;
            }
            assert_int_equal(out->n_rows, i);
            nb_table_release(out);
            exec_end(&f);
        }
    }
}

static void
test_pipeline__limits_take_the_first_rows(void **state)
{
    static const int64_t CASES[][2] = {{0, 0},       {1, 0},       {10, 5},      {5000, 3000},
                                       {1 << 20, 0}, {7, 1 << 20}, {-1, 200000}, {2048, 2048}};

    (void)state;
    for (size_t c = 0; c < NB_COUNT_OF(CASES); c++) {
        for (size_t t = 0; t < NB_COUNT_OF(THREADS); t++) {
            for (int nested = 0; nested < 2; nested++) {
                exec_fixture f;
                int64_t limit = CASES[c][0], offset = CASES[c][1], n = 300000, expected;
                nb_table *out;
                nb_node *plan;

                exec_begin(&f, THREADS[t], 0);
                plan = limit_node(&f, range_node(&f, 0, n, 1, 4), limit, offset);
                if (nested) {
                    plan = limit_node(&f, plan, -1, 0);
                }
                out = run_plan(&f, plan);
                expected = NB_MAX(n - offset, 0);
                expected = limit >= 0 ? NB_MIN(limit, expected) : expected;
                assert_int_equal(out->n_rows, expected);
                for (int64_t i = 0; i < expected; i += 997) {
                    assert_true(long_at(out, i, 0) == offset + i);
                }
                nb_table_release(out);
                exec_end(&f);
            }
        }
    }
}

static void
test_pipeline__unions_follow_each_other(void **state)
{
    (void)state;
    for (size_t t = 0; t < NB_COUNT_OF(THREADS); t++) {
        exec_fixture f;
        nb_table *out, *table;
        nb_node *u;

        exec_begin(&f, THREADS[t], 0);
        table = make_table(&f, schema_of("id:long"), 5000, 1234, plain);
        u = new_node(&f, NB_NODE_UNION, schema_of("id:long"), NULL);
        u->n_children = 3;
        u->children = NB_ARENA_ARRAY(f.arena, nb_node *, 3);
        u->children[0] = range_node(&f, 0, 100000, 1, 2);
        u->children[1] = table_node(&f, table);
        u->children[2] = limit_node(&f, range_node(&f, 0, 100000, 1, 2), 10, 0);
        out = run_plan(&f, u);
        assert_int_equal(out->n_rows, 105010);
        assert_true(long_at(out, 99999, 0) == 99999);
        assert_true(long_at(out, 100000 + 4999, 0) == 49990);
        assert_true(null_at(out, 100003, 0));
        assert_true(long_at(out, 105009, 0) == 9);
        nb_table_release(out);
        nb_table_release(table);
        exec_end(&f);
    }
}

static void
test_pipeline__small_batches_and_tails(void **state)
{
    exec_fixture f;
    nb_table *out, *table;
    nb_node *tail;

    (void)state;
    exec_begin(&f, 2, 0);
    f.ctx.batch_rows = 3;
    table = make_table(&f, schema_of("id:long s:string l:longs"), 5000, 700, plain);
    out = run_plan(&f, table_node(&f, table));
    assert_tables_equal(table, out);
    nb_table_release(out);
    tail = new_node(&f, NB_NODE_TAIL, table->schema, table_node(&f, table));
    tail->u.limit.limit = 1500;
    out = run_plan(&f, tail);
    assert_int_equal(out->n_rows, 1500);
    assert_true(long_at(out, 1499, 0) == 49990);
    assert_true(long_at(out, 2, 0) == 35020);
    nb_table_release(out);
    nb_table_release(table);
    exec_end(&f);
}

static void
test_pipeline__stops_when_cancelled_or_out_of_memory(void **state)
{
    exec_fixture f;
    nb_cancel_flag cancel = {0};
    nb_error err = NB_ERROR_INIT;
    nb_table *out = NULL;

    (void)state;
    exec_begin(&f, 2, (size_t)1 << 20);
    assert_int_equal(nb_exec_run(&f.ctx, range_node(&f, 0, 10000000, 1, 2), &out, &err), NB_ERROR);
    assert_non_null(strstr(nb_error_message(&err), "[UNABLE_TO_ACQUIRE_MEMORY]"));
    nb_error_clear(&err);
    atomic_store(&cancel.requested, 1);
    f.ctx.cancel = &cancel;
    assert_int_equal(nb_exec_run(&f.ctx, range_node(&f, 0, 10, 1, 2), &out, &err), NB_CANCELLED);
    assert_null(out);
    exec_end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipeline__range_counts_like_spark),
        cmocka_unit_test(test_pipeline__limits_take_the_first_rows),
        cmocka_unit_test(test_pipeline__unions_follow_each_other),
        cmocka_unit_test(test_pipeline__small_batches_and_tails),
        cmocka_unit_test(test_pipeline__stops_when_cancelled_or_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
