/* SPDX-License-Identifier: Apache-2.0 */
/*
 * physical.h: what is to be executed: a tree of nodes with expressions bound to column positions.
 *
 * Made by the planner (plan/planner.c), turned into pipelines by exec/build.c. Everything lives in the query's arena; relations and tables are
 * borrowed from the session for the time of the query. The columns of a node are those of `schema`, in order.
 */
#ifndef NB_PLAN_PHYSICAL_H
#define NB_PLAN_PHYSICAL_H

#include "column/table.h"
#include "expr/aggregate.h"
#include "io/write.h"

typedef enum nb_node_kind {
    NB_NODE_TABLE, /* rows in memory */
    NB_NODE_RANGE, /* spark.range */
    NB_NODE_SCAN,  /* files */
    NB_NODE_FILTER,
    NB_NODE_PROJECT,
    NB_NODE_AGGREGATE, /* keys then aggregates; no keys = one row, also for no input */
    NB_NODE_SORT,
    NB_NODE_TOPN, /* sort + limit + offset */
    NB_NODE_LIMIT,
    NB_NODE_TAIL,
    NB_NODE_JOIN,
    NB_NODE_UNION,
    NB_NODE_EXCHANGE, /* repartition: only partition numbers and row order within them change */
    NB_NODE_SAMPLE,
    NB_NODE_GENERATE, /* explode and its kin */
    NB_NODE_WINDOW,
    NB_NODE_EXPAND, /* each row n times, through n projections: rollup, cube, grouping sets, unpivot */
    NB_NODE_WRITE, /* root only: rows go to files; no columns */
    NB_NODE_READ,  /* of a fragment: rows that tasks of another stage have put out */
    NB_NODE_PUT,   /* root of a fragment only: rows go to the buckets of an exchange; no columns */
    NB_N_NODES
} nb_node_kind;

const char *nb_node_name(nb_node_kind kind); /* as EXPLAIN prints it */

typedef enum nb_join_type {
    NB_JOIN_INNER,
    NB_JOIN_LEFT,
    NB_JOIN_RIGHT,
    NB_JOIN_FULL, /* left columns, then right columns */
    NB_JOIN_SEMI,
    NB_JOIN_ANTI, /* left columns */
    NB_JOIN_MARK, /* left columns, then a nullable boolean: does a match exist (three-valued when null_aware) */
    NB_JOIN_CROSS,
    NB_JOIN_SINGLE, /* left columns, then right columns of the only match, or nulls; two matches raise SCALAR_SUBQUERY_TOO_MANY_ROWS */
} nb_join_type;

typedef enum nb_exchange_kind {
    NB_EXCHANGE_ROUND_ROBIN,
    NB_EXCHANGE_HASH, /* Spark's: pmod(murmur3(keys, 42), n) */
    NB_EXCHANGE_RANGE,
    NB_EXCHANGE_COALESCE, /* neighbouring partitions merged, row order kept */
} nb_exchange_kind;

/* Which of a stage's rows a task reads. */
typedef enum nb_read_kind {
    NB_READ_BUCKET, /* the bucket with the task's number, of all tasks of that stage */
    NB_READ_ALL,    /* everything: broadcasts, and what the driver gathers */
    NB_READ_OUTPUT, /* what the task with the same number has put out */
} nb_read_kind;

/* Where a task puts its rows. */
typedef enum nb_put_kind {
    NB_PUT_SINGLE, /* one bucket */
    NB_PUT_HASH,   /* by the hash of the keys */
    NB_PUT_EVEN,   /* as many rows to each bucket, in order; for input of known size */
    NB_PUT_MOD,    /* to bucket keys[0] mod n_buckets; rows get its number as their partition */
    NB_PUT_ROBIN,  /* one after the other; rows get its number as their partition */
    NB_PUT_SAMPLE, /* one bucket, and behind it one of keys of some rows: a column of bytes, and for how many rows each stands */
    NB_PUT_RANGE, /* to the first bucket whose bound is not below the key; rows get its number as their partition */
} nb_put_kind;

typedef enum nb_generator_kind {
    NB_GENERATE_EXPLODE,
    NB_GENERATE_POSEXPLODE,
    NB_GENERATE_INLINE,
    NB_GENERATE_STACK
} nb_generator_kind;

/* Filled by execution; read by metrics, EXPLAIN and the event log. */
typedef struct nb_node_metrics {
    atomic_llong rows_out, batches_out, ns, bytes_spilled, peak_bytes;
    atomic_llong bytes_unpacked, values_decoded; /* of files */
    int64_t first_id; /* of its metrics in the application's monitor; 0: nobody looks */
    atomic_llong told_rows, told_ns; /* what tasks have reported there already */
} nb_node_metrics;

typedef struct nb_node nb_node;
struct nb_node {
    nb_node_kind kind;
    int id;                /* number in the plan, for metrics */
    const nb_type *schema; /* STRUCT */
    int n_children;
    nb_node **children;
    double est_rows; /* < 0: unknown */
    nb_node_metrics *metrics;
    union {
        struct {
            nb_table *table;
            int *columns;  /* positions in the table, one per column of schema */
            int64_t limit; /* -1 */
        } table;
        struct {
            int64_t start, end, step;
            int n_partitions;
            int first, last; /* a task's share: partitions [first, last); last 0: all */
        } range;
        struct {
            nb_relation *relation;
            int *columns;
            nb_expr **filters; /* hints for the reader; a FILTER above checks them */
            int n_filters;
            int64_t limit;
            bool *
                unread; /* per column: only the FILTER above looks at it; NULL when that is not known */
            nb_scan_probe *probes; /* added while the plan runs (exec/push_keys.h) */
            int n_probes;
        } scan;
        struct {
            nb_expr *condition;
            bool
                is_scans; /* the child is a scan whose filters are the conjuncts of condition: where the reader applies all of them, nothing is left to do */
        } filter;
        struct {
            nb_expr **exprs;
        } project;
        struct {
            nb_expr **keys; /* over the child's columns */
            int n_keys;
            nb_expr **aggs; /* NB_EXPR_AGG nodes, arguments over the child's columns */
            int n_aggs;
            int share; /* > 0: those of one number give the same rows (plan/share.h) */
            /* In tasks (cluster/stages_aggregate.c). A first step that passes may give rows instead of groups (exec/aggregate_pass.c); between
             * keys and states its result then has these values, from which aggregates are made later. */
            bool passes;
            nb_expr **passed;
            int n_passed;
            nb_node *put; /* the exchange above it; NULL outside of a task that runs */
            bool rehash;  /* groups arrive in the order of their hashes: others are used */
        } aggregate;
        struct {
            nb_sort_key *keys;
            int n_keys;
            bool global;           /* false: within each partition */
            int64_t limit, offset; /* TOPN */
        } sort;
        struct {
            int64_t limit, offset; /* limit -1: none */
        } limit;
        struct {
            nb_join_type type;
            nb_expr **left_keys,
                **right_keys;  /* over the left / right child's columns; same types pairwise */
            bool *null_safe;   /* <=> */
            int n_keys;        /* 0: nested loop over `residual` */
            nb_expr *residual; /* over left columns then right columns; NULL when none */
            bool
                build_left; /* which side goes into the hash table; INNER, LEFT, RIGHT, FULL, SEMI, ANTI allow both */
            bool null_aware; /* NOT IN: ANTI/MARK with SQL's three-valued meaning (one key) */
            bool
                reduces; /* SEMI, in tasks: left rows without a match may be left out, where that saves work; another join leaves them out anyway */
            const bool *
                reads; /* set while it runs: per column, does anything above look at it (exec/join_reads.c); NULL: all */
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
            nb_expr **args; /* over the child's columns */
            int n_args;
            int *keep; /* child columns that are passed through, before the generated ones */
            int n_keep;
        } generate;
        struct {
            nb_expr **partition_by;
            int n_partition_by;
            nb_sort_key *order_by;
            int n_order_by;
            nb_expr **
                functions; /* NB_EXPR_WINDOW nodes: all with this partitioning and order, frames of their own */
            int n_functions; /* output: child's columns, then one per function */
            int64_t
                limit; /* > 0: rows that so many come before in their partition may be left out */
            bool limits_values; /* … so many of different order */
        } window;
        struct {
            nb_expr ***projections; /* [n_projections][columns of schema] */
            int n_projections;
        } expand;
        struct {
            int first; /* partitions of the branches before, of which others make tasks */
        } all_of;
        struct {
            const nb_write_request *request;
        } write;
        struct {
            nb_read_kind kind;
            int stage;
            int n_partitions; /* at least; where it matters that the last ones may be empty */
        } read;
        struct {
            nb_put_kind kind;
            nb_expr **keys;
            int n_keys, n_buckets;
            nb_sort_key *order; /* SAMPLE, RANGE: instead of keys */
            nb_str *bounds;     /* RANGE: n_buckets - 1 keys, as exec/sort_key.h makes them */
            int64_t n_rows;     /* EVEN: of the input */
        } put;
    } u;
};

/* node: a PROJECT or an AGGREGATE. Where it stands over a FILTER that is its scan's, the columns that only the filter looks at need not be made. */
nb_status nb_node_mark_unread(nb_arena *arena, nb_node *node);

#endif
