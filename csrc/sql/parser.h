/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parser.h: Spark SQL text to the same spark.connect messages that the DataFrame API builds.
 *
 * Everything that comes out lives in the arena, the text included where messages point into it: keep both until the plan is gone.
 * What each construct becomes is written in csrc/sql/README.md; names of our own that appear in messages are in sql/encoding.h.
 * Parsing resolves nothing: columns, functions, tables and types of expressions are the analyzer's business.
 *
 * Positions: every expression but literals carries common.origin.jvm_origin {line, start_position, start_index, stop_index} in characters;
 * sql_text stands only at the root of what a call returns (a copy per expression would square the size of a packed plan),
 * and holds for all below it until another sql_text.
 *
 * Deep nesting gives FAILED_TO_PARSE_TOO_COMPLEX: 384 KiB of stack are enough for any text. Long lists and chains of operators take
 * neither stack nor more than linear time.
 */
#ifndef NB_SQL_PARSER_H
#define NB_SQL_PARSER_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "spark/connect/expressions.pb-c.h"
#include "spark/connect/relations.pb-c.h"
#include "spark/connect/types.pb-c.h"
#include "sql/statement.h"

/* A value for :name; positional ones (?) are taken in order. The expressions are borrowed and may appear in the result. */
typedef struct nb_sql_argument {
    nb_str name;
    Sc__Expression *value;
} nb_sql_argument;

typedef struct nb_sql_options {
    const nb_sql_argument *named;
    size_t n_named;
    Sc__Expression *const *positional;
    size_t n_positional;
    /* The value of a constant text in IDENTIFIER(); NULL: only literals are taken. */
    nb_status (*fold_text)(void *payload, const Sc__Expression *e, nb_str *out, nb_error *err);
    void *payload;
    int64_t
        first_plan_id; /* subqueries get plan ids from here upwards; 0 = from 2^40, beyond what a client uses */
} nb_sql_options;

#define NB_SQL_OPTIONS_INIT ((nb_sql_options){0})

/* A query (SELECT, VALUES, TABLE, FROM …, WITH …) → relation. */
nb_status nb_sql_parse_query(nb_arena *arena, nb_str text, Sc__Relation **out, nb_error *err);
/* A query or a command; options may be NULL. */
nb_status nb_sql_parse_statement(nb_arena *arena, nb_str text, const nb_sql_options *options,
                                 nb_sql_statement *out, nb_error *err);
/* One expression with or without alias: `a + 1 as b`, `*`, `t.*`. */
nb_status
nb_sql_parse_expression(nb_arena *arena, nb_str text, Sc__Expression **out, nb_error *err);
/* `decimal(10,2)`, `array<struct<a:int>>`. */
nb_status nb_sql_parse_data_type(nb_arena *arena, nb_str text, Sc__DataType **out, nb_error *err);
/* `a INT NOT NULL COMMENT 'x', b STRING` → a struct type. A text that is a single type (`struct<a:int>`, `int`) is taken as well:
 * a type that is no struct becomes a struct with the one field "value", as in createDataFrame. */
nb_status
nb_sql_parse_table_schema(nb_arena *arena, nb_str text, Sc__DataType **out, nb_error *err);
/* `a.b.`c d`` → its parts, without quotes. */
nb_status nb_sql_parse_identifier(nb_arena *arena, nb_str text, nb_str **parts_out, size_t *n_out,
                                  nb_error *err);

#endif
