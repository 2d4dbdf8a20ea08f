/* SPDX-License-Identifier: Apache-2.0 */
/*
 * date_text.h: days and microseconds to calendar fields and text, and back, by Spark's cast rules.
 *
 * The calendar is the proleptic Gregorian one. Nothing here knows a time zone's rules: parsers hand out local fields and what the text said about
 * its zone; expr/zone.h turns both into an instant.
 */
#ifndef NB_EXPR_DATE_TEXT_H
#define NB_EXPR_DATE_TEXT_H

#include <stdbool.h>
#include "base/str.h"

#define NB_US_PER_SECOND  1000000LL
#define NB_US_PER_DAY     86400000000LL
#define NB_DATE_TEXT      20
#define NB_TIMESTAMP_TEXT 40

typedef struct nb_civil {
    int32_t year;
    int32_t month, day; /* 1.. */
} nb_civil;

int32_t nb_days_from_civil(int32_t year, int32_t month, int32_t day); /* fields must be valid */
/* The same of years whose days may not fit a date; month 1 to 12, and any day. */
int64_t nb_days_from_any_civil(int64_t year, int32_t month, int32_t day);
nb_civil nb_civil_from_days(int32_t days);
bool nb_is_leap_year(int64_t year);
int nb_days_in_month(int64_t year, int month);

/* "2024-02-29", "-0001-01-01", "+12345-01-01". Return the length. */
int nb_format_date(char *out, int32_t days);
/* Local µs: "2024-02-29 12:34:56.5": the fraction without trailing zeros. */
int nb_format_timestamp(char *out, int64_t local_us);
/* ns since midnight: "12:34:56.5". */
int nb_format_time(char *out, int64_t ns);

/* Spark's stringToDate: [+-]y{4,7}[-m[m][-d[d]]] and then anything after a space or 'T'; white space around is skipped. */
bool nb_parse_date(const char *p, size_t n, int32_t *days);
/* yyyy-MM-dd only: what most texts of dates are, and quickly found out. */
bool nb_parse_iso_date(const char *p, size_t n, int32_t *days);

/* What stringToTimestamp finds in a text. */
typedef struct nb_timestamp_text {
    bool has_date; /* else only a time was given: it is of today */
    int32_t days;
    int64_t time_us; /* since midnight */
    nb_str zone;     /* "Z", "+02:00", "America/Sao_Paulo"; empty when none */
} nb_timestamp_text;
bool nb_parse_timestamp_text(const char *p, size_t n, nb_timestamp_text *out);
/* A zone text that is a fixed offset: "Z", "UTC", "+2", "+02:30", "GMT+2", "UT-03:00:30". */
bool nb_parse_zone_offset(nb_str zone, int32_t *seconds);

#endif
