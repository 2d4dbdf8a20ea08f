/* SPDX-License-Identifier: Apache-2.0 */
/*
 * column_write.h: a leaf column on its way into a file: values with their levels in, pages of a chunk out.
 *
 *     nb_pq_column_new → (nb_pq_column_add* → nb_pq_column_finish → written out → nb_pq_column_reset)* → nb_pq_column_free
 *
 * Pages are encoded and compressed as soon as they are full and kept until the row group ends, so that memory is the compressed chunk and one page. Values go
 * through a dictionary until that grows beyond its bound or turns out not to pay; then they are written plain.
 */
#ifndef NB_IO_PARQUET_COLUMN_WRITE_H
#define NB_IO_PARQUET_COLUMN_WRITE_H

#include "io/parquet/bounds.h"
#include "io/parquet/dictionary.h"
#include "io/parquet/write_options.h"

typedef struct nb_pq_levels {
    const uint8_t *def, *rep; /* NULL: all are the greatest; all are 0 */
    int64_t n;
} nb_pq_levels;

typedef struct nb_pq_written_page {
    int64_t offset, first_row; /* within the data pages; within the row group */
    int64_t n_nulls;
    int32_t size; /* with its header */
    bool is_null; /* no value at all */
    nb_pq_bound low, high;
} nb_pq_written_page;

typedef struct nb_pq_column_writer nb_pq_column_writer;

/* A finished chunk; borrowed until the writer is reset. */
typedef struct nb_pq_written_chunk {
    nb_str dictionary_page; /* header and body; empty: none */
    nb_str data_pages;
    int64_t n_values, n_nulls, uncompressed;
    int n_plain_pages, n_coded_pages;
    nb_pq_bound low, high;
    const nb_pq_written_page *pages; /* in the arena that finish was given */
    int n_pages;
    int order;              /* of the pages' bounds: 0 none, 1 ascending, 2 descending */
    bool has_index;         /* every page has bounds or is all null */
    const uint64_t *hashes; /* of the values, for a bloom filter; may hold some twice */
    int64_t n_hashes;
} nb_pq_written_chunk;

nb_status nb_pq_column_new(nb_pool *pool, nb_arena *arena, const nb_pq_out_leaf *leaf,
                           const nb_pq_write_options *options, nb_pq_column_writer **out);
/* Rows of a vector (FLAT or DICT) that are there, in order: idx[0..n), NULL: 0..n. levels tell of them and of what is not there; a row begins where
 * rep is 0. */
nb_status nb_pq_column_add(nb_pq_column_writer *w, nb_arena *scratch, const nb_vector *v,
                           const uint32_t *idx, int64_t n, nb_pq_levels levels, nb_error *err);
/* What the chunk will about take in the file. */
size_t nb_pq_column_bytes(const nb_pq_column_writer *w);
/* arena: for pages and bounds, which live until the footer is written. */
nb_status nb_pq_column_finish(nb_pq_column_writer *w, nb_arena *arena, nb_pq_written_chunk *out,
                              nb_error *err);
void nb_pq_column_reset(nb_pq_column_writer *w);
void nb_pq_column_free(nb_pq_column_writer *w); /* NULL is fine */

#endif
