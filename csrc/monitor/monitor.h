/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor.h: the one door through which all layers say what happens in an application.
 *
 * An nb_monitor is one application that somebody looks at: its event log (spark.eventLog.enabled) and its live pages
 * (spark.ui.enabled, set explicitly). When nobody looks the pointer is NULL, and every call here accepts NULL and does nothing.
 * Whoever runs a query reports in this order, from any thread:
 *
 *     execution_started                        one action: a plan with the metrics its operators will count
 *       job_started                            with all stages that may run; those never submitted count as skipped
 *         stage_submitted → task_started, task_ended … → stage_completed
 *       job_ended
 *       metrics                                what was counted outside of tasks
 *     execution_ended
 *
 * Numbers come from nb_monitor_ids, so that they are unique in the application. Text is borrowed for the time of a call, and may be
 * hostile: readers escape it. Nothing here fails: when the log cannot be written any more that is said once on standard error, and
 * queries go on.
 */
#ifndef NB_MONITOR_MONITOR_H
#define NB_MONITOR_MONITOR_H

#include "base/config.h"

typedef struct nb_monitor nb_monitor;

/* ---- application ----------------------------------------------------------------------------- */

/* Opens what the configuration asks for; *out is NULL when that is nothing. Fails when the log's folder cannot be written, as in Spark.
 * app_id may be empty: then spark.app.id, or one is made from the time (nb_monitor_app_id says which). start_ms 0 = now. */
nb_status nb_monitor_open(const nb_config *config, nb_str app_id, int64_t start_ms,
                          nb_monitor **out, nb_error *err);
/* A session on a server is named and set up by calls that come after it was opened: what says who it is is written with the first event
 * of its work, or by nb_monitor_begin. Until then the configuration may be told anew. */
void nb_monitor_configured(nb_monitor *m, const nb_config *config);
void nb_monitor_begin(nb_monitor *m);
/* The application has ended: its log is closed and gets its final name. */
void nb_monitor_close(nb_monitor *m);
const char *nb_monitor_app_id(const nb_monitor *m); /* "" when NULL */
/* Where the application's pages are ("http://127.0.0.1:4040"), or "". */
const char *nb_monitor_url(const nb_monitor *m);

typedef enum nb_monitor_number {
    NB_MONITOR_EXECUTION,
    NB_MONITOR_JOB,
    NB_MONITOR_STAGE,
    NB_MONITOR_TASK,
    NB_MONITOR_METRIC,
    NB_N_MONITOR_NUMBERS
} nb_monitor_number;

/* The first of n fresh numbers, from 0 (metrics: from 1); -1 when m is NULL. */
int64_t nb_monitor_ids(nb_monitor *m, nb_monitor_number kind, int n);

/* ---- executors: the driver itself when embedded, else workers ----------------------------------- */

typedef struct nb_executor_info {
    const char *id;   /* "driver", "0", … */
    const char *host; /* without a port */
    int port;         /* where its blocks are served; 0 when it has none */
    int n_cores;
    int64_t memory; /* bytes it may use for data */
} nb_executor_info;

void nb_monitor_executor_added(nb_monitor *m, const nb_executor_info *x);
void nb_monitor_executor_removed(nb_monitor *m, const char *id, const char *reason);

/* The executors that there are now, besides the driver: those that are new are added, those that are gone removed. */
void nb_monitor_executors(nb_monitor *m, const nb_executor_info *list, int n);

/* ---- plans ----------------------------------------------------------------------------------- */

typedef enum nb_metric_type {
    NB_METRIC_SUM,    /* a count */
    NB_METRIC_SIZE,   /* bytes */
    NB_METRIC_TIMING, /* ms */
    NB_METRIC_NS,     /* ns */
} nb_metric_type;

typedef struct nb_metric_info {
    const char *name; /* "number of output rows"; lives for ever */
    int64_t id;
    nb_metric_type type;
} nb_metric_info;

typedef struct nb_plan_info nb_plan_info;
struct nb_plan_info {
    nb_str name; /* "HashAggregate" */
    nb_str text; /* one line: "HashAggregate(keys=[k], functions=[sum(v)])" */
    int n_children;
    const nb_plan_info *children;
    int n_metrics;
    const nb_metric_info *metrics;
};

typedef struct nb_execution_info {
    int64_t id;
    int64_t root_id; /* of the action it belongs to; its own id when it is one */
    nb_str description;
    nb_str details; /* call site, whole SQL text …; may be long */
    nb_str plan;    /* as EXPLAIN prints it */
    const nb_plan_info *root;
} nb_execution_info;

typedef struct nb_metric_update {
    int64_t id;
    const char *name; /* lives for ever */
    int64_t value;    /* to be added to what was counted before */
} nb_metric_update;

void nb_monitor_execution_started(nb_monitor *m, const nb_execution_info *x);
/* The plan has changed while it ran (joins chosen anew …). */
void nb_monitor_execution_replanned(nb_monitor *m, const nb_execution_info *x);
void nb_monitor_metrics(nb_monitor *m, int64_t execution, const nb_metric_update *updates, int n);
void nb_monitor_execution_ended(nb_monitor *m, int64_t execution,
                                const char *error); /* NULL: it succeeded */

/* ---- jobs, stages, tasks ----------------------------------------------------------------------- */

typedef struct nb_stage_info {
    int64_t id;
    int attempt;
    nb_str name;    /* "HashAggregate" */
    nb_str details; /* operators of the stage, one a line */
    int n_tasks;
    const int64_t *parents;
    int n_parents;
    int64_t submitted_ms; /* 0: not yet */
} nb_stage_info;

typedef struct nb_job_info {
    int64_t id;
    int64_t execution; /* -1: none */
    nb_str description;
    nb_str pool; /* of the scheduler; may be empty */
    const nb_stage_info *stages;
    int n_stages;
} nb_job_info;

typedef struct nb_task_info {
    int64_t id, stage;
    int stage_attempt;
    int index, attempt; /* which part of the stage, and which try of it */
    const char *executor, *host;
    const char *locality; /* "PROCESS_LOCAL", "NODE_LOCAL", "ANY" */
    bool speculative;
    bool shuffle_map; /* feeds another stage */
    int64_t launched_ms;
    int64_t finished_ms; /* 0 while it runs */
} nb_task_info;

typedef struct nb_task_metrics {
    int64_t run_ms, cpu_ns;
    int64_t setup_ms, setup_cpu_ns; /* decoding the fragment */
    int64_t result_bytes, result_ms;
    int64_t memory_spilled, disk_spilled;
    int64_t peak_memory;
    int64_t input_bytes, input_rows;   /* of files and memory */
    int64_t output_bytes, output_rows; /* to files */
    int64_t shuffle_read_rows, shuffle_local_bytes, shuffle_remote_bytes;
    int64_t shuffle_local_blocks, shuffle_remote_blocks, shuffle_wait_ms;
    int64_t shuffle_written_bytes, shuffle_written_rows, shuffle_write_ns;
} nb_task_metrics;

typedef enum nb_task_end {
    NB_TASK_SUCCEEDED,
    NB_TASK_FAILED, /* an error of the query */
    NB_TASK_KILLED, /* cancelled, or another attempt was faster */
    NB_TASK_LOST,   /* its executor is gone */
    NB_TASK_FETCH_FAILED,
} nb_task_end;

void nb_monitor_job_started(nb_monitor *m, const nb_job_info *job);
void nb_monitor_job_ended(nb_monitor *m, int64_t job, const char *error); /* NULL: it succeeded */
void nb_monitor_stage_submitted(nb_monitor *m, const nb_stage_info *stage);
void nb_monitor_stage_completed(nb_monitor *m, const nb_stage_info *stage, const char *error);
void nb_monitor_task_started(nb_monitor *m, const nb_task_info *task);
/* updates: metrics of plan operators that this task counted. error: text for everything but success. */
void nb_monitor_task_ended(nb_monitor *m, const nb_task_info *task, const nb_task_metrics *metrics,
                           const nb_metric_update *updates, int n_updates, nb_task_end how,
                           const char *error);

/* ---- pages of a process: master and worker ----------------------------------------------------- */

/* One worker of a cluster. Text is borrowed. */
typedef struct nb_monitor_worker {
    nb_str id, host, state; /* state as Spark's: "ALIVE", "DEAD" … */
    nb_str url;             /* of its pages; may be empty */
    int port, cores, cores_used;
    int64_t memory, memory_used;
    int64_t heartbeat_ms; /* when the last one came */
    int tasks;            /* that run on it; -1: not known */
} nb_monitor_worker;

typedef void (*nb_monitor_emit_worker)(void *to, const nb_monitor_worker *worker);

typedef struct nb_monitor_pages {
    bool is_worker;    /* else a master */
    const char *title; /* "spark://host:7077"; shown */
    const char *host;  /* to listen on; NULL: 127.0.0.1 */
    int port;          /* 0: any */
    nb_str
        token; /* that readers must give; empty: none, and then only loopback may be listened on … */
    bool insecure; /* … unless this says otherwise */
    void *payload;
    /* Gives each worker to emit(to, …). Any thread. NULL: there are none. */
    nb_status (*list_workers)(void *payload, nb_monitor_emit_worker emit, void *to);
    /* What a running application has of the cluster now: cores, bytes. False: not known. Any thread. May be NULL. */
    bool (*app_use)(void *payload, nb_str app_id, int *cores, int64_t *memory);
    /* Adds numbers to /metrics by nb_monitor_metric. Any thread. May be NULL. */
    void (*metrics)(void *payload, nb_strbuf *out);
    /* Stops the execution of an application; false: it does not run. Any thread. Offered to those who have shown the token, and where there is
     * none to nobody. May be NULL. */
    bool (*kill)(void *payload, nb_str app_id, int64_t execution);
} nb_monitor_pages;

typedef struct nb_monitor_server nb_monitor_server;

/* Serves pages, REST and metrics. A master's show the applications that are opened in this process from now on, running and
 * lately finished, whether they are logged or not. *pages is copied; what it points at lives until the server is stopped. */
nb_status nb_monitor_serve(const nb_monitor_pages *pages, nb_monitor_server **out, nb_error *err);
void nb_monitor_server_stop(nb_monitor_server *s); /* NULL is fine */
int nb_monitor_server_port(const nb_monitor_server *s);
/* type: "gauge" or "counter". */
void nb_monitor_metric(nb_strbuf *out, const char *name, const char *type, const char *help,
                       double value);

#endif
