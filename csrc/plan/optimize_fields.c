/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_fields.c: of structs in files, only the fields that the query uses are read.
 *
 *     SELECT s.a, items[0].price FROM t WHERE s.b.c > 1     reads s: struct<a, b: struct<c>>, items: array<struct<price>>
 *
 * Two passes over the plan. The first goes from the scans up and notes, in a tree of needs beside each column's type, what expressions take out of it. An
 * attribute that is only another name for a part of a column, or an element that explode() made of it, stands for that part's need, so uses above count there.
 * What is used as a whole, and what a node keeps by position (unions, cached rows, the result), is needed whole. The second pass gives the columns narrower
 * types, everywhere: attributes, expressions, and a relation for the scan that has these types.
 *
 * Of _metadata (NB_FILE_METADATA) any format makes what is used; of its own structs, Parquet. A struct of which only is asked whether it is there keeps its first field.
 */
#include "plan/optimizer.h"

#include "base/config.h"
#include "expr/registry.h"

typedef struct need need;
struct need {
    const nb_type *type;
    bool whole;
    need **children; /* of the type's; NULL: not needed so far, or none */
};

typedef struct tracked {
    uint64_t attr;
    need *need;
} tracked;

typedef struct pruning {
    nb_arena *arena;
    tracked *attrs;
    int n, cap;
    nb_attr_set seen; /* nodes, by address */
    bool gives_up;
} pruning;

static bool
has_struct(const nb_type *t)
{
    if (t->id == NB_TYPE_STRUCT) {
        return t->n_children > 0;
    }
    if (t->id != NB_TYPE_ARRAY && t->id != NB_TYPE_MAP) {
        return false;
    }
    return has_struct(t->children[t->n_children - 1].type);
}

static need *
need_new(pruning *c, const nb_type *type)
{
    need *n = NB_ARENA_NEW(c->arena, need);

    if (n != NULL) {
        n->type = type;
        n->children = has_struct(type)
                          ? nb_arena_zalloc(c->arena, sizeof(need *) * (size_t)type->n_children)
                          : NULL;
        n->whole = n->children == NULL;
    }
    return n;
}

/* The need of a part; NULL when out of memory. */
static need *
part(pruning *c, need *n, int i)
{
    if (n->children == NULL) {
        return n->type->n_children > i ? need_new(c, n->type->children[i].type) : NULL;
    }
    if (n->children[i] == NULL) {
        n->children[i] = need_new(c, n->type->children[i].type);
        if (n->children[i] != NULL) {
            n->children[i]->whole |= n->whole;
        }
    }
    return n->children[i];
}

static void
want_all(need *n)
{
    n->whole = true;
    for (int i = 0; n->children != NULL && i < n->type->n_children; i++) {
        if (n->children[i] != NULL) {
            want_all(n->children[i]);
        }
    }
}

static need *
find(const pruning *c, uint64_t attr)
{
    for (int i = 0; i < c->n; i++) {
        if (c->attrs[i].attr == attr) {
            return c->attrs[i].need;
        }
    }
    return NULL;
}

static nb_status
track(pruning *c, uint64_t attr, need *n)
{
    if (n == NULL) {
        return NB_NOMEM;
    }
    if (find(c, attr) != NULL || !has_struct(n->type)) {
        return NB_OK;
    }
    c->attrs = nb_arena_grow(c->arena, c->attrs, c->n, &c->cap, sizeof *c->attrs);
    if (c->attrs == NULL) {
        return NB_NOMEM;
    }
    c->attrs[c->n++] = (tracked){attr, n};
    return NB_OK;
}

/* ---- what is used ---------------------------------------------------------------------------- */

typedef enum step_kind { NO_STEP, FIELD, FIELD_OF_ELEMENTS, ELEMENT, VALUE } step_kind;

/* What a call takes out of its first argument. */
static step_kind
step_of(const nb_expr *e)
{
    const nb_type *t;
    bool gets;

    if (e->kind != NB_EXPR_CALL || e->n_args != 2) {
        return NO_STEP;
    }
    t = e->args[0]->type;
    gets = e->u.call.fn == nb_function_find(NB_STR("getitem"));
    if (gets && t->id == NB_TYPE_STRUCT) {
        return FIELD;
    }
    if (gets && t->id == NB_TYPE_ARRAY && nb_type_is_string(e->args[1]->type)) {
        return t->children[0].type->id == NB_TYPE_STRUCT ? FIELD_OF_ELEMENTS : NO_STEP;
    }
    if (!gets && e->u.call.fn != nb_function_find(NB_STR("element_at")) &&
        e->u.call.fn != nb_function_find(NB_STR("try_element_at")) &&
        e->u.call.fn != nb_function_find(NB_STR("get"))) {
        return NO_STEP;
    }
    return t->id == NB_TYPE_ARRAY ? ELEMENT : t->id == NB_TYPE_MAP ? VALUE : NO_STEP;
}

static int
field_of(const nb_expr *e)
{
    return *(const int *)e->u.call.payload;
}

/* The need of an expression that is a tracked attribute or a part of one; *out NULL for others. */
static nb_status
need_of(pruning *c, const nb_expr *e, need **out)
{
    step_kind step = step_of(e);
    need *base, *inner;

    *out = NULL;
    if (e->kind == NB_EXPR_COLUMN) {
        *out = find(c, e->u.column.attr);
        return NB_OK;
    }
    if (step == NO_STEP) {
        return NB_OK;
    }
    NB_TRY(need_of(c, e->args[0], &base));
    if (base == NULL) {
        return NB_OK;
    }
    if (step == FIELD_OF_ELEMENTS) {
        inner = part(c, base, 0);
        inner = inner ? part(c, inner, field_of(e)) : NULL;
        base = inner ? need_new(c, e->type) : NULL;
        if (base == NULL) {
            return NB_NOMEM;
        }
        if (base->children != NULL) { /* an array of its own, of elements that are there already */
            base->children[0] = inner;
        }
        *out = base;
        return NB_OK;
    }
    *out = part(c, base, step == FIELD ? field_of(e) : step == VALUE ? 1 : 0);
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status use(pruning *c, nb_expr *e);

/* Positions and keys that the steps of a path take. */
static nb_status
use_indices(pruning *c, nb_expr *e)
{
    for (; step_of(e) != NO_STEP; e = e->args[0]) {
        NB_TRY(use(c, e->args[1]));
    }
    return NB_OK;
}

/* IS NULL, size(): of values themselves nothing is used. */
static bool
asks_presence(const nb_expr *e)
{
    return e->kind == NB_EXPR_CALL && e->n_args == 1 &&
           (e->u.call.fn == nb_function_find(NB_STR("isnull")) ||
            e->u.call.fn == nb_function_find(NB_STR("isnotnull")) ||
            e->u.call.fn == nb_function_find(NB_STR("size")));
}

/* Notes what e takes out of tracked attributes. */
static nb_status
use(pruning *c, nb_expr *e)
{
    need *n;

    NB_TRY(need_of(c, e, &n));
    if (n != NULL) {
        want_all(n);
        return use_indices(c, e);
    }
    if (asks_presence(e)) {
        NB_TRY(need_of(c, e->args[0], &n));
        if (n != NULL) {
            return use_indices(c, e->args[0]);
        }
    }
    c->gives_up |= e->kind == NB_EXPR_SUBQUERY;
    for (int i = 0; i < e->n_args; i++) {
        NB_TRY(use(c, e->args[i]));
    }
    if (e->kind == NB_EXPR_AGG && e->u.agg.filter != NULL) {
        NB_TRY(use(c, e->u.agg.filter));
    }
    return e->kind == NB_EXPR_WINDOW ? use(c, e->u.window.fn) : NB_OK;
}

static nb_status
use_in_place(nb_expr **place, void *payload)
{
    return use(payload, *place);
}

/* only_visible: nobody gets the hidden ones. */
static void
use_outputs(pruning *c, const nb_plan *p, bool only_visible)
{
    for (int i = 0; i < p->n_attrs; i++) {
        need *n = find(c, p->attrs[i].id);
        if (n != NULL && !(only_visible && p->attrs[i].hidden)) {
            want_all(n);
        }
    }
}

/* Columns that go by are no use of them; another name for a part stands for its need. */
static nb_status
use_project(pruning *c, nb_plan *p)
{
    c->gives_up |= p->u.project.observed != NULL;
    for (int i = 0; i < p->n_attrs; i++) {
        nb_expr *e = p->u.project.exprs[i];
        need *n = NULL;
        if (e->kind == NB_EXPR_COLUMN) {
            continue;
        }
        if (e->kind == NB_EXPR_ALIAS) {
            NB_TRY(need_of(c, e->args[0], &n));
        }
        if (n != NULL && has_struct(n->type)) {
            NB_TRY(track(c, e->u.alias.attr, n));
            NB_TRY(use_indices(c, e->args[0]));
        } else {
            NB_TRY(use(c, e));
        }
    }
    return NB_OK;
}

/* Elements that a generator puts out stand for those of its argument. */
static nb_status
use_generate(pruning *c, nb_plan *p)
{
    const nb_attr *made = &p->attrs[p->n_attrs - p->u.generate.n_generated];
    nb_expr *arg = p->u.generate.args[0];
    bool positions = p->u.generate.kind == NB_GENERATE_POSEXPLODE;
    need *n = NULL, *elements;

    if (p->u.generate.n_args == 1 && p->u.generate.kind != NB_GENERATE_STACK) {
        NB_TRY(need_of(c, arg, &n));
    }
    if (n == NULL || n->children == NULL) {
        return nb_plan_each_expr(p, use_in_place, c);
    }
    NB_TRY(use_indices(c, arg));
    if (n->type->id == NB_TYPE_MAP) {
        return track(c, made[positions ? 2 : 1].id, part(c, n, 1));
    }
    elements = part(c, n, 0);
    if (elements == NULL || p->u.generate.kind != NB_GENERATE_INLINE) {
        return track(c, made[positions].id, elements);
    }
    for (int i = 0; i < elements->type->n_children; i++) {
        need *field = part(c, elements, i);
        NB_TRY(track(c, made[i].id, field));
    }
    return NB_OK;
}

/* Can the scan make this column without some of its fields? */
static bool
prunes(const nb_plan *scan, int i)
{
    const nb_relation *rel = scan->u.scan.relation;

    return has_struct(scan->attrs[i].type) &&
           (nb_relation_reads_fields(rel) ||
            scan->u.scan.columns[i] >= nb_relation_schema(rel)->n_children);
}

/* Most queries have no such column, and are left alone. */
static bool
may_prune(const nb_plan *p)
{
    for (int i = 0; i < p->n_attrs && p->kind == NB_PLAN_SCAN; i++) {
        if (prunes(p, i)) {
            return true;
        }
    }
    for (int i = 0; i < p->n_children; i++) {
        if (may_prune(p->children[i])) {
            return true;
        }
    }
    return false;
}

static nb_status
use_plan(pruning *c, nb_plan *p)
{
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(use_plan(c, p->children[i]));
    }
    switch (p->kind) {
    case NB_PLAN_SCAN:
        for (int i = 0; i < p->n_attrs; i++) {
            if (prunes(p, i)) {
                NB_TRY(track(c, p->attrs[i].id, need_new(c, p->attrs[i].type)));
            }
        }
        return NB_OK;
    case NB_PLAN_PROJECT: return use_project(c, p);
    case NB_PLAN_GENERATE: return use_generate(c, p);
    case NB_PLAN_FILTER:
    case NB_PLAN_SORT:
    case NB_PLAN_LIMIT:
    case NB_PLAN_TAIL:
    case NB_PLAN_JOIN:
    case NB_PLAN_EXCHANGE:
    case NB_PLAN_SAMPLE:
    case NB_PLAN_AGGREGATE:
    case NB_PLAN_WINDOW: return nb_plan_each_expr(p, use_in_place, c);
    default:
        for (int i = 0; i < p->n_children; i++) {
            use_outputs(c, p->children[i], false);
        }
        return nb_plan_each_expr(p, use_in_place, c);
    }
}

/* ---- narrower types -------------------------------------------------------------------------- */

/* The type of which only is asked whether a value is there. */
static const nb_type *
least(const nb_type *t)
{
    const nb_type *inner;

    if (t->id == NB_TYPE_STRUCT && t->n_children > 0) {
        nb_field first = t->children[0];
        first.type = least(first.type);
        return first.type ? nb_type_struct(&first, 1) : NULL;
    }
    if (t->id == NB_TYPE_ARRAY) {
        inner = least(t->children[0].type);
        return inner ? nb_type_array(inner, t->contains_null) : NULL;
    }
    return t;
}

/* NULL when out of memory. */
static const nb_type *
narrowed(pruning *c, const need *n)
{
    const nb_type *t = n->type, *inner;
    nb_field *fields;
    int count = 0;

    if (n->whole || n->children == NULL) {
        return t;
    }
    if (t->id != NB_TYPE_STRUCT) {
        const need *last = n->children[t->n_children - 1];
        inner = t->children[t->n_children - 1].type;
        inner = last ? narrowed(c, last) : least(inner);
        return inner == NULL            ? NULL
               : t->id == NB_TYPE_ARRAY ? nb_type_array(inner, t->contains_null)
                                        : nb_type_map(t->children[0].type, inner, t->contains_null);
    }
    fields = NB_ARENA_ARRAY(c->arena, nb_field, t->n_children);
    if (fields == NULL) {
        return NULL;
    }
    for (int i = 0; i < t->n_children; i++) {
        if (n->children[i] != NULL) {
            fields[count] = t->children[i];
            fields[count].type = narrowed(c, n->children[i]);
            if (fields[count++].type == NULL) {
                return NULL;
            }
        }
    }
    return count > 0 ? nb_type_struct(fields, count) : least(t);
}

/* Where field i of a struct is among those that stay. */
static int
new_place(const need *n, int i)
{
    int at = 0;

    for (int k = 0; k < i; k++) {
        at += n->whole || n->children == NULL || n->children[k] != NULL;
    }
    return at;
}

static nb_status narrow_expr(pruning *c, nb_expr *e, nb_expr **out);

static nb_status
narrow_call(pruning *c, const nb_expr *old, nb_expr *e)
{
    step_kind step = step_of(old);
    need *n, *base;

    NB_TRY(need_of(c, old, &n));
    if (n == NULL) {
        return NB_OK;
    }
    e->type = narrowed(c, n);
    if (e->type == NULL) {
        return NB_NOMEM;
    }
    if (step == FIELD || step == FIELD_OF_ELEMENTS) {
        int *place = NB_ARENA_NEW(c->arena, int);
        NB_TRY(need_of(c, old->args[0], &base));
        base = step == FIELD_OF_ELEMENTS ? part(c, base, 0) : base;
        if (place == NULL || base == NULL) {
            return NB_NOMEM;
        }
        *place = new_place(base, field_of(old));
        e->u.call.payload = place;
    }
    return NB_OK;
}

static nb_status
narrow_args(pruning *c, nb_expr *e, nb_expr **out)
{
    nb_expr **args = NB_ARENA_ARRAY(c->arena, nb_expr *, e->n_args + 1), *filter = NULL, *fn = NULL;
    bool changed = false;

    if (args == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < e->n_args; i++) {
        NB_TRY(narrow_expr(c, e->args[i], &args[i]));
        changed |= args[i] != e->args[i];
    }
    if (e->kind == NB_EXPR_AGG && e->u.agg.filter != NULL) {
        NB_TRY(narrow_expr(c, e->u.agg.filter, &filter));
        changed |= filter != e->u.agg.filter;
    } else if (e->kind == NB_EXPR_WINDOW) {
        NB_TRY(narrow_expr(c, e->u.window.fn, &fn));
        changed |= fn != e->u.window.fn;
    }
    if (!changed) {
        *out = e;
        return NB_OK;
    }
    *out = nb_expr_with_args(c->arena, e, args);
    if (*out == NULL) {
        return NB_NOMEM;
    }
    if (filter != NULL) {
        (*out)->u.agg.filter = filter;
    } else if (fn != NULL) {
        (*out)->u.window.fn = fn;
    }
    return NB_OK;
}

static nb_status
narrow_expr(pruning *c, nb_expr *e, nb_expr **out)
{
    if (e->kind == NB_EXPR_COLUMN) {
        const need *n = find(c, e->u.column.attr);
        const nb_type *type = n ? narrowed(c, n) : e->type;
        *out = type == e->type ? e : nb_expr_with_args(c->arena, e, NULL);
        if (type == NULL || *out == NULL) {
            return NB_NOMEM;
        }
        if (*out != e) {
            (*out)->type = type;
        }
        return NB_OK;
    }
    NB_TRY(narrow_args(c, e, out));
    if (*out == e) {
        return NB_OK;
    }
    if (e->kind == NB_EXPR_ALIAS) {
        (*out)->type = (*out)->args[0]->type;
        return NB_OK;
    }
    return e->kind == NB_EXPR_CALL ? narrow_call(c, e, *out) : NB_OK;
}

static nb_status
narrow_in_place(nb_expr **place, void *payload)
{
    return narrow_expr(payload, *place, place);
}

static nb_status
narrow_scan(pruning *c, nb_plan *p)
{
    nb_relation *rel = p->u.scan.relation;
    const nb_type **types = NB_ARENA_ARRAY(c->arena, const nb_type *, p->n_attrs + 1);
    bool changed = false;

    if (types == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < p->n_attrs; i++) {
        types[i] = p->attrs[i].type; /* narrowed already */
        changed |= types[i] != nb_relation_columns(rel)->children[p->u.scan.columns[i]].type;
    }
    for (int i = 0; i < p->u.scan.n_filters; i++) {
        NB_TRY(narrow_expr(c, p->u.scan.filters[i], &p->u.scan.filters[i]));
    }
    return changed ? nb_relation_narrow(rel, c->arena, p->u.scan.columns, types, p->n_attrs,
                                        &p->u.scan.relation)
                   : NB_OK;
}

static nb_status
narrow_plan(pruning *c, nb_plan *p)
{
    if (nb_attr_set_has(&c->seen, (uint64_t)(uintptr_t)p)) {
        return NB_OK;
    }
    NB_TRY(nb_attr_set_add(&c->seen, (uint64_t)(uintptr_t)p));
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(narrow_plan(c, p->children[i]));
    }
    for (int i = 0; i < p->n_attrs; i++) {
        const need *n = find(c, p->attrs[i].id);
        if (n != NULL) {
            p->attrs[i].type = narrowed(c, n);
            if (p->attrs[i].type == NULL) {
                return NB_NOMEM;
            }
        }
    }
    if (p->kind == NB_PLAN_WINDOW) { /* what it has may be shared */
        uint64_t spec = (uint64_t)(uintptr_t)p->u.window.spec;
        if (nb_attr_set_has(&c->seen, spec)) {
            for (int i = 0; i < p->u.window.n_functions; i++) {
                NB_TRY(narrow_in_place(&p->u.window.functions[i], c));
            }
            return NB_OK;
        }
        NB_TRY(nb_attr_set_add(&c->seen, spec));
    }
    NB_TRY(nb_plan_each_expr(p, narrow_in_place, c));
    return p->kind == NB_PLAN_SCAN ? narrow_scan(c, p) : NB_OK;
}

nb_status
nb_optimize_fields(nb_arena *arena, const nb_session_info *info, nb_plan *plan)
{
    pruning c = {.arena = arena, .seen = {.arena = arena}};
    bool any = false;

    if (!may_prune(plan) || !nb_config_bool(info->config, NB_CONF_NESTED_SCHEMA_PRUNING)) {
        return NB_OK;
    }
    NB_TRY(use_plan(&c, plan));
    use_outputs(&c, plan, true);
    for (int i = 0; i < c.n && !any; i++) {
        const nb_type *type = narrowed(&c, c.attrs[i].need);
        if (type == NULL) {
            return NB_NOMEM;
        }
        any = type != c.attrs[i].need->type;
    }
    return any && !c.gives_up ? narrow_plan(&c, plan) : NB_OK;
}
