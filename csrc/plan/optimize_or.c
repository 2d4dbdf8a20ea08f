/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_or.c: what a disjunction says of all its rows.
 *
 *   (a AND b) OR (a AND c)    is    a AND (b OR c): a may be a join's key or go to a source
 *   (x AND y) OR (z AND w)    implies x OR z: where x and z read one side of a join, that side can be filtered first
 *
 * Only conditions that cannot fail are taken out: others may be guarded by their neighbours.
 */
#include "plan/optimizer.h"

#define MOST_DISJUNCTS 64

typedef struct parts {
    nb_expr **list;
    int n, cap;
} parts;

static bool
is_movable(const nb_expr *e)
{
    return e->deterministic && !e->can_fail;
}

static bool
has_equal(const parts *p, const nb_expr *e)
{
    for (int i = 0; i < p->n; i++) {
        if (nb_expr_equal(p->list[i], e)) {
            return true;
        }
    }
    return false;
}

/* Nested ORs as one list. */
static nb_status
split_or(nb_arena *arena, nb_expr *e, parts *out)
{
    if (e->kind == NB_EXPR_OR) {
        for (int i = 0; i < e->n_args; i++) {
            NB_TRY(split_or(arena, e->args[i], out));
        }
        return NB_OK;
    }
    if (out->n == out->cap) {
        int cap = out->cap ? out->cap * 2 : 8;
        nb_expr **list = NB_ARENA_ARRAY(arena, nb_expr *, cap);
        if (!list) {
            return NB_NOMEM;
        }
        if (out->n) {
            memcpy(list, out->list, sizeof(nb_expr *) * (size_t)out->n);
        }
        out->list = list;
        out->cap = cap;
    }
    out->list[out->n++] = e;
    return NB_OK;
}

/* The conjuncts of each disjunct; *n_out 0 when there is nothing to do. */
static nb_status
open_or(nb_arena *arena, nb_expr *e, parts **out, int *n_out)
{
    parts all = {0}, *branches;

    *n_out = 0;
    if (e->kind != NB_EXPR_OR) {
        return NB_OK;
    }
    NB_TRY(split_or(arena, e, &all));
    if (all.n > MOST_DISJUNCTS) {
        return NB_OK;
    }
    branches = nb_arena_zalloc(arena, sizeof(parts) * (size_t)all.n);
    if (!branches) {
        return NB_NOMEM;
    }
    for (int i = 0; i < all.n; i++) {
        NB_TRY(nb_split_conjuncts(arena, all.list[i], &branches[i].list, &branches[i].n,
                                  &branches[i].cap));
    }
    *out = branches;
    *n_out = all.n;
    return NB_OK;
}

nb_status
nb_factor_or(nb_arena *arena, nb_expr *e, nb_expr **out)
{
    parts *branches, common = {0};
    nb_expr **rests, **kept, *rest;
    int n, n_kept = 0;
    bool always = false; /* a disjunct is nothing but what all have in common */

    *out = e;
    NB_TRY(open_or(arena, e, &branches, &n));
    if (n == 0) {
        return NB_OK;
    }
    common.list = NB_ARENA_ARRAY(arena, nb_expr *, branches[0].n + 1);
    rests = NB_ARENA_ARRAY(arena, nb_expr *, n);
    kept = NB_ARENA_ARRAY(arena, nb_expr *, branches[0].n + 2);
    if (!common.list || !rests || !kept) {
        return NB_NOMEM;
    }
    for (int i = 0; i < branches[0].n; i++) {
        nb_expr *one = branches[0].list[i];
        bool everywhere = is_movable(one) && !has_equal(&common, one);
        for (int k = 1; k < n && everywhere; k++) {
            everywhere = has_equal(&branches[k], one);
        }
        if (everywhere) {
            common.list[common.n++] = one;
        }
    }
    if (common.n == 0) {
        return NB_OK;
    }
    for (int k = 0; k < n; k++) {
        int left = 0;
        for (int i = 0; i < branches[k].n; i++) {
            if (!has_equal(&common, branches[k].list[i])) {
                branches[k].list[left++] = branches[k].list[i];
            }
        }
        NB_TRY(nb_join_conjuncts(arena, branches[k].list, left, &rests[k]));
        always |= left == 0;
    }
    for (int i = 0; i < common.n; i++) {
        kept[n_kept++] = common.list[i];
    }
    if (!always) {
        NB_TRY(nb_join_booleans(arena, NB_EXPR_OR, rests, n, &rest));
        kept[n_kept++] = rest;
    }
    return nb_join_conjuncts(arena, kept, n_kept, out);
}

nb_status
nb_implied_or(nb_arena *arena, nb_expr *e, const nb_attr_set *side, nb_expr **out)
{
    parts *branches;
    nb_expr **made;
    int n;

    *out = NULL;
    NB_TRY(open_or(arena, e, &branches, &n));
    if (n == 0) {
        return NB_OK;
    }
    made = NB_ARENA_ARRAY(arena, nb_expr *, n);
    if (!made) {
        return NB_NOMEM;
    }
    for (int k = 0; k < n; k++) {
        int left = 0;
        for (int i = 0; i < branches[k].n; i++) {
            nb_expr *one = branches[k].list[i];
            if (is_movable(one) && nb_attr_set_covers(side, one)) {
                branches[k].list[left++] = one;
            }
        }
        if (left == 0) {
            return NB_OK;
        }
        NB_TRY(nb_join_conjuncts(arena, branches[k].list, left, &made[k]));
    }
    return nb_join_booleans(arena, NB_EXPR_OR, made, n, out);
}
