/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_log.h: the file that an application's events go to.
 *
 *     open → add … → close
 *
 * <dir>/<application>[.zstd|.lz4].inprogress, one JSON object a line; close gives it its name without ".inprogress". After an event that
 * asks for it all events so far are with the kernel, so that a process that dies leaves a log that can be read up to there.
 *
 * A log that rolls is a folder instead (spark.eventLog.rolling.*):
 *     <dir>/eventlog_v2_<application>/appstatus_<application>[.inprogress]      empty: its name says whether the application runs
 *                                     events_1_<application>[.zstd|.lz4], events_2_…    each a stream of its own
 */
#ifndef NB_MONITOR_EVENT_LOG_H
#define NB_MONITOR_EVENT_LOG_H

#include "base/config.h"

typedef struct nb_event_log nb_event_log;

/* The folder, codec and whether to overwrite come from the configuration (spark.eventLog.*). */
nb_status
nb_event_log_open(const nb_config *config, nb_str app_id, nb_event_log **out, nb_error *err);
/* line ends with a line break. One thread at a time. */
void nb_event_log_add(nb_event_log *log, nb_str line, bool flush);
void nb_event_log_close(nb_event_log *log);

/* "file:///a/b", "file:/a/b", "/a/b" → "/a/b"; false for other schemes. *path is a part of `uri`. */
bool nb_event_log_path(nb_str uri, nb_str *path);

#endif
