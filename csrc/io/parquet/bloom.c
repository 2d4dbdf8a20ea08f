/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bloom.c: see bloom.h. The upper half of a hash chooses a block of 256 bits, the lower half one bit in each of its eight words.
 */
#include "io/parquet/bloom.h"

#include <math.h>

#include "io/parquet/thrift.h"

static const uint32_t SALT[8] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                 0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};

int64_t
nb_pq_bloom_bytes(int64_t n, double fpp, int64_t max_bytes)
{
    double bits = -8.0 * (double)n / log(1 - pow(fpp, 1.0 / 8));
    int64_t bytes = NB_PQ_BLOOM_BLOCK;

    while (bytes * 2 <= max_bytes && (double)bytes * 8 < bits) {
        bytes *= 2;
    }
    return bytes;
}

static size_t
block_of(int64_t n_bytes, uint64_t hash)
{
    uint64_t n_blocks = (uint64_t)n_bytes / NB_PQ_BLOOM_BLOCK;

    return (size_t)(((hash >> 32) * n_blocks) >> 32) * NB_PQ_BLOOM_BLOCK;
}

static uint32_t
bit_of(uint64_t hash, int word)
{
    return 1U << (((uint32_t)hash * SALT[word]) >> 27);
}

void
nb_pq_bloom_add(uint8_t *filter, int64_t n_bytes, uint64_t hash)
{
    uint8_t *block = filter + block_of(n_bytes, hash);

    for (int k = 0; k < 8; k++) {
        uint32_t word;
        memcpy(&word, block + 4 * k, 4);
        word |= bit_of(hash, k);
        memcpy(block + 4 * k, &word, 4);
    }
}

bool
nb_pq_bloom_may_have(const uint8_t *filter, int64_t n_bytes, uint64_t hash)
{
    const uint8_t *block = filter + block_of(n_bytes, hash);

    for (int k = 0; k < 8; k++) {
        uint32_t word;
        memcpy(&word, block + 4 * k, 4);
        if (!(word & bit_of(hash, k))) {
            return false;
        }
    }
    return true;
}

void
nb_pq_bloom_put_header(nb_strbuf *b, int64_t n_bytes)
{
    int last = 0;

    nb_thrift_put_int(b, &last, 1, NB_T_I32, n_bytes);
    for (int id = 2; id <= 4;
         id++) { /* split blocks, XXH64, uncompressed: each the first of a union of empty structs */
        int inner = 0;
        nb_thrift_put_field(b, &last, id, NB_T_STRUCT);
        nb_thrift_put_field(b, &inner, 1, NB_T_STRUCT);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
    }
    nb_thrift_put_stop(b);
}

size_t
nb_pq_bloom_read_header(const uint8_t *p, size_t n, int64_t *n_bytes)
{
    nb_thrift t = {.p = p, .end = p + n};
    int id = 0, type, known = 0;

    *n_bytes = 0;
    while ((type = nb_thrift_field(&t, &id)) != NB_T_STOP) {
        int inner = 0, kind;
        if (id == 1) {
            *n_bytes = nb_thrift_int(&t);
        } else if (id >= 2 && id <= 4 && type == NB_T_STRUCT) {
            while ((kind = nb_thrift_field(&t, &inner)) != NB_T_STOP) {
                known += inner == 1;
                nb_thrift_skip(&t, kind);
            }
        } else {
            nb_thrift_skip(&t, type);
        }
    }
    if (t.bad || known != 3 || *n_bytes < NB_PQ_BLOOM_BLOCK || *n_bytes % NB_PQ_BLOOM_BLOCK) {
        return 0;
    }
    return (size_t)(t.p - p);
}
