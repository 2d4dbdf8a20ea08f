/* SPDX-License-Identifier: Apache-2.0 */
/*
 * functions.c: from_csv, to_csv and schema_of_csv, by the reader's and writer's options.
 *
 * from_csv(text, null of the wanted struct [, options]): a text is one record, whatever line breaks are in it. The texts of a batch are copied one
 * behind another, because converters want cells that lie in one block with some bytes behind it; strings of the result point into that copy.
 */
#include "expr/kernels/string.h"
#include "io/csv/convert.h"
#include "io/csv/csv.h"
#include "io/csv/formats.h"
#include "io/function_options.h"

#define SLACK         64 /* readable bytes behind the last cell */
#define NO_LINE_BREAK 0xFFFF

typedef struct csv_from {
    nb_csv_options o;
    nb_csv_formats *formats;
    const nb_type *type;
    nb_csv_column *columns; /* of those that are in the text */
    int *
        cell_of; /* per field of the type: its place in the record; -1: the column of bad records */
    int n_cells;
} csv_from;

/* One batch. */
typedef struct csv_texts {
    const csv_from *f;
    char *base;
    nb_csv_tokenizer tok;
    nb_csv_cell *cells;     /* [cell * n + row] */
    uint32_t *offset, *len; /* of texts */
    uint64_t *bad,
        *empty; /* empty: there is no record in the text; it is bad, but has no place in the column of bad records */
    int64_t n;
} csv_texts;

/* A tokenizer to which line breaks are characters as any others. */
static void
tokenizer_init(nb_csv_tokenizer *t, nb_pool *pool, const nb_csv_options *o)
{
    nb_csv_tokenizer_init(t, pool, o);
    t->nl1 = t->newline = NO_LINE_BREAK;
    t->nl2 = 0;
}

static nb_csv_result
tokenize(nb_csv_tokenizer *t, const char *text, size_t n)
{
    char comment[4];
    size_t len = t->o->comment ? nb_char_encode((uint32_t)t->o->comment, comment) : 0;

    if (len > 0 && n >= len && memcmp(text, comment, len) == 0) {
        return NB_CSV_NOTHING;
    }
    return nb_csv_tokenize_line(t, text, n);
}

static nb_status
raise_record(nb_kernel_ctx *ctx, nb_str s)
{
    return nb_raise(ctx->err, NB_COND_MALFORMED_CSV_RECORD, "badRecord",
                    nb_arena_printf(ctx->arena, "%.*s", (int)NB_MIN(s.len, (size_t)1000), s.data),
                    NULL);
}

static nb_status
cut_record(nb_kernel_ctx *ctx, csv_texts *t, int64_t row)
{
    const char *text = t->base + t->offset[row];
    int n_cells = 0;

    switch (tokenize(&t->tok, text, t->len[row])) {
    case NB_CSV_RECORD: n_cells = t->tok.n_cells; break;
    case NB_CSV_NOTHING:
    case NB_CSV_NEED_MORE: nb_bit_set(t->empty, row); break;
    case NB_CSV_NO_MEMORY: return NB_NOMEM;
    case NB_CSV_BAD_QUOTE:
    case NB_CSV_TOO_MANY_COLUMNS:
    case NB_CSV_TOO_LONG: return raise_record(ctx, (nb_str){text, t->len[row]});
    }
    for (int i = 0; i < t->f->n_cells; i++) {
        nb_csv_cell c = i < n_cells ? t->tok.cells[i] : (nb_csv_cell){0, NB_CELL_NULL};

        if (i < n_cells && c.len != NB_CELL_NULL && !(c.len & NB_CELL_SIDE)) {
            c.off += t->offset[row];
        }
        t->cells[(int64_t)i * t->n + row] = c;
    }
    if (n_cells != t->f->n_cells) {
        nb_bit_set(t->bad, row);
    }
    return NB_OK;
}

/* Copies the texts and cuts them. Null rows are records of nothing that are not bad. */
static nb_status
cut_texts(nb_kernel_ctx *ctx, csv_texts *t, const nb_vector *texts)
{
    size_t total = 0;

    for (int64_t i = 0; i < t->n; i++) {
        total += nb_vector_is_null(texts, i) ? 0 : nb_row_str(texts, i).len;
    }
    if (total > NB_CELL_MAX) {
        return nb_text_too_long(ctx);
    }
    t->base = nb_arena_alloc(ctx->arena, total + SLACK);
    t->offset = NB_ARENA_ARRAY(ctx->arena, uint32_t, t->n + 1);
    t->len = NB_ARENA_ARRAY(ctx->arena, uint32_t, t->n + 1);
    t->cells = NB_ARENA_ARRAY(ctx->arena, nb_csv_cell, t->n * NB_MAX(t->f->n_cells, 1));
    t->bad = nb_arena_zalloc(ctx->arena, NB_BITMAP_BYTES(t->n) + 8);
    t->empty = nb_arena_zalloc(ctx->arena, NB_BITMAP_BYTES(t->n) + 8);
    if (!t->base || !t->offset || !t->len || !t->cells || !t->bad || !t->empty) {
        return NB_NOMEM;
    }
    memset(t->base + total, 0, SLACK);
    total = 0;
    for (int64_t i = 0; i < t->n; i++) {
        nb_str s = nb_vector_is_null(texts, i) ? (nb_str){"", 0} : nb_row_str(texts, i);

        t->offset[i] = (uint32_t)total;
        t->len[i] = (uint32_t)s.len;
        if (s.len > 0) {
            memcpy(t->base + total, s.data, s.len);
        }
        total += s.len;
        if (!nb_vector_is_null(texts, i)) {
            NB_TRY(cut_record(ctx, t, i));
            continue;
        }
        for (int k = 0; k < t->f->n_cells; k++) {
            t->cells[(int64_t)k * t->n + i] = (nb_csv_cell){0, NB_CELL_NULL};
        }
    }
    return NB_OK;
}

static nb_status
corrupt_column(nb_kernel_ctx *ctx, const csv_texts *t, nb_vector *out)
{
    NB_TRY(nb_vector_alloc(ctx->arena, nb_type_of(NB_TYPE_STRING), t->n, out));
    out->validity = nb_arena_zalloc(ctx->arena, NB_BITMAP_BYTES(t->n) + 8);
    if (out->validity == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < t->n; i++) {
        NB_DATA(nb_view, out)[i] = (nb_view){0};
        if (nb_bit_get(t->bad, i) && !nb_bit_get(t->empty, i)) {
            nb_bit_set(out->validity, i);
            NB_DATA(nb_view, out)[i] = nb_view_make(t->base + t->offset[i], t->len[i]);
        }
    }
    return NB_OK;
}

/* The cells as columns; what a cell built (escapes taken out) moves into the arena first. */
static nb_status
convert(nb_kernel_ctx *ctx, csv_texts *t, nb_vector *out)
{
    char *side = nb_arena_alloc(ctx->arena, t->tok.side_len + SLACK);

    if (side == NULL) {
        return NB_NOMEM;
    }
    if (t->tok.side_len > 0) {
        memcpy(side, t->tok.side, t->tok.side_len);
    }
    memset(side + t->tok.side_len, 0, SLACK);
    for (int i = 0; i < t->f->type->n_children; i++) {
        int cell = t->f->cell_of[i];

        if (cell >= 0) {
            NB_TRY(nb_csv_convert(&t->f->columns[cell], t->cells + (int64_t)cell * t->n, t->n,
                                  t->base, side, ctx->arena, &out->children[i], t->bad, ctx->err));
        }
    }
    for (int i = 0; i < t->f->type->n_children; i++) {
        if (t->f->cell_of[i] < 0) {
            NB_TRY(corrupt_column(ctx, t, &out->children[i]));
        }
    }
    for (int64_t i = 0; i < t->n && t->f->o.mode == NB_PARSE_FAILFAST; i++) {
        if (nb_bit_get(t->bad, i)) {
            return nb_function_bad_record(ctx, out, i);
        }
    }
    return NB_OK;
}

static nb_status
from_csv_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    csv_texts t = {.f = ctx->expr->u.call.payload, .n = n};
    nb_pool *pool = nb_pool_new(nb_arena_pool(ctx->arena), "from_csv", 0);
    nb_status st;

    if (pool == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n && args[0].validity != NULL; i++) {
        if (nb_vector_is_null(&args[0], i)) {
            NB_TRY_GOTO(st, nb_row_null(ctx, out, i), done);
        }
    }
    tokenizer_init(&t.tok, pool, &t.f->o);
    st = cut_texts(ctx, &t, &args[0]);
    st = st == NB_OK ? convert(ctx, &t, out) : st;
    nb_csv_tokenizer_free(&t.tok);
done:
    nb_pool_free(pool);
    return st;
}

/* Which field takes which cell. */
static nb_status
plan_fields(nb_bound_call *call, csv_from *f, nb_error *err)
{
    int n = f->type->n_children;

    f->columns = NB_ARENA_ARRAY(call->arena, nb_csv_column, n + 1);
    f->cell_of = NB_ARENA_ARRAY(call->arena, int, n + 1);
    if (f->columns == NULL || f->cell_of == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        const nb_field *field = &f->type->children[i];

        f->cell_of[i] = -1;
        if (nb_str_equal(field->name, f->o.corrupt_column)) {
            NB_TRY(nb_check_corrupt_column(call->arena, field, err));
            continue;
        }
        if (!nb_csv_supports(field->type)) {
            const char *sql = nb_type_sql(call->arena, field->type);

            return nb_raise(err, NB_COND_UNSUPPORTED_DATATYPE, "typeName",
                            nb_arena_printf(call->arena, "\"%s\"", sql ? sql : ""), NULL);
        }
        nb_csv_column_init(&f->columns[f->n_cells], field->type, &f->o, call->info, f->formats);
        f->cell_of[i] = f->n_cells++;
    }
    return NB_OK;
}

nb_status
nb_bind_from_csv(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[1]->type;
    csv_from *f = NB_ARENA_NEW(call->arena, csv_from);
    const nb_option *options;
    int n;

    if (f == NULL) {
        return NB_NOMEM;
    }
    if (t->id != NB_TYPE_STRUCT) {
        const char *type = nb_type_sql(call->arena, t);
        char *quoted = nb_arena_printf(call->arena, "\"%s\"", type ? type : "");

        return quoted ? nb_raise(err, NB_COND_INVALID_SCHEMA_NON_STRUCT_TYPE, "inputSchema", quoted,
                                 "dataType", quoted, NULL)
                      : NB_NOMEM;
    }
    NB_TRY(nb_function_input(call, err));
    NB_TRY(nb_function_options(call, 2, &options, &n, err));
    NB_TRY(nb_csv_options_read(call->arena, options, n, &f->o, err));
    NB_TRY(nb_function_mode(call, f->o.mode, err));
    NB_TRY(nb_csv_formats_new(call->arena, &f->o, call->info, false, &f->formats, err));
    f->type = call->type = nb_type_as_nullable(t);
    if (f->type == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(plan_fields(call, f, err));
    call->nullable = call->args[0]->nullable;
    call->can_fail = true;
    call->payload = f;
    call->kernel = from_csv_kernel;
    return NB_OK;
}

/* ---- to_csv ------------------------------------------------------------------------------------------------------------------- */

static nb_status
to_csv_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    return nb_csv_text_write(ctx, ctx->expr->u.call.payload, &args[0], n, out);
}

/* Could CAST's text of a nested value differ from the writer's, which has no word for null in it and shows bytes? */
static bool
has_odd_parts(const nb_type *t)
{
    for (int i = 0; i < t->n_children; i++) {
        const nb_field *f = &t->children[i];

        if ((f->nullable && !(t->id == NB_TYPE_MAP && i == 0)) || f->type->id == NB_TYPE_BINARY ||
            has_odd_parts(f->type)) {
            return true;
        }
    }
    return false;
}

nb_status
nb_bind_to_csv(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[0]->type;
    const nb_option *options;
    void *writer;
    int n;

    NB_TRY(nb_function_options(call, 1, &options, &n, err));
    if (t->id != NB_TYPE_STRUCT) {
        const char *type = nb_type_sql(call->arena, t);

        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_UNSUPPORTED_INPUT_TYPE, "sqlExpr",
                        nb_function_sql(call), "functionName", "`to_csv`", "dataType",
                        nb_arena_printf(call->arena, "\"%s\"", type ? type : ""), NULL);
    }
    for (int i = 0; i < t->n_children; i++) {
        const nb_type *field = t->children[i].type;

        if (has_odd_parts(field)) {
            return nb_raise_unsupported(err, "to_csv of nested values with nulls or bytes");
        }
    }
    NB_TRY(nb_csv_text_writer_new(call->arena, options, n, call->info, &writer, err));
    call->payload = writer;
    call->nullable = true;
    return nb_bound(call, NB_TYPE_STRING, to_csv_kernel);
}

/* ---- schema_of_csv ------------------------------------------------------------------------------------------------------------ */

nb_status
nb_bind_schema_of_csv(nb_bound_call *call, nb_error *err)
{
    nb_pool *pool = NULL;
    const nb_option *options;
    const nb_type *type = NULL;
    nb_csv_options o;
    nb_csv_tokenizer tok;
    const char *sql;
    char *copy;
    nb_str text;
    nb_status st = NB_OK;
    int n;

    NB_TRY(nb_function_options(call, 1, &options, &n, err));
    NB_TRY(nb_csv_options_read(call->arena, options, n, &o, err));
    NB_TRY(nb_function_text(call, "csv", &text, err));
    copy = nb_arena_zalloc(call->arena, text.len + SLACK);
    pool = nb_pool_new(nb_arena_pool(call->arena), "schema_of_csv", 0);
    if (copy == NULL || pool == NULL) {
        if (pool) {
            nb_pool_free(pool);
        }
        return NB_NOMEM;
    }
    memcpy(copy, text.data, text.len);
    tokenizer_init(&tok, pool, &o);
    switch (tokenize(&tok, copy, text.len)) {
    case NB_CSV_RECORD:
        st = nb_csv_infer_record(call->arena, &o, call->info, &tok, copy, &type, err);
        break;
    case NB_CSV_NO_MEMORY: st = NB_NOMEM; break;
    default:
        st = nb_raise(err, NB_COND_INTERNAL_ERROR, "message",
                      "The Spark SQL phase optimization failed with an internal error. You hit a "
                      "bug in Spark or the Spark plugins you use. Please, report this bug to the "
                      "corresponding communities or vendors, and provide the full stack trace.",
                      NULL);
        break;
    }
    nb_csv_tokenizer_free(&tok);
    nb_pool_free(pool);
    NB_TRY(st);
    sql = nb_type_sql(call->arena, type);
    call->replacement = sql ? nb_expr_string(call->arena, nb_str_of(sql)) : NULL;
    return call->replacement ? NB_OK : NB_NOMEM;
}
