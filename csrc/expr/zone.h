/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone.h: time zones: from a zone's name to offsets, by the machine's tz database.
 *
 * Names are those that Spark takes: "UTC", "Z", "+03:00", "-3", "GMT+3", "UTC-03:30", "America/Sao_Paulo", and Java's old short names ("PST",
 * "JST"). Zones are loaded once and live as long as the process, so pointers may be kept and compared. Loading takes a lock; look-ups take
 * none. Times are µs; local times are µs on the zone's clock, counted as if it were UTC.
 *
 * Local times that a change of clocks skips or repeats mean what java.time makes of them: both are read with the offset that was in force
 * before the change.
 */
#ifndef NB_EXPR_ZONE_H
#define NB_EXPR_ZONE_H

#include <stdbool.h>
#include "base/error.h"
#include "base/str.h"

typedef struct nb_zone nb_zone;

/* A zone as spans of constant offset. Readable, so that kernels can look up inline; made by zone.c only. */
struct nb_zone {
    nb_str name; /* as asked for */
    nb_str id;   /* as java.time shows it: "America/Sao_Paulo", "+03:00", "GMT+03:00", "Z" */
    bool is_region;
    int n;                   /* changes */
    const int64_t *at;       /* n: UTC seconds, ascending */
    const int64_t *local_at; /* n: local seconds from which the offset after the change is used */
    const int32_t *offset;   /* n + 1: seconds east of UTC; offset[i] is in force before at[i] */
    const char *const *abbreviation; /* n + 1: "CET" */
    int64_t
        cycle_from; /* UTC seconds after which the changes repeat every 400 years; INT64_MAX when they do not */
};

const nb_zone *nb_zone_utc(void);
/* NULL when there is no such zone. */
const nb_zone *nb_zone_lookup(nb_str name);
/* As nb_zone_lookup, but raises INVALID_TIMEZONE. */
nb_status nb_zone_find(nb_str name, const nb_zone **out, nb_error *err);

NB_INLINE bool
nb_zone_is_fixed(const nb_zone *zone)
{
    return zone->n == 0;
}

int32_t
nb_zone_offset_utc(const nb_zone *zone, int64_t utc_us); /* seconds in force at an instant */
int32_t
nb_zone_offset_local(const nb_zone *zone, int64_t local_us); /* … to read a local time with */
const char *nb_zone_abbreviation(const nb_zone *zone, int64_t utc_us);

/* Remembers the span of the last look-up: neighbouring rows mostly share it. Zero-initialise, set zone. One thread. */
typedef struct nb_zone_cursor {
    const nb_zone *zone;
    int64_t utc_from, utc_to; /* µs, [from, to) */
    int64_t utc_offset;       /* µs */
    int64_t local_from, local_to;
    int64_t local_offset;
} nb_zone_cursor;

void nb_zone_cursor_seek_utc(nb_zone_cursor *c, int64_t utc_us);
void nb_zone_cursor_seek_local(nb_zone_cursor *c, int64_t local_us);

NB_INLINE int64_t
nb_zone_to_local(nb_zone_cursor *c, int64_t utc_us)
{
    if (NB_UNLIKELY(utc_us < c->utc_from || utc_us >= c->utc_to)) {
        nb_zone_cursor_seek_utc(c, utc_us);
    }
    return (int64_t)((uint64_t)utc_us + (uint64_t)c->utc_offset);
}

NB_INLINE int64_t
nb_zone_to_utc(nb_zone_cursor *c, int64_t local_us)
{
    if (NB_UNLIKELY(local_us < c->local_from || local_us >= c->local_to)) {
        nb_zone_cursor_seek_local(c, local_us);
    }
    return (int64_t)((uint64_t)local_us - (uint64_t)c->local_offset);
}

#endif
