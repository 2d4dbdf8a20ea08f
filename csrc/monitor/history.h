/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history.h: the applications of a folder of event logs.
 *
 * A thread looks at the folder every few seconds. Of logs that are new or have changed it reads what the list needs (name, times), and keeps that
 * in a small index on disk, so that a restart with thousands of logs reads none of them again. A log is read as a whole when
 * somebody opens its application; what was read stays for a while and goes on from there when the log grows.
 */
#ifndef NB_MONITOR_HISTORY_H
#define NB_MONITOR_HISTORY_H

#include "monitor/site.h"

typedef struct nb_history nb_history;

typedef struct nb_history_options {
    const char *dir;
    const char *index; /* file; NULL: .nbaspark-history in dir, if that can be written; "": none */
    int poll_ms;       /* 0: 5000 */
    size_t app_memory; /* bytes that one application may take; 0: 1 GiB */
} nb_history_options;

/* Looks at the folder once before it returns. */
nb_status nb_history_open(const nb_history_options *options, nb_history **out, nb_error *err);
void nb_history_close(nb_history *h);
/* A site over h; it lives as long as h does. */
const nb_site *nb_history_site(const nb_history *h);
/* Looks now, instead of at the next time. */
void nb_history_poll(nb_history *h);

int nb_history_main(int argc, char **argv);

#endif
