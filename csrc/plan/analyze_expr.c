/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_expr.c: Expression messages to bound expressions.
 *
 * One function per kind of message. Function calls go to the scalar registry, then to the aggregates; a few names are the analyzer's own,
 * because they need names of arguments (struct), the query around them (grouping) or lambda parameters.
 */
#include <stdio.h>
#include "plan/analyzer_internal.h"
#include "plan/message_unpack.h"
#include "base/hash.h"
#include "plan/type_json.h"
#include "plan/type_proto.h"
#include "sql/encoding.h"
#include "sql/parser.h"

const nb_origin *
nb_origin_of(nb_analyzer *an, const Sc__Expression *e)
{
    return nb_origin_new(an, e->common ? e->common->origin : NULL);
}

const nb_origin *
nb_origin_new(nb_analyzer *an, const Sc__Origin *from)
{
    nb_origin *o;

    if (!from) {
        return NULL;
    }
    o = NB_ARENA_NEW(an->arena, nb_origin);
    if (!o) {
        return NULL;
    }
    o->start = o->stop = o->position = -1;
    if (from->function_case == SC__ORIGIN__FUNCTION_PYTHON_ORIGIN) {
        o->fragment = nb_pb_str(from->python_origin->fragment);
        o->call_site = nb_pb_str(from->python_origin->call_site);
    } else if (from->function_case == SC__ORIGIN__FUNCTION_JVM_ORIGIN) {
        const Sc__JvmOrigin *j = from->jvm_origin;
        if (j->sql_text.data && j->sql_text.len) {
            an->sql_text = nb_pb_str(j->sql_text);
        }
        o->sql_text = an->sql_text;
        o->start = j->has_start_index ? j->start_index : -1;
        o->stop = j->has_stop_index ? j->stop_index : -1;
        o->line = j->has_line ? j->line : 0;
        o->position = j->has_start_position ? j->start_position : -1;
    }
    return o;
}

nb_status
nb_located(nb_status st, const nb_origin *o, nb_error *err)
{
    if (st == NB_ERROR && o && err && err->set && !err->context) {
        if (o->sql_text.len && o->start >= 0) {
            nb_error_set_sql_context(err, o->sql_text.data, o->sql_text.len, o->start, o->stop);
        } else if (o->fragment.len) {
            char fragment[128], site[512];
            snprintf(fragment, sizeof fragment, "%.*s", (int)o->fragment.len, o->fragment.data);
            snprintf(site, sizeof site, "%.*s", (int)o->call_site.len, o->call_site.data);
            nb_error_set_dataframe_context(err, fragment, site);
        }
    }
    return st;
}

nb_status
nb_call(nb_analyzer *an, const char *name, nb_expr **args, int n, nb_expr **out, nb_error *err)
{
    const nb_function *fn = nb_function_find(nb_str_of(name));
    nb_expr **copy = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 1);

    NB_NEED(copy);
    if (!fn) {
        return nb_raise_unsupported(err, "The function %s", name);
    }
    if (n > 0) {
        memcpy(copy, args, sizeof(nb_expr *) * (size_t)n);
    }
    return nb_function_bind(an->arena, an->cfg.info, fn, nb_str_of(name), copy, n, NULL, out, err);
}

nb_status
nb_call2(nb_analyzer *an, const char *name, nb_expr *a, nb_expr *b, nb_expr **out, nb_error *err)
{
    nb_expr *args[2] = {a, b};

    return nb_call(an, name, args, 2, out, err);
}

nb_status
nb_call_agg(nb_analyzer *an, const char *name, nb_expr **args, int n, bool distinct, nb_expr **out,
            nb_error *err)
{
    const nb_aggregate *fn = nb_aggregate_find(nb_str_of(name));
    nb_expr **copy = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 1);

    NB_NEED(copy);
    if (!fn) {
        return nb_raise_unsupported(err, "The aggregate %s", name);
    }
    memcpy(copy, args, sizeof(nb_expr *) * (size_t)n);
    return nb_aggregate_bind(an->arena, an->cfg.info, fn, nb_str_of(name), copy, n, distinct, NULL,
                             NULL, out, err);
}

nb_status
nb_cast_to(nb_analyzer *an, nb_expr *e, const nb_type *to, nb_expr **out, nb_error *err)
{
    return nb_expr_cast(an->arena, e, to, an->cfg.info->ansi ? NB_CAST_ANSI : NB_CAST_LEGACY, out,
                        err);
}

/* ---- functions ---- */

typedef struct call_options {
    bool distinct, ignore_nulls;
    bool over; /* the call of a window: its arguments may be aggregates */
    const Sc__Expression *filter;
    const void *message; /* where the query says the call; may be NULL */
} call_options;

static nb_status resolve_call(nb_analyzer *an, const nb_scope *scope, nb_str name,
                              Sc__Expression *const *args, size_t n, const call_options *opt,
                              const nb_origin *origin, nb_expr **out, nb_error *err);

/* Arguments with stars expanded; lambdas stay NULL. */
static nb_status
resolve_args(nb_analyzer *an, const nb_scope *scope, Sc__Expression *const *args, size_t n,
             nb_expr ***out, int *n_out, nb_error *err)
{
    nb_expr **list = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 1);
    int count = 0;

    NB_NEED(list);
    for (size_t i = 0; i < n; i++) {
        if (nb_is_star(args[i])) {
            nb_expr **more, **wider;
            int n_more;
            NB_TRY(nb_expand_star(an, scope, args[i], &more, &n_more, err));
            wider = NB_ARENA_ARRAY(an->arena, nb_expr *, (size_t)count + (size_t)n_more + n);
            NB_NEED(wider);
            memcpy(wider, list, sizeof(nb_expr *) * (size_t)count);
            if (n_more) {
                memcpy(wider + count, more, sizeof(nb_expr *) * (size_t)n_more);
            }
            list = wider;
            count += n_more;
        } else if (args[i]->expr_type_case == SC__EXPRESSION__EXPR_TYPE_LAMBDA_FUNCTION) {
            list[count++] = NULL;
        } else {
            NB_TRY(nb_resolve_expr(an, scope, args[i], &list[count++], err));
        }
    }
    *out = list;
    *n_out = count;
    return NB_OK;
}

/* * or t.*, without EXCEPT */
static bool
is_whole_star(const Sc__Expression *e)
{
    return e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_STAR;
}

static nb_expr *
without_alias(nb_expr *e)
{
    return e->kind == NB_EXPR_ALIAS ? e->args[0] : e;
}

/* struct(a, b + 1 AS c): field names come from the arguments' names. */
static nb_status
make_struct(nb_analyzer *an, Sc__Expression *const *raw, size_t n_raw, nb_expr **args, int n,
            nb_expr **out, nb_error *err)
{
    nb_expr **pairs = NB_ARENA_ARRAY(an->arena, nb_expr *, 2 * n + 1);

    NB_NEED(pairs);
    for (int i = 0; i < n; i++) {
        nb_str name;
        if (args[i]->kind == NB_EXPR_ALIAS) {
            name = args[i]->u.alias.name;
        } else if (args[i]->kind == NB_EXPR_COLUMN) {
            name = args[i]->u.column.name;
        } else if ((size_t)n == n_raw &&
                   raw[i]->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE) {
            nb_str *parts; /* a.b: the field's name */
            size_t n_parts;
            NB_TRY(nb_split_identifier(an,
                                       nb_pb_str(raw[i]->unresolved_attribute->unparsed_identifier),
                                       &parts, &n_parts, err));
            name = parts[n_parts - 1];
        } else {
            name = nb_str_of(nb_arena_printf(an->arena, "col%d", i + 1));
        }
        pairs[2 * i] = nb_expr_string(an->arena, name);
        NB_NEED(pairs[2 * i]);
        pairs[2 * i + 1] = without_alias(args[i]);
    }
    return nb_call(an, "named_struct", pairs, 2 * n, out, err);
}

/* grouping(c): is c rolled up in this row? grouping_id(): all of them as bits, the first key highest. */
static nb_status
make_grouping(nb_analyzer *an, nb_str name, nb_expr **args, int n, nb_expr **out, nb_error *err)
{
    nb_expr *gid;

    if (!an->grouping_id) {
        return nb_raise(err, NB_COND_UNSUPPORTED_GROUPING_EXPRESSION, NULL);
    }
    gid = nb_attr_expr(an->arena, an->grouping_id);
    NB_NEED(gid);
    if (nb_str_equal_nocase(name, NB_STR("grouping_id"))) {
        *out = gid;
        return NB_OK;
    }
    for (int i = 0; n == 1 && i < an->n_grouping_keys; i++) {
        if (nb_expr_equal(without_alias(an->grouping_keys[i]), args[0]) ||
            (an->grouping_copies && nb_expr_equal(an->grouping_copies[i], args[0]))) {
            nb_expr *shift = nb_expr_int32(an->arena, an->n_grouping_keys - 1 - i),
                    *one = nb_expr_int64(an->arena, 1), *e;
            NB_NEED(shift && one);
            NB_TRY(nb_call2(an, "shiftright", gid, shift, &e, err));
            NB_TRY(nb_call2(an, "&", e, one, &e, err));
            return nb_expr_cast(an->arena, e, nb_type_of(NB_TYPE_INT8), NB_CAST_LEGACY, out, err);
        }
    }
    return nb_raise(err, NB_COND_GROUPING_COLUMN_MISMATCH, "grouping",
                    n ? nb_expr_sql(an->arena, args[0], false) : "", "groupingColumns", "", NULL);
}

/* Types of the parameters that a higher-order function gives to its lambda number `which`. */
static nb_status
lambda_params(nb_str name, nb_expr *const *args, int n, int which, const nb_type **types,
              bool *nullable, int *n_types, nb_error *err)
{
    const nb_type *t0 = n > 0 && args[0] ? nb_type_storage(args[0]->type) : NULL;
    const nb_type *i32 = nb_type_of(NB_TYPE_INT32);

    *n_types = 0;
    if (!t0) {
        return nb_raise_internal(err, "a higher-order function without its collection");
    }
    for (int i = 0; i < 3; i++) {
        nullable[i] = true;
    }
    if (t0->id == NB_TYPE_MAP) {
        types[0] = t0->children[0].type;
        nullable[0] = false;
        types[1] = t0->children[1].type;
        *n_types = 2;
        if (nb_str_equal_nocase(name, NB_STR("map_zip_with")) && n > 1 && args[1] &&
            args[1]->type->id == NB_TYPE_MAP) {
            types[2] = args[1]->type->children[1].type;
            *n_types = 3;
        }
        return NB_OK;
    }
    if (t0->id != NB_TYPE_ARRAY) {
        types[0] = types[1] = types[2] =
            nb_type_of(NB_TYPE_NULL); /* the binder will say what it wants */
        *n_types = 2;
        return NB_OK;
    }
    types[0] = t0->children[0].type;
    nullable[0] = t0->contains_null;
    *n_types = 1;
    if (nb_str_equal_nocase(name, NB_STR("transform")) ||
        nb_str_equal_nocase(name, NB_STR("filter"))) {
        types[1] = i32;
        nullable[1] = false;
        *n_types = 2;
    } else if (nb_str_equal_nocase(name, NB_STR("array_sort"))) {
        types[1] = types[0];
        *n_types = 2;
    } else if (nb_str_equal_nocase(name, NB_STR("zip_with"))) {
        types[1] = args[1] && args[1]->type->id == NB_TYPE_ARRAY ? args[1]->type->children[0].type
                                                                 : nb_type_of(NB_TYPE_NULL);
        nullable[0] = true;
        *n_types = 2;
    } else if (nb_str_equal_nocase(name, NB_STR("aggregate")) ||
               nb_str_equal_nocase(name, NB_STR("reduce"))) {
        types[1] = types[0];
        nullable[1] = nullable[0];
        types[0] = args[1] ? args[1]->type : nb_type_of(NB_TYPE_NULL);
        nullable[0] = true;
        *n_types = which == 0 ? 2 : 1;
    }
    return NB_OK;
}

nb_status
nb_struct_like(nb_analyzer *an, nb_expr *e, nb_expr **args, int n, nb_expr **out, nb_error *err)
{
    nb_expr *choice[3];

    NB_TRY(nb_call(an, "named_struct", args, n, out, err));
    if (!e->nullable) {
        return NB_OK;
    }
    NB_TRY(nb_call(an, "isnull", &e, 1, &choice[0], err));
    choice[1] = nb_expr_null(an->arena, (*out)->type);
    choice[2] = *out;
    NB_NEED(choice[1]);
    return nb_call(an, "if", choice, 3, out, err);
}

nb_status
nb_lambda_of(nb_analyzer *an, nb_expr *body, const uint64_t *params, int n, nb_expr **out)
{
    nb_expr *e = nb_expr_new(an->arena, NB_EXPR_LAMBDA, body->type, body->nullable, 1);

    NB_NEED(e);
    e->args[0] = body;
    e->u.lambda.n_attrs = n;
    e->u.lambda.attrs = NB_ARENA_ARRAY(an->arena, uint64_t, n + 1);
    NB_NEED(e->u.lambda.attrs);
    memcpy(e->u.lambda.attrs, params, sizeof *params * (size_t)n);
    nb_expr_set_flags(e);
    *out = e;
    return NB_OK;
}

static nb_status
resolve_lambda(nb_analyzer *an, const nb_scope *scope, const Sc__Expression__LambdaFunction *lambda,
               const nb_type **types, const bool *nullable, int n_types, nb_expr **out,
               nb_error *err)
{
    nb_lambda_scope inner = {.up = an->lambdas};
    int n = (int)lambda->n_arguments;
    uint64_t *ids;
    nb_expr *body;
    nb_status st;

    if (n > n_types) {
        return nb_raise(err, NB_COND_INVALID_LAMBDA_FUNCTION_CALL_NUM_ARGS_MISMATCH,
                        "expectedNumArgs", nb_arena_printf(an->arena, "%d", n), "actualNumArgs",
                        nb_arena_printf(an->arena, "%d", n_types), NULL);
    }
    inner.n = n;
    inner.names = NB_ARENA_ARRAY(an->arena, nb_str, n + 1);
    inner.params = NB_ARENA_ARRAY(an->arena, nb_attr, n + 1);
    NB_NEED(inner.names && inner.params);
    for (int i = 0; i < n; i++) {
        const Sc__Expression__UnresolvedNamedLambdaVariable *v = lambda->arguments[i];
        inner.names[i] = v->n_name_parts ? nb_pb_str(v->name_parts[0]) : NB_STR("");
        inner.params[i] = (nb_attr){.id = nb_attr_next_id(),
                                    .name = inner.names[i],
                                    .type = types[i],
                                    .nullable = nullable[i]};
    }
    an->lambdas = &inner;
    st = nb_resolve_expr(an, scope, lambda->function, &body, err);
    an->lambdas = inner.up;
    NB_TRY(st);
    body = without_alias(body);
    ids = NB_ARENA_ARRAY(an->arena, uint64_t, n + 1);
    NB_NEED(ids);
    for (int i = 0; i < n; i++) {
        ids[i] = inner.params[i].id;
    }
    return nb_lambda_of(an, body, ids, n, out);
}

static nb_status
resolve_lambdas(nb_analyzer *an, const nb_scope *scope, nb_str name, Sc__Expression *const *raw,
                size_t n_raw, nb_expr **args, int n, nb_error *err)
{
    int which = 0;

    for (size_t i = 0; i < n_raw && (int)n_raw == n; i++) {
        if (raw[i]->expr_type_case == SC__EXPRESSION__EXPR_TYPE_LAMBDA_FUNCTION) {
            const nb_type *types[3];
            bool nullable[3];
            int n_types;
            NB_TRY(lambda_params(name, args, n, which, types, nullable, &n_types, err));
            NB_TRY(resolve_lambda(an, scope, raw[i]->lambda_function, types, nullable, n_types,
                                  &args[i], err));
            which++;
        }
    }
    return NB_OK;
}

static nb_status
resolve_aggregate_call(nb_analyzer *an, const nb_scope *scope, const nb_aggregate *fn, nb_str name,
                       Sc__Expression *const *raw, size_t n_raw, const call_options *opt,
                       const nb_origin *origin, nb_expr **out, nb_error *err)
{
    nb_expr **args, *filter = NULL, *e;
    int n;

    scope = scope && scope->rows ? scope->rows : scope;
    if (n_raw == 1 && is_whole_star(raw[0]) && nb_str_equal_nocase(name, NB_STR("count")) &&
        !opt->distinct) {
        const Sc__Expression__UnresolvedStar *star = raw[0]->unresolved_star;
        if (star->has_unparsed_target) { /* t.*: Spark would count rows without nulls, and refuses */
            nb_str t = nb_pb_str(star->unparsed_target), *parts;
            size_t n_parts;
            char *table;
            t.len -= nb_str_ends_with(t, NB_STR(".*")) ? 2 : 0;
            NB_TRY(nb_split_identifier(an, t, &parts, &n_parts, err));
            NB_TRY(nb_backquote(an, parts, (int)n_parts, &table));
            return nb_raise(err, NB_COND_INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT,
                            "tableName", table, NULL);
        }
        args = NB_ARENA_ARRAY(an->arena, nb_expr *, 1);
        NB_NEED(args);
        args[0] = nb_expr_int32(an->arena, 1);
        NB_NEED(args[0]);
        n = 1;
    } else {
        NB_TRY(resolve_args(an, scope, raw, n_raw, &args, &n, err));
    }
    for (int i = 0; i < n; i++) {
        if (!args[i]) {
            return nb_raise_unsupported(err, "A lambda as argument of an aggregate");
        }
        args[i] = without_alias(args[i]);
        if (!opt->over && !an->observing && nb_has_agg(args[i])) {
            return nb_raise(err, NB_COND_NESTED_AGGREGATE_FUNCTION, NULL);
        }
    }
    if (opt->filter) {
        NB_TRY(nb_resolve_condition(an, scope, opt->filter, &filter, err));
        if (!opt->over && nb_has_agg(filter)) {
            const char *sql = nb_expr_sql(an->arena, filter, false);
            return nb_raise(err, NB_COND_INVALID_AGGREGATE_FILTER_CONTAINS_AGGREGATE, "filterExpr",
                            nb_arena_printf(an->arena, "\"%s\"", sql), "aggExpr",
                            nb_arena_printf(an->arena, "\"%s\"", sql), NULL);
        }
        if (!opt->over && !nb_expr_is_repeatable(filter)) {
            return nb_raise(
                err, NB_COND_INVALID_AGGREGATE_FILTER_NON_DETERMINISTIC, "filterExpr",
                nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, filter, false)), NULL);
        }
    }
    NB_TRY(nb_aggregate_bind(an->arena, an->cfg.info, fn, name, args, n, opt->distinct, filter,
                             origin, &e, err));
    for (int i = 0; i < n && !opt->over; i++) {
        if (!nb_expr_is_repeatable(args[i])) {
            nb_status st = nb_raise(
                err, NB_COND_AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION, "sqlExpr",
                nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, e, false)), NULL);
            return nb_located(st, args[i]->origin, err);
        }
    }
    if (opt->ignore_nulls && e->kind == NB_EXPR_AGG) {
        e->u.agg.ignore_nulls = true;
    }
    *out = e;
    return NB_OK;
}

/* x [NOT] LIKE ANY | ALL (p, …): each pattern by itself. */
static nb_status
resolve_like_many(nb_analyzer *an, const nb_scope *scope, nb_str name, Sc__Expression *const *raw,
                  size_t n_raw, nb_expr **out, nb_error *err)
{
    nb_str kind = {name.data + strlen(NB_SQL_FN_LIKE_MANY), name.len - strlen(NB_SQL_FN_LIKE_MANY)};
    bool negated = nb_str_starts_with(kind, NB_STR("not_"));
    bool all = kind.len >= 3 && nb_str_equal((nb_str){kind.data + kind.len - 3, 3}, NB_STR("all"));
    nb_expr **tests = NB_ARENA_ARRAY(an->arena, nb_expr *, n_raw), *value, *copy;

    NB_NEED(tests);
    NB_TRY(nb_resolve_expr(an, scope, raw[0], &value, err));
    for (size_t i = 1; i < n_raw; i++) {
        nb_expr *pattern;
        NB_TRY(nb_resolve_expr(an, scope, raw[i], &pattern, err));
        NB_TRY(nb_call2(an, "like", value, pattern, &tests[i - 1], err));
        if (negated) {
            NB_TRY(nb_call(an, "not", &tests[i - 1], 1, &tests[i - 1], err));
        }
    }
    if (n_raw > 2) {
        NB_TRY(nb_call(an, all ? "and" : "or", tests, (int)n_raw - 1, &tests[0], err));
    }
    copy = NB_ARENA_NEW(an->arena, nb_expr); /* Spark says of all of them that they may be null */
    NB_NEED(copy);
    *copy = *tests[0];
    copy->nullable = true;
    *out = copy;
    return NB_OK;
}

/* TRUE, as a query says it; NULL: out of memory. */
static Sc__Expression *
true_message(nb_analyzer *an)
{
    Sc__Expression *e = nb_literal_message(an, SC__EXPRESSION__LITERAL__LITERAL_TYPE_BOOLEAN);

    if (e) {
        e->literal->boolean = true;
    }
    return e;
}

static Sc__Expression *
text_message(nb_analyzer *an, nb_str text)
{
    Sc__Expression *e = nb_literal_message(an, SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRING);

    if (e) {
        e->literal->string.data = (uint8_t *)(uintptr_t)text.data;
        e->literal->string.len = text.len;
    }
    return e;
}

static Sc__Expression *
null_message(nb_analyzer *an)
{
    Sc__Expression *e = nb_literal_message(an, SC__EXPRESSION__LITERAL__LITERAL_TYPE_NULL);
    Sc__DataType *type = NB_ARENA_NEW(an->arena, Sc__DataType);

    if (!e || !type) {
        return NULL;
    }
    *type = (Sc__DataType)SC__DATA_TYPE__INIT;
    type->kind_case = SC__DATA_TYPE__KIND_NULL;
    e->literal->null = type;
    return e;
}

static nb_status
raise_orderings(nb_analyzer *an, const char *name, int expected, size_t actual, nb_error *err)
{
    return nb_raise(err, NB_COND_INVALID_WITHIN_GROUP_EXPRESSION_WRONG_NUM_ORDERINGS, "funcName",
                    nb_arena_printf(an->arena, "`%s`", name), "expectedNum",
                    nb_arena_printf(an->arena, "%d", expected), "actualNum",
                    nb_arena_printf(an->arena, "%zu", actual), NULL);
}

/* f(…) WITHIN GROUP (ORDER BY …). To the binders percentile_cont(p) is percentile_cont(x, p[, descending]), mode() is
 * mode(x[, deterministic, descending]), and listagg(v, d) is nbaspark.listagg(v, d, orders, key, …). */
static nb_status
resolve_within_group(nb_analyzer *an, const nb_scope *scope,
                     const Sc__Expression__UnresolvedFunction *f, Sc__Expression *const *orders,
                     size_t n_orders, const call_options *opt, const nb_origin *origin,
                     nb_expr **out, nb_error *err)
{
    nb_str name = nb_pb_str(f->function_name);
    const nb_aggregate *fn = nb_aggregate_find(name);
    nb_str row = fn ? nb_aggregate_name(fn) : NB_STR("");
    bool listagg = nb_str_equal(row, NB_STR("listagg")), mode = nb_str_equal(row, NB_STR("mode"));
    const Sc__Expression__SortOrder *first;
    Sc__Expression **args;
    size_t n = 0;

    for (size_t i = 0; i < n_orders; i++) {
        if (orders[i]->expr_type_case != SC__EXPRESSION__EXPR_TYPE_SORT_ORDER) {
            return nb_raise_unsupported(err, NB_SQL_FN_WITHIN_GROUP);
        }
    }
    if (!listagg && !mode && !nb_str_equal(row, NB_STR("percentile_cont")) &&
        !nb_str_equal(row, NB_STR("percentile_disc"))) {
        NB_TRY(resolve_call(an, scope, name, f->arguments, f->n_arguments, opt, origin, out, err));
        return nb_raise(err, NB_COND_INVALID_SQL_SYNTAX_FUNCTION_WITH_UNSUPPORTED_SYNTAX,
                        "prettyName",
                        nb_arena_printf(an->arena, "`%.*s`", (int)name.len, name.data), "syntax",
                        "WITHIN GROUP (ORDER BY ...)", NULL);
    }
    args = NB_ARENA_ARRAY(an->arena, Sc__Expression *, n_orders + 3);
    NB_NEED(args);
    if (listagg) {
        nb_strbuf letters = {0};
        nb_str text;
        NB_TRY(nb_bind_check_arity(name, 1, 2, (int)f->n_arguments, err));
        args[n++] = f->arguments[0];
        args[n++] = f->n_arguments == 2 ? f->arguments[1] : null_message(an);
        n++;
        for (size_t i = 0; i < n_orders; i++) {
            const Sc__Expression__SortOrder *o = orders[i]->sort_order;
            nb_strbuf_addc(&letters, nb_sort_is_descending(o) ? 'D' : 'A');
            nb_strbuf_addc(&letters, nb_sort_is_nulls_last(o) ? 'L' : 'F');
            args[n++] = o->child;
        }
        text = nb_strbuf_finish(an->arena, &letters);
        args[2] = text.data ? text_message(an, text) : NULL;
        NB_NEED(args[1] && args[2]);
        return resolve_aggregate_call(an, scope, nb_aggregate_find(NB_STR("nbaspark.listagg")),
                                      NB_STR("nbaspark.listagg"), args, n, opt, origin, out, err);
    }
    if (mode && f->n_arguments > 0) {
        return raise_orderings(an, "mode", 0, n_orders, err);
    }
    if (!mode) {
        NB_TRY(nb_bind_check_arity(name, 1, 1, (int)f->n_arguments, err));
    }
    if (n_orders != 1) {
        return raise_orderings(an, mode ? "Mode" : row.data, 1, n_orders, err);
    }
    if (opt->distinct) {
        return nb_raise(err, NB_COND_INVALID_WITHIN_GROUP_EXPRESSION_DISTINCT_UNSUPPORTED,
                        "funcName", nb_arena_printf(an->arena, "`%.*s`", (int)row.len, row.data),
                        NULL);
    }
    first = orders[0]->sort_order;
    args[n++] = first->child;
    if (!mode) {
        args[n++] = f->arguments[0];
    }
    if (nb_sort_is_descending(first)) {
        Sc__Expression *yes = true_message(an);
        NB_NEED(yes);
        args[n++] = yes;
        if (mode) {
            args[n++] = yes;
        }
    }
    return resolve_aggregate_call(an, scope, fn, name, args, n, opt, origin, out, err);
}

/* Aggregates that are nothing without WITHIN GROUP, and what only the analyzer may say to the others. */
static nb_status
check_no_group(nb_analyzer *an, const nb_aggregate *fn, nb_str name, size_t n_raw, bool distinct,
               nb_error *err)
{
    nb_str row = nb_aggregate_name(fn);
    bool mode = nb_str_equal(row, NB_STR("mode"));

    if ((mode && n_raw == 0) || nb_str_equal(row, NB_STR("percentile_cont")) ||
        nb_str_equal(row, NB_STR("percentile_disc"))) {
        return nb_raise(err, NB_COND_INVALID_WITHIN_GROUP_EXPRESSION_WITHIN_GROUP_MISSING,
                        "funcName", nb_arena_printf(an->arena, "`%.*s`", (int)row.len, row.data),
                        NULL);
    }
    NB_TRY(mode ? nb_bind_check_arity(name, 0, 2, (int)n_raw, err) : NB_OK);
    return !mode || !distinct
               ? NB_OK
               : nb_raise(err, NB_COND_INVALID_WITHIN_GROUP_EXPRESSION_DISTINCT_UNSUPPORTED,
                          "funcName", "`mode`", NULL);
}

static nb_status
resolve_internal(nb_analyzer *an, const nb_scope *scope, nb_str name, Sc__Expression *const *raw,
                 size_t n_raw, const call_options *opt, nb_expr **out, nb_error *err)
{
    call_options inner = *opt;

    if (nb_str_starts_with(name, NB_STR(NB_SQL_FN_LIKE_MANY)) && n_raw >= 2) {
        return resolve_like_many(an, scope, name, raw, n_raw, out, err);
    }
    if (n_raw >= 1 && raw[0]->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION) {
        const Sc__Expression__UnresolvedFunction *f = raw[0]->unresolved_function;
        inner.distinct |= f->has_is_distinct && f->is_distinct;
        if (nb_str_equal(name, NB_STR(NB_SQL_FN_FILTER)) && n_raw == 2) {
            inner.filter = raw[1];
        } else if (nb_str_equal(name, NB_STR(NB_SQL_FN_IGNORE_NULLS))) {
            inner.ignore_nulls = true;
            if (f->n_arguments == 1 && nb_aggregate_find(nb_pb_str(f->function_name))) {
                /* first(x) IGNORE NULLS is first(x, true) */
                Sc__Expression *yes = true_message(an);
                Sc__Expression **args = NB_ARENA_ARRAY(an->arena, Sc__Expression *, 2);
                NB_NEED(yes && args);
                args[0] = f->arguments[0];
                args[1] = yes;
                return resolve_call(an, scope, nb_pb_str(f->function_name), args, 2, &inner,
                                    nb_origin_of(an, raw[0]), out, err);
            }
        } else if (nb_str_equal(name, NB_STR(NB_SQL_FN_WITHIN_GROUP)) && n_raw >= 2) {
            return nb_located(resolve_within_group(an, scope, f, raw + 1, n_raw - 1, &inner,
                                                   nb_origin_of(an, raw[0]), out, err),
                              nb_origin_of(an, raw[0]), err);
        } else if (!nb_str_equal(name, NB_STR(NB_SQL_FN_RESPECT_NULLS))) {
            return nb_raise_unsupported(err, "%.*s", (int)name.len, name.data);
        }
        return resolve_call(an, scope, nb_pb_str(f->function_name), f->arguments, f->n_arguments,
                            &inner, nb_origin_of(an, raw[0]), out, err);
    }
    if (nb_str_equal(name, NB_STR(NB_SQL_FN_TIMESTAMP)) && n_raw >= 1) {
        nb_expr *e, *zone;
        NB_TRY(nb_resolve_expr(an, scope, raw[0], &e, err));
        if (n_raw == 1) {
            NB_TRY(nb_cast_to(an, e, nb_type_of(NB_TYPE_TIMESTAMP), &e, err));
            return nb_expr_fold(an->arena, e, an->cfg.info, out, err);
        }
        /* the same microseconds, read as a clock in that zone */
        nb_vector v = *e->u.literal.value;
        v.type = nb_type_of(NB_TYPE_TIMESTAMP);
        e = nb_expr_literal(an->arena, &v);
        NB_NEED(e);
        NB_TRY(nb_resolve_expr(an, scope, raw[1], &zone, err));
        NB_TRY(nb_call2(an, "to_utc_timestamp", e, zone, &e, err));
        return nb_expr_fold(an->arena, e, an->cfg.info, out, err);
    }
    if (nb_str_equal(name, NB_STR(NB_SQL_FN_SPECIAL_TIME)) && n_raw == 2) {
        /* DATE'today' and the like: today's date, moved by a day; the instant for now */
        nb_str type = nb_pb_str(raw[0]->literal->string), word = nb_pb_str(raw[1]->literal->string);
        nb_expr *e, *days;
        int shift = nb_str_equal_nocase(word, NB_STR("yesterday"))  ? -1
                    : nb_str_equal_nocase(word, NB_STR("tomorrow")) ? 1
                                                                    : 0;
        const nb_type *to =
            nb_type_of(nb_str_equal(type, NB_STR("DATE"))        ? NB_TYPE_DATE
                       : nb_str_equal(type, NB_STR("TIMESTAMP")) ? NB_TYPE_TIMESTAMP
                                                                 : NB_TYPE_TIMESTAMP_NTZ);
        if (nb_str_equal_nocase(word, NB_STR("epoch"))) {
            e = nb_expr_string(an->arena, NB_STR("1970-01-01"));
            NB_NEED(e);
        } else if (nb_str_equal_nocase(word, NB_STR("now"))) {
            NB_TRY(nb_call(an, "current_timestamp", NULL, 0, &e, err));
        } else {
            NB_TRY(nb_call(an, "current_date", NULL, 0, &e, err));
            days = nb_expr_int32(an->arena, shift);
            NB_NEED(days);
            NB_TRY(nb_call2(an, "date_add", e, days, &e, err));
        }
        return nb_cast_to(an, e, to, out, err);
    }
    return nb_raise_unsupported(err, "%.*s", (int)name.len, name.data);
}

const nb_type *
nb_cast_function_type(nb_str name)
{
    static const struct {
        const char *name;
        nb_type_id type;
    } rows[] = {
        {"bigint", NB_TYPE_INT64},        {"binary", NB_TYPE_BINARY},  {"boolean", NB_TYPE_BOOL},
        {"date", NB_TYPE_DATE},           {"double", NB_TYPE_FLOAT64}, {"float", NB_TYPE_FLOAT32},
        {"int", NB_TYPE_INT32},           {"smallint", NB_TYPE_INT16}, {"string", NB_TYPE_STRING},
        {"timestamp", NB_TYPE_TIMESTAMP}, {"tinyint", NB_TYPE_INT8}};

    for (size_t i = 0; i < NB_COUNT_OF(rows); i++) {
        if (nb_str_equal_nocase(name, nb_str_of(rows[i].name))) {
            return nb_type_of(rows[i].type);
        }
    }
    return nb_str_equal_nocase(name, NB_STR("decimal")) ? nb_type_decimal(10, 0) : NULL;
}

/* from_json(text, 'a INT, b STRING'), from_csv: the schema, DDL or Spark's JSON, becomes a null of its type. */
static nb_status
resolve_text_schema(nb_analyzer *an, nb_expr **schema, nb_error *err)
{
    nb_expr *folded = *schema;
    Sc__DataType *parsed;
    const nb_type *type;
    nb_str text;

    if (folded->foldable && nb_type_is_string(folded->type)) {
        NB_TRY(nb_expr_fold(an->arena, folded, an->cfg.info, &folded, err));
    }
    if (folded->kind != NB_EXPR_LITERAL || !nb_type_is_string(folded->type) ||
        nb_vector_is_null(folded->u.literal.value, 0)) {
        const char *sql = nb_expr_sql(an->arena, *schema, false);

        return nb_raise(err, NB_COND_INVALID_SCHEMA_NON_STRING_LITERAL, "inputSchema",
                        nb_arena_printf(an->arena, "\"%s\"", sql ? sql : ""), NULL);
    }
    text = nb_str_trim(nb_view_str(&NB_DATA(nb_view, folded->u.literal.value)[0]));
    if (text.len && (text.data[0] == '{' || text.data[0] == '"')) {
        NB_TRY(nb_type_from_json(an->arena, text, &type, err));
    } else {
        if (nb_sql_parse_data_type(an->arena, text, &parsed, NULL) < 0) {
            NB_TRY(nb_sql_parse_table_schema(an->arena, text, &parsed, err));
        }
        NB_TRY(nb_resolve_type(an, parsed, &type, err));
    }
    *schema = nb_expr_null(an->arena, type);
    NB_NEED(*schema);
    return NB_OK;
}

/* All references to a common table expression see the same random numbers: its calls without a seed get one by where they stand. */
static nb_status
seed_call(nb_analyzer *an, nb_str name, const void *message, nb_expr ***args, int *n)
{
    uint64_t seed = nb_hash_u64(an->cte_seed ^ (uint64_t)(uintptr_t)message);

    if (an->n_cte == 0 || *n != 0 || message == NULL ||
        !(nb_str_equal_nocase(name, NB_STR("rand")) ||
          nb_str_equal_nocase(name, NB_STR("random")) ||
          nb_str_equal_nocase(name, NB_STR("randn")))) {
        return NB_OK;
    }
    *args = NB_ARENA_ARRAY(an->arena, nb_expr *, 1);
    NB_NEED(*args);
    (*args)[0] = nb_expr_int64(an->arena, (int64_t)seed);
    NB_NEED((*args)[0]);
    *n = 1;
    return NB_OK;
}

/* DISTINCT or FILTER on what is no aggregate. */
static nb_status
raise_unsupported_syntax(nb_analyzer *an, nb_str name, const call_options *opt,
                         const nb_origin *origin, nb_error *err)
{
    return nb_located(nb_raise(err, NB_COND_INVALID_SQL_SYNTAX_FUNCTION_WITH_UNSUPPORTED_SYNTAX,
                               "prettyName",
                               nb_arena_printf(an->arena, "`%.*s`", (int)name.len, name.data),
                               "syntax", opt->filter ? "FILTER CLAUSE" : "DISTINCT", NULL),
                      origin, err);
}

static nb_status
resolve_call(nb_analyzer *an, const nb_scope *scope, nb_str name, Sc__Expression *const *raw,
             size_t n_raw, const call_options *opt, const nb_origin *origin, nb_expr **out,
             nb_error *err)
{
    const nb_aggregate *agg = nb_aggregate_find(name);
    const nb_function *fn;
    Sc__Expression **ordered = (Sc__Expression **)raw;
    bool is_sql = origin && origin->sql_text.len > 0;
    nb_expr **args;
    int n;

    if (agg && (agg->flags & NB_AGG_NO_SQL) && is_sql) {
        agg = NULL;
    }
    NB_TRY(nb_located(nb_positional_arguments(an, name, &ordered, &n_raw, err), origin, err));
    raw = ordered;

    if (n_raw == 1 && nb_str_equal(name, NB_STR("-"))) {
        name = NB_STR("negative"); /* SQL's sign; the other spelling has another name as a column */
    }
    if (nb_str_starts_with(name, NB_STR("nbaspark."))) {
        return resolve_internal(an, scope, name, raw, n_raw, opt, out, err);
    }
    if (agg) {
        NB_TRY(nb_located(check_no_group(an, agg, name, n_raw, opt->distinct, err), origin, err));
        return nb_located(
            resolve_aggregate_call(an, scope, agg, name, raw, n_raw, opt, origin, out, err), origin,
            err);
    }
    NB_TRY(resolve_args(an, scope, raw, n_raw, &args, &n, err));
    NB_TRY(resolve_lambdas(an, scope, name, raw, n_raw, args, n, err));
    NB_TRY(seed_call(an, name, opt->message, &args, &n));
    if (nb_str_equal_nocase(name, NB_STR("struct"))) {
        return make_struct(an, raw, n_raw, args, n, out, err);
    }
    for (int i = 0; i < n; i++) {
        args[i] = without_alias(args[i]);
    }
    if (nb_is_time_window(name)) {
        return nb_located(nb_time_window(an, scope, name, args, n, out, err), origin, err);
    }
    if (n == 0) {
        nb_status st = nb_input_file(an, scope, name, out, err);
        if (st != NB_DONE) {
            return nb_located(st, origin, err);
        }
    }
    if (n == 0 && nb_str_equal_nocase(name, NB_STR("distributed_sequence_id"))) {
        return nb_sequence_id(an, out, err);
    }
    if (nb_str_equal_nocase(name, NB_STR("grouping")) ||
        nb_str_equal_nocase(name, NB_STR("grouping_id"))) {
        return make_grouping(an, name, args, n, out, err);
    }
    if (n >= 2 && n <= 3 &&
        (nb_str_equal_nocase(name, NB_STR("from_json")) ||
         nb_str_equal_nocase(name, NB_STR("from_csv")))) {
        NB_TRY(nb_located(resolve_text_schema(an, &args[1], err), origin, err));
    }
    fn = nb_function_find(name);
    if (fn && ((fn->flags & NB_FN_UNNAMED) || ((fn->flags & NB_FN_NO_SQL) && is_sql))) {
        fn = NULL;
    }
    if (!fn && n == 1 && nb_cast_function_type(name)) {
        return nb_located(nb_cast_to(an, args[0], nb_cast_function_type(name), out, err), origin,
                          err);
    }
    if (!fn) {
        NB_TRY(nb_resolve_registered(an, name, args, n, origin, out, err));
        if (*out) {
            return opt->filter || opt->distinct
                       ? raise_unsupported_syntax(an, name, opt, origin, err)
                       : NB_OK;
        }
        if (nb_is_generator(name)) {
            return nb_raise(err, NB_COND_UNSUPPORTED_GENERATOR_OUTSIDE_SELECT, "plan",
                            "an expression", NULL);
        }
        return nb_located(
            nb_raise(
                err, NB_COND_UNRESOLVED_ROUTINE, "routineName",
                nb_arena_printf(an->arena, "`%.*s`", (int)name.len, name.data), "searchPath",
                nb_arena_printf(an->arena,
                                "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`%.*s`]",
                                (int)an->database.len, an->database.data),
                NULL),
            origin, err);
    }
    if (opt->filter || (opt->distinct && !(fn->flags & NB_FN_WINDOW_ONLY))) {
        return raise_unsupported_syntax(an, name, opt, origin, err);
    }
    return nb_located(
        nb_function_bind(an->arena, an->cfg.info, fn, name, args, n, origin, out, err), origin,
        err);
}

/* ---- window ---- */

static nb_status
resolve_bound(nb_analyzer *an, const nb_scope *scope,
              const Sc__Expression__Window__WindowFrame__FrameBoundary *b, nb_bound_kind *kind,
              nb_expr **offset, nb_error *err)
{
    *offset = NULL;
    switch (b ? (int)b->boundary_case : 0) {
    case SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_CURRENT_ROW:
        *kind = NB_BOUND_CURRENT;
        return NB_OK;
    case SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_VALUE:
        *kind = NB_BOUND_OFFSET;
        NB_TRY(nb_resolve_expr(an, scope, b->value, offset, err));
        return nb_expr_fold(an->arena, *offset, an->cfg.info, offset, err);
    default: *kind = NB_BOUND_UNBOUNDED; return NB_OK;
    }
}

/* nth_value(x, n, ignoreNulls), as the DataFrame functions call it: the flag leaves the arguments. */
static nb_status
without_null_flag(nb_analyzer *an, const Sc__Expression *call, const Sc__Expression **out,
                  bool *ignore_nulls)
{
    const Sc__Expression__UnresolvedFunction *f;
    const Sc__Expression *flag;
    Sc__Expression *copy;
    Sc__Expression__UnresolvedFunction *shorter;

    *out = call;
    if (!call || call->expr_type_case != SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION) {
        return NB_OK;
    }
    f = call->unresolved_function;
    flag = f->n_arguments == 3 ? f->arguments[2] : NULL;
    if (!flag || flag->expr_type_case != SC__EXPRESSION__EXPR_TYPE_LITERAL ||
        flag->literal->literal_type_case != SC__EXPRESSION__LITERAL__LITERAL_TYPE_BOOLEAN ||
        !nb_str_equal_nocase(nb_pb_str(f->function_name), NB_STR("nth_value"))) {
        return NB_OK;
    }
    copy = NB_ARENA_NEW(an->arena, Sc__Expression);
    shorter = NB_ARENA_NEW(an->arena, Sc__Expression__UnresolvedFunction);
    NB_NEED(copy && shorter);
    *copy = *call;
    *shorter = *f;
    shorter->n_arguments = 2;
    copy->unresolved_function = shorter;
    *ignore_nulls |= flag->literal->boolean != 0;
    *out = copy;
    return NB_OK;
}

static nb_status
resolve_window(nb_analyzer *an, const nb_scope *scope, const Sc__Expression__Window *w,
               nb_expr **out, nb_error *err)
{
    nb_window_spec *spec = NB_ARENA_NEW(an->arena, nb_window_spec);
    const Sc__Expression *call;
    bool ignore_nulls = false;
    nb_expr *e, *fn, *python; /* python: a call over the rows that the window collects */

    NB_NEED(spec);
    call = w->window_function;
    while (call && call->expr_type_case == SC__EXPRESSION__EXPR_TYPE_EXPRESSION_STRING) {
        Sc__Expression *parsed; /* expr("rank()").over(w) */
        NB_TRY(nb_parse_expression_string(an, call, &parsed, err));
        call = parsed;
    }
    if (call && call->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION &&
        call->unresolved_function->n_arguments == 1) {
        /* lag(x) IGNORE NULLS OVER ...: for an aggregate the mark goes to the call itself */
        nb_str name = nb_pb_str(call->unresolved_function->function_name);
        const Sc__Expression *inner = call->unresolved_function->arguments[0];
        bool marked = nb_str_equal(name, NB_STR(NB_SQL_FN_IGNORE_NULLS)) ||
                      nb_str_equal(name, NB_STR(NB_SQL_FN_RESPECT_NULLS));
        if (marked && inner->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION &&
            !nb_aggregate_find(nb_pb_str(inner->unresolved_function->function_name))) {
            ignore_nulls = nb_str_equal(name, NB_STR(NB_SQL_FN_IGNORE_NULLS));
            call = inner;
        }
    }
    NB_TRY(without_null_flag(an, call, &call, &ignore_nulls));
    if (call && call->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION) {
        const Sc__Expression__UnresolvedFunction *f = call->unresolved_function;
        call_options opt = {.distinct = f->has_is_distinct && f->is_distinct, .over = true};
        NB_TRY(resolve_call(an, scope, nb_pb_str(f->function_name), f->arguments, f->n_arguments,
                            &opt, nb_origin_of(an, call), &fn, err));
    } else if (call && call->expr_type_case == SC__EXPRESSION__EXPR_TYPE_CALL_FUNCTION) {
        const Sc__CallFunction *f = call->call_function;
        call_options opt = {.over = true};
        NB_TRY(resolve_call(an, scope, nb_pb_str(f->function_name), f->arguments, f->n_arguments,
                            &opt, nb_origin_of(an, call), &fn, err));
    } else {
        NB_TRY(nb_resolve_expr(an, scope, call, &fn, err));
    }
    fn = without_alias(fn);
    python = nb_python_rows_of(fn) ? fn : NULL;
    fn = python ? nb_python_rows_of(fn) : fn;
    spec->partition_by = NB_ARENA_ARRAY(an->arena, nb_expr *, w->n_partition_spec + 1);
    spec->order_by = NB_ARENA_ARRAY(an->arena, nb_sort_key, w->n_order_spec + 1);
    NB_NEED(spec->partition_by && spec->order_by);
    for (size_t i = 0; i < w->n_partition_spec; i++) {
        NB_TRY(nb_resolve_expr(an, scope, w->partition_spec[i], &spec->partition_by[i], err));
        spec->partition_by[i] = without_alias(spec->partition_by[i]);
    }
    spec->n_partition_by = (int)w->n_partition_spec;
    for (size_t i = 0; i < w->n_order_spec; i++) {
        NB_TRY(nb_resolve_sort_order(an, scope, w->order_spec[i], &spec->order_by[i], err));
    }
    spec->n_order_by = (int)w->n_order_spec;
    if (w->frame_spec) {
        spec->frame.is_rows = w->frame_spec->frame_type ==
                              SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_TYPE__FRAME_TYPE_ROW;
        NB_TRY(resolve_bound(an, scope, w->frame_spec->lower, &spec->frame.lower,
                             &spec->frame.lower_offset, err));
        NB_TRY(resolve_bound(an, scope, w->frame_spec->upper, &spec->frame.upper,
                             &spec->frame.upper_offset, err));
        NB_TRY(nb_check_frame(an, spec, err));
    } else {
        spec->frame.is_rows = spec->n_order_by == 0;
        spec->frame.upper = spec->n_order_by ? NB_BOUND_CURRENT : NB_BOUND_UNBOUNDED;
    }
    if (fn->kind != NB_EXPR_AGG &&
        !(fn->kind == NB_EXPR_CALL && (fn->u.call.fn->flags & NB_FN_WINDOW_ONLY))) {
        return nb_raise(err, NB_COND_UNSUPPORTED_EXPR_FOR_WINDOW, "sqlExpr",
                        nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, fn, false)),
                        NULL);
    }
    if (fn->kind == NB_EXPR_CALL && spec->n_order_by == 0) {
        nb_str name = nb_function_name(fn->u.call.fn);
        nb_str text;
        NB_TRY(nb_expression_name(an, call, &text, err));
        return nb_raise(err, NB_COND_WINDOW_FUNCTION_FRAME_NOT_ORDERED, "wf_name",
                        nb_arena_printf(an->arena, "%.*s", (int)name.len, name.data), "wf_expr",
                        nb_arena_printf(an->arena, "%.*s%s", (int)text.len, text.data,
                                        ignore_nulls && nb_str_equal(name, NB_STR("nth_value"))
                                            ? " ignore nulls"
                                            : ""),
                        NULL);
    }
    NB_TRY(nb_check_window_call(an, fn, spec, w->frame_spec != NULL, err));
    if (fn->kind == NB_EXPR_CALL) { /* lag(x, n), ntile(n), nth_value(x, n): n is a constant */
        nb_str name = nb_function_name(fn->u.call.fn);
        int at = nb_str_equal(name, NB_STR("ntile")) ? 0 : 1;
        if (at < fn->n_args && !fn->args[at]->foldable) {
            const nb_expr *n = fn->args[at];
            return nb_raise(
                err, NB_COND_DATATYPE_MISMATCH_NON_FOLDABLE_INPUT, "sqlExpr",
                nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, fn, false)),
                "inputName", at ? "`offset`" : "`buckets`", "inputType",
                nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, n->type)), "inputExpr",
                nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, n, false)), NULL);
        }
    }
    e = nb_expr_new(an->arena, NB_EXPR_WINDOW, fn->type, fn->nullable, 0);
    NB_NEED(e);
    e->u.window.fn = fn;
    e->u.window.spec = spec;
    e->u.window.ignore_nulls = ignore_nulls;
    nb_expr_set_flags(e);
    e->foldable = false;
    if (fn->kind == NB_EXPR_AGG && fn->u.agg.distinct) {
        return nb_raise(err, NB_COND_DISTINCT_WINDOW_FUNCTION_UNSUPPORTED, "windowExpr",
                        nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, e, false)),
                        NULL);
    }
    *out = e;
    if (python) {
        nb_expr **args = NB_ARENA_ARRAY(an->arena, nb_expr *, python->n_args);

        NB_NEED(args);
        memcpy(args, python->args, sizeof *args * (size_t)python->n_args);
        args[python->n_args - 1] = e;
        *out = nb_expr_with_args(an->arena, python, args);
        NB_NEED(*out);
    }
    return NB_OK;
}

nb_status
nb_resolve_sort_order(nb_analyzer *an, const nb_scope *scope, const Sc__Expression__SortOrder *o,
                      nb_sort_key *out, nb_error *err)
{
    nb_expr *e;

    NB_TRY(nb_resolve_expr(an, scope, o->child, &e, err));
    out->expr = without_alias(e);
    out->descending = nb_sort_is_descending(o);
    out->nulls_last = nb_sort_is_nulls_last(o);
    return nb_check_sort_key(an, out, err);
}

nb_status
nb_check_sort_key(nb_analyzer *an, const nb_sort_key *key, nb_error *err)
{
    if (nb_type_is_orderable(key->expr->type)) {
        return NB_OK;
    }
    return nb_raise(
        err, NB_COND_DATATYPE_MISMATCH_INVALID_ORDERING_TYPE, "sqlExpr",
        nb_arena_printf(an->arena, "\"%s %s NULLS %s\"", nb_expr_sql(an->arena, key->expr, false),
                        key->descending ? "DESC" : "ASC", key->nulls_last ? "LAST" : "FIRST"),
        "functionName", "`sortorder`", "dataType",
        nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, key->expr->type)), NULL);
}

/* ---- the rest ---- */

static nb_status
resolve_cast(nb_analyzer *an, const nb_scope *scope, const Sc__Expression__Cast *c, nb_expr **out,
             nb_error *err)
{
    const nb_type *to;
    nb_cast_mode mode = an->cfg.info->ansi ? NB_CAST_ANSI : NB_CAST_LEGACY;
    nb_expr *e;

    NB_TRY(nb_resolve_expr(an, scope, c->expr, &e, err));
    if (c->cast_to_type_case == SC__EXPRESSION__CAST__CAST_TO_TYPE_TYPE) {
        NB_TRY(nb_resolve_type(an, c->type, &to, err));
    } else {
        Sc__DataType *parsed;
        NB_TRY(nb_sql_parse_data_type(an->arena, nb_pb_str(c->type_str), &parsed, err));
        NB_TRY(nb_resolve_type(an, parsed, &to, err));
    }
    switch (c->eval_mode) {
    case SC__EXPRESSION__CAST__EVAL_MODE__EVAL_MODE_LEGACY: mode = NB_CAST_LEGACY; break;
    case SC__EXPRESSION__CAST__EVAL_MODE__EVAL_MODE_ANSI: mode = NB_CAST_ANSI; break;
    case SC__EXPRESSION__CAST__EVAL_MODE__EVAL_MODE_TRY: mode = NB_CAST_TRY; break;
    default: break;
    }
    return nb_expr_explicit_cast(an->arena, without_alias(e), to, mode, out, err);
}

/* withField / dropFields: the struct rebuilt by named_struct, one level of a dotted path at a time. */
static nb_status
update_field(nb_analyzer *an, nb_expr *base, const nb_str *path, int n_path, nb_expr *value,
             nb_expr **out, nb_error *err)
{
    const nb_type *t = nb_type_storage(base->type);
    nb_expr **pairs, *is_null, *null, *made, *args[3];
    int n = 0;
    bool found = false;

    if (t->id != NB_TYPE_STRUCT) {
        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_UNEXPECTED_INPUT_TYPE, "sqlExpr",
                        nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, base, false)),
                        "paramIndex", "first", "requiredType", "\"STRUCT\"", "inputSql",
                        nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, base, false)),
                        "inputType",
                        nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, t)), NULL);
    }
    pairs = NB_ARENA_ARRAY(an->arena, nb_expr *, 2 * t->n_children + 3);
    NB_NEED(pairs);
    for (int i = 0; i < t->n_children; i++) {
        bool hit = nb_names_equal(an, t->children[i].name, path[0]);
        nb_expr *field;
        if (hit && n_path == 1 && !value) {
            found = true;
            continue;
        }
        NB_TRY(nb_extract_field(an, base, t->children[i].name, &field, err));
        if (hit) {
            found = true;
            if (n_path == 1) {
                field = value;
            } else {
                NB_TRY(update_field(an, field, path + 1, n_path - 1, value, &field, err));
            }
        }
        pairs[n] = nb_expr_string(an->arena, hit && n_path == 1 ? path[0] : t->children[i].name);
        NB_NEED(pairs[n]);
        pairs[n + 1] = field;
        n += 2;
    }
    if (!found && value) {
        if (n_path > 1) {
            return nb_raise(err, NB_COND_FIELD_NOT_FOUND, "fieldName",
                            nb_arena_strdup(an->arena, path[0]), "fields", "", NULL);
        }
        pairs[n] = nb_expr_string(an->arena, path[0]);
        NB_NEED(pairs[n]);
        pairs[n + 1] = value;
        n += 2;
    }
    NB_TRY(nb_call(an, "named_struct", pairs, n, &made, err));
    if (!base->nullable) {
        *out = made;
        return NB_OK;
    }
    NB_TRY(nb_call(an, "isnull", &base, 1, &is_null, err));
    null = nb_expr_null(an->arena, made->type);
    NB_NEED(null);
    args[0] = is_null;
    args[1] = null;
    args[2] = made;
    return nb_call(an, "if", args, 3, out, err);
}

nb_status
nb_find_reference(nb_analyzer *an, int64_t plan_id, const Sc__Relation **out, nb_error *err)
{
    for (int i = an->n_with - 1; i >= 0; i--) {
        for (size_t k = 0; k < an->with[i].with->n_references; k++) {
            const Sc__Relation *r = an->with[i].with->references[k];
            if (r->common && r->common->has_plan_id && r->common->plan_id == plan_id) {
                *out = r;
                return NB_OK;
            }
        }
    }
    return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                    "a subquery's plan is not among the references", NULL);
}

/* "a", "b + 1": expressions in a message. */
static const char *
quoted_list(nb_analyzer *an, nb_expr *const *list, int n)
{
    const char *text = "";

    for (int i = 0; i < n && text; i++) {
        text = nb_arena_printf(an->arena, "%s%s\"%s\"", text, i ? ", " : "",
                               nb_expr_sql(an->arena, list[i], false));
    }
    return text ? text : "";
}

static const char *
in_subquery_sql(nb_analyzer *an, const nb_expr *e)
{
    const char *text = e->n_args == 1 ? "(" : "(named_struct(";

    for (int i = 0; i < e->n_args && text; i++) {
        const char *sql = nb_expr_sql(an->arena, e->args[i], false);
        text = nb_arena_printf(an->arena, "%s%s%s%s%s%s", text, i ? ", " : "",
                               e->n_args == 1 ? "" : "'", e->n_args == 1 ? "" : sql,
                               e->n_args == 1 ? "" : "', ", sql);
    }
    text =
        text ? nb_arena_printf(an->arena, "%s%s IN (listquery()))", text, e->n_args == 1 ? "" : ")")
             : NULL;
    return text ? text : "";
}

static nb_status
resolve_subquery(nb_analyzer *an, const nb_scope *scope, const Sc__SubqueryExpression *s,
                 nb_expr **out, nb_error *err)
{
    const Sc__Relation *rel = NULL;
    nb_expr **columns;
    int n;
    nb_plan *plan;
    nb_expr *e;
    nb_scope around = *scope;
    const nb_scope *keep = an->outer;
    bool may_be_null = false;
    nb_status st;

    NB_TRY(nb_find_reference(an, s->plan_id, &rel, err));
    for (int i = 0; i < an->n_subqueries && scope->n_plans > 0; i++) {
        if (an->subqueries[i].message == s && an->subqueries[i].input == scope->plans[0]->attrs) {
            *out = an->subqueries[i].expr;
            return NB_OK;
        }
    }
    an->outer = &around;
    st = nb_analyze_relation(an, rel, &plan, err);
    an->outer = keep;
    NB_TRY(st);
    NB_TRY(nb_columns_of(an, plan, &columns, &n));
    switch (s->subquery_type) {
    case SC__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_SCALAR:
        if (n != 1) {
            return nb_raise(err, NB_COND_INVALID_SUBQUERY_EXPRESSION_SCALAR, "number",
                            nb_arena_printf(an->arena, "%d", n), NULL);
        }
        e = nb_expr_new(an->arena, NB_EXPR_SUBQUERY, columns[0]->type, true, 0);
        NB_NEED(e);
        e->u.subquery.kind = NB_SUBQUERY_SCALAR;
        break;
    case SC__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_EXISTS:
        e = nb_expr_new(an->arena, NB_EXPR_SUBQUERY, nb_type_of(NB_TYPE_BOOL), false, 0);
        NB_NEED(e);
        e->u.subquery.kind = NB_SUBQUERY_EXISTS;
        break;
    case SC__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_IN:
        e = nb_expr_new(an->arena, NB_EXPR_SUBQUERY, nb_type_of(NB_TYPE_BOOL), true,
                        (int)s->n_in_subquery_values);
        NB_NEED(e);
        e->u.subquery.kind = NB_SUBQUERY_IN;
        for (size_t i = 0; i < s->n_in_subquery_values; i++) {
            NB_TRY(nb_resolve_expr(an, scope, s->in_subquery_values[i], &e->args[i], err));
            e->args[i] = without_alias(e->args[i]);
            may_be_null |= e->args[i]->nullable;
        }
        for (int i = 0; i < n; i++) {
            may_be_null |= columns[i]->nullable;
        }
        e->nullable = may_be_null;
        if (e->n_args != n) {
            return nb_raise(err, NB_COND_IN_SUBQUERY_LENGTH_MISMATCH, "sqlExpr",
                            nb_arena_printf(an->arena, "\"%s\"", in_subquery_sql(an, e)),
                            "leftLength", nb_arena_printf(an->arena, "%d", e->n_args),
                            "leftColumns", quoted_list(an, e->args, e->n_args), "rightLength",
                            nb_arena_printf(an->arena, "%d", n), "rightColumns",
                            quoted_list(an, columns, n), NULL);
        }
        break;
    default: return nb_raise_unsupported(err, "A table argument");
    }
    e->u.subquery.plan = plan;
    e->u.subquery.id = nb_attr_next_id();
    an->subqueries = nb_arena_grow(an->arena, an->subqueries, an->n_subqueries, &an->cap_subqueries,
                                   sizeof *an->subqueries);
    NB_NEED(an->subqueries);
    an->subqueries[an->n_subqueries++] =
        (nb_resolved_subquery){s, scope->n_plans > 0 ? scope->plans[0]->attrs : NULL,
                               scope->n_plans > 0 ? scope->plans[0]->n_attrs : 0, e};
    e->deterministic = true;
    e->can_fail = true;
    e->foldable = false;
    *out = e;
    return NB_OK;
}

static nb_status
resolve_alias(nb_analyzer *an, const nb_scope *scope, const Sc__Expression__Alias *a, nb_expr **out,
              nb_error *err)
{
    nb_expr *e;

    if (a->n_name != 1) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                        "an alias of several names stands where one is wanted", NULL);
    }
    NB_TRY(nb_resolve_expr(an, scope, a->expr, &e, err));
    e = nb_expr_alias(an->arena, without_alias(e), nb_pb_str(a->name[0]), nb_attr_next_id());
    NB_NEED(e);
    e->u.alias.metadata = nb_pb_str(a->metadata);
    *out = e;
    return NB_OK;
}

/* current_date and its kin need no parentheses, where no column has that name. */
static nb_status
attribute_or_function(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e,
                      nb_expr **out, nb_error *err)
{
    static const char *const names[] = {
        "current_date", "current_timestamp", "current_time",     "current_user",  "user",
        "session_user", "current_catalog",   "current_database", "current_schema"};
    const Sc__Expression__UnresolvedAttribute *a = e->unresolved_attribute;
    const nb_origin *o = nb_origin_of(an, e);
    nb_str name = nb_pb_str(a->unparsed_identifier);
    nb_error first = NB_ERROR_INIT;
    nb_status st =
        nb_resolve_column(an, scope, name, a->has_plan_id ? a->plan_id : -1, o, out, &first);

    if (st == NB_ERROR) {
        nb_status found = nb_resolve_variable(an, name, out, err);
        if (found != NB_DONE) {
            nb_error_clear(&first);
            return nb_located(found, o, err);
        }
    }
    if (st == NB_ERROR && nb_str_equal_nocase(name, NB_STR("grouping__id"))) { /* Hive's */
        nb_expr *gid;
        nb_error_clear(&first);
        NB_TRY(nb_located(make_grouping(an, NB_STR("grouping_id"), NULL, 0, &gid, err), o, err));
        *out = nb_expr_alias(an->arena, gid, NB_STR("grouping__id"), nb_attr_next_id());
        NB_NEED(*out);
        return NB_OK;
    }
    for (size_t i = 0; i < NB_COUNT_OF(names) && st == NB_ERROR; i++) {
        if (nb_str_equal_nocase(name, nb_str_of(names[i]))) {
            nb_error_clear(&first);
            return nb_call(an, names[i], NULL, 0, out, err);
        }
    }
    if (st < 0 && err) {
        nb_error_move(&first, err);
    }
    nb_error_clear(&first);
    if (st >= 0 && nb_is_lateral(an, *out)) {
        an->resolved.arena = an->arena;
        NB_TRY(nb_attr_map_put(&an->resolved, (uint64_t)(uintptr_t)e, *out));
    }
    return nb_located(st, o, err);
}

nb_status
nb_parse_expression_string(nb_analyzer *an, const Sc__Expression *e, Sc__Expression **out,
                           nb_error *err)
{
    an->sql_text = nb_pb_str(e->expression_string->expression);
    for (int i = 0; i < an->n_texts; i++) {
        if (an->texts[i].message == e) {
            *out = an->texts[i].parsed;
            return NB_OK;
        }
    }
    NB_TRY(
        nb_sql_parse_expression(an->arena, nb_pb_str(e->expression_string->expression), out, err));
    an->texts = nb_arena_grow(an->arena, an->texts, an->n_texts, &an->cap_texts, sizeof *an->texts);
    NB_NEED(an->texts);
    an->texts[an->n_texts].message = e;
    an->texts[an->n_texts++].parsed = *out;
    return NB_OK;
}

static nb_status
remember(nb_analyzer *an, const Sc__Expression *e, nb_expr *made)
{
    nb_str name = e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION
                      ? nb_pb_str(e->unresolved_function->function_name)
                      : NB_STR("");

    if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE
            ? made->kind != NB_EXPR_CALL
            : e->expr_type_case != SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_EXTRACT_VALUE &&
                  e->expr_type_case != SC__EXPRESSION__EXPR_TYPE_CAST &&
                  !nb_str_equal(name, NB_STR("+")) && !nb_str_equal(name, NB_STR("-"))) {
        return NB_OK;
    }
    an->resolved.arena = an->arena;
    return nb_attr_map_put(&an->resolved, (uint64_t)(uintptr_t)e, made);
}

const nb_expr *
nb_resolved_of(nb_analyzer *an, const Sc__Expression *e)
{
    return nb_attr_map_get(&an->resolved, (uint64_t)(uintptr_t)e);
}

typedef struct outer_names {
    const nb_plan *input;
    nb_attr_set seen;
    nb_strbuf *out;
} outer_names;

static bool
add_outer_name(nb_expr *e, void *payload)
{
    outer_names *o = payload;

    if (e->kind == NB_EXPR_COLUMN && nb_plan_find_attr(o->input, e->u.column.attr) &&
        !nb_attr_set_has(&o->seen, e->u.column.attr)) {
        nb_strbuf_adds(o->out, o->seen.n ? ", " : "");
        nb_strbuf_add(o->out, e->u.column.name);
        return nb_attr_set_add(&o->seen, e->u.column.attr) >= 0;
    }
    return true;
}

static nb_status
outer_names_in_place(nb_expr **place, void *payload)
{
    nb_expr_visit(*place, add_outer_name, payload);
    return NB_OK;
}

static nb_status
outer_names_of(nb_plan *p, outer_names *o)
{
    NB_TRY(nb_plan_each_expr(p, outer_names_in_place, o));
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(outer_names_of(p->children[i], o));
    }
    return NB_OK;
}

nb_status
nb_outer_names(nb_analyzer *an, const Sc__SubqueryExpression *s, nb_strbuf *out)
{
    for (int i = an->n_subqueries - 1; i >= 0; i--) {
        if (an->subqueries[i].message == s) {
            nb_plan input = {.attrs = (nb_attr *)an->subqueries[i].input,
                             .n_attrs = an->subqueries[i].n_input};
            outer_names o = {&input, {.arena = an->arena}, out};
            return outer_names_of(an->subqueries[i].expr->u.subquery.plan, &o);
        }
    }
    return NB_OK;
}

/* rank() and its like are nothing without OVER. */
static nb_status
check_no_window_call(nb_analyzer *an, const nb_expr *e, nb_error *err)
{
    if (e->kind == NB_EXPR_CALL && (e->u.call.fn->flags & NB_FN_WINDOW_ONLY)) {
        return nb_raise(err, NB_COND_WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE, "funcName",
                        nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, e, false)),
                        NULL);
    }
    return NB_OK;
}

static nb_status
resolve_python(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e, nb_expr **out,
               nb_error *err)
{
    const Sc__CommonInlineUserDefinedFunction *f = e->common_inline_user_defined_function;
    nb_expr **args;
    int n;

    NB_TRY(resolve_args(an, scope, f->arguments, f->n_arguments, &args, &n, err));
    return nb_resolve_python_call(an, f, args, n, nb_origin_of(an, e), out, err);
}

nb_status
nb_resolve_expr(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e, nb_expr **out,
                nb_error *err)
{
    nb_status st;

    if (!e) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "an expression is missing", NULL);
    }
    if (++an->depth > NB_PLAN_MAX_DEPTH) {
        an->depth--;
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "the plan is nested too deeply",
                        NULL);
    }
    switch (e->expr_type_case) {
    case SC__EXPRESSION__EXPR_TYPE_LITERAL:
        st = nb_resolve_literal(an, e->literal, out, err);
        break;
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE:
        st = attribute_or_function(an, scope, e, out, err);
        break;
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION: {
        const Sc__Expression__UnresolvedFunction *f = e->unresolved_function;
        call_options opt = {.distinct = f->has_is_distinct && f->is_distinct, .message = e};
        st = resolve_call(an, scope, nb_pb_str(f->function_name), f->arguments, f->n_arguments,
                          &opt, nb_origin_of(an, e), out, err);
        if (st >= 0) {
            st = check_no_window_call(an, *out, err);
        }
        break;
    }
    case SC__EXPRESSION__EXPR_TYPE_CALL_FUNCTION: {
        call_options opt = {0};
        st = resolve_call(an, scope, nb_pb_str(e->call_function->function_name),
                          e->call_function->arguments, e->call_function->n_arguments, &opt,
                          nb_origin_of(an, e), out, err);
        if (st >= 0) {
            st = check_no_window_call(an, *out, err);
        }
        break;
    }
    case SC__EXPRESSION__EXPR_TYPE_EXPRESSION_STRING: {
        Sc__Expression *parsed;
        st = nb_parse_expression_string(an, e, &parsed, err);
        if (st >= 0) {
            st = nb_resolve_expr(an, scope, parsed, out, err);
        }
        break;
    }
    case SC__EXPRESSION__EXPR_TYPE_ALIAS: st = resolve_alias(an, scope, e->alias, out, err); break;
    case SC__EXPRESSION__EXPR_TYPE_CAST: {
        const nb_origin *o = nb_origin_of(an, e);
        st = nb_located(resolve_cast(an, scope, e->cast, out, err), o, err);
        if (st >= 0 && o && (*out)->kind == NB_EXPR_CAST && !(*out)->origin) {
            (*out)->origin = o;
        }
        break;
    }
    case SC__EXPRESSION__EXPR_TYPE_SORT_ORDER: {
        nb_sort_key key;
        st = nb_resolve_sort_order(an, scope, e->sort_order, &key, err);
        *out = st >= 0 ? key.expr : NULL;
        break;
    }
    case SC__EXPRESSION__EXPR_TYPE_WINDOW:
        st = nb_located(resolve_window(an, scope, e->window, out, err), nb_origin_of(an, e), err);
        break;
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_EXTRACT_VALUE: {
        nb_expr *child = NULL, *key = NULL;
        st = nb_resolve_expr(an, scope, e->unresolved_extract_value->child, &child, err);
        if (st >= 0) {
            st = nb_resolve_expr(an, scope, e->unresolved_extract_value->extraction, &key, err);
        }
        if (st >= 0) {
            const nb_origin *origin = nb_origin_of(an, e);

            st = nb_located(nb_extract(an, without_alias(child), without_alias(key), out, err),
                            origin, err);
            if (st >= 0 && (*out)->kind == NB_EXPR_CALL && (*out)->origin == NULL) {
                (*out)->origin = origin;
            }
        }
        break;
    }
    case SC__EXPRESSION__EXPR_TYPE_UPDATE_FIELDS: {
        nb_expr *base = NULL, *value = NULL;
        nb_str *path = NULL;
        size_t n = 0;
        st = nb_resolve_expr(an, scope, e->update_fields->struct_expression, &base, err);
        if (st >= 0 && e->update_fields->value_expression) {
            st = nb_resolve_expr(an, scope, e->update_fields->value_expression, &value, err);
        }
        if (st >= 0) {
            st = nb_split_identifier(an, nb_pb_str(e->update_fields->field_name), &path, &n, err);
        }
        if (st >= 0) {
            st = update_field(an, without_alias(base), path, (int)n,
                              value ? without_alias(value) : NULL, out, err);
        }
        break;
    }
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_NAMED_LAMBDA_VARIABLE: {
        const Sc__Expression__UnresolvedNamedLambdaVariable *v =
            e->unresolved_named_lambda_variable;
        nb_str text = v->n_name_parts ? nb_pb_str(v->name_parts[0]) : NB_STR("");
        nb_expr *found = NULL;
        for (const nb_lambda_scope *l = an->lambdas; l && !found; l = l->up) {
            for (int i = 0; i < l->n && !found; i++) {
                if (nb_names_equal(an, l->names[i], text)) {
                    found = nb_attr_expr(an->arena, &l->params[i]);
                }
            }
        }
        st = found ? NB_OK : nb_resolve_column(an, scope, text, -1, NULL, &found, err);
        for (size_t i = 1; i < v->n_name_parts && st >= 0; i++) {
            st = nb_extract_field(an, found, nb_pb_str(v->name_parts[i]), &found, err);
        }
        *out = found;
        break;
    }
    case SC__EXPRESSION__EXPR_TYPE_SUBQUERY_EXPRESSION:
        st = resolve_subquery(an, scope, e->subquery_expression, out, err);
        break;
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_STAR:
    case SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_REGEX: {
        nb_expr **list;
        int n;
        st = nb_expand_star(an, scope, e, &list, &n, err);
        if (st >= 0 && n != 1) {
            st = nb_raise(err, NB_COND_INVALID_USAGE_OF_STAR_OR_REGEX, "elem", "'*'", "prettyName",
                          "expression", NULL);
        } else if (st >= 0) {
            *out = list[0];
        }
        break;
    }
    case SC__EXPRESSION__EXPR_TYPE_COMMON_INLINE_USER_DEFINED_FUNCTION:
        st = resolve_python(an, scope, e, out, err);
        break;
    default:
        st = nb_raise_unsupported(err, "The expression %s",
                                  nb_pb_case(&e->base, (int)e->expr_type_case));
        break;
    }
    an->depth--;
    return st >= 0 ? remember(an, e, *out) : st;
}

nb_status
nb_resolve_condition(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e, nb_expr **out,
                     nb_error *err)
{
    nb_expr *c;

    NB_TRY(nb_resolve_expr(an, scope, e, &c, err));
    c = without_alias(c);
    if (c->type->id != NB_TYPE_BOOL) {
        return nb_raise(
            err, NB_COND_DATATYPE_MISMATCH_FILTER_NOT_BOOLEAN, "sqlExpr",
            nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, c, false)), "filter",
            nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, c, false)), "type",
            nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, c->type)), NULL);
    }
    *out = c;
    return NB_OK;
}
