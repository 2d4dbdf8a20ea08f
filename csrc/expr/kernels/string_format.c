/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string_format.c: format_string (printf) and format_number.
 *
 * format_string follows java.util.Formatter for %d %x %X %o %s %S %b %c %f %e %E %g %n %%, flags - 0 + space , ( #, width, precision and
 * argument indices (%2$s). Numbers are written from their exact decimal digits, rounded half up as Java does.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/decimal.h"
#include "expr/kernels/string.h"
#include "expr/number_text.h"

typedef struct spec {
    bool left, zero, plus, space, group, paren, alternate;
    int width, precision; /* -1 = none */
    char conversion;
} spec;

static void
put_padded(nb_strbuf *out, const spec *f, const char *text, size_t len)
{
    size_t chars = (size_t)nb_char_count((nb_str){text, len}),
           fill = f->width > 0 && (size_t)f->width > chars ? (size_t)f->width - chars : 0;

    if (!f->left) {
        nb_strbuf_fill(out, ' ', fill);
    }
    nb_strbuf_add(out, (nb_str){text, len});
    if (f->left) {
        nb_strbuf_fill(out, ' ', fill);
    }
}

/* digits is an unsigned number, perhaps with a fraction: grouping, sign, zero fill. */
static void
put_number(nb_strbuf *out, const spec *f, bool negative, const char *digits)
{
    nb_strbuf b = {0}, whole = {0};
    size_t len;

    if (digits == NULL) { /* no memory for them */
        out->failed = true;
        return;
    }
    len = strcspn(digits, ".eE");
    for (size_t i = 0; i < len; i++) {
        nb_strbuf_addc(&whole, digits[i]);
        if (f->group && (len - 1 - i) % 3 == 0 && i + 1 < len) {
            nb_strbuf_addc(&whole, ',');
        }
    }
    nb_strbuf_adds(&whole, digits + len);
    if (negative) {
        nb_strbuf_addc(&b, f->paren ? '(' : '-');
    } else if (f->plus || f->space) {
        nb_strbuf_addc(&b, f->plus ? '+' : ' ');
    }
    size_t total = b.len + whole.len + (negative && f->paren);
    if (f->zero && f->width > 0 && (size_t)f->width > total) {
        nb_strbuf_fill(&b, '0', (size_t)f->width - total);
    }
    nb_strbuf_add(&b, nb_strbuf_str(&whole));
    if (negative && f->paren) {
        nb_strbuf_addc(&b, ')');
    }
    put_padded(out, f, nb_strbuf_str(&b).data, b.len);
    out->failed |= b.failed || whole.failed;
    nb_strbuf_free(&b);
    nb_strbuf_free(&whole);
}

/* A number as decimal digits: 0.d0 d1 … × 10^point. */
typedef struct decimal_digits {
    char d[800];
    int n, point;
} decimal_digits;

/* From "12.5", "1.25E10", "1.0E-5" (no sign). */
static void
read_digits(const char *text, decimal_digits *out)
{
    bool dot = false;

    out->n = out->point = 0;
    for (; *text && *text != 'E' && *text != 'e'; text++) {
        if (*text == '.') {
            dot = true;
        } else if (*text >= '0' && *text <= '9') {
            if (out->n == 0 && *text == '0') {
                out->point -= dot; /* leading zeros */
            } else if (out->n < 790) {
                out->d[out->n++] = *text;
                out->point += !dot;
            }
        }
    }
    if (*text) {
        out->point += (int)strtol(text + 1, NULL, 10);
    }
    if (out->n == 0) {
        out->point = 0;
    }
}

/* Keeps n digits in front (n may be 0 or less), rounding half up, or half to even. */
static void
keep_digits(decimal_digits *x, int n, bool half_even)
{
    bool up;

    if (n >= x->n) {
        return;
    }
    if (n < 0) {
        x->n = 0;
        return;
    }
    up = x->d[n] >= '5';
    if (half_even && x->d[n] == '5') {
        bool more = false;
        for (int i = n + 1; i < x->n; i++) {
            more |= x->d[i] != '0';
        }
        up = more || (n > 0 && (x->d[n - 1] - '0') % 2 == 1);
    }
    x->n = n;
    while (up && n > 0) {
        if (x->d[n - 1] < '9') {
            x->d[n - 1]++;
            up = false;
        } else {
            x->d[--n] = '0';
        }
    }
    if (up) {
        memmove(x->d + 1, x->d, (size_t)x->n);
        x->d[0] = '1';
        x->n++;
        x->point++;
    }
}

/* "123.40" with exactly scale fraction digits. */
static void
write_plain(const decimal_digits *x, int scale, nb_strbuf *out)
{
    if (x->point <= 0) {
        nb_strbuf_addc(out, '0');
    }
    for (int i = 0; i < x->point; i++) {
        nb_strbuf_addc(out, i < x->n ? x->d[i] : '0');
    }
    if (scale > 0) {
        nb_strbuf_addc(out, '.');
    }
    for (int i = x->point; i < x->point + scale; i++) {
        nb_strbuf_addc(out, i >= 0 && i < x->n ? x->d[i] : '0');
    }
}

static void
write_fixed(const char *text, int scale, bool half_even, nb_strbuf *out)
{
    decimal_digits x;

    read_digits(text, &x);
    keep_digits(&x, x.point + scale, half_even);
    write_plain(&x, scale, out);
}

static void
write_scientific(const char *text, int precision, bool upper, nb_strbuf *out)
{
    decimal_digits x;
    int exponent;

    read_digits(text, &x);
    keep_digits(&x, precision + 1, false);
    exponent = x.n ? x.point - 1 : 0;
    nb_strbuf_addc(out, x.n ? x.d[0] : '0');
    if (precision > 0) {
        nb_strbuf_addc(out, '.');
    }
    for (int i = 1; i <= precision; i++) {
        nb_strbuf_addc(out, i < x.n ? x.d[i] : '0');
    }
    nb_strbuf_addf(out, "%c%c%02d", upper ? 'E' : 'e', exponent < 0 ? '-' : '+', abs(exponent));
}

/* ---- values -------------------------------------------------------------------------------------------------------------------------- */

/* The number at row i without its sign; false when it is none. */
static bool
number_text(const nb_vector *v, int64_t i, bool *negative, nb_strbuf *out)
{
    char text[64];
    double x;
    int64_t k = i * nb_step(v);

    switch (v->type->id) {
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
    case NB_TYPE_INT32:
    case NB_TYPE_INT64: {
        int64_t y = v->type->phys == NB_PHYS_INT8    ? NB_DATA(int8_t, v)[k]
                    : v->type->phys == NB_PHYS_INT16 ? NB_DATA(int16_t, v)[k]
                    : v->type->phys == NB_PHYS_INT32 ? NB_DATA(int32_t, v)[k]
                                                     : NB_DATA(int64_t, v)[k];
        *negative = y < 0;
        nb_strbuf_addf(out, "%llu", y < 0 ? -(unsigned long long)y : (unsigned long long)y);
        return true;
    }
    case NB_TYPE_DECIMAL: {
        nb_int128 y = v->type->phys == NB_PHYS_INT64 ? (nb_int128)NB_DATA(int64_t, v)[k]
                                                     : NB_DATA(nb_int128, v)[k];
        *negative = y < 0;
        nb_strbuf_add(out, (nb_str){text, nb_decimal_format(y < 0 ? -y : y, v->type->scale, text)});
        return true;
    }
    case NB_TYPE_FLOAT32:
    case NB_TYPE_FLOAT64:
        x = v->type->id == NB_TYPE_FLOAT32 ? (double)NB_DATA(float, v)[k] : NB_DATA(double, v)[k];
        *negative = signbit(x) && !isnan(x);
        if (!isfinite(x)) {
            nb_strbuf_adds(out, isnan(x) ? "NaN" : "Infinity");
            return true;
        }
        nb_strbuf_add(
            out, (nb_str){text, (size_t)(v->type->id == NB_TYPE_FLOAT32
                                             ? nb_format_float(text, fabsf(NB_DATA(float, v)[k]))
                                             : nb_format_double(text, fabs(x)))});
        return true;
    default: return false;
    }
}

/* ---- format_string ------------------------------------------------------------------------------------------------------------------- */

static nb_status
bad_format(nb_kernel_ctx *ctx, const spec *f, const nb_vector *v)
{
    char text[120];
    const char *type = v ? nb_type_simple_string(ctx->arena, v->type) : "";

    snprintf(text, sizeof text, v ? "%c != %s" : "format specifier '%%%c'", f->conversion,
             type ? type : "");
    return nb_raise(ctx->err, NB_COND_FORMAT_STRING, "message", text, NULL);
}

/* `texts` are the arguments cast to string, for %s. */
static nb_status
put_argument(nb_kernel_ctx *ctx, const spec *f, const nb_vector *v, const nb_vector *text,
             int64_t i, nb_strbuf *out)
{
    nb_strbuf number = {0}, shown = {0};
    bool negative = false, null = nb_vector_is_null(v, i),
         upper = f->conversion >= 'A' && f->conversion <= 'Z';
    char conversion = (char)(f->conversion | 0x20), c[4];
    nb_status st = NB_OK;
    spec plain = *f;

    if (conversion == 'b') {
        const char *word = null ? "false"
                           : v->type->id == NB_TYPE_BOOL && !NB_DATA(uint8_t, v)[i * nb_step(v)]
                               ? "false"
                               : "true";
        put_padded(out, f, word, strlen(word));
        return NB_OK;
    }
    if (null) {
        size_t n = f->precision >= 0 && f->precision < 4 ? (size_t)f->precision : 4;
        put_padded(out, f, upper ? "NULL" : "null", n);
        return NB_OK;
    }
    if (conversion == 's') {
        nb_str s = text->kind == NB_VEC_DICT
                       ? nb_view_str(&NB_DATA(nb_view, text->dict)[text->indices[i]])
                       : nb_row_str(text, i);
        if (f->precision >= 0) {
            s.len = nb_char_offset(s, f->precision);
        }
        nb_strbuf_add(&shown, s);
        for (size_t k = 0; upper && k < shown.len; k++) {
            shown.data[k] = (char)(shown.data[k] >= 'a' && shown.data[k] <= 'z' ? shown.data[k] - 32
                                                                                : shown.data[k]);
        }
        put_padded(out, f, nb_strbuf_str(&shown).data, shown.len);
        goto done;
    }
    if (!number_text(v, i, &negative, &number)) {
        st = bad_format(ctx, f, v);
        goto done;
    }
    if (number.failed) {
        goto done;
    }
    bool integral = nb_type_is_integral(v->type);
    if (integral && conversion == 'd') {
        put_number(out, f, negative, number.data);
    } else if (integral && (conversion == 'x' || conversion == 'o')) {
        int64_t y = (int64_t)strtoull(number.data, NULL, 10);
        uint64_t u = negative ? (uint64_t)-y : (uint64_t)y;
        u &= v->type->id == NB_TYPE_INT64   ? ~(uint64_t)0
             : v->type->id == NB_TYPE_INT32 ? 0xFFFFFFFF
             : v->type->id == NB_TYPE_INT16 ? 0xFFFF
                                            : 0xFF;
        nb_strbuf_adds(&shown, !f->alternate ? "" : conversion == 'x' ? "0x" : "0");
        nb_strbuf_addf(&shown,
                       conversion == 'o' ? "%llo"
                       : upper           ? "%llX"
                                         : "%llx",
                       (unsigned long long)u);
        put_number(out, f, false, shown.data);
    } else if (integral && conversion == 'c') {
        put_padded(out, f, c, nb_char_encode((uint32_t)strtoul(number.data, NULL, 10), c));
    } else if (v->type->id != NB_TYPE_DECIMAL && !integral &&
               (conversion == 'f' || conversion == 'e' || conversion == 'g')) {
        int precision = f->precision < 0 ? 6 : NB_MIN(f->precision, 700);
        if (number.data[0] == 'N' || number.data[0] == 'I') {
            plain.zero = plain.group = false;
            put_number(out, &plain, negative, number.data);
            goto done;
        }
        if (conversion == 'g') {
            decimal_digits x;
            precision = precision == 0 ? 1 : precision;
            read_digits(number.data, &x);
            keep_digits(&x, precision, false);
            if (x.n == 0 || (x.point > -4 && x.point <= precision)) {
                write_fixed(number.data, NB_MAX(precision - (x.n ? x.point : 1), 0), false, &shown);
            } else {
                write_scientific(number.data, precision - 1, upper, &shown);
            }
        } else if (conversion == 'f') {
            write_fixed(number.data, precision, false, &shown);
        } else {
            write_scientific(number.data, precision, upper, &shown);
        }
        put_number(out, f, negative, shown.data);
    } else {
        st = bad_format(ctx, f, v);
    }
done:
    out->failed |= number.failed || shown.failed;
    nb_strbuf_free(&number);
    nb_strbuf_free(&shown);
    return st;
}

static nb_status
format_row(nb_kernel_ctx *ctx, nb_str format, const nb_vector *args, const nb_vector *texts,
           int n_args, int64_t i, nb_strbuf *out)
{
    int next = 1;

    for (size_t k = 0; k < format.len; k++) {
        spec f = {.width = -1, .precision = -1};
        int index = -1;
        if (format.data[k] != '%') {
            nb_strbuf_addc(out, format.data[k]);
            continue;
        }
        size_t at = k + 1, digits = at;
        while (digits < format.len && format.data[digits] >= '0' && format.data[digits] <= '9' &&
               digits - at < 5) {
            digits++;
        }
        if (digits > at && digits < format.len && format.data[digits] == '$') {
            index = atoi(format.data + at);
            at = digits + 1;
        }
        for (; at < format.len && strchr("-0+ ,(#", format.data[at]); at++) {
            char c = format.data[at];
            f.left |= c == '-';
            f.zero |= c == '0';
            f.plus |= c == '+';
            f.space |= c == ' ';
            f.group |= c == ',';
            f.paren |= c == '(';
            f.alternate |= c == '#';
        }
        for (int d = 0;
             at < format.len && format.data[at] >= '0' && format.data[at] <= '9' && d < 6;
             at++, d++) {
            f.width = NB_MAX(f.width, 0) * 10 + (format.data[at] - '0');
        }
        if (at < format.len && format.data[at] == '.') {
            f.precision = 0;
            for (at++; at < format.len && format.data[at] >= '0' && format.data[at] <= '9' &&
                       f.precision < 100000;
                 at++) {
                f.precision = f.precision * 10 + (format.data[at] - '0');
            }
        }
        f.conversion = at < format.len ? format.data[at] : '%';
        if (at >= format.len || strchr("dxXosSbBcCfeEgG%n", f.conversion) == NULL) {
            return bad_format(ctx, &f, NULL);
        }
        k = at;
        if (f.conversion == 'n') {
            nb_strbuf_addc(out, '\n');
        } else if (f.conversion == '%') {
            put_padded(out, &f, "%", 1);
        } else {
            int arg = index > 0 ? index : next++;
            if (arg >= n_args) {
                return bad_format(ctx, &f, NULL);
            }
            NB_TRY(put_argument(ctx, &f, &args[arg], &texts[arg], i, out));
        }
    }
    return out->failed ? NB_NOMEM : NB_OK;
}

static nb_status
format_string_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                     nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};
    nb_vector *texts = NB_ARENA_ARRAY(ctx->arena, nb_vector, n_args);
    nb_strbuf b = {0};
    nb_status st = NB_OK;

    if (texts == NULL) {
        return NB_NOMEM;
    }
    for (int k = 1; k < n_args; k++) {
        texts[k] = args[k];
        if (!nb_type_is_string(args[k].type) && args[k].type->id != NB_TYPE_NULL) {
            NB_TRY(nb_cast_vector(ctx, &args[k], nb_type_of(NB_TYPE_STRING), NB_CAST_LEGACY,
                                  &texts[k]));
        }
    }
    for (int64_t i = 0; i < n; i++) {
        if (nb_vector_is_null(&args[0], i)) {
            NB_TRY_GOTO(st, nb_row_null(ctx, out, i), done);
            continue;
        }
        b.len = 0;
        NB_TRY_GOTO(st, format_row(ctx, nb_row_str(&args[0], i), args, texts, n_args, i, &b), done);
        char *p = nb_text_room(&w, b.len);
        if (p == NULL) {
            st = NB_NOMEM;
            goto done;
        }
        if (b.len) {
            memcpy(p, b.data, b.len);
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, b.len);
    }
done:
    nb_strbuf_free(&b);
    return st;
}

nb_status
nb_bind_format_string(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    call->nullable = call->args[0]->nullable;
    return nb_bound(call, NB_TYPE_STRING, format_string_kernel);
}

/* ---- format_number ------------------------------------------------------------------------------------------------------------------- */

/* Digits after the point that a pattern like "#,###.00#" asks for. */
static bool
read_pattern(nb_str p, int *least, int *most, bool *group)
{
    bool dot = false;

    *least = *most = 0;
    *group = false;
    for (size_t i = 0; i < p.len; i++) {
        char c = p.data[i];
        if (c == '.' && !dot) {
            dot = true;
        } else if (c == ',') {
            *group = true;
        } else if (c == '0' || c == '#') {
            *least += dot && c == '0';
            *most += dot;
        } else {
            return false;
        }
    }
    return true;
}

static nb_status
format_number_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                     nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};
    const nb_vector *v = &args[0];
    bool pattern = nb_type_is_string(args[1].type),
         is_double = v->type->id == NB_TYPE_FLOAT64 || v->type->id == NB_TYPE_FLOAT32;

    for (int64_t i = 0; i < n; i++) {
        nb_strbuf number = {0}, fixed = {0}, shown = {0};
        spec f = {.width = -1, .group = true};
        int least, most;
        bool negative = false;
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (pattern) {
            nb_str p = nb_row_str(&args[1], i);
            if (p.len == 0) {
                least = most = 0;
            } else if (!read_pattern(p, &least, &most, &f.group)) {
                return nb_raise_unsupported(ctx->err, "format_number with the pattern '%.*s'",
                                            (int)p.len, p.data);
            }
        } else {
            least = most = NB_DATA(int32_t, &args[1])[i * nb_step(&args[1])];
            if (least < 0) {
                NB_TRY(nb_row_null(ctx, out, i));
                continue;
            }
            least = most = NB_MIN(most, 340);
        }
        number_text(v, i, &negative, &number);
        if (number.failed) {
            nb_strbuf_free(&number);
            return NB_NOMEM;
        }
        if (number.data[0] == 'N' || number.data[0] == 'I') {
            nb_strbuf_adds(&fixed, number.data[0] == 'N' ? "NaN" : "\xE2\x88\x9E");
            f.group = false;
        } else if (is_double) {
            /* Rounds the exact binary value, ties to even, as java.text does. */
            double x = v->type->id == NB_TYPE_FLOAT32 ? (double)NB_DATA(float, v)[i * nb_step(v)]
                                                      : NB_DATA(double, v)[i * nb_step(v)];
            nb_strbuf_addf(&fixed, "%.*f", most, fabs(x));
        } else {
            write_fixed(nb_strbuf_str(&number).data, most, true, &fixed);
        }
        while (fixed.len && most > least && fixed.data[fixed.len - 1] == '0') {
            fixed.data[--fixed.len] = 0;
            most--;
        }
        if (fixed.len && fixed.data[fixed.len - 1] == '.') {
            fixed.data[--fixed.len] = 0;
        }
        put_number(&shown, &f, negative, nb_strbuf_str(&fixed).data);
        bool failed = number.failed || fixed.failed || shown.failed;
        char *p = failed ? NULL : nb_text_room(&w, shown.len);
        if (p) {
            memcpy(p, nb_strbuf_str(&shown).data, shown.len);
            NB_DATA(nb_view, out)[i] = nb_text_done(&w, shown.len);
        }
        nb_strbuf_free(&number);
        nb_strbuf_free(&fixed);
        nb_strbuf_free(&shown);
        if (p == NULL) {
            return NB_NOMEM;
        }
    }
    return NB_OK;
}

nb_status
nb_bind_format_number(nb_bound_call *call, nb_error *err)
{
    if (!nb_type_is_numeric(call->args[0]->type)) {
        if (call->args[0]->type->id != NB_TYPE_NULL) {
            return nb_bind_mismatch(call, 0, "\"NUMERIC\"", err);
        }
        NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_FLOAT64, err));
    }
    if (!nb_type_is_string(call->args[1]->type)) {
        if (call->args[1]->type->id == NB_TYPE_INT64 ||
            (nb_type_is_numeric(call->args[1]->type) &&
             !nb_type_is_integral(call->args[1]->type))) {
            return nb_bind_mismatch(call, 1, "(\"INT\" or \"STRING\")", err);
        }
        NB_TRY(nb_bind_all(call, 1, 2, NB_TYPE_INT32, err));
    }
    return nb_bound(call, NB_TYPE_STRING, format_number_kernel);
}
