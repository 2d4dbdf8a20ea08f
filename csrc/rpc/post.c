/* SPDX-License-Identifier: Apache-2.0 */
/*
 * post.c: calls nobody waits for.
 *
 * gRPC writes the request on the thread that posts it. The answer is read by whoever works on the connection next; what is done is freed at
 * the next post, or at the end of the channel.
 */
#include "rpc/call.h"
#include "rpc/channel_internal.h"
#include "rpc/message_internal.h"
#include "rpc/runtime.h"

typedef struct posted {
    nb_rpc_running running;
    nb_arena *arena;
    grpc_metadata_array initial, trailing;
    grpc_byte_buffer *answer;
    grpc_status_code code;
    grpc_slice message;
} posted;

static void
posted_free(nb_rpc_channel *channel, posted *p)
{
    nb_rpc_channel_leave(channel, &p->running);
    nb_rpc_message_free(nb_rpc_message_of(p->answer));
    grpc_metadata_array_destroy(&p->initial);
    grpc_metadata_array_destroy(&p->trailing);
    grpc_slice_unref(p->message);
    grpc_call_unref(p->running.call);
    nb_arena_free(p->arena);
}

bool
nb_rpc_posted_reap(nb_rpc_channel *channel, int64_t wait_ms)
{
    gpr_timespec until =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(wait_ms, GPR_TIMESPAN));

    while (atomic_load(&channel->n_posted) > 0) {
        grpc_event event = grpc_completion_queue_next(channel->posted, until, NULL);
        if (event.type != GRPC_OP_COMPLETE) {
            return false;
        }
        atomic_fetch_sub(&channel->n_posted, 1);
        posted_free(channel, event.tag);
    }
    return true;
}

void
nb_rpc_post(nb_rpc_channel *channel, const char *method, nb_str request, int64_t deadline_ms)
{
    gpr_timespec deadline =
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(deadline_ms, GPR_TIMESPAN));
    nb_rpc_piece bytes = NB_RPC_PIECE(request);
    grpc_byte_buffer *buffer;
    nb_arena *arena;
    posted *p;
    grpc_op ops[6];

    if (nb_rpc_ready(NULL) < 0) {
        return;
    }
    nb_rpc_posted_reap(channel, 0);
    arena = nb_arena_new(NULL);
    p = arena ? NB_ARENA_NEW(arena, posted) : NULL;
    if (p == NULL) {
        nb_arena_free(arena);
        return;
    }
    p->arena = arena;
    p->message = grpc_empty_slice();
    p->running.call = nb_rpc_channel_call(channel, method, channel->posted, deadline);
    if (!nb_rpc_channel_enter(channel, &p->running)) {
        grpc_call_unref(p->running.call);
        nb_arena_free(arena);
        return;
    }
    buffer = nb_rpc_piece_buffer(&bytes);
    ops[0] = (grpc_op){
        .op = GRPC_OP_SEND_INITIAL_METADATA,
        .data.send_initial_metadata = {.count = channel->n_headers, .metadata = channel->headers}};
    ops[1] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer};
    ops[2] = (grpc_op){.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
    ops[3] = (grpc_op){.op = GRPC_OP_RECV_INITIAL_METADATA,
                       .data.recv_initial_metadata.recv_initial_metadata = &p->initial};
    ops[4] = (grpc_op){.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &p->answer};
    ops[5] = (grpc_op){.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
                       .data.recv_status_on_client = {.trailing_metadata = &p->trailing,
                                                      .status = &p->code,
                                                      .status_details = &p->message}};
    atomic_fetch_add(&channel->n_posted, 1);
    NB_ASSERT(grpc_call_start_batch(p->running.call, ops, 6, p, NULL) == GRPC_CALL_OK);
    grpc_byte_buffer_destroy(buffer);
}
