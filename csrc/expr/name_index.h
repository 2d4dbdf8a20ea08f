/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name_index.h: from a function's name, in any case, to the row of its table.
 *
 * Built once from the rows' "name|alias|alias" texts; read-only afterwards.
 */
#ifndef NB_EXPR_NAME_INDEX_H
#define NB_EXPR_NAME_INDEX_H

#include "base/str.h"

#define NB_NAME_INDEX_SLOTS 4096 /* a power of two, several times the number of names */

typedef struct nb_name_index {
    struct {
        const char *name; /* not terminated */
        uint16_t len;
        uint16_t row;
    } slots[NB_NAME_INDEX_SLOTS];
    int n;
} nb_name_index;

/* The first row that claims a name keeps it. */
void nb_name_index_add(nb_name_index *index, const char *names, int row);
int nb_name_index_find(const nb_name_index *index, nb_str name); /* -1 when unknown */

#endif
