/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_python_worker.c: processes that do not speak as a worker should: each gives an error, and none is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "expr/python_worker.h"

static char folder[] = "/tmp/nb_python_XXXXXX";
static int n_scripts;

/* A program that is taken for Python: it has the socket as file 3. */
static const char *
script(const char *body)
{
    static char path[64];
    FILE *f;

    snprintf(path, sizeof path, "%s/%d", folder, n_scripts++);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\n%s\n", body);
    fclose(f);
    assert_int_equal(chmod(path, 0755), 0);
    return path;
}

static nb_status
ask(const char *python, size_t n_rows, const nb_cancel_flag *cancel, nb_buffer **out, nb_error *err)
{
    nb_python_function f = {.name = "`f`",
                            .python = python,
                            .memory = "0",
                            .definition = NB_STR("definition"),
                            .id = 7};
    nb_pool *pool = nb_pool_new(NULL, "test", 64 << 20);
    char *rows = calloc(1, n_rows + 1);
    nb_status st;

    assert_non_null(pool);
    assert_non_null(rows);
    *out = NULL;
    st = nb_python_call(&f, (nb_str){rows, n_rows}, false, pool, cancel, out, err);
    free(rows);
    nb_pool_free(pool);
    if (st < 0) {
        assert_null(*out);
    }
    return st;
}

static void
fails_with(const char *body, size_t n_rows, const char *condition, const char *text)
{
    nb_error err = {0};
    nb_buffer *out;

    assert_int_equal(ask(script(body), n_rows, NULL, &out, &err), NB_ERROR);
    assert_string_equal(nb_error_name(&err), condition);
    assert_non_null(strstr(nb_error_message(&err), text));
    nb_error_clear(&err);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void
test_ends(void **state)
{
    (void)state;
    fails_with("exit 5", 10, "PYTHON_WORKER_EXITED", "exit code 5");
    fails_with("kill -SEGV $$", 10, "PYTHON_WORKER_EXITED", "signal 11");
    fails_with("exit 0", (size_t)8 << 20, "PYTHON_WORKER_EXITED", "exit code 0");
}

static void
test_garbage(void **state)
{
    (void)state;
    fails_with("printf 'XXXXXXXXXXXXXXXX' >&3; sleep 100", 10, "PYTHON_WORKER_EXITED", "killed");
    fails_with("printf 'R\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000' >&3; sleep 100",
               10, "PYTHON_EXCEPTION", "more than 2 GiB"); /* 2^40 bytes to come */
    fails_with("printf 'R\\000\\000\\000\\144\\000\\000\\000\\000\\000\\000\\000abc' >&3; exit 6",
               10, "PYTHON_WORKER_EXITED", "exit code 6"); /* 100 bytes to come */
    fails_with("printf 'R\\000' >&3; exit 7", 10, "PYTHON_WORKER_EXITED", "exit code 7");
}

static void
test_more_than_the_budget(void **state)
{
    nb_error err = {0};
    nb_buffer *out;

    (void)state;
    assert_int_equal(
        ask(script("printf 'R\\000\\000\\000\\000\\000\\000\\100\\000\\000\\000\\000' >&3; "
                   "sleep 100"),
            10, NULL, &out, &err),
        NB_NOMEM); /* 1 GiB */
    nb_error_clear(&err);
}

static void
test_exception(void **state)
{
    (void)state;
    nb_error err = {0};
    nb_buffer *out;

    assert_int_equal(
        ask(script("printf 'E\\000\\000\\000\\003\\000\\000\\000\\000\\000\\000\\000why' >&3; "
                   "cat <&3 >/dev/null"),
            10, NULL, &out, &err),
        NB_ERROR);
    assert_string_equal(nb_error_name(&err), "PYTHON_EXCEPTION");
    assert_non_null(strstr(nb_error_message(&err), "why"));
    nb_error_clear(&err);
}

static void
test_no_such_program(void **state)
{
    nb_error err = {0};
    nb_buffer *out;

    (void)state;
    assert_int_equal(ask("/no/such/python", 10, NULL, &out, &err), NB_ERROR);
    assert_string_equal(nb_error_name(&err), "PYTHON_WORKER_START");
    nb_error_clear(&err);
}

static void
test_cancelled(void **state)
{
    nb_cancel_flag flag = {0};
    nb_error err = {0};
    nb_buffer *out;

    (void)state;
    atomic_store(&flag.requested, 1);
    assert_int_equal(ask(script("sleep 100"), 10, &flag, &out, &err), NB_CANCELLED);
    assert_int_equal(ask(script("sleep 100"), (size_t)8 << 20, &flag, &out, &err), NB_CANCELLED);
}

static int
make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int
remove_folder(void **state)
{
    char path[64];

    (void)state;
    for (int i = 0; i < n_scripts; i++) {
        snprintf(path, sizeof path, "%s/%d", folder, i);
        unlink(path);
    }
    return rmdir(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),      cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_exception), cmocka_unit_test(test_more_than_the_budget),
        cmocka_unit_test(test_cancelled), cmocka_unit_test(test_no_such_program),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
