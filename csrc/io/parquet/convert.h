/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.h: values of a column in the type that the reader's schema has for it, where the file has another: wider integers, decimals and so on.
 */
#ifndef NB_IO_PARQUET_CONVERT_H
#define NB_IO_PARQUET_CONVERT_H

#include "column/vector.h"
#include "io/parquet/schema.h"

/* Spark's rules of which types a column can be read as. */
bool nb_pq_can_convert(const nb_pq_column *column, const nb_type *want);
/* v has the column's own type, any kind; the result has `want`. */
nb_status nb_pq_convert(nb_arena *arena, const nb_pq_column *column, const nb_vector *v,
                        const nb_type *want, nb_vector *out);
/* Raises FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH. */
nb_status nb_pq_type_mismatch(nb_arena *arena, const char *path, nb_str column, nb_str stored,
                              const nb_type *want, nb_error *err);

#endif
