/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_block.h: rows on disk: blocks of columns in a spill file.
 *
 * A block holds the rows of one batch or a few, compressed by LZ4 where that pays, and is read by its reference alone: whoever writes keeps
 * the references, in lists per run, partition or task, and so any number of these share a file. Writers belong to one thread;
 * a file that is finished is read by any number of readers.
 *
 *     nb_block_writer_init → nb_block_write* → nb_block_writer_finish → nb_block_read*
 */
#ifndef NB_EXEC_ROW_BLOCK_H
#define NB_EXEC_ROW_BLOCK_H

#include "base/pool.h"
#include "column/vector.h"
#include "exec/spill_file.h"

typedef struct nb_block_ref {
    int64_t offset;
    int64_t n_raw, n_stored; /* bytes; equal: not compressed */
    int64_t n_rows;
} nb_block_ref;

typedef struct nb_block_writer {
    nb_str dir;
    nb_spill_file *file; /* made by the first write */
    nb_arena *scratch;
    nb_strbuf raw, packed;
} nb_block_writer;

/* Takes nothing yet. dir is borrowed. */
void nb_block_writer_init(nb_block_writer *w, nb_str dir);
/* Columns of n rows each, of any kind. The working memory lies outside of the budget: spilling starts when nothing is left there. */
nb_status nb_block_write(nb_block_writer *w, const nb_vector *cols, int n_cols, int64_t n,
                         nb_block_ref *out, nb_error *err);
/* *out: the file, moved to the caller; NULL when nothing was written. Frees what else the writer has. */
nb_status nb_block_writer_finish(nb_block_writer *w, nb_spill_file **out, nb_error *err);
void nb_block_writer_free(nb_block_writer *w);

/* Memory of the block that was read last. */
typedef struct nb_block_reader {
    nb_pool *pool;
    nb_arena *arena;
    uint8_t *raw;
    size_t cap;
} nb_block_reader;

nb_status nb_block_reader_init(nb_block_reader *r, nb_pool *pool);
void nb_block_reader_free(nb_block_reader *r); /* a zeroed one is fine */
/* *cols: one flat vector per field of schema, valid until the next read. */
nb_status nb_block_read(nb_block_reader *r, const nb_spill_file *file, const nb_block_ref *ref,
                        const nb_type *schema, nb_vector **cols, nb_error *err);
/* Bytes that a reader holds for a block of these columns. */
size_t nb_block_cost(const nb_type *schema, const nb_block_ref *ref);

#endif
