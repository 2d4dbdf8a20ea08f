/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passthrough.h: results that are columns of a table in memory: shared, not copied.
 */
#ifndef NB_EXEC_PASSTHROUGH_H
#define NB_EXEC_PASSTHROUGH_H

#include "exec/exec.h"

/* *out: the result of root when it only chooses columns of a table, else NULL. Tables of the context's short_pool are not shared. */
nb_status nb_passthrough(const nb_exec_ctx *ctx, const nb_node *root, nb_table **out);

#endif
