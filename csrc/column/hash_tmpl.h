/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash_tmpl.h: hashes of one physical type. Define NB_T, NB_NAME(f) and NB_HASH(value), an expression of type uint64_t; all
 * are undefined at the end.
 */

NB_SIMD_CLONES static void
NB_NAME(hash_dense)(const void *data, int64_t n, uint64_t *restrict out)
{
    const NB_T *restrict d = data;

    for (int64_t i = 0; i < n; i++) {
        out[i] = NB_HASH(d[i]);
    }
}

static void
NB_NAME(hash_rows)(const void *data, const uint32_t *idx, int64_t n, uint64_t *out)
{
    const NB_T *d = data;

    if (idx == NULL) {
        NB_NAME(hash_dense)(data, n, out);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        out[i] = NB_HASH(d[idx[i]]);
    }
}

#undef NB_T
#undef NB_NAME
#undef NB_HASH
