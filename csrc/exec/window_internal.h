/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window_internal.h: what the window_*.c files share.
 *
 * Rows are sorted by partition and order first; everything below speaks of positions in that order. A block is a run of whole partitions that one
 * thread computes at once: its functions' results are vectors of the block's rows.
 */
#ifndef NB_EXEC_WINDOW_INTERNAL_H
#define NB_EXEC_WINDOW_INTERNAL_H

#include "exec/operators.h"
#include "exec/sort_rows.h"

typedef enum nb_window_kind {
    NB_WINDOW_AGGREGATE,
    NB_WINDOW_ROW_NUMBER,
    NB_WINDOW_RANK,
    NB_WINDOW_DENSE_RANK,
    NB_WINDOW_PERCENT_RANK,
    NB_WINDOW_CUME_DIST,
    NB_WINDOW_NTILE,
    NB_WINDOW_LAG, /* LEAD too, by the sign of `offset` */
    NB_WINDOW_NTH_VALUE,
} nb_window_kind;

/* One function of the node. */
typedef struct nb_window_fn {
    nb_window_kind kind;
    const nb_expr *expr; /* the WINDOW */
    const nb_expr *fn;   /* its AGG or CALL */
    int *args;           /* columns of the sorted table */
    int n_args;
    int filter;     /* column, or -1 */
    int64_t offset; /* rows to look away; n of ntile and nth_value */
    int fallback;   /* column of lag's and lead's third argument, or -1 */
    bool ignore_nulls;
    const nb_frame *frame;
    /* RANGE bounds with offsets, in units of the order column's own type */
    int64_t lower_int, upper_int;
    double lower_float, upper_float;
    /* columns of bounds that no unit can say, months; or -1 */
    int lower_at, upper_at;
} nb_window_fn;

/* What functions that go on from row to row have come to when a block ends within a partition. */
typedef struct nb_window_carry {
    bool active;          /* the block's first partition goes on from it */
    int64_t rows, groups; /* of the partition before this block: rows, groups of peers */
    uint8_t **states;     /* per function; aggregates only */
} nb_window_carry;

typedef struct nb_window {
    nb_pool *pool;
    nb_arena *arena;
    const nb_session_info *info;
    const nb_cancel_flag *cancel;
    nb_table *table; /* child's columns, then those made for keys and arguments */
    nb_row_index index;
    uint32_t *ids;   /* n_rows, in order of partition and order */
    uint8_t *starts; /* n_rows: bit 0 = a partition begins, bit 1 = a peer group begins */
    int64_t n_rows;
    int64_t *blocks; /* n_blocks + 1 positions */
    int64_t n_blocks;
    int n_child; /* columns of the child */
    nb_sort_col *keys;
    int n_partition, n_keys; /* of keys: partition columns, then order columns */
    nb_window_fn *fns;
    int n_fns;
    nb_window_carry *carry; /* NULL: blocks are whole partitions */
} nb_window;

/* Goes partition `p` on from the block before? */
NB_INLINE bool
nb_window_is_carried(const nb_window *w, int64_t from)
{
    return w->carry != NULL && w->carry->active && from == 0;
}

/* A partition: positions [from, to); rows of args are numbered from block_from. */
typedef struct nb_window_part {
    int64_t from, to;
} nb_window_part;

/* The frame of each row of the partition: lo[i], hi[i] (absolute positions, lo <= hi) for position from + i. */
nb_status nb_window_frames(const nb_window *w, const nb_window_fn *fn, nb_window_part part,
                           nb_arena *arena, int64_t *lo, int64_t *hi, nb_error *err);
/* Where results go: to rows of flat, which is allocated; values with parts of their own (lists, structs) into parts first, in the order of the rows. */
typedef struct nb_window_out {
    nb_vector *flat;
    const nb_vector **parts;
    int n_parts, cap;
} nb_window_out;

/* Results of an aggregate for the partition's rows, for rows [at, at + part length) of out. args are the gathered arguments, filter (may be NULL) a boolean
 * vector; both start at the partition's first row. */
nb_status nb_window_aggregate(const nb_window *w, const nb_window_fn *fn, const nb_vector *args,
                              const nb_vector *filter, const int64_t *lo, const int64_t *hi,
                              nb_window_part part, nb_arena *arena, nb_window_out *out, int64_t at,
                              nb_error *err);
/* After the last row: flat holds all results. */
nb_status nb_window_out_close(nb_window_out *out, nb_arena *arena);

size_t nb_window_state_bytes(const nb_window_fn *fn); /* of an aggregate */

/* ---- window.c ---- */

/* Makes `starts`, from table, index and ids. */
nb_status nb_window_mark(nb_window *w, int n_threads);
/* Results of all functions for the positions [from, to): whole partitions, or up to what is carried. */
nb_status nb_window_compute(const nb_window *w, int64_t from, int64_t to, nb_arena *arena,
                            nb_vector *results, nb_error *err);
/* Positions [at, at + n) as a batch: the child's columns, then the results, which begin at base. */
nb_status nb_window_rows(const nb_window *w, const nb_vector *results, int64_t base, int64_t at,
                         int64_t n, nb_arena *scratch, nb_batch *out);

/* ---- window_stream.c ---- */

/* Over rows in order, with a schema of which plan->keys and arguments are columns. plan outlives the source; rows is moved. */
nb_status nb_window_stream_new(const nb_exec_ctx *ctx, nb_node *node, const nb_window *plan,
                               const nb_type *rows_schema, nb_source *rows, nb_source **out);

/* Columns cols[0..n) of positions [from, to), as flat vectors of any length. */
nb_status nb_window_gather(const nb_window *w, const int *cols, int n, int64_t from, int64_t to,
                           nb_arena *arena, nb_vector *out);

#endif
