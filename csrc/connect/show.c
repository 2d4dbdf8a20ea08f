/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show.c: df.show(): rows as a text table, as Spark draws it.
 *
 * Cells are spelled by nb_format_value; line breaks and other control characters are escaped; wide (East Asian) characters count two columns.
 * With truncate > 0 cells are cut and set to the right, without they are set to the left.
 */
#include <stdio.h>
#include "base/utf8.h"
#include "connect/describe.h"
#include "expr/cast.h"

typedef struct grid {
    nb_arena *arena;
    int n_cols, n_rows;
    nb_str *header;
    nb_str *cells; /* n_rows × n_cols */
} grid;

static nb_str
escaped(nb_arena *arena, nb_str s)
{
    static const char from[] = "\n\r\t\f\b\v\a", to[] = "nrtfbva";
    nb_strbuf b = {0};
    bool any = false;

    for (size_t i = 0; i < s.len; i++) {
        any |= s.data[i] > 0 && s.data[i] < 32;
    }
    if (!any) {
        return s;
    }
    for (size_t i = 0; i < s.len; i++) {
        const char *at = s.data[i] ? strchr(from, s.data[i]) : NULL;
        if (at) {
            nb_strbuf_addc(&b, '\\');
            nb_strbuf_addc(&b, to[at - from]);
        } else {
            nb_strbuf_addc(&b, s.data[i]);
        }
    }
    return nb_strbuf_finish(arena, &b);
}

/* The next code point; advances *i. Ill-formed bytes stand for themselves. */
static uint32_t
next_char(nb_str s, size_t *i)
{
    unsigned char c = (unsigned char)s.data[*i];
    int n = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    uint32_t cp = n == 0 ? c : c & (0x3fu >> n);

    (*i)++;
    for (; n > 0 && *i < s.len; n--) {
        cp = (cp << 6) | ((unsigned char)s.data[(*i)++] & 0x3f);
    }
    return cp;
}

/* Spark's full-width ranges (Utils.fullWidthRegex). */
static bool
is_wide(uint32_t c)
{
    return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
           (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0xFE10 && c <= 0xFE19) || (c >= 0xFE30 && c <= 0xFE6F) ||
           (c >= 0xFF00 && c <= 0xFF60) || (c >= 0xFFE0 && c <= 0xFFE6);
}

static int
width_of(nb_str s)
{
    int w = 0;

    for (size_t i = 0; i < s.len;) {
        uint32_t c = next_char(s, &i);
        w += 1 + is_wide(c) +
             (c > 0xffff && !is_wide(c)); /* beyond the BMP: two UTF-16 units, as Java counts */
    }
    return w;
}

static nb_str
cut(nb_arena *arena, nb_str s, int truncate)
{
    size_t i = 0;
    int units = 0, keep = truncate < 4 ? truncate : truncate - 3;
    size_t at = s.len;

    for (; i < s.len;) {
        size_t start = i;
        uint32_t c = next_char(s, &i);
        if (units == keep) {
            at = NB_MIN(at, start);
        }
        units += c > 0xffff ? 2 : 1;
    }
    if (units <= truncate) {
        return s;
    }
    return nb_str_of(nb_arena_printf(arena, "%.*s%s", (int)at, s.data, truncate < 4 ? "" : "..."));
}

static void
pad(nb_strbuf *b, nb_str s, int width, bool left)
{
    int gap = width - width_of(s);

    if (left) {
        nb_strbuf_fill(b, ' ', (size_t)NB_MAX(gap, 0));
    }
    nb_strbuf_add(b, s);
    if (!left) {
        nb_strbuf_fill(b, ' ', (size_t)NB_MAX(gap, 0));
    }
}

static nb_status
fill_grid(nb_query *q, const nb_table *table, int n_rows, int truncate, grid *g)
{
    int row = 0;

    g->arena = q->arena;
    g->n_cols = table->schema->n_children;
    g->n_rows = n_rows;
    g->header = NB_ARENA_ARRAY(q->arena, nb_str, g->n_cols + 1);
    g->cells = NB_ARENA_ARRAY(q->arena, nb_str, (size_t)n_rows * (size_t)g->n_cols + 1);
    if (!g->header || !g->cells) {
        return NB_NOMEM;
    }
    for (int c = 0; c < g->n_cols; c++) {
        g->header[c] = escaped(q->arena, table->schema->children[c].name); /* never cut */
    }
    for (int k = 0; k < table->n_chunks && row < n_rows; k++) {
        for (int64_t i = 0; i < table->chunks[k]->n_rows && row < n_rows; i++, row++) {
            for (int c = 0; c < g->n_cols; c++) {
                nb_strbuf b = {0};
                nb_str s;
                nb_format_value(&b, &q->info, &table->chunks[k]->cols[c], i, NB_TEXT_PRETTY);
                s = nb_strbuf_finish(q->arena, &b);
                s = s.data ? escaped(q->arena, s) : s;
                if (!s.data) {
                    return NB_NOMEM;
                }
                g->cells[row * g->n_cols + c] = truncate > 0 ? cut(q->arena, s, truncate) : s;
            }
        }
    }
    return NB_OK;
}

static void
draw_table(const grid *g, int truncate, nb_strbuf *b)
{
    int *widths = NB_ARENA_ARRAY(g->arena, int, g->n_cols + 1);
    nb_strbuf line = {0};

    if (!widths) {
        b->failed = true;
        return;
    }
    for (int c = 0; c < g->n_cols; c++) {
        widths[c] = NB_MAX(3, width_of(g->header[c]));
        for (int r = 0; r < g->n_rows; r++) {
            widths[c] = NB_MAX(widths[c], width_of(g->cells[r * g->n_cols + c]));
        }
    }
    nb_strbuf_addc(&line, '+');
    for (int c = 0; c < g->n_cols; c++) {
        nb_strbuf_fill(&line, '-', (size_t)widths[c]);
        nb_strbuf_addc(&line, '+');
    }
    if (g->n_cols == 0) {
        nb_strbuf_addc(&line, '+');
    }
    nb_strbuf_addc(&line, '\n');
    nb_strbuf_add(b, nb_strbuf_str(&line));
    for (int r = -1; r < g->n_rows; r++) {
        nb_strbuf_addc(b, '|');
        for (int c = 0; c < g->n_cols; c++) {
            pad(b, r < 0 ? g->header[c] : g->cells[r * g->n_cols + c], widths[c], truncate > 0);
            nb_strbuf_addc(b, '|');
        }
        if (g->n_cols == 0) {
            nb_strbuf_addc(b, '|');
        }
        nb_strbuf_addc(b, '\n');
        if (r < 0) {
            nb_strbuf_add(b, nb_strbuf_str(&line));
        }
    }
    nb_strbuf_add(b, nb_strbuf_str(&line));
    nb_strbuf_free(&line);
}

static void
draw_vertical(const grid *g, nb_strbuf *b)
{
    int name_width = 3, cell_width = 3;

    for (int c = 0; c < g->n_cols; c++) {
        name_width = NB_MAX(name_width, width_of(g->header[c]));
    }
    for (int i = 0; i < g->n_rows * g->n_cols; i++) {
        cell_width = NB_MAX(cell_width, width_of(g->cells[i]));
    }
    for (int r = 0; r < g->n_rows; r++) {
        char head[64];
        int n = snprintf(head, sizeof head, "-RECORD %d", r);
        nb_strbuf_adds(b, head);
        nb_strbuf_fill(b, '-', (size_t)NB_MAX(0, name_width + cell_width + 5 - n));
        nb_strbuf_addc(b, '\n');
        for (int c = 0; c < g->n_cols; c++) {
            nb_strbuf_addc(b, ' ');
            pad(b, g->header[c], name_width, false);
            nb_strbuf_adds(b, " | ");
            pad(b, g->cells[r * g->n_cols + c], cell_width, false);
            nb_strbuf_adds(b, " \n");
        }
    }
}

static void
add_html(nb_strbuf *b, nb_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        switch (s.data[i]) {
        case '&': nb_strbuf_adds(b, "&amp;"); break;
        case '<': nb_strbuf_adds(b, "&lt;"); break;
        case '>': nb_strbuf_adds(b, "&gt;"); break;
        case '"': nb_strbuf_adds(b, "&quot;"); break;
        default: nb_strbuf_addc(b, s.data[i]);
        }
    }
}

static void
draw_html(const grid *g, bool more, nb_strbuf *b)
{
    nb_strbuf_adds(b, "<table border='1'>\n<tr>");
    for (int c = 0; c < g->n_cols; c++) {
        nb_strbuf_adds(b, "<th>");
        add_html(b, g->header[c]);
        nb_strbuf_adds(b, "</th>");
    }
    nb_strbuf_adds(b, "</tr>\n");
    for (int r = 0; r < g->n_rows; r++) {
        nb_strbuf_adds(b, "<tr>");
        for (int c = 0; c < g->n_cols; c++) {
            nb_strbuf_adds(b, "<td>");
            add_html(b, g->cells[r * g->n_cols + c]);
            nb_strbuf_adds(b, "</td>");
        }
        nb_strbuf_adds(b, "</tr>\n");
    }
    nb_strbuf_adds(b, "</table>\n");
    if (more) {
        nb_strbuf_addf(b, "only showing top %d %s\n", g->n_rows, g->n_rows == 1 ? "row" : "rows");
    }
}

nb_status
nb_table_of_text(nb_pool *pool, const char *column, nb_str text, nb_table **out)
{
    text = text.data ? text : NB_STR(""); /* an empty builder has none, and means no null */
    return nb_table_of_texts(pool, &column, 1, &text, 1, out);
}

nb_status
nb_query_show(nb_query *q, const Sc__Relation *rel, nb_table **out, nb_error *err)
{
    bool html = rel->rel_type_case == SC__RELATION__REL_TYPE_HTML_STRING;
    const Sc__Relation *input = html ? rel->html_string->input : rel->show_string->input;
    int num_rows = html ? rel->html_string->num_rows : rel->show_string->num_rows;
    int truncate = html ? rel->html_string->truncate : rel->show_string->truncate;
    Sc__Limit limit = {.base = {.descriptor = &sc__limit__descriptor},
                       .input = (Sc__Relation *)input,
                       .has_limit = true};
    Sc__Relation limited = {.base = {.descriptor = &sc__relation__descriptor},
                            .rel_type_case = SC__RELATION__REL_TYPE_LIMIT,
                            .limit = &limit};
    nb_table *table = NULL;
    nb_plan *plan;
    grid g = {0};
    nb_strbuf b = {0};
    nb_status st;
    bool more;

    num_rows = NB_MIN(NB_MAX(num_rows, 0), 0x7fffffff - 15);
    limit.limit = num_rows + 1;
    if (input && input->rel_type_case == SC__RELATION__REL_TYPE_CATALOG) {
        NB_TRY(nb_query_catalog(q, input->catalog, &table, err));
    } else {
        NB_TRY(nb_query_analyze(q, &limited, &plan, err));
        NB_TRY(nb_query_run(q, plan, &table, err));
    }
    more = table->n_rows > num_rows;
    NB_TRY_GOTO(
        st, fill_grid(q, table, (int)NB_MIN(table->n_rows, (int64_t)num_rows), truncate, &g), done);
    if (html) {
        draw_html(&g, more, &b);
    } else if (rel->show_string->vertical) {
        draw_vertical(&g, &b);
        if (g.n_rows == 0) {
            nb_strbuf_adds(&b, "(0 rows)");
        }
    } else {
        draw_table(&g, truncate, &b);
    }
    if (more && !html) {
        nb_strbuf_addf(&b, "only showing top %d %s", num_rows, num_rows == 1 ? "row" : "rows");
    }
    st = b.failed ? NB_NOMEM
                  : nb_table_of_text(q->pool, html ? "html_string" : "show_string",
                                     nb_strbuf_str(&b), out);
done:
    nb_strbuf_free(&b);
    nb_table_release(table);
    return st;
}
