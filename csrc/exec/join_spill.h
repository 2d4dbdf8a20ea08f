/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_spill.h: the rows of a join that does not fit into memory: partitions by the hash of the keys, on disk.
 *
 *     nb_join_spill_new → add build rows* (any thread) → end_build → [round 0 is loaded, probe rows pass:] route, add probe rows* (any thread)
 *                       → round by round: load its build rows, read its probe rows → free
 *
 * A round is what is in memory at once: the build rows of some partitions. Rounds of one partition that is too large, however its hash is
 * split (one key has most of the rows), hold a part of it each: their probe rows are read once per part. Such a round has passes.
 */
#ifndef NB_EXEC_JOIN_SPILL_H
#define NB_EXEC_JOIN_SPILL_H

#include "exec/join_table.h"
#include "exec/pipeline.h"

typedef struct nb_join_spill nb_join_spill;

/* Bytes per row that a join table takes besides the rows. */
#define NB_JOIN_ROW_BYTES 72

/* build: the build side's rows, keys in columns key_cols[0..n_keys) (borrowed, as null_safe). node: metrics. */
nb_status
nb_join_spill_new(const nb_exec_ctx *ctx, nb_node *node, const nb_type *build, const int *key_cols,
                  const bool *null_safe, int n_keys, nb_join_spill **out);
void nb_join_spill_free(nb_join_spill *s); /* NULL is fine */

/* The chunks are moved (also on failure). */
nb_status nb_join_spill_add_build(nb_join_spill *s, nb_chunk **chunks, int n, nb_error *err);
bool nb_join_spill_started(nb_join_spill *s);
/* Splits what is too large and makes the rounds. probe: the probe side's rows. */
nb_status nb_join_spill_end_build(nb_join_spill *s, const nb_type *probe, nb_error *err);

int nb_join_spill_rounds(const nb_join_spill *s);
int nb_join_spill_passes(const nb_join_spill *s, int round);
int64_t nb_join_spill_build_rows(const nb_join_spill *s); /* of all rounds */
bool nb_join_spill_has_nulls(const nb_join_spill *s);     /* as nb_join_table.has_nulls */

/* ---- probe rows ---- */

/* hashes[i] of n rows, and whether they belong to round 0: in now[0..n). Rows with a null in a key that is not null-safe do: nothing matches
 * them. */
nb_status nb_join_spill_route(const nb_join_spill *s, const nb_vector *keys, int64_t n,
                              nb_arena *scratch, uint64_t *hashes, uint8_t *now);
/* The probe side's columns, then the hash as a bigint and the Spark partition as an int. */
const nb_type *nb_join_spill_probe_schema(const nb_join_spill *s);
/* A chunk of that schema; moved (also on failure). */
nb_status nb_join_spill_add_probe(nb_join_spill *s, nb_chunk *chunk, nb_error *err);
size_t nb_join_spill_probe_bytes(const nb_join_spill *s); /* that a thread gathers before it does */

/* ---- rounds ---- */

/* The build rows of a pass of a round as one table; owned by the caller. */
nb_status nb_join_spill_load(nb_join_spill *s, int round, int pass, nb_table **out, nb_error *err);
/* The probe rows of a round, once all have been added. The spill outlives the source. */
nb_status nb_join_spill_source(nb_join_spill *s, int round, nb_source **out, nb_error *err);
/* Rows of a round of several passes: found flags per probe row, all of one block from number first_row on (see the source's order: number of the
 * block). */
uint8_t *nb_join_spill_found(nb_join_spill *s, int round, uint64_t block);

#endif
