/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.c: see reader.h.
 *
 * A page that is needed is decompressed and taken apart into a view of its rows: codes (one per row; a null row has the code behind the
 * dictionary's last) or values (one per row, in place where the page holds them as we do). From the view the wanted rows are gathered. The view
 * of the page before is kept, so that going through a chunk twice costs the unpacking once per page only where rows are sparse.
 */
#include "io/parquet/reader_internal.h"

#include <stdio.h>

#include "io/parquet/block.h"
#include "io/parquet/hybrid.h"
#include "io/parquet/plain.h"
#include "io/parquet/values.h"

nb_status
nb_pq_reader_damaged(const nb_pq_reader *r, const char *what, nb_error *err)
{
    char text[256], page[40];

    snprintf(page, sizeof page, r->at_page < 0 ? ", dictionary page" : ", page %d", r->at_page);
    snprintf(text, sizeof text, "column %.*s%s: %s", (int)NB_MIN(r->column->name.len, 100),
             r->column->name.data, page, what);
    return nb_pq_damaged(r->path, text, err);
}

bool
nb_pq_is_code(int encoding)
{
    return encoding == NB_PQ_PLAIN_DICTIONARY || encoding == NB_PQ_RLE_DICTIONARY;
}

nb_status
nb_pq_reader_open(const nb_pq_column *column, const nb_pq_chunk *chunk, const uint8_t *bytes,
                  int64_t n_rows, const char *path, nb_arena *arena, nb_pq_reader **out,
                  nb_error *err)
{
    nb_pq_reader *r = NB_ARENA_NEW(arena, nb_pq_reader);
    const uint8_t *p = bytes, *end = bytes + chunk->n_bytes;
    bool parts = column->max_rep == 0 && column->max_def <= 1; /* leaf.c takes pages whole */
    int64_t done = 0;
    int cap = 0;

    if (!r) {
        return NB_NOMEM;
    }
    r->column = column;
    r->path = path;
    r->arena = arena;
    r->codec = chunk->codec;
    r->width = nb_phys_width(nb_type_storage(column->type)->phys);
    r->n_rows = n_rows;
    r->view.page = -1;
    r->at_page = -1;
    r->coded = true;
    if (!nb_pq_codec_known(chunk->codec)) {
        return nb_pq_reader_damaged(r, "its compression is not implemented", err);
    }
    while (done < n_rows) {
        page one = {.row = done, .number = ++r->at_page};
        size_t head = nb_pq_page_read(p, (size_t)(end - p), &one.head);
        if (head == 0) {
            return nb_pq_reader_damaged(r, "a page header is damaged", err);
        }
        p += head;
        if (one.head.compressed > end - p) {
            return nb_pq_reader_damaged(r, "a page is cut off", err);
        }
        one.bytes = p;
        p += one.head.compressed;
        if (one.head.type == NB_PQ_DICTIONARY_PAGE) {
            if (r->dictionary_page) {
                return nb_pq_reader_damaged(r, "it has two dictionaries", err);
            }
            r->first = one;
            r->dictionary_page = &r->first;
            r->n_dict = one.head.n_values;
            r->at_page--;
            continue;
        }
        if (one.head.type != NB_PQ_DATA_PAGE && one.head.type != NB_PQ_DATA_PAGE_V2) {
            continue;
        }
        if (one.head.n_values > n_rows - done) {
            return nb_pq_reader_damaged(r, "pages hold more rows than the row group", err);
        }
        for (int64_t left = one.head.n_values, at = 0; left > 0 || at == 0; at += NB_PQ_PART) {
            page part = one;
            page *wider = nb_arena_grow(arena, r->pages, r->n_pages, &cap, sizeof(page));
            if (!wider) {
                return NB_NOMEM;
            }
            r->pages = wider;
            part.head.n_values = NB_MIN(left, parts ? NB_PQ_PART : left);
            part.row += at;
            part.skip = at;
            r->pages[r->n_pages++] = part;
            r->longest = NB_MAX(r->longest, part.head.n_values);
            left -= part.head.n_values;
        }
        r->coded &= nb_pq_is_code(one.head.encoding);
        done += one.head.n_values;
    }
    r->coded &= r->dictionary_page != NULL && r->n_pages > 0;
    *out = r;
    return NB_OK;
}

void
nb_pq_reader_watch(nb_pq_reader *r, const nb_cancel_flag *cancel, nb_pq_counts *counts)
{
    r->cancel = cancel;
    r->counts = counts;
}

bool
nb_pq_reader_is_coded(const nb_pq_reader *r)
{
    return r->coded;
}

int64_t
nb_pq_reader_entries(const nb_pq_reader *r)
{
    return r->n_dict;
}

/* ---- pages ----------------------------------------------------------------------------------- */

static nb_status
need_dictionary(nb_pq_reader *r, nb_error *err)
{
    const nb_pq_page *h = &r->first.head;
    const uint8_t *bytes;

    if (r->has_dict) {
        return NB_OK;
    }
    r->at_page = -1;
    if (!r->dictionary_page) {
        return nb_pq_reader_damaged(r, "a page refers to a dictionary that is not there", err);
    }
    if (h->n_values > h->uncompressed * (r->column->physical == NB_PQ_BOOLEAN ? 8 : 1) ||
        h->n_values >= INT32_MAX) {
        return nb_pq_reader_damaged(r, "its dictionary is cut off", err);
    }
    bytes = r->prepared;
    if (!bytes) {
        NB_TRY(nb_pq_reader_unpack(r, r->codec, r->first.bytes, (size_t)h->compressed,
                                   (size_t)h->uncompressed, true, &bytes, err));
    }
    if (nb_pq_plain_width(r->column) && ((uintptr_t)bytes & 15) == 0 && !r->column->optional) {
        /* used where it lies */
        r->dict = (nb_vector){.type = r->column->type, .data = (void *)bytes};
        if (h->n_values > h->uncompressed / r->width) {
            return nb_pq_reader_damaged(r, "its dictionary is cut off", err);
        }
    } else {
        NB_TRY(nb_vector_alloc(r->arena, r->column->type, h->n_values + 1, &r->dict));
        if (!nb_pq_plain(r->column, bytes, bytes + h->uncompressed, h->n_values, r->dict.data)) {
            return nb_pq_reader_damaged(r, "its dictionary is cut off", err);
        }
    }
    r->dict.n_rows = (int32_t)h->n_values;
    if (r->column->optional) {
        memset((char *)r->dict.data + (size_t)r->n_dict * (size_t)r->width, 0, (size_t)r->width);
        r->dict.n_rows++;
        NB_TRY(nb_vector_need_validity(r->arena, &r->dict));
        nb_bit_clear(r->dict.validity, r->n_dict);
    }
    nb_pq_reader_decoded(r, h->n_values);
    r->has_dict = true;
    r->dict_id = nb_dict_next_id();
    r->at_page = r->opening;
    return NB_OK;
}

nb_status
nb_pq_reader_dictionary(nb_pq_reader *r, const nb_vector **out, nb_error *err)
{
    NB_TRY(need_dictionary(r, err));
    *out = &r->dict;
    return NB_OK;
}

static nb_status
need_scratch(nb_pq_reader *r)
{
    if (r->codes) {
        return NB_OK;
    }
    r->codes = NB_ARENA_ARRAY(r->arena, uint32_t, r->longest + 64);
    if (!r->codes) {
        return NB_NOMEM;
    }
    if (r->column->optional) {
        r->levels = NB_ARENA_ARRAY(r->arena, uint32_t, r->longest + 64);
        r->validity = nb_arena_alloc(r->arena, NB_BITMAP_BYTES(r->longest) + 8);
        if (!r->levels || !r->validity) {
            return NB_NOMEM;
        }
    }
    return NB_OK;
}

/* From dense values to one per row, from the back; rows without a value get zeroes. Without branches: where nulls are is anybody's guess. */
NB_INLINE void
spread_impl(char *base, int width, const uint32_t *restrict levels, int64_t n, int64_t n_there)
{
    for (int64_t i = n; i-- > 0;) {
        uint64_t v[2] = {0}, mask = 0 - (uint64_t)levels[i];

        n_there -= levels[i];
        memcpy(v, base + (size_t)n_there * (size_t)width, (size_t)width);
        v[0] &= mask;
        v[1] &= mask;
        memcpy(base + (size_t)i * (size_t)width, v, (size_t)width);
    }
}

static void
spread(void *data, int width, const uint32_t *levels, int64_t n, int64_t n_there)
{
    switch (width) {
    case 1: spread_impl(data, 1, levels, n, n_there); break;
    case 2: spread_impl(data, 2, levels, n, n_there); break;
    case 4: spread_impl(data, 4, levels, n, n_there); break;
    case 8: spread_impl(data, 8, levels, n, n_there); break;
    default: spread_impl(data, 16, levels, n, n_there); break;
    }
}

/* The same of codes; `none` stands for no value. */
static void
spread_codes(uint32_t *codes, const uint32_t *restrict levels, int64_t n, int64_t n_there,
             uint32_t none)
{
    for (int64_t i = n; i-- > 0;) {
        uint32_t mask = 0 - levels[i];

        n_there -= levels[i];
        codes[i] = (codes[n_there] & mask) | (none & ~mask);
    }
}

/* Are all of the levels 1, told by one run? Columns that may have nulls mostly have none. */
static bool
all_there(const uint8_t *p, const uint8_t *end, int64_t n)
{
    uint64_t head = 0;

    for (int shift = 0; p < end && shift < 56; shift += 7) {
        uint8_t byte = *p++;

        head |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return !(head & 1) && head >> 1 >= (uint64_t)n && p < end && *p == 1;
        }
    }
    return false;
}

/* Definition levels (0 or 1) of n rows behind the first `skip`: *before of these are there, *n_there of the n. */
static nb_status
read_levels(nb_pq_reader *r, const uint8_t *p, const uint8_t *end, int64_t skip, int64_t n,
            int64_t *before, int64_t *n_there, nb_error *err)
{
    int64_t there = 0;

    if (all_there(p, end, skip + n)) {
        *before = skip;
        *n_there = n;
        return NB_OK;
    }
    if (skip ? !nb_pq_hybrid_from(p, end, 1, skip, n, r->levels, before)
             : !nb_pq_hybrid(p, end, 1, n, r->levels)) {
        return nb_pq_reader_damaged(r, "definition levels are cut off", err);
    }
    for (int64_t i = 0; i < n; i++) {
        there += r->levels[i];
    }
    *n_there = there;
    return NB_OK;
}

/* The same of the deprecated encoding: *bytes moves behind all of the page's. */
static nb_status
read_packed_levels(nb_pq_reader *r, const page *p, const uint8_t **bytes, const uint8_t *end,
                   int64_t *before, int64_t *n_there, nb_error *err)
{
    int64_t size = (p->head.total + 7) / 8, there = 0;

    if (size > end - *bytes) {
        return nb_pq_reader_damaged(r, "definition levels are cut off", err);
    }
    for (int64_t i = 0; i < p->skip / 8; i++) {
        *before += __builtin_popcount((*bytes)[i]);
    }
    nb_pq_bit_packed(*bytes + p->skip / 8, 1, p->head.n_values, r->levels);
    for (int64_t i = 0; i < p->head.n_values; i++) {
        there += r->levels[i];
    }
    *n_there = there;
    *bytes += size;
    return NB_OK;
}

NB_SIMD_CLONES static uint32_t
greatest(const uint32_t *codes, int64_t n)
{
    uint32_t most = 0;

    for (int64_t i = 0; i < n; i++) {
        most = NB_MAX(most, codes[i]);
    }
    return most;
}

static nb_status
take_codes(nb_pq_reader *r, const uint8_t *p, const uint8_t *end, int64_t before, int64_t n,
           int64_t n_there, nb_error *err)
{
    if (n_there > 0) {
        if (p >= end || *p > 32 ||
            (before ? !nb_pq_hybrid_from(p + 1, end, *p, before, n_there, r->codes, NULL)
                    : !nb_pq_hybrid(p + 1, end, *p, n_there, r->codes))) {
            return nb_pq_reader_damaged(r, "dictionary indices are cut off", err);
        }
        if (greatest(r->codes, n_there) >= r->n_dict) {
            return nb_pq_reader_damaged(r, "a dictionary index is out of range", err);
        }
    }
    if (n_there < n) {
        spread_codes(r->codes, r->levels, n, n_there, (uint32_t)r->n_dict);
    }
    r->view.coded = true;
    r->view.complete = n_there == n;
    r->view.codes = r->codes;
    return NB_OK;
}

/* From dense values to one per row, and which rows have none. */
static void
spread_values(nb_pq_reader *r, int64_t n, int64_t n_there)
{
    if (n_there == n) {
        return;
    }
    spread(r->dense, r->width, r->levels, n, n_there);
    for (int64_t i = 0; i < n; i += 64) {
        uint64_t word = 0;
        for (int64_t k = 0; k < NB_MIN(n - i, 64); k++) {
            word |= (uint64_t)r->levels[i + k] << k;
        }
        r->validity[i / 64] = word;
    }
    r->view.validity = r->validity;
}

/* Values behind others of a large page: all up to them are taken. Each is some bits of the page at least, so that these are not more than it explains. */
static nb_status
take_later_values(nb_pq_reader *r, int encoding, const uint8_t *p, const uint8_t *end,
                  int64_t before, int64_t n, int64_t n_there, nb_error *err)
{
    int64_t room = NB_MAX(before + n_there, n) + 8;
    const char *problem;
    nb_status st;

    r->dense = nb_arena_alloc64(r->arena, (size_t)room * (size_t)r->width);
    if (!r->dense) {
        return NB_NOMEM;
    }
    st = nb_pq_values(r->column, encoding, p, end, before + n_there, r->arena, r->dense, &problem);
    if (st < 0) {
        return st == NB_NOMEM ? st : nb_pq_reader_damaged(r, problem, err);
    }
    memmove(r->dense, (char *)r->dense + (size_t)before * (size_t)r->width,
            (size_t)n_there * (size_t)r->width);
    r->view.values = r->dense;
    spread_values(r, n, n_there);
    return NB_OK;
}

static nb_status
take_values(nb_pq_reader *r, int encoding, const uint8_t *p, const uint8_t *end, int64_t before,
            int64_t n, int64_t n_there, nb_error *err)
{
    int width = nb_pq_plain_width(r->column);
    const char *problem;
    nb_status st;

    r->view.coded = false;
    r->view.validity = NULL;
    if (encoding == NB_PQ_PLAIN && width) {
        if (before + n_there > (end - p) / width) {
            return nb_pq_reader_damaged(r, "values are cut off", err);
        }
        p += before * width;
        before = 0;
        if (n_there == n) {
            r->view.values = p;
            return NB_OK;
        }
    }
    if (before) {
        return take_later_values(r, encoding, p, end, before, n, n_there, err);
    }
    if (!r->dense) {
        r->dense = nb_arena_alloc64(r->arena, (size_t)(r->longest + 8) * (size_t)r->width);
        if (!r->dense) {
            return NB_NOMEM;
        }
    }
    r->view.values = r->dense;
    st = nb_pq_values(r->column, encoding, p, end, n_there, r->arena, r->dense, &problem);
    if (st < 0) {
        return st == NB_NOMEM ? st : nb_pq_reader_damaged(r, problem, err);
    }
    spread_values(r, n, n_there);
    return NB_OK;
}

/* Makes the view one of page i. */
static nb_status
open_page(nb_pq_reader *r, int i, nb_error *err)
{
    const page *p = &r->pages[i];
    const nb_pq_page *h = &p->head;
    const uint8_t *bytes, *end;
    int64_t n = h->n_values, n_there = n, before = p->skip, head = nb_pq_page_head_bytes(h);
    bool coded = nb_pq_is_code(h->encoding);
    int codec = r->codec;

    if (nb_cancelled(r->cancel)) {
        return NB_CANCELLED;
    }
    if (r->view.page == i) {
        return NB_OK;
    }
    r->view.page = -1;
    r->at_page = r->opening = p->number;
    NB_TRY(need_scratch(r));
    if (coded) {
        NB_TRY(need_dictionary(r, err));
    }
    if (h->type == NB_PQ_DATA_PAGE_V2) {
        if (head > h->compressed) {
            return nb_pq_reader_damaged(r, "sizes in a page header disagree", err);
        }
        if (r->column->optional) {
            NB_TRY(read_levels(r, p->bytes + h->rep_bytes, p->bytes + head, p->skip, n, &before,
                               &n_there, err));
        }
        codec = h->is_compressed ? codec : NB_PQ_UNCOMPRESSED;
    }
    bytes = p->ready;
    if (bytes == NULL) {
        NB_TRY(nb_pq_reader_unpack(r, codec, p->bytes + head, (size_t)(h->compressed - head),
                                   (size_t)(h->uncompressed - head),
                                   !coded && nb_pq_values_stay(r->column, h->encoding), &bytes,
                                   err));
    }
    end = bytes + h->uncompressed - head;
    if (h->type == NB_PQ_DATA_PAGE && r->column->optional && h->def_encoding == NB_PQ_BIT_PACKED) {
        before = 0;
        NB_TRY(read_packed_levels(r, p, &bytes, end, &before, &n_there, err));
    } else if (h->type == NB_PQ_DATA_PAGE && r->column->optional) {
        uint32_t len;
        if (end - bytes < 4) {
            return nb_pq_reader_damaged(r, "definition levels are cut off", err);
        }
        memcpy(&len, bytes, 4);
        if (len > (size_t)(end - bytes - 4)) {
            return nb_pq_reader_damaged(r, "definition levels are cut off", err);
        }
        NB_TRY(read_levels(r, bytes + 4, bytes + 4 + len, p->skip, n, &before, &n_there, err));
        bytes += 4 + len;
    }
    nb_pq_reader_decoded(r, n_there);
    NB_TRY(coded ? take_codes(r, bytes, end, before, n, n_there, err)
                 : take_values(r, h->encoding, bytes, end, before, n, n_there, err));
    r->view.page = i;
    return NB_OK;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* How many of rows[from..n) lie before row `end`. */
static int64_t
count_before(const uint32_t *rows, int64_t from, int64_t n, int64_t end)
{
    int64_t low = from, high = n;

    if (n > from && rows[n - 1] < end) {
        return n - from;
    }
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (rows[middle] < end) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low - from;
}

/* How many of rows[at..n) (NULL: of all rows) lie in the page, those before it being done. */
static int64_t
rows_of_page(const page *p, const uint32_t *rows, int64_t at, int64_t n)
{
    return rows ? count_before(rows, at, n, p->row + p->head.n_values) : p->head.n_values;
}

nb_status
nb_pq_reader_select(nb_pq_reader *r, const uint8_t *keep, const uint32_t *rows, int64_t n,
                    uint32_t *out, int64_t *n_out, nb_error *err)
{
    int64_t at = 0, kept = 0;

    for (int i = 0; i < r->n_pages; i++) {
        const page *p = &r->pages[i];
        int64_t m = rows_of_page(p, rows, at, n);
        const uint32_t *codes;
        if (m == 0) {
            continue;
        }
        NB_TRY(open_page(r, i, err));
        codes = r->view.codes;
        if (rows) {
            for (int64_t k = at; k < at + m; k++) {
                uint32_t row = rows[k];
                out[kept] = row;
                kept += keep[codes[row - p->row]];
            }
        } else {
            for (int64_t k = 0; k < m; k++) {
                out[kept] = (uint32_t)(p->row + k);
                kept += keep[codes[k]];
            }
        }
        at += m;
    }
    *n_out = kept;
    return NB_OK;
}

/* to[k] = entries[codes[k]], of rows or of all. */
#define GATHER_CODES(T)                                                        \
    for (int64_t k = 0; k < m; k++) {                                          \
        ((T *)to)[k] = ((const T *)entries)[codes[rows ? rows[k] - row0 : k]]; \
    }
typedef struct wide {
    uint64_t part[2];
} wide;

static void
gather_codes(void *restrict to, const void *restrict entries, const uint32_t *restrict codes,
             const uint32_t *restrict rows, int64_t row0, int64_t m, int width)
{
    switch (width) {
    case 1: GATHER_CODES(uint8_t); break;
    case 2: GATHER_CODES(uint16_t); break;
    case 4: GATHER_CODES(uint32_t); break;
    case 8: GATHER_CODES(uint64_t); break;
    default: GATHER_CODES(wide); break;
    }
}

/* Values may lie at any address. */
static void
gather_values(void *restrict to, const void *restrict values, const uint32_t *restrict rows,
              int64_t row0, int64_t m, int width)
{
    const char *from = values;

    if (!rows || rows[m - 1] - rows[0] == (uint64_t)m - 1) {
        from += rows ? (size_t)(rows[0] - row0) * (size_t)width : 0;
        memcpy(to, from, (size_t)m * (size_t)width);
        return;
    }
    switch (width) {
    case 4:
        for (int64_t k = 0; k < m; k++) {
            memcpy((uint32_t *)to + k, from + (size_t)(rows[k] - row0) * 4, 4);
        }
        break;
    case 8:
        for (int64_t k = 0; k < m; k++) {
            memcpy((uint64_t *)to + k, from + (size_t)(rows[k] - row0) * 8, 8);
        }
        break;
    case 16:
        for (int64_t k = 0; k < m; k++) {
            memcpy((wide *)to + k, from + (size_t)(rows[k] - row0) * 16, 16);
        }
        break;
    default:
        for (int64_t k = 0; k < m; k++) {
            memcpy((char *)to + k * width, from + (size_t)(rows[k] - row0) * (size_t)width,
                   (size_t)width);
        }
        break;
    }
}

static nb_status
copy_validity(nb_pq_reader *r, const page *p, const uint32_t *rows, int64_t at, int64_t m,
              nb_vector *out)
{
    const view *v = &r->view;

    if (v->coded ? v->complete : v->validity == NULL) {
        return NB_OK;
    }
    for (int64_t k = 0; k < m; k++) {
        int64_t row = rows ? (int64_t)rows[at + k] - p->row : k;
        bool valid = v->coded ? v->codes[row] != r->n_dict : nb_bit_get(v->validity, row);
        if (!valid) {
            NB_TRY(nb_vector_need_validity(r->arena, out));
            nb_bit_clear(out->validity, at + k);
        }
    }
    return NB_OK;
}

nb_status
nb_pq_reader_read(nb_pq_reader *r, const uint32_t *rows, int64_t n, nb_vector *out, nb_error *err)
{
    /* of few rows the strings themselves: whoever gets codes may work once per entry */
    bool as_codes =
        r->coded && nb_type_storage(r->column->type)->phys == NB_PHYS_STRING && r->n_dict <= n;
    uint32_t *indices = NULL;
    nb_vector made;
    int64_t at = 0;

    if (as_codes) {
        indices = NB_ARENA_ARRAY(r->arena, uint32_t, n + 8);
        if (!indices) {
            return NB_NOMEM;
        }
        NB_TRY(need_dictionary(r, err));
        made = (nb_vector){.type = r->column->type,
                           .kind = NB_VEC_DICT,
                           .n_rows = (int32_t)n,
                           .indices = indices,
                           .dict = &r->dict,
                           .dict_id = r->dict_id};
    } else {
        NB_TRY(nb_vector_alloc(r->arena, r->column->type, n, &made));
    }
    for (int i = 0; i < r->n_pages; i++) {
        const page *p = &r->pages[i];
        int64_t m = rows_of_page(p, rows, at, n);
        const uint32_t *wanted = rows ? rows + at : NULL;
        char *to = as_codes ? NULL : (char *)made.data + (size_t)at * (size_t)r->width;
        if (m == 0) {
            continue;
        }
        if (r->view.page != i && i + 1 < r->n_pages && rows_of_page(p + 1, rows, at + m, n) > 0) {
            NB_TRY(nb_pq_reader_unpack_two(r, &r->pages[i], &r->pages[i + 1]));
        }
        NB_TRY(open_page(r, i, err));
        if (as_codes) {
            for (int64_t k = 0; k < m; k++) {
                indices[at + k] = r->view.codes[wanted ? wanted[k] - p->row : k];
            }
        } else if (r->view.coded) {
            gather_codes(to, r->dict.data, r->view.codes, wanted, p->row, m, r->width);
            NB_TRY(copy_validity(r, p, rows, at, m, &made));
        } else {
            gather_values(to, r->view.values, wanted, p->row, m, r->width);
            NB_TRY(copy_validity(r, p, rows, at, m, &made));
        }
        at += m;
    }
    *out = made;
    return NB_OK;
}
