/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes64.h: loops over text that look at 64 bytes at a time, as bit masks of what is where, in the widths that processors have.
 *
 * Bit masks of comparisons have no portable spelling, hence the intrinsics: AVX-512BW compares 64 bytes into a mask in one instruction, AVX2 and SSE2
 * need a move-mask per 32 and 16 bytes; VBMI2 turns masks into positions. Elsewhere plain C does the same. Who has such loops writes them once, in a template for bytes64_tmpl.h, and
 * calls NB_BYTES64_PICK(loop)(…).
 */
#ifndef NB_BASE_BYTES64_H
#define NB_BASE_BYTES64_H

#include <string.h>
#include "base/macros.h"

#if defined(__x86_64__)
#include <immintrin.h>

typedef struct nb_block256 {
    __m256i lo, hi;
} nb_block256;

typedef struct nb_block128 {
    __m128i a, b, c, d;
} nb_block128;

/* The bytes 0 to 63. */
__attribute__((target("avx512f"))) NB_INLINE __m512i
nb_bytes64_numbers(void)
{
    return _mm512_set_epi64(0x3F3E3D3C3B3A3938, 0x3736353433323130, 0x2F2E2D2C2B2A2928,
                            0x2726252423222120, 0x1F1E1D1C1B1A1918, 0x1716151413121110,
                            0x0F0E0D0C0B0A0908, 0x0706050403020100);
}

/* 3: AVX-512 with VBMI2, 2: AVX-512BW, 1: AVX2, 0: SSE2. */
NB_INLINE int
nb_bytes64_level(void)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("pclmul")) {
        return __builtin_cpu_supports("avx512vbmi2") ? 3 : 2;
    }
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("pclmul");
}

#define NB_BYTES64_PICK(f)                  \
    (nb_bytes64_level() == 3   ? f##_vbmi2  \
     : nb_bytes64_level() == 2 ? f##_avx512 \
     : nb_bytes64_level() == 1 ? f##_avx2   \
                               : f##_base)
#else
#define NB_BYTES64_PICK(f) f##_base
#endif

/* Writes from + i for each bit i, and up to seven more. */
NB_INLINE void
nb_bytes64_positions(uint64_t mask, size_t from, uint16_t *out)
{
    for (int count = __builtin_popcountll(mask); count > 0; count -= 8) {
        for (int i = 0; i < 8; i++) {
            *out++ = (uint16_t)(from + (size_t)__builtin_ctzll(mask | (uint64_t)1 << 63));
            mask &= mask - 1;
        }
    }
}

NB_INLINE void
nb_bytes64_positions32(uint64_t mask, uint32_t from, uint32_t *out)
{
    for (int count = __builtin_popcountll(mask); count > 0; count -= 8) {
        for (int i = 0; i < 8; i++) {
            *out++ = from + (uint32_t)__builtin_ctzll(mask | (uint64_t)1 << 63);
            mask &= mask - 1;
        }
    }
}

NB_INLINE uint64_t
nb_prefix_xor(uint64_t x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    x ^= x << 32;
    return x;
}

#if !defined(__x86_64__)

/* 64 bytes of the text, by comparisons that a compiler may make vectors of. */
NB_INLINE uint64_t
nb_bytes64_equal(const char *p, uint8_t c)
{
    uint64_t m = 0;

    for (int i = 0; i < 64; i++) {
        m |= (uint64_t)((uint8_t)p[i] == c) << i;
    }
    return m;
}

NB_INLINE uint64_t
nb_bytes64_above(const char *p, uint8_t c)
{
    uint64_t m = 0;

    for (int i = 0; i < 64; i++) {
        m |= (uint64_t)((uint8_t)p[i] > c) << i;
    }
    return m;
}

#endif

#endif
