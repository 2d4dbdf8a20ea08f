/* SPDX-License-Identifier: Apache-2.0 */
/*
 * footer.c: see footer.h. Field numbers are those of parquet.thrift.
 */
#include "io/parquet/footer.h"

#include "io/parquet/meta.h"
#include "io/parquet/spark_schema.h"
#include "io/parquet/thrift.h"

static void
put_binary(nb_strbuf *b, nb_str s)
{
    nb_thrift_put_varint(b, s.len);
    nb_strbuf_add(b, s.data ? s : NB_STR(""));
}

void
nb_pq_put_column_index(nb_strbuf *b, const nb_pq_written_chunk *k)
{
    int last = 0;
    size_t n = (size_t)k->n_pages;

    nb_thrift_put_list(b, &last, 1, NB_T_TRUE, n);
    for (size_t i = 0; i < n; i++) {
        nb_strbuf_addc(b, k->pages[i].is_null ? NB_T_TRUE : NB_T_FALSE);
    }
    nb_thrift_put_list(b, &last, 2, NB_T_BINARY, n);
    for (size_t i = 0; i < n; i++) {
        put_binary(b, k->pages[i].low.bytes);
    }
    nb_thrift_put_list(b, &last, 3, NB_T_BINARY, n);
    for (size_t i = 0; i < n; i++) {
        put_binary(b, k->pages[i].high.bytes);
    }
    nb_thrift_put_int(b, &last, 4, NB_T_I32, k->order);
    nb_thrift_put_list(b, &last, 5, NB_T_I64, n);
    for (size_t i = 0; i < n; i++) {
        nb_thrift_put_zigzag(b, k->pages[i].n_nulls);
    }
    nb_thrift_put_stop(b);
}

void
nb_pq_put_offset_index(nb_strbuf *b, const nb_pq_footer_chunk *k)
{
    int last = 0;

    nb_thrift_put_list(b, &last, 1, NB_T_STRUCT, (size_t)k->chunk.n_pages);
    for (int i = 0; i < k->chunk.n_pages; i++) {
        const nb_pq_written_page *p = &k->chunk.pages[i];
        int inner = 0;
        nb_thrift_put_int(b, &inner, 1, NB_T_I64, k->data_offset + p->offset);
        nb_thrift_put_int(b, &inner, 2, NB_T_I32, p->size);
        nb_thrift_put_int(b, &inner, 3, NB_T_I64, p->first_row);
        nb_thrift_put_stop(b);
    }
    nb_thrift_put_stop(b);
}

static void
put_bool(nb_strbuf *b, int *last, int id, bool v)
{
    nb_thrift_put_field(b, last, id, v ? NB_T_TRUE : NB_T_FALSE);
}

static void
put_statistics(nb_strbuf *b, const nb_pq_written_chunk *k)
{
    int last = 0;

    nb_thrift_put_int(b, &last, 3, NB_T_I64, k->n_nulls);
    if (k->high.bytes.data) {
        nb_thrift_put_binary(b, &last, 5, k->high.bytes);
    }
    if (k->low.bytes.data) {
        nb_thrift_put_binary(b, &last, 6, k->low.bytes);
    }
    if (k->high.bytes.data) {
        put_bool(b, &last, 7, k->high.exact);
    }
    if (k->low.bytes.data) {
        put_bool(b, &last, 8, k->low.exact);
    }
    nb_thrift_put_stop(b);
}

static void
put_page_count(nb_strbuf *b, int page, int encoding, int n)
{
    int last = 0;

    nb_thrift_put_int(b, &last, 1, NB_T_I32, page);
    nb_thrift_put_int(b, &last, 2, NB_T_I32, encoding);
    nb_thrift_put_int(b, &last, 3, NB_T_I32, n);
    nb_thrift_put_stop(b);
}

static int64_t
compressed(const nb_pq_written_chunk *k)
{
    return (int64_t)(k->dictionary_page.len + k->data_pages.len);
}

static void
put_column_meta(nb_strbuf *b, const nb_pq_write_options *o, const nb_pq_out_leaf *leaf,
                const nb_pq_footer_chunk *c)
{
    const nb_pq_written_chunk *k = &c->chunk;
    bool coded = k->n_coded_pages > 0, plain = k->n_plain_pages > 0;
    int last = 0;

    nb_thrift_put_int(b, &last, 1, NB_T_I32, leaf->physical);
    nb_thrift_put_list(b, &last, 2, NB_T_I32, 1 + (size_t)coded + (plain || coded));
    if (plain || coded) { /* the dictionary's entries are plain */
        nb_thrift_put_zigzag(b, NB_PQ_PLAIN);
    }
    nb_thrift_put_zigzag(b, NB_PQ_RLE);
    if (coded) {
        nb_thrift_put_zigzag(b, NB_PQ_RLE_DICTIONARY);
    }
    nb_thrift_put_list(b, &last, 3, NB_T_BINARY, (size_t)leaf->n_path);
    for (int i = 0; i < leaf->n_path; i++) {
        put_binary(b, leaf->path[i]);
    }
    nb_thrift_put_int(b, &last, 4, NB_T_I32, o->codec);
    nb_thrift_put_int(b, &last, 5, NB_T_I64, k->n_values);
    nb_thrift_put_int(b, &last, 6, NB_T_I64, k->uncompressed);
    nb_thrift_put_int(b, &last, 7, NB_T_I64, compressed(k));
    nb_thrift_put_int(b, &last, 9, NB_T_I64, c->data_offset);
    if (coded) {
        nb_thrift_put_int(b, &last, 11, NB_T_I64, c->dictionary_offset);
    }
    nb_thrift_put_field(b, &last, 12, NB_T_STRUCT);
    put_statistics(b, k);
    nb_thrift_put_list(b, &last, 13, NB_T_STRUCT, 2 * (size_t)coded + (size_t)plain);
    if (coded) {
        put_page_count(b, NB_PQ_DICTIONARY_PAGE, NB_PQ_PLAIN, 1);
        put_page_count(b, NB_PQ_DATA_PAGE, NB_PQ_RLE_DICTIONARY, k->n_coded_pages);
    }
    if (plain) {
        put_page_count(b, NB_PQ_DATA_PAGE, NB_PQ_PLAIN, k->n_plain_pages);
    }
    if (c->bloom_bytes) {
        nb_thrift_put_int(b, &last, 14, NB_T_I64, c->bloom_offset);
        nb_thrift_put_int(b, &last, 15, NB_T_I32, c->bloom_bytes);
    }
    nb_thrift_put_stop(b);
}

static void
put_chunk(nb_strbuf *b, const nb_pq_write_options *o, const nb_pq_out_leaf *leaf,
          const nb_pq_footer_chunk *c)
{
    int last = 0;

    nb_thrift_put_int(b, &last, 2, NB_T_I64,
                      c->chunk.n_coded_pages ? c->dictionary_offset : c->data_offset);
    nb_thrift_put_field(b, &last, 3, NB_T_STRUCT);
    put_column_meta(b, o, leaf, c);
    nb_thrift_put_int(b, &last, 4, NB_T_I64, c->offset_index_offset);
    nb_thrift_put_int(b, &last, 5, NB_T_I32, c->offset_index_bytes);
    if (c->column_index_bytes) {
        nb_thrift_put_int(b, &last, 6, NB_T_I64, c->column_index_offset);
        nb_thrift_put_int(b, &last, 7, NB_T_I32, c->column_index_bytes);
    }
    nb_thrift_put_stop(b);
}

static void
put_group(nb_strbuf *b, const nb_pq_write_options *o, const nb_pq_footer_group *g, int ordinal)
{
    int n = o->schema.n_leaves, last = 0;
    int64_t whole = 0, stored = 0;

    nb_thrift_put_list(b, &last, 1, NB_T_STRUCT, (size_t)n);
    for (int c = 0; c < n; c++) {
        put_chunk(b, o, &o->schema.leaves[c], &g->chunks[c]);
        whole += g->chunks[c].chunk.uncompressed;
        stored += compressed(&g->chunks[c].chunk);
    }
    nb_thrift_put_int(b, &last, 2, NB_T_I64, whole);
    nb_thrift_put_int(b, &last, 3, NB_T_I64, g->n_rows);
    nb_thrift_put_int(b, &last, 5, NB_T_I64, g->offset);
    nb_thrift_put_int(b, &last, 6, NB_T_I64, stored);
    if (ordinal <= INT16_MAX) {
        nb_thrift_put_int(b, &last, 7, NB_T_I16, ordinal);
    }
    nb_thrift_put_stop(b);
}

static void
put_key(nb_strbuf *b, nb_str key, nb_str value)
{
    int last = 0;

    nb_thrift_put_binary(b, &last, 1, key);
    nb_thrift_put_binary(b, &last, 2, value);
    nb_thrift_put_stop(b);
}

void
nb_pq_put_footer(nb_strbuf *b, const nb_pq_write_options *o, const nb_pq_footer *f)
{
    nb_strbuf json = {0};
    int last = 0, n = o->schema.n_leaves;

    nb_thrift_put_int(b, &last, 1, NB_T_I32, 1);
    nb_thrift_put_list(b, &last, 2, NB_T_STRUCT, (size_t)o->schema.n_elements);
    nb_strbuf_add(b, o->schema.elements);
    nb_thrift_put_int(b, &last, 3, NB_T_I64, f->n_rows);
    nb_thrift_put_list(b, &last, 4, NB_T_STRUCT, (size_t)f->n_groups);
    for (int g = 0; g < f->n_groups; g++) {
        put_group(b, o, &f->groups[g], g);
    }
    nb_thrift_put_list(b, &last, 5, NB_T_STRUCT, 2);
    put_key(b, NB_STR("org.apache.spark.version"), NB_STR("4.2.0"));
    nb_pq_spark_json(&json, o->type);
    put_key(b, NB_STR("org.apache.spark.sql.parquet.row.metadata"), nb_strbuf_str(&json));
    b->failed |= json.failed;
    nb_strbuf_free(&json);
    nb_thrift_put_binary(b, &last, 6, NB_STR("nbaspark version " NB_VERSION));
    nb_thrift_put_list(b, &last, 7, NB_T_STRUCT, (size_t)n);
    for (int i = 0; i < n; i++) { /* all columns: the order of their type */
        int inner = 0;
        nb_thrift_put_field(b, &inner, 1, NB_T_STRUCT);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
    }
    nb_thrift_put_stop(b);
}
