/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_internal.h: messages as gRPC sees them.
 */
#ifndef NB_RPC_MESSAGE_INTERNAL_H
#define NB_RPC_MESSAGE_INTERNAL_H

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include "rpc/message.h"

/* A buffer of the bytes, owned by the caller. They are moved: piece->release is called sooner or later. */
grpc_byte_buffer *nb_rpc_piece_buffer(const nb_rpc_piece *piece);

/* A buffer that came in, as a message; moved. */
static inline nb_rpc_message *
nb_rpc_message_of(grpc_byte_buffer *buffer)
{
    return (nb_rpc_message *)buffer;
}

#endif
