/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cast_interval.c: casts to the interval types, from numbers, other intervals and text.
 *
 * Text is "[+-]y-m", "[+-]d h:m:s.f" and shorter forms by the type's fields, bare or as INTERVAL '...' with the fields named.
 */
#include "expr/cast.h"

#include <stdio.h>

#include "base/decimal.h"
#include "expr/date_text.h"

static const int64_t dt_units[] = {NB_US_PER_DAY, 3600 * NB_US_PER_SECOND, 60 * NB_US_PER_SECOND,
                                   NB_US_PER_SECOND};

static bool
valid(const nb_cast_job *job, int64_t i)
{
    return nb_is_valid(job->v->validity, i);
}

static bool
read_number(const char **p, const char *end, int64_t *out)
{
    const char *start = *p;

    *out = 0;
    while (*p < end && **p >= '0' && **p <= '9') {
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, (int64_t)(**p - '0'), out)) {
            return false;
        }
        (*p)++;
    }
    return *p > start;
}

/* INTERVAL '...' FIELD [TO FIELD] → what is between the quotes; the sign before the quote is kept in *negative. */
static nb_str
unwrap(nb_str s, bool *negative)
{
    const char *open, *close = NULL;

    *negative = false;
    s = nb_str_trim(s);
    if (s.len < 10 || !nb_str_equal_nocase((nb_str){s.data, 8}, NB_STR("interval"))) {
        return s;
    }
    open = memchr(s.data, '\'', s.len);
    if (open == NULL) {
        return s;
    }
    for (const char *p = open + 1; p < s.data + s.len; p++) {
        if (*p == '\'') {
            close = p;
        }
    }
    for (const char *p = s.data + 8; p < open; p++) {
        *negative ^= *p == '-';
    }
    return close == NULL ? s : nb_str_trim((nb_str){open + 1, (size_t)(close - open - 1)});
}

static bool
parse_year_month(nb_str s, const nb_type *t, int32_t *out)
{
    bool negative;
    const char *p, *end;
    int64_t years = 0, months = 0, total;

    s = unwrap(s, &negative);
    p = s.data;
    end = s.data + s.len;
    if (p < end && (*p == '-' || *p == '+')) {
        negative ^= *p++ == '-';
    }
    if (t->start_field == t->end_field) {
        if (!read_number(&p, end, t->start_field == 0 ? &years : &months)) {
            return false;
        }
    } else if (!read_number(&p, end, &years) || p == end || *p++ != '-' ||
               !read_number(&p, end, &months) || months > 11) {
        return false;
    }
    if (p < end || years > INT32_MAX / 12 + 1) {
        return false;
    }
    total = years * 12 + months;
    total = negative ? -total : total;
    *out = (int32_t)total;
    return total == *out;
}

static bool
parse_day_time(nb_str s, const nb_type *t, int64_t *out)
{
    bool negative;
    const char *p, *end;
    nb_int128 total = 0;

    s = unwrap(s, &negative);
    p = s.data;
    end = s.data + s.len;
    if (p < end && (*p == '-' || *p == '+')) {
        negative ^= *p++ == '-';
    }
    for (int f = t->start_field; f <= t->end_field; f++) {
        int64_t x;

        if (f > t->start_field) {
            if (p == end || *p++ != (f == 1 ? ' ' : ':')) {
                return false;
            }
        }
        if (!read_number(&p, end, &x) || (f > t->start_field && x > (f == 1 ? 23 : 59))) {
            return false;
        }
        total += (nb_int128)x * dt_units[f];
        if (f == 3 && p < end && *p == '.') {
            int64_t scale = 100000;

            for (p++; p < end && *p >= '0' && *p <= '9'; p++) {
                total += (*p - '0') * scale;
                scale /= 10;
            }
        }
    }
    total = negative ? -total : total;
    *out = (int64_t)total;
    return p == end && total == *out;
}

static nb_status
from_number(nb_cast_job *job, int64_t i)
{
    bool months = job->to->id == NB_TYPE_INTERVAL_YM;
    int64_t unit = months ? (job->to->end_field == 0 ? 12 : 1) : dt_units[job->to->end_field];
    nb_int128 x = 0;
    const nb_vector *v = job->v;

    switch (v->type->phys) {
    case NB_PHYS_INT8: x = NB_DATA(int8_t, v)[i]; break;
    case NB_PHYS_INT16: x = NB_DATA(int16_t, v)[i]; break;
    case NB_PHYS_INT32: x = NB_DATA(int32_t, v)[i]; break;
    case NB_PHYS_INT64: x = NB_DATA(int64_t, v)[i]; break;
    default: x = NB_DATA(nb_int128, v)[i]; break;
    }
    if (__builtin_mul_overflow(x, (nb_int128)unit, &x)) {
        return nb_cast_overflow(job, i);
    }
    if (job->from->id == NB_TYPE_DECIMAL) {
        x = nb_decimal_round_off(x, job->from->scale);
    }
    if (months) {
        NB_DATA(int32_t, job->out)[i] = (int32_t)x;
        return x == (int32_t)x ? NB_OK : nb_cast_overflow(job, i);
    }
    NB_DATA(int64_t, job->out)[i] = (int64_t)x;
    return x == (int64_t)x ? NB_OK : nb_cast_overflow(job, i);
}

/* Cuts to the target's last field. */
static void
from_interval(nb_cast_job *job, int64_t i)
{
    if (job->to->id == NB_TYPE_INTERVAL_YM) {
        int32_t x = NB_DATA(int32_t, job->v)[i];

        NB_DATA(int32_t, job->out)[i] = job->to->end_field == 0 ? x - x % 12 : x;
    } else {
        int64_t x = NB_DATA(int64_t, job->v)[i];

        NB_DATA(int64_t, job->out)
        [i] = job->to->end_field == 3 ? x : x - x % dt_units[job->to->end_field];
    }
}

/* "3 days 2 hours": pairs of number and unit. */
static bool
parse_calendar(nb_str s, nb_interval *out)
{
    static const struct {
        const char *unit;
        int months, days;
        int64_t us;
    } units[] = {
        {"year", 12, 0, 0},        {"month", 1, 0, 0},           {"week", 0, 7, 0},
        {"day", 0, 1, 0},          {"hour", 0, 0, 3600000000LL}, {"minute", 0, 0, 60000000LL},
        {"second", 0, 0, 1000000}, {"millisecond", 0, 0, 1000},  {"microsecond", 0, 0, 1},
    };
    const char *p, *end;
    bool any = false;

    s = nb_str_trim(s);
    if (s.len > 8 && nb_str_equal_nocase((nb_str){s.data, 8}, NB_STR("interval"))) {
        s = nb_str_trim((nb_str){s.data + 8, s.len - 8});
    }
    *out = (nb_interval){0};
    p = s.data;
    end = s.data + s.len;
    while (p < end) {
        bool negative = false, found = false;
        int64_t x, fraction = 0;
        const char *word;
        size_t len;

        if (*p == '-' || *p == '+') {
            negative = *p++ == '-';
        }
        if (!read_number(&p, end, &x)) {
            return false;
        }
        if (p < end && *p == '.') {
            int64_t scale = 100000;

            for (p++; p < end && *p >= '0' && *p <= '9'; p++) {
                fraction += (*p - '0') * scale;
                scale /= 10;
            }
        }
        while (p < end && *p == ' ') {
            p++;
        }
        word = p;
        while (p < end && *p != ' ') {
            p++;
        }
        len = (size_t)(p - word);
        if (len > 1 && (word[len - 1] == 's' || word[len - 1] == 'S')) {
            len--;
        }
        for (size_t k = 0; k < NB_COUNT_OF(units) && !found; k++) {
            if (nb_str_equal_nocase((nb_str){word, len}, nb_str_of(units[k].unit))) {
                int64_t sign = negative ? -1 : 1;

                if (fraction != 0 && units[k].us != 1000000) {
                    return false;
                }
                out->months += (int32_t)(sign * x * units[k].months);
                out->days += (int32_t)(sign * x * units[k].days);
                out->us += sign * (x * units[k].us + fraction);
                found = true;
            }
        }
        if (!found) {
            return false;
        }
        any = true;
        while (p < end && *p == ' ') {
            p++;
        }
    }
    return any;
}

nb_status
nb_cast_to_interval(nb_cast_job *job)
{
    for (int64_t i = 0; i < job->n; i++) {
        nb_str s;
        bool ok;

        if (!valid(job, i)) {
            continue;
        }
        if (job->from->id == job->to->id) {
            from_interval(job, i);
            continue;
        }
        if (!nb_type_is_string(job->from)) {
            NB_TRY(from_number(job, i));
            continue;
        }
        s = nb_view_str(NB_DATA(nb_view, job->v) + i);
        ok = job->to->id == NB_TYPE_INTERVAL ? parse_calendar(s, NB_DATA(nb_interval, job->out) + i)
             : job->to->id == NB_TYPE_INTERVAL_YM
                 ? parse_year_month(s, job->to, NB_DATA(int32_t, job->out) + i)
                 : parse_day_time(s, job->to, NB_DATA(int64_t, job->out) + i);
        if (!ok) {
            NB_TRY(nb_cast_invalid(job, i));
        }
    }
    return NB_OK;
}
