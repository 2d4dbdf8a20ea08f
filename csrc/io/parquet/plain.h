/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain.h: values written one after the other.
 */
#ifndef NB_IO_PARQUET_PLAIN_H
#define NB_IO_PARQUET_PLAIN_H

#include "column/vector.h"
#include "io/parquet/meta.h"

/* n values from [p, end) in our layout to `to`, which has room; strings point into the bytes. The place behind them, or NULL when the bytes do not
 * suffice or a value does not fit. */
const uint8_t *
nb_pq_plain(const nb_pq_column *column, const uint8_t *p, const uint8_t *end, int64_t n, void *to);
/* Bytes of a value that is stored just as we hold it, so that a page may be read in place; 0 when it is not. */
int nb_pq_plain_width(const nb_pq_column *column);

#endif
