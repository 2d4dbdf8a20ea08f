/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_sink.c: df.write: one task per Spark partition, each with its rows in order.
 *
 * Rows are gathered first; the partitions are then written in parallel and the job is committed. A failure aborts the job, which
 * leaves old data as it was. Partition 0 writes a file even without rows, as in Spark, so that the schema is kept.
 */
#include <pthread.h>
#include "base/thread.h"
#include "exec/operators.h"
#include "exec/watch.h"

typedef struct write_job {
    nb_table *table;
    nb_write_job *job;
    const nb_exec_ctx *ctx;
    int *
        first; /* per partition the number of its first chunk, n_chunks at the end; chunks are in order of partitions */
    int n_partitions;
    bool all; /* partition 0 gets a file even without rows */
    nb_chunk **chunks;
    atomic_int next;
    pthread_mutex_t lock; /* guards what follows */
    nb_status status;
    nb_error *err;
    nb_watch_stage stage;
} write_job;

static nb_status
write_partition(write_job *w, int part, nb_arena *scratch, nb_watch_task *watched, nb_error *err)
{
    nb_write_task *task;
    nb_status st = NB_OK;

    NB_TRY(nb_write_task_open(w->job, part, &task, err));
    for (int c = w->first[part]; c < w->first[part + 1] && st == NB_OK; c++) {
        nb_chunk *chunk = w->chunks[c];

        for (int64_t at = 0; at < chunk->n_rows && st == NB_OK; at += NB_BATCH_ROWS) {
            nb_batch batch;

            nb_arena_reset(scratch);
            st = nb_chunk_batch(chunk, w->table->schema->n_children, at,
                                NB_MIN(chunk->n_rows - at, NB_BATCH_ROWS), scratch, &batch);
            if (st == NB_OK) {
                st = nb_cancelled(w->ctx->cancel) ? NB_CANCELLED
                                                  : nb_write_task_push(task, &batch, err);
            }
            if (st == NB_OK) {
                nb_watch_task_wrote(watched, batch.n_rows);
            }
        }
    }
    if (st < 0) {
        nb_write_task_abort(task);
        return st;
    }
    return nb_write_task_close(task, err);
}

static void
write_main(void *payload, int i)
{
    write_job *w = payload;
    nb_arena *scratch = nb_arena_new(w->ctx->pool);
    nb_error err = NB_ERROR_INIT;
    nb_status st = scratch ? NB_OK : NB_NOMEM;
    nb_watch_task watched = {0};
    int part;

    nb_watch_task_begin(&w->stage, i, scratch, &watched);
    while (st == NB_OK && (part = atomic_fetch_add(&w->next, 1)) < w->n_partitions) {
        if ((part == 0 && w->all) || w->first[part] < w->first[part + 1]) {
            st = write_partition(w, part, scratch, &watched, &err);
        }
    }
    nb_watch_task_end(&w->stage, &watched, st, &err);
    nb_arena_free(scratch);
    if (st < 0) {
        pthread_mutex_lock(&w->lock);
        if (w->status == NB_OK) {
            w->status = st;
            nb_error_move(&err, w->err);
        }
        pthread_mutex_unlock(&w->lock);
        atomic_store(&w->next, w->n_partitions);
        nb_error_clear(&err);
    }
}

/* Chunks in order of partitions; those of one partition stay as they are. */
static nb_status
sort_by_partition(write_job *w, nb_arena *arena)
{
    int n = w->table->n_chunks;

    for (int c = 0; c < n; c++) {
        w->n_partitions = NB_MAX(w->n_partitions, w->table->chunks[c]->partition + 1);
    }
    w->n_partitions = NB_MAX(w->n_partitions, 1);
    w->first = nb_arena_zalloc(arena, (size_t)(w->n_partitions + 2) * sizeof(int));
    w->chunks = NB_ARENA_ARRAY(arena, nb_chunk *, n + 1);
    if (w->first == NULL || w->chunks == NULL) {
        return NB_NOMEM;
    }
    for (int c = 0; c < n; c++) {
        w->first[w->table->chunks[c]->partition + 2]++;
    }
    for (int p = 0; p <= w->n_partitions; p++) {
        w->first[p + 1] += w->first[p];
    }
    for (int c = 0; c < n; c++) {
        w->chunks[w->first[w->table->chunks[c]->partition + 1]++] = w->table->chunks[c];
    }
    return NB_OK;
}

nb_status
nb_write_rows(const nb_exec_ctx *ctx, nb_write_job *job, nb_table *table, bool all, nb_error *err)
{
    write_job w = {.table = table, .job = job, .ctx = ctx, .all = all, .err = err};
    nb_arena *arena = nb_arena_new(ctx->pool);
    nb_status st = arena ? sort_by_partition(&w, arena) : NB_NOMEM;
    int n_threads;

    if (st == NB_OK) {
        pthread_mutex_init(&w.lock, NULL);
        n_threads = NB_MIN(NB_MAX(ctx->n_threads, 1), w.n_partitions);
        nb_watch_stage_begin(ctx, nb_node_name(NB_NODE_WRITE), NULL, n_threads, &w.stage);
        nb_threads_run(n_threads, write_main, &w);
        pthread_mutex_destroy(&w.lock);
        st = w.status;
        nb_watch_stage_end(&w.stage, st, err);
    }
    nb_arena_free(arena);
    return st;
}

nb_status
nb_write_table(const nb_exec_ctx *ctx, const nb_write_request *request, nb_table *table,
               nb_error *err)
{
    nb_write_job *job;
    nb_status st;

    NB_TRY(nb_write_begin(ctx->pool, request, &job, err));
    if (job == NULL) {
        return NB_OK;
    }
    st = nb_write_rows(ctx, job, table, true, err);
    if (st == NB_OK) {
        st = nb_write_commit(job, err);
    }
    if (st < 0) {
        nb_write_abort(job);
    }
    return st;
}
