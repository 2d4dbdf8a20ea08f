/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h: a Spark Connect session: configuration, temporary views, local and cached data, and the three calls that clients make.
 *
 * Plans and requests come as bytes of spark.connect messages, as any Connect client sends them, whether over gRPC or from the same process. All calls may
 * be made from any thread, several at a time; planning happens on a thread with a large stack, execution on the engine's
 * threads, and the caller waits. Nothing here knows of Python or gRPC.
 */
#ifndef NB_CONNECT_SESSION_H
#define NB_CONNECT_SESSION_H

#include "exec/exec.h"

typedef struct nb_session nb_session;

typedef struct nb_conf_pair {
    nb_str key, value;
} nb_conf_pair;

/* What an execution gave. */
typedef struct nb_result {
    nb_table *table; /* rows of a query; NULL for commands that give none */
    nb_pool *pool;   /* that the table's memory is charged to */
    nb_str
        *responses; /* packed spark.connect.ExecutePlanResponse messages other than arrow batches */
    int n_responses;
    nb_str *metrics; /* packed ObservedMetrics */
    int n_metrics;
    nb_str metrics_json; /* per operator: name, rows, ns, bytes */
    nb_arena *arena;     /* holds responses and metrics */
} nb_result;

/* conf: start configuration (spark.master, spark.app.name ...). */
nb_status nb_session_new(const nb_conf_pair *conf, int n_conf, nb_session **out, nb_error *err);
/* The same with memory from a parent that bounds several sessions together. */
nb_status nb_session_new_in(nb_pool *parent, const nb_conf_pair *conf, int n_conf, nb_session **out,
                            nb_error *err);
size_t nb_session_default_memory(void); /* spark.memory.limit where it is not set */
void nb_session_free(nb_session *s);    /* waits for running executions */

/* spark.connect.Plan bytes. cancel may be NULL; another thread may set it. With a delivery the rows go there while the query runs: the
 * result's table tells their schema only, and *out is set also on failure, because its pool must outlive the chunks. */
nb_status nb_session_execute(nb_session *s, nb_str plan, const nb_cancel_flag *cancel,
                             nb_delivery *delivery, nb_result **out, nb_error *err);
void nb_result_free(nb_result *r);

/* spark.connect.AnalyzePlanRequest → AnalyzePlanResponse; ConfigRequest → ConfigResponse. *response is appended to. */
nb_status nb_session_analyze(nb_session *s, nb_str request, nb_strbuf *response, nb_error *err);
nb_status nb_session_config(nb_session *s, nb_str request, nb_strbuf *response, nb_error *err);

/* Local data by reference, named by the hash under which plans refer to it ((Chunked)CachedLocalRelation). Takes a reference. */
nb_status nb_session_add_local(nb_session *s, nb_str hash, nb_table *table, nb_error *err);
/* No DataFrame names it any more: it goes, unless a view or a cached DataFrame does. */
void nb_session_remove_local(nb_session *s, nb_str hash);

/* Queries that are begun from now on are run by the runner; its payload is borrowed. */
void nb_session_set_runner(nb_session *s, const nb_runner *runner);

/* Uploaded local data, by the hash under which plans refer to it. */
nb_status nb_session_add_blob(nb_session *s, nb_str hash, nb_buffer *bytes, nb_error *err);
bool nb_session_has_local(nb_session *s, nb_str hash);

/* Configuration, temporary views and uploaded data of a session become those of a new one. */
nb_status nb_session_copy_state(nb_session *from, nb_session *to, nb_error *err);

/* Cancels the query whose first plan has this number in event log and pages; false: there is none. The number is of the application app_id. */
bool nb_session_kill(nb_session *s, nb_str app_id, int64_t execution);
/* Cancels whatever the session is running. */
void nb_session_interrupt(nb_session *s);

/* The session's time zone id and a memory pool for data that enters it (createDataFrame). */
nb_str nb_session_time_zone(nb_session *s, nb_arena *arena);
nb_pool *nb_session_pool(nb_session *s);
/* As nb_config_limit_ms. */
int64_t nb_session_limit_ms(nb_session *s, const char *key, int64_t otherwise);

#endif
