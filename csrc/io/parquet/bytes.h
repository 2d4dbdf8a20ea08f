/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.h: growing arrays of the writer, counted in its pool. Zero-initialise; free with the pool that they grew in.
 */
#ifndef NB_IO_PARQUET_BYTES_H
#define NB_IO_PARQUET_BYTES_H

#include <stdbool.h>
#include <string.h>
#include "base/pool.h"

typedef struct nb_pq_bytes {
    uint8_t *data;
    size_t len, cap;
} nb_pq_bytes;

/* Room for n more bytes behind len; NULL when the budget refuses. len is the caller's to move. */
NB_INLINE void *
nb_pq_bytes_room(nb_pool *pool, nb_pq_bytes *b, size_t n)
{
    if (n > b->cap - b->len) {
        size_t cap = NB_MAX(b->cap + b->cap / 2, b->len + n + 64);
        uint8_t *data = nb_pool_realloc(pool, b->data, b->cap, cap);
        if (!data) {
            return NULL;
        }
        b->data = data;
        b->cap = cap;
    }
    return b->data + b->len;
}

NB_INLINE bool
nb_pq_bytes_add(nb_pool *pool, nb_pq_bytes *b, const void *p, size_t n)
{
    void *to = n ? nb_pq_bytes_room(pool, b, n) : NULL;

    if (to) {
        memcpy(to, p, n);
        b->len += n;
    }
    return to || n == 0;
}

NB_INLINE void
nb_pq_bytes_free(nb_pool *pool, nb_pq_bytes *b)
{
    if (b->data) {
        nb_pool_dealloc(pool, b->data, b->cap);
    }
    *b = (nb_pq_bytes){0};
}

#endif
