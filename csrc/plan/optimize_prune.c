/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_prune.c: columns that nobody reads are not made, and neighbouring projections become one.
 *
 * prune(plan, needed) goes down with the set of attributes that the nodes above read. Nodes that pass rows on (filter, limit …) may
 * put out more than is needed; below nodes that copy rows (join, sort, window, exchange, union) a projection narrows the input first.
 */
#include "plan/optimizer.h"

static nb_status prune(nb_arena *arena, nb_plan **plan, const nb_attr_set *needed, nb_error *err);

/* Attributes of p become those of its first child, nullability as it was. */
static nb_status
adopt_child(nb_arena *arena, nb_plan *p)
{
    nb_plan *child = p->children[0];
    nb_attr *attrs = NB_ARENA_ARRAY(arena, nb_attr, child->n_attrs + 1);

    if (!attrs) {
        return NB_NOMEM;
    }
    memcpy(attrs, child->attrs, sizeof(nb_attr) * (size_t)child->n_attrs);
    for (int i = 0; i < child->n_attrs; i++) {
        const nb_attr *old = nb_plan_find_attr(p, attrs[i].id);
        if (old) {
            attrs[i] = *old;
        }
    }
    p->attrs = attrs;
    p->n_attrs = child->n_attrs;
    return NB_OK;
}

/* A projection to the needed columns, when child has others as well. */
static nb_status
narrow(nb_arena *arena, nb_plan **child, const nb_attr_set *needed)
{
    nb_plan *c = *child, *p;
    int n = 0;

    for (int i = 0; i < c->n_attrs; i++) {
        n += nb_attr_set_has(needed, c->attrs[i].id);
    }
    if (n == c->n_attrs) {
        return NB_OK;
    }
    p = nb_plan_new(arena, NB_PLAN_PROJECT, 1, n);
    if (!p) {
        return NB_NOMEM;
    }
    p->children[0] = c;
    p->u.project.exprs = NB_ARENA_ARRAY(arena, nb_expr *, n + 1);
    if (!p->u.project.exprs) {
        return NB_NOMEM;
    }
    n = 0;
    for (int i = 0; i < c->n_attrs; i++) {
        if (nb_attr_set_has(needed, c->attrs[i].id)) {
            p->attrs[n] = c->attrs[i];
            p->u.project.exprs[n] = nb_attr_expr(arena, &c->attrs[i]);
            if (!p->u.project.exprs[n]) {
                return NB_NOMEM;
            }
            n++;
        }
    }
    *child = p;
    return NB_OK;
}

static nb_status
copy_set(const nb_attr_set *from, nb_attr_set *to)
{
    for (int i = 0; i < from->cap; i++) {
        if (from->ids[i]) {
            NB_TRY(nb_attr_set_add(to, from->ids[i]));
        }
    }
    return NB_OK;
}

/* How often each attribute is read, and whether merging would evaluate anything but a column twice. */
typedef struct use_state {
    const nb_attr_map *map;
    nb_attr_set seen;
    bool repeats, non_deterministic;
    nb_status st;
} use_state;

static bool
count_use(nb_expr *e, void *payload)
{
    use_state *u = payload;

    if (e->kind == NB_EXPR_COLUMN) {
        nb_expr *to = nb_attr_map_get(u->map, e->u.column.attr);
        if (to && to->kind != NB_EXPR_COLUMN && to->kind != NB_EXPR_LITERAL) {
            u->repeats |= nb_attr_set_has(&u->seen, e->u.column.attr);
            u->non_deterministic |= !to->deterministic;
            u->st = nb_attr_set_add(&u->seen, e->u.column.attr);
        }
    }
    return u->st >= 0;
}

static nb_status
merge_projects(nb_arena *arena, nb_plan *p, nb_error *err)
{
    for (nb_plan *c = p->children[0]; c->kind == NB_PLAN_PROJECT; c = p->children[0]) {
        nb_attr_map map = {.arena = arena};
        use_state u = {.map = &map, .seen = {.arena = arena}};
        nb_expr **exprs = NB_ARENA_ARRAY(arena, nb_expr *, p->n_attrs + 1);
        if (!exprs) {
            return NB_NOMEM;
        }
        for (int i = 0; i < c->n_attrs; i++) {
            if (c->u.project.exprs[i]->kind == NB_EXPR_ALIAS) {
                NB_TRY(nb_attr_map_put(&map, c->u.project.exprs[i]->u.alias.attr,
                                       c->u.project.exprs[i]->args[0]));
            }
        }
        for (int i = 0; i < p->n_attrs; i++) {
            nb_expr_visit(p->u.project.exprs[i], count_use, &u);
        }
        NB_TRY(u.st);
        if (u.repeats || u.non_deterministic) {
            return NB_OK;
        }
        for (int i = 0; i < p->n_attrs; i++) {
            if (!nb_expr_may_substitute(p->u.project.exprs[i], &map)) {
                return NB_OK;
            }
        }
        for (int i = 0; i < p->n_attrs; i++) {
            nb_expr *e = p->u.project.exprs[i];
            NB_TRY(nb_expr_substitute(arena, e, &map, &exprs[i], err));
            if (e->kind == NB_EXPR_COLUMN &&
                exprs[i] != e) { /* the attribute stays, whatever stands behind it now */
                exprs[i] = nb_expr_alias(arena, exprs[i], e->u.column.name, e->u.column.attr);
            }
            if (!exprs[i]) {
                return NB_NOMEM;
            }
        }
        p->u.project.exprs = exprs;
        p->children[0] = c->children[0];
    }
    return NB_OK;
}

static nb_status
prune_project(nb_arena *arena, nb_plan *p, const nb_attr_set *needed, nb_error *err)
{
    nb_attr_set below = {.arena = arena};
    int n = 0;

    for (int i = 0; i < p->n_attrs; i++) {
        if (nb_attr_set_has(needed, p->attrs[i].id)) {
            p->u.project.exprs[n] = p->u.project.exprs[i];
            p->attrs[n++] = p->attrs[i];
        }
    }
    p->n_attrs = n;
    NB_TRY(merge_projects(arena, p, err));
    for (int i = 0; i < n; i++) {
        NB_TRY(nb_attr_set_add_expr(&below, p->u.project.exprs[i]));
    }
    return prune(arena, &p->children[0], &below, err);
}

static nb_status
prune_aggregate(nb_arena *arena, nb_plan *p, const nb_attr_set *needed, nb_error *err)
{
    nb_attr_set below = {.arena = arena};
    int n = 0, n_keys = p->u.aggregate.n_keys;

    for (int i = 0; i < p->u.aggregate.n_aggs; i++) {
        if (nb_attr_set_has(needed, p->attrs[n_keys + i].id)) {
            p->u.aggregate.aggs[n] = p->u.aggregate.aggs[i];
            p->attrs[n_keys + n++] = p->attrs[n_keys + i];
        }
    }
    p->u.aggregate.n_aggs = n;
    p->n_attrs = n_keys + n;
    for (int i = 0; i < n_keys; i++) {
        NB_TRY(nb_attr_set_add_expr(&below, p->u.aggregate.keys[i]));
    }
    for (int i = 0; i < n; i++) {
        NB_TRY(nb_attr_set_add_expr(&below, p->u.aggregate.aggs[i]));
    }
    return prune(arena, &p->children[0], &below, err);
}

static nb_status
prune_join(nb_arena *arena, nb_plan *p, const nb_attr_set *needed, nb_error *err)
{
    nb_attr_set below = {.arena = arena};
    nb_attr mark = {0}, *attrs;
    bool left_only = p->u.join.type == NB_JOIN_SEMI || p->u.join.type == NB_JOIN_ANTI ||
                     p->u.join.type == NB_JOIN_MARK;
    int n = 0;

    if (p->u.join.type == NB_JOIN_MARK) {
        mark = p->attrs[p->n_attrs - 1];
    }
    NB_TRY(copy_set(needed, &below));
    if (p->u.join.condition) {
        NB_TRY(nb_attr_set_add_expr(&below, p->u.join.condition));
    }
    for (int i = 0; i < 2; i++) {
        NB_TRY(prune(arena, &p->children[i], &below, err));
        NB_TRY(narrow(arena, &p->children[i], &below));
    }
    attrs = NB_ARENA_ARRAY(arena, nb_attr, p->children[0]->n_attrs + p->children[1]->n_attrs + 1);
    if (!attrs) {
        return NB_NOMEM;
    }
    for (int side = 0; side < (left_only ? 1 : 2); side++) {
        for (int i = 0; i < p->children[side]->n_attrs; i++) {
            const nb_attr *old = nb_plan_find_attr(p, p->children[side]->attrs[i].id);
            attrs[n++] = old ? *old : p->children[side]->attrs[i];
        }
    }
    if (mark.id) {
        attrs[n++] = mark;
    }
    p->attrs = attrs;
    p->n_attrs = n;
    return NB_OK;
}

/* Positions matter in a union: each child is projected to exactly the columns that stay. */
static nb_status
prune_union(nb_arena *arena, nb_plan *p, const nb_attr_set *needed, nb_error *err)
{
    int n = 0, *keep = NB_ARENA_ARRAY(arena, int, p->n_attrs + 1);

    if (!keep) {
        return NB_NOMEM;
    }
    for (int i = 0; i < p->n_attrs; i++) {
        if (nb_attr_set_has(needed, p->attrs[i].id)) {
            keep[n++] = i;
        }
    }
    for (int k = 0; k < p->n_children; k++) {
        nb_plan *child = p->children[k], *project = nb_plan_new(arena, NB_PLAN_PROJECT, 1, n);
        nb_attr_set all = {.arena = arena};
        if (!project) {
            return NB_NOMEM;
        }
        project->children[0] = child;
        project->u.project.exprs = NB_ARENA_ARRAY(arena, nb_expr *, n + 1);
        if (!project->u.project.exprs) {
            return NB_NOMEM;
        }
        for (int i = 0; i < n; i++) {
            project->attrs[i] = child->attrs[keep[i]];
            project->u.project.exprs[i] = nb_attr_expr(arena, &child->attrs[keep[i]]);
            if (!project->u.project.exprs[i]) {
                return NB_NOMEM;
            }
            NB_TRY(nb_attr_set_add(&all, project->attrs[i].id));
        }
        p->children[k] = project;
        NB_TRY(prune(arena, &p->children[k], &all, err));
    }
    for (int i = 0; i < n; i++) {
        p->attrs[i] = p->attrs[keep[i]];
    }
    p->n_attrs = n;
    return NB_OK;
}

static nb_status
add_keys(nb_attr_set *s, const nb_sort_key *keys, int n)
{
    for (int i = 0; i < n; i++) {
        NB_TRY(nb_attr_set_add_expr(s, keys[i].expr));
    }
    return NB_OK;
}

static nb_status
prune_window(nb_arena *arena, nb_plan *p, const nb_attr_set *needed, nb_error *err)
{
    nb_attr_set below = {.arena = arena};
    int n_child = p->n_attrs - p->u.window.n_functions, n = 0;
    nb_attr *attrs;

    NB_TRY(copy_set(needed, &below));
    for (int i = 0; i < p->u.window.n_functions; i++) {
        if (nb_attr_set_has(needed, p->attrs[n_child + i].id)) {
            p->u.window.functions[n] = p->u.window.functions[i];
            p->attrs[n_child + n++] = p->attrs[n_child + i];
        }
    }
    p->u.window.n_functions = n;
    for (int i = 0; i < n; i++) {
        NB_TRY(nb_attr_set_add_expr(&below, p->u.window.functions[i]));
    }
    NB_TRY(prune(arena, &p->children[0], &below, err));
    NB_TRY(narrow(arena, &p->children[0], &below));
    attrs = NB_ARENA_ARRAY(arena, nb_attr, p->children[0]->n_attrs + n + 1);
    if (!attrs) {
        return NB_NOMEM;
    }
    memcpy(attrs, p->children[0]->attrs, sizeof(nb_attr) * (size_t)p->children[0]->n_attrs);
    memcpy(attrs + p->children[0]->n_attrs, p->attrs + n_child, sizeof(nb_attr) * (size_t)n);
    p->attrs = attrs;
    p->n_attrs = p->children[0]->n_attrs + n;
    return NB_OK;
}

/* Leaves: columns[] says where each attribute lies in the source. */
static void
prune_leaf(nb_plan *p, const nb_attr_set *needed, int *columns)
{
    int n = 0;

    for (int i = 0; i < p->n_attrs; i++) {
        if (nb_attr_set_has(needed, p->attrs[i].id)) {
            p->attrs[n] = p->attrs[i];
            if (columns) {
                columns[n] = columns[i];
            }
            n++;
        }
    }
    p->n_attrs = n;
}

static nb_status
prune(nb_arena *arena, nb_plan **plan, const nb_attr_set *needed, nb_error *err)
{
    nb_plan *p = *plan;
    nb_attr_set below = {.arena = arena};

    switch (p->kind) {
    case NB_PLAN_PROJECT: return prune_project(arena, p, needed, err);
    case NB_PLAN_AGGREGATE: return prune_aggregate(arena, p, needed, err);
    case NB_PLAN_JOIN: return prune_join(arena, p, needed, err);
    case NB_PLAN_UNION: return prune_union(arena, p, needed, err);
    case NB_PLAN_WINDOW:
        NB_TRY(prune_window(arena, p, needed, err));
        if (p->u.window.n_functions ==
            0) { /* nobody reads what it computes, nor need its keys be there */
            *plan = p->children[0];
        }
        return NB_OK;
    case NB_PLAN_FILTER:
        NB_TRY(copy_set(needed, &below));
        NB_TRY(nb_attr_set_add_expr(&below, p->u.filter.condition));
        NB_TRY(prune(arena, &p->children[0], &below, err));
        return adopt_child(arena, p);
    case NB_PLAN_SORT:
    case NB_PLAN_EXCHANGE:
        NB_TRY(copy_set(needed, &below));
        if (p->kind == NB_PLAN_SORT) {
            NB_TRY(add_keys(&below, p->u.sort.keys, p->u.sort.n_keys));
        } else {
            for (int i = 0; i < p->u.exchange.n_keys; i++) {
                NB_TRY(nb_attr_set_add_expr(&below, p->u.exchange.keys[i]));
            }
        }
        NB_TRY(prune(arena, &p->children[0], &below, err));
        NB_TRY(narrow(arena, &p->children[0], &below));
        return adopt_child(arena, p);
    case NB_PLAN_LIMIT:
    case NB_PLAN_TAIL:
    case NB_PLAN_SAMPLE:
        NB_TRY(prune(arena, &p->children[0], needed, err));
        return adopt_child(arena, p);
    case NB_PLAN_GENERATE: {
        int n_made = p->u.generate.n_generated, n_child = p->n_attrs - n_made, n = 0;
        nb_attr *made = NB_ARENA_ARRAY(arena, nb_attr, n_child + n_made + 1);
        if (!made) {
            return NB_NOMEM;
        }
        NB_TRY(copy_set(needed, &below));
        for (int i = 0; i < p->u.generate.n_args; i++) {
            NB_TRY(nb_attr_set_add_expr(&below, p->u.generate.args[i]));
        }
        for (int i = 0; i < n_child;
             i++) { /* what is kept is chosen by `needed`, see the planner */
            if (nb_attr_set_has(needed, p->attrs[i].id)) {
                made[n++] = p->attrs[i];
            }
        }
        memcpy(made + n, p->attrs + n_child, sizeof(nb_attr) * (size_t)n_made);
        p->attrs = made;
        p->n_attrs = n + n_made;
        return prune(arena, &p->children[0], &below, err);
    }
    case NB_PLAN_EXPAND: {
        int n = 0;
        for (int i = 0; i < p->n_attrs; i++) {
            if (nb_attr_set_has(needed, p->attrs[i].id)) {
                p->attrs[n] = p->attrs[i];
                for (int k = 0; k < p->u.expand.n_projections; k++) {
                    p->u.expand.projections[k][n] = p->u.expand.projections[k][i];
                }
                n++;
            }
        }
        p->n_attrs = n;
        for (int k = 0; k < p->u.expand.n_projections; k++) {
            for (int i = 0; i < n; i++) {
                NB_TRY(nb_attr_set_add_expr(&below, p->u.expand.projections[k][i]));
            }
        }
        return prune(arena, &p->children[0], &below, err);
    }
    case NB_PLAN_TABLE: prune_leaf(p, needed, p->u.table.columns); return NB_OK;
    case NB_PLAN_SCAN:
        /* columns of the hints are read by the FILTER above, so they are needed anyway */
        prune_leaf(p, needed, p->u.scan.columns);
        return NB_OK;
    case NB_PLAN_RANGE: prune_leaf(p, needed, NULL); return NB_OK;
    case NB_PLAN_CACHED: { /* all columns are kept in memory; which of them are read is up to the reader */
        nb_attr_set all = {.arena = arena};
        NB_TRY(nb_attr_set_add_plan(&all, p->children[0]));
        NB_TRY(prune(arena, &p->children[0], &all, err));
        prune_leaf(p, needed, NULL);
        return NB_OK;
    }
    default: { /* ML and the like: everything */
        for (int i = 0; i < p->n_children; i++) {
            nb_attr_set all = {.arena = arena};
            NB_TRY(nb_attr_set_add_plan(&all, p->children[i]));
            NB_TRY(prune(arena, &p->children[i], &all, err));
        }
        return NB_OK;
    }
    }
}

nb_status
nb_optimize_prune(nb_arena *arena, nb_plan **plan, nb_error *err)
{
    nb_attr_set needed = {.arena = arena};

    for (int i = 0; i < (*plan)->n_attrs; i++) {
        if (!(*plan)->attrs[i].hidden) {
            NB_TRY(nb_attr_set_add(&needed, (*plan)->attrs[i].id));
        }
    }
    return prune(arena, plan, &needed, err);
}
