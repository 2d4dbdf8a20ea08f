/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe.h: a session as an application in event log and pages: what its queries are called, their plans and metrics.
 *
 *     nb_observed_begin → run the plan with observed.watch → nb_observed_end
 *
 * When nobody looks (no monitor) each call is one comparison.
 */
#ifndef NB_CONNECT_OBSERVE_H
#define NB_CONNECT_OBSERVE_H

#include "connect/query.h"
#include "exec/watch.h"

typedef struct nb_observed {
    nb_monitor *monitor; /* NULL: nobody looks */
    nb_arena *arena;
    nb_node *root;
    int64_t execution;
    nb_watch watch;
} nb_observed;

/* The application of a session made with this configuration. */
nb_status nb_observe_session(const nb_config *config, int n_threads, size_t memory,
                             nb_monitor **out, nb_error *err);
/* What a plan from a client is called: its SQL text, or the kind of its root. Lives in the arena. */
nb_str nb_observe_title(nb_arena *arena, const Sc__Relation *root, const Sc__Command *command);

/* The plan with ids for its metrics, which its nodes remember; recursive. NULL when out of memory. */
const nb_plan_info *nb_observe_plan(nb_monitor *m, nb_arena *arena, nb_node *root);

void nb_observed_begin(nb_query *q, nb_node *root, nb_observed *o);
void nb_observed_end(nb_observed *o, nb_status st, const nb_error *err);

#endif
