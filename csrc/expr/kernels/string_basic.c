/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string_basic.c: lengths, case, parts of strings, joining and repeating.
 *
 * Positions are 1-based characters; 0 counts as 1 and negative ones from the end, as in Spark's substring. Parts of strings point into
 * their argument: no bytes are copied. Each kernel has a path for ASCII, where characters are bytes.
 */
#include <stdio.h>
#include <utf8proc.h>

#include "expr/kernels/string.h"

/* String or binary stays; all else becomes a string. */
static nb_status
bind_text_or_binary(nb_bound_call *call, int arg, nb_error *err)
{
    return call->args[arg]->type->id == NB_TYPE_BINARY
               ? NB_OK
               : nb_bind_all(call, arg, arg + 1, NB_TYPE_STRING, err);
}

/* ---- lengths ------------------------------------------------------------------------------------------------------------------------- */

static nb_status
length_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    bool binary = args->type->id == NB_TYPE_BINARY;

    for (int64_t i = 0; i < n; i++) {
        const nb_view *v = &NB_DATA(nb_view, args)[i];
        NB_DATA(int32_t, out)
        [i] = binary ? (int32_t)v->len : (int32_t)nb_char_count(nb_view_str(v));
    }
    return NB_OK;
}

static nb_status
octet_length_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                    nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int32_t, out)[i] = (int32_t)NB_DATA(nb_view, args)[i].len;
    }
    return NB_OK;
}

static nb_status
bit_length_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int32_t, out)[i] = (int32_t)(NB_DATA(nb_view, args)[i].len * 8);
    }
    return NB_OK;
}

nb_status
nb_bind_length(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_text_or_binary(call, 0, err));
    return nb_bound(call, NB_TYPE_INT32, length_kernel);
}

nb_status
nb_bind_octet_length(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_text_or_binary(call, 0, err));
    return nb_bound(call, NB_TYPE_INT32, octet_length_kernel);
}

nb_status
nb_bind_bit_length(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_text_or_binary(call, 0, err));
    return nb_bound(call, NB_TYPE_INT32, bit_length_kernel);
}

/* ---- case ---------------------------------------------------------------------------------------------------------------------------- */

typedef enum case_mode { CASE_LOWER, CASE_UPPER, CASE_INITCAP } case_mode;

static bool
is_cased(uint32_t c)
{
    utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);

    return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT;
}

/* A capital sigma at the end of a word becomes ς. */
static bool
final_sigma(nb_str s, size_t at, size_t behind)
{
    size_t n;
    bool before = false;

    for (size_t i = 0; i < at; i += n) {
        before = is_cased(nb_char_decode(s, i, &n));
    }
    return before && (behind >= s.len || !is_cased(nb_char_decode(s, behind, &n)));
}

/* Characters that Unicode's full mapping turns into several. */
static const struct {
    uint32_t from;
    const char *upper;
} special_upper[] = {
    {0xDF, "SS"},
    {0x149, "\xCA\xBCN"},
    {0x1F0, "J\xCC\x8C"},
    {0x390, "\xCE\x99\xCC\x88\xCC\x81"},
    {0x3B0, "\xCE\xA5\xCC\x88\xCC\x81"},
    {0x587, "\xD4\xB5\xD5\x92"},
    {0x1E96, "H\xCC\xB1"},
    {0x1E97, "T\xCC\x88"},
    {0x1E98, "W\xCC\x8A"},
    {0x1E99, "Y\xCC\x8A"},
    {0x1E9A, "A\xCA\xBE"},
    {0xFB00, "FF"},
    {0xFB01, "FI"},
    {0xFB02, "FL"},
    {0xFB03, "FFI"},
    {0xFB04, "FFL"},
    {0xFB05, "ST"},
    {0xFB06, "ST"},
};

NB_INLINE void
ascii_case(const char *p, size_t len, bool upper, char *out)
{
    for (size_t k = 0; k < len; k++) {
        unsigned char c = (unsigned char)p[k], low = upper ? 'a' : 'A';
        out[k] = (char)(c ^ ((unsigned char)(c - low) < 26 ? 0x20 : 0));
    }
}

static size_t
put_case(nb_str s, size_t at, size_t n, uint32_t c, case_mode mode, char *out)
{
    bool upper = mode != CASE_LOWER;

    if (n == 1 && c >= 0x80) {
        out[0] = s.data[at];
        return 1;
    }
    if (upper) {
        for (size_t i = 0; i < NB_COUNT_OF(special_upper); i++) {
            if (special_upper[i].from == c) {
                size_t len = strlen(special_upper[i].upper);
                memcpy(out, special_upper[i].upper, len);
                if (mode == CASE_INITCAP &&
                    (unsigned char)out[0] < 0x80) { /* a title: the first letter only */
                    ascii_case(out + 1, len - 1, false, out + 1);
                }
                return len;
            }
        }
        return nb_char_encode((uint32_t)utf8proc_toupper((utf8proc_int32_t)c), out);
    }
    if (c == 0x130) {
        memcpy(out, "i\xCC\x87", 3);
        return 3;
    }
    if (c == 0x3A3 && final_sigma(s, at, at + n)) {
        return nb_char_encode(0x3C2, out);
    }
    return nb_char_encode((uint32_t)utf8proc_tolower((utf8proc_int32_t)c), out);
}

NB_INLINE nb_status
change_case(nb_kernel_ctx *ctx, const nb_vector *args, int64_t n, case_mode mode, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};

    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        size_t len = 0, step;
        bool ascii = nb_char_is_ascii(s);
        char *p = nb_text_room(&w, ascii ? s.len : s.len * 6 + 8);
        if (p == NULL) {
            return NB_NOMEM;
        }
        if (ascii && mode != CASE_INITCAP) {
            ascii_case(s.data, s.len, mode == CASE_UPPER, p);
            NB_DATA(nb_view, out)[i] = nb_text_done(&w, s.len);
            continue;
        }
        bool start = true;
        for (size_t k = 0; k < s.len; k += step) {
            uint32_t c = nb_char_decode(s, k, &step);
            len += put_case(s, k, step, c, mode == CASE_INITCAP && !start ? CASE_LOWER : mode,
                            p + len);
            start = c == ' ';
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

static nb_status
lower_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return change_case(ctx, args, n, CASE_LOWER, out);
}

static nb_status
upper_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return change_case(ctx, args, n, CASE_UPPER, out);
}

static nb_status
initcap_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return change_case(ctx, args, n, CASE_INITCAP, out);
}

#define OF_STRING(name, kernel)                                  \
    nb_status nb_bind_##name(nb_bound_call *call, nb_error *err) \
    {                                                            \
        NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));    \
        return nb_bound(call, NB_TYPE_STRING, kernel);           \
    }
OF_STRING(lower, lower_kernel)
OF_STRING(upper, upper_kernel)
OF_STRING(initcap, initcap_kernel)

/* Texts by characters, binaries by bytes. */
static nb_status
reverse_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};
    bool bytes = args->type->id == NB_TYPE_BINARY;

    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        char *p = nb_text_room(&w, s.len);
        if (p == NULL) {
            return NB_NOMEM;
        }
        for (size_t k = 0, step; k < s.len; k += step) {
            step = bytes ? 1 : nb_char_step(s, k);
            memcpy(p + s.len - k - step, s.data + k, step);
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, s.len);
    }
    return NB_OK;
}

/* Arrays are reversed by copying lists of their elements. */
static nb_status
reverse_array_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                     nb_vector *out)
{
    const nb_list *lists = args->data;
    int64_t total = 0;

    for (int64_t i = 0; i < n; i++) {
        total += nb_is_valid(out->validity, i) ? lists[i].len : 0;
    }
    uint32_t *idx = NB_ARENA_ARRAY(ctx->arena, uint32_t, NB_MAX(total, 1));
    if (idx == NULL) {
        return NB_NOMEM;
    }
    total = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t len = nb_is_valid(out->validity, i) ? lists[i].len : 0;
        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)total, len};
        for (uint32_t k = 0; k < len; k++) {
            idx[total++] = lists[i].offset + len - 1 - k;
        }
    }
    return nb_vector_gather(ctx->arena, &args->children[0], idx, total, &out->children[0]);
}

nb_status
nb_bind_reverse(nb_bound_call *call, nb_error *err)
{
    if (call->args[0]->type->id == NB_TYPE_ARRAY) {
        call->type = call->args[0]->type;
        call->kernel = reverse_array_kernel;
        return NB_OK;
    }
    if (call->args[0]->type->id == NB_TYPE_BINARY) {
        return nb_bound(call, NB_TYPE_BINARY, reverse_kernel);
    }
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, reverse_kernel);
}

/* ---- parts --------------------------------------------------------------------------------------------------------------------------- */

/* [from, to) of the characters, cut to the string, as a view into it. */
static nb_view
part(nb_str s, int64_t from, int64_t to, bool bytes)
{
    if (to <= from || to <= 0) {
        return nb_view_make(NULL, 0);
    }
    from = NB_MAX(from, 0);
    if (bytes || nb_char_is_ascii(s)) {
        int64_t end = NB_MIN(to, (int64_t)s.len);
        return from >= end ? nb_view_make(NULL, 0)
                           : nb_view_make(s.data + from, (size_t)(end - from));
    }
    size_t a = nb_char_offset(s, from);
    nb_str rest = {s.data + a, s.len - a};
    return nb_view_make(rest.data, nb_char_offset(rest, to - from));
}

static nb_status
substring_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    bool bytes = args[0].type->id == NB_TYPE_BINARY;

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i);
        int64_t pos = NB_DATA(int32_t, &args[1])[i * nb_step(&args[1])];
        int64_t len = n_args > 2 ? NB_DATA(int32_t, &args[2])[i * nb_step(&args[2])] : INT32_MAX;
        int64_t from = pos > 0 ? pos - 1 : 0;
        if (pos < 0) {
            from = pos + (bytes ? (int64_t)s.len : nb_char_count(s));
        }
        /* Java's int arithmetic: an end beyond the largest int is the largest int. */
        int64_t to = NB_MIN(from + len, INT32_MAX);
        NB_DATA(nb_view, out)[i] = part(s, from, to, bytes);
    }
    return NB_OK;
}

nb_status
nb_bind_substring(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_text_or_binary(call, 0, err));
    NB_TRY(nb_bind_all(call, 1, 3, NB_TYPE_INT32, err));
    call->type = call->args[0]->type;
    call->kernel = substring_kernel;
    return NB_OK;
}

static nb_status
left_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    bool bytes = args[0].type->id == NB_TYPE_BINARY;

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(out->validity, i)) {
            NB_DATA(nb_view, out)
            [i] = part(nb_row_str(&args[0], i), 0,
                       NB_DATA(int32_t, &args[1])[i * nb_step(&args[1])], bytes);
        }
    }
    return NB_OK;
}

static nb_status
right_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(out->validity, i)) {
            nb_str s = nb_row_str(&args[0], i);
            int64_t chars = nb_char_count(s),
                    len = NB_DATA(int32_t, &args[1])[i * nb_step(&args[1])];
            NB_DATA(nb_view, out)[i] = part(s, NB_MAX(chars - NB_MAX(len, 0), 0), chars, false);
        }
    }
    return NB_OK;
}

nb_status
nb_bind_left(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_text_or_binary(call, 0, err));
    NB_TRY(nb_bind_all(call, 1, 2, NB_TYPE_INT32, err));
    call->type = call->args[0]->type;
    call->kernel = left_kernel;
    return NB_OK;
}

nb_status
nb_bind_right(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    NB_TRY(nb_bind_all(call, 1, 2, NB_TYPE_INT32, err));
    return nb_bound(call, NB_TYPE_STRING, right_kernel);
}

/* ---- joining ------------------------------------------------------------------------------------------------------------------------- */

static nb_status
concat_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};

    for (int64_t i = 0; i < n; i++) {
        size_t len = 0;
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        for (int k = 0; k < n_args; k++) {
            len += NB_DATA(nb_view, &args[k])[i * nb_step(&args[k])].len;
        }
        if (len > INT32_MAX) {
            return nb_text_too_long(ctx);
        }
        char *p = nb_text_room(&w, len);
        if (p == NULL) {
            return NB_NOMEM;
        }
        for (int k = 0; k < n_args; k++) {
            nb_str s = nb_row_str(&args[k], i);
            memcpy(p, s.data, s.len);
            p += s.len;
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

static nb_status
concat_array_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                    nb_vector *out)
{
    const nb_vector **parts = NB_ARENA_ARRAY(ctx->arena, const nb_vector *, n_args);
    uint32_t *base = NB_ARENA_ARRAY(ctx->arena, uint32_t, n_args);
    int64_t total = 0, at = 0;
    nb_vector all;

    if (parts == NULL || base == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < n_args; k++) {
        parts[k] = &args[k].children[0];
        base[k] = (uint32_t)at;
        at += parts[k]->n_rows;
        for (int64_t i = 0; i < n; i++) {
            total += nb_is_valid(out->validity, i)
                         ? NB_DATA(nb_list, &args[k])[i * nb_step(&args[k])].len
                         : 0;
        }
    }
    uint32_t *idx = NB_ARENA_ARRAY(ctx->arena, uint32_t, NB_MAX(total, 1));
    if (idx == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_vector_concat(ctx->arena, parts, n_args, &all));
    total = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t from = (uint32_t)total;
        for (int k = 0; k < n_args && nb_is_valid(out->validity, i); k++) {
            nb_list l = NB_DATA(nb_list, &args[k])[i * nb_step(&args[k])];
            for (uint32_t j = 0; j < l.len; j++) {
                idx[total++] = base[k] + l.offset + j;
            }
        }
        NB_DATA(nb_list, out)[i] = (nb_list){from, (uint32_t)total - from};
    }
    return nb_vector_gather(ctx->arena, &all, idx, total, &out->children[0]);
}

nb_status
nb_bind_concat(nb_bound_call *call, nb_error *err)
{
    bool binary = call->n_args > 0, array = false;

    if (call->n_args == 0) {
        call->replacement = nb_expr_string(call->arena, NB_STR(""));
        return call->replacement ? NB_OK : NB_NOMEM;
    }
    for (int i = 0; i < call->n_args; i++) {
        binary &= call->args[i]->type->id == NB_TYPE_BINARY;
        array |= call->args[i]->type->id == NB_TYPE_ARRAY;
    }
    if (array) {
        NB_TRY(nb_bind_common_type(call, 0, call->n_args, &call->type, err));
        call->kernel = concat_array_kernel;
        return NB_OK;
    }
    if (!binary) {
        NB_TRY(nb_bind_all(call, 0, call->n_args, NB_TYPE_STRING, err));
    }
    return nb_bound(call, binary ? NB_TYPE_BINARY : NB_TYPE_STRING, concat_kernel);
}

/* concat_ws(separator, string or array of strings, ...): nulls are left out. */
static nb_status
concat_ws_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};

    for (int64_t i = 0; i < n; i++) {
        if (nb_vector_is_null(&args[0], i)) {
            NB_TRY(nb_row_null(ctx, out, i));
            continue;
        }
        nb_str sep = nb_row_str(&args[0], i);
        size_t len = 0, items = 0;
        char *p = NULL;
        for (int pass = 0; pass < 2; pass++) {
            bool first = true;
            for (int k = 1; k < n_args; k++) {
                const nb_vector *v = &args[k], *text = v;
                int64_t from = i, count = 1;
                if (nb_vector_is_null(v, i)) {
                    continue;
                }
                if (v->type->id == NB_TYPE_ARRAY) {
                    nb_list l = NB_DATA(nb_list, v)[i * nb_step(v)];
                    text = &v->children[0];
                    from = l.offset;
                    count = l.len;
                }
                for (int64_t j = from; j < from + count; j++) {
                    if (nb_vector_is_null(text, j)) {
                        continue;
                    }
                    nb_str s = text->kind == NB_VEC_DICT
                                   ? nb_view_str(&NB_DATA(nb_view, text->dict)[text->indices[j]])
                                   : nb_row_str(text, j);
                    if (pass == 0) {
                        len += s.len;
                        items++;
                        continue;
                    }
                    if (!first && sep.len) {
                        memcpy(p, sep.data, sep.len);
                        p += sep.len;
                    }
                    memcpy(p, s.data, s.len);
                    p += s.len;
                    first = false;
                }
            }
            if (pass == 0) {
                len += items > 1 ? (items - 1) * sep.len : 0;
                if (len > INT32_MAX) {
                    return nb_text_too_long(ctx);
                }
                p = nb_text_room(&w, len);
                if (p == NULL) {
                    return NB_NOMEM;
                }
            }
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

nb_status
nb_bind_concat_ws(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    for (int i = 1; i < call->n_args; i++) {
        const nb_type *t = call->args[i]->type;
        if (t->id == NB_TYPE_ARRAY) {
            NB_TRY(nb_bind_cast(call, i,
                                nb_type_array(nb_type_of(NB_TYPE_STRING), t->contains_null), err));
        } else {
            NB_TRY(nb_bind_all(call, i, i + 1, NB_TYPE_STRING, err));
        }
    }
    call->nullable = call->args[0]->nullable;
    return nb_bound(call, NB_TYPE_STRING, concat_ws_kernel);
}

/* The text again and again, until to[0 .. len) is full: what is there is copied behind itself, a block at a time. */
static nb_status
fill_text(nb_kernel_ctx *ctx, char *to, nb_str s, size_t len)
{
    const size_t block = (size_t)1 << 20;

    if (len > 0) {
        memcpy(to, s.data, s.len);
    }
    for (size_t done = s.len, n; done < len; done += n) {
        size_t from = done % s.len;

        NB_TRY(nb_kernel_look(ctx));
        n = NB_MIN(NB_MIN(done - from, len - done), block);
        memcpy(to + done, to + from, n);
    }
    return NB_OK;
}

static nb_status
repeat_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i);
        int64_t times = NB_MAX(NB_DATA(int32_t, &args[1])[i * nb_step(&args[1])], 0);
        if ((int64_t)s.len * times > INT32_MAX) {
            return nb_text_too_long(ctx);
        }
        char *p = nb_text_room(&w, s.len * (size_t)times);
        if (p == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(fill_text(ctx, p, s, s.len * (size_t)times));
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, s.len * (size_t)times);
    }
    return NB_OK;
}

nb_status
nb_bind_repeat(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    NB_TRY(nb_bind_all(call, 1, 2, NB_TYPE_INT32, err));
    return nb_bound(call, NB_TYPE_STRING, repeat_kernel);
}

nb_status
nb_bind_space(nb_bound_call *call, nb_error *err)
{
    nb_expr *args[2] = {nb_expr_string(call->arena, NB_STR(" ")), call->args[0]};

    return args[0] ? nb_bind_again(call, "repeat", args, 2, &call->replacement, err) : NB_NOMEM;
}

/* elt(n, a, b, ...) */
static nb_status
elt_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    char index[16], size[16];

    for (int64_t i = 0; i < n; i++) {
        int32_t k =
            nb_vector_is_null(&args[0], i) ? 0 : NB_DATA(int32_t, &args[0])[i * nb_step(&args[0])];
        bool outside = k < 1 || k >= n_args;
        if (nb_vector_is_null(&args[0], i) || (outside && !ctx->info->ansi) ||
            (!outside && nb_vector_is_null(&args[k], i))) {
            NB_TRY(nb_row_null(ctx, out, i));
            continue;
        }
        if (outside) {
            snprintf(index, sizeof index, "%d", k);
            snprintf(size, sizeof size, "%d", n_args - 1);
            return nb_raise(ctx->err, NB_COND_INVALID_ARRAY_INDEX, "indexValue", index, "arraySize",
                            size, "ansiConfig", "\"spark.sql.ansi.enabled\"", NULL);
        }
        NB_DATA(nb_view, out)[i] = NB_DATA(nb_view, &args[k])[i * nb_step(&args[k])];
    }
    return NB_OK;
}

nb_status
nb_bind_elt(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_INT32, err));
    NB_TRY(nb_bind_all(call, 1, call->n_args, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, elt_kernel);
}

static nb_status
ascii_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    size_t len;

    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        NB_DATA(int32_t, out)[i] = s.len ? (int32_t)nb_char_decode(s, 0, &len) : 0;
    }
    return NB_OK;
}

nb_status
nb_bind_ascii(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_INT32, ascii_kernel);
}

static nb_status
chr_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    char text[4];

    for (int64_t i = 0; i < n; i++) {
        int64_t c = NB_DATA(int64_t, args)[i];
        NB_DATA(nb_view, out)
        [i] = c < 0 ? nb_view_make(NULL, 0)
                    : nb_view_make(text, nb_char_encode((uint32_t)(c & 0xFF), text));
    }
    return NB_OK;
}

nb_status
nb_bind_chr(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_INT64, err));
    return nb_bound(call, NB_TYPE_STRING, chr_kernel);
}
