/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster.c: workers that attach, what they report, and time.
 *
 * A worker keeps one call open (Attach); the thread of that call sends it commands. When the call ends or heartbeats stop, the worker is
 * lost: its tasks run elsewhere, and what it had put out is made again. A report counts only from the attempt that the scheduler
 * believes to be running.
 */
#include <stdio.h>
#include <stdlib.h>
#include "cluster/cluster_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "cluster/failure.h"
#include "cluster/pools.h"
#include "plan/message_unpack.h"

#define TICK_MS     50
#define PIECE_BYTES ((size_t)1 << 20)

static int64_t
now_ms(void)
{
    return nb_clock_mono_ns() / 1000000;
}

static void
wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (ms % 1000) * 1000000;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(cond, lock, &until);
}

/* ---- commands -------------------------------------------------------------------------------- */

/* Queues a command; the arena is moved. */
static void
send_command(nb_attached *w, nb_arena *arena, Nbc__Command *m)
{
    nb_outgoing *o = NB_ARENA_NEW(arena, nb_outgoing);
    uint8_t *bytes;

    if (o != NULL) {
        o->arena = arena;
        o->bytes.len = protobuf_c_message_get_packed_size(&m->base);
        bytes = nb_arena_alloc(arena, o->bytes.len + 1);
        o->bytes.data = (const char *)bytes;
        if (bytes != NULL) {
            protobuf_c_message_pack(&m->base, bytes);
            if (w->last != NULL) {
                w->last->next = o;
            } else {
                w->first = o;
            }
            w->last = o;
            pthread_cond_signal(&w->wake);
            return;
        }
    }
    nb_arena_free(arena);
    w->lost = true; /* it has missed something: it starts anew */
    pthread_cond_signal(&w->wake);
}

static nb_attached *
worker_of(nb_cluster *c, uint32_t id)
{
    nb_attached *w = c->workers;

    while (w != NULL && w->id != id) {
        w = w->next;
    }
    return w;
}

static nb_driven *
query_of(nb_cluster *c, uint64_t id)
{
    nb_driven *q = c->queries;

    while (q != NULL && q->id != id) {
        q = q->next;
    }
    return q;
}

static void
command(nb_cluster *c, nb_attached *w, const nb_sched_action *a)
{
    nb_arena *arena = nb_arena_new(NULL);
    Nbc__Command *m = arena ? NB_WIRE_NEW(arena, Nbc__Command, nbc__command) : NULL;
    nb_driven *q = query_of(c, a->query);

    if (m != NULL && a->kill) {
        m->kill = NB_WIRE_NEW(arena, Nbc__Attempt, nbc__attempt);
        if (m->kill != NULL) {
            NB_WIRE_SET(m->kill, query, a->query);
            NB_WIRE_SET(m->kill, stage, (uint32_t)a->stage);
            NB_WIRE_SET(m->kill, task, (uint32_t)a->task);
            NB_WIRE_SET(m->kill, attempt, (uint32_t)a->attempt);
        }
    } else if (m != NULL && q != NULL) {
        m->launch = nb_driven_task(q, arena, a);
        nb_watched_launch(&q->watched, a);
    }
    if (m == NULL || (m->kill == NULL && m->launch == NULL)) {
        nb_arena_free(arena);
        w->lost = true;
        pthread_cond_signal(&w->wake);
        return;
    }
    send_command(w, arena, m);
}

void
nb_cluster_pump(nb_cluster *c)
{
    nb_sched_action a;

    while (nb_scheduler_next(c->scheduler, now_ms(), &a)) {
        nb_attached *w = worker_of(c, a.worker);

        if (w != NULL) {
            command(c, w, &a);
        } else {
            nb_scheduler_worker_lost(c->scheduler, a.worker);
        }
    }
    for (nb_driven *q = c->queries; q != NULL; q = q->next) {
        int stage, task;

        if (nb_scheduler_query_state(c->scheduler, q->id, &stage, &task) != NB_SCHED_RUNNING) {
            pthread_cond_signal(&q->due);
        }
    }
}

void
nb_cluster_release(nb_cluster *c, uint64_t query)
{
    for (nb_attached *w = c->workers; w != NULL; w = w->next) {
        nb_arena *arena = nb_arena_new(NULL);
        Nbc__Command *m = arena ? NB_WIRE_NEW(arena, Nbc__Command, nbc__command) : NULL;

        if (m == NULL) {
            nb_arena_free(arena);
            w->lost = true;
            continue;
        }
        NB_WIRE_SET(m, release, query);
        send_command(w, arena, m);
    }
}

/* ---- attachments ----------------------------------------------------------------------------- */

static void
wake_attached(void *payload)
{
    nb_attached *w = payload;

    /* without the lock: the waiter looks again after TICK_MS at the latest */
    pthread_cond_signal(&w->wake);
}

static nb_status
greet(nb_cluster *c, nb_attached *w)
{
    nb_arena *arena = nb_arena_new(NULL);
    Nbc__Command *m = arena ? NB_WIRE_NEW(arena, Nbc__Command, nbc__command) : NULL;

    if (m == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    NB_WIRE_SET(m, worker, w->id);
    NB_WIRE_SET(m, heartbeat_ms, (uint32_t)c->heartbeat_ms);
    send_command(w, arena, m);
    return NB_OK;
}

static nb_status
serve_attached(nb_cluster *c, nb_attached *w, nb_rpc_call *call, nb_error *err)
{
    const nb_cancel_flag *gone = nb_rpc_call_cancelled(call);
    nb_status st = NB_OK;

    pthread_mutex_lock(&c->lock);
    while (st == NB_OK && !nb_cancelled(gone) && !w->lost && !c->stopping) {
        nb_outgoing *o = w->first;

        if (o == NULL) {
            wait_until(&w->wake, &c->lock, TICK_MS * 4);
            continue;
        }
        w->first = o->next;
        w->last = w->first ? w->last : NULL;
        pthread_mutex_unlock(&c->lock);
        st = nb_rpc_call_send(call, o->bytes, err);
        nb_arena_free(o->arena);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

static nb_status
handle_attach(nb_rpc_call *call, void *payload, nb_error *err)
{
    nb_cluster *c = payload;
    nb_str request = nb_rpc_call_request(call);
    nb_attached w = {0};
    nb_arena *arena = nb_arena_new(NULL);
    const Nbc__WorkerInfo *info;
    ProtobufCMessage *m;
    nb_status st = arena ? NB_OK : NB_NOMEM;

    if (st == NB_OK) {
        st = nb_message_unpack(arena, &nbc__worker_info__descriptor, request.data, request.len, &m,
                               err);
    }
    if (st < 0) {
        nb_arena_free(arena);
        return st;
    }
    info = (const Nbc__WorkerInfo *)m;
    if (!nb_str_equal(nb_wire_text(info->version), NB_STR(NB_VERSION)) || info->cores < 1 ||
        info->cores > 4096) {
        nb_arena_free(arena);
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "master and workers must be of the same version (" NB_VERSION ")", NULL);
    }
    w.address = nb_wire_text(info->address);
    w.local_name = nb_wire_text(info->local_name);
    w.memory = (int64_t)info->memory;
    pthread_cond_init(&w.wake, NULL);
    pthread_mutex_lock(&c->lock);
    w.id = ++c->last_worker;
    st = nb_scheduler_worker_join(c->scheduler, w.id, (int)info->cores, now_ms());
    if (st == NB_OK) {
        w.next = c->workers;
        c->workers = &w;
        st = greet(c, &w);
        nb_cluster_pump(c);
    }
    pthread_mutex_unlock(&c->lock);
    nb_log(NB_LOG_INFO, "master", "worker %u at %.*s: %u cores", w.id, (int)w.address.len,
           w.address.data, info->cores);
    nb_rpc_call_on_cancel(call, wake_attached, &w);
    if (st == NB_OK) {
        st = serve_attached(c, &w, call, err);
    }
    nb_rpc_call_on_cancel(call, NULL, NULL);
    pthread_mutex_lock(&c->lock);
    for (nb_attached **at = &c->workers; *at != NULL; at = &(*at)->next) {
        if (*at == &w) {
            *at = w.next;
            break;
        }
    }
    nb_scheduler_worker_lost(c->scheduler, w.id);
    nb_cluster_pump(c);
    pthread_mutex_unlock(&c->lock);
    while (w.first != NULL) {
        nb_outgoing *o = w.first;

        w.first = o->next;
        nb_arena_free(o->arena);
    }
    nb_log(NB_LOG_WARN, "master", "worker %u is gone", w.id);
    pthread_cond_destroy(&w.wake);
    nb_arena_free(arena);
    return st == NB_CANCELLED ? NB_OK : st;
}

/* ---- reports --------------------------------------------------------------------------------- */

static int
by_bucket(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    int k = x[0] == y[0];

    return (x[k] > y[k]) - (x[k] < y[k]);
}

void
nb_segments_sort(int64_t *segments, size_t n)
{
    qsort(segments, n / 3, 3 * sizeof(*segments), by_bucket);
}

/* What the attempt has put out, for those who read it. */
static nb_status
keep_output(nb_cluster *c, nb_driven *q, const Nbc__Report *m)
{
    const Nbc__Attempt *a = m->attempt;
    Nbc__Output *o = NB_WIRE_NEW(q->arena, Nbc__Output, nbc__output);
    nb_attached *w = worker_of(c, m->worker);
    int64_t *segments = NB_ARENA_ARRAY(q->arena, int64_t, m->n_segments + 1);
    nb_str address = w ? nb_arena_str(q->arena, w->address) : NB_STR("");
    nb_str name = w ? nb_arena_str(q->arena, w->local_name) : NB_STR("");

    q->outputs[a->stage][a->task] = NULL;
    if (o == NULL || segments == NULL || address.data == NULL || name.data == NULL) {
        return NB_NOMEM;
    }
    if (m->n_segments > 0) {
        memcpy(segments, m->segments, m->n_segments * sizeof(int64_t));
        nb_segments_sort(segments, m->n_segments);
    }
    NB_WIRE_SET(o, task, a->task);
    NB_WIRE_SET(o, attempt, a->attempt);
    NB_WIRE_SET(o, worker, m->has_blocks || m->n_segments == 0 ? NB_SCHED_DRIVER : m->worker);
    NB_WIRE_SET(o, address, nb_wire_bytes(address));
    NB_WIRE_SET(o, local_name, nb_wire_bytes(name));
    o->segments = segments;
    o->n_segments = m->n_segments;
    if (m->has_blocks || m->n_segments == 0) {
        nb_str blocks = nb_arena_str(q->arena, nb_wire_text(m->blocks));

        if (blocks.data == NULL) {
            return NB_NOMEM;
        }
        NB_WIRE_SET(o, blocks, nb_wire_bytes(blocks));
    }
    q->outputs[a->stage][a->task] = o;
    return NB_OK;
}

static void
take_report(nb_cluster *c, const Nbc__Report *m)
{
    const Nbc__Attempt *a = m->attempt;
    nb_driven *q = query_of(c, a->query);
    bool on_driver = m->has_blocks || m->n_segments == 0;

    if (q == NULL) {
        return;
    }
    if (m->ok) {
        bool accepted = nb_scheduler_task_done(c->scheduler, a->query, (int)a->stage, (int)a->task,
                                               (int)a->attempt, m->worker, on_driver, now_ms());

        nb_watched_report(&q->watched, m, accepted);
        if (accepted && keep_output(c, q, m) < 0) {
            nb_scheduler_output_lost(c->scheduler, a->query, m->worker, m->worker);
        }
        return;
    }
    nb_watched_report(&q->watched, m, false);
    if (!nb_scheduler_task_failed(c->scheduler, a->query, (int)a->stage, (int)a->task,
                                  (int)a->attempt, m->worker, !m->is_lost)) {
        return;
    }
    if (m->is_lost) {
        nb_scheduler_output_lost(c->scheduler, a->query, m->lost_worker, m->worker);
    }
    if (m->failure != NULL) {
        nb_error_clear(&q->error);
        nb_failure_raise(m->failure, &q->error);
    }
}

static nb_status
handle_report(nb_rpc_call *call, void *payload, nb_error *err)
{
    nb_cluster *c = payload;
    nb_str request = nb_rpc_call_request(call);
    nb_arena *arena = nb_arena_new(NULL);
    ProtobufCMessage *m;
    nb_status st = arena ? NB_OK : NB_NOMEM;

    if (st == NB_OK) {
        st = nb_message_unpack(arena, &nbc__report__descriptor, request.data, request.len, &m, err);
    }
    if (st == NB_OK && ((const Nbc__Report *)m)->attempt != NULL) {
        pthread_mutex_lock(&c->lock);
        take_report(c, (const Nbc__Report *)m);
        nb_cluster_pump(c);
        pthread_mutex_unlock(&c->lock);
    }
    nb_arena_free(arena);
    return st == NB_OK ? nb_rpc_call_send(call, NB_STR(""), err) : st;
}

static nb_status
handle_beat(nb_rpc_call *call, void *payload, nb_error *err)
{
    nb_cluster *c = payload;
    nb_str request = nb_rpc_call_request(call);
    nb_arena *arena = nb_arena_new(NULL);
    Nbc__BeatAnswer answer = {.base = {.descriptor = &nbc__beat_answer__descriptor},
                              .has_known = 1};
    ProtobufCMessage *m;
    nb_status st = arena ? NB_OK : NB_NOMEM;
    uint8_t bytes[8];
    size_t n;

    if (st == NB_OK) {
        st = nb_message_unpack(arena, &nbc__beat__descriptor, request.data, request.len, &m, err);
    }
    if (st == NB_OK) {
        pthread_mutex_lock(&c->lock);
        nb_cluster_note_use(c, (const Nbc__Beat *)m);
        answer.known =
            nb_scheduler_worker_beat(c->scheduler, ((const Nbc__Beat *)m)->worker, now_ms());
        if (((const Nbc__Beat *)m)->leaving) {
            nb_scheduler_worker_leaves(c->scheduler, ((const Nbc__Beat *)m)->worker);
        }
        pthread_mutex_unlock(&c->lock);
        n = protobuf_c_message_pack(&answer.base, bytes);
        st = nb_rpc_call_send(call, (nb_str){(const char *)bytes, n}, err);
    }
    nb_arena_free(arena);
    return st;
}

/* ---- blocks that the driver has -------------------------------------------------------------- */

/* A piece of what the driver itself has put out; false when it is not here. The query may end at any time: a copy is taken. */
static bool
copy_piece(nb_cluster *c, uint64_t query, const Nbc__FetchFile *m, int64_t from, size_t n,
           uint8_t *out)
{
    const Nbc__Output *o = NULL;
    nb_driven *q;
    bool ok;

    pthread_mutex_lock(&c->lock);
    q = query_of(c, query);
    if (q != NULL && m->stage < (uint32_t)q->stages.n &&
        m->task < (uint32_t)q->n_outputs[m->stage]) {
        o = q->outputs[m->stage][m->task];
    }
    ok = o != NULL && o->has_blocks && from >= 0 && (uint64_t)from <= o->blocks.len &&
         n <= o->blocks.len - (size_t)from;
    if (ok) {
        memcpy(out, o->blocks.data + from, n);
    }
    pthread_mutex_unlock(&c->lock);
    return ok;
}

static nb_status
handle_fetch(nb_rpc_call *call, void *payload, nb_error *err)
{
    nb_cluster *c = payload;
    nb_str request = nb_rpc_call_request(call);
    nb_arena *arena = nb_arena_new(NULL);
    uint8_t *piece = arena ? nb_arena_alloc(arena, PIECE_BYTES) : NULL;
    ProtobufCMessage *m;
    nb_status st = piece ? NB_OK : NB_NOMEM;

    if (st == NB_OK) {
        st = nb_message_unpack(arena, &nbc__fetch__descriptor, request.data, request.len, &m, err);
    }
    for (size_t i = 0; st == NB_OK && i < ((const Nbc__Fetch *)m)->n_files; i++) {
        const Nbc__FetchFile *f = ((const Nbc__Fetch *)m)->files[i];

        for (size_t k = 0; st == NB_OK && k + 1 < f->n_ranges; k += 2) {
            int64_t from = f->ranges[k], left = f->ranges[k + 1];

            while (left > 0 && st == NB_OK) {
                size_t n = (size_t)NB_MIN(left, (int64_t)PIECE_BYTES);

                st = copy_piece(c, ((const Nbc__Fetch *)m)->query, f, from, n, piece)
                         ? nb_rpc_call_send(call, (nb_str){(const char *)piece, n}, err)
                         : nb_raise_internal(err, "blocks of the driver are gone");
                from += (int64_t)n;
                left -= (int64_t)n;
            }
        }
    }
    nb_arena_free(arena);
    return st;
}

/* ---- time ------------------------------------------------------------------------------------ */

static void *
tick(void *payload)
{
    nb_cluster *c = payload;

    pthread_mutex_lock(&c->lock);
    while (!c->stopping) {
        nb_scheduler_tick(c->scheduler, now_ms());
        for (nb_driven *q = c->queries; q != NULL; q = q->next) {
            nb_fetch_check(q->fetch, c->timeout_ms);
        }
        for (nb_attached *w = c->workers; w != NULL; w = w->next) {
            if (!w->lost && !nb_scheduler_has_worker(c->scheduler, w->id)) {
                w->lost = true; /* silent for too long: its call ends */
                pthread_cond_signal(&w->wake);
            }
        }
        nb_cluster_pump(c);
        wait_until(&c->stop, &c->lock, TICK_MS);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

static nb_scheduler_options
scheduler_options(const nb_config *config)
{
    nb_scheduler_options o = NB_SCHEDULER_OPTIONS_INIT;

    o.heartbeat_timeout_ms =
        nb_config_duration_ms(config, "spark.worker.timeout", o.heartbeat_timeout_ms, 1000);
    o.max_failures = (int)nb_config_int(config, NB_CONF_TASK_MAX_FAILURES);
    o.fair = nb_str_equal_nocase(nb_config_str(config, NB_CONF_SCHEDULER_MODE), NB_STR("FAIR"));
    o.speculation = nb_config_bool(config, NB_CONF_SPECULATION);
    o.speculation_interval_ms =
        nb_config_duration_ms(config, "spark.speculation.interval", o.speculation_interval_ms, 1);
    o.speculation_min_ms =
        nb_config_duration_ms(config, "spark.speculation.minTaskRuntime", o.speculation_min_ms, 1);
    o.speculation_multiplier = NB_MAX(nb_config_double(config, NB_CONF_SPECULATION_MULTIPLIER), 1);
    o.speculation_quantile =
        NB_MAX(NB_MIN(nb_config_double(config, NB_CONF_SPECULATION_QUANTILE), 1), 0);
    return o;
}

nb_status
nb_cluster_new(const nb_config *config, const nb_rpc_channel_options *to_workers, nb_cluster **out,
               nb_error *err)
{
    nb_pool *pool = nb_pool_new(NULL, "cluster", 0);
    nb_cluster *c = pool ? nb_pool_zalloc(pool, sizeof(*c)) : NULL;
    nb_scheduler_options options = scheduler_options(config);
    nb_str pools = nb_config_str(config, NB_CONF_SCHEDULER_FILE);

    if (c == NULL) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    c->pool = pool;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->stop, NULL);
    c->timeout_ms = (int)options.heartbeat_timeout_ms;
    c->heartbeat_ms = (int)NB_MAX(options.heartbeat_timeout_ms / 4, 20);
    if (nb_peers_init(&c->peers, to_workers) < 0 || nb_scheduler_new(&options, &c->scheduler) < 0) {
        nb_cluster_free(c);
        return NB_NOMEM;
    }
    if (options.fair && pools.len > 0 && nb_pools_load(c->scheduler, pools, err) < 0) {
        nb_cluster_free(c);
        return NB_ERROR;
    }
    if (pthread_create(&c->ticker, NULL, tick, c) != 0) {
        nb_cluster_free(c);
        return NB_NOMEM;
    }
    c->ticking = true;
    *out = c;
    return NB_OK;
}

nb_status
nb_cluster_register(nb_cluster *c, nb_rpc_server *server, nb_error *err)
{
    const nb_rpc_method methods[] = {
        {.path = "/nbaspark.cluster.Master/Attach",
         .handler = handle_attach,
         .payload = c,
         .is_long = true},
        {.path = "/nbaspark.cluster.Master/Report", .handler = handle_report, .payload = c},
        {.path = "/nbaspark.cluster.Master/Beat", .handler = handle_beat, .payload = c},
        {.path = NB_FETCH_METHOD, .handler = handle_fetch, .payload = c, .is_long = true},
    };

    return nb_rpc_server_add(server, methods, (int)NB_COUNT_OF(methods), err);
}

nb_runner
nb_cluster_runner(nb_cluster *c)
{
    return (nb_runner){nb_cluster_run, c};
}

void
nb_cluster_stop(nb_cluster *c)
{
    if (c == NULL) {
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    for (nb_attached *w = c->workers; w != NULL; w = w->next) {
        pthread_cond_signal(&w->wake);
    }
    for (nb_driven *q = c->queries; q != NULL; q = q->next) {
        pthread_cond_signal(&q->due);
    }
    pthread_cond_signal(&c->stop);
    pthread_mutex_unlock(&c->lock);
    if (c->ticking) {
        pthread_join(c->ticker, NULL);
        c->ticking = false;
    }
}

void
nb_cluster_free(nb_cluster *c)
{
    nb_pool *pool;

    if (c == NULL) {
        return;
    }
    nb_cluster_stop(c);
    nb_scheduler_free(c->scheduler);
    nb_peers_free(&c->peers);
    pthread_cond_destroy(&c->stop);
    pthread_mutex_destroy(&c->lock);
    pool = c->pool;
    nb_pool_dealloc(pool, c, sizeof(*c));
    nb_pool_free(pool);
}

nb_cluster_counts
nb_cluster_count(nb_cluster *c)
{
    nb_cluster_counts n = {0};

    pthread_mutex_lock(&c->lock);
    n.workers = nb_scheduler_workers(c->scheduler);
    n.cores = nb_scheduler_cores(c->scheduler);
    for (nb_driven *q = c->queries; q != NULL; q = q->next) {
        n.queries++;
    }
    pthread_mutex_unlock(&c->lock);
    return n;
}
