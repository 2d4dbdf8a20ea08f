/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statistics.h: how many rows a logical plan gives, and how many values of a column differ: estimates.
 *
 * One nb_stats serves one query: what it has found of a node or an attribute it keeps, so a node must not change between two questions
 * (ask with a new one after rewriting). Attribute ids are unique, so that an attribute's statistics are found wherever it is read. What
 * nobody knows is guessed; nothing here may change a result.
 */
#ifndef NB_PLAN_STATISTICS_H
#define NB_PLAN_STATISTICS_H

#include "plan/logical.h"

typedef struct nb_stats nb_stats;

/* In the arena; NULL when out of memory. */
nb_stats *nb_stats_new(nb_arena *arena);

/* Rows that the plan gives, at least 0. Memory short: a guess. */
double nb_stats_rows(nb_stats *s, const nb_plan *p);
/* Combinations of the values of n keys over rows that nb_stats_rows has seen, no more than there are rows. */
double nb_stats_groups(nb_stats *s, nb_expr *const *keys, int n, double rows);
/* Different values of an attribute where it is made (a filter above may leave fewer); < 0 when unknown. The attribute must come from a plan
 * that nb_stats_rows has seen. */
double nb_stats_distinct(nb_stats *s, uint64_t attr);
/* The share of rows for which a condition is true, 0 to 1. */
double nb_stats_share(nb_stats *s, const nb_expr *condition);
/* Is there always exactly one row? */
bool nb_plan_is_single_row(const nb_plan *p);
/* Do the attributes in keys tell any two rows apart? Only what groupings guarantee. */
bool nb_plan_is_unique(const nb_plan *p, const nb_attr_set *keys);

#endif
