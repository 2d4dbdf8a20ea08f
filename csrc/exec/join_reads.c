/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_reads.c: which columns of a join's rows anything above it reads.
 *
 * Keys and what the residual condition looks at are seldom needed behind the join, and pairs are made column by column. From the root down each
 * node tells its children; one that says nothing wants all.
 */
#include "exec/join_internal.h"

typedef struct marking {
    nb_arena *arena;
    nb_status st;
} marking;

void
nb_join_mark_residual(const nb_node *join, bool *uses)
{
    nb_expr *residual = join->u.join.residual;

    if (residual != NULL) {
        nb_exprs_mark_columns(&residual, 1, uses,
                              join->children[0]->schema->n_children +
                                  join->children[1]->schema->n_children);
    }
}

static void visit(marking *m, nb_node *node, const bool *reads);

/* reads: of the node's columns, NULL: all of them. */
static void
visit_join(marking *m, nb_node *node, const bool *reads)
{
    int n_left = node->children[0]->schema->n_children;
    int n_right = node->children[1]->schema->n_children, n_out = node->schema->n_children;
    int n_keys = node->u.join.n_keys;
    bool pairs = n_out == n_left + n_right && node->u.join.type != NB_JOIN_MARK;
    bool *below = nb_arena_zalloc(m->arena, (size_t)(n_left + n_right) + 1);

    node->u.join.reads = reads;
    if (below == NULL) {
        m->st = NB_NOMEM;
        return;
    }
    for (int c = 0; c < n_left + n_right; c++) {
        below[c] = c >= n_left && !pairs ? false : reads == NULL || reads[c];
    }
    nb_join_mark_residual(node, below);
    nb_exprs_mark_columns(node->u.join.left_keys, n_keys, below, n_left);
    nb_exprs_mark_columns(node->u.join.right_keys, n_keys, below + n_left, n_right);
    visit(m, node->children[0], below);
    visit(m, node->children[1], below + n_left);
}

static void
visit(marking *m, nb_node *node, const bool *reads)
{
    const nb_node *child = node->n_children > 0 ? node->children[0] : NULL;
    int n = child ? child->schema->n_children : 0;
    bool *below = NULL;

    if (node->kind == NB_NODE_JOIN) {
        visit_join(m, node, reads);
        return;
    }
    if (node->kind == NB_NODE_PROJECT || node->kind == NB_NODE_AGGREGATE ||
        (node->kind == NB_NODE_FILTER && reads != NULL)) {
        below = nb_arena_zalloc(m->arena, (size_t)n + 1);
        if (below == NULL) {
            m->st = NB_NOMEM;
            return;
        }
    }
    if (node->kind == NB_NODE_PROJECT) {
        nb_exprs_mark_columns(node->u.project.exprs, node->schema->n_children, below, n);
    } else if (node->kind == NB_NODE_AGGREGATE) {
        nb_exprs_mark_columns(node->u.aggregate.keys, node->u.aggregate.n_keys, below, n);
        nb_exprs_mark_columns(node->u.aggregate.aggs, node->u.aggregate.n_aggs, below, n);
        nb_exprs_mark_columns(node->u.aggregate.passed, node->u.aggregate.n_passed, below, n);
    } else if (below != NULL) {
        memcpy(below, reads, (size_t)n);
        nb_exprs_mark_columns(&node->u.filter.condition, 1, below, n);
    }
    for (int i = 0; i < node->n_children; i++) {
        visit(m, node->children[i], below);
    }
}

nb_status
nb_join_mark_reads(nb_arena *arena, nb_node *root)
{
    marking m = {.arena = arena};

    visit(&m, root, NULL);
    return m.st;
}
