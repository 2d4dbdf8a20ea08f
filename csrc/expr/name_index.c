/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name_index.c: linear probing over lower-case FNV-1a.
 */
#include "expr/name_index.h"
#include "base/ascii.h"
#include "expr/registry.h"

static uint32_t
name_hash(const char *p, size_t n)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < n; i++) {
        h = (h ^ (uint8_t)nb_to_lower(p[i])) * 16777619u;
    }
    return h ^ (h >> 15);
}

static uint32_t
find_slot(const nb_name_index *index, nb_str name)
{
    uint32_t at = name_hash(name.data, name.len) & (NB_NAME_INDEX_SLOTS - 1);

    while (index->slots[at].name != NULL &&
           !nb_str_equal_nocase((nb_str){index->slots[at].name, index->slots[at].len}, name)) {
        at = (at + 1) & (NB_NAME_INDEX_SLOTS - 1);
    }
    return at;
}

void
nb_name_index_add(nb_name_index *index, const char *names, int row)
{
    nb_str name;

    while (nb_next_name(&names, &name)) {
        uint32_t at = find_slot(index, name);

        if (index->slots[at].name == NULL) {
            NB_ASSERT(index->n < NB_NAME_INDEX_SLOTS / 2);
            index->slots[at].name = name.data;
            index->slots[at].len = (uint16_t)name.len;
            index->slots[at].row = (uint16_t)row;
            index->n++;
        }
    }
}

int
nb_name_index_find(const nb_name_index *index, nb_str name)
{
    uint32_t at = find_slot(index, name);

    return index->slots[at].name == NULL ? -1 : index->slots[at].row;
}
