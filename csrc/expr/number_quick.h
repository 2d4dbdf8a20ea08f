/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number_quick.h: short numbers from text without a loop over their digits; for readers of files. What is not plain is for number_text.h.
 *
 * Measured on lineitem: eight digits by three multiplications take about a third of the time of a loop over the digits, and most numbers in files are that
 * short. Doubles with up to 15 digits and a small exponent are one exact multiplication or division (Clinger).
 */
#ifndef NB_EXPR_NUMBER_QUICK_H
#define NB_EXPR_NUMBER_QUICK_H

#include <stdbool.h>
#include <string.h>
#include "base/decimal.h"
#include "base/macros.h"

/* 10^0 to 10^22: those that a double has exactly. */
static const double NB_POW10_DOUBLE[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                         1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                         1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Eight bytes, the first one lowest. */
NB_INLINE uint64_t
nb_load8(const char *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* 1..8 digits at p (8 bytes readable); false when one is not a digit. */
NB_INLINE bool
nb_digits8(const char *p, size_t n, uint64_t *out)
{
    unsigned shift = 64 - 8 * (unsigned)n;
    uint64_t v = nb_load8(p) << shift | (0x3030303030303030u & (((uint64_t)1 << shift) - 1));

    if (((v & 0xF0F0F0F0F0F0F0F0u) | ((v + 0x0606060606060606u) & 0xF0F0F0F0F0F0F0F0u) >> 4) !=
        0x3333333333333333u) {
        return false;
    }
    v = (v & 0x0F0F0F0F0F0F0F0Fu) * 2561 >> 8;
    v = (v & 0x00FF00FF00FF00FFu) * 6553601 >> 16;
    *out = (v & 0x0000FFFF0000FFFFu) * 42949672960001u >> 32;
    return true;
}

/* 1..18 digits. */
NB_INLINE bool
nb_digits18(const char *p, size_t n, uint64_t *out)
{
    uint64_t hi, lo;

    if (NB_LIKELY(n <= 8)) {
        return nb_digits8(p, n, out);
    }
    if (n <= 16) {
        if (!nb_digits8(p, n - 8, &hi) || !nb_digits8(p + n - 8, 8, &lo)) {
            return false;
        }
        *out = hi * 100000000 + lo;
        return true;
    }
    if (!nb_digits8(p, n - 16, &hi) || !nb_digits8(p + n - 16, 8, &lo)) {
        return false;
    }
    hi = hi * 100000000 + lo;
    if (!nb_digits8(p + n - 8, 8, &lo)) {
        return false;
    }
    *out = hi * 100000000 + lo;
    return true;
}

/* digits [. digits], without sign and exponent; at most 18 digits; the point is at p[point], or point is n. value = *mantissa / 10^*scale. */
NB_INLINE bool
nb_decimal_at(const char *p, size_t n, size_t point, uint64_t *mantissa, unsigned *scale)
{
    size_t frac = point < n ? n - point - 1 : 0;
    uint64_t a = 0, b = 0;

    if (point + frac == 0 || point + frac > 18) {
        return false;
    }
    if ((point && !nb_digits18(p, point, &a)) || (frac && !nb_digits18(p + point + 1, frac, &b))) {
        return false;
    }
    *mantissa = a * (uint64_t)nb_pow10_64[frac] + b;
    *scale = (unsigned)frac;
    return true;
}

/* The same, where the point is still to be found. */
NB_INLINE bool
nb_plain_decimal(const char *p, size_t n, uint64_t *mantissa, unsigned *scale)
{
    /* Money has two digits behind the point. */
    const char *at = n >= 3 && p[n - 3] == '.' ? p + n - 3 : memchr(p, '.', n);

    return nb_decimal_at(p, n, at ? (size_t)(at - p) : n, mantissa, scale);
}

/* A high bit for each of eight bytes that is no digit. */
NB_INLINE uint64_t
nb_not_digits(uint64_t w)
{
    w ^= 0x3030303030303030u;
    return (((w & 0x7F7F7F7F7F7F7F7Fu) + 0x7676767676767676u) | w) & 0x8080808080808080u;
}

/* Are these 1..16 bytes (16 readable) digits, or digits with a point between them? *point is where, or n. */
NB_INLINE bool
nb_is_plain_number(const char *p, size_t n, size_t *point)
{
    uint64_t a = nb_not_digits(nb_load8(p)), b = 0;
    size_t at;

    if (n <= 8) {
        a &= ~(uint64_t)0 >> (64 - 8 * n);
    } else {
        b = nb_not_digits(nb_load8(p + 8)) & ~(uint64_t)0 >> (128 - 8 * n);
    }
    *point = n;
    if ((a | b) == 0) {
        return true;
    }
    at = (size_t)(a ? __builtin_ctzll(a) : 64 + __builtin_ctzll(b)) / 8;
    *point = at;
    return ((a & (a - 1)) | (b & (b - 1))) == 0 && (a == 0 || b == 0) && p[at] == '.' && at > 0 &&
           at < n - 1;
}

/* mantissa / 10^scale where that is one exact operation. */
NB_INLINE bool
nb_exact_double(uint64_t mantissa, unsigned scale, bool negative, double *out)
{
    double v = (double)mantissa / NB_POW10_DOUBLE[scale];

    *out = negative ? -v : v;
    return mantissa <= (uint64_t)1 << 53;
}

#endif
