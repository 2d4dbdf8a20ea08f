/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_type.c: interning, names, nullability.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/arena.h"
#include "column/type.h"

static void
test_type__interned(void **state)
{
    const nb_type *i = nb_type_of(NB_TYPE_INT32);
    nb_field f = {NB_STR("a"), i, true, {"", 0}}, g = f;

    assert_ptr_equal(nb_type_decimal(12, 3), nb_type_decimal(12, 3));
    assert_ptr_equal(nb_type_decimal(10, 0), nb_type_of(NB_TYPE_DECIMAL));
    assert_ptr_not_equal(nb_type_decimal(12, 3), nb_type_decimal(12, 2));
    assert_int_equal(nb_type_decimal(18, 0)->phys, NB_PHYS_INT64);
    assert_int_equal(nb_type_decimal(19, 0)->phys, NB_PHYS_INT128);
    assert_null(nb_type_decimal(39, 0));
    assert_null(nb_type_decimal(3, 4));
    assert_ptr_equal(nb_type_array(i, true), nb_type_array(i, true));
    assert_ptr_not_equal(nb_type_array(i, true), nb_type_array(i, false));
    assert_ptr_equal(nb_type_struct(&f, 1), nb_type_struct(&g, 1));
    g.metadata = NB_STR("{\"k\":1}");
    assert_ptr_not_equal(nb_type_struct(&f, 1), nb_type_struct(&g, 1));
    assert_true(nb_type_same_ignoring_null(nb_type_struct(&f, 1), nb_type_struct(&g, 1)));
    g.nullable = false;
    assert_true(nb_type_same_ignoring_null(nb_type_struct(&f, 1), nb_type_struct(&g, 1)));
    g.name = NB_STR("b");
    assert_false(nb_type_same_ignoring_null(nb_type_struct(&f, 1), nb_type_struct(&g, 1)));
    assert_ptr_equal(nb_type_struct(NULL, 0), nb_type_of(NB_TYPE_STRUCT));
    assert_ptr_equal(nb_type_ml_vector(), nb_type_ml_vector());
    assert_ptr_equal(nb_type_interval_dt(0, 3), nb_type_of(NB_TYPE_INTERVAL_DT));
    assert_null(nb_type_interval_dt(2, 1));
    assert_null(nb_type_array(NULL, true));
}

static void
test_type__many(void **state)
{
    const nb_type *types[3000];

    for (int i = 0; i < 3000; i++) {
        types[i] = nb_type_char(NB_TYPE_CHAR, i);
    }
    for (int i = 0; i < 3000; i++) {
        assert_ptr_equal(types[i], nb_type_char(NB_TYPE_CHAR, i));
        assert_int_equal(types[i]->length, i);
    }
}

static void
test_type__depth_is_bounded(void **state)
{
    const nb_type *t = nb_type_of(NB_TYPE_INT32);
    int depth = 0;

    while (t != NULL && depth < 100000) {
        t = nb_type_array(t, true);
        depth++;
    }
    assert_int_equal(depth, NB_TYPE_MAX_DEPTH + 1);
}

static void
test_type__names(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_field f[2] = {{NB_STR("a"), nb_type_of(NB_TYPE_INT32), false, {"", 0}},
                     {NB_STR("b c"), nb_type_decimal(10, 2), true, {"", 0}}};
    const nb_type *s = nb_type_struct(f, 2), *m = nb_type_map(nb_type_of(NB_TYPE_STRING), s, true);
    nb_field many[30];

    assert_string_equal(nb_type_simple_string(arena, m),
                        "map<string,struct<a:int,b c:decimal(10,2)>>");
    assert_string_equal(nb_type_sql(arena, m),
                        "MAP<STRING, STRUCT<a: INT NOT NULL, `b c`: DECIMAL(10,2)>>");
    assert_string_equal(nb_type_sql(arena, nb_type_interval_ym(0, 1)), "INTERVAL YEAR TO MONTH");
    assert_string_equal(nb_type_simple_string(arena, nb_type_interval_dt(1, 1)), "interval hour");
    assert_string_equal(nb_type_simple_string(arena, nb_type_ml_vector()), "vector");
    assert_string_equal(nb_type_simple_string(arena, nb_type_of(NB_TYPE_NULL)), "void");
    assert_string_equal(nb_type_simple_string(arena, nb_type_char(NB_TYPE_VARCHAR, 7)),
                        "varchar(7)");
    for (int i = 0; i < 30; i++) {
        many[i] = (nb_field){NB_STR("x"), nb_type_of(NB_TYPE_INT8), true, {"", 0}};
    }
    assert_non_null(strstr(nb_type_simple_string(arena, nb_type_struct(many, 30)),
                           "x:tinyint,... 5 more fields>"));
    assert_null(strstr(nb_type_catalog_string(arena, nb_type_struct(many, 30)), "more"));
    nb_arena_free(arena);
}

static void
test_type__as_nullable(void **state)
{
    nb_field f = {NB_STR("a"), nb_type_array(nb_type_of(NB_TYPE_INT32), false), false, {"", 0}};
    const nb_type *t = nb_type_as_nullable(nb_type_struct(&f, 1));

    assert_true(t->children[0].nullable);
    assert_true(t->children[0].type->contains_null);
    assert_false(nb_type_is_orderable(nb_type_array(
        nb_type_map(nb_type_of(NB_TYPE_INT8), nb_type_of(NB_TYPE_INT8), true), true)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_type__interned),         cmocka_unit_test(test_type__many),
        cmocka_unit_test(test_type__depth_is_bounded), cmocka_unit_test(test_type__names),
        cmocka_unit_test(test_type__as_nullable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
