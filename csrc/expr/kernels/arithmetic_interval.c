/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arithmetic_interval.c: + - * / div where an operand is a date, a timestamp or an interval.
 *
 *   date ± integer            date                 date − date             interval day
 *   date ± year-month         date                 timestamp − timestamp   interval day to second (also date − timestamp)
 *   date ± day                date                 interval ± interval     interval of the wider fields
 *   date ± day-time           timestamp            interval * / number     interval, rounded half up
 *   timestamp ± interval      timestamp            interval div interval   bigint
 *
 * Months and days are steps in the session's calendar; hours and less are elapsed time. Overflow raises in every mode but try_.
 */
#include "expr/kernels/arithmetic.h"

#include <math.h>

#include "base/decimal.h"
#include "expr/date_text.h"
#include "expr/local_time.h"

static bool
is_time(const nb_type *t)
{
    return t->id == NB_TYPE_TIMESTAMP || t->id == NB_TYPE_TIMESTAMP_NTZ;
}

static bool
is_ansi_interval(const nb_type *t)
{
    return t->id == NB_TYPE_INTERVAL_YM || t->id == NB_TYPE_INTERVAL_DT;
}

static bool
is_interval(const nb_type *t)
{
    return is_ansi_interval(t) || t->id == NB_TYPE_INTERVAL;
}

/* What a kernel must know: the operator's sign, and the mode. */
typedef struct interval_payload {
    int sign;
    nb_math_mode mode;
} interval_payload;

static int64_t
at64(const nb_vector *v, int64_t i)
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
overflow(nb_kernel_ctx *ctx, nb_vector *out, int64_t i)
{
    const interval_payload *p = ctx->expr->u.call.payload;

    return p->mode == NB_MATH_TRY
               ? nb_kernel_null_row(ctx, out, i)
               : nb_raise_overflow(ctx->err, p->sign < 0 ? "try_subtract" : "try_add");
}

/* ---- calendar steps --------------------------------------------------------------------------------------------------------------------- */

static bool
add_months(int32_t days, int64_t months, int32_t *out)
{
    nb_civil c = nb_civil_from_days(days);
    int64_t total = (int64_t)c.year * 12 + (c.month - 1) + months;
    int64_t year = total / 12 - (total % 12 < 0);
    int month = (int)(total - year * 12) + 1;

    if (year > 5881580 || year < -5877641) {
        return false;
    }
    *out = nb_days_from_civil((int32_t)year, month, NB_MIN(c.day, nb_days_in_month(year, month)));
    return true;
}

static int32_t
days_of(int64_t us)
{
    return (int32_t)(us / NB_US_PER_DAY - (us % NB_US_PER_DAY < 0));
}

bool
nb_add_to_timestamp(const nb_kernel_ctx *ctx, bool zoned, int64_t ts, int64_t months, int64_t days,
                    int64_t us, int64_t *out)
{
    if (months != 0 || days != 0) {
        int64_t local = zoned ? nb_local_from_utc(ctx->info, ts) : ts, rest;
        int32_t day = days_of(local);

        rest = local - (int64_t)day * NB_US_PER_DAY;
        if (!add_months(day, months, &day) || __builtin_add_overflow((int64_t)day, days, &days) ||
            __builtin_mul_overflow(days, NB_US_PER_DAY, &local) ||
            __builtin_add_overflow(local, rest, &local)) {
            return false;
        }
        ts = zoned ? nb_utc_from_local(ctx->info, local) : local;
    }
    return !__builtin_add_overflow(ts, us, out);
}

/* ---- kernels ------------------------------------------------------------------------------------------------------------------------------ */

/* date ± integer, date ± interval day */
static nb_status
date_days_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const interval_payload *p = ctx->expr->u.call.payload;
    int64_t unit = args[1].type->id == NB_TYPE_INTERVAL_DT ? NB_US_PER_DAY : 1;

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(out->validity, i)) {
            /* Spark adds days as Java ints, which wrap around */
            NB_DATA(int32_t, out)
            [i] = (int32_t)((uint32_t)at64(&args[0], i) +
                            (uint32_t)(p->sign * (at64(&args[1], i) / unit)));
        }
    }
    return NB_OK;
}

static nb_status
date_months_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const interval_payload *p = ctx->expr->u.call.payload;

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(out->validity, i) &&
            !add_months((int32_t)at64(&args[0], i), p->sign * at64(&args[1], i),
                        NB_DATA(int32_t, out) + i)) {
            NB_TRY(overflow(ctx, out, i));
        }
    }
    return NB_OK;
}

/* date ± calendar interval without a time part: a date */
static nb_status
date_calendar_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                     nb_vector *out)
{
    const interval_payload *p = ctx->expr->u.call.payload;

    for (int64_t i = 0; i < n; i++) {
        const nb_interval *x =
            NB_DATA(nb_interval, &args[1]) + (args[1].kind == NB_VEC_CONST ? 0 : i);
        int32_t day;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (!add_months((int32_t)at64(&args[0], i), (int64_t)p->sign * x->months, &day)) {
            NB_TRY(overflow(ctx, out, i));
            continue;
        }
        NB_DATA(int32_t, out)[i] = (int32_t)((uint32_t)day + (uint32_t)(p->sign * x->days));
    }
    return NB_OK;
}

static nb_status
timestamp_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const interval_payload *p = ctx->expr->u.call.payload;
    bool zoned = out->type->id == NB_TYPE_TIMESTAMP;

    for (int64_t i = 0; i < n; i++) {
        int64_t months = 0, days = 0, us = 0;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (args[1].type->id == NB_TYPE_INTERVAL) {
            const nb_interval *x =
                NB_DATA(nb_interval, &args[1]) + (args[1].kind == NB_VEC_CONST ? 0 : i);

            months = (int64_t)p->sign * x->months;
            days = (int64_t)p->sign * x->days;
            us = p->sign * x->us;
        } else if (args[1].type->id == NB_TYPE_INTERVAL_YM) {
            months = p->sign * at64(&args[1], i);
        } else { /* whole days are calendar days */
            int64_t x = p->sign * at64(&args[1], i);

            days = x / NB_US_PER_DAY;
            us = x % NB_US_PER_DAY;
        }
        if (!nb_add_to_timestamp(ctx, zoned, at64(&args[0], i), months, days, us,
                                 NB_DATA(int64_t, out) + i)) {
            NB_TRY(overflow(ctx, out, i));
        }
    }
    return NB_OK;
}

static nb_status
date_difference_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                       nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(out->validity, i) &&
            __builtin_mul_overflow(at64(&args[0], i) - at64(&args[1], i), NB_US_PER_DAY,
                                   NB_DATA(int64_t, out) + i)) {
            NB_TRY(overflow(ctx, out, i));
        }
    }
    return NB_OK;
}

static nb_status
timestamp_difference_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                            nb_vector *out)
{
    bool zoned = args[0].type->id == NB_TYPE_TIMESTAMP;

    for (int64_t i = 0; i < n; i++) {
        int64_t a, b;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        /* on the zone's clock, as Spark: a day across a clock change counts 24 hours */
        a = zoned ? nb_local_from_utc(ctx->info, at64(&args[0], i)) : at64(&args[0], i);
        b = zoned ? nb_local_from_utc(ctx->info, at64(&args[1], i)) : at64(&args[1], i);
        if (__builtin_sub_overflow(a, b, NB_DATA(int64_t, out) + i)) {
            NB_TRY(overflow(ctx, out, i));
        }
    }
    return NB_OK;
}

static nb_status
interval_sum_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                    nb_vector *out)
{
    const interval_payload *p = ctx->expr->u.call.payload;

    for (int64_t i = 0; i < n; i++) {
        bool bad;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (out->type->id == NB_TYPE_INTERVAL) {
            const nb_interval *a =
                NB_DATA(nb_interval, &args[0]) + (args[0].kind == NB_VEC_CONST ? 0 : i);
            const nb_interval *b =
                NB_DATA(nb_interval, &args[1]) + (args[1].kind == NB_VEC_CONST ? 0 : i);
            nb_interval *r = NB_DATA(nb_interval, out) + i;

            bad = p->sign > 0 ? __builtin_add_overflow(a->months, b->months, &r->months) ||
                                    __builtin_add_overflow(a->days, b->days, &r->days) ||
                                    __builtin_add_overflow(a->us, b->us, &r->us)
                              : __builtin_sub_overflow(a->months, b->months, &r->months) ||
                                    __builtin_sub_overflow(a->days, b->days, &r->days) ||
                                    __builtin_sub_overflow(a->us, b->us, &r->us);
        } else {
            int64_t a = at64(&args[0], i), b = at64(&args[1], i), r;

            bad = p->sign > 0 ? __builtin_add_overflow(a, b, &r) : __builtin_sub_overflow(a, b, &r);
            if (out->type->phys == NB_PHYS_INT32) {
                bad |= r != (int32_t)r;
                NB_DATA(int32_t, out)[i] = (int32_t)r;
            } else {
                NB_DATA(int64_t, out)[i] = r;
            }
        }
        if (bad) {
            NB_TRY(overflow(ctx, out, i));
        }
    }
    return NB_OK;
}

static bool
put_interval(nb_vector *out, int64_t i, nb_int128 x)
{
    if (out->type->phys == NB_PHYS_INT32) {
        NB_DATA(int32_t, out)[i] = (int32_t)x;
        return x == (int32_t)x;
    }
    NB_DATA(int64_t, out)[i] = (int64_t)x;
    return x == (int64_t)x;
}

/* interval * number, interval / number (args[0] is the interval) */
static nb_status
scale_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const interval_payload *p = ctx->expr->u.call.payload;
    bool divide = p->sign < 0;
    const nb_type *t = args[1].type;

    for (int64_t i = 0; i < n; i++) {
        nb_int128 x = 0;
        int64_t base;
        bool fits;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        base = at64(&args[0], i);
        if (nb_type_is_integral(t)) {
            int64_t by = at64(&args[1], i);

            if (divide && by == 0) {
                goto by_zero;
            }
            fits = divide ? nb_decimal_divide(base, by, 0, 38, &x)
                          : !__builtin_mul_overflow((nb_int128)base, (nb_int128)by, &x);
        } else if (t->id == NB_TYPE_DECIMAL) {
            nb_int128 by = nb_decimal_at(&args[1], i);

            if (divide && by == 0) {
                goto by_zero;
            }
            fits = divide ? nb_decimal_divide(base, by, t->scale, 38, &x)
                          : nb_decimal_multiply(base, by, t->scale, 38, &x);
        } else {
            int64_t slot = args[1].kind == NB_VEC_CONST ? 0 : i;
            double by = t->phys == NB_PHYS_FLOAT ? (double)NB_DATA(float, &args[1])[slot]
                                                 : NB_DATA(double, &args[1])[slot],
                   r;

            if (divide && by == 0) {
                goto by_zero;
            }
            r = divide ? (double)base / by : (double)base * by;
            fits = fabs(r) < 9.3e18;
            x = fits ? (nb_int128)(r < 0 ? ceil(r - 0.5) : floor(r + 0.5)) : 0;
        }
        if (!fits || !put_interval(out, i, x)) {
            NB_TRY(overflow(ctx, out, i));
        }
        continue;
    by_zero:
        if (p->mode == NB_MATH_TRY) {
            NB_TRY(nb_kernel_null_row(ctx, out, i));
        } else {
            return nb_raise(ctx->err, NB_COND_INTERVAL_DIVIDED_BY_ZERO, NULL);
        }
    }
    return NB_OK;
}

static nb_status
interval_div_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                    nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t a, b;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        a = at64(&args[0], i);
        b = at64(&args[1], i);
        if (b == 0) {
            return nb_raise(ctx->err, NB_COND_INTERVAL_DIVIDED_BY_ZERO, NULL);
        }
        NB_DATA(int64_t, out)[i] = b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
    }
    return NB_OK;
}

/* ---- binding ------------------------------------------------------------------------------------------------------------------------------------ */

static nb_status
finish(nb_bound_call *call, nb_kernel_fn kernel, const nb_type *type, int sign)
{
    interval_payload *p = NB_ARENA_NEW(call->arena, interval_payload);

    if (p == NULL) {
        return NB_NOMEM;
    }
    p->sign = sign;
    p->mode = nb_math_mode_of(call);
    call->payload = p;
    call->kernel = kernel;
    call->type = type;
    call->can_fail = p->mode != NB_MATH_TRY;
    call->nullable |= call->args[0]->nullable | call->args[1]->nullable | (p->mode == NB_MATH_TRY);
    return NB_OK;
}

static void
swap(nb_bound_call *call)
{
    nb_expr *e = call->args[0];

    call->args[0] = call->args[1];
    call->args[1] = e;
}

static nb_status
bind_sum(nb_bound_call *call, int sign, bool *done, nb_error *err)
{
    const nb_type *a, *b;

    if (sign > 0 &&
        (is_interval(call->args[0]->type) || nb_type_is_integral(call->args[0]->type)) &&
        !is_interval(call->args[1]->type)) {
        swap(call); /* interval + date */
    }
    a = call->args[0]->type;
    b = call->args[1]->type;
    *done = true;
    if (nb_type_is_string(a) && is_interval(b)) {
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_TIMESTAMP), err));
        a = call->args[0]->type;
    }
    if (sign < 0 && (a->id == NB_TYPE_DATE || is_time(a)) && nb_type_is_string(b)) {
        NB_TRY(nb_bind_cast(call, 1, a, err));
        b = a;
    } else if (sign < 0 && nb_type_is_string(a) && (b->id == NB_TYPE_DATE || is_time(b))) {
        NB_TRY(nb_bind_cast(call, 0, b, err));
        a = b;
    }
    if (a->id == NB_TYPE_DATE) {
        if (b->id == NB_TYPE_INT8 || b->id == NB_TYPE_INT16 || b->id == NB_TYPE_INT32) {
            return finish(call, date_days_kernel, a, sign);
        }
        if (b->id == NB_TYPE_INTERVAL_YM) {
            return finish(call, date_months_kernel, a, sign);
        }
        if (b->id == NB_TYPE_INTERVAL_DT && b->end_field == 0) {
            return finish(call, date_days_kernel, a, sign);
        }
        if (b->id == NB_TYPE_INTERVAL) {
            return finish(call, date_calendar_kernel, a, sign);
        }
        if (b->id == NB_TYPE_INTERVAL_DT) {
            NB_TRY(nb_expr_cast(call->arena, call->args[0], nb_type_of(NB_TYPE_TIMESTAMP),
                                NB_CAST_ANSI, &call->args[0], err));
            return finish(call, timestamp_kernel, call->args[0]->type, sign);
        }
        if (sign < 0 && b->id == NB_TYPE_DATE) {
            return finish(call, date_difference_kernel, nb_type_interval_dt(0, 0), sign);
        }
    }
    if (sign < 0 && (is_time(a) || is_time(b)) && (is_time(a) || a->id == NB_TYPE_DATE) &&
        (is_time(b) || b->id == NB_TYPE_DATE)) {
        const nb_type *t = nb_coerce_tightest(a, b, call->info->ansi);

        NB_TRY(nb_expr_cast(call->arena, call->args[0], t, NB_CAST_ANSI, &call->args[0], err));
        NB_TRY(nb_expr_cast(call->arena, call->args[1], t, NB_CAST_ANSI, &call->args[1], err));
        return finish(call, timestamp_difference_kernel, nb_type_interval_dt(0, 3), sign);
    }
    if (is_time(a) && is_interval(b)) {
        return finish(call, timestamp_kernel, a, sign);
    }
    if (is_interval(a) && (a->id == b->id || b->id == NB_TYPE_NULL)) {
        const nb_type *t = b->id == NB_TYPE_NULL ? a : nb_coerce_tightest(a, b, call->info->ansi);

        NB_TRY(nb_expr_cast(call->arena, call->args[1], t, NB_CAST_ANSI, &call->args[1], err));
        NB_TRY(nb_expr_cast(call->arena, call->args[0], t, NB_CAST_ANSI, &call->args[0], err));
        return finish(call, interval_sum_kernel, t, sign);
    }
    *done = false;
    return NB_OK;
}

nb_status
nb_bind_interval_arithmetic(nb_bound_call *call, bool *done, nb_error *err)
{
    nb_str name = nb_function_name(call->fn);
    const nb_type *a = call->args[0]->type, *b = call->args[1]->type;
    char op;

    *done = false;
    if (!is_interval(a) && !is_interval(b) && a->id != NB_TYPE_DATE && b->id != NB_TYPE_DATE &&
        !is_time(a) && !is_time(b)) {
        return NB_OK;
    }
    op = nb_str_equal(name, NB_STR("try_add"))        ? '+'
         : nb_str_equal(name, NB_STR("try_subtract")) ? '-'
         : nb_str_equal(name, NB_STR("try_multiply")) ? '*'
         : nb_str_equal(name, NB_STR("try_divide"))   ? '/'
                                                      : name.data[0];
    if (op == '+' || op == '-') {
        return bind_sum(call, op == '+' ? 1 : -1, done, err);
    }
    if (op == '*' && is_ansi_interval(b)) {
        swap(call);
        a = call->args[0]->type;
        b = call->args[1]->type;
    }
    if (!is_ansi_interval(a)) {
        return NB_OK;
    }
    if (op == 'd' && a->id == b->id) {
        *done = true;
        return finish(call, interval_div_kernel, nb_type_of(NB_TYPE_INT64), 1);
    }
    if (op == '*' || op == '/') {
        if (nb_type_is_string(b) || b->id == NB_TYPE_NULL) {
            NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_FLOAT64), err));
            b = call->args[1]->type;
        }
        if (nb_type_is_numeric(b)) {
            *done = true;
            return finish(call, scale_kernel,
                          a->id == NB_TYPE_INTERVAL_YM ? nb_type_interval_ym(0, 1)
                                                       : nb_type_interval_dt(0, 3),
                          op == '*' ? 1 : -1);
        }
    }
    return NB_OK;
}
