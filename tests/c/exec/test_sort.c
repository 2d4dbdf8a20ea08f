/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sort.c: orders of all types, both directions, nulls at either end; ties keep their order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "exec/exec_util.h"

static int64_t spread = 100;
static bool force_spill;    /* of the checks that follow */
static size_t memory_limit; /* for all but the input; 0 = none */

static bool
values(int64_t row, int col, int64_t *value)
{
    uint64_t x = ((uint64_t)row + 1) * 0x9e3779b97f4a7c15u;

    x = (x ^ (x >> 31)) * (uint64_t)(col * 2 + 1);
    x ^= x >> 27;
    *value = col == 5 ? row : (int64_t)(x % (uint64_t)spread) - (col < 3 ? spread / 2 : 0);
    if (col == 0 && spread > 1000000) {
        *value = (int64_t)(x * 0xd6e8feb86659fd93u);
    }
    return col == 5 || x % 23 != 0;
}

#define SCHEMA "a:long b:int c:double d:string e:bool row:long"

static nb_sort_key *
keys_of(exec_fixture *f, const nb_type *schema, const int *cols, int n, unsigned flags)
{
    nb_sort_key *keys = NB_ARENA_ARRAY(f->arena, nb_sort_key, n);

    for (int k = 0; k < n; k++) {
        keys[k] =
            (nb_sort_key){column(f, schema, cols[k]), (flags >> k) & 1, (flags >> (k + 4)) & 1};
    }
    return keys;
}

static const nb_chunk *
chunk_of(const nb_table *t, int64_t *row)
{
    int c = 0;

    while (*row >= t->chunks[c]->n_rows) {
        *row -= t->chunks[c++]->n_rows;
    }
    return t->chunks[c];
}

static int
compare_at(const nb_table *t, const nb_sort_key *keys, int n, int64_t a, int64_t b)
{
    const nb_chunk *ca = chunk_of(t, &a), *cb = chunk_of(t, &b);

    for (int k = 0; k < n; k++) {
        int col = keys[k].expr->u.column.ordinal;
        const nb_vector *va = &ca->cols[col], *vb = &cb->cols[col];
        bool null_a = nb_vector_is_null(va, a), null_b = nb_vector_is_null(vb, b);
        int r;

        if (null_a || null_b) {
            r = ((int)null_b - (int)null_a) * (keys[k].nulls_last ? -1 : 1);
        } else {
            r = nb_vector_compare(va, a, vb, b) * (keys[k].descending ? -1 : 1);
        }
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

static void
check(const int *cols, int n_cols, unsigned flags, int64_t n, int threads, int64_t limit,
      int64_t offset)
{
    exec_fixture f;
    nb_table *table, *out;
    nb_node *sort, *all;
    nb_sort_key *keys;
    int64_t *seen, expected = n;

    exec_begin(&f, threads, 0);
    table = make_table(&f, schema_of(SCHEMA), n, 3000, values);
    f.ctx.pool = nb_pool_new(f.pool, "limited", memory_limit);
    f.ctx.force_spill = force_spill;
    /* a union, so that the table is not sorted where it lies */
    all = new_node(&f, NB_NODE_UNION, table->schema, table_node(&f, table));
    sort = new_node(&f, limit < 0 ? NB_NODE_SORT : NB_NODE_TOPN, table->schema, all);
    sort->u.sort.keys = keys = keys_of(&f, table->schema, cols, n_cols, flags);
    sort->u.sort.n_keys = n_cols;
    sort->u.sort.global = true;
    sort->u.sort.limit = limit;
    sort->u.sort.offset = offset;
    out = run_plan(&f, sort);
    if (limit >= 0) {
        expected = NB_MIN(limit, NB_MAX(n - offset, 0));
    }
    assert_int_equal(out->n_rows, expected);
    seen = calloc((size_t)n + 1, sizeof(*seen));
    for (int64_t i = 0; i < expected; i++) {
        int64_t row = long_at(out, i, 5);

        assert_int_equal(seen[row]++, 0);
        if (i > 0) {
            int r = compare_at(out, keys, n_cols, i - 1, i);
            assert_true(r < 0 || (r == 0 && long_at(out, i - 1, 5) < row));
        }
    }
    free(seen);
    nb_table_release(out);
    if (force_spill || memory_limit > 0) {
        assert_true(n <= NB_BATCH_ROWS || atomic_load(&sort->metrics->bytes_spilled) > 0);
        assert_true(memory_limit == 0 || nb_pool_peak(f.ctx.pool) <= memory_limit);
    }
    assert_int_equal(nb_pool_used(f.ctx.pool), 0);
    nb_pool_free(f.ctx.pool);
    nb_table_release(table);
    exec_end(&f);
}

static void
test_sort__every_type_and_direction(void **state)
{
    static const int COLS[][3] = {{0}, {1}, {2}, {3}, {4}, {4, 0}, {3, 2, 1}, {1, 3}, {2, 0}};
    static const int N[] = {1, 1, 1, 1, 1, 2, 3, 2, 2};
    static const int64_t SPREADS[] = {1, 10, 5000, 100000000};

    (void)state;
    for (size_t c = 0; c < NB_COUNT_OF(N); c++) {
        for (size_t s = 0; s < NB_COUNT_OF(SPREADS); s++) {
            spread = SPREADS[s];
            for (unsigned flags = 0; flags < 256; flags += 51) {
                check(COLS[c], N[c], flags, 7000, 2, -1, 0);
            }
        }
        spread = 3000;
        check(COLS[c], N[c], 0x12, 100000, 2, -1, 0);
        check(COLS[c], N[c], 0x21, 100000, 5, -1, 0);
    }
    check(COLS[0], 1, 0, 0, 2, -1, 0);
    check(COLS[0], 1, 0, 1, 2, -1, 0);
}

static void
test_sort__top_n(void **state)
{
    static const int COLS[] = {1, 3};
    exec_fixture f;
    nb_table *table, *whole, *top;
    nb_node *sort, *topn;

    (void)state;
    spread = 3000;
    check(COLS, 2, 0x1, 50000, 2, 100, 0);
    check(COLS, 2, 0x1, 50000, 2, 10, 49995);
    check(COLS, 2, 0x1, 50000, 1, 0, 0);
    for (int64_t limit = 1; limit < 30000; limit *= 13) {
        exec_begin(&f, 2, 0);
        table = make_table(&f, schema_of(SCHEMA), 60000, 3000, values);
        sort = new_node(&f, NB_NODE_SORT, table->schema, table_node(&f, table));
        sort->u.sort.keys = keys_of(&f, table->schema, COLS, 2, 0x13);
        sort->u.sort.n_keys = 2;
        sort->u.sort.global = true;
        topn = new_node(&f, NB_NODE_TOPN, table->schema, table_node(&f, table));
        topn->u.sort = sort->u.sort;
        topn->u.sort.limit = limit;
        topn->u.sort.offset = 5;
        whole = run_plan(&f, limit_node(&f, sort, limit, 5));
        top = run_plan(&f, topn);
        assert_tables_equal(whole, top);
        nb_table_release(whole);
        nb_table_release(top);
        nb_table_release(table);
        exec_end(&f);
    }
}

/* All rows go to disk: a run per batch or morsel, several passes. */
static void
test_sort__spilled(void **state)
{
    static const int COLS[][3] = {{0}, {1}, {2}, {3}, {4}, {4, 0}, {3, 2, 1}, {1, 3}, {2, 0}};
    static const int N[] = {1, 1, 1, 1, 1, 2, 3, 2, 2};

    (void)state;
    force_spill = true;
    for (size_t c = 0; c < NB_COUNT_OF(N); c++) {
        for (unsigned flags = 0; flags < 256; flags += 51) {
            spread = flags % 2 ? 10 : 100000000;
            check(COLS[c], N[c], flags, 20000, 2, -1, 0);
        }
    }
    check(COLS[8], 2, 0, 0, 2, -1, 0);
    check(COLS[8], 2, 0, 1, 2, -1, 0);
    check(COLS[1], 1, 0, 300000, 3, 200000, 150000); /* more than top-N takes */
    force_spill = false;
}

static void
test_sort__within_budget(void **state)
{
    static const int COLS[] = {3, 0};

    (void)state;
    spread = 100000;
    memory_limit = (size_t)40 << 20; /* the result takes half of it */
    check(COLS, 2, 0x1, 250000, 2, -1, 0);
    memory_limit = 0;
}

/* Runs end when an allocation fails, and everything is given back. */
static void
test_sort__fails_cleanly(void **state)
{
    int failed = 0;

    (void)state;
    spread = 1000;
    for (long nth = 1; nth < 400; nth += nth < 60 ? 1 : 17) {
        exec_fixture f;
        nb_table *table, *out = NULL;
        nb_node *sort;
        static const int COLS[] = {3, 1};
        nb_error err = NB_ERROR_INIT;

        exec_begin(&f, 2, 0);
        f.ctx.force_spill = true;
        table = make_table(&f, schema_of(SCHEMA), 9000, 3000, values);
        sort = new_node(&f, NB_NODE_SORT, table->schema, table_node(&f, table));
        sort->u.sort.keys = keys_of(&f, table->schema, COLS, 2, 0);
        sort->u.sort.n_keys = 2;
        sort->u.sort.global = true;
        nb_pool_fail_nth(f.pool, nth);
        if (nb_exec_run(&f.ctx, sort, &out, &err) == NB_OK) {
            assert_int_equal(out->n_rows, 9000);
        } else {
            failed++;
            assert_true(err.set);
        }
        nb_pool_fail_nth(f.pool, 0);
        nb_error_clear(&err);
        nb_table_release(out);
        nb_table_release(table);
        exec_end(&f);
    }
    assert_true(failed > 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sort__every_type_and_direction),
        cmocka_unit_test(test_sort__spilled),
        cmocka_unit_test(test_sort__within_budget),
        cmocka_unit_test(test_sort__fails_cleanly),
        cmocka_unit_test(test_sort__top_n),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
