/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arithmetic.h: the parts of the arithmetic operators that live in files of their own.
 */
#ifndef NB_EXPR_KERNELS_ARITHMETIC_H
#define NB_EXPR_KERNELS_ARITHMETIC_H

#include "expr/kernels/operators.h"

/* Both arguments are decimals; op is one of + - * / % d (div) p (pmod). */
nb_status nb_bind_decimal_arithmetic(nb_bound_call *call, char op, nb_error *err);
/* Is e a + - or * of decimals whose result no digit is cut from? Then operands are to be multiplied by 10^up1 and 10^up2 first. */
bool nb_is_decimal_sum_or_product(const nb_expr *e, char *op, int *up1, int *up2);
/* Dates, timestamps and intervals: sets *done when an operand is one of them and the call is bound. */
nb_status nb_bind_interval_arithmetic(nb_bound_call *call, bool *done, nb_error *err);

/* *out = ts + months + days + us: the calendar part on the session zone's clock where zoned. false: beyond what a timestamp holds. */
bool nb_add_to_timestamp(const nb_kernel_ctx *ctx, bool zoned, int64_t ts, int64_t months,
                         int64_t days, int64_t us, int64_t *out);
/* sequence of dates and timestamps. */
nb_status nb_bind_time_sequence(nb_bound_call *call, nb_error *err);

#endif
