/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_radix_tmpl.h: radix sorting of entries. Define NB_T, NB_NAME(f), NB_KEY(e) (a uint64_t), NB_LESS(a, b) (a strict order by
 * key, then row); all are undefined at the end.
 */

static void
NB_NAME(count)(const NB_T *in, size_t n, int shift, int64_t *counts)
{
    for (size_t i = 0; i < n; i++) {
        counts[(NB_KEY(in[i]) >> shift) & (MSD_BUCKETS - 1)]++;
    }
}

static void
NB_NAME(scatter)(const NB_T *in, size_t n, int shift, int64_t *at, NB_T *out)
{
    for (size_t i = 0; i < n; i++) {
        out[at[(NB_KEY(in[i]) >> shift) & (MSD_BUCKETS - 1)]++] = in[i];
    }
}

/* Sorts a (stable) by `bits` bits from low on; tmp has as much room. */
static void
NB_NAME(lsd)(NB_T *a, NB_T *tmp, size_t n, int low, int bits)
{
    NB_T *from = a, *to = tmp;

    if (n <= 32) {
        for (size_t i = 1; i < n; i++) {
            NB_T x = a[i];
            size_t k = i;

            for (; k > 0 && NB_LESS(x, a[k - 1]); k--) {
                a[k] = a[k - 1];
            }
            a[k] = x;
        }
        return;
    }
    for (int shift = low; shift < low + bits; shift += 8) {
        int width = NB_MIN(8, low + bits - shift);
        uint64_t mask = ((uint64_t)1 << width) - 1;
        size_t at[256] = {0}, sum = 0;
        bool all_same;

        for (size_t i = 0; i < n; i++) {
            at[(NB_KEY(from[i]) >> shift) & mask]++;
        }
        all_same = at[(NB_KEY(from[0]) >> shift) & mask] == n;
        if (all_same) {
            continue;
        }
        for (int d = 0; d < 256; d++) {
            size_t c = at[d];
            at[d] = sum;
            sum += c;
        }
        for (size_t i = 0; i < n; i++) {
            to[at[(NB_KEY(from[i]) >> shift) & mask]++] = from[i];
        }
        NB_T *swap = from;
        from = to;
        to = swap;
    }
    if (from != a) {
        memcpy(a, from, n * sizeof(NB_T));
    }
}

#undef NB_T
#undef NB_NAME
#undef NB_KEY
#undef NB_LESS
