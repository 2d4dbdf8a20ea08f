/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.c: hashes of byte strings.
 */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

bool nb_hash_debug_equal;

uint64_t
nb_hash_bytes(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}

static uint32_t
murmur3_words(const unsigned char *p, size_t n, uint32_t h)
{
    for (size_t i = 0; i + 4 <= n; i += 4) {
        uint32_t k;
        memcpy(&k, p + i, 4);
        h = nb_murmur3_mix_h(h, nb_murmur3_mix_k(k));
    }
    return h;
}

int32_t
nb_murmur3_bytes(const void *p, size_t n, int32_t seed)
{
    const signed char *bytes = p;
    uint32_t h = murmur3_words(p, n, (uint32_t)seed);

    for (size_t i = n & ~(size_t)3; i < n; i++) {
        h = nb_murmur3_mix_h(h, nb_murmur3_mix_k((uint32_t)(int32_t)bytes[i]));
    }
    return (int32_t)nb_murmur3_finish(h, (uint32_t)n);
}

int32_t
nb_murmur3_standard(const void *p, size_t n, int32_t seed)
{
    const unsigned char *tail = (const unsigned char *)p + (n & ~(size_t)3);
    uint32_t h = murmur3_words(p, n, (uint32_t)seed), k = 0;

    for (size_t i = n & 3; i > 0; i--) {
        k = (k << 8) | tail[i - 1];
    }
    if (n & 3) {
        h ^= nb_murmur3_mix_k(k);
    }
    return (int32_t)nb_murmur3_finish(h, (uint32_t)n);
}

int64_t
nb_xxh64_bytes(const void *p, size_t n, int64_t seed)
{
    return (int64_t)XXH64(p, n, (uint64_t)seed);
}
