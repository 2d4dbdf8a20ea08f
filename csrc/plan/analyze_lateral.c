/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_lateral.c: select lists whose items name aliases of items before them.
 *
 *     SELECT price * 2 AS twice, twice + 1
 *
 * A name that no input has, and that an item before has as its alias, becomes a column with the alias's attribute. The projection is then made
 * in layers: an item that is named by others is computed below them, once, also when it is not deterministic.
 * As in Spark: columns of the inputs come first, those of queries around last; subqueries do not see aliases; aggregate and
 * window calls must not name them.
 */
#include "plan/analyzer_internal.h"

void
nb_lateral_begin(nb_analyzer *an, const nb_scope *scope, nb_lateral *l)
{
    *l = (nb_lateral){.scope = scope, .up = an->lateral, .refs = {.arena = an->arena}};
    an->lateral = l;
}

void
nb_lateral_end(nb_analyzer *an)
{
    an->lateral = an->lateral->up;
}

nb_status
nb_lateral_find(nb_analyzer *an, const nb_scope *scope, nb_str name, nb_expr **out, nb_error *err)
{
    nb_lateral *l = an->lateral;
    int n_found = 0;
    nb_attr a;

    if (!l || l->scope != scope) {
        return NB_DONE;
    }
    for (int i = 0; i < l->n_items; i++) {
        if (nb_names_equal(an, l->items[i]->u.alias.name, name)) {
            a = nb_attr_of_expr(l->items[i]);
            n_found++;
        }
    }
    if (n_found == 0) {
        return NB_DONE;
    }
    if (n_found > 1) {
        char *quoted;
        NB_TRY(nb_backquote(an, &name, 1, &quoted));
        return nb_raise(err, NB_COND_AMBIGUOUS_LATERAL_COLUMN_ALIAS, "name", quoted, "n",
                        nb_arena_printf(an->arena, "%d", n_found), NULL);
    }
    NB_TRY(nb_attr_set_add(&l->refs, a.id));
    *out = nb_attr_expr(an->arena, &a);
    return *out ? NB_OK : NB_NOMEM;
}

bool
nb_is_lateral(const nb_analyzer *an, const nb_expr *e)
{
    return an->lateral && e->kind == NB_EXPR_COLUMN &&
           nb_attr_set_has(&an->lateral->refs, e->u.column.attr);
}

typedef struct lateral_use {
    const nb_analyzer *an;
    const nb_expr *found;
} lateral_use;

static bool
look_lateral(nb_expr *e, void *payload)
{
    lateral_use *u = payload;

    if (!u->found && nb_is_lateral(u->an, e)) {
        u->found = e;
    }
    return !u->found;
}

typedef struct forbidden_use {
    const nb_analyzer *an;
    nb_expr *call; /* the aggregate or window call */
    const nb_expr *alias;
} forbidden_use;

static bool
look_forbidden(nb_expr *e, void *payload)
{
    forbidden_use *f = payload;
    lateral_use u = {f->an, NULL};

    if (!f->alias && (e->kind == NB_EXPR_AGG || e->kind == NB_EXPR_WINDOW)) {
        nb_expr_visit(e, look_lateral, &u);
        f->call = e;
        f->alias = u.found;
    }
    return !f->alias;
}

nb_status
nb_lateral_add(nb_analyzer *an, const Sc__Expression *message, nb_expr *item, nb_error *err)
{
    nb_lateral *l = an->lateral;

    if (l->refs.n) {
        forbidden_use f = {.an = an};
        nb_expr_visit(item, look_forbidden, &f);
        if (f.alias) {
            nb_str name = f.alias->u.column.name;
            char *quoted;
            const char *sql =
                nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, f.call, false));
            NB_TRY(nb_backquote(an, &name, 1, &quoted));
            return f.call->kind == NB_EXPR_AGG
                       ? nb_raise(
                             err,
                             NB_COND_UNSUPPORTED_FEATURE_LATERAL_COLUMN_ALIAS_IN_AGGREGATE_FUNC,
                             "lca", quoted, "aggFunc", sql, NULL)
                       : nb_raise(err, NB_COND_UNSUPPORTED_FEATURE_LATERAL_COLUMN_ALIAS_IN_WINDOW,
                                  "lca", quoted, "windowExpr", sql, NULL);
        }
    }
    if (message->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS && item->kind == NB_EXPR_ALIAS) {
        l->items = nb_arena_grow(an->arena, l->items, l->n_items, &l->cap_items, sizeof *l->items);
        NB_NEED(l->items);
        l->items[l->n_items++] = item;
    }
    return NB_OK;
}

/* ---- layers ---- */

typedef struct layer_of {
    const nb_analyzer *an;
    nb_expr *const *exprs;
    int at; /* items before this one may be named */
    const int *levels;
    bool *needed;
    int level;
} layer_of;

static bool
look_level(nb_expr *e, void *payload)
{
    layer_of *l = payload;

    for (int i = 0; i < l->at && nb_is_lateral(l->an, e); i++) {
        if (l->exprs[i]->kind == NB_EXPR_ALIAS && l->exprs[i]->u.alias.attr == e->u.column.attr) {
            l->needed[i] = true;
            l->level = NB_MAX(l->level, l->levels[i] + 1);
            break;
        }
    }
    return true;
}

/* A projection of all columns of child, hidden as they are there, and of the items that are needed from this level. */
static nb_status
plan_layer(nb_analyzer *an, nb_plan *child, nb_expr **exprs, int n, const int *levels,
           const bool *needed, int level, nb_plan **out, nb_error *err)
{
    nb_expr **list = NB_ARENA_ARRAY(an->arena, nb_expr *, child->n_attrs + n + 1);
    int count = 0;
    nb_plan *p;

    NB_NEED(list);
    for (int i = 0; i < child->n_attrs; i++) {
        list[count] = nb_attr_expr(an->arena, &child->attrs[i]);
        NB_NEED(list[count]);
        count++;
    }
    for (int i = 0; i < n; i++) {
        if (needed[i] && levels[i] == level) {
            list[count++] = exprs[i];
        }
    }
    NB_TRY(nb_plan_project(an, child, list, count, &p, err));
    for (int i = 0; i < count; i++) {
        p->attrs[i].hidden = i >= child->n_attrs || child->attrs[i].hidden;
    }
    for (int i = 0; i < n; i++) {
        if (needed[i] && levels[i] == level) {
            nb_attr a = nb_attr_of_expr(exprs[i]);
            exprs[i] = nb_attr_expr(an->arena, &a);
            NB_NEED(exprs[i]);
        }
    }
    *out = p;
    return NB_OK;
}

nb_status
nb_lateral_layers(nb_analyzer *an, nb_plan *child, nb_expr **exprs, int n, nb_plan **out,
                  nb_error *err)
{
    int *levels = NB_ARENA_ARRAY(an->arena, int, n + 1), top = 0;
    bool *needed = nb_arena_zalloc(an->arena, (size_t)n + 1);

    NB_NEED(levels && needed);
    for (int i = 0; i < n; i++) {
        layer_of l = {an, exprs, i, levels, needed, 0};
        nb_expr_visit(exprs[i], look_level, &l);
        levels[i] = l.level;
        top = NB_MAX(top, l.level);
    }
    for (int level = 0; level < top; level++) {
        NB_TRY(plan_layer(an, child, exprs, n, levels, needed, level, &child, err));
    }
    *out = child;
    return NB_OK;
}
