/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyzer_internal.h: what the analyze_*.c files share.
 */
#ifndef NB_PLAN_ANALYZER_INTERNAL_H
#define NB_PLAN_ANALYZER_INTERNAL_H

#include "plan/analyzer.h"
#include "spark/connect/expressions.pb-c.h"
#include "sql/statement.h"

/* What a column name may refer to: the outputs of one or two plans, lambda parameters, and the query outside a subquery. */
typedef struct nb_scope nb_scope;
struct nb_scope {
    nb_plan **plans; /* inputs: names are looked up in all of them */
    int n_plans;
    const nb_scope *outer; /* enclosing query of a subquery; NULL at the top */
    const nb_scope *
        rows; /* what names inside aggregate calls mean, where that is something else; NULL where not */
    bool is_copy; /* the plans are copies: a column that is added to one goes nowhere */
    bool
        passes_ambiguous; /* ORDER BY: a name that several columns have is looked up further out, as one that none has */
    enum {
        NB_GROWS_NOT,
        NB_GROWS_HIDDEN, /* window() may put a column below, plans[0] is its owner's place for the input */
        NB_GROWS_VISIBLE /* and that column may be named */
    } grows;
};

typedef struct nb_lambda_scope nb_lambda_scope;
struct nb_lambda_scope {
    nb_str *names;
    nb_attr *params;
    int n;
    const nb_lambda_scope *up;
};

/* A WithRelations around what is being analysed: its references are subqueries (found by plan id) and common table expressions (SubqueryAlias, found by
 * name; the first n_visible of them). */
typedef struct nb_with_scope {
    const Sc__WithRelations *with;
    size_t n_visible;
} nb_with_scope;

typedef struct nb_recursion nb_recursion; /* analyze_recursive.c */
typedef struct nb_recursed nb_recursed;

/* A subquery that was resolved over an input: GROUP BY 1 and the select list speak of the same one. */
typedef struct nb_resolved_subquery {
    const Sc__SubqueryExpression *message;
    const nb_attr *input; /* columns of the input */
    int n_input;
    nb_expr *expr;
} nb_resolved_subquery;

/* The select list that is being resolved, for names of aliases before (analyze_lateral.c). */
typedef struct nb_lateral nb_lateral;
struct nb_lateral {
    const nb_scope *scope; /* where such names may stand; NULL: nowhere */
    nb_expr **items;       /* those with an alias so far */
    int n_items, cap_items;
    nb_attr_set refs; /* aliases that were named */
    nb_lateral *up;
};

struct nb_analyzer {
    nb_analyzer_config cfg;
    nb_arena *arena;
    const nb_view_def
        *views; /* names in force: the newest list, or a view's own while its body is analysed */
    const nb_lambda_scope *lambdas;
    nb_lateral *lateral;
    const nb_scope
        *outer; /* scope around the relation that is being analysed: set inside subqueries */
    nb_with_scope *with; /* stack, the innermost last */
    int n_with, cap_with;
    int n_cte;         /* common table expressions around, which are analysed at each reference */
    uint64_t cte_seed; /* of this query's random numbers in them */
    nb_str sql_text;   /* text that positions refer to */
    /* Inside the select list, HAVING and ORDER BY of a GROUP BY with several grouping sets: grouping() and grouping_id() read this attribute. */
    const nb_attr *grouping_id;
    nb_expr **grouping_keys;   /* as the query says them */
    nb_expr **grouping_copies; /* the EXPAND's copies of them; NULL where these have no names */
    int n_grouping_keys;
    int n_having; /* conditions of HAVING around: aggregate calls of the outer query may stand in their subqueries */
    struct nb_time_window *time_windows; /* analyze_time_window.c */
    const char *
        pipe_clause; /* the select list is that of |> EXTEND: aggregates are refused by this name */
    bool case_sensitive;
    nb_str database; /* the current one, in which names of one part are */
    int depth;
    nb_resolved_subquery *subqueries;
    int n_subqueries, cap_subqueries;
    nb_recursion *recursion;        /* recursive queries around, the innermost first */
    nb_recursed *recursed;          /* those that have been run */
    const nb_observation *observed; /* by df.observe() so far */
    bool observing;                 /* resolving what it observes */
    int64_t row_goal;               /* how many rows a limit right above wants; < 0: all */
    nb_attr_map resolved; /* by address of the message: what it became, see nb_resolved_of */
    struct nb_parsed_text {
        const Sc__Expression *message;
        Sc__Expression *parsed;
    } *texts;
    int n_texts, cap_texts;
    struct nb_open_relation { /* to release; the requests are there to find them again */
        nb_relation *relation;
        nb_read_request request;
    } *relations;
    int n_relations, cap_relations;
    nb_table **tables;
    int n_tables, cap_tables;
};

NB_INLINE nb_str
nb_pb_str(ProtobufCBinaryData b)
{
    return (nb_str){b.data ? (const char *)b.data : "", b.len};
}

#define NB_NEED(ptr)               \
    do {                           \
        if (NB_UNLIKELY(!(ptr))) { \
            return NB_NOMEM;       \
        }                          \
    } while (0)

/* ---- analyze_generate.c ---- */
/* A generator (explode …) that stands for a column: GENERATE over *child, whose new attributes are first … first + n. n = 0: e is none. names: what they
 * are called; by default e's own alias, or what the generator calls them. NB_DONE: its argument has an aggregate, so it belongs above the groups. */
typedef struct nb_generated {
    int first, n;
} nb_generated;
nb_status nb_generate_item(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e,
                           const ProtobufCBinaryData *names, size_t n_names, nb_plan **child,
                           nb_generated *out, nb_error *err);
/* Generators in the list of an aggregation. _add takes e where it is one, otherwise gives NB_DONE: *out are its arguments, which stand in the list from `at`
 * on. When the groups are planned, nb_plan_group_generator puts GENERATE over them, and the generated columns in the place of the arguments; before: columns
 * of `groups` that come before the list. */
typedef struct nb_group_generator nb_group_generator;
typedef struct nb_group_generators {
    nb_group_generator *items;
    int n, cap;
} nb_group_generators;
nb_status
nb_group_generator_add(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e, int at,
                       nb_group_generators *list, nb_expr ***out, int *n_out, nb_error *err);
nb_status nb_plan_group_generator(nb_analyzer *an, nb_plan *groups, const nb_group_generators *list,
                                  int before, nb_plan **out, nb_error *err);
/* The status of resolving e, a column: a generator inside it gets Spark's own error. */
nb_status
nb_generator_is_whole(nb_analyzer *an, const Sc__Expression *e, nb_status st, nb_error *err);
/* A generator call over child's rows (explode …): GENERATE, whose last attributes are the generated ones. NB_DONE when call is none. */
nb_status
nb_plan_generator(nb_analyzer *an, nb_plan *child, const Sc__Expression__UnresolvedFunction *call,
                  const ProtobufCBinaryData *names, size_t n_names, bool outer, nb_plan **out,
                  nb_error *err);
/* inline(rows): GENERATE, of which only what it makes is put out. */
nb_status
nb_plan_inline(nb_analyzer *an, nb_plan *child, nb_expr *rows, nb_plan **out, nb_error *err);
bool nb_is_generator(nb_str name);
const char *nb_generator_name(int i);       /* from 0 until NULL */
const char *nb_generator_help(nb_str name); /* NULL when it is none */

/* ---- analyze_expr.c ---- */
nb_status nb_resolve_expr(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e,
                          nb_expr **out, nb_error *err);
/* The same, cast to boolean if it is not (raises DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN otherwise). */
nb_status nb_resolve_condition(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e,
                               nb_expr **out, nb_error *err);
/* named_struct(args), null where e is. */
nb_status
nb_struct_like(nb_analyzer *an, nb_expr *e, nb_expr **args, int n, nb_expr **out, nb_error *err);
/* A lambda of n parameters, columns of these ids in its body. */
nb_status
nb_lambda_of(nb_analyzer *an, nb_expr *body, const uint64_t *params, int n, nb_expr **out);
/* analyze_window.c: what Spark's analyzer asks of a frame that a query writes, and of a function over a window; framed: the query writes its frame. */
nb_status nb_check_frame(nb_analyzer *an, const nb_window_spec *spec, nb_error *err);
nb_status nb_check_window_call(nb_analyzer *an, const nb_expr *fn, const nb_window_spec *spec,
                               bool framed, nb_error *err);
/* What ASC, DESC, NULLS FIRST and NULLS LAST, or none of them, mean for a sort key. */
NB_INLINE bool
nb_sort_is_descending(const Sc__Expression__SortOrder *o)
{
    return o->direction == SC__EXPRESSION__SORT_ORDER__SORT_DIRECTION__SORT_DIRECTION_DESCENDING;
}
NB_INLINE bool
nb_sort_is_nulls_last(const Sc__Expression__SortOrder *o)
{
    return o->null_ordering == SC__EXPRESSION__SORT_ORDER__NULL_ORDERING__SORT_NULLS_LAST ||
           (o->null_ordering == SC__EXPRESSION__SORT_ORDER__NULL_ORDERING__SORT_NULLS_UNSPECIFIED &&
            nb_sort_is_descending(o));
}
nb_status
nb_resolve_sort_order(nb_analyzer *an, const nb_scope *scope, const Sc__Expression__SortOrder *o,
                      nb_sort_key *out, nb_error *err);
/* Raises DATATYPE_MISMATCH of a key whose type has no order. */
nb_status nb_check_sort_key(nb_analyzer *an, const nb_sort_key *key, nb_error *err);
/* A binary call through the registry: nb_call(an, "+", {a, b}). */
nb_status
nb_call(nb_analyzer *an, const char *name, nb_expr **args, int n, nb_expr **out, nb_error *err);
nb_status
nb_call2(nb_analyzer *an, const char *name, nb_expr *a, nb_expr *b, nb_expr **out, nb_error *err);
nb_status nb_call_agg(nb_analyzer *an, const char *name, nb_expr **args, int n, bool distinct,
                      nb_expr **out, nb_error *err);
nb_status nb_cast_to(nb_analyzer *an, nb_expr *e, const nb_type *to, nb_expr **out,
                     nb_error *err); /* explicit CAST */
/* The type that int(x), date(x) and the like cast to; NULL for other names. */
const nb_type *nb_cast_function_type(nb_str name);
const nb_origin *nb_origin_of(nb_analyzer *an, const Sc__Expression *e);
const nb_origin *nb_origin_new(nb_analyzer *an, const Sc__Origin *from); /* NULL of NULL */
nb_status nb_raise_limit(nb_analyzer *an, const char *name, int64_t n, nb_error *err);
/* st; an error is told where in the user's text or program its cause stands, unless it knows that already. */
nb_status nb_located(nb_status st, const nb_origin *origin, nb_error *err);

/* What e was resolved to last, for kinds whose name depends on types (sums, extractions, casts); NULL for others. */
const nb_expr *nb_resolved_of(nb_analyzer *an, const Sc__Expression *e);
/* The text of an ExpressionString, parsed once. */
nb_status nb_parse_expression_string(nb_analyzer *an, const Sc__Expression *e, Sc__Expression **out,
                                     nb_error *err);
/* "a, b": the outer columns that a resolved subquery names, as its own name shows them. */
nb_status nb_outer_names(nb_analyzer *an, const Sc__SubqueryExpression *s, nb_strbuf *out);

/* The relation of a SubqueryExpression, among the references around it. */
nb_status
nb_find_reference(nb_analyzer *an, int64_t plan_id, const Sc__Relation **out, nb_error *err);

/* ---- analyze_named.c ---- */
/* Arguments by name become arguments by position; nothing changes when there are none. */
nb_status nb_positional_arguments(nb_analyzer *an, nb_str routine, Sc__Expression ***args,
                                  size_t *n, nb_error *err);

/* ---- analyze_python.c ---- */
typedef enum nb_python_kind {
    NB_PYTHON_VALUES,       /* a value for each row */
    NB_PYTHON_GROUP_VALUE,  /* a value for the rows of a group */
    NB_PYTHON_ROWS,         /* rows for rows */
    NB_PYTHON_GROUP_ROWS,   /* rows for the rows of a group */
    NB_PYTHON_COGROUP_ROWS, /* … of two groups with one key */
    NB_PYTHON_REFUSED
} nb_python_kind;
/* The rows of a group as an aggregate: an array of structs with these fields. */
nb_status nb_python_rows(nb_analyzer *an, nb_expr *const *columns, const nb_str *names, int n,
                         nb_expr **out, nb_error *err);
/* A call that gives an array of rows, of keys and arrays of rows. *no_columns: the rows are to have none, and have one that nobody wants. */
nb_status nb_python_rows_call(nb_analyzer *an, const Sc__CommonInlineUserDefinedFunction *f,
                              nb_python_kind wanted, nb_expr *const *args, int n, nb_expr **out,
                              bool *no_columns, nb_error *err);
/* The aggregate below e when e is a call over the rows of a group, which stands above windows as it does above groups; NULL otherwise. */
nb_expr *nb_python_rows_of(nb_expr *e);
nb_status nb_resolve_python_call(nb_analyzer *an, const Sc__CommonInlineUserDefinedFunction *f,
                                 nb_expr *const *args, int n, const nb_origin *origin,
                                 nb_expr **out, nb_error *err);
/* A call of a function that the session has registered under the name; *out NULL when there is none. */
nb_status nb_resolve_registered(nb_analyzer *an, nb_str name, nb_expr *const *args, int n,
                                const nb_origin *origin, nb_expr **out, nb_error *err);

/* ---- analyze_python_map.c ---- */
nb_status nb_analyze_map_partitions(nb_analyzer *an, const Sc__MapPartitions *m, nb_plan **out,
                                    nb_error *err);
nb_status
nb_analyze_group_map(nb_analyzer *an, const Sc__GroupMap *m, nb_plan **out, nb_error *err);
nb_status
nb_analyze_co_group_map(nb_analyzer *an, const Sc__CoGroupMap *m, nb_plan **out, nb_error *err);

/* ---- analyze_literal.c ---- */
/* A DataType message, parsed when it is text. */
nb_status
nb_resolve_type(nb_analyzer *an, const Sc__DataType *message, const nb_type **out, nb_error *err);
nb_status nb_resolve_literal(nb_analyzer *an, const Sc__Expression__Literal *lit, nb_expr **out,
                             nb_error *err);
/* A literal as a query says it, whose value is still to be set; NULL: out of memory. */
Sc__Expression *nb_literal_message(nb_analyzer *an, Sc__Expression__Literal__LiteralTypeCase kind);

/* ---- analyze_column.c ---- */
/* By name ("a", "t.a", "a.field", quoted parts), plan_id -1 when the reference is not tied to a DataFrame. */
nb_status nb_resolve_column(nb_analyzer *an, const nb_scope *scope, nb_str identifier,
                            int64_t plan_id, const nb_origin *origin, nb_expr **out, nb_error *err);
/* One visible attribute of a plan by plain name; NULL when there is none; *ambiguous when several. */
const nb_attr *nb_find_by_name(nb_analyzer *an, const nb_plan *p, nb_str name, bool *ambiguous);
nb_status
nb_need_by_name(nb_analyzer *an, const nb_plan *p, nb_str name, const nb_attr **out, nb_error *err);
/* "`a`, `b`": the visible columns as names in SQL, each read as one ("a.b" is `a`.`b`), in their order or by the alphabet. */
nb_status
nb_quoted_columns(nb_analyzer *an, const nb_plan *p, bool sorted, const char **out, nb_error *err);
/* A column, or a field of one, as methods of DataFrames take them as text: "a", "`a.b`", "t.a", "a.field". Where there is none, the
 * message names all columns in their order. */
nb_status nb_resolve_named(nb_analyzer *an, nb_plan *p, nb_str text, nb_expr **out, nb_error *err);
/* "a, b, c": the visible columns of a plan, for messages. */
const char *nb_field_names(nb_analyzer *an, const nb_plan *p);
nb_status
nb_raise_unresolved_column(nb_analyzer *an, const nb_scope *scope, nb_str name, nb_error *err);
nb_status
nb_split_identifier(nb_analyzer *an, nb_str text, nb_str **parts, size_t *n, nb_error *err);
/* `a`.`b c`: always with quotes. */
nb_status nb_backquote(nb_analyzer *an, const nb_str *parts, int n, char **out);
bool nb_names_equal(const nb_analyzer *an, nb_str a, nb_str b);
/* Names that are most like `wanted` first, for "did you mean". */
void nb_sort_by_likeness(nb_str wanted, nb_str *names, int n);
/* Attributes that `*`, `t.*` or a column regex stand for. */
nb_status nb_expand_star(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e,
                         nb_expr ***out, int *n, nb_error *err);
/* A scan of all columns; the relation is moved to the analyzer. */
nb_status
nb_plan_of_relation(nb_analyzer *an, struct nb_relation *rel, nb_plan **out, nb_error *err);
nb_status nb_analyze_parse(nb_analyzer *an, const Sc__Parse *p, nb_plan **out, nb_error *err);
bool nb_is_star(const Sc__Expression *e);
/* A quoted name that stands for all columns that it matches as a pattern (spark.sql.parser.quotedRegexColumnNames); nb_expand_star takes it. */
bool nb_is_name_pattern(const nb_analyzer *an, const Sc__Expression *e);
/* child[extraction] / child.field */
nb_status
nb_extract(nb_analyzer *an, nb_expr *child, nb_expr *extraction, nb_expr **out, nb_error *err);
nb_status
nb_extract_field(nb_analyzer *an, nb_expr *child, nb_str field, nb_expr **out, nb_error *err);

/* ---- naming.c ---- */
/* The name that Spark gives to an expression without alias. */
nb_status nb_expression_name(nb_analyzer *an, const Sc__Expression *e, nb_str *out, nb_error *err);

/* ---- analyze_project.c ---- */
/* Resolves a select list over child: stars, generators, window functions, aliases. */
nb_status nb_build_project(nb_analyzer *an, nb_plan *child, Sc__Expression *const *exprs, size_t n,
                           nb_plan **out, nb_error *err);
/* A projection of ready expressions (ALIAS or COLUMN), window functions in them pulled below. */
nb_status nb_plan_project(nb_analyzer *an, nb_plan *child, nb_expr **exprs, int n, nb_plan **out,
                          nb_error *err);
/* A column of the query around a subquery, put out by the subquery, is a new attribute there. */
nb_status nb_own_column(nb_analyzer *an, const nb_plan *child, nb_expr **e);
/* Gives e a name if it is neither ALIAS nor COLUMN. */
nb_status nb_name_expr(nb_analyzer *an, nb_expr *e, nb_str name, nb_expr **out);
/* A projection that passes the visible columns of child on. */
nb_status nb_columns_of(nb_analyzer *an, const nb_plan *child, nb_expr ***out, int *n);
nb_status
nb_plan_filter(nb_analyzer *an, nb_plan *child, nb_expr *condition, nb_plan **out, nb_error *err);
/* An aggregate in |> EXTEND or |> SET. */
nb_status nb_raise_pipe_aggregate(nb_analyzer *an, nb_expr *e, const char *clause, nb_error *err);
bool nb_has_window(nb_expr *e);
bool nb_has_agg(nb_expr *e);

/* ---- analyze_to_schema.c ---- */
nb_status
nb_analyze_to_schema(nb_analyzer *an, const Sc__ToSchema *t, nb_plan **out, nb_error *err);

/* ---- analyze_variable.c ---- */
/* A variable of the session by name, or a field of one, as a literal. NB_DONE when there is none. */
nb_status nb_resolve_variable(nb_analyzer *an, nb_str identifier, nb_expr **out, nb_error *err);
/* The first row of a column as a literal; null when the table is empty. */
nb_status nb_table_cell(nb_arena *arena, nb_table *table, int column, nb_expr **out);
/* A constant text (nb_sql_options.fold_text); payload is the analyzer. */
nb_status nb_analyzer_fold_text(void *payload, const Sc__Expression *e, nb_str *out, nb_error *err);

/* ---- analyze_time_window.c ---- */
bool nb_is_time_window(nb_str name);
/* A call of those functions; the scope's input may get a column more. */
nb_status nb_time_window(nb_analyzer *an, const nb_scope *scope, nb_str name, nb_expr **args, int n,
                         nb_expr **out, nb_error *err);
/* The key of an aggregation that is a session window: its column becomes the merged sessions of the other keys' groups. */
nb_status nb_merge_sessions(nb_analyzer *an, nb_plan **child, nb_expr *const *keys, int n_keys,
                            nb_error *err);

/* ---- analyze_file_columns.c ---- */
/* _metadata of the files that the scope's plans read, by the first *n_used of these parts. NB_DONE when the name is another or nothing is known of files. */
nb_status nb_resolve_metadata(nb_analyzer *an, const nb_scope *scope, const nb_str *parts, int n,
                              nb_expr **out, int *n_used);
/* input_file_name() and its kin. NB_DONE when the name is another, or where no file is read: what the function itself gives holds then. */
nb_status
nb_input_file(nb_analyzer *an, const nb_scope *scope, nb_str name, nb_expr **out, nb_error *err);

/* ---- analyze_lateral.c ---- */
void nb_lateral_begin(nb_analyzer *an, const nb_scope *scope, nb_lateral *l);
void nb_lateral_end(nb_analyzer *an);
/* The column that an alias before is; NB_DONE when there is none of this name. */
nb_status
nb_lateral_find(nb_analyzer *an, const nb_scope *scope, nb_str name, nb_expr **out, nb_error *err);
bool nb_is_lateral(const nb_analyzer *an, const nb_expr *e);
/* The next item is ready: those behind it may name its alias. Raises when it names one where it must not. */
nb_status
nb_lateral_add(nb_analyzer *an, const Sc__Expression *message, nb_expr *item, nb_error *err);
/* Projections over child that compute the items which others name; these become columns in exprs. */
nb_status nb_lateral_layers(nb_analyzer *an, nb_plan *child, nb_expr **exprs, int n, nb_plan **out,
                            nb_error *err);

/* ---- analyze_missing.c ---- */
/* Resolves expressions over child that may also name what a projection or aggregation below left out (ORDER BY, HAVING, filter after select):
 * such columns and aggregates are added below as hidden attributes. child's nodes are changed in place. */
nb_status nb_resolve_over(nb_analyzer *an, nb_plan *child, const Sc__Expression *e,
                          bool is_condition, bool having, nb_expr **out, nb_error *err);

/* HAVING: the groups that window functions of the select list see are those that the condition leaves. */
nb_status
nb_filter_groups(nb_analyzer *an, nb_plan *child, nb_expr *condition, nb_plan **out, nb_error *err);

/* p puts out a as well, as a hidden attribute behind the others. */
nb_status nb_add_hidden(nb_analyzer *an, nb_plan *p, const nb_attr *a);

/* What a subquery in the results of an aggregation names of `rows`, which are aggregated, becomes the key's column; what is no key raises. */
nb_status nb_subquery_over_groups(nb_analyzer *an, nb_plan *subquery, const nb_plan *rows,
                                  nb_expr *const *keys, int n_keys, nb_error *err);

/* ---- analyze_aggregate.c ---- */
nb_status
nb_analyze_aggregate(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err);
/* keys (named) and results (named expressions over keys and AGG nodes) over child: AGGREGATE, then a PROJECT if results are more than plain calls. */
nb_status nb_plan_aggregate(nb_analyzer *an, nb_plan *child, nb_expr **keys, int n_keys,
                            nb_expr **results, int n_results, nb_plan **out, nb_error *err);
nb_status nb_plan_distinct(nb_analyzer *an, nb_plan *child, nb_plan **out, nb_error *err);

/* ---- analyze_join.c ---- */
nb_status nb_analyze_join(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err);
nb_status nb_plan_join(nb_analyzer *an, nb_plan *left, nb_plan *right, nb_join_type type,
                       nb_expr *condition, nb_plan **out, nb_error *err);

nb_status
nb_analyze_lateral(nb_analyzer *an, const Sc__LateralJoin *j, nb_plan **out, nb_error *err);

/* ---- analyze_relation.c ---- */
nb_status nb_plan_limit(nb_analyzer *an, nb_plan *child, int64_t limit, int64_t offset,
                        nb_plan **out, nb_error *err);

/* ---- analyze_set.c ---- */
nb_status
nb_analyze_set_op(nb_analyzer *an, const Sc__SetOperation *op, nb_plan **out, nb_error *err);
/* The number of the row, from 0: distributed_sequence_id(). */
nb_status nb_sequence_id(nb_analyzer *an, nb_expr **out, nb_error *err);

/* ---- analyze_source.c ---- */
nb_status nb_analyze_read(nb_analyzer *an, const Sc__Read *read, nb_plan **out, nb_error *err);
/* A table or view by its name as SQL writes it. */
nb_status nb_analyze_table(nb_analyzer *an, ProtobufCBinaryData name, nb_plan **out, nb_error *err);
nb_status nb_analyze_local(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err);
nb_status nb_plan_of_table(nb_analyzer *an, nb_table *table, nb_plan **out,
                           nb_error *err); /* takes a reference to keep */
nb_status nb_plan_alias(nb_analyzer *an, nb_plan *child, const nb_str *name, int n_name,
                        nb_plan **out, nb_error *err);

/* ---- analyze_recursive.c ---- */
/* A common table expression of WITH RECURSIVE. */
nb_status
nb_analyze_recursive(nb_analyzer *an, const Sc__Relation *r, nb_plan **out, nb_error *err);
/* The name of a recursive query inside of itself. NB_DONE when name is none. */
nb_status nb_read_recursion(nb_analyzer *an, nb_str name, nb_plan **out, nb_error *err);
bool nb_keeps_rows(const Sc__Relation *r);

/* ---- analyze_na.c, analyze_stat.c ---- */
nb_status nb_analyze_na(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err);
nb_status nb_analyze_stat(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err);

/* ---- analyze_observe.c ---- */
nb_status
nb_analyze_observe(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err);

/* df.withWatermark(), which means nothing for a batch. */
nb_status
nb_analyze_watermark(nb_analyzer *an, const Sc__WithWatermark *m, nb_plan **out, nb_error *err);

/* ---- analyze_transpose.c ---- */
nb_status
nb_analyze_transpose(nb_analyzer *an, const Sc__Transpose *m, nb_plan **out, nb_error *err);

/* ---- analyze_sql.c ---- */
nb_status nb_analyze_sql(nb_analyzer *an, const Sc__SQL *sql, nb_plan **out, nb_error *err);
/* Text and arguments of the message to a statement. */
nb_status
nb_parse_sql_message(nb_analyzer *an, const Sc__SQL *sql, nb_sql_statement *out, nb_error *err);
/* Text with ${name} replaced by settings; *out is text itself where there is nothing to replace. config may be NULL. */
nb_status nb_sql_substitute(nb_arena *arena, const struct nb_config *config, nb_str text,
                            nb_str *out, nb_error *err);
/* range(…), VALUES, explode(…) in FROM */
nb_status
nb_analyze_table_function(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err);

/* May pivots compute results of this type per group and value first? (analyze_aggregate.c) */
bool nb_pivots_in_two(const nb_type *t);
/* Raises where a column stands outside of all aggregates of a pivot's result. */
nb_status nb_check_pivoted(nb_analyzer *an, const nb_expr *e, nb_error *err);

/* ---- analyze_pivot.c ---- */
/* The table functions that PIVOT and UNPIVOT of SQL are; input is what they stand over. */
nb_status nb_analyze_sql_pivot(nb_analyzer *an, const Sc__UnresolvedTableValuedFunction *f,
                               const Sc__Relation *input, nb_plan **out, nb_error *err);
nb_status nb_analyze_sql_unpivot(nb_analyzer *an, const Sc__UnresolvedTableValuedFunction *f,
                                 const Sc__Relation *input, nb_plan **out, nb_error *err);

#endif
