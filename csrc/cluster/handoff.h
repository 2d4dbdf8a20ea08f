/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handoff.h: open files handed from one process of a host to another.
 *
 * Blocks between workers of one host need not be sent: who reads them is given the file that they lie in, over a Unix socket, and maps it.
 * The socket has an abstract name, which is random: it is on no disk, and seen only by processes that share the network. Both sides refuse
 * processes of other users; who cannot be reached this way is asked by gRPC (fetch.c).
 */
#ifndef NB_CLUSTER_HANDOFF_H
#define NB_CLUSTER_HANDOFF_H

#include <stdint.h>
#include "base/error.h"
#include "base/str.h"

/* What a task has put out. */
typedef struct nb_handoff_key {
    uint64_t query;
    uint32_t stage, task, attempt;
} nb_handoff_key;

typedef struct nb_handoff_server nb_handoff_server;

/* Opens the file of a key for reading; -1: it is not here. On a thread of the server. */
typedef int (*nb_handoff_open)(void *payload, const nb_handoff_key *key);

nb_status
nb_handoff_serve(nb_handoff_open open, void *payload, nb_handoff_server **out, nb_error *err);
nb_str nb_handoff_name(const nb_handoff_server *s); /* for those who ask; NULL has none */
void nb_handoff_stop(nb_handoff_server *s);         /* and frees; NULL is fine */

/* A connection to the server of that name, as a descriptor; -1: it cannot be reached from here, or is another user's. */
int nb_handoff_connect(nb_str name);
/* Asks for a file. NB_DONE: it is not there, or the connection is of no use any more. *fd is owned by the caller. */
nb_status nb_handoff_ask(int connection, const nb_handoff_key *key, int *fd);

#endif
