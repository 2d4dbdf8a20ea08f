/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest_sql.c: SQL executions; see rest.h.
 *
 *     sql?details=true&planDescription=true&offset=0&length=20      sql/<id>      graph/<id>
 */
#include <stdio.h>
#include <stdlib.h>
#include "monitor/rest.h"

/* ---- values in words, as Spark's pages have them ---------------------------------------------- */

static void
add_duration(nb_strbuf *out, int64_t ms)
{
    if (ms < 1000) {
        nb_strbuf_addf(out, "%lld ms", (long long)ms);
    } else if (ms < 60000) {
        nb_strbuf_addf(out, "%.1f s", (double)ms / 1000);
    } else if (ms < 3600000) {
        nb_strbuf_addf(out, "%.1f m", (double)ms / 60000);
    } else {
        nb_strbuf_addf(out, "%.2f h", (double)ms / 3600000);
    }
}

static void
add_bytes(nb_strbuf *out, int64_t n)
{
    static const char *const units[] = {"EiB", "PiB", "TiB", "GiB", "MiB", "KiB"};

    for (int i = 0; i < 6; i++) {
        int64_t unit = (int64_t)1 << (60 - 10 * i);

        if (n / 2 >= unit) { /* from two units on */
            nb_strbuf_addf(out, "%.1f %s", (double)n / (double)unit, units[i]);
            return;
        }
    }
    nb_strbuf_addf(out, "%.1f B", (double)n);
}

/* 20000 → 20,000 */
static void
add_grouped(nb_strbuf *out, int64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%llu",
                       n < 0 ? 0 - (unsigned long long)n : (unsigned long long)n);

    if (n < 0) {
        nb_strbuf_addc(out, '-');
    }
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            nb_strbuf_addc(out, ',');
        }
        nb_strbuf_addc(out, digits[i]);
    }
}

static void
add_value(nb_strbuf *out, nb_app_metric_type type, int64_t n)
{
    switch (type) {
    case NB_APP_METRIC_SIZE: add_bytes(out, n); break;
    case NB_APP_METRIC_TIMING: add_duration(out, n); break;
    case NB_APP_METRIC_NS: add_duration(out, n / 1000000); break;
    case NB_APP_METRIC_AVERAGE: { /* kept times ten */
        nb_strbuf_addf(out, "%.1f", (double)n / 10);
        if (nb_str_ends_with(nb_strbuf_str(out), NB_STR(".0"))) {
            out->len -= 2;
            out->data[out->len] = 0;
        }
        break;
    }
    case NB_APP_METRIC_SUM: add_grouped(out, n); break;
    }
}

static int
by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t
median(const nb_app_value *v)
{
    if (v->n_values == 0) {
        return v->max;
    }
    qsort(v->values, (size_t)v->n_values, sizeof(int64_t), by_value);
    return v->values[v->n_values / 2];
}

static void
describe(nb_strbuf *out, const nb_app_metric *m, const nb_app_value *v)
{
    bool average = m->type == NB_APP_METRIC_AVERAGE;

    if (m->type == NB_APP_METRIC_SUM || v->n <= 1) {
        add_value(out, m->type, v->sum);
        return;
    }
    nb_strbuf_adds(out, average ? "(min, med, max (stageId: taskId)):\n"
                                : "total (min, med, max (stageId: taskId))\n");
    if (!average) {
        add_value(out, m->type, v->sum);
        nb_strbuf_addc(out, ' ');
    }
    nb_strbuf_addc(out, '(');
    add_value(out, m->type, v->min);
    nb_strbuf_adds(out, ", ");
    add_value(out, m->type, median(v));
    nb_strbuf_adds(out, ", ");
    add_value(out, m->type, v->max);
    if (v->max_stage < 0) {
        nb_strbuf_adds(out, " (driver)");
    } else {
        nb_strbuf_addf(out, " (stage %lld.%lld: task %lld)", (long long)v->max_stage,
                       (long long)v->max_attempt, (long long)v->max_task);
    }
    nb_strbuf_addc(out, ')');
}

/* ---- executions ------------------------------------------------------------------------------ */

static const char *
state_of(const nb_app *app, const nb_app_execution *x)
{
    bool failed = x->error.len > 0;

    for (int i = 0; i < x->n_jobs; i++) {
        const nb_app_job *job = nb_app_job_find(app, x->jobs[i]);
        failed |= job && job->state == NB_RUN_FAILED;
    }
    return x->ended_ms == 0 ? "RUNNING" : failed ? "FAILED" : "COMPLETED";
}

static void
put_jobs(nb_json_out *o, const nb_app *app, const nb_app_execution *x, const char *key,
         nb_run_state state)
{
    nb_out_open(o, key, '[');
    for (int i = 0; i < x->n_jobs; i++) {
        const nb_app_job *job = nb_app_job_find(app, x->jobs[i]);
        if (job && job->state == state) {
            nb_out_int(o, NULL, job->id);
        }
    }
    nb_out_close(o, ']');
}

/* The number in "WholeStageCodegen (3)". */
static int64_t
codegen_number(nb_str name)
{
    const char *open = memchr(name.data, '(', name.len);

    return open ? strtoll(open + 1, NULL, 10) : 0;
}

static void
put_nodes(nb_json_out *o, const nb_app *app, const nb_app_execution *x)
{
    nb_strbuf text = {0};

    nb_out_open(o, "nodes", '[');
    for (int i = x->n_nodes - 1; i >= 0; i--) {
        const nb_app_node *node = &x->nodes[i];

        nb_out_open(o, NULL, '{');
        nb_out_int(o, "nodeId", i);
        nb_out_str(o, "nodeName", nb_str_trim(node->name));
        if (node->cluster >= 0) {
            nb_out_int(o, "wholeStageCodegenId", codegen_number(x->nodes[node->cluster].name));
        }
        nb_out_open(o, "metrics", '[');
        for (int m = 0; m < node->n_metrics; m++) {
            const nb_app_value *v = nb_app_value_find(app, node->metrics[m].id);

            if (!v || v->n == 0) {
                continue;
            }
            text.len = 0;
            describe(&text, &node->metrics[m], v);
            nb_out_open(o, NULL, '{');
            nb_out_str(o, "name", node->metrics[m].name);
            nb_out_str(o, "value", nb_strbuf_str(&text));
            nb_out_close(o, '}');
        }
        nb_out_close(o, ']');
        nb_out_close(o, '}');
    }
    nb_out_close(o, ']');
    nb_strbuf_free(&text);
}

static void
put_edges(nb_json_out *o, const nb_app_execution *x)
{
    nb_out_open(o, "edges", '[');
    for (int i = 0; i < x->n_edges; i++) {
        nb_out_open(o, NULL, '{');
        nb_out_int(o, "fromId", x->edges[i].from);
        nb_out_int(o, "toId", x->edges[i].to);
        nb_out_close(o, '}');
    }
    nb_out_close(o, ']');
}

static void
put_execution(nb_json_out *o, const nb_app *app, const nb_app_execution *x, bool details, bool plan)
{
    int64_t end = x->ended_ms > 0 ? x->ended_ms : NB_MAX(app->last_event_ms, x->started_ms);

    nb_out_open(o, NULL, '{');
    nb_out_int(o, "id", x->id);
    nb_out_text(o, "status", state_of(app, x));
    nb_out_str(o, "description", x->description);
    nb_out_str(o, "planDescription", plan ? x->plan : (nb_str){"", 0});
    nb_out_time(o, "submissionTime", x->started_ms);
    nb_out_int(o, "duration", NB_MAX(end - x->started_ms, 0));
    put_jobs(o, app, x, "runningJobIds", NB_RUN_ACTIVE);
    put_jobs(o, app, x, "successJobIds", NB_RUN_DONE);
    put_jobs(o, app, x, "failedJobIds", NB_RUN_FAILED);
    if (details) {
        put_nodes(o, app, x);
        put_edges(o, x);
    } else {
        nb_out_open(o, "nodes", '[');
        nb_out_close(o, ']');
        nb_out_open(o, "edges", '[');
        nb_out_close(o, ']');
    }
    if (x->query_id.len > 0) {
        nb_out_str(o, "queryId", x->query_id);
    }
    if (x->has_error) {
        nb_out_str(o, "errorMessage", x->error);
    }
    nb_out_int(o, "rootExecutionId", x->root_id);
    nb_out_close(o, '}');
}

static bool
flag(const nb_http_request *request, const char *name)
{
    nb_str text;
    bool value;

    return nb_http_query(request, name, &text) && nb_str_to_bool(text, &value) ? value : true;
}

nb_status
nb_rest_sql(nb_app *app, const nb_http_request *request, nb_str path, nb_http_answer *answer)
{
    nb_json_out o = {&answer->body, false};
    bool details = flag(request, "details"), plan = flag(request, "planDescription");
    int64_t id, offset = 0, length = 20;

    if (path.len > 0) {
        const nb_app_execution *x =
            nb_str_to_int64(path, &id) ? nb_app_execution_find(app, id) : NULL;

        if (!x) {
            return nb_rest_refuse(answer, 404, "unknown query execution id: %.*s",
                                  (int)NB_MIN(path.len, 100), path.data);
        }
        put_execution(&o, app, x, details, plan);
        return NB_OK;
    }
    if (!nb_http_query_int(request, "offset", &offset) ||
        !nb_http_query_int(request, "length", &length)) {
        return nb_rest_refuse(answer, 404, "offset and length are numbers");
    }
    offset = NB_MAX(offset, 0);
    nb_out_open(&o, NULL, '[');
    for (int64_t i = NB_MIN(offset, app->n_executions);
         i < app->n_executions && i - offset < length; i++) {
        put_execution(&o, app, app->executions[i], details, plan);
    }
    nb_out_close(&o, ']');
    return NB_OK;
}

/* ---- graphs ---------------------------------------------------------------------------------- */

static void
put_number(nb_json_out *o, const nb_app_metric *m, const nb_app_value *v)
{
    static const char *const types[] = {[NB_APP_METRIC_SUM] = "sum",
                                        [NB_APP_METRIC_SIZE] = "size",
                                        [NB_APP_METRIC_TIMING] = "ms",
                                        [NB_APP_METRIC_NS] = "ns",
                                        [NB_APP_METRIC_AVERAGE] = "average"};

    nb_out_open(o, NULL, '{');
    nb_out_str(o, "name", m->name);
    nb_out_text(o, "type", types[m->type]);
    nb_out_int(o, "total", v->sum);
    nb_out_int(o, "count", v->n);
    if (v->n > 1 && m->type != NB_APP_METRIC_SUM) {
        nb_out_int(o, "min", v->min);
        nb_out_int(o, "median", median(v));
        nb_out_int(o, "max", v->max);
    }
    nb_out_close(o, '}');
}

nb_status
nb_rest_graph(nb_app *app, nb_str path, nb_http_answer *answer)
{
    nb_json_out o = {&answer->body, false};
    const nb_app_execution *x;
    int64_t id;

    x = nb_str_to_int64(path, &id) ? nb_app_execution_find(app, id) : NULL;
    if (!x) {
        return nb_rest_refuse(answer, 404, "unknown query execution id: %.*s",
                              (int)NB_MIN(path.len, 100), path.data);
    }
    nb_out_open(&o, NULL, '{');
    nb_out_str(&o, "details", x->details);
    nb_out_open(&o, "nodes", '[');
    for (int i = 0; i < x->n_nodes; i++) {
        const nb_app_node *node = &x->nodes[i];

        nb_out_open(&o, NULL, '{');
        nb_out_int(&o, "id", i);
        nb_out_str(&o, "name", nb_str_trim(node->name));
        nb_out_str(&o, "text", node->text);
        nb_out_int(&o, "cluster", node->cluster);
        nb_out_bool(&o, "isCluster", node->is_cluster);
        nb_out_open(&o, "metrics", '[');
        for (int m = 0; m < node->n_metrics; m++) {
            const nb_app_value *v = nb_app_value_find(app, node->metrics[m].id);
            if (v && v->n > 0) {
                put_number(&o, &node->metrics[m], v);
            }
        }
        nb_out_close(&o, ']');
        nb_out_close(&o, '}');
    }
    nb_out_close(&o, ']');
    put_edges(&o, x);
    nb_out_close(&o, '}');
    return NB_OK;
}
