/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.c: calls that wait, one queue of completions each.
 *
 * A call has at most three batches out: one that sends, one that receives a message, one that receives the end. The address of a member of
 * nb_rpc_stream is the tag of each. A thread that waits for a batch plucks its tag, and gRPC lets that thread work on the sockets
 * meanwhile. Batches that are out when a stream is closed are plucked then: cancelling makes gRPC complete them all.
 */
#include "rpc/call.h"

#include "rpc/channel_internal.h"
#include "rpc/message_internal.h"
#include "rpc/runtime.h"

#define MAX_HEADERS 32

struct nb_rpc_stream {
    nb_rpc_running running; /* first member: the channel's list */
    nb_arena *arena;        /* owns the stream itself; NULL for a call on the stack */
    nb_rpc_channel *channel;
    grpc_completion_queue *queue;
    nb_rpc_options options;
    bool sending, receiving,
        ending; /* batches that are out; each belongs to the thread that uses it */
    bool over;  /* the end has been received */
    char send_tag, receive_tag, end_tag;
    grpc_byte_buffer *received;
    grpc_metadata_array initial, trailing;
    grpc_status_code code;
    grpc_slice message;
};

/* --- waiting ----------------------------------------------------------------------------------- */

static bool
should_stop(const nb_rpc_options *o)
{
    return (o->cancel != NULL && atomic_load(&o->cancel->requested)) ||
           (o->stop != NULL && o->stop(o->payload));
}

static void
stop_call(nb_rpc_running *r)
{
    atomic_store(&r->stopped, true);
    grpc_call_cancel(r->call, NULL);
}

/* Waits for a batch; whether it went well. */
static bool
pluck(nb_rpc_stream *s, void *tag)
{
    bool watch = s->options.cancel != NULL || s->options.stop != NULL;

    for (;;) {
        gpr_timespec until = gpr_inf_future(GPR_CLOCK_MONOTONIC);
        grpc_event event;
        if (watch && !atomic_load(&s->running.stopped)) {
            until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                 gpr_time_from_millis(NB_RPC_POLL_MS, GPR_TIMESPAN));
        }
        event = grpc_completion_queue_pluck(s->queue, tag, until, NULL);
        if (event.type == GRPC_OP_COMPLETE) {
            return event.success;
        }
        if (watch && !atomic_load(&s->running.stopped) && should_stop(&s->options)) {
            stop_call(&s->running);
        }
    }
}

/* --- life -------------------------------------------------------------------------------------- */

static void
stream_end(nb_rpc_stream *s)
{
    if (s->queue != NULL) {
        grpc_completion_queue_shutdown(s->queue);
        grpc_completion_queue_destroy(s->queue);
    }
    if (s->running.call != NULL) {
        grpc_call_unref(s->running.call);
        grpc_slice_unref(s->message);
    }
    grpc_metadata_array_destroy(&s->initial);
    grpc_metadata_array_destroy(&s->trailing);
    nb_rpc_channel_release(s->channel);
}

static nb_status
stream_begin(nb_rpc_stream *s, nb_rpc_channel *channel, const char *method,
             const nb_rpc_options *options, nb_error *err)
{
    gpr_timespec deadline = gpr_inf_future(GPR_CLOCK_MONOTONIC);

    NB_TRY(nb_rpc_ready(err));
    if (options != NULL) {
        s->options = *options;
    }
    if (s->options.deadline_ms > 0) {
        deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                gpr_time_from_millis(s->options.deadline_ms, GPR_TIMESPAN));
    }
    if (should_stop(&s->options)) {
        return NB_CANCELLED;
    }
    s->channel = nb_rpc_channel_ref(channel);
    s->queue = grpc_completion_queue_create_for_pluck(NULL);
    s->running.call = nb_rpc_channel_call(channel, method, s->queue, deadline);
    s->message = grpc_empty_slice();
    if (!nb_rpc_channel_enter(channel, &s->running)) {
        stream_end(s);
        return NB_CANCELLED;
    }
    return NB_OK;
}

/* The headers of the channel and of the call; those that are not the channel's are unreffed by drop_headers. */
static nb_status
make_headers(const nb_rpc_stream *s, grpc_metadata *out, size_t *n, nb_error *err)
{
    if (s->channel->n_headers + (size_t)s->options.n_headers > MAX_HEADERS) {
        return nb_raise_unsupported(err, "a call with more than %d headers", MAX_HEADERS);
    }
    for (*n = 0; *n < s->channel->n_headers; (*n)++) {
        out[*n] = s->channel->headers[*n];
    }
    for (int i = 0; i < s->options.n_headers; i++) {
        NB_TRY(nb_rpc_header_copy(&s->options.headers[i], &out[*n], err));
        (*n)++;
    }
    return NB_OK;
}

static void
drop_headers(const nb_rpc_stream *s, grpc_metadata *headers, size_t n)
{
    for (size_t i = s->channel->n_headers; i < n; i++) {
        grpc_slice_unref(headers[i].key);
        grpc_slice_unref(headers[i].value);
    }
}

/* --- batches ----------------------------------------------------------------------------------- */

static void
start(nb_rpc_stream *s, const grpc_op *ops, size_t n, void *tag)
{
    grpc_call_error e = grpc_call_start_batch(s->running.call, ops, n, tag, NULL);

    NB_ASSERT(e == GRPC_CALL_OK); /* anything else is misuse, never the network's fault */
}

static grpc_op
op_receive(nb_rpc_stream *s)
{
    return (grpc_op){.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &s->received};
}

static grpc_op
op_initial(nb_rpc_stream *s)
{
    return (grpc_op){.op = GRPC_OP_RECV_INITIAL_METADATA,
                     .data.recv_initial_metadata.recv_initial_metadata = &s->initial};
}

static grpc_op
op_end(nb_rpc_stream *s)
{
    return (grpc_op){.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
                     .data.recv_status_on_client = {.trailing_metadata = &s->trailing,
                                                    .status = &s->code,
                                                    .status_details = &s->message}};
}

/* Starts the batch of headers, first message and end; all = one that also receives the answer, all under one tag. */
static nb_status
start_call(nb_rpc_stream *s, const nb_rpc_piece *first, bool last, bool all, nb_error *err)
{
    grpc_metadata headers[MAX_HEADERS];
    grpc_byte_buffer *buffer = NULL;
    grpc_op ops[6];
    size_t n = 0, n_headers = 0;
    nb_status st = make_headers(s, headers, &n_headers, err);

    if (st == NB_OK) {
        ops[n++] =
            (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA,
                      .flags = s->options.wait_for_ready ? GRPC_INITIAL_METADATA_WAIT_FOR_READY : 0,
                      .data.send_initial_metadata = {.count = n_headers, .metadata = headers}};
        if (first != NULL) {
            buffer = nb_rpc_piece_buffer(first);
            ops[n++] =
                (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer};
        }
        if (last) {
            ops[n++] = (grpc_op){.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
        }
        if (all) {
            ops[n++] = op_initial(s);
            ops[n++] = op_receive(s);
            ops[n++] = op_end(s);
        }
        start(s, ops, n, &s->send_tag);
        s->sending = true;
        if (buffer != NULL) {
            grpc_byte_buffer_destroy(buffer);
        }
    } else if (first != NULL && first->release != NULL) {
        first->release(first->payload);
    }
    drop_headers(s, headers, n_headers);
    return st;
}

static void
start_receive(nb_rpc_stream *s, bool with_initial)
{
    grpc_op ops[2] = {op_receive(s)};

    if (with_initial) {
        ops[1] = op_initial(s);
    }
    s->received = NULL;
    start(s, ops, with_initial ? 2 : 1, &s->receive_tag);
    s->receiving = true;
}

/* --- how it ended ------------------------------------------------------------------------------ */

/* A short slice holds its bytes itself, so the text is borrowed from the slice. */
static nb_str
slice_text(const grpc_slice *slice)
{
    return (nb_str){(const char *)GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice)};
}

/* NB_OK, or what the server or the network said. */
static nb_status
finish(nb_rpc_stream *s, nb_rpc_status *status, nb_error *err)
{
    nb_rpc_status own = NB_RPC_STATUS_INIT;
    nb_status st;

    status = status != NULL ? status : &own;
    status->code = (nb_rpc_code)s->code;
    if (s->code == GRPC_STATUS_OK) {
        return NB_OK;
    }
    if (s->code == GRPC_STATUS_CANCELLED && atomic_load(&s->running.stopped)) {
        return NB_CANCELLED;
    }
    nb_strbuf_add(&status->message, slice_text(&s->message));
    for (size_t i = 0; i < s->trailing.count; i++) {
        if (nb_str_equal(slice_text(&s->trailing.metadata[i].key), NB_STR(NB_RPC_DETAILS_KEY))) {
            nb_strbuf_add(&status->details, slice_text(&s->trailing.metadata[i].value));
            break;
        }
    }
    st = nb_rpc_status_raise(status, NULL, err);
    nb_rpc_status_clear(&own);
    return st;
}

/* --- one message each way ---------------------------------------------------------------------- */

nb_status
nb_rpc_unary(nb_rpc_channel *channel, const char *method, const nb_rpc_piece *request,
             const nb_rpc_options *options, nb_rpc_message **answer, nb_rpc_status *status,
             nb_error *err)
{
    nb_rpc_stream s = {0};
    nb_status st = stream_begin(&s, channel, method, options, err);

    if (st < 0) {
        if (request->release != NULL) {
            request->release(request->payload);
        }
        return st;
    }
    st = start_call(&s, request, true, true, err);
    if (st == NB_OK) {
        pluck(&s, &s.send_tag);
        st = finish(&s, status, err);
        if (st == NB_OK && s.received == NULL) {
            st = nb_raise_internal(err, "the server ended %s without an answer", method);
        }
        if (st == NB_OK) {
            *answer = nb_rpc_message_of(s.received);
            s.received = NULL;
        }
        nb_rpc_message_free(nb_rpc_message_of(s.received));
    }
    nb_rpc_channel_leave(channel, &s.running);
    stream_end(&s);
    return st;
}

/* --- streams ----------------------------------------------------------------------------------- */

nb_status
nb_rpc_open(nb_rpc_channel *channel, const char *method, const nb_rpc_piece *first, bool last,
            const nb_rpc_options *options, nb_rpc_stream **out, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_rpc_stream *s = arena ? NB_ARENA_NEW(arena, nb_rpc_stream) : NULL;
    nb_status st = NB_NOMEM;
    grpc_op end;

    if (s != NULL) {
        st = stream_begin(s, channel, method, options, err);
    }
    if (st < 0) {
        if (first != NULL && first->release != NULL) {
            first->release(first->payload);
        }
        nb_arena_free(arena);
        return st;
    }
    s->arena = arena;
    st = start_call(s, first, last, false, err);
    s->options.headers = NULL; /* have been copied */
    if (st < 0) {
        nb_rpc_channel_leave(channel, &s->running);
        stream_end(s);
        nb_arena_free(arena);
        return st;
    }
    end = op_end(s);
    start(s, &end, 1, &s->end_tag);
    s->ending = true;
    start_receive(s, true);
    *out = s;
    return NB_OK;
}

/* Waits until nothing is being sent; whether the call still takes messages. */
static bool
sent(nb_rpc_stream *s)
{
    if (!s->sending) {
        return true;
    }
    s->sending = false;
    return pluck(s, &s->send_tag);
}

nb_status
nb_rpc_send(nb_rpc_stream *s, const nb_rpc_piece *message, nb_error *err)
{
    grpc_byte_buffer *buffer;
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};

    if (nb_rpc_ready(err) < 0 || !sent(s)) {
        if (message->release != NULL) {
            message->release(message->payload);
        }
        return nb_rpc_ready(NULL) < 0 ? NB_ERROR : NB_DONE;
    }
    buffer = nb_rpc_piece_buffer(message);
    op.data.send_message.send_message = buffer;
    start(s, &op, 1, &s->send_tag);
    s->sending = true;
    grpc_byte_buffer_destroy(buffer);
    return sent(s) ? NB_OK : NB_DONE;
}

nb_status
nb_rpc_send_end(nb_rpc_stream *s)
{
    grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};

    if (nb_rpc_ready(NULL) < 0 || !sent(s)) {
        return NB_DONE;
    }
    start(s, &op, 1, &s->send_tag);
    s->sending = true;
    return NB_OK;
}

nb_status
nb_rpc_receive(nb_rpc_stream *s, nb_rpc_message **out, nb_rpc_status *status, nb_error *err)
{
    nb_status st;

    NB_TRY(nb_rpc_ready(err));
    if (s->receiving) {
        pluck(s, &s->receive_tag);
        s->receiving = false;
        if (s->received != NULL) {
            *out = nb_rpc_message_of(s->received);
            start_receive(s, false); /* the next one may come while this one is worked on */
            return NB_OK;
        }
    }
    if (s->ending) {
        pluck(s, &s->end_tag);
        s->ending = false;
    }
    st = finish(s, status, err);
    return st < 0 ? st : NB_DONE;
}

void
nb_rpc_cancel(nb_rpc_stream *s)
{
    if (nb_rpc_ready(NULL) == NB_OK) {
        stop_call(&s->running);
    }
}

void
nb_rpc_close(nb_rpc_stream *s)
{
    if (s == NULL || nb_rpc_ready(NULL) < 0) {
        return;
    }
    if (s->sending || s->receiving || s->ending) {
        stop_call(&s->running);
    }
    if (s->sending) {
        pluck(s, &s->send_tag);
    }
    if (s->receiving) {
        pluck(s, &s->receive_tag);
        nb_rpc_message_free(nb_rpc_message_of(s->received));
    }
    if (s->ending) {
        pluck(s, &s->end_tag);
    }
    nb_rpc_channel_leave(s->channel, &s->running);
    stream_end(s);
    nb_arena_free(s->arena);
}
