/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate.h: a cluster in one process: the plan cut into stages, each task run from its bytes, blocks kept in memory.
 *
 * For tests (`nbaspark.debug.stages`): everything but processes and networks is as on a cluster, and so must be the rows.
 */
#ifndef NB_CLUSTER_SIMULATE_H
#define NB_CLUSTER_SIMULATE_H

#include "exec/exec.h"

/* An nb_runner: tasks = nbaspark.debug.stages. */
nb_status nb_simulate_run(void *payload, const nb_exec_ctx *ctx, nb_arena *arena, nb_node *root,
                          nb_table **out, nb_error *err);

#endif
