/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c: reference-counted lists of chunks. A chunk lives in its own arena, together with its vectors.
 */
#include "column/table.h"

#include <sys/mman.h>

#define FIRST_CHUNKS 8

nb_status
nb_table_new(nb_pool *pool, const nb_type *schema, nb_table **out)
{
    nb_table *t = nb_pool_zalloc(pool, sizeof(*t));

    if (t == NULL) {
        return NB_NOMEM;
    }
    t->schema = schema;
    t->pool = pool;
    t->refs = 1;
    *out = t;
    return NB_OK;
}

nb_table *
nb_table_ref(nb_table *t)
{
    __atomic_fetch_add(&t->refs, 1, __ATOMIC_RELAXED);
    return t;
}

void
nb_table_release(nb_table *t)
{
    if (t == NULL || __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    for (int i = 0; i < t->n_chunks; i++) {
        nb_chunk_free(t->chunks[i]);
    }
    nb_pool_dealloc(t->pool, t->chunks, (size_t)t->cap * sizeof(*t->chunks));
    nb_pool_dealloc(t->pool, t, sizeof(*t));
}

nb_status
nb_table_append(nb_table *t, nb_chunk *chunk)
{
    if (t->n_chunks == t->cap) {
        int cap = t->cap ? t->cap * 2 : FIRST_CHUNKS;
        nb_chunk **chunks = nb_pool_realloc(t->pool, t->chunks, (size_t)t->cap * sizeof(*chunks),
                                            (size_t)cap * sizeof(*chunks));
        if (chunks == NULL) {
            return NB_NOMEM;
        }
        t->chunks = chunks;
        t->cap = cap;
    }
    t->chunks[t->n_chunks++] = chunk;
    t->n_rows += chunk->n_rows;
    return NB_OK;
}

nb_status
nb_chunk_new(nb_pool *pool, int n_cols, nb_chunk **out)
{
    return nb_chunk_new_in(nb_arena_new(pool), n_cols, out);
}

nb_status
nb_chunk_new_in(nb_arena *arena, int n_cols, nb_chunk **out)
{
    nb_chunk *c = arena ? NB_ARENA_NEW(arena, nb_chunk) : NULL;

    if (c != NULL) {
        c->cols = nb_arena_zalloc(arena, (size_t)n_cols * sizeof(*c->cols));
    }
    if (c == NULL || c->cols == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    c->arena = arena;
    c->refs = 1;
    *out = c;
    return NB_OK;
}

nb_chunk *
nb_chunk_ref(nb_chunk *chunk)
{
    __atomic_fetch_add(&chunk->refs, 1, __ATOMIC_RELAXED);
    return chunk;
}

void
nb_chunk_free(nb_chunk *chunk)
{
    if (chunk == NULL || __atomic_sub_fetch(&chunk->refs, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    for (int i = 0; i < chunk->n_buffers; i++) {
        nb_buffer_release(chunk->buffers[i]);
    }
    nb_arena_free(chunk->arena); /* holds the chunk itself */
}

void
nb_chunk_forget(const nb_chunk *chunk)
{
    if (chunk->mapped != NULL) {
        madvise(chunk->mapped, chunk->mapped_bytes, MADV_DONTNEED);
    }
}

nb_status
nb_chunk_keep(nb_chunk *chunk, nb_buffer *buf)
{
    int n = chunk->n_buffers;

    if ((n & (n - 1)) == 0) { /* full at powers of two; the arena keeps the old lists */
        nb_buffer **list = NB_ARENA_ARRAY(chunk->arena, nb_buffer *, n ? n * 2 : 1);
        if (list == NULL) {
            return NB_NOMEM;
        }
        if (n > 0) {
            memcpy(list, chunk->buffers, (size_t)n * sizeof(*list));
        }
        chunk->buffers = list;
    }
    chunk->buffers[chunk->n_buffers++] = nb_buffer_ref(buf);
    return NB_OK;
}

nb_status
nb_chunk_batch(const nb_chunk *c, int n_cols, int64_t from, int64_t n, nb_arena *arena,
               nb_batch *out)
{
    nb_batch b;

    NB_TRY(nb_batch_init(arena, n_cols, n, &b));
    for (int i = 0; i < n_cols; i++) {
        NB_TRY(nb_vector_slice(arena, &c->cols[i], from, n, &b.cols[i]));
    }
    b.order = c->order;
    b.partition = c->partition;
    *out = b;
    return NB_OK;
}
