/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.c: sessions of the service, and what all handlers need.
 *
 * A janitor looks every few seconds for sessions that nobody uses and operations that nobody listens to. Ids of released sessions are
 * remembered for a while, so that a late call is told that its session was closed instead of silently getting a new, empty one.
 */
#include "connect/service.h"

#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "connect/service_internal.h"

#define JANITOR_SECONDS 5

/* ---- ids and fields ---- */

bool
nb_is_uuid(nb_str s)
{
    if (s.len != NB_UUID_CHARS) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s.data[i] != '-' : nb_hex_digit(s.data[i]) < 0) {
            return false;
        }
    }
    return true;
}

void
nb_uuid_make(char out[NB_UUID_CHARS + 1])
{
    unsigned char b[16];

    if (getrandom(b, sizeof b, 0) !=
        sizeof b) { /* cannot fail for so few bytes once the system runs */
        int64_t now = nb_clock_mono_ns();
        memset(b, 0, sizeof b);
        memcpy(b, &now, sizeof now);
    }
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, NB_UUID_CHARS + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

static bool
read_varint(nb_str *rest, uint64_t *out)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 64 && rest->len > 0; shift += 7) {
        unsigned char c = (unsigned char)*rest->data;
        rest->data++;
        rest->len--;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            *out = v;
            return true;
        }
    }
    return false;
}

bool
nb_wire_next(nb_str *rest, uint32_t *field, nb_str *value, uint64_t *integer, bool *bad)
{
    uint64_t key, n;

    if (rest->len == 0) {
        return false;
    }
    *value = (nb_str){NULL, 0};
    *integer = 0;
    *bad = true;
    if (!read_varint(rest, &key) || key >> 3 == 0 || key >> 3 > 0x1fffffff) {
        return false;
    }
    *field = (uint32_t)(key >> 3);
    switch (key & 7) {
    case 0:
        if (!read_varint(rest, integer)) {
            return false;
        }
        break;
    case 1:
    case 5:
        n = (key & 7) == 1 ? 8 : 4;
        if (rest->len < n) {
            return false;
        }
        rest->data += n;
        rest->len -= n;
        break;
    case 2:
        if (!read_varint(rest, &n) || n > rest->len) {
            return false;
        }
        *value = (nb_str){rest->data, n};
        rest->data += n;
        rest->len -= n;
        break;
    default: return false;
    }
    *bad = false;
    return true;
}

static nb_status
not_a_message(nb_error *err)
{
    return nb_raise(err, NB_COND_INVALID_PLAN, "message", "the request is not a message", NULL);
}

nb_status
nb_request_head_read(nb_str request, uint32_t observed_field, nb_request_head *out, nb_error *err)
{
    nb_str value, user = {NULL, 0};
    uint64_t integer;
    uint32_t field;
    bool bad = false;

    *out = (nb_request_head){NB_STR(""), NB_STR(""), NB_STR("")};
    while (nb_wire_next(&request, &field, &value, &integer, &bad)) {
        if (field == 1 && value.data) {
            out->session = value;
        } else if (field == 2 && value.data) {
            user = value;
        } else if (field == observed_field && value.data) {
            out->observed = value;
        }
    }
    while (!bad && nb_wire_next(&user, &field, &value, &integer, &bad)) {
        if (field == 1 && value.data) {
            out->user = value;
        }
    }
    if (bad || !nb_utf8_validate(out->user.data, out->user.len)) {
        return not_a_message(err);
    }
    if (!nb_is_uuid(out->session)) {
        char quoted[128];
        int n = (int)NB_MIN(nb_utf8_valid_prefix(out->session.data, out->session.len), (size_t)64);
        snprintf(quoted, sizeof quoted, "%.*s", n, out->session.data);
        return nb_raise(err, NB_COND_INVALID_HANDLE_FORMAT, "handle", quoted, NULL);
    }
    return NB_OK;
}

/* ---- sessions ---- */

static void
served_free(nb_served *s)
{
    nb_service *service = s->service;

    nb_session_free(s->session);
    for (int i = 0; i < NB_KEPT_ERRORS; i++) {
        nb_error_clear(&s->errors[i].err);
    }
    pthread_mutex_destroy(&s->lock);
    nb_arena_free(s->arena);
    pthread_mutex_lock(&service->lock);
    service->n_alive--;
    pthread_cond_broadcast(&service->changed);
    pthread_mutex_unlock(&service->lock);
}

void
nb_served_release(nb_served *s)
{
    bool last;

    if (!s) {
        return;
    }
    pthread_mutex_lock(&s->service->lock);
    last = --s->refs == 0;
    pthread_mutex_unlock(&s->service->lock);
    if (last) {
        served_free(s);
    }
}

/* Under the service's lock. */
static nb_served *
find_session(nb_service *service, nb_str user, nb_str id)
{
    for (nb_served *s = service->sessions; s; s = s->next) {
        if (nb_str_equal(s->id, id) && nb_str_equal(s->user, user)) {
            return s;
        }
    }
    return NULL;
}

bool
nb_served_exists(nb_service *service, const nb_request_head *head)
{
    bool exists;

    pthread_mutex_lock(&service->lock);
    exists = find_session(service, head->user, head->session) != NULL;
    pthread_mutex_unlock(&service->lock);
    return exists;
}

static bool
was_closed(nb_service *service, nb_str id)
{
    for (int i = 0; i < NB_KEPT_FINISHED; i++) {
        if (nb_str_equal(nb_str_of(service->closed[i]), id)) {
            return true;
        }
    }
    return false;
}

static nb_status
make_session(nb_service *service, const nb_request_head *head, nb_served **out, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_served *s = arena ? NB_ARENA_NEW(arena, nb_served) : NULL;
    nb_status st = NB_NOMEM;

    if (!s) {
        goto fail;
    }
    s->service = service;
    s->arena = arena;
    s->user = nb_arena_str(arena, head->user);
    s->id = nb_arena_str(arena, head->session);
    if (!s->user.data || !s->id.data) {
        goto fail;
    }
    NB_TRY_GOTO(st,
                nb_session_new_in(service->pool, service->options.conf, service->options.n_conf,
                                  &s->session, err),
                fail);
    nb_session_set_runner(s->session, &service->options.runner);
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return NB_OK;
fail:
    nb_arena_free(arena);
    return st;
}

nb_status
nb_served_open(nb_service *service, const nb_request_head *head, bool create, nb_served **out,
               nb_error *err)
{
    nb_served *s, *made = NULL;
    nb_status st = NB_OK;
    bool full = false, closed;
    char id[NB_UUID_CHARS + 1];

    for (;;) {
        pthread_mutex_lock(&service->lock);
        s = find_session(service, head->user, head->session);
        closed = !s && was_closed(service, head->session);
        if (!s && !closed && made && service->n_sessions < service->options.max_sessions) {
            s = made;
            made = NULL;
            s->refs = 1; /* the table's */
            s->next = service->sessions;
            service->sessions = s;
            service->n_sessions++;
            service->n_alive++;
            pthread_cond_broadcast(&service->changed); /* the janitor has something to look after */
        } else {
            full = made != NULL;
        }
        if (s) {
            s->refs++;
            s->last_used_ns = nb_clock_mono_ns();
        }
        pthread_mutex_unlock(&service->lock);
        if (s || made || closed || !create) {
            break;
        }
        NB_TRY(
            make_session(service, head, &made, err)); /* without the lock; another may be faster */
    }
    if (made) {
        pthread_mutex_lock(&service->lock);
        service->n_alive++; /* as if it had been in the table */
        pthread_mutex_unlock(&service->lock);
        served_free(made);
    }
    snprintf(id, sizeof id, "%.*s", (int)head->session.len, head->session.data);
    if (!s) {
        return full ? nb_raise(err, NB_COND_RESOURCE_EXHAUSTED, "what", "sessions", NULL)
               : closed
                   ? nb_raise(err, NB_COND_INVALID_HANDLE_SESSION_CLOSED, "handle", id, NULL)
                   : nb_raise(err, NB_COND_INVALID_HANDLE_SESSION_NOT_FOUND, "handle", id, NULL);
    }
    if (head->observed.len && !nb_str_equal(head->observed, nb_served_server_id(s))) {
        st = nb_raise(err, NB_COND_INVALID_HANDLE_SESSION_CHANGED, "handle", id, NULL);
        nb_served_release(s);
        return st;
    }
    *out = s;
    return NB_OK;
}

nb_str
nb_served_server_id(const nb_served *s)
{
    return nb_str_of(s->session->id);
}

static void
cancel_operations(nb_served *s)
{
    pthread_mutex_lock(&s->lock);
    for (nb_operation *op = s->operations; op; op = op->next) {
        nb_operation_cancel(op);
    }
    pthread_mutex_unlock(&s->lock);
    nb_session_interrupt(s->session);
}

/* Operations hold the session and the session's table of operations holds them: the table is emptied. */
static void
drop_operations(nb_served *s)
{
    for (;;) {
        nb_operation *op;
        pthread_mutex_lock(&s->lock);
        op = s->operations;
        if (op) {
            pthread_mutex_lock(&op->lock);
            op->refs++;
            pthread_mutex_unlock(&op->lock);
        }
        pthread_mutex_unlock(&s->lock);
        if (!op) {
            return;
        }
        nb_operation_remove(op);
        nb_operation_release(op);
    }
}

void
nb_served_close(nb_service *service, nb_served *s, bool remember)
{
    bool found = false;

    pthread_mutex_lock(&service->lock);
    for (nb_served **at = &service->sessions; *at; at = &(*at)->next) {
        if (*at == s) {
            *at = s->next;
            service->n_sessions--;
            found = true;
            break;
        }
    }
    if (found && remember) {
        snprintf(service->closed[service->next_closed], NB_UUID_CHARS + 1, "%.*s", (int)s->id.len,
                 s->id.data);
        service->next_closed = (service->next_closed + 1) % NB_KEPT_FINISHED;
    }
    pthread_mutex_unlock(&service->lock);
    if (found) {
        cancel_operations(s);
        drop_operations(s);
        nb_served_release(s);
    }
}

/* ---- janitor ---- */

/* A session that has been idle for too long, with a reference; NULL when there is none. */
static nb_served *
find_idle(nb_service *service, int64_t now)
{
    nb_served *s;

    pthread_mutex_lock(&service->lock);
    for (s = service->sessions; s; s = s->next) {
        if (s->refs == 1 && service->options.session_idle_ms > 0 &&
            now - s->last_used_ns > (int64_t)service->options.session_idle_ms * 1000000) {
            s->refs++;
            break;
        }
    }
    pthread_mutex_unlock(&service->lock);
    return s;
}

static void
clean(nb_service *service)
{
    int64_t now = nb_clock_mono_ns();
    nb_arena *arena = nb_arena_new(NULL);
    nb_served **list = NULL, *s;
    int n = 0;

    pthread_mutex_lock(&service->lock);
    list = arena ? NB_ARENA_ARRAY(arena, nb_served *, service->n_sessions + 1) : NULL;
    for (s = list ? service->sessions : NULL; s; s = s->next) {
        s->refs++;
        list[n++] = s;
    }
    pthread_mutex_unlock(&service->lock);
    for (int i = 0; i < n; i++) {
        nb_operations_expire(list[i], now);
        nb_served_release(list[i]);
    }
    nb_arena_free(arena);
    while ((s = find_idle(service, now)) != NULL) {
        nb_log(NB_LOG_INFO, "connect", "session %.*s was idle and ends", (int)s->id.len,
               s->id.data);
        nb_served_close(service, s, false);
        nb_served_release(s);
    }
}

static void *
janitor_main(void *arg)
{
    nb_service *service = arg;

    pthread_mutex_lock(&service->lock);
    while (!service->stopping) {
        struct timespec until;

        if (!service->sessions) { /* nothing to look after */
            pthread_cond_wait(&service->changed, &service->lock);
            continue;
        }
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += JANITOR_SECONDS;
        while (!service->stopping &&
               pthread_cond_timedwait(&service->changed, &service->lock, &until) == 0) {
        }
        pthread_mutex_unlock(&service->lock);
        clean(service);
        pthread_mutex_lock(&service->lock);
    }
    pthread_mutex_unlock(&service->lock);
    return NULL;
}

/* ---- life ---- */

nb_status
nb_service_new(const nb_service_options *options, nb_service **out, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_service *s = arena ? NB_ARENA_NEW(arena, nb_service) : NULL;
    nb_conf_pair *conf = arena ? NB_ARENA_ARRAY(arena, nb_conf_pair, options->n_conf + 1) : NULL;
    pthread_condattr_t attr;
    sigset_t all, before;
    nb_status st = NB_NOMEM;

    if (!s || !conf) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    s->arena = arena;
    s->options = *options;
    s->options.conf = conf;
    for (int i = 0; i < options->n_conf; i++) {
        conf[i].key = nb_arena_str(arena, options->conf[i].key);
        conf[i].value = nb_arena_str(arena, options->conf[i].value);
        if (!conf[i].key.data || !conf[i].value.data) {
            goto fail;
        }
    }
    s->pool =
        nb_pool_new(NULL, "connect",
                    options->memory_limit ? options->memory_limit : nb_session_default_memory());
    if (!s->pool) {
        goto fail;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &attr);
    pthread_cond_init(&s->runs, &attr);
    pthread_condattr_destroy(&attr);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->has_janitor = pthread_create(&s->janitor, NULL, janitor_main, s) == 0;
    s->has_usher = pthread_create(&s->usher, NULL, nb_operation_usher, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!s->has_janitor || !s->has_usher) {
        nb_service_free(s);
        return nb_raise_internal(err, "no thread could be started");
    }
    *out = s;
    return NB_OK;
fail:
    nb_arena_free(arena);
    return st;
}

nb_status
nb_service_register(nb_service *service, nb_rpc_server *server, nb_error *err)
{
#define METHOD(name, function, ...)                                              \
    {                                                                            \
        .path = "/spark.connect.SparkConnectService/" name, .handler = function, \
        .payload = service, __VA_ARGS__                                          \
    }
    const nb_rpc_method methods[] = {
        METHOD("ExecutePlan", nb_handle_execute, .is_long = true),
        METHOD("ReattachExecute", nb_handle_reattach, .is_long = true),
        METHOD("AnalyzePlan", nb_handle_analyze, ),
        METHOD("Config", nb_handle_config, ),
        METHOD("AddArtifacts", nb_handle_add_artifacts, .client_stream = true),
        METHOD("ArtifactStatus", nb_handle_artifact_status, ),
        METHOD("Interrupt", nb_handle_interrupt, ),
        METHOD("ReleaseExecute", nb_handle_release_execute, .is_instant = true),
        METHOD("ReleaseSession", nb_handle_release_session, ),
        METHOD("FetchErrorDetails", nb_handle_error_details, ),
        METHOD("CloneSession", nb_handle_clone_session, ),
        METHOD("GetStatus", nb_handle_status, ),
    };
#undef METHOD

    return nb_rpc_server_add(server, methods, NB_COUNT_OF(methods), err);
}

void
nb_service_interrupt(nb_service *service)
{
    nb_served *s;

    pthread_mutex_lock(&service->lock);
    for (s = service->sessions; s; s = s->next) {
        cancel_operations(s);
    }
    pthread_mutex_unlock(&service->lock);
}

bool
nb_service_kill(nb_service *service, nb_str app_id, int64_t execution)
{
    bool found = false;

    pthread_mutex_lock(&service->lock);
    for (nb_served *s = service->sessions; s && !found; s = s->next) {
        found = nb_session_kill(s->session, app_id, execution);
    }
    pthread_mutex_unlock(&service->lock);
    return found;
}

void
nb_service_free(nb_service *service)
{
    if (!service) {
        return;
    }
    pthread_mutex_lock(&service->lock);
    service->stopping = true;
    pthread_cond_broadcast(&service->changed);
    pthread_cond_broadcast(&service->runs);
    pthread_mutex_unlock(&service->lock);
    if (service->has_janitor) {
        pthread_join(service->janitor, NULL);
    }
    if (service->has_usher) {
        pthread_join(service->usher, NULL);
    }
    while (service->sessions) { /* nobody else is here any more */
        nb_served_close(service, service->sessions, false);
    }
    pthread_mutex_lock(&service->lock);
    while (service->n_alive > 0 || service->n_running > 0) {
        pthread_cond_wait(&service->changed, &service->lock);
    }
    pthread_mutex_unlock(&service->lock);
    pthread_mutex_destroy(&service->lock);
    pthread_cond_destroy(&service->changed);
    pthread_cond_destroy(&service->runs);
    nb_pool_free(service->pool);
    nb_arena_free(service->arena);
}

nb_service_counts
nb_service_count(nb_service *service)
{
    nb_service_counts c = {0};

    pthread_mutex_lock(&service->lock);
    c.sessions = service->n_sessions;
    c.operations = service->n_running;
    pthread_mutex_unlock(&service->lock);
    return c;
}

/* ---- answers ---- */

nb_status
nb_service_fail(nb_rpc_call *call, nb_served *s, nb_status st, nb_error *err)
{
    nb_rpc_status status = NB_RPC_STATUS_INIT;
    char id[NB_UUID_CHARS + 1] = "";

    nb_status_explain(st, err);
    if (s && err->set) {
        nb_uuid_make(id);
    }
    nb_rpc_status_of_error(&status, st, err, nb_str_of(id));
    if (*id) {
        nb_kept_error *kept;
        pthread_mutex_lock(&s->lock);
        kept = &s->errors[s->next_error];
        s->next_error = (s->next_error + 1) % NB_KEPT_ERRORS;
        nb_error_clear(&kept->err);
        nb_error_move(err, &kept->err);
        memcpy(kept->id, id, sizeof id);
        pthread_mutex_unlock(&s->lock);
    }
    nb_error_clear(err);
    nb_rpc_call_set_status(call, &status);
    return NB_OK;
}

nb_status
nb_service_reply(nb_rpc_call *call, nb_arena *arena, const ProtobufCMessage *response,
                 nb_error *err)
{
    nb_str bytes = nb_message_bytes(arena, response);

    return bytes.data ? nb_rpc_call_send(call, bytes, err) : NB_NOMEM;
}
