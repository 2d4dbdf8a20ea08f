/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app.h: what is known of one application, from the events of its log.
 *
 * Events go in as lines of JSON; nb_app_take reads one and forgets it. The reader is strict (a line that is not what Spark writes changes
 * nothing and is counted), takes text as text and instantiates nothing. Unknown events and fields are skipped. All memory is charged to
 * the application's pool, whose limit bounds it: when it is full, further events are dropped and `problem` says so.
 *
 * One thread at a time: nb_app_lock / nb_app_unlock around everything but nb_app_new and nb_app_free. Readers may look at all fields;
 * only app.c and app_events.c change them. Text of events may be hostile; it is valid UTF-8, and nothing else is promised.
 */
#ifndef NB_MONITOR_APP_H
#define NB_MONITOR_APP_H

#include <pthread.h>
#include "base/arena.h"
#include "base/pool.h"
#include "base/str.h"
#include "monitor/id_map.h"

typedef enum nb_run_state {
    NB_RUN_PENDING,
    NB_RUN_ACTIVE,
    NB_RUN_DONE,
    NB_RUN_FAILED,
    NB_RUN_KILLED,
    NB_RUN_SKIPPED,
} nb_run_state;

/* Counters of a task; sums of them for stages and executors. All are int64_t, so that they can be added as an array. */
typedef struct nb_task_counts {
    int64_t setup_ms, setup_cpu_ns, run_ms, cpu_ns, peak_memory, result_size, gc_ms, result_ms;
    int64_t memory_spilled, disk_spilled;
    int64_t remote_blocks, local_blocks, fetch_wait_ms, remote_bytes, remote_bytes_to_disk,
        local_bytes, shuffle_read_rows, remote_requests_ms;
    int64_t shuffle_written_bytes, shuffle_write_ns, shuffle_written_rows;
    int64_t input_bytes, input_rows, output_bytes, output_rows;
} nb_task_counts;

#define NB_N_TASK_COUNTS ((int)(sizeof(nb_task_counts) / sizeof(int64_t)))

typedef struct nb_app_task {
    int64_t id, launched_ms, finished_ms, getting_result_ms;
    int32_t index, attempt, partition;
    int16_t executor; /* position in app->executors */
    uint8_t state;    /* nb_run_state */
    uint8_t locality; /* position in NB_LOCALITIES */
    bool speculative, has_counts;
    const char *error; /* NULL: none */
    nb_task_counts counts;
} nb_app_task;

extern const char *const nb_localities[]; /* NULL ends */

#define NB_TASK_BLOCK 128

typedef struct nb_app_stage {
    int64_t id;
    int32_t attempt;
    int32_t announced_tasks;
    nb_run_state state;
    nb_str name, details, description, pool, error;
    int64_t submitted_ms, completed_ms, first_launch_ms;
    int64_t *parents;
    int n_parents;
    int n_active, n_done, n_failed, n_killed, n_indices;
    uint64_t *done_indices; /* bits: which parts have succeeded */
    int64_t n_index_words;
    nb_task_counts counts;
    int64_t n_tasks;
    int32_t first_block;  /* tasks that the first block has room for */
    nb_app_task **blocks; /* of NB_TASK_BLOCK tasks, in order of their start */
    int64_t cap_blocks;
    int64_t job; /* position of the last job that has it; -1 */
    nb_str killed_reason;
} nb_app_stage;

typedef struct nb_app_job {
    int64_t id, execution;
    nb_run_state state;
    nb_str name, description, group, error;
    int64_t submitted_ms, completed_ms;
    int64_t *stages; /* ids */
    int n_stages;
    int n_tasks, n_active, n_done, n_failed, n_killed, n_skipped, n_indices;
    int n_stages_active, n_stages_done, n_stages_failed, n_stages_skipped;
    nb_str killed_reason;
    nb_str *tags;
    int n_tags;
} nb_app_job;

typedef struct nb_app_executor {
    nb_str id, host, removed_reason;
    int64_t port, n_cores, memory, added_ms, removed_ms;
    bool active;
    int n_started, n_active, n_done, n_failed;
    int64_t task_ms;
    nb_task_counts counts;
} nb_app_executor;

typedef enum nb_app_metric_type {
    NB_APP_METRIC_SUM,
    NB_APP_METRIC_SIZE,
    NB_APP_METRIC_TIMING,
    NB_APP_METRIC_NS,
    NB_APP_METRIC_AVERAGE,
} nb_app_metric_type;

typedef struct nb_app_metric {
    nb_str name;
    int64_t id;
    nb_app_metric_type type;
} nb_app_metric;

/* A node of a plan, numbered as Spark's pages do. */
typedef struct nb_app_node {
    nb_str name, text;
    int32_t parent;  /* node number; -1: root, or a cluster */
    int32_t cluster; /* node number of the WholeStageCodegen around it; -1 */
    bool is_cluster;
    nb_app_metric *metrics;
    int n_metrics;
} nb_app_node;

typedef struct nb_app_edge {
    int32_t from, to;
} nb_app_edge;

typedef struct nb_app_execution {
    int64_t id, root_id;
    nb_str description, details, plan, error, query_id;
    int64_t started_ms, ended_ms; /* ended 0: running */
    bool has_error;               /* the end event names one, perhaps empty */
    nb_app_node *nodes;           /* of the latest plan, number = position */
    int n_nodes, cap_nodes;
    nb_app_edge *edges;
    int n_edges, cap_edges;
    int64_t *jobs; /* ids */
    int n_jobs, cap_jobs;
} nb_app_execution;

/* What was counted for a metric of a plan. */
typedef struct nb_app_value {
    int64_t id, sum, min, max, n;
    int64_t max_stage, max_attempt, max_task; /* -1: the driver */
    int64_t *values;                          /* of tasks, for medians */
    int64_t n_values, cap_values;
    bool is_sum; /* a plan says so: no values are kept */
} nb_app_value;

typedef struct nb_app_pair {
    nb_str key, value;
} nb_app_pair;

typedef enum nb_app_section {
    NB_SECTION_RUNTIME,
    NB_SECTION_SPARK,
    NB_SECTION_HADOOP,
    NB_SECTION_SYSTEM,
    NB_SECTION_METRICS,
    NB_SECTION_CLASSPATH,
    NB_N_SECTIONS
} nb_app_section;

typedef struct nb_app {
    nb_pool *pool;
    nb_arena *arena;   /* everything below */
    nb_arena *scratch; /* of one line */
    pthread_mutex_t lock;
    nb_str id, name, user, version, attempt;
    int64_t started_ms, ended_ms; /* ended 0: running, or it died */
    int64_t last_event_ms;
    int64_t n_events, n_bad_lines;
    nb_str problem;    /* the first thing that was wrong with the log; empty */
    int64_t n_changes; /* grows with every event: what pages poll */
    bool full;         /* the memory limit was reached */
    nb_app_pair *sections[NB_N_SECTIONS];
    int n_pairs[NB_N_SECTIONS];
    nb_app_executor *executors;
    int n_executors, cap_executors;
    nb_app_job **jobs;
    int64_t n_jobs, cap_jobs;
    nb_app_stage **stages;
    int64_t n_stages, cap_stages;
    nb_app_execution **executions;
    int64_t n_executions, cap_executions;
    nb_app_value **values;
    int64_t n_values, cap_values;
    nb_id_map job_ids, stage_ids, execution_ids, value_ids; /* id → position */
    nb_id_map task_ids; /* running tasks: id → stage, number */
} nb_app;

/* memory_limit 0: none. NULL when out of memory. */
nb_app *nb_app_new(nb_pool *parent, size_t memory_limit);
void nb_app_free(nb_app *app);
void nb_app_lock(nb_app *app);
void nb_app_unlock(nb_app *app);

/* Takes one event, with or without a line break. False: the line is not an event; it changed nothing and was counted. */
bool nb_app_take(nb_app *app, nb_str line);
/* Notes what is wrong with the log; the first note stays. printf. */
void nb_app_note(nb_app *app, const char *fmt, ...) NB_PRINTF(2, 3);

/* ---- look-ups; NULL when there is none ---- */

nb_app_job *nb_app_job_find(const nb_app *app, int64_t id);
nb_app_stage *nb_app_stage_find(const nb_app *app, int64_t id, int64_t attempt);
nb_app_execution *nb_app_execution_find(const nb_app *app, int64_t id);
const nb_app_value *nb_app_value_find(const nb_app *app, int64_t id);
nb_app_task *nb_app_task_at(const nb_app_stage *stage, int64_t i); /* in order of start */

/* ---- for app_events.c ---- */

nb_str nb_app_keep(nb_app *app, nb_str s); /* a copy in the arena; {NULL, 0} when out of memory */
/* NULL when out of memory. */
nb_app_job *nb_app_job_get(nb_app *app, int64_t id);
nb_app_stage *nb_app_stage_get(nb_app *app, int64_t id, int64_t attempt);
nb_app_execution *nb_app_execution_get(nb_app *app, int64_t id);
nb_app_value *nb_app_value_get(nb_app *app, int64_t id);
int nb_app_executor_get(nb_app *app, nb_str id); /* position; -1 when out of memory */
nb_app_task *nb_app_task_add(nb_app *app, nb_app_stage *stage);
/* Room for one more element behind n in an array of the arena. False: out of memory. */
bool nb_app_grow(nb_app *app, void *array, int64_t n, int64_t *cap, size_t size);

#endif
