/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gather_tmpl.h: moving rows of one width. Define NB_T (C type of that width) and NB_NAME(f); both are undefined at the end.
 */

static void
NB_NAME(gather)(const void *src_v, const uint32_t *restrict idx, int64_t n, void *out_v)
{
    const NB_T *restrict src = src_v;
    NB_T *restrict out = out_v;

    for (int64_t i = 0; i < n; i++) {
        out[i] = src[idx[i]];
    }
}

/* idx UINT32_MAX gives zero bits: a valid view, list and number. */
static void
NB_NAME(gather_null)(const void *src_v, const uint32_t *restrict idx, int64_t n, void *out_v)
{
    const NB_T *src = src_v;
    NB_T *out = out_v;

    for (int64_t i = 0; i < n; i++) {
        if (idx[i] == UINT32_MAX) {
            memset(&out[i], 0, sizeof(out[i]));
        } else {
            out[i] = src[idx[i]];
        }
    }
}

static void
NB_NAME(scatter)(const void *src_v, const uint32_t *src_idx, void *dst_v, const uint32_t *dst_idx,
                 int64_t n)
{
    const NB_T *src = src_v;
    NB_T *dst = dst_v;

    if (src_idx == NULL && dst_idx == NULL) {
        memcpy(dst, src, (size_t)n * sizeof(NB_T));
    } else if (src_idx == NULL) {
        for (int64_t i = 0; i < n; i++) {
            dst[dst_idx[i]] = src[i];
        }
    } else if (dst_idx == NULL) {
        NB_NAME(gather)(src, src_idx, n, dst);
    } else {
        for (int64_t i = 0; i < n; i++) {
            dst[dst_idx[i]] = src[src_idx[i]];
        }
    }
}

static void
NB_NAME(fill)(const void *value, void *out_v, int64_t n)
{
    NB_T *out = out_v;
    const NB_T v = *(const NB_T *)value;

    for (int64_t i = 0; i < n; i++) {
        out[i] = v;
    }
}

#undef NB_T
#undef NB_NAME
