/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.c: commands. SET and RESET take raw text, as in Spark; all others are words and names.
 */
#include "sql/parse_state.h"

#define MAX_INSERTS 64 /* of one FROM */

static nb_status
statement_name(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_names name = {0};

    NB_TRY(nb_sql_parse_multipart(p, &name));
    return nb_names_copy(p, &name, &out->name);
}

static bool
accept_if_not_exists(nb_sql_parser *p)
{
    if (nb_sql_is_kw(p, NB_KW_IF) && nb_sql_ahead_is_kw(p, 1, NB_KW_NOT) &&
        nb_sql_ahead_is_kw(p, 2, NB_KW_EXISTS)) {
        p->pos += 3;
        return true;
    }
    return false;
}

static bool
accept_if_exists(nb_sql_parser *p)
{
    return nb_sql_accept_kw2(p, NB_KW_IF, NB_KW_EXISTS);
}

static bool
accept_database(nb_sql_parser *p)
{
    return nb_sql_accept_kw(p, NB_KW_DATABASE) || nb_sql_accept_kw(p, NB_KW_SCHEMA) ||
           nb_sql_accept_kw(p, NB_KW_NAMESPACE);
}

static bool
at_end(const nb_sql_parser *p)
{
    return nb_sql_is(p, NB_T_EOF) || nb_sql_is(p, NB_T_SEMICOLON);
}

nb_status
nb_sql_parse_properties(nb_sql_parser *p, nb_sql_property **out, size_t *n_out)
{
    nb_sql_property *items = NULL;
    size_t n = 0, cap = 0;

    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    do {
        nb_sql_property prop;
        if (n == cap) {
            nb_sql_property *bigger = NB_ARENA_ARRAY(p->arena, nb_sql_property, cap ? cap * 2 : 8);
            NB_SQL_NEED(bigger);
            if (n) {
                memcpy(bigger, items, n * sizeof *items);
            }
            items = bigger;
            cap = cap ? cap * 2 : 8;
        }
        if (nb_sql_is(p, NB_T_STRING)) {
            NB_TRY(nb_sql_unquote_string(p, nb_sql_cur(p), &prop.key));
            nb_sql_skip(p);
        } else {
            nb_names parts = {0};
            char *at;
            size_t len = 0;
            NB_TRY(nb_sql_parse_multipart(p, &parts));
            for (size_t i = 0; i < parts.n; i++) {
                len += parts.items[i].len + 1;
            }
            at = nb_arena_alloc(p->arena, len);
            NB_SQL_NEED(at);
            prop.key = (nb_str){at, len - 1};
            for (size_t i = 0; i < parts.n; i++) {
                memcpy(at, parts.items[i].data, parts.items[i].len);
                at += parts.items[i].len;
                *at++ = '.';
            }
        }
        nb_sql_accept(p, NB_T_EQ);
        prop.value = NB_STR("");
        if (nb_sql_is(p, NB_T_STRING)) {
            NB_TRY(nb_sql_parse_string(p, &prop.value));
        } else if (!nb_sql_ends_item(nb_sql_cur(p))) {
            const nb_token *first = nb_sql_cur(p);
            nb_sql_accept(p, NB_T_MINUS);
            prop.value = (nb_str){p->tokens.text.data + first->start,
                                  nb_sql_cur(p)->start + nb_sql_cur(p)->len - first->start};
            nb_sql_skip(p);
        }
        items[n++] = prop;
    } while (nb_sql_accept(p, NB_T_COMMA));
    *out = items;
    *n_out = n;
    return nb_sql_expect(p, NB_T_RPAREN);
}

/* --- SET, RESET ---------------------------------------------------------------------------------- */

/* The text from the current token to the end, without trailing semicolons and space. */
static nb_str
rest_of_text(nb_sql_parser *p)
{
    nb_str text = p->tokens.text;
    size_t from = nb_sql_cur(p)->start;
    nb_str rest = nb_str_trim((nb_str){text.data + from, text.len - from});

    while (rest.len && rest.data[rest.len - 1] == ';') {
        rest.len--;
        rest = nb_str_trim(rest);
    }
    p->pos = p->tokens.n - 1;
    return rest;
}

/* A key in back quotes without them. */
static nb_str
config_key(nb_str s)
{
    s = nb_str_trim(s);
    if (s.len >= 2 && s.data[0] == '`' && s.data[s.len - 1] == '`') {
        return (nb_str){s.data + 1, s.len - 2};
    }
    return s;
}

static nb_status
parse_set(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_str rest;
    const char *eq;

    nb_sql_skip(p);
    if (nb_sql_is_kw(p, NB_KW_TIME) && nb_sql_ahead_is_kw(p, 1, NB_KW_ZONE)) {
        out->kind = NB_SQL_SET_TIME_ZONE;
        nb_sql_skip(p);
        nb_sql_skip(p);
        if (nb_sql_accept_kw(p, NB_KW_LOCAL)) {
            return NB_OK;
        }
        if (nb_sql_is(p, NB_T_STRING)) {
            return nb_sql_parse_string(p, &out->value);
        }
        if (nb_sql_is_kw(p, NB_KW_INTERVAL) && nb_sql_at_interval(p)) {
            Sc__Expression *e;
            int64_t seconds;
            NB_TRY(nb_sql_parse_interval(p, &e));
            if (e->literal->literal_type_case ==
                SC__EXPRESSION__LITERAL__LITERAL_TYPE_DAY_TIME_INTERVAL) {
                char *text;
                seconds = e->literal->day_time_interval / 1000000;
                if (seconds >= -18 * 3600 && seconds <= 18 * 3600) {
                    int64_t a = seconds < 0 ? -seconds : seconds;
                    text = nb_arena_printf(p->arena, "%c%02d:%02d:%02d", seconds < 0 ? '-' : '+',
                                           (int)(a / 3600), (int)(a / 60 % 60), (int)(a % 60));
                    NB_SQL_NEED(text);
                    out->value = nb_str_of(text);
                    return NB_OK;
                }
            }
        }
        return nb_sql_syntax_error(p);
    }
    if (nb_sql_is_kw(p, NB_KW_VAR) || nb_sql_is_kw(p, NB_KW_VARIABLE)) {
        return nb_sql_parse_set_variable(p, out);
    }
    if (nb_sql_is_kw(p, NB_KW_CATALOG)) {
        return nb_raise_unsupported(p->err, "SET CATALOG");
    }
    out->kind = NB_SQL_SET;
    rest = rest_of_text(p);
    if (rest.len == 0) {
        return NB_OK;
    }
    if (nb_str_equal(rest, NB_STR("-v"))) {
        out->verbose = true;
        return NB_OK;
    }
    eq = memchr(rest.data, '=', rest.len);
    if (!eq) {
        out->key = config_key(rest);
        return NB_OK;
    }
    out->key = config_key((nb_str){rest.data, (size_t)(eq - rest.data)});
    out->value = config_key((nb_str){eq + 1, rest.len - (size_t)(eq + 1 - rest.data)});
    for (size_t i = 0; i < out->key.len && rest.data[0] != '`'; i++) {
        char c = out->key.data[i];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            nb_raise(p->later, NB_COND_INVALID_SET_SYNTAX, NULL);
            return nb_sql_error_at(p, 0, 0);
        }
    }
    return NB_OK;
}

/* --- CREATE, DROP --------------------------------------------------------------------------------- */

/* (a COMMENT 'x', b) */
static nb_status
parse_view_columns(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_names names = {0}, comments = {0};

    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    do {
        nb_str name, comment = {NULL, 0};
        NB_TRY(nb_sql_parse_ident_no_dash(p, &name));
        if (nb_sql_accept_kw(p, NB_KW_COMMENT)) {
            NB_TRY(nb_sql_parse_string(p, &comment));
        }
        NB_TRY(nb_names_push(p, &names, name));
        NB_TRY(nb_names_push(p, &comments, comment));
    } while (nb_sql_accept(p, NB_T_COMMA));
    NB_TRY(nb_names_copy(p, &names, &out->columns));
    NB_TRY(nb_names_copy(p, &comments, &out->column_comments));
    return nb_sql_expect(p, NB_T_RPAREN);
}

static nb_status
parse_query_of(nb_sql_parser *p, nb_sql_statement *out)
{
    NB_TRY(nb_sql_parse_query_at(p, &out->query));
    nb_sql_set_text(p, NULL, out->query);
    return NB_OK;
}

static nb_status
parse_provider(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_names parts = {0};

    NB_TRY(nb_sql_parse_multipart(p, &parts));
    out->provider = nb_sql_quote(p->arena, parts.items, parts.n);
    NB_SQL_NEED(out->provider.data);
    return NB_OK;
}

static nb_status
parse_create_view(nb_sql_parser *p, nb_sql_statement *out)
{
    out->kind = NB_SQL_CREATE_VIEW;
    out->if_not_exists = accept_if_not_exists(p);
    NB_TRY(statement_name(p, out));
    if (nb_sql_is(p, NB_T_LPAREN)) {
        const nb_token *second = nb_sql_ahead(p, 2);
        if (second->kind == NB_T_COMMA || second->kind == NB_T_RPAREN ||
            (second->kind == NB_T_WORD && second->kw == NB_KW_COMMENT)) {
            NB_TRY(parse_view_columns(p, out));
        } else {
            size_t open = p->pos;
            nb_sql_skip(p);
            NB_TRY(nb_sql_parse_columns(p, &out->schema));
            out->schema_text.data = p->tokens.text.data + p->tokens.items[open + 1].start;
            out->schema_text.len = nb_sql_cur(p)->start - p->tokens.items[open + 1].start;
            NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        }
    }
    if (out->temporary && nb_sql_accept_kw(p, NB_KW_USING)) {
        out->kind = NB_SQL_CREATE_VIEW_USING;
        NB_TRY(parse_provider(p, out));
        return nb_sql_accept_kw(p, NB_KW_OPTIONS)
                   ? nb_sql_parse_properties(p, &out->options, &out->n_options)
                   : NB_OK;
    }
    for (;;) {
        if (nb_sql_accept_kw(p, NB_KW_COMMENT)) {
            NB_TRY(nb_sql_parse_string(p, &out->comment));
        } else if (nb_sql_accept_kw(p, NB_KW_TBLPROPERTIES)) {
            NB_TRY(nb_sql_parse_properties(p, &out->properties, &out->n_properties));
        } else {
            break;
        }
    }
    NB_TRY(nb_sql_expect_kw(p, NB_KW_AS));
    if (out->schema) {
        return nb_sql_syntax_error(p);
    }
    return parse_query_of(p, out);
}

/* CREATE TABLE t LIKE s [USING p] [LOCATION '…'] [TBLPROPERTIES (…)] */
static nb_status
parse_create_like(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_names name = {0};

    out->kind = NB_SQL_CREATE_TABLE_LIKE;
    NB_TRY(nb_sql_parse_multipart(p, &name));
    NB_TRY(nb_names_copy(p, &name, &out->columns));
    for (;;) {
        if (!out->provider.data && nb_sql_accept_kw(p, NB_KW_USING)) {
            NB_TRY(parse_provider(p, out));
        } else if (nb_sql_accept_kw(p, NB_KW_TBLPROPERTIES)) {
            NB_TRY(nb_sql_parse_properties(p, &out->properties, &out->n_properties));
        } else if (nb_sql_accept_kw(p, NB_KW_LOCATION)) {
            NB_TRY(nb_sql_parse_string(p, &out->location));
        } else {
            return NB_OK;
        }
    }
}

/* CREATE TABLE t [(columns)] [USING p] clauses [[AS] query] */
static nb_status
parse_create_table(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_names partitioning = {0};

    out->kind = NB_SQL_CREATE_TABLE;
    out->if_not_exists = accept_if_not_exists(p);
    NB_TRY(statement_name(p, out));
    if (!out->or_replace && nb_sql_accept_kw(p, NB_KW_LIKE)) {
        return parse_create_like(p, out);
    }
    if (nb_sql_is(p, NB_T_LPAREN) && !nb_sql_cur(p)->is_query) {
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_columns(p, &out->schema));
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    }
    for (;;) {
        if (!out->provider.data && nb_sql_accept_kw(p, NB_KW_USING)) {
            NB_TRY(parse_provider(p, out));
        } else if (nb_sql_accept_kw(p, NB_KW_OPTIONS)) {
            NB_TRY(nb_sql_parse_properties(p, &out->options, &out->n_options));
        } else if (nb_sql_accept_kw(p, NB_KW_TBLPROPERTIES)) {
            NB_TRY(nb_sql_parse_properties(p, &out->properties, &out->n_properties));
        } else if (nb_sql_accept_kw(p, NB_KW_LOCATION)) {
            NB_TRY(nb_sql_parse_string(p, &out->location));
        } else if (nb_sql_accept_kw(p, NB_KW_COMMENT)) {
            NB_TRY(nb_sql_parse_string(p, &out->comment));
        } else if (nb_sql_accept_kw2(p, NB_KW_PARTITIONED, NB_KW_BY)) {
            NB_TRY(nb_sql_parse_ident_list(p, &partitioning));
            NB_TRY(nb_names_copy(p, &partitioning, &out->partitioning));
        } else if (nb_sql_accept_kw2(p, NB_KW_STORED, NB_KW_AS)) {
            NB_TRY(parse_provider(p, out));
        } else {
            break;
        }
    }
    if (nb_sql_accept_kw(p, NB_KW_AS) || nb_sql_at_query(p)) {
        return parse_query_of(p, out);
    }
    return NB_OK;
}

static nb_status
parse_create_database(nb_sql_parser *p, nb_sql_statement *out)
{
    out->kind = NB_SQL_CREATE_DATABASE;
    out->if_not_exists = accept_if_not_exists(p);
    NB_TRY(statement_name(p, out));
    for (;;) {
        if (nb_sql_accept_kw(p, NB_KW_COMMENT)) {
            NB_TRY(nb_sql_parse_string(p, &out->comment));
        } else if (nb_sql_accept_kw(p, NB_KW_LOCATION)) {
            NB_TRY(nb_sql_parse_string(p, &out->location));
        } else if (nb_sql_accept_kw2(p, NB_KW_WITH, NB_KW_DBPROPERTIES) ||
                   nb_sql_accept_kw2(p, NB_KW_WITH, NB_KW_PROPERTIES)) {
            NB_TRY(nb_sql_parse_properties(p, &out->properties, &out->n_properties));
        } else {
            return NB_OK;
        }
    }
}

/* Reads a command's words to the end; nothing of it is checked. */
static nb_status
other(nb_sql_parser *p, nb_sql_statement *out)
{
    const nb_token *t = nb_sql_cur(p), *next = nb_sql_ahead(p, 1);
    const nb_token *last = next->kind == NB_T_WORD ? next : t;

    out->kind = NB_SQL_OTHER;
    out->value = (nb_str){p->tokens.text.data + t->start, last->start + last->len - t->start};
    p->pos = p->tokens.n - 1;
    return NB_OK;
}

static nb_status
parse_create(nb_sql_parser *p, nb_sql_statement *out)
{
    size_t first = p->pos;

    nb_sql_skip(p);
    out->or_replace = nb_sql_accept_kw2(p, NB_KW_OR, NB_KW_REPLACE);
    out->global = nb_sql_accept_kw(p, NB_KW_GLOBAL);
    out->temporary = nb_sql_accept_kw(p, NB_KW_TEMPORARY);
    if (nb_sql_accept_kw(p, NB_KW_VIEW)) {
        return parse_create_view(p, out);
    }
    if (!out->temporary && !out->global && nb_sql_accept_kw(p, NB_KW_TABLE)) {
        return parse_create_table(p, out);
    }
    if (!out->or_replace && !out->temporary && !out->global && accept_database(p)) {
        return parse_create_database(p, out);
    }
    if (nb_sql_is_kw(p, NB_KW_FUNCTION) || nb_sql_is_kw(p, NB_KW_TABLE) ||
        nb_sql_is_kw(p, NB_KW_EXTERNAL) || nb_sql_is_kw(p, NB_KW_INDEX)) {
        p->pos = first;
        return other(p, out);
    }
    return nb_sql_syntax_error(p);
}

static nb_status
parse_drop(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_sql_skip(p);
    if (nb_sql_accept_kw(p, NB_KW_VIEW)) {
        out->kind = NB_SQL_DROP_VIEW;
        out->if_exists = accept_if_exists(p);
        return statement_name(p, out);
    }
    if (nb_sql_accept_kw(p, NB_KW_TABLE)) {
        out->kind = NB_SQL_DROP_TABLE;
        out->if_exists = accept_if_exists(p);
        NB_TRY(statement_name(p, out));
        out->purge = nb_sql_accept_kw(p, NB_KW_PURGE);
        return NB_OK;
    }
    if (accept_database(p)) {
        out->kind = NB_SQL_DROP_DATABASE;
        out->if_exists = accept_if_exists(p);
        NB_TRY(statement_name(p, out));
        out->cascade = nb_sql_accept_kw(p, NB_KW_CASCADE);
        if (!out->cascade) {
            nb_sql_accept_kw(p, NB_KW_RESTRICT);
        }
        return NB_OK;
    }
    if (nb_sql_is_kw(p, NB_KW_TEMPORARY) &&
        (nb_sql_ahead_is_kw(p, 1, NB_KW_VARIABLE) || nb_sql_ahead_is_kw(p, 1, NB_KW_VAR))) {
        nb_sql_skip(p);
        return nb_sql_parse_drop_variable(p, out);
    }
    if (nb_sql_is_kw(p, NB_KW_FUNCTION) || nb_sql_is_kw(p, NB_KW_TEMPORARY) ||
        nb_sql_is_kw(p, NB_KW_INDEX)) {
        p->pos--;
        return other(p, out);
    }
    return nb_sql_syntax_error(p);
}

/* --- SHOW, DESCRIBE -------------------------------------------------------------------------------- */

/* [LIKE] 'pattern' */
static nb_status
parse_pattern(nb_sql_parser *p, nb_sql_statement *out)
{
    bool like = nb_sql_accept_kw(p, NB_KW_LIKE);

    if (nb_sql_is(p, NB_T_STRING)) {
        return nb_sql_parse_string(p, &out->pattern);
    }
    return like ? nb_sql_syntax_error(p) : NB_OK;
}

/* [FROM | IN namespace] [[LIKE] 'pattern'] */
static nb_status
parse_in_namespace(nb_sql_parser *p, nb_sql_statement *out)
{
    if (nb_sql_accept_kw(p, NB_KW_FROM) || nb_sql_accept_kw(p, NB_KW_IN)) {
        NB_TRY(statement_name(p, out));
    }
    return parse_pattern(p, out);
}

static nb_status
parse_show_functions(nb_sql_parser *p, nb_sql_statement *out)
{
    out->kind = NB_SQL_SHOW_FUNCTIONS;
    if (!nb_sql_is_kw(p, NB_KW_FUNCTIONS)) {
        out->value = nb_sql_token_text(p, nb_sql_cur(p));
        nb_sql_skip(p);
    }
    nb_sql_skip(p);
    if (nb_sql_accept_kw(p, NB_KW_FROM) || nb_sql_accept_kw(p, NB_KW_IN)) {
        NB_TRY(statement_name(p, out));
    }
    nb_sql_accept_kw(p, NB_KW_LIKE);
    if (nb_sql_is(p, NB_T_STRING)) {
        return nb_sql_parse_string(p, &out->pattern);
    }
    if (nb_sql_is_name(nb_sql_cur(p))) {
        nb_names parts = {0};
        NB_TRY(nb_sql_parse_multipart(p, &parts));
        out->pattern = nb_sql_quote(p->arena, parts.items, parts.n);
        NB_SQL_NEED(out->pattern.data);
    }
    return NB_OK;
}

static nb_status
parse_show(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_sql_skip(p);
    switch (nb_sql_is(p, NB_T_WORD) ? (nb_keyword)nb_sql_cur(p)->kw : NB_NOT_KEYWORD) {
    case NB_KW_TABLES:
        nb_sql_skip(p);
        out->kind = NB_SQL_SHOW_TABLES;
        return parse_in_namespace(p, out);
    case NB_KW_VIEWS:
        nb_sql_skip(p);
        out->kind = NB_SQL_SHOW_VIEWS;
        return parse_in_namespace(p, out);
    case NB_KW_DATABASES:
    case NB_KW_SCHEMAS:
    case NB_KW_NAMESPACES:
        nb_sql_skip(p);
        out->kind = NB_SQL_SHOW_DATABASES;
        return parse_in_namespace(p, out);
    case NB_KW_CATALOGS:
        nb_sql_skip(p);
        out->kind = NB_SQL_SHOW_CATALOGS;
        return parse_pattern(p, out);
    case NB_KW_COLUMNS:
        nb_sql_skip(p);
        out->kind = NB_SQL_SHOW_COLUMNS;
        if (!nb_sql_accept_kw(p, NB_KW_FROM) && !nb_sql_accept_kw(p, NB_KW_IN)) {
            return nb_sql_syntax_error(p);
        }
        NB_TRY(statement_name(p, out));
        if (nb_sql_accept_kw(p, NB_KW_FROM) || nb_sql_accept_kw(p, NB_KW_IN)) {
            nb_names ns = {0};
            NB_TRY(nb_sql_parse_multipart(p, &ns));
            NB_TRY(nb_names_push(p, &ns, out->name.parts[out->name.n - 1]));
            NB_TRY(nb_names_copy(p, &ns, &out->name));
        }
        return NB_OK;
    case NB_KW_CURRENT:
        nb_sql_skip(p);
        out->kind = NB_SQL_SHOW_CURRENT;
        return accept_database(p) ? NB_OK : nb_sql_syntax_error(p);
    case NB_KW_PARTITIONS:
        nb_sql_skip(p);
        out->kind = NB_SQL_SHOW_PARTITIONS;
        NB_TRY(statement_name(p, out));
        return nb_sql_accept_kw(p, NB_KW_PARTITION) ? nb_sql_parse_partition(p, out) : NB_OK;
    case NB_KW_TBLPROPERTIES:
        nb_sql_skip(p);
        out->kind = NB_SQL_SHOW_TBLPROPERTIES;
        NB_TRY(statement_name(p, out));
        if (nb_sql_accept(p, NB_T_LPAREN)) {
            if (nb_sql_is(p, NB_T_STRING)) {
                NB_TRY(nb_sql_parse_string(p, &out->key));
            } else {
                nb_names parts = {0};
                NB_TRY(nb_sql_parse_multipart(p, &parts));
                out->key = nb_sql_quote(p->arena, parts.items, parts.n);
            }
            return nb_sql_expect(p, NB_T_RPAREN);
        }
        return NB_OK;
    case NB_KW_CREATE:
        nb_sql_skip(p);
        NB_TRY(nb_sql_expect_kw(p, NB_KW_TABLE));
        out->kind = NB_SQL_SHOW_CREATE_TABLE;
        return statement_name(p, out);
    case NB_KW_FUNCTIONS: return parse_show_functions(p, out);
    case NB_KW_TABLE: p->pos--; return other(p, out);
    default:
        if (nb_sql_is(p, NB_T_WORD) && nb_sql_ahead_is_kw(p, 1, NB_KW_FUNCTIONS)) {
            return parse_show_functions(p, out);
        }
        if (nb_sql_is(p, NB_T_WORD)) {
            return nb_sql_syntax_error_at(p, p->pos + 1, ": missing 'FUNCTIONS'");
        }
        return nb_sql_syntax_error(p);
    }
}

/* The name of a function may also be an operator: DESCRIBE FUNCTION + */
static nb_status
parse_function_name(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_names name = {0};
    nb_str text;

    if (nb_sql_is_name(nb_sql_cur(p))) {
        return statement_name(p, out);
    }
    if (at_end(p)) {
        return nb_sql_syntax_error(p);
    }
    if (nb_sql_is(p, NB_T_STRING)) {
        NB_TRY(nb_sql_parse_string(p, &text));
    } else {
        text = nb_sql_token_text(p, nb_sql_cur(p));
        nb_sql_skip(p);
    }
    NB_TRY(nb_names_push(p, &name, text));
    return nb_names_copy(p, &name, &out->name);
}

static nb_status
parse_describe(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_sql_skip(p);
    if (at_end(p)) {
        return nb_sql_syntax_error(p);
    }
    if (nb_sql_is_kw(p, NB_KW_FUNCTION) && !nb_sql_ends_item(nb_sql_ahead(p, 1))) {
        nb_sql_skip(p);
        out->kind = NB_SQL_DESCRIBE_FUNCTION;
        out->extended = nb_sql_is_kw(p, NB_KW_EXTENDED) && !nb_sql_ends_item(nb_sql_ahead(p, 1)) &&
                        nb_sql_accept_kw(p, NB_KW_EXTENDED);
        return parse_function_name(p, out);
    }
    if ((nb_sql_is_kw(p, NB_KW_DATABASE) || nb_sql_is_kw(p, NB_KW_SCHEMA) ||
         nb_sql_is_kw(p, NB_KW_NAMESPACE)) &&
        nb_sql_is_name(nb_sql_ahead(p, 1))) {
        nb_sql_skip(p);
        out->kind = NB_SQL_DESCRIBE_DATABASE;
        out->extended = nb_sql_is_kw(p, NB_KW_EXTENDED) && nb_sql_is_name(nb_sql_ahead(p, 1)) &&
                        nb_sql_accept_kw(p, NB_KW_EXTENDED);
        return statement_name(p, out);
    }
    if (nb_sql_is_kw(p, NB_KW_QUERY) && !nb_sql_ends_item(nb_sql_ahead(p, 1))) {
        nb_sql_skip(p);
        out->kind = NB_SQL_DESCRIBE_QUERY;
        return parse_query_of(p, out);
    }
    if (nb_sql_at_query(p) &&
        !(nb_sql_is_kw(p, NB_KW_TABLE) && nb_sql_is_name(nb_sql_ahead(p, 1)))) {
        out->kind = NB_SQL_DESCRIBE_QUERY;
        return parse_query_of(p, out);
    }
    out->kind = NB_SQL_DESCRIBE_TABLE;
    if (nb_sql_is_kw(p, NB_KW_TABLE) && nb_sql_is_name(nb_sql_ahead(p, 1))) {
        nb_sql_skip(p);
    }
    if ((nb_sql_is_kw(p, NB_KW_EXTENDED) || nb_sql_is_kw(p, NB_KW_FORMATTED)) &&
        nb_sql_is_name(nb_sql_ahead(p, 1))) {
        out->extended = true;
        nb_sql_skip(p);
    }
    NB_TRY(statement_name(p, out));
    if (nb_sql_is_name(nb_sql_cur(p))) {
        nb_names column = {0};
        NB_TRY(nb_sql_parse_multipart(p, &column));
        NB_TRY(nb_names_copy(p, &column, &out->columns));
    }
    return NB_OK;
}

/* --- the rest ---------------------------------------------------------------------------------------- */

static nb_status
parse_explain(nb_sql_parser *p, nb_sql_statement *out)
{
    static const nb_keyword modes[] = {NB_KW_LOGICAL, NB_KW_FORMATTED, NB_KW_EXTENDED,
                                       NB_KW_CODEGEN, NB_KW_COST};

    nb_sql_skip(p);
    out->kind = NB_SQL_EXPLAIN;
    out->value = NB_STR("");
    for (size_t i = 0; i < NB_COUNT_OF(modes); i++) {
        if (nb_sql_accept_kw(p, modes[i])) {
            out->value = nb_str_of(nb_keyword_text(modes[i]));
            break;
        }
    }
    out->inner = NB_ARENA_NEW(p->arena, nb_sql_statement);
    NB_SQL_NEED(out->inner);
    NB_TRY(nb_sql_enter(p));
    NB_TRY(nb_sql_parse_statement_at(p, out->inner));
    nb_sql_leave(p);
    return NB_OK;
}

static nb_status
parse_cache(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_sql_skip(p);
    out->kind = NB_SQL_CACHE_TABLE;
    out->lazy = nb_sql_accept_kw(p, NB_KW_LAZY);
    NB_TRY(nb_sql_expect_kw(p, NB_KW_TABLE));
    NB_TRY(statement_name(p, out));
    if (nb_sql_accept_kw(p, NB_KW_OPTIONS)) {
        NB_TRY(nb_sql_parse_properties(p, &out->options, &out->n_options));
    }
    if (nb_sql_accept_kw(p, NB_KW_AS) || nb_sql_at_query(p)) {
        return parse_query_of(p, out);
    }
    return NB_OK;
}

/* with: as in the parser's insert_with */
static nb_status
parse_insert(nb_sql_parser *p, size_t with, nb_sql_statement *out)
{
    nb_names columns = {0};

    nb_sql_skip(p);
    out->kind = NB_SQL_INSERT;
    out->overwrite = nb_sql_accept_kw(p, NB_KW_OVERWRITE);
    if (!out->overwrite) {
        NB_TRY(nb_sql_expect_kw(p, NB_KW_INTO));
    }
    if (out->overwrite &&
        (nb_sql_is_kw(p, NB_KW_DIRECTORY) || nb_sql_ahead_is_kw(p, 1, NB_KW_DIRECTORY))) {
        nb_sql_accept_kw(p, NB_KW_LOCAL);
        NB_TRY(nb_sql_expect_kw(p, NB_KW_DIRECTORY));
        out->kind = NB_SQL_INSERT_DIRECTORY;
        if (nb_sql_is(p, NB_T_STRING)) {
            NB_TRY(nb_sql_parse_string(p, &out->location));
        }
        NB_TRY(nb_sql_expect_kw(p, NB_KW_USING));
        NB_TRY(parse_provider(p, out));
        if (nb_sql_accept_kw(p, NB_KW_OPTIONS)) {
            NB_TRY(nb_sql_parse_properties(p, &out->options, &out->n_options));
        }
        p->insert_with = with;
        return parse_query_of(p, out);
    }
    if (nb_sql_is_kw(p, NB_KW_TABLE) && nb_sql_is_name(nb_sql_ahead(p, 1))) {
        nb_sql_skip(p);
    }
    NB_TRY(statement_name(p, out));
    if (nb_sql_is_kw(p, NB_KW_PARTITION) && nb_sql_ahead(p, 1)->kind == NB_T_LPAREN) {
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_partition(p, out));
    }
    if (nb_sql_accept_kw2(p, NB_KW_BY, NB_KW_NAME)) {
        out->by_name = true;
    } else if (nb_sql_is(p, NB_T_LPAREN) && !nb_sql_cur(p)->is_query) {
        NB_TRY(nb_sql_parse_ident_list(p, &columns));
        NB_TRY(nb_names_copy(p, &columns, &out->columns));
    }
    p->insert_with = with;
    return parse_query_of(p, out);
}

/* Where the first INSERT of FROM t INSERT … stands; 0: it is no such statement. */
static size_t
first_insert(const nb_sql_parser *p)
{
    for (size_t i = p->pos; i < p->tokens.n && nb_sql_is_kw(p, NB_KW_FROM); i++) {
        const nb_token *t = &p->tokens.items[i];
        if (t->kind == NB_T_WORD && t->kw == NB_KW_INSERT) {
            return i;
        }
        if (t->kind == NB_T_SEMICOLON) {
            return 0;
        }
        i = t->match > i ? t->match : i;
    }
    return 0;
}

/* What stands behind WITH a AS (…), …; parser.c has found the pairs of parentheses. */
static size_t
behind_with(const nb_sql_parser *p)
{
    for (size_t i = p->pos; i + 1 < p->tokens.n; i++) {
        const nb_token *t = &p->tokens.items[i];
        const nb_token *next;

        if (t->kind != NB_T_LPAREN || t->match <= i) {
            continue;
        }
        i = t->match;
        next = &p->tokens.items[i + 1];
        if (next->kind != NB_T_COMMA && next->kind != NB_T_LPAREN &&
            !(next->kind == NB_T_WORD && (next->kw == NB_KW_AS || next->kw == NB_KW_MAX))) {
            return i + 1;
        }
    }
    return p->pos;
}

/* FROM t INSERT … SELECT … [INSERT … SELECT …]: the tables are read again for each of them */
static nb_status
parse_from_insert(nb_sql_parser *p, size_t with, size_t first, nb_sql_statement *out)
{
    size_t tables = p->pos + 1;

    p->pos = p->insert_first = first;
    for (int n = 0;; n++) {
        if (n == MAX_INSERTS) {
            return nb_raise_unsupported(p->err, "FROM with more than %d INSERTs", MAX_INSERTS);
        }
        p->insert_from = tables;
        NB_TRY(parse_insert(p, with, out));
        if (p->insert_from) { /* there was no SELECT to take the tables */
            return nb_sql_syntax_error(p);
        }
        if (!nb_sql_is_kw(p, NB_KW_INSERT)) {
            return NB_OK;
        }
        out->inner = NB_ARENA_NEW(p->arena, nb_sql_statement);
        NB_SQL_NEED(out->inner);
        out = out->inner;
    }
}

static nb_status
named(nb_sql_parser *p, nb_sql_statement *out, nb_sql_kind kind, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        nb_sql_skip(p);
    }
    out->kind = kind;
    return statement_name(p, out);
}

nb_status
nb_sql_parse_statement_at(nb_sql_parser *p, nb_sql_statement *out)
{
    size_t start = p->pos, with = 0, insert;

    *out = (nb_sql_statement){.kind = NB_SQL_QUERY};
    if (nb_sql_is_kw(p, NB_KW_WITH)) {
        p->pos = behind_with(p);
        with = start + 1;
    }
    insert = first_insert(p);
    if (insert) {
        return parse_from_insert(p, with, insert, out);
    }
    if (with && nb_sql_is_kw(p, NB_KW_INSERT)) {
        return parse_insert(p, with, out);
    }
    p->pos = start;
    if (nb_sql_at_query(p) || nb_sql_is(p, NB_T_LPAREN)) {
        return parse_query_of(p, out);
    }
    if (!nb_sql_is(p, NB_T_WORD)) {
        return nb_sql_syntax_error(p);
    }
    switch ((nb_keyword)nb_sql_cur(p)->kw) {
    case NB_KW_SET: return parse_set(p, out);
    case NB_KW_RESET: {
        nb_str rest;
        nb_sql_skip(p);
        out->kind = NB_SQL_RESET;
        rest = config_key(rest_of_text(p));
        out->key = rest.len ? rest : (nb_str){NULL, 0};
        return NB_OK;
    }
    case NB_KW_CREATE: return parse_create(p, out);
    case NB_KW_REPLACE:
        if (nb_sql_ahead_is_kw(p, 1, NB_KW_TABLE)) {
            nb_sql_skip(p);
            nb_sql_skip(p);
            out->or_replace = true;
            return parse_create_table(p, out);
        }
        return nb_sql_syntax_error(p);
    case NB_KW_DROP: return parse_drop(p, out);
    case NB_KW_SHOW: return parse_show(p, out);
    case NB_KW_DESC:
    case NB_KW_DESCRIBE: return parse_describe(p, out);
    case NB_KW_EXPLAIN: return parse_explain(p, out);
    case NB_KW_CACHE: return parse_cache(p, out);
    case NB_KW_UNCACHE:
        nb_sql_skip(p);
        NB_TRY(nb_sql_expect_kw(p, NB_KW_TABLE));
        out->kind = NB_SQL_UNCACHE_TABLE;
        out->if_exists = accept_if_exists(p);
        return statement_name(p, out);
    case NB_KW_CLEAR:
        nb_sql_skip(p);
        out->kind = NB_SQL_CLEAR_CACHE;
        return nb_sql_expect_kw(p, NB_KW_CACHE);
    case NB_KW_REFRESH: {
        bool done;
        NB_TRY(nb_sql_parse_refresh(p, out, &done));
        return done ? NB_OK : other(p, out);
    }
    case NB_KW_ANALYZE: return nb_sql_parse_analyze(p, out);
    case NB_KW_TRUNCATE:
        nb_sql_skip(p);
        NB_TRY(nb_sql_expect_kw(p, NB_KW_TABLE));
        NB_TRY(named(p, out, NB_SQL_TRUNCATE_TABLE, 0));
        return nb_sql_accept_kw(p, NB_KW_PARTITION) ? nb_sql_parse_partition(p, out) : NB_OK;
    case NB_KW_USE:
        nb_sql_skip(p);
        if (nb_sql_is_name(nb_sql_ahead(p, 1))) {
            accept_database(p);
        }
        return named(p, out, NB_SQL_USE, 0);
    case NB_KW_INSERT: return parse_insert(p, 0, out);
    case NB_KW_DECLARE: return nb_sql_parse_declare(p, out);
    case NB_KW_EXECUTE: return nb_sql_parse_execute(p, out);
    case NB_KW_ALTER:
    case NB_KW_COMMENT: {
        bool done;
        NB_TRY(nb_sql_is_kw(p, NB_KW_ALTER) ? nb_sql_parse_alter(p, out, &done)
                                            : nb_sql_parse_comment_on(p, out, &done));
        if (done) {
            return NB_OK;
        }
    }
        /* FALLTHROUGH */
    case NB_KW_DELETE:
    case NB_KW_UPDATE:
    case NB_KW_MERGE:
    case NB_KW_LOAD:
    case NB_KW_REPAIR:
    case NB_KW_MSCK:
    case NB_KW_ADD:
    case NB_KW_LIST:
    case NB_KW_CALL:
        if (nb_sql_ahead(p, 1)->kind == NB_T_WORD) {
            return other(p, out);
        }
        nb_sql_skip(p);
        return nb_sql_syntax_error(p);
    default: return nb_sql_syntax_error(p);
    }
}
