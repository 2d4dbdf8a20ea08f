/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operators.h: makes the operators of the nodes.
 *
 * Each function gives an operator that is not opened yet, allocated in the run's arena. Streaming ones go to nb_stream_push,
 * sinks to nb_stream_run; a breaker's rows are had by make_source of its sink.
 */
#ifndef NB_EXEC_OPERATORS_H
#define NB_EXEC_OPERATORS_H

#include "exec/pipeline.h"
#include "exec/sort_rows.h"

/* ---- streaming ---- */
nb_status nb_filter_new(nb_run *run, nb_node *node, nb_operator **out);
nb_status nb_project_new(nb_run *run, nb_node *node, nb_operator **out);
nb_status nb_sample_new(nb_run *run, nb_node *node, nb_operator **out);
nb_status nb_expand_new(nb_run *run, nb_node *node, nb_operator **out);
nb_status nb_generate_new(nb_run *run, nb_node *node, nb_operator **out);
nb_status nb_coalesce_new(nb_run *run, nb_node *node, int before, int after, nb_operator **out);

/* Appends columns made by expressions; schema: all fields, old and new. */
nb_status nb_extend_new(nb_run *run, nb_node *node, nb_expr **exprs, int n, nb_operator **out);

/* Rows that so many come before in their partition are not wanted. */
typedef struct nb_group_limit {
    const nb_sort_col
        *keys; /* borrowed: n_keys columns that tell partitions, then the first one of the order */
    int n_keys;
    int64_t limit; /* 0: all are wanted */
    bool values;   /* so many of different order */
} nb_group_limit;
/* Leaves out some of those; *out NULL: it cannot. schema: of the rows. */
nb_status nb_group_limit_new(nb_run *run, const nb_type *schema, const nb_group_limit *limit,
                             nb_operator **out);

/* ---- sinks ---- */

/* Keeps all rows in order; of them only [offset, offset + limit) (limit -1: no bound). Stops threads early where it may. */
nb_status nb_collect_new(nb_run *run, nb_node *node, const nb_type *schema, int64_t limit,
                         int64_t offset, nb_operator **out);
/* Gives all rows away in order while the pipeline runs; at most `limit` of them (-1: no bound). by_partition: a chunk has rows of one Spark
 * partition, whose number it has. The delivery is borrowed. */
nb_status nb_deliver_new(nb_run *run, nb_node *node, const nb_type *schema, int64_t limit,
                         nb_delivery *to, bool by_partition, nb_operator **out);
/* The chunks of a table that is there: shared. */
nb_status nb_deliver_table(nb_delivery *delivery, const nb_table *table, nb_error *err);
/* Keeps the last n rows. */
nb_status
nb_tail_new(nb_run *run, nb_node *node, const nb_type *schema, int64_t n, nb_operator **out);
/* PUT: hands rows to the buckets of the context's exchange. rows: those that an aggregate below passes on, instead of its groups. */
nb_status nb_put_new(nb_run *run, nb_node *node, bool rows, nb_operator **out);
/* Runs the stream of a WRITE node into files of a job (borrowed), while it goes on. partition: of all rows; -1: their own. */
nb_status nb_write_stream(nb_run *run, nb_node *node, nb_stream *stream, nb_write_job *job,
                          int partition, int64_t *n_rows, nb_error *err);
/* GROUP BY and DISTINCT. */
nb_status nb_aggregate_new(nb_run *run, nb_node *node, nb_operator **out);
/* Where rows come in order of the key, the aggregate that was made becomes part of the stream below it, which then has its groups; *done: so it was. */
nb_status nb_aggregate_add_to(nb_run *run, nb_operator *aggregate, nb_stream *below, bool *done,
                              nb_error *err);
/* The rows of a finished collect or tail, moved: the operator has none after that. */
nb_table *nb_collect_table(nb_operator *op);

/* Where the rows of a collect go when they are too many for memory. */
typedef struct nb_overflow {
    /* Any thread. Takes chunks of one thread, in order, and leaves NULL in the place of those that it keeps (also on failure); what stays goes into
     * the table and is not offered again. */
    nb_status (*take)(void *payload, nb_chunk **chunks, int n, nb_error *err);
    void *payload;
    size_t row_bytes;   /* that a row will cost later, besides its own */
    size_t piece_bytes; /* chunks of about this size; 0: as they come */
    bool
        all; /* once some rows have gone there, a thread's last ones do too; those of threads that ended before stay in the table */
} nb_overflow;
void nb_collect_on_overflow(nb_operator *op, nb_overflow overflow);

/* ---- whole tables ---- */

/* Columns columns[0..) of the table (one per field of schema; NULL: the first ones), rows ids[from..to) in that order. ids are moved
 * (n_rows of them in the pool), the table referenced. by_partition: batches end where the chunk's partition changes and have its number. */
nb_status nb_sorted_source_new(nb_pool *pool, nb_table *table, const nb_type *schema,
                               const int *columns, uint32_t *ids, int64_t from, int64_t to,
                               bool by_partition, const nb_cancel_flag *cancel, nb_source **out);

/* The rows of `in` with the partitions of an EXCHANGE by hash, round robin or range, in order of partitions; owned by the caller. range:
 * the columns of `in` that a RANGE goes by. */
nb_status nb_repartition_table(const nb_exec_ctx *ctx, nb_node *node, nb_table *in,
                               const nb_sort_col *range, nb_table **out, nb_error *err);
#endif
