/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_source.c: the part of a source that is the same for all file formats.
 */
#include "io/file_source.h"

static int32_t
partition_of(const nb_source *src, int64_t split)
{
    return ((const nb_file_source *)src)->splits[split].partition;
}

nb_status
nb_file_source_new(nb_relation *rel, nb_pool *pool, const nb_scan_request *request,
                   const nb_source_ops *ops, size_t n_bytes, nb_file_source **out)
{
    nb_arena *arena = nb_arena_new(pool);
    nb_file_source *s = arena ? nb_arena_zalloc(arena, n_bytes) : NULL;

    if (s == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    s->base.ops = ops;
    s->base.cancel = request->cancel;
    s->arena = arena;
    s->rel = rel;
    nb_relation_ref(rel);
    *out = s;
    return NB_OK;
}

nb_status
nb_file_source_split(nb_file_source *s, const nb_scan_request *request,
                     bool (*splittable)(const nb_relation *, int file), int64_t morsel_bytes)
{
    s->base.partition_of = partition_of;
    return nb_relation_splits(s->rel, s->arena, request->info, request->n_threads, splittable,
                              morsel_bytes, &s->splits, &s->base.n_morsels, &s->base.n_partitions);
}

void
nb_file_source_free(nb_source *src)
{
    nb_file_source *s = (nb_file_source *)src;
    nb_relation *rel = s->rel;

    nb_arena_free(s->arena);
    nb_relation_release(rel);
}

void
nb_file_source_place(const nb_file_source *s, int64_t split, nb_batch *out)
{
    out->order = (uint64_t)split;
    out->partition = s->splits[split].partition;
}
