/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_percentile.c: percentile, percentile_cont, percentile_disc, median, approx_percentile, histogram_numeric.
 *
 * States keep the values as doubles (Spark interpolates in doubles too), with a count beside each where a frequency argument is given.
 * At the end the exact functions select what stands at their ranks; they sort where counts or many ranks are asked for. approx_percentile is exact as long as a state has at most SUMMARY_VALUES values, whatever the
 * accuracy argument; beyond that the values are folded into a Greenwald-Khanna summary: ascending samples, each with the number of values
 * g that it stands for since the sample before, and delta, the uncertainty of its rank; g + delta <= 2 * error * n.
 */
#include "expr/kernels/agg_value.h"

#include <stdlib.h>

#define SUMMARY_VALUES (1u << 20)
#define SELECT_FEW     16 /* values that are sorted instead; ranks beyond which all are */

typedef struct quantile_payload {
    double *p; /* percentages */
    int n_p;
    bool as_array, disc, reverse, counted;
    double error; /* approx_percentile */
    int bins;     /* histogram_numeric */
} quantile_payload;

typedef struct sample {
    double value;
    int64_t g, delta;
} sample;

typedef struct quantile_state {
    double *x;
    int64_t *counts; /* NULL = each once */
    int64_t n, cap;
    sample *samples; /* the summary, ascending */
    int64_t n_samples, n_summarised;
} quantile_state;

static double
as_double(const nb_vector *v, int64_t slot)
{
    switch (v->type->phys) {
    case NB_PHYS_INT8: return NB_DATA(int8_t, v)[slot];
    case NB_PHYS_INT16: return NB_DATA(int16_t, v)[slot];
    case NB_PHYS_INT32: return NB_DATA(int32_t, v)[slot];
    case NB_PHYS_FLOAT: return NB_DATA(float, v)[slot];
    case NB_PHYS_DOUBLE: return NB_DATA(double, v)[slot];
    case NB_PHYS_INT128: return (double)NB_DATA(nb_int128, v)[slot];
    default: return (double)NB_DATA(int64_t, v)[slot];
    }
}

static nb_status
grow(nb_arena *memory, quantile_state *s, int64_t want, bool counted)
{
    int64_t cap = NB_MAX(s->cap ? s->cap * 2 : 8, want);
    double *x = NB_ARENA_ARRAY(memory, double, cap);

    if (x == NULL) {
        return NB_NOMEM;
    }
    if (s->n) {
        memcpy(x, s->x, (size_t)s->n * sizeof *x);
    }
    if (counted || s->counts) {
        int64_t *counts = NB_ARENA_ARRAY(memory, int64_t, cap);
        if (counts == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < s->n; i++) {
            counts[i] = s->counts ? s->counts[i] : 1;
        }
        s->counts = counts;
    }
    s->x = x;
    s->cap = cap;
    return NB_OK;
}

static nb_status
put(nb_agg_ctx *ctx, const nb_vector *args, int64_t i, quantile_state *s)
{
    int64_t count = 1;
    bool counted = ((const quantile_payload *)ctx->payload)->counted;

    if (nb_vector_is_null(args, i)) {
        return NB_OK;
    }
    if (counted) {
        if (nb_vector_is_null(&args[2], i)) {
            return NB_OK;
        }
        count = NB_DATA(int64_t, &args[2])[nb_vector_slot(&args[2], i)];
        if (count < 0) {
            return nb_raise(
                ctx->err, NB_COND_NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION, "frequencyExpression",
                nb_arena_printf(ctx->scratch, "\"%s\"",
                                nb_expr_sql(ctx->scratch, ctx->expr->args[2], false)),
                "negativeValue", nb_arena_printf(ctx->scratch, "%lldL", (long long)count), NULL);
        }
        if (count == 0) {
            return NB_OK;
        }
    }
    if (s->n == s->cap) {
        NB_TRY(grow(ctx->memory, s, 0, counted));
    }
    s->x[s->n] = as_double(args, nb_vector_slot(args, i));
    if (counted) {
        s->counts[s->n] = count;
    }
    s->n++;
    return NB_OK;
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y ? 1 : x == y ? 0 : isnan(x) ? !isnan(y) : -1;
}

typedef struct weighted {
    double x;
    int64_t count;
} weighted;

static int
compare_weighted(const void *a, const void *b)
{
    return compare_doubles(&((const weighted *)a)->x, &((const weighted *)b)->x);
}

/* ---- the summary -------------------------------------------------------------------------------------------------------------------- */

/* Drops samples that their neighbours can stand for. */
static void
compress(quantile_state *s, double error)
{
    int64_t most = (int64_t)(2 * error * (double)s->n_summarised), kept = s->n_samples - 1;

    if (s->n_samples < 3) {
        return;
    }
    /* From the back, as the paper does: samples[kept] absorbs what precedes it. The first sample stays, it is the minimum. */
    for (int64_t i = s->n_samples - 2; i >= 1; i--) {
        if (s->samples[i].g + s->samples[kept].g + s->samples[kept].delta < most) {
            s->samples[kept].g += s->samples[i].g;
        } else {
            s->samples[--kept] = s->samples[i];
        }
    }
    s->samples[--kept] = s->samples[0];
    memmove(s->samples, s->samples + kept, (size_t)(s->n_samples - kept) * sizeof(sample));
    s->n_samples -= kept;
}

/* Folds the collected values, or another summary, into the summary. */
static nb_status
fold(nb_arena *memory, quantile_state *s, const sample *more, int64_t n_more, int64_t n_values,
     double error)
{
    sample *merged = NB_ARENA_ARRAY(memory, sample, s->n_samples + n_more);
    int64_t i = 0, j = 0, n = 0;
    int64_t spread_a = (int64_t)(2 * error * (double)s->n_summarised),
            spread_b = (int64_t)(2 * error * (double)n_values);

    if (merged == NULL) {
        return NB_NOMEM;
    }
    while (i < s->n_samples || j < n_more) {
        bool left = j == n_more || (i < s->n_samples &&
                                    compare_doubles(&s->samples[i].value, &more[j].value) <= 0);
        sample x = left ? s->samples[i++] : more[j++];
        /* Between two samples of the other summary the rank is unsure by that one's spread. */
        bool inside = left ? j > 0 && j < n_more : i > 0 && i < s->n_samples;
        x.delta += inside ? (left ? spread_b : spread_a) : 0;
        merged[n++] = x;
    }
    s->samples = merged;
    s->n_samples = n;
    s->n_summarised += n_values;
    compress(s, error);
    return NB_OK;
}

static nb_status
summarise(nb_arena *memory, quantile_state *s, double error)
{
    sample *more = NB_ARENA_ARRAY(memory, sample, NB_MAX(s->n, 1));

    if (more == NULL) {
        return NB_NOMEM;
    }
    qsort(s->x, (size_t)s->n, sizeof *s->x, compare_doubles);
    quantile_state part = {.samples = more, .n_samples = s->n, .n_summarised = s->n};
    for (int64_t i = 0; i < s->n; i++) {
        more[i] = (sample){s->x[i], 1, 0};
    }
    compress(&part, error);
    NB_TRY(fold(memory, s, part.samples, part.n_samples, s->n, error));
    s->n = 0;
    return NB_OK;
}

static double
summary_value(const quantile_state *s, double p, double error)
{
    int64_t rank = (int64_t)ceil(p * (double)s->n_summarised), target = 0, low = 0;

    if (p <= error) {
        return s->samples[0].value;
    }
    if (p >= 1 - error) {
        return s->samples[s->n_samples - 1].value;
    }
    for (int64_t i = 0; i < s->n_samples; i++) {
        target = NB_MAX(target, s->samples[i].g + s->samples[i].delta);
    }
    target /= 2;
    for (int64_t i = 0; i < s->n_samples; i++) {
        low += s->samples[i].g;
        if (low + s->samples[i].delta - target <= rank && rank <= low + target) {
            return s->samples[i].value;
        }
    }
    return s->samples[s->n_samples - 1].value;
}

/* ---- loops -------------------------------------------------------------------------------------------------------------------------- */

NB_INLINE nb_status
bounded(nb_agg_ctx *ctx, quantile_state *s)
{
    const quantile_payload *p = ctx->payload;

    return NB_UNLIKELY(s->n >= SUMMARY_VALUES && p->error > 0) ? summarise(ctx->memory, s, p->error)
                                                               : NB_OK;
}

static nb_status
quantile_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
                int64_t row0)
{
    for (int64_t i = 0; i < n; i++) {
        quantile_state *s = (quantile_state *)(rows[i] + offset);
        NB_TRY(put(ctx, args, i, s));
        NB_TRY(bounded(ctx, s));
    }
    return NB_OK;
}

static nb_status
quantile_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(put(ctx, args, i, state));
    }
    return bounded(ctx, state);
}

static nb_status
merge_states(nb_agg_ctx *ctx, quantile_state *a, const quantile_state *b)
{
    const quantile_payload *p = ctx->payload;

    if (b->n_samples) {
        NB_TRY(fold(ctx->memory, a, b->samples, b->n_samples, b->n_summarised, p->error));
    }
    if (a->n + b->n > a->cap) {
        NB_TRY(grow(ctx->memory, a, a->n + b->n, b->counts != NULL));
    }
    if (b->n) {
        memcpy(a->x + a->n, b->x, (size_t)b->n * sizeof *b->x);
        for (int64_t i = 0; a->counts && i < b->n; i++) {
            a->counts[a->n + i] = b->counts ? b->counts[i] : 1;
        }
        a->n += b->n;
    }
    return bounded(ctx, a);
}

static nb_status
quantile_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(merge_states(ctx, (quantile_state *)(into[i] + offset),
                            (const quantile_state *)(from[i] + offset)));
    }
    return NB_OK;
}

static nb_status
quantile_serialize(nb_agg_ctx *ctx, const void *state, nb_strbuf *out)
{
    const quantile_state *s = state;
    int64_t head[4] = {s->n, s->n_samples, s->n_summarised, s->counts != NULL};

    nb_agg_put(out, head, sizeof head);
    nb_agg_put(out, s->x, (size_t)s->n * sizeof *s->x);
    if (s->counts) {
        nb_agg_put(out, s->counts, (size_t)s->n * sizeof *s->counts);
    }
    nb_agg_put(out, s->samples, (size_t)s->n_samples * sizeof *s->samples);
    return out->failed ? NB_NOMEM : NB_OK;
}

static nb_status
quantile_deserialize(nb_agg_ctx *ctx, nb_str bytes, void *state)
{
    quantile_state *s = state;
    int64_t head[4];

    *s = (quantile_state){0};
    if (!nb_agg_take(&bytes, head, sizeof head) || head[0] < 0 || head[1] < 0 ||
        (uint64_t)head[0] > bytes.len / 8 || (uint64_t)head[1] > bytes.len / sizeof(sample)) {
        return nb_raise_internal(ctx->err, "a serialised aggregate state is cut off");
    }
    if (head[0]) {
        NB_TRY(grow(ctx->memory, s, head[0], head[3] != 0));
    }
    s->samples = NB_ARENA_ARRAY(ctx->memory, sample, NB_MAX(head[1], 1));
    if (s->samples == NULL) {
        return NB_NOMEM;
    }
    if (!nb_agg_take(&bytes, s->x, (size_t)head[0] * 8) ||
        (head[3] && head[0] && !nb_agg_take(&bytes, s->counts, (size_t)head[0] * 8)) ||
        !nb_agg_take(&bytes, s->samples, (size_t)head[1] * sizeof(sample))) {
        return nb_raise_internal(ctx->err, "a serialised aggregate state is cut off");
    }
    s->n = head[0];
    s->n_samples = head[1];
    s->n_summarised = head[2];
    return NB_OK;
}

/* ---- results ------------------------------------------------------------------------------------------------------------------------ */

/* Moves NaN behind the numbers; how many these are. */
static int64_t
numbers_first(double *x, int64_t n)
{
    for (int64_t i = 0; i < n;) {
        if (isnan(x[i])) {
            double last = x[--n];
            x[n] = x[i];
            x[i] = last;
        } else {
            i++;
        }
    }
    return n;
}

static void
sort_few(double *x, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        double v = x[i];
        int64_t k = i;

        for (; k > 0 && v < x[k - 1]; k--) {
            x[k] = x[k - 1];
        }
        x[k] = v;
    }
}

/* Brings number k of n values (none NaN) in order to its place, what is less before it and what is greater behind it. */
static void
select_rank(double *x, int64_t n, int64_t k)
{
    int64_t low = 0, high = n, steps = 8 * n + 64;

    while (high - low > SELECT_FEW) {
        double a = x[low], b = x[low + (high - low) / 2], c = x[high - 1];
        double pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
        int64_t i = low, j = high - 1;

        steps -= high - low;
        if (steps < 0) { /* pivots were bad again and again */
            qsort(x + low, (size_t)(high - low), sizeof *x, compare_doubles);
            return;
        }
        while (i <= j) {
            while (x[i] < pivot) {
                i++;
            }
            while (pivot < x[j]) {
                j--;
            }
            if (i <= j) {
                double t = x[i];
                x[i++] = x[j];
                x[j--] = t;
            }
        }
        if (k <= j) {
            high = j + 1;
        } else if (k >= i) {
            low = i;
        } else {
            return;
        }
    }
    sort_few(x + low, high - low);
}

/* The values of a state, of which some are asked for by their rank. */
typedef struct ranks {
    double *x;
    int64_t n, n_numbers;
    bool sorted;
    const weighted *w; /* sorted; NULL: each value once */
} ranks;

/* Value number k (from 0). */
static double
value_at(const ranks *r, int64_t k)
{
    const weighted *w = r->w;

    if (w == NULL) {
        if (!r->sorted && k < r->n_numbers) {
            select_rank(r->x, r->n_numbers, k);
        }
        return r->x[k];
    }
    for (int64_t i = 0; i < r->n; i++) {
        if (k < w[i].count) {
            return w[i].x;
        }
        k -= w[i].count;
    }
    return w[r->n - 1].x;
}

/* Value number k + 1, after number k was asked for. */
static double
value_behind(const ranks *r, int64_t k)
{
    double least;

    if (r->w != NULL || r->sorted || k + 1 >= r->n_numbers) {
        return value_at(r, k + 1);
    }
    least = r->x[k + 1];
    for (int64_t i = k + 2; i < r->n_numbers; i++) {
        least = r->x[i] < least ? r->x[i] : least;
    }
    return least;
}

static double
exact(const ranks *r, int64_t total, const quantile_payload *p, double at)
{
    double q = p->reverse ? 1 - at : at;

    if (p->disc) {
        int64_t k = (int64_t)ceil(at * (double)total) - 1;
        k = NB_MAX(k, 0);
        return value_at(r, p->reverse ? total - 1 - k : k);
    }
    double position = (double)(total - 1) * q, lower = floor(position), higher = ceil(position);
    double a = value_at(r, (int64_t)lower);
    if (lower == higher) {
        return a;
    }
    double b = value_behind(r, (int64_t)lower);
    return a == b ? a : (higher - position) * a + (position - lower) * b;
}

/* Writes a double back as the input's type. */
static void
put_value(nb_vector *out, int64_t i, double x)
{
    switch (out->type->phys) {
    case NB_PHYS_INT8: NB_DATA(int8_t, out)[i] = (int8_t)x; break;
    case NB_PHYS_INT16: NB_DATA(int16_t, out)[i] = (int16_t)x; break;
    case NB_PHYS_INT32: NB_DATA(int32_t, out)[i] = (int32_t)x; break;
    case NB_PHYS_INT64:
        NB_DATA(int64_t, out)[i] = x >= 9223372036854775807.0 ? INT64_MAX : (int64_t)x;
        break;
    case NB_PHYS_INT128: NB_DATA(nb_int128, out)[i] = (nb_int128)x; break;
    case NB_PHYS_FLOAT: NB_DATA(float, out)[i] = (float)x; break;
    default: NB_DATA(double, out)[i] = x;
    }
}

static nb_status
quantile_row(nb_agg_ctx *ctx, quantile_state *s, nb_vector *values, int64_t at)
{
    const quantile_payload *p = ctx->payload;
    ranks r = {.x = s->x, .n = s->n};
    weighted *w = NULL;
    int64_t total = s->n;

    if (s->n_samples) {
        if (s->n) {
            NB_TRY(summarise(ctx->memory, s, p->error));
        }
        for (int k = 0; k < p->n_p; k++) {
            put_value(values, at + k, summary_value(s, p->p[k], p->error));
        }
        return NB_OK;
    }
    if (s->counts) {
        w = NB_ARENA_ARRAY(ctx->scratch, weighted, s->n);
        if (w == NULL) {
            return NB_NOMEM;
        }
        total = 0;
        for (int64_t i = 0; i < s->n; i++) {
            w[i] = (weighted){s->x[i], s->counts[i]};
            total += s->counts[i];
        }
        qsort(w, (size_t)s->n, sizeof *w, compare_weighted);
        r.w = w;
    } else if (p->n_p > SELECT_FEW) {
        qsort(s->x, (size_t)s->n, sizeof *s->x, compare_doubles);
        r.sorted = true;
    } else {
        r.n_numbers = numbers_first(s->x, s->n);
    }
    for (int k = 0; k < p->n_p; k++) {
        put_value(values, at + k, exact(&r, total, p, p->p[k]));
    }
    return NB_OK;
}

static nb_status
quantile_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    const quantile_payload *p = ctx->payload;
    nb_vector *values = out;

    if (p->as_array) {
        values = &out->children[0];
        NB_TRY(nb_vector_alloc(ctx->scratch, out->type->children[0].type, n * p->n_p, values));
    }
    for (int64_t i = 0; i < n; i++) {
        quantile_state *s = (quantile_state *)(rows[i] + offset);
        int64_t at = p->as_array ? i * p->n_p : i;
        if (p->as_array) {
            NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)at, (uint32_t)p->n_p};
        }
        if (s->n == 0 && s->n_samples == 0) {
            NB_TRY(nb_agg_set_null(ctx, out, i));
            if (p->as_array) {
                NB_DATA(nb_list, out)[i] = (nb_list){0, 0};
                memset((char *)values->data + at * nb_phys_width(values->type->phys), 0,
                       (size_t)(p->n_p * nb_phys_width(values->type->phys)));
            }
            continue;
        }
        NB_TRY(quantile_row(ctx, s, values, at));
    }
    return NB_OK;
}

/* java.util.Random.nextDouble(), for ties. */
static double
next_double(uint64_t *seed)
{
    uint64_t high, low;

    *seed = (*seed * 0x5DEECE66D + 0xB) & (((uint64_t)1 << 48) - 1);
    high = *seed >> 22;
    *seed = (*seed * 0x5DEECE66D + 0xB) & (((uint64_t)1 << 48) - 1);
    low = *seed >> 21;
    return (double)((high << 27) + low) * 0x1.0p-53;
}

/* Bins as in Hive's NumericHistogram: one per value, and the two closest are joined while there are too many; of several pairs
 * equally close, a pseudo-random one. */
static nb_status
histogram_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    const quantile_payload *p = ctx->payload;
    weighted *bins = NB_ARENA_ARRAY(ctx->scratch, weighted, p->bins + 1);
    nb_vector *st = &out->children[0];
    int64_t total = 0;

    if (bins == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_vector_alloc(ctx->scratch, out->type->children[0].type, n * p->bins, st));
    for (int64_t i = 0; i < n; i++) {
        quantile_state *s = (quantile_state *)(rows[i] + offset);
        int used = 0;
        uint64_t seed = 31183 ^ 0x5DEECE66D;
        if (s->n == 0) {
            NB_TRY(nb_agg_set_null(ctx, out, i));
            NB_DATA(nb_list, out)[i] = (nb_list){0, 0};
            continue;
        }
        for (int64_t k = 0; k < s->n; k++) {
            int at = 0;
            while (at < used && bins[at].x < s->x[k]) {
                at++;
            }
            if (at < used && bins[at].x == s->x[k]) {
                bins[at].count++;
                continue;
            }
            memmove(bins + at + 1, bins + at, (size_t)(used - at) * sizeof *bins);
            bins[at] = (weighted){s->x[k], 1};
            if (++used <= p->bins) {
                continue;
            }
            double least = bins[1].x - bins[0].x;
            int near = 0, ties = 1;
            for (int b = 1; b + 1 < used; b++) {
                double gap = bins[b + 1].x - bins[b].x;
                if (gap < least) {
                    least = gap;
                    near = b;
                    ties = 1;
                } else if (gap == least && next_double(&seed) <= 1.0 / ++ties) {
                    near = b;
                }
            }
            double d = (double)(bins[near].count + bins[near + 1].count);
            bins[near].x = bins[near].x * ((double)bins[near].count / d) +
                           bins[near + 1].x * ((double)bins[near + 1].count / d);
            bins[near].count += bins[near + 1].count;
            memmove(bins + near + 1, bins + near + 2, (size_t)(used - near - 2) * sizeof *bins);
            used--;
        }
        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)total, (uint32_t)used};
        for (int b = 0; b < used; b++, total++) {
            put_value(&st->children[0], total, bins[b].x);
            NB_DATA(double, &st->children[1])[total] = (double)bins[b].count;
        }
    }
    st->n_rows = st->children[0].n_rows = st->children[1].n_rows = (int32_t)total;
    return NB_OK;
}

#define QUANTILE_OPS(fin)                  \
    {.state_size = sizeof(quantile_state), \
     .state_align = 8,                     \
     .update = quantile_update,            \
     .update_one = quantile_update_one,    \
     .merge = quantile_merge,              \
     .finalize = fin,                      \
     .serialize = quantile_serialize,      \
     .deserialize = quantile_deserialize}
static const nb_agg_ops quantile_ops = QUANTILE_OPS(quantile_finalize);
static const nb_agg_ops histogram_ops = QUANTILE_OPS(histogram_finalize);

/* ---- binders ------------------------------------------------------------------------------------------------------------------------ */

static nb_status
out_of_range(nb_bound_call *call, const char *what, const char *range, const char *value,
             nb_error *err)
{
    const char *sql = nb_bind_call_sql(call);

    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE, "sqlExpr",
                    nb_arena_printf(call->arena, "\"%s\"", sql), "exprName", what, "valueRange",
                    range, "currentValue", value, NULL);
}

static nb_status
is_null(nb_bound_call *call, const char *what, nb_error *err)
{
    const char *sql = nb_bind_call_sql(call);

    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_UNEXPECTED_NULL, "exprName", what, "sqlExpr",
                    nb_arena_printf(call->arena, "\"%s\"", sql), NULL);
}

/* The percentage argument: a constant double or array of doubles. */
static nb_status
percentages(nb_bound_call *call, int arg, quantile_payload *p, nb_error *err)
{
    const nb_type *dbl = nb_type_of(NB_TYPE_FLOAT64);
    const nb_vector *v;

    p->as_array = call->args[arg]->type->id == NB_TYPE_ARRAY;
    NB_TRY(nb_bind_cast(
        call, arg, p->as_array ? nb_type_array(dbl, call->args[arg]->type->contains_null) : dbl,
        err));
    NB_TRY(nb_bind_constant(call, arg, &v, err));
    if (v == NULL) {
        return nb_bind_not_foldable(call, arg, "`percentage`",
                                    p->as_array ? "\"ARRAY<DOUBLE>\"" : "\"DOUBLE\"", err);
    }
    if (nb_vector_is_null(v, 0)) {
        return is_null(call, "percentage", err);
    }
    const nb_vector *items = v;
    int64_t from = 0, n = 1;
    if (p->as_array) {
        items = &v->children[0];
        from = NB_DATA(nb_list, v)[0].offset;
        n = NB_DATA(nb_list, v)[0].len;
    }
    p->p = NB_ARENA_ARRAY(call->arena, double, NB_MAX(n, 1));
    if (p->p == NULL) {
        return NB_NOMEM;
    }
    p->n_p = (int)n;
    for (int64_t i = 0; i < n; i++) {
        if (nb_vector_is_null(items, from + i)) {
            return is_null(call, "percentage", err);
        }
        p->p[i] = NB_DATA(double, items)[nb_vector_slot(items, from + i)];
        if (!(p->p[i] >= 0 && p->p[i] <= 1)) {
            return out_of_range(call, "percentage", "[0.0, 1.0]",
                                nb_arena_printf(call->arena, "%gD", p->p[i]), err);
        }
    }
    return NB_OK;
}

static nb_status
new_payload(nb_bound_agg *agg, quantile_payload **out)
{
    *out = NB_ARENA_NEW(agg->call.arena, quantile_payload);
    if (*out == NULL) {
        return NB_NOMEM;
    }
    agg->call.payload = *out;
    agg->call.nullable = true;
    return NB_OK;
}

/* Numbers become doubles; intervals stay, and so does the result's type. */
static nb_status
interpolated(nb_bound_agg *agg, quantile_payload *p, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    const nb_type *t = call->args[0]->type, *one = nb_type_of(NB_TYPE_FLOAT64);

    if (t->id == NB_TYPE_INTERVAL_YM || t->id == NB_TYPE_INTERVAL_DT) {
        one = nb_type_of(t->id);
    } else {
        NB_TRY(nb_bind_cast(call, 0, one, err));
    }
    call->type = p->as_array ? nb_type_array(one, false) : one;
    agg->ops = &quantile_ops;
    return call->type ? NB_OK : NB_NOMEM;
}

/* percentile(value, percentage[, frequency]) */
nb_status
nb_agg_bind_percentile(nb_bound_agg *agg, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    quantile_payload *p;

    NB_TRY(new_payload(agg, &p));
    NB_TRY(percentages(call, 1, p, err));
    if (call->n_args == 3) {
        NB_TRY(nb_bind_cast(call, 2, nb_type_of(NB_TYPE_INT64), err));
        p->counted = true;
    }
    return interpolated(agg, p, err);
}

/* percentile_cont(value, percentage[, descending]): the analyzer makes these calls from WITHIN GROUP (ORDER BY value). */
static nb_status
bind_within_group(nb_bound_agg *agg, bool disc, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    quantile_payload *p;

    NB_TRY(new_payload(agg, &p));
    NB_TRY(percentages(call, 1, p, err));
    p->disc = disc;
    if (call->n_args == 3) {
        const nb_vector *v;
        NB_TRY(nb_bind_cast(call, 2, nb_type_of(NB_TYPE_BOOL), err));
        NB_TRY(nb_bind_constant(call, 2, &v, err));
        p->reverse = v && !nb_vector_is_null(v, 0) && NB_DATA(uint8_t, v)[0];
    }
    return interpolated(agg, p, err);
}

nb_status
nb_agg_bind_percentile_cont(nb_bound_agg *agg, nb_error *err)
{
    return bind_within_group(agg, false, err);
}

nb_status
nb_agg_bind_percentile_disc(nb_bound_agg *agg, nb_error *err)
{
    return bind_within_group(agg, true, err);
}

nb_status
nb_agg_bind_median(nb_bound_agg *agg, nb_error *err)
{
    quantile_payload *p;

    NB_TRY(new_payload(agg, &p));
    p->p = NB_ARENA_NEW(agg->call.arena, double);
    if (p->p == NULL) {
        return NB_NOMEM;
    }
    p->p[0] = 0.5;
    p->n_p = 1;
    return interpolated(agg, p, err);
}

/* approx_percentile(value, percentage[, accuracy]) */
nb_status
nb_agg_bind_approx_percentile(nb_bound_agg *agg, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    quantile_payload *p;
    int64_t accuracy = 10000;

    NB_TRY(new_payload(agg, &p));
    NB_TRY(percentages(call, 1, p, err));
    if (call->n_args == 3) {
        const nb_vector *v;
        NB_TRY(nb_bind_cast(call, 2, nb_type_of(NB_TYPE_INT64), err));
        NB_TRY(nb_bind_constant(call, 2, &v, err));
        if (v == NULL) {
            return nb_bind_not_foldable(call, 2, "`accuracy`", "\"BIGINT\"", err);
        }
        if (nb_vector_is_null(v, 0)) {
            return is_null(call, "accuracy", err);
        }
        accuracy = NB_DATA(int64_t, v)[0];
        if (accuracy <= 0 || accuracy > INT32_MAX) {
            return out_of_range(call, "accuracy", "(0, 2147483647]",
                                nb_arena_printf(call->arena, "%lldL", (long long)accuracy), err);
        }
    }
    p->error = 1.0 / (double)accuracy;
    p->disc = true; /* a value that occurs, never one between two */
    const nb_type *t = call->args[0]->type;
    bool numeric = nb_type_is_numeric(t) || t->id == NB_TYPE_DATE || t->id == NB_TYPE_TIMESTAMP ||
                   t->id == NB_TYPE_TIMESTAMP_NTZ || t->id == NB_TYPE_INTERVAL_YM ||
                   t->id == NB_TYPE_INTERVAL_DT;
    if (!numeric) {
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_FLOAT64), err));
        t = call->args[0]->type;
    }
    call->type = p->as_array ? nb_type_array(t, false) : t;
    agg->ops = &quantile_ops;
    return call->type ? NB_OK : NB_NOMEM;
}

/* histogram_numeric(value, bins) */
nb_status
nb_agg_bind_histogram_numeric(nb_bound_agg *agg, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    quantile_payload *p;
    const nb_vector *v;

    NB_TRY(new_payload(agg, &p));
    NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    NB_TRY(nb_bind_constant(call, 1, &v, err));
    if (v == NULL || nb_vector_is_null(v, 0)) {
        return nb_bind_mismatch(call, 1, "foldable \"INT\"", err);
    }
    p->bins = NB_DATA(int32_t, v)[0];
    if (p->bins < 2 || p->bins > 100000) {
        return out_of_range(call, "histogram", "[2, 100000]",
                            nb_arena_printf(call->arena, "%d", p->bins), err);
    }
    if (!nb_type_is_numeric(call->args[0]->type) || call->args[0]->type->id == NB_TYPE_DECIMAL) {
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_FLOAT64), err));
    }
    nb_field fields[2] = {
        {.name = NB_STR("x"), .type = call->args[0]->type, .nullable = true},
        {.name = NB_STR("y"), .type = nb_type_of(NB_TYPE_FLOAT64), .nullable = true}};
    const nb_type *st = nb_type_struct(fields, 2);
    call->type = st ? nb_type_array(st, true) : NULL;
    agg->ops = &histogram_ops;
    return call->type ? NB_OK : NB_NOMEM;
}
