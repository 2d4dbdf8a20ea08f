/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_missing.c: names that a projection or aggregation has left out.
 *
 *     df.select("a").orderBy("b")          b comes from below the projection
 *     GROUP BY k HAVING max(x) > 1         the aggregate is computed with the others
 *     GROUP BY k ORDER BY sum(x)
 *
 * An expression is resolved against the node's own columns first, then against what lies below its projections and aggregations (a
 * chain of scopes). Attributes of lower nodes are then carried up as hidden columns; aggregate calls are added to the aggregation.
 *
 * HAVING looks at the rows below first, as the standard has it: a name of a grouping column means that column though the select list has an
 * alias of that name, and inside aggregate calls names mean columns of the rows.
 */
#include "plan/analyzer_internal.h"

#define MAX_CHAIN 16

/* Nodes through which a hidden column can be carried. */
static nb_plan *
below(nb_plan *p)
{
    switch (p->kind) {
    case NB_PLAN_FILTER:
    case NB_PLAN_SORT:
    case NB_PLAN_WINDOW:
    case NB_PLAN_EXCHANGE:
    case NB_PLAN_PROJECT:
    case NB_PLAN_AGGREGATE: return p->children[0];
    default: return NULL;
    }
}

nb_status
nb_add_hidden(nb_analyzer *an, nb_plan *p, const nb_attr *a)
{
    nb_attr *attrs = NB_ARENA_ARRAY(an->arena, nb_attr, p->n_attrs + 2);

    NB_NEED(attrs);
    memcpy(attrs, p->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
    attrs[p->n_attrs] = *a;
    attrs[p->n_attrs].hidden = true;
    attrs[p->n_attrs].n_qualifier = 0;
    p->attrs = attrs;
    p->n_attrs++;
    return NB_OK;
}

/* Makes p put out attribute id; false when it cannot. */
static nb_status
carry(nb_analyzer *an, nb_plan *p, uint64_t id, bool *ok)
{
    const nb_attr *a;
    nb_plan *child;

    if (nb_plan_find_attr(p, id)) {
        *ok = true;
        return NB_OK;
    }
    child = below(p);
    if (!child || p->kind == NB_PLAN_AGGREGATE) {
        *ok = false;
        return NB_OK;
    }
    NB_TRY(carry(an, child, id, ok));
    if (!*ok) {
        return NB_OK;
    }
    a = nb_plan_find_attr(child, id);
    if (p->kind == NB_PLAN_PROJECT) {
        nb_expr **exprs = NB_ARENA_ARRAY(an->arena, nb_expr *, p->n_attrs + 2);
        NB_NEED(exprs);
        memcpy(exprs, p->u.project.exprs, sizeof(nb_expr *) * (size_t)p->n_attrs);
        exprs[p->n_attrs] = nb_attr_expr(an->arena, a);
        NB_NEED(exprs[p->n_attrs]);
        p->u.project.exprs = exprs;
        return nb_add_hidden(an, p, a);
    }
    if (p->kind == NB_PLAN_WINDOW) { /* the child's columns come first */
        int n_child = p->n_attrs - p->u.window.n_functions;
        NB_TRY(nb_add_hidden(an, p, a));
        memmove(&p->attrs[n_child + 1], &p->attrs[n_child],
                sizeof(nb_attr) * (size_t)p->u.window.n_functions);
        p->attrs[n_child] = *a;
        p->attrs[n_child].hidden = true;
        p->attrs[n_child].n_qualifier = 0;
        return NB_OK;
    }
    return nb_add_hidden(an, p, a);
}

/* ---- grouping() above an AGGREGATE of several grouping sets ---- */

/* What grouping() and grouping_id() read, put into an while the expression is resolved. */
typedef struct grouping {
    const nb_attr *id;
    nb_expr **keys, **copies;
    int n_keys;
} grouping;

static grouping
swap_grouping(nb_analyzer *an, grouping g)
{
    grouping before = {an->grouping_id, an->grouping_keys, an->grouping_copies,
                       an->n_grouping_keys};

    an->grouping_id = g.id;
    an->grouping_keys = g.keys;
    an->grouping_copies = g.copies;
    an->n_grouping_keys = g.n_keys;
    return before;
}

/* The sets of an aggregation over an EXPAND; empty for any other aggregation. An EXPAND puts out the columns of its input, its copies of the
 * keys, and the two numbers of the set. */
static nb_status
grouping_of(nb_analyzer *an, const nb_plan *agg, grouping *out)
{
    const nb_plan *p = agg->children[0];
    int base, n;

    *out = (grouping){0};
    if (p->kind != NB_PLAN_EXPAND) {
        return NB_OK;
    }
    base = p->children[0]->n_attrs;
    n = p->n_attrs - base - 2;
    if (n < 0 || !nb_plan_find_attr(agg, p->attrs[base + n].id)) {
        return NB_OK;
    }
    out->keys = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 1);
    out->copies = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 1);
    NB_NEED(out->keys && out->copies);
    for (int k = 0; k < n; k++) {
        out->copies[k] = out->keys[k] = nb_attr_expr(an->arena, &p->attrs[base + k]);
        NB_NEED(out->copies[k]);
        for (int i = 0; i < p->u.expand.n_projections; i++) {
            nb_expr *key = p->u.expand.projections[i][base + k];
            if (key->kind != NB_EXPR_LITERAL) { /* in this set the key itself, not rolled up */
                out->keys[k] = key;
                break;
            }
        }
    }
    out->id = &p->attrs[base + n];
    out->n_keys = n;
    return NB_OK;
}

/* ---- aggregate calls in an expression above an AGGREGATE ---- */

typedef struct move_down {
    nb_analyzer *an;
    nb_plan *agg;
} move_down;

static nb_status
add_call(move_down *m, nb_expr *call, nb_expr **out)
{
    nb_analyzer *an = m->an;
    nb_plan *p = m->agg;
    nb_expr *alias, **aggs;
    nb_attr a;
    grouping sets;

    NB_TRY(grouping_of(an, p, &sets));
    if (sets.n_keys > 0) { /* inside a call a key is the rows' column, which no set rolls up */
        nb_attr_map rows = {.arena = an->arena};
        for (int k = 0; k < sets.n_keys; k++) {
            NB_TRY(nb_attr_map_put(&rows, sets.copies[k]->u.column.attr, sets.keys[k]));
        }
        NB_TRY(nb_expr_substitute(an->arena, call, &rows, &call, NULL));
    }
    for (int i = 0; i < p->u.aggregate.n_aggs; i++) {
        if (nb_expr_equal(p->u.aggregate.aggs[i]->args[0], call)) {
            a = nb_attr_of_expr(p->u.aggregate.aggs[i]);
            *out = nb_attr_expr(an->arena, &a);
            return *out ? NB_OK : NB_NOMEM;
        }
    }
    alias = nb_expr_alias(an->arena, call, nb_str_of(nb_expr_sql(an->arena, call, false)),
                          nb_attr_next_id());
    aggs = NB_ARENA_ARRAY(an->arena, nb_expr *, p->u.aggregate.n_aggs + 1);
    NB_NEED(alias && aggs);
    if (p->u.aggregate.n_aggs) {
        memcpy(aggs, p->u.aggregate.aggs, sizeof(nb_expr *) * (size_t)p->u.aggregate.n_aggs);
    }
    aggs[p->u.aggregate.n_aggs++] = alias;
    p->u.aggregate.aggs = aggs;
    a = nb_attr_of_expr(alias);
    NB_TRY(nb_add_hidden(an, p, &a));
    *out = nb_attr_expr(an->arena, &a);
    return *out ? NB_OK : NB_NOMEM;
}

/* ---- subqueries above an AGGREGATE ---- */

/* What an expression inside a subquery may name of the rows below the aggregation around it. */
typedef struct groups {
    nb_analyzer *an;
    nb_attr_set below; /* columns of those rows */
    nb_expr *const *keys;
    int n_keys;
    move_down *
        calls; /* where aggregate calls over such rows go (HAVING); NULL: they may not stand there */
    nb_error *err;
} groups;

typedef struct of_rows {
    const nb_attr_set *below;
    bool any, all;
} of_rows;

static bool
look_below(nb_expr *e, void *payload)
{
    of_rows *o = payload;

    if (e->kind == NB_EXPR_COLUMN) {
        bool is = nb_attr_set_has(o->below, e->u.column.attr);
        o->any |= is;
        o->all &= is;
    }
    return true;
}

static nb_status over_groups_in_place(nb_expr **place, void *payload);

static nb_status
over_groups_plan(groups *g, nb_plan *p)
{
    NB_TRY(nb_plan_each_expr(p, over_groups_in_place, g));
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(over_groups_plan(g, p->children[i]));
    }
    return NB_OK;
}

static nb_status
over_groups(groups *g, nb_expr *e, nb_expr **out)
{
    of_rows o = {&g->below, false, true};
    nb_expr **args;
    bool changed = false;

    *out = e;
    nb_expr_visit(e, look_below, &o);
    for (int i = 0; i < g->n_keys && o.any; i++) {
        nb_expr *key = g->keys[i];
        if (nb_expr_equal(key->kind == NB_EXPR_ALIAS ? key->args[0] : key, e)) {
            nb_attr a = nb_attr_of_expr(key);
            *out = nb_attr_expr(g->an->arena, &a);
            return *out ? NB_OK : NB_NOMEM;
        }
    }
    if (e->kind == NB_EXPR_AGG && g->calls && o.any && o.all) {
        return add_call(g->calls, e, out);
    }
    if (e->kind == NB_EXPR_COLUMN && o.any) {
        const char *name =
            nb_arena_printf(g->an->arena, "%.*s", (int)e->u.column.name.len, e->u.column.name.data);
        return nb_raise(g->err, NB_COND_MISSING_AGGREGATION, "expression",
                        nb_arena_printf(g->an->arena, "\"%s\"", name), "expressionAnyValue",
                        nb_arena_printf(g->an->arena, "\"any_value(%s)\"", name), NULL);
    }
    if (e->kind == NB_EXPR_SUBQUERY) {
        NB_TRY(over_groups_plan(g, e->u.subquery.plan));
    }
    if (!o.any) {
        return NB_OK;
    }
    args = NB_ARENA_ARRAY(g->an->arena, nb_expr *, e->n_args + 1);
    NB_NEED(args);
    for (int i = 0; i < e->n_args; i++) {
        NB_TRY(over_groups(g, e->args[i], &args[i]));
        changed |= args[i] != e->args[i];
    }
    *out = changed ? nb_expr_with_args(g->an->arena, e, args) : e;
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status
over_groups_in_place(nb_expr **place, void *payload)
{
    return over_groups(payload, *place, place);
}

static nb_status
subquery_over_groups(nb_analyzer *an, nb_plan *subquery, const nb_plan *rows, nb_expr *const *keys,
                     int n_keys, move_down *calls, nb_error *err)
{
    groups g = {.an = an,
                .below = {.arena = an->arena},
                .keys = keys,
                .n_keys = n_keys,
                .calls = calls,
                .err = err};

    NB_TRY(nb_attr_set_add_plan(&g.below, rows));
    return over_groups_plan(&g, subquery);
}

nb_status
nb_subquery_over_groups(nb_analyzer *an, nb_plan *subquery, const nb_plan *rows,
                        nb_expr *const *keys, int n_keys, nb_error *err)
{
    return subquery_over_groups(an, subquery, rows, keys, n_keys, NULL, err);
}

static nb_status
move_one(move_down *m, nb_expr *e, nb_expr **out, nb_error *err)
{
    nb_expr **args;
    bool changed = false;

    for (int i = 0; i < m->agg->u.aggregate.n_keys; i++) {
        nb_expr *key = m->agg->u.aggregate.keys[i];
        if (nb_expr_equal(key->kind == NB_EXPR_ALIAS ? key->args[0] : key, e)) {
            nb_attr a = nb_attr_of_expr(key);
            *out = nb_attr_expr(m->an->arena, &a);
            return *out ? NB_OK : NB_NOMEM;
        }
    }
    if (e->kind == NB_EXPR_AGG) {
        return add_call(m, e, out);
    }
    if (e->kind == NB_EXPR_SUBQUERY) {
        NB_TRY(subquery_over_groups(m->an, e->u.subquery.plan, m->agg->children[0],
                                    m->agg->u.aggregate.keys, m->agg->u.aggregate.n_keys, m, err));
    }
    args = NB_ARENA_ARRAY(m->an->arena, nb_expr *, e->n_args + 1);
    NB_NEED(args);
    for (int i = 0; i < e->n_args; i++) {
        NB_TRY(move_one(m, e->args[i], &args[i], err));
        changed |= args[i] != e->args[i];
    }
    *out = changed ? nb_expr_with_args(m->an->arena, e, args) : e;
    return *out ? NB_OK : NB_NOMEM;
}

/* Columns that e names, those in its subqueries too. */
typedef struct used_state {
    nb_attr_set *set;
    bool subquery;
    nb_status st;
} used_state;

static nb_status used_in_place(nb_expr **place, void *payload);

static nb_status
used_in_plan(nb_plan *p, used_state *u)
{
    NB_TRY(nb_plan_each_expr(p, used_in_place, u));
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(used_in_plan(p->children[i], u));
    }
    return NB_OK;
}

static bool
look_used(nb_expr *e, void *payload)
{
    used_state *u = payload;

    if (e->kind == NB_EXPR_COLUMN) {
        u->st = nb_attr_set_add(u->set, e->u.column.attr);
    } else if (e->kind == NB_EXPR_SUBQUERY) {
        u->subquery = true;
        u->st = used_in_plan(e->u.subquery.plan, u);
    }
    return u->st >= 0;
}

static nb_status
used_in_place(nb_expr **place, void *payload)
{
    nb_expr_visit(*place, look_used, payload);
    return ((used_state *)payload)->st;
}

static nb_status
resolve_in(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e, bool is_condition,
           nb_expr **out, nb_error *err)
{
    return is_condition ? nb_resolve_condition(an, scope, e, out, err)
                        : nb_resolve_expr(an, scope, e, out, err);
}

/* The columns of the rows below an aggregation that are keys of it. */
static nb_status
keys_of(nb_analyzer *an, const nb_plan *agg, nb_plan **out)
{
    const nb_plan *rows = agg->children[0];
    nb_plan *keys = NB_ARENA_NEW(an->arena, nb_plan);

    NB_NEED(keys);
    *keys = *rows;
    keys->n_attrs = 0;
    keys->attrs = NB_ARENA_ARRAY(an->arena, nb_attr, agg->u.aggregate.n_keys + 1);
    NB_NEED(keys->attrs);
    for (int i = 0; i < agg->u.aggregate.n_keys; i++) {
        const nb_expr *key = agg->u.aggregate.keys[i];
        const nb_attr *a;
        key = key->kind == NB_EXPR_ALIAS ? key->args[0] : key;
        a = key->kind == NB_EXPR_COLUMN ? nb_plan_find_attr(rows, key->u.column.attr) : NULL;
        if (a) {
            keys->attrs[keys->n_attrs++] = *a;
        }
    }
    *out = keys;
    return NB_OK;
}

nb_status
nb_resolve_over(nb_analyzer *an, nb_plan *child, const Sc__Expression *e, bool is_condition,
                bool having, nb_expr **out, nb_error *err)
{
    nb_scope chain[MAX_CHAIN], first_scope, *start = &chain[0];
    nb_plan *plans[MAX_CHAIN], *agg = NULL, *keys;
    int n = 0;
    nb_expr *made;
    nb_attr_set used = {.arena = an->arena};
    nb_attr_set known = {.arena = an->arena};
    used_state u = {.set = &used};

    plans[n++] = child;
    for (nb_plan *p = child; p && n < MAX_CHAIN; p = below(p)) {
        if (p->kind == NB_PLAN_PROJECT || p->kind == NB_PLAN_AGGREGATE) {
            plans[n++] = p->children[0];
        }
        if (p->kind == NB_PLAN_AGGREGATE) {
            agg = p;
            break; /* columns below an aggregation are seen only by aggregate calls */
        }
    }
    for (int i = 0; i < n; i++) {
        chain[i] = (nb_scope){.plans = &plans[i],
                              .n_plans = 1,
                              .outer = i + 1 < n ? &chain[i + 1] : an->outer,
                              .passes_ambiguous = !is_condition};
    }
    if (having && agg) {
        NB_TRY(keys_of(an, agg, &keys));
        first_scope =
            (nb_scope){.plans = &keys, .n_plans = 1, .outer = &chain[0], .rows = &chain[n - 1]};
        start = &first_scope;
    }
    {
        /* messages speak of the node's own columns only */
        nb_error first = NB_ERROR_INIT;
        grouping sets = {0};
        nb_status st;
        if (agg) {
            NB_TRY(grouping_of(an, agg, &sets));
        }
        sets = swap_grouping(an, sets);
        st = resolve_in(an, start, e, is_condition, &made, &first);
        swap_grouping(an, sets);
        if (st == NB_ERROR && n > 1 && err && !err->set) {
            nb_scope own = {.plans = &plans[0],
                            .n_plans = 1,
                            .outer = an->outer,
                            .passes_ambiguous = !is_condition};
            nb_expr *again;
            (void)resolve_in(an, &own, e, is_condition, &again, err);
        }
        if (st < 0) {
            if (err && !err->set) {
                nb_error_move(&first, err);
            }
            nb_error_clear(&first);
            return st;
        }
    }
    if (made->kind == NB_EXPR_ALIAS) {
        made = made->args[0];
    }
    NB_TRY(used_in_place(&made, &u));
    if (agg && (nb_has_agg(made) || plans[0] != agg || u.subquery)) {
        move_down m = {an, agg};
        NB_TRY(move_one(&m, made, &made, err));
    }
    NB_TRY(nb_attr_set_add_plan(&known, child));
    if (u.subquery || !nb_attr_set_covers(&known, made)) {
        used = (nb_attr_set){.arena = an->arena};
        NB_TRY(used_in_place(&made, &u));
        for (int i = 0; i < used.cap; i++) {
            bool ok = true;
            if (used.ids[i] && !nb_attr_set_has(&known, used.ids[i])) {
                bool is_outer = true;
                for (int k = 0; k < n; k++) {
                    is_outer &= nb_plan_find_attr(plans[k], used.ids[i]) == NULL;
                }
                if (!is_outer || agg) {
                    NB_TRY(carry(an, child, used.ids[i], &ok));
                }
                if (!ok && !is_outer) {
                    /* to Spark such a column is not there at all */
                    nb_scope own = {.plans = &plans[0],
                                    .n_plans = 1,
                                    .outer = an->outer,
                                    .rows = &chain[n - 1]};
                    nb_expr *again;
                    const char *sql = nb_expr_sql(an->arena, made, false);
                    NB_TRY(resolve_in(an, &own, e, is_condition, &again, err));
                    return nb_raise(err, NB_COND_MISSING_AGGREGATION, "expression",
                                    nb_arena_printf(an->arena, "\"%s\"", sql), "expressionAnyValue",
                                    nb_arena_printf(an->arena, "\"any_value(%s)\"", sql), NULL);
                }
            }
        }
    }
    *out = made;
    return NB_OK;
}

/* ---- HAVING below window functions ---- */

typedef struct defined {
    nb_analyzer *an;
    nb_attr_map map;
    nb_error *err;
} defined;

static nb_status by_definition(nb_expr **place, void *payload);

static nb_status
by_definition_in_plan(nb_plan *p, defined *d)
{
    NB_TRY(nb_plan_each_expr(p, by_definition, d));
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(by_definition_in_plan(p->children[i], d));
    }
    return NB_OK;
}

static bool
look_for_subqueries(nb_expr *e, void *payload)
{
    defined *d = payload;

    return e->kind != NB_EXPR_SUBQUERY || by_definition_in_plan(e->u.subquery.plan, d) >= 0;
}

/* Columns that a projection computes become what they are computed from. */
static nb_status
by_definition(nb_expr **place, void *payload)
{
    defined *d = payload;

    NB_TRY(nb_expr_substitute(d->an->arena, *place, &d->map, place, d->err));
    return nb_expr_visit(*place, look_for_subqueries, d) ? NB_OK : NB_NOMEM;
}

nb_status
nb_filter_groups(nb_analyzer *an, nb_plan *child, nb_expr *condition, nb_plan **out, nb_error *err)
{
    nb_attr_set used = {.arena = an->arena};
    used_state u = {.set = &used};
    nb_plan **place = &child;
    bool windows = false, may = condition->deterministic;

    NB_TRY(used_in_place(&condition, &u));
    for (nb_plan *p = child; p->kind == NB_PLAN_PROJECT || p->kind == NB_PLAN_WINDOW;
         p = p->children[0]) {
        windows |= p->kind == NB_PLAN_WINDOW;
    }
    if (!windows) {
        return nb_plan_filter(an, child, condition, out, err);
    }
    for (; (*place)->kind == NB_PLAN_PROJECT || (*place)->kind == NB_PLAN_WINDOW;
         place = &(*place)->children[0]) {
        nb_plan *p = *place;
        bool is_window = p->kind == NB_PLAN_WINDOW;
        nb_expr **made = is_window ? p->u.window.functions : p->u.project.exprs;
        int n = is_window ? p->u.window.n_functions : p->n_attrs;
        defined d = {.an = an, .map = {.arena = an->arena}, .err = err};
        for (int i = 0; i < n; i++) {
            if (made[i]->kind == NB_EXPR_ALIAS && nb_attr_set_has(&used, made[i]->u.alias.attr)) {
                may &= !is_window && made[i]->args[0]->deterministic;
                NB_TRY(nb_attr_map_put(&d.map, made[i]->u.alias.attr, made[i]->args[0]));
            }
        }
        if (!may) { /* a condition on what a window function gives */
            return nb_plan_filter(an, child, condition, out, err);
        }
        if (d.map.n > 0) {
            NB_TRY(by_definition(&condition, &d));
            used = (nb_attr_set){.arena = an->arena};
            NB_TRY(used_in_place(&condition, &u));
        }
    }
    NB_TRY(nb_plan_filter(an, *place, condition, place, err));
    *out = child;
    return NB_OK;
}
