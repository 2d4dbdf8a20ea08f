/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h: the HTTP listener of master, worker, history server and of applications with pages.
 *
 *     nb_http_start(options, handler) → requests come on the listener's threads → nb_http_stop
 *
 * Only GET and HEAD are served, and POST to paths for which the handler is told so. One gate stands before everything, bodies included: the
 * token, when one is set, as `Authorization: Bearer …` or as a cookie that `GET /?token=…` sets. Paths are decoded once and
 * refused when they hold "..", control characters or a NUL. Limits: connections in all and per address, header bytes, seconds until
 * a request's head is complete, seconds without progress and in all, body bytes. `/health` alone answers without the token, and says only that.
 *
 * Every answer carries a strict Content-Security-Policy, nosniff, no-referrer and (except for static files) no-store.
 */
#ifndef NB_MONITOR_HTTP_H
#define NB_MONITOR_HTTP_H

#include "base/error.h"
#include "base/str.h"

typedef struct nb_http nb_http;
typedef struct nb_http_request nb_http_request;

typedef struct nb_http_answer {
    int status;           /* 200 unless set */
    const char *type;     /* literal; "application/json" unless set */
    nb_strbuf body;       /* moved to the listener */
    nb_str fixed;         /* when body is empty: bytes that live as long as the listener */
    int file;             /* in the body's place: a descriptor that is sent and closed; 0: none */
    char file_name[256];  /* attachment; letters, digits and ".-_" only */
    const char *location; /* literal; redirect */
    bool cacheable;       /* static files */
} nb_http_answer;

/* path: decoded, begins with "/". Fills the answer; NB_ERROR/NB_NOMEM give 500. Any thread, many at once. */
typedef nb_status (*nb_http_handler)(void *payload, const nb_http_request *request, nb_str path,
                                     nb_http_answer *answer);

typedef struct nb_http_options {
    const char *host;    /* address or name to bind; NULL: 127.0.0.1 */
    int port;            /* 0: any */
    int port_tries;      /* further ports to try when it is taken */
    nb_str token;        /* empty: open to everybody who can connect */
    bool insecure;       /* an open listener may bind to more than loopback */
    int max_connections; /* 0: 512 */
    int head_seconds;    /* 0: 10 */
    int idle_seconds;    /* 0: 30 */
    int answer_seconds;  /* 0: 120 */
    nb_str post_path;    /* the one path that takes POST; empty: none */
} nb_http_options;

nb_status nb_http_start(const nb_http_options *options, nb_http_handler handler, void *payload,
                        nb_http **out, nb_error *err);
void nb_http_stop(nb_http *http); /* waits for running handlers; NULL is fine */
int nb_http_port(const nb_http *http);

/* A query parameter, decoded; false when absent. *value is borrowed from the request. */
bool nb_http_query(const nb_http_request *request, const char *name, nb_str *value);
/* *value stays as it is when there is no such argument, or an empty one. False: it is no int32. */
bool nb_http_query_int(const nb_http_request *request, const char *name, int64_t *value);
bool nb_http_is_post(const nb_http_request *request);

#endif
