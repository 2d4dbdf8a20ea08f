/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c: function calls with what may stand behind them, and the functions that have a grammar of their own.
 */
#include "sql/parse_state.h"

/* Puts an internal function around a call: (call, extra…). */
static nb_status
wrap(nb_sql_parser *p, size_t start, const char *name, Sc__Expression **call, const nb_ptrs *extra)
{
    nb_ptrs args = {0};

    NB_TRY(nb_ptrs_push(p, &args, *call));
    for (size_t i = 0; extra && i < extra->n; i++) {
        NB_TRY(nb_ptrs_push(p, &args, extra->items[i]));
    }
    *call = nb_sql_internal(p, start, name, &args);
    NB_SQL_NEED(*call);
    return NB_OK;
}

/* WITHIN GROUP, FILTER, IGNORE NULLS, OVER, in this order. */
static nb_status
parse_suffixes(nb_sql_parser *p, size_t start, Sc__Expression **call)
{
    const nb_token *after = nb_sql_ahead(p, 1);

    if (!nb_sql_is(p, NB_T_WORD)) {
        return NB_OK;
    }
    if (nb_sql_is_kw(p, NB_KW_WITHIN) && nb_sql_ahead_is_kw(p, 1, NB_KW_GROUP)) {
        nb_ptrs orders = {0};
        nb_sql_skip(p);
        nb_sql_skip(p);
        NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
        NB_TRY(nb_sql_expect_kw(p, NB_KW_ORDER));
        NB_TRY(nb_sql_expect_kw(p, NB_KW_BY));
        NB_TRY(nb_sql_parse_sort_items(p, &orders));
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        for (size_t i = 0; i < orders.n; i++) {
            Sc__Expression *e = nb_sql_expr(p, start);
            NB_SQL_NEED(e);
            e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_SORT_ORDER;
            e->sort_order = orders.items[i];
            orders.items[i] = e;
        }
        NB_TRY(wrap(p, start, NB_SQL_FN_WITHIN_GROUP, call, &orders));
        after = nb_sql_ahead(p, 1);
    }
    if (nb_sql_is_kw(p, NB_KW_FILTER) && after->kind == NB_T_LPAREN) {
        nb_ptrs extra = {0};
        Sc__Expression *condition;
        nb_sql_skip(p);
        nb_sql_skip(p);
        NB_TRY(nb_sql_expect_kw(p, NB_KW_WHERE));
        NB_TRY(nb_sql_parse_expr(p, &condition));
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        NB_TRY(nb_ptrs_push(p, &extra, condition));
        NB_TRY(wrap(p, start, NB_SQL_FN_FILTER, call, &extra));
    }
    if ((nb_sql_is_kw(p, NB_KW_IGNORE) || nb_sql_is_kw(p, NB_KW_RESPECT)) &&
        nb_sql_ahead_is_kw(p, 1, NB_KW_NULLS)) {
        bool ignore = nb_sql_is_kw(p, NB_KW_IGNORE);
        nb_sql_skip(p);
        nb_sql_skip(p);
        NB_TRY(
            wrap(p, start, ignore ? NB_SQL_FN_IGNORE_NULLS : NB_SQL_FN_RESPECT_NULLS, call, NULL));
    }
    if (nb_sql_is_kw(p, NB_KW_OVER) &&
        (nb_sql_ahead(p, 1)->kind == NB_T_LPAREN || nb_sql_is_name(nb_sql_ahead(p, 1)))) {
        nb_sql_skip(p);
        return nb_sql_parse_over(p, start, *call, call);
    }
    return NB_OK;
}

nb_status
nb_sql_parse_argument(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;

    if (nb_sql_is_name(nb_sql_cur(p)) && nb_sql_ahead(p, 1)->kind == NB_T_FAT_ARROW) {
        Sc__NamedArgumentExpression *named =
            NB_SQL_NEW(p, Sc__NamedArgumentExpression, SC__NAMED_ARGUMENT_EXPRESSION__INIT);
        nb_str key;
        NB_SQL_NEED(named);
        NB_TRY(nb_sql_parse_ident_no_dash(p, &key));
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_expr(p, &named->value));
        named->has_key = true;
        named->key = nb_sql_bytes(key);
        *out = nb_sql_expr(p, start);
        NB_SQL_NEED(*out);
        (*out)->expr_type_case = SC__EXPRESSION__EXPR_TYPE_NAMED_ARGUMENT_EXPRESSION;
        (*out)->named_argument_expression = named;
        return NB_OK;
    }
    return nb_sql_parse_expr(p, out);
}

static bool
is_plain_star(const Sc__Expression *e)
{
    return e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_STAR &&
           !e->unresolved_star->has_unparsed_target;
}

/* Builds the call once its arguments are read and the cursor is behind ")". */
static nb_status
finish_call(nb_sql_parser *p, size_t start, const nb_names *name, nb_ptrs *args, bool distinct,
            Sc__Expression **out)
{
    nb_names plain = *name;

    if ((plain.n == 3 && nb_str_equal_nocase(plain.items[0], NB_STR("system")) &&
         nb_str_equal_nocase(plain.items[1], NB_STR("builtin"))) ||
        (plain.n == 2 && nb_str_equal_nocase(plain.items[0], NB_STR("builtin")))) {
        plain = (nb_names){name->items + name->n - 1, 1, 1};
    }
    name = &plain;
    if (name->n == 1) {
        if (args->n == 1 && !distinct && is_plain_star(args->items[0]) &&
            nb_str_equal_nocase(name->items[0], NB_STR("count"))) {
            args->items[0] = nb_sql_int(p, 1);
        }
        *out = nb_sql_call_named(p, start, name->items[0], args);
        NB_SQL_NEED(*out);
        if (distinct) {
            (*out)->unresolved_function->has_is_distinct =
                (*out)->unresolved_function->is_distinct = true;
        }
    } else {
        nb_str text = nb_sql_quote(p->arena, name->items, name->n);
        if (distinct) {
            *out = nb_sql_call_named(p, start, text, args);
            NB_SQL_NEED(*out);
            (*out)->unresolved_function->has_is_distinct =
                (*out)->unresolved_function->is_distinct = true;
            (*out)->unresolved_function->has_is_user_defined_function = true;
            (*out)->unresolved_function->is_user_defined_function =
                true; /* the name has several parts */
        } else {
            Sc__CallFunction *c = NB_SQL_NEW(p, Sc__CallFunction, SC__CALL_FUNCTION__INIT);
            *out = nb_sql_expr(p, start);
            NB_SQL_NEED(*out);
            NB_SQL_NEED(c);
            NB_SQL_NEED(text.data);
            c->has_function_name = true;
            c->function_name = nb_sql_bytes(text);
            c->n_arguments = args->n;
            c->arguments = (Sc__Expression **)args->items;
            (*out)->expr_type_case = SC__EXPRESSION__EXPR_TYPE_CALL_FUNCTION;
            (*out)->call_function = c;
        }
    }
    return parse_suffixes(p, start, out);
}

/* The rest of the arguments and ")", args holding those already read (then a comma or ")" follows). */
static nb_status
finish_arguments(nb_sql_parser *p, size_t start, const nb_names *name, nb_ptrs *args,
                 Sc__Expression **out)
{
    while (nb_sql_accept(p, NB_T_COMMA)) {
        Sc__Expression *e;
        NB_TRY(nb_sql_parse_argument(p, &e));
        NB_TRY(nb_ptrs_push(p, args, e));
    }
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    return finish_call(p, start, name, args, false, out);
}

nb_status
nb_sql_parse_function_call(nb_sql_parser *p, size_t start, const nb_names *name,
                           Sc__Expression **out)
{
    nb_ptrs args = {0};
    bool distinct = false;

    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    if (nb_sql_accept(p, NB_T_RPAREN)) {
        return finish_call(p, start, name, &args, false, out);
    }
    if ((nb_sql_is_kw(p, NB_KW_DISTINCT) || nb_sql_is_kw(p, NB_KW_ALL)) &&
        !nb_sql_ends_item(nb_sql_ahead(p, 1)) && nb_sql_ahead(p, 1)->kind != NB_T_DOT) {
        distinct = nb_sql_is_kw(p, NB_KW_DISTINCT);
        nb_sql_skip(p);
    }
    do {
        Sc__Expression *e;
        NB_TRY(nb_sql_parse_argument(p, &e));
        NB_TRY(nb_ptrs_push(p, &args, e));
    } while (nb_sql_accept(p, NB_T_COMMA));
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    return finish_call(p, start, name, &args, distinct, out);
}

/* --- functions with a grammar of their own ------------------------------------------------------ */

/* The word at start as the one part of a function's name. */
static nb_status
own_name(nb_sql_parser *p, size_t start, nb_names *out)
{
    return nb_names_push(p, out, nb_sql_token_text(p, &p->tokens.items[start]));
}

/* The word at start as an ordinary function, its first argument read already. */
static nb_status
call_by_name(nb_sql_parser *p, size_t start, Sc__Expression *first, Sc__Expression **out)
{
    nb_names name = {0};
    nb_ptrs args = {0};

    NB_TRY(own_name(p, start, &name));
    if (first) {
        NB_TRY(nb_ptrs_push(p, &args, first));
    }
    return finish_arguments(p, start, &name, &args, out);
}

static nb_status
parse_cast(nb_sql_parser *p, bool try_cast, Sc__Expression **out)
{
    size_t start = p->pos;
    Sc__Expression__Cast *cast = NB_SQL_NEW(p, Sc__Expression__Cast, SC__EXPRESSION__CAST__INIT);

    NB_SQL_NEED(cast);
    nb_sql_skip(p);
    nb_sql_skip(p);
    if (nb_sql_is(p, NB_T_RPAREN)) {
        return call_by_name(p, start, NULL, out);
    }
    NB_TRY(nb_sql_parse_argument(p, &cast->expr));
    if (nb_sql_is(p, NB_T_RPAREN) || nb_sql_is(p, NB_T_COMMA)) {
        return call_by_name(p, start, cast->expr,
                            out); /* the analyzer says how many arguments there are */
    }
    NB_TRY(nb_sql_expect_kw(p, NB_KW_AS));
    cast->cast_to_type_case = SC__EXPRESSION__CAST__CAST_TO_TYPE_TYPE;
    NB_TRY(nb_sql_parse_cast_type(p, &cast->type));
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    if (try_cast) {
        cast->has_eval_mode = true;
        cast->eval_mode = SC__EXPRESSION__CAST__EVAL_MODE__EVAL_MODE_TRY;
    }
    *out = nb_sql_expr(p, start);
    NB_SQL_NEED(*out);
    (*out)->expr_type_case = SC__EXPRESSION__EXPR_TYPE_CAST;
    (*out)->cast = cast;
    return NB_OK;
}

static nb_status
parse_struct(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    nb_ptrs args = {0};

    nb_sql_skip(p);
    nb_sql_skip(p);
    if (!nb_sql_is(p, NB_T_RPAREN)) {
        NB_TRY(nb_sql_parse_named_expr_list(p, false, &args));
    }
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    *out = nb_sql_call(p, start, "struct", args.n, (Sc__Expression *const *)args.items);
    NB_SQL_NEED(*out);
    return NB_OK;
}

/* first(x IGNORE NULLS) and the like */
static nb_status
parse_first(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    nb_names name = {0};
    nb_ptrs args = {0};
    Sc__Expression *e;

    if (nb_sql_ahead(p, 2)->kind == NB_T_RPAREN ||
        (nb_sql_ahead_is_kw(p, 2, NB_KW_DISTINCT) && !nb_sql_ends_item(nb_sql_ahead(p, 3)))) {
        return NB_OK; /* an ordinary call */
    }
    NB_TRY(own_name(p, start, &name));
    nb_sql_skip(p);
    nb_sql_skip(p);
    NB_TRY(nb_sql_parse_argument(p, &e));
    NB_TRY(nb_ptrs_push(p, &args, e));
    if (nb_sql_accept_kw2(p, NB_KW_IGNORE, NB_KW_NULLS)) {
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        *out = nb_sql_call_named(p, start, name.items[0], &args);
        NB_SQL_NEED(*out);
        NB_TRY(wrap(p, start, NB_SQL_FN_IGNORE_NULLS, out, NULL));
        return parse_suffixes(p, start, out);
    }
    return finish_arguments(p, start, &name, &args, out);
}

static nb_status
parse_position(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    nb_names name = {0};
    nb_ptrs args = {0};
    Sc__Expression *e;

    NB_TRY(own_name(p, start, &name));
    nb_sql_skip(p);
    nb_sql_skip(p);
    if (nb_sql_is(p, NB_T_RPAREN)) {
        return finish_arguments(p, start, &name, &args, out);
    }
    NB_TRY(nb_sql_parse_value(p, &e));
    NB_TRY(nb_ptrs_push(p, &args, e));
    if (nb_sql_accept_kw(p, NB_KW_IN)) {
        Sc__Expression *in;
        NB_TRY(nb_sql_parse_value(p, &in));
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        *out = nb_sql_call2(p, start, "locate", e, in);
        NB_SQL_NEED(*out);
        return NB_OK;
    }
    return finish_arguments(p, start, &name, &args, out);
}

static nb_status
parse_extract(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    Sc__Expression *source;
    nb_str field;

    if (!nb_sql_is_name(nb_sql_ahead(p, 2)) || !nb_sql_ahead_is_kw(p, 3, NB_KW_FROM)) {
        return NB_OK;
    }
    nb_sql_skip(p);
    nb_sql_skip(p);
    NB_TRY(nb_sql_parse_ident_no_dash(p, &field));
    nb_sql_skip(p);
    NB_TRY(nb_sql_parse_value(p, &source));
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    *out = nb_sql_call2(p, start, "extract", nb_sql_string(p, field), source);
    NB_SQL_NEED(*out);
    return NB_OK;
}

/* substring(s FROM a FOR b); the comma form is an ordinary call */
static nb_status
parse_substring(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    nb_names name = {0};
    nb_ptrs args = {0};
    Sc__Expression *e;

    if (nb_sql_ahead(p, 2)->kind == NB_T_RPAREN) {
        return NB_OK;
    }
    NB_TRY(own_name(p, start, &name));
    nb_sql_skip(p);
    nb_sql_skip(p);
    NB_TRY(nb_sql_parse_argument(p, &e));
    NB_TRY(nb_ptrs_push(p, &args, e));
    if (nb_sql_accept_kw(p, NB_KW_FROM)) {
        NB_TRY(nb_sql_parse_value(p, &e));
        NB_TRY(nb_ptrs_push(p, &args, e));
        if (nb_sql_accept_kw(p, NB_KW_FOR)) {
            NB_TRY(nb_sql_parse_value(p, &e));
            NB_TRY(nb_ptrs_push(p, &args, e));
        }
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        *out = nb_sql_call(p, start, "substring", args.n, (Sc__Expression *const *)args.items);
        NB_SQL_NEED(*out);
        return NB_OK;
    }
    return finish_arguments(p, start, &name, &args, out);
}

/* trim([BOTH | LEADING | TRAILING] [chars] FROM s) → trim, ltrim or rtrim(chars, s): the order in which these functions take them */
static nb_status
parse_trim(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    const nb_token *option = nb_sql_ahead(p, 2), *then = nb_sql_ahead(p, 3);
    bool special =
        option->kind == NB_T_WORD &&
        (option->kw == NB_KW_BOTH || option->kw == NB_KW_LEADING || option->kw == NB_KW_TRAILING) &&
        !nb_sql_ends_item(then) && then->kind != NB_T_DOT;
    nb_names name = {0};
    nb_ptrs args = {0};
    Sc__Expression *chars = NULL, *source;
    const char *function = "trim";

    if (option->kind == NB_T_RPAREN) {
        return NB_OK;
    }
    NB_TRY(own_name(p, start, &name));
    nb_sql_skip(p);
    nb_sql_skip(p);
    if (special) {
        function = option->kw == NB_KW_LEADING    ? "ltrim"
                   : option->kw == NB_KW_TRAILING ? "rtrim"
                                                  : "trim";
        nb_sql_skip(p);
    }
    if (!special || !nb_sql_is_kw(p, NB_KW_FROM)) {
        NB_TRY(special ? nb_sql_parse_value(p, &chars) : nb_sql_parse_argument(p, &chars));
        if (!special && !nb_sql_is_kw(p, NB_KW_FROM)) {
            NB_TRY(nb_ptrs_push(p, &args, chars));
            return finish_arguments(p, start, &name, &args, out);
        }
    }
    NB_TRY(nb_sql_expect_kw(p, NB_KW_FROM));
    NB_TRY(nb_sql_parse_value(p, &source));
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    *out = chars ? nb_sql_call2(p, start, function, chars, source)
                 : nb_sql_call1(p, start, function, source);
    NB_SQL_NEED(*out);
    return NB_OK;
}

static nb_status
parse_overlay(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    nb_names name = {0};
    nb_ptrs args = {0};
    Sc__Expression *e;

    if (nb_sql_ahead(p, 2)->kind == NB_T_RPAREN) {
        return NB_OK;
    }
    NB_TRY(own_name(p, start, &name));
    nb_sql_skip(p);
    nb_sql_skip(p);
    NB_TRY(nb_sql_parse_argument(p, &e));
    NB_TRY(nb_ptrs_push(p, &args, e));
    if (nb_sql_accept_kw(p, NB_KW_PLACING)) {
        NB_TRY(nb_sql_parse_value(p, &e));
        NB_TRY(nb_ptrs_push(p, &args, e));
        NB_TRY(nb_sql_expect_kw(p, NB_KW_FROM));
        NB_TRY(nb_sql_parse_value(p, &e));
        NB_TRY(nb_ptrs_push(p, &args, e));
        if (nb_sql_accept_kw(p, NB_KW_FOR)) {
            NB_TRY(nb_sql_parse_value(p, &e));
        } else {
            e = nb_sql_int(p, -1);
        }
        NB_TRY(nb_ptrs_push(p, &args, e));
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        *out = nb_sql_call(p, start, "overlay", args.n, (Sc__Expression *const *)args.items);
        NB_SQL_NEED(*out);
        return NB_OK;
    }
    return finish_arguments(p, start, &name, &args, out);
}

static bool
is_datetime_unit(nb_keyword kw)
{
    switch (kw) {
    case NB_KW_YEAR:
    case NB_KW_QUARTER:
    case NB_KW_MONTH:
    case NB_KW_WEEK:
    case NB_KW_DAY:
    case NB_KW_DAYOFYEAR:
    case NB_KW_HOUR:
    case NB_KW_MINUTE:
    case NB_KW_SECOND:
    case NB_KW_MILLISECOND:
    case NB_KW_MICROSECOND: return true;
    default: return false;
    }
}

/* timestampadd(unit, n, ts) and its synonyms: with three arguments the first is a unit, with two an expression (date_add(day, 1)) */
static nb_status
parse_timestamp_arithmetic(nb_sql_parser *p, const char *function, Sc__Expression **out)
{
    size_t start = p->pos, unit_at = p->pos + 2;
    const nb_token *unit = nb_sql_ahead(p, 2);
    bool is_string = unit->kind == NB_T_STRING;
    nb_names name = {0}, parts = {0};
    nb_ptrs args = {0};
    Sc__Expression *e;
    nb_str text;

    if (nb_sql_ahead(p, 3)->kind != NB_T_COMMA ||
        (!is_string && (unit->kind != NB_T_WORD || !is_datetime_unit((nb_keyword)unit->kw)))) {
        return NB_OK;
    }
    NB_TRY(own_name(p, start, &name));
    nb_sql_skip(p);
    nb_sql_skip(p);
    nb_sql_skip(p);
    text = nb_sql_token_text(p, unit);
    if (is_string) {
        NB_TRY(nb_sql_unquote_string(p, unit, &text));
        NB_TRY(nb_ptrs_push(p, &args, nb_sql_string(p, text)));
    } else {
        NB_TRY(nb_names_push(p, &parts, text));
        NB_TRY(nb_ptrs_push(p, &args, nb_sql_attribute(p, unit_at, &parts)));
    }
    nb_sql_skip(p);
    NB_TRY(nb_sql_parse_argument(p, &e));
    NB_TRY(nb_ptrs_push(p, &args, e));
    if (!nb_sql_is(p, NB_T_COMMA)) {
        return finish_arguments(p, start, &name, &args, out);
    }
    nb_sql_skip(p);
    NB_TRY(nb_sql_parse_argument(p, &e));
    NB_TRY(nb_ptrs_push(p, &args, e));
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    if (is_string) {
        nb_raise(p->later, NB_COND_INVALID_PARAMETER_VALUE_DATETIME_UNIT, "functionName",
                 nb_arena_printf(p->arena, "`%.*s`", (int)name.items[0].len, name.items[0].data),
                 "parameter", "`unit`", "invalidValue",
                 nb_arena_printf(p->arena, "'%.*s'", (int)text.len, text.data), NULL);
        NB_TRY(nb_sql_error_here(p, start));
    }
    args.items[0] = nb_sql_string(p, text);
    *out = nb_sql_call(p, start, function, args.n, (Sc__Expression *const *)args.items);
    NB_SQL_NEED(*out);
    return NB_OK;
}

nb_status
nb_sql_parse_special_call(nb_sql_parser *p, Sc__Expression **out)
{
    switch ((nb_keyword)nb_sql_cur(p)->kw) {
    case NB_KW_CAST: return parse_cast(p, false, out);
    case NB_KW_TRY_CAST: return parse_cast(p, true, out);
    case NB_KW_STRUCT: return parse_struct(p, out);
    case NB_KW_FIRST:
    case NB_KW_LAST:
    case NB_KW_ANY_VALUE: return parse_first(p, out);
    case NB_KW_POSITION: return parse_position(p, out);
    case NB_KW_EXTRACT: return parse_extract(p, out);
    case NB_KW_SUBSTR:
    case NB_KW_SUBSTRING: return parse_substring(p, out);
    case NB_KW_TRIM: return parse_trim(p, out);
    case NB_KW_OVERLAY: return parse_overlay(p, out);
    case NB_KW_TIMESTAMPADD:
    case NB_KW_DATEADD:
    case NB_KW_DATE_ADD: return parse_timestamp_arithmetic(p, "timestampadd", out);
    case NB_KW_TIMESTAMPDIFF:
    case NB_KW_DATEDIFF:
    case NB_KW_DATE_DIFF:
    case NB_KW_TIMEDIFF: return parse_timestamp_arithmetic(p, "timestampdiff", out);
    default: return NB_OK;
    }
}
