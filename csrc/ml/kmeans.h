/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kmeans.h: k-means over a matrix.
 *
 * The result depends on the set of rows and the seed, not on their order, threads or partitions; the order shows in the last bits of sums at
 * most. Small problems are solved many times over and the best answer is kept, tiny ones exhaustively; large ones start from a sample that
 * was solved that way, and fall back on k-means|| where the sample turns out to have missed something.
 */
#ifndef NB_ML_KMEANS_H
#define NB_ML_KMEANS_H

#include "base/arena.h"
#include "base/error.h"
#include "ml/kmeans_pass.h"

typedef struct nb_kmeans_config {
    int k;
    int max_iter;
    double tol; /* a centre that moved at most this far has not moved */
    int64_t seed;
    int init_steps; /* rounds of k-means|| */
    bool cosine;    /* rows have length 1 (nb_matrix_normalize), centres are kept at length 1 */
    bool parallel;
    const nb_cancel_flag *cancel; /* may be NULL */
} nb_kmeans_config;

typedef struct nb_kmeans_result {
    int k;           /* fewer than asked for when there are fewer distinct rows */
    double *centers; /* k × d, row-major; in the arena */
    int64_t *sizes;  /* rows per cluster */
    double cost;     /* of the final centres: squared distances, or cosine distances */
    int n_iter;
} nb_kmeans_result;

/* m has at least one row, all finite. */
nb_status nb_kmeans_fit(const nb_matrix *m, const nb_kmeans_config *config, nb_arena *arena,
                        nb_kmeans_result *out);

/* ---- parts --------------------------------------------------------------------------------------------------------------------- */

/* Lloyd's iterations from `centers` (k × d, changed in place). *sums: as of the final centres; sums->sums is scratch (k × d). */
nb_status nb_kmeans_lloyd(const nb_matrix *m, const nb_kmeans_config *config, int k,
                          double *centers, nb_kmeans_sums *sums, int *n_iter);
/* Centres from the best of many runs; m is small. *k_io: in the wanted, out the found number of centres. */
nb_status nb_kmeans_solve_small(const nb_matrix *m, const nb_kmeans_config *config, nb_arena *arena,
                                int *k_io, double **centers, double *cost);
/* First centres for a matrix of any size. */
nb_status nb_kmeans_init(const nb_matrix *m, const nb_kmeans_config *config, nb_arena *arena,
                         int *k_io, double **centers);

#endif
