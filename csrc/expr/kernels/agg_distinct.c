/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_distinct.c: approx_count_distinct, by HyperLogLog++ as Spark computes it.
 *
 * The same hash (xxHash64 of Spark's representation, seed 42), number of registers (from the relative standard deviation), linear counting
 * threshold and bias tables as in Spark, so that results are equal to Spark's. Registers are bytes, made at a state's first value.
 */
#include <xxhash.h>
#include "expr/kernels/agg.h"

typedef struct hll_payload {
    int p; /* 2^p registers */
} hll_payload;

typedef struct hll_state {
    uint8_t *registers;
} hll_state;

typedef struct hll_table {
    double threshold;
    int n;
    const double *raw, *bias;
} hll_table;

#define NB_HLL_LIST(...)                  {__VA_ARGS__}
#define NB_HLL_BIAS(p, threshold, n, ...) NB_HLL_ARRAYS(p, n, __VA_ARGS__)
#define NB_HLL_ARRAYS(p, n, ...)          static const double hll_##p[2][n] = {__VA_ARGS__};
#include "expr/kernels/hll_bias.def"
#undef NB_HLL_BIAS
#define NB_HLL_BIAS(p, threshold, n, ...) [p] = {threshold, n, hll_##p[0], hll_##p[1]},
static const hll_table hll_tables[19] = {
#include "expr/kernels/hll_bias.def"
};
#undef NB_HLL_BIAS

static uint64_t
hash_int(int32_t x)
{
    return XXH64(&x, 4, 42);
}

static uint64_t
hash_long(int64_t x)
{
    return XXH64(&x, 8, 42);
}

static uint64_t
hash_double(double x)
{
    int64_t bits;

    x = x == 0 ? 0.0 : x;
    memcpy(&bits, &x, 8);
    return hash_long(isnan(x) ? 0x7ff8000000000000 : bits);
}

static uint64_t
hash_float(float x)
{
    int32_t bits;

    x = x == 0 ? 0.0f : x;
    memcpy(&bits, &x, 4);
    return hash_int(isnan(x) ? 0x7fc00000 : bits);
}

/* Bytes of the number as Java's BigInteger gives them: big-endian, as few as can hold the sign. */
static uint64_t
hash_wide(nb_int128 x)
{
    uint8_t bytes[16];
    int from = 0;

    for (int i = 0; i < 16; i++) {
        bytes[i] = (uint8_t)((nb_uint128)x >> (8 * (15 - i)));
    }
    while (from < 15 && ((bytes[from] == 0 && bytes[from + 1] < 128) ||
                         (bytes[from] == 255 && bytes[from + 1] >= 128))) {
        from++;
    }
    return XXH64(bytes + from, (size_t)(16 - from), 42);
}

static uint64_t
hash_row(const nb_vector *v, int64_t slot)
{
    switch (v->type->phys) {
    case NB_PHYS_BOOL: return hash_int(NB_DATA(uint8_t, v)[slot] ? 1 : 0);
    case NB_PHYS_INT8: return hash_int(NB_DATA(int8_t, v)[slot]);
    case NB_PHYS_INT16: return hash_int(NB_DATA(int16_t, v)[slot]);
    case NB_PHYS_INT32: return hash_int(NB_DATA(int32_t, v)[slot]);
    case NB_PHYS_INT64: return hash_long(NB_DATA(int64_t, v)[slot]);
    case NB_PHYS_INT128: return hash_wide(NB_DATA(nb_int128, v)[slot]);
    case NB_PHYS_FLOAT: return hash_float(NB_DATA(float, v)[slot]);
    case NB_PHYS_DOUBLE: return hash_double(NB_DATA(double, v)[slot]);
    case NB_PHYS_STRING: {
        const nb_view *s = &NB_DATA(nb_view, v)[slot];
        return XXH64(nb_view_data(s), s->len, 42);
    }
    default: return 0; /* refused by the binder */
    }
}

NB_INLINE nb_status
hll_put(nb_agg_ctx *ctx, hll_state *s, uint64_t h, int p)
{
    if (NB_UNLIKELY(s->registers == NULL)) {
        s->registers = nb_arena_zalloc(ctx->memory, (size_t)1 << p);
        if (s->registers == NULL) {
            return NB_NOMEM;
        }
    }
    uint8_t rank = (uint8_t)(__builtin_clzll(h << p | (uint64_t)1 << (p - 1)) + 1);
    uint8_t *r = &s->registers[h >> (64 - p)];
    *r = rank > *r ? rank : *r;
    return NB_OK;
}

static nb_status
hll_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
           int64_t row0)
{
    int p = ((const hll_payload *)ctx->payload)->p;

    for (int64_t i = 0; i < n; i++) {
        if (!nb_vector_is_null(args, i)) {
            NB_TRY(hll_put(ctx, (hll_state *)(rows[i] + offset),
                           hash_row(args, i * nb_agg_step(args)), p));
        }
    }
    return NB_OK;
}

static nb_status
hll_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    int p = ((const hll_payload *)ctx->payload)->p;

    for (int64_t i = 0; i < (args->kind == NB_VEC_CONST ? NB_MIN(n, 1) : n); i++) {
        if (!nb_vector_is_null(args, i)) {
            NB_TRY(hll_put(ctx, state, hash_row(args, i), p));
        }
    }
    return NB_OK;
}

static nb_status
hll_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    size_t m = (size_t)1 << ((const hll_payload *)ctx->payload)->p;

    for (int64_t i = 0; i < n; i++) {
        hll_state *a = (hll_state *)(into[i] + offset);
        const hll_state *b = (const hll_state *)(from[i] + offset);
        if (b->registers == NULL) {
            continue;
        }
        if (a->registers == NULL && (a->registers = nb_arena_zalloc(ctx->memory, m)) == NULL) {
            return NB_NOMEM;
        }
        for (size_t k = 0; k < m; k++) {
            a->registers[k] = NB_MAX(a->registers[k], b->registers[k]);
        }
    }
    return NB_OK;
}

/* The mean bias of the six table entries nearest to the raw estimate. */
static double
bias_of(const hll_table *t, double e)
{
    int at = 0, low, high;
    double sum = 0;

    while (at < t->n && t->raw[at] < e) {
        at++;
    }
    low = NB_MAX(at - 6 + 1, 0);
    high = NB_MIN(low + 6, t->n);
    while (high < t->n &&
           (e - t->raw[high]) * (e - t->raw[high]) < (e - t->raw[low]) * (e - t->raw[low])) {
        low++;
        high++;
    }
    for (int i = low; i < high; i++) {
        sum += t->bias[i];
    }
    return sum / (high - low);
}

static int64_t
hll_estimate(const uint8_t *registers, int p)
{
    double m = (double)((int64_t)1 << p), inverse = 0, zeros = 0, e;
    double alpha = p == 4 ? 0.673 : p == 5 ? 0.697 : p == 6 ? 0.709 : 0.7213 / (1.0 + 1.079 / m);

    for (int64_t i = 0; i < (int64_t)1 << p; i++) {
        inverse += 1.0 / (double)((uint64_t)1 << registers[i]);
        zeros += registers[i] == 0;
    }
    e = alpha * m * m / inverse;
    if (zeros > 0) {
        double linear = m * log(m / zeros);
        if ((p <= 18 && linear <= hll_tables[p].threshold) || e <= 2.5 * m) {
            return llrint(floor(linear + 0.5));
        }
    }
    if (p <= 18 && e < 5.0 * m) {
        e -= bias_of(&hll_tables[p], e);
    }
    return llrint(floor(e + 0.5));
}

static nb_status
hll_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    int p = ((const hll_payload *)ctx->payload)->p;

    for (int64_t i = 0; i < n; i++) {
        const hll_state *s = (const hll_state *)(rows[i] + offset);
        NB_DATA(int64_t, out)[i] = s->registers ? hll_estimate(s->registers, p) : 0;
    }
    return NB_OK;
}

static nb_status
hll_serialize(nb_agg_ctx *ctx, const void *state, nb_strbuf *out)
{
    const hll_state *s = state;

    nb_agg_put(out, s->registers ? (const char *)s->registers : "",
               s->registers ? (size_t)1 << ((const hll_payload *)ctx->payload)->p : 0);
    return out->failed ? NB_NOMEM : NB_OK;
}

static nb_status
hll_deserialize(nb_agg_ctx *ctx, nb_str bytes, void *state)
{
    hll_state *s = state;
    size_t m = (size_t)1 << ((const hll_payload *)ctx->payload)->p;

    s->registers = NULL;
    if (bytes.len == 0) {
        return NB_OK;
    }
    if (bytes.len != m) {
        return nb_raise_internal(ctx->err, "a serialised sketch has %zu registers, not %zu",
                                 bytes.len, m);
    }
    s->registers = nb_arena_alloc(ctx->memory, m);
    if (s->registers == NULL) {
        return NB_NOMEM;
    }
    memcpy(s->registers, bytes.data, m);
    for (size_t i = 0; i < m; i++) {
        s->registers[i] &= 63;
    }
    return NB_OK;
}

static const nb_agg_ops hll_ops = {.state_size = sizeof(hll_state),
                                   .state_align = 8,
                                   .update = hll_update,
                                   .update_one = hll_update_one,
                                   .merge = hll_merge,
                                   .finalize = hll_finalize,
                                   .serialize = hll_serialize,
                                   .deserialize = hll_deserialize};

nb_status
nb_agg_bind_approx_count_distinct(nb_bound_agg *agg, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    hll_payload *payload = NB_ARENA_NEW(call->arena, hll_payload);
    double rsd = 0.05;

    if (payload == NULL) {
        return NB_NOMEM;
    }
    if (nb_phys_width(call->args[0]->type->phys) == 0 ||
        call->args[0]->type->phys == NB_PHYS_LIST ||
        call->args[0]->type->phys == NB_PHYS_INTERVAL) {
        return nb_raise_unsupported(err, "approx_count_distinct of nested values");
    }
    if (call->n_args == 2) {
        const nb_vector *v;
        NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_FLOAT64), err));
        NB_TRY(nb_bind_constant(call, 1, &v, err));
        if (v == NULL || nb_vector_is_null(v, 0)) {
            return nb_bind_mismatch(call, 1, "foldable \"DOUBLE\"", err);
        }
        rsd = NB_DATA(double, v)[0];
    }
    payload->p = (int)ceil(2.0 * log2(1.106 / rsd));
    if (!(rsd > 0) || payload->p > 24) {
        return nb_bind_mismatch(call, 0, "relative standard deviation above 0.0003", err);
    }
    payload->p = NB_MAX(payload->p, 4);
    call->payload = payload;
    call->type = nb_type_of(NB_TYPE_INT64);
    call->nullable = false;
    agg->ops = &hll_ops;
    return NB_OK;
}
