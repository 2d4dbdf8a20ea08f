/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.c: bump allocation in a list of blocks.
 *
 *   first -> block -> block -> NULL        current: where the next piece comes from; blocks behind it are empty and kept
 *                     ^ current            from before the last reset
 *
 * A piece that does not fit into the current block goes to the first kept block that is long enough, else to a new one.
 * Blocks double from 4 KiB to 256 KiB; a larger piece gets a block of its own size. Under NB_DEBUG_MEM every piece is a
 * block, and reset frees them all.
 */
#include "base/arena.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/pool.h"

#define FIRST_BLOCK ((size_t)4096)
#define LAST_BLOCK  ((size_t)256 * 1024)

typedef struct block {
    struct block *next;
    size_t size; /* of all, this header included */
    size_t used; /* so is this */
    uint64_t reserved_[5];
} block;

_Static_assert(sizeof(block) == 64, "data starts on a cache line");

struct nb_arena {
    nb_pool *pool;
    block *first, *current;
    size_t next_size;
    size_t n_bytes;
};

static block *
block_new(nb_arena *arena, size_t size)
{
    block *b;

    size = NB_ALIGN_UP(size, 64);
    b = arena->pool ? nb_pool_alloc_aligned(arena->pool, size) : aligned_alloc(64, size);
    if (b == NULL) {
        return NULL;
    }
    b->next = NULL;
    b->size = size;
    b->used = sizeof(block);
    arena->n_bytes += size;
    return b;
}

static void
block_free(nb_arena *arena, block *b)
{
    arena->n_bytes -= b->size;
    if (arena->pool) {
        nb_pool_dealloc_aligned(arena->pool, b, b->size);
    } else {
        free(b);
    }
}

nb_arena *
nb_arena_new(struct nb_pool *pool)
{
    nb_arena *arena = calloc(1, sizeof(*arena));

    if (arena != NULL) {
        arena->pool = pool;
        arena->next_size = FIRST_BLOCK;
    }
    return arena;
}

struct nb_pool *
nb_arena_pool(const nb_arena *arena)
{
    return arena->pool;
}

static void
free_blocks(nb_arena *arena)
{
    block *b = arena->first;

    while (b != NULL) {
        block *next = b->next;
        block_free(arena, b);
        b = next;
    }
    arena->first = arena->current = NULL;
}

void
nb_arena_free(nb_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    free_blocks(arena);
    free(arena);
}

void
nb_arena_reset(nb_arena *arena)
{
#ifdef NB_DEBUG_MEM
    free_blocks(arena);
#else
    arena->current = arena->first;
    if (arena->current != NULL) {
        arena->current->used = sizeof(block);
    }
#endif
}

/* Makes a block with room for n bytes the current one. */
static bool
next_block(nb_arena *arena, size_t n)
{
    block *b = arena->current;
    size_t size;

    if (n > SIZE_MAX / 2) {
        return false;
    }
#ifndef NB_DEBUG_MEM
    if (b != NULL) {
        /* one of the blocks kept from before the reset: the first that is long enough moves up */
        for (block **link = &b->next; *link != NULL; link = &(*link)->next) {
            block *kept = *link;

            if (kept->size - sizeof(block) >= n) {
                *link = kept->next;
                kept->next = b->next;
                b->next = kept;
                kept->used = sizeof(block);
                arena->current = kept;
                return true;
            }
        }
    }
    size = NB_MAX(arena->next_size, n + sizeof(block));
#else
    size = n + sizeof(block);
#endif
    b = block_new(arena, size);
    if (b == NULL) {
        return false;
    }
    if (arena->next_size < LAST_BLOCK) {
        arena->next_size *= 2;
    }
    if (arena->current == NULL) {
        b->next = arena->first;
        arena->first = b;
    } else {
        b->next = arena->current->next;
        arena->current->next = b;
    }
    arena->current = b;
    return true;
}

NB_INLINE void *
alloc_from(nb_arena *arena, size_t n, size_t align)
{
    block *b = arena->current;
    size_t at;

#ifndef NB_DEBUG_MEM
    if (NB_LIKELY(b != NULL)) {
        at = NB_ALIGN_UP(b->used, align);
        if (NB_LIKELY(at <= b->size && n <= b->size - at)) {
            b->used = at + n;
            return (char *)b + at;
        }
    }
#endif
    if (!next_block(arena, n)) {
        return NULL;
    }
    b = arena->current;
    at = NB_ALIGN_UP(b->used, align);
    b->used = at + n;
    return (char *)b + at;
}

void *
nb_arena_alloc(nb_arena *arena, size_t n)
{
    return alloc_from(arena, n, 16);
}

void *
nb_arena_alloc64(nb_arena *arena, size_t n)
{
    return alloc_from(arena, n, 64);
}

void *
nb_arena_zalloc(nb_arena *arena, size_t n)
{
    void *p = alloc_from(arena, n, 16);

    if (p != NULL) {
        memset(p, 0, n);
    }
    return p;
}

void *
nb_arena_array(nb_arena *arena, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        return NULL;
    }
    return alloc_from(arena, bytes, 16);
}

size_t
nb_arena_bytes(const nb_arena *arena)
{
    return arena->n_bytes;
}

void *
nb_arena_grow(nb_arena *arena, void *items, int n, int *cap, size_t size)
{
    int wider = *cap > 0 ? *cap : 4;
    void *copy;

    if (n < *cap) {
        return items;
    }
    if (wider > INT_MAX / 2) {
        return NULL;
    }
    wider *= 2;
    copy = nb_arena_array(arena, (size_t)wider, size);
    if (copy && n > 0) {
        memcpy(copy, items, size * (size_t)n);
    }
    *cap = copy ? wider : *cap;
    return copy;
}
