/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.h: the pages of an application that runs in this process (spark.ui.enabled, when it is set explicitly).
 *
 * The events that go to the log go here too, and make the same nb_app as a log does: pages of running and of finished
 * applications are the same pages. It listens on loopback only, at spark.ui.port or one of the 16 behind it.
 *
 * Events become part of that when pages ask. Until then the latest NOTES_BYTES of them are kept as they are; older ones of queries that have ended are
 * dropped, so a page that nobody has looked at for thousands of short queries shows the last of them.
 *
 * In a process that serves pages for all its applications (a master: nb_monitor_serve) they are kept in a list instead, running and lately
 * finished ones, and do not listen themselves.
 */
#ifndef NB_MONITOR_LIVE_H
#define NB_MONITOR_LIVE_H

#include "base/config.h"
#include "monitor/note.h"

typedef struct nb_live nb_live;

/* Does this process serve pages of all its applications? */
bool nb_live_is_kept(void);

nb_status nb_live_start(const nb_config *config, const char *app_id, nb_live **out, nb_error *err);
void nb_live_stop(nb_live *live); /* NULL is fine; a kept one stays in the list for a while */
void nb_live_take(nb_live *live, nb_str line);
/* The same for an event that is not a line yet. */
void nb_live_note(nb_live *live, const nb_note *note);
const char *nb_live_url(const nb_live *live);

#endif
