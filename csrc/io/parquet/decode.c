/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c: pages to vectors.
 *
 * Page by page: definition levels say which rows are there, values follow densely, plain or as indices into the dictionary page.
 * Values are first written densely behind the rows decoded so far and then spread, from the back, over the rows that are there.
 */
#include "io/parquet/decode.h"

#include <stdio.h>

#include "io/parquet/block.h"

typedef struct decoder {
    const nb_pq_column *column;
    const char *path;
    nb_arena *arena;
    nb_error *err;
    const nb_type *type;
    int width; /* bytes of a value of ours */
    nb_vector *out;
    int64_t done; /* rows so far */
    /* dictionary page */
    nb_vector dict;
    int64_t n_dict;
    bool has_dict;
    uint32_t *indices; /* strings: kept as codes as long as all pages are coded */
    bool all_codes;
} decoder;

static nb_status
damaged(decoder *d, const char *what)
{
    char text[256];

    snprintf(text, sizeof text, "column %.*s: %s", (int)NB_MIN(d->column->name.len, 100),
             d->column->name.data, what);
    return nb_pq_damaged(d->path, text, d->err);
}

const uint8_t *
nb_pq_hybrid(const uint8_t *p, const uint8_t *end, int width, int64_t n, uint32_t *out)
{
    int n_bytes = (width + 7) / 8;
    uint32_t mask = width == 32 ? UINT32_MAX : (1u << width) - 1;

    while (n > 0) {
        uint64_t head = 0;
        int shift = 0;
        do {
            if (p >= end || shift > 35) {
                return NULL;
            }
            head |= (uint64_t)(*p & 0x7f) << shift;
            shift += 7;
        } while (*p++ & 0x80);
        if (head & 1) { /* groups of eight, packed */
            int64_t m = (int64_t)(head >> 1) * 8;
            int64_t need = (int64_t)(head >> 1) * width;
            uint64_t bits = 0;
            int have = 0;
            const uint8_t *stop;
            if (need > end - p) {
                need = end - p; /* the last group may be cut short */
                if (width && need * 8 / width < NB_MIN(m, n)) {
                    return NULL;
                }
            }
            stop = p + need;
            m = NB_MIN(m, n);
            n -= m;
            for (int64_t i = 0; i < m; i++) {
                while (have < width) {
                    bits |= (uint64_t)*p++ << have;
                    have += 8;
                }
                *out++ = (uint32_t)bits & mask;
                bits >>= width;
                have -= width;
            }
            p = stop;
        } else { /* one value, repeated */
            int64_t m = (int64_t)(head >> 1);
            uint32_t v = 0;
            if (n_bytes > end - p) {
                return NULL;
            }
            for (int i = 0; i < n_bytes; i++) {
                v |= (uint32_t)*p++ << (8 * i);
            }
            if (m == 0) {
                return NULL;
            }
            m = NB_MIN(m, n);
            n -= m;
            for (int64_t i = 0; i < m; i++) {
                *out++ = v;
            }
        }
    }
    return p;
}

static nb_int128
big_endian(const uint8_t *p, int64_t n)
{
    nb_int128 v = n > 0 && (p[0] & 0x80) ? -1 : 0;

    for (int64_t i = 0; i < n; i++) {
        v = (nb_int128)((nb_uint128)v << 8 | p[i]);
    }
    return v;
}

static void
put_decimal(const decoder *d, void *to, int64_t at, nb_int128 v)
{
    if (d->type->phys == NB_PHYS_INT64) {
        ((int64_t *)to)[at] = (int64_t)v;
    } else {
        ((nb_int128 *)to)[at] = v;
    }
}

/* n plain values from [p, end) to data of ours. NULL when the bytes do not suffice. */
static const uint8_t *
plain(decoder *d, const uint8_t *p, const uint8_t *end, int64_t n, void *to)
{
    const nb_pq_column *c = d->column;
    bool is_decimal = d->type->id == NB_TYPE_DECIMAL;
    int64_t width = c->physical == NB_PQ_INT32 || c->physical == NB_PQ_FLOAT    ? 4
                    : c->physical == NB_PQ_INT64 || c->physical == NB_PQ_DOUBLE ? 8
                    : c->physical == NB_PQ_INT96                                ? 12
                                                                                : c->width;

    if (c->physical == NB_PQ_BOOLEAN) {
        if ((n + 7) / 8 > end - p) {
            return NULL;
        }
        for (int64_t i = 0; i < n; i++) {
            ((uint8_t *)to)[i] = (p[i / 8] >> (i % 8)) & 1;
        }
        return p + (n + 7) / 8;
    }
    if (c->physical == NB_PQ_BYTE_ARRAY) {
        for (int64_t i = 0; i < n; i++) {
            uint32_t len;
            if (end - p < 4) {
                return NULL;
            }
            memcpy(&len, p, 4);
            p += 4;
            if (len > (size_t)(end - p)) {
                return NULL;
            }
            if (is_decimal) {
                if (len > 16) {
                    return NULL;
                }
                put_decimal(d, to, i, big_endian(p, len));
            } else {
                ((nb_view *)to)[i] = nb_view_make((const char *)p, len);
            }
            p += len;
        }
        return p;
    }
    if (n > (end - p) / width) {
        return NULL;
    }
    switch (c->physical) {
    case NB_PQ_FIXED:
        if (is_decimal && width > 16) {
            return NULL;
        }
        for (int64_t i = 0; i < n; i++) {
            if (is_decimal) {
                put_decimal(d, to, i, big_endian(p + i * width, width));
            } else {
                ((nb_view *)to)[i] = nb_view_make((const char *)p + i * width, (size_t)width);
            }
        }
        break;
    case NB_PQ_INT96: /* nanoseconds of the day, Julian day */
        for (int64_t i = 0; i < n; i++) {
            int64_t ns;
            int32_t day;
            memcpy(&ns, p + i * 12, 8);
            memcpy(&day, p + i * 12 + 8, 4);
            ((int64_t *)to)[i] = (int64_t)((uint64_t)((int64_t)day - 2440588) * 86400000000ULL +
                                           (uint64_t)(ns / 1000));
        }
        break;
    case NB_PQ_INT32:
        if (is_decimal) {
            for (int64_t i = 0; i < n; i++) {
                int32_t v;
                memcpy(&v, p + i * 4, 4);
                put_decimal(d, to, i, v);
            }
        } else if (d->width == 4) {
            memcpy(to, p, (size_t)n * 4);
        } else {
            for (int64_t i = 0; i < n; i++) {
                int32_t v;
                memcpy(&v, p + i * 4, 4);
                if (d->width == 1) {
                    ((int8_t *)to)[i] = (int8_t)v;
                } else {
                    ((int16_t *)to)[i] = (int16_t)v;
                }
            }
        }
        break;
    case NB_PQ_INT64:
        if (is_decimal && d->type->phys == NB_PHYS_INT128) {
            for (int64_t i = 0; i < n; i++) {
                int64_t v;
                memcpy(&v, p + i * 8, 8);
                put_decimal(d, to, i, v);
            }
            break;
        }
        memcpy(to, p, (size_t)n * 8);
        if (c->unit_per_us == -1000) {
            for (int64_t i = 0; i < n; i++) {
                ((int64_t *)to)[i] = (int64_t)((uint64_t)((int64_t *)to)[i] * 1000);
            }
        } else if (c->unit_per_us == 1000) {
            for (int64_t i = 0; i < n; i++) {
                int64_t v = ((int64_t *)to)[i];
                ((int64_t *)to)[i] = v / 1000 - (v % 1000 < 0);
            }
        }
        break;
    default: memcpy(to, p, (size_t)n * (size_t)width); break;
    }
    return p + n * width;
}

/* Codes become values once a page is not coded. */
static void
flush_codes(decoder *d)
{
    const nb_view *dict = d->dict.data;
    nb_view *to = d->out->data;

    for (int64_t i = 0; i < d->done; i++) {
        to[i] = nb_is_valid(d->out->validity, i) ? dict[d->indices[i]] : (nb_view){0};
    }
    d->all_codes = false;
}

static void
spread(void *data, int width, const uint64_t *validity, int64_t from, int64_t n, int64_t n_there)
{
    char *base = (char *)data + (size_t)from * (size_t)width;
    int64_t k = n_there;

    if (k == n) {
        return;
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        if (nb_bit_get(validity, from + i)) {
            k--;
            if (k != i) {
                memcpy(base + (size_t)i * (size_t)width, base + (size_t)k * (size_t)width,
                       (size_t)width);
            }
        } else {
            memset(base + (size_t)i * (size_t)width, 0, (size_t)width);
        }
    }
}

/* Values of a page: n rows of which n_there are not null. */
static nb_status
values(decoder *d, int encoding, const uint8_t *p, const uint8_t *end, int64_t n, int64_t n_there)
{
    bool coded = encoding == NB_PQ_PLAIN_DICTIONARY || encoding == NB_PQ_RLE_DICTIONARY;
    char *to = (char *)d->out->data + (size_t)d->done * (size_t)d->width;

    if (coded) {
        uint32_t *codes = d->indices + d->done;
        int bits;
        uint32_t worst = 0;
        if (!d->has_dict) {
            return damaged(d, "a page refers to a dictionary that is not there");
        }
        if (n_there == 0) {
            memset(codes, 0, sizeof(uint32_t) * (size_t)n);
        } else {
            if (p >= end || (bits = *p++) > 32 || !nb_pq_hybrid(p, end, bits, n_there, codes)) {
                return damaged(d, "dictionary indices are cut off");
            }
            for (int64_t i = 0; i < n_there; i++) {
                worst = NB_MAX(worst, codes[i]);
            }
            if (worst >= d->n_dict) {
                return damaged(d, "a dictionary index is out of range");
            }
        }
        if (!d->all_codes) {
            for (int64_t i = 0; i < n_there; i++) {
                memcpy(to + (size_t)i * (size_t)d->width,
                       (const char *)d->dict.data + (size_t)codes[i] * (size_t)d->width,
                       (size_t)d->width);
            }
        }
        if (d->out->validity) {
            spread(d->indices, 4, d->out->validity, d->done, n, n_there);
        }
    } else if (encoding == NB_PQ_PLAIN) {
        if (d->all_codes) {
            flush_codes(d);
        }
        if (!plain(d, p, end, n_there, to)) {
            return damaged(d, "values are cut off");
        }
    } else if (encoding == NB_PQ_RLE && d->column->physical == NB_PQ_BOOLEAN) {
        uint32_t *bits = d->indices + d->done;
        if (end - p < 4 || !nb_pq_hybrid(p + 4, end, 1, n_there, bits)) {
            return damaged(d, "values are cut off");
        }
        for (int64_t i = 0; i < n_there; i++) {
            ((uint8_t *)to)[i] = (uint8_t)bits[i];
        }
    } else {
        char text[64];
        snprintf(text, sizeof text, "encoding %d is not implemented", encoding);
        return damaged(d, text);
    }
    if (!d->all_codes && d->out->validity) {
        spread(d->out->data, d->width, d->out->validity, d->done, n, n_there);
    }
    d->done += n;
    return NB_OK;
}

/* Definition levels (0 or 1) to validity. */
static nb_status
levels(decoder *d, const uint8_t *p, const uint8_t *end, int64_t n, int64_t *n_there)
{
    uint32_t *scratch = d->indices + d->done;

    if (!nb_pq_hybrid(p, end, 1, n, scratch)) {
        return damaged(d, "definition levels are cut off");
    }
    *n_there = 0;
    for (int64_t i = 0; i < n; i++) {
        *n_there += scratch[i];
    }
    if (*n_there < n && !d->out->validity) {
        NB_TRY(nb_vector_need_validity(d->arena, d->out));
    }
    for (int64_t i = 0; i < n && *n_there < n; i++) {
        if (!scratch[i]) {
            nb_bit_clear(d->out->validity, d->done + i);
        }
    }
    return NB_OK;
}

static nb_status
unpack(decoder *d, int codec, const uint8_t *in, size_t n_in, size_t n_out, const uint8_t **out)
{
    uint8_t *to;

    if (codec == NB_PQ_UNCOMPRESSED) {
        if (n_in != n_out) {
            return damaged(d, "sizes in a page header disagree");
        }
        *out = in;
        return NB_OK;
    }
    /* no codec here packs more than about 1 : 1032 (deflate) save zstd and brotli, whose claims are bounded too */
    if (n_out / 65536 > n_in + 1024) {
        return damaged(d, "a page claims to be much larger than its bytes explain");
    }
    to = nb_arena_alloc64(d->arena, n_out + 64);
    if (!to) {
        return NB_NOMEM;
    }
    if (!nb_pq_decompress(codec, in, n_in, to, n_out)) {
        return damaged(d, "a page cannot be decompressed");
    }
    *out = to;
    return NB_OK;
}

static nb_status
dictionary(decoder *d, const nb_pq_page *page, int codec, const uint8_t *p)
{
    const uint8_t *bytes;

    if (d->has_dict) {
        return damaged(d, "it has two dictionaries");
    }
    NB_TRY(unpack(d, codec, p, (size_t)page->compressed, (size_t)page->uncompressed, &bytes));
    if (page->n_values > page->uncompressed * 8) {
        return damaged(d, "its dictionary is cut off");
    }
    NB_TRY(nb_vector_alloc(d->arena, d->type, page->n_values + 1, &d->dict));
    if (!plain(d, bytes, bytes + page->uncompressed, page->n_values, d->dict.data)) {
        return damaged(d, "its dictionary is cut off");
    }
    d->n_dict = page->n_values;
    d->has_dict = true;
    d->all_codes = d->done == 0 && nb_type_storage(d->type)->phys == NB_PHYS_STRING;
    return NB_OK;
}

static nb_status
data_page(decoder *d, const nb_pq_page *page, int codec, const uint8_t *p, int64_t rows_left)
{
    const uint8_t *bytes, *end;
    int64_t n = page->n_values, n_there = n;

    if (n > rows_left) {
        return damaged(d, "pages hold more rows than the row group");
    }
    if (page->type == NB_PQ_DATA_PAGE_V2) {
        int64_t head = page->def_bytes + page->rep_bytes;
        if (head > page->compressed) {
            return damaged(d, "sizes in a page header disagree");
        }
        if (d->column->optional) {
            NB_TRY(levels(d, p + page->rep_bytes, p + head, n, &n_there));
        }
        NB_TRY(unpack(d, page->is_compressed ? codec : NB_PQ_UNCOMPRESSED, p + head,
                      (size_t)(page->compressed - head), (size_t)(page->uncompressed - head),
                      &bytes));
        return values(d, page->encoding, bytes, bytes + page->uncompressed - head, n, n_there);
    }
    NB_TRY(unpack(d, codec, p, (size_t)page->compressed, (size_t)page->uncompressed, &bytes));
    end = bytes + page->uncompressed;
    if (d->column->optional) {
        uint32_t len;
        if (end - bytes < 4) {
            return damaged(d, "definition levels are cut off");
        }
        memcpy(&len, bytes, 4);
        if (len > (size_t)(end - bytes - 4)) {
            return damaged(d, "definition levels are cut off");
        }
        NB_TRY(levels(d, bytes + 4, bytes + 4 + len, n, &n_there));
        bytes += 4 + len;
    }
    return values(d, page->encoding, bytes, end, n, n_there);
}

nb_status
nb_pq_decode(const nb_pq_column *column, const nb_pq_chunk *chunk, const uint8_t *bytes,
             int64_t n_rows, const char *path, nb_arena *arena, nb_vector *out, nb_error *err)
{
    decoder d = {.column = column,
                 .path = path,
                 .arena = arena,
                 .err = err,
                 .type = column->type,
                 .out = out};
    const uint8_t *p = bytes, *end = bytes + chunk->n_bytes;

    if (!nb_pq_codec_known(chunk->codec)) {
        return damaged(&d, "its compression is not implemented");
    }
    d.width = nb_phys_width(nb_type_storage(d.type)->phys);
    NB_TRY(nb_vector_alloc(arena, d.type, n_rows, out));
    d.indices = NB_ARENA_ARRAY(arena, uint32_t, n_rows + 64);
    if (!d.indices) {
        return NB_NOMEM;
    }
    while (d.done < n_rows) {
        nb_pq_page page;
        size_t head = nb_pq_page_read(p, (size_t)(end - p), &page);
        if (head == 0) {
            return damaged(&d, "a page header is damaged");
        }
        p += head;
        if (page.compressed > end - p) {
            return damaged(&d, "a page is cut off");
        }
        if (page.type == NB_PQ_DICTIONARY_PAGE) {
            NB_TRY(dictionary(&d, &page, chunk->codec, p));
        } else if (page.type == NB_PQ_DATA_PAGE || page.type == NB_PQ_DATA_PAGE_V2) {
            NB_TRY(data_page(&d, &page, chunk->codec, p, n_rows - d.done));
        }
        p += page.compressed;
    }
    if (d.all_codes && n_rows > 0) { /* codes stay codes; null is one entry more */
        nb_vector *dict = NB_ARENA_NEW(arena, nb_vector);
        if (!dict) {
            return NB_NOMEM;
        }
        *dict = d.dict;
        dict->n_rows = (int32_t)d.n_dict;
        if (out->validity) {
            dict->n_rows++;
            NB_DATA(nb_view, dict)[d.n_dict] = (nb_view){0};
            NB_TRY(nb_vector_need_validity(arena, dict));
            nb_bit_clear(dict->validity, d.n_dict);
            for (int64_t i = 0; i < n_rows; i++) {
                if (!nb_bit_get(out->validity, i)) {
                    d.indices[i] = (uint32_t)d.n_dict;
                }
            }
        }
        *out = (nb_vector){.type = d.type,
                           .kind = NB_VEC_DICT,
                           .n_rows = (int32_t)n_rows,
                           .indices = d.indices,
                           .dict = dict};
    }
    return NB_OK;
}
