/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scalar.h: small things that the kernels of the scalar function families share.
 *
 * Arguments are FLAT or CONST; row i of argument v lies at i * nb_step(v).
 */
#ifndef NB_EXPR_KERNELS_SCALAR_H
#define NB_EXPR_KERNELS_SCALAR_H

#include "expr/binders.h"

NB_INLINE int64_t
nb_step(const nb_vector *v)
{
    return v->kind == NB_VEC_CONST ? 0 : 1;
}

NB_INLINE nb_str
nb_row_str(const nb_vector *v, int64_t i)
{
    return nb_view_str(&NB_DATA(nb_view, v)[v->kind == NB_VEC_CONST ? 0 : i]);
}

/* Makes a row of the result null. */
NB_INLINE nb_status
nb_row_null(nb_kernel_ctx *ctx, nb_vector *out, int64_t i)
{
    if (NB_UNLIKELY(out->validity == NULL)) {
        NB_TRY(nb_vector_need_validity(ctx->arena, out));
    }
    nb_bit_clear(out->validity, i);
    return NB_OK;
}

/* Binders: result type and kernel in one line. */
NB_INLINE nb_status
nb_bound(nb_bound_call *call, nb_type_id type, nb_kernel_fn kernel)
{
    call->type = nb_type_of(type);
    call->kernel = kernel;
    return NB_OK;
}

/* Casts arguments [from, to) to a type without parameters. */
nb_status nb_bind_all(nb_bound_call *call, int from, int to_excl, nb_type_id type, nb_error *err);
/* Text of a constant string argument: *found = false when it is not constant; *text is all zero when it is null. */
nb_status nb_bind_text(nb_bound_call *call, int arg, bool *found, nb_str *text, nb_error *err);
/* A date from a date, timestamp or string; an instant or local time from anything that has one. */
nb_status nb_bind_date(nb_bound_call *call, int arg, nb_error *err);
nb_status nb_bind_time(nb_bound_call *call, int arg, nb_error *err);

/* The rest of the division rounds toward minus infinity. */
NB_INLINE int64_t
nb_floor_div(int64_t a, int64_t b)
{
    return a / b - ((a % b != 0) & ((a ^ b) < 0));
}
NB_INLINE int64_t
nb_floor_mod(int64_t a, int64_t b)
{
    return a - nb_floor_div(a, b) * b;
}

#endif
