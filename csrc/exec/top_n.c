/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_n.c: ORDER BY with LIMIT: keeps only rows that can still be among the first.
 *
 * Algorithm  each thread gathers rows, with sort keys, morsel and place in it behind them. When it has twice as many as wanted it sorts them and
 *            keeps the first ones; from then on the first key of the last one kept is a bound, and rows whose code (sort_code.h) lies
 *            beyond it are dropped before anything else is looked at. The bound is shared: the least of all threads' holds. Scans below
 *            know it, too (push_keys.h), and leave out row groups and rows beyond it; so that they do early, the first rows are sorted soon.
 * Order      ties go by morsel and place, as in a full sort.
 */
#include "exec/top_n.h"

#include <pthread.h>
#include "column/key_filter.h"
#include "exec/build.h"
#include "exec/operators.h"
#include "exec/sort_code.h"
#include "exec/sort_rows.h"

/* Rows that are gathered before they are sorted: at first, and when there is a bound. */
#define FIRST_KEPT 64
#define LEAST_KEPT 4096

typedef struct top_n_op {
    nb_operator base;
    const nb_exec_ctx *ctx;
    const nb_type *schema; /* columns, keys, order, place */
    nb_sort_col *cols;     /* keys, then order and place */
    int n_cols;
    int64_t wanted;
    bool coded;           /* the first key has a code */
    atomic_ullong bound;  /* rows whose code is greater are out */
    nb_key_filter *scans; /* the same for scans below, or NULL */
    pthread_mutex_t lock; /* guards the table */
    nb_table *table;
} top_n_op;

typedef struct top_n_local {
    nb_chunk_builder *builder;
    bool sorted; /* once */
    uint64_t order;
    int64_t place;
} top_n_local;

static nb_status
top_n_open_global(nb_operator *base, const nb_exec_ctx *ctx, nb_error *err)
{
    top_n_op *op = (top_n_op *)base;

    (void)err;
    op->ctx = ctx;
    return nb_table_new(ctx->pool, op->schema, &op->table);
}

static nb_status
top_n_open_local(nb_operator *base, nb_thread_ctx *t, void **local, nb_error *err)
{
    top_n_op *op = (top_n_op *)base;
    top_n_local *l = NB_ARENA_NEW(nb_thread_memory(t), top_n_local);

    (void)err;
    if (l == NULL) {
        return NB_NOMEM;
    }
    l->order = UINT64_MAX;
    NB_TRY(nb_chunk_builder_new(op->ctx->pool, op->schema, &l->builder));
    *local = l;
    return NB_OK;
}

static void
top_n_close_local(nb_operator *base, void *local)
{
    (void)base;
    nb_chunk_builder_free(((top_n_local *)local)->builder);
}

static void
tell_scans(top_n_op *op, const nb_vector *last)
{
    if (op->scans == NULL || nb_vector_is_null(last, 0)) {
        return;
    }
    switch (last->type->phys) {
    case NB_PHYS_INT8: nb_key_filter_tighten(op->scans, NB_DATA(int8_t, last)[0]); break;
    case NB_PHYS_INT16: nb_key_filter_tighten(op->scans, NB_DATA(int16_t, last)[0]); break;
    case NB_PHYS_INT32: nb_key_filter_tighten(op->scans, NB_DATA(int32_t, last)[0]); break;
    default: nb_key_filter_tighten(op->scans, NB_DATA(int64_t, last)[0]); break;
    }
}

/* Sorts what the builder holds and keeps the first rows; the last one sets the bound. */
static nb_status
compact(top_n_op *op, top_n_local *l)
{
    nb_pool *pool = op->ctx->pool;
    nb_exec_ctx alone = *op->ctx;
    nb_arena *arena = nb_arena_new(pool);
    nb_table *table = NULL;
    nb_chunk *chunk = NULL;
    uint32_t *ids = NULL;
    int64_t n = 0, kept;
    nb_status st = arena ? NB_OK : NB_NOMEM;

    alone.n_threads = 1; /* the others have work of their own */
    NB_TRY_GOTO(st, st, done);
    NB_TRY_GOTO(st, nb_table_new(pool, op->schema, &table), done);
    NB_TRY_GOTO(st, nb_chunk_builder_finish(l->builder, &chunk), done);
    if (chunk == NULL) {
        goto done;
    }
    n = chunk->n_rows;
    st = nb_table_append(table, chunk);
    if (st < 0) {
        nb_chunk_free(chunk);
        goto done;
    }
    NB_TRY_GOTO(st, nb_sort_rows(&alone, pool, table, op->cols, op->n_cols, false, &ids), done);
    kept = NB_MIN(n, op->wanted);
    NB_TRY_GOTO(st, nb_chunk_builder_append_rows(l->builder, chunk->cols, ids, kept), done);
    if (op->coded && kept == op->wanted && kept > 0) {
        nb_vector last, flat;
        unsigned long long now = atomic_load(&op->bound);
        uint64_t code;

        NB_TRY_GOTO(
            st, nb_vector_gather(arena, &chunk->cols[op->cols[0].col], ids + kept - 1, 1, &last),
            done);
        NB_TRY_GOTO(st, nb_code_any(&op->cols[0], &last, 1, arena, &code), done);
        while (code < now && !atomic_compare_exchange_weak(&op->bound, &now, code)) {
        }
        NB_TRY_GOTO(st, nb_vector_flatten(arena, &last, &flat), done);
        tell_scans(op, &flat);
    }
done:
    if (ids != NULL) {
        nb_pool_dealloc(pool, ids, (size_t)n * sizeof(uint32_t));
    }
    nb_table_release(table);
    nb_arena_free(arena);
    return st;
}

/* Drops rows that lie beyond the bound. */
static nb_status
prune(top_n_op *op, nb_batch *batch)
{
    uint64_t bound = atomic_load_explicit(&op->bound, memory_order_relaxed);
    uint64_t *codes;
    uint32_t *keep;
    const nb_vector *key;
    int64_t n = 0;

    if (!op->coded || bound == UINT64_MAX) {
        return NB_OK;
    }
    codes = NB_ARENA_ARRAY(batch->arena, uint64_t, batch->n_rows);
    keep = NB_ARENA_ARRAY(batch->arena, uint32_t, batch->n_rows);
    if (codes == NULL || keep == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_batch_column(batch, op->cols[0].col, &key));
    NB_TRY(nb_code_any(&op->cols[0], key, batch->n_rows, batch->arena, codes));
    for (int64_t i = 0; i < batch->n_rows; i++) {
        keep[n] = (uint32_t)i;
        n += codes[i] <= bound;
    }
    if (n == 0) {
        batch->n_rows = 0;
        return NB_OK;
    }
    return nb_batch_select(batch, keep, n);
}

/* The batch's columns as the source gave them, then the morsel and the place in it. */
static nb_status
with_place(top_n_op *op, top_n_local *l, nb_batch *batch, nb_batch *out)
{
    int n_cols = batch->n_cols;
    nb_vector *order, *place;

    NB_TRY(nb_batch_init(batch->arena, n_cols + 2, batch->n_base, out));
    memcpy(out->cols, batch->cols, (size_t)n_cols * sizeof(nb_vector));
    order = &out->cols[n_cols];
    place = &out->cols[n_cols + 1];
    NB_TRY(nb_vector_alloc(batch->arena, op->schema->children[n_cols].type, batch->n_base, order));
    NB_TRY(nb_vector_alloc(batch->arena, order->type, batch->n_base, place));
    for (int32_t i = 0; i < batch->n_base; i++) {
        NB_DATA(int64_t, order)[i] = (int64_t)batch->order;
        NB_DATA(int64_t, place)[i] = l->place + i;
    }
    l->place += batch->n_base;
    return NB_OK;
}

static nb_status
top_n_push(nb_operator *base, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    top_n_op *op = (top_n_op *)base;
    top_n_local *l = local;
    nb_batch placed;

    (void)t;
    (void)err;
    if (op->wanted == 0) {
        return NB_DONE;
    }
    if (batch->order != l->order) {
        l->order = batch->order;
        l->place = 0;
    }
    NB_TRY(prune(op, batch));
    if (batch->n_rows == 0) {
        l->place += batch->n_base;
        return NB_OK;
    }
    NB_TRY(with_place(op, l, batch, &placed));
    NB_TRY(nb_chunk_builder_append_rows(l->builder, placed.cols, batch->sel, batch->n_rows));
    if (nb_chunk_builder_rows(l->builder) >=
        NB_MAX(2 * op->wanted, l->sorted ? LEAST_KEPT : FIRST_KEPT)) {
        l->sorted = true;
        return compact(op, l);
    }
    return NB_OK;
}

static nb_status
top_n_combine(nb_operator *base, void *local, nb_thread_ctx *t, nb_error *err)
{
    top_n_op *op = (top_n_op *)base;
    top_n_local *l = local;
    nb_chunk *chunk;
    nb_status st = NB_OK;

    (void)t;
    (void)err;
    NB_TRY(nb_chunk_builder_finish(l->builder, &chunk));
    if (chunk != NULL) {
        pthread_mutex_lock(&op->lock);
        st = nb_table_append(op->table, chunk);
        pthread_mutex_unlock(&op->lock);
        if (st < 0) {
            nb_chunk_free(chunk);
        }
    }
    return st;
}

static nb_status
top_n_make_source(nb_operator *base, const nb_exec_ctx *ctx, nb_source **out, nb_error *err)
{
    top_n_op *op = (top_n_op *)base;
    int64_t from = NB_MAX(base->node->u.sort.offset, 0), to;
    uint32_t *ids;

    (void)err;
    NB_TRY(nb_sort_rows(ctx, ctx->pool, op->table, op->cols, op->n_cols, false, &ids));
    to = NB_MIN(op->wanted, op->table->n_rows);
    return nb_sorted_source_new(ctx->pool, op->table, base->node->schema, NULL, ids,
                                NB_MIN(from, to), to, false, ctx->cancel, out);
}

static void
top_n_close(nb_operator *base)
{
    top_n_op *op = (top_n_op *)base;

    nb_table_release(op->table);
    pthread_mutex_destroy(&op->lock);
}

static const nb_operator_ops TOP_N = {
    .name = "TopN",
    .open_global = top_n_open_global,
    .open_local = top_n_open_local,
    .push = top_n_push,
    .combine = top_n_combine,
    .make_source = top_n_make_source,
    .close_local = top_n_close_local,
    .close = top_n_close,
};

nb_status
nb_top_n_new(nb_run *run, nb_node *node, const nb_type *schema, const nb_sort_col *keys, int n_keys,
             nb_key_filter *bound, nb_operator **out)
{
    nb_arena *arena = nb_run_arena(run);
    top_n_op *op = NB_OPERATOR_NEW(run, top_n_op, &TOP_N, node);
    int n = schema->n_children;
    nb_field *fields = NB_ARENA_ARRAY(arena, nb_field, n + 2);

    if (op == NULL || fields == NULL) {
        return NB_NOMEM;
    }
    op->cols = NB_ARENA_ARRAY(arena, nb_sort_col, n_keys + 2);
    if (op->cols == NULL) {
        return NB_NOMEM;
    }
    for (int c = 0; c < n + 2; c++) {
        fields[c] = c < n ? schema->children[c]
                          : (nb_field){NB_STR(""), nb_type_of(NB_TYPE_INT64), false, {"", 0}};
    }
    op->schema = nb_type_struct(fields, n + 2);
    if (op->schema == NULL) {
        return NB_NOMEM;
    }
    memcpy(op->cols, keys, (size_t)n_keys * sizeof(*keys));
    op->cols[n_keys] = (nb_sort_col){.col = n};
    op->cols[n_keys + 1] = (nb_sort_col){.col = n + 1};
    op->n_cols = n_keys + 2;
    op->wanted = node->u.sort.limit + NB_MAX(node->u.sort.offset, 0);
    op->coded = nb_code_tells(schema->children[keys[0].col].type);
    op->scans = bound;
    atomic_init(&op->bound, UINT64_MAX);
    pthread_mutex_init(&op->lock, NULL);
    *out = &op->base;
    return NB_OK;
}
