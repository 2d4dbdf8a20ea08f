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
 * Three ways to go on, the faster the less they take:
 *
 *   stride        an optional literal of up to 4 bytes and the copy behind it, 16 bytes of output at most. Dictionaries of numbers are nothing but that: the
 *                 low bytes of a value, and its high bytes from another value. No branch on kinds or lengths. Bytes come from a copy's source *at the
 *                 literal's place* on, the literal is laid over them, and the whole is stored at once: then a load of a value hits the one store that
 *                 wrote it, and need not wait until several stores have left the core.
 *   quick_step    one element without a branch on its kind, 64 bytes whatever its length.
 *   careful_step  any element, with every check.
 *
 * The first two want QUICK_IN bytes of input left, so that their reads stay inside. What a way does not like (ends, long literals, far copies,
 * overlaps, faults) goes to the next one. Where strides end soon, more and more elements go to quick_step before the next stride is tried.
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

/* Strides between two looks at the ends; each takes 8 bytes at most. */
#define STRIDES       4
#define MOST_OUT      16
#define MOST_PATIENCE 64

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

NB_INLINE uint64_t
load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return v;
}

NB_INLINE void
store64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, 8);
}

/* Keeps the compiler from turning a conditional move into a branch. */
#define OPAQUE(x) __asm__("" : "+r"(x))

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
        s->out[i] = s->out[(ptrdiff_t)i - (ptrdiff_t)offset];
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

/* What a copy's tag says. */
typedef struct copy_tag {
    uint32_t mask; /* of the bytes behind it that belong to the offset */
    uint16_t high; /* what the tag adds to the offset */
    uint8_t length;
} copy_tag;

#define NO_STRIDE 64 /* a length that is too long for a stride */
#define C1(t)                                                            \
    {((t) & 3) == 1 ? 0xff : 0xffff, ((t) & 3) == 1 ? (t) >> 5 << 8 : 0, \
     ((t) & 3) == 1   ? 4 + ((t) >> 2 & 7)                               \
     : ((t) & 3) == 2 ? ((t) >> 2) + 1                                   \
                      : NO_STRIDE}
#define C4(t)  C1(t), C1(t + 1), C1(t + 2), C1(t + 3)
#define C16(t) C4(t), C4(t + 4), C4(t + 8), C4(t + 12)
#define C64(t) C16(t), C16(t + 16), C16(t + 32), C16(t + 48)
static const copy_tag copies[256] = {C64(0), C64(64), C64(128), C64(192)};

/* Bytes of the literal that a first tag begins; none when it is a copy's. */
#define B1(t)  ((t) & 3 ? 0 : (t) >> 2 < 4 ? ((t) >> 2) + 1 : NO_STRIDE)
#define B4(t)  B1(t), B1(t + 1), B1(t + 2), B1(t + 3)
#define B16(t) B4(t), B4(t + 4), B4(t + 8), B4(t + 12)
#define B64(t) B16(t), B16(t + 16), B16(t + 32), B16(t + 48)
static const uint8_t literals[256] = {B64(0), B64(64), B64(128), B64(192)};

/* A stream's places, which strides keep in registers. */
typedef struct cursor {
    const uint8_t *in;
    uint8_t *out;
} cursor;

/* Takes a stride, or returns false. start8: 8 bytes behind the start; at least so many were written. */
NB_INLINE bool
stride(cursor *c, const uint8_t *start8)
{
    static const uint64_t low_bytes[5] = {0, 0xff, 0xffff, 0xffffff, 0xffffffff};
    uint64_t bytes = load64(c->in), behind, zero = 0, skip;
    unsigned tag = (uint8_t)bytes, next, length;
    const uint8_t *from;
    size_t offset;

    /* bits of a literal's tag and bytes; the next tag waits for this, so it must be a conditional move */
    OPAQUE(zero);
    skip = tag * 2 + 16;
    skip = tag & 3 ? zero : skip;
    OPAQUE(skip);
    behind = bytes >> (skip & 63);
    next = (uint8_t)behind;
    offset = (behind >> 8 & copies[next].mask) + copies[next].high;
    length = literals[tag] + copies[next].length;
    if (NB_UNLIKELY(length > MOST_OUT || offset - 8 > (size_t)(c->out - start8))) {
        return false; /* an offset below 8 may reach into the literal */
    }
    from = c->out - offset;
    behind = load64(from);
    store64(c->out, behind ^ ((behind ^ bytes >> 8) & low_bytes[literals[tag]]));
    store64(c->out + 8, load64(from + 8));
    c->in += skip / 8 + 1 + (next & 3);
    c->out += length;
    return true;
}

NB_INLINE bool
is_quick(const stream *s)
{
    return s->in_end - s->in >= QUICK_IN;
}

NB_INLINE bool
may_stride(const stream *s)
{
    return s->out - s->start >= 8 && s->out_end - s->out >= STRIDES * MOST_OUT;
}

/* Strides, as far as they go. */
static void
strides(stream *s)
{
    cursor c = {s->in, s->out};
    const uint8_t *last = s->in_end - QUICK_IN, *start8 = s->start + 8;
    uint8_t *last_out = s->out_end - STRIDES * MOST_OUT;
    bool going = may_stride(s);

    while (going && c.in <= last && c.out <= last_out) {
        for (int k = 0; k < STRIDES && going; k++) {
            going = stride(&c, start8);
        }
    }
    s->in = c.in;
    s->out = c.out;
}

/* The same in two streams, until one of them stops. */
static void
strides_of_two(stream *s, stream *t)
{
    cursor c = {s->in, s->out}, d = {t->in, t->out};
    const uint8_t *last_c = s->in_end - QUICK_IN, *last_d = t->in_end - QUICK_IN;
    const uint8_t *start_c = s->start + 8, *start_d = t->start + 8;
    uint8_t *last_out_c = s->out_end - STRIDES * MOST_OUT;
    uint8_t *last_out_d = t->out_end - STRIDES * MOST_OUT;
    bool going = may_stride(s) && may_stride(t);

    while (going && c.in <= last_c && d.in <= last_d && c.out <= last_out_c &&
           d.out <= last_out_d) {
        for (int k = 0; k < STRIDES && going; k++) {
            going = stride(&c, start_c);
            going &= stride(&d, start_d);
        }
    }
    *s = (stream){c.in, s->in_end, c.out, s->out_end, s->start};
    *t = (stream){d.in, t->in_end, d.out, t->out_end, t->start};
}

/* How many elements to take before strides are tried again, which took so many bytes. */
static int
patience_after(ptrdiff_t taken, int patience)
{
    return taken >= 32 ? 1 : NB_MIN(2 * patience, MOST_PATIENCE);
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
    /* nothing may have no place to go to */
    *s = (stream){p, end, b->out, b->n_out > 0 ? b->out + b->n_out : b->out, b->out};
    return length == b->n_out;
}

static bool
finish(stream s)
{
    outcome o = GOES_ON;
    int patience = 1;

    while (o == GOES_ON && is_quick(&s)) {
        const uint8_t *before = s.in;
        strides(&s);
        patience = patience_after(s.in - before, patience);
        for (int k = 0; k < patience && o == GOES_ON && is_quick(&s); k++) {
            o = quick_step(&s);
        }
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
    int patience = 1;

    a->ok = open_block(a, &s);
    if (b == NULL) {
        a->ok = a->ok && finish(s);
        return;
    }
    b->ok = open_block(b, &t);
    if (a->ok && b->ok) {
        while (is_quick(&s) && is_quick(&t) && of_s == GOES_ON && of_t == GOES_ON) {
            const uint8_t *before = s.in;
            strides_of_two(&s, &t);
            patience = patience_after(s.in - before, patience);
            for (int k = 0;
                 k < patience && of_s == GOES_ON && of_t == GOES_ON && is_quick(&s) && is_quick(&t);
                 k++) {
                of_s = quick_step(&s);
                of_t = quick_step(&t);
            }
        }
    }
    a->ok = a->ok && of_s == GOES_ON && finish(s);
    b->ok = b->ok && of_t == GOES_ON && finish(t);
}
