/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_tree.c: what holds for logical nodes of every kind: where their expressions are, copies, attributes that are passed on.
 *
 * A rule that only moves columns about is written against these, so that a new kind of node is added here and in the rules that mean it.
 */
#include "plan/logical.h"

typedef nb_status (*expr_fn)(nb_expr **place, void *payload);

static nb_status
each(nb_expr **list, int n, expr_fn fn, void *payload)
{
    nb_status st = NB_OK;

    for (int i = 0; i < n && st == NB_OK; i++) {
        st = list[i] ? fn(&list[i], payload) : NB_OK;
    }
    return st;
}

static nb_status
each_key(nb_sort_key *keys, int n, expr_fn fn, void *payload)
{
    nb_status st = NB_OK;

    for (int i = 0; i < n && st == NB_OK; i++) {
        st = fn(&keys[i].expr, payload);
    }
    return st;
}

nb_status
nb_plan_each_expr(nb_plan *p, expr_fn fn, void *payload)
{
    nb_status st = NB_OK;

    switch (p->kind) {
    case NB_PLAN_FILTER: return fn(&p->u.filter.condition, payload);
    case NB_PLAN_PROJECT: return each(p->u.project.exprs, p->n_attrs, fn, payload);
    case NB_PLAN_AGGREGATE:
        st = each(p->u.aggregate.keys, p->u.aggregate.n_keys, fn, payload);
        return st == NB_OK ? each(p->u.aggregate.aggs, p->u.aggregate.n_aggs, fn, payload) : st;
    case NB_PLAN_SORT: return each_key(p->u.sort.keys, p->u.sort.n_keys, fn, payload);
    case NB_PLAN_JOIN: return each(&p->u.join.condition, 1, fn, payload);
    case NB_PLAN_EXCHANGE:
        st = each(p->u.exchange.keys, p->u.exchange.n_keys, fn, payload);
        return st == NB_OK && p->u.exchange.order
                   ? each_key(p->u.exchange.order, p->u.exchange.n_keys, fn, payload)
                   : st;
    case NB_PLAN_GENERATE: return each(p->u.generate.args, p->u.generate.n_args, fn, payload);
    case NB_PLAN_WINDOW: {
        nb_window_spec *spec = p->u.window.spec;
        st = each(p->u.window.functions, p->u.window.n_functions, fn, payload);
        st = st == NB_OK ? each(spec->partition_by, spec->n_partition_by, fn, payload) : st;
        return st == NB_OK ? each_key(spec->order_by, spec->n_order_by, fn, payload) : st;
    }
    case NB_PLAN_EXPAND:
        for (int i = 0; i < p->u.expand.n_projections && st == NB_OK; i++) {
            st = each(p->u.expand.projections[i], p->n_attrs, fn, payload);
        }
        return st;
    default: return NB_OK;
    }
}

/* *list becomes a copy of its n elements; an absent list stays absent. */
static bool
copy_list(nb_arena *arena, void *place, int n, size_t size)
{
    void *list, *copy;

    memcpy(&list, place, sizeof list);
    if (!list) {
        return true;
    }
    copy = nb_arena_array(arena, (size_t)n + 1, size);
    if (!copy) {
        return false;
    }
    memcpy(copy, list, size * (size_t)n);
    memcpy(place, &copy, sizeof copy);
    return true;
}

static bool
copy_lists(nb_arena *arena, nb_plan *p)
{
    switch (p->kind) {
    case NB_PLAN_TABLE: return copy_list(arena, &p->u.table.columns, p->n_attrs, sizeof(int));
    case NB_PLAN_SCAN:
        return copy_list(arena, &p->u.scan.columns, p->n_attrs, sizeof(int)) &&
               copy_list(arena, &p->u.scan.filters, p->u.scan.n_filters, sizeof(nb_expr *));
    case NB_PLAN_PROJECT:
        return copy_list(arena, &p->u.project.exprs, p->n_attrs, sizeof(nb_expr *));
    case NB_PLAN_AGGREGATE:
        return copy_list(arena, &p->u.aggregate.keys, p->u.aggregate.n_keys, sizeof(nb_expr *)) &&
               copy_list(arena, &p->u.aggregate.aggs, p->u.aggregate.n_aggs, sizeof(nb_expr *));
    case NB_PLAN_SORT:
        return copy_list(arena, &p->u.sort.keys, p->u.sort.n_keys, sizeof(nb_sort_key));
    case NB_PLAN_EXCHANGE:
        return copy_list(arena, &p->u.exchange.keys, p->u.exchange.n_keys, sizeof(nb_expr *)) &&
               copy_list(arena, &p->u.exchange.order, p->u.exchange.n_keys, sizeof(nb_sort_key));
    case NB_PLAN_GENERATE:
        return copy_list(arena, &p->u.generate.args, p->u.generate.n_args, sizeof(nb_expr *));
    case NB_PLAN_WINDOW: {
        nb_window_spec *spec = NB_ARENA_NEW(arena, nb_window_spec);
        if (!spec) {
            return false;
        }
        *spec = *p->u.window.spec;
        p->u.window.spec = spec;
        return copy_list(arena, &spec->partition_by, spec->n_partition_by, sizeof(nb_expr *)) &&
               copy_list(arena, &spec->order_by, spec->n_order_by, sizeof(nb_sort_key)) &&
               copy_list(arena, &p->u.window.functions, p->u.window.n_functions, sizeof(nb_expr *));
    }
    case NB_PLAN_EXPAND:
        if (!copy_list(arena, &p->u.expand.projections, p->u.expand.n_projections,
                       sizeof(nb_expr **))) {
            return false;
        }
        for (int i = 0; i < p->u.expand.n_projections; i++) {
            if (!copy_list(arena, &p->u.expand.projections[i], p->n_attrs, sizeof(nb_expr *))) {
                return false;
            }
        }
        return true;
    default: return true;
    }
}

nb_plan *
nb_plan_clone(nb_arena *arena, const nb_plan *p)
{
    nb_plan *copy = nb_plan_new(arena, p->kind, p->n_children, p->n_attrs);

    if (!copy) {
        return NULL;
    }
    copy->plan_id = p->plan_id;
    copy->u = p->u;
    memcpy(copy->attrs, p->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
    for (int i = 0; i < p->n_children; i++) {
        copy->children[i] = nb_plan_clone(arena, p->children[i]);
        if (!copy->children[i]) {
            return NULL;
        }
    }
    return copy_lists(arena, copy) ? copy : NULL;
}

nb_status
nb_plan_refresh(nb_arena *arena, nb_plan *p)
{
    int n_sides = 1, n_own = 0, n = 0;
    nb_attr *attrs;

    switch (p->kind) {
    case NB_PLAN_FILTER:
    case NB_PLAN_SORT:
    case NB_PLAN_LIMIT:
    case NB_PLAN_TAIL:
    case NB_PLAN_EXCHANGE:
    case NB_PLAN_SAMPLE: break;
    case NB_PLAN_WINDOW: n_own = p->u.window.n_functions; break;
    case NB_PLAN_GENERATE: n_own = p->u.generate.n_generated; break;
    case NB_PLAN_JOIN:
        if (p->u.join.type == NB_JOIN_MARK) {
            n_own = 1;
        } else if (p->u.join.type != NB_JOIN_SEMI && p->u.join.type != NB_JOIN_ANTI) {
            n_sides = 2;
        }
        break;
    default: return NB_OK;
    }
    for (int k = 0; k < n_sides; k++) {
        n += p->children[k]->n_attrs;
    }
    attrs = NB_ARENA_ARRAY(arena, nb_attr, n + n_own + 1);
    if (!attrs) {
        return NB_NOMEM;
    }
    n = 0;
    for (int k = 0; k < n_sides; k++) {
        for (int i = 0; i < p->children[k]->n_attrs; i++) {
            const nb_attr *old = nb_plan_find_attr(p, p->children[k]->attrs[i].id);
            attrs[n] = old ? *old : p->children[k]->attrs[i];
            attrs[n].hidden |= !old;
            n++;
        }
    }
    memcpy(attrs + n, p->attrs + p->n_attrs - n_own, sizeof(nb_attr) * (size_t)n_own);
    p->attrs = attrs;
    p->n_attrs = n + n_own;
    return NB_OK;
}

nb_status
nb_plan_narrow(nb_arena *arena, nb_plan *p, const nb_attr *attrs, int n, nb_plan **out)
{
    nb_plan *project = nb_plan_new(arena, NB_PLAN_PROJECT, 1, n);

    if (!project) {
        return NB_NOMEM;
    }
    project->children[0] = p;
    project->u.project.exprs = NB_ARENA_ARRAY(arena, nb_expr *, n + 1);
    if (!project->u.project.exprs) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        project->attrs[i] = attrs[i];
        project->u.project.exprs[i] = nb_attr_expr(arena, &attrs[i]);
        if (!project->u.project.exprs[i]) {
            return NB_NOMEM;
        }
    }
    *out = project;
    return NB_OK;
}
