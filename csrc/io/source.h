/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h: where the rows of a pipeline come from.
 *
 * A source hands out morsels to N threads: each thread opens a local state and calls next until NB_DONE; the source itself claims the next
 * morsel (an atomic counter) when the thread's current one is used up. Every batch says which morsel it is from (batch->order, ascending in
 * the order in which Spark would deliver the rows) and which Spark partition it belongs to; batches of one morsel come from one thread, in
 * order. So a sink can put rows back into order whatever the number of threads.
 */
#ifndef NB_IO_SOURCE_H
#define NB_IO_SOURCE_H

#include <stdatomic.h>
#include "base/cancel.h"
#include "column/batch.h"
#include "expr/expr.h"

struct nb_pool;

typedef struct nb_source nb_source;

/* Values of an integer column in one morsel, null left out. */
typedef struct nb_morsel_range {
    int64_t low, high;
    int64_t n_rows;   /* at most */
    const char *path; /* of the file that says so; borrowed */
    bool has_nulls;   /* or may have */
} nb_morsel_range;

/* Where a thread is among the morsels that are its own; starts as zeros. */
typedef struct nb_morsel_run {
    int64_t at, end;
} nb_morsel_run;

typedef struct nb_source_ops {
    const char *name;
    /* Any thread, once per thread; memory from pool. */
    nb_status (*open_local)(nb_source *src, struct nb_pool *pool, void **local, nb_error *err);
    /* Up to NB_BATCH_ROWS rows into *out (columns as asked for; scratch is reset by the caller between calls; column data may point
     * into the local state or into shared memory, valid until the next call). NB_DONE when there is nothing left for this thread. */
    nb_status (*next)(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err);
    void (*close_local)(nb_source *src, void *local);
    void (*free)(nb_source *src);
    /* *out: per morsel (by its number) the range of a column, when values that lie strictly between the ends of one range are in no other morsel;
     * else NULL. May be NULL. */
    nb_status (*ranges)(nb_source *src, int column, nb_arena *arena, nb_morsel_range **out,
                        int64_t *n);
} nb_source_ops;

/* The concrete source begins with this. */
struct nb_source {
    const nb_source_ops *ops;
    const nb_type *schema;        /* STRUCT of the columns that next delivers */
    const nb_cancel_flag *cancel; /* may be NULL */
    int n_partitions;             /* Spark partitions: batch->partition is below this */
    int64_t enough_threads;       /* more would find nothing to do; 0: not known */
    size_t thread_bytes; /* memory that a thread will want, about; 0: little, or not known */
    atomic_llong rows_read, bytes_read;          /* progress and metrics */
    atomic_llong bytes_unpacked, values_decoded; /* once a thread's local state is closed */
    /* Morsels 0 … n_morsels - 1 in the order of their partitions, for sources that share them out by nb_source_claim. */
    int64_t n_morsels;
    atomic_llong next_morsel;
    int32_t (*partition_of)(const nb_source *src,
                            int64_t morsel); /* NULL: threads share partitions */
    bool partitions_return; /* rows of a partition may come after those of others */
    bool
        whole_partitions; /* asked for, before the first open_local: one thread gets all of a partition */
};

/* The next morsel for a thread; -1: none is left. */
int64_t nb_source_claim(nb_source *src, nb_morsel_run *run);

#endif
