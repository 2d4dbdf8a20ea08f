/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.h: from plan nodes to streams.
 */
#ifndef NB_EXEC_BUILD_H
#define NB_EXEC_BUILD_H

#include "exec/pipeline.h"

/* The stream of node's rows. Runs everything below breakers. */
nb_status nb_build_stream(nb_run *run, nb_node *node, nb_stream **out, nb_error *err);
/* Does any of the n expressions depend on the rows before it (rand, monotonically_increasing_id)? Then a stream is sequential. */
bool nb_exprs_count_rows(nb_expr *const *exprs, int n);

/* All rows of the node in order, with columns behind them for those expressions that are not columns already; columns[i] says where
 * expression i is. *out is owned by the caller. */
nb_status nb_build_gather_extended(nb_run *run, nb_node *node, nb_expr **exprs, int n, int *columns,
                                   nb_table **out, nb_error *err);

/* window.c */
nb_status nb_build_window(nb_run *run, nb_node *node, nb_stream **out, nb_error *err);

#endif
