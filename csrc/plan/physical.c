/* SPDX-License-Identifier: Apache-2.0 */
/*
 * physical.c: names of physical nodes: Spark's, where they do the same.
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
