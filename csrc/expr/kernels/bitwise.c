/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bitwise.c: & | ^ ~, shifts, bit_count and bit_get over integers.
 *
 * Shift distances count modulo the operand's width, as in Java.
 */
#include "expr/kernels/operators.h"

#include <stdio.h>

#include "expr/binders.h"

static int64_t
at(const nb_vector *v, int64_t i)
{
    i = v->kind == NB_VEC_CONST ? 0 : i;
    switch (v->type->phys) {
    case NB_PHYS_BOOL: return NB_DATA(uint8_t, v)[i];
    case NB_PHYS_INT8: return NB_DATA(int8_t, v)[i];
    case NB_PHYS_INT16: return NB_DATA(int16_t, v)[i];
    case NB_PHYS_INT32: return NB_DATA(int32_t, v)[i];
    default: return NB_DATA(int64_t, v)[i];
    }
}

static void
put(nb_vector *v, int64_t i, int64_t x)
{
    switch (v->type->phys) {
    case NB_PHYS_INT8: NB_DATA(int8_t, v)[i] = (int8_t)x; break;
    case NB_PHYS_INT16: NB_DATA(int16_t, v)[i] = (int16_t)x; break;
    case NB_PHYS_INT32: NB_DATA(int32_t, v)[i] = (int32_t)x; break;
    default: NB_DATA(int64_t, v)[i] = x; break;
    }
}

static nb_status
and_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        put(out, i, at(&args[0], i) & at(&args[1], i));
    }
    return NB_OK;
}

static nb_status
or_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        put(out, i, at(&args[0], i) | at(&args[1], i));
    }
    return NB_OK;
}

static nb_status
xor_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        put(out, i, at(&args[0], i) ^ at(&args[1], i));
    }
    return NB_OK;
}

static nb_status
not_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        put(out, i, ~at(&args[0], i));
    }
    return NB_OK;
}

static nb_status
bind_binary(nb_bound_call *call, nb_kernel_fn kernel, nb_error *err)
{
    if (call->args[0]->type->id == NB_TYPE_NULL && call->args[1]->type->id == NB_TYPE_NULL) {
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_INT32), err));
    }
    NB_TRY(nb_bind_arithmetic_operands(call, err));
    if (!nb_type_same_ignoring_null(call->args[0]->type, call->args[1]->type)) {
        return nb_bind_diff_types(call, err);
    }
    if (!nb_type_is_integral(call->args[0]->type)) {
        return nb_bind_wrong_type(call, "\"INTEGRAL\"", err);
    }
    call->type = call->args[0]->type;
    call->kernel = kernel;
    return NB_OK;
}

nb_status
nb_bind_bit_and(nb_bound_call *call, nb_error *err)
{
    return bind_binary(call, and_kernel, err);
}

nb_status
nb_bind_bit_or(nb_bound_call *call, nb_error *err)
{
    return bind_binary(call, or_kernel, err);
}

nb_status
nb_bind_bit_xor(nb_bound_call *call, nb_error *err)
{
    return bind_binary(call, xor_kernel, err);
}

nb_status
nb_bind_bit_not(nb_bound_call *call, nb_error *err)
{
    if (call->args[0]->type->id == NB_TYPE_NULL) {
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_INT32), err));
    }
    if (!nb_type_is_integral(call->args[0]->type)) {
        return nb_bind_mismatch(call, 0, "\"INTEGRAL\"", err);
    }
    call->type = call->args[0]->type;
    call->kernel = not_kernel;
    return NB_OK;
}

/* ---- shifts -------------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
left_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int mask = out->type->id == NB_TYPE_INT64 ? 63 : 31;

    for (int64_t i = 0; i < n; i++) {
        put(out, i, (int64_t)((uint64_t)at(&args[0], i) << (at(&args[1], i) & mask)));
    }
    return NB_OK;
}

static nb_status
right_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int mask = out->type->id == NB_TYPE_INT64 ? 63 : 31;

    for (int64_t i = 0; i < n; i++) {
        put(out, i, at(&args[0], i) >> (at(&args[1], i) & mask));
    }
    return NB_OK;
}

static nb_status
unsigned_right_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                      nb_vector *out)
{
    bool wide = out->type->id == NB_TYPE_INT64;

    for (int64_t i = 0; i < n; i++) {
        int64_t x = at(&args[0], i), by = at(&args[1], i);

        put(out, i,
            wide ? (int64_t)((uint64_t)x >> (by & 63)) : (int64_t)((uint32_t)x >> (by & 31)));
    }
    return NB_OK;
}

static nb_status
bind_shift(nb_bound_call *call, nb_kernel_fn kernel, nb_error *err)
{
    if (call->args[0]->type->id != NB_TYPE_INT64) {
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_INT32), err));
    }
    NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    call->type = call->args[0]->type;
    call->kernel = kernel;
    return NB_OK;
}

nb_status
nb_bind_shift_left(nb_bound_call *call, nb_error *err)
{
    return bind_shift(call, left_kernel, err);
}

nb_status
nb_bind_shift_right(nb_bound_call *call, nb_error *err)
{
    return bind_shift(call, right_kernel, err);
}

nb_status
nb_bind_shift_right_unsigned(nb_bound_call *call, nb_error *err)
{
    return bind_shift(call, unsigned_right_kernel, err);
}

/* ---- counting ------------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
count_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n;
         i++) { /* Spark widens to long first: a negative int counts its 32 sign bits too */
        NB_DATA(int32_t, out)[i] = __builtin_popcountll((uint64_t)at(&args[0], i));
    }
    return NB_OK;
}

nb_status
nb_bind_bit_count(nb_bound_call *call, nb_error *err)
{
    if (call->args[0]->type->id == NB_TYPE_NULL) {
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_INT32), err));
    }
    if (!nb_type_is_integral(call->args[0]->type) && call->args[0]->type->id != NB_TYPE_BOOL) {
        return nb_bind_mismatch(call, 0, "(\"INTEGRAL\" or \"BOOLEAN\")", err);
    }
    call->type = nb_type_of(NB_TYPE_INT32);
    call->kernel = count_kernel;
    return NB_OK;
}

static nb_status
get_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int width = 8 * nb_phys_width(args[0].type->phys);

    for (int64_t i = 0; i < n; i++) {
        int64_t pos = at(&args[1], i);

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (pos < 0 || pos >= width) {
            char upper[16], shown[24];

            snprintf(upper, sizeof upper, "%d", width);
            snprintf(shown, sizeof shown, "%lld", (long long)pos);
            return nb_raise(ctx->err, NB_COND_INVALID_PARAMETER_VALUE_BIT_POSITION_RANGE,
                            "functionName", "`bit_get`", "parameter", "`pos`", "upper", upper,
                            "invalidValue", shown, NULL);
        }
        NB_DATA(int8_t, out)[i] = (int8_t)((at(&args[0], i) >> pos) & 1);
    }
    return NB_OK;
}

nb_status
nb_bind_bit_get(nb_bound_call *call, nb_error *err)
{
    if (!nb_type_is_integral(call->args[0]->type)) {
        return nb_bind_mismatch(call, 0, "\"INTEGRAL\"", err);
    }
    NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    call->type = nb_type_of(NB_TYPE_INT8);
    call->kernel = get_kernel;
    return NB_OK;
}
