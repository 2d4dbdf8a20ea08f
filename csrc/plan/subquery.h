/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subquery.h: subqueries in expressions become joins.
 */
#ifndef NB_PLAN_SUBQUERY_H
#define NB_PLAN_SUBQUERY_H

#include "plan/logical.h"

/* After it, no expression of the plan holds a SUBQUERY. */
nb_status
nb_rewrite_subqueries(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err);

#endif
