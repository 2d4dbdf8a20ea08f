/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment_internal.h: what the files fragment*.c share.
 */
#ifndef NB_CLUSTER_FRAGMENT_INTERNAL_H
#define NB_CLUSTER_FRAGMENT_INTERNAL_H

#include "cluster/block.h"
#include "cluster/fragment.h"
#include "nbaspark/cluster.pb-c.h"

/* A list of messages, or of anything by pointer, that grows in an arena. */
typedef struct nb_pointers {
    void **items;
    size_t n, cap;
} nb_pointers;

nb_status nb_pointers_add(nb_arena *arena, nb_pointers *list, void *item);

/* A fragment that is being written. The lists of pointers to what the messages were made of give their positions. */
typedef struct nb_fragment_writer {
    nb_arena *arena;
    nb_pointers types; /* const nb_type */
    nb_pointers texts; /* bytes of texts, by address */
    nb_pointers text_sizes;
    nb_pointers origins, origin_messages;
    nb_pointers literal_types; /* per type: */
    nb_pointers builders;
    nb_pointers exprs, nodes; /* messages */
    nb_pool *pool;            /* of the builders */
} nb_fragment_writer;

/* One that is being read. */
typedef struct nb_fragment_reader {
    nb_arena *arena;
    nb_pool *pool;
    const Nbc__Fragment *m;
    nb_fragment *out;
    const nb_type **types;
    nb_origin *origins;
    nb_table **literals; /* per message of literals; NULL where none was read yet */
    nb_expr **exprs;
    nb_node **nodes;
} nb_fragment_reader;

nb_status nb_fragment_bad(nb_error *err, const char *what);

NB_INLINE ProtobufCBinaryData
nb_wire_bytes(nb_str s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.data};
}
/* Absent bytes are a null string. */
NB_INLINE nb_str
nb_wire_str(protobuf_c_boolean has, ProtobufCBinaryData b)
{
    return has ? (nb_str){b.data ? (const char *)b.data : "", b.len} : (nb_str){NULL, 0};
}
/* The same, never null. */
NB_INLINE nb_str
nb_wire_text(ProtobufCBinaryData b)
{
    return (nb_str){b.data ? (const char *)b.data : "", b.len};
}
/* A message in the arena; NULL when out of memory. */
void *nb_wire_new(nb_arena *arena, const ProtobufCMessageDescriptor *descriptor);
#define NB_WIRE_NEW(arena, T, name) ((T *)nb_wire_new((arena), &(name##__descriptor)))

#define NB_WIRE_SET(m, field, v)    ((m)->has_##field = 1, (m)->field = (v))

/* fragment.c */
nb_status nb_fragment_type_id(nb_fragment_writer *w, const nb_type *type, uint32_t *out);
nb_status
nb_fragment_type_at(nb_fragment_reader *r, uint32_t id, const nb_type **out, nb_error *err);

/* fragment_expr.c */
nb_status
nb_fragment_write_expr(nb_fragment_writer *w, const nb_expr *e, uint32_t *out, nb_error *err);
nb_status nb_fragment_read_expr(nb_fragment_reader *r, size_t i, nb_error *err);
/* The expression of this number, which must be below `before`. Each is used once: trees only, so that a walk takes as long as the
 * message. */
nb_status nb_fragment_take_expr(nb_fragment_reader *r, size_t before, uint32_t id, nb_expr **out,
                                nb_error *err);
/* Do all columns of the expression exist in `input`, with these types? */
nb_status nb_fragment_check_columns(const nb_expr *e, const nb_type *input, nb_error *err);

/* fragment_node.c */
nb_status
nb_fragment_write_node(nb_fragment_writer *w, const nb_node *node, uint32_t *out, nb_error *err);
nb_status nb_fragment_read_node(nb_fragment_reader *r, size_t i, nb_error *err);

/* Do rows go by an order, which takes the place of keys? */
NB_INLINE bool
nb_put_is_ordered(nb_put_kind kind)
{
    return kind == NB_PUT_SAMPLE || kind == NB_PUT_RANGE;
}

#endif
