/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler.h: which task runs where: a state machine without threads, clock or network.
 *
 * Events go in (a worker joins, beats, is lost; a query comes, a task is done or has failed; time passes), actions come out of
 * nb_scheduler_next: start an attempt, stop one. A query's driver asks how it stands. So it is tested, and simulated with a thousand
 * workers, without processes. One thread at a time.
 *
 *   task     WAITING → RUNNING (an attempt, or two, each on its worker) → DONE (its output lies on the worker of the first that is done)
 *            RUNNING → WAITING   the last attempt failed, or its worker was lost
 *            DONE    → WAITING   the worker with the output was lost, and somebody may still need it (lineage)
 *   stage    may run when all tasks of its inputs are done, and it is planned: one that is `late` gets its number of tasks only then
 *   query    is ready when all tasks of all stages are done; failed when a task has failed max_failures times by itself
 *
 * Attempts  are numbered per task. Only attempts that run may report; what comes late or twice is refused.
 * Lost      failures that are not the task's own do not count against it, but are bounded too, so that a cluster that falls apart, or a
 *           query that takes its workers along, ends. Two counts: the attempts of a task under which a worker was lost; and rounds, each of
 *           which takes from a query all that one worker has for it, since a task was done that never was done before. Stopping an
 *           attempt because its input is gone counts for nobody: that is the same round.
 * Order     FIFO: queries in the order in which they came, their stages from below. FAIR: as Spark's pools: first those that have fewer
 *           running tasks than their share, then by running tasks for their weight; within a pool FIFO, or fewest running tasks first.
 * Locality  a task goes to the worker that it prefers when that has a free core, else to whoever has: nobody idles.
 * Copies    with speculation, a task that runs for much longer than the stage's others have taken gets a second attempt on another
 *           worker, when nothing else is to be done; the first to end wins and the other is stopped.
 */
#ifndef NB_CLUSTER_SCHEDULER_H
#define NB_CLUSTER_SCHEDULER_H

#include <stdbool.h>
#include "base/pool.h"
#include "base/str.h"

typedef struct nb_scheduler nb_scheduler;

typedef struct nb_scheduler_options {
    int64_t heartbeat_timeout_ms; /* a worker that is silent for longer is lost */
    int max_failures;             /* of a task by itself: spark.task.maxFailures */
    int max_losses; /* workers lost under a task; rounds without progress, besides one for each worker */
    bool fair;
    bool speculation;                /* spark.speculation and the settings below it */
    int64_t speculation_interval_ms; /* between looks at running tasks */
    double speculation_multiplier;   /* of the median of the stage's tasks that are done */
    double speculation_quantile;     /* of the stage's tasks that must be done before */
    int64_t speculation_min_ms;      /* that an attempt must have run */
} nb_scheduler_options;

/* As Spark's defaults. */
#define NB_SCHEDULER_OPTIONS_INIT                           \
    ((nb_scheduler_options){.heartbeat_timeout_ms = 10000,  \
                            .max_failures = 4,              \
                            .max_losses = 20,               \
                            .speculation_interval_ms = 100, \
                            .speculation_multiplier = 3,    \
                            .speculation_quantile = 0.9,    \
                            .speculation_min_ms = 100})

/* Queries that share: a pool of FAIR scheduling. */
typedef struct nb_sched_pool {
    nb_str name;
    int weight, min_share;
    bool fair; /* within the pool too */
} nb_sched_pool;

typedef struct nb_sched_stage {
    int n_tasks;
    const int *inputs; /* stages below */
    int n_inputs;
    bool
        on_driver; /* the driver runs its tasks itself, when told that they may run; its output is never lost */
    bool durable; /* what a task has done stays done: files */
    bool late;    /* n_tasks is said by nb_scheduler_stage_plan, when the inputs are done */
    bool
        unsettled; /* two attempts may deal rows out differently: when an output is lost, all is made again, and all that has read it */
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
    NB_SCHED_PLAN,   /* a late stage is to be planned */
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
/* It ends what it runs, and gets nothing more. */
void nb_scheduler_worker_leaves(nb_scheduler *s, uint32_t worker);
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

/* Defines a pool, or says it anew. Pools that nobody has defined have weight 1, no share, and are FIFO inside. */
nb_status nb_scheduler_pool(nb_scheduler *s, const nb_sched_pool *pool);

/* stages are copied; what they wait for goes in no circles. pool: of FAIR scheduling; "" is the default one. */
nb_status nb_scheduler_query_add(nb_scheduler *s, uint64_t query, const nb_sched_stage *stages,
                                 int n, nb_str pool);
/* A late stage: its tasks (0: it is not needed), whether the driver runs them itself, the stages that it reads, and per task the worker it
 * prefers (NB_SCHED_DRIVER: none; NULL: nobody prefers). All is copied. */
nb_status
nb_scheduler_stage_plan(nb_scheduler *s, uint64_t query, int stage, int n_tasks, bool on_driver,
                        const int *inputs, int n_inputs, const uint32_t *prefer);
/* Finished, failed or cancelled: its running attempts are stopped, and it is forgotten. */
void nb_scheduler_query_end(nb_scheduler *s, uint64_t query);

/* stage: to be driven or planned, or whose task failed. Unknown queries are lost. */
nb_sched_state
nb_scheduler_query_state(const nb_scheduler *s, uint64_t query, int *stage, int *task);

/* false: refused (not an attempt that runs). The driver's own stages: attempt 0, worker NB_SCHED_DRIVER. output_on_driver: what it gave is
 * kept by the driver. */
bool nb_scheduler_task_done(nb_scheduler *s, uint64_t query, int stage, int task, int attempt,
                            uint32_t worker, bool output_on_driver, int64_t now_ms);
/* own: by its own fault. Else nb_scheduler_output_lost follows, which counts. */
bool nb_scheduler_task_failed(nb_scheduler *s, uint64_t query, int stage, int task, int attempt,
                              uint32_t worker, bool own);
/* `reader` (NB_SCHED_DRIVER: the driver) could not read what a worker has: all that the query has there is made again, and not there, as
 * whoever could not read it once may never be able to. A reader that cannot read from two workers that are there is itself cut off, and gets
 * no more of the query's tasks. */
void nb_scheduler_output_lost(nb_scheduler *s, uint64_t query, uint32_t worker, uint32_t reader);

/* Several times within the heartbeats' timeout. Time between two ticks that are further apart counts as silence of nobody: it was the
 * caller who stood still. */
void nb_scheduler_tick(nb_scheduler *s, int64_t now_ms);
/* The next thing to do, if any; launches are decided here. */
bool nb_scheduler_next(nb_scheduler *s, int64_t now_ms, nb_sched_action *out);

/* Where a task's output is and which attempt made it; false while it is not done. */
bool nb_scheduler_output(const nb_scheduler *s, uint64_t query, int stage, int task,
                         uint32_t *worker, int *attempt);

#endif
