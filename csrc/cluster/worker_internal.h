/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_internal.h: what the files of the worker share: worker.c attaches and takes commands, worker_task.c runs a task.
 */
#ifndef NB_CLUSTER_WORKER_INTERNAL_H
#define NB_CLUSTER_WORKER_INTERNAL_H

#include <pthread.h>
#include "cluster/daemon.h"
#include "cluster/fetch.h"
#include "cluster/outputs.h"
#include "cluster/task.h"
#include "monitor/monitor.h"
#include "rpc/call.h"

typedef struct nb_worker_job {
    struct nb_worker_job *next;
    nb_arena *arena;
    const Nbc__Task *task;
    nb_cancel_flag cancel;
    atomic_bool dropped; /* nobody waits for its report */
    nb_fetch *fetch;     /* while it runs, as the next one */
    nb_pool *pool;
} nb_worker_job;

typedef struct nb_worker {
    nb_daemon_options options;
    const char *master, *host, *cores_text, *memory_text, *work_dir;
    nb_config *config;
    nb_secrets secrets;
    nb_tls_files tls;
    nb_pool *pool;
    nb_rpc_channel *channel;
    nb_rpc_server *server;
    nb_monitor_server *pages;
    nb_handoff_server *handoff;
    nb_outputs *outputs;
    nb_peers peers;
    char address[300];
    nb_str local_dir;
    int cores;
    size_t memory;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t work;  /* for the cores: a task is in the queue */
    pthread_cond_t ended; /* one has ended */
    pthread_cond_t wake;  /* for all others: the process is to stop */
    nb_worker_job *queue, *running;
    uint32_t id; /* 0: not attached */
    int heartbeat_ms;
    nb_rpc_stream *stream; /* of the attachment */
    bool leaving;          /* what runs may end, nothing more is wanted */
    bool stopping;
    char
        trouble[256]; /* why it is not attached, as it was said last; of the thread that attaches */
} nb_worker;

/* Runs the job and reports to the master, unless nobody waits for it any more. self: the worker's number when it was given the job. */
void nb_worker_do_job(nb_worker *w, nb_worker_job *j, uint32_t self);

#endif
