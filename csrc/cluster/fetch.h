/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch.h: blocks from wherever they lie into a table: the message itself, this process, another one of this host (handoff.h: its files
 * are mapped, nothing is copied), another one by gRPC.
 */
#ifndef NB_CLUSTER_FETCH_H
#define NB_CLUSTER_FETCH_H

#include <pthread.h>
#include <stdatomic.h>
#include "cluster/handoff.h"
#include "column/table.h"
#include "io/source.h"
#include "nbaspark/cluster.pb-c.h"
#include "rpc/call.h"

#define NB_FETCH_METHOD "/nbaspark.cluster.Worker/Fetch"

/* Connections to other processes, by address. */
typedef struct nb_peers {
    pthread_mutex_t lock;
    nb_rpc_channel_options options; /* of all, but for the target */
    nb_rpc_channel **channels;
    int n, cap;
    nb_pool *pool;
} nb_peers;

/* What the options refer to lives as long as the peers. */
nb_status nb_peers_init(nb_peers *p, const nb_rpc_channel_options *options);
void nb_peers_free(nb_peers *p);
/* A reference for the caller. */
nb_status nb_peers_channel(nb_peers *p, nb_str address, nb_rpc_channel **out, nb_error *err);

/* Its initialiser has NB_FETCH_INIT in it. */
typedef struct nb_fetch {
    nb_peers *peers;
    nb_rpc_channel *driver; /* to what the driver has */
    const nb_cancel_flag *cancel;
    uint64_t query;
    uint32_t self;        /* number of this worker: its own files are opened by `open` */
    nb_handoff_open open; /* may be NULL when it has none */
    void *payload;
    pthread_mutex_t lock;  /* guards the next two */
    nb_rpc_stream *stream; /* the call under way */
    int64_t progress_ns;   /* when it has brought something last */
    atomic_bool stalled;   /* it was given up */
    /* out: whose blocks could not be read */
    bool failed;
    uint32_t lost_worker;
} nb_fetch;

#define NB_FETCH_INIT .lock = PTHREAD_MUTEX_INITIALIZER

/* Gives up a call that has brought nothing for so long: its worker counts as one that has lost its blocks. From any thread. */
void nb_fetch_check(nb_fetch *f, int64_t most_ms);

/* Appends a bucket (-1: all, one after the other) of the outputs, each in their order. Segments of an output are in the order of buckets. */
nb_status nb_fetch_run(nb_fetch *f, int stage, int bucket, Nbc__Output *const *outputs, size_t n,
                       nb_pool *pool, nb_table *into, nb_error *err);

#endif
