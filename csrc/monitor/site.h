/* SPDX-License-Identifier: Apache-2.0 */
/*
 * site.h: what a process shows over HTTP: pages, REST and metrics. The history server and running applications fill an nb_site, and
 * nb_monitor_serve (monitor.h) does it for masters and workers; nb_site_handle with it goes to nb_http_start.
 *
 *   /                              pages (static files; everything they show comes from below)
 *   /api/v1/version                Spark's, as all of /api/v1
 *   /api/v1/applications[/…]       list_apps, open_app
 *   /api/v1/applications/<id>/logs send_log
 *   /api/v1/site                   what the pages need to know of the process
 *   /api/v1/workers                list_workers
 *   /metrics                       Prometheus
 *
 * All functions are called from the listener's threads, several at once; those that are NULL are not there (404).
 */
#ifndef NB_MONITOR_SITE_H
#define NB_MONITOR_SITE_H

#include "monitor/app.h"
#include "monitor/http.h"
#include "monitor/json_out.h"
#include "monitor/monitor.h"

typedef enum nb_site_kind {
    NB_SITE_HISTORY,
    NB_SITE_MASTER,
    NB_SITE_WORKER,
    NB_SITE_APP,
} nb_site_kind;

/* One application in a list. Text is borrowed; NULL-data text is left out. */
typedef struct nb_site_app {
    nb_str id, attempt, name, user, version;
    int64_t started_ms, ended_ms, updated_ms; /* ended 0: not yet */
    bool completed;
    nb_str source;     /* of the log; may be empty */
    nb_str problem;    /* what is wrong with the log */
    int64_t log_bytes; /* -1: not known */
    int cores;         /* that it has now; -1: not known */
    int64_t memory;    /* per executor; -1: not known */
    nb_str url;        /* of its own pages; empty: ours */
} nb_site_app;

/* Receives what is listed; borrowed from the caller of list_*. */
typedef void (*nb_site_emit_app)(void *to, const nb_site_app *app);

typedef struct nb_site {
    nb_site_kind kind;
    const char *title;    /* "spark://host:7077", a folder …; shown */
    const char *main_app; /* NB_SITE_APP: the id of the only one */
    void *payload;
    nb_status (*list_apps)(void *payload, nb_site_emit_app emit, void *to);
    /* The application, locked, or NULL when there is none; given back by close_app, which unlocks it. attempt may be empty. */
    nb_app *(*open_app)(void *payload, nb_str id, nb_str attempt);
    void (*close_app)(void *payload, nb_app *app);
    /* Fills answer->file and file_name, or the body. NB_DONE: there is none. */
    nb_status (*send_log)(void *payload, nb_str id, nb_str attempt, nb_http_answer *answer);
    nb_status (*list_workers)(void *payload, nb_monitor_emit_worker emit, void *to);
    bool (*app_use)(void *payload, nb_str app_id, int *cores, int64_t *memory); /* may be NULL */
    /* Adds lines of the Prometheus text format; nb_monitor_metric helps. */
    void (*metrics)(void *payload, nb_strbuf *out);
    /* POST /api/v1/kill?app=…&execution=…: only with the token; see nb_http_options.post_path. False: it does not run. */
    bool (*kill)(void *payload, nb_str app_id, int64_t execution);
} nb_site;

nb_status
nb_site_handle(void *site, const nb_http_request *request, nb_str path, nb_http_answer *answer);

/* Memory, descriptors, CPU time and start of this process, under Prometheus' usual names. */
void nb_site_process_metrics(nb_strbuf *out);

#endif
