/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder.c: makes Connect messages in the parser's arena.
 *
 * Messages are unpacked ones that nobody frees one by one: strings point into the SQL text or the arena. A builder given a NULL child
 * (no memory) gives NULL, so that a chain of calls needs one check.
 */
#include "sql/parse_state.h"

static Sc__Origin *
origin(nb_sql_parser *p, size_t start)
{
    const nb_token *a = &p->tokens.items[start];
    const nb_token *b = p->pos > start ? &p->tokens.items[p->pos - 1] : a;
    Sc__JvmOrigin *jvm = NB_SQL_NEW(p, Sc__JvmOrigin, SC__JVM_ORIGIN__INIT);
    Sc__Origin *o = NB_SQL_NEW(p, Sc__Origin, SC__ORIGIN__INIT);

    if (!jvm || !o) {
        return NULL;
    }
    jvm->has_line = jvm->has_start_position = jvm->has_start_index = jvm->has_stop_index = true;
    jvm->line = (int32_t)a->line;
    jvm->start_position = (int32_t)a->column;
    jvm->start_index = (int32_t)a->cp_start;
    jvm->stop_index = (int32_t)(b->cp_start + b->cp_len) - 1;
    o->function_case = SC__ORIGIN__FUNCTION_JVM_ORIGIN;
    o->jvm_origin = jvm;
    return o;
}

Sc__Expression *
nb_sql_expr(nb_sql_parser *p, size_t start)
{
    Sc__Expression *e = NB_SQL_NEW(p, Sc__Expression, SC__EXPRESSION__INIT);
    Sc__ExpressionCommon *common = NB_SQL_NEW(p, Sc__ExpressionCommon, SC__EXPRESSION_COMMON__INIT);

    if (!e || !common || !(common->origin = origin(p, start))) {
        return NULL;
    }
    e->common = common;
    return e;
}

static Sc__Expression *
call(nb_sql_parser *p, size_t start, nb_str name, size_t n, Sc__Expression *const *args,
     bool internal)
{
    Sc__Expression *e = nb_sql_expr(p, start);
    Sc__Expression__UnresolvedFunction *f = NB_SQL_NEW(p, Sc__Expression__UnresolvedFunction,
                                                       SC__EXPRESSION__UNRESOLVED_FUNCTION__INIT);

    if (!e || !f) {
        return NULL;
    }
    f->has_function_name = true;
    f->function_name = nb_sql_bytes(name);
    if (internal) {
        f->has_is_internal = f->is_internal = true;
    }
    if (n) {
        f->arguments = NB_ARENA_ARRAY(p->arena, Sc__Expression *, n);
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
    }
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION;
    e->unresolved_function = f;
    return e;
}

Sc__Expression *
nb_sql_call(nb_sql_parser *p, size_t start, const char *name, size_t n, Sc__Expression *const *args)
{
    return call(p, start, nb_str_of(name), n, args, false);
}

Sc__Expression *
nb_sql_call1(nb_sql_parser *p, size_t start, const char *name, Sc__Expression *a)
{
    return call(p, start, nb_str_of(name), 1, &a, false);
}

Sc__Expression *
nb_sql_call2(nb_sql_parser *p, size_t start, const char *name, Sc__Expression *a, Sc__Expression *b)
{
    Sc__Expression *args[2] = {a, b};

    return call(p, start, nb_str_of(name), 2, args, false);
}

Sc__Expression *
nb_sql_call_named(nb_sql_parser *p, size_t start, nb_str name, const nb_ptrs *args)
{
    return call(p, start, name, args->n, (Sc__Expression *const *)args->items, false);
}

Sc__Expression *
nb_sql_internal(nb_sql_parser *p, size_t start, const char *name, const nb_ptrs *args)
{
    return call(p, start, nb_str_of(name), args->n, (Sc__Expression *const *)args->items, true);
}

Sc__Expression *
nb_sql_attribute(nb_sql_parser *p, size_t start, const nb_names *parts)
{
    Sc__Expression *e = nb_sql_expr(p, start);
    Sc__Expression__UnresolvedAttribute *a = NB_SQL_NEW(p, Sc__Expression__UnresolvedAttribute,
                                                        SC__EXPRESSION__UNRESOLVED_ATTRIBUTE__INIT);
    nb_str text = nb_sql_quote(p->arena, parts->items, parts->n);

    if (!e || !a || !text.data) {
        return NULL;
    }
    a->has_unparsed_identifier = true;
    a->unparsed_identifier = nb_sql_bytes(text);
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE;
    e->unresolved_attribute = a;
    return e;
}

Sc__Expression__Literal *
nb_sql_literal(nb_sql_parser *p, Sc__Expression **expr_out)
{
    Sc__Expression *e = NB_SQL_NEW(p, Sc__Expression, SC__EXPRESSION__INIT);
    Sc__Expression__Literal *l =
        NB_SQL_NEW(p, Sc__Expression__Literal, SC__EXPRESSION__LITERAL__INIT);

    if (!e || !l) {
        return NULL;
    }
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_LITERAL;
    e->literal = l;
    *expr_out = e;
    return l;
}

Sc__Expression *
nb_sql_string(nb_sql_parser *p, nb_str value)
{
    Sc__Expression *e;
    Sc__Expression__Literal *l = nb_sql_literal(p, &e);

    if (!l) {
        return NULL;
    }
    l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRING;
    l->string = nb_sql_bytes(value);
    return e;
}

Sc__Expression *
nb_sql_int(nb_sql_parser *p, int32_t value)
{
    Sc__Expression *e;
    Sc__Expression__Literal *l = nb_sql_literal(p, &e);

    if (!l) {
        return NULL;
    }
    l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER;
    l->integer = value;
    return e;
}

Sc__Expression *
nb_sql_bool(nb_sql_parser *p, bool value)
{
    Sc__Expression *e;
    Sc__Expression__Literal *l = nb_sql_literal(p, &e);

    if (!l) {
        return NULL;
    }
    l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_BOOLEAN;
    l->boolean = value;
    return e;
}

Sc__Expression *
nb_sql_null(nb_sql_parser *p)
{
    Sc__Expression *e;
    Sc__Expression__Literal *l = nb_sql_literal(p, &e);

    if (!l || !(l->null = nb_sql_type_simple(p, SC__DATA_TYPE__KIND_NULL))) {
        return NULL;
    }
    l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_NULL;
    return e;
}

Sc__Expression *
nb_sql_alias(nb_sql_parser *p, size_t start, Sc__Expression *child, const nb_names *names)
{
    Sc__Expression *e = nb_sql_expr(p, start);
    Sc__Expression__Alias *a = NB_SQL_NEW(p, Sc__Expression__Alias, SC__EXPRESSION__ALIAS__INIT);

    if (!e || !a || !child) {
        return NULL;
    }
    a->expr = child;
    a->n_name = names->n;
    a->name = NB_ARENA_ARRAY(p->arena, ProtobufCBinaryData, names->n);
    if (!a->name) {
        return NULL;
    }
    for (size_t i = 0; i < names->n; i++) {
        a->name[i] = nb_sql_bytes(names->items[i]);
    }
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_ALIAS;
    e->alias = a;
    return e;
}

Sc__Relation *
nb_sql_relation(nb_sql_parser *p, size_t start)
{
    Sc__Relation *r = NB_SQL_NEW(p, Sc__Relation, SC__RELATION__INIT);
    Sc__RelationCommon *common = NB_SQL_NEW(p, Sc__RelationCommon, SC__RELATION_COMMON__INIT);

    if (!r || !common || !(common->origin = origin(p, start))) {
        return NULL;
    }
    r->common = common;
    return r;
}

void
nb_sql_mark(Sc__Relation *rel, const char *mark)
{
    rel->common->has_source_info = true;
    rel->common->source_info = nb_sql_bytes(nb_str_of(mark));
}

Sc__Relation *
nb_sql_project(nb_sql_parser *p, size_t start, Sc__Relation *input, const nb_ptrs *items)
{
    Sc__Relation *r = nb_sql_relation(p, start);
    Sc__Project *x = NB_SQL_NEW(p, Sc__Project, SC__PROJECT__INIT);

    if (!r || !x) {
        return NULL;
    }
    x->input = input;
    x->n_expressions = items->n;
    x->expressions = (Sc__Expression **)items->items;
    r->rel_type_case = SC__RELATION__REL_TYPE_PROJECT;
    r->project = x;
    return r;
}

Sc__Relation *
nb_sql_star_project(nb_sql_parser *p, size_t start, Sc__Relation *input)
{
    Sc__Expression *e = nb_sql_expr(p, start);
    Sc__Expression__UnresolvedStar *star =
        NB_SQL_NEW(p, Sc__Expression__UnresolvedStar, SC__EXPRESSION__UNRESOLVED_STAR__INIT);
    nb_ptrs items = {0};

    if (!e || !star || !input) {
        return NULL;
    }
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_STAR;
    e->unresolved_star = star;
    if (nb_ptrs_push(p, &items, e) < 0) {
        return NULL;
    }
    return nb_sql_project(p, start, input, &items);
}

Sc__Relation *
nb_sql_filter(nb_sql_parser *p, size_t start, Sc__Relation *input, Sc__Expression *condition,
              const char *mark)
{
    Sc__Relation *r = nb_sql_relation(p, start);
    Sc__Filter *x = NB_SQL_NEW(p, Sc__Filter, SC__FILTER__INIT);

    if (!r || !x || !condition) {
        return NULL;
    }
    x->input = input;
    x->condition = condition;
    r->rel_type_case = SC__RELATION__REL_TYPE_FILTER;
    r->filter = x;
    if (mark) {
        nb_sql_mark(r, mark);
    }
    return r;
}

Sc__Relation *
nb_sql_subquery_alias(nb_sql_parser *p, size_t start, Sc__Relation *input, nb_str alias,
                      const nb_names *columns)
{
    Sc__Relation *r = nb_sql_relation(p, start);
    Sc__SubqueryAlias *x = NB_SQL_NEW(p, Sc__SubqueryAlias, SC__SUBQUERY_ALIAS__INIT);

    if (!r || !x || !input) {
        return NULL;
    }
    if (columns && columns->n) {
        Sc__Relation *named = nb_sql_relation(p, start);
        Sc__ToDF *to_df = NB_SQL_NEW(p, Sc__ToDF, SC__TO_DF__INIT);
        if (!named || !to_df) {
            return NULL;
        }
        to_df->input = input;
        to_df->n_column_names = columns->n;
        to_df->column_names = NB_ARENA_ARRAY(p->arena, ProtobufCBinaryData, columns->n);
        if (!to_df->column_names) {
            return NULL;
        }
        for (size_t i = 0; i < columns->n; i++) {
            to_df->column_names[i] = nb_sql_bytes(columns->items[i]);
        }
        named->rel_type_case = SC__RELATION__REL_TYPE_TO_DF;
        named->to_df = to_df;
        input = named;
    }
    x->input = input;
    x->has_alias = true;
    x->alias = nb_sql_bytes(alias);
    r->rel_type_case = SC__RELATION__REL_TYPE_SUBQUERY_ALIAS;
    r->subquery_alias = x;
    return r;
}

Sc__Relation *
nb_sql_table_function(nb_sql_parser *p, size_t start, nb_str name, const nb_ptrs *args)
{
    Sc__Relation *r = nb_sql_relation(p, start);
    Sc__UnresolvedTableValuedFunction *x = NB_SQL_NEW(p, Sc__UnresolvedTableValuedFunction,
                                                      SC__UNRESOLVED_TABLE_VALUED_FUNCTION__INIT);

    if (!r || !x || !name.data) {
        return NULL;
    }
    x->has_function_name = true;
    x->function_name = nb_sql_bytes(name);
    x->n_arguments = args->n;
    x->arguments = (Sc__Expression **)args->items;
    r->rel_type_case = SC__RELATION__REL_TYPE_UNRESOLVED_TABLE_VALUED_FUNCTION;
    r->unresolved_table_valued_function = x;
    return r;
}

nb_status
nb_sql_subquery(nb_sql_parser *p, size_t start, Sc__Relation *query,
                Sc__SubqueryExpression__SubqueryType type, Sc__SubqueryExpression **sub_out,
                Sc__Expression **out)
{
    Sc__Expression *e = nb_sql_expr(p, start);
    Sc__SubqueryExpression *s =
        NB_SQL_NEW(p, Sc__SubqueryExpression, SC__SUBQUERY_EXPRESSION__INIT);
    Sc__Relation *reference = query;

    NB_SQL_NEED(e);
    NB_SQL_NEED(s);
    if (query->common->has_plan_id ||
        query->rel_type_case == SC__RELATION__REL_TYPE_SUBQUERY_ALIAS) {
        /* a name among references would be a common table expression, so such a relation gets a projection above it */
        reference = nb_sql_star_project(p, start, query);
        NB_SQL_NEED(reference);
    }
    reference->common->has_plan_id = true;
    reference->common->plan_id = p->next_plan_id++;
    s->has_plan_id = true;
    s->plan_id = reference->common->plan_id;
    s->has_subquery_type = true;
    s->subquery_type = type;
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_SUBQUERY_EXPRESSION;
    e->subquery_expression = s;
    NB_TRY(nb_ptrs_push(p, &p->references, reference));
    if (sub_out) {
        *sub_out = s;
    }
    *out = e;
    return NB_OK;
}

nb_status
nb_sql_wrap_references(nb_sql_parser *p, size_t start, size_t mark, Sc__Relation **rel)
{
    size_t n = p->references.n - mark;
    Sc__Relation *r;
    Sc__WithRelations *w;

    if (n == 0) {
        return NB_OK;
    }
    r = nb_sql_relation(p, start);
    w = NB_SQL_NEW(p, Sc__WithRelations, SC__WITH_RELATIONS__INIT);
    NB_SQL_NEED(r);
    NB_SQL_NEED(w);
    w->root = *rel;
    w->n_references = n;
    w->references = NB_ARENA_ARRAY(p->arena, Sc__Relation *, n);
    NB_SQL_NEED(w->references);
    memcpy(w->references, p->references.items + mark, n * sizeof *w->references);
    p->references.n = mark;
    r->rel_type_case = SC__RELATION__REL_TYPE_WITH_RELATIONS;
    r->with_relations = w;
    *rel = r;
    return NB_OK;
}

nb_status
nb_sql_over_table(nb_sql_parser *p, size_t start, const char *name, Sc__Relation *input,
                  const nb_ptrs *args, Sc__Relation **out)
{
    size_t mark = p->references.n;
    nb_ptrs all = {0};
    Sc__Expression *table;

    NB_TRY(nb_sql_subquery(p, start, input,
                           SC__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_TABLE_ARG, NULL,
                           &table));
    NB_TRY(nb_ptrs_push(p, &all, table));
    for (size_t i = 0; i < args->n; i++) {
        NB_TRY(nb_ptrs_push(p, &all, args->items[i]));
    }
    *out = nb_sql_table_function(p, start, nb_str_of(name), &all);
    NB_SQL_NEED(*out);
    return nb_sql_wrap_references(p, start, mark, out);
}

void
nb_sql_set_text(nb_sql_parser *p, Sc__Expression *expr, Sc__Relation *rel)
{
    Sc__Origin *o = expr ? (expr->common ? expr->common->origin : NULL) : rel->common->origin;

    if (o) {
        o->jvm_origin->has_sql_text = true;
        o->jvm_origin->sql_text = nb_sql_bytes(p->tokens.text);
    }
}
