/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_call.c: one call of a server: its batches with gRPC, and what handlers do with it.
 *
 * gRPC wants sends of a call in order and one at a time, so a send waits for the one before it, not for itself. Writes are never hinted
 * as "more to come": streams that do hang in gRPC core 1.51.
 */
#include <errno.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/log.h"
#include "rpc/server_internal.h"

/* ---- references ---- */

nb_status
nb_rpc_call_post(nb_rpc_server *server)
{
    nb_rpc_call *call = nb_pool_zalloc(server->pool, sizeof *call);
    pthread_condattr_t attr;

    if (!call) {
        return NB_NOMEM;
    }
    call->server = server;
    for (int i = 0; i <= EVENT_CLOSED; i++) {
        call->tags[i] = (nb_rpc_tag){call, (nb_rpc_event)i};
    }
    pthread_mutex_init(&call->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&call->changed, &attr);
    pthread_condattr_destroy(&attr);
    grpc_call_details_init(&call->details);
    grpc_metadata_array_init(&call->headers);
    call->status_text = grpc_empty_slice();
    call->refs = 1;
    atomic_fetch_add_explicit(&server->n_posts, 1, memory_order_release);
    if (grpc_server_request_call(server->server, &call->call, &call->details, &call->headers,
                                 server->cq, server->cq, &call->tags[EVENT_NEW]) != GRPC_CALL_OK) {
        nb_rpc_call_discard(call);
        return NB_ERROR;
    }
    return NB_OK;
}

/* Frees a call that no list, thread or batch knows. */
void
nb_rpc_call_discard(nb_rpc_call *call)
{
    grpc_call_details_destroy(&call->details);
    grpc_metadata_array_destroy(&call->headers);
    if (call->received) {
        grpc_byte_buffer_destroy(call->received);
    }
    if (call->sending) {
        grpc_byte_buffer_destroy(call->sending);
    }
    if (call->has_request) {
        grpc_slice_unref(call->request);
    }
    grpc_slice_unref(call->status_text);
    gpr_free(call->peer);
    nb_rpc_status_clear(&call->status);
    if (call->call) {
        grpc_call_unref(call->call);
    }
    pthread_mutex_destroy(&call->lock);
    pthread_cond_destroy(&call->changed);
    nb_pool_dealloc(call->server->pool, call, sizeof *call);
}

void
nb_rpc_call_unref(nb_rpc_call *call)
{
    nb_rpc_server *server = call->server;
    bool last;

    pthread_mutex_lock(&call->lock);
    last = --call->refs == 0;
    pthread_mutex_unlock(&call->lock);
    if (!last) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    if (call->prev) {
        call->prev->next = call->next;
    } else {
        server->calls = call->next;
    }
    if (call->next) {
        call->next->prev = call->prev;
    }
    pthread_mutex_unlock(&server->lock);
    nb_rpc_call_discard(call);
    pthread_mutex_lock(&server->lock);
    if (--server->n_calls == 0 && server->stopping) {
        pthread_cond_broadcast(&server->work);
        pthread_cond_broadcast(&server->changed);
    }
    pthread_mutex_unlock(&server->lock);
}

/* ---- batches; under call->lock ---- */

/* Takes a reference for the tag; false when gRPC refuses, which it does only to misuse. */
static bool
start_batch(nb_rpc_call *call, nb_rpc_event event, const grpc_op *ops, size_t n)
{
    call->refs++;
    if (grpc_call_start_batch(call->call, ops, n, &call->tags[event], NULL) != GRPC_CALL_OK) {
        nb_log(NB_LOG_ERROR, "rpc", "a batch of kind %d was refused", (int)event);
        call->refs--;
        return false;
    }
    return true;
}

static void
receive(nb_rpc_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

    op.data.recv_message.recv_message = &call->received;
    call->receiving = start_batch(call, EVENT_RECEIVED, &op, 1);
}

static size_t
add_headers(nb_rpc_call *call, grpc_op *op)
{
    if (call->headers_sent) {
        return 0;
    }
    call->headers_sent = true;
    *op = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    return 1;
}

static size_t
add_message(nb_rpc_call *call, grpc_op *op)
{
    *op = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
    op->data.send_message.send_message = call->sending;
    return 1;
}

/* The last batch: what was kept back, and the status. */
static void
send_status(nb_rpc_call *call)
{
    nb_rpc_status *s = &call->status;
    grpc_op ops[3];
    size_t n = add_headers(call, &ops[0]);

    if (call->sending && !call->send_failed && s->code == NB_RPC_OK) {
        n += add_message(call, &ops[n]);
    }
    call->status_text =
        grpc_slice_from_copied_buffer(s->message.data ? s->message.data : "", s->message.len);
    ops[n] = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    ops[n].data.send_status_from_server.status = (grpc_status_code)s->code;
    ops[n].data.send_status_from_server.status_details = &call->status_text;
    if (s->details.len) {
        call->trailer.key = grpc_slice_from_static_string(NB_RPC_DETAILS_KEY);
        call->trailer.value = grpc_slice_from_copied_buffer(s->details.data, s->details.len);
        ops[n].data.send_status_from_server.trailing_metadata = &call->trailer;
        ops[n].data.send_status_from_server.trailing_metadata_count = 1;
    }
    start_batch(call, EVENT_STATUS, ops, n + 1);
    if (s->details.len) {
        grpc_slice_unref(call->trailer.value);
    }
}

/* ---- events ---- */

static void
refuse(nb_rpc_call *call, nb_rpc_code code, const char *why)
{
    pthread_mutex_lock(&call->lock);
    nb_rpc_status_clear(&call->status);
    call->status.code = code;
    nb_strbuf_adds(&call->status.message, why);
    send_status(call);
    pthread_mutex_unlock(&call->lock);
    nb_rpc_call_unref(call);
}

static const nb_rpc_method *
find_method(nb_rpc_server *server, nb_str path)
{
    for (int i = 0; i < server->n_methods; i++) {
        if (nb_str_equal(path, nb_str_of(server->methods[i].path))) {
            return &server->methods[i];
        }
    }
    return NULL;
}

void
nb_rpc_call_begin(nb_rpc_call *call)
{
    nb_rpc_server *server = call->server;
    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    nb_rpc_code code = NB_RPC_OK;
    bool too_many;

    pthread_mutex_lock(&server->lock);
    call->next = server->calls;
    if (call->next) {
        call->next->prev = call;
    }
    server->calls = call;
    too_many = ++server->n_calls > server->options.max_calls;
    pthread_mutex_unlock(&server->lock);

    call->peer = grpc_call_get_peer(call->call);
    op.data.recv_close_on_server.cancelled = &call->was_cancelled;
    pthread_mutex_lock(&call->lock);
    start_batch(call, EVENT_CLOSED, &op, 1);
    pthread_mutex_unlock(&call->lock);
    if (server->options.gate) {
        code = server->options.gate(call, server->options.gate_payload);
    }
    if (code != NB_RPC_OK) {
        refuse(call, code, code == NB_RPC_UNAUTHENTICATED ? "not authenticated" : "refused");
        return;
    }
    if (too_many) {
        refuse(call, NB_RPC_RESOURCE_EXHAUSTED, "too many calls at once");
        return;
    }
    call->method = find_method(server, nb_rpc_call_path(call));
    if (!call->method) {
        refuse(call, NB_RPC_UNIMPLEMENTED, "unknown method");
        return;
    }
    pthread_mutex_lock(&server->lock);
    call->is_waiting = true;
    call->deadline_ns = nb_clock_mono_ns() + (int64_t)server->options.request_timeout_ms * 1000000;
    pthread_mutex_unlock(&server->lock);
    pthread_mutex_lock(&call->lock);
    receive(call);
    pthread_mutex_unlock(&call->lock);
}

#define TOO_SLOW_TO_SEND "the request took too long to come"
#define TOO_SLOW_TO_TAKE "the client takes no data"

void
nb_rpc_call_expire(nb_rpc_call *call)
{
    call->is_waiting = false;
    grpc_call_cancel_with_status(call->call, GRPC_STATUS_DEADLINE_EXCEEDED, TOO_SLOW_TO_SEND, NULL);
}

static void
wake_up(nb_rpc_call *call)
{
    void (*wake)(void *payload) = call->wake;

    atomic_store(&call->cancel.requested, 1);
    pthread_cond_broadcast(&call->changed);
    if (wake) {
        call->wake = NULL;
        call->waking = true;
        pthread_mutex_unlock(&call->lock);
        wake(call->wake_payload);
        pthread_mutex_lock(&call->lock);
        call->waking = false;
        pthread_cond_broadcast(&call->changed);
    }
}

void
nb_rpc_call_event(nb_rpc_call *call, nb_rpc_event event, bool ok)
{
    bool is_request = false, has_message = false;

    pthread_mutex_lock(&call->lock);
    switch (event) {
    case EVENT_RECEIVED:
        call->receiving = false;
        has_message = ok && call->received;
        is_request = !call->has_request;
        pthread_cond_broadcast(&call->changed);
        break;
    case EVENT_SENT:
        call->is_sending = false;
        grpc_byte_buffer_destroy(call->sending);
        call->sending = NULL;
        if (!ok) {
            call->send_failed = true;
            wake_up(call);
        }
        pthread_cond_broadcast(&call->changed);
        break;
    case EVENT_CLOSED:
        if (call->was_cancelled) {
            wake_up(call);
        }
        break;
    default: break;
    }
    pthread_mutex_unlock(&call->lock);
    if (event == EVENT_CLOSED && call->was_cancelled && call->peer) {
        nb_rpc_count_reset(call->server, call->peer);
    }
    if (event == EVENT_RECEIVED && is_request) {
        if (has_message && call->method->is_instant) {
            pthread_mutex_lock(&call->server->lock);
            call->is_waiting = false;
            pthread_mutex_unlock(&call->server->lock);
            nb_rpc_call_run(call);
        } else if (has_message && nb_rpc_poller_takes(call->server, call)) {
            nb_rpc_poller_run(call->server, call);
        } else if (has_message) {
            nb_rpc_pool_submit(call->server, call);
        } else {
            pthread_mutex_lock(&call->server->lock);
            call->is_waiting = false;
            pthread_mutex_unlock(&call->server->lock);
            refuse(call, NB_RPC_INVALID_ARGUMENT, "a call without a request");
        }
    }
    nb_rpc_call_unref(call); /* the tag's */
}

/* ---- in the handler ---- */

static void
add_ms(struct timespec *t, int ms)
{
    clock_gettime(CLOCK_MONOTONIC, t);
    t->tv_sec += ms / 1000;
    t->tv_nsec += (long)(ms % 1000) * 1000000;
    if (t->tv_nsec >= 1000000000) {
        t->tv_sec++;
        t->tv_nsec -= 1000000000;
    }
}

/* Until the event has come that takes *flag away; when it takes too long the call is cancelled, which makes it come. Under call->lock. */
static void
wait_while(nb_rpc_call *call, const bool *flag, int limit_ms, grpc_status_code code,
           const char *why)
{
    struct timespec until;

    if (*flag) {
        pthread_mutex_unlock(&call->lock);
        nb_rpc_poller_waits(call->server);
        pthread_mutex_lock(&call->lock);
    }
    while (*flag) {
        add_ms(&until, limit_ms);
        while (*flag && pthread_cond_timedwait(&call->changed, &call->lock, &until) != ETIMEDOUT) {
        }
        if (*flag) {
            grpc_call_cancel_with_status(call->call, code, why, NULL);
        }
    }
}

/* The received message as one piece of memory: gRPC gives it in slices of a few KiB each. */
static bool
take_message(nb_rpc_call *call)
{
    grpc_byte_buffer_reader reader;
    bool ok = false;

    if (call->has_request) {
        grpc_slice_unref(call->request);
        call->has_request = false;
    }
    if (!call->received) {
        return false;
    }
    if (grpc_byte_buffer_reader_init(&reader, call->received)) {
        call->request = grpc_byte_buffer_reader_readall(&reader);
        grpc_byte_buffer_reader_destroy(&reader);
        call->has_request = ok = true;
    }
    grpc_byte_buffer_destroy(call->received);
    call->received = NULL;
    return ok;
}

void
nb_rpc_call_end(nb_rpc_call *call, nb_status st, nb_error *err)
{
    nb_rpc_call_on_cancel(call, NULL, NULL);
    pthread_mutex_lock(&call->lock);
    if (!call->ended) {
        call->ended = true;
        if (call->receiving) { /* a client stream that the handler does not want to hear out */
            grpc_call_cancel_with_status(call->call, GRPC_STATUS_CANCELLED, "not read", NULL);
        }
        wait_while(call, &call->receiving, call->server->options.request_timeout_ms,
                   GRPC_STATUS_CANCELLED, "not read");
        wait_while(call, &call->is_sending, call->server->options.send_timeout_ms,
                   GRPC_STATUS_UNAVAILABLE, TOO_SLOW_TO_TAKE);
        if (st < 0) {
            nb_rpc_status_clear(&call->status);
            nb_rpc_status_of_error(&call->status, st, err, NB_STR(""));
        }
        send_status(call);
    }
    pthread_mutex_unlock(&call->lock);
    nb_error_clear(err);
}

void
nb_rpc_call_run(nb_rpc_call *call)
{
    nb_error err = NB_ERROR_INIT;
    nb_status st = NB_ERROR;
    bool has_message;

    pthread_mutex_lock(&call->lock);
    has_message = take_message(call);
    pthread_mutex_unlock(&call->lock);
    if (has_message) {
        st = call->method->handler(call, call->method->payload, &err);
    } else {
        nb_raise_internal(&err, "a message could not be read");
    }
    nb_rpc_call_end(call, st, &err);
    nb_rpc_call_unref(call);
}

nb_str
nb_rpc_call_path(const nb_rpc_call *call)
{
    return (nb_str){(const char *)GRPC_SLICE_START_PTR(call->details.method),
                    GRPC_SLICE_LENGTH(call->details.method)};
}

nb_str
nb_rpc_call_peer(const nb_rpc_call *call)
{
    return nb_str_of(call->peer ? call->peer : "");
}

nb_str
nb_rpc_call_metadata(const nb_rpc_call *call, const char *key)
{
    for (size_t i = 0; i < call->headers.count; i++) {
        const grpc_metadata *m = &call->headers.metadata[i];
        if (grpc_slice_str_cmp(m->key, key) == 0) {
            return (nb_str){(const char *)GRPC_SLICE_START_PTR(m->value),
                            GRPC_SLICE_LENGTH(m->value)};
        }
    }
    return (nb_str){NULL, 0};
}

nb_str
nb_rpc_call_request(nb_rpc_call *call)
{
    return (nb_str){(const char *)GRPC_SLICE_START_PTR(call->request),
                    GRPC_SLICE_LENGTH(call->request)};
}

nb_status
nb_rpc_call_next(nb_rpc_call *call, nb_str *message, nb_error *err)
{
    nb_status st = NB_OK;

    pthread_mutex_lock(&call->lock);
    receive(call);
    wait_while(call, &call->receiving, call->server->options.request_timeout_ms,
               GRPC_STATUS_DEADLINE_EXCEEDED, TOO_SLOW_TO_SEND);
    if (!take_message(call)) {
        st = atomic_load(&call->cancel.requested) ? NB_CANCELLED : NB_DONE;
        call->request = grpc_empty_slice();
        call->has_request = true;
    } else {
        *message = nb_rpc_call_request(call);
    }
    pthread_mutex_unlock(&call->lock);
    return st;
}

/* Waits until nothing is being sent; false when the client has gone. */
static bool
wait_for_send(nb_rpc_call *call)
{
    wait_while(call, &call->is_sending, call->server->options.send_timeout_ms,
               GRPC_STATUS_UNAVAILABLE, TOO_SLOW_TO_TAKE);
    return !call->send_failed && !atomic_load(&call->cancel.requested);
}

static bool
send_now(nb_rpc_call *call)
{
    grpc_op ops[2];
    size_t n = add_headers(call, &ops[0]);

    n += add_message(call, &ops[n]);
    call->is_sending = start_batch(call, EVENT_SENT, ops, n);
    return call->is_sending;
}

/* at_once: it does not wait for a message after it. */
static nb_status
send_buffer(nb_rpc_call *call, grpc_byte_buffer *buffer, bool at_once)
{
    nb_status st = NB_CANCELLED;

    pthread_mutex_lock(&call->lock);
    if (call->sending && !call->is_sending) { /* kept back, but not the last */
        if (!send_now(call)) {
            call->send_failed = true;
        }
    }
    if (wait_for_send(call)) {
        call->sending = buffer;
        buffer = NULL;
        st = !at_once || send_now(call) ? NB_OK : NB_CANCELLED;
    }
    pthread_mutex_unlock(&call->lock);
    if (buffer) {
        grpc_byte_buffer_destroy(buffer);
    }
    return st;
}

nb_status
nb_rpc_call_send(nb_rpc_call *call, nb_str message, nb_error *err)
{
    nb_rpc_piece piece = {.bytes = message};

    return nb_rpc_call_send_pieces(call, &piece, 1, err);
}

nb_status
nb_rpc_call_send_last(nb_rpc_call *call, nb_str message, nb_error *err)
{
    grpc_slice slice = grpc_slice_from_copied_buffer(message.data, message.len);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);

    (void)err;
    grpc_slice_unref(slice);
    return send_buffer(call, buffer, false);
}

#define MAX_PIECES 256

nb_status
nb_rpc_call_send_pieces(nb_rpc_call *call, const nb_rpc_piece *pieces, int n, nb_error *err)
{
    grpc_slice slices[MAX_PIECES];
    grpc_byte_buffer *buffer;

    if (n > MAX_PIECES) {
        for (int i = 0; i < n; i++) {
            if (pieces[i].release) {
                pieces[i].release(pieces[i].payload);
            }
        }
        return nb_raise_internal(err, "a message of %d pieces", n);
    }
    for (int i = 0; i < n; i++) {
        slices[i] =
            pieces[i].release
                ? grpc_slice_new_with_user_data((char *)pieces[i].bytes.data, pieces[i].bytes.len,
                                                pieces[i].release, pieces[i].payload)
                : grpc_slice_from_copied_buffer(pieces[i].bytes.data ? pieces[i].bytes.data : "",
                                                pieces[i].bytes.len);
    }
    buffer = grpc_raw_byte_buffer_create(slices, (size_t)n);
    for (int i = 0; i < n; i++) {
        grpc_slice_unref(slices[i]);
    }
    return send_buffer(call, buffer, call->method->is_long);
}

const nb_cancel_flag *
nb_rpc_call_cancelled(nb_rpc_call *call)
{
    return &call->cancel;
}

void
nb_rpc_call_on_cancel(nb_rpc_call *call, void (*wake)(void *payload), void *payload)
{
    bool now;

    pthread_mutex_lock(&call->lock);
    while (call->waking) {
        pthread_cond_wait(&call->changed, &call->lock);
    }
    now = wake && atomic_load(&call->cancel.requested);
    call->wake = now ? NULL : wake;
    call->wake_payload = payload;
    pthread_mutex_unlock(&call->lock);
    if (now) {
        wake(payload);
    }
}

void
nb_rpc_call_set_status(nb_rpc_call *call, nb_rpc_status *status)
{
    pthread_mutex_lock(&call->lock);
    nb_rpc_status_clear(&call->status);
    call->status = *status;
    *status = NB_RPC_STATUS_INIT;
    pthread_mutex_unlock(&call->lock);
}

bool
nb_rpc_secret_equal(nb_str a, nb_str b)
{
    unsigned char differs = a.len != b.len;

    for (size_t i = 0; i < a.len; i++) {
        differs |= (unsigned char)a.data[i] ^ (unsigned char)(b.len ? b.data[i % b.len] : 0);
    }
    return differs == 0;
}
