/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unnest.c: the general way out of correlation: a subquery is computed for all outer rows at once.
 *
 * The distinct values of the outer columns that the subquery names (its domain) are joined in below everything that names them; each
 * operator above then works per value of the domain:
 *
 *     filter, projection        over the domain's columns instead of the outer ones
 *     aggregation               the domain's columns become keys; without keys, every value of the domain gives a row, also where none match
 *     limit                     row_number() per value of the domain
 *     window                    the domain's columns become partitioning
 *     join                      the domain joins the side that is correlated, both sides and an equality if both are
 *     union, expand             per branch
 *
 * A subtree that names no outer column is joined with the domain as it is. The result is joined to the outer query on the domain's columns.
 * [Neumann, Kemper: Unnesting arbitrary queries, BTW 2015]
 *
 * The outer query is then read twice, once for its domain. Where two readings might differ, its rows are kept in a table first.
 */
#include "plan/subquery_internal.h"

typedef struct unnest {
    const nb_rewrite_env *env;
    const nb_plan *input;
    nb_attr_set all;      /* columns of the input */
    const nb_attr *outer; /* those that the subquery names */
    int n;
} unnest;

typedef struct names_state {
    const nb_attr_set *set;
    nb_attr_set *found; /* NULL: only whether */
    nb_status st;
} names_state;

static bool
look_for_names(nb_expr *e, void *payload)
{
    names_state *n = payload;

    if (e->kind == NB_EXPR_COLUMN && nb_attr_set_has(n->set, e->u.column.attr)) {
        n->st = n->found ? nb_attr_set_add(n->found, e->u.column.attr) : NB_DONE;
    }
    return n->st == NB_OK;
}

static nb_status
names_in_place(nb_expr **place, void *payload)
{
    names_state *n = payload;

    nb_expr_visit(*place, look_for_names, n);
    return n->st;
}

static nb_status
find_names(nb_plan *p, names_state *n)
{
    n->st = nb_plan_each_expr(p, names_in_place, n);
    for (int i = 0; i < p->n_children && n->st == NB_OK; i++) {
        n->st = find_names(p->children[i], n);
    }
    return n->st;
}

bool
nb_plan_names(nb_plan *p, const nb_attr_set *set)
{
    names_state n = {set, NULL, NB_OK};

    return find_names(p, &n) == NB_DONE;
}

/* The domain, with attributes of its own for each use. */
static nb_status
new_domain(unnest *u, nb_plan **out)
{
    nb_plan *child = nb_plan_clone(u->env->arena, u->input),
            *p = nb_plan_new(u->env->arena, NB_PLAN_AGGREGATE, 1, u->n);

    NB_ROOM(child && p);
    p->children[0] = child;
    p->u.aggregate.n_keys = u->n;
    p->u.aggregate.keys = NB_ARENA_ARRAY(u->env->arena, nb_expr *, u->n + 1);
    p->u.aggregate.aggs = NB_ARENA_ARRAY(u->env->arena, nb_expr *, 1);
    NB_ROOM(p->u.aggregate.keys && p->u.aggregate.aggs);
    for (int i = 0; i < u->n; i++) {
        nb_expr *e = nb_attr_expr(u->env->arena, &u->outer[i]);
        NB_ROOM(e);
        e = nb_expr_alias(u->env->arena, e, u->outer[i].name, nb_attr_next_id());
        NB_ROOM(e);
        p->u.aggregate.keys[i] = e;
        p->attrs[i] = nb_attr_of_expr(e);
        p->attrs[i].hidden = true;
    }
    *out = p;
    return NB_OK;
}

/* a <=> b for all of the domain's columns, added to a condition (NULL for none). */
static nb_status
same_domain(unnest *u, const nb_attr *a, const nb_attr *b, nb_expr **condition, nb_error *err)
{
    for (int i = 0; i < u->n; i++) {
        nb_expr *x = nb_attr_expr(u->env->arena, &a[i]), *y = nb_attr_expr(u->env->arena, &b[i]),
                *e;
        NB_ROOM(x && y);
        NB_TRY(
            nb_rewrite_call(u->env, a[i].nullable || b[i].nullable ? "<=>" : "=", x, y, &e, err));
        if (*condition) {
            NB_TRY(nb_rewrite_call(u->env, "and", *condition, e, condition, err));
        } else {
            *condition = e;
        }
    }
    return NB_OK;
}

typedef struct replace_state {
    const nb_rewrite_env *env;
    nb_attr_map map;
    nb_error *err;
} replace_state;

static nb_status
replace_in_place(nb_expr **place, void *payload)
{
    replace_state *r = payload;

    return nb_expr_substitute(r->env->arena, *place, &r->map, place, r->err);
}

/* The node's own expressions over d instead of the outer columns. */
static nb_status
over_domain(unnest *u, nb_plan *p, const nb_attr *d, nb_error *err)
{
    replace_state r = {u->env, {.arena = u->env->arena}, err};

    for (int i = 0; i < u->n; i++) {
        nb_expr *e = nb_attr_expr(u->env->arena, &d[i]);
        NB_ROOM(e);
        NB_TRY(nb_attr_map_put(&r.map, u->outer[i].id, e));
    }
    return nb_plan_each_expr(p, replace_in_place, &r);
}

/* n more elements at `at` of a list of expressions: the domain's columns. */
static nb_status
insert_columns(unnest *u, nb_expr ***list, int n, const nb_attr *d)
{
    nb_expr **wider = NB_ARENA_ARRAY(u->env->arena, nb_expr *, n + u->n + 1);

    NB_ROOM(wider);
    if (n) {
        memcpy(wider, *list, sizeof *wider * (size_t)n);
    }
    for (int i = 0; i < u->n; i++) {
        wider[n + i] = nb_attr_expr(u->env->arena, &d[i]);
        NB_ROOM(wider[n + i]);
    }
    *list = wider;
    return NB_OK;
}

/* The domain's columns among p's attributes, from `at` on. */
static nb_status
insert_attrs(unnest *u, nb_plan *p, int at, const nb_attr *d)
{
    nb_attr *attrs = NB_ARENA_ARRAY(u->env->arena, nb_attr, p->n_attrs + u->n + 1);

    NB_ROOM(attrs);
    memcpy(attrs, p->attrs, sizeof(nb_attr) * (size_t)at);
    memcpy(attrs + at, d, sizeof(nb_attr) * (size_t)u->n);
    for (int i = 0; i < u->n; i++) {
        attrs[at + i].hidden = true;
    }
    memcpy(attrs + at + u->n, p->attrs + at, sizeof(nb_attr) * (size_t)(p->n_attrs - at));
    p->attrs = attrs;
    p->n_attrs += u->n;
    return NB_OK;
}

/* Puts the domain below *plan, which then also puts out its columns: d[0..n) says as which. */
static nb_status push(unnest *u, nb_plan **plan, bool one_row, nb_attr **d, nb_error *err);

/* A subtree that names no outer column, once for each value of the domain. */
static nb_status
cross_domain(unnest *u, nb_plan **plan, nb_attr **d)
{
    nb_plan *domain, *join;
    nb_plan *right = *plan;

    NB_TRY(new_domain(u, &domain));
    join = nb_plan_new(u->env->arena, NB_PLAN_JOIN, 2, u->n + right->n_attrs);
    NB_ROOM(join);
    join->children[0] = domain;
    join->children[1] = right;
    join->u.join.type = NB_JOIN_CROSS;
    memcpy(join->attrs, domain->attrs, sizeof(nb_attr) * (size_t)u->n);
    memcpy(join->attrs + u->n, right->attrs, sizeof(nb_attr) * (size_t)right->n_attrs);
    *d = domain->attrs;
    *plan = join;
    return NB_OK;
}

/* No keys: a row for each value of the domain, also where no row is left for it. Its rows get a mark, the domain is joined to them from outside, and the
 * calls count only rows with the mark. */
static nb_status
keep_empty_groups(unnest *u, nb_plan *p, nb_attr **d, nb_error *err)
{
    nb_plan *marked, *domain, *join;
    nb_expr *yes = nb_expr_bool(u->env->arena, true), *condition = NULL, *is_row;
    nb_attr mark;
    int n = p->children[0]->n_attrs;

    NB_ROOM(yes);
    NB_TRY(nb_plan_narrow(u->env->arena, p->children[0], p->children[0]->attrs, n, &marked));
    yes = nb_expr_alias(u->env->arena, yes, NB_STR("_row"), nb_attr_next_id());
    NB_ROOM(yes);
    mark = nb_attr_of_expr(yes);
    mark.hidden = true;
    marked->u.project.exprs[n] = yes; /* nb_plan_narrow and nb_plan_new leave room for one more */
    marked->attrs[n] = mark;
    marked->n_attrs = n + 1;
    NB_TRY(new_domain(u, &domain));
    NB_TRY(same_domain(u, domain->attrs, *d, &condition, err));
    NB_TRY(nb_rewrite_join(u->env, domain, marked, NB_JOIN_LEFT, condition, false, &join));
    mark.nullable = true;
    is_row = nb_attr_expr(u->env->arena, &mark);
    NB_ROOM(is_row);
    NB_TRY(nb_rewrite_call(u->env, "isnotnull", is_row, NULL, &is_row, err));
    for (int i = 0; i < p->u.aggregate.n_aggs; i++) {
        nb_expr *alias = p->u.aggregate.aggs[i], *call, *filter = is_row;
        call = nb_expr_with_args(u->env->arena, alias->args[0], alias->args[0]->args);
        NB_ROOM(call);
        if (call->u.agg.filter) {
            NB_TRY(nb_rewrite_call(u->env, "and", filter, call->u.agg.filter, &filter, err));
        }
        call->u.agg.filter = filter;
        p->u.aggregate.aggs[i] = nb_expr_with_args(u->env->arena, alias, &call);
        NB_ROOM(p->u.aggregate.aggs[i]);
    }
    p->children[0] = join;
    *d = domain->attrs;
    return NB_OK;
}

/* Are all calls over no rows null, or counts and so 0? */
static bool
empty_is_known(const nb_plan *p)
{
    for (int i = 0; i < p->u.aggregate.n_aggs; i++) {
        const nb_expr *call = p->u.aggregate.aggs[i]->args[0];
        if (!call->nullable && call->type->id != NB_TYPE_INT64) {
            return false; /* empty lists and the like */
        }
    }
    return true;
}

/* The same where what the calls give over no rows is known: the domain is joined to the groups, which are fewer than their rows, and counts that are not
 * there are 0. */
static nb_status
add_empty_groups(unnest *u, nb_plan **plan, nb_attr **d, nb_error *err)
{
    nb_arena *arena = u->env->arena;
    nb_plan *groups = *plan, *domain, *join, *p = nb_plan_new(arena, NB_PLAN_PROJECT, 1, u->n);
    int n = groups->u.aggregate.n_aggs;
    nb_expr *condition = NULL, **exprs = NB_ARENA_ARRAY(arena, nb_expr *, u->n + n + 1);
    nb_attr *attrs = NB_ARENA_ARRAY(arena, nb_attr, u->n + n + 1);

    NB_ROOM(p && exprs && attrs);
    for (int i = 0; i < n; i++) {
        nb_expr *alias = groups->u.aggregate.aggs[i], *value = alias->args[0], *zero = NULL;
        nb_attr *a = &groups->attrs[u->n + i];
        attrs[u->n + i] = *a;
        if (!value->nullable) {
            zero = nb_expr_int64(arena, 0);
            alias = nb_expr_alias(arena, value, a->name, nb_attr_next_id());
            NB_ROOM(zero && alias);
            groups->u.aggregate.aggs[i] = alias;
            a->id = alias->u.alias.attr;
        }
        a->nullable = true; /* as the join gives it */
        exprs[u->n + i] = nb_attr_expr(arena, a);
        NB_ROOM(exprs[u->n + i]);
        if (!value->nullable) {
            NB_TRY(nb_rewrite_call(u->env, "coalesce", exprs[u->n + i], zero, &value, err));
            exprs[u->n + i] = nb_expr_alias(arena, value, a->name, attrs[u->n + i].id);
            NB_ROOM(exprs[u->n + i]);
        }
        a->nullable = groups->u.aggregate.aggs[i]->args[0]->nullable;
    }
    NB_TRY(new_domain(u, &domain));
    NB_TRY(same_domain(u, domain->attrs, *d, &condition, err));
    NB_TRY(nb_rewrite_join(u->env, domain, groups, NB_JOIN_LEFT, condition, false, &join));
    for (int i = 0; i < u->n; i++) {
        exprs[i] = nb_attr_expr(arena, &domain->attrs[i]);
        NB_ROOM(exprs[i]);
        attrs[i] = domain->attrs[i];
    }
    p->children[0] = join;
    p->u.project.exprs = exprs;
    p->attrs = attrs;
    p->n_attrs = u->n + n;
    *d = domain->attrs;
    *plan = p;
    return NB_OK;
}

static nb_status
push_aggregate(unnest *u, nb_plan **plan, bool one_row, nb_attr **d, nb_error *err)
{
    nb_plan *p = *plan;
    bool had_keys = p->u.aggregate.n_keys > 0, all_null = one_row, known = empty_is_known(p);

    NB_TRY(push(u, &p->children[0], false, d, err));
    NB_TRY(over_domain(u, p, *d, err));
    for (int i = 0; i < p->u.aggregate.n_aggs; i++) {
        all_null &= p->u.aggregate.aggs[i]->args[0]->nullable;
    }
    if (!had_keys && !all_null && !known) {
        NB_TRY(keep_empty_groups(u, p, d, err));
    }
    NB_TRY(insert_columns(u, &p->u.aggregate.keys, p->u.aggregate.n_keys, *d));
    NB_TRY(insert_attrs(u, p, p->u.aggregate.n_keys, *d));
    p->u.aggregate.n_keys += u->n;
    return !had_keys && !all_null && known ? add_empty_groups(u, plan, d, err) : NB_OK;
}

/* LIMIT n OFFSET m per value of the domain. */
static nb_status
push_limit(unnest *u, nb_plan **plan, nb_attr **d, nb_error *err)
{
    nb_plan *p = *plan, *child = p->children[0], *window, *filter;
    int64_t limit = p->u.limit.limit, offset = p->u.limit.offset;
    nb_window_spec *spec = NB_ARENA_NEW(u->env->arena, nb_window_spec);
    nb_expr *call, *e, *number, *bound, *condition = NULL;
    nb_plan *sort = NULL;

    NB_ROOM(spec);
    while (child->kind == NB_PLAN_ALIAS) {
        child = child->children[0];
    }
    if (child->kind == NB_PLAN_PROJECT && limit >= 0) { /* the projection can as well come after */
        nb_plan *project = child;
        p->children[0] = project->children[0];
        NB_TRY(nb_plan_refresh(u->env->arena, p));
        project->children[0] = p;
        *plan = project;
        return push(u, plan, false, d, err);
    }
    if (child->kind == NB_PLAN_LIMIT && limit >= 0 && offset == 0 && child->u.limit.limit < 0) {
        offset = child->u.limit.offset; /* two nodes in a message */
        child = child->children[0];
    }
    if (child->kind == NB_PLAN_SORT && child->u.sort.global) {
        sort = child;
        child = sort->children[0];
    }
    NB_TRY(push(u, &child, false, d, err));
    if (sort) {
        NB_TRY(over_domain(u, sort, *d, err));
        spec->order_by = sort->u.sort.keys;
        spec->n_order_by = sort->u.sort.n_keys;
    } else {
        spec->order_by = NB_ARENA_NEW(u->env->arena, nb_sort_key);
        NB_ROOM(spec->order_by);
        spec->order_by[0].expr = nb_attr_expr(u->env->arena, &(*d)[0]);
        NB_ROOM(spec->order_by[0].expr);
        spec->n_order_by = 1;
    }
    NB_TRY(insert_columns(u, &spec->partition_by, 0, *d));
    spec->n_partition_by = u->n;
    spec->frame.is_rows = true;
    spec->frame.upper = NB_BOUND_CURRENT;
    NB_TRY(nb_function_bind(u->env->arena, u->env->info, nb_function_find(NB_STR("row_number")),
                            NB_STR("row_number"), NULL, 0, NULL, &call, err));
    e = nb_expr_new(u->env->arena, NB_EXPR_WINDOW, call->type, call->nullable, 0);
    NB_ROOM(e);
    e->u.window.fn = call;
    e->u.window.spec = spec;
    nb_expr_set_flags(e);
    e->foldable = false;
    e = nb_expr_alias(u->env->arena, e, NB_STR("_number"), nb_attr_next_id());
    window = nb_plan_new(u->env->arena, NB_PLAN_WINDOW, 1, child->n_attrs + 1);
    filter = nb_plan_new(u->env->arena, NB_PLAN_FILTER, 1, child->n_attrs + 1);
    NB_ROOM(e && window && filter);
    window->children[0] = child;
    window->u.window.spec = spec;
    window->u.window.n_functions = 1;
    window->u.window.functions = NB_ARENA_ARRAY(u->env->arena, nb_expr *, 1);
    NB_ROOM(window->u.window.functions);
    window->u.window.functions[0] = e;
    memcpy(window->attrs, child->attrs, sizeof(nb_attr) * (size_t)child->n_attrs);
    window->attrs[child->n_attrs] = nb_attr_of_expr(e);
    window->attrs[child->n_attrs].hidden = true;
    filter->children[0] = window;
    memcpy(filter->attrs, window->attrs, sizeof(nb_attr) * (size_t)window->n_attrs);
    for (int upper = 0; upper < 2; upper++) {
        int64_t value = !upper ? offset : limit > INT64_MAX - offset ? INT64_MAX : offset + limit;
        if (upper ? limit < 0 : offset == 0) {
            continue;
        }
        number = nb_attr_expr(u->env->arena, &window->attrs[child->n_attrs]);
        bound = nb_expr_int64(u->env->arena, value);
        NB_ROOM(number && bound);
        NB_TRY(nb_expr_cast(u->env->arena, number, nb_type_of(NB_TYPE_INT64), NB_CAST_LEGACY,
                            &number, err));
        NB_TRY(nb_rewrite_call(u->env, upper ? "<=" : ">", number, bound, &number, err));
        if (condition) {
            NB_TRY(nb_rewrite_call(u->env, "and", condition, number, &condition, err));
        } else {
            condition = number;
        }
    }
    if (!condition) {
        *plan = child;
        return NB_OK;
    }
    filter->u.filter.condition = condition;
    *plan = filter;
    return NB_OK;
}

/* x, or x IS NULL: what NOT IN means by equal, spelt out. */
static nb_status
or_null(unnest *u, nb_expr **condition, nb_error *err)
{
    nb_expr *is_null;

    NB_TRY(nb_rewrite_call(u->env, "isnull", *condition, NULL, &is_null, err));
    return nb_rewrite_call(u->env, "or", *condition, is_null, condition, err);
}

static nb_status
push_join(unnest *u, nb_plan **plan, nb_attr **d, nb_error *err)
{
    nb_plan *p = *plan, *project;
    nb_join_type type = p->u.join.type;
    bool inner = type == NB_JOIN_INNER || type == NB_JOIN_CROSS;
    bool side[2] = {nb_plan_names(p->children[0], &u->all), nb_plan_names(p->children[1], &u->all)};
    nb_attr *of[2] = {NULL, NULL};
    int kept = type == NB_JOIN_RIGHT || (inner && !side[0] && side[1]);

    side[kept] =
        true; /* the side whose rows, and so whose columns of the domain, all come through */
    side[1 - kept] |= type == NB_JOIN_FULL;
    for (int i = 0; i < 2; i++) {
        if (side[i]) {
            NB_TRY(push(u, &p->children[i], false, &of[i], err));
        }
    }
    NB_TRY(over_domain(u, p, of[kept], err));
    if (side[1 - kept]) {
        if (p->u.join.null_aware) {
            NB_TRY(or_null(u, &p->u.join.condition, err));
            p->u.join.null_aware = false;
        }
        NB_TRY(same_domain(u, of[0], of[1], &p->u.join.condition, err));
    }
    p->u.join.type = type == NB_JOIN_CROSS && p->u.join.condition ? NB_JOIN_INNER : type;
    NB_TRY(nb_plan_refresh(u->env->arena, p));
    *d = of[kept];
    if (type != NB_JOIN_FULL) {
        return NB_OK;
    }
    *d = NB_ARENA_ARRAY(u->env->arena, nb_attr, u->n);
    NB_ROOM(*d);
    memcpy(*d, of[0], sizeof(nb_attr) * (size_t)u->n);
    NB_TRY(nb_plan_narrow(u->env->arena, p, p->attrs, p->n_attrs, &project));
    NB_TRY(insert_columns(u, &project->u.project.exprs, project->n_attrs, *d));
    for (int i = 0; i < u->n; i++) { /* a row of one side only has the value of that side */
        nb_expr *x, *y, *e;
        of[0][i].nullable = of[1][i].nullable = true;
        x = nb_attr_expr(u->env->arena, &of[0][i]);
        y = nb_attr_expr(u->env->arena, &of[1][i]);
        NB_ROOM(x && y);
        NB_TRY(nb_rewrite_call(u->env, "coalesce", x, y, &e, err));
        e = nb_expr_alias(u->env->arena, e, u->outer[i].name, nb_attr_next_id());
        NB_ROOM(e);
        (*d)[i] = nb_attr_of_expr(e);
        project->u.project.exprs[project->n_attrs + i] = e;
    }
    NB_TRY(insert_attrs(u, project, project->n_attrs, *d));
    *plan = project;
    return NB_OK;
}

static nb_status
push_union(unnest *u, nb_plan *p, nb_attr **d, nb_error *err)
{
    nb_attr *made = NB_ARENA_ARRAY(u->env->arena, nb_attr, u->n);

    NB_ROOM(made);
    for (int i = 0; i < u->n; i++) {
        made[i] = u->outer[i];
        made[i].id = nb_attr_next_id();
    }
    for (int k = 0; k < p->n_children; k++) {
        nb_plan *child = p->children[k];
        nb_attr *attrs = NB_ARENA_ARRAY(u->env->arena, nb_attr, p->n_attrs + u->n), *of;
        NB_ROOM(attrs);
        memcpy(attrs, child->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
        NB_TRY(push(u, &p->children[k], false, &of, err));
        memcpy(attrs + p->n_attrs, of, sizeof(nb_attr) * (size_t)u->n);
        NB_TRY(nb_plan_narrow(u->env->arena, p->children[k], attrs, p->n_attrs + u->n,
                              &p->children[k]));
    }
    *d = made;
    return insert_attrs(u, p, p->n_attrs, made);
}

static nb_status
push_expand(unnest *u, nb_plan *p, nb_attr **d, nb_error *err)
{
    nb_attr *made = NB_ARENA_ARRAY(u->env->arena, nb_attr, u->n);

    NB_ROOM(made);
    NB_TRY(push(u, &p->children[0], false, d, err));
    NB_TRY(over_domain(u, p, *d, err));
    for (int k = 0; k < p->u.expand.n_projections; k++) {
        NB_TRY(insert_columns(u, &p->u.expand.projections[k], p->n_attrs, *d));
    }
    for (int i = 0; i < u->n; i++) {
        made[i] = (*d)[i];
        made[i].id = nb_attr_next_id();
    }
    *d = made;
    return insert_attrs(u, p, p->n_attrs, made);
}

/* A projection of one column, perhaps under another name. */
static bool
is_one_column(const nb_plan *p)
{
    const nb_expr *e = p->u.project.exprs[0];

    return p->n_attrs == 1 && (e->kind == NB_EXPR_ALIAS ? e->args[0] : e)->kind == NB_EXPR_COLUMN;
}

static nb_status
push(unnest *u, nb_plan **plan, bool one_row, nb_attr **d, nb_error *err)
{
    nb_plan *p = *plan;

    if (!nb_plan_names(p, &u->all)) {
        return cross_domain(u, plan, d);
    }
    switch (p->kind) {
    case NB_PLAN_FILTER:
    case NB_PLAN_SAMPLE:
    case NB_PLAN_GENERATE:
        NB_TRY(push(u, &p->children[0], false, d, err));
        NB_TRY(over_domain(u, p, *d, err));
        return nb_plan_refresh(u->env->arena, p);
    case NB_PLAN_PROJECT:
        NB_TRY(push(u, &p->children[0], one_row && is_one_column(p), d, err));
        NB_TRY(over_domain(u, p, *d, err));
        NB_TRY(insert_columns(u, &p->u.project.exprs, p->n_attrs, *d));
        return insert_attrs(u, p, p->n_attrs, *d);
    case NB_PLAN_AGGREGATE: return push_aggregate(u, plan, one_row, d, err);
    case NB_PLAN_LIMIT: return push_limit(u, plan, d, err);
    case NB_PLAN_JOIN: return push_join(u, plan, d, err);
    case NB_PLAN_UNION: return push_union(u, p, d, err);
    case NB_PLAN_EXPAND: return push_expand(u, p, d, err);
    case NB_PLAN_WINDOW: {
        nb_window_spec *spec = NB_ARENA_NEW(u->env->arena, nb_window_spec);
        NB_ROOM(spec);
        NB_TRY(push(u, &p->children[0], false, d, err));
        NB_TRY(over_domain(u, p, *d, err));
        *spec = *p->u.window.spec;
        NB_TRY(insert_columns(u, &spec->partition_by, spec->n_partition_by, *d));
        spec->n_partition_by += u->n;
        p->u.window.spec = spec;
        return nb_plan_refresh(u->env->arena, p);
    }
    case NB_PLAN_SORT: /* without a limit, the order of a subquery's rows means nothing */
    case NB_PLAN_EXCHANGE:
    case NB_PLAN_ALIAS:
        *plan = p->children[0];
        return push(u, plan, one_row && p->kind == NB_PLAN_ALIAS, d, err);
    default: return nb_raise_unsupported(err, "A correlated subquery with this operator");
    }
}

/* Would the expression give the same if the plan were read again, its rows in another order? */
static bool
stays_same(nb_expr *e, void *payload)
{
    bool is_float = e->type->id == NB_TYPE_FLOAT32 || e->type->id == NB_TYPE_FLOAT64;

    (void)payload;
    if (e->kind == NB_EXPR_AGG) {
        return !is_float && !(e->u.agg.fn->flags & NB_AGG_ORDER_SENSITIVE);
    }
    if (e->kind == NB_EXPR_WINDOW && e->u.window.fn->kind == NB_EXPR_CALL) {
        nb_str name = nb_function_name(e->u.window.fn->u.call.fn);
        return nb_str_equal(name, NB_STR("rank")) || nb_str_equal(name, NB_STR("dense_rank"));
    }
    return e->deterministic;
}

static nb_status
differs_in_place(nb_expr **place, void *payload)
{
    return nb_expr_visit(*place, stays_same, payload) ? NB_OK : NB_DONE;
}

static bool
differs_again(nb_plan *p)
{
    bool yes = p->kind == NB_PLAN_LIMIT || p->kind == NB_PLAN_TAIL || p->kind == NB_PLAN_SAMPLE ||
               nb_plan_each_expr(p, differs_in_place, NULL) == NB_DONE;

    for (int i = 0; i < p->n_children && !yes; i++) {
        yes = differs_again(p->children[i]);
    }
    return yes;
}

typedef struct own_state {
    nb_attr_set made;
    bool foreign;
} own_state;

static nb_status
collect_made(nb_plan *p, nb_attr_set *set)
{
    NB_TRY(nb_attr_set_add_plan(set, p));
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(collect_made(p->children[i], set));
    }
    return NB_OK;
}

static bool
look_foreign(nb_expr *e, void *payload)
{
    own_state *o = payload;

    for (int i = 0; e->kind == NB_EXPR_LAMBDA && i < e->u.lambda.n_attrs; i++) {
        o->foreign |= nb_attr_set_add(&o->made, e->u.lambda.attrs[i]) < 0;
    }
    o->foreign |= e->kind == NB_EXPR_COLUMN && !nb_attr_set_has(&o->made, e->u.column.attr);
    return !o->foreign;
}

static nb_status
foreign_in_place(nb_expr **place, void *payload)
{
    nb_expr_visit(*place, look_foreign, payload);
    return NB_OK;
}

static nb_status
find_foreign(nb_plan *p, own_state *o)
{
    NB_TRY(nb_plan_each_expr(p, foreign_in_place, o));
    for (int i = 0; i < p->n_children && !o->foreign; i++) {
        NB_TRY(find_foreign(p->children[i], o));
    }
    return NB_OK;
}

/* The input becomes its rows in a table. */
static nb_status
keep_rows(const nb_rewrite_env *env, nb_plan **input, nb_error *err)
{
    nb_plan *shown, *p = *input, *leaf;
    own_state o = {{.arena = env->arena}, false};
    nb_table *table;

    NB_TRY(collect_made(p, &o.made));
    NB_TRY(find_foreign(p, &o));
    if (o.foreign || !env->rows) {
        return nb_raise_unsupported(err, "A correlated subquery over rows that may change");
    }
    NB_TRY(nb_plan_narrow(env->arena, p, p->attrs, p->n_attrs, &shown));
    for (int i = 0; i < shown->n_attrs; i++) {
        shown->attrs[i].hidden = false;
    }
    leaf = nb_plan_new(env->arena, NB_PLAN_TABLE, 0, p->n_attrs);
    NB_ROOM(leaf);
    memcpy(leaf->attrs, p->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
    leaf->u.table.columns = NB_ARENA_ARRAY(env->arena, int, p->n_attrs + 1);
    NB_ROOM(leaf->u.table.columns);
    for (int i = 0; i < p->n_attrs; i++) {
        leaf->u.table.columns[i] = i;
    }
    NB_TRY(env->rows(env->payload, shown, &table, err));
    leaf->u.table.table = table;
    *input = leaf;
    return NB_OK;
}

nb_status
nb_unnest(const nb_rewrite_env *env, nb_plan **input, nb_plan *plan, bool one_row,
          nb_conditions *on, nb_plan **out, nb_error *err)
{
    unnest u = {.env = env, .all = {.arena = env->arena}};
    nb_attr_set used = {.arena = env->arena};
    names_state named = {&u.all, &used, NB_OK};
    nb_attr *outer, *d;

    NB_TRY(nb_attr_set_add_plan(&u.all, *input));
    NB_TRY(find_names(plan, &named));
    if (used.n == 0) {
        *out = plan;
        return NB_OK;
    }
    if (differs_again(*input)) {
        NB_TRY(keep_rows(env, input, err));
    }
    u.input = *input;
    outer = NB_ARENA_ARRAY(env->arena, nb_attr, used.n);
    NB_ROOM(outer);
    for (int i = 0; i < (*input)->n_attrs; i++) {
        const nb_attr *a = &(*input)->attrs[i];
        if (!nb_attr_set_has(&used, a->id)) {
            continue;
        }
        if (!nb_type_is_orderable(a->type)) {
            return nb_raise(err, NB_COND_UNSUPPORTED_CORRELATED_REFERENCE_DATA_TYPE, "expr",
                            nb_arena_printf(env->arena, "%.*s", (int)a->name.len, a->name.data),
                            "dataType", nb_type_sql(env->arena, a->type), NULL);
        }
        outer[u.n++] = *a;
    }
    u.outer = outer;
    NB_TRY(push(&u, &plan, one_row, &d, err));
    for (int i = 0; i < u.n; i++) {
        nb_expr *x = nb_attr_expr(env->arena, &outer[i]), *y = nb_attr_expr(env->arena, &d[i]), *e;
        NB_ROOM(x && y);
        NB_TRY(nb_rewrite_call(env, outer[i].nullable ? "<=>" : "=", x, y, &e, err));
        NB_TRY(nb_conditions_add(env, on, e));
    }
    *out = plan;
    return NB_OK;
}
