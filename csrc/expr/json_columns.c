/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_columns.c: growing columns of one type, a reader per kind of value.
 *
 * A struct remembers the names of the record before, wanted or not, and which of its fields they are: records name their fields in the same order
 * nearly always, so the next name is compared where it stands, with one name only.
 */
#include "expr/json_columns_internal.h"

#include <math.h>

#include "expr/cast.h"
#include "expr/date_text.h"
#include "expr/number_text.h"

/* Names of a record that are remembered, at most. */
#define MOST_NAMES 128
/* Rows that a column has room for at first, where there may be many columns. */
#define FIRST_ROWS 64
#define NARROW     64 /* a struct of so many fields has room for all rows that are expected */

typedef nb_json_column column;
typedef nb_json_columns reader;

static nb_status
column_init(nb_arena *arena, const nb_type *t, int first_rows, column *c)
{
    *c = (column){.type = t, .first_rows = first_rows, .width = nb_phys_width(t->phys)};
    if (t->id == NB_TYPE_ARRAY || t->id == NB_TYPE_MAP || t->id == NB_TYPE_STRUCT) {
        c->n_children = t->n_children;
        c->children = NB_ARENA_ARRAY(arena, column, NB_MAX(t->n_children, 1));
        if (c->children == NULL) {
            return NB_NOMEM;
        }
        for (int i = 0; i < t->n_children; i++) {
            int rows = t->id == NB_TYPE_STRUCT && t->n_children <= NARROW ? first_rows : FIRST_ROWS;
            NB_TRY(column_init(arena, t->children[i].type, rows, &c->children[i]));
        }
    }
    return NB_OK;
}

bool
nb_json_column_grow(reader *r, column *c)
{
    int64_t cap = c->cap ? c->cap * 2 : c->first_rows;
    char *data = nb_arena_alloc64(r->ctx->arena, (size_t)cap * (size_t)NB_MAX(c->width, 1));
    uint8_t *valid = nb_arena_alloc(r->ctx->arena, (size_t)cap);

    if (data == NULL || valid == NULL) {
        r->nomem = true;
        return false;
    }
    if (c->n) {
        memcpy(data, c->data, (size_t)c->n * (size_t)c->width);
        memcpy(valid, c->valid, (size_t)c->n);
    }
    c->data = data;
    c->valid = valid;
    c->cap = cap;
    return true;
}

/* Adds a null row; the caller may fill it. */
static int64_t
add_row(reader *r, column *c)
{
    if (c->n == c->cap && !nb_json_column_grow(r, c)) {
        return -1;
    }
    if (c->width == 8) { /* of a constant size: no call */
        memset(c->data + c->n * 8, 0, 8);
    } else if (c->width == 16) {
        memset(c->data + c->n * 16, 0, 16);
    } else {
        memset(c->data + c->n * c->width, 0, (size_t)c->width);
    }
    c->valid[c->n] = 0;
    return c->n++;
}

/* A null row, with null children where the layout wants them. */
void
nb_json_column_add_null(reader *r, column *c)
{
    add_row(r, c);
    if (c->type->id == NB_TYPE_STRUCT) {
        for (int i = 0; i < c->n_children && !r->nomem; i++) {
            nb_json_column_add_null(r, &c->children[i]);
        }
    }
}

static bool
lies_in(const nb_strbuf *b, nb_str s)
{
    return b->data != NULL && s.data >= b->data && s.data <= b->data + b->len;
}

static void
set_text(reader *r, column *c, int64_t row, nb_str s)
{
    char *p;

    if (r->how->text_stays && !lies_in(&r->text, s) && !lies_in(&r->name, s)) {
        ((nb_view *)(void *)c->data)[row] = nb_view_make(s.data, s.len);
        c->valid[row] = 1;
        return;
    }
    p = nb_text_room(&r->w, s.len);
    if (p == NULL) {
        r->nomem = true;
        return;
    }
    memcpy(p, s.data, s.len);
    ((nb_view *)(void *)c->data)[row] = nb_text_done(&r->w, s.len);
    c->valid[row] = 1;
}

static bool
set_number(column *c, int64_t row, nb_json_kind kind, nb_str s)
{
    int64_t x = 0;
    double d = 0;
    void *at = c->data + row * c->width;

    if (c->type->id == NB_TYPE_FLOAT32 || c->type->id == NB_TYPE_FLOAT64) {
        if (!nb_parse_double(s.data, s.len, &d)) {
            return false;
        }
        if (c->type->id == NB_TYPE_FLOAT32) {
            float f = (float)d;
            memcpy(at, &f, 4);
        } else {
            memcpy(at, &d, 8);
        }
        return true;
    }
    if (kind != NB_JSON_INT || !nb_str_to_int64(s, &x)) {
        return false;
    }
    switch (c->type->id) {
    case NB_TYPE_INT8: *(int8_t *)at = (int8_t)x; return x == (int8_t)x;
    case NB_TYPE_INT16: memcpy(at, &(int16_t){(int16_t)x}, 2); return x == (int16_t)x;
    case NB_TYPE_INT32: memcpy(at, &(int32_t){(int32_t)x}, 4); return x == (int32_t)x;
    default: memcpy(at, &x, 8); return true;
    }
}

/* Dates, times, decimals and the like by the try cast of one string. */
static bool
set_by_cast(reader *r, column *c, int64_t row, nb_str s)
{
    nb_view view = nb_view_make(s.data, s.len);
    nb_vector one = {.type = nb_type_of(NB_TYPE_STRING),
                     .kind = NB_VEC_FLAT,
                     .n_rows = 1,
                     .data = &view},
              out;

    if (nb_cast_vector(r->ctx, &one, c->type, NB_CAST_TRY, &out) < 0 ||
        nb_vector_is_null(&out, 0)) {
        return false;
    }
    memcpy(c->data + row * c->width, out.data, (size_t)c->width);
    return true;
}

/* A decimal in quotes, as its locale writes it. */
static bool
set_decimal_text(reader *r, column *c, int64_t row, nb_str s)
{
    const nb_locale *l = r->how->locale ? r->how->locale : nb_locale_default();
    char plain[512];

    return nb_locale_decimal(l, s, plain, sizeof plain, &s) && set_by_cast(r, c, row, s);
}

/* Dates and times by the patterns of the options; as CAST does where there is none. */
static bool
set_datetime(reader *r, column *c, int64_t row, nb_str s)
{
    const nb_datetime_format *f = c->type->id == NB_TYPE_DATE        ? r->how->date
                                  : c->type->id == NB_TYPE_TIMESTAMP ? r->how->timestamp
                                                                     : r->how->timestamp_ntz;
    void *at = c->data + row * c->width;
    nb_zone_cursor cursor = {.zone = r->how->zone ? r->how->zone : nb_zone_utc()};
    nb_datetime_parsed p;
    int64_t us;

    if (f == NULL) {
        return (c->type->id == NB_TYPE_DATE && nb_parse_iso_date(s.data, s.len, at)) ||
               set_by_cast(r, c, row, s);
    }
    if (!nb_datetime_format_parse(f, s, &p)) {
        return false;
    }
    if (c->type->id == NB_TYPE_DATE) {
        memcpy(at, &p.days, sizeof(p.days));
        return true;
    }
    if (c->type->id == NB_TYPE_TIMESTAMP) {
        us = nb_datetime_parsed_utc(&p, &cursor);
    } else if (p.has_zone) {
        return false;
    } else {
        us = (int64_t)p.days * NB_US_PER_DAY + p.time_us;
    }
    memcpy(at, &us, sizeof(us));
    return true;
}

static void
skip(reader *r, nb_json *j)
{
    r->malformed |= !nb_json_skip(j);
}

/* Takes back the rows of a struct's children beyond n, for a name that comes again. */
static void
forget_last(column *c)
{
    c->n--;
    if (c->type->id == NB_TYPE_STRUCT) {
        for (int i = 0; i < c->n_children; i++) {
            forget_last(&c->children[i]);
        }
    }
}

/* The field of that name; n_children when there is none. *next is the place of the name behind it in the order of the record before. */
static int
field_of(reader *r, column *c, nb_str name, int *next)
{
    int k = 0, at = 0;

    while (at < c->n_names && !nb_str_equal(c->names[at].name, name)) {
        at++;
    }
    *next = at + 1;
    if (at < c->n_names) {
        return c->names[at].field;
    }
    while (k < c->n_children && !nb_str_equal(c->type->children[k].name, name)) {
        k++;
    }
    if (c->names == NULL) {
        c->names = NB_ARENA_ARRAY(r->ctx->arena, nb_json_known_name, MOST_NAMES);
    }
    if (c->names != NULL && c->n_names < MOST_NAMES) {
        nb_str copy = nb_arena_str(r->ctx->arena, name);
        if (copy.data != NULL) {
            c->names[c->n_names++] = (nb_json_known_name){copy, k, nb_json_name_is_plain(copy)};
        }
    }
    return k;
}

static void
read_struct(reader *r, nb_json *j, column *c)
{
    int64_t row = add_row(r, c);
    bool first = true, bad = false;
    int next = 0;

    if (row < 0 || !nb_json_enter(j)) {
        r->malformed = true;
    }
    while (!r->malformed && !r->nomem && nb_json_more(j, '}', &first, &bad)) {
        nb_str name;
        int k;
        if (next < c->n_names && c->names[next].plain && nb_json_name_is(j, c->names[next].name)) {
            k = c->names[next++].field;
        } else if (nb_json_name_at(j, &r->name, &name)) {
            k = field_of(r, c, name, &next);
        } else {
            r->malformed = true;
            break;
        }
        if (k == c->n_children) {
            skip(r, j);
            continue;
        }
        if (c->children[k].n > row) {
            forget_last(&c->children[k]);
        }
        nb_json_column_read(r, j, &c->children[k]);
    }
    r->malformed |= bad;
    for (int k = 0; k < c->n_children && row >= 0 && !r->nomem; k++) {
        if (c->children[k].n <= row) {
            nb_json_column_add_null(r, &c->children[k]);
        }
    }
    r->failed = false;
    if (row >= 0) {
        c->valid[row] = 1;
    }
}

static void
read_list(reader *r, nb_json *j, column *c)
{
    int64_t row = add_row(r, c);
    bool map = c->type->id == NB_TYPE_MAP, first = true, bad = false, failed = false;
    nb_list l;

    if (row < 0 || !nb_json_enter(j)) {
        r->malformed = true;
        return;
    }
    l = (nb_list){(uint32_t)c->children[0].n, 0};
    while (!r->malformed && !r->nomem && nb_json_more(j, map ? '}' : ']', &first, &bad)) {
        if (map) {
            int64_t key = add_row(r, &c->children[0]);
            nb_str name;
            if (key < 0 || !nb_json_name_at(j, &r->name, &name)) {
                r->malformed = true;
                break;
            }
            set_text(r, &c->children[0], key, name);
        }
        r->failed = false;
        nb_json_column_read(r, j, &c->children[map]);
        failed |= r->failed;
        l.len++;
    }
    while (map && !r->nomem && c->children[1].n < c->children[0].n) {
        nb_json_column_add_null(r, &c->children[1]); /* of a key whose value cannot be read */
    }
    r->malformed |= bad;
    r->failed = failed;
    ((nb_list *)(void *)c->data)[row] = l;
    c->valid[row] = !failed;
}

static void
set_base64(reader *r, column *c, int64_t row, nb_str s)
{
    char *p = nb_text_room(&r->w, s.len + 4);
    bool clean;
    size_t n;

    if (p == NULL) {
        r->nomem = true;
        return;
    }
    n = nb_base64_decode(s, p, &clean);
    if (clean) {
        ((nb_view *)(void *)c->data)[row] = nb_text_done(&r->w, n);
        c->valid[row] = 1;
    }
}

/* Notes whether a value is not of its type. */
static void
miss(reader *r, bool misfit)
{
    r->misfit |= misfit;
    r->failed = misfit;
}

static void
read_text(reader *r, nb_json *j, column *c)
{
    int64_t row = add_row(r, c);
    nb_str s;

    r->text.len = 0;
    if (row < 0 || !nb_json_string_at(j, &r->text, &s)) {
        r->malformed = true;
        return;
    }
    switch (c->type->id) {
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR: set_text(r, c, row, s); break;
    case NB_TYPE_FLOAT32:
    case NB_TYPE_FLOAT64:
        c->valid[row] = (nb_str_equal(s, NB_STR("NaN")) || nb_str_equal(s, NB_STR("Infinity")) ||
                         nb_str_equal(s, NB_STR("+INF")) || nb_str_equal(s, NB_STR("-INF")) ||
                         nb_str_equal(s, NB_STR("INF")) || nb_str_equal(s, NB_STR("-Infinity"))) &&
                        set_number(c, row, NB_JSON_FLOAT, s);
        break;
    case NB_TYPE_BINARY: set_base64(r, c, row, s); break;
    case NB_TYPE_DECIMAL: c->valid[row] = set_decimal_text(r, c, row, s); break;
    case NB_TYPE_DATE:
    case NB_TYPE_TIMESTAMP:
    case NB_TYPE_TIMESTAMP_NTZ: c->valid[row] = set_datetime(r, c, row, s); break;
    default: break;
    }
    miss(r, !c->valid[row]);
}

static void
read_scalar(reader *r, nb_json *j, column *c, nb_json_kind kind)
{
    int64_t row = add_row(r, c);
    const char *from = j->p;
    nb_str number;

    if (row < 0) {
        return;
    }
    if (kind == NB_JSON_TRUE || kind == NB_JSON_FALSE) {
        r->malformed |= !nb_json_word(j, kind == NB_JSON_TRUE ? "true" : "false");
        if (c->type->id == NB_TYPE_BOOL) {
            c->data[row] = kind == NB_JSON_TRUE;
            c->valid[row] = 1;
        }
    } else {
        kind = nb_json_number(j, &number);
        if (kind == NB_JSON_BAD) {
            r->malformed = true;
            return;
        }
        if (c->type->id == NB_TYPE_DECIMAL) {
            c->valid[row] = set_by_cast(r, c, row, number);
        } else if (c->type->id == NB_TYPE_TIMESTAMP) {
            int64_t s;
            c->valid[row] = kind == NB_JSON_INT && nb_str_to_int64(number, &s) &&
                            !__builtin_mul_overflow(s, 1000000, (int64_t *)(void *)c->data + row);
        } else if (nb_type_is_numeric(c->type)) {
            c->valid[row] = set_number(c, row, kind, number);
        }
    }
    if (nb_type_is_string(c->type)) {
        set_text(r, c, row, (nb_str){from, (size_t)(j->p - from)});
    }
    miss(r, !c->valid[row]);
}

void
nb_json_column_read(reader *r, nb_json *j, column *c)
{
    nb_json_kind kind = nb_json_peek(j);
    nb_type_id t = c->type->id;

    if (kind == NB_JSON_BAD || r->nomem) {
        r->malformed = true;
    } else if (kind == NB_JSON_NULL) {
        r->malformed |= !nb_json_word(j, "null");
        nb_json_column_add_null(r, c);
    } else if (kind == NB_JSON_OBJECT && t == NB_TYPE_STRUCT) {
        read_struct(r, j, c);
    } else if ((kind == NB_JSON_OBJECT && t == NB_TYPE_MAP) ||
               (kind == NB_JSON_ARRAY && t == NB_TYPE_ARRAY)) {
        read_list(r, j, c);
    } else if ((kind == NB_JSON_OBJECT || kind == NB_JSON_ARRAY) && nb_type_is_string(c->type)) {
        int64_t row = add_row(r, c);
        const char *from = j->p;
        r->text.len = 0;
        r->malformed |= r->how->exact_text ? !nb_json_skip(j) : !nb_json_copy(j, &r->text);
        if (row >= 0) {
            set_text(r, c, row,
                     r->how->exact_text ? (nb_str){from, (size_t)(j->p - from)}
                                        : nb_strbuf_str(&r->text));
        }
    } else if (kind == NB_JSON_OBJECT || kind == NB_JSON_ARRAY || t == NB_TYPE_STRUCT ||
               t == NB_TYPE_MAP || t == NB_TYPE_ARRAY) {
        skip(r, j);
        nb_json_column_add_null(r, c);
        miss(r, true);
    } else if (kind == NB_JSON_STRING) {
        read_text(r, j, c);
    } else {
        read_scalar(r, j, c, kind);
    }
}

void
nb_json_column_cut(column *c, int64_t n)
{
    c->n = NB_MIN(c->n, n);
    if (c->type->id == NB_TYPE_STRUCT) {
        for (int i = 0; i < c->n_children; i++) {
            nb_json_column_cut(&c->children[i], n);
        }
    }
}

/* The column becomes a vector, which takes over its data. */
static nb_status
to_vector(nb_arena *arena, const column *c, nb_vector *out)
{
    uint64_t *bits = nb_arena_alloc64(arena, NB_BITMAP_BYTES(c->n));

    *out = (nb_vector){.type = c->type,
                       .kind = NB_VEC_FLAT,
                       .n_rows = (int32_t)c->n,
                       .data = c->data,
                       .n_children = c->n_children};
    if (c->width == 0) {
        out->data = NULL;
    } else if (c->data == NULL) {
        out->data = nb_arena_alloc64(arena, 0);
    }
    if (bits == NULL || (c->width > 0 && out->data == NULL)) {
        return NB_NOMEM;
    }
    nb_bitmap_from_bytes(c->valid, c->n, bits);
    if (nb_bitmap_count(bits, c->n) < c->n) {
        out->validity = bits;
    }
    if (c->n_children > 0) {
        out->children = NB_ARENA_ARRAY(arena, nb_vector, c->n_children);
        if (out->children == NULL) {
            return NB_NOMEM;
        }
    }
    for (int i = 0; i < c->n_children; i++) {
        NB_TRY(to_vector(arena, &c->children[i], &out->children[i]));
    }
    return NB_OK;
}

nb_status
nb_json_columns_new(nb_kernel_ctx *ctx, const nb_type *type, const nb_json_reading *how,
                    int64_t n_rows, nb_json_columns **out)
{
    nb_json_columns *r = NB_ARENA_NEW(ctx->arena, nb_json_columns);

    if (r == NULL) {
        return NB_NOMEM;
    }
    r->ctx = ctx;
    r->how = how;
    r->w.arena = ctx->arena;
    NB_TRY(column_init(ctx->arena, type, (int)NB_MIN(NB_MAX(n_rows, 1), NB_BATCH_ROWS), &r->root));
    *out = r;
    return NB_OK;
}

int64_t
nb_json_columns_rows(const nb_json_columns *r)
{
    return r->root.n;
}

void
nb_json_columns_add_null(nb_json_columns *r)
{
    nb_json_column_add_null(r, &r->root);
}

/* A struct of nulls, where a record of that type was wanted. */
static void
add_empty(reader *r)
{
    int64_t row = r->root.n;

    nb_json_column_add_null(r, &r->root);
    if (r->root.type->id == NB_TYPE_STRUCT && r->root.n > row) {
        r->root.valid[row] = 1;
    }
}

nb_json_fit
nb_json_columns_add(nb_json_columns *r, nb_json *j)
{
    column *c = &r->root;
    int64_t row = c->n;
    const nb_type *t = c->type;
    nb_json_kind kind;

    r->malformed = r->misfit = r->failed = false;
    j->rules = r->how->rules;
    j->max_depth = r->how->max_depth;
    kind = nb_json_peek(j);
    if (t->id == NB_TYPE_ARRAY && kind == NB_JSON_OBJECT &&
        c->children[0].type->id == NB_TYPE_STRUCT) {
        /* One object for an array of structs is an array of it. */
        if (add_row(r, c) >= 0) {
            ((nb_list *)(void *)c->data)[row] = (nb_list){(uint32_t)c->children[0].n, 1};
            c->valid[row] = 1;
            nb_json_column_read(r, j, &c->children[0]);
        }
    } else if (t->id == NB_TYPE_STRUCT && kind != NB_JSON_OBJECT) {
        r->malformed = true;
    } else {
        nb_json_column_read(r, j, c);
    }
    r->nomem |= r->name.failed | r->text.failed;
    if (r->malformed) {
        nb_json_column_cut(c, row);
        add_empty(r);
        return NB_JSON_MALFORMED;
    }
    return r->misfit ? NB_JSON_MISFIT : NB_JSON_FITS;
}

nb_status
nb_json_columns_finish(nb_json_columns *r, nb_vector *out)
{
    nb_status st = r->nomem ? NB_NOMEM : to_vector(r->ctx->arena, &r->root, out);

    nb_strbuf_free(&r->name);
    nb_strbuf_free(&r->text);
    return st;
}
