/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buffer.c: reference-counted bytes.
 */
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

nb_status
nb_buffer_new(nb_pool *pool, size_t n_bytes, nb_buffer **out)
{
    size_t capacity;
    nb_buffer *buf;

    if (n_bytes > SIZE_MAX / 2) {
        return NB_NOMEM;
    }
    capacity = NB_MAX(NB_ALIGN_UP(n_bytes, 64), (size_t)64);
    buf = calloc(1, sizeof(*buf));
    if (buf == NULL) {
        return NB_NOMEM;
    }
    buf->data = nb_pool_alloc_aligned(pool, capacity);
    if (buf->data == NULL) {
        free(buf);
        return NB_NOMEM;
    }
    memset(buf->data + n_bytes, 0, capacity - n_bytes);
    buf->n_bytes = n_bytes;
    buf->refs = 1;
    buf->pool = pool;
    buf->capacity = capacity;
    *out = buf;
    return NB_OK;
}

nb_status
nb_buffer_wrap(void *data, size_t n_bytes, void (*release)(void *), void *payload, nb_buffer **out)
{
    nb_buffer *buf = calloc(1, sizeof(*buf));

    if (buf == NULL) {
        return NB_NOMEM;
    }
    buf->data = data;
    buf->n_bytes = n_bytes;
    buf->refs = 1;
    buf->capacity = n_bytes;
    buf->release = release;
    buf->payload = payload;
    *out = buf;
    return NB_OK;
}

nb_status
nb_buffer_adopt(nb_pool *pool, void *data, size_t n_bytes, nb_buffer **out)
{
    NB_TRY(nb_buffer_wrap(data, n_bytes, NULL, NULL, out));
    (*out)->pool = pool;
    (*out)->adopted = true;
    return NB_OK;
}

void
nb_buffer_disown(nb_buffer *buf)
{
    free(buf);
}

nb_buffer *
nb_buffer_ref(nb_buffer *buf)
{
    __atomic_fetch_add(&buf->refs, 1, __ATOMIC_RELAXED);
    return buf;
}

void
nb_buffer_release(nb_buffer *buf)
{
    if (buf == NULL || __atomic_sub_fetch(&buf->refs, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    if (buf->adopted) {
        nb_pool_dealloc(buf->pool, buf->data, buf->capacity);
    } else if (buf->pool != NULL) {
        nb_pool_dealloc_aligned(buf->pool, buf->data, buf->capacity);
    } else if (buf->release != NULL) {
        buf->release(buf->payload);
    }
    free(buf);
}

bool
nb_buffer_is_sole(const nb_buffer *buf)
{
    return __atomic_load_n(&buf->refs, __ATOMIC_ACQUIRE) == 1;
}
