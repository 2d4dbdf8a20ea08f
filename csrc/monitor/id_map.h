/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id_map.h: numbers to numbers, by hashing: ids of jobs, stages, tasks to where they are kept.
 */
#ifndef NB_MONITOR_ID_MAP_H
#define NB_MONITOR_ID_MAP_H

#include <stdbool.h>
#include "base/pool.h"

typedef struct nb_id_slot nb_id_slot;

/* Zero-initialise. */
typedef struct nb_id_map {
    nb_id_slot *slots;
    size_t n, cap; /* cap: a power of two, or 0 */
} nb_id_map;

void nb_id_map_free(nb_id_map *m, nb_pool *pool);
bool nb_id_map_get(const nb_id_map *m, int64_t id, int64_t *value);
bool nb_id_map_put(nb_id_map *m, nb_pool *pool, int64_t id, int64_t value); /* false: no memory */
void nb_id_map_remove(nb_id_map *m, int64_t id);

#endif
