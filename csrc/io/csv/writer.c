/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c: rows as CSV text.
 *
 * What is quoted, escaped and trimmed follows univocity's CsvWriter with the settings that Spark gives it: values that hold a delimiter, a line break or (with
 * escapeQuotes) a quote are quoted; a first column that begins with the comment character ('#' unless set) too; a null is nullValue, an empty
 * string emptyValue ("" by default, as it stands); white space at the ends is dropped by default; a row without any text is not written.
 */
#include "base/decimal.h"
#include "expr/cast.h"
#include "expr/date_text.h"
#include "expr/number_text.h"
#include "expr/kernels/string.h"
#include "expr/registry.h"
#include "io/csv/csv.h"
#include "io/csv/formats.h"

#define FLUSH_BYTES (128 * 1024)

typedef struct csv_write {
    nb_csv_options o;
    nb_csv_formats *formats;
    const nb_type *schema;
    char quote[4], escape[4], escape_escape[4], comment[4], line_sep[8];
    size_t n_quote, n_escape, n_escape_escape, n_comment, n_line_sep;
    bool trigger[256]; /* ASCII characters that make a value quoted, besides the delimiter */
    bool special[256]; /* bytes at which a value must be looked at closely */
    size_t room;
} csv_write;

typedef struct csv_file {
    nb_pool *pool;
    const csv_write *c;
    nb_writer *w;
    char *buf;
    size_t len, cap;
    nb_zone_cursor cursor;
} csv_file;

static size_t
encode(int32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    out[0] = (char)(0xE0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 63));
    out[2] = (char)(0x80 | (c & 63));
    return 3;
}

/* What follows from the options. */
static nb_status
prepare(csv_write *c, nb_arena *arena, const nb_session_info *info, nb_error *err)
{
    nb_str sep;

    NB_TRY(nb_csv_formats_new(arena, &c->o, info, true, &c->formats, err));
    c->n_quote = encode(c->o.quote, c->quote);
    c->n_escape = encode(c->o.escape, c->escape);
    c->n_escape_escape = c->o.escape_escape ? encode(c->o.escape_escape, c->escape_escape) : 0;
    c->n_comment = encode(c->o.comment ? c->o.comment : '#', c->comment);
    sep = c->o.line_sep.data ? c->o.line_sep : NB_STR("\n");
    c->n_line_sep = NB_MIN(sep.len, sizeof(c->line_sep));
    memcpy(c->line_sep, sep.data, c->n_line_sep);
    c->trigger['\n'] = c->trigger['\r'] = true;
    for (size_t i = 0; i < c->n_line_sep; i++) {
        c->trigger[(unsigned char)c->line_sep[i]] = true;
    }
    if (c->o.escape_quotes && c->n_quote == 1) {
        c->trigger[(unsigned char)c->quote[0]] = true;
    }
    memcpy(c->special, c->trigger, sizeof(c->special));
    c->special[(unsigned char)c->o.sep.data[0]] = true;
    c->special[(unsigned char)c->quote[0]] = true;
    c->special[(unsigned char)c->escape[0]] = true;
    c->room = nb_csv_format_room(c->formats);
    return NB_OK;
}

nb_status
nb_csv_write_open(nb_arena *arena, const nb_write_request *request, const nb_type *data_schema,
                  void **payload, const char **extension, nb_error *err)
{
    csv_write *c = NB_ARENA_NEW(arena, csv_write);

    if (c == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_csv_options_read(arena, request->options, request->n_options, &c->o, err));
    if (c->o.sep.len == 0) { /* Spark's tasks find that out */
        return nb_raise(err, NB_COND_JOB_ABORTED, "message",
                        "java.lang.IllegalArgumentException: Delimiter cannot be empty", NULL);
    }
    NB_TRY(prepare(c, arena, request->info, err));
    c->schema = data_schema;
    *payload = c;
    *extension = nb_arena_printf(arena, ".%.*s%s", (int)c->o.extension.len, c->o.extension.data,
                                 nb_codec_extension(c->o.codec));
    return *extension ? NB_OK : NB_NOMEM;
}

/* ---- output ------------------------------------------------------------------------------------------------------------------- */

static nb_status
need(csv_file *f, size_t n)
{
    if (f->len + n > f->cap) {
        size_t cap = NB_MAX(f->cap * 2, f->len + n + FLUSH_BYTES + 4096);
        char *buf = nb_pool_realloc(f->pool, f->buf, f->cap, cap);
        if (buf == NULL) {
            return NB_NOMEM;
        }
        f->buf = buf;
        f->cap = cap;
    }
    return NB_OK;
}

NB_INLINE void
put(csv_file *f, const char *p, size_t n)
{
    memcpy(f->buf + f->len, p, n);
    f->len += n;
}

NB_INLINE bool
starts(const char *p, size_t n, const char *with, size_t n_with)
{
    return n_with > 0 && n >= n_with && memcmp(p, with, n_with) == 0;
}

/* Drops white space at the end of what was written from `from` on. */
static void
trim_end(csv_file *f, size_t from)
{
    while (f->len > from && (unsigned char)f->buf[f->len - 1] <= ' ') {
        f->len--;
    }
}

static void
put_escaped(csv_file *f, const char *p, size_t n)
{
    const csv_write *c = f->c;

    for (size_t i = 0; i < n;) {
        if (starts(p + i, n - i, c->quote, c->n_quote)) {
            put(f, c->escape, c->n_escape);
            put(f, c->quote, c->n_quote);
            i += c->n_quote;
        } else if (starts(p + i, n - i, c->escape, c->n_escape)) {
            put(f, c->escape_escape, c->n_escape_escape);
            put(f, c->escape, c->n_escape);
            i += c->n_escape;
        } else if (p[i] == '\n' && c->n_line_sep > 1) {
            put(f, c->line_sep, c->n_line_sep);
            i++;
        } else {
            f->buf[f->len++] = p[i++];
        }
    }
}

/* Is there anything in p[from..] that asks for quotes? */
static bool
must_quote(const csv_write *c, const char *p, size_t from, size_t n)
{
    for (size_t i = from; i < n; i++) {
        if (c->trigger[(unsigned char)p[i]] || starts(p + i, n - i, c->o.sep.data, c->o.sep.len)) {
            return true;
        }
    }
    return false;
}

/* One value; there is room for 6 n + 64 bytes. */
static void
put_value(csv_file *f, int column, const char *p, size_t n, bool is_null)
{
    const csv_write *c = f->c;
    const nb_csv_options *o = &c->o;
    bool stands_for = is_null, quoted = o->quote_all;
    size_t i, start = 0, text;

    if (is_null) {
        p = o->null_value.data;
        n = o->null_value.len;
    } else {
        if (o->write_trim_leading) {
            while (start < n && (unsigned char)p[start] <= ' ') {
                start++;
            }
        }
        if (n == 0 || (o->write_trim_leading && start == n)) {
            stands_for = true;
            p = o->empty_write.data;
            n = o->empty_write.len;
        }
    }
    for (;;) {
        start = 0;
        if (o->write_trim_leading) {
            while (start < n && (unsigned char)p[start] <= ' ') {
                start++;
            }
        }
        if (start < n && (starts(p + start, n - start, c->quote, c->n_quote) ||
                          (column == 0 && starts(p, n, c->comment, c->n_comment)))) {
            quoted = true;
        }
        if (quoted && stands_for && n >= 2 && starts(p, n, c->quote, c->n_quote) &&
            starts(p + n - c->n_quote, c->n_quote, c->quote, c->n_quote)) {
            put(f, p, n);
            return;
        }
        i = n;
        if (!quoted) {
            for (i = start; i < n && !c->special[(unsigned char)p[i]]; i++) {
            }
            for (; i < n; i++) {
                bool escape = starts(p + i, n - i, c->quote, c->n_quote) ||
                              starts(p + i, n - i, c->escape, c->n_escape);
                if (escape) {
                    quoted = must_quote(c, p, i, n);
                    break;
                }
                if (c->trigger[(unsigned char)p[i]] ||
                    starts(p + i, n - i, c->o.sep.data, c->o.sep.len)) {
                    quoted = true;
                    break;
                }
            }
        }
        if (quoted) {
            put(f, c->quote, c->n_quote);
        }
        text = f->len;
        if (quoted) {
            put_escaped(f, p + start, n - start);
        } else {
            put(f, p + start, n - start);
        }
        if (o->write_trim_trailing && n > 0 && (unsigned char)p[n - 1] <= ' ') {
            trim_end(f, text);
        }
        if (f->len > text || stands_for) {
            break;
        }
        /* Nothing but white space: univocity appends the empty value to it and then drops as many characters as there
         * were blanks, but at the end. */
        n = NB_MIN(n - start, 64);
        put(f, p + start, n);
        put_escaped(f, o->empty_write.data, o->empty_write.len);
        f->len -= NB_MIN(n, f->len - text);
        break;
    }
    if (quoted) {
        put(f, c->quote, c->n_quote);
    }
}

/* ---- values ------------------------------------------------------------------------------------------------------------------- */

/* The text of row i of a flat vector, in out (or elsewhere for strings). */
static nb_str
value_text(csv_file *f, const nb_vector *v, int64_t i, char *out)
{
    const nb_type *t = nb_type_storage(v->type);
    size_t n = 0;

    switch (t->id) {
    case NB_TYPE_BOOL: return NB_DATA(uint8_t, v)[i] ? NB_STR("true") : NB_STR("false");
    case NB_TYPE_INT8: n = (size_t)nb_format_int64(out, NB_DATA(int8_t, v)[i]); break;
    case NB_TYPE_INT16: n = (size_t)nb_format_int64(out, NB_DATA(int16_t, v)[i]); break;
    case NB_TYPE_INT32: n = (size_t)nb_format_int64(out, NB_DATA(int32_t, v)[i]); break;
    case NB_TYPE_INT64: n = (size_t)nb_format_int64(out, NB_DATA(int64_t, v)[i]); break;
    case NB_TYPE_FLOAT32: n = (size_t)nb_format_float(out, NB_DATA(float, v)[i]); break;
    case NB_TYPE_FLOAT64: n = (size_t)nb_format_double(out, NB_DATA(double, v)[i]); break;
    case NB_TYPE_DECIMAL:
        n = nb_decimal_format_sci(t->phys == NB_PHYS_INT64 ? NB_DATA(int64_t, v)[i]
                                                           : NB_DATA(nb_int128, v)[i],
                                  t->scale, out);
        break;
    case NB_TYPE_DATE: n = nb_csv_write_date(f->c->formats, NB_DATA(int32_t, v)[i], out); break;
    case NB_TYPE_TIMESTAMP:
        n = nb_csv_write_timestamp(f->c->formats, &f->cursor, NB_DATA(int64_t, v)[i], out);
        break;
    case NB_TYPE_TIMESTAMP_NTZ:
        n = nb_csv_write_timestamp_ntz(f->c->formats, NB_DATA(int64_t, v)[i], out);
        break;
    default: return nb_view_str(&NB_DATA(nb_view, v)[i]);
    }
    return (nb_str){out, n};
}

static nb_status
put_row(csv_file *f, const nb_vector *cols, int n_cols, int64_t i, char *text)
{
    size_t begin = f->len;

    for (int j = 0; j < n_cols; j++) {
        bool null = nb_vector_is_null(&cols[j], i);
        nb_str s = null ? f->c->o.null_value : value_text(f, &cols[j], i, text);
        NB_TRY(need(f, 6 * (s.len + f->c->o.empty_write.len) + 128));
        if (j > 0) {
            put(f, f->c->o.sep.data, f->c->o.sep.len);
        }
        put_value(f, j, s.data, s.len, null);
    }
    if (f->len > begin) {
        NB_TRY(need(f, 64));
        put(f, f->c->line_sep, f->c->n_line_sep);
    }
    return NB_OK;
}

static nb_status
flush(csv_file *f, nb_error *err)
{
    nb_status st = f->len ? nb_writer_write(f->w, f->buf, f->len, err) : NB_OK;

    f->len = 0;
    return st;
}

/* Bytes as they are shown: [41 42]. */
static nb_status
bytes_as_text(const csv_write *c, const nb_vector *v, nb_arena *scratch, nb_vector *out)
{
    nb_strbuf b = {0};
    nb_view *texts;
    nb_status st = NB_OK;

    NB_TRY(nb_vector_flatten(scratch, v, out));
    texts = NB_ARENA_ARRAY(scratch, nb_view, out->n_rows + 1);
    if (texts == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < out->n_rows && st == NB_OK; i++) {
        nb_str text;

        b.len = 0;
        nb_format_value(&b, c->formats->info, out, i, NB_TEXT_PRETTY);
        text = b.failed ? (nb_str){NULL, 0} : nb_arena_str(scratch, nb_strbuf_str(&b));
        texts[i] = nb_view_make(text.data ? text.data : "", text.len);
        st = text.data ? NB_OK : NB_NOMEM;
    }
    nb_strbuf_free(&b);
    out->type = nb_type_of(NB_TYPE_STRING);
    out->data = texts;
    return st;
}

/* A column whose values value_text can write: what it cannot goes through CAST. */
static nb_status
flat_column(const csv_write *c, const nb_vector *v, nb_arena *scratch, nb_vector *out,
            nb_error *err)
{
    nb_type_id id = nb_type_storage(v->type)->id;
    nb_kernel_ctx ctx = {.arena = scratch, .info = c->formats->info, .err = err};
    nb_vector casted;

    if (id == NB_TYPE_BINARY) {
        return bytes_as_text(c, v, scratch, out);
    }
    if (id != NB_TYPE_INTERVAL_YM && id != NB_TYPE_INTERVAL_DT && id != NB_TYPE_TIME &&
        id != NB_TYPE_STRUCT && id != NB_TYPE_ARRAY && id != NB_TYPE_MAP) {
        return nb_vector_flatten(scratch, v, out);
    }
    NB_TRY(nb_cast_vector(&ctx, v, nb_type_of(NB_TYPE_STRING), NB_CAST_ANSI, &casted));
    return nb_vector_flatten(scratch, &casted, out);
}

nb_status
nb_csv_file_push(struct nb_file_writer *fw, const nb_vector *const *cols, int64_t n,
                 nb_arena *scratch, nb_error *err)
{
    csv_file *f = (csv_file *)fw;
    int n_cols = f->c->schema->n_children;
    nb_vector *flat = NB_ARENA_ARRAY(scratch, nb_vector, n_cols + 1);
    char *text = nb_arena_alloc(scratch, f->c->room + 128);

    if (flat == NULL || text == NULL) {
        return NB_NOMEM;
    }
    for (int j = 0; j < n_cols; j++) {
        NB_TRY(flat_column(f->c, cols[j], scratch, &flat[j], err));
    }
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(put_row(f, flat, n_cols, i, text));
        if (f->len >= FLUSH_BYTES) {
            NB_TRY(flush(f, err));
        }
    }
    return NB_OK;
}

/* ---- files -------------------------------------------------------------------------------------------------------------------- */

static void
free_file(csv_file *f)
{
    nb_writer_abort(f->w);
    if (f->buf) {
        nb_pool_dealloc(f->pool, f->buf, f->cap);
    }
    nb_pool_dealloc(f->pool, f, sizeof(*f));
}

nb_status
nb_csv_file_open(nb_pool *pool, const void *payload, const char *path, struct nb_file_writer **out,
                 nb_error *err)
{
    const csv_write *c = payload;
    csv_file *f = nb_pool_zalloc(pool, sizeof(*f));
    nb_status st;

    if (f == NULL) {
        return NB_NOMEM;
    }
    f->pool = pool;
    f->c = c;
    f->cursor.zone = c->formats->zone;
    NB_TRY_GOTO(st, nb_writer_new(pool, path, c->o.codec, c->o.charset, &f->w, err), failed);
    if (c->o.header) {
        for (int j = 0; j < c->schema->n_children; j++) {
            nb_str name = c->schema->children[j].name;
            NB_TRY_GOTO(st, need(f, 6 * name.len + 128), failed);
            if (j > 0) {
                put(f, c->o.sep.data, c->o.sep.len);
            }
            put_value(f, j, name.data, name.len, false);
        }
        put(f, c->line_sep, c->n_line_sep);
    }
    *out = (struct nb_file_writer *)f;
    return NB_OK;
failed:
    free_file(f);
    return st;
}

nb_status
nb_csv_file_close(struct nb_file_writer *fw, nb_error *err)
{
    csv_file *f = (csv_file *)fw;
    nb_status st = flush(f, err);

    if (st == NB_OK) {
        nb_writer *w = f->w;
        f->w = NULL;
        st = nb_writer_finish(w, err);
    }
    free_file(f);
    return st;
}

void
nb_csv_file_abort(struct nb_file_writer *fw)
{
    free_file((csv_file *)fw);
}

/* ---- to_csv ------------------------------------------------------------------------------------------------------------------- */

nb_status
nb_csv_text_writer_new(nb_arena *arena, const nb_option *options, int n,
                       const nb_session_info *info, void **out, nb_error *err)
{
    csv_write *c = NB_ARENA_NEW(arena, csv_write);

    if (c == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_csv_options_read(arena, options, n, &c->o, err));
    if (c->o.sep.len == 0) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", "Delimiter cannot be empty",
                        NULL);
    }
    *out = c;
    return prepare(c, arena, info, err);
}

nb_status
nb_csv_text_write(nb_kernel_ctx *ctx, const void *writer, const nb_vector *rows, int64_t n,
                  nb_vector *out)
{
    const csv_write *c = writer;
    int n_cols = rows->type->n_children;
    nb_pool *pool = nb_pool_new(nb_arena_pool(ctx->arena), "to_csv", 0);
    csv_file f = {.pool = pool, .c = c, .cursor = {.zone = c->formats->zone}};
    nb_vector *flat = NB_ARENA_ARRAY(ctx->arena, nb_vector, n_cols + 1);
    char *text = nb_arena_alloc(ctx->arena, c->room + 128);
    nb_text_writer w = {.arena = ctx->arena};
    nb_status st = pool && flat && text ? NB_OK : NB_NOMEM;

    for (int j = 0; j < n_cols && st == NB_OK; j++) {
        st = flat_column(c, &rows->children[j], ctx->arena, &flat[j], ctx->err);
    }
    for (int64_t i = 0; i < n && st == NB_OK; i++) {
        char *room;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        f.len = 0;
        st = put_row(&f, flat, n_cols, rows->kind == NB_VEC_CONST ? 0 : i, text);
        if (st == NB_OK && f.len == 0) {
            st = nb_row_null(ctx, out, i); /* a row without any text */
            NB_DATA(nb_view, out)[i] = (nb_view){0};
            continue;
        }
        f.len -= NB_MIN(f.len, c->n_line_sep);
        room = st == NB_OK ? nb_text_room(&w, f.len) : NULL;
        if (room == NULL) {
            st = st == NB_OK ? NB_NOMEM : st;
            break;
        }
        memcpy(room, f.buf, f.len);
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, f.len);
    }
    if (f.buf) {
        nb_pool_dealloc(pool, f.buf, f.cap);
    }
    if (pool) {
        nb_pool_free(pool);
    }
    return st;
}
