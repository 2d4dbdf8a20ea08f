/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number_format.c: numbers to text.
 *
 * Doubles: most have few decimals, and then v * 10^k is a small integer that divides back exactly: those digits are the shortest. The others try
 * 15 to 17 significant digits and take the first that reads back.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/decimal.h"
#include "expr/number_text.h"

static const char digit_pairs[] = "0001020304050607080910111213141516171819202122232425262728293031"
                                  "323334353637383940414243444546474849"
                                  "5051525354555657585960616263646566676869707172737475767778798081"
                                  "828384858687888990919293949596979899";

/* Writes the digits of v so that they end before `end`; returns where they begin. */
static char *
digits_before(char *end, uint64_t v)
{
    while (v >= 100) {
        end -= 2;
        memcpy(end, digit_pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (v >= 10) {
        end -= 2;
        memcpy(end, digit_pairs + 2 * v, 2);
    } else {
        *--end = (char)('0' + v);
    }
    return end;
}

int
nb_format_int64(char *out, int64_t v)
{
    char text[NB_INT64_TEXT + 1], *end = text + sizeof text;
    char *from = digits_before(end, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);

    if (v < 0) {
        *--from = '-';
    }
    memcpy(out, from, (size_t)(end - from));
    return (int)(end - from);
}

/* Lays out `n` significant digits of value 0.d1d2d3... * 10^point as Java does. */
static int
lay_out(char *out, bool negative, const char *digits, int n, int point)
{
    char *p = out;

    while (n > 1 && digits[n - 1] == '0') {
        n--;
    }
    if (negative) {
        *p++ = '-';
    }
    if (point > -3 && point <= 7) { /* 1e-3 <= v < 1e7 */
        if (point <= 0) {
            *p++ = '0';
            *p++ = '.';
            for (int i = point; i < 0; i++) {
                *p++ = '0';
            }
            memcpy(p, digits, (size_t)n);
            p += n;
        } else {
            for (int i = 0; i < point; i++) {
                *p++ = i < n ? digits[i] : '0';
            }
            *p++ = '.';
            if (n <= point) {
                *p++ = '0';
            } else {
                memcpy(p, digits + point, (size_t)(n - point));
                p += n - point;
            }
        }
    } else {
        *p++ = digits[0];
        *p++ = '.';
        if (n == 1) {
            *p++ = '0';
        } else {
            memcpy(p, digits + 1, (size_t)n - 1);
            p += n - 1;
        }
        *p++ = 'E';
        p += nb_format_int64(p, point - 1);
    }
    return (int)(p - out);
}

static int
copy_text(char *out, const char *text)
{
    size_t n = strlen(text);

    memcpy(out, text, n);
    return (int)n;
}

/* Splits printf's d.ddde±xx into digits and point. */
static int
split_scientific(const char *text, char *digits, int *point)
{
    int n = 0;

    for (; *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9') {
            digits[n++] = *text;
        }
    }
    *point = atoi(text + 1) + 1;
    return n;
}

static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* value / 10^drop to the nearest integer, ties to even; value = product / 2^shift. */
static uint64_t
rounded(nb_uint128 product, int shift, int drop)
{
    uint64_t whole = (uint64_t)(product >> shift), unit, q, r;
    nb_uint128 fraction = product & (((nb_uint128)1 << shift) - 1),
               half = (nb_uint128)1 << (shift - 1);
    bool up, tie;

    if (drop == 0) {
        up = fraction > half;
        tie = fraction == half;
        q = whole;
    } else {
        unit = (uint64_t)nb_pow10_64[drop];
        q = whole / unit;
        r = whole % unit;
        up = r > unit / 2 || (r == unit / 2 && fraction > 0);
        tie = r == unit / 2 && fraction == 0;
    }
    return q + (up || (tie && (q & 1)));
}

/* The shortest of 15, 16 or 17 digits for 1e-3 <= a < 1e15: a = *digits / 10^*scale. The product with a power of ten is exact in 128 bits. */
static void
shortest_15_17(double a, uint64_t *digits, int *scale)
{
    static const uint64_t e16 = 10000000000000000u, e17 = 100000000000000000u,
                          e19 = 10000000000000000000u;
    uint64_t bits, m, whole;
    nb_uint128 product;
    int shift, k;

    memcpy(&bits, &a, sizeof bits);
    m = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
    shift = 1075 - (int)(bits >> 52);
    k = NB_MIN(16 - (int)floor(log10(a)), 19);
    for (;;) { /* at most one step off */
        product = (nb_uint128)m * (k == 19 ? e19 : (uint64_t)nb_pow10_64[k]);
        whole = (uint64_t)(product >> shift);
        if (whole >= e17) {
            k--;
        } else if (whole < e16 && k < 19) {
            k++;
        } else {
            break;
        }
    }
    for (int drop = 2; drop >= 0; drop--) {
        *digits = rounded(product, shift, drop);
        *scale = k - drop;
        if (drop == 0 || nb_double_from_decimal(*digits, -*scale) == a) {
            break;
        }
    }
}

int
nb_format_double(char *out, double v)
{
    bool negative = signbit(v);
    double a = fabs(v);
    char digits[32], text[40];
    int n, point;

    if (isnan(v)) {
        return copy_text(out, "NaN");
    }
    if (isinf(v)) {
        return copy_text(out, negative ? "-Infinity" : "Infinity");
    }
    if (a == 0) {
        return copy_text(out, negative ? "-0.0" : "0.0");
    }
    if (a >= 1e-5 && a < 1e15) {
        for (int k = 0; k <= 15; k++) {
            double scaled = a * exact_powers[k];
            uint64_t m;
            char *from;

            if (scaled >= 4503599627370496.0) {
                break;
            }
            m = (uint64_t)(scaled + 0.5);
            if (m > 0 && (double)m / exact_powers[k] == a) {
                from = digits_before(digits + sizeof digits, m);
                n = (int)(digits + sizeof digits - from);
                return lay_out(out, negative, from, n, n - k);
            }
        }
    }
    if (a >= 1e-3 && a < 1e15) {
        uint64_t shortest;
        char *from;

        shortest_15_17(a, &shortest, &point);
        from = digits_before(digits + sizeof digits, shortest);
        n = (int)(digits + sizeof digits - from);
        return lay_out(out, negative, from, n, n - point);
    }
    for (int precision = a < 2.3e-308 ? 1 : 14; precision <= 16;
         precision++) { /* subnormals have fewer */
        snprintf(text, sizeof text, "%.*e", precision, a);
        if (precision == 16 || strtod(text, NULL) == a) {
            break;
        }
    }
    n = split_scientific(text, digits, &point);
    return lay_out(out, negative, digits, n, point);
}

int
nb_format_float(char *out, float v)
{
    bool negative = signbit(v);
    float a = fabsf(v);
    char digits[32], text[40];
    int n, point;

    if (isnan(v)) {
        return copy_text(out, "NaN");
    }
    if (isinf(v)) {
        return copy_text(out, negative ? "-Infinity" : "Infinity");
    }
    if (a == 0) {
        return copy_text(out, negative ? "-0.0" : "0.0");
    }
    if (a < 1e7f && a == (float)(int32_t)a) {
        char *from = digits_before(digits + sizeof digits, (uint64_t)(int32_t)a);

        n = (int)(digits + sizeof digits - from);
        return lay_out(out, negative, from, n, n);
    }
    for (int precision = a < 1.2e-38f ? 1 : 5; precision <= 8; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, (double)a);
        if (precision == 8 || strtof(text, NULL) == a) {
            break;
        }
    }
    n = split_scientific(text, digits, &point);
    return lay_out(out, negative, digits, n, point);
}
