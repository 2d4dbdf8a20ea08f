/* SPDX-License-Identifier: Apache-2.0 */
/*
 * structural.c: the structural scan in three widths, chosen once by what the processor has.
 *
 * Bit masks of comparisons have no portable spelling, hence the intrinsics: AVX-512BW compares 64 bytes into a mask in one
 * instruction, AVX2 and SSE2 need a move-mask per 32 and 16 bytes. Elsewhere plain C over a table of classes does the same.
 */
#include "io/csv/structural.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static int64_t
line_has_text(const char *p, size_t n, size_t from)
{
    for (; from < n && p[from] != '\n' && p[from] != '\r'; from++) {
        if ((unsigned char)p[from] > ' ') {
            return 1;
        }
    }
    return 0;
}

NB_INLINE uint64_t
prefix_xor(uint64_t x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    x ^= x << 32;
    return x;
}

#if defined(__x86_64__)

#define NB_NAME(f)     f##_avx512
#define NB_TARGET      __attribute__((target("avx512f,avx512bw,bmi,bmi2,popcnt,pclmul")))
#define NB_BLOCK       __m512i
#define NB_LOAD(p)     _mm512_loadu_si512(p)
#define NB_EQ(b, c)    ((uint64_t)_mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8((char)(c))))
#define NB_GT_SPACE(b) ((uint64_t)_mm512_cmpgt_epu8_mask(b, _mm512_set1_epi8(' ')))
#define NB_HIGH(b)     ((uint64_t)_mm512_movepi8_mask(b))
#define NB_PREFIX_XOR(x)          \
    ((uint64_t)_mm_cvtsi128_si64( \
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)(x)), _mm_set1_epi8(-1), 0)))
#include "io/csv/structural_tmpl.h"

typedef struct block256 {
    __m256i lo, hi;
} block256;

#define NB_MASK256(e_lo, e_hi)                        \
    ((uint64_t)(uint32_t)_mm256_movemask_epi8(e_lo) | \
     (uint64_t)(uint32_t)_mm256_movemask_epi8(e_hi) << 32)
#define NB_NAME(f) f##_avx2
#define NB_TARGET  __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul")))
#define NB_BLOCK   block256
#define NB_LOAD(p)                                                      \
    ((block256){_mm256_loadu_si256((const __m256i *)(const void *)(p)), \
                _mm256_loadu_si256((const __m256i *)(const void *)((p) + 32))})
#define NB_EQ(b, c)                                                    \
    NB_MASK256(_mm256_cmpeq_epi8((b).lo, _mm256_set1_epi8((char)(c))), \
               _mm256_cmpeq_epi8((b).hi, _mm256_set1_epi8((char)(c))))
#define NB_GT_SPACE(b)                                                                      \
    (~NB_MASK256(_mm256_cmpeq_epi8(_mm256_min_epu8((b).lo, _mm256_set1_epi8(' ')), (b).lo), \
                 _mm256_cmpeq_epi8(_mm256_min_epu8((b).hi, _mm256_set1_epi8(' ')), (b).hi)))
#define NB_HIGH(b) NB_MASK256((b).lo, (b).hi)
#define NB_PREFIX_XOR(x)          \
    ((uint64_t)_mm_cvtsi128_si64( \
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)(x)), _mm_set1_epi8(-1), 0)))
#include "io/csv/structural_tmpl.h"

typedef struct block128 {
    __m128i a, b, c, d;
} block128;

#define NB_MASK128(ea, eb, ec, ed)                                                                 \
    ((uint64_t)(uint32_t)_mm_movemask_epi8(ea) | (uint64_t)(uint32_t)_mm_movemask_epi8(eb) << 16 | \
     (uint64_t)(uint32_t)_mm_movemask_epi8(ec) << 32 |                                             \
     (uint64_t)(uint32_t)_mm_movemask_epi8(ed) << 48)
#define NB_LOAD16(p)   _mm_loadu_si128((const __m128i *)(const void *)(p))
#define NB_LE_SPACE(x) _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(' ')), x)
#define NB_NAME(f)     f##_sse2
#define NB_TARGET
#define NB_BLOCK block128
#define NB_LOAD(p) \
    ((block128){NB_LOAD16(p), NB_LOAD16((p) + 16), NB_LOAD16((p) + 32), NB_LOAD16((p) + 48)})
#define NB_EQ(x, y)                                             \
    NB_MASK128(_mm_cmpeq_epi8((x).a, _mm_set1_epi8((char)(y))), \
               _mm_cmpeq_epi8((x).b, _mm_set1_epi8((char)(y))), \
               _mm_cmpeq_epi8((x).c, _mm_set1_epi8((char)(y))), \
               _mm_cmpeq_epi8((x).d, _mm_set1_epi8((char)(y))))
#define NB_GT_SPACE(x) \
    (~NB_MASK128(NB_LE_SPACE((x).a), NB_LE_SPACE((x).b), NB_LE_SPACE((x).c), NB_LE_SPACE((x).d)))
#define NB_HIGH(x)       NB_MASK128((x).a, (x).b, (x).c, (x).d)
#define NB_PREFIX_XOR(x) prefix_xor(x)
#include "io/csv/structural_tmpl.h"

#else

NB_INLINE uint64_t
mask_eq(const char *p, uint8_t c)
{
    uint64_t m = 0;

    for (int i = 0; i < 64; i++) {
        m |= (uint64_t)((uint8_t)p[i] == c) << i;
    }
    return m;
}

NB_INLINE uint64_t
mask_above(const char *p, uint8_t c)
{
    uint64_t m = 0;

    for (int i = 0; i < 64; i++) {
        m |= (uint64_t)((uint8_t)p[i] > c) << i;
    }
    return m;
}

#define NB_NAME(f) f##_sse2
#define NB_TARGET
#define NB_BLOCK         const char *
#define NB_LOAD(p)       (p)
#define NB_EQ(b, c)      mask_eq(b, (uint8_t)(c))
#define NB_GT_SPACE(b)   mask_above(b, ' ')
#define NB_HIGH(b)       mask_above(b, 0x7F)
#define NB_PREFIX_XOR(x) prefix_xor(x)
#include "io/csv/structural_tmpl.h"

#endif

static int
level(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("pclmul")) {
        return 2;
    }
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("pclmul");
#else
    return 0;
#endif
}

nb_status
nb_csv_index_build(nb_csv_index *ix, const char *p, size_t n, nb_csv_chars chars)
{
    if (n > ix->cap) {
        size_t cap = NB_ALIGN_UP(n, 65536);
        nb_csv_index_free(ix);
        ix->pos = nb_pool_alloc_aligned(ix->pool, (cap + 64) * sizeof(uint32_t));
        ix->line_end = nb_pool_alloc_aligned(ix->pool, (cap + 64) * sizeof(uint32_t));
        ix->odd = nb_pool_alloc_aligned(ix->pool, cap / 8 + 64);
        ix->cap = cap;
        if (ix->pos == NULL || ix->line_end == NULL || ix->odd == NULL) {
            nb_csv_index_free(ix);
            return NB_NOMEM;
        }
    }
#if defined(__x86_64__)
    switch (level()) {
    case 2: index_build_avx512(ix, p, n, chars); return NB_OK;
    case 1: index_build_avx2(ix, p, n, chars); return NB_OK;
    default: break;
    }
#endif
    index_build_sse2(ix, p, n, chars);
    return NB_OK;
}

void
nb_csv_index_free(nb_csv_index *ix)
{
    if (ix->pos) {
        nb_pool_dealloc_aligned(ix->pool, ix->pos, (ix->cap + 64) * sizeof(uint32_t));
    }
    if (ix->line_end) {
        nb_pool_dealloc_aligned(ix->pool, ix->line_end, (ix->cap + 64) * sizeof(uint32_t));
    }
    if (ix->odd) {
        nb_pool_dealloc_aligned(ix->pool, ix->odd, ix->cap / 8 + 64);
    }
    ix->pos = ix->line_end = NULL;
    ix->odd = NULL;
    ix->cap = 0;
}

int64_t
nb_csv_count_lines(const char *p, size_t n, uint8_t comment)
{
#if defined(__x86_64__)
    switch (level()) {
    case 2: return count_lines_avx512(p, n, comment);
    case 1: return count_lines_avx2(p, n, comment);
    default: break;
    }
#endif
    return count_lines_sse2(p, n, comment);
}

size_t
nb_csv_first_break(const char *p, size_t n)
{
    const char *nl = memchr(p, '\n', n);
    size_t at = nl ? (size_t)(nl - p) : n;
    const char *cr = memchr(p, '\r', at);

    return cr ? (size_t)(cr - p) : at;
}

size_t
nb_csv_last_break(const char *p, size_t n)
{
    const char *nl = memrchr(p, '\n', n);
    size_t from = nl ? (size_t)(nl - p) : 0;
    const char *cr = memrchr(p + from, '\r', n - from);

    return cr ? (size_t)(cr - p) : nl ? from : n;
}
