/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relation.h: files as relations: spark.read.format(...).options(...).load(paths).
 *
 * The analyzer opens a relation (finds files, hive-style partition columns, infers the schema), the planner asks for a scan of some of
 * its columns. Formats are rows of formats.def (csv, text, parquet, ...): names, infer, scan, writer.
 */
#ifndef NB_IO_RELATION_H
#define NB_IO_RELATION_H

#include "io/source.h"

typedef struct nb_option {
    nb_str key, value; /* keys compare without case */
} nb_option;

typedef struct nb_read_request {
    nb_str format; /* "csv", "com.databricks.spark.csv", "parquet", "text" ... */
    const nb_str *paths;
    int n_paths;
    const nb_option *options;
    int n_options;
    const nb_type *schema; /* given by the user, or NULL */
    const nb_session_info *info;
    const nb_cancel_flag *cancel;
    int n_threads; /* for inference */
} nb_read_request;

typedef struct nb_relation nb_relation;
struct nb_table;

/* Lists files, finds partition columns, infers what is not given. The relation is owned by the caller, reference-counted, independent of
 * the arena and request afterwards. Raises PATH_NOT_FOUND, UNABLE_TO_INFER_SCHEMA, DATA_SOURCE_NOT_FOUND, option errors ... */
nb_status nb_relation_open(struct nb_pool *pool, const nb_read_request *request, nb_relation **out,
                           nb_error *err);
/* A table's only column, of strings, as a file of the format with a text per line; request->paths are not looked at. */
nb_status nb_relation_of_texts(struct nb_pool *pool, const nb_read_request *request,
                               const struct nb_table *table, nb_relation **out, nb_error *err);
/* Can no other process read its files? */
bool nb_relation_is_private(const nb_relation *rel);
nb_relation *nb_relation_ref(nb_relation *rel);
void nb_relation_release(nb_relation *rel);

const nb_type *
nb_relation_schema(const nb_relation *rel); /* data columns, then partition columns; all nullable */
nb_str nb_relation_format(const nb_relation *rel);
int64_t nb_relation_bytes(const nb_relation *rel); /* of all files */

/* What a scan also knows of where a row comes from: columns behind those of the schema, in this order, none of them null. */
typedef enum nb_file_column {
    NB_FILE_URL,         /* as input_file_name() has it */
    NB_FILE_BLOCK_START, /* what Spark would read in one piece */
    NB_FILE_BLOCK_LENGTH,
    NB_FILE_METADATA, /* the struct _metadata, or some of its fields; with the row's number in the file where the format numbers rows */
    NB_N_FILE_COLUMNS
} nb_file_column;
/* The schema and, behind it, these. */
const nb_type *nb_relation_columns(const nb_relation *rel);
int64_t
nb_relation_rows(const nb_relation *rel); /* exact when the format knows (Parquet), else -1 */

/* What the files' metadata say of a column; numbers in the column's own unit (days, µs, a decimal's value). */
typedef struct nb_column_stats {
    bool has_range;
    double low, high;
    double distinct; /* estimated; < 0: unknown */
    double n_nulls;  /* < 0: unknown */
} nb_column_stats;
/* All unknown where the format does not say. Never raises: what cannot be read is unknown. */
void nb_relation_column_stats(const nb_relation *rel, int column, nb_column_stats *out);

/* What they say for certain of an integer, a date, a timestamp or a decimal of up to 18 digits. */
typedef struct nb_column_bounds {
    bool exact;        /* else nothing is known */
    bool any;          /* there are values: low is one of them, and high */
    int64_t low, high; /* a decimal: without its point */
    int64_t n_nulls;
} nb_column_bounds;
void nb_relation_column_bounds(const nb_relation *rel, int column, nb_column_bounds *out);
int nb_relation_n_files(const nb_relation *rel);
nb_str nb_relation_file(const nb_relation *rel,
                        int i); /* "file:///…" as input_file_name() and inputFiles show it */

/* Can it read some fields of a struct without the others? */
bool nb_relation_reads_fields(const nb_relation *rel);
/* The relation with other types for n of its columns, which have fewer fields. It lives in the arena and borrows rel. */
nb_status nb_relation_narrow(nb_relation *rel, nb_arena *arena, const int *columns,
                             const nb_type *const *types, int n, nb_relation **out);

/* Which of n tasks scans: each takes its share of the pieces, in order. */
typedef struct nb_scan_share {
    int index, n;
    bool whole_partitions; /* cut between Spark partitions only */
} nb_scan_share;

/* What another process needs to know of a relation to scan it: the files as they were found, the schema as it was inferred. */
typedef struct nb_relation_parts {
    nb_str format;
    const nb_option *options;
    int n_options;
    const struct nb_file_list *files;
    const nb_type *data_schema, *schema;
    const nb_type *metadata; /* which fields of _metadata are wanted */
    bool given;              /* the user gave the schema */
} nb_relation_parts;

/* Everything is borrowed from the relation. */
nb_relation_parts nb_relation_parts_of(const nb_relation *rel);
/* The relation again, without listing files or inferring. parts are copied; the list's files must have the names' number of values. */
nb_status nb_relation_restore(struct nb_pool *pool, const nb_relation_parts *parts,
                              const nb_session_info *info, nb_relation **out, nb_error *err);
/* Scans that are begun later give this share only. */
void nb_relation_set_share(nb_relation *rel, nb_scan_share share);

/* Into how many of Spark's partitions a scan cuts it for n_threads. */
nb_status
nb_relation_partitions(nb_relation *rel, struct nb_pool *pool, const nb_session_info *info,
                       int n_threads, int *out, nb_error *err);
/* Are equal values of an integer column never in the shares of two of n tasks, which cut files for n_threads? false: they may be. */
nb_status
nb_relation_shares_apart(const nb_relation *rel, struct nb_pool *pool, const nb_session_info *info,
                         int column, int n, int n_threads, bool *out, nb_error *err);

/* What a join found out about its keys: rows of the column that the filter refuses are not wanted. */
typedef struct nb_scan_probe {
    int column; /* position among the columns */
    const struct nb_key_filter *filter;
} nb_scan_probe;

typedef struct nb_scan_request {
    const int
        *columns; /* positions among the columns, in the order wanted; may be empty (count(*)) */
    int n_columns;
    nb_expr *const *
        filters; /* conjuncts that the plan also checks itself; ordinals are positions among the columns. A reader may use them to
                                  * skip (partitions, row groups, rows) and is free to ignore them */
    int n_filters;
    bool *
        applied; /* out, n_filters: every row that comes satisfies the filter, so that nobody need check it again; NULL: not asked */
    const bool *
        unread; /* per column: once all filters are applied nobody looks at it, and it may hold anything; NULL: all are looked at */
    const nb_scan_probe *probes; /* a reader may leave out the rows that they refuse */
    int n_probes;
    int64_t limit; /* -1: no limit known */
    int n_threads;
    const nb_session_info *info;
    const nb_cancel_flag *cancel;
} nb_scan_request;

nb_status nb_relation_scan(nb_relation *rel, struct nb_pool *pool, const nb_scan_request *request,
                           nb_source **out, nb_error *err);

#endif
