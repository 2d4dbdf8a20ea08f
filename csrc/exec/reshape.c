/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reshape.c: see reshape.h.
 *
 * A dictionary's entries stand in the opposite order of the rows, behind an entry that no row has: whoever takes entries for rows is found out.
 */
#include "exec/reshape.h"

static nb_status
to_dictionary(nb_arena *arena, nb_vector *v)
{
    int64_t n = v->n_rows;
    uint32_t *backwards = NB_ARENA_ARRAY(arena, uint32_t, n + 1);
    uint32_t *indices = NB_ARENA_ARRAY(arena, uint32_t, n + 1);
    nb_vector *dict = NB_ARENA_NEW(arena, nb_vector);
    nb_vector gathered;

    if (backwards == NULL || indices == NULL || dict == NULL) {
        return NB_NOMEM;
    }
    backwards[0] = UINT32_MAX; /* a null */
    for (int64_t i = 0; i < n; i++) {
        backwards[i + 1] = (uint32_t)(n - 1 - i);
        indices[i] = (uint32_t)(n - i);
    }
    NB_TRY(nb_vector_gather_null(arena, v, backwards, n + 1, &gathered));
    NB_TRY(nb_vector_flatten(arena, &gathered, dict));
    *v = (nb_vector){.type = v->type,
                     .kind = NB_VEC_DICT,
                     .n_rows = (int32_t)n,
                     .indices = indices,
                     .dict = dict};
    return NB_OK;
}

nb_status
nb_vector_reshape(nb_arena *arena, nb_batch_shape shape, nb_vector *v)
{
    nb_vector flat;

    if (shape == NB_SHAPE_ANY || v->type->id == NB_TYPE_NULL) {
        return NB_OK;
    }
    if (shape == NB_SHAPE_DICT) {
        return v->kind == NB_VEC_DICT ? NB_OK : to_dictionary(arena, v);
    }
    if (v->n_rows == 1 && v->kind != NB_VEC_CONST) {
        NB_TRY(nb_vector_flatten(arena, v, &flat));
        flat.kind = NB_VEC_CONST;
        *v = flat;
    }
    return NB_OK;
}
