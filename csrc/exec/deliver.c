/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deliver.c: rows that leave, in order, while the query runs: results, and what goes into files.
 *
 * Each thread builds chunks of about a MiB; a chunk ends where the thread's next morsel does not follow directly. Finished chunks wait in a list in
 * the order of their first morsel. The first of them may go once no thread can still give rows of an earlier morsel: morsels are claimed
 * in order, so that is told by what each thread is at and what it has not handed over yet (see `frontier`). Small chunks are put together
 * on their way out, unless the other side has been waiting for some time.
 *
 * Memory   what waits is bounded: a thread with too much before it waits too, until those with earlier morsels have caught up. The one
 *          that all wait for goes on.
 * Threads  who hands over a chunk gives away what may go, if nobody else is at it. That may wait for the receiver; the others go on
 *          meanwhile, within the bound. A thread with an early morsel has begun already, so waiting for it is safe (base/thread.h).
 */
#include "exec/operators.h"

#include <pthread.h>
#include <time.h>
#include "base/clock.h"
#include "base/thread.h"

#define CHUNK_BYTES   ((size_t)1 << 20)
#define SMALL_BYTES   (CHUNK_BYTES / 4) /* these are put together */
#define CHUNK_COST    ((size_t)4096)    /* at least */
#define WAITING_BYTES ((size_t)16 << 20)
#define LATE_NS       ((int64_t)20 * 1000000) /* rows leave that soon, also few of them */
#define LOOK_AGAIN_MS 2                       /* threads pass over empty morsels without a word */

/* A chunk that waits for those before it. */
typedef struct waiting {
    struct waiting *prev, *next;
    nb_chunk *chunk;
    size_t n_bytes;
} waiting;

typedef struct held {
    _Alignas(64)
        atomic_ullong order; /* of the first row in the thread's builder; UINT64_MAX: none */
} held;

typedef struct deliver_op {
    nb_operator base;
    const nb_type *schema;
    const nb_exec_ctx *ctx;
    nb_delivery *to;
    bool
        by_partition; /* a chunk has rows of one Spark partition; nobody waits for the first ones */
    int64_t limit;    /* -1: none */
    size_t most_waiting;     /* bytes */
    held *held;              /* per thread */
    atomic_llong last_ns;    /* when rows left */
    nb_chunk_builder *joint; /* small chunks on their way out; who delivers has it */
    int32_t joint_partition;
    int64_t n_given;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    waiting *first, *last;
    size_t n_bytes; /* of those that wait */
    bool delivering, done;
} deliver_op;

typedef struct deliver_local {
    nb_chunk_builder *builder;
    uint64_t last_order;
    int32_t partition;
} deliver_local;

static nb_status
deliver_open_global(nb_operator *op, const nb_exec_ctx *ctx, nb_error *err)
{
    deliver_op *d = (deliver_op *)op;

    (void)err;
    d->ctx = ctx;
    d->most_waiting = NB_MIN(WAITING_BYTES, nb_pool_available(ctx->pool) / 8);
    for (int i = 0; i < NB_MAX(ctx->n_threads, 1); i++) {
        atomic_store(&d->held[i].order, UINT64_MAX);
    }
    atomic_store(&d->last_ns, nb_clock_mono_ns());
    return nb_chunk_builder_new(ctx->pool, d->schema, &d->joint);
}

static nb_status
deliver_open_local(nb_operator *op, nb_thread_ctx *t, void **local, nb_error *err)
{
    deliver_op *d = (deliver_op *)op;
    deliver_local *l = NB_ARENA_NEW(nb_thread_memory(t), deliver_local);

    (void)err;
    if (l == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_chunk_builder_new(d->ctx->pool, d->schema, &l->builder));
    nb_chunk_builder_steady(l->builder);
    l->last_order = UINT64_MAX;
    *local = l;
    return NB_OK;
}

/* ---- out ------------------------------------------------------------------------------------- */

static bool
is_late(deliver_op *d)
{
    return !d->by_partition &&
           nb_clock_mono_ns() - atomic_load_explicit(&d->last_ns, memory_order_relaxed) > LATE_NS;
}

static nb_status
give(deliver_op *d, nb_chunk *chunk, size_t n_bytes, nb_error *err)
{
    nb_status st;

    d->to->begun = true;
    d->n_given += chunk->n_rows;
    st = d->to->take(d->to->payload, chunk, d->schema, n_bytes, err);
    atomic_store_explicit(&d->last_ns, nb_clock_mono_ns(), memory_order_relaxed);
    return st == NB_OK && d->limit >= 0 && d->n_given >= d->limit ? NB_DONE : st;
}

static nb_status
give_joint(deliver_op *d, nb_error *err)
{
    size_t n_bytes = nb_chunk_builder_filled(d->joint);
    nb_chunk *chunk;

    NB_TRY(nb_chunk_builder_finish(d->joint, &chunk));
    return chunk == NULL ? NB_OK : give(d, chunk, n_bytes, err);
}

/* The next rows in order. The chunk is moved. */
static nb_status
give_next(deliver_op *d, nb_chunk *chunk, size_t n_bytes, nb_error *err)
{
    int64_t joint = nb_chunk_builder_rows(d->joint);
    nb_status st = NB_OK;

    if (d->limit >= 0) {
        chunk->n_rows = NB_MIN(chunk->n_rows, d->limit - d->n_given - joint);
    }
    if (d->by_partition && joint > 0 && chunk->partition != d->joint_partition) {
        st = give_joint(d, err);
        if (st != NB_OK) {
            nb_chunk_free(chunk);
            return st;
        }
    }
    d->joint_partition = chunk->partition;
    if (n_bytes < SMALL_BYTES) {
        nb_arena *arena = nb_arena_new(d->ctx->pool);
        nb_batch batch;

        st = arena == NULL
                 ? NB_NOMEM
                 : nb_chunk_batch(chunk, d->schema->n_children, 0, chunk->n_rows, arena, &batch);
        if (st == NB_OK) {
            st = nb_chunk_builder_append(d->joint, &batch);
        }
        nb_arena_free(arena);
        nb_chunk_free(chunk);
        NB_TRY(st);
        joint = nb_chunk_builder_rows(d->joint);
        if (nb_chunk_builder_filled(d->joint) < CHUNK_BYTES && !is_late(d) &&
            (d->limit < 0 || d->n_given + joint < d->limit)) {
            return NB_OK;
        }
        return give_joint(d, err);
    }
    st = give_joint(d, err);
    if (st != NB_OK) {
        nb_chunk_free(chunk);
        return st;
    }
    return give(d, chunk, n_bytes, err);
}

/* ---- order ----------------------------------------------------------------------------------- */

/* No row of an earlier morsel than this can come any more; *of: a thread that is there. Where a thread is must be read before what it
 * holds: it holds rows of a morsel before it goes on to the next. */
static uint64_t
frontier(const deliver_op *d, const nb_thread_ctx *t, int *of)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < nb_thread_count(t); i++) {
        uint64_t at = nb_thread_progress(t, i);
        uint64_t holds = atomic_load(&d->held[i].order);

        if (NB_MIN(at, holds) < least) {
            least = NB_MIN(at, holds);
            *of = i;
        }
    }
    return least;
}

/* Chunks of one morsel keep the order in which they come. */
static void
insert(deliver_op *d, waiting *w)
{
    waiting *before = d->last;

    while (before != NULL && before->chunk->order > w->chunk->order) {
        before = before->prev;
    }
    w->prev = before;
    w->next = before ? before->next : d->first;
    *(before ? &before->next : &d->first) = w;
    *(w->next ? &w->next->prev : &d->last) = w;
    d->n_bytes += w->n_bytes;
}

static nb_chunk *
remove_first(deliver_op *d, size_t *n_bytes)
{
    waiting *w = d->first;
    nb_chunk *chunk = w->chunk;

    *n_bytes = w->n_bytes;
    d->first = w->next;
    *(w->next ? &w->next->prev : &d->last) = NULL;
    d->n_bytes -= w->n_bytes;
    nb_pool_dealloc(d->ctx->pool, w, sizeof(*w));
    return chunk;
}

/* Gives away all that may go; under the lock. t NULL: all threads have ended. */
static nb_status
give_ready(deliver_op *d, const nb_thread_ctx *t, nb_error *err)
{
    nb_status st = NB_OK;
    int of;

    while (!d->delivering && !d->done && d->first != NULL && st == NB_OK &&
           (t == NULL || d->first->chunk->order <= frontier(d, t, &of))) {
        size_t n_bytes;
        nb_chunk *chunk = remove_first(d, &n_bytes);

        d->delivering = true;
        pthread_mutex_unlock(&d->lock);
        st = give_next(d, chunk, n_bytes, err);
        pthread_mutex_lock(&d->lock);
        d->delivering = false;
        d->done = st != NB_OK;
        pthread_cond_broadcast(&d->changed);
    }
    return st;
}

static void
wait_a_little(deliver_op *d)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)LOOK_AGAIN_MS * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    nb_threads_wait_begin();
    pthread_cond_timedwait(&d->changed, &d->lock, &until);
    nb_threads_wait_end();
}

/* The builder's rows become a chunk that waits for its turn. */
static nb_status
hand_over(deliver_op *d, deliver_local *l, nb_thread_ctx *t, nb_error *err)
{
    size_t n_bytes = NB_MAX(nb_chunk_builder_filled(l->builder), CHUNK_COST);
    int number = nb_thread_number(t), first = -1;
    nb_status st = NB_OK;
    waiting *w;

    if (nb_chunk_builder_rows(l->builder) > 0) {
        w = nb_pool_zalloc(d->ctx->pool, sizeof(*w));
        if (w == NULL) {
            return NB_NOMEM;
        }
        w->n_bytes = n_bytes;
        st = nb_chunk_builder_finish(l->builder, &w->chunk);
        if (st < 0) {
            nb_pool_dealloc(d->ctx->pool, w, sizeof(*w));
            return st;
        }
        pthread_mutex_lock(&d->lock);
        insert(d, w);
        atomic_store(&d->held[number].order, UINT64_MAX);
        pthread_mutex_unlock(&d->lock);
    }
    pthread_mutex_lock(&d->lock);
    for (;;) {
        st = give_ready(d, t, err);
        if (st != NB_OK || d->done || d->n_bytes <= d->most_waiting) {
            break;
        }
        frontier(d, t, &first);
        if (!d->delivering && first == number) {
            break; /* all wait for this thread */
        }
        if (nb_thread_must_stop(t)) {
            st = NB_CANCELLED;
            break;
        }
        wait_a_little(d);
    }
    st = st == NB_OK && d->done ? NB_DONE : st;
    pthread_mutex_unlock(&d->lock);
    return st;
}

static nb_status
deliver_push(nb_operator *op, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    deliver_op *d = (deliver_op *)op;
    deliver_local *l = local;

    if (d->by_partition) {
        nb_thread_wrote(t, batch->n_rows);
    }
    if (nb_chunk_builder_filled(l->builder) >= CHUNK_BYTES ||
        (d->by_partition && batch->partition != l->partition) ||
        (batch->order != l->last_order && (batch->order != l->last_order + 1 || is_late(d)))) {
        nb_status st = hand_over(d, l, t, err);

        if (st != NB_OK) {
            return st;
        }
    }
    l->last_order = batch->order;
    l->partition = batch->partition;
    if (nb_chunk_builder_rows(l->builder) == 0) {
        atomic_store(&d->held[nb_thread_number(t)].order, batch->order);
    }
    return nb_chunk_builder_append(l->builder, batch);
}

static nb_status
deliver_flush(nb_operator *op, void *local, nb_thread_ctx *t, nb_error *err)
{
    nb_status st = hand_over((deliver_op *)op, local, t, err);

    return st == NB_DONE ? NB_OK : st;
}

static nb_status
deliver_finalize(nb_operator *op, const nb_exec_ctx *ctx, nb_error *err)
{
    deliver_op *d = (deliver_op *)op;
    nb_status st;

    (void)ctx;
    pthread_mutex_lock(&d->lock);
    st = give_ready(d, NULL, err);
    pthread_mutex_unlock(&d->lock);
    if (st == NB_OK && !d->done) {
        st = give_joint(d, err);
    }
    return st == NB_DONE ? NB_OK : st;
}

static void
deliver_close_local(nb_operator *op, void *local)
{
    (void)op;
    nb_chunk_builder_free(((deliver_local *)local)->builder);
}

static void
deliver_close(nb_operator *op)
{
    deliver_op *d = (deliver_op *)op;

    while (d->first != NULL) {
        size_t n_bytes;

        nb_chunk_free(remove_first(d, &n_bytes));
    }
    nb_chunk_builder_free(d->joint);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
}

static const nb_operator_ops DELIVER = {
    .name = "Deliver",
    .open_global = deliver_open_global,
    .open_local = deliver_open_local,
    .push = deliver_push,
    .flush = deliver_flush,
    .finalize = deliver_finalize,
    .close_local = deliver_close_local,
    .close = deliver_close,
};

nb_status
nb_deliver_new(nb_run *run, nb_node *node, const nb_type *schema, int64_t limit, nb_delivery *to,
               bool by_partition, nb_operator **out)
{
    size_t n = (size_t)NB_MAX(nb_run_ctx(run)->n_threads, 1);
    deliver_op *d = NB_OPERATOR_NEW(run, deliver_op, &DELIVER, node);
    held *lines = nb_arena_zalloc(nb_run_arena(run), (n + 1) * sizeof(*lines));
    pthread_condattr_t attr;

    if (d == NULL || lines == NULL) {
        return NB_NOMEM;
    }
    d->schema = schema;
    d->limit = limit;
    d->to = to;
    d->by_partition = by_partition;
    d->held = (held *)NB_ALIGN_UP((uintptr_t)lines, _Alignof(held));
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&d->changed, &attr);
    pthread_condattr_destroy(&attr);
    *out = &d->base;
    return NB_OK;
}

nb_status
nb_deliver_table(nb_delivery *delivery, const nb_table *table, nb_error *err)
{
    nb_status st = NB_OK;

    for (int i = 0; i < table->n_chunks && st == NB_OK; i++) {
        delivery->begun = true;
        st = delivery->take(delivery->payload, nb_chunk_ref(table->chunks[i]), table->schema, 0,
                            err);
    }
    return st == NB_DONE ? NB_OK : st;
}
