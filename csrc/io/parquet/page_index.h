/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_index.h: what a file says of the pages of a column chunk: their bounds and the rows at which they begin.
 */
#ifndef NB_IO_PARQUET_PAGE_INDEX_H
#define NB_IO_PARQUET_PAGE_INDEX_H

#include "io/parquet/meta.h"

typedef struct nb_pq_page_bounds {
    bool is_null;      /* all values are */
    nb_str low, high;  /* as the file holds them; borrowed from the bytes */
    int64_t first_row; /* within the row group */
} nb_pq_page_bounds;

/* From the bytes of a column index and an offset index. n is 0 where they are damaged or do not go with each other: indexes are an offer. */
nb_status nb_pq_page_index_read(nb_str column_index, nb_str offset_index, int64_t n_rows,
                                nb_arena *arena, nb_pq_page_bounds **out, int *n);

#endif
