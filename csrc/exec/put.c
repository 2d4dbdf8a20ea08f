/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put.c: the end of a task: its rows go to the buckets of an exchange.
 *
 * Rows are gathered per bucket until they are worth a block, and then handed to the context's exchange, which writes them away; so a
 * task holds at most about BLOCK_BYTES per bucket. Runs on one thread (build.c sees to it), so rows of a bucket stay in order.
 *
 * Hash      that of the engine's tables (key_image.h), mixed once more: tables take its top bits, so rows of one bucket must not have
 *           those in common.
 * Sample    the key of every n-th row, n doubling whenever there are too many: what bounds of ranges are chosen from. Keys are cut at
 *           KEY_BYTES: the beginning of a key is a bound as good as any, since all rows are compared with it in the same way.
 */
#include "exec/operators.h"

#include "base/random.h"
#include "exec/key_image.h"
#include "exec/sort_key.h"

#define BLOCK_BYTES ((size_t)1 << 20)
#define BLOCK_ROWS  ((int64_t)1 << 17)
#define SAMPLE_KEYS 1024
#define KEY_BYTES   ((size_t)64)

typedef struct put_op {
    nb_operator base;
    const nb_exec_ctx *ctx;
    nb_arena *arena;
    nb_key_layout layout;
    const nb_type *schema;
    const nb_type
        *present; /* the columns that have values: of an aggregate's rows or groups, see there */
    bool rows;    /* an aggregate's rows come, not its groups */
    nb_chunk_builder **builders; /* per bucket; NULL until it gets a row */
    int32_t *partitions;         /* of the rows in builders */
    int64_t n_rows;              /* that were pushed */
    nb_expr **keys;
    int n_keys;
    nb_strbuf key; /* of a row: SAMPLE, RANGE */
    nb_str *sample;
    int n_sample;
    int64_t stride, next;       /* rows for which a key stands; the next row that gives one */
    int32_t robin_of, robin_at; /* the partition under way, and the bucket of its last row */
} put_op;

typedef struct put_local {
    nb_eval *eval;
} put_local;

/* ---- rows and groups of an aggregate that lets rows pass (aggregate_pass.c) ------------------- */

/* Is it one of the columns that an aggregate has for its rows when it gives groups, or the other way round? */
static bool
is_absent(const put_op *op, int column)
{
    const nb_node *from = op->base.node->children[0];
    int at = column - from->u.aggregate.n_keys;

    return op->base.node->u.put.kind == NB_PUT_HASH && from->kind == NB_NODE_AGGREGATE &&
           from->u.aggregate.passes && at >= 0 && (at < from->u.aggregate.n_passed) != op->rows;
}

static nb_status
find_present(put_op *op)
{
    nb_field *fields = NB_ARENA_ARRAY(op->arena, nb_field, op->schema->n_children + 1);
    int n = 0;

    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < op->schema->n_children; i++) {
        if (!is_absent(op, i)) {
            fields[n++] = op->schema->children[i];
        }
    }
    op->present = n < op->schema->n_children ? nb_type_struct(fields, n) : op->schema;
    return op->present ? NB_OK : NB_NOMEM;
}

/* The columns that are there, of a batch or chunk with all of them. NULL: out of memory. */
static const nb_vector *
present_columns(const put_op *op, const nb_vector *cols, nb_arena *arena)
{
    nb_vector *out;
    int n = 0;

    if (op->present == op->schema) {
        return cols;
    }
    out = NB_ARENA_ARRAY(arena, nb_vector, op->present->n_children + 1);
    for (int i = 0; out != NULL && i < op->schema->n_children; i++) {
        if (!is_absent(op, i)) {
            out[n++] = cols[i];
        }
    }
    return out;
}

/* Nulls for the columns that are not there. */
static nb_status
add_absent(const put_op *op, nb_chunk *chunk)
{
    nb_vector *cols;
    int n = 0;

    if (op->present == op->schema) {
        return NB_OK;
    }
    cols = NB_ARENA_ARRAY(chunk->arena, nb_vector, op->schema->n_children + 1);
    if (cols == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < op->schema->n_children; i++) {
        if (is_absent(op, i)) {
            NB_TRY(nb_vector_const_null(chunk->arena, op->schema->children[i].type, chunk->n_rows,
                                        &cols[i]));
        } else {
            cols[i] = chunk->cols[n++];
        }
    }
    chunk->cols = cols;
    return NB_OK;
}

/* ---- opening ---------------------------------------------------------------------------------- */

static nb_status
put_open_global(nb_operator *base, const nb_exec_ctx *ctx, nb_error *err)
{
    put_op *op = (put_op *)base;
    const nb_node *node = base->node;
    int n = node->u.put.n_keys, n_buckets = node->u.put.n_buckets;
    bool ordered = node->u.put.kind == NB_PUT_SAMPLE || node->u.put.kind == NB_PUT_RANGE;
    const nb_type **types = NB_ARENA_ARRAY(op->arena, const nb_type *, n + 1);

    if (ctx->exchange == NULL || ctx->exchange->put == NULL) {
        return nb_raise_internal(err, "rows are put to an exchange outside of a task");
    }
    op->ctx = ctx;
    op->schema = node->children[0]->schema;
    op->builders = nb_arena_zalloc(op->arena, ((size_t)n_buckets + 1) * sizeof(void *));
    op->partitions = nb_arena_zalloc(op->arena, ((size_t)n_buckets + 1) * sizeof(int32_t));
    op->keys = NB_ARENA_ARRAY(op->arena, nb_expr *, n + 1);
    op->sample = NB_ARENA_ARRAY(op->arena, nb_str, ordered ? SAMPLE_KEYS : 1);
    if (types == NULL || op->builders == NULL || op->partitions == NULL || op->keys == NULL ||
        op->sample == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(find_present(op));
    op->n_keys = n;
    op->stride = 1;
    op->robin_of = -1;
    for (int k = 0; k < n; k++) {
        op->keys[k] = ordered ? node->u.put.order[k].expr : node->u.put.keys[k];
        types[k] = op->keys[k]->type;
    }
    return node->u.put.kind == NB_PUT_HASH ? nb_key_layout_init(op->arena, types, n, n, &op->layout)
                                           : NB_OK;
}

static nb_status
put_open_local(nb_operator *base, nb_thread_ctx *t, void **local, nb_error *err)
{
    put_op *op = (put_op *)base;
    put_local *l = NB_ARENA_NEW(nb_thread_memory(t), put_local);

    if (l == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_eval_new(nb_thread_memory(t), op->keys, op->n_keys, op->ctx->info, &l->eval, err));
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
    st = add_absent(op, chunk);
    if (st == NB_OK) {
        st = op->ctx->exchange->put(op->ctx->exchange, bucket, chunk, op->schema, err);
    }
    nb_chunk_free(chunk);
    return st;
}

/* Room for rows of this partition in the bucket's builder. Behind a shuffle by keys all rows are of one, as if there were one task. */
static nb_status
builder_of(put_op *op, int bucket, int32_t partition, nb_error *err)
{
    if (op->base.node->u.put.kind == NB_PUT_HASH) {
        partition = 0;
    }
    if (op->builders[bucket] == NULL) {
        NB_TRY(nb_chunk_builder_new(op->ctx->pool, op->present, &op->builders[bucket]));
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

/* ---- the bucket of a row --------------------------------------------------------------------- */

static nb_status
place_by_hash(put_op *op, const nb_vector *keys, nb_batch *batch, uint32_t *numbers)
{
    int64_t n = batch->n_rows;
    uint64_t *hashes = NB_ARENA_ARRAY(batch->arena, uint64_t, n);
    uint8_t *images = nb_arena_alloc64(batch->arena, (size_t)n * (size_t)op->layout.n_bytes);
    uint64_t n_buckets = (uint64_t)op->base.node->u.put.n_buckets;

    if (hashes == NULL || images == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_keys_encode(&op->layout, keys, NULL, n, batch->arena, images));
    nb_keys_hash(&op->layout, 1, images, n, hashes);
    for (int64_t i = 0; i < n; i++) {
        numbers[i] = (uint32_t)((nb_hash_u64(hashes[i]) >> 32) * n_buckets >> 32);
    }
    return NB_OK;
}

/* As Spark's round robin: from a place that depends on the partition of the rows. */
static void
place_round_robin(put_op *op, const nb_batch *batch, uint32_t *numbers)
{
    int32_t n = op->base.node->u.put.n_buckets;

    if (op->robin_of != batch->partition) {
        nb_xorshift rng;

        op->robin_of = batch->partition;
        nb_xorshift_init(&rng, batch->partition);
        op->robin_at = nb_xorshift_int(&rng, n);
    }
    for (int64_t i = 0; i < batch->n_rows; i++) {
        op->robin_at = op->robin_at + 1 == n ? 0 : op->robin_at + 1;
        numbers[i] = (uint32_t)op->robin_at;
    }
}

static nb_status
make_key(put_op *op, const nb_vector *keys, int64_t row)
{
    const nb_sort_key *order = op->base.node->u.put.order;

    op->key.len = 0;
    for (int k = 0; k < op->n_keys; k++) {
        nb_sort_key_put(&keys[k], row, order[k].descending, order[k].nulls_last, &op->key);
    }
    return op->key.failed ? NB_NOMEM : NB_OK;
}

static nb_status
place_by_range(put_op *op, const nb_vector *keys, const nb_batch *batch, uint32_t *numbers)
{
    const nb_str *bounds = op->base.node->u.put.bounds;

    for (int64_t i = 0; i < batch->n_rows; i++) {
        int from = 0, to = op->base.node->u.put.n_buckets - 1;

        NB_TRY(make_key(op, keys, i));
        while (from < to) {
            int middle = (from + to) / 2;

            if (nb_str_compare(bounds[middle], nb_strbuf_str(&op->key)) < 0) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        numbers[i] = (uint32_t)from;
    }
    return NB_OK;
}

static nb_status
place(put_op *op, nb_eval *eval, nb_batch *batch, uint32_t *numbers, nb_error *err)
{
    nb_vector *keys = NB_ARENA_ARRAY(batch->arena, nb_vector, op->n_keys + 1);
    int32_t n = op->base.node->u.put.n_buckets;

    if (keys == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < op->n_keys; k++) {
        NB_TRY(nb_eval_run(eval, k, batch, &keys[k], err));
    }
    switch (op->base.node->u.put.kind) {
    case NB_PUT_HASH: return place_by_hash(op, keys, batch, numbers);
    case NB_PUT_RANGE: return place_by_range(op, keys, batch, numbers);
    case NB_PUT_MOD:
        for (int64_t i = 0; i < batch->n_rows; i++) {
            int32_t m = NB_DATA(int32_t, &keys[0])[nb_vector_slot(&keys[0], i)] % n;

            numbers[i] = (uint32_t)(m < 0 ? m + n : m);
        }
        return NB_OK;
    default: place_round_robin(op, batch, numbers); return NB_OK;
    }
}

/* ---- pushing --------------------------------------------------------------------------------- */

/* Each row to the bucket that place() says. */
static nb_status
put_scattered(put_op *op, nb_eval *eval, nb_batch *batch, nb_error *err)
{
    const nb_node *node = op->base.node;
    int n_buckets = node->u.put.n_buckets;
    nb_arena *scratch = batch->arena;
    uint32_t *numbers, *rows, *at;
    const nb_vector *cols;

    NB_TRY(nb_batch_flatten_selection(batch));
    numbers = NB_ARENA_ARRAY(scratch, uint32_t, batch->n_rows);
    rows = NB_ARENA_ARRAY(scratch, uint32_t, batch->n_rows);
    at = nb_arena_zalloc(scratch, ((size_t)n_buckets + 1) * sizeof(uint32_t));
    if (numbers == NULL || rows == NULL || at == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(place(op, eval, batch, numbers, err));
    cols = present_columns(op, batch->cols, scratch);
    if (cols == NULL) {
        return NB_NOMEM;
    }
    /* a counting sort of the rows by bucket */
    for (int64_t i = 0; i < batch->n_rows; i++) {
        at[numbers[i] + 1]++;
    }
    for (int b = 0; b < n_buckets; b++) {
        at[b + 1] += at[b];
    }
    for (int64_t i = 0; i < batch->n_rows; i++) {
        rows[at[numbers[i]]++] = (uint32_t)i;
    }
    for (int b = 0; b < n_buckets; b++) {
        uint32_t from = b > 0 ? at[b - 1] : 0, count = at[b] - from;
        nb_status st;

        if (count == 0) {
            continue;
        }
        NB_TRY(builder_of(op, b, node->u.put.kind == NB_PUT_HASH ? 0 : b, err));
        st = nb_chunk_builder_append_rows(op->builders[b], cols, rows + from, count);
        if (st == NB_NOMEM && nb_chunk_builder_rows(op->builders[b]) > 0) {
            NB_TRY(hand_over(op, b, err));
            st = nb_chunk_builder_append_rows(op->builders[b], cols, rows + from, count);
        }
        NB_TRY(st);
        NB_TRY(filled(op, b, err));
    }
    return NB_OK;
}

/* Keys of some of the batch's rows into the sample. */
static nb_status
sample(put_op *op, nb_eval *eval, nb_batch *batch, nb_error *err)
{
    nb_vector *keys = NB_ARENA_ARRAY(batch->arena, nb_vector, op->n_keys + 1);

    if (keys == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < op->n_keys; k++) {
        NB_TRY(nb_eval_run(eval, k, batch, &keys[k], err));
    }
    while (op->next < op->n_rows + batch->n_rows) {
        NB_TRY(make_key(op, keys, op->next - op->n_rows));
        op->sample[op->n_sample] =
            nb_arena_str(op->arena, (nb_str){op->key.data, NB_MIN(op->key.len, KEY_BYTES)});
        if (op->sample[op->n_sample].data == NULL) {
            return NB_NOMEM;
        }
        op->next += op->stride;
        if (++op->n_sample == SAMPLE_KEYS) { /* every other one goes */
            for (int i = 0; i < SAMPLE_KEYS / 2; i++) {
                op->sample[i] = op->sample[2 * i];
            }
            op->n_sample /= 2;
            op->stride *= 2;
            op->next = op->n_sample * op->stride;
        }
    }
    op->n_rows += batch->n_rows;
    return NB_OK;
}

/* The sample goes to the bucket behind the others. */
static nb_status
put_sample(put_op *op, nb_error *err)
{
    static const nb_field fields[] = {{.name = {"key", 3}}, {.name = {"rows", 4}}};
    nb_field columns[2] = {fields[0], fields[1]};
    nb_arena *scratch = nb_arena_new(op->ctx->pool);
    nb_chunk_builder *b = NULL;
    nb_chunk *chunk = NULL;
    const nb_type *schema;
    nb_batch batch;
    nb_status st = NB_NOMEM;

    columns[0].type = nb_type_of(NB_TYPE_BINARY);
    columns[1].type = nb_type_of(NB_TYPE_INT64);
    schema = nb_type_struct(columns, 2);
    if (scratch == NULL || schema == NULL) {
        goto done;
    }
    NB_TRY_GOTO(st, nb_batch_init(scratch, 2, op->n_sample, &batch), done);
    for (int i = 0; i < 2; i++) {
        NB_TRY_GOTO(st, nb_vector_alloc(scratch, columns[i].type, op->n_sample, &batch.cols[i]),
                    done);
    }
    for (int i = 0; i < op->n_sample; i++) {
        NB_DATA(nb_view, &batch.cols[0])[i] = nb_view_make(op->sample[i].data, op->sample[i].len);
        NB_DATA(int64_t, &batch.cols[1])[i] = op->stride;
    }
    NB_TRY_GOTO(st, nb_chunk_builder_new(op->ctx->pool, schema, &b), done);
    NB_TRY_GOTO(st, nb_chunk_builder_append(b, &batch), done);
    NB_TRY_GOTO(st, nb_chunk_builder_finish(b, &chunk), done);
    if (chunk != NULL) {
        st = op->ctx->exchange->put(op->ctx->exchange, op->base.node->u.put.n_buckets, chunk,
                                    schema, err);
    }
done:
    nb_chunk_free(chunk);
    nb_chunk_builder_free(b);
    nb_arena_free(scratch);
    return st;
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
    case NB_PUT_SINGLE: return put_whole(op, 0, batch, err);
    case NB_PUT_EVEN: return put_evenly(op, batch, err);
    case NB_PUT_SAMPLE:
        NB_TRY(nb_batch_flatten_selection(batch));
        NB_TRY(sample(op, ((put_local *)local)->eval, batch, err));
        return put_whole(op, 0, batch, err);
    default: return put_scattered(op, ((put_local *)local)->eval, batch, err);
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
    return op->n_sample > 0 ? put_sample(op, err) : NB_OK;
}

static void
put_close(nb_operator *base)
{
    put_op *op = (put_op *)base;

    for (int b = 0; op->builders != NULL && b < base->node->u.put.n_buckets; b++) {
        nb_chunk_builder_free(op->builders[b]);
    }
    nb_strbuf_free(&op->key);
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
nb_put_new(nb_run *run, nb_node *node, bool rows, nb_operator **out)
{
    put_op *op = NB_OPERATOR_NEW(run, put_op, &PUT, node);

    if (op == NULL) {
        return NB_NOMEM;
    }
    op->arena = nb_run_arena(run);
    op->rows = rows;
    *out = &op->base;
    return NB_OK;
}
