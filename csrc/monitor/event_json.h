/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_json.h: one event as a line of Spark's JSON event log (JsonProtocol of Spark 4.2), with the line break.
 */
#ifndef NB_MONITOR_EVENT_JSON_H
#define NB_MONITOR_EVENT_JSON_H

#include "monitor/monitor.h"

typedef struct nb_app_info {
    nb_str id, name, user;
    int64_t start_ms;
    const nb_config *config;
} nb_app_info;

nb_status nb_event_environment(nb_strbuf *out, const nb_app_info *app, nb_error *err);
void nb_event_log_start(nb_strbuf *out);
void nb_event_app_start(nb_strbuf *out, const nb_app_info *app);
void nb_event_app_end(nb_strbuf *out, int64_t now_ms);
void nb_event_executor_added(nb_strbuf *out, const nb_executor_info *x, int64_t now_ms);
void nb_event_executor_removed(nb_strbuf *out, const char *id, const char *reason, int64_t now_ms);
void nb_event_execution_start(nb_strbuf *out, const nb_execution_info *x, int64_t now_ms);
void nb_event_execution_replanned(nb_strbuf *out, const nb_execution_info *x);
void nb_event_execution_end(nb_strbuf *out, int64_t id, const char *error, int64_t now_ms);
void nb_event_metrics(nb_strbuf *out, int64_t execution, const nb_metric_update *updates, int n);
void nb_event_job_start(nb_strbuf *out, const nb_job_info *job, int64_t now_ms);
void nb_event_job_end(nb_strbuf *out, int64_t id, const char *error, int64_t now_ms);
void nb_event_stage_submitted(nb_strbuf *out, const nb_stage_info *stage, const char *pool);
void nb_event_stage_completed(nb_strbuf *out, const nb_stage_info *stage, const char *error,
                              int64_t now_ms);
void nb_event_task_start(nb_strbuf *out, const nb_task_info *task);
void nb_event_task_end(nb_strbuf *out, const nb_task_info *task, const nb_task_metrics *metrics,
                       const nb_metric_update *updates, int n_updates, nb_task_end how,
                       const char *error);

#endif
