/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datetime_text.c: dates and times from and to text: to_date, to_timestamp, unix_timestamp, from_unixtime, date_format; shifts between
 * zones: from_utc_timestamp, to_utc_timestamp, convert_timezone.
 *
 * Without a pattern these are casts. A constant pattern is compiled at binding; others once per run of equal patterns.
 */
#include <stdio.h>

#include "expr/date_text.h"
#include "expr/datetime_format.h"
#include "expr/kernels/string.h"

typedef enum text_mode { TEXT_ANSI, TEXT_NULL } text_mode;

typedef struct text_payload {
    const nb_datetime_format *format; /* NULL: look at the argument */
    text_mode mode;
    const char *instead; /* what to recommend in errors */
    bool parsing;
} text_payload;

/* The format of a row: the payload's, or the argument's, compiled when it changes. */
typedef struct format_cache {
    const nb_datetime_format *format;
    nb_str pattern;
} format_cache;

static nb_status
row_format(nb_kernel_ctx *ctx, const nb_vector *patterns, int64_t i, format_cache *c)
{
    const text_payload *p = ctx->expr->u.call.payload;
    nb_str pattern;

    if (p->format) {
        c->format = p->format;
        return NB_OK;
    }
    pattern = nb_row_str(patterns, i);
    if (c->format && nb_str_equal(pattern, c->pattern)) {
        return NB_OK;
    }
    c->pattern = pattern;
    return nb_datetime_format_new(ctx->arena, pattern, p->parsing, nb_locale_default(), &c->format,
                                  ctx->err);
}

static nb_status
bind_format(nb_bound_call *call, int arg, bool parsing, text_mode mode, const char *instead,
            nb_error *err)
{
    text_payload *p = NB_ARENA_NEW(call->arena, text_payload);
    bool found = true;
    nb_str pattern = NB_STR("yyyy-MM-dd HH:mm:ss");

    if (p == NULL) {
        return NB_NOMEM;
    }
    p->mode = mode;
    p->instead = instead;
    p->parsing = parsing;
    if (arg < call->n_args) {
        NB_TRY(nb_bind_all(call, arg, arg + 1, NB_TYPE_STRING, err));
        NB_TRY(nb_bind_text(call, arg, &found, &pattern, err));
    }
    if (found && pattern.data) {
        NB_TRY(nb_datetime_format_new(call->arena, pattern, parsing, nb_locale_default(),
                                      &p->format, err));
    }
    call->payload = p;
    call->nullable |= parsing && mode == TEXT_NULL;
    call->can_fail = (parsing && mode == TEXT_ANSI) || p->format == NULL;
    return NB_OK;
}

/* ---- parsing ------------------------------------------------------------------------------------------------------------------------- */

typedef enum result_kind { RESULT_DATE, RESULT_INSTANT, RESULT_LOCAL, RESULT_SECONDS } result_kind;

NB_INLINE nb_status
parse_rows(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, result_kind kind,
           nb_vector *out)
{
    const text_payload *p = ctx->expr->u.call.payload;
    nb_zone_cursor zone = {.zone = ctx->info->zone};
    format_cache cache = {0};
    nb_datetime_parsed parsed;

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str text = nb_row_str(&args[0], i);
        NB_TRY(row_format(ctx, n_args > 1 ? &args[1] : NULL, i, &cache));
        if (!nb_datetime_format_parse(cache.format, text, &parsed)) {
            if (p->mode == TEXT_ANSI) {
                return nb_datetime_raise(&parsed, text, p->instead, ctx->err);
            }
            NB_TRY(nb_row_null(ctx, out, i));
            continue;
        }
        int64_t local = (int64_t)parsed.days * NB_US_PER_DAY + parsed.time_us;
        if (kind == RESULT_DATE) {
            NB_DATA(int32_t, out)[i] = parsed.days;
            if (parsed.has_zone) {
                int64_t shown = nb_zone_to_local(&zone, nb_datetime_parsed_utc(&parsed, &zone));
                NB_DATA(int32_t, out)[i] = (int32_t)nb_floor_div(shown, NB_US_PER_DAY);
            }
        } else if (kind == RESULT_LOCAL) {
            NB_DATA(int64_t, out)[i] = local;
        } else {
            int64_t utc = nb_datetime_parsed_utc(&parsed, &zone);
            NB_DATA(int64_t, out)
            [i] = kind == RESULT_SECONDS ? utc / 1000000 : utc; /* seconds toward zero, as Spark */
        }
    }
    return NB_OK;
}

#define PARSER(name, kind)                                                                  \
    static nb_status name(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, \
                          nb_vector *out)                                                   \
    {                                                                                       \
        return parse_rows(ctx, args, n_args, n, kind, out);                                 \
    }
PARSER(parse_date, RESULT_DATE)
PARSER(parse_instant, RESULT_INSTANT)
PARSER(parse_local, RESULT_LOCAL)
PARSER(parse_seconds, RESULT_SECONDS)

static nb_status
replace_by_cast(nb_bound_call *call, nb_type_id type, bool is_try, nb_error *err)
{
    nb_cast_mode mode = is_try ? NB_CAST_TRY : call->info->ansi ? NB_CAST_ANSI : NB_CAST_LEGACY;

    if (!nb_can_cast(call->args[0]->type, nb_type_of(type), call->info->ansi)) {
        return nb_bind_mismatch(call, 0, type == NB_TYPE_DATE ? "\"DATE\"" : "\"TIMESTAMP\"", err);
    }
    return nb_expr_cast(call->arena, call->args[0], nb_type_of(type), mode, &call->replacement,
                        err);
}

/* What is neither text nor a time is parsed as its text; a number is an instant where no pattern is given. */
static nb_status
need_text_or_time(nb_bound_call *call, nb_type_id type, nb_error *err)
{
    const nb_type *t = call->args[0]->type;

    if (nb_type_is_string(t) || t->id == NB_TYPE_NULL || t->id == NB_TYPE_DATE ||
        t->id == NB_TYPE_TIMESTAMP || t->id == NB_TYPE_TIMESTAMP_NTZ) {
        return NB_OK;
    }
    if (type == NB_TYPE_TIMESTAMP && nb_type_is_numeric(t)) {
        return call->n_args == 1 ? NB_OK
                                 : nb_bind_mismatch(call, 0,
                                                    "(\"STRING\" or \"DATE\" or \"TIMESTAMP\" or "
                                                    "\"TIMESTAMP_NTZ\")",
                                                    err);
    }
    if (!nb_can_implicit_cast(t, nb_type_of(NB_TYPE_STRING), call->info->ansi)) {
        return nb_bind_mismatch(call, 0, type == NB_TYPE_DATE ? "\"DATE\"" : "\"TIMESTAMP\"", err);
    }
    return nb_bind_cast(call, 0, nb_type_of(NB_TYPE_STRING), err);
}

static nb_status
bind_parse(nb_bound_call *call, nb_type_id type, nb_kernel_fn kernel, bool is_try,
           const char *instead, nb_error *err)
{
    NB_TRY(need_text_or_time(call, type, err));
    if (call->n_args == 1 ||
        !(nb_type_is_string(call->args[0]->type) || call->args[0]->type->id == NB_TYPE_NULL)) {
        return replace_by_cast(call, type, is_try, err);
    }
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    NB_TRY(bind_format(call, 1, true, call->info->ansi && !is_try ? TEXT_ANSI : TEXT_NULL, instead,
                       err));
    return nb_bound(call, type, kernel);
}

nb_status
nb_bind_to_date(nb_bound_call *call, nb_error *err)
{
    return bind_parse(call, NB_TYPE_DATE, parse_date, false, "try_to_date", err);
}

nb_status
nb_bind_try_to_date(nb_bound_call *call, nb_error *err)
{
    return bind_parse(call, NB_TYPE_DATE, parse_date, true, "try_to_date", err);
}

nb_status
nb_bind_to_timestamp(nb_bound_call *call, nb_error *err)
{
    return bind_parse(call, NB_TYPE_TIMESTAMP, parse_instant, false, "try_to_timestamp", err);
}

nb_status
nb_bind_try_to_timestamp(nb_bound_call *call, nb_error *err)
{
    return bind_parse(call, NB_TYPE_TIMESTAMP, parse_instant, true, "try_to_timestamp", err);
}

nb_status
nb_bind_to_timestamp_ntz(nb_bound_call *call, nb_error *err)
{
    return bind_parse(call, NB_TYPE_TIMESTAMP_NTZ, parse_local, false, "try_to_timestamp", err);
}

static nb_status
seconds_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int64_t, out)[i] = NB_DATA(int64_t, args)[i] / 1000000; /* toward zero */
    }
    return NB_OK;
}

nb_status
nb_bind_unix_timestamp(nb_bound_call *call, nb_error *err)
{
    if (call->n_args == 0) {
        call->replacement =
            nb_expr_int64(call->arena, nb_floor_div(call->info->query_start_us, 1000000));
        return call->replacement ? NB_OK : NB_NOMEM;
    }
    const nb_type *t = call->args[0]->type;
    if (t->id == NB_TYPE_DATE || t->id == NB_TYPE_TIMESTAMP || t->id == NB_TYPE_TIMESTAMP_NTZ) {
        NB_TRY(nb_expr_cast(call->arena, call->args[0], nb_type_of(NB_TYPE_TIMESTAMP), NB_CAST_ANSI,
                            &call->args[0], err));
        call->n_args = 1; /* a pattern has nothing to say here */
        call->nullable |= !call->info->ansi;
        return nb_bound(call, NB_TYPE_INT64, seconds_kernel);
    }
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    NB_TRY(bind_format(call, 1, true, call->info->ansi ? TEXT_ANSI : TEXT_NULL, "try_to_timestamp",
                       err));
    return nb_bound(call, NB_TYPE_INT64, parse_seconds);
}

/* ---- formatting ---------------------------------------------------------------------------------------------------------------------- */

static nb_status
format_rows(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, int64_t factor,
            nb_vector *out)
{
    nb_zone_cursor zone = {.zone = ctx->info->zone};
    nb_text_writer w = {.arena = ctx->arena};
    format_cache cache = {0};
    int64_t step = nb_step(&args[0]);

    for (int64_t i = 0; i < n; i++) {
        int64_t utc;
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        NB_TRY(row_format(ctx, n_args > 1 ? &args[1] : NULL, i, &cache));
        if (__builtin_mul_overflow(NB_DATA(int64_t, &args[0])[i * step], factor, &utc)) {
            return nb_raise(ctx->err, NB_COND_ARITHMETIC_OVERFLOW, "message", "long overflow",
                            "alternative", "", "config", "\"spark.sql.ansi.enabled\"", NULL);
        }
        char *text = nb_text_room(&w, nb_datetime_format_max(cache.format));
        if (text == NULL) {
            return NB_NOMEM;
        }
        size_t len = nb_datetime_format_write(cache.format, nb_zone_to_local(&zone, utc), zone.zone,
                                              utc, text);
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

static nb_status
date_format_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return format_rows(ctx, args, n_args, n, 1, out);
}

static nb_status
from_unixtime_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                     nb_vector *out)
{
    return format_rows(ctx, args, n_args, n, 1000000, out);
}

nb_status
nb_bind_date_format(nb_bound_call *call, nb_error *err)
{
    if (call->args[0]->type->id == NB_TYPE_TIMESTAMP_NTZ) {
        NB_TRY(nb_expr_cast(call->arena, call->args[0], nb_type_of(NB_TYPE_TIMESTAMP), NB_CAST_ANSI,
                            &call->args[0], err));
    }
    NB_TRY(nb_bind_time(call, 0, err));
    NB_TRY(bind_format(call, 1, false, TEXT_ANSI, "", err));
    return nb_bound(call, NB_TYPE_STRING, date_format_kernel);
}

nb_status
nb_bind_from_unixtime(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_INT64, err));
    NB_TRY(bind_format(call, 1, false, TEXT_ANSI, "", err));
    return nb_bound(call, NB_TYPE_STRING, from_unixtime_kernel);
}

/* ---- zones --------------------------------------------------------------------------------------------------------------------------- */

typedef struct zone_cache {
    nb_zone_cursor cursor;
    nb_str name;
} zone_cache;

static nb_status
row_zone(nb_kernel_ctx *ctx, const nb_vector *names, int64_t i, zone_cache *c)
{
    nb_str name = nb_row_str(names, i);

    if (c->cursor.zone == NULL || !nb_str_equal(name, c->name)) {
        nb_zone_cursor fresh = {0};
        NB_TRY(nb_zone_find(name, &fresh.zone, ctx->err));
        c->cursor = fresh;
        c->name = name;
    }
    return NB_OK;
}

static nb_status
shift_zone(nb_kernel_ctx *ctx, const nb_vector *args, int64_t n, bool from_utc, nb_vector *out)
{
    zone_cache c = {0};
    int64_t step = nb_step(&args[0]);

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        NB_TRY(row_zone(ctx, &args[1], i, &c));
        int64_t t = NB_DATA(int64_t, &args[0])[i * step];
        NB_DATA(int64_t, out)
        [i] = from_utc ? nb_zone_to_local(&c.cursor, t) : nb_zone_to_utc(&c.cursor, t);
    }
    return NB_OK;
}

static nb_status
from_utc_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return shift_zone(ctx, args, n, true, out);
}

static nb_status
to_utc_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return shift_zone(ctx, args, n, false, out);
}

static nb_status
bind_shift(nb_bound_call *call, nb_kernel_fn kernel, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_TIMESTAMP, err));
    NB_TRY(nb_bind_all(call, 1, 2, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_TIMESTAMP, kernel);
}

nb_status
nb_bind_from_utc_timestamp(nb_bound_call *call, nb_error *err)
{
    return bind_shift(call, from_utc_kernel, err);
}

nb_status
nb_bind_to_utc_timestamp(nb_bound_call *call, nb_error *err)
{
    return bind_shift(call, to_utc_kernel, err);
}

/* convert_timezone([from,] to, local time) */
static nb_status
convert_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    zone_cache from = {0}, to = {0};
    const nb_vector *times = &args[n_args - 1];
    int64_t step = nb_step(times);

    from.cursor.zone = ctx->info->zone;
    from.name = ctx->info->time_zone;
    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (n_args == 3) {
            NB_TRY(row_zone(ctx, &args[0], i, &from));
        }
        NB_TRY(row_zone(ctx, &args[n_args - 2], i, &to));
        NB_DATA(int64_t, out)
        [i] = nb_zone_to_local(&to.cursor,
                               nb_zone_to_utc(&from.cursor, NB_DATA(int64_t, times)[i * step]));
    }
    return NB_OK;
}

nb_status
nb_bind_convert_timezone(nb_bound_call *call, nb_error *err)
{
    int last = call->n_args - 1;

    NB_TRY(nb_bind_all(call, 0, last, NB_TYPE_STRING, err));
    if (call->args[last]->type->id == NB_TYPE_TIMESTAMP ||
        call->args[last]->type->id == NB_TYPE_DATE) {
        NB_TRY(nb_expr_cast(call->arena, call->args[last], nb_type_of(NB_TYPE_TIMESTAMP_NTZ),
                            NB_CAST_ANSI, &call->args[last], err));
    }
    NB_TRY(nb_bind_all(call, last, last + 1, NB_TYPE_TIMESTAMP_NTZ, err));
    return nb_bound(call, NB_TYPE_TIMESTAMP_NTZ, convert_kernel);
}
