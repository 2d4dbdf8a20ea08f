/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logical.c: logical nodes, attributes, and the two containers that rewriting needs: a set of attribute ids and a map from ids to
 * expressions. Both are open-addressing tables in the query's arena; ids are never 0.
 */
#include "plan/logical.h"

#include <stdatomic.h>

nb_plan *
nb_plan_new(nb_arena *arena, nb_plan_kind kind, int n_children, int n_attrs)
{
    nb_plan *p = NB_ARENA_NEW(arena, nb_plan);

    if (!p) {
        return NULL;
    }
    p->kind = kind;
    p->plan_id = -1;
    p->n_children = n_children;
    p->n_attrs = n_attrs;
    p->children = NB_ARENA_ARRAY(arena, nb_plan *, n_children + 1);
    p->attrs = NB_ARENA_ARRAY(arena, nb_attr, n_attrs + 1);
    if (!p->children || !p->attrs) {
        return NULL;
    }
    memset(p->children, 0, sizeof(nb_plan *) * (size_t)(n_children + 1));
    memset(p->attrs, 0, sizeof(nb_attr) * (size_t)(n_attrs + 1));
    return p;
}

uint64_t
nb_attr_next_id(void)
{
    static atomic_ullong next = 1;

    return atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
}

nb_expr *
nb_attr_expr(nb_arena *arena, const nb_attr *a)
{
    return nb_expr_column(arena, a->id, a->name, a->type, a->nullable);
}

nb_attr
nb_attr_of_expr(const nb_expr *e)
{
    nb_attr a = {.type = e->type, .nullable = e->nullable};

    if (e->kind == NB_EXPR_ALIAS) {
        a.id = e->u.alias.attr;
        a.name = e->u.alias.name;
        a.metadata = e->u.alias.metadata;
    } else {
        NB_ASSERT(e->kind == NB_EXPR_COLUMN);
        a.id = e->u.column.attr;
        a.name = e->u.column.name;
    }
    return a;
}

const nb_attr *
nb_plan_find_attr(const nb_plan *p, uint64_t id)
{
    for (int i = 0; i < p->n_attrs; i++) {
        if (p->attrs[i].id == id) {
            return &p->attrs[i];
        }
    }
    return NULL;
}

const nb_type *
nb_plan_schema(nb_arena *arena, const nb_plan *p)
{
    nb_field *fields = NB_ARENA_ARRAY(arena, nb_field, p->n_attrs + 1);
    int n = 0;

    if (!fields) {
        return NULL;
    }
    for (int i = 0; i < p->n_attrs; i++) {
        if (!p->attrs[i].hidden) {
            fields[n++] = (nb_field){.name = p->attrs[i].name,
                                     .type = p->attrs[i].type,
                                     .nullable = p->attrs[i].nullable,
                                     .metadata = p->attrs[i].metadata};
        }
    }
    return nb_type_struct(fields, n);
}

/* ---- set of ids ---- */

static size_t
slot_of(const uint64_t *ids, int cap, uint64_t id)
{
    size_t i = (size_t)((id * 0x9e3779b97f4a7c15ULL) >> 32) & (size_t)(cap - 1);

    while (ids[i] != 0 && ids[i] != id) {
        i = (i + 1) & (size_t)(cap - 1);
    }
    return i;
}

nb_status
nb_attr_set_add(nb_attr_set *s, uint64_t id)
{
    size_t i;

    if (s->n * 2 >= s->cap) {
        int cap = s->cap ? s->cap * 2 : 16;
        uint64_t *ids = nb_arena_zalloc(s->arena, sizeof(uint64_t) * (size_t)cap);
        if (!ids) {
            return NB_NOMEM;
        }
        for (int k = 0; k < s->cap; k++) {
            if (s->ids[k]) {
                ids[slot_of(ids, cap, s->ids[k])] = s->ids[k];
            }
        }
        s->ids = ids;
        s->cap = cap;
    }
    i = slot_of(s->ids, s->cap, id);
    if (s->ids[i] == 0) {
        s->ids[i] = id;
        s->n++;
    }
    return NB_OK;
}

bool
nb_attr_set_has(const nb_attr_set *s, uint64_t id)
{
    return s->cap > 0 && s->ids[slot_of(s->ids, s->cap, id)] == id;
}

typedef struct add_state {
    nb_attr_set *set;
    nb_status st;
} add_state;

static bool
add_column(nb_expr *e, void *payload)
{
    add_state *a = payload;

    if (e->kind == NB_EXPR_COLUMN) {
        a->st = nb_attr_set_add(a->set, e->u.column.attr);
    }
    return a->st >= 0;
}

nb_status
nb_attr_set_add_expr(nb_attr_set *s, const nb_expr *e)
{
    add_state a = {s, NB_OK};

    nb_expr_visit((nb_expr *)e, add_column, &a);
    return a.st;
}

nb_status
nb_attr_set_add_plan(nb_attr_set *s, const nb_plan *p)
{
    for (int i = 0; i < p->n_attrs; i++) {
        NB_TRY(nb_attr_set_add(s, p->attrs[i].id));
    }
    return NB_OK;
}

typedef struct cover_state {
    const nb_attr_set *set;
    bool covered;
} cover_state;

/* A lambda's own parameters are not columns of the input. */
static bool
check_column(nb_expr *e, void *payload)
{
    cover_state *c = payload;

    if (e->kind == NB_EXPR_COLUMN && !nb_attr_set_has(c->set, e->u.column.attr)) {
        c->covered = false;
    }
    if (e->kind == NB_EXPR_LAMBDA) {
        c->covered = false; /* conservative: expressions with lambdas stay where they are */
    }
    return c->covered;
}

bool
nb_attr_set_covers(const nb_attr_set *s, const nb_expr *e)
{
    cover_state c = {s, true};

    nb_expr_visit((nb_expr *)e, check_column, &c);
    return c.covered;
}

/* ---- map from ids to expressions ---- */

nb_status
nb_attr_map_put(nb_attr_map *m, uint64_t id, nb_expr *e)
{
    size_t i;

    if (m->n * 2 >= m->cap) {
        int cap = m->cap ? m->cap * 2 : 16;
        uint64_t *ids = nb_arena_zalloc(m->arena, sizeof(uint64_t) * (size_t)cap);
        nb_expr **exprs = nb_arena_zalloc(m->arena, sizeof(nb_expr *) * (size_t)cap);
        if (!ids || !exprs) {
            return NB_NOMEM;
        }
        for (int k = 0; k < m->cap; k++) {
            if (m->ids[k]) {
                size_t at = slot_of(ids, cap, m->ids[k]);
                ids[at] = m->ids[k];
                exprs[at] = m->exprs[k];
            }
        }
        m->ids = ids;
        m->exprs = exprs;
        m->cap = cap;
    }
    i = slot_of(m->ids, m->cap, id);
    if (m->ids[i] == 0) {
        m->n++;
    }
    m->ids[i] = id;
    m->exprs[i] = e;
    return NB_OK;
}

nb_expr *
nb_attr_map_get(const nb_attr_map *m, uint64_t id)
{
    size_t i;

    if (m->cap == 0) {
        return NULL;
    }
    i = slot_of(m->ids, m->cap, id);
    return m->ids[i] == id ? m->exprs[i] : NULL;
}

static nb_status
substitute_one(nb_arena *arena, nb_expr *in, nb_expr **out, void *payload, nb_error *err)
{
    const nb_attr_map *m = payload;

    (void)arena;
    (void)err;
    *out = in;
    if (in->kind == NB_EXPR_COLUMN) {
        nb_expr *to = nb_attr_map_get(m, in->u.column.attr);
        if (to) {
            *out = to;
        }
    }
    return NB_OK;
}

/* What substitution may add: expressions are trees to those who walk them, so that an attribute read twice doubles what stands behind it. */
#define MAX_GROWTH 4096
#define MAX_DEPTH  512

typedef struct growth {
    const nb_attr_map *map; /* NULL below an attribute that is mapped */
    int64_t n;
    int32_t depth;
} growth;

static bool
look_growth(nb_expr *e, void *payload)
{
    growth *g = payload;

    if (g->map == NULL) {
        g->n++;
    } else if (e->kind == NB_EXPR_COLUMN) {
        nb_expr *to = nb_attr_map_get(g->map, e->u.column.attr);
        if (to && to->n_args > 0) {
            growth inner = {.n = g->n};
            nb_expr_visit(to, look_growth, &inner);
            g->n = inner.n;
            g->depth = NB_MAX(g->depth, to->depth);
        }
    }
    return g->n <= MAX_GROWTH;
}

bool
nb_expr_may_substitute(nb_expr *e, const nb_attr_map *m)
{
    growth g = {.map = m};

    nb_expr_visit(e, look_growth, &g);
    return g.n <= MAX_GROWTH && (g.depth == 0 || g.depth + e->depth <= MAX_DEPTH);
}

nb_status
nb_expr_substitute(nb_arena *arena, nb_expr *e, const nb_attr_map *m, nb_expr **out, nb_error *err)
{
    return nb_expr_rewrite(arena, e, substitute_one, (void *)m, out, err);
}
