/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id_map.c: linear probing, at most half full; removal closes the gap, so there are no marks of what was.
 */
#include "monitor/id_map.h"

#include "base/hash.h"

struct nb_id_slot {
    int64_t id, value;
    bool used;
};

static size_t
home(const nb_id_map *m, int64_t id)
{
    return (size_t)nb_hash_u64((uint64_t)id) & (m->cap - 1);
}

void
nb_id_map_free(nb_id_map *m, nb_pool *pool)
{
    if (m->slots) {
        nb_pool_dealloc(pool, m->slots, m->cap * sizeof(nb_id_slot));
    }
    *m = (nb_id_map){0};
}

/* Where id is, or the free slot where it would go. */
static size_t
probe(const nb_id_map *m, int64_t id)
{
    size_t i = home(m, id);

    while (m->slots[i].used && m->slots[i].id != id) {
        i = (i + 1) & (m->cap - 1);
    }
    return i;
}

bool
nb_id_map_get(const nb_id_map *m, int64_t id, int64_t *value)
{
    size_t i;

    if (m->cap == 0) {
        return false;
    }
    i = probe(m, id);
    if (m->slots[i].used) {
        *value = m->slots[i].value;
    }
    return m->slots[i].used;
}

static bool
grow(nb_id_map *m, nb_pool *pool)
{
    nb_id_map wider = {.cap = m->cap ? m->cap * 2 : 64, .n = m->n};

    wider.slots = nb_pool_zalloc(pool, wider.cap * sizeof(nb_id_slot));
    if (!wider.slots) {
        return false;
    }
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].used) {
            wider.slots[probe(&wider, m->slots[i].id)] = m->slots[i];
        }
    }
    nb_id_map_free(m, pool);
    *m = wider;
    return true;
}

bool
nb_id_map_put(nb_id_map *m, nb_pool *pool, int64_t id, int64_t value)
{
    size_t i;

    if (m->n * 2 >= m->cap && !grow(m, pool)) {
        return false;
    }
    i = probe(m, id);
    m->n += !m->slots[i].used;
    m->slots[i] = (nb_id_slot){id, value, true};
    return true;
}

void
nb_id_map_remove(nb_id_map *m, int64_t id)
{
    size_t gap, i;

    if (m->cap == 0) {
        return;
    }
    gap = probe(m, id);
    if (!m->slots[gap].used) {
        return;
    }
    m->n--;
    for (i = (gap + 1) & (m->cap - 1); m->slots[i].used; i = (i + 1) & (m->cap - 1)) {
        size_t h = home(m, m->slots[i].id);

        /* may move into the gap unless its home lies cyclically in (gap, i] */
        if (((i - h) & (m->cap - 1)) >= ((i - gap) & (m->cap - 1))) {
            m->slots[gap] = m->slots[i];
            gap = i;
        }
    }
    m->slots[gap].used = false;
}
