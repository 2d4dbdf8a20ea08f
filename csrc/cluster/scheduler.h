/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler.h: which task runs where: a state machine without threads, clock or network.
 *
 * Events go in (a worker joins, beats, is lost; a query comes, a task is done or has failed; time passes), actions come out of
 * nb_scheduler_next: start an attempt, stop one. A query's driver asks how it stands. So it is tested, and simulated with a thousand
 * workers, without processes. One thread at a time.
 *
 *   task     WAITING → RUNNING (one attempt, on one worker) → DONE (its output lies on that worker)
 *            RUNNING → WAITING   the attempt failed, or its worker was lost
 *            DONE    → WAITING   the worker with the output was lost, and somebody may still need it (lineage)
 *   stage    may run when all tasks of its inputs are done
 *   query    is ready when all tasks of all stages are done; failed when a task has failed max_failures times by itself
 *
 * Attempts  are numbered per task. Only the attempt that runs may report; what comes late or twice is refused.
 * Lost      failures that are not the task's own (worker lost, input gone) do not count against it, but are bounded too, so that a
 *           cluster that falls apart ends the query.
 * Order     FIFO: queries in the order in which they came, their stages from below. FAIR: the query that has the fewest running tasks
 *           for its weight comes first.
 */
#ifndef NB_CLUSTER_SCHEDULER_H
#define NB_CLUSTER_SCHEDULER_H

#include <stdbool.h>
#include "base/pool.h"

typedef struct nb_scheduler nb_scheduler;

typedef struct nb_scheduler_options {
    int64_t heartbeat_timeout_ms; /* a worker that is silent for longer is lost */
    int max_failures;             /* of a task by itself: spark.task.maxFailures */
    int max_losses;               /* of a task through others */
    bool fair;
} nb_scheduler_options;

#define NB_SCHEDULER_OPTIONS_INIT \
    ((nb_scheduler_options){.heartbeat_timeout_ms = 10000, .max_failures = 4, .max_losses = 20})

typedef struct nb_sched_stage {
    int n_tasks;
    const int *inputs; /* stages below */
    int n_inputs;
    bool
        on_driver; /* the driver runs its tasks itself, when told that they may run; its output is never lost */
    bool durable; /* what a task has done stays done: files */
} nb_sched_stage;

#define NB_SCHED_DRIVER 0 /* worker number of outputs that the driver has */

typedef struct nb_sched_action {
    bool kill; /* else: launch */
    uint64_t query;
    int stage, task, attempt;
    uint32_t worker;
} nb_sched_action;

typedef enum nb_sched_state {
    NB_SCHED_RUNNING,
    NB_SCHED_DRIVE,  /* a stage of the driver's own may run */
    NB_SCHED_READY,  /* all stages are done */
    NB_SCHED_FAILED, /* a task has failed too often */
    NB_SCHED_LOST,   /* too much was lost under a task */
} nb_sched_state;

nb_status nb_scheduler_new(const nb_scheduler_options *options, nb_scheduler **out);
void nb_scheduler_free(nb_scheduler *s);

/* worker: a number never used before, not NB_SCHED_DRIVER. */
nb_status nb_scheduler_worker_join(nb_scheduler *s, uint32_t worker, int cores, int64_t now_ms);
/* false: unknown or lost, and should join anew. */
bool nb_scheduler_worker_beat(nb_scheduler *s, uint32_t worker, int64_t now_ms);
void nb_scheduler_worker_lost(nb_scheduler *s, uint32_t worker);
bool nb_scheduler_has_worker(const nb_scheduler *s, uint32_t worker);
typedef struct nb_sched_worker_state {
    int cores, running;
    int64_t beat_ms; /* the last, by the clock of the events */
} nb_sched_worker_state;

/* false: it is not there. */
bool nb_scheduler_worker_state(const nb_scheduler *s, uint32_t worker, nb_sched_worker_state *out);
int nb_scheduler_cores(const nb_scheduler *s); /* of all workers that are there */
int nb_scheduler_workers(const nb_scheduler *s);

/* stages are copied; inputs come before the stages that read them. weight: of its pool, for FAIR. */
nb_status nb_scheduler_query_add(nb_scheduler *s, uint64_t query, const nb_sched_stage *stages,
                                 int n, int weight);
/* Finished, failed or cancelled: its running attempts are stopped, and it is forgotten. */
void nb_scheduler_query_end(nb_scheduler *s, uint64_t query);

/* stage: to be driven, or whose task failed. Unknown queries are lost. */
nb_sched_state
nb_scheduler_query_state(const nb_scheduler *s, uint64_t query, int *stage, int *task);

/* false: refused (not the attempt that runs). The driver's own stages: attempt 0, worker NB_SCHED_DRIVER. output_on_driver: what it gave is
 * kept by the driver. */
bool nb_scheduler_task_done(nb_scheduler *s, uint64_t query, int stage, int task, int attempt,
                            uint32_t worker, bool output_on_driver);
/* own: by its own fault. */
bool nb_scheduler_task_failed(nb_scheduler *s, uint64_t query, int stage, int task, int attempt,
                              uint32_t worker, bool own);
/* Somebody could not read what a worker has of a stage: it is made again. */
void nb_scheduler_output_lost(nb_scheduler *s, uint64_t query, int stage, uint32_t worker);

void nb_scheduler_tick(nb_scheduler *s, int64_t now_ms);
/* The next thing to do, if any; launches are decided here. */
bool nb_scheduler_next(nb_scheduler *s, int64_t now_ms, nb_sched_action *out);

/* Where a task's output is and which attempt made it; false while it is not done. */
bool nb_scheduler_output(const nb_scheduler *s, uint64_t query, int stage, int task,
                         uint32_t *worker, int *attempt);

#endif
