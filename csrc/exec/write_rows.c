/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_rows.c: see write_rows.h.
 *
 * Memory   what files hold back is bounded in io/write_task.c; rows aside become runs on disk of at most ASIDE_MOST bytes.
 * Spark    sorts all rows by the partition columns first; here only those that find no open file, which leaves the same rows in the same
 *          files in the same order.
 */
#include "exec/write_rows.h"

#include <pthread.h>
#include "column/table.h"
#include "exec/sorter.h"

#define ASIDE_MOST ((size_t)32 << 20)

/* One partition; its thread's, but for the place in the list. */
typedef struct part_rows {
    nb_write_task *task;
    nb_chunk_builder *aside;
    uint64_t n_chunks; /* that went to the sorter: their order */
    nb_sorter *sorter;
} part_rows;

struct nb_write_rows {
    const nb_exec_ctx *ctx;
    nb_node *node;
    const nb_type *schema;
    nb_write_job *job;
    int partition;
    int n_keys;
    nb_sort_col *keys; /* the partition columns */
    size_t share;      /* bytes aside of one partition */
    pthread_mutex_t lock;
    part_rows **parts; /* by partition; NULL: no rows yet. Under lock, not what they point at */
    int cap;
};

nb_status
nb_write_rows_new(const nb_exec_ctx *ctx, nb_node *node, const nb_type *schema, nb_write_job *job,
                  int partition, nb_write_rows **out)
{
    nb_write_rows *w = nb_pool_zalloc(ctx->pool, sizeof(*w));
    const int *columns;

    if (w == NULL) {
        return NB_NOMEM;
    }
    columns = nb_write_partition_columns(job, &w->n_keys);
    w->keys = nb_pool_zalloc(ctx->pool, (size_t)(w->n_keys + 1) * sizeof(*w->keys));
    if (w->keys == NULL) {
        nb_pool_dealloc(ctx->pool, w, sizeof(*w));
        return NB_NOMEM;
    }
    for (int k = 0; k < w->n_keys; k++) {
        w->keys[k].col = columns[k];
    }
    w->ctx = ctx;
    w->node = node;
    w->schema = schema;
    w->job = job;
    w->partition = partition;
    w->share = nb_pool_available(ctx->pool) / 8 / (size_t)NB_MAX(ctx->n_threads, 1);
    w->share = ctx->force_spill ? 0 : NB_MIN(w->share, ASIDE_MOST);
    pthread_mutex_init(&w->lock, NULL);
    *out = w;
    return NB_OK;
}

static nb_status
grow(nb_write_rows *w, int partition)
{
    int cap = NB_MAX(w->cap ? 2 * w->cap : 16, partition + 1);
    part_rows **parts;

    if (partition < w->cap) {
        return NB_OK;
    }
    parts = nb_pool_realloc(w->ctx->pool, w->parts, (size_t)w->cap * sizeof(*parts),
                            (size_t)cap * sizeof(*parts));
    if (parts == NULL) {
        return NB_NOMEM;
    }
    memset(parts + w->cap, 0, (size_t)(cap - w->cap) * sizeof(*parts));
    w->parts = parts;
    w->cap = cap;
    return NB_OK;
}

/* *out NULL: it has no rows and shall not be made. */
static nb_status
part_of(nb_write_rows *w, int partition, bool make, part_rows **out, nb_error *err)
{
    nb_status st = NB_OK;

    *out = NULL;
    partition = w->partition >= 0 ? w->partition : NB_MAX(partition, 0);
    pthread_mutex_lock(&w->lock);
    if (make) {
        st = grow(w, partition);
    }
    if (st == NB_OK && make && w->parts[partition] == NULL) {
        w->parts[partition] = nb_pool_zalloc(w->ctx->pool, sizeof(part_rows));
        st = w->parts[partition] ? NB_OK : NB_NOMEM;
    }
    if (st == NB_OK && partition < w->cap) {
        *out = w->parts[partition];
    }
    pthread_mutex_unlock(&w->lock);
    if (st == NB_OK && make && (*out)->task == NULL) {
        st = nb_write_task_open(w->job, partition, &(*out)->task, err);
    }
    return st;
}

/* ---- rows aside ------------------------------------------------------------------------------ */

static nb_status
sort_aside(nb_write_rows *w, part_rows *p, nb_error *err)
{
    nb_sorter_spec spec = {.schema = w->schema,
                           .cols = w->keys,
                           .n_cols = w->n_keys,
                           .n_together = NB_SORTER_ALL_TOGETHER};
    nb_chunk *chunk;

    NB_TRY(nb_chunk_builder_finish(p->aside, &chunk));
    if (chunk == NULL) {
        return NB_OK;
    }
    if (p->sorter == NULL) {
        nb_status st = nb_sorter_new(w->ctx, w->node, &spec, &p->sorter);

        if (st < 0) {
            nb_chunk_free(chunk);
            return st;
        }
    }
    chunk->order = p->n_chunks++;
    return nb_sorter_add(p->sorter, &chunk, 1, err);
}

static nb_status
put_aside(nb_write_rows *w, part_rows *p, nb_batch *batch, const uint32_t *rows, int64_t n,
          nb_error *err)
{
    nb_vector *cols = NB_ARENA_ARRAY(batch->arena, nb_vector, batch->n_cols + 1);

    if (cols == NULL) {
        return NB_NOMEM;
    }
    if (p->aside == NULL) {
        NB_TRY(nb_chunk_builder_new(w->ctx->pool, w->schema, &p->aside));
    }
    for (int c = 0; c < batch->n_cols; c++) {
        const nb_vector *v;

        NB_TRY(nb_batch_column(batch, c, &v));
        NB_TRY(nb_vector_flatten(batch->arena, v, &cols[c]));
    }
    NB_TRY(nb_chunk_builder_append_rows(p->aside, cols, rows, n));
    return nb_chunk_builder_bytes(p->aside) > w->share ? sort_aside(w, p, err) : NB_OK;
}

/* The rest of a partition: one directory after the other. */
static nb_status
push_sorted(nb_write_rows *w, part_rows *p, nb_error *err)
{
    nb_arena *scratch = nb_arena_new(w->ctx->pool);
    nb_source *source = NULL;
    void *local = NULL;
    bool open = false;
    uint32_t none[NB_BATCH_ROWS];
    int64_t n_none;
    nb_status st = scratch ? NB_OK : NB_NOMEM;

    NB_TRY_GOTO(st, st, done);
    NB_TRY_GOTO(st, nb_write_task_sorted(p->task, err), done);
    st = nb_sorter_source(p->sorter, w->schema, 0, INT64_MAX, &source, err);
    p->sorter = NULL;
    NB_TRY_GOTO(st, st, done);
    if (source->ops->open_local != NULL) {
        NB_TRY_GOTO(st, source->ops->open_local(source, w->ctx->pool, &local, err), done);
        open = true;
    }
    for (;;) {
        nb_batch batch;

        nb_arena_reset(scratch);
        st = nb_cancelled(w->ctx->cancel) ? NB_CANCELLED
                                          : source->ops->next(source, local, scratch, &batch, err);
        if (st != NB_OK) {
            break;
        }
        NB_TRY_GOTO(st, nb_write_task_push(p->task, &batch, none, &n_none, err), done);
    }
    st = st == NB_DONE ? NB_OK : st;
done:
    if (open && source->ops->close_local != NULL) {
        source->ops->close_local(source, local);
    }
    if (source != NULL) {
        source->ops->free(source);
    }
    nb_arena_free(scratch);
    return st;
}

/* ---- partitions ------------------------------------------------------------------------------ */

nb_status
nb_write_rows_push(nb_write_rows *w, nb_batch *batch, nb_error *err)
{
    uint32_t *aside = NULL;
    int64_t n_aside = 0;
    part_rows *p;

    NB_TRY(part_of(w, batch->partition, true, &p, err));
    if (w->n_keys > 0) {
        aside = NB_ARENA_ARRAY(batch->arena, uint32_t, batch->n_rows + 1);
        if (aside == NULL) {
            return NB_NOMEM;
        }
    }
    NB_TRY(nb_write_task_push(p->task, batch, aside, &n_aside, err));
    return n_aside > 0 ? put_aside(w, p, batch, aside, n_aside, err) : NB_OK;
}

static nb_status
settle(nb_write_rows *w, part_rows *p, nb_error *err)
{
    if (p->aside != NULL) {
        NB_TRY(sort_aside(w, p, err));
        nb_chunk_builder_free(p->aside);
        p->aside = NULL;
    }
    if (p->sorter != NULL) {
        NB_TRY(push_sorted(w, p, err));
    }
    return p->task != NULL ? nb_write_task_rest(p->task, err) : NB_OK;
}

nb_status
nb_write_rows_settle(nb_write_rows *w, int partition, nb_error *err)
{
    part_rows *p;

    NB_TRY(part_of(w, partition, false, &p, err));
    return p != NULL ? settle(w, p, err) : NB_OK;
}

nb_status
nb_write_rows_finish(nb_write_rows *w, nb_error *err)
{
    for (int i = 0; i < w->cap; i++) {
        part_rows *p = w->parts[i];
        nb_write_task *task;

        if (p == NULL || p->task == NULL) {
            continue;
        }
        NB_TRY(settle(w, p, err));
        task = p->task;
        p->task = NULL;
        NB_TRY(nb_write_task_close(task, err));
    }
    return NB_OK;
}

void
nb_write_rows_free(nb_write_rows *w)
{
    nb_pool *pool;

    if (w == NULL) {
        return;
    }
    pool = w->ctx->pool;
    for (int i = 0; i < w->cap; i++) {
        if (w->parts[i] != NULL) {
            nb_write_task_abort(w->parts[i]->task);
            nb_chunk_builder_free(w->parts[i]->aside);
            nb_sorter_free(w->parts[i]->sorter);
            nb_pool_dealloc(pool, w->parts[i], sizeof(part_rows));
        }
    }
    nb_pool_dealloc(pool, w->parts, (size_t)w->cap * sizeof(*w->parts));
    nb_pool_dealloc(pool, w->keys, (size_t)(w->n_keys + 1) * sizeof(*w->keys));
    pthread_mutex_destroy(&w->lock);
    nb_pool_dealloc(pool, w, sizeof(*w));
}
