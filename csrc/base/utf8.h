/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.h: UTF-8 text, with fast paths for ASCII.
 *
 * Strings in the engine may hold any bytes, as in Spark (UTF8String). Characters are counted by lead bytes, so every function
 * here gives an answer for broken text and never reads beyond it.
 */
#ifndef NB_BASE_UTF8_H
#define NB_BASE_UTF8_H

#include <stdbool.h>
#include "base/str.h"

bool nb_utf8_is_ascii(const char *p, size_t n);
/* Bytes before the first malformed sequence (overlong forms, surrogates and values beyond U+10FFFF are malformed); n when all is well. */
size_t nb_utf8_valid_prefix(const char *p, size_t n);
NB_INLINE bool
nb_utf8_validate(const char *p, size_t n)
{
    return nb_utf8_valid_prefix(p, n) == n;
}

/* Bytes that a character with this lead byte has; 1 for bytes that lead nothing. */
NB_INLINE size_t
nb_utf8_width(unsigned char lead)
{
    return lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
}
/* The same, but not beyond the n bytes that are left (n > 0). */
NB_INLINE size_t
nb_utf8_step(const char *p, size_t n)
{
    size_t w = nb_utf8_width((unsigned char)*p);
    return w < n ? w : n;
}
/* Characters in n bytes, as Spark's length(): steps from lead to lead. */
int64_t nb_utf8_count(const char *p, size_t n);
/* Byte offset of character number n_chars; n when the text is shorter. */
size_t nb_utf8_offset(const char *p, size_t n, int64_t n_chars);
/* The code point at p (n > 0 bytes left) and its width; a malformed sequence gives U+FFFD and width 1. */
uint32_t nb_utf8_decode(const char *p, size_t n, size_t *width);
/* Writes up to 4 bytes; returns how many. Surrogates and values beyond U+10FFFF become U+FFFD. */
size_t nb_utf8_encode(uint32_t cp, char *out);

/* Appends at most max bytes of text, cut between characters; malformed bytes become U+FFFD: for text that must be UTF-8. */
void nb_utf8_add_clean(nb_strbuf *out, nb_str s, size_t max);

#endif
