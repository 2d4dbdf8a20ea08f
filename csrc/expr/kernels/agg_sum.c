/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_sum.c: sum, avg and their try_ forms.
 *
 *   argument         sum                        avg
 *   integers         bigint                     double
 *   float, double    double                     double
 *   decimal(p,s)     decimal(min(38,p+10), s)   decimal(min(38,p+4), min(38,s+4)), rounded half up
 *   intervals        year-month or day-time     the same, rounded half up
 *   others           cast to double             (strings, null)
 *
 * Overflow is noted in the state and decided in finalize: an error under ANSI, null for try_ functions (and for decimals without ANSI),
 * else wrapped. An average of no rows is null.
 */
#include "expr/kernels/agg.h"

typedef enum sum_mode { SUM_WRAP, SUM_ERROR, SUM_NULL } sum_mode;

typedef struct sum_payload {
    sum_mode mode;
    int scale_up;    /* avg(decimal): digits that the result has more than the argument */
    nb_int128 limit; /* decimals: |sum| must stay below */
    nb_int128 avg_limit;
    const char *try_name;
} sum_payload;

/* ---- states ---------------------------------------------------------------------------------------------------------------------- */

/* n counts rows; its bit 62 remembers an overflow. */
#define OVERFLOW_BIT ((int64_t)1 << 62)

typedef struct int_state {
    int64_t sum, n;
} int_state;

typedef struct float_state {
    nb_dd sum;
    int64_t n;
} float_state;

/* Aligned to 8, so that a row of one integer key and one sum is 32 bytes: with many groups each is a cache miss. */
typedef nb_int128 loose_int128 __attribute__((aligned(8)));

typedef struct wide_state {
    loose_int128 sum;
    int64_t n;
} wide_state;

#define INT_STEP(s, x)                                                             \
    do {                                                                           \
        int64_t over_ = __builtin_add_overflow((s)->sum, (int64_t)(x), &(s)->sum); \
        (s)->n = ((s)->n + 1) | over_ << 62;                                       \
    } while (0)
#define FLOAT_STEP(s, x)                   \
    do {                                   \
        nb_dd_add(&(s)->sum, (double)(x)); \
        (s)->n++;                          \
    } while (0)
#define WIDE_STEP(s, x)                                                              \
    do {                                                                             \
        int64_t over_ = __builtin_add_overflow((s)->sum, (nb_int128)(x), &(s)->sum); \
        (s)->n = ((s)->n + 1) | over_ << 62;                                         \
    } while (0)

#define NB_T          int8_t
#define NB_STATE      int_state
#define NB_STEP(s, x) INT_STEP(s, x)
#define NB_NAME(f)    sum_i8_##f
#include "expr/kernels/agg_unary_tmpl.h"

#define NB_T          int16_t
#define NB_STATE      int_state
#define NB_STEP(s, x) INT_STEP(s, x)
#define NB_NAME(f)    sum_i16_##f
#include "expr/kernels/agg_unary_tmpl.h"

#define NB_T          int32_t
#define NB_STATE      int_state
#define NB_STEP(s, x) INT_STEP(s, x)
#define NB_NAME(f)    sum_i32_##f
#define NB_NO_UPDATE_ONE
#include "expr/kernels/agg_unary_tmpl.h"

#define NB_T          int64_t
#define NB_STATE      int_state
#define NB_STEP(s, x) INT_STEP(s, x)
#define NB_NAME(f)    sum_i64_##f
#include "expr/kernels/agg_unary_tmpl.h"

#define NB_T          float
#define NB_STATE      float_state
#define NB_STEP(s, x) FLOAT_STEP(s, x)
#define NB_NAME(f)    sum_f32_##f
#include "expr/kernels/agg_unary_tmpl.h"

#define NB_T          double
#define NB_STATE      float_state
#define NB_STEP(s, x) FLOAT_STEP(s, x)
#define NB_NAME(f)    sum_f64_##f
#define NB_NO_UPDATE_ONE
#include "expr/kernels/agg_unary_tmpl.h"

#define NB_T          int64_t
#define NB_STATE      float_state
#define NB_STEP(s, x) FLOAT_STEP(s, x)
#define NB_NAME(f)    avg_i64_##f
#include "expr/kernels/agg_unary_tmpl.h"

#define NB_T          int64_t
#define NB_STATE      wide_state
#define NB_STEP(s, x) WIDE_STEP(s, x)
#define NB_NAME(f)    sum_d64_##f
#define NB_NO_UPDATE_ONE
#include "expr/kernels/agg_unary_tmpl.h"

#define NB_T          nb_int128
#define NB_STATE      wide_state
#define NB_STEP(s, x) WIDE_STEP(s, x)
#define NB_NAME(f)    sum_d128_##f
#include "expr/kernels/agg_unary_tmpl.h"

/* ---- whole batches into one state -------------------------------------------------------------------------------------------------- */

/* Sum of n int32 values: cannot overflow for any batch. */
NB_SIMD_CLONES static int64_t
total_i32(const int32_t *x, int64_t n)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += x[i];
    }
    return sum;
}

static nb_status
sum_i32_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    const nb_vector *v = &args[0];
    const int32_t *x = v->data;
    int_state *s = state;
    int64_t sum = 0, rows = n;

    if (v->kind == NB_VEC_CONST) {
        if (nb_vector_is_null(v, 0)) {
            return NB_OK;
        }
        sum = (int64_t)x[0] * n;
    } else if (v->validity == NULL) {
        sum = total_i32(x, n);
    } else {
        rows = 0;
        for (int64_t i = 0; i < n; i++) {
            int64_t valid = nb_bit_get(v->validity, i);
            sum += x[i] & -valid;
            rows += valid;
        }
    }
    int64_t over = __builtin_add_overflow(s->sum, sum, &s->sum);
    s->n = (s->n + rows) | over << 62;
    return NB_OK;
}

/* Four independent double-double sums hide the latency of the chain of additions; they vectorise too. */
NB_SIMD_CLONES static void
total_f64(const double *x, int64_t n, double *restrict hi, double *restrict lo)
{
    double h[8] = {0}, l[8] = {0};
    int64_t i = 0;

    for (; i + 8 <= n; i += 8) {
        for (int k = 0; k < 8; k++) {
            double a = h[k], b = x[i + k], t = a + b, bb = t - a;
            l[k] += (a - (t - bb)) + (b - bb);
            h[k] = t;
        }
    }
    nb_dd s = {0, 0};
    for (int k = 0; k < 8; k++) {
        nb_dd_add(&s, h[k]);
        s.lo += l[k];
    }
    for (; i < n; i++) {
        nb_dd_add(&s, x[i]);
    }
    *hi = s.hi;
    *lo = s.lo;
}

static nb_status
sum_f64_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    const nb_vector *v = &args[0];
    const double *x = v->data;
    float_state *s = state;

    if (v->kind != NB_VEC_CONST && v->validity == NULL) {
        nb_dd part;
        total_f64(x, n, &part.hi, &part.lo);
        nb_dd_merge(&s->sum, &part);
        s->n += n;
        return NB_OK;
    }
    for (int64_t i = 0, step = nb_agg_step(v); i < n; i++) {
        if (nb_is_valid(v->validity, i * step)) {
            FLOAT_STEP(s, x[i * step]);
        }
    }
    return NB_OK;
}

/* Splits values into halves, so that the inner sums stay in 64 bits. */
NB_SIMD_CLONES static void
total_d64(const int64_t *x, int64_t n, int64_t *high, int64_t *low)
{
    int64_t h = 0, l = 0;

    for (int64_t i = 0; i < n; i++) {
        h += x[i] >> 32;
        l += x[i] & 0xffffffff;
    }
    *high = h;
    *low = l;
}

static nb_status
sum_d64_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    const nb_vector *v = &args[0];
    const int64_t *x = v->data;
    wide_state *s = state;

    if (v->kind != NB_VEC_CONST && v->validity == NULL) {
        int64_t high, low;
        total_d64(x, n, &high, &low);
        int64_t over =
            __builtin_add_overflow(s->sum, (nb_int128)high * ((nb_int128)1 << 32) + low, &s->sum);
        s->n = (s->n + n) | over << 62;
        return NB_OK;
    }
    for (int64_t i = 0, step = nb_agg_step(v); i < n; i++) {
        if (nb_is_valid(v->validity, i * step)) {
            WIDE_STEP(s, x[i * step]);
        }
    }
    return NB_OK;
}

/* ---- totals of batches ---------------------------------------------------------------------------------------------------------------- */

static void
int_add_total(void *state, int64_t total, int64_t n)
{
    int_state *s = state;
    int64_t over = __builtin_add_overflow(s->sum, total, &s->sum);

    s->n = (s->n + n) | over << 62;
}

static void
wide_add_total(void *state, int64_t total, int64_t n)
{
    wide_state *s = state;
    int64_t over = __builtin_add_overflow(s->sum, (nb_int128)total, &s->sum);

    s->n = (s->n + n) | over << 62;
}

/* ---- retracting, for sliding frames ------------------------------------------------------------------------------------------------- */

static int64_t
int_at(const nb_vector *v, int64_t i)
{
    switch (v->type->phys) {
    case NB_PHYS_INT8: return NB_DATA(int8_t, v)[i];
    case NB_PHYS_INT16: return NB_DATA(int16_t, v)[i];
    case NB_PHYS_INT32: return NB_DATA(int32_t, v)[i];
    default: return NB_DATA(int64_t, v)[i];
    }
}

static nb_status
int_retract(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state)
{
    int_state *s = state;

    for (int64_t i = 0, step = nb_agg_step(args); i < n; i++) {
        if (!nb_vector_is_null(args, i)) {
            int64_t over = __builtin_sub_overflow(s->sum, int_at(args, i * step), &s->sum);
            s->n = (s->n - 1) | over << 62;
        }
    }
    return NB_OK;
}

static nb_status
wide_retract(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state)
{
    wide_state *s = state;
    bool wide = args->type->phys == NB_PHYS_INT128;

    for (int64_t i = 0, step = nb_agg_step(args); i < n; i++) {
        if (!nb_vector_is_null(args, i)) {
            s->sum -= wide ? NB_DATA(nb_int128, args)[i * step] : (nb_int128)int_at(args, i * step);
            s->n--;
        }
    }
    return NB_OK;
}

/* ---- merging ------------------------------------------------------------------------------------------------------------------------ */

static nb_status
int_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int_state *a = (int_state *)(into[i] + offset);
        const int_state *b = (const int_state *)(from[i] + offset);
        int64_t over = __builtin_add_overflow(a->sum, b->sum, &a->sum);
        int64_t flag = (a->n | b->n | over << 62) & OVERFLOW_BIT;
        a->n = ((a->n & ~OVERFLOW_BIT) + (b->n & ~OVERFLOW_BIT)) | flag;
    }
    return NB_OK;
}

static nb_status
float_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float_state *a = (float_state *)(into[i] + offset);
        const float_state *b = (const float_state *)(from[i] + offset);
        nb_dd_merge(&a->sum, &b->sum);
        a->n += b->n;
    }
    return NB_OK;
}

static nb_status
wide_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        wide_state *a = (wide_state *)(into[i] + offset);
        const wide_state *b = (const wide_state *)(from[i] + offset);
        int64_t over = __builtin_add_overflow(a->sum, b->sum, &a->sum);
        int64_t flag = (a->n | b->n | over << 62) & OVERFLOW_BIT;
        a->n = ((a->n & ~OVERFLOW_BIT) + (b->n & ~OVERFLOW_BIT)) | flag;
    }
    return NB_OK;
}

/* ---- results ------------------------------------------------------------------------------------------------------------------------ */

/* What an overflow means: NB_OK after the row was set to null, NB_DONE when the wrapped value stands. */
static nb_status
overflowed(nb_agg_ctx *ctx, nb_vector *out, int64_t row, const char *what, const char *instead)
{
    const sum_payload *p = ctx->payload;

    if (p->mode == SUM_ERROR) {
        return nb_agg_overflow(ctx, what, instead);
    }
    return p->mode == SUM_NULL ? nb_agg_set_null(ctx, out, row) : NB_DONE;
}

static nb_status
int_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    bool narrow = out->type->phys == NB_PHYS_INT32; /* year-month intervals */

    for (int64_t i = 0; i < n; i++) {
        const int_state *s = (const int_state *)(rows[i] + offset);
        if (s->n == 0) {
            NB_TRY(nb_agg_set_null(ctx, out, i));
            continue;
        }
        bool over = (s->n & OVERFLOW_BIT) != 0 || (narrow && s->sum != (int32_t)s->sum);
        if (NB_UNLIKELY(over)) {
            nb_status st = overflowed(ctx, out, i, "overflow", "try_add");
            NB_TRY(st);
            if (st == NB_OK) {
                continue;
            }
        }
        if (narrow) {
            NB_DATA(int32_t, out)[i] = (int32_t)s->sum;
        } else {
            NB_DATA(int64_t, out)[i] = s->sum;
        }
    }
    return NB_OK;
}

static nb_status
int_avg_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        const int_state *s = (const int_state *)(rows[i] + offset);
        if (s->n == 0) {
            NB_TRY(nb_agg_set_null(ctx, out, i));
        } else {
            NB_DATA(double, out)[i] = (double)s->sum / (double)(s->n & ~OVERFLOW_BIT);
        }
    }
    return NB_OK;
}

/* a / b, halves away from zero. */
static nb_int128
divide_half_up(nb_int128 a, int64_t b)
{
    nb_int128 q = a / b, r = a % b;

    if (r < 0) {
        r = -r;
    }
    return 2 * r >= b ? q + (a < 0 ? -1 : 1) : q;
}

static nb_status
interval_avg_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        const int_state *s = (const int_state *)(rows[i] + offset);
        if (s->n == 0) {
            NB_TRY(nb_agg_set_null(ctx, out, i));
            continue;
        }
        if (NB_UNLIKELY((s->n & OVERFLOW_BIT) != 0)) {
            nb_status st = overflowed(ctx, out, i, "overflow", "try_avg");
            NB_TRY(st);
            if (st == NB_OK) {
                continue;
            }
        }
        int64_t avg = (int64_t)divide_half_up(s->sum, s->n & ~OVERFLOW_BIT);
        if (out->type->phys == NB_PHYS_INT32) {
            NB_DATA(int32_t, out)[i] = (int32_t)avg;
        } else {
            NB_DATA(int64_t, out)[i] = avg;
        }
    }
    return NB_OK;
}

static nb_status
float_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        const float_state *s = (const float_state *)(rows[i] + offset);
        if (s->n == 0) {
            NB_TRY(nb_agg_set_null(ctx, out, i));
        } else {
            NB_DATA(double, out)[i] = nb_dd_value(&s->sum);
        }
    }
    return NB_OK;
}

static nb_status
float_avg_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        const float_state *s = (const float_state *)(rows[i] + offset);
        if (s->n == 0) {
            NB_TRY(nb_agg_set_null(ctx, out, i));
        } else {
            NB_DATA(double, out)[i] = nb_dd_value(&s->sum) / (double)s->n;
        }
    }
    return NB_OK;
}

static void
put_decimal(nb_vector *out, int64_t i, nb_int128 x)
{
    if (out->type->phys == NB_PHYS_INT64) {
        NB_DATA(int64_t, out)[i] = (int64_t)x;
    } else {
        NB_DATA(nb_int128, out)[i] = x;
    }
}

static nb_status
wide_results(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, bool avg, nb_vector *out)
{
    const sum_payload *p = ctx->payload;
    nb_int128 up = nb_agg_pow10(p->scale_up);

    for (int64_t i = 0; i < n; i++) {
        const wide_state *s = (const wide_state *)(rows[i] + offset);
        nb_int128 x = s->sum;
        if (s->n == 0) {
            NB_TRY(nb_agg_set_null(ctx, out, i));
            continue;
        }
        bool over = (s->n & OVERFLOW_BIT) != 0 || x >= p->limit || x <= -p->limit;
        if (!over && avg) {
            int64_t count = s->n & ~OVERFLOW_BIT;
            nb_int128 whole = x / count, rest = x % count;
            /* whole * up + rest * up / count; rest * up stays below 2^63 * 10^4 */
            over = __builtin_mul_overflow(whole, up, &x);
            over |= __builtin_add_overflow(x, divide_half_up(rest * up, count), &x);
            over |= x >= p->avg_limit || x <= -p->avg_limit;
        }
        if (NB_UNLIKELY(over)) {
            if (p->mode == SUM_ERROR) {
                return nb_agg_overflow(ctx, "Overflow in sum of decimals", p->try_name);
            }
            NB_TRY(nb_agg_set_null(ctx, out, i));
            continue;
        }
        put_decimal(out, i, x);
    }
    return NB_OK;
}

static nb_status
wide_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    return wide_results(ctx, rows, offset, n, false, out);
}

static nb_status
wide_avg_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    return wide_results(ctx, rows, offset, n, true, out);
}

/* ---- tables and binders ------------------------------------------------------------------------------------------------------------- */

#define INT_OPS(name, fin)            \
    {.state_size = sizeof(int_state), \
     .state_align = 8,                \
     .update = name##_update,         \
     .update_one = name##_update_one, \
     .add_total = int_add_total,      \
     .merge = int_merge,              \
     .finalize = fin,                 \
     .retract_one = int_retract}
#define FLOAT_OPS(name, fin)            \
    {.state_size = sizeof(float_state), \
     .state_align = 8,                  \
     .update = name##_update,           \
     .update_one = name##_update_one,   \
     .merge = float_merge,              \
     .finalize = fin}
#define WIDE_OPS(name, fin)            \
    {.state_size = sizeof(wide_state), \
     .state_align = 8,                 \
     .update = name##_update,          \
     .update_one = name##_update_one,  \
     .add_total = wide_add_total,      \
     .merge = wide_merge,              \
     .finalize = fin,                  \
     .retract_one = wide_retract}

static const nb_agg_ops sum_ops[] = {
    [NB_PHYS_INT8] = INT_OPS(sum_i8, int_finalize),
    [NB_PHYS_INT16] = INT_OPS(sum_i16, int_finalize),
    [NB_PHYS_INT32] = INT_OPS(sum_i32, int_finalize),
    [NB_PHYS_INT64] = INT_OPS(sum_i64, int_finalize),
    [NB_PHYS_FLOAT] = FLOAT_OPS(sum_f32, float_finalize),
    [NB_PHYS_DOUBLE] = FLOAT_OPS(sum_f64, float_finalize),
};
static const nb_agg_ops avg_ops[] = {
    [NB_PHYS_INT8] = INT_OPS(sum_i8, int_avg_finalize),
    [NB_PHYS_INT16] = INT_OPS(sum_i16, int_avg_finalize),
    [NB_PHYS_INT32] = INT_OPS(sum_i32, int_avg_finalize),
    [NB_PHYS_INT64] = FLOAT_OPS(avg_i64, float_avg_finalize),
    [NB_PHYS_FLOAT] = FLOAT_OPS(sum_f32, float_avg_finalize),
    [NB_PHYS_DOUBLE] = FLOAT_OPS(sum_f64, float_avg_finalize),
};
static const nb_agg_ops interval_avg_ops[] = {
    [NB_PHYS_INT32] = INT_OPS(sum_i32, interval_avg_finalize),
    [NB_PHYS_INT64] = INT_OPS(sum_i64, interval_avg_finalize),
};
static const nb_agg_ops decimal_sum_ops[] = {[NB_PHYS_INT64] = WIDE_OPS(sum_d64, wide_finalize),
                                             [NB_PHYS_INT128] = WIDE_OPS(sum_d128, wide_finalize)};
static const nb_agg_ops decimal_avg_ops[] = {[NB_PHYS_INT64] = WIDE_OPS(sum_d64, wide_avg_finalize),
                                             [NB_PHYS_INT128] =
                                                 WIDE_OPS(sum_d128, wide_avg_finalize)};

static nb_status
bind(nb_bound_agg *agg, bool avg, bool is_try, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    const nb_type *t = call->args[0]->type;
    sum_payload *p = NB_ARENA_NEW(call->arena, sum_payload);

    if (p == NULL) {
        return NB_NOMEM;
    }
    p->mode = is_try ? SUM_NULL : call->info->ansi ? SUM_ERROR : SUM_WRAP;
    p->try_name = avg ? "try_avg" : "try_sum";
    call->payload = p;
    call->nullable = true;
    if (t->id == NB_TYPE_DECIMAL) {
        int sum_p = NB_MIN(38, t->precision + 10);
        int avg_p = NB_MIN(38, t->precision + 4), avg_s = NB_MIN(38, t->scale + 4);
        p->limit = nb_agg_pow10(sum_p);
        p->avg_limit = nb_agg_pow10(avg_p);
        p->scale_up = avg_s - t->scale;
        call->type = avg ? nb_type_decimal(avg_p, avg_s) : nb_type_decimal(sum_p, t->scale);
        agg->ops = avg ? &decimal_avg_ops[t->phys] : &decimal_sum_ops[t->phys];
    } else if (t->id == NB_TYPE_INTERVAL_YM || t->id == NB_TYPE_INTERVAL_DT) {
        call->type = avg ? nb_type_of(t->id) : t;
        if (p->mode == SUM_WRAP) {
            p->mode = SUM_ERROR;
        }
        agg->ops = avg ? &interval_avg_ops[t->phys] : &sum_ops[t->phys];
    } else {
        if (!nb_type_is_numeric(t)) {
            if (!nb_type_is_string(t) && t->id != NB_TYPE_NULL && t->id != NB_TYPE_TIMESTAMP) {
                return nb_bind_mismatch(call, 0, "\"NUMERIC\" or \"ANSI INTERVAL\"", err);
            }
            NB_TRY(nb_expr_cast(call->arena, call->args[0], nb_type_of(NB_TYPE_FLOAT64),
                                call->info->ansi ? NB_CAST_ANSI : NB_CAST_LEGACY, &call->args[0],
                                err)); /* of a timestamp its seconds */
            t = call->args[0]->type;
        }
        call->type = nb_type_of(avg || t->phys >= NB_PHYS_FLOAT ? NB_TYPE_FLOAT64 : NB_TYPE_INT64);
        agg->ops = avg ? &avg_ops[t->phys] : &sum_ops[t->phys];
    }
    return call->type ? NB_OK : NB_NOMEM;
}

nb_status
nb_agg_bind_sum(nb_bound_agg *agg, nb_error *err)
{
    return bind(agg, false, false, err);
}

nb_status
nb_agg_bind_try_sum(nb_bound_agg *agg, nb_error *err)
{
    return bind(agg, false, true, err);
}

nb_status
nb_agg_bind_avg(nb_bound_agg *agg, nb_error *err)
{
    return bind(agg, true, false, err);
}

nb_status
nb_agg_bind_try_avg(nb_bound_agg *agg, nb_error *err)
{
    return bind(agg, true, true, err);
}
