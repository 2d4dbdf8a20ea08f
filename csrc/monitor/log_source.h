/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_source.h: the lines of an event log, as far as it has been written.
 *
 * A log is a file, or a folder eventlog_v2_* in which Spark rolls (events_1_<application>, events_2_…). A source goes on where it was
 * when the log has grown, also in the middle of a compressed stream. Memory: one line, at most NB_LOG_LINE_MOST; longer ones are
 * skipped. Files are opened without following a symbolic link.
 */
#ifndef NB_MONITOR_LOG_SOURCE_H
#define NB_MONITOR_LOG_SOURCE_H

#include "base/error.h"
#include "base/str.h"

#define NB_LOG_LINE_MOST ((size_t)64 << 20)

typedef struct nb_log_source nb_log_source;

/* path is copied; nothing is opened yet. NULL when out of memory. */
nb_log_source *nb_log_source_new(const char *path);
void nb_log_source_free(nb_log_source *s);

/* Is the name that of a log (a file, or a folder of one)? Hidden files and others are not. */
bool nb_log_source_is_log(const char *name, bool is_dir);

/* Calls fn for each line that is there, without line breaks; stops when fn returns false. `last` says whether the log is complete: then a
 * last line without line break is given too. NB_ERROR: it cannot be read on; *why (borrowed) says why, and what follows is lost. */
nb_status nb_log_source_read(nb_log_source *s, bool last, bool (*fn)(void *payload, nb_str line),
                             void *payload, const char **why);
int64_t nb_log_source_line(const nb_log_source *s);  /* number of the last line given, from 1 */
int64_t nb_log_source_bytes(const nb_log_source *s); /* of text, read so far */

#endif
