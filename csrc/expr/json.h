/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h: a reader of JSON text (RFC 8259, and strings in single quotes, as Spark's functions take them), and writing of strings.
 *
 * A cursor over text: each call consumes one value or token and says whether it was well-formed. Nothing is allocated; nesting is limited
 * to NB_JSON_DEPTH, as in Jackson, so that hostile text cannot exhaust the stack. `rules` says what else is taken, or refused.
 */
#ifndef NB_EXPR_JSON_H
#define NB_EXPR_JSON_H

#include <stdbool.h>
#include "base/str.h"

#define NB_JSON_DEPTH 1000

/* Spark's options of JSON readers. */
typedef enum nb_json_rule {
    NB_JSON_DOUBLE_QUOTES_ONLY = 1, /* allowSingleQuotes is false */
    NB_JSON_COMMENTS = 2,           /* allowComments: between tokens, in the manner of C++ */
    NB_JSON_BARE_NAMES = 4,         /* allowUnquotedFieldNames */
    NB_JSON_LEADING_ZEROS = 8,      /* allowNumericLeadingZeros */
    NB_JSON_NOT_FINITE =
        16, /* allowNonNumericNumbers: NaN, INF, Infinity and the latter two with a sign */
    NB_JSON_ANY_ESCAPE = 32, /* allowBackslashEscapingAnyCharacter */
    NB_JSON_CONTROLS = 64,   /* allowUnquotedControlChars */
} nb_json_rule;

typedef struct nb_json {
    const char *p, *end;
    int depth;
    unsigned rules; /* of nb_json_rule */
    int max_depth;  /* 0: NB_JSON_DEPTH */
} nb_json;

typedef enum nb_json_kind {
    NB_JSON_BAD, /* malformed, or the text has ended */
    NB_JSON_OBJECT,
    NB_JSON_ARRAY,
    NB_JSON_STRING,
    NB_JSON_INT,
    NB_JSON_FLOAT,
    NB_JSON_TRUE,
    NB_JSON_FALSE,
    NB_JSON_NULL,
} nb_json_kind;

NB_INLINE nb_json
nb_json_of(nb_str s)
{
    return (nb_json){s.data, s.data + s.len, 0, 0, 0};
}

/* Skips white space and looks at what comes next; numbers and words are checked only when consumed. */
nb_json_kind nb_json_peek(nb_json *j);
/* Consumes one value of any kind. */
bool nb_json_skip(nb_json *j);
/* Consumes a string and adds its content to out (which may be NULL). */
bool nb_json_string(nb_json *j, nb_strbuf *out);
/* The same, where it lies: *out points into the text, or where there are escapes into side, which is emptied first. */
bool nb_json_string_at(nb_json *j, nb_strbuf *side, nb_str *out);
/* Consumes a number; *text is how it is written. NB_JSON_INT, NB_JSON_FLOAT or NB_JSON_BAD. */
nb_json_kind nb_json_number(nb_json *j, nb_str *text);
/* Consumes true, false or null. */
bool nb_json_word(nb_json *j, const char *word);
/* Enters [ or {: consumes the bracket. Then nb_json_more says whether an element (a field) follows, and consumes the comma or the closing
 * bracket; *first starts as true. After a bad text it returns false and sets *bad. */
bool nb_json_enter(nb_json *j);
bool nb_json_more(nb_json *j, char closing, bool *first, bool *bad);
/* Consumes a field's name (into out) and the colon. */
bool nb_json_name(nb_json *j, nb_strbuf *out);
/* The same, as nb_json_string_at. */
bool nb_json_name_at(nb_json *j, nb_strbuf *side, nb_str *out);

/* Consumes one value and writes it again without white space, as Jackson copies it. */
bool nb_json_copy(nb_json *j, nb_strbuf *out);
/* Writes a string with quotes and escapes. */
void nb_json_put_string(nb_strbuf *out, nb_str s);
/* Writes what stands in out from there on again, with every character beyond ASCII as \uXXXX. */
void nb_json_escape_from(nb_strbuf *out, size_t from);

#endif
