/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_relation.c: the analyzer itself, and relations that are a rule or two each.
 *
 * A relation that cache() has marked becomes a CACHED leaf with its columns: its rows are read, or made once, at execution.
 */
#include "plan/analyzer_internal.h"
#include "base/config.h"
#include "base/random.h"
#include "expr/number_text.h"
#include "plan/message_unpack.h"
#include "sql/encoding.h"
#include "sql/parser.h"

nb_status
nb_analyzer_new(const nb_analyzer_config *config, nb_analyzer **out)
{
    nb_analyzer *an = NB_ARENA_NEW(config->arena, nb_analyzer);

    NB_NEED(an);
    an->cfg = *config;
    an->arena = config->arena;
    an->views = nb_catalog_views(config->catalog);
    an->database = config->info->database;
    an->row_goal = -1;
    an->cte_seed = nb_random_seed();
    an->case_sensitive =
        config->info->config && nb_config_bool(config->info->config, NB_CONF_CASE_SENSITIVE);
    *out = an;
    return NB_OK;
}

void
nb_analyzer_free(nb_analyzer *an)
{
    if (!an) {
        return;
    }
    for (int i = 0; i < an->n_relations; i++) {
        nb_relation_release(an->relations[i].relation);
    }
    for (int i = 0; i < an->n_tables; i++) {
        nb_table_release(an->tables[i]);
    }
    an->n_relations = an->n_tables = 0;
}

const nb_analyzer_config *
nb_analyzer_config_of(const nb_analyzer *an)
{
    return &an->cfg;
}

static nb_status
need_input(const Sc__Relation *rel, nb_error *err)
{
    return rel ? NB_OK
               : nb_raise(err, NB_COND_INVALID_PLAN, "message", "a relation has no input", NULL);
}

/* A node with the child's columns. */
static nb_status
pass(nb_analyzer *an, nb_plan_kind kind, nb_plan *child, nb_plan **out)
{
    nb_plan *p = nb_plan_new(an->arena, kind, 1, child->n_attrs);

    NB_NEED(p);
    p->children[0] = child;
    memcpy(p->attrs, child->attrs, sizeof(nb_attr) * (size_t)child->n_attrs);
    *out = p;
    return NB_OK;
}

static nb_status
analyze_sort(nb_analyzer *an, const Sc__Sort *s, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    nb_sort_key *keys = NB_ARENA_ARRAY(an->arena, nb_sort_key, s->n_order + 1);

    NB_NEED(keys);
    NB_TRY(nb_analyze_relation(an, s->input, &child, err));
    if (s->n_order == 1 && s->order[0]->child &&
        s->order[0]->child->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE &&
        nb_str_equal_nocase(
            nb_pb_str(s->order[0]->child->unresolved_attribute->unparsed_identifier),
            NB_STR("all"))) {
        bool ambiguous; /* ORDER BY ALL, unless a column has that name */
        if (!nb_find_by_name(an, child, NB_STR("all"), &ambiguous)) {
            nb_expr **cols;
            int n;
            NB_TRY(nb_columns_of(an, child, &cols, &n));
            NB_TRY(pass(an, NB_PLAN_SORT, child, out));
            (*out)->u.sort.keys = NB_ARENA_ARRAY(an->arena, nb_sort_key, n + 1);
            NB_NEED((*out)->u.sort.keys);
            for (int i = 0; i < n; i++) {
                (*out)->u.sort.keys[i] = (nb_sort_key){
                    cols[i],
                    s->order[0]->direction ==
                        SC__EXPRESSION__SORT_ORDER__SORT_DIRECTION__SORT_DIRECTION_DESCENDING,
                    s->order[0]->null_ordering ==
                        SC__EXPRESSION__SORT_ORDER__NULL_ORDERING__SORT_NULLS_LAST};
            }
            (*out)->u.sort.n_keys = n;
            (*out)->u.sort.global = true;
            return NB_OK;
        }
    }
    for (size_t i = 0; i < s->n_order; i++) {
        const Sc__Expression__SortOrder *o = s->order[i];
        if (!o->child) {
            return nb_raise(err, NB_COND_INVALID_PLAN, "message", "a sort order without expression",
                            NULL);
        }
        if (nb_config_bool(an->cfg.info->config, NB_CONF_ORDER_BY_ORDINAL) &&
            o->child->expr_type_case == SC__EXPRESSION__EXPR_TYPE_LITERAL &&
            o->child->literal->literal_type_case == SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER) {
            int at = o->child->literal->integer, n; /* ORDER BY 2 */
            nb_expr **cols;
            NB_TRY(nb_columns_of(an, child, &cols, &n));
            if (at < 1 || at > n) {
                return nb_raise(err, NB_COND_ORDER_BY_POS_OUT_OF_RANGE, "index",
                                nb_arena_printf(an->arena, "%d", at), "size",
                                nb_arena_printf(an->arena, "%d", n), NULL);
            }
            keys[i].expr = cols[at - 1];
        } else {
            NB_TRY(nb_resolve_over(an, child, o->child, false, false, &keys[i].expr, err));
        }
        keys[i].descending = nb_sort_is_descending(o);
        keys[i].nulls_last = nb_sort_is_nulls_last(o);
        NB_TRY(nb_check_sort_key(an, &keys[i], err));
    }
    {
        /* window functions in ORDER BY go below */
        bool any = false;
        for (size_t i = 0; i < s->n_order; i++) {
            any |= nb_has_window(keys[i].expr);
        }
        if (any) {
            nb_expr **list = NB_ARENA_ARRAY(an->arena, nb_expr *, child->n_attrs + (int)s->n_order);
            int n = 0;
            NB_NEED(list);
            for (int i = 0; i < child->n_attrs; i++) {
                list[n] = nb_attr_expr(an->arena, &child->attrs[i]);
                NB_NEED(list[n]);
                n++;
            }
            int n_old = n;
            for (size_t i = 0; i < s->n_order; i++) {
                NB_TRY(nb_name_expr(an, keys[i].expr, NB_STR("_order"), &list[n]));
                if (list[n]->kind == NB_EXPR_ALIAS) {
                    nb_attr a = nb_attr_of_expr(list[n]);
                    keys[i].expr = nb_attr_expr(an->arena, &a);
                    NB_NEED(keys[i].expr);
                    n++;
                }
            }
            nb_plan *old = child;
            NB_TRY(nb_plan_project(an, child, list, n, &child, err));
            for (int i = 0; i < n; i++) {
                child->attrs[i].hidden = i >= n_old || old->attrs[i].hidden;
            }
        }
    }
    NB_TRY(pass(an, NB_PLAN_SORT, child, out));
    (*out)->u.sort.keys = keys;
    (*out)->u.sort.n_keys = (int)s->n_order;
    (*out)->u.sort.global = !s->has_is_global || s->is_global;
    return NB_OK;
}

typedef struct stray_state {
    const nb_plan *child;
    nb_expr *call; /* the first aggregate call that may not stand there */
    bool outer_allowed;
} stray_state;

static bool
names_own(nb_expr *e, void *payload)
{
    return !(e->kind == NB_EXPR_COLUMN && nb_plan_find_attr(payload, e->u.column.attr));
}

static bool
look_stray(nb_expr *e, void *payload)
{
    stray_state *s = payload;

    if (e->kind == NB_EXPR_WINDOW) {
        return true;
    }
    if (e->kind == NB_EXPR_AGG &&
        !(s->outer_allowed && nb_expr_visit(e, names_own, (void *)s->child))) {
        s->call = e;
    }
    return !s->call;
}

/* Aggregate calls have no place in a condition on rows; but in a subquery of HAVING they may be the outer query's. */
static nb_status
check_no_aggregate(nb_analyzer *an, const nb_plan *child, nb_expr *condition, nb_error *err)
{
    stray_state s = {child, NULL, an->n_having > 0};

    if (nb_has_window(condition)) {
        return NB_OK;
    }
    nb_expr_visit(condition, look_stray, &s);
    return !s.call ? NB_OK
                   : nb_raise(err, NB_COND_INVALID_WHERE_CONDITION, "condition",
                              nb_arena_printf(an->arena, "\"%s\"",
                                              nb_expr_sql(an->arena, condition, false)),
                              "expressionList", nb_expr_sql(an->arena, s.call, false), NULL);
}

static nb_status
analyze_filter(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    const Sc__Filter *f = rel->filter;
    nb_str mark = rel->common ? nb_pb_str(rel->common->source_info) : NB_STR("");
    bool having = nb_str_equal(mark, NB_STR(NB_SQL_MARK_HAVING));
    nb_plan *child;
    nb_expr *condition;
    nb_status st;

    NB_TRY(nb_analyze_relation(an, f->input, &child, err));
    an->n_having += having;
    st = nb_resolve_over(an, child, f->condition, true, having, &condition, err);
    an->n_having -= having;
    NB_TRY(st);
    NB_TRY(check_no_aggregate(an, child, condition, err));
    if (nb_has_window(condition) && !nb_str_equal(mark, NB_STR(NB_SQL_MARK_QUALIFY))) {
        return nb_raise(err, NB_COND_WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE, "clauseName", "WHERE",
                        NULL);
    }
    if (nb_has_window(condition)) { /* QUALIFY: the condition becomes a column below */
        nb_expr **list = NB_ARENA_ARRAY(an->arena, nb_expr *, child->n_attrs + 1), *named;
        nb_plan *old = child;
        nb_attr a;
        NB_NEED(list);
        for (int i = 0; i < child->n_attrs; i++) {
            list[i] = nb_attr_expr(an->arena, &child->attrs[i]);
            NB_NEED(list[i]);
        }
        NB_TRY(nb_name_expr(an, condition, NB_STR("_qualify"), &named));
        list[child->n_attrs] = named;
        NB_TRY(nb_plan_project(an, child, list, child->n_attrs + 1, &child, err));
        for (int i = 0; i < child->n_attrs; i++) {
            child->attrs[i].hidden = i >= old->n_attrs || old->attrs[i].hidden;
        }
        a = child->attrs[child->n_attrs - 1];
        condition = nb_attr_expr(an->arena, &a);
        NB_NEED(condition);
    }
    return having ? nb_filter_groups(an, child, condition, out, err)
                  : nb_plan_filter(an, child, condition, out, err);
}

nb_status
nb_plan_limit(nb_analyzer *an, nb_plan *child, int64_t limit, int64_t offset, nb_plan **out,
              nb_error *err)
{
    if (limit < -1 || offset < 0) {
        return nb_raise_limit(an, offset < 0 ? "offset" : "limit", offset < 0 ? offset : limit,
                              err);
    }
    NB_TRY(pass(an, NB_PLAN_LIMIT, child, out));
    (*out)->u.limit.limit = limit;
    (*out)->u.limit.offset = offset;
    return NB_OK;
}

static nb_status
analyze_project(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    nb_plan *child;

    if (rel->project->input) {
        NB_TRY(nb_analyze_relation(an, rel->project->input, &child, err));
    } else { /* SELECT without FROM: one row of no columns */
        child = nb_plan_new(an->arena, NB_PLAN_RANGE, 0, 1);
        NB_NEED(child);
        child->u.range.end = 1;
        child->u.range.step = 1;
        child->u.range.n_partitions = 1;
        child->attrs[0] = (nb_attr){.id = nb_attr_next_id(),
                                    .name = NB_STR("_one"),
                                    .type = nb_type_of(NB_TYPE_INT64),
                                    .hidden = true};
    }
    if (rel->common &&
        nb_str_equal(nb_pb_str(rel->common->source_info), NB_STR(NB_SQL_MARK_EXTEND))) {
        an->pipe_clause = "EXTEND";
    }
    return nb_build_project(an, child, rel->project->expressions, rel->project->n_expressions, out,
                            err);
}

/* withColumns: each alias replaces the column of its name, or comes last. Aliases see the input, not each other. */
static nb_status
analyze_with_columns(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    nb_scope scope = {.plans = &child, .n_plans = 1, .outer = an->outer, .grows = NB_GROWS_HIDDEN};
    nb_expr **list;
    const Sc__WithColumns *w = rel->with_columns;
    bool assigns = rel->common &&
                   nb_str_equal(nb_pb_str(rel->common->source_info), NB_STR(NB_SQL_MARK_ASSIGN));
    bool *used = nb_arena_zalloc(an->arena, w->n_aliases + 1);
    int n = 0;

    NB_NEED(used);
    NB_TRY(nb_analyze_relation(an, w->input, &child, err));
    nb_expr **made = nb_arena_zalloc(an->arena, (w->n_aliases + 1) * sizeof(nb_expr *));
    NB_NEED(made);
    for (size_t k = 0; k < w->n_aliases;
         k++) { /* generators, each over the rows of those before it */
        nb_generated g;
        nb_status st = nb_generate_item(an, &scope, w->aliases[k]->expr, w->aliases[k]->name,
                                        w->aliases[k]->n_name, &child, &g, err);
        if (st == NB_DONE) { /* the columns beside it are no groups */
            return nb_raise(err, NB_COND_MISSING_GROUP_BY, NULL);
        }
        NB_TRY(st);
        if (g.n > 0) {
            child->attrs[g.first].hidden = true; /* a column by the alias below */
            made[k] = nb_attr_expr(an->arena, &child->attrs[g.first]);
            NB_NEED(made[k]);
        }
    }
    list = NB_ARENA_ARRAY(an->arena, nb_expr *, child->n_attrs + (int)w->n_aliases + 1);
    NB_NEED(list);
    for (size_t k = 0; k < w->n_aliases; k++) {
        const Sc__Expression__Alias *a = w->aliases[k];
        if (a->n_name != 1) {
            return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                            "withColumns wants one name per expression", NULL);
        }
        for (size_t j = 0; j < k; j++) {
            if (nb_names_equal(an, nb_pb_str(w->aliases[j]->name[0]), nb_pb_str(a->name[0]))) {
                return nb_raise(err, NB_COND_COLUMN_ALREADY_EXISTS, "columnName",
                                nb_arena_printf(an->arena, "`%.*s`", (int)a->name[0].len,
                                                (const char *)a->name[0].data),
                                NULL);
            }
        }
        if (assigns) {
            const nb_attr *old;
            NB_TRY(nb_need_by_name(an, child, nb_pb_str(a->name[0]), &old, err));
        }
        if (!made[k]) {
            NB_TRY(nb_generator_is_whole(an, a->expr,
                                         nb_resolve_expr(an, &scope, a->expr, &made[k], err), err));
        }
        if (assigns && nb_has_agg(made[k])) {
            return nb_raise_pipe_aggregate(an, made[k], "SET", err);
        }
        if (made[k]->kind == NB_EXPR_ALIAS) {
            made[k] = made[k]->args[0];
        }
        made[k] = nb_expr_alias(an->arena, made[k], nb_pb_str(a->name[0]), nb_attr_next_id());
        NB_NEED(made[k]);
        made[k]->u.alias.metadata = nb_pb_str(a->metadata);
    }
    for (int i = 0; i < child->n_attrs; i++) {
        if (child->attrs[i].hidden) {
            continue;
        }
        list[n] = nb_attr_expr(an->arena, &child->attrs[i]);
        NB_NEED(list[n]);
        for (size_t k = 0; k < w->n_aliases; k++) {
            if (nb_names_equal(an, made[k]->u.alias.name, child->attrs[i].name)) {
                list[n] = made[k];
                if (used[k]) { /* two columns of that name: each gets the value, under an id of its own */
                    list[n] = nb_expr_alias(an->arena, made[k]->args[0], made[k]->u.alias.name,
                                            nb_attr_next_id());
                    NB_NEED(list[n]);
                }
                used[k] = true;
            }
        }
        n++;
    }
    for (size_t k = 0; k < w->n_aliases; k++) {
        if (!used[k]) {
            list[n++] = made[k];
        }
    }
    return nb_plan_project(an, child, list, n, out, err);
}

static nb_status
rename_to(nb_analyzer *an, nb_plan *child, int i, nb_str name, nb_expr **out)
{
    nb_expr *e = nb_attr_expr(an->arena, &child->attrs[i]);

    NB_NEED(e);
    *out = nb_expr_alias(an->arena, e, name, nb_attr_next_id());
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status
analyze_renamed(nb_analyzer *an, const Sc__WithColumnsRenamed *w, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    nb_expr **list;
    int n = 0;

    NB_TRY(nb_analyze_relation(an, w->input, &child, err));
    list = NB_ARENA_ARRAY(an->arena, nb_expr *, child->n_attrs + 1);
    NB_NEED(list);
    for (int i = 0; i < child->n_attrs; i++) {
        nb_str name = child->attrs[i].name;
        bool changed = false;
        if (child->attrs[i].hidden) {
            continue;
        }
        for (size_t k = 0; k < w->n_renames; k++) {
            if (nb_names_equal(an, nb_pb_str(w->renames[k]->col_name), name)) {
                name = nb_pb_str(w->renames[k]->new_col_name);
                changed = true;
            }
        }
        for (size_t k = 0; k < w->n_rename_columns_map && !changed; k++) {
            if (nb_names_equal(an, nb_str_of(w->rename_columns_map[k]->key), name)) {
                name = nb_pb_str(w->rename_columns_map[k]->value);
                changed = true;
            }
        }
        if (changed) {
            NB_TRY(rename_to(an, child, i, name, &list[n]));
        } else {
            list[n] = nb_attr_expr(an->arena, &child->attrs[i]);
            NB_NEED(list[n]);
        }
        n++;
    }
    return nb_plan_project(an, child, list, n, out, err);
}

static nb_status
analyze_to_df(nb_analyzer *an, const Sc__ToDF *t, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    nb_expr **cols, **list;
    int n;

    NB_TRY(nb_analyze_relation(an, t->input, &child, err));
    NB_TRY(nb_columns_of(an, child, &cols, &n));
    if ((size_t)n != t->n_column_names) {
        return nb_raise(err, NB_COND_ASSIGNMENT_ARITY_MISMATCH, "numExpr",
                        nb_arena_printf(an->arena, "%zu", t->n_column_names), "numTarget",
                        nb_arena_printf(an->arena, "%d", n), NULL);
    }
    list = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 1);
    NB_NEED(list);
    for (int i = 0; i < n; i++) {
        list[i] =
            nb_expr_alias(an->arena, cols[i], nb_pb_str(t->column_names[i]), nb_attr_next_id());
        NB_NEED(list[i]);
    }
    return nb_plan_project(an, child, list, n, out, err);
}

static nb_status
analyze_drop(nb_analyzer *an, const Sc__Drop *d, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    nb_scope scope = {.plans = &child, .n_plans = 1, .outer = an->outer};
    nb_attr_set gone = {.arena = an->arena};
    nb_expr **list;
    int n = 0;

    NB_TRY(nb_analyze_relation(an, d->input, &child, err));
    for (size_t i = 0; i < d->n_columns; i++) {
        nb_expr *e;
        nb_error quiet = NB_ERROR_INIT;
        nb_status st = nb_resolve_expr(an, &scope, d->columns[i], &e, &quiet);
        if (st == NB_ERROR && quiet.set &&
            (quiet.condition == NB_COND_AMBIGUOUS_REFERENCE ||
             quiet.condition == NB_COND_AMBIGUOUS_COLUMN_REFERENCE)) {
            if (err) {
                nb_error_move(&quiet, err);
            }
            return st;
        }
        nb_error_clear(&quiet); /* a column that is not there is no error */
        if (st >= 0 && e->kind == NB_EXPR_COLUMN) {
            NB_TRY(nb_attr_set_add(&gone, e->u.column.attr));
        }
    }
    for (size_t i = 0; i < d->n_column_names; i++) {
        for (int k = 0; k < child->n_attrs; k++) {
            if (nb_names_equal(an, child->attrs[k].name, nb_pb_str(d->column_names[i]))) {
                NB_TRY(nb_attr_set_add(&gone, child->attrs[k].id));
            }
        }
    }
    list = NB_ARENA_ARRAY(an->arena, nb_expr *, child->n_attrs + 1);
    NB_NEED(list);
    for (int i = 0; i < child->n_attrs; i++) {
        if (!child->attrs[i].hidden && !nb_attr_set_has(&gone, child->attrs[i].id)) {
            list[n] = nb_attr_expr(an->arena, &child->attrs[i]);
            NB_NEED(list[n]);
            n++;
        }
    }
    return nb_plan_project(an, child, list, n, out, err);
}

static nb_status
analyze_deduplicate(nb_analyzer *an, const Sc__Deduplicate *d, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    nb_expr **cols, **keys, **results;
    int n, n_keys = (int)d->n_column_names;

    if (d->has_within_watermark && d->within_watermark) {
        return nb_raise(
            err, NB_COND_WITHIN_WATERMARK, "msg",
            "dropDuplicatesWithinWatermark is not supported with batch DataFrames/DataSets", NULL);
    }
    NB_TRY(nb_analyze_relation(an, d->input, &child, err));
    if (d->has_all_columns_as_keys && d->all_columns_as_keys) {
        return nb_plan_distinct(an, child, out, err);
    }
    if (n_keys == 0) {
        return nb_raise(err, NB_COND_CONNECT_INVALID_PLAN_DEDUPLICATE_REQUIRES_COLUMNS_OR_ALL,
                        NULL);
    }
    NB_TRY(nb_columns_of(an, child, &cols, &n));
    keys = NB_ARENA_ARRAY(an->arena, nb_expr *, n_keys + 1);
    results = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 1);
    NB_NEED(keys && results);
    for (int i = 0; i < n_keys; i++) {
        nb_str name = nb_pb_str(d->column_names[i]);
        bool ambiguous;
        const nb_attr *a = nb_find_by_name(an, child, name, &ambiguous);
        if (!a) {
            return nb_raise(err, NB_COND_CONNECT_INVALID_PLAN_UNRESOLVED_COLUMN_AMONG_FIELD_NAMES,
                            "colName", nb_arena_printf(an->arena, "%.*s", (int)name.len, name.data),
                            "fieldNames", nb_field_names(an, child), NULL);
        }
        keys[i] = nb_attr_expr(an->arena, a);
        NB_NEED(keys[i]);
    }
    for (int i = 0; i < n; i++) {
        bool is_key = false;
        for (int k = 0; k < n_keys; k++) {
            is_key |= keys[k]->u.column.attr == cols[i]->u.column.attr;
        }
        results[i] = cols[i];
        if (!is_key) {
            nb_expr *first;
            NB_TRY(nb_call_agg(an, "first", &cols[i], 1, false, &first, err));
            results[i] = nb_expr_alias(an->arena, first, cols[i]->u.column.name, nb_attr_next_id());
            NB_NEED(results[i]);
        }
    }
    return nb_plan_aggregate(an, child, keys, n_keys, results, n, out, err);
}

static nb_status
check_fraction(nb_analyzer *an, const Sc__Sample *s, nb_error *err)
{
    const double slack = 1e-6; /* Spark's RandomSampler.roundingEpsilon */
    double fraction = s->upper_bound - s->lower_bound;
    bool again = s->has_with_replacement && s->with_replacement;
    char digits[NB_DOUBLE_TEXT + 1], *text;

    if (fraction >= -slack && (again || fraction <= 1 + slack)) {
        return NB_OK;
    }
    digits[nb_format_double(digits, fraction)] = 0;
    text = nb_arena_printf(
        an->arena, "requirement failed: Sampling fraction (%s) must be %s", digits,
        again ? "nonnegative with replacement" : "on interval [0, 1] without replacement");
    NB_NEED(text);
    return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", text, NULL);
}

static nb_status
analyze_sample(nb_analyzer *an, const Sc__Sample *s, nb_plan **out, nb_error *err)
{
    nb_plan *child;

    NB_TRY(nb_analyze_relation(an, s->input, &child, err));
    NB_TRY(check_fraction(an, s, err));
    if (s->deterministic_order) { /* randomSplit: the same rows in the same order for each part */
        nb_plan *sorted;
        nb_expr **cols;
        int n;
        NB_TRY(nb_columns_of(an, child, &cols, &n));
        NB_TRY(pass(an, NB_PLAN_SORT, child, &sorted));
        sorted->u.sort.keys = NB_ARENA_ARRAY(an->arena, nb_sort_key, n + 1);
        NB_NEED(sorted->u.sort.keys);
        for (int i = 0; i < n; i++) {
            if (nb_type_is_orderable(cols[i]->type)) {
                sorted->u.sort.keys[sorted->u.sort.n_keys++] = (nb_sort_key){.expr = cols[i]};
            }
        }
        child = sorted;
    }
    NB_TRY(pass(an, NB_PLAN_SAMPLE, child, out));
    (*out)->u.sample.lower = s->lower_bound;
    (*out)->u.sample.upper = s->upper_bound;
    (*out)->u.sample.with_replacement = s->has_with_replacement && s->with_replacement;
    (*out)->u.sample.seed = s->has_seed ? s->seed : (int64_t)an->cfg.info->query_start_us;
    return NB_OK;
}

static nb_status
analyze_range(nb_analyzer *an, const Sc__Range *r, nb_plan **out, nb_error *err)
{
    nb_plan *p = nb_plan_new(an->arena, NB_PLAN_RANGE, 0, 1);

    NB_NEED(p);
    if (r->step == 0) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "requirement failed: step (0) cannot be 0", NULL);
    }
    if (r->has_num_partitions && r->num_partitions < 1) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "Positive number of partitions required", NULL);
    }
    p->u.range.start = r->has_start ? r->start : 0;
    p->u.range.end = r->end;
    p->u.range.step = r->step;
    p->u.range.n_partitions = r->has_num_partitions ? r->num_partitions : an->cfg.n_partitions;
    p->attrs[0] =
        (nb_attr){.id = nb_attr_next_id(), .name = NB_STR("id"), .type = nb_type_of(NB_TYPE_INT64)};
    *out = p;
    return NB_OK;
}

static nb_status
raise_partitions(nb_analyzer *an, int n, nb_error *err)
{
    char *text = nb_arena_printf(
        an->arena, "requirement failed: Number of partitions (%d) must be positive.", n);

    NB_NEED(text);
    return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", text, NULL);
}

static nb_status
analyze_repartition(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    nb_plan *child;

    if (rel->rel_type_case == SC__RELATION__REL_TYPE_REPARTITION) {
        const Sc__Repartition *r = rel->repartition;
        NB_TRY(nb_analyze_relation(an, r->input, &child, err));
        if (r->num_partitions <= 0) {
            return raise_partitions(an, r->num_partitions, err);
        }
        NB_TRY(pass(an, NB_PLAN_EXCHANGE, child, out));
        (*out)->u.exchange.kind =
            r->has_shuffle && !r->shuffle ? NB_EXCHANGE_COALESCE : NB_EXCHANGE_ROUND_ROBIN;
        (*out)->u.exchange.n_partitions = r->num_partitions;
        return NB_OK;
    }
    const Sc__RepartitionByExpression *r = rel->repartition_by_expression;
    nb_scope scope = {.plans = &child, .n_plans = 1, .outer = an->outer};
    bool by_range = false;
    NB_TRY(nb_analyze_relation(an, r->input, &child, err));
    NB_TRY(pass(an, NB_PLAN_EXCHANGE, child, out));
    nb_plan *p = *out;
    p->u.exchange.n_keys = (int)r->n_partition_exprs;
    p->u.exchange.keys = NB_ARENA_ARRAY(an->arena, nb_expr *, p->u.exchange.n_keys + 1);
    p->u.exchange.order = NB_ARENA_ARRAY(an->arena, nb_sort_key, p->u.exchange.n_keys + 1);
    NB_NEED(p->u.exchange.keys && p->u.exchange.order);
    for (int i = 0; i < p->u.exchange.n_keys; i++) {
        const Sc__Expression *e = r->partition_exprs[i];
        if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_SORT_ORDER) {
            by_range = true;
            NB_TRY(nb_resolve_sort_order(an, &scope, e->sort_order, &p->u.exchange.order[i], err));
            p->u.exchange.keys[i] = p->u.exchange.order[i].expr;
        } else {
            NB_TRY(nb_resolve_expr(an, &scope, e, &p->u.exchange.keys[i], err));
            if (p->u.exchange.keys[i]->kind == NB_EXPR_ALIAS) {
                p->u.exchange.keys[i] = p->u.exchange.keys[i]->args[0];
            }
            p->u.exchange.order[i] = (nb_sort_key){.expr = p->u.exchange.keys[i]};
        }
    }
    p->u.exchange.kind = by_range               ? NB_EXCHANGE_RANGE
                         : p->u.exchange.n_keys ? NB_EXCHANGE_HASH
                                                : NB_EXCHANGE_ROUND_ROBIN;
    p->u.exchange.n_partitions = r->has_num_partitions ? r->num_partitions : an->cfg.n_partitions;
    if (p->u.exchange.n_partitions <= 0) {
        return raise_partitions(an, r->num_partitions, err);
    }
    return NB_OK;
}

static nb_status
analyze_hint(nb_analyzer *an, const Sc__Hint *h, nb_plan **out, nb_error *err)
{
    nb_str name = nb_pb_str(h->name);
    bool coalesce = nb_str_equal_nocase(name, NB_STR("coalesce"));
    const Sc__Expression *first = h->n_parameters == 1 ? h->parameters[0] : NULL;

    /* COALESCE(n) and REPARTITION(n); the planner picks sides by size, and unknown hints are only advice in Spark too */
    if ((coalesce || nb_str_equal_nocase(name, NB_STR("repartition")) ||
         nb_str_equal_nocase(name, NB_STR("rebalance"))) &&
        first && first->expr_type_case == SC__EXPRESSION__EXPR_TYPE_LITERAL &&
        first->literal->literal_type_case == SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER) {
        Sc__Repartition r = {.base = {.descriptor = &sc__repartition__descriptor},
                             .input = h->input,
                             .num_partitions = first->literal->integer,
                             .has_shuffle = true,
                             .shuffle = !coalesce};
        Sc__Relation rel = {.base = {.descriptor = &sc__relation__descriptor},
                            .rel_type_case = SC__RELATION__REL_TYPE_REPARTITION,
                            .repartition = &r};

        return nb_analyze_relation(an, &rel, out, err);
    }
    return nb_analyze_relation(an, h->input, out, err);
}

/* "DOUBLE" (`a`, `b`), "STRING" (`c`): the types of some columns, by name, for a message. */
static const char *
types_of_values(nb_analyzer *an, nb_expr *const *values, int n)
{
    const char *text = "", *last = "";

    for (;;) {
        const char *next = NULL;
        int written = 0;
        for (int i = 0; i < n; i++) {
            const char *name = nb_type_sql(an->arena, values[i]->type);
            if (name && strcmp(name, last) > 0 && (!next || strcmp(name, next) < 0)) {
                next = name;
            }
        }
        if (!next || !text) {
            return text ? text : "";
        }
        text = nb_arena_printf(an->arena, "%s%s\"%s\" (", text, *text ? ", " : "", next);
        for (int i = 0; i < n && text; i++) {
            const char *name = nb_type_sql(an->arena, values[i]->type);
            if (name && strcmp(name, next) == 0) {
                text = nb_arena_printf(an->arena, "%s%s`%s`", text, written++ ? ", " : "",
                                       nb_expr_sql(an->arena, values[i], false));
            }
        }
        text = text ? nb_arena_printf(an->arena, "%s)", text) : NULL;
        last = next;
    }
}

/* unpivot: an EXPAND with one projection per value column. */
static nb_status
analyze_unpivot(nb_analyzer *an, const Sc__Unpivot *u, nb_plan **out, nb_error *err)
{
    nb_plan *child, *p;
    nb_scope scope = {.plans = &child, .n_plans = 1, .outer = an->outer};
    nb_expr **ids, **values;
    int n_ids = 0, n_values = 0;
    const nb_type *common = NULL;

    NB_TRY(nb_analyze_relation(an, u->input, &child, err));
    ids = NB_ARENA_ARRAY(an->arena, nb_expr *, child->n_attrs + (int)u->n_ids + 1);
    values = NB_ARENA_ARRAY(an->arena, nb_expr *,
                            child->n_attrs + (int)(u->values ? u->values->n_values : 0) + 1);
    NB_NEED(ids && values);
    for (size_t i = 0; i < u->n_ids; i++) {
        nb_expr **some, *one;
        int n = 1;
        if (nb_is_star(u->ids[i])) {
            NB_TRY(nb_expand_star(an, &scope, u->ids[i], &some, &n, err));
        } else {
            NB_TRY(nb_resolve_expr(an, &scope, u->ids[i], &one, err));
            some = &one;
        }
        for (int k = 0; k < n && n_ids < child->n_attrs + (int)u->n_ids; k++) {
            nb_str name = {0};
            if (some[k]->kind != NB_EXPR_COLUMN && some[k]->kind != NB_EXPR_ALIAS) {
                NB_TRY(nb_expression_name(an, u->ids[i], &name, err));
            }
            NB_TRY(nb_name_expr(an, some[k], name, &ids[n_ids++]));
        }
    }
    if (u->values) {
        for (size_t i = 0; i < u->values->n_values; i++) {
            nb_expr **some, *one;
            int n = 1;
            if (nb_is_star(u->values->values[i])) {
                NB_TRY(nb_expand_star(an, &scope, u->values->values[i], &some, &n, err));
            } else {
                NB_TRY(nb_resolve_expr(an, &scope, u->values->values[i], &one, err));
                some = &one;
            }
            for (int k = 0; k < n && n_values < child->n_attrs + (int)u->values->n_values; k++) {
                values[n_values++] = some[k];
            }
        }
    } else {
        for (int i = 0; i < child->n_attrs; i++) {
            bool is_id = child->attrs[i].hidden;
            for (int k = 0; k < n_ids; k++) {
                is_id |=
                    ids[k]->kind == NB_EXPR_COLUMN && ids[k]->u.column.attr == child->attrs[i].id;
            }
            if (!is_id) {
                values[n_values] = nb_attr_expr(an->arena, &child->attrs[i]);
                NB_NEED(values[n_values]);
                n_values++;
            }
        }
    }
    if (n_values == 0) {
        return nb_raise(err, NB_COND_UNPIVOT_REQUIRES_VALUE_COLUMNS, NULL);
    }
    for (int i = 0; i < n_values; i++) {
        const nb_type *next = common ? nb_coerce_common(common, values[i]->type, an->cfg.info->ansi)
                                     : values[i]->type;
        /* No promotion to text: that would hide a mistake. */
        if (!next || (common && nb_type_is_string(common) != nb_type_is_string(values[i]->type))) {
            return nb_raise(err, NB_COND_UNPIVOT_VALUE_DATA_TYPE_MISMATCH, "types",
                            types_of_values(an, values, n_values), NULL);
        }
        common = next;
    }
    p = nb_plan_new(an->arena, NB_PLAN_EXPAND, 1, n_ids + 2);
    NB_NEED(p);
    p->children[0] = child;
    p->u.expand.n_projections = n_values;
    p->u.expand.projections = NB_ARENA_ARRAY(an->arena, nb_expr **, n_values);
    NB_NEED(p->u.expand.projections);
    for (int i = 0; i < n_ids; i++) {
        p->attrs[i] = nb_attr_of_expr(ids[i]);
        p->attrs[i].id = nb_attr_next_id();
    }
    p->attrs[n_ids] = (nb_attr){.id = nb_attr_next_id(),
                                .name = nb_pb_str(u->variable_column_name),
                                .type = nb_type_of(NB_TYPE_STRING)};
    p->attrs[n_ids + 1] = (nb_attr){.id = nb_attr_next_id(),
                                    .name = nb_pb_str(u->value_column_name),
                                    .type = common,
                                    .nullable = true};
    for (int v = 0; v < n_values; v++) {
        nb_expr **row = NB_ARENA_ARRAY(an->arena, nb_expr *, n_ids + 2), *value = values[v];
        nb_str name = value->kind == NB_EXPR_ALIAS ? value->u.alias.name
                      : value->kind == NB_EXPR_COLUMN
                          ? value->u.column.name
                          : nb_str_of(nb_expr_sql(an->arena, value, false));
        NB_NEED(row);
        for (int i = 0; i < n_ids; i++) {
            row[i] = ids[i]->kind == NB_EXPR_ALIAS ? ids[i]->args[0] : ids[i];
        }
        row[n_ids] = nb_expr_string(an->arena, name);
        NB_NEED(row[n_ids]);
        NB_TRY(nb_cast_to(an, value->kind == NB_EXPR_ALIAS ? value->args[0] : value, common,
                          &row[n_ids + 1], err));
        p->u.expand.projections[v] = row;
    }
    *out = p;
    return NB_OK;
}

static nb_status
analyze_with_relations(nb_analyzer *an, const Sc__WithRelations *w, nb_plan **out, nb_error *err)
{
    nb_status st;

    if (an->n_with == an->cap_with) {
        int cap = an->cap_with ? an->cap_with * 2 : 8;
        nb_with_scope *with = NB_ARENA_ARRAY(an->arena, nb_with_scope, cap);
        NB_NEED(with);
        if (an->n_with) {
            memcpy(with, an->with, sizeof *with * (size_t)an->n_with);
        }
        an->with = with;
        an->cap_with = cap;
    }
    an->with[an->n_with++] = (nb_with_scope){w, w->n_references};
    st = nb_analyze_relation(an, w->root, out, err);
    an->n_with--;
    return st;
}

nb_status
nb_raise_limit(nb_analyzer *an, const char *name, int64_t n, nb_error *err)
{
    char *text = nb_arena_printf(an->arena, "%lld", (long long)n);
    char *quoted = nb_arena_printf(an->arena, "\"%lld\"", (long long)n);

    NB_NEED(text && quoted);
    return nb_raise(err, NB_COND_INVALID_LIMIT_LIKE_EXPRESSION_IS_NEGATIVE, "name", name, "expr",
                    quoted, "v", text, NULL);
}

static nb_status
analyze_one(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    nb_plan *child;

    switch (rel->rel_type_case) {
    case SC__RELATION__REL_TYPE_READ: return nb_analyze_read(an, rel->read, out, err);
    case SC__RELATION__REL_TYPE_PROJECT: return analyze_project(an, rel, out, err);
    case SC__RELATION__REL_TYPE_FILTER: return analyze_filter(an, rel, out, err);
    case SC__RELATION__REL_TYPE_JOIN: return nb_analyze_join(an, rel, out, err);
    case SC__RELATION__REL_TYPE_LATERAL_JOIN:
        return nb_analyze_lateral(an, rel->lateral_join, out, err);
    case SC__RELATION__REL_TYPE_SET_OP: return nb_analyze_set_op(an, rel->set_op, out, err);
    case SC__RELATION__REL_TYPE_SORT: return analyze_sort(an, rel->sort, out, err);
    case SC__RELATION__REL_TYPE_LIMIT:
        if (rel->limit->limit < 0) {
            return nb_raise_limit(an, "limit", rel->limit->limit, err);
        }
        NB_TRY(nb_analyze_relation(an, rel->limit->input, &child, err));
        return nb_plan_limit(an, child, rel->limit->limit, 0, out, err);
    case SC__RELATION__REL_TYPE_OFFSET:
        if (rel->offset->offset < 0) {
            return nb_raise_limit(an, "offset", rel->offset->offset, err);
        }
        NB_TRY(nb_analyze_relation(an, rel->offset->input, &child, err));
        return nb_plan_limit(an, child, -1, rel->offset->offset, out, err);
    case SC__RELATION__REL_TYPE_TAIL:
        NB_TRY(nb_analyze_relation(an, rel->tail->input, &child, err));
        if (rel->tail->limit < 0) {
            return nb_raise_limit(an, "tail", rel->tail->limit, err);
        }
        NB_TRY(pass(an, NB_PLAN_TAIL, child, out));
        (*out)->u.limit.limit = rel->tail->limit;
        return NB_OK;
    case SC__RELATION__REL_TYPE_AGGREGATE: return nb_analyze_aggregate(an, rel, out, err);
    case SC__RELATION__REL_TYPE_SQL: return nb_analyze_sql(an, rel->sql, out, err);
    case SC__RELATION__REL_TYPE_LOCAL_RELATION:
    case SC__RELATION__REL_TYPE_CACHED_LOCAL_RELATION:
    case SC__RELATION__REL_TYPE_CACHED_REMOTE_RELATION:
    case SC__RELATION__REL_TYPE_CHUNKED_CACHED_LOCAL_RELATION:
        return nb_analyze_local(an, rel, out, err);
    case SC__RELATION__REL_TYPE_SAMPLE: return analyze_sample(an, rel->sample, out, err);
    case SC__RELATION__REL_TYPE_DEDUPLICATE:
        return analyze_deduplicate(an, rel->deduplicate, out, err);
    case SC__RELATION__REL_TYPE_RANGE: return analyze_range(an, rel->range, out, err);
    case SC__RELATION__REL_TYPE_SUBQUERY_ALIAS: {
        nb_str name = nb_pb_str(rel->subquery_alias->alias);
        NB_TRY(nb_analyze_relation(an, rel->subquery_alias->input, &child, err));
        return nb_plan_alias(an, child, &name, 1, out, err);
    }
    case SC__RELATION__REL_TYPE_REPARTITION:
    case SC__RELATION__REL_TYPE_REPARTITION_BY_EXPRESSION:
        return analyze_repartition(an, rel, out, err);
    case SC__RELATION__REL_TYPE_TO_DF: return analyze_to_df(an, rel->to_df, out, err);
    case SC__RELATION__REL_TYPE_WITH_COLUMNS_RENAMED:
        return analyze_renamed(an, rel->with_columns_renamed, out, err);
    case SC__RELATION__REL_TYPE_WITH_COLUMNS: return analyze_with_columns(an, rel, out, err);
    case SC__RELATION__REL_TYPE_DROP: return analyze_drop(an, rel->drop, out, err);
    case SC__RELATION__REL_TYPE_PARSE: return nb_analyze_parse(an, rel->parse, out, err);
    case SC__RELATION__REL_TYPE_HINT: return analyze_hint(an, rel->hint, out, err);
    case SC__RELATION__REL_TYPE_UNPIVOT: return analyze_unpivot(an, rel->unpivot, out, err);
    case SC__RELATION__REL_TYPE_TO_SCHEMA:
        return nb_analyze_to_schema(an, rel->to_schema, out, err);
    case SC__RELATION__REL_TYPE_WITH_RELATIONS:
        return analyze_with_relations(an, rel->with_relations, out, err);
    case SC__RELATION__REL_TYPE_FILL_NA:
    case SC__RELATION__REL_TYPE_DROP_NA:
    case SC__RELATION__REL_TYPE_REPLACE: return nb_analyze_na(an, rel, out, err);
    case SC__RELATION__REL_TYPE_SUMMARY:
    case SC__RELATION__REL_TYPE_DESCRIBE:
    case SC__RELATION__REL_TYPE_CROSSTAB:
    case SC__RELATION__REL_TYPE_COV:
    case SC__RELATION__REL_TYPE_CORR:
    case SC__RELATION__REL_TYPE_APPROX_QUANTILE:
    case SC__RELATION__REL_TYPE_FREQ_ITEMS:
    case SC__RELATION__REL_TYPE_SAMPLE_BY: return nb_analyze_stat(an, rel, out, err);
    case SC__RELATION__REL_TYPE_UNRESOLVED_TABLE_VALUED_FUNCTION:
        return nb_analyze_table_function(an, rel, out, err);
    case SC__RELATION__REL_TYPE_CATALOG:
        if (rel->catalog->cat_type_case == SC__CATALOG__CAT_TYPE_CREATE_TABLE) {
            return nb_analyze_table(an, rel->catalog->create_table->table_name, out, err);
        }
        return nb_raise_unsupported(err, "A call of spark.catalog as part of a query");
    case SC__RELATION__REL_TYPE_TRANSPOSE:
        return nb_analyze_transpose(an, rel->transpose, out, err);
    case SC__RELATION__REL_TYPE_WITH_WATERMARK:
        return nb_analyze_watermark(an, rel->with_watermark, out, err);
    case SC__RELATION__REL_TYPE_COLLECT_METRICS: return nb_analyze_observe(an, rel, out, err);
    case SC__RELATION__REL_TYPE_ML_RELATION:
        if (an->cfg.ml.resolve) {
            return an->cfg.ml.resolve(an->cfg.ml.payload, an, rel, out, err);
        }
        return nb_raise_unsupported(err, "An ML relation");
    case SC__RELATION__REL_TYPE__NOT_SET:
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "a relation of no kind", NULL);
    case SC__RELATION__REL_TYPE_MAP_PARTITIONS:
        return nb_analyze_map_partitions(an, rel->map_partitions, out, err);
    case SC__RELATION__REL_TYPE_GROUP_MAP:
        return nb_analyze_group_map(an, rel->group_map, out, err);
    case SC__RELATION__REL_TYPE_CO_GROUP_MAP:
        return nb_analyze_co_group_map(an, rel->co_group_map, out, err);
    default:
        return nb_raise_unsupported(err, "The relation %s",
                                    nb_pb_case(&rel->base, (int)rel->rel_type_case));
    }
}

/* Columns of a cached relation under new ids; its own plan stays below for the first use. */
static nb_status
cached_leaf(nb_analyzer *an, nb_cached *cached, nb_plan *inner, nb_plan **out)
{
    nb_plan *p = nb_plan_new(an->arena, NB_PLAN_CACHED, 1, inner->n_attrs);

    NB_NEED(p);
    p->children[0] = inner;
    p->u.cached.cached = cached;
    memcpy(p->attrs, inner->attrs, sizeof(nb_attr) * (size_t)inner->n_attrs);
    *out = p;
    return NB_OK;
}

nb_status
nb_analyze_relation(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    nb_status st;
    int64_t plan_id, goal;

    NB_TRY(need_input(rel, err));
    if (an->depth + 1 > NB_PLAN_MAX_DEPTH) {
        return nb_raise(err, NB_COND_INVALID_PLAN, "message", "the plan is nested too deeply",
                        NULL);
    }
    an->depth++;
    plan_id = rel->common && rel->common->has_plan_id ? rel->common->plan_id : -1;
    goal = an->row_goal;
    an->row_goal = rel->rel_type_case == SC__RELATION__REL_TYPE_LIMIT ? rel->limit->limit
                   : nb_keeps_rows(rel)                               ? goal
                                                                      : -1;
    st = analyze_one(an, rel, out, err);
    an->row_goal = goal;
    if (st == NB_ERROR && err != NULL && nb_error_get_kind(err) == NB_KIND_ANALYSIS) {
        st = nb_located(st, nb_origin_new(an, rel->common ? rel->common->origin : NULL), err);
    }
    if (st >= 0 && plan_id >= 0 && nb_catalog_may_be_cached(an->cfg.catalog, plan_id)) {
        size_t n = protobuf_c_message_get_packed_size(&rel->base);
        uint8_t *bytes = nb_arena_alloc(an->arena, n + 1);
        nb_cached *cached = NULL;
        if (bytes) {
            n = protobuf_c_message_pack(&rel->base, bytes);
            cached =
                nb_catalog_find_cached(an->cfg.catalog, plan_id, (nb_str){(const char *)bytes, n});
        }
        if (cached) {
            st = cached_leaf(an, cached, *out, out);
        }
    }
    if (st >= 0) {
        if ((*out)->plan_id >= 0 && plan_id >= 0 && (*out)->plan_id != plan_id) {
            /* a relation that added no node of its own still answers to its id */
            nb_plan *p;
            st = nb_plan_alias(an, *out, NULL, 0, &p, err);
            if (st >= 0) {
                memcpy(p->attrs, (*out)->attrs, sizeof(nb_attr) * (size_t)(*out)->n_attrs);
                p->n_attrs = (*out)->n_attrs;
                *out = p;
            }
        }
        (*out)->plan_id = plan_id >= 0 ? plan_id : (*out)->plan_id;
    }
    an->depth--;
    return st;
}
