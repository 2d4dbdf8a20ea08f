/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time_zone.c: local times of this process, as datetime.astimezone() computes them.
 *
 * Offsets come from libc and are kept per quarter of an hour, because rows that follow each other mostly lie close together.
 * Years before 1970 are asked for one by one: their changes need not fall on quarters.
 */
#include <pthread.h>
#include <string.h>
#include <time.h>
#include "python/table.h"

#define MAX_FOLD 86400
#define SPAN     900

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Seconds east of UTC at an instant. */
static int64_t
offset_at(int64_t utc_s)
{
    static __thread int64_t known_span = INT64_MIN, known_offset;
    int64_t span = floor_div(utc_s, SPAN);
    time_t t = (time_t)utc_s;
    struct tm tm;

    if (span == known_span) {
        return known_offset;
    }
    if (localtime_r(&t, &tm) == NULL) {
        return 0;
    }
    if (utc_s >= 0) {
        known_span = span;
        known_offset = tm.tm_gmtoff;
    }
    return tm.tm_gmtoff;
}

int64_t
nb_utc_to_local(int64_t utc_us)
{
    return utc_us + offset_at(floor_div(utc_us, 1000000)) * 1000000;
}

/* As datetime.timestamp() does it (PEP 495): of a repeated time fold says which; a skipped one has the offset before the gap, with fold the one after it. */
int64_t
nb_local_to_utc(int64_t local_us, int fold)
{
    int64_t t = floor_div(local_us, 1000000), rest = local_us - t * 1000000;
    int64_t a = offset_at(t), b, u1 = t - a, t1 = u1 + offset_at(u1), u2, t2;

    if (t1 == t) {
        u2 = u1 + (fold ? MAX_FOLD : -MAX_FOLD);
        b = offset_at(u2);
        if (a == b) {
            return u1 * 1000000 + rest;
        }
    } else {
        b = t1 - u1;
    }
    u2 = t - b;
    t2 = u2 + offset_at(u2);
    if (t2 == t) {
        return u2 * 1000000 + rest;
    }
    if (t1 == t) {
        return u1 * 1000000 + rest;
    }
    return (fold ? NB_MIN(u1, u2) : NB_MAX(u1, u2)) * 1000000 + rest;
}
