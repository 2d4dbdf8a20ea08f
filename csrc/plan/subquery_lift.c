/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subquery_lift.c: the cheap way out of correlation: conditions go up to where the subquery is joined.
 *
 * Conditions that name columns from outside are taken out of filters and inner joins, and the inner columns that they need are carried up. Through an
 * aggregation only equalities can go: their inner sides become keys. An aggregation without keys gives a row also where nothing matches; only
 * where that row is all nulls, or counts whose 0 can be put back, is it left out here. Whatever else is in the way is unnest.c's.
 * [Galindo-Legaria, Joshi: Orthogonal optimization of subqueries and aggregation, SIGMOD 2001]
 */
#include "plan/subquery_internal.h"

typedef struct lift {
    const nb_rewrite_env *env;
    nb_attr_set inner; /* everything that the subquery's nodes make */
    nb_lifted *to;
    const nb_plan
        *row_of; /* the topmost node that passes on an aggregation without keys that got some */
} lift;

static nb_status
collect_attrs(nb_plan *p, nb_attr_set *set)
{
    NB_TRY(nb_attr_set_add_plan(set, p));
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(collect_attrs(p->children[i], set));
    }
    return NB_OK;
}

typedef struct outer_state {
    const nb_attr_set *inner;
    nb_attr_set lambda;
    bool found;
} outer_state;

static bool
look_outer(nb_expr *e, void *payload)
{
    outer_state *o = payload;

    for (int i = 0; e->kind == NB_EXPR_LAMBDA && i < e->u.lambda.n_attrs; i++) {
        if (nb_attr_set_add(&o->lambda, e->u.lambda.attrs[i]) < 0) {
            o->found = true; /* out of memory: the careful answer, and the caller will notice too */
        }
    }
    if (e->kind == NB_EXPR_COLUMN && !nb_attr_set_has(o->inner, e->u.column.attr) &&
        !nb_attr_set_has(&o->lambda, e->u.column.attr)) {
        o->found = true;
    }
    return !o->found;
}

static bool
names_outer(const lift *l, nb_expr *e)
{
    outer_state o = {&l->inner, {.arena = l->env->arena}, false};

    nb_expr_visit(e, look_outer, &o);
    return o.found;
}

static nb_status
outer_in_place(nb_expr **place, void *payload)
{
    return names_outer(payload, *place) ? NB_DONE : NB_OK;
}

/* NB_DONE when anything in the plan still names a column that no node of it makes. */
static nb_status
any_outer(lift *l, nb_plan *p)
{
    nb_status st = nb_plan_each_expr(p, outer_in_place, l);

    if (st != NB_OK) {
        return st;
    }
    for (int i = 0; i < p->n_children && st == NB_OK; i++) {
        st = any_outer(l, p->children[i]);
    }
    return st;
}

/* One more output attribute of p. */
static nb_status
add_attr(nb_arena *arena, nb_plan *p, const nb_attr *a, int at)
{
    nb_attr *attrs = NB_ARENA_ARRAY(arena, nb_attr, p->n_attrs + 1);

    NB_ROOM(attrs);
    memcpy(attrs, p->attrs, sizeof(nb_attr) * (size_t)at);
    attrs[at] = *a;
    attrs[at].hidden = true;
    memcpy(attrs + at + 1, p->attrs + at, sizeof(nb_attr) * (size_t)(p->n_attrs - at));
    p->attrs = attrs;
    p->n_attrs++;
    return NB_OK;
}

/* Inner columns that the conditions need, as outputs of the projection p. */
static nb_status
carry_project(lift *l, nb_plan *p)
{
    nb_attr_set used = {.arena = l->env->arena};

    for (int i = 0; i < l->to->conditions.n; i++) {
        NB_TRY(nb_attr_set_add_expr(&used, l->to->conditions.items[i]));
    }
    for (int i = 0; i < p->children[0]->n_attrs; i++) {
        const nb_attr *a = &p->children[0]->attrs[i];
        if (nb_attr_set_has(&used, a->id) && !nb_plan_find_attr(p, a->id)) {
            nb_expr **exprs = NB_ARENA_ARRAY(l->env->arena, nb_expr *, p->n_attrs + 1);
            NB_ROOM(exprs);
            memcpy(exprs, p->u.project.exprs, sizeof(nb_expr *) * (size_t)p->n_attrs);
            exprs[p->n_attrs] = nb_attr_expr(l->env->arena, a);
            NB_ROOM(exprs[p->n_attrs]);
            p->u.project.exprs = exprs;
            NB_TRY(add_attr(l->env->arena, p, a, p->n_attrs));
        }
    }
    return NB_OK;
}

static bool
is_no_inner(nb_expr *e, void *payload)
{
    return e->kind != NB_EXPR_COLUMN ||
           !nb_attr_set_has(&((const lift *)payload)->inner, e->u.column.attr);
}

/* Which side of an equality is the subquery's own, where the other one is the outer query's; -1 for none. */
static int
inner_side(lift *l, nb_expr *e)
{
    if (e->kind != NB_EXPR_CALL || e->u.call.fn != nb_function_find(NB_STR("="))) {
        return -1;
    }
    for (int k = 0; k < 2; k++) {
        nb_attr_set some = {.arena = l->env->arena};
        if (nb_attr_set_add_expr(&some, e->args[k]) >= 0 && some.n && !names_outer(l, e->args[k]) &&
            nb_type_is_orderable(e->args[k]->type) &&
            nb_expr_visit(e->args[1 - k], is_no_inner, l)) {
            return k;
        }
    }
    return -1;
}

/* Equalities inner = outer, from number `from` on, over an aggregation: the inner side becomes a key. */
static nb_status
carry_aggregate(lift *l, nb_plan *p, int from, bool one_row)
{
    bool had_keys = p->u.aggregate.n_keys > 0;
    nb_conditions *c = &l->to->conditions;

    if (c->n == from) {
        return NB_OK;
    }
    if (!had_keys && !one_row) {
        return NB_DONE;
    }
    l->row_of = had_keys ? NULL : p;
    for (int i = 0; i < p->u.aggregate.n_aggs && !had_keys; i++) {
        nb_expr *call = p->u.aggregate.aggs[i]->args[0], *zero;
        if (call->nullable) {
            continue;
        }
        if (call->type->id != NB_TYPE_INT64) {
            return NB_DONE; /* empty lists and the like */
        }
        zero = nb_expr_int64(l->env->arena, 0); /* count and its kin */
        NB_ROOM(zero);
        NB_TRY(nb_attr_map_put(&l->to->empty, p->u.aggregate.aggs[i]->u.alias.attr, zero));
    }
    for (int i = from; i < c->n; i++) {
        nb_expr *e = c->items[i], *key, **keys, **args;
        nb_attr a;
        int at = inner_side(l, e);
        if (at < 0) {
            return NB_DONE;
        }
        key = nb_expr_alias(l->env->arena, e->args[at], NB_STR("_key"), nb_attr_next_id());
        keys = NB_ARENA_ARRAY(l->env->arena, nb_expr *, p->u.aggregate.n_keys + 1);
        args = NB_ARENA_ARRAY(l->env->arena, nb_expr *, 2);
        NB_ROOM(key && keys && args);
        if (p->u.aggregate.n_keys) {
            memcpy(keys, p->u.aggregate.keys, sizeof(nb_expr *) * (size_t)p->u.aggregate.n_keys);
        }
        keys[p->u.aggregate.n_keys] = key;
        p->u.aggregate.keys = keys;
        a = nb_attr_of_expr(key);
        NB_TRY(add_attr(l->env->arena, p, &a, p->u.aggregate.n_keys++));
        NB_TRY(nb_attr_set_add(&l->inner, a.id));
        args[at] = nb_attr_expr(l->env->arena, &a);
        args[1 - at] = e->args[1 - at];
        NB_ROOM(args[at]);
        c->items[i] = nb_expr_with_args(l->env->arena, e, args);
        NB_ROOM(c->items[i]);
    }
    return NB_OK;
}

/* What a projection over an aggregation without keys makes of its values over no rows. NB_DONE when that cannot be put back behind the join: where the
 * value may be null for rows that match, the join could not tell the two cases apart. */
static nb_status
empty_through_project(lift *l, nb_plan *p, nb_error *err)
{
    const nb_plan *below = p->children[0];
    nb_attr_map all = {.arena = l->env->arena};

    for (int i = 0; i < below->n_attrs; i++) {
        const nb_attr *a = &below->attrs[i];
        nb_expr *e = nb_attr_map_get(&l->to->empty, a->id);
        e = e ? e : nb_expr_null(l->env->arena, a->type);
        NB_ROOM(e);
        NB_TRY(nb_attr_map_put(&all, a->id, e));
    }
    for (int i = 0; i < p->n_attrs; i++) {
        nb_expr *e = p->u.project.exprs[i], *made;
        nb_error quiet = NB_ERROR_INIT;
        nb_status st;
        if (p->attrs[i].hidden || e->kind != NB_EXPR_ALIAS) {
            continue;
        }
        NB_TRY(nb_expr_substitute(l->env->arena, e->args[0], &all, &made, err));
        if (!made->foldable) {
            return NB_DONE;
        }
        st = nb_expr_fold(l->env->arena, made, l->env->info, &made, &quiet);
        nb_error_clear(&quiet);
        if (st < 0 || made->kind != NB_EXPR_LITERAL) {
            return st == NB_NOMEM ? st : NB_DONE;
        }
        if (!nb_vector_is_null(made->u.literal.value, 0)) {
            if (e->args[0]->nullable) {
                return NB_DONE;
            }
            NB_TRY(nb_attr_map_put(&l->to->empty, p->attrs[i].id, made));
        }
    }
    return NB_OK;
}

static nb_status lift_from(lift *l, nb_plan **plan, bool one_row, nb_error *err);

static nb_status
lift_filter(lift *l, nb_plan **plan, nb_error *err)
{
    nb_plan *p = *plan;
    nb_expr **list = NULL, **stay;
    int n = 0, cap = 0, n_stay = 0;
    nb_arena *arena = l->env->arena;

    NB_TRY(nb_split_conjuncts(arena, p->u.filter.condition, &list, &n, &cap));
    stay = NB_ARENA_ARRAY(arena, nb_expr *, n + 1);
    NB_ROOM(stay);
    for (int i = 0; i < n; i++) {
        if (names_outer(l, list[i])) {
            NB_TRY(nb_conditions_add(l->env, &l->to->conditions, list[i]));
        } else {
            stay[n_stay++] = list[i];
        }
    }
    if (n_stay == 0) {
        *plan = p->children[0];
        return NB_OK;
    }
    NB_TRY(nb_plan_refresh(arena, p));
    return nb_join_conjuncts(arena, stay, n_stay, &p->u.filter.condition);
}

static nb_status
lift_join(lift *l, nb_plan *p, nb_error *err)
{
    bool inner = p->u.join.type == NB_JOIN_INNER || p->u.join.type == NB_JOIN_CROSS;
    nb_expr **list = NULL, **stay;
    int n = 0, cap = 0, n_stay = 0;
    nb_status st = NB_OK;

    if (inner || p->u.join.type == NB_JOIN_LEFT || p->u.join.type == NB_JOIN_SEMI ||
        p->u.join.type == NB_JOIN_ANTI) {
        st = lift_from(l, &p->children[0], false, err);
    }
    if (inner && st == NB_OK) {
        st = lift_from(l, &p->children[1], false, err);
    }
    if (st != NB_OK) {
        return st;
    }
    if (inner && p->u.join.condition) {
        NB_TRY(nb_split_conjuncts(l->env->arena, p->u.join.condition, &list, &n, &cap));
        stay = NB_ARENA_ARRAY(l->env->arena, nb_expr *, n + 1);
        NB_ROOM(stay);
        for (int i = 0; i < n; i++) {
            if (names_outer(l, list[i])) {
                NB_TRY(nb_conditions_add(l->env, &l->to->conditions, list[i]));
            } else {
                stay[n_stay++] = list[i];
            }
        }
        NB_TRY(nb_join_conjuncts(l->env->arena, stay, n_stay, &p->u.join.condition));
    }
    return nb_plan_refresh(l->env->arena, p);
}

static nb_status
lift_from(lift *l, nb_plan **plan, bool one_row, nb_error *err)
{
    nb_plan *p = *plan;
    int from = l->to->conditions.n;
    nb_status st;

    switch (p->kind) {
    case NB_PLAN_FILTER:
        st = lift_from(l, &p->children[0], false, err);
        return st == NB_OK ? lift_filter(l, plan, err) : st;
    case NB_PLAN_PROJECT:
        st = lift_from(l, &p->children[0], one_row, err);
        if (st != NB_OK) {
            return st;
        }
        NB_TRY(carry_project(l, p));
        if (l->row_of && l->row_of == p->children[0]) {
            l->row_of = p;
            return empty_through_project(l, p, err);
        }
        return NB_OK;
    case NB_PLAN_AGGREGATE:
        st = lift_from(l, &p->children[0], false, err);
        return st == NB_OK ? carry_aggregate(l, p, from, one_row) : st;
    case NB_PLAN_SORT:
        st = lift_from(l, &p->children[0], one_row, err);
        l->row_of = l->row_of == p->children[0] ? p : l->row_of;
        return st == NB_OK ? nb_plan_refresh(l->env->arena, p) : st;
    case NB_PLAN_ALIAS: *plan = p->children[0]; return lift_from(l, plan, one_row, err);
    case NB_PLAN_JOIN: return lift_join(l, p, err);
    default:
        return NB_OK; /* nothing is lifted from below; what is correlated there is found afterwards */
    }
}

nb_status
nb_lift_conditions(const nb_rewrite_env *env, nb_plan *plan, bool one_row, nb_lifted *out,
                   nb_error *err)
{
    lift l = {.env = env, .inner = {.arena = env->arena}, .to = out};
    nb_status st;

    *out = (nb_lifted){.plan = nb_plan_clone(env->arena, plan), .empty = {.arena = env->arena}};
    NB_ROOM(out->plan);
    NB_TRY(collect_attrs(out->plan, &l.inner));
    st = lift_from(&l, &out->plan, one_row, err);
    return st == NB_OK ? any_outer(&l, out->plan) : st;
}
