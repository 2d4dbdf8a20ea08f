/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c: the text source: one string column `value`, a row per line (or per file with wholetext), and its writer.
 *
 * Lines are those of lines.h; empty ones are rows here.
 */
#include "io/file_source.h"
#include "io/lines.h"

#include <stdio.h>

#define MORSEL_BYTES (4 << 20)

typedef struct text_options {
    nb_str line_sep; /* data NULL = default */
    bool whole;
    nb_codec codec;
} text_options;

typedef struct text_source {
    nb_file_source file;
    const int *source_of; /* per column: 0 = value, < 0 = ~partition column */
    int n_columns;
} text_source;

typedef struct text_local {
    nb_lines lines;
    nb_morsel_run run;
    int split; /* that is open; -1: none */
} text_local;

static nb_status
read_options(const nb_option *options, int n, text_options *o, nb_error *err)
{
    nb_str v = nb_option_find(options, n, "compression");

    o->line_sep = nb_option_find(options, n, "lineSep");
    if (o->line_sep.data != NULL && o->line_sep.len == 0) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "requirement failed: 'lineSep' cannot be an empty string.", NULL);
    }
    NB_TRY(nb_option_to_bool(options, n, "wholetext", false, &o->whole, err));
    o->codec = NB_CODEC_NONE;
    return v.data ? nb_codec_of_option(v, &o->codec, err) : NB_OK;
}

static nb_status
raise_columns(int n, nb_error *err)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", n);
    return nb_raise(err, NB_COND_TEXT_COLUMNS, "schemaSize", text, NULL);
}

static nb_status
text_open(nb_relation *rel, const nb_read_request *request, nb_error *err)
{
    text_options *o = NB_ARENA_NEW(rel->arena, text_options);

    if (o == NULL) {
        return NB_NOMEM;
    }
    rel->payload = o;
    NB_TRY(read_options(rel->options, rel->n_options, o, err));
    if (rel->data_schema == NULL) {
        nb_field value = {
            .name = NB_STR("value"), .type = nb_type_of(NB_TYPE_STRING), .nullable = true};
        rel->data_schema = nb_type_struct(&value, 1);
    }
    if (rel->data_schema->n_children > 1) {
        return raise_columns(rel->data_schema->n_children, err);
    }
    return NB_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

static bool
is_splittable(const nb_relation *rel, int file)
{
    const text_options *o = rel->payload;

    return nb_lines_splittable(rel, file, o->line_sep, o->whole, NB_CHARSET_UTF8);
}

static nb_status
open_local(nb_source *src, nb_pool *pool, void **out, nb_error *err)
{
    const text_source *s = (const text_source *)src;
    const text_options *o = s->file.rel->payload;
    text_local *l = nb_pool_zalloc(pool, sizeof(*l));

    if (l == NULL) {
        return NB_NOMEM;
    }
    nb_lines_init(&l->lines, pool, s->file.rel, src->cancel);
    l->lines.sep = o->line_sep;
    l->lines.whole = o->whole;
    l->split = -1;
    *out = l;
    return NB_OK;
}

static void
close_local(nb_source *src, void *local)
{
    text_local *l = local;
    nb_pool *pool = l->lines.pool;

    nb_lines_free(&l->lines);
    nb_pool_dealloc(pool, l, sizeof(*l));
}

static nb_status
next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    text_source *s = (text_source *)src;
    text_local *l = local;

    for (;;) {
        nb_vector value;
        int64_t n = 0, bytes;
        nb_status st;
        if (l->split < 0) {
            int64_t i = nb_source_claim(src, &l->run);
            if (i < 0) {
                return NB_DONE;
            }
            st = nb_lines_open(&l->lines, &s->file.splits[i], err);
            if (nb_relation_skips(s->file.rel, st, err)) {
                continue;
            }
            NB_TRY(st);
            l->split = (int)i;
        }
        NB_TRY(nb_vector_alloc(scratch, nb_type_of(NB_TYPE_STRING), NB_BATCH_ROWS, &value));
        while (n < NB_BATCH_ROWS) {
            nb_str line;
            bool found;
            /* A line that needs a new block would move the lines before it. */
            if (n > 0 && !nb_lines_ready(&l->lines)) {
                break;
            }
            bytes = l->lines.n_bytes;
            st = nb_lines_next(&l->lines, &line, &found, err);
            atomic_fetch_add_explicit(&src->bytes_read, l->lines.n_bytes - bytes,
                                      memory_order_relaxed);
            if (nb_relation_skips(s->file.rel, st, err)) {
                found = false;
            } else {
                NB_TRY(st);
            }
            if (!found) {
                if (n == 0) {
                    l->split = -1;
                }
                break;
            }
            if (!nb_utf8_is_valid(line.data, line.len)) {
                char *fixed = nb_arena_alloc(scratch, line.len * 3 + 1);
                if (fixed == NULL) {
                    return NB_NOMEM;
                }
                line = (nb_str){fixed, nb_utf8_repair(line.data, line.len, fixed)};
            }
            NB_DATA(nb_view, &value)[n++] = nb_view_make(line.data, line.len);
        }
        if (n == 0) {
            continue;
        }
        value.n_rows = (int32_t)n;
        NB_TRY(nb_batch_init(scratch, s->n_columns, n, out));
        for (int j = 0; j < s->n_columns; j++) {
            if (s->source_of[j] >= 0) {
                out->cols[j] = value;
                out->cols[j].type = src->schema->children[j].type;
            } else {
                NB_TRY(nb_relation_split_column(s->file.rel, &s->file.splits[l->split],
                                                ~s->source_of[j], scratch, n, 0, NULL,
                                                &out->cols[j]));
            }
        }
        nb_file_source_place(&s->file, l->split, out);
        atomic_fetch_add_explicit(&src->rows_read, n, memory_order_relaxed);
        return NB_OK;
    }
}

static const nb_source_ops TEXT_SOURCE = {.name = "text",
                                          .open_local = open_local,
                                          .next = next,
                                          .close_local = close_local,
                                          .free = nb_file_source_free};

static nb_status
text_scan(nb_relation *rel, nb_pool *pool, const nb_scan_request *request, nb_source **out,
          nb_error *err)
{
    nb_file_source *made;
    text_source *s;
    nb_field *fields;
    int *source_of;
    nb_status st = NB_NOMEM;

    NB_TRY(nb_file_source_new(rel, pool, request, &TEXT_SOURCE, sizeof(*s), &made));
    s = (text_source *)made;
    fields = NB_ARENA_ARRAY(made->arena, nb_field, request->n_columns + 1);
    source_of = NB_ARENA_ARRAY(made->arena, int, request->n_columns + 1);
    if (fields != NULL && source_of != NULL) {
        s->n_columns = request->n_columns;
        s->source_of = source_of;
        for (int j = 0; j < request->n_columns; j++) {
            fields[j] = rel->columns->children[request->columns[j]];
            source_of[j] = rel->source_of[request->columns[j]];
        }
        made->base.schema = nb_type_struct(fields, request->n_columns);
        st = made->base.schema ? nb_file_source_split(made, request, is_splittable, MORSEL_BYTES)
                               : NB_NOMEM;
    }
    if (st < 0) {
        nb_file_source_free(&made->base);
        return st;
    }
    *out = &made->base;
    return NB_OK;
}

static bool
text_supports(const nb_type *type, bool writing)
{
    return nb_type_is_string(type);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------ */

typedef struct text_file {
    nb_pool *pool;
    nb_writer *w;
    nb_str line_sep;
} text_file;

static nb_status
text_write_open(nb_arena *arena, const nb_write_request *request, const nb_type *data_schema,
                void **payload, const char **extension, nb_error *err)
{
    text_options *o = NB_ARENA_NEW(arena, text_options);

    if (o == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(read_options(request->options, request->n_options, o, err));
    if (data_schema->n_children != 1) {
        return raise_columns(data_schema->n_children, err);
    }
    *payload = o;
    *extension = nb_arena_printf(arena, ".txt%s", nb_codec_extension(o->codec));
    return *extension ? NB_OK : NB_NOMEM;
}

static nb_status
text_file_open(nb_pool *pool, const void *payload, const char *path, struct nb_file_writer **out,
               nb_error *err)
{
    const text_options *o = payload;
    text_file *f = nb_pool_zalloc(pool, sizeof(*f));
    nb_status st;

    if (f == NULL) {
        return NB_NOMEM;
    }
    f->pool = pool;
    f->line_sep = o->line_sep.data ? o->line_sep : NB_STR("\n");
    st = nb_writer_new(pool, path, o->codec, NB_CHARSET_UTF8, &f->w, err);
    if (st < 0) {
        nb_pool_dealloc(pool, f, sizeof(*f));
        return st;
    }
    *out = (struct nb_file_writer *)f;
    return NB_OK;
}

static nb_status
text_file_push(struct nb_file_writer *fw, const nb_vector *const *cols, int64_t n,
               nb_arena *scratch, nb_error *err)
{
    text_file *f = (text_file *)fw;
    nb_vector flat;

    NB_TRY(nb_vector_flatten(scratch, cols[0], &flat));
    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(flat.validity, i)) {
            nb_str s = nb_view_str(&NB_DATA(nb_view, &flat)[i]);
            NB_TRY(nb_writer_write(f->w, s.data, s.len, err));
        }
        NB_TRY(nb_writer_write(f->w, f->line_sep.data, f->line_sep.len, err));
    }
    return NB_OK;
}

static nb_status
text_file_close(struct nb_file_writer *fw, nb_error *err)
{
    text_file *f = (text_file *)fw;
    nb_status st = nb_writer_finish(f->w, err);

    nb_pool_dealloc(f->pool, f, sizeof(*f));
    return st;
}

static void
text_file_abort(struct nb_file_writer *fw)
{
    text_file *f = (text_file *)fw;

    nb_writer_abort(f->w);
    nb_pool_dealloc(f->pool, f, sizeof(*f));
}

const nb_format nb_format_text = {
    .title = "Text",
    .open = text_open,
    .scan = text_scan,
    .supports = text_supports,
    .write_open = text_write_open,
    .file_open = text_file_open,
    .file_push = text_file_push,
    .file_close = text_file_close,
    .file_abort = text_file_abort,
};
