/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_write.c: to_json.
 *
 * Fields that are null are left out, elements and map values that are null are written. Numbers, NaN and infinities as Jackson and Spark
 * write them; instants by the pattern yyyy-MM-dd'T'HH:mm:ss[.SSS] with the offset, in the session's zone; binaries in base 64.
 */
#include <math.h>

#include "expr/datetime_format.h"
#include "expr/date_text.h"
#include "expr/json.h"
#include "expr/kernels/string.h"
#include "expr/number_text.h"

typedef struct json_payload {
    const nb_datetime_format *instant, *local;
} json_payload;

typedef struct json_job {
    nb_kernel_ctx *ctx;
    const json_payload *formats;
    nb_zone_cursor zone;
    nb_strbuf *out;
    int depth;
} json_job;

static void
put_time(json_job *job, const nb_datetime_format *f, int64_t local, const nb_zone *zone,
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
put_decimal(nb_strbuf *out, nb_int128 x, int scale)
{
    char digits[48];
    int n = 0;
    nb_uint128 u = x < 0 ? -(nb_uint128)x : (nb_uint128)x;

    while (u || n <= scale) {
        digits[n++] = (char)('0' + (int)(u % 10));
        u /= 10;
    }
    if (x < 0) {
        nb_strbuf_addc(out, '-');
    }
    while (n > 0) {
        nb_strbuf_addc(out, digits[--n]);
        if (n == scale && n > 0) {
            nb_strbuf_addc(out, '.');
        }
    }
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

static nb_status put_value(json_job *job, const nb_vector *v, int64_t row);

/* A map's key, or a value without a form of its own in JSON, as string. */
static nb_status
put_as_text(json_job *job, const nb_vector *v, int64_t row)
{
    nb_vector one, text;
    uint32_t idx = (uint32_t)row;

    NB_TRY(nb_vector_gather(job->ctx->arena, v, &idx, 1, &one));
    NB_TRY(nb_cast_vector(job->ctx, &one, nb_type_of(NB_TYPE_STRING), NB_CAST_LEGACY, &text));
    nb_json_put_string(job->out, nb_view_str(&NB_DATA(nb_view, &text)[0]));
    return NB_OK;
}

static nb_status
put_nested(json_job *job, const nb_vector *flat, int64_t slot)
{
    const nb_type *t = nb_type_storage(flat->type);
    bool any = false;

    if (t->id == NB_TYPE_STRUCT) {
        nb_strbuf_addc(job->out, '{');
        for (int c = 0; c < flat->n_children; c++) {
            if (nb_vector_is_null(&flat->children[c], slot)) {
                continue;
            }
            if (any) {
                nb_strbuf_addc(job->out, ',');
            }
            any = true;
            nb_json_put_string(job->out, t->children[c].name);
            nb_strbuf_addc(job->out, ':');
            NB_TRY(put_value(job, &flat->children[c], slot));
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
        NB_TRY(put_value(job, &flat->children[map], k));
    }
    nb_strbuf_addc(job->out, map ? '}' : ']');
    return NB_OK;
}

static nb_status
put_value(json_job *job, const nb_vector *v, int64_t row)
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
        put_decimal(job->out,
                    t->phys == NB_PHYS_INT64 ? (nb_int128)NB_DATA(int64_t, flat)[i]
                                             : NB_DATA(nb_int128, flat)[i],
                    t->scale);
        return NB_OK;
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR:
        nb_json_put_string(job->out, nb_view_str(&NB_DATA(nb_view, flat)[i]));
        return NB_OK;
    case NB_TYPE_BINARY:
        put_base64(job->out, nb_view_str(&NB_DATA(nb_view, flat)[i]));
        return NB_OK;
    case NB_TYPE_TIMESTAMP: {
        int64_t utc = NB_DATA(int64_t, flat)[i];
        put_time(job, job->formats->instant, nb_zone_to_local(&job->zone, utc), job->zone.zone,
                 utc);
        return NB_OK;
    }
    case NB_TYPE_TIMESTAMP_NTZ:
        put_time(job, job->formats->local, NB_DATA(int64_t, flat)[i], nb_zone_utc(),
                 NB_DATA(int64_t, flat)[i]);
        return NB_OK;
    case NB_TYPE_ARRAY:
    case NB_TYPE_MAP:
    case NB_TYPE_STRUCT: return put_nested(job, flat, i);
    default: return put_as_text(job, v, row);
    }
}

static nb_status
to_json_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_strbuf text = {0};
    json_job job = {.ctx = ctx,
                    .formats = ctx->expr->u.call.payload,
                    .zone = {.zone = ctx->info->zone},
                    .out = &text};
    nb_text_writer w = {.arena = ctx->arena};
    nb_status st = NB_OK;

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        text.len = 0;
        NB_TRY_GOTO(st, put_value(&job, &args[0], i), done);
        char *room = text.failed ? NULL : nb_text_room(&w, text.len);
        if (room == NULL) {
            st = NB_NOMEM;
            goto done;
        }
        memcpy(room, nb_strbuf_str(&text).data, text.len);
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, text.len);
    }
done:
    nb_strbuf_free(&text);
    return st;
}

nb_status
nb_bind_to_json(nb_bound_call *call, nb_error *err)
{
    json_payload *p = NB_ARENA_NEW(call->arena, json_payload);
    nb_type_id t = call->args[0]->type->id;

    if (p == NULL) {
        return NB_NOMEM;
    }
    if (call->n_args > 1) {
        return nb_raise_unsupported(err, "options of to_json");
    }
    if (t != NB_TYPE_STRUCT && t != NB_TYPE_ARRAY && t != NB_TYPE_MAP) {
        return nb_bind_mismatch(call, 0, "\"STRUCT\", \"ARRAY\" or \"MAP\"", err);
    }
    NB_TRY(nb_datetime_format_new(call->arena, NB_STR("yyyy-MM-dd'T'HH:mm:ss[.SSS]ZZZZZ"), false,
                                  &p->instant, err));
    NB_TRY(nb_datetime_format_new(call->arena, NB_STR("yyyy-MM-dd'T'HH:mm:ss[.SSS]"), false,
                                  &p->local, err));
    call->payload = p;
    return nb_bound(call, NB_TYPE_STRING, to_json_kernel);
}
