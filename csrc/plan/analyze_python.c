/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_python.c: calls of functions in Python: nb_python of expr/kernels/python_udf.c with the function as its first arguments.
 */
#include "base/config.h"
#include "plan/analyzer_internal.h"
#include "plan/catalog.h"
#include "plan/message_unpack.h"
#include "plan/type_proto.h"

/* Spark's PythonEvalType. */
enum { EVAL_ROWS = 100, EVAL_ROWS_BY_ARROW = 101 };

/* What programs call the other kinds. */
static const struct {
    int eval_type;
    const char *name;
} kinds[] = {{200, "pandas_udf"},
             {201, "groupBy().applyInPandas"},
             {202, "pandas_udf over groups"},
             {203, "pandas_udf over windows"},
             {204, "pandas_udf over iterators"},
             {205, "mapInPandas"},
             {206, "cogroup().applyInPandas"},
             {207, "mapInArrow"},
             {208, "applyInPandasWithState"},
             {209, "groupBy().applyInArrow"},
             {210, "cogroup().applyInArrow"},
             {211, "transformWithState"},
             {250, "arrow_udf"},
             {251, "arrow_udf over iterators"},
             {252, "arrow_udf over groups"},
             {253, "arrow_udf over windows"}};

enum { FIXED = 4 }; /* arguments of nb_python before the function's own */

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

nb_status
nb_refuse_python_kind(const Sc__CommonInlineUserDefinedFunction *f, nb_error *err)
{
    if (f == NULL ||
        f->function_case != SC__COMMON_INLINE_USER_DEFINED_FUNCTION__FUNCTION_PYTHON_UDF) {
        return nb_raise_unsupported(err, "A user-defined function that is not in Python");
    }
    for (size_t i = 0; i < NB_COUNT_OF(kinds); i++) {
        if (kinds[i].eval_type == (int)f->python_udf->eval_type) {
            return nb_raise_unsupported(err, "%s", kinds[i].name);
        }
    }
    return nb_raise_unsupported(err, "A Python function of evaluation type %d",
                                (int)f->python_udf->eval_type);
}

nb_status
nb_resolve_python_call(nb_analyzer *an, const Sc__CommonInlineUserDefinedFunction *f,
                       nb_expr *const *given, int n_given, const nb_origin *origin, nb_expr **out,
                       nb_error *err)
{
    const Sc__PythonUDF *udf = f->python_udf;
    const nb_config *config = an->cfg.info->config;
    bool steady = !f->has_deterministic || f->deterministic;
    nb_str name = steady ? NB_STR("nb_python") : NB_STR("nb_python_varying");
    Sc__PythonUDF resolved;
    nb_str definition;
    const nb_type *type;
    uint8_t *packed;
    nb_expr **args;

    if (f->function_case != SC__COMMON_INLINE_USER_DEFINED_FUNCTION__FUNCTION_PYTHON_UDF ||
        udf->output_type == NULL) {
        return nb_raise_unsupported(err, "A user-defined function that is not in Python");
    }
    if (udf->eval_type != EVAL_ROWS && udf->eval_type != EVAL_ROWS_BY_ARROW) {
        return nb_refuse_python_kind(f, err);
    }
    NB_TRY(nb_resolve_type(an, udf->output_type, &type, err));
    NB_TRY(check_type(type, err));
    resolved = *udf; /* with its type as it is understood here, which may have come as text */
    resolved.output_type = nb_type_to_proto(an->arena, type);
    NB_NEED(resolved.output_type);
    definition.len = protobuf_c_message_get_packed_size(&resolved.base);
    packed = nb_arena_alloc(an->arena, definition.len + 1);
    args = NB_ARENA_ARRAY(an->arena, nb_expr *, n_given + FIXED);
    NB_NEED(packed && args);
    protobuf_c_message_pack(&resolved.base, packed);
    definition.data = (const char *)packed;
    args[0] = text(an, NB_TYPE_BINARY, definition);
    args[1] = text(an, NB_TYPE_STRING, nb_config_str(config, NB_CONF_PYTHON));
    args[2] = text(an, NB_TYPE_STRING, nb_pb_str(f->function_name));
    args[3] = nb_expr_null(an->arena, type);
    NB_NEED(args[0] && args[1] && args[2] && args[3]);
    for (int i = 0; i < n_given; i++) {
        nb_expr *e = given[i];

        while (e->kind == NB_EXPR_ALIAS) {
            e = e->args[0];
        }
        NB_TRY(check_type(e->type, err));
        args[FIXED + i] = e;
    }
    return nb_function_bind(an->arena, an->cfg.info, nb_function_find(name), name, args,
                            n_given + FIXED, origin, out, err);
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
