/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_schema.h: the schema of a file that is written: Spark's standard layout of our types (spark.sql.parquet.writeLegacyFormat=false).
 *
 * Lists are list/element, maps key_value/key/value, structs groups; decimals INT32, INT64 or fixed bytes; timestamps INT64 µs.
 */
#ifndef NB_IO_PARQUET_OUT_SCHEMA_H
#define NB_IO_PARQUET_OUT_SCHEMA_H

#include "base/arena.h"
#include "column/type.h"
#include "io/parquet/schema.h"

/* How a leaf's values are held until they are encoded. */
typedef enum nb_pq_form {
    NB_PQ_BITS,    /* uint8_t 0 or 1 */
    NB_PQ_INTS,    /* int32_t */
    NB_PQ_LONGS,   /* int64_t */
    NB_PQ_FLOATS,  /* float */
    NB_PQ_DOUBLES, /* double */
    NB_PQ_WIDES,   /* nb_int128; fixed bytes in the file */
    NB_PQ_STRINGS, /* nb_view */
} nb_pq_form;

typedef struct nb_pq_out_leaf {
    const nb_type *type;
    const nb_str *path;
    int n_path;
    nb_pq_type physical;
    nb_pq_form form;
    int width; /* bytes in the file; 0: strings */
    int max_def, max_rep;
    bool is_text; /* strings of UTF-8 */
} nb_pq_out_leaf;

typedef struct nb_pq_out_node nb_pq_out_node;
struct nb_pq_out_node {
    nb_pq_kind kind;
    const nb_type *type; /* storage */
    nb_str name;
    bool optional;
    int def, rep; /* LIST, MAP: rep of their entries, whose definition level is def + 1 */
    int leaf;     /* the first below */
    int n_children;
    nb_pq_out_node *children;
};

typedef struct nb_pq_out_schema {
    int n_leaves;
    nb_pq_out_leaf *leaves;
    int n_fields;
    nb_pq_out_node *fields;
    int n_elements;
    nb_str elements; /* the list of SchemaElement, packed */
} nb_pq_out_schema;

/* Everything in the arena. Raises when lists nest too deep for levels of a byte. */
nb_status
nb_pq_out_schema_new(nb_arena *arena, const nb_type *schema, nb_pq_out_schema *out, nb_error *err);

#endif
