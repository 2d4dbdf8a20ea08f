/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch.c: see fetch.h.
 *
 * One call per worker brings all that it has, into one buffer; the blocks are then read in the order of the tasks. A worker that has
 * not sent it within STALL_MS counts as one that has lost its blocks: the scheduler has them made again.
 */
#include "cluster/fetch.h"

#include "cluster/block.h"
#include "cluster/fragment_internal.h"
#include "cluster/scheduler.h"
#include "rpc/call.h"

#define STALL_MS 120000

nb_status
nb_peers_init(nb_peers *p, nb_str token)
{
    *p = (nb_peers){.token = token, .pool = nb_pool_new(NULL, "peers", 0)};
    pthread_mutex_init(&p->lock, NULL);
    return p->pool ? NB_OK : NB_NOMEM;
}

void
nb_peers_free(nb_peers *p)
{
    for (int i = 0; i < p->n; i++) {
        nb_rpc_channel_release(p->channels[i]);
    }
    if (p->pool != NULL) {
        nb_pool_dealloc(p->pool, p->channels, (size_t)p->cap * sizeof(*p->channels));
        nb_pool_free(p->pool);
    }
    pthread_mutex_destroy(&p->lock);
}

nb_status
nb_peers_channel(nb_peers *p, nb_str address, nb_rpc_channel **out, nb_error *err)
{
    nb_rpc_channel_options options = NB_RPC_CHANNEL_OPTIONS_INIT;
    nb_status st = NB_OK;

    *out = NULL;
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < p->n && *out == NULL; i++) {
        if (nb_str_equal(nb_rpc_channel_target(p->channels[i]), address)) {
            *out = nb_rpc_channel_ref(p->channels[i]);
        }
    }
    if (*out == NULL) {
        options.target = address;
        options.token = p->token;
        st = nb_rpc_channel_new(&options, out, err);
        if (st == NB_OK && p->n == p->cap) {
            int cap = p->cap ? 2 * p->cap : 8;
            nb_rpc_channel **grown =
                nb_pool_realloc(p->pool, p->channels, (size_t)p->cap * sizeof(*grown),
                                (size_t)cap * sizeof(*grown));

            if (grown != NULL) {
                p->channels = grown;
                p->cap = cap;
            }
        }
        if (st == NB_OK && p->n < p->cap) { /* else it is not kept */
            p->channels[p->n++] = nb_rpc_channel_ref(*out);
        }
    }
    pthread_mutex_unlock(&p->lock);
    return st;
}

static bool
wanted(const Nbc__Output *o, size_t i, int bucket)
{
    return bucket < 0 || o->segments[3 * i] == bucket;
}

/* Bytes of the wanted segments; false when the list is malformed. */
static bool
bytes_of(const Nbc__Output *o, int bucket, size_t *n)
{
    *n = 0;
    if (o->n_segments % 3 != 0) {
        return false;
    }
    for (size_t i = 0; i < o->n_segments / 3; i++) {
        int64_t from = o->segments[3 * i + 1], len = o->segments[3 * i + 2];

        if (from < 0 || len < 0 || len > (int64_t)1 << 40 || from > (int64_t)1 << 50 ||
            (o->has_blocks && (size_t)(from + len) > o->blocks.len)) {
            return false;
        }
        *n += wanted(o, i, bucket) ? (size_t)len : 0;
    }
    return true;
}

/* All that one worker has, into buffers[i] of its outputs. */
static nb_status
fetch_remote(nb_fetch *f, int stage, int bucket, Nbc__Output *const *outputs, size_t n,
             uint32_t worker, nb_str address, nb_buffer **buffers, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    Nbc__Fetch *m = arena ? NB_WIRE_NEW(arena, Nbc__Fetch, nbc__fetch) : NULL;
    nb_rpc_options options = NB_RPC_OPTIONS_INIT;
    nb_rpc_channel *channel = NULL;
    nb_rpc_stream *stream = NULL;
    nb_rpc_message *message = NULL;
    nb_status st = NB_NOMEM;
    size_t at = 0, offset = 0;
    nb_str bytes;

    if (m == NULL || (m->files = NB_ARENA_ARRAY(arena, Nbc__FetchFile *, n + 1)) == NULL) {
        goto done;
    }
    NB_WIRE_SET(m, query, f->query);
    for (size_t i = 0; i < n; i++) {
        Nbc__FetchFile *file;

        if (outputs[i]->worker != worker || buffers[i] == NULL || outputs[i]->has_blocks) {
            continue;
        }
        file = NB_WIRE_NEW(arena, Nbc__FetchFile, nbc__fetch_file);
        if (file == NULL ||
            (file->ranges = NB_ARENA_ARRAY(arena, int64_t, outputs[i]->n_segments + 1)) == NULL) {
            goto done;
        }
        NB_WIRE_SET(file, stage, (uint32_t)stage);
        NB_WIRE_SET(file, task, outputs[i]->task);
        NB_WIRE_SET(file, attempt, outputs[i]->attempt);
        for (size_t k = 0; k < outputs[i]->n_segments / 3; k++) {
            if (wanted(outputs[i], k, bucket)) {
                file->ranges[file->n_ranges++] = outputs[i]->segments[3 * k + 1];
                file->ranges[file->n_ranges++] = outputs[i]->segments[3 * k + 2];
            }
        }
        m->files[m->n_files++] = file;
    }
    bytes.len = protobuf_c_message_get_packed_size(&m->base);
    bytes.data = nb_arena_alloc(arena, bytes.len + 1);
    if (bytes.data == NULL) {
        goto done;
    }
    protobuf_c_message_pack(&m->base, (uint8_t *)(uintptr_t)bytes.data);
    options.cancel = f->cancel;
    options.deadline_ms = STALL_MS;
    if (worker == NB_SCHED_DRIVER) {
        channel = nb_rpc_channel_ref(f->driver);
    } else {
        NB_TRY_GOTO(st, nb_peers_channel(f->peers, address, &channel, err), done);
    }
    NB_TRY_GOTO(
        st,
        nb_rpc_open(channel, NB_FETCH_METHOD, &NB_RPC_PIECE(bytes), true, &options, &stream, err),
        done);
    for (;;) {
        size_t size, used = 0;

        st = nb_rpc_receive(stream, &message, NULL, err);
        if (st != NB_OK) {
            break;
        }
        size = nb_rpc_message_size(message);
        while (used < size) {
            size_t k;

            while (at < n && (buffers[at] == NULL || outputs[at]->worker != worker ||
                              outputs[at]->has_blocks || offset == buffers[at]->n_bytes)) {
                at++;
                offset = 0;
            }
            if (at == n) {
                st = nb_raise_internal(err, "a worker has sent more than was asked for");
                goto done;
            }
            k = NB_MIN(size - used, buffers[at]->n_bytes - offset);
            nb_rpc_message_read(message, used, k, buffers[at]->data + offset);
            used += k;
            offset += k;
        }
        nb_rpc_message_free(message);
        message = NULL;
    }
    if (st == NB_DONE) {
        st = NB_OK;
        while (at < n && (buffers[at] == NULL || outputs[at]->worker != worker ||
                          outputs[at]->has_blocks || offset == buffers[at]->n_bytes)) {
            at++;
            offset = 0;
        }
        if (at < n) {
            st = nb_raise_internal(err, "a worker has sent less than was asked for");
        }
    }
done:
    nb_rpc_message_free(message);
    nb_rpc_close(stream);
    nb_rpc_channel_release(channel);
    nb_arena_free(arena);
    if (st == NB_ERROR && !nb_cancelled(f->cancel)) {
        f->failed = true;
        f->lost_worker = worker;
        f->lost_stage = stage;
    }
    return st;
}

static nb_status
fetch_local(nb_fetch *f, int stage, int bucket, const Nbc__Output *o, nb_buffer *buffer,
            nb_error *err)
{
    size_t at = 0;

    for (size_t i = 0; i < o->n_segments / 3; i++) {
        int64_t from = o->segments[3 * i + 1];
        size_t len = (size_t)o->segments[3 * i + 2];

        if (!wanted(o, i, bucket)) {
            continue;
        }
        if (o->has_blocks) {
            memcpy(buffer->data + at, o->blocks.data + from, len);
        } else {
            NB_TRY(f->local(f->payload, stage, o, from, len, buffer->data + at, err));
        }
        at += len;
    }
    return NB_OK;
}

static nb_status
fetch_all(nb_fetch *f, int stage, int bucket, Nbc__Output *const *outputs, size_t n,
          nb_buffer **buffers, nb_error *err)
{
    for (size_t i = 0; i < n; i++) {
        bool first = true;

        if (buffers[i] == NULL) {
            continue;
        }
        if (outputs[i]->has_blocks || outputs[i]->worker == f->self) {
            NB_TRY(fetch_local(f, stage, bucket, outputs[i], buffers[i], err));
            continue;
        }
        for (size_t k = 0; k < i; k++) {
            first &= buffers[k] == NULL || outputs[k]->has_blocks ||
                     outputs[k]->worker != outputs[i]->worker;
        }
        if (first) {
            NB_TRY(fetch_remote(f, stage, bucket, outputs, n, outputs[i]->worker,
                                nb_wire_text(outputs[i]->address), buffers, err));
        }
    }
    return NB_OK;
}

/* Reads what was fetched, by buckets. */
static nb_status
append_blocks(int bucket, Nbc__Output *const *outputs, size_t n, nb_buffer **buffers, size_t *at,
              size_t *offsets, nb_pool *pool, nb_table *into, nb_error *err)
{
    for (;;) {
        int64_t next = INT64_MAX;

        for (size_t i = 0; i < n; i++) { /* at[i]: the next wanted segment */
            while (at[i] < outputs[i]->n_segments / 3 && !wanted(outputs[i], at[i], bucket)) {
                at[i]++;
            }
            if (at[i] < outputs[i]->n_segments / 3) {
                next = NB_MIN(next, outputs[i]->segments[3 * at[i]]);
            }
        }
        if (next == INT64_MAX) {
            return NB_OK;
        }
        for (size_t i = 0; i < n; i++) {
            size_t from = offsets[i];

            for (; at[i] < outputs[i]->n_segments / 3 && outputs[i]->segments[3 * at[i]] == next;
                 at[i]++) {
                offsets[i] += (size_t)outputs[i]->segments[3 * at[i] + 2];
            }
            if (offsets[i] > from) {
                NB_TRY(nb_wire_block_read(pool, buffers[i], from, offsets[i], into, err));
            }
        }
    }
}

nb_status
nb_fetch_run(nb_fetch *f, int stage, int bucket, Nbc__Output *const *outputs, size_t n,
             nb_pool *pool, nb_table *into, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_buffer **buffers = arena ? nb_arena_zalloc(arena, (n + 1) * sizeof(*buffers)) : NULL;
    size_t *at = arena ? nb_arena_zalloc(arena, (n + 1) * sizeof(*at)) : NULL;
    size_t *offsets = arena ? nb_arena_zalloc(arena, (n + 1) * sizeof(*offsets)) : NULL;
    nb_status st = buffers && at && offsets ? NB_OK : NB_NOMEM;

    for (size_t i = 0; i < n && st == NB_OK; i++) {
        size_t bytes;

        if (!bytes_of(outputs[i], bucket, &bytes)) {
            st = nb_raise_internal(err, "the blocks of a task are listed wrongly");
        } else if (bytes > 0) {
            st = nb_buffer_new(pool, bytes, &buffers[i]);
        }
    }
    if (st == NB_OK) {
        st = fetch_all(f, stage, bucket, outputs, n, buffers, err);
    }
    if (st == NB_OK) {
        st = append_blocks(bucket, outputs, n, buffers, at, offsets, pool, into, err);
    }
    for (size_t i = 0; buffers != NULL && i < n; i++) {
        nb_buffer_release(buffers[i]);
    }
    nb_arena_free(arena);
    return st;
}
