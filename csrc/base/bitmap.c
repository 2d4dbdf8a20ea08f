/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bitmap.c: loops over bitmaps, a word at a time.
 *
 * Reads never go beyond the last word that holds a bit of the range; writes leave bits outside of the range alone,
 * except in fill, and, gather and from_bytes, which own whole words and clear the tail.
 */
#include "base/bitmap.h"

void
nb_bitmap_fill(uint64_t *bits, int64_t n, bool v)
{
    size_t words = NB_BITMAP_WORDS(n);

    if (words == 0) {
        return;
    }
    memset(bits, v ? 0xff : 0, words * 8);
    bits[words - 1] &= nb_bitmap_tail_mask(n, words - 1);
}

NB_SIMD_CLONES
static int64_t
count_words(const uint64_t *bits, size_t words)
{
    int64_t total = 0;

    for (size_t w = 0; w < words; w++) {
        total += __builtin_popcountll(bits[w]);
    }
    return total;
}

int64_t
nb_bitmap_count(const uint64_t *bits, int64_t n)
{
    size_t whole = (size_t)n / 64;
    int64_t total = count_words(bits, whole);

    if (n & 63) {
        total += __builtin_popcountll(bits[whole] & nb_bitmap_tail_mask(n, whole));
    }
    return total;
}

void
nb_bitmap_and(const uint64_t *a, const uint64_t *b, uint64_t *out, int64_t n)
{
    size_t words = NB_BITMAP_WORDS(n);

    for (size_t w = 0; w < words; w++) {
        out[w] = a[w] & b[w];
    }
    if (words != 0) {
        out[words - 1] &= nb_bitmap_tail_mask(n, words - 1);
    }
}

/* k <= 64 bits from off on, in the low bits; the rest is 0. */
static uint64_t
read_bits(const uint64_t *src, int64_t off, int k)
{
    int64_t w = off >> 6;
    int shift = (int)(off & 63);
    uint64_t v = src[w] >> shift;

    if (shift + k > 64) {
        v |= src[w + 1] << (64 - shift);
    }
    return k == 64 ? v : v & (((uint64_t)1 << k) - 1);
}

void
nb_bitmap_copy(const uint64_t *src, int64_t src_off, uint64_t *dst, int64_t dst_off, int64_t n)
{
    while (n > 0) {
        int64_t w = dst_off >> 6;
        int shift = (int)(dst_off & 63);
        int k = (int)NB_MIN(n, 64 - shift);
        uint64_t mask = (k == 64 ? ~(uint64_t)0 : (((uint64_t)1 << k) - 1)) << shift;
        uint64_t v = src == NULL ? ~(uint64_t)0 : read_bits(src, src_off, k) << shift;

        dst[w] = (dst[w] & ~mask) | (v & mask);
        src_off += k;
        dst_off += k;
        n -= k;
    }
}

void
nb_bitmap_gather(const uint64_t *src, const uint32_t *idx, int64_t n, uint64_t *dst)
{
    if (src == NULL) {
        nb_bitmap_fill(dst, n, true);
        return;
    }
    for (int64_t base = 0; base < n; base += 64) {
        int64_t k = NB_MIN(n - base, 64);
        uint64_t word = 0;

        for (int64_t i = 0; i < k; i++) {
            uint32_t at = idx[base + i];
            word |= ((src[at >> 6] >> (at & 63)) & 1) << i;
        }
        dst[base >> 6] = word;
    }
}

void
nb_bitmap_from_bytes(const uint8_t *bytes, int64_t n, uint64_t *bits)
{
    int64_t base = 0;

    for (; base + 64 <= n; base += 64) {
        uint64_t word = 0;

        for (int b = 0; b < 8; b++) {
            uint64_t eight;
            memcpy(&eight, bytes + base + 8 * b, 8);
            /* the multiplication moves the low bit of byte i to bit 56 + i */
            word |= (((eight & 0x0101010101010101u) * 0x0102040810204080u) >> 56) << (8 * b);
        }
        bits[base >> 6] = word;
    }
    if (base < n) {
        uint64_t word = 0;

        for (int64_t i = base; i < n; i++) {
            word |= (uint64_t)(bytes[i] & 1) << (i & 63);
        }
        bits[base >> 6] = word;
    }
}

void
nb_bitmap_to_bytes(const uint64_t *bits, int64_t off, int64_t n, uint8_t *bytes)
{
    for (int64_t i = 0; i < n; i++) {
        bytes[i] = nb_bit_get(bits, off + i);
    }
}
