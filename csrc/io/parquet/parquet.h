/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parquet.h: what the files of this folder share: the relation's footers, the scan, the writer.
 */
#ifndef NB_IO_PARQUET_PARQUET_H
#define NB_IO_PARQUET_PARQUET_H

#include "io/format.h"
#include "io/parquet/meta.h"

typedef struct nb_pq_relation {
    nb_pq_meta **metas; /* per file */
} nb_pq_relation;

/* The schema of the relation's files, as Spark finds it: the first file's, or (mergeSchema) all of theirs. */
nb_status
nb_pq_infer(nb_relation *rel, const nb_session_info *info, const nb_type **out, nb_error *err);
void nb_pq_column_stats(const nb_relation *rel, int column, nb_column_stats *out);
void nb_pq_column_bounds(const nb_relation *rel, int column, nb_column_bounds *out);
/* Are values of the column stored as they are read, as `want`, and was their range written? */
bool nb_pq_has_plain_range(const nb_pq_column *c, const nb_pq_chunk *chunk, const nb_type *want);
nb_status nb_pq_scan(nb_relation *rel, nb_pool *pool, const nb_scan_request *request,
                     nb_source **out, nb_error *err);

nb_status
nb_pq_write_open(nb_arena *arena, const nb_write_request *request, const nb_type *data_schema,
                 void **payload, const char **extension, nb_error *err);
nb_status nb_pq_file_open(nb_pool *pool, const void *payload, const char *path,
                          struct nb_file_writer **out, nb_error *err);
nb_status nb_pq_file_push(struct nb_file_writer *fw, const nb_vector *const *cols, int64_t n,
                          nb_arena *scratch, nb_error *err);
nb_status nb_pq_file_close(struct nb_file_writer *fw, nb_error *err);
void nb_pq_file_abort(struct nb_file_writer *fw);
/* Of the row group at hand, encoded. */
size_t nb_pq_file_bytes(const struct nb_file_writer *fw);
/* Ends the row group at hand. */
nb_status nb_pq_file_flush(struct nb_file_writer *fw, nb_error *err);

#endif
