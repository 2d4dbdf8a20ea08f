/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watched.c: see watched.h.
 *
 * A worker tells what each operator of its fragment did by position, children first: the fragment is the part of the plan that the driver has,
 * so the numbers are added to the plan's own nodes. Rows and time are told with the end of the task, so that a running query's page shows how
 * far it is; the rest when the execution ends.
 */
#include "cluster/watched.h"

#include <stdio.h>
#include "base/clock.h"

#define PER_OPERATOR NB_TASK_OPERATOR_NUMBERS

static int64_t
now_ms(void)
{
    return nb_clock_us() / 1000;
}

/* ---- operators ------------------------------------------------------------------------------- */

/* Children first; *at: nodes so far. */
static void
read_node(const nb_node *node, int64_t *numbers, int *at)
{
    for (int i = 0; i < node->n_children; i++) {
        read_node(node->children[i], numbers, at);
    }
    if (*at < NB_TASK_OPERATORS) {
        int64_t *n = numbers + PER_OPERATOR * (*at)++;
        const nb_node_metrics *m = node->metrics;

        n[0] = m ? atomic_load(&m->rows_out) : 0;
        n[1] = m ? atomic_load(&m->ns) : 0;
        n[2] = m ? atomic_load(&m->bytes_spilled) : 0;
        n[3] = m ? atomic_load(&m->peak_bytes) : 0;
        n[4] = m ? atomic_load(&m->bytes_unpacked) : 0;
        n[5] = m ? atomic_load(&m->values_decoded) : 0;
    }
}

int
nb_operators_read(const nb_node *root, int64_t *numbers)
{
    int at = 0;

    read_node(root, numbers, &at);
    return PER_OPERATOR * at;
}

/* What an event of a task's end says of its operators. */
typedef struct told {
    nb_metric_update updates[2 * NB_TASK_OPERATORS];
    int n;
} told;

static void
tell(told *t, const nb_node_metrics *m, nb_node_metric what, int64_t value, atomic_llong *so_far)
{
    if (m->first_id > 0 && value > 0 && t->n < 2 * NB_TASK_OPERATORS) {
        t->updates[t->n++] =
            (nb_metric_update){m->first_id + what, nb_node_metric_infos[what].name, value};
        atomic_fetch_add(so_far, value);
    }
}

/* A worker's numbers are not trusted: negative ones are none. */
static void
add_node(nb_node *node, const int64_t *numbers, int n, int *at, told *t)
{
    for (int i = 0; i < node->n_children; i++) {
        add_node(node->children[i], numbers, n, at, t);
    }
    if (*at < n) {
        const int64_t *of = numbers + PER_OPERATOR * (*at)++;
        nb_node_metrics *m = node->metrics;

        if (m && of[0] >= 0 && of[1] >= 0 && of[2] >= 0 && of[4] >= 0 && of[5] >= 0) {
            atomic_fetch_add(&m->rows_out, of[0]);
            atomic_fetch_add(&m->ns, of[1]);
            atomic_fetch_add(&m->bytes_spilled, of[2]);
            tell(t, m, NB_NODE_METRIC_ROWS, of[0], &m->told_rows);
            tell(t, m, NB_NODE_METRIC_NS, of[1], &m->told_ns);
            if (of[3] > atomic_load(&m->peak_bytes)) {
                atomic_store(&m->peak_bytes, of[3]);
            }
            atomic_fetch_add(&m->bytes_unpacked, of[4]);
            atomic_fetch_add(&m->values_decoded, of[5]);
        }
    }
}

/* ---- stages ---------------------------------------------------------------------------------- */

static void
describe(nb_strbuf *out, const nb_node *node)
{
    for (int i = 0; i < node->n_children; i++) {
        describe(out, node->children[i]);
    }
    if (node->kind != NB_NODE_PUT) {
        nb_strbuf_addf(out, "%s%s", out->len ? "\n" : "", nb_node_name(node->kind));
    }
}

/* A stage may be planned, or planned anew, until its first task begins. */
static bool
fill_stage(nb_arena *arena, const nb_stage *stage, int64_t first, nb_watched_stage *out)
{
    const nb_node *root = stage->n_parts > 0 ? stage->parts[0].root : NULL;
    int64_t *parents = NB_ARENA_ARRAY(arena, int64_t, stage->n_inputs + 1);
    nb_strbuf details = {0};

    if (!parents) {
        return false;
    }
    for (int i = 0; i < stage->n_inputs; i++) {
        parents[i] = first + stage->inputs[i];
    }
    if (root) {
        describe(&details, root);
        root = root->kind == NB_NODE_PUT && root->n_children > 0 ? root->children[0] : root;
    }
    out->info = (nb_stage_info){.id = first + stage->id,
                                .name = nb_str_of(root ? nb_node_name(root->kind) : "Exchange"),
                                .details = nb_strbuf_finish(arena, &details),
                                .n_tasks = stage->n_tasks,
                                .parents = parents,
                                .n_parents = stage->n_inputs};
    nb_strbuf_free(&details);
    return out->info.details.data != NULL;
}

void
nb_watched_begin(nb_watched *w, nb_arena *arena, const nb_exec_ctx *ctx, const nb_stages *stages)
{
    const nb_watch *watch = ctx->watch;
    nb_monitor *monitor = watch ? watch->monitor : NULL;
    nb_job_info job = {.n_stages = stages->n};
    nb_stage_info *infos = NB_ARENA_ARRAY(arena, nb_stage_info, stages->n + 1);
    int64_t first;

    *w = (nb_watched){.arena = arena, .stages = stages};
    w->state = nb_arena_zalloc(arena, sizeof *w->state * ((size_t)stages->n + 1));
    if ((!monitor && !ctx->progress) || !w->state || !infos) {
        return;
    }
    first = nb_monitor_ids(monitor, NB_MONITOR_STAGE, stages->n);
    for (int s = 0; s < stages->n; s++) {
        if (!fill_stage(arena, &stages->stages[s], first, &w->state[s])) {
            return;
        }
        infos[s] = w->state[s].info;
    }
    w->on = true;
    w->progress = ctx->progress;
    if (!monitor) {
        return;
    }
    w->monitor = monitor;
    job.execution = watch->execution;
    job.description = watch->title;
    job.stages = infos;
    job.id = w->job = nb_monitor_ids(monitor, NB_MONITOR_JOB, 1);
    nb_monitor_job_started(monitor, &job);
}

static nb_task_info
task_info(const nb_watched_stage *s, const nb_watched_task *t, char executor[16])
{
    snprintf(executor, 16, "%u", t->worker);
    return (nb_task_info){.id = t->id,
                          .stage = s->info.id,
                          .index = (int)(t - s->tasks) / 2,
                          .attempt = t->attempt,
                          .executor = executor,
                          .host = executor,
                          .locality = "ANY",
                          .shuffle_map = true,
                          .launched_ms = t->launched_ms};
}

static nb_watched_task *
slot(const nb_watched_stage *s, int64_t task, int64_t attempt)
{
    return task >= 0 && task < s->info.n_tasks && attempt >= 0 ? &s->tasks[2 * task + attempt % 2]
                                                               : NULL;
}

/* With its first task. */
static bool
submit(nb_watched *w, int stage)
{
    nb_watched_stage *s = &w->state[stage];
    int n = w->stages->stages[stage].n_tasks;

    if (!fill_stage(w->arena, &w->stages->stages[stage], s->info.id - stage, s)) {
        return false;
    }
    s->tasks = nb_arena_zalloc(w->arena, sizeof *s->tasks * (2 * (size_t)n + 1));
    if (!s->tasks) {
        return false;
    }
    s->submitted = true;
    s->info.submitted_ms = now_ms();
    s->number = nb_progress_begin(w->progress, n);
    nb_monitor_stage_submitted(w->monitor, &s->info);
    return true;
}

void
nb_watched_launch(nb_watched *w, const nb_sched_action *a)
{
    nb_watched_stage *s;
    nb_watched_task *t;
    nb_task_info info;
    char executor[16];

    if (!w->on || a->stage >= w->stages->n) {
        return;
    }
    s = &w->state[a->stage];
    if (!s->submitted && !submit(w, a->stage)) {
        return;
    }
    t = slot(s, a->task, a->attempt);
    if (!t) {
        return;
    }
    *t = (nb_watched_task){.id = nb_monitor_ids(w->monitor, NB_MONITOR_TASK, 1),
                           .launched_ms = now_ms(),
                           .attempt = a->attempt,
                           .worker = a->worker,
                           .running = true};
    info = task_info(s, t, executor);
    nb_progress_task_begin(w->progress, s->number);
    nb_monitor_task_started(w->monitor, &info);
}

static void
end_task(nb_watched *w, nb_watched_stage *s, nb_watched_task *t, const nb_task_metrics *metrics,
         const told *operators, nb_task_end how, const char *error)
{
    char executor[16];
    nb_task_info info = task_info(s, t, executor);

    t->running = false;
    info.finished_ms = now_ms();
    nb_progress_task_end(w->progress, s->number, how == NB_TASK_SUCCEEDED);
    nb_monitor_task_ended(w->monitor, &info, metrics, operators->updates, operators->n, how, error);
}

void
nb_watched_report(nb_watched *w, const Nbc__Report *m, bool accepted)
{
    const Nbc__Attempt *a = m->attempt;
    nb_watched_stage *s;
    nb_watched_task *t;
    told operators = {.n = 0};
    nb_task_metrics metrics = {.run_ms = m->ns / 1000000,
                               .cpu_ns = m->ns,
                               .input_rows = m->rows_in - m->rows_fetched,
                               .input_bytes = m->bytes_read,
                               .disk_spilled = m->spilled,
                               .peak_memory = m->peak,
                               .shuffle_read_rows = m->rows_fetched,
                               .shuffle_remote_bytes = m->bytes_fetched};

    if (!w->on || a->stage >= (uint32_t)w->stages->n || !w->state[a->stage].submitted) {
        return;
    }
    if (w->stages->stages[a->stage].write != NULL) {
        metrics.output_rows = m->rows;
        metrics.output_bytes = m->bytes_written;
    } else {
        metrics.shuffle_written_rows = m->rows;
        metrics.shuffle_written_bytes = m->bytes;
    }
    s = &w->state[a->stage];
    t = slot(s, a->task, a->attempt);
    if (!t || !t->running || (uint32_t)t->attempt != a->attempt) {
        return;
    }
    if (!m->ok) {
        end_task(w, s, t, &metrics, &operators, m->is_lost ? NB_TASK_FETCH_FAILED : NB_TASK_FAILED,
                 "the task failed");
        return;
    }
    if (!accepted) {
        end_task(w, s, t, &metrics, &operators, NB_TASK_KILLED, "another attempt was faster");
        return;
    }
    for (int p = w->stages->stages[a->stage].n_parts - 1; p >= 0; p--) {
        const nb_stage_part *part = &w->stages->stages[a->stage].parts[p];
        int at = 0;

        if ((int)a->task >= part->first_task) {
            add_node(part->root, m->operators, (int)(m->n_operators / PER_OPERATOR), &at,
                     &operators);
            break;
        }
    }
    end_task(w, s, t, &metrics, &operators, NB_TASK_SUCCEEDED, NULL);
    if (++s->n_done == s->info.n_tasks && !s->completed) {
        s->completed = true;
        nb_progress_end(w->progress, s->number);
        nb_monitor_stage_completed(w->monitor, &s->info, NULL);
    }
}

void
nb_watched_end(nb_watched *w, const char *error)
{
    if (!w->on) {
        return;
    }
    for (int i = 0; i < w->stages->n; i++) {
        nb_watched_stage *s = &w->state[i];

        for (int t = 0; s->submitted && t < 2 * s->info.n_tasks; t++) {
            if (s->tasks[t].running) {
                nb_task_metrics none = {0};
                end_task(w, s, &s->tasks[t], &none, &(told){.n = 0}, NB_TASK_KILLED,
                         "the query has ended");
            }
        }
        if (s->submitted && !s->completed) {
            nb_progress_end(w->progress, s->number);
            nb_monitor_stage_completed(w->monitor, &s->info, error);
        }
    }
    nb_monitor_job_ended(w->monitor, w->job, error);
}
