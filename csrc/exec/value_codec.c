/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_codec.c: a value is a byte 0 (null) or 1, then
 *
 *   fixed width   its bytes              STRING  length u32, bytes
 *   STRUCT        its fields             LIST    count u32, then per element each child
 *
 * Decoding walks twice: first to count how many rows each nested vector gets, then to fill them.
 */
#include "exec/value_codec.h"

#include <math.h>

static void
put_fixed(const nb_vector *flat, nb_phys phys, int64_t row, int width, nb_strbuf *out)
{
    const char *p = (const char *)flat->data + row * width;

    if (phys == NB_PHYS_DOUBLE) {
        double d = ((const double *)flat->data)[row] + 0.0;
        if (isnan(d)) {
            d = (double)NAN;
        }
        nb_strbuf_add(out, (nb_str){(const char *)&d, sizeof(d)});
    } else if (phys == NB_PHYS_FLOAT) {
        float f = ((const float *)flat->data)[row] + 0.0f;
        if (isnan(f)) {
            f = NAN;
        }
        nb_strbuf_add(out, (nb_str){(const char *)&f, sizeof(f)});
    } else {
        nb_strbuf_add(out, (nb_str){p, (size_t)width});
    }
}

void
nb_value_encode(const nb_vector *v, int64_t row, nb_strbuf *out)
{
    nb_phys phys = nb_type_storage(v->type)->phys;

    if (nb_vector_is_null(v, row)) {
        nb_strbuf_addc(out, 0);
        return;
    }
    row = nb_vector_slot(v, row);
    if (v->kind == NB_VEC_DICT) {
        v = v->dict;
    }
    nb_strbuf_addc(out, 1);
    switch (phys) {
    case NB_PHYS_STRING: {
        const nb_view *s = NB_DATA(nb_view, v) + row;

        nb_strbuf_add(out, (nb_str){(const char *)&s->len, 4});
        nb_strbuf_add(out, nb_view_str(s));
        break;
    }
    case NB_PHYS_LIST: {
        nb_list l = NB_DATA(nb_list, v)[row];

        nb_strbuf_add(out, (nb_str){(const char *)&l.len, 4});
        for (uint32_t k = 0; k < l.len; k++) {
            for (int c = 0; c < v->n_children; c++) {
                nb_value_encode(&v->children[c], l.offset + k, out);
            }
        }
        break;
    }
    case NB_PHYS_STRUCT:
        for (int c = 0; c < v->n_children; c++) {
            nb_value_encode(&v->children[c], row, out);
        }
        break;
    case NB_PHYS_NONE: break;
    default: put_fixed(v, phys, row, nb_phys_width(phys), out);
    }
}

/* Counts of the rows of a type's nested vectors, in the shape of the type. */
typedef struct shape {
    const nb_type *type; /* storage */
    nb_phys phys;
    int64_t n_rows, at; /* counted; filled so far */
    struct shape *children;
    nb_vector *vector;
} shape;

static nb_status
shape_init(nb_arena *arena, const nb_type *type, shape *out)
{
    const nb_type *storage = nb_type_storage(type);

    *out = (shape){.type = storage, .phys = storage->phys};
    if (storage->phys != NB_PHYS_LIST && storage->phys != NB_PHYS_STRUCT) {
        return NB_OK;
    }
    out->children = NB_ARENA_ARRAY(arena, shape, storage->n_children);
    if (out->children == NULL) {
        return NB_NOMEM;
    }
    for (int c = 0; c < storage->n_children; c++) {
        NB_TRY(shape_init(arena, storage->children[c].type, &out->children[c]));
    }
    return NB_OK;
}

static const char *
count(shape *s, const char *p)
{
    uint32_t len;

    s->n_rows++;
    if (*p++ == 0) {
        if (s->phys == NB_PHYS_STRUCT) { /* a null struct has a null row in each child */
            static const char null_byte = 0;
            for (int c = 0; c < s->type->n_children; c++) {
                count(&s->children[c], &null_byte);
            }
        }
        return p;
    }
    switch (s->phys) {
    case NB_PHYS_STRING: memcpy(&len, p, 4); return p + 4 + len;
    case NB_PHYS_LIST:
        memcpy(&len, p, 4);
        p += 4;
        for (uint32_t k = 0; k < len; k++) {
            for (int c = 0; c < s->type->n_children; c++) {
                p = count(&s->children[c], p);
            }
        }
        return p;
    case NB_PHYS_STRUCT:
        for (int c = 0; c < s->type->n_children; c++) {
            p = count(&s->children[c], p);
        }
        return p;
    default: return p + nb_phys_width(s->phys);
    }
}

static nb_status
allocate(nb_arena *arena, shape *s, const nb_type *type, nb_vector *out)
{
    if (s->phys == NB_PHYS_LIST || s->phys == NB_PHYS_STRUCT) {
        NB_TRY(nb_vector_alloc(arena, type, s->n_rows, out));
        for (int c = 0; c < s->type->n_children; c++) {
            NB_TRY(allocate(arena, &s->children[c], s->type->children[c].type, &out->children[c]));
        }
    } else {
        NB_TRY(nb_vector_alloc(arena, type, s->n_rows, out));
    }
    NB_TRY(nb_vector_need_validity(arena, out));
    s->vector = out;
    return NB_OK;
}

static nb_status
fill(nb_arena *arena, shape *s, const char **cursor)
{
    static const char null_byte = 0;
    int64_t row = s->at++;
    const char *p = *cursor;
    bool valid = *p++ != 0;
    uint32_t len = 0;

    if (!valid && s->vector->validity != NULL) {
        nb_bit_clear(s->vector->validity, row);
    }
    if (s->phys == NB_PHYS_STRUCT) {
        for (int c = 0; c < s->type->n_children; c++) {
            const char *nothing = &null_byte;
            NB_TRY(fill(arena, &s->children[c], valid ? &p : &nothing));
        }
    } else if (valid && s->phys == NB_PHYS_STRING) {
        char *copy = NULL;

        memcpy(&len, p, 4);
        p += 4;
        if (len > NB_VIEW_INLINE) {
            copy = nb_arena_alloc(arena, len);
            if (copy == NULL) {
                return NB_NOMEM;
            }
            memcpy(copy, p, len);
        }
        NB_DATA(nb_view, s->vector)[row] = nb_view_make(copy ? copy : p, len);
        p += len;
    } else if (valid && s->phys == NB_PHYS_LIST) {
        memcpy(&len, p, 4);
        p += 4;
        NB_DATA(nb_list, s->vector)
        [row] = (nb_list){len ? (uint32_t)s->children[0].at : 0, len};
        for (uint32_t k = 0; k < len; k++) {
            for (int c = 0; c < s->type->n_children; c++) {
                NB_TRY(fill(arena, &s->children[c], &p));
            }
        }
    } else if (valid) {
        int width = nb_phys_width(s->phys);

        memcpy((char *)s->vector->data + row * width, p, (size_t)width);
        p += width;
    }
    *cursor = p;
    return NB_OK;
}

nb_status
nb_value_decode(nb_arena *arena, const nb_type *type, const char **cursors, int64_t n,
                nb_vector *out)
{
    shape s;

    NB_TRY(shape_init(arena, type, &s));
    for (int64_t i = 0; i < n; i++) {
        count(&s, cursors[i]);
    }
    NB_TRY(allocate(arena, &s, type, out));
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(fill(arena, &s, &cursors[i]));
    }
    return NB_OK;
}
