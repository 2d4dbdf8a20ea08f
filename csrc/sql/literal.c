/* SPDX-License-Identifier: Apache-2.0 */
/*
 * literal.c: numbers and strings.
 *
 * Types as Spark gives them: 1 INT, or BIGINT or DECIMAL when too large; 1.5 DECIMAL(2,1) by its digits; 1e3 DOUBLE; suffixes L S Y F D BD.
 */
#include "base/utf8.h"
#include "sql/parse_state.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

static bool
is_number(const nb_token *t)
{
    return t->kind >= NB_T_INTEGER && t->kind <= NB_T_BIGDECIMAL;
}

bool
nb_sql_at_number(const nb_sql_parser *p)
{
    return is_number(nb_sql_cur(p)) || (nb_sql_is(p, NB_T_MINUS) && is_number(nb_sql_ahead(p, 1)));
}

/* Digits without their point, and where the value's point lies: value = digits × 10^-scale. */
typedef struct decimal_text {
    char *digits; /* without leading zeros; "" for zero */
    size_t n;
    int64_t scale;
} decimal_text;

static nb_status
read_decimal(nb_sql_parser *p, nb_str s, decimal_text *out)
{
    int64_t scale = 0, exponent = 0;
    bool point = false;
    size_t i;

    out->digits = nb_arena_alloc(p->arena, s.len + 1);
    NB_SQL_NEED(out->digits);
    out->n = 0;
    for (i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (c == '.') {
            point = true;
        } else if (c >= '0' && c <= '9') {
            if (out->n > 0 || c != '0') {
                out->digits[out->n++] = c;
            }
            scale += point;
        } else {
            break;
        }
    }
    if (i < s.len) { /* e[+-]digits */
        bool negative = s.data[i + 1] == '-';
        for (i += s.data[i + 1] == '-' || s.data[i + 1] == '+' ? 2 : 1; i < s.len; i++) {
            if (exponent < 1000000) {
                exponent = exponent * 10 + (s.data[i] - '0');
            }
        }
        exponent = negative ? -exponent : exponent;
    }
    out->digits[out->n] = 0;
    out->scale = scale - exponent;
    return NB_OK;
}

static nb_status
precision_error(nb_sql_parser *p, size_t start, int64_t precision)
{
    nb_raise(p->later, NB_COND_DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION, "precision",
             nb_arena_printf(p->arena, "%lld", (long long)precision), "maxPrecision", "38", NULL);
    return nb_sql_error_here(p, start);
}

static nb_status
decimal_literal(nb_sql_parser *p, size_t start, nb_str s, bool negative, Sc__Expression **out)
{
    decimal_text d = {0};
    Sc__Expression__Literal *l;
    Sc__Expression__Literal__Decimal *m;
    int64_t precision, scale;
    char *text, *at;

    NB_TRY(read_decimal(p, s, &d));
    precision = d.n ? (int64_t)d.n : 1;
    scale = d.scale;
    if (scale < 0) {
        precision = d.n ? precision - scale : 1;
        if (precision > 38) {
            return precision_error(p, start, precision);
        }
        for (; scale < 0 && d.n; scale++) {
            /* read_decimal made room for the digits of the text only; 38 are few */
            char *more = nb_arena_alloc(p->arena, d.n + 2);
            NB_SQL_NEED(more);
            memcpy(more, d.digits, d.n);
            more[d.n++] = '0';
            more[d.n] = 0;
            d.digits = more;
        }
        scale = 0;
    }
    precision = NB_MAX(precision, scale);
    if (precision > 38) {
        return precision_error(p, start, precision);
    }
    text = at = nb_arena_alloc(p->arena, (size_t)precision + 8);
    NB_SQL_NEED(text);
    if (negative && d.n) {
        *at++ = '-';
    }
    if ((int64_t)d.n <= scale) {
        *at++ = '0';
    } else {
        memcpy(at, d.digits, d.n - (size_t)scale);
        at += d.n - (size_t)scale;
    }
    if (scale > 0) {
        size_t zeros = (int64_t)d.n < scale ? (size_t)scale - d.n : 0, rest = (size_t)scale - zeros;
        *at++ = '.';
        memset(at, '0', zeros);
        at += zeros;
        memcpy(at, d.digits + d.n - rest, rest);
        at += rest;
    }
    l = nb_sql_literal(p, out);
    m = NB_SQL_NEW(p, Sc__Expression__Literal__Decimal, SC__EXPRESSION__LITERAL__DECIMAL__INIT);
    NB_SQL_NEED(l);
    NB_SQL_NEED(m);
    m->has_value = m->has_precision = m->has_scale = true;
    m->value = nb_sql_bytes((nb_str){text, (size_t)(at - text)});
    m->precision = (int32_t)precision;
    m->scale = (int32_t)scale;
    l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_DECIMAL;
    l->decimal = m;
    return NB_OK;
}

static nb_status
range_error(nb_sql_parser *p, size_t start, const char *raw, const char *type, const char *min,
            const char *max)
{
    nb_raise(p->later, NB_COND_INVALID_NUMERIC_LITERAL_RANGE, "rawStrippedQualifier", raw,
             "typeName", type, "minValue", min, "maxValue", max, NULL);
    return nb_sql_error_here(p, start);
}

/* text is NUL-terminated and of a number's shape; the point is always '.', whatever the locale */
static double
to_double(const char *text)
{
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    double v = c ? strtod_l(text, NULL, c) : strtod(text, NULL);

    if (c) {
        freelocale(c);
    }
    return v;
}

static nb_status
float_literal(nb_sql_parser *p, size_t start, const char *raw, bool is_double, Sc__Expression **out)
{
    Sc__Expression__Literal *l;
    double v = to_double(raw);

    if (is_double && !isfinite(v)) {
        return range_error(p, start, raw, "double", "-1.7976931348623157E+308",
                           "1.7976931348623157E+308");
    }
    if (!is_double && fabs(v) > 3.4028234663852886e38) {
        return range_error(p, start, raw, "float", "-3.4028234663852886E+38",
                           "3.4028234663852886E+38");
    }
    l = nb_sql_literal(p, out);
    NB_SQL_NEED(l);
    if (is_double) {
        l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_DOUBLE;
        l->double_ = v;
    } else {
        l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_FLOAT;
        l->float_ = (float)v;
    }
    return NB_OK;
}

static nb_status
parse_number(nb_sql_parser *p, Sc__Expression **out)
{
    size_t start = p->pos, cut = 0;
    bool negative = nb_sql_accept(p, NB_T_MINUS), fits;
    const nb_token *t = nb_sql_cur(p);
    nb_str s = nb_sql_token_text(p, t);
    Sc__Expression__Literal *l;
    char *raw;
    int64_t v;

    nb_sql_skip(p);
    switch ((nb_token_kind)t->kind) {
    case NB_T_INTEGER:
    case NB_T_DECIMAL:
    case NB_T_EXPONENT: break;
    case NB_T_BIGDECIMAL: cut = 2; break;
    default: cut = 1; break;
    }
    s.len -= cut;
    raw = nb_arena_printf(p->arena, "%s%.*s", negative ? "-" : "", (int)s.len, s.data);
    NB_SQL_NEED(raw);
    switch ((nb_token_kind)t->kind) {
    case NB_T_DECIMAL:
    case NB_T_BIGDECIMAL: return decimal_literal(p, start, s, negative, out);
    case NB_T_EXPONENT:
    case NB_T_DOUBLE: return float_literal(p, start, raw, true, out);
    case NB_T_FLOAT: return float_literal(p, start, raw, false, out);
    default: break;
    }
    fits = nb_str_to_int64(nb_str_of(raw), &v);
    if (t->kind == NB_T_INTEGER && !fits) {
        return decimal_literal(p, start, s, negative, out);
    }
    if (t->kind == NB_T_BIGINT && !fits) {
        return range_error(p, start, raw, "bigint", "-9223372036854775808", "9223372036854775807");
    }
    if (t->kind == NB_T_SMALLINT && (!fits || v < INT16_MIN || v > INT16_MAX)) {
        return range_error(p, start, raw, "smallint", "-32768", "32767");
    }
    if (t->kind == NB_T_TINYINT && (!fits || v < INT8_MIN || v > INT8_MAX)) {
        return range_error(p, start, raw, "tinyint", "-128", "127");
    }
    l = nb_sql_literal(p, out);
    NB_SQL_NEED(l);
    if (t->kind == NB_T_SMALLINT) {
        l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_SHORT;
        l->short_ = (int32_t)v;
    } else if (t->kind == NB_T_TINYINT) {
        l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_BYTE;
        l->byte = (int32_t)v;
    } else if (t->kind == NB_T_BIGINT || v < INT32_MIN || v > INT32_MAX) {
        l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_LONG;
        l->long_ = v;
    } else {
        l->literal_type_case = SC__EXPRESSION__LITERAL__LITERAL_TYPE_INTEGER;
        l->integer = (int32_t)v;
    }
    return NB_OK;
}

nb_status
nb_sql_parse_number(nb_sql_parser *p, Sc__Expression **out)
{
    *out = NULL;
    NB_TRY(parse_number(p, out));
    if (!*out) { /* invalid: p->later says why */
        *out = nb_sql_null(p);
        NB_SQL_NEED(*out);
    }
    return NB_OK;
}

/* --- strings ---------------------------------------------------------------------------------- */

/* n hexadecimal digits at s[at]; -1 when there are fewer */
static int64_t
hex(nb_str s, size_t at, size_t n)
{
    return at + n <= s.len ? nb_hex_number(s.data + at, (int)n) : -1;
}

/* One escape at s[i] == '\\'; returns how many bytes of s it took. Never writes more than it reads. */
static size_t
unescape(nb_str s, size_t i, char *to, size_t *n)
{
    char c = s.data[i + 1];
    int64_t u;

    if (c == 'u' && (u = hex(s, i + 2, 4)) >= 0) {
        if (u >= 0xD800 && u < 0xDC00 && i + 7 < s.len && s.data[i + 6] == '\\' &&
            s.data[i + 7] == 'u') {
            int64_t low = hex(s, i + 8, 4);
            if (low >= 0xDC00 && low < 0xE000) {
                *n += nb_utf8_encode((uint32_t)(0x10000 + ((u - 0xD800) << 10) + (low - 0xDC00)),
                                     to + *n);
                return 12;
            }
        }
        *n += nb_utf8_encode(u >= 0xD800 && u < 0xE000 ? '?' : (uint32_t)u, to + *n);
        return 6;
    }
    if (c == 'U' && (u = hex(s, i + 2, 8)) >= 0 && u < 0x110000 && !(u >= 0xD800 && u < 0xE000)) {
        *n += nb_utf8_encode((uint32_t)u, to + *n);
        return 10;
    }
    if ((c == '0' || c == '1') && i + 3 < s.len && s.data[i + 2] >= '0' && s.data[i + 2] <= '7' &&
        s.data[i + 3] >= '0' && s.data[i + 3] <= '7') {
        *n += nb_utf8_encode(
            (uint32_t)((c - '0') * 64 + (s.data[i + 2] - '0') * 8 + (s.data[i + 3] - '0')),
            to + *n);
        return 4;
    }
    switch (c) {
    case '0': to[(*n)++] = 0; break;
    case 'b': to[(*n)++] = '\b'; break;
    case 'n': to[(*n)++] = '\n'; break;
    case 'r': to[(*n)++] = '\r'; break;
    case 't': to[(*n)++] = '\t'; break;
    case 'Z': to[(*n)++] = 0x1A; break;
    case '%':
    case '_': /* kept for LIKE */
        to[(*n)++] = '\\';
        to[(*n)++] = c;
        break;
    default: to[(*n)++] = c; break; /* the other bytes of a longer character follow by themselves */
    }
    return 2;
}

nb_status
nb_sql_unquote_string(nb_sql_parser *p, const nb_token *t, nb_str *out)
{
    nb_str s = nb_sql_token_text(p, t);
    bool raw = s.data[0] == 'r' || s.data[0] == 'R';
    char quote, *to;
    size_t n = 0;

    if (raw) {
        *out = (nb_str){s.data + 2, s.len - 3};
        return NB_OK;
    }
    quote = s.data[0];
    s = (nb_str){s.data + 1, s.len - 2};
    if (!memchr(s.data, '\\', s.len) && !memchr(s.data, quote, s.len)) {
        *out = s;
        return NB_OK;
    }
    to = nb_arena_alloc(p->arena, s.len + 1);
    NB_SQL_NEED(to);
    for (size_t i = 0; i < s.len;) {
        if (s.data[i] == '\\' && i + 1 < s.len) {
            i += unescape(s, i, to, &n);
        } else {
            to[n++] = s.data[i];
            i += s.data[i] == quote ? 2 : 1;
        }
    }
    *out = (nb_str){to, n};
    return NB_OK;
}

nb_status
nb_sql_parse_string(nb_sql_parser *p, nb_str *out)
{
    size_t len, at, first = p->pos;
    char *text;
    nb_str part;

    if (!nb_sql_is(p, NB_T_STRING)) {
        return nb_sql_syntax_error(p);
    }
    NB_TRY(nb_sql_unquote_string(p, nb_sql_cur(p), out));
    nb_sql_skip(p);
    if (!nb_sql_is(p, NB_T_STRING)) {
        return NB_OK;
    }
    for (len = out->len; nb_sql_is(p, NB_T_STRING); nb_sql_skip(p)) {
        len += nb_sql_cur(p)->len;
    }
    text = nb_arena_alloc(p->arena, len + 1);
    NB_SQL_NEED(text);
    memcpy(text, out->data, out->len);
    at = out->len;
    for (size_t i = first + 1; i < p->pos; i++) {
        NB_TRY(nb_sql_unquote_string(p, &p->tokens.items[i], &part));
        memcpy(text + at, part.data, part.len);
        at += part.len;
    }
    *out = (nb_str){text, at};
    return NB_OK;
}
