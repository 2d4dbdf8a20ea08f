/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_few.c: nested loops over a build side of few rows.
 *
 * The condition is worked out over a whole batch of the probe side once per build row, whose values are constants in it: no candidate is listed or
 * gathered, and kernels compare columns with constants. The matches, which come by build rows, are then put into the order of the probe rows.
 */
#include "exec/join_internal.h"

#define FEW 32 /* build rows: so many times NB_BATCH_ROWS matches are held */

bool
nb_join_has_few(const join_op *j)
{
    const bool *uses = j->residual_uses + (j->build_left ? 0 : j->n_probe);

    for (int c = 0; c < j->n_build; c++) {
        nb_phys phys = nb_type_storage(j->build->schema->children[c].type)->phys;

        if (uses[c] && (phys == NB_PHYS_LIST || phys == NB_PHYS_STRUCT)) {
            return false;
        }
    }
    return j->residual != NULL && j->residual->deterministic && j->build->n_rows > 0 &&
           j->build->n_rows <= FEW;
}

/* The batch beside one build row: what the condition looks at. */
static nb_status
beside_row(const join_op *j, nb_batch *batch, uint32_t row, nb_batch *out)
{
    int first_probe = j->build_left ? j->n_build : 0, first_build = j->build_left ? 0 : j->n_probe;

    NB_TRY(nb_batch_init(batch->arena, j->n_probe + j->n_build, batch->n_rows, out));
    out->order = batch->order;
    out->partition = batch->partition;
    for (int c = 0; c < j->n_probe; c++) {
        if (j->residual_uses[first_probe + c]) {
            const nb_vector *v;

            NB_TRY(nb_batch_column(batch, c, &v));
            out->cols[first_probe + c] = *v;
        }
    }
    NB_TRY(nb_join_gather_build(j, j->residual_uses + first_build, &row, 1, NULL, batch->arena,
                                &out->cols[first_build]));
    for (int c = 0; c < j->n_build; c++) {
        nb_vector *v = &out->cols[first_build + c];

        if (!j->residual_uses[first_build + c]) {
            continue;
        }
        if (v->kind == NB_VEC_DICT) {
            nb_vector flat;

            NB_TRY(nb_vector_flatten(batch->arena, v, &flat));
            *v = flat;
        }
        v->kind = NB_VEC_CONST;
        v->n_rows = batch->n_rows;
    }
    return NB_OK;
}

nb_status
nb_join_push_few(join_op *j, join_local *l, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    uint32_t n_build = (uint32_t)j->build->n_rows;
    const uint32_t **matches = NB_ARENA_ARRAY(batch->arena, const uint32_t *, n_build);
    int64_t *n_matches = NB_ARENA_ARRAY(batch->arena, int64_t, n_build);
    uint32_t *starts = nb_arena_zalloc(batch->arena, sizeof(uint32_t) * (NB_BATCH_ROWS + 1));
    int64_t total = 0, done = 0;
    uint32_t *rows;

    if (matches == NULL || n_matches == NULL || starts == NULL) {
        return NB_NOMEM;
    }
    for (uint32_t b = 0; b < n_build; b++) {
        nb_batch beside;
        uint32_t *own;
        const uint32_t *keep;

        if (nb_cancelled(j->ctx->cancel)) {
            return NB_CANCELLED;
        }
        NB_TRY(beside_row(j, batch, b, &beside));
        NB_TRY(nb_eval_filter(l->residual, 0, &beside, &keep, &n_matches[b], err));
        own = NB_ARENA_ARRAY(batch->arena, uint32_t, n_matches[b]);
        if (own == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < n_matches[b]; i++) {
            own[i] = keep[i];
            starts[keep[i] + 1]++;
        }
        matches[b] = own;
        total += n_matches[b];
    }
    for (int i = 0; i < NB_BATCH_ROWS; i++) {
        starts[i + 1] += starts[i];
    }
    rows = NB_ARENA_ARRAY(batch->arena, uint32_t, 2 * total); /* probe row, build row, … */
    if (rows == NULL) {
        return NB_NOMEM;
    }
    for (uint32_t b = 0; b < n_build; b++) {
        for (int64_t i = 0; i < n_matches[b]; i++) {
            uint32_t at = starts[matches[b][i]]++;

            rows[2 * at] = matches[b][i];
            rows[2 * at + 1] = b;
        }
    }
    l->n = 0;
    for (int64_t k = 0; k < total; k++) {
        if (l->n == NB_BATCH_ROWS) {
            nb_status st = nb_join_settle(j, l, t, batch, done, rows[2 * k], err);

            if (st != NB_OK) {
                return st;
            }
            done = rows[2 * k];
        }
        l->probe_rows[l->n] = rows[2 * k];
        l->build_rows[l->n++] = rows[2 * k + 1];
    }
    return nb_join_settle(j, l, t, batch, done, batch->n_rows, err);
}
