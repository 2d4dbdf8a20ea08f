/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join.h: the join operator of the probe side's stream.
 *
 *     nb_join_new → nb_join_hold → nb_join_add_to (the stream)
 */
#ifndef NB_EXEC_JOIN_H
#define NB_EXEC_JOIN_H

#include "exec/join_spill.h"
#include "exec/pipeline.h"

/* Which side goes into the table; not every type allows the left one. */
bool nb_join_builds_left(const nb_node *node);
/* Do rows of the build side come out when the probe side has passed? */
bool nb_join_has_drain(const nb_node *node);
/* Puts the chunks of *rows (owned by the caller, replaced) together, so that gathering its rows needs no search for the chunk; leaves it
 * alone when memory is short, rows are too many or on disk. Releases *rows on failure. */
nb_status nb_join_one_chunk(const nb_exec_ctx *ctx, nb_table **rows);
/* Sets u.join.reads of all joins of a plan that is about to run; memory lives as long as the run. */
nb_status nb_join_mark_reads(nb_arena *arena, nb_node *root);
/* build: schema of the rows of the build side, keys in columns key_cols[0..n_keys). The operator is to be opened (nb_run_open) at once. */
nb_status
nb_join_new(nb_run *run, nb_node *node, const nb_type *build, int *key_cols, nb_operator **out);
const bool *nb_join_null_safe(const nb_operator *op); /* per key */
/* Makes the table of rows (referenced); after NB_NOMEM what it has made is to be released. */
nb_status nb_join_hold(nb_operator *op, nb_table *build);
void nb_join_release(nb_operator *op);

/* Appends the join to the stream of its probe side, with the rows that come out when that has passed. spill: all build rows (moved; its build
 * side has not ended), or NULL: op holds them. */
nb_status nb_join_add_to(nb_run *run, nb_operator *op, nb_join_spill *spill, nb_stream *stream,
                         nb_error *err);

#endif
