/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_corpus.c: the parser accepts what Spark's parser accepts, and refuses what it refuses, with the same condition.
 *
 * tests/data/oracle/sql_corpus.txt holds Spark's answers. Conditions of Spark's analyzer ("later") that our parser finds by itself, and the
 * reverse, are equal too. Tests run at the top of the tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include "sql/parser.h"

/* NULL when the outcome is as recorded, else what is wrong. */
static const char *
compare(const char *recorded, nb_status st, const nb_error *err)
{
    const char *condition = strchr(recorded, ':');

    if (st >= 0) {
        return strncmp(recorded, "parse", 5) == 0 ? "accepted" : NULL;
    }
    if (!condition) {
        return "refused";
    }
    return strcmp(condition + 1, nb_condition_get(err->condition)->name) == 0 ? NULL
                                                                              : "other condition";
}

static void
test_corpus__same_as_spark(void **state)
{
    FILE *file = fopen("tests/data/oracle/sql_corpus.txt", "r");
    char *line = NULL;
    size_t cap = 0, n_texts = 0, n_wrong = 0;
    ssize_t len;

    assert_non_null(file);
    while ((len = getline(&line, &cap, file)) > 0) {
        char *tab = strchr(line, '\t');
        nb_arena *arena;
        nb_error err = NB_ERROR_INIT;
        nb_sql_statement out;
        const char *wrong;
        nb_status st;

        if (!tab) {
            continue;
        }
        *tab = 0;
        arena = nb_arena_new(NULL);
        st = nb_sql_parse_statement(
            arena, (nb_str){tab + 1, (size_t)(line + len - tab - 1) - (line[len - 1] == '\n')},
            NULL, &out, &err);
        wrong = compare(line, st, &err);
        if (wrong) {
            print_message("%s (recorded %s): %s  %s\n", wrong, line, tab + 1,
                          nb_error_message(&err));
            n_wrong++;
        }
        n_texts++;
        nb_error_clear(&err);
        nb_arena_free(arena);
    }
    free(line);
    fclose(file);
    assert_true(n_texts > 300);
    assert_int_equal(n_wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus__same_as_spark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
