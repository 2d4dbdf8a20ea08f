/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passthrough.h: results that are columns of a table in memory: shared, not copied.
 */
#ifndef NB_EXEC_PASSTHROUGH_H
#define NB_EXEC_PASSTHROUGH_H

#include "plan/physical.h"

/* *out: the result of root when it only chooses columns of a table, else NULL. The table's memory must outlive the result. */
nb_status nb_passthrough(nb_pool *pool, const nb_node *root, nb_table **out);

#endif
