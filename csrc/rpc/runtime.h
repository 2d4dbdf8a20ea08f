/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime.h: gRPC's library in this process: started at the first need, never used by a forked child.
 *
 * gRPC's threads do not survive a fork, and a child that uses its parent's library hangs or damages the parent's connections. So
 * the process that started the library owns it: every call that could reach gRPC asks nb_rpc_ready first.
 */
#ifndef NB_RPC_RUNTIME_H
#define NB_RPC_RUNTIME_H

#include "base/error.h"

/* Starts the library (once; later calls only check). What it logs goes through nb_log. Raises CONNECT_FORKED_PROCESS in
 * a child of the process that started it. Any thread. */
nb_status nb_rpc_start(nb_error *err);

/* NB_OK in the process that started the library, else as nb_rpc_start raises: for calls on channels that exist. */
nb_status nb_rpc_ready(nb_error *err);

/* At the end of a daemon, when all servers and channels are gone: waits for the library's threads. Does nothing in a forked child. */
void nb_rpc_stop(void);

#endif
