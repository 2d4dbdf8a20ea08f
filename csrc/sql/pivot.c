/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pivot.c: PIVOT and UNPIVOT.
 *
 * Connect's messages want the other columns named; in SQL they are "all the rest". So both become internal table functions over their input.
 */
#include "sql/parse_state.h"

static nb_status
row_of(nb_sql_parser *p, size_t start, const nb_ptrs *items, nb_ptrs *args)
{
    return nb_ptrs_push(p, args, nb_sql_internal(p, start, NB_SQL_FN_ROW, items));
}

static nb_status
parse_column(nb_sql_parser *p, nb_ptrs *out)
{
    size_t start = p->pos;
    nb_names parts = {0};

    NB_TRY(nb_sql_parse_multipart(p, &parts));
    return nb_ptrs_push(p, out, nb_sql_attribute(p, start, &parts));
}

nb_status
nb_sql_parse_pivot(nb_sql_parser *p, Sc__Relation **rel)
{
    size_t start = p->pos, at, mark = p->references.n;
    nb_ptrs aggregates = {0}, columns = {0}, values = {0}, args = {0};

    nb_sql_skip(p);
    nb_sql_skip(p);
    NB_TRY(nb_sql_parse_named_expr_list(p, true, &aggregates));
    NB_TRY(nb_sql_expect_kw(p, NB_KW_FOR));
    at = p->pos;
    if (nb_sql_accept(p, NB_T_LPAREN)) {
        do {
            NB_TRY(parse_column(p, &columns));
        } while (nb_sql_accept(p, NB_T_COMMA));
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    } else {
        NB_TRY(parse_column(p, &columns));
    }
    NB_TRY(row_of(p, at, &columns, &args));
    NB_TRY(nb_sql_expect_kw(p, NB_KW_IN));
    at = p->pos;
    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    NB_TRY(nb_sql_parse_named_expr_list(p, false, &values));
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    NB_TRY(row_of(p, at, &values, &args));
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    for (size_t i = 0; i < aggregates.n; i++) {
        NB_TRY(nb_ptrs_push(p, &args, aggregates.items[i]));
    }
    NB_TRY(nb_sql_over_table(p, start, NB_SQL_TVF_PIVOT, *rel, &args, rel));
    NB_TRY(nb_sql_wrap_references(p, start, mark, rel));
    return nb_sql_parse_table_alias(p, start, rel);
}

/* column [AS alias], or (a, b) [AS alias] */
static nb_status
parse_unpivot_set(nb_sql_parser *p, bool many, nb_ptrs *args)
{
    size_t start = p->pos;
    nb_ptrs columns = {0};
    Sc__Expression *row;

    if (many) {
        NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    }
    do {
        NB_TRY(parse_column(p, &columns));
    } while (many && nb_sql_accept(p, NB_T_COMMA));
    if (many) {
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    }
    row = nb_sql_internal(p, start, NB_SQL_FN_ROW, &columns);
    NB_SQL_NEED(row);
    if (nb_sql_accept_kw(p, NB_KW_AS) || nb_sql_is_name(nb_sql_cur(p))) {
        nb_names alias = {0};
        nb_str name;
        NB_TRY(nb_sql_parse_ident(p, &name));
        NB_TRY(nb_names_push(p, &alias, name));
        row = nb_sql_alias(p, start, row, &alias);
    }
    return nb_ptrs_push(p, args, row);
}

nb_status
nb_sql_parse_unpivot(nb_sql_parser *p, Sc__Relation **rel)
{
    size_t start = p->pos, at;
    nb_ptrs names = {0}, args = {0};
    bool include = false, many;
    nb_str name, variable;

    nb_sql_skip(p);
    if (nb_sql_is_kw(p, NB_KW_INCLUDE) || nb_sql_is_kw(p, NB_KW_EXCLUDE)) {
        include = nb_sql_is_kw(p, NB_KW_INCLUDE);
        nb_sql_skip(p);
        NB_TRY(nb_sql_expect_kw(p, NB_KW_NULLS));
    }
    NB_TRY(nb_ptrs_push(p, &args, nb_sql_bool(p, include)));
    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    at = p->pos;
    many = nb_sql_accept(p, NB_T_LPAREN);
    do {
        NB_TRY(nb_sql_parse_ident_no_dash(p, &name));
        NB_TRY(nb_ptrs_push(p, &names, nb_sql_string(p, name)));
    } while (many && nb_sql_accept(p, NB_T_COMMA));
    if (many) {
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    }
    NB_TRY(nb_sql_expect_kw(p, NB_KW_FOR));
    NB_TRY(nb_sql_parse_ident_no_dash(p, &variable));
    NB_TRY(nb_ptrs_push(p, &args, nb_sql_string(p, variable)));
    NB_TRY(row_of(p, at, &names, &args));
    NB_TRY(nb_sql_expect_kw(p, NB_KW_IN));
    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    do {
        NB_TRY(parse_unpivot_set(p, many, &args));
    } while (nb_sql_accept(p, NB_T_COMMA));
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
    NB_TRY(nb_sql_over_table(p, start, NB_SQL_TVF_UNPIVOT, *rel, &args, rel));
    return nb_sql_parse_table_alias(p, start, rel);
}
