/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failure.h: an error that travels from a task to its driver: condition, parameters, place in the query.
 */
#ifndef NB_CLUSTER_FAILURE_H
#define NB_CLUSTER_FAILURE_H

#include "base/arena.h"
#include "base/error.h"
#include "nbaspark/cluster.pb-c.h"

/* The message borrows from the error; NULL when out of memory. An error that is not set is described by st. */
Nbc__Failure *nb_failure_write(nb_arena *arena, nb_status st, const nb_error *err);
/* Raises it again and returns its status. */
nb_status nb_failure_raise(const Nbc__Failure *m, nb_error *err);

#endif
