/* SPDX-License-Identifier: Apache-2.0 */
/*
 * math.c: functions of doubles: powers, logarithms, trigonometry.
 *
 * One kernel per shape (one or two arguments); the payload is the row of a small table that says which function, and below which argument
 * Spark returns null instead of NaN.
 */
#include <math.h>

#include "expr/binders.h"
#include "expr/kernels/operators.h"

static double
degrees(double x)
{
    return x * (180.0 / M_PI);
}

static double
radians(double x)
{
    return x * 0.017453292519943295; /* as Java's toRadians; pi / 180 */
}

static double
sign(double x)
{
    return x > 0 ? 1 : x < 0 ? -1 : x;
}

static double
cot(double x)
{
    return 1 / tan(x);
}

static double
sec(double x)
{
    return 1 / cos(x);
}

static double
csc(double x)
{
    return 1 / sin(x);
}

/* libm's cbrt may be one unit off, even for cubes. */
static double
cube_root(double x)
{
    long double r = cbrtl((long double)x);

    return (double)r;
}

/* As Spark computes it; libm's differs in the last place. */
static double
arc_tanh(double x)
{
    return 0.5 * (log1p(x) - log1p(-x));
}

static double
log2_java(double x)
{
    return log(x) / log(2);
}

typedef struct unary_fn {
    const char *name;
    double (*fn)(double);
    bool has_limit;
    double limit; /* null at and below it */
} unary_fn;

static const unary_fn unary_fns[] = {
    {"acos", acos, false, 0},       {"acosh", acosh, false, 0}, {"asin", asin, false, 0},
    {"asinh", asinh, false, 0},     {"atan", atan, false, 0},   {"atanh", arc_tanh, false, 0},
    {"cbrt", cube_root, false, 0},  {"cos", cos, false, 0},     {"cosh", cosh, false, 0},
    {"cot", cot, false, 0},         {"csc", csc, false, 0},     {"degrees", degrees, false, 0},
    {"exp", exp, false, 0},         {"expm1", expm1, false, 0}, {"ln", log, true, 0},
    {"log10", log10, true, 0},      {"log1p", log1p, true, -1}, {"log2", log2_java, true, 0},
    {"radians", radians, false, 0}, {"rint", rint, false, 0},   {"sec", sec, false, 0},
    {"sign", sign, false, 0},       {"sin", sin, false, 0},     {"sinh", sinh, false, 0},
    {"sqrt", sqrt, false, 0},       {"tan", tan, false, 0},     {"tanh", tanh, false, 0},
};

static void
sqrt_rows(const double *restrict x, double *restrict r, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        r[i] = sqrt(x[i]);
    }
}

static nb_status
unary_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const unary_fn *f = ctx->expr->u.call.payload;
    const double *x = args[0].data;
    double *r = out->data;

    if (f->fn == sqrt) {
        sqrt_rows(x, r, n);
        return NB_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (f->has_limit && x[i] <= f->limit) {
            NB_TRY(nb_kernel_null_row(ctx, out, i));
        } else {
            r[i] = f->fn(x[i]);
        }
    }
    return NB_OK;
}

nb_status
nb_bind_math_unary(nb_bound_call *call, nb_error *err)
{
    nb_str name = nb_function_name(call->fn);

    for (size_t i = 0; i < NB_COUNT_OF(unary_fns); i++) {
        if (nb_str_equal(name, nb_str_of(unary_fns[i].name))) {
            if (nb_str_equal(name, NB_STR("sign")) &&
                (call->args[0]->type->id == NB_TYPE_INTERVAL_YM ||
                 call->args[0]->type->id == NB_TYPE_INTERVAL_DT)) {
                NB_TRY(nb_expr_cast(call->arena, call->args[0],
                                    nb_type_of(call->args[0]->type->id == NB_TYPE_INTERVAL_YM
                                                   ? NB_TYPE_INT32
                                                   : NB_TYPE_INT64),
                                    NB_CAST_LEGACY, &call->args[0], err));
            }
            NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_FLOAT64), err));
            call->type = nb_type_of(NB_TYPE_FLOAT64);
            call->kernel = unary_kernel;
            call->payload = &unary_fns[i];
            call->nullable |= unary_fns[i].has_limit;
            return NB_OK;
        }
    }
    return nb_raise_internal(err, "no such function of a double");
}

/* ---- two arguments -------------------------------------------------------------------------------------------------------------------------- */

static double
log_base(double base, double x)
{
    return log(x) / log(base);
}

static double
power(double x, double y)
{
    /* Math.pow(±1, ±Infinity) and (1, NaN) are NaN in Java; C has 1 */
    if (isnan(y) || (fabs(x) == 1 && isinf(y))) {
        return NAN;
    }
    return pow(x, y);
}

typedef struct binary_fn {
    const char *name;
    double (*fn)(double, double);
    bool is_log;
} binary_fn;

static const binary_fn binary_fns[] = {
    {"atan2", atan2, false},
    {"hypot", hypot, false},
    {"log", log_base, true},
    {"power", power, false},
};

static nb_status
binary_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const binary_fn *f = ctx->expr->u.call.payload;
    const double *a = args[0].data, *b = args[1].data;
    int64_t sa = args[0].kind == NB_VEC_CONST ? 0 : 1, sb = args[1].kind == NB_VEC_CONST ? 0 : 1;

    for (int64_t i = 0; i < n; i++) {
        double x = a[i * sa], y = b[i * sb];

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (f->is_log && (x <= 0 || y <= 0)) {
            NB_TRY(nb_kernel_null_row(ctx, out, i));
        } else {
            NB_DATA(double, out)[i] = f->fn(x, y);
        }
    }
    return NB_OK;
}

nb_status
nb_bind_math_binary(nb_bound_call *call, nb_error *err)
{
    nb_str name = nb_function_name(call->fn);

    if (call->n_args == 1) { /* log(x) is ln(x) */
        return nb_bind_again(call, "ln", call->args, 1, &call->replacement, err);
    }
    for (size_t i = 0; i < NB_COUNT_OF(binary_fns); i++) {
        if (nb_str_equal(name, nb_str_of(binary_fns[i].name))) {
            NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_FLOAT64), err));
            NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_FLOAT64), err));
            call->type = nb_type_of(NB_TYPE_FLOAT64);
            call->kernel = binary_kernel;
            call->payload = &binary_fns[i];
            call->nullable |= binary_fns[i].is_log;
            return NB_OK;
        }
    }
    return nb_raise_internal(err, "no such function of two doubles");
}

/* ---- constants, factorial, width_bucket -------------------------------------------------------------------------------------------------------- */

nb_status
nb_bind_e(nb_bound_call *call, nb_error *err)
{
    call->replacement = nb_expr_double(call->arena, M_E);
    return call->replacement == NULL ? NB_NOMEM : NB_OK;
}

nb_status
nb_bind_pi(nb_bound_call *call, nb_error *err)
{
    call->replacement = nb_expr_double(call->arena, M_PI);
    return call->replacement == NULL ? NB_NOMEM : NB_OK;
}

static nb_status
factorial_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const int32_t *x = args[0].data;

    for (int64_t i = 0; i < n; i++) {
        int64_t f = 1;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (x[i] < 0 || x[i] > 20) {
            NB_TRY(nb_kernel_null_row(ctx, out, i));
            continue;
        }
        for (int32_t k = 2; k <= x[i]; k++) {
            f *= k;
        }
        NB_DATA(int64_t, out)[i] = f;
    }
    return NB_OK;
}

nb_status
nb_bind_factorial(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_INT32), err));
    call->type = nb_type_of(NB_TYPE_INT64);
    call->kernel = factorial_kernel;
    return NB_OK;
}

static nb_status
width_bucket_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                    nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        double v, low, high;
        int64_t buckets, r;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        v = NB_DATA(double, &args[0])[args[0].kind == NB_VEC_CONST ? 0 : i];
        low = NB_DATA(double, &args[1])[args[1].kind == NB_VEC_CONST ? 0 : i];
        high = NB_DATA(double, &args[2])[args[2].kind == NB_VEC_CONST ? 0 : i];
        buckets = NB_DATA(int64_t, &args[3])[args[3].kind == NB_VEC_CONST ? 0 : i];
        if (buckets <= 0 || buckets == INT64_MAX || isnan(v) || low == high || !isfinite(low) ||
            !isfinite(high)) {
            NB_TRY(nb_kernel_null_row(ctx, out, i));
            continue;
        }
        if (low < high) {
            r = v < low     ? 0
                : v >= high ? buckets + 1
                            : (int64_t)((double)buckets * (v - low) / (high - low)) + 1;
        } else {
            r = v > low     ? 0
                : v <= high ? buckets + 1
                            : (int64_t)((double)buckets * (low - v) / (low - high)) + 1;
        }
        NB_DATA(int64_t, out)[i] = r;
    }
    return NB_OK;
}

nb_status
nb_bind_width_bucket(nb_bound_call *call, nb_error *err)
{
    for (int i = 0; i < 3; i++) {
        NB_TRY(nb_bind_cast(call, i, nb_type_of(NB_TYPE_FLOAT64), err));
    }
    NB_TRY(nb_bind_cast(call, 3, nb_type_of(NB_TYPE_INT64), err));
    call->type = nb_type_of(NB_TYPE_INT64);
    call->kernel = width_bucket_kernel;
    return NB_OK;
}
