/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_pool.c: the threads on which handlers run.
 *
 * A call that is ready waits in its queue, in order of arrival, until it may run. As many handlers run at once as there are processors, and a
 * few more: more would only take turns, so that all of them end late. Whether a handler needs a processor, or waits for something, nobody
 * says; one that has run for SHORT_MS is no longer counted, and who waits behind it goes on.
 *
 * A thread is started when a call may run and none is idle, up to max_threads; one that has had nothing to do for a while ends, but for
 * a few. They have deep stacks, because queries run on them. Long calls (queries) may take all threads but a reserve, so that a server full of
 * queries still answers those who ask about them or want to stop them.
 */
#include <errno.h>
#include <signal.h>
#include <time.h>
#include "base/clock.h"
#include "base/thread.h"
#include "rpc/server_internal.h"

#define IDLE_KEPT    4
#define IDLE_SECONDS 10
#define SHORT_MS     4
#define IDLE_LOOK_MS 20
#define QUIET_MS     100 /* so long after the last call it is looked on, to save waking up for each */

static int
max_long(const nb_rpc_server *server)
{
    int n = server->options.max_threads;

    return NB_MAX(n - NB_MAX(n / 8, 4), 1);
}

bool
nb_rpc_pool_is_full(const nb_rpc_server *server)
{
    return server->n_long >= max_long(server);
}

/* Under server->lock. */
static nb_rpc_call *
take(nb_rpc_server *server)
{
    for (int is_long = 0; is_long < 2; is_long++) {
        nb_rpc_queue *q = &server->ready[is_long];
        nb_rpc_call *call = q->head;
        if (!call || (is_long && nb_rpc_pool_is_full(server))) {
            continue;
        }
        q->head = call->next_queued;
        if (!q->head) {
            q->tail = &q->head;
        }
        server->n_long += is_long;
        server->n_queued--;
        return call;
    }
    return NULL;
}

/* Handlers that have run for longer are not counted any more. Under server->lock. */
static void
count_short(nb_rpc_server *server)
{
    int64_t before = nb_clock_mono_ns() - (int64_t)SHORT_MS * 1000000;

    for (nb_rpc_busy *b = server->busy; b; b = b->next) {
        if (b->is_short && b->since_ns < before) {
            b->is_short = false;
            server->n_short--;
        }
    }
}

static void worker_main(void *server);

static void
grow(nb_rpc_server *server)
{
    server->n_threads += nb_threads_start(worker_main, server);
}

/* As many threads begin as calls may. Under server->lock. */
static void
let_go(nb_rpc_server *server)
{
    int n = NB_MIN(server->n_queued, server->max_short - server->n_short);

    for (int i = 0; i < n; i++) {
        if (i >= server->n_idle && server->n_threads < server->options.max_threads) {
            grow(server); /* when no thread can be had, those that there are take the call later */
        }
        pthread_cond_signal(&server->work);
    }
}

static void
run(nb_rpc_server *server, nb_rpc_call *call)
{
    nb_rpc_busy me = {server->busy, nb_clock_mono_ns(), true};
    bool is_long = call->method->is_long;

    server->busy = &me;
    server->n_short++;
    pthread_mutex_unlock(&server->lock);
    nb_rpc_call_run(call);
    pthread_mutex_lock(&server->lock);
    server->n_long -= is_long;
    server->n_short -= me.is_short;
    for (nb_rpc_busy **at = &server->busy;; at = &(*at)->next) {
        if (*at == &me) {
            *at = me.next;
            break;
        }
    }
}

/* Waits for a call; false when the thread may end. Under server->lock. */
static bool
wait_for_call(nb_rpc_server *server)
{
    static const int SECONDS[] = {1, IDLE_SECONDS};

    for (size_t i = 0; i < NB_COUNT_OF(SECONDS); i++) {
        struct timespec until;
        int r;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += SECONDS[i];
        server->n_idle++;
        r = pthread_cond_timedwait(&server->work, &server->lock, &until);
        server->n_idle--;
        if (r != ETIMEDOUT || server->n_queued > 0) {
            return true;
        }
        if (i == 0) {
            pthread_mutex_unlock(&server->lock);
            nb_stack_trim();
            pthread_mutex_lock(&server->lock);
        }
    }
    return server->n_idle < IDLE_KEPT;
}

static void
worker_main(void *arg)
{
    nb_rpc_server *server = arg;
    nb_rpc_call *call;

    pthread_mutex_lock(&server->lock);
    for (;;) {
        while (server->n_short < server->max_short && (call = take(server)) != NULL) {
            run(server, call);
        }
        if ((server->stopping && server->n_calls == 0) || !wait_for_call(server)) {
            break;
        }
    }
    server->n_threads--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

void
nb_rpc_pool_watch(nb_rpc_server *server)
{
    if (!server->looks) {
        server->looks = true;
        pthread_cond_signal(&server->waits);
    }
}

/* While calls wait for handlers to end, some of these may turn out to be long, and so may what the poller runs. */
static void *
looker_main(void *arg)
{
    nb_rpc_server *server = arg;

    pthread_mutex_lock(&server->lock);
    while (!server->stopping || server->n_calls > 0) {
        int64_t at = nb_clock_mono_ns();
        struct timespec until;
        bool soon = nb_rpc_poller_look(server);

        server->looks =
            server->n_queued > 0 || soon || at - server->handled_ns < (int64_t)QUIET_MS * 1000000;
        at += (int64_t)(server->looks ? SHORT_MS : IDLE_LOOK_MS) * 1000000;
        until = (struct timespec){at / 1000000000, at % 1000000000};
        pthread_cond_timedwait(&server->waits, &server->lock, &until);
        count_short(server);
        let_go(server);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

bool
nb_rpc_pool_start(nb_rpc_server *server)
{
    sigset_t all, before;
    bool ok;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    server->has_looker = pthread_create(&server->looker, NULL, looker_main, server) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_lock(&server->lock);
    grow(server); /* one thread there always is */
    ok = server->n_threads > 0 && server->has_looker;
    pthread_mutex_unlock(&server->lock);
    return ok;
}

void
nb_rpc_pool_submit(nb_rpc_server *server, nb_rpc_call *call)
{
    nb_rpc_queue *q = &server->ready[call->method->is_long];

    pthread_mutex_lock(&server->lock);
    call->is_waiting = false;
    call->next_queued = NULL;
    *q->tail = call;
    q->tail = &call->next_queued;
    server->n_queued++;
    let_go(server);
    if (server->n_queued + server->n_short > server->max_short) {
        nb_rpc_pool_watch(server);
    }
    pthread_mutex_unlock(&server->lock);
}

void
nb_rpc_pool_join(nb_rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    pthread_cond_broadcast(&server->work);
    pthread_cond_signal(&server->waits);
    while (server->n_threads > 0) {
        pthread_cond_wait(&server->changed, &server->lock);
    }
    pthread_mutex_unlock(&server->lock);
    if (server->has_looker) {
        pthread_join(server->looker, NULL);
        server->has_looker = false;
    }
}
