/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_code.c: codes of values.
 *
 * Nulls take the code below or above all values. 128-bit integers beyond 64 bits share the last code; strings are coded by the
 * bytes behind what all have in common: all bytes and the length where these are at most 7, else the first 8, cut. Nested values have
 * no code but null or not.
 */
#include "exec/sort_code.h"

static uint64_t
string_code(const nb_code_range *r, const nb_view *v)
{
    const unsigned char *p = (const unsigned char *)nb_view_data(v) + r->n_common;
    uint32_t len = v->len > r->n_common ? v->len - r->n_common : 0;
    uint64_t code = 0;

    if (r->string_bytes == 8 && len >= 8) {
        memcpy(&code, p, 8);
        return __builtin_bswap64(code);
    }
    for (int i = 0; i < r->string_bytes; i++) {
        code = code << 8 | (i < (int)len ? p[i] : 0);
    }
    return r->with_length ? code << 8 | len : code;
}

#define NB_T       int8_t
#define NB_NAME(f) int8_##f
#define NB_CODE(x) nb_code_of_int(x)
#include "exec/sort_code_tmpl.h"
#define NB_T       int16_t
#define NB_NAME(f) int16_##f
#define NB_CODE(x) nb_code_of_int(x)
#include "exec/sort_code_tmpl.h"
#define NB_T       int32_t
#define NB_NAME(f) int32_##f
#define NB_CODE(x) nb_code_of_int(x)
#include "exec/sort_code_tmpl.h"
#define NB_T       int64_t
#define NB_NAME(f) int64_##f
#define NB_CODE(x) nb_code_of_int(x)
#include "exec/sort_code_tmpl.h"
#define NB_T       float
#define NB_NAME(f) float_##f
#define NB_CODE(x) nb_code_of_double((double)(x))
#include "exec/sort_code_tmpl.h"
#define NB_T       double
#define NB_NAME(f) double_##f
#define NB_CODE(x) nb_code_of_double(x)
#include "exec/sort_code_tmpl.h"
#define NB_T       nb_int128
#define NB_NAME(f) int128_##f
#define NB_CODE(x) nb_code_of_int((int64_t)NB_MAX(NB_MIN((x), INT64_MAX), INT64_MIN))
#include "exec/sort_code_tmpl.h"

typedef void (*range_fn)(const void *data, const uint64_t *validity, int64_t n, nb_code_range *out);
typedef void (*codes_fn)(const void *data, int64_t from, int64_t n, uint64_t *codes);

static const range_fn RANGES[] = {
    [NB_PHYS_BOOL] = int8_range,     [NB_PHYS_INT8] = int8_range,     [NB_PHYS_INT16] = int16_range,
    [NB_PHYS_INT32] = int32_range,   [NB_PHYS_INT64] = int64_range,   [NB_PHYS_FLOAT] = float_range,
    [NB_PHYS_DOUBLE] = double_range, [NB_PHYS_INT128] = int128_range, [NB_PHYS_STRUCT] = NULL,
};

static const codes_fn CODES[] = {
    [NB_PHYS_BOOL] = int8_codes,     [NB_PHYS_INT8] = int8_codes,     [NB_PHYS_INT16] = int16_codes,
    [NB_PHYS_INT32] = int32_codes,   [NB_PHYS_INT64] = int64_codes,   [NB_PHYS_FLOAT] = float_codes,
    [NB_PHYS_DOUBLE] = double_codes, [NB_PHYS_INT128] = int128_codes, [NB_PHYS_STRUCT] = NULL,
};

static void
string_range(const nb_view *views, const uint64_t *validity, int64_t n, nb_code_range *out)
{
    for (int64_t i = 0; i < n; i++) {
        const char *p;
        uint32_t k = 0;

        if (!nb_is_valid(validity, i)) {
            continue;
        }
        p = nb_view_data(&views[i]);
        if (!out->any) {
            out->any = true;
            out->sample = nb_view_str(&views[i]);
            out->n_common = views[i].len;
        }
        out->max_len = NB_MAX(out->max_len, views[i].len);
        if (out->n_common > 0) {
            uint32_t most = NB_MIN(out->n_common, views[i].len);

            while (k < most && p[k] == out->sample.data[k]) {
                k++;
            }
            out->n_common = k;
        }
    }
}

void
nb_code_range_of(const nb_vector *v, int64_t n, nb_code_range *out)
{
    nb_phys phys = nb_type_storage(v->type)->phys;

    NB_ASSERT(v->kind == NB_VEC_FLAT || phys == NB_PHYS_NONE);
    out->nulls =
        phys == NB_PHYS_NONE || (v->validity != NULL && nb_bitmap_count(v->validity, n) < n);
    if (phys == NB_PHYS_STRING) {
        string_range(v->data, v->validity, n, out);
    } else if (RANGES[phys] != NULL) {
        RANGES[phys](v->data, v->validity, n, out);
    } else {
        out->any = true;
    }
    out->exact = phys != NB_PHYS_LIST && phys != NB_PHYS_STRUCT && phys != NB_PHYS_INTERVAL &&
                 phys != NB_PHYS_STRING;
    out->string_bytes = phys == NB_PHYS_STRING; /* says that it is one */
}

void
nb_code_range_join(nb_code_range *into, const nb_code_range *from)
{
    bool nulls = into->nulls | from->nulls;

    if (!into->any) {
        bool string = into->string_bytes | from->string_bytes;
        *into = *from;
        into->string_bytes = string;
    } else if (from->any) {
        into->least = NB_MIN(into->least, from->least);
        into->greatest = NB_MAX(into->greatest, from->greatest);
        into->max_len = NB_MAX(into->max_len, from->max_len);
        into->n_common = NB_MIN(into->n_common, from->n_common);
        for (uint32_t k = 0; k < into->n_common; k++) {
            if (into->sample.data[k] != from->sample.data[k]) {
                into->n_common = k;
            }
        }
    }
    into->nulls = nulls;
}

int
nb_code_finish(nb_code_range *r, bool descending, bool nulls_last)
{
    uint64_t width;

    r->descending = descending;
    r->nulls_last = nulls_last;
    if (!r->any) {
        r->exact = true;
        r->string_bytes = 0;
        r->least = r->greatest = 0;
    } else if (r->string_bytes) {
        uint32_t rest = r->max_len - r->n_common;

        r->with_length = r->exact = rest <= 7;
        r->string_bytes = r->exact ? (int)rest : 8;
        r->least = 0;
        r->greatest = r->exact && rest < 7 ? ((uint64_t)1 << (8 * (rest + 1))) - 1 : UINT64_MAX;
    }
    if (r->least == 0 || r->greatest == UINT64_MAX) {
        r->exact &= r->string_bytes != 0 || r->with_length || !r->any; /* maybe cut to 64 bits */
    }
    width = r->greatest - r->least;
    if (r->nulls && width == UINT64_MAX) {
        /* one code short: the values' lowest bit goes */
        r->exact = false;
    } else {
        width += r->nulls;
    }
    return width ? 64 - __builtin_clzll(width) : 0;
}

void
nb_code_make(const nb_code_range *r, const nb_vector *v, int64_t from, int64_t n, uint64_t *codes)
{
    nb_phys phys = nb_type_storage(v->type)->phys;
    uint64_t width = r->greatest - r->least, add, null_code;
    bool halve = r->nulls && width == UINT64_MAX;

    if (phys == NB_PHYS_STRING) {
        for (int64_t i = 0; i < n; i++) {
            codes[i] = nb_is_valid(v->validity, from + i)
                           ? string_code(r, NB_DATA(nb_view, v) + from + i)
                           : r->least;
        }
    } else if (CODES[phys] != NULL) {
        CODES[phys](v->data, from, n, codes);
    } else {
        for (int64_t i = 0; i < n; i++) {
            codes[i] = r->least;
        }
    }
    if (r->descending) {
        for (int64_t i = 0; i < n; i++) {
            codes[i] = r->greatest - codes[i];
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            codes[i] -= r->least;
        }
    }
    if (!r->nulls) {
        return;
    }
    add = r->nulls_last ? 0 : 1;
    null_code = r->nulls_last ? (halve ? UINT64_MAX : width + 1) : 0;
    for (int64_t i = 0; i < n; i++) {
        bool valid = phys != NB_PHYS_NONE && nb_is_valid(v->validity, from + i);
        uint64_t code = halve ? codes[i] >> 1 : codes[i];

        codes[i] = valid ? code + add : null_code;
    }
}

/* Full codes lose their lowest bit to make room for nulls. */
nb_status
nb_code_any(const nb_sort_col *by, const nb_vector *v, int64_t n, nb_arena *arena, uint64_t *codes)
{
    nb_code_range r = {.any = true, .nulls = true, .greatest = UINT64_MAX};
    nb_vector flat;

    r.descending = by->descending;
    r.nulls_last = by->nulls_last;
    r.string_bytes = nb_type_storage(v->type)->phys == NB_PHYS_STRING ? 8 : 0;
    NB_TRY(nb_vector_flatten(arena, v, &flat));
    nb_code_make(&r, &flat, 0, n, codes);
    return NB_OK;
}

bool
nb_code_tells(const nb_type *type)
{
    nb_phys phys = nb_type_storage(type)->phys;

    return phys != NB_PHYS_NONE && phys != NB_PHYS_LIST && phys != NB_PHYS_STRUCT &&
           phys != NB_PHYS_INTERVAL;
}
