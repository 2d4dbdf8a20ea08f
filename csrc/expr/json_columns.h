/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_columns.h: JSON texts as rows of typed columns, for from_json and the JSON source.
 *
 *     nb_json_columns_new → nb_json_columns_add | _add_line | _add_null per row → nb_json_columns_finish (always: it frees)
 *
 * Values are read straight into growing columns, no tree is built. As in Spark's permissive mode a value that does not fit its type is null, an array or map with
 * such an element is null, and the rest of the record stays (MISFIT); a text that is no JSON, or none of the type's kind, gives a struct of nulls, or null for arrays and
 * maps (MALFORMED). What follows the first value of a text is not looked at. Field names are compared exactly; of repeated names the last one
 * counts. Memory from the context's arena, but for two small buffers.
 */
#ifndef NB_EXPR_JSON_COLUMNS_H
#define NB_EXPR_JSON_COLUMNS_H

#include "expr/datetime_format.h"
#include "expr/json_layout.h"
#include "expr/registry.h"

typedef struct nb_json_reading {
    unsigned rules; /* of nb_json_rule */
    int max_depth;  /* 0: NB_JSON_DEPTH */
    bool
        exact_text; /* an object or array that is wanted as string keeps its text (else: without white space) */
    bool text_stays; /* texts live as long as the columns: strings may point into them */
    const nb_datetime_format *date, *timestamp, *timestamp_ntz; /* NULL: as CAST */
    const nb_zone *zone;     /* of timestamp's texts; NULL: UTC */
    const nb_locale *locale; /* of decimals that are texts; NULL: en-US */
} nb_json_reading;

typedef enum nb_json_fit { NB_JSON_FITS, NB_JSON_MISFIT, NB_JSON_MALFORMED } nb_json_fit;

typedef struct nb_json_columns nb_json_columns;

/* Rows of type, about n_rows; ctx and how are borrowed until finish. */
nb_status nb_json_columns_new(nb_kernel_ctx *ctx, const nb_type *type, const nb_json_reading *how,
                              int64_t n_rows, nb_json_columns **out);
int64_t nb_json_columns_rows(const nb_json_columns *c);
void nb_json_columns_add_null(nb_json_columns *c);
/* The value at j, which is moved behind it. */
nb_json_fit nb_json_columns_add(nb_json_columns *c, nb_json *j);
/* The record of an indexed line of valid UTF-8, for a struct, if it is written as those before were; false: it is not, and nothing was added: take
 * nb_json_columns_add. One layout is for one type. */
bool nb_json_columns_add_line(nb_json_columns *c, nb_json_layout *layout, const nb_json_line *line,
                              nb_json_fit *fit);
/* NB_NOMEM also when an add ran out of memory. */
nb_status nb_json_columns_finish(nb_json_columns *c, nb_vector *out);

#endif
