/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parser.c: the entry points: cut the text into tokens, parse, and see that nothing is left.
 */
#include "sql/parser.h"

#include "sql/parse_state.h"

#define FIRST_PLAN_ID ((int64_t)1 << 40)

static nb_status
start(nb_sql_parser *p, nb_arena *arena, nb_str text, const nb_sql_options *options, nb_error *err)
{
    *p = (nb_sql_parser){.arena = arena, .err = err, .options = options};
    p->next_plan_id = options && options->first_plan_id ? options->first_plan_id : FIRST_PLAN_ID;
    p->stack_base = (uintptr_t)__builtin_frame_address(0);
    return nb_sql_lex(arena, text, &p->tokens, err);
}

/* Is there nothing but white space? */
static bool
is_blank(nb_str text)
{
    return nb_str_trim(text).len == 0;
}

static nb_status
empty_statement(nb_str text, nb_error *err)
{
    nb_raise(err, NB_COND_PARSE_EMPTY_STATEMENT, NULL);
    nb_error_set_syntax_context(err, text.data ? text.data : "", text.len, 0);
    return NB_ERROR;
}

static nb_status
finish(nb_sql_parser *p)
{
    if (!nb_sql_is(p, NB_T_EOF)) {
        const nb_token *t = nb_sql_cur(p);
        nb_str text = nb_sql_token_text(p, t);
        char *hint = NULL;
        if (t->kind == NB_T_RPAREN || t->kind == NB_T_WORD || t->kind == NB_T_BACKQUOTED ||
            t->kind == NB_T_STRING || (t->kind >= NB_T_INTEGER && t->kind <= NB_T_BIGDECIMAL)) {
            hint = nb_arena_printf(p->arena, ": extra input '%.*s'", (int)text.len, text.data);
        }
        return nb_sql_syntax_error_at(p, p->pos, hint ? hint : "");
    }
    return NB_OK;
}

nb_status
nb_sql_parse_statement(nb_arena *arena, nb_str text, const nb_sql_options *options,
                       nb_sql_statement *out, nb_error *err)
{
    nb_sql_parser p;

    if (is_blank(text)) {
        return empty_statement(text, err);
    }
    NB_TRY(start(&p, arena, text, options, err));
    NB_TRY(nb_sql_parse_statement_at(&p, out));
    while (nb_sql_accept(&p, NB_T_SEMICOLON)) {
    }
    return finish(&p);
}

nb_status
nb_sql_parse_query(nb_arena *arena, nb_str text, Sc__Relation **out, nb_error *err)
{
    nb_sql_parser p;
    Sc__Relation *rel;

    if (is_blank(text)) {
        return empty_statement(text, err);
    }
    NB_TRY(start(&p, arena, text, NULL, err));
    NB_TRY(nb_sql_parse_query_at(&p, &rel));
    while (nb_sql_accept(&p, NB_T_SEMICOLON)) {
    }
    NB_TRY(finish(&p));
    nb_sql_set_text(&p, NULL, rel);
    *out = rel;
    return NB_OK;
}

nb_status
nb_sql_parse_expression(nb_arena *arena, nb_str text, Sc__Expression **out, nb_error *err)
{
    nb_sql_parser p;
    Sc__Expression *e;

    if (is_blank(text)) {
        return empty_statement(text, err);
    }
    NB_TRY(start(&p, arena, text, NULL, err));
    NB_TRY(nb_sql_parse_named_expr(&p, false, &e));
    NB_TRY(finish(&p));
    NB_TRY(nb_sql_check_windows(&p, 0));
    if (p.references.n) {
        return nb_raise_unsupported(err,
                                    "a subquery in an expression given as text outside of a query");
    }
    nb_sql_set_text(&p, e, NULL);
    *out = e;
    return NB_OK;
}

nb_status
nb_sql_parse_data_type(nb_arena *arena, nb_str text, Sc__DataType **out, nb_error *err)
{
    nb_sql_parser p;
    Sc__DataType *t;

    if (is_blank(text)) {
        return empty_statement(text, err);
    }
    NB_TRY(start(&p, arena, text, NULL, err));
    NB_TRY(nb_sql_parse_type(&p, &t));
    NB_TRY(finish(&p));
    *out = t;
    return NB_OK;
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

nb_status
nb_sql_parse_table_schema(nb_arena *arena, nb_str text, Sc__DataType **out, nb_error *err)
{
    nb_sql_parser p;
    Sc__DataType *t;

    NB_TRY(start(&p, arena, text, NULL, err));
    if (nb_sql_is(&p, NB_T_EOF)) { /* no columns */
        Sc__DataType__Struct *s = NB_SQL_NEW(&p, Sc__DataType__Struct, SC__DATA_TYPE__STRUCT__INIT);
        t = NB_SQL_NEW(&p, Sc__DataType, SC__DATA_TYPE__INIT);
        NB_SQL_NEED(s);
        NB_SQL_NEED(t);
        t->kind_case = SC__DATA_TYPE__KIND_STRUCT;
        t->struct_ = s;
    } else if (is_single_type(&p)) {
        NB_TRY(nb_sql_parse_type(&p, &t));
        if (t->kind_case != SC__DATA_TYPE__KIND_STRUCT) {
            Sc__DataType__Struct *s =
                NB_SQL_NEW(&p, Sc__DataType__Struct, SC__DATA_TYPE__STRUCT__INIT);
            Sc__DataType__StructField *f =
                NB_SQL_NEW(&p, Sc__DataType__StructField, SC__DATA_TYPE__STRUCT_FIELD__INIT);
            Sc__DataType *wrapped = NB_SQL_NEW(&p, Sc__DataType, SC__DATA_TYPE__INIT);
            NB_SQL_NEED(s);
            NB_SQL_NEED(f);
            NB_SQL_NEED(wrapped);
            f->has_name = f->has_nullable = f->nullable = true;
            f->name = nb_sql_bytes(NB_STR("value"));
            f->data_type = t;
            s->fields = NB_ARENA_ARRAY(arena, Sc__DataType__StructField *, 1);
            NB_SQL_NEED(s->fields);
            s->fields[0] = f;
            s->n_fields = 1;
            wrapped->kind_case = SC__DATA_TYPE__KIND_STRUCT;
            wrapped->struct_ = s;
            t = wrapped;
        }
    } else {
        NB_TRY(nb_sql_parse_columns(&p, &t));
    }
    NB_TRY(finish(&p));
    *out = t;
    return NB_OK;
}

nb_status
nb_sql_parse_identifier(nb_arena *arena, nb_str text, nb_str **parts_out, size_t *n_out,
                        nb_error *err)
{
    nb_sql_parser p;
    nb_names parts = {0};

    if (is_blank(text)) {
        return empty_statement(text, err);
    }
    NB_TRY(start(&p, arena, text, NULL, err));
    for (;;) {
        nb_str part;
        NB_TRY(nb_sql_parse_ident(&p, &part));
        NB_TRY(nb_names_push(&p, &parts, part));
        if (!nb_sql_accept(&p, NB_T_DOT)) {
            break;
        }
    }
    NB_TRY(finish(&p));
    *parts_out = parts.items;
    *n_out = parts.n;
    return NB_OK;
}
