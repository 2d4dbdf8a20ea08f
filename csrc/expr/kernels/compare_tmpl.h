/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare_tmpl.h: = < <= > >= over one type, rows with rows and rows with a constant. Define NB_T, NB_NAME(f) and NB_FLOATING (NaN equals NaN and
 * is above all else); all are undefined at the end.
 */
#ifdef NB_T

#if NB_FLOATING
#define NB_EQ(x, y) (((x) == (y)) | (((x) != (x)) & ((y) != (y))))
#define NB_LT(x, y) (((x) < (y)) | (((y) != (y)) & ((x) == (x))))
#define NB_LE(x, y) (((x) <= (y)) | ((y) != (y)))
#else
#define NB_EQ(x, y) ((x) == (y))
#define NB_LT(x, y) ((x) < (y))
#define NB_LE(x, y) ((x) <= (y))
#endif

#define NB_COMPARE(op, rule)                                                                     \
    static NB_NOINLINE NB_SIMD_CLONES void NB_NAME(op##_rows)(const void *pa, const void *pb,    \
                                                              uint8_t *restrict out, int64_t n)  \
    {                                                                                            \
        const NB_T *restrict a = pa, *restrict b = pb;                                           \
        for (int64_t i = 0; i < n; i++) {                                                        \
            NB_T x = a[i], y = b[i];                                                             \
            out[i] = (uint8_t)(rule);                                                            \
        }                                                                                        \
    }                                                                                            \
    static NB_NOINLINE NB_SIMD_CLONES void NB_NAME(op##_const)(const void *pa, const void *pb,   \
                                                               uint8_t *restrict out, int64_t n) \
    {                                                                                            \
        const NB_T *restrict a = pa;                                                             \
        const NB_T y = *(const NB_T *)pb;                                                        \
        for (int64_t i = 0; i < n; i++) {                                                        \
            NB_T x = a[i];                                                                       \
            out[i] = (uint8_t)(rule);                                                            \
        }                                                                                        \
    }

NB_COMPARE(eq, NB_EQ(x, y))
NB_COMPARE(lt, NB_LT(x, y))
NB_COMPARE(le, NB_LE(x, y))
NB_COMPARE(gt, NB_LT(y, x))
NB_COMPARE(ge, NB_LE(y, x))

#undef NB_COMPARE
#undef NB_EQ
#undef NB_LT
#undef NB_LE
#undef NB_T
#undef NB_NAME
#undef NB_FLOATING
#endif
