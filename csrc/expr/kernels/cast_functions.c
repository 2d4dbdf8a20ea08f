/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cast_functions.c: int(x), string(x), double(x) ...: casts under the name of their type.
 */
#include "expr/binders.h"

nb_status
nb_bind_cast_function(nb_bound_call *call, nb_error *err)
{
    static const struct {
        const char *name;
        nb_type_id id;
    } targets[] = {
        {"bigint", NB_TYPE_INT64},  {"binary", NB_TYPE_BINARY},       {"boolean", NB_TYPE_BOOL},
        {"date", NB_TYPE_DATE},     {"decimal", NB_TYPE_DECIMAL},     {"double", NB_TYPE_FLOAT64},
        {"float", NB_TYPE_FLOAT32}, {"int", NB_TYPE_INT32},           {"smallint", NB_TYPE_INT16},
        {"string", NB_TYPE_STRING}, {"timestamp", NB_TYPE_TIMESTAMP}, {"tinyint", NB_TYPE_INT8},
    };
    nb_str name = nb_function_name(call->fn);

    for (size_t i = 0; i < NB_COUNT_OF(targets); i++) {
        if (nb_str_equal(name, nb_str_of(targets[i].name))) {
            return nb_expr_explicit_cast(call->arena, call->args[0], nb_type_of(targets[i].id),
                                         call->info->ansi ? NB_CAST_ANSI : NB_CAST_LEGACY,
                                         &call->replacement, err);
        }
    }
    return nb_raise_internal(err, "no such type");
}
