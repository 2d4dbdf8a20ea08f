/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_table.h: what protobuf-c's descriptors of our messages do not say.
 *
 * The tables are made from proto/ at build time; everything here is read-only and may be called from any thread.
 */
#ifndef NB_PLAN_MESSAGE_TABLE_H
#define NB_PLAN_MESSAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#define NB_MESSAGE_MAX_FIELDS 128

/* Messages inside each other that are packed or unpacked; neither uses the thread's stack for it. A chain of
 * n relations is 2 n deep. */
#define NB_MESSAGE_MAX_DEPTH 32768

typedef struct nb_message_info {
    const ProtobufCMessageDescriptor *descriptor;
    uint64_t text[NB_MESSAGE_MAX_FIELDS / 64]; /* bit i: descriptor->fields[i] must hold UTF-8 */
    bool is_map_entry;                         /* fields 1 and 2 are key and value of a map field */
} nb_message_info;

/* The message of this full name ("spark.connect.Plan"), or NULL. */
const ProtobufCMessageDescriptor *nb_message_find(const char *name, size_t len);

/* Never NULL for a descriptor of ours; NULL for one of somebody else's. */
const nb_message_info *nb_message_info_of(const ProtobufCMessageDescriptor *descriptor);

/* The field of this number, or NULL. */
const ProtobufCFieldDescriptor *
nb_message_field(const ProtobufCMessageDescriptor *descriptor, uint32_t number);

static inline bool
nb_message_is_text(const nb_message_info *info, unsigned field)
{
    return (info->text[field / 64] >> (field % 64)) & 1;
}

/* A scalar without presence in proto3: absent means zero, and zero is not written. */
static inline bool
nb_message_is_implicit(const ProtobufCFieldDescriptor *field)
{
    return field->default_value != NULL;
}

#endif
