/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evaluate.c: how well predictions fit: silhouettes of clusterings, errors of regressions.
 *
 * The silhouette needs no pairs of rows: the mean squared distance from x to the rows of a cluster of weight N, sum Y and sum of squared
 * lengths P is |x|² + P/N - 2 xY/N (for unit vectors and the cosine distance: 1 - xY/N). Spark computes it the same way.
 */
#include <math.h>
#include <stdlib.h>
#include "ml/model.h"
#include "ml/regression_metrics.h"

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Numbers the clusters 0..k-1; out[i] is the number of row i. */
static int
number_clusters(const double *labels, int64_t n, double *distinct, int *out)
{
    int64_t k = 0;

    memcpy(distinct, labels, (size_t)n * sizeof *distinct);
    qsort(distinct, (size_t)n, sizeof *distinct, compare_doubles);
    for (int64_t i = 0; i < n; i++) {
        if (k == 0 || distinct[i] != distinct[k - 1]) {
            distinct[k++] = distinct[i];
        }
    }
    for (int64_t i = 0; i < n; i++) {
        const double *at =
            bsearch(&labels[i], distinct, (size_t)k, sizeof *distinct, compare_doubles);

        out[i] = at ? (int)(at - distinct) : 0;
    }
    return (int)k;
}

typedef struct clusters {
    int k, d;
    double *weight, *squares, *sums; /* k, k, k × d */
} clusters;

/* The mean distance of x to the rows of cluster c. */
static double
mean_distance(const clusters *s, int c, const double *x, double norm, bool cosine)
{
    const double *sum = s->sums + (size_t)c * (size_t)s->d;
    double dot = 0;

    for (int j = 0; j < s->d; j++) {
        dot += x[j] * sum[j];
    }
    return cosine ? 1 - dot / s->weight[c]
                  : norm + s->squares[c] / s->weight[c] - 2 * dot / s->weight[c];
}

static double
silhouette(const clusters *s, const nb_matrix *m, const int *label, double *x, bool cosine)
{
    double total = 0, weights = 0;

    for (int64_t i = 0; i < m->n_rows; i++) {
        double w = nb_matrix_weight(m, i), norm = 0, own, nearest = INFINITY, value = 0;

        nb_matrix_get_row(m, i, x);
        for (int j = 0; j < s->d; j++) {
            norm += x[j] * x[j];
        }
        for (int c = 0; c < s->k; c++) {
            if (c != label[i]) {
                nearest = fmin(nearest, mean_distance(s, c, x, norm, cosine));
            }
        }
        if (s->weight[label[i]] > w) {
            own = mean_distance(s, label[i], x, norm, cosine) * s->weight[label[i]] /
                  (s->weight[label[i]] - w);
            value = own < nearest ? 1 - own / nearest : own > nearest ? nearest / own - 1 : 0;
        }
        total += w * value;
        weights += w;
    }
    return total / weights;
}

nb_status
nb_ml_evaluate_clustering(nb_analyzer *an, const nb_ml_args *args, nb_plan *data, double *out,
                          nb_error *err)
{
    nb_arena *arena = args->arena;
    bool cosine = nb_str_equal(nb_ml_arg_str(args, "distanceMeasure"), NB_STR("cosine"));
    nb_ml_data rows;
    clusters s = {0};
    double *x, *distinct;
    int *label;
    nb_status st = NB_NOMEM;

    NB_TRY(nb_ml_load(an, data, nb_ml_arg_str(args, "featuresCol"),
                      nb_ml_arg_str(args, "predictionCol"), nb_ml_arg_str(args, "weightCol"), false,
                      &rows, err));
    s.d = rows.m->d;
    label = NB_ARENA_ARRAY(arena, int, rows.m->n_rows + 1);
    distinct = NB_ARENA_ARRAY(arena, double, rows.m->n_rows + 1);
    x = NB_ARENA_ARRAY(arena, double, s.d + 1);
    if (!label || !distinct || !x) {
        goto done;
    }
    s.k = number_clusters(rows.labels, rows.m->n_rows, distinct, label);
    if (s.k < 2) {
        st = nb_raise(err, NB_COND_ASSERTION_ERROR, "message",
                      "Number of clusters must be greater than one.", NULL);
        goto done;
    }
    if (cosine && nb_matrix_normalize(rows.m) >= 0) {
        st = nb_raise(err, NB_COND_JOB_ABORTED, "message",
                      "java.lang.AssertionError: assertion failed: Cosine distance is not defined "
                      "for zero-length vectors.",
                      NULL);
        goto done;
    }
    s.weight = nb_arena_zalloc(arena, (size_t)s.k * sizeof(double));
    s.squares = nb_arena_zalloc(arena, (size_t)s.k * sizeof(double));
    s.sums = nb_arena_zalloc(arena, (size_t)s.k * (size_t)s.d * sizeof(double) + 8);
    if (!s.weight || !s.squares || !s.sums) {
        goto done;
    }
    for (int64_t i = 0; i < rows.m->n_rows; i++) {
        double w = nb_matrix_weight(rows.m, i), norm = 0;

        nb_matrix_get_row(rows.m, i, x);
        for (int j = 0; j < s.d; j++) {
            norm += x[j] * x[j];
            s.sums[(size_t)label[i] * (size_t)s.d + (size_t)j] += w * x[j];
        }
        s.weight[label[i]] += w;
        s.squares[label[i]] += w * norm;
    }
    *out = silhouette(&s, rows.m, label, x, cosine);
    st = NB_OK;
done:
    nb_matrix_free(rows.m);
    return st;
}

/* ---- regression ----------------------------------------------------------------------------------------------------------------- */

void
nb_ml_regression_add(nb_ml_regression *r, double label, double prediction, double weight)
{
    double error = label - prediction;

    r->n++;
    r->weight += weight;
    r->weight_squares += weight * weight;
    r->label += weight * label;
    r->label_squares += weight * label * label;
    r->absolute += weight * fabs(error);
    r->squares += weight * error * error;
}

double
nb_ml_regression_r2(const nb_ml_regression *r, double spread, bool through_origin)
{
    double free_weight = r->weight - r->weight_squares / r->weight;

    if (through_origin) {
        return 1 - r->squares / r->label_squares;
    }
    return 1 - r->squares / (free_weight > 0 ? spread / free_weight * (r->weight - 1) : spread);
}

nb_status
nb_ml_evaluate_regression(nb_analyzer *an, const nb_ml_args *args, nb_plan *data, double *out,
                          nb_error *err)
{
    nb_arena *arena = args->arena;
    nb_str metric = nb_ml_arg_str(args, "metricName"), weight = nb_ml_arg_str(args, "weightCol");
    nb_expr *exprs[3];
    nb_ml_regression r = {0};
    double *label, *prediction, *w = NULL, mean, spread = 0, explained = 0;
    int n = 2;
    nb_ml_table t;
    int64_t n_rows;
    nb_status st;

    NB_TRY(nb_ml_number_expr(an, data, nb_ml_arg_str(args, "labelCol"), &exprs[0], err));
    NB_TRY(nb_ml_number_expr(an, data, nb_ml_arg_str(args, "predictionCol"), &exprs[1], err));
    if (weight.len > 0) {
        NB_TRY(nb_ml_number_expr(an, data, weight, &exprs[n++], err));
    }
    NB_TRY(nb_ml_gather(an, data, exprs, n, &t, err));
    n_rows = t.table->n_rows;
    st = nb_ml_doubles_of(arena, &t, 0, &label);
    st = st < 0 ? st : nb_ml_doubles_of(arena, &t, 1, &prediction);
    st = st < 0 || n < 3 ? st : nb_ml_doubles_of(arena, &t, 2, &w);
    nb_table_release(t.table);
    NB_TRY(st);
    if (n_rows == 0) {
        return nb_ml_raise_illegal(
            err, arena, "requirement failed: Nothing has been added to this summarizer.");
    }
    for (int64_t i = 0; i < n_rows; i++) {
        nb_ml_regression_add(&r, label[i], prediction[i], w ? w[i] : 1);
    }
    mean = r.label / r.weight;
    for (int64_t i = 0; i < n_rows; i++) {
        double wi = w ? w[i] : 1;

        spread += wi * (label[i] - mean) * (label[i] - mean);
        explained += wi * (prediction[i] - mean) * (prediction[i] - mean);
    }
    if (nb_str_equal(metric, NB_STR("mse"))) {
        *out = r.squares / r.weight;
    } else if (nb_str_equal(metric, NB_STR("mae"))) {
        *out = r.absolute / r.weight;
    } else if (nb_str_equal(metric, NB_STR("r2"))) {
        *out = nb_ml_regression_r2(&r, spread, nb_ml_arg_bool(args, "throughOrigin"));
    } else if (nb_str_equal(metric, NB_STR("var"))) {
        *out = explained / r.weight;
    } else {
        *out = sqrt(r.squares / r.weight);
    }
    return NB_OK;
}
