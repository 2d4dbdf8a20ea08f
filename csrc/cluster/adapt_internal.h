/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adapt_internal.h: shared by the files of adapt.c.
 */
#ifndef NB_CLUSTER_ADAPT_INTERNAL_H
#define NB_CLUSTER_ADAPT_INTERNAL_H

#include "cluster/adapt.h"

/* All that a stage has put out. */
int64_t nb_adapt_bytes(const nb_stages *stages, int stage, const nb_adapt_sizes *sizes);
/* What it is going to put out, as estimated. */
double nb_adapt_estimate(const nb_stage *stage);
/* The stage's scans are given the keys that it has reductions for, where those are few. broadcast: the stage whose keys its rows meet anyway;
 * -1: none. */
nb_status nb_adapt_reduce(nb_arena *arena, const nb_adapt_options *options, const nb_stages *stages,
                          nb_stage *stage, int broadcast, const nb_adapt_sizes *sizes);

/* Each task of the part reads all of these bytes: when they are many, there are no more tasks than cores. */
void nb_adapt_limit_tasks(const nb_adapt_options *options, int64_t bytes, nb_stage_part *part);

#endif
