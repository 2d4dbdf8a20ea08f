/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel_internal.h: what calls need of a channel.
 */
#ifndef NB_RPC_CHANNEL_INTERNAL_H
#define NB_RPC_CHANNEL_INTERNAL_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>
#include "base/arena.h"
#include "rpc/channel.h"

/* A call under way, in its channel's list, so that the channel can end it. */
typedef struct nb_rpc_running {
    struct nb_rpc_running *next, *previous;
    grpc_call *call;
    atomic_bool stopped; /* by us: its end is no failure */
} nb_rpc_running;

struct nb_rpc_channel {
    int64_t refs;
    nb_arena *arena; /* owns all that is here */
    grpc_channel *channel;
    nb_str target;
    grpc_metadata *headers; /* of every call; the slices are the channel's */
    size_t n_headers;
    grpc_completion_queue *posted; /* of nb_rpc_post */
    atomic_int n_posted;           /* not yet taken from it */
    pthread_mutex_t lock;          /* for what follows */
    nb_rpc_running *running;
    bool shut;
};

/* A header for gRPC, owned by the caller; one that gRPC would refuse is an error. */
nb_status nb_rpc_header_copy(const nb_rpc_header *header, grpc_metadata *out, nb_error *err);

/* A new call of the method, owned by the caller, whose batches end on the queue. */
grpc_call *nb_rpc_channel_call(nb_rpc_channel *channel, const char *method,
                               grpc_completion_queue *queue, gpr_timespec deadline);
/* Puts a call on the list; false when the channel has been shut down. */
bool nb_rpc_channel_enter(nb_rpc_channel *channel, nb_rpc_running *running);
void nb_rpc_channel_leave(nb_rpc_channel *channel, nb_rpc_running *running);

/* post.c: frees those posted calls that are done, waiting at most so long for the others; whether none is left. */
bool nb_rpc_posted_reap(nb_rpc_channel *channel, int64_t wait_ms);

#endif
