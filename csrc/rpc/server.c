/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c: life of a server.
 */
#include "rpc/server.h"

#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "rpc/runtime.h"
#include "rpc/server_internal.h"

#define POSTED_CALLS         64
#define HANDSHAKE_TIMEOUT_MS 10000
#define KEEPALIVE_TIME_MS    60000 /* a peer that has vanished is noticed by then */
#define KEEPALIVE_TIMEOUT_MS 20000
#define HANGING_NAMED        4 /* calls, in the log */

static grpc_arg
int_arg(const char *key, int64_t value)
{
    grpc_arg arg = {.type = GRPC_ARG_INTEGER, .key = (char *)key};

    arg.value.integer = (int)NB_MIN(value, INT_MAX);
    return arg;
}

nb_status
nb_rpc_server_new(const nb_rpc_server_options *options, nb_rpc_server **out, nb_error *err)
{
    nb_pool *pool;
    nb_rpc_server *s;
    pthread_condattr_t attr;
    grpc_arg args[] = {
        int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int64_t)options->max_request_bytes),
        int_arg(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
        int_arg(GRPC_ARG_MAX_METADATA_SIZE, options->max_header_bytes),
        int_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, options->max_streams),
        int_arg(GRPC_ARG_ALLOW_REUSEPORT, 0), /* two servers on a port would share its calls */
        int_arg(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS),
        int_arg(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_TIME_MS),
        int_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
        int_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        int_arg(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000),
        int_arg(GRPC_ARG_ENABLE_CHANNELZ, 0),
    };
    grpc_channel_args channel_args = {NB_COUNT_OF(args), args};

    NB_TRY(nb_rpc_start(err));
    pool = nb_pool_new(NULL, "rpc", 0);
    s = pool ? nb_pool_zalloc(pool, sizeof *s) : NULL;
    if (!s) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    s->options = *options;
    s->pool = pool;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->work, &attr);
    pthread_cond_init(&s->changed, &attr);
    pthread_cond_init(&s->waits, &attr);
    pthread_cond_init(&s->role, &attr);
    for (int i = 0; i < NB_RPC_POLLERS; i++) {
        s->roles[i].look_at_ns = INT64_MAX;
    }
    pthread_condattr_destroy(&attr);
    s->max_short = NB_MAX(nb_threads_available() + 2, 4);
    for (int i = 0; i < 2; i++) {
        s->ready[i].tail = &s->ready[i].head;
    }
    s->server = grpc_server_create(&channel_args, NULL);
    s->cq = grpc_completion_queue_create_for_next(NULL);
    grpc_server_register_completion_queue(s->server, s->cq, NULL);
    *out = s;
    return NB_OK;
}

nb_status
nb_rpc_server_add(nb_rpc_server *s, const nb_rpc_method *methods, int n, nb_error *err)
{
    size_t old = sizeof *methods * (size_t)s->n_methods, add = sizeof *methods * (size_t)n;
    nb_rpc_method *list = nb_pool_realloc(s->pool, s->methods, old, old + add);

    NB_ASSERT(!s->started);
    if (!list) {
        return NB_NOMEM;
    }
    memcpy(list + s->n_methods, methods, add);
    s->methods = list;
    s->n_methods += n;
    return NB_OK;
}

static nb_status
tls_credentials(const nb_rpc_tls *tls, grpc_server_credentials **out, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    grpc_ssl_pem_key_cert_pair pair;
    const char *roots;
    nb_status st = NB_NOMEM;

    if (!arena) {
        return st;
    }
    pair.private_key = nb_arena_strdup(arena, tls->private_key);
    pair.cert_chain = nb_arena_strdup(arena, tls->certificate_chain);
    roots = tls->client_roots.len ? nb_arena_strdup(arena, tls->client_roots) : NULL;
    if (pair.private_key && pair.cert_chain && (roots || tls->client_roots.len == 0)) {
        *out = grpc_ssl_server_credentials_create_ex(
            roots, &pair, 1,
            roots ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                  : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
            NULL);
        st = *out ? NB_OK : nb_raise(err, NB_COND_CONNECT_BAD_CERTIFICATE, NULL);
    }
    nb_arena_free(arena);
    return st;
}

nb_status
nb_rpc_server_listen(nb_rpc_server *s, const char *address, const nb_rpc_tls *tls, int *port_out,
                     nb_error *err)
{
    grpc_server_credentials *credentials = NULL;
    int port;

    NB_ASSERT(!s->started);
    if (tls) {
        NB_TRY(tls_credentials(tls, &credentials, err));
    } else {
        credentials = grpc_insecure_server_credentials_create();
    }
    port = grpc_server_add_http2_port(s->server, address, credentials);
    grpc_server_credentials_release(credentials);
    if (port == 0) {
        return nb_raise(err, NB_COND_CONNECT_CANNOT_LISTEN, "address", address, NULL);
    }
    if (port_out) {
        *port_out = port;
    }
    return NB_OK;
}

nb_status
nb_rpc_server_start(nb_rpc_server *s, nb_error *err)
{
    if (!nb_rpc_pool_start(s)) {
        return nb_raise_internal(err, "no thread could be started");
    }
    grpc_server_start(s->server);
    for (int i = 0; i < POSTED_CALLS; i++) {
        NB_TRY(nb_rpc_call_post(s));
    }
    if (!nb_rpc_poller_start(s)) {
        return nb_raise_internal(err, "no thread could be started");
    }
    s->started = true;
    return NB_OK;
}

static void
add_to_now(struct timespec *t, int ms)
{
    clock_gettime(CLOCK_MONOTONIC, t);
    t->tv_sec += ms / 1000;
    t->tv_nsec += (long)(ms % 1000) * 1000000;
    t->tv_sec += t->tv_nsec / 1000000000;
    t->tv_nsec %= 1000000000;
}

/* Which handlers do not end. Under the lock. */
static void
log_hanging(const nb_rpc_server *s, int waited_ms)
{
    nb_strbuf paths = {0};
    int n = 0;

    for (const nb_rpc_call *c = s->calls; c && n < HANGING_NAMED; c = c->next) {
        if (c->method) {
            nb_strbuf_addf(&paths, "%s%s", n++ ? ", " : "", c->method->path);
        }
    }
    nb_log(NB_LOG_ERROR, "rpc", "%d calls have not ended %d ms after they were cancelled: %s",
           s->n_calls, waited_ms, paths.failed || n == 0 ? "?" : paths.data);
    nb_strbuf_free(&paths);
}

/* Once: no new calls, the grace, and the word that it is over. */
static void
begin_to_stop(nb_rpc_server *s, int grace_ms)
{
    struct timespec until;
    bool late;

    s->stopped = true;
    add_to_now(&until, grace_ms);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_mutex_unlock(&s->lock);
    grpc_server_shutdown_and_notify(s->server, s->cq, &s->shutdown_tag);
    pthread_mutex_lock(&s->lock);
    while (s->n_calls > 0 && pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0) {
    }
    late = s->n_calls > 0;
    pthread_mutex_unlock(&s->lock);
    if (late && s->options.hurry) {
        s->options.hurry(s->options.hurry_payload);
    }
    grpc_server_cancel_all_calls(s->server);
}

/* limit_ms < 0: as long as it takes. */
static bool
stop(nb_rpc_server *s, int grace_ms, int limit_ms)
{
    struct timespec until;
    bool ended;

    if (!s->started || s->ended) {
        return true;
    }
    if (!s->stopped) {
        begin_to_stop(s, grace_ms);
    }
    add_to_now(&until, NB_MAX(limit_ms, 0));
    pthread_mutex_lock(&s->lock);
    while ((s->n_calls > 0 || !s->shut_down) &&
           (limit_ms < 0 ? pthread_cond_wait(&s->changed, &s->lock)
                         : pthread_cond_timedwait(&s->changed, &s->lock, &until)) == 0) {
    }
    ended = s->n_calls == 0 && s->shut_down;
    if (!ended) {
        log_hanging(s, limit_ms);
    }
    pthread_mutex_unlock(&s->lock);
    if (!ended) {
        return false;
    }
    s->ended = true;
    nb_rpc_pool_join(s);
    grpc_completion_queue_shutdown(s->cq);
    nb_rpc_pollers_join(s);
    return true;
}

bool
nb_rpc_server_stop(nb_rpc_server *s, int grace_ms)
{
    return stop(s, grace_ms, s->options.stop_limit_ms);
}

/* A server that was never started, or not completely. */
static void
drain(nb_rpc_server *s)
{
    grpc_event ev;

    grpc_server_shutdown_and_notify(s->server, s->cq, &s->shutdown_tag);
    grpc_server_cancel_all_calls(s->server);
    do {
        ev = grpc_completion_queue_next(s->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        if (ev.type == GRPC_OP_COMPLETE && ((nb_rpc_tag *)ev.tag)->call) {
            nb_rpc_call_discard(((nb_rpc_tag *)ev.tag)->call);
        }
    } while (ev.type != GRPC_OP_COMPLETE || ((nb_rpc_tag *)ev.tag)->call);
    s->stopping = true;
    nb_rpc_pool_join(s);
    grpc_completion_queue_shutdown(s->cq);
    while (grpc_completion_queue_next(s->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
           GRPC_QUEUE_SHUTDOWN) {
    }
}

void
nb_rpc_server_free(nb_rpc_server *s)
{
    nb_pool *pool;

    if (!s) {
        return;
    }
    if (s->started) {
        stop(s, 0, -1);
    } else {
        drain(s);
    }
    grpc_server_destroy(s->server);
    grpc_completion_queue_destroy(s->cq);
    nb_pool_dealloc(s->pool, s->methods, sizeof *s->methods * (size_t)s->n_methods);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->changed);
    pthread_cond_destroy(&s->waits);
    pthread_cond_destroy(&s->role);
    pool = s->pool;
    nb_pool_dealloc(pool, s, sizeof *s);
    nb_pool_free(pool);
}

int
nb_rpc_server_calls(nb_rpc_server *s)
{
    int n;

    pthread_mutex_lock(&s->lock);
    n = s->n_calls;
    pthread_mutex_unlock(&s->lock);
    return n;
}
