/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_rows.c: windows filled with texts.
 */
#include "expr/json_rows.h"

#include "expr/kernels/string.h"

#define PAD 64

nb_status
nb_json_rows_init(nb_json_rows *r, nb_arena *arena, const nb_vector *texts, int64_t n)
{
    *r = (nb_json_rows){.texts = texts, .n = n};
    r->index = nb_arena_alloc(arena, sizeof(*r->index));
    r->window = nb_arena_alloc(arena, NB_JSON_WINDOW + PAD);
    nb_json_layout_init(&r->layout, nb_arena_alloc(arena, NB_JSON_LAYOUT_BYTES));
    return r->index && r->window && r->layout.fields ? NB_OK : NB_NOMEM;
}

static nb_str
text_of(const nb_json_rows *r, int64_t i)
{
    return nb_vector_is_null(r->texts, i) ? (nb_str){"", 0} : nb_row_str(r->texts, i);
}

/* Texts from row i on, a line each; none when the first does not fit. */
static void
fill(nb_json_rows *r, int64_t i)
{
    size_t len = 0;

    r->from = r->to = i;
    for (; r->to < r->n; r->to++) {
        nb_str text = text_of(r, r->to);

        if (text.len >= NB_JSON_WINDOW - len) {
            break;
        }
        memcpy(r->window + len, text.data, text.len);
        len += text.len;
        r->window[len++] = '\n';
    }
    memset(r->window + len, 0, PAD);
    nb_json_index_build(r->index, (nb_str){r->window, len}, false);
    r->whole = r->index->n_lines == r->to - r->from;
    r->to = NB_MAX(r->to, i + 1);
}

bool
nb_json_rows_line(nb_json_rows *r, int64_t i, nb_json_line *line)
{
    if (i >= r->to) {
        fill(r, i);
    }
    if (!r->whole) {
        return false;
    }
    r->index->line = (int)(i - r->from);
    if (!nb_json_index_line(r->index, line)) {
        return false;
    }
    line->origin = text_of(r, i).data;
    return true;
}
