/* SPDX-License-Identifier: Apache-2.0 */
/*
 * push_keys.c: see push_keys.h.
 *
 * A column is followed down to its scan through everything below which rows may be left out as well as above: filters, projections that rename
 * it, sorts, groupings by it that nobody shares, unions, and the sides of joins whose rows vanish when they are not there.
 */
#include "exec/push_keys.h"

#include "column/key_filter.h"
#include "exec/join.h"

/* Beyond, the filter is too large for the caches and most likely lets most rows pass. */
#define MOST_KEYS (1 << 23)

bool
nb_push_drops_unmatched(const nb_node *join)
{
    bool left = nb_join_builds_left(join);

    switch (join->u.join.type) {
    case NB_JOIN_INNER:
    case NB_JOIN_SEMI: return true;
    case NB_JOIN_LEFT:
    case NB_JOIN_ANTI: return left;
    case NB_JOIN_RIGHT: return !left;
    default: return false;
    }
}

/* The child of a join that column `at` of its result comes from, when rows may be left out of it; *at becomes the child's. NULL: none. */
static nb_node *
side_of(const nb_node *join, int *at)
{
    int n_left = join->children[0]->schema->n_children;

    switch (join->u.join.type) {
    case NB_JOIN_INNER:
    case NB_JOIN_CROSS:
        if (*at >= n_left) {
            *at -= n_left;
            return join->children[1];
        }
        return join->children[0];
    case NB_JOIN_LEFT:
    case NB_JOIN_SINGLE:
    case NB_JOIN_SEMI:
    case NB_JOIN_ANTI:
    case NB_JOIN_MARK: return *at < n_left ? join->children[0] : NULL;
    default: return NULL;
    }
}

static nb_status
add_probe(nb_run *run, nb_node *scan, int column, const nb_key_filter *f)
{
    int n = scan->u.scan.n_probes;
    nb_scan_probe *wider = NB_ARENA_ARRAY(nb_run_arena(run), nb_scan_probe, n + 1);

    if (wider == NULL) {
        return NB_NOMEM;
    }
    if (n > 0) {
        memcpy(wider, scan->u.scan.probes, sizeof(*wider) * (size_t)n);
    }
    wider[n] = (nb_scan_probe){scan->u.scan.columns[column], f};
    scan->u.scan.probes = wider;
    scan->u.scan.n_probes++;
    return NB_OK;
}

/* Could a row that a bound leaves out have raised an error here, or would the rows come too early for the bound? Which rows a bound leaves out
 * depends on the threads; whether a query fails must not. */
static bool
stops_bound(const nb_node *node, int at)
{
    int n_left = node->kind == NB_NODE_JOIN ? node->children[0]->schema->n_children : 0;

    switch (node->kind) {
    case NB_NODE_SCAN:
    case NB_NODE_UNION: return false;
    case NB_NODE_FILTER: return node->u.filter.condition->can_fail;
    case NB_NODE_PROJECT:
        for (int i = 0; i < node->schema->n_children; i++) {
            if (node->u.project.exprs[i]->can_fail) {
                return true;
            }
        }
        return false;
    case NB_NODE_JOIN:
        for (int k = 0; k < node->u.join.n_keys; k++) {
            if (node->u.join.left_keys[k]->can_fail || node->u.join.right_keys[k]->can_fail) {
                return true;
            }
        }
        return (node->u.join.residual != NULL && node->u.join.residual->can_fail) ||
               nb_join_builds_left(node) == (at < n_left);
    default: return true;
    }
}

nb_node *
nb_push_follow(const nb_node *node, int *at)
{
    const nb_expr *e;

    switch (node->kind) {
    case NB_NODE_FILTER: return node->u.filter.condition->deterministic ? node->children[0] : NULL;
    case NB_NODE_SORT: return node->children[0];
    case NB_NODE_PROJECT:
        for (int i = 0; i < node->schema->n_children; i++) {
            if (!node->u.project.exprs[i]->deterministic) {
                return NULL;
            }
        }
        e = node->u.project.exprs[*at];
        break;
    case NB_NODE_AGGREGATE:
        if (node->u.aggregate.share > 0 || *at >= node->u.aggregate.n_keys) {
            return NULL;
        }
        e = node->u.aggregate.keys[*at];
        break;
    case NB_NODE_JOIN: return side_of(node, at);
    default: return NULL;
    }
    if (e->kind != NB_EXPR_COLUMN) {
        return NULL;
    }
    *at = e->u.column.ordinal;
    return node->children[0];
}

static nb_status
push(nb_run *run, nb_node *node, int at, const nb_key_filter *f, bool is_bound)
{
    while (node != NULL && !(is_bound && stops_bound(node, at))) {
        if (node->kind == NB_NODE_SCAN) {
            return add_probe(run, node, at, f);
        }
        for (int i = 0; i < node->n_children && node->kind == NB_NODE_UNION; i++) {
            NB_TRY(push(run, node->children[i], at, f, is_bound));
        }
        node = nb_push_follow(node, &at);
    }
    return NB_OK;
}

nb_status
nb_push_keys(nb_run *run, nb_node *join, const nb_table *rows, const int *columns)
{
    bool left = nb_join_builds_left(join);
    nb_node *probe = join->children[left ? 1 : 0];
    nb_expr **keys = left ? join->u.join.right_keys : join->u.join.left_keys;

    if (!nb_push_drops_unmatched(join) || rows->n_rows > MOST_KEYS || rows->n_chunks > 1) {
        return NB_OK;
    }
    for (int k = 0; k < join->u.join.n_keys; k++) {
        nb_key_filter *f;
        nb_vector flat = {.type = keys[k]->type, .kind = NB_VEC_FLAT};

        if (keys[k]->kind != NB_EXPR_COLUMN || join->u.join.null_safe[k]) {
            continue;
        }
        if (rows->n_chunks == 1) {
            NB_TRY(nb_vector_flatten(nb_run_arena(run), &rows->chunks[0]->cols[columns[k]], &flat));
        }
        NB_TRY(nb_key_filter_new(nb_run_arena(run), &flat, &f));
        if (f != NULL) {
            NB_TRY(push(run, probe, keys[k]->u.column.ordinal, f, false));
        }
    }
    return NB_OK;
}

nb_status
nb_push_bound(nb_run *run, nb_node *node, int at, const nb_key_filter *f)
{
    return push(run, node, at, f, true);
}
