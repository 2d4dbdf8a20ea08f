/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c: Parquet files as a source: a morsel is a row group.
 *
 * A thread reads the wanted column chunks of a row group, decodes them whole, and passes them on in slices. A row group belongs to the split
 * of the file in which it begins, as in Spark.
 */
#include "io/parquet/decode.h"
#include "io/parquet/parquet.h"

typedef struct group_ref {
    int file, group;
    int32_t partition;
} group_ref;

typedef struct pq_source {
    nb_source base;
    nb_relation *rel;
    nb_arena *arena;
    group_ref *groups;
    int64_t n_groups;
    atomic_llong next_group;
    const int *source_of; /* per column: position in data_schema, < 0: ~partition column */
    int **file_columns;   /* per file and column: position in the file, -1 = absent there */
    int n_columns;
} pq_source;

typedef struct pq_local {
    nb_pool *pool;
    nb_arena *arena; /* the current row group's vectors */
    nb_vector *cols;
    int64_t group, at, n_rows;
} pq_local;

static nb_status
open_local(nb_source *src, nb_pool *pool, void **out, nb_error *err)
{
    pq_source *s = (pq_source *)src;
    pq_local *l = nb_pool_zalloc(pool, sizeof *l);

    (void)err;
    if (!l) {
        return NB_NOMEM;
    }
    l->pool = pool;
    *out = l;
    l->arena = nb_arena_new(pool);
    l->cols = nb_pool_zalloc(pool, sizeof(nb_vector) * (size_t)(s->n_columns + 1));
    return l->arena && l->cols ? NB_OK : NB_NOMEM;
}

static void
close_local(nb_source *src, void *local)
{
    pq_source *s = (pq_source *)src;
    pq_local *l = local;

    nb_arena_free(l->arena);
    if (l->cols) {
        nb_pool_dealloc(l->pool, l->cols, sizeof(nb_vector) * (size_t)(s->n_columns + 1));
    }
    nb_pool_dealloc(l->pool, l, sizeof *l);
}

static nb_status
load_column(pq_source *s, pq_local *l, nb_file *file, const nb_pq_meta *meta, const nb_pq_group *g,
            int at, const nb_type *want, nb_vector *out, nb_error *err)
{
    const nb_pq_column *c = &meta->columns[at];
    const nb_pq_chunk *chunk = &g->chunks[at];
    uint8_t *bytes;
    size_t got;

    if (!c->type) {
        return nb_raise_unsupported(err, "The Parquet column %.*s of this type", (int)c->name.len,
                                    c->name.data);
    }
    bytes = nb_arena_alloc64(l->arena, (size_t)chunk->n_bytes + 64);
    if (!bytes) {
        return NB_NOMEM;
    }
    NB_TRY(nb_file_read_at(file, chunk->offset, bytes, (size_t)chunk->n_bytes, &got, err));
    if (got != (size_t)chunk->n_bytes) {
        return nb_pq_damaged(nb_file_path(file), "it is cut off", err);
    }
    atomic_fetch_add_explicit(&s->base.bytes_read, chunk->n_bytes, memory_order_relaxed);
    NB_TRY(nb_pq_decode(c, chunk, bytes, g->n_rows, nb_file_path(file), l->arena, out, err));
    if (out->type != want) {
        if (nb_type_storage(out->type)->phys == nb_type_storage(want)->phys &&
            out->type->id != NB_TYPE_DECIMAL) {
            out->type = want; /* the user's schema names the same layout otherwise */
        } else {
            return nb_raise(err, NB_COND_FAILED_READ_FILE, "path", nb_file_path(file), NULL);
        }
    }
    return NB_OK;
}

static nb_status
load_group(pq_source *s, pq_local *l, nb_error *err)
{
    const group_ref *ref = &s->groups[l->group];
    const nb_pq_relation *p = s->rel->payload;
    const nb_pq_meta *meta = p->metas[ref->file];
    const nb_pq_group *g = &meta->groups[ref->group];
    nb_file *file = NULL;
    nb_status st = NB_OK;

    nb_arena_reset(l->arena);
    l->n_rows = g->n_rows;
    l->at = 0;
    for (int j = 0; j < s->n_columns && st >= 0; j++) {
        const nb_type *want = s->base.schema->children[j].type;
        int at = s->source_of[j] < 0 ? -1 : s->file_columns[ref->file][j];
        if (s->source_of[j] < 0) {
            nb_relation_partition_column(s->rel, ref->file, ~s->source_of[j], g->n_rows,
                                         &l->cols[j]);
        } else if (at < 0) {
            st = nb_vector_const_null(l->arena, want, g->n_rows, &l->cols[j]);
        } else {
            if (!file) {
                st = nb_file_open(l->pool, s->rel->files.files[ref->file].path.data, &file, err);
            }
            if (st >= 0) {
                st = load_column(s, l, file, meta, g, at, want, &l->cols[j], err);
            }
        }
    }
    nb_file_close(file);
    return st;
}

static nb_status
next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    pq_source *s = (pq_source *)src;
    pq_local *l = local;
    int64_t n;

    while (l->at >= l->n_rows) {
        if (nb_cancelled(s->base.cancel)) {
            return NB_CANCELLED;
        }
        l->group = atomic_fetch_add(&s->next_group, 1);
        if (l->group >= s->n_groups) {
            return NB_DONE;
        }
        NB_TRY(load_group(s, l, err));
    }
    n = NB_MIN(l->n_rows - l->at, NB_BATCH_ROWS);
    NB_TRY(nb_batch_init(scratch, s->n_columns, n, out));
    for (int j = 0; j < s->n_columns; j++) {
        NB_TRY(nb_vector_slice(scratch, &l->cols[j], l->at, n, &out->cols[j]));
    }
    out->order = (uint64_t)l->group;
    out->partition = s->groups[l->group].partition;
    l->at += n;
    atomic_fetch_add_explicit(&src->rows_read, n, memory_order_relaxed);
    return NB_OK;
}

static void
free_source(nb_source *src)
{
    pq_source *s = (pq_source *)src;
    nb_relation *rel = s->rel;

    nb_arena_free(s->arena);
    nb_relation_release(rel);
}

static const nb_source_ops PARQUET_SOURCE = {.name = "parquet",
                                             .open_local = open_local,
                                             .next = next,
                                             .close_local = close_local,
                                             .free = free_source};

static bool
is_splittable(const nb_relation *rel, int file)
{
    (void)rel;
    (void)file;
    return true;
}

/* Row groups in the order of their splits. */
static nb_status
list_groups(pq_source *s, const nb_file_split *splits, int n_splits)
{
    const nb_pq_relation *p = s->rel->payload;
    int64_t total = 0;

    for (int f = 0; f < s->rel->files.n_files; f++) {
        total += p->metas[f]->n_groups;
    }
    s->groups = NB_ARENA_ARRAY(s->arena, group_ref, total + 1);
    if (!s->groups) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_splits; i++) {
        const nb_pq_meta *m = p->metas[splits[i].file];
        for (int g = 0; g < m->n_groups; g++) {
            /* by the middle, as parquet-mr does, so that a group's bytes lie mostly in its split */
            int64_t bytes = 0, middle;
            for (int c = 0; c < m->n_columns; c++) {
                bytes += m->groups[g].chunks[c].n_bytes;
            }
            middle = m->groups[g].offset + bytes / 2;
            if (middle >= splits[i].from && middle < splits[i].to && s->n_groups < total) {
                s->groups[s->n_groups++] = (group_ref){splits[i].file, g, splits[i].partition};
            }
        }
    }
    return NB_OK;
}

static nb_status
map_columns(pq_source *s)
{
    const nb_pq_relation *p = s->rel->payload;

    s->file_columns = NB_ARENA_ARRAY(s->arena, int *, s->rel->files.n_files + 1);
    if (!s->file_columns) {
        return NB_NOMEM;
    }
    for (int f = 0; f < s->rel->files.n_files; f++) {
        const nb_pq_meta *m = p->metas[f];
        s->file_columns[f] = NB_ARENA_ARRAY(s->arena, int, s->n_columns + 1);
        if (!s->file_columns[f]) {
            return NB_NOMEM;
        }
        for (int j = 0; j < s->n_columns; j++) {
            int found =
                -1; /* a name that is equal to the letter wins over one that differs in case */
            for (int c = 0; c < m->n_columns && s->source_of[j] >= 0; c++) {
                nb_str want = s->rel->data_schema->children[s->source_of[j]].name;
                if (nb_str_equal_nocase(m->columns[c].name, want) &&
                    (found < 0 || nb_str_equal(m->columns[c].name, want))) {
                    found = c;
                }
            }
            s->file_columns[f][j] = found;
        }
    }
    return NB_OK;
}

nb_status
nb_pq_scan(nb_relation *rel, nb_pool *pool, const nb_scan_request *request, nb_source **out,
           nb_error *err)
{
    nb_arena *arena = nb_arena_new(pool);
    pq_source *s = arena ? NB_ARENA_NEW(arena, pq_source) : NULL;
    nb_field *fields = s ? NB_ARENA_ARRAY(arena, nb_field, request->n_columns + 1) : NULL;
    int *source_of = s ? NB_ARENA_ARRAY(arena, int, request->n_columns + 1) : NULL;
    nb_file_split *splits;
    int n_splits;
    nb_status st = NB_NOMEM;

    (void)err;
    if (fields && source_of) {
        s->base.ops = &PARQUET_SOURCE;
        s->base.cancel = request->cancel;
        s->rel = rel;
        s->arena = arena;
        s->n_columns = request->n_columns;
        s->source_of = source_of;
        for (int j = 0; j < request->n_columns; j++) {
            fields[j] = rel->schema->children[request->columns[j]];
            source_of[j] = rel->source_of[request->columns[j]];
        }
        s->base.schema = nb_type_struct(fields, request->n_columns);
        st = s->base.schema
                 ? nb_relation_splits(rel, arena, request->info, request->n_threads, is_splittable,
                                      INT64_MAX, &splits, &n_splits, &s->base.n_partitions)
                 : NB_NOMEM;
    }
    if (st >= 0) {
        st = list_groups(s, splits, n_splits);
    }
    if (st >= 0) {
        st = map_columns(s);
    }
    if (st < 0) {
        nb_arena_free(arena);
        return st;
    }
    nb_relation_ref(rel);
    *out = &s->base;
    return NB_OK;
}
