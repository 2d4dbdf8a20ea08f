/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arith_tmpl.h: + - * over one number type. Define NB_T, NB_U (its unsigned twin, or itself for floats), NB_NAME(f), and NB_CHECK: 0 nothing
 * overflows (floats), 1 a wider type NB_WIDE holds every result, 2 neither (bigint). All are undefined at the end.
 *
 * The loops only OR a flag, so that they vectorise; which row it was is looked for afterwards.
 */
#ifdef NB_T

#if NB_CHECK == 1
#define NB_ARITH_LOOP(expr_wide)                             \
    NB_WIDE bad = 0;                                         \
    for (int64_t i = 0; i < n; i++) {                        \
        NB_WIDE x = a[i * sa], y = b[i * sb], w = expr_wide; \
        out[i] = (NB_T)w;                                    \
        bad |= w ^ (NB_WIDE)(NB_T)w;                         \
    }                                                        \
    return bad != 0
#endif

NB_INLINE bool
NB_NAME(add_impl)(const NB_T *restrict a, int sa, const NB_T *restrict b, int sb,
                  NB_T *restrict out, int64_t n)
{
#if NB_CHECK == 1
    NB_ARITH_LOOP(x + y);
#elif NB_CHECK == 2
    NB_T bad = 0;

    for (int64_t i = 0; i < n; i++) {
        NB_T x = a[i * sa], y = b[i * sb], r = (NB_T)((NB_U)x + (NB_U)y);

        out[i] = r;
        bad |= (x ^ r) & (y ^ r);
    }
    return bad < 0;
#else
    for (int64_t i = 0; i < n; i++) {
        out[i] = a[i * sa] + b[i * sb];
    }
    return false;
#endif
}

NB_INLINE bool
NB_NAME(sub_impl)(const NB_T *restrict a, int sa, const NB_T *restrict b, int sb,
                  NB_T *restrict out, int64_t n)
{
#if NB_CHECK == 1
    NB_ARITH_LOOP(x - y);
#elif NB_CHECK == 2
    NB_T bad = 0;

    for (int64_t i = 0; i < n; i++) {
        NB_T x = a[i * sa], y = b[i * sb], r = (NB_T)((NB_U)x - (NB_U)y);

        out[i] = r;
        bad |= (x ^ y) & (x ^ r);
    }
    return bad < 0;
#else
    for (int64_t i = 0; i < n; i++) {
        out[i] = a[i * sa] - b[i * sb];
    }
    return false;
#endif
}

NB_INLINE bool
NB_NAME(mul_impl)(const NB_T *restrict a, int sa, const NB_T *restrict b, int sb,
                  NB_T *restrict out, int64_t n)
{
#if NB_CHECK == 1
    NB_ARITH_LOOP(x * y);
#elif NB_CHECK == 2
    bool bad = false;

    for (int64_t i = 0; i < n; i++) {
        bad |= __builtin_mul_overflow(a[i * sa], b[i * sb], &out[i]);
    }
    return bad;
#else
    for (int64_t i = 0; i < n; i++) {
        out[i] = a[i * sa] * b[i * sb];
    }
    return false;
#endif
}

/* The wrappers decide which operand is constant; each calls its loop with literal strides. */
#define NB_ARITH_WRAPPER(op)                                                                       \
    static NB_NOINLINE NB_SIMD_CLONES bool NB_NAME(op##_rows)(const void *a, const void *b,        \
                                                              void *out, int64_t n)                \
    {                                                                                              \
        return NB_NAME(op##_impl)(a, 1, b, 1, out, n);                                             \
    }                                                                                              \
    static NB_NOINLINE NB_SIMD_CLONES bool NB_NAME(op##_const_left)(const void *a, const void *b,  \
                                                                    void *out, int64_t n)          \
    {                                                                                              \
        return NB_NAME(op##_impl)(a, 0, b, 1, out, n);                                             \
    }                                                                                              \
    static NB_NOINLINE NB_SIMD_CLONES bool NB_NAME(op##_const_right)(const void *a, const void *b, \
                                                                     void *out, int64_t n)         \
    {                                                                                              \
        return NB_NAME(op##_impl)(a, 1, b, 0, out, n);                                             \
    }

NB_ARITH_WRAPPER(add)
NB_ARITH_WRAPPER(sub)
NB_ARITH_WRAPPER(mul)

#undef NB_ARITH_WRAPPER
#undef NB_ARITH_LOOP
#undef NB_T
#undef NB_U
#undef NB_WIDE
#undef NB_CHECK
#undef NB_NAME
#endif
