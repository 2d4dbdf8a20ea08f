/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_events_internal.h: what the readers of events share: app_events.c, and app_tasks.c for those of tasks.
 */
#ifndef NB_MONITOR_APP_EVENTS_INTERNAL_H
#define NB_MONITOR_APP_EVENTS_INTERNAL_H

#include <stddef.h>
#include "monitor/app_events.h"

#define NB_APP_TASKS_MOST 100000000 /* that a stage may announce */

/* Fields of a struct T that an event is read into. */
#define NB_EVENT_INT(T, name, member)  {name, NB_FIELD_INT, offsetof(T, member), NULL, NULL}
#define NB_EVENT_TEXT(T, name, member) {name, NB_FIELD_TEXT, offsetof(T, member), NULL, NULL}
#define NB_EVENT_BOOL(T, name, member) {name, NB_FIELD_BOOL, offsetof(T, member), NULL, NULL}
#define NB_EVENT_OBJECT(name, table)   {name, NB_FIELD_OBJECT, 0, table, NULL}
#define NB_EVENT_READ(name, fn)        {name, NB_FIELD_READ, 0, NULL, fn}
#define NB_EVENT_END                   {NULL, NB_FIELD_INT, 0, NULL, NULL}
#define NB_EVENT_NONE                  {"", 0}

/* A copy; empty, and app->full, when there is no memory. */
NB_INLINE nb_str
nb_app_keep_text(nb_app *app, nb_str s)
{
    nb_str kept = nb_app_keep(app, s);

    app->full |= !kept.data;
    return kept.data ? kept : (nb_str){"", 0};
}

NB_INLINE void
nb_app_seen(nb_app *app, int64_t ms)
{
    app->last_event_ms = NB_MAX(app->last_event_ms, ms);
}

NB_INLINE nb_app_job *
nb_app_job_of(const nb_app *app, const nb_app_stage *s)
{
    return s && s->job >= 0 && s->job < app->n_jobs ? app->jobs[s->job] : NULL;
}

/* False: not an event. */
bool nb_app_task_start(nb_app *app, nb_event_reader *r);
bool nb_app_task_end(nb_app *app, nb_event_reader *r);

#endif
