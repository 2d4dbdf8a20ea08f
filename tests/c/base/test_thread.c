/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_thread.c: every index runs once, runs nest, deep stacks are deep.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <time.h>
#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/thread.h"

static void
count_one(void *payload, int i)
{
    __atomic_add_fetch((int *)payload + i, 1, __ATOMIC_RELAXED);
}

static void
count_nested(void *payload, int i)
{
    nb_threads_run(7, count_one, (int *)payload + 7 * i);
}

static void
test_thread__each_index_runs_once(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        int counts[63] = {0};

        nb_threads_run(9, count_nested, counts);
        for (int i = 0; i < 63; i++) {
            assert_int_equal(counts[i], 1);
        }
    }
}

static int
sink_down(int depth)
{
    volatile char here[1024];

    memset((char *)here, depth, sizeof(here));
    return depth == 0 ? here[0] : sink_down(depth - 1) + here[1023] * 0;
}

static void
go_deep(void *payload)
{
    assert_true(nb_stack_left() > (size_t)200 << 20);
    *(int *)payload = sink_down(50000) + 1; /* ThreadSanitizer counts frames up to 65,536 */
}

static void
test_thread__big_stack(void **state)
{
    int result = 0;

    (void)state;
    nb_run_on_big_stack((size_t)256 << 20, go_deep, &result);
    assert_int_equal(result, 1);
    assert_true(nb_stack_left() > 1000);
}

static atomic_int n_started, n_to_start;

static void
count_and_call(void *payload)
{
    int result = 0;

    nb_run_on_big_stack((size_t)400 << 20, go_deep, &result); /* on the stack that it has */
    assert_true(nb_stack_left() > (size_t)400 << 20);
    atomic_fetch_add(&n_started, result);
    (void)payload;
    if (atomic_fetch_sub(&n_to_start, 1) > 0) { /* where it is done, another one begins */
        assert_true(nb_threads_start(count_and_call, NULL));
    }
}

static void
test_thread__started_threads_are_used_again(void **state)
{
    (void)state;
    atomic_store(&n_to_start, 60);
    for (int i = 0; i < 20; i++) {
        assert_true(nb_threads_start(count_and_call, NULL));
    }
    for (int i = 0; i < 2000 && atomic_load(&n_started) < 80; i++) {
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    assert_int_equal(atomic_load(&n_started), 80);
}

static void
test_thread__works_after_fork(void **state)
{
    int counts[4] = {0}, status;
    pid_t child;

    (void)state;
    nb_threads_run(4, count_one, counts);
    child = fork();
    if (child == 0) {
        nb_threads_run(4, count_one, counts);
        _exit(counts[0] + counts[1] + counts[2] + counts[3] == 8 ? 0 : 1);
    }
    assert_true(waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
    assert_true(nb_threads_available() >= 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread__each_index_runs_once),
        cmocka_unit_test(test_thread__big_stack),
        cmocka_unit_test(test_thread__started_threads_are_used_again),
        cmocka_unit_test(test_thread__works_after_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
