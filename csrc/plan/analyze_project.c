/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_project.c: select lists.
 *
 *   stars          become the columns that they stand for
 *   generators     (explode …) move into a GENERATE node below
 *   window calls   move into WINDOW nodes below, one per partitioning and order
 *   aggregates     without GROUP BY make the projection an AGGREGATE
 *   the rest       stays, under its alias or Spark's name for it
 */
#include "plan/analyzer_internal.h"
#include "sql/parser.h"

static bool
not_window(nb_expr *e, void *payload)
{
    *(bool *)payload |= e->kind == NB_EXPR_WINDOW;
    return !*(bool *)payload;
}

bool
nb_has_window(nb_expr *e)
{
    bool found = false;

    nb_expr_visit(e, not_window, &found);
    return found;
}

/* An aggregate call that OVER turns into a window function is no aggregate of the query; its arguments may hold some. */
bool
nb_has_agg(nb_expr *e)
{
    if (e->kind == NB_EXPR_AGG) {
        return true;
    }
    for (int i = 0; i < e->n_args; i++) {
        if (nb_has_agg(e->args[i])) {
            return true;
        }
    }
    if (e->kind == NB_EXPR_WINDOW) {
        const nb_window_spec *spec = e->u.window.spec;
        for (int i = 0; i < e->u.window.fn->n_args; i++) {
            if (nb_has_agg(e->u.window.fn->args[i])) {
                return true;
            }
        }
        for (int i = 0; i < spec->n_partition_by; i++) {
            if (nb_has_agg(spec->partition_by[i])) {
                return true;
            }
        }
        for (int i = 0; i < spec->n_order_by; i++) {
            if (nb_has_agg(spec->order_by[i].expr)) {
                return true;
            }
        }
    }
    return false;
}

nb_status
nb_name_expr(nb_analyzer *an, nb_expr *e, nb_str name, nb_expr **out)
{
    *out = e->kind == NB_EXPR_ALIAS || e->kind == NB_EXPR_COLUMN
               ? e
               : nb_expr_alias(an->arena, e, name, nb_attr_next_id());
    return *out ? NB_OK : NB_NOMEM;
}

nb_status
nb_columns_of(nb_analyzer *an, const nb_plan *child, nb_expr ***out, int *n)
{
    nb_expr **list = NB_ARENA_ARRAY(an->arena, nb_expr *, child->n_attrs + 1);
    int count = 0;

    NB_NEED(list);
    for (int i = 0; i < child->n_attrs; i++) {
        if (!child->attrs[i].hidden) {
            list[count] = nb_attr_expr(an->arena, &child->attrs[i]);
            NB_NEED(list[count]);
            count++;
        }
    }
    *out = list;
    *n = count;
    return NB_OK;
}

nb_status
nb_plan_filter(nb_analyzer *an, nb_plan *child, nb_expr *condition, nb_plan **out, nb_error *err)
{
    nb_plan *p = nb_plan_new(an->arena, NB_PLAN_FILTER, 1, child->n_attrs);

    NB_NEED(p);
    if (nb_has_window(condition)) {
        return nb_raise(err, NB_COND_WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE, "clauseName", "WHERE",
                        NULL);
    }
    p->children[0] = child;
    memcpy(p->attrs, child->attrs, sizeof(nb_attr) * (size_t)child->n_attrs);
    p->u.filter.condition = condition;
    *out = p;
    return NB_OK;
}

/* ---- window functions ---- */

static bool
same_keys(const nb_window_spec *a, const nb_window_spec *b)
{
    if (a->n_partition_by != b->n_partition_by || a->n_order_by != b->n_order_by) {
        return false;
    }
    for (int i = 0; i < a->n_partition_by; i++) {
        if (!nb_expr_equal(a->partition_by[i], b->partition_by[i])) {
            return false;
        }
    }
    for (int i = 0; i < a->n_order_by; i++) {
        if (!nb_expr_equal(a->order_by[i].expr, b->order_by[i].expr) ||
            a->order_by[i].descending != b->order_by[i].descending ||
            a->order_by[i].nulls_last != b->order_by[i].nulls_last) {
            return false;
        }
    }
    return true;
}

typedef struct window_pull {
    nb_expr **calls; /* ALIAS over WINDOW */
    int n, cap;
} window_pull;

static nb_status
pull_window(nb_arena *arena, nb_expr *in, nb_expr **out, void *payload, nb_error *err)
{
    window_pull *w = payload;
    nb_expr *alias;

    (void)err;
    *out = in;
    if (in->kind != NB_EXPR_WINDOW) {
        return NB_OK;
    }
    if (w->n == w->cap) {
        int cap = w->cap ? w->cap * 2 : 8;
        nb_expr **calls = NB_ARENA_ARRAY(arena, nb_expr *, cap);
        NB_NEED(calls);
        if (w->n) {
            memcpy(calls, w->calls, sizeof(nb_expr *) * (size_t)w->n);
        }
        w->calls = calls;
        w->cap = cap;
    }
    alias = nb_expr_alias(arena, in, NB_STR("_we"), nb_attr_next_id());
    NB_NEED(alias);
    w->calls[w->n++] = alias;
    *out = nb_expr_column(arena, alias->u.alias.attr, alias->u.alias.name, in->type, in->nullable);
    return *out ? NB_OK : NB_NOMEM;
}

typedef struct column_search {
    const nb_attr_set *pulled; /* any of these, or, without it, */
    uint64_t attr;
    bool found;
} column_search;

static bool
is_other_column(nb_expr *e, void *payload)
{
    column_search *s = payload;

    s->found |=
        e->kind == NB_EXPR_COLUMN &&
        (s->pulled ? nb_attr_set_has(s->pulled, e->u.column.attr) : e->u.column.attr == s->attr);
    return !s->found;
}

/* May call j stand in the node of call i, the n-th? Not when it is over a window that is in no earlier node. */
static bool
may_join(const window_pull *w, const int *node, const bool *over, int n, int i, int j)
{
    if (!same_keys(w->calls[i]->args[0]->u.window.spec, w->calls[j]->args[0]->u.window.spec)) {
        return false;
    }
    for (int k = 0; k < w->n && over[j]; k++) {
        column_search s = {.attr = w->calls[k]->u.alias.attr};

        if (node[k] == 0 || node[k] == n) {
            nb_expr_visit(w->calls[j]->args[0], is_other_column, &s);
        }
        if (s.found) {
            return false;
        }
    }
    return true;
}

/* WINDOW nodes over child for all pulled calls, those with equal keys together. */
static nb_status
plan_windows(nb_analyzer *an, nb_plan *child, window_pull *w, nb_plan **out)
{
    int *node = nb_arena_zalloc(an->arena, ((size_t)w->n + 1) * sizeof(int)), n_nodes = 0;
    bool *over = nb_arena_zalloc(an->arena, (size_t)w->n + 1); /* calls over other calls: few */
    nb_attr_set pulled = {.arena = an->arena};

    NB_NEED(node && over);
    for (int i = 0; i < w->n; i++) {
        NB_TRY(nb_attr_set_add(&pulled, w->calls[i]->u.alias.attr));
    }
    for (int i = 0; i < w->n; i++) {
        column_search s = {.pulled = &pulled};
        nb_expr_visit(w->calls[i]->args[0], is_other_column, &s);
        over[i] = s.found;
    }
    for (int i = 0; i < w->n; i++) {
        nb_window_spec *spec;
        nb_plan *p;
        int n = 0;
        if (node[i] > 0) {
            continue;
        }
        n_nodes++;
        spec = w->calls[i]->args[0]->u.window.spec;
        for (int j = i; j < w->n; j++) {
            if (node[j] == 0 && may_join(w, node, over, n_nodes, i, j)) {
                node[j] = n_nodes;
                n++;
            }
        }
        p = nb_plan_new(an->arena, NB_PLAN_WINDOW, 1, child->n_attrs + n);
        NB_NEED(p);
        p->children[0] = child;
        p->u.window.spec = spec;
        p->u.window.functions = NB_ARENA_ARRAY(an->arena, nb_expr *, n);
        NB_NEED(p->u.window.functions);
        memcpy(p->attrs, child->attrs, sizeof(nb_attr) * (size_t)child->n_attrs);
        for (int j = i; j < w->n; j++) {
            if (node[j] == n_nodes) {
                p->attrs[child->n_attrs + p->u.window.n_functions] = nb_attr_of_expr(w->calls[j]);
                p->attrs[child->n_attrs + p->u.window.n_functions].hidden = true;
                p->u.window.functions[p->u.window.n_functions++] = w->calls[j];
            }
        }
        child = p;
    }
    *out = child;
    return NB_OK;
}

nb_status
nb_own_column(nb_analyzer *an, const nb_plan *child, nb_expr **e)
{
    if (an->outer && (*e)->kind == NB_EXPR_COLUMN &&
        !nb_plan_find_attr(child, (*e)->u.column.attr)) {
        *e = nb_expr_alias(an->arena, *e, (*e)->u.column.name, nb_attr_next_id());
        NB_NEED(*e);
    }
    return NB_OK;
}

nb_status
nb_plan_project(nb_analyzer *an, nb_plan *child, nb_expr **exprs, int n, nb_plan **out,
                nb_error *err)
{
    window_pull w = {0};
    nb_plan *p;

    if (an->lateral && an->lateral->refs.n) {
        NB_TRY(nb_lateral_layers(an, child, exprs, n, &child, err));
    }
    for (int i = 0; i < n; i++) {
        if (nb_has_window(exprs[i])) {
            NB_TRY(nb_expr_rewrite(an->arena, exprs[i], pull_window, &w, &exprs[i], err));
        }
    }
    if (w.n) {
        NB_TRY(plan_windows(an, child, &w, &child));
    }
    p = nb_plan_new(an->arena, NB_PLAN_PROJECT, 1, n);
    NB_NEED(p);
    p->children[0] = child;
    p->u.project.exprs = exprs;
    for (int i = 0; i < n; i++) {
        NB_TRY(nb_own_column(an, child, &exprs[i]));
        p->attrs[i] = nb_attr_of_expr(exprs[i]);
        if (exprs[i]->kind == NB_EXPR_COLUMN) {
            const nb_attr *from = nb_plan_find_attr(child, exprs[i]->u.column.attr);
            if (from) { /* qualifiers and metadata go on */
                p->attrs[i] = *from;
                p->attrs[i].hidden = false;
                if (nb_str_equal_nocase(from->name, exprs[i]->u.column.name)) {
                    p->attrs[i].name = exprs[i]->u.column.name; /* as the query writes it */
                }
            }
        } else if (exprs[i]->args[0]->kind == NB_EXPR_COLUMN && p->attrs[i].metadata.len == 0) {
            const nb_attr *from = nb_plan_find_attr(child, exprs[i]->args[0]->u.column.attr);
            if (from) {
                p->attrs[i].metadata = from->metadata;
            }
        }
    }
    *out = p;
    return NB_OK;
}

/* ---- select lists ---- */

static bool
is_json_tuple(const Sc__Expression *e)
{
    e = e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS ? e->alias->expr : e;
    return e && e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION &&
           nb_str_equal_nocase(nb_pb_str(e->unresolved_function->function_name),
                               NB_STR("json_tuple"));
}

/* The path $['key'] as a literal. */
static nb_status
json_key_path(nb_analyzer *an, nb_expr *key, nb_expr **out, nb_error *err)
{
    nb_str text;

    NB_TRY(nb_expr_fold(an->arena, key, an->cfg.info, &key, err));
    if (key->kind != NB_EXPR_LITERAL) {
        return nb_raise_unsupported(err, "json_tuple with keys that are no constants");
    }
    if (nb_vector_is_null(key->u.literal.value, 0)) {
        *out = nb_expr_null(an->arena, nb_type_of(NB_TYPE_STRING));
        return *out ? NB_OK : NB_NOMEM;
    }
    text = nb_view_str(NB_DATA(nb_view, key->u.literal.value));
    *out = nb_expr_string(
        an->arena, nb_str_of(nb_arena_printf(an->arena, "$['%.*s']", (int)text.len, text.data)));
    return *out ? NB_OK : NB_NOMEM;
}

/* json_tuple(text, key, …): one column per key, c0, c1 … or as the alias names them. It gives exactly one row, so it is no generator here. */
static nb_status
expand_json_tuple(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e, nb_expr ***out,
                  int *n_out, nb_error *err)
{
    const Sc__Expression__Alias *alias =
        e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS ? e->alias : NULL;
    const Sc__Expression__UnresolvedFunction *f =
        alias ? alias->expr->unresolved_function : e->unresolved_function;
    int n = (int)f->n_arguments;
    nb_expr **args = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 1);

    NB_NEED(args);
    if (n < 2) {
        return nb_raise(err, NB_COND_WRONG_NUM_ARGS, "functionName", "`json_tuple`", "expectedNum",
                        "> 1", "actualNum", nb_arena_printf(an->arena, "%d", n), "docroot",
                        "https://spark.apache.org/docs/latest", NULL);
    }
    for (int i = 0; i < n; i++) {
        NB_TRY(nb_resolve_expr(an, scope, f->arguments[i], &args[i], err));
        args[i] = args[i]->kind == NB_EXPR_ALIAS ? args[i]->args[0] : args[i];
        if (!nb_type_is_string(args[i]->type)) {
            nb_str name;
            NB_TRY(nb_expression_name(an, alias ? alias->expr : e, &name, err));
            return nb_raise(err, NB_COND_DATATYPE_MISMATCH_NON_STRING_TYPE, "sqlExpr",
                            nb_arena_printf(an->arena, "\"%.*s\"", (int)name.len, name.data),
                            "funcName", "`json_tuple`", NULL);
        }
    }
    if (alias && (int)alias->n_name != n - 1) {
        return nb_raise(err, NB_COND_UDTF_ALIAS_NUMBER_MISMATCH, "aliasesSize",
                        nb_arena_printf(an->arena, "%d", n - 1), "aliasesNames",
                        nb_arena_printf(an->arena, "%d", (int)alias->n_name), NULL);
    }
    for (int i = 1; i < n; i++) {
        nb_expr *path = NULL, *value;
        nb_str name = alias ? nb_pb_str(alias->name[i - 1])
                            : nb_str_of(nb_arena_printf(an->arena, "c%d", i - 1));
        NB_TRY(json_key_path(an, args[i], &path, err));
        NB_TRY(nb_call2(an, "get_json_object", args[0], path, &value, err));
        args[i] = nb_expr_alias(an->arena, value, name, nb_attr_next_id());
        NB_NEED(args[i]);
    }
    *out = args + 1;
    *n_out = n - 1;
    return NB_OK;
}

nb_status
nb_raise_pipe_aggregate(nb_analyzer *an, nb_expr *e, const char *clause, nb_error *err)
{
    e = e->kind == NB_EXPR_ALIAS ? e->args[0] : e;
    return nb_raise(err, NB_COND_PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION, "expr",
                    nb_expr_sql(an->arena, e, true), "clause", clause, NULL);
}

static nb_status
build_project(nb_analyzer *an, nb_plan *child, Sc__Expression *const *exprs, size_t n,
              bool *over_groups, nb_plan **out, nb_error *err)
{
    nb_scope scope = {.plans = &child, .n_plans = 1, .outer = an->outer, .grows = NB_GROWS_HIDDEN};
    nb_group_generators generators = {0};
    nb_expr **list = NULL;
    int count = 0, cap = 0;
    bool any_agg = false;
    const char *pipe_clause = an->pipe_clause;
    int before = child->n_attrs;
    bool generates = false;
    nb_generated *made = nb_arena_zalloc(an->arena, (n + 1) * sizeof *made);

    NB_NEED(made);
    an->pipe_clause = NULL; /* subqueries have lists of their own */
    /* generators first, each over the rows of those before it: their columns then take part in the list like any others */
    for (size_t i = 0; i < n && !*over_groups; i++) {
        nb_status st = nb_generate_item(an, &scope, exprs[i], NULL, 0, &child, &made[i], err);
        if (st == NB_DONE) {
            *over_groups = true;
            return NB_OK;
        }
        NB_TRY(st);
        generates |= made[i].n > 0;
    }
    an->lateral->scope = &scope;
    for (size_t i = 0; i < n; i++) {
        nb_expr **some, *one;
        int n_some = 1;
        nb_plan narrow = *child; /* `*` means the columns before the generators' */
        nb_plan *view = &narrow;
        nb_scope star = {.plans = &view, .n_plans = 1, .outer = scope.outer, .is_copy = true};
        nb_status is_call = NB_DONE;
        narrow.n_attrs = before;
        if (*over_groups) {
            is_call = nb_group_generator_add(an, &scope, exprs[i], count, &generators, &some,
                                             &n_some, err);
            NB_TRY(is_call);
        }
        if (is_call == NB_OK) { /* some: its arguments */
        } else if (made[i].n > 0) {
            some = NB_ARENA_ARRAY(an->arena, nb_expr *, made[i].n);
            NB_NEED(some);
            for (n_some = 0; n_some < made[i].n; n_some++) {
                some[n_some] = nb_attr_expr(an->arena, &child->attrs[made[i].first + n_some]);
                NB_NEED(some[n_some]);
            }
        } else if (nb_is_star(exprs[i])) {
            NB_TRY(nb_expand_star(an, generates ? &star : &scope, exprs[i], &some, &n_some, err));
        } else {
            const Sc__Expression *e = exprs[i];
            if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_EXPRESSION_STRING) {
                Sc__Expression *parsed;
                NB_TRY(nb_parse_expression_string(an, e, &parsed, err));
                e = parsed;
            }
            if (nb_is_star(e) || nb_is_name_pattern(an, e)) {
                NB_TRY(nb_expand_star(an, generates ? &star : &scope, e, &some, &n_some, err));
            } else if (is_json_tuple(e)) {
                NB_TRY(expand_json_tuple(an, &scope, e, &some, &n_some, err));
            } else {
                nb_str name = {0};
                NB_TRY(
                    nb_generator_is_whole(an, e, nb_resolve_expr(an, &scope, e, &one, err), err));
                if (one->kind != NB_EXPR_ALIAS && one->kind != NB_EXPR_COLUMN) {
                    NB_TRY(nb_expression_name(an, e, &name, err));
                } else if (one->kind == NB_EXPR_COLUMN) {
                    bool is_name =
                        e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE;
                    bool is_call =
                        e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_CAST ||
                        e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION;
                    NB_TRY(nb_expression_name(an, e, is_name ? &one->u.column.name : &name, err));
                    if (is_call) { /* +a and CAST(a AS its own type) are a, by other names */
                        one = nb_expr_alias(an->arena, one, name, nb_attr_next_id());
                        NB_NEED(one);
                    }
                }
                NB_TRY(nb_name_expr(an, one, name, &one));
                NB_TRY(nb_lateral_add(an, e, one, err));
                some = &one;
            }
        }
        if (count + n_some > cap) {
            int wider = NB_MAX(cap * 2, count + n_some + (int)(n - i));
            nb_expr **grown = NB_ARENA_ARRAY(an->arena, nb_expr *, wider);
            NB_NEED(grown);
            if (count) {
                memcpy(grown, list, sizeof(nb_expr *) * (size_t)count);
            }
            list = grown;
            cap = wider;
        }
        for (int k = 0; k < n_some; k++) {
            any_agg |= nb_has_agg(some[k]);
            if (any_agg && pipe_clause) {
                return nb_raise_pipe_aggregate(an, some[k], pipe_clause, err);
            }
            list[count++] = some[k];
        }
    }
    if (any_agg) {
        NB_TRY(nb_plan_aggregate(an, child, NULL, 0, list, count, out, err));
        return nb_plan_group_generator(an, *out, &generators, 0, out, err);
    }
    return nb_plan_project(an, child, list, count, out, err);
}

nb_status
nb_build_project(nb_analyzer *an, nb_plan *child, Sc__Expression *const *exprs, size_t n,
                 nb_plan **out, nb_error *err)
{
    nb_lateral l;
    nb_status st;
    bool over_groups = false, was;

    do { /* once more when a generator turns out to be over an aggregate */
        was = over_groups;
        nb_lateral_begin(an, NULL, &l);
        st = build_project(an, child, exprs, n, &over_groups, out, err);
        nb_lateral_end(an);
    } while (over_groups && !was);
    return st;
}
