/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write.h: df.write: jobs, tasks and the commit protocol.
 *
 * nb_write_begin checks mode and target, makes <path>/_temporary/0; each task (a Spark partition) writes part-NNNNN-<uuid>-c000.<ext> below it (with partitionBy:
 * in sub-directories key=value); nb_write_commit moves files into place (overwrite: the old files go last, just before), writes _SUCCESS, removes _temporary; nb_write_abort
 * removes what was written and leaves old data whole. begin/commit/abort from one thread; tasks from any thread, one thread per task.
 */
#ifndef NB_IO_WRITE_H
#define NB_IO_WRITE_H

#include "io/relation.h"

typedef enum nb_save_mode {
    NB_SAVE_ERROR_IF_EXISTS,
    NB_SAVE_APPEND,
    NB_SAVE_OVERWRITE,
    NB_SAVE_IGNORE
} nb_save_mode;

typedef struct nb_write_request {
    nb_str format;
    nb_str path;
    nb_save_mode mode;
    nb_str
        only; /* the directory below path that overwriting replaces, as "p=x/q=1"; data NULL: all of it */
    const nb_option *options;
    int n_options;
    const nb_type *schema; /* STRUCT of the rows that will come */
    const nb_str *partition_by;
    int n_partition_by;
    const nb_session_info *info;
    const nb_cancel_flag *cancel;
} nb_write_request;

typedef struct nb_write_job nb_write_job;
typedef struct nb_write_task nb_write_task;

/* *out NULL with NB_OK: mode ignore and the target exists, nothing to do. */
nb_status nb_write_begin(struct nb_pool *pool, const nb_write_request *request, nb_write_job **out,
                         nb_error *err);
nb_status nb_write_task_open(nb_write_job *job, int partition, nb_write_task **out, nb_error *err);
/* Rows go into their directory's file. A task has no more than some files open at once: rows aside[0..*n_aside) of the batch belong to directories
 * beyond these. They are to be pushed after all others and nb_write_task_sorted. aside has room for all rows; may be NULL without partition_by. */
nb_status nb_write_task_push(nb_write_task *task, nb_batch *batch, uint32_t *aside,
                             int64_t *n_aside, nb_error *err);
/* From now on rows come in the order of the partition columns: one file is open at a time. */
nb_status nb_write_task_sorted(nb_write_task *task, nb_error *err);
/* Closes all files. Rows that come all the same go into further ones. */
nb_status nb_write_task_rest(nb_write_task *task, nb_error *err);
nb_status
nb_write_task_close(nb_write_task *task, nb_error *err); /* frees the task, also on failure */
void nb_write_task_abort(nb_write_task *task);
/* Positions of the partition columns in the schema, in their order. */
const int *nb_write_partition_columns(const nb_write_job *job, int *n);
nb_status nb_write_commit(nb_write_job *job, nb_error *err); /* frees the job on success */
void nb_write_abort(nb_write_job *job);                      /* frees the job */

/* ---- tasks in other processes ----
 * The driver begins the job and shares it. A task's attempt (a label of its own: letters, digits, dots) attaches to it, writes below a
 * directory of its own, and detaches; the driver accepts one attempt per task, and commits. What was not accepted goes with
 * _temporary. An attempt that comes to life after that finds its directory gone, and fails. */
nb_status nb_write_share(nb_write_job *job, nb_error *err);
const char *nb_write_job_uuid(const nb_write_job *job);
nb_status nb_write_accept(nb_write_job *job, nb_str label, nb_error *err);
nb_status nb_write_attach(struct nb_pool *pool, const nb_write_request *request, nb_str uuid,
                          nb_str label, nb_write_job **out, nb_error *err);
void
nb_write_detach(nb_write_job *job, bool keep); /* frees the job; !keep: and removes its files */

#endif
