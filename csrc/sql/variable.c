/* SPDX-License-Identifier: Apache-2.0 */
/*
 * variable.c: commands about the session's variables, and EXECUTE IMMEDIATE.
 *
 * Values come as a query of one row: `SET VAR a = x, b = y` is a projection of x and y, `SET VAR (a, b) = (query)` the query. Where DEFAULT
 * stands, column_comments has a text in that place.
 */
#include "sql/parse_state.h"

/* a, session.a, system.session.a: the last part goes to the list. */
static nb_status
variable_name(nb_sql_parser *p, nb_names *out)
{
    size_t start = p->pos;
    nb_names name = {0};
    bool session;

    NB_TRY(nb_sql_parse_multipart(p, &name));
    session = name.n == 1 ||
              (name.n == 2 && nb_str_equal_nocase(name.items[0], NB_STR("session"))) ||
              (name.n == 3 && nb_str_equal_nocase(name.items[0], NB_STR("system")) &&
               nb_str_equal_nocase(name.items[1], NB_STR("session")));
    if (!session) {
        const char *text = "";
        for (size_t i = 0; i < name.n && text; i++) {
            text = nb_arena_printf(p->arena, "%s%s`%.*s`", text, i ? "." : "",
                                   (int)name.items[i].len, name.items[i].data);
        }
        NB_SQL_NEED(text);
        nb_raise(p->later, NB_COND_UNRESOLVED_VARIABLE, "variableName", text, "searchPath",
                 "[`system`.`session`]", NULL);
        NB_TRY(nb_sql_error_here(p, start));
    }
    return nb_names_push(p, out, name.items[name.n - 1]);
}

/* A projection of these expressions without input, with what they ask of subqueries since mark. */
static nb_status
row_of(nb_sql_parser *p, size_t start, size_t mark, const nb_ptrs *values, Sc__Relation **out)
{
    nb_ptrs items = {0};

    for (size_t i = 0; i < values->n; i++) {
        char *text = nb_arena_printf(p->arena, "value%zu", i);
        nb_names name = {0};
        NB_SQL_NEED(text);
        NB_TRY(nb_names_push(p, &name, nb_str_of(text)));
        NB_TRY(nb_ptrs_push(p, &items, nb_sql_alias(p, start, values->items[i], &name)));
        NB_SQL_NEED(items.items[i]);
    }
    *out = nb_sql_project(p, start, NULL, &items);
    NB_SQL_NEED(*out);
    NB_TRY(nb_sql_wrap_references(p, start, mark, out));
    nb_sql_set_text(p, NULL, *out);
    return NB_OK;
}

nb_status
nb_sql_parse_declare(nb_sql_parser *p, nb_sql_statement *out)
{
    size_t start = p->pos, mark = p->references.n;
    nb_names names = {0};
    nb_ptrs value = {0};
    Sc__Expression *e;

    nb_sql_skip(p);
    out->kind = NB_SQL_DECLARE_VARIABLE;
    out->or_replace = nb_sql_accept_kw2(p, NB_KW_OR, NB_KW_REPLACE);
    if ((nb_sql_is_kw(p, NB_KW_VAR) || nb_sql_is_kw(p, NB_KW_VARIABLE)) &&
        nb_sql_is_name(nb_sql_ahead(p, 1))) {
        nb_sql_skip(p);
    }
    do {
        NB_TRY(variable_name(p, &names));
    } while (nb_sql_accept(p, NB_T_COMMA));
    NB_TRY(nb_names_copy(p, &names, &out->columns));
    if (!nb_sql_is(p, NB_T_EQ) && !nb_sql_is_kw(p, NB_KW_DEFAULT) &&
        !nb_sql_ends_item(nb_sql_cur(p))) {
        NB_TRY(nb_sql_parse_type(p, &out->schema));
    }
    if (nb_sql_accept(p, NB_T_EQ) || nb_sql_accept_kw(p, NB_KW_DEFAULT)) {
        NB_TRY(nb_sql_parse_expr(p, &e));
    } else {
        e = nb_sql_null(p);
        NB_SQL_NEED(e);
    }
    NB_TRY(nb_ptrs_push(p, &value, e));
    return row_of(p, start, mark, &value, &out->query);
}

nb_status
nb_sql_parse_set_variable(nb_sql_parser *p, nb_sql_statement *out)
{
    size_t start = p->pos, mark = p->references.n;
    nb_names names = {0}, defaults = {0};
    nb_ptrs values = {0};

    nb_sql_skip(p);
    out->kind = NB_SQL_SET_VARIABLE;
    if (nb_sql_accept(p, NB_T_LPAREN)) {
        do {
            NB_TRY(variable_name(p, &names));
        } while (nb_sql_accept(p, NB_T_COMMA));
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        NB_TRY(nb_sql_expect(p, NB_T_EQ));
        NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
        NB_TRY(nb_sql_parse_query_at(p, &out->query));
        nb_sql_set_text(p, NULL, out->query);
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        return nb_names_copy(p, &names, &out->columns);
    }
    do {
        Sc__Expression *e;
        bool plain;
        NB_TRY(variable_name(p, &names));
        NB_TRY(nb_sql_expect(p, NB_T_EQ));
        plain = nb_sql_is_kw(p, NB_KW_DEFAULT) && nb_sql_ends_item(nb_sql_ahead(p, 1));
        NB_TRY(nb_names_push(p, &defaults, plain ? NB_STR("DEFAULT") : (nb_str){NULL, 0}));
        if (plain) {
            nb_sql_skip(p);
            e = nb_sql_null(p);
            NB_SQL_NEED(e);
        } else {
            NB_TRY(nb_sql_parse_expr(p, &e));
        }
        NB_TRY(nb_ptrs_push(p, &values, e));
    } while (nb_sql_accept(p, NB_T_COMMA));
    NB_TRY(nb_names_copy(p, &names, &out->columns));
    NB_TRY(nb_names_copy(p, &defaults, &out->column_comments));
    return row_of(p, start, mark, &values, &out->query);
}

nb_status
nb_sql_parse_drop_variable(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_names name = {0};

    nb_sql_skip(p);
    out->kind = NB_SQL_DROP_VARIABLE;
    out->if_exists = nb_sql_accept_kw2(p, NB_KW_IF, NB_KW_EXISTS);
    NB_TRY(variable_name(p, &name));
    return nb_names_copy(p, &name, &out->columns);
}

nb_status
nb_sql_parse_execute(nb_sql_parser *p, nb_sql_statement *out)
{
    size_t start = p->pos, mark = p->references.n;
    nb_names names = {0};
    nb_ptrs text = {0}, arguments = {0};
    Sc__Expression *e;

    nb_sql_skip(p);
    NB_TRY(nb_sql_expect_kw(p, NB_KW_IMMEDIATE));
    out->kind = NB_SQL_EXECUTE_IMMEDIATE;
    NB_TRY(nb_sql_parse_expr(p, &e));
    NB_TRY(nb_ptrs_push(p, &text, e));
    NB_TRY(row_of(p, start, mark, &text, &out->query));
    if (nb_sql_accept_kw(p, NB_KW_INTO)) {
        do {
            NB_TRY(variable_name(p, &names));
        } while (nb_sql_accept(p, NB_T_COMMA));
        NB_TRY(nb_names_copy(p, &names, &out->columns));
    }
    if (nb_sql_accept_kw(p, NB_KW_USING)) {
        bool paren = nb_sql_accept(p, NB_T_LPAREN);
        NB_TRY(nb_sql_parse_named_expr_list(p, false, &arguments));
        if (paren) {
            NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        }
        out->arguments = (Sc__Expression **)arguments.items;
        out->n_arguments = arguments.n;
    }
    return NB_OK;
}
