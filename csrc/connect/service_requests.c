/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_requests.c: the calls with one short answer: AnalyzePlan, Config, Interrupt, ReleaseSession, FetchErrorDetails, CloneSession,
 * GetStatus.
 */
#include "base/utf8.h"
#include "connect/service_internal.h"
#include "plan/analyzer_internal.h"
#include "plan/message_unpack.h"

nb_status
nb_service_begin(nb_service_request *r, nb_rpc_call *call, void *service,
                 const ProtobufCMessageDescriptor *descriptor, uint32_t observed, nb_error *err)
{
    *r = (nb_service_request){.call = call, .service = service, .bytes = nb_rpc_call_request(call)};
    r->arena = nb_arena_new(NULL);
    NB_NEED(r->arena);
    NB_TRY(nb_request_head_read(r->bytes, observed, &r->head, err));
    return descriptor ? nb_message_unpack(r->arena, descriptor, r->bytes.data, r->bytes.len,
                                          &r->message, err)
                      : NB_OK;
}

nb_status
nb_service_finish(nb_service_request *r, nb_status st, nb_error *err)
{
    if (st < 0 && st != NB_CANCELLED) {
        st = nb_service_fail(r->call, r->served, st, err);
    }
    nb_served_release(r->served);
    nb_arena_free(r->arena);
    return st;
}

#define SET_BYTES(m, field, value) ((m)->has_##field = true, (m)->field = nb_pb_bytes(value))

/* ---- questions to the session ---- */

typedef nb_status (*ask_session)(nb_session *s, nb_str request, nb_strbuf *response, nb_error *err);

static nb_status
ask(nb_rpc_call *call, void *service, uint32_t observed, ask_session fn, nb_error *err)
{
    nb_service_request r;
    nb_strbuf response = {0};
    nb_status st;

    NB_TRY_GOTO(st, nb_service_begin(&r, call, service, NULL, observed, err), done);
    NB_TRY_GOTO(st, nb_served_open(service, &r.head, true, &r.served, err), done);
    NB_TRY_GOTO(st, fn(r.served->session, r.bytes, &response, err), done);
    st = response.failed ? NB_NOMEM : nb_rpc_call_send(call, nb_strbuf_str(&response), err);
done:
    nb_strbuf_free(&response);
    return nb_service_finish(&r, st, err);
}

nb_status
nb_handle_analyze(nb_rpc_call *call, void *service, nb_error *err)
{
    return ask(call, service, 17, nb_session_analyze, err);
}

nb_status
nb_handle_config(nb_rpc_call *call, void *service, nb_error *err)
{
    return ask(call, service, 8, nb_session_config, err);
}

/* ---- interrupts ---- */

static nb_status
interrupt(nb_service_request *r, nb_error *err)
{
    const Sc__InterruptRequest *q = (const Sc__InterruptRequest *)r->message;
    Sc__InterruptResponse *a = NB_MESSAGE(r->arena, Sc__InterruptResponse, sc__interrupt_response);
    nb_str tag = {NULL, 0}, id = {NULL, 0};

    NB_NEED(a);
    switch (q->interrupt_type) {
    case SC__INTERRUPT_REQUEST__INTERRUPT_TYPE__INTERRUPT_TYPE_ALL: break;
    case SC__INTERRUPT_REQUEST__INTERRUPT_TYPE__INTERRUPT_TYPE_TAG:
        if (q->interrupt_case == SC__INTERRUPT_REQUEST__INTERRUPT_OPERATION_TAG) {
            tag = nb_pb_str(q->operation_tag);
            break;
        }
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "an interrupt by tag without tag",
                        NULL);
    case SC__INTERRUPT_REQUEST__INTERRUPT_TYPE__INTERRUPT_TYPE_OPERATION_ID:
        if (q->interrupt_case == SC__INTERRUPT_REQUEST__INTERRUPT_OPERATION_ID) {
            id = nb_pb_str(q->operation_id);
            break;
        }
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "an interrupt by id without id",
                        NULL);
    default:
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "an unknown kind of interrupt", NULL);
    }
    NB_TRY(nb_operations_interrupt(r->served, tag, id, r->arena, &a->interrupted_ids,
                                   &a->n_interrupted_ids));
    SET_BYTES(a, session_id, r->served->id);
    SET_BYTES(a, server_side_session_id, nb_served_server_id(r->served));
    return nb_service_reply(r->call, r->arena, &a->base, err);
}

nb_status
nb_handle_interrupt(nb_rpc_call *call, void *service, nb_error *err)
{
    nb_service_request r;
    nb_status st;

    NB_TRY_GOTO(st, nb_service_begin(&r, call, service, &sc__interrupt_request__descriptor, 7, err),
                done);
    NB_TRY_GOTO(st, nb_served_open(service, &r.head, true, &r.served, err), done);
    st = interrupt(&r, err);
done:
    return nb_service_finish(&r, st, err);
}

/* ---- sessions ---- */

static nb_status
release_session(nb_service_request *r, nb_error *err)
{
    const Sc__ReleaseSessionRequest *q = (const Sc__ReleaseSessionRequest *)r->message;
    Sc__ReleaseSessionResponse *a =
        NB_MESSAGE(r->arena, Sc__ReleaseSessionResponse, sc__release_session_response);
    nb_error none = NB_ERROR_INIT;

    NB_NEED(a);
    SET_BYTES(a, session_id, r->head.session);
    /* one that is not there is released already */
    if (nb_served_open(r->service, &r->head, false, &r->served, &none) >= 0) {
        SET_BYTES(a, server_side_session_id, nb_served_server_id(r->served));
        nb_served_close(r->service, r->served, !q->allow_reconnect);
    }
    nb_error_clear(&none);
    return nb_service_reply(r->call, r->arena, &a->base, err);
}

nb_status
nb_handle_release_session(nb_rpc_call *call, void *service, nb_error *err)
{
    nb_service_request r;
    nb_status st;

    NB_TRY_GOTO(
        st, nb_service_begin(&r, call, service, &sc__release_session_request__descriptor, 0, err),
        done);
    st = release_session(&r, err);
done:
    return nb_service_finish(&r, st, err);
}

static nb_status
clone_session(nb_service_request *r, nb_error *err)
{
    const Sc__CloneSessionRequest *q = (const Sc__CloneSessionRequest *)r->message;
    Sc__CloneSessionResponse *a =
        NB_MESSAGE(r->arena, Sc__CloneSessionResponse, sc__clone_session_response);
    nb_request_head head = {.user = r->head.user, .observed = NB_STR("")};
    char made[NB_UUID_CHARS + 1];
    nb_served *clone = NULL;
    nb_status st;

    NB_NEED(a);
    head.session = nb_pb_str(q->new_session_id);
    if (!q->has_new_session_id || head.session.len == 0) {
        nb_uuid_make(made);
        head.session = nb_str_of(made);
    } else if (!nb_is_uuid(head.session)) {
        return nb_raise(err, NB_COND_INVALID_CLONE_SESSION_FORMAT, "targetSessionId", "", NULL);
    }
    if (nb_served_exists(r->service, &head)) {
        return nb_raise(err, NB_COND_INVALID_CLONE_SESSION_EXISTS, "targetSessionId",
                        nb_arena_printf(r->arena, "%.*s", (int)head.session.len, head.session.data),
                        NULL);
    }
    NB_TRY(nb_served_open(r->service, &head, true, &clone, err));
    st = nb_session_copy_state(r->served->session, clone->session, err);
    if (st >= 0) {
        SET_BYTES(a, session_id, r->served->id);
        SET_BYTES(a, server_side_session_id, nb_served_server_id(r->served));
        SET_BYTES(a, new_session_id, clone->id);
        SET_BYTES(a, new_server_side_session_id, nb_served_server_id(clone));
        st = nb_service_reply(r->call, r->arena, &a->base, err);
    }
    nb_served_release(clone);
    return st;
}

nb_status
nb_handle_clone_session(nb_rpc_call *call, void *service, nb_error *err)
{
    nb_service_request r;
    nb_status st;

    NB_TRY_GOTO(st,
                nb_service_begin(&r, call, service, &sc__clone_session_request__descriptor, 5, err),
                done);
    NB_TRY_GOTO(st, nb_served_open(service, &r.head, false, &r.served, err), done);
    st = clone_session(&r, err);
done:
    return nb_service_finish(&r, st, err);
}

/* ---- errors ---- */

#define DETAIL(name) Sc__FetchErrorDetailsResponse__##name
#define NEW_DETAIL(arena, T, name) \
    NB_MESSAGE(arena, DETAIL(T), sc__fetch_error_details_response__##name)

static nb_str
clean_text(nb_arena *arena, const char *text)
{
    nb_strbuf clean = {0};
    nb_str out;

    nb_utf8_add_clean(&clean, nb_str_of(text ? text : ""), SIZE_MAX);
    out = clean.failed ? (nb_str){NULL, 0} : nb_arena_str(arena, nb_strbuf_str(&clean));
    nb_strbuf_free(&clean);
    return out.data ? out : NB_STR("");
}

static nb_status
describe_context(nb_arena *arena, const nb_query_context *c, DETAIL(QueryContext) * *out)
{
    DETAIL(QueryContext) *q = NEW_DETAIL(arena, QueryContext, query_context);

    NB_NEED(q);
    q->has_context_type = q->has_start_index = q->has_stop_index = true;
    q->context_type = c->is_dataframe
                          ? SC__FETCH_ERROR_DETAILS_RESPONSE__QUERY_CONTEXT__CONTEXT_TYPE__DATAFRAME
                          : SC__FETCH_ERROR_DETAILS_RESPONSE__QUERY_CONTEXT__CONTEXT_TYPE__SQL;
    q->start_index = c->start_index;
    q->stop_index = c->stop_index;
    SET_BYTES(q, object_type, clean_text(arena, c->object_type));
    SET_BYTES(q, object_name, clean_text(arena, c->object_name));
    SET_BYTES(q, fragment, clean_text(arena, c->fragment));
    SET_BYTES(q, call_site, clean_text(arena, c->call_site));
    SET_BYTES(q, summary, clean_text(arena, c->summary));
    *out = q;
    return NB_OK;
}

static nb_status
describe_error(nb_arena *arena, const nb_error *e, Sc__FetchErrorDetailsResponse *a)
{
    DETAIL(Error) *x = NEW_DETAIL(arena, Error, error);
    DETAIL(SparkThrowable) *t = NEW_DETAIL(arena, SparkThrowable, spark_throwable);
    const char *const *classes = nb_rpc_error_classes(e);
    size_t n = 0;

    while (classes[n]) {
        n++;
    }
    a->errors = NB_ARENA_ARRAY(arena, DETAIL(Error) *, 1);
    NB_NEED(x && t && a->errors);
    x->error_type_hierarchy = NB_ARENA_ARRAY(arena, ProtobufCBinaryData, n);
    t->message_parameters =
        NB_ARENA_ARRAY(arena, DETAIL(SparkThrowable__MessageParametersEntry) *, e->n_params + 1);
    NB_NEED(x->error_type_hierarchy && t->message_parameters);
    for (size_t i = 0; i < n; i++) {
        x->error_type_hierarchy[x->n_error_type_hierarchy++] = nb_pb_bytes(nb_str_of(classes[i]));
    }
    for (int i = 0; i < e->n_params; i++) {
        DETAIL(SparkThrowable__MessageParametersEntry) *p =
            NEW_DETAIL(arena, SparkThrowable__MessageParametersEntry,
                       spark_throwable__message_parameters_entry);
        NB_NEED(p);
        p->key = nb_arena_strdup(arena, nb_str_of(e->keys[i] ? e->keys[i] : ""));
        NB_NEED(p->key);
        SET_BYTES(p, value, clean_text(arena, e->values[i]));
        t->message_parameters[t->n_message_parameters++] = p;
    }
    if (e->context) {
        t->query_contexts = NB_ARENA_ARRAY(arena, DETAIL(QueryContext) *, 1);
        NB_NEED(t->query_contexts);
        NB_TRY(describe_context(arena, e->context, &t->query_contexts[0]));
        t->n_query_contexts = 1;
    }
    if (*nb_error_name(e)) {
        SET_BYTES(t, error_class, nb_str_of(nb_error_name(e)));
    }
    if (*nb_error_sqlstate(e)) {
        SET_BYTES(t, sql_state, nb_str_of(nb_error_sqlstate(e)));
    }
    SET_BYTES(x, message, clean_text(arena, nb_error_message(e)));
    x->spark_throwable = t;
    a->errors[0] = x;
    a->n_errors = 1;
    a->has_root_error_idx = true;
    a->root_error_idx = 0;
    return NB_OK;
}

static nb_status
error_details(nb_service_request *r, nb_error *err)
{
    const Sc__FetchErrorDetailsRequest *q = (const Sc__FetchErrorDetailsRequest *)r->message;
    Sc__FetchErrorDetailsResponse *a =
        NB_MESSAGE(r->arena, Sc__FetchErrorDetailsResponse, sc__fetch_error_details_response);
    nb_status st = NB_OK;

    NB_NEED(a);
    SET_BYTES(a, session_id, r->served->id);
    SET_BYTES(a, server_side_session_id, nb_served_server_id(r->served));
    pthread_mutex_lock(&r->served->lock);
    for (int i = 0; i < NB_KEPT_ERRORS; i++) {
        const nb_kept_error *k = &r->served->errors[i];
        if (k->err.set && nb_str_equal(nb_str_of(k->id), nb_pb_str(q->error_id))) {
            st = describe_error(r->arena, &k->err, a);
            break;
        }
    }
    pthread_mutex_unlock(&r->served->lock);
    NB_TRY(st);
    return nb_service_reply(r->call, r->arena, &a->base, err);
}

nb_status
nb_handle_error_details(nb_rpc_call *call, void *service, nb_error *err)
{
    nb_service_request r;
    nb_status st;

    NB_TRY_GOTO(
        st,
        nb_service_begin(&r, call, service, &sc__fetch_error_details_request__descriptor, 5, err),
        done);
    NB_TRY_GOTO(st, nb_served_open(service, &r.head, false, &r.served, err), done);
    st = error_details(&r, err);
done:
    return nb_service_finish(&r, st, err);
}

/* ---- states of operations ---- */

#define STATE(name) \
    SC__GET_STATUS_RESPONSE__OPERATION_STATUS__OPERATION_STATE__OPERATION_STATE_##name

static int
wire_state(nb_operation *op)
{
    int state = STATE(UNKNOWN);

    pthread_mutex_lock(&op->lock);
    switch (op->state) {
    case NB_OPERATION_RUNNING: state = op->interrupted ? STATE(TERMINATING) : STATE(RUNNING); break;
    case NB_OPERATION_SUCCEEDED: state = STATE(SUCCEEDED); break;
    case NB_OPERATION_FAILED: state = STATE(FAILED); break;
    case NB_OPERATION_CANCELLED: state = STATE(CANCELLED); break;
    }
    pthread_mutex_unlock(&op->lock);
    return state;
}

static nb_status
add_status(nb_service_request *r, Sc__GetStatusResponse *a, nb_str id, int state)
{
    Sc__GetStatusResponse__OperationStatus *s =
        NB_MESSAGE(r->arena, Sc__GetStatusResponse__OperationStatus,
                   sc__get_status_response__operation_status);

    NB_NEED(s);
    SET_BYTES(s, operation_id, nb_arena_str(r->arena, id));
    s->has_state = true;
    s->state = state;
    a->operation_statuses[a->n_operation_statuses++] = s;
    return NB_OK;
}

/* Those asked for, or all of the session when none is. */
static nb_status
get_status(nb_service_request *r, nb_error *err)
{
    const Sc__GetStatusRequest *q = (const Sc__GetStatusRequest *)r->message;
    Sc__GetStatusResponse *a = NB_MESSAGE(r->arena, Sc__GetStatusResponse, sc__get_status_response);
    size_t n_asked = q->operation_status ? q->operation_status->n_operation_ids : 0;
    nb_status st = NB_OK;

    NB_NEED(a);
    SET_BYTES(a, session_id, r->served->id);
    SET_BYTES(a, server_side_session_id, nb_served_server_id(r->served));
    pthread_mutex_lock(&r->served->lock);
    a->operation_statuses = NB_ARENA_ARRAY(r->arena, Sc__GetStatusResponse__OperationStatus *,
                                           n_asked + (size_t)r->served->n_operations + 1);
    st = a->operation_statuses ? NB_OK : NB_NOMEM;
    for (size_t i = 0; i < n_asked && st >= 0; i++) {
        nb_str id = nb_pb_str(q->operation_status->operation_ids[i]);
        int state = STATE(UNKNOWN);
        for (nb_operation *op = r->served->operations; op; op = op->next) {
            if (nb_str_equal(nb_str_of(op->id), id)) {
                state = wire_state(op);
            }
        }
        st = add_status(r, a, id, state);
    }
    for (nb_operation *op = r->served->operations;
         op && q->operation_status && n_asked == 0 && st >= 0; op = op->next) {
        st = add_status(r, a, nb_str_of(op->id), wire_state(op));
    }
    pthread_mutex_unlock(&r->served->lock);
    NB_TRY(st);
    return nb_service_reply(r->call, r->arena, &a->base, err);
}

nb_status
nb_handle_status(nb_rpc_call *call, void *service, nb_error *err)
{
    nb_service_request r;
    nb_status st;

    NB_TRY_GOTO(
        st, nb_service_begin(&r, call, service, &sc__get_status_request__descriptor, 4, err), done);
    NB_TRY_GOTO(st, nb_served_open(service, &r.head, false, &r.served, err), done);
    st = get_status(&r, err);
done:
    return nb_service_finish(&r, st, err);
}
