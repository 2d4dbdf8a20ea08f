/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adapt.h: stages corrected by what the stages below have really put out.
 *
 * A late stage is given its tasks here, when all of its inputs (and its advice) are done, and before any of its tasks runs. Functions of
 * their arguments alone, without threads or network.
 *
 *   broadcast   the probe side of a join whose build side turned out small is not shuffled: its stage gets no tasks, and what it would have
 *               done becomes part of the stage of the join
 *   keys        those of the build side of a join, when they are few, go to the scans in the stages of its probe side
 *   small       neighbouring buckets are read by one task, until it has enough to do
 *   skew        a bucket of a join that is much larger than others is read by several tasks: each takes what some tasks have put out of
 *               one side, and all of the other
 *   ranges      bounds of a sort are chosen from a sample; rows that are few are not moved to ranges at all
 *
 * Whole outputs of tasks are divided, never parts of one: should a task run again, its blocks may lie elsewhere.
 */
#ifndef NB_CLUSTER_ADAPT_H
#define NB_CLUSTER_ADAPT_H

#include "base/config.h"
#include "cluster/stages.h"

/* From the session's settings; config may be NULL. */
nb_adapt_options nb_adapt_options_of(const nb_config *config, int parallelism);

/* Bytes that task `task` of a stage has put into a bucket. */
typedef struct nb_adapt_sizes {
    int64_t (*bytes)(void *payload, int stage, int task, int bucket);
    void *payload;
} nb_adapt_sizes;

/* Plans a late stage; new arrays and nodes are in the arena. Other stages may change with it, but none that has been planned. Bounds of a
 * stage with ranges must have been set. */
nb_status nb_adapt_stage(nb_arena *arena, const nb_adapt_options *options, nb_stages *stages,
                         int stage, const nb_adapt_sizes *sizes);
/* Sets the bounds of a stage with ranges. sample: what its input has put into the bucket behind its last. */
nb_status nb_adapt_bounds(nb_arena *arena, const nb_adapt_options *options, nb_stages *stages,
                          int stage, const nb_adapt_sizes *sizes, const nb_table *sample);
/* Columns of such a sample. */
const nb_type *nb_adapt_sample_type(void);

#endif
