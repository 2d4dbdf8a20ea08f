/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster.h: the master's side of a cluster: workers that attach, and the driver of each query.
 *
 *     nb_cluster_new → nb_cluster_register (once per server) → sessions run queries by nb_cluster_runner → nb_cluster_stop → … → free
 *
 * A query runs on the thread that asks for it: the plan is cut into stages, the scheduler (scheduler.h) hands tasks to workers, and the
 * thread runs what is the driver's. Without workers, and for queries that are too small to be worth it, the plan runs in this process.
 */
#ifndef NB_CLUSTER_CLUSTER_H
#define NB_CLUSTER_CLUSTER_H

#include "base/config.h"
#include "exec/exec.h"
#include "monitor/monitor.h"
#include "rpc/channel.h"
#include "rpc/server.h"

typedef struct nb_cluster nb_cluster;

/* config: spark.network.timeout and the like; to_workers: how connections to workers are made, but for their target. Both borrowed, with what they
 * refer to. */
nb_status nb_cluster_new(const nb_config *config, const nb_rpc_channel_options *to_workers,
                         nb_cluster **out, nb_error *err);
nb_status nb_cluster_register(nb_cluster *c, nb_rpc_server *server, nb_error *err);
nb_runner nb_cluster_runner(nb_cluster *c);
/* Attachments end; queries that run fail. Before nb_rpc_server_stop. */
void nb_cluster_stop(nb_cluster *c);
void nb_cluster_free(nb_cluster *c); /* NULL is fine */

typedef struct nb_cluster_counts {
    int workers, cores, queries;
} nb_cluster_counts;
nb_cluster_counts nb_cluster_count(nb_cluster *c);
/* For nb_monitor_pages: the workers that are attached. payload: the cluster. */
/* What tasks of an application have now: cores, bytes. False: there is no worker. An nb_monitor_pages.app_use. */
bool nb_cluster_app_use(nb_cluster *c, nb_str app_id, int *cores, int64_t *memory);
nb_status nb_cluster_list_workers(void *payload, nb_monitor_emit_worker emit, void *to);

#endif
