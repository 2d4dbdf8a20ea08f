/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nested.h: columns whose values are lists, maps and structs, in any nesting.
 *
 * A column's tree of nodes is matched once per file against the type wanted (nb_pq_nested_plan): fields of structs by name, as columns are; what is
 * not wanted is not read, what the file does not have is null. A row group's values are then put together from the levels of the leaves.
 */
#ifndef NB_IO_PARQUET_NESTED_H
#define NB_IO_PARQUET_NESTED_H

#include "io/parquet/leaf.h"

typedef struct nb_pq_nested nb_pq_nested;
struct nb_pq_nested {
    const nb_pq_node *node; /* NULL: the file does not have it */
    const nb_type *type;    /* wanted */
    int n_children;
    nb_pq_nested *children;
};

/* Gives an opened reader of a leaf column's chunk. */
typedef nb_status (*nb_pq_open_leaf)(void *payload, int leaf, nb_pq_reader **out, nb_error *err);

/* node as type; borrowed. Raises FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH and the refusals of types. */
nb_status
nb_pq_nested_plan(nb_arena *arena, const nb_pq_meta *meta, const nb_pq_node *node,
                  const nb_type *type, const char *path, nb_pq_nested **out, nb_error *err);
/* All n_rows rows of a row group. zone: of the session (rebase.h). */
nb_status nb_pq_nested_read(nb_arena *arena, const nb_pq_meta *meta, const nb_pq_nested *plan,
                            int64_t n_rows, const char *path, nb_str zone, nb_pq_open_leaf open,
                            void *payload, nb_vector *out, nb_error *err);
/* The field of this name: one that is equal to the letter before one that differs in case; -1: none. */
int nb_pq_find_node(const nb_pq_node *nodes, int n, nb_str name);

#endif
