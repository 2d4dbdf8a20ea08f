/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arithmetic.c: + - * / % div pmod and their try_ forms over numbers; unary minus, plus and abs.
 *
 * Dates, timestamps and intervals go to arithmetic_interval.c, decimals to arithmetic_decimal.c.
 */
#include "expr/kernels/arithmetic.h"

#include <math.h>
#include <stdio.h>

#include "expr/binders.h"

#define NB_T       int8_t
#define NB_U       uint8_t
#define NB_WIDE    int16_t
#define NB_CHECK   1
#define NB_NAME(f) int8_##f
#include "expr/kernels/arith_tmpl.h"
#define NB_T       int16_t
#define NB_U       uint16_t
#define NB_WIDE    int32_t
#define NB_CHECK   1
#define NB_NAME(f) int16_##f
#include "expr/kernels/arith_tmpl.h"
#define NB_T       int32_t
#define NB_U       uint32_t
#define NB_WIDE    int64_t
#define NB_CHECK   1
#define NB_NAME(f) int32_##f
#include "expr/kernels/arith_tmpl.h"
#define NB_T       int64_t
#define NB_U       uint64_t
#define NB_CHECK   2
#define NB_NAME(f) int64_##f
#include "expr/kernels/arith_tmpl.h"
#define NB_T       float
#define NB_U       float
#define NB_CHECK   0
#define NB_NAME(f) float_##f
#include "expr/kernels/arith_tmpl.h"
#define NB_T       double
#define NB_U       double
#define NB_CHECK   0
#define NB_NAME(f) double_##f
#include "expr/kernels/arith_tmpl.h"

#define NB_T       int32_t
#define NB_U       uint32_t
#define NB_NAME(f) int32_##f
#include "expr/kernels/divide_tmpl.h"
#define NB_T       int64_t
#define NB_U       uint64_t
#define NB_NAME(f) int64_##f
#include "expr/kernels/divide_tmpl.h"

/* ---- + - * --------------------------------------------------------------------------------------------------------------------------------- */

typedef bool (*arith_loop)(const void *a, const void *b, void *out, int64_t n);
typedef enum arith_op { OP_ADD, OP_SUB, OP_MUL } arith_op;

typedef struct arith_loops {
    arith_loop rows, const_left, const_right;
} arith_loops;

#define LOOPS(t, op) {t##_##op##_rows, t##_##op##_const_left, t##_##op##_const_right}
#define OPS(t)       {LOOPS(t, add), LOOPS(t, sub), LOOPS(t, mul)}
static const arith_loops loops[][3] = {
    [NB_TYPE_INT8] = OPS(int8),   [NB_TYPE_INT16] = OPS(int16),   [NB_TYPE_INT32] = OPS(int32),
    [NB_TYPE_INT64] = OPS(int64), [NB_TYPE_FLOAT32] = OPS(float), [NB_TYPE_FLOAT64] = OPS(double),
};

typedef struct arith_payload {
    arith_op op;
    nb_math_mode mode;
} arith_payload;

static int64_t
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

static bool
overflows(arith_op op, int64_t a, int64_t b, const nb_type *t)
{
    int64_t r, high = t->id == NB_TYPE_INT8    ? INT8_MAX
                      : t->id == NB_TYPE_INT16 ? INT16_MAX
                      : t->id == NB_TYPE_INT32 ? INT32_MAX
                                               : INT64_MAX;
    bool bad = op == OP_ADD   ? __builtin_add_overflow(a, b, &r)
               : op == OP_SUB ? __builtin_sub_overflow(a, b, &r)
                              : __builtin_mul_overflow(a, b, &r);

    return bad || r > high || r < -high - 1;
}

static nb_status
raise_arith(nb_kernel_ctx *ctx, arith_op op, int64_t a, int64_t b, const nb_type *t)
{
    static const char *const tries[] = {"try_add", "try_subtract", "try_multiply"},
                             *const symbols[] = {"+", "-", "*"};
    char left[24], right[24];

    if (t->id >= NB_TYPE_INT32) {
        return nb_raise_overflow(ctx->err, tries[op]);
    }
    snprintf(left, sizeof left, "%lldS", (long long)a);
    snprintf(right, sizeof right, "%lldS", (long long)b);
    return nb_raise(ctx->err, NB_COND_BINARY_ARITHMETIC_OVERFLOW, "value1", left, "symbol",
                    symbols[op], "value2", right, "functionName",
                    op == OP_ADD   ? "`try_add`"
                    : op == OP_SUB ? "`try_subtract`"
                                   : "`try_multiply`",
                    NULL);
}

static nb_status
arith_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const arith_payload *p = ctx->expr->u.call.payload;
    const nb_type *t = ctx->expr->type;
    const arith_loops *l = &loops[t->id][p->op];
    const nb_vector *a = &args[0], *b = &args[1];
    bool bad;

    if (a->kind == NB_VEC_CONST && n > 1) {
        bad = l->const_left(a->data, b->data, out->data, n);
    } else if (b->kind == NB_VEC_CONST && n > 1) {
        bad = l->const_right(a->data, b->data, out->data, n);
    } else {
        bad = l->rows(a->data, b->data, out->data, n);
    }
    if (NB_LIKELY(!bad) || p->mode == NB_MATH_LEGACY) {
        return NB_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(out->validity, i) && overflows(p->op, int_at(a, i), int_at(b, i), t)) {
            NB_TRY(p->mode == NB_MATH_TRY ? nb_kernel_null_row(ctx, out, i)
                                          : raise_arith(ctx, p->op, int_at(a, i), int_at(b, i), t));
        }
    }
    return NB_OK;
}

static nb_status
bind_arith(nb_bound_call *call, arith_op op, nb_error *err)
{
    arith_payload *p;
    bool done;

    if (call->n_args == 1) { /* the parser's -x and +x */
        return nb_bind_again(call, op == OP_SUB ? "negative" : "positive", call->args, 1,
                             &call->replacement, err);
    }

    NB_TRY(nb_bind_interval_arithmetic(call, &done, err));
    if (done) {
        return NB_OK;
    }
    NB_TRY(nb_bind_arithmetic_operands(call, err));
    if (call->args[0]->type->id == NB_TYPE_DECIMAL && call->args[1]->type->id == NB_TYPE_DECIMAL) {
        return nb_bind_decimal_arithmetic(call, "+-*"[op], err);
    }
    if (!nb_type_same_ignoring_null(call->args[0]->type, call->args[1]->type)) {
        return nb_bind_diff_types(call, err);
    }
    if (!nb_type_is_numeric(call->args[0]->type)) {
        return nb_bind_wrong_type(call,
                                  op == OP_MUL ? "\"NUMERIC\""
                                               : "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or "
                                                 "\"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")",
                                  err);
    }
    p = NB_ARENA_NEW(call->arena, arith_payload);
    if (p == NULL) {
        return NB_NOMEM;
    }
    p->op = op;
    p->mode = nb_math_mode_of(call);
    call->type = call->args[0]->type;
    call->kernel = arith_kernel;
    call->payload = p;
    call->can_fail = p->mode == NB_MATH_ANSI && nb_type_is_integral(call->type);
    call->nullable |= call->args[0]->nullable | call->args[1]->nullable | (p->mode == NB_MATH_TRY);
    return NB_OK;
}

nb_status
nb_bind_add(nb_bound_call *call, nb_error *err)
{
    return bind_arith(call, OP_ADD, err);
}

nb_status
nb_bind_subtract(nb_bound_call *call, nb_error *err)
{
    return bind_arith(call, OP_SUB, err);
}

nb_status
nb_bind_multiply(nb_bound_call *call, nb_error *err)
{
    return bind_arith(call, OP_MUL, err);
}

/* ---- / -------------------------------------------------------------------------------------------------------------------------------------- */

static const nb_math_mode modes[] = {NB_MATH_ANSI, NB_MATH_LEGACY, NB_MATH_TRY};

static nb_math_mode
mode_of(const nb_kernel_ctx *ctx)
{
    return *(const nb_math_mode *)ctx->expr->u.call.payload;
}

static bool
divide_impl(const double *restrict a, int sa, const double *restrict b, int sb,
            double *restrict out, int64_t n)
{
    int zeros = 0;

    for (int64_t i = 0; i < n; i++) {
        double y = b[i * sb];

        out[i] = a[i * sa] / y;
        zeros |= y == 0;
    }
    return zeros != 0;
}

static nb_status
divide_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_vector *a = &args[0], *b = &args[1];
    bool a_const = a->kind == NB_VEC_CONST && n > 1, b_const = b->kind == NB_VEC_CONST && n > 1;
    bool zero = a_const   ? divide_impl(a->data, 0, b->data, 1, out->data, n)
                : b_const ? divide_impl(a->data, 1, b->data, 0, out->data, n)
                          : divide_impl(a->data, 1, b->data, 1, out->data, n);

    for (int64_t i = 0; zero && i < n; i++) {
        if (nb_is_valid(out->validity, i) && NB_DATA(double, b)[b_const ? 0 : i] == 0) {
            if (mode_of(ctx) == NB_MATH_ANSI) {
                return nb_raise_divide_by_zero(ctx->err);
            }
            NB_TRY(nb_kernel_null_row(ctx, out, i));
        }
    }
    return NB_OK;
}

/* Is it a number, known now, that every other can be divided by? The quotient of the least whole number by -1 is too large. */
static bool
divides_all(const nb_expr *e)
{
    const nb_vector *v;

    while (e->kind == NB_EXPR_CAST && nb_type_is_numeric(e->args[0]->type)) {
        e = e->args[0];
    }
    v = e->kind == NB_EXPR_LITERAL ? e->u.literal.value : NULL;
    if (!v || nb_vector_is_null(v, 0)) {
        return false;
    }
    switch (e->type->id) {
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
    case NB_TYPE_INT32:
    case NB_TYPE_INT64: return int_at(v, 0) != 0 && int_at(v, 0) != -1;
    case NB_TYPE_FLOAT64: return NB_DATA(double, v)[0] != 0;
    default: return false;
    }
}

static void
set_mode(nb_bound_call *call)
{
    nb_math_mode mode = nb_math_mode_of(call);

    call->payload = &modes[mode];
    call->can_fail = mode == NB_MATH_ANSI && !divides_all(call->args[1]);
    call->nullable |= call->args[0]->nullable | call->args[1]->nullable | (mode != NB_MATH_ANSI);
}

nb_status
nb_bind_divide(nb_bound_call *call, nb_error *err)
{
    bool done;

    NB_TRY(nb_bind_interval_arithmetic(call, &done, err));
    if (done) {
        return NB_OK;
    }
    NB_TRY(nb_bind_arithmetic_operands(call, err));
    if (call->args[0]->type->id == NB_TYPE_DECIMAL && call->args[1]->type->id == NB_TYPE_DECIMAL) {
        return nb_bind_decimal_arithmetic(call, '/', err);
    }
    if (!nb_type_same_ignoring_null(call->args[0]->type, call->args[1]->type)) {
        return nb_bind_diff_types(call, err);
    }
    if (!nb_type_is_numeric(call->args[0]->type)) {
        return nb_bind_wrong_type(call, "(\"DOUBLE\" or \"DECIMAL\")", err);
    }
    NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_FLOAT64), err));
    NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_FLOAT64), err));
    call->type = nb_type_of(NB_TYPE_FLOAT64);
    call->kernel = divide_kernel;
    set_mode(call);
    return NB_OK;
}

/* ---- div --------------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
int_div_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_math_mode mode = mode_of(ctx);
    int64_t *r = out->data;
    bool a_const = args[0].kind == NB_VEC_CONST && n > 1,
         b_const = args[1].kind == NB_VEC_CONST && n > 1;

    if (!int64_divide_rows(args[0].data, a_const, args[1].data, b_const, r, n)) {
        return NB_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t a = int_at(&args[0], i), b = int_at(&args[1], i);

        if (b == 0 || (b == -1 && a == INT64_MIN)) {
            r[i] = a;
            if (!nb_is_valid(out->validity, i) || (b != 0 && mode == NB_MATH_LEGACY)) {
                continue;
            }
            if (mode == NB_MATH_ANSI) {
                return b == 0 ? nb_raise_divide_by_zero(ctx->err)
                              : nb_raise_overflow(ctx->err, "try_divide");
            }
            NB_TRY(nb_kernel_null_row(ctx, out, i));
        } else {
            r[i] = a / b;
        }
    }
    return NB_OK;
}

nb_status
nb_bind_int_divide(nb_bound_call *call, nb_error *err)
{
    bool done;

    NB_TRY(nb_bind_interval_arithmetic(call, &done, err));
    if (done) {
        return NB_OK;
    }
    if (call->args[0]->type->id == NB_TYPE_NULL && call->args[1]->type->id == NB_TYPE_NULL) {
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_INT64), err));
    }
    NB_TRY(nb_bind_arithmetic_operands(call, err));
    if (call->args[0]->type->id == NB_TYPE_DECIMAL && call->args[1]->type->id == NB_TYPE_DECIMAL) {
        return nb_bind_decimal_arithmetic(call, 'd', err);
    }
    if (!nb_type_same_ignoring_null(call->args[0]->type, call->args[1]->type)) {
        return nb_bind_diff_types(call, err);
    }
    if (!nb_type_is_integral(call->args[0]->type)) {
        return nb_bind_wrong_type(call,
                                  "(\"BIGINT\" or \"DECIMAL\" or \"INTERVAL DAY TO SECOND\" or "
                                  "\"INTERVAL YEAR TO MONTH\")",
                                  err);
    }
    NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_INT64), err));
    NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT64), err));
    call->type = nb_type_of(NB_TYPE_INT64);
    call->kernel = int_div_kernel;
    set_mode(call);
    return NB_OK;
}

/* ---- % and pmod --------------------------------------------------------------------------------------------------------------------------------- */

static void
put_int(nb_vector *v, int64_t i, int64_t x)
{
    switch (v->type->phys) {
    case NB_PHYS_INT8: NB_DATA(int8_t, v)[i] = (int8_t)x; break;
    case NB_PHYS_INT16: NB_DATA(int16_t, v)[i] = (int16_t)x; break;
    case NB_PHYS_INT32: NB_DATA(int32_t, v)[i] = (int32_t)x; break;
    default: NB_DATA(int64_t, v)[i] = x; break;
    }
}

static double
double_at(const nb_vector *v, int64_t i)
{
    i = v->kind == NB_VEC_CONST ? 0 : i;
    return v->type->phys == NB_PHYS_FLOAT ? (double)NB_DATA(float, v)[i] : NB_DATA(double, v)[i];
}

static int64_t
int_mod(int64_t a, int64_t b, bool positive)
{
    int64_t r = b == -1 ? 0 : a % b;

    if (positive && r < 0) { /* as Spark: ((a % b) + b) % b, in the operand's type */
        r = b == -1 ? 0 : (int64_t)((uint64_t)r + (uint64_t)b) % b;
    }
    return r;
}

static double
real_mod(double a, double b, bool positive)
{
    double r = fmod(a, b);

    return positive && r < 0 ? fmod(r + b, b) : r;
}

static nb_status
mod_rows(nb_kernel_ctx *ctx, const nb_vector *args, int64_t n, nb_vector *out, bool positive)
{
    bool real = out->type->phys == NB_PHYS_FLOAT || out->type->phys == NB_PHYS_DOUBLE;
    bool a_const = args[0].kind == NB_VEC_CONST && n > 1,
         b_const = args[1].kind == NB_VEC_CONST && n > 1;

    if (out->type->phys == NB_PHYS_INT32 &&
        !int32_mod_rows(args[0].data, a_const, args[1].data, b_const, out->data, n, positive)) {
        return NB_OK;
    }
    if (out->type->phys == NB_PHYS_INT64 &&
        !int64_mod_rows(args[0].data, a_const, args[1].data, b_const, out->data, n, positive)) {
        return NB_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        bool zero;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        zero = real ? double_at(&args[1], i) == 0 : int_at(&args[1], i) == 0;
        if (zero) {
            if (mode_of(ctx) == NB_MATH_ANSI) {
                return nb_raise_remainder_by_zero(ctx->err);
            }
            NB_TRY(nb_kernel_null_row(ctx, out, i));
        } else if (out->type->phys == NB_PHYS_FLOAT) {
            NB_DATA(float, out)
            [i] = (float)real_mod(double_at(&args[0], i), double_at(&args[1], i), positive);
        } else if (real) {
            NB_DATA(double, out)
            [i] = real_mod(double_at(&args[0], i), double_at(&args[1], i), positive);
        } else {
            put_int(out, i, int_mod(int_at(&args[0], i), int_at(&args[1], i), positive));
        }
    }
    return NB_OK;
}

static nb_status
mod_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return mod_rows(ctx, args, n, out, false);
}

static nb_status
pmod_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return mod_rows(ctx, args, n, out, true);
}

static nb_status
bind_mod(nb_bound_call *call, bool positive, nb_error *err)
{
    NB_TRY(nb_bind_arithmetic_operands(call, err));
    if (call->args[0]->type->id == NB_TYPE_DECIMAL && call->args[1]->type->id == NB_TYPE_DECIMAL) {
        return nb_bind_decimal_arithmetic(call, positive ? 'p' : '%', err);
    }
    if (!nb_type_same_ignoring_null(call->args[0]->type, call->args[1]->type)) {
        return nb_bind_diff_types(call, err);
    }
    if (!nb_type_is_numeric(call->args[0]->type)) {
        return nb_bind_wrong_type(call, "\"NUMERIC\"", err);
    }
    call->type = call->args[0]->type;
    call->kernel = positive ? pmod_kernel : mod_kernel;
    set_mode(call);
    return NB_OK;
}

nb_status
nb_bind_remainder(nb_bound_call *call, nb_error *err)
{
    return bind_mod(call, false, err);
}

nb_status
nb_bind_pmod(nb_bound_call *call, nb_error *err)
{
    return bind_mod(call, true, err);
}

/* ---- unary ---------------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
negate_rows(nb_kernel_ctx *ctx, const nb_vector *v, int64_t n, nb_vector *out, bool only_negative)
{
    const nb_type *t = out->type;
    int64_t low = t->phys == NB_PHYS_INT8    ? INT8_MIN
                  : t->phys == NB_PHYS_INT16 ? INT16_MIN
                  : t->phys == NB_PHYS_INT32 ? INT32_MIN
                                             : INT64_MIN;

    switch (t->phys) {
    case NB_PHYS_FLOAT:
        for (int64_t i = 0; i < n; i++) {
            NB_DATA(float, out)
            [i] = only_negative ? fabsf(NB_DATA(float, v)[i]) : -NB_DATA(float, v)[i];
        }
        return NB_OK;
    case NB_PHYS_DOUBLE:
        for (int64_t i = 0; i < n; i++) {
            NB_DATA(double, out)
            [i] = only_negative ? fabs(NB_DATA(double, v)[i]) : -NB_DATA(double, v)[i];
        }
        return NB_OK;
    case NB_PHYS_INT128:
        for (int64_t i = 0; i < n; i++) {
            nb_int128 x = NB_DATA(nb_int128, v)[i];

            NB_DATA(nb_int128, out)
            [i] = only_negative && x >= 0 ? x : (nb_int128)(0 - (nb_uint128)x);
        }
        return NB_OK;
    case NB_PHYS_INTERVAL:
        for (int64_t i = 0; i < n; i++) {
            nb_interval x = NB_DATA(nb_interval, v)[i];

            NB_DATA(nb_interval, out)[i] = (nb_interval){-x.months, -x.days, -x.us};
        }
        return NB_OK;
    default: break;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t x = int_at(v, i);

        if (x == low && t->id != NB_TYPE_DECIMAL && nb_is_valid(out->validity, i)) {
            if (ctx->info->ansi || !nb_type_is_integral(t)) {
                return nb_raise_overflow(ctx->err, NULL);
            }
        }
        put_int(out, i, only_negative && x >= 0 ? x : (int64_t)(0 - (uint64_t)x));
    }
    return NB_OK;
}

static nb_status
negative_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return negate_rows(ctx, &args[0], n, out, false);
}

static nb_status
abs_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return negate_rows(ctx, &args[0], n, out, true);
}

static nb_status
bind_sign(nb_bound_call *call, nb_kernel_fn kernel, nb_error *err)
{
    const nb_type *t = call->args[0]->type;

    if (nb_type_is_string(t) || t->id == NB_TYPE_NULL) {
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_FLOAT64), err));
        t = call->args[0]->type;
    }
    if (!nb_type_is_numeric(t) && t->id != NB_TYPE_INTERVAL_YM && t->id != NB_TYPE_INTERVAL_DT &&
        t->id != NB_TYPE_INTERVAL) {
        return nb_bind_mismatch(call, 0,
                                "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO "
                                "MONTH\" or \"INTERVAL\")",
                                err);
    }
    call->type = t;
    call->nullable = call->args[0]->nullable;
    call->kernel = kernel;
    call->can_fail = call->info->ansi && nb_type_is_integral(t);
    return NB_OK;
}

nb_status
nb_bind_negative(nb_bound_call *call, nb_error *err)
{
    return bind_sign(call, negative_kernel, err);
}

nb_status
nb_bind_abs(nb_bound_call *call, nb_error *err)
{
    return bind_sign(call, abs_kernel, err);
}

nb_status
nb_bind_positive(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_sign(call, negative_kernel, err));
    call->replacement = call->args[0];
    return NB_OK;
}
