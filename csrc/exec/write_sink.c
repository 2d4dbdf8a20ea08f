/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_sink.c: df.write: rows go into files as they come.
 *
 * Each Spark partition has files of its own, with its rows in order. Where there are enough partitions for all threads, a thread takes all rows of a
 * partition, as a task of Spark does, and writes them itself. Else (coalesce(1) before all) threads share partitions; their rows then leave in
 * order (deliver.c), and whoever hands over the next ones writes them, while the others go on.
 * Rows that an operator held back (a join's) come when everything else is written; so files stay open until the end where that may be.
 *
 * Memory   what files hold back, and what waits for its turn; nothing is gathered.
 */
#include "exec/operators.h"
#include "exec/watch.h"
#include "exec/write_rows.h"

typedef struct write_op {
    nb_operator base;
    nb_write_rows *rows;
    bool keep_open;
    bool by_one;    /* one thread brings all rows, in order */
    int32_t passed; /* in order: the partition under way */
    atomic_llong n_rows;
    const nb_exec_ctx *ctx;
} write_op;

typedef struct write_local {
    int32_t partition; /* under way; -1: none */
} write_local;

static nb_status
write_open_local(nb_operator *op, nb_thread_ctx *t, void **local, nb_error *err)
{
    write_local *l = NB_ARENA_NEW(nb_thread_memory(t), write_local);

    (void)op;
    (void)err;
    if (l == NULL) {
        return NB_NOMEM;
    }
    l->partition = -1;
    *local = l;
    return NB_OK;
}

/* Files of the partition before are closed when another one begins. */
static nb_status
pass(write_op *w, int32_t *under_way, int32_t partition, nb_error *err)
{
    int32_t before = *under_way;

    *under_way = partition;
    return before >= 0 && before != partition && !w->keep_open
               ? nb_write_rows_settle(w->rows, before, err)
               : NB_OK;
}

static nb_status
write_push(nb_operator *op, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    write_op *w = (write_op *)op;
    int32_t *under_way = w->by_one ? &w->passed : &((write_local *)local)->partition;

    NB_TRY(pass(w, under_way, batch->partition, err));
    NB_TRY(nb_write_rows_push(w->rows, batch, err));
    atomic_fetch_add_explicit(&w->n_rows, batch->n_rows, memory_order_relaxed);
    nb_thread_wrote(t, batch->n_rows);
    return NB_OK;
}

/* The end of a branch ends the thread's partition, but where the next branch may go on with it (a union, coalesced). */
static nb_status
write_flush(nb_operator *op, void *local, nb_thread_ctx *t, nb_error *err)
{
    write_op *w = (write_op *)op;

    (void)t;
    return w->by_one ? NB_OK : pass(w, &((write_local *)local)->partition, -1, err);
}

static void
write_close(nb_operator *op)
{
    (void)op;
}

static const nb_operator_ops WRITE = {
    .name = "Write",
    .open_local = write_open_local,
    .push = write_push,
    .flush = write_flush,
    .close = write_close,
};

/* Rows in order, from one thread at a time. */
static nb_status
take(void *payload, nb_chunk *chunk, const nb_type *schema, size_t n_bytes, nb_error *err)
{
    write_op *w = payload;
    nb_arena *scratch = nb_arena_new(w->ctx->pool);
    nb_status st = scratch ? pass(w, &w->passed, chunk->partition, err) : NB_NOMEM;

    (void)n_bytes;
    for (int64_t at = 0; at < chunk->n_rows && st == NB_OK; at += NB_BATCH_ROWS) {
        nb_batch batch;
        int64_t n = NB_MIN(chunk->n_rows - at, NB_BATCH_ROWS);

        nb_arena_reset(scratch);
        st = nb_cancelled(w->ctx->cancel)
                 ? NB_CANCELLED
                 : nb_chunk_batch(chunk, schema->n_children, at, n, scratch, &batch);
        st = st == NB_OK ? nb_write_rows_push(w->rows, &batch, err) : st;
    }
    atomic_fetch_add_explicit(&w->n_rows, chunk->n_rows, memory_order_relaxed);
    nb_chunk_free(chunk);
    nb_arena_free(scratch);
    return st;
}

/* May rows of a partition come after those of others? */
static bool
partitions_return(const nb_stream *s)
{
    for (int b = 0; b < s->n_branches; b++) {
        if (s->branches[b].source == NULL || s->branches[b].source->partitions_return) {
            return true;
        }
    }
    return false;
}

/* May each thread take whole partitions, without a third of the time being lost while some wait for the last ones? */
static bool
may_take_whole(const nb_run *run, const nb_stream *s)
{
    int threads = nb_stream_threads(run, s), n = s->n_partitions;
    int rounds = (n + threads - 1) / threads;

    if (threads == 1) {
        return true;
    }
    for (int b = 0; b < s->n_branches; b++) {
        const nb_branch *branch = &s->branches[b];

        if (branch->source == NULL || branch->source->partition_of == NULL || branch->sealed) {
            return false;
        }
    }
    return 3 * rounds * threads <= 4 * n;
}

static nb_status
run_into(nb_run *run, nb_node *node, nb_stream *stream, bool whole, write_op *w, nb_error *err)
{
    nb_delivery to = {.take = take, .payload = w};
    nb_operator *sink = &w->base;

    if (!whole) {
        NB_TRY(nb_deliver_new(run, node, node->children[0]->schema, -1, &to, true, &sink));
        NB_TRY(nb_stream_run(run, stream, sink, err));
    } else {
        for (int b = 0; b < stream->n_branches; b++) {
            if (stream->branches[b].source != NULL) {
                stream->branches[b].source->whole_partitions =
                    stream->branches[b].source->partition_of != NULL;
            }
        }
        NB_TRY(nb_stream_run(run, stream, sink, err));
    }
    return nb_write_rows_finish(w->rows, err);
}

nb_status
nb_write_stream(nb_run *run, nb_node *node, nb_stream *stream, nb_write_job *job, int partition,
                int64_t *n_rows, nb_error *err)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    write_op *w = NB_OPERATOR_NEW(run, write_op, &WRITE, node);
    bool whole =
        may_take_whole(run, stream) && (partition < 0 || nb_stream_threads(run, stream) == 1);
    nb_status st;

    if (w == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_write_rows_new(ctx, node, node->children[0]->schema, job, partition, &w->rows));
    w->ctx = ctx;
    w->passed = -1;
    w->by_one = nb_stream_threads(run, stream) == 1;
    w->keep_open = partition >= 0 || partitions_return(stream);
    if (ctx->watch != NULL) {
        ctx->watch->at_root = true;
    }
    st = run_into(run, node, stream, whole, w, err);
    nb_write_rows_free(w->rows);
    *n_rows = atomic_load(&w->n_rows);
    return st;
}
