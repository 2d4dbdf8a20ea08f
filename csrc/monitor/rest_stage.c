/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rest_stage.c: stages and their tasks; see rest.h.
 *
 *     stages[?status=…]                        stages/<id>                stages/<id>/<attempt>
 *     stages/<id>/<attempt>/taskList?offset=0&length=20&sortBy=…&status=…
 *     stages/<id>/<attempt>/taskSummary?quantiles=0.05,0.25,…
 *
 * sortBy takes Spark's ID, INCREASING_RUNTIME (or runtime) and DECREASING_RUNTIME (or -runtime), and the names of ORDERS below, with "-" before for the other
 * way round.
 */
#include <stdio.h>
#include <stdlib.h>
#include "monitor/rest.h"

#define QUANTILES_MOST 16

typedef struct column {
    const char *name; /* in summaries and for sorting */
    size_t offset;    /* in nb_task_counts */
} column;

#define AT(member) offsetof(nb_task_counts, member)

/* Groups of fields as Spark prints them. */
static const column PLAIN[] = {
    {"executorDeserializeTime", AT(setup_ms)}, {"executorDeserializeCpuTime", AT(setup_cpu_ns)},
    {"executorRunTime", AT(run_ms)},           {"executorCpuTime", AT(cpu_ns)},
    {"resultSize", AT(result_size)},           {"jvmGcTime", AT(gc_ms)},
    {"resultSerializationTime", AT(result_ms)}};
static const column SPILL[] = {{"memoryBytesSpilled", AT(memory_spilled)},
                               {"diskBytesSpilled", AT(disk_spilled)}};
static const column PEAK[] = {{"peakExecutionMemory", AT(peak_memory)}};
static const column INPUT[] = {{"bytesRead", AT(input_bytes)}, {"recordsRead", AT(input_rows)}};
static const column OUTPUT[] = {{"bytesWritten", AT(output_bytes)},
                                {"recordsWritten", AT(output_rows)}};
static const column READ[] = {{"remoteBlocksFetched", AT(remote_blocks)},
                              {"localBlocksFetched", AT(local_blocks)},
                              {"fetchWaitTime", AT(fetch_wait_ms)},
                              {"remoteBytesRead", AT(remote_bytes)},
                              {"remoteBytesReadToDisk", AT(remote_bytes_to_disk)},
                              {"localBytesRead", AT(local_bytes)},
                              {"recordsRead", AT(shuffle_read_rows)},
                              {"remoteReqsDuration", AT(remote_requests_ms)}};
static const column WRITE[] = {{"bytesWritten", AT(shuffle_written_bytes)},
                               {"writeTime", AT(shuffle_write_ns)},
                               {"recordsWritten", AT(shuffle_written_rows)}};
static const char *const PUSHED[] = {
    "corruptMergedBlockChunks", "mergedFetchFallbackCount",  "remoteMergedBlocksFetched",
    "localMergedBlocksFetched", "remoteMergedChunksFetched", "localMergedChunksFetched",
    "remoteMergedBytesRead",    "localMergedBytesRead",      "remoteMergedReqsDuration"};

static int64_t
count_of(const nb_task_counts *c, size_t offset)
{
    return *(const int64_t *)(const void *)((const char *)c + offset);
}

static void
put_columns(nb_json_out *o, const column *columns, size_t n, const nb_task_counts *c)
{
    for (size_t i = 0; i < n; i++) {
        nb_out_int(o, columns[i].name, count_of(c, columns[i].offset));
    }
}

#define PUT(o, columns, c) put_columns(o, columns, NB_COUNT_OF(columns), c)

/* ---- tasks ----------------------------------------------------------------------------------- */

static int64_t
task_end_ms(const nb_app *app, const nb_app_task *t)
{
    return t->finished_ms > 0 ? t->finished_ms : NB_MAX(app->last_event_ms, t->launched_ms);
}

static int64_t
duration_ms(const nb_app *app, const nb_app_task *t)
{
    return NB_MAX(task_end_ms(app, t) - t->launched_ms, 0);
}

static int64_t
scheduler_delay(const nb_app *app, const nb_app_task *t)
{
    int64_t getting = t->getting_result_ms > 0 ? task_end_ms(app, t) - t->getting_result_ms : 0;
    int64_t rest =
        duration_ms(app, t) - t->counts.run_ms - t->counts.setup_ms - t->counts.result_ms - getting;

    return t->finished_ms > 0 && t->has_counts ? NB_MAX(rest, 0) : 0;
}

static const char *const TASK_STATES[] = {"RUNNING", "KILLED",  "FAILED",
                                          "SUCCESS", "UNKNOWN", NULL};
static const char *const STAGE_STATES[] = {"ACTIVE",  "COMPLETE", "FAILED",
                                           "PENDING", "SKIPPED",  NULL};

static const char *
task_state(const nb_app_task *t)
{
    return t->state == NB_RUN_DONE     ? "SUCCESS"
           : t->state == NB_RUN_ACTIVE ? "RUNNING"
                                       : nb_run_state_name((nb_run_state)t->state, false);
}

static void
put_task(nb_json_out *o, const char *key, const nb_app *app, const nb_app_task *t)
{
    const nb_app_executor *x = &app->executors[t->executor];

    nb_out_open(o, key, '{');
    nb_out_int(o, "taskId", t->id);
    nb_out_int(o, "index", t->index);
    nb_out_int(o, "attempt", t->attempt);
    nb_out_int(o, "partitionId", t->partition);
    nb_out_time(o, "launchTime", t->launched_ms);
    if (t->getting_result_ms > 0) {
        nb_out_time(o, "resultFetchStart", t->getting_result_ms);
    }
    if (duration_ms(app, t) > 0) {
        nb_out_int(o, "duration", duration_ms(app, t));
    }
    nb_out_str(o, "executorId", x->id);
    nb_out_str(o, "host", x->host);
    nb_out_text(o, "status", task_state(t));
    nb_out_text(o, "taskLocality", nb_localities[t->locality]);
    nb_out_bool(o, "speculative", t->speculative);
    nb_out_open(o, "accumulatorUpdates", '[');
    nb_out_close(o, ']');
    if (t->error) {
        nb_out_text(o, "errorMessage", t->error);
    }
    if (t->has_counts) {
        nb_out_open(o, "taskMetrics", '{');
        PUT(o, PLAIN, &t->counts);
        PUT(o, SPILL, &t->counts);
        PUT(o, PEAK, &t->counts);
        nb_out_open(o, "inputMetrics", '{');
        PUT(o, INPUT, &t->counts);
        nb_out_close(o, '}');
        nb_out_open(o, "outputMetrics", '{');
        PUT(o, OUTPUT, &t->counts);
        nb_out_close(o, '}');
        nb_out_open(o, "shuffleReadMetrics", '{');
        PUT(o, READ, &t->counts);
        nb_out_open(o, "shufflePushReadMetrics", '{');
        for (size_t i = 0; i < NB_COUNT_OF(PUSHED); i++) {
            nb_out_int(o, PUSHED[i], 0);
        }
        nb_out_close(o, '}');
        nb_out_close(o, '}');
        nb_out_open(o, "shuffleWriteMetrics", '{');
        PUT(o, WRITE, &t->counts);
        nb_out_close(o, '}');
        nb_out_close(o, '}');
    }
    nb_out_open(o, "executorLogs", '{');
    nb_out_close(o, '}');
    nb_out_int(o, "schedulerDelay", scheduler_delay(app, t));
    nb_out_int(o, "gettingResultTime",
               t->getting_result_ms > 0 ? task_end_ms(app, t) - t->getting_result_ms : 0);
    nb_out_close(o, '}');
}

/* What tasks can be sorted by, besides their numbers. */
static const column ORDERS[] = {{"cpu", AT(cpu_ns)},
                                {"gc", AT(gc_ms)},
                                {"inputRows", AT(input_rows)},
                                {"inputBytes", AT(input_bytes)},
                                {"outputRows", AT(output_rows)},
                                {"outputBytes", AT(output_bytes)},
                                {"shuffleReadRows", AT(shuffle_read_rows)},
                                {"shuffleWriteRows", AT(shuffle_written_rows)},
                                {"shuffleWriteBytes", AT(shuffle_written_bytes)},
                                {"spill", AT(disk_spilled)},
                                {"peak", AT(peak_memory)}};

typedef struct ranked {
    int64_t key, place, at; /* equal keys: by place, which is backwards too when the order is */
} ranked;

static int
by_rank(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    return x->key != y->key ? (x->key > y->key) - (x->key < y->key)
                            : (x->place > y->place) - (x->place < y->place);
}

static bool
is_order(nb_str order)
{
    static const char *const others[] = {"",       "ID",    "runtime", "duration",
                                         "launch", "index", "status",  "executor"};

    for (size_t i = 0; i < NB_COUNT_OF(ORDERS); i++) {
        if (nb_str_equal(order, nb_str_of(ORDERS[i].name))) {
            return true;
        }
    }
    for (size_t i = 0; i < NB_COUNT_OF(others); i++) {
        if (nb_str_equal_nocase(order, nb_str_of(others[i]))) {
            return true;
        }
    }
    return false;
}

static int64_t
rank(const nb_app *app, const nb_app_task *t, nb_str order)
{
    if (nb_str_equal(order, NB_STR("runtime"))) {
        return t->counts.run_ms;
    }
    if (nb_str_equal(order, NB_STR("duration"))) {
        return duration_ms(app, t);
    }
    if (nb_str_equal(order, NB_STR("launch"))) {
        return t->launched_ms;
    }
    if (nb_str_equal(order, NB_STR("index"))) {
        return t->index;
    }
    if (nb_str_equal(order, NB_STR("status"))) {
        return t->state;
    }
    if (nb_str_equal(order, NB_STR("executor"))) {
        return t->executor;
    }
    for (size_t i = 0; i < NB_COUNT_OF(ORDERS); i++) {
        if (nb_str_equal(order, nb_str_of(ORDERS[i].name))) {
            return count_of(&t->counts, ORDERS[i].offset);
        }
    }
    return t->id;
}

static nb_status
task_list(nb_app *app, const nb_http_request *request, const nb_app_stage *s,
          nb_http_answer *answer)
{
    nb_json_out o = {&answer->body, false};
    int64_t offset = 0, length = 20;
    nb_str order = NB_STR("ID"), wanted = {"", 0};
    ranked *list = NB_ARENA_ARRAY(app->scratch, ranked, s->n_tasks + 1);
    int64_t n = 0;
    bool down;

    if (!list) {
        return NB_NOMEM;
    }
    if (!nb_http_query_int(request, "offset", &offset) ||
        !nb_http_query_int(request, "length", &length)) {
        return nb_rest_refuse(answer, 404, "offset and length are numbers");
    }
    offset = NB_MAX(offset, 0);
    length = NB_MIN(length, 10000);
    nb_http_query(request, "sortBy", &order);
    if (!nb_rest_query_word(request, "status", TASK_STATES, &wanted)) {
        return nb_rest_refuse(answer, 404, "unknown status");
    }
    if (nb_str_equal_nocase(order, NB_STR("INCREASING_RUNTIME"))) {
        order = NB_STR("runtime");
    } else if (nb_str_equal_nocase(order, NB_STR("DECREASING_RUNTIME"))) {
        order = NB_STR("-runtime");
    }
    down = nb_str_starts_with(order, NB_STR("-"));
    if (down) {
        order.data++;
        order.len--;
    }
    if (!is_order(order)) {
        return nb_rest_refuse(answer, 404, "unknown sortBy");
    }
    for (int64_t i = 0; i < s->n_tasks; i++) {
        const nb_app_task *t = nb_app_task_at(s, i);

        if (wanted.len > 0 && !nb_str_equal_nocase(wanted, nb_str_of(task_state(t)))) {
            continue;
        }
        list[n].key = rank(app, t, order);
        list[n].key = down ? -list[n].key : list[n].key;
        list[n].place = down ? -i : i;
        list[n++].at = i;
    }
    qsort(list, (size_t)n, sizeof(*list), by_rank);
    nb_out_open(&o, NULL, '[');
    for (int64_t i = NB_MIN(offset, n); i < n && i - offset < length; i++) {
        put_task(&o, NULL, app, nb_app_task_at(s, list[i].at));
    }
    nb_out_close(&o, ']');
    return NB_OK;
}

/* ---- summaries ------------------------------------------------------------------------------- */

typedef struct summary {
    nb_app *app;
    const nb_app_stage *stage;
    nb_json_out *o;
    double quantiles[QUANTILES_MOST];
    int n_quantiles;
    int64_t *values; /* one per finished task */
    int64_t n;
} summary;

static int
by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void
put_quantiles(summary *s, const char *name)
{
    qsort(s->values, (size_t)s->n, sizeof(int64_t), by_value);
    nb_out_open(s->o, name, '[');
    for (int q = 0; q < s->n_quantiles; q++) {
        int64_t at = (int64_t)(s->quantiles[q] * (double)s->n);

        nb_out_double(s->o, NULL, s->n > 0 ? (double)s->values[NB_MIN(at, s->n - 1)] : 0);
    }
    nb_out_close(s->o, ']');
}

static void
summarize(summary *s, const char *name, int64_t (*of)(const nb_app *app, const nb_app_task *t))
{
    s->n = 0;
    for (int64_t i = 0; i < s->stage->n_tasks; i++) {
        const nb_app_task *t = nb_app_task_at(s->stage, i);

        if (t->state == NB_RUN_DONE) {
            s->values[s->n++] = of(s->app, t);
        }
    }
    put_quantiles(s, name);
}

static void
summarize_columns(summary *s, const char *key, const column *columns, size_t n)
{
    if (key) {
        nb_out_open(s->o, key, '{');
    }
    for (size_t c = 0; c < n; c++) {
        s->n = 0;
        for (int64_t i = 0; i < s->stage->n_tasks; i++) {
            const nb_app_task *t = nb_app_task_at(s->stage, i);

            if (t->state == NB_RUN_DONE) {
                s->values[s->n++] = count_of(&t->counts, columns[c].offset);
            }
        }
        put_quantiles(s, columns[c].name);
    }
    if (key) {
        nb_out_close(s->o, '}');
    }
}

static int64_t
getting_result(const nb_app *app, const nb_app_task *t)
{
    return t->getting_result_ms > 0 ? task_end_ms(app, t) - t->getting_result_ms : 0;
}

static int64_t
shuffle_read_bytes(const nb_app *app, const nb_app_task *t)
{
    (void)app;
    return t->counts.remote_bytes + t->counts.local_bytes;
}

static int64_t
blocks_fetched(const nb_app *app, const nb_app_task *t)
{
    (void)app;
    return t->counts.remote_blocks + t->counts.local_blocks;
}

static bool
read_quantiles(const nb_http_request *request, summary *s)
{
    nb_str text = NB_STR("0.05,0.25,0.5,0.75,0.95");
    const char *p;

    nb_http_query(request, "quantiles", &text);
    p = text.data;
    for (;;) {
        char *end;
        double q = strtod(p, &end);

        if (end == p || !(q >= 0 && q <= 1) || s->n_quantiles == QUANTILES_MOST) {
            return false;
        }
        s->quantiles[s->n_quantiles++] = q;
        if (*end == 0) {
            return true;
        }
        if (*end != ',') {
            return false;
        }
        p = end + 1;
    }
}

static nb_status
task_summary(nb_app *app, const nb_http_request *request, const nb_app_stage *stage,
             nb_http_answer *answer)
{
    static const column read_rows[] = {{"readRecords", AT(shuffle_read_rows)},
                                       {"remoteBlocksFetched", AT(remote_blocks)},
                                       {"localBlocksFetched", AT(local_blocks)},
                                       {"fetchWaitTime", AT(fetch_wait_ms)},
                                       {"remoteBytesRead", AT(remote_bytes)},
                                       {"remoteBytesReadToDisk", AT(remote_bytes_to_disk)}};
    static const column requests[] = {{"remoteReqsDuration", AT(remote_requests_ms)}};
    static const column written[] = {{"writeBytes", AT(shuffle_written_bytes)},
                                     {"writeRecords", AT(shuffle_written_rows)},
                                     {"writeTime", AT(shuffle_write_ns)}};
    nb_json_out o = {&answer->body, false};
    summary s = {.app = app, .stage = stage, .o = &o};

    if (!read_quantiles(request, &s)) {
        return nb_rest_refuse(answer, 400, "quantiles are numbers from 0 to 1, with commas");
    }
    if (stage->n_done == 0) {
        return nb_rest_refuse(answer, 404, "No tasks reported metrics for %lld / %d yet.",
                              (long long)stage->id, stage->attempt);
    }
    s.values = NB_ARENA_ARRAY(app->scratch, int64_t, stage->n_tasks + 1);
    if (!s.values) {
        return NB_NOMEM;
    }
    nb_out_open(&o, NULL, '{');
    nb_out_open(&o, "quantiles", '[');
    for (int q = 0; q < s.n_quantiles; q++) {
        nb_out_double(&o, NULL, s.quantiles[q]);
    }
    nb_out_close(&o, ']');
    summarize(&s, "duration", duration_ms);
    summarize_columns(&s, NULL, PLAIN, NB_COUNT_OF(PLAIN));
    summarize(&s, "gettingResultTime", getting_result);
    summarize(&s, "schedulerDelay", scheduler_delay);
    summarize_columns(&s, NULL, PEAK, NB_COUNT_OF(PEAK));
    summarize_columns(&s, NULL, SPILL, NB_COUNT_OF(SPILL));
    summarize_columns(&s, "inputMetrics", INPUT, NB_COUNT_OF(INPUT));
    summarize_columns(&s, "outputMetrics", OUTPUT, NB_COUNT_OF(OUTPUT));
    nb_out_open(&o, "shuffleReadMetrics", '{');
    summarize(&s, "readBytes", shuffle_read_bytes);
    summarize_columns(&s, NULL, read_rows, NB_COUNT_OF(read_rows));
    summarize(&s, "totalBlocksFetched", blocks_fetched);
    summarize_columns(&s, NULL, requests, NB_COUNT_OF(requests));
    nb_out_open(&o, "shufflePushReadMetricsDist", '{');
    memset(s.values, 0, (size_t)stage->n_done * sizeof(int64_t));
    s.n = stage->n_done;
    for (size_t i = 0; i < NB_COUNT_OF(PUSHED); i++) {
        put_quantiles(&s, PUSHED[i]);
    }
    nb_out_close(&o, '}');
    nb_out_close(&o, '}');
    summarize_columns(&s, "shuffleWriteMetrics", written, NB_COUNT_OF(written));
    nb_out_close(&o, '}');
    return NB_OK;
}

/* ---- stages ---------------------------------------------------------------------------------- */

static void
put_executor_summary(nb_json_out *o, const nb_app *app, const nb_app_stage *s)
{
    nb_out_open(o, "executorSummary", '{');
    for (int x = 0; x < app->n_executors; x++) {
        nb_task_counts c = {0};
        int64_t ms = 0, n[3] = {0}, any = 0;

        for (int64_t i = 0; i < s->n_tasks; i++) {
            const nb_app_task *t = nb_app_task_at(s, i);

            if (t->executor != x) {
                continue;
            }
            any = 1;
            if (t->finished_ms > 0) {
                ms += duration_ms(app, t);
            }
            n[0] += t->state == NB_RUN_FAILED;
            n[1] += t->state == NB_RUN_DONE;
            n[2] += t->state == NB_RUN_KILLED;
            for (int k = 0; k < NB_N_TASK_COUNTS; k++) {
                uint64_t *sum = (uint64_t *)(void *)&c + k;
                *sum += (uint64_t)((const int64_t *)(const void *)&t->counts)[k];
            }
        }
        if (!any) {
            continue;
        }
        nb_out_str(o, NULL, app->executors[x].id);
        nb_strbuf_addc(o->to, ':');
        o->comma = false;
        nb_out_open(o, NULL, '{');
        nb_out_int(o, "taskTime", ms);
        nb_out_int(o, "failedTasks", n[0]);
        nb_out_int(o, "succeededTasks", n[1]);
        nb_out_int(o, "killedTasks", n[2]);
        nb_out_int(o, "inputBytes", c.input_bytes);
        nb_out_int(o, "inputRecords", c.input_rows);
        nb_out_int(o, "outputBytes", c.output_bytes);
        nb_out_int(o, "outputRecords", c.output_rows);
        nb_out_int(o, "shuffleRead", c.remote_bytes + c.local_bytes);
        nb_out_int(o, "shuffleReadRecords", c.shuffle_read_rows);
        nb_out_int(o, "shuffleWrite", c.shuffle_written_bytes);
        nb_out_int(o, "shuffleWriteRecords", c.shuffle_written_rows);
        nb_out_int(o, "memoryBytesSpilled", c.memory_spilled);
        nb_out_int(o, "diskBytesSpilled", c.disk_spilled);
        nb_out_bool(o, "isBlacklistedForStage", false);
        nb_rest_jvm_metrics(o, "peakMemoryMetrics");
        nb_out_bool(o, "isExcludedForStage", false);
        nb_out_close(o, '}');
    }
    nb_out_close(o, '}');
}

/* of_tasks: with details, only tasks in this state; "" is all. */
static void
put_stage(nb_json_out *o, const nb_app *app, const nb_app_stage *s, bool details, nb_str of_tasks)
{
    static const char *const merged[] = {
        "shuffleCorruptMergedBlockChunks",  "shuffleMergedFetchFallbackCount",
        "shuffleMergedRemoteBlocksFetched", "shuffleMergedLocalBlocksFetched",
        "shuffleMergedRemoteChunksFetched", "shuffleMergedLocalChunksFetched",
        "shuffleMergedRemoteBytesRead",     "shuffleMergedLocalBytesRead"};
    const nb_task_counts *c = &s->counts;

    nb_out_open(o, NULL, '{');
    nb_out_text(o, "status", nb_run_state_name(s->state, false));
    nb_out_int(o, "stageId", s->id);
    nb_out_int(o, "attemptId", s->attempt);
    nb_out_int(o, "numTasks", s->announced_tasks);
    nb_out_int(o, "numActiveTasks", s->n_active);
    nb_out_int(o, "numCompleteTasks", s->n_done);
    nb_out_int(o, "numFailedTasks", s->n_failed);
    nb_out_int(o, "numKilledTasks", s->n_killed);
    nb_out_int(o, "numCompletedIndices", s->n_indices);
    if (s->submitted_ms > 0) {
        nb_out_time(o, "submissionTime", s->submitted_ms);
    }
    if (s->first_launch_ms > 0) {
        nb_out_time(o, "firstTaskLaunchedTime", s->first_launch_ms);
    }
    if (s->completed_ms > 0) {
        nb_out_time(o, "completionTime", s->completed_ms);
    }
    if (s->error.len > 0) {
        nb_out_str(o, "failureReason", s->error);
    }
    PUT(o, PLAIN, c);
    PUT(o, SPILL, c);
    PUT(o, PEAK, c);
    nb_out_int(o, "inputBytes", c->input_bytes);
    nb_out_int(o, "inputRecords", c->input_rows);
    nb_out_int(o, "outputBytes", c->output_bytes);
    nb_out_int(o, "outputRecords", c->output_rows);
    nb_out_int(o, "shuffleRemoteBlocksFetched", c->remote_blocks);
    nb_out_int(o, "shuffleLocalBlocksFetched", c->local_blocks);
    nb_out_int(o, "shuffleFetchWaitTime", c->fetch_wait_ms);
    nb_out_int(o, "shuffleRemoteBytesRead", c->remote_bytes);
    nb_out_int(o, "shuffleRemoteBytesReadToDisk", c->remote_bytes_to_disk);
    nb_out_int(o, "shuffleLocalBytesRead", c->local_bytes);
    nb_out_int(o, "shuffleReadBytes", c->remote_bytes + c->local_bytes);
    nb_out_int(o, "shuffleReadRecords", c->shuffle_read_rows);
    for (size_t i = 0; i < NB_COUNT_OF(merged); i++) {
        nb_out_int(o, merged[i], 0);
    }
    nb_out_int(o, "shuffleRemoteReqsDuration", c->remote_requests_ms);
    nb_out_int(o, "shuffleMergedRemoteReqsDuration", 0);
    nb_out_int(o, "shuffleWriteBytes", c->shuffle_written_bytes);
    nb_out_int(o, "shuffleWriteTime", c->shuffle_write_ns);
    nb_out_int(o, "shuffleWriteRecords", c->shuffle_written_rows);
    nb_out_str(o, "name", s->name);
    if (s->description.len > 0) {
        nb_out_str(o, "description", s->description);
    }
    nb_out_str(o, "details", s->details);
    nb_out_str(o, "schedulingPool", s->pool);
    nb_out_open(o, "rddIds", '[');
    nb_out_close(o, ']');
    nb_out_open(o, "accumulatorUpdates", '[');
    nb_out_close(o, ']');
    if (details) {
        nb_out_open(o, "tasks", '{');
        for (int64_t i = 0; i < s->n_tasks; i++) {
            char key[24];

            if (of_tasks.len > 0 &&
                !nb_str_equal_nocase(of_tasks, nb_str_of(task_state(nb_app_task_at(s, i))))) {
                continue;
            }
            snprintf(key, sizeof(key), "%lld", (long long)nb_app_task_at(s, i)->id);
            put_task(o, key, app, nb_app_task_at(s, i));
        }
        nb_out_close(o, '}');
        put_executor_summary(o, app, s);
    }
    nb_rest_killed(o, s->killed_reason, s->n_killed);
    nb_out_int(o, "resourceProfileId", 0);
    nb_rest_jvm_metrics(o, "peakExecutorMetrics");
    nb_out_bool(o, "isShufflePushEnabled", false);
    nb_out_int(o, "shuffleMergersCount", 0);
    nb_out_close(o, '}');
}

static int
by_stage_id(const void *a, const void *b)
{
    const nb_app_stage *x = *(nb_app_stage *const *)a, *y = *(nb_app_stage *const *)b;

    return x->id != y->id ? (x->id < y->id) - (x->id > y->id) : y->attempt - x->attempt;
}

static bool
wants_details(const nb_http_request *request, bool otherwise)
{
    nb_str text;
    bool value;

    return nb_http_query(request, "details", &text) && nb_str_to_bool(text, &value) ? value
                                                                                    : otherwise;
}

/* Has the stage tasks in this state? */
static bool
has_tasks(const nb_app_stage *s, nb_str state)
{
    int n = nb_str_equal_nocase(state, NB_STR("SUCCESS"))   ? s->n_done
            : nb_str_equal_nocase(state, NB_STR("FAILED"))  ? s->n_failed
            : nb_str_equal_nocase(state, NB_STR("KILLED"))  ? s->n_killed
            : nb_str_equal_nocase(state, NB_STR("RUNNING")) ? s->n_active
                                                            : 0;
    return n > 0;
}

static nb_status
list(nb_app *app, const nb_http_request *request, int64_t id, nb_http_answer *answer)
{
    nb_json_out o = {&answer->body, false};
    nb_app_stage **sorted = NB_ARENA_ARRAY(app->scratch, nb_app_stage *, app->n_stages + 1);
    bool details = wants_details(request, id >= 0);
    nb_str wanted, of_tasks;
    int64_t n = 0;

    if (!sorted) {
        return NB_NOMEM;
    }
    if (!nb_rest_query_word(request, "status", STAGE_STATES, &wanted) ||
        !nb_rest_query_word(request, "taskStatus", TASK_STATES, &of_tasks)) {
        return nb_rest_refuse(answer, 404, "unknown status");
    }
    for (int64_t i = 0; i < app->n_stages; i++) {
        const nb_app_stage *s = app->stages[i];

        if ((id < 0 || s->id == id) &&
            (id >= 0 || !details || of_tasks.len == 0 || has_tasks(s, of_tasks)) &&
            (wanted.len == 0 ||
             nb_str_equal_nocase(wanted, nb_str_of(nb_run_state_name(s->state, false))))) {
            sorted[n++] = app->stages[i];
        }
    }
    if (id >= 0 && n == 0) {
        return nb_rest_refuse(answer, 404, "unknown stage: %lld", (long long)id);
    }
    qsort(sorted, (size_t)n, sizeof(*sorted), by_stage_id);
    nb_out_open(&o, NULL, '[');
    for (int64_t i = 0; i < n; i++) {
        put_stage(&o, app, sorted[i], details, of_tasks);
    }
    nb_out_close(&o, ']');
    return NB_OK;
}

nb_status
nb_rest_stages(nb_app *app, const nb_http_request *request, nb_str path, nb_http_answer *answer)
{
    nb_str id_text = nb_rest_part(&path), attempt_text = nb_rest_part(&path);
    nb_json_out o = {&answer->body, false};
    const nb_app_stage *s;
    int64_t id = -1, attempt;

    if (id_text.len > 0 && (!nb_str_to_int64(id_text, &id) || id < 0)) {
        return nb_rest_refuse(answer, 404, "unknown stage: %.*s", (int)NB_MIN(id_text.len, 100),
                              id_text.data);
    }
    if (attempt_text.len == 0) {
        return list(app, request, id, answer);
    }
    s = nb_str_to_int64(attempt_text, &attempt) ? nb_app_stage_find(app, id, attempt) : NULL;
    if (!s) {
        return nb_rest_refuse(answer, 404, "unknown attempt for stage %lld.", (long long)id);
    }
    if (path.len == 0) {
        nb_str of_tasks;

        if (!nb_rest_query_word(request, "taskStatus", TASK_STATES, &of_tasks)) {
            return nb_rest_refuse(answer, 404, "unknown status");
        }
        put_stage(&o, app, s, wants_details(request, true), of_tasks);
        return NB_OK;
    }
    if (nb_str_equal(path, NB_STR("taskList"))) {
        return task_list(app, request, s, answer);
    }
    if (nb_str_equal(path, NB_STR("taskSummary"))) {
        return task_summary(app, request, s, answer);
    }
    return nb_rest_refuse(answer, 404, "not found");
}
