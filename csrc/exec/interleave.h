/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interleave.h: rows that become several rows, each made by expressions of its own (expand, stack).
 */
#ifndef NB_EXEC_INTERLEAVE_H
#define NB_EXEC_INTERLEAVE_H

#include "exec/pipeline.h"

/* parts[p * n_cols + c]: column c of the p-th row that each input row becomes, n_rows rows each. keep[0..n_keep) go in front of them,
 * repeated. Emits rows in the order of the input rows, in batches that inherit order and partition of `like`. */
nb_status
nb_emit_interleaved(nb_thread_ctx *t, const nb_batch *like, const nb_vector *keep, int n_keep,
                    nb_vector *parts, int n_parts, int n_cols, int64_t n_rows, nb_error *err);

#endif
