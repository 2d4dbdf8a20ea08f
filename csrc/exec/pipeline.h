/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.h: streams of rows under construction, and how they run.
 *
 * exec/build.c walks the plan from the root. For a node it asks for the stream of its child, appends an operator, or, at a
 * breaker, runs the stream into the breaker's sink and starts a new stream from what the sink holds. So plans are cut and run
 * in one walk, and a later part can know what an earlier one found (the keys of a join's build side).
 *
 *   stream   one or more branches that share a schema, e.g. the children of a UNION; rows of branch b come before
 *            those of branch b + 1 (batch->order gets the branch's number on top)
 *   branch   source → operator → operator …; an operator may belong to several branches
 */
#ifndef NB_EXEC_PIPELINE_H
#define NB_EXEC_PIPELINE_H

#include "exec/operator.h"

/* Rows of one morsel come from one thread; a branch has less than this many morsels. */
#define NB_ORDER_BRANCH_SHIFT 40

typedef struct nb_branch {
    nb_source *source; /* NULL: made by source_of once the branches before have run */
    nb_operator *source_of;
    nb_operator *
        maker; /* the breaker whose rows the source gives: it is closed with the source; may be NULL */
    nb_node *source_node; /* whose rows the source gives, for metrics; may be NULL */
    nb_operator **ops;
    int n_ops, cap_ops;
    int partition_base; /* partitions of the branches before */
    bool sealed; /* an operator numbers partitions anew: what comes after is added behind it */
} nb_branch;

typedef struct nb_stream {
    nb_branch *branches;
    int n_branches, cap_branches;
    int n_partitions;
    bool sequential; /* some expression counts rows: one thread, morsel by morsel */
} nb_stream;

/* A query that runs: owns its operators and sources, closes them at the end, the latest first. */
typedef struct nb_run nb_run;

nb_status nb_run_new(const nb_exec_ctx *ctx, nb_run **out);
void nb_run_free(nb_run *run);
const nb_exec_ctx *nb_run_ctx(const nb_run *run);
nb_arena *nb_run_arena(nb_run *run);

/* From now on the run closes it, also when open_global fails (which is called here). */
nb_status nb_run_open(nb_run *run, nb_operator *op, nb_error *err);
/* From now on the run frees it. */
nb_status nb_run_keep_source(nb_run *run, nb_source *source);
/* Rows of an aggregation that several nodes share (u.aggregate.share): moved to the run; borrowed from it, NULL when not there. */
nb_status nb_run_keep_shared(nb_run *run, int share, nb_table *rows);
nb_table *nb_run_shared(const nb_run *run, int share);

/* A stream of one branch from a source (moved to the run). node may be NULL. */
nb_status nb_stream_from(nb_run *run, nb_source *source, nb_node *node, nb_stream **out);
/* A further branch whose rows are what op still holds when the branches so far have run, as partition number `partition`. */
nb_status
nb_stream_add_drain(nb_run *run, nb_stream *s, nb_operator *op, nb_node *node, int partition);
/* Moves the branches of b behind those of a. */
nb_status nb_stream_concat(nb_run *run, nb_stream *a, nb_stream *b, nb_error *err);
/* So many partitions come before those of the stream. */
nb_status nb_stream_number_from(nb_run *run, nb_stream *s, int first, nb_error *err);
/* Opens op and appends it to all branches. */
nb_status nb_stream_push(nb_run *run, nb_stream *s, nb_operator *op, nb_error *err);
/* The same for an operator that is open, to all branches or to the last one. */
nb_status nb_stream_append_all(nb_run *run, nb_stream *s, nb_operator *op);
nb_status nb_stream_append(nb_run *run, nb_stream *s, nb_operator *op);
/* Threads that will run it. */
int nb_stream_threads(const nb_run *run, const nb_stream *s);
/* Opens the sink, runs everything into it and finalizes it. The stream is used up; its sources and operators are closed on success. */
nb_status nb_stream_run(nb_run *run, nb_stream *s, nb_operator *sink, nb_error *err);

/* ---- for operators --------------------------------------------------------------------------- */

/* Memory that lives as long as the thread's local state. */
nb_arena *nb_thread_memory(nb_thread_ctx *t);
/* No row of an earlier morsel than this can come any more from thread number `of` of the pipeline; UINT64_MAX: none at all. A thread that has
 * not begun says so too: what it will claim is later than all that has been claimed. */
uint64_t nb_thread_progress(const nb_thread_ctx *t, int of);
/* Until this is called again, or the thread has done all, it says that it is no further than this morsel: an operator holds rows of it back. */
void nb_thread_hold(nb_thread_ctx *t, uint64_t order);
int nb_thread_count(const nb_thread_ctx *t);
/* For the monitor: rows have gone into files. */
void nb_thread_wrote(nb_thread_ctx *t, int64_t n_rows);
/* Another thread has failed, or the query was cancelled. */
bool nb_thread_must_stop(const nb_thread_ctx *t);
/* A zeroed operator in the run's arena. */
void *nb_operator_new(nb_run *run, size_t size, const nb_operator_ops *ops, nb_node *node);
#define NB_OPERATOR_NEW(run, T, ops, node) ((T *)nb_operator_new((run), sizeof(T), (ops), (node)))

void nb_metrics_spilled(nb_node *node, int64_t n_bytes);
int64_t nb_metrics_spilled_by_thread(void); /* by the running thread, ever */
void nb_metrics_peak(nb_node *node, int64_t n_bytes);

#endif
