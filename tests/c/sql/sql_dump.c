/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql_dump.c: descriptor-driven, so that a new message needs nothing here. Recursive: for short texts only.
 */
#include "sql/sql_dump.h"

static void
dump_value(const ProtobufCFieldDescriptor *f, const void *at, nb_strbuf *out)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32: nb_strbuf_addf(out, "%d", *(const int32_t *)at); break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32: nb_strbuf_addf(out, "%u", *(const uint32_t *)at); break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        nb_strbuf_addf(out, "%lld", (long long)*(const int64_t *)at);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        nb_strbuf_addf(out, "%llu", (unsigned long long)*(const uint64_t *)at);
        break;
    case PROTOBUF_C_TYPE_FLOAT: nb_strbuf_addf(out, "%g", (double)*(const float *)at); break;
    case PROTOBUF_C_TYPE_DOUBLE: nb_strbuf_addf(out, "%g", *(const double *)at); break;
    case PROTOBUF_C_TYPE_BOOL:
        nb_strbuf_adds(out, *(const protobuf_c_boolean *)at ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_ENUM: {
        const ProtobufCEnumValue *v =
            protobuf_c_enum_descriptor_get_value(f->descriptor, *(const int *)at);
        nb_strbuf_adds(out, v ? v->name : "?");
        break;
    }
    case PROTOBUF_C_TYPE_STRING: nb_strbuf_addf(out, "'%s'", *(char *const *)at); break;
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *b = at;
        nb_strbuf_addc(out, '\'');
        nb_strbuf_add(out, (nb_str){(const char *)b->data, b->len});
        nb_strbuf_addc(out, '\'');
        break;
    }
    case PROTOBUF_C_TYPE_MESSAGE: sql_dump(*(const ProtobufCMessage *const *)at, out); break;
    }
}

static size_t
element_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return 8;
    case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
    case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
    default: return 4;
    }
}

/* Is a singular field there? */
static bool
is_set(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f)
{
    const char *base = (const char *)msg;
    if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        return *(const uint32_t *)(const void *)(base + f->quantifier_offset) == f->id;
    }
    if (f->type == PROTOBUF_C_TYPE_MESSAGE || f->type == PROTOBUF_C_TYPE_STRING) {
        return *(void *const *)(const void *)(base + f->offset) != NULL;
    }
    return *(const protobuf_c_boolean *)(base + f->quantifier_offset);
}

void
sql_dump(const ProtobufCMessage *msg, nb_strbuf *out)
{
    const ProtobufCMessageDescriptor *d = msg->descriptor;
    const char *base = (const char *)msg;

    nb_strbuf_addf(out, "(%s", d->short_name);
    for (unsigned i = 0; i < d->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &d->fields[i];
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t n = *(const size_t *)(const void *)(base + f->quantifier_offset);
            const char *items = *(const char *const *)(const void *)(base + f->offset);
            if (n) {
                nb_strbuf_addf(out, " %s=[", f->name);
            }
            for (size_t k = 0; k < n; k++) {
                if (k) {
                    nb_strbuf_addc(out, ' ');
                }
                dump_value(f, items + k * element_size(f->type), out);
            }
            if (n) {
                nb_strbuf_addc(out, ']');
            }
        } else if (strcmp(f->name, "origin") != 0 && is_set(msg, f)) {
            if (strcmp(f->name, "common") == 0 && strcmp(d->short_name, "Expression") == 0) {
                continue;
            }
            nb_strbuf_addf(out, " %s=", f->name);
            dump_value(f, base + f->offset, out);
        }
    }
    nb_strbuf_addc(out, ')');
}
