/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_aggregate.c: aggregates over hand-made columns; expected values are those of Spark 4.2.
 *
 * Every case runs three ways: all rows into one state, rows scattered to states by pointer, and two partial states, one of them
 * serialised and read back, merged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include <math.h>

#include "expr/aggregate.h"
#include "expr/zone.h"

static nb_session_info info = {.ansi = true};

static nb_vector *
doubles(nb_arena *a, int n, const double *x)
{
    nb_vector *v = NB_ARENA_NEW(a, nb_vector);

    assert_int_equal(nb_vector_alloc(a, nb_type_of(NB_TYPE_FLOAT64), n, v), NB_OK);
    for (int i = 0; i < n; i++) {
        NB_DATA(double, v)[i] = x[i];
        if (x[i] == -999) {
            assert_int_equal(nb_vector_need_validity(a, v), NB_OK);
            nb_bit_clear(v->validity, i);
        }
    }
    return v;
}

static nb_vector *
ints(nb_arena *a, nb_type_id id, int n, const int64_t *x)
{
    nb_vector *v = NB_ARENA_NEW(a, nb_vector);

    assert_int_equal(nb_vector_alloc(a, nb_type_of(id), n, v), NB_OK);
    for (int i = 0; i < n; i++) {
        if (v->type->phys == NB_PHYS_INT32) {
            NB_DATA(int32_t, v)[i] = (int32_t)x[i];
        } else if (v->type->phys == NB_PHYS_BOOL) {
            NB_DATA(uint8_t, v)[i] = (uint8_t)x[i];
        } else {
            NB_DATA(int64_t, v)[i] = x[i];
        }
        if (x[i] == -999) {
            assert_int_equal(nb_vector_need_validity(a, v), NB_OK);
            nb_bit_clear(v->validity, i);
        }
    }
    return v;
}

static nb_vector *
strings(nb_arena *a, int n, const char *const *x)
{
    nb_vector *v = NB_ARENA_NEW(a, nb_vector);

    assert_int_equal(nb_vector_alloc(a, nb_type_of(NB_TYPE_STRING), n, v), NB_OK);
    for (int i = 0; i < n; i++) {
        if (x[i] == NULL) {
            assert_int_equal(nb_vector_need_validity(a, v), NB_OK);
            nb_bit_clear(v->validity, i);
        } else {
            NB_DATA(nb_view, v)[i] = nb_view_make(x[i], strlen(x[i]));
        }
    }
    return v;
}

typedef struct bound {
    nb_expr *e;
    nb_agg_ctx ctx;
    nb_vector args[4];
} bound;

static void
bind(nb_arena *a, const char *name, int n_cols, nb_vector **cols, int n_literals,
     nb_expr **literals, bound *b)
{
    static nb_error err;
    nb_expr *args[4];

    info.zone = nb_zone_utc();
    for (int i = 0; i < n_cols; i++) {
        args[i] = nb_expr_column(a, (uint64_t)i + 1, NB_STR("c"), cols[i]->type, true);
        args[i]->u.column.ordinal = i;
    }
    for (int i = 0; i < n_literals; i++) {
        args[n_cols + i] = literals[i];
    }
    nb_status st = nb_aggregate_bind(a, &info, nb_aggregate_find(nb_str_of(name)), nb_str_of(name),
                                     args, n_cols + n_literals, false, NULL, NULL, &b->e, &err);
    if (st != NB_OK) {
        print_message("%s: %s\n", name, nb_error_message(&err));
    }
    assert_int_equal(st, NB_OK);
    b->ctx = (nb_agg_ctx){.memory = a,
                          .scratch = a,
                          .info = &info,
                          .expr = b->e,
                          .payload = b->e->u.agg.payload,
                          .err = &err};
}

/* Rows [from, from + n) of the arguments, casts applied. */
static void
arguments(nb_arena *a, bound *b, nb_vector **cols, int n_cols, int64_t from, int64_t n)
{
    for (int i = 0; i < b->e->n_args; i++) {
        nb_eval *ev;
        nb_batch batch;
        nb_vector v;
        nb_error err = NB_ERROR_INIT;

        assert_int_equal(nb_batch_init(a, n_cols, n, &batch), NB_OK);
        for (int c = 0; c < n_cols; c++) {
            assert_int_equal(nb_vector_slice(a, cols[c], from, n, &batch.cols[c]), NB_OK);
        }
        assert_int_equal(nb_eval_new(a, &b->e->args[i], 1, &info, &ev, &err), NB_OK);
        assert_int_equal(nb_eval_run(ev, 0, &batch, &v, &err), NB_OK);
        if (v.kind == NB_VEC_DICT) {
            assert_int_equal(nb_vector_flatten(a, &v, &b->args[i]), NB_OK);
        } else {
            b->args[i] = v;
        }
        nb_eval_free(ev);
    }
}

static nb_vector
finish(nb_arena *a, bound *b, void *state)
{
    nb_vector out;
    uint8_t *rows[1] = {state};

    assert_int_equal(nb_vector_alloc(a, b->e->type, 1, &out), NB_OK);
    assert_int_equal(b->e->u.agg.ops->finalize(&b->ctx, rows, 0, 1, &out), NB_OK);
    return out;
}

static void *
new_state(nb_arena *a, bound *b)
{
    const nb_agg_ops *ops = b->e->u.agg.ops;
    void *state = nb_arena_alloc64(a, (size_t)ops->state_size);

    memset(state, 0, (size_t)ops->state_size);
    if (ops->init) {
        ops->init(&b->ctx, state);
    }
    return state;
}

/* The result, one row; asserts that all ways of feeding the aggregate agree. */
static nb_vector
run(nb_arena *a, const char *name, int n_cols, nb_vector **cols, int n_literals, nb_expr **literals)
{
    bound b = {0};
    const nb_agg_ops *ops;
    int64_t n = cols[0]->n_rows, half = n / 2;

    bind(a, name, n_cols, cols, n_literals, literals, &b);
    ops = b.e->u.agg.ops;
    arguments(a, &b, cols, n_cols, 0, n);
    void *one = new_state(a, &b);
    assert_int_equal(ops->update_one(&b.ctx, b.args, n, one, 0), NB_OK);
    nb_vector expected = finish(a, &b, one);

    uint8_t **rows = NB_ARENA_ARRAY(a, uint8_t *, NB_MAX(n, 1));
    uint8_t *scattered = new_state(a, &b);
    for (int64_t i = 0; i < n; i++) {
        rows[i] = scattered;
    }
    assert_int_equal(ops->update(&b.ctx, b.args, n, rows, 0, 0), NB_OK);
    nb_vector again = finish(a, &b, scattered);
    assert_int_equal(nb_vector_compare(&expected, 0, &again, 0), 0);

    uint8_t *left = new_state(a, &b), *right = new_state(a, &b), *read = new_state(a, &b);
    b.ctx.order = 7;
    arguments(a, &b, cols, n_cols, half, n - half);
    assert_int_equal(ops->update_one(&b.ctx, b.args, n - half, right, 0), NB_OK);
    b.ctx.order = 3;
    arguments(a, &b, cols, n_cols, 0, half);
    assert_int_equal(ops->update_one(&b.ctx, b.args, half, left, 0), NB_OK);
    if (ops->serialize) {
        nb_strbuf bytes = {0};
        assert_int_equal(ops->serialize(&b.ctx, left, &bytes), NB_OK);
        assert_int_equal(ops->deserialize(&b.ctx, nb_strbuf_str(&bytes), read), NB_OK);
        nb_strbuf_free(&bytes);
    } else {
        memcpy(read, left, (size_t)ops->state_size);
    }
    assert_int_equal(ops->merge(&b.ctx, &right, &read, 0, 1), NB_OK);
    nb_vector merged = finish(a, &b, right);
    assert_int_equal(nb_vector_compare(&expected, 0, &merged, 0), 0);
    return expected;
}

static void
is_double(nb_arena *a, const char *name, int n_cols, nb_vector **cols, double want)
{
    nb_vector v = run(a, name, n_cols, cols, 0, NULL);

    if (isnan(want)) {
        assert_true(nb_vector_is_null(&v, 0));
        return;
    }
    assert_false(nb_vector_is_null(&v, 0));
    if (NB_DATA(double, &v)[0] != want) {
        print_message("%s: %.17g, not %.17g\n", name, NB_DATA(double, &v)[0], want);
    }
    assert_true(NB_DATA(double, &v)[0] == want);
}

static void
test_aggregate__moments(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    const double data[] = {1.0, 2, 4, 9.5, -999};
    const double one[] = {1.0}, same[] = {1, 1};
    nb_vector *x = doubles(a, 5, data), *single = doubles(a, 1, one), *equal = doubles(a, 2, same);

    is_double(a, "sum", 1, &x, 16.5);
    is_double(a, "avg", 1, &x, 4.125);
    is_double(a, "skewness", 1, &x, 0.8115949495329667);
    is_double(a, "kurtosis", 1, &x, -0.9617262257555796);
    is_double(a, "stddev", 1, &x, 3.79418414594407);
    is_double(a, "variance", 1, &x, 14.395833333333334);
    is_double(a, "stddev", 1, &single, NAN);
    is_double(a, "var_pop", 1, &single, 0);
    is_double(a, "skewness", 1, &single, NAN);
    is_double(a, "kurtosis", 1, &equal, NAN);
    is_double(a, "median", 1, &x, 3.0);
    is_double(a, "product", 1, &x, 76.0);
    nb_arena_free(a);
    (void)state;
}

static void
test_aggregate__regression(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    const double xs[] = {1, 2, 3, -999}, ys[] = {2, 4.5, 5, 3}, flat[] = {2, 2, 2, 2};
    nb_vector *xy[2] = {doubles(a, 4, xs), doubles(a, 4, ys)}, *yx[2] = {xy[1], xy[0]};
    nb_vector *constant[2] = {doubles(a, 4, flat), xy[0]};

    is_double(a, "corr", 2, xy, 0.9332565252573827);
    is_double(a, "covar_samp", 2, xy, 1.5);
    is_double(a, "covar_pop", 2, xy, 1.0);
    is_double(a, "regr_slope", 2, yx, 1.5);
    is_double(a, "regr_intercept", 2, yx, 0.83333333333333348);
    is_double(a, "regr_r2", 2, yx, 0.8709677419354838);
    is_double(a, "regr_sxx", 2, yx, 2.0);
    is_double(a, "regr_syy", 2, yx, 5.166666666666667);
    is_double(a, "regr_sxy", 2, yx, 3.0);
    is_double(a, "regr_r2", 2, constant, 1.0);

    bound b = {0}; /* corr divides by how much a side varies */
    nb_vector out;
    bind(a, "corr", 2, constant, 0, NULL, &b);
    arguments(a, &b, constant, 2, 0, 4);
    uint8_t *s = new_state(a, &b);
    assert_int_equal(b.e->u.agg.ops->update_one(&b.ctx, b.args, 4, s, 0), NB_OK);
    assert_int_equal(nb_vector_alloc(a, b.e->type, 1, &out), NB_OK);
    assert_int_equal(b.e->u.agg.ops->finalize(&b.ctx, &s, 0, 1, &out), NB_ERROR);
    assert_string_equal(nb_error_name(b.ctx.err), "DIVIDE_BY_ZERO");
    nb_error_clear(b.ctx.err);
    nb_arena_free(a);
    (void)state;
}

static void
test_aggregate__sums_do_not_depend_on_order(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    double data[1000];

    for (int i = 0; i < 1000; i++) {
        data[i] = 0.1;
    }
    nb_vector *x = doubles(a, 1000, data);
    is_double(a, "sum", 1, &x, 100.0);
    is_double(a, "avg", 1, &x, 0.1);
    double big[] = {1e16, 1.0, -1e16, 1.0};
    nb_vector *y = doubles(a, 4, big);
    is_double(a, "sum", 1, &y, 2.0);
    double inf[] = {INFINITY, 1.0, 2};
    nb_vector *z = doubles(a, 3, inf);
    is_double(a, "sum", 1, &z, INFINITY);
    nb_arena_free(a);
    (void)state;
}

static int64_t
as_int(const nb_vector *v)
{
    assert_false(nb_vector_is_null(v, 0));
    return v->type->phys == NB_PHYS_INT32  ? NB_DATA(int32_t, v)[0]
           : v->type->phys == NB_PHYS_BOOL ? NB_DATA(uint8_t, v)[0]
                                           : NB_DATA(int64_t, v)[0];
}

static void
test_aggregate__integers(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    const int64_t data[] = {3, -999, 5, 3};
    nb_vector *x = ints(a, NB_TYPE_INT32, 4, data), v;

    v = run(a, "sum", 1, &x, 0, NULL);
    assert_ptr_equal(v.type, nb_type_of(NB_TYPE_INT64));
    assert_int_equal(as_int(&v), 11);
    v = run(a, "count", 1, &x, 0, NULL);
    assert_int_equal(as_int(&v), 3);
    v = run(a, "min", 1, &x, 0, NULL);
    assert_int_equal(as_int(&v), 3);
    v = run(a, "max", 1, &x, 0, NULL);
    assert_int_equal(as_int(&v), 5);
    v = run(a, "mode", 1, &x, 0, NULL);
    assert_int_equal(as_int(&v), 3);
    v = run(a, "bit_xor", 1, &x, 0, NULL);
    assert_int_equal(as_int(&v), 5);
    v = run(a, "last", 1, &x, 0, NULL);
    assert_int_equal(as_int(&v), 3);
    v = run(a, "approx_count_distinct", 1, &x, 0, NULL);
    assert_int_equal(as_int(&v), 2);
    is_double(a, "avg", 1, &x, 11.0 / 3);
    nb_expr *half = nb_expr_double(a, 0.5);
    v = run(a, "approx_percentile", 1, &x, 1, &half);
    assert_int_equal(as_int(&v), 3);
    v = run(a, "collect_list", 1, &x, 0, NULL);
    assert_int_equal(NB_DATA(nb_list, &v)[0].len, 3);
    assert_int_equal(NB_DATA(int32_t, &v.children[0])[1], 5);
    v = run(a, "collect_set", 1, &x, 0, NULL);
    assert_int_equal(NB_DATA(nb_list, &v)[0].len, 2);
    nb_arena_free(a);
    (void)state;
}

static void
test_aggregate__sketch_equals_spark(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    int64_t *data = NB_ARENA_ARRAY(a, int64_t, 100000);

    for (int i = 0; i < 100000; i++) {
        data[i] = i;
    }
    nb_vector *x = ints(a, NB_TYPE_INT64, 1000, data), *y = ints(a, NB_TYPE_INT64, 100000, data), v;
    nb_expr *rsd = nb_expr_double(a, 0.01);
    v = run(a, "approx_count_distinct", 1, &x, 0, NULL);
    assert_int_equal(as_int(&v), 1026);
    v = run(a, "approx_count_distinct", 1, &x, 1, &rsd);
    assert_int_equal(as_int(&v), 996);
    v = run(a, "approx_count_distinct", 1, &y, 0, NULL);
    assert_int_equal(as_int(&v), 95546);
    v = run(a, "approx_count_distinct", 1, &y, 1, &rsd);
    assert_int_equal(as_int(&v), 100425);
    nb_arena_free(a);
    (void)state;
}

static void
test_aggregate__overflow(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    const int64_t data[] = {INT64_MAX, 1};
    nb_vector *x = ints(a, NB_TYPE_INT64, 2, data), v;
    bound b = {0};
    nb_vector out;

    v = run(a, "try_sum", 1, &x, 0, NULL);
    assert_true(nb_vector_is_null(&v, 0));
    bind(a, "sum", 1, &x, 0, NULL, &b);
    arguments(a, &b, &x, 1, 0, 2);
    uint8_t *s = new_state(a, &b);
    assert_int_equal(b.e->u.agg.ops->update_one(&b.ctx, b.args, 2, s, 0), NB_OK);
    assert_int_equal(nb_vector_alloc(a, b.e->type, 1, &out), NB_OK);
    assert_int_equal(b.e->u.agg.ops->finalize(&b.ctx, &s, 0, 1, &out), NB_ERROR);
    assert_string_equal(
        nb_error_message(b.ctx.err),
        "[ARITHMETIC_OVERFLOW] overflow. Use 'try_add' to tolerate overflow and return NULL "
        "instead. If necessary set "
        "\"spark.sql.ansi.enabled\" to \"false\" to bypass this error. SQLSTATE: 22003");
    nb_error_clear(b.ctx.err);
    nb_arena_free(a);
    (void)state;
}

static void
test_aggregate__decimals(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    nb_vector *x = NB_ARENA_NEW(a, nb_vector), v;

    assert_int_equal(nb_vector_alloc(a, nb_type_decimal(10, 2), 3, x), NB_OK);
    NB_DATA(int64_t, x)[0] = 110;
    NB_DATA(int64_t, x)[1] = -5;
    NB_DATA(int64_t, x)[2] = 500;
    v = run(a, "sum", 1, &x, 0, NULL);
    assert_ptr_equal(v.type, nb_type_decimal(20, 2));
    assert_true(NB_DATA(nb_int128, &v)[0] == 605);
    v = run(a, "avg", 1, &x, 0, NULL);
    assert_ptr_equal(v.type, nb_type_decimal(14, 6));
    assert_int_equal(NB_DATA(int64_t, &v)[0], 2016667);
    nb_arena_free(a);
    (void)state;
}

static void
test_aggregate__strings(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    const char *const words[] = {"pear", "a rather long apple", NULL, "zebra crossing the road",
                                 "pear"};
    const int64_t keys[] = {2, 9, 1, 4, 9};
    nb_vector *x = strings(a, 5, words), *xy[2] = {x, ints(a, NB_TYPE_INT32, 5, keys)}, v;
    nb_expr *comma = nb_expr_string(a, NB_STR(", ")), *yes = nb_expr_bool(a, true);

    v = run(a, "min", 1, &x, 0, NULL);
    assert_string_equal(nb_arena_strdup(a, nb_view_str(v.data)), "a rather long apple");
    v = run(a, "max", 1, &x, 0, NULL);
    assert_string_equal(nb_arena_strdup(a, nb_view_str(v.data)), "zebra crossing the road");
    v = run(a, "first", 1, &x, 0, NULL);
    assert_string_equal(nb_arena_strdup(a, nb_view_str(v.data)), "pear");
    v = run(a, "last", 1, &x, 1, &yes);
    assert_string_equal(nb_arena_strdup(a, nb_view_str(v.data)), "pear");
    v = run(a, "max_by", 2, xy, 0, NULL);
    assert_string_equal(nb_arena_strdup(a, nb_view_str(v.data)), "pear");
    v = run(a, "min_by", 2, xy, 0, NULL);
    assert_true(nb_vector_is_null(&v, 0));
    v = run(a, "listagg", 1, &x, 1, &comma);
    assert_string_equal(nb_arena_strdup(a, nb_view_str(v.data)),
                        "pear, a rather long apple, zebra crossing the road, pear");
    nb_arena_free(a);
    (void)state;
}

static void
test_aggregate__no_rows(void **state)
{
    nb_arena *a = nb_arena_new(NULL);
    nb_vector *x = doubles(a, 0, NULL), v;

    v = run(a, "count", 1, &x, 0, NULL);
    assert_int_equal(as_int(&v), 0);
    static const char *const nulls[] = {"sum",    "avg",    "min",   "max",
                                        "stddev", "median", "first", "mode"};
    for (size_t i = 0; i < NB_COUNT_OF(nulls); i++) {
        v = run(a, nulls[i], 1, &x, 0, NULL);
        assert_true(nb_vector_is_null(&v, 0));
    }
    v = run(a, "collect_list", 1, &x, 0, NULL);
    assert_false(nb_vector_is_null(&v, 0));
    assert_int_equal(NB_DATA(nb_list, &v)[0].len, 0);
    nb_arena_free(a);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aggregate__moments),
        cmocka_unit_test(test_aggregate__regression),
        cmocka_unit_test(test_aggregate__sums_do_not_depend_on_order),
        cmocka_unit_test(test_aggregate__integers),
        cmocka_unit_test(test_aggregate__sketch_equals_spark),
        cmocka_unit_test(test_aggregate__overflow),
        cmocka_unit_test(test_aggregate__decimals),
        cmocka_unit_test(test_aggregate__strings),
        cmocka_unit_test(test_aggregate__no_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
