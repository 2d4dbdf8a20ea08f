/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_pivot.c: SQL's PIVOT and UNPIVOT, rewritten as messages that are analysed in their place.
 *
 *     PIVOT (sum(c) FOR b IN ('x', 'y' AS q))   GROUP BY all columns that are named in neither, with
 *                                               sum(c) FILTER (WHERE b <=> 'x'), where such rows exist
 *     UNPIVOT (v FOR n IN (a, b AS c))          stack(2, 'a', a, 'c', b) AS (n, v) beside all other columns
 */
#include "plan/analyzer_internal.h"
#include "sql/encoding.h"

static ProtobufCBinaryData
bytes(nb_str s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.data};
}

static Sc__Expression *
new_expr(nb_analyzer *an, Sc__Expression__ExprTypeCase kind)
{
    Sc__Expression *e = NB_ARENA_NEW(an->arena, Sc__Expression);

    if (e) {
        *e = (Sc__Expression)SC__EXPRESSION__INIT;
        e->expr_type_case = kind;
    }
    return e;
}

/* A call of n arguments; NULL when out of memory, or when an argument is. */
static Sc__Expression *
call(nb_analyzer *an, const char *name, Sc__Expression *const *args, size_t n)
{
    Sc__Expression *e = new_expr(an, SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION);
    Sc__Expression__UnresolvedFunction *f =
        NB_ARENA_NEW(an->arena, Sc__Expression__UnresolvedFunction);

    if (!e || !f) {
        return NULL;
    }
    *f = (Sc__Expression__UnresolvedFunction)SC__EXPRESSION__UNRESOLVED_FUNCTION__INIT;
    f->has_function_name = true;
    f->function_name = bytes(nb_str_of(name));
    f->arguments = NB_ARENA_ARRAY(an->arena, Sc__Expression *, n + 1);
    if (!f->arguments) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (!args[i]) {
            return NULL;
        }
        f->arguments[i] = args[i];
    }
    f->n_arguments = n;
    e->unresolved_function = f;
    return e;
}

static Sc__Expression *
call2(nb_analyzer *an, const char *name, Sc__Expression *a, Sc__Expression *b)
{
    Sc__Expression *args[2] = {a, b};

    return call(an, name, args, 2);
}

static Sc__Expression *
integer(nb_analyzer *an, int32_t v)
{
    Sc__Expression *e = nb_literal_message(an, SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER);

    if (e) {
        e->literal->integer = v;
    }
    return e;
}

static Sc__Expression *
string(nb_analyzer *an, nb_str s)
{
    Sc__Expression *e = nb_literal_message(an, SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRING);

    if (e) {
        e->literal->string = bytes(s);
    }
    return e;
}

static Sc__Expression *
alias(nb_analyzer *an, Sc__Expression *child, const nb_str *names, size_t n)
{
    Sc__Expression *e = new_expr(an, SC__EXPRESSION__EXPR_TYPE_ALIAS);
    Sc__Expression__Alias *a = NB_ARENA_NEW(an->arena, Sc__Expression__Alias);

    if (!e || !a || !child) {
        return NULL;
    }
    *a = (Sc__Expression__Alias)SC__EXPRESSION__ALIAS__INIT;
    a->expr = child;
    a->name = NB_ARENA_ARRAY(an->arena, ProtobufCBinaryData, n);
    if (!a->name) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        a->name[i] = bytes(names[i]);
    }
    a->n_name = n;
    e->alias = a;
    return e;
}

/* The column as a message, always in quotes. */
static Sc__Expression *
column(nb_analyzer *an, const nb_attr *attr)
{
    Sc__Expression *e = new_expr(an, SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE);
    Sc__Expression__UnresolvedAttribute *a =
        NB_ARENA_NEW(an->arena, Sc__Expression__UnresolvedAttribute);
    char *text = nb_arena_alloc(an->arena, 2 * attr->name.len + 3), *at = text;

    if (!e || !a || !text) {
        return NULL;
    }
    *at++ = '`';
    for (size_t i = 0; i < attr->name.len; i++) {
        *at++ = attr->name.data[i];
        if (attr->name.data[i] == '`') {
            *at++ = '`';
        }
    }
    *at++ = '`';
    *a = (Sc__Expression__UnresolvedAttribute)SC__EXPRESSION__UNRESOLVED_ATTRIBUTE__INIT;
    a->has_unparsed_identifier = true;
    a->unparsed_identifier = bytes((nb_str){text, (size_t)(at - text)});
    e->unresolved_attribute = a;
    return e;
}

static const Sc__Expression *
without_alias(const Sc__Expression *e)
{
    return e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS ? e->alias->expr : e;
}

static const Sc__Expression__UnresolvedFunction *
as_call(const Sc__Expression *e)
{
    return e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION
               ? e->unresolved_function
               : NULL;
}

/* Adds the columns that e names to used. */
static nb_status
note_columns(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e, nb_attr_set *used,
             nb_expr **resolved, nb_error *err)
{
    NB_TRY(nb_resolve_expr(an, scope, e, resolved, err));
    return nb_attr_set_add_expr(used, *resolved);
}

/* ---- PIVOT ---- */

/* A value as part of a column's name: as text, without the word in front of a typed literal; rows as {1, x}. */
static nb_status
value_text(nb_analyzer *an, const Sc__Expression *v, nb_strbuf *b, nb_error *err)
{
    const Sc__Expression__UnresolvedFunction *f = as_call(v);
    nb_str text;

    if (f && nb_str_equal(nb_pb_str(f->function_name), NB_STR("named_struct"))) {
        nb_strbuf_addc(b, '{');
        for (size_t i = 1; i < f->n_arguments; i += 2) {
            nb_strbuf_adds(b, i > 1 ? ", " : "");
            NB_TRY(value_text(an, f->arguments[i], b, err));
        }
        nb_strbuf_addc(b, '}');
        return NB_OK;
    }
    NB_TRY(nb_expression_name(an, v, &text, err));
    if (nb_str_starts_with(text, NB_STR("DATE '")) ||
        nb_str_starts_with(text, NB_STR("TIMESTAMP"))) {
        const char *quote = memchr(text.data, '\'', text.len);
        if (quote && text.data[text.len - 1] == '\'') {
            text = (nb_str){quote + 1, (size_t)(text.data + text.len - 1 - (quote + 1))};
        }
    }
    if (nb_str_equal(text, NB_STR("NULL"))) {
        text = NB_STR("null");
    }
    nb_strbuf_add(b, text);
    return NB_OK;
}

/* columns <=> value; of several columns the value is a row */
static nb_status
value_condition(nb_analyzer *an, const Sc__Expression__UnresolvedFunction *columns,
                Sc__Expression *v, Sc__Expression **out, nb_error *err)
{
    const Sc__Expression__UnresolvedFunction *row = as_call(v);

    if (columns->n_arguments == 1) {
        *out = call2(an, "<=>", columns->arguments[0], v);
        NB_NEED(*out);
        return NB_OK;
    }
    if (!row || row->n_arguments != 2 * columns->n_arguments) {
        return nb_raise_unsupported(err, "PIVOT over several columns by values that are no rows");
    }
    *out = NULL;
    for (size_t i = 0; i < columns->n_arguments; i++) {
        Sc__Expression *value = row->arguments[2 * i + 1];
        Sc__Expression *same = call2(an, "<=>", columns->arguments[i],
                                     (Sc__Expression *)(uintptr_t)without_alias(value));
        *out = *out ? call2(an, "and", *out, same) : same;
        NB_NEED(*out);
    }
    return NB_OK;
}

nb_status
nb_analyze_sql_pivot(nb_analyzer *an, const Sc__UnresolvedTableValuedFunction *f,
                     const Sc__Relation *input, nb_plan **out, nb_error *err)
{
    const Sc__Expression__UnresolvedFunction *columns = as_call(f->arguments[1]);
    const Sc__Expression__UnresolvedFunction *values = as_call(f->arguments[2]);
    size_t n_aggs = f->n_arguments - 3, n = 0, n_keys;
    nb_attr_set used = {.arena = an->arena};
    nb_plan *child;
    nb_scope scope;
    Sc__Expression **results;
    Sc__Aggregate agg = SC__AGGREGATE__INIT;
    Sc__Relation rel = SC__RELATION__INIT;
    Sc__RelationCommon common = SC__RELATION_COMMON__INIT;
    nb_expr *e;
    bool in_two = true;

    if (!columns || !values || n_aggs == 0) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "a PIVOT of another form", NULL);
    }
    NB_TRY(nb_analyze_relation(an, input, &child, err));
    scope = (nb_scope){.plans = &child, .n_plans = 1, .outer = an->outer};
    for (size_t i = 0; i < columns->n_arguments; i++) {
        NB_TRY(note_columns(an, &scope, columns->arguments[i], &used, &e, err));
    }
    for (size_t i = 0; i < n_aggs; i++) {
        const Sc__Expression__UnresolvedFunction *a = as_call(without_alias(f->arguments[3 + i]));
        NB_TRY(note_columns(an, &scope, f->arguments[3 + i], &used, &e, err));
        NB_TRY(nb_check_pivoted(an, e->kind == NB_EXPR_ALIAS ? e->args[0] : e, err));
        if (!a) {
            return nb_raise_unsupported(err, "PIVOT by something else than a call of an aggregate");
        }
        in_two &= nb_pivots_in_two(e->type);
    }
    results = NB_ARENA_ARRAY(an->arena, Sc__Expression *,
                             (size_t)child->n_attrs + values->n_arguments * n_aggs + 1);
    NB_NEED(results);
    for (int i = 0; i < child->n_attrs; i++) {
        if (!child->attrs[i].hidden && !nb_attr_set_has(&used, child->attrs[i].id)) {
            results[n] = column(an, &child->attrs[i]);
            NB_NEED(results[n++]);
        }
    }
    n_keys = n;
    for (size_t v = 0; v < values->n_arguments; v++) {
        Sc__Expression *value = values->arguments[v], *where = NULL, *rows, *one = integer(an, 1);
        nb_strbuf text = {0};
        nb_str prefix;
        nb_status st = NB_OK;
        if (value->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS) {
            nb_strbuf_add(&text, nb_pb_str(value->alias->name[0]));
            value = value->alias->expr;
        } else {
            st = value_text(an, value, &text, err);
        }
        prefix = nb_strbuf_finish(an->arena, &text);
        NB_TRY(st);
        NB_NEED(prefix.data);
        NB_TRY(value_condition(an, columns, value, &where, err));
        /* a value that no row of the group has gives null, even for count: see nb_pivots_in_two */
        rows = call2(an, ">", call2(an, NB_SQL_FN_FILTER, call(an, "count", &one, 1), where),
                     integer(an, 0));
        for (size_t i = 0; i < n_aggs; i++) {
            Sc__Expression *a = f->arguments[3 + i];
            nb_str name = prefix;
            if (n_aggs > 1) {
                nb_str suffix = {0};
                if (a->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS) {
                    suffix = nb_pb_str(a->alias->name[0]);
                } else {
                    NB_TRY(nb_expression_name(an, a, &suffix, err));
                }
                name = nb_str_of(nb_arena_printf(an->arena, "%.*s_%.*s", (int)prefix.len,
                                                 prefix.data, (int)suffix.len, suffix.data));
                NB_NEED(name.data);
            }
            a = (Sc__Expression *)(uintptr_t)without_alias(a);
            a = call2(an, NB_SQL_FN_FILTER, a, where);
            results[n] = alias(an, in_two ? call2(an, "when", rows, a) : a, &name, 1);
            NB_NEED(results[n++]);
        }
    }
    agg.input = (Sc__Relation *)(uintptr_t)input;
    agg.has_group_type = true;
    agg.group_type = SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_GROUPBY;
    agg.grouping_expressions = results;
    agg.n_grouping_expressions = n_keys;
    agg.aggregate_expressions = results;
    agg.n_aggregate_expressions = n;
    common.has_source_info = true;
    common.source_info = bytes(NB_STR(NB_SQL_MARK_SELECT));
    rel.common = &common;
    rel.rel_type_case = SC__RELATION__REL_TYPE_AGGREGATE;
    rel.aggregate = &agg;
    return nb_analyze_relation(an, &rel, out, err);
}

/* ---- UNPIVOT ---- */

nb_status
nb_analyze_sql_unpivot(nb_analyzer *an, const Sc__UnresolvedTableValuedFunction *f,
                       const Sc__Relation *input, nb_plan **out, nb_error *err)
{
    bool include_nulls = f->arguments[1]->literal->boolean;
    const Sc__Expression__UnresolvedFunction *names = as_call(f->arguments[3]);
    size_t n_sets = f->n_arguments - 4, width = names ? names->n_arguments : 0, n = 0, n_args = 0;
    nb_attr_set used = {.arena = an->arena};
    nb_plan *child;
    nb_scope scope;
    Sc__Expression **args, **items, *present = NULL;
    nb_str *outputs;
    bool *nullable = nb_arena_zalloc(an->arena, width + 1);

    NB_TRY(nb_analyze_relation(an, input, &child, err));
    scope = (nb_scope){.plans = &child, .n_plans = 1, .outer = an->outer};
    args = NB_ARENA_ARRAY(an->arena, Sc__Expression *, n_sets * (width + 1) + 2);
    items = NB_ARENA_ARRAY(an->arena, Sc__Expression *, (size_t)child->n_attrs + 2);
    outputs = NB_ARENA_ARRAY(an->arena, nb_str, width + 2);
    NB_NEED(args && items && outputs && nullable);
    outputs[0] = nb_pb_str(f->arguments[2]->literal->string);
    for (size_t i = 0; i < width; i++) {
        outputs[1 + i] = nb_pb_str(names->arguments[i]->literal->string);
    }
    args[n_args++] = integer(an, (int32_t)n_sets);
    for (size_t s = 0; s < n_sets; s++) {
        const Sc__Expression *set = f->arguments[4 + s];
        const Sc__Expression__UnresolvedFunction *row = as_call(without_alias(set));
        nb_strbuf text = {0};
        nb_str name;
        nb_status st = NB_OK;
        if (!row || row->n_arguments != width) {
            return nb_raise(
                err, NB_COND_INVALID_PLAN, "message",
                "as many columns in each set of UNPIVOT as it has value columns are wanted", NULL);
        }
        for (size_t i = 0; i < width && st >= 0; i++) {
            nb_str part = {0};
            nb_expr *e;
            st = note_columns(an, &scope, row->arguments[i], &used, &e, err);
            if (st >= 0) {
                nullable[i] |= e->nullable;
                st = nb_expression_name(an, row->arguments[i], &part, err);
            }
            nb_strbuf_adds(&text, i ? "_" : "");
            nb_strbuf_add(&text, part);
        }
        name = set->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS
                   ? nb_pb_str(set->alias->name[0])
                   : nb_strbuf_finish(an->arena, &text);
        nb_strbuf_free(&text);
        NB_TRY(st);
        NB_NEED(name.data);
        args[n_args++] = string(an, name);
        for (size_t i = 0; i < width; i++) {
            args[n_args++] = row->arguments[i];
        }
    }
    for (int i = 0; i < child->n_attrs; i++) {
        if (!child->attrs[i].hidden && !nb_attr_set_has(&used, child->attrs[i].id)) {
            items[n] = column(an, &child->attrs[i]);
            NB_NEED(items[n++]);
        }
    }
    items[n] = alias(an, call(an, "stack", args, n_args), outputs, width + 1);
    NB_NEED(items[n++]);
    NB_TRY(nb_build_project(an, child, items, n, out, err));
    (*out)->attrs[n - 1].nullable =
        false; /* names are never null, values only where a column may be */
    for (size_t i = 0; i < width; i++) {
        (*out)->attrs[n + i].nullable = nullable[i];
    }
    if (include_nulls) {
        return NB_OK;
    }
    for (size_t i = 0; i < width; i++) { /* a row goes when all its values are null */
        nb_attr value = {.name = outputs[1 + i]};
        Sc__Expression *c = column(an, &value), *there = call(an, "isnotnull", &c, 1);
        present = present ? call2(an, "or", present, there) : there;
        NB_NEED(present);
    }
    {
        nb_plan *made = *out;
        nb_scope over = {.plans = &made, .n_plans = 1, .outer = an->outer};
        nb_expr *condition;
        NB_TRY(nb_resolve_condition(an, &over, present, &condition, err));
        return nb_plan_filter(an, made, condition, out, err);
    }
}
