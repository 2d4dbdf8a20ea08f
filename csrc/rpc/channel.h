/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.h: a connection to a server, for as many calls at once as there are threads to make them.
 *
 * The connection is made at the first call and made again when it breaks, with growing pauses; a call fails at once with
 * UNAVAILABLE while there is none, and retry.h says how long to wait then. What proves who we are (a token, a shared secret) goes
 * with every call. Calls are in call.h. All functions may be called from any thread; nothing here starts one.
 */
#ifndef NB_RPC_CHANNEL_H
#define NB_RPC_CHANNEL_H

#include "base/error.h"
#include "base/str.h"

typedef struct nb_rpc_channel nb_rpc_channel;

/* A header of a call; names are lower case. */
typedef struct nb_rpc_header {
    nb_str name, value;
} nb_rpc_header;

typedef struct nb_rpc_channel_options {
    nb_str target; /* "host:port", "[::1]:port" or "unix:/path" */
    bool tls;
    nb_str ca;          /* PEM of the authorities that are trusted; empty = the system's */
    nb_str cert, key;   /* PEM of the client's own certificate: mutual TLS */
    nb_str server_name; /* that the server's certificate must have; empty = the target's host */
    nb_str token;       /* goes as "authorization: Bearer …" */
    const nb_rpc_header *headers; /* more headers of every call */
    int n_headers;
    nb_str user_agent;
    int keepalive_ms; /* ping a silent connection with calls on it; a server may forbid less than 5 minutes. 0 = never */
    int64_t max_message_bytes; /* a longer one ends its call; 0 = 128 MiB */
} nb_rpc_channel_options;

#define NB_RPC_CHANNEL_OPTIONS_INIT ((nb_rpc_channel_options){0})

/* Copies the options. Fails in a process forked from one that has used gRPC (runtime.h), and on PEM that is none. */
nb_status
nb_rpc_channel_new(const nb_rpc_channel_options *options, nb_rpc_channel **out, nb_error *err);
nb_rpc_channel *nb_rpc_channel_ref(nb_rpc_channel *channel);
/* Calls hold references: the connection is closed when the last of them ends. NULL is fine. */
void nb_rpc_channel_release(nb_rpc_channel *channel);

/* Ends all calls that are under way, as if each were cancelled; later ones fail. */
void nb_rpc_channel_shutdown(nb_rpc_channel *channel);

nb_str nb_rpc_channel_target(const nb_rpc_channel *channel); /* borrowed */

#endif
