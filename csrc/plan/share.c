/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share.c: aggregations that a plan contains more than once are computed once.
 *
 * A common table expression that is named twice stands in the plan twice, and so does a view. Where the rules have left both occurrences equal, they
 * get one number, and execution keeps the rows of the first for the others. Only aggregations: their results are small, while keeping the rows of a
 * scan or a join costs more than it saves.
 */
#include "plan/share.h"

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

/* The same rows, from the same kinds of nodes; names do not matter. */
static bool
same(const nb_node *a, const nb_node *b)
{
    int n = a->schema->n_children;

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
        if (!same(a->children[i], b->children[i])) {
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

            if (same(node, other)) {
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

nb_status
nb_share_subplans(nb_arena *arena, nb_node *root)
{
    sharing s = {.arena = arena};

    return visit(&s, root);
}
