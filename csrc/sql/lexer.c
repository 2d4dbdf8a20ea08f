/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lexer.c: the longest token wins; of two equally long ones a number beats a word.
 *
 * Words may start with digits (`1a` is a word, `1L` a number), and a decimal such as `1.` must not be followed by a letter, digit or
 * underscore, otherwise it is an integer and a dot (`1.e` is field e of 1).
 */
#include "sql/lexer.h"
#include "base/ascii.h"

typedef struct lexer {
    nb_arena *arena;
    nb_str text;
    size_t pos;     /* bytes */
    size_t cp;      /* characters before pos */
    uint32_t line;  /* of pos */
    size_t line_cp; /* characters before the line */
    nb_token *items;
    size_t n, cap;
} lexer;

static int
peek(const lexer *lx, size_t ahead)
{
    size_t at = lx->pos + ahead;
    return at < lx->text.len ? (unsigned char)lx->text.data[at] : -1;
}

/* Bytes of the white space character at data, or 0. The list is the grammar's, not Unicode's. */
static size_t
space_len(const char *data, size_t left)
{
    unsigned char c = (unsigned char)data[0];

    if (c == ' ' || (c >= '\t' && c <= '\r')) {
        return 1;
    }
    if (c == 0xC2 && left >= 2) {
        return (unsigned char)data[1] == 0xA0 ? 2 : 0;
    }
    if (left >= 3 && (c == 0xE1 || c == 0xE2 || c == 0xE3)) {
        uint32_t u = ((uint32_t)(c & 15) << 12) | ((uint32_t)((unsigned char)data[1] & 63) << 6) |
                     ((unsigned char)data[2] & 63);
        bool space = u == 0x1680 || (u >= 0x2000 && u <= 0x200A) || u == 0x2028 || u == 0x202F ||
                     u == 0x205F || u == 0x3000;
        return space ? 3 : 0;
    }
    return 0;
}

/* Moves over n bytes, counting characters and lines. */
static void
advance(lexer *lx, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)lx->text.data[lx->pos + i];
        lx->cp += (c & 0xC0) != 0x80;
        if (c == '\n') {
            lx->line++;
            lx->line_cp = lx->cp;
        }
    }
    lx->pos += n;
}

static nb_status
push(lexer *lx, nb_token_kind kind, size_t len)
{
    nb_token *t;

    if (lx->n == lx->cap) {
        size_t cap = lx->cap ? lx->cap * 2 : NB_MIN(lx->text.len / 2 + 8, (size_t)256);
        nb_token *bigger = NB_ARENA_ARRAY(lx->arena, nb_token, cap);
        if (!bigger) {
            return NB_NOMEM;
        }
        if (lx->n) {
            memcpy(bigger, lx->items, lx->n * sizeof *bigger);
        }
        lx->items = bigger;
        lx->cap = cap;
    }
    t = &lx->items[lx->n++];
    *t = (nb_token){.start = (uint32_t)lx->pos,
                    .len = (uint32_t)len,
                    .cp_start = (uint32_t)lx->cp,
                    .line = lx->line,
                    .column = (uint32_t)(lx->cp - lx->line_cp),
                    .kind = (uint16_t)kind};
    advance(lx, len);
    t->cp_len = (uint32_t)(lx->cp - t->cp_start);
    return NB_OK;
}

/* Skips white space and comments. */
static nb_status
skip_blank(lexer *lx, nb_error *err)
{
    for (;;) {
        size_t left = lx->text.len - lx->pos, n;
        if (left == 0) {
            return NB_OK;
        }
        n = space_len(lx->text.data + lx->pos, left);
        if (n) {
            advance(lx, n);
            continue;
        }
        if (peek(lx, 0) == '-' && peek(lx, 1) == '-') {
            n = 2;
            while (n < left && peek(lx, n) != '\n' && peek(lx, n) != '\r') {
                n += peek(lx, n) == '\\' && peek(lx, n + 1) == '\n' ? 2 : 1;
            }
            advance(lx, n);
            continue;
        }
        if (peek(lx, 0) == '/' && peek(lx, 1) == '*' && peek(lx, 2) != '+') {
            size_t level = 1;
            n = 2;
            while (level > 0) {
                if (n >= left) {
                    nb_raise(err, NB_COND_UNCLOSED_BRACKETED_COMMENT, NULL);
                    nb_error_set_sql_context(err, lx->text.data, lx->text.len, (int)lx->pos,
                                             (int)lx->text.len - 1);
                    return NB_ERROR;
                }
                if (peek(lx, n) == '*' && peek(lx, n + 1) == '/') {
                    level--;
                    n += 2;
                } else if (peek(lx, n) == '/' && peek(lx, n + 1) == '*' && peek(lx, n + 2) != '+') {
                    level++;
                    n += 2;
                } else {
                    n++;
                }
            }
            advance(lx, n);
            continue;
        }
        return NB_OK;
    }
}

/* Length of a quoted token that starts at offset from; 0 when it does not end. Doubled quotes stand for one, except in raw strings. */
static size_t
quoted_len(const lexer *lx, size_t from, int quote, bool escapes, bool doubling)
{
    const char *data = lx->text.data + lx->pos;
    size_t left = lx->text.len - lx->pos;

    for (size_t i = from + 1; i < left; i++) {
        if (escapes && data[i] == '\\') {
            i++;
        } else if (data[i] == quote) {
            if (doubling && i + 1 < left && data[i + 1] == quote) {
                i++;
            } else {
                return i + 1;
            }
        }
    }
    return 0;
}

/* Length of [eE][+-]?digits at offset at, or 0. */
static size_t
exponent_len(const lexer *lx, size_t at)
{
    size_t n = at;

    if (nb_to_upper(peek(lx, n)) != 'E') {
        return 0;
    }
    n++;
    if (peek(lx, n) == '+' || peek(lx, n) == '-') {
        n++;
    }
    if (!nb_is_digit(peek(lx, n))) {
        return 0;
    }
    while (nb_is_digit(peek(lx, n))) {
        n++;
    }
    return n - at;
}

/* The longest number at the current place; its length, or 0. */
static size_t
number_len(const lexer *lx, nb_token_kind *kind)
{
    size_t n = 0, digits, best = 0;
    bool dotted = false;

    while (nb_is_digit(peek(lx, n))) {
        n++;
    }
    digits = n;
    if (peek(lx, n) == '.' && (digits > 0 || nb_is_digit(peek(lx, n + 1)))) {
        dotted = true;
        n++;
        while (nb_is_digit(peek(lx, n))) {
            n++;
        }
    }
    for (int round = dotted ? 0 : 1; round < 2; round++) {
        size_t exp, base = round == 0 ? n : digits;
        if (base == 0) {
            break;
        }
        exp = exponent_len(lx, base);
        for (int with_exp = exp ? 1 : 0; with_exp >= 0; with_exp--) {
            size_t end = base + (with_exp ? exp : 0), len = end;
            int c = nb_to_upper(peek(lx, end)), after;
            nb_token_kind k = with_exp ? NB_T_EXPONENT : round == 0 ? NB_T_DECIMAL : NB_T_INTEGER;
            if (c == 'B' && nb_to_upper(peek(lx, end + 1)) == 'D') {
                k = NB_T_BIGDECIMAL;
                len = end + 2;
            } else if (c == 'F' || c == 'D') {
                k = c == 'F' ? NB_T_FLOAT : NB_T_DOUBLE;
                len = end + 1;
            } else if (round == 1 && !with_exp && (c == 'L' || c == 'S' || c == 'Y')) {
                k = c == 'L' ? NB_T_BIGINT : c == 'S' ? NB_T_SMALLINT : NB_T_TINYINT;
                len = end + 1;
            }
            for (;;) {
                after = peek(lx, len);
                if (len > best && (round == 1 || !(nb_is_word(after)))) {
                    best = len;
                    *kind = k;
                }
                if (len == end) {
                    break;
                }
                len = end; /* the suffix may belong to what follows */
                k = with_exp ? NB_T_EXPONENT : round == 0 ? NB_T_DECIMAL : NB_T_INTEGER;
            }
        }
    }
    return best;
}

/* Length of the word at the current place, or 0. Letters beyond ASCII count; the parser asks for quotes around such words. */
static size_t
word_len(const lexer *lx)
{
    size_t n = 0;
    bool letters = true;

    for (;;) {
        int c = peek(lx, n);
        if (c >= 0x80) {
            size_t left = lx->text.len - lx->pos - n, k = 1;
            if (space_len(lx->text.data + lx->pos + n, left)) {
                break;
            }
            while (k < left && ((unsigned char)lx->text.data[lx->pos + n + k] & 0xC0) == 0x80) {
                k++;
            }
            n += k;
        } else if (nb_is_letter(c)) {
            n++;
        } else if (nb_is_digit(c) || c == '_') {
            letters = false;
            n++;
        } else {
            break;
        }
    }
    /* scheme://path, as a table's name without quotes: accepted here for a better message later */
    if (n > 0 && letters && peek(lx, n) == ':' && peek(lx, n + 1) == '/' &&
        peek(lx, n + 2) == '/') {
        size_t m = n + 3;
        for (;;) {
            int c = peek(lx, m);
            if (nb_is_letter(c) || nb_is_digit(c) || (c > 0 && strchr("_/-.?=&#%", c)) ||
                c >= 0x80) {
                m++;
            } else {
                break;
            }
        }
        if (m > n + 3) {
            n = m;
        }
    }
    return n;
}

static nb_token_kind
symbol(const lexer *lx, size_t *len)
{
    int c = peek(lx, 0), d = peek(lx, 1), e = peek(lx, 2);

    *len = 2;
    switch (c) {
    case '<':
        if (d == '=' && e == '>') {
            *len = 3;
            return NB_T_NSEQ;
        }
        if (d == '=' || d == '>' || d == '<') {
            return d == '=' ? NB_T_LTE : d == '>' ? NB_T_NEQ : NB_T_SHIFT_LEFT;
        }
        break;
    case '>':
        if (d == '=') {
            return NB_T_GTE;
        }
        break;
    case '=':
        if (d == '=' || d == '>') {
            return d == '=' ? NB_T_EQ : NB_T_FAT_ARROW;
        }
        break;
    case '!':
        if (d == '=' || d == '>' || d == '<') {
            return d == '=' ? NB_T_NEQJ : d == '>' ? NB_T_LTE : NB_T_GTE;
        }
        break;
    case '-':
        if (d == '>') {
            return NB_T_ARROW;
        }
        break;
    case '|':
        if (d == '|' || d == '>') {
            return d == '|' ? NB_T_CONCAT : NB_T_OPERATOR_PIPE;
        }
        break;
    case ':':
        if (d == ':') {
            return NB_T_DOUBLE_COLON;
        }
        break;
    case '*':
        if (d == '/') {
            return NB_T_HINT_END;
        }
        break;
    case '/':
        if (d == '*' && e == '+') {
            *len = 3;
            return NB_T_HINT_START;
        }
        break;
    default: break;
    }
    *len = 1;
    switch (c) {
    case ';': return NB_T_SEMICOLON;
    case '(': return NB_T_LPAREN;
    case ')': return NB_T_RPAREN;
    case ',': return NB_T_COMMA;
    case '.': return NB_T_DOT;
    case '[': return NB_T_LBRACKET;
    case ']': return NB_T_RBRACKET;
    case '!': return NB_T_BANG;
    case '=': return NB_T_EQ;
    case '<': return NB_T_LT;
    case '>': return NB_T_GT;
    case '+': return NB_T_PLUS;
    case '-': return NB_T_MINUS;
    case '*': return NB_T_STAR;
    case '/': return NB_T_SLASH;
    case '%': return NB_T_PERCENT;
    case '~': return NB_T_TILDE;
    case '&': return NB_T_AMPERSAND;
    case '|': return NB_T_PIPE;
    case '^': return NB_T_HAT;
    case ':': return NB_T_COLON;
    case '?': return NB_T_QUESTION;
    default: return NB_T_UNKNOWN;
    }
}

static nb_status
next(lexer *lx)
{
    int c = peek(lx, 0);
    size_t len = 0;
    nb_token_kind kind = NB_T_UNKNOWN;

    if (c == '\'' || c == '"') {
        len = quoted_len(lx, 0, c, true, true);
        return push(lx, len ? NB_T_STRING : NB_T_UNKNOWN, len ? len : 1);
    }
    if (c == '`') {
        len = quoted_len(lx, 0, c, false, true);
        return push(lx, len ? NB_T_BACKQUOTED : NB_T_UNKNOWN, len ? len : 1);
    }
    if (nb_to_upper(c) == 'R' && (peek(lx, 1) == '\'' || peek(lx, 1) == '"')) {
        len = quoted_len(lx, 1, peek(lx, 1), false, false);
        if (len) {
            return push(lx, NB_T_STRING, len);
        }
    }
    if (nb_is_digit(c) || c == '.') {
        len = number_len(lx, &kind);
    }
    if (nb_is_word(c) || c >= 0x80) {
        size_t word = word_len(lx);
        if (word > len) {
            nb_str text = {lx->text.data + lx->pos, word};
            NB_TRY(push(lx, NB_T_WORD, word));
            lx->items[lx->n - 1].kw = (uint16_t)nb_keyword_find(text);
            return NB_OK;
        }
    }
    if (len == 0) {
        kind = symbol(lx, &len);
    }
    return push(lx, kind, len);
}

/* Does the token at i, behind a "(", open a query? Words are free in Spark, so what follows decides in doubt. */
static bool
opens_query(const nb_token *items, size_t i)
{
    const nb_token *t = &items[i], *after = t + 1;

    if (t->kind != NB_T_WORD) {
        return false;
    }
    switch (t->kw) {
    case NB_KW_SELECT:
        return after->kind != NB_T_RPAREN && after->kind != NB_T_COMMA && after->kind != NB_T_DOT &&
               after->kind != NB_T_EQ && after->kind != NB_T_ARROW;
    case NB_KW_FROM:
    case NB_KW_TABLE:
    case NB_KW_WITH:
        return after->kind == NB_T_WORD || after->kind == NB_T_BACKQUOTED ||
               (t->kw == NB_KW_FROM && after->kind == NB_T_LPAREN);
    case NB_KW_VALUES:
        return after->kind == NB_T_LPAREN || after->kind == NB_T_STRING ||
               after->kind == NB_T_WORD ||
               (after->kind >= NB_T_INTEGER && after->kind <= NB_T_BIGDECIMAL);
    default: return false;
    }
}

/* Can a token behind a parenthesised query go on with that query? */
static bool
continues_query(const nb_token *t)
{
    if (t->kind == NB_T_RPAREN || t->kind == NB_T_OPERATOR_PIPE) {
        return true;
    }
    if (t->kind != NB_T_WORD) {
        return false;
    }
    switch (t->kw) {
    case NB_KW_UNION:
    case NB_KW_INTERSECT:
    case NB_KW_EXCEPT:
    case NB_KW_MINUS:
    case NB_KW_ORDER:
    case NB_KW_CLUSTER:
    case NB_KW_DISTRIBUTE:
    case NB_KW_SORT:
    case NB_KW_LIMIT:
    case NB_KW_OFFSET: return true;
    default: return false;
    }
}

/* Joins brackets with their partners, then marks from the inside out which parentheses hold queries. */
static nb_status
match_brackets(lexer *lx)
{
    uint32_t *stack = NB_ARENA_ARRAY(lx->arena, uint32_t, lx->n + 1);
    size_t depth = 0;

    if (!stack) {
        return NB_NOMEM;
    }
    for (size_t i = 0; i < lx->n; i++) {
        nb_token *t = &lx->items[i];
        if (t->kind == NB_T_LPAREN || t->kind == NB_T_LBRACKET) {
            stack[depth++] = (uint32_t)i;
        } else if (t->kind == NB_T_RPAREN || t->kind == NB_T_RBRACKET) {
            if (depth > 0) {
                uint32_t open = stack[depth - 1];
                if ((lx->items[open].kind == NB_T_LPAREN) == (t->kind == NB_T_RPAREN)) {
                    lx->items[open].match = (uint32_t)i;
                    t->match = open;
                }
                depth--;
            }
        }
    }
    for (size_t i = lx->n; i-- > 0;) {
        nb_token *t = &lx->items[i];
        if (t->kind != NB_T_LPAREN) {
            continue;
        }
        if (t[1].kind == NB_T_LPAREN) {
            t->is_query =
                t[1].is_query && t[1].match != 0 && continues_query(&lx->items[t[1].match + 1]);
        } else {
            t->is_query = opens_query(lx->items, i + 1);
        }
    }
    return NB_OK;
}

static size_t
utf8_len(const unsigned char *s, size_t left)
{
    if (s[0] < 0x80) {
        return 1;
    }
    if (s[0] >= 0xC2 && s[0] <= 0xDF) {
        return left >= 2 && (s[1] & 0xC0) == 0x80 ? 2 : 0;
    }
    if ((s[0] & 0xF0) == 0xE0) {
        return left >= 3 && (s[1] & 0xC0) == 0x80 && (s[2] & 0xC0) == 0x80 &&
                       (s[0] != 0xE0 || s[1] >= 0xA0) && (s[0] != 0xED || s[1] < 0xA0)
                   ? 3
                   : 0;
    }
    if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        return left >= 4 && (s[1] & 0xC0) == 0x80 && (s[2] & 0xC0) == 0x80 &&
                       (s[3] & 0xC0) == 0x80 && (s[0] != 0xF0 || s[1] >= 0x90) &&
                       (s[0] != 0xF4 || s[1] < 0x90)
                   ? 4
                   : 0;
    }
    return 0;
}

nb_status
nb_sql_lex(nb_arena *arena, nb_str text, nb_tokens *out, nb_error *err)
{
    lexer lx = {.arena = arena, .text = text, .line = 1};

    if (text.len > ((size_t)1 << 30)) {
        return nb_raise(err, NB_COND_FAILED_TO_PARSE_TOO_COMPLEX, NULL);
    }
    for (size_t i = 0; i < text.len;) {
        size_t n = utf8_len((const unsigned char *)text.data + i, text.len - i);
        if (n == 0) {
            return nb_raise(err, NB_COND_PARSE_SYNTAX_ERROR, "error", "a byte that is not UTF-8",
                            "hint", "", NULL);
        }
        i += n;
    }
    for (;;) {
        NB_TRY(skip_blank(&lx, err));
        if (lx.pos >= text.len) {
            break;
        }
        NB_TRY(next(&lx));
    }
    NB_TRY(push(&lx, NB_T_EOF, 0));
    NB_TRY(match_brackets(&lx));
    *out = (nb_tokens){.text = text, .items = lx.items, .n = lx.n};
    return NB_OK;
}
