/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c: Parquet files from batches.
 *
 *   PAR1 · row groups (per column: dictionary page, data pages; then bloom filters) · column and offset indexes · footer · its length · PAR1
 *
 * Columns are taken apart into leaves (shred.c), which encode their pages as these fill (column_write.c). A row group ends when its encoded bytes reach
 * parquet.block.size, or GROUP_ROWS rows, so that several threads find work in a file of few bytes per row.
 */
#include "io/parquet/block.h"
#include "io/parquet/bloom.h"
#include "io/parquet/footer.h"
#include "io/parquet/parquet.h"
#include "io/parquet/shred.h"

#define GROUP_ROWS ((int64_t)1 << 20)

struct nb_file_writer {
    nb_pool *pool;
    nb_arena *arena; /* until the footer is written */
    const nb_pq_write_options *options;
    nb_file *file;
    int64_t offset; /* bytes written */
    int n_columns;
    nb_pq_column_writer **columns; /* per leaf */
    int64_t n_rows;                /* of the current row group */
    nb_pq_footer footer;
    int cap_groups;
};

nb_status
nb_pq_write_open(nb_arena *arena, const nb_write_request *request, const nb_type *data_schema,
                 void **payload, const char **extension, nb_error *err)
{
    nb_pq_write_options *o;

    NB_TRY(nb_pq_write_options_read(arena, request, data_schema, &o, extension, err));
    *payload = o;
    return NB_OK;
}

static nb_status
put(struct nb_file_writer *fw, nb_str bytes, nb_error *err)
{
    NB_TRY(nb_file_write(fw->file, bytes.data, bytes.len, err));
    fw->offset += (int64_t)bytes.len;
    return NB_OK;
}

/* All but the file. */
static void
free_writer(struct nb_file_writer *fw)
{
    for (int c = 0; fw->columns && c < fw->n_columns; c++) {
        nb_pq_column_free(fw->columns[c]);
    }
    nb_arena_free(fw->arena);
}

nb_status
nb_pq_file_open(nb_pool *pool, const void *payload, const char *path, struct nb_file_writer **out,
                nb_error *err)
{
    const nb_pq_write_options *o = payload;
    nb_arena *arena = nb_arena_new(pool);
    struct nb_file_writer *fw = arena ? NB_ARENA_NEW(arena, struct nb_file_writer) : NULL;
    nb_status st;

    if (!fw) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    fw->pool = pool;
    fw->arena = arena;
    fw->options = o;
    fw->n_columns = o->schema.n_leaves;
    fw->columns =
        nb_arena_zalloc(arena, sizeof(nb_pq_column_writer *) * (size_t)(fw->n_columns + 1));
    st = fw->columns ? NB_OK : NB_NOMEM;
    for (int c = 0; c < fw->n_columns && st >= 0; c++) {
        st = nb_pq_column_new(pool, arena, &o->schema.leaves[c], o, &fw->columns[c]);
    }
    if (st >= 0) {
        st = nb_file_create(pool, path, &fw->file, err);
    }
    if (st >= 0) {
        st = put(fw, NB_STR("PAR1"), err);
    }
    if (st < 0) {
        nb_pq_file_abort(fw);
        return st;
    }
    *out = fw;
    return NB_OK;
}

static nb_status
put_bloom(struct nb_file_writer *fw, nb_pq_footer_chunk *c, nb_error *err)
{
    const nb_pq_write_options *o = fw->options;
    int64_t n = nb_pq_bloom_bytes(c->chunk.n_hashes, o->bloom_fpp, o->bloom_max_bytes);
    uint8_t *filter = nb_pool_zalloc(fw->pool, (size_t)n);
    nb_strbuf head = {0};
    nb_status st = filter ? NB_OK : NB_NOMEM;

    if (st >= 0) {
        for (int64_t i = 0; i < c->chunk.n_hashes; i++) {
            nb_pq_bloom_add(filter, n, c->chunk.hashes[i]);
        }
        nb_pq_bloom_put_header(&head, n);
        c->bloom_offset = fw->offset;
        c->bloom_bytes = (int64_t)head.len + n;
        st = head.failed ? NB_NOMEM : put(fw, nb_strbuf_str(&head), err);
    }
    if (st >= 0) {
        st = put(fw, (nb_str){(char *)filter, (size_t)n}, err);
    }
    if (filter) {
        nb_pool_dealloc(fw->pool, filter, (size_t)n);
    }
    nb_strbuf_free(&head);
    return st;
}

nb_status
nb_pq_file_flush(struct nb_file_writer *fw, nb_error *err)
{
    nb_pq_footer *f = &fw->footer;
    nb_pq_footer_group *groups, *g;

    if (fw->n_rows == 0) {
        return NB_OK;
    }
    groups = nb_arena_grow(fw->arena, f->groups, f->n_groups, &fw->cap_groups, sizeof *groups);
    if (!groups) {
        return NB_NOMEM;
    }
    f->groups = groups;
    g = &groups[f->n_groups];
    *g = (nb_pq_footer_group){.n_rows = fw->n_rows, .offset = fw->offset};
    g->chunks =
        nb_arena_zalloc(fw->arena, sizeof(nb_pq_footer_chunk) * (size_t)(fw->n_columns + 1));
    if (!g->chunks) {
        return NB_NOMEM;
    }
    for (int c = 0; c < fw->n_columns; c++) {
        nb_pq_footer_chunk *k = &g->chunks[c];
        NB_TRY(nb_pq_column_finish(fw->columns[c], fw->arena, &k->chunk, err));
        k->dictionary_offset = fw->offset;
        NB_TRY(put(fw, k->chunk.dictionary_page, err));
        k->data_offset = fw->offset;
        NB_TRY(put(fw, k->chunk.data_pages, err));
    }
    for (int c = 0; c < fw->n_columns; c++) {
        nb_pq_footer_chunk *k = &g->chunks[c];
        if (fw->options->bloom[c] && k->chunk.n_hashes > 0) {
            NB_TRY(put_bloom(fw, k, err));
        }
        nb_pq_column_reset(fw->columns[c]);
    }
    f->n_groups++;
    f->n_rows += fw->n_rows;
    fw->n_rows = 0;
    return NB_OK;
}

size_t
nb_pq_file_bytes(const struct nb_file_writer *fw)
{
    size_t bytes = 0;

    for (int c = 0; c < fw->n_columns && fw->n_rows > 0; c++) {
        bytes += nb_pq_column_bytes(fw->columns[c]);
    }
    return bytes;
}

nb_status
nb_pq_file_push(struct nb_file_writer *fw, const nb_vector *const *cols, int64_t n,
                nb_arena *scratch, nb_error *err)
{
    const nb_pq_out_schema *schema = &fw->options->schema;

    for (int i = 0; i < schema->n_fields; i++) {
        NB_TRY(nb_pq_shred(schema, &schema->fields[i], fw->columns, scratch, cols[i], n, err));
    }
    fw->n_rows += n;
    return nb_pq_file_bytes(fw) >= (size_t)fw->options->group_bytes || fw->n_rows >= GROUP_ROWS
               ? nb_pq_file_flush(fw, err)
               : NB_OK;
}

/* The indexes of all chunks: of the pages' bounds, then of their places. */
static nb_status
put_indexes(struct nb_file_writer *fw, nb_error *err)
{
    nb_pq_footer *f = &fw->footer;
    nb_strbuf b = {0};
    nb_status st = NB_OK;

    for (int pass = 0; pass < 2; pass++) {
        for (int g = 0; g < f->n_groups; g++) {
            for (int c = 0; c < fw->n_columns && st >= 0; c++) {
                nb_pq_footer_chunk *k = &f->groups[g].chunks[c];
                if (pass == 0 && !k->chunk.has_index) {
                    continue;
                }
                b.len = 0;
                if (pass == 0) {
                    nb_pq_put_column_index(&b, &k->chunk);
                    k->column_index_offset = fw->offset;
                    k->column_index_bytes = (int64_t)b.len;
                } else {
                    nb_pq_put_offset_index(&b, k);
                    k->offset_index_offset = fw->offset;
                    k->offset_index_bytes = (int64_t)b.len;
                }
                st = b.failed ? NB_NOMEM : put(fw, nb_strbuf_str(&b), err);
            }
        }
    }
    nb_strbuf_free(&b);
    return st;
}

static nb_status
put_footer(struct nb_file_writer *fw, nb_error *err)
{
    nb_strbuf b = {0};
    uint32_t n;
    nb_status st;

    nb_pq_put_footer(&b, fw->options, &fw->footer);
    n = (uint32_t)b.len;
    nb_strbuf_add(&b, (nb_str){(char *)&n, 4});
    nb_strbuf_adds(&b, "PAR1");
    st = b.failed ? NB_NOMEM : put(fw, nb_strbuf_str(&b), err);
    nb_strbuf_free(&b);
    return st;
}

nb_status
nb_pq_file_close(struct nb_file_writer *fw, nb_error *err)
{
    nb_status st = nb_pq_file_flush(fw, err);
    nb_file *file = fw->file;

    if (st >= 0) {
        st = put_indexes(fw, err);
    }
    if (st >= 0) {
        st = put_footer(fw, err);
    }
    if (st < 0) {
        nb_pq_file_abort(fw);
        return st;
    }
    free_writer(fw);
    return nb_file_finish(file, err);
}

void
nb_pq_file_abort(struct nb_file_writer *fw)
{
    nb_file_close(fw->file);
    free_writer(fw);
}
