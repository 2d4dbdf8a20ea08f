/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_index.c: see page_index.h.
 */
#include "io/parquet/page_index.h"

static nb_thrift
open_text(nb_str s)
{
    return (nb_thrift){.p = (const uint8_t *)s.data, .end = (const uint8_t *)s.data + s.len};
}

/* The places of pages; their number. */
static int64_t
read_places(nb_str text, nb_arena *arena, nb_pq_page_bounds **out, bool *no_memory)
{
    nb_thrift t = open_text(text);
    nb_pq_page_bounds *pages = NULL;
    int64_t n = 0;
    int id = 0, type, kind;

    while ((type = nb_thrift_field(&t, &id)) != NB_T_STOP) {
        if (id != 1 || type != NB_T_LIST || pages) {
            nb_thrift_skip(&t, type);
            continue;
        }
        n = nb_thrift_list(&t, &kind);
        pages = nb_arena_zalloc(arena, sizeof(nb_pq_page_bounds) * (size_t)(n + 1));
        if (!pages) {
            *no_memory = true;
            return 0;
        }
        for (int64_t i = 0; i < n && !t.bad && kind == NB_T_STRUCT; i++) {
            int inner = 0, what;
            while ((what = nb_thrift_field(&t, &inner)) != NB_T_STOP) {
                if (inner == 3) {
                    pages[i].first_row = nb_thrift_int(&t);
                } else {
                    nb_thrift_skip(&t, what);
                }
            }
        }
        t.bad |= kind != NB_T_STRUCT;
    }
    *out = pages;
    return t.bad ? 0 : n;
}

static bool
read_bounds(nb_str text, nb_pq_page_bounds *pages, int64_t n)
{
    nb_thrift t = open_text(text);
    int id = 0, type, kind, seen = 0;

    while ((type = nb_thrift_field(&t, &id)) != NB_T_STOP) {
        int64_t m;
        if (type != NB_T_LIST || id < 1 || id > 3) {
            nb_thrift_skip(&t, type);
            continue;
        }
        m = nb_thrift_list(&t, &kind);
        t.bad |= m != n || (id == 1) != (kind == NB_T_TRUE || kind == NB_T_FALSE) ||
                 (id != 1 && kind != NB_T_BINARY);
        for (int64_t i = 0; i < n && !t.bad; i++) {
            if (id == 1) {
                t.bad = t.p >= t.end;
                pages[i].is_null = !t.bad && *t.p++ == NB_T_TRUE;
            } else if (id == 2) {
                pages[i].low = nb_thrift_binary(&t);
            } else {
                pages[i].high = nb_thrift_binary(&t);
            }
        }
        seen |= 1 << id;
    }
    return !t.bad && seen == (1 << 1 | 1 << 2 | 1 << 3);
}

nb_status
nb_pq_page_index_read(nb_str column_index, nb_str offset_index, int64_t n_rows, nb_arena *arena,
                      nb_pq_page_bounds **out, int *n)
{
    nb_pq_page_bounds *pages = NULL;
    bool no_memory = false;
    int64_t found = read_places(offset_index, arena, &pages, &no_memory);

    *n = 0;
    if (no_memory) {
        return NB_NOMEM;
    }
    if (found == 0 || found > INT32_MAX || pages[0].first_row != 0 ||
        !read_bounds(column_index, pages, found)) {
        return NB_OK;
    }
    for (int64_t i = 0; i < found; i++) {
        int64_t end = i + 1 < found ? pages[i + 1].first_row : n_rows;
        if (end < pages[i].first_row) {
            return NB_OK;
        }
    }
    *out = pages;
    *n = (int)found;
    return NB_OK;
}
