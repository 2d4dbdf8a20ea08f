/* SPDX-License-Identifier: Apache-2.0 */
/*
 * divide_tmpl.h: quotient and remainder of one integer type. Define NB_T, NB_U (unsigned twin) and NB_NAME(f); all are undefined at the end.
 *
 * The loops write something for every row and return whether a divisor was 0 or a quotient overflowed. 64-bit division is several times
 * slower than 32-bit division on many processors, and most values are small.
 */
#ifdef NB_T

NB_INLINE NB_T
NB_NAME(quotient)(NB_T a, NB_T b)
{
    if (sizeof(NB_T) == 8 && (((uint64_t)a | (uint64_t)b) >> 32) == 0) {
        return (NB_T)((uint32_t)a / (uint32_t)b);
    }
    return a / b;
}

NB_INLINE bool
NB_NAME(divide_impl)(const NB_T *restrict a, int sa, const NB_T *restrict b, int sb,
                     NB_T *restrict out, int64_t n)
{
    bool bad = false;

    for (int64_t i = 0; i < n; i++) {
        NB_T x = a[i * sa], y = b[i * sb];

        bad |= y == 0;
        if (y == -1) { /* the one quotient that can overflow */
            out[i] = (NB_T)(0 - (NB_U)x);
            bad |= x == out[i] && x != 0;
        } else {
            out[i] = NB_NAME(quotient)(x, y == 0 ? 1 : y);
        }
    }
    return bad;
}

NB_INLINE bool
NB_NAME(mod_impl)(const NB_T *restrict a, int sa, const NB_T *restrict b, int sb,
                  NB_T *restrict out, int64_t n, bool positive)
{
    bool bad = false;

    for (int64_t i = 0; i < n; i++) {
        NB_T x = a[i * sa], y = b[i * sb], d = y == 0 || y == -1 ? 1 : y;
        NB_T r = (NB_T)(x - NB_NAME(quotient)(x, d) * d);

        bad |= y == 0;
        if (positive && r < 0) { /* as Spark: ((a % b) + b) % b, in the operand's type */
            r = (NB_T)((NB_T)((NB_U)r + (NB_U)d) % d);
        }
        out[i] = r;
    }
    return bad;
}

NB_UNUSED static bool
NB_NAME(divide_rows)(const void *a, bool a_const, const void *b, bool b_const, void *out, int64_t n)
{
    return a_const   ? NB_NAME(divide_impl)(a, 0, b, 1, out, n)
           : b_const ? NB_NAME(divide_impl)(a, 1, b, 0, out, n)
                     : NB_NAME(divide_impl)(a, 1, b, 1, out, n);
}

static bool
NB_NAME(mod_rows)(const void *a, bool a_const, const void *b, bool b_const, void *out, int64_t n,
                  bool positive)
{
    if (positive) {
        return NB_NAME(mod_impl)(a, !a_const, b, !b_const, out, n, true);
    }
    return a_const   ? NB_NAME(mod_impl)(a, 0, b, 1, out, n, false)
           : b_const ? NB_NAME(mod_impl)(a, 1, b, 0, out, n, false)
                     : NB_NAME(mod_impl)(a, 1, b, 1, out, n, false);
}

#undef NB_T
#undef NB_U
#undef NB_NAME
#endif
