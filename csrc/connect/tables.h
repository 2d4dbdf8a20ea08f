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
/* Raises SCHEMA_NOT_FOUND for a name of another database than the one there is. */
nb_status nb_need_default_database(nb_query *q, const nb_str *parts, size_t n, nb_error *err);
/* A table's entry; raises TABLE_OR_VIEW_NOT_FOUND. */
nb_status
nb_table_need(nb_query *q, const nb_str *parts, size_t n, const nb_table_def **out, nb_error *err);

/* alter.c: ALTER TABLE, COMMENT ON TABLE, ANALYZE TABLE; SHOW TBLPROPERTIES as rows of two texts. */
nb_status nb_table_alter(nb_query *q, const nb_sql_statement *s, nb_error *err);
nb_status nb_table_properties(nb_query *q, const nb_sql_statement *s, nb_str **cells, int64_t *n,
                              nb_error *err);
/* The comment in a field's metadata; data NULL: none. */
nb_str nb_comment_of(nb_arena *arena, nb_str metadata);
/* <warehouse>/<name in lower case>; a name cannot lead out of the directory. */
nb_status nb_table_location(nb_query *q, nb_str name, nb_str *out, nb_error *err);

/* command.c: the plan's rows go to files; req has format, path, mode, options and partitioning. */
nb_status nb_query_write(nb_query *q, nb_plan *plan, nb_write_request *req, nb_error *err);

#endif
