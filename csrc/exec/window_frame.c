/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window_frame.c: which rows a window function sees.
 *
 * ROWS frames are arithmetic on positions. RANGE frames without offsets end at peer groups. RANGE frames with offsets compare the order column's
 * values: both bounds move monotonically through a partition, so two running indices find them in linear time; rows whose order
 * value is null form a peer group of their own.
 */
#include "exec/window_internal.h"

/* Order values as numbers that may be compared and shifted. */
typedef struct axis {
    bool is_float, descending;
    const nb_vector *v;             /* flat */
    const nb_vector *lower, *upper; /* bounds that are columns of their own; NULL: by offset */
} axis;

static nb_int128
value_at(const nb_vector *v, int64_t i)
{
    switch (nb_type_storage(v->type)->phys) {
    case NB_PHYS_INT8: return NB_DATA(int8_t, v)[i];
    case NB_PHYS_INT16: return NB_DATA(int16_t, v)[i];
    case NB_PHYS_INT32: return NB_DATA(int32_t, v)[i];
    case NB_PHYS_INT128: return NB_DATA(nb_int128, v)[i];
    default: return NB_DATA(int64_t, v)[i];
    }
}

static nb_int128
int_at(const axis *a, int64_t i)
{
    return value_at(a->v, i);
}

/* The value that a bound of row i's frame lies at. */
static nb_int128
bound_of(const axis *a, const nb_vector *bounds, int64_t i, int64_t offset)
{
    return bounds          ? value_at(bounds, i)
           : a->descending ? int_at(a, i) - offset
                           : int_at(a, i) + offset;
}

static double
float_at(const axis *a, int64_t i)
{
    return a->v->type->phys == NB_PHYS_FLOAT ? (double)NB_DATA(float, a->v)[i]
                                             : NB_DATA(double, a->v)[i];
}

/* The bound of row i's frame. Keys of 32 bits are added to as such: 0.0f + 1.1 reaches the key 1.1f. */
static double
float_bound(const axis *a, int64_t i, double offset)
{
    double x = float_at(a, i);

    if (a->v->type->id == NB_TYPE_FLOAT32) {
        return a->descending ? (float)x - (float)offset : (float)x + (float)offset;
    }
    return a->descending ? x - offset : x + offset;
}

/* Is value j before (value i + offset) in the direction of the order? */
static bool
is_before(const axis *a, int64_t j, int64_t i, int64_t off_int, double off_float)
{
    if (a->is_float) {
        double x = float_at(a, j), y = float_bound(a, i, off_float);
        bool x_nan = x != x, y_nan = y != y;
        if (x_nan || y_nan) { /* NaN is the greatest */
            return a->descending ? x_nan && !y_nan : !x_nan && y_nan;
        }
        return a->descending ? x > y : x < y;
    } else {
        nb_int128 x = int_at(a, j), y = bound_of(a, a->lower, i, off_int);
        return a->descending ? x > y : x < y;
    }
}

static bool
is_after(const axis *a, int64_t j, int64_t i, int64_t off_int, double off_float)
{
    if (a->is_float) {
        double x = float_at(a, j), y = float_bound(a, i, off_float);
        bool x_nan = x != x, y_nan = y != y;
        if (x_nan || y_nan) {
            return a->descending ? !x_nan && y_nan : x_nan && !y_nan;
        }
        return a->descending ? x < y : x > y;
    } else {
        nb_int128 x = int_at(a, j), y = bound_of(a, a->upper, i, off_int);
        return a->descending ? x < y : x > y;
    }
}

static int64_t
clamp(int64_t v, nb_window_part p)
{
    return v < p.from ? p.from : v > p.to ? p.to : v;
}

static int64_t
shift(int64_t at, int64_t by)
{
    int64_t out;

    return __builtin_add_overflow(at, by, &out) ? (by < 0 ? INT64_MIN / 2 : INT64_MAX / 2) : out;
}

static void
rows_frames(const nb_window_fn *fn, nb_window_part p, int64_t *lo, int64_t *hi)
{
    const nb_frame *f = fn->frame;

    for (int64_t at = p.from; at < p.to; at++) {
        int64_t l = f->lower == NB_BOUND_UNBOUNDED ? p.from
                    : f->lower == NB_BOUND_CURRENT ? at
                                                   : shift(at, fn->lower_int);
        int64_t h = f->upper == NB_BOUND_UNBOUNDED ? p.to
                    : f->upper == NB_BOUND_CURRENT ? at + 1
                                                   : shift(at, shift(fn->upper_int, 1));
        lo[at - p.from] = clamp(l, p);
        hi[at - p.from] = NB_MAX(clamp(h, p), lo[at - p.from]);
    }
}

/* First and last row (exclusive) of each row's peer group. */
static void
peers(const nb_window *w, nb_window_part p, int64_t *first, int64_t *last)
{
    int64_t group = p.from;

    for (int64_t at = p.from; at < p.to; at++) {
        if (at > p.from && (w->starts[at] & 2)) {
            for (int64_t k = group; k < at; k++) {
                last[k - p.from] = at;
            }
            group = at;
        }
        first[at - p.from] = group;
    }
    for (int64_t k = group; k < p.to; k++) {
        last[k - p.from] = p.to;
    }
}

static void
range_offsets(const nb_window_fn *fn, const axis *a, nb_window_part p, int64_t *lo, int64_t *hi)
{
    const nb_frame *f = fn->frame;
    int64_t n = p.to - p.from, first = 0, end = n, l, h;

    while (first < n && !nb_is_valid(a->v->validity, first)) {
        first++; /* nulls at the front */
    }
    while (end > first && !nb_is_valid(a->v->validity, end - 1)) {
        end--;
    }
    l = h = first;
    for (int64_t i = first; i < end; i++) {
        /* nulls are outside of every bound with an offset, inside of unbounded ones; lo and hi hold the peers so far */
        if (f->lower == NB_BOUND_OFFSET) {
            while (l < end && is_before(a, l, i, fn->lower_int, fn->lower_float)) {
                l++;
            }
            lo[i] = p.from + l;
        } else if (f->lower == NB_BOUND_UNBOUNDED) {
            lo[i] = p.from;
        }
        if (f->upper == NB_BOUND_OFFSET) {
            h = NB_MAX(h, first);
            while (h < end && !is_after(a, h, i, fn->upper_int, fn->upper_float)) {
                h++;
            }
            hi[i] = p.from + h;
        } else if (f->upper == NB_BOUND_UNBOUNDED) {
            hi[i] = p.to;
        }
        hi[i] = NB_MAX(hi[i], lo[i]);
    }
    for (int64_t i = 0; i < n;
         i++) { /* null order values: their peers, or beyond where unbounded */
        if (i >= first && i < end) {
            continue;
        }
        lo[i] = f->lower == NB_BOUND_UNBOUNDED ? p.from : lo[i];
        hi[i] = f->upper == NB_BOUND_UNBOUNDED ? p.to : hi[i];
    }
}

nb_status
nb_window_frames(const nb_window *w, const nb_window_fn *fn, nb_window_part p, nb_arena *arena,
                 int64_t *lo, int64_t *hi, nb_error *err)
{
    const nb_frame *f = fn->frame;

    (void)err;
    if (f->is_rows) {
        rows_frames(fn, p, lo, hi);
        return NB_OK;
    }
    peers(w, p, lo, hi);
    if (f->lower == NB_BOUND_OFFSET || f->upper == NB_BOUND_OFFSET) {
        const nb_sort_col *key = &w->keys[w->n_partition];
        nb_vector v, lower, upper;
        axis a = {.descending = key->descending, .v = &v};
        NB_TRY(nb_window_gather(w, &key->col, 1, p.from, p.to, arena, &v));
        if (fn->lower_at >= 0) {
            NB_TRY(nb_window_gather(w, &fn->lower_at, 1, p.from, p.to, arena, &lower));
            a.lower = &lower;
        }
        if (fn->upper_at >= 0) {
            NB_TRY(nb_window_gather(w, &fn->upper_at, 1, p.from, p.to, arena, &upper));
            a.upper = &upper;
        }
        a.is_float = v.type->phys == NB_PHYS_FLOAT || v.type->phys == NB_PHYS_DOUBLE;
        range_offsets(fn, &a, p, lo, hi);
        return NB_OK;
    }
    for (int64_t i = 0; i < p.to - p.from; i++) {
        lo[i] = f->lower == NB_BOUND_UNBOUNDED ? p.from : lo[i];
        hi[i] = f->upper == NB_BOUND_UNBOUNDED ? p.to : hi[i];
    }
    return NB_OK;
}
