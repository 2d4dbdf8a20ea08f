/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logical.h: the analysed plan: a tree of relational operators whose columns are attributes with ids.
 *
 * The analyzer makes it from spark.connect messages; every occurrence of a relation gets attributes with new ids, so that a self-join needs no
 * renaming. Optimizer rules rewrite it in place or share sub-trees; the planner turns it into physical nodes. All in the query's arena.
 */
#ifndef NB_PLAN_LOGICAL_H
#define NB_PLAN_LOGICAL_H

#include "plan/catalog.h"
#include "plan/physical.h"

/* A column that a node produces. */
typedef struct nb_attr {
    uint64_t id;
    nb_str name;
    const nb_type *type;
    bool nullable;
    bool
        hidden; /* can be named with its qualifier, but is not part of `*` (right side's keys of a USING join) */
    nb_str metadata; /* JSON */
    const nb_str
        *qualifier; /* alias parts, outermost first: catalog.db.table or alias; NULL when none */
    int n_qualifier;
} nb_attr;

/* df.observe(): an aggregation over the rows that go by. */
typedef struct nb_observation nb_observation;
struct nb_observation {
    const nb_observation *next; /* of the same query */
    nb_str name;
    int64_t plan_id;
    nb_plan *input, *metrics; /* metrics: over input, of one row */
};

typedef enum nb_plan_kind {
    NB_PLAN_TABLE,
    NB_PLAN_RANGE,
    NB_PLAN_SCAN,
    NB_PLAN_FILTER,
    NB_PLAN_PROJECT,
    NB_PLAN_AGGREGATE,
    NB_PLAN_SORT,
    NB_PLAN_LIMIT,
    NB_PLAN_TAIL,
    NB_PLAN_JOIN,
    NB_PLAN_UNION,
    NB_PLAN_EXCHANGE,
    NB_PLAN_SAMPLE,
    NB_PLAN_GENERATE,
    NB_PLAN_WINDOW,
    NB_PLAN_EXPAND,
    NB_PLAN_ALIAS,  /* SubqueryAlias: only names change; removed by the optimizer */
    NB_PLAN_CACHED, /* a DataFrame that cache() marked: filled at its first use */
    NB_N_PLANS
} nb_plan_kind;

struct nb_plan {
    nb_plan_kind kind;
    int n_children;
    nb_plan **children;
    int n_attrs;
    nb_attr *attrs;  /* output */
    int64_t plan_id; /* of the message, -1 when none: df["a"] names it */
    union {
        struct {
            nb_table *table;
            int *columns;
        } table;
        struct {
            int64_t start, end, step;
            int n_partitions;
        } range;
        struct {
            nb_relation *relation;
            int *columns;
            nb_expr **filters;
            int n_filters;
            int64_t limit;
        } scan;
        struct {
            nb_expr *condition;
        } filter;
        struct {
            nb_expr **exprs; /* ALIAS or COLUMN, one per attr */
            nb_observation *
                observed; /* the projection is there for it alone, and is all of its input; else NULL */
            bool is_closed; /* of a join USING columns: as in alias */
        } project;
        struct {
            nb_expr **keys; /* ALIAS or COLUMN: first n_keys attrs */
            int n_keys;
            nb_expr **aggs; /* ALIAS over AGG: the other attrs */
            int n_aggs;
        } aggregate;
        struct {
            nb_sort_key *keys;
            int n_keys;
            bool global;
        } sort;
        struct {
            int64_t limit, offset;
        } limit;
        struct {
            nb_join_type type;
            nb_expr *condition; /* NULL: none */
            bool null_aware;
            bool
                condition_wanted; /* written by the user, and no CROSS JOIN (spark.sql.crossJoin.enabled) */
            bool
                lateral; /* the right side may name columns of the left; nb_rewrite_subqueries makes it an ordinary join */
        } join;
        struct {
            nb_exchange_kind kind;
            nb_expr **keys;
            nb_sort_key *order;
            int n_keys;
            int n_partitions;
        } exchange;
        struct {
            double lower, upper;
            bool with_replacement;
            int64_t seed;
        } sample;
        struct {
            nb_generator_kind kind;
            bool outer;
            nb_expr **args;
            int n_args;
            int n_generated; /* the last attrs; those before are the child's */
        } generate;
        struct {
            nb_window_spec *spec;
            nb_expr **functions; /* ALIAS over WINDOW: attrs behind the child's */
            int n_functions;
            int64_t
                limit; /* > 0: rows that so many come before in their partition are not wanted */
            bool limits_values; /* … so many of different order */
        } window;
        struct {
            nb_expr ***projections;
            int n_projections;
        } expand;
        struct {
            nb_str *name;
            int n_name;
            bool
                is_closed; /* a view or common table expression: _metadata of files is not seen through it */
        } alias;
        struct {
            nb_cached *cached;
        } cached;
    } u;
};

/* A node with room for its children and attrs; NULL when out of memory. */
nb_plan *nb_plan_new(nb_arena *arena, nb_plan_kind kind, int n_children, int n_attrs);
/* Calls fn for each place where p itself (not its children) keeps an expression; fn may put another one there. Stops at the
 * first status that is not NB_OK, and returns it. */
nb_status
nb_plan_each_expr(nb_plan *p, nb_status (*fn)(nb_expr **place, void *payload), void *payload);
/* The tree once more: nodes and lists are copies, which may be changed; expressions, tables and relations are shared. NULL when out of memory. */
nb_plan *nb_plan_clone(nb_arena *arena, const nb_plan *p);
/* Attributes of nodes that pass on what their children make (filter, sort, join …) anew from the children. */
nb_status nb_plan_refresh(nb_arena *arena, nb_plan *p);
/* A projection to these n attributes, which p has, on top of p. */
nb_status nb_plan_narrow(nb_arena *arena, nb_plan *p, const nb_attr *attrs, int n, nb_plan **out);
/* A new attribute id, unique in the process. */
uint64_t nb_attr_next_id(void);
/* A COLUMN naming the attribute. */
nb_expr *nb_attr_expr(nb_arena *arena, const nb_attr *a);
/* The attribute that a projection's expression makes (ALIAS: its id; COLUMN: that of the column itself). */
nb_attr nb_attr_of_expr(const nb_expr *e);
const nb_attr *
nb_plan_find_attr(const nb_plan *p, uint64_t id); /* among the outputs; NULL when absent */
const nb_type *
nb_plan_schema(nb_arena *arena, const nb_plan *p); /* STRUCT of the visible outputs */

/* Attributes that e names, added to a set of ids. */
typedef struct nb_attr_set {
    uint64_t *ids; /* open addressing, 0 = empty */
    int n, cap;
    nb_arena *arena;
} nb_attr_set;
nb_status nb_attr_set_add(nb_attr_set *s, uint64_t id);
bool nb_attr_set_has(const nb_attr_set *s, uint64_t id);
nb_status nb_attr_set_add_expr(nb_attr_set *s, const nb_expr *e);
nb_status nb_attr_set_add_plan(nb_attr_set *s, const nb_plan *p); /* its outputs */
bool nb_attr_set_covers(const nb_attr_set *s, const nb_expr *e);  /* every column of e is in s */

/* Replaces columns by expressions: map of attribute id → expression (the child of an ALIAS). */
typedef struct nb_attr_map {
    uint64_t *ids;
    nb_expr **exprs;
    int n, cap;
    nb_arena *arena;
} nb_attr_map;
nb_status nb_attr_map_put(nb_attr_map *m, uint64_t id, nb_expr *e);
nb_expr *nb_attr_map_get(const nb_attr_map *m, uint64_t id);
/* Would the substitution stay small? Repeated ones could double an expression each time. */
bool nb_expr_may_substitute(nb_expr *e, const nb_attr_map *m);
nb_status
nb_expr_substitute(nb_arena *arena, nb_expr *e, const nb_attr_map *m, nb_expr **out, nb_error *err);

#endif
