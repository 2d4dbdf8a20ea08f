/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window_stream.c: window functions over rows that a sorter (sorter.h) gives: block by block, when they do not fit into memory.
 *
 * A block is whole partitions of at least BLOCK_ROWS rows, as in window.c, taken from one range of the sorter: ranges never cut a partition.
 * Functions that go on from row to row (row_number, rank, dense_rank, running aggregates) need no whole partition: then a block ends
 * with a group of peers, and what the functions have come to is carried into the next one. Other functions see a partition as a table, whose
 * rows lie in mapped files where it is too large.
 */
#include "exec/mapped_chunk.h"
#include "exec/window_internal.h"

#define BLOCK_ROWS  16384
#define PIECE_LEAST ((size_t)1 << 20)

typedef struct stream_source {
    nb_source base;
    const nb_exec_ctx *ctx;
    nb_node *node;
    const nb_window *plan; /* keys and functions; lives in an arena of the run */
    nb_source *rows;       /* owned */
    const nb_type *schema; /* of its rows */
    bool running;
    size_t reserve;
} stream_source;

typedef struct stream_local {
    nb_pool *pool;
    nb_window w; /* of the block */
    nb_window_carry carry;
    void *rows_local;
    nb_chunk_builder *builder;
    nb_arena *batch_memory, *block_memory, *last_memory[2], *memory;
    nb_batch batch; /* of the rows; [batch_at, n_rows) are of the next block */
    int64_t batch_at;
    bool has_batch, ended;
    uint64_t order;
    nb_vector *last; /* keys of the row before */
    nb_vector *results;
    int64_t at; /* rows of the block that are out */
} stream_local;

/* ---- reading a block ------------------------------------------------------------------------- */

static void
drop_block(stream_local *l)
{
    nb_window *w = &l->w;

    if (w->ids != NULL) {
        nb_pool_dealloc(w->pool, w->ids, (size_t)w->n_rows * sizeof(uint32_t));
    }
    if (w->starts != NULL) {
        nb_pool_dealloc(w->pool, w->starts, (size_t)w->n_rows);
    }
    nb_table_release(w->table);
    w->ids = NULL;
    w->starts = NULL;
    w->table = NULL;
    w->n_rows = 0;
}

/* Is row i of the batch another one than the row before it, in the first n keys? */
static bool
differs(const stream_local *l, int n, int64_t i)
{
    for (int k = 0; k < n; k++) {
        const nb_vector *v = &l->batch.cols[l->w.keys[k].col];

        if (i > 0 ? nb_vector_compare(v, i, v, i - 1) != 0
                  : nb_vector_compare(v, 0, &l->last[k], 0) != 0) {
            return true;
        }
    }
    return false;
}

/* Rows so far become a chunk of the block, on disk if they are to. */
static nb_status
end_piece(stream_source *s, stream_local *l, bool to_disk, nb_error *err)
{
    nb_chunk *chunk;
    nb_status st = NB_OK;

    NB_TRY(nb_chunk_builder_finish(l->builder, &chunk));
    if (chunk == NULL) {
        return NB_OK;
    }
    if (to_disk) {
        st = nb_mapped_chunks_new(l->pool, s->ctx->spill_dir, s->node, s->schema, &chunk, 1, err);
    }
    if (st == NB_OK) {
        st = nb_table_append(l->w.table, chunk);
    }
    if (st < 0) {
        nb_chunk_free(chunk);
    }
    return st;
}

/* Appends rows [batch_at, to) of the batch. */
static nb_status
take_rows(stream_source *s, stream_local *l, int64_t to, nb_error *err)
{
    nb_arena *swap = l->last_memory[0];
    int64_t n = to - l->batch_at;
    uint32_t *idx;
    nb_status st;

    if (n == 0) {
        return NB_OK;
    }
    idx = NB_ARENA_ARRAY(l->batch_memory, uint32_t, n);
    if (idx == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        idx[i] = (uint32_t)(l->batch_at + i);
    }
    if (nb_chunk_builder_bytes(l->builder) > PIECE_LEAST &&
        nb_pool_available(l->pool) < s->reserve) {
        NB_TRY(end_piece(s, l, true, err));
    }
    st = nb_chunk_builder_append_rows(l->builder, l->batch.cols, idx, n);
    if (st == NB_NOMEM && nb_chunk_builder_rows(l->builder) > 0) {
        NB_TRY(end_piece(s, l, true, err));
        st = nb_chunk_builder_append_rows(l->builder, l->batch.cols, idx, n);
    }
    NB_TRY(st);
    /* the last row's keys outlive the batch */
    l->last_memory[0] = l->last_memory[1];
    l->last_memory[1] = swap;
    nb_arena_reset(l->last_memory[0]);
    for (int k = 0; k < l->w.n_keys; k++) {
        nb_vector one;

        NB_TRY(
            nb_vector_slice(l->last_memory[0], &l->batch.cols[l->w.keys[k].col], to - 1, 1, &one));
        NB_TRY(nb_vector_copy(l->last_memory[0], &one, &l->last[k]));
    }
    l->w.n_rows += n;
    l->batch_at = to;
    return NB_OK;
}

/* Collects the rows of a block. *continues: its last partition goes on in the next one. */
static nb_status
read_rows(stream_source *s, stream_local *l, bool *continues, nb_error *err)
{
    int n_apart = s->running ? l->w.n_keys : l->w.n_partition;

    *continues = false;
    while (!l->ended) {
        int64_t to;

        if (!l->has_batch || l->batch_at == l->batch.n_rows) {
            nb_status st;

            nb_arena_reset(l->batch_memory);
            l->has_batch = false;
            st = s->rows->ops->next(s->rows, l->rows_local, l->batch_memory, &l->batch, err);
            if (st == NB_DONE) {
                l->ended = true;
                return NB_OK;
            }
            NB_TRY(st);
            l->has_batch = true;
            l->batch_at = 0;
        }
        if (l->w.n_rows > 0 && l->batch.order != l->order) {
            return NB_OK;
        }
        l->order = l->batch.order;
        to = l->batch.n_rows;
        if (l->w.n_rows >= BLOCK_ROWS) {
            for (to = l->batch_at; to < l->batch.n_rows && !differs(l, n_apart, to); to++) {
            }
        }
        NB_TRY(take_rows(s, l, to, err));
        if (to < l->batch.n_rows) {
            *continues = s->running && !differs(l, l->w.n_partition, to);
            return NB_OK;
        }
    }
    return NB_OK;
}

/* What the next block goes on from. */
static void
carry_on(stream_local *l)
{
    nb_window_carry *c = &l->carry;
    const nb_window *w = &l->w;
    int64_t from = w->n_rows - 1, groups = 0;

    while (from > 0 && !(w->starts[from] & 1)) {
        from--;
    }
    for (int64_t i = from; i < w->n_rows; i++) {
        groups += (w->starts[i] & 2) != 0;
    }
    if (from > 0 || !c->active) {
        c->rows = c->groups = 0;
    }
    c->rows += w->n_rows - from;
    c->groups += groups;
    c->active = true;
}

static nb_status
next_block(stream_source *s, stream_local *l, nb_error *err)
{
    nb_window *w = &l->w;
    bool continues;

    drop_block(l);
    nb_arena_reset(l->block_memory);
    NB_TRY(nb_table_new(l->pool, s->schema, &w->table));
    NB_TRY(read_rows(s, l, &continues, err));
    NB_TRY(end_piece(s, l, false, err));
    if (w->n_rows == 0) {
        return NB_DONE;
    }
    NB_TRY(nb_row_index_init(l->block_memory, w->table, &w->index));
    w->ids = nb_pool_alloc(w->pool, (size_t)w->n_rows * sizeof(uint32_t));
    if (w->ids == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < w->n_rows; i++) {
        w->ids[i] = (uint32_t)i;
    }
    NB_TRY(nb_window_mark(w, 1));
    NB_TRY(nb_window_compute(w, 0, w->n_rows, l->block_memory, l->results, err));
    if (continues) {
        carry_on(l);
    } else {
        l->carry.active = false;
    }
    l->at = 0;
    return NB_OK;
}

/* ---- the source ------------------------------------------------------------------------------ */

static void
stream_close_local(nb_source *src, void *local)
{
    stream_source *s = (stream_source *)src;
    stream_local *l = local;

    drop_block(l);
    nb_chunk_builder_free(l->builder);
    if (l->rows_local != NULL) {
        s->rows->ops->close_local(s->rows, l->rows_local);
    }
    nb_arena_free(l->batch_memory);
    nb_arena_free(l->block_memory);
    nb_arena_free(l->last_memory[0]);
    nb_arena_free(l->last_memory[1]);
    nb_arena_free(l->memory);
    nb_pool_dealloc(l->pool, l, sizeof(*l));
}

static nb_status
stream_open_local(nb_source *src, nb_pool *pool, void **local, nb_error *err)
{
    stream_source *s = (stream_source *)src;
    stream_local *l = nb_pool_zalloc(pool, sizeof(*l));
    nb_status st;

    if (l == NULL) {
        return NB_NOMEM;
    }
    l->pool = pool;
    l->w = *s->plan;
    l->w.pool = pool;
    l->w.carry = &l->carry;
    l->memory = nb_arena_new(pool);
    l->batch_memory = nb_arena_new(pool);
    l->block_memory = nb_arena_new(pool);
    l->last_memory[0] = nb_arena_new(pool);
    l->last_memory[1] = nb_arena_new(pool);
    st = l->memory && l->batch_memory && l->block_memory && l->last_memory[0] && l->last_memory[1]
             ? NB_OK
             : NB_NOMEM;
    if (st == NB_OK) {
        l->last = nb_arena_zalloc(l->memory, sizeof(nb_vector) * (size_t)(l->w.n_keys + 1));
        l->results = nb_arena_zalloc(l->memory, sizeof(nb_vector) * (size_t)(l->w.n_fns + 1));
        l->carry.states = nb_arena_zalloc(l->memory, sizeof(void *) * (size_t)(l->w.n_fns + 1));
        st = l->last && l->results && l->carry.states ? NB_OK : NB_NOMEM;
    }
    for (int f = 0; f < l->w.n_fns && st == NB_OK && s->running; f++) {
        if (l->w.fns[f].kind == NB_WINDOW_AGGREGATE) {
            l->carry.states[f] = nb_arena_zalloc(l->memory, nb_window_state_bytes(&l->w.fns[f]));
            st = l->carry.states[f] ? NB_OK : NB_NOMEM;
        }
    }
    if (st == NB_OK) {
        st = nb_chunk_builder_new(pool, s->schema, &l->builder);
    }
    if (st == NB_OK) {
        st = s->rows->ops->open_local(s->rows, pool, &l->rows_local, err);
    }
    if (st < 0) {
        stream_close_local(src, l);
        return st;
    }
    *local = l;
    return NB_OK;
}

static nb_status
stream_next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    stream_source *s = (stream_source *)src;
    stream_local *l = local;
    const nb_window *w = &l->w;
    int64_t n;

    if (l->at >= w->n_rows) {
        nb_status st = next_block(s, l, err);

        if (st != NB_OK) {
            return st;
        }
    }
    n = NB_MIN(w->n_rows - l->at, NB_BATCH_ROWS);
    NB_TRY(nb_window_rows(w, l->results, 0, l->at, n, scratch, out));
    out->order = l->order;
    l->at += n;
    atomic_fetch_add_explicit(&src->rows_read, n, memory_order_relaxed);
    return NB_OK;
}

static void
stream_free(nb_source *src)
{
    stream_source *s = (stream_source *)src;

    s->rows->ops->free(s->rows);
    nb_pool_dealloc(s->ctx->pool, s, sizeof(*s));
}

static const nb_source_ops STREAM_SOURCE = {
    .name = "window over a sorter",
    .open_local = stream_open_local,
    .next = stream_next,
    .close_local = stream_close_local,
    .free = stream_free,
};

/* Do all functions go on from row to row? */
static bool
is_running(const nb_window *w)
{
    for (int f = 0; f < w->n_fns; f++) {
        const nb_window_fn *fn = &w->fns[f];
        bool rank = fn->kind == NB_WINDOW_ROW_NUMBER || fn->kind == NB_WINDOW_RANK ||
                    fn->kind == NB_WINDOW_DENSE_RANK;
        bool sum = fn->kind == NB_WINDOW_AGGREGATE && fn->fn->u.agg.ops->serialize == NULL &&
                   fn->frame->lower == NB_BOUND_UNBOUNDED && fn->frame->upper == NB_BOUND_CURRENT;

        if (!rank && !sum) {
            return false;
        }
    }
    return true;
}

nb_status
nb_window_stream_new(const nb_exec_ctx *ctx, nb_node *node, const nb_window *plan,
                     const nb_type *rows_schema, nb_source *rows, nb_source **out)
{
    stream_source *s = nb_pool_zalloc(ctx->pool, sizeof(*s));
    size_t available = nb_pool_available(ctx->pool);

    if (s == NULL) {
        rows->ops->free(rows);
        return NB_NOMEM;
    }
    s->base.ops = &STREAM_SOURCE;
    s->base.schema = node->schema;
    s->base.cancel = ctx->cancel;
    s->base.n_partitions = 1;
    s->ctx = ctx;
    s->node = node;
    s->plan = plan;
    s->rows = rows;
    s->schema = rows_schema;
    s->running = is_running(plan);
    s->reserve = available < SIZE_MAX / 2 ? available / 2 : 0;
    *out = &s->base;
    return NB_OK;
}
