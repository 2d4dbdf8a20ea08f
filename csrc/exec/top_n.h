/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_n.h: the sink of ORDER BY with LIMIT.
 */
#ifndef NB_EXEC_TOP_N_H
#define NB_EXEC_TOP_N_H

#include "exec/pipeline.h"
#include "exec/sort_rows.h"

/* schema: the columns that batches will have (computed keys behind those of node); keys are among them, at least one. bound: a filter of the first
 * key that is tightened as rows come; may be NULL. */
nb_status nb_top_n_new(nb_run *run, nb_node *node, const nb_type *schema, const nb_sort_col *keys,
                       int n_keys, struct nb_key_filter *bound, nb_operator **out);

#endif
