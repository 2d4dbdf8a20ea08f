/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_eval.c: arithmetic, casts, lazy evaluation and filters over hand-made batches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "expr/cast.h"
#include "expr/registry.h"

static const nb_session_info ansi = {.ansi = true};
static const nb_session_info legacy = {.ansi = false};

static nb_expr *
column(nb_arena *a, int ordinal, nb_type_id id)
{
    nb_expr *e = nb_expr_column(a, (uint64_t)ordinal + 1, NB_STR("c"), nb_type_of(id), true);

    e->u.column.ordinal = ordinal;
    return e;
}

static nb_expr *
call(nb_arena *a, const nb_session_info *info, const char *name, int n, nb_expr **args)
{
    nb_error err = NB_ERROR_INIT;
    nb_expr *e = NULL;
    nb_status st = nb_function_bind(a, info, nb_function_find(nb_str_of(name)), nb_str_of(name),
                                    args, n, NULL, &e, &err);

    if (st < 0) {
        print_message("%s: %s\n", name, nb_error_message(&err));
    }
    assert_int_equal(st, NB_OK);
    return e;
}

/* Three columns of n rows: int i - 1, bigint null every third row, string of i. */
static void
make_batch(nb_arena *a, int n, nb_batch *out)
{
    assert_int_equal(nb_batch_init(a, 3, n, out), NB_OK);
    assert_int_equal(nb_vector_alloc(a, nb_type_of(NB_TYPE_INT32), n, &out->cols[0]), NB_OK);
    assert_int_equal(nb_vector_alloc(a, nb_type_of(NB_TYPE_INT64), n, &out->cols[1]), NB_OK);
    assert_int_equal(nb_vector_alloc(a, nb_type_of(NB_TYPE_STRING), n, &out->cols[2]), NB_OK);
    assert_int_equal(nb_vector_need_validity(a, &out->cols[1]), NB_OK);
    for (int i = 0; i < n; i++) {
        char *text = nb_arena_printf(a, "%d", i);

        NB_DATA(int32_t, &out->cols[0])[i] = i - 1;
        NB_DATA(int64_t, &out->cols[1])[i] = i % 3 == 0 ? INT64_MAX : 10 * i;
        if (i % 3 == 0) {
            nb_bit_clear(out->cols[1].validity, i);
        }
        NB_DATA(nb_view, &out->cols[2])[i] = nb_view_make(text, strlen(text));
    }
}

static void
run(nb_arena *a, const nb_session_info *info, nb_expr *e, nb_batch *batch, nb_vector *out,
    nb_status want)
{
    nb_error err = NB_ERROR_INIT;
    nb_eval *ev;
    nb_vector v;
    nb_status st;

    assert_int_equal(nb_eval_new(a, &e, 1, info, &ev, &err), NB_OK);
    st = nb_eval_run(ev, 0, batch, &v, &err);
    if (st != want) {
        print_message("%s\n", nb_error_message(&err));
    }
    assert_int_equal(st, want);
    if (st == NB_OK) {
        assert_int_equal(v.n_rows, batch->n_rows);
        assert_int_equal(nb_vector_flatten(a, &v, out), NB_OK);
    }
    nb_eval_free(ev);
    nb_error_clear(&err);
}

static void
test_eval__arithmetic_skips_null_rows(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    nb_expr *args[2] = {column(a, 1, NB_TYPE_INT64), column(a, 0, NB_TYPE_INT32)};
    nb_batch batch;
    nb_vector v;

    make_batch(a, 100, &batch);
    run(a, &ansi, call(a, &ansi, "+", 2, args), &batch, &v, NB_OK);
    assert_ptr_equal(v.type, nb_type_of(NB_TYPE_INT64));
    for (int i = 0; i < 100; i++) {
        assert_int_equal(nb_vector_is_null(&v, i), i % 3 == 0);
        if (i % 3) {
            assert_int_equal(NB_DATA(int64_t, &v)[i], 10 * i + i - 1);
        }
    }
    nb_arena_free(a);
    (void)state;
}

/* c1 * (100 / (c0 - 2)): the divisor is 0 in row 3, where c1 is null, and in row 4 of another batch, where it is not. */
static void
test_eval__null_stops_what_would_fail(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    nb_expr *less[2] = {column(a, 0, NB_TYPE_INT32), nb_expr_int32(a, 2)};
    nb_expr *over[2] = {nb_expr_int32(a, 100), call(a, &ansi, "-", 2, less)};
    nb_expr *product[2] = {column(a, 1, NB_TYPE_INT64), call(a, &ansi, "div", 2, over)};
    nb_expr *e = call(a, &ansi, "*", 2, product), *other[2] = {product[1], product[0]};
    nb_batch batch;
    nb_vector v;

    make_batch(a, 100, &batch);
    run(a, &ansi, e, &batch, &v, NB_OK);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(nb_vector_is_null(&v, i), i % 3 == 0);
        if (i % 3) {
            assert_int_equal(NB_DATA(int64_t, &v)[i], 10 * i * (100 / (i - 3)));
        }
    }
    run(a, &ansi, call(a, &ansi, "*", 2, other), &batch, &v, NB_ERROR); /* left first */
    nb_bit_set(batch.cols[1].validity, 3);
    run(a, &ansi, e, &batch, &v, NB_ERROR);
    nb_arena_free(a);
    (void)state;
}

static void
test_eval__overflow_by_mode(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    nb_expr *args[2] = {nb_expr_int32(a, INT32_MAX), column(a, 0, NB_TYPE_INT32)};
    nb_batch batch;
    nb_vector v;

    make_batch(a, 5, &batch);
    run(a, &ansi, call(a, &ansi, "+", 2, args), &batch, &v, NB_ERROR);
    run(a, &legacy, call(a, &legacy, "+", 2, args), &batch, &v, NB_OK);
    assert_int_equal(NB_DATA(int32_t, &v)[2], INT32_MIN);
    run(a, &ansi, call(a, &ansi, "try_add", 2, args), &batch, &v, NB_OK);
    assert_false(nb_vector_is_null(&v, 1));
    assert_true(nb_vector_is_null(&v, 2));
    nb_arena_free(a);
    (void)state;
}

static void
test_eval__division_by_zero(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    nb_expr *args[2] = {nb_expr_int32(a, 10), column(a, 0, NB_TYPE_INT32)};
    nb_batch batch;
    nb_vector v;

    make_batch(a, 5, &batch);
    run(a, &ansi, call(a, &ansi, "/", 2, args), &batch, &v, NB_ERROR);
    run(a, &legacy, call(a, &legacy, "/", 2, args), &batch, &v, NB_OK);
    assert_true(nb_vector_is_null(&v, 1));
    assert_true(NB_DATA(double, &v)[3] == 5.0);
    nb_arena_free(a);
    (void)state;
}

static void
check_double_text(double v, const char *want)
{
    nb_arena *a = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    nb_expr *e = NULL;
    nb_batch batch;
    nb_vector out;

    assert_int_equal(
        nb_expr_cast(a, nb_expr_double(a, v), nb_type_of(NB_TYPE_STRING), NB_CAST_ANSI, &e, &err),
        NB_OK);
    assert_int_equal(nb_batch_init(a, 0, 1, &batch), NB_OK);
    run(a, &ansi, e, &batch, &out, NB_OK);
    assert_int_equal(NB_DATA(nb_view, &out)->len, strlen(want));
    assert_memory_equal(nb_view_data(NB_DATA(nb_view, &out)), want, strlen(want));
    nb_arena_free(a);
}

static void
test_cast__double_to_string(void **state)
{
    check_double_text(1.0, "1.0");
    check_double_text(-0.0, "-0.0");
    check_double_text(0.1 + 0.2, "0.30000000000000004");
    check_double_text(1e7, "1.0E7");
    check_double_text(9999999.0, "9999999.0");
    check_double_text(0.001, "0.001");
    check_double_text(0.00012, "1.2E-4");
    check_double_text(1.7976931348623157e308, "1.7976931348623157E308");
    check_double_text(4.9e-324, "4.9E-324");
    check_double_text(123456789.125, "1.23456789125E8");
    check_double_text(1.0 / 3, "0.3333333333333333");
    check_double_text(71052334527828.125,
                      "7.105233452782812E13"); /* a tie goes to the even digit */
    check_double_text(0.00919034696199576, "0.00919034696199576");
    check_double_text(123456789012.34567, "1.2345678901234567E11");
    check_double_text(2e-3, "0.002");
    (void)state;
}

static void
test_cast__strings_to_ints(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    nb_expr *e = NULL;
    nb_batch batch;
    nb_vector v;

    make_batch(a, 70, &batch);
    assert_int_equal(nb_expr_cast(a, column(a, 2, NB_TYPE_STRING), nb_type_of(NB_TYPE_INT32),
                                  NB_CAST_ANSI, &e, &err),
                     NB_OK);
    run(a, &ansi, e, &batch, &v, NB_OK);
    for (int i = 0; i < 70; i++) {
        assert_int_equal(NB_DATA(int32_t, &v)[i], i);
    }
    nb_arena_free(a);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eval__arithmetic_skips_null_rows),
        cmocka_unit_test(test_eval__null_stops_what_would_fail),
        cmocka_unit_test(test_eval__overflow_by_mode),
        cmocka_unit_test(test_eval__division_by_zero),
        cmocka_unit_test(test_cast__double_to_string),
        cmocka_unit_test(test_cast__strings_to_ints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
