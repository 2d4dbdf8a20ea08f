/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_options.h: what a user can say of the Parquet files that are written; names are those of Spark and parquet-mr.
 */
#ifndef NB_IO_PARQUET_WRITE_OPTIONS_H
#define NB_IO_PARQUET_WRITE_OPTIONS_H

#include "io/format.h"
#include "io/parquet/out_schema.h"

typedef struct nb_pq_write_options {
    int codec, level;         /* level: NB_PQ_LEVEL_DEFAULT or the codec's */
    int64_t group_bytes;      /* parquet.block.size */
    int64_t page_bytes;       /* parquet.page.size */
    int64_t page_rows;        /* parquet.page.row.count.limit */
    int64_t dictionary_bytes; /* parquet.dictionary.page.size */
    bool *dictionary;         /* per leaf: parquet.enable.dictionary[#column] */
    bool *bloom;              /* per leaf: parquet.bloom.filter.enabled[#column] */
    double bloom_fpp;         /* parquet.bloom.filter.fpp */
    int64_t bloom_max_bytes;  /* parquet.bloom.filter.max.bytes */
    nb_pq_out_schema schema;
    const nb_type *type;
} nb_pq_write_options;

/* Everything in the arena. *extension is what file names end with. */
nb_status nb_pq_write_options_read(nb_arena *arena, const nb_write_request *request,
                                   const nb_type *data_schema, nb_pq_write_options **out,
                                   const char **extension, nb_error *err);

#endif
