/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaf.h: a column chunk with its levels, as lists and structs need it.
 */
#ifndef NB_IO_PARQUET_LEAF_H
#define NB_IO_PARQUET_LEAF_H

#include "io/parquet/reader.h"

typedef struct nb_pq_leaf {
    int64_t n;    /* levels */
    uint8_t *def; /* NULL: all are the greatest */
    uint8_t *rep; /* NULL: all 0 */
    nb_vector
        values; /* FLAT, those that are there one after the other; n_there of them. Not there when they were not asked for */
    int64_t n_there;
} nb_pq_leaf;

/* Reads all pages of an opened reader; levels and values lie in its arena. The levels tell of n_rows rows, else FAILED_READ_FILE. */
nb_status
nb_pq_leaf_read(nb_pq_reader *r, int64_t n_rows, bool want_values, nb_pq_leaf *out, nb_error *err);

#endif
