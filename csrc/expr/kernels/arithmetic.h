/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arithmetic.h: the parts of the arithmetic operators that live in files of their own.
 */
#ifndef NB_EXPR_KERNELS_ARITHMETIC_H
#define NB_EXPR_KERNELS_ARITHMETIC_H

#include "expr/kernels/operators.h"

/* Both arguments are decimals; op is one of + - * / % d (div) p (pmod). */
nb_status nb_bind_decimal_arithmetic(nb_bound_call *call, char op, nb_error *err);
/* Dates, timestamps and intervals: sets *done when an operand is one of them and the call is bound. */
nb_status nb_bind_interval_arithmetic(nb_bound_call *call, bool *done, nb_error *err);

#endif
