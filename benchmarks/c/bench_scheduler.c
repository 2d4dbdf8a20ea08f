/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_scheduler.c: what a master pays for 100 and 1,000 workers: the real scheduler and the real task messages, with workers that only
 * exist on paper. bench_scheduler.py builds it; docs/scaling.md has what it prints.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "base/clock.h"
#include "cluster/cluster_internal.h"

#define CORES 16

static double
seconds_since(int64_t start)
{
    return (double)(nb_clock_mono_ns() - start) / 1e9;
}

static double
peak_mib(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)r.ru_maxrss / 1024;
}

static nb_scheduler *
cluster_of(int n_workers)
{
    nb_scheduler_options options = NB_SCHEDULER_OPTIONS_INIT;
    nb_scheduler *s;

    if (nb_scheduler_new(&options, &s) < 0) {
        abort();
    }
    for (int w = 1; w <= n_workers; w++) {
        nb_scheduler_worker_join(s, (uint32_t)w, CORES, 0);
    }
    return s;
}

/* A map and a reduce stage with a task per core each, launched and reported; launches per second. */
static double
launches(int n_workers, int n_queries)
{
    static const int inputs[] = {0};
    int n_tasks = n_workers * CORES;
    nb_sched_stage stages[] = {{.n_tasks = n_tasks},
                               {.n_tasks = n_tasks, .inputs = inputs, .n_inputs = 1}};
    nb_scheduler *s = cluster_of(n_workers);
    nb_sched_action *running = malloc((size_t)n_tasks * sizeof(*running));
    int64_t start, n = 0;

    for (int q = 1; q <= n_queries; q++) {
        nb_scheduler_query_add(s, (uint64_t)q, stages, 2, NB_STR(""));
    }
    start = nb_clock_mono_ns();
    for (;;) {
        int k = 0;

        while (k < n_tasks && nb_scheduler_next(s, 0, &running[k])) {
            k++;
        }
        if (k == 0) {
            break;
        }
        for (int i = 0; i < k; i++) {
            nb_scheduler_task_done(s, running[i].query, running[i].stage, running[i].task,
                                   running[i].attempt, running[i].worker, false, 1);
        }
        n += k;
    }
    free(running);
    nb_scheduler_free(s);
    return (double)n / seconds_since(start);
}

static void
beats(int n_workers, double *per_s, double *tick_us, double *lost_ms)
{
    nb_sched_stage stage = {.n_tasks = n_workers * CORES};
    nb_scheduler *s = cluster_of(n_workers);
    nb_sched_action a;
    int64_t start = nb_clock_mono_ns();
    int rounds = 1000;

    for (int i = 0; i < rounds; i++) {
        for (int w = 1; w <= n_workers; w++) {
            nb_scheduler_worker_beat(s, (uint32_t)w, i);
        }
    }
    *per_s = (double)rounds * n_workers / seconds_since(start);
    start = nb_clock_mono_ns();
    for (int i = 0; i < rounds; i++) {
        nb_scheduler_tick(s, i);
    }
    *tick_us = seconds_since(start) / rounds * 1e6;
    for (int q = 1; q <= 10; q++) {
        nb_scheduler_query_add(s, (uint64_t)q, &stage, 1, NB_STR(""));
    }
    while (nb_scheduler_next(s, 0, &a)) {
    }
    start = nb_clock_mono_ns();
    nb_scheduler_worker_lost(s, 1);
    *lost_ms = seconds_since(start) * 1e3;
    nb_scheduler_free(s);
}

/* One task of the reduce stage, as a message: it lists what each of the map tasks has for it. */
static void
messages(int n_tasks, double *per_s, double *bytes, double *mib)
{
    nb_arena *arena = nb_arena_new(NULL), *scratch = nb_arena_new(NULL);
    nb_node read = {.kind = NB_NODE_READ}, put = {.kind = NB_NODE_PUT, .n_children = 1};
    nb_node *child = &read;
    nb_stage_part parts[2] = {{.root = &put, .n_tasks = n_tasks},
                              {.root = &put, .n_tasks = n_tasks}};
    int input = 0, n_outputs[2] = {n_tasks, n_tasks}, rounds = 20;
    nb_stage stages[2] = {
        {.parts = &parts[0], .n_parts = 1, .n_tasks = n_tasks, .n_buckets = n_tasks},
        {.id = 1,
         .parts = &parts[1],
         .n_parts = 1,
         .n_tasks = n_tasks,
         .inputs = &input,
         .n_inputs = 1}};
    nb_str fragment = NB_STR("a fragment of some hundred bytes");
    nb_str *fragments[2] = {&fragment, &fragment};
    Nbc__Output **outputs[2];
    nb_driven q = {.id = 1,
                   .stages = {.stages = stages, .n = 2},
                   .fragments = fragments,
                   .outputs = outputs,
                   .n_outputs = n_outputs};
    double before = peak_mib();
    int64_t start;

    put.children = &child;
    outputs[0] = NB_ARENA_ARRAY(arena, Nbc__Output *, n_tasks);
    for (int t = 0; t < n_tasks; t++) {
        Nbc__Output *o = NB_WIRE_NEW(arena, Nbc__Output, nbc__output);

        NB_WIRE_SET(o, task, (uint32_t)t);
        NB_WIRE_SET(o, attempt, 1);
        NB_WIRE_SET(o, worker, (uint32_t)(t / CORES + 1));
        NB_WIRE_SET(o, address, nb_wire_bytes(NB_STR("worker-0123.example:41234")));
        o->segments = NB_ARENA_ARRAY(arena, int64_t, 3 * n_tasks);
        for (int b = 0; b < n_tasks; b++) {
            o->segments[o->n_segments++] = b;
            o->segments[o->n_segments++] = (int64_t)b << 16;
            o->segments[o->n_segments++] = 1 << 16;
        }
        outputs[0][t] = o;
    }
    *mib = peak_mib() - before;
    start = nb_clock_mono_ns();
    for (int i = 0; i < rounds; i++) {
        nb_sched_action a = {.query = 1, .stage = 1, .task = i, .attempt = 1};
        Nbc__Task *m = nb_driven_task(&q, scratch, &a);

        *bytes = (double)protobuf_c_message_get_packed_size(&m->base);
        nb_arena_reset(scratch);
    }
    *per_s = rounds / seconds_since(start);
    nb_arena_free(scratch);
    nb_arena_free(arena);
}

int
main(void)
{
    for (int n = 10; n <= 1000; n *= 10) {
        double per_s, tick_us, lost_ms, tasks_per_s, bytes, mib;

        beats(n, &per_s, &tick_us, &lost_ms);
        printf("%d workers of %d cores: %.0f launches/s, %.0f beats/s, tick %.1f us, a lost worker "
               "%.1f "
               "ms\n",
               n, CORES, launches(n, 3), per_s, tick_us, lost_ms);
        messages(NB_MIN(n * CORES, 4096), &tasks_per_s, &bytes, &mib);
        printf("    shuffle of %d x %d: %.0f messages/s of %.0f bytes, %.0f MiB of segments\n",
               NB_MIN(n * CORES, 4096), NB_MIN(n * CORES, 4096), tasks_per_s, bytes, mib);
        fflush(stdout);
    }
    return 0;
}
