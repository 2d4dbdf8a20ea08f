/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_table.c: look-up of message descriptors by name, and facts about them by address.
 *
 * The second is a hash table of 1,024 slots with linear probing, filled at the first call (about 50 µs).
 */
#include "plan/message_table.h"

#include <pthread.h>
#include <string.h>

#include "base/status.h"
#include "message_table.inc"

enum { N_MESSAGES = sizeof message_table / sizeof *message_table, N_SLOTS = 1024 };
_Static_assert(N_MESSAGES * 3 < N_SLOTS * 2, "the hash table of messages needs more slots");

static nb_message_info infos[N_SLOTS]; /* written once, under once */
static pthread_once_t once = PTHREAD_ONCE_INIT;

const ProtobufCMessageDescriptor *
nb_message_find(const char *name, size_t len)
{
    size_t low = 0;
    size_t high = N_MESSAGES;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const ProtobufCMessageDescriptor *descriptor = message_table[middle];
        int order = strncmp(descriptor->name, name, len);
        if (order == 0 && descriptor->name[len] != '\0') {
            order = 1;
        }
        if (order == 0) {
            return descriptor;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* The slot of descriptor, or the empty one where it would go. */
static nb_message_info *
find_slot(const ProtobufCMessageDescriptor *descriptor)
{
    size_t slot = ((uintptr_t)descriptor >> 4) * 0x9E3779B97F4A7C15u >> 54;

    while (infos[slot].descriptor != NULL && infos[slot].descriptor != descriptor) {
        slot = (slot + 1) % N_SLOTS;
    }
    return &infos[slot];
}

static void
mark_text(const char *name, uint32_t number)
{
    const ProtobufCMessageDescriptor *descriptor = nb_message_find(name, strlen(name));
    NB_ASSERT(descriptor != NULL);
    const ProtobufCFieldDescriptor *field = nb_message_field(descriptor, number);
    NB_ASSERT(field != NULL);
    size_t index = (size_t)(field - descriptor->fields);
    find_slot(descriptor)->text[index / 64] |= (uint64_t)1 << (index % 64);
}

static void
mark_map_entry(const char *name)
{
    const ProtobufCMessageDescriptor *descriptor = nb_message_find(name, strlen(name));
    NB_ASSERT(descriptor != NULL && descriptor->n_fields == 2);
    find_slot(descriptor)->is_map_entry = true;
}

static void
fill_infos(void)
{
    for (size_t i = 0; i < N_MESSAGES; i++) {
        const ProtobufCMessageDescriptor *descriptor = message_table[i];
        nb_message_info *info = find_slot(descriptor);
        NB_ASSERT(descriptor->n_fields <= NB_MESSAGE_MAX_FIELDS);
        info->descriptor = descriptor;
        for (unsigned f = 0; f < descriptor->n_fields; f++) {
            if (descriptor->fields[f].type == PROTOBUF_C_TYPE_STRING) {
                info->text[f / 64] |= (uint64_t)1 << (f % 64);
            }
        }
    }
#define TEXT_FIELD(name, number) mark_text(name, number);
#define MAP_ENTRY(name)          mark_map_entry(name);
#include "message_fields.inc"
#undef TEXT_FIELD
#undef MAP_ENTRY
}

const nb_message_info *
nb_message_info_of(const ProtobufCMessageDescriptor *descriptor)
{
    pthread_once(&once, fill_infos);
    const nb_message_info *info = find_slot(descriptor);
    return info->descriptor != NULL ? info : NULL;
}

const ProtobufCFieldDescriptor *
nb_message_field(const ProtobufCMessageDescriptor *descriptor, uint32_t number)
{
    unsigned low = 0;
    unsigned high = descriptor->n_fields;

    /* Most messages number their fields from one without a gap. */
    if (number - 1 < high && descriptor->fields[number - 1].id == number) {
        return &descriptor->fields[number - 1];
    }
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (descriptor->fields[middle].id == number) {
            return &descriptor->fields[middle];
        }
        if (descriptor->fields[middle].id < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}
