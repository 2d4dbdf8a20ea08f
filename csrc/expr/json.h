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
#include <stdint.h>
#include <string.h>
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

/* A comment at the cursor, to its end or to that of the text; false when there is none. */
bool nb_json_skip_comment(nb_json *j);

NB_INLINE void
nb_json_skip_space(nb_json *j)
{
    do {
        while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r')) {
            j->p++;
        }
    } while (NB_UNLIKELY(j->rules & NB_JSON_COMMENTS) && nb_json_skip_comment(j));
}

/* Skips white space and looks at what comes next; numbers and words are checked only when consumed. */
NB_INLINE nb_json_kind
nb_json_peek(nb_json *j)
{
    nb_json_skip_space(j);
    if (j->p == j->end) {
        return NB_JSON_BAD;
    }
    switch (*j->p) {
    case '{': return NB_JSON_OBJECT;
    case '[': return NB_JSON_ARRAY;
    case '"':
    case '\'': return NB_JSON_STRING;
    case 't': return NB_JSON_TRUE;
    case 'f': return NB_JSON_FALSE;
    case 'n': return NB_JSON_NULL;
    case 'N':
    case 'I':
    case '+': return j->rules & NB_JSON_NOT_FINITE ? NB_JSON_FLOAT : NB_JSON_BAD;
    default: return *j->p == '-' || (*j->p >= '0' && *j->p <= '9') ? NB_JSON_INT : NB_JSON_BAD;
    }
}

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
NB_INLINE bool
nb_json_more(nb_json *j, char closing, bool *first, bool *bad)
{
    nb_json_skip_space(j);
    *bad = j->p == j->end;
    if (*bad) {
        return false;
    }
    if (*j->p == closing) {
        j->p++;
        j->depth--;
        return false;
    }
    if (!*first) {
        if (*j->p != ',') {
            *bad = true;
            return false;
        }
        j->p++;
    }
    *first = false;
    return true;
}

/* Is the name written as it is, without escapes? */
bool nb_json_name_is_plain(nb_str name);
/* Consumes a field's name and the colon when it is this plain one, in double quotes and without escapes, right at the cursor or behind white space; else
 * nothing but white space. For readers who know which field most likely comes. */
NB_INLINE bool
nb_json_name_is(nb_json *j, nb_str name)
{
    const char *p;

    nb_json_skip_space(j);
    p = j->p;
    if ((size_t)(j->end - p) < name.len + 3 || *p != '"' || p[name.len + 1] != '"' ||
        p[name.len + 2] != ':') {
        return false;
    }
    p++;
    if (name.len >= 8) { /* two overlapping words at a time: names are short */
        size_t at = 0;
        uint64_t a, b;
        for (; at + 8 <= name.len; at += 8) {
            memcpy(&a, p + at, 8);
            memcpy(&b, name.data + at, 8);
            if (a != b) {
                return false;
            }
        }
        memcpy(&a, p + name.len - 8, 8);
        memcpy(&b, name.data + name.len - 8, 8);
        if (a != b) {
            return false;
        }
    } else {
        for (size_t i = 0; i < name.len; i++) {
            if (p[i] != name.data[i]) {
                return false;
            }
        }
    }
    j->p = p + name.len + 2;
    return true;
}
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
