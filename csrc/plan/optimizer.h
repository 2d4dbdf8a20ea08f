/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimizer.h: rewrites a logical plan into a cheaper one with the same result.
 *
 * Rules, in order: aliases go; unions of unions become one; constants are folded; filters move towards the sources (through projections, joins, unions, aggregations), and
 * on the way disjunctions are taken apart and outer joins become inner ones; what has no rows goes; aggregates that files have written down are read from there; joins are ordered
 * by cost; conditions on pairs of rows take from below what one row gives; limits go below projections; columns that nobody needs are dropped; windows of which only the first ranks are wanted are told. Plans are changed in place where a node has one owner.
 */
#ifndef NB_PLAN_OPTIMIZER_H
#define NB_PLAN_OPTIMIZER_H

#include "plan/logical.h"

nb_status nb_optimize(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err);

/* The rules one by one: for tests, and for nbaspark.debug.optimizer=false, which needs only the first. */
nb_status nb_optimize_remove_aliases(nb_arena *arena, nb_plan **plan);
nb_status nb_optimize_flatten_unions(nb_arena *arena, nb_plan *plan);
nb_status
nb_optimize_fold(nb_arena *arena, const nb_session_info *info, nb_plan *plan, nb_error *err);
nb_status nb_optimize_push_filters(nb_arena *arena, nb_plan **plan, nb_error *err);
/* Filters that are constants by now go, and what they leave no rows of. */
nb_status
nb_optimize_empty(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err);
/* Inner joins (with semi and anti joins among them) are put in the order that looks cheapest. */
nb_status
nb_optimize_join_order(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err);
/* Sums of a column and constants share one sum and one count. */
nb_status
nb_optimize_sums(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err);
/* What files have written down of all their rows is not computed. */
nb_status nb_optimize_extremes(nb_arena *arena, nb_plan **plan);
/* What conditions of joins without keys compute from one side is computed below. */
nb_status nb_optimize_pairs(nb_arena *arena, nb_plan **plan);
nb_status nb_optimize_push_limits(nb_arena *arena, nb_plan **plan);
/* Windows learn of filters above them that want only the first ranks. */
nb_status nb_optimize_rank_limits(nb_arena *arena, nb_plan *plan);
nb_status nb_optimize_prune(nb_arena *arena, nb_plan **plan, nb_error *err);

/* ANDs taken apart; conjunctions put together (NULL for none). */
nb_status nb_split_conjuncts(nb_arena *arena, nb_expr *e, nb_expr ***list, int *n, int *cap);
nb_status nb_join_conjuncts(nb_arena *arena, nb_expr **list, int n, nb_expr **out);
/* The same by AND or OR, as kind says. */
nb_status
nb_join_booleans(nb_arena *arena, nb_expr_kind kind, nb_expr **list, int n, nb_expr **out);

/* (a AND b) OR (a AND c) as a AND (b OR c); e itself when nothing is common. */
nb_status nb_factor_or(nb_arena *arena, nb_expr *e, nb_expr **out);
/* A condition over one side that follows from the disjunction e; NULL when none does. */
nb_status nb_implied_or(nb_arena *arena, nb_expr *e, const nb_attr_set *side, nb_expr **out);
/* Columns for which e is null where they are: adds them. */
nb_status nb_strict_columns(const nb_expr *e, nb_attr_set *out);
/* Changes the type of an outer or SINGLE join, given the conditions that rows above it must pass and columns where they must not be null. */
nb_status nb_narrow_outer_join(nb_arena *arena, nb_plan *p, nb_expr *const *above, int n,
                               const nb_attr_set *needed);
/* A LEFT join of whose rows the conditions above leave only those without a match, as an ANTI join with nulls for the right side, and those conditions
 * taken away; *out is NULL for any other. */
nb_status nb_left_to_anti(nb_arena *arena, nb_plan *p, nb_expr **above, int *n, nb_plan **out);
/* Puts an uncorrelated SINGLE join whose columns the conditions above compare with those of one relation alone over that relation; *out is NULL where there is
 * nothing to pass. */
nb_status nb_sink_single(nb_arena *arena, nb_plan *p, nb_expr *const *above, int n, nb_plan **out);

/* Scans read the fields of structs that are used, where the format can. After nb_optimize: no rule may come later, because it changes types. */
nb_status nb_optimize_fields(nb_arena *arena, const nb_session_info *info, nb_plan *plan);

#endif
