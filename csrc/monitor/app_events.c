/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_events.c: the events of applications, executors, jobs, stages and tasks.
 *
 * Each handler first reads the whole event into a struct of its own and only then changes the application, so that a damaged line
 * changes nothing. What a handler cannot keep for want of memory sets app->full.
 */
#include "monitor/app_events.h"

#include <stddef.h>
#include "io/codec.h"

#define TASKS_MOST            100000000 /* that a stage may announce */
#define INT(T, name, member)  {name, NB_FIELD_INT, offsetof(T, member), NULL, NULL}
#define TEXT(T, name, member) {name, NB_FIELD_TEXT, offsetof(T, member), NULL, NULL}
#define BOOL(T, name, member) {name, NB_FIELD_BOOL, offsetof(T, member), NULL, NULL}
#define OBJECT(name, table)   {name, NB_FIELD_OBJECT, 0, table, NULL}
#define READ(name, fn)        {name, NB_FIELD_READ, 0, NULL, fn}
#define END                   {NULL, NB_FIELD_INT, 0, NULL, NULL}
#define NONE                  {"", 0}

static nb_str
keep(nb_app *app, nb_str s)
{
    nb_str kept = nb_app_keep(app, s);

    app->full |= !kept.data;
    return kept.data ? kept : (nb_str){"", 0};
}

static void
seen(nb_app *app, int64_t ms)
{
    app->last_event_ms = NB_MAX(app->last_event_ms, ms);
}

/* ---- application ----------------------------------------------------------------------------- */

typedef struct app_event {
    nb_str name, id, user, version, attempt;
    int64_t time;
} app_event;

static bool
log_start(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field table[] = {TEXT(app_event, "Spark Version", version), END};
    app_event e = {.version = NONE};

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    app->version = keep(app, e.version);
    return true;
}

static bool
app_start(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field table[] = {
        TEXT(app_event, "App Name", name),          TEXT(app_event, "App ID", id),
        INT(app_event, "Timestamp", time),          TEXT(app_event, "User", user),
        TEXT(app_event, "App Attempt ID", attempt), END};
    app_event e = {.name = NONE, .id = NONE, .user = NONE, .attempt = NONE};

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    app->name = keep(app, e.name);
    app->id = keep(app, e.id);
    app->user = keep(app, e.user);
    app->attempt = keep(app, e.attempt);
    app->started_ms = e.time;
    seen(app, e.time);
    return true;
}

static bool
app_end(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field table[] = {INT(app_event, "Timestamp", time), END};
    app_event e = {0};

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    app->ended_ms = e.time;
    seen(app, e.time);
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
    static const nb_event_field table[] = {READ("JVM Information", read_runtime),
                                           READ("Spark Properties", read_spark),
                                           READ("Hadoop Properties", read_hadoop),
                                           READ("System Properties", read_system),
                                           READ("Metrics Properties", read_metrics_section),
                                           READ("Classpath Entries", read_classpath),
                                           END};
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
            pairs[i].key = keep(app, e.pairs[s][i].key);
            pairs[i].value = keep(app, e.pairs[s][i].value);
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
    static const nb_event_field info[] = {TEXT(executor_event, "Host", host),
                                          INT(executor_event, "Total Cores", n_cores), END};
    static const nb_event_field table[] = {INT(executor_event, "Timestamp", time),
                                           TEXT(executor_event, "Executor ID", id),
                                           OBJECT("Executor Info", info), END};
    executor_event e = {.id = NONE, .host = NONE};
    int at;

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    at = nb_app_executor_get(app, e.id);
    if (at < 0) {
        app->full = true;
        return true;
    }
    app->executors[at].host = keep(app, e.host);
    app->executors[at].n_cores = e.n_cores;
    app->executors[at].added_ms = e.time;
    app->executors[at].active = true;
    seen(app, e.time);
    return true;
}

static bool
block_manager_added(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field id[] = {TEXT(executor_event, "Executor ID", id),
                                        TEXT(executor_event, "Host", host),
                                        INT(executor_event, "Port", port), END};
    static const nb_event_field table[] = {OBJECT("Block Manager ID", id),
                                           INT(executor_event, "Maximum Memory", memory),
                                           INT(executor_event, "Timestamp", time), END};
    executor_event e = {.id = NONE, .host = NONE};
    int at;

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    at = nb_app_executor_get(app, e.id);
    if (at < 0) {
        app->full = true;
        return true;
    }
    app->executors[at].host = keep(app, e.host);
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
    static const nb_event_field table[] = {INT(executor_event, "Timestamp", time),
                                           TEXT(executor_event, "Executor ID", id),
                                           TEXT(executor_event, "Removed Reason", reason), END};
    executor_event e = {.id = NONE, .reason = NONE};
    int at;

    if (!nb_event_read_object(r, table, &e)) {
        return false;
    }
    at = nb_app_executor_get(app, e.id);
    if (at >= 0) {
        app->executors[at].active = false;
        app->executors[at].removed_ms = e.time;
        app->executors[at].removed_reason = keep(app, e.reason);
    }
    seen(app, e.time);
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

static const nb_event_field STAGE[] = {INT(stage_event, "Stage ID", id),
                                       INT(stage_event, "Stage Attempt ID", attempt),
                                       TEXT(stage_event, "Stage Name", name),
                                       INT(stage_event, "Number of Tasks", n_tasks),
                                       READ("Parent IDs", read_parents),
                                       TEXT(stage_event, "Details", details),
                                       INT(stage_event, "Submission Time", submitted),
                                       INT(stage_event, "Completion Time", completed),
                                       TEXT(stage_event, "Failure Reason", error),
                                       END};
static const nb_event_field STAGE_PROPERTIES[] = {
    TEXT(stage_event, "spark.scheduler.pool", pool),
    TEXT(stage_event, "spark.job.description", description), END};
static const nb_event_field STAGE_EVENT[] = {OBJECT("Stage Info", STAGE),
                                             OBJECT("Properties", STAGE_PROPERTIES), END};

static stage_event
no_stage(void)
{
    return (stage_event){
        .id = -1, .name = NONE, .details = NONE, .error = NONE, .pool = NONE, .description = NONE};
}

static bool
stage_is_good(const stage_event *e)
{
    return e->id >= 0 && e->attempt >= 0 && e->n_tasks >= 0 && e->n_tasks <= TASKS_MOST;
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
    s->name = keep(app, e->name);
    s->details = keep(app, e->details);
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

        job->tags[job->n_tags++] = keep(app, (nb_str){text.data, len});
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
        TEXT(job_event, "spark.sql.execution.id", execution_text),
        TEXT(job_event, "spark.job.description", description),
        TEXT(job_event, "spark.jobGroup.id", group),
        TEXT(job_event, "spark.scheduler.pool", pool),
        TEXT(job_event, "spark.job.tags", tags),
        END};
    static const nb_event_field table[] = {
        INT(job_event, "Job ID", id),     INT(job_event, "Submission Time", time),
        READ("Stage Infos", read_stages), READ("Stage IDs", read_stage_ids),
        OBJECT("Properties", properties), END};
    job_event e = {.id = -1,
                   .description = NONE,
                   .group = NONE,
                   .pool = NONE,
                   .tags = NONE,
                   .execution_text = NONE};
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
    job->description = keep(app, e.description);
    job->group = keep(app, e.group);
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
            job->name = keep(app, s->name);
        }
    }
    seen(app, e.time);
    return true;
}

static nb_app_job *
job_of(const nb_app *app, const nb_app_stage *s)
{
    return s && s->job >= 0 && s->job < app->n_jobs ? app->jobs[s->job] : NULL;
}

static bool
job_end(nb_app *app, nb_event_reader *r)
{
    static const nb_event_field exception[] = {TEXT(job_event, "Message", error), END};
    static const nb_event_field result[] = {TEXT(job_event, "Result", result),
                                            OBJECT("Exception", exception), END};
    static const nb_event_field table[] = {INT(job_event, "Job ID", id),
                                           INT(job_event, "Completion Time", time),
                                           OBJECT("Job Result", result), END};
    job_event e = {.id = -1, .result = NONE, .error = NONE};
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
    job->error = keep(app, e.error);
    for (int i = 0; i < job->n_stages; i++) {
        nb_app_stage *s = nb_app_stage_find(app, job->stages[i], 0);

        if (s && s->state == NB_RUN_PENDING) {
            s->state = NB_RUN_SKIPPED;
            job->n_stages_skipped++;
            job->n_skipped += s->announced_tasks;
        }
    }
    seen(app, e.time);
    return true;
}

static bool
stage_submitted(nb_app *app, nb_event_reader *r)
{
    stage_event e = no_stage();
    nb_app_stage *s;
    nb_app_job *job;

    if (!nb_event_read_object(r, STAGE_EVENT, &e) || !stage_is_good(&e)) {
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
        s->pool = keep(app, e.pool);
    }
    if (e.description.len > 0) {
        s->description = keep(app, e.description);
    }
    job = job_of(app, s);
    if (job) {
        job->n_stages_active++;
    }
    seen(app, e.submitted);
    return true;
}

static bool
stage_completed(nb_app *app, nb_event_reader *r)
{
    stage_event e = no_stage();
    nb_app_stage *s;
    nb_app_job *job;

    if (!nb_event_read_object(r, STAGE_EVENT, &e) || !stage_is_good(&e)) {
        return false;
    }
    s = nb_app_stage_find(app, e.id, e.attempt);
    if (!s) {
        return true;
    }
    set_stage(app, s, &e);
    s->completed_ms = e.completed;
    s->error = keep(app, e.error);
    job = job_of(app, s);
    if (job && s->state == NB_RUN_ACTIVE) {
        job->n_stages_active--;
        job->n_stages_done += e.error.len == 0;
        job->n_stages_failed += e.error.len > 0;
    }
    s->state = e.error.len > 0 ? NB_RUN_FAILED : NB_RUN_DONE;
    seen(app, e.completed);
    return true;
}

/* ---- tasks ----------------------------------------------------------------------------------- */

typedef struct accumulable {
    int64_t id, value;
    bool is_sql;
    struct accumulable *next;
} accumulable;

typedef struct task_event {
    int64_t stage, stage_attempt, id, index, attempt, partition, launched, finished, getting_result;
    nb_str executor, host, locality, reason, class_name, description, kill_reason, loss_reason,
        message;
    bool speculative, failed, killed, has_counts;
    accumulable *first, **last;
    nb_task_counts counts;
} task_event;

typedef struct accumulable_event {
    int64_t id, number;
    nb_str metadata, text;
    bool has_number;
} accumulable_event;

/* Metrics of plans are numbers in quotes; others may be anything. */
static bool
read_update(nb_event_reader *r, void *base)
{
    accumulable_event *e = base;

    switch (nb_json_peek(&r->json)) {
    case NB_JSON_STRING:
        if (!nb_event_read_text(r, &e->text)) {
            return false;
        }
        e->has_number = nb_str_to_int64(e->text, &e->number);
        return true;
    case NB_JSON_INT: e->has_number = true; return nb_event_read_int(r, &e->number);
    default: return nb_json_skip(&r->json);
    }
}

static bool
read_accumulables(nb_event_reader *r, void *base)
{
    static const nb_event_field table[] = {INT(accumulable_event, "ID", id),
                                           READ("Update", read_update),
                                           TEXT(accumulable_event, "Metadata", metadata), END};
    task_event *e = base;
    bool first = true, bad = false;

    e->first = NULL;
    e->last = &e->first;
    if (nb_json_peek(&r->json) != NB_JSON_ARRAY || !nb_json_enter(&r->json)) {
        return false;
    }
    while (nb_json_more(&r->json, ']', &first, &bad)) {
        accumulable_event a = {.id = -1, .metadata = NONE};
        accumulable *kept;

        if (!nb_event_read_object(r, table, &a)) {
            return false;
        }
        if (!a.has_number || !nb_str_equal(a.metadata, NB_STR("sql"))) {
            continue;
        }
        kept = NB_ARENA_NEW(r->scratch, accumulable);
        if (!kept) {
            r->no_memory = true;
            return false;
        }
        *kept = (accumulable){.id = a.id, .value = a.number};
        *e->last = kept;
        e->last = &kept->next;
    }
    return !bad;
}

static bool read_counts(nb_event_reader *r, void *base);

static const nb_event_field TASK_INFO[] = {INT(task_event, "Task ID", id),
                                           INT(task_event, "Index", index),
                                           INT(task_event, "Attempt", attempt),
                                           INT(task_event, "Partition ID", partition),
                                           INT(task_event, "Launch Time", launched),
                                           TEXT(task_event, "Executor ID", executor),
                                           TEXT(task_event, "Host", host),
                                           TEXT(task_event, "Locality", locality),
                                           BOOL(task_event, "Speculative", speculative),
                                           INT(task_event, "Getting Result Time", getting_result),
                                           INT(task_event, "Finish Time", finished),
                                           BOOL(task_event, "Failed", failed),
                                           BOOL(task_event, "Killed", killed),
                                           READ("Accumulables", read_accumulables),
                                           END};

static const nb_event_field REASON[] = {TEXT(task_event, "Reason", reason),
                                        TEXT(task_event, "Class Name", class_name),
                                        TEXT(task_event, "Description", description),
                                        TEXT(task_event, "Kill Reason", kill_reason),
                                        TEXT(task_event, "Loss Reason", loss_reason),
                                        TEXT(task_event, "Message", message),
                                        END};

#define COUNT(name, member) INT(task_event, name, counts.member)
static const nb_event_field SHUFFLE_READ[] = {
    COUNT("Remote Blocks Fetched", remote_blocks),
    COUNT("Local Blocks Fetched", local_blocks),
    COUNT("Fetch Wait Time", fetch_wait_ms),
    COUNT("Remote Bytes Read", remote_bytes),
    COUNT("Remote Bytes Read To Disk", remote_bytes_to_disk),
    COUNT("Local Bytes Read", local_bytes),
    COUNT("Total Records Read", shuffle_read_rows),
    COUNT("Remote Requests Duration", remote_requests_ms),
    END};
static const nb_event_field SHUFFLE_WRITE[] = {
    COUNT("Shuffle Bytes Written", shuffle_written_bytes),
    COUNT("Shuffle Write Time", shuffle_write_ns),
    COUNT("Shuffle Records Written", shuffle_written_rows), END};
static const nb_event_field INPUT[] = {COUNT("Bytes Read", input_bytes),
                                       COUNT("Records Read", input_rows), END};
static const nb_event_field OUTPUT[] = {COUNT("Bytes Written", output_bytes),
                                        COUNT("Records Written", output_rows), END};
static const nb_event_field COUNTS[] = {COUNT("Executor Deserialize Time", setup_ms),
                                        COUNT("Executor Deserialize CPU Time", setup_cpu_ns),
                                        COUNT("Executor Run Time", run_ms),
                                        COUNT("Executor CPU Time", cpu_ns),
                                        COUNT("Peak Execution Memory", peak_memory),
                                        COUNT("Result Size", result_size),
                                        COUNT("JVM GC Time", gc_ms),
                                        COUNT("Result Serialization Time", result_ms),
                                        COUNT("Memory Bytes Spilled", memory_spilled),
                                        COUNT("Disk Bytes Spilled", disk_spilled),
                                        OBJECT("Shuffle Read Metrics", SHUFFLE_READ),
                                        OBJECT("Shuffle Write Metrics", SHUFFLE_WRITE),
                                        OBJECT("Input Metrics", INPUT),
                                        OBJECT("Output Metrics", OUTPUT),
                                        END};
#undef COUNT

static bool
read_counts(nb_event_reader *r, void *base)
{
    ((task_event *)base)->has_counts = true;
    return nb_event_read_object(r, COUNTS, base);
}

static const nb_event_field TASK_EVENT[] = {
    INT(task_event, "Stage ID", stage), INT(task_event, "Stage Attempt ID", stage_attempt),
    OBJECT("Task End Reason", REASON),  OBJECT("Task Info", TASK_INFO),
    READ("Task Metrics", read_counts),  END};

static bool
read_task(nb_event_reader *r, task_event *e)
{
    nb_str none = NONE;

    *e = (task_event){.stage = -1,
                      .id = -1,
                      .partition = -1,
                      .executor = none,
                      .host = none,
                      .locality = none,
                      .reason = none,
                      .class_name = none,
                      .description = none,
                      .kill_reason = none,
                      .loss_reason = none,
                      .message = none};
    return nb_event_read_object(r, TASK_EVENT, e) && e->stage >= 0 && e->stage_attempt >= 0 &&
           e->id >= 0 && e->index >= 0 && e->index < TASKS_MOST && e->attempt >= 0 &&
           e->attempt < INT32_MAX && e->partition >= -1 && e->partition < INT32_MAX;
}

static uint8_t
locality_of(nb_str name)
{
    uint8_t i = 0;

    while (nb_localities[i + 1] && !nb_str_equal(name, nb_str_of(nb_localities[i]))) {
        i++;
    }
    return i;
}

static void
add_counts(nb_task_counts *to, const nb_task_counts *from)
{
    int64_t *a = (int64_t *)to;
    const int64_t *b = (const int64_t *)from;

    for (int i = 0; i < NB_N_TASK_COUNTS; i++) {
        a[i] = (int64_t)((uint64_t)a[i] + (uint64_t)b[i]);
    }
}

static nb_app_task *
start_task(nb_app *app, nb_app_stage *s, const task_event *e)
{
    int executor = nb_app_executor_get(app, e->executor);
    nb_app_task *t = executor >= 0 ? nb_app_task_add(app, s) : NULL;
    nb_app_job *job = job_of(app, s);

    if (!t || !nb_id_map_put(&app->task_ids, app->pool, e->id, s->n_tasks - 1)) {
        app->full = true;
        return NULL;
    }
    t->id = e->id;
    t->launched_ms = e->launched;
    t->index = (int32_t)e->index;
    t->attempt = (int32_t)e->attempt;
    t->partition = (int32_t)(e->partition >= 0 ? e->partition : e->index);
    t->executor = (int16_t)executor;
    t->state = NB_RUN_ACTIVE;
    t->locality = locality_of(e->locality);
    t->speculative = e->speculative;
    s->n_active++;
    if (s->first_launch_ms == 0 || e->launched < s->first_launch_ms) {
        s->first_launch_ms = e->launched;
    }
    app->executors[executor].n_active++;
    app->executors[executor].n_started++;
    if (app->executors[executor].host.len == 0) {
        app->executors[executor].host = keep(app, e->host);
    }
    if (job) {
        job->n_active++;
    }
    return t;
}

static bool
task_start(nb_app *app, nb_event_reader *r)
{
    task_event e;
    nb_app_stage *s;

    if (!read_task(r, &e)) {
        return false;
    }
    s = nb_app_stage_find(app, e.stage, e.stage_attempt);
    if (s) {
        start_task(app, s, &e);
    }
    seen(app, e.launched);
    return true;
}

/* Has this part of the stage succeeded for the first time? */
static bool
first_success(nb_app *app, nb_app_stage *s, int64_t index)
{
    int64_t word = index / 64;

    if (word >= s->n_index_words) {
        int64_t n = NB_MAX(word + 1, (s->announced_tasks + 63) / 64);
        uint64_t *wider = nb_arena_zalloc(app->arena, (size_t)n * sizeof(uint64_t));

        if (!wider) {
            app->full = true;
            return false;
        }
        if (s->n_index_words) {
            memcpy(wider, s->done_indices, (size_t)s->n_index_words * sizeof(uint64_t));
        }
        s->done_indices = wider;
        s->n_index_words = n;
    }
    if (s->done_indices[word] >> (index % 64) & 1) {
        return false;
    }
    s->done_indices[word] |= (uint64_t)1 << (index % 64);
    return true;
}

/* Spark's toErrorString. */
static const char *
error_text(nb_app *app, const task_event *e)
{
    const nb_str *text = e->description.len   ? &e->description
                         : e->loss_reason.len ? &e->loss_reason
                         : e->message.len     ? &e->message
                                              : &e->reason;
    char *made;

    if (nb_str_equal(e->reason, NB_STR("TaskKilled"))) {
        made = nb_arena_printf(app->arena, "TaskKilled (%.*s)", (int)e->kill_reason.len,
                               e->kill_reason.data);
    } else if (nb_str_equal(e->reason, NB_STR("ExecutorLostFailure"))) {
        made = nb_arena_printf(app->arena, "ExecutorLostFailure (executor %.*s): %.*s",
                               (int)e->executor.len, e->executor.data, (int)text->len, text->data);
    } else if (e->class_name.len > 0) {
        made = nb_arena_printf(app->arena, "%.*s: %.*s", (int)e->class_name.len, e->class_name.data,
                               (int)text->len, text->data);
    } else {
        made = nb_arena_strdup(app->arena, *text);
    }
    app->full |= !made;
    return made ? made : "";
}

static void
finish_task(nb_app *app, nb_app_stage *s, nb_app_task *t, const task_event *e)
{
    bool succeeded = nb_str_equal(e->reason, NB_STR("Success"));
    bool killed = nb_str_equal(e->reason, NB_STR("TaskKilled"));
    nb_app_executor *x = &app->executors[t->executor];
    nb_app_job *job = job_of(app, s);
    bool first = succeeded && first_success(app, s, e->index);

    t->state = succeeded ? NB_RUN_DONE : killed ? NB_RUN_KILLED : NB_RUN_FAILED;
    t->finished_ms = e->finished;
    t->getting_result_ms = e->getting_result;
    t->has_counts = e->has_counts;
    t->counts = e->counts;
    t->error = succeeded ? NULL : error_text(app, e);
    s->n_active--;
    s->n_done += succeeded;
    s->n_killed += killed;
    s->n_failed += !succeeded && !killed;
    s->n_indices += first;
    if (killed) {
        s->killed_reason = keep(app, e->kill_reason);
    }
    add_counts(&s->counts, &e->counts);
    x->n_active--;
    x->n_done += succeeded;
    x->n_failed += !succeeded && !killed;
    x->task_ms += NB_MAX(e->finished - e->launched, 0);
    add_counts(&x->counts, &e->counts);
    if (job) {
        job->n_active--;
        job->n_done += succeeded;
        job->n_killed += killed;
        job->n_failed += !succeeded && !killed;
        job->n_indices += first;
        if (killed) {
            job->killed_reason = s->killed_reason;
        }
    }
}

static bool
task_end(nb_app *app, nb_event_reader *r)
{
    task_event e;
    nb_app_stage *s;
    nb_app_task *t = NULL;
    int64_t at;

    if (!read_task(r, &e)) {
        return false;
    }
    s = nb_app_stage_find(app, e.stage, e.stage_attempt);
    seen(app, e.finished);
    if (!s) {
        return true;
    }
    if (nb_id_map_get(&app->task_ids, e.id, &at) && at < s->n_tasks &&
        nb_app_task_at(s, at)->id == e.id) {
        t = nb_app_task_at(s, at);
        if (t->state != NB_RUN_ACTIVE) {
            return true; /* ended twice */
        }
    } else {
        t = start_task(app, s, &e); /* its beginning was lost */
    }
    if (t) {
        finish_task(app, s, t, &e);
        for (const accumulable *a = e.first; a; a = a->next) {
            nb_app_count(app, a->id, a->value, e.stage, e.stage_attempt, e.id);
        }
    }
    nb_id_map_remove(&app->task_ids, e.id);
    return true;
}

/* ---- dispatch -------------------------------------------------------------------------------- */

#define CORE "SparkListener"
#define SQL  "org.apache.spark.sql.execution.ui.SparkListener"

static const struct {
    const char *name;
    bool (*take)(nb_app *app, nb_event_reader *r);
} EVENTS[] = {
    {CORE "TaskEnd", task_end},
    {CORE "TaskStart", task_start},
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
