/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shred.c: see shred.h.
 *
 * A *slot* is a place at which a node has a value or lacks one. The slots of the top are the rows; a struct's fields have its slots, a list's entries one slot each,
 * and one for a list that is empty or not there. What reaches a leaf is what the file holds: values of the slots that have one, levels of all.
 */
#include "io/parquet/shred.h"

#define NOT_THERE UINT32_MAX

typedef struct slots {
    uint32_t *rows; /* in the node's vector, or NOT_THERE */
    uint8_t *def, *rep;
    int64_t n;
} slots;

typedef struct shredder {
    const nb_pq_out_schema *schema;
    nb_pq_column_writer *const *writers;
    nb_arena *scratch;
} shredder;

static nb_status
new_slots(nb_arena *scratch, int64_t n, slots *out)
{
    out->rows = NB_ARENA_ARRAY(scratch, uint32_t, n + 1);
    out->def = nb_arena_alloc(scratch, (size_t)n + 1);
    out->rep = nb_arena_alloc(scratch, (size_t)n + 1);
    out->n = n;
    return out->rows && out->def && out->rep ? NB_OK : NB_NOMEM;
}

/* The slots with the node's own level: those at which it is null are not there. */
static nb_status
own_slots(shredder *s, const nb_pq_out_node *node, const nb_vector *v, const slots *above,
          slots *out)
{
    bool all_null = v->type->id == NB_TYPE_NULL;

    if (!node->optional) {
        *out = *above;
        return NB_OK;
    }
    NB_TRY(new_slots(s->scratch, above->n, out));
    memcpy(out->rep, above->rep, (size_t)above->n);
    for (int64_t i = 0; i < above->n; i++) {
        uint32_t row = above->rows[i];
        bool there = row != NOT_THERE && !all_null && nb_is_valid(v->validity, row);
        out->rows[i] = there ? row : NOT_THERE;
        out->def[i] = there ? (uint8_t)node->def : above->def[i];
    }
    return NB_OK;
}

static nb_status
put_leaf(shredder *s, const nb_pq_out_node *node, const nb_vector *v, const slots *at,
         nb_error *err)
{
    const nb_pq_out_leaf *leaf = &s->schema->leaves[node->leaf];
    nb_pq_levels levels = {leaf->max_def ? at->def : NULL, leaf->max_rep ? at->rep : NULL, at->n};
    uint32_t *rows = NB_ARENA_ARRAY(s->scratch, uint32_t, at->n + 1);
    int64_t n = 0;

    if (!rows) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < at->n; i++) {
        rows[n] = at->rows[i];
        n += at->rows[i] != NOT_THERE;
    }
    return nb_pq_column_add(s->writers[node->leaf], s->scratch, v, rows, n, levels, err);
}

/* The slots of a list's entries. */
static nb_status
entry_slots(shredder *s, const nb_pq_out_node *node, const nb_vector *v, const slots *at,
            slots *out)
{
    const nb_list *lists = v->data;
    int64_t n = 0, k = 0;

    for (int64_t i = 0; i < at->n; i++) {
        n += at->rows[i] == NOT_THERE ? 1 : NB_MAX(lists[at->rows[i]].len, 1);
    }
    NB_TRY(new_slots(s->scratch, n, out));
    for (int64_t i = 0; i < at->n; i++) {
        nb_list list = at->rows[i] == NOT_THERE ? (nb_list){0, 0} : lists[at->rows[i]];
        if (list.len == 0) {
            out->rows[k] = NOT_THERE;
            out->def[k] = at->def[i];
            out->rep[k++] = at->rep[i];
        }
        for (uint32_t e = 0; e < list.len; e++) {
            out->rows[k] = list.offset + e;
            out->def[k] = (uint8_t)(node->def + 1);
            out->rep[k++] = e == 0 ? at->rep[i] : (uint8_t)node->rep;
        }
    }
    return NB_OK;
}

static nb_status
shred(shredder *s, const nb_pq_out_node *node, const nb_vector *v, const slots *above,
      nb_error *err)
{
    nb_vector flat;
    slots own, entries;
    const slots *of_children = &own;

    NB_TRY(nb_vector_flatten(s->scratch, v, &flat));
    NB_TRY(own_slots(s, node, &flat, above, &own));
    if (node->kind == NB_PQ_LEAF) {
        return put_leaf(s, node, &flat, &own, err);
    }
    if (node->kind != NB_PQ_STRUCT) {
        NB_TRY(entry_slots(s, node, &flat, &own, &entries));
        of_children = &entries;
    }
    for (int i = 0; i < node->n_children; i++) {
        NB_TRY(shred(s, &node->children[i], &flat.children[i], of_children, err));
    }
    return NB_OK;
}

/* A column of the top that is no list and no struct: most are. */
static nb_status
put_flat(shredder *s, const nb_pq_out_node *node, const nb_vector *v, int64_t n, nb_error *err)
{
    nb_pq_column_writer *w = s->writers[node->leaf];
    nb_pq_levels levels = {NULL, NULL, n};
    bool has_nulls = false;
    uint32_t *rows;
    uint8_t *def;
    int64_t there = 0;

    for (int64_t i = 0; i < n && node->optional && !has_nulls; i++) {
        has_nulls = nb_vector_is_null(v, i);
    }
    if (!has_nulls) {
        return nb_pq_column_add(w, s->scratch, v, NULL, n, levels, err);
    }
    rows = NB_ARENA_ARRAY(s->scratch, uint32_t, n + 1);
    def = nb_arena_alloc(s->scratch, (size_t)n + 1);
    if (!rows || !def) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        bool valid = !nb_vector_is_null(v, i);
        rows[there] = (uint32_t)i;
        there += valid;
        def[i] = valid;
    }
    levels.def = def;
    return nb_pq_column_add(w, s->scratch, v, rows, there, levels, err);
}

nb_status
nb_pq_shred(const nb_pq_out_schema *schema, const nb_pq_out_node *node,
            nb_pq_column_writer *const *writers, nb_arena *scratch, const nb_vector *v, int64_t n,
            nb_error *err)
{
    shredder s = {schema, writers, scratch};
    bool is_code = v->kind == NB_VEC_DICT && nb_type_storage(v->type)->phys == NB_PHYS_STRING;
    nb_vector flat = *v;
    slots rows;

    if (!is_code) {
        NB_TRY(nb_vector_flatten(scratch, v, &flat));
    }
    if (node->kind == NB_PQ_LEAF && v->type->id != NB_TYPE_NULL) {
        return put_flat(&s, node, &flat, n, err);
    }
    NB_TRY(new_slots(scratch, n, &rows));
    memset(rows.def, 0, (size_t)n);
    memset(rows.rep, 0, (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        rows.rows[i] = (uint32_t)i;
    }
    return shred(&s, node, &flat, &rows, err);
}
