/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.c: see live.h.
 */
#include "monitor/live.h"

#include <stdio.h>
#include "base/log.h"
#include "monitor/site.h"

#define APP_MEMORY ((size_t)256 << 20)
#define PORT_TRIES 16

struct nb_live {
    nb_pool *pool;
    nb_app *app;
    nb_site site;
    nb_http *http;
    char app_id[128], url[64];
};

static nb_status
list_one(void *payload, nb_site_emit_app emit, void *to)
{
    nb_live *live = payload;
    nb_app *app = live->app;
    nb_site_app a;

    nb_app_lock(app);
    a = (nb_site_app){.id = app->id,
                      .attempt = {"", 0},
                      .name = app->name,
                      .user = app->user,
                      .version = app->version,
                      .started_ms = app->started_ms,
                      .updated_ms = app->last_event_ms,
                      .source = {"", 0},
                      .problem = app->problem,
                      .log_bytes = -1,
                      .cores = -1,
                      .memory = -1,
                      .url = {"", 0}};
    emit(to, &a);
    nb_app_unlock(app);
    return NB_OK;
}

static nb_app *
open_one(void *payload, nb_str id, nb_str attempt)
{
    nb_live *live = payload;

    (void)attempt;
    if (!nb_str_equal(id, nb_str_of(live->app_id))) {
        return NULL;
    }
    nb_app_lock(live->app);
    return live->app;
}

static void
close_one(void *payload, nb_app *app)
{
    (void)payload;
    nb_app_unlock(app);
}

static void
metrics(void *payload, nb_strbuf *out)
{
    nb_live *live = payload;
    int64_t running = 0, tasks = 0;

    nb_app_lock(live->app);
    for (int64_t i = 0; i < live->app->n_jobs; i++) {
        running += live->app->jobs[i]->state == NB_RUN_ACTIVE;
        tasks += live->app->jobs[i]->n_done;
    }
    nb_site_metric(out, "nbaspark_jobs_total", "counter", "Jobs that were started.",
                   (double)live->app->n_jobs);
    nb_app_unlock(live->app);
    nb_site_metric(out, "nbaspark_jobs_running", "gauge", "Jobs that run.", (double)running);
    nb_site_metric(out, "nbaspark_tasks_completed_total", "counter", "Tasks that succeeded.",
                   (double)tasks);
}

nb_status
nb_live_start(const nb_config *config, const char *app_id, nb_live **out, nb_error *err)
{
    nb_http_options options = {.port = (int)nb_config_int(config, NB_CONF_UI_PORT),
                               .port_tries = PORT_TRIES,
                               .token = nb_config_str(config, NB_CONF_UI_TOKEN)};
    nb_pool *pool = nb_pool_new(NULL, "pages", 0);
    nb_live *live = pool ? nb_pool_zalloc(pool, sizeof(*live)) : NULL;
    nb_status st;

    if (!live) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    live->pool = pool;
    snprintf(live->app_id, sizeof(live->app_id), "%s", app_id);
    live->app = nb_app_new(pool, APP_MEMORY);
    live->site = (nb_site){.kind = NB_SITE_APP,
                           .title = live->app_id,
                           .main_app = live->app_id,
                           .payload = live,
                           .list_apps = list_one,
                           .open_app = open_one,
                           .close_app = close_one,
                           .metrics = metrics};
    st = live->app ? nb_http_start(&options, nb_site_handle, &live->site, &live->http, err)
                   : NB_NOMEM;
    if (st < 0) {
        nb_live_stop(live);
        return st;
    }
    snprintf(live->url, sizeof(live->url), "http://127.0.0.1:%d", nb_http_port(live->http));
    nb_log(NB_LOG_INFO, "SparkUI", "%s shows %s", live->url, app_id);
    *out = live;
    return NB_OK;
}

void
nb_live_stop(nb_live *live)
{
    nb_pool *pool;

    if (!live) {
        return;
    }
    pool = live->pool;
    nb_http_stop(live->http);
    nb_app_free(live->app);
    nb_pool_dealloc(pool, live, sizeof(*live));
    nb_pool_free(pool);
}

void
nb_live_take(nb_live *live, nb_str text)
{
    nb_app_lock(live->app);
    while (text.len > 0) { /* an event may be followed by another one */
        const char *end = memchr(text.data, '\n', text.len);
        size_t n = end ? (size_t)(end - text.data) + 1 : text.len;

        nb_app_take(live->app, (nb_str){text.data, n});
        text.data += n;
        text.len -= n;
    }
    nb_app_unlock(live->app);
}

const char *
nb_live_url(const nb_live *live)
{
    return live ? live->url : "";
}
