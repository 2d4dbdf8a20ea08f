/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hybrid_write.c: see hybrid_write.h.
 *
 * Values are looked at in eights. A run of equal eights becomes a run where it saves bytes; all else is packed.
 */
#include "io/parquet/hybrid_write.h"

#include "io/parquet/thrift.h"

/* At least so many equal eights become a run: packed, one eight is `width` bytes, a run's header and value up to six. */
#define LEAST_EIGHTS(width) ((width) < 6 ? 2 : 1)

NB_INLINE bool
all_equal(const uint32_t *v, uint32_t to)
{
    uint32_t differ = 0;

    for (int k = 0; k < 8; k++) {
        differ |= v[k] ^ to;
    }
    return differ == 0;
}

static void
put_run(nb_strbuf *out, uint32_t v, int64_t n, int width)
{
    nb_thrift_put_varint(out, (uint64_t)n << 1);
    for (int k = 0; k < (width + 7) / 8; k++) {
        nb_strbuf_addc(out, (char)(v >> (8 * k)));
    }
}

/* Whole eights; values behind n count as 0. */
static void
put_packed(nb_strbuf *out, const uint32_t *v, int64_t n, int width)
{
    int64_t groups = (n + 7) / 8;
    size_t at, bytes = (size_t)groups * (size_t)width;
    uint64_t bits = 0;
    int have = 0;
    uint8_t *to;

    nb_thrift_put_varint(out, (uint64_t)groups << 1 | 1);
    at = out->len;
    nb_strbuf_fill(out, 0, bytes);
    if (out->failed || width == 0) {
        return;
    }
    to = (uint8_t *)out->data + at;
    for (int64_t i = 0; i < n; i++) { /* at most 31 bits wait before one more value of 32 */
        bits |= (uint64_t)v[i] << have;
        have += width;
        if (have >= 32) {
            uint32_t low = (uint32_t)bits;
            memcpy(to, &low, 4);
            to += 4;
            bits >>= 32;
            have -= 32;
        }
    }
    for (; have > 0; have -= 8) {
        *to++ = (uint8_t)bits;
        bits >>= 8;
    }
}

void
nb_pq_put_hybrid(nb_strbuf *out, const uint32_t *v, int64_t n, int width)
{
    int64_t i = 0, waiting = 0; /* packed from `waiting` up to i */

    while (i + 8 <= n) {
        int64_t end = i;
        while (end + 8 <= n && all_equal(v + end, v[i])) {
            end += 8;
        }
        if (end - i < 8 * LEAST_EIGHTS(width) && !(end > i && end == n && waiting == i)) {
            i += 8;
            continue;
        }
        while (end < n && v[end] == v[i]) {
            end++;
        }
        /* what follows a run of a length that is no multiple of eight is packed from there */
        if (i > waiting) {
            put_packed(out, v + waiting, i - waiting, width);
        }
        put_run(out, v[i], end - i, width);
        i = waiting = end;
    }
    if (n > waiting) {
        int64_t same = waiting;
        while (same < n && v[same] == v[waiting]) {
            same++;
        }
        if (same == n) {
            put_run(out, v[waiting], n - waiting, width);
        } else {
            put_packed(out, v + waiting, n - waiting, width);
        }
    }
}
