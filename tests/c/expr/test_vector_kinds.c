/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_vector_kinds.c: an expression gives the same values whether its columns come flat, as dictionaries, as constants, or through a selection,
 * for lengths around the word and the batch, with no, some and all rows null.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "expr/registry.h"

enum { COL_INT, COL_LONG, COL_DOUBLE, COL_STRING, COL_BOOL, COL_LIST, N_COLS };

static const nb_session_info session = {.ansi = false};

static const nb_type *
column_type(int c)
{
    switch (c) {
    case COL_INT: return nb_type_of(NB_TYPE_INT32);
    case COL_LONG: return nb_type_of(NB_TYPE_INT64);
    case COL_DOUBLE: return nb_type_of(NB_TYPE_FLOAT64);
    case COL_STRING: return nb_type_of(NB_TYPE_STRING);
    case COL_BOOL: return nb_type_of(NB_TYPE_BOOL);
    default: return nb_type_array(nb_type_of(NB_TYPE_INT32), true);
    }
}

static nb_expr *
column(nb_arena *a, int c)
{
    nb_expr *e = nb_expr_column(a, (uint64_t)c + 1, NB_STR("c"), column_type(c), true);

    e->u.column.ordinal = c;
    return e;
}

static nb_expr *
call(nb_arena *a, const char *name, int n, nb_expr *x, nb_expr *y, nb_expr *z)
{
    nb_error err = NB_ERROR_INIT;
    nb_expr *args[3] = {x, y, z}, *e = NULL;
    nb_status st = nb_function_bind(a, &session, nb_function_find(nb_str_of(name)), nb_str_of(name),
                                    args, n, NULL, &e, &err);

    if (st < 0) {
        print_message("%s: %s\n", name, nb_error_message(&err));
    }
    assert_int_equal(st, NB_OK);
    return e;
}

static nb_expr *
cast(nb_arena *a, nb_expr *x, const nb_type *to)
{
    nb_error err = NB_ERROR_INIT;
    nb_expr *e = NULL;

    assert_int_equal(nb_expr_cast(a, x, to, NB_CAST_LEGACY, &e, &err), NB_OK);
    return e;
}

static int
make_expressions(nb_arena *a, nb_expr **out)
{
    nb_expr *i = column(a, COL_INT), *l = column(a, COL_LONG), *d = column(a, COL_DOUBLE);
    nb_expr *s = column(a, COL_STRING), *p = column(a, COL_BOOL), *v = column(a, COL_LIST);
    nb_expr *two = nb_expr_int32(a, 2), *text = nb_expr_string(a, NB_STR("value 3 of the column"));
    int n = 0;

    out[n++] = i;
    out[n++] = call(a, "+", 2, i, two, NULL);
    out[n++] = call(a, "-", 2, two, i, NULL);
    out[n++] = call(a, "*", 2, i, l, NULL);
    out[n++] = call(a, "/", 2, l, i, NULL);
    out[n++] = call(a, "%", 2, l, nb_expr_int64(a, 7), NULL);
    out[n++] = call(a, "div", 2, l, i, NULL);
    out[n++] = call(a, "<", 2, i, two, NULL);
    out[n++] = call(a, ">=", 2, two, i, NULL);
    out[n++] = call(a, "=", 2, s, text, NULL);
    out[n++] = call(a, "<", 2, text, s, NULL);
    out[n++] = call(a, "<=>", 2, i, cast(a, l, nb_type_of(NB_TYPE_INT32)), NULL);
    out[n++] = call(a, "and", 2, p, call(a, ">", 2, d, nb_expr_double(a, 1), NULL), NULL);
    out[n++] = call(a, "or", 2, call(a, "=", 2, i, two, NULL), p, NULL);
    out[n++] = call(a, "if", 3, p, l, cast(a, i, nb_type_of(NB_TYPE_INT64)));
    out[n++] = call(a, "if", 3, p, v, call(a, "array", 2, i, two, NULL));
    out[n++] = call(a, "coalesce", 2, i, two, NULL);
    out[n++] = call(a, "in", 3, i, two, nb_expr_int32(a, 5));
    out[n++] = call(a, "in", 2, s, text, NULL);
    out[n++] = call(a, "isnull", 1, s, NULL, NULL);
    out[n++] = call(a, "sqrt", 1, d, NULL, NULL);
    out[n++] = call(a, "greatest", 2, i, two, NULL);
    out[n++] = call(a, "struct", 2, i, s, NULL);
    out[n++] = call(a, "hash", 2, s, d, NULL);
    out[n++] = call(a, "size", 1, v, NULL, NULL);
    out[n++] = call(a, "getitem", 2, v, nb_expr_int32(a, 0), NULL);
    out[n++] = call(a, "array_contains", 2, v, i, NULL);
    out[n++] = call(a, "array_distinct", 1, v, NULL, NULL);
    out[n++] = call(a, "array_union", 2, v, call(a, "array", 2, i, two, NULL), NULL);
    out[n++] = call(a, "map", 2, two, s, NULL);
    out[n++] = cast(a, i, nb_type_of(NB_TYPE_STRING));
    out[n++] = cast(a, s, nb_type_of(NB_TYPE_INT32));
    out[n++] = cast(a, d, nb_type_decimal(10, 2));
    out[n++] = cast(a, v, nb_type_array(nb_type_of(NB_TYPE_STRING), true));
    return n;
}

/* nulls: 0 none, 1 every third row, 2 all. */
static void
make_column(nb_arena *a, int c, int n, int nulls, nb_vector *v)
{
    assert_int_equal(nb_vector_alloc(a, column_type(c), n, v), NB_OK);
    if (c == COL_LIST) {
        assert_int_equal(nb_vector_alloc(a, nb_type_of(NB_TYPE_INT32), 3 * n, &v->children[0]),
                         NB_OK);
    }
    if (nulls > 0) {
        assert_int_equal(nb_vector_need_validity(a, v), NB_OK);
    }
    for (int r = 0; r < n; r++) {
        char *text = nb_arena_printf(a, r % 5 == 4 ? "%d" : "value %d of the column", r % 7);
        bool null = nulls == 2 || (nulls == 1 && (r + c) % 3 == 0);

        if (null) {
            nb_bit_clear(v->validity, r);
        }
        switch (c) {
        case COL_INT: NB_DATA(int32_t, v)[r] = null ? -77 : r % 9 - 2; break;
        case COL_LONG: NB_DATA(int64_t, v)[r] = null ? INT64_MAX : (int64_t)r * 1000003; break;
        case COL_DOUBLE:
            NB_DATA(double, v)[r] = r % 11 == 10 ? __builtin_nan("") : r * 0.25 - 3;
            break;
        case COL_STRING:
            NB_DATA(nb_view, v)[r] = null ? (nb_view){0} : nb_view_make(text, strlen(text));
            break;
        case COL_BOOL: NB_DATA(uint8_t, v)[r] = r % 2; break;
        default:
            NB_DATA(nb_list, v)
            [r] = null ? (nb_list){0, 0} : (nb_list){(uint32_t)(3 * r), (uint32_t)(r % 4)};
            for (int k = 0; k < 3; k++) {
                NB_DATA(int32_t, &v->children[0])[3 * r + k] = (r + k) % 3;
            }
            break;
        }
    }
}

static void
evaluate(nb_arena *a, nb_expr *e, nb_batch *batch, nb_vector *out)
{
    nb_error err = NB_ERROR_INIT;
    nb_eval *ev;
    nb_vector v;
    nb_status st;

    assert_int_equal(nb_eval_new(a, &e, 1, &session, &ev, &err), NB_OK);
    st = nb_eval_run(ev, 0, batch, &v, &err);
    if (st < 0) {
        print_message("%s: %s\n", nb_expr_sql(a, e, false), nb_error_message(&err));
    }
    assert_int_equal(st, NB_OK);
    assert_int_equal(v.n_rows, batch->n_rows);
    assert_int_equal(nb_vector_copy(a, &v, out),
                     NB_OK); /* results over dictionaries go with the evaluator */
    nb_eval_free(ev);
}

static void
check_equal(nb_arena *a, nb_expr *e, const char *what, const nb_vector *want, const nb_vector *got,
            int n)
{
    for (int r = 0; r < n; r++) {
        bool null = nb_vector_is_null(want, r);

        if (null != nb_vector_is_null(got, r) ||
            (!null && nb_vector_compare(want, r, got, r) != 0)) {
            fail_msg("%s, %s, row %d of %d", nb_expr_sql(a, e, false), what, r, n);
        }
    }
}

static void
check_length(int n, int nulls)
{
    nb_arena *a = nb_arena_new(NULL);
    nb_expr *exprs[64];
    int n_exprs = make_expressions(a, exprs);
    nb_batch flat, dict, twice, selected;
    uint32_t *same = NB_ARENA_ARRAY(a, uint32_t, 2 * n + 1),
             *rows = NB_ARENA_ARRAY(a, uint32_t, n + 1);

    assert_int_equal(nb_batch_init(a, N_COLS, n, &flat), NB_OK);
    assert_int_equal(nb_batch_init(a, N_COLS, n, &dict), NB_OK);
    assert_int_equal(nb_batch_init(a, N_COLS, 2 * n, &twice), NB_OK);
    for (int r = 0; r < n; r++) {
        same[r] = (uint32_t)r;
        rows[r] = (uint32_t)(2 * r + 1);
    }
    for (int c = 0; c < N_COLS; c++) {
        uint32_t *every = NB_ARENA_ARRAY(a, uint32_t, 2 * n + 1);

        make_column(a, c, n, nulls, &flat.cols[c]);
        dict.cols[c] = (nb_vector){.type = column_type(c),
                                   .kind = NB_VEC_DICT,
                                   .n_rows = n,
                                   .indices = same,
                                   .dict = &flat.cols[c],
                                   .dict_id = (uint64_t)c + 1};
        for (int r = 0; r < n; r++) {
            every[2 * r] = (uint32_t)(n - 1 - r);
            every[2 * r + 1] = (uint32_t)r;
        }
        assert_int_equal(nb_vector_gather(a, &flat.cols[c], every, 2 * n, &twice.cols[c]), NB_OK);
    }
    assert_int_equal(nb_batch_view(&twice, rows, n, &selected), NB_OK);
    for (int k = 0; k < n_exprs; k++) {
        nb_vector want, got;

        evaluate(a, exprs[k], &flat, &want);
        evaluate(a, exprs[k], &dict, &got);
        check_equal(a, exprs[k], "dictionaries", &want, &got, n);
        evaluate(a, exprs[k], &selected, &got);
        check_equal(a, exprs[k], "selection", &want, &got, n);
        for (int r = 0; r < n; r += NB_MAX(n / 5, 1)) { /* one row as a constant */
            nb_batch constant;
            nb_vector one;
            uint32_t row = (uint32_t)r;

            assert_int_equal(nb_batch_init(a, N_COLS, 3, &constant), NB_OK);
            for (int c = 0; c < N_COLS; c++) {
                assert_int_equal(nb_vector_gather(a, &flat.cols[c], &row, 1, &constant.cols[c]),
                                 NB_OK);
                constant.cols[c].kind = NB_VEC_CONST;
                constant.cols[c].n_rows = 3;
            }
            evaluate(a, exprs[k], &constant, &got);
            assert_int_equal(nb_vector_gather(a, &want, &row, 1, &one), NB_OK);
            if (nb_vector_is_null(&one, 0) != nb_vector_is_null(&got, 2) ||
                (!nb_vector_is_null(&one, 0) && nb_vector_compare(&one, 0, &got, 2) != 0)) {
                fail_msg("%s, constant of row %d", nb_expr_sql(a, exprs[k], false), r);
            }
        }
    }
    nb_arena_free(a);
}

static void
test_vector_kinds__agree(void **state)
{
    static const int lengths[] = {0, 1, 63, 64, 65, 2047, 2048};

    for (size_t k = 0; k < NB_COUNT_OF(lengths); k++) {
        for (int nulls = 0; nulls < 3; nulls++) {
            check_length(lengths[k], nulls);
        }
    }
    (void)state;
}

/* A filter keeps the rows where its condition is true, conjunct by conjunct, and evaluates none where an earlier one is not true. */
static void
test_filter__conjunctions(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    nb_session_info ansi = {.ansi = true};
    nb_error err = NB_ERROR_INIT;
    nb_expr *i = column(a, COL_INT), *zero = nb_expr_int32(a, 0), *ten = nb_expr_int32(a, 10),
            *e = NULL, *quotient = NULL;
    nb_expr *args[2], *tests[2];
    nb_batch batch;
    nb_eval *ev;
    const uint32_t *keep;
    int64_t n_keep, want = 0;

    assert_int_equal(nb_batch_init(a, N_COLS, 2048, &batch), NB_OK);
    for (int c = 0; c < N_COLS; c++) {
        make_column(a, c, 2048, 1, &batch.cols[c]);
    }
    args[0] = i;
    args[1] = zero;
    assert_int_equal(nb_function_bind(a, &ansi, nb_function_find(NB_STR("!=")), NB_STR("!="), args,
                                      2, NULL, &tests[0], &err),
                     NB_OK);
    args[0] = ten;
    args[1] = i;
    assert_int_equal(nb_function_bind(a, &ansi, nb_function_find(NB_STR("div")), NB_STR("div"),
                                      args, 2, NULL, &quotient, &err),
                     NB_OK);
    args[0] = quotient;
    args[1] = nb_expr_int64(a, 3);
    assert_int_equal(nb_function_bind(a, &ansi, nb_function_find(NB_STR(">")), NB_STR(">"), args, 2,
                                      NULL, &tests[1], &err),
                     NB_OK);
    assert_int_equal(nb_function_bind(a, &ansi, nb_function_find(NB_STR("and")), NB_STR("and"),
                                      tests, 2, NULL, &e, &err),
                     NB_OK);
    assert_int_equal(nb_eval_new(a, &e, 1, &ansi, &ev, &err), NB_OK);
    assert_int_equal(nb_eval_filter(ev, 0, &batch, &keep, &n_keep, &err), NB_OK);
    for (int r = 0; r < 2048; r++) {
        int32_t x = NB_DATA(int32_t, &batch.cols[COL_INT])[r];

        if (!nb_vector_is_null(&batch.cols[COL_INT], r) && x != 0 && 10 / x > 3) {
            assert_true(want < n_keep);
            assert_int_equal(keep[want], r);
            want++;
        }
    }
    assert_int_equal(want, n_keep);
    nb_eval_free(ev);
    nb_arena_free(a);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector_kinds__agree),
        cmocka_unit_test(test_filter__conjunctions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
