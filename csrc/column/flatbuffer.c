/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flatbuffer.c: writing and reading FlatBuffers; see flatbuffer.h.
 *
 * Layout of a table: i32 (table position minus vtable position), then fields. Its vtable: u16 bytes of the vtable, u16 bytes of the
 * table, u16 per field (distance from the table's start, 0 = absent). References are u32 distances forward.
 */
#include "column/flatbuffer.h"

/* --- writing ----------------------------------------------------------------------------------- */

/* Room for n more bytes in front; NULL when there is none, or none is asked for. */
static uint8_t *
claim(nb_fb_writer *w, size_t n)
{
    if (w->failed || n == 0) {
        return NULL;
    }
    if (w->size + n > w->cap) {
        size_t cap = NB_MAX(w->cap * 2, (w->size + n + 255) & ~(size_t)255);
        uint8_t *data = nb_arena_zalloc(w->arena, cap);
        if (data == NULL || cap > INT32_MAX) {
            w->failed = true;
            return NULL;
        }
        if (w->size > 0) {
            memcpy(data + cap - w->size, w->data + w->cap - w->size, w->size);
        }
        w->data = data;
        w->cap = cap;
    }
    w->size += n;
    return w->data + w->cap - w->size;
}

static void
pad(nb_fb_writer *w, size_t align, size_t coming)
{
    size_t n = (align - (w->size + coming) % align) % align;
    uint8_t *p = claim(w, n);

    if (p != NULL) {
        memset(p, 0, n);
    }
}

static nb_fb_pos
put(nb_fb_writer *w, const void *v, size_t n)
{
    uint8_t *p;

    pad(w, n, n);
    p = claim(w, n);
    if (p != NULL) {
        memcpy(p, v, n);
    }
    return (nb_fb_pos)w->size;
}

static nb_fb_pos
put_ref(nb_fb_writer *w, nb_fb_pos to)
{
    uint32_t distance;

    pad(w, 4, 4);
    distance = (uint32_t)w->size + 4 - to;
    return put(w, &distance, 4);
}

nb_fb_pos
nb_fb_string(nb_fb_writer *w, nb_str s)
{
    uint32_t len = (uint32_t)s.len;
    uint8_t *p;

    pad(w, 4, s.len + 1);
    p = claim(w, s.len + 1);
    if (p != NULL) {
        if (s.len > 0) {
            memcpy(p, s.data, s.len);
        }
        p[s.len] = 0;
    }
    return put(w, &len, 4);
}

nb_fb_pos
nb_fb_vector(nb_fb_writer *w, const void *elements, size_t n, size_t size, size_t align)
{
    uint32_t count = (uint32_t)n;
    uint8_t *p;

    pad(w, 4, n * size);
    pad(w, align, n * size);
    p = claim(w, n * size);
    if (p != NULL && n > 0) {
        memcpy(p, elements, n * size);
    }
    return put(w, &count, 4);
}

nb_fb_pos
nb_fb_offset_vector(nb_fb_writer *w, const nb_fb_pos *elements, size_t n)
{
    uint32_t count = (uint32_t)n;

    for (size_t i = n; i > 0; i--) {
        put_ref(w, elements[i - 1]);
    }
    return put(w, &count, 4);
}

void
nb_fb_table_start(nb_fb_writer *w, int n_fields)
{
    memset(w->fields, 0, sizeof(w->fields));
    w->n_fields = n_fields;
    w->table_start = (uint32_t)w->size;
}

void
nb_fb_field_u8(nb_fb_writer *w, int field, uint8_t v)
{
    w->fields[field] = put(w, &v, 1);
}

void
nb_fb_field_i16(nb_fb_writer *w, int field, int16_t v)
{
    w->fields[field] = put(w, &v, 2);
}

void
nb_fb_field_i32(nb_fb_writer *w, int field, int32_t v)
{
    w->fields[field] = put(w, &v, 4);
}

void
nb_fb_field_i64(nb_fb_writer *w, int field, int64_t v)
{
    w->fields[field] = put(w, &v, 8);
}

void
nb_fb_field_ref(nb_fb_writer *w, int field, nb_fb_pos v)
{
    if (v != 0) {
        w->fields[field] = put_ref(w, v);
    }
}

nb_fb_pos
nb_fb_table_end(nb_fb_writer *w)
{
    int32_t distance = 0;
    nb_fb_pos table = put(w, &distance, 4);
    uint16_t sizes[2] = {(uint16_t)((w->n_fields + 2) * 2), (uint16_t)(table - w->table_start)};

    for (int i = w->n_fields; i > 0; i--) {
        uint16_t at = (uint16_t)(w->fields[i - 1] ? table - w->fields[i - 1] : 0);
        put(w, &at, 2);
    }
    put(w, &sizes[1], 2);
    put(w, &sizes[0], 2);
    distance = (int32_t)(w->size - table);
    if (!w->failed) {
        memcpy(w->data + w->cap - table, &distance, 4);
    }
    return table;
}

nb_str
nb_fb_finish(nb_fb_writer *w, nb_fb_pos root)
{
    pad(w, 8, 4);
    put_ref(w, root);
    return w->failed ? (nb_str){NULL, 0}
                     : (nb_str){(const char *)w->data + w->cap - w->size, w->size};
}

/* --- reading ----------------------------------------------------------------------------------- */

static bool
load(const uint8_t *data, uint32_t len, uint32_t pos, uint32_t n, void *out)
{
    if (pos > len || n > len - pos) {
        return false;
    }
    memcpy(out, data + pos, n);
    return true;
}

static bool
table_at(const uint8_t *data, uint32_t len, uint32_t pos, nb_fb_table *out)
{
    int32_t distance;
    uint16_t sizes[2];
    int64_t vtable;

    if (!load(data, len, pos, 4, &distance)) {
        return false;
    }
    vtable = (int64_t)pos - distance;
    if (vtable < 0 || vtable > len || !load(data, len, (uint32_t)vtable, 4, sizes) ||
        sizes[0] < 4 || sizes[0] > len - vtable) {
        return false;
    }
    *out = (nb_fb_table){data, len, pos, (uint32_t)vtable, (uint32_t)(sizes[0] - 4) / 2};
    return true;
}

/* Follows the reference at pos. */
static bool
follow(const uint8_t *data, uint32_t len, uint32_t pos, uint32_t *to)
{
    uint32_t distance;

    if (!load(data, len, pos, 4, &distance) || distance > len - pos) {
        return false;
    }
    *to = pos + distance;
    return true;
}

/* Position of a field; 0 when it is absent. */
static uint32_t
field_pos(const nb_fb_table *t, int field)
{
    uint16_t at = 0;

    if ((uint32_t)field < t->n_fields) {
        memcpy(&at, t->data + t->vtable + 4 + 2 * (uint32_t)field,
               2); /* inside: checked by table_at */
    }
    return at == 0 ? 0 : t->pos + at;
}

bool
nb_fb_root(const void *data, size_t len, nb_fb_table *out)
{
    uint32_t pos;

    return len <= INT32_MAX && follow(data, (uint32_t)len, 0, &pos) &&
           table_at(data, (uint32_t)len, pos, out);
}

bool
nb_fb_get_int(const nb_fb_table *t, int field, int width, int64_t def, int64_t *out)
{
    uint32_t pos = field_pos(t, field);
    int8_t i8;
    int16_t i16;
    int32_t i32;

    *out = def;
    if (pos == 0) {
        return true;
    }
    switch (width) {
    case 1: return load(t->data, t->len, pos, 1, &i8) && (*out = i8, true);
    case 2: return load(t->data, t->len, pos, 2, &i16) && (*out = i16, true);
    case 4: return load(t->data, t->len, pos, 4, &i32) && (*out = i32, true);
    default: return load(t->data, t->len, pos, 8, out);
    }
}

bool
nb_fb_get_table(const nb_fb_table *t, int field, nb_fb_table *out)
{
    uint32_t pos = field_pos(t, field), to;

    *out = (nb_fb_table){0};
    return pos == 0 || (follow(t->data, t->len, pos, &to) && table_at(t->data, t->len, to, out));
}

bool
nb_fb_get_list(const nb_fb_table *t, int field, uint32_t element_size, nb_fb_list *out)
{
    uint32_t pos = field_pos(t, field), to, n;

    *out = (nb_fb_list){0};
    if (pos == 0) {
        return true;
    }
    if (!follow(t->data, t->len, pos, &to) || !load(t->data, t->len, to, 4, &n) ||
        n > (t->len - to - 4) / element_size) {
        return false;
    }
    *out = (nb_fb_list){t->data, t->len, to + 4, n};
    return true;
}

bool
nb_fb_get_string(const nb_fb_table *t, int field, nb_str *out)
{
    nb_fb_list l;

    if (!nb_fb_get_list(t, field, 1, &l)) {
        return false;
    }
    *out = l.n ? (nb_str){(const char *)l.data + l.pos, l.n} : (nb_str){"", 0};
    return true;
}

bool
nb_fb_list_table(const nb_fb_list *l, uint32_t i, nb_fb_table *out)
{
    uint32_t to;

    return follow(l->data, l->len, l->pos + 4 * i, &to) && table_at(l->data, l->len, to, out);
}

int64_t
nb_fb_list_i64(const nb_fb_list *l, uint32_t i, uint32_t per, uint32_t at)
{
    int64_t v;

    memcpy(&v, l->data + l->pos + 8 * ((size_t)i * per + at),
           8); /* inside: checked by nb_fb_get_list */
    return v;
}
