/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string_search.c: finding and replacing: instr, locate, contains, replace, translate, overlay, substring_index, split_part, find_in_set.
 */
#include "expr/kernels/string.h"

/* ---- finding ------------------------------------------------------------------------------------------------------------------------- */

/* 1-based character of a byte offset; 0 for -1. */
static int32_t
position_of(nb_str s, int64_t at)
{
    return at < 0 ? 0 : (int32_t)nb_char_count((nb_str){s.data, (size_t)at}) + 1;
}

static nb_status
instr_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(out->validity, i)) {
            nb_str s = nb_row_str(&args[0], i);
            NB_DATA(int32_t, out)[i] = position_of(s, nb_str_find(s, nb_row_str(&args[1], i), 0));
        }
    }
    return NB_OK;
}

nb_status
nb_bind_instr(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 2, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_INT32, instr_kernel);
}

/* locate(needle, s[, from]): a null start gives 0. */
static nb_status
locate_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int32_t, out)[i] = 0;
        if (n_args == 3 && nb_vector_is_null(&args[2], i)) {
            continue;
        }
        if (nb_vector_is_null(&args[0], i) || nb_vector_is_null(&args[1], i)) {
            NB_TRY(nb_row_null(ctx, out, i));
            continue;
        }
        nb_str needle = nb_row_str(&args[0], i), s = nb_row_str(&args[1], i);
        int64_t from = n_args == 3 ? NB_DATA(int32_t, &args[2])[i * nb_step(&args[2])] : 1;
        if (from < 1) {
            continue;
        }
        if (needle.len == 0) {
            NB_DATA(int32_t, out)[i] = 1;
            continue;
        }
        NB_DATA(int32_t, out)
        [i] = position_of(s, nb_str_find(s, needle, nb_char_offset(s, from - 1)));
    }
    return NB_OK;
}

nb_status
nb_bind_locate(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 2, NB_TYPE_STRING, err));
    NB_TRY(nb_bind_all(call, 2, 3, NB_TYPE_INT32, err));
    call->nullable = call->args[0]->nullable || call->args[1]->nullable;
    return nb_bound(call, NB_TYPE_INT32, locate_kernel);
}

#define PREDICATE(name, expression)                                                       \
    static nb_status name##_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, \
                                   int64_t n, nb_vector *out)                             \
    {                                                                                     \
        for (int64_t i = 0; i < n; i++) {                                                 \
            nb_str s = nb_row_str(&args[0], i), part = nb_row_str(&args[1], i);           \
            NB_DATA(uint8_t, out)[i] = (expression);                                      \
        }                                                                                 \
        return NB_OK;                                                                     \
    }                                                                                     \
    nb_status nb_bind_##name(nb_bound_call *call, nb_error *err)                          \
    {                                                                                     \
        if (call->args[0]->type->id != NB_TYPE_BINARY ||                                  \
            call->args[1]->type->id != NB_TYPE_BINARY) {                                  \
            NB_TRY(nb_bind_all(call, 0, 2, NB_TYPE_STRING, err));                         \
        }                                                                                 \
        return nb_bound(call, NB_TYPE_BOOL, name##_kernel);                               \
    }
PREDICATE(contains, nb_str_find(s, part, 0) >= 0)
PREDICATE(startswith, s.len >= part.len && memcmp(s.data, part.data, part.len) == 0)
PREDICATE(endswith,
          s.len >= part.len && memcmp(s.data + s.len - part.len, part.data, part.len) == 0)

static nb_status
find_in_set_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int32_t, out)[i] = 0;
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str word = nb_row_str(&args[0], i), set = nb_row_str(&args[1], i);
        if (memchr(word.data, ',', word.len)) {
            continue;
        }
        int32_t k = 1;
        for (size_t at = 0;; k++) {
            const char *comma = memchr(set.data + at, ',', set.len - at);
            size_t end = comma ? (size_t)(comma - set.data) : set.len;
            if (nb_str_equal((nb_str){set.data + at, end - at}, word)) {
                NB_DATA(int32_t, out)[i] = k;
                break;
            }
            if (comma == NULL) {
                break;
            }
            at = end + 1;
        }
    }
    return NB_OK;
}

nb_status
nb_bind_find_in_set(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 2, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_INT32, find_in_set_kernel);
}

/* ---- replacing ----------------------------------------------------------------------------------------------------------------------- */

static nb_status
replace_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i), find = nb_row_str(&args[1], i),
               put = n_args > 2 ? nb_row_str(&args[2], i) : NB_STR("");
        int64_t hits = 0, at;
        size_t from = 0, len;
        if (find.len > 0) {
            for (from = 0; (at = nb_str_find(s, find, from)) >= 0; from = (size_t)at + find.len) {
                hits++;
            }
        }
        if (hits == 0) {
            NB_DATA(nb_view, out)[i] = nb_view_make(s.data, s.len);
            continue;
        }
        len = s.len - (size_t)hits * find.len + (size_t)hits * put.len;
        if (len > INT32_MAX) {
            return nb_text_too_long(ctx);
        }
        char *p = nb_text_room(&w, len);
        if (p == NULL) {
            return NB_NOMEM;
        }
        for (from = 0; (at = nb_str_find(s, find, from)) >= 0; from = (size_t)at + find.len) {
            memcpy(p, s.data + from, (size_t)at - from);
            p += (size_t)at - from;
            memcpy(p, put.data, put.len);
            p += put.len;
        }
        memcpy(p, s.data + from, s.len - from);
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

nb_status
nb_bind_replace(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 3, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, replace_kernel);
}

/* Each character of `from` becomes the one at its place in `to`; those without one go. The first of equal characters counts. */
static nb_status
translate_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i), from = nb_row_str(&args[1], i),
               to = nb_row_str(&args[2], i);
        char *p = nb_text_room(&w, s.len * 4);
        size_t len = 0;
        if (p == NULL) {
            return NB_NOMEM;
        }
        for (size_t k = 0, step; k < s.len; k += step) {
            step = nb_char_step(s, k);
            size_t f = 0, t = 0, fs = 0, ts = 0;
            bool found = false;
            for (; f < from.len && !found; f += fs, t += found ? 0 : ts) {
                fs = nb_char_step(from, f);
                ts = t < to.len ? nb_char_step(to, t) : 0;
                found = fs == step && memcmp(from.data + f, s.data + k, step) == 0;
            }
            if (!found) {
                memcpy(p + len, s.data + k, step);
                len += step;
            } else if (t < to.len) {
                memcpy(p + len, to.data + t, ts);
                len += ts;
            }
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

nb_status
nb_bind_translate(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 3, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, translate_kernel);
}

/* overlay(s, put, pos[, len]): len -1 = as long as put. */
static nb_status
overlay_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};
    bool bytes = args[0].type->id == NB_TYPE_BINARY;

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i), put = nb_row_str(&args[1], i);
        int64_t pos = NB_DATA(int32_t, &args[2])[i * nb_step(&args[2])];
        int64_t len = n_args > 3 ? NB_DATA(int32_t, &args[3])[i * nb_step(&args[3])] : -1;
        len = len >= 0 ? len : bytes ? (int64_t)put.len : nb_char_count(put);
        size_t head =
            bytes ? (size_t)NB_MIN(NB_MAX(pos - 1, 0), (int64_t)s.len) : nb_char_offset(s, pos - 1);
        int64_t behind = NB_MAX(pos - 1 + len, 0);
        size_t tail = bytes ? (size_t)NB_MIN(behind, (int64_t)s.len) : nb_char_offset(s, behind);
        char *p = nb_text_room(&w, head + put.len + s.len - tail);
        if (p == NULL) {
            return NB_NOMEM;
        }
        memcpy(p, s.data, head);
        memcpy(p + head, put.data, put.len);
        memcpy(p + head + put.len, s.data + tail, s.len - tail);
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, head + put.len + s.len - tail);
    }
    return NB_OK;
}

nb_status
nb_bind_overlay(nb_bound_call *call, nb_error *err)
{
    bool binary =
        call->args[0]->type->id == NB_TYPE_BINARY && call->args[1]->type->id == NB_TYPE_BINARY;

    if (!binary) {
        NB_TRY(nb_bind_all(call, 0, 2, NB_TYPE_STRING, err));
    }
    NB_TRY(nb_bind_all(call, 2, 4, NB_TYPE_INT32, err));
    return nb_bound(call, binary ? NB_TYPE_BINARY : NB_TYPE_STRING, overlay_kernel);
}

/* ---- parts between delimiters -------------------------------------------------------------------------------------------------------- */

/* The last occurrence that starts before `before`; -1 when none. */
static int64_t
find_last(nb_str s, nb_str needle, size_t before)
{
    for (size_t i = NB_MIN(before, s.len >= needle.len ? s.len - needle.len + 1 : 0); i-- > 0;) {
        if (memcmp(s.data + i, needle.data, needle.len) == 0) {
            return (int64_t)i;
        }
    }
    return -1;
}

static nb_status
substring_index_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                       nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i), delimiter = nb_row_str(&args[1], i);
        int32_t count = NB_DATA(int32_t, &args[2])[i * nb_step(&args[2])];
        if (count == 0 || delimiter.len == 0) {
            s.len = 0;
        } else if (count > 0) {
            int64_t at = -1;
            size_t from = 0;
            for (int32_t k = 0; k < count; k++, from = (size_t)at + 1) {
                at = nb_str_find(s, delimiter, from);
                if (at < 0) {
                    break;
                }
            }
            s.len = at < 0 ? s.len : (size_t)at;
        } else {
            int64_t at = (int64_t)s.len;
            for (int64_t k = 0; k < -(int64_t)count && at >= 0; k++) {
                at = find_last(s, delimiter, (size_t)at);
            }
            if (at >= 0) {
                s.data += (size_t)at + delimiter.len;
                s.len -= (size_t)at + delimiter.len;
            }
        }
        NB_DATA(nb_view, out)[i] = nb_view_make(s.data, s.len);
    }
    return NB_OK;
}

nb_status
nb_bind_substring_index(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 2, NB_TYPE_STRING, err));
    NB_TRY(nb_bind_all(call, 2, 3, NB_TYPE_INT32, err));
    return nb_bound(call, NB_TYPE_STRING, substring_index_kernel);
}

/* Part k (from 1; negative from the end) of s split at a literal delimiter; empty when there are fewer. */
static nb_status
split_part_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i), delimiter = nb_row_str(&args[1], i), part = {NULL, 0};
        int64_t k = NB_DATA(int32_t, &args[2])[i * nb_step(&args[2])], parts = 1, at;
        if (k == 0) {
            return nb_raise(ctx->err, NB_COND_INVALID_INDEX_OF_ZERO, NULL);
        }
        if (delimiter.len == 0) {
            part = k == 1 || k == -1 ? s : part;
        } else {
            if (k < 0) {
                for (size_t from = 0; (at = nb_str_find(s, delimiter, from)) >= 0;
                     from = (size_t)at + delimiter.len) {
                    parts++;
                }
                k = parts + k + 1;
            }
            size_t from = 0;
            for (int64_t p = 1; k >= 1; p++) {
                at = nb_str_find(s, delimiter, from);
                if (p == k) {
                    part = (nb_str){s.data + from, (at < 0 ? s.len : (size_t)at) - from};
                    break;
                }
                if (at < 0) {
                    break;
                }
                from = (size_t)at + delimiter.len;
            }
        }
        NB_DATA(nb_view, out)[i] = nb_view_make(part.data, part.len);
    }
    return NB_OK;
}

nb_status
nb_bind_split_part(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 2, NB_TYPE_STRING, err));
    NB_TRY(nb_bind_all(call, 2, 3, NB_TYPE_INT32, err));
    return nb_bound(call, NB_TYPE_STRING, split_part_kernel);
}
