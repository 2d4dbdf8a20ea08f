/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collect.c: results, LIMIT, OFFSET and tail: rows kept in the order of their morsels.
 *
 * Each thread builds chunks; a chunk ends where the thread's next morsel does not follow directly, so that chunks sorted by their first
 * morsel are the rows in order. With a limit, a thread stops as soon as rows of earlier morsels and of its own make up the
 * number wanted: later morsels, and all that it would claim from now on are later, cannot matter. For that the threads keep a shared
 * list of how many rows each morsel has given.
 *
 * Memory   with an overflow, a thread keeps its chunks to itself until the end; when they are more than its share of what was free at the
 *          start, or too little is left for others, they go to the overflow, which moves rows to disk in its own way.
 */
#include "exec/operators.h"

#include <pthread.h>
#include "exec/sources.h"

#define CHUNK_ROWS  (1 << 20)
#define SPILL_LEAST ((size_t)256 * 1024) /* less is not worth a trip to the disk */

typedef struct counted {
    uint64_t order;
    int64_t n_rows;
} counted;

typedef struct collect_op {
    nb_operator base;
    const nb_type *schema;
    const nb_exec_ctx *ctx;
    int64_t limit, offset;
    int64_t tail;   /* -1: not a tail */
    int64_t wanted; /* limit + offset; -1: all */
    nb_overflow overflow;
    atomic_int n_spilled;  /* trips to it */
    size_t share, reserve; /* bytes that a thread may hold; that are left to others */
    nb_table *table;
    pthread_mutex_t lock; /* guards what follows */
    nb_chunk **chunks;
    int n_chunks, cap_chunks;
    counted *counts; /* only with a limit */
    int n_counts, cap_counts;
} collect_op;

typedef struct collect_local {
    nb_chunk_builder *builder;
    uint64_t last_order;
    int32_t partition;
    int64_t own;   /* rows of the morsel under way that were kept */
    bool counting; /* it has an entry in counts */
    int count_index;
    nb_chunk **chunks; /* with an overflow: its own until the end */
    int n_chunks, cap_chunks;
    int n_settled; /* of them have been to the overflow */
    size_t held;   /* by those that have not */
    int64_t held_rows;
} collect_local;

static nb_status
collect_open_global(nb_operator *op, const nb_exec_ctx *ctx, nb_error *err)
{
    collect_op *c = (collect_op *)op;

    size_t available = nb_pool_available(ctx->pool);

    (void)err;
    c->ctx = ctx;
    c->share = available / 2 / (size_t)NB_MAX(ctx->n_threads, 1);
    c->reserve = available > SIZE_MAX / 2 ? 0 : available / 4;
    return nb_table_new(ctx->pool, c->schema, &c->table);
}

static nb_status
collect_open_local(nb_operator *op, nb_thread_ctx *t, void **local, nb_error *err)
{
    collect_op *c = (collect_op *)op;
    collect_local *l = NB_ARENA_NEW(nb_thread_memory(t), collect_local);

    (void)err;
    if (l == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_chunk_builder_new(c->ctx->pool, c->schema, &l->builder));
    l->last_order = UINT64_MAX;
    *local = l;
    return NB_OK;
}

/* Appends a chunk to a list in the pool; on failure it stays the caller's. */
static nb_status
list_add(nb_pool *pool, nb_chunk ***list, int *n, int *cap, nb_chunk *chunk)
{
    if (*n == *cap) {
        int grown_cap = *cap ? 2 * *cap : 16;
        nb_chunk **grown = nb_pool_realloc(pool, *list, (size_t)*cap * sizeof(*grown),
                                           (size_t)grown_cap * sizeof(*grown));
        if (grown == NULL) {
            return NB_NOMEM;
        }
        *list = grown;
        *cap = grown_cap;
    }
    (*list)[(*n)++] = chunk;
    return NB_OK;
}

/* Gives the finished chunk to the shared list, or to the thread's own. */
static nb_status
hand_over(collect_op *c, collect_local *l)
{
    size_t bytes = nb_chunk_builder_bytes(l->builder);
    nb_chunk *chunk;
    nb_status st;

    NB_TRY(nb_chunk_builder_finish(l->builder, &chunk));
    if (chunk == NULL) {
        return NB_OK;
    }
    if (c->overflow.take != NULL) {
        l->held += bytes;
        l->held_rows += chunk->n_rows;
        st = list_add(c->ctx->pool, &l->chunks, &l->n_chunks, &l->cap_chunks, chunk);
    } else {
        pthread_mutex_lock(&c->lock);
        st = list_add(c->ctx->pool, &c->chunks, &c->n_chunks, &c->cap_chunks, chunk);
        pthread_mutex_unlock(&c->lock);
    }
    if (st < 0) {
        nb_chunk_free(chunk);
    }
    return st;
}

/* What the thread holds goes to the overflow. */
static nb_status
spill(collect_op *c, collect_local *l, nb_error *err)
{
    int n;
    nb_status st;

    NB_TRY(hand_over(c, l));
    atomic_fetch_add(&c->n_spilled, 1);
    n = l->n_settled;
    st = l->n_chunks > n
             ? c->overflow.take(c->overflow.payload, l->chunks + n, l->n_chunks - n, err)
             : NB_OK;
    for (int i = n; i < l->n_chunks; i++) {
        if (l->chunks[i] != NULL) {
            l->chunks[n++] = l->chunks[i];
        }
    }
    l->n_chunks = l->n_settled = n;
    l->held = 0;
    l->held_rows = 0;
    return st;
}

/* Is it time to? */
static bool
must_spill(const collect_op *c, const collect_local *l)
{
    int64_t rows = l->held_rows + nb_chunk_builder_rows(l->builder);
    size_t held = l->held + nb_chunk_builder_bytes(l->builder);

    if (c->overflow.take == NULL || rows == 0) {
        return false;
    }
    return c->ctx->force_spill || held + (size_t)rows * c->overflow.row_bytes > c->share ||
           (held > SPILL_LEAST && nb_pool_available(c->ctx->pool) < c->reserve);
}

/* How many of the batch's rows can still matter; counts them in. */
static nb_status
claim(collect_op *c, collect_local *l, const nb_batch *batch, int64_t *n)
{
    int64_t before = 0;
    nb_status st = NB_OK;

    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < c->n_counts; i++) {
        before += c->counts[i].order < batch->order ? c->counts[i].n_rows : 0;
    }
    *n = NB_MAX(NB_MIN(c->wanted - before - l->own, batch->n_rows), 0);
    if (!l->counting && *n > 0) {
        if (c->n_counts == c->cap_counts) {
            int cap = c->cap_counts ? 2 * c->cap_counts : 16;
            counted *grown =
                nb_pool_realloc(c->ctx->pool, c->counts, (size_t)c->cap_counts * sizeof(*grown),
                                (size_t)cap * sizeof(*grown));
            if (grown == NULL) {
                st = NB_NOMEM;
            } else {
                c->counts = grown;
                c->cap_counts = cap;
            }
        }
        if (st == NB_OK) {
            l->count_index = c->n_counts++;
            c->counts[l->count_index] = (counted){batch->order, 0};
            l->counting = true;
        }
    }
    if (l->counting) {
        c->counts[l->count_index].n_rows += *n;
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

static nb_status
collect_push(nb_operator *op, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    collect_op *c = (collect_op *)op;
    collect_local *l = local;
    int64_t n = batch->n_rows;

    nb_status st;

    (void)t;
    if (must_spill(c, l)) {
        NB_TRY(spill(c, l, err));
    }
    if (batch->partition != l->partition ||
        (batch->order != l->last_order && batch->order != l->last_order + 1) ||
        (batch->order == l->last_order &&
         (nb_chunk_builder_rows(l->builder) >= CHUNK_ROWS ||
          (c->overflow.piece_bytes > 0 &&
           nb_chunk_builder_bytes(l->builder) >= c->overflow.piece_bytes)))) {
        NB_TRY(hand_over(c, l));
    }
    l->partition = batch->partition;
    if (batch->order != l->last_order) {
        l->last_order = batch->order;
        l->own = 0;
        l->counting = false;
    }
    if (c->wanted >= 0) {
        NB_TRY(claim(c, l, batch, &n));
        l->own += n;
        if (n == 0) {
            return NB_DONE;
        }
    }
    if (n < batch->n_rows) {
        uint32_t *keep = NB_ARENA_ARRAY(batch->arena, uint32_t, n);

        if (keep == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < n; i++) {
            keep[i] = (uint32_t)i;
        }
        NB_TRY(nb_batch_select(batch, keep, n));
    }
    st = nb_chunk_builder_append(l->builder, batch);
    if (st == NB_NOMEM && c->overflow.take != NULL) {
        NB_TRY(spill(c, l, err));
        st = nb_chunk_builder_append(l->builder, batch);
    }
    return st;
}

static nb_status
collect_combine(nb_operator *op, void *local, nb_thread_ctx *t, nb_error *err)
{
    collect_op *c = (collect_op *)op;
    collect_local *l = local;
    nb_status st = NB_OK;

    (void)t;
    if (c->overflow.all && atomic_load(&c->n_spilled) > 0) {
        NB_TRY(spill(c, l, err));
    }
    NB_TRY(hand_over(c, l));
    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < l->n_chunks && st == NB_OK; i++) {
        st = list_add(c->ctx->pool, &c->chunks, &c->n_chunks, &c->cap_chunks, l->chunks[i]);
        if (st == NB_OK) {
            l->chunks[i] = NULL;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return st;
}

static void
collect_close_local(nb_operator *op, void *local)
{
    collect_op *c = (collect_op *)op;
    collect_local *l = local;

    nb_chunk_builder_free(l->builder);
    for (int i = 0; i < l->n_chunks; i++) {
        nb_chunk_free(l->chunks[i]);
    }
    nb_pool_dealloc(c->ctx->pool, l->chunks, (size_t)l->cap_chunks * sizeof(*l->chunks));
}

static int
by_order(const void *a, const void *b)
{
    const nb_chunk *x = *(nb_chunk *const *)a, *y = *(nb_chunk *const *)b;

    return (x->order > y->order) - (x->order < y->order);
}

/* Chunks of one morsel that was longer than CHUNK_ROWS come from one thread, in order, but others may lie between them: so the sort
 * must be stable. */
static nb_status
sort_chunks(collect_op *c)
{
    size_t n = (size_t)c->n_chunks;
    nb_chunk **sorted;

    sorted = nb_pool_alloc(c->ctx->pool, (n + 1) * sizeof(*sorted));
    if (sorted == NULL) {
        return NB_NOMEM;
    }
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t at = 0; at < n; at += 2 * width) {
            size_t i = at, mid = NB_MIN(at + width, n), j = mid, end = NB_MIN(at + 2 * width, n);

            for (size_t k = at; k < end; k++) {
                bool left = i < mid && (j == end || by_order(&c->chunks[i], &c->chunks[j]) <= 0);

                sorted[k] = left ? c->chunks[i++] : c->chunks[j++];
            }
        }
        memcpy(c->chunks, sorted, n * sizeof(*sorted));
    }
    nb_pool_dealloc(c->ctx->pool, sorted, (n + 1) * sizeof(*sorted));
    return NB_OK;
}

/* Rows [from, from + n) of a chunk, copied. */
static nb_status
copy_rows(collect_op *c, nb_chunk *chunk, int64_t from, int64_t n, nb_chunk **out)
{
    nb_arena *arena = nb_arena_new(c->ctx->pool);
    nb_chunk_builder *b = NULL;
    nb_batch batch;
    nb_status st;

    if (arena == NULL) {
        return NB_NOMEM;
    }
    NB_TRY_GOTO(st, nb_chunk_builder_new(c->ctx->pool, c->schema, &b), done);
    NB_TRY_GOTO(st, nb_chunk_batch(chunk, c->schema->n_children, from, n, arena, &batch), done);
    batch.order = chunk->order;
    batch.partition = chunk->partition;
    NB_TRY_GOTO(st, nb_chunk_builder_append(b, &batch), done);
    NB_TRY_GOTO(st, nb_chunk_builder_finish(b, out), done);
done:
    nb_chunk_builder_free(b);
    nb_arena_free(arena);
    return st;
}

static nb_status
collect_finalize(nb_operator *op, const nb_exec_ctx *ctx, nb_error *err)
{
    collect_op *c = (collect_op *)op;
    int64_t from = c->offset, to = INT64_MAX, at = 0, total = 0;

    (void)ctx;
    (void)err;
    NB_TRY(sort_chunks(c));
    for (int i = 0; i < c->n_chunks; i++) {
        total += c->chunks[i]->n_rows;
    }
    if (c->tail >= 0) {
        from = NB_MAX(total - c->tail, 0);
    } else if (c->limit >= 0) {
        to = c->offset + c->limit;
    }
    for (int i = 0; i < c->n_chunks; i++) {
        nb_chunk *chunk = c->chunks[i];
        int64_t n = chunk->n_rows;
        int64_t first = NB_MIN(NB_MAX(from - at, 0), n), end = NB_MIN(NB_MAX(to - at, 0), n);

        at += n;
        if (first >= end) {
            continue;
        }
        if (end - first < n) {
            NB_TRY(copy_rows(c, chunk, first, end - first, &chunk));
            nb_chunk_free(c->chunks[i]);
        }
        c->chunks[i] = chunk;
        if (c->limit >= 0 || c->offset > 0 || c->tail >= 0) { /* as Spark has it */
            chunk->partition = 0;
        }
        NB_TRY(nb_table_append(c->table, chunk));
        c->chunks[i] = NULL;
    }
    return NB_OK;
}

static nb_status
collect_make_source(nb_operator *op, const nb_exec_ctx *ctx, nb_source **out, nb_error *err)
{
    collect_op *c = (collect_op *)op;

    (void)err;
    return nb_table_source_new(ctx->pool, c->table, c->schema, NULL, -1, ctx->cancel, out);
}

static void
collect_close(nb_operator *op)
{
    collect_op *c = (collect_op *)op;

    for (int i = 0; i < c->n_chunks; i++) {
        nb_chunk_free(c->chunks[i]);
    }
    if (c->ctx != NULL) {
        nb_pool_dealloc(c->ctx->pool, c->chunks, (size_t)c->cap_chunks * sizeof(*c->chunks));
        nb_pool_dealloc(c->ctx->pool, c->counts, (size_t)c->cap_counts * sizeof(*c->counts));
    }
    nb_table_release(c->table);
    pthread_mutex_destroy(&c->lock);
}

static const nb_operator_ops COLLECT = {
    .name = "Collect",
    .open_global = collect_open_global,
    .open_local = collect_open_local,
    .push = collect_push,
    .combine = collect_combine,
    .finalize = collect_finalize,
    .make_source = collect_make_source,
    .close_local = collect_close_local,
    .close = collect_close,
};

static nb_status
new_op(nb_run *run, nb_node *node, const nb_type *schema, collect_op **out)
{
    collect_op *c = NB_OPERATOR_NEW(run, collect_op, &COLLECT, node);

    if (c == NULL) {
        return NB_NOMEM;
    }
    c->schema = schema;
    c->limit = c->tail = c->wanted = -1;
    pthread_mutex_init(&c->lock, NULL);
    *out = c;
    return NB_OK;
}

nb_status
nb_collect_new(nb_run *run, nb_node *node, const nb_type *schema, int64_t limit, int64_t offset,
               nb_operator **out)
{
    collect_op *c;

    NB_TRY(new_op(run, node, schema, &c));
    c->limit = limit;
    c->offset = NB_MAX(offset, 0);
    if (limit >= 0 && __builtin_add_overflow(limit, c->offset, &c->wanted)) {
        c->wanted = -1;
    }
    *out = &c->base;
    return NB_OK;
}

nb_status
nb_tail_new(nb_run *run, nb_node *node, const nb_type *schema, int64_t n, nb_operator **out)
{
    collect_op *c;

    NB_TRY(new_op(run, node, schema, &c));
    c->tail = NB_MAX(n, 0);
    *out = &c->base;
    return NB_OK;
}

void
nb_collect_on_overflow(nb_operator *op, nb_overflow overflow)
{
    ((collect_op *)op)->overflow = overflow;
}

nb_table *
nb_collect_table(nb_operator *op)
{
    nb_table *table = ((collect_op *)op)->table;

    ((collect_op *)op)->table = NULL;
    return table;
}
