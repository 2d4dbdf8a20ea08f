/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_table.c: batches with selections, chunks built from them, tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "column/column_util.h"
#include "column/table.h"

static const nb_type *
all_types_schema(int *n_out)
{
    nb_field f[32];
    int n = 0;

    for (const nb_type *const *t = test_types(); *t != NULL; t++, n++) {
        f[n] = (nb_field){NB_STR("c"), *t, true, {"", 0}};
    }
    *n_out = n;
    return nb_type_struct(f, n);
}

static void
make_batch(nb_arena *arena, const nb_type *schema, int64_t n, nulls_kind nulls, nb_batch *out)
{
    assert_int_equal(nb_batch_init(arena, schema->n_children, n, out), NB_OK);
    for (int i = 0; i < schema->n_children; i++) {
        make_vector(arena, schema->children[i].type, n, nulls, (uint64_t)i, &out->cols[i]);
    }
}

static void
test_table__selection(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);
    int n_cols;
    const nb_type *schema = all_types_schema(&n_cols);
    nb_batch b, view;
    uint32_t odd[1024], third[512];
    const nb_vector *v;

    make_batch(arena, schema, 2048, SOME_NULLS, &b);
    for (uint32_t i = 0; i < 1024; i++) {
        odd[i] = 2 * i + 1;
    }
    for (uint32_t i = 0; i < 341; i++) {
        third[i] = 3 * i;
    }
    assert_int_equal(nb_batch_select(&b, odd, 1024), NB_OK);
    assert_int_equal(nb_batch_view(&b, third, 341, &view), NB_OK);
    assert_int_equal(b.n_rows, 1024);
    for (int c = 0; c < n_cols; c++) {
        assert_int_equal(nb_batch_column(&b, c, &v), NB_OK);
        for (int i = 0; i < 1024; i++) {
            assert_rows_equal(&b.cols[c], 2 * i + 1, v, i);
        }
        assert_int_equal(nb_batch_column(&view, c, &v), NB_OK);
        for (int i = 0; i < 341; i++) {
            assert_rows_equal(&b.cols[c], 6 * i + 1, v, i);
        }
    }
    assert_int_equal(nb_batch_flatten_selection(&view), NB_OK);
    assert_null(view.sel);
    assert_int_equal(view.cols[0].n_rows, 341);
    nb_arena_free(arena);
}

static void
check_builder(bool steady)
{
    nb_pool *pool = nb_pool_new(NULL, "test", 0);
    int n_cols;
    const nb_type *schema = all_types_schema(&n_cols);
    nb_chunk_builder *b;
    nb_table *table;
    nb_arena *read = nb_arena_new(NULL), *fresh = nb_arena_new(NULL);
    uint32_t keep[1000];
    int64_t at = 0;

    for (uint32_t i = 0; i < 1000; i++) {
        keep[i] = 2 * i;
    }
    assert_int_equal(nb_chunk_builder_new(pool, schema, &b), NB_OK);
    if (steady) {
        nb_chunk_builder_steady(b);
    }
    assert_int_equal(nb_table_new(pool, schema, &table), NB_OK);
    for (int round = 0; round < 2; round++) {
        nb_chunk *chunk = NULL;
        for (int k = 0; k < 6; k++) {
            nb_arena *scratch = nb_arena_new(NULL);
            nb_batch batch;
            make_batch(scratch, schema, 2048, (nulls_kind)(k % 2), &batch);
            if (k >= 4) {
                assert_int_equal(nb_batch_select(&batch, keep, 1000), NB_OK);
            }
            assert_int_equal(nb_chunk_builder_append(b, &batch), NB_OK);
            nb_arena_free(scratch);
        }
        assert_int_equal(nb_chunk_builder_rows(b), 4 * 2048 + 2000);
        assert_true(nb_chunk_builder_filled(b) > 0);
        assert_true(nb_chunk_builder_bytes(b) >= nb_chunk_builder_filled(b));
        assert_int_equal(nb_chunk_builder_finish(b, &chunk), NB_OK);
        assert_int_equal(nb_chunk_builder_bytes(b), 0);
        assert_int_equal(nb_chunk_builder_filled(b), 0);
        assert_int_equal(nb_table_append(table, chunk), NB_OK);
        assert_int_equal(nb_chunk_builder_finish(b, &chunk), NB_OK);
        assert_null(chunk);
    }
    nb_chunk_builder_free(b);
    assert_int_equal(table->n_rows, 2 * (4 * 2048 + 2000));
    for (int k = 0; k < 6; k++) {
        nb_batch want, got;
        int64_t n = k >= 4 ? 1000 : 2048;
        make_batch(fresh, schema, 2048, (nulls_kind)(k % 2), &want);
        assert_int_equal(nb_chunk_batch(table->chunks[1], n_cols, at, n, read, &got), NB_OK);
        for (int c = 0; c < n_cols; c++) {
            for (int64_t i = 0; i < n; i++) {
                assert_rows_equal(&want.cols[c], k >= 4 ? 2 * i : i, &got.cols[c], i);
            }
        }
        at += n;
    }
    nb_table_release(nb_table_ref(table));
    nb_table_release(table);
    nb_arena_free(read);
    nb_arena_free(fresh);
    assert_int_equal(nb_pool_used(pool), 0);
    nb_pool_free(pool);
}

static void
test_table__builder(void **state)
{
    check_builder(false);
}

static void
test_table__steady_builder(void **state)
{
    check_builder(true);
}

/* The n-th allocation fails: a clean status, rows as before, no leak; then the same append works. */
static void
test_table__builder_out_of_memory(void **state)
{
    int n_cols, failed = 0;
    const nb_type *schema = all_types_schema(&n_cols);

    for (long nth = 1; nth < 400; nth += 7) {
        nb_pool *pool = nb_pool_new(NULL, "test", 0);
        nb_arena *scratch = nb_arena_new(NULL);
        nb_chunk_builder *b = NULL;
        nb_chunk *chunk = NULL;
        nb_batch batch;
        nb_status st = NB_OK;
        make_batch(scratch, schema, 2048, SOME_NULLS, &batch);
        assert_int_equal(nb_chunk_builder_new(pool, schema, &b), NB_OK);
        nb_pool_fail_nth(pool, nth);
        for (int k = 0; k < 3; k++) {
            int64_t before = nb_chunk_builder_rows(b);
            nb_status once = nb_chunk_builder_append(b, &batch);
            if (once < 0) {
                st = once;
                assert_int_equal(nb_chunk_builder_rows(b), before);
                assert_int_equal(nb_chunk_builder_append(b, &batch), NB_OK);
            }
        }
        if (nb_chunk_builder_finish(b, &chunk) == NB_OK) {
            assert_int_equal(chunk->n_rows, 3 * 2048);
            for (int c = 0; c < n_cols; c++) {
                for (int64_t i = 0; i < 3 * 2048; i++) {
                    assert_rows_equal(&batch.cols[c], i % 2048, &chunk->cols[c], i);
                }
            }
        } else {
            st = NB_NOMEM;
        }
        failed += st == NB_NOMEM;
        nb_chunk_free(chunk);
        nb_chunk_builder_free(b);
        nb_arena_free(scratch);
        assert_int_equal(nb_pool_used(pool), 0);
        nb_pool_free(pool);
    }
    assert_true(failed > 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table__selection),
        cmocka_unit_test(test_table__builder),
        cmocka_unit_test(test_table__steady_builder),
        cmocka_unit_test(test_table__builder_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
