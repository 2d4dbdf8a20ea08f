/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_find.c: nb_find_bytes finds what a plain loop finds; it reads nothing beyond either end (pieces lie at the ends of blocks of their own).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "base/find.h"

static const char *
plain_find(const char *s, size_t n, const char *needle, size_t k)
{
    for (size_t i = 0; i + k <= n; i++) {
        if (memcmp(s + i, needle, k) == 0) {
            return s + i;
        }
    }
    return NULL;
}

/* A copy that ends where its block ends. */
static char *
alone(const char *p, size_t n)
{
    char *copy = malloc(n + 1);

    assert_non_null(copy);
    memcpy(copy + 1, p, n);
    return copy;
}

static void
test_find__is_a_plain_loop(void **state)
{
    unsigned seed = 7;
    char text[200];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)(rand_r(&seed) % 120), k = (size_t)(rand_r(&seed) % 20);
        char needle[20], *s, *w;

        for (size_t i = 0; i < n; i++) { /* few letters: many beginnings that lead nowhere */
            text[i] = (char)('a' + rand_r(&seed) % 3);
        }
        for (size_t i = 0; i < k; i++) {
            needle[i] = (char)('a' + rand_r(&seed) % 3);
        }
        if (k <= n && round % 2 == 0) {
            memcpy(needle, text + (size_t)rand_r(&seed) % (n - k + 1), k);
        }
        s = alone(text, n);
        w = alone(needle, k);
        assert_ptr_equal(nb_find_bytes(s + 1, n, w + 1, k), plain_find(s + 1, n, w + 1, k));
        free(s);
        free(w);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find__is_a_plain_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
