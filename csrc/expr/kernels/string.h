/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string.h: what the kernels of strings share: counting and finding characters in UTF-8, and a writer for results.
 *
 * A character is a code point. Bytes that are no valid UTF-8 count as Spark's UTF8String counts them: by the lead byte's length, each
 * stray byte as one character; nothing reads beyond the end of a string.
 */
#ifndef NB_EXPR_KERNELS_STRING_H
#define NB_EXPR_KERNELS_STRING_H

#include "expr/kernels/scalar.h"

/* Bytes of the character that starts with c. */
NB_INLINE size_t
nb_char_len(unsigned char c)
{
    return c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF8 ? 4 : 1;
}
NB_INLINE size_t
nb_char_step(nb_str s, size_t at)
{
    size_t n = nb_char_len((unsigned char)s.data[at]);
    return NB_MIN(n, s.len - at);
}

bool nb_char_is_ascii(nb_str s);
int64_t nb_char_count(nb_str s); /* characters */
size_t nb_char_offset(
    nb_str s,
    int64_t chars); /* byte offset of character number `chars`; s.len when there are fewer */
/* The code point at `at` (invalid bytes as themselves), and how many bytes it takes. */
uint32_t nb_char_decode(nb_str s, size_t at, size_t *n);
size_t nb_char_encode(uint32_t c, char *out); /* 1 to 4 bytes */

/* Byte offset of the needle at or after `from`; -1 when absent. An empty needle is found at `from`. */
int64_t nb_str_find(nb_str s, nb_str needle, size_t from);

/* Makes result strings: room, write, done. Short results are inline and take no memory. */
typedef struct nb_text_writer {
    nb_arena *arena;
    char *at, *end;
} nb_text_writer;

/* Room for n bytes; NULL when out of memory. */
NB_INLINE char *
nb_text_room(nb_text_writer *w, size_t n)
{
    if (NB_UNLIKELY((size_t)(w->end - w->at) < n || w->at == NULL)) {
        size_t block = NB_MAX(n, 8192);
        w->at = nb_arena_alloc(w->arena, block);
        w->end = w->at ? w->at + block : NULL;
    }
    return w->at;
}
/* The first n bytes of the room become a string. */
NB_INLINE nb_view
nb_text_done(nb_text_writer *w, size_t n)
{
    nb_view v = nb_view_make(w->at, n);
    if (n > NB_VIEW_INLINE) {
        w->at += n;
    }
    return v;
}

/* As Java's MIME decoder: what is no digit is skipped (and *clean false), = ends. out has room for s.len bytes; returns how many there are. */
/* As nb_base64_decode, but strict about the end as Java's MIME decoder; NULL, or what is wrong. */
const char *nb_base64_mime(nb_arena *arena, nb_str s, char *out, size_t *len);
size_t nb_base64_decode(nb_str s, char *out, bool *clean);

/* Bytes from hexadecimal digits in any case, of which the first may stand alone; false when one is none. out has room for s.len / 2 + 1 bytes. */
bool nb_hex_decode(nb_str s, char *out, size_t *n);

/* More than 2 GB in one string. */
nb_status nb_text_too_long(nb_kernel_ctx *ctx);

#endif
