/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr.c: operators, by precedence climbing.
 *
 * From loose to tight:  OR · AND · NOT · predicates (once: BETWEEN, IN, LIKE, IS …) · comparison · | · ^ · & · shifts · + - || · * / % DIV ·
 * unary - + ~ · postfix (literal.c and primary.c).
 * A chain of ANDs or ORs becomes a balanced tree (in the shape that Spark gives it), so that 50,000 of them are 16 levels deep. Chains of
 * other operators lean to the left, as they must; MAX_CHAIN bounds their depth.
 */
#include "sql/parse_state.h"

#define MAX_CHAIN 10000 /* operators in one left-leaning chain */

/* Combines es[low..high] as Spark does: halves, the left one longer. */
static Sc__Expression *
balance(nb_sql_parser *p, size_t start, const char *op, Sc__Expression **es, size_t low,
        size_t high)
{
    size_t mid = low + (high - low) / 2;

    if (low == high) {
        return es[low];
    }
    return nb_sql_call2(p, start, op, balance(p, start, op, es, low, mid),
                        balance(p, start, op, es, mid + 1, high));
}

/* (query) behind IN, or EXISTS. */
static nb_status
subquery_in_parens(nb_sql_parser *p, Sc__Relation **out)
{
    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    NB_TRY(nb_sql_parse_query_at(p, out));
    return nb_sql_expect(p, NB_T_RPAREN);
}

static nb_status
parse_in(nb_sql_parser *p, size_t start, Sc__Expression *left, Sc__Expression **out)
{
    size_t in_token = p->pos - 1;
    nb_ptrs args = {0};

    if (nb_sql_is(p, NB_T_LPAREN) && nb_sql_cur(p)->is_query) {
        Sc__Relation *query;
        Sc__SubqueryExpression *sub;
        bool is_row = left == p->row; /* the query may have rows of its own */
        nb_ptrs values = p->row_values;
        NB_TRY(subquery_in_parens(p, &query));
        NB_TRY(nb_sql_subquery(
            p, start, query, SC__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_IN, &sub, out));
        if (is_row) { /* (a, b) IN (…): the values one by one */
            sub->in_subquery_values = (Sc__Expression **)values.items;
            sub->n_in_subquery_values = values.n;
            return NB_OK;
        }
        sub->in_subquery_values = NB_ARENA_ARRAY(p->arena, Sc__Expression *, 1);
        NB_SQL_NEED(sub->in_subquery_values);
        sub->in_subquery_values[0] = left;
        sub->n_in_subquery_values = 1;
        return NB_OK;
    }
    NB_TRY(nb_ptrs_push(p, &args, left));
    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    if (nb_sql_accept(p, NB_T_RPAREN)) {
        nb_raise(p->later, NB_COND_INVALID_SQL_SYNTAX_EMPTY_IN_PREDICATE, NULL);
        return nb_sql_error_here(p, in_token);
    }
    NB_TRY(nb_sql_parse_expr_list(p, &args));
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    *out = nb_sql_call(p, start, "in", args.n, (Sc__Expression *const *)args.items);
    NB_SQL_NEED(*out);
    return NB_OK;
}

/* LIKE ANY | SOME | ALL (p1, p2, …) */
static nb_status
parse_like_many(nb_sql_parser *p, size_t start, bool lower, bool negated, Sc__Expression *left,
                Sc__Expression **out)
{
    bool all = nb_sql_is_kw(p, NB_KW_ALL);
    nb_ptrs args = {0};

    nb_sql_skip(p);
    NB_TRY(nb_ptrs_push(p, &args, left));
    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    if (nb_sql_is(p, NB_T_RPAREN)) {
        nb_sql_skip(p);
        nb_raise(p->later, NB_COND_PARSE_SYNTAX_ERROR, "error", "')'", "hint", "", NULL);
        return nb_sql_error_here(p, start);
    }
    NB_TRY(nb_sql_parse_expr_list(p, &args));
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    for (size_t i = 0; i < args.n; i++) { /* ILIKE compares in lower case */
        args.items[i] = lower ? nb_sql_call1(p, start, "lower", args.items[i]) : args.items[i];
        NB_SQL_NEED(args.items[i]);
    }
    *out = nb_sql_call(p, start,
                       all ? (negated ? NB_SQL_FN_LIKE_MANY "not_all" : NB_SQL_FN_LIKE_MANY "all")
                           : (negated ? NB_SQL_FN_LIKE_MANY "not_any" : NB_SQL_FN_LIKE_MANY "any"),
                       args.n, (Sc__Expression *const *)args.items);
    NB_SQL_NEED(*out);
    return NB_OK;
}

static nb_status
parse_like(nb_sql_parser *p, size_t start, nb_keyword kind, bool *negated, Sc__Expression *left,
           Sc__Expression **out)
{
    const char *name = kind == NB_KW_LIKE ? "like" : kind == NB_KW_ILIKE ? "ilike" : "rlike";
    Sc__Expression *args[3] = {left, NULL, NULL};
    size_t n = 2;

    if (kind != NB_KW_RLIKE && nb_sql_ahead(p, 1)->kind == NB_T_LPAREN &&
        (nb_sql_is_kw(p, NB_KW_ANY) || nb_sql_is_kw(p, NB_KW_SOME) || nb_sql_is_kw(p, NB_KW_ALL))) {
        bool each = *negated;
        *negated = false;
        return parse_like_many(p, start, kind == NB_KW_ILIKE, each, left, out);
    }
    NB_TRY(nb_sql_parse_value(p, &args[1]));
    if (kind != NB_KW_RLIKE && nb_sql_is_kw(p, NB_KW_ESCAPE) &&
        nb_sql_ahead(p, 1)->kind == NB_T_STRING) {
        size_t at;
        nb_str escape;
        nb_sql_skip(p);
        at = p->pos;
        NB_TRY(nb_sql_parse_string(p, &escape));
        if (escape.len == 0 ||
            (escape.len > 1 && ((unsigned char)escape.data[0] < 0x80 || escape.len > 4))) {
            nb_raise(p->later, NB_COND_INVALID_ESC, "invalidEscape",
                     nb_arena_printf(p->arena, "'%.*s'", (int)escape.len, escape.data), NULL);
            NB_TRY(nb_sql_error_at(p, at, at));
        }
        args[n++] = nb_sql_string(p, escape);
    }
    *out = nb_sql_call(p, start, name, n, args);
    NB_SQL_NEED(*out);
    return NB_OK;
}

static nb_status
parse_is(nb_sql_parser *p, size_t start, Sc__Expression *left, bool *negated, Sc__Expression **out)
{
    if (nb_sql_is_kw(p, NB_KW_NOT) || nb_sql_is(p, NB_T_BANG)) {
        *negated = true;
        nb_sql_skip(p);
    }
    if (nb_sql_accept_kw(p, NB_KW_NULL) || nb_sql_accept_kw(p, NB_KW_UNKNOWN)) {
        *out = nb_sql_call1(p, start, *negated ? "isnotnull" : "isnull", left);
        *negated = false;
    } else if (nb_sql_is_kw(p, NB_KW_TRUE) || nb_sql_is_kw(p, NB_KW_FALSE)) {
        bool value = nb_sql_is_kw(p, NB_KW_TRUE);
        nb_sql_skip(p);
        *out = nb_sql_call2(p, start, "<=>", left, nb_sql_bool(p, value));
    } else if (nb_sql_accept_kw(p, NB_KW_DISTINCT)) {
        Sc__Expression *right;
        NB_TRY(nb_sql_expect_kw(p, NB_KW_FROM));
        NB_TRY(nb_sql_parse_value(p, &right));
        *out = nb_sql_call2(p, start, "<=>", left, right);
        *negated = !*negated;
    } else {
        return nb_sql_syntax_error(p);
    }
    NB_SQL_NEED(*out);
    return NB_OK;
}

/* Is the word at the cursor a predicate's? The next token tells it from an alias of the same name. */
static bool
at_predicate(const nb_sql_parser *p, size_t ahead)
{
    const nb_token *t = nb_sql_ahead(p, ahead), *after = nb_sql_ahead(p, ahead + 1);

    if (t->kind != NB_T_WORD) {
        return false;
    }
    switch (t->kw) {
    case NB_KW_IN: return after->kind == NB_T_LPAREN;
    case NB_KW_BETWEEN:
    case NB_KW_LIKE:
    case NB_KW_ILIKE:
    case NB_KW_RLIKE: return !nb_sql_ends_item(after) || after->kind == NB_T_EOF;
    default: return false;
    }
}

/* IS as a predicate, not as an alias */
static bool
opens_is(const nb_sql_parser *p)
{
    const nb_token *t = nb_sql_ahead(p, 1);

    if (t->kind != NB_T_WORD) {
        return t->kind != NB_T_COMMA && t->kind != NB_T_RPAREN;
    }
    return t->kw != NB_KW_FROM && t->kw != NB_KW_WHERE;
}

static nb_status
parse_predicate(nb_sql_parser *p, size_t start, Sc__Expression **inout)
{
    bool negated = false;
    nb_keyword kind;
    Sc__Expression *left = *inout;

    if (nb_sql_is_kw(p, NB_KW_IS) && opens_is(p)) {
        nb_sql_skip(p);
        NB_TRY(parse_is(p, start, left, &negated, inout));
    } else {
        if (nb_sql_is_kw(p, NB_KW_NOT) || nb_sql_is(p, NB_T_BANG)) {
            if (!at_predicate(p, 1)) {
                return NB_OK;
            }
            negated = true;
            nb_sql_skip(p);
        } else if (!at_predicate(p, 0)) {
            return NB_OK;
        }
        kind = (nb_keyword)nb_sql_cur(p)->kw;
        nb_sql_skip(p);
        if (kind == NB_KW_BETWEEN) {
            Sc__Expression *args[3] = {left, NULL, NULL};
            NB_TRY(nb_sql_parse_value(p, &args[1]));
            NB_TRY(nb_sql_expect_kw(p, NB_KW_AND));
            NB_TRY(nb_sql_parse_value(p, &args[2]));
            *inout = nb_sql_call(p, start, "between", 3, args);
        } else if (kind == NB_KW_IN) {
            NB_TRY(parse_in(p, start, left, inout));
        } else {
            NB_TRY(parse_like(p, start, kind, &negated, left, inout));
        }
        NB_SQL_NEED(*inout);
    }
    if (negated) {
        *inout = nb_sql_call1(p, start, "not", *inout);
        NB_SQL_NEED(*inout);
    }
    return NB_OK;
}

/* NOT … EXISTS (query) | value [predicate] */
static nb_status
parse_not(nb_sql_parser *p, Sc__Expression **out)
{
    size_t first = p->pos, start, n_not = 0;

    while (nb_sql_is(p, NB_T_BANG) ||
           (nb_sql_is_kw(p, NB_KW_NOT) && !nb_sql_ends_item(nb_sql_ahead(p, 1)) &&
            nb_sql_ahead(p, 1)->kind != NB_T_DOT && nb_sql_ahead(p, 1)->kind != NB_T_EQ)) {
        nb_sql_skip(p);
        n_not++;
    }
    if (n_not == 0 && nb_sql_is_kw(p, NB_KW_NOT) && nb_sql_ahead(p, 1)->kind == NB_T_EOF) {
        nb_sql_skip(p);
        return nb_sql_syntax_error(p);
    }
    if (n_not > MAX_CHAIN) {
        return nb_sql_too_complex(p);
    }
    start = p->pos;
    if (nb_sql_is_kw(p, NB_KW_EXISTS) && nb_sql_ahead(p, 1)->kind == NB_T_LPAREN &&
        nb_sql_ahead(p, 1)->is_query) {
        Sc__Relation *query;
        nb_sql_skip(p);
        NB_TRY(subquery_in_parens(p, &query));
        NB_TRY(nb_sql_subquery(p, start, query,
                               SC__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_EXISTS, NULL,
                               out));
    } else {
        NB_TRY(nb_sql_parse_value(p, out));
        NB_TRY(parse_predicate(p, start, out));
    }
    for (size_t i = 0; i < n_not; i++) {
        *out = nb_sql_call1(p, first + (n_not - 1 - i), "not", *out);
        NB_SQL_NEED(*out);
    }
    return NB_OK;
}

nb_status
nb_sql_parse_expr(nb_sql_parser *p, Sc__Expression **out)
{
    size_t or_start = p->pos, and_start = p->pos;
    nb_ptrs ors = {0}, ands = {0};
    Sc__Expression *e;

    NB_TRY(nb_sql_enter(p));
    for (;;) {
        NB_TRY(parse_not(p, &e));
        if (nb_sql_is_kw(p, NB_KW_AND)) {
            nb_sql_skip(p);
            NB_TRY(nb_ptrs_push(p, &ands, e));
            continue;
        }
        if (ands.n) {
            NB_TRY(nb_ptrs_push(p, &ands, e));
            e = balance(p, and_start, "and", (Sc__Expression **)ands.items, 0, ands.n - 1);
            NB_SQL_NEED(e);
            ands.n = 0;
        }
        if (!nb_sql_is_kw(p, NB_KW_OR)) {
            break;
        }
        nb_sql_skip(p);
        NB_TRY(nb_ptrs_push(p, &ors, e));
        and_start = p->pos;
    }
    if (ors.n) {
        NB_TRY(nb_ptrs_push(p, &ors, e));
        e = balance(p, or_start, "or", (Sc__Expression **)ors.items, 0, ors.n - 1);
        NB_SQL_NEED(e);
    }
    nb_sql_leave(p);
    *out = e;
    return NB_OK;
}

/* --- value expressions ------------------------------------------------------------------------ */

typedef struct binary_op {
    const char *name; /* NULL: no binary operator */
    int level;        /* higher binds tighter */
    int n_tokens;
    bool negated;
} binary_op;

enum { COMPARISON = 1, BIT_OR, BIT_XOR, BIT_AND, SHIFT, ADD, MULTIPLY };

/* > side by side */
static bool
adjacent_gt(const nb_sql_parser *p, size_t n)
{
    const nb_token *a = nb_sql_ahead(p, n - 1), *b = nb_sql_ahead(p, n);
    return b->kind == NB_T_GT && a->start + a->len == b->start;
}

static binary_op
operator_at(const nb_sql_parser *p)
{
    const nb_token *t = nb_sql_cur(p);

    switch ((nb_token_kind)t->kind) {
    case NB_T_EQ: return (binary_op){"==", COMPARISON, 1, false};
    case NB_T_NSEQ: return (binary_op){"<=>", COMPARISON, 1, false};
    case NB_T_NEQ:
    case NB_T_NEQJ: return (binary_op){"==", COMPARISON, 1, true};
    case NB_T_LT: return (binary_op){"<", COMPARISON, 1, false};
    case NB_T_LTE: return (binary_op){"<=", COMPARISON, 1, false};
    case NB_T_GTE: return (binary_op){">=", COMPARISON, 1, false};
    case NB_T_GT:
        if (adjacent_gt(p, 1)) {
            return adjacent_gt(p, 2) ? (binary_op){">>>", SHIFT, 3, false}
                                     : (binary_op){">>", SHIFT, 2, false};
        }
        return (binary_op){">", COMPARISON, 1, false};
    case NB_T_SHIFT_LEFT: return (binary_op){"<<", SHIFT, 1, false};
    case NB_T_PIPE: return (binary_op){"|", BIT_OR, 1, false};
    case NB_T_HAT: return (binary_op){"^", BIT_XOR, 1, false};
    case NB_T_AMPERSAND: return (binary_op){"&", BIT_AND, 1, false};
    case NB_T_PLUS: return (binary_op){"+", ADD, 1, false};
    case NB_T_MINUS: return (binary_op){"-", ADD, 1, false};
    case NB_T_CONCAT: return (binary_op){"concat", ADD, 1, false};
    case NB_T_STAR: return (binary_op){"*", MULTIPLY, 1, false};
    case NB_T_SLASH: return (binary_op){"/", MULTIPLY, 1, false};
    case NB_T_PERCENT: return (binary_op){"%", MULTIPLY, 1, false};
    case NB_T_WORD:
        if (t->kw == NB_KW_DIV && !nb_sql_ends_item(nb_sql_ahead(p, 1))) {
            return (binary_op){"div", MULTIPLY, 1, false};
        }
        break;
    default: break;
    }
    return (binary_op){NULL, 0, 0, false};
}

/* Signs in front of a primary. A minus right before a number belongs to the number: -2147483648 is an INT. */
static nb_status
parse_unary(nb_sql_parser *p, Sc__Expression **out)
{
    size_t first = p->pos, n;

    while ((nb_sql_is(p, NB_T_MINUS) && !nb_sql_at_number(p)) || nb_sql_is(p, NB_T_PLUS) ||
           nb_sql_is(p, NB_T_TILDE)) {
        nb_sql_skip(p);
    }
    n = p->pos - first;
    if (n > MAX_CHAIN) {
        return nb_sql_too_complex(p);
    }
    NB_TRY(nb_sql_parse_primary(p, out));
    while (n-- > 0) {
        nb_token_kind kind = (nb_token_kind)p->tokens.items[first + n].kind;
        *out = nb_sql_call1(p, first + n,
                            kind == NB_T_MINUS  ? "-"
                            : kind == NB_T_PLUS ? "positive"
                                                : "~",
                            *out);
        NB_SQL_NEED(*out);
    }
    return NB_OK;
}

/* One operand, then every operator that binds at least as tightly as level; an explicit stack instead of recursion. */
nb_status
nb_sql_parse_value(nb_sql_parser *p, Sc__Expression **out)
{
    /* levels rise strictly up the stack, so it never holds more than one entry per level */
    struct {
        Sc__Expression *left;
        binary_op op;
        size_t start;
    } stack[MULTIPLY + 1];
    size_t depth = 0, chain = 0, start = p->pos;
    Sc__Expression *e;

    NB_TRY(nb_sql_enter(p));
    for (;;) {
        size_t operand = p->pos;
        binary_op op;

        NB_TRY(parse_unary(p, &e));
        op = operator_at(p);
        start = operand;
        while (depth > 0 && stack[depth - 1].op.level >= op.level) {
            depth--;
            start = stack[depth].start;
            e = nb_sql_call2(p, start, stack[depth].op.name, stack[depth].left, e);
            if (e && stack[depth].op.negated) {
                e = nb_sql_call1(p, start, "not", e);
            }
            NB_SQL_NEED(e);
        }
        if (!op.name) {
            break;
        }
        if (++chain > MAX_CHAIN) {
            return nb_sql_too_complex(p);
        }
        stack[depth].left = e;
        stack[depth].op = op;
        stack[depth].start = start;
        depth++;
        for (int i = 0; i < op.n_tokens; i++) {
            nb_sql_skip(p);
        }
    }
    nb_sql_leave(p);
    *out = e;
    return NB_OK;
}

/* --- lists and names -------------------------------------------------------------------------- */

nb_status
nb_sql_parse_expr_list(nb_sql_parser *p, nb_ptrs *out)
{
    do {
        Sc__Expression *e;
        NB_TRY(nb_sql_parse_expr(p, &e));
        NB_TRY(nb_ptrs_push(p, out, e));
    } while (nb_sql_accept(p, NB_T_COMMA));
    return NB_OK;
}

/* `a AS` at the end, or `a AS FROM t`: AS itself is the alias. */
static bool
as_is_alias(const nb_sql_parser *p)
{
    return nb_sql_ends_item(nb_sql_ahead(p, 1)) ||
           (nb_sql_at_clause_ahead(p, 1) && !nb_sql_ends_item(nb_sql_ahead(p, 2)) &&
            !nb_sql_at_clause_ahead(p, 2));
}

/* FROM t INSERT … SELECT a INSERT INTO …: the next statement, not an alias */
static bool
at_next_insert(const nb_sql_parser *p)
{
    return nb_sql_is_kw(p, NB_KW_INSERT) &&
           (nb_sql_ahead_is_kw(p, 1, NB_KW_INTO) || nb_sql_ahead_is_kw(p, 1, NB_KW_OVERWRITE));
}

nb_status
nb_sql_parse_named_expr(nb_sql_parser *p, bool before_for, Sc__Expression **out)
{
    size_t start = p->pos;
    nb_names names = {0};

    NB_TRY(nb_sql_parse_expr(p, out));
    if (nb_sql_is_kw(p, NB_KW_AS) && !as_is_alias(p)) {
        nb_sql_skip(p);
        if (!nb_sql_is_name(nb_sql_cur(p)) && !nb_sql_is(p, NB_T_LPAREN)) {
            return nb_sql_syntax_error(p);
        }
    } else if (nb_sql_is(p, NB_T_LPAREN)) { /* stack(2, 1, 2) (a) */
    } else if (!nb_sql_is_name(nb_sql_cur(p)) || at_next_insert(p) ||
               (nb_sql_at_clause(p) && !nb_sql_is_kw(p, NB_KW_SELECT)) ||
               (before_for && nb_sql_is_kw(p, NB_KW_FOR) && !nb_sql_ahead_is_kw(p, 1, NB_KW_FOR))) {
        return NB_OK;
    }
    if (nb_sql_is(p, NB_T_LPAREN)) {
        NB_TRY(nb_sql_parse_ident_list(p, &names));
    } else {
        nb_str name;
        NB_TRY(nb_sql_parse_ident(p, &name));
        NB_TRY(nb_names_push(p, &names, name));
    }
    *out = nb_sql_alias(p, start, *out, &names);
    NB_SQL_NEED(*out);
    return NB_OK;
}

nb_status
nb_sql_parse_named_expr_list(nb_sql_parser *p, bool before_for, nb_ptrs *out)
{
    do {
        Sc__Expression *e;
        NB_TRY(nb_sql_parse_named_expr(p, before_for, &e));
        NB_TRY(nb_ptrs_push(p, out, e));
    } while (nb_sql_accept(p, NB_T_COMMA));
    return NB_OK;
}

nb_status
nb_sql_parse_sort_items(nb_sql_parser *p, nb_ptrs *out)
{
    do {
        Sc__Expression__SortOrder *o =
            NB_SQL_NEW(p, Sc__Expression__SortOrder, SC__EXPRESSION__SORT_ORDER__INIT);
        bool descending = false, nulls_first;

        NB_SQL_NEED(o);
        NB_TRY(nb_sql_parse_expr(p, &o->child));
        if (nb_sql_accept_kw(p, NB_KW_DESC)) {
            descending = true;
        } else {
            nb_sql_accept_kw(p, NB_KW_ASC);
        }
        nulls_first = !descending;
        if (nb_sql_accept_kw(p, NB_KW_NULLS)) {
            nulls_first = nb_sql_is_kw(p, NB_KW_FIRST);
            if (!nulls_first && !nb_sql_is_kw(p, NB_KW_LAST)) {
                return nb_sql_syntax_error(p);
            }
            nb_sql_skip(p);
        }
        o->has_direction = o->has_null_ordering = true;
        o->direction = descending
                           ? SC__EXPRESSION__SORT_ORDER__SORT_DIRECTION__SORT_DIRECTION_DESCENDING
                           : SC__EXPRESSION__SORT_ORDER__SORT_DIRECTION__SORT_DIRECTION_ASCENDING;
        o->null_ordering = nulls_first ? SC__EXPRESSION__SORT_ORDER__NULL_ORDERING__SORT_NULLS_FIRST
                                       : SC__EXPRESSION__SORT_ORDER__NULL_ORDERING__SORT_NULLS_LAST;
        NB_TRY(nb_ptrs_push(p, out, o));
    } while (nb_sql_accept(p, NB_T_COMMA));
    return NB_OK;
}
