/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_number_pattern.c: a pattern of numbers, a zero byte, a text. What a pattern writes, it must be able to write again for what it reads of it.
 */
#include "base/pool.h"
#include "expr/number_pattern.h"

#define MEMORY_LIMIT ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_and_read(const nb_number_pattern *p, nb_int128 x)
{
    nb_strbuf text = {0};
    nb_int128 again;

    nb_number_pattern_write(p, x, (int)nb_number_pattern_scale(p), &text);
    if (!text.failed) {
        nb_number_pattern_read(p, nb_strbuf_str(&text), &again);
    }
    nb_strbuf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nb_pool *pool = nb_pool_new(NULL, "fuzz", MEMORY_LIMIT);
    nb_arena *arena = nb_arena_new(pool);
    nb_error err = NB_ERROR_INIT;
    const nb_number_pattern *p;
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    size_t n = end ? (size_t)(end - data) : size;
    nb_str text = {(const char *)data + n + (end != NULL), size - n - (end != NULL)};
    nb_int128 x;

    if (nb_number_pattern_new(arena, (nb_str){(const char *)data, n}, &p, &err) == NB_OK &&
        nb_number_pattern_precision(p) <= NB_DECIMAL_MAX_PRECISION) {
        if (nb_number_pattern_read(p, text, &x) == NB_NUMBER_OK) {
            NB_ASSERT(nb_decimal_fits(x, (int)nb_number_pattern_precision(p)));
            write_and_read(p, x);
        }
        write_and_read(p, -1);
        write_and_read(p, nb_pow10_128[NB_DECIMAL_MAX_PRECISION] - 1);
    }
    nb_error_clear(&err);
    nb_arena_free(arena);
    NB_ASSERT(nb_pool_used(pool) == 0);
    nb_pool_free(pool);
    return 0;
}
