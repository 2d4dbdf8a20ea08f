/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader_internal.h: what reader.c (columns with a value per row) and leaf.c (columns within lists and structs) share: the pages of a chunk.
 */
#ifndef NB_IO_PARQUET_READER_INTERNAL_H
#define NB_IO_PARQUET_READER_INTERNAL_H

#include "io/parquet/reader.h"

/* A page, or a part of one that claims more values than anybody should hold at once. */
typedef struct page {
    nb_pq_page head; /* n_values: of the part */
    const uint8_t *bytes;
    int64_t row;          /* first */
    int64_t skip;         /* values of the page before the part */
    int number;           /* of the page, among the data pages */
    const uint8_t *ready; /* its values, decompressed together with another page's; NULL: not yet */
} page;

/* Values that are taken out of a page at once, at most; a multiple of 8. A few bytes can say "null" two billion times. */
#define NB_PQ_PART ((int64_t)1 << 20)

typedef struct view {
    int page; /* -1: none */
    bool coded;
    bool complete; /* of codes: none is null */
    const uint32_t *codes;
    const void *values;       /* width bytes per row */
    const uint64_t *validity; /* of values; NULL: none is null */
} view;

struct nb_pq_reader {
    const nb_pq_column *column;
    const char *path;
    nb_arena *arena;
    int codec, width;
    int64_t n_rows;
    page *pages;
    int n_pages;
    bool coded;
    const page *dictionary_page;
    page first;              /* the dictionary page */
    const uint8_t *prepared; /* its bytes, decompressed; NULL: not yet */
    nb_vector dict;
    uint64_t dict_id;
    int64_t n_dict;
    bool has_dict;
    view view;
    uint32_t *codes, *levels; /* scratch of the longest page */
    uint64_t *validity;
    void *dense;
    uint8_t *unpacked;
    size_t cap_unpacked;
    int64_t longest;
    const nb_cancel_flag *cancel;
    nb_pq_counts *counts; /* NULL: nobody looks */
    int at_page,
        opening; /* for messages: which page is looked at (-1: the dictionary's), and for which one */
};

NB_INLINE void
nb_pq_reader_decoded(nb_pq_reader *r, int64_t n)
{
    if (r->counts != NULL) {
        r->counts->values_decoded += n;
    }
}

/* Is the encoding one of indices into the dictionary? */
bool nb_pq_is_code(int encoding);
/* Raises that the column is damaged, and where. */
nb_status nb_pq_reader_damaged(const nb_pq_reader *r, const char *what, nb_error *err);
/* Decompresses; keep: the bytes must stay when the next page comes. At least NB_PQ_SLACK bytes behind the result may be read. */
nb_status nb_pq_reader_unpack(nb_pq_reader *r, int codec, const uint8_t *in, size_t n_in,
                              size_t n_out, bool keep, const uint8_t **out, nb_error *err);
/* Decompresses the values of two pages together, when they stay and are Snappy's: open_page then finds them ready. Damage is found there. */
nb_status nb_pq_reader_unpack_two(nb_pq_reader *r, page *a, page *b);
/* Where the levels of a page of version 2 end, which are never compressed. */
NB_INLINE int64_t
nb_pq_page_head_bytes(const nb_pq_page *h)
{
    return h->type == NB_PQ_DATA_PAGE_V2 ? h->def_bytes + h->rep_bytes : 0;
}

#endif
