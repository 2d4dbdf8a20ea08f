/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operators.h: makes the operators of the nodes.
 *
 * Each function gives an operator that is not opened yet, allocated in the run's arena. Streaming ones go to nb_stream_push,
 * sinks to nb_stream_run; a breaker's rows are had by make_source of its sink.
 */
#ifndef NB_EXEC_OPERATORS_H
#define NB_EXEC_OPERATORS_H

#include "exec/pipeline.h"

/* ---- streaming ---- */
nb_status nb_filter_new(nb_run *run, nb_node *node, nb_operator **out);
nb_status nb_project_new(nb_run *run, nb_node *node, nb_operator **out);

/* ---- sinks ---- */

/* Keeps all rows in order; of them only [offset, offset + limit) (limit -1: no bound). Stops threads early where it may. */
nb_status nb_collect_new(nb_run *run, nb_node *node, const nb_type *schema, int64_t limit,
                         int64_t offset, nb_operator **out);
/* Keeps the last n rows. */
nb_status
nb_tail_new(nb_run *run, nb_node *node, const nb_type *schema, int64_t n, nb_operator **out);
/* GROUP BY and DISTINCT. */
nb_status nb_aggregate_new(nb_run *run, nb_node *node, nb_operator **out);
/* The rows of a finished collect or tail; a new reference. */
nb_table *nb_collect_table(nb_operator *op);

#endif
