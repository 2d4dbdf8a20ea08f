/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.c: the table of scalar functions, look-up by name, binding, and what binders share.
 */
#include "expr/registry.h"

#include <pthread.h>
#include <stdio.h>

#include "expr/binders.h"
#include "expr/name_index.h"

static const nb_function functions[] = {
#define NB_FUNCTION(names, min_args, max_args, binder, flags, help, example, result) \
    {names, min_args, max_args, binder, flags, help, example, result},
#include "expr/functions/all_scalar.def"
#undef NB_FUNCTION
};

static nb_name_index function_index;
static pthread_once_t function_index_once = PTHREAD_ONCE_INIT;

static void
build_index(void)
{
    for (size_t i = 0; i < NB_COUNT_OF(functions); i++) {
        nb_name_index_add(&function_index, functions[i].names, (int)i);
    }
}

const nb_function *
nb_function_find(nb_str name)
{
    int row;

    pthread_once(&function_index_once, build_index);
    row = name.len == 0 ? -1 : nb_name_index_find(&function_index, name);
    return row < 0 ? NULL : &functions[row];
}

const nb_function *
nb_function_at(int i)
{
    return i >= 0 && i < (int)NB_COUNT_OF(functions) ? &functions[i] : NULL;
}

bool
nb_next_name(const char **at, nb_str *name)
{
    const char *from = *at;
    size_t len = strspn(from, "|"); /* an operator: the bar before it is gone already */

    len = len > 0 ? len : strcspn(from, "|");
    *name = (nb_str){from, len};
    *at = from + len + (from[len] == '|');
    return len > 0;
}

nb_str
nb_function_name(const nb_function *fn)
{
    const char *at = fn->names;
    nb_str name;

    nb_next_name(&at, &name);
    return name;
}

nb_status
nb_bind_check_arity(nb_str name, int min_args, int max_args, int n_args, nb_error *err)
{
    nb_strbuf expected = {0}, quoted = {0};
    char actual[16];
    nb_status st;

    if (n_args >= min_args && (max_args < 0 || n_args <= max_args)) {
        return NB_OK;
    }
    nb_strbuf_addc(&quoted, '`');
    nb_strbuf_add(&quoted, name);
    nb_strbuf_addc(&quoted, '`');
    snprintf(actual, sizeof actual, "%d", n_args);
    if (max_args < 0) {
        nb_strbuf_addf(&expected, "> %d", min_args - 1);
    } else if (max_args == min_args) {
        nb_strbuf_addf(&expected, "%d", min_args);
    } else {
        nb_strbuf_addc(&expected, '[');
        for (int i = min_args; i <= max_args; i++) {
            nb_strbuf_addf(&expected, i == min_args ? "%d" : ", %d", i);
        }
        nb_strbuf_addc(&expected, ']');
    }
    st = nb_raise(err, NB_COND_WRONG_NUM_ARGS, "functionName", quoted.failed ? "" : quoted.data,
                  "expectedNum", expected.failed ? "" : expected.data, "actualNum", actual,
                  "docroot", "https://spark.apache.org/docs/latest", NULL);
    nb_strbuf_free(&expected);
    nb_strbuf_free(&quoted);
    return st;
}

nb_status
nb_expr_check_depth(const nb_expr *e, nb_error *err)
{
    return e->depth <= NB_EXPR_MAX_DEPTH ? NB_OK
                                         : nb_raise(err, NB_COND_FAILED_TO_PARSE_TOO_COMPLEX, NULL);
}

nb_status
nb_function_bind(nb_arena *arena, const nb_session_info *info, const nb_function *fn, nb_str name,
                 nb_expr **args, int n_args, const nb_origin *origin, nb_expr **out, nb_error *err)
{
    nb_bound_call call = {
        .arena = arena, .info = info, .fn = fn, .name = name, .n_args = n_args, .origin = origin};
    nb_status st;
    nb_expr *e;

    NB_TRY(nb_bind_check_arity(name.len > 0 ? name : nb_function_name(fn), fn->min_args,
                               fn->max_args, n_args, err));
    call.args = NB_ARENA_ARRAY(arena, nb_expr *, NB_MAX(n_args, 1));
    if (call.args == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_args; i++) {
        call.args[i] = args[i];
        call.nullable |= args[i]->nullable;
    }
    if (fn->flags & NB_FN_NULLABLE) {
        call.nullable = true;
    } else if (fn->flags & NB_FN_NOT_NULL) {
        call.nullable = false;
    }
    st = fn->bind(&call, err);
    if (st < 0) {
        if (st == NB_ERROR) {
            nb_expr_error_context(origin, err);
        }
        return st;
    }
    if (call.replacement != NULL) {
        if (call.replacement->origin == NULL) {
            call.replacement->origin = origin;
        }
        *out = call.replacement;
        return nb_expr_check_depth(*out, err);
    }
    for (int i = 0; i < call.n_args && !(fn->flags & (NB_FN_NULLS | NB_FN_NOT_NULL)); i++) {
        /* casts may be where their operands are not */
        call.nullable |= call.args[i]->kind != NB_EXPR_LAMBDA && call.args[i]->nullable;
    }
    e = nb_expr_new(arena, NB_EXPR_CALL, call.type, call.nullable, call.n_args);
    if (e == NULL) {
        return NB_NOMEM;
    }
    if (call.n_args > 0) {
        memcpy(e->args, call.args, (size_t)call.n_args * sizeof(nb_expr *));
    }
    e->origin = origin;
    e->u.call.fn = fn;
    e->u.call.kernel = call.kernel;
    e->u.call.payload = call.payload;
    nb_expr_set_flags(e);
    if (call.can_fail) {
        e->u.call.fails = true;
        e->can_fail = true;
    }
    *out = e;
    return nb_expr_check_depth(e, err);
}

void
nb_expr_error_context(const nb_origin *origin, nb_error *err)
{
    if (origin == NULL || err == NULL || !err->set || err->context != NULL ||
        err->condition == NB_COND_CAST_OVERFLOW ||
        err->condition == NB_COND_BINARY_ARITHMETIC_OVERFLOW) {
        return;
    }
    if (origin->sql_text.len > 0 && origin->start >= 0) {
        nb_error_set_sql_context(err, origin->sql_text.data, origin->sql_text.len, origin->start,
                                 origin->stop);
    } else if (origin->fragment.len > 0) {
        nb_strbuf fragment = {0}, site = {0};

        nb_strbuf_add(&fragment, origin->fragment);
        nb_strbuf_add(&site, origin->call_site);
        if (!fragment.failed && !site.failed) {
            nb_error_set_dataframe_context(err, fragment.data, site.data ? site.data : "");
        }
        nb_strbuf_free(&fragment);
        nb_strbuf_free(&site);
    }
}

/* ---- helpers for binders ---------------------------------------------------------------------------------------------------------- */

static const char *
ordinal_word(int i)
{
    static const char *const words[] = {"first", "second",  "third",  "fourth", "fifth",
                                        "sixth", "seventh", "eighth", "ninth",  "tenth"};

    return i < (int)NB_COUNT_OF(words) ? words[i] : "last";
}

/* name(args...) as Spark spells the call in messages. */
const char *
nb_bind_call_sql(nb_bound_call *call)
{
    nb_expr e = {.kind = NB_EXPR_CALL,
                 .type = nb_type_of(NB_TYPE_NULL),
                 .n_args = call->n_args,
                 .args = call->args};
    const char *text;

    e.u.call.fn = call->fn;
    text = nb_expr_sql(call->arena, &e, false);
    return text ? text : "";
}

nb_status
nb_bind_mismatch(nb_bound_call *call, int arg, const char *required, nb_error *err)
{
    const char *input = nb_expr_sql(call->arena, call->args[arg], false);
    const char *type = nb_type_sql(call->arena, call->args[arg]->type);

    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_UNEXPECTED_INPUT_TYPE, "sqlExpr",
                    nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)), "paramIndex",
                    ordinal_word(arg), "requiredType", required, "inputSql",
                    nb_arena_printf(call->arena, "\"%s\"", input ? input : ""), "inputType",
                    nb_arena_printf(call->arena, "\"%s\"", type ? type : ""), NULL);
}

nb_status
nb_bind_not_foldable(nb_bound_call *call, int arg, const char *input, const char *type,
                     nb_error *err)
{
    const char *sql = nb_expr_sql(call->arena, call->args[arg], false);

    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_NON_FOLDABLE_INPUT, "sqlExpr",
                    nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)), "inputName",
                    input, "inputType", type, "inputExpr",
                    nb_arena_printf(call->arena, "\"%s\"", sql ? sql : ""), NULL);
}

nb_status
nb_bind_cast(nb_bound_call *call, int arg, const nb_type *to, nb_error *err)
{
    nb_expr *e = call->args[arg];

    if (e->type == to || nb_type_same_ignoring_null(e->type, to)) {
        return NB_OK;
    }
    if (!nb_can_implicit_cast(e->type, to, call->info->ansi)) {
        const char *name = nb_type_sql(call->arena, to);

        return nb_bind_mismatch(call, arg, nb_arena_printf(call->arena, "\"%s\"", name ? name : ""),
                                err);
    }
    return nb_expr_cast(call->arena, e, to, call->info->ansi ? NB_CAST_ANSI : NB_CAST_LEGACY,
                        &call->args[arg], err);
}

nb_status
nb_bind_exact(nb_bound_call *call, int from, int to_excl, nb_type_id type, nb_error *err)
{
    for (int i = from; i < NB_MIN(to_excl, call->n_args); i++) {
        const nb_type *t = call->args[i]->type;

        if (t->id == type || (type == NB_TYPE_STRING && nb_type_is_string(t))) {
            continue;
        }
        if (t->id != NB_TYPE_NULL) {
            return nb_bind_mismatch(
                call, i,
                nb_arena_printf(call->arena, "\"%s\"", nb_type_sql(call->arena, nb_type_of(type))),
                err);
        }
        NB_TRY(nb_bind_cast(call, i, nb_type_of(type), err));
    }
    return NB_OK;
}

nb_status
nb_bind_data_diff_types(nb_bound_call *call, int from, int to_excl, nb_error *err)
{
    nb_strbuf types = {0};
    nb_strbuf name = {0};
    nb_status st;

    nb_strbuf_addc(&types, '[');
    for (int i = from; i < to_excl; i++) {
        const char *text = nb_type_sql(call->arena, call->args[i]->type);

        nb_strbuf_addf(&types, i > from ? ", \"%s\"" : "\"%s\"", text ? text : "");
    }
    nb_strbuf_addc(&types, ']');
    nb_strbuf_addc(&name, '`');
    nb_strbuf_add(&name, nb_function_name(call->fn));
    nb_strbuf_addc(&name, '`');
    st = nb_raise(err, NB_COND_DATATYPE_MISMATCH_DATA_DIFF_TYPES, "sqlExpr",
                  nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)), "functionName",
                  name.data ? name.data : "", "dataType", types.data ? types.data : "", NULL);
    nb_strbuf_free(&types);
    nb_strbuf_free(&name);
    return st;
}

nb_status
nb_bind_common_type(nb_bound_call *call, int from, int to_excl, const nb_type **common,
                    nb_error *err)
{
    const nb_type *t = call->args[from]->type;

    for (int i = from + 1; i < to_excl && t != NULL; i++) {
        t = nb_coerce_common(t, call->args[i]->type, call->info->ansi);
    }
    if (t == NULL) {
        return nb_bind_data_diff_types(call, from, to_excl, err);
    }
    for (int i = from; i < to_excl; i++) {
        if (!nb_type_same_ignoring_null(call->args[i]->type, t)) {
            NB_TRY(nb_expr_cast(call->arena, call->args[i], t,
                                call->info->ansi ? NB_CAST_ANSI : NB_CAST_LEGACY, &call->args[i],
                                err));
        }
    }
    *common = t;
    return NB_OK;
}

nb_status
nb_bind_constant(nb_bound_call *call, int arg, const nb_vector **value, nb_error *err)
{
    nb_expr *folded;

    *value = NULL;
    if (!call->args[arg]->foldable) {
        return NB_OK;
    }
    NB_TRY(nb_expr_fold(call->arena, call->args[arg], call->info, &folded, err));
    call->args[arg] = folded;
    *value = folded->u.literal.value;
    return NB_OK;
}

nb_status
nb_bind_again(nb_bound_call *call, const char *name, nb_expr **args, int n_args, nb_expr **out,
              nb_error *err)
{
    const nb_function *fn = nb_function_find(nb_str_of(name));

    if (fn == NULL) {
        return nb_raise_internal(err, "function %s is not in the tables", name);
    }
    return nb_function_bind(call->arena, call->info, fn, nb_str_of(name), args, n_args,
                            call->origin, out, err);
}
