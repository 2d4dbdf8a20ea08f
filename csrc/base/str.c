/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.c: string slices and the growing builder.
 */
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/arena.h"

bool
nb_str_equal_nocase(nb_str a, nb_str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (nb_to_lower(a.data[i]) != nb_to_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

int
nb_str_compare(nb_str a, nb_str b)
{
    size_t n = NB_MIN(a.len, b.len);
    int c = n ? memcmp(a.data, b.data, n) : 0;

    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

bool
nb_str_starts_with(nb_str s, nb_str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

bool
nb_str_ends_with(nb_str s, nb_str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.data + s.len - suffix.len, suffix.data, suffix.len) == 0);
}

nb_str
nb_str_trim(nb_str s)
{
    while (s.len > 0 && (unsigned char)s.data[0] <= ' ') {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && (unsigned char)s.data[s.len - 1] <= ' ') {
        s.len--;
    }
    return s;
}

bool
nb_str_to_bool(nb_str s, bool *out)
{
    if (nb_str_equal_nocase(s, NB_STR("true"))) {
        *out = true;
        return true;
    }
    if (nb_str_equal_nocase(s, NB_STR("false"))) {
        *out = false;
        return true;
    }
    return false;
}

bool
nb_str_to_int64(nb_str s, int64_t *out)
{
    bool negative = false;
    size_t i = 0;
    int64_t v = 0;

    if (s.len > 0 && (s.data[0] == '-' || s.data[0] == '+')) {
        negative = s.data[0] == '-';
        i = 1;
    }
    if (i == s.len) {
        return false;
    }
    if (s.len - i <= 18) { /* none of them overflows */
        for (; i < s.len; i++) {
            unsigned d = (unsigned)(unsigned char)s.data[i] - '0';
            if (d > 9) {
                return false;
            }
            v = v * 10 + (int64_t)d;
        }
        *out = negative ? -v : v;
        return true;
    }
    for (; i < s.len; i++) {
        unsigned d = (unsigned)(unsigned char)s.data[i] - '0';
        /* counted downwards, because the least int64 has no positive twin */
        if (d > 9 || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_sub_overflow(v, (int64_t)d, &v)) {
            return false;
        }
    }
    if (!negative && __builtin_sub_overflow(0, v, &v)) {
        return false;
    }
    *out = v;
    return true;
}

char *
nb_str_copy(nb_str s)
{
    char *copy = malloc(s.len + 1);

    if (copy != NULL) {
        if (s.len > 0) {
            memcpy(copy, s.data, s.len);
        }
        copy[s.len] = 0;
    }
    return copy;
}

char *
nb_arena_strdup(struct nb_arena *arena, nb_str s)
{
    char *p = nb_arena_alloc(arena, s.len + 1);

    if (p == NULL) {
        return NULL;
    }
    if (s.len) {
        memcpy(p, s.data, s.len);
    }
    p[s.len] = 0;
    return p;
}

nb_str
nb_arena_lower(nb_arena *arena, nb_str s)
{
    char *copy = nb_arena_strdup(arena, s);

    for (size_t i = 0; copy && i < s.len; i++) {
        copy[i] = (char)nb_to_lower((unsigned char)copy[i]);
    }
    return (nb_str){copy, copy ? s.len : 0};
}

nb_str
nb_arena_str(struct nb_arena *arena, nb_str s)
{
    char *p = nb_arena_strdup(arena, s);

    return (nb_str){p, p ? s.len : 0};
}

char *
nb_arena_printf(struct nb_arena *arena, const char *fmt, ...)
{
    va_list ap, again;
    char *p = NULL;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n >= 0 && (p = nb_arena_alloc(arena, (size_t)n + 1)) != NULL) {
        vsnprintf(p, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    va_end(ap);
    return p;
}

/* Room for n more bytes and the final NUL. */
static bool
strbuf_grow(nb_strbuf *b, size_t n)
{
    size_t cap = b->cap ? b->cap : 64;
    char *p;

    if (b->failed || n >= SIZE_MAX / 2 - b->len) {
        b->failed = true;
        return false;
    }
    if (b->len + n + 1 <= b->cap) {
        return true;
    }
    while (cap < b->len + n + 1) {
        cap *= 2;
    }
    p = realloc(b->data, cap);
    if (p == NULL) {
        b->failed = true;
        return false;
    }
    b->data = p;
    b->cap = cap;
    return true;
}

void
nb_strbuf_add(nb_strbuf *b, nb_str s)
{
    if (!strbuf_grow(b, s.len)) {
        return;
    }
    if (s.len) {
        memcpy(b->data + b->len, s.data, s.len);
    }
    b->len += s.len;
    b->data[b->len] = 0;
}

void
nb_strbuf_addc(nb_strbuf *b, char c)
{
    nb_strbuf_add(b, (nb_str){&c, 1});
}

void
nb_strbuf_adds(nb_strbuf *b, const char *s)
{
    nb_strbuf_add(b, nb_str_of(s));
}

void
nb_strbuf_addf(nb_strbuf *b, const char *fmt, ...)
{
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0) {
        b->failed = true;
    } else if (strbuf_grow(b, (size_t)n)) {
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

void
nb_strbuf_fill(nb_strbuf *b, char c, size_t n)
{
    if (!strbuf_grow(b, n)) {
        return;
    }
    memset(b->data + b->len, c, n);
    b->len += n;
    b->data[b->len] = 0;
}

void
nb_strbuf_add_hex(nb_strbuf *b, nb_str bytes)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];

        nb_strbuf_addc(b, hex[c >> 4]);
        nb_strbuf_addc(b, hex[c & 15]);
    }
}

nb_str
nb_strbuf_finish(struct nb_arena *arena, nb_strbuf *b)
{
    nb_str text = b->failed ? (nb_str){NULL, 0} : nb_arena_str(arena, nb_strbuf_str(b));

    nb_strbuf_free(b);
    return text;
}

void
nb_strbuf_free(nb_strbuf *b)
{
    free(b->data);
    *b = (nb_strbuf){0};
}
