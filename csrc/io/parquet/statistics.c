/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statistics.c: what footers and dictionary pages tell the optimizer about a column.
 *
 * Bounds are for certain, or not given: only integers that are stored as they are read, and decimals of up to 18 digits, have such, in chunks whose nulls
 * are counted; strings are cut,
 * zeroes have signs, and what old writers took for the order of other types is not known.
 *
 * Statistics are ranges and null counts of the footers. How many values differ is estimated: a dictionary page says how many the first row group
 * has; when they are few against its rows, further groups will hardly bring others, else each brings as many new ones, up to the width of
 * the range.
 */
#include "io/parquet/nested.h"
#include "io/parquet/parquet.h"

#include <math.h>

#include "base/decimal.h"

#define HEADER_BYTES 64

/* Entries of the dictionary page of a chunk, -1 when there is none. */
static double
dictionary_entries(const nb_relation *rel, int file, const nb_pq_chunk *chunk)
{
    uint8_t bytes[HEADER_BYTES];
    size_t got = 0;
    nb_file *f = NULL;
    nb_error quiet = NB_ERROR_INIT;
    nb_pq_page page;
    double n = -1;

    if (!chunk->has_dictionary) {
        return -1;
    }
    if (nb_file_open(rel->pool, rel->files.files[file].path.data, &f, &quiet) == NB_OK &&
        nb_file_read_at(f, chunk->offset, bytes, sizeof bytes, &got, &quiet) == NB_OK && got &&
        nb_pq_page_read(bytes, got, &page) && page.type == NB_PQ_DICTIONARY_PAGE) {
        n = (double)page.n_values;
    }
    nb_file_close(f);
    nb_error_clear(&quiet);
    return n;
}

/* The leaf of a flat column; -1: none. */
static int
find_column(const nb_relation *rel, const nb_pq_meta *m, int column)
{
    int at = nb_pq_find_node(m->fields, m->n_fields, rel->data_schema->children[column].name);

    return at >= 0 && nb_pq_node_is_flat(&m->fields[at]) ? m->fields[at].leaf : -1;
}

void
nb_pq_column_stats(const nb_relation *rel, int column, nb_column_stats *out)
{
    const nb_pq_relation *p = rel->payload;
    const nb_type *type = rel->data_schema->children[column].type;
    double first = -1, first_rows = 0, groups = 0, low = INFINITY, high = -INFINITY, nulls = 0;
    double unit = type->id == NB_TYPE_DECIMAL ? pow(10, -type->scale) : 1;
    bool has_range = true;

    for (int f = 0; f < rel->files.n_files; f++) {
        const nb_pq_meta *m = p->metas[f];
        int c = find_column(rel, m, column);
        for (int g = 0; g < m->n_groups && c >= 0; g++) {
            const nb_pq_chunk *k = &m->groups[g].chunks[c];
            if (m->columns[c].type != type) {
                return;
            }
            if (first_rows == 0 && m->groups[g].n_rows > 0) {
                first = dictionary_entries(rel, f, k);
                first_rows = (double)m->groups[g].n_rows;
            }
            groups += m->groups[g].n_rows > 0;
            has_range &= k->has_range;
            low = fmin(low, (double)k->low);
            high = fmax(high, (double)k->high);
            nulls = nulls < 0 || k->n_nulls < 0 ? -1 : nulls + (double)k->n_nulls;
        }
    }
    if (groups == 0) {
        return;
    }
    out->n_nulls = nulls;
    if (first >= 0) {
        out->distinct = first < first_rows * 0.1 ? first : first * groups;
    }
    if (has_range) {
        double width = high - low + 1;
        out->has_range = true;
        out->low = low * unit;
        out->high = high * unit;
        out->distinct = out->distinct < 0 ? width : fmin(out->distinct, width);
    }
}

/* Can the type hold the value? A file may say anything. */
static bool
holds(const nb_type *type, int64_t v)
{
    switch (type->id) {
    case NB_TYPE_INT8: return v >= INT8_MIN && v <= INT8_MAX;
    case NB_TYPE_INT16: return v >= INT16_MIN && v <= INT16_MAX;
    case NB_TYPE_INT32:
    case NB_TYPE_DATE: return v >= INT32_MIN && v <= INT32_MAX;
    case NB_TYPE_INT64:
    case NB_TYPE_TIMESTAMP:
    case NB_TYPE_TIMESTAMP_NTZ: return true;
    case NB_TYPE_DECIMAL: return type->phys == NB_PHYS_INT64 && nb_decimal_fits(v, type->precision);
    default: return false;
    }
}

void
nb_pq_column_bounds(const nb_relation *rel, int column, nb_column_bounds *out)
{
    const nb_pq_relation *p = rel->payload;
    const nb_type *type = rel->data_schema->children[column].type;
    nb_column_bounds b = {.exact = true, .low = INT64_MAX, .high = INT64_MIN};

    for (int f = 0; f < rel->files.n_files; f++) {
        const nb_pq_meta *m = p->metas[f];
        int c = find_column(rel, m, column);
        if (c < 0 || m->columns[c].type != type) {
            return;
        }
        for (int g = 0; g < m->n_groups; g++) {
            const nb_pq_chunk *k = &m->groups[g].chunks[c];
            if (m->groups[g].n_rows == 0) {
                continue;
            }
            if (k->n_nulls < 0 || k->n_nulls > m->groups[g].n_rows) {
                return;
            }
            b.n_nulls += k->n_nulls;
            if (k->n_nulls == m->groups[g].n_rows) {
                continue;
            }
            if (k->is_inexact || !nb_pq_has_plain_range(&m->columns[c], k, type) ||
                !holds(type, k->low) || !holds(type, k->high)) {
                return;
            }
            b.any = true;
            b.low = NB_MIN(b.low, k->low);
            b.high = NB_MAX(b.high, k->high);
        }
    }
    *out = b;
}
