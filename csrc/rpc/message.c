/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.c: gRPC's byte buffers as messages.
 *
 * An nb_rpc_message is a grpc_byte_buffer under another name. Those that come from the network are never compressed here: gRPC's
 * own filter has done that.
 */
#include "rpc/message_internal.h"

#include "base/arena.h"

#define ALIGNMENT 64
/* Bytes below this are copied into gRPC's memory even where they could be sent in place. */
#define IN_PLACE_FROM ((size_t)16 * 1024)

static const grpc_slice_buffer *
slices_of(const nb_rpc_message *message)
{
    const grpc_byte_buffer *bytes = (const grpc_byte_buffer *)message;

    NB_ASSERT(bytes->type == GRPC_BB_RAW && bytes->data.raw.compression == GRPC_COMPRESS_NONE);
    return &bytes->data.raw.slice_buffer;
}

size_t
nb_rpc_message_size(const nb_rpc_message *message)
{
    return slices_of(message)->length;
}

void
nb_rpc_message_read(const nb_rpc_message *message, size_t from, size_t n, void *out)
{
    const grpc_slice_buffer *slices = slices_of(message);
    uint8_t *to = out;

    NB_ASSERT(from <= slices->length && n <= slices->length - from);
    for (size_t i = 0; i < slices->count && n > 0; i++) {
        const uint8_t *piece = GRPC_SLICE_START_PTR(slices->slices[i]);
        size_t len = GRPC_SLICE_LENGTH(slices->slices[i]);
        size_t take;
        if (from >= len) {
            from -= len;
            continue;
        }
        take = NB_MIN(len - from, n);
        memcpy(to, piece + from, take);
        to += take;
        n -= take;
        from = 0;
    }
}

nb_status
nb_rpc_message_gather(const nb_rpc_message *message, nb_pool *pool, size_t align_at,
                      nb_buffer **out, size_t *skip)
{
    size_t size = nb_rpc_message_size(message);
    size_t before = (ALIGNMENT - align_at % ALIGNMENT) % ALIGNMENT;

    NB_TRY(nb_buffer_new(pool, before + size, out));
    nb_rpc_message_read(message, 0, size, (*out)->data + before);
    *skip = before;
    return NB_OK;
}

nb_str
nb_rpc_message_copy(const nb_rpc_message *message, struct nb_arena *arena)
{
    size_t size = nb_rpc_message_size(message);
    char *data = nb_arena_alloc(arena, size);

    if (data != NULL) {
        nb_rpc_message_read(message, 0, size, data);
    }
    return (nb_str){data, size};
}

void
nb_rpc_message_free(nb_rpc_message *message)
{
    if (message != NULL) {
        grpc_byte_buffer_destroy((grpc_byte_buffer *)message);
    }
}

grpc_byte_buffer *
nb_rpc_piece_buffer(const nb_rpc_piece *piece)
{
    grpc_byte_buffer *buffer;
    grpc_slice slice;

    if (piece->release != NULL && piece->bytes.len >= IN_PLACE_FROM) {
        slice = grpc_slice_new_with_user_data((void *)piece->bytes.data, piece->bytes.len,
                                              piece->release, piece->payload);
    } else {
        slice = grpc_slice_from_copied_buffer(piece->bytes.data, piece->bytes.len);
        if (piece->release != NULL) {
            piece->release(piece->payload);
        }
    }
    buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}
