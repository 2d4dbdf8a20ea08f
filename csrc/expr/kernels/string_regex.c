/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string_regex.c: rlike, regexp_replace, regexp_extract[_all], regexp_count, regexp_substr, regexp_instr, split.
 */
#include <stdio.h>

#include "expr/kernels/string.h"
#include "expr/regex.h"

#define LOOK_EVERY 4096 /* matches or parts, at the wish to end */

static nb_str
function_name(nb_kernel_ctx *ctx)
{
    return nb_function_name(ctx->expr->u.call.fn);
}

/* Arguments 0 and 1 are text and pattern. Runs `one` for each row that is not null. */
typedef nb_status (*row_fn)(nb_kernel_ctx *ctx, nb_regex_use *use, const nb_vector *args,
                            int n_args, int64_t i, nb_str s, nb_vector *out, nb_text_writer *w);

static nb_status
each_row(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out,
         row_fn one)
{
    nb_regex_use use = {0};
    nb_text_writer w = {.arena = ctx->arena};
    nb_status st = NB_OK;

    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(out->validity, i)) {
            NB_TRY_GOTO(
                st,
                nb_regex_use_pattern(&use, nb_row_str(&args[1], i), function_name(ctx), ctx->err),
                done);
            NB_TRY_GOTO(st, one(ctx, &use, args, n_args, i, nb_row_str(&args[0], i), out, &w),
                        done);
        }
    }
done:
    nb_regex_done(&use);
    return st;
}

#define ROWS(name)                                                                        \
    static nb_status name##_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, \
                                   int64_t n, nb_vector *out)                             \
    {                                                                                     \
        return each_row(ctx, args, n_args, n, out, name##_row);                           \
    }

/* A constant pattern is compiled at binding, so that a bad one is found before any row is read. */
static nb_status
bind_pattern(nb_bound_call *call, int arg, nb_error *err)
{
    nb_regex_use use = {0};
    bool found;
    nb_str pattern;

    NB_TRY(nb_bind_all(call, 0, 2, NB_TYPE_STRING, err));
    NB_TRY(nb_bind_text(call, arg, &found, &pattern, err));
    if (pattern.data) {
        nb_status st = nb_regex_use_pattern(&use, pattern, nb_function_name(call->fn), err);
        nb_regex_done(&use);
        NB_TRY(st);
    }
    call->can_fail = pattern.data == NULL;
    return NB_OK;
}

/* ---- predicates and positions -------------------------------------------------------------------------------------------------------- */

static nb_status
rlike_row(nb_kernel_ctx *ctx, nb_regex_use *use, const nb_vector *args, int n_args, int64_t i,
          nb_str s, nb_vector *out, nb_text_writer *w)
{
    bool found;

    NB_TRY(nb_regex_match(use, s, 0, &found, ctx->err));
    NB_DATA(uint8_t, out)[i] = found;
    return NB_OK;
}
ROWS(rlike)

nb_status
nb_bind_rlike(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_pattern(call, 1, err));
    return nb_bound(call, NB_TYPE_BOOL, rlike_kernel);
}

static nb_status
regexp_count_row(nb_kernel_ctx *ctx, nb_regex_use *use, const nb_vector *args, int n_args,
                 int64_t i, nb_str s, nb_vector *out, nb_text_writer *w)
{
    bool found;
    int32_t n = 0;

    for (size_t at = 0;; at = nb_regex_next(use, s), n++) {
        NB_TRY(nb_regex_match(use, s, at, &found, ctx->err));
        if (!found) {
            break;
        }
        if (n % LOOK_EVERY == 0) {
            NB_TRY(nb_kernel_look(ctx));
        }
    }
    NB_DATA(int32_t, out)[i] = n;
    return NB_OK;
}
ROWS(regexp_count)

nb_status
nb_bind_regexp_count(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_pattern(call, 1, err));
    return nb_bound(call, NB_TYPE_INT32, regexp_count_kernel);
}

static nb_status
regexp_substr_row(nb_kernel_ctx *ctx, nb_regex_use *use, const nb_vector *args, int n_args,
                  int64_t i, nb_str s, nb_vector *out, nb_text_writer *w)
{
    bool found;

    NB_TRY(nb_regex_match(use, s, 0, &found, ctx->err));
    if (!found || use->ovector[1] == use->ovector[0]) {
        return nb_row_null(ctx, out, i);
    }
    NB_DATA(nb_view, out)
    [i] = nb_view_make(s.data + use->ovector[0], use->ovector[1] - use->ovector[0]);
    return NB_OK;
}
ROWS(regexp_substr)

nb_status
nb_bind_regexp_substr(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_pattern(call, 1, err));
    return nb_bound(call, NB_TYPE_STRING, regexp_substr_kernel);
}

static nb_status
regexp_instr_row(nb_kernel_ctx *ctx, nb_regex_use *use, const nb_vector *args, int n_args,
                 int64_t i, nb_str s, nb_vector *out, nb_text_writer *w)
{
    bool found;

    NB_TRY(nb_regex_match(use, s, 0, &found, ctx->err));
    NB_DATA(int32_t, out)
    [i] = found ? (int32_t)nb_char_count((nb_str){s.data, use->ovector[0]}) + 1 : 0;
    return NB_OK;
}
ROWS(regexp_instr)

nb_status
nb_bind_regexp_instr(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_pattern(call, 1, err));
    NB_TRY(nb_bind_all(call, 2, 3, NB_TYPE_INT32, err));
    return nb_bound(call, NB_TYPE_INT32, regexp_instr_kernel);
}

/* ---- extracting ---------------------------------------------------------------------------------------------------------------------- */

static nb_status
group_of(nb_kernel_ctx *ctx, nb_regex_use *use, const nb_vector *args, int n_args, int64_t i,
         int *group)
{
    int32_t k = n_args > 2 ? NB_DATA(int32_t, &args[2])[i * nb_step(&args[2])] : 1;
    char count[16], index[16], name[64];

    if (k < 0 || k > use->n_groups) {
        nb_str fn = function_name(ctx);
        snprintf(count, sizeof count, "%d", use->n_groups);
        snprintf(index, sizeof index, "%d", k);
        snprintf(name, sizeof name, "`%.*s`", (int)NB_MIN(fn.len, 60), fn.data);
        return nb_raise(ctx->err, NB_COND_INVALID_PARAMETER_VALUE_REGEX_GROUP_INDEX, "parameter",
                        "`idx`", "functionName", name, "groupCount", count, "groupIndex", index,
                        NULL);
    }
    *group = k;
    return NB_OK;
}

static nb_view
group_text(const nb_regex_use *use, nb_str s, int group)
{
    size_t a = use->ovector[2 * group], b = use->ovector[2 * group + 1];

    return a == SIZE_MAX || b < a ? nb_view_make(NULL, 0) : nb_view_make(s.data + a, b - a);
}

static nb_status
regexp_extract_row(nb_kernel_ctx *ctx, nb_regex_use *use, const nb_vector *args, int n_args,
                   int64_t i, nb_str s, nb_vector *out, nb_text_writer *w)
{
    bool found;
    int group = 0;

    NB_TRY(nb_regex_match(use, s, 0, &found, ctx->err));
    NB_DATA(nb_view, out)[i] = nb_view_make(NULL, 0);
    if (found) {
        NB_TRY(group_of(ctx, use, args, n_args, i, &group));
        NB_DATA(nb_view, out)[i] = group_text(use, s, group);
    }
    return NB_OK;
}
ROWS(regexp_extract)

nb_status
nb_bind_regexp_extract(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_pattern(call, 1, err));
    NB_TRY(nb_bind_all(call, 2, 3, NB_TYPE_INT32, err));
    call->can_fail = true;
    return nb_bound(call, NB_TYPE_STRING, regexp_extract_kernel);
}

/* A growing column of strings: the elements of array results. */
typedef struct element_list {
    nb_view *items;
    int64_t n, cap;
} element_list;

static nb_status
push(nb_arena *arena, element_list *l, nb_view v)
{
    if (l->n == l->cap) {
        int64_t cap = l->cap ? l->cap * 2 : 1024;
        nb_view *items = NB_ARENA_ARRAY(arena, nb_view, cap);
        if (items == NULL) {
            return NB_NOMEM;
        }
        if (l->n) {
            memcpy(items, l->items, (size_t)l->n * sizeof *items);
        }
        l->items = items;
        l->cap = cap;
    }
    l->items[l->n++] = v;
    return NB_OK;
}

static nb_status
set_elements(nb_arena *arena, element_list *l, nb_vector *out)
{
    NB_TRY(nb_vector_alloc(arena, out->type->children[0].type, l->n, &out->children[0]));
    if (l->n) {
        memcpy(out->children[0].data, l->items, (size_t)l->n * sizeof(nb_view));
    }
    return NB_OK;
}

static nb_status
regexp_extract_all_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                          nb_vector *out)
{
    nb_regex_use use = {0};
    element_list list = {0};
    nb_status st = NB_OK;

    for (int64_t i = 0; i < n; i++) {
        int64_t from = list.n;
        bool found;
        int group;
        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)from, 0};
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str s = nb_row_str(&args[0], i);
        NB_TRY_GOTO(
            st, nb_regex_use_pattern(&use, nb_row_str(&args[1], i), function_name(ctx), ctx->err),
            done);
        for (size_t at = 0;; at = nb_regex_next(&use, s)) {
            NB_TRY_GOTO(st, nb_regex_match(&use, s, at, &found, ctx->err), done);
            if (!found) {
                break;
            }
            NB_TRY_GOTO(st, group_of(ctx, &use, args, n_args, i, &group), done);
            NB_TRY_GOTO(st, push(ctx->arena, &list, group_text(&use, s, group)), done);
        }
        NB_DATA(nb_list, out)[i].len = (uint32_t)(list.n - from);
    }
    st = set_elements(ctx->arena, &list, out);
done:
    nb_regex_done(&use);
    return st;
}

nb_status
nb_bind_regexp_extract_all(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_pattern(call, 1, err));
    NB_TRY(nb_bind_all(call, 2, 3, NB_TYPE_INT32, err));
    call->can_fail = true;
    call->type = nb_type_array(nb_type_of(NB_TYPE_STRING), true);
    call->kernel = regexp_extract_all_kernel;
    return call->type ? NB_OK : NB_NOMEM;
}

/* ---- replacing ----------------------------------------------------------------------------------------------------------------------- */

static nb_status
bad_replacement(nb_kernel_ctx *ctx, nb_str s, nb_regex_use *use, nb_str put)
{
    char source[128], pattern[128], replacement[128];

    snprintf(source, sizeof source, "%.*s", (int)NB_MIN(s.len, 120), s.data);
    snprintf(pattern, sizeof pattern, "%.*s", (int)NB_MIN(use->pattern.len, 120),
             use->pattern.data);
    snprintf(replacement, sizeof replacement, "%.*s", (int)NB_MIN(put.len, 120), put.data);
    return nb_raise(ctx->err, NB_COND_INVALID_REGEXP_REPLACE, "source", source, "pattern", pattern,
                    "replacement", replacement, "position", "1", NULL);
}

/* Adds the replacement: $1, ${name}, and \ before a character that is meant as it is. */
static nb_status
add_replacement(nb_kernel_ctx *ctx, nb_regex_use *use, nb_str s, nb_str put, nb_strbuf *out)
{
    for (size_t k = 0; k < put.len; k++) {
        char c = put.data[k];
        if (c == '\\') {
            if (++k == put.len) {
                return bad_replacement(ctx, s, use, put);
            }
            nb_strbuf_addc(out, put.data[k]);
        } else if (c == '$') {
            int group = -1;
            if (k + 1 < put.len && put.data[k + 1] == '{') {
                const char *close = memchr(put.data + k, '}', put.len - k);
                if (close) {
                    group = nb_regex_group(
                        use, (nb_str){put.data + k + 2, (size_t)(close - put.data) - k - 2});
                    k = (size_t)(close - put.data);
                }
            } else if (k + 1 < put.len && put.data[k + 1] >= '0' && put.data[k + 1] <= '9') {
                group = put.data[++k] - '0';
                while (k + 1 < put.len && put.data[k + 1] >= '0' && put.data[k + 1] <= '9' &&
                       group * 10 + (put.data[k + 1] - '0') <= use->n_groups) {
                    group = group * 10 + (put.data[++k] - '0');
                }
            }
            if (group < 0 || group > use->n_groups) {
                return bad_replacement(ctx, s, use, put);
            }
            nb_view v = group_text(use, s, group);
            nb_strbuf_add(out, nb_view_str(&v));
        } else {
            nb_strbuf_addc(out, c);
        }
    }
    return NB_OK;
}

/* regexp_replace(s, pattern, replacement[, from character]) */
static nb_status
regexp_replace_row(nb_kernel_ctx *ctx, nb_regex_use *use, const nb_vector *args, int n_args,
                   int64_t i, nb_str s, nb_vector *out, nb_text_writer *w)
{
    nb_str put = nb_row_str(&args[2], i);
    int64_t pos = n_args > 3 ? NB_DATA(int32_t, &args[3])[i * nb_step(&args[3])] : 1;
    bool found;
    nb_strbuf text = {0};
    nb_status st = NB_OK;

    if (pos < 1) {
        return nb_raise_internal(ctx->err, "regexp_replace: the position must be greater than 0");
    }
    size_t from = nb_char_offset(s, pos - 1), copied = 0;
    if (pos > 1 && from == s.len) {
        NB_DATA(nb_view, out)[i] = nb_view_make(s.data, s.len);
        return NB_OK;
    }
    NB_TRY(nb_regex_match(use, s, from, &found, ctx->err));
    if (!found) {
        NB_DATA(nb_view, out)[i] = nb_view_make(s.data, s.len);
        return NB_OK;
    }
    for (int64_t n = 0; found; n++) {
        if (n % LOOK_EVERY == 0) {
            NB_TRY_GOTO(st, nb_kernel_look(ctx), done);
        }
        nb_strbuf_add(&text, (nb_str){s.data + copied, use->ovector[0] - copied});
        copied = use->ovector[1];
        NB_TRY_GOTO(st, add_replacement(ctx, use, s, put, &text), done);
        NB_TRY_GOTO(st, nb_regex_match(use, s, nb_regex_next(use, s), &found, ctx->err), done);
    }
    nb_strbuf_add(&text, (nb_str){s.data + copied, s.len - copied});
    char *p = text.failed ? NULL : nb_text_room(w, text.len);
    if (p == NULL) {
        st = NB_NOMEM;
        goto done;
    }
    memcpy(p, nb_strbuf_str(&text).data, text.len);
    NB_DATA(nb_view, out)[i] = nb_text_done(w, text.len);
done:
    nb_strbuf_free(&text);
    return st;
}
ROWS(regexp_replace)

nb_status
nb_bind_regexp_replace(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_pattern(call, 1, err));
    NB_TRY(nb_bind_all(call, 2, 3, NB_TYPE_STRING, err));
    NB_TRY(nb_bind_all(call, 3, 4, NB_TYPE_INT32, err));
    call->can_fail = true;
    return nb_bound(call, NB_TYPE_STRING, regexp_replace_kernel);
}

/* ---- split --------------------------------------------------------------------------------------------------------------------------- */

/* Is the pattern plain text? Then its bytes (without escapes) go to *text. */
static bool
plain_pattern(nb_str pattern, char *buffer, size_t size, nb_str *text)
{
    size_t n = 0;

    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.data[i];
        if (c == '\\' && i + 1 < pattern.len &&
            strchr(".$|()[{^?*+\\,;:-/ ", pattern.data[i + 1])) {
            c = pattern.data[++i];
        } else if (strchr(".$|()[{^?*+\\", c)) {
            return false;
        }
        if (n == size) {
            return false;
        }
        buffer[n++] = c;
    }
    *text = (nb_str){buffer, n};
    return n > 0;
}

static nb_status
split_row(nb_kernel_ctx *ctx, nb_regex_use *use, nb_str s, nb_str plain, int64_t limit,
          element_list *list)
{
    int64_t first = list->n;
    size_t from = 0, at = 0;
    bool found = true;

    while (limit <= 0 || list->n - first < limit - 1) {
        size_t a, b;
        if ((list->n - first) % LOOK_EVERY == 0) {
            NB_TRY(nb_kernel_look(ctx));
        }
        if (plain.len) {
            int64_t hit = nb_str_find(s, plain, from);
            if (hit < 0) {
                break;
            }
            a = (size_t)hit;
            b = a + plain.len;
        } else {
            NB_TRY(nb_regex_match(use, s, at, &found, ctx->err));
            if (!found) {
                break;
            }
            a = use->ovector[0];
            b = use->ovector[1];
            at = nb_regex_next(use, s);
            if (b == a && (a == 0 || a == s.len)) {
                if (a == s.len) {
                    break;
                }
                continue; /* an empty match at the start makes no part */
            }
            if (b == 0) {
                continue;
            }
        }
        NB_TRY(push(ctx->arena, list, nb_view_make(s.data + from, a - from)));
        from = b;
    }
    return push(ctx->arena, list, nb_view_make(s.data + from, s.len - from));
}

static nb_status
split_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_regex_use use = {0};
    element_list list = {0};
    char buffer[64];
    nb_str plain = {NULL, 0};
    nb_status st = NB_OK;

    for (int64_t i = 0; i < n; i++) {
        int64_t from = list.n;
        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)from, 0};
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str pattern = nb_row_str(&args[1], i);
        if (i == 0 || args[1].kind != NB_VEC_CONST || (plain.len == 0 && use.regex == NULL)) {
            if (!plain_pattern(pattern, buffer, sizeof buffer, &plain)) {
                plain.len = 0;
                NB_TRY_GOTO(st, nb_regex_use_pattern(&use, pattern, function_name(ctx), ctx->err),
                            done);
            }
        }
        int64_t limit = n_args > 2 ? NB_DATA(int32_t, &args[2])[i * nb_step(&args[2])] : -1;
        NB_TRY_GOTO(st, split_row(ctx, &use, nb_row_str(&args[0], i), plain, limit, &list), done);
        NB_DATA(nb_list, out)[i].len = (uint32_t)(list.n - from);
    }
    st = set_elements(ctx->arena, &list, out);
done:
    nb_regex_done(&use);
    return st;
}

nb_status
nb_bind_split(nb_bound_call *call, nb_error *err)
{
    NB_TRY(bind_pattern(call, 1, err));
    NB_TRY(nb_bind_all(call, 2, 3, NB_TYPE_INT32, err));
    call->type = nb_type_array(nb_type_of(NB_TYPE_STRING), false);
    call->kernel = split_kernel;
    return call->type ? NB_OK : NB_NOMEM;
}
