/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conversion.c: to_char, to_number and to_binary: values as text and back by a constant format.
 *
 * What a number pattern means is in expr/number_pattern.h. Times go to date_format, binaries to hex, base64 and decode.
 */
#include "expr/number_pattern.h"
#include "base/ascii.h"
#include "expr/kernels/string.h"

/* The constant format as text, *is_null when it is null; raises what Spark raises when it is not constant. `input` is the parameter's name. */
static nb_status
bind_format(nb_bound_call *call, const char *input, nb_str *text, bool *is_null, nb_error *err)
{
    bool found;

    NB_TRY(nb_bind_all(call, 1, 2, NB_TYPE_STRING, err));
    NB_TRY(nb_bind_text(call, 1, &found, text, err));
    if (!found) {
        return nb_bind_not_foldable(call, 1, input, "\"STRING\"", err);
    }
    *is_null = text->data == NULL;
    return NB_OK;
}

static nb_status
replace_by_null(nb_bound_call *call, const nb_type *type)
{
    call->type = type;
    call->replacement = nb_expr_null(call->arena, type);
    return call->replacement ? NB_OK : NB_NOMEM;
}

/* ---- to_char ------------------------------------------------------------------------------------------------------------------ */

static nb_status
to_char_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const nb_number_pattern *p = ctx->expr->u.call.payload;
    int64_t step = nb_step(&args[0]);
    nb_text_writer w = {.arena = ctx->arena};
    nb_strbuf text = {0};

    for (int64_t i = 0; i < n; i++) {
        nb_int128 x;
        char *room;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        x = args[0].type->phys == NB_PHYS_INT64 ? (nb_int128)NB_DATA(int64_t, &args[0])[i * step]
                                                : NB_DATA(nb_int128, &args[0])[i * step];
        text.len = 0;
        nb_number_pattern_write(p, x, args[0].type->scale, &text);
        room = text.failed ? NULL : nb_text_room(&w, text.len);
        if (room == NULL) {
            nb_strbuf_free(&text);
            return NB_NOMEM;
        }
        memcpy(room, nb_strbuf_str(&text).data, text.len);
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, text.len);
    }
    nb_strbuf_free(&text);
    return NB_OK;
}

static nb_status
bind_binary_to_char(nb_bound_call *call, nb_error *err)
{
    nb_expr *args[2] = {call->args[0], NULL};
    nb_str format;
    bool found;

    NB_TRY(nb_bind_text(call, 1, &found, &format, err));
    if (!found || format.data == NULL) {
        const char *type = nb_type_sql(call->arena, call->args[1]->type);

        return nb_raise(
            err, NB_COND_NON_FOLDABLE_ARGUMENT, "funcName",
            nb_arena_printf(call->arena, "`%.*s`", (int)call->name.len, call->name.data),
            "paramName", "`format`", "paramType",
            nb_arena_printf(call->arena, "\"%s\"", type ? type : ""), NULL);
    }
    if (nb_str_equal_nocase(format, NB_STR("hex"))) {
        return nb_bind_again(call, "hex", args, 1, &call->replacement, err);
    }
    if (nb_str_equal_nocase(format, NB_STR("base64"))) {
        return nb_bind_again(call, "base64", args, 1, &call->replacement, err);
    }
    if (!nb_str_equal_nocase(format, NB_STR("utf-8"))) {
        return nb_raise(
            err, NB_COND_INVALID_PARAMETER_BINARY_FORMAT, "parameter", "`format`", "functionName",
            nb_arena_printf(call->arena, "`%.*s`", (int)call->name.len, call->name.data),
            "invalidFormat",
            nb_arena_printf(call->arena, "'%.*s'", (int)NB_MIN(format.len, (size_t)1000),
                            format.data),
            NULL);
    }
    args[1] = nb_expr_string(call->arena, NB_STR("utf-8"));
    return args[1] ? nb_bind_again(call, "decode", args, 2, &call->replacement, err) : NB_NOMEM;
}

nb_status
nb_bind_to_char(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[0]->type;
    const nb_number_pattern *p;
    nb_str format;
    bool is_null;

    switch (t->id) {
    case NB_TYPE_DATE:
    case NB_TYPE_TIMESTAMP:
    case NB_TYPE_TIMESTAMP_NTZ:
        return nb_bind_again(call, "date_format", call->args, 2, &call->replacement, err);
    case NB_TYPE_BINARY: return bind_binary_to_char(call, err);
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
    case NB_TYPE_INT32:
    case NB_TYPE_INT64: t = nb_decimal_for(t); break;
    case NB_TYPE_DECIMAL: break;
    case NB_TYPE_FLOAT32: t = nb_type_decimal(14, 7); break;
    case NB_TYPE_FLOAT64: t = nb_type_decimal(30, 15); break;
    case NB_TYPE_STRING:
    case NB_TYPE_NULL: t = nb_type_decimal(38, 18); break;
    default: return nb_bind_mismatch(call, 0, "\"DECIMAL\"", err);
    }
    NB_TRY(nb_bind_cast(call, 0, t, err));
    NB_TRY(bind_format(call, "`format`", &format, &is_null, err));
    if (is_null) {
        return replace_by_null(call, nb_type_of(NB_TYPE_STRING));
    }
    NB_TRY(nb_number_pattern_new(call->arena, format, &p, err));
    call->payload = p;
    return nb_bound(call, NB_TYPE_STRING, to_char_kernel);
}

/* ---- to_number ------------------------------------------------------------------------------------------------------------------ */

typedef struct number_reader {
    const nb_number_pattern *pattern;
    bool tolerant;
} number_reader;

static nb_status
raise_number(nb_kernel_ctx *ctx, const nb_number_pattern *p, nb_number_read how, nb_str s,
             const nb_type *type)
{
    nb_str format = nb_number_pattern_text(p);

    if (how == NB_NUMBER_OUT_OF_RANGE) {
        return nb_raise(ctx->err, NB_COND_NUMERIC_VALUE_OUT_OF_RANGE, "value", "0", "precision",
                        nb_arena_printf(ctx->arena, "%d", type->precision), "scale",
                        nb_arena_printf(ctx->arena, "%d", type->scale), "config",
                        "\"spark.sql.ansi.enabled\"", NULL);
    }
    return nb_raise(
        ctx->err, NB_COND_INVALID_FORMAT_MISMATCH_INPUT, "inputType", "\"STRING\"", "input",
        nb_arena_printf(ctx->arena, "%.*s", (int)NB_MIN(s.len, (size_t)1000), s.data), "format",
        nb_arena_printf(ctx->arena, "%.*s", (int)NB_MIN(format.len, (size_t)1000), format.data),
        NULL);
}

static nb_status
to_number_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const number_reader *r = ctx->expr->u.call.payload;

    for (int64_t i = 0; i < n; i++) {
        nb_int128 x = 0;
        nb_number_read how;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        how = nb_number_pattern_read(r->pattern, nb_row_str(&args[0], i), &x);
        if (how == NB_NUMBER_MISMATCH && r->tolerant) {
            NB_TRY(nb_row_null(ctx, out, i));
        } else if (how != NB_NUMBER_OK) {
            return raise_number(ctx, r->pattern, how, nb_row_str(&args[0], i), out->type);
        }
        if (out->type->phys == NB_PHYS_INT64) {
            NB_DATA(int64_t, out)[i] = (int64_t)x;
        } else {
            NB_DATA(nb_int128, out)[i] = x;
        }
    }
    return NB_OK;
}

static nb_status
bind_to_number(nb_bound_call *call, bool tolerant, nb_error *err)
{
    number_reader *r = NB_ARENA_NEW(call->arena, number_reader);
    int64_t precision;
    nb_str format;
    bool is_null;

    if (r == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    NB_TRY(bind_format(call, "`format`", &format, &is_null, err));
    if (is_null) {
        return replace_by_null(call, nb_type_decimal(10, 0));
    }
    NB_TRY(nb_number_pattern_new(call->arena, format, &r->pattern, err));
    precision = nb_number_pattern_precision(r->pattern);
    if (precision > NB_DECIMAL_MAX_PRECISION) {
        return nb_raise(err, NB_COND_DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION, "precision",
                        nb_arena_printf(call->arena, "%lld", (long long)precision), "maxPrecision",
                        "38", NULL);
    }
    r->tolerant = tolerant;
    call->payload = r;
    call->can_fail = true;
    call->nullable |= tolerant;
    call->kernel = to_number_kernel;
    call->type = nb_type_decimal((int)precision, (int)nb_number_pattern_scale(r->pattern));
    return call->type ? NB_OK : NB_NOMEM;
}

nb_status
nb_bind_to_number(nb_bound_call *call, nb_error *err)
{
    return bind_to_number(call, false, err);
}

nb_status
nb_bind_try_to_number(nb_bound_call *call, nb_error *err)
{
    return bind_to_number(call, true, err);
}

/* ---- to_binary ------------------------------------------------------------------------------------------------------------------ */

typedef struct binary_reader {
    bool base64; /* else hexadecimal digits */
    bool tolerant;
} binary_reader;

/* What Java's MIME decoder forgives, to_binary does not: only digits, white space, and padding that ends a group of four. */
static bool
is_base64(nb_str s)
{
    size_t n = 0, n_pad = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            continue;
        }
        if (c == '=') {
            n_pad++;
        } else if (n_pad > 0 || !(nb_is_letter(c) || nb_is_digit(c) || c == '+' || c == '/')) {
            return false;
        }
        n++;
    }
    return n_pad > 0 ? n_pad <= 2 && n % 4 == 0 : n % 4 != 1;
}

static nb_status
to_binary_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const binary_reader *r = ctx->expr->u.call.payload;
    nb_text_writer w = {.arena = ctx->arena};

    for (int64_t i = 0; i < n; i++) {
        nb_str s;
        size_t len = 0;
        bool ok;
        char *room;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        s = nb_row_str(&args[0], i);
        room = nb_text_room(&w, s.len + 1);
        if (room == NULL) {
            return NB_NOMEM;
        }
        if (r->base64) {
            ok = is_base64(s);
            len = ok ? nb_base64_decode(s, room, &(bool){false}) : 0;
        } else {
            ok = nb_hex_decode(s, room, &len);
        }
        if (!ok && !r->tolerant) {
            return nb_raise(
                ctx->err, NB_COND_CONVERSION_INVALID_INPUT, "str",
                nb_arena_printf(ctx->arena, "'%.*s'", (int)NB_MIN(s.len, (size_t)1000), s.data),
                "fmt", r->base64 ? "'BASE64'" : "'HEX'", "targetType", "\"BINARY\"", "suggestion",
                "`try_to_binary`", NULL);
        }
        NB_DATA(nb_view, out)[i] = ok ? nb_text_done(&w, len) : (nb_view){0};
        if (!ok) {
            NB_TRY(nb_row_null(ctx, out, i));
        }
    }
    return NB_OK;
}

static nb_status
bind_to_binary(nb_bound_call *call, bool tolerant, nb_error *err)
{
    binary_reader *r = NB_ARENA_NEW(call->arena, binary_reader);
    nb_str format = NB_STR("hex");
    bool is_null = false;

    if (r == NULL) {
        return NB_NOMEM;
    }
    if (call->n_args == 2) {
        NB_TRY(bind_format(call, "`fmt`", &format, &is_null, err));
    }
    if (is_null) {
        return replace_by_null(call, nb_type_of(NB_TYPE_BINARY));
    }
    r->base64 = nb_str_equal_nocase(format, NB_STR("base64"));
    r->tolerant = tolerant;
    if (!r->base64 && !nb_str_equal_nocase(format, NB_STR("hex"))) {
        if (nb_str_equal_nocase(format, NB_STR("utf-8")) ||
            nb_str_equal_nocase(format, NB_STR("utf8"))) {
            NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
            return nb_expr_cast(call->arena, call->args[0], nb_type_of(NB_TYPE_BINARY),
                                NB_CAST_ANSI, &call->replacement, err);
        }
        if (tolerant) {
            return replace_by_null(call, nb_type_of(NB_TYPE_BINARY));
        }
        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_INVALID_ARG_VALUE, "sqlExpr",
                        nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)), "inputName",
                        "fmt", "requireType", "case-insensitive \"STRING\"", "validValues",
                        "'hex', 'utf-8', 'utf8', or 'base64'", "inputValue",
                        nb_arena_printf(call->arena, "'%.*s'",
                                        (int)NB_MIN(format.len, (size_t)1000), format.data),
                        NULL);
    }
    NB_TRY(nb_bind_all(call, 0, 1, NB_TYPE_STRING, err));
    call->payload = r;
    call->can_fail = !tolerant;
    call->nullable |= tolerant;
    return nb_bound(call, NB_TYPE_BINARY, to_binary_kernel);
}

nb_status
nb_bind_to_binary(nb_bound_call *call, nb_error *err)
{
    return bind_to_binary(call, false, err);
}

nb_status
nb_bind_try_to_binary(nb_bound_call *call, nb_error *err)
{
    return bind_to_binary(call, true, err);
}
