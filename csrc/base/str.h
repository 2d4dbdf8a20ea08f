/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h: borrowed string slices, and a growing builder for text that people read.
 *
 * An nb_str is bytes with a length: it may hold NUL, is usually UTF-8 and is not terminated.
 */
#ifndef NB_BASE_STR_H
#define NB_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include "base/ascii.h"
#include "base/status.h"

struct nb_arena;

typedef struct nb_str {
    const char *data; /* borrowed */
    size_t len;
} nb_str;

#define NB_STR(lit) ((nb_str){"" lit, sizeof(lit) - 1})

NB_INLINE nb_str
nb_str_of(const char *c)
{
    return (nb_str){c, c ? strlen(c) : 0};
}

NB_INLINE bool
nb_str_equal(nb_str a, nb_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool nb_str_equal_nocase(nb_str a, nb_str b); /* ASCII case only */
int nb_str_compare(nb_str a, nb_str b);       /* unsigned bytes, as Spark's UTF8String */
bool nb_str_starts_with(nb_str s, nb_str prefix);
bool nb_str_ends_with(nb_str s, nb_str suffix);
nb_str nb_str_trim(nb_str s);             /* ASCII white space and control characters, both ends */
bool nb_str_to_bool(nb_str s, bool *out); /* true/false in any case; false when neither */
bool nb_str_to_int64(
    nb_str s, int64_t *out); /* whole string, optional sign; false when not a number or overflow */

/* Copies onto the heap with a NUL behind; NULL when out of memory. Not strndup: the text may lack a NUL, which that one does not read but
 * checkers look for. */
char *nb_str_copy(nb_str s);
/* Copies into the arena with a NUL behind; NULL when out of memory. */
char *nb_arena_strdup(struct nb_arena *arena, nb_str s);
nb_str nb_arena_str(struct nb_arena *arena, nb_str s);
/* The same in lower case, of ASCII; data is NULL when out of memory. */
nb_str nb_arena_lower(struct nb_arena *arena, nb_str s);
/* printf into the arena; NULL when out of memory. */
char *nb_arena_printf(struct nb_arena *arena, const char *fmt, ...) NB_PRINTF(2, 3);

/* A builder on the heap. Zero-initialise; `failed` is sticky, so that only the end needs a check. */
typedef struct nb_strbuf {
    char *data; /* owned; NUL-terminated when not NULL */
    size_t len, cap;
    bool failed; /* an allocation failed; the text is cut */
} nb_strbuf;

void nb_strbuf_add(nb_strbuf *b, nb_str s);
void nb_strbuf_addc(nb_strbuf *b, char c);
void nb_strbuf_adds(nb_strbuf *b, const char *s);
void nb_strbuf_addf(nb_strbuf *b, const char *fmt, ...) NB_PRINTF(2, 3);
void nb_strbuf_fill(nb_strbuf *b, char c, size_t n);
/* Two capital hexadecimal digits for each byte. */
void nb_strbuf_add_hex(nb_strbuf *b, nb_str bytes);
NB_INLINE nb_str
nb_strbuf_str(const nb_strbuf *b)
{
    return (nb_str){b->data ? b->data : "", b->len};
}
/* The text in the arena, NUL-terminated; {NULL, 0} when memory has run out now or while it was built. The buffer is empty after it. */
nb_str nb_strbuf_finish(struct nb_arena *arena, nb_strbuf *b);
void nb_strbuf_free(nb_strbuf *b); /* leaves it empty, ready for use */

#endif
