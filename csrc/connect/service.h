/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h: spark.connect.SparkConnectService: what any Spark Connect client asks of a server.
 *
 *     nb_service_new → nb_service_register (once per server) → … → nb_rpc_server_stop → nb_service_free
 *
 * Sessions are kept by user and session id and end when they are released, or idle for long. Queries go through session.h, so whatever
 * executes them there (this process, a cluster) executes them here. Rows of a result stay in the engine's own memory, which is bounded,
 * until the client releases them: each response is made when it is sent, and made again when a client comes back for it.
 */
#ifndef NB_CONNECT_SERVICE_H
#define NB_CONNECT_SERVICE_H

#include "connect/session.h"
#include "rpc/server.h"

typedef struct nb_service nb_service;

typedef struct nb_service_options {
    const nb_conf_pair *conf; /* that every session starts with; copied */
    int n_conf;
    nb_runner
        runner; /* of every session's queries; run NULL: this process. Its payload is borrowed */
    size_t memory_limit; /* of all sessions together; 0 = spark.memory.limit's default */
    int max_sessions;
    int max_operations;  /* at once in one session */
    int session_idle_ms; /* until a session without calls ends; not positive: never */
    int detached_ms;     /* until an operation that no client listens to is given up */
} nb_service_options;

#define NB_SERVICE_OPTIONS_INIT                       \
    ((nb_service_options){.max_sessions = 1000,       \
                          .max_operations = 256,      \
                          .session_idle_ms = 3600000, \
                          .detached_ms = 300000})

nb_status nb_service_new(const nb_service_options *options, nb_service **out, nb_error *err);
nb_status nb_service_register(nb_service *service, nb_rpc_server *server, nb_error *err);
/* Cancels all that runs, so that a server can stop soon. */
void nb_service_interrupt(nb_service *service);
/* For nb_monitor_pages: cancels a query of a session. */
bool nb_service_kill(nb_service *service, nb_str app_id, int64_t execution);
/* After the server has stopped: waits for what runs, frees sessions. NULL is fine. */
void nb_service_free(nb_service *service);

typedef struct nb_service_counts {
    int sessions, operations;
} nb_service_counts;
nb_service_counts nb_service_count(nb_service *service);

#endif
