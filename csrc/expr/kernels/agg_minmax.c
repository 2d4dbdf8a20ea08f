/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_minmax.c: min and max of every orderable type.
 *
 * Order as in Spark's ORDER BY: NaN is greater than any number, -0.0 equals 0.0, strings compare by bytes, nested values part by part.
 */
#include "expr/kernels/agg_value.h"

#define INT_LESS(a, b)   ((a) < (b))
#define FLOAT_LESS(a, b) ((a) < (b) || ((b) != (b) && (a) == (a)))

#define NB_T             uint8_t
#define NB_LESS          INT_LESS
#define NB_TAG(f)        bool_##f
#include "expr/kernels/agg_minmax_tmpl.h"

#define NB_T      int8_t
#define NB_LESS   INT_LESS
#define NB_TAG(f) i8_##f
#include "expr/kernels/agg_minmax_tmpl.h"

#define NB_T      int16_t
#define NB_LESS   INT_LESS
#define NB_TAG(f) i16_##f
#include "expr/kernels/agg_minmax_tmpl.h"

#define NB_T      int32_t
#define NB_LESS   INT_LESS
#define NB_TAG(f) i32_##f
#include "expr/kernels/agg_minmax_tmpl.h"

#define NB_T      int64_t
#define NB_LESS   INT_LESS
#define NB_TAG(f) i64_##f
#include "expr/kernels/agg_minmax_tmpl.h"

#define NB_T      nb_int128
#define NB_LESS   INT_LESS
#define NB_TAG(f) i128_##f
#include "expr/kernels/agg_minmax_tmpl.h"

#define NB_T      float
#define NB_LESS   FLOAT_LESS
#define NB_TAG(f) f32_##f
#include "expr/kernels/agg_minmax_tmpl.h"

#define NB_T      double
#define NB_LESS   FLOAT_LESS
#define NB_TAG(f) f64_##f
#include "expr/kernels/agg_minmax_tmpl.h"

/* ---- strings and nested values ------------------------------------------------------------------------------------------------------ */

typedef struct value_state {
    nb_agg_value value;
    uint32_t room;
    uint8_t has;
} value_state;

static nb_status
value_take(nb_agg_ctx *ctx, const nb_vector *v, int64_t row, value_state *s, int sign)
{
    if (s->has) {
        int c = v->type->phys == NB_PHYS_STRING
                    ? nb_view_compare(&s->value.view,
                                      &NB_DATA(nb_view, v)[v->kind == NB_VEC_CONST ? 0 : row])
                    : nb_agg_value_compare_row(v->type, &s->value, v, row);
        if (c * sign <= 0) {
            return NB_OK;
        }
    }
    s->has = 1;
    return nb_agg_value_set(ctx->memory, v, row, &s->value, &s->room);
}

NB_INLINE nb_status
value_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
             int sign)
{
    for (int64_t i = 0; i < n; i++) {
        if (!nb_vector_is_null(args, i)) {
            NB_TRY(value_take(ctx, args, i, (value_state *)(rows[i] + offset), sign));
        }
    }
    return NB_OK;
}

NB_INLINE nb_status
value_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int sign)
{
    for (int64_t i = 0; i < (args->kind == NB_VEC_CONST ? NB_MIN(n, 1) : n); i++) {
        if (!nb_vector_is_null(args, i)) {
            NB_TRY(value_take(ctx, args, i, state, sign));
        }
    }
    return NB_OK;
}

NB_INLINE nb_status
value_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n,
            int sign)
{
    const nb_type *t = ctx->expr->type;

    for (int64_t i = 0; i < n; i++) {
        value_state *a = (value_state *)(into[i] + offset);
        const value_state *b = (const value_state *)(from[i] + offset);
        if (b->has && (!a->has || nb_agg_value_compare(t, &a->value, &b->value) * sign > 0)) {
            NB_TRY(nb_agg_value_copy(ctx->memory, t, &b->value, &a->value, &a->room));
            a->has = 1;
        }
    }
    return NB_OK;
}

#define SIGNED(name, sign)                                                                      \
    static nb_status name##_value_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n,     \
                                         uint8_t *const *rows, int offset, int64_t row0)        \
    {                                                                                           \
        return value_update(ctx, args, n, rows, offset, sign);                                  \
    }                                                                                           \
    static nb_status name##_value_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, \
                                             void *state, int64_t row0)                         \
    {                                                                                           \
        return value_update_one(ctx, args, n, state, sign);                                     \
    }                                                                                           \
    static nb_status name##_value_merge(nb_agg_ctx *ctx, uint8_t *const *into,                  \
                                        uint8_t *const *from, int offset, int64_t n)            \
    {                                                                                           \
        return value_merge(ctx, into, from, offset, n, sign);                                   \
    }
SIGNED(min, 1)
SIGNED(max, -1)

static nb_status
value_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    const nb_agg_value **values = NB_ARENA_ARRAY(ctx->scratch, const nb_agg_value *, n);

    if (values == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        const value_state *s = (const value_state *)(rows[i] + offset);
        values[i] = s->has ? &s->value : NULL;
    }
    return nb_agg_values_to_vector(ctx->scratch, out->type, values, n, out);
}

static nb_status
value_serialize(nb_agg_ctx *ctx, const void *state, nb_strbuf *out)
{
    const value_state *s = state;

    nb_strbuf_addc(out, (char)s->has);
    return s->has ? nb_agg_value_serialize(ctx, ctx->expr->type, &s->value, out) : NB_OK;
}

static nb_status
value_deserialize(nb_agg_ctx *ctx, nb_str bytes, void *state)
{
    value_state *s = state;

    *s = (value_state){0};
    if (!nb_agg_take(&bytes, &s->has, 1)) {
        return nb_raise_internal(ctx->err, "a serialised aggregate state is cut off");
    }
    return s->has ? nb_agg_value_deserialize(ctx, ctx->expr->type, &bytes, &s->value) : NB_OK;
}

/* ---- tables and binders ------------------------------------------------------------------------------------------------------------- */

#define OPS(tag, which)                        \
    {.state_size = sizeof(tag##_state),        \
     .state_align = _Alignof(tag##_state),     \
     .update = tag##_##which##_update,         \
     .update_one = tag##_##which##_update_one, \
     .merge = tag##_##which##_merge,           \
     .finalize = tag##_finalize}
#define TABLE(which)                                                                     \
    static const nb_agg_ops which##_ops[] = {                                            \
        [NB_PHYS_BOOL] = OPS(bool, which), [NB_PHYS_INT8] = OPS(i8, which),              \
        [NB_PHYS_INT16] = OPS(i16, which), [NB_PHYS_INT32] = OPS(i32, which),            \
        [NB_PHYS_INT64] = OPS(i64, which), [NB_PHYS_INT128] = OPS(i128, which),          \
        [NB_PHYS_FLOAT] = OPS(f32, which), [NB_PHYS_DOUBLE] = OPS(f64, which),           \
    };                                                                                   \
    static const nb_agg_ops which##_value_ops = {.state_size = sizeof(value_state),      \
                                                 .state_align = 8,                       \
                                                 .update = which##_value_update,         \
                                                 .update_one = which##_value_update_one, \
                                                 .merge = which##_value_merge,           \
                                                 .finalize = value_finalize,             \
                                                 .serialize = value_serialize,           \
                                                 .deserialize = value_deserialize};
TABLE(min)
TABLE(max)

static nb_status
bind(nb_bound_agg *agg, const nb_agg_ops *table, const nb_agg_ops *values, nb_error *err)
{
    const nb_type *t = agg->call.args[0]->type;

    if (!nb_type_is_orderable(t)) {
        return nb_agg_unorderable(agg, 0, err);
    }
    agg->call.type = t;
    agg->call.nullable = true;
    agg->ops = t->phys >= NB_PHYS_BOOL && t->phys <= NB_PHYS_DOUBLE ? &table[t->phys] : values;
    return NB_OK;
}

nb_status
nb_agg_bind_min(nb_bound_agg *agg, nb_error *err)
{
    return bind(agg, min_ops, &min_value_ops, err);
}

nb_status
nb_agg_bind_max(nb_bound_agg *agg, nb_error *err)
{
    return bind(agg, max_ops, &max_value_ops, err);
}
