/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encoding.h: names of our own in messages that come from SQL, for notions that Spark Connect has no message for.
 *
 * Functions are UnresolvedFunction with is_internal = true; table-valued ones are UnresolvedTableValuedFunction; marks stand in
 * RelationCommon.source_info, which is otherwise unused. See README.md for their arguments.
 */
#ifndef NB_SQL_ENCODING_H
#define NB_SQL_ENCODING_H

/* internal functions */
#define NB_SQL_FN_FILTER        "nbaspark.filter" /* (call, condition): call FILTER (WHERE condition) */
#define NB_SQL_FN_IGNORE_NULLS  "nbaspark.ignore_nulls"  /* (call): call IGNORE NULLS */
#define NB_SQL_FN_RESPECT_NULLS "nbaspark.respect_nulls" /* (call) */
#define NB_SQL_FN_WITHIN_GROUP  "nbaspark.within_group"  /* (call, sort order…) */
#define NB_SQL_FN_STAR_EXCEPT   "nbaspark.star_except"   /* (star, attribute…) */
#define NB_SQL_FN_LIKE_MANY \
    "nbaspark.like_"                 /* any, all, not_any or not_all follow (value, pattern…) */
#define NB_SQL_FN_ROW "nbaspark.row" /* (value…): a row of VALUES */
#define NB_SQL_FN_TIMESTAMP \
    "nbaspark.timestamp" /* (timestamp_ntz literal[, zone]): TIMESTAMP'…' in the session's zone, or in zone */
#define NB_SQL_FN_SPECIAL_TIME \
    "nbaspark.special_time" /* ('DATE' | 'TIMESTAMP' | 'TIMESTAMP_NTZ', 'now' | 'today' | …) */

/* internal table-valued functions; TABLE is a SubqueryExpression of type TABLE_ARG with the input relation */
#define NB_SQL_TVF_VALUES "nbaspark.values" /* (row…) */
#define NB_SQL_TVF_LIMIT \
    "nbaspark.limit" /* (TABLE, expression): LIMIT of something else than an integer */
#define NB_SQL_TVF_OFFSET "nbaspark.offset" /* (TABLE, expression) */
#define NB_SQL_TVF_PIVOT  "nbaspark.pivot" /* (TABLE, row of columns, row of values, aggregate…) */
#define NB_SQL_TVF_UNPIVOT \
    "nbaspark.unpivot" /* (TABLE, include nulls?, name of the name column, row of names of value columns, row of columns…) */

/* marks */
#define NB_SQL_MARK_SELECT \
    "nbaspark:select" /* Aggregate: the output is exactly aggregate_expressions */
#define NB_SQL_MARK_HAVING "nbaspark:having" /* Filter above such an Aggregate */
#define NB_SQL_MARK_QUALIFY \
    "nbaspark:qualify" /* Filter above a Project: window functions allowed */
#define NB_SQL_MARK_EXTEND    "nbaspark:extend"    /* Project of |> EXTEND: no aggregates */
#define NB_SQL_MARK_ASSIGN    "nbaspark:assign"    /* WithColumns of |> SET: the column exists */
#define NB_SQL_MARK_AGGREGATE "nbaspark:aggregate" /* Aggregate of |> AGGREGATE */
#define NB_SQL_MARK_NATURAL   "nbaspark:natural"   /* Join over the columns that both sides have */
#define NB_SQL_MARK_RECURSIVE \
    "nbaspark:recursive" /* SubqueryAlias among references: WITH RECURSIVE; MAX RECURSION LEVEL follows as ":n" */

/* The alias of a subquery in FROM that has none. */
#define NB_SQL_NO_ALIAS "__auto_generated_subquery_name"

#endif
