/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datetime_make.c: dates, times and intervals from numbers, and back: current_*, make_*, timestamp_seconds, unix_*; starts of
 * windows of time.
 */
#include <math.h>
#include <stdio.h>

#include "expr/date_text.h"
#include "expr/kernels/scalar.h"
#include "expr/zone.h"

/* ---- now ----------------------------------------------------------------------------------------------------------------------------- */

static nb_status
constant(nb_bound_call *call, nb_type_id type, int64_t value)
{
    int32_t narrow = (int32_t)value;
    nb_vector v = {.type = nb_type_of(type), .kind = NB_VEC_CONST, .n_rows = 1, .data = &value};

    if (v.type->phys == NB_PHYS_INT32) {
        v.data = &narrow;
    }
    call->replacement = nb_expr_literal(call->arena, &v);
    return call->replacement ? NB_OK : NB_NOMEM;
}

static int64_t
local_now(const nb_session_info *info)
{
    nb_zone_cursor zone = {.zone = info->zone};

    return nb_zone_to_local(&zone, info->query_start_us);
}

nb_status
nb_bind_current_timestamp(nb_bound_call *call, nb_error *err)
{
    return constant(call, NB_TYPE_TIMESTAMP, call->info->query_start_us);
}

nb_status
nb_bind_localtimestamp(nb_bound_call *call, nb_error *err)
{
    return constant(call, NB_TYPE_TIMESTAMP_NTZ, local_now(call->info));
}

nb_status
nb_bind_current_date(nb_bound_call *call, nb_error *err)
{
    return constant(call, NB_TYPE_DATE, nb_floor_div(local_now(call->info), NB_US_PER_DAY));
}

nb_status
nb_bind_current_timezone(nb_bound_call *call, nb_error *err)
{
    call->replacement = nb_expr_string(call->arena, call->info->time_zone);
    return call->replacement ? NB_OK : NB_NOMEM;
}

/* ---- from numbers -------------------------------------------------------------------------------------------------------------------- */

static nb_status
scaled_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int64_t factor = *(const int64_t *)ctx->expr->u.call.payload;

    for (int64_t i = 0; i < n; i++) {
        if (__builtin_mul_overflow(NB_DATA(int64_t, args)[i], factor, &NB_DATA(int64_t, out)[i]) &&
            nb_is_valid(out->validity, i)) {
            return nb_raise(ctx->err, NB_COND_ARITHMETIC_OVERFLOW, "message", "long overflow",
                            "alternative", "", "config", "\"spark.sql.ansi.enabled\"", NULL);
        }
    }
    return NB_OK;
}

static nb_status
seconds_double_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                      nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        double x = NB_DATA(double, args)[i] * 1e6;
        if (!isfinite(x)) {
            NB_TRY(nb_row_null(ctx, out, i));
            NB_DATA(int64_t, out)[i] = 0;
        } else {
            NB_DATA(int64_t, out)
            [i] = x >= 9223372036854775807.0    ? INT64_MAX
                  : x <= -9223372036854775808.0 ? INT64_MIN
                                                : (int64_t)x;
        }
    }
    return NB_OK;
}

static nb_status
seconds_decimal_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                       nb_vector *out)
{
    const nb_type *t = args->type;

    for (int64_t i = 0; i < n; i++) {
        nb_int128 x = t->phys == NB_PHYS_INT64 ? (nb_int128)NB_DATA(int64_t, args)[i]
                                               : NB_DATA(nb_int128, args)[i];
        int scale = t->scale;
        bool inexact = false;
        for (; scale < 6; scale++) {
            x *= 10;
        }
        for (; scale > 6; scale--) {
            inexact |= x % 10 != 0;
            x /= 10;
        }
        if ((inexact || x > INT64_MAX || x < INT64_MIN) && nb_is_valid(out->validity, i)) {
            return nb_raise(ctx->err, NB_COND_ARITHMETIC_OVERFLOW, "message",
                            inexact ? "Rounding necessary" : "long overflow", "alternative", "",
                            "config", "\"spark.sql.ansi.enabled\"", NULL);
        }
        NB_DATA(int64_t, out)[i] = (int64_t)x;
    }
    return NB_OK;
}

static nb_status
bind_scaled(nb_bound_call *call, int64_t factor, nb_error *err)
{
    int64_t *payload = NB_ARENA_NEW(call->arena, int64_t);

    if (payload == NULL) {
        return NB_NOMEM;
    }
    *payload = factor;
    call->payload = payload;
    if (!nb_type_is_integral(call->args[0]->type) && call->args[0]->type->id != NB_TYPE_NULL) {
        return nb_bind_mismatch(call, 0, "\"INTEGRAL\"", err);
    }
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_INT64, err));
    return nb_bound(call, NB_TYPE_TIMESTAMP, scaled_kernel);
}

nb_status
nb_bind_timestamp_seconds(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[0]->type;

    if (t->id == NB_TYPE_DECIMAL) {
        return nb_bound(call, NB_TYPE_TIMESTAMP, seconds_decimal_kernel);
    }
    if (t->id == NB_TYPE_FLOAT32 || t->id == NB_TYPE_FLOAT64 || nb_type_is_string(t)) {
        NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_FLOAT64, err));
        call->nullable = true;
        return nb_bound(call, NB_TYPE_TIMESTAMP, seconds_double_kernel);
    }
    return bind_scaled(call, 1000000, err);
}

nb_status
nb_bind_timestamp_millis(nb_bound_call *call, nb_error *err)
{
    return bind_scaled(call, 1000, err);
}

nb_status
nb_bind_timestamp_micros(nb_bound_call *call, nb_error *err)
{
    return bind_scaled(call, 1, err);
}

#define UNIX(name, divisor)                                                               \
    static nb_status name##_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, \
                                   int64_t n, nb_vector *out)                             \
    {                                                                                     \
        for (int64_t i = 0; i < n; i++) {                                                 \
            NB_DATA(int64_t, out)[i] = nb_floor_div(NB_DATA(int64_t, args)[i], divisor);  \
        }                                                                                 \
        return NB_OK;                                                                     \
    }                                                                                     \
    nb_status nb_bind_##name(nb_bound_call *call, nb_error *err)                          \
    {                                                                                     \
        NB_TRY(nb_bind_exact(call, 0, 1, NB_TYPE_TIMESTAMP, err));                        \
        return nb_bound(call, NB_TYPE_INT64, name##_kernel);                              \
    }
UNIX(unix_seconds, 1000000)
UNIX(unix_millis, 1000)
UNIX(unix_micros, 1)

static nb_status
same_int_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    memcpy(out->data, args[0].data, (size_t)n * sizeof(int32_t));
    return NB_OK;
}

nb_status
nb_bind_unix_date(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_exact(call, 0, 1, NB_TYPE_DATE, err));
    return nb_bound(call, NB_TYPE_INT32, same_int_kernel);
}

nb_status
nb_bind_date_from_unix_date(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_INT32, err));
    return nb_bound(call, NB_TYPE_DATE, same_int_kernel);
}

/* ---- make_date, make_timestamp ------------------------------------------------------------------------------------------------------- */

typedef enum make_mode { MAKE_ANSI, MAKE_NULL } make_mode;

typedef struct make_payload {
    make_mode mode;
    bool local; /* result is TIMESTAMP_NTZ */
} make_payload;

static const char *const month_words[12] = {"JANUARY",   "FEBRUARY", "MARCH",    "APRIL",
                                            "MAY",       "JUNE",     "JULY",     "AUGUST",
                                            "SEPTEMBER", "OCTOBER",  "NOVEMBER", "DECEMBER"};

/* Says what is wrong with the fields; false when nothing is. */
static bool
bad_date(int64_t year, int64_t month, int64_t day, char *text, size_t size)
{
    if (year < -999999999 || year > 999999999) {
        snprintf(text, size, "Invalid value for Year (valid values -999999999 - 999999999): %lld",
                 (long long)year);
    } else if (month < 1 || month > 12) {
        snprintf(text, size, "Invalid value for MonthOfYear (valid values 1 - 12): %lld",
                 (long long)month);
    } else if (day < 1 || day > 31) {
        snprintf(text, size, "Invalid value for DayOfMonth (valid values 1 - 28/31): %lld",
                 (long long)day);
    } else if (day > nb_days_in_month(year, (int)month)) {
        if (day == 29) {
            snprintf(text, size, "Invalid date 'February 29' as '%lld' is not a leap year",
                     (long long)year);
        } else {
            snprintf(text, size, "Invalid date '%s %lld'", month_words[month - 1], (long long)day);
        }
    } else if (year < -5877640 || year > 5881579) {
        snprintf(text, size, "integer overflow");
    } else {
        return false;
    }
    return true;
}

static nb_status
out_of_bounds(nb_kernel_ctx *ctx, const char *text)
{
    return nb_raise(ctx->err, NB_COND_DATETIME_FIELD_OUT_OF_BOUNDS, "rangeMessage", text,
                    "ansiConfig", "\"spark.sql.ansi.enabled\"", NULL);
}

static nb_status
make_date_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const make_payload *p = ctx->expr->u.call.payload;
    int64_t s[3] = {nb_step(&args[0]), nb_step(&args[1]), nb_step(&args[2])};
    char text[128];

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        int32_t y = NB_DATA(int32_t, &args[0])[i * s[0]], m = NB_DATA(int32_t, &args[1])[i * s[1]],
                d = NB_DATA(int32_t, &args[2])[i * s[2]];
        if (bad_date(y, m, d, text, sizeof text)) {
            if (p->mode == MAKE_ANSI) {
                return out_of_bounds(ctx, text);
            }
            NB_TRY(nb_row_null(ctx, out, i));
            continue;
        }
        NB_DATA(int32_t, out)[i] = nb_days_from_civil(y, m, d);
    }
    return NB_OK;
}

static nb_status
make_new(nb_bound_call *call, make_mode mode, bool local)
{
    make_payload *p = NB_ARENA_NEW(call->arena, make_payload);

    if (p == NULL) {
        return NB_NOMEM;
    }
    p->mode = mode;
    p->local = local;
    call->payload = p;
    call->nullable |= mode == MAKE_NULL;
    call->can_fail = mode == MAKE_ANSI;
    return NB_OK;
}

nb_status
nb_bind_make_date(nb_bound_call *call, nb_error *err)
{
    NB_TRY(make_new(call, call->info->ansi ? MAKE_ANSI : MAKE_NULL, false));
    NB_TRY(nb_bind_all(call, 0, 3, NB_TYPE_INT32, err));
    return nb_bound(call, NB_TYPE_DATE, make_date_kernel);
}

static nb_status
make_timestamp_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                      nb_vector *out)
{
    const make_payload *p = ctx->expr->u.call.payload;
    nb_zone_cursor zone = {.zone = ctx->info->zone};
    nb_str zone_name = {NULL, 0};
    int64_t s[7];
    char text[160];

    for (int k = 0; k < n_args; k++) {
        s[k] = nb_step(&args[k]);
    }
    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        int32_t v[5];
        for (int k = 0; k < 5; k++) {
            v[k] = NB_DATA(int32_t, &args[k])[i * s[k]];
        }
        int64_t us = NB_DATA(int64_t, &args[5])[i * s[5]]; /* decimal(16,6) */
        bool bad = bad_date(v[0], v[1], v[2], text, sizeof text), fraction = false;
        if (!bad && (v[3] < 0 || v[3] > 23)) {
            bad = true;
            snprintf(text, sizeof text, "Invalid value for HourOfDay (valid values 0 - 23): %d",
                     v[3]);
        }
        if (!bad && (v[4] < 0 || v[4] > 59)) {
            bad = true;
            snprintf(text, sizeof text, "Invalid value for MinuteOfHour (valid values 0 - 59): %d",
                     v[4]);
        }
        if (!bad && us > 60000000) {
            bad = fraction = us < 61000000;
            if (!bad) {
                bad = true;
                snprintf(text, sizeof text,
                         "Invalid value for SecondOfMinute (valid values 0 - 59): %lld",
                         (long long)(us / 1000000));
            }
        }
        if (!bad && us < 0) {
            bad = true;
            snprintf(text, sizeof text,
                     "Invalid value for SecondOfMinute (valid values 0 - 59): %lld",
                     (long long)nb_floor_div(us, 1000000));
        }
        if (!bad && n_args == 7) {
            nb_str name = nb_row_str(&args[6], i);
            if (zone_name.data == NULL || !nb_str_equal(name, zone_name)) {
                nb_zone_cursor fresh = {.zone = nb_zone_lookup(name)};
                if (fresh.zone == NULL) {
                    if (p->mode == MAKE_NULL) {
                        NB_TRY(nb_row_null(ctx, out, i));
                        continue;
                    }
                    return nb_zone_find(name, &fresh.zone, ctx->err);
                }
                zone = fresh;
                zone_name = name;
            }
        }
        int64_t local = 0;
        if (!bad) {
            bad =
                __builtin_mul_overflow((int64_t)nb_days_from_civil(v[0], v[1], v[2]), NB_US_PER_DAY,
                                       &local) ||
                __builtin_add_overflow(local, v[3] * 3600000000LL + v[4] * 60000000LL + us, &local);
            if (bad) {
                snprintf(text, sizeof text, "long overflow");
            }
        }
        if (bad) {
            if (p->mode == MAKE_NULL) {
                NB_TRY(nb_row_null(ctx, out, i));
                continue;
            }
            if (fraction) {
                snprintf(text, sizeof text, "%lld.%06lld", (long long)(us / 1000000),
                         (long long)(us % 1000000));
                for (size_t k = strlen(text); text[k - 1] == '0'; k--) {
                    text[k - 1] = 0;
                }
                return nb_raise(ctx->err, NB_COND_INVALID_FRACTION_OF_SECOND, "secAndMicros", text,
                                NULL);
            }
            return out_of_bounds(ctx, text);
        }
        NB_DATA(int64_t, out)[i] = p->local ? local : nb_zone_to_utc(&zone, local);
    }
    return NB_OK;
}

static nb_status
bind_make_timestamp(nb_bound_call *call, make_mode mode, bool local, nb_error *err)
{
    NB_TRY(make_new(call, mode, local));
    if (call->n_args < 6) {
        return nb_raise_unsupported(err, "make_timestamp of a date and a time");
    }
    NB_TRY(nb_bind_all(call, 0, 5, NB_TYPE_INT32, err));
    NB_TRY(nb_bind_cast(call, 5, nb_type_decimal(16, 6), err));
    NB_TRY(nb_bind_all(call, 6, 7, NB_TYPE_STRING, err));
    return nb_bound(call, local ? NB_TYPE_TIMESTAMP_NTZ : NB_TYPE_TIMESTAMP, make_timestamp_kernel);
}

nb_status
nb_bind_make_timestamp(nb_bound_call *call, nb_error *err)
{
    return bind_make_timestamp(call, call->info->ansi ? MAKE_ANSI : MAKE_NULL, false, err);
}

nb_status
nb_bind_make_timestamp_ntz(nb_bound_call *call, nb_error *err)
{
    return bind_make_timestamp(call, call->info->ansi ? MAKE_ANSI : MAKE_NULL, true, err);
}

nb_status
nb_bind_try_make_timestamp(nb_bound_call *call, nb_error *err)
{
    return bind_make_timestamp(call, MAKE_NULL, false, err);
}

nb_status
nb_bind_try_make_timestamp_ntz(nb_bound_call *call, nb_error *err)
{
    return bind_make_timestamp(call, MAKE_NULL, true, err);
}

/* ---- intervals ----------------------------------------------------------------------------------------------------------------------- */

static nb_status
interval_overflow(nb_kernel_ctx *ctx)
{
    return nb_raise(ctx->err, NB_COND_ARITHMETIC_OVERFLOW, "message", "integer overflow",
                    "alternative", "", "config", "\"spark.sql.ansi.enabled\"", NULL);
}

/* make_interval(years, months, weeks, days, hours, mins, secs): what is not given is 0. */
static nb_status
make_interval_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                     nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t v[7] = {0}, us;
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        for (int k = 0; k < n_args; k++) {
            int64_t at = i * nb_step(&args[k]);
            v[k] = k < 6 ? NB_DATA(int32_t, &args[k])[at] : NB_DATA(int64_t, &args[k])[at];
        }
        int64_t months = v[0] * 12 + v[1], days = v[2] * 7 + v[3];
        us = v[4] * 3600000000LL + v[5] * 60000000LL;
        if (months != (int32_t)months || days != (int32_t)days ||
            __builtin_add_overflow(us, v[6], &us)) {
            if (ctx->info->ansi) {
                return interval_overflow(ctx);
            }
            NB_TRY(nb_row_null(ctx, out, i));
            continue;
        }
        NB_DATA(nb_interval, out)[i] = (nb_interval){(int32_t)months, (int32_t)days, us};
    }
    return NB_OK;
}

nb_status
nb_bind_make_interval(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 6, NB_TYPE_INT32, err));
    if (call->n_args == 7) {
        NB_TRY(nb_bind_cast(call, 6, nb_type_decimal(18, 6), err));
    }
    return nb_bound(call, NB_TYPE_INTERVAL, make_interval_kernel);
}

static nb_status
make_dt_interval_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                        nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t v[4] = {0}, us;
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        for (int k = 0; k < n_args; k++) {
            int64_t at = i * nb_step(&args[k]);
            v[k] = k < 3 ? NB_DATA(int32_t, &args[k])[at] : NB_DATA(int64_t, &args[k])[at];
        }
        if (__builtin_mul_overflow(v[0], NB_US_PER_DAY, &us) ||
            __builtin_add_overflow(us, v[1] * 3600000000LL, &us) ||
            __builtin_add_overflow(us, v[2] * 60000000LL, &us) ||
            __builtin_add_overflow(us, v[3], &us)) {
            return interval_overflow(ctx);
        }
        NB_DATA(int64_t, out)[i] = us;
    }
    return NB_OK;
}

nb_status
nb_bind_make_dt_interval(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 3, NB_TYPE_INT32, err));
    if (call->n_args == 4) {
        NB_TRY(nb_bind_cast(call, 3, nb_type_decimal(18, 6), err));
    }
    return nb_bound(call, NB_TYPE_INTERVAL_DT, make_dt_interval_kernel);
}

static nb_status
make_ym_interval_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                        nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t years = n_args > 0 ? NB_DATA(int32_t, &args[0])[i * nb_step(&args[0])] : 0;
        int64_t months = n_args > 1 ? NB_DATA(int32_t, &args[1])[i * nb_step(&args[1])] : 0;
        int64_t total = years * 12 + months;
        if (total != (int32_t)total && nb_is_valid(out->validity, i)) {
            return interval_overflow(ctx);
        }
        NB_DATA(int32_t, out)[i] = (int32_t)total;
    }
    return NB_OK;
}

nb_status
nb_bind_make_ym_interval(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 2, NB_TYPE_INT32, err));
    return nb_bound(call, NB_TYPE_INTERVAL_YM, make_ym_interval_kernel);
}

/* ---- window() -------------------------------------------------------------------------------------------------------------------------- */

/* Microseconds wrap around at the ends of time, as Spark's do. */
static nb_status
add_micros_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int64_t step = nb_step(&args[0]), more = nb_step(&args[1]);

    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int64_t, out)
        [i] = (int64_t)((uint64_t)NB_DATA(int64_t, &args[0])[i * step] +
                        (uint64_t)NB_DATA(int64_t, &args[1])[i * more]);
    }
    return NB_OK;
}

nb_status
nb_bind_add_micros(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 1, 2, NB_TYPE_INT64, err));
    return nb_bound(call, call->args[0]->type->id, add_micros_kernel);
}

static nb_status
window_start_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                    nb_vector *out)
{
    int64_t step = nb_step(&args[0]), slide, offset, back;

    if (n == 0) {
        return NB_OK;
    }
    slide = NB_DATA(int64_t, &args[1])[0];
    offset = NB_DATA(int64_t, &args[2])[0];
    back = NB_DATA(int64_t, &args[3])[0];
    for (int64_t i = 0; i < n; i++) {
        int64_t t = NB_DATA(int64_t, &args[0])[i * step];
        int64_t into = nb_floor_mod((int64_t)((uint64_t)t - (uint64_t)offset), slide);
        NB_DATA(int64_t, out)[i] = (int64_t)((uint64_t)t - (uint64_t)into - (uint64_t)back);
    }
    return NB_OK;
}

/* Slide, offset and the way back are constants; the slide is positive. */
nb_status
nb_bind_window_start(nb_bound_call *call, nb_error *err)
{
    const nb_vector *slide;

    for (int i = 1; i < 4; i++) {
        NB_TRY(nb_bind_all(call, i, i + 1, NB_TYPE_INT64, err));
        NB_TRY(nb_bind_constant(call, i, &slide, err));
        if (!slide || nb_vector_is_null(slide, 0) || (i == 1 && *NB_DATA(int64_t, slide) <= 0)) {
            return nb_bind_mismatch(call, i, "foldable \"BIGINT\"", err);
        }
    }
    NB_TRY(nb_bind_time(call, 0, err));
    return nb_bound(call, call->args[0]->type->id, window_start_kernel);
}
