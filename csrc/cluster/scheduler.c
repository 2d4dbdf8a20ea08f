/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler.c: see scheduler.h.
 *
 * Workers with a free core stand in a ring, so that tasks go round; a stage's waiting tasks are a stack. A launch therefore costs a few
 * steps whatever the number of workers; what costs more (losing a worker: all tasks of all queries) is rare.
 */
#include "cluster/scheduler.h"

#include <string.h>
#include "base/arena.h"

typedef enum task_state { WAITING, RUNNING, DONE } task_state;

typedef struct sched_task {
    task_state state;
    int attempt; /* number of the latest */
    int failures, losses;
    uint32_t worker;
    int64_t started_ms;
} sched_task;

typedef struct sched_stage {
    sched_task *tasks;
    int n_tasks, n_done, n_running;
    int *waiting; /* tasks, a stack */
    int n_waiting;
    int *inputs;
    int n_inputs;
    bool on_driver, durable;
} sched_stage;

typedef struct sched_query {
    struct sched_query *next;
    nb_arena *arena;
    uint64_t id;
    sched_stage *stages;
    int n_stages, n_running, n_open; /* n_open: stages that are not done */
    int weight;
    nb_sched_state failed; /* RUNNING: it has not */
    int failed_stage, failed_task;
} sched_query;

typedef struct sched_worker {
    uint32_t id;
    int cores, free;
    int64_t beat_ms;
    bool in_ring;
} sched_worker;

struct nb_scheduler {
    nb_pool *pool;
    nb_scheduler_options options;
    sched_query *queries; /* in order of arrival */
    sched_worker *workers;
    int n_workers, cap_workers;
    uint32_t *ring; /* numbers of workers with free cores; a queue */
    size_t ring_at, ring_n, cap_ring;
    nb_sched_action *actions; /* besides launches; a queue */
    size_t n_actions, at_action, cap_actions;
    int cores;
};

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
static sched_worker *
worker_of(const nb_scheduler *s, uint32_t id)
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

static void
enter_ring(nb_scheduler *s, sched_worker *w)
{
    if (w->in_ring || w->free <= 0) {
        return;
    }
    if (s->ring_n == s->cap_ring) {
        size_t cap = s->cap_ring ? 2 * s->cap_ring : 64;
        uint32_t *ring = nb_pool_alloc(s->pool, cap * sizeof(*ring));

        if (ring == NULL) {
            return;
        }
        for (size_t i = 0; i < s->ring_n; i++) {
            ring[i] = s->ring[(s->ring_at + i) % s->cap_ring];
        }
        nb_pool_dealloc(s->pool, s->ring, s->cap_ring * sizeof(*ring));
        s->ring = ring;
        s->ring_at = 0;
        s->cap_ring = cap;
    }
    s->ring[(s->ring_at + s->ring_n++) % s->cap_ring] = w->id;
    w->in_ring = true;
}

/* The next worker with a free core; NULL when all are busy. */
static sched_worker *
leave_ring(nb_scheduler *s)
{
    while (s->ring_n > 0) {
        sched_worker *w = worker_of(s, s->ring[s->ring_at]);

        s->ring_at = (s->ring_at + 1) % s->cap_ring;
        s->ring_n--;
        if (w != NULL) {
            w->in_ring = false;
            if (w->free > 0) {
                return w;
            }
        }
    }
    return NULL;
}

static sched_query *
query_of(const nb_scheduler *s, uint64_t id)
{
    sched_query *q = s->queries;

    while (q != NULL && q->id != id) {
        q = q->next;
    }
    return q;
}

static sched_task *
task_of(const nb_scheduler *s, uint64_t query, int stage, int task, sched_query **q,
        sched_stage **st)
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

    if (s == NULL) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    s->pool = pool;
    s->options = *options;
    *out = s;
    return NB_OK;
}

static void
query_free(sched_query *q)
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
        sched_query *q = s->queries;

        s->queries = q->next;
        query_free(q);
    }
    pool = s->pool;
    nb_pool_dealloc(pool, s->workers, (size_t)s->cap_workers * sizeof(sched_worker));
    nb_pool_dealloc(pool, s->ring, s->cap_ring * sizeof(uint32_t));
    nb_pool_dealloc(pool, s->actions, s->cap_actions * sizeof(nb_sched_action));
    nb_pool_dealloc(pool, s, sizeof(*s));
    nb_pool_free(pool);
}

/* ---- states of tasks ------------------------------------------------------------------------- */

static void
set_waiting(sched_query *q, sched_stage *st, int task)
{
    sched_task *t = &st->tasks[task];

    if (t->state == DONE) {
        q->n_open += st->n_done == st->n_tasks;
        st->n_done--;
    } else if (t->state == RUNNING) {
        st->n_running--;
        q->n_running--;
    }
    t->state = WAITING;
    t->worker = NB_SCHED_DRIVER;
    st->waiting[st->n_waiting++] = task;
}

static void
fail(sched_query *q, int stage, int task, nb_sched_state how)
{
    if (q->failed == NB_SCHED_RUNNING) {
        q->failed = how;
        q->failed_stage = stage;
        q->failed_task = task;
    }
}

/* Through no fault of its own; too often is too often. */
static void
lose(const nb_scheduler *s, sched_query *q, int stage, int task)
{
    sched_stage *st = &q->stages[stage];

    set_waiting(q, st, task);
    if (++st->tasks[task].losses > s->options.max_losses) {
        fail(q, stage, task, NB_SCHED_LOST);
    }
}

static bool
may_run(const sched_query *q, const sched_stage *st)
{
    for (int i = 0; i < st->n_inputs; i++) {
        const sched_stage *in = &q->stages[st->inputs[i]];

        if (in->n_done < in->n_tasks) {
            return false;
        }
    }
    return true;
}

static void release_core(nb_scheduler *s, uint32_t worker);

/* Attempts whose input is gone wait for it in vain: they are stopped, and start again when it is back. */
static void
stop_starved(nb_scheduler *s, sched_query *q)
{
    for (int i = 0; i < q->n_stages; i++) {
        sched_stage *st = &q->stages[i];

        for (int t = 0; t < st->n_tasks && st->n_running > 0 && !may_run(q, st); t++) {
            if (st->tasks[t].state == RUNNING) {
                act(s, (nb_sched_action){.kill = true,
                                         .query = q->id,
                                         .stage = i,
                                         .task = t,
                                         .attempt = st->tasks[t].attempt,
                                         .worker = st->tasks[t].worker});
                release_core(s, st->tasks[t].worker);
                lose(s, q, i, t);
            }
        }
    }
}

/* ---- workers --------------------------------------------------------------------------------- */

nb_status
nb_scheduler_worker_join(nb_scheduler *s, uint32_t id, int cores, int64_t now_ms)
{
    sched_worker *w;

    if (s->n_workers == s->cap_workers) {
        size_t cap = (size_t)s->cap_workers;
        void *items = s->workers;

        if (!grow(s, &items, &cap, sizeof(sched_worker))) {
            return NB_NOMEM;
        }
        s->workers = items;
        s->cap_workers = (int)cap;
    }
    w = &s->workers[s->n_workers++];
    *w = (sched_worker){.id = id, .cores = cores, .free = cores, .beat_ms = now_ms};
    s->cores += cores;
    enter_ring(s, w);
    return NB_OK;
}

bool
nb_scheduler_worker_beat(nb_scheduler *s, uint32_t id, int64_t now_ms)
{
    sched_worker *w = worker_of(s, id);

    if (w != NULL) {
        w->beat_ms = now_ms;
    }
    return w != NULL;
}

void
nb_scheduler_worker_lost(nb_scheduler *s, uint32_t id)
{
    sched_worker *w = worker_of(s, id);
    size_t at;

    if (w == NULL) {
        return;
    }
    s->cores -= w->cores;
    at = (size_t)(w - s->workers);
    memmove(w, w + 1, ((size_t)s->n_workers - at - 1) * sizeof(*w));
    s->n_workers--;
    for (sched_query *q = s->queries; q != NULL; q = q->next) {
        for (int i = 0; i < q->n_stages; i++) {
            sched_stage *st = &q->stages[i];

            for (int t = 0; t < st->n_tasks && !st->on_driver; t++) {
                if (st->tasks[t].worker == id && (st->tasks[t].state == RUNNING ||
                                                  (st->tasks[t].state == DONE && !st->durable))) {
                    lose(s, q, i, t);
                }
            }
        }
        stop_starved(s, q);
    }
}

bool
nb_scheduler_has_worker(const nb_scheduler *s, uint32_t worker)
{
    return worker_of(s, worker) != NULL;
}

bool
nb_scheduler_worker_state(const nb_scheduler *s, uint32_t worker, nb_sched_worker_state *out)
{
    const sched_worker *w = worker_of(s, worker);

    if (w == NULL) {
        return false;
    }
    *out = (nb_sched_worker_state){w->cores, w->cores - w->free, w->beat_ms};
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
nb_scheduler_output_lost(nb_scheduler *s, uint64_t query, int stage, uint32_t worker)
{
    sched_query *q = query_of(s, query);
    sched_stage *st;

    if (q == NULL || stage < 0 || stage >= q->n_stages || worker == NB_SCHED_DRIVER) {
        return;
    }
    st = &q->stages[stage];
    for (int t = 0; t < st->n_tasks && !st->durable && !st->on_driver; t++) {
        if (st->tasks[t].state == DONE && st->tasks[t].worker == worker) {
            lose(s, q, stage, t);
        }
    }
    stop_starved(s, q);
}

/* ---- queries --------------------------------------------------------------------------------- */

static bool
stage_init(nb_arena *arena, const nb_sched_stage *from, sched_stage *st)
{
    st->tasks = nb_arena_zalloc(arena, (size_t)NB_MAX(from->n_tasks, 1) * sizeof(sched_task));
    st->waiting = NB_ARENA_ARRAY(arena, int, NB_MAX(from->n_tasks, 1));
    st->inputs = NB_ARENA_ARRAY(arena, int, from->n_inputs + 1);
    if (st->tasks == NULL || st->waiting == NULL || st->inputs == NULL) {
        return false;
    }
    st->n_tasks = from->n_tasks;
    st->on_driver = from->on_driver;
    st->durable = from->durable;
    for (int i = 0; i < from->n_inputs; i++) {
        st->inputs[st->n_inputs++] = from->inputs[i];
    }
    for (int t = from->n_tasks - 1; t >= 0; t--) { /* the first is taken first */
        st->waiting[st->n_waiting++] = t;
    }
    return true;
}

nb_status
nb_scheduler_query_add(nb_scheduler *s, uint64_t id, const nb_sched_stage *stages, int n,
                       int weight)
{
    nb_arena *arena = nb_arena_new(s->pool);
    sched_query *q = arena ? NB_ARENA_NEW(arena, sched_query) : NULL, **at = &s->queries;

    if (q != NULL) {
        q->arena = arena;
        q->stages = nb_arena_zalloc(arena, (size_t)NB_MAX(n, 1) * sizeof(sched_stage));
    }
    if (q == NULL || q->stages == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    q->id = id;
    q->n_stages = n;
    q->weight = NB_MAX(weight, 1);
    for (int i = 0; i < n; i++) {
        if (!stage_init(arena, &stages[i], &q->stages[i])) {
            nb_arena_free(arena);
            return NB_NOMEM;
        }
        q->n_open += stages[i].n_tasks > 0;
    }
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = q;
    return NB_OK;
}

static void
release_core(nb_scheduler *s, uint32_t worker)
{
    sched_worker *w = worker_of(s, worker);

    if (w != NULL && w->free < w->cores) {
        w->free++;
        enter_ring(s, w);
    }
}

void
nb_scheduler_query_end(nb_scheduler *s, uint64_t id)
{
    sched_query **at = &s->queries, *q;

    while (*at != NULL && (*at)->id != id) {
        at = &(*at)->next;
    }
    q = *at;
    if (q == NULL) {
        return;
    }
    for (int i = 0; i < q->n_stages; i++) {
        for (int t = 0; t < q->stages[i].n_tasks; t++) {
            sched_task *task = &q->stages[i].tasks[t];

            if (task->state == RUNNING) {
                act(s, (nb_sched_action){.kill = true,
                                         .query = id,
                                         .stage = i,
                                         .task = t,
                                         .attempt = task->attempt,
                                         .worker = task->worker});
                release_core(s, task->worker);
            }
        }
    }
    *at = q->next;
    query_free(q);
}

/* ---- tasks ----------------------------------------------------------------------------------- */

bool
nb_scheduler_task_done(nb_scheduler *s, uint64_t query, int stage, int task, int attempt,
                       uint32_t worker, bool output_on_driver)
{
    sched_query *q;
    sched_stage *st;
    sched_task *t = task_of(s, query, stage, task, &q, &st);

    if (t == NULL) {
        return false;
    }
    if (st->on_driver) {
        if (worker != NB_SCHED_DRIVER || t->state == DONE) {
            return false;
        }
        st->n_waiting = 0;
    } else {
        if (t->state != RUNNING || t->attempt != attempt || t->worker != worker) {
            return false;
        }
        st->n_running--;
        q->n_running--;
        release_core(s, worker);
    }
    t->state = DONE;
    if (output_on_driver) {
        t->worker = NB_SCHED_DRIVER;
    }
    q->n_open -= ++st->n_done == st->n_tasks;
    return true;
}

bool
nb_scheduler_task_failed(nb_scheduler *s, uint64_t query, int stage, int task, int attempt,
                         uint32_t worker, bool own)
{
    sched_query *q;
    sched_stage *st;
    sched_task *t = task_of(s, query, stage, task, &q, &st);

    if (t == NULL || t->state != RUNNING || t->attempt != attempt || t->worker != worker) {
        return false;
    }
    release_core(s, worker);
    if (!own) {
        lose(s, q, stage, task);
        return true;
    }
    set_waiting(q, st, task);
    if (++t->failures >= s->options.max_failures) {
        fail(q, stage, task, NB_SCHED_FAILED);
    }
    return true;
}

nb_sched_state
nb_scheduler_query_state(const nb_scheduler *s, uint64_t query, int *stage, int *task)
{
    const sched_query *q = query_of(s, query);

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
        const sched_stage *st = &q->stages[i];

        if (st->on_driver && st->n_done < st->n_tasks && may_run(q, st)) {
            *stage = i;
            return NB_SCHED_DRIVE;
        }
    }
    return q->n_open == 0 ? NB_SCHED_READY : NB_SCHED_RUNNING;
}

bool
nb_scheduler_output(const nb_scheduler *s, uint64_t query, int stage, int task, uint32_t *worker,
                    int *attempt)
{
    sched_query *q;
    sched_stage *st;
    const sched_task *t = task_of(s, query, stage, task, &q, &st);

    if (t == NULL || t->state != DONE) {
        return false;
    }
    *worker = t->worker;
    *attempt = t->attempt;
    return true;
}

/* ---- what is to be done ---------------------------------------------------------------------- */

void
nb_scheduler_tick(nb_scheduler *s, int64_t now_ms)
{
    for (int i = s->n_workers - 1; i >= 0; i--) {
        if (now_ms - s->workers[i].beat_ms > s->options.heartbeat_timeout_ms) {
            nb_scheduler_worker_lost(s, s->workers[i].id);
        }
    }
}

/* A stage of the query with a task that may be started; NULL when there is none. */
static sched_stage *
startable(const sched_query *q)
{
    for (int i = 0; i < q->n_stages && q->failed == NB_SCHED_RUNNING; i++) {
        sched_stage *st = &q->stages[i];

        if (!st->on_driver && st->n_waiting > 0 && may_run(q, st)) {
            return st;
        }
    }
    return NULL;
}

static bool
launch(nb_scheduler *s, int64_t now_ms, nb_sched_action *out)
{
    sched_query *best = NULL;
    sched_stage *stage = NULL;
    sched_worker *w;
    sched_task *t;
    int task;

    if (s->ring_n == 0) {
        return false;
    }
    for (sched_query *q = s->queries; q != NULL; q = q->next) {
        sched_stage *st;

        if (best != NULL && (!s->options.fair || (int64_t)q->n_running * best->weight >=
                                                     (int64_t)best->n_running * q->weight)) {
            continue;
        }
        st = startable(q);
        if (st != NULL) {
            best = q;
            stage = st;
            if (!s->options.fair) {
                break;
            }
        }
    }
    if (best == NULL) {
        return false;
    }
    w = leave_ring(s);
    if (w == NULL) {
        return false;
    }
    task = stage->waiting[--stage->n_waiting];
    t = &stage->tasks[task];
    t->state = RUNNING;
    t->attempt++;
    t->worker = w->id;
    t->started_ms = now_ms;
    stage->n_running++;
    best->n_running++;
    w->free--;
    enter_ring(s, w);
    *out = (nb_sched_action){.query = best->id,
                             .stage = (int)(stage - best->stages),
                             .task = task,
                             .attempt = t->attempt,
                             .worker = w->id};
    return true;
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
    return launch(s, now_ms, out);
}
