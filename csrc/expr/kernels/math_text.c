/* SPDX-License-Identifier: Apache-2.0 */
/*
 * math_text.c: numbers in other bases: bin, hex, unhex, conv.
 */

#include "expr/binders.h"
#include "base/ascii.h"
#include "expr/kernels/operators.h"
#include "expr/kernels/string.h"

static nb_status
put_text(nb_kernel_ctx *ctx, nb_vector *out, int64_t i, const char *text, size_t len)
{
    if (len <= NB_VIEW_INLINE) {
        NB_DATA(nb_view, out)[i] = nb_view_make(text, len);
    } else {
        char *copy = nb_arena_alloc(ctx->arena, len);

        if (copy == NULL) {
            return NB_NOMEM;
        }
        memcpy(copy, text, len);
        NB_DATA(nb_view, out)[i] = nb_view_make(copy, len);
    }
    return NB_OK;
}

static size_t
to_base(uint64_t v, unsigned base, char *out)
{
    char text[64];
    size_t n = 0;

    do {
        text[n++] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[v % base];
        v /= base;
    } while (v > 0);
    for (size_t i = 0; i < n; i++) {
        out[i] = text[n - 1 - i];
    }
    return n;
}

static nb_status
bin_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    char text[64];

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(out->validity, i)) {
            NB_TRY(put_text(ctx, out, i, text,
                            to_base((uint64_t)NB_DATA(int64_t, &args[0])[i], 2, text)));
        }
    }
    return NB_OK;
}

nb_status
nb_bind_bin(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_INT64), err));
    call->type = nb_type_of(NB_TYPE_STRING);
    call->kernel = bin_kernel;
    return NB_OK;
}

static nb_status
hex_number_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    char text[64];

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(out->validity, i)) {
            NB_TRY(put_text(ctx, out, i, text,
                            to_base((uint64_t)NB_DATA(int64_t, &args[0])[i], 16, text)));
        }
    }
    return NB_OK;
}

static nb_status
hex_bytes_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        nb_str s;
        char *text;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        s = nb_view_str(NB_DATA(nb_view, &args[0]) + i);
        text = nb_arena_array(ctx->arena, s.len + 1, 2);
        if (text == NULL) {
            return NB_NOMEM;
        }
        for (size_t k = 0; k < s.len; k++) {
            text[2 * k] = "0123456789ABCDEF"[(unsigned char)s.data[k] >> 4];
            text[2 * k + 1] = "0123456789ABCDEF"[(unsigned char)s.data[k] & 15];
        }
        NB_DATA(nb_view, out)[i] = nb_view_make(text, 2 * s.len);
    }
    return NB_OK;
}

nb_status
nb_bind_hex(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[0]->type;

    call->type = nb_type_of(NB_TYPE_STRING);
    if (nb_type_is_string(t) || t->id == NB_TYPE_BINARY) {
        call->kernel = hex_bytes_kernel;
        return NB_OK;
    }
    if (t->id == NB_TYPE_BOOL || t->id == NB_TYPE_DATE || t->id == NB_TYPE_TIMESTAMP ||
        t->id == NB_TYPE_TIMESTAMP_NTZ) { /* no way to bigint: the bytes of their text */
        NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_STRING), err));
        call->kernel = hex_bytes_kernel;
        return NB_OK;
    }
    call->nullable |= !nb_type_is_integral(t); /* as Spark says of such a cast */
    NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_INT64), err));
    call->kernel = hex_number_kernel;
    return NB_OK;
}

static int
digit_value(char c)
{
    c = nb_to_upper(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
}

bool
nb_hex_decode(nb_str s, char *out, size_t *n)
{
    size_t odd = s.len % 2; /* the first digit stands alone */
    bool ok = true;

    *n = s.len / 2 + odd;
    for (size_t k = 0; k < *n; k++) {
        int high = odd && k == 0 ? 0 : digit_value(s.data[2 * k - odd]);
        int low = digit_value(s.data[2 * k + 1 - odd]);

        ok &= high < 16 && low < 16;
        out[k] = (char)(high * 16 + low);
    }
    return ok;
}

static nb_status
unhex_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        nb_str s;
        char *bytes;
        size_t len;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        s = nb_view_str(NB_DATA(nb_view, &args[0]) + i);
        bytes = nb_arena_alloc(ctx->arena, s.len / 2 + 1);
        if (bytes == NULL) {
            return NB_NOMEM;
        }
        if (nb_hex_decode(s, bytes, &len)) {
            NB_DATA(nb_view, out)[i] = nb_view_make(bytes, len);
        } else {
            NB_DATA(nb_view, out)[i] = (nb_view){0};
            NB_TRY(nb_kernel_null_row(ctx, out, i));
        }
    }
    return NB_OK;
}

nb_status
nb_bind_unhex(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_STRING), err));
    call->type = nb_type_of(NB_TYPE_BINARY);
    call->kernel = unhex_kernel;
    return NB_OK;
}

/* ---- conv -------------------------------------------------------------------------------------------------------------------------------------- */

static nb_status
conv_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        nb_str s;
        int32_t from, to;
        bool negative = false, overflow = false;
        uint64_t v = 0;
        char text[66];
        size_t len = 0;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        s = nb_str_trim(
            nb_view_str(NB_DATA(nb_view, &args[0]) + (args[0].kind == NB_VEC_CONST ? 0 : i)));
        from = NB_DATA(int32_t, &args[1])[args[1].kind == NB_VEC_CONST ? 0 : i];
        to = NB_DATA(int32_t, &args[2])[args[2].kind == NB_VEC_CONST ? 0 : i];
        if (from < 2 || from > 36 || to < -36 || to > 36 || (to > -2 && to < 2) || s.len == 0) {
            NB_TRY(nb_kernel_null_row(ctx, out, i));
            continue;
        }
        if (s.data[0] == '-') {
            negative = true;
            s.data++;
            s.len--;
        }
        for (size_t k = 0; k < s.len; k++) {
            int d = digit_value(s.data[k]);

            if (d >= from) {
                break;
            }
            if (overflow || __builtin_mul_overflow(v, (uint64_t)from, &v) ||
                __builtin_add_overflow(v, (uint64_t)d, &v)) {
                overflow = true;
            }
        }
        if (overflow) {
            if (ctx->info->ansi) {
                return nb_raise(ctx->err, NB_COND_ARITHMETIC_OVERFLOW, "message",
                                "Overflow in function conv()", "alternative", "", "config",
                                "\"spark.sql.ansi.enabled\"", NULL);
            }
            v = UINT64_MAX;
        }
        if (negative && to > 0) {
            v = (int64_t)v < 0 ? UINT64_MAX : 0 - v;
        }
        if (to < 0 && !negative && (int64_t)v < 0) {
            v = 0 - v;
            negative = true;
        }
        if (negative && to < 0) {
            text[len++] = '-';
        }
        len += to_base(v, (unsigned)(to < 0 ? -to : to), text + len);
        NB_TRY(put_text(ctx, out, i, text, len));
    }
    return NB_OK;
}

nb_status
nb_bind_conv(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_cast(call, 0, nb_type_of(NB_TYPE_STRING), err));
    NB_TRY(nb_bind_cast(call, 1, nb_type_of(NB_TYPE_INT32), err));
    NB_TRY(nb_bind_cast(call, 2, nb_type_of(NB_TYPE_INT32), err));
    call->type = nb_type_of(NB_TYPE_STRING);
    call->kernel = conv_kernel;
    return NB_OK;
}
