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

#endif
