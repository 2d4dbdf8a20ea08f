/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ranges.c: files in order of an integer column, as the statistics of their row groups show; which of them ORDER BY … LIMIT is to see first.
 */
#include "io/parquet/scan_internal.h"

#include <stdlib.h>

bool
nb_pq_has_plain_range(const nb_pq_column *c, const nb_pq_chunk *chunk, const nb_type *want)
{
    return chunk->has_range && chunk->low <= chunk->high && c->max_rep == 0 && c->type == want &&
           !c->is_unsigned && !c->is_legacy && c->unit_per_us == 1;
}

nb_status
nb_pq_ranges(nb_source *src, int column, nb_arena *arena, nb_morsel_range **out, int64_t *n)
{
    const nb_pq_source *s = (const nb_pq_source *)src;
    const nb_pq_relation *p = s->file.rel->payload;
    int slot = s->out_slots[column];
    int64_t last = INT64_MIN;
    nb_morsel_range *ranges;

    *out = NULL;
    *n = s->file.base.n_morsels;
    if (slot < 0 || s->slots[slot].source < 0) {
        return NB_OK;
    }
    ranges = NB_ARENA_ARRAY(arena, nb_morsel_range, s->file.base.n_morsels + 1);
    if (!ranges) {
        return NB_NOMEM;
    }
    for (int64_t g = 0; g < s->file.base.n_morsels; g++) {
        const nb_pq_group_ref *ref = &s->groups[g];
        const nb_pq_meta *meta = p->metas[ref->file];
        const nb_pq_group *group = &meta->groups[ref->group];
        int at = s->file_columns[ref->file][slot];

        if (at < 0 ||
            !nb_pq_has_plain_range(&meta->columns[at], &group->chunks[at], s->slots[slot].type) ||
            group->chunks[at].low < last) {
            return NB_OK;
        }
        last = group->chunks[at].high;
        ranges[g] = (nb_morsel_range){.low = group->chunks[at].low,
                                      .high = last,
                                      .n_rows = group->n_rows,
                                      .path = s->file.rel->files.files[ref->file].path.data,
                                      .has_nulls = group->chunks[at].n_nulls != 0};
    }
    *out = ranges;
    return NB_OK;
}

/* ---- the order for a bound ------------------------------------------------------------------------- */

typedef struct ranged {
    int64_t group, low, high; /* of a descending order: negated, so that low comes first */
} ranged;

static int
compare_ranged(const void *pa, const void *pb)
{
    const ranged *a = pa, *b = pb;

    if (a->low != b->low) {
        return a->low < b->low ? -1 : 1;
    }
    return a->group < b->group ? -1 : a->group > b->group;
}

nb_status
nb_pq_order_groups(nb_pq_source *s)
{
    const nb_pq_relation *p = s->file.rel->payload;
    bool descending = false, moved = false;
    int64_t apart = 0;
    ranged *list;
    int probe = 0;

    while (probe < s->n_probes && !nb_key_filter_is_bound(s->probes[probe].filter, &descending)) {
        probe++;
    }
    if (probe == s->n_probes || s->file.base.n_morsels < 2) {
        return NB_OK;
    }
    list = NB_ARENA_ARRAY(s->file.arena, ranged, s->file.base.n_morsels);
    if (!list) {
        return NB_NOMEM;
    }
    for (int64_t g = 0; g < s->file.base.n_morsels; g++) {
        const nb_pq_group_ref *ref = &s->groups[g];
        const nb_pq_meta *meta = p->metas[ref->file];
        int slot = s->probes[probe].slot, at = s->file_columns[ref->file][slot];
        const nb_pq_chunk *chunk = at < 0 ? NULL : &meta->groups[ref->group].chunks[at];

        /* the least number has no opposite */
        if (!chunk || !nb_pq_has_plain_range(&meta->columns[at], chunk, s->slots[slot].type) ||
            chunk->low == INT64_MIN) {
            return NB_OK;
        }
        list[g] = descending ? (ranged){g, -chunk->high, -chunk->low}
                             : (ranged){g, chunk->low, chunk->high};
    }
    qsort(list, (size_t)s->file.base.n_morsels, sizeof(*list), compare_ranged);
    for (int64_t g = 0; g < s->file.base.n_morsels; g++) {
        moved |= list[g].group != g;
        apart += g > 0 && list[g].low >= list[g - 1].high;
    }
    /* row groups that overlap tell little, and in their own order they come in pairs */
    if (!moved || apart * 2 < s->file.base.n_morsels) {
        return NB_OK;
    }
    s->visit = NB_ARENA_ARRAY(s->file.arena, int64_t, s->file.base.n_morsels);
    if (!s->visit) {
        return NB_NOMEM;
    }
    for (int64_t g = 0; g < s->file.base.n_morsels; g++) {
        s->visit[g] = list[g].group;
    }
    return NB_OK;
}
