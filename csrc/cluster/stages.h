/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages.h: a physical plan cut at exchanges: what runs in tasks, what in the driver.
 *
 * nb_stages_cut is a function of the plan and the options alone. It follows one rule: whatever it does not know how to spread stays with the
 * driver, which gathers its input; so every plan runs, and every expression that cannot travel does not.
 *
 *   stage     tasks that run the same fragment (or one of a few: the branches of a union) and put their rows into buckets
 *   task      number t of n: reads its share of files or partitions, or bucket t of the stages below
 *   driver    stages marked so are run by the driver itself: rows that it has, for tasks that need them
 *   final     what the driver does with the rows of the last stages; READ nodes in it stand for those
 *
 * Order    rows of a stage in the order of its tasks are in the order that one process would give them in, for everything but what was
 *          shuffled: groups, joins, windows.
 */
#ifndef NB_CLUSTER_STAGES_H
#define NB_CLUSTER_STAGES_H

#include "exec/exec.h"

typedef struct nb_stage_options {
    int parallelism;  /* tasks at once in the cluster: buckets of an exchange, shares of a scan */
    int64_t min_rows; /* ranges and tables below this stay with the driver */
    int64_t broadcast_bytes; /* a join's side that is estimated smaller goes to every task whole */
    int64_t share_bytes;     /* of files that one task should have at least */
} nb_stage_options;

/* The tasks of one branch of a union, or of a stage that has none. */
typedef struct nb_stage_part {
    nb_node *root; /* PUT or WRITE */
    int first_task, n_tasks;
    bool whole_partitions; /* shares of files are cut between Spark partitions */
    bool by_task;          /* WRITE: the partition of written rows is the task's number */
} nb_stage_part;

typedef struct nb_stage {
    int id; /* its position; inputs are below it */
    bool on_driver;
    nb_stage_part *parts;
    int n_parts, n_tasks, n_buckets;
    int *inputs; /* stages that it reads */
    int n_inputs;
    const nb_write_request *write; /* its tasks write files of this job */
} nb_stage;

typedef struct nb_stages {
    nb_stage *stages;
    int n;
    nb_node *final; /* never NULL; an empty result after a write by tasks */
} nb_stages;

/* Everything is in the arena; nodes that did not change are shared with the plan. n == 0: nothing to spread. */
nb_status nb_stages_cut(nb_arena *arena, const nb_stage_options *options,
                        const nb_session_info *info, nb_node *root, nb_stages *out, nb_error *err);
/* For tests and EXPLAIN: one line per node. */
void nb_stages_print(const nb_stages *stages, nb_strbuf *out);

#endif
