/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_artifacts.c: AddArtifacts and ArtifactStatus.
 *
 * A stream of messages brings whole artifacts in batches, or one in chunks. Each chunk has a checksum; an artifact with a wrong one is
 * reported and not kept. Names of the form "cache/HASH" are local data by the hash by which plans refer to it; these stay in memory. Others
 * (files, archives, Python modules) become files of the session, see artifacts.h. As in Spark, only local data has a status.
 */
#include <zlib.h>
#include "base/buffer.h"
#include "connect/artifacts.h"
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
    bool open;
    nb_buffer *bytes;  /* of local data, or */
    nb_artifact *file; /* of a file */
    int64_t n_bytes, filled;
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

/* ---- what comes ------------------------------------------------------------------------------ */

static nb_status
open_artifact(upload *u, nb_str name, int64_t n_bytes, nb_error *err)
{
    nb_session *session = u->served->session;

    u->name = name;
    u->n_bytes = n_bytes;
    u->filled = 0;
    if (nb_str_starts_with(name, NB_STR("cache/")) && name.len > 6) {
        NB_TRY(nb_buffer_new(nb_session_pool(session), (size_t)n_bytes, &u->bytes));
    } else {
        NB_TRY(nb_artifact_begin(session, name, &u->file, err));
    }
    u->open = true;
    return NB_OK;
}

static nb_status
raise_misfit(nb_error *err)
{
    return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                    "chunks of an artifact that do not fit together", NULL);
}

static nb_status
put_data(upload *u, ProtobufCBinaryData data, nb_error *err)
{
    if ((int64_t)data.len > u->n_bytes - u->filled) {
        return raise_misfit(err);
    }
    if (u->file) {
        NB_TRY(nb_artifact_write(u->file, data.data, data.len, err));
    } else if (data.len) {
        memcpy(u->bytes->data + u->filled, data.data, data.len);
    }
    u->filled += (int64_t)data.len;
    return NB_OK;
}

static void
close_artifact(upload *u)
{
    nb_buffer_release(u->bytes);
    nb_artifact_free(u->file);
    u->bytes = NULL;
    u->file = NULL;
    u->open = false;
}

/* Keeps what is open, if it is good, and reports it. */
static nb_status
end_artifact(upload *u, bool good, nb_error *err)
{
    nb_status st = NB_OK;

    if (u->filled != u->n_bytes) {
        return raise_misfit(err);
    }
    if (good && u->file) {
        st = nb_artifact_finish(u->file, err);
    } else if (good) {
        st = nb_session_add_blob(u->served->session, (nb_str){u->name.data + 6, u->name.len - 6},
                                 u->bytes, err);
    }
    close_artifact(u);
    NB_TRY(st);
    return add_summary(u, u->name, good);
}

static nb_status
add_whole(upload *u, const Sc__AddArtifactsRequest__SingleChunkArtifact *a, nb_error *err)
{
    if (u->open) {
        return raise_misfit(err);
    }
    if (!a->data || !checksum_is_right(a->data)) {
        return add_summary(u, nb_pb_str(a->name), false);
    }
    NB_TRY(open_artifact(u, nb_pb_str(a->name), (int64_t)a->data->data.len, err));
    NB_TRY(put_data(u, a->data->data, err));
    return end_artifact(u, true, err);
}

static nb_status
add_chunk(upload *u, const Sc__AddArtifactsRequest__ArtifactChunk *c, nb_error *err)
{
    if (!u->open || u->chunks_left <= 0 || !c) {
        return raise_misfit(err);
    }
    u->good = u->good && checksum_is_right(c);
    NB_TRY(put_data(u, c->data, err));
    return --u->chunks_left > 0 ? NB_OK : end_artifact(u, u->good, err);
}

static nb_status
begin_chunks(upload *u, const Sc__AddArtifactsRequest__BeginChunkedArtifact *b, nb_error *err)
{
    nb_str name;

    if (u->open || b->total_bytes < 0 || b->total_bytes > MAX_ARTIFACT_BYTES || b->num_chunks < 1) {
        return raise_misfit(err);
    }
    name = nb_arena_str(u->arena, nb_pb_str(b->name));
    NB_NEED(name.data);
    NB_TRY(open_artifact(u, name, b->total_bytes, err));
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
    if (u.open) {
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
    close_artifact(&u);
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
