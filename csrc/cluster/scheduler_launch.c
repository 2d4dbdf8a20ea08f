/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler_launch.c: which attempt is started next, and where; see scheduler.h.
 *
 * Workers with a free core stand in a ring, so that tasks go round; a stage's waiting tasks are a list, and one more per worker that they
 * prefer. A launch therefore costs a few steps whatever the number of workers and tasks.
 */
#include "cluster/scheduler_internal.h"

#include <stdlib.h>

/* ---- workers with a free core ---------------------------------------------------------------- */

/* The number has a place already when memory is out: the worker waits until something else makes it enter. */
void
nb_sched_enter_ring(nb_scheduler *s, nb_sched_worker *w)
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

/* The next worker with a free core, which leaves the ring; NULL when all are busy. */
static nb_sched_worker *
leave_ring(nb_scheduler *s)
{
    while (s->ring_n > 0) {
        nb_sched_worker *w = nb_sched_worker_of(s, s->ring[s->ring_at]);

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

/* The same, for tasks of a query; may not be `busy` (NB_SCHED_DRIVER: any will do). Those that will not do stay in the ring. */
static nb_sched_worker *
take_worker(nb_scheduler *s, const nb_sched_query *q, uint32_t busy)
{
    for (size_t left = s->ring_n; left > 0; left--) {
        nb_sched_worker *w = leave_ring(s);

        if (w == NULL || (w->id != busy && !nb_sched_is_excluded(q, w->id))) {
            return w;
        }
        nb_sched_enter_ring(s, w);
    }
    return NULL;
}

/* ---- lists of waiting tasks ------------------------------------------------------------------ */

static int *
preferring(nb_sched_stage_state *st, const nb_sched_task *t)
{
    return st->by_prefer != NULL && t->prefer != NB_SCHED_DRIVER
               ? &st->by_prefer[t->prefer % (uint32_t)st->n_by_prefer]
               : NULL;
}

void
nb_sched_wait(nb_sched_stage_state *st, int task)
{
    nb_sched_task *t = &st->tasks[task];
    int *first = preferring(st, t);

    t->all = (nb_task_link){-1, st->first_waiting};
    if (st->first_waiting >= 0) {
        st->tasks[st->first_waiting].all.before = task;
    }
    st->first_waiting = task;
    if (first != NULL) {
        t->by_prefer = (nb_task_link){-1, *first};
        if (*first >= 0) {
            st->tasks[*first].by_prefer.before = task;
        }
        *first = task;
    }
    st->n_waiting++;
}

void
nb_sched_unwait(nb_sched_stage_state *st, int task)
{
    nb_sched_task *t = &st->tasks[task];
    int *first = preferring(st, t);

    *(t->all.before >= 0 ? &st->tasks[t->all.before].all.after : &st->first_waiting) = t->all.after;
    if (t->all.after >= 0) {
        st->tasks[t->all.after].all.before = t->all.before;
    }
    if (first != NULL) {
        *(t->by_prefer.before >= 0 ? &st->tasks[t->by_prefer.before].by_prefer.after : first) =
            t->by_prefer.after;
        if (t->by_prefer.after >= 0) {
            st->tasks[t->by_prefer.after].by_prefer.before = t->by_prefer.before;
        }
    }
    st->n_waiting--;
}

/* ---- whose turn it is ------------------------------------------------------------------------ */

/* A stage of the query with a task that may be started; NULL when there is none. */
static nb_sched_stage_state *
startable(const nb_sched_query *q)
{
    for (int i = 0; i < q->n_stages && q->failed == NB_SCHED_RUNNING; i++) {
        nb_sched_stage_state *st = &q->stages[i];

        if (!st->on_driver && st->n_waiting > 0 && nb_sched_may_run(q, st)) {
            return st;
        }
    }
    return NULL;
}

/* Does pool a come before pool b? As Spark's FairSchedulingAlgorithm. */
static bool
comes_before(const nb_sched_pool_state *a, const nb_sched_pool_state *b)
{
    bool a_needs = a->n_running < a->min_share, b_needs = b->n_running < b->min_share;
    int64_t x, y;

    if (a_needs != b_needs) {
        return a_needs;
    }
    if (a_needs) {
        x = (int64_t)a->n_running * NB_MAX(b->min_share, 1);
        y = (int64_t)b->n_running * NB_MAX(a->min_share, 1);
    } else {
        x = (int64_t)a->n_running * b->weight;
        y = (int64_t)b->n_running * a->weight;
    }
    return x != y ? x < y : nb_str_compare(a->name, b->name) < 0;
}

static nb_sched_query *
turn(nb_scheduler *s, nb_sched_stage_state **stage)
{
    nb_sched_pool_state *best = NULL;

    for (nb_sched_pool_state *p = s->pools; p != NULL; p = p->next) {
        p->candidate = NULL;
    }
    for (nb_sched_query *q = s->queries; q != NULL; q = q->next) {
        nb_sched_pool_state *p = q->pool;
        nb_sched_stage_state *st;

        if (p->candidate != NULL && (!p->fair || q->n_running >= p->candidate->n_running)) {
            continue;
        }
        st = startable(q);
        if (st == NULL) {
            continue;
        }
        if (!s->options.fair) {
            *stage = st;
            return q;
        }
        p->candidate = q;
        p->candidate_stage = st;
    }
    for (nb_sched_pool_state *p = s->pools; p != NULL; p = p->next) {
        if (p->candidate != NULL && (best == NULL || comes_before(p, best))) {
            best = p;
        }
    }
    if (best == NULL) {
        return NULL;
    }
    *stage = best->candidate_stage;
    return best->candidate;
}

/* ---- starting -------------------------------------------------------------------------------- */

static void
begin(nb_scheduler *s, nb_sched_query *q, nb_sched_stage_state *st, int task, nb_sched_worker *w,
      int64_t now_ms, nb_sched_action *out)
{
    nb_sched_task *t = &st->tasks[task];

    t->state = NB_TASK_RUNNING;
    t->runs[t->n_runs++] = (nb_sched_run){++t->attempt, w->id, now_ms};
    st->n_running++;
    q->n_running++;
    q->pool->n_running++;
    w->free--;
    nb_sched_enter_ring(s, w);
    *out = (nb_sched_action){.query = q->id,
                             .stage = (int)(st - q->stages),
                             .task = task,
                             .attempt = t->attempt,
                             .worker = w->id};
}

/* A waiting task that prefers the worker; -1: none. */
static int
preferring_task(const nb_sched_stage_state *st, uint32_t worker)
{
    int task = st->by_prefer ? st->by_prefer[worker % (uint32_t)st->n_by_prefer] : -1;

    while (task >= 0 && st->tasks[task].prefer != worker) {
        task = st->tasks[task].by_prefer.after;
    }
    return task;
}

/* A copy of a slow task on another worker. */
static bool
launch_copy(nb_scheduler *s, int64_t now_ms, nb_sched_action *out)
{
    for (nb_sched_query *q = s->queries; q != NULL; q = q->next) {
        for (int i = 0; i < q->n_stages && q->failed == NB_SCHED_RUNNING; i++) {
            nb_sched_stage_state *st = &q->stages[i];

            while (st->n_slow > 0) {
                int task = st->slow[st->n_slow - 1];
                nb_sched_task *t = &st->tasks[task];
                nb_sched_worker *w;

                if (t->state != NB_TASK_RUNNING || t->n_runs != 1 || !nb_sched_may_run(q, st)) {
                    st->n_slow--;
                    continue;
                }
                w = take_worker(s, q, t->runs[0].worker);
                if (w == NULL) {
                    return false;
                }
                st->n_slow--;
                begin(s, q, st, task, w, now_ms, out);
                return true;
            }
        }
    }
    return false;
}

bool
nb_sched_launch(nb_scheduler *s, int64_t now_ms, nb_sched_action *out)
{
    nb_sched_stage_state *st = NULL;
    nb_sched_query *q;
    nb_sched_worker *w;
    int task, better;

    if (s->ring_n == 0) {
        return false;
    }
    q = turn(s, &st);
    if (q == NULL) {
        return s->options.speculation && launch_copy(s, now_ms, out);
    }
    task = st->first_waiting;
    w = st->tasks[task].prefer != NB_SCHED_DRIVER ? nb_sched_worker_of(s, st->tasks[task].prefer)
                                                  : NULL;
    if (w == NULL || w->free <= 0 || nb_sched_is_excluded(q, w->id)) {
        w = take_worker(s, q, NB_SCHED_DRIVER);
        if (w == NULL) {
            return false;
        }
        better = preferring_task(st, w->id);
        task = better >= 0 ? better : task;
    }
    nb_sched_unwait(st, task);
    begin(s, q, st, task, w, now_ms, out);
    return true;
}

/* ---- slow tasks ------------------------------------------------------------------------------ */

static int
by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void
look_at_stage(nb_scheduler *s, nb_sched_stage_state *st, int64_t now_ms)
{
    size_t room = (size_t)st->n_tasks * sizeof(int64_t);
    int64_t *took = nb_pool_alloc(s->pool, room);
    double limit;
    int n = 0;

    st->n_slow = 0;
    if (took == NULL) { /* without copies everything goes on */
        return;
    }
    for (int t = 0; t < st->n_tasks; t++) {
        if (st->tasks[t].state == NB_TASK_DONE) {
            took[n++] = st->tasks[t].took_ms;
        }
    }
    qsort(took, (size_t)n, sizeof(*took), by_number);
    limit = NB_MAX(s->options.speculation_multiplier * (double)took[n / 2],
                   (double)s->options.speculation_min_ms);
    nb_pool_dealloc(s->pool, took, room);
    for (int t = 0; t < st->n_tasks; t++) {
        const nb_sched_task *task = &st->tasks[t];

        if (task->state == NB_TASK_RUNNING && task->n_runs == 1 &&
            (double)(now_ms - task->runs[0].started_ms) > limit) {
            st->slow[st->n_slow++] = t;
        }
    }
}

void
nb_sched_look_for_slow(nb_scheduler *s, int64_t now_ms)
{
    if (!s->options.speculation || now_ms - s->looked_ms < s->options.speculation_interval_ms) {
        return;
    }
    s->looked_ms = now_ms;
    for (nb_sched_query *q = s->queries; q != NULL; q = q->next) {
        for (int i = 0; i < q->n_stages; i++) {
            nb_sched_stage_state *st = &q->stages[i];

            if (st->n_running > 0 && st->n_done > 0 && st->slow != NULL &&
                (double)st->n_done >= s->options.speculation_quantile * (double)st->n_tasks) {
                look_at_stage(s, st, now_ms);
            }
        }
    }
}
