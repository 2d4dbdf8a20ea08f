/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sources.h: rows in memory and rows that are counted.
 */
#ifndef NB_EXEC_SOURCES_H
#define NB_EXEC_SOURCES_H

#include "column/table.h"
#include "io/source.h"

/* Columns columns[i] of the table, one per field of schema (NULL: all, in order), at most limit rows (-1: all). Takes a
 * reference to the table. Morsels are slices of its chunks, in order. */
nb_status
nb_table_source_new(nb_pool *pool, nb_table *table, const nb_type *schema, const int *columns,
                    int64_t limit, const nb_cancel_flag *cancel, nb_source **out);

/* start, start + step … below (above, when step < 0) end, in n_partitions as Spark cuts them; only partitions [first, last).
 * schema: one bigint. */
nb_status nb_range_source_new(nb_pool *pool, const nb_type *schema, int64_t start, int64_t end,
                              int64_t step, int n_partitions, int first, int last,
                              const nb_cancel_flag *cancel, nb_source **out);

#endif
