/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bounds.c: see bounds.h.
 */
#include "io/parquet/bounds.h"

#include <math.h>

#define BOUND_BYTES 64

/* ---- gathering ------------------------------------------------------------------------------- */

/* The loops only compare, so that they vectorise. */
#define EXTREMES(T)                              \
    do {                                         \
        const T *v = values;                     \
        T least = v[0], most = v[0];             \
        for (int64_t i = 1; i < n; i++) {        \
            least = v[i] < least ? v[i] : least; \
            most = v[i] > most ? v[i] : most;    \
        }                                        \
        low = least;                             \
        high = most;                             \
    } while (0)

#define REAL_EXTREMES(T)                         \
    do {                                         \
        const T *v = values;                     \
        T least = INFINITY, most = -INFINITY;    \
        for (int64_t i = 0; i < n; i++) {        \
            least = v[i] < least ? v[i] : least; \
            most = v[i] > most ? v[i] : most;    \
        }                                        \
        low_real = (double)least;                \
        high_real = (double)most;                \
    } while (0)

NB_SIMD_CLONES static void
ints(const void *values, int64_t n, nb_int128 *out_low, nb_int128 *out_high)
{
    int32_t low, high;

    EXTREMES(int32_t);
    *out_low = low;
    *out_high = high;
}

NB_SIMD_CLONES static void
longs(const void *values, int64_t n, nb_int128 *out_low, nb_int128 *out_high)
{
    int64_t low, high;

    EXTREMES(int64_t);
    *out_low = low;
    *out_high = high;
}

/* Only NaN: the bounds are crossed, and do not count. Infinities alone look crossed neither way. */
static void
reals(nb_pq_bounds *b, const void *values, int64_t n, bool single)
{
    double low_real, high_real;

    if (single) {
        REAL_EXTREMES(float);
    } else {
        REAL_EXTREMES(double);
    }
    if (low_real > high_real) {
        return;
    }
    b->low_real = b->has ? fmin(b->low_real, low_real) : low_real;
    b->high_real = b->has ? fmax(b->high_real, high_real) : high_real;
    b->has = true;
}

void
nb_pq_bounds_numbers(nb_pq_bounds *b, const nb_pq_out_leaf *leaf, const void *values, int64_t n)
{
    nb_int128 low, high;

    if (n == 0) {
        return;
    }
    switch (leaf->form) {
    case NB_PQ_BITS: EXTREMES(uint8_t); break;
    case NB_PQ_INTS: ints(values, n, &low, &high); break;
    case NB_PQ_LONGS: longs(values, n, &low, &high); break;
    case NB_PQ_WIDES: EXTREMES(nb_int128); break;
    default: reals(b, values, n, leaf->form == NB_PQ_FLOATS); return;
    }
    b->low = b->has ? NB_MIN(b->low, low) : low;
    b->high = b->has ? NB_MAX(b->high, high) : high;
    b->has = true;
}

static nb_status
keep(nb_pool *pool, nb_pq_bytes *to, nb_str s)
{
    to->len = 0;
    return nb_pq_bytes_add(pool, to, s.data, s.len) ? NB_OK : NB_NOMEM;
}

static nb_str
bytes_of(const nb_pq_bytes *b)
{
    return (nb_str){b->data ? (const char *)b->data : "", b->len};
}

nb_status
nb_pq_bounds_strings(nb_pool *pool, nb_pq_bounds *b, const nb_view *values, int64_t n)
{
    const nb_view *low = values, *high = values;

    if (n == 0) {
        return NB_OK;
    }
    for (int64_t i = 1; i < n; i++) {
        if (nb_view_compare(&values[i], low) < 0) {
            low = &values[i];
        } else if (nb_view_compare(&values[i], high) > 0) {
            high = &values[i];
        }
    }
    if (!b->has || nb_str_compare(nb_view_str(low), bytes_of(&b->low_bytes)) < 0) {
        NB_TRY(keep(pool, &b->low_bytes, nb_view_str(low)));
    }
    if (!b->has || nb_str_compare(nb_view_str(high), bytes_of(&b->high_bytes)) > 0) {
        NB_TRY(keep(pool, &b->high_bytes, nb_view_str(high)));
    }
    b->has = true;
    return NB_OK;
}

nb_status
nb_pq_bounds_merge(nb_pool *pool, nb_pq_bounds *of, const nb_pq_bounds *add)
{
    nb_str low = bytes_of(&add->low_bytes), high = bytes_of(&add->high_bytes);

    if (!add->has) {
        return NB_OK;
    }
    if (!of->has || nb_str_compare(low, bytes_of(&of->low_bytes)) < 0) {
        NB_TRY(keep(pool, &of->low_bytes, low));
    }
    if (!of->has || nb_str_compare(high, bytes_of(&of->high_bytes)) > 0) {
        NB_TRY(keep(pool, &of->high_bytes, high));
    }
    of->low = of->has ? NB_MIN(of->low, add->low) : add->low;
    of->high = of->has ? NB_MAX(of->high, add->high) : add->high;
    of->low_real = of->has ? fmin(of->low_real, add->low_real) : add->low_real;
    of->high_real = of->has ? fmax(of->high_real, add->high_real) : add->high_real;
    of->has = true;
    return NB_OK;
}

static int
compare(const nb_pq_out_leaf *leaf, nb_int128 a, nb_int128 b, double x, double y,
        const nb_pq_bytes *s, const nb_pq_bytes *t)
{
    switch (leaf->form) {
    case NB_PQ_STRINGS: return nb_str_compare(bytes_of(s), bytes_of(t));
    case NB_PQ_FLOATS:
    case NB_PQ_DOUBLES: return (x > y) - (x < y);
    default: return (a > b) - (a < b);
    }
}

int
nb_pq_bounds_compare_low(const nb_pq_bounds *a, const nb_pq_bounds *b, const nb_pq_out_leaf *leaf)
{
    return compare(leaf, a->low, b->low, a->low_real, b->low_real, &a->low_bytes, &b->low_bytes);
}

int
nb_pq_bounds_compare_high(const nb_pq_bounds *a, const nb_pq_bounds *b, const nb_pq_out_leaf *leaf)
{
    return compare(leaf, a->high, b->high, a->high_real, b->high_real, &a->high_bytes,
                   &b->high_bytes);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Where the last character that ends within n bytes ends; of bytes, n. */
static size_t
cut_at(nb_str s, size_t n, bool is_text)
{
    while (is_text && n > 0 && ((uint8_t)s.data[n] & 0xc0) == 0x80) {
        n--;
    }
    return n;
}

/* The least string that is greater than all which begin with s: its last byte or character goes up by one, in place. Its new length, 0: there is none. */
static size_t
next_prefix(uint8_t *s, size_t n, bool is_text)
{
    while (n > 0) {
        uint8_t *last = &s[n - 1];
        if (!is_text) {
            if (*last != 0xff) {
                ++*last;
                return n;
            }
            n--;
            continue;
        }
        /* a character is raised within its own length; where that cannot be, the one before it */
        if (*last < 0x7f || (*last >= 0x80 && *last < 0xbf)) {
            ++*last;
            return n;
        }
        while (n > 1 && (s[n - 1] & 0xc0) == 0x80) {
            n--;
        }
        n--;
    }
    return 0;
}

static nb_status
string_bound(nb_arena *arena, nb_str s, bool is_text, bool high, nb_pq_bound *out)
{
    size_t n = s.len <= BOUND_BYTES ? s.len : cut_at(s, BOUND_BYTES, is_text);
    nb_str copy;

    out->exact = n == s.len;
    copy = nb_arena_str(arena, (nb_str){s.data, n});
    if (!copy.data) {
        return NB_NOMEM;
    }
    if (!out->exact && high) {
        copy.len = next_prefix((uint8_t *)copy.data, n, is_text);
        if (copy.len == 0) {
            copy.data = NULL;
        }
    }
    out->bytes = copy;
    return NB_OK;
}

static nb_status
number_bound(nb_arena *arena, const nb_pq_out_leaf *leaf, nb_int128 v, double real,
             nb_pq_bound *out)
{
    uint8_t bytes[16];
    float single = (float)real;

    switch (leaf->form) {
    case NB_PQ_FLOATS: memcpy(bytes, &single, 4); break;
    case NB_PQ_DOUBLES: memcpy(bytes, &real, 8); break;
    case NB_PQ_WIDES:
        for (int i = 0; i < leaf->width; i++) {
            bytes[leaf->width - 1 - i] = (uint8_t)((nb_uint128)v >> (8 * i));
        }
        break;
    default: memcpy(bytes, &v, 8); break; /* the low bytes come first */
    }
    out->exact = true;
    out->bytes = nb_arena_str(arena, (nb_str){(char *)bytes, (size_t)leaf->width});
    return out->bytes.data ? NB_OK : NB_NOMEM;
}

nb_status
nb_pq_bounds_low(nb_arena *arena, const nb_pq_bounds *b, const nb_pq_out_leaf *leaf,
                 nb_pq_bound *out)
{
    *out = (nb_pq_bound){0};
    if (!b->has) {
        return NB_OK;
    }
    return leaf->form == NB_PQ_STRINGS
               ? string_bound(arena, bytes_of(&b->low_bytes), leaf->is_text, false, out)
               : number_bound(arena, leaf, b->low, b->low_real == 0 ? -0.0 : b->low_real, out);
}

nb_status
nb_pq_bounds_high(nb_arena *arena, const nb_pq_bounds *b, const nb_pq_out_leaf *leaf,
                  nb_pq_bound *out)
{
    *out = (nb_pq_bound){0};
    if (!b->has) {
        return NB_OK;
    }
    return leaf->form == NB_PQ_STRINGS
               ? string_bound(arena, bytes_of(&b->high_bytes), leaf->is_text, true, out)
               : number_bound(arena, leaf, b->high, b->high_real == 0 ? 0.0 : b->high_real, out);
}

void
nb_pq_bounds_clear(nb_pq_bounds *b)
{
    b->has = false;
    b->low_bytes.len = b->high_bytes.len = 0;
}

void
nb_pq_bounds_free(nb_pool *pool, nb_pq_bounds *b)
{
    nb_pq_bytes_free(pool, &b->low_bytes);
    nb_pq_bytes_free(pool, &b->high_bytes);
}
