/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h: what a query that runs in this process reports to the application's monitor: a job, with a stage per pipeline and a task per
 * thread of it.
 *
 * How many pipelines a plan takes is known only while it runs (rows that are there need none), but a job is announced with its stages.
 * So it is announced with the most there can be; those that turn out not to be needed are never submitted, and pages show them as
 * skipped. Without a watch in the nb_exec_ctx all calls return at once.
 *
 * The job is announced when its first stage begins. A runner that executes the plan elsewhere (a cluster) therefore reports jobs of its own
 * to `monitor`, for `execution`, and this one never comes to be.
 */
#ifndef NB_EXEC_WATCH_H
#define NB_EXEC_WATCH_H

#include "exec/pipeline.h"
#include "exec/progress.h"
#include "monitor/monitor.h"

struct nb_watch {
    nb_monitor *monitor;
    int64_t execution;
    nb_str title;            /* of the job; lives as long as the watch */
    int n_stages, n_threads; /* the most there can be; tasks of each */
    int64_t job;             /* -1: not announced yet */
    int64_t first_stage;
    atomic_int next_stage;
    bool at_root; /* the pipeline to come is the last one */
};

/* Metrics of a node count from nb_node_metrics.first_id. */
typedef enum nb_node_metric {
    NB_NODE_METRIC_ROWS,
    NB_NODE_METRIC_NS,
    NB_NODE_METRIC_SPILLED,
    NB_NODE_METRIC_PEAK,
    NB_NODE_METRIC_UNPACKED,
    NB_NODE_METRIC_DECODED,
    NB_N_NODE_METRICS
} nb_node_metric;

extern const struct nb_node_metric_info {
    const char *name;
    nb_metric_type type;
} nb_node_metric_infos[NB_N_NODE_METRICS];

/* For a plan that is about to run. */
void nb_watch_init(nb_watch *w, nb_monitor *m, int64_t execution, nb_str title, const nb_node *root,
                   int n_threads);
/* Ends the job, if there was one; error NULL: it succeeded. */
void nb_watch_end(nb_watch *w, const char *error);

/* ---- for pipelines --------------------------------------------------------------------------- */

typedef struct nb_watch_stage {
    nb_watch *watch; /* NULL: not watched, and nothing below is set */
    nb_stage_info info;
    nb_strbuf name;
    int64_t first_task;
    bool feeds_another;    /* its rows go to another stage */
    nb_progress *progress; /* set also when it is not watched */
    int number;            /* there */
} nb_watch_stage;

/* One thread's part of a stage; a pipeline of several rounds pauses it between them. */
typedef struct nb_watch_task {
    bool on;
    nb_arena *arena;
    nb_task_info info;
    nb_task_metrics metrics;
    nb_metric_update *updates;
    int n_updates, cap_updates;
    bool running; /* not paused: what follows is set */
    int64_t run_ns, start_ns, start_cpu_ns, start_read, start_written, start_spilled;
    nb_progress *progress; /* NULL: it is not counted, or has ended */
    int stage;             /* there */
    bool counting;         /* not paused */
    int64_t count_read;
} nb_watch_task;

/* name is borrowed until the end. Tasks are numbered from 0 to n_tasks - 1; Spark's reader takes no more than were announced with the
 * job, which is n_threads. */
void nb_watch_stage_begin(const nb_exec_ctx *ctx, const char *name, const nb_operator *sink,
                          int n_tasks, nb_watch_stage *stage);
/* The same with a name made of the stream's operators. */
void nb_watch_stream_begin(nb_run *run, const nb_stream *s, const nb_operator *sink, int n_threads,
                           nb_watch_stage *stage);
void nb_watch_stage_end(nb_watch_stage *stage, nb_status st, const nb_error *err);

/* Begins the task, or goes on with it; task starts as zeros. arena: lives until the task's end. */
void nb_watch_task_begin(nb_watch_stage *stage, int number, nb_arena *arena, nb_watch_task *task);
void nb_watch_task_pause(nb_watch_task *task);
void nb_watch_task_source(nb_watch_task *task, nb_node *node, int64_t n_rows, int64_t ns);
void nb_watch_task_operator(nb_watch_task *task, nb_node *node, int64_t n_rows, int64_t ns);
void nb_watch_task_sink(nb_watch_task *task, int64_t n_rows);
void nb_watch_task_wrote(nb_watch_task *task, int64_t n_rows);
/* Does nothing when it has not begun or has ended. */
void
nb_watch_task_end(nb_watch_stage *stage, nb_watch_task *task, nb_status st, const nb_error *err);

#endif
