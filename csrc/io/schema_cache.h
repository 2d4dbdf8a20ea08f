/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema_cache.h: schemas that a pass over text files has found, by what they depend on.
 *
 * A view's relation is opened for every query that names it; the files that it reads are as they were nearly always. A schema is found again when
 * format, options, settings and the files' paths, sizes and times of change are the same. Files that changed in the last seconds are not
 * remembered: they may change once more within what their time of change can tell. Process-wide, a fixed number of places.
 */
#ifndef NB_IO_SCHEMA_CACHE_H
#define NB_IO_SCHEMA_CACHE_H

#include "io/format.h"

typedef struct nb_schema_key {
    uint64_t hash[2]; /* both 0: not to be remembered */
} nb_schema_key;

/* Of a relation whose options and files are known. */
nb_status nb_schema_key_of(const nb_relation *rel, const nb_session_info *info, nb_schema_key *out);
/* NULL when it is not known. */
const nb_type *nb_schema_cache_find(const nb_schema_key *key);
void nb_schema_cache_put(const nb_schema_key *key, const nb_type *schema);

#endif
