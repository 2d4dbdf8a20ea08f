/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h: a gRPC server whose handlers are ordinary blocking functions.
 *
 *     nb_rpc_server_new → nb_rpc_server_add* → nb_rpc_server_listen+ → nb_rpc_server_start → nb_rpc_server_stop → nb_rpc_server_free
 *
 * A call costs a record, not a thread, until its (first) request message is complete: then its handler gets a thread of a pool
 * that grows on demand up to a bound. In front of every call stands one gate, which sees method, metadata and peer before a byte of the body
 * is asked for. Slow senders, large messages, many streams and many calls meet the limits of the options.
 *
 * Only csrc/rpc includes gRPC's headers; nothing of them is seen here.
 */
#ifndef NB_RPC_SERVER_H
#define NB_RPC_SERVER_H

#include "io/source.h"
#include "rpc/message.h"
#include "rpc/status.h"

typedef struct nb_rpc_server nb_rpc_server;
typedef struct nb_rpc_call nb_rpc_call;

/* Serves one call on a thread of the pool; blocking is fine. What it returns ends the call:
 *   NB_OK      status OK, or what nb_rpc_call_set_status said
 *   negative   nb_rpc_status_of_error(status, err); nothing when the client has gone
 * err is the server's: empty at entry, cleared afterwards. */
typedef nb_status (*nb_rpc_handler)(nb_rpc_call *call, void *payload, nb_error *err);

typedef struct nb_rpc_method {
    const char *path; /* "/spark.connect.SparkConnectService/ExecutePlan" */
    nb_rpc_handler handler;
    void *payload;
    bool client_stream; /* more than one request message: nb_rpc_call_next */
    bool
        is_long; /* may run for as long as a query: a share of the threads stays free for the others */
    bool
        is_instant; /* never waits for anything: its handler runs on the thread that has read the request */
} nb_rpc_method;

/* Whether a call may go on: NB_RPC_OK, or the code that refuses it (UNAUTHENTICATED, PERMISSION_DENIED, …) without a word about why.
 * Runs on the thread of the completion queue: it must not block. */
typedef nb_rpc_code (*nb_rpc_gate)(nb_rpc_call *call, void *payload);

/* PEM texts, borrowed during the call only. */
typedef struct nb_rpc_tls {
    nb_str certificate_chain, private_key;
    nb_str
        client_roots; /* empty: clients show no certificate; else each must have one of these authorities (mutual TLS) */
} nb_rpc_tls;

typedef struct nb_rpc_server_options {
    nb_rpc_gate gate; /* NULL: all may come in */
    void *gate_payload;
    size_t max_request_bytes; /* per message; more is RESOURCE_EXHAUSTED */
    int max_header_bytes;     /* of all headers of a call */
    int max_streams;          /* at once on one connection */
    int max_calls;            /* at once in the server; more is RESOURCE_EXHAUSTED */
    int max_threads;
    int request_timeout_ms; /* from a call's headers until its request (or each message of a client stream) is complete */
    int send_timeout_ms; /* a client that takes no data for so long loses its call (UNAVAILABLE: it may come back) */
    int stop_limit_ms; /* that handlers have to end once they are told to; see nb_rpc_server_stop */
    void (*hurry)(
        void *
            payload); /* NULL, or told that the grace is over: what outlives calls is to end, too. From the thread that stops the server */
    void *hurry_payload;
} nb_rpc_server_options;

#define NB_RPC_SERVER_OPTIONS_INIT                                   \
    ((nb_rpc_server_options){.max_request_bytes = (size_t)128 << 20, \
                             .max_header_bytes = 16384,              \
                             .max_streams = 256,                     \
                             .max_calls = 4096,                      \
                             .max_threads = 512,                     \
                             .request_timeout_ms = 30000,            \
                             .send_timeout_ms = 600000,              \
                             .stop_limit_ms = 10000})

nb_status
nb_rpc_server_new(const nb_rpc_server_options *options, nb_rpc_server **out, nb_error *err);
/* Methods are copied, their paths borrowed for the server's life. Before start. Unknown paths are UNIMPLEMENTED. */
nb_status
nb_rpc_server_add(nb_rpc_server *server, const nb_rpc_method *methods, int n, nb_error *err);
/* Any number of times before start. address "host:port", "[v6]:port" or "unix:/path"; port 0 takes a free one. tls NULL: plain text.
 * port_out (may be NULL): the port that was bound. A port in use is an error. */
nb_status nb_rpc_server_listen(nb_rpc_server *server, const char *address, const nb_rpc_tls *tls,
                               int *port_out, nb_error *err);
nb_status nb_rpc_server_start(nb_rpc_server *server, nb_error *err);
/* Refuses new calls, gives those that run grace_ms to end, then cancels them and waits for their handlers. False: some have not ended
 * stop_limit_ms later, which the log says; then the process can only end, or ask again. */
bool nb_rpc_server_stop(nb_rpc_server *server, int grace_ms);
/* Stops it if it runs, and waits for its handlers as long as they take; NULL is fine. */
void nb_rpc_server_free(nb_rpc_server *server);
int nb_rpc_server_calls(nb_rpc_server *server); /* that are open, for metrics and tests */

/* ---- one call: only inside of its handler (or gate: path, metadata, peer) ------------------------------------------------ */

nb_str nb_rpc_call_path(const nb_rpc_call *call);
nb_str nb_rpc_call_peer(const nb_rpc_call *call); /* "ipv4:127.0.0.1:40112"; not to be trusted */
/* The value of the first header of this (lower-case) name; {NULL, 0} when there is none. */
nb_str nb_rpc_call_metadata(const nb_rpc_call *call, const char *key);

/* The request message; borrowed until the call ends or nb_rpc_call_next is called. */
nb_str nb_rpc_call_request(nb_rpc_call *call);
/* Client streams: the message after the request. NB_DONE when the client has no more; message as nb_rpc_call_request's. */
nb_status nb_rpc_call_next(nb_rpc_call *call, nb_str *message, nb_error *err);

/* One response message. Long calls send at once; others keep the last message back, to send it together with the status. Returns
 * once the message before it has left for the transport, so the next can be made meanwhile, and a slow client slows its handler.
 * NB_CANCELLED when the client has gone. */
nb_status nb_rpc_call_send(nb_rpc_call *call, nb_str message, nb_error *err);

/* The last one of a long call: it leaves together with the status. */
nb_status nb_rpc_call_send_last(nb_rpc_call *call, nb_str message, nb_error *err);

/* Pieces are sent one after the other as one message. */
nb_status
nb_rpc_call_send_pieces(nb_rpc_call *call, const nb_rpc_piece *pieces, int n, nb_error *err);

/* Set when the client has gone, has cancelled, its deadline has passed, or the server stops. Valid until the handler returns. */
const nb_cancel_flag *nb_rpc_call_cancelled(nb_rpc_call *call);
/* Calls wake(payload) once on another thread when that happens (at once when it already has): for handlers that wait on a condition.
 * It must not block or call back into the server. NULL takes it away; after that returns, wake does not run. */
void nb_rpc_call_on_cancel(nb_rpc_call *call, void (*wake)(void *payload), void *payload);

/* Ends the call before its handler returns, as if that had returned this; what it returns then counts for nothing. From any thread, when no
 * other one uses the call; the handler keeps it alive. err is cleared. */
void nb_rpc_call_end(nb_rpc_call *call, nb_status st, nb_error *err);

/* What the call ends with when the handler returns NB_OK. Moved. */
void nb_rpc_call_set_status(nb_rpc_call *call, nb_rpc_status *status);

/* Equal without telling by its time where they differ: for secrets. */
bool nb_rpc_secret_equal(nb_str a, nb_str b);

#endif
