/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows_gather.c: rows of a table by number, and by chunk and place in it.
 */
#include "exec/sort_rows.h"

nb_status
nb_row_index_init(nb_arena *arena, const nb_table *table, nb_row_index *out)
{
    int64_t at = 0, n_hints = (table->n_rows >> 12) + 1;

    *out = (nb_row_index){.table = table};
    if (table->n_rows >= UINT32_MAX) {
        return NB_NOMEM;
    }
    out->starts = NB_ARENA_ARRAY(arena, int64_t, table->n_chunks + 1);
    out->hints = NB_ARENA_ARRAY(arena, uint32_t, n_hints);
    if (out->starts == NULL || out->hints == NULL) {
        return NB_NOMEM;
    }
    for (int c = 0, h = 0; c < table->n_chunks; c++) {
        out->starts[c] = at;
        at += table->chunks[c]->n_rows;
        for (; h < n_hints && (int64_t)h << 12 < at; h++) {
            out->hints[h] = (uint32_t)c;
        }
    }
    out->starts[table->n_chunks] = at;
    return NB_OK;
}

int
nb_rows_compare(const nb_row_index *x, const nb_sort_col *cols, int n_cols, uint32_t a, uint32_t b)
{
    int ca = nb_row_chunk(x, a), cb = nb_row_chunk(x, b);
    int64_t ra = a - x->starts[ca], rb = b - x->starts[cb];

    for (int k = 0; k < n_cols; k++) {
        const nb_vector *va = &x->table->chunks[ca]->cols[cols[k].col];
        const nb_vector *vb = &x->table->chunks[cb]->cols[cols[k].col];
        bool null_a = nb_vector_is_null(va, ra), null_b = nb_vector_is_null(vb, rb);
        int r;

        if (null_a || null_b) {
            r = (int)null_b - (int)null_a;
            r = cols[k].nulls_last ? -r : r;
        } else {
            r = nb_vector_compare(va, ra, vb, rb);
            r = cols[k].descending ? -r : r;
        }
        if (r != 0) {
            return r;
        }
    }
    return 0;
}

#define NB_T       uint8_t
#define NB_NAME(f) w1_##f
#include "exec/rows_gather_tmpl.h"
#define NB_T       uint16_t
#define NB_NAME(f) w2_##f
#include "exec/rows_gather_tmpl.h"
#define NB_T       uint32_t
#define NB_NAME(f) w4_##f
#include "exec/rows_gather_tmpl.h"
#define NB_T       uint64_t
#define NB_NAME(f) w8_##f
#include "exec/rows_gather_tmpl.h"
#define NB_T       nb_uint128
#define NB_NAME(f) w16_##f
#include "exec/rows_gather_tmpl.h"

static nb_status
gather_fixed(const nb_table *table, int col, const nb_place *at, int64_t n, nb_arena *arena,
             const nb_type *type, nb_vector *out)
{
    int n_chunks = table->n_chunks;
    const void **data = NB_ARENA_ARRAY(arena, const void *, n_chunks);
    bool nulls = false;

    if (data == NULL) {
        return NB_NOMEM;
    }
    for (int c = 0; c < n_chunks; c++) {
        data[c] = table->chunks[c]->cols[col].data;
        nulls |= table->chunks[c]->cols[col].validity != NULL;
    }
    NB_TRY(nb_vector_alloc(arena, type, n, out));
    switch (nb_phys_width(nb_type_storage(type)->phys)) {
    case 1: w1_gather(data, &at->chunk, n, out->data); break;
    case 2: w2_gather(data, &at->chunk, n, out->data); break;
    case 4: w4_gather(data, &at->chunk, n, out->data); break;
    case 8: w8_gather(data, &at->chunk, n, out->data); break;
    default: w16_gather(data, &at->chunk, n, out->data); break;
    }
    for (int64_t i = 0; nulls && i < n; i++) {
        if (!nb_is_valid(table->chunks[at[i].chunk]->cols[col].validity, at[i].row)) {
            NB_TRY(nb_vector_need_validity(arena, out));
            nb_bit_clear(out->validity, i);
        }
    }
    return NB_OK;
}

/* Nested and unusual columns: one gather per chunk, then put together and into order. */
static nb_status
gather_general(const nb_table *table, int col, const nb_place *at, int64_t n, nb_arena *arena,
               nb_vector *out)
{
    int n_chunks = table->n_chunks, n_parts = 0;
    uint32_t *rows = NB_ARENA_ARRAY(arena, uint32_t, n), *back = NB_ARENA_ARRAY(arena, uint32_t, n);
    nb_vector *parts = NB_ARENA_ARRAY(arena, nb_vector, n_chunks);
    const nb_vector **list = NB_ARENA_ARRAY(arena, const nb_vector *, n_chunks);
    int64_t *count = nb_arena_zalloc(arena, (size_t)(n_chunks + 1) * sizeof(int64_t));
    nb_vector all;

    if (rows == NULL || back == NULL || parts == NULL || list == NULL || count == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        count[at[i].chunk + 1]++;
    }
    for (int c = 0; c < n_chunks; c++) {
        count[c + 1] += count[c];
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t to = (uint32_t)count[at[i].chunk]++;

        rows[to] = at[i].row;
        back[i] = to;
    }
    for (int c = 0; c < n_chunks; c++) {
        int64_t from = c ? count[c - 1] : 0, m = count[c] - from;

        if (m > 0) {
            NB_TRY(nb_vector_gather(arena, &table->chunks[c]->cols[col], rows + from, m,
                                    &parts[n_parts]));
            list[n_parts] = &parts[n_parts];
            n_parts++;
        }
    }
    NB_TRY(nb_vector_concat(arena, list, n_parts, &all));
    return nb_vector_gather(arena, &all, back, n, out);
}

nb_status
nb_places_gather(const nb_table *table, const int *cols, int n_cols, const nb_place *at, int64_t n,
                 nb_arena *arena, nb_vector *out)
{
    for (int k = 0; k < n_cols; k++) {
        int col = cols ? cols[k] : k;
        const nb_type *type = table->schema->children[col].type;
        nb_phys phys = nb_type_storage(type)->phys;
        bool plain = phys != NB_PHYS_NONE && phys != NB_PHYS_LIST && phys != NB_PHYS_STRUCT;

        for (int c = 0; c < table->n_chunks; c++) {
            plain &= table->chunks[c]->cols[col].kind == NB_VEC_FLAT;
        }
        if (plain) {
            NB_TRY(gather_fixed(table, col, at, n, arena, type, &out[k]));
        } else {
            NB_TRY(gather_general(table, col, at, n, arena, &out[k]));
        }
    }
    return NB_OK;
}

nb_status
nb_rows_gather(const nb_row_index *x, const int *cols, int n_cols, const uint32_t *ids, int64_t n,
               nb_arena *arena, nb_vector *out)
{
    nb_place *at;

    if (x->table->n_chunks == 1) {
        for (int k = 0; k < n_cols; k++) {
            NB_TRY(nb_vector_gather(arena, &x->table->chunks[0]->cols[cols ? cols[k] : k], ids, n,
                                    &out[k]));
        }
        return NB_OK;
    }
    at = NB_ARENA_ARRAY(arena, nb_place, n);
    if (at == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        int c = nb_row_chunk(x, ids[i]);
        at[i] = (nb_place){(uint32_t)c, (uint32_t)(ids[i] - x->starts[c])};
    }
    return nb_places_gather(x->table, cols, n_cols, at, n, arena, out);
}
