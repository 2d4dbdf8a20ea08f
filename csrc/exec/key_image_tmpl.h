/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_image_tmpl.h: moves keys of one width between columns and images.
 * Define NB_T (C type), NB_NAME(f), NB_CANONICAL(x); all are undefined at the end.
 */
NB_INLINE void
NB_NAME(put_impl)(const NB_T *restrict in, const uint32_t *restrict idx, int64_t n,
                  uint8_t *restrict out, int stride)
{
    for (int64_t i = 0; i < n; i++) {
        NB_T x = in[idx ? idx[i] : i];
        x = NB_CANONICAL(x);
        memcpy(out + i * stride, &x, sizeof(x));
    }
}

static void
NB_NAME(put)(const void *in, const uint32_t *idx, int64_t n, uint8_t *out, int stride)
{
    if (idx != NULL) {
        NB_NAME(put_impl)(in, idx, n, out, stride);
    } else if (stride == 8) {
        NB_NAME(put_impl)(in, NULL, n, out, 8);
    } else {
        NB_NAME(put_impl)(in, NULL, n, out, stride);
    }
}

NB_UNUSED static void
NB_NAME(take)(uint8_t *const *rows, int offset, int64_t n, void *out)
{
    NB_T *to = out;

    for (int64_t i = 0; i < n; i++) {
        memcpy(&to[i], rows[i] + offset, sizeof(NB_T));
    }
}

#undef NB_T
#undef NB_NAME
#undef NB_CANONICAL
