/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.h: random numbers: Spark's generator bit by bit, and a fast one for our own use.
 *
 * nb_xorshift is org.apache.spark.util.random.XORShiftRandom (seed hashed by Murmur3, then the draws of java.util.Random): what
 * rand(seed), randn(seed), sample and randomSplit are made of. Spark seeds it per partition with seed + partition.
 */
#ifndef NB_BASE_RANDOM_H
#define NB_BASE_RANDOM_H

#include <stdbool.h>
#include "base/macros.h"

typedef struct nb_xorshift {
    uint64_t seed;
    bool has_gaussian;
    double gaussian; /* the second of a pair */
} nb_xorshift;

int64_t nb_xorshift_hash_seed(int64_t seed);
void nb_xorshift_init(nb_xorshift *r, int64_t seed);

NB_INLINE int32_t
nb_xorshift_bits(nb_xorshift *r, int bits)
{
    uint64_t s = r->seed;
    s ^= s << 21;
    s ^= s >> 35;
    s ^= s << 4;
    r->seed = s;
    return (int32_t)(uint32_t)(s & (((uint64_t)1 << bits) - 1));
}
NB_INLINE double
nb_xorshift_double(nb_xorshift *r) /* [0, 1) */
{
    int64_t high = (int64_t)nb_xorshift_bits(r, 26) << 27;
    return (double)(high + nb_xorshift_bits(r, 27)) * 0x1.0p-53;
}
double nb_xorshift_gaussian(nb_xorshift *r);
int32_t nb_xorshift_int(nb_xorshift *r, int32_t bound); /* [0, bound), bound > 0 */
int64_t nb_xorshift_long(nb_xorshift *r);

/* SplitMix64: seeds, samples for statistics, sampling of splits. */
typedef struct nb_random {
    uint64_t state;
} nb_random;

NB_INLINE uint64_t
nb_random_u64(nb_random *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
/* [0, n) */
NB_INLINE uint64_t
nb_random_below(nb_random *r, uint64_t n)
{
    return (uint64_t)(((nb_uint128)nb_random_u64(r) * n) >> 64);
}
NB_INLINE double
nb_random_double(nb_random *r) /* [0, 1) */
{
    return (double)(nb_random_u64(r) >> 11) * 0x1.0p-53;
}
uint64_t nb_random_seed(void); /* from the system, for seeds that the user did not give */

#endif
