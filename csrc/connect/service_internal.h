/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_internal.h: what the files of the service share: sessions (service.c), operations (service_operation.c), their responses
 * (service_result.c), the handlers (service_execute.c, service_requests.c, service_artifacts.c).
 *
 * Locks, in the order in which they are taken: service->lock (table of sessions), served->lock (a session's operations, errors), op->lock.
 * Sessions and operations are counted; the tables hold one reference, each handler and each execution another.
 */
#ifndef NB_CONNECT_SERVICE_INTERNAL_H
#define NB_CONNECT_SERVICE_INTERNAL_H

#include <pthread.h>
#include "base/pool.h"
#include "connect/query.h"
#include "connect/requests.h"
#include "connect/service.h"

#define NB_UUID_CHARS 36

/* The fields that all requests have. Borrowed from the request. */
typedef struct nb_request_head {
    nb_str user, session,
        observed; /* observed: the server-side session id the client has seen; empty when none */
} nb_request_head;

typedef struct nb_operation nb_operation;
typedef struct nb_served nb_served;

/* An error that FetchErrorDetails may ask about. */
typedef struct nb_kept_error {
    char id[NB_UUID_CHARS + 1];
    nb_error err;
} nb_kept_error;

#define NB_KEPT_ERRORS   32
#define NB_KEPT_FINISHED 256

struct nb_served {
    nb_service *service;
    nb_arena *arena; /* holds this struct and its names */
    nb_str user, id;
    nb_session *session;
    /* under service->lock */
    nb_served *next;
    int refs;
    int64_t last_used_ns;

    pthread_mutex_t lock; /* what follows */
    nb_operation *operations;
    int n_operations;
    nb_kept_error errors[NB_KEPT_ERRORS];
    int next_error;
    char finished[NB_KEPT_FINISHED]
                 [NB_UUID_CHARS + 1]; /* operations that are no more: not to be run a second time */
    int next_finished;
};

typedef enum nb_operation_state {
    NB_OPERATION_RUNNING,
    NB_OPERATION_SUCCEEDED,
    NB_OPERATION_FAILED,
    NB_OPERATION_CANCELLED
} nb_operation_state;

/* Rows that the execution has delivered. */
typedef struct nb_result_chunk {
    nb_chunk *chunk;
    size_t n_bytes;
    bool sent; /* all of it */
} nb_result_chunk;

/* Rows [from, from+n) of a chunk: one Arrow batch of the responses. */
typedef struct nb_result_slice {
    int64_t chunk;           /* its number */
    int n_parts;             /* messages it goes in; 0 = not sent yet */
    int64_t from, n, offset; /* offset: rows before it */
} nb_result_slice;

struct nb_operation {
    nb_served *served; /* referenced */
    nb_arena *arena;   /* holds this struct, its names and the plan */
    char id[NB_UUID_CHARS + 1];
    nb_str plan;
    nb_str *tags;
    int n_tags;
    bool reattachable;
    bool takes_whole; /* the client takes a short answer in one message; see NB_WHOLE_OPTION */
    int64_t
        chunk_bytes; /* Arrow batches larger than this go in several messages; 0 = they may not */
    nb_cancel_flag cancel;
    nb_progress *progress; /* how far it is; NULL: the session wants to hear nothing of it */
    int64_t report_ns;     /* how often it does */
    /* under served->lock */
    nb_operation *next;

    /* under service->lock */
    nb_operation *next_running;

    pthread_mutex_t lock; /* what follows */
    pthread_cond_t changed;
    int refs;
    nb_rpc_call *caller; /* that it was asked for by, while it runs: its first listener */
    bool
        attended; /* somebody listens for the caller: a thread of its own, or who has executed it … */
    bool attendance_over; /* … and that thread has ended the call */
    nb_operation_state state;
    int64_t started_ns, took_ns;
    bool told_end; /* that it has ended, as progress */
    bool interrupted;
    nb_result *result;
    nb_error err;
    nb_status status;
    char error_id[NB_UUID_CHARS + 1];
    int listener; /* number of the latest stream; older ones end */
    int n_listeners;
    int64_t detached_ns; /* since when nobody listens */
    /* Rows on their way (service_rows.c): chunks and slices are numbered; those before the first have been given up. Pool memory. */
    nb_table *schema; /* of no rows; NULL: not known yet */
    nb_result_chunk *chunks;
    int64_t first_chunk;
    int n_chunks, cap_chunks;
    nb_result_slice *slices;     /* made in order, as far as anybody has got */
    int64_t first_slice, n_sent; /* n_sent: number of the first that nobody has been sent */
    int n_slices, cap_slices;
    int64_t cut_chunk, cut_from, cut_offset; /* where the next slice begins */
    size_t unsent, kept; /* bytes of chunks that are still to be sent; that have been */
    int64_t batch_rows;
};

struct nb_service {
    nb_service_options options;
    nb_arena *arena; /* options */
    nb_pool *pool;   /* root of all sessions: the memory limit */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    nb_served *sessions;
    int n_sessions;        /* in the table */
    int n_alive;           /* not freed yet */
    nb_operation *running; /* executions */
    int n_running;
    char closed[NB_KEPT_FINISHED][NB_UUID_CHARS + 1]; /* ids of sessions that were released */
    int next_closed;
    bool stopping;
    bool has_janitor, has_usher;
    pthread_t janitor;
    pthread_t usher; /* service_operation.c; what follows is its */
    pthread_cond_t runs;
    bool looks; /* it looks every few milliseconds what runs */
};

/* ---- service.c ---- */

/* Fields of a message without unpacking it: the next one from *rest. value: the bytes of a length-delimited field, else empty with
 * *number_out's integer in *integer. False at the end; *bad when the bytes are no message. */
bool nb_wire_next(nb_str *rest, uint32_t *field, nb_str *value, uint64_t *integer, bool *bad);

/* Reads what all requests have; observed_field is the number of client_observed_server_side_session_id, which differs. */
nb_status
nb_request_head_read(nb_str request, uint32_t observed_field, nb_request_head *out, nb_error *err);
bool nb_is_uuid(nb_str s);
void nb_uuid_make(char out[NB_UUID_CHARS + 1]);

/* The session, made when it is not there and `create`; a reference for the caller. */
nb_status nb_served_open(nb_service *service, const nb_request_head *head, bool create,
                         nb_served **out, nb_error *err);
bool nb_served_exists(nb_service *service, const nb_request_head *head);
void nb_served_release(nb_served *s);
/* Takes it out of the table and cancels what runs in it. */
void nb_served_close(nb_service *service, nb_served *s, bool remember);
nb_str nb_served_server_id(const nb_served *s);

/* Ends the call with the error, which is kept for FetchErrorDetails when there is a session (NULL: none). err is cleared. */
nb_status nb_service_fail(nb_rpc_call *call, nb_served *s, nb_status st, nb_error *err);
/* Packs and sends a response. */
nb_status nb_service_reply(nb_rpc_call *call, nb_arena *arena, const ProtobufCMessage *response,
                           nb_error *err);

/* ---- service_operation.c ---- */

typedef struct nb_operation_request {
    nb_str id; /* empty: one is made */
    nb_str plan;
    nb_str *tags;
    int n_tags;
    bool reattachable, takes_whole;
    nb_str got; /* ids of operations of which the client has all, with commas */
    int64_t chunk_bytes;
} nb_operation_request;

/* An extension of the protocol that the client of this package asks for, by an option of ExecutePlan that is an Any of this type. An answer of one
 * short message then ends without result_complete: the id of its response ends with NB_WHOLE_MARK, and message and status leave as one. By that the
 * client knows the server, and names in the option of its next request (in its value, with commas) what it has got, instead of releasing it
 * by a call. To other servers the option means nothing. */
#define NB_WHOLE_OPTION "nbaspark/whole"
#define NB_WHOLE_MARK   ".whole"

/* Registers it; a reference for the caller. */
nb_status nb_operation_new(nb_served *s, const nb_operation_request *request, nb_operation **out,
                           nb_error *err);
/* Executes it on this thread, which has a deep stack, and sends `call` its responses; returns when both are done. */
nb_status nb_operation_run(nb_operation *op, nb_rpc_call *call, nb_error *err);
/* A thread begins to listen for the caller, unless somebody does. Under op->lock. */
void nb_operation_attend(nb_operation *op);
/* The thread that does so for all that run for a while. */
void *nb_operation_usher(void *service);
/* A reference for the caller; raises INVALID_HANDLE.* when there is none of this id. */
nb_status nb_operation_find(nb_served *s, nb_str id, nb_operation **out, nb_error *err);
void nb_operation_release(nb_operation *op);
void nb_operation_cancel(nb_operation *op);
/* Takes it out of the session's table (and cancels it). */
void nb_operation_remove(nb_operation *op);
/* The same for those of these ids, with commas, that are there. */
void nb_operations_remove(nb_served *s, nb_str ids);
/* Those of the session that match; NULL tag: all. ids go to the arena. */
nb_status nb_operations_interrupt(nb_served *s, nb_str tag, nb_str id, nb_arena *arena,
                                  ProtobufCBinaryData **ids, size_t *n);
void nb_operations_expire(nb_served *s, int64_t now_ns);

/* ---- service_rows.c ---- */

/* The delivery of an execution: takes the rows while there is room for them. */
nb_status
nb_rows_take(void *op, nb_chunk *chunk, const nb_type *schema, size_t n_bytes, nb_error *err);
/* Tells the schema of a result without rows. */
nb_status nb_rows_schema(nb_operation *op, const nb_type *schema);
/* Slice `number`, with a reference to its chunk for the caller (NULL: a result without rows). NB_DONE: there is none, now or at all. Raises when
 * it has been given up. Under op->lock, as the others. */
nb_status nb_rows_slice(nb_operation *op, int64_t number, nb_result_slice *out, nb_chunk **chunk,
                        nb_error *err);
/* The slice has been sent as n_parts messages of n_bytes in all. */
void nb_rows_sent(nb_operation *op, int64_t number);
void nb_rows_sized(nb_operation *op, int64_t number, int n_parts, size_t n_bytes);
/* Slices before `number` are not asked for any more. */
void nb_rows_forget(nb_operation *op, int64_t number);
void nb_rows_free(nb_operation *op);

/* ---- service_result.c ---- */

/* Sends all responses behind the one of this id (empty: all) to the end, as they come to be. `listener`: the stream's number, checked before
 * each message. whole: a short answer goes in one message. NB_DONE: the execution has failed. */
nb_status nb_result_stream(nb_operation *op, nb_rpc_call *call, nb_str after, int listener,
                           bool whole, nb_error *err);
/* The client has got everything up to the response of this id. */
void nb_result_release(nb_operation *op, nb_str response_id);

/* ---- what handlers begin and end with: service_requests.c ---- */

typedef struct nb_service_request {
    nb_rpc_call *call;
    nb_service *service;
    nb_arena *arena;
    nb_str bytes;
    nb_request_head head;
    nb_served *served;         /* the handler finds it; released at the end */
    ProtobufCMessage *message; /* NULL when the handler works on bytes */
} nb_service_request;

/* descriptor NULL: not unpacked. observed: field number of client_observed_server_side_session_id; 0 = the request has none. To be finished
 * whatever it returns. */
nb_status
nb_service_begin(nb_service_request *r, nb_rpc_call *call, void *service,
                 const ProtobufCMessageDescriptor *descriptor, uint32_t observed, nb_error *err);
/* A failure ends the call with its error. */
nb_status nb_service_finish(nb_service_request *r, nb_status st, nb_error *err);

/* Sends what the operation has behind a response (empty: all) as it comes to be, until its end or a newer listener. is_first: this is who has
 * asked for the operation, so any other is newer. service_execute.c */
nb_status nb_operation_listen(nb_operation *op, nb_rpc_call *call, nb_str last_response,
                              bool is_first, nb_error *err);

/* ---- handlers: service_execute.c, service_requests.c, service_artifacts.c ---- */

nb_status nb_handle_execute(nb_rpc_call *call, void *service, nb_error *err);
nb_status nb_handle_reattach(nb_rpc_call *call, void *service, nb_error *err);
nb_status nb_handle_release_execute(nb_rpc_call *call, void *service, nb_error *err);
nb_status nb_handle_analyze(nb_rpc_call *call, void *service, nb_error *err);
nb_status nb_handle_config(nb_rpc_call *call, void *service, nb_error *err);
nb_status nb_handle_interrupt(nb_rpc_call *call, void *service, nb_error *err);
nb_status nb_handle_release_session(nb_rpc_call *call, void *service, nb_error *err);
nb_status nb_handle_error_details(nb_rpc_call *call, void *service, nb_error *err);
nb_status nb_handle_clone_session(nb_rpc_call *call, void *service, nb_error *err);
nb_status nb_handle_status(nb_rpc_call *call, void *service, nb_error *err);
nb_status nb_handle_add_artifacts(nb_rpc_call *call, void *service, nb_error *err);
nb_status nb_handle_artifact_status(nb_rpc_call *call, void *service, nb_error *err);

#endif
