/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datetime_format_internal.h: the steps of a compiled pattern, shared by datetime_format*.c.
 */
#ifndef NB_EXPR_DATETIME_FORMAT_INTERNAL_H
#define NB_EXPR_DATETIME_FORMAT_INTERNAL_H

#include "expr/datetime_format.h"

typedef enum dt_field {
    DT_YEAR,
    DT_YEAR_OF_ERA,
    DT_MONTH,
    DT_DAY,
    DT_DAY_OF_YEAR,
    DT_DAY_OF_WEEK_IN_MONTH,
    DT_QUARTER,
    DT_HOUR,       /* 0-23 */
    DT_CLOCK_HOUR, /* 1-24 */
    DT_HOUR_AMPM,  /* 0-11 */
    DT_CLOCK_AMPM, /* 1-12 */
    DT_MINUTE,
    DT_SECOND,
    DT_AMPM,
    DT_ERA,
    DT_WEEKDAY,
    DT_N_FIELDS,
} dt_field;

typedef enum dt_kind {
    DT_LITERAL,
    DT_NUMBER,
    DT_YEAR2,
    DT_FRACTION,
    DT_TEXT, /* field by name; width 3 short, 4 full */
    DT_ZONE_ID,
    DT_ZONE_NAME,    /* width 1 short, 4 full */
    DT_OFFSET,       /* width: index into dt_offset_patterns; text: what zero is written as */
    DT_LOCAL_OFFSET, /* GMT+8; width 1 short, 4 full */
    DT_OPTIONAL,     /* `skip` steps belong to the optional section */
} dt_kind;

typedef enum dt_sign { DT_SIGN_NORMAL, DT_SIGN_NOT_NEGATIVE, DT_SIGN_EXCEEDS_PAD } dt_sign;

typedef struct dt_step {
    dt_kind kind;
    dt_field field;
    int min_width, width; /* numbers: digits at least, at most */
    dt_sign sign;
    int subsequent; /* digits that belong to the following numbers; -1 = fixed width */
    nb_str text;
    int skip;
    bool alone; /* a month without a day beside it */
} dt_step;

struct nb_datetime_format {
    int n;
    dt_step *steps;
    size_t max;
    const nb_locale *locale;
};

extern const char *const dt_offset_patterns[];

/* The months' names as a step of a pattern has them. */
const char *const *dt_months(const nb_locale *l, const dt_step *s);

/* Names of a zone at an instant, as Java shows them in English. */
const char *dt_zone_short_name(const nb_zone *zone, int64_t utc_us);
const char *dt_zone_full_name(const nb_zone *zone, int64_t utc_us, char *buffer /* 64 */);
/* A zone whose name starts the text; its length, or 0. */
int dt_zone_by_name(const char *p, int n, const nb_zone **zone);

#endif
