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

nb_status
nb_node_mark_unread(nb_arena *arena, nb_node *node)
{
    nb_node *below = node->children[0];
    int n = below->schema->n_children;
    bool *marks;

    if (below->kind != NB_NODE_FILTER || !below->u.filter.is_scans) {
        return NB_OK;
    }
    marks = nb_arena_zalloc(arena, (size_t)n + 1);
    if (!marks) {
        return NB_NOMEM;
    }
    if (node->kind == NB_NODE_PROJECT) {
        nb_exprs_mark_columns(node->u.project.exprs, node->schema->n_children, marks, n);
    } else {
        nb_exprs_mark_columns(node->u.aggregate.keys, node->u.aggregate.n_keys, marks, n);
        nb_exprs_mark_columns(node->u.aggregate.aggs, node->u.aggregate.n_aggs, marks, n);
        nb_exprs_mark_columns(node->u.aggregate.passed, node->u.aggregate.n_passed, marks, n);
    }
    for (int c = 0; c < n; c++) {
        marks[c] = !marks[c];
    }
    below->children[0]->u.scan.unread = marks;
    return NB_OK;
}
