/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logic.c: AND, OR, NOT, the null tests, and everything that becomes CASE, COALESCE or IN.
 */
#include "expr/kernels/operators.h"

#include <math.h>

#include "expr/binders.h"

static nb_status
need_bool(nb_bound_call *call, int arg, nb_error *err)
{
    const nb_type *bool_type = nb_type_of(NB_TYPE_BOOL);

    if (call->args[arg]->type == bool_type) {
        return NB_OK;
    }
    if (call->args[arg]->type->id == NB_TYPE_NULL ||
        (nb_type_is_string(call->args[arg]->type) && call->info->ansi)) {
        return nb_bind_cast(call, arg, bool_type, err);
    }
    return nb_bind_mismatch(call, arg, "\"BOOLEAN\"", err);
}

/* ---- AND, OR, NOT ------------------------------------------------------------------------------------------------------------------------- */

/* Nested conjunctions become one, so that a chain of thousands is not a deep tree. */
static nb_status
bind_junction(nb_bound_call *call, nb_expr_kind kind, nb_error *err)
{
    int n = 0;
    bool nullable = false;
    nb_expr *e;

    for (int i = 0; i < call->n_args; i++) {
        const nb_type *t = call->args[i]->type;
        /* beside a boolean a text is one */
        bool text = call->info->ansi && nb_type_is_string(t) && call->n_args == 2 &&
                    call->args[1 - i]->type->id == NB_TYPE_BOOL;

        if (t->id != NB_TYPE_BOOL && t->id != NB_TYPE_NULL && !text) {
            return call->n_args == 2 && call->args[0]->type != call->args[1]->type
                       ? nb_bind_diff_types(call, err)
                       : nb_bind_wrong_type(call, "\"BOOLEAN\"", err);
        }
        NB_TRY(need_bool(call, i, err));
        n += call->args[i]->kind == kind ? call->args[i]->n_args : 1;
        nullable |= call->args[i]->nullable;
    }
    e = nb_expr_new(call->arena, kind, nb_type_of(NB_TYPE_BOOL), nullable, n);
    if (e == NULL) {
        return NB_NOMEM;
    }
    n = 0;
    for (int i = 0; i < call->n_args; i++) {
        const nb_expr *arg = call->args[i];

        if (arg->kind == kind) {
            memcpy(e->args + n, arg->args, (size_t)arg->n_args * sizeof(nb_expr *));
            n += arg->n_args;
        } else {
            e->args[n++] = call->args[i];
        }
    }
    nb_expr_set_flags(e);
    call->replacement = e;
    return NB_OK;
}

nb_status
nb_bind_and(nb_bound_call *call, nb_error *err)
{
    return bind_junction(call, NB_EXPR_AND, err);
}

nb_status
nb_bind_or(nb_bound_call *call, nb_error *err)
{
    return bind_junction(call, NB_EXPR_OR, err);
}

static nb_status
not_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const uint8_t *restrict v = args[0].data;
    uint8_t *restrict r = out->data;

    for (int64_t i = 0; i < n; i++) {
        r[i] = v[i] ^ 1;
    }
    return NB_OK;
}

nb_status
nb_bind_not(nb_bound_call *call, nb_error *err)
{
    NB_TRY(need_bool(call, 0, err));
    call->type = nb_type_of(NB_TYPE_BOOL);
    call->kernel = not_kernel;
    return NB_OK;
}

/* ---- null tests ------------------------------------------------------------------------------------------------------------------------------- */

static void
null_flags(const nb_vector *v, int64_t n, uint8_t when_null, uint8_t *out)
{
    if (v->type->id == NB_TYPE_NULL || v->kind == NB_VEC_CONST) {
        memset(out, nb_vector_is_null(v, 0) ? when_null : !when_null, (size_t)n);
    } else if (v->validity == NULL) {
        memset(out, !when_null, (size_t)n);
    } else {
        for (int64_t i = 0; i < n; i++) {
            out[i] = (uint8_t)(nb_bit_get(v->validity, i) ^ when_null);
        }
    }
}

static nb_status
isnull_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    null_flags(&args[0], n, 1, out->data);
    return NB_OK;
}

static nb_status
isnotnull_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    null_flags(&args[0], n, 0, out->data);
    return NB_OK;
}

static nb_status
isnan_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_vector *v = &args[0];
    uint8_t *r = out->data;

    for (int64_t i = 0; i < n; i++) {
        int64_t slot = v->kind == NB_VEC_CONST ? 0 : i;

        r[i] = !nb_vector_is_null(v, i) &&
               (v->type->phys == NB_PHYS_FLOAT ? isnan(NB_DATA(float, v)[slot])
                                               : isnan(NB_DATA(double, v)[slot]));
    }
    return NB_OK;
}

nb_status
nb_bind_isnull(nb_bound_call *call, nb_error *err)
{
    call->type = nb_type_of(NB_TYPE_BOOL);
    call->kernel = isnull_kernel;
    return NB_OK;
}

nb_status
nb_bind_isnotnull(nb_bound_call *call, nb_error *err)
{
    call->type = nb_type_of(NB_TYPE_BOOL);
    call->kernel = isnotnull_kernel;
    return NB_OK;
}

nb_status
nb_bind_isnan(nb_bound_call *call, nb_error *err)
{
    if (call->args[0]->type->id != NB_TYPE_FLOAT32) {
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_FLOAT64), err));
    }
    call->type = nb_type_of(NB_TYPE_BOOL);
    call->kernel = isnan_kernel;
    return NB_OK;
}

/* ---- CASE and its relatives -------------------------------------------------------------------------------------------------------------------- */

static nb_status
make_case(nb_bound_call *call, nb_expr **args, int n, nb_error *err)
{
    nb_bound_call values = *call;
    const nb_type *type;
    nb_expr *e;
    bool nullable = n % 2 == 0;
    int k = 0;

    values.args = NB_ARENA_ARRAY(call->arena, nb_expr *, n / 2 + 1);
    if (values.args == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        if (i % 2 == 1 || i == n - 1) {
            values.args[k++] = args[i];
            nullable |= args[i]->nullable;
        }
    }
    values.n_args = k;
    NB_TRY(nb_bind_common_type(&values, 0, k, &type, err));
    e = nb_expr_new(call->arena, NB_EXPR_CASE, type, nullable, n);
    if (e == NULL) {
        return NB_NOMEM;
    }
    k = 0;
    for (int i = 0; i < n; i++) {
        e->args[i] = i % 2 == 1 || i == n - 1 ? values.args[k++] : args[i];
    }
    nb_expr_set_flags(e);
    call->replacement = e;
    return NB_OK;
}

nb_status
nb_bind_when(nb_bound_call *call, nb_error *err)
{
    for (int i = 0; i + 1 < call->n_args; i += 2) {
        if (call->args[i]->type->id != NB_TYPE_BOOL) { /* not even NULL, unlike if() */
            return nb_bind_mismatch(call, i, "\"BOOLEAN\"", err);
        }
    }
    return make_case(call, call->args, call->n_args, err);
}

nb_status
nb_bind_if(nb_bound_call *call, nb_error *err)
{
    NB_TRY(need_bool(call, 0, err));
    return make_case(call, call->args, 3, err);
}

nb_status
nb_bind_coalesce(nb_bound_call *call, nb_error *err)
{
    const nb_type *type;
    bool nullable = true;
    nb_expr *e;

    NB_TRY(nb_bind_common_type(call, 0, call->n_args, &type, err));
    for (int i = 0; i < call->n_args; i++) {
        nullable &= call->args[i]->nullable;
    }
    e = nb_expr_new(call->arena, NB_EXPR_COALESCE, type, nullable, call->n_args);
    if (e == NULL) {
        return NB_NOMEM;
    }
    memcpy(e->args, call->args, (size_t)call->n_args * sizeof(nb_expr *));
    nb_expr_set_flags(e);
    call->replacement = e;
    return NB_OK;
}

nb_status
nb_bind_nullif(nb_bound_call *call, nb_error *err)
{
    nb_expr *args[3] = {NULL, nb_expr_null(call->arena, call->args[0]->type), call->args[0]};

    if (args[1] == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_bind_again(call, "=", call->args, 2, &args[0], err));
    return make_case(call, args, 3, err);
}

nb_status
nb_bind_nvl2(nb_bound_call *call, nb_error *err)
{
    nb_expr *args[3] = {NULL, call->args[1], call->args[2]};

    NB_TRY(nb_bind_again(call, "isnotnull", call->args, 1, &args[0], err));
    return make_case(call, args, 3, err);
}

nb_status
nb_bind_nanvl(nb_bound_call *call, nb_error *err)
{
    nb_expr *args[3];

    for (int i = 0; i < 2; i++) {
        if (call->args[i]->type->id != NB_TYPE_FLOAT32) {
            NB_TRY(nb_bind_cast(call, i, nb_type_of(NB_TYPE_FLOAT64), err));
        }
    }
    args[1] = call->args[1];
    args[2] = call->args[0];
    NB_TRY(nb_bind_again(call, "isnan", call->args, 1, &args[0], err));
    return make_case(call, args, 3, err);
}

nb_status
nb_bind_zeroifnull(nb_bound_call *call, nb_error *err)
{
    nb_expr *args[2] = {call->args[0], nb_expr_int32(call->arena, 0)};

    if (args[1] == NULL) {
        return NB_NOMEM;
    }
    return nb_bind_again(call, "coalesce", args, 2, &call->replacement, err);
}

nb_status
nb_bind_nullifzero(nb_bound_call *call, nb_error *err)
{
    nb_expr *args[2] = {call->args[0], nb_expr_int32(call->arena, 0)};

    if (args[1] == NULL) {
        return NB_NOMEM;
    }
    return nb_bind_again(call, "nullif", args, 2, &call->replacement, err);
}

nb_status
nb_bind_between(nb_bound_call *call, nb_error *err)
{
    nb_expr *low[2] = {call->args[0], call->args[1]}, *high[2] = {call->args[0], call->args[2]},
            *both[2];

    NB_TRY(nb_bind_again(call, ">=", low, 2, &both[0], err));
    NB_TRY(nb_bind_again(call, "<=", high, 2, &both[1], err));
    return nb_bind_again(call, "and", both, 2, &call->replacement, err);
}

/* ---- IN ------------------------------------------------------------------------------------------------------------------------------------------- */

/* (a, b) IN ((1, 'x')): structs compare by position, whatever their fields are called. */
static nb_status
rename_fields(nb_bound_call *call, int arg, const nb_type *like, nb_error *err)
{
    const nb_type *t = call->args[arg]->type;
    nb_field *fields;

    if (t->id != NB_TYPE_STRUCT || like->id != NB_TYPE_STRUCT ||
        t->n_children != like->n_children) {
        return NB_OK;
    }
    fields = NB_ARENA_ARRAY(call->arena, nb_field, t->n_children + 1);
    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < t->n_children; i++) {
        fields[i] = t->children[i];
        fields[i].name = like->children[i].name;
    }
    t = nb_type_struct(fields, t->n_children);
    return t == NULL ? NB_NOMEM
                     : nb_expr_cast(call->arena, call->args[arg], t, NB_CAST_LEGACY,
                                    &call->args[arg], err);
}

nb_status
nb_bind_in(nb_bound_call *call, nb_error *err)
{
    const nb_type *type;
    bool constant = true, nullable = false;
    nb_expr *e;

    if (call->n_args == 1) { /* IN () of the DataFrame API */
        call->replacement = nb_expr_bool(call->arena, false);
        if (call->replacement == NULL) {
            return NB_NOMEM;
        }
        call->replacement->nullable = call->args[0]->nullable; /* never null, but typed as any IN */
        return NB_OK;
    }
    for (int i = 1; i < call->n_args; i++) {
        NB_TRY(rename_fields(call, i, call->args[0]->type, err));
    }
    NB_TRY(nb_bind_common_type(call, 0, call->n_args, &type, err));
    for (int i = 0; i < call->n_args; i++) {
        if (call->args[i]->kind == NB_EXPR_CAST && call->args[i]->origin == NULL) {
            call->args[i]->origin = call->origin;
        }
        constant &= i == 0 || call->args[i]->foldable;
        nullable |= call->args[i]->nullable;
    }
    if (!constant) { /* x = a OR x = b ... */
        nb_expr **tests = NB_ARENA_ARRAY(call->arena, nb_expr *, call->n_args);

        if (tests == NULL) {
            return NB_NOMEM;
        }
        for (int i = 1; i < call->n_args; i++) {
            nb_expr *pair[2] = {call->args[0], call->args[i]};

            NB_TRY(nb_bind_again(call, "=", pair, 2, &tests[i - 1], err));
        }
        if (call->n_args == 2) {
            call->replacement = tests[0];
            return NB_OK;
        }
        return nb_bind_again(call, "or", tests, call->n_args - 1, &call->replacement, err);
    }
    e = nb_expr_new(call->arena, NB_EXPR_IN, nb_type_of(NB_TYPE_BOOL), nullable, call->n_args);
    if (e == NULL) {
        return NB_NOMEM;
    }
    e->args[0] = call->args[0];
    for (int i = 1; i < call->n_args; i++) {
        NB_TRY(nb_expr_fold(call->arena, call->args[i], call->info, &e->args[i], err));
    }
    nb_expr_set_flags(e);
    call->replacement = e;
    return NB_OK;
}
