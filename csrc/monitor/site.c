/* SPDX-License-Identifier: Apache-2.0 */
/*
 * site.c: see site.h.
 */
#include "monitor/site.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/clock.h"
#include "expr/date_text.h"
#include "monitor/assets.h"
#include "monitor/rest.h"

static const char *const KINDS[] = {
    [NB_SITE_HISTORY] = "history",
    [NB_SITE_MASTER] = "master",
    [NB_SITE_WORKER] = "worker",
    [NB_SITE_APP] = "application",
};

/* ---- lists ----------------------------------------------------------------------------------- */

typedef struct lister {
    const nb_site *site;
    nb_json_out o;
    nb_str status; /* completed, running or empty */
    int64_t limit;
    int64_t min_ms, max_ms, min_end_ms, max_end_ms, now_ms;
} lister;

static void
put_attempt(nb_json_out *o, const nb_site_app *a)
{
    int64_t end = a->ended_ms > 0 ? a->ended_ms : -1;
    int64_t until = a->ended_ms > 0 ? a->ended_ms : a->updated_ms;

    nb_out_open(o, NULL, '{');
    if (a->attempt.len > 0) {
        nb_out_str(o, "attemptId", a->attempt);
    }
    nb_out_time(o, "startTime", a->started_ms);
    nb_out_time(o, "endTime", end);
    nb_out_time(o, "lastUpdated", a->updated_ms);
    nb_out_int(o, "duration", NB_MAX(until - a->started_ms, 0));
    nb_out_str(o, "sparkUser", a->user);
    nb_out_bool(o, "completed", a->completed);
    nb_out_str(o, "appSparkVersion", a->version);
    if (a->source.len > 0) {
        nb_out_str(o, "logSourceName", a->source);
        nb_out_str(o, "logSourceFullPath", a->source);
    }
    nb_out_int(o, "startTimeEpoch", a->started_ms);
    nb_out_int(o, "endTimeEpoch", end);
    nb_out_int(o, "lastUpdatedEpoch", a->updated_ms);
    if (a->log_bytes >= 0) {
        nb_out_int(o, "logBytes", a->log_bytes);
    }
    if (a->problem.len > 0) {
        nb_out_str(o, "problem", a->problem);
    }
    nb_out_close(o, '}');
}

static void
put_app(nb_json_out *o, const nb_site *site, const nb_site_app *a)
{
    int cores = a->cores;
    int64_t memory = -1;

    if (a->completed || site->app_use == NULL ||
        !site->app_use(site->payload, a->id, &cores, &memory)) {
        cores = a->cores;
        memory = -1;
    }
    nb_out_open(o, NULL, '{');
    nb_out_str(o, "id", a->id);
    nb_out_str(o, "name", a->name);
    if (cores >= 0) {
        nb_out_int(o, "coresGranted", cores);
    }
    if (memory >= 0) {
        nb_out_int(o, "memoryUsed", memory);
    }
    if (a->memory >= 0) {
        nb_out_int(o, "memoryPerExecutorMB", a->memory / (1 << 20));
    }
    if (a->url.len > 0) {
        nb_out_str(o, "url", a->url);
    }
    nb_out_open(o, "attempts", '[');
    put_attempt(o, a);
    nb_out_close(o, ']');
    nb_out_close(o, '}');
}

static void
emit_app(void *to, const nb_site_app *a)
{
    lister *l = to;
    bool completed = nb_str_equal_nocase(l->status, NB_STR("completed")),
         running = nb_str_equal_nocase(l->status, NB_STR("running"));

    if (l->limit <= 0 || (completed && !a->completed) || (running && a->completed) ||
        a->started_ms < l->min_ms || a->started_ms > l->max_ms ||
        (a->completed ? a->ended_ms < l->min_end_ms || a->ended_ms > l->max_end_ms
                      : l->max_end_ms <= l->now_ms)) { /* whoever runs has not ended by then */
        return;
    }
    l->limit--;
    put_app(&l->o, l->site, a);
}

/* "2026-11-28", which is its first moment, or "2026-11-28T11:39:44.201GMT". False, and the answer is made: neither. */
static bool
date_of(const nb_http_request *request, const char *name, int64_t *out, nb_http_answer *answer)
{
    int y, mo, d, h = 0, mi = 0, n;
    double s = 0;
    nb_str text;

    if (!nb_http_query(request, name, &text) || text.len == 0) {
        return true;
    }
    n = sscanf(text.data, "%4d-%2d-%2dT%2d:%2d:%lf", &y, &mo, &d, &h, &mi, &s);
    if ((n != 3 && n != 6) || mo < 1 || mo > 12 || !(s >= 0 && s <= 61)) {
        nb_rest_refuse(answer, 400, "Couldn't parse date: %.*s", (int)NB_MIN(text.len, 100),
                       text.data);
        return false;
    }
    *out = ((nb_days_from_any_civil(y, mo, d) * 24 + h) * 60 + mi) * 60000 + (int64_t)(s * 1000);
    return true;
}

static nb_status
list_apps(const nb_site *site, const nb_http_request *request, nb_http_answer *answer)
{
    static const char *const states[] = {"COMPLETED", "RUNNING", NULL};
    lister l = {.site = site,
                .o = {&answer->body, false},
                .limit = INT64_MAX,
                .min_ms = INT64_MIN,
                .max_ms = INT64_MAX,
                .min_end_ms = INT64_MIN,
                .max_end_ms = INT64_MAX,
                .now_ms = nb_clock_us() / 1000};
    nb_status st;

    if (!nb_rest_query_word(request, "status", states, &l.status) ||
        !nb_http_query_int(request, "limit", &l.limit)) {
        return nb_rest_refuse(answer, 404, "not a status, or not a limit");
    }
    if (!date_of(request, "minDate", &l.min_ms, answer) ||
        !date_of(request, "maxDate", &l.max_ms, answer) ||
        !date_of(request, "minEndDate", &l.min_end_ms, answer) ||
        !date_of(request, "maxEndDate", &l.max_end_ms, answer)) {
        return NB_OK;
    }
    nb_out_open(&l.o, NULL, '[');
    st = site->list_apps(site->payload, emit_app, &l);
    nb_out_close(&l.o, ']');
    return st;
}

static void
emit_worker(void *to, const nb_monitor_worker *w)
{
    nb_json_out *o = to;

    nb_out_open(o, NULL, '{');
    nb_out_str(o, "id", w->id);
    nb_out_str(o, "host", w->host);
    nb_out_int(o, "port", w->port);
    nb_out_str(o, "webuiaddress", w->url);
    nb_out_int(o, "cores", w->cores);
    nb_out_int(o, "coresused", w->cores_used);
    nb_out_int(o, "coresfree", NB_MAX(w->cores - w->cores_used, 0));
    nb_out_int(o, "memory", w->memory);
    nb_out_int(o, "memoryused", w->memory_used);
    nb_out_str(o, "state", w->state);
    nb_out_int(o, "lastheartbeat", w->heartbeat_ms);
    if (w->tasks >= 0) {
        nb_out_int(o, "tasks", w->tasks);
    }
    nb_out_close(o, '}');
}

static nb_status
list_workers(const nb_site *site, nb_http_answer *answer)
{
    nb_json_out o = {&answer->body, false};
    nb_status st;

    nb_out_open(&o, NULL, '[');
    st = site->list_workers(site->payload, emit_worker, &o);
    nb_out_close(&o, ']');
    return st;
}

static nb_status
describe(const nb_site *site, nb_http_answer *answer)
{
    nb_json_out o = {&answer->body, false};

    nb_out_open(&o, NULL, '{');
    nb_out_text(&o, "kind", KINDS[site->kind]);
    nb_out_text(&o, "title", site->title ? site->title : "");
    nb_out_text(&o, "version", NB_VERSION);
    nb_out_int(&o, "now", nb_clock_us() / 1000);
    nb_out_bool(&o, "workers", site->list_workers != NULL);
    nb_out_bool(&o, "kill", site->kill != NULL);
    if (site->main_app) {
        nb_out_text(&o, "application", site->main_app);
    }
    nb_out_close(&o, '}');
    return NB_OK;
}

/* ---- one application --------------------------------------------------------------------------- */

typedef struct found {
    const nb_site *site;
    nb_str id;
    nb_json_out o;
    bool any;
} found;

static void
emit_one(void *to, const nb_site_app *a)
{
    found *f = to;

    if (!f->any && nb_str_equal(a->id, f->id)) {
        f->any = true;
        put_app(&f->o, f->site, a);
    }
}

static nb_status
unknown_app(nb_str id, nb_http_answer *answer)
{
    return nb_rest_refuse(answer, 404, "unknown app: %.*s", (int)NB_MIN(id.len, 200), id.data);
}

static bool
is_number(nb_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
    }
    return s.len > 0 && s.len < 10;
}

static nb_status
one_app(const nb_site *site, const nb_http_request *request, nb_str id, nb_str path,
        nb_http_answer *answer)
{
    nb_str attempt = {"", 0}, rest = path, first = nb_rest_part(&rest);
    nb_app *app;
    nb_status st;

    if (path.len == 0) {
        found f = {.site = site, .id = id, .o = {&answer->body, false}};

        if (!site->list_apps) {
            return unknown_app(id, answer);
        }
        NB_TRY(site->list_apps(site->payload, emit_one, &f));
        return f.any ? NB_OK : unknown_app(id, answer);
    }
    if (is_number(first)) {
        attempt = first;
        path = rest;
    }
    if (nb_str_equal(path, NB_STR("logs"))) {
        st = site->send_log ? site->send_log(site->payload, id, attempt, answer) : NB_DONE;
        return st == NB_DONE ? unknown_app(id, answer) : st;
    }
    app = site->open_app ? site->open_app(site->payload, id, attempt) : NULL;
    if (!app) {
        return unknown_app(id, answer);
    }
    st = nb_rest_app(app, request, path, answer);
    site->close_app(site->payload, app);
    return st;
}

/* ---- metrics --------------------------------------------------------------------------------- */

void
nb_monitor_metric(nb_strbuf *out, const char *name, const char *type, const char *help,
                  double value)
{
    nb_strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name,
                   value);
}

void
nb_site_process_metrics(nb_strbuf *out)
{
    struct rusage usage;
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    DIR *fds;
    int n = 0;

    if (f) {
        if (fscanf(f, "%*d %ld", &pages) != 1) {
            pages = 0;
        }
        fclose(f);
    }
    nb_monitor_metric(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
                      (double)pages * (double)sysconf(_SC_PAGESIZE));
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        nb_monitor_metric(out, "process_cpu_seconds_total", "counter", "User and system time.",
                          (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                              (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    }
    fds = opendir("/proc/self/fd");
    if (fds) {
        while (readdir(fds)) {
            n++;
        }
        closedir(fds);
        nb_monitor_metric(out, "process_open_fds", "gauge", "Open file descriptors.",
                          NB_MAX(n - 3, 0));
    }
}

static nb_status
metrics(const nb_site *site, nb_http_answer *answer)
{
    answer->type = "text/plain; version=0.0.4; charset=utf-8";
    nb_strbuf_addf(&answer->body,
                   "# HELP nbaspark_info Version and kind of this process.\n"
                   "# TYPE nbaspark_info gauge\nnbaspark_info{version=\"%s\",kind=\"%s\"} 1\n",
                   NB_VERSION, KINDS[site->kind]);
    nb_site_process_metrics(&answer->body);
    if (site->metrics) {
        site->metrics(site->payload, &answer->body);
    }
    return NB_OK;
}

/* ---- routes ---------------------------------------------------------------------------------- */

static nb_status
api(const nb_site *site, const nb_http_request *request, nb_str path, nb_http_answer *answer)
{
    nb_str what = nb_rest_part(&path);

    if (nb_str_equal(what, NB_STR("applications")) && site->list_apps && path.len == 0) {
        return list_apps(site, request, answer);
    }
    if (nb_str_equal(what, NB_STR("applications"))) {
        nb_str id = nb_rest_part(&path);
        return one_app(site, request, id, path, answer);
    }
    if (nb_str_equal(what, NB_STR("version"))) {
        nb_strbuf_adds(&answer->body, "{\"spark\":\"4.2.0\"}");
        return NB_OK;
    }
    if (nb_str_equal(what, NB_STR("site"))) {
        return describe(site, answer);
    }
    if (nb_str_equal(what, NB_STR("workers")) && site->list_workers) {
        return list_workers(site, answer);
    }
    return nb_rest_refuse(answer, 404, "not found");
}

static nb_status
kill_one(const nb_site *site, const nb_http_request *request, nb_http_answer *answer)
{
    int64_t execution = -1;
    nb_str app;

    if (!site->kill || !nb_http_query(request, "app", &app) ||
        !nb_http_query_int(request, "execution", &execution) || execution < 0 ||
        !site->kill(site->payload, app, execution)) {
        return nb_rest_refuse(answer, 404, "no such query runs");
    }
    nb_strbuf_adds(&answer->body, "{\"killed\":true}");
    return NB_OK;
}

nb_status
nb_site_handle(void *payload, const nb_http_request *request, nb_str path, nb_http_answer *answer)
{
    const nb_site *site = payload;
    const nb_asset *asset;

    if (nb_http_is_post(request)) {
        return kill_one(site, request, answer);
    }
    while (path.len > 1 && path.data[path.len - 1] == '/') {
        path.len--;
    }
    if (nb_str_starts_with(path, NB_STR("/api/v1/"))) {
        path.data += 8;
        path.len -= 8;
        return api(site, request, path, answer);
    }
    if (nb_str_equal(path, NB_STR("/metrics"))) {
        return metrics(site, answer);
    }
    asset = nb_asset_find(path);
    if (!asset) {
        return nb_rest_refuse(answer, 404, "not found\n");
    }
    answer->type = asset->type;
    answer->fixed = (nb_str){asset->data, (size_t)(asset->end - asset->data)};
    answer->cacheable = true;
    return NB_OK;
}
