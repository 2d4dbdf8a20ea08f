/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_decimal.c: text, rounding and 256-bit intermediates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/decimal.h"

static nb_int128
number(const char *text)
{
    nb_int128 v;
    int precision, scale;

    assert_int_equal(nb_decimal_parse_exact(nb_str_of(text), &v, &precision, &scale),
                     NB_DECIMAL_OK);
    assert_int_equal(scale, 0);
    return v;
}

static void
expect(nb_int128 v, const char *text)
{
    char out[NB_DECIMAL_CHARS];

    nb_decimal_format(v, 0, out);
    assert_string_equal(out, text);
}

static void
test_decimal__text(void **state)
{
    char out[NB_DECIMAL_CHARS];
    nb_int128 v;
    int precision, scale;

    (void)state;
    assert_int_equal(nb_decimal_parse_exact(NB_STR("-0.00012"), &v, &precision, &scale),
                     NB_DECIMAL_OK);
    assert_int_equal(precision, 5);
    assert_int_equal(scale, 5);
    nb_decimal_format(v, scale, out);
    assert_string_equal(out, "-0.00012");
    assert_int_equal(nb_decimal_parse_exact(NB_STR("1E-7"), &v, &precision, &scale), NB_DECIMAL_OK);
    nb_decimal_format_sci(v, scale, out);
    assert_string_equal(out, "1E-7");
    nb_decimal_format(v, scale, out);
    assert_string_equal(out, "0.0000001");
    assert_int_equal(nb_decimal_parse(NB_STR("12.345"), 10, 2, &v), NB_DECIMAL_OK);
    expect(v, "1235");
    assert_int_equal(nb_decimal_parse(NB_STR("-12.345e1"), 10, 1, &v), NB_DECIMAL_OK);
    expect(v, "-1235");
    assert_int_equal(nb_decimal_parse(NB_STR("123456789"), 10, 2, &v), NB_DECIMAL_OVERFLOW);
    for (int i = 0; i < 6; i++) {
        static const char *const BAD[] = {"", "-", ".", "1e", "1x", " 1"};
        assert_int_equal(nb_decimal_parse(nb_str_of(BAD[i]), 10, 2, &v), NB_DECIMAL_MALFORMED);
    }
}

static void
test_decimal__wide_products_and_quotients(void **state)
{
    nb_int128 a = number("99999999999999999999999999999999999999"), v;

    (void)state;
    assert_true(nb_decimal_multiply(a, a, 38, 38, &v));
    expect(v, "99999999999999999999999999999999999998");
    assert_false(nb_decimal_multiply(a, a, 37, 38, &v));
    assert_true(nb_decimal_multiply(a, -a, 38, 38, &v));
    expect(v, "-99999999999999999999999999999999999998");
    assert_true(nb_decimal_divide(number("2"), number("3"), 20, 38, &v));
    expect(v, "66666666666666666667");
    assert_true(nb_decimal_divide(a, number("12345678901234567890123456789"), 20, 38, &v));
    expect(v, "810000007290000066339000603686");
    assert_false(nb_decimal_divide(a, 1, 1, 38, &v));
    assert_true(nb_decimal_divide(number("-5"), number("10"), 0, 38, &v));
    expect(v, "-1");
    expect(nb_decimal_floor_off(-15, 1), "-2");
    expect(nb_decimal_ceil_off(-15, 1), "-1");
    expect(nb_decimal_round_off(25, 1), "3");
    assert_true(nb_decimal_compare(a, 0, a, 38) > 0);
    assert_true(nb_decimal_compare(150, 2, 15, 1) == 0);
    assert_true(nb_decimal_compare(-a, 0, 1, 38) < 0);
}

static void
test_decimal__doubles(void **state)
{
    nb_int128 v;

    (void)state;
    assert_true(nb_decimal_to_double(number("123"), 2) == 1.23);
    assert_true(nb_decimal_to_double(number("12345678901234567890123"), 5) ==
                123456789012345678.90123);
    assert_true(nb_decimal_from_double(0.1, 38, 18, &v));
    expect(v, "100000000000000000");
    assert_true(nb_decimal_from_double(2.5e-1, 5, 1, &v));
    expect(v, "3");
    assert_false(nb_decimal_from_double(1e300, 38, 0, &v));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimal__text),
        cmocka_unit_test(test_decimal__wide_products_and_quotients),
        cmocka_unit_test(test_decimal__doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
