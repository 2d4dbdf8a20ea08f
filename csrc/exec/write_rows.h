/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_rows.h: rows on their way into a write job, by Spark partition.
 *
 *     nb_write_rows_new → (push* → settle, per partition) → finish → free
 *
 * Partitions are independent: different threads may push rows of different partitions at once, but those of one partition come from one thread at
 * a time, in order. Rows of directories beyond those that may be open at once wait in a sorter until the partition is settled.
 */
#ifndef NB_EXEC_WRITE_ROWS_H
#define NB_EXEC_WRITE_ROWS_H

#include "exec/exec.h"

typedef struct nb_write_rows nb_write_rows;

/* The job is borrowed. partition: the number that all rows have; -1: their own. node: metrics; may be NULL. */
nb_status nb_write_rows_new(const nb_exec_ctx *ctx, nb_node *node, const nb_type *schema,
                            nb_write_job *job, int partition, nb_write_rows **out);
/* The batch's rows belong to one partition. */
nb_status nb_write_rows_push(nb_write_rows *w, nb_batch *batch, nb_error *err);
/* No more rows of the partition are expected: its files are closed. Those that come all the same go into further files. */
nb_status nb_write_rows_settle(nb_write_rows *w, int partition, nb_error *err);
/* All files are whole. */
nb_status nb_write_rows_finish(nb_write_rows *w, nb_error *err);
/* What is not finished is given up. NULL is fine. */
void nb_write_rows_free(nb_write_rows *w);

#endif
