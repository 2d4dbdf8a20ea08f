/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg.h: what the files agg_*.c share: small helpers, and double-double accumulators.
 *
 * An aggregate of floating-point numbers must not depend on how rows are spread over threads. Sums are therefore kept as an unevaluated
 * pair hi + lo (about 106 bits): the error of each addition is computed exactly (Knuth's TwoSum) and added up in lo, so that any order
 * of additions and merges rounds to the same double in all but astronomically rare cases.
 */
#ifndef NB_EXPR_KERNELS_AGG_H
#define NB_EXPR_KERNELS_AGG_H

#include <math.h>
#include "expr/binders.h"

/* The value of row i of a FLAT or CONST vector lies at i * step. */
NB_INLINE int64_t
nb_agg_step(const nb_vector *v)
{
    return v->kind == NB_VEC_CONST ? 0 : 1;
}

/* Sets a row of a FLAT result to null. */
nb_status nb_agg_set_null(nb_agg_ctx *ctx, nb_vector *out, int64_t row);

/* Raises ARITHMETIC_OVERFLOW; `instead` is the function to recommend. */
nb_status nb_agg_overflow(nb_agg_ctx *ctx, const char *message, const char *instead);

/* The argument's type cannot be ordered or grouped (maps): raises. */
nb_status nb_agg_unorderable(nb_bound_agg *agg, int arg, nb_error *err);

typedef struct nb_dd {
    double hi, lo;
} nb_dd;

NB_INLINE void
nb_dd_add(nb_dd *s, double x)
{
    double a = s->hi, t = a + x, bb = t - a;
    s->lo += (a - (t - bb)) + (x - bb);
    s->hi = t;
}

NB_INLINE void
nb_dd_merge(nb_dd *into, const nb_dd *from)
{
    nb_dd_add(into, from->hi);
    into->lo += from->lo;
}

/* Adds x * y exactly (Dekker's product: no FMA needed). */
NB_INLINE void
nb_dd_add_product(nb_dd *s, double x, double y)
{
    double p = x * y, cx = 134217729.0 * x, cy = 134217729.0 * y;
    double xh = cx - (cx - x), xl = x - xh, yh = cy - (cy - y), yl = y - yh;
    double e = ((xh * yh - p) + xh * yl + xl * yh) + xl * yl;
    nb_dd_add(s, p);
    s->lo += e;
}

/* Infinities and NaN have no meaningful lo part. */
NB_INLINE double
nb_dd_value(const nb_dd *s)
{
    double r = s->hi + s->lo;
    return isfinite(s->hi) && !isnan(r) ? r : s->hi;
}

nb_dd nb_dd_normal(nb_dd a); /* |lo| <= ulp(hi)/2 */
nb_dd nb_dd_sum(nb_dd a, nb_dd b);
nb_dd nb_dd_neg(nb_dd a);
nb_dd nb_dd_mul(nb_dd a, nb_dd b);
nb_dd nb_dd_div(nb_dd a, double b);

/* Powers of ten up to 10^38. */
nb_int128 nb_agg_pow10(int n);

/* Serialises plain bytes of known length. */
NB_INLINE void
nb_agg_put(nb_strbuf *out, const void *p, size_t n)
{
    nb_strbuf_add(out, (nb_str){p, n});
}
/* Takes n bytes from the front; false when there are fewer. */
NB_INLINE bool
nb_agg_take(nb_str *in, void *p, size_t n)
{
    if (in->len < n) {
        return false;
    }
    if (n > 0) {
        memcpy(p, in->data, n);
    }
    in->data += n;
    in->len -= n;
    return true;
}

#endif
