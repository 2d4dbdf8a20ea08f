/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kmeans_pass.h: one pass of k-means over a matrix: the nearest centre of each row, and what the rows of each centre add up to.
 *
 * The rows are cut into chunks whose number follows from the size of the problem alone; each chunk is summed in row order, the chunks in
 * pairs, in order. So the result is the same to the last bit for any number of threads.
 */
#ifndef NB_ML_KMEANS_PASS_H
#define NB_ML_KMEANS_PASS_H

#include "io/source.h"
#include "ml/matrix.h"

/* What a pass adds up; arrays belong to the caller. */
typedef struct nb_kmeans_sums {
    double *sums;    /* k × d, weighted; NULL: not wanted */
    double *weights; /* k */
    int64_t *counts; /* k */
    double cost;     /* weighted squared distances to the nearest centre */
} nb_kmeans_sums;

/* centers: k × d, row-major. NB_CANCELLED when asked to stop. */
nb_status nb_kmeans_pass(const nb_matrix *m, const double *centers, int k, bool parallel,
                         const nb_cancel_flag *cancel, nb_kmeans_sums *out);

/* Nearest centre (lowest number wins ties) and squared distance of the rows of n_tiles tiles. */
void nb_kmeans_assign(const double *tiles, int64_t n_tiles, int d, const double *centers, int k,
                      int64_t *labels, double *dist);

/* dist[row] = min(dist[row], squared distance to the centre), for all rows of all tiles. */
void nb_kmeans_closer(const nb_matrix *m, const double *center, double *dist);

#endif
