/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_image.c: keys to words and back.
 */
#include "exec/key_image.h"

#include <math.h>
#include "exec/value_codec.h"

/* ---- layout ---------------------------------------------------------------------------------- */

static int
image_width(nb_phys phys)
{
    switch (phys) {
    case NB_PHYS_STRING:
    case NB_PHYS_LIST:
    case NB_PHYS_STRUCT: return sizeof(nb_view);
    default: return nb_phys_width(phys);
    }
}

static bool
is_view(nb_phys phys)
{
    return phys == NB_PHYS_STRING || phys == NB_PHYS_LIST || phys == NB_PHYS_STRUCT;
}

/* Places the columns [from, to): the wide ones first, so that nothing needs padding before the null bits. */
static int
place_section(nb_key_layout *l, int from, int to, int offset, nb_key_section *s)
{
    int at = offset, n_fixed = 0;

    *s = (nb_key_section){.offset = offset};
    for (int width = 16; width >= 0; width = width > 1 ? width / 2 : width - 1) {
        for (int c = from; c < to; c++) {
            if (l->cols[c].null_bit != -1 && l->cols[c].width == width) {
                l->cols[c].offset = at;
                at += width;
                n_fixed++;
            }
        }
    }
    for (int c = from, bit = 0; c < to; c++) {
        if (l->cols[c].null_bit != -1) {
            l->cols[c].null_bit = at * 8 + bit++;
        }
    }
    at = (int)NB_ALIGN_UP((size_t)at + ((size_t)n_fixed + 7) / 8, 8);
    s->n_fixed = (at - offset) / 8;
    for (int c = from; c < to; c++) {
        if (l->cols[c].null_bit == -1) {
            l->cols[c].offset = at;
            at += (int)sizeof(nb_view);
            s->n_views++;
        }
    }
    return at;
}

nb_status
nb_key_layout_init(nb_arena *arena, const nb_type *const *types, int n, int n_first,
                   nb_key_layout *out)
{
    *out = (nb_key_layout){.n_cols = n, .n_sections = n_first < n ? 2 : 1};
    out->cols = NB_ARENA_ARRAY(arena, nb_key_col, n);
    if (out->cols == NULL) {
        return NB_NOMEM;
    }
    for (int c = 0; c < n; c++) {
        nb_phys phys = nb_type_storage(types[c])->phys;

        out->cols[c] = (nb_key_col){
            .type = types[c],
            .phys = phys,
            .width = image_width(phys),
            .null_bit = is_view(phys) ? -1 : 0,
            .nested = phys == NB_PHYS_LIST || phys == NB_PHYS_STRUCT,
        };
    }
    out->n_bytes = place_section(out, 0, n_first, 0, &out->sections[0]);
    if (out->n_sections == 2) {
        out->n_bytes = place_section(out, n_first, n, out->n_bytes, &out->sections[1]);
    }
    return NB_OK;
}

/* ---- encoding -------------------------------------------------------------------------------- */

#define REHASH          0x9e3779b97f4a7c15u

#define NB_T            uint8_t
#define NB_NAME(f)      w1_##f
#define NB_CANONICAL(x) (x)
#include "exec/key_image_tmpl.h"
#define NB_T            uint16_t
#define NB_NAME(f)      w2_##f
#define NB_CANONICAL(x) (x)
#include "exec/key_image_tmpl.h"
#define NB_T            uint32_t
#define NB_NAME(f)      w4_##f
#define NB_CANONICAL(x) (x)
#include "exec/key_image_tmpl.h"
#define NB_T            uint64_t
#define NB_NAME(f)      w8_##f
#define NB_CANONICAL(x) (x)
#include "exec/key_image_tmpl.h"
#define NB_T            nb_uint128
#define NB_NAME(f)      w16_##f
#define NB_CANONICAL(x) (x)
#include "exec/key_image_tmpl.h"
#define NB_T            float
#define NB_NAME(f)      float_##f
#define NB_CANONICAL(x) ((x) != (x) ? (float)NAN : (x) + 0.0f)
#include "exec/key_image_tmpl.h"
#define NB_T            double
#define NB_NAME(f)      double_##f
#define NB_CANONICAL(x) ((x) != (x) ? (double)NAN : (x) + 0.0)
#include "exec/key_image_tmpl.h"

static void
put_null_bits(const nb_key_col *col, const uint64_t *validity, const uint32_t *idx, int64_t n,
              uint8_t *out, int stride)
{
    uint8_t *at = out + col->null_bit / 8;
    uint8_t bit = (uint8_t)(1u << (col->null_bit & 7));

    for (int64_t i = 0; i < n; i++) {
        if (!nb_bit_get(validity, idx ? idx[i] : i)) {
            at[i * stride] |= bit;
            memset(out + i * stride + col->offset, 0, (size_t)col->width);
        }
    }
}

static void
put_views(const nb_key_col *col, const nb_vector *flat, const uint32_t *idx, int64_t n,
          uint8_t *out, int stride)
{
    const nb_view *views = flat->data;
    const nb_view null_view = {.len = NB_NULL_VIEW};

    out += col->offset;
    if (flat->validity == NULL) {
        for (int64_t i = 0; i < n; i++) {
            memcpy(out + i * stride, &views[idx ? idx[i] : i], sizeof(nb_view));
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t row = idx ? idx[i] : i;
        bool valid = nb_bit_get(flat->validity, row);
        memcpy(out + i * stride, valid ? &views[row] : &null_view, sizeof(nb_view));
    }
}

static nb_status
put_nested(const nb_key_col *col, const nb_vector *v, const uint32_t *idx, int64_t n,
           nb_arena *scratch, uint8_t *out, int stride)
{
    nb_strbuf bytes = {0};

    for (int64_t i = 0; i < n; i++) {
        int64_t row = idx ? idx[i] : i;
        nb_view view = {.len = NB_NULL_VIEW};

        if (!nb_vector_is_null(v, row)) {
            nb_str kept;

            bytes.len = 0;
            nb_value_encode(v, row, &bytes);
            kept = nb_arena_str(scratch, nb_strbuf_str(&bytes));
            if (bytes.failed || kept.data == NULL) {
                nb_strbuf_free(&bytes);
                return NB_NOMEM;
            }
            view = nb_view_make(kept.data, kept.len);
        }
        memcpy(out + i * stride + col->offset, &view, sizeof(view));
    }
    nb_strbuf_free(&bytes);
    return NB_OK;
}

/* The flat vector behind v, and the rows of it that rows idx[0..n) of v are. */
static nb_status
resolve(const nb_vector *v, const uint32_t *idx, int64_t n, nb_arena *scratch,
        const nb_vector **flat, const uint32_t **rows)
{
    uint32_t *through;

    *flat = v;
    *rows = idx;
    if (v->kind == NB_VEC_FLAT) {
        return NB_OK;
    }
    through = NB_ARENA_ARRAY(scratch, uint32_t, n);
    if (through == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        through[i] = v->kind == NB_VEC_CONST ? 0 : v->indices[idx ? idx[i] : i];
    }
    *flat = v->kind == NB_VEC_DICT ? v->dict : v;
    *rows = through;
    return NB_OK;
}

static nb_status
encode_column(const nb_key_col *col, const nb_vector *v, const uint32_t *idx, int64_t n,
              nb_arena *scratch, uint8_t *out, int stride)
{
    const nb_vector *flat;
    const uint32_t *rows;
    uint8_t *to = out + col->offset;

    if (col->nested) {
        return put_nested(col, v, idx, n, scratch, out, stride);
    }
    NB_TRY(resolve(v, idx, n, scratch, &flat, &rows));
    switch (col->phys) {
    case NB_PHYS_STRING: put_views(col, flat, rows, n, out, stride); return NB_OK;
    case NB_PHYS_NONE:
        for (int64_t i = 0; i < n; i++) {
            out[i * stride + col->null_bit / 8] |= (uint8_t)(1u << (col->null_bit & 7));
        }
        return NB_OK;
    case NB_PHYS_BOOL:
    case NB_PHYS_INT8: w1_put(flat->data, rows, n, to, stride); break;
    case NB_PHYS_INT16: w2_put(flat->data, rows, n, to, stride); break;
    case NB_PHYS_INT32: w4_put(flat->data, rows, n, to, stride); break;
    case NB_PHYS_INT64: w8_put(flat->data, rows, n, to, stride); break;
    case NB_PHYS_FLOAT: float_put(flat->data, rows, n, to, stride); break;
    case NB_PHYS_DOUBLE: double_put(flat->data, rows, n, to, stride); break;
    default: w16_put(flat->data, rows, n, to, stride); break;
    }
    if (flat->validity != NULL) {
        put_null_bits(col, flat->validity, rows, n, out, stride);
    }
    return NB_OK;
}

nb_status
nb_keys_encode(const nb_key_layout *layout, const nb_vector *cols, const uint32_t *idx, int64_t n,
               nb_arena *scratch, uint8_t *out)
{
    memset(out, 0, (size_t)n * (size_t)layout->n_bytes);
    for (int c = 0; c < layout->n_cols; c++) {
        NB_TRY(encode_column(&layout->cols[c], &cols[c], idx, n, scratch, out, layout->n_bytes));
    }
    return NB_OK;
}

/* ---- hashing and comparing ------------------------------------------------------------------- */

NB_INLINE uint64_t
hash_view(const uint64_t *v)
{
    uint32_t len = (uint32_t)v[0];

    if (len <= NB_VIEW_INLINE || len == NB_NULL_VIEW) {
        return nb_hash_pair(v[0], v[1]);
    }
    return nb_hash_bytes((const char *)(uintptr_t)v[1], len);
}

NB_INLINE uint64_t
hash_words(const uint64_t *w, int n_fixed, int n_views)
{
    uint64_t h = 0;

    if (n_fixed == 1 && n_views == 0) {
        return nb_hash_u64(w[0]);
    }
    if (n_fixed == 2 && n_views == 0) {
        return nb_hash_pair(w[0], w[1]);
    }
    if (n_fixed == 0 && n_views == 1) {
        return hash_view(w);
    }
    for (int i = 0; i < n_fixed; i++) {
        h = nb_hash_combine(h, nb_hash_u64(w[i]));
    }
    for (int i = 0; i < n_views; i++) {
        h = nb_hash_combine(h, hash_view(w + n_fixed + 2 * i));
    }
    return nb_hash_u64(h);
}

NB_INLINE void
hash_loop(const uint8_t *images, int stride, int n_fixed, int n_views, int64_t n, uint64_t *out)
{
    for (int64_t i = 0; i < n; i++) {
        out[i] =
            hash_words((const uint64_t *)(const void *)(images + i * stride), n_fixed, n_views);
    }
}

uint64_t
nb_key_hash_second(const nb_key_layout *l, const uint8_t *image)
{
    const nb_key_section *s = &l->sections[1];
    const uint64_t *words = (const uint64_t *)(const void *)(image + s->offset);

    if (NB_UNLIKELY(nb_hash_debug_equal)) {
        return 0;
    }
    /* once more: the arguments may be the keys, and what is equal must not cancel out */
    return nb_hash_u64(hash_words(words, s->n_fixed, s->n_views) + 1);
}

uint64_t
nb_key_hash_one(const nb_key_layout *l, int n_sections, const uint8_t *image)
{
    const nb_key_section *s = l->sections;
    uint64_t h = hash_words((const uint64_t *)(const void *)image, s->n_fixed, s->n_views);

    if (NB_UNLIKELY(nb_hash_debug_equal)) {
        return 0;
    }
    if (n_sections == 2) {
        h ^= nb_key_hash_second(l, image);
    }
    return l->rehash ? nb_hash_u64(h ^ REHASH) : h;
}

/* Rows of one group often come together, their strings from the same place: then section 0 is that of the row before, bit by bit. */
static void
hash_two_sections(const nb_key_layout *l, const uint8_t *images, int64_t n, uint64_t *out)
{
    const nb_key_section *s = l->sections;
    size_t n_first = (size_t)(s->n_fixed + 2 * s->n_views) * sizeof(uint64_t);
    const uint8_t *before = NULL;
    uint64_t first = 0;

    for (int64_t i = 0; i < n; i++) {
        const uint8_t *image = images + i * l->n_bytes;

        if (before == NULL || memcmp(image, before, n_first) != 0) {
            first = nb_key_hash_one(l, 1, image);
        }
        out[i] = first ^ nb_key_hash_second(l, image);
        before = image;
    }
}

void
nb_keys_hash(const nb_key_layout *l, int n_sections, const uint8_t *images, int64_t n,
             uint64_t *out)
{
    const nb_key_section *s = l->sections;

    if (nb_hash_debug_equal) {
        memset(out, 0, (size_t)n * sizeof(*out));
    } else if (n_sections == 2) {
        hash_two_sections(l, images, n, out);
    } else if (s->n_fixed == 1 && s->n_views == 0) {
        hash_loop(images, l->n_bytes, 1, 0, n, out);
    } else if (s->n_fixed == 2 && s->n_views == 0) {
        hash_loop(images, l->n_bytes, 2, 0, n, out);
    } else if (s->n_fixed == 0 && s->n_views == 1) {
        hash_loop(images, l->n_bytes, 0, 1, n, out);
    } else {
        hash_loop(images, l->n_bytes, s->n_fixed, s->n_views, n, out);
    }
    for (int64_t i = 0; l->rehash && n_sections == 1 && !nb_hash_debug_equal && i < n; i++) {
        out[i] = nb_hash_u64(out[i] ^ REHASH);
    }
}

int
nb_key_compare(const nb_key_layout *l, const uint8_t *a, const uint8_t *b)
{
    for (int c = 0; c < l->n_cols; c++) {
        const nb_key_col *col = &l->cols[c];
        int r;

        if (col->null_bit == -1) {
            nb_view x, y;

            memcpy(&x, a + col->offset, sizeof(x));
            memcpy(&y, b + col->offset, sizeof(y));
            if (x.len == NB_NULL_VIEW || y.len == NB_NULL_VIEW) {
                r = (x.len != NB_NULL_VIEW) - (y.len != NB_NULL_VIEW);
            } else {
                r = nb_view_compare(&x, &y);
            }
        } else {
            r = memcmp(a + col->offset, b + col->offset, (size_t)col->width);
        }
        if (r != 0) {
            return r;
        }
    }
    for (int s = 0; s < l->n_sections; s++) { /* null bits: all else is equal */
        const nb_key_section *sec = &l->sections[s];
        int r = memcmp(a + sec->offset, b + sec->offset, (size_t)sec->n_fixed * 8);
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

/* ---- decoding -------------------------------------------------------------------------------- */

static nb_status
take_nulls(const nb_key_col *col, uint8_t *const *rows, int offset, int64_t n, nb_arena *arena,
           nb_vector *out)
{
    uint8_t bit = (uint8_t)(1u << (col->null_bit & 7));
    int at = offset + col->null_bit / 8;

    for (int64_t i = 0; i < n; i++) {
        if (rows[i][at] & bit) {
            NB_TRY(nb_vector_need_validity(arena, out));
            nb_bit_clear(out->validity, i);
        }
    }
    return NB_OK;
}

static nb_status
take_views(const nb_key_col *col, uint8_t *const *rows, int offset, int64_t n, nb_arena *arena,
           nb_vector *out)
{
    nb_view *views = out->data;

    for (int64_t i = 0; i < n; i++) {
        memcpy(&views[i], rows[i] + offset + col->offset, sizeof(nb_view));
        if (views[i].len == NB_NULL_VIEW) {
            NB_TRY(nb_vector_need_validity(arena, out));
            nb_bit_clear(out->validity, i);
            views[i] = (nb_view){0};
        }
    }
    return NB_OK;
}

static nb_status
take_nested(const nb_key_col *col, uint8_t *const *rows, int offset, int64_t n, nb_arena *arena,
            nb_vector *out)
{
    static const char null_byte = 0;
    const char **cursors = NB_ARENA_ARRAY(arena, const char *, n);
    nb_view *views = NB_ARENA_ARRAY(arena, nb_view, n);

    if (cursors == NULL || views == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        memcpy(&views[i], rows[i] + offset + col->offset, sizeof(nb_view));
        cursors[i] = views[i].len == NB_NULL_VIEW ? &null_byte : nb_view_data(&views[i]);
    }
    return nb_value_decode(arena, col->type, cursors, n, out);
}

nb_status
nb_keys_decode(const nb_key_layout *layout, int c, uint8_t *const *rows, int offset, int64_t n,
               nb_arena *arena, nb_vector *out)
{
    const nb_key_col *col = &layout->cols[c];
    int at = offset + col->offset;

    if (col->nested) {
        return take_nested(col, rows, offset, n, arena, out);
    }
    NB_TRY(nb_vector_alloc(arena, col->type, n, out));
    if (col->phys == NB_PHYS_STRING) {
        return take_views(col, rows, offset, n, arena, out);
    }
    switch (col->width) {
    case 1: w1_take(rows, at, n, out->data); break;
    case 2: w2_take(rows, at, n, out->data); break;
    case 4: w4_take(rows, at, n, out->data); break;
    case 8: w8_take(rows, at, n, out->data); break;
    case 16: w16_take(rows, at, n, out->data); break;
    default: return NB_OK;
    }
    return take_nulls(col, rows, offset, n, arena, out);
}
