/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_char_count.c: nb_char_count steps from first byte to first byte, whatever follows them; it reads nothing beyond either end (texts lie at the ends of
 * blocks of their own).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "expr/kernels/string.h"

static int64_t
plain_count(const char *s, size_t n)
{
    int64_t count = 0;

    for (size_t i = 0; i < n; i += nb_char_len((unsigned char)s[i])) {
        count++;
    }
    return count;
}

static void
check(const char *text, size_t n)
{
    char *copy = malloc(n ? n : 1);

    assert_non_null(copy);
    memcpy(copy, text, n);
    assert_int_equal(nb_char_count((nb_str){copy, n}), plain_count(copy, n));
    free(copy);
}

/* Characters of one to four bytes, and the same with bytes that belong to none. */
static void
test_char_count__is_a_plain_loop(void **state)
{
    static const char *const pieces[] = {"a",    "bc", "é",    "ção",      "–",
                                         "漢字", "😀", "\x80", "\xff\xf9", "\xe2\x80"};
    unsigned seed = 11;

    (void)state;
    for (int round = 0; round < 60000; round++) {
        char text[160];
        size_t n = 0;
        int kinds = round % 3 == 0 ? 10 : round % 3 == 1 ? 7 : 4;
        size_t want = (size_t)(round % 120);

        while (n < want) {
            const char *piece;

            seed = seed * 1103515245 + 12345;
            piece = pieces[(seed >> 16) % (unsigned)kinds];
            memcpy(text + n, piece, strlen(piece));
            n += strlen(piece);
        }
        for (size_t cut = 0; cut < 4 && cut <= n; cut++) { /* also within a character */
            check(text, n - cut);
        }
    }
}

/* Any bytes. */
static void
test_char_count__of_noise(void **state)
{
    unsigned seed = 3;

    (void)state;
    for (int round = 0; round < 60000; round++) {
        char text[96];

        for (size_t i = 0; i < sizeof(text); i++) {
            seed = seed * 1103515245 + 12345;
            text[i] = (char)(seed >> 16);
        }
        check(text, (size_t)(round % 96));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_char_count__is_a_plain_loop),
        cmocka_unit_test(test_char_count__of_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
