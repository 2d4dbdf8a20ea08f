/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.c: channels of gRPC core.
 *
 * Each has a pool of connections of its own: two sessions with different tokens never share one. The list of running calls is there for
 * nb_rpc_channel_shutdown alone.
 */
#include "rpc/channel_internal.h"

#include <grpc/grpc_security.h>
#include "rpc/runtime.h"

#define MAX_MESSAGE          (128 << 20)
#define FIRST_RECONNECT_MS   50
#define LONGEST_RECONNECT_MS 5000
#define CONNECT_MS           20000
#define KEEPALIVE_ANSWER_MS  20000
#define LAST_WORDS_MS        1000 /* for posted calls, at the end */

#define MAX_ARGS             16

static void
add_int(grpc_arg *args, size_t *n, const char *key, int value)
{
    NB_ASSERT(*n < MAX_ARGS);
    args[(*n)++] = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static void
add_text(grpc_arg *args, size_t *n, const char *key, char *value)
{
    NB_ASSERT(*n < MAX_ARGS);
    args[(*n)++] = (grpc_arg){.type = GRPC_ARG_STRING, .key = (char *)key, .value.string = value};
}

/* gRPC takes any text and fails at the connection, as if the server were away. */
static bool
looks_like_pem(nb_str pem)
{
    return pem.len == 0 || memmem(pem.data, pem.len, "-----BEGIN ", 11) != NULL;
}

/* PEM text as gRPC wants it; NULL for none. */
static char *
pem_text(nb_arena *arena, nb_str pem)
{
    return pem.len > 0 ? nb_arena_strdup(arena, pem) : NULL;
}

static grpc_channel_credentials *
credentials_of(nb_arena *arena, const nb_rpc_channel_options *o)
{
    grpc_ssl_pem_key_cert_pair pair;

    if (!o->tls) {
        return grpc_insecure_credentials_create();
    }
    pair.private_key = pem_text(arena, o->key);
    pair.cert_chain = pem_text(arena, o->cert);
    return grpc_ssl_credentials_create(pem_text(arena, o->ca), pair.cert_chain ? &pair : NULL, NULL,
                                       NULL);
}

static grpc_channel *
create(nb_arena *arena, const nb_rpc_channel_options *o)
{
    int64_t longest = o->max_message_bytes > 0 ? o->max_message_bytes : MAX_MESSAGE;
    grpc_channel_credentials *credentials;
    grpc_arg args[MAX_ARGS];
    grpc_channel_args list = {0, args};
    grpc_channel *channel = NULL;
    char *target = nb_arena_strdup(arena, o->target);

    add_int(args, &list.num_args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
            (int)NB_MIN(longest, INT32_MAX));
    add_int(args, &list.num_args, GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1);
    add_int(args, &list.num_args, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    add_int(args, &list.num_args, GRPC_ARG_ENABLE_RETRIES, 0);
    add_int(args, &list.num_args, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    add_int(args, &list.num_args, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    add_int(args, &list.num_args, GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, FIRST_RECONNECT_MS);
    add_int(args, &list.num_args, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, LONGEST_RECONNECT_MS);
    add_int(args, &list.num_args, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_MS);
    if (o->keepalive_ms > 0) {
        add_int(args, &list.num_args, GRPC_ARG_KEEPALIVE_TIME_MS, o->keepalive_ms);
        add_int(args, &list.num_args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_ANSWER_MS);
        add_int(args, &list.num_args, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    }
    if (o->user_agent.len > 0) {
        add_text(args, &list.num_args, GRPC_ARG_PRIMARY_USER_AGENT_STRING,
                 nb_arena_strdup(arena, o->user_agent));
    }
    if (o->tls && o->server_name.len > 0) {
        add_text(args, &list.num_args, GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
                 nb_arena_strdup(arena, o->server_name));
    }
    credentials = credentials_of(arena, o);
    if (credentials != NULL && target != NULL) {
        channel = grpc_channel_create(target, credentials, &list);
    }
    grpc_channel_credentials_release(credentials);
    return channel;
}

nb_status
nb_rpc_header_copy(const nb_rpc_header *header, grpc_metadata *out, nb_error *err)
{
    grpc_slice name = grpc_slice_from_copied_buffer(header->name.data, header->name.len);
    grpc_slice value = grpc_slice_from_copied_buffer(header->value.data, header->value.len);

    /* The value stays unsaid: it may be a secret. */
    if (!grpc_header_key_is_legal(name) || grpc_is_binary_header(name) ||
        !grpc_header_nonbin_value_is_legal(value)) {
        grpc_slice_unref(name);
        grpc_slice_unref(value);
        return nb_raise_unsupported(err, "the header %.*s with this name or value",
                                    (int)NB_MIN(header->name.len, (size_t)64), header->name.data);
    }
    *out = (grpc_metadata){.key = name, .value = value};
    return NB_OK;
}

static nb_status
copy_headers(nb_rpc_channel *c, const nb_rpc_channel_options *o, nb_error *err)
{
    size_t n = (size_t)o->n_headers + 1;

    c->headers = nb_arena_zalloc(c->arena, n * sizeof(*c->headers));
    if (c->headers == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < o->n_headers; i++) {
        NB_TRY(nb_rpc_header_copy(&o->headers[i], &c->headers[c->n_headers], err));
        c->n_headers++;
    }
    if (o->token.len > 0) {
        nb_rpc_header bearer = {NB_STR("authorization"), {NULL, 0}};
        bearer.value.data =
            nb_arena_printf(c->arena, "Bearer %.*s", (int)o->token.len, o->token.data);
        if (bearer.value.data == NULL) {
            return NB_NOMEM;
        }
        bearer.value.len = strlen(bearer.value.data);
        NB_TRY(nb_rpc_header_copy(&bearer, &c->headers[c->n_headers], err));
        c->n_headers++;
    }
    return NB_OK;
}

static void
free_channel(nb_rpc_channel *c)
{
    for (size_t i = 0; i < c->n_headers; i++) {
        grpc_slice_unref(c->headers[i].key);
        grpc_slice_unref(c->headers[i].value);
    }
    if (c->posted != NULL) {
        grpc_completion_queue_shutdown(c->posted);
        while (
            grpc_completion_queue_next(c->posted, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
            GRPC_QUEUE_SHUTDOWN) {
        }
        grpc_completion_queue_destroy(c->posted);
    }
    if (c->channel != NULL) {
        grpc_channel_destroy(c->channel);
    }
    pthread_mutex_destroy(&c->lock);
    nb_arena_free(c->arena);
}

nb_status
nb_rpc_channel_new(const nb_rpc_channel_options *options, nb_rpc_channel **out, nb_error *err)
{
    nb_arena *arena, *scratch = NULL;
    nb_rpc_channel *c;
    nb_status st;

    NB_TRY(nb_rpc_start(err));
    if (!looks_like_pem(options->ca) || !looks_like_pem(options->cert) ||
        !looks_like_pem(options->key)) {
        return nb_raise_unsupported(err, "certificates that are not PEM text");
    }
    arena = nb_arena_new(NULL);
    c = arena ? NB_ARENA_NEW(arena, nb_rpc_channel) : NULL;
    if (c == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    c->refs = 1;
    c->arena = arena;
    pthread_mutex_init(&c->lock, NULL);
    NB_TRY_GOTO(st, copy_headers(c, options, err), fail);
    c->target = nb_arena_str(arena, options->target);
    scratch = nb_arena_new(NULL); /* private keys do not stay */
    if (c->target.data == NULL || scratch == NULL) {
        st = NB_NOMEM;
        goto fail;
    }
    c->channel = create(scratch, options);
    nb_arena_free(scratch);
    if (c->channel == NULL) {
        st = nb_raise_unsupported(err, "a connection with these certificates");
        goto fail;
    }
    c->posted = grpc_completion_queue_create_for_next(NULL);
    *out = c;
    return NB_OK;
fail:
    free_channel(c);
    return st;
}

nb_rpc_channel *
nb_rpc_channel_ref(nb_rpc_channel *channel)
{
    __atomic_fetch_add(&channel->refs, 1, __ATOMIC_RELAXED);
    return channel;
}

void
nb_rpc_channel_release(nb_rpc_channel *channel)
{
    if (channel == NULL || __atomic_sub_fetch(&channel->refs, 1, __ATOMIC_ACQ_REL) > 0 ||
        nb_rpc_ready(NULL) < 0) {
        return; /* in a forked child, gRPC's locks may be held by threads that are not there */
    }
    if (!nb_rpc_posted_reap(channel, LAST_WORDS_MS)) {
        nb_rpc_channel_shutdown(channel);
        while (!nb_rpc_posted_reap(channel, LAST_WORDS_MS)) {
        }
    }
    free_channel(channel);
}

void
nb_rpc_channel_shutdown(nb_rpc_channel *channel)
{
    if (nb_rpc_ready(NULL) < 0) {
        return;
    }
    pthread_mutex_lock(&channel->lock);
    channel->shut = true;
    for (nb_rpc_running *r = channel->running; r != NULL; r = r->next) {
        atomic_store(&r->stopped, true);
        grpc_call_cancel(r->call, NULL);
    }
    pthread_mutex_unlock(&channel->lock);
}

nb_str
nb_rpc_channel_target(const nb_rpc_channel *channel)
{
    return channel->target;
}

grpc_call *
nb_rpc_channel_call(nb_rpc_channel *channel, const char *method, grpc_completion_queue *queue,
                    gpr_timespec deadline)
{
    grpc_slice name = grpc_slice_from_copied_string(method);
    grpc_call *call = grpc_channel_create_call(channel->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                               queue, name, NULL, deadline, NULL);

    grpc_slice_unref(name); /* the call has a reference of its own */
    return call;
}

bool
nb_rpc_channel_enter(nb_rpc_channel *channel, nb_rpc_running *running)
{
    bool open;

    pthread_mutex_lock(&channel->lock);
    open = !channel->shut;
    if (open) {
        running->previous = NULL;
        running->next = channel->running;
        if (running->next != NULL) {
            running->next->previous = running;
        }
        channel->running = running;
    }
    pthread_mutex_unlock(&channel->lock);
    return open;
}

void
nb_rpc_channel_leave(nb_rpc_channel *channel, nb_rpc_running *running)
{
    pthread_mutex_lock(&channel->lock);
    if (running->previous != NULL) {
        running->previous->next = running->next;
    } else {
        channel->running = running->next;
    }
    if (running->next != NULL) {
        running->next->previous = running->previous;
    }
    pthread_mutex_unlock(&channel->lock);
}
