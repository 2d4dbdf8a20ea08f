/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta.c: see delta.h. [Apache Parquet format, Encodings.md]
 *
 *   header     block size · miniblocks per block · number of values · first value (zigzag)
 *   block      least difference (zigzag) · a width per miniblock · miniblocks: differences minus the least, packed at that width
 *
 * All sums wrap around: the writer's differences did. Widths of miniblocks that hold no value may be anything.
 */
#include "io/parquet/delta.h"

#include <string.h>

#include "base/macros.h"

/* Values of a block of equal differences take no bytes: writers make blocks of 128 or so. */
#define MAX_BLOCK 65536

/* Strings of one page may take more memory than the page explains, since prefixes are shared; up to here. */
#define PREFIX_FREE   ((int64_t)16 << 20)
#define PREFIX_FACTOR 256

static bool
varint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t b;
        if (*p >= end) {
            return false;
        }
        b = *(*p)++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            *out = v;
            return true;
        }
    }
    return false;
}

static uint64_t
unzigzag(uint64_t v)
{
    return (v >> 1) ^ (0 - (v & 1));
}

/* Value k of width bits (0 to 64); 16 bytes from the first byte of it on may be read. */
static uint64_t
packed(const uint8_t *p, int width, int64_t k)
{
    int64_t bit = k * width;
    int shift = (int)(bit & 7);
    uint64_t low, v;

    memcpy(&low, p + (bit >> 3), 8);
    v = low >> shift;
    if (width + shift > 64) {
        v |= (uint64_t)p[(bit >> 3) + 8] << (64 - shift);
    }
    return width == 64 ? v : v & (((uint64_t)1 << width) - 1);
}

const uint8_t *
nb_pq_delta(const uint8_t *p, const uint8_t *end, int64_t n, int64_t *out)
{
    uint64_t block, n_mini, total, value;
    int64_t done = 0, per_mini;

    if (!varint(&p, end, &block) || !varint(&p, end, &n_mini) || !varint(&p, end, &total) ||
        !varint(&p, end, &value)) {
        return NULL;
    }
    if (total < (uint64_t)n || total > INT32_MAX || block == 0 || block > MAX_BLOCK ||
        n_mini == 0 || n_mini > 512 || block % n_mini != 0 || (block / n_mini) % 8 != 0) {
        return NULL;
    }
    per_mini = (int64_t)(block / n_mini);
    value = unzigzag(value);
    if (n > 0) {
        out[done++] = (int64_t)value;
    }
    /* also blocks behind the n wanted values are walked over, to find their end */
    for (int64_t left = (int64_t)total - 1; left > 0;) {
        uint64_t least;
        const uint8_t *widths;
        if (!varint(&p, end, &least) || (uint64_t)(end - p) < n_mini) {
            return NULL;
        }
        least = unzigzag(least);
        widths = p;
        p += n_mini;
        for (uint64_t m = 0; m < n_mini && left > 0; m++) {
            int width = widths[m];
            int64_t bytes = per_mini / 8 * width, here = NB_MIN(left, per_mini);
            int64_t wanted = NB_MIN(here, n - done);
            if (width > 64 || (here * width + 7) / 8 > end - p) {
                return NULL;
            }
            for (int64_t k = 0; k < wanted; k++) {
                value += least + packed(p, width, k);
                out[done++] = (int64_t)value;
            }
            p += NB_MIN(bytes, end - p); /* the last miniblock may be cut short */
            left -= here;
        }
    }
    return done == n ? p : NULL;
}

static uint8_t *
put_length(uint8_t *to, bool framed, int64_t length)
{
    uint32_t n = (uint32_t)length;

    if (framed) {
        memcpy(to, &n, 4);
    }
    return to + (framed ? 4 : 0);
}

nb_status
nb_pq_delta_lengths(const uint8_t *p, const uint8_t *end, int64_t n, bool framed, nb_arena *arena,
                    const uint8_t **out, const uint8_t **out_end)
{
    int64_t *lengths = NB_ARENA_ARRAY(arena, int64_t, n + 8), total = 0;
    uint8_t *to;

    if (!lengths) {
        return NB_NOMEM;
    }
    p = nb_pq_delta(p, end, n, lengths);
    if (!p) {
        return NB_ERROR;
    }
    for (int64_t i = 0; i < n; i++) {
        if (lengths[i] < 0 || lengths[i] > end - p - total) {
            return NB_ERROR;
        }
        total += lengths[i];
    }
    to = nb_arena_alloc(arena, (size_t)(total + 4 * n) + 16);
    if (!to) {
        return NB_NOMEM;
    }
    *out = to;
    for (int64_t i = 0; i < n; i++) {
        to = put_length(to, framed, lengths[i]);
        memcpy(to, p, (size_t)lengths[i]);
        to += lengths[i];
        p += lengths[i];
    }
    *out_end = to;
    return NB_OK;
}

nb_status
nb_pq_delta_prefixes(const uint8_t *p, const uint8_t *end, int64_t n, bool framed, nb_arena *arena,
                     const uint8_t **out, const uint8_t **out_end)
{
    int64_t *shared = NB_ARENA_ARRAY(arena, int64_t, n + 8);
    int64_t *lengths = NB_ARENA_ARRAY(arena, int64_t, n + 8);
    int64_t total = 0, suffixes = 0, before = 0, most;
    uint8_t *to, *last;

    if (!shared || !lengths) {
        return NB_NOMEM;
    }
    most = PREFIX_FREE + PREFIX_FACTOR * (end - p);
    p = nb_pq_delta(p, end, n, shared);
    p = p ? nb_pq_delta(p, end, n, lengths) : NULL;
    if (!p) {
        return NB_ERROR;
    }
    for (int64_t i = 0; i < n; i++) {
        if (lengths[i] < 0 || lengths[i] > end - p - suffixes || shared[i] < 0 ||
            shared[i] > before) {
            return NB_ERROR;
        }
        suffixes += lengths[i];
        before = shared[i] + lengths[i];
        total += before;
        if (total > most) {
            return NB_ERROR;
        }
    }
    to = nb_arena_alloc(arena, (size_t)(total + 4 * n) + 16);
    if (!to) {
        return NB_NOMEM;
    }
    *out = last = to;
    for (int64_t i = 0; i < n; i++) {
        to = put_length(to, framed, shared[i] + lengths[i]);
        memmove(to, last, (size_t)shared[i]);
        last = to;
        to += shared[i];
        memcpy(to, p, (size_t)lengths[i]);
        to += lengths[i];
        p += lengths[i];
    }
    *out_end = to;
    return NB_OK;
}
