/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repartition.c: df.repartition(n), (n, columns) and repartitionByRange: rows go to other partitions.
 *
 * All rows are gathered in order. Each thread takes a run of neighbouring chunks, finds the partition of each row, and appends rows to its own
 * builder of that partition; the partitions' chunks are then put behind each other, thread by thread, so that rows of a
 * partition keep their order. What does not fit into memory goes to mapped files.
 *
 * Spark    by columns: pmod(hash(columns), n) with Spark's Murmur3, the same partitions as Spark's. Round robin: starts at a place
 *          that depends on the input partition and goes on row by row; which rows come together is Spark's own affair there too.
 *          By range: equal keys come together, partitions have about as many rows; bounds come from a sample, as in Spark, so its differ. Of
 *          up to SAMPLE_ROWS rows all are in the sample, should memory allow it.
 */
#include <pthread.h>
#include <stdlib.h>
#include "base/random.h"
#include "base/thread.h"
#include "exec/mapped_chunk.h"
#include "exec/operators.h"
#include "exec/sort_key.h"
#include "expr/registry.h"

#define SAMPLE_ROWS  100000
#define SAMPLE_SHARE 512 /* bytes of the budget per row that is sampled */
#define SPILL_LEAST  ((size_t)256 * 1024)

typedef struct repartition {
    const nb_exec_ctx *ctx;
    nb_node *node;
    nb_table *in;
    int n_partitions, n_threads;
    nb_expr *hash; /* hash(keys); NULL: by range or round robin */
    const nb_sort_col *range;
    int n_range;
    nb_str *bounds;  /* n_partitions - 1 keys: rows up to there */
    int32_t *starts; /* round robin: per chunk the partition before its first row's */
    size_t share, reserve;
    struct worker *workers;
    atomic_int failed;
    pthread_mutex_t lock; /* guards what follows */
    nb_status status;
    nb_error *err;
} repartition;

typedef struct worker {
    nb_chunk_builder **builders; /* per partition */
    nb_chunk **chunks;           /* finished, in order of time */
    int n_chunks, cap_chunks;
} worker;

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

/* ---- the partition of a row ------------------------------------------------------------------ */

static void
place_round_robin(repartition *r)
{
    int32_t partition = -1;
    int64_t at = 0;

    for (int c = 0; c < r->in->n_chunks; c++) {
        const nb_chunk *chunk = r->in->chunks[c];

        if (chunk->partition != partition) {
            nb_xorshift rng;

            partition = chunk->partition;
            nb_xorshift_init(&rng, partition);
            at = nb_xorshift_int(&rng, r->n_partitions);
        }
        r->starts[c] = (int32_t)at;
        at = (at + chunk->n_rows) % r->n_partitions;
    }
}

static void
put_key(const repartition *r, const nb_vector *cols, int64_t row, nb_strbuf *out)
{
    for (int k = 0; k < r->n_range; k++) {
        const nb_sort_col *c = &r->range[k];

        nb_sort_key_put(&cols[c->col], row, c->descending, c->nulls_last, out);
    }
}

static int
by_key(const void *a, const void *b)
{
    return nb_str_compare(*(const nb_str *)a, *(const nb_str *)b);
}

/* Cuts the sample into partitions where keys change. */
static nb_status
place_by_range(repartition *r, nb_arena *arena)
{
    int64_t room = (int64_t)(NB_MIN(nb_pool_available(r->ctx->pool), SIZE_MAX / 4) / SAMPLE_SHARE);
    int64_t most = NB_MAX(NB_MIN((int64_t)SAMPLE_ROWS, room), (int64_t)r->n_partitions * 64);
    int64_t step = NB_MAX(r->in->n_rows / most, 1), n = 0, next = 0, base = 0;
    nb_str *keys = NB_ARENA_ARRAY(arena, nb_str, r->in->n_rows / step + 1);
    nb_strbuf key = {0};
    nb_status st = NB_OK;

    r->bounds = NB_ARENA_ARRAY(arena, nb_str, r->n_partitions);
    if (keys == NULL || r->bounds == NULL) {
        return NB_NOMEM;
    }
    for (int c = 0; c < r->in->n_chunks && st == NB_OK; c++) {
        const nb_chunk *chunk = r->in->chunks[c];

        for (; next < base + chunk->n_rows && st == NB_OK; next += step) {
            key.len = 0;
            put_key(r, chunk->cols, next - base, &key);
            keys[n] = nb_arena_str(arena, nb_strbuf_str(&key));
            st = key.failed || keys[n].data == NULL ? NB_NOMEM : NB_OK;
            n++;
        }
        nb_chunk_forget(chunk);
        base += chunk->n_rows;
    }
    nb_strbuf_free(&key);
    NB_TRY(st);
    qsort(keys, (size_t)n, sizeof(*keys), by_key);
    for (int p = 0; p + 1 < r->n_partitions; p++) {
        int64_t end = n * (p + 1) / r->n_partitions;

        r->bounds[p] = end > 0 ? keys[end - 1] : NB_STR("");
    }
    return NB_OK;
}

/* The first partition whose bound is not below the key. */
static uint32_t
find_bound(const repartition *r, nb_str key)
{
    int from = 0, to = r->n_partitions - 1;

    while (from < to) {
        int mid = (from + to) / 2;

        if (nb_str_compare(r->bounds[mid], key) < 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return (uint32_t)from;
}

/* Numbers of the partitions of the batch's rows, which begin at row `at` of chunk c. */
static nb_status
place(const repartition *r, int c, int64_t at, nb_batch *batch, nb_eval *eval, nb_strbuf *key,
      uint32_t *numbers, nb_error *err)
{
    int n = r->n_partitions;

    if (r->hash != NULL) {
        nb_vector v;

        NB_TRY(nb_eval_run(eval, 0, batch, &v, err));
        for (int32_t i = 0; i < batch->n_rows; i++) {
            int32_t m = NB_DATA(int32_t, &v)[nb_vector_slot(&v, i)] % n;
            numbers[i] = (uint32_t)(m < 0 ? m + n : m);
        }
    } else if (r->bounds != NULL) {
        for (int32_t i = 0; i < batch->n_rows; i++) {
            key->len = 0;
            put_key(r, batch->cols, i, key);
            numbers[i] = find_bound(r, nb_strbuf_str(key));
        }
        return key->failed ? NB_NOMEM : NB_OK;
    } else {
        int64_t to = (r->starts[c] + at) % n;

        for (int32_t i = 0; i < batch->n_rows; i++) {
            to = to + 1 == n ? 0 : to + 1;
            numbers[i] = (uint32_t)to;
        }
    }
    return NB_OK;
}

/* ---- moving rows ----------------------------------------------------------------------------- */

/* All builders' rows become chunks, on disk if they are to. */
static nb_status
end_chunks(repartition *r, worker *w, bool to_disk, nb_error *err)
{
    int first = w->n_chunks;

    for (int p = 0; p < r->n_partitions; p++) {
        nb_chunk *chunk = NULL;

        if (w->builders[p] != NULL) {
            NB_TRY(nb_chunk_builder_finish(w->builders[p], &chunk));
        }
        if (chunk == NULL) {
            continue;
        }
        if (w->n_chunks == w->cap_chunks) {
            int cap = w->cap_chunks ? 2 * w->cap_chunks : 16;
            nb_chunk **grown =
                nb_pool_realloc(r->ctx->pool, w->chunks, (size_t)w->cap_chunks * sizeof(*grown),
                                (size_t)cap * sizeof(*grown));

            if (grown == NULL) {
                nb_chunk_free(chunk);
                return NB_NOMEM;
            }
            w->chunks = grown;
            w->cap_chunks = cap;
        }
        chunk->partition = p;
        chunk->order = (uint64_t)p;
        w->chunks[w->n_chunks++] = chunk;
    }
    if (!to_disk || w->n_chunks == first) {
        return NB_OK;
    }
    return nb_mapped_chunks_new(r->ctx->pool, r->ctx->spill_dir, r->node, r->in->schema,
                                w->chunks + first, w->n_chunks - first, err);
}

static bool
must_spill(const repartition *r, const worker *w)
{
    size_t held = 0;

    for (int p = 0; p < r->n_partitions; p++) {
        held += w->builders[p] ? nb_chunk_builder_bytes(w->builders[p]) : 0;
    }
    return (r->ctx->force_spill && held > 0) || held > r->share ||
           (held > SPILL_LEAST && nb_pool_available(r->ctx->pool) < r->reserve);
}

static nb_status
append(repartition *r, worker *w, uint32_t p, const nb_batch *batch, const uint32_t *idx, int64_t n,
       nb_error *err)
{
    nb_status st;

    if (w->builders[p] == NULL) {
        NB_TRY(nb_chunk_builder_new(r->ctx->pool, r->in->schema, &w->builders[p]));
    }
    st = nb_chunk_builder_append_rows(w->builders[p], batch->cols, idx, n);
    if (st == NB_NOMEM) {
        NB_TRY(end_chunks(r, w, true, err));
        st = nb_chunk_builder_append_rows(w->builders[p], batch->cols, idx, n);
    }
    return st;
}

/* Rows of chunks [from, to) to the worker's builders. */
static nb_status
move_rows(repartition *r, worker *w, int from, int to, nb_eval *eval, nb_arena *scratch,
          nb_strbuf *key, int64_t *ends, nb_error *err)
{
    uint32_t numbers[NB_BATCH_ROWS], idx[NB_BATCH_ROWS];

    for (int c = from; c < to; c++) {
        nb_chunk *chunk = r->in->chunks[c];

        for (int64_t at = 0; at < chunk->n_rows; at += NB_BATCH_ROWS) {
            int64_t n = NB_MIN(chunk->n_rows - at, NB_BATCH_ROWS);
            nb_batch batch;

            if (atomic_load(&r->failed) || nb_cancelled(r->ctx->cancel)) {
                return NB_CANCELLED;
            }
            nb_arena_reset(scratch);
            NB_TRY(nb_chunk_batch(chunk, r->in->schema->n_children, at, n, scratch, &batch));
            NB_TRY(place(r, c, at, &batch, eval, key, numbers, err));
            if (must_spill(r, w)) {
                NB_TRY(end_chunks(r, w, true, err));
            }
            memset(ends, 0, (size_t)(r->n_partitions + 1) * sizeof(*ends));
            for (int64_t i = 0; i < n; i++) {
                ends[numbers[i] + 1]++;
            }
            for (int p = 0; p < r->n_partitions; p++) {
                ends[p + 1] += ends[p];
            }
            for (int64_t i = 0; i < n; i++) {
                idx[ends[numbers[i]]++] = (uint32_t)i;
            }
            for (int p = 0; p < r->n_partitions; p++) {
                int64_t first = p ? ends[p - 1] : 0;

                if (ends[p] > first) {
                    NB_TRY(append(r, w, (uint32_t)p, &batch, idx + first, ends[p] - first, err));
                }
            }
        }
        nb_chunk_forget(chunk);
    }
    return end_chunks(r, w, false, err);
}

static void
worker_main(void *payload, int i)
{
    repartition *r = payload;
    nb_error err = NB_ERROR_INIT;
    nb_arena *memory = nb_arena_new(r->ctx->pool), *scratch = nb_arena_new(r->ctx->pool);
    int64_t *ends = memory ? NB_ARENA_ARRAY(memory, int64_t, r->n_partitions + 1) : NULL;
    nb_eval *eval = NULL;
    nb_strbuf key = {0};
    nb_status st = ends && scratch ? NB_OK : NB_NOMEM;

    if (st == NB_OK && r->hash != NULL) {
        st = nb_eval_new(memory, &r->hash, 1, r->ctx->info, &eval, &err);
    }
    if (st == NB_OK) {
        st = move_rows(r, &r->workers[i], (int)((int64_t)r->in->n_chunks * i / r->n_threads),
                       (int)((int64_t)r->in->n_chunks * (i + 1) / r->n_threads), eval, scratch,
                       &key, ends, &err);
    }
    nb_eval_free(eval);
    nb_strbuf_free(&key);
    nb_arena_free(scratch);
    nb_arena_free(memory);
    if (st < 0) {
        fail(r, st, &err);
    }
}

/* Chunks by partition, within one by thread and time. */
static nb_status
put_together(repartition *r, nb_arena *arena, nb_table *out)
{
    int64_t *ends = nb_arena_zalloc(arena, (size_t)(r->n_partitions + 1) * sizeof(*ends));
    int64_t total = 0;
    nb_chunk ***order;

    for (int t = 0; t < r->n_threads; t++) {
        total += r->workers[t].n_chunks;
    }
    order = NB_ARENA_ARRAY(arena, nb_chunk **, total);
    if (ends == NULL || order == NULL) {
        return NB_NOMEM;
    }
    for (int t = 0; t < r->n_threads; t++) {
        for (int c = 0; c < r->workers[t].n_chunks; c++) {
            ends[r->workers[t].chunks[c]->partition + 1]++;
        }
    }
    for (int p = 0; p < r->n_partitions; p++) {
        ends[p + 1] += ends[p];
    }
    for (int t = 0; t < r->n_threads; t++) {
        for (int c = 0; c < r->workers[t].n_chunks; c++) {
            nb_chunk **chunk = &r->workers[t].chunks[c];

            order[ends[(*chunk)->partition]++] = chunk;
        }
    }
    for (int64_t i = 0; i < total; i++) {
        NB_TRY(nb_table_append(out, *order[i]));
        *order[i] = NULL;
    }
    return NB_OK;
}

static void
free_workers(repartition *r)
{
    for (int t = 0; r->workers != NULL && t < r->n_threads; t++) {
        worker *w = &r->workers[t];

        for (int p = 0; w->builders != NULL && p < r->n_partitions; p++) {
            nb_chunk_builder_free(w->builders[p]);
        }
        for (int c = 0; c < w->n_chunks; c++) {
            nb_chunk_free(w->chunks[c]);
        }
        nb_pool_dealloc(r->ctx->pool, w->chunks, (size_t)w->cap_chunks * sizeof(*w->chunks));
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
                     .range = range,
                     .n_range = node->u.exchange.n_keys,
                     .n_partitions = NB_MAX(node->u.exchange.n_partitions, 1)};
    size_t available = nb_pool_available(ctx->pool);
    nb_arena *arena = nb_arena_new(ctx->pool);
    nb_table *table = NULL;
    nb_status st = arena ? NB_OK : NB_NOMEM;

    NB_TRY_GOTO(st, st, done);
    pthread_mutex_init(&r.lock, NULL);
    r.n_threads = NB_MAX(NB_MIN(ctx->n_threads, in->n_chunks), 1);
    r.share = available / 2 / (size_t)r.n_threads;
    r.reserve = available > SIZE_MAX / 2 ? 0 : available / 4;
    r.workers = nb_arena_zalloc(arena, (size_t)r.n_threads * sizeof(worker));
    r.starts = NB_ARENA_ARRAY(arena, int32_t, in->n_chunks + 1);
    NB_TRY_GOTO(st, r.workers && r.starts ? NB_OK : NB_NOMEM, done);
    for (int t = 0; t < r.n_threads; t++) {
        r.workers[t].builders =
            nb_arena_zalloc(arena, (size_t)r.n_partitions * sizeof(nb_chunk_builder *));
        NB_TRY_GOTO(st, r.workers[t].builders ? NB_OK : NB_NOMEM, done);
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
    } else if (node->u.exchange.kind == NB_EXCHANGE_RANGE && node->u.exchange.n_keys > 0) {
        NB_TRY_GOTO(st, place_by_range(&r, arena), done);
    } else {
        place_round_robin(&r);
    }
    nb_threads_run(r.n_threads, worker_main, &r);
    NB_TRY_GOTO(st, r.status, done);
    NB_TRY_GOTO(st, nb_table_new(ctx->pool, in->schema, &table), done);
    NB_TRY_GOTO(st, put_together(&r, arena, table), done);
    *out = table;
    table = NULL;
done:
    free_workers(&r);
    nb_table_release(table);
    if (arena != NULL) {
        pthread_mutex_destroy(&r.lock);
    }
    nb_arena_free(arena);
    return st;
}
