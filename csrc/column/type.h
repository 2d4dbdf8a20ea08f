/* SPDX-License-Identifier: Apache-2.0 */
/*
 * type.h: data types as immutable, interned values.
 *
 * Equal types are one pointer: `a == b` compares, and a type may be kept for as long as the process lives. Struct field
 * nullability, containsNull and field metadata are part of the type, as in Spark; nb_type_same_ignoring_null compares without
 * them. The interning table is the one global of this folder, guarded by a lock; it refuses to grow beyond a bound
 * (hostile plans with ever new types) by returning NULL.
 */
#ifndef NB_COLUMN_TYPE_H
#define NB_COLUMN_TYPE_H

#include <stdbool.h>
#include "base/error.h"
#include "base/str.h"

struct nb_arena;

typedef enum nb_type_id {
#define NB_TYPE(id, phys, name, arrow) NB_TYPE_##id,
#include "column/types.def"
#undef NB_TYPE
    NB_N_TYPES
} nb_type_id;

typedef enum nb_phys {
    NB_PHYS_NONE, /* no data: all null */
    NB_PHYS_BOOL, /* uint8_t 0 or 1 */
    NB_PHYS_INT8,
    NB_PHYS_INT16,
    NB_PHYS_INT32,
    NB_PHYS_INT64,
    NB_PHYS_INT128, /* nb_int128 */
    NB_PHYS_FLOAT,
    NB_PHYS_DOUBLE,
    NB_PHYS_STRING,   /* nb_view */
    NB_PHYS_INTERVAL, /* nb_interval */
    NB_PHYS_LIST,     /* nb_list into child vectors */
    NB_PHYS_STRUCT,   /* no data of its own: children of the same length */
} nb_phys;

typedef struct nb_type nb_type;

typedef struct nb_field {
    nb_str name;
    const nb_type *type;
    bool nullable;
    nb_str metadata; /* JSON text; empty when none */
} nb_field;

struct nb_type {
    nb_type_id id;
    nb_phys phys;                   /* of the storage type for UDT */
    uint8_t precision;              /* decimal; TIME */
    int8_t scale;                   /* decimal */
    int32_t length;                 /* char(n), varchar(n) */
    uint8_t start_field, end_field; /* intervals: 0 year 1 month | 0 day 1 hour 2 minute 3 second */
    bool contains_null;             /* array elements, map values */
    int n_children;           /* array 1 (element), map 2 (key, value), struct n, UDT 1 (storage) */
    const nb_field *children; /* array: name "element"; map: "key", "value" */
    nb_str udt_class, udt_py_class; /* UDT: JVM class, Python "module.Class" */
    nb_str
        udt_serialized; /* UDT of Python only: its pickled class as text; carried, never opened */
    uint64_t hash;      /* of the whole type */
    int depth; /* 0 for atomic types; bounded by NB_TYPE_MAX_DEPTH, so that walks may recurse */
};

#define NB_TYPE_MAX_DEPTH 500

/* Types without parameters: nb_type_of(NB_TYPE_INT32). INTERVAL_YM/DT give the widest fields, DECIMAL gives (10,0), TIME (6),
 * STRUCT the one without fields; NULL for ARRAY, MAP and UDT. */
const nb_type *nb_type_of(nb_type_id id);
const nb_type *
nb_type_decimal(int precision, int scale); /* NULL when not 1..38 / scale > precision */
const nb_type *nb_type_char(nb_type_id id, int length);
const nb_type *nb_type_time(int precision);
const nb_type *nb_type_interval_ym(int start, int end);
const nb_type *nb_type_interval_dt(int start, int end);
const nb_type *nb_type_array(const nb_type *element, bool contains_null);
const nb_type *nb_type_map(const nb_type *key, const nb_type *value, bool value_contains_null);
/* fields are copied. */
const nb_type *nb_type_struct(const nb_field *fields, int n);
const nb_type *
nb_type_udt(nb_str jvm_class, nb_str py_class, nb_str serialized, const nb_type *storage);
/* org.apache.spark.ml.linalg.VectorUDT over struct<type:tinyint,size:int,indices:array<int>,values:array<double>> */
const nb_type *nb_type_ml_vector(void);

/* The type that says how the data lies: of a UDT its storage, else the type itself. */
NB_INLINE const nb_type *
nb_type_storage(const nb_type *t)
{
    return t->id == NB_TYPE_UDT ? t->children[0].type : t;
}

bool nb_type_same_ignoring_null(const nb_type *a, const nb_type *b);
const nb_type *nb_type_as_nullable(const nb_type *t); /* all nested nullability set */
int nb_phys_width(nb_phys phys); /* bytes per row of a flat vector; 0 for NONE and STRUCT */

NB_INLINE bool
nb_type_is_integral(const nb_type *t)
{
    return t->id >= NB_TYPE_INT8 && t->id <= NB_TYPE_INT64;
}
NB_INLINE bool
nb_type_is_numeric(const nb_type *t)
{
    return t->id >= NB_TYPE_INT8 && t->id <= NB_TYPE_DECIMAL;
}
NB_INLINE bool
nb_type_is_string(const nb_type *t)
{
    return t->id == NB_TYPE_STRING || t->id == NB_TYPE_CHAR || t->id == NB_TYPE_VARCHAR;
}
/* Can rows of it be ordered / grouped? (maps cannot; nested ones by their parts) */
bool nb_type_is_orderable(const nb_type *t);

/* Names as Spark writes them. simple: "array<int>", "decimal(10,2)", structs cut after 25 fields; sql: "ARRAY<INT>",
 * "STRUCT<a: INT NOT NULL>"; catalog: as simple without the cut, a UDT as its storage. Into the arena; NULL when out of memory. */
const char *nb_type_simple_string(struct nb_arena *arena, const nb_type *t);
const char *nb_type_catalog_string(struct nb_arena *arena, const nb_type *t);
const char *nb_type_sql(struct nb_arena *arena, const nb_type *t);
/* As the classes of Spark print themselves, which old messages show: "ArrayType(IntegerType,true)". */
const char *nb_type_class_name(struct nb_arena *arena, const nb_type *t);

#endif
