/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hybrid.c: see hybrid.h.
 *
 * A group of eight values of w bits is w bytes long, so every group begins at a byte. Value k of a group lies in the eight bytes from byte
 * k * w / 8 on (w <= 32: at most 39 bits from there). The bytes are read unaligned and shifted; no value depends on the one before.
 *
 * Up to 25 bits, a value and the bits before it in its first byte fit into four bytes. Then four values are made at once: their bytes are
 * shuffled to four lanes, each lane is multiplied so that its value begins at bit 7, and all are shifted down.
 */
#include "io/parquet/hybrid.h"

#include <string.h>

#include "base/macros.h"

NB_INLINE uint64_t
load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return v;
}

NB_INLINE void
unpack_wide(const uint8_t *p, int width, int64_t n_groups, uint32_t *out)
{
    uint32_t mask = width == 32 ? UINT32_MAX : (1u << width) - 1;

    for (int64_t g = 0; g < n_groups; g++) {
        for (int k = 0; k < 8; k++) {
            out[k] = (uint32_t)(load64(p + k * width / 8) >> (k * width % 8)) & mask;
        }
        out += 8;
        p += width;
    }
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint32_t lanes4 __attribute__((vector_size(16)));

NB_INLINE bytes16
load16(const uint8_t *p)
{
    bytes16 v;

    memcpy(&v, p, 16);
    return v;
}

/* Where value k begins in the bytes from value f on, and by what it is multiplied. */
#define BYTE(w, f, k)  ((k) * (w) / 8 - (f) * (w) / 8)
#define BYTES(w, f, k) BYTE(w, f, k), BYTE(w, f, k) + 1, BYTE(w, f, k) + 2, BYTE(w, f, k) + 3
#define FOUR(w, f)                                                                            \
    ((lanes4)__builtin_shufflevector(load16(p + (f) * (w) / 8), (bytes16){0}, BYTES(w, f, f), \
                                     BYTES(w, f, (f) + 1), BYTES(w, f, (f) + 2),              \
                                     BYTES(w, f, (f) + 3)))
#define TIMES(w, k) 1u << (7 - (k) * (w) % 8)
#define UP(w, f)    ((lanes4){TIMES(w, f), TIMES(w, (f) + 1), TIMES(w, (f) + 2), TIMES(w, (f) + 3)})
#define UNPACK(w)                                                     \
    for (int64_t g = 0; g < n; g++) {                                 \
        lanes4 low = FOUR(w, 0) * UP(w, 0) >> 7 & ((1u << (w)) - 1);  \
        lanes4 high = FOUR(w, 4) * UP(w, 4) >> 7 & ((1u << (w)) - 1); \
        memcpy(out, &low, sizeof low);                                \
        memcpy(out + 4, &high, sizeof high);                          \
        out += 8;                                                     \
        p += (w);                                                     \
    }

/* The width is a constant in each case, so that offsets and shifts are, too. */
NB_SIMD_CLONES static void
unpack(const uint8_t *p, int width, int64_t n, uint32_t *out)
{
#define USUAL(w) \
    case w: UNPACK(w) break
#define WIDE(w) \
    case w: unpack_wide(p, w, n, out); break
    switch (width) {
        USUAL(1);
        USUAL(2);
        USUAL(3);
        USUAL(4);
        USUAL(5);
        USUAL(6);
        USUAL(7);
        USUAL(8);
        USUAL(9);
        USUAL(10);
        USUAL(11);
        USUAL(12);
        USUAL(13);
        USUAL(14);
        USUAL(15);
        USUAL(16);
        USUAL(17);
        USUAL(18);
        USUAL(19);
        USUAL(20);
        USUAL(21);
        USUAL(22);
        USUAL(23);
        USUAL(24);
        USUAL(25);
        WIDE(26);
        WIDE(27);
        WIDE(28);
        WIDE(29);
        WIDE(30);
        WIDE(31);
        WIDE(32);
    default: memset(out, 0, sizeof(uint32_t) * 8 * (size_t)n); break;
    }
#undef USUAL
#undef WIDE
}

const uint8_t *
nb_pq_hybrid(const uint8_t *p, const uint8_t *end, int width, int64_t n, uint32_t *out)
{
    int n_bytes = (width + 7) / 8;

    while (n > 0) {
        uint64_t head = 0;
        int shift = 0;
        do {
            if (p >= end || shift > 35) {
                return NULL;
            }
            head |= (uint64_t)(*p & 0x7f) << shift;
            shift += 7;
        } while (*p++ & 0x80);
        if (head & 1) { /* groups of eight */
            int64_t groups = (int64_t)(head >> 1), room = end - p;
            int64_t wanted = NB_MIN(groups, (n + 7) / 8), whole = wanted;
            if (groups == 0 || (groups > room / NB_MAX(width, 1) && width)) {
                whole = width ? NB_MIN(wanted, room / width) : 0;
                if (groups == 0 || (width && room * 8 / width < NB_MIN(groups * 8, n))) {
                    return NULL;
                }
            }
            unpack(p, width, whole, out);
            if (whole < wanted) { /* the last group may be cut short */
                uint8_t rest[32 + NB_PQ_SLACK] = {0};
                memcpy(rest, p + whole * width, (size_t)(room - whole * width));
                unpack(rest, width, 1, out + whole * 8);
            }
            p += NB_MIN(groups * width, room);
            out += NB_MIN(groups * 8, n);
            n -= NB_MIN(groups * 8, n);
        } else { /* one value, repeated */
            int64_t m = NB_MIN((int64_t)(head >> 1), n);
            uint32_t v = 0;
            if (n_bytes > end - p || m == 0) {
                return NULL;
            }
            for (int i = 0; i < n_bytes; i++) {
                v |= (uint32_t)*p++ << (8 * i);
            }
            if (width < 32 &&
                v >> width) { /* a level, above all, must not be more than counted on */
                return NULL;
            }
            for (int64_t i = 0; i < m; i++) {
                out[i] = v;
            }
            out += m;
            n -= m;
        }
    }
    return p;
}

void
nb_pq_bit_packed(const uint8_t *p, int width, int64_t n, uint32_t *out)
{
    uint32_t bits = 0;
    int have = 0;

    for (int64_t i = 0; i < n; i++) {
        while (have < width) {
            bits = bits << 8 | *p++;
            have += 8;
        }
        have -= width;
        out[i] = (bits >> have) & ((1u << width) - 1);
    }
}

/* How many of the first n bits are set. */
static int64_t
count_ones(const uint8_t *p, int64_t n)
{
    int64_t ones = 0;

    for (int64_t i = 0; i < n / 8; i++) {
        ones += __builtin_popcount(p[i]);
    }
    return n % 8 ? ones + __builtin_popcount(p[n / 8] & ((1u << (n % 8)) - 1)) : ones;
}

const uint8_t *
nb_pq_hybrid_from(const uint8_t *p, const uint8_t *end, int width, int64_t skip, int64_t n,
                  uint32_t *out, int64_t *ones)
{
    int n_bytes = (width + 7) / 8;
    int64_t set = 0;

    while (skip > 0) {
        uint64_t head = 0;
        int shift = 0;
        int64_t here, taken;
        do {
            if (p >= end || shift > 35) {
                return NULL;
            }
            head |= (uint64_t)(*p & 0x7f) << shift;
            shift += 7;
        } while (*p++ & 0x80);
        here = (int64_t)(head >> 1) * (head & 1 ? 8 : 1);
        taken = NB_MIN(here, skip);
        if (here == 0) {
            return NULL;
        }
        if (head & 1) {
            int64_t groups = here / 8, whole = taken / 8, left;
            if (width &&
                groups >
                    (end - p) /
                        width) { /* only the last run may be cut, and it is not the one to skip from */
                return NULL;
            }
            set += width == 1 ? count_ones(p, taken) : 0;
            left = NB_MIN(here - taken, n);
            if (left > 0) { /* out has room for the values of the first group that are dropped */
                int64_t drop = taken % 8;
                unpack(p + whole * width, width, (drop + left + 7) / 8, out);
                memmove(out, out + drop, sizeof(uint32_t) * (size_t)left);
                out += left;
                n -= left;
            }
            p += groups * width;
        } else {
            int64_t left = NB_MIN(here - taken, n);
            uint32_t v = 0;
            if (n_bytes > end - p) {
                return NULL;
            }
            for (int i = 0; i < n_bytes; i++) {
                v |= (uint32_t)*p++ << (8 * i);
            }
            if (width < 32 &&
                v >> width) { /* a level, above all, must not be more than counted on */
                return NULL;
            }
            set += v == 1 ? taken : 0;
            for (int64_t i = 0; i < left; i++) {
                out[i] = v;
            }
            out += left;
            n -= left;
        }
        skip -= taken;
    }
    if (ones) {
        *ones = set;
    }
    return n > 0 ? nb_pq_hybrid(p, end, width, n, out) : p;
}
