/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h: what the parts of the JSON source know of each other.
 */
#ifndef NB_IO_JSON_JSON_H
#define NB_IO_JSON_JSON_H

#include "io/json/options.h"
#include "io/lines.h"

/* An open relation's payload; lives in its arena. */
typedef struct nb_json_relation {
    nb_json_options o;
    int corrupt; /* the column of data_schema that takes bad records; -1: none */
} nb_json_relation;

/* A relation's lines, as the options cut them, most of them with an index. */
typedef struct nb_json_lines {
    nb_lines at;
    nb_json_index *index; /* NULL: lines do not end in a way that it knows */
} nb_json_lines;

nb_status nb_json_lines_init(nb_json_lines *l, nb_pool *pool, const nb_relation *rel,
                             const nb_json_options *o, const nb_cancel_flag *cancel);
nb_status nb_json_lines_open(nb_json_lines *l, const nb_file_split *split, nb_error *err);
/* The next line; its text lives until a call that may read. *found false: there is none, or none in memory. */
nb_status
nb_json_lines_next(nb_json_lines *l, bool may_read, nb_json_line *line, bool *found, nb_error *err);
void nb_json_lines_free(nb_json_lines *l);

/* Replaces malformed UTF-8, as Java decodes; *line then lies in *buf, which grows as needed. */
nb_status nb_json_repair(nb_pool *pool, char **buf, size_t *cap, nb_str *line);

bool nb_json_splittable(const nb_relation *rel, int file);
/* Is this root, from [ on, an array of objects and nulls, and well-formed? Then each is a record. */
bool nb_json_is_array_of_records(nb_json j);

/* The schema of all files: fields sorted by name. *out NULL: there is no record at all. Raises COLUMN_ALREADY_EXISTS, and in mode FAILFAST
 * MALFORMED_RECORD_IN_PARSING. */
nb_status nb_json_infer(nb_relation *rel, const nb_json_relation *json,
                        const nb_read_request *request, const nb_type **out, nb_error *err);

/* The type of one text, for schema_of_json; lives as types do. */
nb_status nb_json_infer_text(nb_arena *arena, const nb_json_options *o, const nb_session_info *info,
                             nb_str text, const nb_type **out, nb_error *err);

nb_status
nb_json_write_open(nb_arena *arena, const nb_write_request *request, const nb_type *data_schema,
                   void **payload, const char **extension, nb_error *err);
nb_status nb_json_file_open(nb_pool *pool, const void *payload, const char *path,
                            struct nb_file_writer **out, nb_error *err);
nb_status nb_json_file_push(struct nb_file_writer *fw, const nb_vector *const *cols, int64_t n,
                            nb_arena *scratch, nb_error *err);
nb_status nb_json_file_close(struct nb_file_writer *fw, nb_error *err);
void nb_json_file_abort(struct nb_file_writer *fw);

#endif
