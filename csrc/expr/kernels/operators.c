/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operators.c: types of operands of binary operators, after Spark's DecimalPrecision, ImplicitTypeCasts and PromoteStrings rules.
 */
#include "expr/kernels/operators.h"

#include <stdio.h>

#include "base/decimal.h"

nb_math_mode
nb_math_mode_of(const nb_bound_call *call)
{
    if (nb_str_starts_with(nb_function_name(call->fn), NB_STR("try_"))) {
        return NB_MATH_TRY;
    }
    return call->info->ansi ? NB_MATH_ANSI : NB_MATH_LEGACY;
}

/* ---- errors ---------------------------------------------------------------------------------------------------------------------------- */

#define ANSI_CONFIG "\"spark.sql.ansi.enabled\""

nb_status
nb_raise_overflow(nb_error *err, const char *try_name)
{
    char alternative[96] = "";

    if (try_name != NULL) {
        snprintf(alternative, sizeof alternative,
                 " Use '%s' to tolerate overflow and return NULL instead.", try_name);
    }
    return nb_raise(err, NB_COND_ARITHMETIC_OVERFLOW, "message", "overflow", "alternative",
                    alternative, "config", ANSI_CONFIG, NULL);
}

nb_status
nb_raise_divide_by_zero(nb_error *err)
{
    return nb_raise(err, NB_COND_DIVIDE_BY_ZERO, "config", ANSI_CONFIG, NULL);
}

nb_status
nb_raise_remainder_by_zero(nb_error *err)
{
    return nb_raise(err, NB_COND_REMAINDER_BY_ZERO, "config", ANSI_CONFIG, NULL);
}

nb_status
nb_raise_decimal_range(nb_error *err, nb_int128 v, int scale, const nb_type *t)
{
    char value[NB_DECIMAL_CHARS], precision[8], target_scale[8];

    value[nb_decimal_format(v, scale, value)] = '\0';
    snprintf(precision, sizeof precision, "%d", t->precision);
    snprintf(target_scale, sizeof target_scale, "%d", t->scale);
    return nb_raise(err, NB_COND_NUMERIC_VALUE_OUT_OF_RANGE, "value", value, "precision", precision,
                    "scale", target_scale, "config", ANSI_CONFIG, NULL);
}

nb_status
nb_kernel_null_row(nb_kernel_ctx *ctx, nb_vector *out, int64_t i)
{
    NB_TRY(nb_vector_need_validity(ctx->arena, out));
    nb_bit_clear(out->validity, i);
    return NB_OK;
}

static const char *
quoted_call(nb_bound_call *call)
{
    return nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call));
}

static const char *
quoted_type(nb_bound_call *call, int arg)
{
    const char *name = nb_type_sql(call->arena, call->args[arg]->type);

    return nb_arena_printf(call->arena, "\"%s\"", name ? name : "");
}

nb_status
nb_bind_diff_types(nb_bound_call *call, nb_error *err)
{
    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_BINARY_OP_DIFF_TYPES, "sqlExpr",
                    quoted_call(call), "left", quoted_type(call, 0), "right", quoted_type(call, 1),
                    NULL);
}

nb_status
nb_bind_wrong_type(nb_bound_call *call, const char *input_type, nb_error *err)
{
    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_BINARY_OP_WRONG_TYPE, "sqlExpr",
                    quoted_call(call), "inputType", input_type, "actualDataType",
                    quoted_type(call, 0), NULL);
}

/* ---- types -------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
cast_to(nb_bound_call *call, int arg, const nb_type *t, nb_error *err)
{
    nb_expr *e = call->args[arg];

    if (e->type == t || nb_type_same_ignoring_null(e->type, t)) {
        return NB_OK;
    }
    NB_TRY(nb_expr_cast(call->arena, e, t, call->info->ansi ? NB_CAST_ANSI : NB_CAST_LEGACY,
                        &call->args[arg], err));
    if (call->args[arg]->kind == NB_EXPR_CAST) {
        call->args[arg]->origin = call->origin; /* Spark reports the operator, not the operand */
    }
    return NB_OK;
}

/* The narrowest decimal for an integer: a literal counts its digits, but for a TINYINT's, which Spark forgets. */
static const nb_type *
decimal_of(const nb_expr *e)
{
    if (e->kind == NB_EXPR_LITERAL && e->type->id != NB_TYPE_INT8 &&
        !nb_vector_is_null(e->u.literal.value, 0)) {
        const nb_vector *v = e->u.literal.value;
        int64_t x = v->type->id == NB_TYPE_INT16   ? NB_DATA(int16_t, v)[0]
                    : v->type->id == NB_TYPE_INT32 ? NB_DATA(int32_t, v)[0]
                                                   : NB_DATA(int64_t, v)[0];

        return nb_type_decimal(nb_decimal_digits(x), 0);
    }
    return nb_decimal_for(e->type);
}

/* One side decimal, the other another number: an integer becomes a decimal, a decimal beside a float a double. */
static nb_status
meet_decimal(nb_bound_call *call, nb_error *err)
{
    int d = call->args[0]->type->id == NB_TYPE_DECIMAL ? 0 : 1;
    const nb_type *other = call->args[1 - d]->type;

    if (nb_type_is_integral(other)) {
        return cast_to(call, 1 - d, decimal_of(call->args[1 - d]), err);
    }
    if (other->id == NB_TYPE_FLOAT32 || other->id == NB_TYPE_FLOAT64) {
        NB_TRY(cast_to(call, d, nb_type_of(NB_TYPE_FLOAT64), err));
        return cast_to(call, 1 - d, nb_type_of(NB_TYPE_FLOAT64), err);
    }
    return NB_OK;
}

static nb_status
meet_numbers(nb_bound_call *call, nb_error *err)
{
    const nb_type *a = call->args[0]->type, *b = call->args[1]->type, *t;

    if (a->id == NB_TYPE_NULL || b->id == NB_TYPE_NULL) {
        t = a->id == NB_TYPE_NULL ? b : a;
        if (t->id == NB_TYPE_NULL || (nb_type_is_string(t) && !call->info->ansi)) {
            t = nb_type_of(NB_TYPE_FLOAT64);
        }
        NB_TRY(cast_to(call, 0, t, err));
        return cast_to(call, 1, t, err);
    }
    if (a->id == NB_TYPE_DECIMAL && b->id == NB_TYPE_DECIMAL) {
        return NB_OK;
    }
    if (a->id == NB_TYPE_DECIMAL || b->id == NB_TYPE_DECIMAL) {
        return meet_decimal(call, err);
    }
    t = nb_type_is_numeric(a) && nb_type_is_numeric(b) ? nb_coerce_tightest(a, b, call->info->ansi)
                                                       : NULL;
    if (t == NULL) {
        return NB_OK;
    }
    NB_TRY(cast_to(call, 0, t, err));
    return cast_to(call, 1, t, err);
}

nb_status
nb_bind_arithmetic_operands(nb_bound_call *call, nb_error *err)
{
    for (int i = 0; i < 2; i++) {
        const nb_type *other = call->args[1 - i]->type;
        const nb_type *t = nb_type_of(NB_TYPE_FLOAT64);

        if (!nb_type_is_string(call->args[i]->type) ||
            (call->info->ansi && (nb_type_is_string(other) || other->id == NB_TYPE_NULL))) {
            continue; /* with ANSI on only the number on the other side makes a string one */
        }
        if (call->info->ansi && nb_type_is_integral(other)) {
            t = nb_type_of(NB_TYPE_INT64);
        } else if (!nb_type_is_numeric(other) && !nb_type_is_string(other) &&
                   other->id != NB_TYPE_NULL) {
            continue;
        }
        NB_TRY(cast_to(call, i, t, err));
    }
    return meet_numbers(call, err);
}

/* Comparisons with ANSI off turn strings into the other side's type. */
static const nb_type *
legacy_string_comparison(const nb_type *a, const nb_type *b)
{
    const nb_type *s = nb_type_is_string(a) ? a : b, *o = s == a ? b : a;

    if (!nb_type_is_string(s) || nb_type_is_string(o)) {
        return NULL;
    }
    if (o->id == NB_TYPE_DECIMAL) {
        return nb_type_of(NB_TYPE_FLOAT64);
    }
    if (nb_type_is_numeric(o) || o->id == NB_TYPE_BOOL || o->id == NB_TYPE_DATE ||
        o->id == NB_TYPE_TIMESTAMP || o->id == NB_TYPE_TIMESTAMP_NTZ || o->id == NB_TYPE_BINARY) {
        return o;
    }
    return NULL;
}

static const nb_type *
legacy_comparison(const nb_bound_call *call, const nb_type *a, const nb_type *b)
{
    nb_str name = nb_function_name(call->fn);

    /* booleans equal numbers as 1 and 0, but are not ordered among them */
    if ((nb_str_equal(name, NB_STR("=")) || nb_str_equal(name, NB_STR("<=>"))) &&
        ((a->id == NB_TYPE_BOOL && nb_type_is_numeric(b)) ||
         (b->id == NB_TYPE_BOOL && nb_type_is_numeric(a)))) {
        return a->id == NB_TYPE_BOOL ? b : a;
    }
    return legacy_string_comparison(a, b);
}

/* Types that differ in names of fields and in what may be null. */
static bool
same_shape(const nb_type *a, const nb_type *b)
{
    bool same = a == b || (a->id == b->id && a->n_children > 0 && a->n_children == b->n_children &&
                           a->id != NB_TYPE_UDT);

    for (int i = 0; same && a != b && i < a->n_children; i++) {
        same = same_shape(a->children[i].type, b->children[i].type);
    }
    return same;
}

nb_status
nb_bind_comparison_operands(nb_bound_call *call, nb_error *err)
{
    const nb_type *a = call->args[0]->type, *b = call->args[1]->type, *t = NULL;

    if (a == b) {
        return NB_OK;
    }
    if (!call->info->ansi) {
        t = legacy_comparison(call, a, b);
    }
    if (t == NULL && nb_type_is_numeric(a) && nb_type_is_numeric(b) &&
        (a->id == NB_TYPE_DECIMAL || b->id == NB_TYPE_DECIMAL)) {
        NB_TRY(meet_decimal(call, err));
        a = call->args[0]->type;
        b = call->args[1]->type;
        t = a->id == NB_TYPE_DECIMAL && b->id == NB_TYPE_DECIMAL ? nb_coerce_decimals(a, b) : a;
    }
    if (t == NULL) {
        t = nb_coerce_common(a, b, call->info->ansi);
    }
    if (t == NULL && same_shape(a, b)) { /* (a, b) = (1, 2): the names of fields do not count */
        t = nb_type_as_nullable(a);
    }
    if (t == NULL) {
        return nb_bind_diff_types(call, err);
    }
    NB_TRY(cast_to(call, 0, t, err));
    return cast_to(call, 1, t, err);
}
