/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr.h: bound expressions: resolved, typed, ready to run over batches.
 *
 * The analyzer (plan/) makes them through expr/bind.h; the optimizer rewrites them; execution compiles nothing more: it evaluates the
 * tree vector by vector. Nodes live in the query's arena and are immutable once bound, so that threads share them; what a thread needs
 * to run one (scratch, states of stateful functions such as rand) is in its nb_eval.
 *
 * Column references name attributes by id while a plan is being rewritten (`attr`), and by position once the physical plan has been made
 * (`ordinal`, set by nb_expr_bind_ordinals).
 */
#ifndef NB_EXPR_EXPR_H
#define NB_EXPR_EXPR_H

#include "base/cancel.h"
#include "column/batch.h"

typedef struct nb_expr nb_expr;
typedef struct nb_function nb_function;     /* registry.h */
typedef struct nb_aggregate nb_aggregate;   /* aggregate.h */
typedef struct nb_agg_ops nb_agg_ops;       /* aggregate.h */
typedef struct nb_kernel_ctx nb_kernel_ctx; /* registry.h */
typedef struct nb_plan nb_plan;             /* plan/logical.h: only for subqueries, opaque here */
typedef struct nb_config nb_config;         /* base/config.h */
typedef struct nb_zone nb_zone;             /* expr/zone.h */

/* The loop behind a scalar call; the contract is in registry.h. */
typedef nb_status (*nb_kernel_fn)(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                                  nb_vector *out);

typedef enum nb_expr_kind {
    NB_EXPR_LITERAL, /* value: a one-row constant vector */
    NB_EXPR_COLUMN,  /* attr, ordinal */
    NB_EXPR_CALL,    /* fn(args) */
    NB_EXPR_CAST,    /* args[0] to type; `cast` says how */
    NB_EXPR_AND,     /* n-ary, Kleene; evaluates the next argument only where it still matters */
    NB_EXPR_OR,
    NB_EXPR_CASE, /* args: cond, value, cond, value, ..., [else]; rows are evaluated only in their branch */
    NB_EXPR_COALESCE, /* args; later ones only where the earlier are null */
    NB_EXPR_IN,       /* args[0] in the constants args[1..]: hash set built once; three-valued */
    NB_EXPR_AGG,      /* aggregate call: only inside aggregate and window nodes of plans */
    NB_EXPR_WINDOW,   /* only in plans */
    NB_EXPR_SUBQUERY, /* scalar, exists, in: only in plans before rewriting */
    NB_EXPR_LAMBDA,   /* args[0] = body; parameters are COLUMNs of attr lambda_attrs[] */
    NB_EXPR_ALIAS,    /* args[0] under a name: only at the top of projections in plans */
} nb_expr_kind;

typedef enum nb_cast_mode { NB_CAST_ANSI, NB_CAST_LEGACY, NB_CAST_TRY } nb_cast_mode;

typedef enum nb_subquery_kind {
    NB_SUBQUERY_SCALAR,
    NB_SUBQUERY_EXISTS,
    NB_SUBQUERY_IN,
    NB_SUBQUERY_NOT_IN /* made while rewriting */
} nb_subquery_kind;

/* Window frame bounds, in rows or in range units. */
typedef enum nb_bound_kind { NB_BOUND_UNBOUNDED, NB_BOUND_CURRENT, NB_BOUND_OFFSET } nb_bound_kind;
typedef struct nb_frame {
    bool is_rows;               /* ROWS, else RANGE */
    nb_bound_kind lower, upper; /* lower UNBOUNDED = preceding, upper UNBOUNDED = following */
    nb_expr *lower_offset, *upper_offset; /* constants; negative = preceding */
} nb_frame;

typedef struct nb_sort_key {
    nb_expr *expr;
    bool descending, nulls_last;
} nb_sort_key;

typedef struct nb_window_spec {
    nb_expr **partition_by;
    int n_partition_by;
    nb_sort_key *order_by;
    int n_order_by;
    nb_frame frame;
} nb_window_spec;

/* Where an expression came from, for error contexts. Offsets into the SQL text; -1 when unknown. */
typedef struct nb_origin {
    nb_str sql_text;
    int start, stop; /* inclusive byte offsets */
    int line, position;
    nb_str fragment, call_site; /* DataFrame origin */
} nb_origin;

struct nb_expr {
    nb_expr_kind kind;
    const nb_type *type;
    bool nullable;
    bool
        deterministic; /* false for rand(), uuid(), monotonically_increasing_id() ... and anything above one */
    bool can_fail; /* may raise at run time: must not be evaluated on rows the plan would not */
    bool foldable; /* constant: may be evaluated at planning time */
    int32_t depth; /* 1 + the deepest argument's; bounded, so that walks may recurse */
    int n_args;
    nb_expr **args;
    const nb_origin *origin; /* may be NULL */
    union {
        struct {
            const nb_vector *value; /* CONST vector, 1 row */
        } literal;
        struct {
            uint64_t attr; /* attribute id */
            int ordinal;   /* -1 until bound to positions */
            nb_str name;   /* for messages and EXPLAIN */
        } column;
        struct {
            const nb_function *fn;
            nb_kernel_fn kernel;
            const void *
                payload; /* what the binder prepared (compiled pattern, zone, ...); owned by the arena. Follows from fn, type and
                                  * args alone: calls that agree in those are the same computation */
            bool fails;  /* this overload itself may raise, whatever its arguments do */
        } call;
        struct {
            nb_cast_mode mode;
            bool is_explicit; /* the user wrote it: shown in messages and column names */
        } cast;
        struct {
            const nb_aggregate *fn;
            const nb_agg_ops *ops;
            const void *payload;
            bool distinct;
            nb_expr *filter; /* NULL when none */
            bool ignore_nulls;
        } agg;
        struct {
            nb_expr *fn; /* AGG, or CALL of a window-only function */
            nb_window_spec *spec;
            bool ignore_nulls; /* lag, lead, nth_value ... IGNORE NULLS */
        } window;
        struct {
            nb_plan *plan;
            nb_subquery_kind kind;
            uint64_t id;
        } subquery;
        struct {
            uint64_t *attrs;
            int n_attrs;
        } lambda;
        struct {
            nb_str name;
            uint64_t attr;   /* id of the attribute that it makes */
            nb_str metadata; /* JSON */
        } alias;
    } u;
};

/* The deepest expression that binds (a chain of additions as much as nested calls); deeper ones raise. */
#define NB_EXPR_MAX_DEPTH 2000
nb_status nb_expr_check_depth(const nb_expr *e, nb_error *err);
/* Attaches the place an expression came from to an error that has none; origin may be NULL. */
void nb_expr_error_context(const nb_origin *origin, nb_error *err);

/* ---- construction; all in the arena, NULL when out of memory -------------------------------------------------------------------- */

nb_expr *
nb_expr_new(nb_arena *arena, nb_expr_kind kind, const nb_type *type, bool nullable, int n_args);
nb_expr *
nb_expr_column(nb_arena *arena, uint64_t attr, nb_str name, const nb_type *type, bool nullable);
nb_expr *nb_expr_literal(nb_arena *arena, const nb_vector *one_row); /* copies the value */
nb_expr *nb_expr_null(nb_arena *arena, const nb_type *type);
nb_expr *nb_expr_bool(nb_arena *arena, bool v);
nb_expr *nb_expr_int32(nb_arena *arena, int32_t v);
nb_expr *nb_expr_int64(nb_arena *arena, int64_t v);
nb_expr *nb_expr_double(nb_arena *arena, double v);
nb_expr *nb_expr_string(nb_arena *arena, nb_str v);
nb_expr *nb_expr_alias(nb_arena *arena, nb_expr *child, nb_str name, uint64_t attr);
/* A node like e with other arguments (flags computed anew). */
nb_expr *nb_expr_with_args(nb_arena *arena, const nb_expr *e, nb_expr **args);
/* Derives deterministic, can_fail and foldable from the arguments and the function. */
void nb_expr_set_flags(nb_expr *e);

bool nb_expr_equal(const nb_expr *a,
                   const nb_expr *b); /* same computation (attribute ids, literals, functions) */
/* The same of expressions that are bound: columns are equal by their positions, whatever attributes they name. */
bool nb_expr_equal_bound(const nb_expr *a, const nb_expr *b);
uint64_t nb_expr_hash(const nb_expr *e);
/* Raises UNSUPPORTED_EXPR_FOR_OPERATOR for an aggregate or a call over a window that stands where a value of a row is wanted. */
nb_status nb_expr_raise_misplaced(nb_arena *arena, const nb_expr *e, nb_error *err);
/* Spark's spelling in EXPLAIN and messages: "(a#1 + 2)" with ids, or "(a + 2)" without. */
const char *nb_expr_sql(nb_arena *arena, const nb_expr *e, bool with_ids);

/* Calls fn on e and all below it (pre-order); stops when fn returns false. Does not enter subquery plans. */
bool nb_expr_visit(nb_expr *e, bool (*fn)(nb_expr *e, void *payload), void *payload);
/* Whether no value below comes from chance or from a row's place, as rand()'s and monotonically_increasing_id()'s do. raise_error() is not of them. */
bool nb_expr_is_repeatable(nb_expr *e);
/* Sets marks[i] for each of the n columns that one of the expressions, which are bound, reads. Parameters of lambdas, numbered behind the columns, are none. */
void nb_exprs_mark_columns(nb_expr *const *exprs, int n_exprs, bool *marks, int n);
/* Rebuilds bottom-up: fn may return another node; shares what did not change. */
nb_status nb_expr_rewrite(nb_arena *arena, nb_expr *e,
                          nb_status (*fn)(nb_arena *, nb_expr *in, nb_expr **out, void *payload,
                                          nb_error *err),
                          void *payload, nb_expr **out, nb_error *err);
/* Copies the tree with every COLUMN's ordinal set to the position of its attribute in attrs[0..n). Internal error when one is missing. */
nb_status nb_expr_bind_ordinals(nb_arena *arena, const nb_expr *e, const uint64_t *attrs, int n,
                                nb_expr **out, nb_error *err);

/* ---- evaluation -------------------------------------------------------------------------------------------------------------------- */

/* What functions may ask about the session: read-only while a query runs. */
typedef struct nb_session_info {
    bool ansi;
    nb_str time_zone;       /* "America/Sao_Paulo" */
    const nb_zone *zone;    /* expr/zone.h; loaded once per query */
    int64_t query_start_us; /* current_timestamp() */
    nb_str user, catalog, database, version;
    const nb_config *config;
    const nb_cancel_flag *cancel; /* of the query, for functions that wait; may be NULL */
} nb_session_info;

/* One thread's evaluator of a list of expressions. */
typedef struct nb_eval nb_eval;

/* exprs have ordinals. partition seeds rand() and the like. The info and expressions are borrowed. */
nb_status nb_eval_new(nb_arena *arena, nb_expr *const *exprs, int n, const nb_session_info *info,
                      nb_eval **out, nb_error *err);
/* Tells stateful functions that rows of this partition come next (first row number within it: row0). */
void nb_eval_set_partition(nb_eval *ev, int32_t partition, int64_t row0);
/* Evaluates expression i for all rows of the batch; result dense (batch->n_rows), may be FLAT, CONST or DICT, lives until the batch's arena
 * is reset, or the evaluator runs again or is freed (results over dictionaries are its own). */
nb_status nb_eval_run(nb_eval *ev, int i, nb_batch *batch, nb_vector *out, nb_error *err);
/* For a boolean expression: row numbers where it is true, ascending, in the batch's arena. Conjunctions narrow the rows one by one. */
nb_status nb_eval_filter(nb_eval *ev, int i, nb_batch *batch, const uint32_t **keep,
                         int64_t *n_keep, nb_error *err);
/* Frees what functions hold outside the arena. */
void nb_eval_free(nb_eval *ev);

/* Evaluates a foldable expression once: constant folding, options, LIMIT. *out is a literal. */
nb_status nb_expr_fold(nb_arena *arena, nb_expr *e, const nb_session_info *info, nb_expr **out,
                       nb_error *err);

#endif
