/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_table.h: the build side of a join: rows found by their keys.
 *
 * Rows are numbers in the build side's table. Rows with equal keys form a chain in ascending order; a look-up gives the first one. Rows with a
 * null in a key that is not null-safe are in no chain. Read-only once built.
 */
#ifndef NB_EXEC_JOIN_TABLE_H
#define NB_EXEC_JOIN_TABLE_H

#include "exec/key_image.h"
#include "exec/sort_rows.h"

#define NB_NO_ROW UINT32_MAX

typedef struct nb_join_table {
    nb_pool *pool;
    nb_arena *arena;
    const nb_table *rows;
    nb_key_layout layout;
    int n_keys;
    const bool *null_safe;
    bool has_nulls;  /* some row has a null in a key that is not null-safe */
    bool has_chains; /* some key has several rows */
    uint32_t *next;  /* per row the next one of its chain; NB_NO_ROW ends it */
    /* by hash: slots of | hash32 | row + 1 |, home = top bits; each partition wraps within itself */
    uint64_t *slots;
    int part_bits, sub_bits;
    uint8_t *images;
    /* by value, for one integer key of a dense range: the first row + 1 */
    uint32_t *dense;
    int64_t dense_base;
    uint64_t dense_width;
} nb_join_table;

/* key_cols: columns of the table that hold the keys. All memory from pool. */
nb_status
nb_join_table_build(const nb_exec_ctx *ctx, nb_pool *pool, const nb_table *rows,
                    const int *key_cols, const bool *null_safe, int n_keys, nb_join_table **out);
void nb_join_table_free(nb_join_table *t);

/* heads[i]: the first row with the keys of row i of keys (n <= NB_BATCH_ROWS), else NB_NO_ROW. nulls (may be NULL): set to 1 where a
 * key that is not null-safe is null. */
nb_status nb_join_table_find(const nb_join_table *t, const nb_vector *keys, int64_t n,
                             nb_arena *scratch, uint32_t *heads, uint8_t *nulls);

#endif
