/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages_internal.h: pieces of a plan under the knife: shared by the files of stages.c.
 */
#ifndef NB_CLUSTER_STAGES_INTERNAL_H
#define NB_CLUSTER_STAGES_INTERNAL_H

#include "cluster/fragment_internal.h"
#include "cluster/stages.h"

typedef struct nb_piece_branch {
    nb_node *node;
    int n_tasks;
    bool aligned; /* batches have the numbers of Spark's partitions */
    bool whole;   /* and must not be cut within one */
} nb_piece_branch;

typedef struct nb_piece {
    nb_node *local; /* NULL: spread */
    nb_piece_branch *branches;
    int n;
} nb_piece;

typedef struct nb_cutter {
    nb_arena *arena;
    const nb_stage_options *options;
    const nb_session_info *info;
    nb_stages *out;
    int cap;
    nb_arena *scratch;
    nb_pointers shared; /* aggregations that the plan has several times: stages_aggregate.c */
} nb_cutter;

/* How the rows of a stage go to buckets. */
typedef struct nb_put {
    nb_put_kind kind;
    nb_expr **keys;
    nb_sort_key *order;
    int n_keys, n_buckets;
} nb_put;

nb_status nb_cut(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err);
nb_status nb_cut_aggregate(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err);
nb_status nb_cut_join(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err);
nb_status nb_cut_window(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err);
nb_status nb_cut_sort(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err);
nb_status nb_cut_union(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err);
nb_status nb_cut_exchange(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err);

/* NULL: out of memory. */
nb_node *nb_cut_node(nb_cutter *c, nb_node_kind kind, const nb_type *schema, int n_children);
/* The node with other children. */
nb_node *nb_cut_node_over(nb_cutter *c, const nb_node *node, nb_node *first, nb_node *second);
nb_expr *nb_cut_column(nb_cutter *c, const nb_type *schema, int i);

bool nb_cut_all_travel(nb_cutter *c, nb_expr *const *exprs, int n);
bool nb_cut_keys_travel(nb_cutter *c, const nb_sort_key *keys, int n);
bool nb_cut_deterministic(nb_expr *const *exprs, int n);

nb_status nb_cut_stage(nb_cutter *c, int n_parts, nb_stage **out);
nb_status nb_cut_part(nb_cutter *c, nb_stage *stage, nb_node *root, int n_tasks, bool whole);
/* Ends the piece: its rows go to buckets. Keys are over its columns. */
nb_status nb_cut_put(nb_cutter *c, const nb_piece *p, const nb_put *how, int *stage_out);
nb_status nb_cut_read(nb_cutter *c, int stage, nb_read_kind kind, const nb_type *schema,
                      double est_rows, nb_node **out);
/* Of rows with equal keys one per task is left, where that is worth its while, and of its columns the keys, over which *keys are then. */
nb_status nb_cut_keys_once(nb_cutter *c, nb_piece *p, nb_expr ***keys, int n);
/* All rows of the piece, for everybody who reads the node. */
nb_status nb_cut_everything(nb_cutter *c, const nb_piece *p, nb_node **out);
/* Rows by the hash of keys: what each task reads. */
nb_status nb_cut_shuffled(nb_cutter *c, const nb_piece *p, nb_expr **keys, int n_keys,
                          int n_buckets, nb_node **out);
/* Keys of the build side's stage go to the stages with scans below the probe side's, if they turn out to be few. The join is the plan's. */
nb_status nb_cut_reductions(nb_cutter *c, const nb_node *join, int build, int probe);
/* Bytes of a node's rows, as estimated; < 0: unknown. And into how many buckets they should go. */
double nb_cut_bytes(const nb_node *node);
int nb_cut_buckets(const nb_cutter *c, double bytes);

nb_status nb_cut_spread(nb_cutter *c, nb_node *node, int n_tasks, bool aligned, nb_piece *out);
/* The driver gathers the rows. */
nb_status nb_cut_to_driver(nb_cutter *c, nb_piece *p);
/* The node stays with the driver. */
nb_status nb_cut_keep_local(nb_cutter *c, const nb_node *node, nb_piece *children, nb_piece *out);
/* The node goes onto every branch. out may be p. */
nb_status nb_cut_onto_branches(nb_cutter *c, const nb_node *node, const nb_piece *p, nb_piece *out);
/* How many of Spark's partitions the rows of the piece are of; numbers of partitions are below that. */
nb_status nb_cut_partitions(nb_cutter *c, const nb_piece *p, int *out, nb_error *err);
/* A READ node of the driver's says so too, for what counts them above. */
nb_status nb_cut_know_partitions(nb_cutter *c, const nb_piece *p, nb_error *err);
/* Do batches of all branches have the numbers of Spark's partitions? */
bool nb_cut_is_aligned(const nb_piece *p);
/* Can something that counts rows go onto the branches? From then on they keep whole partitions. */
bool nb_cut_whole_partitions(nb_piece *p);

#endif
