/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_json_columns.c: lines that are read by where the names of the lines before stood give the same rows as by the careful parser, be they well-formed
 * or not, and do take that way; what an index finds is what a loop over the bytes finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "expr/json_columns.h"
#include "expr/json_rows.h"

#define N_LINES 1500 /* of a text; several windows */

static uint64_t random_state;

static unsigned
random_below(unsigned n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % n;
}

static const char *const VALUES[] = {
    "1",
    "-7",
    "0",
    "1234567890123456789",
    "12345678901234567890123",
    "2147483648",
    "17.0",
    "29525.43",
    "-0.0",
    "123456.78",
    "1e5",
    "1.5E-3",
    "12345678.123456789",
    "0.1234567890123456",
    "\"N\"",
    "\"\"",
    "\"DELIVER IN PERSON\"",
    "\"exactly 12 b\"",
    "\"1996-03-13\"",
    "\"1996-02-30\"",
    "\"a \\\" quote\"",
    "\"\\\\\"",
    "\"\\\\\\\"\"",
    "\"\\u00e9\"",
    "\"{\\\"x\\\":1}\"",
    "\"caf\xc3\xa9\"",
    "\"a tab\\t\"",
    "\"brackets ]}, and : commas\"",
    "null",
    "true",
    "false",
    "{\"x\":1,\"y\":\"z\"}",
    "{}",
    "{\"x\":{\"deep\":[1,2]},\"q\":\"\\\"\"}",
    "[]",
    "[1,2,3]",
    "[{\"x\":5},{\"x\":null}]",
    "NaN",
    "-Infinity",
    "'single'",
    "'with \" in it'",
    "007",
    "1.",
    "-",
    "tru",
    " 5",
    "6 ",
    "\"open",
};
static const char *const NAMES[] = {
    "a", "b", "a_name_of_twenty_bytes_", "d", "e", "nobody wants it", "g", "h"};
static const char ODD_BYTES[] = "{}[]\",:\\ '0123e.-tfn\t\x80";

static void
add_line(nb_strbuf *b, bool spaces, bool mutate)
{
    size_t from = b->len;
    bool any = false;

    nb_strbuf_addc(b, '{');
    for (unsigned i = 0; i < NB_COUNT_OF(NAMES); i++) {
        if (random_below(20) == 0) {
            continue;
        }
        nb_strbuf_adds(b, any ? (spaces ? ", \"" : ",\"") : "\"");
        any = true;
        nb_strbuf_adds(b, NAMES[random_below(100) == 0 ? 0 : i]);
        nb_strbuf_adds(b, spaces ? "\": " : "\":");
        nb_strbuf_adds(b, VALUES[random_below(random_below(3) ? 30 : NB_COUNT_OF(VALUES))]);
    }
    nb_strbuf_addc(b, '}');
    if (mutate) {
        size_t at = from + random_below((unsigned)(b->len - from));
        char c = ODD_BYTES[random_below(sizeof(ODD_BYTES) - 1)];

        if (random_below(2)) {
            b->data[at] = c;
        } else {
            nb_strbuf_addc(b, c);
            memmove(b->data + at + 1, b->data + at, b->len - 1 - at);
            b->data[at] = c;
        }
    }
    nb_strbuf_addc(b, '\n');
}

static const nb_type *
wanted(void)
{
    nb_field inner[] = {
        {.name = NB_STR("x"), .type = nb_type_of(NB_TYPE_INT32), .nullable = true},
        {.name = NB_STR("y"), .type = nb_type_of(NB_TYPE_STRING), .nullable = true}};
    const nb_type *object = nb_type_struct(inner, 2);
    nb_field fields[] = {
        {.name = NB_STR("h"), .type = nb_type_array(object, true), .nullable = true},
        {.name = NB_STR("a"), .type = nb_type_of(NB_TYPE_INT64), .nullable = true},
        {.name = NB_STR("b"), .type = nb_type_of(NB_TYPE_FLOAT64), .nullable = true},
        {.name = NB_STR("a_name_of_twenty_bytes_"),
         .type = nb_type_of(NB_TYPE_STRING),
         .nullable = true},
        {.name = NB_STR("d"), .type = nb_type_decimal(12, 4), .nullable = true},
        {.name = NB_STR("e"), .type = nb_type_of(NB_TYPE_DATE), .nullable = true},
        {.name = NB_STR("g"), .type = object, .nullable = true},
        {.name = NB_STR("not there"), .type = nb_type_of(NB_TYPE_INT32), .nullable = true}};

    return nb_type_struct(fields, (int)NB_COUNT_OF(fields));
}

/* The same lines as texts of a column. */
static void
compare_rows(nb_kernel_ctx *ctx, const nb_json_reading *how, const nb_view *views, int n,
             const nb_vector *want)
{
    nb_vector texts, out;
    nb_json_columns *c;
    nb_json_rows rows;

    assert_int_equal(nb_vector_alloc(ctx->arena, nb_type_of(NB_TYPE_STRING), n, &texts), NB_OK);
    memcpy(texts.data, views, (size_t)n * sizeof(*views));
    assert_int_equal(nb_json_rows_init(&rows, ctx->arena, &texts, n), NB_OK);
    assert_int_equal(nb_json_columns_new(ctx, wanted(), how, n, &c), NB_OK);
    for (int i = 0; i < n; i++) {
        nb_json j = nb_json_of(nb_view_str(&views[i]));
        nb_json_line line;
        nb_json_fit fit;

        if (!nb_json_rows_line(&rows, i, &line) ||
            !nb_json_columns_add_line(c, &rows.layout, &line, &fit)) {
            nb_json_columns_add(c, &j);
        }
    }
    assert_int_equal(nb_json_columns_finish(c, &out), NB_OK);
    memset(rows.window, '#', NB_JSON_WINDOW); /* nothing points into it */
    for (int i = 0; i < n; i++) {
        assert_int_equal(nb_vector_compare(&out, i, want, i), 0);
    }
}

/* Reads the text three times; returns how many lines took the short way. */
static int
compare(nb_strbuf *text, const nb_json_reading *how)
{
    static const nb_session_info session = {.ansi = false};
    nb_error err = NB_ERROR_INIT;
    nb_kernel_ctx ctx = {.info = &session, .err = &err};
    nb_pool *pool = nb_pool_new(NULL, "test", (size_t)256 << 20);
    nb_json_index *ix = nb_json_index_new(pool);
    nb_json_columns *quick, *careful;
    nb_json_layout layout;
    nb_vector a, b;
    size_t at = 0;
    int n_quick = 0, n = 0;
    static nb_view views[N_LINES];

    ctx.arena = nb_arena_new(pool);
    nb_json_layout_init(&layout, nb_arena_alloc(ctx.arena, NB_JSON_LAYOUT_BYTES));
    assert_int_equal(nb_json_columns_new(&ctx, wanted(), how, 10, &quick), NB_OK);
    assert_int_equal(nb_json_columns_new(&ctx, wanted(), how, 10, &careful), NB_OK);
    while (at < text->len) {
        nb_str window = {text->data + at, NB_MIN(text->len - at, NB_JSON_WINDOW)};
        nb_json_line line;

        at += nb_json_index_build(ix, window, false);
        for (; nb_json_index_line(ix, &line); n++) {
            nb_json j = nb_json_of(line.text), again = j;
            nb_json_fit fit = NB_JSON_FITS, fit_again;

            assert_true(n < N_LINES);
            views[n] = nb_view_make(line.text.data, line.text.len);

            j.rules = again.rules = how->rules;
            if (nb_json_columns_add_line(quick, &layout, &line, &fit)) {
                n_quick++;
            } else {
                fit = nb_json_columns_add(quick, &j);
            }
            fit_again = nb_json_columns_add(careful, &again);
            if (fit != fit_again) {
                print_message("%.*s\n", (int)line.text.len, line.text.data);
            }
            assert_int_equal(fit, fit_again);
        }
    }
    assert_int_equal(n, N_LINES);
    assert_int_equal(nb_json_columns_finish(quick, &a), NB_OK);
    assert_int_equal(nb_json_columns_finish(careful, &b), NB_OK);
    for (int i = 0; i < n; i++) {
        assert_int_equal(nb_vector_compare(&a, i, &b, i), 0);
    }
    compare_rows(&ctx, how, views, n, &b);
    nb_json_index_free(ix, pool);
    nb_error_clear(&err);
    nb_arena_free(ctx.arena);
    nb_pool_free(pool);
    return n_quick;
}

static void
test_json_columns__lines(void **state)
{
    static const unsigned RULES[] = {0, NB_JSON_DOUBLE_QUOTES_ONLY,
                                     NB_JSON_COMMENTS | NB_JSON_BARE_NAMES | NB_JSON_LEADING_ZEROS |
                                         NB_JSON_NOT_FINITE | NB_JSON_ANY_ESCAPE |
                                         NB_JSON_CONTROLS};

    for (unsigned round = 0; round < 12; round++) {
        nb_json_reading how = {.rules = RULES[round % 3],
                               .max_depth = round == 7 ? 2 : 0,
                               .exact_text = round & 1,
                               .text_stays = round & 2};
        nb_strbuf text = {0};
        int n_quick;

        random_state = round;
        for (int i = 0; i < N_LINES; i++) {
            add_line(&text, round >= 6, round % 6 >= 3 && random_below(4) == 0);
        }
        nb_strbuf_add(
            &text,
            (nb_str){"................................................................", 64});
        text.len -= 64;
        n_quick = compare(&text, &how);
        /* values that are no JSON stand in some of the lines */
        assert_in_range(n_quick, round % 6 >= 3 ? N_LINES / 8 : N_LINES / 4, N_LINES);
        nb_strbuf_free(&text);
    }
    (void)state;
}

/* What the index should find in a text, a byte at a time. */
static void
check_index(const nb_json_index *ix, nb_str text, size_t taken, bool cr_ends)
{
    size_t begin = 0, n_quotes = 0;
    int n_lines = 0;
    bool escaped = false, high = false, odd = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool ends = c == '\n' || (c == '\r' && cr_ends);

        high |= (unsigned char)c >= 0x80;
        if (c == '"' && !escaped) {
            assert_int_equal(ix->quote[n_quotes], i);
            n_quotes++;
        }
        escaped = c == '\\' && !escaped;
        if (!ends) {
            bool is_odd = c == '\\' || (unsigned char)c < 0x20;

            odd |= is_odd;
            assert_int_equal(nb_json_index_is_odd(ix, text.data + i, 1), is_odd);
        } else if (c == '\n' && i > 0 && text.data[i - 1] == '\r' && cr_ends) {
            begin = i + 1;
        } else if (c == '\n' || i + 1 < text.len) {
            bool two = c == '\r' && text.data[i + 1] == '\n';

            assert_true(n_lines < ix->n_lines);
            assert_int_equal(ix->lines[n_lines].next, begin);
            n_lines++;
            assert_int_equal(ix->lines[n_lines].end, i);
            assert_int_equal(ix->lines[n_lines].quotes, n_quotes);
            begin = i + 1;
            assert_int_equal(ix->lines[n_lines].next, begin + two);
        }
    }
    assert_int_equal(ix->n_lines, n_lines);
    assert_int_equal(taken, ix->lines[n_lines].next);
    assert_int_equal(ix->any_high, high);
    assert_int_equal(ix->any_odd, odd);
}

static void
test_json_index__bytes(void **state)
{
    nb_pool *pool = nb_pool_new(NULL, "test", (size_t)16 << 20);
    nb_json_index *ix = nb_json_index_new(pool);

    for (unsigned round = 0; round < 400; round++) {
        static const char BYTES[] = "\"\"\\\\\\\\abc\n\r\t\xff";
        size_t n = round < 200 ? round : random_below(2000);
        char *p = malloc(n + 64); /* exactly what may be read */

        random_state = round;
        memset(p + n, '"', 64);
        for (size_t i = 0; i < n; i++) {
            p[i] = BYTES[random_below(sizeof(BYTES) - 1)];
        }
        for (int cr_ends = 0; cr_ends < 2; cr_ends++) {
            size_t taken = nb_json_index_build(ix, (nb_str){p, n}, cr_ends);

            check_index(ix, (nb_str){p, n}, taken, cr_ends);
        }
        free(p);
    }
    nb_json_index_free(ix, pool);
    nb_pool_free(pool);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_columns__lines),
        cmocka_unit_test(test_json_index__bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
