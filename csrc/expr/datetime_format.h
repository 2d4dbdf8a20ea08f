/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datetime_format.h: date and time patterns ("yyyy-MM-dd HH:mm:ss[.SSS]"), as java.time's DateTimeFormatter reads them under Spark's rules:
 * strict resolution, names of a locale, texts in any case; month and day default to 1, minutes and seconds to 0, the year to 1970; a fraction
 * parses up to as many digits as it has letters. A pattern is compiled once (to a list of small steps) and run per value.
 *
 *   nb_datetime_format_new(arena, pattern, for parsing?) → nb_datetime_format_write* or nb_datetime_format_parse*
 *
 * Compiled formats are read-only: threads may share them.
 */
#ifndef NB_EXPR_DATETIME_FORMAT_H
#define NB_EXPR_DATETIME_FORMAT_H

#include "base/arena.h"
#include "expr/locale.h"
#include "expr/zone.h"

typedef struct nb_datetime_format nb_datetime_format;

/* Raises INVALID_DATETIME_PATTERN.* or INCONSISTENT_BEHAVIOR_CROSS_VERSION.* as Spark does. */
nb_status
nb_datetime_format_new(nb_arena *arena, nb_str pattern, bool parsing, const nb_locale *locale,
                       const nb_datetime_format **out, nb_error *err);

/* The most bytes that one value may take. */
size_t nb_datetime_format_max(const nb_datetime_format *f);
/* Writes the local time (µs on the zone's clock) of the instant utc_us; returns the length. zone gives names and offsets. */
size_t nb_datetime_format_write(const nb_datetime_format *f, int64_t local_us, const nb_zone *zone,
                                int64_t utc_us, char *out);

typedef enum nb_datetime_fault {
    NB_DATETIME_OK,
    NB_DATETIME_AT,       /* could not be parsed at index */
    NB_DATETIME_UNPARSED, /* text left at index */
    NB_DATETIME_RANGE,    /* "Invalid value for MonthOfYear (valid values 1 - 12): 13" */
    NB_DATETIME_DATE,     /* no such date */
} nb_datetime_fault;

typedef struct nb_datetime_parsed {
    int32_t days;
    int64_t time_us; /* since midnight */
    bool has_zone;
    int32_t offset;      /* seconds; when zone is NULL */
    const nb_zone *zone; /* the text named one; else NULL */
    nb_datetime_fault fault;
    int index;         /* in characters, of the fault */
    char message[120]; /* of RANGE and DATE */
} nb_datetime_parsed;

/* Parses all of text; false sets out->fault. */
bool nb_datetime_format_parse(const nb_datetime_format *f, nb_str text, nb_datetime_parsed *out);
/* The instant of a parsed text; c->zone is the session's. */
int64_t nb_datetime_parsed_utc(const nb_datetime_parsed *p, nb_zone_cursor *c);
/* Raises CANNOT_PARSE_TIMESTAMP for a text that was refused; `instead` is the function to recommend. */
nb_status
nb_datetime_raise(const nb_datetime_parsed *p, nb_str text, const char *instead, nb_error *err);

#endif
