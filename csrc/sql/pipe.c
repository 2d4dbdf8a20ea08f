/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe.c: what stands behind |>.
 *
 *     FROM t |> WHERE a > 1 |> EXTEND a + 1 AS b |> AGGREGATE sum(b) GROUP BY c |> ORDER BY c
 *
 * Each operator makes one relation over what is to its left, so a chain nests as deep as it is long. Marks tell the analyzer what Spark
 * refuses in them: aggregates in EXTEND and SET, expressions without one in AGGREGATE.
 */
#include "sql/parse_state.h"

/* A mistake of the query that Spark words as an operation that is not allowed. */
static nb_status
not_allowed(nb_sql_parser *p, size_t start, const char *message)
{
    nb_raise(p->later, NB_COND_OPERATION_NOT_ALLOWED, "message", message, NULL);
    return nb_sql_error_here(p, start);
}

static nb_status
star(nb_sql_parser *p, size_t start, Sc__Expression **out)
{
    Sc__Expression *e = nb_sql_expr(p, start);
    Sc__Expression__UnresolvedStar *s =
        NB_SQL_NEW(p, Sc__Expression__UnresolvedStar, SC__EXPRESSION__UNRESOLVED_STAR__INIT);

    NB_SQL_NEED(e);
    NB_SQL_NEED(s);
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_STAR;
    e->unresolved_star = s;
    *out = e;
    return NB_OK;
}

static nb_status
parse_extend(nb_sql_parser *p, size_t start, Sc__Relation **rel)
{
    nb_ptrs items = {0}, more = {0};
    Sc__Expression *all;

    NB_TRY(star(p, start, &all));
    NB_TRY(nb_ptrs_push(p, &items, all));
    NB_TRY(nb_sql_parse_named_expr_list(p, false, &more));
    for (size_t i = 0; i < more.n; i++) {
        const Sc__Expression *e = more.items[i];
        if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_STAR) {
            nb_raise(p->later, NB_COND_INVALID_USAGE_OF_STAR_OR_REGEX, "elem", "'*'", "prettyName",
                     "expression `pipeexpression`", NULL);
            NB_TRY(nb_sql_error_here(p, start));
        }
        NB_TRY(nb_ptrs_push(p, &items, more.items[i]));
    }
    *rel = nb_sql_project(p, start, *rel, &items);
    NB_SQL_NEED(*rel);
    nb_sql_mark(*rel, NB_SQL_MARK_EXTEND);
    return NB_OK;
}

/* SET a = x, b = y: one after the other, so that each sees what those before it set. */
static nb_status
parse_assignments(nb_sql_parser *p, size_t start, Sc__Relation **rel)
{
    do {
        size_t at = p->pos;
        nb_names name = {0};
        Sc__WithColumns *w = NB_SQL_NEW(p, Sc__WithColumns, SC__WITH_COLUMNS__INIT);
        Sc__Expression__Alias *a =
            NB_SQL_NEW(p, Sc__Expression__Alias, SC__EXPRESSION__ALIAS__INIT);
        Sc__Relation *r;

        NB_SQL_NEED(w);
        NB_SQL_NEED(a);
        NB_TRY(nb_sql_parse_multipart(p, &name));
        if (name.n > 1) {
            NB_TRY(not_allowed(p, at,
                               "SQL pipe syntax |> SET operator with multi-part assignment key "
                               "(only single-part keys are allowed)"));
        }
        NB_TRY(nb_sql_expect(p, NB_T_EQ));
        NB_TRY(nb_sql_parse_expr(p, &a->expr));
        a->n_name = 1;
        a->name = NB_ARENA_ARRAY(p->arena, ProtobufCBinaryData, 1);
        w->aliases = NB_ARENA_ARRAY(p->arena, Sc__Expression__Alias *, 1);
        r = nb_sql_relation(p, start);
        NB_SQL_NEED(a->name);
        NB_SQL_NEED(w->aliases);
        NB_SQL_NEED(r);
        a->name[0] = nb_sql_bytes(name.items[name.n - 1]);
        w->aliases[0] = a;
        w->n_aliases = 1;
        w->input = *rel;
        r->rel_type_case = SC__RELATION__REL_TYPE_WITH_COLUMNS;
        r->with_columns = w;
        nb_sql_mark(r, NB_SQL_MARK_ASSIGN);
        *rel = r;
    } while (nb_sql_accept(p, NB_T_COMMA));
    return NB_OK;
}

static nb_status
parse_drop(nb_sql_parser *p, size_t start, Sc__Relation **rel)
{
    nb_ptrs args = {0}, items = {0};
    Sc__Expression *all;

    NB_TRY(star(p, start, &all));
    NB_TRY(nb_ptrs_push(p, &args, all));
    do {
        size_t at = p->pos;
        nb_names name = {0};
        NB_TRY(nb_sql_parse_multipart(p, &name));
        NB_TRY(nb_ptrs_push(p, &args, nb_sql_attribute(p, at, &name)));
    } while (nb_sql_accept(p, NB_T_COMMA));
    NB_TRY(nb_ptrs_push(p, &items, nb_sql_internal(p, start, NB_SQL_FN_STAR_EXCEPT, &args)));
    NB_SQL_NEED(items.items[0]);
    *rel = nb_sql_project(p, start, *rel, &items);
    NB_SQL_NEED(*rel);
    return NB_OK;
}

static nb_status
unsupported_groups(nb_sql_parser *p, size_t start, const char *what)
{
    nb_raise(p->later, NB_COND_UNSUPPORTED_FEATURE_PIPE_AGGREGATE_CASE, "case", what, NULL);
    return nb_sql_error_here(p, start);
}

static bool
at_word_before_paren(const nb_sql_parser *p, nb_keyword kw)
{
    return nb_sql_is_kw(p, kw) && nb_sql_ahead(p, 1)->kind == NB_T_LPAREN;
}

static nb_status
parse_keys(nb_sql_parser *p, size_t start, Sc__Aggregate *agg)
{
    const char *refused =
        at_word_before_paren(p, NB_KW_ROLLUP) ? "GROUP BY ROLLUP"
        : at_word_before_paren(p, NB_KW_CUBE) ? "GROUP BY CUBE"
        : nb_sql_is_kw(p, NB_KW_GROUPING) && nb_sql_ahead_is_kw(p, 1, NB_KW_SETS) ? "GROUPING SETS"
        : nb_sql_is_kw(p, NB_KW_ALL) && nb_sql_ends_item(nb_sql_ahead(p, 1))      ? "GROUP BY ALL"
                                                                                  : NULL;
    nb_ptrs keys = {0};

    if (refused) {
        NB_TRY(unsupported_groups(p, start, refused));
        return nb_sql_parse_group_by(p, agg);
    }
    NB_TRY(nb_sql_parse_named_expr_list(p, false, &keys));
    if (nb_sql_is_kw(p, NB_KW_WITH) &&
        (nb_sql_ahead_is_kw(p, 1, NB_KW_CUBE) || nb_sql_ahead_is_kw(p, 1, NB_KW_ROLLUP))) {
        bool cube = nb_sql_ahead_is_kw(p, 1, NB_KW_CUBE);
        nb_sql_skip(p);
        nb_sql_skip(p);
        NB_TRY(unsupported_groups(p, start, cube ? "GROUP BY CUBE" : "GROUP BY ROLLUP"));
    }
    agg->grouping_expressions = (Sc__Expression **)keys.items;
    agg->n_grouping_expressions = keys.n;
    return NB_OK;
}

static bool
at_group_by(const nb_sql_parser *p)
{
    return nb_sql_is_kw(p, NB_KW_GROUP) && nb_sql_ahead_is_kw(p, 1, NB_KW_BY);
}

static nb_status
parse_aggregate(nb_sql_parser *p, size_t start, Sc__Relation **rel)
{
    Sc__Aggregate *agg = NB_SQL_NEW(p, Sc__Aggregate, SC__AGGREGATE__INIT);
    Sc__Relation *r;
    nb_ptrs items = {0};

    NB_SQL_NEED(agg);
    if (!at_group_by(p) && !nb_sql_is(p, NB_T_OPERATOR_PIPE) && !nb_sql_ends_item(nb_sql_cur(p))) {
        NB_TRY(nb_sql_parse_named_expr_list(p, false, &items));
    }
    agg->has_group_type = true;
    agg->group_type = SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_GROUPBY;
    if (nb_sql_accept_kw2(p, NB_KW_GROUP, NB_KW_BY)) {
        NB_TRY(parse_keys(p, start, agg));
    } else if (items.n == 0) {
        NB_TRY(not_allowed(p, start,
                           "The AGGREGATE clause requires a list of aggregate expressions or a "
                           "list of grouping expressions, or both"));
    }
    agg->aggregate_expressions = (Sc__Expression **)items.items;
    agg->n_aggregate_expressions = items.n;
    agg->input = *rel;
    r = nb_sql_relation(p, start);
    NB_SQL_NEED(r);
    r->rel_type_case = SC__RELATION__REL_TYPE_AGGREGATE;
    r->aggregate = agg;
    nb_sql_mark(r, NB_SQL_MARK_AGGREGATE);
    *rel = r;
    return NB_OK;
}

/* ORDER BY and the like: one of them, except that OFFSET goes with LIMIT. */
static nb_status
parse_organization(nb_sql_parser *p, size_t start, Sc__Relation **rel)
{
    const nb_token *first = nb_sql_cur(p);
    bool limits = nb_sql_is_kw(p, NB_KW_LIMIT) || nb_sql_is_kw(p, NB_KW_OFFSET), windows;
    size_t uses_from = p->window_uses.n;

    windows = nb_sql_is_kw(p, NB_KW_WINDOW) && nb_sql_at_clause(p);
    if (windows) {
        nb_raise(p->later, NB_COND_UNSUPPORTED_FEATURE_CLAUSE_WITH_PIPE, "clauses",
                 "the WINDOW clause", NULL);
        NB_TRY(nb_sql_error_here(p, start));
    }
    NB_TRY(nb_sql_parse_organization(p, start, uses_from, rel));
    if (!limits && !windows && p->pos > 0 && first->kind == NB_T_WORD) {
        for (size_t i = (size_t)(first - p->tokens.items); i < p->pos; i++) {
            const nb_token *t = &p->tokens.items[i];
            if (t->kind == NB_T_LPAREN && t->match) {
                i = t->match;
            } else if (t->kind == NB_T_WORD && (t->kw == NB_KW_LIMIT || t->kw == NB_KW_OFFSET) &&
                       i > 1) {
                nb_str word = nb_sql_token_text(p, first);
                nb_raise(p->later, NB_COND_MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE, "clause1",
                         nb_arena_printf(p->arena, "%.*s BY", (int)word.len, word.data), "clause2",
                         nb_keyword_text((nb_keyword)t->kw), NULL);
                return nb_sql_error_here(p, start);
            }
        }
    }
    return NB_OK;
}

static nb_status
parse_operator(nb_sql_parser *p, size_t start, Sc__Relation **rel)
{
    nb_str alias;
    bool done;

    switch (nb_sql_is(p, NB_T_WORD) ? (nb_keyword)nb_sql_cur(p)->kw : NB_NOT_KEYWORD) {
    case NB_KW_SELECT: return nb_sql_parse_piped_select(p, rel);
    case NB_KW_EXTEND: nb_sql_skip(p); return parse_extend(p, start, rel);
    case NB_KW_SET: nb_sql_skip(p); return parse_assignments(p, start, rel);
    case NB_KW_DROP: nb_sql_skip(p); return parse_drop(p, start, rel);
    case NB_KW_AS:
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_ident(p, &alias));
        *rel = nb_sql_subquery_alias(p, start, *rel, alias, NULL);
        NB_SQL_NEED(*rel);
        return NB_OK;
    case NB_KW_WHERE: return nb_sql_parse_where(p, start, rel);
    case NB_KW_PIVOT: return nb_sql_parse_pivot(p, rel);
    case NB_KW_UNPIVOT: return nb_sql_parse_unpivot(p, rel);
    case NB_KW_TABLESAMPLE: return nb_sql_parse_sample(p, rel);
    case NB_KW_AGGREGATE: nb_sql_skip(p); return parse_aggregate(p, start, rel);
    case NB_KW_UNION:
    case NB_KW_EXCEPT:
    case NB_KW_MINUS:
    case NB_KW_INTERSECT: return nb_sql_parse_piped_set(p, start, rel);
    case NB_KW_ORDER:
    case NB_KW_SORT:
    case NB_KW_CLUSTER:
    case NB_KW_DISTRIBUTE:
    case NB_KW_LIMIT:
    case NB_KW_OFFSET:
    case NB_KW_WINDOW: return parse_organization(p, start, rel);
    default:
        NB_TRY(nb_sql_parse_piped_join(p, start, rel, &done));
        return NB_OK; /* nothing at all is an operator too */
    }
}

nb_status
nb_sql_parse_pipes(nb_sql_parser *p, size_t start, Sc__Relation **rel)
{
    while (nb_sql_accept(p, NB_T_OPERATOR_PIPE)) {
        size_t mark = p->references.n, uses_from = p->window_uses.n;

        NB_TRY(parse_operator(p, start, rel));
        NB_TRY(nb_sql_check_windows(p, uses_from));
        NB_TRY(nb_sql_wrap_references(p, start, mark, rel));
    }
    return NB_OK;
}
