/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dictionary.h: the distinct values of a column chunk that is written, with a code for each in order of arrival.
 */
#ifndef NB_IO_PARQUET_DICTIONARY_H
#define NB_IO_PARQUET_DICTIONARY_H

#include "column/vector.h"
#include "io/parquet/bytes.h"

typedef struct nb_pq_dictionary {
    nb_pool *pool;
    int width;           /* bytes of a value: 4 or 8 numbers, else fixed; 0: strings */
    nb_pq_bytes entries; /* as PLAIN holds them: the dictionary page */
    nb_pq_bytes offsets; /* strings: uint32 per entry */
    nb_pq_bytes slots;   /* uint64: tag of the hash, code + 1; a power of two of them */
    uint32_t n;
    size_t max_bytes;
} nb_pq_dictionary;

/* Codes of the first *n_done values; fewer than n where an entry more would exceed max_bytes. values: 4 or 8 bytes each, or views. */
nb_status nb_pq_dictionary_numbers(nb_pq_dictionary *d, const void *values, int64_t n,
                                   uint32_t *codes, int64_t *n_done);
nb_status nb_pq_dictionary_strings(nb_pq_dictionary *d, const nb_view *values, int64_t n,
                                   uint32_t *codes, int64_t *n_done);
/* The bytes of an entry, without its length. */
nb_str nb_pq_dictionary_entry(const nb_pq_dictionary *d, uint32_t code);
void nb_pq_dictionary_clear(nb_pq_dictionary *d); /* keeps the memory */
void nb_pq_dictionary_free(nb_pq_dictionary *d);

#endif
