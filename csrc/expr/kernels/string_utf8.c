/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string_utf8.c: is_valid_utf8, make_valid_utf8, validate_utf8, try_validate_utf8.
 *
 * Strings may hold any bytes (a cast from binary checks nothing). make_valid_utf8 puts U+FFFD for each malformed sequence: its longest part that a
 * valid character could begin with counts as one, as Unicode recommends and Spark does.
 */
#include "base/utf8.h"
#include "expr/binders.h"
#include "expr/kernels/string.h"

static nb_status
is_valid_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    (void)ctx;
    (void)n_args;
    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        NB_DATA(uint8_t, out)[i] = nb_utf8_validate(s.data, s.len);
    }
    return NB_OK;
}

static bool
is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* How many bytes at the start of s, which is malformed there, make one replacement. */
static size_t
malformed_length(const unsigned char *s, size_t left)
{
    unsigned char lead = s[0], low = 0x80, high = 0xBF;
    size_t wanted = nb_utf8_width(lead), n = 1;

    if (wanted == 1 || left < 2) {
        return 1;
    }
    low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : low;
    high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : high;
    if (s[1] < low || s[1] > high) {
        return 1;
    }
    while (n < wanted && n < left && is_tail(s[n])) {
        n++;
    }
    return n;
}

static nb_status
make_valid_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};

    (void)n_args;
    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        size_t at = nb_utf8_valid_prefix(s.data, s.len), len = at;
        char *p;
        if (at == s.len) {
            NB_DATA(nb_view, out)[i] = nb_view_make(s.data, s.len);
            continue;
        }
        if (s.len > SIZE_MAX / 3) {
            return NB_NOMEM;
        }
        p = nb_text_room(&w, s.len * 3);
        if (p == NULL) {
            return NB_NOMEM;
        }
        memcpy(p, s.data, at);
        while (at < s.len) {
            size_t fine;
            at += malformed_length((const unsigned char *)s.data + at, s.len - at);
            memcpy(p + len, "\xEF\xBF\xBD", 3);
            len += 3;
            fine = nb_utf8_valid_prefix(s.data + at, s.len - at);
            memcpy(p + len, s.data + at, fine);
            len += fine;
            at += fine;
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

/* The text itself; malformed: null where the call only tries, else an error that shows its bytes. */
static nb_status
validate(nb_kernel_ctx *ctx, const nb_vector *args, int64_t n, bool tries, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        nb_strbuf hex = {0};
        nb_status st;

        NB_DATA(nb_view, out)[i] = nb_view_make(s.data, s.len);
        if (!nb_is_valid(out->validity, i) || nb_utf8_validate(s.data, s.len)) {
            continue;
        }
        if (tries) {
            NB_TRY(nb_vector_need_validity(ctx->arena, out));
            nb_bit_clear(out->validity, i);
            continue;
        }
        for (size_t k = 0; k < s.len; k++) {
            nb_strbuf_addf(&hex, "\\x%02X", (unsigned)(unsigned char)s.data[k]);
        }
        st = nb_raise(ctx->err, NB_COND_INVALID_UTF8_STRING, "str", hex.data ? hex.data : "", NULL);
        nb_strbuf_free(&hex);
        return st;
    }
    return NB_OK;
}

static nb_status
validate_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    (void)n_args;
    return validate(ctx, args, n, false, out);
}

static nb_status
try_validate_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                    nb_vector *out)
{
    (void)n_args;
    return validate(ctx, args, n, true, out);
}

nb_status
nb_bind_is_valid_utf8(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_BOOL, is_valid_kernel);
}

nb_status
nb_bind_make_valid_utf8(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, make_valid_kernel);
}

nb_status
nb_bind_validate_utf8(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, validate_kernel);
}

nb_status
nb_bind_try_validate_utf8(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, try_validate_kernel);
}
