/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval_choose.c: CASE WHEN c THEN x ELSE y END of columns and constants of 4 or 8 bytes, without lists of rows.
 *
 * The usual argument of a conditional sum: x and y are there anyway, so that each row takes one of the two without a branch. Not where a value could
 * fail: then only the rows that want it may have it computed.
 */
#include "expr/eval_internal.h"

/* 1 where the condition is true. */
static nb_status
mask_of(nb_arena *arena, const nb_vector *c, int64_t n, const uint8_t **out)
{
    const nb_vector *flat = c->kind == NB_VEC_DICT ? c->dict : c;
    int64_t m = flat->n_rows;
    const uint8_t *data = flat->data;
    uint8_t *values = nb_arena_alloc(arena, (size_t)m + 1), *mask = values;

    if (values == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < m; i++) {
        values[i] = data[i] & 1;
    }
    for (int64_t i = 0; i < m && flat->validity != NULL; i++) {
        values[i] &= (uint8_t)nb_bit_get(flat->validity, i);
    }
    if (c->kind == NB_VEC_DICT) {
        mask = nb_arena_alloc(arena, (size_t)n + 1);
        if (mask == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < n; i++) {
            mask[i] = values[c->indices[i]];
        }
    }
    *out = mask;
    return NB_OK;
}

#define NB_T       uint32_t
#define NB_NAME(f) w4_##f
#include "expr/eval_choose_tmpl.h"
#define NB_T       uint64_t
#define NB_NAME(f) w8_##f
#include "expr/eval_choose_tmpl.h"

/* Bits of rows [64 * w, 64 * w + 64) that are valid. */
static uint64_t
valid_word(const nb_vector *v, size_t w)
{
    if (v->kind == NB_VEC_CONST) {
        return nb_vector_is_null(v, 0) ? 0 : ~(uint64_t)0;
    }
    return v->validity ? v->validity[w] : ~(uint64_t)0;
}

static nb_status
choose_validity(nb_arena *arena, const uint8_t *mask, const nb_vector *x, const nb_vector *y,
                int64_t n, nb_vector *out)
{
    NB_TRY(nb_vector_need_validity(arena, out));
    for (size_t w = 0; w < NB_BITMAP_WORDS(n); w++) {
        int64_t from = (int64_t)w * 64, to = NB_MIN(from + 64, n);
        uint64_t takes = 0,
                 rows = to - from == 64 ? ~(uint64_t)0 : ((uint64_t)1 << (to - from)) - 1;

        for (int64_t i = from; i < to; i++) {
            takes |= (uint64_t)mask[i] << (i - from);
        }
        out->validity[w] = ((takes & valid_word(x, w)) | (~takes & valid_word(y, w))) & rows;
    }
    return NB_OK;
}

static bool
may_be_null(const nb_vector *v)
{
    return v->kind == NB_VEC_CONST ? nb_vector_is_null(v, 0) : v->validity != NULL;
}

/* A column, or a constant, or a cast of one: nothing that costs much for rows that do not want it. */
static bool
is_at_hand(const nb_expr *e)
{
    while (e->kind == NB_EXPR_CAST) {
        e = e->args[0];
    }
    return e->kind == NB_EXPR_COLUMN || e->kind == NB_EXPR_LITERAL;
}

nb_status
nb_eval_choose(nb_eval *ev, nb_program *p, nb_step *s, nb_batch *batch, nb_vector *out, bool *done,
               nb_error *err)
{
    const nb_vector *condition = &p->regs[s->args[0]], *x, *y;
    nb_phys phys = nb_type_storage(s->e->type)->phys;
    int width = nb_phys_width(phys), n_args = s->e->n_args;
    int64_t n = batch->n_rows;
    nb_vector flat_x, flat_y;
    const uint8_t *mask;

    *done = false;
    if ((n_args != 2 && n_args != 3) || (width != 4 && width != 8) ||
        phys == NB_PHYS_LIST || /* lists lie in vectors of their own */
        condition->kind == NB_VEC_CONST || condition->type->id != NB_TYPE_BOOL ||
        s->subs[1]->can_fail || !is_at_hand(s->e->args[1]) ||
        (n_args == 3 && (s->subs[2]->can_fail || !is_at_hand(s->e->args[2])))) {
        return NB_OK;
    }
    NB_TRY(nb_program_run(ev, s->subs[1], batch, &x, err));
    if (n_args == 3) {
        NB_TRY(nb_program_run(ev, s->subs[2], batch, &y, err));
    } else {
        NB_TRY(nb_vector_const_null(batch->arena, s->e->type, n, &flat_y));
        y = &flat_y;
    }
    if (x->type->phys != s->e->type->phys || y->type->phys != s->e->type->phys) {
        return NB_OK; /* a null without a type */
    }
    if (x->kind == NB_VEC_DICT) {
        NB_TRY(nb_vector_flatten(batch->arena, x, &flat_x));
        x = &flat_x;
    }
    if (y->kind == NB_VEC_DICT) {
        NB_TRY(nb_vector_flatten(batch->arena, y, &flat_y));
        y = &flat_y;
    }
    if (x->data == NULL || y->data == NULL) {
        return NB_OK;
    }
    NB_TRY(mask_of(batch->arena, condition, n, &mask));
    NB_TRY(nb_vector_alloc(batch->arena, s->e->type, n, out));
    if (width == 4) {
        w4_choose(mask, x, y, n, out->data);
    } else {
        w8_choose(mask, x, y, n, out->data);
    }
    if (may_be_null(x) || may_be_null(y)) {
        NB_TRY(choose_validity(batch->arena, mask, x, y, n, out));
    }
    *done = true;
    return NB_OK;
}
