/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values.h: values of a page in all encodings but the dictionary's.
 */
#ifndef NB_IO_PARQUET_VALUES_H
#define NB_IO_PARQUET_VALUES_H

#include "io/parquet/meta.h"

/* n values from [p, end), behind which 16 more bytes may be read, in our layout to `to`, which has room for n + 8. Strings point into the bytes or into the arena. On
 * NB_ERROR *problem says what is wrong; nothing is raised. */
nb_status
nb_pq_values(const nb_pq_column *column, int encoding, const uint8_t *p, const uint8_t *end,
             int64_t n, nb_arena *arena, void *to, const char **problem);
/* Do strings of this encoding point into the page? */
bool nb_pq_values_stay(const nb_pq_column *column, int encoding);

#endif
