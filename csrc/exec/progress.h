/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress.h: how far a query is: its stages, how many of their tasks are done, for a client that waits for it.
 *
 * Stages are numbered as they begin. Any thread may tell and ask. All functions take NULL and then do nothing: nobody asks. What no longer fits
 * (a query of thousands of stages, no memory) is left out: progress is shown, nothing depends on it.
 */
#ifndef NB_EXEC_PROGRESS_H
#define NB_EXEC_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct nb_progress nb_progress;

typedef struct nb_progress_stage {
    int64_t n_tasks, n_done, n_running;
    int64_t bytes_read;
    bool done;
} nb_progress_stage;

nb_progress *nb_progress_new(void); /* NULL when out of memory */
void nb_progress_free(nb_progress *p);

/* A stage of so many tasks begins; its number, -1 when it is left out, which the other functions take as well. */
int nb_progress_begin(nb_progress *p, int n_tasks);
void nb_progress_task_begin(nb_progress *p, int stage);
/* done: false when the task has failed or was given up. */
void nb_progress_task_end(nb_progress *p, int stage, bool done);
void nb_progress_read(nb_progress *p, int stage, int64_t n_bytes);
void nb_progress_end(nb_progress *p, int stage);

/* Copies the first stages, at most max; returns how many. */
int nb_progress_stages(nb_progress *p, nb_progress_stage *out, int max);

#endif
