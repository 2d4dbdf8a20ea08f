/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operator.h: the contract of the parts of a pipeline.
 *
 * Every operator has three kinds of state: the operator itself (from the plan, read-only while running), its global state (shared by all
 * threads; says what its lock guards) and one local state per thread (no locks). A pipeline is
 *
 *     source.next → op[0].push → op[1].push → … → sink.push        on each of N threads, batch by batch
 *     then per thread: op.flush… , sink.flush, sink.combine ; then once: sink.finalize
 *
 * A batch given to push is borrowed: it and all it points at is gone when push returns, so a sink copies what it keeps. An operator passes rows
 * on by nb_emit, as often as it likes. A breaker (aggregate, join build, sort, window …) is a sink of one pipeline and the source of the
 * next: its `make_source` gives that source after finalize.
 */
#ifndef NB_EXEC_OPERATOR_H
#define NB_EXEC_OPERATOR_H

#include "exec/exec.h"

typedef struct nb_operator nb_operator;
typedef struct nb_thread_ctx nb_thread_ctx; /* one thread's walk through one pipeline */

typedef struct nb_operator_ops {
    const char *name;
    /* Once, before any thread starts. */
    nb_status (*open_global)(nb_operator *op, const nb_exec_ctx *ctx, nb_error *err);
    /* Once per thread. */
    nb_status (*open_local)(nb_operator *op, nb_thread_ctx *t, void **local, nb_error *err);
    /* Any thread, with its local state. NB_DONE: wants no more input (limit reached); the pipeline stops early. */
    nb_status (*push)(nb_operator *op, void *local, nb_thread_ctx *t, nb_batch *batch,
                      nb_error *err);
    /* Operators and sinks that hold rows back: per thread and branch, after the last push. May be NULL. */
    nb_status (*flush)(nb_operator *op, void *local, nb_thread_ctx *t, nb_error *err);
    /* Sinks: once per thread, in parallel; merges the local into the global state. */
    nb_status (*combine)(nb_operator *op, void *local, nb_thread_ctx *t, nb_error *err);
    /* Sinks: once, after all combines; may use nb_threads_run for parallel work. */
    nb_status (*finalize)(nb_operator *op, const nb_exec_ctx *ctx, nb_error *err);
    /* Breakers: the rows of the finished sink. */
    nb_status (*make_source)(nb_operator *op, const nb_exec_ctx *ctx, nb_source **out,
                             nb_error *err);
    void (*close_local)(nb_operator *op, void *local);
    void (*close)(nb_operator *op); /* frees the global state; always called, also after failures */
} nb_operator_ops;

/* The concrete operator begins with this. */
struct nb_operator {
    const nb_operator_ops *ops;
    nb_node *node; /* metrics and EXPLAIN */
};

/* Passes a batch on to the next operator of the running pipeline. */
nb_status nb_emit(nb_thread_ctx *t, nb_batch *batch, nb_error *err);
nb_arena *nb_thread_scratch(nb_thread_ctx *t); /* reset after every batch of the source */
const nb_exec_ctx *nb_thread_exec(nb_thread_ctx *t);
int nb_thread_number(nb_thread_ctx *t); /* 0 .. n_threads-1 */

#endif
