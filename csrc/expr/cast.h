/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cast.h: CAST in its three modes, split by target into cast_*.c.
 *
 *   NB_CAST_ANSI    what does not fit or parse raises CAST_OVERFLOW, CAST_INVALID_INPUT, NUMERIC_VALUE_OUT_OF_RANGE
 *   NB_CAST_LEGACY  numbers wrap around as in Java, what does not parse is null
 *   NB_CAST_TRY     what ANSI would raise on is null
 *
 * Which pairs of types may be cast at all is in coerce.c.
 */
#ifndef NB_EXPR_CAST_H
#define NB_EXPR_CAST_H

#include "expr/registry.h"

/* Can the ANSI cast raise for some value? */
bool nb_cast_can_fail(const nb_type *from, const nb_type *to);
/* Can the cast make null of a value that is not (in legacy or try mode)? */
bool nb_cast_may_null(const nb_type *from, const nb_type *to, nb_cast_mode mode);

/* The loops: v is FLAT, out is FLAT with room for n rows; its validity is a copy of v's, NULL when v has none. Rows that become null go
 * through nb_cast_null and the like. */
typedef struct nb_cast_job {
    nb_kernel_ctx *ctx;
    const nb_vector *v;
    const nb_type *from, *to; /* of UDTs the storage */
    nb_cast_mode mode;
    int64_t n;
    nb_vector *out;
} nb_cast_job;

nb_status nb_cast_to_bool(nb_cast_job *job);
nb_status nb_cast_to_number(nb_cast_job *job); /* integers, floats */
nb_status nb_cast_to_decimal(nb_cast_job *job);
nb_status nb_cast_to_string(nb_cast_job *job); /* also CHAR, VARCHAR */
nb_status nb_cast_to_binary(nb_cast_job *job);
nb_status nb_cast_to_datetime(nb_cast_job *job); /* DATE, TIMESTAMP, TIMESTAMP_NTZ, TIME */
nb_status nb_cast_to_interval(nb_cast_job *job);
nb_status nb_cast_to_nested(nb_cast_job *job); /* ARRAY, MAP, STRUCT */

/* Raises CAST_INVALID_INPUT for the string at row i (ANSI), or clears the row's validity (else); returns NB_ERROR or NB_OK. */
nb_status nb_cast_invalid(nb_cast_job *job, int64_t i);
/* Raises CAST_OVERFLOW for row i (ANSI), or clears the row (try, and legacy where Spark gives null). */
nb_status nb_cast_overflow(nb_cast_job *job, int64_t i);
nb_status nb_cast_raise_overflow(nb_cast_job *job, int64_t i); /* in any mode */

/* Raises NUMERIC_VALUE_OUT_OF_RANGE with the value as text (ANSI), or clears the row. */
nb_status nb_cast_out_of_range(nb_cast_job *job, int64_t i, const char *value);
/* Makes row i null. */
nb_status nb_cast_null(nb_cast_job *job, int64_t i);

/* A value as a SQL literal in messages: 'abc', 12L, 1.5D, 300BD; into the arena, "" when out of memory. */
const char *nb_sql_value(nb_arena *arena, const nb_vector *v, int64_t row);
/* "\"BIGINT\"" */
const char *nb_type_quoted(nb_arena *arena, const nb_type *t);

/* How values are spelled inside strings. */
typedef enum nb_text_style {
    NB_TEXT_CAST,   /* CAST(x AS STRING): [1, null], {a -> 1} */
    NB_TEXT_PRETTY, /* show(): NULL, binary as [61 62] */
} nb_text_style;
/* Appends row `row` of v (any kind); info gives the zone of timestamps and may be NULL, which means UTC. */
void nb_format_value(nb_strbuf *out, const nb_session_info *info, const nb_vector *v, int64_t row,
                     nb_text_style style);

#endif
