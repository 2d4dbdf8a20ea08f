/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest.h: one application in the JSON of Spark's REST interface (/api/v1/applications/<id>/…), and what our pages want besides.
 *
 * The application is locked by the caller. Answers are filled; what is not there gives a status of 404 with Spark's words.
 */
#ifndef NB_MONITOR_REST_H
#define NB_MONITOR_REST_H

#include "monitor/app.h"
#include "monitor/http.h"
#include "monitor/json_out.h"

/* path: what stands behind the application ("jobs", "stages/3/0/taskList"), without a slash at its ends. */
nb_status
nb_rest_app(nb_app *app, const nb_http_request *request, nb_str path, nb_http_answer *answer);

/* Answers with a status and plain text. */
nb_status nb_rest_refuse(nb_http_answer *answer, int status, const char *fmt, ...) NB_PRINTF(3, 4);

/* rest_stage.c */
nb_status
nb_rest_stages(nb_app *app, const nb_http_request *request, nb_str path, nb_http_answer *answer);
/* rest_sql.c */
nb_status
nb_rest_sql(nb_app *app, const nb_http_request *request, nb_str path, nb_http_answer *answer);
/* The same with everything that pages draw: text of nodes, numbers instead of words. */
nb_status nb_rest_graph(nb_app *app, nb_str path, nb_http_answer *answer);

/* An argument that is one of some words (NULL ends them), in any case; "" when it is missing or empty. False: it is none of them, for which
 * Spark says 404. */
bool nb_rest_query_word(const nb_http_request *request, const char *name, const char *const *words,
                        nb_str *out);
/* The next part of a path, which is shortened by it; {"", 0} at the end. */
nb_str nb_rest_part(nb_str *path);
const char *nb_run_state_name(nb_run_state state, bool of_job);
/* {"reason": 1} of killed tasks */
void nb_rest_killed(nb_json_out *o, nb_str reason, int n);
/* Executor metrics of a JVM: there, and zero. */
void nb_rest_jvm_metrics(nb_json_out *o, const char *key);

#endif
