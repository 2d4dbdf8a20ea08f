/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pools.h: the pools of FAIR scheduling from a file as Spark's fairscheduler.xml.
 *
 *     <allocations>
 *       <pool name="etl"> <schedulingMode>FAIR</schedulingMode> <weight>2</weight> <minShare>4</minShare> </pool>
 *     </allocations>
 */
#ifndef NB_CLUSTER_POOLS_H
#define NB_CLUSTER_POOLS_H

#include "base/error.h"
#include "cluster/scheduler.h"

/* Defines the pools of the file. What is missing is as Spark has it: FIFO, weight 1, share 0. */
nb_status nb_pools_load(nb_scheduler *s, nb_str path, nb_error *err);
/* The same from text; for tests. */
nb_status nb_pools_parse(nb_scheduler *s, nb_str text, nb_error *err);

#endif
