/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sorter.c: makes sorted runs.
 *
 * Algorithm  a thread's chunks are sorted together (sort_rows.c) and written as one run, block by block, each row with its key
 *            (sort_key.h); the first key of each block stays in memory. In the end runs are merged by sorter_merge.c: at first, should there be
 *            more of them than the budget has room for blocks, neighbours into longer ones; then by the source. The blocks' first keys cut the
 *            order into ranges of about the same size, which are its morsels: threads merge them independently.
 * Ties       a key ends with the number of its chunk; rows of one number come from one thread, whose runs are in order of time.
 * Memory     a merge holds one block per run and thread; blocks are small when the budget is. What a run needs while it is sorted was left
 *            free for that (NB_SORTER_ROW_BYTES); when others have taken it since, it lies outside of the budget for that time.
 */
#include "exec/sorter.h"

#include <stdlib.h>
#include "base/thread.h"
#include "exec/row_block.h"
#include "exec/sort_key.h"
#include "exec/sorter_internal.h"

#define BLOCK_BYTES       ((int64_t)128 * 1024)
#define BLOCK_BYTES_LEAST ((int64_t)16 * 1024)

/* ---- the sorter ------------------------------------------------------------------------------ */

nb_status
nb_sorter_new(const nb_exec_ctx *ctx, nb_node *node, const nb_sorter_spec *spec, nb_sorter **out)
{
    nb_pool *pool = nb_pool_new(ctx->pool, "sort", 0);
    nb_arena *arena = pool ? nb_arena_new(pool) : NULL;
    nb_sorter *s = arena ? NB_ARENA_NEW(arena, nb_sorter) : NULL;
    nb_field *fields = s ? NB_ARENA_ARRAY(arena, nb_field, spec->schema->n_children + 1) : NULL;
    size_t available = nb_pool_available(ctx->pool);

    if (fields != NULL) {
        for (int c = 0; c < spec->schema->n_children; c++) {
            fields[c] = spec->schema->children[c];
        }
        fields[spec->schema->n_children] =
            (nb_field){NB_STR(""), nb_type_of(NB_TYPE_BINARY), false, {"", 0}};
        s->schema = nb_type_struct(fields, spec->schema->n_children + 1);
    }
    if (s == NULL || s->schema == NULL) {
        nb_arena_free(arena);
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    s->ctx = ctx;
    s->node = node;
    s->pool = pool;
    s->arena = arena;
    s->spec = *spec;
    s->block_bytes = available / 256 >= (size_t)BLOCK_BYTES
                         ? BLOCK_BYTES
                         : NB_MAX((int64_t)(available / 256), BLOCK_BYTES_LEAST);
    s->files = NB_ARENA_NEW(arena, nb_block_files);
    if (s->files == NULL ||
        nb_block_files_init(s->files, arena, ctx->spill_dir, NB_MAX(ctx->n_threads, 1)) < 0) {
        nb_arena_free(arena);
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return NB_OK;
}

void
nb_sorter_run_free(sorter_run *r)
{
    nb_arena_free(r->arena);
    *r = (sorter_run){0};
}

void
nb_sorter_free(nb_sorter *s)
{
    nb_pool *pool;

    if (s == NULL) {
        return;
    }
    pool = s->pool;
    for (int i = 0; i < s->n_runs; i++) {
        nb_sorter_run_free(&s->runs[i]);
    }
    nb_block_files_free(s->files);
    nb_metrics_peak(s->node, (int64_t)nb_pool_peak(pool));
    pthread_mutex_destroy(&s->lock);
    nb_arena_free(s->arena);
    nb_pool_free(pool);
}

bool
nb_sorter_has_runs(nb_sorter *s)
{
    bool any;

    pthread_mutex_lock(&s->lock);
    any = s->n_runs > 0;
    pthread_mutex_unlock(&s->lock);
    return any;
}

/* ---- writing runs ---------------------------------------------------------------------------- */

nb_status
nb_sorter_write(nb_sorter *s, nb_block_writer *w, sorter_run *run, const nb_vector *cols, int64_t n,
                nb_error *err)
{
    const nb_view *keys = NB_DATA(nb_view, &cols[s->schema->n_children - 1]);
    sorter_block *b;

    if (run->n_blocks == run->cap_blocks) {
        int cap = run->cap_blocks ? 2 * run->cap_blocks : 16;
        sorter_block *grown = NB_ARENA_ARRAY(run->arena, sorter_block, cap);

        if (grown == NULL) {
            return NB_NOMEM;
        }
        if (run->n_blocks > 0) {
            memcpy(grown, run->blocks, (size_t)run->n_blocks * sizeof(*grown));
        }
        run->blocks = grown;
        run->cap_blocks = cap;
    }
    b = &run->blocks[run->n_blocks];
    *b = (sorter_block){.first_key = nb_arena_str(run->arena, nb_view_str(&keys[0]))};
    if (b->first_key.data == NULL) {
        return NB_NOMEM;
    }
    b->n_together = s->spec.n_together < 0 ? 0 : (uint32_t)b->first_key.len;
    if (s->spec.n_together > 0) {
        nb_strbuf together = {0};

        for (int k = 0; k < s->spec.n_together; k++) {
            const nb_sort_col *c = &s->spec.cols[k];

            nb_sort_key_put(&cols[c->col], 0, c->descending, c->nulls_last, &together);
        }
        b->n_together = (uint32_t)together.len + (s->spec.by_partition ? 4 : 0);
        nb_strbuf_free(&together);
        if (together.failed) {
            return NB_NOMEM;
        }
    }
    NB_TRY(nb_block_write(w, cols, s->schema->n_children, n, &b->ref, err));
    run->n_blocks++;
    nb_metrics_spilled(s->node, b->ref.n_stored);
    return NB_OK;
}

nb_status
nb_sorter_keep_run(nb_sorter *s, sorter_run *run)
{
    nb_status st = NB_OK;

    pthread_mutex_lock(&s->lock);
    if (s->n_runs == s->cap_runs) {
        int cap = s->cap_runs ? 2 * s->cap_runs : 16;
        sorter_run *grown = NB_ARENA_ARRAY(s->arena, sorter_run, cap);

        if (grown == NULL) {
            st = NB_NOMEM;
        } else {
            if (s->n_runs > 0) {
                memcpy(grown, s->runs, (size_t)s->n_runs * sizeof(*grown));
            }
            s->runs = grown;
            s->cap_runs = cap;
        }
    }
    if (st == NB_OK) {
        for (int b = 0; b < run->n_blocks; b++) {
            s->widest = NB_MAX(s->widest, nb_block_cost(s->schema, &run->blocks[b].ref));
        }
        s->n_partitions = NB_MAX(s->n_partitions, run->n_partitions);
        s->runs[s->n_runs++] = *run;
        *run = (sorter_run){0};
    }
    pthread_mutex_unlock(&s->lock);
    nb_sorter_run_free(run);
    return st;
}

/* Keys of n rows: columns cols of the rows, whose numbers are ids. The views point into bytes. */
static nb_status
make_keys(nb_sorter *s, const nb_row_index *index, const uint32_t *ids, const nb_vector *cols,
          int64_t n, nb_strbuf *bytes, nb_arena *arena, nb_vector *out)
{
    uint64_t *at = NB_ARENA_ARRAY(arena, uint64_t, n + 1);
    nb_view *views;

    if (at == NULL) {
        return NB_NOMEM;
    }
    bytes->len = 0;
    for (int64_t i = 0; i < n; i++) {
        const nb_chunk *chunk = index->table->chunks[nb_row_chunk(index, ids[i])];

        at[i] = bytes->len;
        if (s->spec.by_partition) {
            nb_sort_key_put_number((uint64_t)NB_MAX(chunk->partition, 0), 4, bytes);
        }
        for (int k = 0; k < s->spec.n_cols; k++) {
            const nb_sort_col *c = &s->spec.cols[k];

            nb_sort_key_put(&cols[c->col], i, c->descending, c->nulls_last, bytes);
        }
        nb_sort_key_put_number(chunk->order, 8, bytes);
    }
    at[n] = bytes->len;
    NB_TRY(nb_vector_alloc(arena, nb_type_of(NB_TYPE_BINARY), n, out));
    if (bytes->failed) {
        return NB_NOMEM;
    }
    views = out->data;
    for (int64_t i = 0; i < n; i++) {
        views[i] = nb_view_make(bytes->data + at[i], at[i + 1] - at[i]);
    }
    return NB_OK;
}

static nb_status
write_sorted(nb_sorter *s, nb_block_writer *w, sorter_run *run, const nb_table *rows,
             const uint32_t *ids, nb_error *err)
{
    int n_cols = s->schema->n_children;
    nb_arena *arena = nb_arena_new(NULL), *memory = nb_arena_new(NULL);
    nb_vector *cols = memory ? NB_ARENA_ARRAY(memory, nb_vector, n_cols) : NULL;
    int64_t step = nb_block_rows(rows, s->block_bytes);
    nb_strbuf bytes = {0};
    nb_row_index index;
    nb_status st = arena && cols ? NB_OK : NB_NOMEM;

    NB_TRY_GOTO(st, st, done);
    NB_TRY_GOTO(st, nb_row_index_init(memory, rows, &index), done);
    for (int64_t at = 0; at < rows->n_rows; at += step) {
        int64_t n = NB_MIN(step, rows->n_rows - at);

        nb_arena_reset(arena);
        NB_TRY_GOTO(st, nb_cancelled(s->ctx->cancel) ? NB_CANCELLED : NB_OK, done);
        NB_TRY_GOTO(st, nb_rows_gather(&index, NULL, n_cols - 1, ids + at, n, arena, cols), done);
        NB_TRY_GOTO(st, make_keys(s, &index, ids + at, cols, n, &bytes, arena, &cols[n_cols - 1]),
                    done);
        NB_TRY_GOTO(st, nb_sorter_write(s, w, run, cols, n, err), done);
    }
done:
    nb_strbuf_free(&bytes);
    nb_arena_free(arena);
    nb_arena_free(memory);
    return st;
}

nb_status
nb_sorter_add(nb_sorter *s, nb_chunk **chunks, int n, nb_error *err)
{
    nb_exec_ctx alone = *s->ctx;
    nb_pool *aside = nb_pool_new(NULL, "sort aside", 0), *used = s->pool;
    nb_table *rows = NULL;
    uint32_t *ids = NULL;
    sorter_run run = {0};
    nb_block_writer *writer;
    nb_status st = NB_NOMEM;

    alone.n_threads = 1; /* the others have work of their own */
    NB_TRY_GOTO(st, aside ? NB_OK : NB_NOMEM, done);
    NB_TRY_GOTO(st, nb_table_new(aside, s->spec.schema, &rows), done);
    for (int i = 0; i < n; i++) {
        NB_TRY_GOTO(st, nb_table_append(rows, chunks[i]), done);
        chunks[i] = NULL;
    }
    if (rows->n_rows == 0) {
        goto done;
    }
    st = nb_sort_rows(&alone, used, rows, s->spec.cols, s->spec.n_cols, s->spec.by_partition, &ids);
    if (st == NB_NOMEM) {
        used = aside;
        st = nb_sort_rows(&alone, used, rows, s->spec.cols, s->spec.n_cols, s->spec.by_partition,
                          &ids);
    }
    NB_TRY_GOTO(st, st, done);
    run.arena = nb_arena_new(s->pool);
    NB_TRY_GOTO(st, run.arena ? NB_OK : NB_NOMEM, done);
    writer = nb_block_files_take(s->files, &run.file);
    run.n_partitions = 1;
    for (int c = 0; c < rows->n_chunks; c++) {
        run.n_partitions = NB_MAX(run.n_partitions, rows->chunks[c]->partition + 1);
    }
    st = write_sorted(s, writer, &run, rows, ids, err);
    nb_block_files_give_back(s->files, run.file);
    NB_TRY_GOTO(st, st, done);
    st = nb_sorter_keep_run(s, &run);
done:
    nb_sorter_run_free(&run);
    if (ids != NULL) {
        nb_pool_dealloc(used, ids, (size_t)rows->n_rows * sizeof(uint32_t));
    }
    for (int i = 0; i < n; i++) {
        nb_chunk_free(chunks[i]);
        chunks[i] = NULL;
    }
    nb_table_release(rows);
    nb_pool_free(aside);
    return st;
}

/* ---- more runs than can be merged at once ---------------------------------------------------- */

typedef struct pass {
    nb_sorter *s;
    nb_block_files *files; /* of the runs that are made */
    int fan_in, n_groups;
    sorter_run *made; /* per group */
    atomic_int next, status;
    pthread_mutex_t lock; /* guards err */
    nb_error *err;
} pass;

/* What the builder has becomes a block of the run. */
static nb_status
write_merged(nb_sorter *s, nb_block_writer *writer, sorter_run *run, nb_chunk_builder *b,
             nb_error *err)
{
    nb_chunk *chunk;
    nb_status st;

    NB_TRY(nb_chunk_builder_finish(b, &chunk));
    if (chunk == NULL) {
        return NB_OK;
    }
    st = nb_sorter_write(s, writer, run, chunk->cols, chunk->n_rows, err);
    nb_chunk_free(chunk);
    return st;
}

static nb_status
merge_group(pass *p, int group, int file, nb_block_writer *writer, nb_arena *scratch,
            nb_vector *cols, nb_error *err)
{
    nb_sorter *s = p->s;
    sorter_run *run = &p->made[group];
    int from = group * p->fan_in, n = NB_MIN(p->fan_in, s->n_runs - from);
    nb_chunk_builder *rows = NULL;
    sorter_merge *m = NULL;
    int64_t k, step = 0;
    nb_status st;

    run->file = file;
    run->arena = nb_arena_new(s->pool);
    if (run->arena == NULL) {
        return NB_NOMEM;
    }
    for (int i = from; i < from + n; i++) {
        for (int b = 0; b < s->runs[i].n_blocks; b++) {
            step = NB_MAX(step, s->runs[i].blocks[b].ref.n_rows);
        }
    }
    NB_TRY_GOTO(st, nb_chunk_builder_new(s->pool, s->schema, &rows), done);
    NB_TRY_GOTO(st, nb_sorter_merge_new(s, s->runs + from, n, NB_STR(""), NB_STR(""), &m, err),
                done);
    for (;;) {
        nb_arena_reset(scratch);
        NB_TRY_GOTO(
            st, nb_cancelled(s->ctx->cancel) || atomic_load(&p->status) < 0 ? NB_CANCELLED : NB_OK,
            done);
        NB_TRY_GOTO(
            st, nb_sorter_merge_next(m, step - nb_chunk_builder_rows(rows), scratch, cols, &k, err),
            done);
        if (k == 0) {
            st = write_merged(s, writer, run, rows, err);
            break;
        }
        NB_TRY_GOTO(st, nb_chunk_builder_append_rows(rows, cols, NULL, k), done);
        if (nb_chunk_builder_rows(rows) >= step) {
            NB_TRY_GOTO(st, write_merged(s, writer, run, rows, err), done);
        }
    }
done:
    nb_sorter_merge_free(m);
    nb_chunk_builder_free(rows);
    return st;
}

static void
pass_main(void *payload, int thread)
{
    pass *p = payload;
    nb_arena *scratch = nb_arena_new(p->s->pool), *memory = nb_arena_new(p->s->pool);
    nb_vector *cols = memory ? NB_ARENA_ARRAY(memory, nb_vector, p->s->schema->n_children) : NULL;
    nb_error err = NB_ERROR_INIT;
    nb_status st = scratch && cols ? NB_OK : NB_NOMEM;
    int group, file;
    nb_block_writer *writer = nb_block_files_take(p->files, &file);

    (void)thread;
    while (st == NB_OK && (group = atomic_fetch_add(&p->next, 1)) < p->n_groups) {
        st = merge_group(p, group, file, writer, scratch, cols, &err);
    }
    nb_arena_free(scratch);
    nb_arena_free(memory);
    if (st < 0) {
        pthread_mutex_lock(&p->lock);
        if (atomic_load(&p->status) == NB_OK) {
            atomic_store(&p->status, st);
            nb_error_move(&err, p->err);
        }
        pthread_mutex_unlock(&p->lock);
    }
    nb_error_clear(&err);
}

nb_status
nb_sorter_merge_pass(nb_sorter *s, int fan_in, int n_threads, nb_error *err)
{
    pass p = {.s = s, .fan_in = fan_in, .err = err};
    nb_status st;

    p.n_groups = (s->n_runs + fan_in - 1) / fan_in;
    n_threads = NB_MIN(n_threads, p.n_groups);
    p.made = nb_arena_zalloc(s->arena, (size_t)p.n_groups * sizeof(sorter_run));
    p.files = NB_ARENA_NEW(s->arena, nb_block_files);
    if (p.made == NULL || p.files == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_block_files_init(p.files, s->arena, s->ctx->spill_dir, n_threads));
    pthread_mutex_init(&p.lock, NULL);
    nb_threads_run(n_threads, pass_main, &p);
    pthread_mutex_destroy(&p.lock);
    st = (nb_status)atomic_load(&p.status);
    if (st == NB_OK) {
        st = nb_block_files_end(p.files, err);
    }
    for (int i = 0; st == NB_OK && i < s->n_runs; i++) {
        nb_sorter_run_free(&s->runs[i]);
    }
    if (st == NB_OK) {
        s->n_runs = 0;
        s->widest = 0;
    }
    for (int g = 0; g < p.n_groups; g++) {
        if (st == NB_OK) {
            st = nb_sorter_keep_run(s, &p.made[g]);
        } else {
            nb_sorter_run_free(&p.made[g]);
        }
    }
    nb_block_files_free(st == NB_OK ? s->files : p.files);
    if (st == NB_OK) {
        s->files = p.files;
    }
    return st;
}
