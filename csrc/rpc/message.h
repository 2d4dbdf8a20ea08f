/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h: bytes on their way out, and messages that came in.
 *
 * What comes from the network lies in pieces of some 64 KiB, at any address. A message keeps them; nb_rpc_message_gather puts them
 * together with the one copy that aligned columns need anyway, so that a byte of the caller's choice (the first of an Arrow stream
 * inside of the message) comes to lie at a multiple of 64.
 */
#ifndef NB_RPC_MESSAGE_H
#define NB_RPC_MESSAGE_H

#include "base/buffer.h"
#include "base/str.h"

/* Bytes to send. With a release they are sent where they lie, and it is called once, by any thread, when they are not needed any
 * more, also when sending fails; without, they are copied. */
typedef struct nb_rpc_piece {
    nb_str bytes;
    void (*release)(void *payload);
    void *payload;
} nb_rpc_piece;

#define NB_RPC_PIECE(str) ((nb_rpc_piece){.bytes = (str)})

typedef struct nb_rpc_message nb_rpc_message;

size_t nb_rpc_message_size(const nb_rpc_message *message);
/* Copies n bytes from a place; the caller sees to it that they are there. */
void nb_rpc_message_read(const nb_rpc_message *message, size_t from, size_t n, void *out);

/* All of it in one piece: out->data + *skip is the first byte, and the byte `align_at` of the message is aligned. */
nb_status nb_rpc_message_gather(const nb_rpc_message *message, nb_pool *pool, size_t align_at,
                                nb_buffer **out, size_t *skip);
/* The same into an arena, aligned at its start. Data NULL when out of memory. */
nb_str nb_rpc_message_copy(const nb_rpc_message *message, struct nb_arena *arena);

void nb_rpc_message_free(nb_rpc_message *message); /* NULL is fine */

#endif
