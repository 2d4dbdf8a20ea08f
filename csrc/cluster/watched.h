/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watched.h: what an application's event log and pages hear of a query's tasks on workers: a job with the stages of the cut plan.
 *
 *     nb_watched_begin → launch, report … (as the scheduler decides and workers say) → nb_watched_end
 *
 * What the driver runs itself reports a job of its own (exec/watch.h). When nobody looks each call is one comparison. All under the
 * cluster's lock.
 */
#ifndef NB_CLUSTER_WATCHED_H
#define NB_CLUSTER_WATCHED_H

#include "cluster/fragment_internal.h"
#include "cluster/scheduler.h"
#include "cluster/stages.h"
#include "exec/watch.h"
#include "monitor/monitor.h"

typedef struct nb_watched_task {
    int64_t id, launched_ms;
    int attempt;
    uint32_t worker;
    bool running;
} nb_watched_task;

typedef struct nb_watched_stage {
    nb_stage_info info; /* of its tasks: how many there are when the first one begins */
    bool submitted, completed;
    int n_done;
    int number; /* in the progress */
    nb_watched_task
        *tasks; /* two per task: an attempt and the one after it may run at the same time */
} nb_watched_stage;

typedef struct nb_watched {
    bool on;             /* somebody looks, or asks for the progress */
    nb_monitor *monitor; /* NULL: nobody looks */
    nb_progress *progress;
    nb_arena *arena;
    int64_t job;
    const nb_stages *stages;
    nb_watched_stage *state; /* one per stage */
} nb_watched;

/* The arena is the query's, and used under the cluster's lock only. */
void
nb_watched_begin(nb_watched *w, nb_arena *arena, const nb_exec_ctx *ctx, const nb_stages *stages);
void nb_watched_launch(nb_watched *w, const nb_sched_action *launch);
/* accepted: the attempt counts. */
void nb_watched_report(nb_watched *w, const Nbc__Report *report, bool accepted);
void nb_watched_end(nb_watched *w, const char *error); /* NULL: it succeeded */

/* What each operator of a task did: (rows, ns, bytes spilled, peak bytes) per node, children first. Returns how many numbers. */
#define NB_TASK_OPERATOR_NUMBERS 6
#define NB_TASK_OPERATORS        64 /* nodes beyond are not told of */
int nb_operators_read(const nb_node *root, int64_t *numbers);

#endif
