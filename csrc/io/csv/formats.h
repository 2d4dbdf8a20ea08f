/* SPDX-License-Identifier: Apache-2.0 */
/*
 * formats.h: dateFormat, timestampFormat, timestampNTZFormat and timeZone of one reader or writer, compiled once.
 *
 * Without a pattern the parsers are those of CAST; with one it is followed strictly, as in Spark. Writers always have patterns (Spark's defaults).
 * What a reader's parser refuses is then read as Spark 2 did, where enableDateTimeParsingFallback lets it.
 */
#ifndef NB_IO_CSV_FORMATS_H
#define NB_IO_CSV_FORMATS_H

#include "expr/datetime_format.h"
#include "expr/expr.h"
#include "io/csv/options.h"

typedef struct nb_csv_formats {
    const nb_datetime_format *date, *timestamp, *timestamp_ntz; /* NULL = as CAST */
    bool plain_date;                                       /* writing: the default, yyyy-MM-dd */
    bool never_date, never_timestamp, never_timestamp_ntz; /* reading: no pattern, no value fits */
    bool fall_back_date, fall_back_timestamp;              /* reading */
    /* Reading: a pattern that was one before Spark 3. It fails the query with the first value that is not read otherwise. */
    nb_str refused_date, refused_timestamp; /* data NULL = none */
    const nb_session_info *info;            /* the session's, with the option timeZone applied */
    const nb_zone *zone;
} nb_csv_formats;

/* Raises on zones, and in a writer on patterns, that Spark refuses. Memory from the arena; o and info are borrowed. */
nb_status nb_csv_formats_new(nb_arena *arena, const nb_csv_options *o, const nb_session_info *info,
                             bool writing, nb_csv_formats **out, nb_error *err);
bool nb_csv_format_date(const nb_csv_formats *f, nb_str s, int32_t *days);
bool nb_csv_format_timestamp(const nb_csv_formats *f, nb_str s, int64_t *us);
/* What stands in a file: by the pattern, or as CAST without one, and then by the fallback. */
bool nb_csv_read_date(const nb_csv_formats *f, nb_str s, int32_t *days);
bool nb_csv_read_timestamp(const nb_csv_formats *f, nb_str s, int64_t *us);
bool nb_csv_format_timestamp_ntz(const nb_csv_formats *f, nb_str s, int64_t *us);
/* The default for timestamp_ntz: as CAST, but a text with a zone is refused. */
bool nb_csv_default_ntz(nb_str s, int64_t *us);

/* Writing: bytes that a value may take, and the text; returns its length. */
size_t nb_csv_format_room(const nb_csv_formats *f);
size_t nb_csv_write_date(const nb_csv_formats *f, int32_t days, char *out);
size_t
nb_csv_write_timestamp(const nb_csv_formats *f, nb_zone_cursor *cursor, int64_t us, char *out);
size_t nb_csv_write_timestamp_ntz(const nb_csv_formats *f, int64_t us, char *out);

#endif
