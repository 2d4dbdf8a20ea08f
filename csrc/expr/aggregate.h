/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate.h: aggregate functions as rows of functions/aggregate*.def.
 *
 *   NB_AGGREGATE("name|alias", min_args, max_args, binder, flags, "help", "example", "result")
 *
 * A bound aggregate is a set of loops over fixed-size states that live in rows of a hash table (or alone, without GROUP BY). The framework
 * evaluates arguments, applies FILTER and DISTINCT, and drops no rows: the loops skip nulls themselves. States are plain bytes, moved by
 * memcpy; what does not fit (lists, sets, sketches) hangs off a pointer into the arena that the caller gives, and such aggregates provide
 * serialize/deserialize for spilling and exchange.
 */
#ifndef NB_EXPR_AGGREGATE_H
#define NB_EXPR_AGGREGATE_H

#include "expr/registry.h"

typedef struct nb_agg_ctx {
    nb_arena *memory;  /* lives as long as the states: for what hangs off them */
    nb_arena *scratch; /* this batch */
    const nb_session_info *info;
    const nb_expr *expr; /* the AGG node */
    const void *payload;
    uint64_t
        order; /* morsel order of the batch, for first/last/collect_list: results do not depend on threads */
    nb_error *err;
} nb_agg_ctx;

struct nb_agg_ops {
    int state_size, state_align; /* align is 1, 2, 4, 8 or 16 */
    /* An all-zero state is the empty one when NULL. */
    void (*init)(nb_agg_ctx *ctx, void *state);
    /* Row i of args goes to the state at rows[i] + offset. args are FLAT or CONST. row0 = number of the first row in its morsel. */
    nb_status (*update)(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows,
                        int offset, int64_t row0);
    /* All rows into one state (no GROUP BY; also one run of equal keys). */
    nb_status (*update_one)(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state,
                            int64_t row0);
    /* For one group: n rows without nulls, whose arguments add up to total (of no meaning without an argument); NULL when that is not all that
     * matters of them. */
    void (*add_total)(void *state, int64_t total, int64_t n);
    /* into := into + from, n pairs: partial states of other threads or tasks. */
    nb_status (*merge)(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset,
                       int64_t n);
    /* States to values: out is FLAT with n rows allocated as for kernels, validity NULL. */
    nb_status (*finalize)(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n,
                          nb_vector *out);
    /* NULL when the state is self-contained bytes. */
    nb_status (*serialize)(nb_agg_ctx *ctx, const void *state, nb_strbuf *out);
    nb_status (*deserialize)(nb_agg_ctx *ctx, nb_str bytes, void *state);
    /* For sliding window frames: takes rows out again; NULL when it cannot. */
    nb_status (*retract_one)(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state);
};

typedef struct nb_bound_agg {
    nb_bound_call
        call; /* args, type, nullable, payload, replacement as for scalars (kernel unused) */
    const nb_agg_ops *ops;
    bool ignore_nulls; /* first(x, true) ... */
} nb_bound_agg;

struct nb_aggregate {
    const char *names;
    int min_args, max_args;
    nb_status (*bind)(nb_bound_agg *agg, nb_error *err);
    unsigned flags; /* NB_AGG_* */
    const char *help, *example, *result;
};

enum {
    NB_AGG_DISTINCT_NOOP = 1 << 0,   /* min, max, bool_and ...: DISTINCT changes nothing */
    NB_AGG_ORDER_SENSITIVE = 1 << 1, /* first, last, collect_list ...: uses ctx->order and row0 */
    NB_AGG_NO_SQL = 1 << 2,          /* for DataFrames: SQL text does not know the name */
};

const nb_aggregate *nb_aggregate_find(nb_str name);
nb_str nb_aggregate_name(const nb_aggregate *fn); /* the first of a row's names */
const nb_aggregate *nb_aggregate_at(int i);
nb_status nb_aggregate_bind(nb_arena *arena, const nb_session_info *info, const nb_aggregate *fn,
                            nb_str name, nb_expr **args, int n_args, bool distinct, nb_expr *filter,
                            const nb_origin *origin, nb_expr **out, nb_error *err);
#endif
