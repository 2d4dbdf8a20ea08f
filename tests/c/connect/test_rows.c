/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rows.c: rows on their way to a client: cut into slices, the same slices again, given up when they have been received; also none at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connect/service_internal.h"

static nb_service service;
static nb_served served = {.service = &service};

static void
begin(nb_operation *op, bool reattachable)
{
    service.pool = nb_pool_new(NULL, "test", (size_t)16 << 20);
    *op = (nb_operation){.served = &served, .reattachable = reattachable};
    pthread_mutex_init(&op->lock, NULL);
    pthread_cond_init(&op->changed, NULL);
    assert_int_equal(nb_rows_schema(op, nb_type_struct(NULL, 0)), NB_OK);
}

static void
end(nb_operation *op)
{
    nb_rows_free(op);
    pthread_cond_destroy(&op->changed);
    pthread_mutex_destroy(&op->lock);
    nb_pool_free(service.pool); /* of which nothing is left in use */
}

static void
take(nb_operation *op, int64_t n_rows, size_t n_bytes)
{
    nb_chunk *chunk;

    assert_int_equal(nb_chunk_new(service.pool, 0, &chunk), NB_OK);
    chunk->n_rows = n_rows;
    assert_int_equal(nb_rows_take(op, chunk, op->schema->schema, n_bytes, NULL), NB_OK);
}

/* The slice begins at row `offset` of the result; returns its rows, -1 when there is none. */
static int64_t
look(nb_operation *op, int64_t number, int64_t offset)
{
    nb_result_slice slice;
    nb_chunk *chunk;
    nb_status st = nb_rows_slice(op, number, &slice, &chunk, NULL);

    if (st == NB_DONE) {
        return -1;
    }
    assert_int_equal(st, NB_OK);
    assert_int_equal(slice.offset, offset);
    assert_int_equal(chunk != NULL, slice.n > 0);
    if (chunk) {
        assert_true(slice.from + slice.n <= chunk->n_rows);
    }
    nb_chunk_free(chunk);
    return slice.n;
}

static void
send_slice(nb_operation *op, int64_t number, size_t n_bytes)
{
    nb_rows_sized(op, number, 1, n_bytes);
    nb_rows_sent(op, number);
}

static void
test_rows__none(void **state)
{
    nb_operation op;

    (void)state;
    for (int reattachable = 0; reattachable < 2; reattachable++) {
        begin(&op, reattachable);
        assert_int_equal(look(&op, 0, 0), -1); /* there may still be some */
        op.state = NB_OPERATION_SUCCEEDED;
        assert_int_equal(look(&op, 0, 0), 0);
        send_slice(&op, 0, 100);
        nb_rows_forget(&op, 1);
        assert_int_equal(look(&op, 1, 0), -1);
        end(&op);
    }
}

static void
test_rows__chunks(void **state)
{
    nb_operation op;

    (void)state;
    begin(&op, true);
    take(&op, 10, 80);
    take(&op, 0, 8); /* is not a slice */
    take(&op, 5, 40);
    assert_int_equal(look(&op, 0, 0), 10);
    send_slice(&op, 0, 80);
    assert_int_equal(look(&op, 1, 10), 5);
    send_slice(&op, 1, 40);
    assert_int_equal(look(&op, 2, 15), -1);
    assert_int_equal(look(&op, 0, 0), 10); /* again, for who comes back */
    nb_rows_forget(&op, 1);
    assert_int_equal(op.n_chunks, 1); /* that without rows goes with the one before */
    assert_int_equal(nb_rows_slice(&op, 0, &(nb_result_slice){0}, &(nb_chunk *){NULL}, NULL),
                     NB_ERROR);
    assert_int_equal(look(&op, 1, 10), 5);
    nb_rows_forget(&op, 2);
    assert_int_equal(op.n_chunks, 0);
    assert_int_equal(op.kept + op.unsent, 0);
    take(&op, 7, 56);
    op.state = NB_OPERATION_SUCCEEDED;
    assert_int_equal(look(&op, 2, 15), 7);
    send_slice(&op, 2, 56);
    assert_int_equal(look(&op, 3, 22), -1);
    end(&op);
}

static void
test_rows__given_up_at_once(void **state)
{
    nb_operation op;

    (void)state;
    begin(&op, false); /* nobody can come back for them */
    for (int i = 0; i < 40; i++) {
        take(&op, 3, 24);
    }
    op.state = NB_OPERATION_SUCCEEDED;
    for (int i = 0; i < 40; i++) {
        assert_int_equal(look(&op, i, 3 * i), 3);
        send_slice(&op, i, 24);
        assert_int_equal(op.n_chunks, 39 - i);
    }
    assert_int_equal(look(&op, 40, 120), -1);
    assert_int_equal(op.kept + op.unsent, 0);
    end(&op);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows__none),
        cmocka_unit_test(test_rows__chunks),
        cmocka_unit_test(test_rows__given_up_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
