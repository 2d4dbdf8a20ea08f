/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datetime_parse.c: reads texts by compiled date and time patterns.
 *
 * Parsing follows java.time.format: no backtracking but for optional sections; a number of open width leaves digits to the numbers of fixed
 * width that follow it. Resolution is strict: every field in its range, the date must exist.
 */
#include <stdio.h>

#include "expr/date_text.h"
#include "base/ascii.h"
#include "expr/datetime_format_internal.h"

typedef struct fields {
    int64_t value[DT_N_FIELDS];
    uint32_t has;
    int64_t fraction_ns;
    bool has_offset;
    int32_t offset;
    const nb_zone *zone;
} fields;

static void
set(fields *f, dt_field field, int64_t v)
{
    f->value[field] = v;
    f->has |= 1u << field;
}

static bool
has(const fields *f, dt_field field)
{
    return f->has >> field & 1;
}

/* Returns the position behind the number, or -1 - position of the fault. */
static int
parse_number(const dt_step *s, const char *p, int n, int pos, int64_t *value)
{
    bool negative = false, positive = false;
    int64_t total = 0;
    int at;

    if (pos == n) {
        return -1 - pos;
    }
    if (p[pos] == '+' || p[pos] == '-') {
        bool plus = p[pos] == '+';
        bool allowed = s->sign == DT_SIGN_EXCEEDS_PAD || (s->sign == DT_SIGN_NORMAL && !plus);
        if (!allowed) {
            return -1 - pos;
        }
        positive = plus;
        negative = !plus;
        pos++;
    }
    int min_end = pos + s->min_width, width = s->width + NB_MAX(s->subsequent, 0);
    if (min_end > n) {
        return -1 - pos;
    }
    at = pos;
    for (int pass = 0; pass < 2; pass++) {
        int end = NB_MIN(pos + width, n);
        total = 0;
        for (at = pos; at < end && p[at] >= '0' && p[at] <= '9'; at++) {
            if (at - pos >= 18) {
                break;
            }
            total = total * 10 + (p[at] - '0');
        }
        if (at < min_end) {
            return -1 - pos;
        }
        if (s->subsequent <= 0) {
            break;
        }
        if (pass == 0) {
            width = NB_MAX(s->min_width, at - pos - s->subsequent);
        }
    }
    if (negative) {
        if (total == 0) {
            return -1 - (pos - 1);
        }
        total = -total;
    } else if (s->sign == DT_SIGN_EXCEEDS_PAD) {
        if (positive && at - pos <= s->min_width) {
            return -1 - (pos - 1);
        }
        if (!positive && at - pos > s->min_width) {
            return -1 - pos;
        }
    }
    *value = total;
    return at;
}

static bool
same_letters(const char *p, int n, const char *word, int len)
{
    if (n < len) {
        return false;
    }
    for (int i = 0; i < len; i++) {
        if (nb_to_lower(p[i]) != nb_to_lower(word[i])) {
            return false;
        }
    }
    return true;
}

/* Which of the n names stands at pos; *end is behind it. -1: none. */
static int
name_at(const char *const *names, int n_names, const char *p, int n, int pos, int *end)
{
    for (int i = 0; i < n_names; i++) {
        int len = (int)strlen(names[i]);
        if (same_letters(p + pos, n - pos, names[i], len)) {
            *end = pos + len;
            return i;
        }
    }
    return -1;
}

static int
parse_name(const dt_step *s, const nb_locale *l, const char *p, int n, int pos, fields *f)
{
    int end = 0, found = -1;

    if (s->field == DT_MONTH) {
        found = name_at(dt_months(l, s), 12, p, n, pos, &end);
    } else if (s->field == DT_AMPM) {
        found = name_at(l->halves, 2, p, n, pos, &end);
    } else if (s->field == DT_ERA) {
        found = name_at(s->width == 3 ? l->eras_short : l->eras, 2, p, n, pos, &end);
    }
    if (found < 0) {
        return -1 - pos;
    }
    set(f, s->field, found + (s->field == DT_MONTH));
    return end;
}

static int
two_digits(const char *p, int n, int pos)
{
    if (pos + 2 > n || p[pos] < '0' || p[pos] > '9' || p[pos + 1] < '0' || p[pos + 1] > '9') {
        return -1;
    }
    return (p[pos] - '0') * 10 + (p[pos + 1] - '0');
}

static int
parse_offset(const char *pattern, nb_str zero, const char *p, int n, int pos, fields *f)
{
    bool colon = pattern[3] == ':', seconds = strchr(pattern, 's') != NULL,
         minutes_optional = strchr(pattern, 'm') != NULL;
    int at = pos, part[3] = {0, 0, 0}, sign;

    if (zero.len && zero.data[0] == 'Z' && pos < n && (p[pos] == 'Z' || p[pos] == 'z')) {
        f->has_offset = true;
        f->offset = 0;
        return pos + 1;
    }
    if (at >= n || (p[at] != '+' && p[at] != '-')) {
        return -1 - pos;
    }
    sign = p[at++] == '-' ? -1 : 1;
    part[0] = two_digits(p, n, at);
    if (part[0] < 0) {
        return -1 - pos;
    }
    at += 2;
    for (int k = 1; k < (seconds ? 3 : 2); k++) {
        int next = at;
        if (colon) {
            if (next >= n || p[next] != ':') {
                next = n;
            } else {
                next++;
            }
        }
        part[k] = two_digits(p, n, next);
        if (part[k] < 0 || part[k] > 59) {
            if (k == 1 && !minutes_optional) {
                return -1 - pos;
            }
            part[k] = 0;
            break;
        }
        at = next + 2;
    }
    f->has_offset = true;
    f->offset = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
    return f->offset > 64800 || f->offset < -64800 ? -1 - pos : at;
}

/* GMT, GMT+8, GMT+08:00 */
static int
parse_local_offset(int width, const char *p, int n, int pos, fields *f)
{
    int at = pos + 3, part[3] = {0, 0, 0}, sign;

    if (!same_letters(p + pos, n - pos, "GMT", 3)) {
        return -1 - pos;
    }
    f->has_offset = true;
    f->offset = 0;
    if (at >= n || (p[at] != '+' && p[at] != '-')) {
        return at;
    }
    sign = p[at++] == '-' ? -1 : 1;
    part[0] = two_digits(p, n, at);
    if (part[0] >= 0) {
        at += 2;
    } else if (width == 1 && at < n && p[at] >= '0' && p[at] <= '9') {
        part[0] = p[at++] - '0';
    } else {
        return -1 - pos;
    }
    for (int k = 1; k < 3 && at < n && p[at] == ':'; k++) {
        part[k] = two_digits(p, n, at + 1);
        if (part[k] < 0) {
            part[k] = 0;
            break;
        }
        at += 3;
    }
    f->offset = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
    return at;
}

/* An offset, or the longest prefix that names a zone. */
static int
parse_zone(const char *p, int n, int pos, bool names, fields *f)
{
    int len;

    if (pos < n && (p[pos] == '+' || p[pos] == '-')) {
        return parse_offset("+HH:MM:ss", NB_STR("Z"), p, n, pos, f);
    }
    len = names ? dt_zone_by_name(p + pos, n - pos, &f->zone) : 0;
    if (len > 0) {
        return pos + len;
    }
    int end = pos;
    while (end < n && (nb_is_letter(p[end]) || p[end] == '/' || p[end] == '_' ||
                       (end > pos && (p[end] == '-' || p[end] == '+' || nb_is_digit(p[end]))))) {
        end++;
    }
    for (; end > pos; end--) {
        nb_str name = {p + pos, (size_t)(end - pos)};
        const nb_zone *zone = nb_zone_lookup(name);
        if (zone && (zone->is_region || name.len <= 3)) {
            f->zone = zone;
            return end;
        }
    }
    return -1 - pos;
}

static int
parse_fraction(const dt_step *s, const char *p, int n, int pos, fields *f)
{
    int64_t v = 0;
    int k = 0;

    for (; k < s->width && pos + k < n && p[pos + k] >= '0' && p[pos + k] <= '9'; k++) {
        v = v * 10 + (p[pos + k] - '0');
    }
    if (k < s->min_width) {
        return -1 - pos;
    }
    for (int d = k; d < 9; d++) {
        v *= 10;
    }
    f->fraction_ns = v;
    return pos + k;
}

/* Steps [from, to); the position behind, or -1 - position of the fault. */
static int
run(const nb_datetime_format *format, int from, int to, const char *p, int n, int pos, fields *f)
{
    for (int i = from; i < to; i++) {
        const dt_step *s = &format->steps[i];
        int64_t v = 0;
        switch (s->kind) {
        case DT_LITERAL:
            pos = same_letters(p + pos, n - pos, s->text.data, (int)s->text.len)
                      ? pos + (int)s->text.len
                      : -1 - pos;
            break;
        case DT_NUMBER:
            pos = parse_number(s, p, n, pos, &v);
            set(f, s->field, v);
            break;
        case DT_YEAR2:
            pos = parse_number(s, p, n, pos, &v);
            set(f, s->field, 2000 + v);
            break;
        case DT_FRACTION: pos = parse_fraction(s, p, n, pos, f); break;
        case DT_TEXT: pos = parse_name(s, format->locale, p, n, pos, f); break;
        case DT_ZONE_ID: pos = parse_zone(p, n, pos, false, f); break;
        case DT_ZONE_NAME: pos = parse_zone(p, n, pos, true, f); break;
        case DT_OFFSET:
            pos = parse_offset(dt_offset_patterns[s->width], s->text, p, n, pos, f);
            break;
        case DT_LOCAL_OFFSET: pos = parse_local_offset(s->width, p, n, pos, f); break;
        case DT_OPTIONAL: {
            fields saved = *f;
            int behind = run(format, i + 1, i + 1 + s->skip, p, n, pos, f);
            if (behind < 0) {
                *f = saved;
            } else {
                pos = behind;
            }
            i += s->skip;
            break;
        }
        }
        if (pos < 0) {
            return pos;
        }
    }
    return pos;
}

static bool
out_of_range(nb_datetime_parsed *out, const char *name, int64_t low, int64_t high, int64_t v)
{
    out->fault = NB_DATETIME_RANGE;
    snprintf(out->message, sizeof out->message,
             "Invalid value for %s (valid values %lld - %lld): %lld", name, (long long)low,
             (long long)high, (long long)v);
    return false;
}

static bool
check_ranges(const fields *f, nb_datetime_parsed *out)
{
    static const struct {
        dt_field field;
        const char *name;
        int low, high;
    } ranges[] = {
        {DT_MONTH, "MonthOfYear", 1, 12},          {DT_DAY, "DayOfMonth", 1, 31},
        {DT_DAY_OF_YEAR, "DayOfYear", 1, 366},     {DT_HOUR, "HourOfDay", 0, 23},
        {DT_CLOCK_HOUR, "ClockHourOfDay", 1, 24},  {DT_HOUR_AMPM, "HourOfAmPm", 0, 11},
        {DT_CLOCK_AMPM, "ClockHourOfAmPm", 1, 12}, {DT_MINUTE, "MinuteOfHour", 0, 59},
        {DT_SECOND, "SecondOfMinute", 0, 59},      {DT_YEAR, "Year", -290307, 294247},
        {DT_YEAR_OF_ERA, "YearOfEra", 1, 294247},
    };

    for (size_t i = 0; i < NB_COUNT_OF(ranges); i++) {
        int64_t v = f->value[ranges[i].field];
        if (has(f, ranges[i].field) && (v < ranges[i].low || v > ranges[i].high)) {
            return out_of_range(out, ranges[i].name, ranges[i].low, ranges[i].high, v);
        }
    }
    return true;
}

static bool
resolve_date(const fields *f, nb_datetime_parsed *out)
{
    bool given = has(f, DT_YEAR) || has(f, DT_YEAR_OF_ERA);
    int64_t year = has(f, DT_YEAR)                       ? f->value[DT_YEAR]
                   : !given                              ? 1970
                   : has(f, DT_ERA) && !f->value[DT_ERA] ? 1 - f->value[DT_YEAR_OF_ERA]
                                                         : f->value[DT_YEAR_OF_ERA];
    int month = has(f, DT_MONTH) ? (int)f->value[DT_MONTH] : 1,
        day = has(f, DT_DAY) ? (int)f->value[DT_DAY] : 1;

    if (has(f, DT_DAY_OF_YEAR) && !has(f, DT_MONTH) && !has(f, DT_DAY)) {
        int64_t yday = f->value[DT_DAY_OF_YEAR];
        if (yday == 366 && !nb_is_leap_year(year)) {
            out->fault = NB_DATETIME_DATE;
            snprintf(out->message, sizeof out->message,
                     "Invalid date 'DayOfYear 366' as '%lld' is not a leap year", (long long)year);
            return false;
        }
        out->days = (int32_t)(nb_days_from_civil((int32_t)year, 1, 1) + yday - 1);
        return true;
    }
    if (day > nb_days_in_month(year, month)) {
        out->fault = given ? NB_DATETIME_RANGE : NB_DATETIME_DATE;
        if (day == 29) {
            snprintf(out->message, sizeof out->message,
                     "Invalid date 'February 29' as '%lld' is not a leap year", (long long)year);
        } else {
            char name[16] = {0};
            for (int i = 0; nb_locale_default()->months[month - 1][i]; i++) {
                char ch = nb_locale_default()->months[month - 1][i];
                name[i] = (char)(ch >= 'a' ? ch - 32 : ch);
            }
            snprintf(out->message, sizeof out->message, "Invalid date '%s %d'", name, day);
        }
        return false;
    }
    out->days = nb_days_from_civil((int32_t)year, month, day);
    return true;
}

static void
resolve_time(const fields *f, nb_datetime_parsed *out)
{
    int64_t hour = 0, second;

    if (has(f, DT_HOUR)) {
        hour = f->value[DT_HOUR];
    } else if (has(f, DT_CLOCK_HOUR)) {
        hour = f->value[DT_CLOCK_HOUR] % 24;
    } else {
        if (has(f, DT_CLOCK_AMPM)) {
            hour = f->value[DT_CLOCK_AMPM] % 12;
        } else if (has(f, DT_HOUR_AMPM)) {
            hour = f->value[DT_HOUR_AMPM];
        }
        if (has(f, DT_AMPM)) {
            hour += 12 * f->value[DT_AMPM];
        }
    }
    second = hour * 3600 + (has(f, DT_MINUTE) ? f->value[DT_MINUTE] * 60 : 0) +
             (has(f, DT_SECOND) ? f->value[DT_SECOND] : 0);
    out->time_us = second * NB_US_PER_SECOND + f->fraction_ns / 1000;
}

bool
nb_datetime_format_parse(const nb_datetime_format *format, nb_str text, nb_datetime_parsed *out)
{
    fields f;
    int pos;

    f.has = 0;
    f.fraction_ns = 0;
    f.has_offset = false;
    f.offset = 0;
    f.zone = NULL;
    if (text.len > 10000) {
        out->fault = NB_DATETIME_AT;
        out->index = 0;
        return false;
    }
    pos = run(format, 0, format->n, text.data, (int)text.len, 0, &f);
    if (pos < (int)text.len) {
        out->fault = pos < 0 ? NB_DATETIME_AT : NB_DATETIME_UNPARSED;
        pos = pos < 0 ? -1 - pos : pos;
        out->index = 0;
        for (int i = 0; i < pos; i++) {
            out->index += (text.data[i] & 0xC0) != 0x80;
        }
        return false;
    }
    if (!check_ranges(&f, out) || !resolve_date(&f, out)) {
        return false;
    }
    resolve_time(&f, out);
    out->has_zone = f.zone != NULL || f.has_offset;
    out->zone = f.zone;
    out->offset = f.offset;
    out->fault = NB_DATETIME_OK;
    return true;
}

int64_t
nb_datetime_parsed_utc(const nb_datetime_parsed *p, nb_zone_cursor *c)
{
    int64_t local = (int64_t)p->days * NB_US_PER_DAY + p->time_us;

    if (!p->has_zone) {
        return nb_zone_to_utc(c, local);
    }
    return local -
           (int64_t)(p->zone ? nb_zone_offset_local(p->zone, local) : p->offset) * NB_US_PER_SECOND;
}

nb_status
nb_datetime_raise(const nb_datetime_parsed *p, nb_str text, const char *instead, nb_error *err)
{
    nb_strbuf b = {0};
    char func[64];
    nb_status st;

    if (p->fault != NB_DATETIME_DATE) {
        nb_strbuf_addf(&b, "Text '%.*s' could not be parsed", (int)NB_MIN(text.len, 64), text.data);
        nb_strbuf_adds(&b, text.len > 64 ? "..." : "");
    }
    switch (p->fault) {
    case NB_DATETIME_AT: nb_strbuf_addf(&b, " at index %d", p->index); break;
    case NB_DATETIME_UNPARSED:
        nb_strbuf_addf(&b, ", unparsed text found at index %d", p->index);
        break;
    case NB_DATETIME_RANGE: nb_strbuf_addf(&b, ": %s", p->message); break;
    default: nb_strbuf_adds(&b, p->message);
    }
    snprintf(func, sizeof func, "`%s`", instead);
    st = nb_raise(err, NB_COND_CANNOT_PARSE_TIMESTAMP, "message", b.failed ? "" : b.data, "func",
                  func, NULL);
    nb_strbuf_free(&b);
    return st;
}
