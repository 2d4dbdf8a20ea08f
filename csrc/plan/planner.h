/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planner.h: from an optimised logical plan to physical nodes: expressions bound to positions, join keys found, build sides chosen.
 */
#ifndef NB_PLAN_PLANNER_H
#define NB_PLAN_PLANNER_H

#include "plan/logical.h"

typedef struct nb_planner_config {
    nb_arena *arena;
    const nb_session_info *info;
    int n_threads;
    bool
        in_process; /* the optimiser is on and no stages are cut from the plan: aggregates may be made in steps */
    /* Rows of a CACHED node: fills the cache at the first use. *out is borrowed for the time of the query. */
    nb_status (*cached)(void *payload, nb_plan *plan, nb_table **out, nb_error *err);
    void *payload;
} nb_planner_config;

/* The root's columns are the plan's visible attributes, in order. */
nb_status
nb_plan_physical(const nb_planner_config *config, nb_plan *plan, nb_node **out, nb_error *err);

#endif
