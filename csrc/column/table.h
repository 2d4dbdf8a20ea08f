/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h: rows that are kept: results, cached DataFrames, local data, spilled runs being read.
 *
 * A table is a list of chunks of columns that owns (by reference) all memory its vectors point at. Immutable once finished,
 * shared between threads and sessions by reference counts. Chunks may have any number of rows; readers slice them into
 * batches of NB_BATCH_ROWS without copying.
 */
#ifndef NB_COLUMN_TABLE_H
#define NB_COLUMN_TABLE_H

#include "base/buffer.h"
#include "column/batch.h"

typedef struct nb_chunk {
    int64_t n_rows;
    nb_vector *cols; /* n_cols, flat, constant or dictionary */
    uint64_t order;
    int32_t partition;
    /* private */
    nb_arena *arena;     /* owns the vectors, and copied data */
    nb_buffer **buffers; /* referenced foreign memory */
    int n_buffers;
    void *mapped; /* all its data, when that lies in a mapped file; see nb_chunk_forget */
    size_t mapped_bytes;
    int64_t refs;
} nb_chunk;

typedef struct nb_table {
    const nb_type *schema; /* STRUCT */
    int64_t n_rows;
    nb_chunk **chunks; /* in order */
    int n_chunks;
    /* private */
    nb_pool *pool;
    int64_t refs;
    int cap;
} nb_table;

/* The pool is borrowed and must outlive the table. */
nb_status nb_table_new(nb_pool *pool, const nb_type *schema, nb_table **out);
nb_table *nb_table_ref(nb_table *t);
void nb_table_release(nb_table *t); /* NULL is fine */
/* The chunk is moved into the table; on failure it stays the caller's. */
nb_status nb_table_append(nb_table *t, nb_chunk *chunk);

/* The rows of tables in order, as rows of a schema whose types lie in memory as theirs do. Chunks are shared, which the pools they are
 * charged to must bear. */
nb_status nb_table_join(nb_pool *pool, nb_table *const *tables, int n, const nb_type *schema,
                        nb_table **out, nb_error *err);
/* Rows [from, from+n) of a table, those that there are; chunks are shared as above. from and n are not negative. */
nb_status nb_table_slice(nb_pool *pool, nb_table *table, int64_t from, int64_t n, nb_table **out);

/* A chunk under construction: appends batches by copying, so that the result has few, long vectors. One thread. */
typedef struct nb_chunk_builder nb_chunk_builder;
nb_status nb_chunk_builder_new(nb_pool *pool, const nb_type *schema, nb_chunk_builder **out);
/* All or nothing: after NB_NOMEM the caller may finish (and spill) what was there before and append the same rows again. */
nb_status nb_chunk_builder_append(nb_chunk_builder *b, nb_batch *batch);
/* Selected rows only, rows idx[0..n) of plain vectors. */
nb_status nb_chunk_builder_append_rows(nb_chunk_builder *b, const nb_vector *cols,
                                       const uint32_t *idx, int64_t n);
int64_t nb_chunk_builder_rows(const nb_chunk_builder *b);
size_t nb_chunk_builder_bytes(const nb_chunk_builder *b);  /* held, used or not */
size_t nb_chunk_builder_filled(const nb_chunk_builder *b); /* with rows in them */
/* One chunk will be as long as the other: the next begins with as much memory as the last one took, instead of growing to it. */
void nb_chunk_builder_steady(nb_chunk_builder *b);
/* What has been collected so far becomes a chunk (owned by the caller); the builder is empty again. *out NULL when there were no rows. */
nb_status nb_chunk_builder_finish(nb_chunk_builder *b, nb_chunk **out);
void nb_chunk_builder_free(nb_chunk_builder *b);
nb_chunk *nb_chunk_ref(nb_chunk *chunk);
void nb_chunk_free(nb_chunk *chunk); /* gives one reference back; NULL is fine */
/* Who has read a chunk says so: pages of a mapped file leave the process's memory (and come back when they are read again). */
void nb_chunk_forget(const nb_chunk *chunk);

/* An empty chunk that may be filled by hand: vectors go into chunk->arena, foreign memory is added by nb_chunk_keep. */
nb_status nb_chunk_new(nb_pool *pool, int n_cols, nb_chunk **out);
/* In an empty arena, which becomes the chunk's whatever comes of it; out of memory too when it is NULL. */
nb_status nb_chunk_new_in(nb_arena *arena, int n_cols, nb_chunk **out);
nb_status nb_chunk_keep(nb_chunk *chunk, nb_buffer *buf); /* takes a reference */

/* Rows [from, from+n) of chunk c as a batch in the arena, without copying. */
nb_status nb_chunk_batch(const nb_chunk *c, int n_cols, int64_t from, int64_t n, nb_arena *arena,
                         nb_batch *out);

#endif
