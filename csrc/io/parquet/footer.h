/* SPDX-License-Identifier: Apache-2.0 */
/*
 * footer.h: what is written behind the row groups: indexes of pages and the footer.
 */
#ifndef NB_IO_PARQUET_FOOTER_H
#define NB_IO_PARQUET_FOOTER_H

#include "io/parquet/column_write.h"

typedef struct nb_pq_footer_chunk {
    nb_pq_written_chunk chunk; /* without the bytes, once they are written */
    int64_t dictionary_offset, data_offset;
    int64_t bloom_offset, bloom_bytes; /* 0 bytes: there is none */
    int64_t column_index_offset, column_index_bytes, offset_index_offset, offset_index_bytes;
} nb_pq_footer_chunk;

typedef struct nb_pq_footer_group {
    nb_pq_footer_chunk *chunks;
    int64_t n_rows, offset;
} nb_pq_footer_group;

typedef struct nb_pq_footer {
    nb_pq_footer_group *groups;
    int n_groups;
    int64_t n_rows;
} nb_pq_footer;

void nb_pq_put_column_index(nb_strbuf *b, const nb_pq_written_chunk *chunk);
void nb_pq_put_offset_index(nb_strbuf *b, const nb_pq_footer_chunk *chunk);
/* FileMetaData. */
void nb_pq_put_footer(nb_strbuf *b, const nb_pq_write_options *options, const nb_pq_footer *footer);

#endif
