/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choose_index.c: rows that bloom filters and page indexes exclude.
 *
 * Both cost reads of their own. A bloom filter is asked by one block of it; page indexes of a filter that excluded nothing in INDEX_PATIENCE row groups
 * one after the other are not looked at any more by that thread.
 */
#include "io/parquet/bloom.h"
#include "io/parquet/scan_internal.h"

#define INDEX_PATIENCE 3
#define INDEX_MAX      ((int64_t)16 << 20)
#define BLOOM_HEADER   64

static nb_status
has_hash(nb_pq_local *l, const nb_pq_chunk *k, uint64_t hash, bool *may_have, nb_error *err)
{
    uint8_t head[BLOOM_HEADER], block[NB_PQ_BLOOM_BLOCK];
    int64_t n_bytes, at;
    size_t got, header;

    *may_have = true;
    NB_TRY(nb_file_read_at(l->file, k->bloom, head, sizeof head, &got, err));
    header = nb_pq_bloom_read_header(head, got, &n_bytes);
    if (header == 0) {
        return NB_OK;
    }
    at = k->bloom + (int64_t)header +
         (int64_t)(((hash >> 32) * (uint64_t)(n_bytes / NB_PQ_BLOOM_BLOCK)) >> 32) *
             NB_PQ_BLOOM_BLOCK;
    NB_TRY(nb_file_read_at(l->file, at, block, sizeof block, &got, err));
    *may_have = got != sizeof block || nb_pq_bloom_may_have(block, NB_PQ_BLOOM_BLOCK, hash);
    return NB_OK;
}

nb_status
nb_pq_choose_by_bloom(nb_pq_source *s, nb_pq_local *l, bool *none, nb_error *err)
{
    *none = false;
    for (int i = 0; i < s->n_filters && !*none; i++) {
        const nb_pq_filter *f = &s->filters[i];
        const nb_pq_column *column;
        const nb_pq_chunk *k = f->test.kind ? nb_pq_own_chunk(s, l, f->slot, &column) : NULL;
        uint64_t hash;
        bool may_have = true;
        if (k && k->bloom > 0 && nb_pq_test_hash(&f->test, column, &hash)) {
            NB_TRY(nb_pq_open_file(s, l, err));
            NB_TRY(has_hash(l, k, hash, &may_have, err));
        }
        *none = !may_have;
    }
    return NB_OK;
}

/* Bytes of the file, in the row group's arena; empty where the file does not have them. */
static nb_status
read_part(nb_pq_local *l, int64_t at, int64_t n, nb_str *out, nb_error *err)
{
    char *bytes;
    size_t got;

    *out = (nb_str){"", 0};
    if (at <= 0 || n <= 0 || n > INDEX_MAX || at > nb_file_size(l->file) - n) {
        return NB_OK;
    }
    bytes = nb_arena_alloc(l->arena, (size_t)n);
    if (!bytes) {
        return NB_NOMEM;
    }
    NB_TRY(nb_file_read_at(l->file, at, bytes, (size_t)n, &got, err));
    *out = (nb_str){bytes, got};
    return NB_OK;
}

/* Clears pages that the filter excludes of what is left; the rows of the row group. */
static nb_status
ask_index(nb_pq_source *s, nb_pq_local *l, int i, int64_t n_rows, uint8_t **drop, nb_error *err)
{
    const nb_pq_filter *f = &s->filters[i];
    const nb_pq_column *column;
    const nb_pq_chunk *k = f->test.kind ? nb_pq_own_chunk(s, l, f->slot, &column) : NULL;
    nb_pq_page_bounds *pages;
    nb_str of_columns, of_places;
    bool excluded = false;
    int n;

    if (!k || k->column_index <= 0 || l->index_misses[i] >= INDEX_PATIENCE) {
        return NB_OK;
    }
    NB_TRY(nb_pq_open_file(s, l, err));
    NB_TRY(read_part(l, k->column_index, k->column_index_bytes, &of_columns, err));
    NB_TRY(read_part(l, k->offset_index, k->offset_index_bytes, &of_places, err));
    NB_TRY(nb_pq_page_index_read(of_columns, of_places, n_rows, l->arena, &pages, &n));
    for (int p = 0; p < n; p++) {
        int64_t end = p + 1 < n ? pages[p + 1].first_row : n_rows;
        if (!pages[p].is_null &&
            !nb_pq_test_excludes(&f->test, column, pages[p].low, pages[p].high)) {
            continue;
        }
        if (!*drop) {
            *drop = nb_arena_zalloc(l->arena, (size_t)n_rows + 1);
            if (!*drop) {
                return NB_NOMEM;
            }
        }
        memset(*drop + pages[p].first_row, 1, (size_t)(end - pages[p].first_row));
        excluded = true;
    }
    l->index_misses[i] = excluded ? 0 : l->index_misses[i] + 1;
    return NB_OK;
}

nb_status
nb_pq_choose_by_pages(nb_pq_source *s, nb_pq_local *l, nb_error *err)
{
    const nb_pq_group_ref *ref = &s->groups[l->group];
    const nb_pq_relation *p = s->file.rel->payload;
    int64_t n_rows = p->metas[ref->file]->groups[ref->group].n_rows, n = 0;
    uint8_t *drop = NULL;

    for (int i = 0; i < s->n_filters && n_rows <= NB_PQ_WINDOW; i++) {
        NB_TRY(ask_index(s, l, i, n_rows, &drop, err));
    }
    if (!drop) {
        return NB_OK;
    }
    for (int64_t row = 0; row < n_rows; row++) {
        l->room[n] = (uint32_t)row;
        n += !drop[row];
    }
    l->rows = l->room;
    l->n_rows = n;
    return NB_OK;
}
