/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_read.c: from_json.
 *
 * from_json(text, null of the wanted type): the analyzer turns a schema given as text into a null literal of that type, so that nothing here
 * parses DDL. Empty text gives null.
 */
#include "expr/json_columns.h"
#include "expr/kernels/string.h"

static nb_status
from_json_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_json_reading how = {.rules = NB_JSON_NOT_FINITE, .zone = ctx->info->zone};
    const nb_type *t = ctx->expr->type;
    nb_json_columns *c;
    nb_status st;

    NB_TRY(nb_json_columns_new(ctx, t, &how, &c));
    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_vector_is_null(&args[0], i) ? (nb_str){"", 0} : nb_row_str(&args[0], i);
        nb_json j = nb_json_of(s);

        if (nb_str_trim(s).len == 0) {
            nb_json_columns_add_null(c);
        } else {
            nb_json_columns_add(c, &j);
        }
    }
    st = nb_json_columns_finish(c, out);
    out->type = t;
    return st;
}

nb_status
nb_bind_from_json(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[1]->type;

    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    if (call->n_args > 2) {
        return nb_raise_unsupported(err, "options of from_json");
    }
    if (t->id != NB_TYPE_STRUCT && t->id != NB_TYPE_ARRAY &&
        !(t->id == NB_TYPE_MAP && nb_type_is_string(t->children[0].type))) {
        return nb_bind_mismatch(call, 1, "\"STRUCT\", \"ARRAY\" or \"MAP\" with strings as keys",
                                err);
    }
    call->type = nb_type_as_nullable(t);
    call->nullable = true;
    call->kernel = from_json_kernel;
    return call->type ? NB_OK : NB_NOMEM;
}
