/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poller.c: the threads that serve the completion queue, and who takes their place.
 *
 * Pollers move calls on as their events come. When a request comes to a server that has nothing else to do, the poller runs the handler itself, which
 * saves the request two changes of threads; requests that come close to each other go to the pool. A handler that turns out to take long, or that
 * has to wait for an event, loses its thread the role: a spare thread takes it, and whose handler has ended becomes the spare one.
 *
 * One poller is enough for the work. But gRPC reads from its connections on this thread, and one connection that floods it would hold up all, and
 * not be noticed before all is read that it has sent. So it is looked at: when it has not slept for a few milliseconds, and used the processor, a
 * second one helps until it sleeps again. (Two all the time wake each other with each event, which costs as much as all the rest.) A poller sleeps
 * without a time-out unless a call waits for its request.
 */
#include <grpc/support/time.h>
#include <time.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "rpc/server_internal.h"

#define SPARE_KEPT 2
#define LONG_MS    4
#define CALM       25 /* looks, until it needs no help any more */

/* A thread; lives on its stack. */
typedef struct nb_rpc_poller {
    nb_rpc_role *role; /* that it has, or had last; the thread's own */
    bool slept;        /* it has waited since it last ran a handler */
    atomic_long n_slept;
    clockid_t clock; /* of its processor time */
    /* as they were when it was looked at; under the lock */
    long slept_then;
    int64_t used_then_ns, looked_ns;
} nb_rpc_poller;

static __thread nb_rpc_poller *myself; /* NULL: this thread is none */

/* Cancels calls whose request has not come in time; when to look again, INT64_MAX for never. */
static int64_t
expire_calls(nb_rpc_server *s)
{
    int64_t now = nb_clock_mono_ns(), next = INT64_MAX;

    pthread_mutex_lock(&s->lock);
    for (nb_rpc_call *c = s->calls; c; c = c->next) {
        if (!c->is_waiting) {
            continue;
        }
        if (c->deadline_ns <= now) {
            nb_rpc_call_expire(c);
        } else {
            next = NB_MIN(next, c->deadline_ns);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return next;
}

/* The next event, or none when something else is to be done. */
static grpc_event
next_event(nb_rpc_server *s)
{
    gpr_timespec until = gpr_inf_future(GPR_CLOCK_MONOTONIC);
    grpc_event ev = grpc_completion_queue_next(s->cq, gpr_time_0(GPR_CLOCK_MONOTONIC), NULL);

    if (ev.type != GRPC_QUEUE_TIMEOUT) {
        return ev;
    }
    myself->slept = true;
    atomic_fetch_add_explicit(&myself->n_slept, 1, memory_order_relaxed);
    if (myself->role->look_at_ns != INT64_MAX) {
        int64_t left = myself->role->look_at_ns - nb_clock_mono_ns();

        if (left <= 0) {
            myself->role->look_at_ns = expire_calls(s);
            return ev;
        }
        until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                             gpr_time_from_millis(left / 1000000 + 1, GPR_TIMESPAN));
    }
    return grpc_completion_queue_next(s->cq, until, NULL);
}

static void
handle(nb_rpc_server *s, const grpc_event *ev)
{
    nb_rpc_tag *tag = ev->tag;

    atomic_load_explicit(&s->n_posts, memory_order_acquire);
    if (!tag->call) {
        pthread_mutex_lock(&s->lock);
        s->shut_down = true;
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->lock);
    } else if (tag->event != EVENT_NEW) {
        nb_rpc_call_event(tag->call, tag->event, ev->success != 0);
    } else if (!ev->success) {
        nb_rpc_call_discard(tag->call);
    } else {
        if (nb_rpc_call_post(s) < 0) {
            nb_log(NB_LOG_ERROR, "rpc", "no memory for one more call");
        }
        if (myself->role->look_at_ns == INT64_MAX) { /* any earlier time is looked at before */
            myself->role->look_at_ns =
                nb_clock_mono_ns() + (int64_t)s->options.request_timeout_ms * 1000000;
        }
        nb_rpc_call_begin(tag->call);
    }
}

/* ---- the role -------------------------------------------------------------------------------- */

/* Until somebody else has it, or the queue is shut down. */
static void
poll(nb_rpc_server *s)
{
    bool mine = true;

    while (mine) {
        grpc_event ev = next_event(s);

        if (ev.type == GRPC_OP_COMPLETE) {
            handle(s, &ev);
        }
        pthread_mutex_lock(&s->lock);
        s->over |= ev.type == GRPC_QUEUE_SHUTDOWN;
        mine = myself->role->poller == myself && !s->over &&
               (s->helped || myself->role == &s->roles[0]);
        pthread_mutex_unlock(&s->lock);
    }
}

static nb_rpc_role *
free_role(nb_rpc_server *s)
{
    for (int i = 0; i < (s->helped ? NB_RPC_POLLERS : 1); i++) {
        if (!s->roles[i].poller) {
            return &s->roles[i];
        }
    }
    return NULL;
}

static void
poller_main(void *arg)
{
    nb_rpc_server *s = arg;
    nb_rpc_poller me = {0};

    if (pthread_getcpuclockid(pthread_self(), &me.clock) != 0) {
        me.clock = CLOCK_MONOTONIC; /* cannot be; it would be helped without need */
    }
    myself = &me;
    pthread_mutex_lock(&s->lock);
    while (!s->over) {
        me.role = free_role(s);
        if (!me.role) {
            if (s->n_spare >= SPARE_KEPT) {
                break;
            }
            s->n_spare++;
            pthread_cond_wait(&s->role, &s->lock);
            s->n_spare--;
            continue;
        }
        me.role->poller = &me;
        pthread_mutex_unlock(&s->lock);
        poll(s);
        pthread_mutex_lock(&s->lock);
        if (me.role->poller == &me) {
            me.role->poller = NULL;
        }
    }
    myself = NULL;
    s->n_pollers--;
    pthread_cond_broadcast(&s->role);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* A thread for a role that is free; under the lock. */
static void
call_one(nb_rpc_server *s)
{
    if (s->n_spare > 0) {
        pthread_cond_signal(&s->role);
    } else {
        s->n_pollers += nb_threads_start(poller_main, s);
    }
}

static void
give_up(nb_rpc_server *s, nb_rpc_role *role)
{
    role->poller = NULL;
    role->handles_since_ns = 0;
    call_one(s);
}

void
nb_rpc_poller_waits(nb_rpc_server *s)
{
    if (myself) {
        pthread_mutex_lock(&s->lock);
        if (myself->role->poller == myself) {
            give_up(s, myself->role);
        }
        pthread_mutex_unlock(&s->lock);
    }
}

/* Whether it has not slept since it was last looked at, and used the processor. */
static bool
is_busy(nb_rpc_poller *p, int64_t now)
{
    long slept = atomic_load_explicit(&p->n_slept, memory_order_relaxed);
    struct timespec t = {0};
    int64_t used;
    bool busy;

    clock_gettime(p->clock, &t);
    used = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    busy = p->looked_ns > 0 && slept == p->slept_then &&
           used - p->used_then_ns > (now - p->looked_ns) / 4;
    p->looked_ns = now;
    p->slept_then = slept;
    p->used_then_ns = used;
    return busy;
}

bool
nb_rpc_poller_look(nb_rpc_server *s)
{
    int64_t now = nb_clock_mono_ns();
    bool handles = false;

    for (int i = 0; i < NB_RPC_POLLERS; i++) {
        nb_rpc_role *role = &s->roles[i];

        if (role->handles_since_ns && now - role->handles_since_ns > (int64_t)LONG_MS * 1000000) {
            give_up(s, role);
        }
        handles |= role->handles_since_ns != 0;
    }
    if (s->roles[0].poller && is_busy(s->roles[0].poller, now)) {
        s->n_calm = 0;
        if (!s->helped) {
            s->helped = true;
            call_one(s);
        }
    } else if (s->helped && ++s->n_calm > CALM) {
        s->helped = false; /* who helps ends with its next event */
    }
    return handles || s->helped;
}

/* ---- handlers -------------------------------------------------------------------------------- */

bool
nb_rpc_poller_takes(nb_rpc_server *s, nb_rpc_call *call)
{
    bool takes;

    if (!myself || !myself->slept || call->method->client_stream) {
        return false;
    }
    pthread_mutex_lock(&s->lock);
    takes = myself->role->poller == myself && s->n_queued == 0 && s->n_short == 0 &&
            !(call->method->is_long && nb_rpc_pool_is_full(s));
    if (takes) {
        call->is_waiting = false;
        s->n_long += call->method->is_long;
        myself->role->handles_since_ns = s->handled_ns = nb_clock_mono_ns();
        nb_rpc_pool_watch(s);
    }
    pthread_mutex_unlock(&s->lock);
    return takes;
}

void
nb_rpc_poller_run(nb_rpc_server *s, nb_rpc_call *call)
{
    bool is_long = call->method->is_long;

    myself->slept = false;
    nb_rpc_call_run(call);
    pthread_mutex_lock(&s->lock);
    s->n_long -= is_long;
    if (myself->role->poller == myself) {
        myself->role->handles_since_ns = 0;
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- life ------------------------------------------------------------------------------------ */

bool
nb_rpc_poller_start(nb_rpc_server *s)
{
    bool ok;

    pthread_mutex_lock(&s->lock);
    s->n_pollers += nb_threads_start(poller_main, s);
    ok = s->n_pollers > 0;
    pthread_mutex_unlock(&s->lock);
    return ok;
}

void
nb_rpc_pollers_join(nb_rpc_server *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->n_pollers > 0) {
        pthread_cond_wait(&s->changed, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}
