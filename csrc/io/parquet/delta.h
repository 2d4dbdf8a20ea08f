/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta.h: the three encodings by differences: of integers, of lengths, of strings that share prefixes.
 */
#ifndef NB_IO_PARQUET_DELTA_H
#define NB_IO_PARQUET_DELTA_H

#include <stdbool.h>
#include "base/arena.h"

/* DELTA_BINARY_PACKED: n integers from [p, end), behind which 16 more bytes may be read. The place behind them, or NULL when they are damaged or
 * fewer. out has room for n values. */
const uint8_t *nb_pq_delta(const uint8_t *p, const uint8_t *end, int64_t n, int64_t *out);
/* DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY: n strings as PLAIN would hold them (framed: each after its length), in the arena. NB_ERROR when they
 * are damaged; nothing is raised. */
nb_status nb_pq_delta_lengths(const uint8_t *p, const uint8_t *end, int64_t n, bool framed,
                              nb_arena *arena, const uint8_t **out, const uint8_t **out_end);
nb_status nb_pq_delta_prefixes(const uint8_t *p, const uint8_t *end, int64_t n, bool framed,
                               nb_arena *arena, const uint8_t **out, const uint8_t **out_end);

#endif
