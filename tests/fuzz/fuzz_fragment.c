/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_fragment.c: fragments of plans, as workers get them. What is accepted must be writable again.
 */
#include "cluster/fragment.h"

#define MEMORY_LIMIT ((size_t)256 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nb_pool *pool = nb_pool_new(NULL, "fuzz", MEMORY_LIMIT);
    nb_arena *arena = nb_arena_new(pool);
    nb_error err = NB_ERROR_INIT;
    nb_fragment *f = NULL;
    nb_str again;

    if (nb_fragment_read(pool, (nb_str){(const char *)data, size}, &f, &err) == NB_OK) {
        nb_fragment_write(arena, f->root, &f->info, &again, NULL);
        nb_fragment_free(f);
    }
    nb_error_clear(&err);
    nb_arena_free(arena);
    NB_ASSERT(nb_pool_used(pool) == 0);
    nb_pool_free(pool);
    return 0;
}
