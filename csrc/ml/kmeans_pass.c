/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kmeans_pass.c: nearest centres, vectorised over the rows of a tile.
 *
 * Distances are sums of squared differences, feature by feature, as one would do by hand: the shorter |x|² - 2xc + |c|² loses digits where
 * clusters are far from the origin, and the loop waits for memory anyway. Four centres share one load of the rows. Multiplication and
 * addition stay apart (no fused steps), so that every CPU gives the same bits.
 */
#include "ml/kmeans_pass.h"

#include <string.h>
#include "base/thread.h"

typedef double v8d __attribute__((vector_size(64)));
typedef int64_t v8i __attribute__((vector_size(64)));

/* Lanes of a where the mask is set, else of b. */
#define SELECT(mask, a, b) ((v8d)(((mask) & (v8i)(a)) | (~(mask) & (v8i)(b))))
#define SPLAT(x)           ((x) - (v8d){0})

NB_INLINE void
assign_impl(const double *tiles, int64_t n_tiles, int d, const double *centers, int k,
            int64_t *labels, double *dist)
{
    for (int64_t t = 0; t < n_tiles; t++) {
        const v8d *x = (const v8d *)(tiles + (size_t)t * (size_t)d * NB_TILE_ROWS);
        v8d best = SPLAT(__builtin_inf());
        v8i label = {0};
        int c = 0;

        for (; c + 4 <= k; c += 4) {
            const double *c0 = centers + (size_t)c * (size_t)d, *c1 = c0 + d, *c2 = c1 + d,
                         *c3 = c2 + d;
            v8d s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
            v8i closer;

            for (int j = 0; j < d; j++) {
                v8d v = x[j];
                v8d d0 = v - c0[j], d1 = v - c1[j], d2 = v - c2[j], d3 = v - c3[j];

                s0 += d0 * d0;
                s1 += d1 * d1;
                s2 += d2 * d2;
                s3 += d3 * d3;
            }
            closer = s0 < best;
            best = SELECT(closer, s0, best);
            label = (closer & c) | (~closer & label);
            closer = s1 < best;
            best = SELECT(closer, s1, best);
            label = (closer & (c + 1)) | (~closer & label);
            closer = s2 < best;
            best = SELECT(closer, s2, best);
            label = (closer & (c + 2)) | (~closer & label);
            closer = s3 < best;
            best = SELECT(closer, s3, best);
            label = (closer & (c + 3)) | (~closer & label);
        }
        for (; c < k; c++) {
            const double *c0 = centers + (size_t)c * (size_t)d;
            v8d s0 = {0};
            v8i closer;

            for (int j = 0; j < d; j++) {
                v8d d0 = x[j] - c0[j];

                s0 += d0 * d0;
            }
            closer = s0 < best;
            best = SELECT(closer, s0, best);
            label = (closer & c) | (~closer & label);
        }
        memcpy(labels + t * NB_TILE_ROWS, &label, sizeof label);
        memcpy(dist + t * NB_TILE_ROWS, &best, sizeof best);
    }
}

NB_SIMD_CLONES void
nb_kmeans_assign(const double *tiles, int64_t n_tiles, int d, const double *centers, int k,
                 int64_t *labels, double *dist)
{
    switch (d) {
    case 1: assign_impl(tiles, n_tiles, 1, centers, k, labels, dist); break;
    case 2: assign_impl(tiles, n_tiles, 2, centers, k, labels, dist); break;
    case 3: assign_impl(tiles, n_tiles, 3, centers, k, labels, dist); break;
    case 4: assign_impl(tiles, n_tiles, 4, centers, k, labels, dist); break;
    default: assign_impl(tiles, n_tiles, d, centers, k, labels, dist);
    }
}

NB_SIMD_CLONES static void
closer_loop(const double *tiles, int64_t n_tiles, int d, const double *center, double *dist)
{
    for (int64_t t = 0; t < n_tiles; t++) {
        const v8d *x = (const v8d *)(tiles + (size_t)t * (size_t)d * NB_TILE_ROWS);
        v8d s = {0}, old;
        v8i closer;

        for (int j = 0; j < d; j++) {
            v8d diff = x[j] - center[j];

            s += diff * diff;
        }
        memcpy(&old, dist + t * NB_TILE_ROWS, sizeof old);
        closer = s < old;
        old = SELECT(closer, s, old);
        memcpy(dist + t * NB_TILE_ROWS, &old, sizeof old);
    }
}

void
nb_kmeans_closer(const nb_matrix *m, const double *center, double *dist)
{
    closer_loop(m->data, nb_matrix_tiles(m), m->d, center, dist);
}

/* ---- a pass -------------------------------------------------------------------------------------------------------------------- */

#define BLOCK_TILES 32 /* rows are summed while the block is still in the cache */

typedef struct pass {
    const nb_matrix *m;
    const double *centers;
    const nb_cancel_flag *cancel;
    int k;
    bool want_sums;
    int64_t tiles_per_chunk;
    int n_chunks;
    size_t stride;   /* doubles per chunk in `partial` */
    double *partial; /* n_chunks × | sums k·d | weights k | cost | */
    int64_t *counts; /* n_chunks × k */
} pass;

/* Adds the rows of a block to the sums of their centres. */
NB_INLINE void
scatter_impl(const double *tiles, int64_t n_rows, int d, const int64_t *labels,
             const double *weights, double *sums, double *weight_sums, int64_t *counts)
{
    for (int64_t row = 0; row < n_rows; row++) {
        const double *p = tiles + (size_t)((row >> 3) * d) * NB_TILE_ROWS + (row & 7);
        int64_t c = labels[row];
        double *s = sums + (size_t)c * (size_t)d;

        counts[c]++;
        if (weights == NULL) {
            for (int j = 0; j < d; j++) {
                s[j] += p[(size_t)j * NB_TILE_ROWS];
            }
        } else {
            weight_sums[c] += weights[row];
            for (int j = 0; j < d; j++) {
                s[j] += weights[row] * p[(size_t)j * NB_TILE_ROWS];
            }
        }
    }
}

static void
scatter(const double *tiles, int64_t n_rows, int d, const int64_t *labels, const double *weights,
        double *sums, double *weight_sums, int64_t *counts)
{
    if (weights == NULL && d == 2) {
        scatter_impl(tiles, n_rows, 2, labels, NULL, sums, weight_sums, counts);
    } else if (weights == NULL && d == 3) {
        scatter_impl(tiles, n_rows, 3, labels, NULL, sums, weight_sums, counts);
    } else {
        scatter_impl(tiles, n_rows, d, labels, weights, sums, weight_sums, counts);
    }
}

static void
run_chunk(void *payload, int chunk)
{
    pass *p = payload;
    const nb_matrix *m = p->m;
    int d = m->d, k = p->k;
    double *sums = p->partial + (size_t)chunk * p->stride;
    double *weights = sums + (p->want_sums ? (size_t)k * (size_t)d : 0);
    int64_t *counts = p->counts + (size_t)chunk * (size_t)k;
    int64_t from = chunk * p->tiles_per_chunk;
    int64_t to = NB_MIN(from + p->tiles_per_chunk, nb_matrix_tiles(m));
    int64_t labels[BLOCK_TILES * NB_TILE_ROWS];
    double dist[BLOCK_TILES * NB_TILE_ROWS];
    double cost = 0;

    memset(sums, 0, p->stride * sizeof *sums);
    memset(counts, 0, (size_t)k * sizeof *counts);
    for (int64_t tile = from; tile < to && !nb_cancelled(p->cancel); tile += BLOCK_TILES) {
        int64_t n_tiles = NB_MIN(BLOCK_TILES, to - tile);
        int64_t row = tile * NB_TILE_ROWS;
        int64_t n = NB_MIN(n_tiles * NB_TILE_ROWS, m->n_rows - row);
        const double *data = m->data + (size_t)tile * (size_t)d * NB_TILE_ROWS;
        const double *w = m->weights ? m->weights + row : NULL;
        double lanes[4] = {0};

        nb_kmeans_assign(data, n_tiles, d, p->centers, k, labels, dist);
        if (p->want_sums) {
            scatter(data, n, d, labels, w, sums, weights, counts);
        } else {
            for (int64_t i = 0; i < n; i++) {
                counts[labels[i]]++;
            }
        }
        for (int64_t i = 0; i < n; i++) {
            lanes[i & 3] += w ? w[i] * dist[i] : dist[i];
        }
        cost += (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
    }
    if (m->weights == NULL) {
        for (int c = 0; c < k; c++) {
            weights[c] = (double)counts[c];
        }
    }
    weights[k] = cost;
}

/* Adds up the chunks pairwise: chunk i gets chunk i + step. */
static void
reduce(pass *p)
{
    for (int step = 1; step < p->n_chunks; step *= 2) {
        for (int i = 0; i + step < p->n_chunks; i += 2 * step) {
            double *a = p->partial + (size_t)i * p->stride;
            const double *b = a + (size_t)step * p->stride;
            int64_t *ca = p->counts + (size_t)i * (size_t)p->k;
            const int64_t *cb = ca + (size_t)step * (size_t)p->k;

            for (size_t j = 0; j < p->stride; j++) {
                a[j] += b[j];
            }
            for (int c = 0; c < p->k; c++) {
                ca[c] += cb[c];
            }
        }
    }
}

/* 8 Ki rows or more per chunk, at most 256 chunks, at most 64 MiB of sums. */
static int
chunks_for(int64_t n_tiles, size_t stride)
{
    int64_t n = NB_MIN((n_tiles + 1023) / 1024, 256);
    int64_t fit = (int64_t)(((size_t)64 << 20) / (stride * sizeof(double)));

    return (int)NB_MAX(NB_MIN(n, NB_MAX(fit, 2)), 1);
}

nb_status
nb_kmeans_pass(const nb_matrix *m, const double *centers, int k, bool parallel,
               const nb_cancel_flag *cancel, nb_kmeans_sums *out)
{
    int64_t n_tiles = nb_matrix_tiles(m);
    pass p = {.m = m, .centers = centers, .cancel = cancel, .k = k, .want_sums = out->sums != NULL};
    size_t bytes, count_bytes;
    const double *weights;

    p.stride = (p.want_sums ? (size_t)k * (size_t)m->d : 0) + (size_t)k + 1;
    p.n_chunks = chunks_for(n_tiles, p.stride);
    p.tiles_per_chunk = (n_tiles + p.n_chunks - 1) / p.n_chunks;
    bytes = (size_t)p.n_chunks * p.stride * sizeof(double);
    count_bytes = (size_t)p.n_chunks * (size_t)k * sizeof(int64_t);
    p.partial = nb_pool_alloc(m->pool, bytes);
    p.counts = nb_pool_alloc(m->pool, count_bytes);
    if (p.partial == NULL || p.counts == NULL) {
        nb_pool_dealloc(m->pool, p.partial, p.partial ? bytes : 0);
        nb_pool_dealloc(m->pool, p.counts, p.counts ? count_bytes : 0);
        return NB_NOMEM;
    }
    if (parallel) {
        nb_threads_run(p.n_chunks, run_chunk, &p);
    } else {
        for (int i = 0; i < p.n_chunks; i++) {
            run_chunk(&p, i);
        }
    }
    reduce(&p);
    weights = p.partial + p.stride - (size_t)k - 1;
    if (p.want_sums) {
        memcpy(out->sums, p.partial, (size_t)k * (size_t)m->d * sizeof(double));
    }
    memcpy(out->weights, weights, (size_t)k * sizeof(double));
    memcpy(out->counts, p.counts, (size_t)k * sizeof(int64_t));
    out->cost = weights[k];
    nb_pool_dealloc(m->pool, p.partial, bytes);
    nb_pool_dealloc(m->pool, p.counts, count_bytes);
    return nb_cancelled(cancel) ? NB_CANCELLED : NB_OK;
}
