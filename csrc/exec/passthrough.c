/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passthrough.c: results that are columns of a table in memory: shared, not copied.
 *
 * A cached DataFrame, or local data that was handed over by reference, often comes back as it is: toPandas() after cache(),
 * createDataFrame(array).select("a"). The result then refers to the chunks of that table. Only projections that choose, repeat and
 * rename columns may lie between.
 */
#include "exec/passthrough.h"

#define MAX_STEPS 64

/* The column that an expression is, or -1. */
static int
column_of(const nb_expr *e)
{
    while (e->kind == NB_EXPR_ALIAS) {
        e = e->args[0];
    }
    return e->kind == NB_EXPR_COLUMN ? e->u.column.ordinal : -1;
}

static void
give_chunk_back(void *chunk)
{
    nb_chunk_free(chunk);
}

static nb_status
share_chunk(nb_pool *pool, nb_chunk *from, const nb_type *schema, const int *columns,
            nb_chunk **out)
{
    nb_buffer *keep;
    nb_chunk *c;
    nb_status st;

    NB_TRY(nb_chunk_new(pool, schema->n_children, &c));
    st = nb_buffer_wrap(NULL, 0, give_chunk_back, nb_chunk_ref(from), &keep);
    if (st < 0) {
        nb_chunk_free(from);
    } else {
        st = nb_chunk_keep(c, keep);
        nb_buffer_release(keep);
    }
    if (st < 0) {
        nb_chunk_free(c);
        return st;
    }
    for (int i = 0; i < schema->n_children; i++) {
        c->cols[i] = from->cols[columns[i]];
        c->cols[i].type = schema->children[i].type;
    }
    c->n_rows = from->n_rows;
    c->order = from->order;
    c->partition = from->partition;
    *out = c;
    return NB_OK;
}

nb_status
nb_passthrough(const nb_exec_ctx *ctx, const nb_node *root, nb_table **out)
{
    nb_pool *pool = ctx->pool;
    const nb_node *path[MAX_STEPS], *node = root;
    nb_arena *arena;
    nb_table *table = NULL;
    int n = 0, *columns;
    nb_status st = NB_NOMEM;

    *out = NULL;
    for (; node->kind == NB_NODE_PROJECT && n < MAX_STEPS; node = node->children[0]) {
        for (int i = 0; i < node->schema->n_children; i++) {
            if (column_of(node->u.project.exprs[i]) < 0) {
                return NB_OK;
            }
        }
        path[n++] = node;
    }
    if (node->kind != NB_NODE_TABLE || node->u.table.limit >= 0 ||
        node->u.table.table->pool == ctx->short_pool) {
        return NB_OK;
    }
    arena = nb_arena_new(pool);
    columns = arena ? NB_ARENA_ARRAY(arena, int, root->schema->n_children) : NULL;
    if (columns == NULL) {
        goto done;
    }
    for (int i = 0; i < root->schema->n_children; i++) {
        columns[i] = i;
        for (int k = 0; k < n; k++) {
            columns[i] = column_of(path[k]->u.project.exprs[columns[i]]);
        }
        columns[i] = node->u.table.columns ? node->u.table.columns[columns[i]] : columns[i];
    }
    NB_TRY_GOTO(st, nb_table_new(pool, root->schema, &table), done);
    for (int i = 0; i < node->u.table.table->n_chunks; i++) {
        nb_chunk *chunk;
        NB_TRY_GOTO(
            st, share_chunk(pool, node->u.table.table->chunks[i], root->schema, columns, &chunk),
            done);
        st = nb_table_append(table, chunk);
        if (st < 0) {
            nb_chunk_free(chunk);
            goto done;
        }
    }
    *out = table;
    table = NULL;
    for (int k = 0; k < n; k++) {
        if (path[k]->metrics != NULL) {
            atomic_fetch_add(&path[k]->metrics->rows_out, (*out)->n_rows);
        }
    }
    if (node->metrics != NULL) {
        atomic_fetch_add(&node->metrics->rows_out, (*out)->n_rows);
    }
done:
    nb_table_release(table);
    nb_arena_free(arena);
    return st;
}
