/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query.h: one execution inside a session: its memory, its view of the configuration, its way from message to rows.
 *
 *     nb_query_begin → nb_query_analyze → nb_query_run (any number of times) → nb_query_end
 *
 * Used on the planning thread (large stack). Tables that nb_query_run gives are charged to the query's pool, which goes on living with the result
 * when nb_query_release_pool has been called.
 */
#ifndef NB_CONNECT_QUERY_H
#define NB_CONNECT_QUERY_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/config.h"
#include "connect/artifacts.h"
#include "connect/session.h"
#include "exec/exec.h"
#include "ml/ml.h"
#include "monitor/monitor.h"
#include "plan/analyzer.h"
#include "plan/planner.h"
#include "spark/connect/base.pb-c.h"

typedef struct nb_query nb_query;

/* What was observed: a packed ObservedMetrics. */
typedef struct nb_kept_metrics nb_kept_metrics;
struct nb_kept_metrics {
    nb_kept_metrics *next;
    nb_str name, bytes;
};

struct nb_session {
    pthread_mutex_t lock; /* config, running */
    pthread_cond_t idle;  /* no query is running */
    nb_config *config;
    nb_config *started;  /* as the session began: for what spark.conf has no say in */
    nb_pool *pool;       /* root: spark.memory.limit */
    nb_pool *cache_pool; /* local and cached data */
    nb_catalog *catalog;
    nb_ml *ml;         /* models */
    nb_query *running; /* list of queries, for interrupts */
    int n_running;
    int n_threads;
    nb_runner runner; /* run NULL: nb_exec_run */
    nb_artifacts artifacts;
    uint64_t next_hash;  /* names of command results kept as local data */
    nb_monitor *monitor; /* event log and pages; NULL: nobody looks */
    char id[37];         /* server-side session id, a UUID */
};

struct nb_query {
    nb_session *session;
    nb_pool *pool;
    nb_arena *arena;
    nb_config *config; /* copy: a query does not see changes halfway */
    nb_session_info info;
    nb_analyzer *analyzer;
    const nb_cancel_flag *cancel;
    nb_cancel_flag own_cancel; /* when the caller gave none */
    int n_threads;
    nb_runner runner;
    nb_delivery *delivery; /* who takes the rows of its plan; NULL: they become a table */
    bool explaining;       /* plans are made to be looked at: nothing of them runs */
    nb_kept_metrics *metrics;
    nb_str title; /* what the client's plan is called in event log and pages */
    atomic_llong first_execution, last_execution; /* of the plans that it ran; -1: none yet */
    nb_query *next;
};

/* The time zone of sessions that set none. */
nb_str nb_system_zone(nb_arena *arena);

nb_status nb_query_begin(nb_session *s, const nb_cancel_flag *cancel, nb_query *q, nb_error *err);
void nb_query_end(nb_query *q);
/* The pool is the caller's from now on (free it after the tables). */
nb_pool *nb_query_release_pool(nb_query *q);

nb_status nb_query_analyze(nb_query *q, const Sc__Relation *rel, nb_plan **out, nb_error *err);
/* Optimises, plans and executes. The plan is used up. What it gives is a table, whatever the query's delivery is. */
nb_status nb_query_run(nb_query *q, nb_plan *plan, nb_table **out, nb_error *err);
/* Subqueries become joins: the first step of nb_query_physical. */
nb_status nb_query_rewrite(nb_query *q, nb_plan **plan, nb_error *err);
nb_status nb_query_physical(nb_query *q, nb_plan *plan, nb_node **out, nb_error *err);
/* As nb_query_run; rows that do not fit into memory lie in mapped files. */
nb_status nb_query_run_kept(nb_query *q, nb_plan *plan, nb_table **out, nb_error *err);
nb_status nb_query_execute(nb_query *q, nb_node *root, nb_table **out, nb_error *err);
/* *table becomes a copy that outlives the query (in the session's pool). */
nb_status nb_query_keep_table(nb_query *q, nb_table **table, nb_error *err);
/* message → rows, with the relations that only a session can answer (show, catalog). Rows that are made, not found, go to the query's delivery. */
nb_status nb_query_relation(nb_query *q, const Sc__Relation *rel, nb_table **out, nb_error *err);

/* metrics.c */
/* Runs what the plan observes: its observations become tables in the plan, and metrics in q->metrics. */
nb_status nb_query_observe(nb_query *q, nb_plan *plan, nb_error *err);
nb_status nb_query_take_metrics(const nb_query *q, nb_result *result);

/* show.c */
nb_status nb_query_show(nb_query *q, const Sc__Relation *rel, nb_table **out, nb_error *err);
/* One row, one string column. */
nb_status nb_table_of_text(nb_pool *pool, const char *column, nb_str text, nb_table **out);

/* command.c */
nb_status
nb_query_command(nb_query *q, const Sc__Command *command, nb_result *result, nb_error *err);
/* Appends a packed ExecutePlanResponse to the result. */
nb_status nb_result_add(nb_result *r, Sc__ExecutePlanResponse *response);

/* checkpoint.c */
nb_status
nb_query_checkpoint(nb_query *q, const Sc__CheckpointCommand *c, nb_result *result, nb_error *err);

/* catalog.c */
/* One column of a small table: texts (NULL data = null) or, where flags is set, booleans. */
typedef struct nb_answer_column {
    const char *name;
    const nb_str *texts;
    const bool *flags;
} nb_answer_column;
nb_status nb_query_answer(nb_query *q, const nb_answer_column *columns, int n_columns, int64_t n,
                          nb_table **out);
nb_status nb_query_catalog(nb_query *q, const Sc__Catalog *message, nb_table **out, nb_error *err);

/* catalog_functions.c; a pattern without data fits all */
nb_status nb_catalog_list_functions(nb_query *q, nb_str pattern, nb_table **out);
nb_status
nb_catalog_function_exists(nb_query *q, nb_str name, bool in_database, bool *out, nb_error *err);
nb_status nb_catalog_get_function(nb_query *q, nb_str name, nb_table **out, nb_error *err);

/* catalog_tables.c */
nb_status nb_catalog_create_table(nb_query *q, const Sc__CreateTable *c, nb_error *err);
nb_status nb_catalog_recover_partitions(nb_query *q, nb_str name, nb_error *err);
nb_status nb_query_write_to(nb_query *q, const Sc__WriteOperationV2 *w, nb_error *err);

/* explain.c */
nb_status
nb_query_explain(nb_query *q, const Sc__Relation *rel, int mode, nb_strbuf *out, nb_error *err);
/* One node as a line; the whole plan below EXPLAIN's heading. */
void nb_node_text(nb_strbuf *out, nb_arena *arena, const nb_node *n);
void nb_physical_text(nb_strbuf *out, nb_arena *arena, const nb_node *root);
void nb_schema_tree(nb_strbuf *out, const nb_type *schema, int max_level);

/* A message in the arena, ready to be filled and packed; NULL when out of memory. */
void *nb_message_new(nb_arena *arena, const ProtobufCMessageDescriptor *descriptor);
#define NB_MESSAGE(arena, T, name) ((T *)nb_message_new((arena), &(name##__descriptor)))
nb_str
nb_message_bytes(nb_arena *arena, const ProtobufCMessage *m); /* {NULL, 0} when out of memory */
NB_INLINE ProtobufCBinaryData
nb_pb_bytes(nb_str s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)s.data};
}

#endif
