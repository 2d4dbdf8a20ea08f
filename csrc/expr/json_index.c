/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_index.c: the loop of json_index_tmpl.h in three widths, chosen by what the processor has.
 */
#include "expr/json_index.h"

#include "base/bytes64.h"

#define NB_LOOPS "expr/json_index_tmpl.h"
#include "base/bytes64_tmpl.h"

nb_json_index *
nb_json_index_new(nb_pool *pool)
{
    nb_json_index *ix = nb_pool_alloc(pool, sizeof(*ix));

    if (ix) {
        ix->n_lines = ix->line = 0;
    }
    return ix;
}

void
nb_json_index_free(nb_json_index *ix, nb_pool *pool)
{
    if (ix) {
        nb_pool_dealloc(pool, ix, sizeof(*ix));
    }
}

size_t
nb_json_index_build(nb_json_index *ix, nb_str text, bool cr_ends)
{
    ix->text = text.data;
    ix->line = 0;
    ix->lines[0] = (nb_json_cut){0, 0, 0};
    ix->n_lines = NB_BYTES64_PICK(json_index_build)(ix, text.data, text.len, cr_ends);
    return ix->lines[ix->n_lines].next;
}
