/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_columns_internal.h: what json_columns.c, which reads any value, and json_columns_line.c, which reads lines that look like those before,
 * know of each other.
 */
#ifndef NB_EXPR_JSON_COLUMNS_INTERNAL_H
#define NB_EXPR_JSON_COLUMNS_INTERNAL_H

#include "expr/json_columns.h"
#include "expr/kernels/string.h"

typedef struct nb_json_known_name {
    nb_str name;
    int field;  /* n_children: nobody wants it */
    bool plain; /* nb_json_name_is can find it */
} nb_json_known_name;

/* A column under construction. */
typedef struct nb_json_column {
    const nb_type *type;
    int64_t n, cap;
    int width, first_rows; /* first_rows: room when the first row comes */
    char *data;            /* aligned as vectors are */
    uint8_t *valid;        /* a byte per row */
    struct nb_json_column *children;
    int n_children;
    nb_json_known_name *names; /* of a struct: those of the record before, in its order */
    int n_names;
} nb_json_column;

struct nb_json_columns {
    nb_kernel_ctx *ctx;
    const nb_json_reading *how;
    nb_text_writer w;
    nb_strbuf name, text;
    nb_json_column root;
    bool malformed; /* this text is no JSON */
    bool misfit;    /* a value is not of its type */
    bool
        failed; /* the last value was not: the array or map that it is in is null then, too, a struct is not */
    bool nomem;
};

/* Makes room for more rows; false: out of memory, which is noted. */
bool nb_json_column_grow(nb_json_columns *r, nb_json_column *c);
void nb_json_column_add_null(nb_json_columns *r, nb_json_column *c);
/* Cuts the column back to n rows: what a malformed text had added. */
void nb_json_column_cut(nb_json_column *c, int64_t n);
/* The value at the cursor as a row of the column. */
void nb_json_column_read(nb_json_columns *r, nb_json *j, nb_json_column *c);

#endif
