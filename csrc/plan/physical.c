/* SPDX-License-Identifier: Apache-2.0 */
/*
 * physical.c: names of physical nodes: Spark's, where they do the same; and which columns of a scan nobody reads.
 */
#include "plan/physical.h"

static const char *const node_names[NB_N_NODES] = {
    [NB_NODE_TABLE] = "LocalTableScan",
    [NB_NODE_RANGE] = "Range",
    [NB_NODE_SCAN] = "FileScan",
    [NB_NODE_FILTER] = "Filter",
    [NB_NODE_PROJECT] = "Project",
    [NB_NODE_AGGREGATE] = "HashAggregate",
    [NB_NODE_SORT] = "Sort",
    [NB_NODE_TOPN] = "TakeOrderedAndProject",
    [NB_NODE_LIMIT] = "GlobalLimit",
    [NB_NODE_TAIL] = "CollectTail",
    [NB_NODE_JOIN] = "HashJoin",
    [NB_NODE_UNION] = "Union",
    [NB_NODE_EXCHANGE] = "Exchange",
    [NB_NODE_SAMPLE] = "Sample",
    [NB_NODE_GENERATE] = "Generate",
    [NB_NODE_WINDOW] = "Window",
    [NB_NODE_EXPAND] = "Expand",
    [NB_NODE_WRITE] = "InsertIntoHadoopFsRelationCommand",
    [NB_NODE_READ] = "ShuffleRead",
    [NB_NODE_PUT] = "ShuffleWrite",
};

const char *
nb_node_name(nb_node_kind kind)
{
    return (unsigned)kind < NB_N_NODES && node_names[kind] ? node_names[kind] : "Unknown";
}

/* ---- columns that are not read --------------------------------------------------------------- */

typedef struct marks {
    bool *unread;
    int n;
} marks;

static bool
mark_read(nb_expr *e, void *payload)
{
    marks *m = payload;

    if (e->kind == NB_EXPR_COLUMN && e->u.column.ordinal >= 0 && e->u.column.ordinal < m->n) {
        m->unread[e->u.column.ordinal] = false;
    }
    return true;
}

static void
mark_all_read(marks *m, nb_expr *const *exprs, int n)
{
    for (int i = 0; i < n; i++) {
        nb_expr_visit(exprs[i], mark_read, m);
        if (exprs[i]->kind == NB_EXPR_AGG && exprs[i]->u.agg.filter) {
            nb_expr_visit(exprs[i]->u.agg.filter, mark_read, m);
        }
    }
}

nb_status
nb_node_mark_unread(nb_arena *arena, nb_node *node)
{
    nb_node *below = node->children[0];
    marks m = {.n = below->schema->n_children};

    if (below->kind != NB_NODE_FILTER || !below->u.filter.is_scans) {
        return NB_OK;
    }
    m.unread = NB_ARENA_ARRAY(arena, bool, m.n + 1);
    if (!m.unread) {
        return NB_NOMEM;
    }
    memset(m.unread, 1, (size_t)m.n + 1);
    if (node->kind == NB_NODE_PROJECT) {
        mark_all_read(&m, node->u.project.exprs, node->schema->n_children);
    } else {
        mark_all_read(&m, node->u.aggregate.keys, node->u.aggregate.n_keys);
        mark_all_read(&m, node->u.aggregate.aggs, node->u.aggregate.n_aggs);
        mark_all_read(&m, node->u.aggregate.passed, node->u.aggregate.n_passed);
    }
    below->children[0]->u.scan.unread = m.unread;
    return NB_OK;
}
