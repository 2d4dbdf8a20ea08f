/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta.h: what a Parquet file says of itself: schema, row groups, column chunks, page headers.
 *
 * Sizes and offsets are checked against the file before anybody allocates by them. [Apache Parquet format, parquet.thrift]
 */
#ifndef NB_IO_PARQUET_META_H
#define NB_IO_PARQUET_META_H

#include "base/arena.h"
#include "column/type.h"
#include "io/file.h"
#include "io/parquet/schema.h"

enum {
    NB_PQ_PLAIN = 0,
    NB_PQ_PLAIN_DICTIONARY = 2,
    NB_PQ_RLE = 3,
    NB_PQ_BIT_PACKED = 4,
    NB_PQ_DELTA_BINARY_PACKED = 5,
    NB_PQ_DELTA_LENGTH_BYTE_ARRAY = 6,
    NB_PQ_DELTA_BYTE_ARRAY = 7,
    NB_PQ_RLE_DICTIONARY = 8,
    NB_PQ_BYTE_STREAM_SPLIT = 9
};
enum { NB_PQ_DATA_PAGE = 0, NB_PQ_DICTIONARY_PAGE = 2, NB_PQ_DATA_PAGE_V2 = 3 };
enum {
    NB_PQ_UNCOMPRESSED = 0,
    NB_PQ_SNAPPY = 1,
    NB_PQ_GZIP = 2,
    NB_PQ_BROTLI = 4,
    NB_PQ_LZ4 = 5,
    NB_PQ_ZSTD = 6,
    NB_PQ_LZ4_RAW = 7
};

typedef struct nb_pq_chunk {
    int codec;
    int64_t offset, n_bytes,
        n_values; /* offset of the first page; n_bytes of all pages, compressed */
    bool has_dictionary;
    bool
        has_range; /* INT32, INT64 and decimals of up to 18 digits: the least and the greatest value */
    int64_t low, high; /* as stored */
    bool is_inexact;   /* the writer says that a bound is none of the values */
    int64_t n_nulls;   /* -1: unknown */
    nb_str low_bytes,
        high_bytes; /* of strings, floating-point numbers and FIXED, as stored; data NULL: unknown */
    int64_t bloom, column_index, offset_index; /* where these are in the file; 0: nowhere */
    int64_t column_index_bytes, offset_index_bytes;
} nb_pq_chunk;

typedef struct nb_pq_group {
    int64_t n_rows, offset;
    nb_pq_chunk *chunks; /* n_columns */
} nb_pq_group;

typedef struct nb_pq_meta {
    bool has_schema;
    int n_columns; /* leaves */
    nb_pq_column *columns;
    int n_fields; /* what users see as columns */
    nb_pq_node *fields;
    int n_groups;
    nb_pq_group *groups;
    int64_t n_rows;
    nb_str spark_schema; /* JSON; empty when Spark did not write the file */
    nb_str zone;         /* of the writer, in files of the hybrid calendar; may be empty */
    bool legacy_datetime, legacy_int96;
} nb_pq_meta;

typedef struct nb_pq_page {
    int type, encoding;
    int def_encoding, rep_encoding; /* v1: RLE, or BIT_PACKED in old files */
    int64_t n_values, n_nulls;      /* n_nulls: v2 only */
    int64_t total;                  /* n_values, of the whole page */
    int64_t compressed, uncompressed;
    int64_t def_bytes, rep_bytes; /* v2 */
    bool is_compressed;
} nb_pq_page;

/* Everything goes to the arena. Raises FAILED_READ_FILE with what is wrong. */
nb_status
nb_pq_meta_read(nb_file *file, nb_pool *pool, nb_arena *arena, nb_pq_meta **out, nb_error *err);
/* The header at p; its size in bytes, or 0 when it is damaged. */
size_t nb_pq_page_read(const uint8_t *p, size_t n, nb_pq_page *out);

/* The unscaled value of a decimal in FIXED bytes, the highest first. False: the column has no such, or the bytes are not as many as it says. */
bool nb_pq_fixed_decimal(const nb_pq_column *column, nb_str bytes, nb_int128 *out);

nb_status nb_pq_damaged(const char *path, const char *what, nb_error *err);

#endif
