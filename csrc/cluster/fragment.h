/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment.h: a part of a physical plan as bytes, and back: what a task runs.
 *
 * A fragment is complete: types, literals, bound expressions, file lists, the settings of the session. Functions travel by name with
 * typed arguments, and are bound again on arrival; both ends run the same build, so the same arguments choose the same kernel. The
 * reader trusts no byte: positions point backwards, columns exist and have the types that expressions take them for.
 *
 * What cannot travel: rows in memory (the cutter puts READ nodes in their place), and calls whose binding does not follow from
 * function, type and arguments (models). nb_fragment_carries tells beforehand.
 */
#ifndef NB_CLUSTER_FRAGMENT_H
#define NB_CLUSTER_FRAGMENT_H

#include "base/config.h"
#include "exec/exec.h"

typedef struct nb_fragment {
    nb_arena *arena; /* owns it all */
    nb_node *root;
    nb_session_info info;
    nb_config *config;
    nb_relation **relations; /* of the SCAN nodes */
    int n_relations;
} nb_fragment;

/* Packed nbaspark.cluster.Fragment in the arena. Raises what nb_fragment_carries is false for. */
nb_status nb_fragment_write(nb_arena *arena, const nb_node *root, const nb_session_info *info,
                            nb_str *out, nb_error *err);
/* *out is owned by the caller; memory is charged to the pool. */
nb_status nb_fragment_read(nb_pool *pool, nb_str bytes, nb_fragment **out, nb_error *err);
void nb_fragment_free(nb_fragment *f); /* NULL is fine */

/* Would the expression be the same after the journey? arena: scratch. */
bool nb_fragment_carries(nb_arena *arena, const nb_session_info *info, const nb_expr *e);

#endif
