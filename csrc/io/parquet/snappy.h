/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snappy.h: decompresses Snappy blocks, two at a time where there are two.
 *
 * A block is a chain: where an element begins is known when the one before has been read, so that a core waits most of the time. Two
 * blocks are two chains, and decompressing them in turn takes little more time than one. [Snappy compressed format description]
 */
#ifndef NB_IO_PARQUET_SNAPPY_H
#define NB_IO_PARQUET_SNAPPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes behind the end of `out` that may be written. */
#define NB_SNAPPY_SLACK 64

typedef struct nb_snappy_block {
    const uint8_t *in;
    size_t n_in;
    uint8_t *out; /* n_out and NB_SNAPPY_SLACK more */
    size_t n_out;
    bool ok; /* out: exactly n_out bytes came out of a well-formed block */
} nb_snappy_block;

/* One block, or two when b is not NULL. Never reads outside of in nor of what it has written, never writes outside of out and its slack. */
void nb_snappy_decompress(nb_snappy_block *a, nb_snappy_block *b);

#endif
