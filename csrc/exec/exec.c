/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.c: runs a plan from its root.
 */
#include "exec/exec.h"

#include <stdio.h>
#include "exec/build.h"
#include "exec/join.h"
#include "exec/mapped_chunk.h"
#include "exec/operators.h"
#include "exec/passthrough.h"
#include "exec/watch.h"

#define LIMIT_KEPT \
    65536 /* a limit up to here stops threads early, which needs all rows in one place */

static nb_status
run_root(nb_run *run, nb_node *root, nb_table **out, nb_error *err)
{
    nb_stream *stream;
    nb_operator *sink;
    nb_node *below = root;
    nb_delivery *delivery = nb_run_ctx(run)->delivery;
    int64_t limit = -1, offset = 0;

    if (root->kind == NB_NODE_WRITE) { /* says itself which of its pipelines is the last one */
        return nb_build_write(run, root, out, err);
    }
    /* the result sink limits by itself, but keeps the rows that it leaves out until the end: many go to disk as those of any node do */
    if (root->kind == NB_NODE_LIMIT && root->u.limit.offset <= LIMIT_KEPT) {
        limit = root->u.limit.limit;
        offset = root->u.limit.offset;
        below = root->children[0];
    }
    if (below == root) {
        NB_TRY(nb_passthrough(nb_run_ctx(run), root, out));
        if (*out != NULL) {
            return NB_OK;
        }
    }
    NB_TRY(nb_build_stream(run, below, &stream, err));
    if (nb_run_ctx(run)->watch != NULL) {
        nb_run_ctx(run)->watch->at_root = true;
    }
    if (delivery != NULL && (limit < 0 || limit > LIMIT_KEPT) && offset == 0) {
        NB_TRY(nb_deliver_new(run, NULL, root->schema, limit, delivery, false, &sink));
        NB_TRY(nb_stream_run(run, stream, sink, err));
        return nb_table_new(nb_run_ctx(run)->pool, root->schema, out);
    }
    NB_TRY(nb_collect_new(run, NULL, root->schema, limit, offset, &sink));
    if (nb_run_ctx(run)->result_to_disk) {
        NB_TRY(nb_collect_mapped(run, sink, root, root->schema));
    }
    NB_TRY(nb_stream_run(run, stream, sink, err));
    *out = nb_collect_table(sink);
    if (below != root && root->metrics != NULL) {
        atomic_fetch_add(&root->metrics->rows_out, (*out)->n_rows);
    }
    return NB_OK;
}

nb_status
nb_exec_run(const nb_exec_ctx *ctx, nb_node *root, nb_table **out, nb_error *err)
{
    nb_run *run;
    nb_table *table = NULL;
    nb_error own = NB_ERROR_INIT;
    nb_status st = nb_run_new(ctx, &run);

    if (st == NB_OK) {
        st = nb_join_mark_reads(nb_run_arena(run), root);
        st = st < 0 ? st : run_root(run, root, &table, &own);
        nb_run_free(run);
    }
    if (st == NB_OK && ctx->delivery != NULL && table->n_rows > 0) {
        nb_table *rows = table;

        table = NULL;
        st = nb_deliver_table(ctx->delivery, rows, &own);
        if (st >= 0) {
            st = nb_table_new(ctx->pool, rows->schema, &table);
        }
        nb_table_release(rows);
    }
    if (st == NB_NOMEM && !own.set) {
        char used[32], left[32];

        snprintf(used, sizeof(used), "%zu", nb_pool_peak(ctx->pool));
        snprintf(left, sizeof(left), "%zu", nb_pool_available(ctx->pool));
        st = nb_raise(&own, NB_COND_UNABLE_TO_ACQUIRE_MEMORY, "requestedBytes", used,
                      "receivedBytes", left, NULL);
    }
    nb_error_move(&own, err);
    if (st < 0) {
        nb_table_release(table);
        return st;
    }
    *out = table;
    return NB_OK;
}
