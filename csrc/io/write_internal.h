/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_internal.h: what the parts of a write job share: write.c (begins it), write_task.c (fills it), write_commit.c (ends it).
 */
#ifndef NB_IO_WRITE_INTERNAL_H
#define NB_IO_WRITE_INTERNAL_H

#include "io/format.h"

struct nb_write_job {
    nb_pool *pool;
    nb_arena *arena;
    const nb_format *format;
    void *payload;
    const char *extension;
    nb_save_mode mode;
    nb_session_info info;
    char *path, *staging;
    char *attempts; /* where attempts of other processes write; NULL: there are none */
    char uuid[40];
    bool made_target;
    char *aside;              /* where old files wait until the new ones are in place */
    struct moved_file *moved; /* what commit has put in place, the latest first */
    const nb_type *schema;
    int n_data, n_partition;
    int *data_columns, *partition_columns; /* positions in schema */
    const char **partition_names;          /* escaped */
    int64_t max_records;
    char *only;              /* nb_write_request.only; NULL: none */
    bool dynamic;            /* overwrite takes away only the partitions that are written */
    atomic_int first_opened; /* has partition 0 written a file? */
};

/* The job as it follows from the request alone. */
nb_status
nb_write_job_new(nb_pool *pool, const nb_write_request *rq, nb_write_job **out, nb_error *err);
/* What the job has put below _temporary goes, and those directories of it that nobody else uses. */
void nb_write_remove_temporary(nb_write_job *job);

#endif
