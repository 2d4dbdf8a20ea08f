/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join.h: the join operator of the probe side's stream.
 */
#ifndef NB_EXEC_JOIN_H
#define NB_EXEC_JOIN_H

#include "exec/pipeline.h"

/* Which side goes into the table; not every type allows the left one. */
bool nb_join_builds_left(const nb_node *node);
/* Do rows of the build side come out when the probe side has passed? Then nb_stream_add_drain follows the operator. */
bool nb_join_has_drain(const nb_node *node);
/* Puts the chunks of *rows (owned by the caller, replaced) together, so that gathering its rows needs no search for the chunk; leaves it
 * alone when memory is short or rows are too many. Releases *rows on failure. */
nb_status nb_join_one_chunk(const nb_exec_ctx *ctx, nb_table **rows);
/* build: the rows of the build side (referenced), keys in columns key_cols[0..n_keys). */
nb_status
nb_join_new(nb_run *run, nb_node *node, nb_table *build, int *key_cols, nb_operator **out);

#endif
