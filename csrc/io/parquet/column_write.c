/* SPDX-License-Identifier: Apache-2.0 */
/*
 * column_write.c: see column_write.h.
 *
 * While the dictionary is tried a page holds codes. When it overflows, or after the first page when plain values would have been no longer, the page at
 * hand is turned into plain values, and so are all that follow; pages before it stay as they are. A column whose dictionary never paid is not asked again
 * for some row groups.
 *
 * Strings that come as codes of a dictionary of their own (a scan's) are looked up once per entry: `map` keeps our code of each.
 */
#include "io/parquet/column_write.h"

#include "base/hash.h"
#include "io/parquet/block.h"
#include "io/parquet/hybrid_write.h"
#include "io/parquet/meta.h"
#include "io/parquet/thrift.h"

#define NO_CODE      UINT32_MAX
#define RETRY_GROUPS 8

struct nb_pq_column_writer {
    nb_pool *pool;
    nb_arena *arena; /* the file's: pages and bounds */
    const nb_pq_out_leaf *leaf;
    const nb_pq_write_options *options;
    bool use_bloom;
    /* the page at hand */
    nb_pq_bytes def, rep, values, codes; /* levels; PLAIN (booleans: a byte each); uint32 */
    int64_t n_levels, n_rows, n_there;
    bool def_full;               /* def is empty: all levels are the greatest */
    nb_pq_bounds bounds, before; /* of this page and of the last that had any */
    uint32_t page_stamp;
    /* the chunk */
    nb_pq_dictionary dict;
    bool coding;
    int groups_without; /* row groups that are not to try the dictionary */
    nb_pq_bytes stamps; /* strings: per code the stamp of the last page that has it */
    nb_pq_bytes map;    /* our code of each entry of the dictionary map_id */
    uint64_t map_id;
    nb_strbuf pages, dictionary_page;
    size_t reserved; /* of the pool, for the two */
    nb_pq_written_page *infos;
    int n_infos, cap_infos, n_plain, n_coded;
    int64_t rows_before, n_values, n_nulls, uncompressed;
    nb_pq_bounds chunk_bounds;
    bool all_bounded, ascending, descending;
    nb_pq_bytes hashes;
    nb_strbuf body, packed; /* scratch */
};

static bool
tries_dictionary(const nb_pq_column_writer *w)
{
    return w->leaf->form != NB_PQ_BITS && w->groups_without == 0 &&
           w->options->dictionary[w->leaf - w->options->schema.leaves];
}

static void
begin_chunk(nb_pq_column_writer *w)
{
    nb_pq_dictionary_clear(&w->dict);
    w->coding = tries_dictionary(w);
    w->map_id = 0;
    w->stamps.len = 0;
    w->pages.len = w->dictionary_page.len = 0;
    w->infos = NULL;
    w->n_infos = w->cap_infos = w->n_plain = w->n_coded = 0;
    w->rows_before = w->n_values = w->n_nulls = w->uncompressed = 0;
    nb_pq_bounds_clear(&w->chunk_bounds);
    nb_pq_bounds_clear(&w->before);
    w->all_bounded = w->ascending = w->descending = true;
    w->hashes.len = 0;
}

static void
begin_page(nb_pq_column_writer *w)
{
    w->def.len = w->rep.len = w->values.len = w->codes.len = 0;
    w->n_levels = w->n_rows = w->n_there = 0;
    w->def_full = true;
    nb_pq_bounds_clear(&w->bounds);
    w->page_stamp++;
}

nb_status
nb_pq_column_new(nb_pool *pool, nb_arena *arena, const nb_pq_out_leaf *leaf,
                 const nb_pq_write_options *options, nb_pq_column_writer **out)
{
    nb_pq_column_writer *w = nb_pool_zalloc(pool, sizeof *w);

    if (!w) {
        return NB_NOMEM;
    }
    w->pool = pool;
    w->arena = arena;
    w->leaf = leaf;
    w->options = options;
    w->use_bloom = options->bloom[leaf - options->schema.leaves];
    w->dict = (nb_pq_dictionary){
        .pool = pool, .width = leaf->width, .max_bytes = (size_t)options->dictionary_bytes};
    begin_chunk(w);
    begin_page(w);
    *out = w;
    return NB_OK;
}

void
nb_pq_column_free(nb_pq_column_writer *w)
{
    nb_pool *pool = w ? w->pool : NULL;

    if (!w) {
        return;
    }
    nb_pq_bytes_free(pool, &w->def);
    nb_pq_bytes_free(pool, &w->rep);
    nb_pq_bytes_free(pool, &w->values);
    nb_pq_bytes_free(pool, &w->codes);
    nb_pq_bytes_free(pool, &w->stamps);
    nb_pq_bytes_free(pool, &w->map);
    nb_pq_bytes_free(pool, &w->hashes);
    nb_pq_dictionary_free(&w->dict);
    nb_pq_bounds_free(pool, &w->bounds);
    nb_pq_bounds_free(pool, &w->before);
    nb_pq_bounds_free(pool, &w->chunk_bounds);
    nb_strbuf_free(&w->pages);
    nb_strbuf_free(&w->dictionary_page);
    nb_strbuf_free(&w->body);
    nb_strbuf_free(&w->packed);
    nb_pool_unreserve(pool, w->reserved);
    nb_pool_dealloc(pool, w, sizeof *w);
}

void
nb_pq_column_reset(nb_pq_column_writer *w)
{
    bool useless = w->coding == false && w->n_coded == 0;

    w->groups_without = w->groups_without > 0 ? w->groups_without - 1 : useless ? RETRY_GROUPS : 0;
    nb_pool_unreserve(w->pool, w->reserved);
    w->reserved = 0;
    nb_strbuf_free(&w->pages); /* other files of the task have more use for the memory */
    nb_strbuf_free(&w->dictionary_page);
    begin_chunk(w);
    begin_page(w);
}

size_t
nb_pq_column_bytes(const nb_pq_column_writer *w)
{
    return w->pages.len + w->dict.entries.len + w->values.len + w->codes.len / 2;
}

/* ---- pages ----------------------------------------------------------------------------------- */

static void
put_page_header(nb_strbuf *b, int type, size_t uncompressed, size_t compressed, int64_t n_values,
                int encoding)
{
    int last = 0, inner = 0;

    nb_thrift_put_int(b, &last, 1, NB_T_I32, type);
    nb_thrift_put_int(b, &last, 2, NB_T_I32, (int64_t)uncompressed);
    nb_thrift_put_int(b, &last, 3, NB_T_I32, (int64_t)compressed);
    nb_thrift_put_field(b, &last, type == NB_PQ_DICTIONARY_PAGE ? 7 : 5, NB_T_STRUCT);
    nb_thrift_put_int(b, &inner, 1, NB_T_I32, n_values);
    nb_thrift_put_int(b, &inner, 2, NB_T_I32, encoding);
    if (type == NB_PQ_DATA_PAGE) {
        nb_thrift_put_int(b, &inner, 3, NB_T_I32, NB_PQ_RLE);
        nb_thrift_put_int(b, &inner, 4, NB_T_I32, NB_PQ_RLE);
    }
    nb_thrift_put_stop(b);
    nb_thrift_put_stop(b);
}

/* Appends header and compressed body to a buffer, which counts against the pool. */
static nb_status
put_page(nb_pq_column_writer *w, int type, nb_str body, int64_t n_values, int encoding,
         nb_strbuf *to, nb_error *err)
{
    size_t before = to->len, grown;

    if (body.len > INT32_MAX) {
        return nb_raise_unsupported(err, "A Parquet page of more than 2 GiB");
    }
    w->packed.len = 0;
    if (!nb_pq_compress(w->options->codec, w->options->level, body.data, body.len, &w->packed)) {
        return NB_NOMEM;
    }
    put_page_header(to, type, body.len, w->packed.len, n_values, encoding);
    w->uncompressed += (int64_t)(to->len - before + body.len);
    nb_strbuf_add(to, nb_strbuf_str(&w->packed));
    if (to->failed) {
        return NB_NOMEM;
    }
    grown = to->len - before;
    NB_TRY(nb_pool_reserve(w->pool, grown));
    w->reserved += grown;
    return NB_OK;
}

static int
bits_of(uint32_t most)
{
    int n = 0;

    while (n < 32 && most >> n) {
        n++;
    }
    return n;
}

/* Levels of the page; `full`: all are max. */
static nb_status
put_levels(nb_pq_column_writer *w, const uint8_t *levels, int max, bool full)
{
    nb_strbuf *b = &w->body;
    size_t at = b->len;
    int width = bits_of((uint32_t)max);
    uint32_t len = 0;

    nb_strbuf_add(b, (nb_str){(char *)&len, 4});
    if (full) {
        nb_thrift_put_varint(b, (uint64_t)w->n_levels << 1);
        nb_strbuf_addc(b, (char)max);
    } else {
        uint32_t *wide = nb_pool_alloc(w->pool, sizeof(uint32_t) * (size_t)w->n_levels);
        if (!wide) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < w->n_levels; i++) {
            wide[i] = levels[i];
        }
        nb_pq_put_hybrid(b, wide, w->n_levels, width);
        nb_pool_dealloc(w->pool, wide, sizeof(uint32_t) * (size_t)w->n_levels);
    }
    if (b->failed) {
        return NB_NOMEM;
    }
    len = (uint32_t)(b->len - at - 4);
    memcpy(b->data + at, &len, 4);
    return NB_OK;
}

static void
put_bits(nb_strbuf *b, const uint8_t *values, int64_t n)
{
    for (int64_t i = 0; i < n; i += 8) {
        int bits = 0;
        for (int k = 0; k < 8 && i + k < n; k++) {
            bits |= values[i + k] << k;
        }
        nb_strbuf_addc(b, (char)bits);
    }
}

/* Hashes for a bloom filter, of all entries of the dictionary. */
static nb_status
hash_entries(nb_pq_column_writer *w)
{
    for (uint32_t code = 0; w->use_bloom && code < w->dict.n; code++) {
        nb_str s = nb_pq_dictionary_entry(&w->dict, code);
        int64_t h = nb_xxh64_bytes(s.data, s.len, 0);
        if (!nb_pq_bytes_add(w->pool, &w->hashes, &h, 8)) {
            return NB_NOMEM;
        }
    }
    return NB_OK;
}

/* The page at hand holds plain values from now on, and so will those that follow. */
static nb_status
stop_coding(nb_pq_column_writer *w)
{
    const uint32_t *codes = (const uint32_t *)(const void *)w->codes.data;

    for (size_t i = 0; i < w->codes.len / 4; i++) {
        nb_str s = nb_pq_dictionary_entry(&w->dict, codes[i]);
        uint32_t len = (uint32_t)s.len;
        if ((w->leaf->form == NB_PQ_STRINGS && !nb_pq_bytes_add(w->pool, &w->values, &len, 4)) ||
            !nb_pq_bytes_add(w->pool, &w->values, s.data, s.len)) {
            return NB_NOMEM;
        }
    }
    w->codes.len = 0;
    w->coding = false;
    if (w->n_coded == 0) {
        NB_TRY(hash_entries(w));
        nb_pq_dictionary_clear(&w->dict);
    }
    return NB_OK;
}

/* Bytes that the page's values would take without the dictionary. */
static size_t
plain_bytes(const nb_pq_column_writer *w)
{
    const uint32_t *codes = (const uint32_t *)(const void *)w->codes.data;
    size_t n = w->codes.len / 4, sum = 0;

    if (w->leaf->form != NB_PQ_STRINGS) {
        return n * (size_t)w->leaf->width;
    }
    for (size_t i = 0; i < n; i++) {
        sum += 4 + nb_pq_dictionary_entry(&w->dict, codes[i]).len;
    }
    return sum;
}

static nb_status
note_page(nb_pq_column_writer *w, size_t offset)
{
    nb_pq_written_page *infos =
        nb_arena_grow(w->arena, w->infos, w->n_infos, &w->cap_infos, sizeof *infos);
    nb_pq_written_page *p;
    nb_pq_bounds swap;

    if (!infos) {
        return NB_NOMEM;
    }
    w->infos = infos;
    p = &infos[w->n_infos++];
    *p = (nb_pq_written_page){.offset = (int64_t)offset,
                              .first_row = w->rows_before,
                              .n_nulls = w->n_levels - w->n_there,
                              .size = (int32_t)(w->pages.len - offset),
                              .is_null = w->n_there == 0};
    if (p->is_null) {
        return NB_OK;
    }
    NB_TRY(nb_pq_bounds_low(w->arena, &w->bounds, w->leaf, &p->low));
    NB_TRY(nb_pq_bounds_high(w->arena, &w->bounds, w->leaf, &p->high));
    w->all_bounded &= p->low.bytes.data && p->high.bytes.data;
    if (w->bounds.has) {
        if (w->before.has) {
            int low = nb_pq_bounds_compare_low(&w->before, &w->bounds, w->leaf);
            int high = nb_pq_bounds_compare_high(&w->before, &w->bounds, w->leaf);
            w->ascending &= low <= 0 && high <= 0;
            w->descending &= low >= 0 && high >= 0;
        }
        NB_TRY(nb_pq_bounds_merge(w->pool, &w->chunk_bounds, &w->bounds));
        swap = w->before;
        w->before = w->bounds;
        w->bounds = swap;
    }
    return NB_OK;
}

static nb_status
flush_page(nb_pq_column_writer *w, nb_error *err)
{
    const nb_pq_out_leaf *leaf = w->leaf;
    nb_strbuf *b = &w->body;
    int width = w->dict.n ? bits_of(w->dict.n - 1) : 0;
    size_t offset = w->pages.len;

    if (w->coding && w->n_coded == 0 &&
        w->dict.entries.len + w->codes.len / 4 * (size_t)width / 8 >= plain_bytes(w)) {
        NB_TRY(stop_coding(w));
    }
    b->len = 0;
    if (leaf->max_rep) {
        NB_TRY(put_levels(w, w->rep.data, leaf->max_rep, false));
    }
    if (leaf->max_def) {
        NB_TRY(put_levels(w, w->def.data, leaf->max_def, w->def_full));
    }
    if (w->coding) {
        nb_strbuf_addc(b, (char)width);
        nb_pq_put_hybrid(b, (const uint32_t *)(const void *)w->codes.data,
                         (int64_t)(w->codes.len / 4), width);
    } else if (leaf->form == NB_PQ_BITS) {
        put_bits(b, w->values.data, w->n_there);
    } else {
        nb_strbuf_add(b, (nb_str){w->values.data ? (char *)w->values.data : "", w->values.len});
    }
    if (b->failed) {
        return NB_NOMEM;
    }
    NB_TRY(put_page(w, NB_PQ_DATA_PAGE, nb_strbuf_str(b), w->n_levels,
                    w->coding ? NB_PQ_RLE_DICTIONARY : NB_PQ_PLAIN, &w->pages, err));
    w->n_coded += w->coding;
    w->n_plain += !w->coding;
    NB_TRY(note_page(w, offset));
    w->rows_before += w->n_rows;
    w->n_values += w->n_levels;
    w->n_nulls += w->n_levels - w->n_there;
    begin_page(w);
    return NB_OK;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* to[i] = value idx[i] of the vector, in the leaf's form. */
#define GATHER(TO, FROM)                                            \
    for (int64_t i = 0; i < n; i++) {                               \
        ((TO *)to)[i] = (TO)((const FROM *)from)[idx ? idx[i] : i]; \
    }

static void
gather(const nb_pq_out_leaf *leaf, const nb_vector *v, const uint32_t *idx, int64_t n, void *to)
{
    const void *from = v->data;

    switch (leaf->type->phys) {
    case NB_PHYS_BOOL: GATHER(uint8_t, uint8_t); break;
    case NB_PHYS_INT8: GATHER(int32_t, int8_t); break;
    case NB_PHYS_INT16: GATHER(int32_t, int16_t); break;
    case NB_PHYS_INT32:
    case NB_PHYS_FLOAT: GATHER(uint32_t, uint32_t); break;
    case NB_PHYS_INT64:
        if (leaf->form == NB_PQ_INTS) {
            GATHER(int32_t, int64_t);
        } else {
            GATHER(int64_t, int64_t);
        }
        break;
    case NB_PHYS_DOUBLE: GATHER(uint64_t, uint64_t); break;
    case NB_PHYS_INT128: GATHER(nb_int128, nb_int128); break;
    default: GATHER(nb_view, nb_view); break;
    }
}
#undef GATHER

/* Is the vector's own data what gather would make? */
static bool
lies_as_wanted(const nb_pq_out_leaf *leaf, const nb_vector *v, const uint32_t *idx)
{
    nb_phys phys = leaf->type->phys;

    return !idx && v->kind == NB_VEC_FLAT && phys != NB_PHYS_INT8 && phys != NB_PHYS_INT16 &&
           !(phys == NB_PHYS_INT64 && leaf->form == NB_PQ_INTS);
}

static int
form_width(const nb_pq_out_leaf *leaf)
{
    return leaf->form == NB_PQ_WIDES     ? (int)sizeof(nb_int128)
           : leaf->form == NB_PQ_STRINGS ? (int)sizeof(nb_view)
                                         : leaf->width;
}

/* Decimals as the file's fixed bytes, with a view of each. */
static nb_status
fixed_views(nb_arena *scratch, const nb_pq_out_leaf *leaf, const nb_int128 *values, int64_t n,
            nb_view **out)
{
    size_t width = (size_t)leaf->width;
    nb_view *views = NB_ARENA_ARRAY(scratch, nb_view, n + 1);
    char *bytes = nb_arena_alloc(scratch, width * (size_t)n + 1);

    if (!views || !bytes) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        char *to = bytes + (size_t)i * width;
        for (size_t k = 0; k < width; k++) {
            to[width - 1 - k] = (char)((nb_uint128)values[i] >> (8 * k));
        }
        views[i] = nb_view_make(to, width);
    }
    *out = views;
    return NB_OK;
}

static nb_status
hash_values(nb_pq_column_writer *w, const void *values, int64_t n)
{
    bool views = w->leaf->form == NB_PQ_STRINGS || w->leaf->form == NB_PQ_WIDES;
    int64_t *to = nb_pq_bytes_room(w->pool, &w->hashes, 8 * (size_t)n + 8);

    if (!to) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        if (views) {
            nb_str s = nb_view_str(&((const nb_view *)values)[i]);
            to[i] = nb_xxh64_bytes(s.data, s.len, 0);
        } else {
            to[i] = nb_xxh64_bytes((const char *)values + i * w->leaf->width,
                                   (size_t)w->leaf->width, 0);
        }
    }
    w->hashes.len += 8 * (size_t)n;
    return NB_OK;
}

/* values: numbers or views (strings, fixed bytes), as dictionaries take them. */
static nb_status
add_plain(nb_pq_column_writer *w, const void *values, int64_t n)
{
    const nb_view *views = values;
    size_t total = 0;
    uint8_t *to;

    if (w->use_bloom && w->leaf->form != NB_PQ_BITS) {
        NB_TRY(hash_values(w, values, n));
    }
    if (w->leaf->form != NB_PQ_STRINGS && w->leaf->form != NB_PQ_WIDES) {
        return nb_pq_bytes_add(w->pool, &w->values, values, (size_t)n * (size_t)w->leaf->width)
                   ? NB_OK
                   : NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        total += views[i].len + 4;
    }
    to = nb_pq_bytes_room(w->pool, &w->values, total + 16);
    if (!to) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_view_str(&views[i]);
        if (w->leaf->form == NB_PQ_STRINGS) {
            memcpy(to, &views[i].len, 4);
            to += 4;
        }
        memcpy(to, s.data, s.len);
        to += s.len;
    }
    w->values.len = (size_t)(to - w->values.data);
    return NB_OK;
}

/* Bounds of strings by their codes: an entry is looked at once per page. */
static nb_status
bound_codes(nb_pq_column_writer *w, const uint32_t *codes, int64_t n)
{
    size_t want = (size_t)w->dict.n * 4;
    uint32_t *stamps;

    if (w->stamps.len < want) {
        size_t more = want - w->stamps.len;
        void *to = nb_pq_bytes_room(w->pool, &w->stamps, more);
        if (!to) {
            return NB_NOMEM;
        }
        memset(to, 0, more);
        w->stamps.len = want;
    }
    stamps = (uint32_t *)(void *)w->stamps.data;
    for (int64_t i = 0; i < n; i++) {
        if (stamps[codes[i]] != w->page_stamp) {
            nb_str s = nb_pq_dictionary_entry(&w->dict, codes[i]);
            nb_view view = nb_view_make(s.data, s.len);
            stamps[codes[i]] = w->page_stamp;
            NB_TRY(nb_pq_bounds_strings(w->pool, &w->bounds, &view, 1));
        }
    }
    return NB_OK;
}

static nb_status
add_values(nb_pq_column_writer *w, nb_arena *scratch, const void *values, int64_t n)
{
    const nb_pq_out_leaf *leaf = w->leaf;
    const nb_view *views = values;
    bool is_string = leaf->form == NB_PQ_STRINGS;
    int64_t done = 0;

    if (!is_string) {
        nb_pq_bounds_numbers(&w->bounds, leaf, values, n);
    }
    if (leaf->form == NB_PQ_WIDES) {
        nb_view *made;
        NB_TRY(fixed_views(scratch, leaf, values, n, &made));
        values = views = made;
    }
    if (w->coding) {
        uint32_t *codes = nb_pq_bytes_room(w->pool, &w->codes, 4 * (size_t)n + 4);
        if (!codes) {
            return NB_NOMEM;
        }
        if (is_string || leaf->form == NB_PQ_WIDES) {
            NB_TRY(nb_pq_dictionary_strings(&w->dict, views, n, codes, &done));
        } else {
            NB_TRY(nb_pq_dictionary_numbers(&w->dict, values, n, codes, &done));
        }
        w->codes.len += 4 * (size_t)done;
        if (is_string) {
            NB_TRY(bound_codes(w, codes, done));
        }
        if (done < n) {
            NB_TRY(stop_coding(w));
        }
    }
    if (done < n) {
        const char *rest =
            (const char *)values + done * (leaf->form == NB_PQ_WIDES ? (int64_t)sizeof(nb_view)
                                                                     : (int64_t)form_width(leaf));
        if (is_string) {
            NB_TRY(nb_pq_bounds_strings(w->pool, &w->bounds, views + done, n - done));
        }
        NB_TRY(add_plain(w, rest, n - done));
    }
    w->n_there += n;
    return NB_OK;
}

static nb_status
add_levels(nb_pq_column_writer *w, nb_pq_levels l)
{
    int max = w->leaf->max_def;

    if (max && l.def && w->def_full) { /* those before were all there */
        uint8_t *to = nb_pq_bytes_room(w->pool, &w->def, (size_t)w->n_levels + 1);
        if (!to) {
            return NB_NOMEM;
        }
        memset(to, max, (size_t)w->n_levels);
        w->def.len = (size_t)w->n_levels;
        w->def_full = false;
    }
    if (max && !w->def_full) {
        uint8_t *to = nb_pq_bytes_room(w->pool, &w->def, (size_t)l.n + 1);
        if (!to) {
            return NB_NOMEM;
        }
        if (l.def) {
            memcpy(to, l.def, (size_t)l.n);
        } else {
            memset(to, max, (size_t)l.n);
        }
        w->def.len += (size_t)l.n;
    }
    if (w->leaf->max_rep) {
        if (!nb_pq_bytes_add(w->pool, &w->rep, l.rep, (size_t)l.n)) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < l.n; i++) {
            w->n_rows += l.rep[i] == 0;
        }
    } else {
        w->n_rows += l.n;
    }
    w->n_levels += l.n;
    return NB_OK;
}

/* Where a row begins nearest to the middle of the levels; 0: nowhere but at their start. */
static int64_t
middle_row(nb_pq_levels l)
{
    int64_t half = l.n / 2;

    for (int64_t d = 0; d <= half; d++) {
        if (half - d > 0 && (!l.rep || l.rep[half - d] == 0)) {
            return half - d;
        }
        if (half + d < l.n && (!l.rep || l.rep[half + d] == 0)) {
            return half + d;
        }
    }
    return 0;
}

/* Values so long that they would make a page much too large are taken by halves. */
static nb_status
add_dense(nb_pq_column_writer *w, nb_arena *scratch, const void *values, int64_t n, nb_pq_levels l,
          nb_error *err)
{
    int64_t bytes = n * form_width(w->leaf), cut = 0, first = 0;

    if (w->leaf->form == NB_PQ_STRINGS) {
        for (int64_t i = 0; i < n; i++) {
            bytes += ((const nb_view *)values)[i].len;
        }
    }
    if (bytes > 2 * w->options->page_bytes) {
        cut = middle_row(l);
    }
    if (cut > 0) {
        nb_pq_levels front = {l.def, l.rep, cut};
        nb_pq_levels back = {l.def ? l.def + cut : NULL, l.rep ? l.rep + cut : NULL, l.n - cut};
        for (int64_t i = 0; i < cut; i++) {
            first += !l.def || l.def[i] == w->leaf->max_def;
        }
        NB_TRY(add_dense(w, scratch, values, first, front, err));
        return add_dense(w, scratch, (const char *)values + first * form_width(w->leaf), n - first,
                         back, err);
    }
    NB_TRY(add_levels(w, l));
    NB_TRY(add_values(w, scratch, values, n));
    bytes = (int64_t)(w->values.len + w->codes.len / 2);
    return bytes >= w->options->page_bytes || w->n_rows >= w->options->page_rows
               ? flush_page(w, err)
               : NB_OK;
}

/* Strings by the codes of a dictionary that comes again and again. *done: nothing else is to do. */
static nb_status
add_coded(nb_pq_column_writer *w, const nb_vector *v, const uint32_t *idx, int64_t n,
          nb_pq_levels l, bool *done, nb_error *err)
{
    const nb_vector *dict = v->dict;
    const nb_view *entries = dict->data;
    uint32_t *map, *codes;

    *done = false;
    if (!w->coding || v->dict_id == 0 ||
        (size_t)dict->n_rows * 4 > (size_t)w->options->dictionary_bytes) {
        return NB_OK;
    }
    if (w->map_id != v->dict_id) {
        w->map.len = 0;
        map = nb_pq_bytes_room(w->pool, &w->map, 4 * (size_t)dict->n_rows + 4);
        if (!map) {
            return NB_NOMEM;
        }
        memset(map, 0xff, 4 * (size_t)dict->n_rows);
        w->map.len = 4 * (size_t)dict->n_rows;
        w->map_id = v->dict_id;
    }
    map = (uint32_t *)(void *)w->map.data;
    codes = nb_pq_bytes_room(w->pool, &w->codes, 4 * (size_t)n + 4);
    if (!codes) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t from = v->indices[idx ? idx[i] : i];
        if (map[from] == NO_CODE) {
            int64_t found;
            NB_TRY(nb_pq_dictionary_strings(&w->dict, &entries[from], 1, &map[from], &found));
            if (!found) {
                return NB_OK; /* nothing was added but entries of the dictionary */
            }
        }
        codes[i] = map[from];
    }
    NB_TRY(bound_codes(w, codes, n));
    w->codes.len += 4 * (size_t)n;
    w->n_there += n;
    NB_TRY(add_levels(w, l));
    *done = true;
    return w->n_rows >= w->options->page_rows ? flush_page(w, err) : NB_OK;
}

nb_status
nb_pq_column_add(nb_pq_column_writer *w, nb_arena *scratch, const nb_vector *v, const uint32_t *idx,
                 int64_t n, nb_pq_levels levels, nb_error *err)
{
    void *dense = v->data;
    nb_vector flat;

    if (v->kind == NB_VEC_DICT) {
        bool done;
        NB_TRY(add_coded(w, v, idx, n, levels, &done, err));
        if (done) {
            return NB_OK;
        }
        NB_TRY(nb_vector_flatten(scratch, v, &flat));
        v = &flat;
        dense = flat.data;
    }
    if (!lies_as_wanted(w->leaf, v, idx)) {
        dense = nb_arena_alloc64(scratch, (size_t)(n + 1) * (size_t)form_width(w->leaf));
        if (!dense) {
            return NB_NOMEM;
        }
        if (n > 0) {
            gather(w->leaf, v, idx, n, dense);
        }
    }
    return add_dense(w, scratch, dense, n, levels, err);
}

nb_status
nb_pq_column_finish(nb_pq_column_writer *w, nb_arena *arena, nb_pq_written_chunk *out,
                    nb_error *err)
{
    if (w->n_levels > 0) {
        NB_TRY(flush_page(w, err));
    }
    if (w->n_coded > 0) {
        nb_str entries = {w->dict.entries.data ? (char *)w->dict.entries.data : "",
                          w->dict.entries.len};
        NB_TRY(put_page(w, NB_PQ_DICTIONARY_PAGE, entries, w->dict.n, NB_PQ_PLAIN,
                        &w->dictionary_page, err));
        NB_TRY(hash_entries(w));
    }
    *out = (nb_pq_written_chunk){
        .dictionary_page = nb_strbuf_str(&w->dictionary_page),
        .data_pages = nb_strbuf_str(&w->pages),
        .n_values = w->n_values,
        .n_nulls = w->n_nulls,
        .uncompressed = w->uncompressed,
        .n_plain_pages = w->n_plain,
        .n_coded_pages = w->n_coded,
        .pages = w->infos,
        .n_pages = w->n_infos,
        .order = w->ascending    ? 1
                 : w->descending ? 2
                                 : 0,
        .has_index = w->all_bounded,
        .hashes = (const uint64_t *)(const void *)w->hashes.data,
        .n_hashes = (int64_t)(w->hashes.len / 8),
    };
    NB_TRY(nb_pq_bounds_low(arena, &w->chunk_bounds, w->leaf, &out->low));
    return nb_pq_bounds_high(arena, &w->chunk_bounds, w->leaf, &out->high);
}
