/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_internal.h: what server.c (life of a server, completion queue), server_call.c (one call) and worker_pool.c (threads of handlers) share.
 *
 * A call's life. It holds one reference for itself and one for each batch that gRPC has (a "tag" per kind of batch, embedded):
 *
 *     posted ──NEW──► waiting ──RECEIVED──► queued ──a thread──► in its handler ──returned──► ending ──STATUS──► gone
 *                        │ no message, too slow, refused by the gate ────────────────────────────▲
 *
 * The CLOSED tag says that the client knows the end, or has gone. Each event is handled on a poller's thread under call->lock;
 * server->lock guards lists and queues. Order: server->lock, then call->lock.
 */
#ifndef NB_RPC_SERVER_INTERNAL_H
#define NB_RPC_SERVER_INTERNAL_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>
#include "base/pool.h"
#include "rpc/server.h"

typedef enum nb_rpc_event {
    EVENT_NEW,
    EVENT_RECEIVED,
    EVENT_SENT,
    EVENT_STATUS,
    EVENT_CLOSED
} nb_rpc_event;

typedef struct nb_rpc_tag {
    nb_rpc_call *call; /* NULL: the server's own (shutdown) */
    nb_rpc_event event;
} nb_rpc_tag;

struct nb_rpc_call {
    nb_rpc_server *server;
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array headers;
    char *peer; /* gpr memory */
    const nb_rpc_method *method;
    nb_rpc_tag tags[EVENT_CLOSED + 1];
    int was_cancelled;          /* written by gRPC before CLOSED */
    grpc_byte_buffer *received; /* written by gRPC before RECEIVED */
    grpc_byte_buffer *sending;
    grpc_slice request; /* the message the handler looks at */
    bool has_request;
    nb_cancel_flag cancel;
    nb_rpc_status status; /* by nb_rpc_call_set_status */
    grpc_slice status_text;
    grpc_metadata trailer;

    pthread_mutex_t lock; /* what follows */
    pthread_cond_t changed;
    int refs;
    bool receiving, is_sending, headers_sent;
    bool send_failed, ended;
    bool waking; /* wake runs */
    void (*wake)(void *payload);
    void *wake_payload;

    /* under server->lock */
    nb_rpc_call *prev, *next; /* all open calls */
    nb_rpc_call *next_queued;
    bool is_waiting; /* for its request, until deadline_ns */
    int64_t deadline_ns;
};

typedef struct nb_rpc_queue {
    nb_rpc_call *head, **tail;
} nb_rpc_queue;

#define NB_RPC_POLLERS 2 /* one, and one that helps when that is busy all the time */

/* To serve the completion queue. */
typedef struct nb_rpc_role {
    struct nb_rpc_poller *poller; /* the thread that has it; NULL: none */
    int64_t handles_since_ns;     /* that runs a handler; 0: it polls */
    int64_t
        look_at_ns; /* when a call that waits for its request is to be looked at; for who has the role only */
} nb_rpc_role;

/* A thread that runs a handler: lives on its stack. */
typedef struct nb_rpc_busy {
    struct nb_rpc_busy *next;
    int64_t since_ns;
    bool is_short; /* so far: counted in n_short */
} nb_rpc_busy;

#define NB_RPC_RESET_SLOTS 64

/* Calls that one connection has reset lately. */
typedef struct nb_rpc_resets {
    uint64_t peer; /* hash of its name */
    int64_t since_ns;
    int n;
} nb_rpc_resets;

struct nb_rpc_server {
    nb_rpc_server_options options;
    nb_rpc_method *methods;
    int n_methods;
    nb_pool *pool;
    grpc_server *server;
    grpc_completion_queue *cq;
    bool started, stopped, ended; /* ended: no handler runs, no thread is left */
    nb_rpc_tag shutdown_tag;

    pthread_mutex_t lock;
    pthread_cond_t work;    /* for threads of the pool */
    pthread_cond_t changed; /* n_calls, n_threads, shut_down */
    nb_rpc_call *calls;
    int n_calls;
    atomic_long n_posts;   /* makes what one poller wrote of a call visible to the next */
    nb_rpc_queue ready[2]; /* short and long calls whose request is there */
    int n_threads, n_idle, n_long, n_queued; /* n_threads: all of the pool */
    pthread_cond_t waits; /* for the thread that looks after calls that may not run yet */
    bool looks, has_looker;
    pthread_t looker;
    /* poller.c */
    nb_rpc_role roles[NB_RPC_POLLERS];
    pthread_cond_t role;    /* for pollers that wait for one */
    int n_pollers, n_spare; /* threads; those that wait for a role */
    int64_t handled_ns;     /* when one last began to run a handler */
    bool helped;            /* the second role is to be had */
    int n_calm;             /* looks at the first in a row that found it asleep */
    bool over;              /* the queue is shut down */
    nb_rpc_busy *busy;
    int n_short, max_short; /* handlers that may turn out to be short; at once */
    bool stopping, shut_down;
    nb_rpc_resets resets[NB_RPC_RESET_SLOTS];
};

/* server_call.c */
nb_status nb_rpc_call_post(nb_rpc_server *server); /* asks gRPC for one more call */
void nb_rpc_call_begin(nb_rpc_call *call);         /* NEW */
void nb_rpc_call_event(nb_rpc_call *call, nb_rpc_event event, bool ok);
void nb_rpc_call_run(nb_rpc_call *call);     /* on a thread of the pool */
void nb_rpc_call_expire(nb_rpc_call *call);  /* its request took too long; under server->lock */
void nb_rpc_call_unref(nb_rpc_call *call);   /* no lock is held */
void nb_rpc_call_discard(nb_rpc_call *call); /* posted, and the server goes down */

/* poller.c */
bool nb_rpc_poller_start(nb_rpc_server *server); /* false: no thread can be had */
void nb_rpc_pollers_join(nb_rpc_server *server); /* after the queue was shut down */
/* A call's request is there: true when this thread polls and shall run the handler itself, with nb_rpc_poller_run. */
bool nb_rpc_poller_takes(nb_rpc_server *server, nb_rpc_call *call);
void nb_rpc_poller_run(nb_rpc_server *server, nb_rpc_call *call);
/* This thread is going to wait; if it polls, another one does so meanwhile. */
void nb_rpc_poller_waits(nb_rpc_server *server);
/* Under server->lock, every few milliseconds: another thread takes the place of a poller whose handler takes long, or helps one that is busy. Whether
 * it is to be called again soon. */
bool nb_rpc_poller_look(nb_rpc_server *server);

/* reset_guard.c: a call was cancelled by its client */
void nb_rpc_count_reset(nb_rpc_server *server, const char *peer);

/* worker_pool.c */
/* That many long handlers run at once; under server->lock. */
bool nb_rpc_pool_is_full(const nb_rpc_server *server);
/* Somebody is to be looked after soon; under server->lock. */
void nb_rpc_pool_watch(nb_rpc_server *server);
bool nb_rpc_pool_start(nb_rpc_server *server); /* false: no thread can be had */
/* The call is queued and a thread will run it. */
void nb_rpc_pool_submit(nb_rpc_server *server, nb_rpc_call *call);
void nb_rpc_pool_join(nb_rpc_server *server); /* after stopping is set */

#endif
