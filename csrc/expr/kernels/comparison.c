/* SPDX-License-Identifier: Apache-2.0 */
/*
 * comparison.c: = <=> < <= > >= and != over all types that can be ordered; greatest and least.
 *
 * A constant on the left is moved to the right by turning the operator round. Nested values go through nb_vector_compare, as Spark's ordering
 * does: nulls inside them equal each other.
 */
#include "expr/kernels/operators.h"

#include "expr/binders.h"

#define NB_T        uint8_t
#define NB_NAME(f)  bool_##f
#define NB_FLOATING 0
#include "expr/kernels/compare_tmpl.h"
#define NB_T        int8_t
#define NB_NAME(f)  int8_##f
#define NB_FLOATING 0
#include "expr/kernels/compare_tmpl.h"
#define NB_T        int16_t
#define NB_NAME(f)  int16_##f
#define NB_FLOATING 0
#include "expr/kernels/compare_tmpl.h"
#define NB_T        int32_t
#define NB_NAME(f)  int32_##f
#define NB_FLOATING 0
#include "expr/kernels/compare_tmpl.h"
#define NB_T        int64_t
#define NB_NAME(f)  int64_##f
#define NB_FLOATING 0
#include "expr/kernels/compare_tmpl.h"
#define NB_T        nb_int128
#define NB_NAME(f)  int128_##f
#define NB_FLOATING 0
#include "expr/kernels/compare_tmpl.h"
#define NB_T        float
#define NB_NAME(f)  float_##f
#define NB_FLOATING 1
#include "expr/kernels/compare_tmpl.h"
#define NB_T        double
#define NB_NAME(f)  double_##f
#define NB_FLOATING 1
#include "expr/kernels/compare_tmpl.h"

typedef enum cmp_op { CMP_EQ, CMP_LT, CMP_LE, CMP_GT, CMP_GE, CMP_NE } cmp_op;

static const cmp_op mirrored[] = {CMP_EQ, CMP_GT, CMP_GE, CMP_LT, CMP_LE, CMP_NE};

typedef struct cmp_loops {
    void (*rows)(const void *a, const void *b, uint8_t *out, int64_t n);
    void (*constant)(const void *a, const void *b, uint8_t *out, int64_t n);
} cmp_loops;

#define LOOPS(t)                                                                               \
    {                                                                                          \
        {t##_eq_rows, t##_eq_const}, {t##_lt_rows, t##_lt_const}, {t##_le_rows, t##_le_const}, \
        {t##_gt_rows, t##_gt_const}, {t##_ge_rows, t##_ge_const},                              \
    }
static const cmp_loops loops[][5] = {
    [NB_PHYS_BOOL] = LOOPS(bool),   [NB_PHYS_INT8] = LOOPS(int8),
    [NB_PHYS_INT16] = LOOPS(int16), [NB_PHYS_INT32] = LOOPS(int32),
    [NB_PHYS_INT64] = LOOPS(int64), [NB_PHYS_INT128] = LOOPS(int128),
    [NB_PHYS_FLOAT] = LOOPS(float), [NB_PHYS_DOUBLE] = LOOPS(double),
};

static uint8_t
holds(cmp_op op, int order)
{
    switch (op) {
    case CMP_EQ: return order == 0;
    case CMP_NE: return order != 0;
    case CMP_LT: return order < 0;
    case CMP_LE: return order <= 0;
    case CMP_GT: return order > 0;
    default: return order >= 0;
    }
}

static void
invert(uint8_t *restrict v, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        v[i] ^= 1;
    }
}

/* Rows that are null may get any value. */
static void
compare_rows(cmp_op op, const nb_vector *a, const nb_vector *b, int64_t n, const uint64_t *validity,
             uint8_t *out)
{
    nb_phys phys = a->type->phys;
    int64_t sa = a->kind == NB_VEC_CONST ? 0 : 1, sb = b->kind == NB_VEC_CONST ? 0 : 1;

    if (phys >= NB_PHYS_BOOL && phys <= NB_PHYS_DOUBLE) {
        cmp_op base = op == CMP_NE ? CMP_EQ : op;

        if (sa == 0 && n > 1) {
            const nb_vector *t = a;

            base = mirrored[base];
            a = b;
            b = t;
            sb = 0;
        }
        if (sb == 0) {
            loops[phys][base].constant(a->data, b->data, out, n);
        } else {
            loops[phys][base].rows(a->data, b->data, out, n);
        }
        if (op == CMP_NE) {
            invert(out, n);
        }
    } else if (phys == NB_PHYS_STRING && (op == CMP_EQ || op == CMP_NE)) {
        const nb_view *x = a->data, *y = b->data;

        for (int64_t i = 0; i < n; i++) {
            out[i] = nb_view_equal(&x[i * sa], &y[i * sb]) ^ (op == CMP_NE);
        }
    } else if (phys == NB_PHYS_STRING) {
        const nb_view *x = a->data, *y = b->data;

        for (int64_t i = 0; i < n; i++) {
            out[i] = holds(op, nb_view_compare(&x[i * sa], &y[i * sb]));
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            out[i] =
                nb_is_valid(validity, i) ? holds(op, nb_vector_compare(a, i * sa, b, i * sb)) : 0;
        }
    }
}

#define CMP_KERNEL(name, op)                                                                \
    static nb_status name(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, \
                          nb_vector *out)                                                   \
    {                                                                                       \
        compare_rows(op, &args[0], &args[1], n, out->validity, out->data);                  \
        return NB_OK;                                                                       \
    }
CMP_KERNEL(eq_kernel, CMP_EQ)
CMP_KERNEL(ne_kernel, CMP_NE)
CMP_KERNEL(lt_kernel, CMP_LT)
CMP_KERNEL(le_kernel, CMP_LE)
CMP_KERNEL(gt_kernel, CMP_GT)
CMP_KERNEL(ge_kernel, CMP_GE)

static nb_status
null_safe_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    uint8_t *r = out->data;
    const nb_vector *a = &args[0], *b = &args[1];
    uint64_t *both;

    if (a->type->id == NB_TYPE_NULL || b->type->id == NB_TYPE_NULL) {
        for (int64_t i = 0; i < n; i++) {
            r[i] = nb_vector_is_null(a, i) && nb_vector_is_null(b, i);
        }
        return NB_OK;
    }
    if (a->validity == NULL && b->validity == NULL) {
        compare_rows(CMP_EQ, a, b, n, NULL, r);
        return NB_OK;
    }
    both = nb_arena_alloc(ctx->arena, NB_BITMAP_BYTES(n) + 8);
    if (both == NULL) {
        return NB_NOMEM;
    }
    nb_bitmap_fill(both, n, true);
    for (int64_t i = 0; i < n; i++) {
        if (nb_vector_is_null(a, i) || nb_vector_is_null(b, i)) {
            nb_bit_clear(both, i);
        }
    }
    compare_rows(CMP_EQ, a, b, n, both, r);
    for (int64_t i = 0; i < n; i++) {
        if (!nb_bit_get(both, i)) {
            r[i] = nb_vector_is_null(a, i) && nb_vector_is_null(b, i);
        }
    }
    return NB_OK;
}

/* ---- binding -------------------------------------------------------------------------------------------------------------------------------------- */

nb_status
nb_bind_orderable(nb_bound_call *call, int arg, nb_error *err)
{
    nb_str name = nb_function_name(call->fn);
    const char *type;

    if (nb_type_is_orderable(call->args[arg]->type)) {
        return NB_OK;
    }
    type = nb_type_sql(call->arena, call->args[arg]->type);
    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_INVALID_ORDERING_TYPE, "sqlExpr",
                    nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)), "functionName",
                    nb_arena_printf(call->arena, "`%.*s`", (int)name.len, name.data), "dataType",
                    nb_arena_printf(call->arena, "\"%s\"", type ? type : ""), NULL);
}

static nb_status
bind_comparison(nb_bound_call *call, nb_kernel_fn kernel, nb_error *err)
{
    const nb_type *t;

    NB_TRY(nb_bind_comparison_operands(call, err));
    t = call->args[0]->type;
    if (t->id != NB_TYPE_NULL &&
        !(t->id == NB_TYPE_INTERVAL &&
          (kernel == eq_kernel || kernel == ne_kernel || kernel == null_safe_kernel))) {
        NB_TRY(nb_bind_orderable(call, 0, err));
    }
    call->type = nb_type_of(NB_TYPE_BOOL);
    call->kernel = kernel;
    call->nullable =
        kernel != null_safe_kernel && (call->args[0]->nullable || call->args[1]->nullable);
    return NB_OK;
}

nb_status
nb_bind_equal(nb_bound_call *call, nb_error *err)
{
    return bind_comparison(call, eq_kernel, err);
}

nb_status
nb_bind_not_equal(nb_bound_call *call, nb_error *err)
{
    return bind_comparison(call, ne_kernel, err);
}

nb_status
nb_bind_less(nb_bound_call *call, nb_error *err)
{
    return bind_comparison(call, lt_kernel, err);
}

nb_status
nb_bind_less_equal(nb_bound_call *call, nb_error *err)
{
    return bind_comparison(call, le_kernel, err);
}

nb_status
nb_bind_greater(nb_bound_call *call, nb_error *err)
{
    return bind_comparison(call, gt_kernel, err);
}

nb_status
nb_bind_greater_equal(nb_bound_call *call, nb_error *err)
{
    return bind_comparison(call, ge_kernel, err);
}

nb_status
nb_bind_null_safe_equal(nb_bound_call *call, nb_error *err)
{
    return bind_comparison(call, null_safe_kernel, err);
}

/* ---- greatest, least -------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
extreme_rows(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out,
             int want)
{
    const nb_vector **parts = NB_ARENA_ARRAY(ctx->arena, const nb_vector *, n_args);
    nb_vector *flat = NB_ARENA_ARRAY(ctx->arena, nb_vector, n_args);
    uint32_t *idx = NB_ARENA_ARRAY(ctx->arena, uint32_t, n + 1);
    nb_vector all;

    if (parts == NULL || flat == NULL || idx == NULL) {
        return NB_NOMEM;
    }
    for (int a = 0; a < n_args; a++) {
        NB_TRY(nb_vector_flatten(ctx->arena, &args[a], &flat[a]));
        flat[a].n_rows = (int32_t)n;
        parts[a] = &flat[a];
    }
    for (int64_t i = 0; i < n; i++) {
        int best = -1;

        for (int a = 0; a < n_args; a++) {
            int order;

            if (nb_vector_is_null(&flat[a], i)) {
                continue;
            }
            order = best < 0 ? want : nb_vector_compare(&flat[a], i, &flat[best], i);
            if (order * want > 0) {
                best = a;
            }
        }
        idx[i] = best < 0 ? UINT32_MAX : (uint32_t)(best * n + i);
    }
    NB_TRY(nb_vector_concat(ctx->arena, parts, n_args, &all));
    return nb_vector_gather_null(ctx->arena, &all, idx, n, out);
}

static nb_status
greatest_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return extreme_rows(ctx, args, n_args, n, out, 1);
}

static nb_status
least_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return extreme_rows(ctx, args, n_args, n, out, -1);
}

static nb_status
bind_extreme(nb_bound_call *call, nb_kernel_fn kernel, nb_error *err)
{
    bool strings = true, any = false;

    for (int i = 0; i < call->n_args; i++) { /* strings only among themselves */
        strings &=
            nb_type_is_string(call->args[i]->type) || call->args[i]->type->id == NB_TYPE_NULL;
        any |= nb_type_is_string(call->args[i]->type);
    }
    if (any && !strings) {
        return nb_bind_data_diff_types(call, 0, call->n_args, err);
    }
    NB_TRY(nb_bind_common_type(call, 0, call->n_args, &call->type, err));
    NB_TRY(nb_bind_orderable(call, 0, err));
    call->kernel = kernel;
    call->nullable = true;
    for (int i = 0; i < call->n_args; i++) {
        call->nullable &= call->args[i]->nullable;
    }
    return NB_OK;
}

nb_status
nb_bind_greatest(nb_bound_call *call, nb_error *err)
{
    return bind_extreme(call, greatest_kernel, err);
}

nb_status
nb_bind_least(nb_bound_call *call, nb_error *err)
{
    return bind_extreme(call, least_kernel, err);
}
