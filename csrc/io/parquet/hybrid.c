/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hybrid.c: see hybrid.h.
 *
 * A group of eight values of w bits is w bytes long, so every group begins at a byte. Value k of a group lies in the eight bytes from byte
 * k * w / 8 on (w <= 32: at most 39 bits from there). The bytes are read unaligned and shifted; no value depends on the one before.
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

/* Groups whose bits fit into one word. */
NB_INLINE void
unpack_narrow(const uint8_t *p, int width, int64_t n_groups, uint32_t *out)
{
    uint32_t mask = (1u << width) - 1;

    for (int64_t g = 0; g < n_groups; g++) {
        uint64_t bits = load64(p);
        for (int k = 0; k < 8; k++) {
            out[k] = (uint32_t)(bits >> (k * width)) & mask;
        }
        out += 8;
        p += width;
    }
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

/* The width is a constant in each case, so that offsets and shifts are, too. */
NB_SIMD_CLONES static void
unpack(const uint8_t *p, int width, int64_t n, uint32_t *out)
{
#define NARROW(w) \
    case w: unpack_narrow(p, w, n, out); break
#define WIDE(w) \
    case w: unpack_wide(p, w, n, out); break
    switch (width) {
        NARROW(1);
        NARROW(2);
        NARROW(3);
        NARROW(4);
        NARROW(5);
        NARROW(6);
        NARROW(7);
        NARROW(8);
        WIDE(9);
        WIDE(10);
        WIDE(11);
        WIDE(12);
        WIDE(13);
        WIDE(14);
        WIDE(15);
        WIDE(16);
        WIDE(17);
        WIDE(18);
        WIDE(19);
        WIDE(20);
        WIDE(21);
        WIDE(22);
        WIDE(23);
        WIDE(24);
        WIDE(25);
        WIDE(26);
        WIDE(27);
        WIDE(28);
        WIDE(29);
        WIDE(30);
        WIDE(31);
        WIDE(32);
    default: memset(out, 0, sizeof(uint32_t) * 8 * (size_t)n); break;
    }
#undef NARROW
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
            for (int64_t i = 0; i < m; i++) {
                out[i] = v;
            }
            out += m;
            n -= m;
        }
    }
    return p;
}
