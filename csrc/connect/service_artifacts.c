/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_artifacts.c: AddArtifacts and ArtifactStatus: local data that clients upload once, under the hash by which plans refer to it.
 *
 * A stream of messages brings whole artifacts in batches, or one in chunks. Each chunk has a checksum; an artifact with a wrong one is
 * reported and not kept. Names of the form "cache/HASH" are local data; other artifacts (files, archives, Python modules) are refused by name.
 */
#include <zlib.h>
#include "base/buffer.h"
#include "connect/service_internal.h"
#include "plan/analyzer_internal.h"
#include "plan/message_unpack.h"

#define MAX_ARTIFACT_BYTES ((int64_t)4 << 30)

typedef struct upload {
    nb_arena *arena; /* of the whole call: names and the summary */
    nb_served *served;
    Sc__AddArtifactsResponse *response;
    size_t cap;
    /* an artifact in chunks */
    nb_str name;
    nb_buffer *bytes; /* NULL: none under way */
    size_t filled;
    int64_t chunks_left;
    bool good;
} upload;

static bool
checksum_is_right(const Sc__AddArtifactsRequest__ArtifactChunk *c)
{
    uLong crc = crc32(0, NULL, 0);

    for (size_t at = 0; at < c->data.len;) {
        uInt n = (uInt)NB_MIN(c->data.len - at, (size_t)1 << 30);
        crc = crc32(crc, c->data.data + at, n);
        at += n;
    }
    return (int64_t)crc == c->crc;
}

static nb_status
add_summary(upload *u, nb_str name, bool good)
{
    Sc__AddArtifactsResponse__ArtifactSummary *s =
        NB_MESSAGE(u->arena, Sc__AddArtifactsResponse__ArtifactSummary,
                   sc__add_artifacts_response__artifact_summary);

    NB_NEED(s);
    if (u->response->n_artifacts == u->cap) {
        size_t cap = u->cap ? u->cap * 2 : 16;
        Sc__AddArtifactsResponse__ArtifactSummary **list =
            NB_ARENA_ARRAY(u->arena, Sc__AddArtifactsResponse__ArtifactSummary *, cap);
        NB_NEED(list);
        if (u->cap) {
            memcpy(list, u->response->artifacts, sizeof *list * u->cap);
        }
        u->response->artifacts = list;
        u->cap = cap;
    }
    s->has_name = s->has_is_crc_successful = true;
    s->name = nb_pb_bytes(nb_arena_str(u->arena, name));
    s->is_crc_successful = good;
    u->response->artifacts[u->response->n_artifacts++] = s;
    return NB_OK;
}

static nb_status
check_name(nb_str name, nb_error *err)
{
    if (!nb_str_starts_with(name, NB_STR("cache/")) || name.len == 6) {
        return nb_raise_unsupported(err, "Artifact %.*s: artifacts other than local data",
                                    (int)NB_MIN(name.len, (size_t)100), name.data);
    }
    return NB_OK;
}

static nb_status
keep(upload *u, nb_str name, nb_buffer *bytes, nb_error *err)
{
    return nb_session_add_blob(u->served->session, (nb_str){name.data + 6, name.len - 6}, bytes,
                               err);
}

static nb_status
add_whole(upload *u, const Sc__AddArtifactsRequest__SingleChunkArtifact *a, nb_error *err)
{
    nb_str name = nb_pb_str(a->name);
    nb_buffer *bytes;
    nb_status st;

    NB_TRY(check_name(name, err));
    if (!a->data || !checksum_is_right(a->data)) {
        return add_summary(u, name, false);
    }
    NB_TRY(nb_buffer_new(nb_session_pool(u->served->session), a->data->data.len, &bytes));
    if (a->data->data.len) {
        memcpy(bytes->data, a->data->data.data, a->data->data.len);
    }
    st = keep(u, name, bytes, err);
    nb_buffer_release(bytes);
    NB_TRY(st);
    return add_summary(u, name, true);
}

static nb_status
add_chunk(upload *u, const Sc__AddArtifactsRequest__ArtifactChunk *c, nb_error *err)
{
    nb_status st;

    if (!u->bytes || u->chunks_left <= 0 || !c || c->data.len > u->bytes->n_bytes - u->filled) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                        "chunks of an artifact that do not fit together", NULL);
    }
    u->good = u->good && checksum_is_right(c);
    if (c->data.len) {
        memcpy(u->bytes->data + u->filled, c->data.data, c->data.len);
    }
    u->filled += c->data.len;
    if (--u->chunks_left > 0) {
        return NB_OK;
    }
    if (u->filled != u->bytes->n_bytes) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                        "chunks of an artifact that do not fit together", NULL);
    }
    st = u->good ? keep(u, u->name, u->bytes, err) : NB_OK;
    nb_buffer_release(u->bytes);
    u->bytes = NULL;
    NB_TRY(st);
    return add_summary(u, u->name, u->good);
}

static nb_status
begin_chunks(upload *u, const Sc__AddArtifactsRequest__BeginChunkedArtifact *b, nb_error *err)
{
    if (u->bytes || b->total_bytes < 0 || b->total_bytes > MAX_ARTIFACT_BYTES ||
        b->num_chunks < 1) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                        "chunks of an artifact that do not fit together", NULL);
    }
    u->name = nb_arena_str(u->arena, nb_pb_str(b->name));
    NB_NEED(u->name.data);
    NB_TRY(check_name(u->name, err));
    NB_TRY(nb_buffer_new(nb_session_pool(u->served->session), (size_t)b->total_bytes, &u->bytes));
    u->filled = 0;
    u->chunks_left = b->num_chunks;
    u->good = true;
    return add_chunk(u, b->initial_chunk, err);
}

static nb_status
add_message(upload *u, nb_service *service, nb_str bytes, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL); /* of this message: a call may bring many */
    ProtobufCMessage *m;
    const Sc__AddArtifactsRequest *r;
    nb_request_head head;
    nb_status st = NB_NOMEM;

    NB_NEED(arena);
    if (!u->served) {
        NB_TRY_GOTO(st, nb_request_head_read(bytes, 7, &head, err), done);
        NB_TRY_GOTO(st, nb_served_open(service, &head, true, &u->served, err), done);
    }
    NB_TRY_GOTO(st,
                nb_message_unpack(arena, &sc__add_artifacts_request__descriptor, bytes.data,
                                  bytes.len, &m, err),
                done);
    r = (const Sc__AddArtifactsRequest *)m;
    switch (r->payload_case) {
    case SC__ADD_ARTIFACTS_REQUEST__PAYLOAD_BATCH:
        for (size_t i = 0; i < r->batch->n_artifacts; i++) {
            NB_TRY_GOTO(st, add_whole(u, r->batch->artifacts[i], err), done);
        }
        st = NB_OK;
        break;
    case SC__ADD_ARTIFACTS_REQUEST__PAYLOAD_BEGIN_CHUNK:
        st = begin_chunks(u, r->begin_chunk, err);
        break;
    case SC__ADD_ARTIFACTS_REQUEST__PAYLOAD_CHUNK: st = add_chunk(u, r->chunk, err); break;
    default:
        st = nb_raise(err, NB_COND_INVALID_PLAN, "message", "an artifact without content", NULL);
    }
done:
    nb_arena_free(arena);
    return st;
}

nb_status
nb_handle_add_artifacts(nb_rpc_call *call, void *service, nb_error *err)
{
    upload u = {.arena = nb_arena_new(NULL)};
    nb_str bytes = nb_rpc_call_request(call);
    nb_status st = NB_NOMEM;

    if (!u.arena) {
        return st;
    }
    u.response = NB_MESSAGE(u.arena, Sc__AddArtifactsResponse, sc__add_artifacts_response);
    if (!u.response) {
        goto done;
    }
    do {
        NB_TRY_GOTO(st, add_message(&u, service, bytes, err), done);
        st = nb_rpc_call_next(call, &bytes, err);
    } while (st == NB_OK);
    NB_TRY_GOTO(st, st, done);
    if (u.bytes) {
        st = nb_raise(err, NB_COND_INVALID_PLAN, "message", "an artifact that is not complete",
                      NULL);
        goto done;
    }
    u.response->has_session_id = u.response->has_server_side_session_id = true;
    u.response->session_id = nb_pb_bytes(u.served->id);
    u.response->server_side_session_id = nb_pb_bytes(nb_served_server_id(u.served));
    st = nb_service_reply(call, u.arena, &u.response->base, err);
done:
    if (st < 0 && st != NB_CANCELLED) {
        st = nb_service_fail(call, u.served, st, err);
    }
    nb_buffer_release(u.bytes);
    nb_served_release(u.served);
    nb_arena_free(u.arena);
    return st;
}

static nb_status
artifact_status(nb_service_request *r, nb_error *err)
{
    const Sc__ArtifactStatusesRequest *q = (const Sc__ArtifactStatusesRequest *)r->message;
    nb_served *s = r->served;
    nb_arena *arena = r->arena;
    Sc__ArtifactStatusesResponse *a =
        NB_MESSAGE(arena, Sc__ArtifactStatusesResponse, sc__artifact_statuses_response);

    NB_NEED(a);
    a->statuses =
        NB_ARENA_ARRAY(arena, Sc__ArtifactStatusesResponse__StatusesEntry *, q->n_names + 1);
    NB_NEED(a->statuses);
    for (size_t i = 0; i < q->n_names; i++) {
        Sc__ArtifactStatusesResponse__StatusesEntry *e =
            NB_MESSAGE(arena, Sc__ArtifactStatusesResponse__StatusesEntry,
                       sc__artifact_statuses_response__statuses_entry);
        Sc__ArtifactStatusesResponse__ArtifactStatus *v =
            NB_MESSAGE(arena, Sc__ArtifactStatusesResponse__ArtifactStatus,
                       sc__artifact_statuses_response__artifact_status);
        nb_str name = nb_pb_str(q->names[i]);

        NB_NEED(e && v);
        e->key = nb_arena_strdup(arena, name);
        NB_NEED(e->key);
        v->has_exists = true;
        v->exists = nb_str_starts_with(name, NB_STR("cache/")) &&
                    nb_session_has_local(s->session, (nb_str){name.data + 6, name.len - 6});
        e->value = v;
        a->statuses[a->n_statuses++] = e;
    }
    a->has_session_id = a->has_server_side_session_id = true;
    a->session_id = nb_pb_bytes(s->id);
    a->server_side_session_id = nb_pb_bytes(nb_served_server_id(s));
    return nb_service_reply(r->call, arena, &a->base, err);
}

nb_status
nb_handle_artifact_status(nb_rpc_call *call, void *service, nb_error *err)
{
    nb_service_request r;
    nb_status st;

    NB_TRY_GOTO(
        st, nb_service_begin(&r, call, service, &sc__artifact_statuses_request__descriptor, 5, err),
        done);
    NB_TRY_GOTO(st, nb_served_open(service, &r.head, true, &r.served, err), done);
    st = artifact_status(&r, err);
done:
    return nb_service_finish(&r, st, err);
}
