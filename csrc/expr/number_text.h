/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number_text.h: numbers to text and back, by Spark's (that is, Java's) rules. Shared by casts, CSV, JSON and show().
 *
 * Formatters write without a terminating NUL and return the length. Parsers take the whole text; white space around is theirs to skip only
 * where said.
 */
#ifndef NB_EXPR_NUMBER_TEXT_H
#define NB_EXPR_NUMBER_TEXT_H

#include <stdbool.h>
#include "base/str.h"

#define NB_INT64_TEXT  20
#define NB_DOUBLE_TEXT 26

int nb_format_int64(char *out, int64_t v);
/* Java's Double.toString: the shortest digits that read back as v; plain from 1e-3 up to 1e7, else "1.0E10". */
int nb_format_double(char *out, double v);
int nb_format_float(char *out, float v);
typedef enum nb_parsed {
    NB_PARSED_OK,
    NB_PARSED_MALFORMED,
    NB_PARSED_OVERFLOW, /* well-formed, but too large for the type */
} nb_parsed;

/* [sign] digits. allow_fraction: "12.75" gives 12, as the legacy cast. No white space. */
nb_parsed nb_parse_int64(const char *p, size_t n, bool allow_fraction, int64_t *out);
/* m * 10^exponent, correctly rounded; -19 <= exponent <= 19. */
double nb_double_from_decimal(uint64_t m, int exponent);
/* Decimal notation with optional exponent and Java's d/f suffix, NaN, Infinity, and (any case) inf, +inf, -inf, infinity, nan. White space
 * around is skipped. Correctly rounded. */
bool nb_parse_double(const char *p, size_t n, double *out);
bool nb_parse_float(const char *p, size_t n, float *out);
#endif
