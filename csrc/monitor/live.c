/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.c: see live.h.
 */
#include "monitor/live.h"

#include <pthread.h>
#include <stdio.h>
#include "base/log.h"
#include "monitor/site.h"

#define APP_MEMORY ((size_t)256 << 20)
#define PORT_TRIES 16
#define KEPT_MOST  100 /* finished applications that are still shown */

/* Applications of a process that serves pages for all of them, the latest first. The lock guards the list and the numbers in it. */
static struct {
    pthread_mutex_t lock;
    bool on;
    struct nb_live *first;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

#define NOTES_BYTES   ((size_t)4 << 20)
#define SEGMENT_BYTES ((size_t)256 << 10)

typedef struct kept_note kept_note;
struct kept_note {
    kept_note *next;
    kept_note *next_open; /* of executions that have started and not ended */
    struct segment *segment;
    nb_note *note;
};

/* Events that nobody has asked for, in their order. */
typedef struct segment {
    struct segment *next;
    nb_arena *arena; /* holds it and its notes */
    kept_note *first, **last;
    int n_open; /* executions that have started in it and not ended */
} segment;

struct nb_live {
    nb_pool *pool;
    pthread_mutex_t notes_lock; /* what follows; before the application's lock */
    segment *segments, **last_segment;
    segment *newest;
    kept_note *open;
    size_t n_bytes; /* of all segments but the newest */
    int64_t n_dropped_jobs, n_dropped_tasks;

    nb_app *app;
    nb_site site;
    nb_http *http;
    char app_id[128], url[64];
    nb_live *next; /* in the list of kept ones */
    bool is_kept, finished;
    int users;
};

/* ---- events that wait ------------------------------------------------------------------------- */

/* Under both locks. */
static void
take_lines(nb_app *app, nb_str text)
{
    while (text.len > 0) { /* an event may be followed by another one */
        const char *end = memchr(text.data, '\n', text.len);
        size_t n = end ? (size_t)(end - text.data) + 1 : text.len;

        nb_app_take(app, (nb_str){text.data, n});
        text.data += n;
        text.len -= n;
    }
}

static void
take_note(nb_app *app, const nb_note *note)
{
    nb_strbuf line = {0};

    nb_note_write(note, &line);
    if (!line.failed) {
        take_lines(app, nb_strbuf_str(&line));
    }
    nb_strbuf_free(&line);
}

static bool
runs(const nb_app *app, int64_t execution)
{
    const nb_app_execution *x = nb_app_execution_find(app, execution);

    return x && x->ended_ms == 0;
}

/* Whether the application has the beginning of what this goes on with: it would be shown as running for ever. Under both locks. */
static bool
goes_on(const nb_app *app, const nb_note *n)
{
    const nb_app_job *job;

    switch (n->kind) {
    case NB_NOTE_APP_ENDED: return true;
    case NB_NOTE_EXECUTION_STARTED: return false;
    case NB_NOTE_EXECUTION_REPLANNED: return runs(app, n->execution->id);
    case NB_NOTE_EXECUTION_ENDED:
    case NB_NOTE_METRICS: return runs(app, n->id);
    case NB_NOTE_JOB_STARTED: return runs(app, n->job->execution);
    case NB_NOTE_JOB_ENDED:
        job = nb_app_job_find(app, n->id);
        return job && job->state == NB_RUN_ACTIVE;
    case NB_NOTE_STAGE_SUBMITTED:
    case NB_NOTE_STAGE_COMPLETED:
        /* the first attempt stands in the start of its job */
        return nb_app_stage_find(app, n->stage->id, 0) != NULL;
    case NB_NOTE_TASK_STARTED:
    case NB_NOTE_TASK_ENDED: return nb_app_stage_find(app, n->task->stage, 0) != NULL;
    }
    return false;
}

/* The oldest segment becomes part of the application, or is dropped but for what goes on with something that is part of it: as much as runs
 * when somebody looks, and so bounded. Under notes_lock. */
static void
shift(nb_live *live, bool drop)
{
    segment *s = live->segments;

    nb_app_lock(live->app);
    for (kept_note *k = s->first; k; k = k->next) {
        if (!drop || goes_on(live->app, k->note)) {
            take_note(live->app, k->note);
        } else {
            live->n_dropped_jobs += k->note->kind == NB_NOTE_JOB_STARTED;
            live->n_dropped_tasks +=
                k->note->kind == NB_NOTE_TASK_ENDED && k->note->how == NB_TASK_SUCCEEDED;
        }
    }
    nb_app_unlock(live->app);
    for (kept_note **at = &live->open; *at;) {
        if ((*at)->segment == s) {
            *at = (*at)->next_open;
        } else {
            at = &(*at)->next_open;
        }
    }
    live->segments = s->next;
    if (s == live->newest) {
        live->newest = NULL;
        live->last_segment = &live->segments;
    } else {
        live->n_bytes -= nb_arena_bytes(s->arena);
    }
    nb_arena_free(s->arena);
}

static void
flush(nb_live *live)
{
    pthread_mutex_lock(&live->notes_lock);
    while (live->segments) {
        shift(live, false);
    }
    pthread_mutex_unlock(&live->notes_lock);
}

/* The segment for the next note; NULL when out of memory. */
static segment *
segment_for_note(nb_live *live)
{
    segment *s = live->newest;
    nb_arena *arena;

    if (s && nb_arena_bytes(s->arena) < SEGMENT_BYTES) {
        return s;
    }
    arena = nb_arena_new(live->pool);
    s = arena ? NB_ARENA_NEW(arena, segment) : NULL;
    if (!s) {
        nb_arena_free(arena);
        return NULL;
    }
    s->arena = arena;
    s->last = &s->first;
    live->n_bytes += live->newest ? nb_arena_bytes(live->newest->arena) : 0;
    *live->last_segment = s;
    live->last_segment = &s->next;
    live->newest = s;
    while (live->n_bytes > NOTES_BYTES) {
        shift(live, live->segments->n_open == 0);
    }
    return s;
}

static void
note_ended(nb_live *live, int64_t execution)
{
    for (kept_note **at = &live->open; *at; at = &(*at)->next_open) {
        if ((*at)->note->execution->id == execution) {
            (*at)->segment->n_open--;
            *at = (*at)->next_open;
            return;
        }
    }
}

void
nb_live_note(nb_live *live, const nb_note *note)
{
    segment *s;
    kept_note *k;

    pthread_mutex_lock(&live->notes_lock);
    s = segment_for_note(live);
    k = s ? NB_ARENA_NEW(s->arena, kept_note) : NULL;
    if (k) {
        k->segment = s;
        k->note = nb_note_copy(s->arena, note);
    }
    if (k && k->note) {
        *s->last = k;
        s->last = &k->next;
        if (note->kind == NB_NOTE_EXECUTION_STARTED) {
            s->n_open++;
            k->next_open = live->open;
            live->open = k;
        } else if (note->kind == NB_NOTE_EXECUTION_ENDED) {
            note_ended(live, note->id);
        }
    } else { /* no room to wait */
        while (live->segments) {
            shift(live, false);
        }
        nb_app_lock(live->app);
        take_note(live->app, note);
        nb_app_unlock(live->app);
    }
    pthread_mutex_unlock(&live->notes_lock);
}

void
nb_live_take(nb_live *live, nb_str text)
{
    flush(live);
    nb_app_lock(live->app);
    take_lines(live->app, text);
    nb_app_unlock(live->app);
}

/* ---- one application ---------------------------------------------------------------------------- */

static void
emit_one(nb_live *live, nb_site_emit_app emit, void *to)
{
    nb_app *app = live->app;
    nb_site_app a;

    flush(live);
    nb_app_lock(app);
    a = (nb_site_app){.id = app->id,
                      .attempt = {"", 0},
                      .name = app->name,
                      .user = app->user,
                      .version = app->version,
                      .started_ms = app->started_ms,
                      .ended_ms = app->ended_ms,
                      .completed = app->ended_ms > 0,
                      .updated_ms = app->last_event_ms,
                      .source = {"", 0},
                      .problem = app->problem,
                      .log_bytes = -1,
                      .cores = -1,
                      .memory = -1,
                      .url = {"", 0}};
    emit(to, &a);
    nb_app_unlock(app);
}

static nb_status
list_one(void *payload, nb_site_emit_app emit, void *to)
{
    emit_one(payload, emit, to);
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
    flush(live);
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
    int64_t running = 0, tasks, dropped;

    flush(live);
    pthread_mutex_lock(&live->notes_lock);
    tasks = live->n_dropped_tasks;
    dropped = live->n_dropped_jobs;
    pthread_mutex_unlock(&live->notes_lock);
    nb_app_lock(live->app);
    for (int64_t i = 0; i < live->app->n_jobs; i++) {
        running += live->app->jobs[i]->state == NB_RUN_ACTIVE;
        tasks += live->app->jobs[i]->n_done;
    }
    nb_monitor_metric(out, "nbaspark_jobs_total", "counter", "Jobs that were started.",
                      (double)(live->app->n_jobs + dropped));
    nb_app_unlock(live->app);
    nb_monitor_metric(out, "nbaspark_jobs_running", "gauge", "Jobs that run.", (double)running);
    nb_monitor_metric(out, "nbaspark_tasks_completed_total", "counter", "Tasks that succeeded.",
                      (double)tasks);
}

/* ---- kept applications ------------------------------------------------------------------------- */

static nb_status
list_kept(void *payload, nb_site_emit_app emit, void *to)
{
    (void)payload;
    pthread_mutex_lock(&kept.lock);
    for (nb_live *l = kept.first; l; l = l->next) {
        emit_one(l, emit, to);
    }
    pthread_mutex_unlock(&kept.lock);
    return NB_OK;
}

static nb_app *
open_kept(void *payload, nb_str id, nb_str attempt)
{
    nb_live *found;

    (void)payload;
    (void)attempt;
    pthread_mutex_lock(&kept.lock);
    for (found = kept.first; found && !nb_str_equal(id, nb_str_of(found->app_id));) {
        found = found->next;
    }
    if (found) {
        found->users++;
    }
    pthread_mutex_unlock(&kept.lock);
    if (found) {
        flush(found);
        nb_app_lock(found->app);
    }
    return found ? found->app : NULL;
}

static void
close_kept(void *payload, nb_app *app)
{
    (void)payload;
    nb_app_unlock(app);
    pthread_mutex_lock(&kept.lock);
    for (nb_live *l = kept.first; l; l = l->next) {
        l->users -= l->app == app;
    }
    pthread_mutex_unlock(&kept.lock);
}

static void
live_free(nb_live *live)
{
    nb_pool *pool = live->pool;

    nb_http_stop(live->http);
    while (live->segments) {
        shift(live, true);
    }
    nb_app_free(live->app);
    pthread_mutex_destroy(&live->notes_lock);
    nb_pool_dealloc(pool, live, sizeof(*live));
    nb_pool_free(pool);
}

/* The oldest finished ones beyond `most` go, unless somebody looks at them. Under the lock. */
static void
drop_finished(int most)
{
    int n = 0;

    for (nb_live **at = &kept.first; *at;) {
        nb_live *l = *at;

        if (l->finished && l->users == 0 && ++n > most) {
            *at = l->next;
            live_free(l);
        } else {
            at = &l->next;
        }
    }
}

bool
nb_live_is_kept(void)
{
    bool on;

    pthread_mutex_lock(&kept.lock);
    on = kept.on;
    pthread_mutex_unlock(&kept.lock);
    return on;
}

/* ---- life ------------------------------------------------------------------------------------ */

static nb_status
listen_for(nb_live *live, const nb_config *config, nb_error *err)
{
    nb_http_options options = {.port = (int)nb_config_int(config, NB_CONF_UI_PORT),
                               .port_tries = PORT_TRIES,
                               .token = nb_config_str(config, NB_CONF_UI_TOKEN)};

    NB_TRY(nb_http_start(&options, nb_site_handle, &live->site, &live->http, err));
    snprintf(live->url, sizeof(live->url), "http://127.0.0.1:%d", nb_http_port(live->http));
    nb_log(NB_LOG_INFO, "SparkUI", "%s shows %s", live->url, live->app_id);
    return NB_OK;
}

nb_status
nb_live_start(const nb_config *config, const char *app_id, nb_live **out, nb_error *err)
{
    nb_pool *pool = nb_pool_new(NULL, "pages", 0);
    nb_live *live = pool ? nb_pool_zalloc(pool, sizeof(*live)) : NULL;
    nb_status st;

    if (!live) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    live->pool = pool;
    pthread_mutex_init(&live->notes_lock, NULL);
    live->last_segment = &live->segments;
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
    live->is_kept = nb_live_is_kept();
    st = !live->app ? NB_NOMEM : live->is_kept ? NB_OK : listen_for(live, config, err);
    if (st < 0) {
        live_free(live);
        return st;
    }
    if (live->is_kept) {
        pthread_mutex_lock(&kept.lock);
        live->next = kept.first;
        kept.first = live;
        pthread_mutex_unlock(&kept.lock);
    }
    *out = live;
    return NB_OK;
}

void
nb_live_stop(nb_live *live)
{
    if (!live) {
        return;
    }
    if (!live->is_kept) {
        live_free(live);
        return;
    }
    pthread_mutex_lock(&kept.lock);
    live->finished = true;
    drop_finished(kept.on ? KEPT_MOST : 0);
    pthread_mutex_unlock(&kept.lock);
}

const char *
nb_live_url(const nb_live *live)
{
    return live ? live->url : "";
}

/* ---- pages of a process ------------------------------------------------------------------------ */

struct nb_monitor_server {
    nb_pool *pool;
    nb_monitor_pages pages;
    nb_site site;
    nb_http *http;
};

nb_status
nb_monitor_serve(const nb_monitor_pages *pages, nb_monitor_server **out, nb_error *err)
{
    nb_http_options options = {.host = pages->host,
                               .port = pages->port,
                               .port_tries = PORT_TRIES,
                               .token = pages->token,
                               .insecure = pages->insecure};
    bool may_kill = pages->kill != NULL && pages->token.len > 0;
    nb_pool *pool = nb_pool_new(NULL, "pages", 0);
    nb_monitor_server *s = pool ? nb_pool_zalloc(pool, sizeof(*s)) : NULL;
    nb_status st;

    if (!s) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    s->pool = pool;
    s->pages = *pages;
    s->site = (nb_site){.kind = pages->is_worker ? NB_SITE_WORKER : NB_SITE_MASTER,
                        .title = pages->title,
                        .payload = pages->payload,
                        .list_apps = list_kept,
                        .open_app = open_kept,
                        .close_app = close_kept,
                        .list_workers = pages->list_workers,
                        .app_use = pages->app_use,
                        .metrics = pages->metrics,
                        .kill = may_kill ? pages->kill : NULL};
    options.post_path = may_kill ? NB_STR("/api/v1/kill") : NB_STR("");
    st = nb_http_start(&options, nb_site_handle, &s->site, &s->http, err);
    if (st < 0) {
        nb_pool_dealloc(pool, s, sizeof(*s));
        nb_pool_free(pool);
        return st;
    }
    pthread_mutex_lock(&kept.lock);
    kept.on |= !pages->is_worker;
    pthread_mutex_unlock(&kept.lock);
    *out = s;
    return NB_OK;
}

void
nb_monitor_server_stop(nb_monitor_server *s)
{
    nb_pool *pool;

    if (!s) {
        return;
    }
    nb_http_stop(s->http);
    pthread_mutex_lock(&kept.lock);
    if (!s->pages.is_worker) {
        kept.on = false;
        drop_finished(0);
    }
    pthread_mutex_unlock(&kept.lock);
    pool = s->pool;
    nb_pool_dealloc(pool, s, sizeof(*s));
    nb_pool_free(pool);
}

int
nb_monitor_server_port(const nb_monitor_server *s)
{
    return nb_http_port(s->http);
}
