/* SPDX-License-Identifier: Apache-2.0 */
/*
 * typed_literal.c: DATE '…', TIMESTAMP '…', TIMESTAMP_NTZ '…', TIMESTAMP_LTZ '…', TIME '…', X '…'.
 *
 * What depends on the session's time zone or on now is left to the analyzer as an internal function (see encoding.h).
 */
#include "sql/parse_state.h"

#include "base/ascii.h"
#include "expr/date_text.h"

#define MICROS_PER_SECOND INT64_C(1000000)
#define MICROS_PER_DAY    (INT64_C(86400) * MICROS_PER_SECOND)

/* Between min and max digits at s[*at]; false when there are fewer or more. */
static bool
read_digits(nb_str s, size_t *at, int min, int max, int64_t *out)
{
    int n = 0;

    for (*out = 0; *at < s.len && s.data[*at] >= '0' && s.data[*at] <= '9'; (*at)++) {
        if (++n > max) {
            return false;
        }
        *out = *out * 10 + (s.data[*at] - '0');
    }
    return n >= min;
}

/* [+-]yyyy[-[m]m[-[d]d]]; *at is left behind it. */
static bool
read_date(nb_str s, size_t *at, int64_t *days, bool *whole)
{
    int64_t y, m = 1, d = 1;
    bool negative = false;

    *whole = false;
    if (*at < s.len && (s.data[*at] == '-' || s.data[*at] == '+')) {
        negative = s.data[*at] == '-';
        (*at)++;
    }
    if (!read_digits(s, at, 4, 7, &y)) {
        return false;
    }
    if (*at < s.len && s.data[*at] == '-') {
        (*at)++;
        if (!read_digits(s, at, 1, 2, &m)) {
            return false;
        }
        if (*at < s.len && s.data[*at] == '-') {
            (*at)++;
            if (!read_digits(s, at, 1, 2, &d)) {
                return false;
            }
            *whole = true;
        }
    }
    y = negative ? -y : y;
    if (m < 1 || m > 12 || d < 1 || d > nb_days_in_month(y, (int)m)) {
        return false;
    }
    *days = nb_days_from_any_civil(y, (int)m, (int)d);
    return *days >= INT32_MIN && *days <= INT32_MAX;
}

/* [h]h:[m]m[:[s]s[.fraction]]; nanoseconds of the day. */
static bool
read_time(nb_str s, size_t *at, int64_t *nanos)
{
    int64_t h, m = 0, sec = 0, fraction = 0;
    int n = 0;

    if (!read_digits(s, at, 1, 2, &h) || h > 23 || *at >= s.len || s.data[*at] != ':') {
        return false;
    }
    (*at)++;
    if (!read_digits(s, at, 1, 2, &m) || m > 59) {
        return false;
    }
    if (*at < s.len && s.data[*at] == ':') {
        (*at)++;
        if (!read_digits(s, at, 1, 2, &sec) || sec > 59) {
            return false;
        }
        if (*at < s.len && s.data[*at] == '.') {
            for ((*at)++; *at < s.len && s.data[*at] >= '0' && s.data[*at] <= '9'; (*at)++) {
                if (n < 9) {
                    fraction = fraction * 10 + (s.data[*at] - '0');
                    n++;
                }
            }
        }
    }
    for (; n < 9; n++) {
        fraction *= 10;
    }
    *nanos = ((h * 60 + m) * 60 + sec) * INT64_C(1000000000) + fraction;
    return true;
}

/* Z, UTC, GMT, UT, ±h, ±hh:mm[:ss], with an optional prefix UTC/GMT/UT; seconds east of Greenwich. */
static bool
read_offset(nb_str zone, int64_t *seconds)
{
    static const char *const names[] = {"UTC", "GMT", "UT", "Z"};
    size_t at = 0;
    int64_t h, m = 0, s = 0;
    bool negative;

    for (size_t i = 0; i < NB_COUNT_OF(names); i++) {
        size_t n = strlen(names[i]);
        if (zone.len >= n && nb_str_equal((nb_str){zone.data, n}, nb_str_of(names[i]))) {
            if (zone.len == n) {
                *seconds = 0;
                return true;
            }
            at = names[i][0] == 'Z' ? 0 : n;
            break;
        }
    }
    if (at >= zone.len || (zone.data[at] != '+' && zone.data[at] != '-')) {
        return false;
    }
    negative = zone.data[at++] == '-';
    if (!read_digits(zone, &at, 1, 2, &h)) {
        return false;
    }
    if (at < zone.len && zone.data[at] == ':') {
        at++;
        if (!read_digits(zone, &at, 1, 2, &m)) {
            return false;
        }
        if (at < zone.len && zone.data[at] == ':') {
            at++;
            if (!read_digits(zone, &at, 1, 2, &s)) {
                return false;
            }
        }
    }
    if (at != zone.len || h > 18 || m > 59 || s > 59 || (h == 18 && (m || s))) {
        return false;
    }
    *seconds = (h * 60 + m) * 60 + s;
    *seconds = negative ? -*seconds : *seconds;
    return true;
}

/* Area/City, or a name of letters. */
static bool
is_region(nb_str zone)
{
    for (size_t i = 0; i < zone.len; i++) {
        char c = zone.data[i];
        if (!nb_is_letter(c) && (i == 0 || !(nb_is_digit(c) || c == '/' || c == '_' || c == '+' ||
                                             c == '-' || c == '~'))) {
            return false;
        }
    }
    return zone.len > 1;
}

static bool
is_special(nb_str s)
{
    static const char *const words[] = {"now", "today", "tomorrow", "yesterday", "epoch"};

    for (size_t i = 0; i < NB_COUNT_OF(words); i++) {
        if (nb_str_equal_nocase(s, nb_str_of(words[i]))) {
            return true;
        }
    }
    return false;
}

static nb_status
special(nb_sql_parser *p, size_t start, const char *type, nb_str word, Sc__Expression **out)
{
    nb_ptrs args = {0};

    NB_TRY(nb_ptrs_push(p, &args, nb_sql_string(p, nb_str_of(type))));
    NB_TRY(nb_ptrs_push(p, &args, nb_sql_string(p, word)));
    *out = nb_sql_internal(p, start, NB_SQL_FN_SPECIAL_TIME, &args);
    NB_SQL_NEED(*out);
    return NB_OK;
}

static nb_status
invalid(nb_sql_parser *p, size_t start, const char *type, nb_str value)
{
    char *quoted = nb_arena_printf(p->arena, "'%.*s'", (int)value.len, value.data);
    char *name = nb_arena_printf(p->arena, "\"%s\"", type);

    NB_SQL_NEED(quoted);
    NB_SQL_NEED(name);
    nb_raise(p->later, NB_COND_INVALID_TYPED_LITERAL, "valueType", name, "value", quoted, NULL);
    return nb_sql_error_here(p, start);
}

static nb_status
date_literal(nb_sql_parser *p, size_t start, nb_str value, Sc__Expression **out)
{
    nb_str s = nb_str_trim(value);
    Sc__Expression__Literal *l;
    size_t at = 0;
    int64_t days;
    bool whole;

    if (is_special(s)) {
        return special(p, start, "DATE", s, out);
    }
    if (!read_date(s, &at, &days, &whole) ||
        (at < s.len && !(whole && (s.data[at] == ' ' || s.data[at] == 'T')))) {
        return invalid(p, start, "DATE", value);
    }
    l = nb_sql_literal(p, out);
    NB_SQL_NEED(l);
    l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_DATE;
    l->date = (int32_t)days;
    return NB_OK;
}

static nb_status
timestamp_literal(nb_sql_parser *p, size_t start, const char *type, bool ntz, nb_str value,
                  Sc__Expression **out)
{
    nb_str s = nb_str_trim(value), zone = {NULL, 0};
    Sc__Expression__Literal *l;
    Sc__Expression *local;
    nb_ptrs args = {0};
    size_t at = 0;
    int64_t days, nanos = 0, micros, offset = 0;
    bool whole;
    __int128 wide;

    if (is_special(s)) {
        return special(p, start, type, s, out);
    }
    if (!read_date(s, &at, &days, &whole)) {
        return invalid(p, start, type, value);
    }
    if (at < s.len) {
        if (!whole || (s.data[at] != ' ' && s.data[at] != 'T')) {
            return invalid(p, start, type, value);
        }
        at++;
        if (at < s.len && !read_time(s, &at, &nanos)) {
            return invalid(p, start, type, value);
        }
        zone = nb_str_trim((nb_str){s.data + at, s.len - at});
    }
    wide = (__int128)days * MICROS_PER_DAY + nanos / 1000;
    if (zone.len && !read_offset(zone, &offset)) {
        if (!is_region(zone)) {
            return invalid(p, start, type, value);
        }
    } else if (!ntz) {
        wide -= (__int128)offset * MICROS_PER_SECOND;
    }
    if (wide > INT64_MAX || wide < INT64_MIN) {
        return invalid(p, start, type, value);
    }
    micros = (int64_t)wide;
    l = nb_sql_literal(p, &local);
    NB_SQL_NEED(l);
    if (!ntz && zone.len && read_offset(zone, &offset)) {
        l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_TIMESTAMP;
        l->timestamp = micros;
        *out = local;
        return NB_OK;
    }
    l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_TIMESTAMP_NTZ;
    l->timestamp_ntz = micros;
    if (ntz) {
        *out = local;
        return NB_OK;
    }
    NB_TRY(nb_ptrs_push(p, &args, local));
    if (zone.len) {
        NB_TRY(nb_ptrs_push(p, &args, nb_sql_string(p, zone)));
    }
    *out = nb_sql_internal(p, start, NB_SQL_FN_TIMESTAMP, &args);
    NB_SQL_NEED(*out);
    return NB_OK;
}

static nb_status
time_literal(nb_sql_parser *p, size_t start, nb_str value, Sc__Expression **out)
{
    nb_str s = nb_str_trim(value);
    Sc__Expression__Literal *l;
    Sc__Expression__Literal__Time *t =
        NB_SQL_NEW(p, Sc__Expression__Literal__Time, SC__EXPRESSION__LITERAL__TIME__INIT);
    size_t at = 0;
    int64_t nanos;

    NB_SQL_NEED(t);
    if (!read_time(s, &at, &nanos) || at != s.len) {
        return invalid(p, start, "TIME", value);
    }
    t->has_nano = t->has_precision = true;
    t->nano = nanos / 1000 * 1000;
    t->precision = 6;
    l = nb_sql_literal(p, out);
    NB_SQL_NEED(l);
    l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_TIME;
    l->time = t;
    return NB_OK;
}

static nb_status
hex_literal(nb_sql_parser *p, size_t start, nb_str value, Sc__Expression **out)
{
    size_t n = (value.len + 1) / 2;
    uint8_t *bytes = nb_arena_zalloc(p->arena, n + 1);
    Sc__Expression__Literal *l;

    NB_SQL_NEED(bytes);
    for (size_t i = 0; i < value.len; i++) {
        int d = nb_hex_digit(value.data[value.len - 1 - i]);
        if (d < 0) {
            return invalid(p, start, "X", value);
        }
        bytes[n - 1 - i / 2] |= (uint8_t)(i % 2 ? d << 4 : d);
    }
    l = nb_sql_literal(p, out);
    NB_SQL_NEED(l);
    l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_BINARY;
    l->binary = (ProtobufCBinaryData){n, bytes};
    return NB_OK;
}

static nb_status
parse_typed_literal(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    const nb_token *t = nb_sql_cur(p);
    nb_str value, word = nb_sql_token_text(p, t);
    nb_keyword kw = t->kind == NB_T_WORD ? (nb_keyword)t->kw : NB_NOT_KEYWORD;
    char *name;

    nb_sql_skip(p);
    NB_TRY(nb_sql_unquote_string(p, nb_sql_cur(p), &value)); /* one: a second is not joined */
    nb_sql_skip(p);
    switch (kw) {
    case NB_KW_DATE: return date_literal(p, start, value, out);
    case NB_KW_TIMESTAMP: return timestamp_literal(p, start, "TIMESTAMP", false, value, out);
    case NB_KW_TIMESTAMP_LTZ:
        return timestamp_literal(p, start, "TIMESTAMP_LTZ", false, value, out);
    case NB_KW_TIMESTAMP_NTZ: return timestamp_literal(p, start, "TIMESTAMP_NTZ", true, value, out);
    case NB_KW_TIME: return time_literal(p, start, value, out);
    case NB_KW_X: return hex_literal(p, start, value, out);
    default: break;
    }
    name = nb_arena_printf(p->arena, "\"%.*s\"", (int)word.len, word.data);
    NB_SQL_NEED(name);
    for (char *c = name; *c; c++) {
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    }
    nb_raise(p->later, NB_COND_UNSUPPORTED_TYPED_LITERAL, "unsupportedType", name, "supportedTypes",
             "\"DATE\", \"TIMESTAMP_NTZ\", \"TIMESTAMP_LTZ\", \"TIMESTAMP\", \"INTERVAL\", \"X\", "
             "\"TIME\"",
             NULL);
    return nb_sql_error_here(p, start);
}

nb_status
nb_sql_parse_typed_literal(nb_sql_parser *p, Sc__Expression **out)
{
    *out = NULL;
    NB_TRY(parse_typed_literal(p, out));
    if (!*out) { /* invalid: p->later says why */
        *out = nb_sql_null(p);
        NB_SQL_NEED(*out);
    }
    return NB_OK;
}
