/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h: messages for whoever runs the program, on standard error, in the layout of Spark's console log.
 */
#ifndef NB_BASE_LOG_H
#define NB_BASE_LOG_H

#include <stdbool.h>
#include "base/str.h"

typedef enum nb_log_level {
    NB_LOG_ALL,
    NB_LOG_TRACE,
    NB_LOG_DEBUG,
    NB_LOG_INFO,
    NB_LOG_WARN,
    NB_LOG_ERROR,
    NB_LOG_FATAL,
    NB_LOG_OFF,
} nb_log_level;

/* Process-wide; WARN at start, as in Spark's shells. Any thread. */
void nb_log_set_level(nb_log_level level);
bool nb_log_enabled(nb_log_level level);
bool nb_log_level_parse(nb_str name, nb_log_level *out); /* any case */

/* Lines of JSON instead: {"ts": "…Z", "level": …, "logger": …, "message": …}. */
void nb_log_set_json(bool on);

/* One line: "26/11/22 13:05:09 WARN where: text". */
void nb_log(nb_log_level level, const char *where, const char *fmt, ...) NB_PRINTF(3, 4);

#endif
