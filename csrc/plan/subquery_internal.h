/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subquery_internal.h: what the files that turn subqueries into joins share.
 */
#ifndef NB_PLAN_SUBQUERY_INTERNAL_H
#define NB_PLAN_SUBQUERY_INTERNAL_H

#include "plan/optimizer.h"
#include "plan/subquery.h"

#define NB_ROOM(p)               \
    do {                         \
        if (NB_UNLIKELY(!(p))) { \
            return NB_NOMEM;     \
        }                        \
    } while (0)

/* A growing list of conditions that all have to hold. */
typedef struct nb_conditions {
    nb_expr **items;
    int n, cap;
} nb_conditions;
nb_status nb_conditions_add(const nb_rewrite_env *env, nb_conditions *c, nb_expr *e);

nb_status nb_rewrite_call(const nb_rewrite_env *env, const char *name, nb_expr *a, nb_expr *b,
                          nb_expr **out, nb_error *err); /* b NULL: one argument */
/* A join whose right side, where it is put out at all, is hidden. */
nb_status nb_rewrite_join(const nb_rewrite_env *env, nb_plan *left, nb_plan *right,
                          nb_join_type type, nb_expr *condition, bool null_aware, nb_plan **out);
/* Does any expression in the tree name a column of the set? */
bool nb_plan_names(nb_plan *p, const nb_attr_set *set);

/* ---- subquery_lift.c ---- */
typedef struct nb_lifted {
    nb_plan *plan;            /* names no column from outside any more */
    nb_conditions conditions; /* over its columns and those from outside */
    nb_attr_map
        empty; /* attribute → its value, where no row meets the conditions, and it is not null */
} nb_lifted;
/* Moves the conditions that tie plan to the query around it to its top. NB_DONE, with plan as it was, when they cannot all be moved.
 * one_row: the result is a scalar, where no row and a row of nulls are the same. */
nb_status nb_lift_conditions(const nb_rewrite_env *env, nb_plan *plan, bool one_row, nb_lifted *out,
                             nb_error *err);

/* ---- unnest.c ---- */
/* Computes plan, which names columns of input, for all of input's rows at once: *out also has columns of its own for those it named, and
 * `on` gets the conditions that tie them to input's. one_row as above. *input may be replaced by rows kept in memory. */
nb_status nb_unnest(const nb_rewrite_env *env, nb_plan **input, nb_plan *plan, bool one_row,
                    nb_conditions *on, nb_plan **out, nb_error *err);

#endif
