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

/* What is done when sizes are known (adapt.h), and not only estimated. */
typedef struct nb_adapt_options {
    bool enabled, coalesce, skew;
    int64_t
        broadcast_bytes;    /* a join's side that is smaller goes to every task whole; < 0: never */
    int64_t advisory_bytes; /* that a task should read */
    int64_t min_bytes;      /* a task that would read less gets more */
    int64_t skew_bytes;     /* only buckets above are split */
    double skew_factor;     /* and above the median by that */
    int parallelism;        /* tasks at once */
} nb_adapt_options;

typedef struct nb_stage_options {
    int parallelism;  /* tasks at once in the cluster: buckets of an exchange, shares of a scan */
    int file_threads; /* that tasks cut files for */
    int64_t min_rows; /* ranges, tables and sorts of fewer rows stay with the driver */
    int64_t share_bytes; /* of files that one task should have at least */
    nb_adapt_options adapt;
} nb_stage_options;

/* Which buckets a task reads: [from, to), and of the stage `split` (-1: none) only from tasks [first, last). */
typedef struct nb_task_slice {
    int from, to, split, first, last;
} nb_task_slice;

/* The tasks of one branch of a union, or of a stage that has none. */
typedef struct nb_stage_part {
    nb_node *root; /* PUT or WRITE */
    int first_task, n_tasks;
    const nb_task_slice *slices; /* per task; NULL: the bucket with its number */
    bool whole_partitions;       /* shares of files are cut between Spark partitions */
    bool by_task;                /* WRITE: the partition of written rows is the task's number */
} nb_stage_part;

typedef enum nb_ranges {
    NB_RANGES_NONE,
    NB_RANGES_FREE,  /* rows go to ranges of keys: as many as it takes */
    NB_RANGES_FIXED, /* as many as there are buckets */
} nb_ranges;

/* Of what a stage puts out only rows are of use whose columns are among the keys of another: a join above leaves the others out. That stage is
 * done before this one is planned; adapt.h decides whether its keys go to the scans. */
typedef struct nb_reduction {
    int from;
    nb_expr **keys; /* over its columns */
    int *columns;   /* of this stage, one per key */
    int n_keys;
    double most_rows; /* of `from`, for its keys to be worth their while */
} nb_reduction;

typedef struct nb_stage {
    int id; /* its position; inputs are below it */
    bool on_driver;
    bool late; /* its tasks are known when its inputs are done: adapt.h */
    int advice; /* of the probe side of a join: the stage of the build side, done before it is planned; -1 */
    nb_ranges ranges; /* its bounds are to be chosen from the sample that its only input has made */
    nb_reduction *reductions;
    int n_reductions;
    bool unsettled; /* two attempts may deal rows out differently */
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
/* The READ node of a stage below `node`; NULL: it is not read there. */
const nb_node *nb_stage_read_of(const nb_node *node, int stage);
/* Does task `index` of the part, by this READ node, take bucket `bucket` of what task `task` of stage `from` has put out? */
bool nb_stage_takes(const nb_stage_part *part, int index, const nb_node *read, const nb_stage *from,
                    int task, int bucket);
/* For tests and EXPLAIN: one line per node. */
void nb_stages_print(const nb_stages *stages, nb_strbuf *out);

#endif
