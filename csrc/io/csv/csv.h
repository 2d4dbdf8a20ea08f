/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv.h: what the parts of the CSV source share: the relation's payload, and schema inference.
 */
#ifndef NB_IO_CSV_CSV_H
#define NB_IO_CSV_CSV_H

#include "expr/registry.h"
#include "io/csv/options.h"
#include "io/csv/tokenizer.h"

typedef struct nb_csv_relation {
    nb_csv_options o;
    int corrupt; /* position of columnNameOfCorruptRecord in data_schema, or -1 */
    int *
        file_column; /* per column of data_schema its position in the records; -1 for the corrupt column */
    int n_file_columns;
    bool case_sensitive;
    bool inferred; /* the schema is ours: its names are the header's */
} nb_csv_relation;

/* Names and types from the files; *out a STRUCT. All pointers are borrowed. */
nb_status nb_csv_infer(nb_relation *rel, const nb_csv_relation *csv, const nb_read_request *request,
                       const nb_type **out, nb_error *err);

/* The type of one record, for schema_of_csv: a STRUCT of _c0, _c1 … . */
nb_status nb_csv_infer_record(nb_arena *arena, const nb_csv_options *o, const nb_session_info *info,
                              const nb_csv_tokenizer *record, const char *base, const nb_type **out,
                              nb_error *err);

/* to_csv: a writer by options, in the arena; then rows of a struct as texts without line breaks at their ends, null for those without any text. */
nb_status nb_csv_text_writer_new(nb_arena *arena, const nb_option *options, int n,
                                 const nb_session_info *info, void **out, nb_error *err);
nb_status nb_csv_text_write(nb_kernel_ctx *ctx, const void *writer, const nb_vector *rows,
                            int64_t n, nb_vector *out);

/* The writer's part of nb_format (format.h). */
nb_status
nb_csv_write_open(nb_arena *arena, const nb_write_request *request, const nb_type *data_schema,
                  void **payload, const char **extension, nb_error *err);
nb_status nb_csv_file_open(nb_pool *pool, const void *payload, const char *path,
                           struct nb_file_writer **out, nb_error *err);
nb_status nb_csv_file_push(struct nb_file_writer *fw, const nb_vector *const *cols, int64_t n,
                           nb_arena *scratch, nb_error *err);
nb_status nb_csv_file_close(struct nb_file_writer *fw, nb_error *err);
void nb_csv_file_abort(struct nb_file_writer *fw);

#endif
