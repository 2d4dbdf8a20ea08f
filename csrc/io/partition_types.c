/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partition_types.c: types of partition columns, by the texts in the names of directories.
 *
 * As Spark: the first that reads the text of int, bigint, decimal without a fraction, double (as Java's parseDouble), timestamp, date, string;
 * and what two such types have in common.
 */
#include <stdlib.h>

#include "base/decimal.h"
#include "expr/date_text.h"
#include "expr/registry.h"
#include "io/listing.h"

static bool
is_int_text(nb_str s)
{
    size_t i = s.len > 1 && (s.data[0] == '-' || s.data[0] == '+');

    for (; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
    }
    return s.len > 0;
}

/* [sign] digits [. digits] [e [sign] digits]; the digits before and behind the point, and the exponent. */
static bool
take_number(nb_str s, int *whole, int *fraction, int *exponent)
{
    size_t i = s.len > 0 && (s.data[0] == '-' || s.data[0] == '+');
    bool leading = true;
    int sign = 1;

    *whole = *fraction = *exponent = 0;
    for (; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++) {
        leading &= s.data[i] == '0';
        *whole += !leading;
    }
    size_t digits = i - (s.len > 0 && (s.data[0] == '-' || s.data[0] == '+'));
    if (i < s.len && s.data[i] == '.') {
        for (i++; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++) {
            (*fraction)++;
            digits++;
        }
    }
    if (digits == 0 || s.len > 1000) {
        return false;
    }
    if (i < s.len && (s.data[i] == 'e' || s.data[i] == 'E')) {
        size_t from = ++i;
        if (i < s.len && (s.data[i] == '-' || s.data[i] == '+')) {
            sign = s.data[i++] == '-' ? -1 : 1;
            from++;
        }
        for (; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++) {
            *exponent = NB_MIN(*exponent * 10 + (s.data[i] - '0'), 100000);
        }
        if (i == from) {
            return false;
        }
        *exponent *= sign;
    }
    return i == s.len;
}

/* A decimal whose text leaves no digit behind the point. */
static const nb_type *
whole_decimal(nb_str s)
{
    int whole, fraction, exponent, precision;

    if (!take_number(s, &whole, &fraction, &exponent) || exponent < fraction) {
        return NULL;
    }
    precision = whole + exponent; /* 1.5e3 has the digits of 1500 */
    return precision > NB_DECIMAL_MAX_PRECISION ? NULL : nb_type_decimal(NB_MAX(precision, 1), 0);
}

static bool
is_double_text(nb_str s)
{
    int whole, fraction, exponent;
    size_t sign;

    s = nb_str_trim(s);
    sign = s.len > 0 && (s.data[0] == '-' || s.data[0] == '+');
    if (nb_str_equal((nb_str){s.data + sign, s.len - sign}, NB_STR("NaN")) ||
        nb_str_equal((nb_str){s.data + sign, s.len - sign}, NB_STR("Infinity"))) {
        return true;
    }
    if (s.len > 0 && memchr("fFdD", s.data[s.len - 1], 4) != NULL) {
        s.len--;
    }
    return take_number(s, &whole, &fraction, &exponent);
}

/* yyyy-MM-dd of a day that there is */
static bool
is_date_text(nb_str s)
{
    int32_t days;

    return s.len == 10 && nb_parse_iso_date(s.data, s.len, &days);
}

/* yyyy-MM-dd HH:mm:ss with or without a fraction */
static bool
is_timestamp_text(nb_str s)
{
    static const char form[] = "dddd-dd-dd dd:dd:dd";
    size_t n = sizeof form - 1;

    if (s.len < n || s.len > n + 10 || (s.len > n && (s.data[n] != '.' || s.len == n + 1)) ||
        !is_date_text((nb_str){s.data, 10})) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        bool digit = s.data[i] >= '0' && s.data[i] <= '9';

        if (i < n ? (form[i] == 'd' ? !digit : s.data[i] != form[i]) : i > n && !digit) {
            return false;
        }
    }
    return atoi(s.data + 11) < 24 && atoi(s.data + 14) < 60 && atoi(s.data + 17) < 60;
}

static const nb_type *
type_of_text(nb_str s)
{
    const nb_type *decimal;
    int64_t number;

    if (is_int_text(s) && nb_str_to_int64(s, &number)) {
        return nb_type_of(number >= INT32_MIN && number <= INT32_MAX ? NB_TYPE_INT32
                                                                     : NB_TYPE_INT64);
    }
    decimal = whole_decimal(s);
    if (decimal != NULL) {
        return decimal;
    }
    return nb_type_of(is_double_text(s)      ? NB_TYPE_FLOAT64
                      : is_timestamp_text(s) ? NB_TYPE_TIMESTAMP
                      : is_date_text(s)      ? NB_TYPE_DATE
                                             : NB_TYPE_STRING);
}

/* Doubles are not mixed with what they could not hold exactly. */
static const nb_type *
common_type(const nb_type *a, const nb_type *b)
{
    const nb_type *other = a->id == NB_TYPE_FLOAT64 ? b : a, *t;

    if ((a->id == NB_TYPE_FLOAT64 || b->id == NB_TYPE_FLOAT64) &&
        (other->id == NB_TYPE_DECIMAL || other->id == NB_TYPE_INT64)) {
        return nb_type_of(NB_TYPE_STRING);
    }
    t = nb_coerce_common(a, b, false);
    return t ? t : nb_type_of(NB_TYPE_STRING);
}

const nb_type *
nb_partition_infer(const nb_file_list *list, int i)
{
    const nb_type *t = nb_type_of(NB_TYPE_NULL);

    for (int f = 0; f < list->n_files; f++) {
        nb_str v = list->files[f].partition[i];

        if (v.data != NULL) {
            t = common_type(t, type_of_text(v));
        }
    }
    return t;
}
