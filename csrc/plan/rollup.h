/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollup.h: grouping sets over groups.
 */
#ifndef NB_PLAN_ROLLUP_H
#define NB_PLAN_ROLLUP_H

#include "plan/physical.h"

/* top: an AGGREGATE over an EXPAND. Where its functions allow it, rows are grouped by all keys first, into about n_groups. */
nb_status
nb_rollup_groups(nb_arena *arena, nb_node *top, double n_groups, int *next_id, nb_error *err);

#endif
