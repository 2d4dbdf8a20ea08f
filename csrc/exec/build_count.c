/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_count.c: streams whose rows are counted: rand, monotonically_increasing_id, samples. See build.h.
 *
 * Such an operator counts the rows of a partition from 0, in a local state that one branch has. So rows of one partition must not come from two
 * branches, nor after those of another.
 */
#include "exec/build.h"
#include "exec/operators.h"
#include "exec/mapped_chunk.h"
#include "exec/sources.h"

bool
nb_exprs_count_rows(nb_expr *const *exprs, int n)
{
    for (int i = 0; i < n; i++) {
        if (exprs[i] != NULL && !exprs[i]->deterministic) {
            return true;
        }
    }
    return false;
}

nb_status
nb_build_gather(nb_run *run, nb_node *node, nb_stream *stream, const nb_type *schema,
                nb_table **out, nb_error *err)
{
    nb_operator *sink;

    NB_TRY(nb_collect_new(run, NULL, schema, -1, 0, &sink));
    NB_TRY(nb_collect_mapped(run, sink, node, schema));
    NB_TRY(nb_stream_run(run, stream, sink, err));
    *out = nb_collect_table(sink);
    return NB_OK;
}

/* Might rows of one partition come from several branches, each of which would count from 0? */
static bool
shares_partitions(const nb_stream *s)
{
    for (int b = 0; b < s->n_branches && s->n_branches > 1; b++) {
        if (s->branches[b].source == NULL || s->branches[b].sealed) {
            return true;
        }
    }
    return false;
}

nb_status
nb_build_count(nb_run *run, nb_node *node, nb_stream **s, nb_error *err)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    int n = (*s)->n_partitions;
    nb_source *source;
    nb_table *rows;
    nb_status st;

    if (shares_partitions(*s)) {
        NB_TRY(nb_build_gather(run, node, *s, node->children[0]->schema, &rows, err));
        nb_settle_partitions(rows); /* a join that spills goes over them several times */
        st = nb_table_source_new(ctx->pool, rows, rows->schema, NULL, -1, ctx->cancel, &source);
        nb_table_release(rows);
        NB_TRY(st);
        NB_TRY(nb_stream_from(run, source, NULL, s));
        (*s)->n_partitions = NB_MAX(n, (*s)->n_partitions);
    }
    (*s)->sequential = true;
    return NB_OK;
}

nb_status
nb_build_count_for(nb_run *run, nb_node *node, nb_expr *const *exprs, int n, nb_stream **s,
                   nb_error *err)
{
    return nb_exprs_count_rows(exprs, n) ? nb_build_count(run, node, s, err) : NB_OK;
}

void
nb_settle_partitions(nb_table *rows)
{
    int32_t before = 0, number = 0;
    bool returns = false;

    for (int c = 1; c < rows->n_chunks; c++) {
        returns |= rows->chunks[c]->partition < rows->chunks[c - 1]->partition;
    }
    for (int c = 0; c < rows->n_chunks && returns; c++) {
        int32_t partition = rows->chunks[c]->partition;

        number += c > 0 && partition != before;
        before = partition;
        rows->chunks[c]->partition = number;
    }
}
