/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate_window_tmpl.h: integer keys as indices. Define NB_T and NB_NAME(f); both are undefined at the end.
 */

NB_SIMD_CLONES
static void
NB_NAME(min_max)(const NB_T *restrict v, int64_t n, NB_T *least, NB_T *greatest)
{
    NB_T low = v[0], high = v[0];

    for (int64_t i = 0; i < n; i++) {
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
    }
    *least = low;
    *greatest = high;
}

static bool
NB_NAME(range)(const NB_T *v, const uint64_t *validity, int64_t n, int64_t *least,
               int64_t *greatest)
{
    NB_T low = 0, high = 0;
    bool any = false;

    if (validity == NULL) {
        NB_NAME(min_max)(v, n, &low, &high);
        any = true;
    } else {
        for (int64_t i = 0; i < n; i++) {
            if (nb_bit_get(validity, i)) {
                low = !any || v[i] < low ? v[i] : low;
                high = !any || v[i] > high ? v[i] : high;
                any = true;
            }
        }
    }
    *least = low;
    *greatest = high;
    return any;
}

/* Row numbers to out; rows that the map does not have go to missing, returns how many. */
static int64_t
NB_NAME(look_up)(const NB_T *restrict v, const uint64_t *restrict validity, int64_t n,
                 const uint32_t *restrict map, int64_t base, uint32_t null_row,
                 uint32_t *restrict out, uint32_t *restrict missing)
{
    int64_t n_missing = 0;

    for (int64_t i = 0; i < n; i++) {
        bool valid = validity == NULL || nb_bit_get(validity, i);
        uint32_t row = valid ? map[(int64_t)v[i] - base] : null_row;

        out[i] = row - 1;
        missing[n_missing] = (uint32_t)i;
        n_missing += row == 0;
    }
    return n_missing;
}

/* mixed = mixed * codes + how far the value is from base; nulls have the last code. */
static void
NB_NAME(mix)(const NB_T *restrict v, const uint64_t *restrict validity, int64_t n, int64_t base,
             uint32_t codes, uint32_t *restrict mixed)
{
    for (int64_t i = 0; i < n; i++) {
        bool valid = validity == NULL || nb_bit_get(validity, i);
        uint32_t code = valid ? (uint32_t)((int64_t)v[i] - base) : codes - 1;

        mixed[i] = mixed[i] * codes + code;
    }
}

#undef NB_T
#undef NB_NAME
