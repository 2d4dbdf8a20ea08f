/* SPDX-License-Identifier: Apache-2.0 */
/*
 * well.h: the generators behind Spark's sample with replacement, bit by bit: java.util.Random gives each partition a seed, WELL19937c
 * (Panneton, L'Ecuyer and Matsumoto; as in Commons Math, seeded by 64 bits) the numbers from which Poisson counts are drawn.
 */
#ifndef NB_BASE_WELL_H
#define NB_BASE_WELL_H

#include "base/macros.h"

#define NB_WELL_WORDS 624

typedef struct nb_well {
    uint32_t v[NB_WELL_WORDS];
    int at;
} nb_well;

void nb_well_init(nb_well *w, int64_t seed);
double nb_well_double(nb_well *w); /* [0, 1), 52 bits */
/* A Poisson count of this mean, as Commons Math draws it for means below 40: by multiplication. */
int64_t nb_well_poisson(nb_well *w, double mean);

/* The n-th (from 0) nextLong of new java.util.Random(seed). */
int64_t nb_java_random_long(int64_t seed, int64_t n);

#endif
