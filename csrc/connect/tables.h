/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tables.h: commands about tables of the session's catalog: CREATE TABLE, INSERT, DROP, saveAsTable, insertInto.
 *
 * A managed table is a directory below spark.sql.warehouse.dir; LOCATION makes it an external one. Rows are files of its provider, written by the commit
 * protocol of io/write.h. The catalog itself lives as long as the session.
 */
#ifndef NB_CONNECT_TABLES_H
#define NB_CONNECT_TABLES_H

#include "connect/query.h"
#include "sql/statement.h"

/* CREATE TABLE [AS], INSERT, INSERT DIRECTORY, DROP TABLE, TRUNCATE TABLE. */
nb_status nb_table_statement(nb_query *q, const nb_sql_statement *s, nb_error *err);
/* df.write.saveAsTable and insertInto. */
nb_status nb_table_save(nb_query *q, const Sc__WriteOperation *w, nb_error *err);
/* The statement that makes the table, for SHOW CREATE TABLE. */
nb_status nb_table_ddl(nb_query *q, const nb_sql_name *name, nb_strbuf *out, nb_error *err);
/* The object that parts name, in a database that is there; raises SCHEMA_NOT_FOUND. */
nb_status
nb_object_need(nb_query *q, const nb_str *parts, size_t n, nb_object_name *out, nb_error *err);
/* `spark_catalog`.`d`.`t` */
const char *nb_full_name(nb_query *q, nb_object_name name);
/* [`system`.`builtin`, `system`.`session`, `spark_catalog`.`d`]; those before `from` are left out. */
const char *nb_search_path(nb_query *q, int from);
/* There is no such table or view, in the only place where a statement looks. */
nb_status nb_raise_not_in_database(nb_query *q, nb_object_name name, nb_error *err);
/* A table's entry; raises TABLE_OR_VIEW_NOT_FOUND. */
nb_status
nb_table_need(nb_query *q, const nb_str *parts, size_t n, const nb_table_def **out, nb_error *err);

/* alter.c: ALTER TABLE, COMMENT ON TABLE, ANALYZE TABLE; SHOW TBLPROPERTIES as rows of two texts. */
nb_status nb_table_alter(nb_query *q, const nb_sql_statement *s, nb_error *err);
/* Key, value, key, value …: the old ones with the statement's, or without them where it is UNSET. */
nb_status nb_merge_properties(nb_query *q, const nb_str *old, int n_old, const nb_sql_statement *s,
                              nb_str **out, int *n_out);
nb_status nb_table_properties(nb_query *q, const nb_sql_statement *s, nb_str **cells, int64_t *n,
                              nb_error *err);
/* The comment in a field's metadata; data NULL: none. */
nb_str nb_comment_of(nb_arena *arena, nb_str metadata);
/* <directory of the database>/<name in lower case>; a name cannot lead out of the directory. */
nb_status nb_table_location(nb_query *q, nb_object_name name, nb_str *out, nb_error *err);
/* Takes the table out of the catalog, and its files with it if they are its own. */
nb_status nb_table_drop(nb_query *q, const nb_table_def *t, nb_error *err);

/* databases.c: CREATE, DROP, ALTER, DESCRIBE and USE DATABASE, SHOW DATABASES; *out stays NULL where nothing is shown. */
nb_status
nb_database_statement(nb_query *q, const nb_sql_statement *s, nb_table **out, nb_error *err);
/* One by name (perhaps with its catalog); raises SCHEMA_NOT_FOUND. */
nb_status nb_database_need(nb_query *q, const nb_str *parts, size_t n, const nb_database_def **out,
                           nb_error *err);
/* Its directory; the warehouse when it has none of its own. */
nb_status nb_database_location(nb_query *q, const nb_database_def *d, nb_str *out);
/* The plain absolute path of a LOCATION that a user wrote: a relative one is below base. Raises for another file system and what is not allowed. */
nb_status nb_given_location(nb_query *q, nb_str path, nb_str base, nb_str *out, nb_error *err);
/* Those that are there and whose name fits the pattern, by name. */
nb_status nb_database_list(nb_query *q, nb_str pattern, const nb_database_def ***out, int *n);

/* command.c: a read of what the name names */
nb_status nb_named_relation(nb_query *q, const nb_sql_name *name, Sc__Relation **out);
/* The plan's rows go to files; req has format, path, mode, options and partitioning. */
nb_status nb_query_write(nb_query *q, nb_plan *plan, nb_write_request *req, nb_error *err);

#endif
