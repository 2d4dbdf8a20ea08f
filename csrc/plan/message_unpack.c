/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_unpack.c: a decoder for protobuf-c's structs that hostile bytes can neither crash nor stall.
 *
 * The input is copied into the arena once, and bytes fields point into the copy. A message is read twice, without
 * going into its sub-messages: open_message counts the elements of repeated fields and makes their arrays, read_field fills them.
 * Sub-messages are frames on a stack of our own; each byte is thus looked at a fixed number of times.
 */
#include "plan/message_unpack.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "plan/message_table.h"

typedef struct frame {
    ProtobufCMessage *message;
    const nb_message_info *info;
    const uint8_t *end;
} frame;

typedef struct unpacker {
    nb_arena *arena;
    nb_error *err;
    const uint8_t *start, *at;
    size_t budget; /* bytes that may still be allocated */
    frame *frames; /* in the arena */
    size_t n_frames, capacity;
} unpacker;

/* One field as it stands on the wire; varint and fixed values in number, the others at [data, data + len). */
typedef struct wire_field {
    const ProtobufCFieldDescriptor *field; /* NULL when unknown */
    unsigned wire_type;
    uint64_t number;
    const uint8_t *data;
    size_t len;
} wire_field;

static nb_status
fail_at(unpacker *u, const ProtobufCMessageDescriptor *descriptor, const uint8_t *at,
        const char *what)
{
    char text[256];

    snprintf(text, sizeof text, "%s at byte %zu of %s", what, (size_t)(at - u->start),
             descriptor->name);
    return nb_raise(u->err, NB_COND_CONNECT_INVALID_PLAN_CANNOT_PARSE, "errorMsg", text, NULL);
}

static nb_status
fail(unpacker *u, const char *what)
{
    return fail_at(u, u->frames[u->n_frames - 1].message->descriptor, u->at, what);
}

/* n bytes of zeroes within the budget. */
static nb_status
allocate(unpacker *u, size_t n, void **out)
{
    if (n > u->budget) {
        return fail(u, "more memory is claimed than the message explains");
    }
    u->budget -= n;
    *out = nb_arena_zalloc(u->arena, n);
    return *out != NULL ? NB_OK : NB_NOMEM;
}

/* --- the wire -------------------------------------------------------------------------------- */

static bool
read_varint(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    const uint8_t *p = *at;
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 70 && p < end; shift += 7) {
        uint8_t byte = *p++;
        value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        if (byte < 0x80) {
            *at = p;
            *out = value;
            return true;
        }
    }
    return false;
}

static size_t
fixed_width(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return 8;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT: return 4;
    default: return 0;
    }
}

static bool
is_delimited(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_MESSAGE || type == PROTOBUF_C_TYPE_BYTES ||
           type == PROTOBUF_C_TYPE_STRING;
}

static unsigned
wire_type_of(ProtobufCType type)
{
    size_t width = fixed_width(type);

    return is_delimited(type) ? PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED
           : width == 8       ? PROTOBUF_C_WIRE_TYPE_64BIT
           : width == 4       ? PROTOBUF_C_WIRE_TYPE_32BIT
                              : PROTOBUF_C_WIRE_TYPE_VARINT;
}

/* Reads the field at u->at and goes behind it. */
static nb_status
read_wire(unpacker *u, const frame *f, wire_field *out)
{
    uint64_t tag = 0;

    *out = (wire_field){0};
    if (!read_varint(&u->at, f->end, &tag) || tag >> 3 == 0 || tag > UINT32_MAX) {
        return fail(u, "an invalid tag");
    }
    out->wire_type = tag & 7;
    switch (out->wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        if (!read_varint(&u->at, f->end, &out->number)) {
            return fail(u, "a number that does not end");
        }
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        out->len = out->wire_type == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8;
        if ((size_t)(f->end - u->at) < out->len) {
            return fail(u, "a number that is cut off");
        }
        memcpy(&out->number, u->at, out->len);
        u->at += out->len;
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED: {
        uint64_t len = 0;
        if (!read_varint(&u->at, f->end, &len) || len > (uint64_t)(f->end - u->at)) {
            return fail(u, "a length beyond the end");
        }
        out->len = (size_t)len;
        out->data = u->at;
        u->at += len;
        break;
    }
    default: return fail(u, "a group or an invalid wire type");
    }
    out->field = nb_message_field(f->message->descriptor, (uint32_t)(tag >> 3));
    if (out->field != NULL && wire_type_of(out->field->type) != out->wire_type) {
        bool packed = out->field->label == PROTOBUF_C_LABEL_REPEATED &&
                      out->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
        if (!packed) {
            out->field = NULL;
        }
    }
    return NB_OK;
}

/* --- values ---------------------------------------------------------------------------------- */

static size_t
element_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_MESSAGE:
    case PROTOBUF_C_TYPE_STRING: return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return 8;
    default: return 4;
    }
}

static void
store_number(ProtobufCType type, uint64_t number, void *member)
{
    if (type == PROTOBUF_C_TYPE_SINT32 || type == PROTOBUF_C_TYPE_SINT64) {
        number = number >> 1 ^ -(number & 1);
    }
    if (type == PROTOBUF_C_TYPE_BOOL) {
        protobuf_c_boolean flag = number != 0;
        memcpy(member, &flag, sizeof flag);
    } else if (element_size(type) == 8) {
        memcpy(member, &number, 8);
    } else {
        uint32_t low = (uint32_t)number;
        memcpy(member, &low, 4);
    }
}

/* The number of elements in packed numbers. */
static nb_status
count_packed(unpacker *u, const wire_field *w, size_t *out)
{
    size_t width = fixed_width(w->field->type);
    size_t n = 0;

    if (width > 0) {
        *out = w->len / width;
        return w->len % width == 0 ? NB_OK : fail(u, "packed numbers that are cut off");
    }
    for (size_t i = 0; i < w->len; i++) {
        n += w->data[i] < 0x80;
    }
    *out = n;
    return w->len == 0 || w->data[w->len - 1] < 0x80 ? NB_OK
                                                     : fail(u, "packed numbers that are cut off");
}

static nb_status
store_packed(unpacker *u, const wire_field *w, uint8_t *array, size_t *n)
{
    size_t width = fixed_width(w->field->type);
    size_t size = element_size(w->field->type);
    const uint8_t *p = w->data;
    const uint8_t *end = p + w->len;

    while (p < end) {
        uint64_t number = 0;
        if (width > 0) {
            memcpy(&number, p, width);
            p += width;
        } else if (!read_varint(&p, end, &number)) {
            return fail(u, "a number that does not end");
        }
        store_number(w->field->type, number, array + size * (*n)++);
    }
    return NB_OK;
}

/* --- messages -------------------------------------------------------------------------------- */

static nb_status
push_frame(unpacker *u, const ProtobufCMessageDescriptor *descriptor, const uint8_t *end,
           ProtobufCMessage **out)
{
    void *memory = NULL;

    if (u->n_frames == NB_MESSAGE_MAX_DEPTH) {
        return fail(u, "messages too deep inside each other");
    }
    if (u->n_frames == u->capacity) {
        size_t capacity = u->capacity * 2;
        frame *frames = NB_ARENA_ARRAY(u->arena, frame, capacity);
        if (frames == NULL) {
            return NB_NOMEM;
        }
        memcpy(frames, u->frames, u->n_frames * sizeof *frames);
        u->frames = frames;
        u->capacity = capacity;
    }
    NB_TRY(allocate(u, descriptor->sizeof_message, &memory));
    *out = memory;
    (*out)->descriptor = descriptor; /* zeroes are the defaults of all our fields */
    u->frames[u->n_frames++] = (frame){*out, nb_message_info_of(descriptor), end};
    return NB_OK;
}

/* First reading of the top frame's message: makes the arrays of its repeated fields, refuses what comes twice. */
static nb_status
open_message(unpacker *u)
{
    const frame *f = &u->frames[u->n_frames - 1];
    const ProtobufCMessageDescriptor *descriptor = f->message->descriptor;
    const uint8_t *start = u->at;
    uint32_t counts[NB_MESSAGE_MAX_FIELDS];
    unsigned used[NB_MESSAGE_MAX_FIELDS];
    unsigned n_used = 0;
    uint64_t seen[NB_MESSAGE_MAX_FIELDS / 64] = {0};
    wire_field w;

    while (u->at < f->end) {
        NB_TRY(read_wire(u, f, &w));
        if (w.field == NULL) {
            continue;
        }
        unsigned i = (unsigned)(w.field - descriptor->fields);
        bool again = (seen[i / 64] >> (i % 64)) & 1;
        seen[i / 64] |= (uint64_t)1 << (i % 64);
        if (w.field->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t n = 1;
            if (!is_delimited(w.field->type) &&
                w.wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
                NB_TRY(count_packed(u, &w, &n));
            }
            if (!again) {
                counts[i] = 0;
                used[n_used++] = i;
            }
            if (n > UINT32_MAX - counts[i]) {
                return fail(u, "too many elements");
            }
            counts[i] += (uint32_t)n;
        } else if (w.field->type == PROTOBUF_C_TYPE_MESSAGE && again) {
            return fail(u, "a second value for one sub-message");
        }
    }
    for (unsigned k = 0; k < n_used; k++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[used[k]];
        void *array = NULL;
        NB_TRY(allocate(u, counts[used[k]] * element_size(field->type), &array));
        memcpy((char *)f->message + field->offset, &array, sizeof array);
    }
    u->at = start;
    return NB_OK;
}

/* Second reading: stores the next field of the top frame; a sub-message becomes the new top frame. */
static nb_status
read_field(unpacker *u)
{
    const frame *f = &u->frames[u->n_frames - 1];
    ProtobufCMessage *message = f->message;
    wire_field w;

    NB_TRY(read_wire(u, f, &w));
    if (w.field == NULL) {
        return NB_OK;
    }
    const ProtobufCFieldDescriptor *field = w.field;
    uint8_t *member = (uint8_t *)message + field->offset;
    uint8_t *quantifier = (uint8_t *)message + field->quantifier_offset;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t *n = (size_t *)(void *)quantifier;
        uint8_t *array;
        memcpy(&array, member, sizeof array);
        if (!is_delimited(field->type) && w.wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
            return store_packed(u, &w, array, n);
        }
        member = array + element_size(field->type) * (*n)++;
    } else if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        memcpy(quantifier, &field->id, sizeof field->id);
    } else if (field->type != PROTOBUF_C_TYPE_MESSAGE && field->type != PROTOBUF_C_TYPE_STRING) {
        protobuf_c_boolean has = 1;
        memcpy(quantifier, &has, sizeof has);
    }
    if (!is_delimited(field->type)) {
        store_number(field->type, w.number, member);
        return NB_OK;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        ProtobufCMessage *child = NULL;
        u->at = w.data;
        NB_TRY(push_frame(u, field->descriptor, w.data + w.len, &child));
        memcpy(member, &child, sizeof child);
        return open_message(u);
    }
    if (nb_message_is_text(f->info, (unsigned)(field - message->descriptor->fields)) &&
        !nb_utf8_validate((const char *)w.data, w.len)) {
        u->at = w.data;
        return fail(u, "text that is not UTF-8");
    }
    if (field->type ==
        PROTOBUF_C_TYPE_STRING) { /* keys of maps; a NUL inside would cut the key short */
        void *text = NULL;
        if (w.len > 0 && memchr(w.data, 0, w.len) != NULL) {
            return fail(u, "a map key with a NUL inside");
        }
        NB_TRY(allocate(u, w.len + 1, &text));
        memcpy(text, w.data, w.len);
        memcpy(member, &text, sizeof text);
        return NB_OK;
    }
    ProtobufCBinaryData data = {w.len, (uint8_t *)(uintptr_t)w.data};
    memcpy(member, &data, sizeof data);
    return NB_OK;
}

nb_status
nb_message_unpack(nb_arena *arena, const ProtobufCMessageDescriptor *descriptor, const void *bytes,
                  size_t len, ProtobufCMessage **out, nb_error *err)
{
    unpacker u = {.arena = arena, .err = err, .capacity = 32};
    ProtobufCMessage *message = NULL;
    uint8_t *copy = nb_arena_alloc(arena, len);

    u.frames = NB_ARENA_ARRAY(arena, frame, u.capacity);
    if (copy == NULL || u.frames == NULL) {
        return NB_NOMEM;
    }
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    u.start = u.at = copy;
    u.budget = len > (SIZE_MAX - NB_MESSAGE_BYTES_BASE) / NB_MESSAGE_BYTES_FACTOR
                   ? SIZE_MAX
                   : NB_MESSAGE_BYTES_BASE + len * NB_MESSAGE_BYTES_FACTOR;
    NB_TRY(push_frame(&u, descriptor, copy + len, &message));
    NB_TRY(open_message(&u));
    while (u.n_frames > 0) {
        if (u.at < u.frames[u.n_frames - 1].end) {
            NB_TRY(read_field(&u));
        } else {
            u.n_frames--;
        }
    }
    *out = message;
    return NB_OK;
}

const char *
nb_pb_case(const ProtobufCMessage *message, int number)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(message->descriptor, (unsigned)number);

    return field ? field->name : "of an unknown kind";
}
