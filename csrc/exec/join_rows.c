/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_rows.c: the rows that a join gives: pairs, and build rows without a partner.
 */
#include "exec/join_internal.h"

#define MANY_PAIRS 4 /* of a probe row */

/* ---- columns of pairs ------------------------------------------------------------------------ */

static bool
is_coded(const join_op *j, int column)
{
    return j->codes != NULL && j->codes[column] != NULL;
}

nb_status
nb_join_gather_build(const join_op *j, const bool *wanted, const uint32_t *rows, int64_t n,
                     const nb_vector *probe, nb_arena *arena, nb_vector *out)
{
    uint32_t *some = NULL;

    for (int64_t i = 0; i < n; i++) {
        if (rows[i] == NB_NO_ROW) {
            some = NB_ARENA_ARRAY(arena, uint32_t, n);
            if (some == NULL) {
                return NB_NOMEM;
            }
            break;
        }
    }
    if (some != NULL && j->build->n_rows == 0) {
        for (int c = 0; c < j->n_build; c++) {
            NB_TRY(nb_vector_const_null(arena, j->build->schema->children[c].type, n, &out[c]));
        }
        return NB_OK;
    }
    for (int64_t i = 0; some != NULL && i < n; i++) {
        some[i] = rows[i] == NB_NO_ROW ? 0 : rows[i];
    }
    for (int c = 0; c < j->n_build; c++) {
        if (wanted != NULL && !wanted[c]) {
            NB_TRY(nb_vector_const_null(arena, j->build->schema->children[c].type, n, &out[c]));
            continue;
        }
        if (some == NULL && probe != NULL && j->same_as[c] >= 0) {
            out[c] = probe[j->same_as[c]];
        } else if (is_coded(j, c)) {
            NB_TRY(nb_join_gather_codes(j->codes[c], rows, n, arena, &out[c]));
        } else {
            NB_TRY(nb_rows_gather(&j->index, &c, 1, some ? some : rows, n, arena, &out[c]));
        }
    }
    for (int c = 0; some != NULL && c < j->n_build; c++) {
        if ((wanted != NULL && !wanted[c]) || out[c].type->id == NB_TYPE_NULL || is_coded(j, c)) {
            continue;
        }
        if (out[c].kind != NB_VEC_FLAT) {
            nb_vector flat;
            NB_TRY(nb_vector_flatten(arena, &out[c], &flat));
            out[c] = flat;
        }
        NB_TRY(nb_vector_need_validity(arena, &out[c]));
        for (int64_t i = 0; i < n; i++) {
            if (rows[i] == NB_NO_ROW) {
                nb_bit_clear(out[c].validity, i);
                if (nb_type_storage(out[c].type)->phys == NB_PHYS_STRING) {
                    NB_DATA(nb_view, &out[c])[i] = (nb_view){0};
                } else if (nb_type_storage(out[c].type)->phys == NB_PHYS_LIST) {
                    NB_DATA(nb_list, &out[c])[i] = (nb_list){0, 0};
                }
            }
        }
    }
    return NB_OK;
}

/* A column of the probe side for pairs in the order of its rows. Where each of them is in many pairs, the batch's column is a dictionary. */
static nb_status
gather_probe(const nb_vector *v, const uint32_t *rows, int64_t n, bool repeated, nb_arena *arena,
             nb_vector *out)
{
    if (!repeated || v->kind != NB_VEC_FLAT || v->data == NULL ||
        nb_type_storage(v->type)->phys == NB_PHYS_LIST) {
        return nb_vector_gather(arena, v, rows, n, out);
    }
    *out = (nb_vector){
        .type = v->type, .kind = NB_VEC_DICT, .n_rows = (int32_t)n, .indices = rows, .dict = v};
    return NB_OK;
}

nb_status
nb_join_make_pairs(const join_op *j, const bool *wanted, nb_batch *batch, const uint32_t *probe,
                   const uint32_t *build, int64_t n, nb_arena *arena, nb_batch *out)
{
    int first_probe = j->build_left ? j->n_build : 0, first_build = j->build_left ? 0 : j->n_probe;
    const nb_field *types = j->base.node->children[j->build_left ? 1 : 0]->schema->children;
    bool all = n == batch->n_rows;
    int64_t n_changes = 0;

    NB_TRY(nb_batch_init(arena, j->n_probe + j->n_build, n, out));
    out->order = batch->order;
    out->partition = batch->partition;
    for (int64_t i = 0; all && i < n; i++) {
        all = probe[i] == i;
    }
    for (int64_t i = 1; !all && i < n; i++) {
        n_changes += probe[i] != probe[i - 1];
    }
    for (int c = 0; c < j->n_probe; c++) {
        const nb_vector *v;

        if (!all && !wanted[first_probe + c]) {
            NB_TRY(nb_vector_const_null(arena, types[c].type, n, &out->cols[first_probe + c]));
            continue;
        }
        NB_TRY(nb_batch_column(batch, c, &v));
        if (all) {
            out->cols[first_probe + c] = *v;
        } else {
            NB_TRY(gather_probe(v, probe, n, n_changes < n / MANY_PAIRS, arena,
                                &out->cols[first_probe + c]));
        }
    }
    return nb_join_gather_build(j, wanted + first_build, build, n, &out->cols[first_probe], arena,
                                &out->cols[first_build]);
}

/* ---- drain ----------------------------------------------------------------------------------- */

typedef struct drain_source {
    nb_source base;
    join_op *join;
    atomic_llong next; /* rows [next * NB_BATCH_ROWS …) */
} drain_source;

static nb_status
drain_next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    drain_source *d = (drain_source *)src;
    join_op *j = d->join;
    uint8_t wanted = j->shape.drain_matched ? 1 : 0;
    uint32_t *rows = NB_ARENA_ARRAY(scratch, uint32_t, NB_BATCH_ROWS);
    int64_t n = 0, block = 0, total = j->build->n_rows;
    int first_build, first_probe;

    (void)local;
    (void)err;
    if (rows == NULL) {
        return NB_NOMEM;
    }
    while (n == 0) {
        int64_t at, end;

        block = atomic_fetch_add(&d->next, 1);
        at = block * NB_BATCH_ROWS;
        end = NB_MIN(at + NB_BATCH_ROWS, total);
        if (at >= total) {
            return NB_DONE;
        }
        for (; at < end; at++) {
            rows[n] = (uint32_t)at;
            n += j->matched[at] == wanted;
        }
    }
    if (!j->shape.keep_build) { /* SEMI, ANTI: only the left side's columns */
        NB_TRY(nb_batch_init(scratch, j->n_build, n, out));
        NB_TRY(nb_join_gather_build(j, NULL, rows, n, NULL, scratch, out->cols));
    } else {
        first_probe = j->build_left ? j->n_build : 0;
        first_build = j->build_left ? 0 : j->n_probe;
        NB_TRY(nb_batch_init(scratch, j->n_probe + j->n_build, n, out));
        NB_TRY(nb_join_gather_build(j, NULL, rows, n, NULL, scratch, &out->cols[first_build]));
        for (int c = 0; c < j->n_probe; c++) {
            NB_TRY(nb_vector_const_null(scratch, src->schema->children[first_probe + c].type, n,
                                        &out->cols[first_probe + c]));
        }
    }
    out->order = (uint64_t)block;
    return NB_OK;
}

static void
drain_free(nb_source *src)
{
    join_op *j = ((drain_source *)src)->join;

    nb_pool_dealloc(j->ctx->pool, src, sizeof(drain_source));
}

static const nb_source_ops DRAIN = {
    .name = "join drain",
    .next = drain_next,
    .free = drain_free,
};

nb_status
nb_join_drain_new(join_op *j, const nb_exec_ctx *ctx, nb_source **out)
{
    drain_source *d = nb_pool_zalloc(ctx->pool, sizeof(*d));

    if (d == NULL) {
        return NB_NOMEM;
    }
    d->base.ops = &DRAIN;
    d->base.schema = j->base.node->schema;
    d->base.cancel = ctx->cancel;
    d->base.n_partitions = 1;
    d->join = j;
    *out = &d->base;
    return NB_OK;
}
