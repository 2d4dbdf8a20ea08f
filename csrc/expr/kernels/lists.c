/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lists.c: picks and value sets.
 */
#include "expr/kernels/lists.h"

nb_status
nb_picks_begin(nb_picks *p, nb_arena *arena, nb_vector *out, int64_t expect)
{
    *p = (nb_picks){.arena = arena, .out = out, .cap = NB_MAX(expect, 16)};
    p->idx = NB_ARENA_ARRAY(arena, uint32_t, p->cap);
    return p->idx == NULL ? NB_NOMEM : NB_OK;
}

nb_status
nb_picks_grow(nb_picks *p, int64_t more)
{
    int64_t cap = NB_MAX(2 * p->cap, p->n + more);
    uint32_t *idx;

    if (cap > INT32_MAX) {
        return NB_NOMEM;
    }
    idx = NB_ARENA_ARRAY(p->arena, uint32_t, cap);
    if (idx == NULL) {
        return NB_NOMEM;
    }
    memcpy(idx, p->idx, (size_t)p->n * sizeof(uint32_t));
    p->idx = idx;
    p->cap = cap;
    return NB_OK;
}

void
nb_picks_end_row(nb_picks *p, int64_t i)
{
    NB_DATA(nb_list, p->out)
    [i] = (nb_list){(uint32_t)p->row_start, (uint32_t)(p->n - p->row_start)};
    p->row_start = p->n;
}

nb_status
nb_picks_finish(nb_picks *p, int c, const nb_vector *source)
{
    const nb_type *type = nb_type_storage(p->out->type)->children[c].type;
    nb_vector picked;

    if (p->n == 0) {
        return nb_vector_alloc(p->arena, type, 0, &p->out->children[c]);
    }
    if (source->n_rows == 0 || source->type->id == NB_TYPE_NULL) {
        NB_TRY(nb_vector_const_null(p->arena, type, p->n, &picked));
    } else {
        NB_TRY(nb_vector_gather_null(p->arena, source, p->idx, p->n, &picked));
    }
    NB_TRY(nb_vector_flatten(p->arena, &picked, &p->out->children[c]));
    p->out->children[c].type = type;
    return NB_OK;
}

nb_status
nb_lists_join(nb_arena *arena, const nb_vector *parts, int n_parts, nb_vector *all, uint32_t *base)
{
    const nb_vector **children = NB_ARENA_ARRAY(arena, const nb_vector *, n_parts + 1);
    uint32_t at = 0;
    int n = 0;

    if (children == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < n_parts; k++) {
        base[k] = at;
        if (parts[k].type->id != NB_TYPE_NULL && parts[k].children != NULL &&
            parts[k].children[0].n_rows > 0 && parts[k].children[0].type->id != NB_TYPE_NULL) {
            children[n++] = &parts[k].children[0];
            at += (uint32_t)parts[k].children[0].n_rows;
        }
    }
    if (n == 0) {
        return nb_vector_const_null(arena, nb_type_of(NB_TYPE_NULL), 0, all);
    }
    return nb_vector_concat(arena, children, n, all);
}

nb_status
nb_value_set_new(nb_arena *arena, const nb_vector *values, int64_t most, nb_value_set *out)
{
    uint64_t size = 16;

    *out = (nb_value_set){.values = values};
    while (size < 2 * (uint64_t)most) {
        size *= 2;
    }
    out->mask = size - 1;
    out->hashes = NB_ARENA_ARRAY(arena, uint64_t, values->n_rows + 1);
    out->slots = nb_arena_zalloc(arena, size * sizeof(uint32_t));
    out->used = NB_ARENA_ARRAY(arena, uint32_t, most + 1);
    if (out->hashes == NULL || out->slots == NULL || out->used == NULL) {
        return NB_NOMEM;
    }
    if (values->n_rows > 0 && values->type->id != NB_TYPE_NULL) {
        nb_vector_hash(values, values->n_rows, out->hashes, false);
    }
    return NB_OK;
}

void
nb_value_set_clear(nb_value_set *s)
{
    for (int64_t i = 0; i < s->n_used; i++) {
        s->slots[s->used[i]] = 0;
    }
    s->n_used = 0;
    s->has_null = false;
}

static uint64_t
find(const nb_value_set *s, uint32_t row)
{
    uint64_t at = s->hashes[row] & s->mask;

    while (s->slots[at] != 0) {
        uint32_t other = s->slots[at] - 1;

        if (s->hashes[other] == s->hashes[row] &&
            nb_vector_compare(s->values, row, s->values, other) == 0) {
            break;
        }
        at = (at + 1) & s->mask;
    }
    return at;
}

bool
nb_value_set_add(nb_value_set *s, uint32_t row)
{
    uint64_t at;
    bool had_null = s->has_null;

    if (nb_vector_is_null(s->values, row)) {
        s->has_null = true;
        return !had_null;
    }
    at = find(s, row);
    if (s->slots[at] != 0) {
        return false;
    }
    s->slots[at] = row + 1;
    s->used[s->n_used++] = (uint32_t)at;
    return true;
}

uint32_t
nb_value_set_find(const nb_value_set *s, uint32_t row)
{
    return s->slots[find(s, row)] - 1;
}

bool
nb_value_set_has(const nb_value_set *s, uint32_t row)
{
    return nb_vector_is_null(s->values, row) ? s->has_null : s->slots[find(s, row)] != 0;
}
