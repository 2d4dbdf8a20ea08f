/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string_codec.c: base64, character sets, URLs.
 */
#include <stdio.h>

#include "expr/kernels/string.h"
#include "base/ascii.h"

/* ---- base64 -------------------------------------------------------------------------------------------------------------------------- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static nb_status
base64_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};

    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        size_t len = (s.len + 2) / 3 * 4;
        const unsigned char *p = (const unsigned char *)s.data;
        char *o = nb_text_room(&w, len);
        if (o == NULL) {
            return NB_NOMEM;
        }
        for (size_t k = 0; k < s.len; k += 3, o += 4) {
            uint32_t v = (uint32_t)p[k] << 16 | (k + 1 < s.len ? (uint32_t)p[k + 1] << 8 : 0) |
                         (k + 2 < s.len ? p[k + 2] : 0);
            o[0] = base64_digits[v >> 18];
            o[1] = base64_digits[v >> 12 & 63];
            o[2] = k + 1 < s.len ? base64_digits[v >> 6 & 63] : '=';
            o[3] = k + 2 < s.len ? base64_digits[v & 63] : '=';
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

nb_status
nb_bind_base64(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_BINARY, err));
    return nb_bound(call, NB_TYPE_STRING, base64_kernel);
}

static int
base64_digit(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

size_t
nb_base64_decode(nb_str s, char *out, bool *clean)
{
    size_t len = 0;
    uint32_t bits = 0;
    int have = 0;

    *clean = true;
    for (size_t k = 0; k < s.len && s.data[k] != '='; k++) {
        int d = base64_digit(s.data[k]);

        if (d < 0) {
            *clean = false;
            continue;
        }
        bits = bits << 6 | (uint32_t)d;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[len++] = (char)(bits >> have);
        }
    }
    return len;
}

const char *
nb_base64_mime(nb_arena *arena, nb_str s, char *out, size_t *len)
{
    uint32_t bits = 0;
    int digits = 0; /* of the group of four that is open */
    size_t k = 0, chars = 0;

    *len = 0;
    for (; k < s.len && s.data[k] != '='; k++) {
        int d = base64_digit(s.data[k]);

        chars += ((unsigned char)s.data[k] & 0xC0) != 0x80;
        if (d < 0) {
            continue;
        }
        bits = bits << 6 | (uint32_t)d;
        if (++digits == 4) {
            for (int shift = 16; shift >= 0; shift -= 8) {
                out[(*len)++] = (char)(bits >> shift);
            }
            digits = 0;
        }
    }
    if (k < s.len) { /* padding: one after three digits, two in a row after two */
        k++;
        chars++;
        if (digits == 0 || (digits == 2 && (k == s.len || s.data[k] != '='))) {
            return "Input byte array has wrong 4-byte ending unit";
        }
        k += digits == 2;
        chars += digits == 2;
    }
    if (digits == 1) {
        return "Last unit does not have enough valid bits";
    }
    bits <<= digits == 2 ? 12 : 6;
    for (int d = 1, shift = 16; d < digits; d++, shift -= 8) {
        out[(*len)++] = (char)(bits >> shift);
    }
    for (; k < s.len; k++) {
        chars += ((unsigned char)s.data[k] & 0xC0) != 0x80;
        if (base64_digit(s.data[k]) >= 0) {
            const char *text =
                nb_arena_printf(arena, "Input byte array has incorrect ending byte at %zu", chars);

            return text ? text : "Input byte array has an incorrect ending byte";
        }
    }
    return NULL;
}

static nb_status
unbase64_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};

    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        char *p = nb_text_room(&w, s.len);
        const char *wrong;
        size_t len;
        if (p == NULL) {
            return NB_NOMEM;
        }
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        wrong = nb_base64_mime(ctx->arena, s, p, &len);
        if (wrong) {
            return nb_raise(ctx->err, NB_COND_ILLEGAL_ARGUMENT, "message", wrong, NULL);
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

nb_status
nb_bind_unbase64(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    call->can_fail = true;
    return nb_bound(call, NB_TYPE_BINARY, unbase64_kernel);
}

/* ---- character sets ------------------------------------------------------------------------------------------------------------------ */

typedef enum charset {
    SET_NONE,
    SET_UTF8,
    SET_ASCII,
    SET_LATIN1,
    SET_UTF16,
    SET_UTF16BE,
    SET_UTF16LE,
    SET_UTF32
} charset;

static charset
charset_by_name(nb_str name)
{
    static const char *const names[] = {
        [SET_UTF8] = "utf-8",   [SET_ASCII] = "us-ascii",   [SET_LATIN1] = "iso-8859-1",
        [SET_UTF16] = "utf-16", [SET_UTF16BE] = "utf-16be", [SET_UTF16LE] = "utf-16le",
        [SET_UTF32] = "utf-32"};

    for (int i = SET_UTF8; i <= SET_UTF32; i++) {
        if (nb_str_equal_nocase(name, nb_str_of(names[i]))) {
            return (charset)i;
        }
    }
    return SET_NONE;
}

static nb_status
row_charset(nb_kernel_ctx *ctx, const nb_vector *v, int64_t i, const char *function, charset *set)
{
    nb_str name = nb_row_str(v, i);
    char text[64], quoted[64];

    *set = charset_by_name(name);
    if (*set != SET_NONE) {
        return NB_OK;
    }
    snprintf(text, sizeof text, "%.*s", (int)NB_MIN(name.len, 60), name.data);
    snprintf(quoted, sizeof quoted, "`%s`", function);
    return nb_raise(ctx->err, NB_COND_INVALID_CHARSET, "parameter", "`charset`", "functionName",
                    quoted, "charset", text, "charsets",
                    "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8", NULL);
}

static nb_status
malformed(nb_kernel_ctx *ctx, const char *function, nb_str set)
{
    char text[64], quoted[32];

    snprintf(text, sizeof text, "%.*s", (int)NB_MIN(set.len, 60), set.data);
    snprintf(quoted, sizeof quoted, "`%s`", function);
    return nb_raise(ctx->err, NB_COND_MALFORMED_CHARACTER_CODING, "function", quoted, "charset",
                    text, NULL);
}

static size_t
put_unit(char *p, uint32_t unit, bool little)
{
    p[little] = (char)(unit >> 8);
    p[!little] = (char)unit;
    return 2;
}

/* Bytes written, or -1 when the set has no such character. */
static int64_t
encode(nb_str s, charset set, char *p)
{
    size_t len = 0, step;

    if (set == SET_UTF16) {
        len += put_unit(p, 0xFEFF, false);
    }
    for (size_t k = 0; k < s.len; k += step) {
        uint32_t c = nb_char_decode(s, k, &step);
        switch (set) {
        case SET_ASCII:
        case SET_LATIN1:
            if (c > (set == SET_ASCII ? 0x7Fu : 0xFFu)) {
                return -1;
            }
            p[len++] = (char)c;
            break;
        case SET_UTF32:
            for (int b = 24; b >= 0; b -= 8) {
                p[len++] = (char)(c >> b);
            }
            break;
        default:
            if (c >= 0x10000) {
                len += put_unit(p + len, 0xD800 + ((c - 0x10000) >> 10), set == SET_UTF16LE);
                c = 0xDC00 + ((c - 0x10000) & 0x3FF);
            }
            len += put_unit(p + len, c, set == SET_UTF16LE);
        }
    }
    return (int64_t)len;
}

static nb_status
encode_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};
    charset set;

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i);
        NB_TRY(row_charset(ctx, &args[1], i, "encode", &set));
        if (set == SET_UTF8) {
            NB_DATA(nb_view, out)[i] = nb_view_make(s.data, s.len);
            continue;
        }
        char *p = nb_text_room(&w, s.len * 4 + 4);
        if (p == NULL) {
            return NB_NOMEM;
        }
        int64_t len = encode(s, set, p);
        if (len < 0) {
            return malformed(ctx, "encode", nb_row_str(&args[1], i));
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, (size_t)len);
    }
    return NB_OK;
}

nb_status
nb_bind_encode(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 2, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_BINARY, encode_kernel);
}

static bool
valid_utf8(nb_str s)
{
    for (size_t k = 0, n; k < s.len; k += n) {
        uint32_t c = nb_char_decode(s, k, &n);
        if ((n == 1 && c >= 0x80) || (n == 2 && c < 0x80) ||
            (n == 3 && (c < 0x800 || (c >= 0xD800 && c < 0xE000))) ||
            (n == 4 && (c < 0x10000 || c > 0x10FFFF))) {
            return false;
        }
    }
    return true;
}

/* Bytes written as UTF-8, or -1 when malformed. */
static int64_t
decode(nb_str s, charset set, char *p)
{
    const unsigned char *b = (const unsigned char *)s.data;
    size_t len = 0, k = 0;
    bool little = set == SET_UTF16LE;

    if (set == SET_ASCII || set == SET_LATIN1) {
        for (; k < s.len; k++) {
            if (set == SET_ASCII && b[k] > 0x7F) {
                return -1;
            }
            len += nb_char_encode(b[k], p + len);
        }
        return (int64_t)len;
    }
    if (set == SET_UTF32) {
        for (; k + 4 <= s.len; k += 4) {
            uint32_t c = (uint32_t)b[k] << 24 | (uint32_t)b[k + 1] << 16 | (uint32_t)b[k + 2] << 8 |
                         b[k + 3];
            if (c > 0x10FFFF) {
                return -1;
            }
            len += nb_char_encode(c, p + len);
        }
        return k == s.len ? (int64_t)len : -1;
    }
    if (set == SET_UTF16 && s.len >= 2 &&
        ((b[0] == 0xFE && b[1] == 0xFF) || (b[0] == 0xFF && b[1] == 0xFE))) {
        little = b[0] == 0xFF;
        k = 2;
    }
    for (; k + 2 <= s.len; k += 2) {
        uint32_t c = little ? (uint32_t)b[k + 1] << 8 | b[k] : (uint32_t)b[k] << 8 | b[k + 1];
        if (c >= 0xD800 && c < 0xDC00) {
            if (k + 4 > s.len) {
                return -1;
            }
            k += 2;
            uint32_t low = little ? (uint32_t)b[k + 1] << 8 | b[k] : (uint32_t)b[k] << 8 | b[k + 1];
            if (low < 0xDC00 || low > 0xDFFF) {
                return -1;
            }
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        } else if (c >= 0xDC00 && c < 0xE000) {
            return -1;
        }
        len += nb_char_encode(c, p + len);
    }
    return k == s.len ? (int64_t)len : -1;
}

static nb_status
decode_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};
    charset set;

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i);
        NB_TRY(row_charset(ctx, &args[1], i, "decode", &set));
        if (set == SET_UTF8) {
            if (!valid_utf8(s)) {
                return malformed(ctx, "decode", nb_row_str(&args[1], i));
            }
            NB_DATA(nb_view, out)[i] = nb_view_make(s.data, s.len);
            continue;
        }
        char *p = nb_text_room(&w, s.len * 2 + 4);
        if (p == NULL) {
            return NB_NOMEM;
        }
        int64_t len = decode(s, set, p);
        if (len < 0) {
            return malformed(ctx, "decode", nb_row_str(&args[1], i));
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, (size_t)len);
    }
    return NB_OK;
}

/* decode(binary, charset), or decode(value, search, result, ..., default) as a CASE that takes null for equal to null. */
nb_status
nb_bind_decode(nb_bound_call *call, nb_error *err)
{
    if (call->n_args > 2) {
        int n = 0;
        nb_expr **args = NB_ARENA_ARRAY(call->arena, nb_expr *, call->n_args);
        if (args == NULL) {
            return NB_NOMEM;
        }
        for (int i = 1; i + 1 < call->n_args; i += 2) {
            nb_expr *pair[2] = {call->args[0], call->args[i]};
            NB_TRY(nb_bind_again(call, "<=>", pair, 2, &args[n++], err));
            args[n++] = call->args[i + 1];
        }
        if (call->n_args % 2 == 0) {
            args[n++] = call->args[call->n_args - 1];
        }
        return nb_bind_again(call, "when", args, n, &call->replacement, err);
    }
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_BINARY, err));
    NB_TRY(nb_bind_all(call, 1, 2, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, decode_kernel);
}

/* ---- URLs ---------------------------------------------------------------------------------------------------------------------------- */

static nb_status
url_encode_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};
    static const char hex[] = "0123456789ABCDEF";

    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        char *p = nb_text_room(&w, s.len * 3);
        size_t len = 0;
        if (p == NULL) {
            return NB_NOMEM;
        }
        for (size_t k = 0; k < s.len; k++) {
            unsigned char c = (unsigned char)s.data[k];
            if (nb_is_word(c) || (c && strchr("-.*", c))) {
                p[len++] = (char)c;
            } else if (c == ' ') {
                p[len++] = '+';
            } else {
                p[len++] = '%';
                p[len++] = hex[c >> 4];
                p[len++] = hex[c & 15];
            }
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

nb_status
nb_bind_url_encode(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, url_encode_kernel);
}

static nb_status
url_decode_rows(nb_kernel_ctx *ctx, const nb_vector *args, int64_t n, bool is_try, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(args, i);
        char *p = nb_text_room(&w, s.len);
        size_t len = 0, k = 0;
        if (p == NULL) {
            return NB_NOMEM;
        }
        for (; k < s.len; k++) {
            if (s.data[k] != '%') {
                p[len++] = s.data[k] == '+' ? ' ' : s.data[k];
                continue;
            }
            int high = k + 2 < s.len ? nb_hex_digit(s.data[k + 1]) : -1,
                low = k + 2 < s.len ? nb_hex_digit(s.data[k + 2]) : -1;
            if (high < 0 || low < 0) {
                break;
            }
            p[len++] = (char)(high << 4 | low);
            k += 2;
        }
        if (k < s.len) {
            char text[200];
            if (is_try) {
                NB_TRY(nb_row_null(ctx, out, i));
                continue;
            }
            snprintf(text, sizeof text, "%.*s", (int)NB_MIN(s.len, 190), s.data);
            return nb_raise(ctx->err, NB_COND_CANNOT_DECODE_URL, "url", text, NULL);
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

static nb_status
url_decode_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return url_decode_rows(ctx, args, n, false, out);
}

static nb_status
try_url_decode_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                      nb_vector *out)
{
    return url_decode_rows(ctx, args, n, true, out);
}

nb_status
nb_bind_url_decode(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, url_decode_kernel);
}

nb_status
nb_bind_try_url_decode(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, try_url_decode_kernel);
}

/* The pieces of a URI; data NULL = not there. */
typedef struct uri {
    nb_str scheme, authority, user, host, path, query, fragment;
} uri;

static bool
parse_uri(nb_str s, uri *u)
{
    size_t end;

    *u = (uri){.path = {"", 0}};
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.data[i] <= ' ' || strchr("<>\"{}|\\^`", s.data[i])) {
            return false;
        }
    }
    const char *hash = memchr(s.data, '#', s.len);
    if (hash) {
        u->fragment = (nb_str){hash + 1, (size_t)(s.data + s.len - hash - 1)};
        s.len = (size_t)(hash - s.data);
    }
    const char *question = memchr(s.data, '?', s.len);
    if (question) {
        u->query = (nb_str){question + 1, (size_t)(s.data + s.len - question - 1)};
        s.len = (size_t)(question - s.data);
    }
    const char *colon = memchr(s.data, ':', s.len), *slash = memchr(s.data, '/', s.len);
    if (colon && (!slash || colon < slash) && colon > s.data) {
        u->scheme = (nb_str){s.data, (size_t)(colon - s.data)};
        s.len -= u->scheme.len + 1;
        s.data = colon + 1;
    }
    if (s.len >= 2 && s.data[0] == '/' && s.data[1] == '/') {
        const char *next = memchr(s.data + 2, '/', s.len - 2);
        end = next ? (size_t)(next - s.data) : s.len;
        u->authority = (nb_str){s.data + 2, end - 2};
        s.data += end;
        s.len -= end;
        u->host = u->authority;
        const char *at = memchr(u->host.data, '@', u->host.len);
        if (at) {
            u->user = (nb_str){u->host.data, (size_t)(at - u->host.data)};
            u->host.len -= u->user.len + 1;
            u->host.data = at + 1;
        }
        size_t k = u->host.len;
        while (k > 0 && u->host.data[k - 1] >= '0' && u->host.data[k - 1] <= '9') {
            k--;
        }
        if (k > 0 && u->host.data[k - 1] == ':') {
            u->host.len = k - 1;
        }
        if (u->host.len == 0) {
            u->host.data = NULL;
        }
    }
    u->path = s;
    return true;
}

static nb_str
query_value(nb_str query, nb_str key)
{
    for (size_t at = 0; query.data && at <= query.len;) {
        const char *amp = memchr(query.data + at, '&', query.len - at);
        size_t end = amp ? (size_t)(amp - query.data) : query.len;
        if (end - at > key.len && memcmp(query.data + at, key.data, key.len) == 0 &&
            query.data[at + key.len] == '=') {
            return (nb_str){query.data + at + key.len + 1, end - at - key.len - 1};
        }
        at = end + 1;
    }
    return (nb_str){NULL, 0};
}

static nb_status
parse_url_rows(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, bool is_try,
               nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        uri u;
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i), what = nb_row_str(&args[1], i), r = {NULL, 0};
        if (!parse_uri(s, &u)) {
            char text[200];
            if (is_try || !ctx->info->ansi) {
                NB_TRY(nb_row_null(ctx, out, i));
                continue;
            }
            snprintf(text, sizeof text, "%.*s", (int)NB_MIN(s.len, 190), s.data);
            return nb_raise(ctx->err, NB_COND_INVALID_URL, "url", text, NULL);
        }
        if (nb_str_equal(what, NB_STR("QUERY"))) {
            r = n_args > 2 ? query_value(u.query, nb_row_str(&args[2], i)) : u.query;
        } else if (n_args > 2) {
            r = (nb_str){NULL, 0};
        } else if (nb_str_equal(what, NB_STR("HOST"))) {
            r = u.host;
        } else if (nb_str_equal(what, NB_STR("PATH"))) {
            r = u.path;
        } else if (nb_str_equal(what, NB_STR("REF"))) {
            r = u.fragment;
        } else if (nb_str_equal(what, NB_STR("PROTOCOL"))) {
            r = u.scheme;
        } else if (nb_str_equal(what, NB_STR("FILE"))) {
            r = u.path;
            if (u.query.data) {
                r.len = (size_t)(u.query.data + u.query.len - r.data);
            }
        } else if (nb_str_equal(what, NB_STR("AUTHORITY"))) {
            r = u.authority;
        } else if (nb_str_equal(what, NB_STR("USERINFO"))) {
            r = u.user;
        }
        if (r.data == NULL) {
            NB_TRY(nb_row_null(ctx, out, i));
        } else {
            NB_DATA(nb_view, out)[i] = nb_view_make(r.data, r.len);
        }
    }
    return NB_OK;
}

static nb_status
parse_url_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return parse_url_rows(ctx, args, n_args, n, false, out);
}

static nb_status
try_parse_url_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                     nb_vector *out)
{
    return parse_url_rows(ctx, args, n_args, n, true, out);
}

nb_status
nb_bind_parse_url(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_exact(call, 0, 3, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, parse_url_kernel);
}

nb_status
nb_bind_try_parse_url(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_exact(call, 0, 3, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, try_parse_url_kernel);
}
