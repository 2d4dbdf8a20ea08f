/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share_wider.c: an aggregation that another one of the plan contains is made equal to it.
 *
 * Of a common table expression that is named twice each occurrence keeps the columns that are read there. Where one is what the other is with some
 * aggregates less, over the same rows with some columns less, it becomes the other one below a projection of its own columns; then both are equal,
 * and share.c computes them once. Not where a join with a smaller side would leave out rows of the one that has more: computed as a whole it could
 * cost more than both.
 */
#include "plan/share.h"

#define MOST_LOOKED_AT 64 /* aggregations of a plan */

typedef struct place {
    nb_node **node;
    bool reduced; /* a join may leave out rows of it while it runs */
} place;

typedef struct widening {
    nb_arena *arena;
    place places[MOST_LOOKED_AT];
    int n;
    nb_status st;
} widening;

static void
find(widening *w, nb_node **at, bool reduced)
{
    nb_node *node = *at;

    if (node->kind == NB_NODE_AGGREGATE && w->n < MOST_LOOKED_AT) {
        w->places[w->n++] = (place){at, reduced};
    }
    for (int i = 0; i < node->n_children; i++) {
        bool less = node->kind == NB_NODE_JOIN && node->u.join.n_keys > 0 &&
                    node->children[1 - i]->est_rows < node->children[i]->est_rows;
        find(w, &node->children[i], reduced || less);
    }
}

/* ---- is a contained in b? -------------------------------------------------------------------- */

static nb_status
map_column(nb_arena *arena, nb_expr *in, nb_expr **out, void *payload, nb_error *err)
{
    const int *map = payload;

    (void)err;
    *out = in;
    if (in->kind != NB_EXPR_COLUMN) {
        return NB_OK;
    }
    *out = nb_arena_alloc(arena, sizeof(nb_expr));
    if (*out == NULL) {
        return NB_NOMEM;
    }
    **out = *in;
    (*out)->u.column.ordinal = map[in->u.column.ordinal];
    return NB_OK;
}

static bool
is_plain(nb_expr *e, void *payload)
{
    (void)payload;
    return e->kind != NB_EXPR_LAMBDA && e->kind != NB_EXPR_WINDOW && e->kind != NB_EXPR_SUBQUERY;
}

static nb_expr *
bare(nb_expr *e)
{
    return e->kind == NB_EXPR_ALIAS ? e->args[0] : e;
}

/* The expression over the columns of b, which are at map[] for those of a; NULL where it is not to be computed once. */
static nb_expr *
mapped(widening *w, nb_expr *e, int *map)
{
    nb_error quiet = NB_ERROR_INIT;
    nb_expr *out = NULL;

    e = bare(e);
    if (!e->deterministic || !nb_expr_visit(e, is_plain, NULL)) {
        return NULL;
    }
    if (nb_expr_rewrite(w->arena, e, map_column, map, &out, &quiet) != NB_OK) {
        w->st = NB_NOMEM;
        out = NULL;
    }
    nb_error_clear(&quiet);
    return out;
}

static bool
same_all(widening *w, nb_expr *const *a, nb_expr *const *b, int n, int *map)
{
    for (int i = 0; i < n; i++) {
        nb_expr *e = mapped(w, a[i], map);

        if (e == NULL || !nb_expr_equal_bound(e, bare(b[i]))) {
            return false;
        }
    }
    return true;
}

/* out[i]: which of b's expressions a's i-th is. Mostly the one behind that of the one before. */
static bool
find_all(widening *w, nb_expr *const *a, int n, nb_expr *const *b, int n_b, int *map, int *out)
{
    for (int i = 0, k = 0; i < n; i++, k++) {
        nb_expr *e = mapped(w, a[i], map);
        int tried = 0;

        while (e != NULL && tried < n_b && !nb_expr_equal_bound(e, bare(b[k % n_b]))) {
            k++;
            tried++;
        }
        if (e == NULL || tried == n_b) {
            return false;
        }
        k %= n_b;
        out[i] = k;
    }
    return true;
}

static bool
find_columns(const nb_node *a, const int *columns, const nb_node *b, const int *columns_b, int *out)
{
    for (int i = 0; i < a->schema->n_children; i++) {
        int k = 0, column = columns ? columns[i] : i;

        while (k < b->schema->n_children && (columns_b ? columns_b[k] : k) != column) {
            k++;
        }
        if (k == b->schema->n_children) {
            return false;
        }
        out[i] = k;
    }
    return true;
}

/* What the reader need not give above the filter below must not be wanted here. */
static bool
scan_fits(const nb_node *a, const nb_node *b, int *out)
{
    if (a->u.scan.relation != b->u.scan.relation || a->u.scan.limit >= 0 || b->u.scan.limit >= 0 ||
        !find_columns(a, a->u.scan.columns, b, b->u.scan.columns, out)) {
        return false;
    }
    for (int i = 0; i < a->schema->n_children && b->u.scan.unread != NULL; i++) {
        if (b->u.scan.unread[out[i]] && !(a->u.scan.unread != NULL && a->u.scan.unread[i])) {
            return false;
        }
    }
    return true;
}

static bool fits(widening *w, const nb_node *a, const nb_node *b, int *out);

static int *
fits_child(widening *w, const nb_node *a, const nb_node *b, int i)
{
    int *map = NB_ARENA_ARRAY(w->arena, int, a->children[i]->schema->n_children + 1);

    w->st = map ? w->st : NB_NOMEM;
    return map != NULL && fits(w, a->children[i], b->children[i], map) ? map : NULL;
}

static bool
join_fits(widening *w, const nb_node *a, const nb_node *b, int *out)
{
    int n_left = a->children[0]->schema->n_children, n_keys = a->u.join.n_keys;
    int n_left_b = b->children[0]->schema->n_children, n = a->schema->n_children;
    int n_both = n_left + a->children[1]->schema->n_children;
    bool residual = a->u.join.residual != NULL;
    int *left, *right, *both = NB_ARENA_ARRAY(w->arena, int, n_both + 1);

    if (both == NULL) {
        w->st = NB_NOMEM;
        return false;
    }
    if (a->u.join.type != b->u.join.type || a->u.join.type == NB_JOIN_MARK ||
        n_keys != b->u.join.n_keys || a->u.join.null_aware != b->u.join.null_aware ||
        (n_keys > 0 && memcmp(a->u.join.null_safe, b->u.join.null_safe, (size_t)n_keys) != 0) ||
        residual != (b->u.join.residual != NULL) || (left = fits_child(w, a, b, 0)) == NULL ||
        (right = fits_child(w, a, b, 1)) == NULL) {
        return false;
    }
    for (int i = 0; i < n_both; i++) {
        both[i] = i < n_left ? left[i] : n_left_b + right[i - n_left];
    }
    memcpy(out, both, sizeof(int) * (size_t)n);
    return same_all(w, a->u.join.left_keys, b->u.join.left_keys, n_keys, left) &&
           same_all(w, a->u.join.right_keys, b->u.join.right_keys, n_keys, right) &&
           same_all(w, &a->u.join.residual, &b->u.join.residual, residual, both);
}

static bool
aggregate_fits(widening *w, const nb_node *a, const nb_node *b, int *out)
{
    int n_keys = a->u.aggregate.n_keys, *map;

    if (n_keys != b->u.aggregate.n_keys || a->u.aggregate.n_aggs > b->u.aggregate.n_aggs ||
        a->u.aggregate.n_passed + b->u.aggregate.n_passed > 0 ||
        (map = fits_child(w, a, b, 0)) == NULL ||
        !same_all(w, a->u.aggregate.keys, b->u.aggregate.keys, n_keys, map) ||
        !find_all(w, a->u.aggregate.aggs, a->u.aggregate.n_aggs, b->u.aggregate.aggs,
                  b->u.aggregate.n_aggs, map, out + n_keys)) {
        return false;
    }
    for (int k = 0; k < a->schema->n_children; k++) {
        out[k] = k < n_keys ? k : out[k] + n_keys;
    }
    return true;
}

/* Does a give the rows of b, in columns of b? out: which. */
static bool
fits(widening *w, const nb_node *a, const nb_node *b, int *out)
{
    int n = a->schema->n_children, *map;

    if (a->kind != b->kind || a->n_children != b->n_children || n > b->schema->n_children) {
        return false;
    }
    switch (a->kind) {
    case NB_NODE_SCAN: return scan_fits(a, b, out);
    case NB_NODE_TABLE:
        return a->u.table.table == b->u.table.table && a->u.table.limit == b->u.table.limit &&
               find_columns(a, a->u.table.columns, b, b->u.table.columns, out);
    case NB_NODE_FILTER:
        return fits(w, a->children[0], b->children[0], out) &&
               same_all(w, &a->u.filter.condition, &b->u.filter.condition, 1, out);
    case NB_NODE_PROJECT:
        return (map = fits_child(w, a, b, 0)) != NULL &&
               find_all(w, a->u.project.exprs, n, b->u.project.exprs, b->schema->n_children, map,
                        out);
    case NB_NODE_AGGREGATE: return aggregate_fits(w, a, b, out);
    case NB_NODE_JOIN: return join_fits(w, a, b, out);
    case NB_NODE_UNION:
        for (int i = 0; i < a->n_children; i++) {
            map = fits_child(w, a, b, i);
            if (map == NULL || (i > 0 && memcmp(map, out, sizeof(int) * (size_t)n) != 0)) {
                return false;
            }
            memcpy(out, map, sizeof(int) * (size_t)n);
        }
        return true;
    default: return false;
    }
}

/* ---- making it equal ------------------------------------------------------------------------- */

/* A node stays the one that the plan counts and measures. */
static void
become(nb_node *a, const nb_node *b)
{
    nb_node own = *a;

    *a = *b;
    a->id = own.id;
    a->metrics = own.metrics;
    a->children = own.children;
    for (int i = 0; i < a->n_children; i++) {
        become(a->children[i], b->children[i]);
    }
}

/* The columns of the node that it had, from what it has become. */
static nb_status
project(nb_arena *arena, nb_node **at, const nb_type *schema, const int *map, int *next_id)
{
    int n = schema->n_children;
    nb_node *p = NB_ARENA_NEW(arena, nb_node);

    if (p == NULL) {
        return NB_NOMEM;
    }
    *p = (nb_node){.kind = NB_NODE_PROJECT,
                   .id = (*next_id)++,
                   .schema = schema,
                   .n_children = 1,
                   .children = NB_ARENA_ARRAY(arena, nb_node *, 1),
                   .est_rows = (*at)->est_rows,
                   .metrics = NB_ARENA_NEW(arena, nb_node_metrics)};
    p->u.project.exprs = NB_ARENA_ARRAY(arena, nb_expr *, n + 1);
    if (p->children == NULL || p->metrics == NULL || p->u.project.exprs == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        const nb_field *f = &schema->children[i];
        nb_expr *e = nb_expr_column(arena, 0, f->name, f->type, f->nullable);

        if (e == NULL) {
            return NB_NOMEM;
        }
        e->u.column.ordinal = map[i];
        p->u.project.exprs[i] = e;
    }
    p->children[0] = *at;
    *at = p;
    return NB_OK;
}

nb_status
nb_share_widen(nb_arena *arena, nb_node **root, int *next_id)
{
    widening *w = nb_arena_zalloc(arena, sizeof(*w));

    if (w == NULL) {
        return NB_NOMEM;
    }
    w->arena = arena;
    find(w, root, false);
    for (int i = 0; i < w->n; i++) {
        nb_node *a = *w->places[i].node;

        for (int k = 0; k < w->n; k++) {
            const nb_node *b = *w->places[k].node;
            int *map;

            if (k == i || w->places[k].reduced || b->kind != NB_NODE_AGGREGATE ||
                a->u.aggregate.n_aggs >= b->u.aggregate.n_aggs) {
                continue;
            }
            map = NB_ARENA_ARRAY(arena, int, a->schema->n_children + 1);
            if (map == NULL) {
                return NB_NOMEM;
            }
            if (fits(w, a, b, map)) {
                const nb_type *schema = a->schema;

                become(a, b);
                NB_TRY(project(arena, w->places[i].node, schema, map, next_id));
                break;
            }
            NB_TRY(w->st);
        }
    }
    return NB_OK;
}
