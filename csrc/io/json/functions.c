/* SPDX-License-Identifier: Apache-2.0 */
/*
 * functions.c: from_json, to_json and schema_of_json, by the reader's and writer's options.
 *
 * from_json(text, null of the wanted type [, options]): the analyzer turns a schema given as text into a null literal of that type, so that nothing
 * here parses DDL. Empty text gives null. Instants are written by the pattern yyyy-MM-dd'T'HH:mm:ss[.SSS] with the offset, in the session's zone.
 */
#include "expr/json_rows.h"
#include "expr/json_text.h"
#include "expr/kernels/string.h"
#include "io/function_options.h"
#include "io/json/json.h"

static nb_status
options_of(nb_bound_call *call, int arg, bool writing, nb_json_options *o, nb_error *err)
{
    const nb_option *options;
    int n;

    NB_TRY(nb_function_options(call, arg, &options, &n, err));
    return nb_json_options_read(call->arena, options, n, call->info, writing, o, err);
}

/* Refuses types other than struct, array and map. */
static nb_status
check_type(nb_bound_call *call, const nb_type *t, nb_error *err)
{
    const char *sql = nb_type_sql(call->arena, t);

    if (t->id == NB_TYPE_STRUCT || t->id == NB_TYPE_ARRAY || t->id == NB_TYPE_MAP) {
        return NB_OK;
    }
    return nb_raise(err, NB_COND_DATATYPE_MISMATCH_INVALID_JSON_SCHEMA, "sqlExpr",
                    nb_function_sql(call), "schema",
                    nb_arena_printf(call->arena, "\"%s\"", sql ? sql : ""), NULL);
}

/* ---- from_json ---------------------------------------------------------------------------------------------------------------- */

typedef struct json_from {
    nb_json_options o;
    const nb_type *read; /* what is read: the type without the column of bad records */
    int corrupt;         /* the field that takes bad records; -1: none */
} json_from;

/* The rows as read, with the column of bad records put among the fields. */
static nb_status
insert_corrupt(nb_kernel_ctx *ctx, const json_from *f, const nb_vector *text, const uint64_t *bad,
               int64_t n, nb_vector *rows)
{
    int count = f->read->n_children + 1;
    nb_vector *fields = NB_ARENA_ARRAY(ctx->arena, nb_vector, count);
    nb_vector *corrupt;

    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0, k = 0; i < count; i++) {
        if (i != f->corrupt) {
            fields[i] = rows->children[k++];
        }
    }
    corrupt = &fields[f->corrupt];
    NB_TRY(nb_vector_alloc(ctx->arena, nb_type_of(NB_TYPE_STRING), n, corrupt));
    corrupt->validity = nb_arena_zalloc(ctx->arena, NB_BITMAP_BYTES(n) + 8);
    if (corrupt->validity == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(nb_view, corrupt)[i] = (nb_view){0};
        if (nb_bit_get(bad, i)) {
            nb_bit_set(corrupt->validity, i);
            NB_DATA(nb_view, corrupt)
            [i] = NB_DATA(nb_view, text)[text->kind == NB_VEC_CONST ? 0 : i];
        }
    }
    rows->children = fields;
    rows->n_children = count;
    return NB_OK;
}

static nb_status
from_json_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const json_from *f = ctx->expr->u.call.payload;
    nb_json_reading how = nb_json_options_reading(&f->o);
    uint64_t *bad = nb_arena_zalloc(ctx->arena, NB_BITMAP_BYTES(n) + 8);
    nb_kernel_ctx zoned = *ctx; /* in the zone of the options */
    int64_t first_bad = -1;
    nb_json_columns *c;
    nb_json_rows rows;
    bool by_line = f->read->id == NB_TYPE_STRUCT && n >= NB_JSON_ROWS_WORTH;

    if (bad == NULL) {
        return NB_NOMEM;
    }
    how.exact_text = false;
    how.text_stays = true; /* with the arguments */
    zoned.info = f->o.formats->info;
    NB_TRY(by_line ? nb_json_rows_init(&rows, ctx->arena, &args[0], n) : NB_OK);
    NB_TRY(nb_json_columns_new(&zoned, f->read, &how, n, &c));
    for (int64_t i = 0; i < n; i++) {
        nb_json_line line;
        nb_json_fit fit;
        nb_str s = nb_vector_is_null(&args[0], i) ? (nb_str){"", 0} : nb_row_str(&args[0], i);
        nb_json j = nb_json_of(s);

        if (nb_str_trim(s).len == 0) {
            nb_json_columns_add_null(c);
            continue;
        }
        if (!by_line || !nb_json_rows_line(&rows, i, &line) ||
            !nb_json_columns_add_line(c, &rows.layout, &line, &fit)) {
            fit = nb_json_columns_add(c, &j);
        }
        if (fit != NB_JSON_FITS) {
            nb_bit_set(bad, i);
            first_bad = first_bad < 0 ? i : first_bad;
        }
    }
    NB_TRY(nb_json_columns_finish(c, out));
    out->type = f->read;
    if (first_bad >= 0 && f->o.mode == NB_PARSE_FAILFAST) {
        return nb_function_bad_record(ctx, out, first_bad);
    }
    if (f->corrupt >= 0) {
        NB_TRY(insert_corrupt(ctx, f, &args[0], bad, n, out));
    }
    out->type = ctx->expr->type;
    return NB_OK;
}

/* Looks for the column of bad records in a struct, and makes the type without it. */
static nb_status
find_corrupt(nb_bound_call *call, json_from *f, const nb_type *t, nb_error *err)
{
    nb_field *fields;
    int n = 0;

    f->read = t;
    f->corrupt = -1;
    for (int i = 0; t->id == NB_TYPE_STRUCT && i < t->n_children; i++) {
        if (nb_str_equal(t->children[i].name, f->o.corrupt_column)) {
            f->corrupt = i;
        }
    }
    if (f->corrupt < 0) {
        return NB_OK;
    }
    NB_TRY(nb_check_corrupt_column(call->arena, &t->children[f->corrupt], err));
    fields = NB_ARENA_ARRAY(call->arena, nb_field, t->n_children);
    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < t->n_children; i++) {
        if (i != f->corrupt) {
            fields[n++] = t->children[i];
        }
    }
    f->read = nb_type_struct(fields, n);
    return f->read ? NB_OK : NB_NOMEM;
}

nb_status
nb_bind_from_json(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[1]->type;
    json_from *f = NB_ARENA_NEW(call->arena, json_from);

    if (f == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(check_type(call, t, err));
    if (t->id == NB_TYPE_MAP && !nb_type_is_string(t->children[0].type)) {
        return check_type(call, t->children[0].type, err);
    }
    NB_TRY(nb_function_input(call, err));
    NB_TRY(options_of(call, 2, false, &f->o, err));
    NB_TRY(nb_function_mode(call, f->o.mode, err));
    call->type = nb_type_as_nullable(t);
    if (call->type == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(find_corrupt(call, f, call->type, err));
    call->nullable = true;
    call->can_fail = f->o.mode == NB_PARSE_FAILFAST;
    call->payload = f;
    call->kernel = from_json_kernel;
    return NB_OK;
}

/* ---- to_json ------------------------------------------------------------------------------------------------------------------ */

typedef struct json_to {
    nb_json_style style;
    const nb_zone *zone;
    bool pretty;
} json_to;

static void
new_line(nb_strbuf *out, int depth)
{
    nb_strbuf_addc(out, '\n');
    nb_strbuf_fill(out, ' ', (size_t)depth * 2);
}

/* Compact JSON as Jackson's pretty printer writes it: a line per field, arrays in one line. `open` has the brackets that are open. */
static void
add_pretty(nb_str s, nb_strbuf *open, nb_strbuf *out)
{
    bool in_string = false;
    int depth = 0; /* of objects */

    open->len = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i], next = i + 1 < s.len ? s.data[i + 1] : 0;

        if (in_string) {
            nb_strbuf_addc(out, c);
            if (c == '\\' && i + 1 < s.len) {
                nb_strbuf_addc(out, s.data[++i]);
            }
            in_string = c != '"';
            continue;
        }
        switch (c) {
        case '"':
            in_string = true;
            nb_strbuf_addc(out, c);
            break;
        case '{':
            depth++;
            nb_strbuf_addc(open, c);
            nb_strbuf_addc(out, c);
            if (next != '}') {
                new_line(out, depth);
            }
            break;
        case '}':
            depth--;
            open->len -= open->len > 0;
            if (i > 0 && s.data[i - 1] == '{') {
                nb_strbuf_addc(out, ' ');
            } else {
                new_line(out, depth);
            }
            nb_strbuf_addc(out, c);
            break;
        case '[':
            nb_strbuf_addc(open, c);
            nb_strbuf_adds(out, "[ ");
            break;
        case ']':
            open->len -= open->len > 0;
            nb_strbuf_adds(out, i > 0 && s.data[i - 1] == '[' ? "]" : " ]");
            break;
        case ',':
            nb_strbuf_addc(out, c);
            if (open->len > 0 && open->data[open->len - 1] == '{') {
                new_line(out, depth);
            } else {
                nb_strbuf_addc(out, ' ');
            }
            break;
        case ':': nb_strbuf_adds(out, " : "); break;
        default: nb_strbuf_addc(out, c); break;
        }
    }
}

static nb_status
to_json_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    const json_to *how = ctx->expr->u.call.payload;
    nb_strbuf text = {0}, pretty = {0}, open = {0};
    nb_json_put job = {.ctx = ctx, .style = &how->style, .zone = {.zone = how->zone}, .out = &text};
    nb_text_writer w = {.arena = ctx->arena};
    nb_status st = NB_OK;

    for (int64_t i = 0; i < n; i++) {
        const nb_strbuf *made = &text;
        char *room;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        text.len = pretty.len = 0;
        NB_TRY_GOTO(st, nb_json_put_value(&job, &args[0], i), done);
        if (how->pretty) {
            add_pretty(nb_strbuf_str(&text), &open, &pretty);
            made = &pretty;
        }
        room = text.failed || open.failed || made->failed ? NULL : nb_text_room(&w, made->len);
        if (room == NULL) {
            st = NB_NOMEM;
            goto done;
        }
        memcpy(room, nb_strbuf_str(made).data, made->len);
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, made->len);
    }
done:
    nb_strbuf_free(&open);
    nb_strbuf_free(&pretty);
    nb_strbuf_free(&text);
    return st;
}

nb_status
nb_bind_to_json(nb_bound_call *call, nb_error *err)
{
    json_to *p = NB_ARENA_NEW(call->arena, json_to);
    const nb_option *options;
    nb_json_options o;
    int n;

    if (p == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_function_options(call, 1, &options, &n, err));
    NB_TRY(check_type(call, call->args[0]->type, err));
    NB_TRY(nb_json_options_read(call->arena, options, n, call->info, true, &o, err));
    NB_TRY(nb_option_to_bool(options, n, "pretty", false, &p->pretty, err));
    p->style = nb_json_options_style(&o);
    p->zone = o.formats->zone;
    call->payload = p;
    return nb_bound(call, NB_TYPE_STRING, to_json_kernel);
}

/* ---- schema_of_json ----------------------------------------------------------------------------------------------------------- */

nb_status
nb_bind_schema_of_json(nb_bound_call *call, nb_error *err)
{
    nb_json_options o;
    const nb_type *type;
    const char *sql;
    nb_str text;

    NB_TRY(options_of(call, 1, false, &o, err));
    NB_TRY(nb_function_text(call, "json", &text, err));
    NB_TRY(nb_json_infer_text(call->arena, &o, call->info, text, &type, err));
    sql = nb_type_sql(call->arena, type);
    call->replacement = sql ? nb_expr_string(call->arena, nb_str_of(sql)) : NULL;
    return call->replacement ? NB_OK : NB_NOMEM;
}
