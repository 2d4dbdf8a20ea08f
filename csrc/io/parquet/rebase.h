/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rebase.h: dates and timestamps of files that count days in the hybrid calendar (Julian before 1582-10-15), as Spark did before 3.0.
 *
 * Such files say so by their keys. Values become what the same year, month and day are in the proleptic Gregorian calendar.
 */
#ifndef NB_IO_PARQUET_REBASE_H
#define NB_IO_PARQUET_REBASE_H

#include "column/vector.h"
#include "io/parquet/meta.h"

/* Marks the columns whose values are to be rebased: nb_pq_column.is_legacy. */
void nb_pq_rebase_mark(nb_pq_meta *meta);
/* Values of a marked column, of its own type, any kind. zone: of the session, for files that do not name theirs. Timestamps before 1900 of
 * other zones than UTC depend on that zone's history, which is not implemented, and raise. */
nb_status nb_pq_rebase(nb_arena *arena, const nb_pq_meta *meta, const nb_pq_column *column,
                       nb_str zone, const nb_vector *v, nb_vector *out, nb_error *err);

#endif
