/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrow_import.c: ArrowArray to chunks.
 *
 * Fixed-width columns of a matching layout and the bytes of strings are used where they lie; the chunk keeps the whole array
 * alive through one nb_buffer. Validity is always copied, because a consumer may not read whole words of a bitmap
 * whose padding is unknown. Offsets are checked for order and, where buffer sizes are known (arrays that the IPC reader
 * made), for range, so that no byte of a file can lead outside of it.
 */
#include "column/arrow.h"

#include <ctype.h>
#include <stdlib.h>
#include "column/arrow_internal.h"
#include "column/vector_internal.h"

typedef struct importer {
    nb_arena *arena;
    nb_error *err;
} importer;

/* Rows [from, from+n) of an array, counted from the start of its buffers. */
typedef struct rows {
    const struct ArrowSchema *schema;
    const struct ArrowArray *array;
    int64_t from, n;
    const uint64_t *validity; /* of these rows, our own copy; NULL = none is null */
} rows;

static nb_status
bad(importer *im, const rows *r, const char *what)
{
    const char *name = r->schema->name ? r->schema->name : "";

    return nb_raise(im->err, NB_COND_INVALID_ARROW_DATA, "fieldName", name, "message", what, NULL);
}

/* Buffer i with at least n_bytes bytes. */
static nb_status
buffer_of(importer *im, const rows *r, int i, int64_t n_bytes, const void **out)
{
    const struct ArrowArray *a = r->array;

    if (i >= a->n_buffers) {
        return bad(im, r, "a buffer is missing");
    }
    if (a->release == nb_arrow_sized_release && ((const int64_t *)a->private_data)[i] < n_bytes) {
        return bad(im, r, "a buffer is shorter than its rows need");
    }
    if (a->buffers[i] == NULL && n_bytes > 0) {
        return bad(im, r, "a buffer is NULL");
    }
    *out = a->buffers[i];
    return NB_OK;
}

/* Size of buffer i, or -1 when only the producer knows. */
static int64_t
buffer_size(const rows *r, int i)
{
    return r->array->release == nb_arrow_sized_release
               ? ((const int64_t *)r->array->private_data)[i]
               : -1;
}

static void
copy_bits(const uint8_t *src, int64_t from, int64_t n, uint64_t *out)
{
    uint8_t *dst = (uint8_t *)out;
    int64_t bytes = (n + 7) / 8;
    int shift = (int)(from & 7);

    src += from >> 3;
    if (shift == 0) {
        memcpy(dst, src, (size_t)bytes);
    } else {
        int64_t last = (shift + n + 7) / 8; /* source bytes that hold bits of ours */
        for (int64_t i = 0; i < bytes; i++) {
            unsigned high = i + 1 < last ? src[i + 1] : 0;
            dst[i] = (uint8_t)(src[i] >> shift | high << (8 - shift));
        }
    }
    if (n > 0) {
        size_t w = NB_BITMAP_WORDS(n) - 1;
        out[w] &= nb_bitmap_tail_mask(n, w);
    }
}

static nb_status
import_validity(importer *im, rows *r)
{
    const void *bits;
    uint64_t *own;

    r->validity = NULL;
    if (r->array->null_count == 0 || r->n == 0 || r->array->n_buffers == 0 ||
        r->array->buffers[0] == NULL) {
        return NB_OK;
    }
    NB_TRY(buffer_of(im, r, 0, (r->from + r->n + 7) / 8, &bits));
    own = nb_arena_zalloc(im->arena, NB_BITMAP_BYTES(r->n));
    if (own == NULL) {
        return NB_NOMEM;
    }
    copy_bits(bits, r->from, r->n, own);
    if (nb_bitmap_count(own, r->n) < r->n) {
        r->validity = own;
    }
    return NB_OK;
}

static nb_status
alloc_data(importer *im, const rows *r, size_t width, void *out)
{
    void *p = nb_arena_alloc64(im->arena, (size_t)r->n * width);

    memcpy(out, &p, sizeof(p));
    return p ? NB_OK : NB_NOMEM;
}

/* Rows of `width` bytes that have our layout: shared when aligned. */
static nb_status
import_shared(importer *im, const rows *r, int width, void **data)
{
    const void *src;

    NB_TRY(buffer_of(im, r, 1, (r->from + r->n) * width, &src));
    if (src != NULL && (uintptr_t)src % (unsigned)width == 0) {
        *data = (char *)(uintptr_t)src + r->from * width;
        return NB_OK;
    }
    NB_TRY(alloc_data(im, r, (size_t)width, data));
    if (r->n > 0) {
        memcpy(*data, (const char *)src + r->from * width, (size_t)(r->n * width));
    }
    return NB_OK;
}

static nb_status
import_bool(importer *im, const rows *r, void **data)
{
    const void *src;
    uint8_t *out;

    NB_TRY(buffer_of(im, r, 1, (r->from + r->n + 7) / 8, &src));
    NB_TRY(alloc_data(im, r, 1, &out));
    for (int64_t i = 0; i < r->n; i++) {
        int64_t at = r->from + i;
        out[i] = ((const uint8_t *)src)[at >> 3] >> (at & 7) & 1;
    }
    *data = out;
    return NB_OK;
}

NB_INLINE int64_t
load_int(const char *p, int width, bool is_signed)
{
    union {
        int8_t s1;
        uint8_t u1;
        int16_t s2;
        uint16_t u2;
        int32_t s4;
        uint32_t u4;
        int64_t s8;
    } v;

    switch (width) {
    case 1: memcpy(&v, p, 1); return is_signed ? v.s1 : v.u1;
    case 2: memcpy(&v, p, 2); return is_signed ? v.s2 : v.u2;
    case 4: memcpy(&v, p, 4); return is_signed ? v.s4 : (int64_t)v.u4;
    default: memcpy(&v, p, 8); return v.s8;
    }
}

/* Unsigned integers as the next wider signed type. */
static nb_status
import_unsigned(importer *im, const rows *r, int width, void **data)
{
    const char *src;
    void *out;

    NB_TRY(buffer_of(im, r, 1, (r->from + r->n) * width, (const void **)&src));
    NB_TRY(alloc_data(im, r, (size_t)width * 2, &out));
    src = src ? src + r->from * width : src;
    for (int64_t i = 0; i < r->n; i++) {
        uint64_t v = (uint64_t)load_int(src + i * width, width, false);
        switch (width) {
        case 1: ((int16_t *)out)[i] = (int16_t)v; break;
        case 2: ((int32_t *)out)[i] = (int32_t)v; break;
        case 4: ((int64_t *)out)[i] = (int64_t)v; break;
        default: ((nb_int128 *)out)[i] = (nb_int128)v;
        }
    }
    *data = out;
    return NB_OK;
}

static float
half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    uint32_t bits;
    float f;

    if (exponent == 0) { /* zero and subnormal */
        f = (float)fraction * 0x1p-24f;
        return sign ? -f : f;
    }
    bits = exponent == 31 ? sign | 0x7F800000u | fraction << 13
                          : sign | (exponent + 112) << 23 | fraction << 13;
    memcpy(&f, &bits, 4);
    return f;
}

static nb_status
import_half(importer *im, const rows *r, void **data)
{
    const char *src;
    float *out;

    NB_TRY(buffer_of(im, r, 1, (r->from + r->n) * 2, (const void **)&src));
    NB_TRY(alloc_data(im, r, 4, &out));
    for (int64_t i = 0; i < r->n; i++) {
        out[i] = half_to_float((uint16_t)load_int(src + (r->from + i) * 2, 2, false));
    }
    *data = out;
    return NB_OK;
}

/* 32- or 64-bit numbers times mul, or divided by div towards minus infinity; out has 32 (days) or 64 bits. */
static nb_status
import_scaled(importer *im, const rows *r, int width, int64_t mul, int64_t div, int out_width,
              void **data)
{
    const char *src;
    void *out;

    NB_TRY(buffer_of(im, r, 1, (r->from + r->n) * width, (const void **)&src));
    NB_TRY(alloc_data(im, r, (size_t)out_width, &out));
    src = src ? src + r->from * width : src;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t v = load_int(src + i * width, width, true);
        bool overflow = false;
        if (div > 1) {
            v = v / div - (v % div < 0);
        } else {
            overflow = __builtin_mul_overflow(v, mul, &v);
        }
        overflow |= out_width == 4 && v != (int32_t)v;
        if (overflow) {
            if (nb_is_valid(r->validity, i)) {
                return bad(im, r, "a date or time does not fit into Spark's range");
            }
            v = 0;
        }
        if (out_width == 4) {
            ((int32_t *)out)[i] = (int32_t)v;
        } else {
            ((int64_t *)out)[i] = v;
        }
    }
    *data = out;
    return NB_OK;
}

static nb_status
import_decimal(importer *im, const rows *r, const nb_type *type, void **data)
{
    int precision, scale, bits, width;
    const char *src;
    void *out;

    if (!nb_arrow_parse_decimal(r->schema->format, &precision, &scale, &bits)) {
        return bad(im, r, "not a decimal");
    }
    width = bits / 8;
    NB_TRY(buffer_of(im, r, 1, (r->from + r->n) * width, (const void **)&src));
    if (type->phys == NB_PHYS_INT128 && width == 16) {
        return import_shared(im, r, 16, data);
    }
    NB_TRY(alloc_data(im, r, (size_t)nb_phys_width(type->phys), &out));
    src = src ? src + r->from * width : src;
    for (int64_t i = 0; i < r->n; i++) {
        nb_int128 v;
        bool fits = true;
        if (width <= 8) {
            v = load_int(src + i * width, width, true);
        } else {
            memcpy(&v, src + i * width, 16);
        }
        if (width == 32) {
            nb_int128 high;
            memcpy(&high, src + i * width + 16, 16);
            fits = high == v >> 127;
        }
        if (type->phys == NB_PHYS_INT64) {
            fits = fits && v == (int64_t)v;
        }
        if (!fits && nb_is_valid(r->validity, i)) {
            return bad(im, r, "a decimal has more digits than its type says");
        }
        if (type->phys == NB_PHYS_INT64) {
            ((int64_t *)out)[i] = (int64_t)v;
        } else {
            ((nb_int128 *)out)[i] = v;
        }
    }
    *data = out;
    return NB_OK;
}

/* "tiD": days and milliseconds; "tin": months, days and nanoseconds. */
static nb_status
import_interval(importer *im, const rows *r, void **data)
{
    bool nano = r->schema->format[2] == 'n';
    int width = nano ? 16 : 8;
    const char *src;

    NB_TRY(buffer_of(im, r, 1, (r->from + r->n) * width, (const void **)&src));
    src = src ? src + r->from * width : src;
    if (nano) {
        nb_interval *out;
        NB_TRY(alloc_data(im, r, sizeof(*out), &out));
        for (int64_t i = 0; i < r->n; i++) {
            memcpy(&out[i], src + i * 16, 16);
            out[i].us /= 1000;
        }
        *data = out;
    } else {
        int64_t *out;
        NB_TRY(alloc_data(im, r, sizeof(*out), &out));
        for (int64_t i = 0; i < r->n; i++) {
            nb_int128 us = (nb_int128)load_int(src + i * 8, 4, true) * INT64_C(86400000000) +
                           load_int(src + i * 8 + 4, 4, true) * INT64_C(1000);
            if (us != (int64_t)us && nb_is_valid(r->validity, i)) {
                return bad(im, r, "an interval does not fit into Spark's range");
            }
            out[i] = (int64_t)us;
        }
        *data = out;
    }
    return NB_OK;
}

static nb_status
import_temporal(importer *im, const rows *r, void **data)
{
    static const struct {
        char unit;
        int64_t per_second;
    } units[] = {{'s', 1}, {'m', 1000}, {'u', 1000000}, {'n', 1000000000}};
    const char *f = r->schema->format;
    int64_t unit = 0, target;

    if (f[1] == 'i') {
        return f[2] == 'M' ? import_shared(im, r, 4, data) : import_interval(im, r, data);
    }
    if (f[1] == 'd') {
        return f[2] == 'D' ? import_shared(im, r, 4, data)
                           : import_scaled(im, r, 8, 1, INT64_C(86400000), 4, data);
    }
    for (size_t i = 0; i < NB_COUNT_OF(units); i++) {
        unit = units[i].unit == f[2] ? units[i].per_second : unit;
    }
    target = f[1] == 't' ? 1000000000 : 1000000; /* TIME is in ns, all else in µs */
    if (unit == target) {
        return import_shared(im, r, 8, data);
    }
    return import_scaled(im, r, f[1] == 't' && unit <= 1000 ? 4 : 8,
                         unit < target ? target / unit : 1, unit > target ? unit / target : 1, 8,
                         data);
}

/* --- strings ----------------------------------------------------------------------------------- */

NB_INLINE int64_t
load_offset(const void *offsets, int64_t i, bool wide)
{
    return load_int((const char *)offsets + i * (wide ? 8 : 4), wide ? 8 : 4, true);
}

static nb_status
import_offsets(importer *im, const rows *r, bool wide, nb_view *out)
{
    const void *offsets, *data;
    int64_t size, start, end;

    if (r->n == 0) {
        return NB_OK;
    }
    NB_TRY(buffer_of(im, r, 1, (r->from + r->n + 1) * (wide ? 8 : 4), &offsets));
    NB_TRY(buffer_of(im, r, 2, 0, &data));
    size = buffer_size(r, 2);
    start = load_offset(offsets, r->from, wide);
    if (start < 0) {
        return bad(im, r, "an offset is negative");
    }
    for (int64_t i = 0; i < r->n; i++) {
        end = load_offset(offsets, r->from + i + 1, wide);
        if (end < start || end - start > UINT32_MAX || (size >= 0 && end > size)) {
            return bad(im, r, "offsets are out of order or out of range");
        }
        out[i] = nb_is_valid(r->validity, i)
                     ? nb_view_make((const char *)data + start, (size_t)(end - start))
                     : (nb_view){0};
        start = end;
    }
    return NB_OK;
}

static nb_status
import_views(importer *im, const rows *r, nb_view *out)
{
    const struct ArrowArray *a = r->array;
    int64_t n_data = a->n_buffers - 3;
    const int64_t *sizes;
    const char *views;

    NB_TRY(buffer_of(im, r, 1, (r->from + r->n) * 16, (const void **)&views));
    if (n_data < 0) {
        return bad(im, r, "a buffer is missing");
    }
    NB_TRY(buffer_of(im, r, (int)a->n_buffers - 1, n_data * 8, (const void **)&sizes));
    for (int64_t i = 0; i < r->n; i++) {
        int32_t v[4]; /* length, prefix or first bytes, buffer, offset */
        if (!nb_is_valid(r->validity, i)) {
            out[i] = (nb_view){0};
            continue;
        }
        memcpy(v, views + (r->from + i) * 16, 16);
        if (v[0] < 0) {
            return bad(im, r, "a view has a negative length");
        }
        if (v[0] <= NB_VIEW_INLINE) {
            out[i] = nb_view_make((const char *)&v[1], (size_t)v[0]);
            continue;
        }
        if (v[2] < 0 || v[2] >= n_data || v[3] < 0 || (int64_t)v[3] + v[0] > sizes[v[2]]) {
            return bad(im, r, "a view points outside of its buffer");
        }
        out[i] = nb_view_make((const char *)a->buffers[2 + v[2]] + v[3], (size_t)v[0]);
    }
    return NB_OK;
}

static nb_status
import_fixed_binary(importer *im, const rows *r, nb_view *out)
{
    int64_t width = strtol(r->schema->format + 2, NULL, 10);
    const char *src;

    if (width < 0 || width > INT32_MAX) {
        return bad(im, r, "a width is out of range");
    }
    NB_TRY(buffer_of(im, r, 1, (r->from + r->n) * width, (const void **)&src));
    for (int64_t i = 0; i < r->n; i++) {
        out[i] = nb_is_valid(r->validity, i)
                     ? nb_view_make(src + (r->from + i) * width, (size_t)width)
                     : (nb_view){0};
    }
    return NB_OK;
}

static nb_status
import_string(importer *im, const rows *r, void **data)
{
    const char *f = r->schema->format;
    const void *first;
    nb_view *out;

    /* Whether the rows are there is asked before room is made for them. */
    NB_TRY(buffer_of(im, r, 1, *f == 'w' ? r->n * NB_MIN(strtol(f + 2, NULL, 10), 1) : r->n * 4,
                     &first));
    NB_TRY(alloc_data(im, r, sizeof(*out), &out));
    *data = out;
    if (*f == 'v') {
        return import_views(im, r, out);
    }
    return *f == 'w' ? import_fixed_binary(im, r, out)
                     : import_offsets(im, r, *f == 'U' || *f == 'Z', out);
}

/* --- nested ------------------------------------------------------------------------------------ */

static nb_status
import_column(importer *im, const struct ArrowSchema *schema, const struct ArrowArray *array,
              const nb_type *type, int64_t from, int64_t n, nb_vector *out);

static nb_status
list_rows(importer *im, const rows *r, int64_t child_n, nb_list *out)
{
    const char *f = r->schema->format + 1;
    bool view = *f == 'v', wide = view ? f[1] == 'L' : *f == 'L';
    int64_t width = wide ? 8 : 4, fixed = -1;
    const void *offsets = NULL, *sizes = NULL;

    if (*f == 'w') {
        fixed = strtol(f + 2, NULL, 10);
        if (fixed < 0 || fixed > INT32_MAX) {
            return bad(im, r, "a list length is out of range");
        }
    } else if (r->n > 0) {
        NB_TRY(buffer_of(im, r, 1, (r->from + r->n + !view) * width, &offsets));
        if (view) {
            NB_TRY(buffer_of(im, r, 2, (r->from + r->n) * width, &sizes));
        }
    }
    for (int64_t i = 0; i < r->n; i++) {
        int64_t row = r->from + i, start, len;
        if (fixed >= 0) {
            start = row * fixed;
            len = fixed;
        } else {
            start = load_offset(offsets, row, wide);
            len =
                view ? load_offset(sizes, row, wide) : load_offset(offsets, row + 1, wide) - start;
        }
        if (!nb_is_valid(r->validity, i)) {
            out[i] = (nb_list){0, 0};
            continue;
        }
        if (start < 0 || len < 0 || start > child_n || len > child_n - start) {
            return bad(im, r, "a list points outside of its elements");
        }
        out[i] = (nb_list){(uint32_t)start, (uint32_t)len};
    }
    return NB_OK;
}

static nb_status
check_children(importer *im, const rows *r, int64_t n)
{
    if (r->array->n_children != n || r->schema->n_children != n) {
        return bad(im, r, "the number of children is wrong");
    }
    return NB_OK;
}

static nb_status
import_list(importer *im, const rows *r, const nb_type *type, nb_vector *out)
{
    const struct ArrowArray *child;
    const struct ArrowSchema *schema;
    const void *first;
    nb_list *lists;

    NB_TRY(check_children(im, r, 1));
    child = r->array->children[0];
    schema = r->schema->children[0];
    if (r->schema->format[1] != 'w') {
        NB_TRY(buffer_of(im, r, 1, r->n * 4, &first));
    }
    NB_TRY(alloc_data(im, r, sizeof(*lists), &lists));
    NB_TRY(list_rows(im, r, child->length, lists));
    out->data = lists;
    out->n_children = type->n_children;
    out->children = NB_ARENA_ARRAY(im->arena, nb_vector, out->n_children);
    if (out->children == NULL) {
        return NB_NOMEM;
    }
    if (type->id == NB_TYPE_ARRAY) {
        return import_column(im, schema, child, type->children[0].type, 0, child->length,
                             &out->children[0]);
    }
    if (child->n_children != 2 || schema->n_children != 2 || child->offset < 0) {
        return bad(im, r, "map entries are not pairs");
    }
    for (int i = 0; i < 2; i++) {
        NB_TRY(import_column(im, schema->children[i], child->children[i], type->children[i].type,
                             child->offset, child->length, &out->children[i]));
    }
    return NB_OK;
}

static nb_status
import_struct(importer *im, const rows *r, const nb_type *type, nb_vector *out)
{
    NB_TRY(check_children(im, r, type->n_children));
    out->n_children = type->n_children;
    out->children = NB_ARENA_ARRAY(im->arena, nb_vector, out->n_children);
    if (out->children == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < out->n_children; i++) {
        NB_TRY(import_column(im, r->schema->children[i], r->array->children[i],
                             type->children[i].type, r->from, r->n, &out->children[i]));
    }
    return NB_OK;
}

/* A null index becomes an entry that is null. */
static nb_status
import_dictionary(importer *im, const rows *r, const nb_type *type, nb_vector *out)
{
    const struct ArrowArray *entries = r->array->dictionary;
    const char *at = strchr("cCsSiIlL", *r->schema->format), *src;
    nb_vector *dict = NB_ARENA_NEW(im->arena, nb_vector), flat;
    uint32_t *indices;
    int width;

    if (entries == NULL || at == NULL || *at == '\0') {
        return bad(im, r, "a dictionary is missing or its indices are no integers");
    }
    if (dict == NULL) {
        return NB_NOMEM;
    }
    width = 1 << (at - "cCsSiIlL") / 2;
    NB_TRY(buffer_of(im, r, 1, (r->from + r->n) * width, (const void **)&src));
    NB_TRY(alloc_data(im, r, sizeof(*indices), &indices));
    NB_TRY(import_column(im, r->schema->dictionary, entries, type, 0, entries->length, &flat));
    NB_TRY(nb_vector_flatten(im->arena, &flat, dict));
    for (int64_t i = 0; i < r->n; i++) {
        int64_t v = load_int(src + (r->from + i) * width, width, islower((unsigned char)*at));
        if (!nb_is_valid(r->validity, i)) {
            v = dict->n_rows;
        } else if (v < 0 || v >= dict->n_rows) {
            return bad(im, r, "a dictionary index is out of range");
        }
        indices[i] = (uint32_t)v;
    }
    if (r->validity != NULL) {
        int64_t n = dict->n_rows;
        uint32_t *all = NB_ARENA_ARRAY(im->arena, uint32_t, n + 1);
        if (all == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < n; i++) {
            all[i] = (uint32_t)i;
        }
        all[n] = UINT32_MAX;
        NB_TRY(nb_vector_gather_null(im->arena, dict, all, n + 1, &flat));
        *dict = flat;
    }
    nb_vector_init(out, type, NB_VEC_DICT, r->n);
    out->indices = indices;
    out->dict = dict;
    out->dict_id = nb_dict_next_id();
    return NB_OK;
}

static nb_status
import_data(importer *im, const rows *r, const nb_type *type, nb_vector *out)
{
    const char *f = r->schema->format;

    if (type->phys == NB_PHYS_STRING) {
        return import_string(im, r, &out->data);
    }
    switch (*f) {
    case '+':
        return type->id == NB_TYPE_STRUCT ? import_struct(im, r, type, out)
                                          : import_list(im, r, type, out);
    case 'b': return import_bool(im, r, &out->data);
    case 'C': return import_unsigned(im, r, 1, &out->data);
    case 'S': return import_unsigned(im, r, 2, &out->data);
    case 'I': return import_unsigned(im, r, 4, &out->data);
    case 'L': return import_unsigned(im, r, 8, &out->data);
    case 'e': return import_half(im, r, &out->data);
    case 'd': return import_decimal(im, r, type, &out->data);
    case 't': return import_temporal(im, r, &out->data);
    default: return import_shared(im, r, nb_phys_width(type->phys), &out->data);
    }
}

/* type is what nb_arrow_import_type made of the schema; from counts from the array's own offset. */
static nb_status
import_column(importer *im, const struct ArrowSchema *schema, const struct ArrowArray *array,
              const nb_type *type, int64_t from, int64_t n, nb_vector *out)
{
    rows r = {.schema = schema, .array = array, .n = n};
    nb_vector v;

    if (n < 0 || from < 0 || array->offset < 0 || array->length < 0 || from > array->length ||
        n > array->length - from || array->offset > INT64_MAX / 64 - array->length) {
        return bad(im, &r, "lengths do not agree");
    }
    if (n > INT32_MAX) {
        return bad(im, &r, "one array has more than 2^31 rows");
    }
    r.from = array->offset + from;
    nb_vector_init(&v, type, NB_VEC_FLAT, n);
    if (type->id != NB_TYPE_NULL) {
        NB_TRY(import_validity(im, &r));
        if (schema->dictionary != NULL) {
            NB_TRY(import_dictionary(im, &r, type, &v));
        } else {
            v.validity = (uint64_t *)(uintptr_t)r.validity;
            NB_TRY(import_data(im, &r, type, &v));
        }
    }
    *out = v;
    return NB_OK;
}

/* --- chunks and streams ------------------------------------------------------------------------ */

typedef struct holder {
    struct ArrowArray array;
    nb_pool *pool;
} holder;

static void
holder_release(void *payload)
{
    holder *h = payload;

    h->array.release(&h->array);
    nb_pool_dealloc(h->pool, h, sizeof(*h));
}

nb_status
nb_arrow_import_chunk(nb_pool *pool, const struct ArrowSchema *schema, const nb_type *type,
                      struct ArrowArray *array, nb_chunk **out, nb_error *err)
{
    rows top = {.schema = schema, .array = array};
    holder *h = NULL;
    nb_buffer *keep = NULL;
    nb_chunk *chunk = NULL;
    importer im = {.err = err};
    nb_status st = NB_NOMEM;

    h = nb_pool_alloc(pool, sizeof(*h));
    if (h == NULL || nb_buffer_wrap(NULL, 0, holder_release, h, &keep) < 0) {
        nb_pool_dealloc(pool, h, h ? sizeof(*h) : 0);
        array->release(array);
        return NB_NOMEM;
    }
    *h = (holder){*array, pool};
    array->release = NULL; /* moved */
    top.array = &h->array;
    if (type->id != NB_TYPE_STRUCT || schema->dictionary != NULL) {
        st = bad(&im, &top, "not a table: the top level is not a struct");
        goto done;
    }
    if (h->array.n_children != type->n_children || schema->n_children != type->n_children) {
        st = bad(&im, &top, "the number of columns is wrong");
        goto done;
    }
    if (h->array.length < 0 || h->array.length > INT32_MAX) {
        st = bad(&im, &top, "one array has more than 2^31 rows");
        goto done;
    }
    NB_TRY_GOTO(st, nb_chunk_new(pool, type->n_children, &chunk), done);
    NB_TRY_GOTO(st, nb_chunk_keep(chunk, keep), done);
    im.arena = chunk->arena;
    chunk->n_rows = h->array.length;
    for (int i = 0; i < type->n_children; i++) {
        NB_TRY_GOTO(st,
                    import_column(&im, schema->children[i], h->array.children[i],
                                  type->children[i].type, h->array.offset, h->array.length,
                                  &chunk->cols[i]),
                    done);
    }
    *out = chunk;
    chunk = NULL;
    st = NB_OK;
done:
    nb_chunk_free(chunk);
    nb_buffer_release(keep);
    return st;
}

static nb_status
stream_failed(struct ArrowArrayStream *stream, nb_error *err)
{
    const char *text = stream->get_last_error ? stream->get_last_error(stream) : NULL;

    return nb_raise(err, NB_COND_INVALID_ARROW_DATA, "fieldName", "", "message",
                    text ? text : "the producer failed", NULL);
}

nb_status
nb_arrow_import_stream(nb_pool *pool, struct ArrowArrayStream *stream,
                       const nb_arrow_import_options *options, nb_table **out, nb_error *err)
{
    struct ArrowSchema schema = {0};
    const nb_type *type;
    nb_table *table = NULL;
    nb_status st;

    if (stream->get_schema(stream, &schema) != 0) {
        st = stream_failed(stream, err);
        goto done;
    }
    NB_TRY_GOTO(st, nb_arrow_import_type(&schema, options, &type, err), done);
    NB_TRY_GOTO(st, nb_table_new(pool, type, &table), done);
    for (;;) {
        struct ArrowArray array = {0};
        nb_chunk *chunk;
        if (stream->get_next(stream, &array) != 0) {
            st = stream_failed(stream, err);
            goto done;
        }
        if (array.release == NULL) {
            break;
        }
        NB_TRY_GOTO(st, nb_arrow_import_chunk(pool, &schema, type, &array, &chunk, err), done);
        chunk->order = (uint64_t)table->n_chunks;
        if (chunk->n_rows == 0 || (st = nb_table_append(table, chunk)) < 0) {
            nb_chunk_free(chunk);
        }
        if (st < 0) {
            goto done;
        }
    }
    *out = table;
    table = NULL;
done:
    nb_table_release(table);
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    stream->release(stream);
    return st;
}

void
nb_arrow_sized_release(struct ArrowArray *array)
{
    array->release = NULL;
}
