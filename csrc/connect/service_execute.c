/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_execute.c: ExecutePlan, ReattachExecute, ReleaseExecute.
 *
 * A listener sends the responses of the execution as they come to be (service_operation.c says who listens). When the client goes, an execution that it may come back for goes
 * on without a listener, until there is no more room for its rows; any other is cancelled. A newer listener ends the older one.
 */
#include <time.h>
#include "base/clock.h"
#include "base/utf8.h"
#include "connect/service_internal.h"
#include "plan/analyzer_internal.h"
#include "plan/message_unpack.h"

#define MAX_TAGS        64
#define MIN_CHUNK_BYTES 1024
#define CHUNK_BYTES     ((int64_t)16 << 20) /* where a client takes parts and says no size */

/* The failure of the execution, to this and every later listener under the same id. */
static nb_status
report_failure(nb_operation *op, nb_rpc_call *call)
{
    nb_rpc_status status = NB_RPC_STATUS_INIT;
    nb_served *s = op->served;

    pthread_mutex_lock(&s->lock);
    if (!op->error_id[0]) {
        nb_kept_error *kept = &s->errors[s->next_error];
        nb_uuid_make(op->error_id);
        s->next_error = (s->next_error + 1) % NB_KEPT_ERRORS;
        nb_error_clear(&kept->err);
        nb_error_copy(&op->err, &kept->err);
        memcpy(kept->id, op->error_id, sizeof kept->id);
    }
    pthread_mutex_unlock(&s->lock);
    nb_rpc_status_of_error(&status, op->status, &op->err, nb_str_of(op->error_id));
    nb_rpc_call_set_status(call, &status);
    return NB_OK;
}

nb_status
nb_operation_listen(nb_operation *op, nb_rpc_call *call, nb_str last_response, bool is_first,
                    nb_error *err)
{
    nb_status st;
    int listener;

    pthread_mutex_lock(&op->lock);
    if (is_first && op->listener > 0) {
        pthread_mutex_unlock(&op->lock);
        return nb_raise(err, NB_COND_INVALID_CURSOR_DISCONNECTED, NULL);
    }
    listener = ++op->listener;
    op->n_listeners++;
    pthread_cond_broadcast(&op->changed);
    pthread_mutex_unlock(&op->lock);
    st = nb_result_stream(op, call, last_response, listener, is_first && op->takes_whole, err);
    if (st == NB_DONE) {
        st = report_failure(op, call);
    }
    pthread_mutex_lock(&op->lock);
    op->n_listeners--;
    op->detached_ns = nb_clock_mono_ns();
    pthread_mutex_unlock(&op->lock);
    return st;
}

/* Field by field, because the plan stays bytes: the session unpacks it. */
static nb_status
read_execute(nb_str request, nb_arena *arena, nb_operation_request *out, nb_error *err)
{
    nb_str value;
    uint64_t integer;
    uint32_t field;
    bool bad = false;

    out->tags = NB_ARENA_ARRAY(arena, nb_str, MAX_TAGS);
    if (!out->tags) {
        return NB_NOMEM;
    }
    while (nb_wire_next(&request, &field, &value, &integer, &bad)) {
        if (!value.data) {
            continue;
        }
        if (field == 3) {
            if (out->plan.data) {
                return nb_raise(err, NB_COND_INVALID_PLAN, "message", "two plans", NULL);
            }
            out->plan = value;
        } else if (field == 6) {
            out->id = value;
        } else if (field == 7) {
            if (out->n_tags == MAX_TAGS || value.len == 0 ||
                !nb_utf8_validate(value.data, value.len) || memchr(value.data, ',', value.len)) {
                return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                                "tags are text without commas, not empty and not too many", NULL);
            }
            out->tags[out->n_tags++] = value;
        } else if (field == 5) {
            ProtobufCMessage *m;
            const Sc__ExecutePlanRequest__RequestOption *o;
            NB_TRY(nb_message_unpack(arena, &sc__execute_plan_request__request_option__descriptor,
                                     value.data, value.len, &m, err));
            o = (const Sc__ExecutePlanRequest__RequestOption *)m;
            if (o->request_option_case ==
                SC__EXECUTE_PLAN_REQUEST__REQUEST_OPTION__REQUEST_OPTION_REATTACH_OPTIONS) {
                out->reattachable = o->reattach_options->reattachable;
            } else if (
                o->request_option_case ==
                SC__EXECUTE_PLAN_REQUEST__REQUEST_OPTION__REQUEST_OPTION_RESULT_CHUNKING_OPTIONS) {
                const Sc__ResultChunkingOptions *c = o->result_chunking_options;
                int64_t wanted =
                    c->has_preferred_arrow_chunk_size ? c->preferred_arrow_chunk_size : CHUNK_BYTES;
                out->chunk_bytes = c->allow_arrow_batch_chunking
                                       ? NB_MIN(NB_MAX(wanted, MIN_CHUNK_BYTES), CHUNK_BYTES * 4)
                                       : 0;
            } else if (o->request_option_case ==
                           SC__EXECUTE_PLAN_REQUEST__REQUEST_OPTION__REQUEST_OPTION_EXTENSION &&
                       nb_str_equal(nb_pb_str(o->extension->type_url), NB_STR(NB_WHOLE_OPTION))) {
                out->takes_whole = true;
                out->got = nb_pb_str(o->extension->value);
            }
        }
    }
    if (bad) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "the request is not a message", NULL);
    }
    if (!out->plan.data) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "a request without a plan", NULL);
    }
    if (out->id.len && !nb_is_uuid(out->id)) {
        return nb_raise(err, NB_COND_INVALID_HANDLE_FORMAT, "handle", "", NULL);
    }
    return NB_OK;
}

nb_status
nb_handle_execute(nb_rpc_call *call, void *service, nb_error *err)
{
    nb_operation_request wanted = {0};
    nb_operation *op = NULL;
    nb_service_request r;
    nb_status st;

    NB_TRY_GOTO(st, nb_service_begin(&r, call, service, NULL, 8, err), done);
    NB_TRY_GOTO(st, nb_served_open(service, &r.head, true, &r.served, err), done);
    NB_TRY_GOTO(st, read_execute(r.bytes, r.arena, &wanted, err), done);
    nb_operations_remove(r.served, wanted.got);
    NB_TRY_GOTO(st, nb_operation_new(r.served, &wanted, &op, err), done);
    st = nb_operation_run(op, call, err);
    if (!op->reattachable) {
        nb_operation_remove(op);
    }
    nb_operation_release(op);
done:
    return nb_service_finish(&r, st, err);
}

nb_status
nb_handle_reattach(nb_rpc_call *call, void *service, nb_error *err)
{
    const Sc__ReattachExecuteRequest *q;
    nb_operation *op = NULL;
    nb_service_request r;
    nb_status st;

    NB_TRY_GOTO(
        st, nb_service_begin(&r, call, service, &sc__reattach_execute_request__descriptor, 6, err),
        done);
    q = (const Sc__ReattachExecuteRequest *)r.message;
    NB_TRY_GOTO(st, nb_served_open(service, &r.head, false, &r.served, err), done);
    NB_TRY_GOTO(st, nb_operation_find(r.served, nb_pb_str(q->operation_id), &op, err), done);
    st = op->reattachable
             ? nb_operation_listen(op, call, nb_pb_str(q->last_response_id), false, err)
             : nb_raise(err, NB_COND_INVALID_CURSOR_NOT_REATTACHABLE, NULL);
    nb_operation_release(op);
done:
    return nb_service_finish(&r, st, err);
}

static nb_status
release_execute(nb_service_request *r, nb_error *err)
{
    const Sc__ReleaseExecuteRequest *q = (const Sc__ReleaseExecuteRequest *)r->message;
    Sc__ReleaseExecuteResponse *response =
        NB_MESSAGE(r->arena, Sc__ReleaseExecuteResponse, sc__release_execute_response);
    nb_error quiet = NB_ERROR_INIT;
    nb_operation *op;

    NB_NEED(response);
    /* What is no more is no fault: clients release twice. */
    if (nb_operation_find(r->served, nb_pb_str(q->operation_id), &op, &quiet) >= 0) {
        if (q->release_case == SC__RELEASE_EXECUTE_REQUEST__RELEASE_RELEASE_ALL) {
            nb_operation_remove(op);
        } else if (q->release_case == SC__RELEASE_EXECUTE_REQUEST__RELEASE_RELEASE_UNTIL) {
            nb_result_release(op, nb_pb_str(q->release_until->response_id));
        }
        response->has_operation_id = true;
        response->operation_id = q->operation_id;
        nb_operation_release(op);
    }
    nb_error_clear(&quiet);
    response->has_session_id = response->has_server_side_session_id = true;
    response->session_id = nb_pb_bytes(r->served->id);
    response->server_side_session_id = nb_pb_bytes(nb_served_server_id(r->served));
    return nb_service_reply(r->call, r->arena, &response->base, err);
}

nb_status
nb_handle_release_execute(nb_rpc_call *call, void *service, nb_error *err)
{
    nb_service_request r;
    nb_status st;

    NB_TRY_GOTO(
        st, nb_service_begin(&r, call, service, &sc__release_execute_request__descriptor, 7, err),
        done);
    NB_TRY_GOTO(st, nb_served_open(service, &r.head, false, &r.served, err), done);
    st = release_execute(&r, err);
done:
    return nb_service_finish(&r, st, err);
}
