/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_filter.c: filters move towards the sources, limits below projections.
 *
 * push(plan, conditions) returns a plan equal to plan filtered by the conditions: it keeps for itself what its children cannot take.
 * Non-deterministic conditions stay where they are. A condition reaches a scan as a hint as well; the FILTER above it still checks.
 */
#include "plan/optimizer.h"

typedef struct conditions {
    nb_expr **list;
    int n, cap;
    nb_attr_set needed; /* a row where one of these is null is dropped further up */
} conditions;

static nb_status
need_all(nb_arena *arena, conditions *c, const nb_attr_set *more)
{
    c->needed.arena = arena;
    for (int i = 0; i < more->cap; i++) {
        if (more->ids[i]) {
            NB_TRY(nb_attr_set_add(&c->needed, more->ids[i]));
        }
    }
    return NB_OK;
}

/* What is needed of a list of expressions, each of which makes the attribute of its place, is needed of the columns they are strict in. */
static nb_status
need_behind(nb_arena *arena, const conditions *c, const nb_attr *attrs, nb_expr *const *exprs,
            int n, conditions *out)
{
    out->needed.arena = arena;
    for (int i = 0; i < n; i++) {
        if (nb_attr_set_has(&c->needed, attrs[i].id)) {
            NB_TRY(nb_strict_columns(exprs[i], &out->needed));
        }
    }
    return NB_OK;
}

static nb_status
append(nb_arena *arena, conditions *c, nb_expr *e)
{
    if (c->n == c->cap) {
        int cap = c->cap ? c->cap * 2 : 8;
        nb_expr **list = NB_ARENA_ARRAY(arena, nb_expr *, cap);
        if (!list) {
            return NB_NOMEM;
        }
        if (c->n) {
            memcpy(list, c->list, sizeof(nb_expr *) * (size_t)c->n);
        }
        c->list = list;
        c->cap = cap;
    }
    c->list[c->n++] = e;
    return NB_OK;
}

nb_status
nb_split_conjuncts(nb_arena *arena, nb_expr *e, nb_expr ***list, int *n, int *cap)
{
    conditions c = {.list = *list, .n = *n, .cap = *cap};

    if (e->kind == NB_EXPR_AND) {
        for (int i = 0; i < e->n_args; i++) {
            NB_TRY(nb_split_conjuncts(arena, e->args[i], &c.list, &c.n, &c.cap));
        }
    } else {
        NB_TRY(append(arena, &c, e));
    }
    *list = c.list;
    *n = c.n;
    *cap = c.cap;
    return NB_OK;
}

nb_status
nb_join_booleans(nb_arena *arena, nb_expr_kind kind, nb_expr **list, int n, nb_expr **out)
{
    nb_expr *e;
    bool nullable = false;

    *out = n == 1 ? list[0] : NULL;
    if (n < 2) {
        return NB_OK;
    }
    for (int i = 0; i < n; i++) {
        nullable |= list[i]->nullable;
    }
    e = nb_expr_new(arena, kind, nb_type_of(NB_TYPE_BOOL), nullable, n);
    if (!e) {
        return NB_NOMEM;
    }
    memcpy(e->args, list, sizeof(nb_expr *) * (size_t)n);
    nb_expr_set_flags(e);
    *out = e;
    return NB_OK;
}

nb_status
nb_join_conjuncts(nb_arena *arena, nb_expr **list, int n, nb_expr **out)
{
    return nb_join_booleans(arena, NB_EXPR_AND, list, n, out);
}

/* The conjuncts of e, with what disjunctions have in common among them. */
static nb_status
split_factored(nb_arena *arena, nb_expr *e, conditions *out)
{
    conditions plain = {0};

    NB_TRY(nb_split_conjuncts(arena, e, &plain.list, &plain.n, &plain.cap));
    for (int i = 0; i < plain.n; i++) {
        nb_expr *made;
        NB_TRY(nb_factor_or(arena, plain.list[i], &made));
        NB_TRY(nb_split_conjuncts(arena, made, &out->list, &out->n, &out->cap));
    }
    return NB_OK;
}

/* Adds a condition unless it is there. */
static nb_status
append_new(nb_arena *arena, conditions *c, nb_expr *e)
{
    for (int i = 0; i < c->n; i++) {
        if (nb_expr_equal(c->list[i], e)) {
            return NB_OK;
        }
    }
    return append(arena, c, e);
}

/* p with a FILTER on top for conditions c. */
static nb_status
keep_here(nb_arena *arena, nb_plan *p, const conditions *c, nb_plan **out)
{
    nb_plan *f;

    *out = p;
    if (c->n == 0) {
        return NB_OK;
    }
    f = nb_plan_new(arena, NB_PLAN_FILTER, 1, p->n_attrs);
    if (!f) {
        return NB_NOMEM;
    }
    f->children[0] = p;
    memcpy(f->attrs, p->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
    NB_TRY(nb_join_conjuncts(arena, c->list, c->n, &f->u.filter.condition));
    *out = f;
    return NB_OK;
}

static nb_status push(nb_arena *arena, nb_plan *p, conditions *c, nb_plan **out, nb_error *err);

static nb_status
push_child(nb_arena *arena, nb_plan *p, int child, conditions *c, nb_error *err)
{
    return push(arena, p->children[child], c, &p->children[child], err);
}

static nb_status
push_children_none(nb_arena *arena, nb_plan *p, nb_error *err)
{
    for (int i = 0; i < p->n_children; i++) {
        conditions none = {0};
        NB_TRY(push_child(arena, p, i, &none, err));
    }
    return NB_OK;
}

/* Expressions behind the attributes of a projection-like list, where moving a condition below is right. */
static nb_status
map_list(nb_arena *arena, nb_expr **exprs, int n, nb_attr_map *map)
{
    map->arena = arena;
    for (int i = 0; i < n; i++) {
        if (exprs[i]->kind == NB_EXPR_ALIAS) {
            NB_TRY(nb_attr_map_put(map, exprs[i]->u.alias.attr, exprs[i]->args[0]));
        }
    }
    return NB_OK;
}

static nb_status
push_project(nb_arena *arena, nb_plan *p, conditions *c, nb_plan **out, nb_error *err)
{
    nb_attr_map map = {0};
    nb_attr_set below = {.arena = arena};
    conditions stay = {0}, go = {0};

    for (int i = 0; i < p->n_attrs; i++) {
        if (!nb_expr_is_repeatable(p->u.project.exprs[i])) { /* each row keeps its number */
            NB_TRY(push_child(arena, p, 0, &go, err));
            return keep_here(arena, p, c, out);
        }
    }
    NB_TRY(need_behind(arena, c, p->attrs, p->u.project.exprs, p->n_attrs, &go));
    NB_TRY(map_list(arena, p->u.project.exprs, p->n_attrs, &map));
    NB_TRY(nb_attr_set_add_plan(&below, p->children[0]));
    for (int i = 0; i < c->n; i++) {
        nb_expr *e;
        if (!nb_expr_may_substitute(c->list[i], &map)) {
            NB_TRY(append(arena, &stay, c->list[i]));
            continue;
        }
        NB_TRY(nb_expr_substitute(arena, c->list[i], &map, &e, err));
        if (e->deterministic && nb_attr_set_covers(&below, e)) {
            NB_TRY(append(arena, &go, e));
        } else {
            NB_TRY(append(arena, &stay, c->list[i]));
        }
    }
    NB_TRY(push_child(arena, p, 0, &go, err));
    return keep_here(arena, p, &stay, out);
}

/* A condition over the keys alone filters whole groups: it may go below. Not for the global aggregate, which has a row without input. */
static nb_status
push_aggregate(nb_arena *arena, nb_plan *p, conditions *c, nb_plan **out, nb_error *err)
{
    nb_attr_map map = {0};
    nb_attr_set keys = {.arena = arena};
    conditions stay = {0}, go = {0};

    NB_TRY(need_behind(arena, c, p->attrs, p->u.aggregate.keys, p->u.aggregate.n_keys, &go));
    NB_TRY(map_list(arena, p->u.aggregate.keys, p->u.aggregate.n_keys, &map));
    for (int i = 0; i < p->u.aggregate.n_keys; i++) {
        NB_TRY(nb_attr_set_add(&keys, p->attrs[i].id));
    }
    for (int i = 0; i < c->n; i++) {
        nb_expr *e = c->list[i];
        if (p->u.aggregate.n_keys > 0 && e->deterministic && nb_attr_set_covers(&keys, e) &&
            nb_expr_may_substitute(e, &map)) {
            NB_TRY(nb_expr_substitute(arena, e, &map, &e, err));
            NB_TRY(append(arena, &go, e));
        } else {
            NB_TRY(append(arena, &stay, e));
        }
    }
    NB_TRY(push_child(arena, p, 0, &go, err));
    return keep_here(arena, p, &stay, out);
}

static nb_status
push_union(nb_arena *arena, nb_plan *p, conditions *c, nb_plan **out, nb_error *err)
{
    conditions stay = {0}, go = {0};
    nb_attr_set own = {.arena = arena};

    NB_TRY(nb_attr_set_add_plan(&own, p));
    for (int i = 0; i < c->n; i++) {
        NB_TRY(append(
            arena, c->list[i]->deterministic && nb_attr_set_covers(&own, c->list[i]) ? &go : &stay,
            c->list[i]));
    }
    for (int k = 0; k < p->n_children; k++) {
        nb_attr_map map = {.arena = arena};
        conditions mine = {.needed = {.arena = arena}};
        for (int i = 0; i < p->n_attrs; i++) {
            if (nb_attr_set_has(&c->needed, p->attrs[i].id)) {
                NB_TRY(nb_attr_set_add(&mine.needed, p->children[k]->attrs[i].id));
            }
        }
        for (int i = 0; i < p->n_attrs && go.n; i++) {
            nb_expr *col = nb_attr_expr(arena, &p->children[k]->attrs[i]);
            if (!col) {
                return NB_NOMEM;
            }
            NB_TRY(nb_attr_map_put(&map, p->attrs[i].id, col));
        }
        for (int i = 0; i < go.n; i++) {
            nb_expr *e;
            NB_TRY(nb_expr_substitute(arena, go.list[i], &map, &e, err));
            NB_TRY(append(arena, &mine, e));
        }
        NB_TRY(push_child(arena, p, k, &mine, err));
    }
    return keep_here(arena, p, &stay, out);
}

/* Values of these types that are equal are alike in every condition: 0.0 and -0.0 are not. */
static bool
is_exact(const nb_type *t)
{
    return t->depth == 0 && t->id != NB_TYPE_FLOAT32 && t->id != NB_TYPE_FLOAT64;
}

/* A condition on the keys of the side whose rows stay holds for the other side's keys, too: rows that fail it match nothing. */
static nb_status
imply_keys(nb_arena *arena, const conditions *kept, const conditions *on,
           const nb_attr_set *kept_side, const nb_attr_set *other, conditions *to, nb_error *err)
{
    for (int i = 0; i < on->n; i++) {
        const nb_expr *e = on->list[i];
        for (int k = 0; k < 2 && e->kind == NB_EXPR_CALL && e->n_args == 2; k++) {
            nb_expr *from = e->args[k], *into = e->args[1 - k];
            nb_attr_map map = {.arena = arena};
            nb_attr_set key = {.arena = arena};
            if (e->u.call.fn != nb_function_find(NB_STR("=")) || from->kind != NB_EXPR_COLUMN ||
                into->kind != NB_EXPR_COLUMN || from->type != into->type || !is_exact(from->type) ||
                !nb_attr_set_covers(kept_side, from) || !nb_attr_set_covers(other, into)) {
                continue;
            }
            NB_TRY(nb_attr_map_put(&map, from->u.column.attr, into));
            NB_TRY(nb_attr_set_add(&key, from->u.column.attr));
            for (int j = 0; j < kept->n; j++) {
                nb_expr *implied;
                nb_attr_set used = {.arena = arena};
                NB_TRY(nb_attr_set_add_expr(&used, kept->list[j]));
                if (used.n != 1 || !nb_attr_set_covers(&key, kept->list[j]) ||
                    kept->list[j]->can_fail) {
                    continue;
                }
                NB_TRY(nb_expr_substitute(arena, kept->list[j], &map, &implied, err));
                NB_TRY(append_new(arena, to, implied));
            }
        }
    }
    return NB_OK;
}

/* The join's own conditions, and what is above it, drop rows with nulls in these columns of its sides. */
static nb_status
need_of_join(nb_arena *arena, const nb_plan *p, const conditions *c, const conditions *on,
             conditions to[2])
{
    nb_join_type type = p->u.join.type;
    bool inner = type == NB_JOIN_INNER || type == NB_JOIN_CROSS || type == NB_JOIN_SEMI;
    nb_attr_set own = {.arena = arena};

    for (int i = 0; i < on->n && on->list[i]->deterministic; i++) {
        NB_TRY(nb_strict_columns(on->list[i], &own));
    }
    if (inner || type == NB_JOIN_LEFT || type == NB_JOIN_ANTI || type == NB_JOIN_MARK ||
        type == NB_JOIN_SINGLE) {
        NB_TRY(need_all(arena, &to[0], &c->needed));
    }
    if (inner || type == NB_JOIN_RIGHT) {
        NB_TRY(need_all(arena, &to[0], &own));
        NB_TRY(need_all(arena, &to[1], &c->needed));
    }
    if (inner || type == NB_JOIN_LEFT) {
        NB_TRY(need_all(arena, &to[1], &own));
    }
    return NB_OK;
}

static nb_status
push_join(nb_arena *arena, nb_plan *p, conditions *c, nb_plan **out, nb_error *err)
{
    nb_status narrowed = nb_narrow_outer_join(arena, p, c->list, c->n, &c->needed);
    nb_join_type type = p->u.join.type;
    nb_plan *other;
    nb_attr_set sides[2] = {{.arena = arena}, {.arena = arena}};
    conditions to[2] = {{0}, {0}}, stay = {0}, own = {0}, on = {0};
    bool inner = type == NB_JOIN_INNER || type == NB_JOIN_CROSS;
    bool left_kept =
        inner || type == NB_JOIN_LEFT || type == NB_JOIN_SEMI || type == NB_JOIN_ANTI ||
        type == NB_JOIN_MARK ||
        type == NB_JOIN_SINGLE; /* rows of the left side pass at most once, unchanged */
    bool right_kept = inner || type == NB_JOIN_RIGHT;

    NB_TRY(narrowed);
    NB_TRY(nb_left_to_anti(arena, p, c->list, &c->n, &other));
    if (!other) {
        NB_TRY(nb_sink_single(arena, p, c->list, c->n, &other));
    }
    if (other) {
        return push(arena, other, c, out, err);
    }
    NB_TRY(nb_attr_set_add_plan(&sides[0], p->children[0]));
    NB_TRY(nb_attr_set_add_plan(&sides[1], p->children[1]));
    for (int i = 0; i < c->n; i++) { /* conditions from above */
        nb_expr *e = c->list[i];
        if (!e->deterministic) {
            NB_TRY(append(arena, &stay, e));
        } else if (left_kept && nb_attr_set_covers(&sides[0], e)) {
            NB_TRY(append(arena, &to[0], e));
        } else if (right_kept && nb_attr_set_covers(&sides[1], e)) {
            NB_TRY(append(arena, &to[1], e));
        } else if (inner) {
            NB_TRY(append(arena, &on, e));
        } else {
            NB_TRY(append(arena, &stay, e));
        }
    }
    if (p->u.join.condition) { /* the join's own */
        NB_TRY(split_factored(arena, p->u.join.condition, &own));
    }
    for (int i = 0; i < own.n; i++) {
        nb_expr *e = own.list[i];
        bool to_left = (inner || type == NB_JOIN_SEMI || type == NB_JOIN_RIGHT) &&
                       nb_attr_set_covers(&sides[0], e);
        bool to_right =
            (inner || type == NB_JOIN_SEMI || type == NB_JOIN_ANTI || type == NB_JOIN_LEFT) &&
            !p->u.join.null_aware && nb_attr_set_covers(&sides[1], e);
        if (e->deterministic && to_left) {
            NB_TRY(append(arena, &to[0], e));
        } else if (e->deterministic && to_right) {
            NB_TRY(append(arena, &to[1], e));
        } else {
            NB_TRY(append(arena, &on, e));
        }
    }
    for (int i = 0; i < on.n && (inner || type == NB_JOIN_SEMI); i++) {
        for (int side = 0; side < 2; side++) {
            nb_expr *implied;
            NB_TRY(nb_implied_or(arena, on.list[i], &sides[side], &implied));
            if (implied) {
                NB_TRY(append_new(arena, &to[side], implied));
            }
        }
    }
    if (type == NB_JOIN_LEFT || type == NB_JOIN_SEMI ||
        (type == NB_JOIN_ANTI && !p->u.join.null_aware)) {
        NB_TRY(imply_keys(arena, &to[0], &on, &sides[0], &sides[1], &to[1], err));
    } else if (type == NB_JOIN_RIGHT) {
        NB_TRY(imply_keys(arena, &to[1], &on, &sides[1], &sides[0], &to[0], err));
    }
    NB_TRY(need_of_join(arena, p, c, &on, to));
    NB_TRY(nb_join_conjuncts(arena, on.list, on.n, &p->u.join.condition));
    if (type == NB_JOIN_CROSS && on.n) {
        p->u.join.type = NB_JOIN_INNER;
    }
    NB_TRY(push_child(arena, p, 0, &to[0], err));
    NB_TRY(push_child(arena, p, 1, &to[1], err));
    return keep_here(arena, p, &stay, out);
}

/* Nodes that pass rows on unchanged: a condition over `allowed` goes below. */
static nb_status
push_through(nb_arena *arena, nb_plan *p, conditions *c, const nb_attr_set *allowed, nb_plan **out,
             nb_error *err)
{
    conditions stay = {0}, go = {0};

    for (int i = 0; i < c->n; i++) {
        bool fits = c->list[i]->deterministic && nb_attr_set_covers(allowed, c->list[i]);
        NB_TRY(append(arena, fits ? &go : &stay, c->list[i]));
    }
    go.needed.arena = arena;
    for (int i = 0; i < c->needed.cap; i++) {
        if (c->needed.ids[i] && nb_attr_set_has(allowed, c->needed.ids[i])) {
            NB_TRY(nb_attr_set_add(&go.needed, c->needed.ids[i]));
        }
    }
    NB_TRY(push_child(arena, p, 0, &go, err));
    return keep_here(arena, p, &stay, out);
}

static nb_status
push(nb_arena *arena, nb_plan *p, conditions *c, nb_plan **out, nb_error *err)
{
    nb_attr_set allowed = {.arena = arena};

    switch (p->kind) {
    case NB_PLAN_FILTER: {
        conditions mine = {0}, odd = {0}, all = {0};
        NB_TRY(split_factored(arena, p->u.filter.condition, &mine));
        for (int i = 0; i < mine.n; i++) {
            NB_TRY(append(arena, mine.list[i]->deterministic ? &all : &odd, mine.list[i]));
        }
        if (odd.n) { /* what stands below a non-deterministic condition must not change */
            NB_TRY(push_children_none(arena, p, err));
            return keep_here(arena, p, c, out);
        }
        for (int i = 0; i < c->n; i++) {
            NB_TRY(append_new(arena, &all, c->list[i]));
        }
        NB_TRY(need_all(arena, &all, &c->needed));
        return push(arena, p->children[0], &all, out, err);
    }
    case NB_PLAN_PROJECT: return push_project(arena, p, c, out, err);
    case NB_PLAN_AGGREGATE: return push_aggregate(arena, p, c, out, err);
    case NB_PLAN_JOIN: return push_join(arena, p, c, out, err);
    case NB_PLAN_UNION: return push_union(arena, p, c, out, err);
    case NB_PLAN_SORT:
    case NB_PLAN_EXCHANGE:
        NB_TRY(nb_attr_set_add_plan(&allowed, p->children[0]));
        return push_through(arena, p, c, &allowed, out, err);
    case NB_PLAN_GENERATE:
        NB_TRY(nb_attr_set_add_plan(&allowed, p->children[0]));
        return push_through(arena, p, c, &allowed, out, err);
    case NB_PLAN_WINDOW: /* whole partitions only */
        for (int i = 0; i < p->u.window.spec->n_partition_by; i++) {
            if (p->u.window.spec->partition_by[i]->kind == NB_EXPR_COLUMN) {
                NB_TRY(nb_attr_set_add(&allowed, p->u.window.spec->partition_by[i]->u.column.attr));
            }
        }
        return push_through(arena, p, c, &allowed, out, err);
    case NB_PLAN_SCAN: {
        /* replaced, not added to: when the rule runs again, the FILTER brings them all back */
        p->u.scan.filters = NB_ARENA_ARRAY(arena, nb_expr *, c->n + 1);
        if (!p->u.scan.filters) {
            return NB_NOMEM;
        }
        p->u.scan.n_filters = c->n;
        for (int i = 0; i < c->n; i++) {
            p->u.scan.filters[i] = c->list[i];
        }
        return keep_here(arena, p, c, out);
    }
    default: NB_TRY(push_children_none(arena, p, err)); return keep_here(arena, p, c, out);
    }
}

nb_status
nb_optimize_push_filters(nb_arena *arena, nb_plan **plan, nb_error *err)
{
    conditions none = {0};

    return push(arena, *plan, &none, plan, err);
}

/* LIMIT over PROJECT becomes PROJECT over LIMIT, so that it meets a SORT (top-N) or a scan. */
nb_status
nb_optimize_push_limits(nb_arena *arena, nb_plan **plan)
{
    nb_plan *p = *plan;

    if (p->kind == NB_PLAN_LIMIT && p->children[0]->kind == NB_PLAN_PROJECT) {
        nb_plan *project = p->children[0], *child = project->children[0];
        nb_plan *limit = nb_plan_new(arena, NB_PLAN_LIMIT, 1, child->n_attrs);
        if (!limit) {
            return NB_NOMEM;
        }
        limit->u.limit = p->u.limit;
        limit->children[0] = child;
        memcpy(limit->attrs, child->attrs, sizeof(nb_attr) * (size_t)child->n_attrs);
        project->children[0] = limit;
        *plan = p = project;
    }
    if (p->kind == NB_PLAN_LIMIT && p->children[0]->kind == NB_PLAN_SCAN && p->u.limit.limit >= 0) {
        int64_t want = p->u.limit.limit + p->u.limit.offset;
        nb_plan *scan = p->children[0];
        scan->u.scan.limit = scan->u.scan.limit < 0 ? want : NB_MIN(scan->u.scan.limit, want);
    }
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(nb_optimize_push_limits(arena, &p->children[i]));
    }
    return NB_OK;
}
