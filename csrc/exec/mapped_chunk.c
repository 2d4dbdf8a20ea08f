/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapped_chunk.c: writes chunks as they lie in memory, and maps them.
 *
 * Where the file will be mapped is reserved first, so that the string views in it can be written with their final pointers. Writing goes through
 * write(), which tells when the disk is full; a mapping would not. Every array begins at a multiple of 64 bytes, every chunk at a page; the
 * bytes of strings follow their views.
 */
#include "exec/mapped_chunk.h"

#include <sys/mman.h>
#include "exec/operators.h"
#include "exec/spill_file.h"

#define PAGE       ((size_t)4096)
#define VIEW_BATCH 1024
/* What is being read of a chunk is in memory as a whole. */
#define PIECE_BYTES ((size_t)4 << 20)

static const char ZEROS[64];

typedef struct mapping {
    nb_pool *pool;
    void *start;
    size_t n_bytes;
} mapping;

typedef struct writer {
    nb_spill_file *file;
    char *start; /* where it will be mapped */
    nb_arena *arena;
} writer;

/* ---- size ------------------------------------------------------------------------------------ */

static size_t
bytes_of(const nb_vector *v)
{
    nb_phys phys = nb_type_storage(v->type)->phys;
    int64_t n = v->n_rows;
    size_t total = v->validity ? NB_ALIGN_UP(NB_BITMAP_BYTES(n), 64) : 0;

    NB_ASSERT(v->kind == NB_VEC_FLAT);
    total += NB_ALIGN_UP((size_t)n * (size_t)nb_phys_width(phys), 64);
    for (int64_t i = 0; phys == NB_PHYS_STRING && i < n; i++) {
        const nb_view *s = NB_DATA(nb_view, v) + i;

        total += s->len > NB_VIEW_INLINE ? s->len : 0;
    }
    for (int c = 0; c < v->n_children; c++) {
        total += bytes_of(&v->children[c]);
    }
    return NB_ALIGN_UP(total, 64);
}

/* ---- writing --------------------------------------------------------------------------------- */

static nb_status
fill_up(writer *w, nb_error *err)
{
    size_t at = (size_t)nb_spill_file_size(w->file);

    return nb_spill_file_write(w->file, ZEROS, NB_ALIGN_UP(at, 64) - at, err);
}

static nb_status
write_array(writer *w, const void *p, size_t n, void **at, nb_error *err)
{
    *at = w->start + nb_spill_file_size(w->file);
    if (n > 0) {
        NB_TRY(nb_spill_file_write(w->file, p, n, err));
    }
    return fill_up(w, err);
}

static nb_status
write_strings(writer *w, const nb_vector *v, void **at, nb_error *err)
{
    const nb_view *views = v->data;
    size_t room = NB_ALIGN_UP((size_t)v->n_rows * sizeof(nb_view), 64);
    const char *heap = w->start + nb_spill_file_size(w->file) + room;

    *at = w->start + nb_spill_file_size(w->file);
    for (int64_t from = 0; from < v->n_rows; from += VIEW_BATCH) {
        int64_t n = NB_MIN(v->n_rows - from, VIEW_BATCH);
        nb_view moved[VIEW_BATCH];

        for (int64_t i = 0; i < n; i++) {
            moved[i] = views[from + i];
            if (moved[i].len > NB_VIEW_INLINE) {
                moved[i].ptr = heap;
                heap += moved[i].len;
            }
        }
        NB_TRY(nb_spill_file_write(w->file, moved, (size_t)n * sizeof(nb_view), err));
    }
    NB_TRY(fill_up(w, err));
    for (int64_t i = 0; i < v->n_rows; i++) {
        if (views[i].len > NB_VIEW_INLINE) {
            NB_TRY(nb_spill_file_write(w->file, views[i].ptr, views[i].len, err));
        }
    }
    return fill_up(w, err);
}

static nb_status
write_vector(writer *w, const nb_vector *v, nb_vector *out, nb_error *err)
{
    nb_phys phys = nb_type_storage(v->type)->phys;
    size_t n_bytes = (size_t)v->n_rows * (size_t)nb_phys_width(phys);
    void *at;

    *out = (nb_vector){.type = v->type, .kind = NB_VEC_FLAT, .n_rows = v->n_rows};
    if (v->validity != NULL) {
        NB_TRY(write_array(w, v->validity, NB_BITMAP_BYTES(v->n_rows), &at, err));
        out->validity = at;
    }
    if (phys == NB_PHYS_STRING) {
        NB_TRY(write_strings(w, v, &out->data, err));
    } else if (n_bytes > 0) {
        NB_TRY(write_array(w, v->data, n_bytes, &out->data, err));
    }
    if (v->n_children > 0) {
        out->n_children = v->n_children;
        out->children = NB_ARENA_ARRAY(w->arena, nb_vector, v->n_children);
        if (out->children == NULL) {
            return NB_NOMEM;
        }
    }
    for (int c = 0; c < v->n_children; c++) {
        NB_TRY(write_vector(w, &v->children[c], &out->children[c], err));
    }
    return NB_OK;
}

/* ---- mapping --------------------------------------------------------------------------------- */

static void
unmap(void *payload)
{
    mapping *m = payload;

    munmap(m->start, m->n_bytes);
    nb_pool_dealloc(m->pool, m, sizeof(*m));
}

static nb_status
reserve(nb_pool *pool, size_t n_bytes, nb_buffer **out)
{
    mapping *m = nb_pool_alloc(pool, sizeof(*m));

    if (m == NULL) {
        return NB_NOMEM;
    }
    *m = (mapping){pool, NULL, n_bytes};
    m->start = mmap(NULL, n_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m->start == MAP_FAILED || nb_buffer_wrap(m->start, n_bytes, unmap, m, out) < 0) {
        if (m->start != MAP_FAILED) {
            munmap(m->start, n_bytes);
        }
        nb_pool_dealloc(pool, m, sizeof(*m));
        return NB_NOMEM;
    }
    return NB_OK;
}

/* The next chunk goes to the end of the file. */
static nb_status
write_chunk(writer *w, nb_pool *pool, const nb_type *schema, const nb_chunk *chunk, nb_buffer *keep,
            nb_chunk **out, nb_error *err)
{
    int64_t from = nb_spill_file_size(w->file), end;
    nb_chunk *copy;
    nb_status st;

    NB_TRY(nb_chunk_new(pool, schema->n_children, &copy));
    w->arena = copy->arena;
    NB_TRY_GOTO(st, nb_chunk_keep(copy, keep), fail);
    for (int c = 0; c < schema->n_children; c++) {
        NB_TRY_GOTO(st, write_vector(w, &chunk->cols[c], &copy->cols[c], err), fail);
    }
    end = nb_spill_file_size(w->file);
    for (int64_t at = end; at % (int64_t)PAGE != 0; at += 64) {
        NB_TRY_GOTO(st, nb_spill_file_write(w->file, ZEROS, 64, err), fail);
    }
    copy->n_rows = chunk->n_rows;
    copy->order = chunk->order;
    copy->partition = chunk->partition;
    copy->mapped = w->start + from;
    copy->mapped_bytes = NB_ALIGN_UP((size_t)(end - from), PAGE);
    *out = copy;
    return NB_OK;
fail:
    nb_chunk_free(copy);
    return st;
}

nb_status
nb_mapped_chunks_new(nb_pool *pool, nb_str dir, nb_node *node, const nb_type *schema,
                     nb_chunk **chunks, int n, nb_error *err)
{
    writer w = {0};
    nb_arena *arena = nb_arena_new(pool);
    nb_chunk **copies = arena ? nb_arena_zalloc(arena, (size_t)(n + 1) * sizeof(nb_chunk *)) : NULL;
    nb_buffer *keep = NULL;
    size_t n_bytes = PAGE;
    nb_status st = copies ? NB_OK : NB_NOMEM;

    NB_TRY_GOTO(st, st, done);
    for (int i = 0; i < n; i++) {
        for (int c = 0; c < schema->n_children; c++) {
            n_bytes += bytes_of(&chunks[i]->cols[c]);
        }
        n_bytes = NB_ALIGN_UP(n_bytes, PAGE);
    }
    NB_TRY_GOTO(st, reserve(pool, n_bytes, &keep), done);
    w.start = (char *)keep->data;
    NB_TRY_GOTO(st, nb_spill_file_new(dir, &w.file, err), done);
    for (int i = 0; i < n; i++) {
        NB_TRY_GOTO(st, write_chunk(&w, pool, schema, chunks[i], keep, &copies[i], err), done);
    }
    NB_TRY_GOTO(st, nb_spill_file_finish(w.file, err), done);
    NB_ASSERT((size_t)nb_spill_file_size(w.file) <= n_bytes);
    NB_TRY_GOTO(st, nb_spill_file_map(w.file, keep->data, n_bytes, err), done);
    nb_metrics_spilled(node, nb_spill_file_size(w.file));
    for (int i = 0; i < n; i++) {
        nb_chunk *copy = copies[i];

        copies[i] = chunks[i]; /* goes */
        chunks[i] = copy;
    }
done:
    for (int i = 0; copies != NULL && i < n; i++) {
        nb_chunk_free(copies[i]);
    }
    nb_buffer_release(keep);
    nb_spill_file_free(w.file); /* the mapping holds it */
    nb_arena_free(arena);
    return st;
}

/* ---- the overflow of a collect --------------------------------------------------------------- */

typedef struct mapped_rows {
    const nb_exec_ctx *ctx;
    const nb_type *schema;
    nb_node *node;
} mapped_rows;

static nb_status
take(void *payload, nb_chunk **chunks, int n, nb_error *err)
{
    const mapped_rows *r = payload;

    if (nb_cancelled(r->ctx->cancel)) {
        return NB_CANCELLED;
    }
    return n ? nb_mapped_chunks_new(r->ctx->pool, r->ctx->spill_dir, r->node, r->schema, chunks, n,
                                    err)
             : NB_OK;
}

nb_status
nb_collect_mapped(nb_run *run, nb_operator *collect, nb_node *node, const nb_type *schema)
{
    mapped_rows *r = NB_ARENA_NEW(nb_run_arena(run), mapped_rows);

    if (r == NULL) {
        return NB_NOMEM;
    }
    *r = (mapped_rows){nb_run_ctx(run), schema, node};
    nb_collect_on_overflow(collect,
                           (nb_overflow){.take = take, .payload = r, .piece_bytes = PIECE_BYTES});
    return NB_OK;
}
