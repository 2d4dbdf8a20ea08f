/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapped_chunk.h: chunks whose data lies in a file.
 *
 * To all readers such a chunk is one as any other, in any order and by any number of threads: its vectors point into a mapped, unlinked file, whose
 * pages the kernel brings and drops. It costs the budget next to nothing. For rows that must be there as a table, however many they
 * are: caches, the inner side of nested loops, what is repartitioned. Rows that are read once, in order, go into blocks (row_block.h).
 */
#ifndef NB_EXEC_MAPPED_CHUNK_H
#define NB_EXEC_MAPPED_CHUNK_H

#include "exec/pipeline.h"

/* Puts a chunk in a file in the place of each of the n (of flat columns), which are freed; they stay as they are on failure. node: metrics; may
 * be NULL. */
nb_status nb_mapped_chunks_new(nb_pool *pool, nb_str dir, nb_node *node, const nb_type *schema,
                               nb_chunk **chunks, int n, nb_error *err);

/* A collect's rows of the schema that do not fit into memory become such chunks of its table. */
nb_status
nb_collect_mapped(nb_run *run, nb_operator *collect, nb_node *node, const nb_type *schema);

#endif
