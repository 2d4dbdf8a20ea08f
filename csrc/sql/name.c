/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name.c: identifiers, and names of several parts.
 */
#include "sql/parse_state.h"
#include "base/ascii.h"

/* Letters, digits and underscores of ASCII, and not a number: others need back quotes. */
static bool
is_plain(nb_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!nb_is_word(s.data[i])) {
            return false;
        }
    }
    return s.len > 0;
}

/* Takes the quotes off and halves the doubled ones. */
static nb_status
unquote(nb_sql_parser *p, nb_str quoted, nb_str *out)
{
    char *text = nb_arena_alloc(p->arena, quoted.len);
    size_t n = 0;

    NB_SQL_NEED(text);
    for (size_t i = 1; i + 1 < quoted.len; i++) {
        text[n++] = quoted.data[i];
        if (quoted.data[i] == '`') {
            i++;
        }
    }
    *out = (nb_str){text, n};
    return NB_OK;
}

nb_status
nb_sql_parse_ident_no_dash(nb_sql_parser *p, nb_str *out)
{
    const nb_token *t = nb_sql_cur(p);

    if (t->kind == NB_T_BACKQUOTED) {
        NB_TRY(unquote(p, nb_sql_token_text(p, t), out));
        if (out->len == 0) {
            return nb_sql_syntax_error(p);
        }
        nb_sql_skip(p);
        return NB_OK;
    }
    if (t->kind != NB_T_WORD) {
        return nb_sql_syntax_error(p);
    }
    *out = nb_sql_token_text(p, t);
    if (!is_plain(*out)) {
        return nb_sql_invalid_identifier(p, p->pos, *out);
    }
    nb_sql_skip(p);
    return NB_OK;
}

nb_status
nb_sql_parse_ident(nb_sql_parser *p, nb_str *out)
{
    size_t start = p->pos;

    NB_TRY(nb_sql_parse_ident_no_dash(p, out));
    if (nb_sql_is(p, NB_T_MINUS) && nb_sql_ahead(p, 1)->kind == NB_T_WORD) {
        /* test-table: say that it wants quotes */
        const nb_token *a = &p->tokens.items[start], *b;
        while (nb_sql_is(p, NB_T_MINUS) && nb_sql_ahead(p, 1)->kind == NB_T_WORD) {
            nb_sql_skip(p);
            nb_sql_skip(p);
        }
        b = &p->tokens.items[p->pos - 1];
        return nb_sql_invalid_identifier(
            p, p->pos - 2, (nb_str){p->tokens.text.data + a->start, b->start + b->len - a->start});
    }
    return NB_OK;
}

nb_status
nb_sql_split_name(nb_sql_parser *p, size_t token, nb_str text, nb_names *out)
{
    nb_sql_parser sub = {.arena = p->arena,
                         .err = p->err,
                         .later = p->later,
                         .options = p->options,
                         .stack_base = p->stack_base,
                         .stack_limit = p->stack_limit};

    NB_TRY(nb_sql_lex(p->arena, text, &sub.tokens, p->err));
    for (;;) {
        nb_str part;
        NB_TRY(nb_sql_parse_ident(&sub, &part));
        NB_TRY(nb_names_push(p, out, part));
        if (!nb_sql_accept(&sub, NB_T_DOT)) {
            break;
        }
    }
    return nb_sql_is(&sub, NB_T_EOF) ? NB_OK : nb_sql_syntax_error(&sub);
}

nb_status
nb_sql_parse_multipart(nb_sql_parser *p, nb_names *out)
{
    nb_str part;

    if (nb_sql_is_kw(p, NB_KW_IDENTIFIER) && nb_sql_ahead(p, 1)->kind == NB_T_LPAREN) {
        size_t start = p->pos;
        Sc__Expression *e;
        nb_sql_skip(p);
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_expr(p, &e));
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_LITERAL &&
            e->literal->literal_type_case == SC__EXPRESSION__LITERAL__LITERAL_TYPE_STRING) {
            nb_str text = {(const char *)e->literal->string.data, e->literal->string.len};
            return nb_sql_split_name(p, start, text, out);
        }
        if (p->later->set) { /* told at the end: any name will do until then */
            return nb_names_push(p, out, NB_STR("identifier"));
        }
        if (p->options && p->options->fold_text) {
            nb_str text;
            NB_TRY(p->options->fold_text(p->options->payload, e, &text, p->err));
            return nb_sql_split_name(p, start, text, out);
        }
        return nb_raise_unsupported(p->err,
                                    "IDENTIFIER() of an expression that is not a string literal");
    }
    for (;;) {
        NB_TRY(nb_sql_parse_ident(p, &part));
        NB_TRY(nb_names_push(p, out, part));
        if (!nb_sql_is(p, NB_T_DOT) || !nb_sql_is_name(nb_sql_ahead(p, 1))) {
            return NB_OK;
        }
        nb_sql_skip(p);
    }
}

nb_status
nb_sql_parse_ident_list(nb_sql_parser *p, nb_names *out)
{
    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    do {
        nb_str part;
        NB_TRY(nb_sql_parse_ident(p, &part));
        NB_TRY(nb_names_push(p, out, part));
    } while (nb_sql_accept(p, NB_T_COMMA));
    return nb_sql_expect(p, NB_T_RPAREN);
}

nb_str
nb_sql_quote(nb_arena *arena, const nb_str *parts, size_t n)
{
    size_t len = 0;
    char *text, *at;

    if (n == 1 && is_plain(parts[0])) {
        return parts[0];
    }
    for (size_t i = 0; i < n; i++) {
        len += 2 * parts[i].len + 3;
    }
    text = at = nb_arena_alloc(arena, len);
    if (!text) {
        return (nb_str){NULL, 0};
    }
    for (size_t i = 0; i < n; i++) {
        if (i) {
            *at++ = '.';
        }
        if (is_plain(parts[i])) {
            memcpy(at, parts[i].data, parts[i].len);
            at += parts[i].len;
            continue;
        }
        *at++ = '`';
        for (size_t k = 0; k < parts[i].len; k++) {
            if (parts[i].data[k] == '`') {
                *at++ = '`';
            }
            *at++ = parts[i].data[k];
        }
        *at++ = '`';
    }
    return (nb_str){text, (size_t)(at - text)};
}
