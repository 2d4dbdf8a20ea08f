/* SPDX-License-Identifier: Apache-2.0 */
/*
 * function_options.c: options of functions that read and write text formats.
 */
#include "io/function_options.h"

const char *
nb_function_sql(nb_bound_call *call)
{
    const char *arg = nb_expr_sql(call->arena, call->args[0], false);
    nb_str name = nb_function_name(call->fn);
    char *sql =
        nb_arena_printf(call->arena, "\"%.*s(%s)\"", (int)name.len, name.data, arg ? arg : "");

    return sql ? sql : "";
}

nb_status
nb_function_options(nb_bound_call *call, int arg, const nb_option **out, int *n, nb_error *err)
{
    const nb_type *t;
    const nb_vector *v, *keys, *values;
    nb_option *options;
    nb_list list;

    *out = NULL;
    *n = 0;
    if (call->n_args <= arg) {
        return NB_OK;
    }
    t = call->args[arg]->type;
    if (t->id != NB_TYPE_MAP) {
        return nb_raise(err, NB_COND_INVALID_OPTIONS_NON_MAP_FUNCTION, NULL);
    }
    if (!nb_type_is_string(t->children[0].type) || !nb_type_is_string(t->children[1].type)) {
        const char *sql = nb_type_sql(call->arena, t);

        return nb_raise(err, NB_COND_INVALID_OPTIONS_NON_STRING_TYPE, "mapType",
                        nb_arena_printf(call->arena, "\"%s\"", sql ? sql : ""), NULL);
    }
    NB_TRY(nb_bind_constant(call, arg, &v, err));
    if (v == NULL || nb_vector_is_null(v, 0)) {
        return nb_raise(err, NB_COND_INVALID_OPTIONS_NON_MAP_FUNCTION, NULL);
    }
    list = NB_DATA(nb_list, v)[0];
    keys = &v->children[0];
    values = &v->children[1];
    options = NB_ARENA_ARRAY(call->arena, nb_option, list.len + 1);
    if (options == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = list.offset; i < (int64_t)list.offset + list.len; i++) {
        nb_option *o = &options[*n];

        if (nb_vector_is_null(values, i)) {
            continue;
        }
        o->key = nb_arena_str(call->arena, nb_view_str(&NB_DATA(nb_view, keys)[i]));
        o->value = nb_arena_str(call->arena, nb_view_str(&NB_DATA(nb_view, values)[i]));
        if (o->key.data == NULL || o->value.data == NULL) {
            return NB_NOMEM;
        }
        ++*n;
    }
    *out = options;
    return NB_OK;
}

nb_status
nb_function_input(nb_bound_call *call, nb_error *err)
{
    const nb_expr *e = call->args[0];
    const char *sql = nb_expr_sql(call->arena, e, false), *type = nb_type_sql(call->arena, e->type);

    if (e->type->id != NB_TYPE_NULL && !nb_type_is_string(e->type)) {
        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_UNEXPECTED_INPUT_TYPE, "sqlExpr",
                        nb_function_sql(call), "paramIndex", "first", "requiredType", "\"STRING\"",
                        "inputSql", nb_arena_printf(call->arena, "\"%s\"", sql ? sql : ""),
                        "inputType", nb_arena_printf(call->arena, "\"%s\"", type ? type : ""),
                        NULL);
    }
    return nb_bind_cast(call, 0, nb_type_of(NB_TYPE_STRING), err);
}

nb_status
nb_function_text(nb_bound_call *call, const char *what, nb_str *text, nb_error *err)
{
    const nb_expr *e = call->args[0];
    const char *sql = nb_expr_sql(call->arena, e, false);
    const nb_vector *v;

    NB_TRY(nb_function_input(call, err));
    NB_TRY(nb_bind_constant(call, 0, &v, err));
    if (v == NULL) {
        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_NON_FOLDABLE_INPUT, "sqlExpr",
                        nb_function_sql(call), "inputName",
                        nb_arena_printf(call->arena, "`%s`", what), "inputType", "\"STRING\"",
                        "inputExpr", nb_arena_printf(call->arena, "\"%s\"", sql ? sql : ""), NULL);
    }
    if (nb_vector_is_null(v, 0)) {
        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_UNEXPECTED_NULL, "sqlExpr",
                        nb_function_sql(call), "exprName", what, NULL);
    }
    *text = nb_view_str(&NB_DATA(nb_view, v)[0]);
    return NB_OK;
}

nb_status
nb_function_mode(nb_bound_call *call, nb_parse_mode mode, nb_error *err)
{
    nb_str name = nb_function_name(call->fn);

    return mode != NB_PARSE_DROPMALFORMED
               ? NB_OK
               : nb_raise(err, NB_COND_PARSE_MODE_UNSUPPORTED, "funcName",
                          nb_arena_printf(call->arena, "`%.*s`", (int)name.len, name.data), "mode",
                          "DROPMALFORMED", NULL);
}

nb_status
nb_function_bad_record(nb_kernel_ctx *ctx, const nb_vector *rows, int64_t row)
{
    bool fields = rows->type->id == NB_TYPE_STRUCT;
    nb_strbuf b = {0};
    nb_status st = NB_OK;

    nb_strbuf_addc(&b, '[');
    for (int i = 0; fields && i < rows->type->n_children && st == NB_OK; i++) {
        nb_vector text;

        nb_strbuf_adds(&b, i ? "," : "");
        st = nb_cast_vector(ctx, &rows->children[i], nb_type_of(NB_TYPE_STRING), NB_CAST_ANSI,
                            &text);
        if (st == NB_OK && !nb_vector_is_null(&text, row)) {
            nb_strbuf_add(
                &b, nb_view_str(&NB_DATA(nb_view, &text)[text.kind == NB_VEC_CONST ? 0 : row]));
        } else {
            nb_strbuf_adds(&b, "null");
        }
    }
    nb_strbuf_adds(&b, fields ? "]" : "null]");
    if (st == NB_OK) {
        st = b.failed ? NB_NOMEM
                      : nb_raise(ctx->err, NB_COND_MALFORMED_RECORD_IN_PARSING, "badRecord", b.data,
                                 "failFastMode", "FAILFAST", NULL);
    }
    nb_strbuf_free(&b);
    return st;
}

nb_status
nb_check_corrupt_column(nb_arena *arena, const nb_field *field, nb_error *err)
{
    const char *sql = nb_type_sql(arena, field->type);
    char *name, *type;

    if (field->type->id == NB_TYPE_STRING) {
        return NB_OK;
    }
    name = nb_arena_printf(arena, "`%.*s`", (int)field->name.len, field->name.data);
    type = nb_arena_printf(arena, "\"%s\"", sql ? sql : "");
    return name && type ? nb_raise(err, NB_COND_INVALID_CORRUPT_RECORD_TYPE, "columnName", name,
                                   "actualType", type, NULL)
                        : NB_NOMEM;
}
