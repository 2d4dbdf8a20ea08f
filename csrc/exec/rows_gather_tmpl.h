/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows_gather_tmpl.h: values of one width from many chunks. Define NB_T and NB_NAME(f); both are undefined at the end.
 */

/* places: pairs of chunk and row. The rows lie anywhere: misses of later rows are started early. */
static void
NB_NAME(gather)(const void *const *data, const uint32_t *places, int64_t n, void *out)
{
    enum { AHEAD = 16 };
    NB_T *to = out;

    for (int64_t i = 0; i < n; i++) {
        if (i + AHEAD < n) {
            const uint32_t *p = places + 2 * (i + AHEAD);
            __builtin_prefetch((const NB_T *)data[p[0]] + p[1]);
        }
        to[i] = ((const NB_T *)data[places[2 * i]])[places[2 * i + 1]];
    }
}

#undef NB_T
#undef NB_NAME
