/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_tasks.c: the events of tasks.
 */
#include "monitor/app_events_internal.h"

typedef struct accumulable {
    int64_t id, value;
    bool is_sql;
    struct accumulable *next;
} accumulable;

typedef struct task_event {
    int64_t stage, stage_attempt, id, index, attempt, partition, launched, finished, getting_result;
    nb_str executor, host, locality, reason, class_name, description, kill_reason, loss_reason,
        message, stack;
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
    static const nb_event_field table[] = {
        NB_EVENT_INT(accumulable_event, "ID", id), NB_EVENT_READ("Update", read_update),
        NB_EVENT_TEXT(accumulable_event, "Metadata", metadata), NB_EVENT_END};
    task_event *e = base;
    bool first = true, bad = false;

    e->first = NULL;
    e->last = &e->first;
    if (nb_json_peek(&r->json) != NB_JSON_ARRAY || !nb_json_enter(&r->json)) {
        return false;
    }
    while (nb_json_more(&r->json, ']', &first, &bad)) {
        accumulable_event a = {.id = -1, .metadata = NB_EVENT_NONE};
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

static const nb_event_field TASK_INFO[] = {
    NB_EVENT_INT(task_event, "Task ID", id),
    NB_EVENT_INT(task_event, "Index", index),
    NB_EVENT_INT(task_event, "Attempt", attempt),
    NB_EVENT_INT(task_event, "Partition ID", partition),
    NB_EVENT_INT(task_event, "Launch Time", launched),
    NB_EVENT_TEXT(task_event, "Executor ID", executor),
    NB_EVENT_TEXT(task_event, "Host", host),
    NB_EVENT_TEXT(task_event, "Locality", locality),
    NB_EVENT_BOOL(task_event, "Speculative", speculative),
    NB_EVENT_INT(task_event, "Getting Result Time", getting_result),
    NB_EVENT_INT(task_event, "Finish Time", finished),
    NB_EVENT_BOOL(task_event, "Failed", failed),
    NB_EVENT_BOOL(task_event, "Killed", killed),
    NB_EVENT_READ("Accumulables", read_accumulables),
    NB_EVENT_END};

static const nb_event_field REASON[] = {NB_EVENT_TEXT(task_event, "Reason", reason),
                                        NB_EVENT_TEXT(task_event, "Class Name", class_name),
                                        NB_EVENT_TEXT(task_event, "Description", description),
                                        NB_EVENT_TEXT(task_event, "Full Stack Trace", stack),
                                        NB_EVENT_TEXT(task_event, "Kill Reason", kill_reason),
                                        NB_EVENT_TEXT(task_event, "Loss Reason", loss_reason),
                                        NB_EVENT_TEXT(task_event, "Message", message),
                                        NB_EVENT_END};

#define COUNT(name, member) NB_EVENT_INT(task_event, name, counts.member)
static const nb_event_field SHUFFLE_READ[] = {
    COUNT("Remote Blocks Fetched", remote_blocks),
    COUNT("Local Blocks Fetched", local_blocks),
    COUNT("Fetch Wait Time", fetch_wait_ms),
    COUNT("Remote Bytes Read", remote_bytes),
    COUNT("Remote Bytes Read To Disk", remote_bytes_to_disk),
    COUNT("Local Bytes Read", local_bytes),
    COUNT("Total Records Read", shuffle_read_rows),
    COUNT("Remote Requests Duration", remote_requests_ms),
    NB_EVENT_END};
static const nb_event_field SHUFFLE_WRITE[] = {
    COUNT("Shuffle Bytes Written", shuffle_written_bytes),
    COUNT("Shuffle Write Time", shuffle_write_ns),
    COUNT("Shuffle Records Written", shuffle_written_rows), NB_EVENT_END};
static const nb_event_field INPUT[] = {COUNT("Bytes Read", input_bytes),
                                       COUNT("Records Read", input_rows), NB_EVENT_END};
static const nb_event_field OUTPUT[] = {COUNT("Bytes Written", output_bytes),
                                        COUNT("Records Written", output_rows), NB_EVENT_END};
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
                                        NB_EVENT_OBJECT("Shuffle Read Metrics", SHUFFLE_READ),
                                        NB_EVENT_OBJECT("Shuffle Write Metrics", SHUFFLE_WRITE),
                                        NB_EVENT_OBJECT("Input Metrics", INPUT),
                                        NB_EVENT_OBJECT("Output Metrics", OUTPUT),
                                        NB_EVENT_END};
#undef COUNT

static bool
read_counts(nb_event_reader *r, void *base)
{
    ((task_event *)base)->has_counts = true;
    return nb_event_read_object(r, COUNTS, base);
}

static const nb_event_field TASK_EVENT[] = {
    NB_EVENT_INT(task_event, "Stage ID", stage),
    NB_EVENT_INT(task_event, "Stage Attempt ID", stage_attempt),
    NB_EVENT_OBJECT("Task End Reason", REASON),
    NB_EVENT_OBJECT("Task Info", TASK_INFO),
    NB_EVENT_READ("Task Metrics", read_counts),
    NB_EVENT_END};

static bool
read_task(nb_event_reader *r, task_event *e)
{
    nb_str none = NB_EVENT_NONE;

    *e = (task_event){.stage = -1,
                      .id = -1,
                      .partition = -1,
                      .executor = none,
                      .host = none,
                      .locality = none,
                      .reason = none,
                      .class_name = none,
                      .stack = none,
                      .description = none,
                      .kill_reason = none,
                      .loss_reason = none,
                      .message = none};
    return nb_event_read_object(r, TASK_EVENT, e) && e->stage >= 0 && e->stage_attempt >= 0 &&
           e->id >= 0 && e->index >= 0 && e->index < NB_APP_TASKS_MOST && e->attempt >= 0 &&
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
    nb_app_job *job = nb_app_job_of(app, s);

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
        app->executors[executor].host = nb_app_keep_text(app, e->host);
    }
    if (job) {
        job->n_active++;
    }
    return t;
}

bool
nb_app_task_start(nb_app *app, nb_event_reader *r)
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
    nb_app_seen(app, e.launched);
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

/* As Spark's page and REST interface put it. */
static const char *
error_text(nb_app *app, const task_event *e)
{
    const nb_str *text = e->description.len   ? &e->description
                         : e->loss_reason.len ? &e->loss_reason
                         : e->message.len     ? &e->message
                                              : &e->reason;
    char *made;

    if (nb_str_equal(e->reason, NB_STR("TaskKilled"))) {
        made = nb_arena_strdup(app->arena, e->kill_reason);
    } else if (nb_str_equal(e->reason, NB_STR("ExecutorLostFailure"))) {
        made = nb_arena_printf(app->arena, "ExecutorLostFailure (executor %.*s): %.*s",
                               (int)e->executor.len, e->executor.data, (int)text->len, text->data);
    } else if (e->stack.len > 0) {
        made = nb_arena_strdup(app->arena, e->stack);
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
    nb_app_job *job = nb_app_job_of(app, s);
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
        s->killed_reason = nb_app_keep_text(app, e->kill_reason);
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

bool
nb_app_task_end(nb_app *app, nb_event_reader *r)
{
    task_event e;
    nb_app_stage *s;
    nb_app_task *t = NULL;
    int64_t at;

    if (!read_task(r, &e)) {
        return false;
    }
    s = nb_app_stage_find(app, e.stage, e.stage_attempt);
    nb_app_seen(app, e.finished);
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
