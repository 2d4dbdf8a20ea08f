/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval_in_tmpl.h: membership in a short list of integers. Define NB_T and NB_NAME(f); both are undefined at the end.
 */
#ifdef NB_T
static void
NB_NAME(few)(const NB_T *restrict v, int64_t n, const NB_T *items, int n_items,
             uint8_t *restrict found)
{
    for (int k = 0; k < n_items; k++) {
        NB_T item = items[k];

        for (int64_t i = 0; i < n; i++) {
            found[i] |= v[i] == item;
        }
    }
}
#undef NB_T
#undef NB_NAME
#endif
