/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate_phase.c: see aggregate_phase.h.
 *
 * A state's bytes are what `serialize` writes, else the state as it lies in memory: both ends run the same build on the same kind of
 * machine (workers are refused otherwise), and blocks of an exchange carry a checksum.
 */
#include "expr/aggregate_phase.h"

typedef struct phase {
    nb_agg_ops ops;
    const nb_expr *whole;
    bool takes_rows; /* the second step: arguments of the whole follow the state */
} phase;

/* The context that the wrapped loops expect. */
static nb_agg_ctx
inner_ctx(const nb_agg_ctx *ctx, const nb_agg_ops **ops)
{
    const phase *p = ctx->payload;
    nb_agg_ctx inner = *ctx;

    inner.expr = p->whole;
    inner.payload = p->whole->u.agg.payload;
    *ops = p->whole->u.agg.ops;
    return inner;
}

static void
phase_init(nb_agg_ctx *ctx, void *state)
{
    const nb_agg_ops *ops;
    nb_agg_ctx inner = inner_ctx(ctx, &ops);

    ops->init(&inner, state);
}

static nb_status
phase_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    const nb_agg_ops *ops;
    nb_agg_ctx inner = inner_ctx(ctx, &ops);

    return ops->merge(&inner, into, from, offset, n);
}

static nb_status
phase_serialize(nb_agg_ctx *ctx, const void *state, nb_strbuf *out)
{
    const nb_agg_ops *ops;
    nb_agg_ctx inner = inner_ctx(ctx, &ops);

    return ops->serialize(&inner, state, out);
}

static nb_status
phase_deserialize(nb_agg_ctx *ctx, nb_str bytes, void *state)
{
    const nb_agg_ops *ops;
    nb_agg_ctx inner = inner_ctx(ctx, &ops);

    return ops->deserialize(&inner, bytes, state);
}

/* ---- the first step -------------------------------------------------------------------------- */

static nb_status
first_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
             int64_t row0)
{
    const nb_agg_ops *ops;
    nb_agg_ctx inner = inner_ctx(ctx, &ops);

    return ops->update(&inner, args, n, rows, offset, row0);
}

static nb_status
first_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    const nb_agg_ops *ops;
    nb_agg_ctx inner = inner_ctx(ctx, &ops);

    return ops->update_one(&inner, args, n, state, row0);
}

static nb_status
first_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    const nb_agg_ops *ops;
    nb_agg_ctx inner = inner_ctx(ctx, &ops);
    nb_view *views = NB_DATA(nb_view, out);
    nb_strbuf b = {0};
    nb_status st = NB_OK;

    if (ops->serialize == NULL) {
        char *copy = nb_arena_alloc(ctx->scratch, (size_t)n * (size_t)ops->state_size);

        if (copy == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < n; i++) {
            memcpy(copy, rows[i] + offset, (size_t)ops->state_size);
            views[i] = nb_view_make(copy, (size_t)ops->state_size);
            copy += ops->state_size;
        }
        return NB_OK;
    }
    for (int64_t i = 0; i < n && st == NB_OK; i++) {
        b.len = 0;
        st = ops->serialize(&inner, rows[i] + offset, &b);
        if (st == NB_OK) {
            nb_str bytes =
                b.failed ? (nb_str){NULL, 0} : nb_arena_str(ctx->scratch, nb_strbuf_str(&b));

            st = bytes.data ? NB_OK : NB_NOMEM;
            views[i] = nb_view_make(bytes.data ? bytes.data : "", bytes.data ? bytes.len : 0);
        }
    }
    nb_strbuf_free(&b);
    return st;
}

/* ---- the second step ------------------------------------------------------------------------- */

/* The state in row i of a column of states. */
static nb_status
read_state(nb_agg_ctx *inner, const nb_agg_ops *ops, const nb_vector *states, int64_t i,
           uint8_t *state)
{
    nb_str bytes = nb_view_str(&NB_DATA(nb_view, states)[nb_vector_slot(states, i)]);

    if (ops->serialize != NULL) {
        memset(state, 0, (size_t)ops->state_size);
        if (ops->init != NULL) {
            ops->init(inner, state);
        }
        return ops->deserialize(inner, bytes, state);
    }
    if (bytes.len != (size_t)ops->state_size) {
        return nb_raise_internal(inner->err, "the state of an aggregate has %zu bytes, not %d",
                                 bytes.len, ops->state_size);
    }
    memcpy(state, bytes.data, bytes.len);
    return NB_OK;
}

/* Merges row i's state into into[i]; into NULL: all into `one`. */
static nb_status
merge_rows(nb_agg_ctx *ctx, const nb_vector *states, int64_t n, uint8_t *const *into, int offset,
           uint8_t *one)
{
    const nb_agg_ops *ops;
    nb_agg_ctx inner = inner_ctx(ctx, &ops);
    size_t width = NB_ALIGN_UP((size_t)ops->state_size, 16);
    uint8_t *room = nb_arena_alloc64(ctx->scratch, (size_t)n * NB_MAX(width, 16));
    uint8_t **a = NB_ARENA_ARRAY(ctx->scratch, uint8_t *, n);
    uint8_t **b = NB_ARENA_ARRAY(ctx->scratch, uint8_t *, n);
    int64_t m = 0;

    if (room == NULL || a == NULL || b == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        if (nb_vector_is_null(states, i)) {
            if (((const phase *)ctx->payload)->takes_rows) {
                return nb_raise_internal(ctx->err, "rows stand among the states of an aggregate");
            }
            continue;
        }
        a[m] = into ? into[i] + offset : one;
        b[m] = room + (size_t)m * width;
        NB_TRY(read_state(&inner, ops, states, i, b[m]));
        m++;
    }
    return m > 0 ? ops->merge(&inner, a, b, 0, m) : NB_OK;
}

/* Is this a batch of rows, to which the other arguments belong? */
static bool
are_rows(const nb_agg_ctx *ctx, const nb_vector *states)
{
    return ((const phase *)ctx->payload)->takes_rows && states->kind == NB_VEC_CONST &&
           nb_vector_is_null(states, 0);
}

static nb_status
second_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
              int64_t row0)
{
    if (are_rows(ctx, args)) {
        const nb_agg_ops *ops;
        nb_agg_ctx inner = inner_ctx(ctx, &ops);

        return ops->update(&inner, args + 1, n, rows, offset, row0);
    }
    return merge_rows(ctx, args, n, rows, offset, NULL);
}

static nb_status
second_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    (void)row0;
    return merge_rows(ctx, args, n, NULL, 0, state);
}

static nb_status
second_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    const nb_agg_ops *ops;
    nb_agg_ctx inner = inner_ctx(ctx, &ops);

    return ops->finalize(&inner, rows, offset, n, out);
}

/* ---- construction ---------------------------------------------------------------------------- */

static nb_status
phase_new(nb_arena *arena, const nb_expr *whole, const nb_type *type, bool nullable, int n_args,
          phase **out_phase, nb_expr **out)
{
    phase *p = NB_ARENA_NEW(arena, phase);
    nb_expr *e = nb_expr_new(arena, NB_EXPR_AGG, type, nullable, n_args);
    const nb_agg_ops *ops = whole->u.agg.ops;

    if (p == NULL || e == NULL) {
        return NB_NOMEM;
    }
    p->whole = whole;
    p->ops = (nb_agg_ops){
        .state_size = ops->state_size,
        .state_align = ops->state_align,
        .init = ops->init ? phase_init : NULL,
        .merge = phase_merge,
        .serialize = ops->serialize ? phase_serialize : NULL,
        .deserialize = ops->serialize ? phase_deserialize : NULL,
    };
    e->origin = whole->origin;
    e->u.agg.fn = whole->u.agg.fn;
    e->u.agg.ops = &p->ops;
    e->u.agg.payload = p;
    *out_phase = p;
    *out = e;
    return NB_OK;
}

nb_status
nb_agg_first_phase(nb_arena *arena, const nb_expr *whole, nb_expr **out)
{
    phase *p;
    nb_expr *e;

    NB_TRY(phase_new(arena, whole, nb_type_of(NB_TYPE_BINARY), false, whole->n_args, &p, &e));
    for (int i = 0; i < whole->n_args; i++) {
        e->args[i] = whole->args[i];
    }
    e->u.agg.filter = whole->u.agg.filter;
    e->u.agg.distinct = whole->u.agg.distinct;
    p->ops.update = first_update;
    p->ops.update_one = first_update_one;
    p->ops.add_total = whole->u.agg.ops->add_total; /* the state is the whole's */
    p->ops.finalize = first_finalize;
    nb_expr_set_flags(e);
    *out = e;
    return NB_OK;
}

nb_status
nb_agg_second_phase(nb_arena *arena, const nb_expr *whole, nb_expr *states, nb_expr *const *rows,
                    nb_expr **out)
{
    int n_args = rows ? 1 + whole->n_args : 1;
    phase *p;
    nb_expr *e;

    NB_TRY(phase_new(arena, whole, whole->type, whole->nullable, n_args, &p, &e));
    e->args[0] = states;
    for (int i = 1; i < n_args; i++) {
        e->args[i] = rows[i - 1];
    }
    p->takes_rows = rows != NULL;
    p->ops.update = second_update;
    p->ops.update_one = second_update_one;
    p->ops.finalize = second_finalize;
    nb_expr_set_flags(e);
    *out = e;
    return NB_OK;
}

bool
nb_agg_has_rows(const nb_expr *second)
{
    return ((const phase *)second->u.agg.payload)->takes_rows;
}

bool
nb_agg_takes_rows_late(const nb_expr *whole)
{
    return whole->u.agg.filter == NULL && !whole->u.agg.distinct &&
           (whole->u.agg.fn->flags & NB_AGG_ORDER_SENSITIVE) == 0;
}

nb_agg_phase
nb_agg_phase_of(const nb_expr *e, const nb_expr **whole)
{
    *whole = e;
    if (e->u.agg.ops->merge != phase_merge) {
        return NB_AGG_WHOLE;
    }
    *whole = ((const phase *)e->u.agg.payload)->whole;
    return e->u.agg.ops->update == first_update ? NB_AGG_FIRST : NB_AGG_SECOND;
}
