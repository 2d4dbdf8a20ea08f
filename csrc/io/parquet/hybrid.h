/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hybrid.h: the encoding of levels and dictionary codes: runs of one value, and groups of eight packed into bits.
 */
#ifndef NB_IO_PARQUET_HYBRID_H
#define NB_IO_PARQUET_HYBRID_H

#include <stdint.h>

/* Bytes behind `end` that may be read (their values do not matter). */
#define NB_PQ_SLACK 16

/* n values of `width` bits (0 to 32) from [p, end); NB_PQ_SLACK more bytes must be readable. The place behind them, or NULL when the bytes do
 * not suffice. out has room for n + 8 values. */
const uint8_t *
nb_pq_hybrid(const uint8_t *p, const uint8_t *end, int width, int64_t n, uint32_t *out);
/* The same, of n values behind the first `skip`. *ones: how many of those that were skipped are 1, for a width of 1 only; may be NULL. out has room for n + 16. */
const uint8_t *nb_pq_hybrid_from(const uint8_t *p, const uint8_t *end, int width, int64_t skip,
                                 int64_t n, uint32_t *out, int64_t *ones);
/* The deprecated BIT_PACKED levels: n values of width bits (1 to 16), the highest bit first. (n * width + 7) / 8 bytes are read. */
void nb_pq_bit_packed(const uint8_t *p, int width, int64_t n, uint32_t *out);

#endif
