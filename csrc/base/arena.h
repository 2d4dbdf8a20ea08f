/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h: many small things that die together: a plan, an analysed query, the vectors of one batch.
 *
 * Blocks come from a pool when one is given (so a query's plans and scratch vectors count against its budget), else from
 * malloc. nb_arena_reset keeps the blocks for the next round: a pipeline resets its arena per batch and touches the same,
 * cache-warm memory again. One thread at a time. With NB_DEBUG_MEM each piece is its own malloc, so that AddressSanitizer sees
 * overruns and use after reset.
 */
#ifndef NB_BASE_ARENA_H
#define NB_BASE_ARENA_H

#include "base/status.h"

typedef struct nb_arena nb_arena;
struct nb_pool;

/* pool may be NULL. NULL when out of memory. */
nb_arena *nb_arena_new(struct nb_pool *pool);
void nb_arena_free(nb_arena *arena); /* NULL is fine */
void nb_arena_reset(nb_arena *arena);
struct nb_pool *nb_arena_pool(const nb_arena *arena); /* borrowed; may be NULL */

/* n bytes aligned to 16, uninitialised; NULL when out of memory or budget. n == 0 gives a valid pointer. */
void *nb_arena_alloc(nb_arena *arena, size_t n);
/* The same aligned to 64, for vectors. */
void *nb_arena_alloc64(nb_arena *arena, size_t n);
void *nb_arena_zalloc(nb_arena *arena, size_t n); /* zeroed */
/* Room for n elements of size bytes; NULL also on overflow of the product. */
void *nb_arena_array(nb_arena *arena, size_t n, size_t size);
size_t nb_arena_bytes(const nb_arena *arena); /* held, for tests and metrics */
/* Makes room for one more behind n items: the array itself, or a copy with twice the room (*cap is its new size); NULL when out of memory. */
void *nb_arena_grow(nb_arena *arena, void *items, int n, int *cap, size_t size);

#define NB_ARENA_NEW(arena, T)      ((T *)nb_arena_zalloc((arena), sizeof(T)))
#define NB_ARENA_ARRAY(arena, T, n) ((T *)nb_arena_array((arena), (size_t)(n), sizeof(T)))

#endif
