/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate_phase.h: an aggregate in two steps, on two machines.
 *
 * The first step is the aggregate over some of the rows, whose result is its state as bytes (a BINARY column); the second takes such a
 * column, merges the states of equal keys and gives the aggregate's value. Both are aggregates like others to the operators: an AGG node
 * whose loops wrap those of the whole one. DISTINCT can be done in two steps where rows with equal arguments are all on one machine.
 */
#ifndef NB_EXPR_AGGREGATE_PHASE_H
#define NB_EXPR_AGGREGATE_PHASE_H

#include "expr/aggregate.h"

typedef enum nb_agg_phase { NB_AGG_WHOLE, NB_AGG_FIRST, NB_AGG_SECOND } nb_agg_phase;

/* whole must live as long as *out. */
nb_status nb_agg_first_phase(nb_arena *arena, const nb_expr *whole, nb_expr **out);
/* states: the column that has the states; bound to a position. rows: columns with the whole's arguments, for batches that have rows, and whose
 * states are a constant NULL; NULL: there are none. */
nb_status nb_agg_second_phase(nb_arena *arena, const nb_expr *whole, nb_expr *states,
                              nb_expr *const *rows, nb_expr **out);
/* May its rows be merged with states in any order? */
bool nb_agg_takes_rows_late(const nb_expr *whole);
/* Was a second step made with columns of rows? */
bool nb_agg_has_rows(const nb_expr *second);
/* Which one an AGG node is; *whole is the aggregate that it is a step of (itself when it is none). */
nb_agg_phase nb_agg_phase_of(const nb_expr *e, const nb_expr **whole);

#endif
