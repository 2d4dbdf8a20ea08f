/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partitions.h: PARTITION (…) in statements about tables.
 */
#ifndef NB_CONNECT_PARTITIONS_H
#define NB_CONNECT_PARTITIONS_H

#include "connect/query.h"
#include "sql/statement.h"

/* SHOW PARTITIONS (its rows in *out), ALTER TABLE … ADD and DROP PARTITION, TRUNCATE TABLE … PARTITION. */
nb_status
nb_partition_statement(nb_query *q, const nb_sql_statement *s, nb_table **out, nb_error *err);
/* The statement's values as texts, one per partition column of the table; data NULL where it gives none. Raises PARTITIONS_NOT_FOUND for other columns. */
nb_status nb_partition_spec(nb_query *q, const nb_table_def *t, const nb_sql_statement *s,
                            nb_str **values, nb_error *err);
/* "p=x/q=1": of the first columns that have a value. */
nb_status
nb_partition_directory(nb_query *q, const nb_table_def *t, const nb_str *values, nb_str *out);

#endif
