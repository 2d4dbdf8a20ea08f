/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_linear.c: least squares with known answers, penalties, collinear features; Student's t.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>
#include "ml/linear.h"

enum { N = 50, D = 3 };

typedef struct fixture {
    nb_pool *pool;
    nb_arena *arena;
    nb_matrix *m;
    double labels[N];
} fixture;

/* y = 2 + 3 a - 0.5 b; c is 2 a where collinear, else its own. */
static void
make(fixture *f, bool collinear)
{
    f->pool = nb_pool_new(NULL, "test", 0);
    f->arena = nb_arena_new(f->pool);
    assert_int_equal(nb_matrix_new(f->pool, N, D, false, &f->m), NB_OK);
    for (int i = 0; i < N; i++) {
        double a = sin(i), b = 5 + cos(1.7 * i), c = collinear ? 2 * a : i % 7;

        nb_matrix_set_row(f->m, i, (double[]){a, b, c});
        f->labels[i] = 2 + 3 * a - 0.5 * b;
    }
}

static void
drop(fixture *f)
{
    nb_matrix_free(f->m);
    nb_arena_free(f->arena);
    nb_pool_free(f->pool);
}

static void
test_linear__exact(void **state)
{
    nb_linear_config config = {.intercept = true, .standardize = true};
    nb_linear_result r;
    fixture f;

    make(&f, false);
    assert_int_equal(nb_linear_fit(f.m, f.labels, &config, f.arena, &r), NB_OK);
    assert_true(fabs(r.coefficients[0] - 3) < 1e-10);
    assert_true(fabs(r.coefficients[1] + 0.5) < 1e-10);
    assert_true(fabs(r.coefficients[2]) < 1e-10);
    assert_true(fabs(r.intercept - 2) < 1e-9);
    assert_non_null(r.inverse);
    drop(&f);
}

static void
test_linear__collinear(void **state)
{
    nb_linear_config config = {.intercept = true, .standardize = true};
    nb_linear_result r;
    fixture f;

    make(&f, true);
    assert_int_equal(nb_linear_fit(f.m, f.labels, &config, f.arena, &r), NB_OK);
    assert_null(r.inverse);
    assert_true(fabs(r.coefficients[0] + 2 * r.coefficients[2] - 3) < 1e-8);
    assert_true(fabs(r.coefficients[1] + 0.5) < 1e-8);
    drop(&f);
}

static void
test_linear__penalties_shrink(void **state)
{
    double last = 1e9;
    fixture f;

    make(&f, false);
    for (int i = 0; i < 6; i++) {
        nb_linear_config config = {
            .intercept = true, .standardize = true, .elastic_net = 1, .reg_param = 0.1 * (1 << i)};
        nb_linear_result r;
        double size;

        assert_int_equal(nb_linear_fit(f.m, f.labels, &config, f.arena, &r), NB_OK);
        size = fabs(r.coefficients[0]) + fabs(r.coefficients[1]) + fabs(r.coefficients[2]);
        assert_true(size <= last);
        last = size;
    }
    assert_true(last == 0); /* a large enough penalty leaves nothing */
    drop(&f);
}

static void
test_linear__student_t(void **state)
{
    assert_true(fabs(nb_student_t_p(0, 5) - 1) < 1e-14);
    assert_true(fabs(nb_student_t_p(2.570581836, 5) - 0.05) < 1e-8);
    assert_true(fabs(nb_student_t_p(-1.984467455, 99) - 0.05) < 1e-4);
    assert_true(fabs(nb_student_t_p(12.7062047364, 1) - 0.05) < 1e-9);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear__exact),
        cmocka_unit_test(test_linear__collinear),
        cmocka_unit_test(test_linear__penalties_shrink),
        cmocka_unit_test(test_linear__student_t),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
