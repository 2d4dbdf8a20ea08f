/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note.h: one event as it was reported, before it is a line of text.
 *
 * A line is made when somebody needs it: the log at once, pages when they are looked at. A note that is kept is a copy in an arena.
 */
#ifndef NB_MONITOR_NOTE_H
#define NB_MONITOR_NOTE_H

#include "base/arena.h"
#include "monitor/monitor.h"

typedef enum nb_note_kind {
    NB_NOTE_APP_ENDED,
    NB_NOTE_EXECUTION_STARTED,
    NB_NOTE_EXECUTION_REPLANNED,
    NB_NOTE_EXECUTION_ENDED,
    NB_NOTE_METRICS,
    NB_NOTE_JOB_STARTED,
    NB_NOTE_JOB_ENDED,
    NB_NOTE_STAGE_SUBMITTED,
    NB_NOTE_STAGE_COMPLETED,
    NB_NOTE_TASK_STARTED,
    NB_NOTE_TASK_ENDED,
} nb_note_kind;

/* Each kind has those of these that its call in monitor.h has. Pointers are borrowed, or the arena's. */
typedef struct nb_note {
    nb_note_kind kind;
    int64_t ms; /* when it was reported */
    int64_t id; /* of an execution or job */
    const nb_execution_info *execution;
    const nb_job_info *job;
    const nb_stage_info *stage;
    const nb_task_info *task;
    const nb_task_metrics *metrics;
    const nb_metric_update *updates;
    int n_updates;
    nb_task_end how;
    const char *error;
} nb_note;

/* Adds its line. */
void nb_note_write(const nb_note *note, nb_strbuf *out);
/* A copy in the arena; NULL when out of memory. */
nb_note *nb_note_copy(nb_arena *arena, const nb_note *note);

#endif
