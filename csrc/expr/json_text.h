/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text.h: values of vectors as JSON text, for to_json and the JSON source.
 *
 * Numbers, NaN and infinities as Jackson and Spark write them; binaries in base 64; what has no form of its own in JSON as CAST to string.
 */
#ifndef NB_EXPR_JSON_TEXT_H
#define NB_EXPR_JSON_TEXT_H

#include "expr/datetime_format.h"
#include "expr/registry.h"

typedef struct nb_json_style {
    const nb_datetime_format *instant, *local; /* of TIMESTAMP and TIMESTAMP_NTZ */
    const nb_datetime_format *date;            /* NULL: as CAST */
    bool ignore_nulls;                         /* fields of structs that are null are left out */
    bool ascii_only;                           /* other characters are written as \uXXXX */
} nb_json_style;

typedef struct nb_json_put {
    nb_kernel_ctx *ctx; /* its arena is scratch */
    const nb_json_style *style;
    nb_zone_cursor zone; /* of TIMESTAMP */
    nb_strbuf *out;
} nb_json_put;

/* Adds one value to out (whose sticky `failed` says when memory ran out). */
nb_status nb_json_put_value(nb_json_put *job, const nb_vector *v, int64_t row);

#endif
