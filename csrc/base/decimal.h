/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decimal.h: fixed-point numbers as unscaled 128-bit integers: value = unscaled / 10^scale.
 *
 * Precision goes to 38 digits. Rounding is HALF_UP (away from zero at the half), as Spark rounds decimals. Functions that can
 * leave the range return false and leave *out alone; nothing here raises.
 */
#ifndef NB_BASE_DECIMAL_H
#define NB_BASE_DECIMAL_H

#include <stdbool.h>
#include "base/macros.h"
#include "base/str.h"

#define NB_DECIMAL_MAX_PRECISION 38
#define NB_DECIMAL_CHARS         64 /* room for any formatted value with its NUL */

/* 10^n for n in [0, 38] / [0, 18]. */
extern const nb_int128 nb_pow10_128[NB_DECIMAL_MAX_PRECISION + 1];
extern const int64_t nb_pow10_64[19];

/* |v| < 10^precision? */
NB_INLINE bool
nb_decimal_fits(nb_int128 v, int precision)
{
    return v < nb_pow10_128[precision] && v > -nb_pow10_128[precision];
}
/* Digits of |v|, at least 1. */
int nb_decimal_digits(nb_int128 v);

/* To another scale, rounding away digits that do not fit; false when the result has more than `precision` digits. */
bool nb_decimal_rescale(nb_int128 v, int from_scale, int to_scale, int precision, nb_int128 *out);
/* v / 10^n rounded HALF_UP; 0 <= n. */
nb_int128 nb_decimal_round_off(nb_int128 v, int n);
/* The same towards negative / positive infinity and towards zero. */
nb_int128 nb_decimal_floor_off(nb_int128 v, int n);
nb_int128 nb_decimal_ceil_off(nb_int128 v, int n);

/* a * b / 10^drop rounded, through 256 bits. */
bool nb_decimal_multiply(nb_int128 a, nb_int128 b, int drop, int precision, nb_int128 *out);
/* a * 10^shift / b rounded, through 256 bits; shift in [0, 76]. b != 0. */
bool nb_decimal_divide(nb_int128 a, nb_int128 b, int shift, int precision, nb_int128 *out);
/* a / 10^a_scale compared with b / 10^b_scale. <0, 0, >0. */
int nb_decimal_compare(nb_int128 a, int a_scale, nb_int128 b, int b_scale);

/* From text as java.math.BigDecimal reads it: sign, digits, point, exponent; nothing else, no spaces. */
typedef enum nb_decimal_parsed {
    NB_DECIMAL_OK,
    NB_DECIMAL_MALFORMED,
    NB_DECIMAL_OVERFLOW
} nb_decimal_parsed;
/* Rounded to the type; OVERFLOW when it has more digits before the point than the type. */
nb_decimal_parsed nb_decimal_parse(nb_str s, int precision, int scale, nb_int128 *out);
/* With the digits that it has (literals): 1.50 is 150, precision 3, scale 2. OVERFLOW beyond 38 digits. */
nb_decimal_parsed nb_decimal_parse_exact(nb_str s, nb_int128 *out, int *precision, int *scale);

/* Plain notation: "-0.00012". Returns the length; out has NB_DECIMAL_CHARS. */
size_t nb_decimal_format(nb_int128 v, int scale, char *out);
/* As BigDecimal.toString: with an exponent when scale < 0 or when it saves more than 6 zeros ("1E-7"). */
size_t nb_decimal_format_sci(nb_int128 v, int scale, char *out);

/* The nearest double. */
double nb_decimal_to_double(nb_int128 v, int scale);
/* From the shortest decimal text that reads back as d (as Java's BigDecimal.valueOf), rounded. False for NaN, infinities and
 * overflow. */
bool nb_decimal_from_double(double d, int precision, int scale, nb_int128 *out);

#endif
