/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hybrid_write.h: levels and codes in the encoding that hybrid.h reads.
 */
#ifndef NB_IO_PARQUET_HYBRID_WRITE_H
#define NB_IO_PARQUET_HYBRID_WRITE_H

#include "base/str.h"

/* Appends n values of `width` bits (0 to 32). Memory that runs out sets out->failed. */
void nb_pq_put_hybrid(nb_strbuf *out, const uint32_t *v, int64_t n, int width);

#endif
