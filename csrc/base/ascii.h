/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ascii.h: classes of characters that do not depend on the process's locale, as those of ctype.h do.
 */
#ifndef NB_BASE_ASCII_H
#define NB_BASE_ASCII_H

#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"

NB_INLINE bool
nb_is_digit(int c)
{
    return c >= '0' && c <= '9';
}

NB_INLINE bool
nb_is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A letter, a digit or an underscore. */
NB_INLINE bool
nb_is_word(int c)
{
    return nb_is_letter(c) || nb_is_digit(c) || c == '_';
}

NB_INLINE char
nb_to_lower(int c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

NB_INLINE char
nb_to_upper(int c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
}

/* The value of a hexadecimal digit in either case; -1 when it is none. */
NB_INLINE int
nb_hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The value of n hexadecimal digits, at most 15; -1 when there is anything else among them. */
NB_INLINE int64_t
nb_hex_number(const char *p, int n)
{
    int64_t v = 0;

    for (int i = 0; i < n && v >= 0; i++) {
        int d = nb_hex_digit(p[i]);

        v = d < 0 ? -1 : v * 16 + d;
    }
    return v;
}

#endif
