/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.h: what a file format has to offer, and what relation.c and write.c give to all of them.
 *
 * Reading   open (options; infers the schema when the user gave none) → scan (any number of times, any thread) → close.
 * Writing   write_open (options, checks) → per file: file_open → push* → file_close → write_close. A file belongs to one thread.
 */
#ifndef NB_IO_FORMAT_H
#define NB_IO_FORMAT_H

#include "io/codec.h"
#include "io/listing.h"
#include "io/write.h"

/* ---- options ------------------------------------------------------------------------------------------------------------------------ */

/* The last option of that name (any case); data NULL when there is none. */
nb_str nb_option_find(const nb_option *options, int n, const char *key);
/* Spark's getBool: "header flag can be true or false." */
nb_status nb_option_bool(const nb_option *options, int n, const char *key, bool otherwise,
                         bool *out, nb_error *err);
nb_status nb_option_int(const nb_option *options, int n, const char *key, int64_t otherwise,
                        int64_t *out, nb_error *err);
/* Scala's toBoolean and toInt, where Spark reads options that way: For input string: "x". */
nb_status nb_option_to_bool(const nb_option *options, int n, const char *key, bool otherwise,
                            bool *out, nb_error *err);
nb_status nb_option_to_int(const nb_option *options, int n, const char *key, int64_t otherwise,
                           int64_t *out, nb_error *err);
/* COLUMN_ALREADY_EXISTS when two names are one, in any case of letters unless case_sensitive. */
nb_status
nb_check_names(nb_arena *arena, const nb_str *names, int n, bool case_sensitive, nb_error *err);
nb_status nb_check_field_names(nb_arena *arena, const nb_type *schema, const nb_session_info *info,
                               nb_error *err);

/* A number above 0; 1 when not given. */
nb_status
nb_option_ratio(const nb_option *options, int n, const char *key, double *out, nb_error *err);

/* What becomes of records that cannot be parsed. */
typedef enum nb_parse_mode {
    NB_PARSE_PERMISSIVE,
    NB_PARSE_DROPMALFORMED,
    NB_PARSE_FAILFAST
} nb_parse_mode;
nb_parse_mode nb_option_mode(const nb_option *options, int n);

/* INVALID_CORRUPT_RECORD_TYPE unless the column for bad records is a string. */
nb_status nb_check_corrupt_column(nb_arena *arena, const nb_field *field, nb_error *err);

/* ---- relations ---------------------------------------------------------------------------------------------------------------------- */

typedef struct nb_format nb_format;

struct nb_relation {
    atomic_int refs;
    nb_pool *pool;
    nb_arena *arena; /* everything below lives there */
    const nb_format *format;
    const nb_option *options;
    int n_options;
    nb_file_list files;
    int64_t n_bytes, n_rows;
    const nb_type *data_schema; /* STRUCT of the columns that are in the files */
    const nb_type *schema;      /* what users see */
    const nb_type *columns;     /* the schema, and what is known of the files */
    int *
        source_of; /* per column: >= 0 position in data_schema, < 0: ~position of the partition column, behind which an nb_file_column comes */
    const nb_type **partition_types;
    nb_vector *partition_values; /* [file * n_partition + i]: CONST vectors of one row */
    void *payload;               /* the format's */
    int kept_fd; /* of a file without a name, which goes with the relation; 0: none */
    bool given;  /* the schema is the user's */
    bool ignore_missing, ignore_corrupt; /* ignoreMissingFiles, ignoreCorruptFiles */
    nb_scan_share share;                 /* n 0: everything */
};

/* Whether the options say to go on without (the rest of) a file that could not be opened or read; then err is clear again. */
bool nb_relation_skips(const nb_relation *rel, nb_status st, nb_error *err);

/* A part of a file that one task reads. */
typedef struct nb_file_split {
    int file;
    int64_t from, to;           /* bytes */
    int64_t block, block_bytes; /* Spark's split, of which this is a piece */
    int32_t partition;          /* Spark's */
} nb_file_split;

/* Cuts the files into Spark partitions as FilePartition does (spark.sql.files.maxPartitionBytes, openCostInBytes, default parallelism), in the order in
 * which Spark delivers the rows, and each into pieces of at most morsel_bytes where the file may be split. In the relation's order; memory from arena.
 * Of these a task gets its share; with INT64_MAX only when that is of whole partitions: else the format deals out its own, finer pieces. */
nb_status
nb_relation_splits(const nb_relation *rel, nb_arena *arena, const nb_session_info *info,
                   int n_threads, bool (*splittable)(const nb_relation *, int file),
                   int64_t morsel_bytes, nb_file_split **out, int64_t *n_out, int *n_partitions);
/* The fields of all nb_file_column, in their order; false when out of memory. */
bool nb_file_fields(bool numbers_rows, nb_field *out);
/* A partition column, or what is known of the file, for n rows. first: the number in the file of the first row; rows: which ones behind it, NULL: all. Only
 * formats that number rows need say. Memory from arena. */
nb_status nb_relation_split_column(const nb_relation *rel, const nb_file_split *split, int column,
                                   nb_arena *arena, int64_t n, int64_t first, const uint32_t *rows,
                                   nb_vector *out);

struct nb_file_writer;

struct nb_format {
    const char *title;     /* "CSV", as messages call it */
    bool takes_same_names; /* columns of one name may be written */
    bool numbers_rows;     /* _metadata has row_index */
    bool reads_fields;     /* nb_relation_reads_fields */
    /* Reads options into rel->payload; sets rel->data_schema unless it is there. Memory from rel->arena. */
    nb_status (*open)(nb_relation *rel, const nb_read_request *request, nb_error *err);
    nb_status (*scan)(nb_relation *rel, nb_pool *pool, const nb_scan_request *request,
                      nb_source **out, nb_error *err);
    void (*close)(nb_relation *rel); /* what the arena does not free; may be NULL */
    /* Of a column of data_schema; *out is all unknown before. May be NULL. */
    void (*column_stats)(const nb_relation *rel, int column, nb_column_stats *out);
    /* Of a column of data_schema; *out is zeroes before. May be NULL. */
    void (*column_bounds)(const nb_relation *rel, int column, nb_column_bounds *out);
    bool (*supports)(const nb_type *type, bool writing);
    /* NULL where writing is not supported: */
    nb_status (*write_open)(nb_arena *arena, const nb_write_request *request,
                            const nb_type *data_schema, void **payload, const char **extension,
                            nb_error *err);
    nb_status (*file_open)(nb_pool *pool, const void *payload, const char *path,
                           struct nb_file_writer **out, nb_error *err);
    /* n rows of dense columns (those that are not partition columns). */
    nb_status (*file_push)(struct nb_file_writer *fw, const nb_vector *const *cols, int64_t n,
                           nb_arena *scratch, nb_error *err);
    nb_status (*file_close)(struct nb_file_writer *fw,
                            nb_error *err); /* frees it, also on failure */
    void (*file_abort)(struct nb_file_writer *fw);
    /* Where a file holds much back in memory: how much, and how to write it. NULL: it does not. */
    size_t (*file_bytes)(const struct nb_file_writer *fw);
    nb_status (*file_flush)(struct nb_file_writer *fw, nb_error *err);
    int most_open; /* files that a task may have open at once; 0: as many as is usual */
};

/* By name, any case; NULL when unknown. */
const nb_format *nb_format_find(nb_str name);

#define NB_FORMAT(id, names) extern const nb_format nb_format_##id;
#include "io/formats.def"
#undef NB_FORMAT

#endif
