/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find.c: see find.h.
 *
 * Sixteen places at a time are compared with the first and the last byte of the needle; what is between is looked at only where both are
 * the same. memmem makes a table per call, which costs more than looking through a comment. SSE2 is part of x86-64; elsewhere
 * memmem serves.
 */
#include "base/find.h"

#include <string.h>

#if defined(__SSE2__)

#include <emmintrin.h>

#define BLOCK 16

/* Of the 16 places from p on: at which do both ends match? They reach k - 1 bytes beyond the last one. */
static unsigned
candidates(const char *p, size_t k, __m128i first, __m128i last)
{
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + k - 1));

    return (unsigned)_mm_movemask_epi8(
        _mm_and_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, last)));
}

static const char *
check(const char *p, unsigned at, const char *needle, size_t k)
{
    for (; at != 0; at &= at - 1) {
        const char *here = p + __builtin_ctz(at);

        if (memcmp(here + 1, needle + 1, k - 2) == 0) {
            return here;
        }
    }
    return NULL;
}

const char *
nb_find_bytes(const char *s, size_t n, const char *needle, size_t k)
{
    __m128i first, last;
    size_t places;

    if (k < 2 || k > n) {
        return k == 0 ? s : k > n ? NULL : memchr(s, needle[0], n);
    }
    places = n - k + 1;
    if (places < BLOCK) {
        for (size_t i = 0; i < places; i++) {
            if (s[i] == needle[0] && memcmp(s + i + 1, needle + 1, k - 1) == 0) {
                return s + i;
            }
        }
        return NULL;
    }
    first = _mm_set1_epi8(needle[0]);
    last = _mm_set1_epi8(needle[k - 1]);
    for (size_t i = 0; i < places; i += BLOCK) {
        const char *p = s + (i + BLOCK <= places ? i : places - BLOCK), *found;
        unsigned at = candidates(p, k, first, last);

        if (at != 0) {
            found = check(p, at, needle, k);
            if (found != NULL) {
                return found;
            }
        }
    }
    return NULL;
}

#else

const char *
nb_find_bytes(const char *s, size_t n, const char *needle, size_t k)
{
    return k == 0 ? s : k > n ? NULL : memmem(s, n, needle, k);
}

#endif
