/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_single.c: what a scalar subquery is compared with is filtered where it is read.
 *
 * A subquery that stands for itself, but might have several rows (SELECT DISTINCT month …), is a SINGLE join over the whole FROM clause, and the comparison
 * a filter above that. Put over the one relation whose columns are compared, both come before that relation meets the others: the joins have fewer
 * rows, and scans learn of the keys that are left.
 */
#include "plan/optimizer.h"

/* The child that gives all of `used` and whose rows the join p passes on unchanged, or -1. */
static int
child_of(const nb_plan *p, const nb_attr_set *used)
{
    int n_kept = 0;

    if (p->kind == NB_PLAN_FILTER) {
        return p->u.filter.condition->deterministic ? 0 : -1;
    }
    if (p->kind != NB_PLAN_JOIN) {
        return -1;
    }
    switch (p->u.join.type) {
    case NB_JOIN_INNER:
    case NB_JOIN_CROSS: n_kept = 2; break;
    case NB_JOIN_LEFT:
    case NB_JOIN_SEMI:
    case NB_JOIN_ANTI:
    case NB_JOIN_MARK:
    case NB_JOIN_SINGLE: n_kept = 1; break;
    default: break;
    }
    for (int k = 0; k < n_kept; k++) {
        bool all = true;
        for (int i = 0; i < used->cap && all; i++) {
            all = !used->ids[i] || nb_plan_find_attr(p->children[k], used->ids[i]);
        }
        if (all) {
            return k;
        }
    }
    return -1;
}

/* Is there a join between p and the relation? Past other single rows alone there is nothing to win. */
static bool
passes_join(const nb_plan *p, const nb_attr_set *used)
{
    for (int k = child_of(p, used); k >= 0; p = p->children[k], k = child_of(p, used)) {
        if (p->kind == NB_PLAN_JOIN && p->u.join.type != NB_JOIN_SINGLE) {
            return true;
        }
    }
    return false;
}

static nb_status
sink(nb_arena *arena, nb_plan *single, nb_plan **at, const nb_attr_set *used)
{
    nb_plan *p = *at;
    int k = child_of(p, used);

    if (k >= 0) {
        NB_TRY(sink(arena, single, &p->children[k], used));
        return nb_plan_refresh(arena, p);
    }
    single->children[0] = p;
    *at = single;
    return nb_plan_refresh(arena, single);
}

nb_status
nb_sink_single(nb_arena *arena, nb_plan *p, nb_expr *const *above, int n, nb_plan **out)
{
    nb_attr_set used = {.arena = arena};
    nb_plan *top = p->children[0], *single;

    *out = NULL;
    if (p->u.join.type != NB_JOIN_SINGLE || p->u.join.condition) {
        return NB_OK;
    }
    for (int i = 0; i < n; i++) {
        nb_attr_set mine = {.arena = arena};
        bool both = false;
        NB_TRY(nb_attr_set_add_expr(&mine, above[i]));
        for (int k = 0; k < mine.cap; k++) {
            both |= mine.ids[k] && nb_plan_find_attr(p->children[1], mine.ids[k]);
        }
        for (int k = 0; k < mine.cap && both && above[i]->deterministic; k++) {
            if (mine.ids[k] && nb_plan_find_attr(top, mine.ids[k])) {
                NB_TRY(nb_attr_set_add(&used, mine.ids[k]));
            }
        }
    }
    if (used.n == 0 || !passes_join(top, &used)) {
        return NB_OK;
    }
    single = nb_plan_new(arena, NB_PLAN_JOIN, 2, p->n_attrs);
    if (!single) {
        return NB_NOMEM;
    }
    single->u.join = p->u.join;
    single->children[1] = p->children[1];
    memcpy(single->attrs, p->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
    NB_TRY(sink(arena, single, &top, &used));
    return nb_plan_narrow(arena, top, p->attrs, p->n_attrs, out);
}
