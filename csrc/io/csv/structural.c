/* SPDX-License-Identifier: Apache-2.0 */
/*
 * structural.c: the structural scan in three widths, chosen by what the processor has.
 */
#include "io/csv/structural.h"

#include "base/bytes64.h"

static int64_t
line_has_text(const char *p, size_t n, size_t from)
{
    for (; from < n && p[from] != '\n' && p[from] != '\r'; from++) {
        if ((unsigned char)p[from] > ' ') {
            return 1;
        }
    }
    return 0;
}

#define NB_LOOPS "io/csv/structural_tmpl.h"
#include "base/bytes64_tmpl.h"

nb_status
nb_csv_index_build(nb_csv_index *ix, const char *p, size_t n, nb_csv_chars chars)
{
    if (n > ix->cap) {
        size_t cap = NB_ALIGN_UP(n, 65536);
        nb_csv_index_free(ix);
        ix->pos = nb_pool_alloc_aligned(ix->pool, (cap + 64) * sizeof(uint32_t));
        ix->line_end = nb_pool_alloc_aligned(ix->pool, (cap + 64) * sizeof(uint32_t));
        ix->odd = nb_pool_alloc_aligned(ix->pool, cap / 8 + 64);
        ix->cap = cap;
        if (ix->pos == NULL || ix->line_end == NULL || ix->odd == NULL) {
            nb_csv_index_free(ix);
            return NB_NOMEM;
        }
    }
    NB_BYTES64_PICK(index_build)(ix, p, n, chars);
    return NB_OK;
}

void
nb_csv_index_free(nb_csv_index *ix)
{
    if (ix->pos) {
        nb_pool_dealloc_aligned(ix->pool, ix->pos, (ix->cap + 64) * sizeof(uint32_t));
    }
    if (ix->line_end) {
        nb_pool_dealloc_aligned(ix->pool, ix->line_end, (ix->cap + 64) * sizeof(uint32_t));
    }
    if (ix->odd) {
        nb_pool_dealloc_aligned(ix->pool, ix->odd, ix->cap / 8 + 64);
    }
    ix->pos = ix->line_end = NULL;
    ix->odd = NULL;
    ix->cap = 0;
}

int64_t
nb_csv_count_lines(const char *p, size_t n, uint8_t comment)
{
    return NB_BYTES64_PICK(count_lines)(p, n, comment);
}

size_t
nb_csv_first_break(const char *p, size_t n)
{
    const char *nl = memchr(p, '\n', n);
    size_t at = nl ? (size_t)(nl - p) : n;
    const char *cr = memchr(p, '\r', at);

    return cr ? (size_t)(cr - p) : at;
}

size_t
nb_csv_last_break(const char *p, size_t n)
{
    const char *nl = memrchr(p, '\n', n);
    size_t from = nl ? (size_t)(nl - p) : 0;
    const char *cr = memrchr(p + from, '\r', n - from);

    return cr ? (size_t)(cr - p) : nl ? from : n;
}
