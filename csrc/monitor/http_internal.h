/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_internal.h: a request as it has been read, and what is made of it, without the connection it came by: for http.c and for tests.
 *
 *     nb_http_admit when the head is there → the body is read and thrown away → nb_http_respond
 */
#ifndef NB_MONITOR_HTTP_INTERNAL_H
#define NB_MONITOR_HTTP_INTERNAL_H

#include "base/arena.h"
#include "monitor/http.h"

#define NB_HTTP_COOKIE_NAME "nbaspark_ui"

typedef enum nb_http_place { NB_HTTP_HEADER, NB_HTTP_ARGUMENT, NB_HTTP_COOKIE } nb_http_place;

struct nb_http_request {
    /* As it was sent, NUL-terminated; NULL: it was not. Names of headers in any case of letters. */
    const char *(*value)(void *head, nb_http_place place, const char *name);
    void *head;
    nb_arena *arena; /* dies with the request */
    bool post;
};

/* What stands before all requests of a listener. */
typedef struct nb_http_gate {
    nb_http_handler handler;
    void *payload;
    nb_str token, post_path; /* may be empty */
    bool check_host;         /* only names of loopback */
} nb_http_gate;

/* Sets request->post. false: *refusal is the answer, and nothing of the body is of interest. */
bool nb_http_admit(const nb_http_gate *gate, nb_http_request *request, const char *method,
                   const char *url, nb_http_answer *refusal);
/* url: with its escapes. The answer is always one: what fails is a 500. Its body and its file are the caller's. */
void nb_http_respond(const nb_http_gate *gate, const nb_http_request *request, const char *url,
                     nb_http_answer *answer, bool *set_cookie);

#endif
