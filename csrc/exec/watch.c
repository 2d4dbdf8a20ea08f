/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.c: see watch.h.
 *
 * A task is what one thread does in one round of a pipeline. Rows of files, ranges and tables count as input, rows of an earlier
 * stage as shuffle read, rows for a later one as shuffle written: nothing is copied or sent for them, so bytes are 0 there.
 */
#include "exec/watch.h"

#include <time.h>
#include "base/clock.h"
#include "io/file.h"

const struct nb_node_metric_info nb_node_metric_infos[NB_N_NODE_METRICS] = {
    [NB_NODE_METRIC_ROWS] = {"number of output rows", NB_METRIC_SUM},
    [NB_NODE_METRIC_NS] = {"time", NB_METRIC_NS},
    [NB_NODE_METRIC_SPILLED] = {"spill size", NB_METRIC_SIZE},
    [NB_NODE_METRIC_PEAK] = {"peak memory", NB_METRIC_SIZE},
    [NB_NODE_METRIC_UNPACKED] = {"size of decompressed pages", NB_METRIC_SIZE},
    [NB_NODE_METRIC_DECODED] = {"number of decoded values", NB_METRIC_SUM},
};

static int
own_stages(const nb_node *n)
{
    switch (n->kind) {
    case NB_NODE_LIMIT:
    case NB_NODE_TAIL:
    case NB_NODE_AGGREGATE:
    case NB_NODE_SORT:
    case NB_NODE_TOPN:
    case NB_NODE_JOIN:
    case NB_NODE_WINDOW: return 1;
    case NB_NODE_EXCHANGE: return n->u.exchange.kind == NB_EXCHANGE_COALESCE ? 0 : 1;
    default: return 0;
    }
}

static int
count_below(const nb_node *n)
{
    int count = own_stages(n);

    for (int i = 0; i < n->n_children; i++) {
        count += count_below(n->children[i]);
    }
    return count;
}

void
nb_watch_init(nb_watch *w, nb_monitor *m, int64_t execution, nb_str title, const nb_node *root,
              int n_threads)
{
    *w = (nb_watch){.monitor = m,
                    .execution = execution,
                    .title = title,
                    /* a limit at the root is taken by the sink of the last pipeline */
                    .n_stages = 1 + count_below(root) - (root->kind == NB_NODE_LIMIT),
                    .n_threads = NB_MAX(n_threads, 1),
                    .job = -1};
}

/* Stages begin one after the other, on the thread that runs the query. */
static void
announce_job(nb_watch *w)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_stage_info *stages =
        arena ? nb_arena_zalloc(arena, sizeof(*stages) * (size_t)w->n_stages) : NULL;
    nb_job_info job = {.execution = w->execution, .description = w->title};

    if (stages) {
        w->first_stage = nb_monitor_ids(w->monitor, NB_MONITOR_STAGE, w->n_stages);
        for (int i = 0; i < w->n_stages; i++) {
            stages[i].id = w->first_stage + i;
            stages[i].name = w->title;
            stages[i].n_tasks = w->n_threads;
        }
        job.stages = stages;
        job.n_stages = w->n_stages;
        job.id = w->job = nb_monitor_ids(w->monitor, NB_MONITOR_JOB, 1);
        nb_monitor_job_started(w->monitor, &job);
    }
    nb_arena_free(arena);
}

void
nb_watch_end(nb_watch *w, const char *error)
{
    if (w->job >= 0) {
        nb_monitor_job_ended(w->monitor, w->job, error);
    }
}

static int64_t
cpu_ns(void)
{
    struct timespec t;

    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0
               ? (int64_t)t.tv_sec * 1000000000 + t.tv_nsec
               : 0;
}

/* ---- stages ---------------------------------------------------------------------------------- */

void
nb_watch_stage_begin(const nb_exec_ctx *ctx, const char *name, const nb_operator *sink, int n_tasks,
                     nb_watch_stage *stage)
{
    nb_watch *w = ctx->watch;
    int next;

    stage->watch = NULL;
    stage->progress = ctx->progress;
    stage->number = nb_progress_begin(ctx->progress, n_tasks);
    if (w == NULL) {
        return;
    }
    if (w->job < 0) {
        announce_job(w);
        if (w->job < 0) {
            return;
        }
    }
    next = atomic_fetch_add(&w->next_stage, 1);
    if (next >= w->n_stages) {
        return;
    }
    stage->watch = w;
    stage->feeds_another = sink != NULL && !w->at_root;
    stage->info = (nb_stage_info){.id = w->first_stage + next,
                                  .name = nb_str_of(name),
                                  .n_tasks = n_tasks,
                                  .submitted_ms = nb_clock_us() / 1000};
    stage->first_task = nb_monitor_ids(w->monitor, NB_MONITOR_TASK, n_tasks);
    nb_monitor_stage_submitted(w->monitor, &stage->info);
}

/* "FileScan → Filter → HashAggregate" */
static void
name_stream(nb_strbuf *out, const nb_stream *s, const nb_operator *sink)
{
    const nb_branch *b = s->n_branches > 0 ? &s->branches[0] : NULL;

    if (s->n_branches > 1) {
        nb_strbuf_addf(out, "Union of %d", s->n_branches);
    } else if (b && b->source_node) {
        nb_strbuf_adds(out, nb_node_name(b->source_node->kind));
    }
    for (int i = 0; b && i < b->n_ops; i++) {
        if (b->ops[i]->node) {
            nb_strbuf_addf(out, "%s%s", out->len ? " → " : "", nb_node_name(b->ops[i]->node->kind));
        }
    }
    nb_strbuf_addf(out, "%s%s", out->len ? " → " : "",
                   sink->node ? nb_node_name(sink->node->kind) : sink->ops->name);
}

void
nb_watch_stream_begin(nb_run *run, const nb_stream *s, const nb_operator *sink, int n_threads,
                      nb_watch_stage *stage)
{
    stage->name = (nb_strbuf){0};
    if (nb_run_ctx(run)->watch != NULL) {
        name_stream(&stage->name, s, sink);
    }
    nb_watch_stage_begin(nb_run_ctx(run), stage->name.data ? stage->name.data : "", sink, n_threads,
                         stage);
}

/* What a failure is called. */
static const char *
reason(nb_status st, const nb_error *err)
{
    return st == NB_CANCELLED             ? "cancelled"
           : st == NB_NOMEM               ? "out of memory"
           : err != NULL && err->set != 0 ? nb_error_message(err)
                                          : "failed";
}

void
nb_watch_stage_end(nb_watch_stage *stage, nb_status st, const nb_error *err)
{
    nb_progress_end(stage->progress, stage->number);
    if (stage->watch != NULL) {
        nb_monitor_stage_completed(stage->watch->monitor, &stage->info,
                                   st < 0 ? reason(st, err) : NULL);
    }
    nb_strbuf_free(&stage->name);
}

/* ---- tasks ----------------------------------------------------------------------------------- */

static void
count_begin(nb_watch_stage *stage, nb_watch_task *task)
{
    if (stage->progress == NULL || stage->number < 0) {
        return;
    }
    if (task->progress == NULL) {
        task->progress = stage->progress;
        task->stage = stage->number;
        nb_progress_task_begin(task->progress, task->stage);
    }
    task->counting = true;
    task->count_read = nb_file_bytes_read_by_thread();
}

static void
count_pause(nb_watch_task *task)
{
    if (task->counting) {
        task->counting = false;
        nb_progress_read(task->progress, task->stage,
                         nb_file_bytes_read_by_thread() - task->count_read);
    }
}

void
nb_watch_task_begin(nb_watch_stage *stage, int number, nb_arena *arena, nb_watch_task *task)
{
    count_begin(stage, task);
    if (stage->watch == NULL || arena == NULL) {
        return;
    }
    if (!task->on) {
        task->on = true;
        task->arena = arena;
        task->info = (nb_task_info){.id = stage->first_task + number,
                                    .stage = stage->info.id,
                                    .index = number,
                                    .executor = "driver",
                                    .host = "localhost",
                                    .locality = "PROCESS_LOCAL",
                                    .shuffle_map = stage->feeds_another,
                                    .launched_ms = nb_clock_us() / 1000};
        nb_monitor_task_started(stage->watch->monitor, &task->info);
    }
    task->running = true;
    task->start_ns = nb_clock_mono_ns();
    task->start_cpu_ns = cpu_ns();
    task->start_read = nb_file_bytes_read_by_thread();
    task->start_written = nb_file_bytes_written_by_thread();
    task->start_spilled = nb_metrics_spilled_by_thread();
}

void
nb_watch_task_pause(nb_watch_task *task)
{
    count_pause(task);
    if (!task->running) {
        return;
    }
    task->running = false;
    task->run_ns += nb_clock_mono_ns() - task->start_ns;
    task->metrics.cpu_ns += cpu_ns() - task->start_cpu_ns;
    task->metrics.input_bytes += nb_file_bytes_read_by_thread() - task->start_read;
    task->metrics.output_bytes += nb_file_bytes_written_by_thread() - task->start_written;
    task->metrics.disk_spilled += nb_metrics_spilled_by_thread() - task->start_spilled;
}

static void
told(nb_node *node, nb_node_metric kind, int64_t value)
{
    atomic_fetch_add(
        kind == NB_NODE_METRIC_ROWS ? &node->metrics->told_rows : &node->metrics->told_ns, value);
}

static void
update(nb_watch_task *task, nb_node *node, nb_node_metric kind, int64_t value)
{
    int64_t id = node->metrics->first_id + kind;

    for (int i = 0; i < task->n_updates; i++) {
        if (task->updates[i].id == id) {
            task->updates[i].value += value;
            told(node, kind, value);
            return;
        }
    }
    if (task->n_updates == task->cap_updates) {
        int cap = task->cap_updates ? 2 * task->cap_updates : 16;
        nb_metric_update *grown = NB_ARENA_ARRAY(task->arena, nb_metric_update, cap);

        if (grown == NULL) {
            return; /* the end of the query reports what is missing here */
        }
        if (task->n_updates > 0) {
            memcpy(grown, task->updates, (size_t)task->n_updates * sizeof(*grown));
        }
        task->updates = grown;
        task->cap_updates = cap;
    }
    task->updates[task->n_updates++] =
        (nb_metric_update){id, nb_node_metric_infos[kind].name, value};
    told(node, kind, value);
}

void
nb_watch_task_operator(nb_watch_task *task, nb_node *node, int64_t n_rows, int64_t ns)
{
    if (!task->on || node == NULL || node->metrics == NULL || node->metrics->first_id == 0) {
        return;
    }
    if (n_rows > 0) {
        update(task, node, NB_NODE_METRIC_ROWS, n_rows);
    }
    if (ns > 0) {
        update(task, node, NB_NODE_METRIC_NS, ns);
    }
}

void
nb_watch_task_source(nb_watch_task *task, nb_node *node, int64_t n_rows, int64_t ns)
{
    if (!task->on) {
        return;
    }
    if (node != NULL && (node->kind == NB_NODE_SCAN || node->kind == NB_NODE_TABLE ||
                         node->kind == NB_NODE_RANGE)) {
        task->metrics.input_rows += n_rows;
    } else {
        task->metrics.shuffle_read_rows += n_rows;
    }
    nb_watch_task_operator(task, node, n_rows, ns);
}

void
nb_watch_task_sink(nb_watch_task *task, int64_t n_rows)
{
    if (task->on && task->info.shuffle_map) {
        task->metrics.shuffle_written_rows += n_rows;
    }
}

void
nb_watch_task_wrote(nb_watch_task *task, int64_t n_rows)
{
    task->metrics.output_rows += n_rows;
}

void
nb_watch_task_end(nb_watch_stage *stage, nb_watch_task *task, nb_status st, const nb_error *err)
{
    nb_watch_task_pause(task);
    nb_progress_task_end(task->progress, task->stage, st >= 0);
    task->progress = NULL;
    if (!task->on) {
        return;
    }
    task->on = false;
    task->info.finished_ms = nb_clock_us() / 1000;
    task->metrics.run_ms = task->run_ns / 1000000;
    task->metrics.memory_spilled = task->metrics.disk_spilled;
    nb_monitor_task_ended(stage->watch->monitor, &task->info, &task->metrics, task->updates,
                          task->n_updates,
                          st == NB_CANCELLED ? NB_TASK_KILLED
                          : st < 0           ? NB_TASK_FAILED
                                             : NB_TASK_SUCCEEDED,
                          st < 0 ? reason(st, err) : NULL);
}
