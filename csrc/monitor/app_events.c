/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_events.c: the events of applications, executors, jobs and stages; those of tasks are in app_tasks.c, of SQL executions in app_plan.c.
 *
 * Each handler first reads the whole event into a struct of its own and only then changes the application, so that a damaged line
 * changes nothing. What a handler cannot keep for want of memory sets app->full.
 */
#include "monitor/app_events_internal.h"

#include "io/codec.h"

/* ---- application ----------------------------------------------------------------------------- */

typedef struct app_event {
    nb_str name, id, user, version, attempt;
    int64_t time;
} app_event;

static bool
log_start(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field table[] = {NB_EVENT_TEXT(app_event, "Spark Version", version),
                                           NB_EVENT_END};
    app_event e = {.version = NB_EVENT_NONE};

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    app->version = nb_app_keep_text(app, e.version);
    return true;
}

static bool
app_start(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field table[] = {
        NB_EVENT_TEXT(app_event, "App Name", name),          NB_EVENT_TEXT(app_event, "App ID", id),
        NB_EVENT_INT(app_event, "Timestamp", time),          NB_EVENT_TEXT(app_event, "User", user),
        NB_EVENT_TEXT(app_event, "App Attempt ID", attempt), NB_EVENT_END};
    app_event e = {.name = NB_EVENT_NONE,
                   .id = NB_EVENT_NONE,
                   .user = NB_EVENT_NONE,
                   .attempt = NB_EVENT_NONE};

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    app->name = nb_app_keep_text(app, e.name);
    app->id = nb_app_keep_text(app, e.id);
    app->user = nb_app_keep_text(app, e.user);
    app->attempt = nb_app_keep_text(app, e.attempt);
    app->started_ms = e.time;
    nb_app_seen(app, e.time);
    return true;
}

static bool
app_end(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field table[] = {NB_EVENT_INT(app_event, "Timestamp", time),
                                           NB_EVENT_END};
    app_event e = {0};

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    app->ended_ms = e.time;
    nb_app_seen(app, e.time);
    for (int i = 0; i < app->n_executors; i++) {
        app->executors[i].n_active = 0;
    }
    return true;
}

/* {"key": "value", …} */
typedef struct section_event {
    nb_app_pair *pairs[NB_N_SECTIONS];
    int n[NB_N_SECTIONS], cap[NB_N_SECTIONS];
} section_event;

static bool
read_section(nb_event_reader *r, section_event *e, nb_app_section s)
{
    bool first = true, bad = false;
    nb_app_pair pair;

    if (nb_json_peek(&r->json) != NB_JSON_OBJECT || !nb_json_enter(&r->json)) {
        return false;
    }
    while (nb_json_more(&r->json, '}', &first, &bad)) {
        if (!nb_event_read_name(r, &pair.key)) {
            return false;
        }
        pair.value = (nb_str){"", 0};
        if (!nb_event_read_null(r) && !nb_event_read_text(r, &pair.value)) {
            return false;
        }
        if (e->n[s] == e->cap[s]) {
            int cap = e->cap[s] ? 2 * e->cap[s] : 64;
            nb_app_pair *wider = NB_ARENA_ARRAY(r->scratch, nb_app_pair, cap);

            if (!wider) {
                r->no_memory = true;
                return false;
            }
            if (e->n[s]) {
                memcpy(wider, e->pairs[s], (size_t)e->n[s] * sizeof(pair));
            }
            e->pairs[s] = wider;
            e->cap[s] = cap;
        }
        e->pairs[s][e->n[s]++] = pair;
    }
    return !bad;
}

#define SECTION(fn, section)                                \
    static bool fn(nb_event_reader *r, void *base)          \
    {                                                       \
        return read_section(r, base, NB_SECTION_##section); \
    }
SECTION(read_runtime, RUNTIME)
SECTION(read_spark, SPARK)
SECTION(read_hadoop, HADOOP)
SECTION(read_system, SYSTEM)
SECTION(read_metrics_section, METRICS)
SECTION(read_classpath, CLASSPATH)

static bool
environment(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field table[] = {
        NB_EVENT_READ("JVM Information", read_runtime),
        NB_EVENT_READ("Spark Properties", read_spark),
        NB_EVENT_READ("Hadoop Properties", read_hadoop),
        NB_EVENT_READ("System Properties", read_system),
        NB_EVENT_READ("Metrics Properties", read_metrics_section),
        NB_EVENT_READ("Classpath Entries", read_classpath),
        NB_EVENT_END};
    section_event e = {0};

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    for (int s = 0; s < NB_N_SECTIONS; s++) {
        nb_app_pair *pairs = NB_ARENA_ARRAY(app->arena, nb_app_pair, e.n[s] + 1);

        if (!pairs) {
            app->full = true;
            return true;
        }
        for (int i = 0; i < e.n[s]; i++) {
            pairs[i].key = nb_app_keep_text(app, e.pairs[s][i].key);
            pairs[i].value = nb_app_keep_text(app, e.pairs[s][i].value);
        }
        app->sections[s] = pairs;
        app->n_pairs[s] = e.n[s];
    }
    return true;
}

/* ---- executors ------------------------------------------------------------------------------- */

typedef struct executor_event {
    nb_str id, host, reason;
    int64_t time, port, n_cores, memory;
} executor_event;

static bool
executor_added(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field info[] = {NB_EVENT_TEXT(executor_event, "Host", host),
                                          NB_EVENT_INT(executor_event, "Total Cores", n_cores),
                                          NB_EVENT_END};
    static const nb_event_field table[] = {NB_EVENT_INT(executor_event, "Timestamp", time),
                                           NB_EVENT_TEXT(executor_event, "Executor ID", id),
                                           NB_EVENT_OBJECT("Executor Info", info), NB_EVENT_END};
    executor_event e = {.id = NB_EVENT_NONE, .host = NB_EVENT_NONE};
    int at;

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    at = nb_app_executor_get(app, e.id);
    if (at < 0) {
        app->full = true;
        return true;
    }
    app->executors[at].host = nb_app_keep_text(app, e.host);
    app->executors[at].n_cores = e.n_cores;
    app->executors[at].added_ms = e.time;
    app->executors[at].active = true;
    nb_app_seen(app, e.time);
    return true;
}

static bool
block_manager_added(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field id[] = {NB_EVENT_TEXT(executor_event, "Executor ID", id),
                                        NB_EVENT_TEXT(executor_event, "Host", host),
                                        NB_EVENT_INT(executor_event, "Port", port), NB_EVENT_END};
    static const nb_event_field table[] = {NB_EVENT_OBJECT("Block Manager ID", id),
                                           NB_EVENT_INT(executor_event, "Maximum Memory", memory),
                                           NB_EVENT_INT(executor_event, "Timestamp", time),
                                           NB_EVENT_END};
    executor_event e = {.id = NB_EVENT_NONE, .host = NB_EVENT_NONE};
    int at;

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    at = nb_app_executor_get(app, e.id);
    if (at < 0) {
        app->full = true;
        return true;
    }
    app->executors[at].host = nb_app_keep_text(app, e.host);
    app->executors[at].port = e.port;
    app->executors[at].memory = e.memory;
    app->executors[at].active = true;
    if (app->executors[at].added_ms == 0) {
        app->executors[at].added_ms = e.time;
    }
    return true;
}

static bool
executor_removed(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field table[] = {NB_EVENT_INT(executor_event, "Timestamp", time),
                                           NB_EVENT_TEXT(executor_event, "Executor ID", id),
                                           NB_EVENT_TEXT(executor_event, "Removed Reason", reason),
                                           NB_EVENT_END};
    executor_event e = {.id = NB_EVENT_NONE, .reason = NB_EVENT_NONE};
    int at;

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    at = nb_app_executor_get(app, e.id);
    if (at >= 0) {
        app->executors[at].active = false;
        app->executors[at].removed_ms = e.time;
        app->executors[at].removed_reason = nb_app_keep_text(app, e.reason);
    }
    nb_app_seen(app, e.time);
    return true;
}

/* ---- jobs and stages --------------------------------------------------------------------------- */

typedef struct stage_event {
    int64_t id, attempt, n_tasks, submitted, completed;
    nb_str name, details, error, pool, description;
    int64_t *parents;
    int n_parents;
    struct stage_event *next;
} stage_event;

typedef struct job_event {
    int64_t id, time, execution;
    stage_event *first, **last;
    int64_t *stages;
    int n_stages;
    nb_str description, group, pool, tags, execution_text, result, error;
} job_event;

/* [1, 2, …] into the scratch arena */
static bool
read_ids(nb_event_reader *r, int64_t **out, int *n)
{
    bool first = true, bad = false;
    int cap = 0;

    *n = 0;
    if (nb_json_peek(&r->json) != NB_JSON_ARRAY || !nb_json_enter(&r->json)) {
        return false;
    }
    while (nb_json_more(&r->json, ']', &first, &bad)) {
        if (*n == cap) {
            int64_t *wider = NB_ARENA_ARRAY(r->scratch, int64_t, cap ? 2 * cap : 8);

            if (!wider) {
                r->no_memory = true;
                return false;
            }
            if (cap) {
                memcpy(wider, *out, (size_t)cap * sizeof(int64_t));
            }
            cap = cap ? 2 * cap : 8;
            *out = wider;
        }
        if (!nb_event_read_int(r, &(*out)[*n])) {
            return false;
        }
        ++*n;
    }
    return !bad;
}

static bool
read_parents(nb_event_reader *r, void *base)
{
    stage_event *e = base;

    return read_ids(r, &e->parents, &e->n_parents);
}

static const nb_event_field STAGE[] = {NB_EVENT_INT(stage_event, "Stage ID", id),
                                       NB_EVENT_INT(stage_event, "Stage Attempt ID", attempt),
                                       NB_EVENT_TEXT(stage_event, "Stage Name", name),
                                       NB_EVENT_INT(stage_event, "Number of Tasks", n_tasks),
                                       NB_EVENT_READ("Parent IDs", read_parents),
                                       NB_EVENT_TEXT(stage_event, "Details", details),
                                       NB_EVENT_INT(stage_event, "Submission Time", submitted),
                                       NB_EVENT_INT(stage_event, "Completion Time", completed),
                                       NB_EVENT_TEXT(stage_event, "Failure Reason", error),
                                       NB_EVENT_END};
static const nb_event_field STAGE_PROPERTIES[] = {
    NB_EVENT_TEXT(stage_event, "spark.scheduler.pool", pool),
    NB_EVENT_TEXT(stage_event, "spark.job.description", description), NB_EVENT_END};
static const nb_event_field STAGE_EVENT[] = {NB_EVENT_OBJECT("Stage Info", STAGE),
                                             NB_EVENT_OBJECT("Properties", STAGE_PROPERTIES),
                                             NB_EVENT_END};

static stage_event
no_stage(void)
{
    return (stage_event){.id = -1,
                         .name = NB_EVENT_NONE,
                         .details = NB_EVENT_NONE,
                         .error = NB_EVENT_NONE,
                         .pool = NB_EVENT_NONE,
                         .description = NB_EVENT_NONE};
}

static bool
stage_is_good(const stage_event *e)
{
    return e->id >= 0 && e->attempt >= 0 && e->n_tasks >= 0 && e->n_tasks <= NB_APP_TASKS_MOST;
}

static bool
read_stages(nb_event_reader *r, void *base)
{
    job_event *e = base;
    bool first = true, bad = false;

    e->last = &e->first;
    if (nb_json_peek(&r->json) != NB_JSON_ARRAY || !nb_json_enter(&r->json)) {
        return false;
    }
    while (nb_json_more(&r->json, ']', &first, &bad)) {
        stage_event *s = NB_ARENA_NEW(r->scratch, stage_event);

        if (!s) {
            r->no_memory = true;
            return false;
        }
        *s = no_stage();
        if (!nb_event_read_object(r, STAGE, s) || !stage_is_good(s)) {
            return false;
        }
        *e->last = s;
        e->last = &s->next;
    }
    return !bad;
}

static bool
read_stage_ids(nb_event_reader *r, void *base)
{
    job_event *e = base;

    return read_ids(r, &e->stages, &e->n_stages);
}

static void
set_stage(nb_app *app, nb_app_stage *s, const stage_event *e)
{
    s->announced_tasks = (int32_t)e->n_tasks;
    s->name = nb_app_keep_text(app, e->name);
    s->details = nb_app_keep_text(app, e->details);
    if (e->submitted > 0) {
        s->submitted_ms = e->submitted;
    }
    if (e->n_parents > 0) {
        s->parents = NB_ARENA_ARRAY(app->arena, int64_t, e->n_parents);
        app->full |= !s->parents;
        s->n_parents = s->parents ? e->n_parents : 0;
        if (s->parents) {
            memcpy(s->parents, e->parents, (size_t)e->n_parents * sizeof(int64_t));
        }
    }
}

/* "a,b,c" */
static void
set_tags(nb_app *app, nb_app_job *job, nb_str text)
{
    int n = text.len > 0;

    for (size_t i = 0; i < text.len; i++) {
        n += text.data[i] == ',';
    }
    job->tags = NB_ARENA_ARRAY(app->arena, nb_str, n + 1);
    app->full |= !job->tags;
    while (job->tags && text.len > 0) {
        const char *comma = memchr(text.data, ',', text.len);
        size_t len = comma ? (size_t)(comma - text.data) : text.len;

        job->tags[job->n_tags++] = nb_app_keep_text(app, (nb_str){text.data, len});
        text.data += len + (comma != NULL);
        text.len -= len + (comma != NULL);
    }
}

static void
link_execution(nb_app *app, nb_app_job *job, nb_str text)
{
    nb_app_execution *x;
    int64_t cap;

    if (!nb_str_to_int64(text, &job->execution) || job->execution < 0) {
        job->execution = -1;
        return;
    }
    x = nb_app_execution_find(app, job->execution);
    if (!x) {
        return;
    }
    cap = x->cap_jobs;
    if (!nb_app_grow(app, &x->jobs, x->n_jobs, &cap, sizeof(int64_t))) {
        app->full = true;
        return;
    }
    x->cap_jobs = (int)cap;
    x->jobs[x->n_jobs++] = job->id;
}

static bool
job_start(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field properties[] = {
        NB_EVENT_TEXT(job_event, "spark.sql.execution.id", execution_text),
        NB_EVENT_TEXT(job_event, "spark.job.description", description),
        NB_EVENT_TEXT(job_event, "spark.jobGroup.id", group),
        NB_EVENT_TEXT(job_event, "spark.scheduler.pool", pool),
        NB_EVENT_TEXT(job_event, "spark.job.tags", tags),
        NB_EVENT_END};
    static const nb_event_field table[] = {
        NB_EVENT_INT(job_event, "Job ID", id),     NB_EVENT_INT(job_event, "Submission Time", time),
        NB_EVENT_READ("Stage Infos", read_stages), NB_EVENT_READ("Stage IDs", read_stage_ids),
        NB_EVENT_OBJECT("Properties", properties), NB_EVENT_END};
    job_event e = {.id = -1,
                   .description = NB_EVENT_NONE,
                   .group = NB_EVENT_NONE,
                   .pool = NB_EVENT_NONE,
                   .tags = NB_EVENT_NONE,
                   .execution_text = NB_EVENT_NONE};
    int64_t last_stage = -1;
    nb_app_job *job;

    if (!nb_event_read_object(r, table, &e) || e.id < 0) {
        return false;
    }
    if (nb_app_job_find(app, e.id)) {
        return false; /* a job starts once */
    }
    job = nb_app_job_get(app, e.id);
    if (!job) {
        app->full = true;
        return true;
    }
    job->state = NB_RUN_ACTIVE;
    job->submitted_ms = e.time;
    job->description = nb_app_keep_text(app, e.description);
    job->group = nb_app_keep_text(app, e.group);
    job->name = job->error = job->killed_reason = (nb_str){"", 0};
    set_tags(app, job, e.tags);
    link_execution(app, job, e.execution_text);
    job->stages = NB_ARENA_ARRAY(app->arena, int64_t, e.n_stages + 1);
    if (!job->stages) {
        app->full = true;
        return true;
    }
    if (e.n_stages) {
        memcpy(job->stages, e.stages, (size_t)e.n_stages * sizeof(int64_t));
    }
    job->n_stages = e.n_stages;
    for (const stage_event *s = e.first; s; s = s->next) {
        nb_app_stage *stage = nb_app_stage_get(app, s->id, s->attempt);

        if (!stage) {
            app->full = true;
            return true;
        }
        if (stage->state == NB_RUN_PENDING && stage->job < 0) {
            set_stage(app, stage, s);
        }
        stage->job = app->n_jobs - 1;
        if (stage->completed_ms == 0) { /* one that is done already is a shuffle used again */
            job->n_tasks = (int)NB_MIN((int64_t)job->n_tasks + s->n_tasks, INT32_MAX);
        }
        if (s->id > last_stage) { /* Spark names a job after its last stage */
            last_stage = s->id;
            job->name = nb_app_keep_text(app, s->name);
        }
    }
    nb_app_seen(app, e.time);
    return true;
}

static bool
job_end(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field exception[] = {NB_EVENT_TEXT(job_event, "Message", error),
                                               NB_EVENT_END};
    static const nb_event_field result[] = {NB_EVENT_TEXT(job_event, "Result", result),
                                            NB_EVENT_OBJECT("Exception", exception), NB_EVENT_END};
    static const nb_event_field table[] = {NB_EVENT_INT(job_event, "Job ID", id),
                                           NB_EVENT_INT(job_event, "Completion Time", time),
                                           NB_EVENT_OBJECT("Job Result", result), NB_EVENT_END};
    job_event e = {.id = -1, .result = NB_EVENT_NONE, .error = NB_EVENT_NONE};
    nb_app_job *job;

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    job = nb_app_job_find(app, e.id);
    if (!job) {
        return true; /* its beginning was lost */
    }
    job->completed_ms = e.time;
    job->state = nb_str_equal(e.result, NB_STR("JobSucceeded")) ? NB_RUN_DONE : NB_RUN_FAILED;
    job->error = nb_app_keep_text(app, e.error);
    for (int i = 0; i < job->n_stages; i++) {
        nb_app_stage *s = nb_app_stage_find(app, job->stages[i], 0);

        if (s && s->state == NB_RUN_PENDING) {
            s->state = NB_RUN_SKIPPED;
            job->n_stages_skipped++;
            job->n_skipped += s->announced_tasks;
        }
    }
    nb_app_seen(app, e.time);
    return true;
}

static bool
read_stage(nb_event_reader *r, stage_event *out)
{
    *out = no_stage();
    return nb_event_read_object(r, STAGE_EVENT, out) && stage_is_good(out);
}

static bool
stage_submitted(nb_app *app, nb_event_reader *r)
{
    stage_event e;
    nb_app_stage *s;
    nb_app_job *job;

    if (!read_stage(r, &e)) {
        return false;
    }
    s = nb_app_stage_get(app, e.id, e.attempt);
    if (!s) {
        app->full = true;
        return true;
    }
    if (s->job < 0 && e.attempt > 0) { /* another attempt belongs to the job of the first */
        const nb_app_stage *first = nb_app_stage_find(app, e.id, 0);
        s->job = first ? first->job : -1;
    }
    set_stage(app, s, &e);
    s->state = NB_RUN_ACTIVE;
    if (e.pool.len > 0) {
        s->pool = nb_app_keep_text(app, e.pool);
    }
    if (e.description.len > 0) {
        s->description = nb_app_keep_text(app, e.description);
    }
    job = nb_app_job_of(app, s);
    if (job) {
        job->n_stages_active++;
    }
    nb_app_seen(app, e.submitted);
    return true;
}

static bool
stage_completed(nb_app *app, nb_event_reader *r)
{
    stage_event e;
    nb_app_stage *s;
    nb_app_job *job;

    if (!read_stage(r, &e)) {
        return false;
    }
    s = nb_app_stage_find(app, e.id, e.attempt);
    if (!s) {
        return true;
    }
    set_stage(app, s, &e);
    s->completed_ms = e.completed;
    s->error = nb_app_keep_text(app, e.error);
    job = nb_app_job_of(app, s);
    if (job && s->state == NB_RUN_ACTIVE) {
        job->n_stages_active--;
        job->n_stages_done += e.error.len == 0;
        job->n_stages_failed += e.error.len > 0;
    }
    s->state = e.error.len > 0 ? NB_RUN_FAILED : NB_RUN_DONE;
    nb_app_seen(app, e.completed);
    return true;
}

/* ---- dispatch -------------------------------------------------------------------------------- */

#define CORE "SparkListener"
#define SQL  "org.apache.spark.sql.execution.ui.SparkListener"

static const struct {
    const char *name;
    bool (*take)(nb_app *app, nb_event_reader *r);
} EVENTS[] = {
    {CORE "TaskEnd", nb_app_task_end},
    {CORE "TaskStart", nb_app_task_start},
    {CORE "StageSubmitted", stage_submitted},
    {CORE "StageCompleted", stage_completed},
    {CORE "JobStart", job_start},
    {CORE "JobEnd", job_end},
    {SQL "SQLExecutionStart", nb_app_execution_started},
    {SQL "SQLAdaptiveExecutionUpdate", nb_app_execution_replanned},
    {SQL "DriverAccumUpdates", nb_app_driver_metrics},
    {SQL "SQLExecutionEnd", nb_app_execution_ended},
    {CORE "ExecutorAdded", executor_added},
    {CORE "BlockManagerAdded", block_manager_added},
    {CORE "ExecutorRemoved", executor_removed},
    {CORE "EnvironmentUpdate", environment},
    {CORE "LogStart", log_start},
    {CORE "ApplicationStart", app_start},
    {CORE "ApplicationEnd", app_end},
};

/* {"Event":"…", comes first in what Spark and nbaspark write; elsewhere it is looked for. */
static bool
event_name(nb_event_reader *r, nb_str *out)
{
    nb_event_reader look = *r;
    bool first = true, bad = false;
    nb_str name;

    if (nb_json_peek(&look.json) != NB_JSON_OBJECT || !nb_json_enter(&look.json)) {
        return false;
    }
    while (nb_json_more(&look.json, '}', &first, &bad)) {
        if (!nb_event_read_name(&look, &name)) {
            return false;
        }
        if (nb_str_equal(name, NB_STR("Event"))) {
            return nb_event_read_text(&look, out);
        }
        if (!nb_json_skip(&look.json)) {
            return false;
        }
    }
    return false;
}

static bool
take(nb_app *app, nb_event_reader *r, nb_str line)
{
    nb_str name;

    if (line.len == 0 || line.data[line.len - 1] != '}' || !nb_utf8_is_valid(line.data, line.len) ||
        !event_name(r, &name)) {
        return false;
    }
    for (size_t i = 0; i < NB_COUNT_OF(EVENTS); i++) {
        if (nb_str_equal(name, nb_str_of(EVENTS[i].name))) {
            return EVENTS[i].take(app, r);
        }
    }
    return nb_json_skip(&r->json);
}

bool
nb_app_take(nb_app *app, nb_str line)
{
    nb_event_reader r = {.scratch = app->scratch};
    bool ok;

    line = nb_str_trim(line);
    r.json = nb_json_of(line);
    if (app->full) {
        return true;
    }
    ok = take(app, &r, line);
    nb_arena_reset(app->scratch);
    if (r.no_memory || app->full) {
        app->full = true;
        nb_app_note(app, "the log is too large for the memory it may take; its end is not shown");
        return true;
    }
    app->n_changes++;
    if (!ok) {
        app->n_bad_lines++;
        return false;
    }
    app->n_events++;
    return true;
}
