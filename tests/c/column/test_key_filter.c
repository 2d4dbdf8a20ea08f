/* SPDX-License-Identifier: Apache-2.0 */
/* Key filters: no member is ever refused, and most others are. */
#include "column/key_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static nb_key_filter *
filter_of(nb_arena *arena, int64_t (*key)(int64_t), int64_t n)
{
    nb_vector v;
    nb_key_filter *f;

    assert_int_equal(nb_vector_alloc(arena, nb_type_of(NB_TYPE_INT64), n, &v), NB_OK);
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int64_t, &v)[i] = key(i);
    }
    assert_int_equal(nb_key_filter_new(arena, &v, &f), NB_OK);
    assert_non_null(f);
    return f;
}

static bool
passes(nb_arena *arena, const nb_key_filter *f, int64_t key)
{
    nb_vector v;
    uint8_t keep = 1;

    assert_int_equal(nb_vector_alloc(arena, nb_type_of(NB_TYPE_INT64), 1, &v), NB_OK);
    NB_DATA(int64_t, &v)[0] = key;
    nb_key_filter_test(f, &v, 1, &keep);
    return keep;
}

static int64_t
thirds(int64_t i)
{
    return i * 3 - 1000;
}

static int64_t
scattered(int64_t i)
{
    return (int64_t)((uint64_t)i * 0x9e3779b97f4a7c15ULL);
}

static void
test_key_filter__exact(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_key_filter *f = filter_of(arena, thirds, 5000);
    int64_t low, high;

    (void)state;
    assert_true(nb_key_filter_range(f, &low, &high));
    assert_int_equal(low, -1000);
    assert_int_equal(high, 4999 * 3 - 1000);
    for (int64_t k = -2000; k < 16000; k++) {
        assert_int_equal(passes(arena, f, k), k >= low && k <= high && (k + 1000) % 3 == 0);
    }
    assert_false(passes(arena, f, INT64_MIN));
    assert_false(passes(arena, f, INT64_MAX));
    nb_arena_free(arena);
}

static void
test_key_filter__bloom(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_key_filter *f = filter_of(arena, scattered, 5000);
    int passed = 0;

    (void)state;
    for (int64_t i = 0; i < 5000; i++) {
        assert_true(passes(arena, f, scattered(i)));
        passed += passes(arena, f, scattered(i + 100000));
    }
    assert_true(passed < 500);
    nb_arena_free(arena);
}

static void
test_key_filter__empty_and_extreme(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_key_filter *f = filter_of(arena, thirds, 0);
    nb_vector v;
    int64_t low, high;
    uint8_t keep[3] = {1, 1, 1};

    (void)state;
    assert_false(nb_key_filter_range(f, &low, &high));
    assert_false(passes(arena, f, 0));
    assert_false(passes(arena, f, INT64_MAX));
    assert_int_equal(nb_vector_alloc(arena, nb_type_of(NB_TYPE_INT64), 3, &v), NB_OK);
    NB_DATA(int64_t, &v)[0] = INT64_MIN;
    NB_DATA(int64_t, &v)[1] = INT64_MAX;
    NB_DATA(int64_t, &v)[2] = 5;
    assert_int_equal(nb_vector_need_validity(arena, &v), NB_OK);
    nb_bit_clear(v.validity, 2);
    assert_int_equal(nb_key_filter_new(arena, &v, &f), NB_OK);
    nb_key_filter_test(f, &v, 3, keep);
    assert_true(keep[0] && keep[1] && !keep[2]);
    v.type = nb_type_of(NB_TYPE_STRING);
    assert_int_equal(nb_key_filter_new(arena, &v, &f), NB_OK);
    assert_null(f);
    nb_arena_free(arena);
}

static void
test_key_filter__bound(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);
    const nb_type *type = nb_type_of(NB_TYPE_INT64);
    nb_key_filter *f;
    int64_t low, high;

    (void)state;
    for (int descending = 0; descending < 2; descending++) {
        int64_t sign = descending ? -1 : 1;
        assert_int_equal(nb_key_filter_new_bound(arena, type, descending, true, &f), NB_OK);
        assert_true(nb_key_filter_is_open(f));
        assert_true(passes(arena, f, INT64_MAX) && passes(arena, f, INT64_MIN));
        nb_key_filter_tighten(f, 7 * sign);
        nb_key_filter_tighten(f, 9 * sign); /* looser: has no effect */
        assert_false(nb_key_filter_is_open(f));
        assert_true(passes(arena, f, 7 * sign) && passes(arena, f, 6 * sign));
        assert_false(passes(arena, f, 8 * sign));
        assert_true(nb_key_filter_range(f, &low, &high));
        assert_int_equal(descending ? low : high, 7 * sign);
        assert_int_equal(descending ? high : low, descending ? INT64_MAX : INT64_MIN);
    }
    for (int keeps = 0; keeps < 2; keeps++) {
        nb_vector v;
        uint8_t keep[2] = {1, 1};
        assert_int_equal(nb_key_filter_new_bound(arena, type, false, keeps, &f), NB_OK);
        assert_true(nb_key_filter_keeps_nulls(f) == (bool)keeps);
        nb_key_filter_tighten(f, 3);
        assert_int_equal(nb_vector_alloc(arena, type, 2, &v), NB_OK);
        NB_DATA(int64_t, &v)[0] = 4;
        NB_DATA(int64_t, &v)[1] = 2;
        assert_int_equal(nb_vector_need_validity(arena, &v), NB_OK);
        nb_bit_clear(v.validity, 0);
        nb_key_filter_test(f, &v, 2, keep);
        assert_true(keep[0] == keeps && keep[1] == 1);
    }
    assert_int_equal(nb_key_filter_new_bound(arena, nb_type_of(NB_TYPE_STRING), false, false, &f),
                     NB_OK);
    assert_null(f);
    nb_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_filter__exact),
        cmocka_unit_test(test_key_filter__bloom),
        cmocka_unit_test(test_key_filter__empty_and_extreme),
        cmocka_unit_test(test_key_filter__bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
