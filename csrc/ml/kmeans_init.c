/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kmeans_init.c: where large problems start.
 *
 * 1. A sample of rows, chosen by a hash of their values (so that their order does not matter), is solved as a small problem.
 * 2. The cost of all rows is compared with what the sample promises. When it is much higher, the sample has missed rows far from
 *    everything else (few, but dear): then rounds of k-means|| draw further candidates with chances in proportion to their
 *    distance, the candidates are weighted by the rows near them and solved as a small problem, and the cheaper start wins.
 *
 * Algorithm  Bahmani et al., Scalable K-Means++ (2012), for the second step.
 */
#include "ml/kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/thread.h"

#define SMALL_ROWS   4096
#define SMALL_WORK   4e6   /* rows × features × k up to which all rows are "small" */
#define SAMPLE_MAX   65536 /* but never fewer than 8 rows per centre */
#define SAMPLE_PER_K 192
#define MISSED       1.5 /* cost of all rows over what the sample promised */
#define CHUNK_TILES  4096

NB_INLINE uint64_t
mix(uint64_t h)
{
    h ^= h >> 30;
    h *= 0xbf58476d1ce4e5b9u;
    h ^= h >> 27;
    h *= 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}

static uint64_t
hash_row(const nb_matrix *m, int64_t row, uint64_t seed)
{
    const double *p = nb_matrix_at(m, row, 0);
    uint64_t h = seed;

    for (int j = 0; j < m->d; j++) {
        uint64_t bits;
        double x = p[(size_t)j * NB_TILE_ROWS] + 0.0;

        memcpy(&bits, &x, sizeof bits);
        h = (h ^ bits) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
    }
    return mix(h);
}

/* Rows that pass a test, found chunk by chunk in parallel and put together in order. */
typedef struct sift {
    const nb_matrix *m;
    uint64_t seed;
    double rate;           /* chance of a row, for the sample */
    const double *centers; /* not NULL: the chance is scale × weight × squared distance */
    int k;
    double scale;
    int64_t **rows; /* per chunk; in the pool */
    int64_t *n_rows, *cap;
    bool failed;
} sift;

static bool
sift_add(sift *s, int chunk, int64_t row)
{
    if (s->n_rows[chunk] == s->cap[chunk]) {
        int64_t cap = s->cap[chunk] ? 2 * s->cap[chunk] : 256;
        int64_t *rows =
            nb_pool_realloc(s->m->pool, s->rows[chunk], (size_t)s->cap[chunk] * sizeof(int64_t),
                            (size_t)cap * sizeof(int64_t));

        if (rows == NULL) {
            return false;
        }
        s->rows[chunk] = rows;
        s->cap[chunk] = cap;
    }
    s->rows[chunk][s->n_rows[chunk]++] = row;
    return true;
}

static void
sift_chunk(void *payload, int chunk)
{
    sift *s = payload;
    const nb_matrix *m = s->m;
    int64_t tile = (int64_t)chunk * CHUNK_TILES;
    int64_t end = NB_MIN(tile + CHUNK_TILES, nb_matrix_tiles(m));
    int64_t labels[NB_TILE_ROWS];
    double dist[NB_TILE_ROWS];

    for (; tile < end; tile++) {
        int64_t row0 = tile * NB_TILE_ROWS;

        if (s->centers != NULL) {
            nb_kmeans_assign(nb_matrix_at(m, row0, 0), 1, m->d, s->centers, s->k, labels, dist);
        }
        for (int64_t row = row0; row < NB_MIN(row0 + NB_TILE_ROWS, m->n_rows); row++) {
            double chance = s->rate, at;

            if (s->centers != NULL) {
                chance = s->scale * nb_matrix_weight(m, row) * dist[row - row0];
                if (!(chance > 0)) {
                    continue;
                }
            }
            at = (double)(hash_row(m, row, s->seed) >> 11) * 0x1.0p-53;
            if (at < chance && !sift_add(s, chunk, row)) {
                s->failed = true;
                return;
            }
        }
    }
}

static nb_status
sift_run(sift *s, bool parallel, nb_arena *arena, int64_t **rows, int64_t *n_rows)
{
    int n_chunks = (int)((nb_matrix_tiles(s->m) + CHUNK_TILES - 1) / CHUNK_TILES);
    int64_t n = 0;

    s->rows = nb_arena_zalloc(arena, (size_t)n_chunks * sizeof *s->rows);
    s->n_rows = nb_arena_zalloc(arena, (size_t)n_chunks * sizeof *s->n_rows);
    s->cap = nb_arena_zalloc(arena, (size_t)n_chunks * sizeof *s->cap);
    if (s->rows == NULL || s->n_rows == NULL || s->cap == NULL) {
        return NB_NOMEM;
    }
    if (parallel) {
        nb_threads_run(n_chunks, sift_chunk, s);
    } else {
        for (int i = 0; i < n_chunks; i++) {
            sift_chunk(s, i);
        }
    }
    for (int i = 0; i < n_chunks; i++) {
        n += s->n_rows[i];
    }
    *rows = NB_ARENA_ARRAY(arena, int64_t, NB_MAX(n, 1));
    *n_rows = 0;
    for (int i = 0; i < n_chunks; i++) {
        if (*rows != NULL && s->n_rows[i] > 0) {
            memcpy(*rows + *n_rows, s->rows[i], (size_t)s->n_rows[i] * sizeof(int64_t));
            *n_rows += s->n_rows[i];
        }
        if (s->rows[i] != NULL) {
            nb_pool_dealloc(s->m->pool, s->rows[i], (size_t)s->cap[i] * sizeof(int64_t));
        }
    }
    return *rows == NULL || s->failed ? NB_NOMEM : NB_OK;
}

static nb_status
cost_of(const nb_matrix *m, const nb_kmeans_config *config, const double *centers, int k,
        nb_arena *arena, nb_kmeans_sums *sums)
{
    *sums = (nb_kmeans_sums){.weights = NB_ARENA_ARRAY(arena, double, k),
                             .counts = NB_ARENA_ARRAY(arena, int64_t, k)};
    if (sums->weights == NULL || sums->counts == NULL) {
        return NB_NOMEM;
    }
    return nb_kmeans_pass(m, centers, k, config->parallel, config->cancel, sums);
}

static double
total_weight(const nb_matrix *m)
{
    double sum = 0;

    if (m->weights == NULL) {
        return (double)m->n_rows;
    }
    for (int64_t i = 0; i < m->n_rows; i++) {
        sum += m->weights[i];
    }
    return sum;
}

/* Draws further candidates until init_steps rounds are over; solves the weighted candidates. */
static nb_status
parallel_rounds(const nb_matrix *m, const nb_kmeans_config *config, nb_arena *arena, int *k_io,
                double **centers, double cost)
{
    int64_t cap = (int64_t)*k_io * (1 + 4 * (int64_t)config->init_steps), n = *k_io;
    double *all = NB_ARENA_ARRAY(arena, double, (size_t)cap *(size_t)m->d);
    nb_kmeans_sums sums;
    nb_matrix *candidates;
    double ignored;
    nb_status st;

    if (all == NULL) {
        return NB_NOMEM;
    }
    memcpy(all, *centers, (size_t)n * (size_t)m->d * sizeof(double));
    for (int round = 0; round < config->init_steps && cost > 0; round++) {
        sift s = {.m = m,
                  .seed = mix((uint64_t)config->seed + 77 + (uint64_t)round),
                  .centers = all,
                  .k = (int)n,
                  .scale = 2.0 * *k_io / cost};
        int64_t *rows, n_rows;

        NB_TRY(sift_run(&s, config->parallel, arena, &rows, &n_rows));
        nb_matrix_sort_rows(m, rows, n_rows);
        for (int64_t i = 0; i < n_rows && n < cap; i++) {
            if (i == 0 || nb_matrix_compare_rows(m, rows[i - 1], rows[i]) != 0) {
                nb_matrix_get_row(m, rows[i], all + (size_t)n++ * (size_t)m->d);
            }
        }
        NB_TRY(cost_of(m, config, all, (int)n, arena, &sums));
        cost = sums.cost;
    }
    NB_TRY(cost_of(m, config, all, (int)n, arena, &sums));
    NB_TRY(nb_matrix_new(m->pool, n, m->d, true, &candidates));
    for (int64_t i = 0; i < n; i++) {
        nb_matrix_set_row(candidates, i, all + (size_t)i * (size_t)m->d);
        candidates->weights[i] = sums.weights[i];
    }
    st = nb_kmeans_solve_small(candidates, config, arena, k_io, centers, &ignored);
    nb_matrix_free(candidates);
    return st;
}

nb_status
nb_kmeans_init(const nb_matrix *m, const nb_kmeans_config *config, nb_arena *arena, int *k_io,
               double **centers)
{
    double wanted =
        NB_MAX((double)SMALL_ROWS, NB_MIN((double)config->k * SAMPLE_PER_K, SAMPLE_MAX));
    nb_kmeans_config sample_config = *config;
    sift s = {.m = m, .seed = mix((uint64_t)config->seed), .rate = wanted / (double)m->n_rows};
    int64_t *rows, n_rows;
    nb_matrix *sample;
    nb_kmeans_sums first, second;
    double promised, cost, *other;
    int k = *k_io, other_k;
    nb_status st;

    if (wanted < 8.0 * config->k) {
        wanted = 8.0 * config->k;
        s.rate = wanted / (double)m->n_rows;
    }
    sample_config.max_iter = NB_MAX(config->max_iter, 1);
    if (m->n_rows <= SMALL_ROWS ||
        (double)m->n_rows * m->d * config->k <= SMALL_WORK / 4 /* a few restarts are cheap */) {
        return nb_kmeans_solve_small(m, &sample_config, arena, k_io, centers, &cost);
    }
    NB_TRY(sift_run(&s, config->parallel, arena, &rows, &n_rows));
    if (n_rows < wanted / 4 || n_rows > wanted * 4) { /* few distinct rows: hashes say little */
        nb_matrix_sort_rows(m, rows, n_rows);
        if (n_rows > wanted * 4) {
            int64_t step = (int64_t)((double)n_rows / wanted), n = 0;

            for (int64_t i = 0; i < n_rows; i += step) {
                rows[n++] = rows[i];
            }
            n_rows = n;
        } else {
            int64_t step = (int64_t)((double)m->n_rows / wanted), n = 0;

            rows = NB_ARENA_ARRAY(arena, int64_t, m->n_rows / step + 1);
            if (rows == NULL) {
                return NB_NOMEM;
            }
            for (int64_t i = 0; i < m->n_rows; i += step) {
                rows[n++] = i;
            }
            n_rows = n;
        }
    }
    NB_TRY(nb_matrix_take(m, rows, n_rows, &sample));
    st = nb_kmeans_solve_small(sample, &sample_config, arena, &k, centers, &cost);
    promised = cost / total_weight(sample) * total_weight(m);
    nb_matrix_free(sample);
    NB_TRY(st);
    NB_TRY(cost_of(m, config, *centers, k, arena, &first));
    *k_io = k;
    if (first.cost <= promised * MISSED && k == config->k) {
        return NB_OK;
    }
    if (first.cost == 0) {
        return NB_OK; /* fewer distinct rows than centres asked for */
    }
    other = *centers;
    other_k = config->k;
    if (k < config->k) { /* room for all of them */
        double *padded = NB_ARENA_ARRAY(arena, double, (size_t)config->k *(size_t)m->d);

        if (padded == NULL) {
            return NB_NOMEM;
        }
        for (int c = 0; c < config->k; c++) {
            memcpy(padded + (size_t)c * (size_t)m->d,
                   *centers + (size_t)(c < k ? c : 0) * (size_t)m->d,
                   (size_t)m->d * sizeof(double));
        }
        other = padded;
    }
    NB_TRY(parallel_rounds(m, config, arena, &other_k, &other, first.cost));
    NB_TRY(cost_of(m, config, other, other_k, arena, &second));
    if (second.cost < first.cost) {
        *centers = other;
        *k_io = other_k;
    }
    return NB_OK;
}
