/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokenizer.c: the state machine for records with quotes, escapes and everything that goes wrong with them.
 *
 * Its states and their order follow from how univocity-parsers, the library that Spark reads CSV with, behaves (checked against Spark on generated files):
 * what a quote means depends on the character before it, a value that turns out not to be quoted after all is taken up again as plain text, and
 * the end of the input inside a value keeps what was collected. Functions return false when the input ended under them; `ch` then still is
 * the character before the end, which end_of_input needs.
 */
#include "io/csv/tokenizer.h"

#define MAX_NESTING \
    1000000 /* re-entries for one value; each consumes input, so this is a safety net only */

void
nb_csv_tokenizer_init(nb_csv_tokenizer *t, nb_pool *pool, const nb_csv_options *o)
{
    memset(t, 0, sizeof(*t));
    t->o = o;
    t->pool = pool;
    t->nl1 = '\n';
    t->newline = '\n';
    if (o->line_sep.data != NULL) {
        t->nl1 = (unsigned char)o->line_sep.data[0];
        t->nl2 = o->line_sep.len > 1 ? (unsigned char)o->line_sep.data[1] : 0;
        t->newline = t->nl2 ? '\n' : t->nl1;
    }
}

void
nb_csv_tokenizer_free(nb_csv_tokenizer *t)
{
    if (t->cells) {
        nb_pool_dealloc(t->pool, t->cells, (size_t)t->cap_cells * sizeof(*t->cells));
    }
    if (t->side) {
        nb_pool_dealloc(t->pool, t->side, t->side_cap);
    }
    if (t->held) {
        nb_pool_dealloc(t->pool, t->held, (size_t)t->cap_held * sizeof(*t->held));
    }
    if (t->held_text) {
        nb_pool_dealloc(t->pool, t->held_text, t->cap_held_text);
    }
    t->cells = t->held = NULL;
    t->side = t->held_text = NULL;
    t->cap_cells = t->cap_held = t->n_held = 0;
    t->side_cap = t->cap_held_text = 0;
}

void
nb_csv_tokenizer_reset(nb_csv_tokenizer *t)
{
    t->side_len = t->side_used = 0;
}

void
nb_csv_detect_newline(nb_csv_tokenizer *t, const char *p, size_t n)
{
    if (t->o->line_sep.data != NULL) {
        return;
    }
    t->nl1 = '\n';
    t->nl2 = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n' || p[i] == '\r') {
            t->nl1 = p[i];
            t->nl2 = p[i] == '\r' && i + 1 < n && p[i + 1] == '\n' ? '\n' : 0;
            return;
        }
    }
}

/* ---- input -------------------------------------------------------------------------------------------------------------------- */

/* Decodes the character at p; bytes that are not UTF-8 are numbers above the range of Unicode and come out as U+FFFD. */
NB_INLINE int32_t
decode(const char *p, const char *end, int *n)
{
    unsigned char c = (unsigned char)*p;
    int len = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    int32_t v;

    *n = 1;
    if (NB_LIKELY(c < 0x80)) {
        return c;
    }
    if (c < 0xC2 || c > 0xF4 || end - p < len) {
        return 0x110000 + c;
    }
    v = len == 2 ? c & 31 : len == 3 ? c & 15 : c & 7;
    for (int i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0x110000 + c;
        }
        v = v << 6 | (p[i] & 63);
    }
    *n = len;
    return v;
}

NB_INLINE bool
next_char(nb_csv_tokenizer *t, int32_t *out)
{
    int n;

    if (NB_UNLIKELY(t->p >= t->end)) {
        return false;
    }
    *out = decode(t->p, t->end, &n);
    t->p += n;
    if (*out == t->nl1 && t->normalize) {
        if (t->nl2 == 0) {
            *out = t->newline;
        } else if (t->p < t->end && (unsigned char)*t->p == t->nl2) {
            t->p++;
            *out = t->newline;
        }
    }
    return true;
}

#define NEXT(t)                        \
    do {                               \
        if (!next_char(t, &(t)->ch)) { \
            return false;              \
        }                              \
    } while (0)

/* ---- output ------------------------------------------------------------------------------------------------------------------- */

static bool
side_room(nb_csv_tokenizer *t, size_t n)
{
    if (t->side_len + n > t->side_cap) {
        size_t cap = NB_MAX(t->side_cap * 2, t->side_len + n + 4096);
        char *side = cap < NB_CELL_MAX ? nb_pool_realloc(t->pool, t->side, t->side_cap, cap) : NULL;
        if (side == NULL) {
            t->no_memory = true;
            return false;
        }
        t->side = side;
        t->side_cap = cap;
    }
    return true;
}

static size_t
encode(int32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    if (c >= 0x110000) {
        memcpy(out, "\xEF\xBF\xBD", 3);
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

NB_INLINE void
append(nb_csv_tokenizer *t, int32_t c)
{
    if (NB_LIKELY(t->side_len + 4 <= t->side_cap) || side_room(t, 4)) {
        t->side_len += encode(c, t->side + t->side_len);
    }
}

static void
append_bytes(nb_csv_tokenizer *t, const char *p, size_t n)
{
    if (n && side_room(t, n)) {
        memcpy(t->side + t->side_len, p, n);
        t->side_len += n;
    }
}

/* Takes note of t->p, so that what has been consumed can be appended at once. */
static void
prepend(nb_csv_tokenizer *t, int32_t c)
{
    char text[4];
    size_t n = encode(c, text);

    if (side_room(t, n)) {
        memmove(t->side + t->value + n, t->side + t->value, t->side_len - t->value);
        memcpy(t->side + t->value, text, n);
        t->side_len += n;
    }
}

NB_INLINE size_t
value_len(const nb_csv_tokenizer *t)
{
    return t->side_len - t->value - t->blanks;
}

static void
count_blanks(nb_csv_tokenizer *t)
{
    size_t n = t->side_len;

    while (n > t->value && (unsigned char)t->side[n - 1] <= ' ') {
        n--;
    }
    t->blanks = t->side_len - n;
}

static void
put_cell(nb_csv_tokenizer *t, uint32_t off, uint32_t len)
{
    if (t->n_cells >= t->o->max_columns) {
        t->fault = NB_CSV_TOO_MANY_COLUMNS;
        return;
    }
    if (t->n_cells == t->cap_cells) {
        int cap = t->cap_cells ? t->cap_cells * 2 : 64;
        nb_csv_cell *cells = nb_pool_realloc(
            t->pool, t->cells, (size_t)t->cap_cells * sizeof(*cells), (size_t)cap * sizeof(*cells));
        if (cells == NULL) {
            t->no_memory = true;
            return;
        }
        t->cells = cells;
        t->cap_cells = cap;
    }
    t->cells[t->n_cells++] = (nb_csv_cell){off, len};
}

static void
empty_parsed(nb_csv_tokenizer *t)
{
    put_cell(t, 0, NB_CELL_NULL);
    t->skip_value = false;
}

/* UTF-16 units, as Java counts. */
static size_t
n_units(const char *p, size_t n)
{
    size_t units = 0;

    for (size_t i = 0; i < n; i++) {
        units += ((unsigned char)p[i] & 0xC0) != 0x80;
        units += (unsigned char)p[i] >= 0xF0;
    }
    return units;
}

static void
value_parsed(nb_csv_tokenizer *t)
{
    size_t len;

    if (t->skip_value) {
        t->side_len = t->value;
        t->blanks = 0;
        empty_parsed(t);
        return;
    }
    len = t->side_len - t->value;
    if (t->o->max_chars >= 0 && len > (size_t)t->o->max_chars &&
        n_units(t->side + t->value, len) > (size_t)t->o->max_chars) {
        t->fault = NB_CSV_TOO_LONG;
    }
    if (t->trim) {
        count_blanks(t);
    }
    len = value_len(t);
    if (len == 0) {
        t->side_len = t->value;
        append_bytes(t, t->o->empty_read.data, t->o->empty_read.len);
        len = t->side_len - t->value;
    }
    if (len == 0) {
        put_cell(t, 0, 0); /* no text: it needs no side buffer, which may not exist yet */
    } else {
        put_cell(t, (uint32_t)t->value, (uint32_t)len | NB_CELL_SIDE);
    }
    t->value = t->side_len;
    t->blanks = 0;
}

/* Is one of n bytes one of these, or not ASCII? Without branches, so that it is done for many bytes at once. */
NB_INLINE bool
any_of(const char *p, size_t n, unsigned char a, unsigned char b, unsigned char c, unsigned char d)
{
    unsigned char hit = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)p[i];
        hit |= (unsigned char)((x == a) | (x == b) | (x == c) | (x == d) | (x >= 0x80));
    }
    return hit != 0;
}

/* Appends the ASCII characters that come next and are neither line breaks nor one of these (those that are not ASCII stop it anyhow):
 * what next_char and append would do one by one. */
static void
append_run(nb_csv_tokenizer *t, int32_t a, int32_t b, int32_t c)
{
    enum { PIECE = 64 };
    const char *p = t->p;
    unsigned char stop[4];

    stop[0] = (unsigned char)(a >= 0 && a < 0x80 ? a : t->nl1);
    stop[1] = (unsigned char)(b >= 0 && b < 0x80 ? b : t->nl1);
    stop[2] = (unsigned char)(c >= 0 && c < 0x80 ? c : t->nl1);
    stop[3] = (unsigned char)t->nl1;
    while (t->end - p >= PIECE && !any_of(p, PIECE, stop[0], stop[1], stop[2], stop[3])) {
        p += PIECE;
    }
    append_bytes(t, t->p, (size_t)(p - t->p));
    t->p = p;
}

static bool
append_until(nb_csv_tokenizer *t, int32_t ch, int32_t a, int32_t b, int32_t c)
{
    while (ch != a && ch != b && ch != c) {
        append(t, ch);
        append_run(t, a, b, c);
        if (!next_char(t, &ch)) {
            return false;
        }
    }
    t->ch = ch;
    return true;
}

/* ---- delimiters of several characters ---------------------------------------------------------------------------------------- */

/* Does the delimiter begin at ch (already read)? Then it is consumed to its end. */
static bool
at_delimiter(nb_csv_tokenizer *t)
{
    nb_str sep = t->o->sep;
    char first[4];
    size_t n = encode(t->ch, first);

    if (t->sep_off) {
        return t->ch == 0;
    }
    if (n > sep.len || memcmp(first, sep.data, n) != 0) {
        return false;
    }
    if ((size_t)(t->end - t->p) < sep.len - n || memcmp(t->p, sep.data + n, sep.len - n) != 0) {
        return false;
    }
    t->p += sep.len - n;
    return true;
}

/* ---- values ------------------------------------------------------------------------------------------------------------------- */

static bool parse_quoted(nb_csv_tokenizer *t, int depth);

NB_INLINE bool
is_blank(int32_t c)
{
    return c <= ' ';
}

/* From ch on to the delimiter or line break; ch is DELIMITER or newline behind it. */
#define DELIMITER (-2)

NB_INLINE void
classify(nb_csv_tokenizer *t)
{
    if (t->ch != t->newline && at_delimiter(t)) {
        t->ch = DELIMITER;
    }
}

/* How far a plain value reaches when it is looked for at once: to the delimiter or the file's own line break. A \n that is not
 * the file's line break belongs to the value then. False: neither is there before the end. */
static bool
look_ahead(const nb_csv_tokenizer *t, const char *from, const char **stop)
{
    char sep = t->o->sep.data[0];

    for (const char *p = from; p < t->end; p++) {
        while (t->end - p > 64 && !any_of(p, 64, (unsigned char)sep, (unsigned char)t->nl1,
                                          (unsigned char)sep, (unsigned char)sep)) {
            p += 64;
        }
        if (*p == sep || ((unsigned char)*p == t->nl1 &&
                          (t->nl2 == 0 || (p + 1 < t->end && (unsigned char)p[1] == t->nl2)))) {
            *stop = p;
            return true;
        }
    }
    return false;
}

static bool
append_plain(nb_csv_tokenizer *t, int32_t ch)
{
    int32_t saved = t->ch;
    const char *stop, *from;

    t->ch = ch;
    if (t->own_breaks && !t->sep_off) {
        if (t->ch != t->newline && at_delimiter(t)) {
            t->ch = DELIMITER;
            return true;
        }
        if (look_ahead(t, t->p, &stop)) {
            append(t, t->ch);
            append_bytes(t, t->p, (size_t)(stop - t->p));
            t->p = stop;
            NEXT(t);
            classify(t);
            return true;
        }
        if (t->more) {
            t->ch = saved;
            return false;
        }
    }
    for (;;) {
        if (t->ch == t->newline) {
            return true;
        }
        if (at_delimiter(t)) {
            t->ch = DELIMITER;
            return true;
        }
        append(t, t->ch);
        from = t->p;
        append_run(t, (unsigned char)t->o->sep.data[0], t->newline, 0);
        t->ch = t->p > from ? (unsigned char)t->p[-1] : t->ch;
        if (!next_char(t, &t->ch)) {
            if (t->o->sep.len == 1 || t->sep_off) {
                t->ch =
                    saved; /* with a long delimiter the last character counts: a quote there is doubled */
            }
            return false;
        }
    }
}

static bool
skip_rest(nb_csv_tokenizer *t)
{
    t->side_len = t->value;
    t->skip_value = true;
    classify(t);
    while (t->ch != DELIMITER && t->ch != t->newline) {
        NEXT(t);
        classify(t);
    }
    return true;
}

/* Where the next delimiter or line break lies in the value collected so far; its length through n. */
static bool
find_in_value(const nb_csv_tokenizer *t, size_t *at, size_t *n, bool *is_newline)
{
    nb_str sep = t->o->sep;

    for (size_t i = t->value; i < t->side_len; i++) {
        if ((unsigned char)t->side[i] == t->newline) {
            *at = i;
            *n = 1;
            *is_newline = true;
            return true;
        }
        if (t->side_len - i >= sep.len && memcmp(t->side + i, sep.data, sep.len) == 0) {
            *at = i;
            *n = sep.len;
            *is_newline = false;
            return true;
        }
    }
    return false;
}

/* A quote inside a quoted value that nothing escapes. */
static bool
unescaped_quote(nb_csv_tokenizer *t, int depth)
{
    size_t at, n;
    bool newline;

    t->unescaped = true;
    switch (t->o->unescaped_quotes) {
    case NB_QUOTES_BACK_TO_DELIMITER:
        /* What was collected becomes as many values as it has delimiters; the rest is taken up again. */
        while (find_in_value(t, &at, &n, &newline)) {
            put_cell(t, (uint32_t)t->value, (uint32_t)(at - t->value) | NB_CELL_SIDE);
            t->value = at + n;
            if (newline && t->row_end == 0) {
                t->row_end = t->n_cells; /* only the first line becomes a record of its own */
            }
        }
        append(t, t->ch);
        t->prev = 0;
        return parse_quoted(t, depth + 1);
    case NB_QUOTES_STOP_AT_CLOSING_QUOTE:
    case NB_QUOTES_STOP_AT_DELIMITER:
        append(t, t->o->quote);
        append(t, t->ch);
        t->prev = t->ch;
        return parse_quoted(t, depth + 1);
    case NB_QUOTES_SKIP_VALUE: return skip_rest(t);
    case NB_QUOTES_RAISE_ERROR: t->fault = NB_CSV_BAD_QUOTE; return true;
    }
    return true;
}

/* What a quote or escape at ch means, given the character before it; true: it was dealt with, false: it is a
 * character behind an unescaped quote. */
static bool
quote_or_escape(nb_csv_tokenizer *t)
{
    const nb_csv_options *o = t->o;

    if (t->ch == o->escape && t->prev == o->escape_escape && o->escape_escape != 0) {
        append(t, o->escape);
        t->ch = 0;
    } else if (t->prev == o->escape) {
        if (t->ch == o->quote) {
            append(t, o->quote);
            t->ch = 0;
        } else {
            append(t, t->prev);
        }
    } else if (t->ch == o->quote && t->prev == o->quote) {
        append(t, o->quote);
    } else if (t->prev == o->quote) {
        return false;
    }
    return true;
}

/* An escape behind an unescaped quote: the value goes on as plain text with escapes. Each such place passes over one more
 * delimiter (`levels`), and with a delimiter of several characters no delimiter is seen at all. */
static bool
unescaped_in_value(nb_csv_tokenizer *t)
{
    const nb_csv_options *o = t->o;
    bool off = t->sep_off;
    int levels = 0;

    if (o->unescaped_quotes == NB_QUOTES_SKIP_VALUE) {
        return skip_rest(t);
    }
    if (o->unescaped_quotes == NB_QUOTES_RAISE_ERROR) {
        t->fault = NB_CSV_BAD_QUOTE;
        return true;
    }
    t->sep_off |= o->sep.len > 1;
    append(t, o->quote);
    t->prev = t->ch;
    while (!t->no_memory) {
        classify(t);
        if (t->ch == DELIMITER || t->ch == t->newline) {
            if (levels == 0) {
                break;
            }
            levels--;
        } else if (t->ch != o->quote && t->ch != o->escape) {
            if (t->prev == o->quote) {
                append(t, o->quote);
            }
            append(t, t->ch);
        } else if (!quote_or_escape(t)) {
            append(t, o->quote);
            t->prev = t->ch;
            levels++;
            continue;
        }
        t->prev = t->ch;
        NEXT(t);
    }
    t->sep_off = off;
    return true;
}

/* Behind the opening quote (prev 0), or again after something odd (prev = the character that was appended last). */
static bool
parse_quoted(nb_csv_tokenizer *t, int depth)
{
    const nb_csv_options *o = t->o;
    bool until_delimiter = o->unescaped_quotes == NB_QUOTES_STOP_AT_DELIMITER ||
                           o->unescaped_quotes == NB_QUOTES_SKIP_VALUE ||
                           o->unescaped_quotes == NB_QUOTES_BACK_TO_DELIMITER;
    size_t blanks_from;

    if (depth > MAX_NESTING) {
        t->fault = NB_CSV_BAD_QUOTE;
        return true;
    }
again:
    if (t->prev != 0 && until_delimiter) {
        if (o->unescaped_quotes == NB_QUOTES_SKIP_VALUE) {
            return skip_rest(t);
        }
        prepend(t, o->quote);
        NEXT(t);
        t->trim = o->read_trim_trailing;
        return append_plain(t, t->ch);
    }
    NEXT(t);
    for (;;) {
        if (t->no_memory || t->fault) {
            return true;
        }
        if (t->prev == o->quote && o->quote != 0) {
            if (t->ch != t->newline && at_delimiter(t)) {
                t->ch = DELIMITER;
                break;
            }
            if (is_blank(t->ch) || t->ch == t->newline) {
                break;
            }
        }
        if (t->ch != o->quote && t->ch != o->escape) {
            if (t->prev == o->quote) {
                if (o->unescaped_quotes == NB_QUOTES_STOP_AT_CLOSING_QUOTE) {
                    /* The recursion of unescaped_quote without its stack: such values may hold millions of quotes. */
                    t->unescaped = true;
                    append(t, o->quote);
                    append(t, t->ch);
                    t->prev = t->ch;
                    goto again;
                }
                return unescaped_quote(t, depth);
            }
            if (t->prev == o->escape && o->escape != 0) {
                append(t, o->escape);
            }
            if (!append_until(t, t->ch, o->quote, o->escape, o->escape_escape)) {
                return false;
            }
            t->prev = t->ch;
            NEXT(t);
        } else {
            if (!quote_or_escape(t) && !unescaped_in_value(t)) {
                return false;
            }
            t->prev = t->ch;
            NEXT(t);
            if (t->unescaped) {
                classify(t);
                if (t->ch == DELIMITER || t->ch == t->newline) {
                    return true;
                }
            }
        }
    }
    /* White space behind the closing quote does not count, unless more follows. */
    if (t->ch == DELIMITER || t->ch == t->newline || !is_blank(t->ch)) {
        return true;
    }
    blanks_from = t->side_len;
    append(t, o->quote);
    do {
        append(t, t->ch);
        if (!next_char(t, &t->ch)) {
            t->side_len = blanks_from;
            return false;
        }
        classify(t);
        if (t->ch == t->newline || t->ch == DELIMITER) {
            t->side_len = blanks_from;
            return true;
        }
    } while (is_blank(t->ch));
    if (o->unescaped_quotes == NB_QUOTES_RAISE_ERROR) {
        t->fault = NB_CSV_BAD_QUOTE;
        return true;
    }
    if (until_delimiter || (t->ch != o->quote && t->ch != o->escape)) {
        append(t, t->ch);
    }
    t->prev = t->ch;
    t->sep_off |= o->sep.len > 1; /* from here on a long delimiter is not looked for any more */
    depth++;
    goto again;
}

/* ---- records ------------------------------------------------------------------------------------------------------------------ */

static bool
skip_blanks(nb_csv_tokenizer *t)
{
    while (is_blank(t->ch) && t->ch != t->newline && t->ch != t->o->quote && t->ch != DELIMITER) {
        const char *here = t->p;
        if (at_delimiter(t)) {
            t->p = here; /* a tab that is the delimiter */
            return true;
        }
        NEXT(t);
    }
    return true;
}

/* A quoted value without anything odd, whose closing quote has a delimiter or line break behind it, is taken as it stands. For most the
 * long way gives the same; not for empty values without an escape character, nor for NUL where nothing escapes the escape. */
static bool
simple_quoted(nb_csv_tokenizer *t)
{
    const nb_csv_options *o = t->o;
    const char *p = t->p;

    if (o->sep.len != 1 || o->quote >= 0x80 || o->escape >= 0x80 || o->escape_escape >= 0x80) {
        return false;
    }
    for (;; p++) {
        if (p >= t->end) {
            return false;
        }
        if (*p == (char)o->quote) {
            if (p[-1] == (char)o->escape || p + 1 >= t->end ||
                (p[1] != o->sep.data[0] && (unsigned char)p[1] != t->newline)) {
                return false;
            }
            break;
        }
        if (*p == (char)o->escape && p + 1 < t->end &&
            (p[1] == (char)o->quote || p[1] == (char)o->escape_escape)) {
            return false;
        }
        if ((unsigned char)*p == t->nl1 && t->normalize &&
            (t->nl2 == 0 || (p + 1 < t->end && (unsigned char)p[1] == t->nl2))) {
            return false;
        }
    }
    append_bytes(t, t->p, (size_t)(p - t->p));
    t->p = p + 1;
    value_parsed(t);
    return true;
}

static bool
parse_record(nb_csv_tokenizer *t)
{
    const nb_csv_options *o = t->o;

    if (is_blank(t->ch) && o->read_trim_leading && !skip_blanks(t)) {
        return false;
    }
    while (t->ch != t->newline && !t->fault && !t->no_memory) {
        if (is_blank(t->ch) && o->read_trim_leading && !skip_blanks(t)) {
            return false;
        }
        classify(t);
        if (t->ch == DELIMITER || t->ch == t->newline) {
            empty_parsed(t);
        } else {
            t->unescaped = false;
            t->prev = 0;
            t->trim = false;
            if (t->ch == o->quote && o->quote != 0) {
                t->normalize = o->line_sep.data == NULL || !o->multi_line;
                if (simple_quoted(t)) {
                    t->normalize = true;
                    NEXT(t);
                    classify(t);
                    goto behind_value;
                }
                if (!parse_quoted(t, 0)) {
                    t->normalize = true;
                    return false;
                }
                t->normalize = true;
                t->sep_off = false;
                if (!(t->unescaped && o->unescaped_quotes == NB_QUOTES_BACK_TO_DELIMITER &&
                      value_len(t) == 0)) {
                    value_parsed(t);
                }
            } else {
                bool ok;
                t->trim = o->read_trim_trailing && o->sep.len == 1;
                t->own_breaks = o->sep.len == 1 && (t->nl1 != t->newline || t->nl2);
                ok = append_plain(t, t->ch);
                t->own_breaks = false;
                if (!ok) {
                    return false;
                }
                if (o->read_trim_trailing) {
                    count_blanks(t);
                }
                if (value_len(t) == 0) {
                    t->side_len = t->value;
                    t->blanks = 0;
                    empty_parsed(t);
                } else {
                    value_parsed(t);
                }
            }
        }
    behind_value:
        if (t->ch != t->newline) {
            NEXT(t);
            if (t->ch == t->newline) {
                empty_parsed(t);
            }
        }
    }
    return true;
}

/* The input ended inside the record: does what was collected count as a value? */
static void
end_of_input(nb_csv_tokenizer *t)
{
    const nb_csv_options *o = t->o;
    bool consume = false;

    if (t->ch == o->quote && o->quote != 0) {
        if (t->prev == o->quote) {
            consume = true;
        } else if (!t->unescaped) {
            append(t, o->quote);
        }
    }
    if (!consume) {
        consume = t->prev != 0 && t->ch != DELIMITER && t->ch != t->newline &&
                  t->ch != (o->comment ? o->comment : '#');
    }
    if (value_len(t) > 0 || consume) {
        value_parsed(t);
    } else {
        empty_parsed(t);
    }
}

static void
begin_record(nb_csv_tokenizer *t)
{
    t->n_cells = 0;
    t->side_len = t->side_used;
    t->value = t->side_len;
    t->blanks = 0;
    t->unescaped = t->trim = t->skip_value = t->no_memory = t->sep_off = t->own_breaks = false;
    t->normalize = true;
    t->prev = 0;
    t->row_end = 0;
    t->fault = NB_CSV_RECORD;
}

/* Puts what is behind the record's end aside, to begin the next record with. */
static void
hold_rest(nb_csv_tokenizer *t)
{
    int n = t->n_cells - t->row_end;
    size_t from = 0, n_bytes = 0;

    t->n_held = 0;
    if (n > t->cap_held) {
        nb_csv_cell *held = nb_pool_realloc(
            t->pool, t->held, (size_t)t->cap_held * sizeof(*t->held), (size_t)n * sizeof(*t->held));
        if (held == NULL) {
            t->no_memory = true;
            return;
        }
        t->held = held;
        t->cap_held = n;
    }
    for (int i = t->row_end; i < t->n_cells; i++) {
        n_bytes += t->cells[i].len == NB_CELL_NULL ? 0 : NB_CELL_LEN(t->cells[i]);
    }
    if (n_bytes > t->cap_held_text) {
        char *text = nb_pool_realloc(t->pool, t->held_text, t->cap_held_text, n_bytes);
        if (text == NULL) {
            t->no_memory = true;
            return;
        }
        t->held_text = text;
        t->cap_held_text = n_bytes;
    }
    for (int i = 0; i < n; i++) {
        nb_csv_cell c = t->cells[t->row_end + i];
        if (c.len != NB_CELL_NULL && NB_CELL_LEN(c)) {
            memcpy(t->held_text + from, t->side + c.off, NB_CELL_LEN(c));
            c.off = (uint32_t)from;
            from += NB_CELL_LEN(c);
        }
        t->held[i] = c;
    }
    t->n_held = n;
    t->n_cells = t->row_end;
}

/* A record begins with what the last one left. */
static void
take_held(nb_csv_tokenizer *t)
{
    for (int i = 0; i < t->n_held && !t->no_memory; i++) {
        nb_csv_cell c = t->held[i];
        if (c.len != NB_CELL_NULL && NB_CELL_LEN(c)) {
            append_bytes(t, t->held_text + c.off, NB_CELL_LEN(c));
            c.off = (uint32_t)t->value;
            t->value = t->side_len;
        }
        put_cell(t, c.off, c.len);
    }
}

static nb_csv_result
end_record(nb_csv_tokenizer *t)
{
    t->side_used = t->side_len;
    t->n_held = 0;
    if (t->row_end && !t->no_memory && !t->fault) {
        hold_rest(t);
    }
    return t->no_memory ? NB_CSV_NO_MEMORY : t->fault;
}

nb_csv_result
nb_csv_tokenize_line(nb_csv_tokenizer *t, const char *line, size_t n)
{
    begin_record(t);
    t->p = line;
    t->end = line + n;
    t->more = false;
    t->ch = 0;
    if (!next_char(t, &t->ch)) {
        return NB_CSV_NOTHING;
    }
    if (!parse_record(t)) {
        end_of_input(t);
    }
    return end_record(t);
}

nb_csv_result
nb_csv_tokenize_record(nb_csv_tokenizer *t, const char *p, const char *end, bool at_eof,
                       const char **begin, const char **next)
{
    for (;;) {
        bool complete;
        begin_record(t);
        take_held(t);
        t->p = p;
        t->end = end;
        t->more = !at_eof;
        t->ch = 0;
        *begin = *next = p;
        if (!next_char(t, &t->ch)) {
            return !at_eof ? NB_CSV_NEED_MORE : t->n_held ? end_record(t) : NB_CSV_NOTHING;
        }
        if (t->o->comment != 0 && t->ch == t->o->comment) {
            while (t->ch != t->newline) {
                if (!next_char(t, &t->ch)) {
                    *begin = *next = at_eof ? end : p;
                    return !at_eof ? NB_CSV_NEED_MORE : t->n_held ? end_record(t) : NB_CSV_NOTHING;
                }
            }
            p = t->p;
            continue;
        }
        complete = parse_record(t);
        /* A break of two characters may lie across the end of the block, and so may a character. */
        if (!at_eof && (!complete || t->p + 4 > end)) {
            return NB_CSV_NEED_MORE;
        }
        if (!complete) {
            end_of_input(t);
        }
        if (t->n_cells == 0 && !t->fault && !t->no_memory) {
            p = t->p; /* an empty line */
            continue;
        }
        *next = t->p;
        return end_record(t);
    }
}
