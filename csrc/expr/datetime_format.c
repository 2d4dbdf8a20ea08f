/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datetime_format.c: compiles date and time patterns, and writes times by them.
 */
#include "expr/datetime_format_internal.h"

#include <stdio.h>

#include "base/ascii.h"
#include "expr/date_text.h"

/* By number of letters X or x; 0 is Z's. Hours; MM minutes always, mm unless zero; SS, ss likewise. */
const char *const dt_offset_patterns[] = {"+HHMM",  "+HHmm",   "+HHMM",
                                          "+HH:MM", "+HHMMss", "+HH:MM:ss"};

/* ---- compiling ----------------------------------------------------------------------------------------------------------------------- */

typedef struct compiler {
    nb_arena *arena;
    nb_datetime_format *f;
    int cap;
    int number; /* step that opened a run of adjacent numbers, or -1 */
    int open[16], n_open;
    bool failed;
} compiler;

static dt_step *
add(compiler *c, dt_kind kind)
{
    nb_datetime_format *f = c->f;

    if (f->n == c->cap) {
        int cap = c->cap ? c->cap * 2 : 16;
        dt_step *steps = NB_ARENA_ARRAY(c->arena, dt_step, cap);
        if (steps == NULL) {
            c->failed = true;
            return NULL;
        }
        if (f->n) {
            memcpy(steps, f->steps, (size_t)f->n * sizeof *steps);
        }
        f->steps = steps;
        c->cap = cap;
    }
    dt_step *s = &f->steps[f->n++];
    *s = (dt_step){.kind = kind};
    if (kind != DT_NUMBER && kind != DT_YEAR2) {
        c->number = -1;
    }
    return s;
}

/* Adjacent numbers: the first one, of open width, leaves the others their digits. */
static void
add_number(compiler *c, dt_kind kind, dt_field field, int min, int max, dt_sign sign)
{
    int base = c->number;
    dt_step *s = add(c, kind);

    if (s == NULL) {
        return;
    }
    *s = (dt_step){.kind = kind, .field = field, .min_width = min, .width = max, .sign = sign};
    if (base < 0) {
        c->number = c->f->n - 1;
    } else if (min == max && sign == DT_SIGN_NOT_NEGATIVE) {
        c->f->steps[base].subsequent += max;
        s->subsequent = -1;
        c->number = base;
    } else {
        if (c->f->steps[base].subsequent == 0) {
            c->f->steps[base].subsequent = -1;
        }
        c->number = c->f->n - 1;
    }
}

static void
add_text(compiler *c, nb_str text)
{
    dt_step *s = add(c, DT_LITERAL);

    if (s) {
        s->text = text;
    }
    c->failed |= text.data == NULL;
}

static void
add_width(compiler *c, dt_kind kind, dt_field field, int width)
{
    dt_step *s = add(c, kind);

    if (s) {
        s->field = field;
        s->width = width;
    }
}

static bool
add_offset(compiler *c, int pattern, const char *zero)
{
    dt_step *s = add(c, DT_OFFSET);

    if (s) {
        s->width = pattern;
        s->text = nb_str_of(zero);
    }
    return true;
}

/* d, H, h, …: one letter = as many digits as there are, two = two digits. */
static bool
add_two(compiler *c, dt_field field, int n)
{
    if (n > 2) {
        return false;
    }
    if (n == 1) {
        add_number(c, DT_NUMBER, field, 1, 19, DT_SIGN_NORMAL);
    } else {
        add_number(c, DT_NUMBER, field, 2, 2, DT_SIGN_NOT_NEGATIVE);
    }
    return true;
}

/* n letters c; false = the pattern is not one. */
static bool
letter(compiler *c, char ch, int n, bool has_era, bool parsing)
{
    static const char *const x_zero[] = {"", "+00", "+0000", "+00:00", "+0000", "+00:00"};
    dt_field field;

    switch (ch) {
    case 'y':
        field = has_era ? DT_YEAR_OF_ERA : DT_YEAR;
        if (n == 2) {
            add_number(c, DT_YEAR2, field, 2, 2, DT_SIGN_NOT_NEGATIVE);
        } else {
            add_number(c, DT_NUMBER, field, n, 19, n < 4 ? DT_SIGN_NORMAL : DT_SIGN_EXCEEDS_PAD);
        }
        return n <= 6;
    case 'M':
    case 'L':
    case 'Q':
    case 'q':
        field = ch == 'M' || ch == 'L' ? DT_MONTH : DT_QUARTER;
        if (n > 2) {
            add_width(c, DT_TEXT, field, n);
            if (ch == 'L' && c->f->n > 0) {
                c->f->steps[c->f->n - 1].alone = true;
            }
            return n <= 4;
        }
        return add_two(c, field, n);
    case 'd': return add_two(c, DT_DAY, n);
    case 'H': return add_two(c, DT_HOUR, n);
    case 'k': return add_two(c, DT_CLOCK_HOUR, n);
    case 'K': return add_two(c, DT_HOUR_AMPM, n);
    case 'h': return add_two(c, DT_CLOCK_AMPM, n);
    case 'm': return add_two(c, DT_MINUTE, n);
    case 's': return add_two(c, DT_SECOND, n);
    case 'D':
        if (n == 1) {
            add_number(c, DT_NUMBER, DT_DAY_OF_YEAR, 1, 19, DT_SIGN_NORMAL);
        } else {
            add_number(c, DT_NUMBER, DT_DAY_OF_YEAR, n, 3, DT_SIGN_NOT_NEGATIVE);
        }
        return n <= 3;
    case 'F':
        add_number(c, DT_NUMBER, DT_DAY_OF_WEEK_IN_MONTH, 1, 19, DT_SIGN_NORMAL);
        return n == 1;
    case 'E': add_width(c, DT_TEXT, DT_WEEKDAY, NB_MAX(n, 3)); return n <= 4;
    case 'a': add_width(c, DT_TEXT, DT_AMPM, 3); return n == 1;
    case 'G': add_width(c, DT_TEXT, DT_ERA, NB_MAX(n, 3)); return n <= 4;
    case 'S':
        if (parsing && n == 1) {
            add_number(c, DT_FRACTION, DT_SECOND, 1, 1, DT_SIGN_NOT_NEGATIVE);
        } else {
            dt_step *s = add(c, DT_FRACTION);
            if (s) {
                s->min_width = parsing ? 1 : n;
                s->width = n;
            }
        }
        return n <= 9;
    case 'V': add_width(c, DT_ZONE_ID, 0, 2); return n == 2;
    case 'z': add_width(c, DT_ZONE_NAME, 0, n); return n <= 4;
    case 'O': add_width(c, DT_LOCAL_OFFSET, 0, n); return n == 1 || n == 4;
    case 'X': return n <= 5 && add_offset(c, n, "Z");
    case 'x': return n <= 5 && add_offset(c, n, x_zero[n]);
    case 'Z':
        if (n == 4) {
            add_width(c, DT_LOCAL_OFFSET, 0, 4);
            return true;
        }
        return n <= 5 && (n < 4 ? add_offset(c, 0, "+0000") : add_offset(c, 5, "Z"));
    default: return false;
    }
}

/* Would Java's older SimpleDateFormat take the pattern? Spark's message depends on it. */
static bool
legacy_takes(nb_str pattern)
{
    bool quoted = false;

    for (size_t i = 0; i < pattern.len; i++) {
        char ch = pattern.data[i];
        if (ch == '\'') {
            quoted = !quoted;
        } else if (!quoted && nb_is_letter(ch) && strchr("GyYMLwWDdFEuaHkKhmsSzZX", ch) == NULL) {
            return false;
        } else if (!quoted && ch == 'X' && i + 3 < pattern.len &&
                   memcmp(pattern.data + i, "XXXX", 4) == 0) {
            return false;
        }
    }
    return !quoted;
}

static nb_status
refuse(nb_arena *arena, nb_str pattern, nb_error *err)
{
    char *quoted = nb_arena_printf(arena, "'%.*s'", (int)pattern.len, pattern.data);

    if (quoted == NULL) {
        return NB_NOMEM;
    }
    if (legacy_takes(pattern)) {
        return nb_raise(err, NB_COND_DATETIME_PATTERN_RECOGNITION, "pattern", quoted, "config",
                        "\"spark.sql.legacy.timeParserPolicy\"", "docroot",
                        "https://spark.apache.org/docs/latest", NULL);
    }
    return nb_raise(err, NB_COND_INVALID_DATETIME_PATTERN_WITH_SUGGESTION, "pattern", quoted,
                    "docroot", "https://spark.apache.org/docs/latest", NULL);
}

static nb_status
check_letters(nb_arena *arena, nb_str pattern, bool parsing, bool *has_era, nb_error *err)
{
    bool quoted = false;

    *has_era = false;
    for (size_t i = 0; i < pattern.len; i++) {
        char ch = pattern.data[i], text[2] = {ch, 0};
        if (ch == '\'') {
            quoted = !quoted;
            continue;
        }
        if (quoted || ch == 0) {
            continue;
        }
        *has_era |= ch == 'G';
        if (strchr("ce", ch)) {
            return nb_raise(err, NB_COND_DATETIME_WEEK_BASED_PATTERN, "c", text, NULL);
        }
        if (strchr("ABnNp", ch) || (parsing && strchr("Qq", ch))) {
            return nb_raise(err, NB_COND_INVALID_DATETIME_PATTERN_ILLEGAL_CHARACTER, "pattern",
                            nb_arena_printf(arena, "%.*s", (int)pattern.len, pattern.data), "c",
                            text, NULL);
        }
        if (strchr("YwWu", ch) || (parsing && strchr("EF", ch))) {
            return refuse(arena, pattern, err);
        }
    }
    return NB_OK;
}

static bool
compile(compiler *c, nb_str p, bool has_era, bool parsing)
{
    for (size_t i = 0; i < p.len;) {
        char ch = p.data[i];
        size_t n = 1;
        if (nb_is_letter(ch)) {
            while (i + n < p.len && p.data[i + n] == ch) {
                n++;
            }
            if (n > 20 || !letter(c, ch, (int)n, has_era, parsing)) {
                return false;
            }
        } else if (ch == '\'') {
            nb_strbuf text = {0};
            size_t k = i + 1;
            for (; k < p.len; k++) {
                if (p.data[k] == '\'') {
                    if (k + 1 < p.len && p.data[k + 1] == '\'') {
                        k++;
                    } else {
                        break;
                    }
                }
                nb_strbuf_addc(&text, p.data[k]);
            }
            if (k >= p.len) {
                nb_strbuf_free(&text);
                return false;
            }
            add_text(c, k == i + 1 ? NB_STR("'") : nb_strbuf_finish(c->arena, &text));
            n = k + 1 - i;
        } else if (ch == '[') {
            if (c->n_open == (int)NB_COUNT_OF(c->open)) {
                return false;
            }
            c->open[c->n_open++] = c->f->n;
            add(c, DT_OPTIONAL);
        } else if (ch == ']') {
            if (c->n_open == 0) {
                return false;
            }
            c->n_open--;
            c->number = -1;
            if (!c->failed) {
                c->f->steps[c->open[c->n_open]].skip = c->f->n - c->open[c->n_open] - 1;
            }
        } else if (ch == '{' || ch == '}' || ch == '#') {
            return false;
        } else {
            add_text(c, (nb_str){p.data + i, 1});
        }
        i += n;
    }
    while (c->n_open > 0 && !c->failed) {
        c->n_open--;
        c->f->steps[c->open[c->n_open]].skip = c->f->n - c->open[c->n_open] - 1;
    }
    return true;
}

/* What a step may write at most. */
static size_t
most_bytes(const dt_step *s)
{
    switch (s->kind) {
    case DT_LITERAL: return s->text.len;
    case DT_ZONE_ID: return 110;
    case DT_ZONE_NAME: return 64;
    case DT_TEXT: return 40;
    case DT_OPTIONAL: return 0;
    default: return 20;
    }
}

nb_status
nb_datetime_format_new(nb_arena *arena, nb_str pattern, bool parsing, const nb_locale *locale,
                       const nb_datetime_format **out, nb_error *err)
{
    nb_datetime_format *f = NB_ARENA_NEW(arena, nb_datetime_format);
    compiler c = {.arena = arena, .f = f, .number = -1};
    nb_str copy = nb_arena_str(arena, pattern);
    bool has_era;

    if (f == NULL || copy.data == NULL) {
        return NB_NOMEM;
    }
    f->locale = locale;
    NB_TRY(check_letters(arena, copy, parsing, &has_era, err));
    if (!compile(&c, copy, has_era, parsing)) {
        return c.failed ? NB_NOMEM : refuse(arena, copy, err);
    }
    for (int i = 0; i < f->n; i++) {
        f->max += most_bytes(&f->steps[i]);
    }
    *out = f;
    return c.failed ? NB_NOMEM : NB_OK;
}

size_t
nb_datetime_format_max(const nb_datetime_format *f)
{
    return f->max;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------------- */

static char *
put_digits(char *out, int64_t v, int width)
{
    char digits[20];
    int n = 0;

    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    while (width-- > n) {
        *out++ = '0';
    }
    while (n) {
        *out++ = digits[--n];
    }
    return out;
}

static char *
put_text(char *out, const char *text, size_t n)
{
    memcpy(out, text, n);
    return out + n;
}

static char *
put_offset(char *out, const char *pattern, nb_str zero, int32_t offset)
{
    int32_t a = offset < 0 ? -offset : offset, h = a / 3600, m = a / 60 % 60, s = a % 60;
    bool colon = pattern[3] == ':', optional_minutes = strchr(pattern, 'm') != NULL,
         seconds = strchr(pattern, 's') != NULL;
    const char *start = out;

    if (offset == 0) {
        return put_text(out, zero.data, zero.len);
    }
    *out++ = offset < 0 ? '-' : '+';
    out = put_digits(out, h, 2);
    if (!optional_minutes || m || (seconds && s)) {
        if (colon) {
            *out++ = ':';
        }
        out = put_digits(out, m, 2);
        if (seconds && s) {
            if (colon) {
                *out++ = ':';
            }
            out = put_digits(out, s, 2);
        }
    }
    return h + m + (seconds ? s : 0) ? out
                                     : put_text((char *)(uintptr_t)start, zero.data, zero.len);
}

static char *
put_local_offset(char *out, int width, int32_t offset)
{
    int32_t a = offset < 0 ? -offset : offset, h = a / 3600, m = a / 60 % 60, s = a % 60;

    out = put_text(out, "GMT", 3);
    if (offset == 0) {
        return out;
    }
    *out++ = offset < 0 ? '-' : '+';
    out = put_digits(out, h, width == 4 ? 2 : 1);
    if (width == 4 || m || s) {
        *out++ = ':';
        out = put_digits(out, m, 2);
        if (s) {
            *out++ = ':';
            out = put_digits(out, s, 2);
        }
    }
    return out;
}

typedef struct broken_down {
    nb_civil date;
    int32_t days;
    int64_t us; /* of the day */
} broken_down;

static int64_t
field_value(const broken_down *t, dt_field field)
{
    int64_t hour = t->us / 3600000000LL;

    switch (field) {
    case DT_YEAR: return t->date.year;
    case DT_YEAR_OF_ERA: return t->date.year > 0 ? t->date.year : 1 - (int64_t)t->date.year;
    case DT_MONTH: return t->date.month;
    case DT_DAY: return t->date.day;
    case DT_DAY_OF_YEAR: return t->days - nb_days_from_civil(t->date.year, 1, 1) + 1;
    case DT_DAY_OF_WEEK_IN_MONTH: return (t->date.day - 1) % 7 + 1;
    case DT_QUARTER: return (t->date.month + 2) / 3;
    case DT_HOUR: return hour;
    case DT_CLOCK_HOUR: return hour ? hour : 24;
    case DT_HOUR_AMPM: return hour % 12;
    case DT_CLOCK_AMPM: return hour % 12 ? hour % 12 : 12;
    case DT_MINUTE: return t->us / 60000000 % 60;
    case DT_SECOND: return t->us / 1000000 % 60;
    case DT_AMPM: return hour / 12;
    case DT_ERA: return t->date.year > 0;
    case DT_WEEKDAY: return (((int64_t)t->days + 3) % 7 + 7) % 7;
    default: return 0;
    }
}

const char *const *
dt_months(const nb_locale *l, const dt_step *s)
{
    return s->width != 3 ? l->months : s->alone ? l->months_alone : l->months_short;
}

static char *
put_name(char *out, const broken_down *t, const dt_step *s, const nb_locale *l)
{
    int64_t v = field_value(t, s->field);
    bool brief = s->width == 3;
    const char *name;

    switch (s->field) {
    case DT_MONTH: name = dt_months(l, s)[v - 1]; break;
    case DT_WEEKDAY: name = (brief ? l->weekdays_short : l->weekdays)[v]; break;
    case DT_AMPM: name = l->halves[v]; break;
    case DT_ERA: name = (brief ? l->eras_short : l->eras)[v]; break;
    default: name = (brief ? l->quarters_short : l->quarters)[v - 1];
    }
    return put_text(out, name, strlen(name));
}

size_t
nb_datetime_format_write(const nb_datetime_format *f, int64_t local_us, const nb_zone *zone,
                         int64_t utc_us, char *out)
{
    int64_t days = local_us / NB_US_PER_DAY - (local_us % NB_US_PER_DAY < 0);
    broken_down t = {.days = (int32_t)days, .us = local_us - days * NB_US_PER_DAY};
    int32_t offset = 0;
    const char *start = out;
    char name[64];

    t.date = nb_civil_from_days(t.days);
    for (int i = 0; i < f->n; i++) {
        const dt_step *s = &f->steps[i];
        int64_t v;
        switch (s->kind) {
        case DT_LITERAL: out = put_text(out, s->text.data, s->text.len); break;
        case DT_NUMBER:
            v = field_value(&t, s->field);
            if (v < 0) {
                *out++ = '-';
                v = -v;
            } else if (s->sign == DT_SIGN_EXCEEDS_PAD && s->min_width < 19 &&
                       v >= (s->min_width == 4   ? 10000
                             : s->min_width == 5 ? 100000
                                                 : 1000000)) {
                *out++ = '+';
            }
            out = put_digits(out, v, s->min_width);
            break;
        case DT_YEAR2:
            v = field_value(&t, s->field);
            out = put_digits(out, (v < 0 ? -v : v) % 100, 2);
            break;
        case DT_FRACTION: {
            int64_t ns = t.us % 1000000 * 1000;
            for (int k = s->width; k < 9; k++) {
                ns /= 10;
            }
            out = put_digits(out, ns, s->width);
            break;
        }
        case DT_TEXT: out = put_name(out, &t, s, f->locale); break;
        case DT_ZONE_ID: out = put_text(out, zone->id.data, zone->id.len); break;
        case DT_ZONE_NAME: {
            const char *text = s->width < 4 ? dt_zone_short_name(zone, utc_us)
                                            : dt_zone_full_name(zone, utc_us, name);
            out = put_text(out, text, NB_MIN(strlen(text), 60));
            break;
        }
        case DT_OFFSET:
            offset = nb_zone_offset_utc(zone, utc_us);
            out = put_offset(out, dt_offset_patterns[s->width], s->text, offset);
            break;
        case DT_LOCAL_OFFSET:
            offset = nb_zone_offset_utc(zone, utc_us);
            out = put_local_offset(out, s->width, offset);
            break;
        case DT_OPTIONAL: break;
        }
    }
    return (size_t)(out - start);
}
