/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_stats.c: moments and regression: stddev, variance, skewness, kurtosis, corr, covar, regr_*, product.
 *
 * States are sums of powers and products in double-double arithmetic (see agg.h), taken around a shift, the first value that the state
 * saw. With about 32 digits in the sums, the subtraction sum(x²) - sum(x)²/n leaves a correct double even where Welford's running update
 * in doubles has lost digits, and partial states merge exactly enough that threads do not show. Merging two states rebases the second
 * one to the first one's shift by the binomial theorem.
 */
#include "expr/kernels/agg.h"
#include "expr/kernels/operators.h"

typedef enum stat_kind {
    STAT_VAR_POP,
    STAT_VAR_SAMP,
    STAT_STD_POP,
    STAT_STD_SAMP,
    STAT_SKEWNESS,
    STAT_KURTOSIS,
    STAT_CORR,
    STAT_CORR_ANSI, /* raises where a side does not vary */
    STAT_COVAR_POP,
    STAT_COVAR_SAMP,
    STAT_REGR_SLOPE,
    STAT_REGR_INTERCEPT,
    STAT_REGR_R2,
    STAT_REGR_SXX,
    STAT_REGR_SYY,
    STAT_REGR_SXY,
} stat_kind;

/* ---- one variable ------------------------------------------------------------------------------------------------------------------- */

typedef struct moments {
    int64_t n;
    double shift;
    nb_dd sum[4]; /* of (x - shift)^k, k = 1 … 4; the last two for skewness and kurtosis only */
} moments;

#define VARIANCE_STATE (offsetof(moments, sum) + 2 * sizeof(nb_dd))

/* x - shift rounds; the powers of its rounded value would be off by that. For values near the shift (Sterbenz) it is exact. */
NB_INLINE void
moments_step(moments *s, double x, bool high)
{
    if (s->n++ == 0) {
        s->shift = isfinite(x) ? x : 0;
    }
    double d = x - s->shift, lost = 0;
    if (isfinite(d)) {
        double bb = d - x;
        lost = (x - (d - bb)) - (s->shift + bb);
    }
    nb_dd_add(&s->sum[0], d);
    s->sum[0].lo += lost;
    nb_dd_add_product(&s->sum[1], d, d);
    s->sum[1].lo += 2 * d * lost;
    if (high) {
        double d2 = d * d;
        nb_dd_add_product(&s->sum[2], d2, d);
        nb_dd_add_product(&s->sum[3], d2, d2);
    }
}

NB_INLINE nb_status
moments_update(const nb_vector *v, int64_t n, uint8_t *const *rows, int offset, bool high)
{
    const double *x = v->data;
    int64_t step = nb_agg_step(v);

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(v->validity, i * step)) {
            moments_step((moments *)(rows[i] + offset), x[i * step], high);
        }
    }
    return NB_OK;
}

NB_INLINE nb_status
moments_update_one(const nb_vector *v, int64_t n, moments *s, bool high)
{
    const double *x = v->data;
    int64_t step = nb_agg_step(v);

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(v->validity, i * step)) {
            moments_step(s, x[i * step], high);
        }
    }
    return NB_OK;
}

static nb_dd
times(nb_dd a, double b)
{
    return nb_dd_mul(a, (nb_dd){b, 0});
}

NB_INLINE void
moments_merge(moments *a, const moments *b, bool high)
{
    if (b->n == 0) {
        return;
    }
    if (a->n == 0) {
        memcpy(a, b, high ? sizeof *a : VARIANCE_STATE);
        return;
    }
    double n = (double)b->n;
    nb_dd d = nb_dd_normal((nb_dd){b->shift, 0}); /* b's shift - a's, exactly */
    nb_dd_add(&d, -a->shift);
    d = nb_dd_normal(d);
    nb_dd d2 = nb_dd_mul(d, d);
    nb_dd s1 = nb_dd_normal(b->sum[0]), s2 = nb_dd_normal(b->sum[1]);
    a->sum[0] = nb_dd_sum(a->sum[0], nb_dd_sum(s1, times(d, n)));
    a->sum[1] =
        nb_dd_sum(a->sum[1], nb_dd_sum(s2, nb_dd_sum(nb_dd_mul(times(s1, 2), d), times(d2, n))));
    if (high) {
        nb_dd s3 = nb_dd_normal(b->sum[2]), s4 = nb_dd_normal(b->sum[3]), d3 = nb_dd_mul(d2, d),
              d4 = nb_dd_mul(d2, d2);
        nb_dd t3 = nb_dd_sum(nb_dd_sum(s3, times(nb_dd_mul(s2, d), 3)),
                             nb_dd_sum(times(nb_dd_mul(s1, d2), 3), times(d3, n)));
        nb_dd t4 = nb_dd_sum(nb_dd_sum(s4, times(nb_dd_mul(s3, d), 4)),
                             nb_dd_sum(times(nb_dd_mul(s2, d2), 6),
                                       nb_dd_sum(times(nb_dd_mul(s1, d3), 4), times(d4, n))));
        a->sum[2] = nb_dd_sum(a->sum[2], t3);
        a->sum[3] = nb_dd_sum(a->sum[3], t4);
    }
    a->n += b->n;
}

/* Is it a whole number of less than 26 bits, exactly? */
NB_INLINE bool
is_small_whole(nb_dd x, int64_t *whole)
{
    bool small = x.lo == 0 && fabs(x.hi) < 0x1p26;

    *whole = small ? (int64_t)x.hi : 0;
    return small && (double)*whole == x.hi;
}

/* Sum of squared (cubed, …) differences from the mean. */
static double
central(const moments *s, int k)
{
    double n = (double)s->n;
    int64_t a, b;

    /* of whole numbers, (n * sum(x²) - sum(x)²) / n without loss */
    if (k == 2 && s->n < (1 << 26) && fabs(s->shift) < 0x1p52 && is_small_whole(s->sum[0], &a) &&
        is_small_whole(s->sum[1], &b)) {
        return (double)(s->n * b - a * a) / n;
    }
    nb_dd s1 = nb_dd_normal(s->sum[0]), s2 = nb_dd_normal(s->sum[1]), mean = nb_dd_div(s1, n);
    nb_dd m2 = nb_dd_sum(s2, nb_dd_neg(nb_dd_mul(s1, mean)));

    double about = s->shift + (mean.hi + mean.lo);

    /* Spark merges a state into an empty one by the square of the mean times zero rows: not a number when the square overflows */
    if (!isfinite(s->sum[0].hi) || !isfinite(s->sum[1].hi) || !isfinite(about * about)) {
        return NAN;
    }
    if (k == 2) {
        double r = m2.hi + m2.lo;
        return r < 0 ? 0 : r;
    }
    nb_dd s3 = nb_dd_normal(s->sum[2]), mean2 = nb_dd_mul(mean, mean);
    if (k == 3) {
        nb_dd r = nb_dd_sum(s3, nb_dd_neg(times(nb_dd_mul(s2, mean), 3)));
        r = nb_dd_sum(r, times(nb_dd_mul(s1, mean2), 2));
        return r.hi + r.lo;
    }
    nb_dd s4 = nb_dd_normal(s->sum[3]);
    nb_dd r = nb_dd_sum(s4, nb_dd_neg(times(nb_dd_mul(s3, mean), 4)));
    r = nb_dd_sum(r, times(nb_dd_mul(s2, mean2), 6));
    r = nb_dd_sum(r, nb_dd_neg(times(nb_dd_mul(s1, nb_dd_mul(mean2, mean)), 3)));
    return r.hi + r.lo;
}

/* false = null */
static bool
moments_value(const moments *s, stat_kind kind, double *x)
{
    double n = (double)s->n, m2;

    if (s->n == 0) {
        return false;
    }
    m2 = central(s, 2);
    switch (kind) {
    case STAT_VAR_POP: *x = m2 / n; return true;
    case STAT_STD_POP: *x = sqrt(m2 / n); return true;
    case STAT_VAR_SAMP: *x = m2 / (n - 1); return s->n > 1;
    case STAT_STD_SAMP: *x = sqrt(m2 / (n - 1)); return s->n > 1;
    case STAT_REGR_SXX: *x = m2; return true;
    case STAT_SKEWNESS: *x = sqrt(n) * central(s, 3) / sqrt(m2 * m2 * m2); return m2 != 0;
    default: *x = n * central(s, 4) / (m2 * m2) - 3.0; return m2 != 0;
    }
}

static nb_status
moments_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    stat_kind kind = *(const stat_kind *)ctx->payload;

    for (int64_t i = 0; i < n; i++) {
        double x = 0;
        if (!moments_value((const moments *)(rows[i] + offset), kind, &x)) {
            NB_TRY(nb_agg_set_null(ctx, out, i));
        }
        NB_DATA(double, out)[i] = x;
    }
    return NB_OK;
}

#define MOMENTS(name, high, size)                                                              \
    static nb_status name##_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n,          \
                                   uint8_t *const *rows, int offset, int64_t row0)             \
    {                                                                                          \
        return moments_update(args, n, rows, offset, high);                                    \
    }                                                                                          \
    static nb_status name##_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n,      \
                                       void *state, int64_t row0)                              \
    {                                                                                          \
        return moments_update_one(args, n, state, high);                                       \
    }                                                                                          \
    static nb_status name##_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, \
                                  int offset, int64_t n)                                       \
    {                                                                                          \
        for (int64_t i = 0; i < n; i++) {                                                      \
            moments_merge((moments *)(into[i] + offset), (const moments *)(from[i] + offset),  \
                          high);                                                               \
        }                                                                                      \
        return NB_OK;                                                                          \
    }                                                                                          \
    static const nb_agg_ops name##_ops = {.state_size = (int)(size),                           \
                                          .state_align = 8,                                    \
                                          .update = name##_update,                             \
                                          .update_one = name##_update_one,                     \
                                          .merge = name##_merge,                               \
                                          .finalize = moments_finalize};
MOMENTS(variance, false, VARIANCE_STATE)
MOMENTS(kurtosis, true, sizeof(moments))

/* ---- two variables ------------------------------------------------------------------------------------------------------------------ */

typedef struct pairs {
    int64_t n;
    nb_dd x, y, xx, yy, xy;
} pairs;

NB_INLINE void
pairs_step(pairs *s, double x, double y)
{
    s->n++;
    nb_dd_add(&s->x, x);
    nb_dd_add(&s->y, y);
    nb_dd_add_product(&s->xx, x, x);
    nb_dd_add_product(&s->yy, y, y);
    nb_dd_add_product(&s->xy, x, y);
}

static nb_status
pairs_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
             int64_t row0)
{
    const double *a = args[0].data, *b = args[1].data;
    int64_t sa = nb_agg_step(&args[0]), sb = nb_agg_step(&args[1]);

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(args[0].validity, i * sa) && nb_is_valid(args[1].validity, i * sb)) {
            pairs_step((pairs *)(rows[i] + offset), a[i * sa], b[i * sb]);
        }
    }
    return NB_OK;
}

static nb_status
pairs_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    const double *a = args[0].data, *b = args[1].data;
    int64_t sa = nb_agg_step(&args[0]), sb = nb_agg_step(&args[1]);

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(args[0].validity, i * sa) && nb_is_valid(args[1].validity, i * sb)) {
            pairs_step(state, a[i * sa], b[i * sb]);
        }
    }
    return NB_OK;
}

static nb_status
pairs_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        pairs *a = (pairs *)(into[i] + offset);
        const pairs *b = (const pairs *)(from[i] + offset);
        a->n += b->n;
        nb_dd_merge(&a->x, &b->x);
        nb_dd_merge(&a->y, &b->y);
        nb_dd_merge(&a->xx, &b->xx);
        nb_dd_merge(&a->yy, &b->yy);
        nb_dd_merge(&a->xy, &b->xy);
    }
    return NB_OK;
}

/* sum(a*b) - sum(a) * sum(b) / n */
static double
co_moment(nb_dd ab, nb_dd a, nb_dd b, double n)
{
    nb_dd r;

    if (!isfinite(ab.hi) || !isfinite(a.hi) || !isfinite(b.hi)) {
        return NAN;
    }
    r = nb_dd_sum(nb_dd_normal(ab),
                  nb_dd_neg(nb_dd_div(nb_dd_mul(nb_dd_normal(a), nb_dd_normal(b)), n)));
    return r.hi + r.lo;
}

/* In regr_f(y, x) the first argument is the dependent one: here it is `x` of the state (first argument), so slopes divide by yy. */
static bool
pairs_value(const pairs *s, stat_kind kind, double *v)
{
    double n = (double)s->n;
    double xx = co_moment(s->xx, s->x, s->x, n), yy = co_moment(s->yy, s->y, s->y, n),
           xy = co_moment(s->xy, s->x, s->y, n);

    if (s->n == 0) {
        return false;
    }
    xx = xx < 0 ? 0 : xx;
    yy = yy < 0 ? 0 : yy;
    switch (kind) {
    case STAT_COVAR_POP: *v = xy / n; return true;
    case STAT_COVAR_SAMP: *v = xy / (n - 1); return s->n > 1;
    case STAT_CORR:
    case STAT_CORR_ANSI: *v = xy / sqrt(xx * yy); return s->n > 1 && xx != 0 && yy != 0;
    case STAT_REGR_SLOPE: *v = xy / yy; return s->n > 1 && yy != 0;
    case STAT_REGR_INTERCEPT:
        *v = nb_dd_value(&s->x) / n - xy / yy * (nb_dd_value(&s->y) / n);
        return s->n > 1 && yy != 0;
    case STAT_REGR_R2:
        *v = xx == 0 ? 1.0 : xy / sqrt(xx * yy) * (xy / sqrt(xx * yy));
        return s->n > 1 && yy != 0;
    case STAT_REGR_SXX: *v = yy; return true;
    case STAT_REGR_SYY: *v = xx; return true;
    default: *v = xy; return true;
    }
}

static nb_status
pairs_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    stat_kind kind = *(const stat_kind *)ctx->payload;

    for (int64_t i = 0; i < n; i++) {
        double x = 0;
        const pairs *s = (const pairs *)(rows[i] + offset);
        if (!pairs_value(s, kind, &x)) {
            if (kind == STAT_CORR_ANSI && s->n > 1) {
                return nb_raise_divide_by_zero(ctx->err);
            }
            NB_TRY(nb_agg_set_null(ctx, out, i));
        }
        NB_DATA(double, out)[i] = x;
    }
    return NB_OK;
}

static nb_status
pairs_count_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int64_t, out)[i] = ((const pairs *)(rows[i] + offset))->n;
    }
    return NB_OK;
}

static const nb_agg_ops pairs_ops = {.state_size = sizeof(pairs),
                                     .state_align = 8,
                                     .update = pairs_update,
                                     .update_one = pairs_update_one,
                                     .merge = pairs_merge,
                                     .finalize = pairs_finalize};
static const nb_agg_ops pairs_count_ops = {.state_size = sizeof(pairs),
                                           .state_align = 8,
                                           .update = pairs_update,
                                           .update_one = pairs_update_one,
                                           .merge = pairs_merge,
                                           .finalize = pairs_count_finalize};

/* ---- product ------------------------------------------------------------------------------------------------------------------------ */

typedef struct product_state {
    double product;
    int64_t n;
} product_state;

#define NB_T          double
#define NB_STATE      product_state
#define NB_STEP(s, x) ((s)->product = (s)->n++ ? (s)->product * (x) : (x))
#define NB_NAME(f)    product_##f
#include "expr/kernels/agg_unary_tmpl.h"

static nb_status
product_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        product_state *a = (product_state *)(into[i] + offset);
        const product_state *b = (const product_state *)(from[i] + offset);
        if (b->n) {
            a->product = a->n ? a->product * b->product : b->product;
            a->n += b->n;
        }
    }
    return NB_OK;
}

static nb_status
product_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        const product_state *s = (const product_state *)(rows[i] + offset);
        NB_DATA(double, out)[i] = s->product;
        if (s->n == 0) {
            NB_TRY(nb_agg_set_null(ctx, out, i));
        }
    }
    return NB_OK;
}

static const nb_agg_ops product_ops = {.state_size = sizeof(product_state),
                                       .state_align = 8,
                                       .update = product_update,
                                       .update_one = product_update_one,
                                       .merge = product_merge,
                                       .finalize = product_finalize};

/* ---- binders ------------------------------------------------------------------------------------------------------------------------ */

static nb_status
bind(nb_bound_agg *agg, stat_kind kind, const nb_agg_ops *ops, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    stat_kind *payload = NB_ARENA_NEW(call->arena, stat_kind);

    if (payload == NULL) {
        return NB_NOMEM;
    }
    *payload = kind;
    for (int i = 0; i < call->n_args; i++) {
        NB_TRY(nb_bind_cast(call, i, nb_type_of(NB_TYPE_FLOAT64), err));
    }
    call->payload = payload;
    call->type = nb_type_of(NB_TYPE_FLOAT64);
    call->nullable = true;
    agg->ops = ops;
    return NB_OK;
}

#define BINDER(name, kind, ops)                                    \
    nb_status nb_agg_bind_##name(nb_bound_agg *agg, nb_error *err) \
    {                                                              \
        return bind(agg, kind, &ops, err);                         \
    }
BINDER(var_pop, STAT_VAR_POP, variance_ops)
BINDER(var_samp, STAT_VAR_SAMP, variance_ops)
BINDER(stddev_pop, STAT_STD_POP, variance_ops)
BINDER(stddev_samp, STAT_STD_SAMP, variance_ops)
BINDER(skewness, STAT_SKEWNESS, kurtosis_ops)
BINDER(kurtosis, STAT_KURTOSIS, kurtosis_ops)
BINDER(covar_pop, STAT_COVAR_POP, pairs_ops)
BINDER(covar_samp, STAT_COVAR_SAMP, pairs_ops)
BINDER(regr_slope, STAT_REGR_SLOPE, pairs_ops)
BINDER(regr_intercept, STAT_REGR_INTERCEPT, pairs_ops)
BINDER(regr_r2, STAT_REGR_R2, pairs_ops)
BINDER(regr_sxx, STAT_REGR_SXX, pairs_ops)
BINDER(regr_syy, STAT_REGR_SYY, pairs_ops)
BINDER(regr_sxy, STAT_REGR_SXY, pairs_ops)
BINDER(product, STAT_VAR_POP, product_ops)

nb_status
nb_agg_bind_corr(nb_bound_agg *agg, nb_error *err)
{
    return bind(agg, agg->call.info->ansi ? STAT_CORR_ANSI : STAT_CORR, &pairs_ops, err);
}

/* The mean of one argument over rows where the other is not null: avg(if(isnotnull(other), value, null)), with avg's result type. */
static nb_status
bind_mean(nb_bound_agg *agg, int value, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    nb_expr *args[3], *chosen;

    for (int i = 0; i < 2; i++) {
        const nb_type *t = call->args[i]->type;

        if (!nb_type_is_numeric(t) && t->id != NB_TYPE_NULL && !nb_type_is_string(t)) {
            return nb_bind_mismatch(call, i, "\"NUMERIC\"", err);
        }
    }
    args[1] = call->args[value];
    args[2] = nb_expr_null(call->arena, args[1]->type);
    if (args[2] == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_bind_again(call, "isnotnull", &call->args[1 - value], 1, &args[0], err));
    NB_TRY(nb_bind_again(call, "if", args, 3, &chosen, err));
    return nb_aggregate_bind(call->arena, call->info, nb_aggregate_find(NB_STR("avg")),
                             NB_STR("avg"), &chosen, 1, call->is_distinct, NULL, call->origin,
                             &call->replacement, err);
}

nb_status
nb_agg_bind_regr_avgx(nb_bound_agg *agg, nb_error *err)
{
    return bind_mean(agg, 1, err);
}

nb_status
nb_agg_bind_regr_avgy(nb_bound_agg *agg, nb_error *err)
{
    return bind_mean(agg, 0, err);
}

nb_status
nb_agg_bind_regr_count(nb_bound_agg *agg, nb_error *err)
{
    NB_TRY(bind(agg, STAT_CORR, &pairs_count_ops, err));
    agg->call.type = nb_type_of(NB_TYPE_INT64);
    agg->call.nullable = false;
    return NB_OK;
}
