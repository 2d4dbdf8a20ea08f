/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_codes.c: texts of a join's build side come out as codes of a dictionary.
 *
 * A dimension's attributes repeat: conditions, groups and CASE over them are then worked out once per value (as they are over the dictionaries of
 * files), and a row carries 4 bytes in place of 16. Once the build side is held, its columns of texts are looked through. Of those that have more
 * than MOST_VALUES values the code is the number of the build row, unless there are more rows than an aggregate keeps codes for: a group is then looked
 * up once per build row, and all such columns share their indices; the codes of the others follow from it, as the ids of the dictionaries tell. Rows
 * without a partner have the code of a null.
 */
#include "exec/join_internal.h"

#include "base/hash.h"

#define MOST_VALUES 4096
#define SLOTS       (4 * MOST_VALUES)
#define MANY_ROWS   4096 /* of the build side: beyond, only for as many that are looked up */
#define MOST_ROWS   ((int64_t)1 << 20)
#define MOST_OWN    ((int64_t)100000) /* rows that are their own codes */

struct nb_join_codes {
    nb_vector dict;
    uint64_t dict_id;
    uint32_t null_code;
    uint32_t *codes; /* per build row; NULL: its number */
};

typedef struct values {
    nb_view *views;
    uint32_t n;
    uint32_t *slots; /* number + 1; 0: empty */
} values;

/* The number of a value; UINT32_MAX: there are too many. */
static uint32_t
number_of(values *v, const nb_view *view)
{
    uint64_t hash = nb_hash_bytes(nb_view_data(view), view->len);
    uint32_t at = (uint32_t)(hash >> 32) % SLOTS;

    for (; v->slots[at] != 0; at = (at + 1) % SLOTS) {
        uint32_t i = v->slots[at] - 1;
        if (nb_str_equal(nb_view_str(&v->views[i]), nb_view_str(view))) {
            return i;
        }
    }
    if (v->n == MOST_VALUES) {
        return UINT32_MAX;
    }
    v->views[v->n] = *view;
    v->slots[at] = ++v->n;
    return v->n - 1;
}

static bool
is_flat(const nb_table *build, int column)
{
    for (int c = 0; c < build->n_chunks; c++) {
        if (build->chunks[c]->cols[column].kind != NB_VEC_FLAT) {
            return false;
        }
    }
    return true;
}

/* Codes of the column's rows; false: it has too many values. */
static bool
number_rows(const nb_table *build, int column, values *v, uint32_t *codes, bool *nulls)
{
    int64_t row = 0;

    for (int c = 0; c < build->n_chunks; c++) {
        const nb_vector *col = &build->chunks[c]->cols[column];

        for (int64_t i = 0; i < build->chunks[c]->n_rows; i++, row++) {
            if (!nb_is_valid(col->validity, i)) {
                codes[row] = MOST_VALUES; /* not known yet */
                *nulls = true;
                continue;
            }
            codes[row] = number_of(v, &NB_DATA(nb_view, col)[i]);
            if (codes[row] == UINT32_MAX) {
                return false;
            }
        }
    }
    return true;
}

/* Each row is its own code. */
static nb_status
own_codes(join_op *j, int column, uint64_t table, nb_join_codes **out)
{
    const nb_table *build = j->build;
    bool nulls = j->shape.keep_probe;
    nb_join_codes *made = NB_ARENA_NEW(j->arena, nb_join_codes);
    int64_t row = 0;

    if (made == NULL) {
        return NB_NOMEM;
    }
    *made = (nb_join_codes){.null_code = (uint32_t)build->n_rows};
    NB_TRY(nb_vector_alloc(j->arena, build->schema->children[column].type, build->n_rows + nulls,
                           &made->dict));
    for (int c = 0; c < build->n_chunks; c++) {
        nulls |= build->chunks[c]->cols[column].validity != NULL;
    }
    if (nulls) {
        NB_TRY(nb_vector_need_validity(j->arena, &made->dict));
    }
    for (int c = 0; c < build->n_chunks; c++) {
        const nb_vector *col = &build->chunks[c]->cols[column];
        int64_t n = build->chunks[c]->n_rows;

        memcpy(NB_DATA(nb_view, &made->dict) + row, col->data, (size_t)n * sizeof(nb_view));
        if (col->validity != NULL) {
            nb_bitmap_copy(col->validity, 0, made->dict.validity, row, n);
        }
        row += n;
    }
    if (j->shape.keep_probe) {
        nb_bit_clear(made->dict.validity, row);
    }
    made->dict_id = nb_dict_id_of_table(table, column, true);
    *out = made;
    return NB_OK;
}

static nb_status
code_column(join_op *j, int column, uint64_t table, values *v, uint32_t *codes, nb_join_codes **out)
{
    const nb_table *build = j->build;
    bool nulls = j->shape.keep_probe;
    nb_join_codes *made;
    int64_t n;

    v->n = 0;
    memset(v->slots, 0, SLOTS * sizeof(*v->slots));
    if (!number_rows(build, column, v, codes, &nulls)) {
        return build->n_rows <= MOST_OWN ? own_codes(j, column, table, out) : NB_OK;
    }
    n = (int64_t)v->n + nulls;
    made = NB_ARENA_NEW(j->arena, nb_join_codes);
    if (made == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_vector_alloc(j->arena, build->schema->children[column].type, n, &made->dict));
    memcpy(made->dict.data, v->views, v->n * sizeof(nb_view));
    made->null_code = v->n;
    if (nulls) {
        NB_TRY(nb_vector_need_validity(j->arena, &made->dict));
        nb_bit_clear(made->dict.validity, v->n);
        NB_DATA(nb_view, &made->dict)[v->n] = (nb_view){0};
    }
    made->codes = NB_ARENA_ARRAY(j->arena, uint32_t, build->n_rows);
    if (made->codes == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < build->n_rows; i++) {
        made->codes[i] = codes[i] == MOST_VALUES ? made->null_code : codes[i];
    }
    made->dict_id = nb_dict_id_of_table(table, column, false);
    *out = made;
    return NB_OK;
}

nb_status
nb_join_code_texts(join_op *j)
{
    const nb_node *probe = j->base.node->children[j->build_left ? 1 : 0];
    int first_build = j->build_left ? 0 : j->n_probe;
    const bool *reads = j->reads + first_build, *uses = j->residual_uses + first_build;
    int64_t n_rows = j->build->n_rows;
    nb_arena *memory;
    values v = {0};
    uint32_t *codes;
    uint64_t table = nb_dict_next_id();
    nb_status st = NB_OK;

    j->codes = NULL;
    if (!j->shape.pairs || j->spill != NULL || n_rows == 0 || n_rows > MOST_ROWS ||
        (n_rows > MANY_ROWS && probe->est_rows < (double)n_rows)) {
        return NB_OK;
    }
    memory = nb_arena_new(j->pool);
    if (memory == NULL) {
        return NB_NOMEM;
    }
    v.views = NB_ARENA_ARRAY(memory, nb_view, MOST_VALUES);
    v.slots = NB_ARENA_ARRAY(memory, uint32_t, SLOTS);
    codes = NB_ARENA_ARRAY(memory, uint32_t, n_rows);
    j->codes = nb_arena_zalloc(j->arena, sizeof(*j->codes) * (size_t)(j->n_build + 1));
    st = v.views && v.slots && codes && j->codes ? NB_OK : NB_NOMEM;
    for (int c = 0; c < j->n_build && st == NB_OK; c++) {
        if (j->same_as[c] < 0 && (reads[c] || uses[c]) && is_flat(j->build, c) &&
            nb_type_storage(j->build->schema->children[c].type)->phys == NB_PHYS_STRING) {
            st = code_column(j, c, table, &v, codes, &j->codes[c]);
        }
    }
    nb_arena_free(memory);
    return st;
}

nb_status
nb_join_gather_codes(const nb_join_codes *codes, const uint32_t *rows, int64_t n, nb_arena *arena,
                     nb_vector *out)
{
    uint32_t *indices = NB_ARENA_ARRAY(arena, uint32_t, n);

    if (indices == NULL) {
        return NB_NOMEM;
    }
    if (codes->codes == NULL) {
        for (int64_t i = 0; i < n; i++) {
            indices[i] = NB_MIN(rows[i], codes->null_code);
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            indices[i] = rows[i] == NB_NO_ROW ? codes->null_code : codes->codes[rows[i]];
        }
    }
    *out = (nb_vector){.type = codes->dict.type,
                       .kind = NB_VEC_DICT,
                       .n_rows = (int32_t)n,
                       .indices = indices,
                       .dict = &codes->dict,
                       .dict_id = codes->dict_id};
    return NB_OK;
}
