/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval_choose_tmpl.h: out[i] = mask[i] ? x[i] : y[i] for one width. Define NB_T and NB_NAME(f); both are undefined at the end.
 */

/* A stride is 0 for a constant. */
NB_INLINE void
NB_NAME(choose_strided)(const uint8_t *mask, const NB_T *x, int dx, const NB_T *y, int dy,
                        int64_t n, NB_T *out)
{
    for (int64_t i = 0; i < n; i++) {
        NB_T take = (NB_T)(0 - (NB_T)mask[i]);

        out[i] = (NB_T)((x[i * dx] & take) | (y[i * dy] & ~take));
    }
}

NB_SIMD_CLONES static void
NB_NAME(choose)(const uint8_t *mask, const nb_vector *x, const nb_vector *y, int64_t n, NB_T *out)
{
    bool cx = x->kind == NB_VEC_CONST, cy = y->kind == NB_VEC_CONST;

    if (cx && cy) {
        NB_NAME(choose_strided)(mask, x->data, 0, y->data, 0, n, out);
    } else if (cx) {
        NB_NAME(choose_strided)(mask, x->data, 0, y->data, 1, n, out);
    } else if (cy) {
        NB_NAME(choose_strided)(mask, x->data, 1, y->data, 0, n, out);
    } else {
        NB_NAME(choose_strided)(mask, x->data, 1, y->data, 1, n, out);
    }
}

#undef NB_T
#undef NB_NAME
