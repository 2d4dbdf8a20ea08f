/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h: calls in blocking style: one message or a stream of them, in either direction.
 *
 *   nb_rpc_unary                                            one message out, one in
 *   nb_rpc_open → send* → send_end → receive* → close       streams; send and receive may be on two threads
 *   nb_rpc_post                                             one message out, nobody waits for the answer
 *
 * The thread that waits does the network's work itself, so a call costs no switch of threads. While it waits it looks every
 * NB_RPC_POLL_MS whether it shall stop: at the cancel flag, or by asking `stop`. A deadline counts from the start of the call and
 * bounds all of it. After a failure the nb_rpc_status has the server's own words, and the nb_error is made of them.
 */
#ifndef NB_RPC_CALL_H
#define NB_RPC_CALL_H

#include "io/source.h"
#include "rpc/channel.h"
#include "rpc/message.h"
#include "rpc/status.h"

#define NB_RPC_POLL_MS 20

typedef struct nb_rpc_options {
    int64_t deadline_ms;          /* 0 = none */
    const nb_cancel_flag *cancel; /* NULL = none; borrowed until the call is closed */
    bool (*stop)(void *payload);  /* asked on the waiting thread; NULL = none */
    void *payload;                /* of stop */
    const nb_rpc_header *headers; /* besides the channel's */
    int n_headers;
    bool
        wait_for_ready; /* wait for a connection, as long as the deadline allows, instead of failing at once */
} nb_rpc_options;

#define NB_RPC_OPTIONS_INIT ((nb_rpc_options){0})

/* One request, one answer, which is owned by the caller. method: "/package.Service/Method". options and status may be NULL; a
 * status must be empty. NB_CANCELLED without an error when the flag or `stop` asked for it. */
nb_status nb_rpc_unary(nb_rpc_channel *channel, const char *method, const nb_rpc_piece *request,
                       const nb_rpc_options *options, nb_rpc_message **answer,
                       nb_rpc_status *status, nb_error *err);

/* Sends and forgets: for messages whose loss the other side can bear. Failures are dropped. The channel's end waits a moment for
 * those that are still under way. */
void nb_rpc_post(nb_rpc_channel *channel, const char *method, nb_str request, int64_t deadline_ms);

typedef struct nb_rpc_stream nb_rpc_stream;

/* Starts a call. first, if not NULL, is sent at once; last: nothing follows it (a call that only receives). options are
 * copied. */
nb_status nb_rpc_open(nb_rpc_channel *channel, const char *method, const nb_rpc_piece *first,
                      bool last, const nb_rpc_options *options, nb_rpc_stream **out, nb_error *err);

/* Waits until the message is on its way, which is when the other side has room for it. Failures come as NB_DONE: the call is
 * over, and nb_rpc_receive says how. */
nb_status nb_rpc_send(nb_rpc_stream *stream, const nb_rpc_piece *message, nb_error *err);
nb_status nb_rpc_send_end(nb_rpc_stream *stream);

/* The next message, owned by the caller; NB_DONE when the server has ended the call well. status may be NULL, and is filled when the
 * call is over. */
nb_status
nb_rpc_receive(nb_rpc_stream *stream, nb_rpc_message **out, nb_rpc_status *status, nb_error *err);

/* Ends the call early, from any thread: what waits on it returns NB_CANCELLED. */
void nb_rpc_cancel(nb_rpc_stream *stream);
/* Cancels what is not over and frees it. NULL is fine. */
void nb_rpc_close(nb_rpc_stream *stream);

#endif
