/* SPDX-License-Identifier: Apache-2.0 */
/*
 * from.c: the FROM clause: tables, subqueries, table functions, inline tables, joins, samples and lateral views.
 *
 * Joins lean to the left over commas too, as in Spark: in `a, b JOIN c ON …` the condition sees a.
 */
#include "sql/parse_state.h"

#include <stdlib.h>

static Sc__Relation *
named_table(nb_sql_parser *p, size_t start, const nb_names *name, Sc__Read__NamedTable **out)
{
    Sc__Relation *r = nb_sql_relation(p, start);
    Sc__Read *read = NB_SQL_NEW(p, Sc__Read, SC__READ__INIT);
    Sc__Read__NamedTable *t = NB_SQL_NEW(p, Sc__Read__NamedTable, SC__READ__NAMED_TABLE__INIT);
    nb_str text = nb_sql_quote(p->arena, name->items, name->n);

    if (!r || !read || !t || !text.data) {
        return NULL;
    }
    t->has_unparsed_identifier = true;
    t->unparsed_identifier = nb_sql_bytes(text);
    read->read_type_case = SC__READ__READ_TYPE_NAMED_TABLE;
    read->named_table = t;
    r->rel_type_case = SC__RELATION__REL_TYPE_READ;
    r->read = read;
    *out = t;
    return r;
}

/* WITH (key = value, …) behind a table's name */
static nb_status
parse_table_options(nb_sql_parser *p, Sc__Read__NamedTable *t)
{
    nb_ptrs entries = {0};

    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    do {
        Sc__Read__NamedTable__OptionsEntry *e = NB_SQL_NEW(
            p, Sc__Read__NamedTable__OptionsEntry, SC__READ__NAMED_TABLE__OPTIONS_ENTRY__INIT);
        nb_str key, value;
        NB_SQL_NEED(e);
        if (nb_sql_is(p, NB_T_STRING)) {
            NB_TRY(nb_sql_parse_string(p, &key));
        } else {
            nb_names parts = {0};
            NB_TRY(nb_sql_parse_multipart(p, &parts));
            key = nb_sql_quote(p->arena, parts.items, parts.n);
        }
        nb_sql_accept(p, NB_T_EQ);
        if (nb_sql_is(p, NB_T_STRING)) {
            NB_TRY(nb_sql_parse_string(p, &value));
        } else {
            value = nb_sql_token_text(p, nb_sql_cur(p));
            if (nb_sql_ends_item(nb_sql_cur(p))) {
                return nb_sql_syntax_error(p);
            }
            nb_sql_skip(p);
        }
        e->key = nb_arena_strdup(p->arena, key);
        NB_SQL_NEED(e->key);
        e->has_value = true;
        e->value = nb_sql_bytes(value);
        NB_TRY(nb_ptrs_push(p, &entries, e));
    } while (nb_sql_accept(p, NB_T_COMMA));
    t->options = (Sc__Read__NamedTable__OptionsEntry **)entries.items;
    t->n_options = entries.n;
    return nb_sql_expect(p, NB_T_RPAREN);
}

/* --- samples ----------------------------------------------------------------------------------- */

static nb_status
sample(nb_sql_parser *p, size_t start, double upper, Sc__Relation **rel)
{
    Sc__Sample *s = NB_SQL_NEW(p, Sc__Sample, SC__SAMPLE__INIT);
    Sc__Relation *r;

    NB_SQL_NEED(s);
    if (!(upper >= 0 && upper <= 1)) {
        nb_raise(p->later, NB_COND_INVALID_SAMPLING_FRACTION, "fraction",
                 nb_arena_printf(p->arena, "%g", upper), NULL);
        NB_TRY(nb_sql_error_here(p, start));
    }
    s->input = *rel;
    s->has_upper_bound = true;
    s->upper_bound = upper;
    s->has_with_replacement = true;
    s->with_replacement = false;
    if (nb_sql_accept_kw(p, NB_KW_REPEATABLE)) {
        int64_t seed;
        NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
        if (!nb_sql_is(p, NB_T_INTEGER) ||
            !nb_str_to_int64(nb_sql_token_text(p, nb_sql_cur(p)), &seed)) {
            return nb_sql_syntax_error(p);
        }
        nb_sql_skip(p);
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        s->has_seed = true;
        s->seed = seed;
    }
    r = nb_sql_relation(p, start);
    NB_SQL_NEED(r);
    r->rel_type_case = SC__RELATION__REL_TYPE_SAMPLE;
    r->sample = s;
    *rel = r;
    return NB_OK;
}

static nb_status
parse_integer(nb_sql_parser *p, int64_t *out)
{
    if (!nb_sql_is(p, NB_T_INTEGER) || !nb_str_to_int64(nb_sql_token_text(p, nb_sql_cur(p)), out)) {
        return nb_sql_syntax_error(p);
    }
    nb_sql_skip(p);
    return NB_OK;
}

/* TABLESAMPLE ( n PERCENT | n ROWS | BUCKET a OUT OF b ) [REPEATABLE (seed)] */
nb_status
nb_sql_parse_sample(nb_sql_parser *p, Sc__Relation **rel)
{
    size_t start = p->pos, number;
    Sc__Expression *n;

    if (!nb_sql_is_kw(p, NB_KW_TABLESAMPLE) || nb_sql_ahead(p, 1)->kind != NB_T_LPAREN) {
        return NB_OK;
    }
    nb_sql_skip(p);
    nb_sql_skip(p);
    number = p->pos + nb_sql_is(p, NB_T_MINUS);
    if ((p->tokens.items[number].kind == NB_T_INTEGER ||
         p->tokens.items[number].kind == NB_T_DECIMAL) &&
        p->tokens.items[number + 1].kind == NB_T_WORD &&
        p->tokens.items[number + 1].kw == NB_KW_PERCENT) {
        nb_str s = nb_sql_token_text(p, &p->tokens.items[number]);
        double v = 0, unit = 1;
        bool point = false;
        for (size_t i = 0; i < s.len; i++) {
            if (s.data[i] == '.') {
                point = true;
            } else {
                v = v * 10 + (s.data[i] - '0');
                unit = point ? unit * 10 : unit;
            }
        }
        v = number > p->pos ? -v : v;
        p->pos = number + 2;
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        return sample(p, start, v / (unit * 100), rel);
    }
    if (nb_sql_is_kw(p, NB_KW_BUCKET) && nb_sql_ahead(p, 1)->kind == NB_T_INTEGER) {
        int64_t a, b;
        nb_sql_skip(p);
        NB_TRY(parse_integer(p, &a));
        NB_TRY(nb_sql_expect_kw(p, NB_KW_OUT));
        NB_TRY(nb_sql_expect_kw(p, NB_KW_OF));
        NB_TRY(parse_integer(p, &b));
        if (nb_sql_is_kw(p, NB_KW_ON)) {
            return nb_raise_unsupported(p->err, "TABLESAMPLE (BUCKET … ON …)");
        }
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        return sample(p, start, b > 0 ? (double)a / (double)b : -1, rel);
    }
    NB_TRY(nb_sql_parse_expr(p, &n));
    if (!nb_sql_accept_kw(p, NB_KW_ROWS)) {
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        return nb_raise_unsupported(p->err, "TABLESAMPLE by bytes");
    }
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    return nb_sql_limit(p, start, n, false, rel);
}

/* --- primaries --------------------------------------------------------------------------------- */

/* [AS] alias [(columns)] */
static nb_status
read_alias(nb_sql_parser *p, bool *found, nb_str *alias, nb_names *columns)
{
    *found = false;
    if (nb_sql_is_kw(p, NB_KW_AS) && nb_sql_is_name(nb_sql_ahead(p, 1))) {
        nb_sql_skip(p);
        if (nb_sql_is(p, NB_T_WORD) && nb_keyword_is_strict((nb_keyword)nb_sql_cur(p)->kw)) {
            return nb_sql_syntax_error(p);
        }
    } else if (!nb_sql_is_name(nb_sql_cur(p)) || nb_sql_at_clause(p) ||
               (nb_sql_is(p, NB_T_WORD) && nb_keyword_is_strict((nb_keyword)nb_sql_cur(p)->kw) &&
                !(nb_sql_is_kw(p, NB_KW_QUALIFY)))) {
        return NB_OK;
    }
    *found = true;
    NB_TRY(nb_sql_parse_ident_no_dash(p, alias));
    if (nb_sql_is(p, NB_T_LPAREN) && nb_sql_is_name(nb_sql_ahead(p, 1))) {
        NB_TRY(nb_sql_parse_ident_list(p, columns));
    }
    return NB_OK;
}

nb_status
nb_sql_parse_table_alias(nb_sql_parser *p, size_t start, Sc__Relation **rel)
{
    bool found;
    nb_str alias;
    nb_names columns = {0};

    NB_TRY(read_alias(p, &found, &alias, &columns));
    if (found) {
        *rel = nb_sql_subquery_alias(p, start, *rel, alias, &columns);
        NB_SQL_NEED(*rel);
    }
    return NB_OK;
}

/* What VALUES holds: (1, 'a'), (2, 'b') or bare values */
nb_status
nb_sql_parse_values(nb_sql_parser *p, Sc__Relation **out)
{
    size_t start = p->pos - 1;
    nb_ptrs rows = {0};

    do {
        size_t at = p->pos;
        nb_ptrs values = {0};
        Sc__Expression *e;
        NB_TRY(nb_sql_parse_expr(p, &e));
        if (e == p->row) {
            values = p->row_values;
        } else if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION &&
                   nb_str_equal_nocase(
                       (nb_str){(const char *)e->unresolved_function->function_name.data,
                                e->unresolved_function->function_name.len},
                       NB_STR("struct"))) {
            for (size_t i = 0; i < e->unresolved_function->n_arguments; i++) {
                NB_TRY(nb_ptrs_push(p, &values, e->unresolved_function->arguments[i]));
            }
        } else {
            NB_TRY(nb_ptrs_push(p, &values, e));
        }
        NB_TRY(nb_ptrs_push(p, &rows, nb_sql_internal(p, at, NB_SQL_FN_ROW, &values)));
        e = rows.items[0];
        if (values.n != e->unresolved_function->n_arguments) {
            nb_raise(p->later, NB_COND_INVALID_INLINE_TABLE_NUM_COLUMNS_MISMATCH, "expectedNumCols",
                     nb_arena_printf(p->arena, "%zu", e->unresolved_function->n_arguments),
                     "actualNumCols", nb_arena_printf(p->arena, "%zu", values.n), "rowIndex",
                     nb_arena_printf(p->arena, "%zu", rows.n - 1), NULL);
            NB_TRY(nb_sql_error_here(p, start));
        }
    } while (nb_sql_accept(p, NB_T_COMMA));
    *out = nb_sql_table_function(p, start, NB_STR(NB_SQL_TVF_VALUES), &rows);
    NB_SQL_NEED(*out);
    return NB_OK;
}

/* TABLE t, TABLE (t), TABLE (query) [PARTITION BY …] [ORDER BY …] as an argument */
static nb_status
parse_table_argument(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    Sc__Relation *rel;
    Sc__SubqueryExpression *sub;
    Sc__Read__NamedTable *t;
    nb_names name = {0};

    nb_sql_skip(p);
    if (nb_sql_is(p, NB_T_LPAREN) && nb_sql_cur(p)->is_query) {
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_query_at(p, &rel));
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    } else {
        bool parens = nb_sql_accept(p, NB_T_LPAREN);
        NB_TRY(nb_sql_parse_multipart(p, &name));
        rel = named_table(p, start, &name, &t);
        NB_SQL_NEED(rel);
        if (parens) {
            NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        }
    }
    NB_TRY(nb_sql_subquery(
        p, start, rel, SC__SUBQUERY_EXPRESSION__SUBQUERY_TYPE__SUBQUERY_TYPE_TABLE_ARG, &sub, out));
    if (nb_sql_is_kw(p, NB_KW_PARTITION) || nb_sql_is_kw(p, NB_KW_DISTRIBUTE) ||
        nb_sql_is_kw(p, NB_KW_ORDER) || nb_sql_is_kw(p, NB_KW_SORT) ||
        (nb_sql_is_kw(p, NB_KW_WITH) && nb_sql_ahead_is_kw(p, 1, NB_KW_SINGLE))) {
        Sc__SubqueryExpression__TableArgOptions *o =
            NB_SQL_NEW(p, Sc__SubqueryExpression__TableArgOptions,
                       SC__SUBQUERY_EXPRESSION__TABLE_ARG_OPTIONS__INIT);
        nb_ptrs partition = {0}, order = {0};
        NB_SQL_NEED(o);
        if (nb_sql_accept_kw(p, NB_KW_WITH)) {
            nb_sql_skip(p);
            NB_TRY(nb_sql_expect_kw(p, NB_KW_PARTITION));
            o->has_with_single_partition = o->with_single_partition = true;
        } else if (nb_sql_accept_kw2(p, NB_KW_PARTITION, NB_KW_BY) ||
                   nb_sql_accept_kw2(p, NB_KW_DISTRIBUTE, NB_KW_BY)) {
            if (nb_sql_accept(p, NB_T_LPAREN)) {
                NB_TRY(nb_sql_parse_expr_list(p, &partition));
                NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
            } else {
                Sc__Expression *e;
                NB_TRY(nb_sql_parse_expr(p, &e));
                NB_TRY(nb_ptrs_push(p, &partition, e));
            }
        }
        if (nb_sql_accept_kw2(p, NB_KW_ORDER, NB_KW_BY) ||
            nb_sql_accept_kw2(p, NB_KW_SORT, NB_KW_BY)) {
            bool parens = nb_sql_accept(p, NB_T_LPAREN);
            NB_TRY(nb_sql_parse_sort_items(p, &order));
            if (parens) {
                NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
            }
        }
        o->partition_spec = (Sc__Expression **)partition.items;
        o->n_partition_spec = partition.n;
        o->order_spec = (Sc__Expression__SortOrder **)order.items;
        o->n_order_spec = order.n;
        sub->table_arg_options = o;
    }
    return NB_OK;
}

/* Arguments of a table-valued function, behind "(" and up to ")". */
static nb_status
parse_table_arguments(nb_sql_parser *p, nb_ptrs *args)
{
    if (nb_sql_accept(p, NB_T_RPAREN)) {
        return NB_OK;
    }
    do {
        Sc__Expression *e;
        const nb_token *after = nb_sql_ahead(p, 1);
        if (nb_sql_is_kw(p, NB_KW_TABLE) && (nb_sql_is_name(after) || after->kind == NB_T_LPAREN)) {
            NB_TRY(parse_table_argument(p, &e));
        } else {
            NB_TRY(nb_sql_parse_argument(p, &e));
        }
        NB_TRY(nb_ptrs_push(p, args, e));
    } while (nb_sql_accept(p, NB_T_COMMA));
    return nb_sql_expect(p, NB_T_RPAREN);
}

static nb_status parse_relation(nb_sql_parser *p, Sc__Relation *left, Sc__Relation **out);

static nb_status
parse_parenthesis(nb_sql_parser *p, Sc__Relation **out)
{
    size_t start = p->pos;
    bool is_query = nb_sql_cur(p)->is_query, found;
    nb_str alias;
    nb_names columns = {0};

    nb_sql_skip(p);
    if (is_query) {
        NB_TRY(nb_sql_parse_query_at(p, out));
    } else {
        NB_TRY(parse_relation(p, NULL, out));
    }
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    NB_TRY(nb_sql_parse_sample(p, out));
    NB_TRY(read_alias(p, &found, &alias, &columns));
    if (is_query || found) {
        *out = nb_sql_subquery_alias(p, start, *out, found ? alias : NB_STR(NB_SQL_NO_ALIAS),
                                     &columns);
        NB_SQL_NEED(*out);
    }
    return NB_OK;
}

static bool
at_time_travel(const nb_sql_parser *p)
{
    size_t n = nb_sql_is_kw(p, NB_KW_FOR) ? 1 : 0;
    const nb_token *t = nb_sql_ahead(p, n);

    return t->kind == NB_T_WORD &&
           (t->kw == NB_KW_VERSION || t->kw == NB_KW_TIMESTAMP || t->kw == NB_KW_SYSTEM_VERSION ||
            t->kw == NB_KW_SYSTEM_TIME) &&
           nb_sql_ahead_is_kw(p, n + 1, NB_KW_AS) && nb_sql_ahead_is_kw(p, n + 2, NB_KW_OF);
}

/* One table, subquery, function or inline table, with its alias. */
static nb_status
parse_primary(nb_sql_parser *p, Sc__Relation **out)
{
    size_t start = p->pos, mark = p->references.n;
    const nb_token *t = nb_sql_cur(p), *after = nb_sql_ahead(p, 1);
    nb_names name = {0};
    Sc__Read__NamedTable *table;

    if (t->kind == NB_T_LPAREN) {
        return parse_parenthesis(p, out);
    }
    if (nb_sql_is_kw(p, NB_KW_VALUES) && !nb_sql_ends_item(after) && !nb_sql_is_name(after)) {
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_values(p, out));
        NB_TRY(nb_sql_wrap_references(p, start, mark, out));
        return nb_sql_parse_table_alias(p, start, out);
    }
    if (!nb_sql_is_name(t)) {
        return nb_sql_syntax_error(p);
    }
    NB_TRY(nb_sql_parse_multipart(p, &name));
    if (nb_sql_accept(p, NB_T_LPAREN)) {
        nb_ptrs args = {0};
        NB_TRY(parse_table_arguments(p, &args));
        *out = nb_sql_table_function(
            p, start, name.n == 1 ? name.items[0] : nb_sql_quote(p->arena, name.items, name.n),
            &args);
        NB_SQL_NEED(*out);
        NB_TRY(nb_sql_wrap_references(p, start, mark, out));
        return nb_sql_parse_table_alias(p, start, out);
    }
    *out = named_table(p, start, &name, &table);
    NB_SQL_NEED(*out);
    if (nb_sql_is_kw(p, NB_KW_WITH) && nb_sql_ahead(p, 1)->kind == NB_T_LPAREN) {
        nb_sql_skip(p);
        NB_TRY(parse_table_options(p, table));
    }
    if (at_time_travel(p)) {
        return nb_raise_unsupported(
            p->err, "reading a table's earlier version (VERSION AS OF, TIMESTAMP AS OF)");
    }
    NB_TRY(nb_sql_parse_sample(p, out));
    return nb_sql_parse_table_alias(p, start, out);
}

/* --- joins ------------------------------------------------------------------------------------- */

typedef struct join_kind {
    Sc__Join__JoinType type;
    size_t n_tokens; /* with JOIN; 0 = no join here */
    bool natural;
} join_kind;

static join_kind
join_at(const nb_sql_parser *p)
{
    join_kind k = {SC__JOIN__JOIN_TYPE__JOIN_TYPE_INNER, 0, false};
    size_t n = 0;

    if (nb_sql_ahead_is_kw(p, n, NB_KW_NATURAL)) {
        k.natural = true;
        n++;
    }
    if (nb_sql_ahead_is_kw(p, n, NB_KW_INNER)) {
        n++;
    } else if (nb_sql_ahead_is_kw(p, n, NB_KW_CROSS)) {
        k.type = SC__JOIN__JOIN_TYPE__JOIN_TYPE_CROSS;
        n++;
    } else if (nb_sql_ahead_is_kw(p, n, NB_KW_RIGHT) || nb_sql_ahead_is_kw(p, n, NB_KW_FULL)) {
        k.type = nb_sql_ahead_is_kw(p, n, NB_KW_RIGHT) ? SC__JOIN__JOIN_TYPE__JOIN_TYPE_RIGHT_OUTER
                                                       : SC__JOIN__JOIN_TYPE__JOIN_TYPE_FULL_OUTER;
        n++;
        n += nb_sql_ahead_is_kw(p, n, NB_KW_OUTER);
    } else {
        bool left = nb_sql_ahead_is_kw(p, n, NB_KW_LEFT);
        n += left;
        if (nb_sql_ahead_is_kw(p, n, NB_KW_SEMI)) {
            k.type = SC__JOIN__JOIN_TYPE__JOIN_TYPE_LEFT_SEMI;
            n++;
        } else if (nb_sql_ahead_is_kw(p, n, NB_KW_ANTI)) {
            k.type = SC__JOIN__JOIN_TYPE__JOIN_TYPE_LEFT_ANTI;
            n++;
        } else if (left) {
            k.type = SC__JOIN__JOIN_TYPE__JOIN_TYPE_LEFT_OUTER;
            n += nb_sql_ahead_is_kw(p, n, NB_KW_OUTER);
        }
    }
    k.n_tokens = nb_sql_ahead_is_kw(p, n, NB_KW_JOIN) ? n + 1 : 0;
    return k;
}

static nb_status
join(nb_sql_parser *p, size_t start, Sc__Relation *left, Sc__Relation *right,
     Sc__Join__JoinType type, Sc__Join **out_join, Sc__Relation **out)
{
    Sc__Join *j = NB_SQL_NEW(p, Sc__Join, SC__JOIN__INIT);
    Sc__Relation *r = nb_sql_relation(p, start);

    NB_SQL_NEED(j);
    NB_SQL_NEED(r);
    j->left = left;
    j->right = right;
    j->has_join_type = true;
    j->join_type = type;
    r->rel_type_case = SC__RELATION__REL_TYPE_JOIN;
    r->join = j;
    if (out_join) {
        *out_join = j;
    }
    *out = r;
    return NB_OK;
}

static nb_status
lateral_join(nb_sql_parser *p, size_t start, Sc__Relation *left, Sc__Relation *right,
             Sc__Join__JoinType type, Sc__Expression *condition, Sc__Relation **out)
{
    Sc__LateralJoin *j = NB_SQL_NEW(p, Sc__LateralJoin, SC__LATERAL_JOIN__INIT);
    Sc__Relation *r = nb_sql_relation(p, start);

    NB_SQL_NEED(j);
    NB_SQL_NEED(r);
    if (!left) { /* nothing to the left: one row without columns */
        nb_ptrs none = {0};
        left = nb_sql_project(p, start, NULL, &none);
        NB_SQL_NEED(left);
    }
    j->left = left;
    j->right = right;
    j->join_condition = condition;
    j->has_join_type = true;
    j->join_type = type;
    r->rel_type_case = SC__RELATION__REL_TYPE_LATERAL_JOIN;
    r->lateral_join = j;
    *out = r;
    return NB_OK;
}

/* [LATERAL] as a prefix of a relation; LATERAL VIEW is something else. */
static bool
accept_lateral(nb_sql_parser *p)
{
    return nb_sql_is_kw(p, NB_KW_LATERAL) && !nb_sql_ahead_is_kw(p, 1, NB_KW_VIEW) &&
           nb_sql_accept_kw(p, NB_KW_LATERAL);
}

/* LATERAL goes with subqueries and table functions only. */
static nb_status
check_lateral(nb_sql_parser *p, bool lateral, size_t first, const Sc__Relation *rel)
{
    const nb_token *t = &p->tokens.items[first];

    while (rel->rel_type_case == SC__RELATION__REL_TYPE_SUBQUERY_ALIAS ||
           rel->rel_type_case == SC__RELATION__REL_TYPE_TO_DF) {
        rel = rel->rel_type_case == SC__RELATION__REL_TYPE_TO_DF ? rel->to_df->input
                                                                 : rel->subquery_alias->input;
    }
    if (!lateral || (t->kind == NB_T_LPAREN && t->is_query) ||
        (rel->rel_type_case == SC__RELATION__REL_TYPE_UNRESOLVED_TABLE_VALUED_FUNCTION &&
         !(t->kind == NB_T_WORD && t->kw == NB_KW_VALUES)) ||
        rel->rel_type_case == SC__RELATION__REL_TYPE_WITH_RELATIONS) {
        return NB_OK;
    }
    nb_raise(p->later, NB_COND_INVALID_SQL_SYNTAX_LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC,
             NULL);
    return nb_sql_error_here(p, first);
}

static nb_status
parse_join(nb_sql_parser *p, size_t start, join_kind kind, Sc__Relation **rel)
{
    size_t mark, first;
    Sc__Relation *right;
    Sc__Join *j;
    bool lateral;

    for (size_t i = 0; i < kind.n_tokens; i++) {
        nb_sql_skip(p);
    }
    lateral = accept_lateral(p);
    first = p->pos;
    NB_TRY(parse_primary(p, &right));
    NB_TRY(check_lateral(p, lateral, first, right));
    mark = p->references.n;
    if (lateral) {
        Sc__Expression *condition = NULL;
        if (!kind.natural && nb_sql_accept_kw(p, NB_KW_ON)) {
            NB_TRY(nb_sql_parse_expr(p, &condition));
        } else if (nb_sql_is_kw(p, NB_KW_USING) || kind.natural) {
            return nb_raise_unsupported(p->err, "USING or NATURAL in a lateral join");
        }
        NB_TRY(lateral_join(p, start, *rel, right, kind.type, condition, rel));
        return nb_sql_wrap_references(p, start, mark, rel);
    }
    NB_TRY(join(p, start, *rel, right, kind.type, &j, rel));
    if (kind.natural) {
        nb_sql_mark(*rel, NB_SQL_MARK_NATURAL);
    } else if (nb_sql_accept_kw(p, NB_KW_ON)) {
        NB_TRY(nb_sql_parse_expr(p, &j->join_condition));
    } else if (nb_sql_is_kw(p, NB_KW_USING) && nb_sql_ahead(p, 1)->kind == NB_T_LPAREN) {
        nb_names columns = {0};
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_ident_list(p, &columns));
        j->n_using_columns = columns.n;
        j->using_columns = NB_ARENA_ARRAY(p->arena, ProtobufCBinaryData, columns.n);
        NB_SQL_NEED(j->using_columns);
        for (size_t i = 0; i < columns.n; i++) {
            j->using_columns[i] = nb_sql_bytes(columns.items[i]);
        }
    }
    return nb_sql_wrap_references(p, start, mark, rel);
}

nb_status
nb_sql_parse_piped_join(nb_sql_parser *p, size_t start, Sc__Relation **rel, bool *done)
{
    join_kind kind = join_at(p);

    *done = kind.n_tokens > 0;
    return *done ? parse_join(p, start, kind, rel) : NB_OK;
}

/* [LATERAL] primary { join | pivot | unpivot }, joined to what is on its left (NULL = nothing) */
static nb_status
parse_relation(nb_sql_parser *p, Sc__Relation *left, Sc__Relation **out)
{
    size_t start = p->pos, first;
    bool lateral;
    Sc__Relation *rel;

    NB_TRY(nb_sql_enter(p));
    lateral = accept_lateral(p);
    first = p->pos;
    NB_TRY(parse_primary(p, &rel));
    NB_TRY(check_lateral(p, lateral, first, rel));
    if (lateral) {
        NB_TRY(lateral_join(p, start, left, rel, SC__JOIN__JOIN_TYPE__JOIN_TYPE_INNER, NULL, &rel));
    } else if (left) {
        NB_TRY(join(p, start, left, rel, SC__JOIN__JOIN_TYPE__JOIN_TYPE_INNER, NULL, &rel));
    }
    for (;;) {
        join_kind kind = join_at(p);
        if (kind.n_tokens) {
            NB_TRY(parse_join(p, start, kind, &rel));
        } else if (nb_sql_is_kw(p, NB_KW_PIVOT) && nb_sql_ahead(p, 1)->kind == NB_T_LPAREN) {
            NB_TRY(nb_sql_parse_pivot(p, &rel));
        } else if (nb_sql_is_kw(p, NB_KW_UNPIVOT)) {
            NB_TRY(nb_sql_parse_unpivot(p, &rel));
        } else {
            break;
        }
    }
    nb_sql_leave(p);
    *out = rel;
    return NB_OK;
}

/* LATERAL VIEW [OUTER] f(…) t [AS] a, b → a lateral join with the table function; OUTER is a left outer one */
nb_status
nb_sql_parse_lateral_views(nb_sql_parser *p, Sc__Relation **rel)
{
    while (nb_sql_is_kw(p, NB_KW_LATERAL) && nb_sql_ahead_is_kw(p, 1, NB_KW_VIEW)) {
        size_t start = p->pos, mark = p->references.n;
        nb_names function = {0}, columns = {0};
        nb_ptrs args = {0};
        Sc__Relation *right;
        nb_str alias;
        bool outer;

        nb_sql_skip(p);
        nb_sql_skip(p);
        outer = nb_sql_is_kw(p, NB_KW_OUTER) && nb_sql_ahead(p, 1)->kind != NB_T_LPAREN &&
                nb_sql_accept_kw(p, NB_KW_OUTER);
        NB_TRY(nb_sql_parse_multipart(p, &function));
        NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
        NB_TRY(parse_table_arguments(p, &args));
        right = nb_sql_table_function(p, start,
                                      function.n == 1
                                          ? function.items[0]
                                          : nb_sql_quote(p->arena, function.items, function.n),
                                      &args);
        NB_SQL_NEED(right);
        NB_TRY(nb_sql_wrap_references(p, start, mark, &right));
        NB_TRY(nb_sql_parse_ident_no_dash(p, &alias));
        if (nb_sql_accept_kw(p, NB_KW_AS) ||
            (nb_sql_is_name(nb_sql_cur(p)) && !nb_sql_at_clause(p))) {
            do {
                nb_str column;
                NB_TRY(nb_sql_parse_ident_no_dash(p, &column));
                NB_TRY(nb_names_push(p, &columns, column));
            } while (nb_sql_is(p, NB_T_COMMA) && nb_sql_is_name(nb_sql_ahead(p, 1)) &&
                     nb_sql_accept(p, NB_T_COMMA));
        }
        right = nb_sql_subquery_alias(p, start, right, alias, &columns);
        NB_SQL_NEED(right);
        NB_TRY(lateral_join(p, start, *rel, right,
                            outer ? SC__JOIN__JOIN_TYPE__JOIN_TYPE_LEFT_OUTER
                                  : SC__JOIN__JOIN_TYPE__JOIN_TYPE_INNER,
                            NULL, rel));
    }
    return NB_OK;
}

nb_status
nb_sql_parse_from(nb_sql_parser *p, Sc__Relation **out)
{
    Sc__Relation *rel = NULL;

    do {
        NB_TRY(parse_relation(p, rel, &rel));
    } while (nb_sql_accept(p, NB_T_COMMA));
    NB_TRY(nb_sql_parse_lateral_views(p, &rel));
    for (;;) {
        if (nb_sql_is_kw(p, NB_KW_PIVOT) && nb_sql_ahead(p, 1)->kind == NB_T_LPAREN) {
            NB_TRY(nb_sql_parse_pivot(p, &rel));
        } else if (nb_sql_is_kw(p, NB_KW_UNPIVOT)) {
            NB_TRY(nb_sql_parse_unpivot(p, &rel));
        } else {
            break;
        }
    }
    *out = rel;
    return NB_OK;
}
