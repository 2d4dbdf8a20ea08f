/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate_source.c: the groups of a finished aggregate as batches: keys, then results.
 *
 * A morsel is a range of the hash; the thread that claims it merges the tables there (aggregate_merge.c) and emits the rows.
 */
#include "exec/hash_aggregate_internal.h"

typedef struct aggregate_source {
    nb_source base;
    aggregate_op *op;
    int n_parts;
    atomic_int next_part;
} aggregate_source;

typedef struct aggregate_source_local {
    agg_merge *merge;
    nb_arena *memory;
    int part;
    uint8_t **rows;
    int64_t n, at;
} aggregate_source_local;

static nb_status
source_open_local(nb_source *src, nb_pool *pool, void **local, nb_error *err)
{
    aggregate_source *s = (aggregate_source *)src;
    nb_arena *memory = nb_arena_new(s->op->pool);
    aggregate_source_local *l = memory ? NB_ARENA_NEW(memory, aggregate_source_local) : NULL;
    nb_status st = NB_NOMEM;

    (void)pool;
    (void)err;
    if (l != NULL) {
        l->memory = memory;
        st = s->op->n_keys > 0 ? nb_agg_merge_new(s->op, -1, &l->merge) : NB_OK;
    }
    if (st < 0) {
        nb_arena_free(memory);
        return st;
    }
    *local = l;
    return NB_OK;
}

static void
source_close_local(nb_source *src, void *local)
{
    aggregate_source_local *l = local;

    (void)src;
    nb_agg_merge_free(l->merge);
    nb_arena_free(l->memory);
}

/* The next range that has rows. */
static nb_status
claim_part(aggregate_source *s, aggregate_source_local *l, nb_error *err)
{
    while (l->at == l->n) {
        int shift = 32 - __builtin_ctz((unsigned)s->n_parts);
        uint64_t low, high;

        l->part = atomic_fetch_add(&s->next_part, 1);
        if (l->part >= s->n_parts) {
            atomic_store(&s->next_part, s->n_parts);
            return NB_DONE;
        }
        l->at = 0;
        if (s->op->n_keys == 0) {
            l->rows = &s->op->states[0]->single;
            l->n = 1;
            continue;
        }
        if (nb_cancelled(s->op->ctx->cancel)) {
            return NB_CANCELLED;
        }
        low = (uint64_t)l->part << shift;
        high = (((uint64_t)l->part + 1) << shift) - 1;
        NB_TRY(nb_agg_merge_part(l->merge, l->part, (uint32_t)low, (uint32_t)high, &l->rows, &l->n,
                                 err));
    }
    return NB_OK;
}

nb_status
nb_agg_rows_out(const aggregate_op *op, uint8_t **rows, int64_t n, nb_arena *arena, nb_batch *out,
                nb_error *err)
{
    int at = op->n_keys + op->base.node->u.aggregate.n_passed;

    NB_TRY(nb_batch_init(arena, at + op->n_aggs, n, out));
    for (int k = 0; k < op->n_keys; k++) {
        NB_TRY(nb_keys_decode(&op->layout, k, rows, 0, n, arena, &out->cols[k]));
    }
    for (int i = op->n_keys; i < at; i++) { /* of rows only: aggregate_pass.c */
        NB_TRY(
            nb_vector_const_null(arena, op->base.node->schema->children[i].type, n, &out->cols[i]));
    }
    for (int a = 0; a < op->n_aggs; a++) {
        const agg_fn *fn = &op->aggs[a];
        nb_agg_ctx ctx = nb_aggregate_ctx(op, fn, arena, arena, 0, err);
        nb_vector *v = &out->cols[at + a];

        NB_TRY(nb_vector_alloc(arena, fn->expr->type, n, v));
        NB_TRY(fn->ops->finalize(&ctx, rows, fn->offset, n, v));
    }
    return NB_OK;
}

static nb_status
source_next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    aggregate_source *s = (aggregate_source *)src;
    aggregate_source_local *l = local;
    aggregate_op *op = s->op;
    nb_status st = claim_part(s, l, err);
    int64_t n;

    if (st != NB_OK) {
        return st;
    }
    n = NB_MIN(l->n - l->at, NB_BATCH_ROWS);
    NB_TRY(nb_agg_rows_out(op, l->rows + l->at, n, scratch, out, err));
    out->order = (uint64_t)l->part;
    l->at += n;
    return NB_OK;
}

static void
source_free(nb_source *src)
{
    aggregate_source *s = (aggregate_source *)src;

    nb_pool_dealloc(s->op->ctx->pool, s, sizeof(*s));
}

static const nb_source_ops AGGREGATE_SOURCE = {
    .name = "aggregate",
    .open_local = source_open_local,
    .next = source_next,
    .close_local = source_close_local,
    .free = source_free,
};

nb_status
nb_aggregate_source_new(aggregate_op *op, nb_source **out)
{
    aggregate_source *s;

    NB_TRY(op->n_keys > 0 ? nb_agg_settle(op, -1) : NB_OK);
    s = nb_pool_zalloc(op->ctx->pool, sizeof(*s));
    if (s == NULL) {
        return NB_NOMEM;
    }
    s->base.ops = &AGGREGATE_SOURCE;
    s->base.schema = op->base.node->schema;
    s->base.cancel = op->ctx->cancel;
    s->base.n_partitions = 1;
    s->op = op;
    s->n_parts = op->n_keys > 0 ? nb_agg_merge_parts(op, -1) : 1;
    s->base.enough_threads = s->n_parts;
    *out = &s->base;
    return NB_OK;
}
