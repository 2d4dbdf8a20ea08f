/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.h: runs a physical plan.
 *
 * nb_exec_run cuts the tree into pipelines (source → streaming operators → sink), runs them in dependency order, each on n_threads threads over
 * the source's morsels, and collects the rows of the root in Spark's order (morsel order) into a table, or, with ctx->delivery, gives them
 * away in that order while it runs. It returns when the query is done, failed or cancelled; all memory is charged to ctx->pool; files
 * spilled go below ctx->spill_dir and are removed.
 */
#ifndef NB_EXEC_EXEC_H
#define NB_EXEC_EXEC_H

#include "exec/progress.h"
#include "plan/physical.h"

/* Tests run everything with vectors of each kind: see exec/reshape.c. */
typedef enum nb_batch_shape {
    NB_SHAPE_ANY, /* as they come */
    NB_SHAPE_DICT,
    NB_SHAPE_CONST /* in batches of one row */
} nb_batch_shape;

typedef struct nb_watch nb_watch; /* exec/watch.h */

/* How READ and PUT nodes reach the other tasks of a query; NULL where there are none. */
typedef struct nb_exchange nb_exchange;
struct nb_exchange {
    /* All rows that a READ node stands for, in the order of the tasks that made them; owned by the caller. */
    nb_status (*read)(nb_exchange *ex, nb_pool *pool, const nb_node *node, nb_table **out,
                      nb_error *err);
    /* Takes rows for a bucket (borrowed). One thread at a time; rows of a bucket come in order. */
    nb_status (*put)(nb_exchange *ex, int bucket, nb_chunk *chunk, const nb_type *schema,
                     nb_error *err);
    /* A WRITE node of a task: the job that the driver has begun, and the partition of all rows (-1: their own). NULL: the job is this
     * process's own. */
    nb_status (*write_begin)(nb_exchange *ex, const nb_write_request *request, nb_write_job **job,
                             int *partition, nb_error *err);
    /* n_rows are in files; st < 0: they shall go. */
    void (*write_end)(nb_exchange *ex, nb_write_job *job, int64_t n_rows, nb_status st);
};

/* Who takes the rows of a result while the query runs. */
typedef struct nb_delivery {
    /* The next rows, in order; one thread at a time. The chunk is moved, also on failure; it and what it is charged to (n_bytes of
     * ctx->pool; 0: it is shared with a table that stays) may be kept for longer than the query runs. May wait until there is room for more.
     * NB_DONE: no more is wanted. */
    nb_status (*take)(void *payload, nb_chunk *chunk, const nb_type *schema, size_t n_bytes,
                      nb_error *err);
    void *payload;
    bool begun; /* rows have been taken: they must not be made a second time */
    nb_progress
        *progress; /* of the query, and of those that it runs to make its plan; NULL: nobody asks */
} nb_delivery;

typedef struct nb_exec_ctx {
    nb_pool *pool; /* of the rows that come out */
    nb_pool *
        short_pool; /* tables in it go before those rows do, and are not shared by them; NULL: none */
    const nb_session_info *info;
    const nb_cancel_flag *cancel;
    int n_threads;
    int batch_rows;       /* NB_BATCH_ROWS; tests use less */
    nb_batch_shape shape; /* tests: of the vectors that sources give */
    bool force_spill;     /* tests: every operator that can spill does */
    nb_str spill_dir;
    nb_watch *watch;       /* the job that stages and tasks are reported to; NULL: nobody looks */
    nb_progress *progress; /* NULL: nobody asks */
    bool
        result_to_disk; /* rows of the result that do not fit into memory lie in mapped files: caches */
    nb_exchange *exchange;
    nb_delivery *delivery; /* NULL: the result is a table */
    int parallelism;       /* that files are cut for; 0: n_threads */
    uint64_t
        order_base; /* added to the numbers of morsels: rows of later tasks come behind those of earlier ones */
} nb_exec_ctx;

/* Where a session's queries run: in place of nb_exec_run, which it may call. */
typedef struct nb_runner {
    nb_status (*run)(void *payload, const nb_exec_ctx *ctx, nb_arena *arena, nb_node *root,
                     nb_table **out, nb_error *err);
    void *payload;
    bool simulates; /* only where nbaspark.debug.stages is set: else it calls nb_exec_run */
} nb_runner;

/* *out: a table of root->schema (for WRITE: of no columns and no rows); owned by the caller. With a delivery it has no rows. */
nb_status nb_exec_run(const nb_exec_ctx *ctx, nb_node *root, nb_table **out, nb_error *err);

#endif
