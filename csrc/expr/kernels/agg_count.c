/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_count.c: count(*), count(expr, ...), count_if(cond).
 *
 * count(expr, ...) counts rows in which no argument is null. Arguments that cannot be null are dropped at binding, so that count(1),
 * count(*) and count(not_null_column) read no column at all.
 */
#include "expr/kernels/agg.h"

static nb_status
count_all_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows,
                 int offset, int64_t row0)
{
    for (int64_t i = 0; i < n; i++) {
        ++*(int64_t *)(rows[i] + offset);
    }
    return NB_OK;
}

static nb_status
count_all_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    *(int64_t *)state += n;
    return NB_OK;
}

static void
count_all_add_total(void *state, int64_t total, int64_t n)
{
    *(int64_t *)state += n;
}

static nb_status
count_all_retract(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state)
{
    *(int64_t *)state -= n;
    return NB_OK;
}

/* The validity of all arguments together: NULL = all valid, *none = some argument is null in every row. */
static nb_status
all_valid(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, const uint64_t **valid, bool *none)
{
    uint64_t *own = NULL;

    *valid = NULL;
    *none = false;
    for (int k = 0; k < ctx->expr->n_args; k++) {
        const nb_vector *v = &args[k];
        if (v->type->id == NB_TYPE_NULL || (v->kind == NB_VEC_CONST && nb_vector_is_null(v, 0))) {
            *none = true;
            return NB_OK;
        }
        if (v->kind == NB_VEC_CONST || v->validity == NULL) {
            continue;
        }
        if (*valid == NULL) {
            *valid = v->validity;
            continue;
        }
        if (own == NULL && (own = nb_arena_alloc(ctx->scratch, NB_BITMAP_BYTES(n))) == NULL) {
            return NB_NOMEM;
        }
        nb_bitmap_and(*valid, v->validity, own, n);
        *valid = own;
    }
    return NB_OK;
}

static nb_status
count_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
             int64_t row0)
{
    const uint64_t *valid;
    bool none;

    NB_TRY(all_valid(ctx, args, n, &valid, &none));
    if (none) {
        return NB_OK;
    }
    if (valid == NULL) {
        return count_all_update(ctx, args, n, rows, offset, row0);
    }
    for (int64_t i = 0; i < n; i++) {
        *(int64_t *)(rows[i] + offset) += nb_bit_get(valid, i);
    }
    return NB_OK;
}

static nb_status
count_rows(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, int64_t *count)
{
    const uint64_t *valid;
    bool none;

    NB_TRY(all_valid(ctx, args, n, &valid, &none));
    *count = none ? 0 : valid == NULL ? n : nb_bitmap_count(valid, n);
    return NB_OK;
}

static nb_status
count_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    int64_t count;

    NB_TRY(count_rows(ctx, args, n, &count));
    *(int64_t *)state += count;
    return NB_OK;
}

static nb_status
count_retract(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state)
{
    int64_t count;

    NB_TRY(count_rows(ctx, args, n, &count));
    *(int64_t *)state -= count;
    return NB_OK;
}

#define NB_T          uint8_t
#define NB_STATE      int64_t
#define NB_STEP(s, x) (*(s) += (x) != 0)
#define NB_NAME(f)    count_if_##f
#include "expr/kernels/agg_unary_tmpl.h"

static nb_status
count_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        *(int64_t *)(into[i] + offset) += *(const int64_t *)(from[i] + offset);
    }
    return NB_OK;
}

static nb_status
count_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    int64_t *x = out->data;

    for (int64_t i = 0; i < n; i++) {
        x[i] = *(const int64_t *)(rows[i] + offset);
    }
    return NB_OK;
}

static const nb_agg_ops count_all_ops = {.state_size = 8,
                                         .state_align = 8,
                                         .update = count_all_update,
                                         .update_one = count_all_update_one,
                                         .add_total = count_all_add_total,
                                         .merge = count_merge,
                                         .finalize = count_finalize,
                                         .retract_one = count_all_retract};
static const nb_agg_ops count_ops = {.state_size = 8,
                                     .state_align = 8,
                                     .update = count_update,
                                     .update_one = count_update_one,
                                     .merge = count_merge,
                                     .finalize = count_finalize,
                                     .retract_one = count_retract};
static const nb_agg_ops count_if_ops = {.state_size = 8,
                                        .state_align = 8,
                                        .update = count_if_update,
                                        .update_one = count_if_update_one,
                                        .merge = count_merge,
                                        .finalize = count_finalize};

nb_status
nb_agg_bind_count(nb_bound_agg *agg, nb_error *err)
{
    nb_bound_call *call = &agg->call;

    call->type = nb_type_of(NB_TYPE_INT64);
    call->nullable = false;
    if (!call->is_distinct) {
        int kept = 0;
        for (int i = 0; i < call->n_args; i++) {
            if (call->args[i]->nullable) {
                call->args[kept++] = call->args[i];
            }
        }
        call->n_args = kept;
    }
    agg->ops = call->n_args == 0 ? &count_all_ops : &count_ops;
    return NB_OK;
}

nb_status
nb_agg_bind_count_if(nb_bound_agg *agg, nb_error *err)
{
    NB_TRY(nb_bind_cast(&agg->call, 0, nb_type_of(NB_TYPE_BOOL), err));
    agg->call.type = nb_type_of(NB_TYPE_INT64);
    agg->call.nullable = false;
    agg->ops = &count_if_ops;
    return NB_OK;
}
