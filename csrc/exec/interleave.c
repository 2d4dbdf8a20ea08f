/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interleave.c: several versions of a batch, row by row.
 *
 * The versions of a column are put behind each other and then gathered with indices that step through them.
 */
#include "exec/interleave.h"

nb_status
nb_emit_interleaved(nb_thread_ctx *t, const nb_batch *like, const nb_vector *keep, int n_keep,
                    nb_vector *parts, int n_parts, int n_cols, int64_t n_rows, nb_error *err)
{
    nb_arena *arena = like->arena;
    int64_t total = n_rows * n_parts;
    nb_vector *all = NB_ARENA_ARRAY(arena, nb_vector, n_cols);
    const nb_vector **list = NB_ARENA_ARRAY(arena, const nb_vector *, n_parts);
    uint32_t *idx = NB_ARENA_ARRAY(arena, uint32_t, NB_BATCH_ROWS);
    uint32_t *parent = NB_ARENA_ARRAY(arena, uint32_t, NB_BATCH_ROWS);

    if (all == NULL || list == NULL || idx == NULL || parent == NULL) {
        return NB_NOMEM;
    }
    for (int c = 0; c < n_cols; c++) {
        for (int p = 0; p < n_parts; p++) {
            list[p] = &parts[p * n_cols + c];
        }
        NB_TRY(nb_vector_concat(arena, list, n_parts, &all[c]));
    }
    for (int64_t at = 0; at < total; at += NB_BATCH_ROWS) {
        int64_t n = NB_MIN(total - at, NB_BATCH_ROWS);
        nb_batch out;
        nb_status st;

        for (int64_t i = 0; i < n; i++) {
            int64_t row = (at + i) / n_parts, part = (at + i) % n_parts;

            parent[i] = (uint32_t)row;
            idx[i] = (uint32_t)(part * n_rows + row);
        }
        NB_TRY(nb_batch_init(arena, n_keep + n_cols, n, &out));
        out.order = like->order;
        out.partition = like->partition;
        for (int c = 0; c < n_keep; c++) {
            NB_TRY(nb_vector_gather(arena, &keep[c], parent, n, &out.cols[c]));
        }
        for (int c = 0; c < n_cols; c++) {
            NB_TRY(nb_vector_gather(arena, &all[c], idx, n, &out.cols[n_keep + c]));
        }
        st = nb_emit(t, &out, err);
        if (st != NB_OK) {
            return st;
        }
    }
    return NB_OK;
}
