/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buffer.h: 64-byte aligned, reference-counted bytes for column data that outlives a batch.
 *
 * Written by one owner, immutable once shared. A buffer may also wrap foreign memory (an Arrow array, a NumPy array, a
 * mapped file) with a function that lets it go.
 */
#ifndef NB_BASE_BUFFER_H
#define NB_BASE_BUFFER_H

#include <stdbool.h>
#include "base/pool.h"

typedef struct nb_buffer {
    uint8_t *data;
    size_t
        n_bytes; /* in use; capacity is at least this, rounded up to 64, tail zeroed at creation */
    /* private: */
    int64_t refs; /* atomic */
    nb_pool *pool;
    size_t capacity;
    bool adopted; /* from nb_pool_alloc, not its aligned form */
    void (*release)(void *payload);
    void *payload;
} nb_buffer;

nb_status nb_buffer_new(nb_pool *pool, size_t n_bytes,
                        nb_buffer **out); /* content uninitialised, tail zeroed */
/* Wraps memory that is not ours; release(payload) runs when the last reference goes. Not charged. */
nb_status
nb_buffer_wrap(void *data, size_t n_bytes, void (*release)(void *), void *payload, nb_buffer **out);
/* Takes a piece that nb_pool_alloc gave. */
nb_status nb_buffer_adopt(nb_pool *pool, void *data, size_t n_bytes, nb_buffer **out);
/* Ends a buffer with one reference; its bytes stay the caller's. */
void nb_buffer_disown(nb_buffer *buf);
nb_buffer *nb_buffer_ref(nb_buffer *buf);
void nb_buffer_release(nb_buffer *buf);       /* NULL is fine */
bool nb_buffer_is_sole(const nb_buffer *buf); /* whether the caller's reference is the only one */

#endif
