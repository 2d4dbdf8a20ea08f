/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch.c: see fetch.h.
 *
 * Files of this process and of others on this host are mapped. From elsewhere one call per worker brings all that it has. The blocks are
 * then read by buckets, in the order of the tasks. A worker that sends nothing for some time (nb_fetch_check), or not all within STALL_MS,
 * counts as one that has lost its blocks: the scheduler has them made again.
 */
#include "cluster/fetch.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "cluster/block.h"
#include "cluster/fragment_internal.h"
#include "cluster/scheduler.h"
#include "rpc/call.h"

#define STALL_MS 600000

nb_status
nb_peers_init(nb_peers *p, const nb_rpc_channel_options *options)
{
    *p = (nb_peers){.options = *options, .pool = nb_pool_new(NULL, "peers", 0)};
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
    nb_rpc_channel_options options = p->options;
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

/* What an output's blocks are read from. */
typedef struct source {
    nb_buffer *bytes; /* NULL: nothing is wanted, or not there yet */
    bool mapped;      /* the whole file; else the wanted segments behind each other */
    size_t wanted;    /* bytes */
} source;

/* Is output i still to be had from this worker by a call? */
static bool
comes_by_call(const nb_fetch *f, const Nbc__Output *o, const source *s, uint32_t worker)
{
    return o->worker == worker && worker != f->self && !o->has_blocks && s->wanted > 0 &&
           !s->mapped;
}

void
nb_fetch_check(nb_fetch *f, int64_t most_ms)
{
    pthread_mutex_lock(&f->lock);
    if (f->stream != NULL && nb_clock_mono_ns() - f->progress_ns > most_ms * 1000000) {
        atomic_store(&f->stalled, true);
        nb_rpc_cancel(f->stream);
    }
    pthread_mutex_unlock(&f->lock);
}

/* The call that is to be watched; NULL: none. */
static void
watch(nb_fetch *f, nb_rpc_stream *stream)
{
    pthread_mutex_lock(&f->lock);
    f->stream = stream;
    f->progress_ns = nb_clock_mono_ns();
    pthread_mutex_unlock(&f->lock);
}

/* All that one worker has, into the sources of its outputs. */
static nb_status
fetch_remote(nb_fetch *f, int stage, int bucket, Nbc__Output *const *outputs, size_t n,
             uint32_t worker, nb_str address, nb_pool *pool, source *sources, nb_error *err)
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

        if (!comes_by_call(f, outputs[i], &sources[i], worker)) {
            continue;
        }
        NB_TRY_GOTO(st, nb_buffer_new(pool, sources[i].wanted, &sources[i].bytes), done);
        st = NB_NOMEM;
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

        watch(f, stream);
        st = nb_rpc_receive(stream, &message, NULL, err);
        if (st != NB_OK) {
            break;
        }
        size = nb_rpc_message_size(message);
        while (used < size) {
            size_t k;

            while (at < n && (!comes_by_call(f, outputs[at], &sources[at], worker) ||
                              offset == sources[at].wanted)) {
                at++;
                offset = 0;
            }
            if (at == n) {
                st = nb_raise_internal(err, "a worker has sent more than was asked for");
                goto done;
            }
            k = NB_MIN(size - used, sources[at].wanted - offset);
            nb_rpc_message_read(message, used, k, sources[at].bytes->data + offset);
            used += k;
            offset += k;
        }
        nb_rpc_message_free(message);
        message = NULL;
    }
    if (st == NB_DONE) {
        st = NB_OK;
        while (at < n && (!comes_by_call(f, outputs[at], &sources[at], worker) ||
                          offset == sources[at].wanted)) {
            at++;
            offset = 0;
        }
        if (at < n) {
            st = nb_raise_internal(err, "a worker has sent less than was asked for");
        }
    }
done:
    watch(f, NULL);
    if (atomic_load(&f->stalled) && st < 0 && !nb_cancelled(f->cancel)) {
        nb_error_clear(err);
        st = nb_raise_internal(err, "worker %u sends nothing", worker);
    }
    nb_rpc_message_free(message);
    nb_rpc_close(stream);
    nb_rpc_channel_release(channel);
    nb_arena_free(arena);
    if (st == NB_ERROR && !nb_cancelled(f->cancel)) {
        f->failed = true;
        f->lost_worker = worker;
    }
    return st;
}

/* ---- files ----------------------------------------------------------------------------------- */

typedef struct mapping {
    void *at;
    size_t n;
    nb_pool *pool;
} mapping;

static void
unmap(void *payload)
{
    mapping *m = payload;

    munmap(m->at, m->n);
    nb_pool_dealloc(m->pool, m, sizeof(*m));
}

/* Maps a file, and closes its descriptor. false: it cannot be, or has too few bytes for what is wanted. */
static bool
map_file(nb_peers *p, int fd, const Nbc__Output *o, source *out)
{
    mapping *m = nb_pool_zalloc(p->pool, sizeof(*m));
    struct stat st = {0};
    bool ok = m != NULL && fstat(fd, &st) == 0 && st.st_size > 0;

    for (size_t i = 0; ok && i < o->n_segments / 3; i++) {
        ok = o->segments[3 * i + 1] + o->segments[3 * i + 2] <= st.st_size;
    }
    if (ok) {
        *m = (mapping){mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0),
                       (size_t)st.st_size, p->pool};
        ok = m->at != MAP_FAILED;
    }
    close(fd);
    if (ok && nb_buffer_wrap(m->at, m->n, unmap, m, &out->bytes) < 0) {
        munmap(m->at, m->n);
        ok = false;
    }
    if (!ok) {
        nb_pool_dealloc(p->pool, m, sizeof(*m));
    }
    out->mapped = ok;
    return ok;
}

static nb_handoff_key
key_of(const nb_fetch *f, int stage, const Nbc__Output *o)
{
    return (nb_handoff_key){f->query, (uint32_t)stage, o->task, o->attempt};
}

static nb_status
fetch_own(nb_fetch *f, int stage, const Nbc__Output *o, source *out, nb_error *err)
{
    nb_handoff_key key = key_of(f, stage, o);
    int fd = f->open ? f->open(f->payload, &key) : -1;

    if (fd >= 0 && map_file(f->peers, fd, o, out)) {
        return NB_OK;
    }
    f->failed = true;
    f->lost_worker = f->self;
    return nb_raise_internal(err, "blocks of this worker are gone");
}

/* The files of one worker, if it is on this host; those that cannot be had this way are left to a call. */
static void
fetch_from_host(nb_fetch *f, int stage, Nbc__Output *const *outputs, size_t n, uint32_t worker,
                nb_str name, source *sources)
{
    int connection = nb_handoff_connect(name), fd;
    nb_status st = connection >= 0 ? NB_OK : NB_DONE;

    for (size_t i = 0; i < n && st == NB_OK; i++) {
        nb_handoff_key key = key_of(f, stage, outputs[i]);

        if (!comes_by_call(f, outputs[i], &sources[i], worker)) {
            continue;
        }
        st = nb_handoff_ask(connection, &key, &fd);
        if (st == NB_OK && !map_file(f->peers, fd, outputs[i], &sources[i])) {
            break;
        }
    }
    if (connection >= 0) {
        close(connection);
    }
}

/* ---- all together ---------------------------------------------------------------------------- */

/* Blocks that came with the message. */
static nb_status
copy_blocks(int bucket, const Nbc__Output *o, nb_pool *pool, source *out)
{
    size_t at = 0;

    NB_TRY(nb_buffer_new(pool, out->wanted, &out->bytes));
    for (size_t i = 0; i < o->n_segments / 3; i++) {
        size_t len = (size_t)o->segments[3 * i + 2];

        if (wanted(o, i, bucket)) {
            memcpy(out->bytes->data + at, o->blocks.data + o->segments[3 * i + 1], len);
            at += len;
        }
    }
    return NB_OK;
}

static nb_status
fetch_all(nb_fetch *f, int stage, int bucket, Nbc__Output *const *outputs, size_t n, nb_pool *pool,
          source *sources, nb_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const Nbc__Output *o = outputs[i];

        if (sources[i].wanted == 0 || sources[i].bytes != NULL) {
            continue;
        }
        if (o->has_blocks) {
            NB_TRY(copy_blocks(bucket, o, pool, &sources[i]));
        } else if (o->worker == f->self) {
            NB_TRY(fetch_own(f, stage, o, &sources[i], err));
        } else {
            fetch_from_host(f, stage, outputs, n, o->worker, nb_wire_text(o->local_name), sources);
            if (!sources[i].mapped) {
                NB_TRY(fetch_remote(f, stage, bucket, outputs, n, o->worker,
                                    nb_wire_text(o->address), pool, sources, err));
            }
        }
    }
    return NB_OK;
}

/* Reads what was fetched, by buckets. at: per output the next segment; offsets: where it begins when only wanted ones are there. */
static nb_status
append_blocks(int bucket, Nbc__Output *const *outputs, size_t n, const source *sources, size_t *at,
              size_t *offsets, nb_pool *pool, nb_table *into, nb_error *err)
{
    for (;;) {
        int64_t next = INT64_MAX;

        for (size_t i = 0; i < n; i++) {
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
            const int64_t *s = &outputs[i]->segments[3 * at[i]];

            for (; at[i] < outputs[i]->n_segments / 3 && s[0] == next; at[i]++, s += 3) {
                size_t from = sources[i].mapped ? (size_t)s[1] : offsets[i], len = (size_t)s[2];

                offsets[i] += len;
                if (len > 0) {
                    NB_TRY(nb_wire_block_read(pool, sources[i].bytes, from, from + len, into, err));
                }
            }
        }
    }
}

nb_status
nb_fetch_run(nb_fetch *f, int stage, int bucket, Nbc__Output *const *outputs, size_t n,
             nb_pool *pool, nb_table *into, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    source *sources = arena ? nb_arena_zalloc(arena, (n + 1) * sizeof(*sources)) : NULL;
    size_t *at = arena ? nb_arena_zalloc(arena, (n + 1) * sizeof(*at)) : NULL;
    size_t *offsets = arena ? nb_arena_zalloc(arena, (n + 1) * sizeof(*offsets)) : NULL;
    nb_status st = sources && at && offsets ? NB_OK : NB_NOMEM;

    for (size_t i = 0; i < n && st == NB_OK; i++) {
        if (!bytes_of(outputs[i], bucket, &sources[i].wanted)) {
            st = nb_raise_internal(err, "the blocks of a task are listed wrongly");
        }
    }
    if (st == NB_OK) {
        st = fetch_all(f, stage, bucket, outputs, n, pool, sources, err);
    }
    if (st == NB_OK) {
        st = append_blocks(bucket, outputs, n, sources, at, offsets, pool, into, err);
    }
    for (size_t i = 0; sources != NULL && i < n; i++) {
        nb_buffer_release(sources[i].bytes);
    }
    nb_arena_free(arena);
    return st;
}
