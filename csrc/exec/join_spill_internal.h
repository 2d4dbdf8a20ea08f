/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_spill_internal.h: partitions and rounds.
 */
#ifndef NB_EXEC_JOIN_SPILL_INTERNAL_H
#define NB_EXEC_JOIN_SPILL_INTERNAL_H

#include "exec/block_files.h"
#include "exec/join_spill.h"

#define NB_JOIN_LEVELS 4 /* of the tree */

typedef struct part_block {
    nb_block_ref ref;
    int file;
    int64_t first_row; /* of the probe rows of the partition's round */
} part_block;

typedef struct block_list {
    part_block *blocks;
    int n, cap;
} block_list;

typedef struct part {
    int level;
    uint64_t path;   /* what the low bits of its rows' hashes are */
    int first_child; /* -1: a leaf */
    int round;
    block_list build, probe;
    int64_t n_rows, n_bytes;  /* build */
    uint64_t least, greatest; /* hashes */
} part;

typedef struct join_round {
    int *parts;
    int n_parts;
    int n_passes;
    int *pass_at;      /* n_passes + 1 numbers of build blocks; only with several passes */
    part_block *probe; /* of all parts, once they have been asked for */
    int n_probe;
    int64_t probe_rows;
    uint8_t *found;
} join_round;

struct nb_join_spill {
    const nb_exec_ctx *ctx;
    nb_node *node;
    nb_pool *pool;
    nb_arena *arena;
    const nb_type *build, *probe; /* schemas; probe: with partition and hash */
    const int *key_cols;
    const bool *null_safe;
    int n_keys;
    nb_key_layout layout;
    nb_block_files build_files[NB_JOIN_LEVELS], probe_files;
    bool probe_ended;
    pthread_mutex_t lock; /* guards what follows while rows are added */
    part *parts;
    int n_parts, cap_parts;
    bool started, has_nulls;
    int64_t n_rows;
    /* after end_build */
    join_round *rounds;
    int n_rounds;
};

/* ---- join_spill.c ---- */

/* Hashes of n rows of keys; nulls: 1 where a key that is not null-safe is null. */
nb_status nb_join_spill_hash(const nb_join_spill *s, const nb_vector *keys, int64_t n,
                             nb_arena *scratch, uint64_t *hashes, uint8_t *nulls);
/* The partition of a hash. */
int nb_join_spill_part(const nb_join_spill *s, uint64_t hash);
/* Writes the first n_cols columns of the rows to the partitions of their hashes. */
nb_status nb_join_spill_scatter(nb_join_spill *s, bool is_build, const nb_table *rows, int n_cols,
                                const uint64_t *hashes, nb_block_files *files, nb_error *err);
/* Rows of build blocks [from, to) of a partition, appended to the builder. */
nb_status nb_join_spill_read(nb_join_spill *s, const part *p, int from, int to, nb_chunk_builder *b,
                             nb_error *err);

#endif
