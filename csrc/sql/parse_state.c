/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse_state.c: cursor, growing arrays, recursion guard and errors of the parser.
 */
#include "sql/parse_state.h"

#include "base/thread.h"

#define MAX_DEPTH 20000
#define MAX_STACK \
    ((size_t)64 << 20) /* below the entry of the parser, where the thread has that much */
#define SPARED_STACK ((size_t)64 * 1024) /* for what is called from the deepest level */

void *
nb_sql_new(nb_arena *arena, size_t n, const void *init)
{
    void *mem = nb_arena_alloc(arena, n);

    if (mem) {
        memcpy(mem, init, n);
    }
    return mem;
}

nb_status
nb_ptrs_push(nb_sql_parser *p, nb_ptrs *v, void *item)
{
    NB_SQL_NEED(item);
    if (v->n == v->cap) {
        size_t cap = v->cap ? v->cap * 2 : 4;
        void **bigger = NB_ARENA_ARRAY(p->arena, void *, cap);
        NB_SQL_NEED(bigger);
        if (v->n) {
            memcpy(bigger, v->items, v->n * sizeof *bigger);
        }
        v->items = bigger;
        v->cap = cap;
    }
    v->items[v->n++] = item;
    return NB_OK;
}

nb_status
nb_names_push(nb_sql_parser *p, nb_names *v, nb_str item)
{
    if (v->n == v->cap) {
        size_t cap = v->cap ? v->cap * 2 : 4;
        nb_str *bigger = NB_ARENA_ARRAY(p->arena, nb_str, cap);
        NB_SQL_NEED(bigger);
        if (v->n) {
            memcpy(bigger, v->items, v->n * sizeof *bigger);
        }
        v->items = bigger;
        v->cap = cap;
    }
    v->items[v->n++] = item;
    return NB_OK;
}

nb_status
nb_names_copy(nb_sql_parser *p, const nb_names *v, nb_sql_name *out)
{
    *out = (nb_sql_name){v->items, v->n};
    return NB_OK;
}

ProtobufCBinaryData
nb_sql_bytes(nb_str s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.data};
}

bool
nb_sql_accept(nb_sql_parser *p, nb_token_kind kind)
{
    if (nb_sql_is(p, kind)) {
        nb_sql_skip(p);
        return true;
    }
    return false;
}

bool
nb_sql_accept_kw(nb_sql_parser *p, nb_keyword kw)
{
    if (nb_sql_is_kw(p, kw)) {
        nb_sql_skip(p);
        return true;
    }
    return false;
}

bool
nb_sql_accept_kw2(nb_sql_parser *p, nb_keyword a, nb_keyword b)
{
    if (nb_sql_is_kw(p, a) && nb_sql_ahead_is_kw(p, 1, b)) {
        nb_sql_skip(p);
        nb_sql_skip(p);
        return true;
    }
    return false;
}

nb_status
nb_sql_expect(nb_sql_parser *p, nb_token_kind kind)
{
    if (nb_sql_accept(p, kind)) {
        return NB_OK;
    }
    if (kind == NB_T_RPAREN && !nb_sql_is(p, NB_T_EOF)) {
        return nb_sql_syntax_error_at(p, p->pos, ": missing ')'");
    }
    if (kind == NB_T_RBRACKET && !nb_sql_is(p, NB_T_EOF)) {
        return nb_sql_syntax_error_at(p, p->pos, ": missing ']'");
    }
    return nb_sql_syntax_error(p);
}

nb_status
nb_sql_expect_kw(nb_sql_parser *p, nb_keyword kw)
{
    return nb_sql_accept_kw(p, kw) ? NB_OK : nb_sql_syntax_error(p);
}

nb_str
nb_sql_token_text(const nb_sql_parser *p, const nb_token *t)
{
    return (nb_str){p->tokens.text.data + t->start, t->len};
}

bool
nb_sql_is_name(const nb_token *t)
{
    return t->kind == NB_T_WORD || t->kind == NB_T_BACKQUOTED;
}

bool
nb_sql_ends_item(const nb_token *t)
{
    return t->kind == NB_T_EOF || t->kind == NB_T_RPAREN || t->kind == NB_T_RBRACKET ||
           t->kind == NB_T_COMMA || t->kind == NB_T_SEMICOLON;
}

void
nb_sql_measure_stack(nb_sql_parser *p)
{
    size_t left = nb_stack_left();

    p->stack_base = (uintptr_t)__builtin_frame_address(0);
    p->stack_limit = left > SPARED_STACK ? NB_MIN(left - SPARED_STACK, MAX_STACK) : 0;
}

nb_status
nb_sql_enter(nb_sql_parser *p)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uintptr_t used = here < p->stack_base ? p->stack_base - here : here - p->stack_base;

    if (++p->depth > MAX_DEPTH || used > p->stack_limit) {
        return nb_sql_too_complex(p);
    }
    return NB_OK;
}

nb_status
nb_sql_too_complex(nb_sql_parser *p)
{
    nb_raise(p->err, NB_COND_FAILED_TO_PARSE_TOO_COMPLEX, NULL);
    nb_error_set_syntax_context(p->err, p->tokens.text.data, p->tokens.text.len,
                                nb_sql_cur(p)->start);
    return NB_ERROR;
}

nb_status
nb_sql_syntax_error_at(nb_sql_parser *p, size_t token, const char *hint)
{
    const nb_token *t = &p->tokens.items[token];
    nb_str text = nb_sql_token_text(p, t);
    const char *near = "end of input";

    if (t->kind != NB_T_EOF) {
        near = nb_arena_printf(p->arena, "'%.*s'", (int)text.len, text.data);
        NB_SQL_NEED(near);
    }
    nb_raise(p->err, NB_COND_PARSE_SYNTAX_ERROR, "error", near, "hint", hint, NULL);
    nb_error_set_syntax_context(p->err, p->tokens.text.data, p->tokens.text.len, t->start);
    return NB_ERROR;
}

nb_status
nb_sql_syntax_error(nb_sql_parser *p)
{
    return nb_sql_syntax_error_at(p, p->pos, "");
}

nb_status
nb_sql_error_at(nb_sql_parser *p, size_t start, size_t end)
{
    const nb_token *a = &p->tokens.items[start], *b = &p->tokens.items[NB_MAX(end, start)];

    nb_error_set_sql_context(p->later, p->tokens.text.data, p->tokens.text.len, (int)a->start,
                             (int)(b->start + NB_MAX(b->len, 1u)) - 1);
    return NB_OK;
}

nb_status
nb_sql_error_here(nb_sql_parser *p, size_t start)
{
    return nb_sql_error_at(p, start, p->pos > start ? p->pos - 1 : start);
}

nb_status
nb_sql_invalid_identifier(nb_sql_parser *p, size_t token, nb_str name)
{
    char *text = nb_arena_strdup(p->arena, name);

    NB_SQL_NEED(text);
    nb_raise(p->err, NB_COND_INVALID_IDENTIFIER, "ident", text, NULL);
    nb_error_set_syntax_context(p->err, p->tokens.text.data, p->tokens.text.len,
                                p->tokens.items[token].start);
    return NB_ERROR;
}
