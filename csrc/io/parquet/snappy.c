/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snappy.c: see snappy.h.
 *
 *   element   tag, then by its low two bits
 *     0  literal  (tag >> 2) + 1 bytes follow; 60 to 63: that many - 59 bytes say how many, less one
 *     1  copy     4 + (tag >> 2 & 7) bytes from (tag >> 5) * 256 + next byte before here
 *     2  copy     (tag >> 2) + 1 bytes from next two bytes before here
 *     3  copy     the same with four bytes
 *
 * quick_step does the elements that make up nearly all of a block without a branch on the kind: source, length and advance come from a table
 * and conditional moves, and 16 bytes are moved whatever the length is. It wants QUICK_IN bytes of input left, so that its reads stay inside. Whatever it
 * does not like (long literals, far copies, overlaps, ends, faults) goes to careful_step, which checks everything.
 */
#include "io/parquet/snappy.h"

#include <string.h>

#include "base/macros.h"

#define QUICK_IN 96

typedef struct stream {
    const uint8_t *in, *in_end;
    uint8_t *out, *out_end;
    const uint8_t *start;
} stream;

typedef enum outcome { GOES_ON, ENDED, FAILED } outcome;

/* Per tag: length (low byte), bytes of the offset (bits 8 to 10), what the tag adds to the offset (high half); 0: not for the quick step. */
#define E1(t)                                                                          \
    (((t) & 3) == 0   ? ((t) >> 2) < 60 ? ((t) >> 2) + 1u : 0u                         \
     : ((t) & 3) == 1 ? (4u + (((t) >> 2) & 7)) | 1u << 8 | (uint32_t)((t) >> 5) << 24 \
     : ((t) & 3) == 2 ? (((t) >> 2) + 1u) | 2u << 8                                    \
                      : 0u)
#define E4(t)  E1(t), E1(t + 1), E1(t + 2), E1(t + 3)
#define E16(t) E4(t), E4(t + 4), E4(t + 8), E4(t + 12)
#define E64(t) E16(t), E16(t + 16), E16(t + 32), E16(t + 48)
static const uint32_t entries[256] = {E64(0), E64(64), E64(128), E64(192)};

NB_INLINE uint32_t
load32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return v;
}

NB_INLINE void
move16(uint8_t *to, const uint8_t *from)
{
    uint64_t a, b;

    memcpy(&a, from, 8);
    memcpy(&b, from + 8, 8);
    memcpy(to, &a, 8);
    memcpy(to + 8, &b, 8);
}

/* One element with every check. */
static outcome __attribute__((noinline))
careful_step(stream *s)
{
    size_t left = (size_t)(s->in_end - s->in), room = (size_t)(s->out_end - s->out), length, offset;
    unsigned tag;

    if (left == 0) {
        return room == 0 ? ENDED : FAILED;
    }
    tag = *s->in++;
    left--;
    if ((tag & 3) == 0) {
        length = tag >> 2;
        if (length >= 60) {
            size_t n_bytes = length - 59;
            if (left < n_bytes) {
                return FAILED;
            }
            length = 0;
            for (size_t i = 0; i < n_bytes; i++) {
                length |= (size_t)*s->in++ << (8 * i);
            }
            left -= n_bytes;
        }
        length++;
        if (length > left || length > room) {
            return FAILED;
        }
        memcpy(s->out, s->in, length);
        s->in += length;
        s->out += length;
        return GOES_ON;
    }
    if (left < (size_t)((tag & 3) == 3 ? 4 : tag & 3)) {
        return FAILED;
    }
    switch (tag & 3) {
    case 1:
        length = 4 + (tag >> 2 & 7);
        offset = (size_t)(tag >> 5) << 8 | s->in[0];
        s->in += 1;
        break;
    case 2:
        length = (tag >> 2) + 1;
        offset = (size_t)s->in[0] | (size_t)s->in[1] << 8;
        s->in += 2;
        break;
    default:
        length = (tag >> 2) + 1;
        offset = load32(s->in);
        s->in += 4;
        break;
    }
    if (offset == 0 || offset > (size_t)(s->out - s->start) || length > room) {
        return FAILED;
    }
    for (size_t i = 0; i < length; i++) { /* source and target may overlap: byte by byte */
        s->out[i] = s->out[i - offset];
    }
    s->out += length;
    return GOES_ON;
}

/* One element of the usual kinds. */
NB_INLINE outcome
quick_step(stream *s)
{
    static const uint32_t masks[4] = {0, 0xff, 0xffff, 0};
    const uint8_t *in = s->in;
    uint8_t *out = s->out;
    unsigned tag = *in;
    uint32_t entry = entries[tag], length = entry & 0xff;
    size_t offset = (load32(in + 1) & masks[tag & 3]) + (entry >> 24 << 8);
    bool literal = (tag & 3) == 0;
    const uint8_t *from = literal ? in + 1 : out - offset;
    size_t written = (size_t)(out - s->start), room = (size_t)(s->out_end - out);

    if (NB_UNLIKELY(length == 0 || length > room ||
                    (!literal && (offset > written || offset < length || offset == 0)))) {
        return careful_step(s);
    }
    move16(out, from);
    if (length > 16) {
        move16(out + 16, from + 16);
        if (length > 32) {
            move16(out + 32, from + 32);
            move16(out + 48, from + 48);
        }
    }
    s->in = in + 1 + (literal ? length : tag & 3);
    s->out = out + length;
    return GOES_ON;
}

NB_INLINE bool
is_quick(const stream *s)
{
    return s->in_end - s->in >= QUICK_IN;
}

static bool
open_block(const nb_snappy_block *b, stream *s)
{
    const uint8_t *p = b->in, *end = b->in + b->n_in;
    uint64_t length = 0;

    for (int shift = 0;; shift += 7) {
        if (p >= end || shift > 28) {
            return false;
        }
        length |= (uint64_t)(*p & 0x7f) << shift;
        if (!(*p++ & 0x80)) {
            break;
        }
    }
    *s = (stream){p, end, b->out, b->out + b->n_out, b->out};
    return length == b->n_out;
}

static bool
finish(stream s)
{
    outcome o = GOES_ON;

    while (o == GOES_ON && is_quick(&s)) {
        o = quick_step(&s);
    }
    while (o == GOES_ON) {
        o = careful_step(&s);
    }
    return o == ENDED;
}

void
nb_snappy_decompress(nb_snappy_block *a, nb_snappy_block *b)
{
    stream s, t;
    outcome of_s = GOES_ON, of_t = GOES_ON;

    a->ok = open_block(a, &s);
    if (b == NULL) {
        a->ok = a->ok && finish(s);
        return;
    }
    b->ok = open_block(b, &t);
    if (a->ok && b->ok) {
        while (is_quick(&s) && is_quick(&t) && of_s == GOES_ON && of_t == GOES_ON) {
            of_s = quick_step(&s);
            of_t = quick_step(&t);
        }
    }
    a->ok = a->ok && of_s == GOES_ON && finish(s);
    b->ok = b->ok && of_t == GOES_ON && finish(t);
}
