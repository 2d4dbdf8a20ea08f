/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h: from the paths of a read to its files: globs, directories, hidden names, filters, hive-style partition columns.
 *
 * As Spark's InMemoryFileIndex: names that begin with '_' (without '=') or '.' are skipped; of a directory its own files count, and those of
 * sub-directories only when they are key=value or recursiveFileLookup is set. Files come in the order of the paths, then by name.
 */
#ifndef NB_IO_LISTING_H
#define NB_IO_LISTING_H

#include "column/vector.h"
#include "io/glob.h"

#define NB_NULL_PARTITION "__HIVE_DEFAULT_PARTITION__"

typedef struct nb_file_entry {
    nb_str path; /* plain, NUL-terminated */
    nb_str url;  /* "file:///…", percent-encoded */
    int64_t n_bytes;
    int64_t modified_ms;
    nb_str *partition; /* raw values of the partition columns, unescaped; data NULL = null */
} nb_file_entry;

typedef struct nb_list_request {
    const nb_str *paths;
    int n_paths;
    bool recursive;     /* recursiveFileLookup: no partition columns then */
    nb_str glob_filter; /* pathGlobFilter; data NULL = none */
    nb_str base_path;   /* basePath; data NULL = none */
    int64_t modified_after_us, modified_before_us; /* INT64_MIN / INT64_MAX = none */
    bool ignore_missing;                           /* ignoreMissingFiles */
} nb_list_request;

typedef struct nb_file_list {
    nb_file_entry *files;
    int n_files;
    nb_str *partition_names;
    int n_partition;
} nb_file_list;

/* Everything in the arena. Raises PATH_NOT_FOUND, CONFLICTING_DIRECTORY_STRUCTURES ... */
nb_status
nb_list_files(nb_arena *arena, const nb_list_request *request, nb_file_list *out, nb_error *err);

/* "file:///a", "file:/a", "a" -> plain absolute path without double slashes. Other schemes are not implemented (raised). */
nb_status nb_path_plain(nb_arena *arena, nb_str path, nb_str *out, nb_error *err);
/* "/a b" -> "file:///a%20b" */
nb_str nb_path_url(nb_arena *arena, nb_str plain);
/* As Spark prints paths in messages: "file:/a b" */
const char *nb_path_message(nb_arena *arena, nb_str plain);
/* Names of partition directories: special characters as %XX, and back. */
void nb_partition_escape(nb_strbuf *out, nb_str value);
nb_status nb_partition_unescape(nb_arena *arena, nb_str text, nb_str *out);

/* The narrowest type (int, bigint, double, date, timestamp, string) that holds all values of partition column i. */
const nb_type *nb_partition_infer(const nb_file_list *list, int i);

#endif
