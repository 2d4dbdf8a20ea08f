/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h: Spark's hash of rows, for hash exchanges.
 */
#ifndef NB_EXPR_KERNELS_HASH_H
#define NB_EXPR_KERNELS_HASH_H

#include "column/vector.h"

/* Folds column v into hash[0..n), which start at NB_SPARK_HASH_SEED (base/hash.h). v is of any kind. A row's partition is
 * pmod(hash, number of partitions). */
void nb_spark_hash_rows(const nb_vector *v, int64_t n, int32_t *hash);

#endif
