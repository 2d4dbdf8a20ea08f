/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bloom.h: split-block bloom filters over XXH64 hashes. [Apache Parquet format, BloomFilter.md]
 */
#ifndef NB_IO_PARQUET_BLOOM_H
#define NB_IO_PARQUET_BLOOM_H

#include <stdbool.h>
#include "base/str.h"

#define NB_PQ_BLOOM_BLOCK 32

/* Bytes of a filter for n values: a power of two, at most max_bytes. */
int64_t nb_pq_bloom_bytes(int64_t n, double fpp, int64_t max_bytes);
void nb_pq_bloom_add(uint8_t *filter, int64_t n_bytes, uint64_t hash);
bool nb_pq_bloom_may_have(const uint8_t *filter, int64_t n_bytes, uint64_t hash);

/* The header before a filter: appends it; reads it (its size in bytes, 0 when it is damaged or of a kind that is not known). */
void nb_pq_bloom_put_header(nb_strbuf *b, int64_t n_bytes);
size_t nb_pq_bloom_read_header(const uint8_t *p, size_t n, int64_t *n_bytes);

#endif
