/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_rank.h: strings of few different values as the ranks of these values.
 */
#ifndef NB_EXEC_SORT_RANK_H
#define NB_EXEC_SORT_RANK_H

#include "exec/exec.h"

typedef struct nb_sort_rank nb_sort_rank;

/* *out: NULL when the column of strings has too many values. Everything is charged to pool; n_threads may work on it. */
nb_status nb_sort_rank_new(const nb_exec_ctx *ctx, nb_pool *pool, const nb_table *table, int column,
                           int n_threads, nb_sort_rank **out);
void nb_sort_rank_free(nb_sort_rank *r);
/* Ranks are below this. */
uint32_t nb_sort_rank_values(const nb_sort_rank *r);
/* Ranks of rows [from, from + n) of a chunk, ascending as the values; of nulls 0. */
void nb_sort_rank_make(const nb_sort_rank *r, int chunk, int64_t from, int64_t n, uint64_t *ranks);

#endif
