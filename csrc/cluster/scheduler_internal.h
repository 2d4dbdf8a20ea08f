/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler_internal.h: what the states of tasks (scheduler.c) and the choice of launches (scheduler_launch.c) share.
 */
#ifndef NB_CLUSTER_SCHEDULER_INTERNAL_H
#define NB_CLUSTER_SCHEDULER_INTERNAL_H

#include "base/arena.h"
#include "cluster/scheduler.h"

#define NB_SCHED_RUNS 2 /* attempts of a task at once */

typedef enum nb_task_state {
    NB_TASK_WAITING,
    NB_TASK_RUNNING,
    NB_TASK_DONE,
} nb_task_state;

typedef struct nb_sched_run {
    int attempt;
    uint32_t worker;
    int64_t started_ms;
} nb_sched_run;

/* Links of a list by positions; -1 ends it. */
typedef struct nb_task_link {
    int before, after;
} nb_task_link;

typedef struct nb_sched_task {
    nb_task_state state;
    int attempt; /* number of the latest */
    int failures;
    int losses; /* workers that were lost under its attempts */
    bool ever_done;
    nb_sched_run runs[NB_SCHED_RUNS];
    int n_runs;
    int made_by; /* DONE: the attempt, the worker with its output, how long it took */
    uint32_t worker;
    int64_t took_ms;
    uint32_t prefer;             /* NB_SCHED_DRIVER: none */
    nb_task_link all, by_prefer; /* while it waits */
} nb_sched_task;

typedef struct nb_sched_stage_state {
    nb_sched_task *tasks;
    int n_tasks, n_done, n_running, n_waiting;
    int first_waiting;
    int *by_prefer; /* first waiting task per hash of the worker it prefers; NULL: nobody prefers */
    int n_by_prefer;
    int *inputs;
    int n_inputs;
    int *slow; /* tasks that deserve a copy, a stack */
    int n_slow;
    bool on_driver, durable, late, planned, unsettled;
} nb_sched_stage_state;

typedef struct nb_sched_pool_state {
    struct nb_sched_pool_state *next;
    nb_str name;
    int weight, min_share, n_running;
    bool fair;
    /* of one launch: */
    struct nb_sched_query *candidate;
    nb_sched_stage_state *candidate_stage;
} nb_sched_pool_state;

/* A worker that gets no tasks of a query, and who could not read from it. */
typedef struct nb_sched_excluded {
    uint32_t worker, reader;
} nb_sched_excluded;

#define NB_SCHED_EXCLUDED 64 /* of a query at most */

typedef struct nb_sched_query {
    struct nb_sched_query *next;
    nb_arena *arena;
    uint64_t id;
    nb_sched_pool_state *pool;
    nb_sched_stage_state *stages;
    int n_stages, n_running, n_open; /* n_open: stages that are not done */
    nb_sched_state failed;           /* RUNNING: it has not */
    int failed_stage, failed_task;
    int rounds_left; /* that may take from it, before a task is done for the first time */
    nb_sched_excluded excluded[NB_SCHED_EXCLUDED];
    int n_excluded;
} nb_sched_query;

typedef struct nb_sched_worker {
    uint32_t id;
    int cores, free; /* of one that leaves, so many fewer are free that it gets nothing more */
    bool leaving;
    int64_t beat_ms;
    bool in_ring;
} nb_sched_worker;

struct nb_scheduler {
    nb_pool *pool;
    nb_arena *names; /* and pools */
    nb_scheduler_options options;
    nb_sched_pool_state *pools;
    nb_sched_query *queries; /* in order of arrival */
    nb_sched_worker *workers;
    int n_workers, cap_workers;
    uint32_t *ring; /* numbers of workers with free cores; a queue */
    size_t ring_at, ring_n, cap_ring;
    nb_sched_action *actions; /* besides launches; a queue */
    size_t n_actions, at_action, cap_actions;
    int cores;
    int64_t looked_ms; /* for slow tasks */
    int64_t ticked_ms; /* for silent workers */
};

nb_sched_worker *nb_sched_worker_of(const nb_scheduler *s, uint32_t id);
bool nb_sched_may_run(const nb_sched_query *q, const nb_sched_stage_state *st);
bool nb_sched_is_excluded(const nb_sched_query *q, uint32_t worker);
/* A core of the worker is free: it stands in the ring. */
void nb_sched_enter_ring(nb_scheduler *s, nb_sched_worker *w);

/* Into and out of the stage's lists of waiting tasks. */
void nb_sched_wait(nb_sched_stage_state *st, int task);
void nb_sched_unwait(nb_sched_stage_state *st, int task);

/* scheduler_launch.c: which attempt is started next. */
bool nb_sched_launch(nb_scheduler *s, int64_t now_ms, nb_sched_action *out);
/* Looks for tasks that deserve a copy. */
void nb_sched_look_for_slow(nb_scheduler *s, int64_t now_ms);

#endif
