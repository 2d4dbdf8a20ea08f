/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subquery.h: subqueries in expressions, and lateral joins, become ordinary joins.
 */
#ifndef NB_PLAN_SUBQUERY_H
#define NB_PLAN_SUBQUERY_H

#include "plan/logical.h"

typedef struct nb_rewrite_env {
    nb_arena *arena;
    const nb_session_info *info;
    /* Rows of a plan that two places read and that might come out differently the second time (limits, rand(), sums of doubles); the
     * table lives until the query ends. NULL: such plans are refused. */
    nb_status (*rows)(void *payload, nb_plan *plan, nb_table **out, nb_error *err);
    void *payload;
} nb_rewrite_env;

/* After it, no expression of the plan holds a SUBQUERY, and no join is lateral. */
nb_status nb_rewrite_subqueries(const nb_rewrite_env *env, nb_plan **plan, nb_error *err);

#endif
