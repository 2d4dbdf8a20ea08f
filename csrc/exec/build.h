/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.h: from plan nodes to streams.
 */
#ifndef NB_EXEC_BUILD_H
#define NB_EXEC_BUILD_H

#include "exec/pipeline.h"
#include "exec/sorter.h"

/* The stream of node's rows. Runs everything below breakers. */
nb_status nb_build_stream(nb_run *run, nb_node *node, nb_stream **out, nb_error *err);
/* Runs a WRITE node; *out is an empty table, owned by the caller. */
nb_status nb_build_write(nb_run *run, nb_node *node, nb_table **out, nb_error *err);
/* Does any of the n expressions depend on the rows before it (rand, monotonically_increasing_id)? Then a stream is sequential. */
bool nb_exprs_count_rows(nb_expr *const *exprs, int n);
/* An operator that counts is to stand on the stream of the node's child: it is made one that gives partition by partition. */
nb_status nb_build_count(nb_run *run, nb_node *node, nb_stream **s, nb_error *err);
/* The same, if one of the expressions counts rows. */
nb_status nb_build_count_for(nb_run *run, nb_node *node, nb_expr *const *exprs, int n,
                             nb_stream **s, nb_error *err);
/* Of rows in which a partition goes on after another has begun (a stage's, a spilled join's) the chunks are numbered anew, so that none does. */
void nb_settle_partitions(nb_table *rows);

/* All rows of a stream in order, on disk what does not fit; owned by the caller. node: who wants them. */
nb_status nb_build_gather(nb_run *run, nb_node *node, nb_stream *stream, const nb_type *schema,
                          nb_table **out, nb_error *err);

/* All rows of `child` in order, with columns behind them for those expressions that are not columns already; columns[i] says where
 * expression i is. *out is owned by the caller; what does not fit into memory is mapped. node: who wants them, for metrics. */
nb_status nb_build_gather_extended(nb_run *run, nb_node *node, nb_node *child, nb_expr **exprs,
                                   int n, int *columns, nb_table **out, nb_error *err);

/* Rows in order: in memory, or a sorter that has them. */
typedef struct nb_build_sort {
    bool by_partition; /* in; see nb_sorter_spec, as the next */
    int n_together;
    int64_t
        limit; /* in; > 0: rows that so many come before, among those equal in the first n_limited columns, are not wanted */
    bool limits_values; /* … so many of different order */
    int n_limited;
    nb_table *table; /* owned by the caller, as the next two; NULL: the sorter has them */
    uint32_t *ids;
    nb_sorter *sorter;
    const nb_type *schema; /* of its rows */
} nb_build_sort;

/* Sorts the rows of `child` by cols, whose col are numbers of expressions when this is called and columns after it. columns as above.
 * node: metrics. */
nb_status
nb_build_sorted(nb_run *run, nb_node *node, nb_node *child, nb_expr **exprs, int n,
                nb_sort_col *cols, int n_cols, int *columns, nb_build_sort *out, nb_error *err);

/* window.c */
nb_status nb_build_window(nb_run *run, nb_node *node, nb_stream **out, nb_error *err);

#endif
