/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bitmap.h: Arrow-style bitmaps in 64-bit words, bit i of word i/64, least significant first. 1 = valid.
 */
#ifndef NB_BASE_BITMAP_H
#define NB_BASE_BITMAP_H

#include <stdbool.h>
#include <string.h>
#include "base/macros.h"

#define NB_BITMAP_WORDS(n) (((size_t)(n) + 63) / 64)
#define NB_BITMAP_BYTES(n) (NB_BITMAP_WORDS(n) * 8)

NB_INLINE bool
nb_bit_get(const uint64_t *bits, int64_t i)
{
    return (bits[i >> 6] >> (i & 63)) & 1;
}

/* The common test: a NULL bitmap means that all are valid. */
NB_INLINE bool
nb_is_valid(const uint64_t *validity, int64_t i)
{
    return validity == NULL || nb_bit_get(validity, i);
}

NB_INLINE void
nb_bit_set(uint64_t *bits, int64_t i)
{
    bits[i >> 6] |= (uint64_t)1 << (i & 63);
}

NB_INLINE void
nb_bit_clear(uint64_t *bits, int64_t i)
{
    bits[i >> 6] &= ~((uint64_t)1 << (i & 63));
}

NB_INLINE void
nb_bit_put(uint64_t *bits, int64_t i, bool v)
{
    uint64_t m = (uint64_t)1 << (i & 63);
    bits[i >> 6] = (bits[i >> 6] & ~m) | (v ? m : 0);
}

/* The bits of word w that lie below n. */
NB_INLINE uint64_t
nb_bitmap_tail_mask(int64_t n, size_t w)
{
    int64_t left = n - (int64_t)w * 64;
    return left >= 64 ? ~(uint64_t)0 : left <= 0 ? 0 : (((uint64_t)1 << left) - 1);
}

void
nb_bitmap_fill(uint64_t *bits, int64_t n, bool v); /* bits beyond n in the last word become 0 */
int64_t nb_bitmap_count(const uint64_t *bits, int64_t n); /* ones in [0, n) */
void nb_bitmap_and(const uint64_t *a, const uint64_t *b, uint64_t *out, int64_t n);
void nb_bitmap_copy(const uint64_t *src, int64_t src_off, uint64_t *dst, int64_t dst_off,
                    int64_t n); /* src NULL = ones */
void nb_bitmap_gather(const uint64_t *src, const uint32_t *idx, int64_t n,
                      uint64_t *dst); /* dst word-aligned at 0 */
/* bytes (0/1) to bits and back */
void nb_bitmap_from_bytes(const uint8_t *bytes, int64_t n, uint64_t *bits);
void nb_bitmap_to_bytes(const uint64_t *bits, int64_t off, int64_t n, uint8_t *bytes);

#endif
