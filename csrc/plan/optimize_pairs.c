/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_pairs.c: what the condition of a join without keys computes from one side only is computed below the join.
 *
 * Such a join asks its condition for every pair of rows. An expression over columns of one side has one value per row of it, which a projection
 * below can give. Expressions that could fail stay: there may be no pair. With keys, the pairs may be fewer than the rows.
 */
#include "plan/optimizer.h"

#include "expr/registry.h"

typedef struct side {
    nb_attr_set attrs;
    nb_expr **made; /* aliases that the projection below adds */
    int n, cap;
} side;

typedef struct pairs {
    nb_arena *arena;
    side sides[2];
} pairs;

static bool
has_no_lambda(nb_expr *e, void *payload)
{
    (void)payload;
    return e->kind != NB_EXPR_LAMBDA;
}

/* Has the planner a key in it, so that not all pairs are looked at? */
static bool
is_key(const pairs *p, const nb_expr *e)
{
    if (e->kind != NB_EXPR_CALL || e->n_args != 2 ||
        (e->u.call.fn != nb_function_find(NB_STR("=")) &&
         e->u.call.fn != nb_function_find(NB_STR("<=>")))) {
        return false;
    }
    for (int k = 0; k < 2; k++) {
        if (nb_attr_set_covers(&p->sides[0].attrs, e->args[k]) &&
            nb_attr_set_covers(&p->sides[1].attrs, e->args[1 - k])) {
            return true;
        }
    }
    return false;
}

/* The side that gives the expression its value, if it is worth computing there; -1: none. */
static int
side_of(const pairs *p, nb_expr *e)
{
    if (e->kind == NB_EXPR_COLUMN || e->kind == NB_EXPR_LITERAL || e->foldable || e->can_fail ||
        !e->deterministic || !nb_expr_visit(e, has_no_lambda, NULL)) {
        return -1;
    }
    for (int k = 0; k < 2; k++) {
        if (nb_attr_set_covers(&p->sides[k].attrs, e)) {
            return k;
        }
    }
    return -1;
}

static nb_status
add_made(pairs *p, side *s, nb_expr *e, nb_expr **out)
{
    nb_attr a;

    for (int i = 0; i < s->n; i++) {
        if (nb_expr_equal(s->made[i]->args[0], e)) {
            a = nb_attr_of_expr(s->made[i]);
            *out = nb_attr_expr(p->arena, &a);
            return *out ? NB_OK : NB_NOMEM;
        }
    }
    if (s->n == s->cap) {
        int cap = s->cap ? s->cap * 2 : 4;
        nb_expr **wider = NB_ARENA_ARRAY(p->arena, nb_expr *, cap);
        if (!wider) {
            return NB_NOMEM;
        }
        if (s->n) {
            memcpy(wider, s->made, sizeof(*wider) * (size_t)s->n);
        }
        s->made = wider;
        s->cap = cap;
    }
    e = nb_expr_alias(p->arena, e, NB_STR("_value"), nb_attr_next_id());
    if (!e) {
        return NB_NOMEM;
    }
    s->made[s->n++] = e;
    a = nb_attr_of_expr(e);
    *out = nb_attr_expr(p->arena, &a);
    return *out ? NB_OK : NB_NOMEM;
}

/* The largest parts of the expression that one side gives become columns. */
static nb_status
take_parts(pairs *p, nb_expr *e, nb_expr **out)
{
    nb_expr **args;
    bool changed = false;
    int k = side_of(p, e);

    *out = e;
    if (k >= 0) {
        return add_made(p, &p->sides[k], e, out);
    }
    if (e->kind == NB_EXPR_LAMBDA || e->n_args == 0) {
        return NB_OK;
    }
    args = NB_ARENA_ARRAY(p->arena, nb_expr *, e->n_args);
    if (!args) {
        return NB_NOMEM;
    }
    for (int i = 0; i < e->n_args; i++) {
        NB_TRY(take_parts(p, e->args[i], &args[i]));
        changed |= args[i] != e->args[i];
    }
    if (changed) {
        *out = nb_expr_with_args(p->arena, e, args);
    }
    return *out ? NB_OK : NB_NOMEM;
}

/* A projection of all that the child gives, and what was made of it. */
static nb_status
project_below(nb_arena *arena, nb_plan **child, const side *s)
{
    nb_plan *below = *child, *p = nb_plan_new(arena, NB_PLAN_PROJECT, 1, below->n_attrs + s->n);
    nb_expr **exprs = NB_ARENA_ARRAY(arena, nb_expr *, below->n_attrs + s->n + 1);

    if (!p || !exprs) {
        return NB_NOMEM;
    }
    for (int i = 0; i < below->n_attrs; i++) {
        p->attrs[i] = below->attrs[i];
        exprs[i] = nb_attr_expr(arena, &below->attrs[i]);
        if (!exprs[i]) {
            return NB_NOMEM;
        }
    }
    for (int i = 0; i < s->n; i++) {
        exprs[below->n_attrs + i] = s->made[i];
        p->attrs[below->n_attrs + i] = nb_attr_of_expr(s->made[i]);
        p->attrs[below->n_attrs + i].hidden = true;
    }
    p->children[0] = below;
    p->u.project.exprs = exprs;
    *child = p;
    return NB_OK;
}

static nb_status
work_join(nb_arena *arena, nb_plan **plan)
{
    pairs p = {.arena = arena, .sides = {{{.arena = arena}}, {{.arena = arena}}}};
    nb_plan *join = *plan;
    nb_expr **list = NULL, *condition;
    int n = 0, cap = 0;

    for (int k = 0; k < 2; k++) {
        NB_TRY(nb_attr_set_add_plan(&p.sides[k].attrs, join->children[k]));
    }
    NB_TRY(nb_split_conjuncts(arena, join->u.join.condition, &list, &n, &cap));
    for (int i = 0; i < n; i++) {
        if (is_key(&p, list[i])) {
            return NB_OK;
        }
    }
    NB_TRY(take_parts(&p, join->u.join.condition, &condition));
    if (p.sides[0].n + p.sides[1].n == 0) {
        return NB_OK;
    }
    for (int k = 0; k < 2; k++) {
        if (p.sides[k].n) {
            NB_TRY(project_below(arena, &join->children[k], &p.sides[k]));
        }
    }
    NB_TRY(nb_plan_narrow(arena, join, join->attrs, join->n_attrs, plan));
    join->u.join.condition = condition;
    return nb_plan_refresh(arena, join);
}

nb_status
nb_optimize_pairs(nb_arena *arena, nb_plan **plan)
{
    nb_plan *p = *plan;

    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(nb_optimize_pairs(arena, &p->children[i]));
    }
    return p->kind == NB_PLAN_JOIN && p->u.join.condition && !p->u.join.null_aware
               ? work_join(arena, plan)
               : NB_OK;
}
