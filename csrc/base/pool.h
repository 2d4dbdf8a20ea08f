/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h: memory that grows with the data, counted in a tree session → query → operator.
 *
 * Each pool adds what it holds to its parent's count and asks it for budget; the root's limit is `spark.memory.limit`.
 * When the budget refuses, calls return NULL / NB_NOMEM and the operator spills and tries again. Counting is done in
 * chunks (64 KiB) per pool, so that threads seldom meet at the parent. Thread-safe.
 */
#ifndef NB_BASE_POOL_H
#define NB_BASE_POOL_H

#include "base/status.h"

typedef struct nb_pool nb_pool;

/* limit 0 = only the parent's limit; parent NULL = a root. name is copied. NULL when out of memory. */
nb_pool *nb_pool_new(nb_pool *parent, const char *name, size_t limit);
void nb_pool_free(nb_pool *pool); /* asserts that it holds nothing in debug builds; NULL is fine */

/* Like malloc/realloc/free, 16-byte aligned; the caller gives sizes back, so no header is needed. */
void *nb_pool_alloc(nb_pool *pool, size_t n);
void *nb_pool_zalloc(nb_pool *pool, size_t n);
void *nb_pool_realloc(nb_pool *pool, void *p, size_t old_n, size_t new_n);
void nb_pool_dealloc(nb_pool *pool, void *p, size_t n);
/* 64-byte aligned; freed by nb_pool_dealloc_aligned. Large blocks ask the kernel for huge pages. */
void *nb_pool_alloc_aligned(nb_pool *pool, size_t n);
void nb_pool_dealloc_aligned(nb_pool *pool, void *p, size_t n);

/* Counts bytes that come from elsewhere (mmap, a library). NB_NOMEM when refused. */
nb_status nb_pool_reserve(nb_pool *pool, size_t n);
void nb_pool_unreserve(nb_pool *pool, size_t n);

size_t nb_pool_used(const nb_pool *pool);
size_t nb_pool_peak(const nb_pool *pool);
size_t
nb_pool_available(const nb_pool *pool); /* until the nearest limit above; SIZE_MAX when none */

/* Gives memory that is kept for later pieces, of any pool, back to the system. */
void nb_pool_trim(void);

/* Tests: the n-th allocation from now on fails once (0 = off), in this pool or below it. */
void nb_pool_fail_nth(nb_pool *pool, long n);

#endif
