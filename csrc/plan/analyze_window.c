/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_window.c: what Spark's analyzer asks of the frame of a window, and of a function over it.
 */
#include <stdio.h>

#include "plan/analyzer_internal.h"

/* Is offset a number that a RANGE frame can add to keys of this type? */
static bool
fits_range(const nb_type *key, const nb_type *offset)
{
    bool is_interval = offset->id == NB_TYPE_INTERVAL_DT || offset->id == NB_TYPE_INTERVAL_YM ||
                       offset->id == NB_TYPE_INTERVAL;

    switch (key->id) {
    case NB_TYPE_DATE: return is_interval || nb_type_is_integral(offset);
    case NB_TYPE_TIMESTAMP:
    case NB_TYPE_TIMESTAMP_NTZ: return is_interval;
    case NB_TYPE_INTERVAL_DT:
    case NB_TYPE_INTERVAL_YM: return is_interval;
    default: return nb_type_is_numeric(key) && nb_type_is_numeric(offset);
    }
}

/* The value of a bound as a signed number of rows; false when it is no small constant. */
static bool
bound_value(nb_bound_kind kind, const nb_expr *offset, int *out)
{
    *out = 0;
    if (kind == NB_BOUND_OFFSET) {
        if (offset->kind != NB_EXPR_LITERAL || offset->type->id != NB_TYPE_INT32 ||
            nb_vector_is_null(offset->u.literal.value, 0)) {
            return false;
        }
        *out = NB_DATA(int32_t, offset->u.literal.value)[0];
    }
    return kind != NB_BOUND_UNBOUNDED;
}

/* What Spark's analyzer asks of a frame that a query writes. */
nb_status
nb_check_frame(nb_analyzer *an, const nb_window_spec *spec, nb_error *err)
{
    const nb_frame *f = &spec->frame;
    nb_expr *const offsets[2] = {f->lower_offset, f->upper_offset};
    const char *frame = f->is_rows ? "\"ROWS\"" : "\"RANGE\"";
    int low, high;

    if (!f->is_rows && spec->n_order_by == 0 &&
        (f->lower != NB_BOUND_UNBOUNDED || f->upper != NB_BOUND_UNBOUNDED)) {
        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_RANGE_FRAME_WITHOUT_ORDER, "sqlExpr", frame,
                        NULL);
    }
    for (int i = 0; i < 2 && !f->is_rows; i++) {
        if (!offsets[i]) {
            continue;
        }
        if (spec->n_order_by > 1) {
            nb_strbuf b = {0};
            nb_str text;
            for (int k = 0; k < spec->n_order_by; k++) {
                nb_strbuf_addf(&b, "%s%s", k ? ", " : "",
                               nb_expr_sql(an->arena, spec->order_by[k].expr, false));
            }
            text = nb_strbuf_finish(an->arena, &b);
            NB_NEED(text.data);
            return nb_raise(err, NB_COND_DATATYPE_MISMATCH_RANGE_FRAME_MULTI_ORDER, "sqlExpr",
                            frame, "orderSpec", text.data, NULL);
        }
        if (!fits_range(spec->order_by[0].expr->type, offsets[i]->type)) {
            return nb_raise(
                err, NB_COND_DATATYPE_MISMATCH_SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE, "sqlExpr",
                frame, "location", i ? "upper" : "lower", "exprType",
                nb_arena_printf(an->arena, "\"%s\"", nb_type_sql(an->arena, offsets[i]->type)),
                "expectedType",
                nb_arena_printf(an->arena, "\"%s\"",
                                nb_type_sql(an->arena, spec->order_by[0].expr->type)),
                NULL);
        }
    }
    if (bound_value(f->lower, f->lower_offset, &low) &&
        bound_value(f->upper, f->upper_offset, &high) && low > high) {
        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON,
                        "sqlExpr", frame, "comparison", "less than or equal", NULL);
    }
    return NB_OK;
}

/* A bound as Spark's plans show it. */
static const char *
bound_text(nb_analyzer *an, nb_bound_kind kind, const nb_expr *offset, bool upper)
{
    switch (kind) {
    case NB_BOUND_UNBOUNDED: return upper ? "unboundedfollowing$()" : "unboundedpreceding$()";
    case NB_BOUND_CURRENT: return "currentrow$()";
    default: return nb_expr_sql(an->arena, offset, false);
    }
}

static const char *
frame_text(nb_analyzer *an, const nb_frame *f)
{
    return nb_arena_printf(an->arena, "specifiedwindowframe(%s, %s, %s)",
                           f->is_rows ? "RowFrame" : "RangeFrame",
                           bound_text(an, f->lower, f->lower_offset, false),
                           bound_text(an, f->upper, f->upper_offset, true));
}

/* Ranks are over all rows so far; lag and lead over one row, which lead alone lets a query say. */
static nb_status
check_own_frame(nb_analyzer *an, const nb_expr *fn, const nb_frame *f, nb_error *err)
{
    nb_str name = nb_function_name(fn->u.call.fn);
    nb_frame own = {.is_rows = !nb_str_equal(name, NB_STR("cume_dist")),
                    .lower = NB_BOUND_UNBOUNDED,
                    .upper = NB_BOUND_CURRENT};
    int low, high, step;

    if (nb_str_equal(name, NB_STR("nth_value"))) {
        return NB_OK;
    }
    if (nb_str_equal(name, NB_STR("lead")) && f->is_rows && fn->n_args > 1 &&
        bound_value(NB_BOUND_OFFSET, fn->args[1], &step) &&
        bound_value(f->lower, f->lower_offset, &low) &&
        bound_value(f->upper, f->upper_offset, &high) && low == step && high == step) {
        return NB_OK;
    }
    if (nb_str_equal(name, NB_STR("lag")) || nb_str_equal(name, NB_STR("lead"))) {
        return nb_raise(err, NB_COND_FRAME_OF_OFFSET, "prettyName",
                        nb_arena_printf(an->arena, "%.*s", (int)name.len, name.data), NULL);
    }
    if (f->is_rows == own.is_rows && f->lower == own.lower && f->upper == own.upper) {
        return NB_OK;
    }
    return nb_raise(err, NB_COND_FRAME_OTHER_THAN_REQUIRED, "wf", frame_text(an, f), "required",
                    frame_text(an, &own), NULL);
}

nb_status
nb_check_window_call(nb_analyzer *an, const nb_expr *fn, const nb_window_spec *spec, bool framed,
                     nb_error *err)
{
    static const char *const whole[] = {"median", "nbaspark.listagg", "percentile_cont",
                                        "percentile_disc"};
    const nb_frame *f = &spec->frame;
    nb_str name;

    if (fn->kind == NB_EXPR_CALL) {
        return framed ? check_own_frame(an, fn, f, err) : NB_OK;
    }
    name = nb_aggregate_name(fn->u.agg.fn);
    for (size_t i = 0; i < NB_COUNT_OF(whole); i++) {
        if (nb_str_equal(name, nb_str_of(whole[i])) &&
            (spec->n_order_by > 0 || f->lower != NB_BOUND_UNBOUNDED ||
             f->upper != NB_BOUND_UNBOUNDED)) {
            /* as a call: of percentile_cont and its like the direction is not shown */
            nb_function shadow = {.names = fn->u.agg.fn->names};
            nb_expr call = {.kind = NB_EXPR_CALL, .type = fn->type, .args = fn->args};

            call.n_args =
                nb_str_equal(name, NB_STR("nbaspark.listagg")) ? fn->n_args : NB_MIN(fn->n_args, 2);
            call.u.call.fn = &shadow;
            return nb_raise(
                err, NB_COND_INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC, "aggFunc",
                nb_arena_printf(an->arena, "\"%s\"", nb_expr_sql(an->arena, &call, false)), NULL);
        }
    }
    return NB_OK;
}
