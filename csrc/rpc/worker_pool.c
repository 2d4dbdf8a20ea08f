/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_pool.c: the threads on which handlers run.
 *
 * A thread is started when a call is ready and none is idle, up to max_threads; one that has had nothing to do for a while ends, but for
 * a few. Long calls (queries) may take all threads but a reserve, so that a server full of queries still answers those who
 * ask about them or want to stop them. What finds no thread waits in its queue, in order of arrival.
 */
#include <errno.h>
#include <signal.h>
#include <time.h>
#include "rpc/server_internal.h"

#define STACK_BYTES  ((size_t)2 << 20) /* mapped; touched only as deep as handlers get */
#define IDLE_KEPT    4
#define IDLE_SECONDS 10

static int
max_long(const nb_rpc_server *server)
{
    int n = server->options.max_threads;

    return NB_MAX(n - NB_MAX(n / 8, 4), 1);
}

/* Under server->lock. */
static nb_rpc_call *
take(nb_rpc_server *server)
{
    for (int is_long = 0; is_long < 2; is_long++) {
        nb_rpc_queue *q = &server->ready[is_long];
        nb_rpc_call *call = q->head;
        if (!call || (is_long && server->n_long >= max_long(server))) {
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

static void *
worker_main(void *arg)
{
    nb_rpc_server *server = arg;
    nb_rpc_call *call;

    pthread_mutex_lock(&server->lock);
    for (;;) {
        struct timespec until;
        int r;

        while ((call = take(server)) != NULL) {
            bool is_long = call->method->is_long;

            pthread_mutex_unlock(&server->lock);
            nb_rpc_call_run(call);
            pthread_mutex_lock(&server->lock);
            server->n_long -= is_long;
        }
        if (server->stopping && server->n_calls == 0) {
            break;
        }
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += IDLE_SECONDS;
        server->n_idle++;
        r = pthread_cond_timedwait(&server->work, &server->lock, &until);
        server->n_idle--;
        if (r == ETIMEDOUT && server->n_idle >= IDLE_KEPT && !server->ready[0].head &&
            !server->ready[1].head) {
            break;
        }
    }
    server->n_threads--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

void
nb_rpc_pool_grow(nb_rpc_server *server)
{
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, &attr, worker_main, server) == 0) {
        server->n_threads++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
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
    if (server->n_queued > server->n_idle && server->n_threads < server->options.max_threads) {
        nb_rpc_pool_grow(
            server); /* when no thread can be had, those that there are take the call later */
    }
    pthread_cond_signal(&server->work);
    pthread_mutex_unlock(&server->lock);
}

void
nb_rpc_pool_join(nb_rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    pthread_cond_broadcast(&server->work);
    while (server->n_threads > 0) {
        pthread_cond_wait(&server->changed, &server->lock);
    }
    pthread_mutex_unlock(&server->lock);
}
