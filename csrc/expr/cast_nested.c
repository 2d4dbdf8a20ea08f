/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cast_nested.c: arrays, maps and structs are cast part by part.
 *
 * Elements that only null lists could reach must not raise: when the cast may fail, only elements of valid rows are cast.
 */
#include "expr/cast.h"

static nb_status
cast_part(nb_cast_job *job, const nb_vector *v, const nb_type *to, nb_vector *out)
{
    NB_TRY(nb_cast_vector(job->ctx, v, to, job->mode, out));
    if (out->kind != NB_VEC_FLAT) {
        nb_vector flat;

        NB_TRY(nb_vector_flatten(job->ctx->arena, out, &flat));
        *out = flat;
    }
    return NB_OK;
}

static nb_status
cast_struct(nb_cast_job *job)
{
    for (int i = 0; i < job->to->n_children; i++) {
        nb_vector child = job->v->children[i];

        if (job->v->validity != NULL) { /* fields of null structs are null, whatever lies there */
            nb_vector masked;

            NB_TRY(nb_vector_flatten(job->ctx->arena, &child, &masked));
            child = masked;
            child.validity = NULL;
            NB_TRY(nb_vector_need_validity(job->ctx->arena, &child));
            if (masked.validity != NULL) {
                nb_bitmap_and(job->v->validity, masked.validity, child.validity, job->n);
            } else {
                nb_bitmap_copy(job->v->validity, 0, child.validity, 0, job->n);
            }
        }
        NB_TRY(cast_part(job, &child, job->to->children[i].type, &job->out->children[i]));
    }
    return NB_OK;
}

/* Makes the children hold the elements of valid rows only, in order. */
static nb_status
pack_lists(nb_cast_job *job, nb_vector *packed)
{
    nb_arena *arena = job->ctx->arena;
    const nb_list *lists = job->v->data;
    nb_list *to;
    uint32_t *idx;
    int64_t total = 0, at = 0;

    NB_TRY(nb_vector_alloc(arena, job->v->type, job->n, packed));
    packed->validity = job->v->validity;
    for (int64_t i = 0; i < job->n; i++) {
        total += nb_is_valid(job->v->validity, i) ? lists[i].len : 0;
    }
    idx = NB_ARENA_ARRAY(arena, uint32_t, total + 1);
    if (idx == NULL || total > INT32_MAX) {
        return NB_NOMEM;
    }
    to = packed->data;
    for (int64_t i = 0; i < job->n; i++) {
        to[i] = (nb_list){(uint32_t)at, nb_is_valid(job->v->validity, i) ? lists[i].len : 0};
        for (uint32_t k = 0; k < to[i].len; k++) {
            idx[at++] = lists[i].offset + k;
        }
    }
    for (int c = 0; c < job->v->n_children; c++) {
        NB_TRY(nb_vector_gather(arena, &job->v->children[c], idx, total, &packed->children[c]));
    }
    return NB_OK;
}

nb_status
nb_cast_to_nested(nb_cast_job *job)
{
    nb_vector packed;

    if (job->from->id != job->to->id) {
        return nb_raise_internal(job->ctx->err, "no cast between these nested types");
    }
    if (job->to->id == NB_TYPE_STRUCT) {
        return cast_struct(job);
    }
    NB_TRY(pack_lists(job, &packed));
    memcpy(job->out->data, packed.data, (size_t)job->n * sizeof(nb_list));
    for (int c = 0; c < job->to->n_children; c++) {
        NB_TRY(
            cast_part(job, &packed.children[c], job->to->children[c].type, &job->out->children[c]));
    }
    return NB_OK;
}
