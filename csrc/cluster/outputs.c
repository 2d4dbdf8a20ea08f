/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outputs.c: see outputs.h.
 *
 * What is sent is not read: the file is mapped, and gRPC sends from the mapping, so that the kernel copies bytes of the page cache once, into the
 * socket. A message holds references to the outputs that it is made of; the last one unmaps and closes the file.
 */
#include "cluster/outputs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include "cluster/fragment_internal.h"
#include "plan/message_unpack.h"

#define MESSAGE_BYTES ((size_t)4 << 20)
#define MOST_PIECES   64

typedef struct output {
    struct output *next;
    /* Atomic for the thread of gRPC that gives a piece back: gRPC orders it by its own counts, which sanitizers do not see. */
    nb_outputs *_Atomic of;
    nb_handoff_key key;
    nb_spill_file *file;
    char *mapped; /* NULL: not (yet) */
    int refs;
} output;

struct nb_outputs {
    nb_pool *pool;
    pthread_mutex_t lock; /* guards what follows, and what outputs have */
    output *first;
    int n;       /* outputs, those under way to a reader included */
    bool closed; /* goes with the last of them: gRPC may hold pieces for longer than a call lasts */
};

nb_status
nb_outputs_new(nb_outputs **out)
{
    nb_pool *pool = nb_pool_new(NULL, "outputs", 0);
    nb_outputs *o = pool ? nb_pool_zalloc(pool, sizeof(*o)) : NULL;

    if (o == NULL) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    o->pool = pool;
    pthread_mutex_init(&o->lock, NULL);
    *out = o;
    return NB_OK;
}

/* Gives the lock back, and ends it all when nobody needs it any more. */
static void
leave(nb_outputs *o)
{
    bool last = o->closed && o->n == 0;
    nb_pool *pool = o->pool;

    pthread_mutex_unlock(&o->lock);
    if (last) {
        pthread_mutex_destroy(&o->lock);
        nb_pool_dealloc(pool, o, sizeof(*o));
        nb_pool_free(pool);
    }
}

void
nb_outputs_free(nb_outputs *o)
{
    if (o == NULL) {
        return;
    }
    nb_outputs_forget_all(o);
    pthread_mutex_lock(&o->lock);
    o->closed = true;
    leave(o);
}

/* The lock is held. */
static void
unref(output *f)
{
    nb_outputs *o = f->of;

    if (--f->refs > 0) {
        return;
    }
    if (f->mapped != NULL) {
        munmap(f->mapped, (size_t)nb_spill_file_size(f->file));
    }
    nb_spill_file_free(f->file);
    o->n--;
    nb_pool_dealloc(o->pool, f, sizeof(*f));
}

static void
give_back(void *payload)
{
    output *f = payload;
    nb_outputs *o = atomic_load_explicit(&f->of, memory_order_acquire);

    pthread_mutex_lock(&o->lock);
    unref(f);
    leave(o);
}

nb_status
nb_outputs_keep(nb_outputs *o, const nb_handoff_key *key, nb_spill_file *file)
{
    output *f = nb_pool_zalloc(o->pool, sizeof(*f));

    if (f == NULL) {
        nb_spill_file_free(file);
        return NB_NOMEM;
    }
    *f = (output){.key = *key, .file = file, .refs = 1};
    atomic_store_explicit(&f->of, o, memory_order_release);
    pthread_mutex_lock(&o->lock);
    f->next = o->first;
    o->first = f;
    o->n++;
    pthread_mutex_unlock(&o->lock);
    return NB_OK;
}

static void
forget(nb_outputs *o, bool all, uint64_t query)
{
    output **at = &o->first;

    pthread_mutex_lock(&o->lock);
    while (*at != NULL) {
        output *f = *at;

        if (all || f->key.query == query) {
            *at = f->next;
            unref(f);
        } else {
            at = &f->next;
        }
    }
    pthread_mutex_unlock(&o->lock);
}

void
nb_outputs_forget(nb_outputs *o, uint64_t query)
{
    forget(o, false, query);
}

void
nb_outputs_forget_all(nb_outputs *o)
{
    forget(o, true, 0);
}

/* A reference; NULL: it is not here. The lock is held. */
static output *
find(nb_outputs *o, const nb_handoff_key *key)
{
    output *f = o->first;

    while (f != NULL && (f->key.query != key->query || f->key.stage != key->stage ||
                         f->key.task != key->task || f->key.attempt != key->attempt)) {
        f = f->next;
    }
    if (f != NULL) {
        f->refs++;
    }
    return f;
}

int
nb_outputs_open(void *outputs, const nb_handoff_key *key)
{
    nb_outputs *o = outputs;
    output *f;
    int fd;

    pthread_mutex_lock(&o->lock);
    f = find(o, key);
    pthread_mutex_unlock(&o->lock);
    if (f == NULL) {
        return -1;
    }
    fd = nb_spill_file_open_again(f->file);
    give_back(f);
    return fd;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* A message under way. */
typedef struct parcel {
    nb_rpc_piece pieces[MOST_PIECES];
    int n;
    size_t n_bytes;
} parcel;

static nb_status
send_parcel(parcel *p, nb_rpc_call *call, nb_error *err)
{
    int n = p->n;

    p->n = 0;
    p->n_bytes = 0;
    return n > 0 ? nb_rpc_call_send_pieces(call, p->pieces, n, err) : NB_OK;
}

/* Adds n bytes of a mapped file, of which the piece gets a reference of its own. */
static nb_status
add_piece(parcel *p, output *f, size_t from, size_t n, nb_rpc_call *call, nb_error *err)
{
    nb_outputs *o = f->of;

    pthread_mutex_lock(&o->lock);
    f->refs++;
    pthread_mutex_unlock(&o->lock);
    p->pieces[p->n++] = (nb_rpc_piece){{f->mapped + from, n}, give_back, f};
    p->n_bytes += n;
    return p->n == MOST_PIECES || p->n_bytes == MESSAGE_BYTES ? send_parcel(p, call, err) : NB_OK;
}

static nb_status
map_output(output *f, nb_error *err)
{
    size_t n = (size_t)nb_spill_file_size(f->file);
    nb_outputs *o = f->of;
    nb_status st = NB_OK;

    pthread_mutex_lock(&o->lock);
    if (f->mapped == NULL && n > 0) {
        char *at = mmap(NULL, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        st = at != MAP_FAILED ? nb_spill_file_map(f->file, at, n, err) : NB_NOMEM;
        if (st == NB_OK) {
            f->mapped = at;
        } else if (at != MAP_FAILED) {
            munmap(at, n);
        }
    }
    pthread_mutex_unlock(&o->lock);
    return st;
}

static nb_status
send_ranges(output *f, const Nbc__FetchFile *m, parcel *p, nb_rpc_call *call, nb_error *err)
{
    int64_t size = nb_spill_file_size(f->file);

    NB_TRY(map_output(f, err));
    for (size_t i = 0; i + 1 < m->n_ranges; i += 2) {
        int64_t from = m->ranges[i], left = m->ranges[i + 1];

        if (from < 0 || left < 0 || from > size || left > size - from) {
            return nb_raise_internal(err, "a range outside of the blocks of a task");
        }
        while (left > 0) {
            size_t n = NB_MIN((size_t)left, MESSAGE_BYTES - p->n_bytes);

            NB_TRY(add_piece(p, f, (size_t)from, n, call, err));
            from += (int64_t)n;
            left -= (int64_t)n;
        }
    }
    return NB_OK;
}

static nb_status
send_file(nb_outputs *o, uint64_t query, const Nbc__FetchFile *m, parcel *p, nb_rpc_call *call,
          nb_error *err)
{
    nb_handoff_key key = {query, m->stage, m->task, m->attempt};
    nb_status st;
    output *f;

    pthread_mutex_lock(&o->lock);
    f = find(o, &key);
    pthread_mutex_unlock(&o->lock);
    if (f == NULL) {
        return nb_raise_internal(err, "the blocks of stage %u, task %u are not here", m->stage,
                                 m->task);
    }
    st = send_ranges(f, m, p, call, err);
    give_back(f);
    return st;
}

nb_status
nb_outputs_serve(nb_rpc_call *call, void *outputs, nb_error *err)
{
    nb_str request = nb_rpc_call_request(call);
    nb_arena *arena = nb_arena_new(NULL);
    ProtobufCMessage *m;
    const Nbc__Fetch *fetch;
    parcel p = {.n = 0};
    nb_status st = NB_NOMEM;

    if (arena != NULL) {
        st = nb_message_unpack(arena, &nbc__fetch__descriptor, request.data, request.len, &m, err);
    }
    if (st == NB_OK) {
        fetch = (const Nbc__Fetch *)m;
        for (size_t i = 0; i < fetch->n_files && st == NB_OK; i++) {
            st = send_file(outputs, fetch->query, fetch->files[i], &p, call, err);
        }
    }
    if (st == NB_OK) {
        st = send_parcel(&p, call, err);
    }
    for (int i = 0; i < p.n; i++) { /* of a message that is not sent */
        give_back(p.pieces[i].payload);
    }
    nb_arena_free(arena);
    return st;
}
