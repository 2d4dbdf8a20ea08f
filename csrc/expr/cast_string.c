/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cast_string.c: casts to strings and binary.
 *
 * Numbers, dates and timestamps are written into one block per batch, wide enough for the longest text of their type.
 */
#include "expr/cast.h"

#include "base/decimal.h"
#include "base/utf8.h"
#include "expr/date_text.h"
#include "expr/local_time.h"
#include "expr/number_text.h"

static bool
valid(const nb_cast_job *job, int64_t i)
{
    return nb_is_valid(job->v->validity, i);
}

/* Room for one value of a scalar type; 0 when it is not written through scalar_text. */
static size_t
text_width(const nb_type *t)
{
    switch (t->id) {
    case NB_TYPE_BOOL: return 5;
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
    case NB_TYPE_INT32: return 12;
    case NB_TYPE_INT64: return NB_INT64_TEXT;
    case NB_TYPE_FLOAT32:
    case NB_TYPE_FLOAT64: return NB_DOUBLE_TEXT;
    case NB_TYPE_DECIMAL: return NB_DECIMAL_CHARS;
    case NB_TYPE_DATE: return NB_DATE_TEXT;
    case NB_TYPE_TIMESTAMP:
    case NB_TYPE_TIMESTAMP_NTZ: return NB_TIMESTAMP_TEXT;
    case NB_TYPE_TIME: return NB_DATE_TEXT;
    default: return 0;
    }
}

static size_t
scalar_text(const nb_cast_job *job, int64_t i, char *p)
{
    const nb_session_info *info = job->ctx->info;
    const nb_vector *v = job->v;

    switch (job->from->id) {
    case NB_TYPE_BOOL:
        memcpy(p, NB_DATA(uint8_t, v)[i] ? "true" : "false", NB_DATA(uint8_t, v)[i] ? 4 : 5);
        return NB_DATA(uint8_t, v)[i] ? 4 : 5;
    case NB_TYPE_INT8: return (size_t)nb_format_int64(p, NB_DATA(int8_t, v)[i]);
    case NB_TYPE_INT16: return (size_t)nb_format_int64(p, NB_DATA(int16_t, v)[i]);
    case NB_TYPE_INT32: return (size_t)nb_format_int64(p, NB_DATA(int32_t, v)[i]);
    case NB_TYPE_INT64: return (size_t)nb_format_int64(p, NB_DATA(int64_t, v)[i]);
    case NB_TYPE_FLOAT32: return (size_t)nb_format_float(p, NB_DATA(float, v)[i]);
    case NB_TYPE_FLOAT64: return (size_t)nb_format_double(p, NB_DATA(double, v)[i]);
    case NB_TYPE_DECIMAL: {
        nb_int128 x =
            v->type->phys == NB_PHYS_INT64 ? NB_DATA(int64_t, v)[i] : NB_DATA(nb_int128, v)[i];

        return info != NULL && !info->ansi ? nb_decimal_format_sci(x, job->from->scale, p)
                                           : nb_decimal_format(x, job->from->scale, p);
    }
    case NB_TYPE_DATE: return (size_t)nb_format_date(p, NB_DATA(int32_t, v)[i]);
    case NB_TYPE_TIMESTAMP:
        return (size_t)nb_format_timestamp(p, nb_local_from_utc(info, NB_DATA(int64_t, v)[i]));
    case NB_TYPE_TIMESTAMP_NTZ: return (size_t)nb_format_timestamp(p, NB_DATA(int64_t, v)[i]);
    default: return (size_t)nb_format_time(p, NB_DATA(int64_t, v)[i]);
    }
}

static nb_status
scalars(nb_cast_job *job, size_t width)
{
    nb_view *out = job->out->data;
    char *block = nb_arena_array(job->ctx->arena, (size_t)job->n + 1, width);

    if (block == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < job->n; i++) {
        if (valid(job, i)) {
            size_t len = scalar_text(job, i, block);

            out[i] = nb_view_make(block, len);
            block += len > NB_VIEW_INLINE ? len : 0;
        } else {
            out[i] = (nb_view){0};
        }
    }
    return NB_OK;
}

/* char(n) pads, both refuse what is longer than n characters, but for spaces at the end. */
static nb_status
fit_length(nb_cast_job *job)
{
    nb_view *out = job->out->data;
    int32_t limit = job->to->length;

    for (int64_t i = 0; i < job->n; i++) {
        nb_str s;
        int64_t chars;

        if (!nb_is_valid(job->out->validity, i)) {
            continue;
        }
        s = nb_view_str(&out[i]);
        chars = nb_utf8_count(s.data, s.len);
        while (chars > limit && s.data[s.len - 1] == ' ') {
            s.len--;
            chars--;
        }
        if (chars > limit) {
            s.len = nb_utf8_offset(s.data, s.len, limit);
        } else if (job->to->id == NB_TYPE_CHAR && chars < limit) {
            size_t pad = (size_t)(limit - chars);
            char *text = nb_arena_alloc(job->ctx->arena, s.len + pad);

            if (text == NULL) {
                return NB_NOMEM;
            }
            if (s.len > 0) {
                memcpy(text, s.data, s.len);
            }
            memset(text + s.len, ' ', pad);
            s = (nb_str){text, s.len + pad};
        }
        out[i] = nb_view_make(s.data, s.len);
    }
    return NB_OK;
}

nb_status
nb_cast_to_string(nb_cast_job *job)
{
    size_t width = text_width(job->from);
    nb_view *out = job->out->data;

    if (width > 0) {
        NB_TRY(scalars(job, width));
    } else if (nb_type_is_string(job->from) || job->from->id == NB_TYPE_BINARY) {
        memcpy(out, job->v->data, (size_t)job->n * sizeof(nb_view));
    } else {
        for (int64_t i = 0; i < job->n; i++) {
            nb_strbuf text = {0};
            nb_str copy;

            if (!valid(job, i)) {
                out[i] = (nb_view){0};
                continue;
            }
            nb_format_value(&text, job->ctx->info, job->v, i, NB_TEXT_CAST);
            copy = nb_strbuf_finish(job->ctx->arena, &text);
            if (copy.data == NULL) {
                return NB_NOMEM;
            }
            out[i] = nb_view_make(copy.data, copy.len);
        }
    }
    return job->to->id == NB_TYPE_STRING ? NB_OK : fit_length(job);
}

nb_status
nb_cast_to_binary(nb_cast_job *job)
{
    nb_view *out = job->out->data;
    int width = nb_phys_width(job->from->phys);

    if (job->from->phys == NB_PHYS_STRING) {
        memcpy(out, job->v->data, (size_t)job->n * sizeof(nb_view));
        return NB_OK;
    }
    for (int64_t i = 0; i < job->n; i++) { /* integers, big-endian */
        char bytes[8], turned[8];

        memcpy(bytes, (const char *)job->v->data + i * width, (size_t)width);
        for (int k = 0; k < width; k++) {
            turned[k] = bytes[width - 1 - k];
        }
        out[i] = nb_view_make(turned, (size_t)width);
    }
    return NB_OK;
}
