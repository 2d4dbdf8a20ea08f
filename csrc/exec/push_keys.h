/* SPDX-License-Identifier: Apache-2.0 */
/*
 * push_keys.h: what the build side of a join knows goes to the scans of its probe side; what ORDER BY … LIMIT knows, to those below it.
 */
#ifndef NB_EXEC_PUSH_KEYS_H
#define NB_EXEC_PUSH_KEYS_H

#include "exec/pipeline.h"

/* For each key of integers whose probe side is a column of a file: the scan may leave out rows that find no partner. rows is the finished build
 * side, columns[k] the place of key k in it. Call before the stream of the probe side is built. */
nb_status nb_push_keys(nb_run *run, nb_node *join, const nb_table *rows, const int *columns);

/* The child that column *at of a node's rows comes from, when rows may be left out there as well as above it; *at becomes that child's. NULL:
 * there is none, or more than one (UNION). */
nb_node *nb_push_follow(const nb_node *node, int *at);
/* Do rows of the probe side that find no partner vanish? */
bool nb_push_drops_unmatched(const nb_node *join);

/* The scans below `node` may leave out rows whose column `at` lies beyond the bound. Goes only where no error can be left out with them. */
nb_status nb_push_bound(nb_run *run, nb_node *node, int at, const struct nb_key_filter *f);

#endif
