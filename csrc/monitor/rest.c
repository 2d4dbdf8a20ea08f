/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest.c: jobs, executors and the environment; see rest.h.
 */
#include "monitor/rest.h"

#include <stdio.h>
#include <stdlib.h>

nb_status
nb_rest_refuse(nb_http_answer *answer, int status, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    answer->status = status;
    answer->type = "text/plain; charset=utf-8";
    answer->body.len = 0;
    nb_strbuf_adds(&answer->body, text);
    return NB_OK;
}

bool
nb_rest_query_word(const nb_http_request *request, const char *name, const char *const *words,
                   nb_str *out)
{
    *out = (nb_str){"", 0};
    if (!nb_http_query(request, name, out) || out->len == 0) {
        return true;
    }
    while (*words && !nb_str_equal_nocase(*out, nb_str_of(*words))) {
        words++;
    }
    return *words != NULL;
}

nb_str
nb_rest_part(nb_str *path)
{
    const char *slash = path->len ? memchr(path->data, '/', path->len) : NULL;
    nb_str part = {path->data, slash ? (size_t)(slash - path->data) : path->len};

    path->data += part.len + (slash != NULL);
    path->len -= part.len + (slash != NULL);
    return part;
}

const char *
nb_run_state_name(nb_run_state state, bool of_job)
{
    switch (state) {
    case NB_RUN_PENDING: return "PENDING";
    case NB_RUN_ACTIVE: return of_job ? "RUNNING" : "ACTIVE";
    case NB_RUN_DONE: return of_job ? "SUCCEEDED" : "COMPLETE";
    case NB_RUN_FAILED: return "FAILED";
    case NB_RUN_KILLED: return "KILLED";
    case NB_RUN_SKIPPED: return "SKIPPED";
    }
    return "UNKNOWN";
}

void
nb_rest_killed(nb_json_out *o, nb_str reason, int n)
{
    nb_out_open(o, "killedTasksSummary", '{');
    if (n > 0) {
        nb_out_str(o, NULL, reason);
        nb_strbuf_addf(o->to, ":%d", n);
    }
    nb_out_close(o, '}');
}

void
nb_rest_jvm_metrics(nb_json_out *o, const char *key)
{
    static const char *const names[] = {
        "JVMHeapMemory",
        "JVMOffHeapMemory",
        "OnHeapExecutionMemory",
        "OffHeapExecutionMemory",
        "OnHeapStorageMemory",
        "OffHeapStorageMemory",
        "OnHeapUnifiedMemory",
        "OffHeapUnifiedMemory",
        "DirectPoolMemory",
        "MappedPoolMemory",
        "ProcessTreeJVMVMemory",
        "ProcessTreeJVMRSSMemory",
        "ProcessTreePythonVMemory",
        "ProcessTreePythonRSSMemory",
        "ProcessTreeOtherVMemory",
        "ProcessTreeOtherRSSMemory",
        "MinorGCCount",
        "MinorGCTime",
        "MajorGCCount",
        "MajorGCTime",
        "TotalGCTime",
        "ConcurrentGCCount",
        "ConcurrentGCTime",
    };

    nb_out_open(o, key, '{');
    for (size_t i = 0; i < NB_COUNT_OF(names); i++) {
        nb_out_int(o, names[i], 0);
    }
    nb_out_close(o, '}');
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void
put_job(nb_json_out *o, const nb_app_job *j)
{
    nb_out_open(o, NULL, '{');
    nb_out_int(o, "jobId", j->id);
    nb_out_str(o, "name", j->name);
    if (j->description.len > 0) {
        nb_out_str(o, "description", j->description);
    }
    nb_out_time(o, "submissionTime", j->submitted_ms);
    if (j->completed_ms > 0) {
        nb_out_time(o, "completionTime", j->completed_ms);
    }
    nb_out_open(o, "stageIds", '[');
    for (int i = 0; i < j->n_stages; i++) {
        nb_out_int(o, NULL, j->stages[i]);
    }
    nb_out_close(o, ']');
    if (j->group.len > 0) {
        nb_out_str(o, "jobGroup", j->group);
    }
    nb_out_open(o, "jobTags", '[');
    for (int i = 0; i < j->n_tags; i++) {
        nb_out_str(o, NULL, j->tags[i]);
    }
    nb_out_close(o, ']');
    nb_out_text(o, "status", nb_run_state_name(j->state, true));
    nb_out_int(o, "numTasks", j->n_tasks);
    nb_out_int(o, "numActiveTasks", j->n_active);
    nb_out_int(o, "numCompletedTasks", j->n_done);
    nb_out_int(o, "numSkippedTasks", j->n_skipped);
    nb_out_int(o, "numFailedTasks", j->n_failed);
    nb_out_int(o, "numKilledTasks", j->n_killed);
    nb_out_int(o, "numCompletedIndices", j->n_indices);
    nb_out_int(o, "numActiveStages", j->n_stages_active);
    nb_out_int(o, "numCompletedStages", j->n_stages_done);
    nb_out_int(o, "numSkippedStages", j->n_stages_skipped);
    nb_out_int(o, "numFailedStages", j->n_stages_failed);
    nb_rest_killed(o, j->killed_reason, j->n_killed);
    nb_out_close(o, '}');
}

static int
by_job_id(const void *a, const void *b)
{
    int64_t x = (*(nb_app_job *const *)a)->id, y = (*(nb_app_job *const *)b)->id;

    return (x < y) - (x > y);
}

static nb_status
jobs(nb_app *app, const nb_http_request *request, nb_str path, nb_http_answer *answer)
{
    nb_json_out o = {&answer->body, false};
    nb_app_job **sorted;
    static const char *const states[] = {"RUNNING", "SUCCEEDED", "FAILED", "UNKNOWN", NULL};
    nb_str wanted;
    int64_t id;

    if (path.len > 0) {
        const nb_app_job *job = nb_str_to_int64(path, &id) ? nb_app_job_find(app, id) : NULL;

        if (!job) {
            return nb_rest_refuse(answer, 404, "unknown job: %.*s", (int)NB_MIN(path.len, 100),
                                  path.data);
        }
        put_job(&o, job);
        return NB_OK;
    }
    if (!nb_rest_query_word(request, "status", states, &wanted)) {
        return nb_rest_refuse(answer, 404, "unknown status");
    }
    sorted = NB_ARENA_ARRAY(app->scratch, nb_app_job *, app->n_jobs + 1);
    if (!sorted) {
        return NB_NOMEM;
    }
    if (app->n_jobs) {
        memcpy(sorted, app->jobs, (size_t)app->n_jobs * sizeof(*sorted));
        qsort(sorted, (size_t)app->n_jobs, sizeof(*sorted), by_job_id);
    }
    nb_out_open(&o, NULL, '[');
    for (int64_t i = 0; i < app->n_jobs; i++) {
        if (wanted.len == 0 ||
            nb_str_equal_nocase(wanted, nb_str_of(nb_run_state_name(sorted[i]->state, true)))) {
            put_job(&o, sorted[i]);
        }
    }
    nb_out_close(&o, ']');
    return NB_OK;
}

/* ---- executors ------------------------------------------------------------------------------- */

static void
put_executor(nb_json_out *o, const nb_app_executor *x)
{
    const nb_task_counts *c = &x->counts;
    char address[300];

    snprintf(address, sizeof(address), "%.*s:%lld", (int)NB_MIN(x->host.len, 250), x->host.data,
             (long long)x->port);
    nb_out_open(o, NULL, '{');
    nb_out_str(o, "id", x->id);
    nb_out_text(o, "hostPort", address);
    nb_out_bool(o, "isActive", x->active);
    nb_out_int(o, "rddBlocks", 0);
    nb_out_int(o, "memoryUsed", 0);
    nb_out_int(o, "diskUsed", 0);
    nb_out_int(o, "totalCores", x->n_cores);
    nb_out_int(o, "maxTasks", x->n_cores);
    nb_out_int(o, "activeTasks", x->n_active);
    nb_out_int(o, "failedTasks", x->n_failed);
    nb_out_int(o, "completedTasks", x->n_done);
    nb_out_int(o, "totalTasks", x->n_started);
    nb_out_int(o, "totalDuration", x->task_ms);
    nb_out_int(o, "totalGCTime", c->gc_ms);
    nb_out_int(o, "totalInputBytes", c->input_bytes);
    nb_out_int(o, "totalShuffleRead", c->remote_bytes + c->local_bytes);
    nb_out_int(o, "totalShuffleWrite", c->shuffle_written_bytes);
    nb_out_bool(o, "isBlacklisted", false);
    nb_out_int(o, "maxMemory", x->memory);
    nb_out_time(o, "addTime", x->added_ms);
    if (x->removed_ms > 0) {
        nb_out_time(o, "removeTime", x->removed_ms);
        nb_out_str(o, "removeReason", x->removed_reason);
    }
    nb_out_open(o, "executorLogs", '{');
    nb_out_close(o, '}');
    nb_out_open(o, "memoryMetrics", '{');
    nb_out_int(o, "usedOnHeapStorageMemory", 0);
    nb_out_int(o, "usedOffHeapStorageMemory", 0);
    nb_out_int(o, "totalOnHeapStorageMemory", x->memory);
    nb_out_int(o, "totalOffHeapStorageMemory", 0);
    nb_out_close(o, '}');
    nb_out_open(o, "blacklistedInStages", '[');
    nb_out_close(o, ']');
    nb_rest_jvm_metrics(o, "peakMemoryMetrics");
    nb_out_open(o, "attributes", '{');
    nb_out_close(o, '}');
    nb_out_open(o, "resources", '{');
    nb_out_close(o, '}');
    nb_out_int(o, "resourceProfileId", 0);
    nb_out_bool(o, "isExcluded", false);
    nb_out_open(o, "excludedInStages", '[');
    nb_out_close(o, ']');
    nb_out_close(o, '}');
}

static nb_status
executors(nb_app *app, bool all, nb_http_answer *answer)
{
    nb_json_out o = {&answer->body, false};

    nb_out_open(&o, NULL, '[');
    for (int i = 0; i < app->n_executors; i++) {
        if (all || app->executors[i].active) {
            put_executor(&o, &app->executors[i]);
        }
    }
    nb_out_close(&o, ']');
    return NB_OK;
}

/* ---- environment ----------------------------------------------------------------------------- */

static int
by_key(const void *a, const void *b)
{
    return nb_str_compare(((const nb_app_pair *)a)->key, ((const nb_app_pair *)b)->key);
}

static void
put_section(nb_json_out *o, nb_app *app, const char *key, nb_app_section s)
{
    if (app->n_pairs[s] > 0) {
        qsort(app->sections[s], (size_t)app->n_pairs[s], sizeof(nb_app_pair), by_key);
    }
    nb_out_open(o, key, '[');
    for (int i = 0; i < app->n_pairs[s]; i++) {
        nb_out_open(o, NULL, '[');
        nb_out_str(o, NULL, app->sections[s][i].key);
        nb_out_str(o, NULL, app->sections[s][i].value);
        nb_out_close(o, ']');
    }
    nb_out_close(o, ']');
}

static nb_status
environment(nb_app *app, nb_http_answer *answer)
{
    static const char *const runtime[][2] = {{"Java Version", "javaVersion"},
                                             {"Java Home", "javaHome"},
                                             {"Scala Version", "scalaVersion"}};
    nb_json_out o = {&answer->body, false};

    nb_out_open(&o, NULL, '{');
    nb_out_open(&o, "runtime", '{');
    for (size_t k = 0; k < NB_COUNT_OF(runtime); k++) {
        for (int i = 0; i < app->n_pairs[NB_SECTION_RUNTIME]; i++) {
            const nb_app_pair *p = &app->sections[NB_SECTION_RUNTIME][i];

            if (nb_str_equal(p->key, nb_str_of(runtime[k][0]))) {
                nb_out_str(&o, runtime[k][1], p->value);
                break;
            }
        }
    }
    nb_out_close(&o, '}');
    put_section(&o, app, "sparkProperties", NB_SECTION_SPARK);
    put_section(&o, app, "hadoopProperties", NB_SECTION_HADOOP);
    put_section(&o, app, "systemProperties", NB_SECTION_SYSTEM);
    put_section(&o, app, "metricsProperties", NB_SECTION_METRICS);
    put_section(&o, app, "classpathEntries", NB_SECTION_CLASSPATH);
    nb_out_open(&o, "resourceProfiles", '[');
    nb_out_close(&o, ']');
    nb_out_close(&o, '}');
    return NB_OK;
}

static nb_status
route(nb_app *app, const nb_http_request *request, nb_str what, nb_str path, nb_http_answer *answer)
{
    if (nb_str_equal(what, NB_STR("jobs"))) {
        return jobs(app, request, path, answer);
    }
    if (nb_str_equal(what, NB_STR("stages"))) {
        return nb_rest_stages(app, request, path, answer);
    }
    if (nb_str_equal(what, NB_STR("sql"))) {
        return nb_rest_sql(app, request, path, answer);
    }
    if (nb_str_equal(what, NB_STR("graph"))) {
        return nb_rest_graph(app, path, answer);
    }
    if (path.len == 0 && nb_str_equal(what, NB_STR("executors"))) {
        return executors(app, false, answer);
    }
    if (path.len == 0 && nb_str_equal(what, NB_STR("allexecutors"))) {
        return executors(app, true, answer);
    }
    if (path.len == 0 && nb_str_equal(what, NB_STR("environment"))) {
        return environment(app, answer);
    }
    return nb_rest_refuse(answer, 404, "not found");
}

nb_status
nb_rest_app(nb_app *app, const nb_http_request *request, nb_str path, nb_http_answer *answer)
{
    nb_str what = nb_rest_part(&path);
    nb_status st = route(app, request, what, path, answer);

    nb_arena_reset(app->scratch);
    return st;
}
