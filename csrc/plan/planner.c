/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planner.c: one function per logical node.
 *
 * Sizes (plan/statistics.h) choose build sides here, nothing else.
 */
#include "plan/planner.h"
#include "plan/optimizer.h"
#include "plan/rollup.h"
#include "plan/share.h"
#include "plan/statistics.h"

#define MOST_GUESSES 10 /* joins one over another, after which estimates are no worse */
#define FEW_BUILT    4096

#define ROLLUP_LEAST \
    4 /* rows per group, from which on they are grouped before sets are made of them */
#define TOPN_MAX 100000 /* beyond, a full sort and a limit use less memory per row kept */

typedef struct planner {
    const nb_planner_config *cfg;
    nb_arena *arena;
    nb_stats *stats;
    int next_id;
} planner;

static nb_status build(planner *pl, nb_plan *p, nb_node **out, nb_error *err);

static const nb_type *
schema_of(nb_arena *arena, const nb_attr *attrs, int n)
{
    nb_field *fields = NB_ARENA_ARRAY(arena, nb_field, n + 1);

    for (int i = 0; fields && i < n; i++) {
        fields[i] = (nb_field){attrs[i].name, attrs[i].type, attrs[i].nullable, attrs[i].metadata};
    }
    return fields ? nb_type_struct(fields, n) : NULL;
}

static nb_status
node_new(planner *pl, nb_node_kind kind, const nb_plan *p, int n_children, nb_node **out)
{
    nb_node *n = NB_ARENA_NEW(pl->arena, nb_node);

    if (!n) {
        return NB_NOMEM;
    }
    n->kind = kind;
    n->id = pl->next_id++;
    n->est_rows = nb_stats_rows(pl->stats, p);
    n->n_children = n_children;
    n->children = NB_ARENA_ARRAY(pl->arena, nb_node *, n_children + 1);
    n->metrics = NB_ARENA_NEW(pl->arena, nb_node_metrics);
    n->schema = schema_of(pl->arena, p->attrs, p->n_attrs);
    *out = n;
    return n->children && n->metrics && n->schema ? NB_OK : NB_NOMEM;
}

static uint64_t *
ids_of(planner *pl, const nb_plan *p)
{
    uint64_t *ids = NB_ARENA_ARRAY(pl->arena, uint64_t, p->n_attrs + 1);

    for (int i = 0; ids && i < p->n_attrs; i++) {
        ids[i] = p->attrs[i].id;
    }
    return ids;
}

/* Binds n expressions to the columns of child; names go. */
static nb_status
bind_list(planner *pl, const nb_plan *child, nb_expr *const *exprs, int n, nb_expr ***out,
          nb_error *err)
{
    uint64_t *ids = ids_of(pl, child);
    nb_expr **list = NB_ARENA_ARRAY(pl->arena, nb_expr *, n + 1);

    if (!ids || !list) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        const nb_expr *e = exprs[i]->kind == NB_EXPR_ALIAS ? exprs[i]->args[0] : exprs[i];
        NB_TRY(nb_expr_bind_ordinals(pl->arena, e, ids, child->n_attrs, &list[i], err));
    }
    *out = list;
    return NB_OK;
}

static nb_status
bind_keys(planner *pl, const nb_plan *child, const nb_sort_key *keys, int n, nb_sort_key **out,
          nb_error *err)
{
    uint64_t *ids = ids_of(pl, child);
    nb_sort_key *list = NB_ARENA_ARRAY(pl->arena, nb_sort_key, n + 1);

    if (!ids || !list) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        list[i] = keys[i];
        NB_TRY(nb_expr_bind_ordinals(pl->arena, keys[i].expr, ids, child->n_attrs, &list[i].expr,
                                     err));
    }
    *out = list;
    return NB_OK;
}

static nb_status
build_children(planner *pl, nb_plan *p, nb_node *n, nb_error *err)
{
    for (int i = 0; i < p->n_children; i++) {
        NB_TRY(build(pl, p->children[i], &n->children[i], err));
    }
    return NB_OK;
}

/* ---- leaves ---- */

static nb_status
table_node(planner *pl, nb_plan *p, nb_table *table, int *columns, nb_node **out)
{
    nb_node *n;

    NB_TRY(node_new(pl, NB_NODE_TABLE, p, 0, &n));
    n->u.table.table = table;
    n->u.table.columns = columns;
    n->u.table.limit = -1;
    n->est_rows = (double)table->n_rows;
    *out = n;
    return NB_OK;
}

/* Columns of a materialised relation: attributes of `leaf` looked up among those of `inner`, which the table has in order. */
static nb_status
made_table(planner *pl, nb_plan *leaf, const nb_plan *inner, nb_table *table, nb_node **out,
           nb_error *err)
{
    int *columns = NB_ARENA_ARRAY(pl->arena, int, leaf->n_attrs + 1);

    if (!columns) {
        return NB_NOMEM;
    }
    for (int i = 0; i < leaf->n_attrs; i++) {
        int at = -1, visible = 0;
        for (int k = 0; k < inner->n_attrs; k++) {
            if (inner->attrs[k].id == leaf->attrs[i].id) {
                at = visible;
            }
            visible += !inner->attrs[k].hidden;
        }
        if (at < 0) {
            return nb_raise_internal(err, "a cached column is missing");
        }
        columns[i] = at;
    }
    return table_node(pl, leaf, table, columns, out);
}

static nb_status
build_scan(planner *pl, nb_plan *p, nb_node **out, nb_error *err)
{
    const nb_type *schema = nb_relation_columns(p->u.scan.relation);
    nb_node *n;
    nb_plan full = *p; /* hints are bound to positions among the relation's columns */

    NB_TRY(node_new(pl, NB_NODE_SCAN, p, 0, &n));
    n->u.scan.relation = p->u.scan.relation;
    n->u.scan.columns = p->u.scan.columns;
    n->u.scan.limit = p->u.scan.limit;
    full.n_attrs = schema->n_children;
    full.attrs = NB_ARENA_ARRAY(pl->arena, nb_attr, full.n_attrs + 1);
    n->u.scan.filters = NB_ARENA_ARRAY(pl->arena, nb_expr *, p->u.scan.n_filters + 1);
    if (!full.attrs || !n->u.scan.filters) {
        return NB_NOMEM;
    }
    memset(full.attrs, 0, sizeof(nb_attr) * (size_t)(full.n_attrs + 1));
    for (int i = 0; i < p->n_attrs; i++) {
        full.attrs[p->u.scan.columns[i]] = p->attrs[i];
    }
    for (int i = 0; i < p->u.scan.n_filters; i++) {
        nb_attr_set have = {.arena = pl->arena};
        nb_expr **bound;
        NB_TRY(nb_attr_set_add_plan(&have, p));
        if (nb_attr_set_covers(&have, p->u.scan.filters[i])) {
            NB_TRY(bind_list(pl, &full, &p->u.scan.filters[i], 1, &bound, err));
            n->u.scan.filters[n->u.scan.n_filters++] = bound[0];
        }
    }
    *out = n;
    return NB_OK;
}

static nb_status
build_range(planner *pl, nb_plan *p, nb_node **out)
{
    nb_node *n;

    NB_TRY(node_new(pl, NB_NODE_RANGE, p, 0, &n));
    n->u.range.start = p->u.range.start;
    n->u.range.end = p->u.range.end;
    n->u.range.step = p->u.range.step;
    n->u.range.n_partitions = p->u.range.n_partitions;
    *out = n;
    return NB_OK;
}

/* ---- joins ---- */

typedef struct join_parts {
    nb_expr **left, **right, **rest;
    bool *null_safe;
    int n_keys, n_rest;
} join_parts;

static nb_status
split_condition(planner *pl, nb_plan *p, join_parts *j)
{
    nb_attr_set sides[2] = {{.arena = pl->arena}, {.arena = pl->arena}};
    nb_expr **list = NULL;
    int n = 0, cap = 0;
    const nb_function *equal = nb_function_find(NB_STR("=")),
                      *null_safe = nb_function_find(NB_STR("<=>"));

    NB_TRY(nb_attr_set_add_plan(&sides[0], p->children[0]));
    NB_TRY(nb_attr_set_add_plan(&sides[1], p->children[1]));
    if (p->u.join.condition) {
        NB_TRY(nb_split_conjuncts(pl->arena, p->u.join.condition, &list, &n, &cap));
    }
    j->left = NB_ARENA_ARRAY(pl->arena, nb_expr *, n + 1);
    j->right = NB_ARENA_ARRAY(pl->arena, nb_expr *, n + 1);
    j->rest = NB_ARENA_ARRAY(pl->arena, nb_expr *, n + 1);
    j->null_safe = NB_ARENA_ARRAY(pl->arena, bool, n + 1);
    if (!j->left || !j->right || !j->rest || !j->null_safe) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        nb_expr *e = list[i];
        if (e->kind == NB_EXPR_CALL && e->n_args == 2 &&
            (e->u.call.fn == equal || e->u.call.fn == null_safe) && e->deterministic &&
            e->args[0]->type == e->args[1]->type) {
            for (int flip = 0; flip < 2; flip++) {
                nb_attr_set some = {.arena = pl->arena};
                NB_TRY(nb_attr_set_add_expr(&some, e->args[flip]));
                if (some.n && nb_attr_set_covers(&sides[0], e->args[flip]) &&
                    nb_attr_set_covers(&sides[1], e->args[1 - flip])) {
                    nb_attr_set other = {.arena = pl->arena};
                    NB_TRY(nb_attr_set_add_expr(&other, e->args[1 - flip]));
                    if (other.n) {
                        j->left[j->n_keys] = e->args[flip];
                        j->right[j->n_keys] = e->args[1 - flip];
                        j->null_safe[j->n_keys++] = e->u.call.fn == null_safe;
                        e = NULL;
                        break;
                    }
                }
            }
        }
        if (e) {
            j->rest[j->n_rest++] = e;
        }
    }
    return NB_OK;
}

/* Joins whose estimates that of n rests on. */
static int
count_guesses(const nb_node *n)
{
    int guesses = n->kind == NB_NODE_JOIN;

    for (int i = 0; i < n->n_children && n->kind != NB_NODE_AGGREGATE; i++) {
        guesses += count_guesses(n->children[i]);
    }
    return NB_MIN(guesses, MOST_GUESSES);
}

/* Of two sides of an inner join, is the left one the better to be built? Each join may give twice of what was thought: columns that go together, and values that are
 * frequent on both sides, make the rows after several joins more than estimated, often by orders of magnitude. Few rows of one filtered table are
 * a table for certain, whose keys scans of the other side learn of. */
static bool
inner_builds_left(const nb_node *left, const nb_node *right)
{
    double l = left->est_rows, r = right->est_rows;
    int of_left = count_guesses(left), of_right = count_guesses(right);

    if (of_left > 0 && of_right == 0 && r < FEW_BUILT) {
        l = NB_MAX(l, 1.0) * (double)(1 << of_left);
    } else if (of_right > 0 && of_left == 0 && l < FEW_BUILT) {
        r = NB_MAX(r, 1.0) * (double)(1 << of_right);
    }
    return l < r;
}

/* The smaller side goes into the table. Where the other choice must look for rows without a match at the end, it has to be clearly smaller. */
static bool
builds_left(const nb_node *n)
{
    double l = n->children[0]->est_rows, r = n->children[1]->est_rows;

    switch (n->u.join.type) {
    case NB_JOIN_INNER: return inner_builds_left(n->children[0], n->children[1]);
    case NB_JOIN_CROSS: return l < r;
    case NB_JOIN_LEFT:
    case NB_JOIN_FULL: return l * 1.5 < r;
    case NB_JOIN_SEMI:
    case NB_JOIN_ANTI: return !n->u.join.null_aware && n->u.join.n_keys > 0 && l * 2 < r;
    case NB_JOIN_RIGHT: return l < r * 1.5;
    default: return false;
    }
}

static nb_status
build_join(planner *pl, nb_plan *p, nb_node **out, nb_error *err)
{
    join_parts j = {0};
    nb_node *n;
    nb_plan both = {0};
    nb_expr *rest, **bound;

    NB_TRY(split_condition(pl, p, &j));
    NB_TRY(node_new(pl, NB_NODE_JOIN, p, 2, &n));
    NB_TRY(build_children(pl, p, n, err));
    n->u.join.type =
        p->u.join.type == NB_JOIN_CROSS && p->u.join.condition ? NB_JOIN_INNER : p->u.join.type;
    n->u.join.n_keys = j.n_keys;
    n->u.join.null_safe = j.null_safe;
    n->u.join.null_aware = p->u.join.null_aware;
    if (n->u.join.null_aware && j.n_keys != 1) {
        return nb_raise_internal(err, "NOT IN without one column to look up");
    }
    NB_TRY(bind_list(pl, p->children[0], j.left, j.n_keys, &n->u.join.left_keys, err));
    NB_TRY(bind_list(pl, p->children[1], j.right, j.n_keys, &n->u.join.right_keys, err));
    NB_TRY(nb_join_conjuncts(pl->arena, j.rest, j.n_rest, &rest));
    if (rest) {
        both.n_attrs = p->children[0]->n_attrs + p->children[1]->n_attrs;
        both.attrs = NB_ARENA_ARRAY(pl->arena, nb_attr, both.n_attrs + 1);
        if (!both.attrs) {
            return NB_NOMEM;
        }
        memcpy(both.attrs, p->children[0]->attrs,
               sizeof(nb_attr) * (size_t)p->children[0]->n_attrs);
        memcpy(both.attrs + p->children[0]->n_attrs, p->children[1]->attrs,
               sizeof(nb_attr) * (size_t)p->children[1]->n_attrs);
        NB_TRY(bind_list(pl, &both, &rest, 1, &bound, err));
        n->u.join.residual = bound[0];
    }
    n->u.join.build_left = builds_left(n);
    *out = n;
    return NB_OK;
}

/* ---- the rest ---- */

static nb_status
build_limit(planner *pl, nb_plan *p, nb_node **out, nb_error *err)
{
    nb_plan *child = p->children[0];
    int64_t limit = p->u.limit.limit, offset = p->u.limit.offset;
    nb_node *n;

    /* offset and limit are two nodes in a message: take both at once */
    if (child->kind == NB_PLAN_LIMIT && limit >= 0 && offset == 0 && child->u.limit.limit < 0) {
        offset = child->u.limit.offset;
        child = child->children[0];
    }
    if (child->kind == NB_PLAN_SORT && child->u.sort.global && limit >= 0 &&
        limit + offset <= TOPN_MAX) {
        NB_TRY(node_new(pl, NB_NODE_TOPN, p, 1, &n));
        NB_TRY(build(pl, child->children[0], &n->children[0], err));
        NB_TRY(bind_keys(pl, child->children[0], child->u.sort.keys, child->u.sort.n_keys,
                         &n->u.sort.keys, err));
        n->u.sort.n_keys = child->u.sort.n_keys;
        n->u.sort.global = true;
        n->u.sort.limit = limit;
        n->u.sort.offset = offset;
    } else {
        NB_TRY(node_new(pl, NB_NODE_LIMIT, p, 1, &n));
        NB_TRY(build(pl, child, &n->children[0], err));
        n->u.limit.limit = limit;
        n->u.limit.offset = offset;
    }
    *out = n;
    return NB_OK;
}

static nb_status
build_generate(planner *pl, nb_plan *p, nb_node **out, nb_error *err)
{
    nb_plan *child = p->children[0];
    nb_node *n;

    NB_TRY(node_new(pl, NB_NODE_GENERATE, p, 1, &n));
    NB_TRY(build_children(pl, p, n, err));
    n->u.generate.kind = p->u.generate.kind;
    n->u.generate.outer = p->u.generate.outer;
    n->u.generate.n_args = p->u.generate.n_args;
    NB_TRY(
        bind_list(pl, child, p->u.generate.args, p->u.generate.n_args, &n->u.generate.args, err));
    n->u.generate.n_keep = p->n_attrs - p->u.generate.n_generated;
    n->u.generate.keep = NB_ARENA_ARRAY(pl->arena, int, n->u.generate.n_keep + 1);
    if (!n->u.generate.keep) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n->u.generate.n_keep; i++) {
        const nb_attr *a = nb_plan_find_attr(child, p->attrs[i].id);
        if (!a) {
            return nb_raise_internal(err, "a column under a generator is missing");
        }
        n->u.generate.keep[i] = (int)(a - child->attrs);
    }
    *out = n;
    return NB_OK;
}

static nb_status
build_window(planner *pl, nb_plan *p, nb_node **out, nb_error *err)
{
    nb_plan *child = p->children[0];
    nb_node *n;
    const nb_window_spec *spec = p->u.window.spec;

    NB_TRY(node_new(pl, NB_NODE_WINDOW, p, 1, &n));
    NB_TRY(build_children(pl, p, n, err));
    NB_TRY(bind_list(pl, child, spec->partition_by, spec->n_partition_by, &n->u.window.partition_by,
                     err));
    n->u.window.n_partition_by = spec->n_partition_by;
    NB_TRY(bind_keys(pl, child, spec->order_by, spec->n_order_by, &n->u.window.order_by, err));
    n->u.window.n_order_by = spec->n_order_by;
    NB_TRY(bind_list(pl, child, p->u.window.functions, p->u.window.n_functions,
                     &n->u.window.functions, err));
    n->u.window.n_functions = p->u.window.n_functions;
    n->u.window.limit = p->u.window.limit;
    n->u.window.limits_values = p->u.window.limits_values;
    *out = n;
    return NB_OK;
}

/* Are the filters of the scan below the conjuncts of the FILTER? */
static nb_status
match_scan(planner *pl, const nb_plan *filter, nb_node *n)
{
    const nb_plan *scan = filter->children[0];
    nb_expr **list = NULL;
    int count = 0, cap = 0;
    bool all;

    if (scan->kind != NB_PLAN_SCAN) {
        return NB_OK;
    }
    NB_TRY(nb_split_conjuncts(pl->arena, filter->u.filter.condition, &list, &count, &cap));
    all = count == scan->u.scan.n_filters && count == n->children[0]->u.scan.n_filters;
    for (int i = 0; i < count && all; i++) {
        all = nb_expr_equal(list[i], scan->u.scan.filters[i]);
    }
    n->u.filter.is_scans = all;
    return NB_OK;
}

/* Grouping sets over groups, where these are few beside the rows. */
static nb_status
build_rollup(planner *pl, const nb_plan *p, nb_node *n, nb_error *err)
{
    const nb_plan *expand = p->children[0];
    int n_keys = p->u.aggregate.n_keys, n_sets = expand->u.expand.n_projections, n_all = 0;
    nb_expr **all = NB_ARENA_ARRAY(pl->arena, nb_expr *, (int64_t)n_keys * n_sets + 1);
    double rows = nb_stats_rows(pl->stats, expand->children[0]), groups;

    if (!all) {
        return NB_NOMEM;
    }
    for (int k = 0; k < n_keys; k++) {
        const nb_expr *key = p->u.aggregate.keys[k];
        const nb_attr *a =
            key->kind == NB_EXPR_COLUMN ? nb_plan_find_attr(expand, key->u.column.attr) : NULL;
        bool known = false;
        for (int s = 0; s < n_sets && a && !known; s++) { /* its value, in the sets that have it */
            nb_expr *e = expand->u.expand.projections[s][a - expand->attrs];
            known = e->kind != NB_EXPR_LITERAL;
            if (known) {
                all[n_all++] = e;
            }
        }
    }
    groups = nb_stats_groups(pl->stats, all, n_all, rows);
    return groups * ROLLUP_LEAST < rows ? nb_rollup_groups(pl->arena, n, groups, &pl->next_id, err)
                                        : NB_OK;
}

typedef struct misplaced {
    planner *pl;
    nb_error *err;
    nb_expr *found;
} misplaced;

static bool
is_of_a_row(nb_expr *e, void *payload)
{
    misplaced *m = payload;

    if (e->kind == NB_EXPR_AGG || e->kind == NB_EXPR_WINDOW) {
        m->found = e;
    }
    return m->found == NULL;
}

/* ORDER BY count(*) where there are no groups: no value of a row. */
static nb_status
refuse_misplaced(nb_expr **place, void *payload)
{
    misplaced *m = payload;

    if (nb_expr_visit(*place, is_of_a_row, m)) {
        return NB_OK;
    }
    return nb_expr_raise_misplaced(m->pl->arena, m->found, m->err);
}

static nb_status
build(planner *pl, nb_plan *p, nb_node **out, nb_error *err)
{
    misplaced m = {pl, err, NULL};
    nb_node *n;
    nb_table *table;

    if (p->kind == NB_PLAN_SORT || p->kind == NB_PLAN_JOIN || p->kind == NB_PLAN_EXCHANGE ||
        p->kind == NB_PLAN_FILTER) {
        NB_TRY(nb_plan_each_expr(p, refuse_misplaced, &m));
    }
    switch (p->kind) {
    case NB_PLAN_TABLE: return table_node(pl, p, p->u.table.table, p->u.table.columns, out);
    case NB_PLAN_RANGE: return build_range(pl, p, out);
    case NB_PLAN_SCAN: return build_scan(pl, p, out, err);
    case NB_PLAN_ALIAS: return build(pl, p->children[0], out, err);
    case NB_PLAN_CACHED:
        NB_TRY(pl->cfg->cached(pl->cfg->payload, p, &table, err));
        return made_table(pl, p, p->children[0], table, out, err);
    case NB_PLAN_FILTER: {
        nb_expr **bound;
        NB_TRY(node_new(pl, NB_NODE_FILTER, p, 1, &n));
        NB_TRY(build_children(pl, p, n, err));
        NB_TRY(bind_list(pl, p->children[0], &p->u.filter.condition, 1, &bound, err));
        n->u.filter.condition = bound[0];
        NB_TRY(match_scan(pl, p, n));
        break;
    }
    case NB_PLAN_PROJECT:
        NB_TRY(node_new(pl, NB_NODE_PROJECT, p, 1, &n));
        NB_TRY(build_children(pl, p, n, err));
        NB_TRY(bind_list(pl, p->children[0], p->u.project.exprs, p->n_attrs, &n->u.project.exprs,
                         err));
        NB_TRY(nb_node_mark_unread(pl->arena, n));
        break;
    case NB_PLAN_AGGREGATE:
        NB_TRY(node_new(pl, NB_NODE_AGGREGATE, p, 1, &n));
        NB_TRY(build_children(pl, p, n, err));
        NB_TRY(bind_list(pl, p->children[0], p->u.aggregate.keys, p->u.aggregate.n_keys,
                         &n->u.aggregate.keys, err));
        NB_TRY(bind_list(pl, p->children[0], p->u.aggregate.aggs, p->u.aggregate.n_aggs,
                         &n->u.aggregate.aggs, err));
        n->u.aggregate.n_keys = p->u.aggregate.n_keys;
        n->u.aggregate.n_aggs = p->u.aggregate.n_aggs;
        NB_TRY(nb_node_mark_unread(pl->arena, n));
        if (pl->cfg->in_process && p->children[0]->kind == NB_PLAN_EXPAND) {
            NB_TRY(build_rollup(pl, p, n, err));
        }
        break;
    case NB_PLAN_SORT:
        NB_TRY(node_new(pl, NB_NODE_SORT, p, 1, &n));
        NB_TRY(build_children(pl, p, n, err));
        NB_TRY(
            bind_keys(pl, p->children[0], p->u.sort.keys, p->u.sort.n_keys, &n->u.sort.keys, err));
        n->u.sort.n_keys = p->u.sort.n_keys;
        n->u.sort.global = p->u.sort.global;
        n->u.sort.limit = -1;
        break;
    case NB_PLAN_LIMIT: return build_limit(pl, p, out, err);
    case NB_PLAN_TAIL:
        NB_TRY(node_new(pl, NB_NODE_TAIL, p, 1, &n));
        NB_TRY(build_children(pl, p, n, err));
        n->u.limit.limit = p->u.limit.limit;
        break;
    case NB_PLAN_JOIN: return build_join(pl, p, out, err);
    case NB_PLAN_UNION:
        NB_TRY(node_new(pl, NB_NODE_UNION, p, p->n_children, &n));
        NB_TRY(build_children(pl, p, n, err));
        break;
    case NB_PLAN_EXCHANGE:
        NB_TRY(node_new(pl, NB_NODE_EXCHANGE, p, 1, &n));
        NB_TRY(build_children(pl, p, n, err));
        n->u.exchange.kind = p->u.exchange.kind;
        n->u.exchange.n_keys = p->u.exchange.n_keys;
        n->u.exchange.n_partitions = p->u.exchange.n_partitions;
        NB_TRY(bind_list(pl, p->children[0], p->u.exchange.keys, p->u.exchange.n_keys,
                         &n->u.exchange.keys, err));
        NB_TRY(bind_keys(pl, p->children[0], p->u.exchange.order, p->u.exchange.n_keys,
                         &n->u.exchange.order, err));
        break;
    case NB_PLAN_SAMPLE:
        NB_TRY(node_new(pl, NB_NODE_SAMPLE, p, 1, &n));
        NB_TRY(build_children(pl, p, n, err));
        n->u.sample.lower = p->u.sample.lower;
        n->u.sample.upper = p->u.sample.upper;
        n->u.sample.with_replacement = p->u.sample.with_replacement;
        n->u.sample.seed = p->u.sample.seed;
        break;
    case NB_PLAN_GENERATE: return build_generate(pl, p, out, err);
    case NB_PLAN_WINDOW: return build_window(pl, p, out, err);
    case NB_PLAN_EXPAND:
        NB_TRY(node_new(pl, NB_NODE_EXPAND, p, 1, &n));
        NB_TRY(build_children(pl, p, n, err));
        n->u.expand.n_projections = p->u.expand.n_projections;
        n->u.expand.projections = NB_ARENA_ARRAY(pl->arena, nb_expr **, p->u.expand.n_projections);
        if (!n->u.expand.projections) {
            return NB_NOMEM;
        }
        for (int i = 0; i < p->u.expand.n_projections; i++) {
            NB_TRY(bind_list(pl, p->children[0], p->u.expand.projections[i], p->n_attrs,
                             &n->u.expand.projections[i], err));
        }
        break;
    default: return nb_raise_internal(err, "no physical node for logical kind %d", (int)p->kind);
    }
    *out = n;
    return NB_OK;
}

/* Does the plan put out exactly its visible columns? Else a projection goes on top. */
static nb_status
only_visible(planner *pl, nb_plan **plan)
{
    nb_plan *p = *plan, *project;
    int n = 0;

    for (int i = 0; i < p->n_attrs; i++) {
        n += !p->attrs[i].hidden;
    }
    if (n == p->n_attrs) {
        return NB_OK;
    }
    project = nb_plan_new(pl->arena, NB_PLAN_PROJECT, 1, n);
    if (!project) {
        return NB_NOMEM;
    }
    project->children[0] = p;
    project->u.project.exprs = NB_ARENA_ARRAY(pl->arena, nb_expr *, n + 1);
    if (!project->u.project.exprs) {
        return NB_NOMEM;
    }
    n = 0;
    for (int i = 0; i < p->n_attrs; i++) {
        if (!p->attrs[i].hidden) {
            project->attrs[n] = p->attrs[i];
            project->u.project.exprs[n] = nb_attr_expr(pl->arena, &p->attrs[i]);
            if (!project->u.project.exprs[n]) {
                return NB_NOMEM;
            }
            n++;
        }
    }
    *plan = project;
    return NB_OK;
}

nb_status
nb_plan_physical(const nb_planner_config *config, nb_plan *plan, nb_node **out, nb_error *err)
{
    planner pl = {.cfg = config, .arena = config->arena, .stats = nb_stats_new(config->arena)};

    if (!pl.stats) {
        return NB_NOMEM;
    }

    NB_TRY(only_visible(&pl, &plan));
    NB_TRY(build(&pl, plan, out, err));
    return nb_share_subplans(config->arena, out, &pl.next_id);
}
