/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages_print.c: stages in words.
 */
#include "cluster/stages.h"
#include "expr/aggregate_phase.h"

static const char *const KINDS[NB_N_NODES] = {
    [NB_NODE_TABLE] = "Table",       [NB_NODE_RANGE] = "Range",
    [NB_NODE_SCAN] = "Scan",         [NB_NODE_FILTER] = "Filter",
    [NB_NODE_PROJECT] = "Project",   [NB_NODE_AGGREGATE] = "Aggregate",
    [NB_NODE_SORT] = "Sort",         [NB_NODE_TOPN] = "TopN",
    [NB_NODE_LIMIT] = "Limit",       [NB_NODE_TAIL] = "Tail",
    [NB_NODE_JOIN] = "Join",         [NB_NODE_UNION] = "Union",
    [NB_NODE_EXCHANGE] = "Exchange", [NB_NODE_SAMPLE] = "Sample",
    [NB_NODE_GENERATE] = "Generate", [NB_NODE_WINDOW] = "Window",
    [NB_NODE_EXPAND] = "Expand",     [NB_NODE_WRITE] = "Write",
    [NB_NODE_READ] = "Read",         [NB_NODE_PUT] = "Put",
};

static void
print_node(const nb_node *node, int depth, nb_strbuf *out)
{
    static const char *const puts[] = {"single", "hash", "even", "mod", "robin", "sample", "range"};

    nb_strbuf_fill(out, ' ', (size_t)(2 * depth));
    nb_strbuf_adds(out, KINDS[node->kind]);
    if (node->kind == NB_NODE_READ) {
        nb_strbuf_addf(out, " %s of stage %d",
                       node->u.read.kind == NB_READ_ALL      ? "everything"
                       : node->u.read.kind == NB_READ_OUTPUT ? "the same task"
                                                             : "bucket",
                       node->u.read.stage);
    } else if (node->kind == NB_NODE_PUT) {
        nb_strbuf_addf(out, " %s into %d", puts[node->u.put.kind], node->u.put.n_buckets);
    } else if (node->kind == NB_NODE_AGGREGATE && node->u.aggregate.n_aggs > 0) {
        const nb_expr *whole;
        nb_agg_phase phase = nb_agg_phase_of(node->u.aggregate.aggs[0], &whole);

        nb_strbuf_adds(out, phase == NB_AGG_FIRST    ? " first step"
                            : phase == NB_AGG_SECOND ? " second step"
                                                     : " whole");
    }
    nb_strbuf_addc(out, '\n');
    for (int i = 0; i < node->n_children; i++) {
        print_node(node->children[i], depth + 1, out);
    }
}

void
nb_stages_print(const nb_stages *stages, nb_strbuf *out)
{
    for (int s = 0; s < stages->n; s++) {
        const nb_stage *stage = &stages->stages[s];

        nb_strbuf_addf(out, "stage %d%s: %d %s%s", s, stage->on_driver ? " on the driver" : "",
                       stage->n_tasks, stage->n_tasks == 1 ? "task" : "tasks",
                       stage->late ? " or others" : "");
        if (stage->advice >= 0) {
            nb_strbuf_addf(out, ", none if stage %d is small", stage->advice);
        }
        for (int i = 0; i < stage->n_reductions; i++) {
            nb_strbuf_addf(out, ", reduced by stage %d", stage->reductions[i].from);
        }
        nb_strbuf_addc(out, '\n');
        for (int i = 0; i < stage->n_parts; i++) {
            print_node(stage->parts[i].root, 1, out);
        }
    }
    nb_strbuf_adds(out, "final\n");
    print_node(stages->final, 1, out);
}
