/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number_parse.c: text to numbers.
 *
 * Doubles: up to 19 digits and a power of ten up to 19 are decided in 128-bit integers with a sticky bit, which the compiler's conversion
 * rounds correctly; the rest goes to strtod with the C locale's point (the process's locale may have another).
 */
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/ascii.h"
#include "base/decimal.h"
#include "expr/number_text.h"

/* String.trim of Java: everything up to the space. */
static nb_str
trim_java(const char *p, size_t n)
{
    while (n > 0 && (unsigned char)*p <= ' ') {
        p++;
        n--;
    }
    while (n > 0 && (unsigned char)p[n - 1] <= ' ') {
        n--;
    }
    return (nb_str){p, n};
}

nb_parsed
nb_parse_int64(const char *p, size_t n, bool allow_fraction, int64_t *out)
{
    const char *end = p + n;
    bool negative = false, overflow = false;
    uint64_t v = 0, limit;

    if (p < end && (*p == '-' || *p == '+')) {
        negative = *p == '-';
        p++;
    }
    if (p == end) {
        return NB_PARSED_MALFORMED;
    }
    limit = (uint64_t)INT64_MAX + negative;
    if (allow_fraction && *p == '.' && p + 1 == end) {
        return NB_PARSED_MALFORMED;
    }
    for (; p < end && nb_is_digit(*p); p++) {
        uint64_t d = (uint64_t)(*p - '0');

        if (v > (limit - d) / 10) {
            overflow = true;
        }
        v = v * 10 + d;
    }
    if (p < end && allow_fraction && *p == '.') {
        for (p++; p < end && nb_is_digit(*p); p++) {
        }
    }
    if (p < end) {
        return NB_PARSED_MALFORMED;
    }
    if (overflow) {
        return NB_PARSED_OVERFLOW;
    }
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return NB_PARSED_OK;
}

/* ---- doubles ------------------------------------------------------------------------------------------------------------------------- */

static bool
special_value(nb_str s, double *out)
{
    static const struct {
        const char *name;
        double value;
    } names[] = {
        {"inf", INFINITY},      {"+inf", INFINITY},      {"-inf", -INFINITY},
        {"infinity", INFINITY}, {"+infinity", INFINITY}, {"-infinity", -INFINITY},
        {"nan", NAN},
    };

    for (size_t i = 0; i < NB_COUNT_OF(names); i++) {
        if (nb_str_equal_nocase(s, nb_str_of(names[i].name))) {
            *out = names[i].value;
            return true;
        }
    }
    if (nb_str_equal(s, NB_STR("+NaN")) || nb_str_equal(s, NB_STR("-NaN"))) {
        *out = NAN;
        return true;
    }
    return false;
}

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void
make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* The text is known to be a number. */
static bool
slow_double(nb_str s, double *out)
{
    char small[256];
    nb_strbuf large = {0};
    char *text = small;

    pthread_once(&c_locale_once, make_c_locale);
    if (s.len < sizeof small) {
        memcpy(small, s.data, s.len);
        small[s.len] = '\0';
    } else {
        nb_strbuf_add(&large, s);
        if (large.failed) {
            nb_strbuf_free(&large);
            return false;
        }
        text = large.data;
    }
    *out = strtod_l(text, NULL, c_locale);
    nb_strbuf_free(&large);
    return true;
}

static float
slow_float(nb_str s)
{
    char small[256];

    pthread_once(&c_locale_once, make_c_locale);
    if (s.len >= sizeof small) {
        double d = 0;

        return slow_double(s, &d) ? (float)d : 0;
    }
    memcpy(small, s.data, s.len);
    small[s.len] = '\0';
    return strtof_l(small, NULL, c_locale);
}

typedef struct decimal_text {
    bool negative;
    bool exact; /* mantissa holds all digits */
    uint64_t mantissa;
    int exponent;      /* of ten */
    size_t number_len; /* without suffix */
} decimal_text;

/* sign digits [. digits] [e sign digits] [dDfF]; false when it is something else. */
static bool
scan_number(nb_str s, decimal_text *out)
{
    const char *p = s.data, *end = s.data + s.len;
    int n_digits = 0, dropped = 0, exponent = 0, n_seen = 0;
    uint64_t m = 0;

    out->negative = false;
    if (p < end && (*p == '-' || *p == '+')) {
        out->negative = *p++ == '-';
    }
    for (; p < end && nb_is_digit(*p); p++) {
        n_seen++;
        if (n_digits < 19) {
            m = m * 10 + (uint64_t)(*p - '0');
            n_digits += m != 0;
        } else {
            dropped |= *p != '0';
            exponent++;
        }
    }
    if (p < end && *p == '.') {
        for (p++; p < end && nb_is_digit(*p); p++) {
            n_seen++;
            if (n_digits < 19) {
                m = m * 10 + (uint64_t)(*p - '0');
                n_digits += m != 0;
                exponent--;
            } else {
                dropped |= *p != '0';
            }
        }
    }
    if (n_seen == 0) {
        return false;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool negative = false;
        int x = 0;

        p++;
        if (p < end && (*p == '-' || *p == '+')) {
            negative = *p++ == '-';
        }
        if (p == end || !nb_is_digit(*p)) {
            return false;
        }
        for (; p < end && nb_is_digit(*p); p++) {
            x = x < 100000 ? x * 10 + (*p - '0') : x;
        }
        exponent += negative ? -x : x;
    }
    out->number_len = (size_t)(p - s.data);
    if (p < end && (*p == 'd' || *p == 'D' || *p == 'f' || *p == 'F')) {
        p++;
    }
    out->mantissa = m;
    out->exponent = exponent;
    out->exact = !dropped;
    return p == end;
}

double
nb_double_from_decimal(uint64_t m, int exponent)
{
    static const uint64_t powers[] = {1,
                                      10,
                                      100,
                                      1000,
                                      10000,
                                      100000,
                                      1000000,
                                      10000000,
                                      100000000,
                                      1000000000,
                                      10000000000u,
                                      100000000000u,
                                      1000000000000u,
                                      10000000000000u,
                                      100000000000000u,
                                      1000000000000000u,
                                      10000000000000000u,
                                      100000000000000000u,
                                      1000000000000000000u,
                                      10000000000000000000u};
    nb_uint128 num, q;
    int shift;

    if (exponent >= 0) {
        return (double)((nb_uint128)m * powers[exponent]);
    }
    if (m < ((uint64_t)1 << 53)) { /* two exact doubles, one rounding */
        return (double)m / (double)powers[-exponent];
    }
    shift = __builtin_clzll(m);
    num = (nb_uint128)(m << shift) << 64;
    q = num / powers[-exponent];
    q |= q * powers[-exponent] != num;
    return ldexp((double)q, -64 - shift);
}

bool
nb_parse_double(const char *p, size_t n, double *out)
{
    nb_str s = trim_java(p, n);
    decimal_text t;
    double v;

    if (!scan_number(s, &t)) {
        return special_value(s, out);
    }
    if (t.mantissa == 0 && t.exact) {
        v = 0;
    } else if (t.exact && t.exponent >= -19 && t.exponent <= 19) {
        v = nb_double_from_decimal(t.mantissa, t.exponent);
    } else {
        return slow_double((nb_str){s.data, t.number_len}, out);
    }
    *out = t.negative ? -v : v;
    return true;
}

bool
nb_parse_float(const char *p, size_t n, float *out)
{
    nb_str s = trim_java(p, n);
    decimal_text t;
    double d;

    if (!scan_number(s, &t)) {
        if (!special_value(s, &d)) {
            return false;
        }
        *out = (float)d;
        return true;
    }
    /* Two exact floats give one rounding; through a double there would be two. */
    if (t.exact && t.mantissa < (1 << 24) && t.exponent >= -10 && t.exponent <= 10) {
        float v = (float)t.mantissa,
              power = (float)nb_pow10_64[t.exponent < 0 ? -t.exponent : t.exponent];

        v = t.exponent < 0 ? v / power : v * power;
        *out = t.negative ? -v : v;
        return true;
    }
    *out = slow_float((nb_str){s.data, t.number_len});
    return true;
}
