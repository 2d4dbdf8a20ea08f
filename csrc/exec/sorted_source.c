/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sorted_source.c: a table's rows in a given order.
 */
#include "exec/operators.h"
#include "exec/sort_rows.h"

#define MORSEL_ROWS (30 * NB_BATCH_ROWS)

typedef struct sorted_source {
    nb_source base;
    nb_pool *pool;
    nb_arena *arena;
    nb_table *table;
    nb_row_index index;
    int *columns;
    uint32_t *ids;
    int64_t from, to;
    bool by_partition;
    atomic_llong next_morsel;
} sorted_source;

typedef struct sorted_local {
    nb_pool *pool;
    int64_t morsel, at, end;
} sorted_local;

static nb_status
sorted_open_local(nb_source *src, nb_pool *pool, void **local, nb_error *err)
{
    sorted_local *l = nb_pool_zalloc(pool, sizeof(*l));

    (void)src;
    (void)err;
    if (l == NULL) {
        return NB_NOMEM;
    }
    l->pool = pool;
    *local = l;
    return NB_OK;
}

static void
sorted_close_local(nb_source *src, void *local)
{
    sorted_local *l = local;

    (void)src;
    nb_pool_dealloc(l->pool, l, sizeof(*l));
}

static int32_t
partition_of(const sorted_source *s, uint32_t id)
{
    return NB_MAX(s->table->chunks[nb_row_chunk(&s->index, id)]->partition, 0);
}

static nb_status
sorted_next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    sorted_source *s = (sorted_source *)src;
    sorted_local *l = local;
    int32_t partition = 0;
    int64_t n;

    (void)err;
    if (l->at == l->end) {
        l->morsel = atomic_fetch_add(&s->next_morsel, 1);
        l->at = s->from + l->morsel * MORSEL_ROWS;
        l->end = NB_MIN(l->at + MORSEL_ROWS, s->to);
        if (l->at >= s->to) {
            l->at = l->end;
            return NB_DONE;
        }
    }
    n = NB_MIN(l->end - l->at, NB_BATCH_ROWS);
    if (s->by_partition) {
        int64_t k = 1;

        partition = partition_of(s, s->ids[l->at]);
        while (k < n && partition_of(s, s->ids[l->at + k]) == partition) {
            k++;
        }
        n = k;
    }
    NB_TRY(nb_batch_init(scratch, s->base.schema->n_children, n, out));
    NB_TRY(nb_rows_gather(&s->index, s->columns, s->base.schema->n_children, s->ids + l->at, n,
                          scratch, out->cols));
    out->order = (uint64_t)l->morsel;
    out->partition = partition;
    l->at += n;
    atomic_fetch_add_explicit(&src->rows_read, n, memory_order_relaxed);
    return NB_OK;
}

static void
sorted_free(nb_source *src)
{
    sorted_source *s = (sorted_source *)src;

    if (s->ids != NULL) {
        nb_pool_dealloc(s->pool, s->ids, (size_t)s->table->n_rows * sizeof(uint32_t));
    }
    nb_table_release(s->table);
    nb_arena_free(s->arena);
    nb_pool_dealloc(s->pool, s, sizeof(*s));
}

static const nb_source_ops SORTED_SOURCE = {
    .name = "sorted",
    .open_local = sorted_open_local,
    .next = sorted_next,
    .close_local = sorted_close_local,
    .free = sorted_free,
};

nb_status
nb_sorted_source_new(nb_pool *pool, nb_table *table, const nb_type *schema, const int *columns,
                     uint32_t *ids, int64_t from, int64_t to, bool by_partition,
                     const nb_cancel_flag *cancel, nb_source **out)
{
    sorted_source *s = nb_pool_zalloc(pool, sizeof(*s));
    int n_cols = schema->n_children;
    nb_status st = NB_NOMEM;

    if (s == NULL) {
        if (ids != NULL) {
            nb_pool_dealloc(pool, ids, (size_t)table->n_rows * sizeof(uint32_t));
        }
        return NB_NOMEM;
    }
    s->base.ops = &SORTED_SOURCE;
    s->base.schema = schema;
    s->base.cancel = cancel;
    s->base.n_partitions = 1;
    s->pool = pool;
    s->table = nb_table_ref(table);
    s->ids = ids;
    s->from = from;
    s->to = to;
    s->by_partition = by_partition;
    s->base.enough_threads = NB_MAX(to - from, 0) / MORSEL_ROWS + 1;
    s->arena = nb_arena_new(pool);
    if (s->arena != NULL && (s->columns = NB_ARENA_ARRAY(s->arena, int, n_cols)) != NULL) {
        st = nb_row_index_init(s->arena, table, &s->index);
    }
    if (st < 0) {
        sorted_free(&s->base);
        return st;
    }
    for (int i = 0; i < n_cols; i++) {
        s->columns[i] = columns ? columns[i] : i;
    }
    for (int c = 0; c < table->n_chunks && by_partition; c++) {
        s->base.n_partitions = NB_MAX(s->base.n_partitions, table->chunks[c]->partition + 1);
    }
    *out = &s->base;
    return NB_OK;
}
