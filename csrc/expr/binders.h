/* SPDX-License-Identifier: Apache-2.0 */
/*
 * binders.h: prototypes of all binders, made from the function tables. Files that define binders include it.
 */
#ifndef NB_EXPR_BINDERS_H
#define NB_EXPR_BINDERS_H

#include "expr/aggregate.h"

#define NB_FUNCTION(names, min_args, max_args, binder, flags, help, example, result) \
    nb_status binder(nb_bound_call *call, nb_error *err);
#include "expr/functions/all_scalar.def"
#undef NB_FUNCTION

#define NB_AGGREGATE(names, min_args, max_args, binder, flags, help, example, result) \
    nb_status binder(nb_bound_agg *agg, nb_error *err);
#include "expr/functions/all_aggregate.def"
#undef NB_AGGREGATE

#endif
