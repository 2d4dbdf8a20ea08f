/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arithmetic_decimal.c: arithmetic over decimals, with Spark's result types.
 *
 *   + -   scale max(s1, s2), one digit more before the point      *    p1 + p2 + 1, s1 + s2
 *   /     scale max(6, s1 + p2 + 1)                                %    scale max(s1, s2), the smaller range
 *
 * fitted into 38 digits by giving up fraction digits (not below 6). When the type holds every result exactly, the loops run unchecked over int64
 * or int128; otherwise row by row through base/decimal.h, rounding half up.
 */
#include "expr/kernels/arithmetic.h"

#include "base/config.h"
#include "base/decimal.h"

typedef struct decimal_payload {
    char op;
    nb_math_mode mode;
    bool exact;   /* no result can leave the type or lose digits */
    int s1, s2;   /* scales of the operands */
    int up1, up2; /* + -: powers of ten that bring them to the common scale */
} decimal_payload;

/* ---- the exact loops: unsigned, because null rows may hold anything ------------------------------------------------------------- */

NB_INLINE nb_int128
load(const void *data, bool wide, int64_t i)
{
    return wide ? ((const nb_int128 *)data)[i] : (nb_int128)((const int64_t *)data)[i];
}

NB_INLINE void
exact_wide(char op, const void *a, bool wa, int sa, const void *b, bool wb, int sb, nb_int128 *out,
           int64_t n, nb_int128 m1, nb_int128 m2)
{
    for (int64_t i = 0; i < n; i++) {
        nb_uint128 x = (nb_uint128)load(a, wa, i * sa), y = (nb_uint128)load(b, wb, i * sb);
        nb_uint128 u1 = (nb_uint128)m1, u2 = (nb_uint128)m2;

        out[i] = (nb_int128)(op == '*' ? x * y : op == '+' ? x * u1 + y * u2 : x * u1 - y * u2);
    }
}

NB_INLINE void
exact_narrow(char op, const int64_t *restrict a, int sa, const int64_t *restrict b, int sb,
             int64_t *restrict out, int64_t n, int64_t m1, int64_t m2)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t x = (uint64_t)a[i * sa], y = (uint64_t)b[i * sb], u1 = (uint64_t)m1,
                 u2 = (uint64_t)m2;

        out[i] = (int64_t)(op == '*' ? x * y : op == '+' ? x * u1 + y * u2 : x * u1 - y * u2);
    }
}

/* Operands that are int64 and a wide result: one 64 × 64 → 128 multiplication per row. */
NB_INLINE void
multiply_to_wide(const int64_t *restrict a, int sa, const int64_t *restrict b, int sb,
                 nb_int128 *restrict out, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        out[i] = (nb_int128)a[i * sa] * b[i * sb];
    }
}

static void
run_exact(const decimal_payload *p, const nb_vector *a, const nb_vector *b, int64_t n,
          nb_vector *out)
{
    bool wa = a->type->phys == NB_PHYS_INT128, wb = b->type->phys == NB_PHYS_INT128,
         wo = out->type->phys == NB_PHYS_INT128;
    int sa = a->kind == NB_VEC_CONST ? 0 : 1, sb = b->kind == NB_VEC_CONST ? 0 : 1;
    nb_int128 m1 = nb_pow10_128[p->up1], m2 = nb_pow10_128[p->up2];

    if (!wo) { /* then neither operand is wide */
        switch (p->op) {
        case '*':
            if (sb == 0) {
                exact_narrow('*', a->data, 1, b->data, 0, out->data, n, 1, 1);
            } else {
                exact_narrow('*', a->data, sa, b->data, 1, out->data, n, 1, 1);
            }
            break;
        case '+':
            exact_narrow('+', a->data, sa, b->data, sb, out->data, n, (int64_t)m1, (int64_t)m2);
            break;
        default:
            exact_narrow('-', a->data, sa, b->data, sb, out->data, n, (int64_t)m1, (int64_t)m2);
            break;
        }
        return;
    }
    if (p->op == '*' && !wa && !wb) {
        multiply_to_wide(a->data, sa, b->data, sb, out->data, n);
    } else if (p->op == '*') {
        exact_wide('*', a->data, wa, sa, b->data, wb, sb, out->data, n, m1, m2);
    } else if (p->op == '+') {
        exact_wide('+', a->data, wa, sa, b->data, wb, sb, out->data, n, m1, m2);
    } else {
        exact_wide('-', a->data, wa, sa, b->data, wb, sb, out->data, n, m1, m2);
    }
}

/* ---- one row --------------------------------------------------------------------------------------------------------------------------------- */

/* Both scaled up to the larger scale; false when that leaves 128 bits. */
static bool
align(const decimal_payload *p, nb_int128 *a, nb_int128 *b)
{
    return !__builtin_mul_overflow(*a, nb_pow10_128[p->up1], a) &&
           !__builtin_mul_overflow(*b, nb_pow10_128[p->up2], b);
}

/* false: overflow; then *shown and *shown_scale are the best there is for the message. */
static bool
compute(const decimal_payload *p, nb_int128 a, nb_int128 b, const nb_type *t, nb_int128 *r,
        nb_int128 *shown, int *shown_scale)
{
    int scale = NB_MAX(p->s1, p->s2), shift;
    nb_int128 x;

    *shown = 0;
    *shown_scale = scale;
    switch (p->op) {
    case '+':
    case '-':
        if (!align(p, &a, &b) ||
            (p->op == '+' ? __builtin_add_overflow(a, b, &x) : __builtin_sub_overflow(a, b, &x))) {
            return false;
        }
        *shown = x;
        return nb_decimal_rescale(x, scale, t->scale, t->precision, r);
    case '*':
        *shown_scale = p->s1 + p->s2;
        if (!__builtin_mul_overflow(a, b, &x)) {
            *shown = x;
        }
        return nb_decimal_multiply(a, b, p->s1 + p->s2 - t->scale, t->precision, r);
    case '/':
    case 'd':
        shift = t->scale - p->s1 + p->s2;
        if (p->op == 'd') { /* truncates */
            if (!align(p, &a, &b)) {
                return false;
            }
            *r = a / b;
            return *r == (int64_t)*r;
        }
        if (shift < 0) {
            if (!nb_decimal_divide(a, b, 0, NB_DECIMAL_MAX_PRECISION, &x)) {
                return false;
            }
            *r = nb_decimal_round_off(x, -shift);
            return nb_decimal_fits(*r, t->precision);
        }
        return nb_decimal_divide(a, b, shift, t->precision, r);
    default:
        if (!align(p, &a, &b)) {
            return false;
        }
        x = a % b;
        if (p->op == 'p' && x < 0) {
            x = (x + b) % b;
        }
        *shown = x;
        return nb_decimal_rescale(x, scale, t->scale, t->precision, r);
    }
}

static nb_status
decimal_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const decimal_payload *p = ctx->expr->u.call.payload;
    bool divides = p->op == '/' || p->op == 'd' || p->op == '%' || p->op == 'p';

    if (p->exact) {
        run_exact(p, &args[0], &args[1], n, out);
        return NB_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        nb_int128 a, b, r, shown;
        int shown_scale;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        a = nb_decimal_at(&args[0], i);
        b = nb_decimal_at(&args[1], i);
        if (divides && b == 0) {
            if (p->mode == NB_MATH_ANSI) {
                return p->op == '/' || p->op == 'd' ? nb_raise_divide_by_zero(ctx->err)
                                                    : nb_raise_remainder_by_zero(ctx->err);
            }
            NB_TRY(nb_kernel_null_row(ctx, out, i));
        } else if (compute(p, a, b, ctx->expr->type, &r, &shown, &shown_scale)) {
            nb_decimal_put(out, i, r);
        } else if (p->mode == NB_MATH_ANSI) {
            return p->op == 'd'
                       ? nb_raise_overflow(ctx->err, "try_divide")
                       : nb_raise_decimal_range(ctx->err, shown, shown_scale, ctx->expr->type);
        } else {
            NB_TRY(nb_kernel_null_row(ctx, out, i));
        }
    }
    return NB_OK;
}

bool
nb_is_decimal_sum_or_product(const nb_expr *e, char *op, int *up1, int *up2)
{
    const decimal_payload *p;
    bool product;

    if (e->kind != NB_EXPR_CALL || e->u.call.kernel != decimal_kernel) {
        return false;
    }
    p = e->u.call.payload;
    product = p->op == '*';
    *op = p->op;
    *up1 = product ? 0 : p->up1;
    *up2 = product ? 0 : p->up2;
    return (product && e->type->scale == p->s1 + p->s2) ||
           ((p->op == '+' || p->op == '-') && e->type->scale == NB_MAX(p->s1, p->s2));
}

/* ---- binding ------------------------------------------------------------------------------------------------------------------------------------ */

nb_status
nb_bind_decimal_arithmetic(nb_bound_call *call, char op, nb_error *err)
{
    const nb_type *a = call->args[0]->type, *b = call->args[1]->type;
    int p1 = a->precision, s1 = a->scale, p2 = b->precision, s2 = b->scale;
    int scale = NB_MAX(s1, s2), precision;
    bool keep_scale =
        !nb_config_bool(call->info ? call->info->config : NULL, NB_CONF_DECIMAL_PRECISION_LOSS);
    decimal_payload *p = NB_ARENA_NEW(call->arena, decimal_payload);

    if (p == NULL) {
        return NB_NOMEM;
    }
    switch (op) {
    case '+':
    case '-': precision = NB_MAX(p1 - s1, p2 - s2) + scale + 1; break;
    case '*':
        precision = p1 + p2 + 1;
        scale = s1 + s2;
        break;
    case '/':
        scale = NB_MAX(6, s1 + p2 + 1);
        precision = p1 - s1 + s2 + scale;
        if (keep_scale) {
            int whole = NB_MIN(NB_DECIMAL_MAX_PRECISION, p1 - s1 + s2);

            scale = NB_MIN(NB_DECIMAL_MAX_PRECISION, scale);
            if (whole + scale > NB_DECIMAL_MAX_PRECISION) {
                scale -= (whole + scale - NB_DECIMAL_MAX_PRECISION) / 2 + 1;
                whole = NB_DECIMAL_MAX_PRECISION - scale;
            }
            precision = whole + scale;
        }
        break;
    default: precision = NB_MIN(p1 - s1, p2 - s2) + scale; break;
    }
    p->op = op;
    p->mode = nb_math_mode_of(call);
    p->s1 = s1;
    p->s2 = s2;
    p->up1 = NB_MAX(s1, s2) - s1;
    p->up2 = NB_MAX(s1, s2) - s2;
    p->exact = precision <= NB_DECIMAL_MAX_PRECISION && (op == '+' || op == '-' || op == '*');
    call->type = op == 'd' ? nb_type_of(NB_TYPE_INT64)
                           : nb_decimal_adjusted(NB_MAX(precision, 1), scale, keep_scale);
    if (call->type == NULL) {
        return nb_raise_internal(err, "no decimal type for %d digits, scale %d", precision, scale);
    }
    call->payload = p;
    call->kernel = decimal_kernel;
    call->can_fail = !p->exact && p->mode == NB_MATH_ANSI;
    /* as in Spark also where no result can be null */
    call->nullable |= call->args[0]->nullable | call->args[1]->nullable | (p->mode != NB_MATH_ANSI);
    return NB_OK;
}
