/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cast_number_tmpl.h: from one number type to all. Define NB_F (C type), NB_NAME(f) and NB_F_FLOATING (0 or 1); all are undefined at the end.
 *
 * Loops write every row and return whether some value did not fit: the caller then looks at single rows.
 */
#ifdef NB_F
#if NB_F_FLOATING

/* As Java's (int) and (long): NaN is 0, the rest saturates; narrower types are cut out of the int. */
static bool
NB_NAME(to_int64)(const void *in, void *out, int64_t n)
{
    const NB_F *restrict a = in;
    int64_t *restrict r = out;
    bool bad = false;

    for (int64_t i = 0; i < n; i++) {
        double x = (double)a[i];

        bad |= !(x >= -9223372036854775808.0 && x <= 9223372036854775808.0);
        r[i] = x != x                        ? 0
               : x >= 9223372036854775808.0  ? INT64_MAX
               : x <= -9223372036854775808.0 ? INT64_MIN
                                             : (int64_t)x;
    }
    return bad;
}

NB_INLINE int32_t
NB_NAME(saturate_int32)(double x)
{
    return x != x ? 0 : x >= 2147483647.0 ? INT32_MAX : x <= -2147483648.0 ? INT32_MIN : (int32_t)x;
}

static bool
NB_NAME(to_int32)(const void *in, void *out, int64_t n)
{
    const NB_F *restrict a = in;
    int32_t *restrict r = out;
    bool bad = false;

    for (int64_t i = 0; i < n; i++) {
        double x = (double)a[i];

        bad |= !(x > -2147483649.0 && x < 2147483648.0);
        r[i] = NB_NAME(saturate_int32)(x);
    }
    return bad;
}

static bool
NB_NAME(to_int16)(const void *in, void *out, int64_t n)
{
    const NB_F *restrict a = in;
    int16_t *restrict r = out;
    bool bad = false;

    for (int64_t i = 0; i < n; i++) {
        double x = (double)a[i];

        bad |= !(x > -32769.0 && x < 32768.0);
        r[i] = (int16_t)NB_NAME(saturate_int32)(x);
    }
    return bad;
}

static bool
NB_NAME(to_int8)(const void *in, void *out, int64_t n)
{
    const NB_F *restrict a = in;
    int8_t *restrict r = out;
    bool bad = false;

    for (int64_t i = 0; i < n; i++) {
        double x = (double)a[i];

        bad |= !(x > -129.0 && x < 128.0);
        r[i] = (int8_t)NB_NAME(saturate_int32)(x);
    }
    return bad;
}
#else

static bool
NB_NAME(to_int64)(const void *in, void *out, int64_t n)
{
    const NB_F *restrict a = in;
    int64_t *restrict r = out;

    for (int64_t i = 0; i < n; i++) {
        r[i] = (int64_t)a[i];
    }
    return false;
}

static bool
NB_NAME(to_int32)(const void *in, void *out, int64_t n)
{
    const NB_F *restrict a = in;
    int32_t *restrict r = out;
    int64_t bad = 0;

    for (int64_t i = 0; i < n; i++) {
        r[i] = (int32_t)a[i];
        bad |= (int64_t)a[i] ^ r[i];
    }
    return bad != 0;
}

static bool
NB_NAME(to_int16)(const void *in, void *out, int64_t n)
{
    const NB_F *restrict a = in;
    int16_t *restrict r = out;
    int64_t bad = 0;

    for (int64_t i = 0; i < n; i++) {
        r[i] = (int16_t)a[i];
        bad |= (int64_t)a[i] ^ r[i];
    }
    return bad != 0;
}

static bool
NB_NAME(to_int8)(const void *in, void *out, int64_t n)
{
    const NB_F *restrict a = in;
    int8_t *restrict r = out;
    int64_t bad = 0;

    for (int64_t i = 0; i < n; i++) {
        r[i] = (int8_t)a[i];
        bad |= (int64_t)a[i] ^ r[i];
    }
    return bad != 0;
}
#endif

static bool
NB_NAME(to_float)(const void *in, void *out, int64_t n)
{
    const NB_F *restrict a = in;
    float *restrict r = out;

    for (int64_t i = 0; i < n; i++) {
        r[i] = (float)a[i];
    }
    return false;
}

static bool
NB_NAME(to_double)(const void *in, void *out, int64_t n)
{
    const NB_F *restrict a = in;
    double *restrict r = out;

    for (int64_t i = 0; i < n; i++) {
        r[i] = (double)a[i];
    }
    return false;
}

static bool
NB_NAME(to_bool)(const void *in, void *out, int64_t n)
{
    const NB_F *restrict a = in;
    uint8_t *restrict r = out;

    for (int64_t i = 0; i < n; i++) {
        r[i] = a[i] != 0;
    }
    return false;
}
#undef NB_F
#undef NB_NAME
#undef NB_F_FLOATING
#endif
