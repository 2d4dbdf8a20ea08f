/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_spill_probe.c: probe rows on disk: to their partitions, and back round by round.
 */
#include "exec/join_spill_internal.h"

nb_status
nb_join_spill_route(const nb_join_spill *s, const nb_vector *keys, int64_t n, nb_arena *scratch,
                    uint64_t *hashes, uint8_t *now)
{
    NB_TRY(nb_join_spill_hash(s, keys, n, scratch, hashes, now));
    for (int64_t i = 0; i < n; i++) {
        now[i] = now[i] || s->parts[nb_join_spill_part(s, hashes[i])].round == 0;
    }
    return NB_OK;
}

const nb_type *
nb_join_spill_probe_schema(const nb_join_spill *s)
{
    return s->probe;
}

size_t
nb_join_spill_probe_bytes(const nb_join_spill *s)
{
    size_t share = nb_pool_available(s->pool) / 8 / (size_t)NB_MAX(s->ctx->n_threads, 1);

    return NB_MIN(NB_MAX(share, (size_t)128 << 10), (size_t)8 << 20);
}

nb_status
nb_join_spill_add_probe(nb_join_spill *s, nb_chunk *chunk, nb_error *err)
{
    int n_cols = s->probe->n_children;
    nb_table rows = {.schema = s->probe, .n_rows = chunk->n_rows, .chunks = &chunk, .n_chunks = 1};
    nb_status st =
        nb_join_spill_scatter(s, false, &rows, n_cols - 1,
                              NB_DATA(uint64_t, &chunk->cols[n_cols - 1]), &s->probe_files, err);

    nb_chunk_free(chunk);
    return st;
}

/* Lists the blocks of a round, once. */
static nb_status
list_probe(nb_join_spill *s, join_round *r, nb_error *err)
{
    int n = 0;

    if (!s->probe_ended) {
        NB_TRY(nb_block_files_end(&s->probe_files, err));
        s->probe_ended = true;
    }
    if (r->probe != NULL) {
        return NB_OK;
    }
    for (int i = 0; i < r->n_parts; i++) {
        n += s->parts[r->parts[i]].probe.n;
    }
    r->probe = NB_ARENA_ARRAY(s->arena, part_block, n);
    if (r->probe == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < r->n_parts; i++) {
        const block_list *list = &s->parts[r->parts[i]].probe;

        for (int b = 0; b < list->n; b++) {
            r->probe[r->n_probe] = list->blocks[b];
            r->probe[r->n_probe++].first_row = r->probe_rows;
            r->probe_rows += list->blocks[b].ref.n_rows;
        }
    }
    if (r->n_passes > 1) {
        r->found = nb_pool_zalloc(s->pool, (size_t)r->probe_rows + 1);
        if (r->found == NULL) {
            return NB_NOMEM;
        }
    }
    return NB_OK;
}

uint8_t *
nb_join_spill_found(nb_join_spill *s, int round, uint64_t block)
{
    const join_round *r = &s->rounds[round];

    return r->found + r->probe[block].first_row;
}

typedef struct probe_source {
    nb_source base;
    nb_join_spill *spill;
    const nb_type *schema; /* of blocks */
    const join_round *round;
    atomic_int next;
} probe_source;

typedef struct probe_local {
    nb_pool *pool;
    nb_block_reader reader;
    nb_vector *cols;
    int block;
    int64_t at, n;
} probe_local;

static nb_status
probe_open_local(nb_source *src, nb_pool *pool, void **local, nb_error *err)
{
    probe_local *l = nb_pool_zalloc(pool, sizeof(*l));

    (void)src;
    (void)err;
    if (l == NULL) {
        return NB_NOMEM;
    }
    l->pool = pool;
    if (nb_block_reader_init(&l->reader, pool) < 0) {
        nb_pool_dealloc(pool, l, sizeof(*l));
        return NB_NOMEM;
    }
    *local = l;
    return NB_OK;
}

static void
probe_close_local(nb_source *src, void *local)
{
    probe_local *l = local;

    (void)src;
    nb_block_reader_free(&l->reader);
    nb_pool_dealloc(l->pool, l, sizeof(*l));
}

/* A block's rows as far as they belong to one Spark partition. */
static nb_status
probe_next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    probe_source *s = (probe_source *)src;
    probe_local *l = local;
    int n_cols = src->schema->n_children;
    const int32_t *partitions;
    int64_t end;

    if (l->at == l->n) {
        l->block = atomic_fetch_add(&s->next, 1);
        if (l->block >= s->round->n_probe) {
            l->at = l->n = 0;
            return NB_DONE;
        }
        NB_TRY(nb_block_read(
            &l->reader, nb_block_files_get(&s->spill->probe_files, s->round->probe[l->block].file),
            &s->round->probe[l->block].ref, s->schema, &l->cols, err));
        l->at = 0;
        l->n = s->round->probe[l->block].ref.n_rows;
    }
    partitions = NB_DATA(int32_t, &l->cols[n_cols]);
    for (end = l->at + 1; end < l->n && partitions[end] == partitions[l->at]; end++) {
    }
    NB_TRY(nb_batch_init(scratch, n_cols, end - l->at, out));
    for (int c = 0; c < n_cols; c++) {
        NB_TRY(nb_vector_slice(scratch, &l->cols[c], l->at, end - l->at, &out->cols[c]));
    }
    out->order = (uint64_t)l->block;
    out->partition = partitions[l->at];
    l->at = end;
    return NB_OK;
}

static void
probe_free(nb_source *src)
{
    nb_pool_dealloc(((probe_source *)src)->spill->ctx->pool, src, sizeof(probe_source));
}

static const nb_source_ops PROBE_SOURCE = {
    .name = "join probe rows",
    .open_local = probe_open_local,
    .next = probe_next,
    .close_local = probe_close_local,
    .free = probe_free,
};

nb_status
nb_join_spill_source(nb_join_spill *s, int round, nb_source **out, nb_error *err)
{
    probe_source *p;
    const nb_type *blocks = nb_type_struct(s->probe->children, s->probe->n_children - 1);
    const nb_type *rows = nb_type_struct(s->probe->children, s->probe->n_children - 2);

    NB_TRY(list_probe(s, &s->rounds[round], err));
    p = blocks && rows ? nb_pool_zalloc(s->ctx->pool, sizeof(*p)) : NULL;
    if (p == NULL) {
        return NB_NOMEM;
    }
    p->base.ops = &PROBE_SOURCE;
    p->base.schema = rows;
    p->base.cancel = s->ctx->cancel;
    p->base.n_partitions = 1;
    p->spill = s;
    p->schema = blocks;
    p->round = &s->rounds[round];
    *out = &p->base;
    return NB_OK;
}
