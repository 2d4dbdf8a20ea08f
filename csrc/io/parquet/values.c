/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values.c: see values.h.
 *
 * PLAIN is the only layout that plain.c turns into ours. What the other encodings hold is brought into it first, in the arena: one pass more over columns that are
 * rare, and one place that knows decimals, units and widths.
 */
#include "io/parquet/values.h"

#include "io/parquet/delta.h"
#include "io/parquet/hybrid.h"
#include "io/parquet/plain.h"

static nb_status
fail(const char **problem, const char *what)
{
    *problem = what;
    return NB_ERROR;
}

static nb_status
from_plain(const nb_pq_column *c, const uint8_t *p, const uint8_t *end, int64_t n, void *to,
           const char **problem)
{
    return nb_pq_plain(c, p, end, n, to) ? NB_OK : fail(problem, "values are cut off");
}

static nb_status
booleans(const uint8_t *p, const uint8_t *end, int64_t n, nb_arena *arena, uint8_t *to,
         const char **problem)
{
    uint32_t *bits = NB_ARENA_ARRAY(arena, uint32_t, n + 8);

    if (!bits) {
        return NB_NOMEM;
    }
    if (end - p < 4 || !nb_pq_hybrid(p + 4, end, 1, n, bits)) {
        return fail(problem, "values are cut off");
    }
    for (int64_t i = 0; i < n; i++) {
        to[i] = (uint8_t)bits[i];
    }
    return NB_OK;
}

/* Bytes of a value whose width is fixed; 0 for others. */
static int64_t
stored_width(const nb_pq_column *c)
{
    switch (c->physical) {
    case NB_PQ_INT32:
    case NB_PQ_FLOAT: return 4;
    case NB_PQ_INT64:
    case NB_PQ_DOUBLE: return 8;
    case NB_PQ_FIXED: return c->width;
    default: return 0;
    }
}

/* Byte k of all values lies together, for each k. */
static nb_status
split_bytes(const nb_pq_column *c, const uint8_t *p, const uint8_t *end, int64_t n, nb_arena *arena,
            void *to, const char **problem)
{
    int64_t width = stored_width(c);
    uint8_t *joined;

    if (width == 0) {
        return fail(problem, "its encoding does not go with its type");
    }
    if (n > (end - p) / width) {
        return fail(problem, "values are cut off");
    }
    joined = nb_arena_alloc(arena, (size_t)(n * width) + 16);
    if (!joined) {
        return NB_NOMEM;
    }
    for (int64_t k = 0; k < width; k++) {
        const uint8_t *from = p + k * n;
        for (int64_t i = 0; i < n; i++) {
            joined[i * width + k] = from[i];
        }
    }
    return from_plain(c, joined, joined + n * width, n, to, problem);
}

static nb_status
delta_numbers(const nb_pq_column *c, const uint8_t *p, const uint8_t *end, int64_t n,
              nb_arena *arena, void *to, const char **problem)
{
    int width = c->physical == NB_PQ_INT32 ? 4 : 8;
    int64_t *wide = NB_ARENA_ARRAY(arena, int64_t, n + 8);

    if (!wide) {
        return NB_NOMEM;
    }
    if (!nb_pq_delta(p, end, n, wide)) {
        return fail(problem, "delta-encoded values are damaged");
    }
    if (width == 4) {
        int32_t *narrow = (int32_t *)(void *)wide;
        for (int64_t i = 0; i < n; i++) {
            narrow[i] = (int32_t)wide[i]; /* sums wrap around, as the writer's differences did */
        }
    }
    return from_plain(c, (uint8_t *)wide, (uint8_t *)wide + n * width, n, to, problem);
}

static nb_status
delta_strings(const nb_pq_column *c, int encoding, const uint8_t *p, const uint8_t *end, int64_t n,
              nb_arena *arena, void *to, const char **problem)
{
    const uint8_t *plain, *plain_end;
    bool framed = c->physical == NB_PQ_BYTE_ARRAY;
    nb_status st = encoding == NB_PQ_DELTA_LENGTH_BYTE_ARRAY
                       ? nb_pq_delta_lengths(p, end, n, framed, arena, &plain, &plain_end)
                       : nb_pq_delta_prefixes(p, end, n, framed, arena, &plain, &plain_end);

    if (st == NB_NOMEM) {
        return st;
    }
    if (st < 0 || (!framed && plain_end - plain != n * c->width)) {
        return fail(problem, "delta-encoded strings are damaged");
    }
    return from_plain(c, plain, plain_end, n, to, problem);
}

bool
nb_pq_values_stay(const nb_pq_column *c, int encoding)
{
    return encoding == NB_PQ_PLAIN && nb_pq_plain_width(c) == 0;
}

nb_status
nb_pq_values(const nb_pq_column *c, int encoding, const uint8_t *p, const uint8_t *end, int64_t n,
             nb_arena *arena, void *to, const char **problem)
{
    bool is_string = c->physical == NB_PQ_BYTE_ARRAY || c->physical == NB_PQ_FIXED;
    bool is_int = c->physical == NB_PQ_INT32 || c->physical == NB_PQ_INT64;

    if (n == 0) {
        return NB_OK; /* some writers leave nothing at all */
    }
    switch (encoding) {
    case NB_PQ_PLAIN: return from_plain(c, p, end, n, to, problem);
    case NB_PQ_RLE:
        if (c->physical == NB_PQ_BOOLEAN) {
            return booleans(p, end, n, arena, to, problem);
        }
        break;
    case NB_PQ_DELTA_BINARY_PACKED:
        if (is_int) {
            return delta_numbers(c, p, end, n, arena, to, problem);
        }
        break;
    case NB_PQ_DELTA_LENGTH_BYTE_ARRAY:
        if (c->physical == NB_PQ_BYTE_ARRAY) {
            return delta_strings(c, encoding, p, end, n, arena, to, problem);
        }
        break;
    case NB_PQ_DELTA_BYTE_ARRAY:
        if (is_string) {
            return delta_strings(c, encoding, p, end, n, arena, to, problem);
        }
        break;
    case NB_PQ_BYTE_STREAM_SPLIT: return split_bytes(c, p, end, n, arena, to, problem);
    default: return fail(problem, "its encoding is unknown");
    }
    return fail(problem, "its encoding does not go with its type");
}
