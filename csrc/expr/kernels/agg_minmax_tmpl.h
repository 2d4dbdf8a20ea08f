/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_minmax_tmpl.h: min and max of one number type.
 *
 * Define NB_T (C type), NB_LESS(a, b) (Spark's order) and NB_TAG(f) (name of a generated thing); all are undefined at the end. Columns
 * without nulls are first reduced to one value per batch, in a loop that vectorises, when there is one state only.
 */

typedef struct NB_TAG(state) {
    NB_T value;
    uint8_t has;
} NB_TAG(state);

#define NB_MIN_STEP(s, x)                           \
    do {                                            \
        NB_T x_ = (x);                              \
        if (!(s)->has || NB_LESS(x_, (s)->value)) { \
            (s)->value = x_;                        \
            (s)->has = 1;                           \
        }                                           \
    } while (0)
#define NB_MAX_STEP(s, x)                           \
    do {                                            \
        NB_T x_ = (x);                              \
        if (!(s)->has || NB_LESS((s)->value, x_)) { \
            (s)->value = x_;                        \
            (s)->has = 1;                           \
        }                                           \
    } while (0)

static NB_T
NB_TAG(least)(const NB_T *x, int64_t n)
{
    NB_T best = x[0];

    for (int64_t i = 1; i < n; i++) {
        best = NB_LESS(x[i], best) ? x[i] : best;
    }
    return best;
}

static NB_T
NB_TAG(greatest)(const NB_T *x, int64_t n)
{
    NB_T best = x[0];

    for (int64_t i = 1; i < n; i++) {
        best = NB_LESS(best, x[i]) ? x[i] : best;
    }
    return best;
}

NB_INLINE nb_status
NB_TAG(one)(const nb_vector *v, int64_t n, NB_TAG(state) * s, bool max)
{
    const NB_T *x = v->data;

    if (n == 0) {
        return NB_OK;
    }
    if (v->kind == NB_VEC_CONST || v->validity == NULL) {
        int64_t rows = v->kind == NB_VEC_CONST ? 1 : n;
        if (nb_vector_is_null(v, 0)) {
            return NB_OK;
        }
        if (max) {
            NB_MAX_STEP(s, NB_TAG(greatest)(x, rows));
        } else {
            NB_MIN_STEP(s, NB_TAG(least)(x, rows));
        }
        return NB_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        if (nb_bit_get(v->validity, i)) {
            if (max) {
                NB_MAX_STEP(s, x[i]);
            } else {
                NB_MIN_STEP(s, x[i]);
            }
        }
    }
    return NB_OK;
}

NB_INLINE nb_status
NB_TAG(many)(const nb_vector *v, int64_t n, uint8_t *const *rows, int offset, bool max)
{
    const NB_T *x = v->data;
    int64_t step = nb_agg_step(v);

    if (step == 0 && nb_vector_is_null(v, 0)) {
        return NB_OK;
    }
    const uint64_t *valid = step ? v->validity : NULL;
    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(valid, i)) {
            NB_TAG(state) *s = (NB_TAG(state) *)(rows[i] + offset);
            if (max) {
                NB_MAX_STEP(s, x[i * step]);
            } else {
                NB_MIN_STEP(s, x[i * step]);
            }
        }
    }
    return NB_OK;
}

static nb_status
NB_TAG(min_update)(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows,
                   int offset, int64_t row0)
{
    return NB_TAG(many)(args, n, rows, offset, false);
}

static nb_status
NB_TAG(max_update)(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows,
                   int offset, int64_t row0)
{
    return NB_TAG(many)(args, n, rows, offset, true);
}

static nb_status
NB_TAG(min_update_one)(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    return NB_TAG(one)(args, n, state, false);
}

static nb_status
NB_TAG(max_update_one)(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    return NB_TAG(one)(args, n, state, true);
}

static nb_status
NB_TAG(min_merge)(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset,
                  int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        NB_TAG(state) *a = (NB_TAG(state) *)(into[i] + offset);
        const NB_TAG(state) *b = (const NB_TAG(state) *)(from[i] + offset);
        if (b->has) {
            NB_MIN_STEP(a, b->value);
        }
    }
    return NB_OK;
}

static nb_status
NB_TAG(max_merge)(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset,
                  int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        NB_TAG(state) *a = (NB_TAG(state) *)(into[i] + offset);
        const NB_TAG(state) *b = (const NB_TAG(state) *)(from[i] + offset);
        if (b->has) {
            NB_MAX_STEP(a, b->value);
        }
    }
    return NB_OK;
}

static nb_status
NB_TAG(finalize)(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        const NB_TAG(state) *s = (const NB_TAG(state) *)(rows[i] + offset);
        if (s->has) {
            NB_DATA(NB_T, out)[i] = s->value;
        } else {
            NB_TRY(nb_agg_set_null(ctx, out, i));
        }
    }
    return NB_OK;
}

#undef NB_T
#undef NB_LESS
#undef NB_TAG
#undef NB_MIN_STEP
#undef NB_MAX_STEP
