/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shred.h: rows of a column taken apart into the leaves below it, with their levels.
 */
#ifndef NB_IO_PARQUET_SHRED_H
#define NB_IO_PARQUET_SHRED_H

#include "io/parquet/column_write.h"

/* n rows of a column of any kind to the writers of its leaves (writers[leaf]). */
nb_status nb_pq_shred(const nb_pq_out_schema *schema, const nb_pq_out_node *node,
                      nb_pq_column_writer *const *writers, nb_arena *scratch, const nb_vector *v,
                      int64_t n, nb_error *err);

#endif
