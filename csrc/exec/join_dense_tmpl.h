/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_dense_tmpl.h: look-ups by value. Define NB_T and NB_NAME(f); both are undefined at the end.
 */

static void
NB_NAME(find)(const nb_join_table *t, const nb_vector *key, int64_t n, uint32_t *heads)
{
    const NB_T *v = key->data;
    uint64_t width = t->dense_width;
    uint64_t base = (uint64_t)t->dense_base;

    for (int64_t i = 0; i < n; i++) {
        uint64_t at = (uint64_t)(int64_t)v[i] - base;

        /* 0 - 1 is NB_NO_ROW */
        heads[i] = (at <= width ? t->dense[at] : 0) - 1;
    }
    for (int64_t i = 0; key->validity != NULL && i < n; i++) {
        heads[i] = nb_bit_get(key->validity, i) ? heads[i] : NB_NO_ROW;
    }
}

#undef NB_T
#undef NB_NAME
