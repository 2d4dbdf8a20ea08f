/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spark_schema.h: what Spark says of a file's types beside Parquet's schema: the key org.apache.spark.sql.parquet.row.metadata, types as JSON.
 */
#ifndef NB_IO_PARQUET_SPARK_SCHEMA_H
#define NB_IO_PARQUET_SPARK_SCHEMA_H

#include "base/arena.h"
#include "column/type.h"

/* A file's type with what only the text knows: user-defined types, intervals, void, metadata of fields. What does not fit the file is left out. */
nb_status
nb_pq_spark_refine(nb_arena *arena, nb_str text, const nb_type *stored, const nb_type **out);
/* Appends the JSON of a type, as DataType.json gives it. */
void nb_pq_spark_json(nb_strbuf *b, const nb_type *type);

#endif
