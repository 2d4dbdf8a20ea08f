/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lexer.c: where tokens begin and end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include "sql/lexer.h"

/* The texts of the tokens, separated by one space each. */
static void
expect_tokens(const char *text, const char *tokens)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    nb_tokens out;
    nb_strbuf got = {0};

    assert_int_equal(nb_sql_lex(arena, nb_str_of(text), &out, &err), NB_OK);
    for (size_t i = 0; i + 1 < out.n; i++) {
        if (i) {
            nb_strbuf_addc(&got, ' ');
        }
        nb_strbuf_add(&got, (nb_str){text + out.items[i].start, out.items[i].len});
    }
    assert_int_equal(out.items[out.n - 1].kind, NB_T_EOF);
    assert_string_equal(got.data ? got.data : "", tokens);
    nb_strbuf_free(&got);
    nb_arena_free(arena);
}

static nb_token_kind
first_kind(const char *text)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    nb_tokens out;
    nb_token_kind kind;

    assert_int_equal(nb_sql_lex(arena, nb_str_of(text), &out, &err), NB_OK);
    kind = (nb_token_kind)out.items[0].kind;
    nb_arena_free(arena);
    return kind;
}

static void
test_lexer__numbers(void **state)
{
    static const struct {
        const char *text;
        nb_token_kind kind;
    } cases[] = {
        {"1", NB_T_INTEGER},       {"1L", NB_T_BIGINT},      {"1l", NB_T_BIGINT},
        {"1S", NB_T_SMALLINT},     {"1Y", NB_T_TINYINT},     {"1.5", NB_T_DECIMAL},
        {".5", NB_T_DECIMAL},      {"5.", NB_T_DECIMAL},     {"1e3", NB_T_EXPONENT},
        {"1.5E-3", NB_T_EXPONENT}, {"1F", NB_T_FLOAT},       {"1.5e3f", NB_T_FLOAT},
        {"1D", NB_T_DOUBLE},       {"1BD", NB_T_BIGDECIMAL}, {"1.5bd", NB_T_BIGDECIMAL},
        {"1a", NB_T_WORD},         {"1e", NB_T_WORD},        {"1_0", NB_T_WORD},
        {"1Lx", NB_T_WORD},
    };

    for (size_t i = 0; i < NB_COUNT_OF(cases); i++) {
        assert_int_equal(first_kind(cases[i].text), cases[i].kind);
    }
    expect_tokens("1.5e", "1 . 5e");
    expect_tokens("1.e3", "1.e3");
    expect_tokens("a.1", "a .1");
    expect_tokens("5.a", "5 . a");
    expect_tokens("1.5+.5", "1.5 + .5");
    expect_tokens("12.0D 34.E2+0.12", "12.0D 34.E2 + 0.12");
    expect_tokens("2.3_", "2 . 3_");
}

static void
test_lexer__quoted(void **state)
{
    expect_tokens("'a''b' \"x\"\"y\" `c``d`", "'a''b' \"x\"\"y\" `c``d`");
    expect_tokens("'a\\'b' r'a\\' R\"b\"", "'a\\'b' r'a\\' R\"b\"");
    assert_int_equal(first_kind("'abc"), NB_T_UNKNOWN);
    assert_int_equal(first_kind("`abc"), NB_T_UNKNOWN);
    assert_int_equal(first_kind("r x"), NB_T_WORD);
}

static void
test_lexer__comments_and_space(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    nb_tokens out;

    expect_tokens("a -- b\n c", "a c");
    expect_tokens("a /* b /* c */ d */ e", "a e");
    expect_tokens("a /*+ b */ c", "a /*+ b */ c");
    expect_tokens("\xC2\xA0"
                  "a\xE3\x80\x80"
                  "b",
                  "a b");
    assert_int_equal(nb_sql_lex(arena, NB_STR("a /* b"), &out, &err), NB_ERROR);
    assert_int_equal(err.condition, NB_COND_UNCLOSED_BRACKETED_COMMENT);
    nb_error_clear(&err);
    assert_int_equal(nb_sql_lex(arena, NB_STR("a \xff"), &out, &err), NB_ERROR);
    nb_error_clear(&err);
    nb_arena_free(arena);
}

static void
test_lexer__operators(void **state)
{
    expect_tokens("a<=>b<>c!=d<=e>=f", "a <=> b <> c != d <= e >= f");
    expect_tokens("a->b=>c||d|>e::f", "a -> b => c || d |> e :: f");
    expect_tokens("array<array<int>>", "array < array < int > >");
    expect_tokens("!a!>b!<c==d", "! a !> b !< c == d");
}

static void
test_lexer__positions_count_characters(void **state)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    nb_tokens out;

    assert_int_equal(nb_sql_lex(arena, NB_STR("'\xC3\xA9'\n  x"), &out, &err), NB_OK);
    assert_int_equal(out.items[0].cp_len, 3);
    assert_int_equal(out.items[1].line, 2);
    assert_int_equal(out.items[1].column, 2);
    assert_int_equal(out.items[1].cp_start, 6);
    assert_int_equal(out.items[1].start, 7);
    nb_arena_free(arena);
}

static void
test_lexer__keywords_in_any_case(void **state)
{
    assert_int_equal(nb_keyword_find(NB_STR("select")), NB_KW_SELECT);
    assert_int_equal(nb_keyword_find(NB_STR("SeLeCt")), NB_KW_SELECT);
    assert_int_equal(nb_keyword_find(NB_STR("temp")), NB_KW_TEMPORARY);
    assert_int_equal(nb_keyword_find(NB_STR("regexp")), NB_KW_RLIKE);
    assert_int_equal(nb_keyword_find(NB_STR("selects")), NB_NOT_KEYWORD);
    assert_true(nb_keyword_is_strict(NB_KW_JOIN));
    assert_false(nb_keyword_is_strict(NB_KW_SELECT));
    for (int k = 1; k < NB_N_KEYWORDS; k++) { /* sorted, so that each is found */
        assert_int_equal(nb_keyword_find(nb_str_of(nb_keyword_text((nb_keyword)k))), k);
    }
}

static void
test_lexer__parentheses_know_queries(void **state)
{
    static const struct {
        const char *text;
        bool query;
    } cases[] = {
        {"(select 1)", true},
        {"(1)", false},
        {"((select 1))", true},
        {"((select 1) + 1)", false},
        {"(select)", false},
        {"(with)", false},
        {"(values (1))", true},
        {"((select 1) union (select 2))", true},
        {"(from t)", true},
        {"(table t)", true},
        {"(((select 1)) limit 1)", true},
        {"(with a as (select 1) select 1)", true},
    };

    for (size_t i = 0; i < NB_COUNT_OF(cases); i++) {
        nb_arena *arena = nb_arena_new(NULL);
        nb_error err = NB_ERROR_INIT;
        nb_tokens out;
        assert_int_equal(nb_sql_lex(arena, nb_str_of(cases[i].text), &out, &err), NB_OK);
        assert_int_equal(out.items[0].is_query, cases[i].query);
        nb_arena_free(arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lexer__numbers),
        cmocka_unit_test(test_lexer__quoted),
        cmocka_unit_test(test_lexer__comments_and_space),
        cmocka_unit_test(test_lexer__operators),
        cmocka_unit_test(test_lexer__positions_count_characters),
        cmocka_unit_test(test_lexer__keywords_in_any_case),
        cmocka_unit_test(test_lexer__parentheses_know_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
