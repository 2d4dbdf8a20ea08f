/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_json.c: the JSON of saved models, good and bad.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "ml/json.h"

static void
test_json__reads(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_strbuf b = {0};
    nb_json j;

    assert_int_equal(
        nb_json_parse(
            arena,
            NB_STR(
                "{\"a\": [1, -2.5e3, true, null], \"b\": {\"c\": \"x\\u00e7\\n\\ud83d\\ude00\"}}"),
            &j),
        NB_OK);
    assert_int_equal(nb_json_get(&j, "a")->n, 4);
    assert_true(nb_json_get(&j, "a")->items[1].number == -2500);
    assert_true(nb_json_get(&j, "a")->items[2].boolean);
    assert_string_equal(nb_json_get(nb_json_get(&j, "b"), "c")->text.data,
                        "x\xc3\xa7\n\xf0\x9f\x98\x80");
    assert_null(nb_json_get(&j, "z"));
    nb_json_add_string(&b, NB_STR("a\"\\\n"));
    assert_string_equal(b.data, "\"a\\\"\\\\\\u000a\"");
    nb_strbuf_free(&b);
    nb_arena_free(arena);
}

static void
test_json__refuses(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[1,]",
                                      "{\"a\"}",
                                      "{\"a\":1,}",
                                      "tru",
                                      "\"a",
                                      "\"\\x\"",
                                      "[1 2]",
                                      "{\"a\":}",
                                      "nul",
                                      "1 2",
                                      "\"\n",
                                      "\"\\u12g4",
                                      "--1",
                                      "]",
                                      "{1:2}",
                                      "[[[",
                                      "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]"};
    nb_arena *arena = nb_arena_new(NULL);
    nb_json j;

    for (size_t i = 0; i < NB_COUNT_OF(bad); i++) {
        assert_int_equal(nb_json_parse(arena, nb_str_of(bad[i]), &j), NB_ERROR);
    }
    nb_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json__reads),
        cmocka_unit_test(test_json__refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
