/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes64_tmpl.h: includes a template of loops once per instruction set.
 *
 * Define NB_LOOPS, the template's name in quotes. It may use NB_NAME(f), NB_TARGET (attribute of a function), NB_BLOCK (type of 64 loaded bytes),
 * NB_LOAD(p), and of a block the masks NB_EQ(block, byte), NB_ABOVE(block, byte) (unsigned; the byte a constant below 0x80) and NB_HIGH(block) (bytes
 * from 0x80 on); NB_PREFIX_XOR(mask); NB_POSITIONS(mask, from, out), which writes from + i for each bit i, and something up to out[63] behind;
 * NB_POSITIONS32 is the same for uint32_t. All are undefined at the end.
 */
#if defined(__x86_64__)

#define NB_PRODUCT_XOR(x)         \
    ((uint64_t)_mm_cvtsi128_si64( \
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)(x)), _mm_set1_epi8(-1), 0)))

#define NB_LOAD512(p)     _mm512_loadu_si512(p)
#define NB_EQ512(b, c)    ((uint64_t)_mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8((char)(c))))
#define NB_ABOVE512(b, c) ((uint64_t)_mm512_cmpgt_epu8_mask(b, _mm512_set1_epi8((char)(c))))
#define NB_HIGH512(b)     ((uint64_t)_mm512_movepi8_mask(b))

/* The bytes 0 to 63 of the bits that are set, next to each other, then as words. */
#define NB_POSITIONS512(m, from, out)                                        \
    do {                                                                     \
        __m512i all = _mm512_maskz_compress_epi8(m, nb_bytes64_numbers());   \
        __m512i more = _mm512_set1_epi16((short)(from));                     \
        __m512i words = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(all));   \
        _mm512_storeu_si512(out, _mm512_add_epi16(words, more));             \
        if (NB_UNLIKELY(__builtin_popcountll(m) > 32)) {                     \
            words = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(all, 1)); \
            _mm512_storeu_si512((out) + 32, _mm512_add_epi16(words, more));  \
        }                                                                    \
    } while (0)

/* The same as double words, sixteen at a time. */
#define NB_POSITIONS32_512(m, from, out)                                     \
    do {                                                                     \
        __m512i all = _mm512_maskz_compress_epi8(m, nb_bytes64_numbers());   \
        __m512i more = _mm512_set1_epi32((int)(from));                       \
        __m512i words = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(all));   \
        _mm512_storeu_si512(out, _mm512_add_epi32(words, more));             \
        if (NB_UNLIKELY(__builtin_popcountll(m) > 16)) {                     \
            words = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(all, 1)); \
            _mm512_storeu_si512((out) + 16, _mm512_add_epi32(words, more));  \
            words = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(all, 2)); \
            _mm512_storeu_si512((out) + 32, _mm512_add_epi32(words, more));  \
            words = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(all, 3)); \
            _mm512_storeu_si512((out) + 48, _mm512_add_epi32(words, more));  \
        }                                                                    \
    } while (0)

#define NB_NAME(f)                   f##_vbmi2
#define NB_TARGET                    __attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,bmi2,popcnt,pclmul")))
#define NB_BLOCK                     __m512i
#define NB_LOAD                      NB_LOAD512
#define NB_EQ                        NB_EQ512
#define NB_ABOVE                     NB_ABOVE512
#define NB_HIGH                      NB_HIGH512
#define NB_PREFIX_XOR                NB_PRODUCT_XOR
#define NB_POSITIONS(m, from, out)   NB_POSITIONS512(m, from, out)
#define NB_POSITIONS32(m, from, out) NB_POSITIONS32_512(m, from, out)
#include "base/bytes64_once_tmpl.h"

#define NB_NAME(f)     f##_avx512
#define NB_TARGET      __attribute__((target("avx512f,avx512bw,bmi,bmi2,popcnt,pclmul")))
#define NB_BLOCK       __m512i
#define NB_LOAD        NB_LOAD512
#define NB_EQ          NB_EQ512
#define NB_ABOVE       NB_ABOVE512
#define NB_HIGH        NB_HIGH512
#define NB_PREFIX_XOR  NB_PRODUCT_XOR
#define NB_POSITIONS   nb_bytes64_positions
#define NB_POSITIONS32 nb_bytes64_positions32
#include "base/bytes64_once_tmpl.h"
#undef NB_LOAD512
#undef NB_EQ512
#undef NB_ABOVE512
#undef NB_HIGH512
#undef NB_POSITIONS512
#undef NB_POSITIONS32_512

#define NB_MASK256(e_lo, e_hi)                        \
    ((uint64_t)(uint32_t)_mm256_movemask_epi8(e_lo) | \
     (uint64_t)(uint32_t)_mm256_movemask_epi8(e_hi) << 32)
#define NB_NAME(f) f##_avx2
#define NB_TARGET  __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul")))
#define NB_BLOCK   nb_block256
#define NB_LOAD(p)                                                         \
    ((nb_block256){_mm256_loadu_si256((const __m256i *)(const void *)(p)), \
                   _mm256_loadu_si256((const __m256i *)(const void *)((p) + 32))})
#define NB_EQ(b, c)                                                    \
    NB_MASK256(_mm256_cmpeq_epi8((b).lo, _mm256_set1_epi8((char)(c))), \
               _mm256_cmpeq_epi8((b).hi, _mm256_set1_epi8((char)(c))))
#define NB_ABOVE(b, x)                                                                            \
    (~NB_MASK256(_mm256_cmpeq_epi8(_mm256_min_epu8((b).lo, _mm256_set1_epi8((char)(x))), (b).lo), \
                 _mm256_cmpeq_epi8(_mm256_min_epu8((b).hi, _mm256_set1_epi8((char)(x))), (b).hi)))
#define NB_HIGH(b)       NB_MASK256((b).lo, (b).hi)
#define NB_PREFIX_XOR(x) NB_PRODUCT_XOR(x)
#define NB_POSITIONS     nb_bytes64_positions
#define NB_POSITIONS32   nb_bytes64_positions32
#include "base/bytes64_once_tmpl.h"
#undef NB_MASK256

#define NB_MASK128(ea, eb, ec, ed)                                                                 \
    ((uint64_t)(uint32_t)_mm_movemask_epi8(ea) | (uint64_t)(uint32_t)_mm_movemask_epi8(eb) << 16 | \
     (uint64_t)(uint32_t)_mm_movemask_epi8(ec) << 32 |                                             \
     (uint64_t)(uint32_t)_mm_movemask_epi8(ed) << 48)
#define NB_LOAD16(p)   _mm_loadu_si128((const __m128i *)(const void *)(p))
#define NB_UP_TO(x, y) _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8((char)(y))), x)
#define NB_NAME(f)     f##_base
#define NB_TARGET
#define NB_BLOCK nb_block128
#define NB_LOAD(p) \
    ((nb_block128){NB_LOAD16(p), NB_LOAD16((p) + 16), NB_LOAD16((p) + 32), NB_LOAD16((p) + 48)})
#define NB_EQ(x, y)                                             \
    NB_MASK128(_mm_cmpeq_epi8((x).a, _mm_set1_epi8((char)(y))), \
               _mm_cmpeq_epi8((x).b, _mm_set1_epi8((char)(y))), \
               _mm_cmpeq_epi8((x).c, _mm_set1_epi8((char)(y))), \
               _mm_cmpeq_epi8((x).d, _mm_set1_epi8((char)(y))))
#define NB_ABOVE(x, y) \
    (~NB_MASK128(NB_UP_TO((x).a, y), NB_UP_TO((x).b, y), NB_UP_TO((x).c, y), NB_UP_TO((x).d, y)))
#define NB_HIGH(x)       NB_MASK128((x).a, (x).b, (x).c, (x).d)
#define NB_PREFIX_XOR(x) nb_prefix_xor(x)
#define NB_POSITIONS     nb_bytes64_positions
#define NB_POSITIONS32   nb_bytes64_positions32
#include "base/bytes64_once_tmpl.h"
#undef NB_MASK128
#undef NB_LOAD16
#undef NB_UP_TO
#undef NB_PRODUCT_XOR

#else

#define NB_NAME(f) f##_base
#define NB_TARGET
#define NB_BLOCK         const char *
#define NB_LOAD(p)       (p)
#define NB_EQ(b, c)      nb_bytes64_equal(b, (uint8_t)(c))
#define NB_ABOVE(b, c)   nb_bytes64_above(b, (uint8_t)(c))
#define NB_HIGH(b)       nb_bytes64_above(b, 0x7F)
#define NB_PREFIX_XOR(x) nb_prefix_xor(x)
#define NB_POSITIONS     nb_bytes64_positions
#define NB_POSITIONS32   nb_bytes64_positions32
#include "base/bytes64_once_tmpl.h"

#endif

#undef NB_LOOPS
