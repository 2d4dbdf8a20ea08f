/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sorter_source.c: the rows of all runs in order.
 */
#include <stdlib.h>
#include "exec/sort_key.h"
#include "exec/sorter_internal.h"

#define MOST_RUNS    512
#define RANGE_BLOCKS 8 /* per run: a range reads up to one block of each run in vain */
#define MOST_RANGES  1024

typedef struct sorter_source {
    nb_source base;
    nb_sorter *sorter;
    nb_str *bounds; /* n_ranges - 1 keys */
    int n_ranges;
    int64_t from, to; /* rows; with bounds only one range */
    atomic_int next_range;
} sorter_source;

typedef struct sorter_local {
    nb_pool *pool;
    sorter_merge *merge;
    nb_vector *cols;
    int range;
    int64_t at; /* rows so far */
} sorter_local;

static nb_status
source_open_local(nb_source *src, nb_pool *pool, void **local, nb_error *err)
{
    int n_cols = ((sorter_source *)src)->sorter->schema->n_children;
    sorter_local *l = nb_pool_zalloc(pool, sizeof(*l));

    (void)err;
    if (l == NULL) {
        return NB_NOMEM;
    }
    l->pool = pool;
    l->cols = nb_pool_zalloc(pool, (size_t)n_cols * sizeof(nb_vector));
    if (l->cols == NULL) {
        nb_pool_dealloc(pool, l, sizeof(*l));
        return NB_NOMEM;
    }
    *local = l;
    return NB_OK;
}

static void
source_close_local(nb_source *src, void *local)
{
    int n_cols = ((sorter_source *)src)->sorter->schema->n_children;
    sorter_local *l = local;

    nb_sorter_merge_free(l->merge);
    nb_pool_dealloc(l->pool, l->cols, (size_t)n_cols * sizeof(nb_vector));
    nb_pool_dealloc(l->pool, l, sizeof(*l));
}

static nb_status
next_rows(sorter_source *s, sorter_local *l, nb_arena *scratch, int64_t *n, nb_error *err)
{
    nb_sorter *sorter = s->sorter;

    for (;;) {
        if (l->merge == NULL) {
            nb_str low = NB_STR(""), high = NB_STR("");

            l->range = atomic_fetch_add(&s->next_range, 1);
            if (l->range >= s->n_ranges) {
                return NB_DONE;
            }
            low = l->range > 0 ? s->bounds[l->range - 1] : low;
            high = l->range + 1 < s->n_ranges ? s->bounds[l->range] : high;
            NB_TRY(nb_sorter_merge_new(sorter, sorter->runs, sorter->n_runs, low, high, &l->merge,
                                       err));
        }
        NB_TRY(nb_sorter_merge_next(l->merge, NB_MIN(NB_BATCH_ROWS, s->to - l->at), scratch,
                                    l->cols, n, err));
        if (*n > 0) {
            return NB_OK;
        }
        nb_sorter_merge_free(l->merge);
        l->merge = NULL;
    }
}

static nb_status
source_next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    sorter_source *s = (sorter_source *)src;
    sorter_local *l = local;
    int n_cols = src->schema->n_children;
    int64_t n = 0, skip = 0;
    nb_status st;

    do {
        nb_arena_reset(scratch);
        if (nb_cancelled(src->cancel)) {
            return NB_CANCELLED;
        }
        st = next_rows(s, l, scratch, &n, err);
        if (st != NB_OK) {
            return st;
        }
        skip = NB_MIN(NB_MAX(s->from - l->at, 0), n);
        l->at += n;
    } while (skip == n);
    NB_TRY(nb_batch_init(scratch, n_cols, n - skip, out));
    for (int c = 0; c < n_cols; c++) {
        NB_TRY(nb_vector_slice(scratch, &l->cols[c], skip, n - skip, &out->cols[c]));
    }
    if (s->sorter->spec.by_partition) {
        const nb_view *keys = NB_DATA(nb_view, &l->cols[s->sorter->schema->n_children - 1]);

        out->partition = (int32_t)(nb_sort_key_head(&keys[0]) >> 32);
    }
    out->order = (uint64_t)l->range;
    atomic_fetch_add_explicit(&src->rows_read, n - skip, memory_order_relaxed);
    return NB_OK;
}

static void
source_free(nb_source *src)
{
    sorter_source *s = (sorter_source *)src;

    nb_sorter_free(s->sorter); /* the source lies in its arena */
}

static const nb_source_ops SORTER_SOURCE = {
    .name = "sorter",
    .open_local = source_open_local,
    .next = source_next,
    .close_local = source_close_local,
    .free = source_free,
};

static int
by_key(const void *a, const void *b)
{
    return nb_str_compare(*(const nb_str *)a, *(const nb_str *)b);
}

/* Chooses bounds of ranges among the blocks' first keys. */
static nb_status
cut_ranges(sorter_source *s)
{
    nb_sorter *sorter = s->sorter;
    int64_t total = 0, wanted, at = 0;
    nb_str *keys;

    s->n_ranges = 1;
    for (int r = 0; r < sorter->n_runs; r++) {
        total += sorter->runs[r].n_blocks;
    }
    wanted = NB_MIN(total / (RANGE_BLOCKS * NB_MAX(sorter->n_runs, 1)), MOST_RANGES);
    if (sorter->ctx->force_spill) {
        wanted = NB_MIN(total, 7);
    }
    if (s->from > 0 || s->to < INT64_MAX || wanted < 2) {
        return NB_OK;
    }
    keys = NB_ARENA_ARRAY(sorter->arena, nb_str, total);
    s->bounds = NB_ARENA_ARRAY(sorter->arena, nb_str, wanted);
    if (keys == NULL || s->bounds == NULL) {
        return NB_NOMEM;
    }
    for (int r = 0; r < sorter->n_runs; r++) {
        for (int b = 0; b < sorter->runs[r].n_blocks; b++) {
            const sorter_block *block = &sorter->runs[r].blocks[b];

            keys[at++] = (nb_str){block->first_key.data, block->n_together};
        }
    }
    qsort(keys, (size_t)total, sizeof(*keys), by_key);
    for (int64_t i = 1; i < wanted; i++) {
        nb_str key = keys[total * i / wanted];
        int n = s->n_ranges - 1;

        if (nb_str_compare(key, n > 0 ? s->bounds[n - 1] : keys[0]) > 0) {
            s->bounds[n] = key;
            s->n_ranges++;
        }
    }
    return NB_OK;
}

/* Runs that can be merged at once by so many threads within half of what is left. */
static int
fan_in_of(const nb_sorter *s, int n_threads)
{
    size_t left = nb_pool_available(s->pool) / 2;
    size_t most = left / (NB_MAX(s->widest, (size_t)1) * (size_t)n_threads);

    if (s->ctx->force_spill) {
        return 4;
    }
    return (int)NB_MIN(NB_MAX(most, (size_t)2), (size_t)MOST_RUNS);
}

nb_status
nb_sorter_source(nb_sorter *s, const nb_type *schema, int64_t from, int64_t to, nb_source **out,
                 nb_error *err)
{
    int n_threads = NB_MAX(s->ctx->n_threads, 1), fan_in;
    sorter_source *source = NB_ARENA_NEW(s->arena, sorter_source);
    nb_status st = source ? NB_OK : NB_NOMEM;

    NB_TRY_GOTO(st, st, fail);
    NB_TRY_GOTO(st, nb_block_files_end(s->files, err), fail);
    while (s->n_runs > (fan_in = fan_in_of(s, n_threads))) {
        NB_TRY_GOTO(st, nb_sorter_merge_pass(s, fan_in, n_threads, err), fail);
    }
    source->base.ops = &SORTER_SOURCE;
    source->base.schema = schema;
    source->base.cancel = s->ctx->cancel;
    source->base.n_partitions = s->spec.by_partition ? NB_MAX(s->n_partitions, 1) : 1;
    source->sorter = s;
    source->from = from;
    source->to = to;
    NB_TRY_GOTO(st, cut_ranges(source), fail);
    *out = &source->base;
    return NB_OK;
fail:
    nb_sorter_free(s);
    return st;
}
