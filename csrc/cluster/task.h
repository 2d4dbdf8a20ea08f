/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.h: runs one task: a fragment with its share of the input.
 *
 * Where rows come from and go to is the caller's: the same code runs tasks in a worker, and in the process that only pretends to be a
 * cluster (simulate.h).
 */
#ifndef NB_CLUSTER_TASK_H
#define NB_CLUSTER_TASK_H

#include "cluster/fragment.h"
#include "cluster/watched.h"

/* A task needs so deep a stack: a thread that has more left runs it itself. */
#define NB_TASK_STACK_BYTES ((size_t)64 << 20)

/* The other end of READ and PUT nodes. */
typedef struct nb_task_io {
    /* Appends to the table what a READ node stands for in this task: by buckets, then in the order of the tasks that filled them. */
    nb_status (*fetch)(void *payload, const nb_node *read, nb_pool *pool, nb_table *into,
                       nb_error *err);
    /* Takes a block for a bucket of this task. Bytes are borrowed. */
    nb_status (*append)(void *payload, int bucket, nb_str block, int64_t n_rows, nb_error *err);
    void *payload;
    bool compress;
} nb_task_io;

typedef struct nb_task_spec {
    nb_str fragment;
    int index,
        n;      /* among the tasks of the same fragment: the share it takes, the bucket it reads */
    int number; /* in its stage */
    bool whole_partitions, by_task; /* see nb_stage_part */
    nb_str write_job,
        write_label; /* of a task that writes files: the job, and a name for this attempt */
} nb_task_spec;

typedef struct nb_task_env {
    nb_pool *pool;
    const nb_cancel_flag *cancel;
    int n_threads, parallelism, batch_rows;
    bool force_spill;
    nb_str spill_dir;
} nb_task_env;

typedef struct nb_task_counts {
    int64_t rows_in, rows_out, bytes_out, bytes_spilled, peak_bytes, ns;
    int64_t rows_fetched;              /* of rows_in: of other tasks */
    int64_t bytes_read, bytes_written; /* of files */
    int64_t operators[NB_TASK_OPERATOR_NUMBERS * NB_TASK_OPERATORS]; /* see watched.h */
    int n_operators;
} nb_task_counts;

/* metrics may be NULL. */
nb_status nb_task_run(const nb_task_env *env, const nb_task_spec *spec, const nb_task_io *io,
                      nb_task_counts *metrics, nb_error *err);

#endif
