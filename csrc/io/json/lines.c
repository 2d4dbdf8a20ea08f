/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.c: the lines of JSON files, which are looked for in windows of the block that was read, together with the quotes in them.
 *
 * What an index does not find, the first line of a split, those that go beyond a block or a window, is given without one.
 */
#include "io/json/json.h"

nb_status
nb_json_lines_init(nb_json_lines *l, nb_pool *pool, const nb_relation *rel,
                   const nb_json_options *o, const nb_cancel_flag *cancel)
{
    bool known = o->line_sep.data == NULL || nb_str_equal(o->line_sep, NB_STR("\n"));

    nb_lines_init(&l->at, pool, rel, cancel);
    l->at.sep = o->line_sep;
    l->at.whole = o->multi_line;
    l->at.charset = o->charset;
    l->index = known && !o->multi_line ? nb_json_index_new(pool) : NULL;
    return l->index == NULL && known && !o->multi_line ? NB_NOMEM : NB_OK;
}

nb_status
nb_json_lines_open(nb_json_lines *l, const nb_file_split *split, nb_error *err)
{
    if (l->index) {
        l->index->n_lines = l->index->line = 0;
    }
    return nb_lines_open(&l->at, split, err);
}

nb_status
nb_json_lines_next(nb_json_lines *l, bool may_read, nb_json_line *line, bool *found, nb_error *err)
{
    *found = true;
    if (l->index != NULL) {
        nb_str ahead;

        if (nb_json_index_line(l->index, line)) {
            return NB_OK;
        }
        ahead = nb_lines_ahead(&l->at);
        ahead.len = NB_MIN(ahead.len, NB_JSON_WINDOW);
        nb_lines_take(&l->at, nb_json_index_build(l->index, ahead, l->at.sep.data == NULL));
        if (nb_json_index_line(l->index, line)) {
            return NB_OK;
        }
    }
    *line = (nb_json_line){.index = NULL};
    if (!may_read && !nb_lines_ready(&l->at)) {
        *found = false;
        return NB_OK;
    }
    return nb_lines_next(&l->at, &line->text, found, err);
}

void
nb_json_lines_free(nb_json_lines *l)
{
    nb_json_index_free(l->index, l->at.pool);
    l->index = NULL;
    nb_lines_free(&l->at);
}
