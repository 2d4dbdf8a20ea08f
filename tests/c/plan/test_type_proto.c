/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_type_proto.c: every type survives the way to spark.connect.DataType and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "plan/type_proto.h"

static void
round_trip(nb_arena *arena, const nb_type *t)
{
    const nb_type *back = NULL;
    nb_error err = NB_ERROR_INIT;

    assert_non_null(t);
    assert_int_equal(nb_type_from_bytes(arena, nb_type_to_bytes(arena, t), &back, &err), NB_OK);
    assert_ptr_equal(t, back);
}

static void
test_type_proto__round_trip(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);
    const nb_type *s;
    nb_field f[NB_N_TYPES];
    int n = 0;

    for (int id = 0; id < NB_N_TYPES; id++) {
        const nb_type *t = nb_type_of((nb_type_id)id);
        if (t != NULL) {
            round_trip(arena, t);
            f[n] = (nb_field){NB_STR("f"), t, n % 2 == 0, n % 3 ? NB_STR("{\"a\":1}") : NB_STR("")};
            round_trip(arena, nb_type_array(t, n % 2 == 0));
            round_trip(arena, nb_type_map(t, t, n % 2 == 0));
            n++;
        }
    }
    s = nb_type_struct(f, n);
    round_trip(arena, s);
    round_trip(arena, nb_type_decimal(38, 37));
    round_trip(arena, nb_type_char(NB_TYPE_VARCHAR, 12));
    round_trip(arena, nb_type_time(0));
    round_trip(arena, nb_type_interval_ym(1, 1));
    round_trip(arena, nb_type_interval_dt(0, 0));
    round_trip(arena, nb_type_ml_vector());
    round_trip(arena, nb_type_udt(NB_STR(""), NB_STR("m.C"), NB_STR("gAR"), s));
    nb_arena_free(arena);
}

static void
test_type_proto__defaults_and_faults(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);
    const nb_type *t = NULL;
    nb_error err = NB_ERROR_INIT;

    /* kind 10 decimal, empty; kind 19 day-time interval, empty */
    assert_int_equal(nb_type_from_bytes(arena, (nb_str){"\x52\x00", 2}, &t, &err), NB_OK);
    assert_ptr_equal(t, nb_type_of(NB_TYPE_DECIMAL));
    assert_int_equal(nb_type_from_bytes(arena, (nb_str){"\x9a\x01\x00", 3}, &t, &err), NB_OK);
    assert_ptr_equal(t, nb_type_of(NB_TYPE_INTERVAL_DT));
    /* nothing; an array without element; decimal(99) */
    assert_int_equal(nb_type_from_bytes(arena, (nb_str){"", 0}, &t, &err), NB_ERROR);
    nb_error_clear(&err);
    assert_int_equal(nb_type_from_bytes(arena, (nb_str){"\xa2\x01\x00", 3}, &t, &err), NB_ERROR);
    nb_error_clear(&err);
    assert_int_equal(nb_type_from_bytes(arena, (nb_str){"\x52\x02\x10\x63", 4}, &t, &err),
                     NB_ERROR);
    nb_error_clear(&err);
    nb_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_type_proto__round_trip),
        cmocka_unit_test(test_type_proto__defaults_and_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
