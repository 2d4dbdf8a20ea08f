/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.c: worker threads.
 *
 * A run is a record on its caller's stack, linked into the list of open runs. Its indices are handed out by a counter under
 * the list's lock; caller and idle workers take the next index of a run until none is left. The caller then unlinks
 * it (no worker can find it any more) and waits until the indices that others took are done. A caller waits only for indices
 * that a thread is already working on, so nested runs cannot deadlock.
 */
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define WORKER_STACK ((size_t)16 * 1024 * 1024)
#define MAX_WORKERS  256

typedef struct run {
    struct run *next;
    void (*fn)(void *payload, int i);
    void *payload;
    int n, next_i; /* handed out so far */
    int n_done;
    pthread_cond_t done;
} run;

/* The lock guards all of it, and the counters of the runs. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    run *runs;
    int n_workers, n_idle;
    int n_waiting; /* workers that wait for something else */
    struct deep_thread *deep_idle;
    int n_deep_idle;
} g = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

/* In a child only the forking thread lives on: forget the parent's workers and runs. */
static void
after_fork(void)
{
    pthread_mutex_init(&g.lock, NULL);
    pthread_cond_init(&g.work, NULL);
    g.runs = NULL;
    g.n_workers = g.n_idle = g.n_waiting = g.n_deep_idle = 0;
    g.deep_idle = NULL;
}

static void
register_fork(void)
{
    pthread_atfork(NULL, NULL, after_fork);
}

/* Works on r until no index is left to take. Called with the lock held, returns so. */
static void
take_part(run *r)
{
    while (r->next_i < r->n) {
        int i = r->next_i++;

        pthread_mutex_unlock(&g.lock);
        r->fn(r->payload, i);
        pthread_mutex_lock(&g.lock);
        if (++r->n_done == r->n) {
            pthread_cond_signal(&r->done);
            return; /* r may be gone as soon as the lock is released */
        }
    }
}

static run *
find_open_run(void)
{
    for (run *r = g.runs; r != NULL; r = r->next) {
        if (r->next_i < r->n) {
            return r;
        }
    }
    return NULL;
}

static __thread bool is_worker;

static void *
worker_main(void *unused)
{
    (void)unused;
    is_worker = true;
    pthread_mutex_lock(&g.lock);
    for (;;) {
        run *r = find_open_run();

        if (r != NULL) {
            take_part(r);
            continue;
        }
        g.n_idle++;
        pthread_cond_wait(&g.work, &g.lock);
        g.n_idle--;
    }
    return NULL;
}

static bool
start_thread(pthread_attr_t *attr, pthread_t *thread, void *(*fn)(void *), void *arg)
{
    sigset_t all, before;
    bool ok;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ok = pthread_create(thread, attr, fn, arg) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

/* Called with the lock held. */
static void
start_workers(int wanted)
{
    pthread_attr_t attr;

    wanted = NB_MIN(wanted, MAX_WORKERS);
    if (g.n_workers >= wanted) {
        return;
    }
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WORKER_STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    while (g.n_workers < wanted) {
        pthread_t thread;

        if (!start_thread(&attr, &thread, worker_main, NULL)) {
            break;
        }
        g.n_workers++;
    }
    pthread_attr_destroy(&attr);
}

void
nb_threads_run(int n, void (*fn)(void *payload, int i), void *payload)
{
    run r = {.fn = fn, .payload = payload, .n = n, .done = PTHREAD_COND_INITIALIZER};

    if (n <= 1) {
        if (n == 1) {
            fn(payload, 0);
        }
        return;
    }
    pthread_once(&fork_once, register_fork);
    pthread_mutex_lock(&g.lock);
    start_workers(n - 1 + g.n_waiting);
    r.next = g.runs;
    g.runs = &r;
    for (int i = 0; i < n - 1; i++) {
        pthread_cond_signal(&g.work);
    }
    take_part(&r);
    for (run **link = &g.runs; *link != NULL; link = &(*link)->next) {
        if (*link == &r) {
            *link = r.next;
            break;
        }
    }
    while (r.n_done < r.n) {
        pthread_cond_wait(&r.done, &g.lock);
    }
    pthread_mutex_unlock(&g.lock);
    pthread_cond_destroy(&r.done);
}

void
nb_threads_wait_begin(void)
{
    if (is_worker) {
        pthread_mutex_lock(&g.lock);
        g.n_waiting++;
        if (find_open_run() != NULL) { /* its callers have asked for no more than there were */
            start_workers(g.n_workers + 1);
        }
        pthread_mutex_unlock(&g.lock);
    }
}

void
nb_threads_wait_end(void)
{
    if (is_worker) {
        pthread_mutex_lock(&g.lock);
        g.n_waiting--;
        pthread_mutex_unlock(&g.lock);
    }
}

/* ---- deep stacks ------------------------------------------------------------------------------------------------ */

#define DEEP_IDLE    8                    /* so many wait for something to do; others end at once */
#define DEEP_SECONDS 10                   /* for that long */
#define DEEP_KEPT    ((size_t)256 * 1024) /* of a stack that is not used */

typedef struct deep_thread {
    struct deep_thread *next; /* while idle */
    void (*fn)(void *payload);
    void *payload;
    pthread_cond_t wake;
} deep_thread;

void
nb_stack_trim(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t here = (uintptr_t)__builtin_frame_address(0), left = nb_stack_left();

    if (left > 2 * DEEP_KEPT) {
        uintptr_t from = NB_ALIGN_UP(here - left, page), to = (here - DEEP_KEPT) & ~(page - 1);

        madvise((void *)from, to - from, MADV_DONTNEED);
    }
}

/* Waits until there is something to do; false when the thread shall end. Under the lock. */
static bool
wait_for_call(deep_thread *t)
{
    struct timespec until;
    bool trimmed = false;

    t->fn = NULL;
    if (g.n_deep_idle >= DEEP_IDLE) {
        return false;
    }
    t->next = g.deep_idle;
    g.deep_idle = t;
    g.n_deep_idle++;
    while (t->fn == NULL) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += trimmed ? DEEP_SECONDS : 1;
        if (pthread_cond_timedwait(&t->wake, &g.lock, &until) != ETIMEDOUT || t->fn != NULL) {
            continue;
        }
        if (trimmed) {
            for (deep_thread **at = &g.deep_idle; *at != NULL; at = &(*at)->next) {
                if (*at == t) {
                    *at = t->next;
                    break;
                }
            }
            g.n_deep_idle--;
            return false;
        }
        trimmed = true;
        pthread_mutex_unlock(&g.lock);
        nb_stack_trim();
        pthread_mutex_lock(&g.lock);
    }
    return true;
}

static void *
deep_main(void *arg)
{
    deep_thread *t = arg;

    pthread_mutex_lock(&g.lock);
    do {
        pthread_mutex_unlock(&g.lock);
        t->fn(t->payload);
        pthread_mutex_lock(&g.lock);
    } while (wait_for_call(t));
    pthread_mutex_unlock(&g.lock);
    pthread_cond_destroy(&t->wake);
    free(t);
    return NULL;
}

bool
nb_threads_start(void (*fn)(void *payload), void *payload)
{
    pthread_attr_t attr;
    pthread_t thread;
    deep_thread *t;
    bool ok;

    pthread_once(&fork_once, register_fork);
    pthread_mutex_lock(&g.lock);
    t = g.deep_idle;
    if (t != NULL) {
        g.deep_idle = t->next;
        g.n_deep_idle--;
        t->fn = fn;
        t->payload = payload;
        pthread_cond_signal(&t->wake);
    }
    pthread_mutex_unlock(&g.lock);
    if (t != NULL) {
        return true;
    }
    t = calloc(1, sizeof(*t));
    if (t == NULL) {
        return false;
    }
    t->fn = fn;
    t->payload = payload;
    pthread_cond_init(&t->wake, NULL);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    ok = pthread_attr_setstacksize(&attr, NB_DEEP_STACK_BYTES + DEEP_KEPT) == 0 &&
         start_thread(&attr, &thread, deep_main, t);
    pthread_attr_destroy(&attr);
    if (!ok) {
        pthread_cond_destroy(&t->wake);
        free(t);
    }
    return ok;
}

typedef struct deep_call {
    void (*fn)(void *payload);
    void *payload;
    bool done;
    pthread_cond_t ended;
} deep_call;

static void
run_deep_call(void *arg)
{
    deep_call *call = arg;

    call->fn(call->payload);
    pthread_mutex_lock(&g.lock);
    call->done = true;
    pthread_cond_signal(&call->ended);
    pthread_mutex_unlock(&g.lock);
}

void
nb_run_on_big_stack(size_t n_bytes, void (*fn)(void *payload), void *payload)
{
    deep_call call = {.fn = fn, .payload = payload, .ended = PTHREAD_COND_INITIALIZER};

    NB_ASSERT(n_bytes <= NB_DEEP_STACK_BYTES);
    if (nb_stack_left() >= n_bytes || !nb_threads_start(run_deep_call, &call)) {
        fn(payload);
        return;
    }
    pthread_mutex_lock(&g.lock);
    while (!call.done) {
        pthread_cond_wait(&call.ended, &g.lock);
    }
    pthread_mutex_unlock(&g.lock);
    pthread_cond_destroy(&call.ended);
}

size_t
nb_stack_left(void)
{
    static __thread uintptr_t lowest;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    if (lowest == 0) {
        pthread_attr_t attr;
        void *start = NULL;
        size_t size = 0;

        if (pthread_getattr_np(pthread_self(), &attr) == 0) {
            pthread_attr_getstack(&attr, &start, &size);
            pthread_attr_destroy(&attr);
        }
        lowest = start ? (uintptr_t)start : here - (size_t)256 * 1024;
    }
    return here > lowest ? here - lowest : 0;
}

/* ---- how many ----------------------------------------------------------------------------------------------------- */

/* CPUs that the cgroup's quota allows (rounded up), 0 when it sets none. */
static int
cgroup_cpus(void)
{
    long quota = 0, period = 0;
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");

    if (f == NULL) {
        return 0;
    }
    if (fscanf(f, "%ld %ld", &quota, &period) != 2 || quota <= 0 || period <= 0) {
        quota = 0;
        period = 1;
    }
    fclose(f);
    return (int)((quota + period - 1) / period);
}

int
nb_threads_available(void)
{
    cpu_set_t set;
    int n = 1, quota = cgroup_cpus();

    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        n = CPU_COUNT(&set);
    }
    return NB_MAX(quota > 0 ? NB_MIN(n, quota) : n, 1);
}
