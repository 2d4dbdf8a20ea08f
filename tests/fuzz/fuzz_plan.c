/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_plan.c: the plan decoder on arbitrary bytes; what it accepts is walked by protobuf-c's own packer. */
#include <stdint.h>
#include <stdlib.h>

#include "plan/message_unpack.h"
#include "spark/connect/base.pb-c.h"

enum { MAX_WALK = 1 << 16 }; /* protobuf-c's packer recurses */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const roots[] = {
        &sc__plan__descriptor,
        &sc__analyze_plan_request__descriptor,
        &sc__config_request__descriptor,
    };
    nb_error err = NB_ERROR_INIT;
    ProtobufCMessage *message = NULL;
    nb_arena *arena = nb_arena_new(NULL);

    if (arena == NULL || size == 0) {
        nb_arena_free(arena);
        return 0;
    }
    /* The first byte chooses the kind of message. */
    if (nb_message_unpack(arena, roots[data[0] % 3], data + 1, size - 1, &message, &err) == NB_OK &&
        size < MAX_WALK) {
        size_t n = protobuf_c_message_get_packed_size(message);
        uint8_t *packed = malloc(n + 1);
        if (packed != NULL && protobuf_c_message_pack(message, packed) != n) {
            abort();
        }
        free(packed);
    }
    nb_error_clear(&err);
    nb_arena_free(arena);
    return 0;
}
