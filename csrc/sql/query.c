/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query.c: WITH, set operations, SELECT and the clauses around it.
 *
 * A SELECT becomes, from the inside out: FROM, lateral views, Filter (WHERE), Aggregate or Project, Filter (HAVING), Filter (QUALIFY),
 * Deduplicate (DISTINCT), Hint; then Sort, Offset, Limit of the query around it. Subqueries in a clause's expressions stand in a WithRelations
 * around the relation that this clause made.
 */
#include "sql/parse_state.h"

bool
nb_sql_at_query(const nb_sql_parser *p)
{
    const nb_token *after = nb_sql_ahead(p, 1);

    if (nb_sql_is(p, NB_T_LPAREN)) {
        return nb_sql_cur(p)->is_query;
    }
    if (!nb_sql_is(p, NB_T_WORD)) {
        return false;
    }
    switch ((nb_keyword)nb_sql_cur(p)->kw) {
    case NB_KW_SELECT:
    case NB_KW_WITH:
    case NB_KW_VALUES: return true;
    case NB_KW_FROM:
    case NB_KW_TABLE: return nb_sql_is_name(after) || after->kind == NB_T_LPAREN;
    default: return false;
    }
}

/* Does the word at the cursor open a clause or set operation that may stand behind an expression or a table? What follows it decides, since
 * every word is also a fine alias: in `SELECT a FROM WHERE a > 1` FROM is one. */
static bool
clause_at(const nb_sql_parser *p, size_t n, int level)
{
    const nb_token *t = nb_sql_ahead(p, n), *after = nb_sql_ahead(p, n + 1);
    bool by = after->kind == NB_T_WORD && after->kw == NB_KW_BY, more = !nb_sql_ends_item(after);

    if (t->kind != NB_T_WORD) {
        return false;
    }
    switch ((nb_keyword)t->kw) {
    case NB_KW_FROM:
        return (nb_sql_is_name(after) || after->kind == NB_T_LPAREN) &&
               !(level == 0 && clause_at(p, n + 1, 1));
    case NB_KW_SELECT: /* FROM t SELECT … */ return more && after->kind != NB_T_DOT;
    case NB_KW_WHERE:
        return more && !(level == 0 && after->kind == NB_T_WORD && clause_at(p, n + 1, 1));
    case NB_KW_HAVING:
    case NB_KW_QUALIFY:
    case NB_KW_LIMIT:
    case NB_KW_OFFSET: return more;
    case NB_KW_GROUP:
    case NB_KW_ORDER:
    case NB_KW_CLUSTER:
    case NB_KW_DISTRIBUTE:
    case NB_KW_SORT: return by;
    case NB_KW_WINDOW: return nb_sql_is_name(after) && nb_sql_ahead_is_kw(p, n + 2, NB_KW_AS);
    case NB_KW_LATERAL: return after->kind == NB_T_WORD && after->kw == NB_KW_VIEW;
    case NB_KW_UNION:
    case NB_KW_INTERSECT:
    case NB_KW_EXCEPT:
    case NB_KW_MINUS:
        if (after->kind == NB_T_LPAREN) {
            return true;
        }
        return after->kind == NB_T_EOF ||
               (after->kind == NB_T_WORD &&
                (after->kw == NB_KW_ALL || after->kw == NB_KW_DISTINCT ||
                 after->kw == NB_KW_SELECT || after->kw == NB_KW_VALUES ||
                 after->kw == NB_KW_TABLE || after->kw == NB_KW_FROM || after->kw == NB_KW_WITH));
    case NB_KW_PIVOT: return after->kind == NB_T_LPAREN;
    case NB_KW_UNPIVOT:
        return after->kind == NB_T_LPAREN ||
               (after->kind == NB_T_WORD &&
                (after->kw == NB_KW_INCLUDE || after->kw == NB_KW_EXCLUDE));
    case NB_KW_TABLESAMPLE: return after->kind == NB_T_LPAREN;
    default: return false;
    }
}

bool
nb_sql_at_clause(const nb_sql_parser *p)
{
    return clause_at(p, 0, 0);
}

bool
nb_sql_at_clause_ahead(const nb_sql_parser *p, size_t n)
{
    return clause_at(p, n, 0);
}

/* --- LIMIT, OFFSET, ORDER BY and the like ------------------------------------------------------- */

nb_status
nb_sql_limit(nb_sql_parser *p, size_t start, Sc__Expression *n, bool offset, Sc__Relation **rel)
{
    Sc__Relation *r;

    if (n->expr_type_case != SC__EXPRESSION__EXPR_TYPE_LITERAL ||
        n->literal->literal_type_case != SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER) {
        nb_ptrs args = {0};
        NB_TRY(nb_ptrs_push(p, &args, n));
        return nb_sql_over_table(p, start, offset ? NB_SQL_TVF_OFFSET : NB_SQL_TVF_LIMIT, *rel,
                                 &args, rel);
    }
    r = nb_sql_relation(p, start);
    NB_SQL_NEED(r);
    if (offset) {
        Sc__Offset *x = NB_SQL_NEW(p, Sc__Offset, SC__OFFSET__INIT);
        NB_SQL_NEED(x);
        x->input = *rel;
        x->has_offset = true;
        x->offset = n->literal->integer;
        r->rel_type_case = SC__RELATION__REL_TYPE_OFFSET;
        r->offset = x;
    } else {
        Sc__Limit *x = NB_SQL_NEW(p, Sc__Limit, SC__LIMIT__INIT);
        NB_SQL_NEED(x);
        x->input = *rel;
        x->has_limit = true;
        x->limit = n->literal->integer;
        r->rel_type_case = SC__RELATION__REL_TYPE_LIMIT;
        r->limit = x;
    }
    *rel = r;
    return NB_OK;
}

static nb_status
sort(nb_sql_parser *p, size_t start, const nb_ptrs *orders, bool global, Sc__Relation **rel)
{
    Sc__Sort *s = NB_SQL_NEW(p, Sc__Sort, SC__SORT__INIT);
    Sc__Relation *r = nb_sql_relation(p, start);

    NB_SQL_NEED(s);
    NB_SQL_NEED(r);
    s->input = *rel;
    s->order = (Sc__Expression__SortOrder **)orders->items;
    s->n_order = orders->n;
    s->has_is_global = true;
    s->is_global = global;
    r->rel_type_case = SC__RELATION__REL_TYPE_SORT;
    r->sort = s;
    *rel = r;
    return NB_OK;
}

static nb_status
distribute(nb_sql_parser *p, size_t start, const nb_ptrs *exprs, Sc__Relation **rel)
{
    Sc__RepartitionByExpression *x =
        NB_SQL_NEW(p, Sc__RepartitionByExpression, SC__REPARTITION_BY_EXPRESSION__INIT);
    Sc__Relation *r = nb_sql_relation(p, start);

    NB_SQL_NEED(x);
    NB_SQL_NEED(r);
    x->input = *rel;
    x->partition_exprs = (Sc__Expression **)exprs->items;
    x->n_partition_exprs = exprs->n;
    r->rel_type_case = SC__RELATION__REL_TYPE_REPARTITION_BY_EXPRESSION;
    r->repartition_by_expression = x;
    *rel = r;
    return NB_OK;
}

/* CLUSTER BY a = DISTRIBUTE BY a SORT BY a */
static nb_status
cluster_order(nb_sql_parser *p, const nb_ptrs *exprs, nb_ptrs *orders)
{
    for (size_t i = 0; i < exprs->n; i++) {
        Sc__Expression__SortOrder *o =
            NB_SQL_NEW(p, Sc__Expression__SortOrder, SC__EXPRESSION__SORT_ORDER__INIT);
        NB_SQL_NEED(o);
        o->child = exprs->items[i];
        o->has_direction = o->has_null_ordering = true;
        o->direction = SC__EXPRESSION__SORT_ORDER__SORT_DIRECTION__SORT_DIRECTION_ASCENDING;
        o->null_ordering = SC__EXPRESSION__SORT_ORDER__NULL_ORDERING__SORT_NULLS_FIRST;
        NB_TRY(nb_ptrs_push(p, orders, o));
    }
    return NB_OK;
}

nb_status
nb_sql_parse_organization(nb_sql_parser *p, size_t start, size_t uses_from, Sc__Relation **rel)
{
    size_t mark = p->references.n;
    nb_ptrs exprs = {0}, orders = {0};
    Sc__Expression *n;

    if (nb_sql_accept_kw2(p, NB_KW_ORDER, NB_KW_BY)) {
        NB_TRY(nb_sql_parse_sort_items(p, &orders));
        NB_TRY(sort(p, start, &orders, true, rel));
    } else if (nb_sql_accept_kw2(p, NB_KW_CLUSTER, NB_KW_BY)) {
        NB_TRY(nb_sql_parse_expr_list(p, &exprs));
        NB_TRY(cluster_order(p, &exprs, &orders));
        NB_TRY(distribute(p, start, &exprs, rel));
        NB_TRY(sort(p, start, &orders, false, rel));
    } else {
        if (nb_sql_accept_kw2(p, NB_KW_DISTRIBUTE, NB_KW_BY)) {
            NB_TRY(nb_sql_parse_expr_list(p, &exprs));
            NB_TRY(distribute(p, start, &exprs, rel));
        }
        if (nb_sql_accept_kw2(p, NB_KW_SORT, NB_KW_BY)) {
            NB_TRY(nb_sql_parse_sort_items(p, &orders));
            NB_TRY(sort(p, start, &orders, false, rel));
        }
    }
    if (nb_sql_is_kw(p, NB_KW_WINDOW) && nb_sql_at_clause(p)) {
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_window_clause(p, uses_from));
    }
    NB_TRY(nb_sql_wrap_references(p, start, mark, rel));
    if (nb_sql_is_kw(p, NB_KW_LIMIT) && nb_sql_at_clause(p)) {
        Sc__Expression *limit = NULL;
        size_t at;
        nb_sql_skip(p);
        at = p->pos;
        if (nb_sql_is_kw(p, NB_KW_ALL) &&
            (nb_sql_ends_item(nb_sql_ahead(p, 1)) || nb_sql_ahead_is_kw(p, 1, NB_KW_OFFSET))) {
            nb_sql_skip(p);
        } else {
            NB_TRY(nb_sql_parse_expr(p, &limit));
        }
        if (nb_sql_accept_kw(p, NB_KW_OFFSET)) {
            NB_TRY(nb_sql_parse_expr(p, &n));
            NB_TRY(nb_sql_limit(p, start, n, true, rel));
        }
        if (limit) {
            NB_TRY(nb_sql_limit(p, at, limit, false, rel));
        }
    } else if (nb_sql_is_kw(p, NB_KW_OFFSET) && nb_sql_at_clause(p)) {
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_expr(p, &n));
        NB_TRY(nb_sql_limit(p, start, n, true, rel));
    }
    return nb_sql_wrap_references(p, start, mark, rel);
}

/* --- SELECT -------------------------------------------------------------------------------------- */

typedef struct hint_text {
    nb_str name;
    nb_ptrs parameters;
} hint_text;

static nb_status
parse_hints(nb_sql_parser *p, nb_ptrs *out)
{
    while (nb_sql_accept(p, NB_T_HINT_START)) {
        do {
            hint_text *h = NB_ARENA_NEW(p->arena, hint_text);
            NB_SQL_NEED(h);
            NB_TRY(nb_sql_parse_ident_no_dash(p, &h->name));
            if (nb_sql_accept(p, NB_T_LPAREN)) {
                do {
                    Sc__Expression *e;
                    NB_TRY(nb_sql_parse_primary(p, &e));
                    NB_TRY(nb_ptrs_push(p, &h->parameters, e));
                } while (nb_sql_accept(p, NB_T_COMMA));
                NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
            }
            NB_TRY(nb_ptrs_push(p, out, h));
        } while (nb_sql_accept(p, NB_T_COMMA) || nb_sql_is_name(nb_sql_cur(p)));
        NB_TRY(nb_sql_expect(p, NB_T_HINT_END));
    }
    return NB_OK;
}

static nb_status
apply_hints(nb_sql_parser *p, size_t start, const nb_ptrs *hints, Sc__Relation **rel)
{
    for (size_t i = hints->n; i-- > 0;) {
        const hint_text *h = hints->items[i];
        Sc__Hint *x = NB_SQL_NEW(p, Sc__Hint, SC__HINT__INIT);
        Sc__Relation *r = nb_sql_relation(p, start);
        NB_SQL_NEED(x);
        NB_SQL_NEED(r);
        x->input = *rel;
        x->has_name = true;
        x->name = nb_sql_bytes(h->name);
        x->parameters = (Sc__Expression **)h->parameters.items;
        x->n_parameters = h->parameters.n;
        r->rel_type_case = SC__RELATION__REL_TYPE_HINT;
        r->hint = x;
        *rel = r;
    }
    return NB_OK;
}

static nb_status
deduplicate(nb_sql_parser *p, size_t start, Sc__Relation **rel)
{
    Sc__Deduplicate *x = NB_SQL_NEW(p, Sc__Deduplicate, SC__DEDUPLICATE__INIT);
    Sc__Relation *r = nb_sql_relation(p, start);

    NB_SQL_NEED(x);
    NB_SQL_NEED(r);
    x->input = *rel;
    x->has_all_columns_as_keys = x->all_columns_as_keys = true;
    r->rel_type_case = SC__RELATION__REL_TYPE_DEDUPLICATE;
    r->deduplicate = x;
    *rel = r;
    return NB_OK;
}

nb_status
nb_sql_parse_where(nb_sql_parser *p, size_t start, Sc__Relation **rel)
{
    size_t mark = p->references.n;
    Sc__Expression *condition;

    if (!nb_sql_is_kw(p, NB_KW_WHERE) || !nb_sql_at_clause(p)) {
        return nb_sql_is_kw(p, NB_KW_WHERE) ? (nb_sql_skip(p), nb_sql_syntax_error(p)) : NB_OK;
    }
    nb_sql_skip(p);
    NB_TRY(nb_sql_parse_expr(p, &condition));
    if (!*rel) {
        nb_ptrs none = {0};
        *rel = nb_sql_project(p, start, NULL, &none);
        NB_SQL_NEED(*rel);
    }
    *rel = nb_sql_filter(p, start, *rel, condition, NULL);
    NB_SQL_NEED(*rel);
    return nb_sql_wrap_references(p, start, mark, rel);
}

/* Takes the references since mark off the stack. */
static nb_status
take_references(nb_sql_parser *p, size_t mark, nb_ptrs *out)
{
    for (size_t i = mark; i < p->references.n; i++) {
        NB_TRY(nb_ptrs_push(p, out, p->references.items[i]));
    }
    p->references.n = mark;
    return NB_OK;
}

static nb_status
put_references(nb_sql_parser *p, const nb_ptrs *refs)
{
    for (size_t i = 0; i < refs->n; i++) {
        NB_TRY(nb_ptrs_push(p, &p->references, refs->items[i]));
    }
    return NB_OK;
}

typedef struct select_head {
    size_t start, mark; /* first token; references before it */
    nb_ptrs hints, items;
    bool distinct;
} select_head;

/* SELECT hints [DISTINCT | ALL] items; their subqueries stay on the stack of references */
static nb_status
parse_select_head(nb_sql_parser *p, select_head *head)
{
    *head = (select_head){.start = p->pos, .mark = p->references.n};
    NB_TRY(nb_sql_expect_kw(p, NB_KW_SELECT));
    NB_TRY(parse_hints(p, &head->hints));
    if ((nb_sql_is_kw(p, NB_KW_DISTINCT) || nb_sql_is_kw(p, NB_KW_ALL)) &&
        !nb_sql_ends_item(nb_sql_ahead(p, 1)) && nb_sql_ahead(p, 1)->kind != NB_T_DOT) {
        head->distinct = nb_sql_is_kw(p, NB_KW_DISTINCT);
        nb_sql_skip(p);
    }
    return nb_sql_parse_named_expr_list(p, false, &head->items);
}

/* Everything from WHERE to the hints, above the FROM clause in *rel (NULL: none). */
static nb_status
parse_select_tail(nb_sql_parser *p, select_head *head, size_t uses_from, Sc__Relation **rel)
{
    size_t start = head->start;
    Sc__Aggregate *agg = NULL;
    Sc__Expression *having = NULL, *qualify = NULL;
    nb_ptrs having_refs = {0}, qualify_refs = {0};

    NB_TRY(nb_sql_parse_lateral_views(p, rel));
    NB_TRY(nb_sql_parse_where(p, start, rel));
    if (nb_sql_accept_kw2(p, NB_KW_GROUP, NB_KW_BY)) {
        agg = NB_SQL_NEW(p, Sc__Aggregate, SC__AGGREGATE__INIT);
        NB_SQL_NEED(agg);
        NB_TRY(nb_sql_parse_group_by(p, agg));
    }
    if (nb_sql_is_kw(p, NB_KW_HAVING) && nb_sql_at_clause(p)) {
        size_t mark = p->references.n;
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_expr(p, &having));
        NB_TRY(take_references(p, mark, &having_refs));
        if (!agg) {
            agg = NB_SQL_NEW(p, Sc__Aggregate, SC__AGGREGATE__INIT);
            NB_SQL_NEED(agg);
            agg->has_group_type = true;
            agg->group_type = SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_GROUPBY;
        }
    }
    for (;;) {
        if (nb_sql_is_kw(p, NB_KW_WINDOW) && nb_sql_at_clause(p)) {
            nb_sql_skip(p);
            NB_TRY(nb_sql_parse_window_clause(p, uses_from));
        } else if (!qualify && nb_sql_is_kw(p, NB_KW_QUALIFY) && nb_sql_at_clause(p)) {
            size_t mark = p->references.n;
            nb_sql_skip(p);
            NB_TRY(nb_sql_parse_expr(p, &qualify));
            NB_TRY(take_references(p, mark, &qualify_refs));
        } else {
            break;
        }
    }
    if (agg) {
        Sc__Relation *r = nb_sql_relation(p, start);
        NB_SQL_NEED(r);
        if (!*rel) {
            nb_ptrs none = {0};
            *rel = nb_sql_project(p, start, NULL, &none);
            NB_SQL_NEED(*rel);
        }
        agg->input = *rel;
        agg->aggregate_expressions = (Sc__Expression **)head->items.items;
        agg->n_aggregate_expressions = head->items.n;
        r->rel_type_case = SC__RELATION__REL_TYPE_AGGREGATE;
        r->aggregate = agg;
        nb_sql_mark(r, NB_SQL_MARK_SELECT);
        *rel = r;
    } else {
        *rel = nb_sql_project(p, start, *rel, &head->items);
        NB_SQL_NEED(*rel);
    }
    NB_TRY(nb_sql_wrap_references(p, start, head->mark, rel));
    if (having) {
        NB_TRY(put_references(p, &having_refs));
        *rel = nb_sql_filter(p, start, *rel, having, NB_SQL_MARK_HAVING);
        NB_SQL_NEED(*rel);
        NB_TRY(nb_sql_wrap_references(p, start, head->mark, rel));
    }
    if (qualify) {
        NB_TRY(put_references(p, &qualify_refs));
        *rel = nb_sql_filter(p, start, *rel, qualify, NB_SQL_MARK_QUALIFY);
        NB_SQL_NEED(*rel);
        NB_TRY(nb_sql_wrap_references(p, start, head->mark, rel));
    }
    if (head->distinct) {
        NB_TRY(deduplicate(p, start, rel));
    }
    return apply_hints(p, start, &head->hints, rel);
}

static nb_status
parse_select(nb_sql_parser *p, Sc__Relation **out)
{
    size_t uses_from = p->window_uses.n, tables = p->insert_from;
    select_head head;

    p->insert_from = 0; /* not for subqueries */
    NB_TRY(parse_select_head(p, &head));
    *out = NULL;
    if (tables) {
        size_t rest = p->pos;
        nb_token *insert = &p->tokens.items[p->insert_first], kept = *insert;
        nb_status st;
        p->pos = tables;
        insert->kind = NB_T_SEMICOLON; /* or the word would be an alias of the last table */
        st = nb_sql_parse_from(p, out);
        *insert = kept;
        NB_TRY(st);
        if (p->pos != p->insert_first) {
            return nb_sql_syntax_error(p);
        }
        p->pos = rest;
    } else if (nb_sql_is_kw(p, NB_KW_FROM)) {
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_from(p, out));
    }
    return parse_select_tail(p, &head, uses_from, out);
}

nb_status
nb_sql_parse_piped_select(nb_sql_parser *p, Sc__Relation **rel)
{
    size_t uses_from = p->window_uses.n;
    select_head head;

    NB_TRY(parse_select_head(p, &head));
    if (nb_sql_is_kw(p, NB_KW_WHERE) || nb_sql_is_kw(p, NB_KW_FROM) ||
        nb_sql_is_kw(p, NB_KW_LATERAL)) { /* those are operators of their own */
        return nb_sql_syntax_error(p);
    }
    return parse_select_tail(p, &head, uses_from, rel);
}

/* FROM t SELECT …; FROM t alone is t itself */
static nb_status
parse_from_first(nb_sql_parser *p, Sc__Relation **out)
{
    size_t uses_from = p->window_uses.n;
    select_head head;

    nb_sql_skip(p);
    NB_TRY(nb_sql_parse_from(p, out));
    if (!nb_sql_is_kw(p, NB_KW_SELECT)) { /* the table itself */
        return NB_OK;
    }
    NB_TRY(parse_select_head(p, &head));
    return parse_select_tail(p, &head, uses_from, out);
}

/* --- queries ------------------------------------------------------------------------------------- */

static nb_status
parse_query_primary(nb_sql_parser *p, Sc__Relation **out)
{
    size_t start = p->pos, mark = p->references.n;

    if (nb_sql_is(p, NB_T_LPAREN)) {
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_query_at(p, out));
        return nb_sql_expect(p, NB_T_RPAREN);
    }
    if (!nb_sql_is(p, NB_T_WORD)) {
        return nb_sql_syntax_error(p);
    }
    switch ((nb_keyword)nb_sql_cur(p)->kw) {
    case NB_KW_SELECT: return parse_select(p, out);
    case NB_KW_FROM: return parse_from_first(p, out);
    case NB_KW_VALUES:
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_values(p, out));
        NB_TRY(nb_sql_wrap_references(p, start, mark, out));
        return nb_sql_parse_table_alias(p, start, out);
    case NB_KW_TABLE: {
        nb_names name = {0};
        Sc__Relation *r;
        Sc__Read *read = NB_SQL_NEW(p, Sc__Read, SC__READ__INIT);
        Sc__Read__NamedTable *t = NB_SQL_NEW(p, Sc__Read__NamedTable, SC__READ__NAMED_TABLE__INIT);
        nb_str text;
        nb_sql_skip(p);
        NB_TRY(nb_sql_parse_multipart(p, &name));
        text = nb_sql_quote(p->arena, name.items, name.n);
        r = nb_sql_relation(p, start);
        NB_SQL_NEED(r);
        NB_SQL_NEED(read);
        NB_SQL_NEED(t);
        NB_SQL_NEED(text.data);
        t->has_unparsed_identifier = true;
        t->unparsed_identifier = nb_sql_bytes(text);
        read->read_type_case = SC__READ__READ_TYPE_NAMED_TABLE;
        read->named_table = t;
        r->rel_type_case = SC__RELATION__REL_TYPE_READ;
        r->read = read;
        *out = r;
        return NB_OK;
    }
    default: return nb_sql_syntax_error(p);
    }
}

static nb_status
set_operation(nb_sql_parser *p, size_t start, Sc__SetOperation__SetOpType type, bool all,
              Sc__Relation *right, Sc__Relation **left)
{
    Sc__SetOperation *s = NB_SQL_NEW(p, Sc__SetOperation, SC__SET_OPERATION__INIT);
    Sc__Relation *r = nb_sql_relation(p, start);

    NB_SQL_NEED(s);
    NB_SQL_NEED(r);
    s->left_input = *left;
    s->right_input = right;
    s->has_set_op_type = s->has_is_all = s->has_by_name = true;
    s->set_op_type = type;
    s->is_all = all;
    s->by_name = false;
    r->rel_type_case = SC__RELATION__REL_TYPE_SET_OP;
    r->set_op = s;
    *left = r;
    return NB_OK;
}

static bool
accept_all(nb_sql_parser *p)
{
    if (nb_sql_accept_kw(p, NB_KW_ALL)) {
        return true;
    }
    nb_sql_accept_kw(p, NB_KW_DISTINCT);
    return false;
}

static nb_status
parse_intersections(nb_sql_parser *p, Sc__Relation **out)
{
    size_t start = p->pos;

    NB_TRY(parse_query_primary(p, out));
    while (nb_sql_accept_kw(p, NB_KW_INTERSECT)) {
        bool all = accept_all(p);
        Sc__Relation *right;
        NB_TRY(parse_query_primary(p, &right));
        NB_TRY(set_operation(p, start, SC__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_INTERSECT, all,
                             right, out));
    }
    return NB_OK;
}

nb_status
nb_sql_parse_query_term(nb_sql_parser *p, Sc__Relation **out)
{
    size_t start = p->pos;

    NB_TRY(parse_intersections(p, out));
    while (nb_sql_is_kw(p, NB_KW_UNION) || nb_sql_is_kw(p, NB_KW_EXCEPT) ||
           nb_sql_is_kw(p, NB_KW_MINUS)) {
        bool is_union = nb_sql_is_kw(p, NB_KW_UNION), all;
        Sc__Relation *right;
        nb_sql_skip(p);
        all = accept_all(p);
        NB_TRY(parse_intersections(p, &right));
        NB_TRY(set_operation(p, start,
                             is_union ? SC__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_UNION
                                      : SC__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_EXCEPT,
                             all, right, out));
    }
    return nb_sql_parse_pipes(p, start, out);
}

nb_status
nb_sql_parse_piped_set(nb_sql_parser *p, size_t start, Sc__Relation **rel)
{
    Sc__SetOperation__SetOpType type =
        nb_sql_is_kw(p, NB_KW_UNION)       ? SC__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_UNION
        : nb_sql_is_kw(p, NB_KW_INTERSECT) ? SC__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_INTERSECT
                                           : SC__SET_OPERATION__SET_OP_TYPE__SET_OP_TYPE_EXCEPT;
    Sc__Relation *right;
    bool all;

    nb_sql_skip(p);
    all = accept_all(p);
    NB_TRY(parse_query_primary(p, &right));
    return set_operation(p, start, type, all, right, rel);
}

/* Behind WITH: [RECURSIVE] a [(columns)] [AS] (query), … → named references, in order */
static nb_status
parse_ctes(nb_sql_parser *p, nb_ptrs *out)
{
    size_t start = p->pos - 1;
    bool recursive;

    recursive = nb_sql_is_kw(p, NB_KW_RECURSIVE) && nb_sql_is_name(nb_sql_ahead(p, 1)) &&
                !nb_sql_ahead_is_kw(p, 1, NB_KW_AS) && nb_sql_accept_kw(p, NB_KW_RECURSIVE);
    do {
        size_t at = p->pos;
        nb_str name;
        nb_names columns = {0};
        const char *level = NB_SQL_MARK_RECURSIVE;
        Sc__Relation *query;

        NB_TRY(nb_sql_parse_ident(p, &name));
        if (nb_sql_is(p, NB_T_LPAREN) && !nb_sql_cur(p)->is_query) {
            NB_TRY(nb_sql_parse_ident_list(p, &columns));
        }
        if (nb_sql_is_kw(p, NB_KW_MAX) && nb_sql_ahead_is_kw(p, 1, NB_KW_RECURSION)) {
            nb_sql_skip(p);
            nb_sql_skip(p);
            NB_TRY(nb_sql_expect_kw(p, NB_KW_LEVEL));
            if (!nb_sql_is(p, NB_T_INTEGER)) {
                return nb_sql_syntax_error(p);
            }
            level = nb_arena_printf(p->arena, "%s:%.*s", NB_SQL_MARK_RECURSIVE,
                                    (int)nb_sql_token_text(p, nb_sql_cur(p)).len,
                                    nb_sql_token_text(p, nb_sql_cur(p)).data);
            NB_SQL_NEED(level);
            nb_sql_skip(p);
        }
        nb_sql_accept_kw(p, NB_KW_AS);
        NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
        NB_TRY(nb_sql_parse_query_at(p, &query));
        NB_TRY(nb_sql_expect(p, NB_T_RPAREN));
        for (size_t i = 0; i < out->n; i++) {
            const Sc__Relation *other = out->items[i];
            nb_str other_name = {(const char *)other->subquery_alias->alias.data,
                                 other->subquery_alias->alias.len};
            if (nb_str_equal_nocase(other_name, name)) {
                nb_raise(p->later, NB_COND_DUPLICATED_CTE_NAMES, "duplicateNames",
                         nb_arena_printf(p->arena, "`%.*s`", (int)name.len, name.data), NULL);
                NB_TRY(nb_sql_error_here(p, start));
            }
        }
        query = nb_sql_subquery_alias(p, at, query, name, &columns);
        NB_SQL_NEED(query);
        if (recursive) {
            nb_sql_mark(query, level);
        }
        NB_TRY(nb_ptrs_push(p, out, query));
    } while (nb_sql_accept(p, NB_T_COMMA));
    return NB_OK;
}

/* WITH … INSERT … query, at the query: nothing but that takes what a FROM before the INSERT names. */
static nb_status
parse_ctes_before_insert(nb_sql_parser *p, nb_ptrs *out)
{
    size_t query = p->pos, tables = p->insert_from;

    p->pos = p->insert_with;
    p->insert_with = p->insert_from = 0;
    NB_TRY(parse_ctes(p, out));
    p->pos = query;
    p->insert_from = tables;
    return NB_OK;
}

nb_status
nb_sql_parse_query_at(nb_sql_parser *p, Sc__Relation **out)
{
    size_t start = p->pos, uses_from = p->window_uses.n, mark;
    const nb_lambda_scope *lambda = p->lambda;
    nb_ptrs ctes = {0};

    NB_TRY(nb_sql_enter(p));
    p->lambda = NULL;
    if (p->insert_with) {
        NB_TRY(parse_ctes_before_insert(p, &ctes));
        NB_TRY(nb_sql_parse_query_at(p, out)); /* which may have a WITH of its own */
    } else {
        if (nb_sql_accept_kw(p, NB_KW_WITH)) {
            NB_TRY(parse_ctes(p, &ctes));
        }
        NB_TRY(nb_sql_parse_query_term(p, out));
        NB_TRY(nb_sql_parse_organization(p, start, uses_from, out));
        NB_TRY(nb_sql_check_windows(p, uses_from));
    }
    if (ctes.n) {
        mark = p->references.n;
        NB_TRY(put_references(p, &ctes));
        NB_TRY(nb_sql_wrap_references(p, start, mark, out));
    }
    p->lambda = lambda;
    nb_sql_leave(p);
    return NB_OK;
}
