/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_rounds.c: a join whose build side is on disk (join_spill.h), as branches of the probe side's stream:
 *
 *     the stream's own   probe rows → join, round 0 → …                 rows of other rounds are put aside
 *                        [build rows of round 0 that nobody matched → …]
 *     per round, pass    probe rows of the round → join of its own → …    its build rows are loaded when the branch begins
 *                        [its build rows that nobody matched → …]
 *
 * Branches whose source does not exist yet run one after the other, so one round is in memory at a time. In a round of several passes every
 * pass sees all probe rows, and remembers which have found a match; what depends on having none comes out in the last one.
 */
#include "exec/join_internal.h"

/* Loads a round for its operator, after the one before has let go of its own. */
typedef struct loader_op {
    nb_operator base;
    join_op *join, *before;
} loader_op;

static nb_status
loader_make_source(nb_operator *base, const nb_exec_ctx *ctx, nb_source **out, nb_error *err)
{
    loader_op *l = (loader_op *)base;
    nb_table *rows;
    nb_status st;

    (void)ctx;
    nb_join_release(&l->before->base);
    NB_TRY(nb_join_spill_load(l->join->spill, l->join->round, l->join->pass, &rows, err));
    st = nb_join_hold(&l->join->base, rows);
    nb_table_release(rows);
    NB_TRY(st);
    return nb_join_spill_source(l->join->spill, l->join->round, out, err);
}

static void
loader_close(nb_operator *base)
{
    (void)base;
}

static const nb_operator_ops LOADER = {
    .name = "JoinRound",
    .make_source = loader_make_source,
    .close = loader_close,
};

/* A branch for a pass of a round. */
static nb_status
add_round(nb_run *run, nb_stream *stream, join_op *first, int round, int pass, join_op **before,
          int drained, nb_error *err)
{
    nb_node *node = first->base.node;
    loader_op *loader = NB_OPERATOR_NEW(run, loader_op, &LOADER, NULL);
    nb_operator *op;
    join_op *j;

    if (loader == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_join_new(run, node, first->build_schema, first->build_key_cols, &op));
    NB_TRY(nb_run_open(run, op, err));
    NB_TRY(nb_run_open(run, &loader->base, err));
    j = (join_op *)op;
    j->spill = first->spill;
    j->round = round;
    j->pass = pass;
    j->n_passes = nb_join_spill_passes(first->spill, round);
    loader->join = j;
    loader->before = *before;
    *before = j;
    NB_TRY(nb_stream_add_drain(run, stream, &loader->base, NULL, 0));
    NB_TRY(nb_stream_append(run, stream, op));
    return nb_join_has_drain(node) ? nb_stream_add_drain(run, stream, op, node, drained) : NB_OK;
}

nb_status
nb_join_add_to(nb_run *run, nb_operator *op, nb_join_spill *spill, nb_stream *stream, nb_error *err)
{
    join_op *j = (join_op *)op, *before = j;
    nb_node *node = op->node;
    int drained = stream->n_partitions; /* behind those of the probe side */
    nb_table *rows;
    nb_status st;

    if (spill != NULL) {
        j->spill = spill;
        j->owns_spill = true;
        NB_TRY(nb_join_spill_end_build(spill, node->children[j->build_left ? 1 : 0]->schema, err));
        NB_TRY(nb_join_spill_load(spill, 0, 0, &rows, err));
        st = nb_join_hold(op, rows);
        nb_table_release(rows);
        NB_TRY(st);
    }
    NB_TRY(nb_stream_append_all(run, stream, op));
    if (nb_join_has_drain(node)) {
        NB_TRY(nb_stream_add_drain(run, stream, op, node, drained));
    }
    for (int round = 1; spill != NULL && round < nb_join_spill_rounds(spill); round++) {
        for (int pass = 0; pass < nb_join_spill_passes(spill, round); pass++) {
            NB_TRY(add_round(run, stream, j, round, pass, &before, drained, err));
        }
    }
    return NB_OK;
}

/* ---- probe rows ------------------------------------------------------------------------------ */

nb_status
nb_join_write_aside(join_op *j, join_local *l, nb_error *err)
{
    nb_chunk *chunk;

    NB_TRY(nb_chunk_builder_finish(l->later, &chunk));
    return chunk ? nb_join_spill_add_probe(j->spill, chunk, err) : NB_OK;
}

nb_status
nb_join_put_aside(join_op *j, join_local *l, nb_batch *batch, const nb_vector *keys, nb_error *err)
{
    nb_arena *arena = batch->arena;
    int64_t n = batch->n_rows, n_now = 0, n_later = 0;
    uint64_t *hashes = NB_ARENA_ARRAY(arena, uint64_t, n);
    uint8_t *flags = NB_ARENA_ARRAY(arena, uint8_t, n);
    uint32_t *now = NB_ARENA_ARRAY(arena, uint32_t, n), *later = NB_ARENA_ARRAY(arena, uint32_t, n);
    nb_vector *cols = NB_ARENA_ARRAY(arena, nb_vector, j->n_probe + 2);
    nb_status st;

    if (hashes == NULL || flags == NULL || now == NULL || later == NULL || cols == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_join_spill_route(j->spill, keys, n, arena, hashes, flags));
    for (int64_t i = 0; i < n; i++) {
        now[n_now] = later[n_later] = (uint32_t)i;
        n_now += flags[i];
        n_later += !flags[i];
    }
    if (n_later == 0) {
        return NB_OK;
    }
    if (l->later == NULL) {
        NB_TRY(nb_chunk_builder_new(j->ctx->pool, nb_join_spill_probe_schema(j->spill), &l->later));
    }
    for (int c = 0; c < j->n_probe; c++) {
        const nb_vector *v;

        NB_TRY(nb_batch_column(batch, c, &v));
        cols[c] = *v;
    }
    NB_TRY(nb_vector_alloc(arena, nb_type_of(NB_TYPE_INT32), n, &cols[j->n_probe]));
    NB_TRY(nb_vector_alloc(arena, nb_type_of(NB_TYPE_INT64), n, &cols[j->n_probe + 1]));
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int32_t, &cols[j->n_probe])[i] = batch->partition;
    }
    memcpy(cols[j->n_probe + 1].data, hashes, (size_t)n * sizeof(*hashes));
    if (nb_chunk_builder_bytes(l->later) > nb_join_spill_probe_bytes(j->spill)) {
        NB_TRY(nb_join_write_aside(j, l, err));
    }
    st = nb_chunk_builder_append_rows(l->later, cols, later, n_later);
    if (st == NB_NOMEM) {
        NB_TRY(nb_join_write_aside(j, l, err));
        st = nb_chunk_builder_append_rows(l->later, cols, later, n_later);
    }
    NB_TRY(st);
    return nb_batch_select(batch, now, n_now);
}

uint8_t *
nb_join_found(join_op *j, join_local *l, const nb_batch *batch)
{
    uint64_t block = batch->order & (((uint64_t)1 << NB_ORDER_BRANCH_SHIFT) - 1);
    uint8_t *found;

    if (!l->begun || block != l->order) {
        l->begun = true;
        l->order = block;
        l->row0 = 0;
    }
    found = nb_join_spill_found(j->spill, j->round, block) + l->row0;
    l->row0 += batch->n_rows;
    return found;
}
