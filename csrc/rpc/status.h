/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h: how a call ended, as gRPC sends it, and its way from and to an nb_error.
 *
 * An error of the engine leaves as status INTERNAL with the trailer `grpc-status-details-bin`: a google.rpc.Status whose ErrorInfo says
 * condition, SQLSTATE, parameters and the Java classes by which PySpark chooses its exception. Every Spark Connect client reads
 * that; this one reads it back into an nb_error, also from an Apache Spark server, whose conditions need not be ours.
 */
#ifndef NB_RPC_STATUS_H
#define NB_RPC_STATUS_H

#include "base/error.h"
#include "base/str.h"

/* gRPC's status codes, with its numbers. */
typedef enum nb_rpc_code {
    NB_RPC_OK = 0,
    NB_RPC_CANCELLED = 1,
    NB_RPC_UNKNOWN = 2,
    NB_RPC_INVALID_ARGUMENT = 3,
    NB_RPC_DEADLINE_EXCEEDED = 4,
    NB_RPC_NOT_FOUND = 5,
    NB_RPC_ALREADY_EXISTS = 6,
    NB_RPC_PERMISSION_DENIED = 7,
    NB_RPC_RESOURCE_EXHAUSTED = 8,
    NB_RPC_FAILED_PRECONDITION = 9,
    NB_RPC_ABORTED = 10,
    NB_RPC_OUT_OF_RANGE = 11,
    NB_RPC_UNIMPLEMENTED = 12,
    NB_RPC_INTERNAL = 13,
    NB_RPC_UNAVAILABLE = 14, /* clients try again: only for what passes by itself */
    NB_RPC_DATA_LOSS = 15,
    NB_RPC_UNAUTHENTICATED = 16,
} nb_rpc_code;

const char *
nb_rpc_code_name(nb_rpc_code code); /* "UNAVAILABLE"; "UNKNOWN" for numbers gRPC does not have */

/* Trailer in which the details travel. */
#define NB_RPC_DETAILS_KEY "grpc-status-details-bin"

typedef struct nb_rpc_status {
    nb_rpc_code code;
    nb_strbuf message;
    nb_strbuf details; /* a packed google.rpc.Status; empty when there is none */
} nb_rpc_status;

#define NB_RPC_STATUS_INIT ((nb_rpc_status){0})
void nb_rpc_status_clear(nb_rpc_status *s);

/* Server: INTERNAL with all that fits of err (an empty one is described by st). error_id, when not empty, is the name under which
 * FetchErrorDetails finds the whole error. *out must be empty. */
void nb_rpc_status_of_error(nb_rpc_status *out, nb_status st, const nb_error *err, nb_str error_id);

/* Client: raises what the status says and returns NB_ERROR (NB_OK for code OK). Details that are damaged count as absent: the
 * error is then NB_KIND_CONNECT with the status's code and message. error_id may be NULL; set to the server's errorId or empty. */
nb_status nb_rpc_status_raise(const nb_rpc_status *s, nb_strbuf *error_id, nb_error *err);

/* The Java classes of an error that is set, most special first, ended by NULL: FetchErrorDetails' error_type_hierarchy. */
const char *const *nb_rpc_error_classes(const nb_error *err);
/* The kind that the first known one of these classes means; NB_KIND_CONNECT when none is known. */
nb_error_kind nb_rpc_kind_of_classes(const nb_str *classes, size_t n);

#endif
