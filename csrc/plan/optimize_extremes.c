/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimize_extremes.c: min, max and count over all rows of files that have written them down are read from there.
 *
 *     Aggregate([], [min(d), max(d), count(*)]) over Scan   becomes   Project([literal, literal, literal]) over Range(0, 1)
 *
 * Only when every aggregate of the node is such a one and nothing between it and the scan leaves rows out; io/relation.h says which bounds are certain.
 * Where nothing but rows is counted the scan stays: it reads no column.
 */
#include "plan/optimizer.h"

#include "expr/registry.h"
#include "io/relation.h"

/* The scan under projections; NULL: something else. */
static const nb_plan *
scan_below(const nb_plan *p)
{
    while (p->kind == NB_PLAN_PROJECT && p->u.project.observed == NULL) {
        p = p->children[0];
    }
    return p->kind == NB_PLAN_SCAN && p->u.scan.n_filters == 0 && p->u.scan.limit < 0 ? p : NULL;
}

/* The position in the relation's schema of what e is under p; -1: it is no column of the scan. */
static int
column_of(const nb_plan *p, const nb_expr *e)
{
    while (e->kind == NB_EXPR_COLUMN) {
        const nb_attr *a = nb_plan_find_attr(p, e->u.column.attr);
        if (a == NULL) {
            return -1;
        }
        if (p->kind == NB_PLAN_SCAN) {
            return p->u.scan.columns[a - p->attrs];
        }
        e = p->u.project.exprs[a - p->attrs];
        e = e->kind == NB_EXPR_ALIAS ? e->args[0] : e;
        p = p->children[0];
    }
    return -1;
}

static nb_expr *
literal_of(nb_arena *arena, const nb_type *type, int64_t v)
{
    nb_vector one = {.type = type, .kind = NB_VEC_CONST, .n_rows = 1, .data = &v};

    return nb_expr_literal(arena, &one); /* the low bytes come first */
}

/* The aggregate's value; *out is NULL when the files do not tell. *bounds: it took the bounds of a column. */
static nb_status
value_of(nb_arena *arena, const nb_plan *input, const nb_plan *scan, const nb_expr *agg,
         bool *bounds, nb_expr **out)
{
    const nb_relation *rel = scan->u.scan.relation;
    const nb_aggregate *fn = agg->u.agg.fn;
    bool is_count = fn == nb_aggregate_find(NB_STR("count"));
    bool is_min = fn == nb_aggregate_find(NB_STR("min")),
         is_max = fn == nb_aggregate_find(NB_STR("max"));
    const nb_expr *arg = agg->n_args > 0 ? agg->args[0] : NULL;
    int64_t rows = nb_relation_rows(rel);
    nb_column_bounds b;
    int column;

    *out = NULL;
    if (agg->u.agg.filter || agg->n_args > 1 || (!is_count && !is_min && !is_max) ||
        (is_count && (agg->u.agg.distinct || rows < 0)) || (!is_count && arg == NULL)) {
        return NB_OK;
    }
    if (is_count && (arg == NULL || (arg->kind == NB_EXPR_LITERAL &&
                                     !nb_vector_is_null(arg->u.literal.value, 0)))) {
        *out = nb_expr_int64(arena, rows);
        return *out ? NB_OK : NB_NOMEM;
    }
    column = column_of(input, arg);
    if (column < 0) {
        return NB_OK;
    }
    nb_relation_column_bounds(rel, column, &b);
    if (!b.exact) {
        return NB_OK;
    }
    *bounds = true;
    *out = is_count ? nb_expr_int64(arena, rows - b.n_nulls)
           : b.any  ? literal_of(arena, agg->type, is_min ? b.low : b.high)
                    : nb_expr_null(arena, agg->type);
    return *out ? NB_OK : NB_NOMEM;
}

/* A relation of one row. */
static nb_plan *
one_row(nb_arena *arena)
{
    nb_plan *p = nb_plan_new(arena, NB_PLAN_RANGE, 0, 1);

    if (p) {
        p->attrs[0] = (nb_attr){
            .id = nb_attr_next_id(), .name = NB_STR("id"), .type = nb_type_of(NB_TYPE_INT64)};
        p->u.range.end = p->u.range.step = p->u.range.n_partitions = 1;
    }
    return p;
}

static nb_status
replace(nb_arena *arena, nb_plan **plan)
{
    nb_plan *p = *plan, *made;
    const nb_plan *input = p->children[0], *scan = scan_below(input);
    nb_expr **exprs = NB_ARENA_ARRAY(arena, nb_expr *, p->n_attrs + 1);
    bool bounds = false;

    if (!exprs) {
        return NB_NOMEM;
    }
    for (int i = 0; i < p->u.aggregate.n_aggs && scan; i++) {
        const nb_expr *alias = p->u.aggregate.aggs[i];
        nb_expr *value = NULL;
        if (alias->kind == NB_EXPR_ALIAS && alias->args[0]->kind == NB_EXPR_AGG) {
            NB_TRY(value_of(arena, input, scan, alias->args[0], &bounds, &value));
        }
        if (!value) {
            return NB_OK;
        }
        exprs[i] = nb_expr_alias(arena, value, alias->u.alias.name, alias->u.alias.attr);
        if (!exprs[i]) {
            return NB_NOMEM;
        }
        exprs[i]->u.alias.metadata = alias->u.alias.metadata;
    }
    if (!bounds) {
        return NB_OK;
    }
    made = nb_plan_new(arena, NB_PLAN_PROJECT, 1, p->n_attrs);
    if (!made) {
        return NB_NOMEM;
    }
    made->children[0] = one_row(arena);
    if (!made->children[0]) {
        return NB_NOMEM;
    }
    memcpy(made->attrs, p->attrs, sizeof(nb_attr) * (size_t)p->n_attrs);
    made->u.project.exprs = exprs;
    made->plan_id = p->plan_id;
    *plan = made;
    return NB_OK;
}

nb_status
nb_optimize_extremes(nb_arena *arena, nb_plan **plan)
{
    for (int i = 0; i < (*plan)->n_children; i++) {
        NB_TRY(nb_optimize_extremes(arena, &(*plan)->children[i]));
    }
    return (*plan)->kind == NB_PLAN_AGGREGATE && (*plan)->u.aggregate.n_keys == 0
               ? replace(arena, plan)
               : NB_OK;
}
