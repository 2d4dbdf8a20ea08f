/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_source.h: what the sources of all file formats have in common: a relation that they hold, an arena that goes with them, and the splits of
 * its files as morsels. The concrete source begins with it.
 */
#ifndef NB_IO_FILE_SOURCE_H
#define NB_IO_FILE_SOURCE_H

#include "io/format.h"

typedef struct nb_file_source {
    nb_source base;
    nb_relation *rel;      /* held */
    nb_arena *arena;       /* the source itself is in it */
    nb_file_split *splits; /* the morsels; NULL where these are something else */
} nb_file_source;

/* A source of n_bytes, zeros beyond its beginning. */
nb_status nb_file_source_new(nb_relation *rel, nb_pool *pool, const nb_scan_request *request,
                             const nb_source_ops *ops, size_t n_bytes, nb_file_source **out);
/* The splits as morsels, each from one file and of at most morsel_bytes where that may be split. */
nb_status
nb_file_source_split(nb_file_source *s, const nb_scan_request *request,
                     bool (*splittable)(const nb_relation *, int file), int64_t morsel_bytes);
/* The operation free. */
void nb_file_source_free(nb_source *src);
/* Says of a batch which split it is from. */
void nb_file_source_place(const nb_file_source *s, int64_t split, nb_batch *out);

#endif
