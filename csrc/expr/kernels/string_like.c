/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string_like.c: LIKE and ILIKE.
 *
 * A pattern is compiled into pieces: literal texts between %, where _ stands for one character. Patterns without _ are matched by comparing
 * and searching bytes: equal, prefix, suffix, contains, or several pieces one after the other from the left. Only pieces that hold _ are
 * compared character by character. Matching is linear in text times pieces: % never backtracks further than to the next piece.
 */
#include <stdio.h>

#include "expr/kernels/string.h"

typedef struct like_piece {
    nb_str text; /* _ is the byte 0x00 here when `any` */
    bool any;    /* holds _ */
    int64_t chars;
} like_piece;

typedef struct like_pattern {
    like_piece *pieces;
    int n;
    bool open_left, open_right; /* starts, ends with % */
} like_pattern;

/* Any character, inside a piece. 0xFF never occurs in UTF-8. */
#define ANY ((char)0xFF)

static nb_status
bad_pattern(nb_error *err, nb_condition cond, nb_str pattern, nb_str at)
{
    char text[520], ch[16];
    size_t n = 0;

    text[n++] = '\''; /* as a literal of SQL */
    for (size_t i = 0; i < pattern.len && n + 4 < sizeof text; i++) {
        if (pattern.data[i] == '\\' || pattern.data[i] == '\'') {
            text[n++] = '\\';
        }
        text[n++] = pattern.data[i];
    }
    text[n++] = '\'';
    text[n] = 0;
    snprintf(ch, sizeof ch, "'%.*s'", (int)NB_MIN(at.len, 4), at.data);
    return nb_raise(err, cond, "format", text, "char", ch, NULL);
}

static nb_status
compile(nb_arena *arena, nb_str pattern, nb_str escape, like_pattern *out, nb_error *err)
{
    char *text = nb_arena_alloc(arena, pattern.len + 1);
    like_piece *pieces = NB_ARENA_ARRAY(arena, like_piece, pattern.len + 1);
    size_t start = 0, len = 0;
    int n = 0;
    bool any = false;

    if (text == NULL || pieces == NULL) {
        return NB_NOMEM;
    }
    *out = (like_pattern){.pieces = pieces};
    for (size_t i = 0; i <= pattern.len;) {
        bool end = i == pattern.len;
        size_t step = end ? 1 : nb_char_step(pattern, i);
        if (!end && escape.len == step && memcmp(pattern.data + i, escape.data, step) == 0) {
            i += step;
            if (i == pattern.len) {
                return bad_pattern(err, NB_COND_INVALID_FORMAT_ESC_AT_THE_END, pattern, escape);
            }
            step = nb_char_step(pattern, i);
            if (pattern.data[i] != '%' && pattern.data[i] != '_' &&
                !(escape.len == step && memcmp(pattern.data + i, escape.data, step) == 0)) {
                return bad_pattern(err, NB_COND_INVALID_FORMAT_ESC_IN_THE_MIDDLE, pattern,
                                   (nb_str){pattern.data + i, step});
            }
            memcpy(text + len, pattern.data + i, step);
            len += step;
        } else if (end || pattern.data[i] == '%') {
            if (len > start || (end && n == 0 && !out->open_left)) {
                nb_str t = {text + start, len - start};
                pieces[n++] = (like_piece){t, any, any ? nb_char_count(t) : 0};
            }
            out->open_left |= !end && n == 0;
            out->open_right = end ? i > 0 && pattern.data[i - 1] == '%' && len == start : true;
            start = len;
            any = false;
        } else if (pattern.data[i] == '_') {
            text[len++] = ANY;
            any = true;
        } else {
            memcpy(text + len, pattern.data + i, step);
            len += step;
        }
        i += step;
    }
    out->n = n;
    return NB_OK;
}

/* Bytes of s that the piece covers when it starts at its first byte; -1 = no match. */
static int64_t
match_here(const like_piece *p, nb_str s)
{
    size_t at = 0;

    if (!p->any) {
        return s.len >= p->text.len && memcmp(s.data, p->text.data, p->text.len) == 0
                   ? (int64_t)p->text.len
                   : -1;
    }
    for (size_t k = 0; k < p->text.len; k++) {
        if (at >= s.len) {
            return -1;
        }
        if (p->text.data[k] == ANY) {
            at += nb_char_step(s, at);
        } else if (p->text.data[k] != s.data[at++]) {
            return -1;
        }
    }
    return (int64_t)at;
}

/* The first place where the piece matches: its offset, and how much it covers. */
static int64_t
match_any(const like_piece *p, nb_str s, int64_t *covered)
{
    if (!p->any) {
        *covered = (int64_t)p->text.len;
        return nb_str_find(s, p->text, 0);
    }
    for (size_t at = 0; at <= s.len; at += at < s.len ? nb_char_step(s, at) : 1) {
        *covered = match_here(p, (nb_str){s.data + at, s.len - at});
        if (*covered >= 0) {
            return (int64_t)at;
        }
    }
    return -1;
}

static bool
match_end(const like_piece *p, nb_str s)
{
    if (!p->any) {
        return s.len >= p->text.len &&
               memcmp(s.data + s.len - p->text.len, p->text.data, p->text.len) == 0;
    }
    /* Go back as many characters as the piece has. */
    size_t at = s.len;
    for (int64_t k = 0; k < p->chars; k++) {
        if (at == 0) {
            return false;
        }
        do {
            at--;
        } while (at > 0 && ((unsigned char)s.data[at] & 0xC0) == 0x80);
    }
    return match_here(p, (nb_str){s.data + at, s.len - at}) == (int64_t)(s.len - at);
}

static bool
like(const like_pattern *l, nb_str s)
{
    int from = 0, to = l->n;

    if (l->n == 0) {
        return true; /* only % */
    }
    if (!l->open_left) {
        int64_t n = match_here(&l->pieces[0], s);
        if (n < 0) {
            return false;
        }
        s.data += n;
        s.len -= (size_t)n;
        from = 1;
        if (from == to) {
            return l->open_right || s.len == 0;
        }
    }
    if (!l->open_right) {
        to--;
    }
    for (int k = from; k < to; k++) {
        int64_t covered = 0, at = match_any(&l->pieces[k], s, &covered);
        if (at < 0) {
            return false;
        }
        s.data += at + covered;
        s.len -= (size_t)(at + covered);
    }
    return l->open_right || match_end(&l->pieces[to], s);
}

static nb_status
like_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const like_pattern *compiled = ctx->expr->u.call.payload;
    like_pattern own;
    nb_str pattern = {NULL, 0}, escape = NB_STR("\\");

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            NB_DATA(uint8_t, out)[i] = 0;
            continue;
        }
        if (ctx->expr->u.call.payload == NULL) {
            nb_str p = nb_row_str(&args[1], i), e = n_args > 2 ? nb_row_str(&args[2], i) : escape;
            if (compiled == NULL || !nb_str_equal(p, pattern) || !nb_str_equal(e, escape)) {
                NB_TRY(compile(ctx->arena, p, e, &own, ctx->err));
                pattern = p;
                escape = e;
                compiled = &own;
            }
        }
        NB_DATA(uint8_t, out)[i] = like(compiled, nb_row_str(&args[0], i));
    }
    return NB_OK;
}

nb_status
nb_bind_like(nb_bound_call *call, nb_error *err)
{
    bool found, escape_found = true;
    nb_str pattern, escape = NB_STR("\\");

    NB_TRY(nb_bind_all(call, 0, 3, NB_TYPE_STRING, err));
    NB_TRY(nb_bind_text(call, 1, &found, &pattern, err));
    if (call->n_args == 3) {
        NB_TRY(nb_bind_text(call, 2, &escape_found, &escape, err));
        if (escape.data && nb_char_count(escape) != 1) {
            return nb_raise(err, NB_COND_INVALID_ESCAPE_CHAR, "sqlExpr",
                            nb_arena_printf(call->arena, "\"%.*s\"", (int)escape.len, escape.data),
                            NULL);
        }
    }
    if (found && pattern.data && escape_found && escape.data) {
        like_pattern *p = NB_ARENA_NEW(call->arena, like_pattern);
        if (p == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(compile(call->arena, pattern, escape, p, err));
        call->payload = p;
    } else {
        call->can_fail = true;
    }
    return nb_bound(call, NB_TYPE_BOOL, like_kernel);
}

/* Both sides in lower case. */
nb_status
nb_bind_ilike(nb_bound_call *call, nb_error *err)
{
    nb_expr *args[3];

    NB_TRY(nb_bind_all(call, 0, 3, NB_TYPE_STRING, err));
    for (int i = 0; i < call->n_args; i++) {
        args[i] = call->args[i];
        if (i < 2) {
            NB_TRY(nb_bind_again(call, "lower", &call->args[i], 1, &args[i], err));
        }
    }
    return nb_bind_again(call, "like", args, call->n_args, &call->replacement, err);
}
