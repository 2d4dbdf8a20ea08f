/* SPDX-License-Identifier: Apache-2.0 */
/*
 * primary.c: operands: names, literals, parameters, parentheses, lambdas, CASE, and what may follow them ([i], .field, ::type, COLLATE).
 */
#include "sql/parse_state.h"

static bool
is_lambda_variable(const nb_sql_parser *p, nb_str name)
{
    for (const nb_lambda_scope *s = p->lambda; s; s = s->outer) {
        for (size_t i = 0; i < s->variables->n; i++) {
            if (nb_str_equal_nocase(s->variables->items[i], name)) {
                return true;
            }
        }
    }
    return false;
}

static Sc__Expression__UnresolvedNamedLambdaVariable *
lambda_variable(nb_sql_parser *p, const nb_str *parts, size_t n)
{
    Sc__Expression__UnresolvedNamedLambdaVariable *v =
        NB_SQL_NEW(p, Sc__Expression__UnresolvedNamedLambdaVariable,
                   SC__EXPRESSION__UNRESOLVED_NAMED_LAMBDA_VARIABLE__INIT);

    if (!v || !(v->name_parts = NB_ARENA_ARRAY(p->arena, ProtobufCBinaryData, n))) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        v->name_parts[i] = nb_sql_bytes(parts[i]);
    }
    v->n_name_parts = n;
    return v;
}

/* A name that is no function: a variable of a lambda around it, or a column. */
static nb_status
reference(nb_sql_parser *p, size_t start, const nb_names *parts, Sc__Expression **out)
{
    if (p->lambda && is_lambda_variable(p, parts->items[0])) {
        Sc__Expression *e = nb_sql_expr(p, start);
        NB_SQL_NEED(e);
        e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_NAMED_LAMBDA_VARIABLE;
        e->unresolved_named_lambda_variable = lambda_variable(p, parts->items, parts->n);
        NB_SQL_NEED(e->unresolved_named_lambda_variable);
        *out = e;
        return NB_OK;
    }
    *out = nb_sql_attribute(p, start, parts);
    NB_SQL_NEED(*out);
    return NB_OK;
}

/* variables -> body, with the cursor behind the variables */
static nb_status
parse_lambda(nb_sql_parser *p, size_t start, const nb_names *variables, Sc__Expression **out)
{
    nb_lambda_scope scope = {p->lambda, variables};
    Sc__Expression__LambdaFunction *f =
        NB_SQL_NEW(p, Sc__Expression__LambdaFunction, SC__EXPRESSION__LAMBDA_FUNCTION__INIT);
    Sc__Expression *e;

    NB_SQL_NEED(f);
    NB_TRY(nb_sql_expect(p, NB_T_ARROW));
    p->lambda = &scope;
    NB_TRY(nb_sql_parse_expr(p, &f->function));
    p->lambda = scope.outer;
    f->n_arguments = variables->n;
    f->arguments =
        NB_ARENA_ARRAY(p->arena, Sc__Expression__UnresolvedNamedLambdaVariable *, variables->n);
    NB_SQL_NEED(f->arguments);
    for (size_t i = 0; i < variables->n; i++) {
        f->arguments[i] = lambda_variable(p, &variables->items[i], 1);
        NB_SQL_NEED(f->arguments[i]);
    }
    e = nb_sql_expr(p, start);
    NB_SQL_NEED(e);
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_LAMBDA_FUNCTION;
    e->lambda_function = f;
    *out = e;
    return NB_OK;
}

/* "(" a, b … ")" "->" at the cursor? A single variable in parentheses is no lambda in Spark either. */
static bool
at_lambda_list(const nb_sql_parser *p)
{
    const nb_token *t = nb_sql_cur(p);

    return t->match && p->tokens.items[t->match + 1].kind == NB_T_ARROW &&
           nb_sql_is_name(nb_sql_ahead(p, 1)) && nb_sql_ahead(p, 2)->kind == NB_T_COMMA;
}

/* What a value in a row is called: its alias, its column's name, or col1, col2, … */
static nb_status
row_name(nb_sql_parser *p, const Sc__Expression *e, size_t i, nb_str *out)
{
    if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS && e->alias->n_name == 1) {
        *out = (nb_str){(const char *)e->alias->name[0].data, e->alias->name[0].len};
        return NB_OK;
    }
    if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE) {
        nb_names parts = {0};
        NB_TRY(nb_sql_split_name(
            p, 0,
            (nb_str){(const char *)e->unresolved_attribute->unparsed_identifier.data,
                     e->unresolved_attribute->unparsed_identifier.len},
            &parts));
        *out = parts.items[parts.n - 1];
        return NB_OK;
    }
    *out = nb_str_of(nb_arena_printf(p->arena, "col%zu", i + 1));
    return out->data ? NB_OK : NB_NOMEM;
}

/* (a, b) → named_struct('a', a, 'b', b) */
static nb_status
make_row(nb_sql_parser *p, size_t start, const nb_ptrs *items, Sc__Expression **out)
{
    nb_ptrs args = {0};

    for (size_t i = 0; i < items->n; i++) {
        nb_str name;
        NB_TRY(row_name(p, items->items[i], i, &name));
        NB_TRY(nb_ptrs_push(p, &args, nb_sql_string(p, name)));
        NB_TRY(nb_ptrs_push(p, &args, items->items[i]));
    }
    *out = nb_sql_call(p, start, "named_struct", args.n, (Sc__Expression *const *)args.items);
    NB_SQL_NEED(*out);
    p->row = *out;
    p->row_values = *items;
    return NB_OK;
}

static nb_status
parse_parenthesis(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    nb_ptrs items = {0};
    Sc__Expression *e;

    if (nb_sql_cur(p)->is_query) {
        Sc__Relation *query;
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_query_at(p, &query));
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        return nb_sql_subquery(p, start, query,
                               SC__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_SCALAR, NULL,
                               out);
    }
    if (at_lambda_list(p)) {
        nb_names variables = {0};
        NB_TRY(nb_sql_parse_ident_list(p, &variables));
        return parse_lambda(p, start, &variables, out);
    }
    nb_sql_skip(p);
    NB_TRY(nb_sql_parse_named_expr(p, false, &e));
    if (nb_sql_is(p, NB_T_RPAREN) && e->expr_type_case != SC__EXPRESSION__EXPR_TYPE_ALIAS) {
        nb_sql_skip(p);
        *out = e;
        return NB_OK;
    }
    NB_TRY(nb_ptrs_push(p, &items, e));
    if (!nb_sql_accept(p, NB_T_COMMA)) {
        if (nb_sql_is(p, NB_T_EOF)) {
            return nb_sql_syntax_error(p);
        }
        return e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS ? nb_sql_syntax_error(p)
                                                                    : nb_sql_expect(p, NB_T_RPAREN);
    }
    NB_TRY(nb_sql_parse_named_expr_list(p, false, &items));
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    return make_row(p, start, &items, out);
}

/* CASE as a keyword, not as a column of that name. */
static bool
opens_case(const nb_sql_parser *p)
{
    const nb_token *after = nb_sql_ahead(p, 1), *then = nb_sql_ahead(p, 2);

    if (nb_sql_ends_item(after) || after->kind == NB_T_DOT ||
        (after->kind >= NB_T_EQ && after->kind <= NB_T_SHIFT_LEFT)) {
        return false;
    }
    if (after->kind == NB_T_WORD &&
        (after->kw == NB_KW_FROM || after->kw == NB_KW_AS || after->kw == NB_KW_END)) {
        return nb_sql_is_name(then) ? then->kind == NB_T_WORD && then->kw == NB_KW_WHEN
                                    : then->kind == NB_T_DOT;
    }
    return true;
}

static nb_status
parse_case(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    Sc__Expression *value = NULL;
    nb_ptrs args = {0};

    nb_sql_skip(p);
    if (!nb_sql_is_kw(p, NB_KW_WHEN)) {
        NB_TRY(nb_sql_parse_expr(p, &value));
    }
    do {
        Sc__Expression *when, *then;
        size_t at = p->pos;
        NB_TRY(nb_sql_expect_kw(p, NB_KW_WHEN));
        NB_TRY(nb_sql_parse_expr(p, &when));
        if (value) {
            when = nb_sql_call2(p, at, "==", value, when);
        }
        NB_TRY(nb_ptrs_push(p, &args, when));
        NB_TRY(nb_sql_expect_kw(p, NB_KW_THEN));
        NB_TRY(nb_sql_parse_expr(p, &then));
        NB_TRY(nb_ptrs_push(p, &args, then));
    } while (nb_sql_is_kw(p, NB_KW_WHEN));
    if (nb_sql_accept_kw(p, NB_KW_ELSE)) {
        Sc__Expression *otherwise;
        NB_TRY(nb_sql_parse_expr(p, &otherwise));
        NB_TRY(nb_ptrs_push(p, &args, otherwise));
    }
    NB_TRY(nb_sql_expect_kw(p, NB_KW_END));
    *out = nb_sql_call(p, start, "when", args.n, (Sc__Expression *const *)args.items);
    NB_SQL_NEED(*out);
    return NB_OK;
}

/* * or qualifier.*, with EXCEPT (…); the cursor is on the asterisk */
static nb_status
parse_star(nb_sql_parser *p, size_t start, const nb_names *qualifier, Sc__Expression **out)
{
    Sc__Expression__UnresolvedStar *star =
        NB_SQL_NEW(p, Sc__Expression__UnresolvedStar, SC__EXPRESSION__UNRESOLVED_STAR__INIT);
    Sc__Expression *e;

    NB_SQL_NEED(star);
    nb_sql_skip(p);
    if (qualifier) {
        nb_str text = nb_sql_quote(p->arena, qualifier->items, qualifier->n);
        char *target =
            nb_arena_printf(p->arena, "%.*s.*", (int)text.len, text.data ? text.data : "");
        NB_SQL_NEED(target);
        star->has_unparsed_target = true;
        star->unparsed_target = nb_sql_bytes(nb_str_of(target));
    }
    e = nb_sql_expr(p, start);
    NB_SQL_NEED(e);
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_STAR;
    e->unresolved_star = star;
    *out = e;
    if (nb_sql_is_kw(p, NB_KW_EXCEPT) && nb_sql_ahead(p, 1)->kind == NB_T_LPAREN &&
        !nb_sql_ahead(p, 1)->is_query) {
        nb_ptrs args = {0};
        nb_sql_skip(p);
        nb_sql_skip(p);
        NB_TRY(nb_ptrs_push(p, &args, e));
        do {
            size_t at = p->pos;
            nb_names parts = {0};
            NB_TRY(nb_sql_parse_multipart(p, &parts));
            NB_TRY(nb_ptrs_push(p, &args, nb_sql_attribute(p, at, &parts)));
        } while (nb_sql_accept(p, NB_T_COMMA));
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        *out = nb_sql_internal(p, start, NB_SQL_FN_STAR_EXCEPT, &args);
        NB_SQL_NEED(*out);
    }
    return NB_OK;
}

static nb_status
parse_parameter(nb_sql_parser *p, Sc__Expression **out)
{
    const nb_sql_options *o = p->options;
    nb_str name;
    char *text;

    if (nb_sql_accept(p, NB_T_QUESTION)) {
        if (o && p->n_positional_used < o->n_positional) {
            *out = o->positional[p->n_positional_used++];
            return NB_OK;
        }
        text = nb_arena_printf(p->arena, "_%u", p->tokens.items[p->pos - 1].cp_start);
    } else {
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_ident_no_dash(p, &name));
        for (size_t i = 0; o && i < o->n_named; i++) {
            if (nb_str_equal(o->named[i].name, name)) {
                *out = o->named[i].value;
                return NB_OK;
            }
        }
        text = nb_arena_strdup(p->arena, name);
    }
    NB_SQL_NEED(text);
    nb_raise(p->later, NB_COND_UNBOUND_SQL_PARAMETER, "name", text, NULL);
    *out = nb_sql_null(p);
    NB_SQL_NEED(*out);
    return NB_OK;
}

static nb_status
parse_keyword_literal(nb_sql_parser *p, nb_keyword kw, Sc__Expression **out)
{
    nb_sql_skip(p);
    *out = kw == NB_KW_NULL ? nb_sql_null(p) : nb_sql_bool(p, kw == NB_KW_TRUE);
    NB_SQL_NEED(*out);
    return NB_OK;
}

/* A word or quoted name: column, function, qualified star, lambda, or one of the forms that words open. */
static nb_status
parse_word(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    const nb_token *t = nb_sql_cur(p), *after = nb_sql_ahead(p, 1);
    nb_names parts = {0};
    nb_str part;

    if (after->kind == NB_T_ARROW) {
        NB_TRY(nb_sql_parse_ident_no_dash(p, &part));
        NB_TRY(nb_names_push(p, &parts, part));
        return parse_lambda(p, start, &parts, out);
    }
    if (t->kind == NB_T_WORD && t->kw != NB_NOT_KEYWORD) {
        switch ((nb_keyword)t->kw) {
        case NB_KW_NULL:
        case NB_KW_TRUE:
        case NB_KW_FALSE:
            if (after->kind != NB_T_LPAREN && after->kind != NB_T_DOT) {
                return parse_keyword_literal(p, (nb_keyword)t->kw, out);
            }
            break;
        case NB_KW_CASE:
            if (opens_case(p)) {
                return parse_case(p, out);
            }
            break;
        case NB_KW_INTERVAL:
            if (nb_sql_at_interval(p)) {
                return nb_sql_parse_interval(p, out);
            }
            break;
        case NB_KW_IDENTIFIER:
            if (after->kind == NB_T_LPAREN) {
                NB_TRY(nb_sql_parse_multipart(p, &parts));
                return nb_sql_is(p, NB_T_LPAREN) ? nb_sql_parse_function_call(p, start, &parts, out)
                                                 : reference(p, start, &parts, out);
            }
            break;
        default: break;
        }
        if (after->kind == NB_T_LPAREN) {
            *out = NULL;
            NB_TRY(nb_sql_parse_special_call(p, out));
            if (*out) {
                return NB_OK;
            }
        }
    }
    if (after->kind == NB_T_STRING) {
        return nb_sql_parse_typed_literal(p, out);
    }
    NB_TRY(nb_sql_parse_ident_no_dash(p, &part));
    NB_TRY(nb_names_push(p, &parts, part));
    while (nb_sql_is(p, NB_T_DOT)) {
        if (nb_sql_is_name(nb_sql_ahead(p, 1))) {
            nb_sql_skip(p);
            NB_TRY(nb_sql_parse_ident_no_dash(p, &part));
            NB_TRY(nb_names_push(p, &parts, part));
        } else {
            nb_sql_skip(p);
            return nb_sql_is(p, NB_T_STAR) ? parse_star(p, start, &parts, out)
                                           : nb_sql_syntax_error(p);
        }
    }
    if (nb_sql_is(p, NB_T_LPAREN)) {
        return nb_sql_parse_function_call(p, start, &parts, out);
    }
    return reference(p, start, &parts, out);
}

static nb_status
parse_operand(nb_sql_parser *p, Sc__Expression **out)
{
    const nb_token *t = nb_sql_cur(p);

    if (nb_sql_at_number(p)) {
        return nb_sql_parse_number(p, out);
    }
    switch ((nb_token_kind)t->kind) {
    case NB_T_STRING: {
        nb_str text;
        NB_TRY(nb_sql_parse_string(p, &text));
        *out = nb_sql_string(p, text);
        NB_SQL_NEED(*out);
        return NB_OK;
    }
    case NB_T_LPAREN: return parse_parenthesis(p, out);
    case NB_T_STAR: return parse_star(p, p->pos, NULL, out);
    case NB_T_QUESTION: return parse_parameter(p, out);
    case NB_T_COLON:
        if (nb_sql_is_name(nb_sql_ahead(p, 1))) {
            return parse_parameter(p, out);
        }
        return nb_sql_syntax_error(p);
    case NB_T_WORD:
    case NB_T_BACKQUOTED: return parse_word(p, out);
    default: return nb_sql_syntax_error(p);
    }
}

static nb_status
extract(nb_sql_parser *p, size_t start, Sc__Expression *child, Sc__Expression *key,
        Sc__Expression **out)
{
    Sc__Expression *e = nb_sql_expr(p, start);
    Sc__Expression__UnresolvedExtractValue *x = NB_SQL_NEW(
        p, Sc__Expression__UnresolvedExtractValue, SC__EXPRESSION__UNRESOLVED_EXTRACT_VALUE__INIT);

    NB_SQL_NEED(e);
    NB_SQL_NEED(x);
    NB_SQL_NEED(key);
    x->child = child;
    x->extraction = key;
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_EXTRACT_VALUE;
    e->unresolved_extract_value = x;
    *out = e;
    return NB_OK;
}

nb_status
nb_sql_parse_primary(nb_sql_parser *p, Sc__Expression **out)
{
    enum { MAX_POSTFIXES = 10000 };
    size_t start = p->pos;
    int n = 0;

    NB_TRY(parse_operand(p, out));
    for (;; n++) {
        if (n > MAX_POSTFIXES) {
            return nb_sql_too_complex(p);
        }
        if (nb_sql_accept(p, NB_T_LBRACKET)) {
            Sc__Expression *index;
            NB_TRY(nb_sql_parse_value(p, &index));
            NB_TRY(nb_sql_expect(p, NB_T_RBRACKET));
            NB_TRY(extract(p, start, *out, index, out));
        } else if (nb_sql_is(p, NB_T_DOT) && nb_sql_is_name(nb_sql_ahead(p, 1))) {
            nb_str field;
            nb_sql_skip(p);
            NB_TRY(nb_sql_parse_ident_no_dash(p, &field));
            NB_TRY(extract(p, start, *out, nb_sql_string(p, field), out));
        } else if (nb_sql_accept(p, NB_T_DOUBLE_COLON)) {
            Sc__Expression__Cast *cast =
                NB_SQL_NEW(p, Sc__Expression__Cast, SC__EXPRESSION__CAST__INIT);
            NB_SQL_NEED(cast);
            cast->expr = *out;
            cast->cast_to_type_case = SC__EXPRESSION__CAST__CAST_TO_TYPE_TYPE;
            NB_TRY(nb_sql_parse_cast_type(p, &cast->type));
            *out = nb_sql_expr(p, start);
            NB_SQL_NEED(*out);
            (*out)->expr_type_case = SC__EXPRESSION__EXPR_TYPE_CAST;
            (*out)->cast = cast;
        } else if (nb_sql_is_kw(p, NB_KW_COLLATE) && nb_sql_is_name(nb_sql_ahead(p, 1)) &&
                   !nb_sql_at_clause(p)) {
            nb_names name = {0};
            nb_str text;
            nb_sql_skip(p);
            NB_TRY(nb_sql_parse_multipart(p, &name));
            text = nb_sql_quote(p->arena, name.items, name.n);
            *out = nb_sql_call2(p, start, "collate", *out, nb_sql_string(p, text));
            NB_SQL_NEED(*out);
        } else {
            return NB_OK;
        }
    }
}
