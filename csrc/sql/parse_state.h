/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse_state.h: what the parts of the parser share: the cursor over tokens, errors, builders of messages, and each other.
 *
 * Private to csrc/sql. A parse function reads from p->pos, leaves it behind what it read, and gives its message through out. A failure
 * ends the whole parse: nothing is tried twice, so state need not be restored on the way out.
 */
#ifndef NB_SQL_PARSE_STATE_H
#define NB_SQL_PARSE_STATE_H

#include "sql/encoding.h"
#include "sql/lexer.h"
#include "sql/parser.h"

/* Pointers that grow in the arena. */
typedef struct nb_ptrs {
    void **items;
    size_t n, cap;
} nb_ptrs;

/* Parts of a name. */
typedef struct nb_names {
    nb_str *items;
    size_t n, cap;
} nb_names;

typedef struct nb_lambda_scope {
    const struct nb_lambda_scope *outer;
    const nb_names *variables;
} nb_lambda_scope;

/* An OVER name that waits for its WINDOW clause. */
typedef struct nb_window_use {
    Sc__Expression__Window *window;
    nb_str name;
    size_t token;
} nb_window_use;

typedef struct nb_sql_parser {
    nb_arena *arena;
    nb_tokens tokens;
    size_t pos;
    nb_error *err; /* for what ends the parse */
    nb_error *
        later; /* the first fault of meaning (a date that does not exist): told only if the text's form is right, as Spark does */
    const nb_sql_options *options;
    size_t n_positional_used;
    int64_t next_plan_id;
    nb_ptrs
        references; /* Sc__Relation: subqueries of the clause being read, for the WithRelations around its relation */
    nb_ptrs window_uses; /* nb_window_use */
    const nb_lambda_scope *lambda;
    const Sc__Expression
        *row; /* the last (a, b) that was built, and what is in it: VALUES and IN want the values */
    nb_ptrs row_values;
    size_t insert_from,
        insert_first; /* FROM t INSERT … SELECT …: where the next SELECT finds its tables, and where these end; 0: its own FROM says */
    size_t
        insert_with; /* WITH … INSERT … SELECT …: the token behind that WITH, for the query that comes next; 0: none */
    uint32_t depth;
    uintptr_t stack_base;
    size_t stack_limit; /* how far below the base the parser may go */
} nb_sql_parser;

/* --- memory ----------------------------------------------------------------------------------- */

#define NB_SQL_NEED(x)       \
    do {                     \
        if (!(x)) {          \
            return NB_NOMEM; \
        }                    \
    } while (0)

void *nb_sql_new(nb_arena *arena, size_t n, const void *init);
#define NB_SQL_NEW(p, T, INIT) ((T *)nb_sql_new((p)->arena, sizeof(T), &(const T)INIT))

nb_status nb_ptrs_push(nb_sql_parser *p, nb_ptrs *v, void *item);
nb_status nb_names_push(nb_sql_parser *p, nb_names *v, nb_str item);
nb_status nb_names_copy(nb_sql_parser *p, const nb_names *v, nb_sql_name *out);
ProtobufCBinaryData nb_sql_bytes(nb_str s);

/* --- cursor ----------------------------------------------------------------------------------- */

NB_INLINE const nb_token *
nb_sql_ahead(const nb_sql_parser *p, size_t n)
{
    size_t at = p->pos + n;
    return &p->tokens.items[at < p->tokens.n ? at : p->tokens.n - 1];
}

NB_INLINE const nb_token *
nb_sql_cur(const nb_sql_parser *p)
{
    return &p->tokens.items[p->pos];
}

NB_INLINE void
nb_sql_skip(nb_sql_parser *p)
{
    if (p->pos + 1 < p->tokens.n) {
        p->pos++;
    }
}

NB_INLINE bool
nb_sql_is(const nb_sql_parser *p, nb_token_kind kind)
{
    return nb_sql_cur(p)->kind == kind;
}

NB_INLINE bool
nb_sql_is_kw(const nb_sql_parser *p, nb_keyword kw)
{
    const nb_token *t = nb_sql_cur(p);
    return t->kind == NB_T_WORD && t->kw == kw;
}

NB_INLINE bool
nb_sql_ahead_is_kw(const nb_sql_parser *p, size_t n, nb_keyword kw)
{
    const nb_token *t = nb_sql_ahead(p, n);
    return t->kind == NB_T_WORD && t->kw == kw;
}

bool nb_sql_accept(nb_sql_parser *p, nb_token_kind kind);
bool nb_sql_accept_kw(nb_sql_parser *p, nb_keyword kw);
bool nb_sql_accept_kw2(nb_sql_parser *p, nb_keyword a, nb_keyword b); /* both or none */
nb_status nb_sql_expect(nb_sql_parser *p, nb_token_kind kind);
nb_status nb_sql_expect_kw(nb_sql_parser *p, nb_keyword kw);
nb_str nb_sql_token_text(const nb_sql_parser *p, const nb_token *t);
bool nb_sql_is_name(const nb_token *t);   /* a word or a back-quoted name */
bool nb_sql_ends_item(const nb_token *t); /* end of text, ")", "]", "," or ";" */

/* Guards recursion; nb_sql_leave is needed only on success. */
/* Sets base and limit from what this thread has left. */
void nb_sql_measure_stack(nb_sql_parser *p);
nb_status nb_sql_enter(nb_sql_parser *p);
NB_INLINE void
nb_sql_leave(nb_sql_parser *p)
{
    p->depth--;
}

/* --- errors ----------------------------------------------------------------------------------- */

/* PARSE_SYNTAX_ERROR at the current token, or at another. */
nb_status nb_sql_syntax_error(nb_sql_parser *p);
nb_status nb_sql_syntax_error_at(nb_sql_parser *p, size_t token, const char *hint);
/* Puts the place (tokens from start to the last one read) on p->later, which was just raised. Returns NB_OK: parsing goes on, with whatever
 * stands in *out, to see whether the form is right. */
nb_status nb_sql_error_here(nb_sql_parser *p, size_t start);
nb_status nb_sql_error_at(nb_sql_parser *p, size_t start, size_t end);
nb_status nb_sql_invalid_identifier(nb_sql_parser *p, size_t token, nb_str name);
nb_status nb_sql_too_complex(nb_sql_parser *p);

/* --- names (name.c) ----------------------------------------------------------------------------- */

/* One identifier; a keyword is fine. strict: not one that may not be a table's alias. */
nb_status nb_sql_parse_ident(nb_sql_parser *p, nb_str *out);
nb_status
nb_sql_parse_ident_no_dash(nb_sql_parser *p, nb_str *out);          /* where a-b is a subtraction */
nb_status nb_sql_parse_multipart(nb_sql_parser *p, nb_names *out);  /* a.b.c, IDENTIFIER('a.b') */
nb_status nb_sql_parse_ident_list(nb_sql_parser *p, nb_names *out); /* (a, b) */
nb_str nb_sql_quote(nb_arena *arena, const nb_str *parts,
                    size_t n); /* a.`b c`; data NULL when out of memory */
nb_status nb_sql_split_name(nb_sql_parser *p, size_t token, nb_str text,
                            nb_names *out); /* the text of IDENTIFIER('…') */

/* --- builders (builder.c); NULL when out of memory ---------------------------------------------- */

Sc__Expression *
nb_sql_expr(nb_sql_parser *p,
            size_t start); /* empty, with its origin: tokens from start to the last one read */
Sc__Expression *nb_sql_call(nb_sql_parser *p, size_t start, const char *name, size_t n,
                            Sc__Expression *const *args);
Sc__Expression *nb_sql_call1(nb_sql_parser *p, size_t start, const char *name, Sc__Expression *a);
Sc__Expression *nb_sql_call2(nb_sql_parser *p, size_t start, const char *name, Sc__Expression *a,
                             Sc__Expression *b);
Sc__Expression *nb_sql_call_named(nb_sql_parser *p, size_t start, nb_str name, const nb_ptrs *args);
Sc__Expression *
nb_sql_internal(nb_sql_parser *p, size_t start, const char *name, const nb_ptrs *args);
Sc__Expression *nb_sql_attribute(nb_sql_parser *p, size_t start, const nb_names *parts);
Sc__Expression__Literal *
nb_sql_literal(nb_sql_parser *p, Sc__Expression **expr_out); /* no origin */
Sc__Expression *nb_sql_string(nb_sql_parser *p, nb_str value);
Sc__Expression *nb_sql_int(nb_sql_parser *p, int32_t value);
Sc__Expression *nb_sql_bool(nb_sql_parser *p, bool value);
Sc__Expression *nb_sql_null(nb_sql_parser *p);
Sc__Expression *
nb_sql_alias(nb_sql_parser *p, size_t start, Sc__Expression *child, const nb_names *names);
Sc__Relation *nb_sql_relation(nb_sql_parser *p, size_t start);
Sc__Relation *nb_sql_project(nb_sql_parser *p, size_t start, Sc__Relation *input,
                             const nb_ptrs *items); /* input may be NULL */
Sc__Relation *nb_sql_filter(nb_sql_parser *p, size_t start, Sc__Relation *input,
                            Sc__Expression *condition, const char *mark);
Sc__Relation *nb_sql_subquery_alias(nb_sql_parser *p, size_t start, Sc__Relation *input,
                                    nb_str alias, const nb_names *columns);
Sc__Relation *
nb_sql_table_function(nb_sql_parser *p, size_t start, nb_str name, const nb_ptrs *args);
Sc__Relation *nb_sql_star_project(nb_sql_parser *p, size_t start, Sc__Relation *input);
void nb_sql_mark(Sc__Relation *rel, const char *mark);
/* A subquery as expression; its relation joins p->references. */
nb_status nb_sql_subquery(nb_sql_parser *p, size_t start, Sc__Relation *query,
                          Sc__SubqueryExpression__SubqueryType type,
                          Sc__SubqueryExpression **sub_out, Sc__Expression **out);
/* Puts WithRelations around *rel for the references collected since mark, and forgets them. */
nb_status nb_sql_wrap_references(nb_sql_parser *p, size_t start, size_t mark, Sc__Relation **rel);
/* A relation as first argument of an internal table function: name(TABLE input, args…), with its WithRelations. */
nb_status nb_sql_over_table(nb_sql_parser *p, size_t start, const char *name, Sc__Relation *input,
                            const nb_ptrs *args, Sc__Relation **out);
void nb_sql_set_text(nb_sql_parser *p, Sc__Expression *expr, Sc__Relation *rel);

/* --- the grammar ------------------------------------------------------------------------------ */

nb_status nb_sql_parse_expr(nb_sql_parser *p, Sc__Expression **out); /* expression */
nb_status
nb_sql_parse_value(nb_sql_parser *p,
                   Sc__Expression **out); /* valueExpression: no AND, OR, NOT, predicates */
nb_status nb_sql_parse_primary(nb_sql_parser *p,
                               Sc__Expression **out); /* primaryExpression with its postfixes */
nb_status nb_sql_parse_named_expr(nb_sql_parser *p, bool before_for, Sc__Expression **out);
nb_status nb_sql_parse_expr_list(nb_sql_parser *p, nb_ptrs *out); /* a, b, c */
nb_status nb_sql_parse_named_expr_list(nb_sql_parser *p, bool before_for, nb_ptrs *out);
nb_status nb_sql_parse_sort_items(nb_sql_parser *p, nb_ptrs *out); /* Sc__Expression__SortOrder */

bool nb_sql_at_number(const nb_sql_parser *p); /* a number, or minus and a number */
nb_status nb_sql_parse_number(nb_sql_parser *p, Sc__Expression **out);
nb_status
nb_sql_parse_string(nb_sql_parser *p, nb_str *out); /* one or more string tokens, joined */
nb_status nb_sql_unquote_string(nb_sql_parser *p, const nb_token *t, nb_str *out);
nb_status
nb_sql_parse_typed_literal(nb_sql_parser *p,
                           Sc__Expression **out); /* DATE '…' and the like: word, string */
bool nb_sql_at_interval(const nb_sql_parser *p);
nb_status
nb_sql_parse_interval(nb_sql_parser *p, Sc__Expression **out); /* behind and with INTERVAL */

nb_status nb_sql_parse_function_call(nb_sql_parser *p, size_t start, const nb_names *name,
                                     Sc__Expression **out); /* at "(" */
nb_status nb_sql_parse_argument(nb_sql_parser *p,
                                Sc__Expression **out); /* expression, or name => expression */
/* Functions with a grammar of their own (CAST, EXTRACT, …); *out NULL when the current word is none of them. */
nb_status nb_sql_parse_special_call(nb_sql_parser *p, Sc__Expression **out);
nb_status nb_sql_parse_over(nb_sql_parser *p, size_t start, Sc__Expression *call,
                            Sc__Expression **out);                        /* behind OVER */
nb_status nb_sql_parse_window_clause(nb_sql_parser *p, size_t uses_from); /* behind WINDOW */
nb_status nb_sql_check_windows(nb_sql_parser *p, size_t uses_from);

nb_status
nb_sql_parse_query_at(nb_sql_parser *p, Sc__Relation **out); /* query: [WITH …] term organisation */
nb_status nb_sql_parse_query_term(nb_sql_parser *p, Sc__Relation **out);
bool nb_sql_at_query(const nb_sql_parser *p);
bool
nb_sql_at_clause(const nb_sql_parser *p); /* a word that goes on with the query: not an alias */
bool nb_sql_at_clause_ahead(const nb_sql_parser *p, size_t n);
nb_status nb_sql_parse_from(nb_sql_parser *p, Sc__Relation **out); /* behind FROM */
nb_status nb_sql_parse_lateral_views(nb_sql_parser *p, Sc__Relation **rel);
nb_status
nb_sql_parse_values(nb_sql_parser *p, Sc__Relation **out); /* behind VALUES; without alias */
nb_status nb_sql_parse_table_alias(nb_sql_parser *p, size_t start, Sc__Relation **rel);
nb_status nb_sql_parse_pivot(nb_sql_parser *p, Sc__Relation **rel);   /* at PIVOT */
nb_status nb_sql_parse_unpivot(nb_sql_parser *p, Sc__Relation **rel); /* at UNPIVOT */
nb_status
nb_sql_limit(nb_sql_parser *p, size_t start, Sc__Expression *n, bool offset, Sc__Relation **rel);
/* Behind GROUP BY: fills grouping fields of agg. */
nb_status nb_sql_parse_group_by(nb_sql_parser *p, Sc__Aggregate *agg);

nb_status nb_sql_parse_type(nb_sql_parser *p, Sc__DataType **out);
/* The type of a CAST: lengths of strings do not count. */
nb_status nb_sql_parse_cast_type(nb_sql_parser *p, Sc__DataType **out);
nb_status
nb_sql_parse_columns(nb_sql_parser *p, Sc__DataType **out); /* a INT, b STRING: a struct */
Sc__DataType *nb_sql_type_simple(nb_sql_parser *p, Sc__DataType__KindCase kind);

/* { |> operator } behind a query term (pipe.c), and what of the grammar is the same there. */
nb_status nb_sql_parse_pipes(nb_sql_parser *p, size_t start, Sc__Relation **rel);
nb_status nb_sql_parse_piped_select(nb_sql_parser *p, Sc__Relation **rel);
nb_status nb_sql_parse_piped_set(nb_sql_parser *p, size_t start, Sc__Relation **rel);
nb_status nb_sql_parse_piped_join(nb_sql_parser *p, size_t start, Sc__Relation **rel, bool *done);
nb_status nb_sql_parse_where(nb_sql_parser *p, size_t start, Sc__Relation **rel);
nb_status nb_sql_parse_sample(nb_sql_parser *p, Sc__Relation **rel);
nb_status
nb_sql_parse_organization(nb_sql_parser *p, size_t start, size_t uses_from, Sc__Relation **rel);

/* alter.c; *done false: nothing was read */
nb_status nb_sql_parse_alter(nb_sql_parser *p, nb_sql_statement *out, bool *done);
nb_status nb_sql_parse_comment_on(nb_sql_parser *p, nb_sql_statement *out, bool *done);
nb_status nb_sql_parse_analyze(nb_sql_parser *p, nb_sql_statement *out);
nb_status nb_sql_parse_refresh(nb_sql_parser *p, nb_sql_statement *out, bool *done);
nb_status nb_sql_parse_partition(nb_sql_parser *p, nb_sql_statement *out); /* behind PARTITION */
/* (key = value, 'key' 'value', …) */
nb_status nb_sql_parse_properties(nb_sql_parser *p, nb_sql_property **out, size_t *n_out);
/* {"comment":"…"} as a field's metadata */
nb_status nb_sql_comment_metadata(nb_sql_parser *p, nb_str comment, ProtobufCBinaryData *out);
/* Variables (variable.c): at DECLARE, VARIABLE, VARIABLE, EXECUTE. */
nb_status nb_sql_parse_declare(nb_sql_parser *p, nb_sql_statement *out);
nb_status nb_sql_parse_set_variable(nb_sql_parser *p, nb_sql_statement *out);
nb_status nb_sql_parse_drop_variable(nb_sql_parser *p, nb_sql_statement *out);
nb_status nb_sql_parse_execute(nb_sql_parser *p, nb_sql_statement *out);

nb_status nb_sql_parse_statement_at(nb_sql_parser *p, nb_sql_statement *out);

#endif
