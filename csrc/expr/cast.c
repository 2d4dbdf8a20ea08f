/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cast.c: CAST nodes and the dispatch to the loops in cast_*.c, which see flat rows only.
 *
 * Constants are cast once, dictionaries entry by entry when no entry can raise (an entry need not be in use).
 */
#include "expr/cast.h"

#include <stdio.h>

static int
rank(const nb_type *t)
{
    return t->id - NB_TYPE_INT8;
}

bool
nb_cast_can_fail(const nb_type *from, const nb_type *to)
{
    from = nb_type_storage(from);
    to = nb_type_storage(to);
    if (from == to || from->id == NB_TYPE_NULL || nb_type_same_ignoring_null(from, to)) {
        return false;
    }
    if (to->id == NB_TYPE_CHAR || to->id == NB_TYPE_VARCHAR) {
        return true;
    }
    if (to->id == NB_TYPE_STRING || to->id == NB_TYPE_BINARY) {
        return false;
    }
    if (nb_type_is_string(from)) {
        return true;
    }
    if (from->id == NB_TYPE_BOOL) {
        return to->id == NB_TYPE_DECIMAL;
    }
    if (to->id == NB_TYPE_BOOL || to->id == NB_TYPE_FLOAT32 || to->id == NB_TYPE_FLOAT64) {
        return false;
    }
    if (nb_type_is_integral(from) && nb_type_is_integral(to)) {
        return rank(to) < rank(from);
    }
    if (to->id == NB_TYPE_DECIMAL && (nb_type_is_integral(from) || from->id == NB_TYPE_DECIMAL)) {
        const nb_type *d = nb_decimal_for(from);

        return to->precision - to->scale < d->precision - d->scale + (to->scale < d->scale);
    }
    if (from->id == NB_TYPE_DATE &&
        (to->id == NB_TYPE_TIMESTAMP || to->id == NB_TYPE_TIMESTAMP_NTZ)) {
        return true;
    }
    if ((from->id == NB_TYPE_TIMESTAMP || from->id == NB_TYPE_TIMESTAMP_NTZ) &&
        to->id >= NB_TYPE_DATE && to->id <= NB_TYPE_TIME) {
        return false;
    }
    if (from->id == to->id &&
        (from->id == NB_TYPE_ARRAY || from->id == NB_TYPE_MAP || from->id == NB_TYPE_STRUCT)) {
        for (int i = 0; i < from->n_children && i < to->n_children; i++) {
            if (nb_cast_can_fail(from->children[i].type, to->children[i].type)) {
                return true;
            }
        }
        return false;
    }
    return true;
}

bool
nb_cast_may_null(const nb_type *from, const nb_type *to, nb_cast_mode mode)
{
    if (from->id == NB_TYPE_NULL) {
        return true;
    }
    /* As Spark's Cast.forceNullable, which ANSI mode does not change: errors do not make a schema stricter. */
    if (mode == NB_CAST_TRY) {
        return nb_cast_can_fail(from, to);
    }
    from = nb_type_storage(from);
    if (nb_type_is_string(from)) {
        return !nb_type_is_string(to) && to->id != NB_TYPE_BINARY;
    }
    if (nb_type_is_numeric(from)) {
        return to->id == NB_TYPE_DECIMAL
                   ? nb_cast_can_fail(from, to)
                   : (to->id == NB_TYPE_TIMESTAMP ? from->id != NB_TYPE_DECIMAL
                                                  : nb_type_is_integral(to)) &&
                         rank(from) >= rank(nb_type_of(NB_TYPE_FLOAT32));
    }
    switch (from->id) {
    case NB_TYPE_DATE: return nb_type_is_numeric(to) || to->id == NB_TYPE_TIMESTAMP_NTZ;
    case NB_TYPE_TIMESTAMP:
        return to->id == NB_TYPE_DECIMAL || (nb_type_is_integral(to) && to->id != NB_TYPE_INT64);
    case NB_TYPE_TIMESTAMP_NTZ: return to->id == NB_TYPE_DATE;
    case NB_TYPE_INTERVAL_YM:
    case NB_TYPE_INTERVAL_DT: return to->id == NB_TYPE_DECIMAL;
    default: return false;
    }
}

nb_status
nb_expr_cast(nb_arena *arena, nb_expr *e, const nb_type *to, nb_cast_mode mode, nb_expr **out,
             nb_error *err)
{
    nb_expr *cast;

    if (e->type == to) {
        *out = e;
        return NB_OK;
    }
    if (e->kind == NB_EXPR_LITERAL &&
        (e->type->id == NB_TYPE_NULL || nb_vector_is_null(e->u.literal.value, 0))) {
        *out = nb_expr_null(arena, to);
        return *out == NULL ? NB_NOMEM : NB_OK;
    }
    if (e->kind == NB_EXPR_LITERAL && nb_type_is_numeric(e->type) && nb_type_is_numeric(to) &&
        !nb_cast_can_fail(e->type, to)) {
        nb_kernel_ctx ctx = {.arena = arena, .err = err};
        nb_vector v;

        NB_TRY(nb_cast_vector(&ctx, e->u.literal.value, to, mode, &v));
        *out = nb_expr_literal(arena, &v);
        if (*out == NULL) {
            return NB_NOMEM;
        }
        (*out)->origin = e->origin;
        return NB_OK;
    }
    cast =
        nb_expr_new(arena, NB_EXPR_CAST, to, e->nullable || nb_cast_may_null(e->type, to, mode), 1);
    if (cast == NULL) {
        return NB_NOMEM;
    }
    cast->args[0] = e;
    cast->origin = e->origin;
    cast->u.cast.mode = mode;
    nb_expr_set_flags(cast);
    *out = cast;
    return nb_expr_check_depth(cast, err);
}

/* ---- faults -------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
null_row(nb_cast_job *job, int64_t i)
{
    NB_TRY(nb_vector_need_validity(job->ctx->arena, job->out));
    nb_bit_clear(job->out->validity, i);
    return NB_OK;
}

const char *
nb_type_quoted(nb_arena *arena, const nb_type *t)
{
    const char *name = nb_type_sql(arena, t),
               *text = name ? nb_arena_printf(arena, "\"%s\"", name) : NULL;

    return text ? text : "";
}

nb_status
nb_cast_invalid(nb_cast_job *job, int64_t i)
{
    nb_arena *arena = job->ctx->arena;

    if (job->mode != NB_CAST_ANSI) {
        return null_row(job, i);
    }
    return nb_raise(job->ctx->err, NB_COND_CAST_INVALID_INPUT, "expression",
                    nb_sql_value(arena, job->v, i), "sourceType", nb_type_quoted(arena, job->from),
                    "targetType", nb_type_quoted(arena, job->to), "ansiConfig",
                    "\"spark.sql.ansi.enabled\"", NULL);
}

nb_status
nb_cast_overflow(nb_cast_job *job, int64_t i)
{
    return job->mode == NB_CAST_ANSI ? nb_cast_raise_overflow(job, i) : null_row(job, i);
}

nb_status
nb_cast_raise_overflow(nb_cast_job *job, int64_t i)
{
    nb_arena *arena = job->ctx->arena;

    return nb_raise(job->ctx->err, NB_COND_CAST_OVERFLOW, "value", nb_sql_value(arena, job->v, i),
                    "sourceType", nb_type_quoted(arena, job->from), "targetType",
                    nb_type_quoted(arena, job->to), "ansiConfig", "\"spark.sql.ansi.enabled\"",
                    NULL);
}

nb_status
nb_cast_out_of_range(nb_cast_job *job, int64_t i, const char *value)
{
    char precision[8], scale[8];

    if (job->mode != NB_CAST_ANSI) {
        return null_row(job, i);
    }
    snprintf(precision, sizeof precision, "%d", job->to->precision);
    snprintf(scale, sizeof scale, "%d", job->to->scale);
    return nb_raise(job->ctx->err, NB_COND_NUMERIC_VALUE_OUT_OF_RANGE, "value", value, "precision",
                    precision, "scale", scale, "config", "\"spark.sql.ansi.enabled\"", NULL);
}

nb_status
nb_cast_null(nb_cast_job *job, int64_t i)
{
    return null_row(job, i);
}

/* ---- dispatch ---------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
cast_flat(nb_kernel_ctx *ctx, const nb_vector *v, const nb_type *to, nb_cast_mode mode,
          nb_vector *out)
{
    const nb_type *target = nb_type_storage(to);
    nb_cast_job job = {.ctx = ctx,
                       .v = v,
                       .from = nb_type_storage(v->type),
                       .to = target,
                       .mode = mode,
                       .n = v->n_rows,
                       .out = out};

    if (job.from->id == NB_TYPE_NULL) {
        NB_TRY(nb_vector_const_null(ctx->arena, to, v->n_rows, out));
        return NB_OK;
    }
    if (job.from == target || nb_type_same_ignoring_null(job.from, target)) {
        *out = *v;
        out->type = to;
        return NB_OK;
    }
    NB_TRY(nb_vector_alloc(ctx->arena, target, v->n_rows, out));
    if (v->validity != NULL) {
        NB_TRY(nb_vector_need_validity(ctx->arena, out));
        nb_bitmap_copy(v->validity, 0, out->validity, 0, v->n_rows);
    }
    switch (target->id) {
    case NB_TYPE_BOOL: NB_TRY(nb_cast_to_bool(&job)); break;
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
    case NB_TYPE_INT32:
    case NB_TYPE_INT64:
    case NB_TYPE_FLOAT32:
    case NB_TYPE_FLOAT64: NB_TRY(nb_cast_to_number(&job)); break;
    case NB_TYPE_DECIMAL: NB_TRY(nb_cast_to_decimal(&job)); break;
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR: NB_TRY(nb_cast_to_string(&job)); break;
    case NB_TYPE_BINARY: NB_TRY(nb_cast_to_binary(&job)); break;
    case NB_TYPE_DATE:
    case NB_TYPE_TIMESTAMP:
    case NB_TYPE_TIMESTAMP_NTZ:
    case NB_TYPE_TIME: NB_TRY(nb_cast_to_datetime(&job)); break;
    case NB_TYPE_INTERVAL_YM:
    case NB_TYPE_INTERVAL_DT:
    case NB_TYPE_INTERVAL: NB_TRY(nb_cast_to_interval(&job)); break;
    default: NB_TRY(nb_cast_to_nested(&job)); break;
    }
    out->type = to;
    return NB_OK;
}

nb_status
nb_cast_vector(nb_kernel_ctx *ctx, const nb_vector *v, const nb_type *to, nb_cast_mode mode,
               nb_vector *out)
{
    nb_vector one, flat;

    if (v->type->id == NB_TYPE_NULL) {
        return nb_vector_const_null(ctx->arena, to, v->n_rows, out);
    }
    if (v->kind == NB_VEC_CONST) {
        one = *v;
        one.kind = NB_VEC_FLAT;
        one.n_rows = 1;
        NB_TRY(cast_flat(ctx, &one, to, mode, out));
        out->kind = NB_VEC_CONST;
        out->n_rows = v->n_rows;
        return NB_OK;
    }
    if (v->kind == NB_VEC_DICT) {
        nb_vector *entries;

        if (v->dict->n_rows > 2 * v->n_rows ||
            (mode == NB_CAST_ANSI && nb_cast_can_fail(v->type, to))) {
            NB_TRY(nb_vector_flatten(ctx->arena, v, &flat));
            return cast_flat(ctx, &flat, to, mode, out);
        }
        entries = NB_ARENA_NEW(ctx->arena, nb_vector);
        if (entries == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(cast_flat(ctx, v->dict, to, mode, entries));
        *out = *v;
        out->type = to;
        out->dict = entries;
        out->dict_id = 0;
        return NB_OK;
    }
    return cast_flat(ctx, v, to, mode, out);
}

/* ---- casts that users write ------------------------------------------------------------------ */

nb_status
nb_expr_explicit_cast(nb_arena *arena, nb_expr *e, const nb_type *to, nb_cast_mode mode,
                      nb_expr **out, nb_error *err)
{
    bool ansi = mode != NB_CAST_LEGACY;
    const char *text, *source, *target, *functions = NULL;

    if (to->id == NB_TYPE_CHAR || to->id == NB_TYPE_VARCHAR) { /* lengths matter in tables only */
        to = nb_type_of(NB_TYPE_STRING);
    }

    if (nb_can_cast(e->type, to, ansi)) {
        NB_TRY(nb_expr_cast(arena, e, to, mode, out, err));
        if ((*out)->kind == NB_EXPR_CAST && *out != e) {
            (*out)->u.cast.is_explicit = true;
        }
        return NB_OK;
    }
    text = nb_expr_sql(arena, e, false);
    source = nb_type_quoted(arena, e->type);
    target = nb_type_quoted(arena, to);
    text = nb_arena_printf(arena, "\"%s(%s AS %s)\"", mode == NB_CAST_TRY ? "TRY_CAST" : "CAST",
                           text ? text : "", nb_type_sql(arena, to));
    if (e->type->id == NB_TYPE_DATE && nb_type_is_numeric(to)) {
        functions = "`UNIX_DATE`";
    } else if (to->id == NB_TYPE_DATE && nb_type_is_numeric(e->type)) {
        functions = "`DATE_FROM_UNIX_DATE`";
    }
    if (ansi && functions != NULL) {
        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_CAST_WITH_FUNC_SUGGESTION, "sqlExpr",
                        text ? text : "", "srcType", source, "targetType", target, "functionNames",
                        functions, NULL);
    }
    if (ansi && nb_can_cast(e->type, to, false)) {
        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_CAST_WITH_CONF_SUGGESTION, "sqlExpr",
                        text ? text : "", "srcType", source, "targetType", target, "config",
                        "\"spark.sql.ansi.enabled\"", "configVal", "'false'", NULL);
    }
    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_CAST_WITHOUT_SUGGESTION, "sqlExpr",
                    text ? text : "", "srcType", source, "targetType", target, NULL);
}
