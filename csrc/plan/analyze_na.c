/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_na.c: df.na: fill, drop, replace, as projections and filters.
 */
#include "plan/analyzer_internal.h"

/* The columns that a list of names means. */
typedef struct chosen {
    nb_expr **exprs; /* columns, or fields of them */
    size_t n;
} chosen;

static nb_status
choose(nb_analyzer *an, nb_plan *child, const ProtobufCBinaryData *names, size_t n, chosen *out,
       nb_error *err)
{
    out->n = n;
    out->exprs = NB_ARENA_ARRAY(an->arena, nb_expr *, n + 1);
    NB_NEED(out->exprs);
    for (size_t i = 0; i < n; i++) {
        NB_TRY(nb_resolve_named(an, child, nb_pb_str(names[i]), &out->exprs[i], err));
    }
    return NB_OK;
}

static bool
is_same(const nb_expr *a, const nb_expr *column)
{
    return a->kind == NB_EXPR_COLUMN && a->u.column.attr == column->u.column.attr;
}

/* Is the column among the chosen (all when there are none)? */
static bool
is_chosen(const chosen *c, const nb_expr *column)
{
    for (size_t i = 0; i < c->n; i++) {
        if (is_same(c->exprs[i], column)) {
            return true;
        }
    }
    return c->n == 0;
}

static bool
value_fits(const nb_type *column, const nb_type *value)
{
    return value->id == NB_TYPE_BOOL  ? column->id == NB_TYPE_BOOL
           : nb_type_is_string(value) ? nb_type_is_string(column)
                                      : nb_type_is_numeric(column);
}

/* fill: numbers go to numeric columns, text to text, booleans to booleans; NaN counts as missing. */
static nb_status
fill_one(nb_analyzer *an, nb_expr *column, nb_expr *value, nb_expr **out, nb_error *err)
{
    nb_expr *to, *args[2] = {column, NULL}, *e;

    NB_TRY(nb_cast_to(an, value, column->type, &to, err));
    if (column->type->id == NB_TYPE_FLOAT32 || column->type->id == NB_TYPE_FLOAT64) {
        nb_expr *null = nb_expr_null(an->arena, column->type);
        NB_NEED(null);
        NB_TRY(nb_call2(an, "nanvl", column, null, &args[0], err));
    }
    args[1] = to;
    NB_TRY(nb_call(an, "coalesce", args, 2, &e, err));
    *out = nb_expr_alias(an->arena, e, column->u.column.name, nb_attr_next_id());
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status
fill(nb_analyzer *an, const Sc__NAFill *f, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    nb_expr **cols, **values = NB_ARENA_ARRAY(an->arena, nb_expr *, f->n_values + 1);
    chosen names;
    int n;

    NB_NEED(values);
    NB_TRY(nb_analyze_relation(an, f->input, &child, err));
    NB_TRY(choose(an, child, f->cols, f->n_cols, &names, err));
    for (size_t i = 0; i < f->n_values; i++) {
        NB_TRY(nb_resolve_literal(an, f->values[i], &values[i], err));
    }
    NB_TRY(nb_columns_of(an, child, &cols, &n));
    for (int i = 0; i < n; i++) {
        nb_expr *value = NULL;
        if (f->n_values == 1) {
            value = is_chosen(&names, cols[i]) ? values[0] : NULL;
        } else {
            for (size_t k = 0; k < names.n && k < f->n_values; k++) {
                value = is_same(names.exprs[k], cols[i]) ? values[k] : value;
            }
        }
        if (value && value_fits(cols[i]->type, value->type)) {
            NB_TRY(fill_one(an, cols[i], value, &cols[i], err));
        }
    }
    return nb_plan_project(an, child, cols, n, out, err);
}

/* Is the value there: neither null nor NaN? */
static nb_status
is_there(nb_analyzer *an, nb_expr *column, nb_expr **out, nb_error *err)
{
    nb_expr *nan, *known;

    NB_TRY(nb_call(an, "isnotnull", &column, 1, &known, err));
    *out = known;
    if (column->type->id == NB_TYPE_FLOAT32 || column->type->id == NB_TYPE_FLOAT64) {
        NB_TRY(nb_call(an, "isnan", &column, 1, &nan, err));
        NB_TRY(nb_call(an, "not", &nan, 1, &nan, err));
        return nb_call2(an, "and", known, nan, out, err);
    }
    return NB_OK;
}

/* drop: rows with fewer than min_non_nulls values that are there. */
static nb_status
drop(nb_analyzer *an, const Sc__NADrop *d, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    nb_expr **cols, *condition = NULL, *sum = NULL, *one = nb_expr_int32(an->arena, 1),
                    *zero = nb_expr_int32(an->arena, 0);
    chosen names;
    int n, least;

    NB_NEED(one && zero);
    NB_TRY(nb_analyze_relation(an, d->input, &child, err));
    NB_TRY(choose(an, child, d->cols, d->n_cols, &names, err));
    NB_TRY(nb_columns_of(an, child, &cols, &n));
    if (names.n > 0) {
        cols = names.exprs;
        n = (int)names.n;
    }
    for (int i = 0; i < n; i++) {
        nb_expr *there, *args[3];
        NB_TRY(is_there(an, cols[i], &there, err));
        args[0] = there;
        args[1] = one;
        args[2] = zero;
        NB_TRY(nb_call(an, "if", args, 3, &args[0], err));
        if (condition) {
            NB_TRY(nb_call2(an, "and", condition, there, &condition, err));
            NB_TRY(nb_call2(an, "+", sum, args[0], &sum, err));
        } else {
            condition = there;
            sum = args[0];
        }
    }
    least = d->has_min_non_nulls ? d->min_non_nulls : n;
    if (!condition || least <= 0) {
        *out = child;
        return NB_OK;
    }
    if (least != n) {
        nb_expr *bound = nb_expr_int32(an->arena, least);
        NB_NEED(bound);
        NB_TRY(nb_call2(an, ">=", sum, bound, &condition, err));
    }
    return nb_plan_filter(an, child, condition, out, err);
}

/* replace: CASE over the pairs whose type fits the column. */
static nb_status
replace(nb_analyzer *an, const Sc__NAReplace *r, nb_plan **out, nb_error *err)
{
    nb_plan *child;
    nb_expr **cols;
    chosen names;
    int n;

    NB_TRY(nb_analyze_relation(an, r->input, &child, err));
    NB_TRY(choose(an, child, r->cols, r->n_cols, &names, err));
    for (size_t i = 0; i < names.n; i++) {
        if (names.exprs[i]->kind != NB_EXPR_COLUMN) {
            nb_str *parts;
            size_t n_parts;
            char *quoted;
            NB_TRY(nb_split_identifier(an, nb_pb_str(r->cols[i]), &parts, &n_parts, err));
            NB_TRY(nb_backquote(an, parts, (int)n_parts, &quoted));
            return nb_raise(err, NB_COND_UNSUPPORTED_FEATURE_REPLACE_NESTED_COLUMN, "colName",
                            quoted, NULL);
        }
    }
    NB_TRY(nb_columns_of(an, child, &cols, &n));
    for (int i = 0; i < n; i++) {
        nb_expr **args, *e;
        int n_args = 0;
        const nb_type *type = cols[i]->type;
        if (!is_chosen(&names, cols[i])) {
            continue;
        }
        args = NB_ARENA_ARRAY(an->arena, nb_expr *, 2 * r->n_replacements + 1);
        NB_NEED(args);
        for (size_t k = 0; k < r->n_replacements; k++) {
            nb_expr *from, *to;
            NB_TRY(nb_resolve_literal(an, r->replacements[k]->old_value, &from, err));
            NB_TRY(nb_resolve_literal(an, r->replacements[k]->new_value, &to, err));
            if (from->type->id != NB_TYPE_NULL && !value_fits(type, from->type)) {
                continue;
            }
            NB_TRY(nb_cast_to(an, to, type, &to, err));
            if (from->type->id == NB_TYPE_NULL) {
                NB_TRY(nb_call(an, "isnull", &cols[i], 1, &from, err));
            } else {
                NB_TRY(nb_call2(an, "=", cols[i], from, &from, err));
            }
            args[n_args++] = from;
            args[n_args++] = to;
        }
        if (n_args) {
            args[n_args++] = cols[i];
            NB_TRY(nb_call(an, "when", args, n_args, &e, err));
            cols[i] = nb_expr_alias(an->arena, e, cols[i]->u.column.name, nb_attr_next_id());
            NB_NEED(cols[i]);
        }
    }
    return nb_plan_project(an, child, cols, n, out, err);
}

nb_status
nb_analyze_na(nb_analyzer *an, const Sc__Relation *rel, nb_plan **out, nb_error *err)
{
    switch (rel->rel_type_case) {
    case SC__RELATION__REL_TYPE_FILL_NA: return fill(an, rel->fill_na, out, err);
    case SC__RELATION__REL_TYPE_DROP_NA: return drop(an, rel->drop_na, out, err);
    default: return replace(an, rel->replace, out, err);
    }
}
