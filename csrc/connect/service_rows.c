/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_rows.c: rows of an execution between the engine, which makes them, and the stream, which sends them.
 *
 *     engine ─ nb_rows_take ─► chunks │ cut into slices │ sent │ released by the client ─► given up
 *                      waits while UNSENT_BYTES are not sent         kept for who reattaches, up to KEPT_BYTES
 *
 * A slice is one Arrow batch: a whole chunk, or rows of it where the chunk is large. What was cut is remembered, because a response has to be the same
 * bytes when it is made again. An execution that nobody can reattach to keeps nothing. All but nb_rows_take is called under op->lock.
 */
#include <stdio.h>
#include <time.h>
#include "base/thread.h"
#include "connect/service_internal.h"

#define FEW_BYTES     ((size_t)256 << 10) /* may wait for the end of the execution */
#define UNSENT_BYTES  ((size_t)16 << 20)
#define KEPT_BYTES    ((size_t)16 << 20)
#define SLICE_BYTES   ((int64_t)1 << 20) /* measured on the slice before */
#define FIRST_ROWS    4096
#define MAX_ROWS      ((int64_t)1 << 20)
#define LOOK_AGAIN_MS 100 /* a session's interrupt sets a flag without a word */

/* Room for one more element at the end of a list in the service's pool. */
static void *
reserve(nb_operation *op, void *list, int n, int *cap, size_t size)
{
    int grown = *cap ? *cap * 2 : 16;
    void *p;

    if (n < *cap) {
        return list;
    }
    p = nb_pool_realloc(op->served->service->pool, list, size * (size_t)*cap, size * (size_t)grown);
    if (p) {
        *cap = grown;
    }
    return p;
}

nb_status
nb_rows_schema(nb_operation *op, const nb_type *schema)
{
    return op->schema ? NB_OK : nb_table_new(op->served->service->pool, schema, &op->schema);
}

static nb_status
append(nb_operation *op, nb_chunk *chunk, const nb_type *schema, size_t n_bytes)
{
    nb_result_chunk *list;

    NB_TRY(nb_rows_schema(op, schema));
    list = reserve(op, op->chunks, op->n_chunks, &op->cap_chunks, sizeof *list);
    if (!list) {
        return NB_NOMEM;
    }
    op->chunks = list;
    list[op->n_chunks++] = (nb_result_chunk){.chunk = chunk, .n_bytes = n_bytes};
    op->unsent += n_bytes;
    if (op->unsent > FEW_BYTES) {
        nb_operation_attend(op);
    }
    return NB_OK;
}

/* Waits, for a while, for something to change; under op->lock. */
static void
wait_for_change(nb_operation *op)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)LOOK_AGAIN_MS * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&op->changed, &op->lock, &until);
}

nb_status
nb_rows_take(void *payload, nb_chunk *chunk, const nb_type *schema, size_t n_bytes, nb_error *err)
{
    nb_operation *op = payload;
    nb_status st;

    (void)err;
    pthread_mutex_lock(&op->lock);
    if (op->unsent >= UNSENT_BYTES && !nb_cancelled(&op->cancel)) {
        pthread_mutex_unlock(&op->lock);
        nb_threads_wait_begin();
        pthread_mutex_lock(&op->lock);
        while (op->unsent >= UNSENT_BYTES && !nb_cancelled(&op->cancel)) {
            nb_operation_attend(op); /* there may have been no thread for it before */
            wait_for_change(op);
        }
        pthread_mutex_unlock(&op->lock);
        nb_threads_wait_end();
        pthread_mutex_lock(&op->lock);
    }
    st = nb_cancelled(&op->cancel) ? NB_CANCELLED : append(op, chunk, schema, n_bytes);
    pthread_cond_broadcast(&op->changed);
    pthread_mutex_unlock(&op->lock);
    if (st < 0) {
        nb_chunk_free(chunk);
    }
    return st;
}

/* ---- slices ---------------------------------------------------------------------------------- */

/* Rows of the chunk that make a message. */
static int64_t
rows_of_slice(const nb_operation *op, const nb_result_chunk *c, int64_t from)
{
    int64_t left = c->chunk->n_rows - from, rows = op->batch_rows ? op->batch_rows : FIRST_ROWS;

    if (c->n_bytes > 0 && (int64_t)c->n_bytes <= 2 * SLICE_BYTES) {
        return left;
    }
    return NB_MIN(rows, left);
}

/* Cuts the next slice; NB_DONE when there are no rows for it. */
static nb_status
cut(nb_operation *op)
{
    nb_result_slice next = {op->cut_chunk, 0, op->cut_from, 0, op->cut_offset};
    const nb_result_chunk *c = NULL;
    nb_result_slice *list;

    while (next.chunk < op->first_chunk + op->n_chunks) {
        c = &op->chunks[next.chunk - op->first_chunk];
        if (next.from < c->chunk->n_rows) {
            break;
        }
        next.chunk++;
        next.from = 0;
        c = NULL;
    }
    op->cut_chunk = next.chunk;
    op->cut_from = next.from;
    if (!c) { /* no rows at all still are one batch */
        bool is_whole = op->state == NB_OPERATION_SUCCEEDED && op->cut_offset == 0 &&
                        op->first_slice + op->n_slices == 0;
        if (!is_whole) {
            return NB_DONE;
        }
    }
    list = reserve(op, op->slices, op->n_slices, &op->cap_slices, sizeof *list);
    if (!list) {
        return NB_NOMEM;
    }
    op->slices = list;
    next.n = c ? rows_of_slice(op, c, next.from) : 0;
    op->cut_from += next.n;
    op->cut_offset += next.n;
    list[op->n_slices++] = next;
    return NB_OK;
}

nb_status
nb_rows_slice(nb_operation *op, int64_t number, nb_result_slice *out, nb_chunk **chunk,
              nb_error *err)
{
    int64_t i = number - op->first_slice;

    if (!op->schema) {
        return NB_DONE;
    }
    if (i < 0) {
        char id[32], at[32];
        snprintf(id, sizeof id, "%lld", (long long)number);
        snprintf(at, sizeof at, "%lld", (long long)op->first_slice);
        return nb_raise(err, NB_COND_INVALID_CURSOR_POSITION_NOT_AVAILABLE, "responseId", id,
                        "index", at, NULL);
    }
    if (i == op->n_slices) {
        nb_status st = cut(op);
        if (st != NB_OK) {
            return st;
        }
    }
    if (i >= op->n_slices) {
        return NB_DONE;
    }
    *out = op->slices[i];
    *chunk = NULL;
    if (out->n > 0) {
        *chunk = nb_chunk_ref(op->chunks[out->chunk - op->first_chunk].chunk);
    }
    return NB_OK;
}

void
nb_rows_sized(nb_operation *op, int64_t number, int n_parts, size_t n_bytes)
{
    nb_result_slice *slice;

    if (number < op->first_slice) {
        return;
    }
    slice = &op->slices[number - op->first_slice];
    slice->n_parts = n_parts;
    if (slice->n > 0) {
        int64_t rows = (int64_t)((double)slice->n * (double)SLICE_BYTES / (double)n_bytes);
        op->batch_rows = NB_MIN(NB_MAX(rows, 1), MAX_ROWS);
    }
}

/* ---- the end --------------------------------------------------------------------------------- */

void
nb_rows_forget(nb_operation *op, int64_t number)
{
    int64_t n = NB_MIN(number - op->first_slice, op->n_slices), floor;

    if (n <= 0) {
        return;
    }
    op->n_slices -= (int)n;
    op->first_slice += n;
    memmove(op->slices, op->slices + n, sizeof *op->slices * (size_t)op->n_slices);
    floor = op->n_slices > 0 ? op->slices[0].chunk : op->cut_chunk;
    if (op->n_slices == 0 && floor < op->first_chunk + op->n_chunks &&
        op->cut_from >= op->chunks[floor - op->first_chunk].chunk->n_rows) {
        op->cut_chunk = ++floor;
        op->cut_from = 0;
    }
    n = NB_MIN(floor - op->first_chunk, op->n_chunks);
    for (int64_t i = 0; i < n; i++) {
        *(op->chunks[i].sent ? &op->kept : &op->unsent) -= op->chunks[i].n_bytes;
        nb_chunk_free(op->chunks[i].chunk);
    }
    if (n > 0) { /* without rows there never was a list */
        op->n_chunks -= (int)n;
        op->first_chunk += n;
        memmove(op->chunks, op->chunks + n, sizeof *op->chunks * (size_t)op->n_chunks);
    }
    pthread_cond_broadcast(&op->changed);
}

void
nb_rows_sent(nb_operation *op, int64_t number)
{
    const nb_result_slice *slice;

    if (number != op->n_sent || number < op->first_slice) { /* sent before, or given up meanwhile */
        op->n_sent = NB_MAX(op->n_sent, number + 1);
        return;
    }
    op->n_sent++;
    slice = &op->slices[number - op->first_slice];
    if (slice->n > 0) {
        nb_result_chunk *c = &op->chunks[slice->chunk - op->first_chunk];
        if (slice->from + slice->n == c->chunk->n_rows) {
            c->sent = true;
            op->unsent -= c->n_bytes;
            op->kept += c->n_bytes;
            pthread_cond_broadcast(&op->changed);
        }
    }
    while (op->n_sent > op->first_slice && (!op->reattachable || op->kept > KEPT_BYTES)) {
        nb_rows_forget(op, op->first_slice + 1);
    }
}

void
nb_rows_free(nb_operation *op)
{
    nb_pool *pool = op->served->service->pool;

    for (int i = 0; i < op->n_chunks; i++) {
        nb_chunk_free(op->chunks[i].chunk);
    }
    nb_table_release(op->schema);
    nb_pool_dealloc(pool, op->chunks, sizeof *op->chunks * (size_t)op->cap_chunks);
    nb_pool_dealloc(pool, op->slices, sizeof *op->slices * (size_t)op->cap_slices);
}
