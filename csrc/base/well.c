/* SPDX-License-Identifier: Apache-2.0 */
/*
 * well.c: WELL19937c and java.util.Random.
 */
#include "base/well.h"

#include <math.h>

void
nb_well_init(nb_well *w, int64_t seed)
{
    w->v[0] = (uint32_t)((uint64_t)seed >> 32);
    w->v[1] = (uint32_t)(uint64_t)seed;
    for (int i = 2; i < NB_WELL_WORDS; i++) {
        int64_t l = (int32_t)w->v[i - 2]; /* Java's int, whose shift keeps the sign */

        w->v[i] = (uint32_t)(1812433253u * (uint64_t)(l ^ (l >> 30)) + (uint64_t)i);
    }
    w->at = 0;
}

static uint32_t
next(nb_well *w, int bits)
{
    uint32_t *v = w->v;
    int i = w->at, r = NB_WELL_WORDS, a = (i + r - 1) % r, b = (i + r - 2) % r;
    uint32_t v0 = v[i], m1 = v[(i + 70) % r], m2 = v[(i + 179) % r], m3 = v[(i + 449) % r];
    uint32_t z0 = (0x80000000u & v[a]) ^ (0x7FFFFFFFu & v[b]);
    uint32_t z1 = (v0 ^ (v0 << 25)) ^ (m1 ^ (m1 >> 27));
    uint32_t z2 = (m2 >> 9) ^ (m3 ^ (m3 >> 1));
    uint32_t z3 = z1 ^ z2;
    uint32_t z4 = z0 ^ (z1 ^ (z1 << 9)) ^ (z2 ^ (z2 << 21)) ^ (z3 ^ (z3 >> 21));

    v[i] = z3;
    v[a] = z4;
    v[b] &= 0x80000000u;
    w->at = a;
    z4 ^= (z4 << 7) & 0xE46E1700u;
    z4 ^= (z4 << 15) & 0x9B868000u;
    return z4 >> (32 - bits);
}

double
nb_well_double(nb_well *w)
{
    uint64_t high = (uint64_t)next(w, 26) << 26;

    return (double)(high | next(w, 26)) * 0x1.0p-52;
}

int64_t
nb_well_poisson(nb_well *w, double mean)
{
    double limit = exp(-mean), most = 1000 * mean, product = 1.0;
    int64_t n = 0;

    while ((double)n < most) {
        product *= nb_well_double(w);
        if (product < limit) {
            break;
        }
        n++;
    }
    return n;
}

static int32_t
java_next(uint64_t *s)
{
    *s = (*s * 0x5DEECE66Du + 0xB) & (((uint64_t)1 << 48) - 1);
    return (int32_t)(uint32_t)(*s >> 16);
}

int64_t
nb_java_random_long(int64_t seed, int64_t n)
{
    uint64_t s = ((uint64_t)seed ^ 0x5DEECE66Du) & (((uint64_t)1 << 48) - 1), x = 0;

    for (int64_t i = 0; i <= n; i++) {
        x = (uint64_t)(int64_t)java_next(&s) << 32;
        x += (uint64_t)(int64_t)java_next(&s);
    }
    return (int64_t)x;
}
