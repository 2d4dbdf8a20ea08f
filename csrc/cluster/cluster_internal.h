/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster_internal.h: what the driver (driver.c) and the registry of workers (cluster.c) share.
 */
#ifndef NB_CLUSTER_CLUSTER_INTERNAL_H
#define NB_CLUSTER_CLUSTER_INTERNAL_H

#include <pthread.h>
#include "cluster/adapt.h"
#include "cluster/cluster.h"
#include "cluster/fetch.h"
#include "cluster/fragment_internal.h"
#include "cluster/scheduler.h"
#include "cluster/stages.h"
#include "cluster/watched.h"

/* A command on its way to a worker. */
typedef struct nb_outgoing {
    struct nb_outgoing *next;
    nb_arena *arena;
    nb_str bytes;
} nb_outgoing;

/* What a worker's tasks of a query use. */
typedef struct nb_query_use {
    uint64_t query;
    int64_t bytes;
} nb_query_use;

#define NB_MOST_USES 32 /* queries of one worker that are told of */

/* A worker that is attached: lives on the stack of the call that it has open. */
typedef struct nb_attached {
    struct nb_attached *next;
    uint32_t id;
    nb_str address, local_name;
    int64_t memory; /* bytes of all its tasks */
    /* As the last heartbeat said: bytes in use, and of how many queries it told. */
    int64_t memory_used;
    nb_query_use used[NB_MOST_USES];
    int n_used;
    nb_outgoing *first, *last;
    pthread_cond_t wake;
    bool lost; /* its call is to end */
} nb_attached;

/* A query under way: lives on its driver's stack. All but the plan is guarded by the cluster's lock. */
typedef struct nb_driven {
    struct nb_driven *next;
    pthread_cond_t due; /* its driver has something to do; each wakes for its own query only */
    uint64_t id;
    nb_arena *arena; /* of what reports bring */
    nb_stages stages;
    nb_str **fragments;     /* [stage][part] */
    Nbc__Output ***outputs; /* [stage][task]: of the attempt that was accepted; NULL: none */
    int *n_outputs;         /* [stage]: room in outputs */
    nb_adapt_options adapt;
    nb_fetch *fetch;  /* of the driver's thread */
    nb_str write_job; /* of the stage that writes files */
    nb_error error;   /* of the task that failed last */
    int parallelism, batch_rows;
    bool force_spill, compress;
    nb_watched watched;
} nb_driven;

struct nb_cluster {
    pthread_mutex_t lock;
    pthread_cond_t stop; /* the cluster ends */
    nb_pool *pool;
    nb_peers peers;
    nb_scheduler *scheduler;
    nb_attached *workers;
    nb_driven *queries;
    uint32_t last_worker;
    uint64_t last_query;
    int heartbeat_ms, timeout_ms;
    pthread_t ticker;
    bool ticking, stopping;
};

/* Gives workers what the scheduler decides; the lock is held. */
void nb_cluster_pump(nb_cluster *c);
/* Workers forget the query; the lock is held. */
void nb_cluster_release(nb_cluster *c, uint64_t query);

/* Segments (bucket, offset, length) in the order of buckets, those of one in the order of offsets. */
void nb_segments_sort(int64_t *segments, size_t n);

/* usage.c: takes what a heartbeat says; the lock is held. */
void nb_cluster_note_use(nb_cluster *c, const Nbc__Beat *m);

/* driver.c: the task of a launch, in the arena; NULL when out of memory. The lock is held. */
Nbc__Task *nb_driven_task(nb_driven *q, nb_arena *arena, const nb_sched_action *a);
nb_status nb_cluster_run(void *payload, const nb_exec_ctx *ctx, nb_arena *arena, nb_node *root,
                         nb_table **out, nb_error *err);

#endif
