/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor.c: an application that is looked at.
 *
 * For an event log every event becomes one line of text, outside of the lock; under it the line goes to the log. Events of tasks are held back
 * until something larger happens, as in Spark, so that a stage of many small tasks does not cost a system call per task. Pages get the event as
 * it is (note.h) and make the line when they are looked at: a short query would cost more to write down than to run.
 */
#include "monitor/monitor.h"

#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "monitor/event_json.h"
#include "monitor/event_log.h"
#include "monitor/live.h"
#include "monitor/note.h"

#define EXECUTOR_ID 24

struct nb_monitor {
    nb_pool *pool;
    pid_t owner;
    pthread_mutex_t lock;
    nb_event_log *log; /* under lock; may be NULL */
    nb_live *live;     /* pages; under lock; may be NULL */
    nb_strbuf head;  /* not in the log yet: who the application is; under lock, as the two below */
    nb_strbuf added; /* and its executors */
    bool begun;
    int64_t start_ms;
    char user[128];
    char (*executors)
        [EXECUTOR_ID]; /* ids of nb_monitor_executors' last call; pool memory, under lock */
    int n_executors;
    atomic_llong numbers[NB_N_MONITOR_NUMBERS];
    char app_id[128];
};

static int64_t
now_ms(void)
{
    return nb_clock_us() / 1000;
}

/* Names are made of times; two applications of one process never get the same. */
static int64_t
unused_ms(int64_t ms)
{
    static atomic_llong last;
    long long before = atomic_load(&last), next;

    do {
        next = NB_MAX((long long)ms, before + 1);
    } while (!atomic_compare_exchange_weak(&last, &before, next));
    return next;
}

static void
user_name(char *out, size_t n)
{
    const char *given = getenv("SPARK_USER");
    struct passwd entry, *found = NULL;
    char text[1024];

    if (!given || !*given) {
        given = getpwuid_r(geteuid(), &entry, text, sizeof(text), &found) == 0 && found
                    ? found->pw_name
                    : "nobody";
    }
    snprintf(out, n, "%s", given);
}

/* A forked child lets be what is its parent's: the log's file, the threads of the pages, locks that may have been held at the fork. */
static bool
is_ours(const nb_monitor *m)
{
    return m && m->owner == getpid();
}

/* Under the lock. */
static void
begin(nb_monitor *m)
{
    if (!m->begun) {
        m->begun = true;
        if (m->log && !m->head.failed && !m->added.failed) {
            nb_event_log_add(m->log, nb_strbuf_str(&m->head), true);
            nb_event_log_add(m->log, nb_strbuf_str(&m->added), true);
        }
        nb_strbuf_free(&m->head);
        nb_strbuf_free(&m->added);
    }
}

/* Frees the line. */
static void
deliver(nb_monitor *m, nb_strbuf *line, bool flush)
{
    if (!line->failed) {
        pthread_mutex_lock(&m->lock);
        begin(m);
        if (m->log) {
            nb_event_log_add(m->log, nb_strbuf_str(line), flush);
        }
        if (m->live) {
            nb_live_take(m->live, nb_strbuf_str(line));
        }
        pthread_mutex_unlock(&m->lock);
    }
    nb_strbuf_free(line);
}

static void
take_note(nb_monitor *m, nb_note note, bool flush)
{
    nb_strbuf line = {0};

    note.ms = now_ms();
    if (m->log) {
        nb_note_write(&note, &line);
    }
    pthread_mutex_lock(&m->lock);
    begin(m);
    if (m->log && !line.failed) {
        nb_event_log_add(m->log, nb_strbuf_str(&line), flush);
    }
    if (m->live) {
        nb_live_note(m->live, &note);
    }
    pthread_mutex_unlock(&m->lock);
    nb_strbuf_free(&line);
}

/* Who the application is, to its pages at once. */
static nb_status
make_head(nb_monitor *m, const nb_config *config, nb_error *err)
{
    nb_app_info app = {.config = config,
                       .start_ms = m->start_ms,
                       .id = nb_str_of(m->app_id),
                       .user = nb_str_of(m->user),
                       .name = nb_config_str(config, NB_CONF_APP_NAME)};
    nb_strbuf head = {0};
    nb_status st;

    nb_event_log_start(&head);
    st = nb_event_environment(&head, &app, err);
    nb_event_app_start(&head, &app);
    if (st >= 0 && head.failed) {
        st = NB_NOMEM;
    }
    pthread_mutex_lock(&m->lock);
    if (st >= 0 && !m->begun) {
        nb_strbuf before = m->head;

        m->head = head;
        head = before;
        if (m->live) {
            nb_live_take(m->live, nb_strbuf_str(&m->head));
        }
    }
    pthread_mutex_unlock(&m->lock);
    nb_strbuf_free(&head);
    return st;
}

void
nb_monitor_configured(nb_monitor *m, const nb_config *config)
{
    if (is_ours(m)) {
        make_head(m, config, NULL); /* when memory runs out it keeps the name it has */
    }
}

void
nb_monitor_begin(nb_monitor *m)
{
    if (is_ours(m)) {
        pthread_mutex_lock(&m->lock);
        begin(m);
        pthread_mutex_unlock(&m->lock);
    }
}

static void
monitor_free(nb_monitor *m)
{
    nb_pool *pool = m->pool;

    nb_live_stop(m->live);
    nb_event_log_close(m->log);
    nb_strbuf_free(&m->head);
    nb_strbuf_free(&m->added);
    nb_pool_dealloc(pool, m->executors, EXECUTOR_ID * (size_t)m->n_executors);
    pthread_mutex_destroy(&m->lock);
    nb_pool_dealloc(pool, m, sizeof(*m));
    nb_pool_free(pool);
}

nb_status
nb_monitor_open(const nb_config *config, nb_str app_id, int64_t start_ms, nb_monitor **out,
                nb_error *err)
{
    bool log = nb_config_bool(config, NB_CONF_EVENT_LOG_ENABLED);
    /* its default is true, as in Spark, but here nobody is served who has not asked: starting takes time */
    bool live = nb_live_is_kept() || (nb_config_is_set(config, NB_STR("spark.ui.enabled")) &&
                                      nb_config_bool(config, NB_CONF_UI_ENABLED));
    nb_pool *pool;
    nb_monitor *m;
    nb_status st;

    *out = NULL;
    if (!log && !live) {
        return NB_OK;
    }
    pool = nb_pool_new(NULL, "monitor", 0);
    m = pool ? nb_pool_zalloc(pool, sizeof(*m)) : NULL;
    if (m == NULL) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    m->pool = pool;
    m->owner = getpid();
    m->start_ms = start_ms > 0 ? start_ms : now_ms();
    pthread_mutex_init(&m->lock, NULL);
    atomic_store(&m->numbers[NB_MONITOR_METRIC], 1);
    app_id = app_id.len > 0 ? app_id : nb_config_str(config, NB_CONF_APP_ID);
    if (app_id.len > 0) {
        snprintf(m->app_id, sizeof(m->app_id), "%.*s", (int)NB_MIN(app_id.len, 127), app_id.data);
    } else {
        snprintf(m->app_id, sizeof(m->app_id), "local-%lld", (long long)unused_ms(m->start_ms));
    }
    user_name(m->user, sizeof(m->user));
    if (log) {
        NB_TRY_GOTO(st, nb_event_log_open(config, nb_str_of(m->app_id), &m->log, err), fail);
    }
    if (live) {
        NB_TRY_GOTO(st, nb_live_start(config, m->app_id, &m->live, err), fail);
    }
    NB_TRY_GOTO(st, make_head(m, config, err), fail);
    *out = m;
    return NB_OK;
fail:
    monitor_free(m);
    return st;
}

void
nb_monitor_close(nb_monitor *m)
{
    if (!is_ours(m)) {
        return;
    }
    take_note(m, (nb_note){.kind = NB_NOTE_APP_ENDED}, true);
    monitor_free(m);
}

const char *
nb_monitor_app_id(const nb_monitor *m)
{
    return m ? m->app_id : "";
}

const char *
nb_monitor_url(const nb_monitor *m)
{
    return m ? nb_live_url(m->live) : "";
}

int64_t
nb_monitor_ids(nb_monitor *m, nb_monitor_number kind, int n)
{
    return m ? atomic_fetch_add(&m->numbers[kind], n) : -1;
}

/* ---- events ---------------------------------------------------------------------------------- */

void
nb_monitor_executor_added(nb_monitor *m, const nb_executor_info *x)
{
    nb_strbuf line = {0};

    if (is_ours(m)) {
        nb_event_executor_added(&line, x, now_ms());
        pthread_mutex_lock(&m->lock);
        if (!m->begun) {
            nb_strbuf_add(&m->added, nb_strbuf_str(&line));
            m->added.failed |= line.failed;
            if (m->live && !line.failed) {
                nb_live_take(m->live, nb_strbuf_str(&line));
            }
            pthread_mutex_unlock(&m->lock);
            nb_strbuf_free(&line);
            return;
        }
        pthread_mutex_unlock(&m->lock);
        deliver(m, &line, true);
    }
}

void
nb_monitor_executor_removed(nb_monitor *m, const char *id, const char *reason)
{
    nb_strbuf line = {0};

    if (is_ours(m)) {
        nb_event_executor_removed(&line, id, reason, now_ms());
        deliver(m, &line, true);
    }
}

static bool
has_executor(char (*ids)[EXECUTOR_ID], int n, const char *id)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(ids[i], id) == 0) {
            return true;
        }
    }
    return false;
}

void
nb_monitor_executors(nb_monitor *m, const nb_executor_info *list, int n)
{
    char(*now)[EXECUTOR_ID], (*before)[EXECUTOR_ID];
    int n_before;

    if (!is_ours(m)) {
        return;
    }
    now = n > 0 ? nb_pool_alloc(m->pool, EXECUTOR_ID * (size_t)n) : NULL;
    if (n > 0 && !now) {
        return;
    }
    for (int i = 0; i < n; i++) {
        snprintf(now[i], EXECUTOR_ID, "%s", list[i].id);
    }
    pthread_mutex_lock(&m->lock);
    before = m->executors;
    n_before = m->n_executors;
    m->executors = now;
    m->n_executors = n;
    pthread_mutex_unlock(&m->lock);
    for (int i = 0; i < n; i++) {
        if (!has_executor(before, n_before, list[i].id)) {
            nb_monitor_executor_added(m, &list[i]);
        }
    }
    for (int i = 0; i < n_before; i++) {
        bool there = false;

        for (int k = 0; k < n && !there; k++) {
            there = strcmp(before[i], list[k].id) == 0;
        }
        if (!there) {
            nb_monitor_executor_removed(m, before[i], "the worker is gone");
        }
    }
    nb_pool_dealloc(m->pool, before, EXECUTOR_ID * (size_t)n_before);
}

void
nb_monitor_execution_started(nb_monitor *m, const nb_execution_info *x)
{
    if (is_ours(m)) {
        take_note(m, (nb_note){.kind = NB_NOTE_EXECUTION_STARTED, .execution = x}, true);
    }
}

void
nb_monitor_execution_replanned(nb_monitor *m, const nb_execution_info *x)
{
    if (is_ours(m)) {
        take_note(m, (nb_note){.kind = NB_NOTE_EXECUTION_REPLANNED, .execution = x}, true);
    }
}

void
nb_monitor_metrics(nb_monitor *m, int64_t execution, const nb_metric_update *updates, int n)
{
    if (is_ours(m) && n > 0) {
        take_note(
            m,
            (nb_note){.kind = NB_NOTE_METRICS, .id = execution, .updates = updates, .n_updates = n},
            false);
    }
}

void
nb_monitor_execution_ended(nb_monitor *m, int64_t execution, const char *error)
{
    if (is_ours(m)) {
        take_note(m, (nb_note){.kind = NB_NOTE_EXECUTION_ENDED, .id = execution, .error = error},
                  true);
    }
}

void
nb_monitor_job_started(nb_monitor *m, const nb_job_info *job)
{
    if (is_ours(m)) {
        take_note(m, (nb_note){.kind = NB_NOTE_JOB_STARTED, .job = job}, true);
    }
}

void
nb_monitor_job_ended(nb_monitor *m, int64_t job, const char *error)
{
    if (is_ours(m)) {
        take_note(m, (nb_note){.kind = NB_NOTE_JOB_ENDED, .id = job, .error = error}, true);
    }
}

void
nb_monitor_stage_submitted(nb_monitor *m, const nb_stage_info *stage)
{
    if (is_ours(m)) {
        take_note(m, (nb_note){.kind = NB_NOTE_STAGE_SUBMITTED, .stage = stage}, true);
    }
}

void
nb_monitor_stage_completed(nb_monitor *m, const nb_stage_info *stage, const char *error)
{
    if (is_ours(m)) {
        take_note(m, (nb_note){.kind = NB_NOTE_STAGE_COMPLETED, .stage = stage, .error = error},
                  true);
    }
}

void
nb_monitor_task_started(nb_monitor *m, const nb_task_info *task)
{
    if (is_ours(m)) {
        take_note(m, (nb_note){.kind = NB_NOTE_TASK_STARTED, .task = task}, false);
    }
}

void
nb_monitor_task_ended(nb_monitor *m, const nb_task_info *task, const nb_task_metrics *metrics,
                      const nb_metric_update *updates, int n_updates, nb_task_end how,
                      const char *error)
{
    if (is_ours(m)) {
        take_note(m,
                  (nb_note){.kind = NB_NOTE_TASK_ENDED,
                            .task = task,
                            .metrics = metrics,
                            .updates = updates,
                            .n_updates = n_updates,
                            .how = how,
                            .error = error},
                  false);
    }
}
