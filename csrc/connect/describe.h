/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe.h: what the statements SHOW TABLES, VIEWS and FUNCTIONS, and DESCRIBE, answer: rows of texts, with Spark's names of columns.
 */
#ifndef NB_CONNECT_DESCRIBE_H
#define NB_CONNECT_DESCRIBE_H

#include "connect/query.h"
#include "sql/parser.h"

/* `c` of `a.b.c`. */
nb_str nb_sql_name_last(const nb_sql_name *name);
/* Does a name fit one of Spark's patterns: `*` is any text, `|` an alternative, letters of either case? A pattern without data fits all. */
bool nb_name_fits(nb_arena *arena, nb_str pattern, nb_str name);
/* A column of every step-th cell; cells without data are null. The texts are copied. */
nb_status
nb_vector_of_texts(nb_arena *arena, const nb_str *cells, int step, int64_t n, nb_vector *out);
/* At most 8 columns; cells row by row, copied; without data: null. */
nb_status nb_table_of_texts(nb_pool *pool, const char *const *names, int n_cols,
                            const nb_str *cells, int64_t n_rows, nb_table **out);

/* Raises SCHEMA_NOT_FOUND. */
nb_status nb_show_tables(nb_query *q, const nb_sql_statement *s, bool only_views, nb_table **out,
                         nb_error *err);
nb_status nb_show_functions(nb_query *q, const nb_sql_statement *s, nb_table **out);
nb_status
nb_describe_function(nb_query *q, const nb_sql_statement *s, nb_table **out, nb_error *err);
/* The columns of rel. name: whose it is, if a table or view; may be NULL. */
nb_status nb_describe_rows(nb_query *q, const Sc__Relation *rel, const nb_sql_name *name,
                           bool extended, nb_table **out, nb_error *err);

#endif
