/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sorter_internal.h: runs, and merging them.
 */
#ifndef NB_EXEC_SORTER_INTERNAL_H
#define NB_EXEC_SORTER_INTERNAL_H

#include "exec/block_files.h"
#include "exec/sorter.h"

/* A block of a run: rows in order, their keys in the last column. */
typedef struct sorter_block {
    nb_block_ref ref;
    nb_str first_key;    /* owned by the run's arena */
    uint32_t n_together; /* bytes of it that are the first columns */
} sorter_block;

typedef struct sorter_run {
    int file;         /* of the sorter's */
    int n_partitions; /* of its chunks */
    nb_arena *arena;
    sorter_block *blocks;
    int n_blocks, cap_blocks;
} sorter_run;

struct nb_sorter {
    const nb_exec_ctx *ctx;
    nb_node *node;
    nb_pool *pool;
    nb_arena *arena;
    nb_sorter_spec spec;
    const nb_type *schema; /* of blocks: the rows' and the key */
    pthread_mutex_t lock;  /* guards what follows until the source is made */
    sorter_run *runs;      /* by time, hence also by order within each thread */
    int n_runs, cap_runs;
    nb_block_files *files; /* in the arena */
    int n_partitions;
    size_t widest;       /* what a reader of the largest block needs */
    int64_t block_bytes; /* aim of a block's size */
};

/* ---- sorter.c ---- */

void nb_sorter_run_free(sorter_run *r);
/* Writes n rows with their keys (the last column) as a block of the run. */
nb_status nb_sorter_write(nb_sorter *s, nb_block_writer *w, sorter_run *run, const nb_vector *cols,
                          int64_t n, nb_error *err);
/* The run goes to the end of the list. It is moved, also on failure. */
nb_status nb_sorter_keep_run(nb_sorter *s, sorter_run *run);

/* Merges each fan_in neighbours into one; the old files go. */
nb_status nb_sorter_merge_pass(nb_sorter *s, int fan_in, int n_threads, nb_error *err);

/* ---- sorter_merge.c ---- */

typedef struct sorter_merge sorter_merge;

/* Merges runs[0..n): keys >= low (len 0: all), < high (len 0: all). Both are borrowed until the merge is freed. */
nb_status nb_sorter_merge_new(nb_sorter *s, const sorter_run *runs, int n, nb_str low, nb_str high,
                              sorter_merge **out, nb_error *err);
void nb_sorter_merge_free(sorter_merge *m);
/* The next rows, at most most: columns of the block's schema in cols. *n 0: no more. Strings are borrowed until the next call. */
nb_status nb_sorter_merge_next(sorter_merge *m, int64_t most, nb_arena *arena, nb_vector *cols,
                               int64_t *n, nb_error *err);

#endif
