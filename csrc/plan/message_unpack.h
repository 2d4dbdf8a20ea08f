/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_unpack.h: from untrusted protobuf bytes to protobuf-c's structs.
 *
 * Takes the place of protobuf_c_message_unpack, which recurses without a limit, merges a repeated sub-message in
 * quadratic time and asks malloc for every string. Here: no recursion (NB_MESSAGE_MAX_DEPTH levels on any stack), linear
 * time, memory from one arena and at most NB_MESSAGE_BYTES_BASE + NB_MESSAGE_BYTES_FACTOR × input, text checked to be UTF-8.
 *
 * Differences from protobuf-c in the result: unknown fields are dropped, bytes that are absent are {0, NULL}, and a
 * singular sub-message that comes twice is refused instead of merged (no writer produces that).
 */
#ifndef NB_PLAN_MESSAGE_UNPACK_H
#define NB_PLAN_MESSAGE_UNPACK_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/error.h"

#define NB_MESSAGE_BYTES_BASE   ((size_t)64 << 20)
#define NB_MESSAGE_BYTES_FACTOR 64

/* Reads one message of this descriptor.
 *
 * bytes  len bytes, borrowed during the call only; may be NULL when len is 0
 * out    the message, in arena: cast it to its struct; never freed by itself. Bytes fields are not NUL-terminated.
 * return NB_ERROR with CONNECT_INVALID_PLAN.CANNOT_PARSE, NB_NOMEM when the arena or its pool has no more
 */
nb_status nb_message_unpack(nb_arena *arena, const ProtobufCMessageDescriptor *descriptor,
                            const void *bytes, size_t len, ProtobufCMessage **out, nb_error *err);
/* The name of the message's field with this number, for messages; a oneof says which of its fields is there. */
const char *nb_pb_case(const ProtobufCMessage *message, int number);

#endif
