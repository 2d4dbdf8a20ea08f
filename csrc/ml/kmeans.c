/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kmeans.c: Lloyd's iterations, and the whole fit.
 *
 * As in Spark: a cluster that has lost its rows keeps its centre; the loop ends when no centre moved farther than tol, or after max_iter.
 */
#include "ml/kmeans.h"

#include <math.h>
#include <string.h>

/* The centre of the rows summed up, into `to`; returns the squared distance (cosine: the cosine distance) from the old one. */
static double
move_center(double *center, const double *sum, double weight, int d, bool cosine)
{
    double moved = 0, norm = 0;

    if (weight <= 0) {
        return 0;
    }
    if (cosine) {
        double dot = 0;

        for (int j = 0; j < d; j++) {
            norm += sum[j] * sum[j];
        }
        if (norm == 0) {
            return 0; /* rows that point everywhere: no direction is better than the old one */
        }
        norm = sqrt(norm);
        for (int j = 0; j < d; j++) {
            dot += center[j] * (sum[j] / norm);
            center[j] = sum[j] / norm;
        }
        return 1 - dot;
    }
    for (int j = 0; j < d; j++) {
        double mean = sum[j] / weight;

        moved += (mean - center[j]) * (mean - center[j]);
        center[j] = mean;
    }
    return moved;
}

nb_status
nb_kmeans_lloyd(const nb_matrix *m, const nb_kmeans_config *config, int k, double *centers,
                nb_kmeans_sums *sums, int *n_iter)
{
    double *scratch = sums->sums;
    double limit = config->cosine ? config->tol : config->tol * config->tol;
    bool still = false;
    int iter = 0;

    while (iter < config->max_iter) {
        bool converged = true;

        still = true;
        NB_TRY(nb_kmeans_pass(m, centers, k, config->parallel, config->cancel, sums));
        for (int c = 0; c < k; c++) {
            double moved = move_center(centers + (size_t)c * (size_t)m->d,
                                       sums->sums + (size_t)c * (size_t)m->d, sums->weights[c],
                                       m->d, config->cosine);

            converged &= moved <= limit;
            still &= moved == 0;
        }
        iter++;
        if (converged) {
            break;
        }
    }
    if (!still) { /* else the last pass has seen the final centres */
        nb_status st;

        sums->sums = NULL;
        st = nb_kmeans_pass(m, centers, k, config->parallel, config->cancel, sums);
        sums->sums = scratch;
        NB_TRY(st);
    }
    *n_iter = iter;
    return NB_OK;
}

nb_status
nb_kmeans_fit(const nb_matrix *m, const nb_kmeans_config *config, nb_arena *arena,
              nb_kmeans_result *out)
{
    nb_kmeans_sums sums;
    double *centers;
    int k = config->k;

    NB_TRY(nb_kmeans_init(m, config, arena, &k, &centers));
    sums = (nb_kmeans_sums){
        .sums = NB_ARENA_ARRAY(arena, double, (size_t)k *(size_t)m->d),
        .weights = NB_ARENA_ARRAY(arena, double, k),
        .counts = NB_ARENA_ARRAY(arena, int64_t, k),
    };
    if (sums.sums == NULL || sums.weights == NULL || sums.counts == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_kmeans_lloyd(m, config, k, centers, &sums, &out->n_iter));
    out->k = k;
    out->centers = centers;
    out->sizes = sums.counts;
    out->cost =
        config->cosine ? sums.cost / 2 : sums.cost; /* |x - c|² = 2 (1 - xc) for unit vectors */
    return NB_OK;
}
