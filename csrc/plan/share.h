/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share.h: finds parts of a physical plan that give the same rows.
 */
#ifndef NB_PLAN_SHARE_H
#define NB_PLAN_SHARE_H

#include "plan/physical.h"

/* Sets u.aggregate.share of equal aggregations to the same number, from 1 on. Filters below one of them may move above it; one that another one contains
 * may become that one, below a projection. */
nb_status nb_share_subplans(nb_arena *arena, nb_node **root, int *next_id);

/* share_wider.c: aggregations that others contain become equal to them. */
nb_status nb_share_widen(nb_arena *arena, nb_node **root, int *next_id);

#endif
