/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_deliver.c: results that leave while the query runs: in order, all of them, within bounded memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>
#include "exec/exec_util.h"

static const int THREADS[] = {1, 2, 5};

/* Keeps what comes, or counts it. */
typedef struct receiver {
    nb_delivery base;
    exec_fixture *f;
    nb_table *table;       /* NULL: chunks are dropped */
    int64_t n_rows, next;  /* next: what the first column says, in a range */
    int n_chunks, stop_at; /* stop_at: chunks after which it fails */
    nb_status stop;
    size_t most;
    long pause_ns;
} receiver;

static nb_status
take(void *payload, nb_chunk *chunk, const nb_type *schema, size_t n_bytes, nb_error *err)
{
    receiver *r = payload;
    nb_status st = NB_OK;

    (void)err;
    (void)n_bytes;
    if (r->pause_ns) {
        nanosleep(&(struct timespec){0, r->pause_ns}, NULL);
    }
    r->most = NB_MAX(r->most, nb_pool_used(r->f->pool));
    r->n_rows += chunk->n_rows;
    if (++r->n_chunks == r->stop_at) {
        st = r->stop;
    }
    if (r->table) {
        assert_ptr_equal(schema, r->table->schema);
        assert_int_equal(nb_table_append(r->table, chunk), NB_OK);
        return st;
    }
    for (int64_t i = 0; r->next >= 0 && i < chunk->n_rows; i++) {
        assert_true(NB_DATA(int64_t, &chunk->cols[0])[i] == r->next + i);
    }
    r->next += r->next >= 0 ? chunk->n_rows : 0;
    nb_chunk_free(chunk);
    return st;
}

static void
begin(receiver *r, exec_fixture *f, int n_threads)
{
    exec_begin(f, n_threads, 0);
    *r = (receiver){.base = {.take = take}, .f = f};
    r->base.payload = r;
    f->ctx.delivery = &r->base;
}

static bool
sparse(int64_t row, int col, int64_t *value)
{
    *value = row * 10 + col;
    return row % 7 != 3;
}

static void
test_deliver__same_rows_as_collected(void **state)
{
    (void)state;
    for (size_t t = 0; t < NB_COUNT_OF(THREADS); t++) {
        for (int64_t chunk_rows = 5; chunk_rows < 20000; chunk_rows *= 60) {
            exec_fixture f;
            receiver r;
            nb_table *table, *expected, *empty;
            nb_node *plan;

            begin(&r, &f, THREADS[t]);
            table =
                make_table(&f, schema_of("id:long s:string l:longs"), 20000, chunk_rows, sparse);
            plan = new_node(&f, NB_NODE_UNION, table->schema, NULL);
            plan->n_children = 2;
            plan->children = NB_ARENA_ARRAY(f.arena, nb_node *, 2);
            plan->children[0] = table_node(&f, table);
            plan->children[1] = table_node(&f, table);
            f.ctx.delivery = NULL;
            expected = run_plan(&f, plan);
            f.ctx.delivery = &r.base;
            assert_int_equal(nb_table_new(f.pool, table->schema, &r.table), NB_OK);
            empty = run_plan(&f, plan);
            assert_int_equal(empty->n_rows, 0);
            assert_ptr_equal(empty->schema, table->schema);
            assert_tables_equal(expected, r.table);
            assert_true(r.base.begun);
            nb_table_release(empty);
            nb_table_release(r.table);
            nb_table_release(expected);
            nb_table_release(table);
            exec_end(&f);
        }
    }
}

/* 16 million rows are 128 MB; a slow receiver makes threads wait instead of letting rows pile up. */
static void
test_deliver__memory_is_bounded(void **state)
{
    (void)state;
    for (size_t t = 0; t < NB_COUNT_OF(THREADS); t++) {
        exec_fixture f;
        receiver r;
        nb_table *empty;

        begin(&r, &f, THREADS[t]);
        r.pause_ns = 200000;
        empty = run_plan(&f, range_node(&f, 0, 16000000, 1, 3));
        assert_int_equal(r.n_rows, 16000000);
        assert_int_equal(r.next, 16000000);
        assert_true(r.most < (size_t)48 << 20);
        nb_table_release(empty);
        exec_end(&f);
    }
}

static void
test_deliver__limits(void **state)
{
    static const int64_t LIMITS[] = {0, 1, 65536, 65537, 300000, 1000000};

    (void)state;
    for (size_t t = 0; t < NB_COUNT_OF(THREADS); t++) {
        for (size_t i = 0; i < NB_COUNT_OF(LIMITS); i++) {
            exec_fixture f;
            receiver r;
            nb_table *empty;

            begin(&r, &f, THREADS[t]);
            empty = run_plan(&f, limit_node(&f, range_node(&f, 0, 500000, 1, 4), LIMITS[i], 0));
            assert_int_equal(r.n_rows, NB_MIN(LIMITS[i], 500000));
            assert_int_equal(r.next, r.n_rows);
            assert_int_equal(empty->n_rows, 0);
            nb_table_release(empty);
            exec_end(&f);
        }
    }
}

static void
test_deliver__receiver_stops(void **state)
{
    static const nb_status STOPS[] = {NB_DONE, NB_ERROR, NB_NOMEM, NB_CANCELLED};

    (void)state;
    for (size_t t = 0; t < NB_COUNT_OF(THREADS); t++) {
        for (size_t i = 0; i < NB_COUNT_OF(STOPS); i++) {
            exec_fixture f;
            receiver r;
            nb_table *out = NULL;
            nb_error err = NB_ERROR_INIT;
            nb_status st;

            begin(&r, &f, THREADS[t]);
            r.stop_at = 3;
            r.stop = STOPS[i];
            st = nb_exec_run(&f.ctx, range_node(&f, 0, 3000000, 1, 4), &out, &err);
            assert_int_equal(st, STOPS[i] == NB_DONE    ? NB_OK
                                 : STOPS[i] == NB_NOMEM ? NB_ERROR
                                                        : STOPS[i]);
            assert_int_equal(r.n_chunks, 3);
            nb_error_clear(&err);
            nb_table_release(out);
            exec_end(&f);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deliver__same_rows_as_collected),
        cmocka_unit_test(test_deliver__memory_is_bounded),
        cmocka_unit_test(test_deliver__limits),
        cmocka_unit_test(test_deliver__receiver_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
