/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ranges.c: files in order of an integer column, as the statistics of their row groups show.
 */
#include "io/parquet/scan_internal.h"

/* Are values of the column stored as they are read, and was their range written? */
static bool
has_plain_range(const nb_pq_column *c, const nb_pq_chunk *chunk, const nb_type *want)
{
    return chunk->has_range && chunk->low <= chunk->high && c->max_rep == 0 && c->type == want &&
           !c->is_unsigned && !c->is_legacy && c->unit_per_us == 1;
}

nb_status
nb_pq_ranges(nb_source *src, int column, nb_arena *arena, nb_morsel_range **out, int64_t *n)
{
    const nb_pq_source *s = (const nb_pq_source *)src;
    const nb_pq_relation *p = s->rel->payload;
    int slot = s->out_slots[column];
    int64_t last = INT64_MIN;
    nb_morsel_range *ranges;

    *out = NULL;
    *n = s->base.n_morsels;
    if (slot < 0 || s->slots[slot].source < 0) {
        return NB_OK;
    }
    ranges = NB_ARENA_ARRAY(arena, nb_morsel_range, s->base.n_morsels + 1);
    if (!ranges) {
        return NB_NOMEM;
    }
    for (int64_t g = 0; g < s->base.n_morsels; g++) {
        const nb_pq_group_ref *ref = &s->groups[g];
        const nb_pq_meta *meta = p->metas[ref->file];
        const nb_pq_group *group = &meta->groups[ref->group];
        int at = s->file_columns[ref->file][slot];

        if (at < 0 ||
            !has_plain_range(&meta->columns[at], &group->chunks[at], s->slots[slot].type) ||
            group->chunks[at].low < last) {
            return NB_OK;
        }
        last = group->chunks[at].high;
        ranges[g] = (nb_morsel_range){.low = group->chunks[at].low,
                                      .high = last,
                                      .n_rows = group->n_rows,
                                      .path = s->rel->files.files[ref->file].path.data};
    }
    *out = ranges;
    return NB_OK;
}
