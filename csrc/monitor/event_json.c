/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_json.c: see event_json.h.
 *
 * Names and order of the fields are those that Spark 4.2 writes; its reader takes most of them for granted. What has no meaning without
 * a JVM (garbage collection, RDDs) is there with zeros or empty lists.
 */
#include "monitor/event_json.h"

#include "expr/json.h"
#include "expr/regex.h"

#define SQL_EVENT(name) "{\"Event\":\"org.apache.spark.sql.execution.ui.SparkListener" name "\""
#define EVENT(name)     "{\"Event\":\"SparkListener" name "\""

static void
add_text(nb_strbuf *out, const char *key, nb_str value)
{
    nb_strbuf_addf(out, ",\"%s\":", key);
    nb_json_put_string(out, value);
}

static void
add_int(nb_strbuf *out, const char *key, int64_t value)
{
    nb_strbuf_addf(out, ",\"%s\":%lld", key, (long long)value);
}

static void
end(nb_strbuf *out)
{
    nb_strbuf_adds(out, "}\n");
}

/* ---- application ----------------------------------------------------------------------------- */

void
nb_event_log_start(nb_strbuf *out)
{
    nb_strbuf_adds(out, EVENT("LogStart") ",\"Spark Version\":\"4.2.0\"}\n");
}

/* A value that the pattern finds something in, or in its key, is not shown. */
static nb_status
add_property(nb_strbuf *out, nb_regex_use *secret, nb_str key, nb_str value, bool first,
             nb_error *err)
{
    bool hide = false;

    NB_TRY(nb_regex_match(secret, key, 0, &hide, err));
    if (!hide) {
        NB_TRY(nb_regex_match(secret, value, 0, &hide, err));
    }
    nb_strbuf_adds(out, first ? "" : ",");
    nb_json_put_string(out, key);
    nb_strbuf_addc(out, ':');
    nb_json_put_string(out, hide ? NB_STR("*********(redacted)") : value);
    return NB_OK;
}

nb_status
nb_event_environment(nb_strbuf *out, const nb_app_info *app, nb_error *err)
{
    nb_regex_use secret = {0};
    nb_str key, value;
    nb_status st;

    nb_strbuf_adds(
        out, EVENT("EnvironmentUpdate") ",\"JVM Information\":{\"Java Home\":\"\",\"Java "
                                        "Version\":\"none (nbaspark " NB_VERSION
                                        ")\",\"Scala Version\":\"none\"},\"Spark Properties\":{");
    NB_TRY_GOTO(st,
                nb_regex_use_pattern(&secret, nb_config_str(app->config, NB_CONF_REDACTION_REGEX),
                                     NB_STR("spark.redaction.regex"), err),
                done);
    for (int i = 0; nb_config_at(app->config, i, &key, &value); i++) {
        NB_TRY_GOTO(st, add_property(out, &secret, key, value, i == 0, err), done);
    }
    nb_strbuf_adds(out,
                   "},\"Hadoop Properties\":{},\"System Properties\":{},\"Metrics Properties\":{},"
                   "\"Classpath Entries\":{}}\n");
done:
    nb_regex_done(&secret);
    return st;
}

void
nb_event_app_start(nb_strbuf *out, const nb_app_info *app)
{
    nb_strbuf_adds(out, EVENT("ApplicationStart"));
    add_text(out, "App Name", app->name);
    add_text(out, "App ID", app->id);
    add_int(out, "Timestamp", app->start_ms);
    add_text(out, "User", app->user);
    end(out);
}

void
nb_event_app_end(nb_strbuf *out, int64_t now_ms)
{
    nb_strbuf_adds(out, EVENT("ApplicationEnd"));
    add_int(out, "Timestamp", now_ms);
    end(out);
}

void
nb_event_executor_added(nb_strbuf *out, const nb_executor_info *x, int64_t now_ms)
{
    nb_strbuf_adds(out, EVENT("ExecutorAdded"));
    add_int(out, "Timestamp", now_ms);
    add_text(out, "Executor ID", nb_str_of(x->id));
    nb_strbuf_adds(out, ",\"Executor Info\":{\"Host\":");
    nb_json_put_string(out, nb_str_of(x->host));
    add_int(out, "Total Cores", x->n_cores);
    nb_strbuf_adds(
        out, ",\"Log Urls\":{},\"Attributes\":{},\"Resources\":{},\"Resource Profile Id\":0}}\n");
    nb_strbuf_adds(out, EVENT("BlockManagerAdded") ",\"Block Manager ID\":{\"Executor ID\":");
    nb_json_put_string(out, nb_str_of(x->id));
    add_text(out, "Host", nb_str_of(x->host));
    add_int(out, "Port", x->port > 0 ? x->port : 1); /* Spark's reader refuses 0 */
    nb_strbuf_addc(out, '}');
    add_int(out, "Maximum Memory", x->memory);
    add_int(out, "Timestamp", now_ms);
    add_int(out, "Maximum Onheap Memory", x->memory);
    add_int(out, "Maximum Offheap Memory", 0);
    end(out);
}

void
nb_event_executor_removed(nb_strbuf *out, const char *id, const char *reason, int64_t now_ms)
{
    nb_strbuf_adds(out, EVENT("ExecutorRemoved"));
    add_int(out, "Timestamp", now_ms);
    add_text(out, "Executor ID", nb_str_of(id));
    add_text(out, "Removed Reason", nb_str_of(reason));
    end(out);
}

/* ---- executions ------------------------------------------------------------------------------ */

static void
add_plan(nb_strbuf *out, const nb_plan_info *p)
{
    static const char *const types[] = {
        [NB_METRIC_SUM] = "sum",
        [NB_METRIC_SIZE] = "size",
        [NB_METRIC_TIMING] = "timing",
        [NB_METRIC_NS] = "nsTiming",
    };

    nb_strbuf_adds(out, "{\"nodeName\":");
    nb_json_put_string(out, p->name);
    add_text(out, "simpleString", p->text);
    nb_strbuf_adds(out, ",\"children\":[");
    for (int i = 0; i < p->n_children; i++) {
        nb_strbuf_adds(out, i ? "," : "");
        add_plan(out, &p->children[i]);
    }
    nb_strbuf_adds(out, "],\"metadata\":{},\"metrics\":[");
    for (int i = 0; i < p->n_metrics; i++) {
        nb_strbuf_adds(out, i ? ",{\"name\":" : "{\"name\":");
        nb_json_put_string(out, nb_str_of(p->metrics[i].name));
        add_int(out, "accumulatorId", p->metrics[i].id);
        nb_strbuf_addf(out, ",\"metricType\":\"%s\"}", types[p->metrics[i].type]);
    }
    nb_strbuf_adds(out, "]}");
}

void
nb_event_execution_start(nb_strbuf *out, const nb_execution_info *x, int64_t now_ms)
{
    nb_strbuf_adds(out, SQL_EVENT("SQLExecutionStart"));
    add_int(out, "executionId", x->id);
    add_int(out, "rootExecutionId", x->root_id);
    add_text(out, "description", x->description);
    add_text(out, "details", x->details);
    add_text(out, "physicalPlanDescription", x->plan);
    nb_strbuf_adds(out, ",\"sparkPlanInfo\":");
    add_plan(out, x->root);
    add_int(out, "time", now_ms);
    nb_strbuf_adds(out, ",\"modifiedConfigs\":{},\"jobTags\":[],\"jobGroupId\":null}\n");
}

void
nb_event_execution_replanned(nb_strbuf *out, const nb_execution_info *x)
{
    nb_strbuf_adds(out, SQL_EVENT("SQLAdaptiveExecutionUpdate"));
    add_int(out, "executionId", x->id);
    add_text(out, "physicalPlanDescription", x->plan);
    nb_strbuf_adds(out, ",\"sparkPlanInfo\":");
    add_plan(out, x->root);
    end(out);
}

void
nb_event_execution_end(nb_strbuf *out, int64_t id, const char *error, int64_t now_ms)
{
    nb_strbuf_adds(out, SQL_EVENT("SQLExecutionEnd"));
    add_int(out, "executionId", id);
    add_int(out, "time", now_ms);
    add_text(out, "errorMessage", nb_str_of(error ? error : ""));
    end(out);
}

void
nb_event_metrics(nb_strbuf *out, int64_t execution, const nb_metric_update *updates, int n)
{
    nb_strbuf_adds(out, SQL_EVENT("DriverAccumUpdates"));
    add_int(out, "executionId", execution);
    nb_strbuf_adds(out, ",\"accumUpdates\":[");
    for (int i = 0; i < n; i++) {
        nb_strbuf_addf(out, "%s[%lld,%lld]", i ? "," : "", (long long)updates[i].id,
                       (long long)updates[i].value);
    }
    nb_strbuf_adds(out, "]}\n");
}

/* ---- jobs and stages --------------------------------------------------------------------------- */

static void
add_stage(nb_strbuf *out, const nb_stage_info *s, const char *error, int64_t completed_ms)
{
    nb_strbuf_addf(out, "{\"Stage ID\":%lld", (long long)s->id);
    add_int(out, "Stage Attempt ID", s->attempt);
    add_text(out, "Stage Name", s->name);
    add_int(out, "Number of Tasks", s->n_tasks);
    nb_strbuf_adds(out, ",\"RDD Info\":[],\"Parent IDs\":[");
    for (int i = 0; i < s->n_parents; i++) {
        nb_strbuf_addf(out, "%s%lld", i ? "," : "", (long long)s->parents[i]);
    }
    nb_strbuf_addc(out, ']');
    add_text(out, "Details", s->details);
    if (s->submitted_ms > 0) {
        add_int(out, "Submission Time", s->submitted_ms);
    }
    if (completed_ms > 0) {
        add_int(out, "Completion Time", completed_ms);
    }
    if (error) {
        add_text(out, "Failure Reason", nb_str_of(error));
    }
    nb_strbuf_adds(out,
                   ",\"Accumulables\":[],\"Resource Profile Id\":0,\"Shuffle Push Enabled\":false,"
                   "\"Shuffle Push Mergers Count\":0}");
}

void
nb_event_job_start(nb_strbuf *out, const nb_job_info *job, int64_t now_ms)
{
    bool some = false;

    nb_strbuf_adds(out, EVENT("JobStart"));
    add_int(out, "Job ID", job->id);
    add_int(out, "Submission Time", now_ms);
    nb_strbuf_adds(out, ",\"Stage Infos\":[");
    for (int i = 0; i < job->n_stages; i++) {
        nb_strbuf_adds(out, i ? "," : "");
        add_stage(out, &job->stages[i], NULL, 0);
    }
    nb_strbuf_adds(out, "],\"Stage IDs\":[");
    for (int i = 0; i < job->n_stages; i++) {
        nb_strbuf_addf(out, "%s%lld", i ? "," : "", (long long)job->stages[i].id);
    }
    nb_strbuf_adds(out, "],\"Properties\":{");
    if (job->execution >= 0) {
        nb_strbuf_addf(out, "\"spark.sql.execution.id\":\"%lld\"", (long long)job->execution);
        some = true;
    }
    if (job->description.len > 0) {
        nb_strbuf_addf(out, "%s\"spark.job.description\":", some ? "," : "");
        nb_json_put_string(out, job->description);
        some = true;
    }
    if (job->pool.len > 0) {
        nb_strbuf_addf(out, "%s\"spark.scheduler.pool\":", some ? "," : "");
        nb_json_put_string(out, job->pool);
    }
    nb_strbuf_adds(out, "}}\n");
}

void
nb_event_job_end(nb_strbuf *out, int64_t id, const char *error, int64_t now_ms)
{
    nb_strbuf_adds(out, EVENT("JobEnd"));
    add_int(out, "Job ID", id);
    add_int(out, "Completion Time", now_ms);
    if (error) {
        nb_strbuf_adds(out,
                       ",\"Job Result\":{\"Result\":\"JobFailed\",\"Exception\":{\"Message\":");
        nb_json_put_string(out, nb_str_of(error));
        nb_strbuf_adds(out, ",\"Stack Trace\":[]}}}\n");
    } else {
        nb_strbuf_adds(out, ",\"Job Result\":{\"Result\":\"JobSucceeded\"}}\n");
    }
}

void
nb_event_stage_submitted(nb_strbuf *out, const nb_stage_info *stage, const char *pool)
{
    nb_strbuf_adds(out, EVENT("StageSubmitted") ",\"Stage Info\":");
    add_stage(out, stage, NULL, 0);
    nb_strbuf_adds(out, ",\"Properties\":{");
    if (pool && *pool) {
        nb_strbuf_adds(out, "\"spark.scheduler.pool\":");
        nb_json_put_string(out, nb_str_of(pool));
    }
    nb_strbuf_adds(out, "}}\n");
}

void
nb_event_stage_completed(nb_strbuf *out, const nb_stage_info *stage, const char *error,
                         int64_t now_ms)
{
    nb_strbuf_adds(out, EVENT("StageCompleted") ",\"Stage Info\":");
    add_stage(out, stage, error, now_ms);
    end(out);
}

/* ---- tasks ----------------------------------------------------------------------------------- */

static void
add_task(nb_strbuf *out, const nb_task_info *t, const nb_metric_update *updates, int n,
         nb_task_end how)
{
    nb_strbuf_addf(out, ",\"Task Info\":{\"Task ID\":%lld", (long long)t->id);
    add_int(out, "Index", t->index);
    add_int(out, "Attempt", t->attempt);
    add_int(out, "Partition ID", t->index);
    add_int(out, "Launch Time", t->launched_ms);
    add_text(out, "Executor ID", nb_str_of(t->executor));
    add_text(out, "Host", nb_str_of(t->host));
    add_text(out, "Locality", nb_str_of(t->locality ? t->locality : "PROCESS_LOCAL"));
    nb_strbuf_addf(out, ",\"Speculative\":%s,\"Getting Result Time\":0",
                   t->speculative ? "true" : "false");
    add_int(out, "Finish Time", t->finished_ms);
    nb_strbuf_addf(out, ",\"Failed\":%s,\"Killed\":%s,\"Accumulables\":[",
                   how == NB_TASK_SUCCEEDED || how == NB_TASK_KILLED ? "false" : "true",
                   how == NB_TASK_KILLED ? "true" : "false");
    for (int i = 0; i < n; i++) {
        nb_strbuf_addf(out, "%s{\"ID\":%lld", i ? "," : "", (long long)updates[i].id);
        add_text(out, "Name", nb_str_of(updates[i].name));
        nb_strbuf_addf(out,
                       ",\"Update\":\"%lld\",\"Value\":\"%lld\",\"Internal\":true,"
                       "\"Count Failed Values\":true,\"Metadata\":\"sql\"}",
                       (long long)updates[i].value, (long long)updates[i].value);
    }
    nb_strbuf_adds(out, "]}");
}

void
nb_event_task_start(nb_strbuf *out, const nb_task_info *t)
{
    nb_strbuf_adds(out, EVENT("TaskStart"));
    add_int(out, "Stage ID", t->stage);
    add_int(out, "Stage Attempt ID", t->stage_attempt);
    add_task(out, t, NULL, 0, NB_TASK_SUCCEEDED);
    end(out);
}

static void
add_reason(nb_strbuf *out, const nb_task_info *t, nb_task_end how, const char *error)
{
    nb_str text = nb_str_of(error ? error : "");

    nb_strbuf_adds(out, ",\"Task End Reason\":{\"Reason\":");
    switch (how) {
    case NB_TASK_SUCCEEDED: nb_strbuf_adds(out, "\"Success\"}"); return;
    case NB_TASK_KILLED:
        nb_strbuf_adds(out, "\"TaskKilled\"");
        add_text(out, "Kill Reason", text);
        nb_strbuf_adds(out, ",\"Accumulator Updates\":[]}");
        return;
    case NB_TASK_LOST:
        nb_strbuf_adds(out, "\"ExecutorLostFailure\"");
        add_text(out, "Executor ID", nb_str_of(t->executor));
        nb_strbuf_adds(out, ",\"Exit Caused By App\":true");
        add_text(out, "Loss Reason", text);
        nb_strbuf_addc(out, '}');
        return;
    default:
        nb_strbuf_adds(out, "\"ExceptionFailure\"");
        add_text(out, "Class Name",
                 how == NB_TASK_FETCH_FAILED
                     ? NB_STR("org.apache.spark.shuffle.FetchFailedException")
                     : NB_STR("org.apache.spark.SparkException"));
        add_text(out, "Description", text);
        nb_strbuf_adds(out, ",\"Stack Trace\":[]");
        add_text(out, "Full Stack Trace", text);
        nb_strbuf_adds(out, ",\"Accumulator Updates\":[]}");
    }
}

static void
add_metrics(nb_strbuf *out, const nb_task_metrics *m)
{
    nb_strbuf_addf(out, ",\"Task Metrics\":{\"Executor Deserialize Time\":%lld",
                   (long long)m->setup_ms);
    add_int(out, "Executor Deserialize CPU Time", m->setup_cpu_ns);
    add_int(out, "Executor Run Time", m->run_ms);
    add_int(out, "Executor CPU Time", m->cpu_ns);
    add_int(out, "Peak Execution Memory", m->peak_memory);
    add_int(out, "Peak On Heap Execution Memory", m->peak_memory);
    add_int(out, "Peak Off Heap Execution Memory", 0);
    add_int(out, "Result Size", m->result_bytes);
    add_int(out, "JVM GC Time", 0);
    add_int(out, "Result Serialization Time", m->result_ms);
    add_int(out, "Memory Bytes Spilled", m->memory_spilled);
    add_int(out, "Disk Bytes Spilled", m->disk_spilled);
    nb_strbuf_addf(out, ",\"Shuffle Read Metrics\":{\"Remote Blocks Fetched\":%lld",
                   (long long)m->shuffle_remote_blocks);
    add_int(out, "Local Blocks Fetched", m->shuffle_local_blocks);
    add_int(out, "Fetch Wait Time", m->shuffle_wait_ms);
    add_int(out, "Remote Bytes Read", m->shuffle_remote_bytes);
    add_int(out, "Remote Bytes Read To Disk", 0);
    add_int(out, "Local Bytes Read", m->shuffle_local_bytes);
    add_int(out, "Total Records Read", m->shuffle_read_rows);
    add_int(out, "Remote Requests Duration", 0);
    nb_strbuf_adds(out, "},\"Shuffle Write Metrics\":{\"Shuffle Bytes Written\":");
    nb_strbuf_addf(out, "%lld", (long long)m->shuffle_written_bytes);
    add_int(out, "Shuffle Write Time", m->shuffle_write_ns);
    add_int(out, "Shuffle Records Written", m->shuffle_written_rows);
    nb_strbuf_addf(out, "},\"Input Metrics\":{\"Bytes Read\":%lld", (long long)m->input_bytes);
    add_int(out, "Records Read", m->input_rows);
    nb_strbuf_addf(out, "},\"Output Metrics\":{\"Bytes Written\":%lld", (long long)m->output_bytes);
    add_int(out, "Records Written", m->output_rows);
    nb_strbuf_adds(out, "},\"Updated Blocks\":[]}");
}

void
nb_event_task_end(nb_strbuf *out, const nb_task_info *t, const nb_task_metrics *metrics,
                  const nb_metric_update *updates, int n_updates, nb_task_end how,
                  const char *error)
{
    nb_strbuf_adds(out, EVENT("TaskEnd"));
    add_int(out, "Stage ID", t->stage);
    add_int(out, "Stage Attempt ID", t->stage_attempt);
    add_text(out, "Task Type", t->shuffle_map ? NB_STR("ShuffleMapTask") : NB_STR("ResultTask"));
    add_reason(out, t, how, error);
    add_task(out, t, updates, n_updates, how);
    nb_strbuf_adds(out, ",\"Task Executor Metrics\":{}");
    if (metrics) {
        add_metrics(out, metrics);
    }
    end(out);
}
