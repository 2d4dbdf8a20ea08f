/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linear.h: weighted least squares with elastic-net regularisation.
 *
 * Minimises  1/(2W) Σ w (y - xβ - b)² / s²  +  λ/s [ (1-α)/2 Σ (σβ)² / s² + α Σ |σβ| / s ]  as Spark's WeightedLeastSquares does: features
 * are scaled by their deviation σ (unless told not to standardize), the label by its own, s.
 */
#ifndef NB_ML_LINEAR_H
#define NB_ML_LINEAR_H

#include "base/arena.h"
#include "ml/matrix.h"

typedef struct nb_linear_config {
    double reg_param, elastic_net, tol;
    int max_iter;
    bool intercept, standardize;
    bool
        unbiased; /* deviations of the sample, as Spark's l-bfgs; else of the population, as its normal equations */
} nb_linear_config;

typedef struct nb_linear_result {
    double *coefficients; /* d */
    double intercept;
    /* Diagonal of the inverse of XᵀWX, intercept last; NULL when there is none (L1, collinear features). */
    double *inverse;
    int n_iter; /* of the iterative solvers */
} nb_linear_result;

nb_status nb_linear_fit(const nb_matrix *m, const double *labels, const nb_linear_config *config,
                        nb_arena *arena, nb_linear_result *out);

/* Student's t: the chance of a value at least as far from 0, on both sides. */
double nb_student_t_p(double t, double degrees);

#endif
