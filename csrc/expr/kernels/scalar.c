/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scalar.c: helpers of the binders of scalar functions.
 */
#include "expr/kernels/scalar.h"

/* A string that becomes something else may become null, as far as types tell: also under ANSI, as in Spark. */
static void
note_from_string(nb_bound_call *call, const nb_type *from, int arg)
{
    if (nb_type_is_string(from) && !nb_type_is_string(call->args[arg]->type) &&
        call->args[arg]->type->id != NB_TYPE_BINARY) {
        call->nullable = true;
    }
}

nb_status
nb_bind_all(nb_bound_call *call, int from, int to_excl, nb_type_id type, nb_error *err)
{
    for (int i = from; i < to_excl && i < call->n_args; i++) {
        const nb_type *from_type = call->args[i]->type;
        NB_TRY(nb_bind_cast(call, i, nb_type_of(type), err));
        note_from_string(call, from_type, i);
    }
    return NB_OK;
}

nb_status
nb_bind_text(nb_bound_call *call, int arg, bool *found, nb_str *text, nb_error *err)
{
    const nb_vector *v;

    *text = (nb_str){NULL, 0};
    NB_TRY(nb_bind_constant(call, arg, &v, err));
    *found = v != NULL;
    if (v && !nb_vector_is_null(v, 0)) {
        *text = nb_arena_str(call->arena, nb_view_str(&NB_DATA(nb_view, v)[0]));
        return text->data ? NB_OK : NB_NOMEM;
    }
    return NB_OK;
}

nb_status
nb_bind_date(nb_bound_call *call, int arg, nb_error *err)
{
    const nb_type *t = call->args[arg]->type;

    if (t->id == NB_TYPE_TIMESTAMP || t->id == NB_TYPE_TIMESTAMP_NTZ) {
        return nb_expr_cast(call->arena, call->args[arg], nb_type_of(NB_TYPE_DATE),
                            call->info->ansi ? NB_CAST_ANSI : NB_CAST_LEGACY, &call->args[arg],
                            err);
    }
    NB_TRY(nb_bind_cast(call, arg, nb_type_of(NB_TYPE_DATE), err));
    note_from_string(call, t, arg);
    return NB_OK;
}

nb_status
nb_bind_time(nb_bound_call *call, int arg, nb_error *err)
{
    const nb_type *t = call->args[arg]->type;

    if (t->id == NB_TYPE_TIMESTAMP || t->id == NB_TYPE_TIMESTAMP_NTZ) {
        return NB_OK;
    }
    if (t->id == NB_TYPE_DATE) {
        return nb_expr_cast(call->arena, call->args[arg], nb_type_of(NB_TYPE_TIMESTAMP),
                            NB_CAST_ANSI, &call->args[arg], err);
    }
    NB_TRY(nb_bind_cast(call, arg, nb_type_of(NB_TYPE_TIMESTAMP), err));
    note_from_string(call, t, arg);
    return NB_OK;
}
