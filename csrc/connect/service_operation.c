/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_operation.c: executions: run, found again, interrupted, given up.
 *
 * An execution runs on the thread of the call that asks for it, because most are over before another thread would have begun. It may
 * outlive its client: one whose connection breaks comes back (ReattachExecute) and finds it running or done. One that does not come back in
 * time is cancelled and removed by the janitor. The ids of what was removed are remembered: asking for one says so, instead of letting the
 * client run it a second time.
 *
 *     nb_operation_run: execute ──────────────────────────────► send all that there is, unless
 *                          └ it takes ATTEND_MS (the usher) or has many rows ─► a thread listens for the caller meanwhile
 */
#include <stdio.h>
#include <time.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "connect/requests.h"
#include "connect/service_internal.h"

void
nb_operation_release(nb_operation *op)
{
    nb_served *s = op->served;
    bool last;

    pthread_mutex_lock(&op->lock);
    last = --op->refs == 0;
    pthread_mutex_unlock(&op->lock);
    if (!last) {
        return;
    }
    nb_rows_free(op);
    nb_progress_free(op->progress);
    nb_result_free(op->result);
    nb_error_clear(&op->err);
    pthread_mutex_destroy(&op->lock);
    pthread_cond_destroy(&op->changed);
    nb_arena_free(op->arena);
    nb_served_release(s);
}

void
nb_operation_cancel(nb_operation *op)
{
    pthread_mutex_lock(&op->lock);
    op->interrupted = true;
    atomic_store(&op->cancel.requested, 1);
    pthread_cond_broadcast(&op->changed); /* it may wait for room */
    pthread_mutex_unlock(&op->lock);
}

void
nb_operation_remove(nb_operation *op)
{
    nb_served *s = op->served;
    bool found = false;

    pthread_mutex_lock(&s->lock);
    for (nb_operation **at = &s->operations; *at; at = &(*at)->next) {
        if (*at == op) {
            *at = op->next;
            s->n_operations--;
            memcpy(s->finished[s->next_finished], op->id, sizeof op->id);
            s->next_finished = (s->next_finished + 1) % NB_KEPT_FINISHED;
            found = true;
            break;
        }
    }
    pthread_mutex_unlock(&s->lock);
    if (found) {
        nb_operation_cancel(op);
        pthread_mutex_lock(&op->lock);
        op->listener++; /* streams end */
        pthread_cond_broadcast(&op->changed);
        pthread_mutex_unlock(&op->lock);
        nb_operation_release(op);
    }
}

/* ---- execution ---- */

static void
execute(void *payload)
{
    nb_operation *op = payload;
    nb_delivery delivery = {.take = nb_rows_take, .payload = op, .progress = op->progress};
    nb_result *result = NULL;
    nb_error err = NB_ERROR_INIT;
    nb_status st;

    st = nb_session_execute(op->served->session, op->plan, &op->cancel, &delivery, &result, &err);
    pthread_mutex_lock(&op->lock);
    if (st >= 0 && result->table) {
        st = nb_rows_schema(op, result->table->schema);
    }
    op->took_ns = nb_clock_mono_ns() - op->started_ns;
    op->status = st;
    op->result = result;
    if (st < 0) {
        nb_status_explain(st, &err);
        nb_error_move(&err, &op->err);
    }
    op->state = st >= 0              ? NB_OPERATION_SUCCEEDED
                : st == NB_CANCELLED ? NB_OPERATION_CANCELLED
                                     : NB_OPERATION_FAILED;
    pthread_cond_broadcast(&op->changed);
    pthread_mutex_unlock(&op->lock);
}

/* ---- who listens ----------------------------------------------------------------------------- */

#define ATTEND_MS 10  /* an execution's rows and progress wait for no longer */
#define LOOK_MS   20  /* so often the usher looks for those that do … */
#define QUIET_MS  500 /* … until there has been none for so long */

static void
attend(void *payload)
{
    nb_operation *op = payload;
    nb_error err = NB_ERROR_INIT;
    nb_status st = nb_operation_listen(op, op->caller, NB_STR(""), true, &err);

    if (st < 0 && !op->reattachable) {
        nb_operation_cancel(op); /* nobody will ask for it any more */
    }
    if (st < 0 && st != NB_CANCELLED) {
        st = nb_service_fail(op->caller, op->served, st, &err);
    }
    nb_rpc_call_end(op->caller, st, &err);
    pthread_mutex_lock(&op->lock);
    op->attendance_over = true;
    pthread_cond_broadcast(&op->changed);
    pthread_mutex_unlock(&op->lock);
    nb_operation_release(op);
}

void
nb_operation_attend(nb_operation *op)
{
    if (!op->attended && op->caller) {
        op->refs++;
        op->attended = nb_threads_start(attend, op);
        op->refs -= !op->attended;
    }
}

/* Under service->lock. */
static void
attend_late(nb_service *service)
{
    int64_t before = nb_clock_mono_ns() - (int64_t)ATTEND_MS * 1000000;

    for (nb_operation *op = service->running; op; op = op->next_running) {
        if (op->started_ns < before) {
            pthread_mutex_lock(&op->lock);
            nb_operation_attend(op);
            pthread_mutex_unlock(&op->lock);
        }
    }
}

void *
nb_operation_usher(void *arg)
{
    nb_service *service = arg;
    int64_t quiet_since = nb_clock_mono_ns();

    pthread_mutex_lock(&service->lock);
    while (!service->stopping) {
        int64_t now = nb_clock_mono_ns();
        struct timespec until;

        if (service->running) {
            quiet_since = now;
        }
        service->looks = now - quiet_since < (int64_t)QUIET_MS * 1000000;
        if (!service->looks) {
            pthread_cond_wait(&service->runs, &service->lock);
            continue;
        }
        now += (int64_t)LOOK_MS * 1000000;
        until = (struct timespec){now / 1000000000, now % 1000000000};
        pthread_cond_timedwait(&service->runs, &service->lock, &until);
        attend_late(service);
    }
    pthread_mutex_unlock(&service->lock);
    return NULL;
}

nb_status
nb_operation_run(nb_operation *op, nb_rpc_call *call, nb_error *err)
{
    nb_service *service = op->served->service;
    bool attended;

    pthread_mutex_lock(&op->lock);
    op->caller = call;
    pthread_mutex_unlock(&op->lock);
    execute(op);
    pthread_mutex_lock(&service->lock);
    for (nb_operation **at = &service->running; *at; at = &(*at)->next_running) {
        if (*at == op) {
            *at = op->next_running;
            break;
        }
    }
    service->n_running--;
    if (service->stopping) { /* who frees the service waits for it; nobody else does */
        pthread_cond_broadcast(&service->changed);
    }
    pthread_mutex_unlock(&service->lock);
    pthread_mutex_lock(&op->lock);
    attended = op->attended;
    op->attended = true;
    while (attended && !op->attendance_over) {
        pthread_cond_wait(&op->changed, &op->lock);
    }
    op->caller = NULL;
    pthread_mutex_unlock(&op->lock);
    return attended ? NB_OK : nb_operation_listen(op, call, NB_STR(""), true, err);
}

static nb_status
make(nb_served *s, const nb_operation_request *request, nb_operation **out)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_operation *op = arena ? NB_ARENA_NEW(arena, nb_operation) : NULL;
    pthread_condattr_t attr;

    if (!op) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    op->served = s;
    op->arena = arena;
    if (request->id.len) {
        memcpy(op->id, request->id.data, NB_UUID_CHARS);
    } else {
        nb_uuid_make(op->id);
    }
    op->plan = nb_arena_str(arena, request->plan);
    op->tags = NB_ARENA_ARRAY(arena, nb_str, request->n_tags + 1);
    for (int i = 0; op->tags && i < request->n_tags; i++) {
        op->tags[i] = nb_arena_str(arena, request->tags[i]);
        op->n_tags += op->tags[i].data != NULL;
    }
    op->report_ns =
        nb_session_limit_ms(s->session, "spark.connect.progress.reportInterval", 2000) * 1000000;
    op->progress = op->report_ns > 0 ? nb_progress_new() : NULL;
    if (!op->plan.data || !op->tags || op->n_tags != request->n_tags ||
        (!op->progress && op->report_ns > 0)) {
        nb_progress_free(op->progress);
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    op->reattachable = request->reattachable;
    op->takes_whole = request->takes_whole;
    op->chunk_bytes = request->chunk_bytes;
    pthread_mutex_init(&op->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&op->changed, &attr);
    pthread_condattr_destroy(&attr);
    op->refs = 2; /* table, caller */
    op->started_ns = op->detached_ns = nb_clock_mono_ns();
    *out = op;
    return NB_OK;
}

/* Under the session's lock. */
static nb_operation *
find(nb_served *s, nb_str id)
{
    for (nb_operation *op = s->operations; op; op = op->next) {
        if (nb_str_equal(nb_str_of(op->id), id)) {
            return op;
        }
    }
    return NULL;
}

static bool
was_finished(nb_served *s, nb_str id)
{
    for (int i = 0; i < NB_KEPT_FINISHED; i++) {
        if (nb_str_equal(nb_str_of(s->finished[i]), id)) {
            return true;
        }
    }
    return false;
}

nb_status
nb_operation_new(nb_served *s, const nb_operation_request *request, nb_operation **out,
                 nb_error *err)
{
    nb_service *service = s->service;
    nb_operation *op;
    bool exists, full, abandoned, ok;

    NB_TRY(make(s, request, &op));
    pthread_mutex_lock(&s->lock);
    exists = find(s, nb_str_of(op->id)) != NULL;
    abandoned = was_finished(s, nb_str_of(op->id));
    full = s->n_operations >= service->options.max_operations;
    ok = !exists && !abandoned && !full;
    if (ok) {
        op->next = s->operations;
        s->operations = op;
        s->n_operations++;
    }
    pthread_mutex_unlock(&s->lock);
    pthread_mutex_lock(&service->lock);
    s->refs++; /* the operation's */
    if (ok) {
        service->n_running++;
        op->next_running = service->running;
        service->running = op;
        if (!service->looks) {
            service->looks = true;
            pthread_cond_signal(&service->runs);
        }
    }
    pthread_mutex_unlock(&service->lock);
    if (ok) {
        *out = op;
        return NB_OK;
    }
    if (exists) {
        nb_raise(err, NB_COND_INVALID_HANDLE_OPERATION_ALREADY_EXISTS, "handle", op->id, NULL);
    } else if (abandoned) {
        nb_raise(err, NB_COND_INVALID_HANDLE_OPERATION_ABANDONED, "handle", op->id, NULL);
    } else {
        nb_raise(err, NB_COND_RESOURCE_EXHAUSTED, "what", "operations of a session", NULL);
    }
    op->refs = 1;
    nb_operation_release(op);
    return NB_ERROR;
}

nb_status
nb_operation_find(nb_served *s, nb_str id, nb_operation **out, nb_error *err)
{
    nb_operation *op;
    bool abandoned;
    char text[NB_UUID_CHARS + 1];

    if (!nb_is_uuid(id)) {
        return nb_raise(err, NB_COND_INVALID_HANDLE_FORMAT, "handle", "", NULL);
    }
    pthread_mutex_lock(&s->lock);
    op = find(s, id);
    abandoned = !op && was_finished(s, id);
    if (op) {
        pthread_mutex_lock(&op->lock);
        op->refs++;
        pthread_mutex_unlock(&op->lock);
    }
    pthread_mutex_unlock(&s->lock);
    if (op) {
        *out = op;
        return NB_OK;
    }
    snprintf(text, sizeof text, "%.*s", (int)id.len, id.data);
    return nb_raise(err,
                    abandoned ? NB_COND_INVALID_HANDLE_OPERATION_ABANDONED
                              : NB_COND_INVALID_HANDLE_OPERATION_NOT_FOUND,
                    "handle", text, NULL);
}

/* ---- the end ---- */

void
nb_operations_remove(nb_served *s, nb_str ids)
{
    while (ids.len >= NB_UUID_CHARS) {
        nb_operation *op;

        pthread_mutex_lock(&s->lock);
        op = find(s, (nb_str){ids.data, NB_UUID_CHARS});
        if (op) {
            pthread_mutex_lock(&op->lock);
            op->refs++;
            pthread_mutex_unlock(&op->lock);
        }
        pthread_mutex_unlock(&s->lock);
        if (op) {
            nb_operation_remove(op);
            nb_operation_release(op);
        }
        ids.data += NB_MIN(ids.len, NB_UUID_CHARS + 1);
        ids.len -= NB_MIN(ids.len, NB_UUID_CHARS + 1);
    }
}

nb_status
nb_operations_interrupt(nb_served *s, nb_str tag, nb_str id, nb_arena *arena,
                        ProtobufCBinaryData **ids, size_t *n)
{
    nb_status st = NB_OK;

    pthread_mutex_lock(&s->lock);
    *ids = NB_ARENA_ARRAY(arena, ProtobufCBinaryData, s->n_operations + 1);
    st = *ids ? NB_OK : NB_NOMEM;
    for (nb_operation *op = st >= 0 ? s->operations : NULL; op; op = op->next) {
        bool matches = !tag.data && !id.data;
        bool running;
        for (int i = 0; i < op->n_tags && tag.data && !matches; i++) {
            matches = nb_str_equal(op->tags[i], tag);
        }
        matches = matches || (id.data && nb_str_equal(nb_str_of(op->id), id));
        if (!matches) {
            continue;
        }
        pthread_mutex_lock(&op->lock);
        running = op->state == NB_OPERATION_RUNNING;
        pthread_mutex_unlock(&op->lock);
        if (running) {
            nb_operation_cancel(op);
            (*ids)[(*n)++] = nb_pb_bytes(nb_arena_str(arena, nb_str_of(op->id)));
        }
    }
    pthread_mutex_unlock(&s->lock);
    return st;
}

void
nb_operations_expire(nb_served *s, int64_t now_ns)
{
    for (;;) {
        nb_operation *op;

        pthread_mutex_lock(&s->lock);
        for (op = s->operations; op; op = op->next) {
            bool expired;
            pthread_mutex_lock(&op->lock);
            expired = op->n_listeners == 0 &&
                      now_ns - op->detached_ns > (int64_t)s->service->options.detached_ms * 1000000;
            op->refs += expired;
            pthread_mutex_unlock(&op->lock);
            if (expired) {
                break;
            }
        }
        pthread_mutex_unlock(&s->lock);
        if (!op) {
            return;
        }
        nb_log(NB_LOG_INFO, "connect", "operation %s has no listener and is given up", op->id);
        nb_operation_remove(op);
        nb_operation_release(op);
    }
}
