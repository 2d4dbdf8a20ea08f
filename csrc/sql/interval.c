/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interval.c: INTERVAL literals.
 *
 *     INTERVAL 1 YEAR 2 MONTHS            values with units: numbers or strings with a number, signs allowed
 *     INTERVAL '1-2' YEAR TO MONTH        from one unit to another
 *     INTERVAL '1 day 2 hours'            both inside a string
 *
 * The type spans the units that were named: INTERVAL DAY TO HOUR for days and hours. Months and years do not mix with the rest.
 */
#include "sql/parse_state.h"

enum { F_YEAR = 0, F_MONTH = 1 };                           /* YearMonthIntervalType's fields */
enum { F_DAY = 0, F_HOUR = 1, F_MINUTE = 2, F_SECOND = 3 }; /* DayTimeIntervalType's */

#define MICROS_PER_SECOND INT64_C(1000000)

typedef struct unit_info {
    const char *name;
    bool year_month;
    int field;
    int64_t factor; /* months, or nanoseconds */
} unit_info;

static const unit_info units[] = {
    {"year", true, F_YEAR, 12},
    {"month", true, F_MONTH, 1},
    {"week", false, F_DAY, INT64_C(7) * 86400 * 1000000000},
    {"day", false, F_DAY, INT64_C(86400) * 1000000000},
    {"hour", false, F_HOUR, INT64_C(3600) * 1000000000},
    {"minute", false, F_MINUTE, INT64_C(60) * 1000000000},
    {"second", false, F_SECOND, INT64_C(1000000000)},
    {"millisecond", false, F_SECOND, INT64_C(1000000)},
    {"microsecond", false, F_SECOND, INT64_C(1000)},
    {"nanosecond", false, F_SECOND, INT64_C(1)},
};

/* The unit that a word names, with or without the plural s. */
static const unit_info *
find_unit(nb_str word)
{
    if (word.len > 1 && (word.data[word.len - 1] == 's' || word.data[word.len - 1] == 'S')) {
        word.len--;
    }
    for (size_t i = 0; i < NB_COUNT_OF(units); i++) {
        if (nb_str_equal_nocase(word, nb_str_of(units[i].name))) {
            return &units[i];
        }
    }
    return NULL;
}

typedef struct interval_sum {
    __int128 months, nanos;
    bool year_month, day_time; /* seen */
    int low, high;             /* fields seen */
} interval_sum;

static bool
is_value(const nb_token *t)
{
    return t->kind == NB_T_INTEGER || t->kind == NB_T_DECIMAL || t->kind == NB_T_STRING;
}

bool
nb_sql_at_interval(const nb_sql_parser *p)
{
    const nb_token *t = nb_sql_ahead(p, 1);
    size_t n = 1;

    if (t->kind == NB_T_STRING) {
        return true;
    }
    if (t->kind == NB_T_PLUS || t->kind == NB_T_MINUS) {
        t = nb_sql_ahead(p, ++n);
        return is_value(t) && nb_sql_ahead(p, n + 1)->kind == NB_T_WORD &&
               find_unit(nb_sql_token_text(p, nb_sql_ahead(p, n + 1)));
    }
    return is_value(t) && nb_sql_ahead(p, n + 1)->kind == NB_T_WORD;
}

static nb_status
invalid(nb_sql_parser *p, size_t start, nb_str input, const char *why)
{
    char *text = nb_arena_printf(p->arena, "'%.*s'", (int)input.len, input.data);

    NB_SQL_NEED(text);
    nb_raise(p->later, NB_COND_INVALID_INTERVAL_FORMAT, "input", text, "reason", why, NULL);
    return nb_sql_error_here(p, start);
}

/* [+-]digits[.digits] → whole part and nanoseconds of the fraction; more than 9 digits of fraction are refused. */
static bool
read_number(nb_str s, int64_t *whole, int64_t *nanos, bool *fraction)
{
    size_t i = 0, digits = 0, n = 0;
    bool negative = false;

    *whole = *nanos = 0;
    *fraction = false;
    s = nb_str_trim(s);
    if (i < s.len && (s.data[i] == '-' || s.data[i] == '+')) {
        negative = s.data[i++] == '-';
    }
    for (; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++, digits++) {
        if (__builtin_mul_overflow(*whole, 10, whole) ||
            __builtin_sub_overflow(*whole, s.data[i] - '0',
                                   whole)) { /* kept negative: reaches one further */
            return false;
        }
    }
    if (i < s.len && s.data[i] == '.') {
        *fraction = true;
        for (i++; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++, n++) {
            if (n >= 9) {
                return false;
            }
            *nanos = *nanos * 10 + (s.data[i] - '0');
        }
        for (size_t k = n; k < 9; k++) {
            *nanos *= 10;
        }
    }
    if (i != s.len || digits + n == 0) {
        return false;
    }
    if (!negative) {
        if (*whole == INT64_MIN) {
            return false;
        }
        *whole = -*whole;
    } else {
        *nanos = -*nanos;
    }
    return true;
}

static void
see_field(interval_sum *sum, const unit_info *u)
{
    if (!sum->year_month && !sum->day_time) {
        sum->low = sum->high = u->field;
    }
    sum->low = NB_MIN(sum->low, u->field);
    sum->high = NB_MAX(sum->high, u->field);
    sum->year_month |= u->year_month;
    sum->day_time |= !u->year_month;
}

static nb_status
add_value(nb_sql_parser *p, size_t start, nb_str text, const unit_info *u, bool negated,
          interval_sum *sum)
{
    int64_t whole, nanos;
    bool fraction;

    if (!read_number(text, &whole, &nanos, &fraction)) {
        return invalid(p, start, text, "a number is expected in front of a unit");
    }
    if (fraction && !(u->field == F_SECOND && !u->year_month && u->factor == INT64_C(1000000000))) {
        return invalid(p, start, text, "only seconds can have a fraction");
    }
    see_field(sum, u);
    if (u->year_month) {
        sum->months += (__int128)(negated ? -1 : 1) * whole * u->factor;
    } else {
        sum->nanos += (negated ? -1 : 1) * ((__int128)whole * u->factor + nanos);
    }
    return NB_OK;
}

static nb_status
make_literal(nb_sql_parser *p, size_t start, const interval_sum *sum, nb_str input,
             Sc__Expression **out)
{
    Sc__Expression__Literal *l = nb_sql_literal(p, out);
    Sc__DataType *type = NB_SQL_NEW(p, Sc__DataType, SC__DATA_TYPE__INIT);

    NB_SQL_NEED(l);
    NB_SQL_NEED(type);
    if (sum->year_month && sum->day_time) {
        return invalid(p, start, input, "year-month and day-time fields cannot be mixed");
    }
    if (sum->year_month) {
        Sc__DataType__YearMonthInterval *ym = NB_SQL_NEW(p, Sc__DataType__YearMonthInterval,
                                                         SC__DATA_TYPE__YEAR_MONTH_INTERVAL__INIT);
        NB_SQL_NEED(ym);
        if (sum->months > INT32_MAX || sum->months < INT32_MIN) {
            return invalid(p, start, input, "it is out of range");
        }
        ym->has_start_field = ym->has_end_field = true;
        ym->start_field = sum->low;
        ym->end_field = sum->high;
        type->kind_case = SC__DATA_TYPE__KIND_YEAR_MONTH_INTERVAL;
        type->year_month_interval = ym;
        l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_YEAR_MONTH_INTERVAL;
        l->year_month_interval = (int32_t)sum->months;
    } else {
        Sc__DataType__DayTimeInterval *dt =
            NB_SQL_NEW(p, Sc__DataType__DayTimeInterval, SC__DATA_TYPE__DAY_TIME_INTERVAL__INIT);
        __int128 micros = sum->nanos / 1000;
        NB_SQL_NEED(dt);
        if (micros > INT64_MAX || micros < INT64_MIN) {
            return invalid(p, start, input, "it is out of range");
        }
        dt->has_start_field = dt->has_end_field = true;
        dt->start_field = sum->low;
        dt->end_field = sum->high;
        type->kind_case = SC__DATA_TYPE__KIND_DAY_TIME_INTERVAL;
        type->day_time_interval = dt;
        l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_DAY_TIME_INTERVAL;
        l->day_time_interval = (int64_t)micros;
    }
    l->data_type = type;
    return NB_OK;
}

static nb_status
invalid_text(nb_sql_parser *p, size_t start, nb_str value)
{
    char *quoted = nb_arena_printf(p->arena, "'%.*s'", (int)value.len, value.data);

    NB_SQL_NEED(quoted);
    nb_raise(p->later, NB_COND_INVALID_TYPED_LITERAL, "valueType", "\"INTERVAL\"", "value", quoted,
             NULL);
    return nb_sql_error_here(p, start);
}

/* '1 day 2 hours', perhaps with "interval" in front */
static nb_status
parse_text(nb_sql_parser *p, size_t start, nb_str text, Sc__Expression **out)
{
    interval_sum sum = {0};
    nb_str s = nb_str_trim(text), number = {NULL, 0};
    bool negated = false;

    while (s.len) {
        size_t n = 0;
        nb_str word;
        while (n < s.len && !(s.data[n] == ' ' || (s.data[n] >= '\t' && s.data[n] <= '\r'))) {
            n++;
        }
        word = (nb_str){s.data, n};
        s = nb_str_trim((nb_str){s.data + n, s.len - n});
        if (!number.data && (nb_str_equal(word, NB_STR("-")) || nb_str_equal(word, NB_STR("+")))) {
            negated = word.data[0] == '-';
            continue;
        }
        if (!number.data) {
            if (!sum.year_month && !sum.day_time && nb_str_equal_nocase(word, NB_STR("interval"))) {
                continue;
            }
            number = word;
        } else {
            const unit_info *u = find_unit(word);
            if (!u || u->factor == 1 * (int64_t)(u->field == F_SECOND && !u->year_month)) {
                return invalid_text(p, start, text);
            }
            NB_TRY(add_value(p, start, number, u, negated, &sum));
            number = (nb_str){NULL, 0};
            negated = false;
        }
    }
    if (number.data || (!sum.year_month && !sum.day_time)) {
        return invalid_text(p, start, text);
    }
    return make_literal(p, start, &sum, text, out);
}

/* The number at *at of s, up to a character that is no digit. */
static bool
read_part(nb_str s, size_t *at, int64_t max, int64_t *out)
{
    size_t from = *at;

    for (*out = 0; *at < s.len && s.data[*at] >= '0' && s.data[*at] <= '9'; (*at)++) {
        if (*out > (INT64_MAX - 9) / 10) {
            return false;
        }
        *out = *out * 10 + (s.data[*at] - '0');
    }
    return *at > from && *out <= max;
}

/* 'value' FROM TO to, by fields */
static nb_status
from_to(nb_sql_parser *p, size_t start, nb_str text, bool negated, const unit_info *from,
        const unit_info *to, Sc__Expression **out)
{
    nb_str s = nb_str_trim(text);
    interval_sum sum = {0};
    size_t at = 0;
    int64_t v;
    bool ok = true;

    if (from->year_month != to->year_month || from->field >= to->field ||
        from->factor == INT64_C(7) * 86400 * 1000000000) {
        nb_raise(p->later, NB_COND_INVALID_INTERVAL_FORMAT, "input", "''", "reason",
                 "such units do not span an interval", NULL);
        return nb_sql_error_here(p, start);
    }
    if (s.len && (s.data[0] == '-' || s.data[0] == '+')) {
        negated ^= s.data[at++] == '-';
    }
    see_field(&sum, from);
    see_field(&sum, to);
    if (from->year_month) {
        ok = read_part(s, &at, INT32_MAX, &v);
        sum.months = ok ? (__int128)v * 12 : 0;
        ok = ok && at < s.len && s.data[at++] == '-' && read_part(s, &at, 11, &v) && at == s.len;
        sum.months += ok ? v : 0;
        sum.months = negated ? -sum.months : sum.months;
    } else {
        static const int64_t factor[] = {INT64_C(86400), INT64_C(3600), INT64_C(60), 1};
        static const int64_t limit[] = {INT64_MAX, 23, 59, 59};
        for (int f = from->field; ok && f <= to->field; f++) {
            if (f > from->field) {
                char separator = f == F_HOUR ? ' ' : ':';
                ok = at < s.len && s.data[at] == separator;
                at += ok;
            }
            ok = ok && read_part(s, &at, f == from->field ? INT64_MAX / 1000000 : limit[f], &v);
            sum.nanos += ok ? (__int128)v * factor[f] * 1000000000 : 0;
        }
        if (ok && to->field == F_SECOND && at < s.len && s.data[at] == '.') {
            int64_t nanos = 0;
            int n = 0;
            for (at++; at < s.len && s.data[at] >= '0' && s.data[at] <= '9' && n < 9; at++, n++) {
                nanos = nanos * 10 + (s.data[at] - '0');
            }
            for (; n < 9; n++) {
                nanos *= 10;
            }
            sum.nanos += nanos;
        }
        ok = ok && at == s.len;
        sum.nanos = negated ? -sum.nanos : sum.nanos;
    }
    if (!ok) {
        return invalid(p, start, text, "it does not fit the units");
    }
    return make_literal(p, start, &sum, text, out);
}

static nb_status
parse_interval(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos;
    interval_sum sum = {0};
    nb_str first = {NULL, 0};

    nb_sql_skip(p);
    if (nb_sql_is(p, NB_T_STRING)) {
        size_t n = 1; /* strings side by side are one */
        const nb_token *unit;
        while (nb_sql_ahead(p, n)->kind == NB_T_STRING) {
            n++;
        }
        unit = nb_sql_ahead(p, n);
        if (unit->kind != NB_T_WORD || !find_unit(nb_sql_token_text(p, unit))) {
            if (n > 1) { /* joined only in front of a unit */
                p->pos += n;
                return nb_sql_syntax_error(p);
            }
            NB_TRY(nb_sql_parse_string(p, &first));
            return parse_text(p, start, first, out);
        }
    }
    for (size_t n = 0;; n++) {
        bool negated = false;
        const unit_info *u;
        nb_str text;
        size_t at = p->pos;

        if (n > 0 && !(is_value(nb_sql_cur(p)) ||
                       ((nb_sql_is(p, NB_T_PLUS) || nb_sql_is(p, NB_T_MINUS)) &&
                        is_value(nb_sql_ahead(p, 1)) && nb_sql_ahead(p, 2)->kind == NB_T_WORD &&
                        find_unit(nb_sql_token_text(p, nb_sql_ahead(p, 2)))))) {
            break;
        }
        if (nb_sql_is(p, NB_T_PLUS) || nb_sql_is(p, NB_T_MINUS)) {
            negated = nb_sql_is(p, NB_T_MINUS);
            nb_sql_skip(p);
        }
        text = nb_sql_token_text(p, nb_sql_cur(p));
        if (nb_sql_is(p, NB_T_STRING)) {
            NB_TRY(nb_sql_parse_string(p, &text));
        } else {
            nb_sql_skip(p);
        }
        u = nb_sql_is(p, NB_T_WORD) ? find_unit(nb_sql_token_text(p, nb_sql_cur(p))) : NULL;
        if (!u) {
            return nb_sql_syntax_error(p);
        }
        nb_sql_skip(p);
        if (n == 0 && nb_sql_is_kw(p, NB_KW_TO) && nb_sql_ahead(p, 1)->kind == NB_T_WORD) {
            const unit_info *to = find_unit(nb_sql_token_text(p, nb_sql_ahead(p, 1)));
            if (to) {
                nb_sql_skip(p);
                nb_sql_skip(p);
                return from_to(p, start, text, negated, u, to, out);
            }
        }
        NB_TRY(add_value(p, at, text, u, negated, &sum));
        first = text;
    }
    return make_literal(p, start, &sum, first, out);
}

nb_status
nb_sql_parse_interval(nb_sql_parser *p, Sc__Expression **out)
{
    *out = NULL;
    NB_TRY(parse_interval(p, out));
    if (!*out) { /* invalid: p->later says why */
        *out = nb_sql_null(p);
        NB_SQL_NEED(*out);
    }
    return NB_OK;
}
