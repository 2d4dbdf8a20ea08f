/* SPDX-License-Identifier: Apache-2.0 */
/*
 * variables.c: see variables.h. Values are kept as columns of tables of one row, which variables that were set together share.
 */
#include "connect/tables.h"
#include "connect/variables.h"

#include "plan/analyzer_internal.h"
#include "plan/type_proto.h"

/* What does not fit: as the session's ANSI mode has it for a default, an error in any mode for what SET VAR stores. */
#define AS_CAST   SC__EXPRESSION__CAST__EVAL_MODE__EVAL_MODE_UNSPECIFIED
#define AS_STORED SC__EXPRESSION__CAST__EVAL_MODE__EVAL_MODE_ANSI

static const char *
shown_name(nb_query *q, nb_str name)
{
    const char *text =
        nb_arena_printf(q->arena, "`system`.`session`.`%.*s`", (int)name.len, name.data);

    return text ? text : "";
}

static Sc__Expression *
column(nb_query *q, nb_str name)
{
    Sc__Expression *e = NB_MESSAGE(q->arena, Sc__Expression, sc__expression);
    Sc__Expression__UnresolvedAttribute *a = NB_MESSAGE(
        q->arena, Sc__Expression__UnresolvedAttribute, sc__expression__unresolved_attribute);

    if (!e || !a) {
        return NULL;
    }
    a->has_unparsed_identifier = true;
    a->unparsed_identifier = nb_pb_bytes(name);
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE;
    e->unresolved_attribute = a;
    return e;
}

/* SELECT CAST(value0 AS type0), … FROM query, whose columns get these names; types are messages, NULL for what stays as it is. */
static nb_status
cast_columns(nb_query *q, Sc__Relation *query, Sc__DataType *const *types, size_t n,
             Sc__Expression__Cast__EvalMode mode, Sc__Relation **out)
{
    Sc__Relation *named = NB_MESSAGE(q->arena, Sc__Relation, sc__relation);
    Sc__Relation *rel = NB_MESSAGE(q->arena, Sc__Relation, sc__relation);
    Sc__ToDF *to = NB_MESSAGE(q->arena, Sc__ToDF, sc__to_df);
    Sc__Project *p = NB_MESSAGE(q->arena, Sc__Project, sc__project);

    NB_NEED(named && rel && to && p);
    to->input = query;
    to->column_names = NB_ARENA_ARRAY(q->arena, ProtobufCBinaryData, n);
    p->expressions = NB_ARENA_ARRAY(q->arena, Sc__Expression *, n);
    NB_NEED(to->column_names && p->expressions);
    for (size_t i = 0; i < n; i++) {
        char *name = nb_arena_printf(q->arena, "value%zu", i);
        Sc__Expression *e, *cast = NB_MESSAGE(q->arena, Sc__Expression, sc__expression);
        NB_NEED(name && cast);
        to->column_names[i] = nb_pb_bytes(nb_str_of(name));
        e = column(q, nb_str_of(name));
        NB_NEED(e);
        if (types[i]) {
            Sc__Expression__Cast *c =
                NB_MESSAGE(q->arena, Sc__Expression__Cast, sc__expression__cast);
            NB_NEED(c);
            c->expr = e;
            c->cast_to_type_case = SC__EXPRESSION__CAST__CAST_TO_TYPE_TYPE;
            c->type = types[i];
            c->has_eval_mode = true;
            c->eval_mode = mode;
            cast->expr_type_case = SC__EXPRESSION__EXPR_TYPE_CAST;
            cast->cast = c;
            e = cast;
        }
        p->expressions[i] = e;
    }
    to->n_column_names = p->n_expressions = n;
    named->rel_type_case = SC__RELATION__REL_TYPE_TO_DF;
    named->to_df = to;
    p->input = named;
    rel->rel_type_case = SC__RELATION__REL_TYPE_PROJECT;
    rel->project = p;
    *out = rel;
    return NB_OK;
}

/* The query's one row, in the session's memory; no row at all is one of nulls, which nb_table_cell knows. */
static nb_status
run_row(nb_query *q, Sc__Relation *query, Sc__DataType *const *types, size_t n,
        Sc__Expression__Cast__EvalMode mode, nb_table **out, nb_error *err)
{
    Sc__Relation *rel;
    nb_table *table = NULL;
    nb_plan *plan;
    nb_status st;

    NB_TRY(cast_columns(q, query, types, n, mode, &rel));
    NB_TRY(nb_query_analyze(q, rel, &plan, err));
    NB_TRY(nb_query_run(q, plan, &table, err));
    st = table->n_rows > 1 ? nb_raise(err, NB_COND_ROW_SUBQUERY_TOO_MANY_ROWS, NULL)
                           : nb_query_keep_table(q, &table, err);
    if (st < 0) {
        nb_table_release(table);
        return st;
    }
    *out = table;
    return NB_OK;
}

nb_status
nb_variables_assign(nb_query *q, const nb_sql_name *names, Sc__Relation *query,
                    const nb_sql_name *defaults, nb_error *err)
{
    nb_catalog *catalog = q->session->catalog;
    Sc__DataType **types = NB_ARENA_ARRAY(q->arena, Sc__DataType *, names->n + 1);
    nb_table *row = NULL;
    nb_plan *plan;
    int at, n_columns = 0;
    nb_status st = NB_OK;

    NB_NEED(types);
    for (size_t i = 0; i < names->n; i++) {
        nb_table *old = nb_catalog_variable(catalog, names->parts[i], false, &at);
        if (!old) {
            return nb_raise(
                err, NB_COND_UNRESOLVED_VARIABLE, "variableName",
                nb_arena_printf(q->arena, "`%.*s`", (int)names->parts[i].len, names->parts[i].data),
                "searchPath", nb_search_path(q, 0), NULL);
        }
        types[i] = nb_type_to_proto(q->arena, old->schema->children[at].type);
        nb_table_release(old);
        NB_NEED(types[i]);
        for (size_t k = 0; k < i; k++) {
            if (nb_str_equal_nocase(names->parts[k], names->parts[i])) {
                return nb_raise(err, NB_COND_DUPLICATE_ASSIGNMENTS, "nameList",
                                nb_arena_printf(q->arena, "`%.*s`", (int)names->parts[i].len,
                                                names->parts[i].data),
                                NULL);
            }
        }
    }
    NB_TRY(nb_query_analyze(q, query, &plan, err));
    for (int i = 0; i < plan->n_attrs; i++) {
        n_columns += !plan->attrs[i].hidden;
    }
    if ((size_t)n_columns != names->n) {
        return nb_raise(err, NB_COND_ASSIGNMENT_ARITY_MISMATCH, "numTarget",
                        nb_arena_printf(q->arena, "%zu", names->n), "numExpr",
                        nb_arena_printf(q->arena, "%d", n_columns), NULL);
    }
    NB_TRY(run_row(q, query, types, names->n, AS_STORED, &row, err));
    for (size_t i = 0; i < names->n && st >= 0; i++) {
        nb_table *first;
        if (defaults && i < defaults->n && defaults->parts[i].data) {
            first = nb_catalog_variable(catalog, names->parts[i], true, &at);
            st = first ? nb_catalog_set_variable(catalog, names->parts[i], first, at, NULL) : NB_OK;
            nb_table_release(first);
        } else {
            st = nb_catalog_set_variable(catalog, names->parts[i], row, (int)i, NULL);
        }
    }
    nb_table_release(row);
    return st;
}

static nb_status
declare(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    nb_catalog *catalog = q->session->catalog;
    nb_table *row = NULL;
    nb_status st = NB_OK;
    int at;

    for (size_t i = 0; i < s->columns.n && !s->or_replace; i++) {
        nb_table *old = nb_catalog_variable(catalog, s->columns.parts[i], false, &at);
        if (old) {
            nb_table_release(old);
            return nb_raise(err, NB_COND_VARIABLE_ALREADY_EXISTS, "variableName",
                            shown_name(q, s->columns.parts[i]), NULL);
        }
    }
    NB_TRY(run_row(q, s->query, &(Sc__DataType *){s->schema}, 1, AS_CAST, &row, err));
    for (size_t i = 0; i < s->columns.n && st >= 0; i++) {
        st = nb_catalog_set_variable(catalog, s->columns.parts[i], row, 0, row);
    }
    nb_table_release(row);
    return st;
}

nb_status
nb_variable_statement(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    switch (s->kind) {
    case NB_SQL_DECLARE_VARIABLE: return declare(q, s, err);
    case NB_SQL_SET_VARIABLE:
        return nb_variables_assign(q, &s->columns, s->query, &s->column_comments, err);
    default:
        if (!nb_catalog_drop_variable(q->session->catalog, s->columns.parts[0]) && !s->if_exists) {
            return nb_raise(err, NB_COND_VARIABLE_NOT_FOUND, "variableName",
                            shown_name(q, s->columns.parts[0]), NULL);
        }
        return NB_OK;
    }
}

/* An argument that is a variable's name means the variable, whatever columns the text's query has. */
static nb_status
argument_value(nb_query *q, Sc__Expression *e, Sc__Expression **out)
{
    char *text;

    *out = e;
    if (e->expr_type_case != SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE ||
        memchr(e->unresolved_attribute->unparsed_identifier.data, '.',
               e->unresolved_attribute->unparsed_identifier.len)) {
        return NB_OK;
    }
    text = nb_arena_printf(q->arena, "system.session.%.*s",
                           (int)e->unresolved_attribute->unparsed_identifier.len,
                           (const char *)e->unresolved_attribute->unparsed_identifier.data);
    NB_NEED(text);
    *out = column(q, nb_str_of(text));
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status
put_arguments(nb_query *q, const nb_sql_statement *s, Sc__SQL *sql, nb_error *err)
{
    size_t n_named = 0;

    for (size_t i = 0; i < s->n_arguments; i++) {
        n_named += s->arguments[i]->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS;
    }
    if (n_named > 0 && n_named < s->n_arguments) {
        nb_strbuf list = {0};
        nb_status st;
        for (size_t i = 0; i < s->n_arguments; i++) {
            nb_str name;
            if (s->arguments[i]->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS) {
                continue;
            }
            st = nb_expression_name(q->analyzer, s->arguments[i], &name, err);
            if (st < 0) {
                nb_strbuf_free(&list);
                return st;
            }
            nb_strbuf_addf(&list, "%s\"%.*s\"", list.len ? ", " : "", (int)name.len, name.data);
        }
        st = list.failed ? NB_NOMEM
                         : nb_raise(err, NB_COND_ALL_PARAMETERS_MUST_BE_NAMED, "exprs",
                                    list.data ? list.data : "", NULL);
        nb_strbuf_free(&list);
        return st;
    }
    sql->pos_arguments = NB_ARENA_ARRAY(q->arena, Sc__Expression *, s->n_arguments + 1);
    sql->named_arguments =
        NB_ARENA_ARRAY(q->arena, Sc__SQL__NamedArgumentsEntry *, s->n_arguments + 1);
    NB_NEED(sql->pos_arguments && sql->named_arguments);
    for (size_t i = 0; i < s->n_arguments; i++) {
        Sc__SQL__NamedArgumentsEntry *entry;
        if (n_named == 0) {
            NB_TRY(argument_value(q, s->arguments[i], &sql->pos_arguments[i]));
            continue;
        }
        entry = NB_MESSAGE(q->arena, Sc__SQL__NamedArgumentsEntry, sc__sql__named_arguments_entry);
        NB_NEED(entry);
        entry->key = nb_arena_strdup(q->arena, nb_pb_str(s->arguments[i]->alias->name[0]));
        NB_NEED(entry->key);
        NB_TRY(argument_value(q, s->arguments[i]->alias->expr, &entry->value));
        sql->named_arguments[i] = entry;
    }
    sql->n_named_arguments = n_named;
    sql->n_pos_arguments = n_named ? 0 : s->n_arguments;
    return NB_OK;
}

nb_status
nb_execute_text(nb_query *q, const nb_sql_statement *s, Sc__SQL **out, nb_error *err)
{
    Sc__SQL *sql = NB_MESSAGE(q->arena, Sc__SQL, sc__sql);
    nb_table *row = NULL;
    nb_expr *cell = NULL;
    nb_status st;

    NB_NEED(sql);
    NB_TRY(run_row(q, s->query, &(Sc__DataType *){NULL}, 1, AS_CAST, &row, err));
    st = nb_table_cell(q->arena, row, 0, &cell);
    nb_table_release(row);
    NB_TRY(st);
    if (!nb_type_is_string(cell->type)) {
        return nb_raise(err, NB_COND_INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE, "exprType",
                        nb_arena_printf(q->arena, "\"%s\"", nb_type_sql(q->arena, cell->type)),
                        NULL);
    }
    if (nb_vector_is_null(cell->u.literal.value, 0)) {
        return nb_raise(err, NB_COND_NULL_QUERY_STRING_EXECUTE_IMMEDIATE, "varName", "`null`",
                        NULL);
    }
    sql->has_query = true;
    sql->query = nb_pb_bytes(nb_view_str(NB_DATA(nb_view, cell->u.literal.value)));
    NB_TRY(put_arguments(q, s, sql, err));
    *out = sql;
    return NB_OK;
}
