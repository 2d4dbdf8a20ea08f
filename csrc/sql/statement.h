/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.h: what a SQL text asks for: a query, or one of the commands.
 *
 * Names are multi-part (catalog, namespace, object), without quotes. All strings and arrays live in the parser's arena.
 */
#ifndef NB_SQL_STATEMENT_H
#define NB_SQL_STATEMENT_H

#include "base/str.h"
#include "spark/connect/relations.pb-c.h"
#include "spark/connect/types.pb-c.h"

typedef enum nb_sql_kind {
    NB_SQL_QUERY, /* query */
    NB_SQL_SET, /* SET key = value; value.data NULL: SET key; key.data NULL too: SET; verbose: SET -v */
    NB_SQL_RESET,         /* RESET [key] */
    NB_SQL_SET_TIME_ZONE, /* value: the zone, or NULL data for LOCAL */
    NB_SQL_CREATE_VIEW, /* name, columns, comment, query, or_replace, if_not_exists, temporary, global */
    NB_SQL_CREATE_VIEW_USING, /* name, schema, provider, options, or_replace, global */
    NB_SQL_DROP_VIEW,         /* name, if_exists */
    NB_SQL_DROP_TABLE,        /* name, if_exists, purge */
    NB_SQL_CREATE_TABLE, /* name, schema, provider, options, properties, partitioning, location, comment, query */
    NB_SQL_CREATE_TABLE_LIKE, /* name, columns (the other's name), provider, properties, location */
    NB_SQL_INSERT, /* inner: one more of the same FROM; name, columns, query, overwrite, by_name, partitioning with arguments */
    NB_SQL_INSERT_DIRECTORY,   /* location, provider, options, query */
    NB_SQL_TRUNCATE_TABLE,     /* name, partitioning with arguments */
    NB_SQL_SHOW_TABLES,        /* namespace (name), pattern */
    NB_SQL_SHOW_VIEWS,         /* namespace (name), pattern */
    NB_SQL_SHOW_COLUMNS,       /* name */
    NB_SQL_SHOW_DATABASES,     /* pattern */
    NB_SQL_SHOW_CATALOGS,      /* pattern */
    NB_SQL_SHOW_FUNCTIONS,     /* pattern; value: USER, SYSTEM, ALL */
    NB_SQL_SHOW_CREATE_TABLE,  /* name */
    NB_SQL_SHOW_CURRENT,       /* SHOW CURRENT DATABASE */
    NB_SQL_SHOW_PARTITIONS,    /* name, partitioning with arguments */
    NB_SQL_SHOW_TBLPROPERTIES, /* name, key */
    NB_SQL_DESCRIBE_TABLE,     /* name, extended, columns (DESCRIBE t col) */
    NB_SQL_DESCRIBE_QUERY,     /* query */
    NB_SQL_DESCRIBE_FUNCTION,  /* name, extended */
    NB_SQL_DESCRIBE_DATABASE,  /* name, extended */
    NB_SQL_EXPLAIN,       /* value: "", EXTENDED, FORMATTED, COST, CODEGEN; inner: the statement */
    NB_SQL_CACHE_TABLE,   /* name, lazy, options, query (CACHE TABLE t AS …) */
    NB_SQL_UNCACHE_TABLE, /* name, if_exists */
    NB_SQL_CLEAR_CACHE,
    NB_SQL_REFRESH_TABLE,     /* name */
    NB_SQL_USE,               /* name */
    NB_SQL_CREATE_DATABASE,   /* name, if_not_exists, comment, location, properties */
    NB_SQL_DROP_DATABASE,     /* name, if_exists, cascade */
    NB_SQL_ALTER_DATABASE,    /* name; properties, location or comment; overwrite: properties go */
    NB_SQL_ALTER_RENAME,      /* name, columns (the new name), global: it is a view */
    NB_SQL_ALTER_VIEW_AS,     /* name, query */
    NB_SQL_ALTER_ADD_COLUMNS, /* name, schema */
    NB_SQL_ALTER_COLUMN, /* name, columns (old name, new name), schema (the type), value (metadata) */
    NB_SQL_ALTER_PROPERTIES, /* name, properties, overwrite: they go, global: of a view */
    NB_SQL_ADD_PARTITION,    /* name, partitioning with arguments, inner: one more; if_not_exists */
    NB_SQL_DROP_PARTITION,   /* the same; if_exists */
    NB_SQL_ALTER_REFUSED,    /* name, value: what Spark's file tables do not support */
    NB_SQL_COMMENT_ON_TABLE, /* name, comment */
    NB_SQL_ANALYZE,          /* name (none: all tables), columns */
    NB_SQL_REFRESH_PATH,     /* value */
    NB_SQL_DECLARE_VARIABLE, /* columns (names), schema (the type), query (one row), or_replace */
    NB_SQL_SET_VARIABLE,  /* columns, query (one row), column_comments: data where DEFAULT stands */
    NB_SQL_DROP_VARIABLE, /* columns, if_exists */
    NB_SQL_EXECUTE_IMMEDIATE, /* query (one row: the text), columns (INTO), arguments (USING) */
    NB_SQL_OTHER, /* a command that Spark's grammar has and ours does not read; value: its first words */
} nb_sql_kind;

typedef struct nb_sql_name {
    nb_str *parts;
    size_t n;
} nb_sql_name;

typedef struct nb_sql_property {
    nb_str key, value;
} nb_sql_property;

typedef struct nb_sql_statement nb_sql_statement;
struct nb_sql_statement {
    nb_sql_kind kind;
    Sc__Relation *query;
    nb_sql_statement *inner;
    nb_sql_name name;
    nb_str key, value, pattern, location, comment, provider; /* data NULL = not given */
    nb_sql_name columns; /* names of columns; of a partitioning in CREATE TABLE: see partitioning */
    nb_sql_name column_comments; /* beside columns of CREATE VIEW; data NULL = none */
    nb_sql_name partitioning;
    nb_str schema_text;   /* the columns of CREATE VIEW … USING as they are written */
    Sc__DataType *schema; /* a struct */
    nb_sql_property *options, *properties;
    size_t n_options, n_properties;
    Sc__Expression **arguments;
    size_t n_arguments;
    bool or_replace, if_not_exists, if_exists, temporary, global, lazy, extended, overwrite,
        by_name, purge, cascade, verbose;
};

#endif
