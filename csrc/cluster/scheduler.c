/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler.c: see scheduler.h: events, and the states of tasks.
 *
 * What costs more than a few steps (losing a worker: all tasks of all queries) is rare. Launches are decided in scheduler_launch.c.
 */
#include "cluster/scheduler_internal.h"

#include <string.h>

/* ---- lists ----------------------------------------------------------------------------------- */

static bool
grow(nb_scheduler *s, void **items, size_t *cap, size_t width)
{
    size_t more = *cap ? 2 * *cap : 64;
    void *grown = nb_pool_realloc(s->pool, *items, *cap * width, more * width);

    if (grown == NULL) {
        return false;
    }
    *items = grown;
    *cap = more;
    return true;
}

/* The pool has no limit: an action that cannot be noted is memory that the machine does not have. */
static void
act(nb_scheduler *s, nb_sched_action a)
{
    if (s->n_actions == s->cap_actions) {
        void *items = s->actions;

        if (!grow(s, &items, &s->cap_actions, sizeof(a))) {
            return;
        }
        s->actions = items;
    }
    s->actions[s->n_actions++] = a;
}

/* Numbers of workers ascend: they are given in order. */
nb_sched_worker *
nb_sched_worker_of(const nb_scheduler *s, uint32_t id)
{
    int low = 0, high = s->n_workers;

    while (low < high) {
        int middle = (low + high) / 2;

        if (s->workers[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < s->n_workers && s->workers[low].id == id ? &s->workers[low] : NULL;
}

static nb_sched_query *
query_of(const nb_scheduler *s, uint64_t id)
{
    nb_sched_query *q = s->queries;

    while (q != NULL && q->id != id) {
        q = q->next;
    }
    return q;
}

static nb_sched_task *
task_of(const nb_scheduler *s, uint64_t query, int stage, int task, nb_sched_query **q,
        nb_sched_stage_state **st)
{
    *q = query_of(s, query);
    if (*q == NULL || stage < 0 || stage >= (*q)->n_stages || task < 0 ||
        task >= (*q)->stages[stage].n_tasks) {
        return NULL;
    }
    *st = &(*q)->stages[stage];
    return &(*st)->tasks[task];
}

/* ---- life ------------------------------------------------------------------------------------ */

nb_status
nb_scheduler_new(const nb_scheduler_options *options, nb_scheduler **out)
{
    nb_pool *pool = nb_pool_new(NULL, "scheduler", 0);
    nb_scheduler *s = pool ? nb_pool_zalloc(pool, sizeof(*s)) : NULL;

    if (s == NULL || (s->names = nb_arena_new(pool)) == NULL) {
        nb_pool_dealloc(pool, s, sizeof(*s));
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    s->pool = pool;
    s->options = *options;
    *out = s;
    return NB_OK;
}

static void
query_free(nb_sched_query *q)
{
    nb_arena_free(q->arena);
}

void
nb_scheduler_free(nb_scheduler *s)
{
    nb_pool *pool;

    if (s == NULL) {
        return;
    }
    while (s->queries != NULL) {
        nb_sched_query *q = s->queries;

        s->queries = q->next;
        query_free(q);
    }
    pool = s->pool;
    nb_arena_free(s->names);
    nb_pool_dealloc(pool, s->workers, (size_t)s->cap_workers * sizeof(nb_sched_worker));
    nb_pool_dealloc(pool, s->ring, s->cap_ring * sizeof(uint32_t));
    nb_pool_dealloc(pool, s->actions, s->cap_actions * sizeof(nb_sched_action));
    nb_pool_dealloc(pool, s, sizeof(*s));
    nb_pool_free(pool);
}

/* ---- states of tasks ------------------------------------------------------------------------- */

static void
fail(nb_sched_query *q, int stage, int task, nb_sched_state how)
{
    if (q->failed == NB_SCHED_RUNNING) {
        q->failed = how;
        q->failed_stage = stage;
        q->failed_task = task;
    }
}

bool
nb_sched_may_run(const nb_sched_query *q, const nb_sched_stage_state *st)
{
    if (st->late && !st->planned) {
        return false;
    }
    for (int i = 0; i < st->n_inputs; i++) {
        const nb_sched_stage_state *in = &q->stages[st->inputs[i]];

        if (in->n_done < in->n_tasks || (in->late && !in->planned)) {
            return false;
        }
    }
    return true;
}

/* Is the stage done? One that is not planned yet has no tasks, but will. */
static bool
is_done(const nb_sched_stage_state *st)
{
    return st->n_done == st->n_tasks && (!st->late || st->planned);
}

static void
release_core(nb_scheduler *s, uint32_t worker)
{
    nb_sched_worker *w = nb_sched_worker_of(s, worker);

    if (w != NULL && w->free < w->cores) {
        w->free++;
        nb_sched_enter_ring(s, w);
    }
}

/* Attempt number i of those that run is no more. */
static void
drop_run(nb_scheduler *s, nb_sched_query *q, nb_sched_stage_state *st, nb_sched_task *t, int i)
{
    release_core(s, t->runs[i].worker);
    t->runs[i] = t->runs[--t->n_runs];
    st->n_running--;
    q->n_running--;
    q->pool->n_running--;
}

/* All attempts of the task are to stop. */
static void
kill_runs(nb_scheduler *s, nb_sched_query *q, int stage, int task)
{
    nb_sched_stage_state *st = &q->stages[stage];
    nb_sched_task *t = &st->tasks[task];

    while (t->n_runs > 0) {
        act(s, (nb_sched_action){.kill = true,
                                 .query = q->id,
                                 .stage = stage,
                                 .task = task,
                                 .attempt = t->runs[0].attempt,
                                 .worker = t->runs[0].worker});
        drop_run(s, q, st, t, 0);
    }
}

/* None of its attempts runs any more, and it has no output. */
static void
set_waiting(nb_sched_query *q, nb_sched_stage_state *st, int task)
{
    nb_sched_task *t = &st->tasks[task];

    if (t->state == NB_TASK_DONE) {
        q->n_open += is_done(st);
        st->n_done--;
    }
    t->state = NB_TASK_WAITING;
    t->worker = NB_SCHED_DRIVER;
    nb_sched_wait(st, task);
}

/* What the stage has put out, and all that was made of it, counts no more. */
static void
roll_back(nb_scheduler *s, nb_sched_query *q, int stage)
{
    bool *marked = nb_pool_zalloc(s->pool, (size_t)q->n_stages * sizeof(bool));

    if (marked == NULL) {
        fail(q, stage, 0, NB_SCHED_LOST);
        return;
    }
    marked[stage] = true;
    for (bool more = true; more;) { /* some wait for stages behind them */
        more = false;
        for (int i = 0; i < q->n_stages; i++) {
            const nb_sched_stage_state *st = &q->stages[i];

            for (int k = 0; k < st->n_inputs && !marked[i]; k++) {
                more |= marked[i] = marked[st->inputs[k]];
            }
        }
    }
    for (int i = 0; i < q->n_stages; i++) {
        nb_sched_stage_state *st = &q->stages[i];

        for (int t = 0; t < st->n_tasks && marked[i]; t++) {
            if (st->tasks[t].state != NB_TASK_WAITING) {
                kill_runs(s, q, i, t);
                set_waiting(q, st, t);
            }
        }
    }
    nb_pool_dealloc(s->pool, marked, (size_t)q->n_stages * sizeof(bool));
}

/* A task was done that never was before. Only this may go on for ever without end: what is made again, to be lost again, is no progress. */
static void
note_progress(const nb_scheduler *s, nb_sched_query *q)
{
    q->rounds_left = s->options.max_losses + s->n_workers;
}

/* Something was taken from the query, from one worker: once more without progress. */
static void
count_round(nb_sched_query *q)
{
    if (--q->rounds_left < 0) {
        fail(q, 0, 0, NB_SCHED_LOST);
    }
}

/* What a worker has of the query's outputs is to be made again. Was there any? */
static bool
lose_outputs(nb_scheduler *s, nb_sched_query *q, uint32_t worker)
{
    bool any = false;

    for (int i = 0; i < q->n_stages; i++) {
        nb_sched_stage_state *st = &q->stages[i];
        bool of_stage = false;

        for (int t = 0; t < st->n_tasks && !st->durable && !st->on_driver; t++) {
            if (st->tasks[t].state == NB_TASK_DONE && st->tasks[t].worker == worker) {
                set_waiting(q, st, t);
                of_stage = true;
            }
        }
        if (of_stage && st->unsettled) {
            roll_back(s, q, i);
        }
        any |= of_stage;
    }
    return any;
}

/* Attempts whose input is gone wait for it in vain: they are stopped, and start again when it is back. */
static void
stop_starved(nb_scheduler *s, nb_sched_query *q)
{
    for (int i = 0; i < q->n_stages; i++) {
        nb_sched_stage_state *st = &q->stages[i];

        if (st->n_running == 0 || nb_sched_may_run(q, st)) {
            continue;
        }
        for (int t = 0; t < st->n_tasks; t++) {
            if (st->tasks[t].state == NB_TASK_RUNNING) {
                kill_runs(s, q, i, t);
                set_waiting(q, st, t);
            }
        }
    }
}

/* ---- who cannot read from whom --------------------------------------------------------------- */

bool
nb_sched_is_excluded(const nb_sched_query *q, uint32_t worker)
{
    for (int i = 0; i < q->n_excluded; i++) {
        if (q->excluded[i].worker == worker) {
            return true;
        }
    }
    return false;
}

/* Better anybody than nobody. */
static void
readmit(const nb_scheduler *s, nb_sched_query *q)
{
    int left = 0;

    for (int i = 0; i < s->n_workers && q->n_excluded > 0; i++) {
        left += !nb_sched_is_excluded(q, s->workers[i].id);
    }
    if (left == 0) {
        q->n_excluded = 0;
    }
}

static void
exclude(nb_scheduler *s, nb_sched_query *q, uint32_t worker, uint32_t reader)
{
    int n = 0;

    for (int i = 0; i < q->n_excluded && reader != NB_SCHED_DRIVER; i++) {
        if (q->excluded[i].reader == reader && q->excluded[i].worker != worker) {
            worker = reader; /* it is the reader who is cut off: those whom it accused come back */
        }
    }
    for (int i = 0; i < q->n_excluded; i++) {
        if (q->excluded[i].worker != worker &&
            (worker != reader || q->excluded[i].reader != reader)) {
            q->excluded[n++] = q->excluded[i];
        }
    }
    q->n_excluded = n;
    if (n < NB_SCHED_EXCLUDED) {
        q->excluded[q->n_excluded++] = (nb_sched_excluded){worker, reader};
    }
    readmit(s, q);
}

/* ---- workers --------------------------------------------------------------------------------- */

nb_status
nb_scheduler_worker_join(nb_scheduler *s, uint32_t id, int cores, int64_t now_ms)
{
    nb_sched_worker *w;

    if (s->n_workers == s->cap_workers) {
        size_t cap = (size_t)s->cap_workers;
        void *items = s->workers;

        if (!grow(s, &items, &cap, sizeof(nb_sched_worker))) {
            return NB_NOMEM;
        }
        s->workers = items;
        s->cap_workers = (int)cap;
    }
    w = &s->workers[s->n_workers++];
    *w = (nb_sched_worker){.id = id, .cores = cores, .free = cores, .beat_ms = now_ms};
    s->cores += cores;
    nb_sched_enter_ring(s, w);
    return NB_OK;
}

bool
nb_scheduler_worker_beat(nb_scheduler *s, uint32_t id, int64_t now_ms)
{
    nb_sched_worker *w = nb_sched_worker_of(s, id);

    if (w != NULL) {
        w->beat_ms = now_ms;
    }
    return w != NULL;
}

void
nb_scheduler_worker_leaves(nb_scheduler *s, uint32_t id)
{
    nb_sched_worker *w = nb_sched_worker_of(s, id);

    if (w != NULL && !w->leaving) {
        w->leaving = true;
        w->free -= w->cores;
        s->cores -= w->cores;
    }
}

/* Attempts of the task on the worker are gone. Were there any? */
static bool
lose_attempts(nb_scheduler *s, nb_sched_query *q, int stage, int task, uint32_t worker)
{
    nb_sched_stage_state *st = &q->stages[stage];
    nb_sched_task *t = &st->tasks[task];
    bool any = false;

    for (int i = t->n_runs - 1; i >= 0; i--) {
        if (t->runs[i].worker == worker) {
            drop_run(s, q, st, t, i);
            any = true;
        }
    }
    if (any && t->n_runs == 0) {
        set_waiting(q, st, task);
    }
    if (any && ++t->losses > s->options.max_losses) {
        fail(q, stage, task, NB_SCHED_LOST);
    }
    return any;
}

/* Whoever could not read from it, or what it could not read: now one knows why. */
static void
forgive(nb_sched_query *q, uint32_t worker)
{
    int n = 0;

    for (int i = 0; i < q->n_excluded; i++) {
        if (q->excluded[i].worker != worker && q->excluded[i].reader != worker) {
            q->excluded[n++] = q->excluded[i];
        }
    }
    q->n_excluded = n;
}

void
nb_scheduler_worker_lost(nb_scheduler *s, uint32_t id)
{
    nb_sched_worker *w = nb_sched_worker_of(s, id);
    size_t at;

    if (w == NULL) {
        return;
    }
    s->cores -= w->leaving ? 0 : w->cores;
    at = (size_t)(w - s->workers);
    memmove(w, w + 1, ((size_t)s->n_workers - at - 1) * sizeof(*w));
    s->n_workers--;
    for (nb_sched_query *q = s->queries; q != NULL; q = q->next) {
        bool any = lose_outputs(s, q, id);

        for (int i = 0; i < q->n_stages; i++) {
            for (int t = 0; t < q->stages[i].n_tasks && !q->stages[i].on_driver; t++) {
                any |= lose_attempts(s, q, i, t, id);
            }
        }
        if (any) {
            count_round(q);
        }
        stop_starved(s, q);
        forgive(q, id);
        readmit(s, q);
    }
}

bool
nb_scheduler_has_worker(const nb_scheduler *s, uint32_t worker)
{
    return nb_sched_worker_of(s, worker) != NULL;
}

bool
nb_scheduler_worker_state(const nb_scheduler *s, uint32_t worker, nb_sched_worker_state *out)
{
    const nb_sched_worker *w = nb_sched_worker_of(s, worker);

    if (w == NULL) {
        return false;
    }
    *out = (nb_sched_worker_state){w->cores, (w->leaving ? 0 : w->cores) - w->free, w->beat_ms};
    return true;
}

int
nb_scheduler_cores(const nb_scheduler *s)
{
    return s->cores;
}

int
nb_scheduler_workers(const nb_scheduler *s)
{
    return s->n_workers;
}

void
nb_scheduler_output_lost(nb_scheduler *s, uint64_t query, uint32_t worker, uint32_t reader)
{
    nb_sched_query *q = query_of(s, query);

    if (q == NULL) {
        return;
    }
    count_round(q);
    if (worker != NB_SCHED_DRIVER && lose_outputs(s, q, worker) && worker != reader) {
        exclude(s, q, worker, reader);
    }
    stop_starved(s, q);
}

/* ---- queries --------------------------------------------------------------------------------- */

nb_status
nb_scheduler_pool(nb_scheduler *s, const nb_sched_pool *pool)
{
    nb_sched_pool_state *p = s->pools;

    while (p != NULL && !nb_str_equal(p->name, pool->name)) {
        p = p->next;
    }
    if (p == NULL) {
        p = NB_ARENA_NEW(s->names, nb_sched_pool_state);
        if (p == NULL || (p->name = nb_arena_str(s->names, pool->name)).data == NULL) {
            return NB_NOMEM;
        }
        p->next = s->pools;
        s->pools = p;
    }
    p->weight = NB_MAX(pool->weight, 1);
    p->min_share = NB_MAX(pool->min_share, 0);
    p->fair = pool->fair;
    return NB_OK;
}

static nb_sched_pool_state *
pool_of(nb_scheduler *s, nb_str name)
{
    for (int again = 0; again < 2; again++) {
        for (nb_sched_pool_state *p = s->pools; p != NULL; p = p->next) {
            if (nb_str_equal(p->name, name)) {
                return p;
            }
        }
        if (nb_scheduler_pool(s, &(nb_sched_pool){.name = name, .weight = 1}) < 0) {
            break;
        }
    }
    return NULL;
}

/* Room for so many tasks, all of which wait. prefer may be NULL. */
static bool
stage_tasks(nb_arena *arena, nb_sched_stage_state *st, int n, const uint32_t *prefer)
{
    st->tasks = nb_arena_zalloc(arena, (size_t)NB_MAX(n, 1) * sizeof(*st->tasks));
    st->slow = NB_ARENA_ARRAY(arena, int, NB_MAX(n, 1));
    if (st->tasks == NULL || st->slow == NULL) {
        return false;
    }
    if (prefer != NULL) {
        st->n_by_prefer = NB_MAX(NB_MIN(n, 4096), 1);
        st->by_prefer = NB_ARENA_ARRAY(arena, int, st->n_by_prefer);
        for (int i = 0; st->by_prefer != NULL && i < st->n_by_prefer; i++) {
            st->by_prefer[i] = -1;
        }
        if (st->by_prefer == NULL) {
            return false;
        }
    }
    st->n_tasks = n;
    st->first_waiting = -1;
    for (int t = n - 1; t >= 0; t--) { /* the first is taken first */
        st->tasks[t].prefer = prefer ? prefer[t] : NB_SCHED_DRIVER;
        nb_sched_wait(st, t);
    }
    return true;
}

static bool
stage_inputs(nb_arena *arena, nb_sched_stage_state *st, const int *inputs, int n)
{
    st->inputs = NB_ARENA_ARRAY(arena, int, n + 1);
    st->n_inputs = n;
    for (int i = 0; st->inputs != NULL && i < n; i++) {
        st->inputs[i] = inputs[i];
    }
    return st->inputs != NULL;
}

nb_status
nb_scheduler_query_add(nb_scheduler *s, uint64_t id, const nb_sched_stage *stages, int n,
                       nb_str pool)
{
    nb_arena *arena = nb_arena_new(s->pool);
    nb_sched_query *q = arena ? NB_ARENA_NEW(arena, nb_sched_query) : NULL, **at = &s->queries;

    if (q != NULL) {
        q->arena = arena;
        q->stages = nb_arena_zalloc(arena, (size_t)NB_MAX(n, 1) * sizeof(*q->stages));
        q->pool = pool_of(s, pool);
    }
    if (q == NULL || q->stages == NULL || q->pool == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    q->id = id;
    q->n_stages = n;
    note_progress(s, q);
    for (int i = 0; i < n; i++) {
        nb_sched_stage_state *st = &q->stages[i];

        if (!stage_tasks(arena, st, stages[i].late ? 0 : stages[i].n_tasks, NULL) ||
            !stage_inputs(arena, st, stages[i].inputs, stages[i].n_inputs)) {
            nb_arena_free(arena);
            return NB_NOMEM;
        }
        st->on_driver = stages[i].on_driver;
        st->durable = stages[i].durable;
        st->late = stages[i].late;
        st->unsettled = stages[i].unsettled;
        q->n_open += !is_done(st);
    }
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = q;
    return NB_OK;
}

nb_status
nb_scheduler_stage_plan(nb_scheduler *s, uint64_t query, int stage, int n_tasks, bool on_driver,
                        const int *inputs, int n_inputs, const uint32_t *prefer)
{
    nb_sched_query *q = query_of(s, query);
    nb_sched_stage_state *st;

    if (q == NULL || stage < 0 || stage >= q->n_stages) {
        return NB_OK; /* it has ended */
    }
    st = &q->stages[stage];
    if (!st->late || st->planned) {
        return NB_OK;
    }
    if (!stage_tasks(q->arena, st, n_tasks, prefer) ||
        !stage_inputs(q->arena, st, inputs, n_inputs)) {
        return NB_NOMEM;
    }
    st->planned = true;
    st->on_driver = on_driver;
    q->n_open -= is_done(st);
    return NB_OK;
}

void
nb_scheduler_query_end(nb_scheduler *s, uint64_t id)
{
    nb_sched_query **at = &s->queries, *q;

    while (*at != NULL && (*at)->id != id) {
        at = &(*at)->next;
    }
    q = *at;
    if (q == NULL) {
        return;
    }
    for (int i = 0; i < q->n_stages; i++) {
        for (int t = 0; t < q->stages[i].n_tasks; t++) {
            kill_runs(s, q, i, t);
        }
    }
    *at = q->next;
    query_free(q);
}

/* ---- tasks ----------------------------------------------------------------------------------- */

/* Position of the attempt among those that run; -1: it does not. */
static int
run_of(const nb_sched_task *t, int attempt, uint32_t worker)
{
    for (int i = 0; i < t->n_runs; i++) {
        if (t->runs[i].attempt == attempt && t->runs[i].worker == worker) {
            return i;
        }
    }
    return -1;
}

bool
nb_scheduler_task_done(nb_scheduler *s, uint64_t query, int stage, int task, int attempt,
                       uint32_t worker, bool output_on_driver, int64_t now_ms)
{
    nb_sched_query *q;
    nb_sched_stage_state *st;
    nb_sched_task *t = task_of(s, query, stage, task, &q, &st);
    int run;

    if (t == NULL) {
        return false;
    }
    if (st->on_driver) {
        if (worker != NB_SCHED_DRIVER || t->state == NB_TASK_DONE) {
            return false;
        }
        nb_sched_unwait(st, task);
    } else {
        run = run_of(t, attempt, worker);
        if (run < 0) {
            return false;
        }
        t->took_ms = now_ms - t->runs[run].started_ms;
        drop_run(s, q, st, t, run);
        kill_runs(s, q, stage, task);
    }
    t->state = NB_TASK_DONE;
    t->made_by = attempt;
    t->worker = output_on_driver ? NB_SCHED_DRIVER : worker;
    if (!t->ever_done) {
        t->ever_done = true;
        note_progress(s, q);
    }
    st->n_done++;
    q->n_open -= is_done(st);
    return true;
}

bool
nb_scheduler_task_failed(nb_scheduler *s, uint64_t query, int stage, int task, int attempt,
                         uint32_t worker, bool own)
{
    nb_sched_query *q;
    nb_sched_stage_state *st;
    nb_sched_task *t = task_of(s, query, stage, task, &q, &st);
    int run = t ? run_of(t, attempt, worker) : -1;

    if (run < 0) {
        return false;
    }
    drop_run(s, q, st, t, run);
    if (own && ++t->failures >= s->options.max_failures) {
        fail(q, stage, task, NB_SCHED_FAILED);
    }
    if (t->n_runs == 0) { /* else its copy goes on */
        set_waiting(q, st, task);
    }
    return true;
}

nb_sched_state
nb_scheduler_query_state(const nb_scheduler *s, uint64_t query, int *stage, int *task)
{
    const nb_sched_query *q = query_of(s, query);

    *stage = *task = 0;
    if (q == NULL) {
        return NB_SCHED_LOST;
    }
    if (q->failed != NB_SCHED_RUNNING) {
        *stage = q->failed_stage;
        *task = q->failed_task;
        return q->failed;
    }
    for (int i = 0; i < q->n_stages; i++) {
        nb_sched_stage_state st = q->stages[i];
        bool plan = st.late && !st.planned;

        st.late = false; /* may it run, but for its plan? */
        if ((plan || (st.on_driver && st.n_done < st.n_tasks)) && nb_sched_may_run(q, &st)) {
            *stage = i;
            return plan ? NB_SCHED_PLAN : NB_SCHED_DRIVE;
        }
    }
    return q->n_open == 0 ? NB_SCHED_READY : NB_SCHED_RUNNING;
}

bool
nb_scheduler_output(const nb_scheduler *s, uint64_t query, int stage, int task, uint32_t *worker,
                    int *attempt)
{
    nb_sched_query *q;
    nb_sched_stage_state *st;
    const nb_sched_task *t = task_of(s, query, stage, task, &q, &st);

    if (t == NULL || t->state != NB_TASK_DONE) {
        return false;
    }
    *worker = t->worker;
    *attempt = t->made_by;
    return true;
}

/* ---- what is to be done ---------------------------------------------------------------------- */

void
nb_scheduler_tick(nb_scheduler *s, int64_t now_ms)
{
    int64_t unseen = now_ms - s->ticked_ms;

    /* While this process stood still, nobody could be heard: what was said meanwhile is still to be read. */
    if (s->ticked_ms > 0 && unseen > s->options.heartbeat_timeout_ms / 4) {
        for (int i = 0; i < s->n_workers; i++) {
            s->workers[i].beat_ms = NB_MIN(s->workers[i].beat_ms + unseen, now_ms);
        }
    }
    s->ticked_ms = now_ms;
    for (int i = s->n_workers - 1; i >= 0; i--) {
        if (now_ms - s->workers[i].beat_ms > s->options.heartbeat_timeout_ms) {
            nb_scheduler_worker_lost(s, s->workers[i].id);
        }
    }
    nb_sched_look_for_slow(s, now_ms);
}

bool
nb_scheduler_next(nb_scheduler *s, int64_t now_ms, nb_sched_action *out)
{
    if (s->at_action < s->n_actions) {
        *out = s->actions[s->at_action++];
        if (s->at_action == s->n_actions) {
            s->at_action = s->n_actions = 0;
        }
        return true;
    }
    return nb_sched_launch(s, now_ms, out);
}
