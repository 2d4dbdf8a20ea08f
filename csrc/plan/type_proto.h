/* SPDX-License-Identifier: Apache-2.0 */
/*
 * type_proto.h: spark.connect.DataType to nb_type and back.
 *
 * A DataType of kind `unparsed` is text for the SQL parser: the caller looks for it (nb_type_proto_is_unparsed) and parses it;
 * here it is an error. Absent fields have the defaults that Spark's own reader gives them (decimal(10,0), time(6), the widest
 * interval). Collations other than UTF8_BINARY, variant and the geo types are not implemented.
 */
#ifndef NB_PLAN_TYPE_PROTO_H
#define NB_PLAN_TYPE_PROTO_H

#include <protobuf-c/protobuf-c.h>
#include "spark/connect/types.pb-c.h"

#include "base/arena.h"
#include "column/type.h"

/* arena: scratch for this call. */
nb_status nb_type_from_proto(nb_arena *arena, const Sc__DataType *message, const nb_type **out,
                             nb_error *err);
/* A packed spark.connect.DataType. */
nb_status nb_type_from_bytes(nb_arena *arena, nb_str bytes, const nb_type **out, nb_error *err);
/* The text of an unparsed type, when it is one. */
bool nb_type_proto_is_unparsed(const Sc__DataType *message, nb_str *text);

/* The message and everything in it live in the arena; bytes of names are borrowed from the type. NULL when out of memory. */
Sc__DataType *nb_type_to_proto(nb_arena *arena, const nb_type *type);
/* Packed, in the arena; {NULL, 0} when out of memory. */
nb_str nb_type_to_bytes(nb_arena *arena, const nb_type *type);

#endif
