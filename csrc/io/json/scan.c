/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c: the JSON source: relations opened, and their rows.
 *
 * A record is a line, or with multiLine a file; an array of objects is a record per object. Each thread claims splits from a shared counter, and
 * reads only the fields that are asked for (json_columns.h); the others are skipped. What follows the first value of a line is not looked at, as in
 * Spark. Texts of bad records are kept as long as the batch.
 */
#include "io/json/json.h"

#include "base/config.h"
#include "io/file_source.h"
#include "io/schema_cache.h"

#define MORSEL_BYTES   (4 << 20)
#define FROM_CORRUPT   (-1)
#define FROM_PARTITION (-2) /* and below: ~(column) - 1 */

typedef struct json_source {
    nb_file_source file;
    const nb_json_relation *json;
    nb_json_reading how;
    int n_columns; /* that go out */
    int *slot_of;  /* per column: field of want, FROM_CORRUPT, or at or below FROM_PARTITION */
    const nb_type *want; /* STRUCT of what is read from the records */
    bool keep_bad;
    int64_t limit;
} json_source;

typedef struct json_local {
    nb_json_lines lines;
    nb_json_layout layout;
    nb_morsel_run run;
    int split; /* index of the claimed split, or -1 */
    int64_t rows_of_split;
    nb_json_reading how;
    /* an array of records that goes on in the next batch: */
    bool in_array, first;
    bool broken; /* no more can be read of the split */
    nb_json at;
    char *fixed; /* a repaired record */
    size_t fixed_cap;
} json_local;

/* The records of one batch. */
typedef struct json_batch {
    nb_json_columns *columns;
    nb_str *texts; /* of bad records; data NULL: good. NULL when nobody asks */
    uint64_t bad[NB_BITMAP_WORDS(NB_BATCH_ROWS)];
    bool any_bad;
    int64_t n;
    nb_arena *arena;
} json_batch;

bool
nb_json_splittable(const nb_relation *rel, int file)
{
    const nb_json_relation *json = rel->payload;

    return nb_lines_splittable(rel, file, json->o.line_sep, json->o.multi_line, json->o.charset);
}

static void
close_local(nb_source *src, void *local)
{
    json_local *l = local;
    nb_pool *pool = l->lines.at.pool;

    nb_json_lines_free(&l->lines);
    if (l->layout.fields) {
        nb_pool_dealloc(pool, l->layout.fields, NB_JSON_LAYOUT_BYTES);
    }
    if (l->fixed) {
        nb_pool_dealloc(pool, l->fixed, l->fixed_cap);
    }
    nb_pool_dealloc(pool, l, sizeof(*l));
}

static nb_status
open_local(nb_source *src, nb_pool *pool, void **out, nb_error *err)
{
    const json_source *s = (const json_source *)src;
    json_local *l = nb_pool_zalloc(pool, sizeof(*l));

    nb_status st;

    if (l == NULL) {
        return NB_NOMEM;
    }
    st = nb_json_lines_init(&l->lines, pool, s->file.rel, &s->json->o, src->cancel);
    nb_json_layout_init(&l->layout, nb_pool_alloc(pool, NB_JSON_LAYOUT_BYTES));
    if (st < 0 || l->layout.fields == NULL) {
        close_local(src, l);
        return NB_NOMEM;
    }
    l->how = s->how;
    l->split = -1;
    *out = l;
    return NB_OK;
}

/* ---- records ------------------------------------------------------------------------------------------------------------------ */

bool
nb_json_is_array_of_records(nb_json j)
{
    bool first = true, bad = false;

    if (nb_json_peek(&j) != NB_JSON_ARRAY || !nb_json_enter(&j)) {
        return false;
    }
    while (nb_json_more(&j, ']', &first, &bad)) {
        nb_json_kind kind = nb_json_peek(&j);

        if ((kind != NB_JSON_OBJECT && kind != NB_JSON_NULL) || !nb_json_skip(&j)) {
            return false;
        }
    }
    return !bad;
}

nb_status
nb_json_repair(nb_pool *pool, char **buf, size_t *cap, nb_str *line)
{
    size_t need = line->len * 3 + 1;

    if (need > *cap) {
        char *grown = nb_pool_realloc(pool, *buf, *cap, need);
        if (grown == NULL) {
            return NB_NOMEM;
        }
        *buf = grown;
        *cap = need;
    }
    *line = (nb_str){*buf, nb_utf8_repair(line->data, line->len, *buf)};
    return NB_OK;
}

static nb_status
note_bad(json_batch *b, nb_str text, bool text_stays)
{
    nb_bit_set(b->bad, b->n);
    b->any_bad = true;
    if (b->texts != NULL) {
        b->texts[b->n] = text_stays ? text : nb_arena_str(b->arena, text);
        if (b->texts[b->n].data == NULL) {
            return NB_NOMEM;
        }
    }
    return NB_OK;
}

/* The object at the cursor as a row; text is the whole record. */
static nb_status
add_record(json_local *l, json_batch *b, nb_json *j, nb_str text)
{
    if (b->texts != NULL) {
        b->texts[b->n] = (nb_str){NULL, 0};
    }
    if (nb_json_columns_add(b->columns, j) != NB_JSON_FITS) {
        NB_TRY(note_bad(b, text, l->how.text_stays));
    }
    b->n++;
    return NB_OK;
}

/* Rows of an array until the batch is full. */
static nb_status
go_on(json_local *l, json_batch *b)
{
    bool bad = false;
    nb_str text = {l->at.end, 0};

    while (b->n < NB_BATCH_ROWS) {
        if (!nb_json_more(&l->at, ']', &l->first, &bad)) {
            l->in_array = false;
            return NB_OK;
        }
        if (nb_json_peek(&l->at) == NB_JSON_NULL) {
            if (b->texts != NULL) {
                b->texts[b->n] = (nb_str){NULL, 0};
            }
            nb_json_skip(&l->at);
            nb_json_columns_add_null(b->columns);
            b->n++;
        } else {
            NB_TRY(add_record(l, b, &l->at, text));
        }
    }
    return NB_OK;
}

/* The row is like any other that is no object: count(*) of all rows does not look at objects. */
static bool
counts_only(const json_source *s, nb_str line)
{
    return s->want->n_children == 0 && !s->keep_bad && s->json->o.mode == NB_PARSE_PERMISSIVE &&
           line.len > 0 && *line.data == '{';
}

static nb_status
read_line(const json_source *s, json_local *l, json_batch *b, const nb_json_line *at)
{
    nb_str line = at->text;
    nb_json_fit fit;
    nb_json j;

    if (counts_only(s, line)) {
        nb_json_columns_add_null(b->columns);
        b->n++;
        return NB_OK;
    }
    l->how.text_stays = true;
    if ((at->index == NULL || at->index->any_high) && !nb_utf8_is_valid(line.data, line.len)) {
        NB_TRY(nb_json_repair(l->lines.at.pool, &l->fixed, &l->fixed_cap, &line));
        l->how.text_stays = false; /* the next repaired record goes to the same place */
    } else if (at->index && nb_json_columns_add_line(b->columns, &l->layout, at, &fit)) {
        if (b->texts != NULL) {
            b->texts[b->n] = (nb_str){NULL, 0};
        }
        NB_TRY(fit == NB_JSON_FITS ? NB_OK : note_bad(b, line, true));
        b->n++;
        return NB_OK;
    }
    if (nb_str_trim(line).len == 0) {
        return NB_OK;
    }
    j = nb_json_of(line);
    j.rules = s->how.rules;
    j.max_depth = s->how.max_depth;
    if (nb_json_peek(&j) == NB_JSON_ARRAY && nb_json_is_array_of_records(j)) {
        l->at = j;
        l->first = true;
        l->in_array = nb_json_enter(&l->at);
        return go_on(l, b);
    }
    return add_record(l, b, &j, line);
}

/* ---- batches ------------------------------------------------------------------------------------------------------------------ */

static nb_status
raise_malformed(const json_source *s, int file, nb_error *err)
{
    return nb_raise(err, NB_COND_FAILED_READ_FILE, "path", s->file.rel->files.files[file].url.data,
                    "reason",
                    "[MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION] Malformed records are "
                    "detected in record parsing. \nParse Mode: FAILFAST. To process malformed "
                    "records as null result, try setting the option 'mode' as 'PERMISSIVE'. "
                    "SQLSTATE: 22023",
                    NULL);
}

static nb_status
corrupt_column(const json_batch *b, const nb_type *type, nb_vector *out)
{
    NB_TRY(nb_vector_alloc(b->arena, type, b->n, out));
    out->validity = nb_arena_zalloc(b->arena, NB_BITMAP_BYTES(b->n));
    if (out->validity == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < b->n; i++) {
        if (b->texts[i].data != NULL) {
            nb_bit_set(out->validity, i);
            NB_DATA(nb_view, out)[i] = nb_view_make(b->texts[i].data, b->texts[i].len);
        }
    }
    return NB_OK;
}

static nb_status
make_batch(const json_source *s, const json_local *l, const json_batch *b, const nb_vector *rows,
           nb_batch *out, nb_error *err)
{
    int file = s->file.splits[l->split].file;

    NB_TRY(nb_batch_init(b->arena, s->n_columns, b->n, out));
    for (int j = 0; j < s->n_columns; j++) {
        int k = s->slot_of[j];
        if (k >= 0) {
            out->cols[j] = rows->children[k];
            out->cols[j].type = s->file.base.schema->children[j].type;
        } else if (k == FROM_CORRUPT) {
            NB_TRY(corrupt_column(b, s->file.base.schema->children[j].type, &out->cols[j]));
        } else {
            NB_TRY(nb_relation_split_column(s->file.rel, &s->file.splits[l->split],
                                            FROM_PARTITION - k, b->arena, b->n, 0, NULL,
                                            &out->cols[j]));
        }
    }
    if (b->any_bad && s->json->o.mode == NB_PARSE_FAILFAST) {
        return raise_malformed(s, file, err);
    }
    if (b->any_bad && s->json->o.mode == NB_PARSE_DROPMALFORMED) {
        uint32_t *keep = NB_ARENA_ARRAY(b->arena, uint32_t, b->n);
        int64_t m = 0;
        if (keep == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < b->n; i++) {
            if (!nb_bit_get(b->bad, i)) {
                keep[m++] = (uint32_t)i;
            }
        }
        NB_TRY(nb_batch_select(out, keep, m));
    }
    return NB_OK;
}

/* Rows until the batch is full, the split is done, or the next line would move those that rows point into. */
static nb_status
fill(json_source *s, json_local *l, json_batch *b, nb_error *err)
{
    int64_t bytes = l->lines.at.n_bytes;
    nb_status st = NB_OK;
    bool found = true;

    if (l->in_array) {
        NB_TRY(go_on(l, b));
    }
    while (st == NB_OK && b->n < NB_BATCH_ROWS) {
        nb_json_line line;

        st = nb_json_lines_next(&l->lines, b->n == 0, &line, &found, err);
        if (st < 0 || !found) {
            break;
        }
        st = read_line(s, l, b, &line);
    }
    atomic_fetch_add_explicit(&s->file.base.bytes_read, l->lines.at.n_bytes - bytes,
                              memory_order_relaxed);
    return st;
}

static nb_status
next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    json_source *s = (json_source *)src;
    json_local *l = local;
    nb_kernel_ctx ctx = {.arena = scratch, .info = s->json->o.formats->info, .err = err};

    for (;;) {
        json_batch b = {.arena = scratch};
        nb_vector rows;
        nb_status st, made;

        if (nb_cancelled(src->cancel)) {
            return NB_CANCELLED;
        }
        if (l->split < 0) {
            int64_t i = nb_source_claim(src, &l->run);
            if (i < 0) {
                return NB_DONE;
            }
            st = nb_json_lines_open(&l->lines, &s->file.splits[i], err);
            if (nb_relation_skips(s->file.rel, st, err)) {
                continue;
            }
            NB_TRY(st);
            l->split = (int)i;
            l->rows_of_split = 0;
            l->in_array = l->broken = false;
        }
        if (s->keep_bad) {
            b.texts = NB_ARENA_ARRAY(scratch, nb_str, NB_BATCH_ROWS);
            if (b.texts == NULL) {
                return NB_NOMEM;
            }
        }
        NB_TRY(nb_json_columns_new(&ctx, s->want, &l->how, NB_BATCH_ROWS, &b.columns));
        st = l->broken ? NB_OK : fill(s, l, &b, err);
        if (nb_relation_skips(s->file.rel, st, err)) {
            l->broken = true;
            st = NB_OK;
        }
        made = nb_json_columns_finish(b.columns, &rows);
        NB_TRY(st < 0 ? st : made);
        if (b.n == 0 || (s->limit >= 0 && l->rows_of_split >= s->limit)) {
            l->split = -1;
            continue;
        }
        l->rows_of_split += b.n;
        atomic_fetch_add_explicit(&src->rows_read, b.n, memory_order_relaxed);
        NB_TRY(make_batch(s, l, &b, &rows, out, err));
        nb_file_source_place(&s->file, l->split, out);
        if (out->n_rows > 0) {
            return NB_OK;
        }
    }
}

static const nb_source_ops JSON_SOURCE = {
    .name = "json",
    .open_local = open_local,
    .next = next,
    .close_local = close_local,
    .free = nb_file_source_free,
};

/* ---- the relation ------------------------------------------------------------------------------------------------------------- */

static nb_status
plan_columns(json_source *s, const nb_scan_request *request, nb_error *err)
{
    const nb_relation *rel = s->file.rel;
    int n = request->n_columns, n_want = 0;
    nb_field *fields = NB_ARENA_ARRAY(s->file.arena, nb_field, n + 1);
    nb_field *want = NB_ARENA_ARRAY(s->file.arena, nb_field, n + 1);

    s->n_columns = n;
    s->slot_of = NB_ARENA_ARRAY(s->file.arena, int, n + 1);
    if (fields == NULL || want == NULL || s->slot_of == NULL) {
        return NB_NOMEM;
    }
    for (int j = 0; j < n; j++) {
        int source = rel->source_of[request->columns[j]];

        fields[j] = rel->columns->children[request->columns[j]];
        if (source < 0) {
            s->slot_of[j] = FROM_PARTITION - ~source;
        } else if (source == s->json->corrupt) {
            s->slot_of[j] = FROM_CORRUPT;
            s->keep_bad = true;
        } else {
            s->slot_of[j] = n_want;
            want[n_want++] = fields[j];
        }
    }
    if (s->keep_bad && n_want == 0 && rel->data_schema->n_children > 0) {
        return nb_raise(err, NB_COND_QUERY_ONLY_CORRUPT_RECORD_COLUMN, NULL);
    }
    s->file.base.schema = nb_type_struct(fields, n);
    s->want = nb_type_struct(want, n_want);
    return s->file.base.schema && s->want ? NB_OK : NB_NOMEM;
}

static nb_status
json_scan(nb_relation *rel, nb_pool *pool, const nb_scan_request *request, nb_source **out,
          nb_error *err)
{
    nb_file_source *made;
    json_source *s;
    nb_status st;

    NB_TRY(nb_file_source_new(rel, pool, request, &JSON_SOURCE, sizeof(*s), &made));
    s = (json_source *)made;
    s->json = rel->payload;
    s->how = nb_json_options_reading(&s->json->o);
    s->how.text_stays = true;
    s->limit = request->limit;
    st = plan_columns(s, request, err);
    st = st < 0 ? st : nb_file_source_split(made, request, nb_json_splittable, MORSEL_BYTES);
    if (st < 0) {
        nb_file_source_free(&made->base);
        return st;
    }
    *out = &made->base;
    return NB_OK;
}

static nb_status
json_open(nb_relation *rel, const nb_read_request *request, nb_error *err)
{
    nb_json_relation *json = NB_ARENA_NEW(rel->arena, nb_json_relation);
    nb_schema_key key;

    if (json == NULL) {
        return NB_NOMEM;
    }
    rel->payload = json;
    NB_TRY(nb_json_options_read(rel->arena, rel->options, rel->n_options, request->info, false,
                                &json->o, err));
    if (rel->data_schema == NULL) {
        if (rel->files.n_files == 0) {
            return NB_OK; /* UNABLE_TO_INFER_SCHEMA */
        }
        NB_TRY(nb_schema_key_of(rel, request->info, &key));
        rel->data_schema = nb_schema_cache_find(&key);
        if (rel->data_schema == NULL) {
            NB_TRY(nb_json_infer(rel, json, request, &rel->data_schema, err));
            nb_schema_cache_put(&key, rel->data_schema);
        }
    }
    json->corrupt = -1;
    for (int i = 0; i < rel->data_schema->n_children; i++) {
        if (json->corrupt < 0 &&
            nb_str_equal(rel->data_schema->children[i].name, json->o.corrupt_column) &&
            nb_type_is_string(rel->data_schema->children[i].type)) {
            json->corrupt = i;
        }
    }
    return NB_OK;
}

static bool
json_supports(const nb_type *type, bool writing)
{
    switch (type->id) {
    case NB_TYPE_ARRAY:
    case NB_TYPE_STRUCT:
    case NB_TYPE_MAP:
        for (int i = 0; i < type->n_children; i++) {
            if (!json_supports(type->children[i].type, writing)) {
                return false;
            }
        }
        return true;
    case NB_TYPE_UDT: return writing;
    case NB_TYPE_INTERVAL: return false;
    default: return true;
    }
}

const nb_format nb_format_json = {
    .title = "JSON",
    .open = json_open,
    .scan = json_scan,
    .supports = json_supports,
    .write_open = nb_json_write_open,
    .file_open = nb_json_file_open,
    .file_push = nb_json_file_push,
    .file_close = nb_json_file_close,
    .file_abort = nb_json_file_abort,
};
