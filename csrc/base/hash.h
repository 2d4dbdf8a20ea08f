/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h: the hash functions of the engine.
 *
 * nb_hash_*      for our own tables: fast, all 64 bits good. Not stable between releases; never shown to users.
 * nb_murmur3_*   Spark's hash(): Murmur3_x86_32 with the tail bytes mixed one by one, as Spark has it for compatibility.
 * nb_xxh64_*     Spark's xxhash64(): XXH64.
 * Spark folds several columns by using the hash so far as the seed of the next; null leaves the seed alone; both start at 42.
 */
#ifndef NB_BASE_HASH_H
#define NB_BASE_HASH_H

#include <stdbool.h>
#include <string.h>
#include "base/macros.h"

#define NB_SPARK_HASH_SEED 42

/* Tests (nbaspark.debug.equalHashes): nb_vector_hash and the hashes of keys are all equal, so that tables must compare. Set before the
 * first query, never reset. */
extern bool nb_hash_debug_equal;

NB_INLINE uint64_t
nb_rotl64(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}
NB_INLINE uint32_t
nb_rotl32(uint32_t x, int k)
{
    return (x << k) | (x >> (32 - k));
}

/* One 64-bit key. Two multiplications; loops over it vectorise. */
NB_INLINE uint64_t
nb_hash_u64(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}
/* Two words at once (a string view of up to 12 bytes, an int128). */
NB_INLINE uint64_t
nb_hash_pair(uint64_t a, uint64_t b)
{
    nb_uint128 m = (nb_uint128)(a ^ 0xa0761d6478bd642fu) * (b ^ 0xe7037ed1a0b428dbu);
    return nb_hash_u64((uint64_t)m ^ (uint64_t)(m >> 64) ^ a);
}
/* Mixes the hash of a further key into the hash of those before it. */
NB_INLINE uint64_t
nb_hash_combine(uint64_t before, uint64_t next)
{
    return (nb_rotl64(before, 29) ^ next) * 0x9e3779b97f4a7c15u;
}
uint64_t nb_hash_bytes(const void *p, size_t n); /* XXH3 */

int32_t nb_murmur3_bytes(const void *p, size_t n, int32_t seed);

NB_INLINE uint32_t
nb_murmur3_mix_k(uint32_t k)
{
    return nb_rotl32(k * 0xcc9e2d51u, 15) * 0x1b873593u;
}
NB_INLINE uint32_t
nb_murmur3_mix_h(uint32_t h, uint32_t k)
{
    return nb_rotl32(h ^ k, 13) * 5 + 0xe6546b64u;
}
NB_INLINE uint32_t
nb_murmur3_finish(uint32_t h, uint32_t len)
{
    h ^= len;
    h = (h ^ (h >> 16)) * 0x85ebca6bu;
    h = (h ^ (h >> 13)) * 0xc2b2ae35u;
    return h ^ (h >> 16);
}
/* boolean (0/1), byte, short, int, date; float by its bits (-0.0 as 0.0) */
NB_INLINE int32_t
nb_murmur3_int(int32_t v, int32_t seed)
{
    return (int32_t)nb_murmur3_finish(
        nb_murmur3_mix_h((uint32_t)seed, nb_murmur3_mix_k((uint32_t)v)), 4);
}
/* bigint, timestamp, decimal up to 18 digits; double by its bits (-0.0 as 0.0) */
NB_INLINE int32_t
nb_murmur3_long(int64_t v, int32_t seed)
{
    uint32_t h = nb_murmur3_mix_h((uint32_t)seed, nb_murmur3_mix_k((uint32_t)v));
    h = nb_murmur3_mix_h(h, nb_murmur3_mix_k((uint32_t)((uint64_t)v >> 32)));
    return (int32_t)nb_murmur3_finish(h, 8);
}
/* Murmur3_x86_32 as published (Scala's MurmurHash3.bytesHash): the tail as one block. */
int32_t nb_murmur3_standard(const void *p, size_t n, int32_t seed);

int64_t nb_xxh64_bytes(const void *p, size_t n, int64_t seed);

NB_INLINE uint64_t
nb_xxh64_finish(uint64_t h)
{
    h = (h ^ (h >> 33)) * 0xc2b2ae3d27d4eb4fu;
    h = (h ^ (h >> 29)) * 0x165667b19e3779f9u;
    return h ^ (h >> 32);
}
NB_INLINE int64_t
nb_xxh64_int(int32_t v, int64_t seed)
{
    uint64_t h = (uint64_t)seed + 0x27d4eb2f165667c5u + 4;
    h ^= (uint64_t)(uint32_t)v * 0x9e3779b185ebca87u;
    h = nb_rotl64(h, 23) * 0xc2b2ae3d27d4eb4fu + 0x165667b19e3779f9u;
    return (int64_t)nb_xxh64_finish(h);
}
NB_INLINE int64_t
nb_xxh64_long(int64_t v, int64_t seed)
{
    uint64_t h = (uint64_t)seed + 0x27d4eb2f165667c5u + 8;
    h ^= nb_rotl64((uint64_t)v * 0xc2b2ae3d27d4eb4fu, 31) * 0x9e3779b185ebca87u;
    h = nb_rotl64(h, 27) * 0x9e3779b185ebca87u + 0x85ebca77c2b2ae63u;
    return (int64_t)nb_xxh64_finish(h);
}

#endif
