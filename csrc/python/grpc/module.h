/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.h: what the files of nbaspark._grpc share.
 *
 * The extension carries bytes and knows no plan and no table: data types are interned per library, so all that is columns stays with
 * nbaspark._core. It is loaded at the first remote session.
 */
#ifndef NB_PYTHON_GRPC_MODULE_H
#define NB_PYTHON_GRPC_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "rpc/call.h"

typedef struct nb_grpc_state {
    PyObject *error;        /* RpcError; owned */
    PyObject *message_type; /* message.c; owned */
    PyObject *stream_type;  /* stream.c; owned */
    nb_pool *pool;          /* of messages that came in; lives as long as the process */
} nb_grpc_state;

/* ---- calls.c: a call that Python waits for, without the GIL ---- */

typedef struct nb_grpc_wait {
    PyThreadState *thread; /* that let the GIL go */
    bool raised;           /* a signal's handler raised: its exception is set */
} nb_grpc_wait;

/* The `stop` of a call's options, with an nb_grpc_wait: runs signal handlers. */
bool nb_grpc_signals(void *payload);

/* Raises what a call ended with: RpcError(code, message, details), or what is set already. NULL. */
PyObject *nb_grpc_raise(nb_grpc_state *state, nb_status st, nb_rpc_status *status, nb_error *err);

/* ---- the types ---- */

/* Memory that the large messages of a stream share: pages of a megabyte each would cost more time than filling them. */
typedef struct nb_grpc_slab {
    nb_buffer *buffer; /* NULL = none yet */
    size_t used;
} nb_grpc_slab;

/* message is moved. align: field numbers on the way to the bytes that shall be aligned. slab may be NULL. */
PyObject *nb_grpc_message_new(nb_grpc_state *state, nb_rpc_message *message, const int *align,
                              int n_align, nb_grpc_slab *slab);
/* A stream that is not open yet: *place is where the opened one goes, wait the payload of its `stop`. Both live in the object. */
PyObject *nb_grpc_stream_new(nb_grpc_state *state, const int *align, int n_align,
                             nb_rpc_stream ***place, nb_grpc_wait **wait);

int nb_grpc_message_exec(PyObject *module);
int nb_grpc_stream_exec(PyObject *module);
int nb_grpc_channel_exec(PyObject *module);

#define NB_GRPC_MAX_ALIGN 4

#endif
