/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.c: binders of the functions that exist only over windows. They have no kernel: the window operator computes them by name.
 */
#include "expr/binders.h"
#include "expr/cast.h"
#include "expr/kernels/operators.h"

nb_status
nb_bind_row_number(nb_bound_call *call, nb_error *err)
{
    call->type = nb_type_of(NB_TYPE_INT32);
    call->n_args = 0; /* rank(x): the argument says nothing */
    return NB_OK;
}

nb_status
nb_bind_window_fraction(nb_bound_call *call, nb_error *err)
{
    call->type = nb_type_of(NB_TYPE_FLOAT64);
    call->n_args = 0;
    return NB_OK;
}

nb_status
nb_bind_ntile(nb_bound_call *call, nb_error *err)
{
    if (call->n_args == 0) {
        nb_expr **args = NB_ARENA_ARRAY(call->arena, nb_expr *, 1);

        if (args == NULL) {
            return NB_NOMEM;
        }
        args[0] = nb_expr_int32(call->arena, 1);
        if (args[0] == NULL) {
            return NB_NOMEM;
        }
        call->args = args;
        call->n_args = 1;
    }
    NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_INT32), err));
    call->type = nb_type_of(NB_TYPE_INT32);
    return NB_OK;
}

/* lag, lead: value, offset (1), default (null) */
nb_status
nb_bind_lag(nb_bound_call *call, nb_error *err)
{
    nb_expr **args = NB_ARENA_ARRAY(call->arena, nb_expr *, 3);
    const nb_type *t = call->args[0]->type;

    if (args == NULL) {
        return NB_NOMEM;
    }
    args[0] = call->args[0];
    args[1] = call->n_args > 1 ? call->args[1] : nb_expr_int32(call->arena, 1);
    args[2] = call->n_args > 2 ? call->args[2] : nb_expr_null(call->arena, t);
    if (args[1] == NULL || args[2] == NULL) {
        return NB_NOMEM;
    }
    call->args = args;
    call->n_args = 3;
    NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    NB_TRY(nb_bind_cast(call, 2, t, err));
    call->type = t;
    call->nullable = args[0]->nullable || args[2]->nullable;
    return NB_OK;
}

nb_status
nb_bind_nth_value(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    call->type = call->args[0]->type;
    call->nullable = true;
    return NB_OK;
}
