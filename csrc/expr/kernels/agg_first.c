/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_first.c: first, last, any_value, min_by, max_by: aggregates that pick one row's value.
 *
 * Which row is first is decided by (order of the morsel, row in it), never by which thread was quicker. The second argument of first and
 * last (a constant) skips nulls. min_by and max_by skip rows whose ordering is null; among equal ones the last row wins, as in Spark.
 */
#include "expr/kernels/agg_value.h"

typedef struct pick_payload {
    bool last, ignore_nulls;
    int sign; /* min_by: 1, max_by: -1 */
} pick_payload;

/* ---- first, last -------------------------------------------------------------------------------------------------------------------- */

typedef struct pick_state {
    nb_agg_value value;
    uint64_t order;
    int64_t row;
    uint32_t room;
    uint8_t has, null;
} pick_state;

NB_INLINE bool
comes_before(uint64_t order_a, int64_t row_a, uint64_t order_b, int64_t row_b)
{
    return order_a != order_b ? order_a < order_b : row_a < row_b;
}

static nb_status
pick(nb_agg_ctx *ctx, const nb_vector *v, int64_t i, int64_t row, pick_state *s)
{
    const pick_payload *p = ctx->payload;
    bool null;

    if (s->has && comes_before(s->order, s->row, ctx->order, row) != p->last) {
        return NB_OK;
    }
    null = nb_vector_is_null(v, i);
    if (null && p->ignore_nulls) {
        return NB_OK;
    }
    s->has = 1;
    s->null = null;
    s->order = ctx->order;
    s->row = row;
    return null ? NB_OK : nb_agg_value_set(ctx->memory, v, i, &s->value, &s->room);
}

static nb_status
pick_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
            int64_t row0)
{
    const pick_payload *p = ctx->payload;

    /* From the back for last, so that most rows are refused without copying a value. */
    for (int64_t k = 0; k < n; k++) {
        int64_t i = p->last ? n - 1 - k : k;
        NB_TRY(pick(ctx, args, i, row0 + i, (pick_state *)(rows[i] + offset)));
    }
    return NB_OK;
}

static nb_status
pick_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    const pick_payload *p = ctx->payload;
    pick_state *s = state;

    for (int64_t k = 0; k < n; k++) {
        int64_t i = p->last ? n - 1 - k : k;
        NB_TRY(pick(ctx, args, i, row0 + i, s));
        if (s->has && s->order == ctx->order && s->row == row0 + i) {
            break;
        }
    }
    return NB_OK;
}

static nb_status
pick_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    const pick_payload *p = ctx->payload;

    for (int64_t i = 0; i < n; i++) {
        pick_state *a = (pick_state *)(into[i] + offset);
        const pick_state *b = (const pick_state *)(from[i] + offset);
        if (!b->has || (a->has && comes_before(a->order, a->row, b->order, b->row) != p->last)) {
            continue;
        }
        if (!b->null) {
            NB_TRY(nb_agg_value_copy(ctx->memory, ctx->expr->type, &b->value, &a->value, &a->room));
        }
        a->has = 1;
        a->null = b->null;
        a->order = b->order;
        a->row = b->row;
    }
    return NB_OK;
}

static nb_status
pick_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    const nb_agg_value **values = NB_ARENA_ARRAY(ctx->scratch, const nb_agg_value *, n);

    if (values == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        const pick_state *s = (const pick_state *)(rows[i] + offset);
        values[i] = s->has && !s->null ? &s->value : NULL;
    }
    return nb_agg_values_to_vector(ctx->scratch, out->type, values, n, out);
}

static nb_status
pick_serialize(nb_agg_ctx *ctx, const void *state, nb_strbuf *out)
{
    const pick_state *s = state;

    nb_agg_put(out, &s->order, 8);
    nb_agg_put(out, &s->row, 8);
    nb_strbuf_addc(out, (char)s->has);
    nb_strbuf_addc(out, (char)s->null);
    return s->has && !s->null ? nb_agg_value_serialize(ctx, ctx->expr->type, &s->value, out)
                              : NB_OK;
}

static nb_status
pick_deserialize(nb_agg_ctx *ctx, nb_str bytes, void *state)
{
    pick_state *s = state;

    *s = (pick_state){0};
    if (!nb_agg_take(&bytes, &s->order, 8) || !nb_agg_take(&bytes, &s->row, 8) ||
        !nb_agg_take(&bytes, &s->has, 1) || !nb_agg_take(&bytes, &s->null, 1)) {
        return nb_raise_internal(ctx->err, "a serialised aggregate state is cut off");
    }
    return s->has && !s->null ? nb_agg_value_deserialize(ctx, ctx->expr->type, &bytes, &s->value)
                              : NB_OK;
}

static const nb_agg_ops pick_ops = {.state_size = sizeof(pick_state),
                                    .state_align = 8,
                                    .update = pick_update,
                                    .update_one = pick_update_one,
                                    .merge = pick_merge,
                                    .finalize = pick_finalize,
                                    .serialize = pick_serialize,
                                    .deserialize = pick_deserialize};

static nb_status
bind_pick(nb_bound_agg *agg, bool last, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    pick_payload *p = NB_ARENA_NEW(call->arena, pick_payload);

    if (p == NULL) {
        return NB_NOMEM;
    }
    p->last = last;
    if (call->n_args == 2) {
        const nb_vector *flag;
        NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_BOOL), err));
        NB_TRY(nb_bind_constant(call, 1, &flag, err));
        if (flag == NULL || nb_vector_is_null(flag, 0)) {
            return nb_bind_mismatch(call, 1, "\"BOOLEAN\" literal", err);
        }
        p->ignore_nulls = NB_DATA(uint8_t, flag)[0] != 0;
    }
    call->payload = p;
    agg->ignore_nulls = p->ignore_nulls;
    call->type = call->args[0]->type;
    call->nullable = true;
    agg->ops = &pick_ops;
    return NB_OK;
}

nb_status
nb_agg_bind_first(nb_bound_agg *agg, nb_error *err)
{
    return bind_pick(agg, false, err);
}

nb_status
nb_agg_bind_last(nb_bound_agg *agg, nb_error *err)
{
    return bind_pick(agg, true, err);
}

/* ---- min_by, max_by ----------------------------------------------------------------------------------------------------------------- */

typedef struct by_state {
    nb_agg_value value, key;
    uint64_t order;
    int64_t row;
    uint32_t value_room, key_room;
    uint8_t has, null;
} by_state;

static nb_status
by_take(nb_agg_ctx *ctx, const nb_vector *args, int64_t i, int64_t row, by_state *s)
{
    const pick_payload *p = ctx->payload;

    if (nb_vector_is_null(&args[1], i)) {
        return NB_OK;
    }
    if (s->has) {
        int c = nb_agg_value_compare_row(args[1].type, &s->key, &args[1], i) * p->sign;
        if (c < 0 || (c == 0 && comes_before(ctx->order, row, s->order, s->row))) {
            return NB_OK;
        }
    }
    NB_TRY(nb_agg_value_set(ctx->memory, &args[1], i, &s->key, &s->key_room));
    s->null = nb_vector_is_null(&args[0], i);
    if (!s->null) {
        NB_TRY(nb_agg_value_set(ctx->memory, &args[0], i, &s->value, &s->value_room));
    }
    s->has = 1;
    s->order = ctx->order;
    s->row = row;
    return NB_OK;
}

static nb_status
by_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
          int64_t row0)
{
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(by_take(ctx, args, i, row0 + i, (by_state *)(rows[i] + offset)));
    }
    return NB_OK;
}

static nb_status
by_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(by_take(ctx, args, i, row0 + i, state));
    }
    return NB_OK;
}

static nb_status
by_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    const pick_payload *p = ctx->payload;
    const nb_type *key = ctx->expr->args[1]->type;

    for (int64_t i = 0; i < n; i++) {
        by_state *a = (by_state *)(into[i] + offset);
        const by_state *b = (const by_state *)(from[i] + offset);
        if (!b->has) {
            continue;
        }
        if (a->has) {
            int c = nb_agg_value_compare(key, &a->key, &b->key) * p->sign;
            if (c < 0 || (c == 0 && comes_before(b->order, b->row, a->order, a->row))) {
                continue;
            }
        }
        NB_TRY(nb_agg_value_copy(ctx->memory, key, &b->key, &a->key, &a->key_room));
        if (!b->null) {
            NB_TRY(nb_agg_value_copy(ctx->memory, ctx->expr->type, &b->value, &a->value,
                                     &a->value_room));
        }
        a->has = 1;
        a->null = b->null;
        a->order = b->order;
        a->row = b->row;
    }
    return NB_OK;
}

static nb_status
by_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    const nb_agg_value **values = NB_ARENA_ARRAY(ctx->scratch, const nb_agg_value *, n);

    if (values == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        const by_state *s = (const by_state *)(rows[i] + offset);
        values[i] = s->has && !s->null ? &s->value : NULL;
    }
    return nb_agg_values_to_vector(ctx->scratch, out->type, values, n, out);
}

static nb_status
by_serialize(nb_agg_ctx *ctx, const void *state, nb_strbuf *out)
{
    const by_state *s = state;

    nb_agg_put(out, &s->order, 8);
    nb_agg_put(out, &s->row, 8);
    nb_strbuf_addc(out, (char)s->has);
    nb_strbuf_addc(out, (char)s->null);
    if (s->has) {
        NB_TRY(nb_agg_value_serialize(ctx, ctx->expr->args[1]->type, &s->key, out));
        if (!s->null) {
            NB_TRY(nb_agg_value_serialize(ctx, ctx->expr->type, &s->value, out));
        }
    }
    return out->failed ? NB_NOMEM : NB_OK;
}

static nb_status
by_deserialize(nb_agg_ctx *ctx, nb_str bytes, void *state)
{
    by_state *s = state;

    *s = (by_state){0};
    if (!nb_agg_take(&bytes, &s->order, 8) || !nb_agg_take(&bytes, &s->row, 8) ||
        !nb_agg_take(&bytes, &s->has, 1) || !nb_agg_take(&bytes, &s->null, 1)) {
        return nb_raise_internal(ctx->err, "a serialised aggregate state is cut off");
    }
    if (s->has) {
        NB_TRY(nb_agg_value_deserialize(ctx, ctx->expr->args[1]->type, &bytes, &s->key));
        if (!s->null) {
            NB_TRY(nb_agg_value_deserialize(ctx, ctx->expr->type, &bytes, &s->value));
        }
    }
    return NB_OK;
}

static const nb_agg_ops by_ops = {.state_size = sizeof(by_state),
                                  .state_align = 8,
                                  .update = by_update,
                                  .update_one = by_update_one,
                                  .merge = by_merge,
                                  .finalize = by_finalize,
                                  .serialize = by_serialize,
                                  .deserialize = by_deserialize};

static nb_status
bind_by(nb_bound_agg *agg, int sign, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    pick_payload *p = NB_ARENA_NEW(call->arena, pick_payload);

    if (p == NULL) {
        return NB_NOMEM;
    }
    if (!nb_type_is_orderable(call->args[1]->type)) {
        return nb_agg_unorderable(agg, 1, err);
    }
    p->sign = sign;
    call->payload = p;
    call->type = call->args[0]->type;
    call->nullable = true;
    agg->ops = &by_ops;
    return NB_OK;
}

nb_status
nb_agg_bind_min_by(nb_bound_agg *agg, nb_error *err)
{
    return bind_by(agg, 1, err);
}

nb_status
nb_agg_bind_max_by(nb_bound_agg *agg, nb_error *err)
{
    return bind_by(agg, -1, err);
}
