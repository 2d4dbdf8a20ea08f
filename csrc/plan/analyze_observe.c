/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_observe.c: df.observe(): metrics of the rows that go by.
 *
 * The plan gets a projection that changes nothing and remembers the aggregation over its input. Whoever runs the plan runs both over the same rows
 * (connect/metrics.c); whoever only explains it sees the projection removed.
 */
#include "plan/analyzer_internal.h"

typedef struct check {
    nb_analyzer *an;
    nb_expr *whole;
    int depth; /* of aggregates around */
    nb_error *err;
} check;

/* Is a name written without quotes? */
static bool
is_plain(nb_str name)
{
    bool plain = name.len > 0 && !(name.data[0] >= '0' && name.data[0] <= '9');

    for (size_t i = 0; i < name.len && plain; i++) {
        char c = (char)(name.data[i] | 0x20);
        plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || name.data[i] == '_';
    }
    return plain;
}

/* The metric as SQL, for a message; NULL when out of memory. */
static char *
quoted(const check *c)
{
    nb_arena *arena = c->an->arena;
    bool alias = c->whole->kind == NB_EXPR_ALIAS;
    const char *sql = nb_expr_sql(arena, alias ? c->whole->args[0] : c->whole, false);
    nb_str name = alias ? c->whole->u.alias.name : NB_STR("");
    char *in_quotes;

    if (!sql || !alias) {
        return sql ? nb_arena_printf(arena, "\"%s\"", sql) : NULL;
    }
    if (is_plain(name)) {
        return nb_arena_printf(arena, "\"%s AS %.*s\"", sql, (int)name.len, name.data);
    }
    return nb_backquote(c->an, &name, 1, &in_quotes) < 0
               ? NULL
               : nb_arena_printf(arena, "\"%s AS %s\"", sql, in_quotes);
}

static nb_status
check_expr(check *c, nb_expr *e)
{
    bool is_agg = e->kind == NB_EXPR_AGG;

    if (e->kind == NB_EXPR_WINDOW) {
        return nb_raise(c->err, NB_COND_INVALID_OBSERVED_METRICS_WINDOW_EXPRESSIONS_UNSUPPORTED,
                        "expr", quoted(c), NULL);
    }
    if (is_agg && c->depth > 0) {
        return nb_raise(c->err, NB_COND_INVALID_OBSERVED_METRICS_NESTED_AGGREGATES_UNSUPPORTED,
                        "expr", quoted(c), NULL);
    }
    if (is_agg && e->u.agg.distinct) {
        return nb_raise(
            c->err, NB_COND_INVALID_OBSERVED_METRICS_AGGREGATE_EXPRESSION_WITH_DISTINCT_UNSUPPORTED,
            "expr", quoted(c), NULL);
    }
    if (e->kind == NB_EXPR_COLUMN && c->depth == 0) {
        return nb_raise(c->err,
                        NB_COND_INVALID_OBSERVED_METRICS_NON_AGGREGATE_FUNC_ARG_IS_ATTRIBUTE,
                        "expr", quoted(c), NULL);
    }
    c->depth += is_agg;
    for (int i = 0; i < e->n_args; i++) {
        NB_TRY(check_expr(c, e->args[i]));
    }
    c->depth -= is_agg;
    return NB_OK;
}

static nb_status
resolve(nb_analyzer *an, nb_plan *child, const Sc__CollectMetrics *m, nb_expr ***out, nb_error *err)
{
    nb_scope scope = {.plans = &child, .n_plans = 1, .outer = an->outer};
    nb_expr **list = NB_ARENA_ARRAY(an->arena, nb_expr *, m->n_metrics + 1);

    NB_NEED(list);
    for (size_t i = 0; i < m->n_metrics; i++) {
        check c = {.an = an, .err = err};
        nb_str name = {NULL, 0};

        nb_status st;

        an->observing = true; /* check_expr has words of its own for what is wrong */
        st = nb_resolve_expr(an, &scope, m->metrics[i], &list[i], err);
        an->observing = false;
        NB_TRY(st);
        if (list[i]->kind != NB_EXPR_ALIAS && list[i]->kind != NB_EXPR_COLUMN) {
            NB_TRY(nb_expression_name(an, m->metrics[i], &name, err));
        }
        NB_TRY(nb_name_expr(an, list[i], name, &list[i]));
        c.whole = list[i];
        NB_TRY(check_expr(&c, list[i]));
    }
    *out = list;
    return NB_OK;
}

/* A name stands for one observation; that may occur several times, as in a join of a DataFrame with itself. */
static nb_status
take_name(nb_analyzer *an, nb_observation *o, nb_error *err)
{
    for (const nb_observation *other = an->observed; other; other = other->next) {
        if (nb_str_equal(other->name, o->name) && other->plan_id != o->plan_id) {
            return nb_raise(err, NB_COND_DUPLICATED_METRICS_NAME, "metricName",
                            nb_arena_strdup(an->arena, o->name), NULL);
        }
    }
    o->next = an->observed;
    an->observed = o;
    return NB_OK;
}

nb_status
nb_analyze_observe(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    const Sc__CollectMetrics *m = rel->collect_metrics;
    nb_observation *o = NB_ARENA_NEW(an->arena, nb_observation);
    nb_plan *child, *p;
    nb_expr **metrics;

    NB_NEED(o);
    if (nb_pb_str(m->name).len == 0) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "requirement failed: Name must not be empty", NULL);
    }
    o->name = nb_arena_str(an->arena, nb_pb_str(m->name));
    o->plan_id = rel->common && rel->common->has_plan_id ? rel->common->plan_id : 0;
    NB_NEED(o->name.data);
    NB_TRY(nb_analyze_relation(an, m->input, &child, err));
    NB_TRY(take_name(an, o, err));
    NB_TRY(resolve(an, child, m, &metrics, err));
    NB_TRY(nb_plan_aggregate(an, child, NULL, 0, metrics, (int)m->n_metrics, &o->metrics, err));
    o->input = child;
    p = nb_plan_new(an->arena, NB_PLAN_PROJECT, 1, child->n_attrs);
    NB_NEED(p);
    p->children[0] = child;
    p->u.project.observed = o;
    p->u.project.exprs = NB_ARENA_ARRAY(an->arena, nb_expr *, child->n_attrs + 1);
    NB_NEED(p->u.project.exprs);
    memcpy(p->attrs, child->attrs, sizeof(nb_attr) * (size_t)child->n_attrs);
    for (int i = 0; i < child->n_attrs; i++) {
        p->u.project.exprs[i] = nb_attr_expr(an->arena, &child->attrs[i]);
        NB_NEED(p->u.project.exprs[i]);
    }
    *out = p;
    return NB_OK;
}
