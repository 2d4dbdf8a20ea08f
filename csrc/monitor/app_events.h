/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_events.h: what an event does to what is known of an application (app_events.c, app_plan.c).
 */
#ifndef NB_MONITOR_APP_EVENTS_H
#define NB_MONITOR_APP_EVENTS_H

#include "monitor/app.h"
#include "monitor/event_read.h"

/* Reads the events of SQL executions. False: not an event. */
bool nb_app_execution_started(nb_app *app, nb_event_reader *r);
bool nb_app_execution_replanned(nb_app *app, nb_event_reader *r);
bool nb_app_execution_ended(nb_app *app, nb_event_reader *r);
bool nb_app_driver_metrics(nb_app *app, nb_event_reader *r);
/* A metric was counted; stage -1: by the driver. */
void
nb_app_count(nb_app *app, int64_t id, int64_t value, int64_t stage, int64_t attempt, int64_t task);

#endif
