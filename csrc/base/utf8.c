/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.c: validation, counting and stepping.
 */
#include "base/utf8.h"

#include <string.h>

#define HIGH_BITS 0x8080808080808080u

static uint64_t
load8(const char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

/* Bytes of the ASCII run at p, in steps of 8 (so it may stop early). */
static size_t
ascii_run(const char *p, size_t n)
{
    size_t i = 0;

    while (i + 32 <= n &&
           ((load8(p + i) | load8(p + i + 8) | load8(p + i + 16) | load8(p + i + 24)) &
            HIGH_BITS) == 0) {
        i += 32;
    }
    while (i + 8 <= n && (load8(p + i) & HIGH_BITS) == 0) {
        i += 8;
    }
    return i;
}

bool
nb_utf8_is_ascii(const char *p, size_t n)
{
    for (size_t i = ascii_run(p, n); i < n; i++) {
        if ((unsigned char)p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* Width of the well-formed character at p, 0 when malformed. */
static size_t
good_width(const unsigned char *p, size_t n)
{
    unsigned char c = p[0];

    if (c < 0x80) {
        return 1;
    }
    if (c < 0xc2 || c > 0xf4) {
        return 0;
    }
    if (c < 0xe0) {
        return n >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
    }
    if (c < 0xf0) {
        if (n < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80) {
            return 0;
        }
        return (c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) ? 0 : 3;
    }
    if (n < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80) {
        return 0;
    }
    return (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f) ? 0 : 4;
}

size_t
nb_utf8_valid_prefix(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n) {
        size_t w;

        if ((unsigned char)p[i] < 0x80) {
            i += NB_MAX(ascii_run(p + i, n - i), (size_t)1);
            continue;
        }
        w = good_width((const unsigned char *)p + i, n - i);
        if (w == 0) {
            return i;
        }
        i += w;
    }
    return n;
}

int64_t
nb_utf8_count(const char *p, size_t n)
{
    int64_t count = 0;
    size_t i = 0;

    while (i < n) {
        if (i + 8 <= n && (load8(p + i) & HIGH_BITS) == 0) {
            size_t run = ascii_run(p + i, n - i);
            count += (int64_t)run;
            i += run;
            continue;
        }
        i += nb_utf8_step(p + i, n - i);
        count++;
    }
    return count;
}

size_t
nb_utf8_offset(const char *p, size_t n, int64_t n_chars)
{
    size_t i = 0;

    while (i < n && n_chars > 0) {
        if (n_chars >= 8 && i + 8 <= n && (load8(p + i) & HIGH_BITS) == 0) {
            i += 8;
            n_chars -= 8;
            continue;
        }
        i += nb_utf8_step(p + i, n - i);
        n_chars--;
    }
    return i;
}

uint32_t
nb_utf8_decode(const char *p, size_t n, size_t *width)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t w = good_width(u, n);

    *width = w ? w : 1;
    switch (w) {
    case 1: return u[0];
    case 2: return (uint32_t)(u[0] & 0x1f) << 6 | (u[1] & 0x3f);
    case 3: return (uint32_t)(u[0] & 0x0f) << 12 | (uint32_t)(u[1] & 0x3f) << 6 | (u[2] & 0x3f);
    case 4:
        return (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3f) << 12 |
               (uint32_t)(u[2] & 0x3f) << 6 | (u[3] & 0x3f);
    default: return 0xfffd;
    }
}

size_t
nb_utf8_encode(uint32_t cp, char *out)
{
    unsigned char *u = (unsigned char *)out;

    if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000)) {
        cp = 0xfffd;
    }
    if (cp < 0x80) {
        u[0] = (unsigned char)cp;
        return 1;
    }
    if (cp < 0x800) {
        u[0] = (unsigned char)(0xc0 | cp >> 6);
        u[1] = (unsigned char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        u[0] = (unsigned char)(0xe0 | cp >> 12);
        u[1] = (unsigned char)(0x80 | (cp >> 6 & 0x3f));
        u[2] = (unsigned char)(0x80 | (cp & 0x3f));
        return 3;
    }
    u[0] = (unsigned char)(0xf0 | cp >> 18);
    u[1] = (unsigned char)(0x80 | (cp >> 12 & 0x3f));
    u[2] = (unsigned char)(0x80 | (cp >> 6 & 0x3f));
    u[3] = (unsigned char)(0x80 | (cp & 0x3f));
    return 4;
}

void
nb_utf8_add_clean(nb_strbuf *out, nb_str s, size_t max)
{
    size_t from = out->len;

    while (s.len > 0 && out->len - from < max) {
        size_t good = nb_utf8_valid_prefix(s.data, s.len);
        size_t room = max - (out->len - from), step;

        if (good > room) { /* cut at a character */
            good = room;
            while (good > 0 && ((unsigned char)s.data[good] & 0xc0) == 0x80) {
                good--;
            }
            nb_strbuf_add(out, (nb_str){s.data, good});
            return;
        }
        nb_strbuf_add(out, (nb_str){s.data, good});
        step = good < s.len ? good + 1 : good;
        if (good < s.len) {
            nb_strbuf_adds(out, "\xef\xbf\xbd");
        }
        s.data += step;
        s.len -= step;
    }
}
