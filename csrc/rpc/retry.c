/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry.c: see retry.h.
 */
#include "rpc/retry.h"

#include <time.h>
#include "base/arena.h"
#include "base/clock.h"
#include "base/random.h"
#include "google/rpc/status.pb-c.h"
#include "plan/message_unpack.h"

#define LONGEST_ASKED_MS (10 * 60 * 1000)

/* What a pause of google.rpc.RetryInfo comes to in ms; -1 when the details have none. */
static int64_t
asked_pause(const nb_rpc_status *status)
{
    nb_arena *arena = status->details.len > 0 ? nb_arena_new(NULL) : NULL;
    ProtobufCMessage *m;
    int64_t ms = -1;

    if (arena != NULL &&
        nb_message_unpack(arena, &google__rpc__status__descriptor, status->details.data,
                          status->details.len, &m, NULL) == NB_OK) {
        const Google__Rpc__Status *s = (const Google__Rpc__Status *)m;
        for (size_t i = 0; i < s->n_details && ms < 0; i++) {
            nb_str url = {(const char *)s->details[i]->type_url.data, s->details[i]->type_url.len};
            ProtobufCBinaryData value = s->details[i]->value;
            if (nb_str_ends_with(url, NB_STR("/google.rpc.RetryInfo")) &&
                nb_message_unpack(arena, &google__rpc__retry_info__descriptor, value.data,
                                  value.len, &m, NULL) == NB_OK) {
                const Google__Rpc__RetryInfo *info = (const Google__Rpc__RetryInfo *)m;
                int64_t seconds = info->retry_delay ? info->retry_delay->seconds : 0;
                int64_t nanos = info->retry_delay ? info->retry_delay->nanos : 0;
                seconds = NB_MAX(0, NB_MIN(seconds, LONGEST_ASKED_MS / 1000));
                ms = NB_MAX(0, NB_MIN(seconds * 1000 + nanos / 1000000, LONGEST_ASKED_MS));
            }
        }
    }
    nb_arena_free(arena);
    return ms;
}

static bool
contains(const nb_strbuf *text, const char *word)
{
    return text->data != NULL && strstr(text->data, word) != NULL;
}

bool
nb_rpc_retry_allowed(const nb_rpc_status *status)
{
    return status->code == NB_RPC_UNAVAILABLE ||
           (status->code == NB_RPC_INTERNAL &&
            contains(&status->message, "INVALID_CURSOR.DISCONNECTED")) ||
           (status->code != NB_RPC_OK && asked_pause(status) >= 0);
}

int64_t
nb_rpc_retry_pause(const nb_rpc_retry_policy *policy, int tries, const nb_rpc_status *status)
{
    double pause = policy->first_ms;
    int64_t asked;

    if (tries > policy->max_tries || !nb_rpc_retry_allowed(status)) {
        return -1;
    }
    for (int i = 1; i < tries && pause < policy->longest_ms; i++) {
        pause *= policy->multiplier;
    }
    pause = NB_MIN(pause, policy->longest_ms);
    asked = asked_pause(status);
    pause = NB_MAX(pause, (double)asked);
    if (pause >= policy->jitter_from_ms) {
        nb_random r = {nb_random_seed()};
        pause += nb_random_double(&r) * policy->jitter_ms;
    }
    return (int64_t)pause;
}

/* Whether nobody asked to stop meanwhile. */
static bool
sleep_ms(int64_t ms, const nb_rpc_options *o)
{
    int64_t until = nb_clock_mono_ns() + ms * 1000000, left;

    while ((left = until - nb_clock_mono_ns()) > 0) {
        int64_t step = NB_MIN(left, NB_RPC_POLL_MS * 1000000LL);
        nanosleep(&(struct timespec){.tv_nsec = (long)step}, NULL);
        if (o != NULL && ((o->cancel != NULL && atomic_load(&o->cancel->requested)) ||
                          (o->stop != NULL && o->stop(o->payload)))) {
            return false;
        }
    }
    return true;
}

nb_status
nb_rpc_unary_retried(nb_rpc_channel *channel, const char *method, const nb_rpc_piece *request,
                     const nb_rpc_options *options, const nb_rpc_retry_policy *policy,
                     nb_rpc_message **answer, nb_rpc_status *status, nb_error *err)
{
    nb_rpc_piece again = NB_RPC_PIECE(request->bytes); /* copied at each try, released at the end */
    nb_rpc_status own = NB_RPC_STATUS_INIT;
    nb_status st;

    status = status != NULL ? status : &own;
    for (int tries = 1;; tries++) {
        int64_t pause;
        st = nb_rpc_unary(channel, method, &again, options, answer, status, err);
        if (st != NB_ERROR || (pause = nb_rpc_retry_pause(policy, tries, status)) < 0) {
            break;
        }
        nb_rpc_status_clear(status);
        nb_error_clear(err);
        if (!sleep_ms(pause, options)) {
            st = NB_CANCELLED;
            break;
        }
    }
    if (request->release != NULL) {
        request->release(request->payload);
    }
    nb_rpc_status_clear(&own);
    return st;
}
