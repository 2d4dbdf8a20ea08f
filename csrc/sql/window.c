/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.c: OVER, window specifications, and the WINDOW clause.
 *
 * A name behind OVER stands before its definition in the text: the use is noted, and filled in when the WINDOW clause of the
 * same query has been read. Uses that no clause names are an error at the end of the query.
 */
#include "sql/parse_state.h"

static nb_status
parse_bound(nb_sql_parser *p, bool *following,
            Sc__Expression__Window__WindowFrame__FrameBoundary **out)
{
    Sc__Expression__Window__WindowFrame__FrameBoundary *b =
        NB_SQL_NEW(p, Sc__Expression__Window__WindowFrame__FrameBoundary,
                   SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__INIT);
    size_t start = p->pos;
    Sc__Expression *value;

    NB_SQL_NEED(b);
    *out = b;
    if (nb_sql_accept_kw2(p, NB_KW_CURRENT, NB_KW_ROW)) {
        b->boundary_case =
            SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_CURRENT_ROW;
        b->current_row = true;
        *following = false;
        return NB_OK;
    }
    if (nb_sql_is_kw(p, NB_KW_UNBOUNDED) &&
        (nb_sql_ahead_is_kw(p, 1, NB_KW_PRECEDING) || nb_sql_ahead_is_kw(p, 1, NB_KW_FOLLOWING))) {
        *following = nb_sql_ahead_is_kw(p, 1, NB_KW_FOLLOWING);
        nb_sql_skip(p);
        nb_sql_skip(p);
        b->boundary_case = SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_UNBOUNDED;
        b->unbounded = true;
        return NB_OK;
    }
    NB_TRY(nb_sql_parse_expr(p, &value));
    *following = nb_sql_is_kw(p, NB_KW_FOLLOWING);
    if (!*following && !nb_sql_is_kw(p, NB_KW_PRECEDING)) {
        return nb_sql_syntax_error(p);
    }
    nb_sql_skip(p);
    if (!*following) {
        if (value->expr_type_case == SC__EXPRESSION__EXPR_TYPE_LITERAL &&
            value->literal->literal_type_case == SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER &&
            value->literal->integer > INT32_MIN) {
            value->literal->integer = -value->literal->integer;
        } else {
            value = nb_sql_call1(p, start, "-", value);
            NB_SQL_NEED(value);
        }
    }
    b->boundary_case = SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_VALUE;
    b->value = value;
    return NB_OK;
}

static nb_status
parse_frame(nb_sql_parser *p, Sc__Expression__Window__WindowFrame **out)
{
    Sc__Expression__Window__WindowFrame *f = NB_SQL_NEW(p, Sc__Expression__Window__WindowFrame,
                                                        SC__EXPRESSION__WINDOW__WINDOW_FRAME__INIT);
    bool following;
    size_t start = p->pos;

    NB_SQL_NEED(f);
    f->has_frame_type = true;
    f->frame_type = nb_sql_is_kw(p, NB_KW_ROWS)
                        ? SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_TYPE__FRAME_TYPE_ROW
                        : SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_TYPE__FRAME_TYPE_RANGE;
    nb_sql_skip(p);
    if (nb_sql_accept_kw(p, NB_KW_BETWEEN)) {
        NB_TRY(parse_bound(p, &following, &f->lower));
        if (following &&
            f->lower->boundary_case ==
                SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_UNBOUNDED) {
            return nb_sql_syntax_error_at(p, start, "");
        }
        NB_TRY(nb_sql_expect_kw(p, NB_KW_AND));
        NB_TRY(parse_bound(p, &following, &f->upper));
        if (!following &&
            f->upper->boundary_case ==
                SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_UNBOUNDED) {
            return nb_sql_syntax_error_at(p, start, "");
        }
    } else {
        NB_TRY(parse_bound(p, &following, &f->lower));
        f->upper = NB_SQL_NEW(p, Sc__Expression__Window__WindowFrame__FrameBoundary,
                              SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__INIT);
        NB_SQL_NEED(f->upper);
        f->upper->boundary_case =
            SC__EXPRESSION__WINDOW__WINDOW_FRAME__FRAME_BOUNDARY__BOUNDARY_CURRENT_ROW;
        f->upper->current_row = true;
    }
    *out = f;
    return NB_OK;
}

/* "(" … ")" of a definition; the cursor is on "(" */
static nb_status
parse_definition(nb_sql_parser *p, Sc__Expression__Window *w)
{
    nb_ptrs partition = {0}, order = {0};

    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    if (nb_sql_accept_kw2(p, NB_KW_CLUSTER, NB_KW_BY)) {
        NB_TRY(nb_sql_parse_expr_list(p, &partition));
    } else {
        if (nb_sql_accept_kw2(p, NB_KW_PARTITION, NB_KW_BY) ||
            nb_sql_accept_kw2(p, NB_KW_DISTRIBUTE, NB_KW_BY)) {
            NB_TRY(nb_sql_parse_expr_list(p, &partition));
        }
        if (nb_sql_accept_kw2(p, NB_KW_ORDER, NB_KW_BY) ||
            nb_sql_accept_kw2(p, NB_KW_SORT, NB_KW_BY)) {
            NB_TRY(nb_sql_parse_sort_items(p, &order));
        }
    }
    if (nb_sql_is_kw(p, NB_KW_ROWS) || nb_sql_is_kw(p, NB_KW_RANGE)) {
        NB_TRY(parse_frame(p, &w->frame_spec));
    }
    w->partition_spec = (Sc__Expression **)partition.items;
    w->n_partition_spec = partition.n;
    w->order_spec = (Sc__Expression__SortOrder **)order.items;
    w->n_order_spec = order.n;
    return nb_sql_expect(p, NB_T_RPAREN);
}

/* w, (w) or (definition); *name is set for the first two */
static nb_status
parse_spec(nb_sql_parser *p, Sc__Expression__Window *w, nb_str *name, size_t *name_token)
{
    bool parens = nb_sql_is(p, NB_T_LPAREN) && nb_sql_is_name(nb_sql_ahead(p, 1)) &&
                  nb_sql_ahead(p, 2)->kind == NB_T_RPAREN;

    *name = (nb_str){NULL, 0};
    if (nb_sql_is(p, NB_T_LPAREN) && !parens) {
        return parse_definition(p, w);
    }
    if (parens) {
        nb_sql_skip(p);
    }
    *name_token = p->pos;
    NB_TRY(nb_sql_parse_ident(p, name));
    return parens ? nb_sql_expect(p, NB_T_RPAREN) : NB_OK;
}

nb_status
nb_sql_parse_over(nb_sql_parser *p, size_t start, Sc__Expression *call, Sc__Expression **out)
{
    Sc__Expression__Window *w = NB_SQL_NEW(p, Sc__Expression__Window, SC__EXPRESSION__WINDOW__INIT);
    Sc__Expression *e;
    nb_str name;
    size_t token = p->pos;

    NB_SQL_NEED(w);
    w->window_function = call;
    NB_TRY(parse_spec(p, w, &name, &token));
    if (name.data) {
        nb_window_use *use = NB_ARENA_NEW(p->arena, nb_window_use);
        NB_SQL_NEED(use);
        *use = (nb_window_use){w, name, token};
        NB_TRY(nb_ptrs_push(p, &p->window_uses, use));
    }
    e = nb_sql_expr(p, start);
    NB_SQL_NEED(e);
    e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_WINDOW;
    e->window = w;
    *out = e;
    return NB_OK;
}

typedef struct named_window {
    nb_str name;
    Sc__Expression__Window *window;
} named_window;

static const Sc__Expression__Window *
find_window(const nb_ptrs *windows, nb_str name)
{
    for (size_t i = windows->n; i-- > 0;) {
        const named_window *w = windows->items[i];
        if (nb_str_equal_nocase(w->name, name)) {
            return w->window;
        }
    }
    return NULL;
}

static nb_status
missing_window(nb_sql_parser *p, nb_str name, size_t token)
{
    char *text = nb_arena_strdup(p->arena, name);

    NB_SQL_NEED(text);
    nb_raise(p->later, NB_COND_MISSING_WINDOW_SPECIFICATION, "windowName", text, "docroot",
             "https://spark.apache.org/docs/latest", NULL);
    return nb_sql_error_at(p, token, token);
}

static void
fill(Sc__Expression__Window *to, const Sc__Expression__Window *from)
{
    to->partition_spec = from->partition_spec;
    to->n_partition_spec = from->n_partition_spec;
    to->order_spec = from->order_spec;
    to->n_order_spec = from->n_order_spec;
    to->frame_spec = from->frame_spec;
}

nb_status
nb_sql_parse_window_clause(nb_sql_parser *p, size_t uses_from)
{
    nb_ptrs windows = {0};
    size_t kept = uses_from;

    do {
        named_window *w = NB_ARENA_NEW(p->arena, named_window);
        nb_str reference;
        size_t token = p->pos;
        NB_SQL_NEED(w);
        w->window = NB_SQL_NEW(p, Sc__Expression__Window, SC__EXPRESSION__WINDOW__INIT);
        NB_SQL_NEED(w->window);
        NB_TRY(nb_sql_parse_ident(p, &w->name));
        NB_TRY(nb_sql_expect_kw(p, NB_KW_AS));
        NB_TRY(parse_spec(p, w->window, &reference, &token));
        if (reference.data) {
            const Sc__Expression__Window *other = find_window(&windows, reference);
            if (!other) {
                return missing_window(p, reference, token);
            }
            fill(w->window, other);
        }
        NB_TRY(nb_ptrs_push(p, &windows, w));
    } while (nb_sql_accept(p, NB_T_COMMA));
    for (size_t i = uses_from; i < p->window_uses.n; i++) {
        nb_window_use *use = p->window_uses.items[i];
        const Sc__Expression__Window *w = find_window(&windows, use->name);
        if (w) {
            fill(use->window, w);
        } else {
            p->window_uses.items[kept++] = use;
        }
    }
    p->window_uses.n = kept;
    return NB_OK;
}

nb_status
nb_sql_check_windows(nb_sql_parser *p, size_t uses_from)
{
    if (p->window_uses.n > uses_from) {
        const nb_window_use *use = p->window_uses.items[uses_from];
        return missing_window(p, use->name, use->token);
    }
    return NB_OK;
}
