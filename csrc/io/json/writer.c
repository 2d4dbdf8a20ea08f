/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c: JSON files: an object per row, fields that are null left out unless ignoreNullFields is false.
 */
#include "expr/json_text.h"
#include "io/json/json.h"

#define FLUSH_BYTES (64 * 1024)

typedef struct json_write {
    nb_json_options o;
    nb_json_style style;
    const nb_type *schema;
    nb_str *names; /* of the columns, as they stand in the text: "a": */
    nb_str line_sep;
} json_write;

typedef struct json_file {
    nb_pool *pool;
    const json_write *c;
    nb_writer *w;
    nb_strbuf text;
} json_file;

nb_status
nb_json_write_open(nb_arena *arena, const nb_write_request *request, const nb_type *data_schema,
                   void **payload, const char **extension, nb_error *err)
{
    json_write *c = NB_ARENA_NEW(arena, json_write);

    if (c == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_json_options_read(arena, request->options, request->n_options, request->info, true,
                                &c->o, err));
    c->schema = data_schema;
    c->style = nb_json_options_style(&c->o);
    c->line_sep = c->o.line_sep.data ? c->o.line_sep : NB_STR("\n");
    c->names = NB_ARENA_ARRAY(arena, nb_str, data_schema->n_children + 1);
    if (c->names == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < data_schema->n_children; i++) {
        nb_strbuf b = {0};

        nb_json_put_string(&b, data_schema->children[i].name);
        if (c->o.ascii_only) {
            nb_json_escape_from(&b, 0);
        }
        nb_strbuf_addc(&b, ':');
        c->names[i] = nb_strbuf_finish(arena, &b);
        if (c->names[i].data == NULL) {
            return NB_NOMEM;
        }
    }
    *payload = c;
    *extension = nb_arena_printf(arena, ".json%s", nb_codec_extension(c->o.codec));
    return *extension ? NB_OK : NB_NOMEM;
}

nb_status
nb_json_file_open(nb_pool *pool, const void *payload, const char *path, struct nb_file_writer **out,
                  nb_error *err)
{
    const json_write *c = payload;
    json_file *f = nb_pool_zalloc(pool, sizeof(*f));
    nb_status st;

    if (f == NULL) {
        return NB_NOMEM;
    }
    f->pool = pool;
    f->c = c;
    st = nb_writer_new(pool, path, c->o.codec, c->o.charset, &f->w, err);
    if (st < 0) {
        nb_pool_dealloc(pool, f, sizeof(*f));
        return st;
    }
    *out = (struct nb_file_writer *)f;
    return NB_OK;
}

static nb_status
flush(json_file *f, nb_error *err)
{
    nb_str text = nb_strbuf_str(&f->text);

    if (f->text.failed) {
        return NB_NOMEM;
    }
    f->text.len = 0;
    return text.len ? nb_writer_write(f->w, text.data, text.len, err) : NB_OK;
}

nb_status
nb_json_file_push(struct nb_file_writer *fw, const nb_vector *const *cols, int64_t n,
                  nb_arena *scratch, nb_error *err)
{
    json_file *f = (json_file *)fw;
    const json_write *c = f->c;
    nb_kernel_ctx ctx = {.arena = scratch, .info = c->o.formats->info, .err = err};
    nb_json_put job = {
        .ctx = &ctx, .style = &c->style, .zone = {.zone = c->o.formats->zone}, .out = &f->text};

    for (int64_t i = 0; i < n; i++) {
        bool any = false;

        nb_strbuf_addc(&f->text, '{');
        for (int j = 0; j < c->schema->n_children; j++) {
            if (c->style.ignore_nulls && nb_vector_is_null(cols[j], i)) {
                continue;
            }
            if (any) {
                nb_strbuf_addc(&f->text, ',');
            }
            any = true;
            nb_strbuf_add(&f->text, c->names[j]);
            NB_TRY(nb_json_put_value(&job, cols[j], i));
        }
        nb_strbuf_addc(&f->text, '}');
        nb_strbuf_add(&f->text, c->line_sep);
        if (f->text.len >= FLUSH_BYTES) {
            NB_TRY(flush(f, err));
        }
    }
    return f->text.failed ? NB_NOMEM : NB_OK;
}

static void
free_file(json_file *f)
{
    nb_strbuf_free(&f->text);
    nb_pool_dealloc(f->pool, f, sizeof(*f));
}

nb_status
nb_json_file_close(struct nb_file_writer *fw, nb_error *err)
{
    json_file *f = (json_file *)fw;
    nb_status st = flush(f, err);

    if (st < 0) {
        nb_writer_abort(f->w);
    } else {
        st = nb_writer_finish(f->w, err);
    }
    free_file(f);
    return st;
}

void
nb_json_file_abort(struct nb_file_writer *fw)
{
    json_file *f = (json_file *)fw;

    nb_writer_abort(f->w);
    free_file(f);
}
