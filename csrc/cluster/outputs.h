/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outputs.h: what the tasks of a worker have put out: a file per attempt, kept until its query ends, for whoever reads it.
 *
 * Files have no names (exec/spill_file.h): whatever ends the process, nothing is left on disk. All calls may come from any thread.
 */
#ifndef NB_CLUSTER_OUTPUTS_H
#define NB_CLUSTER_OUTPUTS_H

#include "cluster/handoff.h"
#include "exec/spill_file.h"
#include "rpc/server.h"

typedef struct nb_outputs nb_outputs;

nb_status nb_outputs_new(nb_outputs **out);
/* When no call is served any more. NULL is fine. */
void nb_outputs_free(nb_outputs *o);
/* The file is finished; moved, also on failure. */
nb_status nb_outputs_keep(nb_outputs *o, const nb_handoff_key *key, nb_spill_file *file);
/* Those of a query go when nobody reads them any more. */
void nb_outputs_forget(nb_outputs *o, uint64_t query);
void nb_outputs_forget_all(nb_outputs *o);

/* An nb_handoff_open: a descriptor for this process or another one of the host. */
int nb_outputs_open(void *outputs, const nb_handoff_key *key);
/* A handler of NB_FETCH_METHOD: sends ranges of files. */
nb_status nb_outputs_serve(nb_rpc_call *call, void *outputs, nb_error *err);

#endif
