/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text.c: values as JSON text.
 */
#include "expr/json_text.h"

#include <math.h>

#include "base/decimal.h"
#include "expr/date_text.h"
#include "expr/json.h"
#include "expr/number_text.h"

/* A string; where the style asks for ASCII, other characters as \\uXXXX. */
static void
put_text(nb_json_put *job, nb_str s)
{
    size_t from;

    if (!job->style->ascii_only) {
        nb_json_put_string(job->out, s);
        return;
    }
    from = job->out->len;
    nb_json_put_string(job->out, s);
    nb_json_escape_from(job->out, from);
}

static void
put_time(nb_json_put *job, const nb_datetime_format *f, int64_t local, const nb_zone *zone,
         int64_t utc)
{
    char text[512];

    if (nb_datetime_format_max(f) > sizeof text) {
        job->out->failed = true;
        return;
    }
    nb_json_put_string(job->out,
                       (nb_str){text, nb_datetime_format_write(f, local, zone, utc, text)});
}

static void
put_base64(nb_strbuf *out, nb_str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)s.data;

    nb_strbuf_addc(out, '"');
    for (size_t k = 0; k < s.len; k += 3) {
        uint32_t v = (uint32_t)p[k] << 16 | (k + 1 < s.len ? (uint32_t)p[k + 1] << 8 : 0) |
                     (k + 2 < s.len ? p[k + 2] : 0);
        nb_strbuf_addc(out, digits[v >> 18]);
        nb_strbuf_addc(out, digits[v >> 12 & 63]);
        nb_strbuf_addc(out, k + 1 < s.len ? digits[v >> 6 & 63] : '=');
        nb_strbuf_addc(out, k + 2 < s.len ? digits[v & 63] : '=');
    }
    nb_strbuf_addc(out, '"');
}

static void
put_float(nb_strbuf *out, const char *text, size_t len, double x)
{
    if (isfinite(x)) {
        nb_strbuf_add(out, (nb_str){text, len});
    } else {
        nb_strbuf_adds(out, isnan(x) ? "\"NaN\"" : x > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    }
}

/* A map's key, or a value without a form of its own in JSON, as string. */
static nb_status
put_as_text(nb_json_put *job, const nb_vector *v, int64_t row)
{
    nb_vector one, text;
    uint32_t idx = (uint32_t)row;

    NB_TRY(nb_vector_gather(job->ctx->arena, v, &idx, 1, &one));
    NB_TRY(nb_cast_vector(job->ctx, &one, nb_type_of(NB_TYPE_STRING), NB_CAST_LEGACY, &text));
    put_text(job, nb_view_str(&NB_DATA(nb_view, &text)[0]));
    return NB_OK;
}

static nb_status
put_nested(nb_json_put *job, const nb_vector *flat, int64_t slot)
{
    const nb_type *t = nb_type_storage(flat->type);
    bool any = false;

    if (t->id == NB_TYPE_STRUCT) {
        nb_strbuf_addc(job->out, '{');
        for (int c = 0; c < flat->n_children; c++) {
            if (job->style->ignore_nulls && nb_vector_is_null(&flat->children[c], slot)) {
                continue;
            }
            if (any) {
                nb_strbuf_addc(job->out, ',');
            }
            any = true;
            put_text(job, t->children[c].name);
            nb_strbuf_addc(job->out, ':');
            NB_TRY(nb_json_put_value(job, &flat->children[c], slot));
        }
        nb_strbuf_addc(job->out, '}');
        return NB_OK;
    }
    nb_list l = NB_DATA(nb_list, flat)[slot];
    bool map = t->id == NB_TYPE_MAP;
    nb_strbuf_addc(job->out, map ? '{' : '[');
    for (int64_t k = l.offset; k < (int64_t)l.offset + l.len; k++) {
        if (k > l.offset) {
            nb_strbuf_addc(job->out, ',');
        }
        if (map) {
            NB_TRY(put_as_text(job, &flat->children[0], k));
            nb_strbuf_addc(job->out, ':');
        }
        NB_TRY(nb_json_put_value(job, &flat->children[map], k));
    }
    nb_strbuf_addc(job->out, map ? '}' : ']');
    return NB_OK;
}

nb_status
nb_json_put_value(nb_json_put *job, const nb_vector *v, int64_t row)
{
    const nb_vector *flat = v->kind == NB_VEC_DICT ? v->dict : v;
    const nb_type *t = nb_type_storage(v->type);
    char text[64];
    int n;

    if (nb_vector_is_null(v, row)) {
        nb_strbuf_adds(job->out, "null");
        return NB_OK;
    }
    int64_t i = nb_vector_slot(v, row);
    switch (t->id) {
    case NB_TYPE_BOOL:
        nb_strbuf_adds(job->out, NB_DATA(uint8_t, flat)[i] ? "true" : "false");
        return NB_OK;
    case NB_TYPE_INT8: nb_strbuf_addf(job->out, "%d", NB_DATA(int8_t, flat)[i]); return NB_OK;
    case NB_TYPE_INT16: nb_strbuf_addf(job->out, "%d", NB_DATA(int16_t, flat)[i]); return NB_OK;
    case NB_TYPE_INT32: nb_strbuf_addf(job->out, "%d", NB_DATA(int32_t, flat)[i]); return NB_OK;
    case NB_TYPE_INT64:
        nb_strbuf_addf(job->out, "%lld", (long long)NB_DATA(int64_t, flat)[i]);
        return NB_OK;
    case NB_TYPE_FLOAT32:
        n = nb_format_float(text, NB_DATA(float, flat)[i]);
        put_float(job->out, text, (size_t)n, (double)NB_DATA(float, flat)[i]);
        return NB_OK;
    case NB_TYPE_FLOAT64:
        n = nb_format_double(text, NB_DATA(double, flat)[i]);
        put_float(job->out, text, (size_t)n, NB_DATA(double, flat)[i]);
        return NB_OK;
    case NB_TYPE_DECIMAL:
        n = (int)nb_decimal_format(t->phys == NB_PHYS_INT64 ? (nb_int128)NB_DATA(int64_t, flat)[i]
                                                            : NB_DATA(nb_int128, flat)[i],
                                   t->scale, text);
        nb_strbuf_add(job->out, (nb_str){text, (size_t)n});
        return NB_OK;
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR: put_text(job, nb_view_str(&NB_DATA(nb_view, flat)[i])); return NB_OK;
    case NB_TYPE_BINARY:
        put_base64(job->out, nb_view_str(&NB_DATA(nb_view, flat)[i]));
        return NB_OK;
    case NB_TYPE_TIMESTAMP: {
        int64_t utc = NB_DATA(int64_t, flat)[i];
        put_time(job, job->style->instant, nb_zone_to_local(&job->zone, utc), job->zone.zone, utc);
        return NB_OK;
    }
    case NB_TYPE_TIMESTAMP_NTZ:
        put_time(job, job->style->local, NB_DATA(int64_t, flat)[i], nb_zone_utc(),
                 NB_DATA(int64_t, flat)[i]);
        return NB_OK;
    case NB_TYPE_DATE:
        if (job->style->date == NULL) {
            return put_as_text(job, v, row);
        }
        put_time(job, job->style->date, (int64_t)NB_DATA(int32_t, flat)[i] * NB_US_PER_DAY,
                 nb_zone_utc(), (int64_t)NB_DATA(int32_t, flat)[i] * NB_US_PER_DAY);
        return NB_OK;
    case NB_TYPE_ARRAY:
    case NB_TYPE_MAP:
    case NB_TYPE_STRUCT: return put_nested(job, flat, i);
    default: return put_as_text(job, v, row);
    }
}
