/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_source.c: scans a table in memory, without copying.
 *
 * The chunks are cut into morsels of MORSEL_ROWS (fewer for small tables, so that all threads get some); a list made at the start
 * says where each begins, an atomic counter hands them out.
 */
#include "exec/sources.h"

#define MORSEL_ROWS (60 * NB_BATCH_ROWS)
#define MIN_MORSELS 64

typedef struct morsel {
    int chunk;
    int64_t from, n;
} morsel;

typedef struct table_source {
    nb_source base;
    nb_pool *pool;
    nb_table *table;
    int *columns;
    int n_columns;
    morsel *morsels;
} table_source;

typedef struct table_local {
    nb_pool *pool;
    nb_morsel_run run;
    int64_t morsel; /* -1: none yet */
    int64_t at;     /* rows of it that are done */
} table_local;

static nb_status
table_open_local(nb_source *src, nb_pool *pool, void **local, nb_error *err)
{
    table_local *l = nb_pool_alloc(pool, sizeof(*l));

    (void)src;
    (void)err;
    if (l == NULL) {
        return NB_NOMEM;
    }
    *l = (table_local){.pool = pool, .morsel = -1};
    *local = l;
    return NB_OK;
}

static void
table_close_local(nb_source *src, void *local)
{
    table_local *l = local;

    (void)src;
    nb_pool_dealloc(l->pool, l, sizeof(*l));
}

static nb_status
table_next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    table_source *s = (table_source *)src;
    table_local *l = local;
    const morsel *m;
    const nb_chunk *chunk;
    int64_t n;

    (void)err;
    if (l->morsel < 0 || l->at == s->morsels[l->morsel].n) {
        if (l->morsel >= 0) {
            nb_chunk_forget(s->table->chunks[s->morsels[l->morsel].chunk]);
        }
        l->morsel = nb_source_claim(src, &l->run);
        l->at = 0;
        if (l->morsel < 0) {
            return NB_DONE;
        }
    }
    m = &s->morsels[l->morsel];
    chunk = s->table->chunks[m->chunk];
    n = NB_MIN(m->n - l->at, NB_BATCH_ROWS);
    NB_TRY(nb_batch_init(scratch, s->n_columns, n, out));
    for (int i = 0; i < s->n_columns; i++) {
        NB_TRY(nb_vector_slice(scratch, &chunk->cols[s->columns[i]], m->from + l->at, n,
                               &out->cols[i]));
    }
    out->order = (uint64_t)l->morsel;
    out->partition = NB_MAX(chunk->partition, 0);
    l->at += n;
    atomic_fetch_add_explicit(&src->rows_read, n, memory_order_relaxed);
    return NB_OK;
}

static void
table_free(nb_source *src)
{
    table_source *s = (table_source *)src;

    nb_pool_dealloc(s->pool, s->columns, (size_t)NB_MAX(s->n_columns, 1) * sizeof(int));
    nb_pool_dealloc(s->pool, s->morsels, (size_t)NB_MAX(s->base.n_morsels, 1) * sizeof(morsel));
    nb_table_release(s->table);
    nb_pool_dealloc(s->pool, s, sizeof(*s));
}

static int32_t
table_partition_of(const nb_source *src, int64_t morsel)
{
    const table_source *s = (const table_source *)src;

    return NB_MAX(s->table->chunks[s->morsels[morsel].chunk]->partition, 0);
}

static const nb_source_ops TABLE_SOURCE = {
    .name = "table",
    .open_local = table_open_local,
    .next = table_next,
    .close_local = table_close_local,
    .free = table_free,
};

/* Writes the morsels (NULL: only counts them); returns how many. */
static int64_t
cut(const nb_table *table, int64_t limit, int64_t morsel_rows, morsel *out)
{
    int64_t n = 0, left = limit < 0 ? INT64_MAX : limit;

    for (int c = 0; c < table->n_chunks; c++) {
        int64_t rows = NB_MIN(table->chunks[c]->n_rows, left);

        for (int64_t at = 0; at < rows; at += morsel_rows) {
            if (out != NULL) {
                out[n] = (morsel){c, at, NB_MIN(morsel_rows, rows - at)};
            }
            n++;
        }
        left -= rows;
    }
    return n;
}

nb_status
nb_table_source_new(nb_pool *pool, nb_table *table, const nb_type *schema, const int *columns,
                    int64_t limit, const nb_cancel_flag *cancel, nb_source **out)
{
    table_source *s = nb_pool_zalloc(pool, sizeof(*s));
    int64_t rows = NB_ALIGN_UP(table->n_rows / MIN_MORSELS + 1, NB_BATCH_ROWS);

    if (s == NULL) {
        return NB_NOMEM;
    }
    rows = NB_MIN(rows, (int64_t)MORSEL_ROWS);
    s->base.ops = &TABLE_SOURCE;
    s->base.schema = schema;
    s->base.cancel = cancel;
    s->base.n_partitions = 1;
    s->pool = pool;
    s->table = nb_table_ref(table);
    s->n_columns = schema->n_children;
    s->base.n_morsels = cut(table, limit, rows, NULL);
    s->base.enough_threads = NB_MAX(s->base.n_morsels, 1);
    s->columns = nb_pool_alloc(pool, (size_t)NB_MAX(s->n_columns, 1) * sizeof(int));
    s->morsels = nb_pool_alloc(pool, (size_t)NB_MAX(s->base.n_morsels, 1) * sizeof(morsel));
    if (s->columns == NULL || s->morsels == NULL) {
        table_free(&s->base);
        return NB_NOMEM;
    }
    cut(table, limit, rows, s->morsels);
    for (int i = 0; i < s->n_columns; i++) {
        s->columns[i] = columns ? columns[i] : i;
    }
    s->base.partition_of = table_partition_of;
    for (int c = 0; c < table->n_chunks; c++) {
        s->base.n_partitions = NB_MAX(s->base.n_partitions, table->chunks[c]->partition + 1);
        if (c > 0 && table->chunks[c]->partition < table->chunks[c - 1]->partition) {
            s->base.partition_of = NULL;
            s->base.partitions_return = true;
        }
    }
    *out = &s->base;
    return NB_OK;
}
