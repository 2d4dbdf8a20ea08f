/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.h: a column chunk's bytes to a vector of the row group's rows.
 */
#ifndef NB_IO_PARQUET_DECODE_H
#define NB_IO_PARQUET_DECODE_H

#include "column/vector.h"
#include "io/parquet/meta.h"

/* bytes: all pages of the chunk, borrowed until the vector is gone (strings of uncompressed pages point into it). The vector lives in the arena: FLAT,
 * or DICT for strings when all pages are dictionary-coded. Raises FAILED_READ_FILE for damaged pages. */
nb_status
nb_pq_decode(const nb_pq_column *column, const nb_pq_chunk *chunk, const uint8_t *bytes,
             int64_t n_rows, const char *path, nb_arena *arena, nb_vector *out, nb_error *err);

/* The RLE / bit-packed hybrid: n values of `width` bits (0 to 32) from [p, end). The place behind it, or NULL when the bytes do not suffice. */
const uint8_t *
nb_pq_hybrid(const uint8_t *p, const uint8_t *end, int width, int64_t n, uint32_t *out);

#endif
