/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operators.h: what the binders of binary operators share: which types meet, and the errors of arithmetic.
 */
#ifndef NB_EXPR_KERNELS_OPERATORS_H
#define NB_EXPR_KERNELS_OPERATORS_H

#include "expr/registry.h"

/* What an operator does with a result that does not exist: raise, wrap around as Java, or null. */
typedef enum nb_math_mode { NB_MATH_ANSI, NB_MATH_LEGACY, NB_MATH_TRY } nb_math_mode;
/* From the session, and the "try_" of the function's name. */
nb_math_mode nb_math_mode_of(const nb_bound_call *call);

/* Casts args 0 and 1 of an arithmetic operator to types that meet: strings to numbers, numbers to the wider one. Two decimals keep their own
 * precision and scale. Leaves other types alone. */
nb_status nb_bind_arithmetic_operands(nb_bound_call *call, nb_error *err);
/* Casts args 0 and 1 of a comparison to one type. Raises BINARY_OP_DIFF_TYPES. */
nb_status nb_bind_comparison_operands(nb_bound_call *call, nb_error *err);

/* Raises INVALID_ORDERING_TYPE for types without an order. */
nb_status nb_bind_orderable(nb_bound_call *call, int arg, nb_error *err);
nb_status nb_bind_diff_types(nb_bound_call *call, nb_error *err);
nb_status nb_bind_wrong_type(nb_bound_call *call, const char *input_type, nb_error *err);

/* ARITHMETIC_OVERFLOW; try_name "try_add" or NULL when there is none to suggest. */
nb_status nb_raise_overflow(nb_error *err, const char *try_name);
nb_status nb_raise_divide_by_zero(nb_error *err);
nb_status nb_raise_remainder_by_zero(nb_error *err);
/* The decimal value (unscaled, scale) does not fit type t. */
nb_status nb_raise_decimal_range(nb_error *err, nb_int128 v, int scale, const nb_type *t);
/* Makes row i of a kernel's output null. */
nb_status nb_kernel_null_row(nb_kernel_ctx *ctx, nb_vector *out, int64_t i);

NB_INLINE nb_int128
nb_decimal_at(const nb_vector *v, int64_t i)
{
    i = v->kind == NB_VEC_CONST ? 0 : i;
    return v->type->phys == NB_PHYS_INT64 ? NB_DATA(int64_t, v)[i] : NB_DATA(nb_int128, v)[i];
}
NB_INLINE void
nb_decimal_put(nb_vector *v, int64_t i, nb_int128 x)
{
    if (v->type->phys == NB_PHYS_INT64) {
        NB_DATA(int64_t, v)[i] = (int64_t)x;
    } else {
        NB_DATA(nb_int128, v)[i] = x;
    }
}

#endif
