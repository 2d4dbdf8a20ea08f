/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h: values of a column chunk, of all its rows or of some.
 *
 *     nb_pq_reader_open → (nb_pq_reader_dictionary | nb_pq_reader_codes | nb_pq_reader_read)*      one thread, all memory in the arena
 *
 * Opening looks at the page headers only. Pages in which no wanted row lies are never decompressed. A chunk is *coded* when all its data pages hold
 * indices into its dictionary: whoever looks for rows can then ask each entry once and go by the codes.
 */
#ifndef NB_IO_PARQUET_READER_H
#define NB_IO_PARQUET_READER_H

#include "column/vector.h"
#include "io/parquet/meta.h"
#include "io/source.h"

typedef struct nb_pq_reader nb_pq_reader;

/* bytes: all pages of the chunk and 64 more that may be read; borrowed until the arena is reset (strings point into it). Raises FAILED_READ_FILE for
 * damaged pages, as all calls here do. */
nb_status nb_pq_reader_open(const nb_pq_column *column, const nb_pq_chunk *chunk,
                            const uint8_t *bytes, int64_t n_rows, const char *path, nb_arena *arena,
                            nb_pq_reader **out, nb_error *err);

/* Looked at with each page; may be NULL. */
/* What was done, added up over readers. */
typedef struct nb_pq_counts {
    int64_t bytes_unpacked, values_decoded;
} nb_pq_counts;

/* cancel may be NULL; counts are borrowed for as long as the reader is used. */
void nb_pq_reader_watch(nb_pq_reader *r, const nb_cancel_flag *cancel, nb_pq_counts *counts);
bool nb_pq_reader_is_coded(const nb_pq_reader *r);
/* Entries of the dictionary, by its page's header. */
int64_t nb_pq_reader_entries(const nb_pq_reader *r);
/* Decompresses the dictionaries of these readers that will be needed and are not there yet, two at a time. Faults are left to the calls that need one. */
nb_status nb_pq_readers_prepare(nb_pq_reader *const *readers, int n);
/* The dictionary as a flat vector; where the column may be null, one entry more, which is null. */
nb_status nb_pq_reader_dictionary(nb_pq_reader *r, const nb_vector **out, nb_error *err);
/* Keeps those of rows[0..n) (ascending; NULL: all rows of the chunk, n of them) whose entry has keep[code] set. *out may be rows itself. */
nb_status nb_pq_reader_select(nb_pq_reader *r, const uint8_t *keep, const uint32_t *rows, int64_t n,
                              uint32_t *out, int64_t *n_out, nb_error *err);
/* Values of rows[0..n) (ascending; NULL: all rows). FLAT, or DICT for strings of a coded chunk. */
nb_status
nb_pq_reader_read(nb_pq_reader *r, const uint32_t *rows, int64_t n, nb_vector *out, nb_error *err);

#endif
