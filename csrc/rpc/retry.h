/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry.h: which failures are worth another try, and after how long a pause.
 *
 * The rules are those of Spark Connect's clients: a server that cannot be reached, one that asks for a pause (google.rpc.RetryInfo), and
 * a stream that another one has taken over. Pauses grow by a factor up to a limit, with some chance added so that many clients do
 * not come back at the same moment.
 */
#ifndef NB_RPC_RETRY_H
#define NB_RPC_RETRY_H

#include "rpc/call.h"

typedef struct nb_rpc_retry_policy {
    int max_tries; /* after the first */
    double multiplier;
    int first_ms, longest_ms;
    int jitter_ms, jitter_from_ms; /* at most so much is added to pauses of at least so long */
} nb_rpc_retry_policy;

/* What PySpark's client does: at least ten minutes in all. */
#define NB_RPC_RETRY_DEFAULT ((nb_rpc_retry_policy){15, 4.0, 50, 60000, 500, 2000})

/* Whether a call that ended so may be made again. */
bool nb_rpc_retry_allowed(const nb_rpc_status *status);

/* The pause in ms before the try number `tries` (the first repetition is 1); -1 = give up. */
int64_t
nb_rpc_retry_pause(const nb_rpc_retry_policy *policy, int tries, const nb_rpc_status *status);

/* nb_rpc_unary, repeated as the policy says. The cancel flag and `stop` also end a pause. */
nb_status
nb_rpc_unary_retried(nb_rpc_channel *channel, const char *method, const nb_rpc_piece *request,
                     const nb_rpc_options *options, const nb_rpc_retry_policy *policy,
                     nb_rpc_message **answer, nb_rpc_status *status, nb_error *err);

#endif
