/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repartition.c: df.repartition(n), (n, columns) and repartitionByRange: rows go to other partitions.
 *
 * All rows are gathered in order; every row gets its partition's number; then the partitions' rows are put together in parallel.
 * Rows of a partition keep their order.
 *
 * Spark    by columns: pmod(hash(columns), n) with Spark's Murmur3, the same partitions as Spark's. Round robin: starts at a place
 *          that depends on the input partition and goes on row by row; which rows come together is Spark's own affair there too.
 *          By range: equal keys come together, partitions have about as many rows; Spark chooses bounds from a sample, so its differ.
 */
#include <pthread.h>
#include "base/random.h"
#include "base/thread.h"
#include "exec/operators.h"
#include "expr/registry.h"

typedef struct repartition {
    const nb_exec_ctx *ctx;
    nb_node *node;
    nb_table *in;
    int n_partitions;
    nb_expr *hash;     /* hash(keys); NULL: round robin */
    uint32_t *numbers; /* per row of the input: its partition */
    int64_t *chunk_at; /* per chunk: its first row's number */
    nb_chunk **out;    /* per partition; NULL when empty */
    atomic_int next;
    atomic_int failed;
    pthread_mutex_t lock; /* guards what follows */
    nb_status status;
    nb_error *err;
} repartition;

static void
fail(repartition *r, nb_status st, nb_error *err)
{
    pthread_mutex_lock(&r->lock);
    if (r->status == NB_OK) {
        r->status = st;
        nb_error_move(err, r->err);
    }
    pthread_mutex_unlock(&r->lock);
    atomic_store(&r->failed, 1);
    nb_error_clear(err);
}

static nb_status
hash_chunk(repartition *r, int c, nb_eval *eval, nb_arena *scratch, nb_error *err)
{
    nb_chunk *chunk = r->in->chunks[c];

    for (int64_t at = 0; at < chunk->n_rows; at += NB_BATCH_ROWS) {
        int64_t n = NB_MIN(chunk->n_rows - at, NB_BATCH_ROWS);
        uint32_t *to = r->numbers + r->chunk_at[c] + at;
        nb_batch batch;
        nb_vector v;

        if (atomic_load(&r->failed) || nb_cancelled(r->ctx->cancel)) {
            return NB_CANCELLED;
        }
        nb_arena_reset(scratch);
        NB_TRY(nb_chunk_batch(chunk, r->in->schema->n_children, at, n, scratch, &batch));
        NB_TRY(nb_eval_run(eval, 0, &batch, &v, err));
        for (int64_t i = 0; i < n; i++) {
            int32_t m = NB_DATA(int32_t, &v)[nb_vector_slot(&v, i)] % r->n_partitions;
            to[i] = (uint32_t)(m < 0 ? m + r->n_partitions : m);
        }
    }
    return NB_OK;
}

static void
hash_main(void *payload, int i)
{
    repartition *r = payload;
    nb_error err = NB_ERROR_INIT;
    nb_arena *memory = nb_arena_new(r->ctx->pool), *scratch = nb_arena_new(r->ctx->pool);
    nb_eval *eval = NULL;
    nb_status st = memory && scratch ? NB_OK : NB_NOMEM;
    int c;

    (void)i;
    if (st == NB_OK) {
        st = nb_eval_new(memory, &r->hash, 1, r->ctx->info, &eval, &err);
    }
    while (st == NB_OK && (c = atomic_fetch_add(&r->next, 1)) < r->in->n_chunks) {
        st = hash_chunk(r, c, eval, scratch, &err);
    }
    nb_eval_free(eval);
    nb_arena_free(scratch);
    nb_arena_free(memory);
    if (st < 0) {
        fail(r, st, &err);
    }
}

static void
number_round_robin(repartition *r)
{
    int32_t partition = -1, at = 0;

    for (int c = 0; c < r->in->n_chunks; c++) {
        const nb_chunk *chunk = r->in->chunks[c];

        if (chunk->partition != partition) {
            nb_xorshift rng;

            partition = chunk->partition;
            nb_xorshift_init(&rng, partition);
            at = nb_xorshift_int(&rng, r->n_partitions);
        }
        for (int64_t i = 0; i < chunk->n_rows; i++) {
            at = at + 1 == r->n_partitions ? 0 : at + 1;
            r->numbers[r->chunk_at[c] + i] = (uint32_t)at;
        }
    }
}

/* Cuts the sorted rows into partitions where keys change. */
static nb_status
number_by_range(repartition *r, const nb_sort_col *cols, int n_cols, nb_arena *arena)
{
    int64_t n = r->in->n_rows, at = 0;
    nb_row_index index;
    uint32_t *ids;

    NB_TRY(nb_row_index_init(arena, r->in, &index));
    NB_TRY(nb_sort_rows(r->ctx, r->ctx->pool, r->in, cols, n_cols, false, &ids));
    for (int64_t p = 0; p < r->n_partitions; p++) {
        int64_t end = NB_MAX(n * (p + 1) / r->n_partitions, at);

        while (end > at && end < n &&
               nb_rows_compare(&index, cols, n_cols, ids[end - 1], ids[end]) == 0) {
            end++;
        }
        for (; at < end; at++) {
            r->numbers[ids[at]] = (uint32_t)p;
        }
    }
    if (ids != NULL) {
        nb_pool_dealloc(r->ctx->pool, ids, (size_t)n * sizeof(uint32_t));
    }
    return NB_OK;
}

static nb_status
gather_partition(repartition *r, uint32_t part, uint32_t *idx, nb_chunk **out)
{
    nb_chunk_builder *b;
    nb_status st = NB_OK;

    NB_TRY(nb_chunk_builder_new(r->ctx->pool, r->in->schema, &b));
    for (int c = 0; c < r->in->n_chunks && st == NB_OK; c++) {
        const nb_chunk *chunk = r->in->chunks[c];
        const uint32_t *numbers = r->numbers + r->chunk_at[c];
        int64_t n = 0;

        for (int64_t i = 0; i < chunk->n_rows && st == NB_OK; i++) {
            idx[n] = (uint32_t)i;
            n += numbers[i] == part;
            if (n == NB_BATCH_ROWS) {
                st = nb_chunk_builder_append_rows(b, chunk->cols, idx, n);
                n = 0;
            }
        }
        if (st == NB_OK && n > 0) {
            st = nb_chunk_builder_append_rows(b, chunk->cols, idx, n);
        }
        if (nb_cancelled(r->ctx->cancel)) {
            st = NB_CANCELLED;
        }
    }
    if (st == NB_OK) {
        st = nb_chunk_builder_finish(b, out);
    }
    nb_chunk_builder_free(b);
    return st;
}

static void
gather_main(void *payload, int i)
{
    repartition *r = payload;
    nb_error err = NB_ERROR_INIT;
    nb_arena *memory = nb_arena_new(r->ctx->pool);
    uint32_t *idx = memory ? NB_ARENA_ARRAY(memory, uint32_t, NB_BATCH_ROWS) : NULL;
    nb_status st = idx ? NB_OK : NB_NOMEM;
    int part;

    (void)i;
    while (st == NB_OK && (part = atomic_fetch_add(&r->next, 1)) < r->n_partitions) {
        st = gather_partition(r, (uint32_t)part, idx, &r->out[part]);
    }
    nb_arena_free(memory);
    if (st < 0) {
        fail(r, st, &err);
    }
}

nb_status
nb_repartition_table(const nb_exec_ctx *ctx, nb_node *node, nb_table *in, const nb_sort_col *range,
                     nb_table **out, nb_error *err)
{
    repartition r = {.ctx = ctx,
                     .node = node,
                     .in = in,
                     .err = err,
                     .n_partitions = NB_MAX(node->u.exchange.n_partitions, 1)};
    nb_arena *arena = nb_arena_new(ctx->pool);
    nb_table *table = NULL;
    int n_threads = NB_MAX(ctx->n_threads, 1);
    int64_t at = 0;
    nb_status st = arena ? NB_OK : NB_NOMEM;

    NB_TRY_GOTO(st, st, done);
    pthread_mutex_init(&r.lock, NULL);
    r.chunk_at = NB_ARENA_ARRAY(arena, int64_t, in->n_chunks + 1);
    r.numbers = NB_ARENA_ARRAY(arena, uint32_t, in->n_rows);
    r.out = nb_arena_zalloc(arena, (size_t)r.n_partitions * sizeof(*r.out));
    if (r.chunk_at == NULL || r.numbers == NULL || r.out == NULL) {
        st = NB_NOMEM;
        goto done;
    }
    for (int c = 0; c < in->n_chunks; c++) {
        r.chunk_at[c] = at;
        at += in->chunks[c]->n_rows;
    }
    if (node->u.exchange.kind == NB_EXCHANGE_HASH && node->u.exchange.n_keys > 0) {
        const nb_function *fn = nb_function_find(NB_STR("hash"));

        if (fn == NULL) {
            st = nb_raise_internal(err, "no hash function for repartition");
            goto done;
        }
        NB_TRY_GOTO(st,
                    nb_function_bind(arena, ctx->info, fn, NB_STR("hash"), node->u.exchange.keys,
                                     node->u.exchange.n_keys, NULL, &r.hash, err),
                    done);
        nb_threads_run(n_threads, hash_main, &r);
        NB_TRY_GOTO(st, r.status, done);
        atomic_store(&r.next, 0);
    } else if (node->u.exchange.kind == NB_EXCHANGE_RANGE && node->u.exchange.n_keys > 0) {
        NB_TRY_GOTO(st, number_by_range(&r, range, node->u.exchange.n_keys, arena), done);
    } else {
        number_round_robin(&r);
    }
    nb_threads_run(NB_MIN(n_threads, r.n_partitions), gather_main, &r);
    NB_TRY_GOTO(st, r.status, done);
    NB_TRY_GOTO(st, nb_table_new(ctx->pool, in->schema, &table), done);
    for (int p = 0; p < r.n_partitions; p++) {
        if (r.out[p] != NULL) {
            nb_chunk *chunk = r.out[p];

            chunk->partition = p;
            chunk->order = (uint64_t)p;
            r.out[p] = NULL;
            NB_TRY_GOTO(st, nb_table_append(table, chunk), done);
        }
    }
    *out = table;
    table = NULL;
done:
    for (int p = 0; r.out != NULL && p < r.n_partitions; p++) {
        nb_chunk_free(r.out[p]);
    }
    nb_table_release(table);
    if (arena != NULL) {
        pthread_mutex_destroy(&r.lock);
    }
    nb_arena_free(arena);
    return st;
}
