/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share.c: aggregations that a plan contains more than once are computed once.
 *
 * A common table expression that is named twice stands in the plan twice, and so does a view. Where the rules have left both occurrences equal, they
 * get one number, and execution keeps the rows of the first for the others. Only aggregations: their results are small, while keeping the rows of a
 * scan or a join costs more than it saves.
 *
 * Where one occurrence has a filter of group keys below that another does not have (IS NOT NULL of a key that is joined, say), the filter is put above it,
 * and both are equal. That is done where the other one is shared already, or where the filter lets most rows pass: else a join could do better by
 * leaving out rows of the other one.
 */
#include "plan/share.h"

#define MOST_LIFTED 64   /* aggregations of a plan among which filters are looked at */
#define MOST_ROWS   0.75 /* a filter that lets so many pass saves little */

/* The one filter that a tree has more than another. */
typedef struct lift {
    nb_arena *arena;
    nb_node *filter;    /* NULL: none yet */
    nb_expr *condition; /* over the columns of the node at hand */
    nb_status st;
} lift;

typedef struct sharing {
    nb_arena *arena;
    nb_node **seen; /* aggregations that are not inside an equal one */
    int n_seen, cap_seen;
    int n_shares;
} sharing;

static bool
same_exprs(nb_expr *const *a, nb_expr *const *b, int n)
{
    for (int i = 0; i < n; i++) {
        if (!a[i]->deterministic || !b[i]->deterministic || !nb_expr_equal_bound(a[i], b[i])) {
            return false;
        }
    }
    return true;
}

static bool
same_ints(const int *a, const int *b, int n)
{
    return n == 0 || memcmp(a, b, sizeof(int) * (size_t)n) == 0;
}

static bool
same_scan(const nb_node *a, const nb_node *b)
{
    int n = a->schema->n_children;

    return a->u.scan.relation == b->u.scan.relation && a->u.scan.limit < 0 && b->u.scan.limit < 0 &&
           same_ints(a->u.scan.columns, b->u.scan.columns, n);
}

static bool
same_join(const nb_node *a, const nb_node *b)
{
    int n = a->u.join.n_keys;
    bool residual = a->u.join.residual != NULL;

    return a->u.join.type == b->u.join.type && n == b->u.join.n_keys &&
           a->u.join.null_aware == b->u.join.null_aware &&
           (n == 0 || memcmp(a->u.join.null_safe, b->u.join.null_safe, (size_t)n) == 0) &&
           residual == (b->u.join.residual != NULL) &&
           same_exprs(a->u.join.left_keys, b->u.join.left_keys, n) &&
           same_exprs(a->u.join.right_keys, b->u.join.right_keys, n) &&
           same_exprs(&a->u.join.residual, &b->u.join.residual, residual);
}

typedef struct columns_map {
    nb_expr *const *exprs; /* what the node puts out; NULL: as they come, `first` on */
    int n, first;
    bool fits;
} columns_map;

static nb_status
map_column(nb_arena *arena, nb_expr *in, nb_expr **out, void *payload, nb_error *err)
{
    columns_map *m = payload;
    int at = m->exprs ? -1 : in->u.column.ordinal + m->first;

    (void)err;
    *out = in;
    if (in->kind != NB_EXPR_COLUMN) {
        return NB_OK;
    }
    for (int i = 0; m->exprs && i < m->n && at < 0; i++) {
        const nb_expr *e = m->exprs[i]->kind == NB_EXPR_ALIAS ? m->exprs[i]->args[0] : m->exprs[i];
        at = e->kind == NB_EXPR_COLUMN && e->u.column.ordinal == in->u.column.ordinal ? i : -1;
    }
    m->fits &= at >= 0;
    *out = nb_arena_alloc(arena, sizeof(nb_expr));
    if (*out == NULL) {
        return NB_NOMEM;
    }
    **out = *in;
    (*out)->u.column.ordinal = at;
    return NB_OK;
}

/* The condition, which holds for rows of a's child, over a's own columns; false where it does not go above a. */
static bool
lift_over(lift *l, const nb_node *a, int child)
{
    columns_map m = {.fits = true};
    nb_error quiet = NB_ERROR_INIT;

    switch (a->kind) {
    case NB_NODE_FILTER: return true;
    case NB_NODE_PROJECT:
        m.exprs = a->u.project.exprs;
        m.n = a->schema->n_children;
        break;
    case NB_NODE_AGGREGATE:
        m.exprs = a->u.aggregate.keys;
        m.n = a->u.aggregate.n_keys;
        if (m.n == 0) {
            return false;
        }
        break;
    case NB_NODE_JOIN:
        if (a->u.join.type != NB_JOIN_INNER && a->u.join.type != NB_JOIN_CROSS &&
            (child == 1 || (a->u.join.type != NB_JOIN_LEFT && a->u.join.type != NB_JOIN_SEMI &&
                            a->u.join.type != NB_JOIN_ANTI))) {
            return false;
        }
        m.first = child == 1 ? a->children[0]->schema->n_children : 0;
        break;
    default: return false;
    }
    l->st = nb_expr_rewrite(l->arena, l->condition, map_column, &m, &l->condition, &quiet);
    nb_error_clear(&quiet);
    return l->st == NB_OK && m.fits;
}

/* The same rows, from the same kinds of nodes; names do not matter. With l, a may have one filter more. */
static bool
same(const nb_node *a, const nb_node *b, lift *l)
{
    int n = a->schema->n_children;

    if (l && !l->filter && a->kind == NB_NODE_FILTER && b->kind != NB_NODE_FILTER) {
        l->filter = (nb_node *)a;
        l->condition = a->u.filter.condition;
        return l->condition->deterministic && !l->condition->can_fail && same(a->children[0], b, l);
    }
    if (a->kind != b->kind || a->n_children != b->n_children || n != b->schema->n_children) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        if (a->schema->children[i].type != b->schema->children[i].type) {
            return false;
        }
    }
    switch (a->kind) {
    case NB_NODE_TABLE:
        if (a->u.table.table != b->u.table.table || a->u.table.limit != b->u.table.limit ||
            (a->u.table.columns == NULL) != (b->u.table.columns == NULL) ||
            (a->u.table.columns != NULL && !same_ints(a->u.table.columns, b->u.table.columns, n))) {
            return false;
        }
        break;
    case NB_NODE_SCAN:
        if (!same_scan(a, b)) {
            return false;
        }
        break;
    case NB_NODE_FILTER:
        if (!same_exprs(&a->u.filter.condition, &b->u.filter.condition, 1)) {
            return false;
        }
        break;
    case NB_NODE_PROJECT:
        if (!same_exprs(a->u.project.exprs, b->u.project.exprs, n)) {
            return false;
        }
        break;
    case NB_NODE_AGGREGATE:
        if (a->u.aggregate.n_keys != b->u.aggregate.n_keys ||
            a->u.aggregate.n_aggs != b->u.aggregate.n_aggs ||
            !same_exprs(a->u.aggregate.keys, b->u.aggregate.keys, a->u.aggregate.n_keys) ||
            !same_exprs(a->u.aggregate.aggs, b->u.aggregate.aggs, a->u.aggregate.n_aggs)) {
            return false;
        }
        break;
    case NB_NODE_JOIN:
        if (!same_join(a, b)) {
            return false;
        }
        break;
    case NB_NODE_UNION: break;
    default: return false;
    }
    for (int i = 0; i < a->n_children; i++) {
        bool had = l && l->filter;
        if (!same(a->children[i], b->children[i], l) ||
            (l && l->filter && !had && !lift_over(l, a, i))) {
            return false;
        }
    }
    return true;
}

static nb_status
visit(sharing *s, nb_node *node)
{
    if (node->kind == NB_NODE_AGGREGATE) {
        for (int i = 0; i < s->n_seen; i++) {
            nb_node *other = s->seen[i];

            if (same(node, other, NULL)) {
                other->u.aggregate.share =
                    other->u.aggregate.share > 0 ? other->u.aggregate.share : ++s->n_shares;
                node->u.aggregate.share = other->u.aggregate.share;
                return NB_OK; /* what is below will not run */
            }
        }
        s->seen = nb_arena_grow(s->arena, s->seen, s->n_seen, &s->cap_seen, sizeof(nb_node *));
        if (s->seen == NULL) {
            return NB_NOMEM;
        }
        s->seen[s->n_seen++] = node;
    }
    for (int i = 0; i < node->n_children; i++) {
        NB_TRY(visit(s, node->children[i]));
    }
    return NB_OK;
}

typedef struct lifting {
    nb_arena *arena;
    nb_node **places[MOST_LIFTED];
    int n;
} lifting;

static void
find_aggregations(lifting *f, nb_node **place)
{
    if ((*place)->kind == NB_NODE_AGGREGATE && f->n < MOST_LIFTED) {
        f->places[f->n++] = place;
    }
    for (int i = 0; i < (*place)->n_children; i++) {
        find_aggregations(f, &(*place)->children[i]);
    }
}

static bool
is_repeated(const lifting *f, const nb_node *node)
{
    for (int i = 0; i < f->n; i++) {
        const nb_node *other = *f->places[i];
        if (other != node && other->kind == NB_NODE_AGGREGATE && same(other, node, NULL)) {
            return true;
        }
    }
    return false;
}

static void
cut_out(nb_node *p, const nb_node *filter)
{
    for (int i = 0; i < p->n_children; i++) {
        if (p->children[i] != filter) {
            cut_out(p->children[i], filter);
            continue;
        }
        p->children[i] = filter->children[0];
        if (p->children[i]->kind == NB_NODE_SCAN) { /* what the reader was told of the filter */
            p->children[i]->u.scan.n_filters = 0;
            p->children[i]->u.scan.unread = NULL;
        }
        return;
    }
}

/* Filters that make one occurrence differ from another go above it. */
static nb_status
lift_filters(nb_arena *arena, nb_node **root)
{
    lifting *f = nb_arena_zalloc(arena, sizeof(*f));

    if (f == NULL) {
        return NB_NOMEM;
    }
    find_aggregations(f, root);
    for (int i = 0; i < f->n; i++) {
        nb_node *node = *f->places[i];
        for (int k = 0; k < f->n && node->kind == NB_NODE_AGGREGATE; k++) {
            lift l = {.arena = arena, .st = NB_OK};
            nb_node *other = *f->places[k], *filter;
            if (k == i || other->kind != NB_NODE_AGGREGATE || !same(node, other, &l)) {
                NB_TRY(l.st);
                continue;
            }
            filter = l.filter;
            if (filter == NULL || (filter->est_rows < MOST_ROWS * filter->children[0]->est_rows &&
                                   !is_repeated(f, other))) {
                continue;
            }
            cut_out(node, filter);
            filter->children[0] = node;
            filter->schema = node->schema;
            filter->est_rows = node->est_rows;
            filter->u.filter.condition = l.condition;
            filter->u.filter.is_scans = false;
            *f->places[i] = node = filter;
        }
    }
    return NB_OK;
}

nb_status
nb_share_subplans(nb_arena *arena, nb_node **root, int *next_id)
{
    sharing s = {.arena = arena};

    NB_TRY(lift_filters(arena, root));
    NB_TRY(nb_share_widen(arena, root, next_id));
    return visit(&s, *root);
}
