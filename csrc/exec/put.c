/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put.c: the end of a task: its rows go to the buckets of an exchange.
 *
 * Rows are gathered per bucket until they are worth a block, and then handed to the context's exchange, which writes them away; so a
 * task holds at most about BLOCK_BYTES per bucket. Runs on one thread (build.c sees to it), so rows of a bucket stay in order.
 *
 * Hash      that of the engine's tables (key_image.h), mixed once more: tables take its top bits, so rows of one bucket must not have
 *           those in common.
 */
#include "exec/operators.h"

#include "exec/key_image.h"

#define BLOCK_BYTES ((size_t)1 << 20)
#define BLOCK_ROWS  ((int64_t)1 << 17)

typedef struct put_op {
    nb_operator base;
    const nb_exec_ctx *ctx;
    nb_arena *arena;
    nb_key_layout layout;
    const nb_type *schema;
    nb_chunk_builder **builders; /* per bucket; NULL until it gets a row */
    int32_t *partitions;         /* of the rows in builders */
    int64_t n_rows;
} put_op;

typedef struct put_local {
    nb_eval *eval;
} put_local;

static nb_status
put_open_global(nb_operator *base, const nb_exec_ctx *ctx, nb_error *err)
{
    put_op *op = (put_op *)base;
    const nb_node *node = base->node;
    int n = node->u.put.n_keys;
    const nb_type **types = NB_ARENA_ARRAY(op->arena, const nb_type *, n + 1);

    if (ctx->exchange == NULL || ctx->exchange->put == NULL) {
        return nb_raise_internal(err, "rows are put to an exchange outside of a task");
    }
    op->ctx = ctx;
    op->schema = node->children[0]->schema;
    op->builders = nb_arena_zalloc(op->arena, (size_t)node->u.put.n_buckets * sizeof(void *));
    op->partitions = nb_arena_zalloc(op->arena, (size_t)node->u.put.n_buckets * sizeof(int32_t));
    if (types == NULL || op->builders == NULL || op->partitions == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < n; k++) {
        types[k] = node->u.put.keys[k]->type;
    }
    return n > 0 ? nb_key_layout_init(op->arena, types, n, n, &op->layout) : NB_OK;
}

static nb_status
put_open_local(nb_operator *base, nb_thread_ctx *t, void **local, nb_error *err)
{
    put_op *op = (put_op *)base;
    put_local *l = NB_ARENA_NEW(nb_thread_memory(t), put_local);

    if (l == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_eval_new(nb_thread_memory(t), base->node->u.put.keys, base->node->u.put.n_keys,
                       op->ctx->info, &l->eval, err));
    *local = l;
    return NB_OK;
}

static void
put_close_local(nb_operator *base, void *local)
{
    (void)base;
    nb_eval_free(((put_local *)local)->eval);
}

static nb_status
hand_over(put_op *op, int bucket, nb_error *err)
{
    nb_chunk *chunk;
    nb_status st;

    NB_TRY(nb_chunk_builder_finish(op->builders[bucket], &chunk));
    if (chunk == NULL) {
        return NB_OK;
    }
    chunk->partition = op->partitions[bucket];
    st = op->ctx->exchange->put(op->ctx->exchange, bucket, chunk, op->schema, err);
    nb_chunk_free(chunk);
    return st;
}

/* Room for rows of this partition in the bucket's builder. */
static nb_status
builder_of(put_op *op, int bucket, int32_t partition, nb_error *err)
{
    if (op->builders[bucket] == NULL) {
        NB_TRY(nb_chunk_builder_new(op->ctx->pool, op->schema, &op->builders[bucket]));
    } else if (op->partitions[bucket] != partition) {
        NB_TRY(hand_over(op, bucket, err));
    }
    op->partitions[bucket] = partition;
    return NB_OK;
}

static nb_status
filled(put_op *op, int bucket, nb_error *err)
{
    nb_chunk_builder *b = op->builders[bucket];

    return nb_chunk_builder_bytes(b) >= BLOCK_BYTES || nb_chunk_builder_rows(b) >= BLOCK_ROWS
               ? hand_over(op, bucket, err)
               : NB_OK;
}

/* All rows to one bucket. */
static nb_status
put_whole(put_op *op, int bucket, nb_batch *batch, nb_error *err)
{
    nb_status st;

    NB_TRY(builder_of(op, bucket, batch->partition, err));
    st = nb_chunk_builder_append(op->builders[bucket], batch);
    if (st == NB_NOMEM && nb_chunk_builder_rows(op->builders[bucket]) > 0) {
        NB_TRY(hand_over(op, bucket, err));
        st = nb_chunk_builder_append(op->builders[bucket], batch);
    }
    NB_TRY(st);
    return filled(op, bucket, err);
}

static nb_status
put_hashed(put_op *op, nb_eval *eval, nb_batch *batch, nb_error *err)
{
    const nb_node *node = op->base.node;
    int n_keys = node->u.put.n_keys, n_buckets = node->u.put.n_buckets;
    int64_t n = batch->n_rows;
    nb_arena *scratch = batch->arena;
    nb_vector *keys = NB_ARENA_ARRAY(scratch, nb_vector, n_keys + 1);
    uint64_t *hashes = NB_ARENA_ARRAY(scratch, uint64_t, n);
    uint32_t *rows = NB_ARENA_ARRAY(scratch, uint32_t, n);
    uint32_t *at = nb_arena_zalloc(scratch, ((size_t)n_buckets + 1) * sizeof(uint32_t));
    uint8_t *images = nb_arena_alloc64(scratch, (size_t)n * (size_t)op->layout.n_bytes);

    if (keys == NULL || hashes == NULL || rows == NULL || at == NULL || images == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < n_keys; k++) {
        NB_TRY(nb_eval_run(eval, k, batch, &keys[k], err));
    }
    NB_TRY(nb_keys_encode(&op->layout, keys, NULL, n, scratch, images));
    nb_keys_hash(&op->layout, 1, images, n, hashes);
    NB_TRY(nb_batch_flatten_selection(batch));
    /* a counting sort of the rows by bucket */
    for (int64_t i = 0; i < n; i++) {
        hashes[i] = (nb_hash_u64(hashes[i]) >> 32) * (uint64_t)n_buckets >> 32;
        at[hashes[i] + 1]++;
    }
    for (int b = 0; b < n_buckets; b++) {
        at[b + 1] += at[b];
    }
    for (int64_t i = 0; i < n; i++) {
        rows[at[hashes[i]]++] = (uint32_t)i;
    }
    for (int b = 0; b < n_buckets; b++) {
        uint32_t from = b > 0 ? at[b - 1] : 0, count = at[b] - from;
        nb_status st;

        if (count == 0) {
            continue;
        }
        NB_TRY(builder_of(op, b, 0, err));
        st = nb_chunk_builder_append_rows(op->builders[b], batch->cols, rows + from, count);
        if (st == NB_NOMEM && nb_chunk_builder_rows(op->builders[b]) > 0) {
            NB_TRY(hand_over(op, b, err));
            st = nb_chunk_builder_append_rows(op->builders[b], batch->cols, rows + from, count);
        }
        NB_TRY(st);
        NB_TRY(filled(op, b, err));
    }
    return NB_OK;
}

/* Row i of n goes to bucket i * n_buckets / n. */
static nb_status
put_evenly(put_op *op, nb_batch *batch, nb_error *err)
{
    const nb_node *node = op->base.node;
    nb_int128 total = NB_MAX(node->u.put.n_rows, 1);
    int n_buckets = node->u.put.n_buckets;

    NB_TRY(nb_batch_flatten_selection(batch));
    for (int64_t from = 0; from < batch->n_rows;) {
        int bucket = (int)NB_MIN(op->n_rows * (nb_int128)n_buckets / total, n_buckets - 1);
        nb_int128 end = ((bucket + 1) * total + n_buckets - 1) / n_buckets;
        int64_t n = (int64_t)NB_MIN(end - op->n_rows, batch->n_rows - from);
        nb_batch part = *batch;

        if (bucket == n_buckets - 1 || n <= 0) {
            n = batch->n_rows - from;
        }
        if (n < batch->n_rows) {
            NB_TRY(nb_batch_init(batch->arena, batch->n_cols, n, &part));
            part.partition = batch->partition;
            for (int c = 0; c < batch->n_cols; c++) {
                NB_TRY(nb_vector_slice(batch->arena, &batch->cols[c], from, n, &part.cols[c]));
            }
        }
        NB_TRY(put_whole(op, bucket, &part, err));
        from += n;
        op->n_rows += n;
    }
    return NB_OK;
}

static nb_status
put_push(nb_operator *base, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    put_op *op = (put_op *)base;

    (void)t;
    switch (base->node->u.put.kind) {
    case NB_PUT_HASH: return put_hashed(op, ((put_local *)local)->eval, batch, err);
    case NB_PUT_EVEN: return put_evenly(op, batch, err);
    default: return put_whole(op, 0, batch, err);
    }
}

static nb_status
put_finalize(nb_operator *base, const nb_exec_ctx *ctx, nb_error *err)
{
    put_op *op = (put_op *)base;

    (void)ctx;
    for (int b = 0; b < base->node->u.put.n_buckets; b++) {
        if (op->builders[b] != NULL) {
            NB_TRY(hand_over(op, b, err));
        }
    }
    return NB_OK;
}

static void
put_close(nb_operator *base)
{
    put_op *op = (put_op *)base;

    for (int b = 0; op->builders != NULL && b < base->node->u.put.n_buckets; b++) {
        nb_chunk_builder_free(op->builders[b]);
    }
}

static const nb_operator_ops PUT = {
    .name = "Put",
    .open_global = put_open_global,
    .open_local = put_open_local,
    .push = put_push,
    .finalize = put_finalize,
    .close_local = put_close_local,
    .close = put_close,
};

nb_status
nb_put_new(nb_run *run, nb_node *node, nb_operator **out)
{
    put_op *op = NB_OPERATOR_NEW(run, put_op, &PUT, node);

    if (op == NULL) {
        return NB_NOMEM;
    }
    op->arena = nb_run_arena(run);
    *out = &op->base;
    return NB_OK;
}
