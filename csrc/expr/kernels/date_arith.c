/* SPDX-License-Identifier: Apache-2.0 */
/*
 * date_arith.c: steps and distances between dates and times: date_add … months_between, trunc, timestampadd, timestampdiff.
 *
 * Days and months are calendar steps in the session's zone for instants; hours and smaller units are exact.
 */
#include <math.h>
#include <stdio.h>

#include "expr/date_text.h"
#include "expr/kernels/scalar.h"
#include "expr/zone.h"

/* ---- days ---------------------------------------------------------------------------------------------------------------------------- */

NB_INLINE int64_t
int_at(const nb_vector *v, int64_t i)
{
    i = v->kind == NB_VEC_CONST ? 0 : i;
    switch (v->type->phys) {
    case NB_PHYS_INT8: return NB_DATA(int8_t, v)[i];
    case NB_PHYS_INT16: return NB_DATA(int16_t, v)[i];
    case NB_PHYS_INT32: return NB_DATA(int32_t, v)[i];
    default: return NB_DATA(int64_t, v)[i];
    }
}

static nb_status
overflow(nb_kernel_ctx *ctx, const char *operation)
{
    return nb_raise(ctx->err, NB_COND_DATETIME_OVERFLOW, "operation", operation, NULL);
}

NB_INLINE nb_status
add_days(const nb_vector *args, int64_t n, int sign, nb_vector *out)
{
    const int32_t *d = args[0].data;
    int64_t step = nb_step(&args[0]);
    uint32_t *x = out->data;

    /* As in Java, the sum wraps around. */
    for (int64_t i = 0; i < n; i++) {
        x[i] = (uint32_t)d[i * step] + (uint32_t)(sign * int_at(&args[1], i));
    }
    return NB_OK;
}

static nb_status
date_add_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return add_days(args, n, 1, out);
}

static nb_status
date_sub_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return add_days(args, n, -1, out);
}

static nb_status
bind_days(nb_bound_call *call, nb_kernel_fn kernel, nb_error *err)
{
    const nb_type *t = call->args[1]->type;

    NB_TRY(nb_bind_date(call, 0, err));
    if (nb_type_is_string(t) || t->id == NB_TYPE_NULL) {
        NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    } else if (t->id < NB_TYPE_INT8 || t->id > NB_TYPE_INT32) {
        return nb_bind_mismatch(call, 1, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")", err);
    }
    return nb_bound(call, NB_TYPE_DATE, kernel);
}

static nb_status
bind_date_add(nb_bound_call *call, nb_error *err)
{
    return bind_days(call, date_add_kernel, err);
}

nb_status
nb_bind_date_sub(nb_bound_call *call, nb_error *err)
{
    return bind_days(call, date_sub_kernel, err);
}

static nb_status
datediff_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const uint32_t *a = args[0].data, *b = args[1].data;
    int64_t sa = nb_step(&args[0]), sb = nb_step(&args[1]);

    for (int64_t i = 0; i < n; i++) {
        NB_DATA(uint32_t, out)[i] = a[i * sa] - b[i * sb];
    }
    return NB_OK;
}

/* ---- months -------------------------------------------------------------------------------------------------------------------------- */

/* The same day of the month, or its last one; false when beyond the years that exist. */
static bool
plus_months(int32_t days, int64_t months, int32_t *out)
{
    nb_civil c = nb_civil_from_days(days);
    int64_t total = (int64_t)c.year * 12 + (c.month - 1) + months, year = nb_floor_div(total, 12);
    int month = (int)(total - year * 12) + 1;

    if (year < -5877641 + 1 || year > 5881580 - 1) {
        return false;
    }
    *out = nb_days_from_civil((int32_t)year, month, NB_MIN(c.day, nb_days_in_month(year, month)));
    return true;
}

static nb_status
add_months_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int64_t step = nb_step(&args[0]);

    for (int64_t i = 0; i < n; i++) {
        if (!plus_months(NB_DATA(int32_t, &args[0])[i * step], int_at(&args[1], i),
                         &NB_DATA(int32_t, out)[i]) &&
            nb_is_valid(out->validity, i)) {
            return overflow(ctx, "add months to a date");
        }
    }
    return NB_OK;
}

nb_status
nb_bind_add_months(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_date(call, 0, err));
    if (call->args[1]->type->id != NB_TYPE_INTERVAL_YM) {
        NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    }
    return nb_bound(call, NB_TYPE_DATE, add_months_kernel);
}

static nb_status
last_day_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        int32_t d = NB_DATA(int32_t, args)[i];
        nb_civil c = nb_civil_from_days(d);
        NB_DATA(uint32_t, out)
        [i] = (uint32_t)d + (uint32_t)(nb_days_in_month(c.year, c.month) - c.day);
    }
    return NB_OK;
}

nb_status
nb_bind_last_day(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_date(call, 0, err));
    return nb_bound(call, NB_TYPE_DATE, last_day_kernel);
}

/* Spark's monthsBetween: whole months when the days agree or both are last days, else 31-day months by the second. */
static nb_status
months_between_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                      nb_vector *out)
{
    nb_zone_cursor zone = {.zone = ctx->info->zone}, zone2 = zone;
    int64_t s[3] = {nb_step(&args[0]), nb_step(&args[1]), n_args > 2 ? nb_step(&args[2]) : 0};

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        int64_t a = NB_DATA(int64_t, &args[0])[i * s[0]], b = NB_DATA(int64_t, &args[1])[i * s[1]];
        bool round_off = n_args < 3 || NB_DATA(uint8_t, &args[2])[i * s[2]];
        a = args[0].type->id == NB_TYPE_TIMESTAMP ? nb_zone_to_local(&zone, a) : a;
        b = args[1].type->id == NB_TYPE_TIMESTAMP ? nb_zone_to_local(&zone2, b) : b;
        int64_t day_a = nb_floor_div(a, NB_US_PER_DAY), day_b = nb_floor_div(b, NB_US_PER_DAY);
        nb_civil ca = nb_civil_from_days((int32_t)day_a), cb = nb_civil_from_days((int32_t)day_b);
        double months =
            (double)((int64_t)ca.year * 12 + ca.month - (int64_t)cb.year * 12 - cb.month);
        bool last_a = ca.day == nb_days_in_month(ca.year, ca.month),
             last_b = cb.day == nb_days_in_month(cb.year, cb.month);
        if (ca.day != cb.day && !(last_a && last_b)) {
            int64_t sec_a = (a - day_a * NB_US_PER_DAY) / 1000000,
                    sec_b = (b - day_b * NB_US_PER_DAY) / 1000000;
            int64_t seconds = (int64_t)(ca.day - cb.day) * 86400 + sec_a - sec_b;
            months += (double)seconds / (31.0 * 86400);
            if (round_off) {
                months = floor(months * 1e8 + 0.5) / 1e8;
            }
        }
        NB_DATA(double, out)[i] = months;
    }
    return NB_OK;
}

nb_status
nb_bind_months_between(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_time(call, 0, err));
    NB_TRY(nb_bind_time(call, 1, err));
    NB_TRY(nb_bind_all(call, 2, 3, NB_TYPE_BOOL, err));
    return nb_bound(call, NB_TYPE_FLOAT64, months_between_kernel);
}

/* ---- next_day ------------------------------------------------------------------------------------------------------------------------ */

/* 0 = Monday; -1 when it is none. */
static int
weekday_by_name(nb_str s)
{
    static const char *const names[7] = {"MO|MON|MONDAY",   "TU|TUE|TUESDAY", "WE|WED|WEDNESDAY",
                                         "TH|THU|THURSDAY", "FR|FRI|FRIDAY",  "SA|SAT|SATURDAY",
                                         "SU|SUN|SUNDAY"};

    for (int d = 0; d < 7; d++) {
        for (const char *p = names[d]; *p; p += *p == '|') {
            size_t n = strcspn(p, "|");
            if (nb_str_equal_nocase((nb_str){p, n}, s)) {
                return d;
            }
            p += n;
        }
    }
    return -1;
}

static nb_status
next_day_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int64_t step = nb_step(&args[0]);

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        int32_t d = NB_DATA(int32_t, &args[0])[i * step];
        nb_str name = nb_row_str(&args[1], i);
        int weekday = weekday_by_name(name);
        if (weekday < 0) {
            if (ctx->info->ansi) {
                char text[64];
                snprintf(text, sizeof text, "%.*s", (int)NB_MIN(name.len, 60), name.data);
                return nb_raise(ctx->err, NB_COND_ILLEGAL_DAY_OF_WEEK, "string", text, NULL);
            }
            NB_TRY(nb_row_null(ctx, out, i));
            continue;
        }
        NB_DATA(int32_t, out)
        [i] = (int32_t)(d + 1 + nb_floor_mod(weekday - 1 - ((int64_t)d + 3), 7));
    }
    return NB_OK;
}

nb_status
nb_bind_next_day(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_date(call, 0, err));
    NB_TRY(nb_bind_all(call, 1, 2, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_DATE, next_day_kernel);
}

/* ---- trunc, date_trunc --------------------------------------------------------------------------------------------------------------- */

typedef enum unit {
    UNIT_NONE,
    UNIT_MICROSECOND,
    UNIT_MILLISECOND,
    UNIT_SECOND,
    UNIT_MINUTE,
    UNIT_HOUR,
    UNIT_DAY,
    UNIT_WEEK,
    UNIT_MONTH,
    UNIT_QUARTER,
    UNIT_YEAR,
} unit;

static unit
unit_by_name(nb_str s)
{
    static const struct {
        const char *name;
        unit unit;
    } names[] = {
        {"MICROSECOND", UNIT_MICROSECOND},
        {"MILLISECOND", UNIT_MILLISECOND},
        {"SECOND", UNIT_SECOND},
        {"MINUTE", UNIT_MINUTE},
        {"HOUR", UNIT_HOUR},
        {"DAY", UNIT_DAY},
        {"DD", UNIT_DAY},
        {"WEEK", UNIT_WEEK},
        {"MON", UNIT_MONTH},
        {"MONTH", UNIT_MONTH},
        {"MM", UNIT_MONTH},
        {"QUARTER", UNIT_QUARTER},
        {"YEAR", UNIT_YEAR},
        {"YYYY", UNIT_YEAR},
        {"YY", UNIT_YEAR},
    };

    for (size_t i = 0; i < NB_COUNT_OF(names); i++) {
        if (nb_str_equal_nocase(s, nb_str_of(names[i].name))) {
            return names[i].unit;
        }
    }
    return UNIT_NONE;
}

/* The first day of the date's week, month … */
static int32_t
trunc_days(int32_t d, unit u)
{
    nb_civil c;

    switch (u) {
    case UNIT_WEEK: return d - (int32_t)nb_floor_mod((int64_t)d + 3, 7);
    case UNIT_MONTH: c = nb_civil_from_days(d); return d - (c.day - 1);
    case UNIT_QUARTER:
        c = nb_civil_from_days(d);
        return nb_days_from_civil(c.year, (c.month - 1) / 3 * 3 + 1, 1);
    case UNIT_YEAR: c = nb_civil_from_days(d); return nb_days_from_civil(c.year, 1, 1);
    default: return d;
    }
}

static nb_status
trunc_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int64_t step = nb_step(&args[0]);
    unit u = UNIT_NONE;

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (i == 0 || args[1].kind != NB_VEC_CONST) {
            u = unit_by_name(nb_row_str(&args[1], i));
        }
        if (u < UNIT_WEEK) {
            if (args[1].kind == NB_VEC_CONST) {
                u = unit_by_name(nb_row_str(&args[1], 0));
            }
            if (u < UNIT_WEEK) {
                NB_TRY(nb_row_null(ctx, out, i));
                continue;
            }
        }
        NB_DATA(int32_t, out)[i] = trunc_days(NB_DATA(int32_t, &args[0])[i * step], u);
    }
    return NB_OK;
}

nb_status
nb_bind_trunc(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_date(call, 0, err));
    NB_TRY(nb_bind_all(call, 1, 2, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_DATE, trunc_kernel);
}

static const int64_t unit_us[] = {
    [UNIT_MICROSECOND] = 1,          [UNIT_MILLISECOND] = 1000,  [UNIT_SECOND] = 1000000,
    [UNIT_MINUTE] = 60000000,        [UNIT_HOUR] = 3600000000LL, [UNIT_DAY] = NB_US_PER_DAY,
    [UNIT_WEEK] = 7 * NB_US_PER_DAY,
};

static nb_status
date_trunc_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_zone_cursor zone = {.zone = ctx->info->zone};
    int64_t step = nb_step(&args[1]);
    bool instant = args[1].type->id == NB_TYPE_TIMESTAMP;
    unit u = args[0].kind == NB_VEC_CONST && !nb_vector_is_null(&args[0], 0)
                 ? unit_by_name(nb_row_str(&args[0], 0))
                 : UNIT_NONE;

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (args[0].kind != NB_VEC_CONST) {
            u = unit_by_name(nb_row_str(&args[0], i));
        }
        if (u == UNIT_NONE) {
            NB_TRY(nb_row_null(ctx, out, i));
            continue;
        }
        int64_t t = NB_DATA(int64_t, &args[1])[i * step];
        if (u <= UNIT_SECOND) {
            NB_DATA(int64_t, out)[i] = t - nb_floor_mod(t, unit_us[u]);
            continue;
        }
        int64_t local = instant ? nb_zone_to_local(&zone, t) : t, cut;
        if (u <= UNIT_HOUR) {
            /* Minutes and hours are cut from the instant itself: an hour that the clock repeats stays where it was. */
            NB_DATA(int64_t, out)[i] = t - nb_floor_mod(local, unit_us[u]);
            continue;
        }
        cut = (int64_t)trunc_days((int32_t)nb_floor_div(local, NB_US_PER_DAY), u) * NB_US_PER_DAY;
        NB_DATA(int64_t, out)[i] = instant ? nb_zone_to_utc(&zone, cut) : cut;
    }
    return NB_OK;
}

nb_status
nb_bind_date_trunc(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    if (call->args[1]->type->id == NB_TYPE_TIMESTAMP_NTZ) {
        NB_TRY(nb_expr_cast(call->arena, call->args[1], nb_type_of(NB_TYPE_TIMESTAMP), NB_CAST_ANSI,
                            &call->args[1], err));
    }
    NB_TRY(nb_bind_time(call, 1, err));
    return nb_bound(call, NB_TYPE_TIMESTAMP, date_trunc_kernel);
}

/* ---- timestampadd, timestampdiff ----------------------------------------------------------------------------------------------------- */

typedef struct unit_payload {
    unit unit;
} unit_payload;

static nb_status
bind_unit(nb_bound_call *call, nb_error *err)
{
    unit_payload *p = NB_ARENA_NEW(call->arena, unit_payload);
    bool found;
    nb_str name;

    if (p == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    NB_TRY(nb_bind_text(call, 0, &found, &name, err));
    if (name.data == NULL) {
        return nb_bind_mismatch(call, 0, "foldable \"STRING\"", err);
    }
    p->unit = nb_str_equal_nocase(name, NB_STR("DAYOFYEAR")) ? UNIT_DAY : unit_by_name(name);
    if (p->unit == UNIT_NONE) {
        return nb_raise(
            err, NB_COND_INVALID_DATETIME_UNIT, "functionName",
            nb_arena_printf(call->arena, "`%.*s`", (int)call->name.len, call->name.data),
            "invalidValue", nb_arena_printf(call->arena, "'%.*s'", (int)name.len, name.data), NULL);
    }
    call->payload = p;
    return NB_OK;
}

static nb_status
timestampadd_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                    nb_vector *out)
{
    unit u = ((const unit_payload *)ctx->expr->u.call.payload)->unit;
    nb_zone_cursor zone = {.zone = ctx->info->zone};
    bool instant = args[2].type->id == NB_TYPE_TIMESTAMP;
    int64_t step = nb_step(&args[2]);

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        int64_t t = NB_DATA(int64_t, &args[2])[i * step], amount = int_at(&args[1], i), r = 0;
        bool bad;
        if (u <= UNIT_HOUR) {
            bad =
                __builtin_mul_overflow(amount, unit_us[u], &r) || __builtin_add_overflow(t, r, &r);
        } else {
            int64_t local = instant ? nb_zone_to_local(&zone, t) : t;
            if (u <= UNIT_WEEK) {
                bad = __builtin_mul_overflow(amount, unit_us[u], &r) ||
                      __builtin_add_overflow(local, r, &r);
            } else {
                int32_t day;
                int64_t days = nb_floor_div(local, NB_US_PER_DAY), months;
                int64_t per = u == UNIT_MONTH ? 1 : u == UNIT_QUARTER ? 3 : 12;
                bad = __builtin_mul_overflow(amount, per, &months) || months > INT32_MAX ||
                      months < INT32_MIN || !plus_months((int32_t)days, months, &day) ||
                      __builtin_mul_overflow((int64_t)day, NB_US_PER_DAY, &r) ||
                      __builtin_add_overflow(r, local - days * NB_US_PER_DAY, &r);
            }
            if (!bad && instant) {
                r = nb_zone_to_utc(&zone, r);
            }
        }
        if (NB_UNLIKELY(bad)) {
            return overflow(ctx, "add to a timestamp");
        }
        NB_DATA(int64_t, out)[i] = r;
    }
    return NB_OK;
}

/* timestampadd('unit', amount, time) */
nb_status
nb_bind_timestampadd(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_unit(call, err));
    NB_TRY(nb_bind_all(call, 1, 2, NB_TYPE_INT64, err));
    NB_TRY(nb_bind_time(call, 2, err));
    return nb_bound(call, call->args[2]->type->id, timestampadd_kernel);
}

/* Whole months from a to b, both local. */
static int64_t
months_until(int64_t a, int64_t b)
{
    int64_t day_a = nb_floor_div(a, NB_US_PER_DAY), day_b = nb_floor_div(b, NB_US_PER_DAY);
    nb_civil ca = nb_civil_from_days((int32_t)day_a), cb = nb_civil_from_days((int32_t)day_b);
    int64_t months = ((int64_t)cb.year - ca.year) * 12 + cb.month - ca.month;
    int64_t rest_a = ca.day * NB_US_PER_DAY + a - day_a * NB_US_PER_DAY,
            rest_b = cb.day * NB_US_PER_DAY + b - day_b * NB_US_PER_DAY;

    if (months > 0 && rest_b < rest_a) {
        months--;
    } else if (months < 0 && rest_b > rest_a) {
        months++;
    }
    return months;
}

static nb_status
timestampdiff_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                     nb_vector *out)
{
    unit u = ((const unit_payload *)ctx->expr->u.call.payload)->unit;
    nb_zone_cursor za = {.zone = ctx->info->zone}, zb = za;
    int64_t sa = nb_step(&args[1]), sb = nb_step(&args[2]);

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        int64_t a = NB_DATA(int64_t, &args[1])[i * sa], b = NB_DATA(int64_t, &args[2])[i * sb], d;
        if (u > UNIT_HOUR) {
            a = args[1].type->id == NB_TYPE_TIMESTAMP ? nb_zone_to_local(&za, a) : a;
            b = args[2].type->id == NB_TYPE_TIMESTAMP ? nb_zone_to_local(&zb, b) : b;
        }
        if (u > UNIT_WEEK) {
            d = months_until(a, b) / (u == UNIT_MONTH ? 1 : u == UNIT_QUARTER ? 3 : 12);
        } else if (__builtin_sub_overflow(b, a, &d)) {
            return overflow(ctx, "subtract timestamps");
        } else {
            d /= unit_us[u];
        }
        NB_DATA(int64_t, out)[i] = d;
    }
    return NB_OK;
}

/* timestampdiff('unit', from, to) */
nb_status
nb_bind_timestampdiff(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_unit(call, err));
    NB_TRY(nb_bind_time(call, 1, err));
    NB_TRY(nb_bind_time(call, 2, err));
    return nb_bound(call, NB_TYPE_INT64, timestampdiff_kernel);
}

/* datediff(end, start), or datediff('unit', from, to) */
nb_status
nb_bind_datediff(nb_bound_call *call, nb_error *err)
{
    if (call->n_args == 3) {
        return nb_bind_timestampdiff(call, err);
    }
    NB_TRY(nb_bind_date(call, 0, err));
    NB_TRY(nb_bind_date(call, 1, err));
    return nb_bound(call, NB_TYPE_INT32, datediff_kernel);
}

/* date_add(date, days), or dateadd('unit', amount, time) */
nb_status
nb_bind_dateadd(nb_bound_call *call, nb_error *err)
{
    return call->n_args == 3 ? nb_bind_timestampadd(call, err) : bind_date_add(call, err);
}
