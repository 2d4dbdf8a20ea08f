/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linear.c: see linear.h.
 *
 * The rows are looked at twice: for means, and for products about the means (about 0 without an intercept). What is left is a small
 * system: solved by Cholesky; by coordinate descent when there is an L1 penalty; by conjugate gradients from 0, which find the shortest
 * of all solutions, when features depend on each other.
 */
#include "ml/linear.h"

#include <math.h>
#include <string.h>

typedef double v8d __attribute__((vector_size(64)));

typedef struct moments {
    int d;
    double weight, label_mean, label_var; /* label_var: population */
    double *mean, *std;                   /* population */
    double *gram;    /* d × d: Σ w (x-c)(x-c)ᵀ / W, upper part filled, then mirrored */
    double *product; /* d: Σ w (x-c)(y-e) / W */
} moments;

/* Adds w·(x - c)(x - c)ᵀ of all rows to the upper triangle. w is 0 for rows behind the last. */
NB_SIMD_CLONES static void
add_products(const double *data, int64_t n_tiles, int d, const double *weights,
             const double *center, const double *labels, double *gram, double *product,
             double *scratch)
{
    for (int64_t t = 0; t < n_tiles; t++) {
        const v8d *x = (const v8d *)(data + (size_t)t * (size_t)d * NB_TILE_ROWS);
        v8d *c = (v8d *)scratch;
        v8d w, y;

        memcpy(&w, weights + t * NB_TILE_ROWS, sizeof w);
        memcpy(&y, labels + t * NB_TILE_ROWS, sizeof y);
        for (int j = 0; j < d; j++) {
            c[j] = x[j] - center[j];
        }
        for (int i = 0; i < d; i++) {
            v8d wx = w * c[i];
            v8d p = wx * y;

            product[i] += ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
            for (int j = i; j < d; j++) {
                v8d q = wx * c[j];

                gram[i * d + j] +=
                    ((q[0] + q[1]) + (q[2] + q[3])) + ((q[4] + q[5]) + (q[6] + q[7]));
            }
        }
    }
}

static nb_status
measure(const nb_matrix *m, const double *labels, bool center, nb_arena *arena, moments *out)
{
    int d = m->d;
    size_t padded = (size_t)nb_matrix_tiles(m) * NB_TILE_ROWS;
    double *w = nb_arena_alloc64(arena, padded * sizeof(double) + 64);
    double *y = nb_arena_alloc64(arena, padded * sizeof(double) + 64);
    double *about = nb_arena_zalloc(arena, (size_t)(d + 1) * sizeof(double));
    double *scratch = nb_arena_alloc64(arena, (size_t)(d + 1) * NB_TILE_ROWS * sizeof(double));

    *out = (moments){.d = d,
                     .mean = nb_arena_zalloc(arena, (size_t)(d + 1) * sizeof(double)),
                     .std = nb_arena_zalloc(arena, (size_t)(d + 1) * sizeof(double)),
                     .gram = nb_arena_zalloc(arena, (size_t)d * (size_t)d * sizeof(double) + 8),
                     .product = nb_arena_zalloc(arena, (size_t)(d + 1) * sizeof(double))};
    if (!w || !y || !about || !scratch || !out->mean || !out->std || !out->gram || !out->product) {
        return NB_NOMEM;
    }
    for (size_t i = 0; i < padded; i++) {
        w[i] = (int64_t)i < m->n_rows ? nb_matrix_weight(m, (int64_t)i) : 0;
    }
    for (int64_t i = 0; i < m->n_rows; i++) {
        out->weight += w[i];
        out->label_mean += w[i] * labels[i];
        for (int j = 0; j < d; j++) {
            out->mean[j] += w[i] * *nb_matrix_at(m, i, j);
        }
    }
    out->label_mean /= out->weight;
    for (int j = 0; j < d; j++) {
        out->mean[j] /= out->weight;
    }
    memset(y, 0, padded * sizeof(double));
    for (int64_t i = 0; i < m->n_rows; i++) {
        double diff = labels[i] - out->label_mean;

        out->label_var += w[i] * diff * diff;
        y[i] = diff;
    }
    out->label_var /= out->weight;
    add_products(m->data, nb_matrix_tiles(m), d, w, out->mean, y, out->gram, out->product, scratch);
    for (int i = 0; i < d; i++) {
        double var = out->gram[i * d + i] / out->weight;
        double unit = 1e-28 * out->mean[i] * out->mean[i]; /* rounding of a constant feature */

        out->std[i] = var > unit ? sqrt(var) : 0;
    }
    for (int i = 0; i < d; i++) {
        out->product[i] /= out->weight;
        if (!center) {
            out->product[i] += out->mean[i] * out->label_mean;
        }
        for (int j = i; j < d; j++) {
            double v = out->gram[i * d + j] / out->weight;

            v += center ? 0 : out->mean[i] * out->mean[j];
            out->gram[i * d + j] = out->gram[j * d + i] = v;
        }
    }
    return NB_OK;
}

/* A = LLᵀ in place (lower part); false when A is not positive definite, or nearly not. */
static bool
cholesky(double *a, int n)
{
    for (int j = 0; j < n; j++) {
        double pivot = a[j * n + j], before = pivot;

        for (int k = 0; k < j; k++) {
            pivot -= a[j * n + k] * a[j * n + k];
        }
        if (!(pivot > before * 1e-12)) {
            return false;
        }
        pivot = sqrt(pivot);
        a[j * n + j] = pivot;
        for (int i = j + 1; i < n; i++) {
            double sum = a[i * n + j];

            for (int k = 0; k < j; k++) {
                sum -= a[i * n + k] * a[j * n + k];
            }
            a[i * n + j] = sum / pivot;
        }
    }
    return true;
}

static void
cholesky_solve(const double *l, int n, double *x)
{
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++) {
            x[i] -= l[i * n + k] * x[k];
        }
        x[i] /= l[i * n + i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++) {
            x[i] -= l[k * n + i] * x[k];
        }
        x[i] /= l[i * n + i];
    }
}

/* Minimises ½xᵀAx - bᵀx + Σ penalty|x| by going through the coordinates. */
static int
coordinate_descent(const double *a, const double *b, const double *penalty, int n, double *x)
{
    int iter = 0;

    for (; iter < 100000; iter++) {
        double largest = 0, size = 0;

        for (int i = 0; i < n; i++) {
            double gradient = b[i], old = x[i], next;

            if (a[i * n + i] <= 0) {
                continue;
            }
            for (int j = 0; j < n; j++) {
                gradient -= j == i ? 0 : a[i * n + j] * x[j];
            }
            next = gradient > penalty[i]    ? (gradient - penalty[i]) / a[i * n + i]
                   : gradient < -penalty[i] ? (gradient + penalty[i]) / a[i * n + i]
                                            : 0;
            x[i] = next;
            largest = fmax(largest, fabs(next - old));
            size = fmax(size, fabs(next));
        }
        if (largest <= 1e-13 * size) {
            break;
        }
    }
    return iter;
}

static int
conjugate_gradients(const double *a, const double *b, int n, double *x, double *scratch)
{
    double *r = scratch, *p = scratch + n, *ap = scratch + 2 * n, rr = 0, start;
    int iter = 0;

    for (int i = 0; i < n; i++) {
        x[i] = 0;
        r[i] = p[i] = b[i];
        rr += b[i] * b[i];
    }
    start = rr;
    for (; iter < 10 * n && rr > 1e-28 * start; iter++) {
        double pap = 0, step, next = 0;

        for (int i = 0; i < n; i++) {
            ap[i] = 0;
            for (int j = 0; j < n; j++) {
                ap[i] += a[i * n + j] * p[j];
            }
            pap += p[i] * ap[i];
        }
        if (!(pap > 0)) {
            break;
        }
        step = rr / pap;
        for (int i = 0; i < n; i++) {
            x[i] += step * p[i];
            r[i] -= step * ap[i];
            next += r[i] * r[i];
        }
        for (int i = 0; i < n; i++) {
            p[i] = r[i] + next / rr * p[i];
        }
        rr = next;
    }
    return iter;
}

/* Diagonal of (XᵀWX + …)⁻¹ from the factor of the scaled system. */
static nb_status
invert(const double *l, const moments *s, const double *scale, bool intercept, nb_arena *arena,
       double **out)
{
    int d = s->d;
    double *x = NB_ARENA_ARRAY(arena, double, d + 1), *diag = NB_ARENA_ARRAY(arena, double, d + 1);
    double shift = 1;

    if (!x || !diag) {
        return NB_NOMEM;
    }
    for (int j = 0; j < d; j++) {
        memset(x, 0, (size_t)d * sizeof(double));
        x[j] = 1;
        cholesky_solve(l, d, x);
        diag[j] = x[j] / (scale[j] * scale[j] * s->weight);
    }
    if (intercept) {
        for (int j = 0; j < d; j++) {
            x[j] = s->mean[j] / scale[j];
        }
        cholesky_solve(l, d, x);
        for (int j = 0; j < d; j++) {
            shift += x[j] * s->mean[j] / scale[j];
        }
        diag[d] = shift / s->weight;
    }
    *out = diag;
    return NB_OK;
}

nb_status
nb_linear_fit(const nb_matrix *m, const double *labels, const nb_linear_config *config,
              nb_arena *arena, nb_linear_result *out)
{
    int d = m->d, n = 0;
    double *a = NB_ARENA_ARRAY(arena, double, (size_t)d *(size_t)d + 1);
    double *b = NB_ARENA_ARRAY(arena, double, d + 1),
           *x = nb_arena_zalloc(arena, (size_t)(d + 1) * 8);
    double *scale = NB_ARENA_ARRAY(arena, double, d + 1);
    double *penalty = NB_ARENA_ARRAY(arena, double, d + 1);
    double *scratch = NB_ARENA_ARRAY(arena, double, 4 * d + 4), *l;
    double label_std, reg, sample = 1;
    int *used = NB_ARENA_ARRAY(arena, int, d + 1);
    moments s;

    NB_TRY(measure(m, labels, config->intercept, arena, &s));
    l = NB_ARENA_ARRAY(arena, double, (size_t)d *(size_t)d + 1);
    out->coefficients = x;
    out->intercept = config->intercept ? s.label_mean : 0;
    out->inverse = NULL;
    out->n_iter = 0;
    if (!a || !b || !x || !scale || !penalty || !scratch || !used || !l) {
        return NB_NOMEM;
    }
    if (config->unbiased && m->n_rows > 1) {
        sample = sqrt((double)m->n_rows / (double)(m->n_rows - 1));
    }
    label_std = sqrt(s.label_var) * sample;
    if (label_std == 0) {
        if (config->intercept || s.label_mean == 0) {
            return NB_OK; /* a constant label: nothing to explain */
        }
        label_std = fabs(s.label_mean);
    }
    reg = config->reg_param / label_std;
    for (int j = 0; j < d; j++) {
        scale[j] = s.std[j] * sample;
        if (scale[j] == 0 && !config->intercept && s.mean[j] != 0) {
            scale[j] = fabs(s.mean[j]);
        }
        if (scale[j] > 0) {
            used[n++] = j;
        } else {
            scale[j] = 1;
        }
    }
    for (int i = 0; i < n; i++) {
        double weight = config->standardize ? 1 : 1 / (scale[used[i]] * scale[used[i]]);

        b[i] = s.product[used[i]] / (scale[used[i]] * label_std);
        for (int j = 0; j < n; j++) {
            a[i * n + j] = s.gram[used[i] * d + used[j]] / (scale[used[i]] * scale[used[j]]);
        }
        a[i * n + i] += (1 - config->elastic_net) * reg * weight;
        penalty[i] = config->elastic_net * reg * (config->standardize ? 1 : 1 / scale[used[i]]);
    }
    memcpy(l, a, (size_t)n * (size_t)n * sizeof(double));
    memset(scratch, 0, (size_t)(n + 1) * sizeof(double));
    if (config->elastic_net > 0 && reg > 0) {
        out->n_iter = coordinate_descent(a, b, penalty, n, scratch);
    } else if (cholesky(l, n)) {
        memcpy(scratch, b, (size_t)n * sizeof(double));
        cholesky_solve(l, n, scratch);
        if (n == d && !config->unbiased) {
            NB_TRY(invert(l, &s, scale, config->intercept, arena, &out->inverse));
        }
    } else {
        out->n_iter = conjugate_gradients(a, b, n, scratch, scratch + n);
    }
    for (int i = 0; i < n; i++) {
        x[used[i]] = scratch[i] * label_std / scale[used[i]];
    }
    for (int j = 0; j < d && config->intercept; j++) {
        out->intercept -= x[j] * s.mean[j];
    }
    return NB_OK;
}

/* ---- Student's t ------------------------------------------------------------------------------------------------------------- */

/* The regularised incomplete beta function by its continued fraction (Lentz). */
static double
incomplete_beta(double a, double b, double x)
{
    double front, c = 1, d, f;

    if (x <= 0 || x >= 1) {
        return x <= 0 ? 0 : 1;
    }
    if (x > (a + 1) / (a + b + 2)) {
        return 1 - incomplete_beta(b, a, 1 - x);
    }
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a;
    d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
    f = d;
    for (int i = 1; i < 500; i++) {
        double numerator = i * (b - i) * x / ((a + 2 * i - 1) * (a + 2 * i)), step;

        d = 1 + numerator * d;
        c = 1 + numerator / c;
        d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
        c = fabs(c) < 1e-300 ? 1e-300 : c;
        f *= d * c;
        numerator = -(a + i) * (a + b + i) * x / ((a + 2 * i) * (a + 2 * i + 1));
        d = 1 + numerator * d;
        c = 1 + numerator / c;
        d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
        c = fabs(c) < 1e-300 ? 1e-300 : c;
        step = d * c;
        f *= step;
        if (fabs(step - 1) < 1e-15) {
            break;
        }
    }
    return front * f;
}

double
nb_student_t_p(double t, double degrees)
{
    return isnan(t) ? t : incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
}
