/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_csv_scan.c: splits of CSV files, the structural scan, patterns of names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/csv/records.h"

#define N_COLUMNS 3

static const int NEED[N_COLUMNS] = {0, 1, 2};

/* All cells of the file at path, read in splits at the given cuts. */
static void
read_cells(nb_pool *pool, nb_relation *rel, const nb_csv_options *o, const int64_t *cuts, int n,
           size_t block, nb_strbuf *all)
{
    nb_csv_records r;
    nb_error err = NB_ERROR_INIT;

    assert_int_equal(nb_csv_records_init(&r, pool, rel, o, NEED, N_COLUMNS), NB_OK);
    r.block_bytes = block;
    for (int i = 0; i < n; i++) {
        nb_file_split split = {.from = cuts[i], .to = cuts[i + 1]};
        int64_t n_rows;
        assert_int_equal(nb_csv_records_open(&r, &split, &err), NB_OK);
        for (;;) {
            assert_int_equal(nb_csv_records_next(&r, &n_rows, &err), NB_OK);
            if (n_rows == 0) {
                break;
            }
            for (int64_t row = 0; row < n_rows; row++) {
                for (int k = 0; k < N_COLUMNS; k++) {
                    nb_csv_cell c = r.cells[k * NB_BATCH_ROWS + row];
                    if (c.len == NB_CELL_NULL) {
                        nb_strbuf_adds(all, "~");
                    } else {
                        nb_strbuf_add(all,
                                      (nb_str){(c.len & NB_CELL_SIDE ? r.tok.side : r.text) + c.off,
                                               NB_CELL_LEN(c)});
                    }
                    nb_strbuf_addc(all, '|');
                }
                nb_strbuf_addc(all, '\n');
            }
        }
    }
    nb_csv_records_free(&r);
}

static void
with_file(const char *text, size_t n, const char *expected)
{
    char path[] = "/tmp/test_csv_scan_XXXXXX";
    int fd = mkstemp(path);
    nb_pool *pool = nb_pool_new(NULL, "test", 0);
    nb_arena *arena = nb_arena_new(pool);
    nb_csv_options o;
    nb_file_entry entry = {.path = nb_str_of(path), .url = nb_str_of(path), .n_bytes = (int64_t)n};
    nb_relation rel = {.files = {.files = &entry, .n_files = 1}};
    int64_t whole[2] = {0, (int64_t)n};
    nb_strbuf one = {0};

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), (ssize_t)n);
    close(fd);
    assert_int_equal(nb_csv_options_read(arena, NULL, 0, &o, NULL), NB_OK);
    read_cells(pool, &rel, &o, whole, 1, NB_CSV_BLOCK, &one);
    if (expected) {
        assert_string_equal(one.data, expected);
    }
    for (int64_t cut = 0; cut <= (int64_t)n && cut < 200; cut++) { /* two splits, at every byte */
        int64_t cuts[3] = {0, cut, (int64_t)n};
        nb_strbuf two = {0};
        read_cells(pool, &rel, &o, cuts, 2, 64, &two);
        assert_string_equal(two.data, one.data);
        nb_strbuf_free(&two);
    }
    o.simple = false; /* through the tokenizer only */
    nb_strbuf careful = {0};
    read_cells(pool, &rel, &o, whole, 1, 64, &careful);
    assert_string_equal(careful.data, one.data);
    nb_strbuf_free(&careful);
    nb_strbuf_free(&one);
    nb_arena_free(arena);
    nb_pool_free(pool);
    unlink(path);
}

static void
test_csv_scan__every_split_gives_the_same_rows(void **state)
{
    static const char TEXT[] =
        "a,b,c\r\n\"x,1\",,\"\"\r\n\n  \n\"odd\"x,\"y\"\"z\",\"\\\"\"\rlast,\xC3\xA9,\"no end";

    (void)state;
    with_file(TEXT, sizeof(TEXT) - 1,
              "a|b|c|\nx,1|~||\n\"odd\"x|\"y\"\"z\"|\"|\nlast|\xC3\xA9|no end|\n");
}

static void
test_csv_scan__long_lines_cross_blocks(void **state)
{
    nb_strbuf b = {0};

    (void)state;
    for (int i = 0; i < 400; i++) {
        nb_strbuf_addf(&b, "%d,\"", i);
        nb_strbuf_fill(&b, (char)('a' + i % 26), (size_t)(i * 7 % 150));
        nb_strbuf_adds(&b, "\",x\n");
    }
    with_file(b.data, b.len, NULL);
    nb_strbuf_free(&b);
}

static void
test_csv_scan__counts_lines_with_text(void **state)
{
    char text[512] = "a\n\n \nb,c\n#x\n\t \n  d\r\n";
    size_t n = strlen(text);

    (void)state;
    assert_int_equal(nb_csv_count_lines(text, n, 0), 4);
    assert_int_equal(nb_csv_count_lines(text, n, '#'), 3);
    assert_int_equal(nb_csv_first_break("ab\rc\n", 5), 2);
    assert_int_equal(nb_csv_last_break("ab\rc\nd", 6), 4);
    assert_int_equal(nb_csv_last_break("abcd", 4), 4);
}

static void
test_csv_scan__glob(void **state)
{
    (void)state;
    assert_true(nb_glob_match(NB_STR("part-*.csv"), NB_STR("part-00000.csv")));
    assert_true(nb_glob_match(NB_STR("[a-c]?[^x]"), NB_STR("b\xC3\xA9y")));
    assert_false(nb_glob_match(NB_STR("[a-c]?[^x]"), NB_STR("byx")));
    assert_true(nb_glob_match(NB_STR("*a*b*"), NB_STR("xxaxxbxx")));
    assert_true(nb_glob_match(NB_STR("\\*"), NB_STR("*")));
    assert_false(nb_glob_match(NB_STR("\\*"), NB_STR("x")));
    assert_false(nb_glob_match(NB_STR("[a"), NB_STR("a")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_scan__every_split_gives_the_same_rows),
        cmocka_unit_test(test_csv_scan__long_lines_cross_blocks),
        cmocka_unit_test(test_csv_scan__counts_lines_with_text),
        cmocka_unit_test(test_csv_scan__glob),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
