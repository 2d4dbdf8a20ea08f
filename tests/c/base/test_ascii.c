/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ascii.c: classes of characters, for each byte as signed and as unsigned char, beside lists of them.
 */
#include "base/ascii.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool
is_in(const char *list, int c)
{
    return c > 0 && c < 128 && strchr(list, c) != NULL;
}

static void
test_classes(void **state)
{
    (void)state;
    for (int c = -128; c < 256; c++) {
        assert_int_equal(nb_is_digit(c), is_in(DIGITS, c));
        assert_int_equal(nb_is_letter(c), is_in(LOWER UPPER, c));
        assert_int_equal(nb_is_word(c), is_in(LOWER UPPER DIGITS "_", c));
        assert_int_equal(nb_to_lower(c),
                         is_in(UPPER, c) ? LOWER[strchr(UPPER, c) - UPPER] : (char)c);
        assert_int_equal(nb_to_upper(c),
                         is_in(LOWER, c) ? UPPER[strchr(LOWER, c) - LOWER] : (char)c);
    }
}

static void
test_hexadecimal(void **state)
{
    (void)state;
    assert_int_equal(nb_hex_number("00e9", 4), 0xe9);
    assert_int_equal(nb_hex_number("fFfFfFfF", 8), 0xffffffff);
    assert_int_equal(nb_hex_number("", 0), 0);
    assert_int_equal(nb_hex_number("12g4", 4), -1);
    assert_int_equal(nb_hex_number("-123", 4), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_hexadecimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
