/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number_pattern.h: numbers as text and back by patterns such as S$9,999.00 (to_char, to_number).
 *
 *     [MI|S] [$] (0|9|G|,)* [.|D] (0|9)* [$] [MI|S|PR]        in any case
 *
 * A run of digits that begins with 0 stands for exactly so many digits, one that begins with 9 for at most so many. Written, missing digits of the
 * latter are spaces, and a sign moves to the right of them; a number that has more digits than the pattern is shown as #.
 */
#ifndef NB_EXPR_NUMBER_PATTERN_H
#define NB_EXPR_NUMBER_PATTERN_H

#include "base/arena.h"
#include "base/decimal.h"
#include "base/error.h"
#include "base/str.h"

typedef struct nb_number_pattern nb_number_pattern;

/* Reads a pattern; the result lives in the arena and is read-only. Raises INVALID_FORMAT.* for what Spark refuses. */
nb_status
nb_number_pattern_new(nb_arena *arena, nb_str text, const nb_number_pattern **out, nb_error *err);
/* The pattern in upper case, as messages show it. */
nb_str nb_number_pattern_text(const nb_number_pattern *p);
/* Digits on both sides of the point, and behind it. */
int64_t nb_number_pattern_precision(const nb_number_pattern *p);
int64_t nb_number_pattern_scale(const nb_number_pattern *p);
/* Appends x / 10^scale. */
void nb_number_pattern_write(const nb_number_pattern *p, nb_int128 x, int scale, nb_strbuf *out);

typedef enum nb_number_read {
    NB_NUMBER_OK,
    NB_NUMBER_MISMATCH,     /* the text does not fit the pattern */
    NB_NUMBER_OUT_OF_RANGE, /* it fits, but has more whole digits than the pattern: 12 by .99 */
} nb_number_read;

/* The number that s means times 10^(scale of the pattern), which has at most 38 digits. */
nb_number_read nb_number_pattern_read(const nb_number_pattern *p, nb_str s, nb_int128 *out);

#endif
