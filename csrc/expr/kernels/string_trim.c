/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string_trim.c: trim and pad.
 *
 * trim(s) takes spaces (only U+0020) off; trim(chars, s) any of the given characters. Results of trim point into their argument.
 */
#include "expr/kernels/string.h"

typedef struct trim_payload {
    bool left, right;
    int text, chars; /* argument positions; chars -1 = spaces */
} trim_payload;

static bool
has_char(nb_str set, const char *p, size_t n)
{
    for (size_t i = 0, step; i < set.len; i += step) {
        step = nb_char_step(set, i);
        if (step == n && memcmp(set.data + i, p, n) == 0) {
            return true;
        }
    }
    return false;
}

static nb_str
trim(nb_str s, nb_str set, bool left, bool right)
{
    while (left && s.len) {
        size_t n = nb_char_step(s, 0);
        if (!has_char(set, s.data, n)) {
            break;
        }
        s.data += n;
        s.len -= n;
    }
    while (right && s.len) {
        size_t n = 1;
        while (n < s.len && n < 4 && ((unsigned char)s.data[s.len - n] & 0xC0) == 0x80) {
            n++;
        }
        if (!has_char(set, s.data + s.len - n, n)) {
            break;
        }
        s.len -= n;
    }
    return s;
}

static nb_status
trim_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const trim_payload *p = ctx->expr->u.call.payload;

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[p->text], i);
        if (p->chars < 0) {
            while (p->left && s.len && s.data[0] == ' ') {
                s.data++;
                s.len--;
            }
            while (p->right && s.len && s.data[s.len - 1] == ' ') {
                s.len--;
            }
        } else {
            s = trim(s, nb_row_str(&args[p->chars], i), p->left, p->right);
        }
        NB_DATA(nb_view, out)[i] = nb_view_make(s.data, s.len);
    }
    return NB_OK;
}

static nb_status
bind_trim(nb_bound_call *call, bool left, bool right, bool chars_first, nb_error *err)
{
    trim_payload *p = NB_ARENA_NEW(call->arena, trim_payload);

    if (p == NULL) {
        return NB_NOMEM;
    }
    *p = (trim_payload){.left = left,
                        .right = right,
                        .text = call->n_args == 2 && chars_first ? 1 : 0,
                        .chars = -1};
    if (call->n_args == 2) {
        p->chars = 1 - p->text;
    }
    call->payload = p;
    NB_TRY(nb_bind_all(call, 0, 2, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, trim_kernel);
}

nb_status
nb_bind_trim(nb_bound_call *call, nb_error *err)
{
    return bind_trim(call, true, true, true, err);
}

nb_status
nb_bind_ltrim(nb_bound_call *call, nb_error *err)
{
    return bind_trim(call, true, false, true, err);
}

nb_status
nb_bind_rtrim(nb_bound_call *call, nb_error *err)
{
    return bind_trim(call, false, true, true, err);
}

nb_status
nb_bind_btrim(nb_bound_call *call, nb_error *err)
{
    return bind_trim(call, true, true, false, err);
}

/* ---- padding ------------------------------------------------------------------------------------------------------------------------- */

NB_INLINE nb_status
pad(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, bool left, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};
    bool bytes = args[0].type->id == NB_TYPE_BINARY;

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i), fill = n_args > 2 ? nb_row_str(&args[2], i)
                                                   : bytes    ? (nb_str){"\0", 1}
                                                              : NB_STR(" ");
        int64_t want = NB_MAX(NB_DATA(int32_t, &args[1])[i * nb_step(&args[1])], 0);
        int64_t have = bytes ? (int64_t)s.len : nb_char_count(s);
        if (have >= want || fill.len == 0) {
            size_t len = bytes ? (size_t)NB_MIN(want, have) : nb_char_offset(s, want);
            NB_DATA(nb_view, out)[i] = nb_view_make(s.data, len);
            continue;
        }
        int64_t missing = want - have, per = bytes ? (int64_t)fill.len : nb_char_count(fill);
        int64_t whole = missing / per, rest = missing % per;
        size_t rest_bytes = bytes ? (size_t)rest : nb_char_offset(fill, rest);
        size_t fill_bytes = (size_t)whole * fill.len + rest_bytes;
        if (s.len + fill_bytes > INT32_MAX) {
            return nb_text_too_long(ctx);
        }
        char *p = nb_text_room(&w, s.len + fill_bytes);
        if (p == NULL) {
            return NB_NOMEM;
        }
        char *at = left ? p : p + s.len;
        memcpy(left ? p + fill_bytes : p, s.data, s.len);
        for (int64_t k = 0; k < whole; k++) {
            memcpy(at, fill.data, fill.len);
            at += fill.len;
        }
        memcpy(at, fill.data, rest_bytes);
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, s.len + fill_bytes);
    }
    return NB_OK;
}

static nb_status
lpad_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return pad(ctx, args, n_args, n, true, out);
}

static nb_status
rpad_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return pad(ctx, args, n_args, n, false, out);
}

static nb_status
bind_pad(nb_bound_call *call, nb_kernel_fn kernel, nb_error *err)
{
    bool binary = call->args[0]->type->id == NB_TYPE_BINARY &&
                  (call->n_args < 3 || call->args[2]->type->id == NB_TYPE_BINARY);

    NB_TRY(nb_bind_all(call, 1, 2, NB_TYPE_INT32, err));
    if (!binary) {
        NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
        NB_TRY(nb_bind_all(call, 2, 3, NB_TYPE_STRING, err));
    }
    return nb_bound(call, binary ? NB_TYPE_BINARY : NB_TYPE_STRING, kernel);
}

nb_status
nb_bind_lpad(nb_bound_call *call, nb_error *err)
{
    return bind_pad(call, lpad_kernel, err);
}

nb_status
nb_bind_rpad(nb_bound_call *call, nb_error *err)
{
    return bind_pad(call, rpad_kernel, err);
}
