/* SPDX-License-Identifier: Apache-2.0 */
/*
 * math_round.c: ceil, floor, round (half up) and bround (half even), with and without a scale.
 *
 * Doubles are rounded as the decimal text that Java shows for them (2.675 is a tie, although the double lies below): the fast path rounds x * 10^s
 * where that product cannot be near a tie, the rest goes through the text.
 */
#include <math.h>
#include <stdio.h>

#include "base/decimal.h"
#include "expr/binders.h"
#include "expr/kernels/operators.h"
#include "expr/number_text.h"

/* ---- ceil and floor ---------------------------------------------------------------------------------------------------------------------- */

static int64_t
saturate(double x)
{
    return x != x                        ? 0
           : x >= 9223372036854775808.0  ? INT64_MAX
           : x <= -9223372036854775808.0 ? INT64_MIN
                                         : (int64_t)x;
}

static nb_status
ceil_floor(const nb_vector *v, int64_t n, nb_vector *out, bool up)
{
    int scale = v->type->scale;

    for (int64_t i = 0; i < n; i++) {
        if (v->type->id == NB_TYPE_FLOAT64) {
            double x = NB_DATA(double, v)[i];

            NB_DATA(int64_t, out)[i] = saturate(up ? ceil(x) : floor(x));
        } else if (nb_is_valid(out->validity, i)) {
            nb_int128 x = nb_decimal_at(v, i);

            nb_decimal_put(out, i,
                           up ? nb_decimal_ceil_off(x, scale) : nb_decimal_floor_off(x, scale));
        }
    }
    return NB_OK;
}

static nb_status
ceil_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return ceil_floor(&args[0], n, out, true);
}

static nb_status
floor_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return ceil_floor(&args[0], n, out, false);
}

/* ---- rounding to a scale -------------------------------------------------------------------------------------------------------------------- */

typedef enum round_mode { ROUND_UP, ROUND_EVEN, ROUND_CEIL, ROUND_FLOOR } round_mode;

typedef struct round_payload {
    round_mode mode;
    int scale;
} round_payload;

/* x / 10^n as an integer. */
static nb_int128
round_off(nb_int128 x, int n, round_mode mode)
{
    nb_int128 unit, q, r;

    if (n <= 0) {
        return x;
    }
    if (n > NB_DECIMAL_MAX_PRECISION) {
        return mode == ROUND_CEIL ? x > 0 : mode == ROUND_FLOOR ? -(x < 0) : 0;
    }
    switch (mode) {
    case ROUND_UP: return nb_decimal_round_off(x, n);
    case ROUND_CEIL: return nb_decimal_ceil_off(x, n);
    case ROUND_FLOOR: return nb_decimal_floor_off(x, n);
    default: break;
    }
    unit = nb_pow10_128[n];
    q = x / unit;
    r = x % unit;
    r = r < 0 ? -r : r;
    if (r > unit - r || (r == unit - r && (q & 1))) {
        q += x < 0 ? -1 : 1;
    }
    return q;
}

/* The shortest text of x, rounded at scale and read back. */
static double
round_text(double x, int scale, round_mode mode)
{
    char text[NB_DOUBLE_TEXT + 1], digits[40], result[64];
    int n = nb_format_double(text, x), k = 0, exponent = 0, point = -1, drop;
    bool negative = text[0] == '-';
    nb_int128 v = 0;
    double r;

    for (int i = negative; i < n; i++) {
        if (text[i] == '.') {
            point = k;
        } else if (text[i] == 'E') {
            text[n] = '\0';
            sscanf(text + i + 1, "%d", &exponent);
            break;
        } else {
            digits[k++] = text[i];
        }
    }
    for (int i = 0; i < k; i++) {
        v = v * 10 + (digits[i] - '0');
    }
    exponent += (point < 0 ? k : point) - k; /* x = v * 10^exponent */
    drop = -scale - exponent;
    if (drop <= 0) {
        return x;
    }
    v = round_off(negative ? -v : v, drop, mode);
    n = (int)nb_decimal_format(v, 0, result);
    n += snprintf(result + n, sizeof result - (size_t)n, "E%d", -scale);
    return nb_parse_double(result, (size_t)n, &r) ? r : x;
}

static double
round_double(double x, int scale, round_mode mode)
{
    double power, t, m, distance;

    if (!isfinite(x) || x == 0) {
        return x + 0.0; /* Spark rounds through decimals, which have no -0.0 */
    }
    if (scale >= 0 && scale <= 15 && fabs(x) < 1e15) {
        power = (double)nb_pow10_64[scale];
        t = fabs(x) * power;
        m = floor(t);
        distance = fabs(t - m - 0.5);
        if (t < 4e15 && distance > t * 1e-15 + 1e-15 && (mode == ROUND_UP || mode == ROUND_EVEN)) {
            m = t - m > 0.5 ? m + 1 : m;
            return (x < 0 ? -m : m) / power + 0.0;
        }
    }
    if (scale >= 0 && scale <= 14 &&
        fabs(x) < 1e14) { /* x has one decimal more than wanted: decide by its digits */
        nb_int128 tenths = (nb_int128)floor(fabs(x) * (double)nb_pow10_64[scale + 1] + 0.5);

        if (tenths < ((int64_t)1 << 52) &&
            (double)tenths / (double)nb_pow10_64[scale + 1] == fabs(x)) {
            tenths = round_off(x < 0 ? -tenths : tenths, 1, mode);
            return (double)tenths / (double)nb_pow10_64[scale] + 0.0;
        }
    }
    return round_text(x, scale, mode) + 0.0;
}

static nb_status
round_int(nb_kernel_ctx *ctx, int64_t i, int64_t x, nb_vector *out)
{
    const round_payload *p = ctx->expr->u.call.payload;
    nb_int128 r = p->scale >= 0 ? x : round_off(x, -p->scale, p->mode);
    int64_t high = out->type->id == NB_TYPE_INT8    ? INT8_MAX
                   : out->type->id == NB_TYPE_INT16 ? INT16_MAX
                   : out->type->id == NB_TYPE_INT32 ? INT32_MAX
                                                    : INT64_MAX;

    if (p->scale < 0) {
        r = -p->scale > 20 ? 0 : r * nb_pow10_128[-p->scale];
    }
    if ((r > high || r < -(nb_int128)high - 1) && ctx->info->ansi) {
        return nb_raise(ctx->err, NB_COND_ARITHMETIC_OVERFLOW, "message", "Overflow", "alternative",
                        "", "config", "\"spark.sql.ansi.enabled\"", NULL);
    }
    switch (out->type->id) {
    case NB_TYPE_INT8: NB_DATA(int8_t, out)[i] = (int8_t)r; break;
    case NB_TYPE_INT16: NB_DATA(int16_t, out)[i] = (int16_t)r; break;
    case NB_TYPE_INT32: NB_DATA(int32_t, out)[i] = (int32_t)r; break;
    default: NB_DATA(int64_t, out)[i] = (int64_t)r; break;
    }
    return NB_OK;
}

static nb_status
round_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const round_payload *p = ctx->expr->u.call.payload;
    const nb_vector *v = &args[0];

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        switch (v->type->id) {
        case NB_TYPE_FLOAT64:
            NB_DATA(double, out)[i] = round_double(NB_DATA(double, v)[i], p->scale, p->mode);
            break;
        case NB_TYPE_FLOAT32: {
            float x = NB_DATA(float, v)[i];

            if (isfinite(x)) { /* as the text of the double that it is */
                x = (float)round_double((double)x, p->scale, p->mode);
            }
            NB_DATA(float, out)[i] = x;
            break;
        }
        case NB_TYPE_DECIMAL: {
            int drop = v->type->scale - p->scale;
            nb_int128 r = round_off(nb_decimal_at(v, i), drop, p->mode);

            if (p->scale < 0) { /* the result has scale 0 */
                r = -p->scale > NB_DECIMAL_MAX_PRECISION ? 0 : r * nb_pow10_128[-p->scale];
            }
            if (!nb_decimal_fits(r, out->type->precision)) {
                if (ctx->info->ansi) {
                    return nb_raise_decimal_range(ctx->err, r, NB_MAX(p->scale, 0), out->type);
                }
                NB_TRY(nb_kernel_null_row(ctx, out, i));
                break;
            }
            nb_decimal_put(out, i, r);
            break;
        }
        case NB_TYPE_INT8: NB_TRY(round_int(ctx, i, NB_DATA(int8_t, v)[i], out)); break;
        case NB_TYPE_INT16: NB_TRY(round_int(ctx, i, NB_DATA(int16_t, v)[i], out)); break;
        case NB_TYPE_INT32: NB_TRY(round_int(ctx, i, NB_DATA(int32_t, v)[i], out)); break;
        default: NB_TRY(round_int(ctx, i, NB_DATA(int64_t, v)[i], out)); break;
        }
    }
    return NB_OK;
}

static nb_status
bind_scaled(nb_bound_call *call, round_mode mode, nb_error *err)
{
    const nb_type *t = call->args[0]->type;
    round_payload *p = NB_ARENA_NEW(call->arena, round_payload);
    const nb_vector *scale = NULL;
    bool null = false;

    if (p == NULL) {
        return NB_NOMEM;
    }
    p->mode = mode;
    if (call->n_args == 2) {
        NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
        NB_TRY(nb_bind_constant(call, 1, &scale, err));
        if (scale == NULL) {
            nb_str name = nb_function_name(call->fn);

            return nb_raise(err, NB_COND_DATATYPE_MISMATCH_NON_FOLDABLE_INPUT, "sqlExpr",
                            nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)),
                            "inputName", "`scale`", "inputType", "\"INT\"", "inputExpr",
                            nb_arena_printf(call->arena, "\"%.*s\"", (int)name.len, name.data),
                            NULL);
        }
        null = nb_vector_is_null(scale, 0);
        p->scale = null ? 0 : NB_DATA(int32_t, scale)[0];
    }
    if (!nb_type_is_numeric(t)) {
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_FLOAT64), err));
        t = call->args[0]->type;
    }
    if ((mode == ROUND_CEIL || mode == ROUND_FLOOR) && t->id != NB_TYPE_DECIMAL) {
        NB_TRY(nb_bind_cast(call, 0, nb_decimal_for(t), err));
        t = call->args[0]->type;
    }
    call->type = t;
    if (t->id == NB_TYPE_DECIMAL) { /* one more digit before the point: 9.9 rounds to 10 */
        int digits = t->precision - t->scale + 1;

        if (p->scale < 0) {
            call->type =
                nb_type_decimal(NB_MIN(NB_MAX(digits, 1 - p->scale), NB_DECIMAL_MAX_PRECISION), 0);
        } else {
            int kept = NB_MIN(t->scale, p->scale);

            call->type = nb_type_decimal(NB_MIN(digits + kept, NB_DECIMAL_MAX_PRECISION), kept);
        }
        p->scale = NB_MIN(p->scale, t->scale);
        call->nullable |= !call->info->ansi;
    }
    if (null) {
        call->replacement = nb_expr_null(call->arena, call->type);
        return call->replacement == NULL ? NB_NOMEM : NB_OK;
    }
    call->payload = p;
    call->kernel = round_kernel;
    call->can_fail = call->info->ansi && p->scale < 0;
    return NB_OK;
}

static nb_status
bind_whole(nb_bound_call *call, nb_kernel_fn kernel, round_mode mode, nb_error *err)
{
    const nb_type *t = call->args[0]->type;

    if (call->n_args == 2) {
        return bind_scaled(call, mode, err);
    }
    if (t->id != NB_TYPE_DECIMAL) {
        if (nb_type_is_integral(t)) {
            return nb_expr_cast(call->arena, call->args[0], nb_type_of(NB_TYPE_INT64), NB_CAST_ANSI,
                                &call->replacement, err);
        }
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_FLOAT64), err));
        call->type = nb_type_of(NB_TYPE_INT64);
    } else {
        int digits = t->scale == 0 ? t->precision : t->precision - t->scale + 1;

        call->type = nb_type_decimal(NB_MIN(digits, NB_DECIMAL_MAX_PRECISION), 0);
    }
    call->kernel = kernel;
    return NB_OK;
}

nb_status
nb_bind_ceil(nb_bound_call *call, nb_error *err)
{
    return bind_whole(call, ceil_kernel, ROUND_CEIL, err);
}

nb_status
nb_bind_floor(nb_bound_call *call, nb_error *err)
{
    return bind_whole(call, floor_kernel, ROUND_FLOOR, err);
}

nb_status
nb_bind_round(nb_bound_call *call, nb_error *err)
{
    return bind_scaled(call, ROUND_UP, err);
}

nb_status
nb_bind_bround(nb_bound_call *call, nb_error *err)
{
    return bind_scaled(call, ROUND_EVEN, err);
}
