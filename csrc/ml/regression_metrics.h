/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regression_metrics.h: sums over labels and predictions.
 */
#ifndef NB_ML_REGRESSION_METRICS_H
#define NB_ML_REGRESSION_METRICS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct nb_ml_regression {
    int64_t n;
    double weight, weight_squares, label, label_squares, absolute, squares; /* weighted sums */
} nb_ml_regression;

void nb_ml_regression_add(nb_ml_regression *r, double label, double prediction, double weight);
/* spread: weighted squared distances of the labels from their mean. Spark takes the unbiased variance of reliability weights times W - 1,
 * which is the spread itself when all weights are 1. */
double nb_ml_regression_r2(const nb_ml_regression *r, double spread, bool through_origin);

#endif
