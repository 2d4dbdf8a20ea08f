/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_aggregate.c: GROUP BY in all its forms.
 *
 *   groupBy            AGGREGATE over the keys; what is computed from keys and aggregates becomes a PROJECT above
 *   rollup, cube,      EXPAND first: each row once per grouping set, keys that are not in the set null, and a number that says
 *   grouping sets      which set it is (grouping_id), which is a key too
 *   pivot              the aggregates once per value, each filtered by `column <=> value`
 */
#include "plan/analyzer_internal.h"
#include "base/config.h"
#include "sql/encoding.h"
#include "sql/parser.h"

typedef struct split {
    nb_analyzer *an;
    nb_expr **keys; /* named */
    int n_keys;
    nb_expr **aggs;   /* ALIAS over AGG */
    uint64_t *hashes; /* of the AGGs: thousands are compared with each other */
    int n_aggs, cap_aggs, cap_hashes;
    const nb_plan *rows; /* what is aggregated */
} split;

static nb_expr *
bare(nb_expr *e)
{
    return e->kind == NB_EXPR_ALIAS ? e->args[0] : e;
}

static nb_status
take_agg(split *s, nb_expr *agg, nb_expr **out)
{
    nb_arena *arena = s->an->arena;
    uint64_t hash = nb_expr_hash(agg);
    nb_expr *alias;

    for (int i = 0; i < s->n_aggs; i++) {
        if (s->hashes[i] == hash && nb_expr_equal(s->aggs[i]->args[0], agg)) {
            *out = nb_expr_column(arena, s->aggs[i]->u.alias.attr, s->aggs[i]->u.alias.name,
                                  agg->type, agg->nullable);
            return *out ? NB_OK : NB_NOMEM;
        }
    }
    s->aggs = nb_arena_grow(arena, s->aggs, s->n_aggs, &s->cap_aggs, sizeof *s->aggs);
    s->hashes = nb_arena_grow(arena, s->hashes, s->n_aggs, &s->cap_hashes, sizeof *s->hashes);
    NB_NEED(s->aggs && s->hashes);
    alias = nb_expr_alias(arena, agg, nb_str_of(nb_expr_sql(arena, agg, false)), nb_attr_next_id());
    NB_NEED(alias);
    s->hashes[s->n_aggs] = hash;
    s->aggs[s->n_aggs++] = alias;
    *out =
        nb_expr_column(arena, alias->u.alias.attr, alias->u.alias.name, agg->type, agg->nullable);
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status split_expr(split *s, nb_expr *e, nb_expr **out, nb_error *err);

static nb_status
split_args(split *s, nb_expr *e, nb_expr **out, nb_error *err)
{
    nb_expr **args = NB_ARENA_ARRAY(s->an->arena, nb_expr *, e->n_args + 1);
    bool changed = false;

    NB_NEED(args);
    for (int i = 0; i < e->n_args; i++) {
        NB_TRY(split_expr(s, e->args[i], &args[i], err));
        changed |= args[i] != e->args[i];
    }
    *out = changed ? nb_expr_with_args(s->an->arena, e, args) : e;
    return *out ? NB_OK : NB_NOMEM;
}

/* sum(sum(x)) OVER (PARTITION BY k): the inner call is the aggregate, the window's own call stays. */
static nb_status
split_window(split *s, nb_expr *e, nb_expr **out, nb_error *err)
{
    nb_arena *arena = s->an->arena;
    nb_expr *w = nb_expr_new(arena, NB_EXPR_WINDOW, e->type, e->nullable, 0);
    nb_window_spec *spec = NB_ARENA_NEW(arena, nb_window_spec);
    const nb_window_spec *from = e->u.window.spec;

    NB_NEED(w && spec);
    *spec = *from;
    spec->partition_by = NB_ARENA_ARRAY(arena, nb_expr *, from->n_partition_by + 1);
    spec->order_by = NB_ARENA_ARRAY(arena, nb_sort_key, from->n_order_by + 1);
    NB_NEED(spec->partition_by && spec->order_by);
    for (int i = 0; i < from->n_partition_by; i++) {
        NB_TRY(split_expr(s, from->partition_by[i], &spec->partition_by[i], err));
    }
    for (int i = 0; i < from->n_order_by; i++) {
        spec->order_by[i] = from->order_by[i];
        NB_TRY(split_expr(s, from->order_by[i].expr, &spec->order_by[i].expr, err));
    }
    w->u.window.spec = spec;
    w->u.window.ignore_nulls = e->u.window.ignore_nulls;
    NB_TRY(split_args(s, e->u.window.fn, &w->u.window.fn, err));
    nb_expr_set_flags(w);
    w->foldable = false;
    *out = w;
    return NB_OK;
}

/* Keys become columns, aggregates are taken out; a column that is left over is no key. */
static nb_status
split_expr(split *s, nb_expr *e, nb_expr **out, nb_error *err)
{
    for (int i = 0; i < s->n_keys; i++) {
        nb_expr *key = bare(s->keys[i]);
        if (nb_expr_equal(key, e)) {
            nb_attr a = nb_attr_of_expr(s->keys[i]);
            *out = nb_attr_expr(s->an->arena, &a);
            return *out ? NB_OK : NB_NOMEM;
        }
    }
    switch (e->kind) {
    case NB_EXPR_AGG: return take_agg(s, e, out);
    case NB_EXPR_WINDOW: return split_window(s, e, out, err);
    case NB_EXPR_COLUMN:
        if (nb_is_lateral(s->an, e)) { /* computed by a projection above */
            *out = e;
            return NB_OK;
        }
        for (int i = 0; i < s->n_keys; i++) { /* already a key's output */
            if (nb_attr_of_expr(s->keys[i]).id == e->u.column.attr) {
                *out = e;
                return NB_OK;
            }
        }
        if (s->an->lambdas == NULL && e->u.column.ordinal == -1) {
            const char *sql = nb_arena_printf(s->an->arena, "\"%.*s\"", (int)e->u.column.name.len,
                                              e->u.column.name.data);
            if (s->n_keys == 0) {
                return nb_raise(err, NB_COND_MISSING_GROUP_BY, NULL);
            }
            return nb_raise(err, NB_COND_MISSING_AGGREGATION, "expression", sql,
                            "expressionAnyValue",
                            nb_arena_printf(s->an->arena, "\"any_value(%.*s)\"",
                                            (int)e->u.column.name.len, e->u.column.name.data),
                            NULL);
        }
        *out = e;
        return NB_OK;
    case NB_EXPR_SUBQUERY:
        NB_TRY(
            nb_subquery_over_groups(s->an, e->u.subquery.plan, s->rows, s->keys, s->n_keys, err));
        return split_args(s, e, out, err);
    case NB_EXPR_LAMBDA: /* its parameters are no columns of the group */ *out = e; return NB_OK;
    default: return split_args(s, e, out, err);
    }
}

static nb_plan *
aggregate_node(nb_analyzer *an, nb_plan *child, split *s)
{
    nb_plan *p = nb_plan_new(an->arena, NB_PLAN_AGGREGATE, 1, s->n_keys + s->n_aggs);

    if (!p) {
        return NULL;
    }
    p->children[0] = child;
    p->u.aggregate.keys = s->keys;
    p->u.aggregate.n_keys = s->n_keys;
    p->u.aggregate.aggs = s->aggs;
    p->u.aggregate.n_aggs = s->n_aggs;
    for (int i = 0; i < s->n_keys; i++) {
        const nb_expr *key = bare(s->keys[i]);
        const nb_attr *from =
            key->kind == NB_EXPR_COLUMN ? nb_plan_find_attr(child, key->u.column.attr) : NULL;
        p->attrs[i] = from && key == s->keys[i] ? *from : nb_attr_of_expr(s->keys[i]);
        p->attrs[i].hidden = false;
        if (from && p->attrs[i].metadata.len == 0) {
            p->attrs[i].metadata = from->metadata;
        }
    }
    for (int i = 0; i < s->n_aggs; i++) {
        p->attrs[s->n_keys + i] = nb_attr_of_expr(s->aggs[i]);
    }
    return p;
}

nb_status
nb_plan_aggregate(nb_analyzer *an, nb_plan *child, nb_expr **keys, int n_keys, nb_expr **results,
                  int n_results, nb_plan **out, nb_error *err)
{
    split s = {.an = an, .keys = keys, .n_keys = n_keys, .rows = child};
    nb_expr **list = NB_ARENA_ARRAY(an->arena, nb_expr *, n_results + 1);
    nb_plan *agg;

    NB_NEED(list);
    for (int i = 0; i < n_keys; i++) {
        const char *bad = NULL;
        NB_TRY(nb_own_column(an, child, &keys[i]));
        if (nb_has_agg(keys[i])) {
            return nb_raise(err, NB_COND_GROUP_BY_AGGREGATE, "sqlExpr",
                            nb_expr_sql(an->arena, bare(keys[i]), false), NULL);
        }
        if (!nb_type_is_orderable(keys[i]->type) && keys[i]->type->id == NB_TYPE_MAP) {
            bad = nb_type_sql(an->arena, keys[i]->type);
        }
        if (bad) {
            return nb_raise(
                err, NB_COND_GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE, "sqlExpr",
                nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, bare(keys[i]), false)),
                "dataType", nb_arena_printf(an->arena, "\"%s\"", bad), NULL);
        }
    }
    for (int i = 0; i < n_results; i++) {
        nb_expr *e = results[i], *made;
        NB_TRY(split_expr(&s, e->kind == NB_EXPR_ALIAS ? e->args[0] : e, &made, err));
        if (e->kind == NB_EXPR_ALIAS) {
            nb_expr *alias = nb_expr_alias(an->arena, made, e->u.alias.name, e->u.alias.attr);
            NB_NEED(alias);
            alias->u.alias.metadata = e->u.alias.metadata;
            list[i] = alias;
        } else if (made->kind != NB_EXPR_COLUMN) {
            NB_TRY(nb_name_expr(an, made, NB_STR("col"), &list[i]));
        } else {
            list[i] = made;
        }
    }
    agg = aggregate_node(an, child, &s);
    NB_NEED(agg);
    return nb_plan_project(an, agg, list, n_results, out, err);
}

nb_status
nb_plan_distinct(nb_analyzer *an, nb_plan *child, nb_plan **out, nb_error *err)
{
    nb_expr **keys;
    int n;

    NB_TRY(nb_columns_of(an, child, &keys, &n));
    for (int i = 0; i < n; i++) {
        if (keys[i]->type->id == NB_TYPE_MAP) {
            return nb_raise(
                err, NB_COND_UNSUPPORTED_SET_OPERATION_ON_MAP_TYPE, "colName",
                nb_arena_printf(an->arena, "`%.*s`", (int)keys[i]->u.column.name.len,
                                keys[i]->u.column.name.data),
                "dataType",
                nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, keys[i]->type)), NULL);
        }
    }
    return nb_plan_aggregate(an, child, keys, n, keys, n, out, err);
}

/* ---- rollup, cube, grouping sets ---- */

/* sets[i] has bit (n_keys - 1 - k) set where key k is rolled up. Puts an EXPAND over child; keys become its null-able copies; *gid is the attribute
 * that tells the sets apart, *pos (when sets repeat) one that makes repeated sets differ. */
static nb_status
expand_sets(nb_analyzer *an, nb_plan *child, nb_expr **keys, int n_keys, const uint64_t *sets,
            int n_sets, nb_plan **out, nb_expr **key_cols, nb_attr *gid, nb_attr *pos)
{
    nb_plan *p = nb_plan_new(an->arena, NB_PLAN_EXPAND, 1, child->n_attrs + n_keys + 2);
    int base = child->n_attrs;

    NB_NEED(p);
    p->children[0] = child;
    memcpy(p->attrs, child->attrs, sizeof(nb_attr) * (size_t)base);
    p->u.expand.n_projections = n_sets;
    p->u.expand.projections = NB_ARENA_ARRAY(an->arena, nb_expr **, n_sets);
    NB_NEED(p->u.expand.projections);
    for (int k = 0; k < n_keys; k++) {
        nb_expr *key = bare(keys[k]);
        nb_attr a = {.id = nb_attr_next_id(), .type = key->type, .nullable = true};
        const nb_attr *from =
            key->kind == NB_EXPR_COLUMN ? nb_plan_find_attr(child, key->u.column.attr) : NULL;
        if (from) {
            a.qualifier = from->qualifier;
            a.n_qualifier = from->n_qualifier;
        }
        a.name = keys[k]->kind == NB_EXPR_ALIAS ? keys[k]->u.alias.name : key->u.column.name;
        p->attrs[base + k] = a;
        key_cols[k] = nb_attr_expr(an->arena, &a);
        NB_NEED(key_cols[k]);
    }
    *gid = (nb_attr){.id = nb_attr_next_id(),
                     .name = NB_STR("spark_grouping_id"),
                     .type = nb_type_of(NB_TYPE_INT64)};
    *pos = (nb_attr){.id = nb_attr_next_id(),
                     .name = NB_STR("_gen_grouping_pos"),
                     .type = nb_type_of(NB_TYPE_INT32)};
    p->attrs[base + n_keys] = *gid;
    p->attrs[base + n_keys + 1] = *pos;
    for (int i = 0; i < n_sets; i++) {
        nb_expr **row = NB_ARENA_ARRAY(an->arena, nb_expr *, p->n_attrs);
        NB_NEED(row);
        for (int c = 0; c < base; c++) {
            row[c] = nb_attr_expr(an->arena, &child->attrs[c]);
            NB_NEED(row[c]);
        }
        for (int k = 0; k < n_keys; k++) {
            nb_expr *key = bare(keys[k]);
            row[base + k] =
                (sets[i] >> (n_keys - 1 - k)) & 1 ? nb_expr_null(an->arena, key->type) : key;
            NB_NEED(row[base + k]);
        }
        row[base + n_keys] = nb_expr_int64(an->arena, (int64_t)sets[i]);
        row[base + n_keys + 1] = nb_expr_int32(an->arena, i);
        NB_NEED(row[base + n_keys] && row[base + n_keys + 1]);
        p->u.expand.projections[i] = row;
    }
    *out = p;
    return NB_OK;
}

static bool
sets_repeat(const uint64_t *sets, int n)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            if (sets[i] == sets[j]) {
                return true;
            }
        }
    }
    return false;
}

static nb_status resolve_key(nb_analyzer *an, const nb_scope *scope, const Sc__Aggregate *agg,
                             bool is_select, const Sc__Expression *e, nb_expr **out, nb_error *err);

/* GROUPING SETS ((a), (1, b)): what several sets name, each in its way, is one key. */
static int
distinct_keys(nb_expr **keys, int n)
{
    int kept = 0;

    for (int i = 0; i < n; i++) {
        bool seen = false;
        for (int j = 0; j < kept && !seen; j++) {
            seen = nb_expr_equal(bare(keys[j]), bare(keys[i]));
        }
        if (!seen) {
            keys[kept++] = keys[i];
        }
    }
    return kept;
}

static nb_status
grouping_sets_of(nb_analyzer *an, const nb_scope *scope, const Sc__Aggregate *agg, bool is_select,
                 nb_expr **keys, int n_keys, uint64_t **out, int *n, nb_error *err)
{
    uint64_t all = n_keys >= 64 ? ~0ULL : ((1ULL << n_keys) - 1), *sets;

    if (n_keys > 63) {
        return nb_raise(err, NB_COND_GROUPING_SIZE_LIMIT_EXCEEDED, "maxSize", "64", NULL);
    }
    if (agg->group_type == SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_ROLLUP) {
        sets = NB_ARENA_ARRAY(an->arena, uint64_t, n_keys + 1);
        NB_NEED(sets);
        for (int i = 0; i <= n_keys; i++) {
            sets[i] = (1ULL << i) - 1;
        }
        *n = n_keys + 1;
    } else if (agg->group_type == SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_CUBE) {
        if (n_keys > 16) {
            return nb_raise(err, NB_COND_GROUPING_SIZE_LIMIT_EXCEEDED, "maxSize", "16", NULL);
        }
        sets = NB_ARENA_ARRAY(an->arena, uint64_t, (size_t)1 << n_keys);
        NB_NEED(sets);
        for (uint64_t i = 0; i <= all; i++) {
            sets[i] = i;
        }
        *n = (int)all + 1;
    } else {
        sets = NB_ARENA_ARRAY(an->arena, uint64_t, agg->n_grouping_sets + 1);
        NB_NEED(sets);
        for (size_t i = 0; i < agg->n_grouping_sets; i++) {
            sets[i] = all;
            for (size_t k = 0; k < agg->grouping_sets[i]->n_grouping_set; k++) {
                nb_expr *e;
                bool found = false;
                NB_TRY(resolve_key(an, scope, agg, is_select,
                                   agg->grouping_sets[i]->grouping_set[k], &e, err));
                for (int j = 0; j < n_keys; j++) {
                    if (nb_expr_equal(bare(keys[j]), bare(e))) {
                        sets[i] &= ~(1ULL << (n_keys - 1 - j));
                        found = true;
                    }
                }
                if (!found) {
                    return nb_raise(err, NB_COND_GROUPING_COLUMN_MISMATCH, "grouping",
                                    nb_expr_sql(an->arena, bare(e), false), "groupingColumns", "",
                                    NULL);
                }
            }
        }
        *n = (int)agg->n_grouping_sets;
    }
    *out = sets;
    return NB_OK;
}

/* ---- pivot ---- */

/* The distinct values of the pivot column, sorted, by running a query now. Its input is analysed anew: the optimizer works on plans
 * in place, and would take away columns that the pivot itself still needs. */
static nb_status
pivot_values(nb_analyzer *an, const Sc__Aggregate *agg, nb_expr ***out, int *n, nb_error *err)
{
    nb_expr *named, *column;
    nb_plan *child, *p, *sorted, *limited;
    nb_scope scope = {.plans = &child, .n_plans = 1, .outer = an->outer};
    nb_table *table = NULL;
    int64_t most = nb_config_int(an->cfg.info->config, NB_CONF_PIVOT_MAX_VALUES);
    nb_status st = NB_OK;

    if (!an->cfg.run) {
        return nb_raise_unsupported(err, "pivot without values");
    }
    NB_TRY(nb_analyze_relation(an, agg->input, &child, err));
    NB_TRY(nb_resolve_expr(an, &scope, agg->pivot->col, &column, err));
    NB_TRY(nb_name_expr(an, column, NB_STR("value"), &named));
    NB_TRY(nb_plan_aggregate(an, child, &named, 1, &named, 1, &p, err));
    sorted = nb_plan_new(an->arena, NB_PLAN_SORT, 1, 1);
    limited = nb_plan_new(an->arena, NB_PLAN_LIMIT, 1, 1);
    NB_NEED(sorted && limited);
    sorted->children[0] = p;
    sorted->attrs[0] = limited->attrs[0] = p->attrs[0];
    sorted->u.sort.keys = NB_ARENA_NEW(an->arena, nb_sort_key);
    NB_NEED(sorted->u.sort.keys);
    sorted->u.sort.keys[0].expr = nb_attr_expr(an->arena, &p->attrs[0]);
    NB_NEED(sorted->u.sort.keys[0].expr);
    sorted->u.sort.n_keys = 1;
    sorted->u.sort.global = true;
    limited->children[0] = sorted;
    limited->u.limit.limit = most + 1;
    NB_TRY(an->cfg.run(an->cfg.run_payload, limited, &table, err));
    if (table->n_rows > most) {
        st = nb_raise(err, NB_COND_PIVOT_VALUE_LIMIT, "pivotColumn",
                      nb_expr_sql(an->arena, column, false), "maxValues",
                      nb_arena_printf(an->arena, "%lld", (long long)most), "config",
                      "spark.sql.pivotMaxValues", NULL);
    }
    *out = NB_ARENA_ARRAY(an->arena, nb_expr *, table->n_rows + 1);
    *n = 0;
    for (int c = 0; c < table->n_chunks && st >= 0 && *out; c++) {
        for (int64_t i = 0; i < table->chunks[c]->n_rows && st >= 0; i++) {
            nb_vector one;
            uint32_t idx = (uint32_t)i;
            st = nb_vector_gather(an->arena, &table->chunks[c]->cols[0], &idx, 1, &one);
            if (st >= 0) {
                nb_vector flat;
                st = nb_vector_flatten(an->arena, &one, &flat);
                flat.kind = NB_VEC_CONST;
                (*out)[*n] = st >= 0 ? nb_expr_literal(an->arena, &flat) : NULL;
                st = (*out)[*n] ? NB_OK : NB_NOMEM;
                *n += 1;
            }
        }
    }
    nb_table_release(table);
    return st;
}

typedef struct pivot_rewrite {
    nb_analyzer *an;
    nb_expr *condition;
    bool in_one; /* Spark makes one aggregation of it, in which first and last pass over nulls */
} pivot_rewrite;

static nb_status
filter_aggs(nb_arena *arena, nb_expr *in, nb_expr **out, void *payload, nb_error *err)
{
    pivot_rewrite *r = payload;
    nb_expr *agg, *both;

    *out = in;
    if (in->kind != NB_EXPR_AGG) {
        return NB_OK;
    }
    agg = nb_expr_with_args(arena, in, in->args);
    NB_NEED(agg);
    agg->u.agg.filter = r->condition;
    if (in->u.agg.filter) {
        NB_TRY(nb_call2(r->an, "and", in->u.agg.filter, r->condition, &both, err));
        agg->u.agg.filter = both;
    }
    if (r->in_one && in->n_args > 0 &&
        (in->u.agg.fn == nb_aggregate_find(NB_STR("first")) ||
         in->u.agg.fn == nb_aggregate_find(NB_STR("last")))) {
        nb_expr *known;
        NB_TRY(nb_call(r->an, "isnotnull", &in->args[0], 1, &known, err));
        NB_TRY(nb_call2(r->an, "and", agg->u.agg.filter, known, &agg->u.agg.filter, err));
    }
    *out = agg;
    return NB_OK;
}

/* A value that no row of the group has gives null, count and coalesce(sum(x), 0) too. */
static nb_status
null_without_rows(nb_analyzer *an, nb_expr *condition, nb_expr *in, nb_expr **out, nb_error *err)
{
    nb_expr *count, *zero = nb_expr_int64(an->arena, 0), *one = nb_expr_int32(an->arena, 1),
                    *args[3] = {NULL, nb_expr_null(an->arena, in->type), in};

    *out = in;
    if (in->kind == NB_EXPR_AGG && in->nullable) {
        return NB_OK;
    }
    NB_NEED(zero && one && args[1]);
    NB_TRY(nb_call_agg(an, "count", &one, 1, false, &count, err));
    count->u.agg.filter = condition;
    NB_TRY(nb_call2(an, "=", count, zero, &args[0], err));
    return nb_call(an, "if", args, 3, out, err);
}

/* Results of these types are computed per group and value first, then laid out; where one is of another type, all are computed in one
 * aggregation whose arguments are null for other values, so that what gives no null for no rows (count, collect_list) gives none here. */
bool
nb_pivots_in_two(const nb_type *t)
{
    return nb_type_is_numeric(t) || t->id == NB_TYPE_BOOL;
}

nb_status
nb_check_pivoted(nb_analyzer *an, const nb_expr *e, nb_error *err)
{
    if (e->kind == NB_EXPR_COLUMN) {
        return nb_raise(err, NB_COND_AGGREGATE_REQUIRED_FOR_PIVOT, "sql",
                        nb_expr_sql(an->arena, (nb_expr *)(uintptr_t)e, false), NULL);
    }
    for (int i = 0; i < e->n_args && e->kind != NB_EXPR_AGG; i++) {
        NB_TRY(nb_check_pivoted(an, e->args[i], err));
    }
    return NB_OK;
}

static nb_status
pivot_results(nb_analyzer *an, const nb_scope *scope, nb_plan *child, const Sc__Aggregate *agg,
              nb_expr **keys, int n_keys, nb_expr ***out, int *n, nb_error *err)
{
    nb_expr *column, **values, **list, *e;
    int n_values = 0, count = 0, n_aggs = (int)agg->n_aggregate_expressions;
    bool in_two = true;

    NB_TRY(nb_resolve_expr(an, scope, agg->pivot->col, &column, err));
    for (int a = 0; a < n_aggs; a++) {
        NB_TRY(nb_resolve_expr(an, scope, agg->aggregate_expressions[a], &e, err));
        NB_TRY(nb_check_pivoted(an, bare(e), err));
        in_two &= nb_pivots_in_two(e->type);
    }
    column = bare(column);
    if (agg->pivot->n_values) {
        values = NB_ARENA_ARRAY(an->arena, nb_expr *, agg->pivot->n_values);
        NB_NEED(values);
        for (size_t i = 0; i < agg->pivot->n_values; i++) {
            NB_TRY(nb_resolve_literal(an, agg->pivot->values[i], &values[i], err));
        }
        n_values = (int)agg->pivot->n_values;
    } else {
        NB_TRY(pivot_values(an, agg, &values, &n_values, err));
    }
    list = NB_ARENA_ARRAY(an->arena, nb_expr *, n_keys + n_values * n_aggs + 1);
    NB_NEED(list);
    for (int i = 0; i < n_keys; i++) {
        list[count++] = keys[i];
    }
    for (int v = 0; v < n_values; v++) {
        nb_expr *text, *condition, *value;
        nb_str label = NB_STR("null");
        NB_TRY(nb_expr_cast(an->arena, values[v], nb_type_of(NB_TYPE_STRING), NB_CAST_LEGACY, &text,
                            err));
        NB_TRY(nb_expr_fold(an->arena, text, an->cfg.info, &text, err));
        if (!nb_vector_is_null(text->u.literal.value, 0)) {
            label = nb_view_str(NB_DATA(nb_view, text->u.literal.value));
        }
        NB_TRY(nb_expr_cast(an->arena, values[v], column->type, NB_CAST_ANSI, &value, err));
        NB_TRY(nb_call2(an, "<=>", column, value, &condition, err));
        for (int a = 0; a < n_aggs; a++) {
            pivot_rewrite r = {an, condition, !in_two};
            nb_expr *made;
            nb_str name = label;
            NB_TRY(nb_resolve_expr(an, scope, agg->aggregate_expressions[a], &e, err));
            if (n_aggs > 1) {
                nb_str suffix;
                if (e->kind == NB_EXPR_ALIAS) {
                    suffix = e->u.alias.name;
                } else {
                    NB_TRY(nb_expression_name(an, agg->aggregate_expressions[a], &suffix, err));
                }
                name = nb_str_of(nb_arena_printf(an->arena, "%.*s_%.*s", (int)label.len, label.data,
                                                 (int)suffix.len, suffix.data));
            }
            NB_TRY(nb_expr_rewrite(an->arena, bare(e), filter_aggs, &r, &made, err));
            if (in_two) {
                NB_TRY(null_without_rows(an, condition, made, &made, err));
            }
            list[count] = nb_expr_alias(an->arena, made, name, nb_attr_next_id());
            NB_NEED(list[count]);
            count++;
        }
    }
    *out = list;
    *n = count;
    return NB_OK;
}

/* ---- the message ---- */

/* GROUP BY 2, GROUP BY alias: positions and names of the select list. */
static nb_status
resolve_key(nb_analyzer *an, const nb_scope *scope, const Sc__Aggregate *agg, bool is_select,
            const Sc__Expression *e, nb_expr **out, nb_error *err)
{
    nb_str name = {0};

    if (is_select && nb_config_bool(an->cfg.info->config, NB_CONF_GROUP_BY_ORDINAL) &&
        e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_LITERAL &&
        e->literal->literal_type_case == SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER) {
        int at = e->literal->integer;
        if (at < 1 || at > (int)agg->n_aggregate_expressions) {
            return nb_raise(err, NB_COND_GROUP_BY_POS_OUT_OF_RANGE, "index",
                            nb_arena_printf(an->arena, "%d", at), "size",
                            nb_arena_printf(an->arena, "%zu", agg->n_aggregate_expressions), NULL);
        }
        e = agg->aggregate_expressions[at - 1];
    } else if (is_select && nb_config_bool(an->cfg.info->config, NB_CONF_GROUP_BY_ALIASES) &&
               e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE) {
        nb_error quiet = NB_ERROR_INIT;
        nb_scope own = *scope; /* as in Spark, aliases come before the columns of outer queries */
        nb_status st;
        nb_str wanted = nb_pb_str(e->unresolved_attribute->unparsed_identifier);
        own.outer = NULL;
        st = nb_resolve_expr(an, &own, e, out, &quiet);
        nb_error_clear(&quiet);
        for (size_t i = 0; i < agg->n_aggregate_expressions && st < 0; i++) {
            const Sc__Expression *a = agg->aggregate_expressions[i];
            if (a->expr_type_case == SC__EXPRESSION__EXPR_TYPE_ALIAS && a->alias->n_name == 1 &&
                nb_names_equal(an, nb_pb_str(a->alias->name[0]), wanted)) {
                e = a;
                break;
            }
        }
    }
    NB_TRY(nb_resolve_expr(an, scope, e, out, err));
    if ((*out)->kind != NB_EXPR_ALIAS && (*out)->kind != NB_EXPR_COLUMN) {
        NB_TRY(nb_expression_name(an, e, &name, err));
    }
    return nb_name_expr(an, *out, name, out);
}

/* |> AGGREGATE … GROUP BY 1: a position of the input's columns. */
static nb_status
piped_key(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e, nb_expr **out,
          nb_error *err)
{
    nb_expr **columns;
    int n;

    if (e->expr_type_case != SC__EXPRESSION__EXPR_TYPE_LITERAL ||
        e->literal->literal_type_case != SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER ||
        !nb_config_bool(an->cfg.info->config, NB_CONF_GROUP_BY_ORDINAL)) {
        return resolve_key(an, scope, NULL, false, e, out, err);
    }
    NB_TRY(nb_columns_of(an, scope->plans[0], &columns, &n));
    if (e->literal->integer < 1 || e->literal->integer > n) {
        return nb_raise(err, NB_COND_GROUP_BY_POS_OUT_OF_RANGE, "index",
                        nb_arena_printf(an->arena, "%d", e->literal->integer), "size",
                        nb_arena_printf(an->arena, "%d", n), NULL);
    }
    *out = columns[e->literal->integer - 1];
    return NB_OK;
}

static nb_status
resolve_results(nb_analyzer *an, const nb_scope *scope, Sc__Expression *const *exprs, size_t n,
                nb_group_generators *generators, nb_expr ***out, int *n_out, nb_error *err);

static bool
is_all(const Sc__Expression *e)
{
    return e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE &&
           nb_str_equal_nocase(nb_pb_str(e->unresolved_attribute->unparsed_identifier),
                               NB_STR("all"));
}

/* GROUP BY ALL: whatever the select list has that is no aggregate. */
static nb_status
keys_of_all(nb_analyzer *an, const nb_scope *scope, const Sc__Aggregate *agg, nb_expr ***keys,
            int *n, nb_error *err)
{
    nb_group_generators generators = {0};
    nb_expr **list;
    int n_list;

    NB_TRY(resolve_results(an, scope, agg->aggregate_expressions, agg->n_aggregate_expressions,
                           &generators, &list, &n_list, err));
    *keys = NB_ARENA_ARRAY(an->arena, nb_expr *, n_list + 3);
    NB_NEED(*keys);
    *n = 0;
    for (int i = 0; i < n_list; i++) {
        if (!nb_has_agg(list[i])) {
            (*keys)[(*n)++] = list[i];
        }
    }
    return NB_OK;
}

/* One result, named. */
static nb_status
resolve_result(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e, nb_expr **out,
               nb_error *err)
{
    nb_expr *one;
    nb_str name = {0};

    NB_TRY(nb_generator_is_whole(an, e, nb_resolve_expr(an, scope, e, &one, err), err));
    if (one->kind != NB_EXPR_ALIAS && one->kind != NB_EXPR_COLUMN) {
        NB_TRY(nb_expression_name(an, e, &name, err));
    } else if (one->kind == NB_EXPR_COLUMN &&
               e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION) {
        NB_TRY(nb_expression_name(an, e, &name, err)); /* grouping_id() is a column */
        one = nb_expr_alias(an->arena, one, name, nb_attr_next_id());
        NB_NEED(one);
    }
    NB_TRY(nb_name_expr(an, one, name, out));
    return nb_lateral_add(an, e, *out, err);
}

/* Results with stars expanded and names given. */
static nb_status
resolve_results(nb_analyzer *an, const nb_scope *scope, Sc__Expression *const *exprs, size_t n,
                nb_group_generators *generators, nb_expr ***out, int *n_out, nb_error *err)
{
    nb_expr **list = NULL;
    int count = 0, cap = 0;

    for (size_t i = 0; i < n; i++) {
        nb_expr *one, **some = &one;
        int n_some = 1;
        if (nb_is_star(exprs[i]) || nb_is_name_pattern(an, exprs[i])) {
            NB_TRY(nb_expand_star(an, scope, exprs[i], &some, &n_some, err));
        } else {
            nb_status made =
                nb_group_generator_add(an, scope, exprs[i], count, generators, &some, &n_some, err);
            NB_TRY(made);
            if (made == NB_DONE) {
                NB_TRY(resolve_result(an, scope, exprs[i], &one, err));
            }
        }
        if (count + n_some > cap) {
            int wider = count * 2 + n_some + (int)n;
            nb_expr **grown = NB_ARENA_ARRAY(an->arena, nb_expr *, wider);
            NB_NEED(grown);
            if (count) {
                memcpy(grown, list, sizeof(nb_expr *) * (size_t)count);
            }
            list = grown;
            cap = wider;
        }
        for (int k = 0; k < n_some; k++) {
            list[count++] = some[k];
        }
    }
    *out = list;
    *n_out = count;
    return NB_OK;
}

static nb_status
analyze_aggregate(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    const Sc__Aggregate *agg = rel->aggregate;
    nb_str mark = rel->common ? nb_pb_str(rel->common->source_info) : NB_STR("");
    bool is_select = nb_str_equal(mark, NB_STR(NB_SQL_MARK_SELECT));
    bool is_piped = nb_str_equal(mark, NB_STR(NB_SQL_MARK_AGGREGATE));
    nb_plan *child;
    nb_scope scope;
    nb_expr **keys, **aggs, **results;
    int n_keys = (int)agg->n_grouping_expressions, n_aggs, n_results;
    bool by_sets = agg->group_type == SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_ROLLUP ||
                   agg->group_type == SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_CUBE ||
                   agg->group_type == SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_GROUPING_SETS;
    nb_attr const *const keep_gid = an->grouping_id;
    nb_expr **const keep_keys = an->grouping_keys, **const keep_copies = an->grouping_copies;
    const int n_keep = an->n_grouping_keys;
    nb_attr gid = {0}, pos = {0};
    nb_group_generators generators = {0};
    nb_expr **group_keys;
    int n_group_keys;
    bool has_all;

    NB_TRY(nb_analyze_relation(an, agg->input, &child, err));
    scope =
        (nb_scope){.plans = &child, .n_plans = 1, .outer = an->outer, .grows = NB_GROWS_VISIBLE};
    keys = NB_ARENA_ARRAY(an->arena, nb_expr *, n_keys + 3);
    NB_NEED(keys);
    if (is_select && n_keys == 1 && is_all(agg->grouping_expressions[0]) &&
        !nb_find_by_name(an, child, NB_STR("all"), &has_all)) {
        NB_TRY(keys_of_all(an, &scope, agg, &keys, &n_keys, err));
    } else {
        for (int i = 0; i < n_keys; i++) {
            NB_TRY(is_piped ? piped_key(an, &scope, agg->grouping_expressions[i], &keys[i], err)
                            : resolve_key(an, &scope, agg, is_select, agg->grouping_expressions[i],
                                          &keys[i], err));
        }
    }
    if (agg->group_type == SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_GROUPING_SETS) {
        n_keys = distinct_keys(keys, n_keys);
    }
    NB_TRY(nb_merge_sessions(an, &child, keys, n_keys, err));
    scope.grows = NB_GROWS_NOT;
    group_keys = keys;
    n_group_keys = n_keys;
    if (agg->group_type == SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_PIVOT && agg->pivot) {
        NB_TRY(pivot_results(an, &scope, child, agg, keys, n_keys, &results, &n_results, err));
        return nb_plan_aggregate(an, child, keys, n_keys, results, n_results, out, err);
    }
    if (by_sets) {
        uint64_t *sets = NULL;
        int n_sets = 0;
        nb_expr **cols = NB_ARENA_ARRAY(an->arena, nb_expr *, n_keys + 3);
        NB_NEED(cols);
        NB_TRY(grouping_sets_of(an, &scope, agg, is_select, keys, n_keys, &sets, &n_sets, err));
        NB_TRY(expand_sets(an, child, keys, n_keys, sets, n_sets, &child, cols, &gid, &pos));
        an->grouping_id = &gid;
        an->grouping_keys = keys;
        an->grouping_copies = NULL;
        an->n_grouping_keys = n_keys;
        group_keys = cols;
        cols[n_keys] = nb_attr_expr(an->arena, &gid);
        NB_NEED(cols[n_keys]);
        n_group_keys = n_keys + 1;
        if (sets_repeat(sets, n_sets)) {
            cols[n_group_keys] = nb_attr_expr(an->arena, &pos);
            NB_NEED(cols[n_group_keys]);
            n_group_keys++;
        }
    }
    {
        /* names mean the columns of the input, also above an EXPAND */
        nb_plan narrow = *child, *view = by_sets ? &narrow : child;
        nb_scope inner = {.plans = &view, .n_plans = 1, .outer = an->outer, .is_copy = by_sets};
        nb_status st;
        narrow.n_attrs -= by_sets ? n_keys + 2 : 0;
        an->lateral->scope = &inner;
        st = resolve_results(an, &inner, agg->aggregate_expressions, agg->n_aggregate_expressions,
                             &generators, &aggs, &n_aggs, err);
        an->lateral->scope = NULL;
        an->grouping_id = keep_gid;
        an->grouping_keys = keep_keys;
        an->grouping_copies = keep_copies;
        an->n_grouping_keys = n_keep;
        NB_TRY(st);
    }
    results = aggs;
    n_results = n_aggs;
    for (int i = 0; i < n_aggs && is_piped; i++) {
        if (!nb_has_agg(aggs[i])) {
            return nb_raise(err, NB_COND_PIPE_OPERATOR_WITHOUT_AGGREGATE_FUNCTION, "expr",
                            nb_expr_sql(an->arena, bare(aggs[i]), true), NULL);
        }
    }
    if (!is_select) {
        results = NB_ARENA_ARRAY(an->arena, nb_expr *, n_keys + n_aggs + 1);
        NB_NEED(results);
        memcpy(results, keys, sizeof(nb_expr *) * (size_t)n_keys);
        if (n_aggs) {
            memcpy(results + n_keys, aggs, sizeof(nb_expr *) * (size_t)n_aggs);
        }
        n_results = n_keys + n_aggs;
    }
    if (by_sets) {
        /* what the select list calls a key is the EXPAND's nullable copy of it, except inside aggregates */
        for (int i = 0; i < n_results; i++) {
            split swap = {.an = an,
                          .keys = NB_ARENA_ARRAY(an->arena, nb_expr *, n_keys + 3),
                          .n_keys = n_keys + 1,
                          .rows = child};
            nb_expr *made;
            NB_NEED(swap.keys);
            for (int k = 0; k < n_keys; k++) {
                swap.keys[k] = nb_expr_alias(an->arena, bare(keys[k]), group_keys[k]->u.column.name,
                                             group_keys[k]->u.column.attr);
                NB_NEED(swap.keys[k]);
            }
            swap.keys[n_keys] = group_keys[n_keys];
            NB_TRY(split_expr(&swap, bare(results[i]), &made, err));
            /* aggregates that split_expr took out go back in */
            nb_attr_map back = {.arena = an->arena};
            for (int a = 0; a < swap.n_aggs; a++) {
                NB_TRY(nb_attr_map_put(&back, swap.aggs[a]->u.alias.attr, swap.aggs[a]->args[0]));
            }
            NB_TRY(nb_expr_substitute(an->arena, made, &back, &made, err));
            if (results[i]->kind == NB_EXPR_ALIAS) {
                made = nb_expr_alias(an->arena, made, results[i]->u.alias.name,
                                     results[i]->u.alias.attr);
            }
            NB_NEED(made);
            results[i] = made;
        }
    }
    NB_TRY(nb_plan_aggregate(an, child, group_keys, n_group_keys, results, n_results, out, err));
    return nb_plan_group_generator(an, *out, &generators, is_select ? 0 : n_keys, out, err);
}

nb_status
nb_analyze_aggregate(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    nb_lateral l;
    nb_status st;

    nb_lateral_begin(an, NULL, &l);
    st = analyze_aggregate(an, rel, out, err);
    nb_lateral_end(an);
    return st;
}
