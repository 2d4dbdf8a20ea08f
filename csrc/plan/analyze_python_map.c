/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_python_map.c: relations whose rows functions in Python make of others: mapInPandas, groupBy().applyInPandas, cogroup() and what Arrow has of them.
 *
 *   AGGREGATE  rows collected into an array of structs: of a group, or of all as the one partition there is
 *   PROJECT    nb_python(keys…, rows) gives an array of structs
 *   GENERATE   which becomes rows
 *
 * A cogroup joins two such aggregations first, by keys of which null is one.
 */
#include "plan/analyzer_internal.h"

/* The keys, named, in an array with room for one more. */
static nb_status
resolve_keys(nb_analyzer *an, nb_plan *child, Sc__Expression *const *messages, size_t n,
             nb_expr ***out, nb_error *err)
{
    nb_scope scope = {.plans = &child, .n_plans = 1, .outer = an->outer};
    nb_expr **keys = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 1);

    NB_NEED(keys);
    for (size_t i = 0; i < n; i++) {
        nb_str name;

        NB_TRY(nb_resolve_expr(an, &scope, messages[i], &keys[i], err));
        NB_TRY(nb_expression_name(an, messages[i], &name, err));
        NB_TRY(nb_name_expr(an, keys[i], name, &keys[i]));
    }
    *out = keys;
    return NB_OK;
}

/* All visible columns of child, collected. */
static nb_status
collect_rows(nb_analyzer *an, nb_plan *child, nb_expr **out, nb_error *err)
{
    nb_expr **columns;
    nb_str *names;
    int n;

    NB_TRY(nb_columns_of(an, child, &columns, &n));
    names = NB_ARENA_ARRAY(an->arena, nb_str, n + 1);
    NB_NEED(names);
    for (int i = 0; i < n; i++) {
        names[i] = nb_attr_of_expr(columns[i]).name;
    }
    return nb_python_rows(an, columns, names, n, out, err);
}

/* One row per group: its keys, then its rows. */
static nb_status
group_rows(nb_analyzer *an, const Sc__Relation *input, Sc__Expression *const *grouping,
           size_t n_grouping, nb_plan **out, nb_error *err)
{
    nb_expr **columns, *rows;
    nb_plan *child;

    NB_TRY(nb_analyze_relation(an, input, &child, err));
    NB_TRY(resolve_keys(an, child, grouping, n_grouping, &columns, err));
    NB_TRY(collect_rows(an, child, &rows, err));
    columns[n_grouping] = nb_expr_alias(an->arena, rows, NB_STR("rows"), nb_attr_next_id());
    NB_NEED(columns[n_grouping]);
    return nb_plan_aggregate(an, child, columns, (int)n_grouping, columns, (int)n_grouping + 1, out,
                             err);
}

/* The rows that f makes of these arguments. */
static nb_status
plan_call(nb_analyzer *an, nb_plan *child, const Sc__CommonInlineUserDefinedFunction *f,
          nb_python_kind kind, nb_expr **args, int n, nb_plan **out, nb_error *err)
{
    nb_expr **list = NB_ARENA_ARRAY(an->arena, nb_expr *, 1), *call, *rows;
    nb_plan *calls, *made;
    bool no_columns;

    NB_NEED(list);
    NB_TRY(nb_python_rows_call(an, f, kind, args, n, &call, &no_columns, err));
    list[0] = nb_expr_alias(an->arena, call, NB_STR("rows"), nb_attr_next_id());
    NB_NEED(list[0]);
    NB_TRY(nb_plan_project(an, child, list, 1, &calls, err));
    rows = nb_attr_expr(an->arena, &calls->attrs[0]);
    NB_NEED(rows);
    NB_TRY(nb_plan_inline(an, calls, rows, &made, err));
    return nb_plan_narrow(an->arena, made, made->attrs, no_columns ? 0 : made->n_attrs, out);
}

static nb_status
plan_groups(nb_analyzer *an, nb_plan *groups, const Sc__CommonInlineUserDefinedFunction *f,
            nb_python_kind kind, nb_plan **out, nb_error *err)
{
    nb_expr **args;
    int n;

    NB_TRY(nb_columns_of(an, groups, &args, &n));
    return plan_call(an, groups, f, kind, args, n, out, err);
}

nb_status
nb_analyze_map_partitions(nb_analyzer *an, const Sc__MapPartitions *m, nb_plan **out, nb_error *err)
{
    nb_plan *rows;

    NB_TRY(group_rows(an, m->input, NULL, 0, &rows, err));
    return plan_groups(an, rows, m->func, NB_PYTHON_ROWS, out, err);
}

nb_status
nb_analyze_group_map(nb_analyzer *an, const Sc__GroupMap *m, nb_plan **out, nb_error *err)
{
    nb_plan *groups;

    if (m->n_sorting_expressions > 0 || m->is_map_groups_with_state || m->initial_input ||
        m->transform_with_state_info) {
        return nb_raise_unsupported(err, "A Python function over groups with state");
    }
    NB_TRY(
        group_rows(an, m->input, m->grouping_expressions, m->n_grouping_expressions, &groups, err));
    return plan_groups(an, groups, m->func, NB_PYTHON_GROUP_ROWS, out, err);
}

nb_status
nb_analyze_co_group_map(nb_analyzer *an, const Sc__CoGroupMap *m, nb_plan **out, nb_error *err)
{
    size_t n = m->n_input_grouping_expressions;
    nb_expr **args = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 2), *condition = NULL;
    nb_plan *left, *right, *joined;

    NB_NEED(args);
    if (m->n_input_sorting_expressions > 0 || m->n_other_sorting_expressions > 0) {
        return nb_raise_unsupported(err, "A cogroup with an order");
    }
    if (n == 0 || m->n_other_grouping_expressions != n) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                        "a cogroup whose sides have different numbers of keys", NULL);
    }
    NB_TRY(group_rows(an, m->input, m->input_grouping_expressions, n, &left, err));
    NB_TRY(group_rows(an, m->other, m->other_grouping_expressions, n, &right, err));
    for (size_t i = 0; i < n; i++) {
        nb_expr *pair[2] = {nb_attr_expr(an->arena, &left->attrs[i]),
                            nb_attr_expr(an->arena, &right->attrs[i])};
        nb_expr *equal;

        NB_NEED(pair[0] && pair[1]);
        NB_TRY(nb_call2(an, "<=>", pair[0], pair[1], &equal, err));
        if (condition) {
            NB_TRY(nb_call2(an, "and", condition, equal, &equal, err));
        }
        condition = equal;
    }
    NB_TRY(nb_plan_join(an, left, right, NB_JOIN_FULL, condition, &joined, err));
    for (size_t i = 0; i < n; i++) { /* either side's, and null where that is the key */
        nb_expr *pair[2] = {nb_attr_expr(an->arena, &joined->attrs[i]),
                            nb_attr_expr(an->arena, &joined->attrs[n + 1 + i])};

        NB_NEED(pair[0] && pair[1]);
        NB_TRY(nb_call(an, "coalesce", pair, 2, &args[i], err));
    }
    args[n] = nb_attr_expr(an->arena, &joined->attrs[n]);
    args[n + 1] = nb_attr_expr(an->arena, &joined->attrs[2 * n + 1]);
    NB_NEED(args[n] && args[n + 1]);
    return plan_call(an, joined, m->func, NB_PYTHON_COGROUP_ROWS, args, (int)n + 2, out, err);
}
