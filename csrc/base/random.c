/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.c: Spark's XORShiftRandom and java.util.Random's draws from it.
 */
#include "base/random.h"

#include <math.h>
#include <sys/random.h>
#include "base/clock.h"
#include "base/hash.h"

int64_t
nb_xorshift_hash_seed(int64_t seed)
{
    const int32_t scala_array_seed = 0x3c074a61;
    unsigned char bytes[8];
    int32_t low, high;

    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)((uint64_t)seed >> (56 - 8 * i));
    }
    low = nb_murmur3_standard(bytes, 8, scala_array_seed);
    high = nb_murmur3_standard(bytes, 8, low);
    return (int64_t)((uint64_t)(uint32_t)high << 32 | (uint32_t)low);
}

void
nb_xorshift_init(nb_xorshift *r, int64_t seed)
{
    *r = (nb_xorshift){.seed = (uint64_t)nb_xorshift_hash_seed(seed)};
}

double
nb_xorshift_gaussian(nb_xorshift *r)
{
    double v1, v2, s, factor;

    if (r->has_gaussian) {
        r->has_gaussian = false;
        return r->gaussian;
    }
    do {
        v1 = 2 * nb_xorshift_double(r) - 1;
        v2 = 2 * nb_xorshift_double(r) - 1;
        s = v1 * v1 + v2 * v2;
    } while (s >= 1 || s == 0);
    factor = sqrt(-2 * log(s) / s);
    r->gaussian = v2 * factor;
    r->has_gaussian = true;
    return v1 * factor;
}

int32_t
nb_xorshift_int(nb_xorshift *r, int32_t bound)
{
    int32_t bits = nb_xorshift_bits(r, 31), value;

    if ((bound & (bound - 1)) == 0) {
        return (int32_t)(((int64_t)bound * bits) >> 31);
    }
    for (value = bits % bound; (int64_t)bits - value + (bound - 1) > INT32_MAX;
         value = bits % bound) {
        bits = nb_xorshift_bits(r, 31);
    }
    return value;
}

int64_t
nb_xorshift_long(nb_xorshift *r)
{
    uint64_t high = (uint64_t)(int64_t)nb_xorshift_bits(r, 32) << 32;

    return (int64_t)(high + (uint64_t)(int64_t)nb_xorshift_bits(r, 32));
}

uint64_t
nb_random_seed(void)
{
    uint64_t seed;

    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        seed = nb_hash_u64((uint64_t)nb_clock_us()) ^ (uint64_t)nb_clock_mono_ns();
    }
    return seed;
}
