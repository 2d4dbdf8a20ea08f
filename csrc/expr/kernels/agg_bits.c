/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_bits.c: bool_and, bool_or, bit_and, bit_or, bit_xor. Null when no row had a value.
 */
#include "expr/kernels/agg_value.h"

typedef struct bits_state {
    uint64_t bits;
    uint64_t has;
} bits_state;

typedef enum bits_op { BITS_AND, BITS_OR, BITS_XOR } bits_op;

NB_INLINE void
bits_step(bits_state *s, uint64_t x, bits_op op)
{
    s->bits = !s->has          ? x
              : op == BITS_AND ? s->bits & x
              : op == BITS_OR  ? s->bits | x
                               : s->bits ^ x;
    s->has = 1;
}

NB_INLINE uint64_t
bits_at(const nb_vector *v, int64_t i)
{
    switch (v->type->phys) {
    case NB_PHYS_BOOL: return NB_DATA(uint8_t, v)[i];
    case NB_PHYS_INT8: return (uint64_t)(int64_t)NB_DATA(int8_t, v)[i];
    case NB_PHYS_INT16: return (uint64_t)(int64_t)NB_DATA(int16_t, v)[i];
    case NB_PHYS_INT32: return (uint64_t)(int64_t)NB_DATA(int32_t, v)[i];
    default: return (uint64_t)NB_DATA(int64_t, v)[i];
    }
}

NB_INLINE nb_status
bits_update(const nb_vector *v, int64_t n, uint8_t *const *rows, int offset, bits_op op)
{
    int64_t step = nb_agg_step(v);

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(v->validity, i * step)) {
            bits_step((bits_state *)(rows[i] + offset), bits_at(v, i * step), op);
        }
    }
    return NB_OK;
}

NB_INLINE nb_status
bits_update_one(const nb_vector *v, int64_t n, bits_state *s, bits_op op)
{
    int64_t step = nb_agg_step(v);

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(v->validity, i * step)) {
            bits_step(s, bits_at(v, i * step), op);
        }
    }
    return NB_OK;
}

static nb_status
bits_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        const bits_state *s = (const bits_state *)(rows[i] + offset);
        if (!s->has) {
            NB_TRY(nb_agg_set_null(ctx, out, i));
            continue;
        }
        switch (out->type->phys) {
        case NB_PHYS_BOOL: NB_DATA(uint8_t, out)[i] = (uint8_t)s->bits; break;
        case NB_PHYS_INT8: NB_DATA(int8_t, out)[i] = (int8_t)s->bits; break;
        case NB_PHYS_INT16: NB_DATA(int16_t, out)[i] = (int16_t)s->bits; break;
        case NB_PHYS_INT32: NB_DATA(int32_t, out)[i] = (int32_t)s->bits; break;
        default: NB_DATA(int64_t, out)[i] = (int64_t)s->bits; break;
        }
    }
    return NB_OK;
}

#define BITS(name, op)                                                                         \
    static nb_status name##_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n,          \
                                   uint8_t *const *rows, int offset, int64_t row0)             \
    {                                                                                          \
        return bits_update(args, n, rows, offset, op);                                         \
    }                                                                                          \
    static nb_status name##_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n,      \
                                       void *state, int64_t row0)                              \
    {                                                                                          \
        return bits_update_one(args, n, state, op);                                            \
    }                                                                                          \
    static nb_status name##_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, \
                                  int offset, int64_t n)                                       \
    {                                                                                          \
        for (int64_t i = 0; i < n; i++) {                                                      \
            const bits_state *b = (const bits_state *)(from[i] + offset);                      \
            if (b->has) {                                                                      \
                bits_step((bits_state *)(into[i] + offset), b->bits, op);                      \
            }                                                                                  \
        }                                                                                      \
        return NB_OK;                                                                          \
    }                                                                                          \
    static const nb_agg_ops name##_ops = {.state_size = sizeof(bits_state),                    \
                                          .state_align = 8,                                    \
                                          .update = name##_update,                             \
                                          .update_one = name##_update_one,                     \
                                          .merge = name##_merge,                               \
                                          .finalize = bits_finalize};
BITS(and, BITS_AND)
BITS(or, BITS_OR)
BITS(xor, BITS_XOR)

static nb_status
bind_bool(nb_bound_agg *agg, const nb_agg_ops *ops, nb_error *err)
{
    NB_TRY(nb_bind_cast(&agg->call, 0, nb_type_of(NB_TYPE_BOOL), err));
    agg->call.type = nb_type_of(NB_TYPE_BOOL);
    agg->call.nullable = true;
    agg->ops = ops;
    return NB_OK;
}

static nb_status
bind_bits(nb_bound_agg *agg, const nb_agg_ops *ops, nb_error *err)
{
    const nb_type *t = agg->call.args[0]->type;

    if (!nb_type_is_integral(t)) {
        if (!nb_type_is_string(t) && t->id != NB_TYPE_NULL) {
            return nb_bind_mismatch(&agg->call, 0, "\"INTEGRAL\"", err);
        }
        NB_TRY(nb_bind_cast(
            &agg->call, 0, nb_type_of(t->id == NB_TYPE_NULL ? NB_TYPE_INT32 : NB_TYPE_INT64), err));
        t = agg->call.args[0]->type;
    }
    agg->call.type = t;
    agg->call.nullable = true;
    agg->ops = ops;
    return NB_OK;
}

nb_status
nb_agg_bind_bool_and(nb_bound_agg *agg, nb_error *err)
{
    return bind_bool(agg, &and_ops, err);
}

nb_status
nb_agg_bind_bool_or(nb_bound_agg *agg, nb_error *err)
{
    return bind_bool(agg, &or_ops, err);
}

nb_status
nb_agg_bind_bit_and(nb_bound_agg *agg, nb_error *err)
{
    return bind_bits(agg, &and_ops, err);
}

nb_status
nb_agg_bind_bit_or(nb_bound_agg *agg, nb_error *err)
{
    return bind_bits(agg, &or_ops, err);
}

nb_status
nb_agg_bind_bit_xor(nb_bound_agg *agg, nb_error *err)
{
    return bind_bits(agg, &xor_ops, err);
}
