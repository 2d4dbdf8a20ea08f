/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: reading and writing JSON text.
 */
#include "expr/json.h"

#include "base/utf8.h"
#include "expr/number_text.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

bool
nb_json_skip_comment(nb_json *j)
{
    const char *at;

    if (j->end - j->p < 2 || j->p[0] != '/' || (j->p[1] != '/' && j->p[1] != '*')) {
        return false;
    }
    at = j->p[1] == '/' ? memchr(j->p, '\n', (size_t)(j->end - j->p))
                        : memmem(j->p + 2, (size_t)(j->end - j->p) - 2, "*/", 2);
    j->p = at == NULL ? j->end : at + (j->p[1] == '/' ? 1 : 2);
    return true;
}

/* \uXXXX, perhaps two of them; lone surrogates become '?', as in Java's encoder. */
static bool
unicode_escape(nb_json *j, nb_strbuf *out)
{
    int c = j->end - j->p >= 4 ? (int)nb_hex_number(j->p, 4) : -1;

    if (c < 0) {
        return false;
    }
    j->p += 4;
    if (c >= 0xD800 && c < 0xDC00 && j->end - j->p >= 6 && j->p[0] == '\\' && j->p[1] == 'u') {
        int low = (int)nb_hex_number(j->p + 2, 4);
        if (low >= 0xDC00 && low < 0xE000) {
            j->p += 6;
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    if (out) {
        char text[4];

        nb_strbuf_add(
            out,
            (nb_str){text, nb_utf8_encode(c >= 0xD800 && c < 0xE000 ? '?' : (uint32_t)c, text)});
    }
    return true;
}

#define BYTES(c) (0x0101010101010101u * (uint64_t)(c))

/* A high bit for each byte of w that is b; higher bytes than the first such may be wrong. */
NB_INLINE uint64_t
bytes_equal(uint64_t w, unsigned char b)
{
    uint64_t x = w ^ BYTES(b);

    return (x - BYTES(1)) & ~x & BYTES(0x80);
}

/* The first byte from p on that a string cannot just go on with: its quote, a backslash, a control character; or end. */
NB_INLINE const char *
plain_end(const char *p, const char *end, char quote)
{
#if defined(__x86_64__)
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(quote)),
                                   _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        int found;

        odd = _mm_or_si128(odd, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
        found = _mm_movemask_epi8(odd);
        if (found) {
            return p + __builtin_ctz((unsigned)found);
        }
        p += 16;
    }
#endif
    while (end - p >= 8) {
        uint64_t w, odd;

        memcpy(&w, p, 8);
        odd = bytes_equal(w, (unsigned char)quote) | bytes_equal(w, '\\') |
              ((w - BYTES(0x20)) & ~w & BYTES(0x80));
        if (odd) {
            return p + (__builtin_ctzll(odd) >> 3);
        }
        p += 8;
    }
    while (p < end && *p != quote && *p != '\\' && (unsigned char)*p >= 0x20) {
        p++;
    }
    return p;
}

NB_INLINE bool
opens_string(nb_json *j, char *quote)
{
    nb_json_skip_space(j);
    if (j->p == j->end ||
        (*j->p != '"' && (*j->p != '\'' || j->rules & NB_JSON_DOUBLE_QUOTES_ONLY))) {
        return false;
    }
    *quote = *j->p++;
    return true;
}

bool
nb_json_string(nb_json *j, nb_strbuf *out)
{
    char quote;

    if (!opens_string(j, &quote)) {
        return false;
    }
    for (;;) {
        const char *from = j->p;
        j->p = plain_end(j->p, j->end, quote);
        while (j->rules & NB_JSON_CONTROLS && j->p < j->end && (unsigned char)*j->p < 0x20) {
            j->p = plain_end(j->p + 1, j->end, quote);
        }
        if (out && j->p > from) {
            nb_strbuf_add(out, (nb_str){from, (size_t)(j->p - from)});
        }
        if (j->p == j->end || (unsigned char)*j->p < 0x20) {
            return false;
        }
        if (*j->p++ == quote) {
            return true;
        }
        if (j->p == j->end) {
            return false;
        }
        char c = *j->p++;
        switch (c) {
        case 'b': c = '\b'; break;
        case 'f': c = '\f'; break;
        case 'n': c = '\n'; break;
        case 'r': c = '\r'; break;
        case 't': c = '\t'; break;
        case '"':
        case '\\':
        case '/': break;
        case '\'':
            if (quote != '\'' && !(j->rules & NB_JSON_ANY_ESCAPE)) {
                return false;
            }
            break;
        case 'u':
            if (!unicode_escape(j, out)) {
                return false;
            }
            continue;
        default:
            if (!(j->rules & NB_JSON_ANY_ESCAPE)) {
                return false;
            }
        }
        if (out) {
            nb_strbuf_addc(out, c);
        }
    }
}

bool
nb_json_name_is_plain(nb_str name)
{
    return plain_end(name.data, name.data + name.len, '"') == name.data + name.len;
}

/* A string that nobody wants. */
static bool
skip_string(nb_json *j)
{
    const char *to;
    char quote;

    if (!opens_string(j, &quote)) {
        return false;
    }
    to = plain_end(j->p, j->end, quote);
    if (to < j->end && *to == quote) {
        j->p = to + 1;
        return true;
    }
    j->p--;
    return nb_json_string(j, NULL);
}

bool
nb_json_string_at(nb_json *j, nb_strbuf *side, nb_str *out)
{
    const char *from, *to;
    char quote;

    if (!opens_string(j, &quote)) {
        return false;
    }
    from = j->p;
    to = plain_end(from, j->end, quote);
    if (to < j->end && *to == quote) {
        *out = (nb_str){from, (size_t)(to - from)};
        j->p = to + 1;
        return true;
    }
    j->p = from - 1;
    side->len = 0;
    if (!nb_json_string(j, side)) {
        return false;
    }
    *out = nb_strbuf_str(side);
    return true;
}

/* Consumes what stands between a name and its value. */
static bool
colon(nb_json *j)
{
    nb_json_skip_space(j);
    if (j->p == j->end || *j->p != ':') {
        return false;
    }
    j->p++;
    return true;
}

bool
nb_json_name_at(nb_json *j, nb_strbuf *side, nb_str *out)
{
    nb_json_skip_space(j);
    if (j->rules & NB_JSON_BARE_NAMES && j->p < j->end && *j->p != '"' && *j->p != '\'') {
        const char *from = j->p;

        while (j->p < j->end && (nb_is_word(*j->p) || *j->p == '$' ||
                                 (*j->p == '-' && j->p > from) || (unsigned char)*j->p >= 0x80)) {
            j->p++;
        }
        *out = (nb_str){from, (size_t)(j->p - from)};
        if (out->len == 0) {
            return false;
        }
    } else if (!nb_json_string_at(j, side, out)) {
        return false;
    }
    return colon(j);
}

/* Behind the digits at p. */
NB_INLINE const char *
digits_end(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t w, odd;

        memcpy(&w, p, 8);
        w ^= BYTES('0');
        odd = (w | (w + BYTES(0x76))) &
              BYTES(0x80); /* what is carried reaches bytes behind the first such only */
        if (odd) {
            return p + (__builtin_ctzll(odd) >> 3);
        }
        p += 8;
    }
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

/* A number or word must be followed by something that is no part of it. */
static bool
ends_here(const nb_json *j)
{
    static const bool ends[256] = {
        ['\0'] = true, [' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true,
        [','] = true,  [']'] = true, ['}'] = true,  [':'] = true};

    return j->p == j->end || ends[(unsigned char)*j->p] ||
           (*j->p == '/' && j->rules & NB_JSON_COMMENTS);
}

/* NaN, INF, Infinity with or without a sign. */
static bool
not_finite(nb_json *j, nb_str *text)
{
    static const char *const WORDS[] = {"NaN", "Infinity", "-Infinity", "+Infinity",
                                        "INF", "-INF",     "+INF"};

    for (size_t i = 0; i < NB_COUNT_OF(WORDS); i++) {
        size_t n = strlen(WORDS[i]);

        if ((size_t)(j->end - j->p) >= n && memcmp(j->p, WORDS[i], n) == 0) {
            *text = (nb_str){j->p, n};
            j->p += n;
            return ends_here(j);
        }
    }
    return false;
}

nb_json_kind
nb_json_number(nb_json *j, nb_str *text)
{
    nb_json_kind kind = NB_JSON_INT;
    const char *from, *p, *digits, *end = j->end;

    nb_json_skip_space(j);
    from = p = j->p;
    if (p < end && *p == '-') {
        p++;
    }
    digits = p;
    p = digits_end(p, end);
    if (p == digits) {
        return j->rules & NB_JSON_NOT_FINITE && not_finite(j, text) ? NB_JSON_FLOAT : NB_JSON_BAD;
    }
    if (*digits == '0' && !(j->rules & NB_JSON_LEADING_ZEROS)) {
        p = digits + 1;
    }
    if (p < end && *p == '.') {
        kind = NB_JSON_FLOAT;
        digits = ++p;
        p = digits_end(p, end);
        if (p == digits) {
            return NB_JSON_BAD;
        }
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        kind = NB_JSON_FLOAT;
        p++;
        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }
        digits = p;
        p = digits_end(p, end);
        if (p == digits) {
            return NB_JSON_BAD;
        }
    }
    j->p = p;
    *text = (nb_str){from, (size_t)(p - from)};
    return ends_here(j) ? kind : NB_JSON_BAD;
}

bool
nb_json_word(nb_json *j, const char *word)
{
    size_t n = strlen(word);

    nb_json_skip_space(j);
    if ((size_t)(j->end - j->p) < n || memcmp(j->p, word, n) != 0) {
        return false;
    }
    j->p += n;
    return ends_here(j);
}

bool
nb_json_enter(nb_json *j)
{
    nb_json_skip_space(j);
    if (j->depth >= (j->max_depth > 0 ? j->max_depth : NB_JSON_DEPTH)) {
        return false;
    }
    j->depth++;
    j->p++;
    return true;
}

bool
nb_json_name(nb_json *j, nb_strbuf *out)
{
    nb_strbuf side = {0};
    nb_str name;
    bool ok;

    if (j->rules & NB_JSON_BARE_NAMES) {
        ok = nb_json_name_at(j, &side, &name);
        if (ok && out) {
            nb_strbuf_add(out, name);
            out->failed |= side.failed;
        }
        nb_strbuf_free(&side);
        return ok;
    }
    if (!(out ? nb_json_string(j, out) : skip_string(j))) {
        return false;
    }
    return colon(j);
}

/* Consumes one value and writes it. */
static bool
walk(nb_json *j, nb_strbuf *out)
{
    nb_strbuf text = {0};
    nb_json_kind kind = nb_json_peek(j);
    bool first = true, bad = false, ok = true;
    nb_str number;

    switch (kind) {
    case NB_JSON_OBJECT:
    case NB_JSON_ARRAY: {
        bool object = kind == NB_JSON_OBJECT;
        if (!nb_json_enter(j)) {
            return false;
        }
        nb_strbuf_addc(out, object ? '{' : '[');
        for (bool comma = false; ok && nb_json_more(j, object ? '}' : ']', &first, &bad);
             comma = true) {
            if (comma) {
                nb_strbuf_addc(out, ',');
            }
            if (object) {
                text.len = 0;
                ok = nb_json_name(j, &text);
                if (ok) {
                    nb_json_put_string(out, nb_strbuf_str(&text));
                    nb_strbuf_addc(out, ':');
                    out->failed |= text.failed;
                }
            }
            ok = ok && walk(j, out);
        }
        nb_strbuf_addc(out, object ? '}' : ']');
        nb_strbuf_free(&text);
        return ok && !bad;
    }
    case NB_JSON_STRING:
        ok = nb_json_string(j, &text);
        if (ok) {
            nb_json_put_string(out, nb_strbuf_str(&text));
            out->failed |= text.failed;
        }
        nb_strbuf_free(&text);
        return ok;
    case NB_JSON_TRUE:
    case NB_JSON_FALSE:
    case NB_JSON_NULL: {
        const char *word = kind == NB_JSON_TRUE ? "true" : kind == NB_JSON_FALSE ? "false" : "null";
        nb_strbuf_adds(out, word);
        return nb_json_word(j, word);
    }
    case NB_JSON_BAD: return false;
    default:
        kind = nb_json_number(j, &number);
        if (kind == NB_JSON_INT) {
            nb_strbuf_add(out, number);
        } else if (kind == NB_JSON_FLOAT) {
            /* Jackson copies fractions through double. */
            char shown[32];
            double x;
            if (nb_parse_double(number.data, number.len, &x) && x - x == 0) {
                nb_strbuf_add(out, (nb_str){shown, (size_t)nb_format_double(shown, x)});
            } else {
                nb_strbuf_add(out, number);
            }
        }
        return kind != NB_JSON_BAD;
    }
}

bool
nb_json_skip(nb_json *j)
{
    nb_json_kind kind = nb_json_peek(j);
    bool object = kind == NB_JSON_OBJECT, first = true, bad = false;
    nb_str text;

    switch (kind) {
    case NB_JSON_OBJECT:
    case NB_JSON_ARRAY:
        if (!nb_json_enter(j)) {
            return false;
        }
        while (nb_json_more(j, object ? '}' : ']', &first, &bad)) {
            if ((object && !nb_json_name(j, NULL)) || !nb_json_skip(j)) {
                return false;
            }
        }
        return !bad;
    case NB_JSON_STRING: return skip_string(j);
    case NB_JSON_TRUE: return nb_json_word(j, "true");
    case NB_JSON_FALSE: return nb_json_word(j, "false");
    case NB_JSON_NULL: return nb_json_word(j, "null");
    case NB_JSON_BAD: return false;
    default: return nb_json_number(j, &text) != NB_JSON_BAD;
    }
}

bool
nb_json_copy(nb_json *j, nb_strbuf *out)
{
    return walk(j, out);
}

void
nb_json_put_string(nb_strbuf *out, nb_str s)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t from = 0;

    nb_strbuf_addc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        nb_strbuf_add(out, (nb_str){s.data + from, i - from});
        from = i + 1;
        nb_strbuf_addc(out, '\\');
        switch (c) {
        case '"':
        case '\\': nb_strbuf_addc(out, (char)c); break;
        case '\b': nb_strbuf_addc(out, 'b'); break;
        case '\f': nb_strbuf_addc(out, 'f'); break;
        case '\n': nb_strbuf_addc(out, 'n'); break;
        case '\r': nb_strbuf_addc(out, 'r'); break;
        case '\t': nb_strbuf_addc(out, 't'); break;
        default:
            nb_strbuf_adds(out, "u00");
            nb_strbuf_addc(out, hex[c >> 4]);
            nb_strbuf_addc(out, hex[c & 15]);
        }
    }
    if (s.len > from) {
        nb_strbuf_add(out, (nb_str){s.data + from, s.len - from});
    }
    nb_strbuf_addc(out, '"');
}

void
nb_json_escape_from(nb_strbuf *out, size_t from)
{
    nb_strbuf plain = {0};
    const char *p, *end;

    if (out->failed || from >= out->len) {
        return;
    }
    nb_strbuf_add(&plain, (nb_str){out->data + from, out->len - from});
    out->len = from;
    p = plain.data;
    end = p ? p + plain.len : p;
    while (p < end) {
        unsigned char c = (unsigned char)*p;
        int n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        uint32_t v = n == 1 ? c : c & (0x7Fu >> n);

        if (n == 1 || end - p < n) {
            nb_strbuf_addc(out, (char)c);
            p++;
            continue;
        }
        for (int i = 1; i < n; i++) {
            v = v << 6 | ((unsigned char)p[i] & 0x3F);
        }
        if (v >= 0x10000) {
            nb_strbuf_addf(out, "\\u%04X", 0xD800 + ((v - 0x10000) >> 10));
            v = 0xDC00 + ((v - 0x10000) & 0x3FF);
        }
        nb_strbuf_addf(out, "\\u%04X", v);
        p += n;
    }
    out->failed |= plain.failed;
    nb_strbuf_free(&plain);
}
