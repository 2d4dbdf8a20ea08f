/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaf.c: see leaf.h.
 */
#include "io/parquet/leaf.h"

#include "io/parquet/hybrid.h"
#include "io/parquet/reader_internal.h"
#include "io/parquet/values.h"

/* Runs of equal levels take no bytes: so many values may a page have, and so many per byte where it has more. */
#define PAGE_FREE   ((int64_t)4 << 20)
#define PAGE_FACTOR 4096

typedef struct levels {
    const uint8_t *p, *end;
} levels;

static int
bits_of(int max)
{
    int n = 0;

    while (max >> n) {
        n++;
    }
    return n;
}

/* n levels of [p, end) to out, checked against the greatest; *n_full are equal to it. */
static nb_status
take_levels(nb_pq_reader *r, const uint8_t *p, const uint8_t *end, bool packed, int max, int64_t n,
            uint8_t *out, int64_t *n_full, nb_error *err)
{
    int width = bits_of(max);
    int64_t full = 0;
    uint32_t worst = 0;

    if (packed) {
        nb_pq_bit_packed(p, width, n, r->codes);
    } else if (!nb_pq_hybrid(p, end, width, n, r->codes)) {
        return nb_pq_reader_damaged(r, "levels are cut off", err);
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t v = r->codes[i];
        worst = NB_MAX(worst, v);
        full += v == (uint32_t)max;
        out[i] = (uint8_t)v;
    }
    if (worst > (uint32_t)max) {
        return nb_pq_reader_damaged(r, "a level is out of range", err);
    }
    *n_full = full;
    return NB_OK;
}

/* The levels of one kind at the front of a v1 page; *bytes moves behind them. */
static nb_status
cut_levels(nb_pq_reader *r, int encoding, int max, int64_t n, const uint8_t **bytes,
           const uint8_t *end, levels *out, nb_error *err)
{
    uint32_t len;

    if (encoding == NB_PQ_BIT_PACKED) {
        int64_t size = (n * bits_of(max) + 7) / 8;
        if (size > end - *bytes) {
            return nb_pq_reader_damaged(r, "levels are cut off", err);
        }
        *out = (levels){*bytes, *bytes + size};
        *bytes += size;
        return NB_OK;
    }
    if (end - *bytes < 4) {
        return nb_pq_reader_damaged(r, "levels are cut off", err);
    }
    memcpy(&len, *bytes, 4);
    *bytes += 4;
    if (len > (size_t)(end - *bytes)) {
        return nb_pq_reader_damaged(r, "levels are cut off", err);
    }
    *out = (levels){*bytes, *bytes + len};
    *bytes += len;
    return NB_OK;
}

/* to[i] = entries[codes[i]] */
static void
look_up(const void *entries, const uint32_t *codes, int64_t n, int width, char *to)
{
    const char *from = entries;

    for (int64_t i = 0; i < n; i++) {
        memcpy(to + i * width, from + (size_t)codes[i] * (size_t)width, (size_t)width);
    }
}

static nb_status
take_values(nb_pq_reader *r, const nb_pq_page *h, const uint8_t *p, const uint8_t *end, int64_t n,
            char *to, nb_error *err)
{
    const char *problem;
    const nb_vector *dict;
    uint32_t worst = 0;
    nb_status st;

    if (!nb_pq_is_code(h->encoding)) {
        st = nb_pq_values(r->column, h->encoding, p, end, n, r->arena, to, &problem);
        return st == NB_ERROR ? nb_pq_reader_damaged(r, problem, err) : st;
    }
    if (n == 0) {
        return NB_OK;
    }
    NB_TRY(nb_pq_reader_dictionary(r, &dict, err));
    if (p >= end || *p > 32 || !nb_pq_hybrid(p + 1, end, *p, n, r->codes)) {
        return nb_pq_reader_damaged(r, "dictionary indices are cut off", err);
    }
    for (int64_t i = 0; i < n; i++) {
        worst = NB_MAX(worst, r->codes[i]);
    }
    if ((int64_t)worst >= dict->n_rows) {
        return nb_pq_reader_damaged(r, "a dictionary index is out of range", err);
    }
    look_up(dict->data, r->codes, n, r->width, to);
    return NB_OK;
}

static nb_status
take_page(nb_pq_reader *r, int i, bool want_values, nb_pq_leaf *leaf, nb_error *err)
{
    const nb_pq_column *c = r->column;
    const page *p = &r->pages[i];
    const nb_pq_page *h = &p->head;
    int64_t n = h->n_values, head = 0, n_there = n, ignored;
    const uint8_t *bytes, *end;
    levels rep = {0}, def = {0};
    int codec = r->codec;
    bool v2 = h->type == NB_PQ_DATA_PAGE_V2;

    if (nb_cancelled(r->cancel)) {
        return NB_CANCELLED;
    }
    r->at_page = r->opening = p->number;
    if (v2) {
        head = h->def_bytes + h->rep_bytes;
        if (head > h->compressed) {
            return nb_pq_reader_damaged(r, "sizes in a page header disagree", err);
        }
        rep = (levels){p->bytes, p->bytes + h->rep_bytes};
        def = (levels){rep.end, rep.end + h->def_bytes};
        codec = h->is_compressed ? codec : NB_PQ_UNCOMPRESSED;
    }
    NB_TRY(nb_pq_reader_unpack(r, codec, p->bytes + head, (size_t)(h->compressed - head),
                               (size_t)(h->uncompressed - head), nb_pq_values_stay(c, h->encoding),
                               &bytes, err));
    end = bytes + h->uncompressed - head;
    if (!v2 && c->max_rep) {
        NB_TRY(cut_levels(r, h->rep_encoding, c->max_rep, n, &bytes, end, &rep, err));
    }
    if (!v2 && c->max_def) {
        NB_TRY(cut_levels(r, h->def_encoding, c->max_def, n, &bytes, end, &def, err));
    }
    if (c->max_rep) {
        NB_TRY(take_levels(r, rep.p, rep.end, !v2 && h->rep_encoding == NB_PQ_BIT_PACKED,
                           c->max_rep, n, leaf->rep + p->row, &ignored, err));
    }
    if (c->max_def) {
        NB_TRY(take_levels(r, def.p, def.end, !v2 && h->def_encoding == NB_PQ_BIT_PACKED,
                           c->max_def, n, leaf->def + p->row, &n_there, err));
    }
    if (want_values) {
        char *to = (char *)leaf->values.data + (size_t)leaf->n_there * (size_t)r->width;
        NB_TRY(take_values(r, h, bytes, end, n_there, to, err));
    }
    leaf->n_there += n_there;
    nb_pq_reader_decoded(r, want_values ? n_there : 0);
    return NB_OK;
}

nb_status
nb_pq_leaf_read(nb_pq_reader *r, int64_t n_rows, bool want_values, nb_pq_leaf *out, nb_error *err)
{
    const nb_pq_column *c = r->column;
    nb_pq_leaf leaf = {.n = r->n_rows};
    int64_t rows = r->n_rows;

    for (int i = 0; i < r->n_pages; i++) {
        const nb_pq_page *h = &r->pages[i].head;
        r->at_page = r->pages[i].number;
        if (h->n_values > PAGE_FREE && h->n_values / PAGE_FACTOR > h->uncompressed) {
            return nb_pq_reader_damaged(r, "a page claims more values than its bytes explain", err);
        }
    }
    r->codes = NB_ARENA_ARRAY(r->arena, uint32_t, r->longest + 64);
    leaf.def = c->max_def ? nb_arena_alloc(r->arena, (size_t)leaf.n + 1) : NULL;
    leaf.rep = c->max_rep ? nb_arena_alloc(r->arena, (size_t)leaf.n + 1) : NULL;
    if (!r->codes || (c->max_def && !leaf.def) || (c->max_rep && !leaf.rep)) {
        return NB_NOMEM;
    }
    if (want_values) { /* 8 more, which decoders may write */
        NB_TRY(nb_vector_alloc(r->arena, c->type, leaf.n + 8, &leaf.values));
    }
    for (int i = 0; i < r->n_pages; i++) {
        NB_TRY(take_page(r, i, want_values, &leaf, err));
    }
    if (leaf.rep) {
        rows = 0;
        for (int64_t i = 0; i < leaf.n; i++) {
            rows += leaf.rep[i] == 0;
        }
        if (leaf.n && leaf.rep[0] != 0) {
            return nb_pq_reader_damaged(r, "a row goes on that never began", err);
        }
    }
    if (rows != n_rows) {
        return nb_pq_reader_damaged(r, "it holds other rows than the row group", err);
    }
    leaf.values.n_rows = (int32_t)leaf.n_there;
    *out = leaf;
    return NB_OK;
}
