/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string_util.c: UTF-8 and searching for the kernels of strings.
 */
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/find.h"
#include "expr/kernels/string.h"

bool
nb_char_is_ascii(nb_str s)
{
    size_t i = 0;
    uint64_t seen = 0, w;

    for (; i + 8 <= s.len; i += 8) {
        memcpy(&w, s.data + i, 8);
        seen |= w;
    }
    for (; i < s.len; i++) {
        seen |= (unsigned char)s.data[i];
    }
    return (seen & 0x8080808080808080u) == 0;
}

/* From a character's first byte to the first one at or behind `to`, which is returned. */
static size_t
step_chars(nb_str s, size_t i, size_t to, int64_t *n)
{
    while (i < to) {
        i += nb_char_len((unsigned char)s.data[i]);
        ++*n;
    }
    return i;
}

#if defined(__SSE2__)

#define BLOCK 16

/* Characters that begin in bytes [first, BLOCK) of p, the first one there, and how many bytes behind the block belong to the last of them; false: bytes
 * that follow a first byte are not what it says, so that they must be walked. */
static bool
count_block(const char *p, unsigned first, int64_t *n, unsigned *behind)
{
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
    unsigned high = (unsigned)_mm_movemask_epi8(a) >> first, follow, two, three, four, wanted;

    *behind = 0;
    if (high == 0) {
        *n += BLOCK - first;
        return true;
    }
    /* as signed bytes: 80 to BF follow; C0, E0, F0 begin two, three, four; F8 and more stand alone */
    follow = (unsigned)_mm_movemask_epi8(_mm_cmplt_epi8(a, _mm_set1_epi8(-64))) >> first;
    four = (unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(a, _mm_set1_epi8(-9))) >> first;
    two = high & ~follow & ~four;
    three = (unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(a, _mm_set1_epi8(-33))) >> first & two;
    four = (unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(a, _mm_set1_epi8(-17))) >> first & two;
    wanted = two << 1 | three << 2 | four << 3;
    if ((wanted & (0xffffu >> first)) != follow) {
        return false;
    }
    *n += BLOCK - first - (unsigned)__builtin_popcount(follow);
    *behind = (unsigned)__builtin_popcount(wanted >> (BLOCK - first));
    return true;
}

int64_t
nb_char_count(nb_str s)
{
    int64_t n = 0;
    size_t i = 0;
    unsigned behind;

    while (s.len >= BLOCK && i < s.len) {
        size_t at = NB_MIN(i, s.len - BLOCK); /* the last block ends with the string */

        if (count_block(s.data + at, (unsigned)(i - at), &n, &behind)) {
            i = at + BLOCK + behind;
        } else {
            i = step_chars(s, i, at + BLOCK, &n);
        }
    }
    step_chars(s, i, s.len, &n);
    return n;
}

#else

int64_t
nb_char_count(nb_str s)
{
    int64_t n = 0;

    if (nb_char_is_ascii(s)) {
        return (int64_t)s.len;
    }
    step_chars(s, 0, s.len, &n);
    return n;
}

#endif

size_t
nb_char_offset(nb_str s, int64_t chars)
{
    size_t i = 0;

    if (chars <= 0) {
        return 0;
    }
    if ((uint64_t)chars >= s.len) {
        return s.len;
    }
    while (i < s.len && chars-- > 0) {
        i += nb_char_len((unsigned char)s.data[i]);
    }
    return NB_MIN(i, s.len);
}

uint32_t
nb_char_decode(nb_str s, size_t at, size_t *n)
{
    const unsigned char *p = (const unsigned char *)s.data + at;
    size_t len = nb_char_len(p[0]);
    uint32_t c = p[0];

    *n = 1;
    if (len == 1 || at + len > s.len) {
        return c;
    }
    c &= 0xFFu >> (len + 1);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return p[0];
        }
        c = c << 6 | (p[i] & 0x3F);
    }
    *n = len;
    return c;
}

size_t
nb_char_encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (c >> 18 & 7));
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

int64_t
nb_str_find(nb_str s, nb_str needle, size_t from)
{
    const char *p;

    if (from > s.len) {
        return -1;
    }
    if (needle.len == 0) {
        return (int64_t)from;
    }
    p = nb_find_bytes(s.data + from, s.len - from, needle.data, needle.len);
    return p ? p - s.data : -1;
}

nb_status
nb_text_too_long(nb_kernel_ctx *ctx)
{
    return nb_raise(ctx->err, NB_COND_COLLECTION_SIZE_LIMIT_EXCEEDED, "numberOfElements",
                    "more than 2147483632", "functionName", "a string function",
                    "maxRoundedArrayLength", "2147483632", "parameter", "length", NULL);
}
