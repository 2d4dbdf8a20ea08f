/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thrift.c: see thrift.h.
 */
#include "io/parquet/thrift.h"

#define MAX_DEPTH 32

static uint8_t
take(nb_thrift *t)
{
    if (t->p >= t->end) {
        t->bad = true;
        return 0;
    }
    return *t->p++;
}

static uint64_t
varint(nb_thrift *t)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t b = take(t);
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            return v;
        }
    }
    t->bad = true;
    return 0;
}

int64_t
nb_thrift_int(nb_thrift *t)
{
    uint64_t v = varint(t);

    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

int
nb_thrift_field(nb_thrift *t, int *id)
{
    uint8_t b = take(t);
    int type = b & 15;

    if (t->bad || type == NB_T_STOP) {
        return NB_T_STOP;
    }
    if (b >> 4) {
        *id += b >> 4;
    } else {
        *id = (int)(int16_t)nb_thrift_int(t);
    }
    if (type > NB_T_STRUCT) {
        t->bad = true;
        return NB_T_STOP;
    }
    return type;
}

nb_str
nb_thrift_binary(nb_thrift *t)
{
    uint64_t n = varint(t);
    nb_str s;

    if (t->bad || n > (uint64_t)(t->end - t->p)) {
        t->bad = true;
        return (nb_str){"", 0};
    }
    s = (nb_str){(const char *)t->p, (size_t)n};
    t->p += n;
    return s;
}

int64_t
nb_thrift_list(nb_thrift *t, int *element_type)
{
    uint8_t b = take(t);
    uint64_t n = b >> 4;

    *element_type = b & 15;
    if (n == 15) {
        n = varint(t);
    }
    if (n > (uint64_t)(t->end - t->p) || *element_type > NB_T_STRUCT) {
        t->bad = true;
        return 0;
    }
    return (int64_t)n;
}

void
nb_thrift_skip(nb_thrift *t, int type)
{
    if (t->bad) {
        return;
    }
    if (++t->depth > MAX_DEPTH) {
        t->bad = true;
        t->depth--;
        return;
    }
    switch (type) {
    case NB_T_TRUE:
    case NB_T_FALSE: break;
    case NB_T_BYTE: take(t); break;
    case NB_T_I16:
    case NB_T_I32:
    case NB_T_I64: varint(t); break;
    case NB_T_DOUBLE:
        if (t->end - t->p < 8) {
            t->bad = true;
        } else {
            t->p += 8;
        }
        break;
    case NB_T_BINARY: nb_thrift_binary(t); break;
    case NB_T_LIST:
    case NB_T_SET: {
        int element;
        int64_t n = nb_thrift_list(t, &element);
        for (int64_t i = 0; i < n && !t->bad; i++) {
            if (element == NB_T_TRUE || element == NB_T_FALSE) {
                take(t);
            } else {
                nb_thrift_skip(t, element);
            }
        }
        break;
    }
    case NB_T_MAP: {
        uint64_t n = varint(t);
        uint8_t kinds = n ? take(t) : 0;
        if (n > (uint64_t)(t->end - t->p)) { /* entries of types without bytes would never end */
            t->bad = true;
        }
        for (uint64_t i = 0; i < n && !t->bad; i++) {
            nb_thrift_skip(t, kinds >> 4);
            nb_thrift_skip(t, kinds & 15);
        }
        break;
    }
    case NB_T_STRUCT: {
        int id = 0, field;
        while ((field = nb_thrift_field(t, &id)) != NB_T_STOP) {
            nb_thrift_skip(t, field);
        }
        break;
    }
    default: t->bad = true; break;
    }
    t->depth--;
}

void
nb_thrift_put_varint(nb_strbuf *b, uint64_t v)
{
    while (v >= 0x80) {
        nb_strbuf_addc(b, (char)(v | 0x80));
        v >>= 7;
    }
    nb_strbuf_addc(b, (char)v);
}

void
nb_thrift_put_zigzag(nb_strbuf *b, int64_t v)
{
    nb_thrift_put_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

void
nb_thrift_put_field(nb_strbuf *b, int *last, int id, int type)
{
    int step = id - *last;

    if (step > 0 && step < 16) {
        nb_strbuf_addc(b, (char)(step << 4 | type));
    } else {
        nb_strbuf_addc(b, (char)type);
        nb_thrift_put_zigzag(b, id);
    }
    *last = id;
}

void
nb_thrift_put_int(nb_strbuf *b, int *last, int id, int type, int64_t v)
{
    nb_thrift_put_field(b, last, id, type);
    nb_thrift_put_zigzag(b, v);
}

void
nb_thrift_put_binary(nb_strbuf *b, int *last, int id, nb_str s)
{
    nb_thrift_put_field(b, last, id, NB_T_BINARY);
    nb_thrift_put_varint(b, s.len);
    nb_strbuf_add(b, s);
}

void
nb_thrift_put_list(nb_strbuf *b, int *last, int id, int element_type, size_t n)
{
    nb_thrift_put_field(b, last, id, NB_T_LIST);
    if (n < 15) {
        nb_strbuf_addc(b, (char)(n << 4 | (size_t)element_type));
    } else {
        nb_strbuf_addc(b, (char)(0xf0 | element_type));
        nb_thrift_put_varint(b, n);
    }
}

void
nb_thrift_put_stop(nb_strbuf *b)
{
    nb_strbuf_addc(b, 0);
}
