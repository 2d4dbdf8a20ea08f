/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block.h: compressed blocks of pages: one call in, one call out.
 */
#ifndef NB_IO_PARQUET_BLOCK_H
#define NB_IO_PARQUET_BLOCK_H

#include <stdbool.h>
#include "base/str.h"

/* Exactly n_out bytes come out, else false; NB_SNAPPY_SLACK bytes behind them may be written. codec is Parquet's number. */
bool nb_pq_decompress(int codec, const void *in, size_t n_in, void *out, size_t n_out);
bool nb_pq_codec_known(int codec);
/* Where the bytes of a Snappy block lie that is nothing but one literal of n_out bytes (as writers make them of what does not compress); else NULL. */
const uint8_t *nb_pq_snappy_in_place(const void *in, size_t n_in, size_t n_out);
/* Appends; false when it failed. level: the codec's own, brought into its bounds, or NB_PQ_LEVEL_DEFAULT. */
#define NB_PQ_LEVEL_DEFAULT INT32_MIN
bool nb_pq_compress(int codec, int level, const void *in, size_t n_in, nb_strbuf *out);

#endif
