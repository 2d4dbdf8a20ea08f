/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string_misc.c: levenshtein, soundex, luhn_check, mask, str_to_map, quote.
 */
#include <utf8proc.h>

#include "expr/kernels/lists.h"
#include "expr/kernels/string.h"

/* ---- levenshtein --------------------------------------------------------------------------------------------------------------------- */

static nb_status
code_points(nb_arena *arena, nb_str s, uint32_t **out, int64_t *count)
{
    size_t step;

    *out = NB_ARENA_ARRAY(arena, uint32_t, s.len + 1);
    if (*out == NULL) {
        return NB_NOMEM;
    }
    *count = 0;
    for (size_t k = 0; k < s.len; k += step) {
        (*out)[(*count)++] = nb_char_decode(s, k, &step);
    }
    return NB_OK;
}

/* With a third argument, distances above it are -1. */
static nb_status
levenshtein_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t *a, *b;
        int64_t la, lb;
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        NB_TRY(code_points(ctx->arena, nb_row_str(&args[0], i), &a, &la));
        NB_TRY(code_points(ctx->arena, nb_row_str(&args[1], i), &b, &lb));
        int32_t *row = NB_ARENA_ARRAY(ctx->arena, int32_t, lb + 1);
        if (row == NULL) {
            return NB_NOMEM;
        }
        for (int64_t k = 0; k <= lb; k++) {
            row[k] = (int32_t)k;
        }
        for (int64_t r = 1; r <= la; r++) {
            int32_t corner = row[0];
            NB_TRY(nb_kernel_look(ctx));
            row[0] = (int32_t)r;
            for (int64_t k = 1; k <= lb; k++) {
                int32_t up = row[k], change = corner + (a[r - 1] != b[k - 1]);
                row[k] = NB_MIN(change, NB_MIN(up, row[k - 1]) + 1);
                corner = up;
            }
        }
        int32_t d = row[lb];
        if (n_args > 2) {
            int32_t most = NB_DATA(int32_t, &args[2])[i * nb_step(&args[2])];
            d = d > most ? -1 : d;
        }
        NB_DATA(int32_t, out)[i] = d;
    }
    return NB_OK;
}

nb_status
nb_bind_levenshtein(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 2, NB_TYPE_STRING, err));
    NB_TRY(nb_bind_all(call, 2, 3, NB_TYPE_INT32, err));
    return nb_bound(call, NB_TYPE_INT32, levenshtein_kernel);
}

/* ---- soundex ------------------------------------------------------------------------------------------------------------------------- */

static nb_status
soundex_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    /* Codes of A … Z: 0 vowels, 7 = H and W, which do not part equal codes. */
    static const char codes[] = "01230127022455012623017202";

    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        char text[4] = {'0', '0', '0', '0'};
        int len = 1;
        char first = s.len ? (char)(s.data[0] & ~0x20) : 0, last;
        if (s.len == 0 || first < 'A' || first > 'Z' || (s.data[0] & 0x40) == 0) {
            NB_DATA(nb_view, out)[i] = nb_view_make(s.data, s.len);
            continue;
        }
        text[0] = first;
        last = codes[first - 'A'];
        for (size_t k = 1; k < s.len && len < 4; k++) {
            char c = (char)(s.data[k] & ~0x20);
            if (c < 'A' || c > 'Z' || (s.data[k] & 0x40) == 0) {
                last = '0';
                continue;
            }
            char code = codes[c - 'A'];
            if (code == '7') {
                continue;
            }
            if (code != '0' && code != last) {
                text[len++] = code;
            }
            last = code;
        }
        NB_DATA(nb_view, out)[i] = nb_view_make(text, 4);
    }
    return NB_OK;
}

nb_status
nb_bind_soundex(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_exact(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, soundex_kernel);
}

static nb_status
luhn_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        int sum = 0;
        bool ok = s.len > 0;
        for (size_t k = 0; k < s.len && ok; k++) {
            int d = s.data[s.len - 1 - k] - '0';
            ok = d >= 0 && d <= 9;
            d = k % 2 ? d * 2 : d;
            sum = (sum + (d > 9 ? d - 9 : d)) % 10;
        }
        NB_DATA(uint8_t, out)[i] = ok && sum == 0;
    }
    return NB_OK;
}

nb_status
nb_bind_luhn_check(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_BOOL, luhn_kernel);
}

/* ---- mask ---------------------------------------------------------------------------------------------------------------------------- */

/* mask(s[, upper, lower, digit, other]): null replacements leave characters as they are. */
static nb_status
mask_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    static const char *const defaults[] = {NULL, "X", "x", "n", NULL};
    nb_text_writer w = {.arena = ctx->arena};

    for (int64_t i = 0; i < n; i++) {
        nb_str put[5] = {{NULL, 0}};
        size_t len = 0, step;
        if (nb_vector_is_null(&args[0], i)) {
            NB_TRY(nb_row_null(ctx, out, i));
            continue;
        }
        nb_str s = nb_row_str(&args[0], i);
        for (int k = 1; k < 5; k++) {
            if (k < n_args) {
                put[k] =
                    nb_vector_is_null(&args[k], i) ? (nb_str){NULL, 0} : nb_row_str(&args[k], i);
            } else if (defaults[k]) {
                put[k] = nb_str_of(defaults[k]);
            }
        }
        char *p = nb_text_room(&w, s.len * 4);
        if (p == NULL) {
            return NB_NOMEM;
        }
        for (size_t k = 0; k < s.len; k += step) {
            uint32_t c = nb_char_decode(s, k, &step);
            utf8proc_category_t kind = utf8proc_category((utf8proc_int32_t)c);
            int what = kind == UTF8PROC_CATEGORY_LU   ? 1
                       : kind == UTF8PROC_CATEGORY_LL ? 2
                       : kind == UTF8PROC_CATEGORY_ND ? 3
                                                      : 4;
            nb_str r = put[what].data ? (nb_str){put[what].data, NB_MIN(put[what].len, 4)}
                                      : (nb_str){s.data + k, step};
            memcpy(p + len, r.data, r.len);
            len += r.len;
        }
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

nb_status
nb_bind_mask(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_exact(call, 0, 5, NB_TYPE_STRING, err));
    for (int i = 1; i < call->n_args; i++) {
        bool found;
        nb_str text;
        NB_TRY(nb_bind_text(call, i, &found, &text, err));
        if (found && text.data && nb_char_count(text) != 1) {
            return nb_bind_mismatch(call, i, "one character", err);
        }
    }
    call->nullable = true;
    return nb_bound(call, NB_TYPE_STRING, mask_kernel);
}

/* ---- str_to_map ---------------------------------------------------------------------------------------------------------------------- */

/* str_to_map(text[, pair delimiter[, key delimiter]]); delimiters are taken literally. */
static nb_status
str_to_map_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    int64_t cap = 0, total = 0;
    nb_vector *keys = &out->children[0], *values = &out->children[1];

    for (int64_t i = 0; i < n; i++) {
        cap += nb_is_valid(out->validity, i) ? (int64_t)nb_row_str(&args[0], i).len + 1 : 0;
    }
    NB_TRY(nb_vector_alloc(ctx->arena, out->type->children[0].type, cap, keys));
    NB_TRY(nb_vector_alloc(ctx->arena, out->type->children[1].type, cap, values));
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)total, 0};
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i),
               pair = n_args > 1 ? nb_row_str(&args[1], i) : NB_STR(","),
               colon = n_args > 2 ? nb_row_str(&args[2], i) : NB_STR(":");
        int64_t first = total;
        for (size_t at = 0; at <= s.len;) {
            int64_t hit = pair.len ? nb_str_find(s, pair, at) : -1;
            size_t end = hit < 0 ? s.len : (size_t)hit;
            nb_str item = {s.data + at, end - at};
            int64_t split = colon.len ? nb_str_find(item, colon, 0) : -1;
            nb_view key = nb_view_make(item.data, split < 0 ? item.len : (size_t)split);
            int64_t k = total++;
            NB_DATA(nb_view, keys)[k] = key;
            if (split < 0) {
                NB_TRY(nb_vector_need_validity(ctx->arena, values));
                nb_bit_clear(values->validity, k);
            } else {
                NB_DATA(nb_view, values)
                [k] = nb_view_make(item.data + split + colon.len,
                                   item.len - (size_t)split - colon.len);
                if (values->validity != NULL) {
                    nb_bit_set(values->validity, k);
                }
            }
            at = end + pair.len;
            if (hit < 0) {
                break;
            }
        }
        NB_DATA(nb_list, out)[i].len = (uint32_t)(total - first);
    }
    keys->n_rows = values->n_rows = (int32_t)total;
    return nb_map_check_keys(ctx, out, n);
}

nb_status
nb_bind_str_to_map(nb_bound_call *call, nb_error *err)
{
    const nb_type *string = nb_type_of(NB_TYPE_STRING);

    NB_TRY(nb_bind_exact(call, 0, 3, NB_TYPE_STRING, err));
    for (int i = 1; i < call->n_args; i++) {
        bool found;
        nb_str text;
        NB_TRY(nb_bind_text(call, i, &found, &text, err));
        for (size_t k = 0; k < text.len; k++) {
            if (strchr("\\[](){}.*+?^$|", text.data[k]) && text.len > 1) {
                return nb_raise_unsupported(err, "str_to_map with a regular expression");
            }
        }
    }
    call->type = nb_type_map(string, string, true);
    call->kernel = str_to_map_kernel;
    return call->type ? NB_OK : NB_NOMEM;
}

/* ---- quote --------------------------------------------------------------------------------------------------------------------------- */

static nb_status
quote_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};

    for (int64_t i = 0; i < n; i++) {
        nb_str s = nb_row_str(args, i);
        char *p = nb_text_room(&w, s.len * 2 + 2);
        size_t len = 0;
        if (p == NULL) {
            return NB_NOMEM;
        }
        p[len++] = '\'';
        for (size_t k = 0; k < s.len; k++) {
            if (s.data[k] == '\'') {
                p[len++] = '\\';
            }
            p[len++] = s.data[k];
        }
        p[len++] = '\'';
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, len);
    }
    return NB_OK;
}

nb_status
nb_bind_quote(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, quote_kernel);
}
