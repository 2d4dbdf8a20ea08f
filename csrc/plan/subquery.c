/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subquery.c: subqueries in expressions become joins, correlated or not.
 *
 *   [NOT] EXISTS, [NOT] IN as a conjunct of a filter   SEMI / ANTI join (NOT IN: null-aware)
 *   the same anywhere else                             MARK join, whose last column stands for the predicate
 *   scalar                                             SINGLE join: the value, or null; two rows are an error
 *
 * Correlation is taken out first: conditions that name the outer query's columns are lifted from the subquery's filters to the join's condition,
 * and the inner columns that they need are carried up. Through an aggregation only equalities can be lifted: their inner sides become keys. An
 * aggregation without keys gives a row also where nothing matches: COUNT is 0 there, which is put back behind the join. [Galindo-Legaria,
 * Joshi: Orthogonal optimization of subqueries and aggregation, SIGMOD 2001]
 */
#include "plan/subquery.h"
#include "plan/optimizer.h"

typedef struct lift {
    nb_arena *arena;
    const nb_session_info *info;
    nb_attr_set inner; /* everything that the subquery's nodes make */
    nb_expr **conditions;
    int n, cap;
    /* the value of an aggregation over no rows, per output attribute, where it is not null */
    nb_attr_map empty;
} lift;

#define NEED(p)              \
    do {                     \
        if (!(p)) {          \
            return NB_NOMEM; \
        }                    \
    } while (0)

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
    bool found;
    nb_attr_set lambda;
} outer_state;

static bool
look_outer(nb_expr *e, void *payload)
{
    outer_state *o = payload;

    if (e->kind == NB_EXPR_LAMBDA) {
        for (int i = 0; i < e->u.lambda.n_attrs; i++) {
            nb_attr_set_add(&o->lambda, e->u.lambda.attrs[i]);
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
    outer_state o = {&l->inner, false, {.arena = l->arena}};

    nb_expr_visit(e, look_outer, &o);
    return o.found;
}

static nb_status
add_condition(lift *l, nb_expr *e)
{
    if (l->n == l->cap) {
        int cap = l->cap ? l->cap * 2 : 8;
        nb_expr **list = NB_ARENA_ARRAY(l->arena, nb_expr *, cap);
        NEED(list);
        if (l->n) {
            memcpy(list, l->conditions, sizeof(nb_expr *) * (size_t)l->n);
        }
        l->conditions = list;
        l->cap = cap;
    }
    l->conditions[l->n++] = e;
    return NB_OK;
}

/* One more output attribute of p. */
static nb_status
add_attr(nb_arena *arena, nb_plan *p, const nb_attr *a, int at)
{
    nb_attr *attrs = NB_ARENA_ARRAY(arena, nb_attr, p->n_attrs + 1);

    NEED(attrs);
    memcpy(attrs, p->attrs, sizeof(nb_attr) * (size_t)at);
    attrs[at] = *a;
    attrs[at].hidden = true;
    memcpy(attrs + at + 1, p->attrs + at, sizeof(nb_attr) * (size_t)(p->n_attrs - at));
    p->attrs = attrs;
    p->n_attrs++;
    return NB_OK;
}

/* Inner columns that conditions from index `from` on need, as outputs of the projection p. */
static nb_status
carry_project(lift *l, nb_plan *p)
{
    nb_attr_set used = {.arena = l->arena};

    for (int i = 0; i < l->n; i++) {
        NB_TRY(nb_attr_set_add_expr(&used, l->conditions[i]));
    }
    for (int i = 0; i < p->children[0]->n_attrs; i++) {
        const nb_attr *a = &p->children[0]->attrs[i];
        if (nb_attr_set_has(&used, a->id) && !nb_plan_find_attr(p, a->id)) {
            nb_expr **exprs = NB_ARENA_ARRAY(l->arena, nb_expr *, p->n_attrs + 1);
            NEED(exprs);
            memcpy(exprs, p->u.project.exprs, sizeof(nb_expr *) * (size_t)p->n_attrs);
            exprs[p->n_attrs] = nb_attr_expr(l->arena, a);
            NEED(exprs[p->n_attrs]);
            p->u.project.exprs = exprs;
            NB_TRY(add_attr(l->arena, p, a, p->n_attrs));
        }
    }
    return NB_OK;
}

/* Equalities inner = outer over an aggregation: the inner side becomes a key. */
static nb_status
carry_aggregate(lift *l, nb_plan *p, nb_error *err)
{
    const nb_function *equal = nb_function_find(NB_STR("="));
    bool had_keys = p->u.aggregate.n_keys > 0;

    for (int i = 0; i < l->n; i++) {
        nb_expr *e = l->conditions[i], *inner = NULL, *key, **keys;
        nb_attr a;
        int at = -1;
        if (e->kind == NB_EXPR_CALL && e->u.call.fn == equal) {
            for (int k = 0; k < 2; k++) {
                nb_attr_set some = {.arena = l->arena};
                NB_TRY(nb_attr_set_add_expr(&some, e->args[k]));
                if (some.n && !names_outer(l, e->args[k])) {
                    inner = e->args[k];
                    at = k;
                }
            }
        }
        if (!inner) {
            return nb_raise_unsupported(err,
                                        "A correlated aggregation whose condition is no equality");
        }
        key = nb_expr_alias(l->arena, inner, NB_STR("_key"), nb_attr_next_id());
        keys = NB_ARENA_ARRAY(l->arena, nb_expr *, p->u.aggregate.n_keys + 1);
        NEED(key && keys);
        if (p->u.aggregate.n_keys) {
            memcpy(keys, p->u.aggregate.keys, sizeof(nb_expr *) * (size_t)p->u.aggregate.n_keys);
        }
        keys[p->u.aggregate.n_keys] = key;
        p->u.aggregate.keys = keys;
        a = nb_attr_of_expr(key);
        NB_TRY(add_attr(l->arena, p, &a, p->u.aggregate.n_keys++));
        NB_TRY(nb_attr_set_add(&l->inner, a.id));
        nb_expr **args = NB_ARENA_ARRAY(l->arena, nb_expr *, 2);
        NEED(args);
        args[at] = nb_attr_expr(l->arena, &a);
        args[1 - at] = e->args[1 - at];
        NEED(args[at]);
        l->conditions[i] = nb_expr_with_args(l->arena, e, args);
        NEED(l->conditions[i]);
    }
    for (int i = 0; i < p->u.aggregate.n_aggs && !had_keys && l->n; i++) {
        nb_expr *call = p->u.aggregate.aggs[i]->args[0];
        if (!call->nullable && call->type->id == NB_TYPE_INT64) { /* count and its kin */
            nb_expr *zero = nb_expr_int64(l->arena, 0);
            NEED(zero);
            l->empty.arena = l->arena;
            NB_TRY(nb_attr_map_put(&l->empty, p->u.aggregate.aggs[i]->u.alias.attr, zero));
        }
    }
    return NB_OK;
}

/* What a projection makes of the values over no rows. */
static nb_status
empty_through_project(lift *l, nb_plan *p, nb_error *err)
{
    if (l->empty.n == 0) {
        return NB_OK;
    }
    for (int i = 0; i < p->n_attrs; i++) {
        nb_expr *e = p->u.project.exprs[i], *made;
        nb_error quiet = NB_ERROR_INIT;
        if (e->kind != NB_EXPR_ALIAS) {
            continue;
        }
        NB_TRY(nb_expr_substitute(l->arena, e->args[0], &l->empty, &made, err));
        if (made != e->args[0]) {
            nb_status st = nb_expr_fold(l->arena, made, l->info, &made, &quiet);
            nb_error_clear(&quiet);
            if (st >= 0 && made->kind == NB_EXPR_LITERAL &&
                !nb_vector_is_null(made->u.literal.value, 0)) {
                NB_TRY(nb_attr_map_put(&l->empty, p->attrs[i].id, made));
            }
        }
    }
    return NB_OK;
}

static nb_status
lift_from(lift *l, nb_plan **plan, nb_error *err)
{
    nb_plan *p = *plan;

    switch (p->kind) {
    case NB_PLAN_FILTER: {
        nb_expr **list = NULL, **stay;
        int n = 0, cap = 0, n_stay = 0, before;
        NB_TRY(lift_from(l, &p->children[0], err));
        before = l->n;
        NB_TRY(nb_split_conjuncts(l->arena, p->u.filter.condition, &list, &n, &cap));
        stay = NB_ARENA_ARRAY(l->arena, nb_expr *, n + 1);
        NEED(stay);
        for (int i = 0; i < n; i++) {
            if (names_outer(l, list[i])) {
                NB_TRY(add_condition(l, list[i]));
            } else {
                stay[n_stay++] = list[i];
            }
        }
        if (l->n == before) {
            p->attrs = p->children[0]->attrs;
            p->n_attrs = p->children[0]->n_attrs;
            return NB_OK;
        }
        if (n_stay == 0) {
            *plan = p->children[0];
            return NB_OK;
        }
        p->attrs = p->children[0]->attrs;
        p->n_attrs = p->children[0]->n_attrs;
        return nb_join_conjuncts(l->arena, stay, n_stay, &p->u.filter.condition);
    }
    case NB_PLAN_PROJECT:
        NB_TRY(lift_from(l, &p->children[0], err));
        NB_TRY(carry_project(l, p));
        return empty_through_project(l, p, err);
    case NB_PLAN_AGGREGATE:
        NB_TRY(lift_from(l, &p->children[0], err));
        return carry_aggregate(l, p, err);
    case NB_PLAN_SORT:
        NB_TRY(lift_from(l, &p->children[0], err));
        p->attrs = p->children[0]->attrs;
        p->n_attrs = p->children[0]->n_attrs;
        return NB_OK;
    case NB_PLAN_ALIAS: *plan = p->children[0]; return lift_from(l, plan, err);
    case NB_PLAN_JOIN: {
        bool inner = p->u.join.type == NB_JOIN_INNER || p->u.join.type == NB_JOIN_CROSS;
        nb_attr *attrs;
        int n = 0;
        if (inner || p->u.join.type == NB_JOIN_LEFT || p->u.join.type == NB_JOIN_SEMI ||
            p->u.join.type == NB_JOIN_ANTI) {
            NB_TRY(lift_from(l, &p->children[0], err));
        }
        if (inner) {
            nb_expr **list = NULL, **stay;
            int n_list = 0, cap = 0, n_stay = 0;
            NB_TRY(lift_from(l, &p->children[1], err));
            if (p->u.join.condition) {
                NB_TRY(nb_split_conjuncts(l->arena, p->u.join.condition, &list, &n_list, &cap));
            }
            stay = NB_ARENA_ARRAY(l->arena, nb_expr *, n_list + 1);
            NEED(stay);
            for (int i = 0; i < n_list; i++) {
                if (names_outer(l, list[i])) {
                    NB_TRY(add_condition(l, list[i]));
                } else {
                    stay[n_stay++] = list[i];
                }
            }
            NB_TRY(nb_join_conjuncts(l->arena, stay, n_stay, &p->u.join.condition));
        }
        if (p->u.join.type == NB_JOIN_SEMI || p->u.join.type == NB_JOIN_ANTI) {
            p->attrs = p->children[0]->attrs;
            p->n_attrs = p->children[0]->n_attrs;
            return NB_OK;
        }
        if (p->u.join.type == NB_JOIN_MARK) {
            return NB_OK;
        }
        attrs = NB_ARENA_ARRAY(l->arena, nb_attr,
                               p->children[0]->n_attrs + p->children[1]->n_attrs + 1);
        NEED(attrs);
        for (int side = 0; side < 2; side++) {
            for (int i = 0; i < p->children[side]->n_attrs; i++) {
                const nb_attr *old = nb_plan_find_attr(p, p->children[side]->attrs[i].id);
                attrs[n++] = old ? *old : p->children[side]->attrs[i];
            }
        }
        p->attrs = attrs;
        p->n_attrs = n;
        return NB_OK;
    }
    default:
        return NB_OK; /* nothing is lifted from below; what is correlated there is found afterwards */
    }
}

/* Does anything in the plan still name a column that no node below it makes? */
static bool
any_outer(const lift *l, nb_plan *p)
{
    bool found = false;

    switch (p->kind) {
    case NB_PLAN_FILTER: found = names_outer(l, p->u.filter.condition); break;
    case NB_PLAN_PROJECT:
        for (int i = 0; i < p->n_attrs && !found; i++) {
            found = names_outer(l, p->u.project.exprs[i]);
        }
        break;
    case NB_PLAN_AGGREGATE:
        for (int i = 0; i < p->u.aggregate.n_aggs && !found; i++) {
            found = names_outer(l, p->u.aggregate.aggs[i]);
        }
        break;
    case NB_PLAN_JOIN: found = p->u.join.condition && names_outer(l, p->u.join.condition); break;
    default: break;
    }
    for (int i = 0; i < p->n_children && !found; i++) {
        found = any_outer(l, p->children[i]);
    }
    return found;
}

static nb_status
rewrite_plan(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err);

static nb_status
join_node(nb_arena *arena, nb_plan *left, nb_plan *right, nb_join_type type, nb_expr *condition,
          bool null_aware, nb_plan **out)
{
    bool left_only = type == NB_JOIN_SEMI || type == NB_JOIN_ANTI || type == NB_JOIN_MARK;
    int n = left->n_attrs + (type == NB_JOIN_MARK ? 1 : left_only ? 0 : right->n_attrs);
    nb_plan *p = nb_plan_new(arena, NB_PLAN_JOIN, 2, n);

    NEED(p);
    p->children[0] = left;
    p->children[1] = right;
    p->u.join.type = type;
    p->u.join.condition = condition;
    p->u.join.null_aware = null_aware;
    memcpy(p->attrs, left->attrs, sizeof(nb_attr) * (size_t)left->n_attrs);
    if (type == NB_JOIN_MARK) {
        p->attrs[left->n_attrs] = (nb_attr){.id = nb_attr_next_id(),
                                            .name = NB_STR("exists"),
                                            .type = nb_type_of(NB_TYPE_BOOL),
                                            .nullable = null_aware,
                                            .hidden = true};
    } else if (!left_only) {
        for (int i = 0; i < right->n_attrs; i++) {
            p->attrs[left->n_attrs + i] = right->attrs[i];
            p->attrs[left->n_attrs + i].hidden = true;
            p->attrs[left->n_attrs + i].nullable = true;
        }
    }
    *out = p;
    return NB_OK;
}

static nb_status
call(lift *l, const char *name, nb_expr **args, int n, nb_expr **out, nb_error *err)
{
    return nb_function_bind(l->arena, l->info, nb_function_find(nb_str_of(name)), nb_str_of(name),
                            args, n, NULL, out, err);
}

/* Conditions `value = column` of IN, appended to the lifted ones. */
static nb_status
in_conditions(lift *l, nb_expr *e, nb_plan *sub, nb_error *err)
{
    int k = 0;

    for (int i = 0; i < sub->n_attrs && k < e->n_args; i++) {
        nb_expr **args, *equal;
        if (sub->attrs[i].hidden) {
            continue;
        }
        args = NB_ARENA_ARRAY(l->arena, nb_expr *, 2);
        NEED(args);
        args[0] = e->args[k++];
        args[1] = nb_attr_expr(l->arena, &sub->attrs[i]);
        NEED(args[1]);
        NB_TRY(call(l, "=", args, 2, &equal, err));
        NB_TRY(add_condition(l, equal));
    }
    return NB_OK;
}

/* NOT IN, three-valued by hand: an inner row counts as equal where the comparison is null. */
static nb_status
not_in_conditions(lift *l, nb_expr *e, nb_plan *sub, nb_error *err)
{
    int from = l->n;

    NB_TRY(in_conditions(l, e, sub, err));
    for (int i = from; i < l->n; i++) {
        nb_expr **args = NB_ARENA_ARRAY(l->arena, nb_expr *, 2), *is_null;
        NEED(args);
        args[0] = l->conditions[i];
        NB_TRY(call(l, "isnull", args, 1, &is_null, err));
        args = NB_ARENA_ARRAY(l->arena, nb_expr *, 2);
        NEED(args);
        args[0] = l->conditions[i];
        args[1] = is_null;
        NB_TRY(call(l, "or", args, 2, &l->conditions[i], err));
    }
    return NB_OK;
}

/* The subquery without correlation, and the conditions that tie it to the outer query. */
static nb_status
open_subquery(lift *l, nb_expr *e, nb_plan **sub, nb_error *err)
{
    *sub = e->u.subquery.plan;
    NB_TRY(rewrite_plan(l->arena, l->info, sub, err));
    NB_TRY(collect_attrs(*sub, &l->inner));
    NB_TRY(lift_from(l, sub, err));
    if (any_outer(l, *sub)) {
        return nb_raise_unsupported(err, "A correlated subquery of this form");
    }
    return NB_OK;
}

/* Joins the subquery of e to *input; *value is what stands for e above the join. */
static nb_status
attach(nb_arena *arena, const nb_session_info *info, nb_expr *e, nb_plan **input, nb_expr **value,
       nb_error *err)
{
    lift l = {.arena = arena, .info = info, .inner = {.arena = arena}, .empty = {.arena = arena}};
    nb_plan *sub, *join;
    nb_expr *condition;

    NB_TRY(open_subquery(&l, e, &sub, err));
    if (e->u.subquery.kind == NB_SUBQUERY_SCALAR) {
        const nb_attr *a = NULL;
        nb_expr *empty;
        for (int i = 0; i < sub->n_attrs && !a; i++) {
            a = sub->attrs[i].hidden ? NULL : &sub->attrs[i];
        }
        NB_TRY(nb_join_conjuncts(arena, l.conditions, l.n, &condition));
        NB_TRY(join_node(arena, *input, sub, NB_JOIN_SINGLE, condition, false, &join));
        *value = nb_expr_column(arena, a->id, a->name, a->type, true);
        NEED(*value);
        empty = nb_attr_map_get(&l.empty, a->id);
        if (empty && l.n) {
            nb_expr **args = NB_ARENA_ARRAY(arena, nb_expr *, 2);
            NEED(args);
            args[0] = *value;
            args[1] = empty;
            NB_TRY(call(&l, "coalesce", args, 2, value, err));
        }
        *input = join;
        return NB_OK;
    }
    if (e->u.subquery.kind == NB_SUBQUERY_IN) {
        NB_TRY(in_conditions(&l, e, sub, err));
    } else if (e->u.subquery.kind == NB_SUBQUERY_NOT_IN) {
        NB_TRY(not_in_conditions(&l, e, sub, err));
    }
    NB_TRY(nb_join_conjuncts(arena, l.conditions, l.n, &condition));
    /* outside of a filter Spark's IN is never null: it asks whether a row is there */
    NB_TRY(join_node(arena, *input, sub, NB_JOIN_MARK, condition, false, &join));
    *value = nb_attr_expr(arena, &join->attrs[join->n_attrs - 1]);
    NEED(*value);
    if (e->u.subquery.kind == NB_SUBQUERY_NOT_IN) {
        nb_expr **args = NB_ARENA_ARRAY(arena, nb_expr *, 1);
        NEED(args);
        args[0] = *value;
        NB_TRY(call(&l, "not", args, 1, value, err));
    }
    *input = join;
    return NB_OK;
}

typedef struct replace_state {
    const nb_session_info *info;
    nb_plan **input;
} replace_state;

/* not(x IN (query)) becomes one node, since its nulls count otherwise. */
static nb_status
join_negation(nb_arena *arena, nb_expr *in, nb_expr **out, void *payload, nb_error *err)
{
    nb_expr *s = in->n_args == 1 ? in->args[0] : NULL, *made;

    (void)payload;
    (void)err;
    *out = in;
    if (in->kind == NB_EXPR_CALL && in->u.call.fn == nb_function_find(NB_STR("not")) &&
        s->kind == NB_EXPR_SUBQUERY && s->u.subquery.kind == NB_SUBQUERY_IN) {
        made = nb_expr_new(arena, NB_EXPR_SUBQUERY, s->type, s->nullable, s->n_args);
        NEED(made);
        memcpy(made->args, s->args, sizeof(nb_expr *) * (size_t)s->n_args);
        made->u.subquery = s->u.subquery;
        made->u.subquery.kind = NB_SUBQUERY_NOT_IN;
        made->deterministic = s->deterministic;
        made->can_fail = s->can_fail;
        *out = made;
    }
    return NB_OK;
}

static nb_status
replace_one(nb_arena *arena, nb_expr *in, nb_expr **out, void *payload, nb_error *err)
{
    replace_state *r = payload;

    *out = in;
    return in->kind == NB_EXPR_SUBQUERY ? attach(arena, r->info, in, r->input, out, err) : NB_OK;
}

static bool
no_subquery(nb_expr *e, void *payload)
{
    *(bool *)payload |= e->kind == NB_EXPR_SUBQUERY;
    return !*(bool *)payload;
}

static bool
has_subquery(nb_expr *e)
{
    bool found = false;

    nb_expr_visit(e, no_subquery, &found);
    return found;
}

/* [NOT] EXISTS / IN as a whole conjunct. */
static nb_status
conjunct_join(nb_arena *arena, const nb_session_info *info, nb_expr *e, nb_plan **input, bool *done,
              nb_error *err)
{
    bool negated = e->kind == NB_EXPR_CALL && e->u.call.fn == nb_function_find(NB_STR("not"));
    nb_expr *s = negated ? e->args[0] : e, *condition;
    lift l = {.arena = arena, .info = info, .inner = {.arena = arena}, .empty = {.arena = arena}};
    nb_plan *sub, *join;
    bool is_in;

    *done = false;
    if (s->kind != NB_EXPR_SUBQUERY || s->u.subquery.kind == NB_SUBQUERY_SCALAR) {
        return NB_OK;
    }
    for (int i = 0; i < s->n_args; i++) {
        if (has_subquery(s->args[i])) {
            return NB_OK;
        }
    }
    is_in = s->u.subquery.kind == NB_SUBQUERY_IN;
    NB_TRY(open_subquery(&l, s, &sub, err));
    if (is_in) {
        if (negated && (l.n > 0 || s->n_args > 1)) {
            NB_TRY(not_in_conditions(&l, s, sub, err));
            is_in = false;
        } else {
            NB_TRY(in_conditions(&l, s, sub, err));
        }
    }
    NB_TRY(nb_join_conjuncts(arena, l.conditions, l.n, &condition));
    NB_TRY(join_node(arena, *input, sub, negated ? NB_JOIN_ANTI : NB_JOIN_SEMI, condition,
                     negated && is_in, &join));
    *input = join;
    *done = true;
    return NB_OK;
}

static nb_status
rewrite_filter(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err)
{
    nb_plan *p = *plan, *input = p->children[0];
    nb_expr **list = NULL, **stay;
    int n = 0, cap = 0, n_stay = 0;
    replace_state r = {info, &input};

    NB_TRY(nb_split_conjuncts(arena, p->u.filter.condition, &list, &n, &cap));
    stay = NB_ARENA_ARRAY(arena, nb_expr *, n + 1);
    NEED(stay);
    for (int i = 0; i < n; i++) {
        bool done = false;
        if (has_subquery(list[i])) {
            NB_TRY(conjunct_join(arena, info, list[i], &input, &done, err));
            if (!done) {
                NB_TRY(nb_expr_rewrite(arena, list[i], join_negation, NULL, &list[i], err));
                NB_TRY(nb_expr_rewrite(arena, list[i], replace_one, &r, &list[i], err));
            }
        }
        if (!done) {
            stay[n_stay++] = list[i];
        }
    }
    if (n_stay == 0) {
        *plan = input;
        return NB_OK;
    }
    p->children[0] = input;
    p->attrs = input->attrs;
    p->n_attrs = input->n_attrs;
    return nb_join_conjuncts(arena, stay, n_stay, &p->u.filter.condition);
}

static nb_status
rewrite_list(nb_arena *arena, const nb_session_info *info, nb_plan *p, nb_expr **list, int n,
             nb_error *err)
{
    replace_state r = {info, &p->children[0]};

    for (int i = 0; i < n; i++) {
        if (list[i] && has_subquery(list[i])) {
            NB_TRY(nb_expr_rewrite(arena, list[i], join_negation, NULL, &list[i], err));
            NB_TRY(nb_expr_rewrite(arena, list[i], replace_one, &r, &list[i], err));
        }
    }
    return NB_OK;
}

static nb_status
rewrite_plan(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err)
{
    nb_plan *p = *plan;

    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(rewrite_plan(arena, info, &p->children[i], err));
    }
    switch (p->kind) {
    case NB_PLAN_FILTER:
        if (has_subquery(p->u.filter.condition)) {
            return rewrite_filter(arena, info, plan, err);
        }
        /* a child may have got columns by its own rewriting; passing nodes pass them on */
        p->attrs = p->children[0]->attrs;
        p->n_attrs = p->children[0]->n_attrs;
        return NB_OK;
    case NB_PLAN_PROJECT: return rewrite_list(arena, info, p, p->u.project.exprs, p->n_attrs, err);
    case NB_PLAN_AGGREGATE:
        NB_TRY(rewrite_list(arena, info, p, p->u.aggregate.keys, p->u.aggregate.n_keys, err));
        return rewrite_list(arena, info, p, p->u.aggregate.aggs, p->u.aggregate.n_aggs, err);
    case NB_PLAN_JOIN:
        if (p->u.join.condition && has_subquery(p->u.join.condition)) {
            return nb_raise_unsupported(err, "A subquery in the condition of a join");
        }
        return NB_OK;
    default: return NB_OK;
    }
}

nb_status
nb_rewrite_subqueries(nb_arena *arena, const nb_session_info *info, nb_plan **plan, nb_error *err)
{
    return rewrite_plan(arena, info, plan, err);
}
