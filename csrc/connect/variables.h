/* SPDX-License-Identifier: Apache-2.0 */
/*
 * variables.h: DECLARE, SET VARIABLE and DROP of the session's variables, and EXECUTE IMMEDIATE.
 *
 * Variables belong to the session: later queries see the values that they have when these are analysed.
 */
#ifndef NB_CONNECT_VARIABLES_H
#define NB_CONNECT_VARIABLES_H

#include "connect/query.h"
#include "sql/statement.h"

/* DECLARE VARIABLE, SET VARIABLE, DROP TEMPORARY VARIABLE. */
nb_status nb_variable_statement(nb_query *q, const nb_sql_statement *s, nb_error *err);
/* The text that EXECUTE IMMEDIATE runs, with its arguments, as a message; in the query's arena. */
nb_status nb_execute_text(nb_query *q, const nb_sql_statement *s, Sc__SQL **out, nb_error *err);
/* Puts the one row of a query into variables: EXECUTE IMMEDIATE … INTO. */
nb_status nb_variables_assign(nb_query *q, const nb_sql_name *names, Sc__Relation *query,
                              const nb_sql_name *defaults, nb_error *err);

#endif
