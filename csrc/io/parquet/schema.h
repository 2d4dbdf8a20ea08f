/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h: the schema of a Parquet file as a tree of nodes over leaf columns, and Spark's types for it.
 *
 * A value of a leaf comes with two levels. The *definition level* says how far down its path things are there: a node is there (not null) where the
 * level is at least its `def`; an entry of a list where it is at least `entry_def`. The *repetition level* says which list goes on: an entry of a
 * list begins where the level is at most its `rep`. So every node can be put together from the levels of any leaf below it.
 *
 * Lists and maps are recognised in all layouts that writers have used: three levels (list/element), two levels (a repeated element, "array",
 * "x_tuple"), bag/array_element, MAP and MAP_KEY_VALUE, and repeated fields without an annotation (protocol buffers). [Apache Parquet format,
 * LogicalTypes.md; Spark's ParquetSchemaConverter]
 */
#ifndef NB_IO_PARQUET_SCHEMA_H
#define NB_IO_PARQUET_SCHEMA_H

#include "base/arena.h"
#include "column/type.h"
#include "io/parquet/thrift.h"

typedef enum nb_pq_type {
    NB_PQ_BOOLEAN,
    NB_PQ_INT32,
    NB_PQ_INT64,
    NB_PQ_INT96,
    NB_PQ_FLOAT,
    NB_PQ_DOUBLE,
    NB_PQ_BYTE_ARRAY,
    NB_PQ_FIXED
} nb_pq_type;

/* Levels are kept in bytes. */
#define NB_PQ_MAX_LEVEL 250

/* Why a leaf has no type. */
typedef enum nb_pq_refusal { NB_PQ_ILLEGAL, NB_PQ_TIME, NB_PQ_TOO_PRECISE } nb_pq_refusal;

typedef struct nb_pq_column { /* a leaf */
    nb_str name;              /* with the names above it: "a.list.element" */
    nb_pq_type physical;
    int32_t width; /* FIXED: bytes */
    bool optional; /* of a column of the top: may be null. Leaves below have levels instead */
    int max_def, max_rep;
    const nb_type *type; /* ours; NULL when it is not supported */
    nb_pq_refusal refusal;
    nb_str described;    /* as Spark's messages call it: "INT32 (TIME(MILLIS,false))" */
    int64_t unit_per_us; /* timestamps: 1 µs, -1000 = ms (times 1000), 1000 = ns (divided) */
    bool is_unsigned;    /* integers */
    bool is_half;        /* FLOAT16 */
    bool is_legacy;      /* dates and timestamps of the hybrid calendar: rebase.h */
} nb_pq_column;

typedef enum nb_pq_kind { NB_PQ_LEAF, NB_PQ_STRUCT, NB_PQ_LIST, NB_PQ_MAP } nb_pq_kind;

typedef struct nb_pq_node nb_pq_node;
struct nb_pq_node {
    nb_str name;
    nb_pq_kind kind;
    int def;            /* it is there from this definition level on */
    int rep, entry_def; /* LIST, MAP: of their entries */
    int leaf, n_leaves; /* the columns below it */
    int n_children;     /* LIST 1, MAP 2, STRUCT n */
    nb_pq_node *children;
    const nb_type *type; /* as the file has it; NULL: a leaf below has none */
};

typedef struct nb_pq_schema {
    int n_columns;
    nb_pq_column *columns;
    int n_fields; /* of the top */
    nb_pq_node *fields;
} nb_pq_schema;

/* Reads the list of schema elements at t; faults are left in t. Everything goes to the arena. */
void nb_pq_schema_read(nb_thrift *t, nb_arena *arena, nb_pq_schema *out);
/* Is it a column of its own: a leaf of the top that does not repeat? */
bool nb_pq_node_is_flat(const nb_pq_node *node);
/* Raises why there is no type: PARQUET_TYPE_ILLEGAL and the like, as Spark does. */
nb_status nb_pq_refuse(const nb_pq_column *column, nb_error *err);

#endif
