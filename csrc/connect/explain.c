/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain.c: df.explain(): logical and physical plans as indented trees, under Spark's headings.
 *
 * Operators carry Spark's names where they do the same; what they print behind the name is ours.
 */
#include <stdio.h>
#include "connect/query.h"
#include "plan/optimizer.h"

static const char *const logical_names[NB_N_PLANS] = {
    [NB_PLAN_TABLE] = "LocalRelation", [NB_PLAN_RANGE] = "Range",
    [NB_PLAN_SCAN] = "Relation",       [NB_PLAN_FILTER] = "Filter",
    [NB_PLAN_PROJECT] = "Project",     [NB_PLAN_AGGREGATE] = "Aggregate",
    [NB_PLAN_SORT] = "Sort",           [NB_PLAN_LIMIT] = "GlobalLimit",
    [NB_PLAN_TAIL] = "Tail",           [NB_PLAN_JOIN] = "Join",
    [NB_PLAN_UNION] = "Union",         [NB_PLAN_EXCHANGE] = "Repartition",
    [NB_PLAN_SAMPLE] = "Sample",       [NB_PLAN_GENERATE] = "Generate",
    [NB_PLAN_WINDOW] = "Window",       [NB_PLAN_EXPAND] = "Expand",
    [NB_PLAN_ALIAS] = "SubqueryAlias", [NB_PLAN_CACHED] = "InMemoryRelation",
};

static const char *const join_names[] = {"Inner",         "LeftOuter", "RightOuter",
                                         "FullOuter",     "LeftSemi",  "LeftAnti",
                                         "ExistenceJoin", "Cross",     "LeftSingle"};

static void
indent(nb_strbuf *out, int depth)
{
    if (depth > 0) {
        nb_strbuf_fill(out, ' ', (size_t)(depth - 1) * 3);
        nb_strbuf_adds(out, "+- ");
    }
}

static void
add_exprs(nb_strbuf *out, nb_arena *arena, nb_expr *const *list, int n)
{
    nb_strbuf_addc(out, '[');
    for (int i = 0; i < n; i++) {
        const char *sql = nb_expr_sql(arena, list[i], true);
        nb_strbuf_addf(out, "%s%s", i ? ", " : "", sql ? sql : "");
    }
    nb_strbuf_addc(out, ']');
}

static void
add_keys(nb_strbuf *out, nb_arena *arena, const nb_sort_key *keys, int n)
{
    nb_strbuf_addc(out, '[');
    for (int i = 0; i < n; i++) {
        const char *sql = nb_expr_sql(arena, keys[i].expr, true);
        nb_strbuf_addf(out, "%s%s %s NULLS %s", i ? ", " : "", sql ? sql : "",
                       keys[i].descending ? "DESC" : "ASC", keys[i].nulls_last ? "LAST" : "FIRST");
    }
    nb_strbuf_addc(out, ']');
}

static void
add_attrs(nb_strbuf *out, const nb_plan *p)
{
    nb_strbuf_addc(out, '[');
    for (int i = 0, n = 0; i < p->n_attrs; i++) {
        if (!p->attrs[i].hidden) {
            nb_strbuf_addf(out, "%s%.*s#%llu", n++ ? ", " : "", (int)p->attrs[i].name.len,
                           p->attrs[i].name.data, (unsigned long long)p->attrs[i].id);
        }
    }
    nb_strbuf_addc(out, ']');
}

static void
add_logical(nb_strbuf *out, nb_arena *arena, const nb_plan *p, int depth)
{
    indent(out, depth);
    nb_strbuf_addf(out, "%s ", logical_names[p->kind]);
    switch (p->kind) {
    case NB_PLAN_FILTER: {
        const char *sql = nb_expr_sql(arena, p->u.filter.condition, true);
        nb_strbuf_adds(out, sql ? sql : "");
        break;
    }
    case NB_PLAN_PROJECT: add_exprs(out, arena, p->u.project.exprs, p->n_attrs); break;
    case NB_PLAN_AGGREGATE:
        add_exprs(out, arena, p->u.aggregate.keys, p->u.aggregate.n_keys);
        nb_strbuf_adds(out, ", ");
        add_exprs(out, arena, p->u.aggregate.aggs, p->u.aggregate.n_aggs);
        break;
    case NB_PLAN_SORT:
        add_keys(out, arena, p->u.sort.keys, p->u.sort.n_keys);
        nb_strbuf_adds(out, p->u.sort.global ? ", true" : ", false");
        break;
    case NB_PLAN_LIMIT:
    case NB_PLAN_TAIL:
        nb_strbuf_addf(out, "%lld", (long long)p->u.limit.limit);
        if (p->u.limit.offset) {
            nb_strbuf_addf(out, " offset %lld", (long long)p->u.limit.offset);
        }
        break;
    case NB_PLAN_JOIN:
        nb_strbuf_adds(out, join_names[p->u.join.type]);
        if (p->u.join.condition) {
            const char *sql = nb_expr_sql(arena, p->u.join.condition, true);
            nb_strbuf_addf(out, ", %s", sql ? sql : "");
        }
        break;
    case NB_PLAN_SCAN: {
        nb_str format = nb_relation_format(p->u.scan.relation);
        add_attrs(out, p);
        nb_strbuf_addf(out, " %.*s", (int)format.len, format.data);
        break;
    }
    case NB_PLAN_RANGE:
        nb_strbuf_addf(out, "(%lld, %lld, step=%lld, splits=%d)", (long long)p->u.range.start,
                       (long long)p->u.range.end, (long long)p->u.range.step,
                       p->u.range.n_partitions);
        break;
    case NB_PLAN_WINDOW:
        add_exprs(out, arena, p->u.window.functions, p->u.window.n_functions);
        break;
    case NB_PLAN_ALIAS:
        for (int i = 0; i < p->u.alias.n_name; i++) {
            nb_strbuf_addf(out, "%s%.*s", i ? "." : "", (int)p->u.alias.name[i].len,
                           p->u.alias.name[i].data);
        }
        break;
    default: add_attrs(out, p); break;
    }
    nb_strbuf_addc(out, '\n');
    for (int i = 0; i < p->n_children; i++) {
        add_logical(out, arena, p->children[i], depth + 1);
    }
}

void
nb_node_text(nb_strbuf *out, nb_arena *arena, const nb_node *n)
{
    nb_strbuf_addf(out, "%s ", nb_node_name(n->kind));
    switch (n->kind) {
    case NB_NODE_FILTER: {
        const char *sql = nb_expr_sql(arena, n->u.filter.condition, false);
        nb_strbuf_adds(out, sql ? sql : "");
        break;
    }
    case NB_NODE_PROJECT: add_exprs(out, arena, n->u.project.exprs, n->schema->n_children); break;
    case NB_NODE_AGGREGATE:
        nb_strbuf_adds(out, "(keys=");
        add_exprs(out, arena, n->u.aggregate.keys, n->u.aggregate.n_keys);
        nb_strbuf_adds(out, ", functions=");
        add_exprs(out, arena, n->u.aggregate.aggs, n->u.aggregate.n_aggs);
        nb_strbuf_addc(out, ')');
        break;
    case NB_NODE_SORT:
    case NB_NODE_TOPN:
        add_keys(out, arena, n->u.sort.keys, n->u.sort.n_keys);
        if (n->kind == NB_NODE_TOPN) {
            nb_strbuf_addf(out, ", limit=%lld", (long long)n->u.sort.limit);
        }
        break;
    case NB_NODE_LIMIT:
    case NB_NODE_TAIL:
        nb_strbuf_addf(out, "%lld, %lld", (long long)n->u.limit.limit,
                       (long long)n->u.limit.offset);
        break;
    case NB_NODE_JOIN:
        add_exprs(out, arena, n->u.join.left_keys, n->u.join.n_keys);
        nb_strbuf_adds(out, ", ");
        add_exprs(out, arena, n->u.join.right_keys, n->u.join.n_keys);
        nb_strbuf_addf(out, ", %s, %s", join_names[n->u.join.type],
                       n->u.join.build_left ? "BuildLeft" : "BuildRight");
        break;
    case NB_NODE_SCAN: {
        nb_str format = nb_relation_format(n->u.scan.relation);
        nb_strbuf_addf(out, "%.*s [", (int)format.len, format.data);
        for (int i = 0; i < n->schema->n_children; i++) {
            const nb_type *type = n->schema->children[i].type;
            nb_strbuf_addf(out, "%s%.*s", i ? "," : "", (int)n->schema->children[i].name.len,
                           n->schema->children[i].name.data);
            if (type->n_children > 0) { /* perhaps not all of its fields are read */
                const char *text = nb_type_simple_string(arena, type);
                nb_strbuf_addf(out, ": %s", text ? text : "");
            }
        }
        nb_strbuf_adds(out, "] PushedFilters: ");
        add_exprs(out, arena, n->u.scan.filters, n->u.scan.n_filters);
        break;
    }
    case NB_NODE_RANGE:
        nb_strbuf_addf(out, "(%lld, %lld, step=%lld, splits=%d)", (long long)n->u.range.start,
                       (long long)n->u.range.end, (long long)n->u.range.step,
                       n->u.range.n_partitions);
        break;
    case NB_NODE_WINDOW:
        add_exprs(out, arena, n->u.window.functions, n->u.window.n_functions);
        if (n->u.window.limit > 0) {
            nb_strbuf_addf(out, ", limit=%lld", (long long)n->u.window.limit);
        }
        break;
    default: break;
    }
}

static void
add_physical(nb_strbuf *out, nb_arena *arena, const nb_node *n, int depth, bool cost)
{
    indent(out, depth);
    nb_node_text(out, arena, n);
    if (cost && n->est_rows >= 0) {
        nb_strbuf_addf(out, " (about %.0f rows)", n->est_rows);
    }
    nb_strbuf_addc(out, '\n');
    for (int i = 0; i < n->n_children; i++) {
        add_physical(out, arena, n->children[i], depth + 1, cost);
    }
}

nb_status
nb_query_explain(nb_query *q, const Sc__Relation *rel, int mode, nb_strbuf *out, nb_error *err)
{
    bool extended =
        mode == SC__ANALYZE_PLAN_REQUEST__EXPLAIN__EXPLAIN_MODE__EXPLAIN_MODE_EXTENDED ||
        mode == SC__ANALYZE_PLAN_REQUEST__EXPLAIN__EXPLAIN_MODE__EXPLAIN_MODE_COST;
    bool cost = mode == SC__ANALYZE_PLAN_REQUEST__EXPLAIN__EXPLAIN_MODE__EXPLAIN_MODE_COST;
    nb_plan *plan;
    nb_node *node;

    q->explaining = true;
    NB_TRY(nb_query_analyze(q, rel, &plan, err));
    if (extended) {
        nb_strbuf_adds(out, "== Analyzed Logical Plan ==\n");
        add_logical(out, q->arena, plan, 0);
        NB_TRY(nb_query_rewrite(q, &plan, err));
        NB_TRY(nb_optimize(q->arena, &q->info, &plan, err));
        NB_TRY(nb_optimize_fields(q->arena, &q->info, plan));
        nb_strbuf_adds(out, "\n== Optimized Logical Plan ==\n");
        add_logical(out, q->arena, plan, 0);
        nb_strbuf_addc(out, '\n');
    }
    NB_TRY(nb_query_physical(q, plan, &node, err));
    nb_strbuf_adds(out, "== Physical Plan ==\n");
    add_physical(out, q->arena, node, 0, cost);
    return out->failed ? NB_NOMEM : NB_OK;
}

void
nb_physical_text(nb_strbuf *out, nb_arena *arena, const nb_node *root)
{
    nb_strbuf_adds(out, "== Physical Plan ==\n");
    add_physical(out, arena, root, 0, false);
}
