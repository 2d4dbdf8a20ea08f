/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statistics.c: what footers and dictionary pages tell the optimizer about a column.
 *
 * Ranges and null counts are those of the footers. How many values differ is estimated: a dictionary page says how many the first row group
 * has; when they are few against its rows, further groups will hardly bring others, else each brings as many new ones, up to the width of
 * the range.
 */
#include "io/parquet/nested.h"
#include "io/parquet/parquet.h"

#include <math.h>

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
