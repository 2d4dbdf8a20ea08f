/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parser.c: the entry points: cut the text into tokens, parse, and see that nothing is left.
 */
#include "sql/parser.h"

#include "sql/parse_state.h"

#define FIRST_PLAN_ID ((int64_t)1 << 40)

static nb_status
start(nb_sql_parser *p, nb_arena *arena, nb_str text, const nb_sql_options *options, nb_error *err,
      nb_error *later)
{
    *p = (nb_sql_parser){.arena = arena, .err = err, .later = later, .options = options};
    p->next_plan_id = options && options->first_plan_id ? options->first_plan_id : FIRST_PLAN_ID;
    nb_sql_measure_stack(p);
    if (nb_str_trim(text).len == 0) {
        nb_raise(err, NB_COND_PARSE_EMPTY_STATEMENT, NULL);
        nb_error_set_syntax_context(err, text.data ? text.data : "", text.len, 0);
        return NB_ERROR;
    }
    return nb_sql_lex(arena, text, &p->tokens, err);
}

/* Is everything read? */
static nb_status
expect_end(nb_sql_parser *p)
{
    const nb_token *t = nb_sql_cur(p);
    nb_str text = nb_sql_token_text(p, t);
    char *hint = NULL;

    if (t->kind == NB_T_EOF) {
        return NB_OK;
    }
    if (t->kind == NB_T_RPAREN || nb_sql_is_name(t) ||
        (t->kind >= NB_T_STRING && t->kind <= NB_T_BIGDECIMAL)) {
        hint = nb_arena_printf(p->arena, ": extra input '%.*s'", (int)text.len, text.data);
    }
    return nb_sql_syntax_error_at(p, p->pos, hint ? hint : "");
}

static nb_status
expect_end_of_statement(nb_sql_parser *p)
{
    while (nb_sql_accept(p, NB_T_SEMICOLON)) {
    }
    return expect_end(p);
}

/* A fault of meaning counts once the form is known to be right. */
static nb_status
settle(nb_sql_parser *p, nb_status st)
{
    if (st >= 0 && p->later->set) {
        nb_error_move(p->later, p->err);
        return NB_ERROR;
    }
    nb_error_clear(p->later);
    return st;
}

static nb_status
statement(nb_sql_parser *p, nb_sql_statement *out)
{
    NB_TRY(nb_sql_parse_statement_at(p, out));
    return expect_end_of_statement(p);
}

nb_status
nb_sql_parse_statement(nb_arena *arena, nb_str text, const nb_sql_options *options,
                       nb_sql_statement *out, nb_error *err)
{
    nb_error later = NB_ERROR_INIT;
    nb_sql_parser p;

    NB_TRY(start(&p, arena, text, options, err, &later));
    return settle(&p, statement(&p, out));
}

static nb_status
query(nb_sql_parser *p, Sc__Relation **out)
{
    Sc__Relation *rel;

    NB_TRY(nb_sql_parse_query_at(p, &rel));
    NB_TRY(expect_end_of_statement(p));
    nb_sql_set_text(p, NULL, rel);
    *out = rel;
    return NB_OK;
}

nb_status
nb_sql_parse_query(nb_arena *arena, nb_str text, Sc__Relation **out, nb_error *err)
{
    nb_error later = NB_ERROR_INIT;
    nb_sql_parser p;

    NB_TRY(start(&p, arena, text, NULL, err, &later));
    return settle(&p, query(&p, out));
}

static nb_status
expression(nb_sql_parser *p, Sc__Expression **out)
{
    Sc__Expression *e;

    NB_TRY(nb_sql_parse_named_expr(p, false, &e));
    NB_TRY(expect_end(p));
    NB_TRY(nb_sql_check_windows(p, 0));
    if (p->references.n) {
        return nb_raise_unsupported(p->err,
                                    "a subquery in an expression given as text outside of a query");
    }
    nb_sql_set_text(p, e, NULL);
    *out = e;
    return NB_OK;
}

nb_status
nb_sql_parse_expression(nb_arena *arena, nb_str text, Sc__Expression **out, nb_error *err)
{
    nb_error later = NB_ERROR_INIT;
    nb_sql_parser p;

    NB_TRY(start(&p, arena, text, NULL, err, &later));
    return settle(&p, expression(&p, out));
}

static nb_status
data_type(nb_sql_parser *p, Sc__DataType **out)
{
    NB_TRY(nb_sql_parse_type(p, out));
    return expect_end(p);
}

nb_status
nb_sql_parse_data_type(nb_arena *arena, nb_str text, Sc__DataType **out, nb_error *err)
{
    nb_error later = NB_ERROR_INIT;
    nb_sql_parser p;

    NB_TRY(start(&p, arena, text, NULL, err, &later));
    return settle(&p, data_type(&p, out));
}

/* Is the whole text one type? Told by shape, not by trying: a lone word, or a word whose "<…>" or "(…)" ends the text. */
static bool
is_single_type(const nb_sql_parser *p)
{
    const nb_token *second = nb_sql_ahead(p, 1);

    if (second->kind == NB_T_EOF || second->kind == NB_T_LT || second->kind == NB_T_LPAREN ||
        second->kind == NB_T_NEQ) {
        return true;
    }
    return nb_sql_is_kw(p, NB_KW_INTERVAL) && second->kind == NB_T_WORD &&
           (nb_sql_ahead(p, 2)->kind == NB_T_EOF || nb_sql_ahead_is_kw(p, 2, NB_KW_TO));
}

/* struct<fields>; f NULL: without fields */
static Sc__DataType *
struct_of(nb_sql_parser *p, Sc__DataType__StructField *f)
{
    Sc__DataType *t = NB_SQL_NEW(p, Sc__DataType, SC__DATA_TYPE__INIT);
    Sc__DataType__Struct *s = NB_SQL_NEW(p, Sc__DataType__Struct, SC__DATA_TYPE__STRUCT__INIT);

    if (!t || !s || !(s->fields = NB_ARENA_ARRAY(p->arena, Sc__DataType__StructField *, 1))) {
        return NULL;
    }
    s->fields[0] = f;
    s->n_fields = f ? 1 : 0;
    t->kind_case = SC__DATA_TYPE__KIND_STRUCT;
    t->struct_ = s;
    return t;
}

static nb_status
table_schema(nb_sql_parser *p, Sc__DataType **out)
{
    if (!is_single_type(p)) {
        NB_TRY(nb_sql_parse_columns(p, out));
        return expect_end(p);
    }
    NB_TRY(data_type(p, out));
    if ((*out)->kind_case != SC__DATA_TYPE__KIND_STRUCT) {
        Sc__DataType__StructField *f =
            NB_SQL_NEW(p, Sc__DataType__StructField, SC__DATA_TYPE__STRUCT_FIELD__INIT);
        NB_SQL_NEED(f);
        f->has_name = f->has_nullable = f->nullable = true;
        f->name = nb_sql_bytes(NB_STR("value"));
        f->data_type = *out;
        *out = struct_of(p, f);
        NB_SQL_NEED(*out);
    }
    return NB_OK;
}

nb_status
nb_sql_parse_table_schema(nb_arena *arena, nb_str text, Sc__DataType **out, nb_error *err)
{
    nb_error later = NB_ERROR_INIT;
    nb_sql_parser p;

    if (nb_str_trim(text).len == 0) { /* no columns */
        p = (nb_sql_parser){.arena = arena};
        *out = struct_of(&p, NULL);
        NB_SQL_NEED(*out);
        return NB_OK;
    }
    NB_TRY(start(&p, arena, text, NULL, err, &later));
    return settle(&p, table_schema(&p, out));
}

static nb_status
identifier(nb_sql_parser *p, nb_names *parts)
{
    do {
        nb_str part;
        NB_TRY(nb_sql_parse_ident(p, &part));
        NB_TRY(nb_names_push(p, parts, part));
    } while (nb_sql_accept(p, NB_T_DOT));
    return expect_end(p);
}

nb_status
nb_sql_parse_identifier(nb_arena *arena, nb_str text, nb_str **parts_out, size_t *n_out,
                        nb_error *err)
{
    nb_error later = NB_ERROR_INIT;
    nb_sql_parser p;
    nb_names parts = {0};
    nb_status st;

    NB_TRY(start(&p, arena, text, NULL, err, &later));
    st = settle(&p, identifier(&p, &parts));
    if (st >= 0) {
        *parts_out = parts.items;
        *n_out = parts.n;
    }
    return st;
}
