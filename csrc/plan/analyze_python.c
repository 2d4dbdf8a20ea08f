/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_python.c: calls of functions in Python: nb_python of expr/kernels/python_udf.c with the function as its first arguments.
 */
#include "base/config.h"
#include "plan/analyzer_internal.h"
#include "plan/catalog.h"
#include "plan/message_unpack.h"
#include "plan/type_proto.h"

/* How functions are called: Spark's PythonEvalType. */
static const struct {
    int eval_type;
    nb_python_kind kind;
    const char *name; /* what programs call it */
} kinds[] = {{100, NB_PYTHON_VALUES, "udf"},
             {101, NB_PYTHON_VALUES, "udf"},
             {200, NB_PYTHON_VALUES, "pandas_udf"},
             {201, NB_PYTHON_GROUP_ROWS, "groupBy().applyInPandas"},
             {202, NB_PYTHON_GROUP_VALUE, "pandas_udf over groups"},
             {204, NB_PYTHON_VALUES, "pandas_udf over iterators"},
             {205, NB_PYTHON_ROWS, "mapInPandas"},
             {206, NB_PYTHON_COGROUP_ROWS, "cogroup().applyInPandas"},
             {207, NB_PYTHON_ROWS, "mapInArrow"},
             {208, NB_PYTHON_REFUSED, "applyInPandasWithState"},
             {209, NB_PYTHON_GROUP_ROWS, "groupBy().applyInArrow"},
             {210, NB_PYTHON_COGROUP_ROWS, "cogroup().applyInArrow"},
             {211, NB_PYTHON_REFUSED, "transformWithState"},
             {215, NB_PYTHON_GROUP_ROWS, "groupBy().applyInArrow over iterators"},
             {216, NB_PYTHON_GROUP_ROWS, "groupBy().applyInPandas over iterators"},
             {217, NB_PYTHON_GROUP_VALUE, "pandas_udf over iterators of groups"},
             {250, NB_PYTHON_VALUES, "arrow_udf"},
             {251, NB_PYTHON_VALUES, "arrow_udf over iterators"},
             {252, NB_PYTHON_GROUP_VALUE, "arrow_udf over groups"},
             {254, NB_PYTHON_GROUP_VALUE, "arrow_udf over iterators of groups"}};

enum {
    FIXED = 5,   /* arguments of nb_python before the function's own */
    PANDAS = 200 /* evaluation types from here on see settings */
};

static const nb_conf settings[] = {NB_CONF_SESSION_TIME_ZONE, NB_CONF_ARROW_MAX_RECORDS,
                                   NB_CONF_PANDAS_SAFE_ARROW, NB_CONF_PANDAS_STRUCT_MODE,
                                   NB_CONF_PANDAS_BY_NAME};

static nb_expr *
text(nb_analyzer *an, nb_type_id id, nb_str s)
{
    nb_view view = nb_view_make(s.data, s.len);
    nb_vector v = {.type = nb_type_of(id), .kind = NB_VEC_FLAT, .n_rows = 1, .data = &view};

    return nb_expr_literal(an->arena, &v);
}

/* Values of users' own types and of years and months have no form on the way to Python and back. */
static nb_status
check_type(const nb_type *t, nb_error *err)
{
    if (t->id == NB_TYPE_UDT || t->id == NB_TYPE_INTERVAL_YM || t->id == NB_TYPE_INTERVAL) {
        return nb_raise_unsupported(
            err, "A Python function of vectors, intervals or other types of users");
    }
    for (int i = 0; i < t->n_children; i++) {
        NB_TRY(check_type(t->children[i].type, err));
    }
    return NB_OK;
}

static nb_status
settings_of(nb_analyzer *an, nb_str *out)
{
    nb_strbuf b = {0};

    for (size_t i = 0; i < NB_COUNT_OF(settings); i++) {
        nb_str value = nb_config_str(an->cfg.info->config, settings[i]);

        nb_strbuf_addf(&b, "%s=%.*s\n", nb_conf_info_get(settings[i])->key, (int)value.len,
                       value.data);
    }
    *out = nb_strbuf_finish(an->arena, &b);
    return out->data ? NB_OK : NB_NOMEM;
}

static nb_status
find_kind(const Sc__CommonInlineUserDefinedFunction *f, nb_python_kind *out, nb_error *err)
{
    if (f == NULL ||
        f->function_case != SC__COMMON_INLINE_USER_DEFINED_FUNCTION__FUNCTION_PYTHON_UDF ||
        f->python_udf->output_type == NULL) {
        return nb_raise_unsupported(err, "A user-defined function that is not in Python");
    }
    for (size_t i = 0; i < NB_COUNT_OF(kinds); i++) {
        if (kinds[i].eval_type == (int)f->python_udf->eval_type) {
            *out = kinds[i].kind;
            return *out != NB_PYTHON_REFUSED ? NB_OK
                                             : nb_raise_unsupported(err, "%s", kinds[i].name);
        }
    }
    return nb_raise_unsupported(err, "A Python function of evaluation type %d",
                                (int)f->python_udf->eval_type);
}

/* The type that f declares. */
static nb_status
find_type(nb_analyzer *an, const Sc__CommonInlineUserDefinedFunction *f, const nb_type **out,
          nb_error *err)
{
    NB_TRY(nb_resolve_type(an, f->python_udf->output_type, out, err));
    return check_type(*out, err);
}

/* The call of f, of results of `made` while it declares `type`. */
static nb_status
call_of(nb_analyzer *an, const Sc__CommonInlineUserDefinedFunction *f, const nb_type *type,
        const nb_type *made, nb_expr *const *given, int n_given, const nb_origin *origin,
        nb_expr **out, nb_error *err)
{
    bool steady = !f->has_deterministic || f->deterministic;
    nb_str name = steady ? NB_STR("nb_python") : NB_STR("nb_python_varying");
    Sc__PythonUDF resolved = *f->python_udf;
    nb_str definition, seen = {"", 0};
    uint8_t *packed;
    nb_expr **args;

    /* with its type as it is understood here, which may have come as text */
    resolved.output_type = nb_type_to_proto(an->arena, type);
    NB_NEED(resolved.output_type);
    definition.len = protobuf_c_message_get_packed_size(&resolved.base);
    packed = nb_arena_alloc(an->arena, definition.len + 1);
    args = NB_ARENA_ARRAY(an->arena, nb_expr *, n_given + FIXED);
    NB_NEED(packed && args);
    protobuf_c_message_pack(&resolved.base, packed);
    definition.data = (const char *)packed;
    if (resolved.eval_type >= PANDAS) {
        NB_TRY(settings_of(an, &seen));
    }
    args[0] = text(an, NB_TYPE_BINARY, definition);
    args[1] = text(an, NB_TYPE_STRING, nb_config_str(an->cfg.info->config, NB_CONF_PYTHON));
    args[2] = text(an, NB_TYPE_STRING, nb_pb_str(f->function_name));
    args[3] = text(an, NB_TYPE_STRING, seen);
    args[4] = nb_expr_null(an->arena, made);
    for (int i = 0; i < FIXED; i++) {
        NB_NEED(args[i]);
    }
    for (int i = 0; i < n_given; i++) {
        NB_TRY(check_type(given[i]->type, err));
        args[FIXED + i] = given[i];
    }
    return nb_function_bind(an->arena, an->cfg.info, nb_function_find(name), name, args,
                            n_given + FIXED, origin, out, err);
}

nb_status
nb_resolve_python_call(nb_analyzer *an, const Sc__CommonInlineUserDefinedFunction *f,
                       nb_expr *const *given, int n_given, const nb_origin *origin, nb_expr **out,
                       nb_error *err)
{
    nb_expr **args = NB_ARENA_ARRAY(an->arena, nb_expr *, n_given + 1);
    nb_str *names = NB_ARENA_ARRAY(an->arena, nb_str, n_given + 1);
    nb_python_kind kind;
    const nb_type *type;

    NB_NEED(args && names);
    NB_TRY(find_kind(f, &kind, err));
    if (kind != NB_PYTHON_VALUES && kind != NB_PYTHON_GROUP_VALUE) {
        return nb_raise_unsupported(err, "A Python function of rows as a column");
    }
    NB_TRY(find_type(an, f, &type, err));
    for (int i = 0; i < n_given; i++) {
        args[i] = given[i];
        while (args[i]->kind == NB_EXPR_ALIAS) {
            args[i] = args[i]->args[0];
        }
        names[i] = NB_STR("_");
    }
    if (kind == NB_PYTHON_GROUP_VALUE) {
        NB_TRY(nb_python_rows(an, args, names, n_given, &args[0], err));
        n_given = 1;
    }
    return call_of(an, f, type, type, args, n_given, origin, out, err);
}

nb_status
nb_python_rows(nb_analyzer *an, nb_expr *const *columns, const nb_str *names, int n, nb_expr **out,
               nb_error *err)
{
    nb_expr **args = NB_ARENA_ARRAY(an->arena, nb_expr *, 2 * n + 1), *row;

    NB_NEED(args);
    if (n == 0) {
        return nb_raise_unsupported(err, "A Python function of rows without columns");
    }
    for (int i = 0; i < n; i++) {
        args[2 * i] = text(an, NB_TYPE_STRING, names[i]);
        args[2 * i + 1] = columns[i];
        NB_NEED(args[2 * i]);
    }
    NB_TRY(nb_call(an, "named_struct", args, 2 * n, &row, err));
    return nb_call_agg(an, "collect_list", &row, 1, false, out, err);
}

nb_status
nb_python_rows_call(nb_analyzer *an, const Sc__CommonInlineUserDefinedFunction *f,
                    nb_python_kind wanted, nb_expr *const *args, int n, nb_expr **out,
                    bool *no_columns, nb_error *err)
{
    nb_python_kind kind;
    const nb_type *type, *rows;

    NB_TRY(find_kind(f, &kind, err));
    NB_TRY(find_type(an, f, &type, err));
    if (kind != wanted || type->id != NB_TYPE_STRUCT) {
        return nb_raise_unsupported(err, "A Python function of this kind for rows");
    }
    *no_columns = type->n_children == 0;
    if (*no_columns) { /* called for what it does: a list of structs without fields would have no length in Arrow */
        nb_field field = {NB_STR("_"), nb_type_of(NB_TYPE_BOOL), true, {NULL, 0}};

        type = nb_type_struct(&field, 1);
        NB_NEED(type);
    }
    rows = nb_type_array(type, false);
    NB_NEED(rows);
    return call_of(an, f, type, rows, args, n, NULL, out, err);
}

nb_expr *
nb_python_rows_of(nb_expr *e)
{
    nb_expr *last = e->kind == NB_EXPR_CALL && e->n_args == FIXED + 1 ? e->args[FIXED] : NULL;

    return last && last->kind == NB_EXPR_AGG &&
                   nb_str_starts_with(nb_function_name(e->u.call.fn), NB_STR("nb_python"))
               ? last
               : NULL;
}

nb_status
nb_resolve_registered(nb_analyzer *an, nb_str name, nb_expr *const *args, int n,
                      const nb_origin *origin, nb_expr **out, nb_error *err)
{
    nb_str bytes = nb_catalog_function(an->cfg.catalog, name, NULL);
    ProtobufCMessage *message;

    *out = NULL;
    if (bytes.len == 0) {
        return NB_OK;
    }
    NB_TRY(nb_message_unpack(an->arena, &sc__common_inline_user_defined_function__descriptor,
                             bytes.data, bytes.len, &message, err));
    return nb_resolve_python_call(an, (const Sc__CommonInlineUserDefinedFunction *)message, args, n,
                                  origin, out, err);
}
