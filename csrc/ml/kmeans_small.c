/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kmeans_small.c: k-means on few rows, solved as well as time allows.
 *
 * Rows are put into an order of their own first, so that nothing depends on where they came from. Then: as many centres as distinct rows when
 * those are few; all partitions when they can be counted through; else restarts of greedy k-means++ with Lloyd's iterations, the number of which
 * follows from the size, and the cheapest result is kept.
 *
 * Algorithm  Arthur and Vassilvitskii, k-means++: the advantages of careful seeding (2007); the greedy variant tries a few candidates
 *            per centre and takes the one that lowers the cost most.
 */
#include "ml/kmeans.h"

#include <math.h>
#include <string.h>
#include "base/random.h"
#include "base/thread.h"

#define EXHAUSTIVE_WORK 1e7 /* partitions × rows × features */
#define RESTART_WORK    3e7 /* multiplications spent on all restarts */
#define MAX_RESTARTS    64

typedef struct solver {
    const nb_matrix *m;
    const nb_kmeans_config *config;
    nb_arena *arena;
    int k;
    int64_t n;
    int n_runs;
    double *centers; /* n_runs × k × d */
    double *costs;
    nb_status *statuses;
} solver;

static size_t
center_size(const solver *s)
{
    return (size_t)s->k * (size_t)s->m->d;
}

/* The row at which the running sum of dist × weight passes `target`. */
static int64_t
pick(const nb_matrix *m, const double *dist, double target)
{
    int64_t last = 0;

    for (int64_t i = 0; i < m->n_rows; i++) {
        double mass = dist[i] * nb_matrix_weight(m, i);

        if (mass > 0) {
            last = i;
            target -= mass;
            if (target < 0) {
                return i;
            }
        }
    }
    return last;
}

static double
potential(const nb_matrix *m, const double *dist)
{
    double sum = 0;

    for (int64_t i = 0; i < m->n_rows; i++) {
        sum += dist[i] * nb_matrix_weight(m, i);
    }
    return sum;
}

/* Greedy k-means++. dist, trial and best have room for all tiles. Returns how many centres could be told apart. */
static int
seed_centers(const nb_matrix *m, int k, nb_random *rng, double *centers, double *dist,
             double *trial, double *best)
{
    size_t bytes = (size_t)nb_matrix_tiles(m) * NB_TILE_ROWS * sizeof(double);
    bool large = (double)m->n_rows * m->d * k > 2e8; /* then one candidate has to do */
    int n_trials = large ? 1 : 2 + (int)log((double)k);
    double total;

    for (int64_t i = 0; i < m->n_rows; i++) {
        dist[i] = 1;
    }
    nb_matrix_get_row(m, pick(m, dist, nb_random_double(rng) * potential(m, dist)), centers);
    for (int64_t i = 0; i < (int64_t)(bytes / sizeof(double)); i++) {
        dist[i] = INFINITY;
    }
    nb_kmeans_closer(m, centers, dist);
    total = potential(m, dist);
    for (int c = 1; c < k; c++) {
        double *center = centers + (size_t)c * (size_t)m->d;
        double lowest = INFINITY;
        int64_t winner = -1;

        if (!(total > 0)) {
            return c;
        }
        for (int t = 0; t < n_trials; t++) {
            int64_t row = pick(m, dist, nb_random_double(rng) * total);
            double cost;

            nb_matrix_get_row(m, row, center);
            memcpy(trial, dist, bytes);
            nb_kmeans_closer(m, center, trial);
            cost = potential(m, trial);
            if (cost < lowest) {
                double *swap = best;

                lowest = cost;
                winner = row;
                best = trial;
                trial = swap;
            }
        }
        nb_matrix_get_row(m, winner, center);
        memcpy(dist, best, bytes);
        total = lowest;
    }
    return k;
}

static nb_status
run_once(solver *s, int run)
{
    const nb_matrix *m = s->m;
    size_t bytes = (size_t)nb_matrix_tiles(m) * NB_TILE_ROWS * sizeof(double);
    size_t n_sums = center_size(s) + 2 * (size_t)s->k;
    size_t total = 3 * bytes + n_sums * sizeof(double);
    char *memory = nb_pool_alloc_aligned(m->pool, total);
    double *centers = s->centers + (size_t)run * center_size(s);
    nb_random rng = {(uint64_t)s->config->seed * 0x9e3779b97f4a7c15u + (uint64_t)run};
    nb_kmeans_config config = *s->config;
    nb_kmeans_sums sums;
    nb_status st;
    int n_iter, found;

    if (memory == NULL) {
        return NB_NOMEM;
    }
    found = seed_centers(m, s->k, &rng, centers, (double *)memory, (double *)(memory + bytes),
                         (double *)(memory + 2 * bytes));
    for (int c = found; c < s->k; c++) { /* cannot be told apart: the nearest one gets the rows */
        memcpy(centers + (size_t)c * (size_t)m->d, centers, (size_t)m->d * sizeof(double));
    }
    sums.sums = (double *)(memory + 3 * bytes);
    sums.weights = sums.sums + center_size(s);
    sums.counts = (int64_t *)(sums.weights + s->k);
    config.parallel &= s->n_runs == 1;
    st = nb_kmeans_lloyd(m, &config, s->k, centers, &sums, &n_iter);
    s->costs[run] = st == NB_OK ? sums.cost : INFINITY;
    nb_pool_dealloc_aligned(m->pool, memory, total);
    return st;
}

static void
run_job(void *payload, int run)
{
    solver *s = payload;

    s->statuses[run] = run_once(s, run);
}

/* ---- all partitions ---------------------------------------------------------------------------------------------------------- */

typedef struct search {
    const solver *s;
    double *values; /* n × d */
    int *labels, *best_labels;
    double *sums, *weights, *squares; /* per cluster */
    double best;
} search;

/* Cost of a cluster from its sums about the overall mean: sum w|x|² - |sum wx|² / sum w. */
static double
search_cost(const search *q)
{
    int k = q->s->k, d = q->s->m->d;
    double cost = 0;

    for (int c = 0; c < k; c++) {
        double norm = 0;

        for (int j = 0; j < d; j++) {
            norm += q->sums[c * d + j] * q->sums[c * d + j];
        }
        if (q->weights[c] > 0) {
            cost += q->squares[c] - norm / q->weights[c];
        }
    }
    return cost;
}

/* Puts row i into each of the clusters in use, and into one more: each partition comes once. */
static void
search_rows(search *q, int64_t i, int used)
{
    int k = q->s->k, d = q->s->m->d;
    const double *x = q->values + i * d;
    double w, norm = 0;

    if (k - used > q->s->n - i) {
        return; /* not enough rows left to fill the clusters */
    }
    if (i == q->s->n) {
        double cost = search_cost(q);

        if (cost < q->best) {
            q->best = cost;
            memcpy(q->best_labels, q->labels, (size_t)q->s->n * sizeof *q->labels);
        }
        return;
    }
    w = nb_matrix_weight(q->s->m, i);
    for (int j = 0; j < d; j++) {
        norm += x[j] * x[j];
    }
    for (int c = 0; c < NB_MIN(used + 1, k); c++) {
        q->labels[i] = c;
        q->weights[c] += w;
        q->squares[c] += w * norm;
        for (int j = 0; j < d; j++) {
            q->sums[c * d + j] += w * x[j];
        }
        search_rows(q, i + 1, NB_MAX(used, c + 1));
        q->weights[c] -= w;
        q->squares[c] -= w * norm;
        for (int j = 0; j < d; j++) {
            q->sums[c * d + j] -= w * x[j];
        }
    }
}

#define EXHAUSTIVE_ROWS 12 /* 13 million partitions at most, mostly far fewer */

static bool
can_search(const nb_matrix *m, int k)
{
    double partitions = 1; /* labellings in which a new label is the next number */

    if (m->n_rows > EXHAUSTIVE_ROWS) {
        return false;
    }
    for (int64_t i = 0; i < m->n_rows; i++) {
        partitions *= NB_MIN((double)k, (double)i + 1);
    }
    return partitions * (double)m->n_rows * m->d <= EXHAUSTIVE_WORK;
}

static nb_status
search_all(solver *s, double *centers)
{
    const nb_matrix *m = s->m;
    int d = m->d, k = s->k;
    size_t n = (size_t)s->n;
    double *mean = nb_arena_zalloc(s->arena, (size_t)d * sizeof(double));
    double weight = 0;
    search q = {.s = s, .best = INFINITY};

    q.values = NB_ARENA_ARRAY(s->arena, double, n *(size_t)d);
    q.labels = NB_ARENA_ARRAY(s->arena, int, n);
    q.best_labels = nb_arena_zalloc(s->arena, n * sizeof(int));
    q.sums = nb_arena_zalloc(s->arena, center_size(s) * sizeof(double));
    q.weights = nb_arena_zalloc(s->arena, (size_t)k * sizeof(double));
    q.squares = nb_arena_zalloc(s->arena, (size_t)k * sizeof(double));
    if (!mean || !q.values || !q.labels || !q.best_labels || !q.sums || !q.weights || !q.squares) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < s->n; i++) {
        nb_matrix_get_row(m, i, q.values + i * d);
        weight += nb_matrix_weight(m, i);
        for (int j = 0; j < d; j++) {
            mean[j] += nb_matrix_weight(m, i) * q.values[i * d + j];
        }
    }
    for (int64_t i = 0; i < s->n && weight > 0; i++) {
        for (int j = 0; j < d; j++) {
            q.values[i * d + j] -= mean[j] / weight;
        }
    }
    search_rows(&q, 0, 0);
    memset(centers, 0, center_size(s) * sizeof(double));
    memset(q.weights, 0, (size_t)k * sizeof(double));
    for (int64_t i = 0; i < s->n; i++) {
        double *c = centers + (size_t)q.best_labels[i] * (size_t)d;
        double w = nb_matrix_weight(m, i);

        q.weights[q.best_labels[i]] += w;
        for (int j = 0; j < d; j++) {
            c[j] += w * *nb_matrix_at(m, i, j);
        }
    }
    for (int c = 0; c < k; c++) {
        for (int j = 0; j < d && q.weights[c] > 0; j++) {
            centers[c * d + j] /= q.weights[c];
        }
    }
    return NB_OK;
}

/* ---- entry ----------------------------------------------------------------------------------------------------------------------- */

/* Rows of different value among sorted ones, at most `limit` of them; their numbers go to idx. */
static int64_t
distinct_rows(const nb_matrix *m, int64_t *idx, int64_t limit)
{
    int64_t n = 0;

    for (int64_t i = 0; i < m->n_rows && n <= limit; i++) {
        bool same = n > 0;

        for (int j = 0; j < m->d && same; j++) {
            same = *nb_matrix_at(m, idx[n - 1], j) == *nb_matrix_at(m, i, j);
        }
        if (!same) {
            idx[n++] = i;
        }
    }
    return n;
}

static nb_status
solve_sorted(solver *s, int *k_io, double **centers, double *cost)
{
    const nb_matrix *m = s->m;
    int64_t *idx = NB_ARENA_ARRAY(s->arena, int64_t, m->n_rows);
    int64_t n_distinct;
    double work = (double)m->n_rows * m->d * s->k * 20;
    int best = 0;

    if (idx == NULL) {
        return NB_NOMEM;
    }
    n_distinct = distinct_rows(m, idx, s->k);
    if (n_distinct <= s->k) {
        *centers = NB_ARENA_ARRAY(s->arena, double, (size_t)n_distinct *(size_t)m->d);
        if (*centers == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < n_distinct; i++) {
            nb_matrix_get_row(m, idx[i], *centers + i * m->d);
        }
        *k_io = (int)n_distinct;
        *cost = 0;
        return NB_OK;
    }
    s->n_runs = (int)NB_MAX(NB_MIN(RESTART_WORK / work, MAX_RESTARTS), work < 2e9 ? 2 : 1);
    s->centers = NB_ARENA_ARRAY(s->arena, double, (size_t)s->n_runs *center_size(s));
    s->costs = NB_ARENA_ARRAY(s->arena, double, s->n_runs);
    s->statuses = NB_ARENA_ARRAY(s->arena, nb_status, s->n_runs);
    if (s->centers == NULL || s->costs == NULL || s->statuses == NULL) {
        return NB_NOMEM;
    }
    if (!s->config->cosine && can_search(m, s->k)) {
        *centers = s->centers;
        *cost = 0;
        return search_all(s, s->centers);
    }
    if (s->config->parallel && work > 1e5 && s->n_runs > 1) {
        nb_threads_run(s->n_runs, run_job, s);
    } else {
        for (int run = 0; run < s->n_runs; run++) {
            run_job(s, run);
        }
    }
    for (int run = 0; run < s->n_runs; run++) {
        NB_TRY(s->statuses[run]);
        if (s->costs[run] < s->costs[best]) {
            best = run;
        }
    }
    *centers = s->centers + (size_t)best * center_size(s);
    *cost = s->costs[best];
    return NB_OK;
}

nb_status
nb_kmeans_solve_small(const nb_matrix *m, const nb_kmeans_config *config, nb_arena *arena,
                      int *k_io, double **centers, double *cost)
{
    int64_t *order = NB_ARENA_ARRAY(arena, int64_t, m->n_rows);
    nb_matrix *sorted;
    solver s = {.config = config, .arena = arena, .k = *k_io, .n = m->n_rows};
    nb_status st;

    if (order == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < m->n_rows; i++) {
        order[i] = i;
    }
    nb_matrix_sort_rows(m, order, m->n_rows);
    NB_TRY(nb_matrix_take(m, order, m->n_rows, &sorted));
    s.m = sorted;
    st = solve_sorted(&s, k_io, centers, cost);
    nb_matrix_free(sorted);
    return st;
}
