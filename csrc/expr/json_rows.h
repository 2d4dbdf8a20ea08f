/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_rows.h: the texts of a column as indexed lines, for readers by layout.
 *
 *     nb_json_rows_new → nb_json_rows_line per row, in ascending order
 *
 * As many texts as fit are copied next to each other into a window, and indexed at once. All memory is from the arena.
 */
#ifndef NB_EXPR_JSON_ROWS_H
#define NB_EXPR_JSON_ROWS_H

#include "column/vector.h"
#include "expr/json_layout.h"

#define NB_JSON_ROWS_WORTH 16 /* so many rows at least are worth a layout */

typedef struct nb_json_rows {
    nb_json_index *index;
    nb_json_layout layout; /* of these rows */
    char *window;
    int64_t from, to; /* the rows in the window */
    bool whole;       /* each is a line of it */
    int64_t n;
    const nb_vector *texts;
} nb_json_rows;

/* For the n rows of texts, which is borrowed; null rows are empty lines. */
nb_status nb_json_rows_init(nb_json_rows *r, nb_arena *arena, const nb_vector *texts, int64_t n);
/* The text of row i as a line, until a row beyond the window is asked for. false: it is not one line, or too long for a window. */
bool nb_json_rows_line(nb_json_rows *r, int64_t i, nb_json_line *line);

#endif
