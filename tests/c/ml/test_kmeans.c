/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_kmeans.c: k-means over matrices: known optima, independence of order and threads, weights, few distinct rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>
#include "base/random.h"
#include "ml/kmeans.h"

typedef struct fixture {
    nb_pool *pool;
    nb_arena *arena;
} fixture;

static int
setup(void **state)
{
    static fixture f;

    f.pool = nb_pool_new(NULL, "test", 0);
    f.arena = nb_arena_new(f.pool);
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    fixture *f = *state;

    nb_arena_free(f->arena);
    nb_pool_free(f->pool);
    return 0;
}

static nb_matrix *
matrix_of(fixture *f, const double *values, int64_t n, int d)
{
    nb_matrix *m;

    assert_int_equal(nb_matrix_new(f->pool, n, d, false, &m), NB_OK);
    for (int64_t i = 0; i < n; i++) {
        nb_matrix_set_row(m, i, values + i * d);
    }
    return m;
}

static nb_kmeans_result
fit(fixture *f, const nb_matrix *m, int k, int64_t seed, bool parallel)
{
    nb_kmeans_config config = {
        .k = k, .max_iter = 20, .tol = 1e-4, .seed = seed, .init_steps = 2, .parallel = parallel};
    nb_kmeans_result r;

    assert_int_equal(nb_kmeans_fit(m, &config, f->arena, &r), NB_OK);
    return r;
}

/* n rows around k centres that are far apart. */
static nb_matrix *
blobs(fixture *f, int64_t n, int d, int k)
{
    nb_random rng = {42};
    nb_matrix *m;

    assert_int_equal(nb_matrix_new(f->pool, n, d, false, &m), NB_OK);
    for (int64_t i = 0; i < n; i++) {
        double row[32];
        int c = (int)nb_random_below(&rng, (uint64_t)k);

        for (int j = 0; j < d; j++) {
            row[j] = 100.0 * ((c >> (j % 4)) & 1) + 10.0 * c + nb_random_double(&rng);
        }
        nb_matrix_set_row(m, i, row);
    }
    return m;
}

static void
test_kmeans__finds_best_of_tiny(void **state)
{
    fixture *f = *state;
    static const double line[] = {0, 1, 2, 10, 11, 12, 50, 51, 52, 100};

    for (int64_t seed = 0; seed < 20; seed++) {
        nb_matrix *m = matrix_of(f, line, 10, 1);
        nb_kmeans_result r = fit(f, m, 4, seed, false);

        assert_int_equal(r.k, 4);
        assert_true(fabs(r.cost - 6.0) < 1e-9);
        nb_matrix_free(m);
    }
}

static void
test_kmeans__fewer_distinct_rows_than_k(void **state)
{
    fixture *f = *state;
    static const double two[] = {1, 2, 3, 4, 1, 2};
    nb_matrix *m = matrix_of(f, two, 3, 2);
    nb_kmeans_result r = fit(f, m, 5, 1, false);

    assert_int_equal(r.k, 2);
    assert_true(r.cost == 0);
    assert_int_equal(r.sizes[0] + r.sizes[1], 3);
    nb_matrix_free(m);
}

static void
test_kmeans__order_and_threads_do_not_matter(void **state)
{
    fixture *f = *state;
    static const struct {
        int64_t n;
        int d, k;
    } sizes[] = {{10, 2, 3}, {1000, 3, 5}, {3000, 2, 20}, {50000, 3, 8}, {40001, 20, 8}};

    for (size_t c = 0; c < NB_COUNT_OF(sizes); c++) {
        int64_t n = sizes[c].n;
        nb_matrix *m = blobs(f, n, sizes[c].d, sizes[c].k), *reversed;
        int64_t *idx = NB_ARENA_ARRAY(f->arena, int64_t, n);
        nb_kmeans_result a, b, again;

        for (int64_t i = 0; i < n; i++) {
            idx[i] = n - 1 - i;
        }
        assert_int_equal(nb_matrix_take(m, idx, n, &reversed), NB_OK);
        a = fit(f, m, sizes[c].k, 3, true);
        again = fit(f, m, sizes[c].k, 3, false);
        b = fit(f, reversed, sizes[c].k, 3, true);
        assert_int_equal(a.k, b.k);
        assert_true(a.cost == again.cost);
        assert_memory_equal(a.centers, again.centers, (size_t)a.k * (size_t)m->d * sizeof(double));
        assert_true(fabs(a.cost - b.cost) <= 1e-9 * a.cost);
        for (int i = 0; i < a.k * m->d; i++) {
            assert_true(fabs(a.centers[i] - b.centers[i]) <= 1e-9);
        }
        assert_true(a.cost < (double)n * sizes[c].d / 10.0); /* every blob has its centre */
        nb_matrix_free(reversed);
        nb_matrix_free(m);
    }
}

static void
test_kmeans__rare_far_rows_get_a_centre(void **state)
{
    fixture *f = *state;
    nb_matrix *m = blobs(f, 200000, 2, 3);
    double far_away[2] = {1e6, -1e6};
    nb_kmeans_result r;

    nb_matrix_set_row(m, 77777, far_away);
    r = fit(f, m, 4, 1, true);
    assert_true(r.cost < 200000.0);
    nb_matrix_free(m);
}

static void
test_kmeans__weights(void **state)
{
    fixture *f = *state;
    static const double values[] = {0, 1, 10};
    nb_matrix *m;
    nb_kmeans_result r;

    assert_int_equal(nb_matrix_new(f->pool, 3, 1, true, &m), NB_OK);
    for (int i = 0; i < 3; i++) {
        nb_matrix_set_row(m, i, values + i);
        m->weights[i] = i == 1 ? 3 : 1;
    }
    r = fit(f, m, 2, 0, false);
    assert_true(fabs(r.cost - 0.75) < 1e-12);
    assert_true(fabs(fmin(r.centers[0], r.centers[1]) - 0.75) < 1e-12);
    nb_matrix_free(m);
}

static void
test_kmeans__pass_against_plain_loop(void **state)
{
    fixture *f = *state;

    for (int d = 1; d <= 23; d++) {
        for (int k = 1; k <= 9; k += 2) {
            int64_t n = 5 + 61 * d;
            nb_matrix *m = blobs(f, n, d, 3);
            double centers[9 * 23], sums[9 * 23], weights[9], expect = 0;
            int64_t counts[9], total = 0;
            nb_kmeans_sums out = {.sums = sums, .weights = weights, .counts = counts};

            for (int c = 0; c < k; c++) {
                nb_matrix_get_row(m, c, centers + c * d);
            }
            assert_int_equal(nb_kmeans_pass(m, centers, k, false, NULL, &out), NB_OK);
            for (int64_t i = 0; i < n; i++) {
                double best = INFINITY;

                for (int c = 0; c < k; c++) {
                    double s = 0;

                    for (int j = 0; j < d; j++) {
                        double diff = *nb_matrix_at(m, i, j) - centers[c * d + j];

                        s += diff * diff;
                    }
                    best = fmin(best, s);
                }
                expect += best;
            }
            for (int c = 0; c < k; c++) {
                total += counts[c];
            }
            assert_true(fabs(out.cost - expect) <= 1e-9 * (expect + 1));
            assert_int_equal(total, n);
            nb_matrix_free(m);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kmeans__finds_best_of_tiny, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kmeans__fewer_distinct_rows_than_k, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kmeans__order_and_threads_do_not_matter, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_kmeans__rare_far_rows_get_a_centre, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kmeans__weights, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kmeans__pass_against_plain_loop, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
