/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_key.c: a key is a byte that places nulls, then for values
 *
 *   integers   big endian, sign turned          floats   as in sort_code.h, big endian
 *   STRING     its bytes, 00 as 00 FF; ends with 00 00
 *   LIST       per element 01 and its key; ends with 00
 *   STRUCT     the keys of its fields
 *
 * Descending keys have all bits of the value turned.
 */
#include "exec/sort_key.h"

#include "exec/sort_code.h"

enum { NULL_FIRST = 0, VALUE = 1, NULL_LAST = 2 };

static void
put_turned(nb_strbuf *out, const void *p, size_t n, uint8_t flip)
{
    const uint8_t *from = p;
    char bytes[16];

    for (size_t i = 0; i < n; i++) {
        bytes[i] = (char)(from[n - 1 - i] ^ flip); /* little endian in memory */
    }
    nb_strbuf_add(out, (nb_str){bytes, n});
}

void
nb_sort_key_put_number(uint64_t x, int n_bytes, nb_strbuf *out)
{
    put_turned(out, &x, (size_t)n_bytes, 0);
}

static void
put_string(const nb_view *s, uint8_t flip, nb_strbuf *out)
{
    const char *p = nb_view_data(s);
    const char zero[] = {(char)flip, (char)(0xff ^ flip)}, end[] = {(char)flip, (char)flip};

    for (uint32_t i = 0; i < s->len; i++) {
        if (p[i] == 0) {
            nb_strbuf_add(out, (nb_str){zero, 2});
        } else {
            nb_strbuf_addc(out, (char)((uint8_t)p[i] ^ flip));
        }
    }
    nb_strbuf_add(out, (nb_str){end, 2});
}

static void put_value(const nb_vector *v, int64_t row, uint8_t flip, nb_strbuf *out);

/* Inside of nested values null is the least. */
static void
put_inner(const nb_vector *v, int64_t row, uint8_t flip, nb_strbuf *out)
{
    bool null = nb_vector_is_null(v, row);

    nb_strbuf_addc(out, (char)((null ? NULL_FIRST : VALUE) ^ flip));
    if (!null) {
        put_value(v, row, flip, out);
    }
}

static void
put_list(const nb_vector *v, nb_list l, uint8_t flip, nb_strbuf *out)
{
    for (uint32_t k = 0; k < l.len; k++) {
        nb_strbuf_addc(out, (char)(1 ^ flip));
        for (int c = 0; c < v->n_children; c++) {
            put_inner(&v->children[c], (int64_t)l.offset + k, flip, out);
        }
    }
    nb_strbuf_addc(out, (char)flip);
}

static void
put_value(const nb_vector *v, int64_t row, uint8_t flip, nb_strbuf *out)
{
    uint64_t x;

    row = nb_vector_slot(v, row);
    v = v->kind == NB_VEC_DICT ? v->dict : v;
    switch (nb_type_storage(v->type)->phys) {
    case NB_PHYS_NONE: return;
    case NB_PHYS_BOOL: nb_strbuf_addc(out, (char)(NB_DATA(uint8_t, v)[row] ^ flip)); return;
    case NB_PHYS_INT8:
        nb_strbuf_addc(out, (char)((uint8_t)NB_DATA(int8_t, v)[row] ^ 0x80 ^ flip));
        return;
    case NB_PHYS_INT16:
        x = (uint16_t)NB_DATA(int16_t, v)[row] ^ 0x8000u;
        put_turned(out, &x, 2, flip);
        return;
    case NB_PHYS_INT32:
        x = (uint32_t)NB_DATA(int32_t, v)[row] ^ 0x80000000u;
        put_turned(out, &x, 4, flip);
        return;
    case NB_PHYS_INT64:
        x = nb_code_of_int(NB_DATA(int64_t, v)[row]);
        put_turned(out, &x, 8, flip);
        return;
    case NB_PHYS_INT128: {
        nb_uint128 wide = (nb_uint128)NB_DATA(nb_int128, v)[row] ^ (nb_uint128)1 << 127;
        put_turned(out, &wide, 16, flip);
        return;
    }
    case NB_PHYS_FLOAT:
        x = nb_code_of_double((double)NB_DATA(float, v)[row]);
        put_turned(out, &x, 8, flip);
        return;
    case NB_PHYS_DOUBLE:
        x = nb_code_of_double(NB_DATA(double, v)[row]);
        put_turned(out, &x, 8, flip);
        return;
    case NB_PHYS_STRING: put_string(NB_DATA(nb_view, v) + row, flip, out); return;
    case NB_PHYS_INTERVAL: {
        nb_interval i = NB_DATA(nb_interval, v)[row];
        uint32_t parts[2] = {(uint32_t)i.months ^ 0x80000000u, (uint32_t)i.days ^ 0x80000000u};

        put_turned(out, &parts[0], 4, flip);
        put_turned(out, &parts[1], 4, flip);
        x = nb_code_of_int(i.us);
        put_turned(out, &x, 8, flip);
        return;
    }
    case NB_PHYS_LIST: put_list(v, NB_DATA(nb_list, v)[row], flip, out); return;
    case NB_PHYS_STRUCT:
        for (int c = 0; c < v->n_children; c++) {
            put_inner(&v->children[c], row, flip, out);
        }
        return;
    }
}

void
nb_sort_key_put(const nb_vector *v, int64_t row, bool descending, bool nulls_last, nb_strbuf *out)
{
    if (nb_vector_is_null(v, row)) {
        nb_strbuf_addc(out, nulls_last ? NULL_LAST : NULL_FIRST);
        return;
    }
    nb_strbuf_addc(out, VALUE);
    put_value(v, row, descending ? 0xff : 0, out);
}
