/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_scheduler.c: tasks, failures, lost workers and their lineage, without a process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "cluster/pools.h"
#include "cluster/scheduler.h"

static nb_scheduler *
scheduler(int max_failures)
{
    nb_scheduler_options options = NB_SCHEDULER_OPTIONS_INIT;
    nb_scheduler *s;

    options.max_failures = max_failures;
    options.heartbeat_timeout_ms = 100;
    assert_int_equal(nb_scheduler_new(&options, &s), NB_OK);
    return s;
}

/* A map stage of n tasks, then a reduce stage of n. */
static void
add_two_stages(nb_scheduler *s, uint64_t query, int n)
{
    static const int inputs[] = {0};
    nb_sched_stage stages[] = {{.n_tasks = n}, {.n_tasks = n, .inputs = inputs, .n_inputs = 1}};

    assert_int_equal(nb_scheduler_query_add(s, query, stages, 2, NB_STR("")), NB_OK);
}

static nb_sched_state
state(nb_scheduler *s, uint64_t query)
{
    int stage, task;

    return nb_scheduler_query_state(s, query, &stage, &task);
}

static void
done(nb_scheduler *s, const nb_sched_action *a)
{
    assert_true(
        nb_scheduler_task_done(s, a->query, a->stage, a->task, a->attempt, a->worker, false, 0));
}

static void
test_scheduler__runs_stages_in_order(void **unused)
{
    nb_scheduler *s = scheduler(4);
    nb_sched_action a[4];

    (void)unused;
    nb_scheduler_worker_join(s, 1, 2, 0);
    nb_scheduler_worker_join(s, 2, 1, 0);
    add_two_stages(s, 7, 2);
    assert_true(nb_scheduler_next(s, 0, &a[0]));
    assert_true(nb_scheduler_next(s, 0, &a[1]));
    assert_int_not_equal(a[0].worker, a[1].worker); /* they go round */
    assert_int_equal(a[0].stage + a[1].stage, 0);
    assert_false(nb_scheduler_next(s, 0, &a[2])); /* stage 1 waits for stage 0 */
    done(s, &a[0]);
    assert_false(nb_scheduler_next(s, 0, &a[2]));
    done(s, &a[1]);
    assert_true(nb_scheduler_next(s, 0, &a[2]));
    assert_true(nb_scheduler_next(s, 0, &a[3]));
    assert_int_equal(a[2].stage, 1);
    assert_int_equal(state(s, 7), NB_SCHED_RUNNING);
    done(s, &a[2]);
    done(s, &a[3]);
    assert_int_equal(state(s, 7), NB_SCHED_READY);
    nb_scheduler_query_end(s, 7);
    assert_false(nb_scheduler_next(s, 0, &a[0]));
    nb_scheduler_free(s);
}

static void
test_scheduler__refuses_late_and_double_reports(void **unused)
{
    nb_scheduler *s = scheduler(4);
    nb_sched_action first, second;

    (void)unused;
    nb_scheduler_worker_join(s, 1, 1, 0);
    add_two_stages(s, 1, 1);
    assert_true(nb_scheduler_next(s, 0, &first));
    nb_scheduler_tick(s, 1000); /* silent for too long */
    assert_false(nb_scheduler_worker_beat(s, 1, 1000));
    nb_scheduler_worker_join(s, 2, 1, 1000);
    assert_true(nb_scheduler_next(s, 1000, &second));
    assert_int_equal(second.attempt, first.attempt + 1);
    assert_false(nb_scheduler_task_done(s, 1, 0, 0, first.attempt, 1, false, 0));
    done(s, &second);
    assert_false(nb_scheduler_task_done(s, 1, 0, 0, second.attempt, 2, false, 0));
    assert_false(nb_scheduler_task_failed(s, 1, 0, 0, second.attempt, 2, true));
    assert_false(nb_scheduler_task_done(s, 99, 0, 0, 1, 2, false, 0));
    assert_false(nb_scheduler_task_done(s, 1, 5, 0, 1, 2, false, 0));
    nb_scheduler_free(s);
}

/* Who stood still itself has heard nobody. */
static void
test_scheduler__its_own_pause_is_nobodys_silence(void **unused)
{
    nb_scheduler *s = scheduler(4); /* 100 ms */

    (void)unused;
    nb_scheduler_worker_join(s, 1, 1, 1);
    nb_scheduler_worker_join(s, 2, 1, 1);
    for (int64_t now = 10; now <= 50; now += 10) {
        nb_scheduler_tick(s, now);
    }
    nb_scheduler_tick(s, 5000);
    assert_int_equal(nb_scheduler_workers(s), 2);
    assert_true(nb_scheduler_worker_beat(s, 1, 5001));
    for (int64_t now = 5010; now <= 5090; now += 10) {
        nb_scheduler_tick(s, now);
    }
    assert_true(nb_scheduler_has_worker(s, 1));
    assert_false(nb_scheduler_has_worker(s, 2));
    nb_scheduler_free(s);
}

static void
test_scheduler__makes_lost_outputs_again(void **unused)
{
    nb_scheduler *s = scheduler(4);
    nb_sched_action a, b, again, kill;

    (void)unused;
    nb_scheduler_worker_join(s, 1, 1, 0);
    nb_scheduler_worker_join(s, 2, 1, 0);
    add_two_stages(s, 1, 2);
    assert_true(nb_scheduler_next(s, 0, &a));
    assert_true(nb_scheduler_next(s, 0, &b));
    done(s, &a);
    done(s, &b);
    assert_true(nb_scheduler_next(s, 0, &a));
    assert_true(nb_scheduler_next(s, 0, &b));
    assert_int_equal(a.stage, 1);
    nb_scheduler_worker_lost(s, a.worker);
    /* the other attempt waits for blocks that are gone: it is stopped, then the map task runs again */
    assert_true(nb_scheduler_next(s, 0, &kill));
    assert_true(kill.kill);
    assert_int_equal(kill.worker, b.worker);
    assert_true(nb_scheduler_next(s, 0, &again));
    assert_int_equal(again.stage, 0);
    assert_int_equal(again.worker, b.worker);
    done(s, &again);
    for (int i = 0; i < 2; i++) {
        assert_true(nb_scheduler_next(s, 0, &again));
        assert_int_equal(again.stage, 1);
        done(s, &again);
    }
    assert_int_equal(state(s, 1), NB_SCHED_READY);
    nb_scheduler_free(s);
}

static void
test_scheduler__fails_after_max_failures(void **unused)
{
    nb_scheduler *s = scheduler(3);
    nb_sched_action a;

    (void)unused;
    nb_scheduler_worker_join(s, 1, 1, 0);
    add_two_stages(s, 1, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(state(s, 1), NB_SCHED_RUNNING);
        assert_true(nb_scheduler_next(s, 0, &a));
        assert_true(nb_scheduler_task_failed(s, 1, 0, 0, a.attempt, a.worker, true));
    }
    assert_int_equal(state(s, 1), NB_SCHED_FAILED);
    assert_false(nb_scheduler_next(s, 0, &a));
    nb_scheduler_free(s);
}

static void
test_scheduler__keeps_what_is_durable(void **unused)
{
    nb_scheduler *s = scheduler(3);
    nb_sched_stage stage = {.n_tasks = 1, .durable = true};
    nb_sched_action a;

    (void)unused;
    nb_scheduler_worker_join(s, 1, 1, 0);
    assert_int_equal(nb_scheduler_query_add(s, 1, &stage, 1, NB_STR("")), NB_OK);
    assert_true(nb_scheduler_next(s, 0, &a));
    done(s, &a);
    nb_scheduler_worker_lost(s, 1);
    assert_int_equal(state(s, 1), NB_SCHED_READY);
    nb_scheduler_free(s);
}

static void
test_scheduler__drives_its_own_stages(void **unused)
{
    static const int inputs[] = {0};
    nb_sched_stage stages[] = {{.n_tasks = 1, .on_driver = true},
                               {.n_tasks = 1, .inputs = inputs, .n_inputs = 1}};
    nb_scheduler *s = scheduler(3);
    nb_sched_action a;

    (void)unused;
    nb_scheduler_worker_join(s, 1, 1, 0);
    assert_int_equal(nb_scheduler_query_add(s, 1, stages, 2, NB_STR("")), NB_OK);
    assert_false(nb_scheduler_next(s, 0, &a));
    assert_int_equal(state(s, 1), NB_SCHED_DRIVE);
    assert_true(nb_scheduler_task_done(s, 1, 0, 0, 0, NB_SCHED_DRIVER, true, 0));
    assert_true(nb_scheduler_next(s, 0, &a));
    assert_int_equal(a.stage, 1);
    nb_scheduler_query_end(s, 1);
    assert_true(nb_scheduler_next(s, 0, &a));
    assert_true(a.kill);
    nb_scheduler_free(s);
}

/* ---- stages that are planned when their inputs are done -------------------------------------- */

static void
test_scheduler__plans_late_stages(void **unused)
{
    static const int first[] = {0}, both[] = {0, 1};
    nb_sched_stage stages[] = {{.n_tasks = 1},
                               {.late = true, .inputs = first, .n_inputs = 1},
                               {.late = true, .inputs = both, .n_inputs = 2}};
    nb_scheduler *s = scheduler(3);
    nb_sched_action a, b;
    int stage, task;

    (void)unused;
    nb_scheduler_worker_join(s, 1, 4, 0);
    assert_int_equal(nb_scheduler_query_add(s, 1, stages, 3, NB_STR("")), NB_OK);
    assert_true(nb_scheduler_next(s, 0, &a));
    assert_int_equal(state(s, 1), NB_SCHED_RUNNING);
    done(s, &a);
    assert_int_equal(nb_scheduler_query_state(s, 1, &stage, &task), NB_SCHED_PLAN);
    assert_int_equal(stage, 1);
    assert_false(nb_scheduler_next(s, 0, &a));
    assert_int_equal(nb_scheduler_stage_plan(s, 1, 1, 0, false, first, 1, NULL),
                     NB_OK); /* not needed */
    assert_int_equal(nb_scheduler_query_state(s, 1, &stage, &task), NB_SCHED_PLAN);
    assert_int_equal(stage, 2);
    assert_int_equal(nb_scheduler_stage_plan(s, 1, 2, 2, false, first, 1, NULL), NB_OK);
    assert_true(nb_scheduler_next(s, 0, &a));
    assert_true(nb_scheduler_next(s, 0, &b));
    assert_int_equal(a.stage, 2);
    done(s, &a);
    assert_int_equal(state(s, 1), NB_SCHED_RUNNING);
    done(s, &b);
    assert_int_equal(state(s, 1), NB_SCHED_READY);
    nb_scheduler_free(s);
}

/* Rows of a round robin may be dealt out in another way when they are dealt again: who has read some of the old ones starts anew. */
static void
roll_back(int producer)
{
    int consumer = 1 - producer, n_killed = 0, n_launched[2] = {0};
    nb_sched_stage stages[2] = {0};
    nb_scheduler *s = scheduler(3);
    nb_sched_action a, b, next;

    stages[producer] = (nb_sched_stage){.n_tasks = 2, .unsettled = true};
    stages[consumer] = (nb_sched_stage){.n_tasks = 2, .inputs = &producer, .n_inputs = 1};
    nb_scheduler_worker_join(s, 1, 1, 0);
    nb_scheduler_worker_join(s, 2, 2, 0);
    assert_int_equal(nb_scheduler_query_add(s, 1, stages, 2, NB_STR("")), NB_OK);
    assert_true(nb_scheduler_next(s, 0, &a));
    assert_true(nb_scheduler_next(s, 0, &b));
    assert_int_not_equal(a.worker, b.worker);
    assert_int_equal(a.stage, producer);
    done(s, &a);
    done(s, &b);
    assert_true(nb_scheduler_next(s, 0, &a));
    assert_true(nb_scheduler_next(s, 0, &b));
    done(s, a.worker == 2 ? &a : &b); /* one consumer is done, the other runs */
    nb_scheduler_output_lost(s, 1, 1, 1);
    while (state(s, 1) != NB_SCHED_READY && nb_scheduler_next(s, 0, &next)) {
        if (next.kill) {
            n_killed++;
        } else {
            n_launched[next.stage]++;
            done(s, &next);
        }
    }
    assert_int_equal(n_killed, 1);
    assert_int_equal(n_launched[producer], 2);
    assert_int_equal(n_launched[consumer], 2);
    assert_int_equal(state(s, 1), NB_SCHED_READY);
    nb_scheduler_free(s);
}

static void
test_scheduler__rolls_back_what_is_unsettled(void **unused)
{
    (void)unused;
    roll_back(0);
    roll_back(1); /* a stage may wait for one behind it */
}

static void
test_scheduler__prefers_who_has_the_blocks(void **unused)
{
    static const uint32_t prefer[] = {2, 2, 1, NB_SCHED_DRIVER};
    nb_sched_stage stage = {.late = true};
    nb_scheduler *s = scheduler(3);
    nb_sched_action a[4];

    (void)unused;
    nb_scheduler_worker_join(s, 1, 2, 0);
    nb_scheduler_worker_join(s, 2, 1, 0);
    assert_int_equal(nb_scheduler_query_add(s, 1, &stage, 1, NB_STR("")), NB_OK);
    assert_int_equal(nb_scheduler_stage_plan(s, 1, 0, 4, false, NULL, 0, prefer), NB_OK);
    for (int i = 0; i < 3; i++) {
        assert_true(nb_scheduler_next(s, 0, &a[i]));
    }
    assert_int_equal(a[0].worker, 2);
    assert_int_equal(a[0].task, 0);
    assert_int_equal(a[1].worker, 1); /* 2 is busy: 1 takes what prefers it, then what is there */
    assert_int_equal(a[1].task, 2);
    assert_int_equal(a[2].worker, 1);
    assert_int_equal(a[2].task, 1);
    done(s, &a[0]);
    assert_true(nb_scheduler_next(s, 0, &a[3]));
    assert_int_equal(a[3].worker, 2);
    assert_int_equal(a[3].task, 3);
    nb_scheduler_free(s);
}

/* Workers 1 and 2 cannot read from each other: what is lost is made where it can be read. */
static void
test_scheduler__excludes_who_cannot_be_read_from(void **unused)
{
    nb_scheduler *s = scheduler(3);
    nb_sched_action a[2], next;

    (void)unused;
    nb_scheduler_worker_join(s, 1, 1, 0);
    nb_scheduler_worker_join(s, 2, 1, 0);
    add_two_stages(s, 1, 2);
    for (int i = 0; i < 2; i++) {
        assert_true(nb_scheduler_next(s, 0, &a[i]));
    }
    done(s, &a[0]);
    done(s, &a[1]);
    while (nb_scheduler_next(s, 0, &next)) { /* the reduce tasks of both */
    }
    nb_scheduler_output_lost(s, 1, 2, 1);
    while (state(s, 1) == NB_SCHED_RUNNING && nb_scheduler_next(s, 0, &next)) {
        if (!next.kill) {
            assert_int_equal(next.worker, 1);
            done(s, &next);
        }
    }
    assert_int_equal(state(s, 1), NB_SCHED_READY);
    nb_scheduler_free(s);
}

/* One that can read from nobody is itself the one that is cut off. */
static void
test_scheduler__excludes_a_reader_that_accuses_all(void **unused)
{
    nb_scheduler *s = scheduler(3);
    nb_sched_action next;
    int n = 0;

    (void)unused;
    for (uint32_t w = 1; w <= 3; w++) {
        nb_scheduler_worker_join(s, w, 1, 0);
    }
    add_two_stages(s, 1, 3);
    while (n < 3 && nb_scheduler_next(s, 0, &next)) {
        done(s, &next);
        n++;
    }
    nb_scheduler_output_lost(s, 1, 2, 1);
    nb_scheduler_output_lost(s, 1, 3, 1);
    while (state(s, 1) == NB_SCHED_RUNNING && nb_scheduler_next(s, 0, &next)) {
        if (!next.kill) {
            assert_int_not_equal(next.worker, 1);
            done(s, &next);
        }
    }
    assert_int_equal(state(s, 1), NB_SCHED_READY);
    nb_scheduler_free(s);
}

/* ---- how much may be lost -------------------------------------------------------------------- */

/* Launches all that may be; tasks of stages before `held` are done at once. */
static void
run_until(nb_scheduler *s, int held)
{
    nb_sched_action a;

    while (nb_scheduler_next(s, 0, &a)) {
        if (!a.kill && a.stage < held) {
            done(s, &a);
        }
    }
}

/* One after the other the workers of a large cluster go, and no task of the second stage has been done yet: each costs what it had. */
static void
test_scheduler__most_workers_may_be_lost(void **unused)
{
    nb_scheduler *s = scheduler(4);

    (void)unused;
    for (uint32_t w = 1; w <= 40; w++) {
        nb_scheduler_worker_join(s, w, 2, 0);
    }
    add_two_stages(s, 1, 40);
    run_until(s, 1);
    for (uint32_t w = 1; w < 40; w++) {
        if (w % 2) { /* some are missed by a reader first */
            nb_scheduler_output_lost(s, 1, w, 40);
        }
        nb_scheduler_worker_lost(s, w);
        run_until(s, 1);
        assert_int_equal(state(s, 1), NB_SCHED_RUNNING);
    }
    nb_scheduler_worker_join(s, 41, 2, 0);
    nb_scheduler_worker_lost(s, 40);
    run_until(s, 2);
    assert_int_equal(state(s, 1), NB_SCHED_READY);
    nb_scheduler_free(s);
}

/* A reader that can read nothing, whoever makes it: what is made again for it is no progress. */
static void
test_scheduler__rounds_without_progress_are_bounded(void **unused)
{
    static const int first[] = {0}, both[] = {0, 1};
    nb_sched_stage stages[] = {{.n_tasks = 3},
                               {.n_tasks = 3, .inputs = first, .n_inputs = 1},
                               {.n_tasks = 3, .inputs = both, .n_inputs = 2}};
    nb_scheduler *s = scheduler(4);
    int rounds = 0;

    (void)unused;
    for (uint32_t w = 1; w <= 3; w++) {
        nb_scheduler_worker_join(s, w, 2, 0);
    }
    assert_int_equal(nb_scheduler_query_add(s, 1, stages, 3, NB_STR("")), NB_OK);
    run_until(s, 2);
    while (state(s, 1) == NB_SCHED_RUNNING && rounds < 1000) {
        nb_scheduler_output_lost(s, 1, (uint32_t)(rounds % 3 + 1), NB_SCHED_DRIVER);
        run_until(s, 2);
        rounds++;
    }
    assert_int_equal(state(s, 1), NB_SCHED_LOST);
    assert_int_equal(rounds, 20 + 3 + 1);
    nb_scheduler_free(s);
}

/* What a worker has of all stages goes in one round. */
static void
test_scheduler__a_report_takes_all_that_a_worker_has(void **unused)
{
    static const int first[] = {0}, both[] = {0, 1};
    nb_sched_stage stages[] = {{.n_tasks = 4},
                               {.n_tasks = 4, .inputs = first, .n_inputs = 1},
                               {.n_tasks = 1, .inputs = both, .n_inputs = 2}};
    nb_scheduler *s = scheduler(4);
    uint32_t worker;
    int attempt;

    (void)unused;
    nb_scheduler_worker_join(s, 1, 2, 0);
    nb_scheduler_worker_join(s, 2, 2, 0);
    assert_int_equal(nb_scheduler_query_add(s, 1, stages, 3, NB_STR("")), NB_OK);
    run_until(s, 2);
    nb_scheduler_output_lost(s, 1, 2, 1);
    run_until(s, 2);
    for (int stage = 0; stage < 2; stage++) {
        for (int task = 0; task < 4; task++) {
            assert_true(nb_scheduler_output(s, 1, stage, task, &worker, &attempt));
            assert_int_equal(worker, 1);
        }
    }
    nb_scheduler_free(s);
}

/* A task under which every worker dies. */
static void
test_scheduler__a_task_may_not_take_all_workers_along(void **unused)
{
    nb_scheduler *s = scheduler(4);
    nb_sched_stage stages[] = {{.n_tasks = 1}, {.n_tasks = 1000}};
    nb_sched_action a;
    uint32_t w = 1;

    (void)unused;
    nb_scheduler_worker_join(s, w, 2, 0);
    assert_int_equal(nb_scheduler_query_add(s, 1, stages, 2, NB_STR("")), NB_OK);
    while (state(s, 1) == NB_SCHED_RUNNING && w < 1000) {
        while (nb_scheduler_next(s, 0, &a) && a.stage == 0) {
        }
        done(s, &a); /* the others get on */
        nb_scheduler_worker_lost(s, w);
        nb_scheduler_worker_join(s, ++w, 2, 0);
    }
    assert_int_equal(state(s, 1), NB_SCHED_LOST);
    assert_int_equal(w, 22);
    nb_scheduler_free(s);
}

/* ---- copies of slow tasks -------------------------------------------------------------------- */

static nb_scheduler *
speculating(void)
{
    nb_scheduler_options options = NB_SCHEDULER_OPTIONS_INIT;
    nb_scheduler *s;

    options.speculation = true;
    options.speculation_quantile = 0.5;
    options.heartbeat_timeout_ms = 1000000;
    assert_int_equal(nb_scheduler_new(&options, &s), NB_OK);
    return s;
}

/* Four tasks; all but one are done after 10 ms. Returns the slow one. */
static nb_sched_action
one_is_slow(nb_scheduler *s)
{
    nb_sched_stage stage = {.n_tasks = 4};
    nb_sched_action a[4];

    nb_scheduler_worker_join(s, 1, 2, 0);
    nb_scheduler_worker_join(s, 2, 2, 0);
    assert_int_equal(nb_scheduler_query_add(s, 1, &stage, 1, NB_STR("")), NB_OK);
    for (int i = 0; i < 4; i++) {
        assert_true(nb_scheduler_next(s, 0, &a[i]));
    }
    for (int i = 1; i < 4; i++) {
        assert_true(
            nb_scheduler_task_done(s, 1, 0, a[i].task, a[i].attempt, a[i].worker, false, 10));
    }
    return a[0];
}

static void
test_scheduler__copies_stragglers(void **unused)
{
    nb_scheduler *s = speculating();
    nb_sched_action slow = one_is_slow(s), copy, kill;

    (void)unused;
    nb_scheduler_tick(s, 90); /* below the least time */
    assert_false(nb_scheduler_next(s, 90, &copy));
    nb_scheduler_tick(s, 300);
    assert_true(nb_scheduler_next(s, 300, &copy));
    assert_int_equal(copy.task, slow.task);
    assert_int_not_equal(copy.attempt, slow.attempt);
    assert_int_not_equal(copy.worker, slow.worker);
    nb_scheduler_tick(s, 500);
    assert_false(nb_scheduler_next(s, 500, &kill)); /* two are enough */
    done(s, &copy);
    assert_int_equal(state(s, 1), NB_SCHED_READY);
    assert_true(nb_scheduler_next(s, 500, &kill));
    assert_true(kill.kill);
    assert_int_equal(kill.attempt, slow.attempt);
    assert_int_equal(kill.worker, slow.worker);
    assert_false(nb_scheduler_task_done(s, 1, 0, slow.task, slow.attempt, slow.worker, false, 600));
    nb_scheduler_free(s);
}

static void
test_scheduler__a_copy_outlives_its_original(void **unused)
{
    nb_scheduler *s = speculating();
    nb_sched_action slow = one_is_slow(s), copy, next;
    nb_sched_worker_state w;

    (void)unused;
    nb_scheduler_tick(s, 300);
    assert_true(nb_scheduler_next(s, 300, &copy));
    nb_scheduler_worker_lost(s, slow.worker);
    /* the others' outputs went with it or not; the task itself is not launched a third time */
    while (nb_scheduler_next(s, 300, &next)) {
        assert_false(next.kill);
        assert_int_not_equal(next.task, slow.task);
        done(s, &next);
    }
    assert_true(nb_scheduler_task_failed(s, 1, 0, copy.task, copy.attempt, copy.worker, true));
    assert_true(nb_scheduler_next(s, 300, &next));
    assert_int_equal(next.task, slow.task);
    done(s, &next);
    assert_int_equal(state(s, 1), NB_SCHED_READY);
    assert_true(nb_scheduler_worker_state(s, copy.worker, &w));
    assert_int_equal(w.running, 0);
    nb_scheduler_free(s);
}

/* ---- pools ----------------------------------------------------------------------------------- */

static void
test_scheduler__pools_share_by_weight(void **unused)
{
    nb_scheduler_options options = NB_SCHEDULER_OPTIONS_INIT;
    nb_sched_stage stage = {.n_tasks = 100};
    nb_scheduler *s;
    nb_sched_action a;
    int n[5] = {0};

    (void)unused;
    options.fair = true;
    assert_int_equal(nb_scheduler_new(&options, &s), NB_OK);
    nb_scheduler_worker_join(s, 1, 12, 0);
    nb_scheduler_pool(s, &(nb_sched_pool){.name = NB_STR("big"), .weight = 3});
    nb_scheduler_pool(s, &(nb_sched_pool){.name = NB_STR("even"), .weight = 1, .fair = true});
    nb_scheduler_query_add(s, 1, &stage, 1, NB_STR("big"));
    nb_scheduler_query_add(s, 2, &stage, 1, NB_STR("big")); /* FIFO inside: after 1 */
    nb_scheduler_query_add(s, 3, &stage, 1, NB_STR("even"));
    nb_scheduler_query_add(s, 4, &stage, 1, NB_STR("even"));
    while (nb_scheduler_next(s, 0, &a)) {
        n[a.query]++;
    }
    assert_int_equal(n[1], 9);
    assert_int_equal(n[2], 0);
    assert_int_equal(n[3] + n[4], 3);
    assert_true(n[3] >= 1 && n[4] >= 1);
    nb_scheduler_free(s);
}

static void
test_scheduler__pools_get_their_share_first(void **unused)
{
    nb_scheduler_options options = NB_SCHEDULER_OPTIONS_INIT;
    nb_sched_stage stage = {.n_tasks = 100};
    nb_scheduler *s;
    nb_sched_action a;
    int n[3] = {0};

    (void)unused;
    options.fair = true;
    assert_int_equal(nb_scheduler_new(&options, &s), NB_OK);
    nb_scheduler_worker_join(s, 1, 10, 0);
    nb_scheduler_pool(s, &(nb_sched_pool){.name = NB_STR("heavy"), .weight = 1000});
    nb_scheduler_pool(s, &(nb_sched_pool){.name = NB_STR("owed"), .weight = 1, .min_share = 4});
    nb_scheduler_query_add(s, 1, &stage, 1, NB_STR("heavy"));
    nb_scheduler_query_add(s, 2, &stage, 1, NB_STR("owed"));
    while (nb_scheduler_next(s, 0, &a)) {
        n[a.query]++;
    }
    assert_int_equal(n[1], 6);
    assert_int_equal(n[2], 4);
    nb_scheduler_free(s);
}

static void
test_scheduler__pools_come_from_a_file(void **unused)
{
    static const char *const refused[] = {
        "",
        "<allocations>",
        "<allocations><pool></pool></allocations>",
        "<allocations><pool name=\"x\"></allocations>",
        "<allocations><pool name=\"x\"><weight>a</weight></pool></allocations>",
        "<allocations><pool name=\"x\"><weight>-1</weight></pool></allocations>",
        "<allocations><pool name=\"x\"><schedulingMode>NONE</schedulingMode></pool></allocations>",
        "<allocations><pool name=\"x\" a=\"b\"></pool></allocations>",
        "<allocations><!-- </allocations>",
        "<allocations><queue/></allocations>",
    };
    nb_scheduler_options options = NB_SCHEDULER_OPTIONS_INIT;
    nb_sched_stage stage = {.n_tasks = 100};
    nb_error err = NB_ERROR_INIT;
    nb_scheduler *s;
    nb_sched_action a;
    int n[3] = {0};

    (void)unused;
    options.fair = true;
    assert_int_equal(nb_scheduler_new(&options, &s), NB_OK);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        assert_int_equal(nb_pools_parse(s, nb_str_of(refused[i]), &err), NB_ERROR);
        nb_error_clear(&err);
    }
    assert_int_equal(
        nb_pools_parse(s,
                       NB_STR("<?xml version=\"1.0\"?>\n<!-- pools -->\n<allocations>\n"
                              "  <pool name=\"big\"><schedulingMode>FAIR</schedulingMode>\n"
                              "    <weight>3</weight><minShare>0</minShare></pool>\n"
                              "  <pool name=\"small\"> <weight> 1 </weight> </pool>\n"
                              "</allocations>\n"),
                       &err),
        NB_OK);
    nb_scheduler_worker_join(s, 1, 8, 0);
    nb_scheduler_query_add(s, 1, &stage, 1, NB_STR("big"));
    nb_scheduler_query_add(s, 2, &stage, 1, NB_STR("small"));
    while (nb_scheduler_next(s, 0, &a)) {
        n[a.query]++;
    }
    assert_int_equal(n[1], 6);
    assert_int_equal(n[2], 2);
    nb_scheduler_free(s);
}

/* Workers come and go at random, attempts fail, reports get lost: every query must end ready, with each task done by the attempt that
 * the scheduler believes in. */
static void
test_scheduler__survives_chaos(void **unused)
{
    enum { RUNNING = 64 };
    nb_random random = {.state = 7};
    nb_scheduler_options options = NB_SCHEDULER_OPTIONS_INIT;
    nb_scheduler *s;
    nb_sched_action running[RUNNING];
    int n = 0;
    uint32_t next = 1, oldest = 1;
    int64_t now = 0;

    (void)unused;
    options.max_failures = options.max_losses = 1000000;
    options.heartbeat_timeout_ms = 100;
    options.speculation = true;
    options.speculation_quantile = 0.3;
    options.speculation_min_ms = 5;
    options.speculation_interval_ms = 2;
    assert_int_equal(nb_scheduler_new(&options, &s), NB_OK);
    add_two_stages(s, 1, 50);
    add_two_stages(s, 2, 30);
    for (int step = 0;
         step < 200000 && (state(s, 1) != NB_SCHED_READY || state(s, 2) != NB_SCHED_READY);
         step++) {
        uint64_t dice = nb_random_u64(&random) % 100;

        now++;
        for (uint32_t w = oldest; w < next; w++) {
            nb_scheduler_worker_beat(s, w, now);
        }
        nb_scheduler_tick(s, now);
        if (nb_scheduler_workers(s) < 4) {
            nb_scheduler_worker_join(s, next++, 4, now);
        } else if (dice == 0 && step % 7 == 0) {
            nb_scheduler_worker_lost(s, oldest++);
        }
        while (n < RUNNING && nb_scheduler_next(s, now, &running[n])) {
            n += !running[n].kill;
        }
        if (n > 0) {
            int i = (int)(nb_random_u64(&random) % (uint64_t)n);
            nb_sched_action a = running[i];

            running[i] = running[--n];
            if (dice < 90) {
                nb_scheduler_task_done(s, a.query, a.stage, a.task, a.attempt, a.worker, false,
                                       now);
            } else {
                nb_scheduler_task_failed(s, a.query, a.stage, a.task, a.attempt, a.worker, true);
            }
        }
    }
    assert_int_equal(state(s, 1), NB_SCHED_READY);
    assert_int_equal(state(s, 2), NB_SCHED_READY);
    nb_scheduler_free(s);
}

/* A thousand workers with 16 cores: launching must not cost more with their number. benchmarks/bench_cluster.py times it. */
static void
test_scheduler__thousand_workers(void **unused)
{
    nb_scheduler *s = scheduler(4);
    nb_sched_action a, ring[1024];
    size_t at = 0, n = 0, launched = 0;

    (void)unused;
    for (uint32_t w = 1; w <= 1000; w++) {
        nb_scheduler_worker_join(s, w, 16, 0);
    }
    for (uint64_t q = 1; q <= 10; q++) {
        add_two_stages(s, q, 5000);
    }
    while (launched < 100000 || n > 0) {
        while (n < 1024 && nb_scheduler_next(s, 0, &a)) {
            ring[(at + n++) % 1024] = a;
            launched++;
        }
        if (n == 0) {
            break;
        }
        done(s, &ring[at]);
        at = (at + 1) % 1024;
        n--;
    }
    assert_int_equal(launched, 100000);
    assert_int_equal(state(s, 10), NB_SCHED_READY);
    nb_scheduler_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scheduler__runs_stages_in_order),
        cmocka_unit_test(test_scheduler__refuses_late_and_double_reports),
        cmocka_unit_test(test_scheduler__its_own_pause_is_nobodys_silence),
        cmocka_unit_test(test_scheduler__makes_lost_outputs_again),
        cmocka_unit_test(test_scheduler__fails_after_max_failures),
        cmocka_unit_test(test_scheduler__keeps_what_is_durable),
        cmocka_unit_test(test_scheduler__drives_its_own_stages),
        cmocka_unit_test(test_scheduler__plans_late_stages),
        cmocka_unit_test(test_scheduler__rolls_back_what_is_unsettled),
        cmocka_unit_test(test_scheduler__prefers_who_has_the_blocks),
        cmocka_unit_test(test_scheduler__excludes_who_cannot_be_read_from),
        cmocka_unit_test(test_scheduler__excludes_a_reader_that_accuses_all),
        cmocka_unit_test(test_scheduler__most_workers_may_be_lost),
        cmocka_unit_test(test_scheduler__rounds_without_progress_are_bounded),
        cmocka_unit_test(test_scheduler__a_report_takes_all_that_a_worker_has),
        cmocka_unit_test(test_scheduler__a_task_may_not_take_all_workers_along),
        cmocka_unit_test(test_scheduler__copies_stragglers),
        cmocka_unit_test(test_scheduler__a_copy_outlives_its_original),
        cmocka_unit_test(test_scheduler__pools_share_by_weight),
        cmocka_unit_test(test_scheduler__pools_get_their_share_first),
        cmocka_unit_test(test_scheduler__pools_come_from_a_file),
        cmocka_unit_test(test_scheduler__survives_chaos),
        cmocka_unit_test(test_scheduler__thousand_workers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
