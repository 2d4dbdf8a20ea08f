/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_code_tmpl.h: codes of one fixed-width type. Define NB_T, NB_NAME(f), NB_CODE(x); all are undefined at the end.
 */

static void
NB_NAME(range)(const void *data, const uint64_t *validity, int64_t n, nb_code_range *out)
{
    const NB_T *v = data;
    uint64_t least = UINT64_MAX, greatest = 0;

    if (validity == NULL) {
        for (int64_t i = 0; i < n; i++) {
            uint64_t c = NB_CODE(v[i]);
            least = c < least ? c : least;
            greatest = c > greatest ? c : greatest;
        }
        out->any = n > 0;
    } else {
        for (int64_t i = 0; i < n; i++) {
            if (nb_bit_get(validity, i)) {
                uint64_t c = NB_CODE(v[i]);
                least = c < least ? c : least;
                greatest = c > greatest ? c : greatest;
                out->any = true;
            }
        }
    }
    out->least = least;
    out->greatest = greatest;
}

static void
NB_NAME(codes)(const void *data, int64_t from, int64_t n, uint64_t *codes)
{
    const NB_T *v = (const NB_T *)data + from;

    for (int64_t i = 0; i < n; i++) {
        codes[i] = NB_CODE(v[i]);
    }
}

#undef NB_T
#undef NB_NAME
#undef NB_CODE
