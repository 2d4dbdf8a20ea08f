/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_stat.c: describe, summary, cov, corr and their kin, as aggregations over casts.
 *
 * describe and summary are one aggregation that computes every statistic of every column, then an EXPAND with a row per statistic.
 */
#include <math.h>
#include <stdlib.h>
#include "expr/number_text.h"
#include "plan/analyzer_internal.h"
#include "sql/parser.h"

static bool
has_statistics(const nb_type *t)
{
    return nb_type_is_numeric(t) || nb_type_is_string(t);
}

static nb_status
text_of(nb_analyzer *an, nb_expr *e, nb_expr **out, nb_error *err)
{
    return nb_expr_cast(an->arena, e, nb_type_of(NB_TYPE_STRING), NB_CAST_LEGACY, out, err);
}

static nb_status
unknown_statistic(nb_analyzer *an, nb_str name, nb_error *err)
{
    return nb_raise(err, NB_COND_UNRECOGNIZED_STATISTIC, "stats",
                    nb_arena_printf(an->arena, "'%.*s'", (int)name.len, name.data), NULL);
}

/* One statistic of one column as text; a null text where it has no meaning. */
static nb_status
statistic(nb_analyzer *an, nb_str name, nb_expr *column, nb_expr **out, nb_error *err)
{
    bool numeric = nb_type_is_numeric(column->type);
    nb_expr *e, *number = column, *args[2];

    if (nb_str_equal_nocase(name, NB_STR("count"))) {
        NB_TRY(nb_call_agg(an, "count", &column, 1, false, &e, err));
    } else if (nb_str_equal_nocase(name, NB_STR("count_distinct"))) {
        NB_TRY(nb_call_agg(an, "count", &column, 1, true, &e, err));
    } else if (nb_str_equal_nocase(name, NB_STR("approx_count_distinct"))) {
        NB_TRY(nb_call_agg(an, "approx_count_distinct", &column, 1, false, &e, err));
    } else if (nb_str_equal_nocase(name, NB_STR("min")) ||
               nb_str_equal_nocase(name, NB_STR("max"))) {
        NB_TRY(nb_call_agg(an, nb_str_equal_nocase(name, NB_STR("min")) ? "min" : "max", &column, 1,
                           false, &e, err));
    } else if (nb_str_equal_nocase(name, NB_STR("mean")) ||
               nb_str_equal_nocase(name, NB_STR("stddev"))) {
        if (!numeric) { /* text that reads as a number counts */
            NB_TRY(nb_expr_cast(an->arena, column, nb_type_of(NB_TYPE_FLOAT64), NB_CAST_TRY,
                                &number, err));
        }
        NB_TRY(nb_call_agg(an, nb_str_equal_nocase(name, NB_STR("mean")) ? "avg" : "stddev",
                           &number, 1, false, &e, err));
    } else if (name.len > 0 && name.data[name.len - 1] == '%') {
        char digits[32];
        char *end;
        double p;
        if (name.len >= sizeof digits) {
            return unknown_statistic(an, name, err);
        }
        memcpy(digits, name.data, name.len - 1);
        digits[name.len - 1] = 0;
        p = strtod(digits, &end) / 100.0;
        if (*end || end == digits) {
            return unknown_statistic(an, name, err);
        }
        if (!(p >= 0 && p <= 1)) {
            return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                            "requirement failed: Percentiles must be in the range [0, 1]", NULL);
        }
        if (column->type->id == NB_TYPE_DECIMAL) {
            NB_TRY(nb_cast_to(an, column, nb_type_of(NB_TYPE_FLOAT64), &number, err));
        } else if (!numeric) {
            NB_TRY(nb_expr_cast(an->arena, column, nb_type_of(NB_TYPE_FLOAT64), NB_CAST_TRY,
                                &number, err));
        }
        args[0] = number;
        args[1] = nb_expr_double(an->arena, p);
        NB_NEED(args[1]);
        NB_TRY(nb_call_agg(an, "percentile_approx", args, 2, false, &e, err));
    } else {
        return unknown_statistic(an, name, err);
    }
    return text_of(an, e, out, err);
}

static nb_status
summarize(nb_analyzer *an, nb_plan *child, const nb_str *names, int n_names, nb_expr **cols,
          int n_cols, nb_plan **out, nb_error *err)
{
    nb_expr **results = NB_ARENA_ARRAY(an->arena, nb_expr *, n_names * n_cols + 1);
    nb_plan *agg, *p;
    int n = 0;

    NB_NEED(results);
    for (int s = 0; s < n_names; s++) {
        for (int c = 0; c < n_cols; c++) {
            nb_expr *e;
            NB_TRY(statistic(an, names[s], cols[c], &e, err));
            results[n] = nb_expr_alias(an->arena, e, cols[c]->u.column.name, nb_attr_next_id());
            NB_NEED(results[n]);
            n++;
        }
    }
    NB_TRY(nb_plan_aggregate(an, child, NULL, 0, results, n, &agg, err));
    p = nb_plan_new(an->arena, NB_PLAN_EXPAND, 1, n_cols + 1);
    NB_NEED(p);
    p->children[0] = agg;
    p->u.expand.n_projections = n_names;
    p->u.expand.projections = NB_ARENA_ARRAY(an->arena, nb_expr **, n_names + 1);
    NB_NEED(p->u.expand.projections);
    p->attrs[0] = (nb_attr){.id = nb_attr_next_id(),
                            .name = NB_STR("summary"),
                            .type = nb_type_of(NB_TYPE_STRING),
                            .nullable = true};
    for (int c = 0; c < n_cols; c++) {
        p->attrs[c + 1] = (nb_attr){.id = nb_attr_next_id(),
                                    .name = cols[c]->u.column.name,
                                    .type = nb_type_of(NB_TYPE_STRING),
                                    .nullable = true};
    }
    for (int s = 0; s < n_names; s++) {
        nb_expr **row = NB_ARENA_ARRAY(an->arena, nb_expr *, n_cols + 1);
        NB_NEED(row);
        row[0] = nb_expr_string(an->arena, names[s]);
        NB_NEED(row[0]);
        for (int c = 0; c < n_cols; c++) {
            row[c + 1] = nb_attr_expr(an->arena, &agg->attrs[s * n_cols + c]);
            NB_NEED(row[c + 1]);
        }
        p->u.expand.projections[s] = row;
    }
    *out = p;
    return NB_OK;
}

static nb_status
describe(nb_analyzer *an, const Sc__Relation *input, const ProtobufCBinaryData *cols, size_t n_cols,
         const nb_str *names, int n_names, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    nb_expr **list;
    int n = 0;

    NB_TRY(nb_analyze_relation(an, input, &child, err));
    list = NB_ARENA_ARRAY(an->arena, nb_expr *, child->n_attrs + (int)n_cols + 1);
    NB_NEED(list);
    for (size_t i = 0; i < n_cols; i++) {
        const nb_attr *a;
        NB_TRY(nb_need_by_name(an, child, nb_pb_str(cols[i]), &a, err));
        if (has_statistics(a->type)) {
            list[n] = nb_attr_expr(an->arena, a);
            NB_NEED(list[n]);
            n++;
        }
    }
    for (int i = 0; i < child->n_attrs && n_cols == 0; i++) {
        if (!child->attrs[i].hidden && has_statistics(child->attrs[i].type)) {
            list[n] = nb_attr_expr(an->arena, &child->attrs[i]);
            NB_NEED(list[n]);
            n++;
        }
    }
    return summarize(an, child, names, n_names, list, n, out, err);
}

/* What Scala's require() says; text may be NULL for want of memory. */
static nb_status
raise_requirement(const char *text, nb_error *err)
{
    NB_NEED(text);
    return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", text, NULL);
}

static nb_status
for_null(nb_analyzer *an, nb_expr *e, double value, nb_expr **out, nb_error *err)
{
    nb_vector v = {
        .type = nb_type_of(NB_TYPE_FLOAT64), .kind = NB_VEC_CONST, .n_rows = 1, .data = &value};
    nb_expr *pair[2] = {e, nb_expr_literal(an->arena, &v)};

    NB_NEED(pair[1]);
    return nb_call(an, "coalesce", pair, 2, out, err);
}

static nb_status
two_columns(nb_analyzer *an, const Sc__Relation *input, ProtobufCBinaryData a,
            ProtobufCBinaryData b, const char *fn, const char *name, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    nb_expr *args[2], *e;

    NB_TRY(nb_analyze_relation(an, input, &child, err));
    NB_TRY(nb_resolve_named(an, child, nb_pb_str(a), &args[0], err));
    NB_TRY(nb_resolve_named(an, child, nb_pb_str(b), &args[1], err));
    for (int i = 0; i < 2; i++) {
        if (!nb_type_is_numeric(args[i]->type)) {
            return raise_requirement(
                nb_arena_printf(an->arena,
                                "requirement failed: Currently %s calculation for columns with "
                                "dataType %s not supported.",
                                nb_str_equal(nb_str_of(name), NB_STR("corr")) ? "correlation"
                                                                              : "covariance",
                                nb_type_catalog_string(an->arena, args[i]->type)),
                err);
        }
        NB_TRY(nb_cast_to(an, args[i], nb_type_of(NB_TYPE_FLOAT64), &args[i], err));
        NB_TRY(for_null(an, args[i], 0, &args[i], err)); /* as Spark in DataFrame.cov and corr */
    }
    NB_TRY(nb_call_agg(an, fn, args, 2, false, &e, err));
    NB_TRY(for_null(an, e, nb_str_equal(nb_str_of(name), NB_STR("corr")) ? NAN : 0, &e, err));
    e = nb_expr_alias(an->arena, e, nb_str_of(name), nb_attr_next_id());
    NB_NEED(e);
    return nb_plan_aggregate(an, child, NULL, 0, &e, 1, out, err);
}

static nb_status
null_for_nan(nb_analyzer *an, nb_expr *e, nb_expr **out, nb_error *err)
{
    nb_expr *args[2] = {e, nb_expr_double(an->arena, NAN)};

    NB_NEED(args[1]);
    return nb_call(an, "nullif", args, 2, out, err);
}

static nb_status
approx_quantile(nb_analyzer *an, const Sc__StatApproxQuantile *s, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    nb_expr **columns = NB_ARENA_ARRAY(an->arena, nb_expr *, s->n_cols + 1), *e;
    nb_vector list, probabilities;

    NB_NEED(columns);
    NB_TRY(nb_analyze_relation(an, s->input, &child, err));
    NB_TRY(nb_vector_alloc(an->arena, nb_type_of(NB_TYPE_FLOAT64), (int64_t)s->n_probabilities,
                           &list));
    if (s->n_probabilities > 0) {
        memcpy(list.data, s->probabilities, sizeof(double) * s->n_probabilities);
    }
    nb_list entry = {0, (uint32_t)s->n_probabilities};
    probabilities = (nb_vector){.type = nb_type_array(list.type, false),
                                .kind = NB_VEC_CONST,
                                .n_rows = 1,
                                .data = &entry,
                                .children = &list,
                                .n_children = 1};
    for (size_t i = 0; i < s->n_cols; i++) {
        nb_scope scope = {.plans = &child, .n_plans = 1};
        nb_expr *args[3];
        double accuracy = s->relative_error > 0 ? 1.0 / s->relative_error : 1e9;
        NB_TRY(nb_resolve_column(an, &scope, nb_pb_str(s->cols[i]), -1, NULL, &args[0], err));
        if (!nb_type_is_numeric(args[0]->type)) {
            return raise_requirement(
                nb_arena_printf(an->arena,
                                "requirement failed: Quantile calculation for column %.*s with "
                                "data type %s is not supported.",
                                (int)s->cols[i].len, (const char *)s->cols[i].data,
                                nb_type_class_name(an->arena, args[0]->type)),
                err);
        }
        NB_TRY(nb_cast_to(an, args[0], nb_type_of(NB_TYPE_FLOAT64), &args[0], err));
        NB_TRY(null_for_nan(an, args[0], &args[0], err));
        args[1] = nb_expr_literal(an->arena, &probabilities);
        args[2] = nb_expr_int32(an->arena, (int32_t)NB_MIN(NB_MAX(accuracy, 1), 2e9));
        NB_NEED(args[1] && args[2]);
        NB_TRY(nb_call_agg(an, "percentile_approx", args, 3, false, &columns[i], err));
    }
    NB_TRY(nb_call(an, "array", columns, (int)s->n_cols, &e, err));
    e = nb_expr_alias(an->arena, e, NB_STR("approx_quantile"), nb_attr_next_id());
    NB_NEED(e);
    return nb_plan_aggregate(an, child, NULL, 0, &e, 1, out, err);
}

/* `name`, where a backquote is two; NULL when out of memory. */
static const char *
quoted(nb_analyzer *an, nb_str name)
{
    char *text = NB_ARENA_ARRAY(an->arena, char, 2 * name.len + 3), *p = text;

    if (text == NULL) {
        return NULL;
    }
    *p++ = '`';
    for (size_t i = 0; i < name.len; i++) {
        *p++ = name.data[i];
        if (name.data[i] == '`') {
            *p++ = '`';
        }
    }
    *p++ = '`';
    *p = 0;
    return text;
}

static nb_status
parsed(nb_analyzer *an, const char *text, Sc__Expression **out, nb_error *err)
{
    NB_NEED(text);
    return nb_sql_parse_expression(an->arena, nb_str_of(text), out, err);
}

/* How often each pair of values occurs: the second column's values become columns, of counts that are 0 where no row is. */
static nb_status
crosstab(nb_analyzer *an, const Sc__StatCrosstab *s, nb_plan **out, nb_error *err)
{
    static const char *text_of_value =
        "case when %s is null then 'null' else cast(%s as string) end as %s";
    nb_str names[2] = {nb_pb_str(s->col1), nb_pb_str(s->col2)};
    const char *columns[2] = {quoted(an, names[0]), quoted(an, names[1])}, *title, *pivoted;
    Sc__Expression **values = NB_ARENA_ARRAY(an->arena, Sc__Expression *, 5), *zero;
    Sc__Expression__Literal **zeros = NB_ARENA_ARRAY(an->arena, Sc__Expression__Literal *, 1);
    Sc__Project project = SC__PROJECT__INIT;
    Sc__Aggregate aggregate = SC__AGGREGATE__INIT;
    Sc__Aggregate__Pivot pivot = SC__AGGREGATE__PIVOT__INIT;
    Sc__NAFill fill = SC__NAFILL__INIT;
    Sc__Relation projected = SC__RELATION__INIT, counted = SC__RELATION__INIT,
                 filled = SC__RELATION__INIT;

    NB_NEED(columns[0] && columns[1] && values && zeros);
    title = nb_arena_printf(an->arena, "%.*s_%.*s", (int)names[0].len, names[0].data,
                            (int)names[1].len, names[1].data);
    NB_NEED(title);
    pivoted = nb_arena_printf(an->arena, "%s_", title);
    NB_NEED(pivoted);
    title = quoted(an, nb_str_of(title));
    pivoted = quoted(an, nb_str_of(pivoted));
    NB_NEED(title && pivoted);
    NB_TRY(parsed(an, nb_arena_printf(an->arena, text_of_value, columns[0], columns[0], title),
                  &values[0], err));
    NB_TRY(parsed(an, nb_arena_printf(an->arena, text_of_value, columns[1], columns[1], pivoted),
                  &values[1], err));
    NB_TRY(parsed(an, title, &values[2], err));
    NB_TRY(parsed(an, pivoted, &pivot.col, err));
    NB_TRY(parsed(an, "count(1)", &values[3], err));
    NB_TRY(parsed(an, "0L", &zero, err));
    zeros[0] = zero->literal;

    project.input = s->input;
    project.n_expressions = 2;
    project.expressions = values;
    projected.rel_type_case = SC__RELATION__REL_TYPE_PROJECT;
    projected.project = &project;
    aggregate.input = &projected;
    aggregate.has_group_type = true;
    aggregate.group_type = SC__AGGREGATE__GROUP_TYPE__GROUP_TYPE_PIVOT;
    aggregate.n_grouping_expressions = 1;
    aggregate.grouping_expressions = values + 2;
    aggregate.n_aggregate_expressions = 1;
    aggregate.aggregate_expressions = values + 3;
    aggregate.pivot = &pivot;
    counted.rel_type_case = SC__RELATION__REL_TYPE_AGGREGATE;
    counted.aggregate = &aggregate;
    fill.input = &counted;
    fill.n_values = 1;
    fill.values = zeros;
    filled.rel_type_case = SC__RELATION__REL_TYPE_FILL_NA;
    filled.fill_na = &fill;
    return nb_analyze_relation(an, &filled, out, err);
}

static nb_status
raise_fractions(nb_analyzer *an, const Sc__StatSampleBy *s, nb_error *err)
{
    nb_strbuf b = {0};
    nb_str map;
    nb_status st = NB_OK;

    for (size_t i = 0; i < s->n_fractions && st >= 0; i++) {
        char digits[NB_DOUBLE_TEXT + 1];
        nb_expr *value;
        nb_str text = NB_STR("null");
        digits[nb_format_double(digits, s->fractions[i]->fraction)] = 0;
        st = s->fractions[i]->stratum
                 ? nb_resolve_literal(an, s->fractions[i]->stratum, &value, err)
                 : nb_raise(err, NB_COND_INVALID_PLAN, "message", "a fraction of no stratum", NULL);
        if (st >= 0) {
            st = nb_expr_cast(an->arena, value, nb_type_of(NB_TYPE_STRING), NB_CAST_LEGACY, &value,
                              err);
        }
        if (st >= 0) {
            st = nb_expr_fold(an->arena, value, an->cfg.info, &value, err);
        }
        if (st >= 0 && !nb_vector_is_null(value->u.literal.value, 0)) {
            text = nb_view_str(NB_DATA(nb_view, value->u.literal.value));
        }
        nb_strbuf_adds(&b, i ? ", " : "");
        nb_strbuf_add(&b, text);
        nb_strbuf_addf(&b, " -> %s", digits);
    }
    map = nb_strbuf_finish(an->arena, &b);
    NB_TRY(st);
    NB_NEED(map.data);
    return raise_requirement(
        nb_arena_printf(an->arena,
                        "requirement failed: Fractions must be in [0, 1], but got Map(%.*s).",
                        (int)map.len, map.data),
        err);
}

/* A random part of each stratum, in SQL: rand(seed) < CASE WHEN column <=> stratum THEN fraction … ELSE 0 END. */
static nb_status
sample_by(nb_analyzer *an, const Sc__StatSampleBy *s, nb_plan **out, nb_error *err)
{
    nb_strbuf text = {0};
    Sc__Expression *condition, **branches;
    Sc__Filter filter = SC__FILTER__INIT;
    Sc__Relation filtered = SC__RELATION__INIT;
    const char *copy;

    nb_strbuf_addf(&text, "rand(%lldL) < case", (long long)s->seed);
    for (size_t i = 0; i < s->n_fractions; i++) {
        if (!s->col || !s->fractions[i]->stratum) {
            nb_strbuf_free(&text);
            return nb_raise(err, NB_COND_INVALID_PLAN, "message",
                            "fractions of sampleBy are of strata of a column", NULL);
        }
        if (!(s->fractions[i]->fraction >= 0 && s->fractions[i]->fraction <= 1)) {
            nb_strbuf_free(&text);
            return raise_fractions(an, s, err);
        }
        nb_strbuf_addf(&text, " when 0 <=> 0 then %.17gD", s->fractions[i]->fraction);
    }
    nb_strbuf_adds(&text, s->n_fractions ? " else 0D end" : " when false then 0D else 0D end");
    copy = nb_strbuf_finish(an->arena, &text).data;
    NB_TRY(parsed(an, copy, &condition, err));
    branches = condition->unresolved_function->arguments[1]->unresolved_function->arguments;
    for (size_t i = 0; i < s->n_fractions; i++) {
        Sc__Expression **sides = branches[2 * i]->unresolved_function->arguments;
        Sc__Expression *stratum = NB_ARENA_NEW(an->arena, Sc__Expression);
        NB_NEED(stratum);
        *stratum = (Sc__Expression)SC__EXPRESSION__INIT;
        stratum->expr_type_case = SC__EXPRESSION__EXPR_TYPE_LITERAL;
        stratum->literal = s->fractions[i]->stratum;
        sides[0] = s->col;
        sides[1] = stratum;
    }
    filter.input = s->input;
    filter.condition = condition;
    filtered.rel_type_case = SC__RELATION__REL_TYPE_FILTER;
    filtered.filter = &filter;
    return nb_analyze_relation(an, &filtered, out, err);
}

/* Values of each column that make up more than a share of its rows, in SQL over the input. */
static nb_status
freq_items(nb_analyzer *an, const Sc__StatFreqItems *f, nb_plan **out, nb_error *err)
{
    nb_strbuf text = {0};
    double support = f->has_support ? f->support : 0.01;
    Sc__Relation *query, alias = SC__RELATION__INIT, root = SC__RELATION__INIT, *references[1];
    Sc__SubqueryAlias named = SC__SUBQUERY_ALIAS__INIT;
    Sc__WithRelations with = SC__WITH_RELATIONS__INIT;
    nb_plan *child;
    nb_str copy;

    if (!(support >= 1e-4 && support <= 1)) {
        char digits[NB_DOUBLE_TEXT + 1];
        digits[nb_format_double(digits, support)] = 0;
        return raise_requirement(
            nb_arena_printf(
                an->arena, "requirement failed: Support must be in [1e-4, 1], but got %s.", digits),
            err);
    }
    NB_TRY(
        nb_analyze_relation(an, f->input, &child, err)); /* what is wrong with names shows here */
    nb_strbuf_adds(&text, "select ");
    for (size_t i = 0; i < f->n_cols; i++) {
        nb_str name = nb_pb_str(f->cols[i]), made;
        char *quoted, *as;
        nb_str *parts;
        size_t n_parts;
        nb_scope scope = {.plans = &child, .n_plans = 1};
        nb_expr *column;
        nb_status st = nb_resolve_column(an, &scope, name, -1, NULL, &column, err);
        if (st >= 0) {
            st = nb_split_identifier(an, name, &parts, &n_parts, err);
        }
        if (st < 0) {
            nb_strbuf_free(&text);
            return st;
        }
        made = nb_str_of(nb_arena_printf(an->arena, "%.*s_freqItems", (int)name.len, name.data));
        if (nb_backquote(an, parts, (int)n_parts, &quoted) < 0 ||
            nb_backquote(an, &made, 1, &as) < 0) {
            nb_strbuf_free(&text);
            return NB_NOMEM;
        }
        nb_strbuf_addf(&text,
                       "%scoalesce((select transform(collect_list(struct(v)), x -> x.v) from "
                       "(select v, n, sum(n) over () as t "
                       "from (select %s as v, count(*) as n from input group by %s)) "
                       "where n > %.17gD * t), array()) as %s",
                       i ? ", " : "", quoted, quoted, support, as);
    }
    copy = text.failed ? (nb_str){0} : nb_arena_str(an->arena, nb_strbuf_str(&text));
    nb_strbuf_free(&text);
    NB_NEED(copy.data);
    NB_TRY(nb_sql_parse_query(an->arena, copy, &query, err));
    named.input = f->input;
    named.alias = (ProtobufCBinaryData){5, (uint8_t *)"input"};
    alias.rel_type_case = SC__RELATION__REL_TYPE_SUBQUERY_ALIAS;
    alias.subquery_alias = &named;
    references[0] = &alias;
    with.root = query;
    with.n_references = 1;
    with.references = references;
    root.rel_type_case = SC__RELATION__REL_TYPE_WITH_RELATIONS;
    root.with_relations = &with;
    return nb_analyze_relation(an, &root, out, err);
}

nb_status
nb_analyze_stat(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    static const nb_str of_describe[] = {
        {"count", 5}, {"mean", 4}, {"stddev", 6}, {"min", 3}, {"max", 3}};
    static const nb_str of_summary[] = {{"count", 5}, {"mean", 4}, {"stddev", 6}, {"min", 3},
                                        {"25%", 3},   {"50%", 3},  {"75%", 3},    {"max", 3}};

    switch (rel->rel_type_case) {
    case SC__RELATION__REL_TYPE_DESCRIBE:
        return describe(an, rel->describe->input, rel->describe->cols, rel->describe->n_cols,
                        of_describe, 5, out, err);
    case SC__RELATION__REL_TYPE_SUMMARY: {
        nb_str *names = NB_ARENA_ARRAY(an->arena, nb_str, rel->summary->n_statistics + 1);
        NB_NEED(names);
        for (size_t i = 0; i < rel->summary->n_statistics; i++) {
            names[i] = nb_pb_str(rel->summary->statistics[i]);
        }
        if (rel->summary->n_statistics == 0) {
            return describe(an, rel->summary->input, NULL, 0, of_summary, 8, out, err);
        }
        return describe(an, rel->summary->input, NULL, 0, names, (int)rel->summary->n_statistics,
                        out, err);
    }
    case SC__RELATION__REL_TYPE_COV:
        return two_columns(an, rel->cov->input, rel->cov->col1, rel->cov->col2, "covar_samp", "cov",
                           out, err);
    case SC__RELATION__REL_TYPE_CORR:
        return two_columns(an, rel->corr->input, rel->corr->col1, rel->corr->col2, "corr", "corr",
                           out, err);
    case SC__RELATION__REL_TYPE_APPROX_QUANTILE:
        return approx_quantile(an, rel->approx_quantile, out, err);
    case SC__RELATION__REL_TYPE_CROSSTAB: return crosstab(an, rel->crosstab, out, err);
    case SC__RELATION__REL_TYPE_SAMPLE_BY: return sample_by(an, rel->sample_by, out, err);
    default: return freq_items(an, rel->freq_items, out, err);
    }
}
